#include <math.h>

#include "rl/env.h"
#include "support/test_support.h"

static const double pi = 3.14159265358979323846;

static weir_env *open_env(const char *parameters)
{
	weir_error error = {0};
	weir_env *env;
	ck_assert_ok(weir_env_create("pendulum", parameters, "test", &env, &error), &error);
	return env;
}

static void begin(weir_env *env, uint64_t seed, float *observation)
{
	weir_error error = {0};
	weir_env_start start = weir_env_start_default(seed);
	ck_assert_ok(weir_env_reset(env, &start, observation, &error), &error);
}

static weir_env_outcome turn(weir_env *env, float torque, float *observation)
{
	weir_error error = {0};
	weir_env_outcome outcome;
	ck_assert_ok(weir_env_step(env, &torque, observation, &outcome, &error), &error);
	return outcome;
}

/* From an angle of 1 with a turn of 0.5 and a torque of -1, by hand: the turn becomes
 * 0.5 + (15 sin 1 - 3) / 20 = 0.9811032, the angle 1 + 0.9811032 / 20 = 1.0490552, and the cost is
 * 1 + 0.1 * 0.25 + 0.001 = 1.026. */
START_TEST(one_step_is_what_it_is_by_hand)
{
	weir_env *env = open_env("{\"start\": [1, 0.5]}");
	float o[3];
	begin(env, 1, o);
	ck_assert_float_eq_tol(o[0], 0.54030231F, 1e-7F);
	ck_assert_float_eq_tol(o[1], 0.84147098F, 1e-7F);
	ck_assert(o[2] == 0.5F);
	weir_env_outcome outcome = turn(env, -1, o);
	ck_assert_double_eq_tol(outcome.reward, -1.026, 1e-12);
	ck_assert_float_eq_tol(o[0], 0.49839040F, 1e-7F);
	ck_assert_float_eq_tol(o[1], 0.86695271F, 1e-7F);
	ck_assert_float_eq_tol(o[2], 0.98110324F, 1e-7F);
	double terms[3];
	weir_env_info(env, terms);
	ck_assert_double_eq_tol(terms[0], -1, 1e-12);
	ck_assert_double_eq_tol(terms[1], -0.025, 1e-12);
	ck_assert_double_eq_tol(terms[2], -0.001, 1e-12);
	weir_env_close(env);
}
END_TEST

/* The angle counts from upright the shorter way around, its turn not beyond 8. */
START_TEST(angle_and_turn_stay_in_their_ranges)
{
	weir_env *env = open_env("{\"start\": [4, 7.9]}");
	float o[3];
	begin(env, 1, o);
	double cost = pow(4 - 2 * pi, 2) + 0.1 * 7.9 * 7.9;
	ck_assert_double_eq_tol(turn(env, 0, o).reward, -cost, 1e-12);
	weir_env_close(env);
	env = open_env("{\"start\": [1.5, 8]}");
	begin(env, 1, o);
	turn(env, 2, o);
	ck_assert(o[2] == 8);
	weir_env_close(env);
	env = open_env("{\"start\": [-1.5, -8]}");
	begin(env, 1, o);
	turn(env, -2, o);
	ck_assert(o[2] == -8);
	weir_env_close(env);
}
END_TEST

START_TEST(only_the_limit_ends_it)
{
	weir_env *env = open_env(NULL);
	float o[3];
	for (uint64_t seed = 0; seed < 5; seed++) {
		begin(env, seed, o);
		for (int step = 1; step <= 200; step++) {
			weir_env_outcome outcome = turn(env, step % 3 == 0 ? 2.0F : -2.0F, o);
			ck_assert(!outcome.terminated);
			ck_assert_int_eq(outcome.truncated, step == 200);
			ck_assert_double_le(outcome.reward, 0);
			ck_assert_double_ge(outcome.reward, -16.2736045);
		}
	}
	weir_env_close(env);
}
END_TEST

/* Within one turn nothing is lost but by the size of the step: the energy of free swinging stays.
 */
START_TEST(free_swinging_keeps_its_energy)
{
	weir_env *env = open_env("{\"start\": [2.5, 0]}");
	float o[3];
	begin(env, 1, o);
	double first = (double)o[2] * (double)o[2] / 2 + 15 * (double)o[0];
	double least = first, most = first;
	for (int step = 0; step < 200; step++) {
		turn(env, 0, o);
		double energy = (double)o[2] * (double)o[2] / 2 + 15 * (double)o[0];
		least = fmin(least, energy);
		most = fmax(most, energy);
	}
	/* The semi-implicit step swings around it by a part of order step * frequency = 0.19; an
	 * explicit one would gain without end. */
	ck_assert_double_lt(most - least, 1.0);
	weir_env_close(env);
}
END_TEST

START_TEST(starts_are_drawn_from_all_around)
{
	weir_env *env = open_env(NULL);
	float o[3];
	enum { SEEDS = 4000 };
	double angle = 0, squared = 0, speed = 0;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		begin(env, seed, o);
		double drawn = atan2((double)o[1], (double)o[0]);
		angle += drawn;
		squared += drawn * drawn;
		speed += (double)o[2] * (double)o[2];
		ck_assert_float_le(fabsf(o[2]), 1);
	}
	ck_assert_double_le(fabs(angle / SEEDS), 4 * pi / sqrt(3.0 * SEEDS));
	ck_assert_double_eq_tol(squared / SEEDS / (pi * pi), 1.0 / 3, 0.02);
	ck_assert_double_eq_tol(speed / SEEDS, 1.0 / 3, 0.02);
	weir_env_close(env);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/env_pendulum");
	TCase *tests = tcase_create("pendulum");
	tcase_add_test(tests, one_step_is_what_it_is_by_hand);
	tcase_add_test(tests, angle_and_turn_stay_in_their_ranges);
	tcase_add_test(tests, only_the_limit_ends_it);
	tcase_add_test(tests, free_swinging_keeps_its_energy);
	tcase_add_test(tests, starts_are_drawn_from_all_around);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
