/* The decision loop on simulations: its figures against what an observer counts, its checks against
 * what breaks them, and that it comes back to where it was. */
#include "rl/scaling_loop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rl/scaling_features.h"
#include "run/simulate.h"
#include "support/run_support.h"
#include "support/test_support.h"
#include "support/views.h"

enum { MOST_LOOKS = 400, MOST_TERMS = 64, MOST_OBSERVED = 512 };

#define BURST   "trace.path=" WEIR_SOURCE_DIR "/tests/parity/syn_burst.csv"
#define CLUSTER "servers=dgx-h100:3,dgx-a100:3", "pools=prompt:dgx-h100,token:dgx-a100"

/* One simulation with a loop that decides in it, and what an observer counts beside it. */
typedef struct scene {
	weir_arena *arena;
	weir_scaling_task task;
	weir_scaling_loop *loop;
	const weir_config *config;
	weir_sim *sim;
	size_t size, terms, actions;
	/* Since the last look. */
	double completed, broken, failed;
	bool meddle; /* start an instance of the own accord when a pool is resized */
} scene;

static void count_request(void *context, const weir_request_row *row)
{
	scene *s = context;
	const weir_slo *slo = weir_sim_slo(s->sim);
	if (row->status != WEIR_REQUEST_COMPLETED) {
		s->failed++;
		return;
	}
	const weir_slo_request request = {.prompt_tokens = row->prompt_tokens,
	                                  .output_tokens = row->output_tokens,
	                                  .ttft = row->ttft,
	                                  .e2e = row->e2e};
	const weir_slowdowns slowdowns = weir_slo_slowdowns(slo, &request);
	s->completed++;
	s->broken += weir_slo_met(slo, &slowdowns) ? 0 : 1;
}

static void meddle(void *context, const weir_scaling_event_row *row)
{
	scene *s = context;
	if (s->meddle && row->action == WEIR_SCALING_RESIZE) {
		s->meddle = false;
		weir_instance_handle made;
		const weir_scale_request request = {.tag = WEIR_TAG_PROMPT, .type = WEIR_ANY_TYPE};
		ck_assert_int_eq(
		    weir_manager_scale_up_full(weir_sim_manager(s->sim), "meddler", &request, &made),
		    WEIR_REFUSED_NONE);
	}
}

static void start_sim(scene *s)
{
	weir_error error = {0};
	const weir_controller_policy *policies;
	size_t count;
	const weir_sim_observer observer = {
	    .context = s, .request_ended = count_request, .scaling_event = meddle};
	ck_assert_ok(weir_scaling_loop_policies(s->loop, s->config, &policies, &count, &error), &error);
	ck_assert_ok(weir_sim_create_with(s->config, &observer, policies, count, &s->sim, &error),
	             &error);
	ck_assert_ok(weir_scaling_loop_begin(s->loop, s->sim, true, &error), &error);
}

/* `more`: an override of the config. */
static void open_scene(scene *s, const char *task, const char *more)
{
	weir_error error = {0};
	*s = (scene){.arena = weir_arena_create()};
	ck_assert_ok(hand_read(s->arena, &weir_scaling_task_keys, task, &s->task, &error), &error);
	ck_assert_ok(weir_scaling_loop_create(&s->task, &s->loop, &error), &error);
	s->config = test_config(TEST_PARITY_CONFIG, BURST, CLUSTER, "scheduler.kind=mixed_pool",
	                        "trace.max_requests=900", "scaling.max_total_instances=9",
	                        "scaling.scale_up_delay=4", more, NULL);
	s->size = weir_scaling_loop_observation(s->loop)->size;
	s->actions = weir_scaling_loop_action(s->loop)->size;
	weir_scaling_loop_terms(s->loop, &s->terms);
	ck_assert_uint_le(s->terms, MOST_TERMS);
	ck_assert_uint_le(s->size, MOST_OBSERVED);
	start_sim(s);
}

static void close_scene(scene *s)
{
	weir_scaling_loop_destroy(s->loop);
	weir_sim_destroy(s->sim);
	weir_config_destroy(s->config);
	weir_arena_destroy(s->arena);
}

