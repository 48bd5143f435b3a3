#include "support/training.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rl/evaluate.h"
#include "support/test_support.h"

void training_no_bootstrap(training_step *step)
{
	for (size_t e = 0; e < step->environments; e++) {
		step->terminated[e] = step->terminated[e] || step->truncated[e];
	}
}

void training_bootstrap_of_reset(training_step *step)
{
	memcpy(step->final_observations, step->observations,
	       step->environments * step->observation_size * sizeof(float));
}

void training_bootstrap_always(training_step *step)
{
	for (size_t e = 0; e < step->environments; e++) {
		step->truncated[e] = step->terminated[e] || step->truncated[e];
		step->terminated[e] = 0;
	}
}

void training_no_dones(training_step *step)
{
	memset(step->terminated, 0, step->environments);
	memset(step->truncated, 0, step->environments);
}

void training_dones_late(training_step *step)
{
	for (size_t e = 0; e < step->environments; e++) {
		uint8_t before = step->done_before[e];
		step->done_before[e] = step->terminated[e] || step->truncated[e];
		step->terminated[e] = before;
		step->truncated[e] = 0;
	}
}

void training_wrong_sign(training_step *step)
{
	for (size_t e = 0; e < step->environments; e++) {
		step->rewards[e] = -step->rewards[e];
	}
}

training_plan training_plan_default(const char *kind)
{
	return (training_plan){
	    .kind = kind, .ppo = weir_ppo_config_default(), .environments = 1, .seed = 1};
}

/* What one run needs; buffers are of all environments. */
typedef struct collecting {
	const training_plan *plan;
	training *result;
	weir_vector *vector;
	weir_learner *learner;
	weir_vector_buffers buffers;
	training_step step;
	float *actions;
	double *sums; /* of rewards of the episodes that run */
} collecting;

static void *allocate(size_t count, size_t size)
{
	void *memory = weir_allocate(count > 0 ? count : 1, size);
	ck_assert_ptr_nonnull(memory);
	return memory;
}

static void begin(collecting *loop)
{
	const training_plan *plan = loop->plan;
	weir_error error = {0};
	weir_vector_options options = weir_vector_options_default();
	options.count = plan->environments;
	options.threads = 1;
	options.seed = plan->seed;
	ck_assert_ok(weir_vector_create(plan->kind, NULL, "test", &options, &loop->vector, &error),
	             &error);
	const weir_env *env = weir_vector_env(loop->vector, 0);
	weir_actor_critic_shape shape =
	    weir_actor_critic_shape_default(env->observation.size, &env->action);
	ck_assert_ok(weir_agent_create(plan->kind, "{}", &env->observation, &env->action, &shape,
	                               plan->seed, &loop->result->agent, &error),
	             &error);
	const weir_learner_options learner = {
	    .ppo = &plan->ppo, .environments = plan->environments, .seed = plan->seed};
	ck_assert_ok(weir_learner_create(&learner, loop->result->agent, &loop->learner, &error),
	             &error);
	size_t count = plan->environments;
	size_t seen = env->observation.size;
	loop->buffers = (weir_vector_buffers){
	    .observations = allocate(count * seen, sizeof(float)),
	    .rewards = allocate(count, sizeof(double)),
	    .terminated = allocate(count, 1),
	    .truncated = allocate(count, 1),
	    .final_observations = allocate(count * seen, sizeof(float)),
	    .masks = allocate(count * weir_space_choices(&env->action), 1),
	};
	loop->actions = allocate(count * env->action.size, sizeof(float));
	loop->sums = allocate(count, sizeof(double));
	loop->step = (training_step){.environments = count,
	                             .observation_size = seen,
	                             .rewards = loop->buffers.rewards,
	                             .terminated = loop->buffers.terminated,
	                             .truncated = loop->buffers.truncated,
	                             .final_observations = loop->buffers.final_observations,
	                             .observations = loop->buffers.observations,
	                             .done_before = allocate(count, 1)};
	ck_assert_ok(weir_vector_reset(loop->vector, &loop->buffers, &error), &error);
	weir_learner_begin(loop->learner, loop->buffers.observations,
	                   plan->no_masks ? NULL : loop->buffers.masks);
}

