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

static weir_status read_instances(weir_verification *v)
{
	double *values = weir_allocate(v->instance_count, sizeof *values);
	v->instances = weir_allocate(v->instance_count, sizeof *v->instances);
	weir_status status = values != NULL && v->instances != NULL ? WEIR_OK : no_memory(v);
#define READ(field, type, column, unit, description)                                               \
	if (status == WEIR_OK) {                                                                       \
		status = weir_reader_read(v->reader, weir_instances_table.name, #field, 0,                 \
		                          v->instance_count, values, v->error);                            \
		for (uint32_t i = 0; status == WEIR_OK && i < v->instance_count; i++) {                    \
			v->instances[i].field = values[i];                                                     \
		}                                                                                          \
	}
	WEIR_INSTANCE_ROW(READ)
#undef READ
	free(values);
	return status;
}

static weir_status check_sku(weir_verification *v, uint32_t i)
{
	const weir_instance_view *view = &v->expected[i];
	const weir_application *application = &v->built.cluster.applications[view->application];
	const char *expected = application->types[view->type].sku->name;
	char sku[WEIR_COLUMN_NAME_SIZE];
	weir_status status =
	    weir_reader_read_names(v->reader, weir_instances_table.name, "sku", i, 1, sku, v->error);
	if (status == WEIR_OK && strncmp(sku, expected, sizeof sku - 1) != 0) {
		weir_verify_fail(v, WEIR_VERIFY_instances, "instance %u is on a %s, in the config on a %s",
		                 i, sku, expected);
	}
	return status;
}

static void check_instance(weir_verification *v, uint32_t i)
{
	const weir_instance_view *view = &v->expected[i];
	const weir_verify_instance *row = &v->instances[i];
	double end = v->totals.end_time;
	if (row->instance != i || row->server != view->server ||
	    row->application != view->application || row->pool != (double)view->tag ||
	    row->memory_limit != (double)view->memory_limit) {
		weir_verify_fail(v, WEIR_VERIFY_instances, "instance %u is not the one of the config", i);
	}
	if (!(row->busy >= 0) || row->busy > end * (1 + 1e-9)) {
		weir_verify_fail(v, WEIR_VERIFY_instances, "instance %u was busy for %.9g s of %.9g", i,
		                 row->busy, end);
	}
	if (!weir_verify_same(row->utilisation, row->busy / end)) {
		weir_verify_fail(v, WEIR_VERIFY_instances, "instance %u: utilisation %.17g, not %.17g", i,
		                 row->utilisation, row->busy / end);
	}
	if (row->memory < (double)view->weights || row->memory > row->memory_limit ||
	    (v->by_status[WEIR_REQUEST_UNFINISHED] == 0 && row->memory != (double)view->weights)) {
		weir_verify_fail(v, WEIR_VERIFY_instances,
		                 "instance %u: %.0f bytes in use at the end, with weights of %lld and "
		                 "%.0f requests unfinished",
		                 i, row->memory, (long long)view->weights,
		                 v->by_status[WEIR_REQUEST_UNFINISHED]);
	}
}

/* A figure that the finished requests give, and unfinished ones may have added to. */
static void check_work(weir_verification *v, uint32_t instance, const char *what, double got,
                       double least, double open)
{
	if (!(got >= least && got <= least + open)) {
		weir_verify_fail(v, WEIR_VERIFY_tokens,
		                 "instance %u: %.0f %s, of its requests %.0f and up to %.0f unfinished",
		                 instance, got, what, least, open);
	}
}

static void check_tokens(weir_verification *v, uint32_t i)
{
	const weir_verify_instance *row = &v->instances[i];
	const weir_verify_work *work = &v->work[i];
	check_work(v, i, "prompt tokens", row->prompt_tokens, work->prompt_tokens,
	           work->prompt_tokens_open);
	check_work(v, i, "output tokens", row->output_tokens, work->output_tokens,
	           work->output_tokens_open);
	check_work(v, i, "prompts completed", row->prompts_completed, work->prompts_completed, 0);
	check_work(v, i, "requests completed", row->requests_completed, work->requests_completed, 0);
	check_work(v, i, "preemptions", row->preemptions, work->preemptions, 0);
}

static void check_cluster_totals(weir_verification *v)
{
	double busy = 0;
	double joules = 0;
	double prompt_tokens = 0;
	double output_tokens = 0;
	for (uint32_t i = 0; i < v->instance_count; i++) {
		busy += v->instances[i].busy;
		joules += v->instances[i].energy;
		prompt_tokens += v->instances[i].prompt_tokens;
		output_tokens += v->instances[i].output_tokens;
	}
	double busy_share = busy / ((double)v->instance_count * v->totals.end_time);
	if (v->totals.instances != v->instance_count ||
	    !weir_verify_same(v->totals.busy_share, busy_share)) {
		weir_verify_fail(v, WEIR_VERIFY_instances,
		                 "totals: %.0f instances, busy_share %.17g, not %u and %.17g",
		                 v->totals.instances, v->totals.busy_share, v->instance_count, busy_share);
	}
	if (!weir_verify_close(v->totals.energy_kwh, joules / 3.6e6)) {
		weir_verify_fail(v, WEIR_VERIFY_energy, "energy_kwh is %.17g, of the instances %.17g",
		                 v->totals.energy_kwh, joules / 3.6e6);
	}
	weir_verify_note(v, WEIR_VERIFY_tokens, WEIR_VERIFY_HOLDS, "%.0f prompt and %.0f output tokens",
	                 prompt_tokens, output_tokens);
}

