/* How many instances the arrivals ask for, and how long a request would take: by hand. */
#include "rl/scaling_demand.h"

#include <math.h>
#include <string.h>

#include "support/llm_views.h"
#include "support/test_support.h"

static llm_fixture f;
static weir_scaling_action_config action;
static weir_slo_config slo_config;
static weir_slo_reference reference;
static weir_slo slo;
static weir_fleet_demand_memory memory;
static weir_fleet_demand_model model;

/* Unloaded: 0.001 s a prompt token, and 0.011 s from token to token; limits 6 and 5 times that. */
static void setup(void)
{
	llm_start(&f, NULL, NULL, 0);
	action = (weir_scaling_action_config){.smoothing = 3};
	slo_config = (weir_slo_config){.baseline = WEIR_BASELINE_UNLOADED,
	                               .per_request = {.ttft = 6, .tbt = 5, .e2e = 5}};
	reference = (weir_slo_reference){.time = &f.times[0].base};
	slo = (weir_slo){.config = &slo_config, .references = &reference, .reference_count = 1};
	memory = (weir_fleet_demand_memory){0};
}

static void make_model(const char *pools)
{
	int32_t types[WEIR_TAG_COUNT] = {-1, -1, -1};
	types[WEIR_TAG_PROMPT] = strchr(pools, 'p') != NULL ? 0 : -1;
	types[WEIR_TAG_TOKEN] = strchr(pools, 't') != NULL ? 0 : -1;
	types[WEIR_TAG_MIXED] = strchr(pools, 'm') != NULL ? 0 : -1;
	model = weir_fleet_demand_model_of(&action, &f.cluster, &slo, 0, types);
}

static void arrive(double interval, double arrivals, double prompt, double output)
{
	weir_view view = {.interval = interval,
	                  .arrivals = arrivals,
	                  .prompt_tokens_arrived = arrivals * prompt,
	                  .output_tokens_arrived = arrivals * output};
	weir_fleet_demand_observe(&memory, action.smoothing, &view);
}

static double demand_of(weir_tag tag)
{
	double demand[WEIR_TAG_COUNT];
	weir_fleet_demand_of(&model, &memory, action.smoothing, demand);
	return demand[tag];
}

/*
 * Prompts of 250 tokens: 4 of them in 1 s. Tokens with 100 outputs: a context of 300, so 33 fit;
 * within 0.055 s 45 could be decoded; 33 take 0.043 s, so 33 / 0.043 / 100 requests/s. A mixed
 * instance does both.
 */
START_TEST(rates)
{
	make_model("ptm");
	weir_fleet_demand_sizes sizes = {250, 100};
	ck_assert_double_eq_tol(weir_fleet_demand_instance_rate(&model, WEIR_TAG_PROMPT, sizes), 4,
	                        1e-9);
	double token = 33 / 0.043 / 100;
	ck_assert_double_eq_tol(weir_fleet_demand_instance_rate(&model, WEIR_TAG_TOKEN, sizes), token,
	                        1e-9);
	ck_assert_double_eq_tol(weir_fleet_demand_instance_rate(&model, WEIR_TAG_MIXED, sizes),
	                        1 / (0.25 + 1 / token), 1e-9);
	/* A tighter limit: 0.0275 s, in which 17 are decoded. */
	slo_config.per_request.tbt = 2.5;
	ck_assert_double_eq_tol(weir_fleet_demand_instance_rate(&model, WEIR_TAG_TOKEN, sizes),
	                        17 / 0.027 / 100, 1e-9);
}
END_TEST

/* Several prompts at a time are better where an iteration has a start of its own: 0.1 s and 0.001 s
 * a token, at most 1000 tokens, 4 prompts of 250 in 1.1 s. */
START_TEST(best_prompt_batch)
{
	f.times[0].speed.prompt_s = 0.1;
	make_model("pt");
	weir_fleet_demand_sizes sizes = {250, 100};
	ck_assert_double_eq_tol(weir_fleet_demand_instance_rate(&model, WEIR_TAG_PROMPT, sizes),
	                        4 / 1.1, 1e-9);
}
END_TEST

START_TEST(given_rates)
{
	action.instance_rate[WEIR_TAG_TOKEN] = 2.5;
	make_model("pt");
	arrive(10, 100, 250, 100);
	ck_assert_double_eq_tol(demand_of(WEIR_TAG_TOKEN), 4, 1e-12);
	ck_assert_double_eq_tol(demand_of(WEIR_TAG_PROMPT), 2.5, 1e-9);
}
END_TEST