/* What one look, or the end, told. */
typedef struct told {
	bool end;
	weir_scaling_outcome outcome;
	double values[MOST_TERMS];
	float observation[MOST_OBSERVED];
} told;

/* Runs until the loop is asked, or to the end, and looks. */
static void advance(scene *s, told *t)
{
	weir_error error = {0};
	bool more = true;
	memset(t, 0, sizeof *t);
	while (more && weir_sim_waiting(s->sim) < 0) {
		ck_assert_ok(weir_sim_run(s->sim, INFINITY, UINT64_MAX, &more, &error), &error);
	}
	t->end = weir_sim_waiting(s->sim) < 0;
	ck_assert_ok(t->end
	                 ? weir_scaling_loop_end(s->loop, s->sim, t->observation, &t->outcome, &error)
	                 : weir_scaling_loop_look(s->loop, s->sim, t->observation, &t->outcome, &error),
	             &error);
	memcpy(t->values, weir_scaling_loop_values(s->loop), s->terms * sizeof *t->values);
}

/* Both pools up and down, and instances there and back. */
static void act(scene *s, int tick)
{
	static const float numbers[] = {0.7F, -0.6F, 0, 1, -1, 0.45F, 0, -0.45F};
	float action[3];
	for (int i = 0; i < 3; i++) {
		action[i] = numbers[(tick * (i + 1) + i) % 8];
	}
	weir_error error = {0};
	ck_assert_ok(weir_scaling_loop_act(s->loop, s->sim, action, &error), &error);
	(void)s->actions;
}

static double value(const scene *s, const told *t, const char *name)
{
	size_t count;
	const weir_info_term *terms = weir_scaling_loop_terms(s->loop, &count);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(terms[i].name, name) == 0) {
			return t->values[i];
		}
	}
	ck_abort_msg("no term %s", name);
}

static void assert_checked(const told *t)
{
	ck_assert_msg(t->outcome.failed == 0, "%s: %s", weir_env_check_names[t->outcome.last_failed],
	              t->outcome.failure);
}

/* A whole run: every interval as the observer counted it, and the sums as the simulation ends. */
static void check_figures(const char *task, const char *more)
{
	scene s;
	told t;
	open_scene(&s, task, more);
	double arrived = 0, completed = 0, cost = 0;
	bool resized = false, moved = false;
	weir_serving_counters counters;
	for (int tick = 0;; tick++) {
		s.completed = s.broken = s.failed = 0;
		advance(&s, &t);
		assert_checked(&t);
		ck_assert_uint_eq(t.outcome.decision, (uint64_t)tick);
		if (tick > 0) {
			ck_assert_double_eq(value(&s, &t, "completed"), s.completed);
			ck_assert_double_eq(value(&s, &t, "broken"), s.broken);
			ck_assert_double_eq(value(&s, &t, "failed"), s.failed);
			ck_assert_double_eq(value(&s, &t, "time"), weir_sim_now(s.sim));
			arrived += value(&s, &t, "arrived");
			completed += value(&s, &t, "completed");
			cost += value(&s, &t, "cost_usd");
			resized |= value(&s, &t, "done_prompt") != 0;
			moved |= value(&s, &t, "done_migrate") != 0;
		}
		if (t.end) {
			break;
		}
		if (tick == 0) { /* views that are late are not shown at once */
			weir_serving_counters_get(weir_sim_serving(s.sim), &counters);
			arrived = (double)counters.arrived;
			completed = (double)counters.completed;
			cost = weir_serving_cost(weir_sim_serving(s.sim));
		}
		act(&s, tick);
	}
	weir_serving_counters_get(weir_sim_serving(s.sim), &counters);
	ck_assert_uint_eq(counters.arrived, 900);
	ck_assert_double_eq(arrived, 900);
	ck_assert_double_eq(completed, (double)counters.completed);
	/* Servers live exactly as long as their only instance here. */
	ck_assert_double_eq_tol(cost, weir_serving_cost(weir_sim_serving(s.sim)), 1e-6);
	ck_assert(resized && moved);
	close_scene(&s);
}

START_TEST(figures)
{
	check_figures("{'decision_interval': 3}", "seed=1");
}
END_TEST

