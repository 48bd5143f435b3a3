#include "rl/train.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/memory.h"
#include "rl/checkpoint.h"
#include "rl/train_files.h"
#include "rl/train_log.h"
#include "rl/train_names.h"
#include "rl/train_state.h"

/* A training at work. */
typedef struct training {
	const weir_train_config *config;
	const weir_train_options *options;
	weir_train_state state;
	weir_train_files files;
	weir_train_log *log;
	weir_train_names names;
	int64_t saved;    /* steps of the last checkpoint */
	double began;     /* monotonic seconds */
	int64_t first;    /* steps when it began here */
	bool interrupted; /* the caller wants it to stop */
} training;

static double now_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Whether a multiple of `interval` lies in (before, after]. */
static bool is_due(int64_t interval, int64_t before, int64_t after)
{
	return interval > 0 && after / interval > before / interval;
}

/* --- files ---------------------------------------------------------------------------------- */

static weir_status save_checkpoint(training *t, weir_error *error)
{
	weir_status status = weir_train_log_sync(t->log, error);
	if (status == WEIR_OK) {
		status = weir_train_state_stamp(&t->state, error);
	}
	if (status != WEIR_OK) {
		return status;
	}
	t->state.logs = weir_train_log_lengths_of(t->log);
	status = weir_checkpoint_save(&t->state, t->files.checkpoint, error);
	if (status == WEIR_OK) {
		t->saved = t->state.steps;
	}
	return status;
}

static weir_status save_agent(training *t, const char *path, weir_error *error)
{
	weir_status status = weir_train_state_stamp(&t->state, error);
	return status == WEIR_OK ? weir_agent_save(t->state.agent, path, error) : status;
}

static weir_status open_log(training *t, bool resumed, weir_error *error)
{
	return weir_train_log_open(t->options->directory, t->names.names, t->names.count,
	                           resumed ? &t->state.logs : NULL, &t->log, error);
}

/* --- a rollout ------------------------------------------------------------------------------ */

static void report_progress(training *t)
{
	const weir_train_state *s = &t->state;
	if (t->options->progress == NULL) {
		return;
	}
	const weir_train_progress progress = {.steps = s->steps,
	                                      .total_steps = t->config->total_steps,
	                                      .mean_reward = weir_episode_log_reward(&s->episodes),
	                                      .evaluation =
	                                          s->last.steps >= 0 ? s->last.mean_reward : NAN};
	if (!t->options->progress(t->options->context, &progress)) {
		t->interrupted = true;
	}
}

/* Adds one step of all environments to what is counted. */
static void count_step(weir_train_state *s)
{
	const weir_vector_buffers *b = &s->buffers;
	size_t terms = s->env->term_count;
	for (size_t e = 0; e < weir_vector_count(s->vector); e++) {
		const double *info = b->info + e * terms;
		weir_episode_log_step(&s->episodes, e, b->rewards[e], info,
		                      b->terminated[e] || b->truncated[e]);
		for (size_t i = 0; i < terms; i++) {
			s->term_sums[i] += info[i];
		}
		for (int c = 0; c < WEIR_CHECK_COUNT; c++) {
			s->failed[c] += (b->failed[e] >> c) & 1u;
		}
		s->steps++;
	}
}

static weir_status collect(training *t, weir_error *error)
{
	weir_train_state *s = &t->state;
	const weir_learner_step step = {.rewards = s->buffers.rewards,
	                                .terminated = s->buffers.terminated,
	                                .truncated = s->buffers.truncated,
	                                .final_observations = s->buffers.final_observations,
	                                .observations = s->buffers.observations,
	                                .masks = s->buffers.masks};
	memset(s->term_sums, 0, s->env->term_count * sizeof *s->term_sums);
	while (!weir_learner_full(s->learner)) {
		weir_learner_act(s->learner, s->actions);
		weir_status status = weir_vector_step(s->vector, s->actions, &s->buffers, error);
		if (status != WEIR_OK) {
			return status;
		}
		weir_learner_push(s->learner, &step);
		count_step(s);
		report_progress(t);
	}
	return WEIR_OK;
}

static size_t find_term(const weir_env *env, const char *name)
{
	size_t i = 0;
	while (strcmp(env->terms[i].name, name) != 0) {
		i++;
	}
	return i;
}

