#include "rl/normaliser.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/test_support.h"

static void close_to(double got, double wanted)
{
	ck_assert_msg(fabs(got - wanted) <= 1e-12 * fabs(wanted), "%.17g, not %.17g", got, wanted);
}

/* Numbers by numpy: mean(axis=0), var(axis=0), joined by Chan's formula from a count of 1e-4. */
START_TEST(known_observations)
{
	static const float batches[2][3][2] = {{{1, 2000}, {2, 1000}, {4, -500}},
	                                       {{-3, 0.25F}, {7, 8}, {0.5F, 1e4F}}};
	static const double normal[3][2] = {
	    {-1.2, -0.5738160716368855}, {1.2, -0.5716825923483487}, {-0.4587812969778218, 1.2}};
	weir_normaliser_config config = weir_normaliser_config_default();
	config.clip_observation = 1.2;
	weir_normaliser *normaliser = weir_normaliser_create(&config, 2, 1);
	for (int i = 0; i < 2; i++) {
		weir_normaliser_learn(normaliser, batches[i][0], 3);
	}
	weir_normaliser_learn(normaliser, NULL, 0);
	close_to(normaliser->mean[0], 1.9166347227546205);
	close_to(normaliser->mean[1], 2084.6735887735204);
	close_to(normaliser->variance[0], 9.5346412040335764);
	close_to(normaliser->variance[1], 13195521.01562034);
	close_to(normaliser->count, 6.0001);
	float normalised[3][2];
	weir_normaliser_apply(normaliser, batches[1][0], 3, normalised[0]);
	float in_place[3][2];
	memcpy(in_place, batches[1], sizeof in_place);
	weir_normaliser_apply(normaliser, in_place[0], 3, in_place[0]);
	ck_assert_mem_eq(in_place, normalised, sizeof in_place);
	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < 2; k++) {
			ck_assert_float_eq(normalised[i][k], (float)normal[i][k]);
		}
	}
	weir_normaliser_destroy(normaliser);
}
END_TEST

START_TEST(known_rewards)
{
	static const struct {
		double rewards[2];
		uint8_t dones[2];
		double scaled[2];
	} steps[] = {
	    {{1.0, -2.0}, {0, 1}, {0.6666740724382246, -1.3333481448764493}},
	    {{3.0, 0.5}, {1, 0}, {1.4314252340377371, 0.23857087233962287}},
	    {{100.0, -0.25}, {0, 0}, {2.0, -0.00674954349133522}},
	};
	weir_normaliser_config config = weir_normaliser_config_default();
	config.gamma = 0.9;
	config.clip_reward = 2.0;
	weir_normaliser *normaliser = weir_normaliser_create(&config, 1, 2);
	for (int i = 0; i < 3; i++) {
		float scaled[2];
		weir_normaliser_rewards(normaliser, steps[i].rewards, steps[i].dones, scaled);
		for (int k = 0; k < 2; k++) {
			ck_assert_float_eq(scaled[k], (float)steps[i].scaled[k]);
		}
	}
	close_to(normaliser->return_mean, 17.266378893685104);
	close_to(normaliser->return_variance, 1371.9276756411098);
	close_to(normaliser->return_count, 6.0001);
	/* Those of the second step had ended. */
	close_to(normaliser->returns[0], 100.0);
	close_to(normaliser->returns[1], 0.2);
	weir_normaliser_destroy(normaliser);
}
END_TEST

/* Batch by batch it comes to what all rows at once are, together with 1e-4 of a row at mean 0 with
 * variance 1. */
