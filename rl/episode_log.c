#include "rl/episode_log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { NAME_SIZE = 256 };

bool weir_episode_log_create(weir_episode_log *log, size_t environments,
                             const weir_info_term *terms, size_t term_count)
{
	/* One more than the figures, of which there may be none. */
	size_t room = term_count + 1;
	*log = (weir_episode_log){
	    .environments = environments,
	    .term_count = term_count,
	    .terms = terms,
	    .rewards = weir_allocate(environments, sizeof(double)),
	    .sums = weir_allocate(environments * room, sizeof(double)),
	    .lengths = weir_allocate(environments, sizeof(int64_t)),
	    .window_rewards = weir_allocate(WEIR_EPISODE_WINDOW, sizeof(double)),
	    .window_lengths = weir_allocate(WEIR_EPISODE_WINDOW, sizeof(double)),
	    .window_terms = weir_allocate(WEIR_EPISODE_WINDOW * room, sizeof(double)),
	};
	return log->rewards != NULL && log->sums != NULL && log->lengths != NULL &&
	       log->window_rewards != NULL && log->window_lengths != NULL && log->window_terms != NULL;
}

void weir_episode_log_release(weir_episode_log *log)
{
	free(log->rewards);
	free(log->sums);
	free(log->lengths);
	free(log->window_rewards);
	free(log->window_lengths);
	free(log->window_terms);
	*log = (weir_episode_log){0};
}

static void end_episode(weir_episode_log *log, size_t e)
{
	size_t at = (size_t)(log->ended % WEIR_EPISODE_WINDOW);
	double *sums = log->sums + e * log->term_count;
	log->window_rewards[at] = log->rewards[e];
	log->window_lengths[at] = (double)log->lengths[e];
	for (size_t i = 0; i < log->term_count; i++) {
		log->window_terms[at * log->term_count + i] =
		    log->terms[i].reward ? sums[i] : sums[i] / (double)log->lengths[e];
		sums[i] = 0;
	}
	log->rewards[e] = 0;
	log->lengths[e] = 0;
	log->ended++;
}

void weir_episode_log_step(weir_episode_log *log, size_t e, double reward, const double *info,
                           bool done)
{
	log->rewards[e] += reward;
	log->lengths[e]++;
	for (size_t i = 0; i < log->term_count; i++) {
		log->sums[e * log->term_count + i] += info[i];
	}
	if (done) {
		end_episode(log, e);
	}
}

static double window_mean(const weir_episode_log *log, const double *values, size_t stride)
{
	size_t count =
	    log->ended < WEIR_EPISODE_WINDOW ? (size_t)log->ended : (size_t)WEIR_EPISODE_WINDOW;
	double sum = 0;
	for (size_t i = 0; i < count; i++) {
		sum += values[i * stride];
	}
	return count > 0 ? sum / (double)count : NAN;
}

double weir_episode_log_reward(const weir_episode_log *log)
{
	return window_mean(log, log->window_rewards, 1);
}

double weir_episode_log_length(const weir_episode_log *log)
{
	return window_mean(log, log->window_lengths, 1);
}

double weir_episode_log_term(const weir_episode_log *log, size_t term)
{
	return window_mean(log, log->window_terms + term, log->term_count);
}

/* --- checkpoints ---------------------------------------------------------------------------- */

typedef struct kept_array {
	const char *name;
	weir_archive_type type;
	size_t rank, extents[2];
	void *values;
	const char *description;
} kept_array;

enum { ARRAYS = 7 };

static void list_arrays(const weir_episode_log *log, kept_array arrays[ARRAYS])
{
	const kept_array all[ARRAYS] = {
	    {"rewards",
	     WEIR_ARCHIVE_DOUBLE,
	     1,
	     {log->environments},
	     log->rewards,
	     "of the running episodes, so far"},
	    {"lengths",
	     WEIR_ARCHIVE_INT64,
	     1,
	     {log->environments},
	     log->lengths,
	     "steps of the running episodes, so far"},
	    {"window_rewards",
	     WEIR_ARCHIVE_DOUBLE,
	     1,
	     {WEIR_EPISODE_WINDOW},
	     log->window_rewards,
	     "of the last episodes that ended"},
	    {"window_lengths",
	     WEIR_ARCHIVE_DOUBLE,
	     1,
	     {WEIR_EPISODE_WINDOW},
	     log->window_lengths,
	     "steps of the last episodes that ended"},
	    {"ended", WEIR_ARCHIVE_INT64, 0, {0}, (void *)&log->ended, "episodes that ended"},
	    {"sums",
	     WEIR_ARCHIVE_DOUBLE,
	     2,
	     {log->environments, log->term_count},
	     log->sums,
	     "of each figure over the running episodes"},
	    {"window_terms",
	     WEIR_ARCHIVE_DOUBLE,
	     2,
	     {WEIR_EPISODE_WINDOW, log->term_count},
	     log->window_terms,
	     "each figure of the last episodes that ended"},
	};
	memcpy(arrays, all, sizeof all);
}

/* Without figures there are no arrays of them. */
static size_t array_count(const weir_episode_log *log)
{
	return log->term_count > 0 ? ARRAYS : ARRAYS - 2;
}

weir_status weir_episode_log_put(const weir_episode_log *log, weir_archive_writer *archive,
                                 const char *group, weir_error *error)
{
	kept_array arrays[ARRAYS];
	list_arrays(log, arrays);
	weir_status status = WEIR_OK;
	for (size_t i = 0; i < array_count(log) && status == WEIR_OK; i++) {
		const kept_array *a = &arrays[i];
		char name[NAME_SIZE];
		snprintf(name, sizeof name, "%s/%s", group, a->name);
		status = weir_archive_put(archive, name, a->type, a->rank, a->extents, a->values, "",
		                          a->description, error);
	}
	return status;
}

weir_status weir_episode_log_get(weir_episode_log *log, const weir_archive *archive,
                                 const char *group, weir_error *error)
{
	kept_array arrays[ARRAYS];
	list_arrays(log, arrays);
	weir_status status = WEIR_OK;
	for (size_t i = 0; i < array_count(log) && status == WEIR_OK; i++) {
		const kept_array *a = &arrays[i];
		char name[NAME_SIZE];
		snprintf(name, sizeof name, "%s/%s", group, a->name);
		status = weir_archive_get(archive, name, a->type, a->rank, a->extents, a->values, error);
	}
	if (status == WEIR_OK && log->ended < 0) {
		status = weir_error_set(error, WEIR_ERROR_INPUT, weir_archive_path(archive),
		                        "%s/ended is below 0", group);
	}
	return status;
}