/* What an agent sees is late and inexact there; the figures and the reward are not. */
START_TEST(figures_of_late_views)
{
	check_figures("{'decision_interval': 3}",
	              "control={\"metric_lag\": 7, \"metric_noise\": 0.3, \"scrape_interval\": 2}");
}
END_TEST

/* Figures and rewards are the same whatever the views show, when the actions are. */
START_TEST(noise_does_not_touch_rewards)
{
	scene exact, noisy;
	told t, u;
	open_scene(&exact, "{'decision_interval': 3}", "control.metric_noise=0");
	open_scene(&noisy, "{'decision_interval': 3}", "control.metric_noise=0.4");
	bool seen_otherwise = false;
	for (int tick = 0;; tick++) {
		advance(&exact, &t);
		advance(&noisy, &u);
		ck_assert_mem_eq(t.values, u.values, sizeof t.values);
		ck_assert_double_eq(t.outcome.reward, u.outcome.reward);
		seen_otherwise |= memcmp(t.observation, u.observation, sizeof t.observation) != 0;
		ck_assert_int_eq(t.end, u.end);
		if (t.end) {
			break;
		}
		act(&exact, tick);
		act(&noisy, tick);
	}
	ck_assert(seen_otherwise);
	close_scene(&exact);
	close_scene(&noisy);
}
END_TEST

/* A decision that is put off: checks hold, and its operations are counted when they happen. */
START_TEST(put_off)
{
	scene s;
	told t;
	weir_error error = {0};
	open_scene(&s, "{'decision_interval': 3}", "control.decision_delay=4");
	double switching = 0;
	for (int tick = 0;; tick++) {
		advance(&s, &t);
		assert_checked(&t);
		switching += t.values[2];
		if (tick == 1) {
			ck_assert_double_eq(value(&s, &t, "asked_prompt"), 3);
			ck_assert_double_eq(value(&s, &t, "done_prompt"), 0);
			ck_assert_double_eq(value(&s, &t, "cut_prompt"), 0);
		}
		if (t.end) {
			break;
		}
		/* Every other decision is none, while those before are carried out. */
		if (tick % 2 == 0) {
			act(&s, tick);
		} else {
			ck_assert_ok(weir_scaling_loop_act(s.loop, s.sim, (const float[]){0, 0, 0}, &error),
			             &error);
		}
	}
	weir_manager_counters counters;
	weir_manager_counters_get(weir_sim_manager(s.sim), &counters);
	double operations = (double)(counters.started + counters.revived + counters.drained +
	                             counters.cancelled + counters.flipped);
	ck_assert_double_gt(operations, 10);
	ck_assert_double_eq_tol(switching, -0.1 * operations / 10, 1e-9);
	close_scene(&s);
}
END_TEST

/* Runs to look number `looks`, counted from 0, which is not decided. */
static void advance_to(scene *s, int looks, told *t)
{
	for (int tick = 0; tick <= looks; tick++) {
		advance(s, t);
		ck_assert(!t->end);
		assert_checked(t);
		if (tick < looks) {
			act(s, tick);
		}
	}
}

static void assert_fails(const told *t, weir_env_check check)
{
	ck_assert_uint_eq(t->outcome.failed, 1u << check);
	ck_assert_int_eq(t->outcome.last_failed, (int)check);
	ck_assert_str_ne(t->outcome.failure, "");
}

/* A request that the workload does not have. Two checks see it only if it stays uncounted. */
START_TEST(a_request_too_many)
{
	scene s;
	told t;
	weir_error error = {0};
	open_scene(&s, "{'decision_interval': 3}", "seed=1");
	advance_to(&s, 5, &t);
	act(&s, 5);
	const weir_submission smuggled = {.id = 5000, .prompt_tokens = 10, .output_tokens = 10};
	ck_assert_ok(weir_serving_submit((weir_serving *)weir_sim_serving(s.sim), &smuggled, &error),
	             &error);
	advance(&s, &t);
	assert_fails(&t, WEIR_CHECK_WORKLOAD);
	act(&s, 6);
	advance(&s, &t);
	assert_checked(&t);
	close_scene(&s);
}
END_TEST

