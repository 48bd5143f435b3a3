#include "rl/ppo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/agent_cases.h"
#include "support/test_support.h"

enum { SEEN = 4, STEPS = 24 };

/* A network with a rollout to learn from. */
typedef struct learning_case {
	weir_ppo_config config;
	weir_actor_critic *network;
	weir_rollout *rollout;
	weir_ppo *ppo;
} learning_case;

static learning_case begin(size_t kind, bool shared_trunk, const weir_ppo_config *config,
                           size_t steps)
{
	learning_case made = {.config = *config};
	made.network = case_network(&case_spaces[kind], shared_trunk, 40 + kind);
	made.rollout = weir_rollout_create(steps, 1, SEEN, &case_spaces[kind]);
	case_fill_rollout(made.rollout, made.network, 50 + kind);
	return made;
}

/* The config is to stay where it is. */
static void create(learning_case *learning)
{
	weir_error error = {0};
	ck_assert_ok(weir_ppo_create(&learning->config, learning->network, learning->rollout->steps, 1,
	                             &learning->ppo, &error),
	             &error);
}

static void end(learning_case *learning)
{
	weir_ppo_destroy(learning->ppo);
	weir_rollout_destroy(learning->rollout);
	weir_actor_critic_destroy(learning->network);
}

static weir_ppo_figures update(learning_case *learning, double progress_remaining)
{
	weir_ppo_figures figures;
	weir_error error = {0};
	ck_assert_ok(
	    weir_ppo_update(learning->ppo, learning->rollout, progress_remaining, &figures, &error),
	    &error);
	return figures;
}

static weir_ppo_config rich_config(void)
{
	weir_ppo_config config = weir_ppo_config_default();
	config.batch_size = STEPS;
	config.clip_range_vf = 0.4;
	config.ent_coef = 0.07;
	config.vf_coef = 0.8;
	config.n_epochs = 1;
	config.max_grad_norm = 1e9;
	return config;
}

static naive_batch naive_batch_of(const learning_case *learning)
{
	const weir_rollout *rollout = learning->rollout;
	return (naive_batch){.size = rollout->steps,
	                     .observations = rollout->observations,
	                     .actions = rollout->actions,
	                     .masks = rollout->masks,
	                     .old_values = rollout->values,
	                     .old_log_probs = rollout->log_probs,
	                     .advantages = rollout->advantages,
	                     .returns = rollout->returns,
	                     .normalize_advantage = learning->config.normalize_advantage,
	                     .clip_range = learning->config.clip_range,
	                     .clip_range_vf = learning->config.clip_range_vf,
	                     .ent_coef = learning->config.ent_coef,
	                     .vf_coef = learning->config.vf_coef};
}

/* Loss and gradient of one update against central differences of the oracle in double. */
static void check_gradient(size_t kind, bool shared_trunk, const weir_ppo_config *config)
{
	learning_case learning = begin(kind, shared_trunk, config, STEPS);
	create(&learning);
	size_t count = weir_actor_critic_parameter_count(learning.network);
	double *parameters = calloc(count, sizeof *parameters);
	naive_network naive = case_naive_network(learning.network, parameters);
	naive_batch batch = naive_batch_of(&learning);
	double wanted_loss = naive_loss(&naive, &batch);
	weir_ppo_figures figures = update(&learning, 1);
	ck_assert_double_eq_tol(figures.loss, wanted_loss, 3e-6);
	double square = 0;
	for (size_t p = 0; p < count; p++) {
		double kept = parameters[p];
		parameters[p] = kept + 1e-6;
		double above = naive_loss(&naive, &batch);
		parameters[p] = kept - 1e-6;
		double below = naive_loss(&naive, &batch);
		parameters[p] = kept;
		double wanted = (above - below) / 2e-6;
		square += wanted * wanted;
		ck_assert_double_eq_tol((double)learning.ppo->gradient[p], wanted, 3e-6);
	}
	ck_assert_double_eq_tol(figures.grad_norm, sqrt(square), 1e-5);
	ck_assert_double_gt(figures.clip_fraction, 0.1);
	ck_assert_double_lt(figures.clip_fraction, 0.9);
	free(parameters);
	end(&learning);
}

START_TEST(gradients_are_derivatives)
{
	weir_ppo_config config = rich_config();
	for (size_t kind = 0; kind < CASE_SPACES; kind++) {
		for (int shared = 0; shared < 2; shared++) {
			check_gradient(kind, shared != 0, &config);
		}
	}
}
END_TEST