/* Dual ascent of the coefficients. */
static void adapt(training *t)
{
	weir_train_state *s = &t->state;
	double steps = (double)t->config->ppo.n_steps * (double)t->config->environments;
	for (size_t i = 0; i < t->config->adapt.count; i++) {
		const weir_train_adapt *a = (const weir_train_adapt *)t->config->adapt.items + i;
		double mean = s->term_sums[find_term(s->env, a->term)] / steps;
		double moved = s->coefficients[i] + a->rate * (mean - a->target);
		s->coefficients[i] = fmin(a->maximum, fmax(a->minimum, moved));
	}
	weir_train_state_apply_coefficients(s);
}

/* --- judging -------------------------------------------------------------------------------- */

static weir_status evaluate(training *t, weir_evaluation *evaluation, weir_error *error)
{
	weir_train_state *s = &t->state;
	weir_status status = weir_evaluator_run(s->evaluator, s->agent, evaluation, error);
	if (status != WEIR_OK) {
		return status;
	}
	s->evaluations++;
	s->last = (weir_train_judgement){.steps = s->steps,
	                                 .mean_reward = evaluation->mean_reward,
	                                 .std_reward = evaluation->std_reward,
	                                 .mean_length = evaluation->mean_length};
	if (s->best.steps >= 0 && !(s->last.mean_reward > s->best.mean_reward)) {
		s->stale++;
		return WEIR_OK;
	}
	s->best = s->last;
	s->stale = 0;
	return save_agent(t, t->files.best, error);
}

/* Why training ends here, if it does. */
static weir_train_end decide_end(const training *t)
{
	const weir_train_state *s = &t->state;
	const weir_train_evaluation *e = &t->config->evaluation;
	if (s->steps >= t->config->total_steps) {
		return WEIR_TRAIN_END_TOTAL_STEPS;
	}
	if (e->has_stop && s->last.steps == s->steps && s->last.mean_reward >= e->stop_at_reward) {
		return WEIR_TRAIN_END_STOP_AT_REWARD;
	}
	if (e->patience > 0 && s->stale >= e->patience) {
		return WEIR_TRAIN_END_PATIENCE;
	}
	return WEIR_TRAIN_END_NONE;
}

/* --- the loop ------------------------------------------------------------------------------- */

static weir_status write_row(training *t, const weir_ppo_figures *figures,
                             const weir_evaluation *evaluation, weir_error *error)
{
	const weir_train_state *s = &t->state;
	size_t count = weir_train_names_fill(&t->names, s, figures, evaluation);
	weir_status status =
	    weir_train_log_add(t->log, s->steps, t->names.row, t->names.values, count, error);
	double elapsed = now_seconds() - t->began;
	double rate = elapsed > 0 ? (double)(s->steps - t->first) / elapsed : 0;
	return status == WEIR_OK ? weir_train_log_timing(t->log, s->steps, rate, elapsed, error)
	                         : status;
}

/* A network that is no more: says what there is to go back to. */
static weir_status say_where_it_broke(const training *t, weir_error *error)
{
	char message[WEIR_ERROR_MESSAGE_SIZE];
	snprintf(message, sizeof message, "%s", error->message);
	return weir_error_set(error, error->status, t->options->directory,
	                      "after %" PRId64 " steps: %s; the checkpoint of %" PRId64
	                      " steps is kept, %s",
	                      t->state.steps, message, t->saved, t->files.checkpoint);
}

/* One rollout and what follows it. */
static weir_status iterate(training *t, weir_error *error)
{
	weir_train_state *s = &t->state;
	const weir_train_config *config = t->config;
	int64_t before = s->steps;
	weir_ppo_figures figures;
	weir_evaluation evaluation;
	weir_status status = collect(t, error);
	if (status == WEIR_OK) {
		double remaining = 1 - (double)s->steps / (double)config->total_steps;
		s->iterations++;
		status = weir_learner_update(s->learner, fmax(0, remaining), &figures, error);
	}
	if (status != WEIR_OK) {
		return status == WEIR_ERROR_INTERNAL ? say_where_it_broke(t, error) : status;
	}
	adapt(t);
	bool judged = s->evaluator != NULL && (is_due(config->evaluation.interval, before, s->steps) ||
	                                       s->steps >= config->total_steps);
	if (judged) {
		status = evaluate(t, &evaluation, error);
	}
	s->end = decide_end(t);
	if (status == WEIR_OK) {
		status = write_row(t, &figures, judged ? &evaluation : NULL, error);
	}
	if (status == WEIR_OK && s->end == WEIR_TRAIN_END_NONE &&
	    (t->interrupted || is_due(config->checkpoint_interval, before, s->steps))) {
		status = save_checkpoint(t, error);
	}
	return status;
}

