#include "run/simulate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "run/sim.h"
#include "run/tables.h"
#include "serving/request_row.h"

/* Events between two looks at the memory and the caller. */
enum { EVENTS_PER_LOOK = 4096 };

typedef struct kept_rows {
	weir_request_row *rows;
	size_t count, capacity;
	bool out_of_memory;
} kept_rows;

weir_simulate_options weir_simulate_options_default(void)
{
	return (weir_simulate_options){.until = (double)INFINITY};
}

static void on_request_ended(void *context, const weir_request_row *row)
{
	kept_rows *kept = context;
	if (!weir_reserve_raw((void **)&kept->rows, &kept->capacity, kept->count + 1,
	                      sizeof *kept->rows)) {
		kept->out_of_memory = true;
		return;
	}
	kept->rows[kept->count++] = *row;
}

/* Nobody wants the samples, but without a listener none would be taken, and the run would have
 * fewer events than one that is recorded. */
static void on_sampled(void *context, const weir_sample_row *row)
{
	(void)context;
	(void)row;
}

/* A column of the rows kept, by its name in /requests. */
static weir_status read_column(void *context, const char *name, uint64_t first, uint64_t count,
                               double *values, weir_error *error)
{
	const weir_request_row *rows = ((const kept_rows *)context)->rows + first;
#define READ_COLUMN(field, type, column, unit, description)                                        \
	if (strcmp(name, #field) == 0) {                                                               \
		for (uint64_t i = 0; i < count; i++) {                                                     \
			values[i] = (double)rows[i].field;                                                     \
		}                                                                                          \
		return WEIR_OK;                                                                            \
	}
	WEIR_REQUEST_ROW(READ_COLUMN)
#undef READ_COLUMN
	return weir_error_set(error, WEIR_ERROR_INTERNAL, NULL, "requests have no column %s", name);
}

static bool go_on(const weir_sim *sim, const weir_simulate_options *options)
{
	if (options->progress == NULL) {
		return true;
	}
	const weir_run_progress progress = weir_run_progress_of(sim, options->until);
	return options->progress(options->context, &progress);
}

static weir_status out_of_memory(const kept_rows *kept, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory after %zu requests",
	                      kept->count);
}

static weir_status run_to_end(weir_sim *sim, const weir_simulate_options *options,
                              const kept_rows *kept, weir_error *error)
{
	bool more = true;
	while (more) {
		weir_status status = weir_sim_run(sim, options->until, EVENTS_PER_LOOK, &more, error);
		if (status != WEIR_OK) {
			return status;
		}
		if (kept->out_of_memory) {
			return out_of_memory(kept, error);
		}
		if (!go_on(sim, options)) {
			return weir_error_set(error, WEIR_ERROR_INTERRUPTED, NULL, "interrupted at %.3f s",
			                      weir_sim_now(sim));
		}
	}
	weir_sim_finish(sim);
	return kept->out_of_memory ? out_of_memory(kept, error) : WEIR_OK;
}

weir_status weir_simulate(const weir_config *config, const weir_simulate_options *options,
                          weir_simulate_result *result, weir_error *error)
{
	memset(result, 0, sizeof *result);
	kept_rows kept = {0};
	const weir_sim_observer observer = {
	    .context = &kept, .request_ended = on_request_ended, .sampled = on_sampled};
	weir_sim *sim = NULL;
	weir_status status = weir_sim_create(config, &observer, &sim, error);
	if (status == WEIR_OK) {
		status = run_to_end(sim, options, &kept, error);
	}
	if (status == WEIR_OK) {
		result->stalled = weir_sim_is_stalled(sim);
		weir_serving_counters_get(weir_sim_serving(sim), &result->counters);
		weir_sim_totals(sim, &result->summary.totals);
		const weir_request_columns columns = {
		    .context = &kept, .rows = kept.count, .read = read_column};
		status = weir_summary_compute(&columns, weir_sim_slo(sim), &result->summary, error);
	}
	weir_sim_destroy(sim);
	free(kept.rows);
	return status;
}
