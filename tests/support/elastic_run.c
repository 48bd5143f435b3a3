#include "support/elastic_run.h"

#include <math.h>

#include "run/recording.h"
#include "scaling/policy.h"
#include "support/run_support.h"
#include "support/test_support.h"

static size_t counter_size(const weir_policy_context *context)
{
	(void)context;
	return sizeof(int64_t);
}

static weir_status start_counter(const weir_policy_context *context, void *state, weir_error *error)
{
	(void)context, (void)state, (void)error;
	return WEIR_OK;
}

/* Instances flip there and back, then both pools grow, then shrink. */
static void stir(const weir_policy_context *context, void *state, const weir_view *view,
                 weir_decision *decision)
{
	(void)context, (void)view;
	int64_t tick = (*(int64_t *)state)++;
	if (tick % 4 < 2) {
		decision->migrate = tick % 4 == 0 ? 1 : -1;
		return;
	}
	int64_t change = tick % 4 == 2 ? 3 : -3;
	weir_decide_change(decision, WEIR_TAG_PROMPT, WEIR_ANY_TYPE, change);
	weir_decide_change(decision, WEIR_TAG_TOKEN, WEIR_ANY_TYPE, change);
}

void test_run_elastic(const char *path, const char *trace)
{
	static const weir_policy_type type = {
	    .name = "stir",
	    .summary = "",
	    .joint = true,
	    .interval = 3,
	    .state_size = counter_size,
	    .start = start_counter,
	    .decide = stir,
	};
	const weir_controller_policy policy = {.type = &type, .pool = -1};
	const weir_config *config =
	    test_config(TEST_PARITY_CONFIG, trace, "servers=dgx-h100:3,dgx-a100:3",
	                "pools=prompt:dgx-h100,token:dgx-a100", "scheduler.kind=mixed_pool",
	                "scaling.max_total_instances=9", "scaling.drain_timeout=1.5", NULL);
	weir_recording recording;
	const weir_sim_observer observer = weir_recording_observer(&recording, &config->record);
	const weir_provenance provenance = {"", ""};
	weir_sim *sim = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_sim_create_with(config, &observer, &policy, 1, &sim, &error), &error);
	ck_assert_ok(weir_recording_open(&recording, path, sim, &provenance, &error), &error);
	ck_assert_ok(weir_recording_start(&recording, &error), &error);
	bool more = true;
	ck_assert_ok(weir_sim_run(sim, INFINITY, UINT64_MAX, &more, &error), &error);
	weir_sim_finish(sim);
	weir_summary summary = {0};
	weir_sim_totals(sim, &summary.totals);
	ck_assert_ok(weir_recording_finish(&recording, sim, 0, &summary, &error), &error);
	weir_sim_destroy(sim);
	weir_config_destroy(config);
}