/* Averaged over the last three intervals, by time; the tick at time 0 is none of them. */
START_TEST(smoothed)
{
	action.instance_rate[WEIR_TAG_PROMPT] = action.instance_rate[WEIR_TAG_TOKEN] = 1;
	make_model("pt");
	ck_assert_double_eq(demand_of(WEIR_TAG_PROMPT), 0);
	arrive(0, 0, 0, 0);
	arrive(10, 20, 100, 10);
	ck_assert_double_eq_tol(demand_of(WEIR_TAG_PROMPT), 2, 1e-12);
	arrive(10, 60, 100, 10);
	ck_assert_double_eq_tol(demand_of(WEIR_TAG_PROMPT), 4, 1e-12);
	arrive(20, 40, 100, 10);
	ck_assert_double_eq_tol(demand_of(WEIR_TAG_PROMPT), 3, 1e-12);
	arrive(10, 0, 0, 0); /* the first of them is forgotten */
	ck_assert_double_eq_tol(demand_of(WEIR_TAG_PROMPT), 2.5, 1e-12);
	for (int i = 0; i < 3; i++) {
		arrive(10, 0, 0, 0);
	}
	ck_assert_double_eq(demand_of(WEIR_TAG_PROMPT), 0);
}
END_TEST

/* A mixed pool is asked for where it is the only one. */
START_TEST(pools)
{
	action.instance_rate[0] = action.instance_rate[1] = action.instance_rate[2] = 2;
	arrive(10, 100, 100, 10);
	make_model("ptm");
	ck_assert_double_eq_tol(demand_of(WEIR_TAG_PROMPT), 5, 1e-12);
	ck_assert_double_eq(demand_of(WEIR_TAG_MIXED), 0);
	make_model("m");
	ck_assert_double_eq(demand_of(WEIR_TAG_PROMPT), 0);
	ck_assert_double_eq_tol(demand_of(WEIR_TAG_MIXED), 5, 1e-12);
}
END_TEST

/*
 * 2 prompt instances process 1000 tokens/s each: 5000 pending tokens are 2.5 s, its own 250 another
 * 0.25 s, the limit 6 * 0.25 s. 66 tasks on one token instance, of which 33 fit: 0.043 s twice.
 */
START_TEST(estimates)
{
	make_model("pt");
	double ttft, tbt;
	f.view = (weir_view){.instances = f.instances, .instance_count = 1};
	f.view.pools[WEIR_TAG_PROMPT].active_by_list = 2;
	f.view.pools[WEIR_TAG_TOKEN].active_by_list = 1;
	f.view.pools[WEIR_TAG_PROMPT].pending_prompt_tokens = 5000;
	f.instances[0] = (weir_view_instance){.queued_tokens = 40, .batch_size = 26};
	weir_fleet_demand_estimate(&model, &memory, action.smoothing, &f.view, &ttft, &tbt);
	ck_assert_double_eq(ttft, 0);
	ck_assert_double_eq(tbt, 0);
	arrive(10, 10, 250, 100);
	weir_fleet_demand_estimate(&model, &memory, action.smoothing, &f.view, &ttft, &tbt);
	ck_assert_double_eq_tol(ttft, (2.5 + 0.25) / 1.5, 1e-9);
	ck_assert_double_eq_tol(tbt, 0.086 / 0.055, 1e-9);
	/* Requests that wait for an instance have their prompts before them as well. */
	f.view.waiting_at_scheduler = 4;
	f.view.pools[WEIR_TAG_TOKEN].active_by_list = 0;
	weir_fleet_demand_estimate(&model, &memory, action.smoothing, &f.view, &ttft, &tbt);
	ck_assert_double_eq_tol(ttft, (3 + 0.25) / 1.5, 1e-9);
	ck_assert(isinf(tbt));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling_demand");
	TCase *cases = tcase_create("demand");
	tcase_add_checked_fixture(cases, setup, NULL);
	tcase_add_test(cases, rates);
	tcase_add_test(cases, best_prompt_batch);
	tcase_add_test(cases, given_rates);
	tcase_add_test(cases, smoothed);
	tcase_add_test(cases, pools);
	tcase_add_test(cases, estimates);
	suite_add_tcase(suite, cases);
	return test_main(suite);
}
