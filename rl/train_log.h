/*
 * The figures of a training, as they come, in the forms that tools read:
 *
 *   progress.csv    one row for each call; the first column is time/total_timesteps
 *   progress.jsonl  one JSON object for each call
 *   events.out.tfevents.0.weir   for TensorBoard
 *   timing.csv      what depends on the machine: steps a second, seconds elapsed
 *
 * All but timing.csv follow from the training alone, byte for byte. They hold no times of day:
 * where TensorBoard wants one, it gets the number of steps, so that its "wall" axis counts steps as
 * seconds since 1970. A training that was stopped goes on with the lengths that the files had at
 * its checkpoint: what was written after it is cut off, and the files end as those of a training
 * that was never stopped. timing.csv alone is only added to, so that steps done twice stand there
 * twice.
 *
 * Names are those of Stable-Baselines3's logger (rollout/ep_rew_mean, train/loss, eval/mean_reward,
 * ...). All that will ever come are said at the start, so that progress.csv has one header; a row
 * may lack some.
 *
 * Rows are written at once, so that others can follow them; sync before a checkpoint.
 */
#ifndef WEIR_RL_TRAIN_LOG_H
#define WEIR_RL_TRAIN_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

/* Bytes of each file. */
typedef struct weir_train_log_lengths {
	uint64_t csv, jsonl, events;
} weir_train_log_lengths;

typedef struct weir_train_log weir_train_log;

/*
 * Logs into `directory`, which is made if its parent is there. `names[count]` are copied; plain
 * words without blanks, quotes and commas, none of them time/total_timesteps.
 *
 * `resume` NULL: files that are there are begun anew. Otherwise they must be there, with the same
 * names, and are cut to these lengths; refused when one is shorter than that.
 */
WEIR_API weir_status weir_train_log_open(const char *directory, const char *const *names,
                                         size_t count, const weir_train_log_lengths *resume,
                                         weir_train_log **log, weir_error *error);

/* What was known after `step` steps: values[count] by names[count], in any order, each at most
 * once. A name that was not said at the start is a mistake of the caller's (WEIR_ERROR_INTERNAL).
 * NaN and infinities are "nan", "inf" and "-inf" in progress.csv and null in progress.jsonl. */
WEIR_API weir_status weir_train_log_add(weir_train_log *log, int64_t step, const char *const *names,
                                        const double *values, size_t count, weir_error *error);
/* Steps a second of wall-clock time, and seconds since the training began. */
WEIR_API weir_status weir_train_log_timing(weir_train_log *log, int64_t step, double fps,
                                           double elapsed, weir_error *error);

/* Waits until all is on the disk. */
WEIR_API weir_status weir_train_log_sync(weir_train_log *log, weir_error *error);
/* For a checkpoint. */
WEIR_API weir_train_log_lengths weir_train_log_lengths_of(const weir_train_log *log);

/* NULL is let be. */
WEIR_API void weir_train_log_close(weir_train_log *log);

WEIR_END_C

#endif
