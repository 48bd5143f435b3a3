/* An agent that corrects a rule: what it reads, that it is the rule when it corrects nothing, and
 * that the rule between two decisions is part of the run. */
#include "rl/scaling_rule.h"

#include <math.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rl/scaling_features.h"
#include "rl/scaling_loop.h"
#include "support/run_support.h"
#include "support/test_support.h"
#include "support/views.h"

enum { MOST_LOOKS = 100, MOST_TERMS = 64, MOST_OBSERVED = 512, TEXT_SIZE = 1024 };

#define HPA(metric, target)                                                                        \
	"'hpa': {'metric': '" metric "', 'target': " target ", 'behavior': {'tolerance': 0, "          \
	"'scale_down': {'stabilization_window': 20}}}"

/* Rules of one and of several policies, per pool and joint, with states of all sizes. */
static const char *const rules[] = {
    "{'kind': 'hpa', " HPA("busy", "0.5") "}",
    "{'kind': 'random', 'pool': 'prompt', 'random': {'step': 2}}, "
    "{'kind': 'hpa', 'pool': 'token', " HPA("kv", "0.3") "}",
    "{'kind': 'holt_winters', 'pool': 'prompt', 'holt_winters': {'demand': 'tokens', "
    "'target_tokens': 1700}}, {'kind': 'random', 'pool': 'token'}, "
    "{'kind': 'never'}",
    "{'kind': 'dynamo_load'}",
    "{'kind': 'random', 'random': {'step': 3}}",
};
enum { RULES = sizeof rules / sizeof rules[0], RANDOM_AND_HPA = 1, RANDOM_RULE = 4 };

static const char static_rule[] =
    "{'kind': 'static', 'static': {'prompt': 3, 'token': 5, 'mixed': 3}}";

/* --- reading ---------------------------------------------------------------------------------- */

static weir_arena *arena;
static weir_scaling_task task;
static weir_error error;

static void setup(void)
{
	arena = weir_arena_create();
	weir_error_clear(&error);
}

static void teardown(void)
{
	weir_arena_destroy(arena);
}

/* A task with `rule`, the items of a list, and further keys of the action and of the task. */
static const char *task_text(const char *rule, const char *action, const char *more)
{
	static char text[TEXT_SIZE];
	int length =
	    snprintf(text, sizeof text, "{'action': {'kind': 'residual', 'rule': [%s]%s%s}%s%s}", rule,
	             action[0] != '\0' ? ", " : "", action, more[0] != '\0' ? ", " : "", more);
	ck_assert_int_lt(length, TEXT_SIZE);
	return text;
}

static weir_status read_task(const char *text)
{
	weir_error_clear(&error);
	memset(&task, 0, sizeof task);
	return hand_read(arena, &weir_scaling_task_keys, text, &task, &error);
}

START_TEST(reading)
{
	ck_assert_ok(read_task(task_text(rules[RANDOM_AND_HPA], "", "")), &error);
	ck_assert_int_eq(task.action.kind, WEIR_ACTION_RESIDUAL);
	ck_assert(!task.action.adaptive);
	ck_assert_double_eq(task.action.range, 2);
	ck_assert_double_eq(task.action.rule_interval, 0);
	const weir_scaling_rule *rule = &task.action.rule;
	ck_assert_uint_eq(rule->count, 2);
	ck_assert_int_eq(rule->items[0].kind, WEIR_POLICY_KIND_random);
	ck_assert_str_eq(rule->items[0].pool, "prompt");
	ck_assert_int_eq(rule->items[0].of_random.step, 2);
	ck_assert_int_eq(rule->items[1].kind, WEIR_POLICY_KIND_hpa);
	ck_assert_double_eq(rule->items[1].of_hpa.metric.target, 0.3);
	ck_assert_uint_eq(weir_scaling_rule_needs(rule), WEIR_VIEW_INSTANCES);
	ck_assert_ok(read_task(task_text(rules[0], "'rule_interval': 2.5", "")), &error);
	ck_assert_double_eq(task.action.rule_interval, 2.5);
	ck_assert_ok(read_task("{}"), &error);
	ck_assert_uint_eq(task.action.rule.count, 0);
	ck_assert_uint_eq(weir_scaling_rule_needs(rule), 0);
}
END_TEST