START_TEST(gradients_are_derivatives_without_the_options)
{
	weir_ppo_config config = rich_config();
	config.clip_range_vf = 0;
	config.ent_coef = 0;
	config.normalize_advantage = false;
	for (size_t kind = 0; kind < CASE_SPACES; kind++) {
		check_gradient(kind, false, &config);
	}
}
END_TEST

/* An entropy that was to be made small, or a mask that was not looked at, is seen. */
START_TEST(a_wrong_gradient_is_seen)
{
	weir_ppo_config config = rich_config();
	learning_case learning = begin(2, false, &config, STEPS);
	create(&learning);
	size_t count = weir_actor_critic_parameter_count(learning.network);
	double *parameters = calloc(count, sizeof *parameters);
	naive_network naive = case_naive_network(learning.network, parameters);
	naive_batch batch = naive_batch_of(&learning);
	double right = update(&learning, 1).loss;
	ck_assert_double_eq_tol(right, naive_loss(&naive, &batch), 3e-6);
	batch.ent_coef = -batch.ent_coef;
	ck_assert_double_gt(fabs(right - naive_loss(&naive, &batch)), 1e-3);
	batch.ent_coef = -batch.ent_coef;
	memset(learning.rollout->masks, 1, STEPS * learning.rollout->choices);
	ck_assert_double_gt(fabs(right - naive_loss(&naive, &batch)), 1e-3);
	free(parameters);
	end(&learning);
}
END_TEST

/* Adam in double, step after step, with the gradients of the update; cut, or shorter than what they
 * are cut to. */
START_TEST(steps_are_those_of_adam)
{
	const double longest = _i == 0 ? 0.3 : 30;
	weir_ppo_config config = rich_config();
	config.max_grad_norm = longest;
	learning_case learning = begin(0, false, &config, STEPS);
	create(&learning);
	size_t count = weir_actor_critic_parameter_count(learning.network);
	double *m = calloc(3 * count, sizeof *m);
	double *v = m + count;
	double *parameters = v + count;
	case_naive_network(learning.network, parameters);
	for (int t = 1; t <= 3; t++) {
		update(&learning, 1);
		double norm = 0;
		for (size_t i = 0; i < count; i++) {
			norm += pow((double)learning.ppo->gradient[i], 2);
		}
		norm = sqrt(norm);
		ck_assert((norm > longest) == (_i == 0));
		for (size_t i = 0; i < count; i++) {
			double g = (double)learning.ppo->gradient[i] * fmin(1, longest / (norm + 1e-6));
			m[i] = 0.9 * m[i] + 0.1 * g;
			v[i] = 0.999 * v[i] + 0.001 * g * g;
			parameters[i] -=
			    3e-4 * (m[i] / (1 - pow(0.9, t))) / (sqrt(v[i] / (1 - pow(0.999, t))) + 1e-5);
			double got = (double)weir_actor_critic_parameters(learning.network)[i];
			ck_assert_double_eq_tol(got, parameters[i], 5e-7);
			ck_assert_double_eq_tol((double)learning.ppo->state.m[i], m[i], 1e-6);
			ck_assert_double_eq_tol((double)learning.ppo->state.v[i], v[i], 1e-6);
		}
	}
	ck_assert_uint_eq(weir_ppo_state_of(learning.ppo)->t, 3);
	free(m);
	end(&learning);
}
END_TEST

START_TEST(advantages_get_mean_0_and_deviation_1)
{
	float advantages[] = {1, 2, 4, 9};
	weir_advantages_normalise(advantages, 4);
	/* mean 4, squares 9 + 4 + 0 + 25 = 38, over 3 */
	double deviation = sqrt(38.0 / 3);
	ck_assert_double_eq_tol((double)advantages[0], -3 / deviation, 1e-6);
	ck_assert_double_eq_tol((double)advantages[3], 5 / deviation, 1e-6);
	float equal[] = {3, 3, 3};
	weir_advantages_normalise(equal, 3);
	ck_assert_float_eq(equal[1], 0);
}
END_TEST