/* A tick that somebody else answered: what is shown is not of the interval since the last look. */
START_TEST(a_tick_too_few)
{
	scene s;
	told t;
	weir_error error = {0};
	open_scene(&s, "{'decision_interval': 3}", "seed=1");
	advance_to(&s, 5, &t);
	act(&s, 5);
	bool more;
	const weir_decision nothing = {0};
	ck_assert_ok(weir_sim_run(s.sim, INFINITY, UINT64_MAX, &more, &error), &error);
	ck_assert_ok(weir_sim_answer(s.sim, &nothing, NULL, &error), &error);
	advance(&s, &t);
	ck_assert_uint_eq(t.outcome.failed, 1u << WEIR_CHECK_THROUGHPUT | 1u << WEIR_CHECK_WORKLOAD);
	act(&s, 6);
	advance(&s, &t);
	assert_checked(&t);
	close_scene(&s);
}
END_TEST

/* Somebody starts an instance while the decision is applied: more is there than was asked for. */
START_TEST(an_instance_too_many)
{
	scene s;
	told t;
	open_scene(&s, "{'decision_interval': 3}", "seed=1");
	advance_to(&s, 2, &t);
	s.meddle = true;
	weir_error error = {0};
	ck_assert_ok(weir_scaling_loop_act(s.loop, s.sim, (const float[]){0, -0.45F, 0}, &error),
	             &error);
	ck_assert(!s.meddle);
	advance(&s, &t);
	assert_fails(&t, WEIR_CHECK_ACTION);
	ck_assert_ptr_nonnull(strstr(t.outcome.failure, "the manager has"));
	act(&s, 3);
	advance(&s, &t);
	assert_checked(&t);
	close_scene(&s);
}
END_TEST

static double cheat(const void *parameters, const double *coefficients,
                    const weir_reward_facts *facts, double *terms)
{
	(void)parameters, (void)coefficients;
	terms[0] = -1;
	return facts->arrived > 50 ? -1 : -0.5;
}

static const weir_reward_term cheat_terms[] = {{"reward_cheat", "not what is rewarded"}};

/* A reward that is not the sum of its terms in some intervals. */
START_TEST(a_reward_of_nothing)
{
	scene s;
	told t;
	open_scene(&s, "{'decision_interval': 3}", "seed=1");
	weir_scaling_loop_destroy(s.loop);
	weir_sim_destroy(s.sim);
	static const weir_reward_type cheating = {
	    .name = "cheat", .terms = cheat_terms, .term_count = 1, .evaluate = cheat};
	weir_error error = {0};
	s.task.reward.type = &cheating;
	ck_assert_ok(weir_scaling_loop_create(&s.task, &s.loop, &error), &error);
	weir_scaling_loop_terms(s.loop, &s.terms);
	start_sim(&s);
	int seen[2] = {0, 0};
	for (int tick = 0; tick < 15; tick++) {
		advance(&s, &t);
		ck_assert(!t.end);
		if (tick > 0) {
			bool wrong = value(&s, &t, "arrived") <= 50;
			ck_assert_uint_eq(t.outcome.failed, wrong ? 1u << WEIR_CHECK_REWARD : 0);
			seen[wrong]++;
		}
		act(&s, tick);
	}
	ck_assert(seen[0] > 0 && seen[1] > 0);
	close_scene(&s);
}
END_TEST

/* Other actions, another trajectory; the same ones, the same to the last bit. */
START_TEST(actions_matter)
{
	scene s[3];
	told t[3];
	for (int i = 0; i < 3; i++) {
		open_scene(&s[i], "{'decision_interval': 3}", "seed=1");
	}
	bool differs = false;
	for (int tick = 0; tick < 15; tick++) {
		for (int i = 0; i < 3; i++) {
			advance(&s[i], &t[i]);
			act(&s[i], i == 2 && tick == 4 ? 5 : tick);
		}
		ck_assert_mem_eq(&t[0], &t[1], sizeof t[0]);
		bool same = memcmp(&t[0], &t[2], sizeof t[0]) == 0;
		ck_assert(same || tick > 4);
		differs |= !same;
	}
	ck_assert(differs);
	for (int i = 0; i < 3; i++) {
		close_scene(&s[i]);
	}
}
END_TEST

