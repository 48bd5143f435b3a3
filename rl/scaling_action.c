#include "rl/scaling_action.h"

#include <math.h>
#include <string.h>

static const char *const part_names[] = {
#define PART_NAME(PART, name, description) [WEIR_ACTION_##PART] = #name,
    WEIR_ACTION_PARTS(PART_NAME)
#undef PART_NAME
};

/* Whether actions say sizes, not changes. */
static bool is_size(const weir_scaling_task *task)
{
	return task->action.kind == WEIR_ACTION_DEMAND || task->action.kind == WEIR_ACTION_RESIDUAL;
}

static void add_part(weir_action_set *set, const weir_scaling_task *task, weir_action_part part)
{
	weir_dimension dimension = {.name = part_names[part], .unit = ""};
	if (task->action.kind == WEIR_ACTION_DISCRETE) {
		int64_t most = part == WEIR_ACTION_MIGRATE ? task->action.migrate_step : task->action.step;
		dimension.unit = "instances";
		dimension.choices = (uint32_t)(2 * most + 1);
	} else {
		dimension.low = -1;
		dimension.high = 1;
	}
	set->parts[set->count] = part;
	set->dimensions[set->count++] = dimension;
}

void weir_action_set_create(const weir_scaling_task *task, weir_action_set *set)
{
	*set = (weir_action_set){0};
	if (task->mode != WEIR_SCALING_TOKEN) {
		add_part(set, task, WEIR_ACTION_PROMPT);
	}
	if (task->mode != WEIR_SCALING_PROMPT) {
		add_part(set, task, WEIR_ACTION_TOKEN);
	}
	if (task->mode == WEIR_SCALING_JOINT && !is_size(task) && task->action.migrate_step > 0) {
		add_part(set, task, WEIR_ACTION_MIGRATE);
	}
	set->space = (weir_space){
	    .kind =
	        task->action.kind == WEIR_ACTION_DISCRETE ? WEIR_SPACE_MULTI_DISCRETE : WEIR_SPACE_BOX,
	    .size = set->count,
	    .dimensions = set->dimensions,
	};
}

/* The pool that a part sizes; false when there is nothing for it to do. */
static bool pool_of(weir_action_part part, const weir_action_frame *frame, weir_tag *tag)
{
	if (part == WEIR_ACTION_PROMPT) {
		*tag = frame->single ? WEIR_TAG_MIXED : WEIR_TAG_PROMPT;
		return true;
	}
	*tag = WEIR_TAG_TOKEN;
	return part == WEIR_ACTION_TOKEN && !frame->single;
}

/* Instances that a number asks for, more or fewer, of at most `step`. */
static int64_t continuous_delta(double a, double dead_zone, double step)
{
	double beyond = (fabs(a) - dead_zone) / (1 - dead_zone);
	return beyond > 0 ? (int64_t)round((a < 0 ? -1 : 1) * beyond * step) : 0;
}

static int64_t middle_of(const weir_action_set *set, size_t dimension)
{
	return (int64_t)(set->dimensions[dimension].choices / 2);
}

/* Instances more or fewer, of the kinds that say it so. `size`: of the pool. */
static int64_t delta_of(const weir_scaling_task *task, const weir_action_set *set, size_t dimension,
                        float a, int64_t size)
{
	const weir_scaling_action_config *config = &task->action;
	if (config->kind == WEIR_ACTION_DISCRETE) {
		return (int64_t)a - middle_of(set, dimension);
	}
	double step = (double)config->step;
	if (set->parts[dimension] == WEIR_ACTION_MIGRATE) {
		step = (double)config->migrate_step;
	} else if (config->adaptive) {
		step = fmax(1, config->share * (double)size);
	}
	return continuous_delta((double)a, config->dead_zone, step);
}

/* Whole instances for a demand; what rounding added is not rounded up to one more. */
static double whole(double demand)
{
	return ceil(demand - 1e-9 * fmax(1, demand));
}

static int64_t wanted_size(const weir_scaling_task *task, const weir_action_frame *frame,
                           weir_tag tag, float a)
{
	double size = frame->demand[tag] * pow(task->action.range, (double)a);
	size = task->action.kind == WEIR_ACTION_DEMAND ? whole(size) : round(size);
	double least = (double)frame->min_per_pool;
	double most = (double)(frame->max_total - (frame->single ? 0 : frame->min_per_pool));
	return (int64_t)fmax(least, fmin(size, fmax(most, least)));
}

static void decide_pool(const weir_scaling_task *task, const weir_action_set *set, size_t dimension,
                        const weir_action_frame *frame, float a, weir_decision *decision)
{
	weir_tag tag;
	if (!pool_of(set->parts[dimension], frame, &tag)) {
		return;
	}
	if (is_size(task)) {
		int64_t size = wanted_size(task, frame, tag, a);
		double change = fabs((double)(size - frame->size[tag]));
		if (change > task->action.tolerance * (double)frame->size[tag]) {
			weir_decide_size(decision, tag, size);
		}
		return;
	}
	int64_t delta = delta_of(task, set, dimension, a, frame->size[tag]);
	if (delta != 0) {
		weir_decide_change(decision, tag, WEIR_ANY_TYPE, delta);
	}
}

void weir_action_decode(const weir_scaling_task *task, const weir_action_set *set,
                        const weir_action_frame *frame, const float *action,
                        weir_decision *decision)
{
	*decision = (weir_decision){0};
	for (size_t d = 0; d < set->count; d++) {
		if (set->parts[d] != WEIR_ACTION_MIGRATE) {
			decide_pool(task, set, d, frame, action[d], decision);
		} else if (!frame->single) {
			decision->migrate = delta_of(task, set, d, action[d], 0);
		}
	}
}

/* Most instances that a part can take away and add. */
static void bounds_of(weir_action_part part, const weir_action_frame *frame, int64_t *fewer,
                      int64_t *more)
{
	*fewer = 0;
	*more = 0;
	weir_tag tag;
	if (pool_of(part, frame, &tag)) {
		*fewer = frame->size[tag] - frame->min_per_pool;
		*more = frame->max_total - frame->total + frame->draining[tag];
	} else if (part == WEIR_ACTION_MIGRATE && !frame->single) {
		*fewer = frame->size[WEIR_TAG_PROMPT] - frame->min_per_pool;
		*more = frame->size[WEIR_TAG_TOKEN] - frame->min_per_pool;
	}
}

void weir_action_mask(const weir_action_set *set, const weir_action_frame *frame, uint8_t *mask)
{
	if (set->space.kind == WEIR_SPACE_BOX) {
		return;
	}
	for (size_t d = 0; d < set->count; d++) {
		int64_t fewer, more;
		bounds_of(set->parts[d], frame, &fewer, &more);
		int64_t middle = middle_of(set, d);
		for (int64_t choice = 0; choice < set->dimensions[d].choices; choice++) {
			int64_t delta = choice - middle;
			*mask++ = delta == 0 || (delta < 0 ? -delta <= fewer : delta <= more);
		}
	}
}

void weir_action_normal(const weir_action_set *set, const float *action,
                        double normal[WEIR_SCALING_DIMENSIONS])
{
	memset(normal, 0, WEIR_SCALING_DIMENSIONS * sizeof *normal);
	for (size_t d = 0; d < set->count; d++) {
		double a = (double)action[d];
		if (set->space.kind != WEIR_SPACE_BOX) {
			double middle = (double)middle_of(set, d);
			a = middle > 0 ? (a - middle) / middle : 0;
		}
		normal[set->parts[d]] = fmax(-1, fmin(1, a));
	}
}
