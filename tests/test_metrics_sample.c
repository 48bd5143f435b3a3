/* Samples and views inside running iterations, worked out by hand. */
#include "metrics/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/lifecycle_support.h"
#include "support/small_cluster.h"
#include "support/test_support.h"

/* A prompt of 100 tokens takes 1 s; k token tasks take 0.25 s an iteration. */
static const small_server server = {
    .tag = WEIR_TAG_MIXED,
    .gpus = 1,
    .kv_tokens = 1000,
    .nic_bytes_per_s = 1e6,
    .tdp_w = 1000,
    .speed = {.prompt_s = 0.5,
              .prompt_token_s = 0.005,
              .token_s = 0.25,
              .prompt_power = 0.9,
              .token_power = 0.5},
};

typedef struct samples {
	weir_sample_row rows[SMALL_APPLICATIONS * WEIR_TAG_COUNT];
	size_t count;
} samples;

static void collect(void *context, const weir_sample_row *row)
{
	samples *s = context;
	ck_assert_uint_lt(s->count, sizeof s->rows / sizeof s->rows[0]);
	s->rows[s->count++] = *row;
}

static samples take(weir_sampler *sampler, const small_cluster *cluster)
{
	samples s = {.count = 0};
	weir_sampler_take(sampler, weir_engine_now(cluster->engine), collect, &s);
	return s;
}

static small_cluster *one_server(const char *kind)
{
	small_cluster *cluster = small_cluster_create();
	small_application_add_server(small_cluster_add(cluster, "jsq", kind), &server);
	small_cluster_start(cluster);
	return cluster;
}

