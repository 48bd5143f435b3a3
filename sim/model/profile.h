/*
 * Profiles: measured iteration times (and power) of models on GPUs, kept as JSON in
 * configs/profiles.
 *
 * A file is an object of "source" and "licence" (of the measurements) and "curves", a list of
 *   {"model", "gpu", "tensor_parallel",
 *    "batch_tokens": [...], "prompt_seconds": [...], "token_seconds": [...], "power_share": [...]}
 * whose four lists have one entry per measured batch size: prompt_size * batch_size tokens
 * (rising), the median seconds of the prompt iteration and of one token iteration, and the median
 * share of the server's TDP drawn over the run, 0 where it was not measured. "power_share" may be
 * left out.
 */
#ifndef WEIR_MODEL_PROFILE_H
#define WEIR_MODEL_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "base/memory.h"

WEIR_BEGIN_C

/* What a curve was measured on. */
typedef struct weir_profile_target {
	const char *model;
	const char *gpu;
	int64_t tensor_parallel;
} weir_profile_target;

typedef struct weir_profile_curve {
	weir_profile_target target;
	/* Lists of double, of one length of at least 2 (power_share: that or 0). */
	weir_key_list batch_tokens; /* whole, rising */
	weir_key_list prompt_seconds;
	weir_key_list token_seconds;
	weir_key_list power_share;
} weir_profile_curve;

typedef struct weir_profile {
	const char *source;
	const char *licence;
	weir_key_list curves; /* of weir_profile_curve */
} weir_profile;

/*
 * Reads a profile file into *profile, whose memory is in `arena`. Refused are, besides what is not
 * such a file: lists of different lengths or of one entry, batch sizes that do not rise, two curves
 * of one target, and times that the straight line through the first two entries, by which the table
 * model goes on to smaller batches, would bring to zero or below.
 */
WEIR_API weir_status weir_profile_read(const char *path, weir_arena *arena, weir_profile *profile,
                                       weir_error *error);

/* What weir_profile_read refuses beyond form and types, for a profile made otherwise; `file` is
 * what errors call it. */
WEIR_API weir_status weir_profile_check(const weir_profile *profile, const char *file,
                                        weir_error *error);

/*
 * Makes a profile of SplitwiseSim's performance CSV, into `arena`; source and licence are left to
 * the caller. Columns, found by their names in the first line: model, hardware, tensor_parallel,
 * prompt_size, batch_size, prompt_time, token_time (ms); average_power (share of TDP, 0: not
 * measured) may be missing; others are ignored. Rows of one (model, hardware, tensor_parallel) and
 * prompt_size * batch_size become one entry of medians, power over its measured rows alone. Curves
 * are in order of model, GPU and tensor_parallel. A bad row is an error at FILE:LINE.
 */
WEIR_API weir_status weir_profile_build(const char *csv_path, weir_arena *arena,
                                        weir_profile *profile, weir_error *error);

/* Writes a profile file, aside and then renamed, in numbers that read back exactly. */
WEIR_API weir_status weir_profile_write(const weir_profile *profile, const char *path,
                                        weir_error *error);

/* The curve of one target, or NULL. */
WEIR_API const weir_profile_curve *weir_profile_find(const weir_profile *profile,
                                                     const weir_profile_target *target);

/* The order of targets, as strcmp: by model, GPU, tensor_parallel. */
WEIR_API int weir_profile_compare_targets(const weir_profile_target *a,
                                          const weir_profile_target *b);

WEIR_END_C

#endif
