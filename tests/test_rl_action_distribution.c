#include "rl/action_distribution.h"

#include <math.h>
#include <string.h>

#include "support/agent_cases.h"
#include "support/test_support.h"

START_TEST(xoshiro_is_the_published_one)
{
	/* xoshiro256++ from the state 1, 2, 3, 4, worked out by hand: rotl(1 + 4, 23) + 1 */
	weir_xoshiro random = {{1, 2, 3, 4}};
	ck_assert_uint_eq(weir_xoshiro_next(&random), 41943041u);
	ck_assert_uint_eq(random.s[0], 7);
	ck_assert_uint_eq(random.s[1], 0);
	ck_assert_uint_eq(random.s[2], 262146);
	ck_assert_uint_eq(random.s[3], (uint64_t)6 << 45);
	/* SplitMix64 from 1234567, as published with it */
	weir_xoshiro seeded = weir_xoshiro_seed(1234567);
	ck_assert_uint_eq(seeded.s[0], 6457827717110365317u);
	ck_assert_uint_eq(seeded.s[1], 3203168211198807973u);
	ck_assert_uint_eq(seeded.s[2], 9817491932198370423u);
	ck_assert_uint_eq(seeded.s[3], 4593380528125082431u);
}
END_TEST

/* Moments of 200,000 draws, within five standard errors. */
START_TEST(uniforms_and_normals_have_their_moments)
{
	enum { DRAWS = 200000 };
	weir_xoshiro random = weir_xoshiro_seed(5);
	double uniform = 0;
	double sums[4] = {0};
	for (int i = 0; i < DRAWS; i++) {
		double u = weir_xoshiro_uniform(&random);
		ck_assert(u >= 0 && u < 1);
		uniform += u / DRAWS;
		double x = weir_xoshiro_normal(&random);
		for (int k = 0; k < 4; k++) {
			sums[k] += pow(x, k + 1) / DRAWS;
		}
	}
	double error = 5 / sqrt(DRAWS);
	ck_assert_double_eq_tol(uniform, 0.5, error * sqrt(1.0 / 12));
	ck_assert_double_eq_tol(sums[0], 0, error);
	ck_assert_double_eq_tol(sums[1], 1, error * sqrt(2));
	ck_assert_double_eq_tol(sums[2], 0, error * sqrt(15));
	ck_assert_double_eq_tol(sums[3], 3, error * sqrt(96));
}
END_TEST

/* A head of each kind: numbers of the head, log_std and a mask for the discrete ones. */
static const float numbers[] = {0.3f, -1.2f, 0.8f, 2.0f, -0.4f, 1.1f, 0.0f, -2.5f, 0.6f};
static const float log_std[] = {0.2f, -0.7f, 0.0f};
static const uint8_t masks[CASE_SPACES][9] = {{0}, {1, 0, 1, 1, 0}, {1, 1, 0, 1, 1, 1, 0, 1, 0}};

static weir_head head_of(size_t kind, bool masked)
{
	bool box = case_spaces[kind].kind == WEIR_SPACE_BOX;
	return (weir_head){.action = &case_spaces[kind],
	                   .head = numbers,
	                   .log_std = box ? log_std : NULL,
	                   .mask = masked && !box ? masks[kind] : NULL};
}

/* Every action of a space that its mask allows; false after the last. */
static bool next_action(const weir_head *head, float *action)
{
	const weir_space *space = head->action;
	size_t offset = 0;
	for (size_t d = 0; d < space->size; d++) {
		uint32_t choices = space->dimensions[d].choices;
		do {
			action[d]++;
		} while (action[d] < (float)choices && head->mask != NULL &&
		         !head->mask[offset + (size_t)action[d]]);
		if (action[d] < (float)choices) {
			return true;
		}
		for (action[d] = 0; head->mask != NULL && !head->mask[offset + (size_t)action[d]];) {
			action[d]++;
		}
		offset += choices;
	}
	return false;
}

static void first_action(const weir_head *head, float *action)
{
	for (size_t d = 0; d < head->action->size; d++) {
		action[d] = (float)head->action->dimensions[d].choices - 1;
	}
	next_action(head, action);
}

