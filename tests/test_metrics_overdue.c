/* Requests in the system that are past a limit already, worked out by hand. */
#include "metrics/overdue.h"

#include "metrics/view.h"
#include "support/lifecycle_support.h"
#include "support/small_cluster.h"
#include "support/test_support.h"

static const double tolerance = 1e-12;

/* A prompt of 100 tokens takes 1 s; an iteration of token tasks 0.25 s. */
static const small_server server = {
    .tag = WEIR_TAG_MIXED,
    .gpus = 1,
    .kv_tokens = 100000,
    .nic_bytes_per_s = 1e6,
    .speed = {.prompt_s = 0.5, .prompt_token_s = 0.005, .token_s = 0.25},
};

/* Unloaded: 0.5 s and 0.125 s. Limits of such a prompt: 3 s and 0.625 s. */
static const small_time reference = {
    .base = {&small_time_type},
    .speed = {.prompt_s = 0.25, .prompt_token_s = 0.0025, .token_s = 0.125}};
static const weir_slo_reference references[] = {{.time = &reference.base},
                                                {.time = &reference.base}};

typedef struct fixture {
	small_cluster *cluster;
	weir_slo_config limits;
	weir_slo slo;
	weir_unloaded *unloaded;
	weir_overdue *overdue;
} fixture;

static void start(fixture *f, int baseline, int applications)
{
	*f = (fixture){.limits = {.baseline = baseline, .per_request = {6, 5, 5}}};
	f->slo = (weir_slo){.config = &f->limits, .references = references, .reference_count = 2};
	f->cluster = small_cluster_create();
	for (int a = 0; a < applications; a++) {
		small_application_add_server(small_cluster_add(f->cluster, "jsq", "splitwise"), &server);
	}
	small_cluster_start(f->cluster);
	f->unloaded = weir_unloaded_create(&f->slo);
	ck_assert_ptr_nonnull(f->unloaded);
	f->overdue = weir_overdue_create(f->cluster->serving, &f->slo, f->unloaded);
	ck_assert_ptr_nonnull(f->overdue);
}

static void end(fixture *f)
{
	weir_overdue_destroy(f->overdue);
	weir_unloaded_destroy(f->unloaded);
	small_cluster_destroy(f->cluster);
}

static void expect(fixture *f, double now, uint64_t ttft, uint64_t tbt, uint64_t queued,
                   double wait)
{
	small_cluster_run(f->cluster, now);
	weir_overdue_counts counts;
	ck_assert(weir_overdue_count(f->overdue, 0, now, &counts));
	ck_assert_uint_eq(counts.ttft, ttft);
	ck_assert_uint_eq(counts.tbt, tbt);
	ck_assert_uint_eq(counts.queued, queued);
	ck_assert_double_eq_tol(counts.queued_wait, wait, tolerance);
}

START_TEST(prompts_that_have_not_run_wait)
{
	fixture f;
	start(&f, WEIR_BASELINE_UNLOADED, 2);
	expect(&f, 0.5, 0, 0, 0, 0);
	set_active(f.cluster->serving, 0, false);
	small_cluster_arrive(f.cluster, 1.0, 0, 100, 1);
	small_cluster_arrive(f.cluster, 1.0, 1, 100, 1000); /* of another application */
	small_cluster_arrive(f.cluster, 2.5, 0, 1000, 1);   /* 2.75 s unloaded: 16.5 s allowed */
	expect(&f, 2.0, 0, 0, 1, 1.0);
	expect(&f, 3.5, 0, 0, 2, (2.5 + 1.0) / 2);
	expect(&f, 4.0, 0, 0, 2, (3.0 + 1.5) / 2); /* at the limit, not past it */
	expect(&f, 4.25, 1, 0, 2, (3.25 + 1.75) / 2);
	set_active(f.cluster->serving, 0, true);
	/* The first runs until 5.25, the second then until 10.75. */
	expect(&f, 5.0, 1, 0, 1, 2.5);
	expect(&f, 5.5, 0, 0, 0, 0);
	small_cluster_arrive(f.cluster, 6.0, 0, 100, 1);
	expect(&f, 8.0, 0, 0, 1, 2.0);
	expect(&f, 9.5, 1, 0, 1, 3.5);
	expect(&f, 11.5, 1, 0, 0, 0); /* it runs, without a first token before 11.75 */
	expect(&f, 11.875, 0, 0, 0, 0);
	/* The place of a request is used again by one with another limit. */
	set_active(f.cluster->serving, 0, false);
	small_cluster_arrive(f.cluster, 12.0, 0, 1000, 1);
	expect(&f, 28.5, 0, 0, 1, 16.5);
	expect(&f, 28.75, 1, 0, 1, 16.75);
	end(&f);
}
END_TEST

/* Prompt until 2.0, then 0.5 s a token, in one event; 0.625 s of them are allowed. */
START_TEST(tokens_count_when_they_are_made)
{
	for (int splitwise = 0; splitwise < 2; splitwise++) {
		fixture f;
		start(&f, splitwise ? WEIR_BASELINE_SPLITWISE : WEIR_BASELINE_UNLOADED, 1);
		small_cluster_arrive(f.cluster, 1.0, 0, 100, 41);
		small_cluster_run(f.cluster, 2.0);
		weir_serving_set_slowness(f.cluster->serving, handle_of(f.cluster->serving, 0), 2);
		expect(&f, 2.25, 0, 0, 0, 0);
		/* One token after the first: 0.625 is not past it, 0.875 is, unless the first counts. */
		expect(&f, 2.625, 0, 0, 0, 0);
		expect(&f, 2.875, 0, !splitwise, 0, 0);
		expect(&f, 3.125, 0, 0, 0, 0); /* 1.125 / 2 */
		expect(&f, 3.375, 0, !splitwise, 0, 0);
		/* From now on 1.5 s a token: at 5.875 there are 5. */
		small_cluster_run(f.cluster, 3.5);
		weir_serving_set_slowness(f.cluster->serving, handle_of(f.cluster->serving, 0), 6);
		expect(&f, 5.875, 0, 1, 0, 0); /* 3.875 / (4 or 5) */
		end(&f);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics/overdue");
	TCase *tests = tcase_create("overdue");
	tcase_add_test(tests, prompts_that_have_not_run_wait);
	tcase_add_test(tests, tokens_count_when_they_are_made);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