/* Saved at look number `looks`, gone on with to the end, taken back, to the end again; and in a new
 * simulation of the same config. */
static void check_restore(const char *more, int looks)
{
	static told told_first[MOST_LOOKS];
	scene s;
	told t;
	weir_error error = {0};
	open_scene(&s, "{'decision_interval': 3}", more);
	advance_to(&s, looks, &t);
	weir_sim_snapshot *sim;
	weir_scaling_loop_snapshot *loop;
	ck_assert_ok(weir_sim_save(s.sim, &sim, &error), &error);
	ck_assert_ok(weir_scaling_loop_save(s.loop, &loop, &error), &error);
	weir_sim *first = s.sim;
	for (int pass = 0; pass < 3; pass++) {
		if (pass == 2) {
			start_sim(&s); /* the loop lets go of the first */
		}
		if (pass > 0) {
			ck_assert_ok(weir_sim_restore(s.sim, sim, &error), &error);
			ck_assert_ok(weir_scaling_loop_restore(s.loop, s.sim, loop, &error), &error);
		}
		t.end = false;
		for (int tick = looks; !t.end; tick++) {
			act(&s, tick);
			advance(&s, &t);
			assert_checked(&t);
			ck_assert_int_lt(tick, MOST_LOOKS);
			if (pass == 0) {
				told_first[tick] = t;
			} else {
				ck_assert_mem_eq(&t, &told_first[tick], sizeof t);
			}
		}
	}
	weir_scaling_loop_snapshot_destroy(loop);
	weir_sim_snapshot_destroy(sim);
	weir_scaling_loop_leave(s.loop);
	weir_sim_destroy(first);
	close_scene(&s);
}

START_TEST(restore)
{
	check_restore("seed=1", 0);
	check_restore("seed=1", 12);
}
END_TEST

START_TEST(restore_with_late_views)
{
	check_restore("control={\"metric_lag\": 7, \"metric_noise\": 0.3, \"decision_delay\": 2}", 12);
}
END_TEST

/* The last look before the end, from which what follows is measured by the loop's own scrape. */
START_TEST(restore_at_the_last_look)
{
	scene s;
	told t;
	open_scene(&s, "{'decision_interval': 3}", "seed=1");
	int looks = -1;
	for (;; looks++) {
		advance(&s, &t);
		if (t.end) {
			break;
		}
		act(&s, looks + 1);
	}
	close_scene(&s);
	ck_assert_int_gt(looks, 10);
	check_restore("seed=1", looks);
}
END_TEST

/* Cut off after a look: what is queued and not overdue is charged, the rest stays. */
START_TEST(cut_off)
{
	scene s;
	told t, u;
	weir_error error = {0};
	open_scene(&s, "{'decision_interval': 0.5, 'reward': {'kind': 'constrained', 'mu': 0}}",
	           "seed=1");
	double charged = 0, share = 0;
	for (int tick = 0; tick < 60; tick++) {
		advance(&s, &t);
		ck_assert(!t.end);
		ck_assert_double_eq(value(&s, &t, "charged"), 0);
		share = value(&s, &t, "broken_share");
		u = t;
		ck_assert_ok(weir_scaling_loop_end(s.loop, s.sim, u.observation, &u.outcome, &error),
		             &error);
		memcpy(u.values, weir_scaling_loop_values(s.loop), s.terms * sizeof *u.values);
		ck_assert_mem_eq(t.observation, u.observation, sizeof t.observation);
		charged = value(&s, &u, "charged");
		if (charged > 0 && share < 1) {
			break;
		}
		/* The loop is at its end; another one comes as far as the next tick. */
		weir_scaling_loop_leave(s.loop);
		weir_sim_destroy(s.sim);
		start_sim(&s);
		for (int again = 0; again <= tick; again++) {
			advance(&s, &t);
			ck_assert_ok(weir_scaling_loop_act(s.loop, s.sim, (const float[]){0, 0, 0}, &error),
			             &error);
		}
	}
	ck_assert_double_gt(charged, 0);
	double lost = value(&s, &u, "overdue") + charged;
	double charged_share = (value(&s, &u, "broken") + lost) / (value(&s, &u, "completed") + lost);
	ck_assert_double_gt(charged_share, share);
	ck_assert_double_eq_tol(value(&s, &u, "broken_share"), charged_share, 1e-12);
	ck_assert_double_eq_tol(u.values[1], -10 * (charged_share - 0.01), 1e-12);
	ck_assert_double_lt(u.outcome.reward, t.outcome.reward);
	close_scene(&s);
}
END_TEST