/* Arrival 1 s, prompt until 2 s, then 40 token iterations as one event until 12 s. */
START_TEST(a_sample_inside_an_event_counts_what_is_finished_by_then)
{
	small_cluster *cluster = one_server("splitwise");
	weir_sampler *sampler = weir_sampler_create(&cluster->config, cluster->serving, 0.0);
	small_cluster_arrive(cluster, 1.0, 0, 100, 41);

	small_cluster_run(cluster, 1.5);
	samples s = take(sampler, cluster);
	ck_assert_uint_eq(s.count, 1);
	const weir_sample_row *row = &s.rows[0];
	ck_assert_double_eq(row->time, 1.5);
	ck_assert_double_eq(row->interval, 1.5);
	ck_assert_int_eq(row->application, 0);
	ck_assert_int_eq(row->pool, WEIR_TAG_MIXED);
	ck_assert_int_eq(row->instances, 1);
	ck_assert_int_eq(row->active, 1);
	ck_assert_int_eq(row->lent, 0);
	ck_assert_int_eq(row->requests, 1);
	ck_assert_int_eq(row->queued_prompts, 0);
	ck_assert_int_eq(row->queued_tokens, 1); /* chained behind its prompt */
	ck_assert_int_eq(row->pending_prompt_tokens, 100);
	ck_assert_int_eq(row->batch_size, 1);
	ck_assert_int_eq(row->batch_tokens, 100);
	/* The prompt holds KV(101); the other 40 tokens are promised. */
	ck_assert_int_eq(row->memory, 1000000 + 101 * 1000);
	ck_assert_int_eq(row->memory_promised, 1000000 + 141 * 1000);
	ck_assert_int_eq(row->memory_limit, 2000000);
	ck_assert_double_eq(row->load_kv, 0.141);
	ck_assert_double_eq(row->load_busy, 0.5 / 1.5);
	ck_assert_double_eq_tol(row->load_batch, 0.5 * 100 / (1.5 * 2048), 1e-15);
	ck_assert_double_eq(row->load_concurrency, 1);
	ck_assert_double_eq_tol(row->power_w, (1.0 * 250 + 0.5 * 900) / 1.5, 1e-9);
	ck_assert_double_eq_tol(row->prompts_per_s, 1 / 1.5, 1e-15);
	/* The prompt's iteration has not ended, so none of it counts yet. */
	ck_assert_double_eq(row->prompt_tokens_per_s, 0);
	ck_assert_double_eq(row->output_tokens_per_s, 0);

	/* 2 s + 8.4 iterations of 0.25 s. */
	small_cluster_run(cluster, 4.1);
	weir_instance_view view;
	weir_serving_instance(cluster->serving, 0, &view);
	ck_assert_int_eq(view.prompt_tokens, 100);
	ck_assert_int_eq(view.output_tokens, 1 + 8);
	ck_assert_uint_eq(view.iterations, 1 + 8);
	ck_assert_double_eq_tol(view.busy_seconds, 3.1, 1e-12);
	ck_assert_double_eq_tol(view.batch_token_seconds, 100 + 2.1, 1e-12);
	ck_assert_double_eq_tol(view.energy_joules, 250 + 900 + 2.1 * 500, 1e-9);
	ck_assert_uint_eq(view.prompts_completed, 1);
	s = take(sampler, cluster);
	row = &s.rows[0];
	ck_assert_double_eq_tol(row->interval, 2.6, 1e-12);
	ck_assert_int_eq(row->pending_prompt_tokens, 0);
	ck_assert_int_eq(row->queued_tokens, 0);
	ck_assert_int_eq(row->batch_tokens, 1);
	ck_assert_int_eq(row->memory, 1000000 + 141 * 1000);
	ck_assert_int_eq(row->memory_promised, 1000000 + 141 * 1000);
	ck_assert_double_eq_tol(row->load_busy, 1.0, 1e-12);
	ck_assert_double_eq_tol(row->power_w, (0.5 * 900 + 2.1 * 500) / 2.6, 1e-9);
	ck_assert_double_eq_tol(row->prompt_tokens_per_s, 100 / 2.6, 1e-9);
	ck_assert_double_eq_tol(row->output_tokens_per_s, 9 / 2.6, 1e-9);
	ck_assert_double_eq(row->prompts_per_s, 0);
	ck_assert_double_eq(row->completions_per_s, 0);

	/* At an instant at which an iteration ends, it is finished: 2 + 12 * 0.25. */
	small_cluster_run(cluster, 5.0);
	weir_serving_instance(cluster->serving, 0, &view);
	ck_assert_int_eq(view.output_tokens, 1 + 12);

	small_cluster_run(cluster, 16.0);
	s = take(sampler, cluster);
	row = &s.rows[0];
	ck_assert_int_eq(row->requests, 0);
	ck_assert_int_eq(row->batch_size, 0);
	ck_assert_int_eq(row->batch_tokens, 0);
	ck_assert_int_eq(row->memory, 1000000);
	ck_assert_int_eq(row->memory_promised, 1000000);
	ck_assert_double_eq(row->load_kv, 0);
	ck_assert_double_eq_tol(row->load_busy, 7.9 / 11.9, 1e-12);
	ck_assert_double_eq_tol(row->power_w, (7.9 * 500 + 4 * 250) / 11.9, 1e-9);
	ck_assert_double_eq_tol(row->completions_per_s, 1 / 11.9, 1e-12);
	ck_assert_double_eq_tol(row->output_tokens_per_s, 32 / 11.9, 1e-9);
	ck_assert_uint_eq(take(sampler, cluster).count, 0); /* no time has passed */
	weir_sampler_destroy(sampler);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(a_chunk_counts_when_its_iteration_ends)
{
	small_cluster *cluster = small_cluster_create();
	small_application *application = small_cluster_add(cluster, "jsq", "chunked");
	application->config.instance.max_batch_tokens = 60;
	small_application_add_server(application, &server);
	small_cluster_start(cluster);
	small_cluster_arrive(cluster, 0.0, 0, 100, 2);
	weir_instance_view view;
	small_cluster_run(cluster, 0.75); /* 60 tokens take 0.8 s */
	weir_serving_instance(cluster->serving, 0, &view);
	ck_assert_int_eq(view.batch_tokens, 60);
	ck_assert_int_eq(view.prompt_tokens, 0);
	small_cluster_run(cluster, 1.0); /* 40 tokens take 0.7 s */
	weir_serving_instance(cluster->serving, 0, &view);
	ck_assert_int_eq(view.batch_tokens, 40);
	ck_assert_int_eq(view.prompt_tokens, 60);
	ck_assert_int_eq(view.output_tokens, 0);
	ck_assert_int_eq(view.pending_prompt_tokens, 100);
	ck_assert_double_eq_tol(view.batch_token_seconds, 0.8 * 60 + 0.2 * 40, 1e-12);
	small_cluster_run(cluster, 1.6);
	weir_serving_instance(cluster->serving, 0, &view);
	ck_assert_int_eq(view.prompt_tokens, 100);
	ck_assert_int_eq(view.output_tokens, 1);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(a_paused_event_still_counts_what_is_finished)
{
	/* The second arrival at 2.6 s ends the first one's iterations at their boundary at 2.75 s. */
	small_cluster *cluster = one_server("splitwise");
	small_cluster_arrive(cluster, 0.0, 0, 300, 41); /* prompt until 2 s */
	small_cluster_arrive(cluster, 2.6, 0, 100, 2);
	weir_instance_view view;
	small_cluster_run(cluster, 2.7);
	weir_serving_instance(cluster->serving, 0, &view);
	ck_assert_int_eq(view.output_tokens, 1 + 2);
	ck_assert_int_eq(view.queued_prompts, 1);
	small_cluster_run(cluster, 2.8);
	weir_serving_instance(cluster->serving, 0, &view);
	ck_assert_int_eq(view.output_tokens, 1 + 3);
	ck_assert_int_eq(view.queued_prompts, 0);
	ck_assert_int_eq(view.batch_tokens, 101);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(a_pool_sums_its_instances_and_pools_are_apart)
{
	small_cluster *cluster = small_cluster_create();
	small_application *first = small_cluster_add(cluster, "kv_jsq", "splitwise");
	small_server prompt = server;
	small_server token = server;
	prompt.tag = WEIR_TAG_PROMPT;
	token.tag = WEIR_TAG_TOKEN;
	token.gpus = 2; /* two instances, each with half of the server's power */
	small_application_add_server(first, &prompt);
	small_application_add_server(first, &token);
	first->config.scheduler.transfer_bandwidth_gb_per_s = 1e5 / (1024.0 * 1024 * 1024);
	small_application *second = small_cluster_add(cluster, "jsq", "orca");
	small_application_add_server(second, &server);
	small_cluster_start(cluster);
	weir_sampler *sampler = weir_sampler_create(&cluster->config, cluster->serving, 0.0);
	small_cluster_arrive(cluster, 0.0, 0, 100, 41);
	/* Prompt until 1 s, 1e5 bytes in 1 s, token iterations from 2 s. */
	small_cluster_run(cluster, 4.0);
	samples s = take(sampler, cluster);
	ck_assert_uint_eq(s.count, 3);
	ck_assert_int_eq(s.rows[0].pool, WEIR_TAG_PROMPT);
	ck_assert_int_eq(s.rows[1].pool, WEIR_TAG_TOKEN);
	ck_assert_int_eq(s.rows[2].pool, WEIR_TAG_MIXED);
	ck_assert_int_eq(s.rows[0].application, 0);
	ck_assert_int_eq(s.rows[2].application, 1);
	ck_assert_int_eq(s.rows[1].instances, 2);
	ck_assert_int_eq(s.rows[1].requests, 1);
	ck_assert_double_eq(s.rows[1].load_concurrency, 0.5);
	ck_assert_double_eq(s.rows[0].load_busy, 0.25);
	ck_assert_double_eq(s.rows[1].load_busy, 0.25); /* 2 of 2 * 4 s */
	ck_assert_double_eq(s.rows[1].load_batch, 2.0 / (2 * 4 * 2048));
	ck_assert_double_eq(s.rows[1].load_kv, 0.141 / 2);
	ck_assert_double_eq(s.rows[1].power_w, (2 * 250 + 6 * 125) / 4.0);
	ck_assert_double_eq(s.rows[0].output_tokens_per_s, 0.25);
	ck_assert_double_eq(s.rows[1].output_tokens_per_s, 2);
	ck_assert_double_eq(s.rows[0].prompt_tokens_per_s, 25);
	ck_assert_double_eq(s.rows[1].prompt_tokens_per_s, 0);
	ck_assert_double_eq(s.rows[2].load_busy, 0);
	ck_assert_double_eq(s.rows[2].power_w, 250);
	weir_sampler_destroy(sampler);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(only_an_instance_of_pools_can_be_lent)
{
	/* jsq has one list for all, whatever the home pools are. */
	small_cluster *cluster = small_cluster_create();
	small_application *application = small_cluster_add(cluster, "jsq", "splitwise");
	small_server prompt = server;
	prompt.tag = WEIR_TAG_PROMPT;
	small_application_add_server(application, &prompt);
	/* mixed_pool lends its prompt instance when there is none for tokens. */
	small_application_add_server(small_cluster_add(cluster, "mixed_pool", "splitwise"), &prompt);
	small_cluster_start(cluster);
	weir_sampler *sampler = weir_sampler_create(&cluster->config, cluster->serving, 0.0);
	small_cluster_arrive(cluster, 0.0, 0, 100, 41);
	small_cluster_arrive(cluster, 0.0, 1, 100, 41);
	small_cluster_run(cluster, 4.0);
	samples s = take(sampler, cluster);
	ck_assert_uint_eq(s.count, 2);
	ck_assert_int_eq(s.rows[0].lent, 0);
	ck_assert_int_eq(s.rows[1].lent, 1);
	set_active(cluster->serving, 1, false);
	small_cluster_run(cluster, 5.0);
	s = take(sampler, cluster);
	ck_assert_int_eq(s.rows[1].active, 0);
	ck_assert_int_eq(s.rows[1].instances, 1);
	ck_assert_int_eq(s.rows[1].lent, 0);
	weir_sampler_destroy(sampler);
	small_cluster_destroy(cluster);
}
END_TEST

typedef struct sums {
	double prompts, completions, prompt_tokens, output_tokens, energy, busy;
	int64_t preemptions;
} sums;

static void add_row(void *context, const weir_sample_row *row)
{
	sums *sum = context;
	sum->prompts += row->prompts_per_s * row->interval;
	sum->completions += row->completions_per_s * row->interval;
	sum->prompt_tokens += row->prompt_tokens_per_s * row->interval;
	sum->output_tokens += row->output_tokens_per_s * row->interval;
	sum->energy += row->power_w * row->interval;
	sum->busy += row->load_busy * row->interval * row->instances;
	sum->preemptions += row->preemptions;
}

/* The sum of rates * intervals is the total, however the run is cut. */
static void check_sums(const char *kind, uint64_t seed)
{
	gsl_rng *draws = weir_stream_create(seed, "test", 0);
	small_cluster *cluster = small_cluster_create();
	small_application *application = small_cluster_add(cluster, "mixed_pool", kind);
	application->config.instance.max_batch_tokens = 150;
	small_server any = server;
	for (int i = 0; i < 4; i++) {
		any.tag = i < 2 ? WEIR_TAG_PROMPT : WEIR_TAG_TOKEN;
		small_application_add_server(application, &any);
	}
	small_cluster_start(cluster);
	weir_sampler *sampler = weir_sampler_create(&cluster->config, cluster->serving, 0.0);
	double time = 0;
	int64_t prompt_tokens = 0;
	int64_t output_tokens = 0;
	for (int i = 0; i < 200; i++) {
		time += gsl_rng_uniform(draws) < 0.5 ? 0 : gsl_rng_uniform(draws);
		int64_t prompt = 1 + (int64_t)gsl_rng_uniform_int(draws, 150);
		int64_t output = 1 + (int64_t)gsl_rng_uniform_int(draws, 40);
		small_cluster_arrive(cluster, time, 0, prompt, output);
		prompt_tokens += prompt;
		output_tokens += output;
	}
	sums sum = {0};
	double now = 0;
	while (weir_engine_get_counts(cluster->engine).pending > 0) {
		now += 3 * gsl_rng_uniform(draws);
		small_cluster_run(cluster, now);
		weir_sampler_take(sampler, now, add_row, &sum);
	}
	ck_assert_uint_eq(cluster->row_count, 200);
	ck_assert_double_eq_tol(sum.prompts, 200, 1e-6);
	ck_assert_double_eq_tol(sum.completions, 200, 1e-6);
	ck_assert_double_eq_tol(sum.prompt_tokens, (double)prompt_tokens, 1e-6);
	ck_assert_double_eq_tol(sum.output_tokens, (double)output_tokens, 1e-6);
	double energy = 0;
	double busy = 0;
	uint64_t preemptions = 0;
	for (uint32_t i = 0; i < 4; i++) {
		weir_instance_view view;
		weir_serving_instance(cluster->serving, i, &view);
		energy += view.energy_joules;
		busy += view.busy_seconds;
		preemptions += view.preemptions;
	}
	ck_assert_double_eq_tol(sum.energy, energy, 1e-6 * energy);
	ck_assert_double_eq_tol(sum.busy, busy, 1e-9 * busy);
	ck_assert_int_eq(sum.preemptions, (int64_t)preemptions);
	ck_assert(strcmp(kind, "splitwise") != 0 || preemptions > 0);
	weir_sampler_destroy(sampler);
	small_cluster_destroy(cluster);
	gsl_rng_free(draws);
}

START_TEST(rates_sum_up_to_the_totals)
{
	for (uint64_t seed = 0; seed < 5; seed++) {
		check_sums("splitwise", seed);
		check_sums("orca", seed);
		check_sums("chunked", seed);
	}
}
END_TEST

START_TEST(a_copied_sampler_goes_on_alike)
{
	small_cluster *cluster = one_server("splitwise");
	weir_sampler *sampler = weir_sampler_create(&cluster->config, cluster->serving, 0.0);
	small_cluster_arrive(cluster, 1.0, 0, 100, 41);
	small_cluster_run(cluster, 4.1);
	take(sampler, cluster);
	small_cluster *other = small_cluster_copy(cluster);
	weir_sampler *copy = weir_sampler_create(&other->config, other->serving, 0.0);
	weir_sampler_copy(copy, sampler);
	small_cluster_run(cluster, 7.3);
	small_cluster_run(other, 7.3);
	samples a = take(sampler, cluster);
	samples b = take(copy, other);
	ck_assert_uint_eq(a.count, 1);
	ck_assert_uint_eq(b.count, 1);
#define SAME(field, type, column, unit, description) ck_assert(a.rows[0].field == b.rows[0].field);
	WEIR_SAMPLE_ROW(SAME)
#undef SAME
	weir_sampler_destroy(copy);
	weir_sampler_destroy(sampler);
	small_cluster_destroy(other);
	small_cluster_destroy(cluster);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics/sample");
	TCase *tests = tcase_create("sample");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_sample_inside_an_event_counts_what_is_finished_by_then);
	tcase_add_test(tests, a_chunk_counts_when_its_iteration_ends);
	tcase_add_test(tests, a_paused_event_still_counts_what_is_finished);
	tcase_add_test(tests, a_pool_sums_its_instances_and_pools_are_apart);
	tcase_add_test(tests, only_an_instance_of_pools_can_be_lent);
	tcase_add_test(tests, rates_sum_up_to_the_totals);
	tcase_add_test(tests, a_copied_sampler_goes_on_alike);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