START_TEST(batches_come_to_the_whole)
{
	enum { ROWS = 3000, SIZE = 3 };
	static float rows[ROWS][SIZE];
	gsl_rng *random = weir_stream_create(5, "test", 0);
	for (int i = 0; i < ROWS; i++) {
		for (int k = 0; k < SIZE; k++) {
			rows[i][k] = (float)(1000.0 * k + gsl_rng_uniform(random) * pow(10.0, k));
		}
	}
	weir_normaliser_config config = weir_normaliser_config_default();
	weir_normaliser *normaliser = weir_normaliser_create(&config, SIZE, 1);
	for (size_t done = 0; done < ROWS;) {
		size_t part = 1 + (size_t)gsl_rng_uniform_int(random, 40);
		part = part < ROWS - done ? part : ROWS - done;
		weir_normaliser_learn(normaliser, rows[done], part);
		done += part;
	}
	gsl_rng_free(random);
	for (int k = 0; k < SIZE; k++) {
		double sum = 0.0;
		for (int i = 0; i < ROWS; i++) {
			sum += (double)rows[i][k];
		}
		double mean = sum / (ROWS + 1e-4);
		double squares = 1e-4 * (1.0 + mean * mean);
		for (int i = 0; i < ROWS; i++) {
			squares += ((double)rows[i][k] - mean) * ((double)rows[i][k] - mean);
		}
		ck_assert_double_eq_tol(normaliser->mean[k], mean, 1e-11 * mean);
		double variance = squares / (ROWS + 1e-4);
		ck_assert_double_eq_tol(normaliser->variance[k], variance, 1e-10 * variance);
	}
	weir_normaliser_destroy(normaliser);
}
END_TEST

START_TEST(what_is_off_passes_through)
{
	weir_normaliser_config config = weir_normaliser_config_default();
	config.observations = false;
	config.rewards = false;
	weir_normaliser *normaliser = weir_normaliser_create(&config, 2, 2);
	const float observations[2][2] = {{1e6F, -3.0F}, {4.0F, 5.0F}};
	float passed[2][2];
	weir_normaliser_learn(normaliser, observations[0], 2);
	weir_normaliser_apply(normaliser, observations[0], 2, passed[0]);
	ck_assert_mem_eq(passed, observations, sizeof passed);
	ck_assert_double_eq(normaliser->mean[0], 0.0);
	const double rewards[2] = {1e6, -0.5};
	float rewards_passed[2];
	weir_normaliser_rewards(normaliser, rewards, (const uint8_t[]){0, 0}, rewards_passed);
	ck_assert_float_eq(rewards_passed[0], 1e6F);
	ck_assert_float_eq(rewards_passed[1], -0.5F);
	weir_normaliser_destroy(normaliser);
}
END_TEST

START_TEST(a_constant_stays_finite)
{
	weir_normaliser_config config = weir_normaliser_config_default();
	weir_normaliser *normaliser = weir_normaliser_create(&config, 1, 1);
	for (int i = 0; i < 100000; i++) {
		const float one = 1.0F;
		weir_normaliser_learn(normaliser, &one, 1);
	}
	const float values[3] = {1.0F, 2.0F, -FLT_MAX};
	float normalised[3];
	weir_normaliser_apply(normaliser, values, 3, normalised);
	ck_assert(fabsf(normalised[0]) < 1e-3F);
	ck_assert_float_eq(normalised[1], 10.0F);
	ck_assert_float_eq(normalised[2], -10.0F);
	weir_normaliser_destroy(normaliser);
	weir_normaliser_destroy(NULL);
}
END_TEST

START_TEST(the_keys_have_the_same_defaults)
{
	weir_arena *arena = weir_arena_create();
	weir_keys_reader reader = {.arena = arena, .file = "test"};
	weir_normaliser_config read;
	weir_error error;
	ck_assert_ok(weir_keys_read(&reader, &weir_normaliser_keys, NULL, "normalise", &read, &error),
	             &error);
	weir_normaliser_config made = weir_normaliser_config_default();
	ck_assert(read.observations && read.rewards && made.observations && made.rewards);
	ck_assert_double_eq(read.clip_observation, made.clip_observation);
	ck_assert_double_eq(read.clip_reward, made.clip_reward);
	ck_assert_double_eq(read.gamma, made.gamma);
	ck_assert_double_eq(read.epsilon, made.epsilon);
	weir_arena_destroy(arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl_normaliser");
	TCase *tests = tcase_create("normaliser");
	tcase_add_test(tests, known_observations);
	tcase_add_test(tests, known_rewards);
	tcase_add_test(tests, batches_come_to_the_whole);
	tcase_add_test(tests, what_is_off_passes_through);
	tcase_add_test(tests, a_constant_stays_finite);
	tcase_add_test(tests, the_keys_have_the_same_defaults);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