/* 24 steps in minibatches of 23: the last one has one step, whose advantage stays as it is. */
START_TEST(a_minibatch_of_one_is_not_normalised)
{
	weir_ppo_config config = rich_config();
	config.batch_size = STEPS - 1;
	learning_case learning = begin(1, false, &config, STEPS);
	create(&learning);
	update(&learning, 1);
	ck_assert_uint_eq(learning.ppo->batch.size, 1);
	size_t last = learning.ppo->order[STEPS - 1];
	ck_assert_float_eq(learning.ppo->batch.advantages[0], learning.rollout->advantages[last]);
	ck_assert_uint_eq(weir_ppo_state_of(learning.ppo)->t, 2);
	end(&learning);
}
END_TEST

/* Each epoch sees every step once, in another order; each step comes to each place equally often.
 */
START_TEST(every_epoch_has_a_permutation_of_its_own)
{
	enum { FEW = 5, UPDATES = 4000 };
	weir_ppo_config config = rich_config();
	config.batch_size = FEW;
	config.learning_rate = 1e-9;
	learning_case learning = begin(1, false, &config, FEW);
	create(&learning);
	double counts[FEW][FEW] = {0};
	for (int i = 0; i < UPDATES; i++) {
		update(&learning, 1);
		unsigned seen = 0;
		for (size_t place = 0; place < FEW; place++) {
			counts[place][learning.ppo->order[place]]++;
			seen |= 1u << learning.ppo->order[place];
		}
		ck_assert_uint_eq(seen, (1u << FEW) - 1);
	}
	for (size_t i = 0; i < (size_t)FEW * FEW; i++) {
		double share = counts[i / FEW][i % FEW] / UPDATES;
		ck_assert_double_eq_tol(share, 0.2, 5 * sqrt(0.16 / UPDATES));
	}
	end(&learning);
}
END_TEST

START_TEST(schedules_fall_with_progress)
{
	weir_ppo_config config = rich_config();
	config.learning_rate_schedule = WEIR_SCHEDULE_LINEAR;
	config.clip_range_schedule = WEIR_SCHEDULE_LINEAR;
	learning_case learning = begin(0, false, &config, STEPS);
	create(&learning);
	weir_ppo_figures figures = update(&learning, 0.25);
	ck_assert_double_eq_tol(figures.learning_rate, 0.25 * 3e-4, 1e-15);
	ck_assert_double_eq_tol(figures.clip_range, 0.05, 1e-15);
	size_t size = weir_actor_critic_parameter_count(learning.network) * sizeof(float);
	float *before = malloc(size);
	memcpy(before, weir_actor_critic_parameters(learning.network), size);
	update(&learning, 0);
	ck_assert_int_eq(memcmp(before, weir_actor_critic_parameters(learning.network), size), 0);
	learning.config.learning_rate_schedule = WEIR_SCHEDULE_CONSTANT;
	figures = update(&learning, 0.25);
	ck_assert_double_eq(figures.learning_rate, 3e-4);
	ck_assert_int_ne(memcmp(before, weir_actor_critic_parameters(learning.network), size), 0);
	free(before);
	end(&learning);
}
END_TEST

/* The first minibatch is too far from the old policy: nothing is done, its figures are told. */
START_TEST(a_policy_too_far_away_ends_the_update)
{
	weir_ppo_config config = rich_config();
	config.batch_size = 8;
	config.n_epochs = 5;
	config.target_kl = 1e-6;
	learning_case learning = begin(2, false, &config, STEPS);
	create(&learning);
	size_t size = weir_actor_critic_parameter_count(learning.network) * sizeof(float);
	float *before = malloc(size);
	memcpy(before, weir_actor_critic_parameters(learning.network), size);
	weir_ppo_figures figures = update(&learning, 1);
	ck_assert_double_gt(figures.approx_kl, 1.5e-6);
	ck_assert_double_eq(figures.n_updates, 1);
	ck_assert(isnan(figures.grad_norm));
	ck_assert_uint_eq(weir_ppo_state_of(learning.ppo)->t, 0);
	ck_assert_int_eq(memcmp(before, weir_actor_critic_parameters(learning.network), size), 0);
	free(before);
	learning.config.target_kl = 1e3;
	figures = update(&learning, 1);
	ck_assert_double_eq(figures.n_updates, 6);
	ck_assert_uint_eq(weir_ppo_state_of(learning.ppo)->t, 15);
	end(&learning);
}
END_TEST

