#include "scaling/decision_cut.h"

#include <assert.h>
#include <math.h>

/* More than any cluster has; sums of them stay far from overflow. */
static const int64_t most = 1 << 30;

/* Bounds are given as decimal fractions: 0.1 * 30 is to let 3 through. */
static const double rounding = 1e-9;

static int64_t within(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

static int64_t magnitude(int64_t value)
{
	return value < 0 ? -value : value;
}

static bool too_many_prompts(const weir_cut_limits *limits, int64_t prompt, int64_t token)
{
	return limits->ratio_max > 0 && (double)prompt > limits->ratio_max * (double)token + rounding;
}

static bool too_few_prompts(const weir_cut_limits *limits, int64_t prompt, int64_t token)
{
	return limits->ratio_min > 0 && (double)prompt < limits->ratio_min * (double)token - rounding;
}

static bool has_both(unsigned tags)
{
	return (tags & 1u << WEIR_TAG_PROMPT) && (tags & 1u << WEIR_TAG_TOKEN);
}

static int64_t sum_of(const weir_cut_plan *plan, weir_tag tag)
{
	int64_t sum = 0;
	for (size_t i = 0; i < plan->count; i++) {
		sum += plan->steps[i].tag == tag ? plan->steps[i].amount : 0;
	}
	return sum;
}

/* The size that a pool is to have after the plan. */
static int64_t wanted(const weir_cut_plan *plan, const weir_cut_state *state, weir_tag tag)
{
	int64_t size = state->sizes[tag] + sum_of(plan, tag);
	return size > 0 ? size : 0;
}

/* Takes back what leads beyond `size`, the last step first. */
static void cut_to_size(weir_cut_plan *plan, const weir_cut_state *state, weir_tag tag,
                        int64_t size)
{
	int64_t excess = state->sizes[tag] + sum_of(plan, tag) - size;
	for (size_t i = plan->count; i-- > 0 && excess != 0;) {
		weir_cut_step *step = &plan->steps[i];
		if (step->tag == tag && (step->amount > 0) == (excess > 0) && step->amount != 0) {
			int64_t cut =
			    excess > 0 ? within(excess, 0, step->amount) : within(excess, step->amount, 0);
			step->amount -= cut;
			step->reason = WEIR_REFUSED_RATIO;
			excess -= cut;
		}
	}
}

static int64_t whole(double value)
{
	return (int64_t)fmin(fmax(value, 0.0), (double)most);
}

/* Cuts a growth of `grows`, then a shrinking of `shrinks`, either not beyond the size at the start,
 * until at most `ratio` of the one to the other. */
static void cut_ratio(weir_cut_plan *plan, const weir_cut_state *state, weir_tag grows,
                      weir_tag shrinks, double ratio)
{
	int64_t left = wanted(plan, state, grows);
	int64_t right = wanted(plan, state, shrinks);
	if (left > state->sizes[grows]) {
		int64_t size = whole(floor(ratio * (double)right + rounding));
		left = within(size, state->sizes[grows], left);
		cut_to_size(plan, state, grows, left);
	}
	if ((double)left > ratio * (double)right + rounding && right < state->sizes[shrinks]) {
		int64_t size = whole(ceil((double)left / ratio - rounding));
		cut_to_size(plan, state, shrinks, within(size, right, state->sizes[shrinks]));
	}
}

static void cut_to_ratio(weir_cut_plan *plan, const weir_cut_limits *limits,
                         const weir_cut_state *state)
{
	/* Whole numbers can make a cut at one bound break the other; each round takes something back,
	 * so that it ends. */
	int64_t before;
	int64_t after = 0;
	for (size_t i = 0; i < plan->count; i++) {
		after += magnitude(plan->steps[i].amount);
	}
	do {
		before = after;
		int64_t prompt = wanted(plan, state, WEIR_TAG_PROMPT);
		int64_t token = wanted(plan, state, WEIR_TAG_TOKEN);
		if (too_many_prompts(limits, prompt, token)) {
			cut_ratio(plan, state, WEIR_TAG_PROMPT, WEIR_TAG_TOKEN, limits->ratio_max);
		} else if (too_few_prompts(limits, prompt, token)) {
			cut_ratio(plan, state, WEIR_TAG_TOKEN, WEIR_TAG_PROMPT, 1.0 / limits->ratio_min);
		}
		after = 0;
		for (size_t i = 0; i < plan->count; i++) {
			after += magnitude(plan->steps[i].amount);
		}
	} while (after < before);
}

/* Each step costs as many operations as it begins; what it takes back ends one. */
static void cut_to_operations(weir_cut_plan *plan, const weir_cut_limits *limits,
                              const weir_cut_state *state)
{
	weir_cut_state now = *state;
	int64_t left = limits->max_operations - state->operations;
	for (size_t i = 0; i < plan->count; i++) {
		weir_cut_step *step = &plan->steps[i];
		weir_undoable *undoable = &now.undoable[step->tag];
		int64_t *ended = step->amount > 0 ? &undoable->drains : &undoable->boots;
		int64_t asked = magnitude(step->amount);
		/* They may be of other types than the one that was named. */
		int64_t given = step->type == WEIR_ANY_TYPE ? within(asked, 0, *ended) : 0;
		*ended -= given;
		left += given;
		int64_t started = within(asked - given, 0, left > 0 ? left : 0);
		left -= started;
		if (given + started < asked) {
			step->amount = step->amount > 0 ? given + started : -(given + started);
			step->reason = WEIR_REFUSED_MAX_OPERATIONS;
		}
	}
}

static weir_refusal refusal_of(const weir_change *change, const weir_cut_limits *limits)
{
	if (!(limits->tags & 1u << change->tag)) {
		return WEIR_REFUSED_NO_POOL;
	}
	if (change->type != WEIR_ANY_TYPE &&
	    (change->type < 0 || (uint32_t)change->type >= limits->type_count)) {
		return WEIR_REFUSED_NO_TYPE;
	}
	return WEIR_REFUSED_NONE;
}

static void add_step(const weir_change *change, const weir_cut_limits *limits, int64_t *size,
                     weir_cut_plan *plan)
{
	int64_t asked = within(change->amount, -most, most);
	if (change->absolute) {
		asked = (asked > 0 ? asked : 0) - *size;
	}
	if (asked == 0) {
		return;
	}
	weir_refusal reason = refusal_of(change, limits);
	int64_t amount = reason == WEIR_REFUSED_NONE ? asked : 0;
	*size += amount;
	plan->steps[plan->count++] = (weir_cut_step){.tag = change->tag,
	                                             .type = change->type,
	                                             .asked = asked,
	                                             .amount = amount,
	                                             .reason = reason};
}

void weir_cut_changes(const weir_decision *decision, const weir_cut_limits *limits,
                      const weir_cut_state *state, weir_cut_plan *plan)
{
	assert(decision->count <= WEIR_MOST_CHANGES);
	plan->count = 0;
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		int64_t size = state->sizes[tag];
		for (size_t i = 0; i < decision->count; i++) {
			if (decision->changes[i].tag == (weir_tag)tag) {
				add_step(&decision->changes[i], limits, &size, plan);
			}
		}
	}
	if (limits->max_operations > 0) {
		cut_to_operations(plan, limits, state);
	}
	cut_to_ratio(plan, limits, state);
}