/* What the action asked for beyond the limits is cut, and the reason said. */
START_TEST(limits)
{
	scene s;
	told t;
	weir_error error = {0};
	open_scene(&s, "{'decision_interval': 3}", "seed=1");
	advance(&s, &t);
	ck_assert_ok(weir_scaling_loop_act(s.loop, s.sim, (const float[]){1, -1, 0}, &error), &error);
	advance(&s, &t);
	assert_checked(&t);
	ck_assert_double_eq(value(&s, &t, "asked_prompt"), 5);
	ck_assert_double_eq(value(&s, &t, "done_prompt"), 3); /* 6 of 9 there were */
	ck_assert_double_eq(value(&s, &t, "cut_prompt"), 2);
	ck_assert_double_eq(value(&s, &t, "limit_prompt"), WEIR_REFUSED_MAX_TOTAL);
	ck_assert_double_eq(value(&s, &t, "asked_token"), -5);
	ck_assert_double_eq(value(&s, &t, "done_token"), -2);
	ck_assert_double_eq(value(&s, &t, "cut_token"), -3);
	ck_assert_double_eq(value(&s, &t, "limit_token"), WEIR_REFUSED_MIN_POOL);
	ck_assert_double_eq(value(&s, &t, "size_prompt"), 6);
	ck_assert_double_eq(value(&s, &t, "size_token"), 1);
	ck_assert_double_eq_tol(t.values[2], -0.1 * 5 / 10, 1e-12);
	close_scene(&s);
}
END_TEST

static float observed(const scene *s, const told *t, const char *name)
{
	const weir_space *space = weir_scaling_loop_observation(s->loop);
	for (size_t i = 0; i < space->size; i++) {
		if (strcmp(space->dimensions[i].name, name) == 0) {
			return t->observation[i];
		}
	}
	ck_abort_msg("no feature %s", name);
}

/* A migration is an operation for each instance; the action is seen in the next observation. */
START_TEST(migration)
{
	scene s;
	told t;
	weir_error error = {0};
	open_scene(&s, "{'decision_interval': 3}", "seed=1");
	advance(&s, &t);
	ck_assert_ok(weir_scaling_loop_act(s.loop, s.sim, (const float[]){0.25F, 0, 0.75F}, &error),
	             &error);
	advance(&s, &t);
	assert_checked(&t);
	ck_assert_double_eq(value(&s, &t, "asked_migrate"), 2); /* 0.64 * 3 */
	ck_assert_double_eq(value(&s, &t, "done_migrate"), 2);
	ck_assert_double_eq(value(&s, &t, "size_prompt"), 5);
	ck_assert_double_eq(value(&s, &t, "size_token"), 1);
	ck_assert_double_eq_tol(t.values[2], -0.1 * 2 / 10, 1e-12);
	ck_assert_float_eq(observed(&s, &t, "last_prompt[0]"), 0.25F);
	ck_assert_float_eq(observed(&s, &t, "last_migrate[0]"), 0.75F);
	ck_assert_float_eq(observed(&s, &t, "last_migrate[-1]"), 0);
	close_scene(&s);
}
END_TEST

#define IN_DOLLARS                                                                                 \
	"{'decision_interval': 3, 'reward': {'kind': 'priced', 'price': 1, 'reference_usd_per_hour': " \
	"60}}"

/* Over an episode every request that missed its limits is paid for once, and the whole bill: as the
 * run's own summary has it when nothing is decided, as an observer counts when something is. */
