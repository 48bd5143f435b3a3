/* What an agent that scales is asked: keys, defaults, and the text that brings the same task back.
 */
#include <string.h>

#include "rl/scaling_task.h"
#include "support/test_support.h"
#include "support/views.h"

static weir_arena *arena;
static weir_scaling_task task;
static weir_error error;

static weir_status read_task(const char *json)
{
	weir_error_clear(&error);
	memset(&task, 0, sizeof task);
	return hand_read(arena, &weir_scaling_task_keys, json, &task, &error);
}

static void setup(void)
{
	arena = weir_arena_create();
}

static void teardown(void)
{
	weir_arena_destroy(arena);
}

START_TEST(defaults)
{
	ck_assert_ok(read_task("{}"), &error);
	ck_assert_int_eq(task.mode, WEIR_SCALING_JOINT);
	ck_assert_str_eq(task.application, "");
	ck_assert_double_eq(task.decision_interval, 10);
	ck_assert_int_eq(task.stack_size, 4);
	const weir_scaling_features_config *seen = &task.features;
	ck_assert(seen->scaling && seen->last_action);
	ck_assert(!seen->rps_delta && !seen->busy && !seen->billing && !seen->time && !seen->blocked &&
	          !seen->demand);
	ck_assert_double_eq(seen->network_gb_per_s, 200);
	ck_assert_double_eq(seen->day, 86400);
	ck_assert_int_eq(task.action.kind, WEIR_ACTION_CONTINUOUS);
	ck_assert_double_eq(task.action.dead_zone, 0.3);
	ck_assert(!task.action.adaptive);
	ck_assert_int_eq(task.action.step, 5);
	ck_assert_int_eq(task.action.migrate_step, 3);
	ck_assert_ptr_eq(task.reward.type, &weir_reward_default);
	ck_assert_ok(read_task("{'action': {'kind': 'demand'}}"), &error);
	ck_assert_double_eq(task.action.range, 2);
	ck_assert_int_eq(task.action.smoothing, 3);
	ck_assert(!task.action.adaptive);
}
END_TEST

/* A text of every kind of value, printed and read: the same text again. */
START_TEST(printed_and_read)
{
	static const char *const texts[] = {
	    "{}",
	    "{'mode': 'token', 'application': 'chat', 'decision_interval': 12.5, 'stack_size': 2, "
	    "'features': {'time': true, 'scaling': false, 'day': 3600}}",
	    "{'action': {'step': 'adaptive', 'share': 0.1, 'dead_zone': 0}}",
	    "{'action': {'kind': 'discrete', 'migrate_step': 0, 'step': 2}}",
	    "{'action': {'kind': 'demand', 'range': 4, 'instance_rate': {'token': 1.5}}, "
	    "'reward': {'kind': 'constrained', 'lambda': 7, 'prices': 'role'}}",
	    "{'reward': {'kind': 'percentile', 'w_slo': 3, 'scale': 0.5}}",
	    "{'reward': {'kind': 'cost_only'}}",
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		ck_assert_ok(read_task(texts[i]), &error);
		weir_scaling_task first = task;
		char *text = weir_scaling_task_print(&task, arena);
		ck_assert_ptr_nonnull(text);
		memset(&task, 0, sizeof task);
		ck_assert_ok(weir_scaling_task_parse(text, "printed", arena, &task, &error), &error);
		ck_assert_str_eq(weir_scaling_task_print(&task, arena), text);
		ck_assert_int_eq(task.mode, first.mode);
		ck_assert_str_eq(task.application, first.application);
		ck_assert_double_eq(task.decision_interval, first.decision_interval);
		ck_assert_mem_eq(&task.features, &first.features, sizeof task.features);
		ck_assert_int_eq(task.action.adaptive, first.action.adaptive);
		ck_assert_int_eq(task.action.step, first.action.step);
		ck_assert_double_eq(task.action.instance_rate[1], first.action.instance_rate[1]);
		ck_assert_ptr_eq(task.reward.type, first.reward.type);
		ck_assert_mem_eq(task.reward.parameters, first.reward.parameters,
		                 first.reward.type->keys->size);
	}
}
END_TEST