START_TEST(refused)
{
	static const struct {
		const char *text, *where, *message;
	} cases[] = {
	    {"{'action': {'kind': 'residual'}}", "action.rule", "missing; expected a list"},
	    {"{'action': {'kind': 'residual', 'rule': {'kind': 'hpa'}}}", "action.rule",
	     "expected a list of at least one policy, as the key policies of a config has them, got an "
	     "object"},
	    {"{'action': {'kind': 'residual', 'rule': 'hpa'}}", "action.rule", "got \"hpa\""},
	    {"{'action': {'kind': 'residual', 'rule': []}}", "action.rule", "no policy"},
	    {"{'action': {'kind': 'residual', 'rule': [{'kind': 'never'}, {'kind': 'hpaa'}]}}",
	     "action.rule[1].kind", "unknown kind 'hpaa'"},
	    {"{'action': {'kind': 'residual', 'rule': [{'kind': 'hpa', 'interval': 5}]}}",
	     "action.rule[0].interval", "leave this out"},
	    {"{'action': {'kind': 'residual', 'rule': [{'kind': 'hpa', 'application': 'chat'}]}}",
	     "action.rule[0].application", "leave this out"},
	    {"{'action': {'kind': 'residual', 'rule': [{'kind': 'hpa', 'pool': 'tokens'}]}}",
	     "action.rule[0].pool", "did you mean 'token'?"},
	    {"{'action': {'kind': 'residual', 'rule': [{'kind': 'hpa', 'hpa': {'aim': 1}}]}}",
	     "action.rule[0].hpa.aim", "unknown key 'aim'"},
	    {"{'action': {'kind': 'demand', 'rule': [{'kind': 'hpa'}]}}", "action.rule", "kind"},
	    {"{'action': {'kind': 'demand', 'rule_interval': 5}}", "action.rule_interval", "kind"},
	    {"{'decision_interval': 12, 'action': {'kind': 'residual', 'rule': [{'kind': 'hpa'}], "
	     "'rule_interval': 5}}",
	     "decision_interval", "12 s is no multiple of action.rule_interval, 5 s"},
	    {"{'decision_interval': 5, 'action': {'kind': 'residual', 'rule': [{'kind': 'hpa'}], "
	     "'rule_interval': 10}}",
	     "decision_interval", "no multiple"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ck_assert_int_eq(read_task(cases[i].text), WEIR_ERROR_INPUT);
		char where[128];
		snprintf(where, sizeof where, "test.json: %s", cases[i].where);
		ck_assert_str_eq(error.where, where);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "%s: %s", cases[i].text,
		              error.message);
	}
}
END_TEST

/* Printed with every default in it, and read to the same rule. */
START_TEST(printed_and_read)
{
	for (size_t r = 0; r < RULES; r++) {
		ck_assert_ok(read_task(task_text(rules[r], "'rule_interval': 5, 'range': 1.5", "")),
		             &error);
		const weir_scaling_rule first = task.action.rule;
		char *text = weir_scaling_task_print(&task, arena);
		ck_assert_ptr_nonnull(text);
		ck_assert_ptr_nonnull(strstr(text, "\"rule_interval\""));
		memset(&task, 0, sizeof task);
		ck_assert_ok(weir_scaling_task_parse(text, "printed", arena, &task, &error), &error);
		ck_assert_str_eq(weir_scaling_task_print(&task, arena), text);
		ck_assert_double_eq(task.action.rule_interval, 5);
		ck_assert_double_eq(task.action.range, 1.5);
		const weir_scaling_rule *again = &task.action.rule;
		ck_assert_uint_eq(again->count, first.count);
		ck_assert_str_eq(again->text, first.text);
		for (size_t i = 0; i < first.count; i++) {
			ck_assert_int_eq(again->items[i].kind, first.items[i].kind);
			ck_assert_str_eq(again->items[i].pool, first.items[i].pool);
		}
		ck_assert_int_eq(again->items[0].of_random.step, first.items[0].of_random.step);
		ck_assert_double_eq(again->items[0].of_hpa.metric.target,
		                    first.items[0].of_hpa.metric.target);
		ck_assert_double_eq(again->items[0].of_holt_winters.demand.target_tokens,
		                    first.items[0].of_holt_winters.demand.target_tokens);
	}
}
END_TEST

/* States stand one behind another, each aligned for anything; a joint policy has one for all of its
 * pools, others one for each. */
