/* The random policy: its distribution, and that a run can be repeated and copied. */
#include "scaling/policy_random.h"

#include <string.h>

#include "scaling/policies.h"
#include "support/test_support.h"

enum { TICKS = 70000, STATE = 64 };

static weir_policy_context context_of(const weir_random_config *config, uint64_t seed,
                                      uint32_t application, weir_tag tag)
{
	return (weir_policy_context){
	    .parameters = config, .application = application, .tags = 1u << tag, .seed = seed};
}

static void start(const weir_policy_context *context, void *state)
{
	weir_error error;
	ck_assert_uint_le(weir_policy_random.state_size(context), STATE);
	memset(state, 0, STATE);
	ck_assert_ok(weir_policy_random.start(context, state, &error), &error);
}

static int64_t tick(const weir_policy_context *context, void *state)
{
	static const weir_view view;
	weir_decision decision = {0};
	weir_policy_random.decide(context, state, &view, &decision);
	ck_assert_int_eq(decision.migrate, 0);
	if (decision.count == 0) {
		return 0;
	}
	ck_assert_uint_eq(decision.count, 1);
	ck_assert_int_eq((int)decision.changes[0].tag, (int)weir_policy_tag(context));
	ck_assert_int_eq(decision.changes[0].type, WEIR_ANY_TYPE);
	ck_assert(!decision.changes[0].absolute);
	return decision.changes[0].amount;
}

/* Chi-squared with 6 degrees of freedom: below 22.46 with probability 0.999. */
START_TEST(all_changes_are_as_likely)
{
	const weir_random_config config = {.step = 3};
	weir_policy_context context = context_of(&config, 5, 0, WEIR_TAG_TOKEN);
	_Alignas(8) unsigned char state[STATE];
	start(&context, state);
	double counts[7] = {0};
	for (int i = 0; i < TICKS; i++) {
		int64_t change = tick(&context, state);
		ck_assert(change >= -3 && change <= 3);
		counts[change + 3]++;
	}
	double chi = 0;
	for (int i = 0; i < 7; i++) {
		double gap = counts[i] - TICKS / 7.0;
		chi += gap * gap / (TICKS / 7.0);
	}
	ck_assert_double_lt(chi, 22.46);
}
END_TEST

START_TEST(seed_application_and_pool_have_streams_of_their_own)
{
	const weir_random_config config = {.step = 1000};
	const weir_policy_context contexts[] = {
	    context_of(&config, 5, 0, WEIR_TAG_TOKEN), context_of(&config, 6, 0, WEIR_TAG_TOKEN),
	    context_of(&config, 5, 1, WEIR_TAG_TOKEN), context_of(&config, 5, 0, WEIR_TAG_PROMPT)};
	_Alignas(8) unsigned char states[4][STATE];
	int same = 0;
	for (int i = 0; i < 4; i++) {
		start(&contexts[i], states[i]);
	}
	for (int n = 0; n < 100; n++) {
		int64_t first = tick(&contexts[0], states[0]);
		for (int i = 1; i < 4; i++) {
			same += tick(&contexts[i], states[i]) == first;
		}
	}
	ck_assert_int_lt(same, 5);
}
END_TEST

START_TEST(a_copy_of_the_state_goes_on_alike)
{
	const weir_random_config config = {.step = 50};
	weir_policy_context context = context_of(&config, 9, 0, WEIR_TAG_MIXED);
	_Alignas(8) unsigned char state[STATE];
	_Alignas(8) unsigned char copy[STATE];
	start(&context, state);
	for (int i = 0; i < 10; i++) {
		tick(&context, state);
	}
	memcpy(copy, state, STATE);
	int changes = 0;
	int64_t last = 0;
	for (int i = 0; i < 50; i++) {
		int64_t change = tick(&context, state);
		ck_assert_int_eq(tick(&context, copy), change);
		changes += change != last;
		last = change;
	}
	ck_assert_int_gt(changes, 40);
}
END_TEST

START_TEST(a_config_can_name_it)
{
	ck_assert_str_eq(weir_policy_kind_names[WEIR_POLICY_KIND_random], "random");
	ck_assert_ptr_eq(weir_policy_types[WEIR_POLICY_KIND_random], &weir_policy_random);
	weir_policy_config config = {.kind = WEIR_POLICY_KIND_random};
	ck_assert_ptr_eq(weir_policy_parameters(&config), &config.of_random);
	weir_arena *arena = weir_arena_create();
	weir_keys_reader reader = {.arena = arena, .file = "test"};
	weir_error error;
	cJSON *json = cJSON_Parse("{\"kind\": \"random\"}");
	ck_assert_ok(weir_keys_read(&reader, &weir_policy_keys, json, "", &config, &error), &error);
	ck_assert_int_eq(config.of_random.step, 1);
	cJSON_Delete(json);
	json = cJSON_Parse("{\"kind\": \"random\", \"random\": {\"step\": -1}}");
	ck_assert_int_eq(weir_keys_read(&reader, &weir_policy_keys, json, "", &config, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, "test: random.step");
	cJSON_Delete(json);
	weir_arena_destroy(arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling_policy_random");
	TCase *tests = tcase_create("random");
	tcase_add_test(tests, all_changes_are_as_likely);
	tcase_add_test(tests, seed_application_and_pool_have_streams_of_their_own);
	tcase_add_test(tests, a_copy_of_the_state_goes_on_alike);
	tcase_add_test(tests, a_config_can_name_it);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