START_TEST(refused)
{
	static const struct {
		const char *text, *where, *message;
	} cases[] = {
	    {"{'stack': 3}", "test.json: stack", "unknown key 'stack'"},
	    {"{'mode': 'both'}", "test.json: mode", "unknown mode 'both'"},
	    {"{'decision_interval': 0}", "test.json: decision_interval", "above 0"},
	    {"{'stack_size': 65}", "test.json: stack_size", "from 1 to 64"},
	    {"{'features': {'prices': true}}", "test.json: features.prices", "unknown key"},
	    {"{'action': {'step': 2.5}}", "test.json: action.step", "a whole number from 1 to 1000"},
	    {"{'action': {'step': 0}}", "test.json: action.step", "a whole number from 1 to 1000"},
	    {"{'action': {'step': 'half'}}", "test.json: action.step", "or \"adaptive\", got \"half\""},
	    {"{'action': {'kind': 'discrete', 'step': 'adaptive'}}", "test.json: action.step",
	     "no fixed choices"},
	    {"{'action': {'dead_zone': 1}}", "test.json: action.dead_zone", "below 1"},
	    {"{'action': {'kind': 'demand', 'step': 3}}", "test.json: action.step", "kind"},
	    {"{'action': {'range': 3}}", "test.json: action.range", "kind"},
	    {"{'reward': {'kind': 'best'}}", "test.json: reward.kind", "unknown kind 'best'"},
	    {"{'reward': {'w_speed': 1}}", "test.json: reward.w_speed", "unknown key 'w_speed'"},
	    {"{'reward': {'kind': 'cost_only', 'w_cost': 1}}", "test.json: reward.w_cost",
	     "unknown key 'w_cost'"},
	    {"{'reward': {'lambda': 1}}", "test.json: reward.lambda", "unknown key 'lambda'"},
	    {"{'reward': {'w_cost': -1}}", "test.json: reward.w_cost", "from 0"},
	    {"{'reward': {'kind': 'constrained', 'target': 1.5}}", "test.json: reward.target",
	     "from 0 to 1"},
	    {"{'reward': 'default'}", "test.json: reward", "an object"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ck_assert_int_eq(read_task(cases[i].text), WEIR_ERROR_INPUT);
		ck_assert_str_eq(error.where, cases[i].where);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "%s: %s", cases[i].text,
		              error.message);
	}
}
END_TEST

/* A reward's table is what the others must follow: its terms have names of their own, its
 * coefficients stand in its parameters. */
START_TEST(reward_descriptions)
{
	for (size_t i = 0; weir_reward_types[i] != NULL; i++) {
		const weir_reward_type *type = weir_reward_types[i];
		ck_assert_str_eq(type->name, weir_reward_names[i]);
		ck_assert_uint_ge(type->term_count, 1);
		ck_assert_uint_le(type->term_count, WEIR_MOST_REWARD_TERMS);
		for (size_t t = 0; t < type->term_count; t++) {
			ck_assert_int_eq(strncmp(type->terms[t].name, "reward_", 7), 0);
			for (size_t u = 0; u < t; u++) {
				ck_assert_str_ne(type->terms[t].name, type->terms[u].name);
			}
		}
		for (size_t c = 0; c < type->coefficient_count; c++) {
			ck_assert_uint_lt(type->coefficient_offsets[c], type->keys->size);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling_task");
	TCase *cases = tcase_create("task");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, defaults);
	tcase_add_test(cases, printed_and_read);
	tcase_add_test(cases, refused);
	tcase_add_test(cases, reward_descriptions);
	suite_add_tcase(suite, cases);
	return test_main(suite);
}
