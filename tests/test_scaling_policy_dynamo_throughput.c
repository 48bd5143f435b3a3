#include "scaling/policy_dynamo_throughput.h"

#include "support/llm_views.h"
#include "support/test_support.h"

static llm_fixture f;
static weir_dynamo_throughput_config config;
static const weir_policy_type *const type = &weir_policy_dynamo_throughput;

static void begin(unsigned tags)
{
	llm_defaults(&weir_dynamo_throughput_keys, &config);
	config.itl = 0.0305;
	llm_start(&f, type, &config, tags);
	llm_pool(&f, WEIR_TAG_PROMPT, 5);
	llm_pool(&f, WEIR_TAG_TOKEN, 5);
	llm_pool(&f, WEIR_TAG_MIXED, 5);
}

/* throughput_scaling.py: prefill replicas are demand times the wall time of a prompt; decode
 * replicas demand over batch / (osl * wall time) at the largest batch within the ITL target. */
START_TEST(replicas_by_hand)
{
	begin(3);
	/* 10 requests/s of 250 + 100 tokens: 10 * 0.25 = 2.5 -> 3 prompt instances; 20 tasks of 300
	 * tokens take 0.03 s a token: 10 * 100 * 0.03 / 20 = 1.5 -> 2 token instances. */
	llm_tick(&f, type, 180, 1800, 250, 100);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_PROMPT), 3);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_TOKEN), 2);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_MIXED), -1);
	/* A prompt of 1.6 s misses 0.5 s: at least ceil(1.6 / 0.5) = 4, however few there are. */
	llm_tick(&f, type, 180, 18, 1600, 100);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_PROMPT), 4);
	llm_end(&f);
}
END_TEST

/* perf_model/agg.py: the largest batch within both targets whose iterations take in as many prompt
 * tokens as requests end. Of 100 + 100 tokens n tasks take n prompt tokens: 0.001 n s, so that
 * 0.0305 s allow 30; (30 + 100) * 0.001 s meets the TTFT. 30 / (100 * 0.03) = 10 requests/s. */
START_TEST(an_aggregated_pool)
{
	begin(4);
	llm_tick(&f, type, 180, 180 * 65, 100, 100);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_MIXED), 7);
	llm_end(&f);
}
END_TEST

/* docs of max_throughput_scaling_replicas: one observation changes a pool by 8 at most. */
START_TEST(step_cap_and_idle)
{
	begin(3);
	llm_tick(&f, type, 180, 18000, 250, 100);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_PROMPT), 13);
	llm_pool(&f, WEIR_TAG_PROMPT, 20);
	llm_tick(&f, type, 180, 0, 0, 0);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_PROMPT), 12);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_TOKEN), 1);
	llm_end(&f);
}
END_TEST

/* budget.py: both pools are scaled by budget / total, prefill rounded down, decode has the rest. */
START_TEST(gpu_budget)
{
	begin(3);
	config.gpu_budget = 14; /* 7 instances of 2 GPUs; 13 + 8 are wanted */
	int64_t sizes[WEIR_TAG_COUNT] = {0};
	sizes[WEIR_TAG_PROMPT] = 13;
	sizes[WEIR_TAG_TOKEN] = 8;
	weir_dynamo_budget(&f.context, &config, sizes);
	ck_assert_int_eq(sizes[WEIR_TAG_PROMPT], 4); /* floor(13 * 14 / 42) */
	ck_assert_int_eq(sizes[WEIR_TAG_TOKEN], 3);
	config.gpu_budget = 3;
	weir_error error = {0};
	ck_assert_int_eq(weir_dynamo_check(&f.context, &config, &error), WEIR_ERROR_INPUT);
	llm_end(&f);
}
END_TEST

/* predictors.py, Kalman: starts at the first value with variance 1000 of level and trend. Step to
 * 20: p00 = 2001, p01 = 1000, gains 2001/2011 and 1000/2011; level 10 + 10 * 2001/2011, trend
 * 10 * 1000/2011, forecast their sum. */
START_TEST(kalman)
{
	llm_defaults(&weir_dynamo_throughput_keys, &config);
	config.predictor = WEIR_DYNAMO_KALMAN;
	config.min_points = 2;
	weir_dynamo_series series = {0};
	weir_dynamo_observe(&config, &series, 0);
	ck_assert_int_eq(series.count, 0);
	weir_dynamo_observe(&config, &series, 10);
	ck_assert_double_eq(weir_dynamo_forecast(&config, &series), 10);
	weir_dynamo_observe(&config, &series, 20);
	ck_assert_double_eq_tol(weir_dynamo_forecast(&config, &series), 10 + 10 * 3001.0 / 2011, 1e-9);
	/* Then 50 and 40, by the matrices of the filter in exact fractions. */
	weir_dynamo_series other = series;
	weir_dynamo_observe(&config, &other, 50);
	weir_dynamo_observe(&config, &other, 40);
	ck_assert_double_eq_tol(weir_dynamo_forecast(&config, &other), 56.41239854528177, 1e-9);
	for (int i = 3; i < 40; i++) {
		weir_dynamo_observe(&config, &series, 10 * i);
	}
	ck_assert_double_eq_tol(weir_dynamo_forecast(&config, &series), 400, 0.5);
	config.predictor = WEIR_DYNAMO_CONSTANT;
	ck_assert_double_eq(weir_dynamo_forecast(&config, &series), 390);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/policy_dynamo_throughput");
	TCase *tests = tcase_create("dynamo_throughput");
	tcase_add_test(tests, replicas_by_hand);
	tcase_add_test(tests, an_aggregated_pool);
	tcase_add_test(tests, step_cap_and_idle);
	tcase_add_test(tests, gpu_budget);
	tcase_add_test(tests, kalman);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
