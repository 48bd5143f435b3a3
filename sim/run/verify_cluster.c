/* The instances and the samples of a recorded run, against its config, its requests, each other. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "run/verification.h"

static weir_status no_memory(weir_verification *v)
{
	return weir_error_set(v->error, WEIR_ERROR_MEMORY, NULL, "out of memory");
}

/* ---- /instances ---- */

/* One that the run started with. Its pool may have changed since: that is for the scale operations
 * to tell. */
static void check_start_instance(weir_verification *v, uint32_t i)
{
	const weir_instance_view *view = &v->expected[i];
	const weir_verify_instance *row = &v->instances[i];
	const weir_application *application = &v->built.cluster.applications[view->application];
	if (row->server != view->server || row->application != view->application ||
	    row->type != &application->types[view->type] || row->created != 0 || row->active != 0) {
		weir_verify_fail(v, WEIR_VERIFY_instances, "instance %u is not the one of the config", i);
	}
}

/* The weights that an instance holds: all of an application hold the same. */
static double weights_of(const weir_verification *v, const weir_verify_instance *row)
{
	uint32_t i = 0;
	while (i < v->start_count && v->expected[i].application != row->application) {
		i++;
	}
	return i < v->start_count ? (double)v->expected[i].weights : 0;
}

static void check_instance(weir_verification *v, uint32_t i)
{
	const weir_verify_instance *row = &v->instances[i];
	double paid = row->paid_scaling_up + row->paid_active + row->paid_draining;
	double could = row->paid_active + row->paid_draining;
	if (!(row->busy >= 0) || (row->busy > could && !weir_verify_close_time(v, row->busy, could))) {
		weir_verify_fail(v, WEIR_VERIFY_instances,
		                 "instance %u was busy for %.9g s of %.9g s ACTIVE or DRAINING", i,
		                 row->busy, could);
	}
	if (!weir_verify_same(row->utilisation, row->busy / paid)) {
		weir_verify_fail(v, WEIR_VERIFY_instances, "instance %u: utilisation %.17g, not %.17g", i,
		                 row->utilisation, row->busy / paid);
	}
	if (row->type != NULL && row->memory_limit != (double)row->type->memory_limit) {
		weir_verify_fail(v, WEIR_VERIFY_instances, "instance %u: its SKU has other memory", i);
	}
	double weights = weights_of(v, row);
	bool empty = v->by_status[WEIR_REQUEST_UNFINISHED] == 0 || !isnan(row->removed);
	if (row->memory < weights || row->memory > row->memory_limit ||
	    (empty && row->memory != weights)) {
		weir_verify_fail(v, WEIR_VERIFY_instances,
		                 "instance %u: %.0f bytes in use at its end, with weights of %.0f and "
		                 "%.0f requests unfinished",
		                 i, row->memory, weights, v->by_status[WEIR_REQUEST_UNFINISHED]);
	}
}

/* A figure that the finished requests give, and others may have added to. */
static void check_work(weir_verification *v, uint32_t instance, const char *what, double got,
                       double least, double open)
{
	if (!(got >= least && got <= least + open)) {
		weir_verify_fail(v, WEIR_VERIFY_tokens,
		                 "instance %u: %.0f %s, of its requests %.0f, of unfinished ones and lost "
		                 "attempts up to %.0f",
		                 instance, got, what, least, open);
	}
}

static void check_tokens(weir_verification *v, uint32_t i)
{
	const weir_verify_instance *row = &v->instances[i];
	const weir_verify_work *work = &v->work[i];
	const weir_verify_attempts *all = &v->attempts;
	check_work(v, i, "prompt tokens", row->prompt_tokens, work->prompt_tokens,
	           work->prompt_tokens_open + v->totals.prompt_tokens_lost);
	check_work(v, i, "output tokens", row->output_tokens, work->output_tokens,
	           work->output_tokens_open + v->totals.output_tokens_lost);
	check_work(v, i, "prompts completed", row->prompts_completed, work->prompts_completed,
	           all->restarts);
	check_work(v, i, "requests completed", row->requests_completed, work->requests_completed, 0);
	check_work(v, i, "preemptions", row->preemptions, work->preemptions, all->preemptions_unknown);
}