static void check_priced(const char *more, bool decides)
{
	scene s;
	told t;
	weir_error error = {0};
	open_scene(&s, IN_DOLLARS, more);
	double broken = 0, cost = 0;
	bool overdue = false;
	for (int tick = 0;; tick++) {
		advance(&s, &t);
		assert_checked(&t);
		cost -= t.values[0];
		broken -= t.values[1];
		overdue |= value(&s, &t, "overdue") > 0;
		if (t.end) {
			break;
		}
		if (decides) {
			act(&s, tick);
		} else {
			ck_assert_ok(weir_scaling_loop_act(s.loop, s.sim, (const float[]){0, 0, 0}, &error),
			             &error);
		}
	}
	ck_assert(overdue);
	ck_assert_double_gt(s.broken + s.failed, 10);
	ck_assert_double_eq_tol(broken, s.broken + s.failed, 1e-9);
	ck_assert_double_eq_tol(cost, weir_serving_cost(weir_sim_serving(s.sim)), 1e-6);
	if (!decides) {
		const weir_simulate_options options = weir_simulate_options_default();
		weir_simulate_result result;
		ck_assert_ok(weir_simulate(s.config, &options, &result, &error), &error);
		const weir_totals *totals = &result.summary.totals;
		ck_assert_double_eq(totals->unfinished, 0);
		ck_assert_double_eq_tol(broken, (1 - totals->attainment) * totals->arrived, 1e-6);
	}
	close_scene(&s);
}

START_TEST(priced)
{
	check_priced("seed=1", false);
	check_priced("seed=1", true);
}
END_TEST

/* Of one pool: the other is left to the config's policy, and its bill to others. */
START_TEST(one_pool)
{
	scene s;
	told t;
	weir_error error = {0};
	open_scene(&s, "{'decision_interval': 3, 'mode': 'prompt', 'reward': {'kind': 'cost_only'}}",
	           "policies=[{\"kind\": \"static\", \"static\": {\"prompt\": 1, \"token\": 5}}]");
	for (int tick = 0; tick < 5; tick++) {
		advance(&s, &t);
		assert_checked(&t);
		ck_assert_ok(weir_scaling_loop_act(s.loop, s.sim, (const float[]){0}, &error), &error);
	}
	ck_assert_double_eq(value(&s, &t, "size_prompt"), 3);
	ck_assert_double_eq(value(&s, &t, "size_token"), 5);
	/* Three H100 servers, of which the dearest price is one, of 9 instances. */
	ck_assert_double_eq_tol(t.outcome.reward, -3.0 / 9, 1e-9);
	ck_assert_double_eq_tol(value(&s, &t, "cost_usd"), 3 * 38.08 * 3 / 3600, 1e-9);
	close_scene(&s);
}
END_TEST

START_TEST(refused)
{
	weir_error error = {0};
	scene s;
	const weir_controller_policy *policies;
	size_t count;
	open_scene(&s, "{'mode': 'token'}", "seed=1");
	const weir_config *single =
	    test_config(TEST_PARITY_CONFIG, BURST, "servers=dgx-h100:2", "pools=single", NULL);
	ck_assert_int_eq(weir_scaling_loop_policies(s.loop, single, &policies, &count, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.message,
	                 "the agent is to scale the token pool, which the config does not have");
	s.task.application = "chat";
	ck_assert_int_eq(weir_scaling_loop_policies(s.loop, single, &policies, &count, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "the application 'chat'"));
	weir_config_destroy(single);
	close_scene(&s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling_loop");
	TCase *cases = tcase_create("loop");
	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, figures);
	tcase_add_test(cases, figures_of_late_views);
	tcase_add_test(cases, noise_does_not_touch_rewards);
	tcase_add_test(cases, put_off);
	tcase_add_test(cases, a_request_too_many);
	tcase_add_test(cases, a_tick_too_few);
	tcase_add_test(cases, an_instance_too_many);
	tcase_add_test(cases, a_reward_of_nothing);
	tcase_add_test(cases, actions_matter);
	tcase_add_test(cases, restore);
	tcase_add_test(cases, restore_with_late_views);
	tcase_add_test(cases, restore_at_the_last_look);
	tcase_add_test(cases, cut_off);
	tcase_add_test(cases, priced);
	tcase_add_test(cases, limits);
	tcase_add_test(cases, migration);
	tcase_add_test(cases, one_pool);
	tcase_add_test(cases, refused);
	suite_add_tcase(suite, cases);
	return test_main(suite);
}