/* Two minibatches that do not move the network: means over both, approx_kl too. */
START_TEST(figures_are_means)
{
	weir_ppo_config config = rich_config();
	config.learning_rate = 1e-30;
	config.normalize_advantage = false;
	learning_case learning = begin(0, false, &config, STEPS);
	create(&learning);
	weir_ppo_figures whole = update(&learning, 1);
	weir_ppo_destroy(learning.ppo);
	learning.config.batch_size = STEPS / 2;
	learning.config.n_epochs = 3;
	create(&learning);
	weir_ppo_figures parts = update(&learning, 1);
	ck_assert_double_eq_tol(parts.entropy_loss, whole.entropy_loss, 1e-6);
	ck_assert_double_eq_tol(parts.policy_gradient_loss, whole.policy_gradient_loss, 1e-6);
	ck_assert_double_eq_tol(parts.value_loss, whole.value_loss, 1e-6);
	ck_assert_double_eq_tol(parts.approx_kl, whole.approx_kl, 1e-6);
	ck_assert_double_eq_tol(parts.clip_fraction, whole.clip_fraction, 1e-12);
	ck_assert_double_eq(parts.explained_variance, whole.explained_variance);
	ck_assert_double_eq(parts.n_updates, 3);
	/* of the last minibatch alone */
	ck_assert_double_gt(fabs(parts.loss - whole.loss), 1e-4);
	double std = 0;
	size_t count;
	const weir_tensor *tensors = weir_actor_critic_tensors(learning.network, &count);
	for (size_t i = 0; i < 3; i++) {
		size_t at = tensors[count - 1].offset + i;
		std += exp((double)weir_actor_critic_parameters(learning.network)[at]) / 3;
	}
	ck_assert_double_eq_tol(parts.std, std, 1e-12);
	end(&learning);
}
END_TEST

START_TEST(figures_that_there_are_none_of)
{
	weir_ppo_config config = rich_config();
	learning_case learning = begin(1, false, &config, STEPS);
	create(&learning);
	ck_assert(isnan(update(&learning, 1).std));
	for (size_t i = 0; i < STEPS; i++) {
		learning.rollout->returns[i] = 3;
	}
	ck_assert(isnan(update(&learning, 1).explained_variance));
	memcpy(learning.rollout->returns, learning.rollout->values, STEPS * sizeof(float));
	ck_assert_double_eq(update(&learning, 1).explained_variance, 1);
	end(&learning);
}
END_TEST

START_TEST(equal_seeds_give_equal_bits)
{
	weir_ppo_config config = rich_config();
	config.batch_size = 7;
	config.n_epochs = 4;
	learning_case runs[2];
	for (size_t i = 0; i < 2; i++) {
		runs[i] = begin(2, true, &config, STEPS);
		create(&runs[i]);
		update(&runs[i], 1);
		update(&runs[i], 0.5);
	}
	size_t size = weir_actor_critic_parameter_count(runs[0].network) * sizeof(float);
	ck_assert_int_eq(memcmp(weir_actor_critic_parameters(runs[0].network),
	                        weir_actor_critic_parameters(runs[1].network), size),
	                 0);
	end(&runs[0]);
	end(&runs[1]);
}
END_TEST

/* State and parameters, given to another, go on as if nothing had been. */
START_TEST(the_state_is_all_there_is)
{
	weir_ppo_config config = rich_config();
	config.batch_size = 7;
	config.n_epochs = 2;
	learning_case one = begin(0, false, &config, STEPS);
	learning_case other = begin(0, false, &config, STEPS);
	create(&one);
	create(&other);
	update(&one, 1);
	size_t size = weir_actor_critic_parameter_count(one.network) * sizeof(float);
	const weir_ppo_state *from = weir_ppo_state_of(one.ppo);
	weir_ppo_state *to = weir_ppo_state_of(other.ppo);
	memcpy(to->m, from->m, size);
	memcpy(to->v, from->v, size);
	to->t = from->t;
	to->n_updates = from->n_updates;
	to->shuffle = from->shuffle;
	memcpy(weir_actor_critic_parameters(other.network), weir_actor_critic_parameters(one.network),
	       size);
	weir_ppo_figures a = update(&one, 1);
	weir_ppo_figures b = update(&other, 1);
	ck_assert_int_eq(memcmp(&a, &b, sizeof a), 0);
	ck_assert_int_eq(memcmp(weir_actor_critic_parameters(other.network),
	                        weir_actor_critic_parameters(one.network), size),
	                 0);
	end(&one);
	end(&other);
}
END_TEST