/* What all instances did is what requests kept of it and what was lost. */
static void check_all_work(weir_verification *v, const char *what, double done, double kept,
                           double open, double lost)
{
	if (!(done - lost >= kept && done - lost <= kept + open)) {
		weir_verify_fail(v, WEIR_VERIFY_tokens,
		                 "%.0f %s in all, %.0f of them lost; of the requests %.0f and up to %.0f "
		                 "unfinished",
		                 done, what, lost, kept, open);
	}
}

static void check_sums(weir_verification *v)
{
	weir_verify_pool all = {0};
	for (uint32_t i = 0; i < v->instance_count; i++) {
		const weir_verify_instance *row = &v->instances[i];
		all.paid += row->paid_scaling_up + row->paid_active + row->paid_draining;
		all.busy += row->busy;
		all.energy += row->energy;
		all.prompt_tokens += row->prompt_tokens;
		all.output_tokens += row->output_tokens;
		all.preemptions += row->preemptions;
	}
	const weir_totals *t = &v->totals;
	const weir_verify_attempts *attempts = &v->attempts;
	if (t->instances != v->start_count || !weir_verify_close(t->busy_share, all.busy / all.paid)) {
		weir_verify_fail(v, WEIR_VERIFY_instances,
		                 "totals: %.0f instances, busy_share %.17g, not %u and %.17g", t->instances,
		                 t->busy_share, v->start_count, all.busy / all.paid);
	}
	if (!weir_verify_close(t->energy_kwh, all.energy / 3.6e6)) {
		weir_verify_fail(v, WEIR_VERIFY_energy, "energy_kwh is %.17g, of the instances %.17g",
		                 t->energy_kwh, all.energy / 3.6e6);
	}
	check_all_work(v, "prompt tokens", all.prompt_tokens, attempts->prompt_tokens,
	               attempts->prompt_tokens_open, t->prompt_tokens_lost);
	check_all_work(v, "output tokens", all.output_tokens, attempts->output_tokens,
	               attempts->output_tokens_open, t->output_tokens_lost);
	check_all_work(v, "preemptions", all.preemptions, attempts->preemptions, 0, 0);
	if (t->retries + t->moves != attempts->restarts) {
		weir_verify_fail(v, WEIR_VERIFY_tokens,
		                 "%.0f retries and %.0f moves, of the requests %.0f in all", t->retries,
		                 t->moves, attempts->restarts);
	}
	weir_verify_note(v, WEIR_VERIFY_tokens, WEIR_VERIFY_HOLDS, "%.0f prompt and %.0f output tokens",
	                 all.prompt_tokens, all.output_tokens);
}

void weir_verify_instances(weir_verification *v)
{
	if (v->instance_count < v->start_count) {
		weir_verify_fail(v, WEIR_VERIFY_instances, "%u instances, but the run began with %u",
		                 v->instance_count, v->start_count);
	}
	for (uint32_t i = 0; i < v->instance_count; i++) {
		if (i < v->start_count) {
			check_start_instance(v, i);
		}
		check_instance(v, i);
		check_tokens(v, i);
	}
	check_sums(v);
	weir_verify_note(v, WEIR_VERIFY_instances, WEIR_VERIFY_HOLDS, "%u instances",
	                 v->instance_count);
}

/* ---- /samples ---- */

/* What the samples of one pool add up to. */
typedef struct pool_sums {
	double last; /* end of the sample before; 0 at first */
	double prompts_assigned;
	weir_verify_pool done;
} pool_sums;

/* Of /samples, what is checked. */
#define SAMPLE_COLUMNS(X)                                                                          \
	X(time)                                                                                        \
	X(interval)                                                                                    \
	X(application)                                                                                 \
	X(pool)                                                                                        \
	X(instances)                                                                                   \
	X(active)                                                                                      \
	X(scaling_up)                                                                                  \
	X(draining)                                                                                    \
	X(load_busy)                                                                                   \
	X(power_w)                                                                                     \
	X(energy)                                                                                      \
	X(paid_scaling_up)                                                                             \
	X(paid_active)                                                                                 \
	X(paid_draining)                                                                               \
	X(cost_usd)                                                                                    \
	X(prompts_per_s)                                                                               \
	X(completions_per_s)                                                                           \
	X(prompt_tokens_per_s)                                                                         \
	X(output_tokens_per_s)                                                                         \
	X(preemptions)