static void end(collecting *loop)
{
	weir_learner_destroy(loop->learner);
	weir_vector_destroy(loop->vector);
	free(loop->buffers.observations);
	free(loop->buffers.rewards);
	free(loop->buffers.terminated);
	free(loop->buffers.truncated);
	free(loop->buffers.final_observations);
	free(loop->buffers.masks);
	free(loop->actions);
	free(loop->sums);
	free(loop->step.done_before);
}

static void count_episodes(collecting *loop)
{
	training *result = loop->result;
	for (size_t e = 0; e < loop->plan->environments; e++) {
		loop->sums[e] += loop->buffers.rewards[e];
		if (!loop->buffers.terminated[e] && !loop->buffers.truncated[e]) {
			continue;
		}
		size_t needed = result->episode_count + 1;
		ck_assert(weir_reserve((void **)&result->episodes, &result->episode_capacity, needed,
		                       sizeof *result->episodes));
		ck_assert(weir_reserve((void **)&result->ended, &result->ended_capacity, needed,
		                       sizeof *result->ended));
		result->episodes[result->episode_count] = loop->sums[e];
		result->ended[result->episode_count++] = result->steps;
		loop->sums[e] = 0;
	}
}

static void take_step(collecting *loop)
{
	weir_error error = {0};
	const weir_vector_buffers *buffers = &loop->buffers;
	weir_learner_act(loop->learner, loop->actions);
	ck_assert_ok(weir_vector_step(loop->vector, loop->actions, buffers, &error), &error);
	loop->result->steps += (int64_t)loop->plan->environments;
	count_episodes(loop);
	if (loop->plan->mistake != NULL) {
		loop->plan->mistake(&loop->step);
	}
	const weir_learner_step step = {.rewards = buffers->rewards,
	                                .terminated = buffers->terminated,
	                                .truncated = buffers->truncated,
	                                .final_observations = buffers->final_observations,
	                                .observations = buffers->observations,
	                                .masks = loop->plan->no_masks ? NULL : buffers->masks};
	weir_learner_push(loop->learner, &step);
}

void training_run(const training_plan *plan, training *result)
{
	collecting loop = {.plan = plan, .result = result};
	*result = (training){0};
	begin(&loop);
	while (result->steps < plan->steps) {
		while (!weir_learner_full(loop.learner)) {
			take_step(&loop);
		}
		double done = (double)result->steps / (double)plan->steps;
		weir_error error = {0};
		ck_assert_ok(
		    weir_learner_update(loop.learner, done < 1 ? 1 - done : 0, &result->figures, &error),
		    &error);
	}
	end(&loop);
}

void training_destroy(training *trained)
{
	weir_agent_destroy(trained->agent);
	free(trained->episodes);
	free(trained->ended);
}

double training_best_mean(const training *trained, size_t count, double level, int64_t *when)
{
	double best = -1e300;
	double sum = 0;
	*when = -1;
	for (size_t i = 0; i < trained->episode_count; i++) {
		sum += trained->episodes[i];
		if (i + 1 < count) {
			continue;
		}
		double mean = sum / (double)count;
		best = mean > best ? mean : best;
		if (*when < 0 && mean >= level) {
			*when = trained->ended[i];
		}
		sum -= trained->episodes[i + 1 - count];
	}
	return best;
}

double training_value(const training *trained, const float *observation)
{
	float value;
	weir_activations *activations = weir_activations_create(trained->agent->network, 1);
	weir_actor_critic_forward(trained->agent->network, activations, observation, 1, NULL, &value);
	weir_activations_destroy(activations);
	return (double)value;
}

void training_mode(const training *trained, const float *observation, const uint8_t *mask,
                   float *action)
{
	weir_agent_user *user = weir_agent_user_create(trained->agent);
	float value;
	float *raw = allocate(trained->agent->action.size, sizeof *raw);
	weir_agent_act(user, observation, mask, NULL, raw, action, &value);
	free(raw);
	weir_agent_user_destroy(user);
}

double training_evaluate(const training *trained, size_t episodes)
{
	weir_evaluator_options options = weir_evaluator_options_default();
	weir_evaluator *evaluator = NULL;
	weir_evaluation evaluation;
	weir_error error = {0};
	options.episodes = episodes;
	ck_assert_ok(weir_evaluator_create(trained->agent->environment, NULL, "test", &options,
	                                   &evaluator, &error),
	             &error);
	ck_assert_ok(weir_evaluator_run(evaluator, trained->agent, &evaluation, &error), &error);
	weir_evaluator_destroy(evaluator);
	return evaluation.mean_reward;
}