/* The files of the end; the checkpoint, which says that it is the end, comes last. */
static weir_status finish(training *t, weir_error *error)
{
	weir_train_report report;
	weir_status status = save_agent(t, t->files.final, error);
	if (status == WEIR_OK) {
		status = weir_train_state_report(&t->state, &report, error);
	}
	if (status == WEIR_OK) {
		char *text = weir_train_report_json(&report, t->config);
		status = weir_train_files_write(t->files.report, text, error);
		free(text);
	}
	return status == WEIR_OK ? save_checkpoint(t, error) : status;
}

static weir_status run(training *t, weir_error *error)
{
	weir_status status = WEIR_OK;
	t->began = now_seconds();
	t->first = t->state.steps;
	while (status == WEIR_OK && t->state.end == WEIR_TRAIN_END_NONE) {
		status = iterate(t, error);
		if (status == WEIR_OK && t->state.end != WEIR_TRAIN_END_NONE) {
			return finish(t, error);
		}
		if (status == WEIR_OK && t->interrupted) {
			return weir_error_set(error, WEIR_ERROR_INTERRUPTED, t->options->directory,
			                      "interrupted after %" PRId64 " of %" PRId64
			                      " steps; they are kept, to be resumed",
			                      t->state.steps, t->config->total_steps);
		}
	}
	return status;
}

/* --- beginning ------------------------------------------------------------------------------ */

static weir_status begin(training *t, weir_error *error)
{
	weir_train_state *s = &t->state;
	weir_train_state_apply_coefficients(s);
	weir_status status = weir_vector_reset(s->vector, &s->buffers, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_learner_begin(s->learner, s->buffers.observations, s->buffers.masks);
	status = weir_train_files_make(&t->files, error);
	if (status == WEIR_OK) {
		status = weir_train_files_lock(&t->files, error);
	}
	if (status == WEIR_OK) {
		status = weir_train_files_clear(&t->files, error);
	}
	if (status == WEIR_OK) {
		status = weir_train_files_write(t->files.config, t->config->text, error);
	}
	if (status == WEIR_OK) {
		status = open_log(t, false, error);
	}
	return status == WEIR_OK ? save_checkpoint(t, error) : status;
}

static weir_status resume(training *t, weir_error *error)
{
	weir_status status = weir_train_files_lock(&t->files, error);
	if (status == WEIR_OK) {
		status = weir_checkpoint_load(&t->state, t->files.checkpoint, error);
	}
	t->saved = t->state.steps;
	return status == WEIR_OK && t->state.end == WEIR_TRAIN_END_NONE ? open_log(t, true, error)
	                                                                : status;
}

static weir_status train(training *t, weir_train_report *report, weir_error *error)
{
	bool resumed;
	weir_status status = weir_train_files_look(&t->files, t->options, &resumed, error);
	if (status == WEIR_OK) {
		status = weir_train_state_create(t->config, &t->state, error);
	}
	if (status == WEIR_OK && !weir_train_names_create(&t->names, &t->state)) {
		status = weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the training");
	}
	if (status == WEIR_OK) {
		status = resumed ? resume(t, error) : begin(t, error);
	}
	if (status == WEIR_OK) {
		status = run(t, error);
	}
	return status == WEIR_OK ? weir_train_state_report(&t->state, report, error) : status;
}

weir_status weir_train(const weir_train_config *config, const weir_train_options *options,
                       weir_train_report *report, weir_error *error)
{
	training t = {.config = config, .options = options};
	weir_status status = weir_train_files_create(&t.files, options->directory, error);
	if (status == WEIR_OK) {
		status = train(&t, report, error);
	}
	weir_train_log_close(t.log);
	weir_train_names_release(&t.names);
	weir_train_state_release(&t.state);
	weir_train_files_release(&t.files);
	return status;
}

weir_status weir_train_look(const weir_train_options *options, weir_error *error)
{
	weir_train_files files;
	bool resumed;
	weir_status status = weir_train_files_create(&files, options->directory, error);
	if (status == WEIR_OK) {
		status = weir_train_files_look(&files, options, &resumed, error);
	}
	weir_train_files_release(&files);
	return status;
}