enum {
#define SAMPLE_NUMBER(field) SAMPLE_##field,
	SAMPLE_COLUMNS(SAMPLE_NUMBER)
#undef SAMPLE_NUMBER
	    SAMPLE_COLUMN_COUNT
};

static const char *const sample_names[SAMPLE_COLUMN_COUNT] = {
#define SAMPLE_NAME(field) #field,
    SAMPLE_COLUMNS(SAMPLE_NAME)
#undef SAMPLE_NAME
};

enum { SAMPLE_BLOCK = 8192 };

static size_t pool_count(const weir_verification *v)
{
	return v->config->application_count * WEIR_TAG_COUNT;
}

static void check_sample(weir_verification *v, uint64_t row, const double *figures, pool_sums *sums)
{
	double application = figures[SAMPLE_application];
	double pool = figures[SAMPLE_pool];
	double time = figures[SAMPLE_time];
	double interval = figures[SAMPLE_interval];
	if (!(application >= 0 && application < (double)v->config->application_count && pool >= 0 &&
	      pool < WEIR_TAG_COUNT)) {
		weir_verify_fail(v, WEIR_VERIFY_samples, "row %llu: the config does not have its pool",
		                 (unsigned long long)row);
		return;
	}
	pool_sums *sum = &sums[(size_t)application * WEIR_TAG_COUNT + (size_t)pool];
	if (!(interval > 0) || !weir_verify_same(interval, time - sum->last)) {
		weir_verify_fail(v, WEIR_VERIFY_samples,
		                 "row %llu: %.17g s to %.17g s, the one before ends at %.17g s",
		                 (unsigned long long)row, time - interval, time, sum->last);
	}
	sum->last = time;
	if (figures[SAMPLE_instances] !=
	    figures[SAMPLE_active] + figures[SAMPLE_scaling_up] + figures[SAMPLE_draining]) {
		weir_verify_fail(v, WEIR_VERIFY_samples, "row %llu: its instances are in no known state",
		                 (unsigned long long)row);
	}
	if (!weir_verify_close(figures[SAMPLE_energy], figures[SAMPLE_power_w] * interval)) {
		weir_verify_fail(v, WEIR_VERIFY_energy, "row %llu of /samples: %.17g J, at %.17g W",
		                 (unsigned long long)row, figures[SAMPLE_energy], figures[SAMPLE_power_w]);
	}
	weir_verify_pool *done = &sum->done;
	double paid = figures[SAMPLE_paid_scaling_up] + figures[SAMPLE_paid_active] +
	              figures[SAMPLE_paid_draining];
	done->paid_scaling_up += figures[SAMPLE_paid_scaling_up];
	done->paid_active += figures[SAMPLE_paid_active];
	done->paid_draining += figures[SAMPLE_paid_draining];
	done->cost_usd += figures[SAMPLE_cost_usd];
	done->busy += figures[SAMPLE_load_busy] * paid;
	done->energy += figures[SAMPLE_energy];
	done->requests_completed += figures[SAMPLE_completions_per_s] * interval;
	done->prompt_tokens += figures[SAMPLE_prompt_tokens_per_s] * interval;
	done->output_tokens += figures[SAMPLE_output_tokens_per_s] * interval;
	done->preemptions += figures[SAMPLE_preemptions];
	sum->prompts_assigned += figures[SAMPLE_prompts_per_s] * interval;
}