START_TEST(states)
{
	const size_t grain = alignof(max_align_t);
	static const struct {
		const char *rule;
		size_t parts;
		weir_policy_kind kinds[3];
	} cases[] = {
	    {"{'kind': 'never'}", 1, {WEIR_POLICY_KIND_never}},
	    {"{'kind': 'hpa'}", 2, {WEIR_POLICY_KIND_hpa, WEIR_POLICY_KIND_hpa}},
	    {"{'kind': 'dynamo_load'}", 1, {WEIR_POLICY_KIND_dynamo_load}},
	    {"{'kind': 'kpa', 'pool': 'token'}, {'kind': 'never'}, {'kind': 'random'}",
	     3,
	     {WEIR_POLICY_KIND_kpa, WEIR_POLICY_KIND_random, WEIR_POLICY_KIND_random}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ck_assert_ok(read_task(task_text(cases[i].rule, "", "")), &error);
		weir_policy_context context = {.tags = 1u << WEIR_TAG_PROMPT | 1u << WEIR_TAG_TOKEN,
		                               .interval = 5};
		size_t size = weir_scaling_rule_state_size(&task.action.rule, &context);
		size_t expected = 0;
		for (size_t p = 0; p < cases[i].parts; p++) {
			const weir_scaling_rule *rule = &task.action.rule;
			const weir_policy_type *type = weir_policy_types[cases[i].kinds[p]];
			for (size_t r = 0; r < rule->count; r++) {
				if (rule->items[r].kind == (int)cases[i].kinds[p]) {
					context.parameters = weir_policy_parameters(&rule->items[r]);
				}
			}
			expected = (expected + grain - 1) / grain * grain;
			expected += type->state_size != NULL ? type->state_size(&context) : 0;
		}
		ck_assert_uint_eq(size, expected);
	}
}
END_TEST

/* --- runs ------------------------------------------------------------------------------------- */

#define CLUSTER_CONFIG WEIR_CONFIG_DIRECTORY "/scenarios/base/cluster.json"
#define TWO_POOLS      "servers=dgx-a100:6"
#define POOLS          "pools=prompt:4,token:2"

static const weir_config *load(const char *more, const char *policies)
{
	return test_config(CLUSTER_CONFIG, "workload.duration=200",
	                   "workload.arrivals={\"kind\": \"poisson\", \"rate\": 6}", TWO_POOLS, POOLS,
	                   "scaling.max_total_instances=30", "scaling.scale_up_delay=7", more, policies,
	                   NULL);
}

/* What became of the cluster and of the requests, without who asked for it. */
typedef struct story {
	FILE *out;
	char *text;
	size_t size;
	int operations;
	weir_manager *meddled; /* starts an instance of its own accord when a pool is resized */
} story;

static void tell_request(void *context, const weir_request_row *row)
{
	story *told = context;
	fprintf(told->out, "%lld %d %a %a %d %d\n", (long long)row->request_id, row->status, row->ttft,
	        row->e2e, row->prompt_instance, row->token_instance);
}

static void tell_event(void *context, const weir_scaling_event_row *row)
{
	story *told = context;
	if (row->instance >= 0 && row->action != WEIR_SCALING_REFUSED) {
		fprintf(told->out, "%a: %s %d %d %d\n", row->time, weir_scaling_action_names[row->action],
		        row->pool, row->instance, row->server);
		told->operations++;
	}
	if (told->meddled != NULL && row->action == WEIR_SCALING_RESIZE) {
		weir_manager *manager = told->meddled;
		told->meddled = NULL;
		weir_instance_handle made;
		const weir_scale_request request = {.tag = WEIR_TAG_PROMPT, .type = WEIR_ANY_TYPE};
		ck_assert_int_eq(weir_manager_scale_up_full(manager, "meddler", &request, &made),
		                 WEIR_REFUSED_NONE);
	}
}

static void open_story(story *told)
{
	*told = (story){.out = NULL};
	told->out = open_memstream(&told->text, &told->size);
	ck_assert_ptr_nonnull(told->out);
}

static void close_story(story *told)
{
	ck_assert_int_eq(fclose(told->out), 0);
}

static weir_sim_observer observer_of(story *told)
{
	return (weir_sim_observer){
	    .context = told, .request_ended = tell_request, .scaling_event = tell_event};
}

/* The rule as a list of policies of a config, every `interval` seconds. */
static const char *policies_of(const char *rule, double interval)
{
	static char text[TEXT_SIZE];
	static const char item[] = "{'kind'";
	size_t length = (size_t)snprintf(text, sizeof text, "policies=[");
	for (const char *c = rule; *c != '\0'; c++) {
		if (strncmp(c, item, strlen(item)) == 0) {
			length += (size_t)snprintf(text + length, sizeof text - length, "{\"interval\": %g, ",
			                           interval);
		} else {
			text[length++] = *c == '\'' ? '"' : *c;
		}
		ck_assert_uint_lt(length, TEXT_SIZE - 40);
	}
	snprintf(text + length, sizeof text - length, "]");
	return text;
}

/* The rule alone, without an agent. */
static story run_rule(const char *rule, double interval, const char *more)
{
	story told;
	open_story(&told);
	const weir_config *config = load(more, policies_of(rule, interval));
	const weir_sim_observer observer = observer_of(&told);
	weir_sim *sim;
	bool left;
	ck_assert_ok(weir_sim_create(config, &observer, &sim, &error), &error);
	ck_assert_ok(weir_sim_run(sim, INFINITY, UINT64_MAX, &left, &error), &error);
	ck_assert(!left);
	weir_sim_destroy(sim);
	weir_config_destroy(config);
	close_story(&told);
	return told;
}

typedef struct scene {
	weir_scaling_task task;
	weir_scaling_loop *loop;
	const weir_config *config;
	weir_sim *sim;
	size_t terms;
	story story;
	int follow_ups; /* since it was opened */
} scene;

typedef struct told {
	bool end;
	weir_scaling_outcome outcome;
	double values[MOST_TERMS];
	float observation[MOST_OBSERVED];
} told;

static void start_sim(scene *s)
{
	const weir_controller_policy *policies;
	size_t count;
	const weir_sim_observer observer = observer_of(&s->story);
	ck_assert_ok(weir_scaling_loop_policies(s->loop, s->config, &policies, &count, &error), &error);
	ck_assert_ok(weir_sim_create_with(s->config, &observer, policies, count, &s->sim, &error),
	             &error);
	ck_assert_ok(weir_scaling_loop_begin(s->loop, s->sim, true, &error), &error);
}

static void open_scene(scene *s, const char *text, const char *more, const char *policies)
{
	*s = (scene){.loop = NULL};
	ck_assert_ok(read_task(text), &error);
	s->task = task;
	open_story(&s->story);
	ck_assert_ok(weir_scaling_loop_create(&s->task, &s->loop, &error), &error);
	s->config = load(more, policies);
	ck_assert_uint_le(weir_scaling_loop_observation(s->loop)->size, MOST_OBSERVED);
	weir_scaling_loop_terms(s->loop, &s->terms);
	ck_assert_uint_le(s->terms, MOST_TERMS);
	start_sim(s);
}

/* Leaves the story, to be freed. */
static void end_scene(scene *s)
{
	weir_scaling_loop_destroy(s->loop);
	weir_sim_destroy(s->sim);
	weir_config_destroy(s->config);
	close_story(&s->story);
}

static void close_scene(scene *s)
{
	end_scene(s);
	free(s->story.text);
}

/* Runs to the next decision, or to the end, the rule followed on the way; then looks. */
static void advance_unchecked(scene *s, told *t)
{
	bool more = true;
	memset(t, 0, sizeof *t);
	for (;;) {
		while (more && weir_sim_waiting(s->sim) < 0) {
			ck_assert_ok(weir_sim_run(s->sim, INFINITY, UINT64_MAX, &more, &error), &error);
		}
		if (weir_sim_waiting(s->sim) < 0 || weir_scaling_loop_due(s->loop)) {
			break;
		}
		ck_assert_ok(weir_scaling_loop_follow(s->loop, &error), &error);
		s->follow_ups++;
	}
	t->end = weir_sim_waiting(s->sim) < 0;
	ck_assert_ok(t->end
	                 ? weir_scaling_loop_end(s->loop, s->sim, t->observation, &t->outcome, &error)
	                 : weir_scaling_loop_look(s->loop, s->sim, t->observation, &t->outcome, &error),
	             &error);
	memcpy(t->values, weir_scaling_loop_values(s->loop), s->terms * sizeof *t->values);
}

static void advance(scene *s, told *t)
{
	advance_unchecked(s, t);
	ck_assert_msg(t->outcome.failed == 0, "%s: %s", weir_env_check_names[t->outcome.last_failed],
	              t->outcome.failure);
}

static void act(scene *s, float prompt, float token)
{
	const float action[2] = {prompt, token};
	ck_assert_ok(weir_scaling_loop_act(s->loop, s->sim, action, &error), &error);
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

/* A whole run with the same action at every decision. */
static story run_agent(const char *text, const char *more, float action, int *follow_ups)
{
	scene s;
	told t;
	open_scene(&s, text, more, "policies=[]");
	for (;;) {
		advance(&s, &t);
		if (t.end) {
			break;
		}
		act(&s, action, action);
	}
	*follow_ups = s.follow_ups;
	end_scene(&s);
	return s.story;
}

static void assert_same_story(story *a, story *b)
{
	ck_assert_int_gt(a->operations, 10);
	ck_assert_uint_gt(a->size, 10000);
	ck_assert_int_eq(a->operations, b->operations);
	ck_assert_uint_eq(a->size, b->size);
	ck_assert_mem_eq(a->text, b->text, a->size);
	free(a->text);
	free(b->text);
}

/* An agent that corrects nothing, asked as often as the rule or a third as often. */
static void check_zero(const char *rule, const char *more)
{
	int follow_ups;
	story alone = run_rule(rule, 5, more);
	story agent = run_agent(task_text(rule, "", "'decision_interval': 5"), more, 0, &follow_ups);
	ck_assert_int_eq(follow_ups, 0);
	assert_same_story(&alone, &agent);
	alone = run_rule(rule, 5, more);
	agent = run_agent(task_text(rule, "'rule_interval': 5", "'decision_interval': 15"), more, 0,
	                  &follow_ups);
	ck_assert_int_gt(follow_ups, 20);
	assert_same_story(&alone, &agent);
}

START_TEST(nothing_corrected)
{
	check_zero(rules[_i], "seed=1");
}
END_TEST

START_TEST(nothing_corrected_in_one_pool)
{
	check_zero(rules[0], "pools=single");
}
END_TEST

/* Sizes that are wanted late are wanted late by both. */
START_TEST(nothing_corrected_with_delays)
{
	check_zero(rules[0], "control.decision_delay=7");
	check_zero(rules[0], "control.scrape_interval=2");
	int follow_ups;
	story alone = run_rule(rules[0], 5, "control.metric_lag=3");
	story agent = run_agent(task_text(rules[0], "", "'decision_interval': 5"),
	                        "control.metric_lag=3", 0, &follow_ups);
	assert_same_story(&alone, &agent);
}
END_TEST

/* A correction holds until the next one: decisions are as if the agent were asked every time and
 * said the same. */
START_TEST(corrections_hold)
{
	int follow_ups;
	story often = run_agent(task_text(rules[_i], "'range': 1.5", "'decision_interval': 5"),
	                        "seed=1", 0.5F, &follow_ups);
	story seldom = run_agent(
	    task_text(rules[_i], "'range': 1.5, 'rule_interval': 5", "'decision_interval': 20"),
	    "seed=1", 0.5F, &follow_ups);
	ck_assert_int_gt(follow_ups, 20);
	assert_same_story(&often, &seldom);
}
END_TEST

/* round(3 * range^a) and round(5 * range^a), again and again the same; within the limits. */
START_TEST(sizes)
{
	static const struct {
		float prompt, token;
		double size_prompt, size_token;
	} cases[] = {
	    {0, 0, 3, 5},   {1, 0, 6, 5},       {0, 1, 3, 10},
	    {-1, -1, 2, 3}, {0.5F, 0.5F, 4, 7}, /* 4.24, 7.07 */ {-0.5F, -0.3F, 2, 4}, /* 2.12, 4.06 */
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		scene s;
		told t;
		open_scene(&s, task_text(static_rule, "'rule_interval': 5", "'decision_interval': 15"),
		           "seed=1", "policies=[]");
		for (int look = 0; look < 5; look++) {
			advance(&s, &t);
			if (look > 0) {
				ck_assert_double_eq(value(&s, &t, "size_prompt"), cases[i].size_prompt);
				ck_assert_double_eq(value(&s, &t, "size_token"), cases[i].size_token);
			}
			act(&s, cases[i].prompt, cases[i].token);
		}
		close_scene(&s);
	}
	scene s;
	told t;
	open_scene(&s, task_text(static_rule, "'range': 100", "'decision_interval': 5"), "seed=1",
	           "policies=[]");
	advance(&s, &t);
	act(&s, -1, 1);
	advance(&s, &t);
	ck_assert_double_eq(value(&s, &t, "size_prompt"), 1);
	ck_assert_double_eq(value(&s, &t, "asked_token"), 29 - 2);
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

/* The group `demand` is what the rule wants, of 30; the rest is of all the time since the last
 * decision. */
START_TEST(seen)
{
	scene s;
	told t;
	open_scene(&s,
	           task_text(static_rule, "'rule_interval': 5",
	                     "'decision_interval': 15, 'features': {'demand': true}"),
	           "seed=1", "policies=[]");
	for (int look = 0; look < 4; look++) {
		advance(&s, &t);
		ck_assert_float_eq(observed(&s, &t, "demand_prompt[0]"), 3.0F / 30);
		ck_assert_float_eq(observed(&s, &t, "demand_token[0]"), 5.0F / 30);
		if (look > 0) {
			ck_assert_float_eq(observed(&s, &t, "arrival_rate[0]"),
			                   (float)(log1p(value(&s, &t, "arrived") / 15) / 15));
		}
		act(&s, 0.5F, 0.5F);
	}
	close_scene(&s);
}
END_TEST

/* Before the first decision the rule is asked, and nothing is done: views that are late, and the
 * time before an episode. */
START_TEST(before_the_first_decision)
{
	scene s;
	told t;
	open_scene(&s, task_text(static_rule, "'rule_interval': 5", "'decision_interval': 15"),
	           "control.metric_lag=7", "policies=[]");
	advance(&s, &t); /* the first view is there at 10 s, the first decision is due at 15 s */
	ck_assert_double_eq(weir_sim_now(s.sim), 15);
	ck_assert_int_eq(s.follow_ups, 1);
	ck_assert_ok(weir_scaling_loop_hold(s.loop, s.sim, &error), &error);
	advance(&s, &t);
	ck_assert_double_eq(weir_sim_now(s.sim), 30);
	ck_assert_int_eq(s.follow_ups, 3);
	ck_assert_int_eq(s.story.operations, 0);
	act(&s, 0, 0);
	advance(&s, &t);
	ck_assert_double_eq(value(&s, &t, "size_prompt"), 3);
	ck_assert_double_eq(value(&s, &t, "size_token"), 5);
	close_scene(&s);
}
END_TEST

/* Operations of an interval are the decision's and those of what followed it, of its own pools. */
static void check_operations(const char *mode, const char *more, const char *policies, bool some)
{
	scene s;
	told t;
	char keys[128];
	snprintf(keys, sizeof keys, "'decision_interval': 15, 'mode': '%s'", mode);
	open_scene(
	    &s, task_text(some ? rules[RANDOM_RULE] : "{'kind': 'static'}", "'rule_interval': 5", keys),
	    more, policies);
	double switching = 0;
	for (;;) {
		advance(&s, &t);
		switching += value(&s, &t, "reward_switch");
		if (t.end) {
			break;
		}
		act(&s, 0, 0);
	}
	weir_manager_counters counters;
	weir_manager_counters_get(weir_sim_manager(s.sim), &counters);
	double operations = (double)(counters.started + counters.revived + counters.drained +
	                             counters.cancelled + counters.flipped);
	ck_assert_double_gt(operations, 10);
	ck_assert_double_eq_tol(switching, some ? -0.1 * operations / 10 : 0, 1e-9);
	close_scene(&s);
}

START_TEST(operations)
{
	check_operations("joint", "seed=1", "policies=[]", true);
	check_operations("joint", "control.decision_delay=4", "policies=[]", true);
	/* The other pool's are not the agent's. */
	check_operations("prompt", "seed=1", policies_of(rules[RANDOM_RULE], 5), false);
}
END_TEST

/* Late, inexact views and late decisions: every check holds, and everything is counted once. */
START_TEST(late)
{
	static const char *const controls[] = {
	    "control={\"metric_lag\": 7, \"metric_noise\": 0.3, \"scrape_interval\": 2}",
	    "control={\"metric_lag\": 3, \"metric_noise\": 0.3, \"decision_delay\": 8}",
	};
	scene s;
	told t;
	open_scene(&s,
	           task_text(rules[RANDOM_AND_HPA], "'rule_interval': 5", "'decision_interval': 15"),
	           controls[_i], "policies=[]");
	weir_serving_counters counters;
	double arrived = 0, completed = 0;
	for (int look = 0;; look++) {
		advance(&s, &t);
		arrived += value(&s, &t, "arrived");
		completed += value(&s, &t, "completed");
		if (t.end) {
			break;
		}
		if (look == 0) {
			weir_serving_counters_get(weir_sim_serving(s.sim), &counters);
			arrived = (double)counters.arrived;
			completed = (double)counters.completed;
		}
		act(&s, look % 3 == 0 ? 0.8F : -0.4F, look % 2 == 0 ? 0.3F : -0.6F);
	}
	weir_serving_counters_get(weir_sim_serving(s.sim), &counters);
	ck_assert_uint_gt(counters.arrived, 1000);
	ck_assert_double_eq(arrived, (double)counters.arrived);
	ck_assert_double_eq(completed, (double)counters.completed);
	close_scene(&s);
}
END_TEST

/* Somebody starts an instance while what follows a decision is applied. */
START_TEST(an_instance_too_many)
{
	scene s;
	told t;
	open_scene(&s, task_text(rules[RANDOM_RULE], "'rule_interval': 5", "'decision_interval': 15"),
	           "seed=1", "policies=[]");
	advance(&s, &t);
	act(&s, 0, 0);
	s.story.meddled = weir_sim_manager(s.sim);
	advance_unchecked(&s, &t);
	ck_assert_ptr_null(s.story.meddled);
	ck_assert_uint_eq(t.outcome.failed, 1u << WEIR_CHECK_ACTION);
	ck_assert_ptr_nonnull(strstr(t.outcome.failure, "the manager has"));
	act(&s, 0, 0);
	advance(&s, &t);
	close_scene(&s);
}
END_TEST

/* Saved at a decision, gone on with to the end, taken back, to the end again; and in a new
 * simulation of the same config. */
static void check_restore(const char *rule, const char *more)
{
	enum { SAVED = 5 };
	static told first[MOST_LOOKS];
	scene s;
	told t;
	open_scene(&s, task_text(rule, "'rule_interval': 5", "'decision_interval': 15"), more,
	           "policies=[]");
	for (int look = 0; look <= SAVED; look++) {
		advance(&s, &t);
		if (look < SAVED) {
			act(&s, 0.4F, -0.2F);
		}
	}
	weir_sim_snapshot *sim;
	weir_scaling_loop_snapshot *loop;
	ck_assert_ok(weir_sim_save(s.sim, &sim, &error), &error);
	ck_assert_ok(weir_scaling_loop_save(s.loop, &loop, &error), &error);
	weir_sim *saved = s.sim;
	for (int pass = 0; pass < 3; pass++) {
		if (pass == 2) {
			start_sim(&s); /* the loop lets go of the first */
		}
		if (pass > 0) {
			ck_assert_ok(weir_sim_restore(s.sim, sim, &error), &error);
			ck_assert_ok(weir_scaling_loop_restore(s.loop, s.sim, loop, &error), &error);
		}
		t.end = false;
		for (int look = SAVED; !t.end; look++) {
			act(&s, look % 2 == 0 ? 0.7F : -0.3F, look % 3 == 0 ? -0.5F : 0.2F);
			advance(&s, &t);
			ck_assert_int_lt(look, MOST_LOOKS);
			if (pass == 0) {
				first[look] = t;
			} else {
				ck_assert_mem_eq(&t, &first[look], sizeof t);
			}
		}
	}
	weir_scaling_loop_snapshot_destroy(loop);
	weir_sim_snapshot_destroy(sim);
	weir_scaling_loop_leave(s.loop);
	weir_sim_destroy(saved);
	close_scene(&s);
}

START_TEST(restore)
{
	check_restore(rules[_i], "seed=1");
}
END_TEST

START_TEST(restore_with_late_views)
{
	check_restore(rules[RANDOM_AND_HPA],
	              "control={\"metric_lag\": 7, \"metric_noise\": 0.3, \"decision_delay\": 8}");
}
END_TEST

/* Between decisions the controller shows what the rule needs; all that the agent sees where that is
 * what the rule saw last. */
START_TEST(shown)
{
	static const struct {
		const char *action, *more;
		unsigned needs;
	} cases[] = {
	    {"'rule_interval': 5", "seed=1", WEIR_VIEW_INSTANCES},
	    {"", "seed=1", WEIR_FEATURE_NEEDS},
	    {"'rule_interval': 5", "control={\"metric_lag\": 7}", WEIR_FEATURE_NEEDS},
	    {"'rule_interval': 5", "control={\"metric_noise\": 0.3}", WEIR_FEATURE_NEEDS},
	    {"'rule_interval': 5", "control={\"scrape_interval\": 2}", WEIR_FEATURE_NEEDS},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		scene s;
		open_scene(&s, task_text(rules[RANDOM_AND_HPA], cases[i].action, "'decision_interval': 15"),
		           cases[i].more, "policies=[]");
		const weir_controller_policy *policies;
		size_t count;
		ck_assert_ok(weir_scaling_loop_policies(s.loop, s.config, &policies, &count, &error),
		             &error);
		ck_assert_uint_eq(policies[0].type->needs | policies[0].needs, cases[i].needs);
		close_scene(&s);
	}
}
END_TEST

/* A policy for a pool that the agent does not act on is refused before there is a simulation, also
 * one whose state depends on its pool. */
START_TEST(not_its_pool)
{
	static const struct {
		const char *mode, *rule, *place;
	} cases[] = {
	    {"prompt", "{'kind': 'never'}, {'kind': 'ar', 'pool': 'token'}", "action.rule[1].pool"},
	    {"token", "{'kind': 'dynamo_load', 'pool': 'prompt'}", "action.rule[0].pool"},
	    {"joint", "{'kind': 'hpa', 'pool': 'mixed'}", "action.rule[0].pool"},
	};
	const weir_config *config = load("seed=1", "policies=[]");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char mode[32];
		snprintf(mode, sizeof mode, "'mode': '%s'", cases[i].mode);
		ck_assert_ok(read_task(task_text(cases[i].rule, "", mode)), &error);
		weir_scaling_loop *loop;
		const weir_controller_policy *policies;
		size_t count;
		ck_assert_ok(weir_scaling_loop_create(&task, &loop, &error), &error);
		ck_assert_int_eq(weir_scaling_loop_policies(loop, config, &policies, &count, &error),
		                 WEIR_ERROR_INPUT);
		ck_assert_str_eq(error.where, cases[i].place);
		ck_assert_ptr_nonnull(strstr(error.message, cases[i].place));
		ck_assert_ptr_nonnull(strstr(error.message, "on which the agent does not act"));
		weir_scaling_loop_destroy(loop);
	}
	weir_config_destroy(config);
}
END_TEST

/* What a policy itself refuses is told with its place in the rule. */
START_TEST(refused_by_the_policy)
{
	ck_assert_ok(
	    read_task(task_text("{'kind': 'never'}, {'kind': 'ar', 'ar': {'window': 20}}", "", "")),
	    &error);
	const weir_config *config = load("seed=1", "policies=[]");
	weir_scaling_loop *loop;
	const weir_controller_policy *policies;
	size_t count;
	weir_sim *sim;
	ck_assert_ok(weir_scaling_loop_create(&task, &loop, &error), &error);
	ck_assert_ok(weir_scaling_loop_policies(loop, config, &policies, &count, &error), &error);
	ck_assert_int_eq(weir_sim_create_with(config, NULL, policies, count, &sim, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, "policies[0].action.rule[1].window");
	weir_scaling_loop_destroy(loop);
	weir_config_destroy(config);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling_rule");
	TCase *cases = tcase_create("rule");
	tcase_set_timeout(cases, 60);
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, reading);
	tcase_add_test(cases, refused);
	tcase_add_test(cases, printed_and_read);
	tcase_add_test(cases, states);
	tcase_add_loop_test(cases, nothing_corrected, 0, RULES);
	tcase_add_test(cases, nothing_corrected_in_one_pool);
	tcase_add_test(cases, nothing_corrected_with_delays);
	tcase_add_loop_test(cases, corrections_hold, 0, RULES);
	tcase_add_test(cases, sizes);
	tcase_add_test(cases, seen);
	tcase_add_test(cases, before_the_first_decision);
	tcase_add_test(cases, operations);
	tcase_add_loop_test(cases, late, 0, 2);
	tcase_add_test(cases, an_instance_too_many);
	tcase_add_loop_test(cases, restore, 0, RULES);
	tcase_add_test(cases, restore_with_late_views);
	tcase_add_test(cases, shown);
	tcase_add_test(cases, not_its_pool);
	tcase_add_test(cases, refused_by_the_policy);
	suite_add_tcase(suite, cases);
	return test_main(suite);
}