/* Whether the decision, with a migration of `moved` in effect, ends out of bounds on the side to
 * which the migration leads. */
static bool leads_astray(const weir_decision *decision, const weir_cut_limits *limits,
                         const weir_cut_state *state, int64_t moved)
{
	weir_cut_state after = *state;
	after.sizes[WEIR_TAG_PROMPT] += moved;
	after.sizes[WEIR_TAG_TOKEN] -= moved;
	after.operations += magnitude(moved);
	weir_cut_plan plan;
	weir_cut_changes(decision, limits, &after, &plan);
	int64_t prompt = wanted(&plan, &after, WEIR_TAG_PROMPT);
	int64_t token = wanted(&plan, &after, WEIR_TAG_TOKEN);
	return moved > 0 ? too_many_prompts(limits, prompt, token)
	                 : too_few_prompts(limits, prompt, token);
}

weir_cut_step weir_cut_migration(const weir_decision *decision, const weir_cut_limits *limits,
                                 const weir_cut_state *state)
{
	int64_t asked = within(decision->migrate, -most, most);
	weir_cut_step step = {.tag = asked > 0 ? WEIR_TAG_PROMPT : WEIR_TAG_TOKEN,
	                      .type = WEIR_ANY_TYPE,
	                      .asked = asked,
	                      .amount = asked};
	if (asked == 0) {
		return step;
	}
	if (!has_both(limits->tags)) {
		step.amount = 0;
		step.reason = WEIR_REFUSED_NO_POOL;
		return step;
	}
	if (limits->max_operations > 0) {
		int64_t left = within(limits->max_operations - state->operations, 0, most);
		step.amount = within(asked, -left, left);
		if (step.amount != asked) {
			step.reason = WEIR_REFUSED_MAX_OPERATIONS;
		}
	}
	/* More than there are cannot move, whatever was asked. */
	int64_t possible =
	    within(step.amount, -state->sizes[WEIR_TAG_PROMPT], state->sizes[WEIR_TAG_TOKEN]);
	int64_t moved = possible;
	while (moved != 0 && leads_astray(decision, limits, state, moved)) {
		moved -= moved > 0 ? 1 : -1;
	}
	if (moved != possible) {
		step.amount = moved;
		step.reason = WEIR_REFUSED_RATIO;
	}
	return step;
}
