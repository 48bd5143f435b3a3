#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "model/execution_kinds.h"
#include "model/profile.h"

/* y = slope * (x - from) + start, for both curves at once. */
typedef struct segment {
	double from;
	double prompt_slope, prompt_start;
	double token_slope, token_start;
} segment;

typedef struct power_knot {
	double batch_tokens, share;
} power_knot;

typedef struct table_model {
	weir_execution_time base;
	double mixed_factor;
	double busy_power_share; /* where power_count is 0 */
	size_t power_count, segment_count;
	power_knot *power; /* the measured ones */
	segment *segments;
	double ends[]; /* segment_count - 1 batch sizes: where each segment but the last ends */
} table_model;

static const segment *find_segment(const table_model *table, double tokens)
{
	/* A batch size that was measured belongs to the segment that it ends, as in scipy's interp1d,
	 * to equal it in the last bit. Counting over so few ends without a branch is faster than to
	 * bisect. */
	size_t index = 0;
	for (size_t i = 0; i + 1 < table->segment_count; i++) {
		index += tokens > table->ends[i];
	}
	return &table->segments[index];
}

static double duration(const weir_execution_time *model, const weir_batch *batch)
{
	const table_model *table = (const table_model *)model;
	double tokens = (double)(batch->prompt_tokens + batch->token_tasks);
	const segment *s = find_segment(table, tokens);
	if (batch->prompt_tasks == 0) {
		return s->token_slope * (tokens - s->from) + s->token_start;
	}
	double prompt = s->prompt_slope * (tokens - s->from) + s->prompt_start;
	return batch->token_tasks == 0 ? prompt : prompt * table->mixed_factor;
}

static double time_for(const weir_execution_time *model, const weir_batch *batch, int64_t k)
{
	return duration(model, batch) * (double)k;
}

static int64_t iterations_in(const weir_execution_time *model, const weir_batch *batch,
                             double elapsed)
{
	return (int64_t)weir_floor_divide(elapsed, duration(model, batch));
}

static double power_share(const weir_execution_time *model, const weir_batch *batch)
{
	const table_model *table = (const table_model *)model;
	const power_knot *power = table->power;
	if (table->power_count == 0) {
		return table->busy_power_share;
	}
	double tokens = (double)(batch->prompt_tokens + batch->token_tasks);
	size_t above = 0;
	while (above < table->power_count && power[above].batch_tokens < tokens) {
		above++;
	}
	if (above == 0 || above == table->power_count) {
		return power[above == 0 ? 0 : above - 1].share;
	}
	const power_knot *low = &power[above - 1];
	const power_knot *high = &power[above];
	return low->share + (high->share - low->share) * (tokens - low->batch_tokens) /
	                        (high->batch_tokens - low->batch_tokens);
}

static void destroy(weir_execution_time *model)
{
	table_model *table = (table_model *)model;
	free(table->power);
	free(table->segments);
	free(table);
}

static const weir_execution_time_type table_type = {
    .name = "table",
    .doc = "On straight lines between the measurements of a profile.",
    .time_for = time_for,
    .iterations_in = iterations_in,
    .power_share = power_share,
    .destroy = destroy,
};

static table_model *make_table(const weir_profile_curve *curve,
                               const weir_execution_time_config *config)
{
	const double *x = curve->batch_tokens.items;
	const double *prompt = curve->prompt_seconds.items;
	const double *token = curve->token_seconds.items;
	size_t knots = curve->batch_tokens.count;
	table_model *table = calloc(1, sizeof *table + (knots - 1) * sizeof table->ends[0]);
	if (table == NULL) {
		return NULL;
	}
	table->base.type = &table_type;
	table->mixed_factor = config->mixed_factor;
	table->busy_power_share = config->busy_power_share;
	table->segment_count = knots;
	table->segments = weir_allocate(table->segment_count, sizeof *table->segments);
	table->power = weir_allocate(knots, sizeof *table->power);
	if (table->segments == NULL || table->power == NULL) {
		destroy(&table->base);
		return NULL;
	}
	for (size_t i = 0; i + 1 < knots; i++) {
		double width = x[i + 1] - x[i];
		table->segments[i] = (segment){
		    .from = x[i],
		    .prompt_slope = (prompt[i + 1] - prompt[i]) / width,
		    .prompt_start = prompt[i],
		    .token_slope = (token[i + 1] - token[i]) / width,
		    .token_start = token[i],
		};
		table->ends[i] = x[i + 1];
	}
	segment *beyond = &table->segments[knots - 1];
	*beyond = table->segments[knots - 2];
	if (beyond->prompt_slope < 0.0) {
		beyond->prompt_slope = 0.0;
		beyond->prompt_start = prompt[knots - 1];
	}
	if (beyond->token_slope < 0.0) {
		beyond->token_slope = 0.0;
		beyond->token_start = token[knots - 1];
	}
	const double *share = curve->power_share.items;
	for (size_t i = 0; i < curve->power_share.count; i++) {
		if (share[i] > 0.0) {
			table->power[table->power_count++] = (power_knot){x[i], share[i]};
		}
	}
	return table;
}

static weir_status fail_missing(const weir_profile *profile, const char *path,
                                const weir_profile_target *target, weir_error *error)
{
	char known[WEIR_ERROR_MESSAGE_SIZE] = "";
	size_t length = 0;
	const weir_profile_curve *curves = profile->curves.items;
	for (size_t i = 0; i < profile->curves.count && length < sizeof known; i++) {
		const weir_profile_target *has = &curves[i].target;
		int written =
		    snprintf(known + length, sizeof known - length, "%s%s on %s x%lld", i > 0 ? ", " : "",
		             has->model, has->gpu, (long long)has->tensor_parallel);
		length += written > 0 ? (size_t)written : 0;
	}
	return weir_error_set(error, WEIR_ERROR_INPUT, path,
	                      "no measurements of %s on %s x%lld (tensor_parallel); there are: %s",
	                      target->model, target->gpu, (long long)target->tensor_parallel,
	                      known[0] != '\0' ? known : "none");
}

weir_status weir_execution_table_make(const weir_execution_time_config *config,
                                      const weir_execution_target *target,
                                      weir_execution_time **model, weir_error *error)
{
	const weir_profile_target wanted = {
	    .model = target->architecture->name,
	    .gpu = target->gpu->name,
	    .tensor_parallel = target->tensor_parallel,
	};
	weir_arena *arena = weir_arena_create();
	if (arena == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, config->profile, "no memory to read it");
	}
	weir_profile profile;
	weir_status status = weir_profile_read(config->profile, arena, &profile, error);
	if (status == WEIR_OK) {
		const weir_profile_curve *curve = weir_profile_find(&profile, &wanted);
		if (curve == NULL) {
			status = fail_missing(&profile, config->profile, &wanted, error);
		} else {
			table_model *table = make_table(curve, config);
			*model = table != NULL ? &table->base : NULL;
			if (table == NULL) {
				status = weir_error_set(error, WEIR_ERROR_MEMORY, config->profile,
				                        "no memory for its curve");
			}
		}
	}
	weir_arena_destroy(arena);
	return status;
}