static weir_status read_samples(weir_verification *v, uint64_t rows, double *block, pool_sums *sums)
{
	for (uint64_t first = 0; first < rows; first += SAMPLE_BLOCK) {
		uint64_t count = rows - first < SAMPLE_BLOCK ? rows - first : SAMPLE_BLOCK;
		for (size_t c = 0; c < SAMPLE_COLUMN_COUNT; c++) {
			weir_status status =
			    weir_reader_read(v->reader, weir_samples_table.name, sample_names[c], first, count,
			                     block + c * SAMPLE_BLOCK, v->error);
			if (status != WEIR_OK) {
				return status;
			}
		}
		for (uint64_t i = 0; i < count; i++) {
			double figures[SAMPLE_COLUMN_COUNT];
			for (size_t c = 0; c < SAMPLE_COLUMN_COUNT; c++) {
				figures[c] = block[c * SAMPLE_BLOCK + i];
			}
			check_sample(v, first + i, figures, sums);
		}
	}
	return WEIR_OK;
}

static void compare_sum(weir_verification *v, weir_verify_check check, const char *what,
                        double samples, double whole)
{
	if (!weir_verify_close_time(v, samples, whole)) {
		weir_verify_fail(v, check, "%s of the samples add up to %.17g, in the whole run %.17g",
		                 what, samples, whole);
	}
}

static void compare_pool(weir_verification *v, const weir_verify_pool *pool, const pool_sums *sum)
{
	if (pool->paid == 0 && sum->last == 0) {
		return;
	}
	if (sum->last != v->totals.end_time) {
		weir_verify_fail(v, WEIR_VERIFY_samples, "the last sample is at %.17g s, the end at %.17g",
		                 sum->last, v->totals.end_time);
	}
	const weir_verify_pool *done = &sum->done;
	weir_verify_check check = WEIR_VERIFY_samples;
	compare_sum(v, check, "seconds SCALING_UP", done->paid_scaling_up, pool->paid_scaling_up);
	compare_sum(v, check, "seconds ACTIVE", done->paid_active, pool->paid_active);
	compare_sum(v, check, "seconds DRAINING", done->paid_draining, pool->paid_draining);
	compare_sum(v, check, "costs", done->cost_usd, pool->cost_usd);
	compare_sum(v, check, "busy seconds", done->busy, pool->busy);
	compare_sum(v, check, "completions", done->requests_completed, pool->requests_completed);
	compare_sum(v, check, "prompt tokens", done->prompt_tokens, pool->prompt_tokens);
	compare_sum(v, check, "output tokens", done->output_tokens, pool->output_tokens);
	compare_sum(v, check, "preemptions", done->preemptions, pool->preemptions);
	compare_sum(v, WEIR_VERIFY_energy, "joules", done->energy, pool->energy);
}

static void compare_samples(weir_verification *v, const pool_sums *sums)
{
	for (size_t a = 0; a < v->config->application_count; a++) {
		double assigned = 0;
		for (size_t pool = a * WEIR_TAG_COUNT; pool < (a + 1) * WEIR_TAG_COUNT; pool++) {
			compare_pool(v, &v->pools[pool], &sums[pool]);
			assigned += sums[pool].prompts_assigned;
		}
		compare_sum(v, WEIR_VERIFY_samples, "prompts assigned", assigned, v->prompts_assigned[a]);
	}
}

weir_status weir_verify_samples(weir_verification *v)
{
	uint64_t rows = 0;
	weir_status status = weir_reader_rows(v->reader, weir_samples_table.name, &rows, v->error);
	if (status != WEIR_OK) {
		return status;
	}
	double *block = weir_allocate((size_t)SAMPLE_COLUMN_COUNT * SAMPLE_BLOCK, sizeof *block);
	pool_sums *sums = weir_allocate(pool_count(v), sizeof *sums);
	status = block != NULL && sums != NULL ? read_samples(v, rows, block, sums) : no_memory(v);
	bool sampled = v->config->sampling.interval > 0 && v->totals.end_time > 0;
	if (status == WEIR_OK && v->finished && sampled) {
		compare_samples(v, sums);
	}
	free(block);
	free(sums);
	weir_verify_note(v, WEIR_VERIFY_samples, WEIR_VERIFY_HOLDS, "%llu samples%s",
	                 (unsigned long long)rows, v->finished ? "" : ", in order");
	return status;
}
