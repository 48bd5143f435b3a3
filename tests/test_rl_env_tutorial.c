#include "rl/env.h"
#include "support/test_support.h"

static weir_env *open_env(const char *parameters, float *observation)
{
	weir_error error = {0};
	weir_env *env;
	weir_env_start start = weir_env_start_default(5);
	ck_assert_ok(weir_env_create("tutorial", parameters, "test", &env, &error), &error);
	ck_assert_ok(weir_env_reset(env, &start, observation, &error), &error);
	return env;
}

static weir_env_outcome go(weir_env *env, float action, float *observation)
{
	weir_error error = {0};
	weir_env_outcome outcome;
	ck_assert_ok(weir_env_step(env, &action, observation, &outcome, &error), &error);
	return outcome;
}

START_TEST(the_right_end_is_worth_1)
{
	float o;
	weir_env *env = open_env("{\"length\": 5}", &o);
	ck_assert(o == 0);
	weir_env_outcome outcome = go(env, 1, &o);
	ck_assert(o == 0.25F && !outcome.terminated && outcome.reward == -0.01);
	outcome = go(env, 1, &o);
	ck_assert(o == 0.5F && outcome.terminated && !outcome.truncated);
	ck_assert_double_eq_tol(outcome.reward, 0.99, 1e-12);
	weir_env_close(env);
}
END_TEST

START_TEST(the_left_end_is_worth_nothing)
{
	float o;
	weir_env *env = open_env("{\"length\": 5}", &o);
	go(env, 0, &o);
	weir_env_outcome outcome = go(env, 0, &o);
	ck_assert(o == -0.5F && outcome.terminated && outcome.reward == -0.01);
	weir_env_close(env);
}
END_TEST

START_TEST(who_never_arrives_is_called_back)
{
	float o;
	weir_env *env = open_env("{\"length\": 5}", &o);
	for (int step = 1; step <= 50; step++) {
		weir_env_outcome outcome = go(env, (float)(step % 2), &o);
		ck_assert(!outcome.terminated);
		ck_assert_int_eq(outcome.truncated, step == 50);
	}
	weir_env_close(env);
}
END_TEST

START_TEST(a_stumble_gets_nowhere)
{
	float o, before;
	weir_env *env = open_env("{\"length\": 1000, \"stumble\": 0.25}", &o);
	int stumbles = 0;
	for (int step = 0; step < 2000; step++) {
		before = o;
		go(env, (float)(step % 2), &o);
		stumbles += o == before;
	}
	/* Four standard deviations of a binomial around 500. */
	ck_assert_int_gt(stumbles, 500 - 78);
	ck_assert_int_lt(stumbles, 500 + 78);
	weir_env_close(env);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/env_tutorial");
	TCase *tests = tcase_create("tutorial");
	tcase_add_test(tests, the_right_end_is_worth_1);
	tcase_add_test(tests, the_left_end_is_worth_nothing);
	tcase_add_test(tests, who_never_arrives_is_called_back);
	tcase_add_test(tests, a_stumble_gets_nowhere);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