static void check_diverges(learning_case *learning, const char *words)
{
	weir_ppo_figures figures;
	weir_error error = {0};
	create(learning);
	ck_assert_int_eq(weir_ppo_update(learning->ppo, learning->rollout, 1, &figures, &error),
	                 WEIR_ERROR_INTERNAL);
	ck_assert_msg(strstr(error.message, words) != NULL, "%s", error.message);
	ck_assert_msg(strstr(error.message, "epoch 1, minibatch ") != NULL, "%s", error.message);
	end(learning);
}

START_TEST(what_is_not_finite_is_told)
{
	weir_ppo_config config = rich_config();
	config.normalize_advantage = false;
	learning_case value = begin(0, false, &config, STEPS);
	value.rollout->returns[3] = INFINITY;
	check_diverges(&value, "the value loss is not finite");
	learning_case policy = begin(1, false, &config, STEPS);
	policy.rollout->advantages[3] = NAN;
	check_diverges(&policy, "the policy loss is not finite");
	learning_case gradient = begin(0, false, &config, STEPS);
	gradient.config.clip_range_vf = 0;
	/* Its square is finite in double, twice it is not in float. */
	gradient.rollout->returns[3] = 3e38f;
	check_diverges(&gradient, "the gradient of mlp_extractor.value_net.0.weight is not finite");
}
END_TEST

START_TEST(no_steps_are_refused)
{
	weir_ppo_config config = rich_config();
	learning_case learning = begin(0, false, &config, STEPS);
	weir_error error = {0};
	learning.config.batch_size = 0;
	ck_assert_int_eq(
	    weir_ppo_create(&learning.config, learning.network, STEPS, 1, &learning.ppo, &error),
	    WEIR_ERROR_INPUT);
	ck_assert_ptr_null(learning.ppo);
	ck_assert_msg(strstr(error.message, "batch_size (0)") != NULL, "%s", error.message);
	end(&learning);
}
END_TEST

START_TEST(keys_have_the_defaults)
{
	weir_arena *arena = weir_arena_create();
	weir_keys_reader reader = {.arena = arena, .file = "test"};
	weir_ppo_config from_keys = {0};
	weir_ppo_config from_code = weir_ppo_config_default();
	weir_error error = {0};
	ck_assert_ok(weir_keys_read(&reader, &weir_ppo_keys, NULL, "ppo", &from_keys, &error), &error);
	for (size_t i = 0; i < weir_ppo_keys.key_count; i++) {
		const weir_key *key = &weir_ppo_keys.keys[i];
		size_t size = key->type == WEIR_KEY_BOOL     ? sizeof(bool)
		              : key->type == WEIR_KEY_CHOICE ? sizeof(int)
		                                             : sizeof(double);
		ck_assert_msg(memcmp((const char *)&from_keys + key->offset,
		                     (const char *)&from_code + key->offset, size) == 0,
		              "%s", key->name);
	}
	ck_assert_int_eq(from_keys.n_steps, 2048);
	ck_assert_double_eq(from_keys.adam_eps, 1e-5);
	weir_arena_destroy(arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/ppo");
	TCase *tests = tcase_create("ppo");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, gradients_are_derivatives);
	tcase_add_test(tests, gradients_are_derivatives_without_the_options);
	tcase_add_test(tests, a_wrong_gradient_is_seen);
	tcase_add_loop_test(tests, steps_are_those_of_adam, 0, 2);
	tcase_add_test(tests, advantages_get_mean_0_and_deviation_1);
	tcase_add_test(tests, a_minibatch_of_one_is_not_normalised);
	tcase_add_test(tests, every_epoch_has_a_permutation_of_its_own);
	tcase_add_test(tests, schedules_fall_with_progress);
	tcase_add_test(tests, a_policy_too_far_away_ends_the_update);
	tcase_add_test(tests, figures_are_means);
	tcase_add_test(tests, figures_that_there_are_none_of);
	tcase_add_test(tests, equal_seeds_give_equal_bits);
	tcase_add_test(tests, the_state_is_all_there_is);
	tcase_add_test(tests, what_is_not_finite_is_told);
	tcase_add_test(tests, no_steps_are_refused);
	tcase_add_test(tests, keys_have_the_defaults);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