/* Probabilities of all actions sum to 1, and their entropy is that which is told. */
START_TEST(choices_have_probabilities)
{
	for (size_t kind = 1; kind < CASE_SPACES; kind++) {
		for (int masked = 0; masked < 2; masked++) {
			weir_head head = head_of(kind, masked != 0);
			float action[3];
			float log_prob;
			float entropy = 0;
			double sum = 0;
			double mean = 0;
			size_t count = 0;
			first_action(&head, action);
			do {
				weir_action_evaluate(&head, action, &log_prob, &entropy);
				sum += exp((double)log_prob);
				mean -= exp((double)log_prob) * (double)log_prob;
				count++;
			} while (next_action(&head, action));
			ck_assert_uint_eq(count, kind == 1 ? (masked ? 3 : 5) : (masked ? 8 : 24));
			ck_assert_double_eq_tol(sum, 1, 1e-6);
			ck_assert_double_eq_tol(mean, (double)entropy, 1e-6);
		}
	}
}
END_TEST

/* The oracle writes the formulas down in double. */
START_TEST(log_probabilities_and_entropies_are_the_formulas)
{
	static const uint8_t all[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
	static const float actions[CASE_SPACES][3] = {{0.9f, -1.5f, 3.0f}, {2}, {0, 1, 2}};
	weir_tensor tensor = {.name = "log_std", .rows = 1, .cols = 3};
	double head[9];
	double stds[3];
	for (size_t i = 0; i < 9; i++) {
		head[i] = (double)numbers[i];
	}
	for (size_t i = 0; i < 3; i++) {
		stds[i] = (double)log_std[i];
	}
	for (size_t kind = 0; kind < CASE_SPACES; kind++) {
		weir_actor_critic_shape shape = weir_actor_critic_shape_default(1, &case_spaces[kind]);
		naive_network naive = {
		    .shape = &shape, .tensors = &tensor, .tensor_count = 1, .parameters = stds};
		for (int masked = 0; masked < 2; masked++) {
			weir_head ours = head_of(kind, masked != 0);
			float log_prob;
			float entropy;
			double wanted[2];
			weir_action_evaluate(&ours, actions[kind], &log_prob, &entropy);
			naive_evaluate(&naive, head, masked ? masks[kind] : all, actions[kind], &wanted[0],
			               &wanted[1]);
			ck_assert_double_eq_tol((double)log_prob, wanted[0], 2e-6);
			ck_assert_double_eq_tol((double)entropy, wanted[1], 2e-6);
		}
	}
}
END_TEST

/* Frequencies of 100,000 draws against probabilities, within five standard errors; masked ones
 * never come. */
START_TEST(choices_are_drawn_by_their_probabilities)
{
	enum { DRAWS = 100000 };
	weir_xoshiro random = weir_xoshiro_seed(11);
	for (size_t kind = 1; kind < CASE_SPACES; kind++) {
		weir_head head = head_of(kind, true);
		double seen[256] = {0};
		float action[3] = {0};
		for (int i = 0; i < DRAWS; i++) {
			weir_action_sample(&head, &random, action);
			size_t code = (size_t)(action[0] + 6 * action[1] + 36 * action[2]);
			ck_assert_uint_lt(code, 256);
			seen[code]++;
		}
		float log_prob;
		float entropy;
		double all = 0;
		first_action(&head, action);
		do {
			weir_action_evaluate(&head, action, &log_prob, &entropy);
			double p = exp((double)log_prob);
			double share = seen[(size_t)(action[0] + 6 * action[1] + 36 * action[2])] / DRAWS;
			ck_assert_double_eq_tol(share, p, 5 * sqrt(p * (1 - p) / DRAWS));
			all += share;
		} while (next_action(&head, action));
		ck_assert_double_eq_tol(all, 1, 1e-12);
	}
}
END_TEST

START_TEST(gaussians_are_drawn_with_mean_and_deviation)
{
	enum { DRAWS = 100000 };
	weir_xoshiro random = weir_xoshiro_seed(12);
	weir_head head = head_of(0, false);
	double mean[3] = {0};
	double square[3] = {0};
	double product = 0;
	for (int i = 0; i < DRAWS; i++) {
		float action[3];
		weir_action_sample(&head, &random, action);
		double z[3];
		for (size_t d = 0; d < 3; d++) {
			z[d] = ((double)action[d] - (double)numbers[d]) / exp((double)log_std[d]);
			mean[d] += z[d] / DRAWS;
			square[d] += z[d] * z[d] / DRAWS;
		}
		product += z[0] * z[1] / DRAWS;
	}
	for (size_t d = 0; d < 3; d++) {
		ck_assert_double_eq_tol(mean[d], 0, 5 / sqrt(DRAWS));
		ck_assert_double_eq_tol(square[d], 1, 5 * sqrt(2.0 / DRAWS));
	}
	ck_assert_double_eq_tol(product, 0, 5 / sqrt(DRAWS));
}
END_TEST

START_TEST(the_mode_is_the_mean_or_the_greatest)
{
	float action[3];
	weir_head box = head_of(0, false);
	weir_action_mode(&box, action);
	ck_assert_int_eq(memcmp(action, numbers, sizeof action), 0);
	weir_head five = head_of(1, false);
	weir_action_mode(&five, action);
	ck_assert_float_eq(action[0], 3);
	weir_head many = head_of(2, true);
	weir_action_mode(&many, action);
	ck_assert_float_eq(action[0], 0);
	ck_assert_float_eq(action[1], 1); /* 0.8 is masked: 2.0, not -0.4 */
	ck_assert_float_eq(action[2], 0); /* 1.1, then masked 0.0 */
	static const float equal[] = {1, 1, 1, 1, 1};
	five.head = equal;
	weir_action_mode(&five, action);
	ck_assert_float_eq(action[0], 0);
}
END_TEST

START_TEST(one_choice_that_is_left_is_certain)
{
	static const uint8_t only[] = {0, 0, 0, 0, 1};
	weir_head head = head_of(1, false);
	head.mask = only;
	weir_xoshiro random = weir_xoshiro_seed(3);
	for (int i = 0; i < 1000; i++) {
		float action;
		weir_action_sample(&head, &random, &action);
		ck_assert_float_eq(action, 4);
	}
	static const float four = 4;
	float log_prob;
	float entropy;
	weir_action_evaluate(&head, &four, &log_prob, &entropy);
	ck_assert_float_eq(log_prob, 0);
	ck_assert_float_eq(entropy, 0);
	float gradient[5] = {0};
	weir_action_gradient(&head, &four, 1, 1, gradient, NULL);
	for (size_t i = 0; i < 5; i++) {
		ck_assert_float_eq(gradient[i], 0);
	}
}
END_TEST

START_TEST(only_a_box_is_clipped)
{
	static const float beyond[] = {-3, 1e9f, 2.5f};
	float clipped[3];
	weir_action_clip(&case_spaces[0], beyond, clipped);
	ck_assert_float_eq(clipped[0], -1);
	ck_assert_float_eq(clipped[1], 1e9f);
	ck_assert_float_eq(clipped[2], 2);
	static const float choices[] = {1, 2, 3};
	weir_action_clip(&case_spaces[2], choices, clipped);
	ck_assert_int_eq(memcmp(choices, clipped, sizeof clipped), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/action_distribution");
	TCase *tests = tcase_create("action_distribution");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, xoshiro_is_the_published_one);
	tcase_add_test(tests, uniforms_and_normals_have_their_moments);
	tcase_add_test(tests, choices_have_probabilities);
	tcase_add_test(tests, log_probabilities_and_entropies_are_the_formulas);
	tcase_add_test(tests, choices_are_drawn_by_their_probabilities);
	tcase_add_test(tests, gaussians_are_drawn_with_mean_and_deviation);
	tcase_add_test(tests, the_mode_is_the_mean_or_the_greatest);
	tcase_add_test(tests, one_choice_that_is_left_is_certain);
	tcase_add_test(tests, only_a_box_is_clipped);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
