/*
 * What the episodes of a training came to: the running ones of each environment, and means over the
 * last 100 that ended, as Stable-Baselines3's ep_info_buffer.
 *
 * A figure of the environment (weir_info_term) counts for an episode with the sum over its steps
 * where it is a part of the reward, so that the parts add up to the episode's reward, else with the
 * mean.
 */
#ifndef WEIR_RL_EPISODE_LOG_H
#define WEIR_RL_EPISODE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "record/archive.h"
#include "rl/env.h"

WEIR_BEGIN_C

enum { WEIR_EPISODE_WINDOW = 100 };

typedef struct weir_episode_log {
	size_t environments, term_count;
	const weir_info_term *terms; /* borrowed */
	/* Of the running episode of each environment: [environments], sums[environments][term_count] */
	double *rewards, *sums;
	int64_t *lengths;
	/* Of the last ones that ended, the n-th at n % WEIR_EPISODE_WINDOW; window_terms
	 * [WEIR_EPISODE_WINDOW][term_count] */
	double *window_rewards, *window_lengths, *window_terms;
	int64_t ended;
} weir_episode_log;

/* False when memory is out; to be released in any case. */
WEIR_API bool weir_episode_log_create(weir_episode_log *log, size_t environments,
                                      const weir_info_term *terms, size_t term_count);
WEIR_API void weir_episode_log_release(weir_episode_log *log);

/* One step of environment e; `done`: its episode ended with it. info[term_count] */
WEIR_API void weir_episode_log_step(weir_episode_log *log, size_t e, double reward,
                                    const double *info, bool done);

/* Means over the last episodes that ended; NaN when none did. */
WEIR_API double weir_episode_log_reward(const weir_episode_log *log);
WEIR_API double weir_episode_log_length(const weir_episode_log *log);
WEIR_API double weir_episode_log_term(const weir_episode_log *log, size_t term);

/* Into, and out of, the group `group` of an archive; of the same environments. */
WEIR_API weir_status weir_episode_log_put(const weir_episode_log *log, weir_archive_writer *archive,
                                          const char *group, weir_error *error);
WEIR_API weir_status weir_episode_log_get(weir_episode_log *log, const weir_archive *archive,
                                          const char *group, weir_error *error);

WEIR_END_C

#endif