weir_status weir_verify_instances(weir_verification *v)
{
	uint64_t rows = 0;
	weir_status status = weir_reader_rows(v->reader, weir_instances_table.name, &rows, v->error);
	if (status == WEIR_OK && rows != v->instance_count) {
		return weir_error_set(v->error, WEIR_ERROR_INPUT, weir_reader_path(v->reader),
		                      "has %llu instances, its config %u", (unsigned long long)rows,
		                      v->instance_count);
	}
	if (status == WEIR_OK) {
		status = read_instances(v);
	}
	for (uint32_t i = 0; i < v->instance_count && status == WEIR_OK; i++) {
		check_instance(v, i);
		check_tokens(v, i);
		status = check_sku(v, i);
	}
	if (status == WEIR_OK) {
		check_cluster_totals(v);
	}
	weir_verify_note(v, WEIR_VERIFY_instances, WEIR_VERIFY_HOLDS, "%u instances",
	                 v->instance_count);
	return status;
}

/* ---- /samples ---- */

/* What the samples of one pool add up to. */
typedef struct pool_sums {
	double last; /* end of the sample before; 0 at first */
	double busy, energy, prompts_assigned, requests_completed, prompt_tokens, output_tokens,
	    preemptions;
} pool_sums;

/* Of /samples, what is checked. */
#define SAMPLE_COLUMNS(X)                                                                          \
	X(time)                                                                                        \
	X(interval)                                                                                    \
	X(application)                                                                                 \
	X(pool)                                                                                        \
	X(instances)                                                                                   \
	X(load_busy)                                                                                   \
	X(power_w)                                                                                     \
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
	sum->busy += figures[SAMPLE_load_busy] * interval * figures[SAMPLE_instances];
	sum->energy += figures[SAMPLE_power_w] * interval;
	sum->prompts_assigned += figures[SAMPLE_prompts_per_s] * interval;
	sum->requests_completed += figures[SAMPLE_completions_per_s] * interval;
	sum->prompt_tokens += figures[SAMPLE_prompt_tokens_per_s] * interval;
	sum->output_tokens += figures[SAMPLE_output_tokens_per_s] * interval;
	sum->preemptions += figures[SAMPLE_preemptions];
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
                        double samples, double instances)
{
	if (!weir_verify_close(samples, instances)) {
		weir_verify_fail(v, check, "%s of the samples add up to %.17g, of the instances to %.17g",
		                 what, samples, instances);
	}
}

static void compare_pool(weir_verification *v, size_t pool, const pool_sums *sum)
{
	pool_sums done = {.last = v->totals.end_time};
	bool exists = false;
	for (uint32_t i = 0; i < v->instance_count; i++) {
		const weir_instance_view *view = &v->expected[i];
		const weir_verify_instance *row = &v->instances[i];
		if ((size_t)view->application * WEIR_TAG_COUNT + view->tag == pool) {
			exists = true;
			done.busy += row->busy;
			done.energy += row->energy;
			done.prompts_assigned += v->work[i].prompts_assigned;
			done.requests_completed += row->requests_completed;
			done.prompt_tokens += row->prompt_tokens;
			done.output_tokens += row->output_tokens;
			done.preemptions += row->preemptions;
		}
	}
	if (!exists) {
		return;
	}
	if (sum->last != done.last) {
		weir_verify_fail(v, WEIR_VERIFY_samples, "the last sample is at %.17g s, the end at %.17g",
		                 sum->last, done.last);
	}
	compare_sum(v, WEIR_VERIFY_samples, "busy seconds", sum->busy, done.busy);
	compare_sum(v, WEIR_VERIFY_samples, "prompts assigned", sum->prompts_assigned,
	            done.prompts_assigned);
	compare_sum(v, WEIR_VERIFY_samples, "completions", sum->requests_completed,
	            done.requests_completed);
	compare_sum(v, WEIR_VERIFY_samples, "prompt tokens", sum->prompt_tokens, done.prompt_tokens);
	compare_sum(v, WEIR_VERIFY_samples, "output tokens", sum->output_tokens, done.output_tokens);
	compare_sum(v, WEIR_VERIFY_samples, "preemptions", sum->preemptions, done.preemptions);
	compare_sum(v, WEIR_VERIFY_energy, "joules", sum->energy, done.energy);
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
	for (size_t pool = 0; pool < pool_count(v) && status == WEIR_OK && v->finished && sampled;
	     pool++) {
		compare_pool(v, pool, &sums[pool]);
	}
	free(block);
	free(sums);
	weir_verify_note(v, WEIR_VERIFY_samples, WEIR_VERIFY_HOLDS, "%llu samples%s",
	                 (unsigned long long)rows, v->finished ? "" : ", in order");
	return status;
}
