/*
 * What a config says of the workload: the section `trace` (a trace to replay) and the section
 * `workload` (how to generate one).
 */
#ifndef WEIR_WORKLOAD_WORKLOAD_CONFIG_H
#define WEIR_WORKLOAD_WORKLOAD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "workload/arrivals.h"
#include "workload/sizes.h"
#include "workload/source.h"

WEIR_BEGIN_C

typedef struct weir_generation_config weir_generation_config;

/* The section `trace`. Done in this order: slice, rescale, repeat, superpose. */
typedef struct weir_trace_config {
	const char *path;      /* "" for none, "-" for standard input */
	const char *otherwise; /* the `like` file for where there is no file at `path`, or "" */
	const weir_generation_config *stand_in; /* what it says, where there is none; else NULL */
	const char *format;                     /* of weir_trace_formats, or "auto" */
	bool strict;
	double start, duration; /* of the slice, in the trace's own seconds; duration 0: to the end */
	int64_t max_requests;   /* of the slice; 0: all */
	double time_scale;      /* arrivals are multiplied by it */
	double rate_scale;      /* arrivals are divided by it */
	int64_t repeat;         /* times in all */
	int64_t copies;         /* of every request, see superpose.h */
	double jitter;          /* seconds by which each of them may come later, after rescaling */
} weir_trace_config;

/* The section `workload`. */
typedef enum weir_workload_kind {
	WEIR_WORKLOAD_AUTO, /* a trace where the config names one */
	WEIR_WORKLOAD_TRACE,
	WEIR_WORKLOAD_GENERATED
} weir_workload_kind;

struct weir_generation_config {
	int kind;         /* weir_workload_kind */
	const char *like; /* the file that arrivals and sizes of kind `like` were taken from, or "" */
	weir_arrivals_config arrivals;
	weir_sizes_config sizes;
	double rate_scale;
	double duration; /* 0: no limit; a `like` file's own where neither limit is given */
	int64_t count;   /* 0: no limit */
};

typedef struct weir_workload_config {
	weir_trace_config trace;
	weir_generation_config generation;
} weir_workload_config;

WEIR_API extern const weir_key_table weir_trace_keys;
/* Reads the `like` file as well. */
WEIR_API extern const weir_key_table weir_generation_keys;

WEIR_API weir_trace_config weir_trace_config_default(void);

/*
 * A file for `workload.like` (traces/ has some): {source, duration, arrivals, sizes}. Relative to
 * `path` are the files it names. Strings and lists are of the arena's. *generation is wholly set.
 */
WEIR_API weir_status weir_generation_load(const char *path, weir_arena *arena,
                                          weir_generation_config *generation, weir_error *error);

/* True when requests are to be generated, false when a trace, or what stands in for it, is
 * replayed. */
WEIR_API bool weir_workload_is_generated(const weir_workload_config *config);

/*
 * The stream of requests that the config asks for; randomness from `seed`. *source is to be
 * destroyed with weir_source_destroy; NULL after an error. The config is not needed afterwards.
 * Errors: no workload is named, or what opening its trace gives.
 */
WEIR_API weir_status weir_workload_open(const weir_workload_config *config, uint64_t seed,
                                        weir_source **source, weir_error *error);

/* Slices, rescales, repeats and superposes as `config` says, the jitter from `seed`; ids count from
 * 0 where requests come more than once. *source is replaced, as by the functions of transform.h, as
 * far as was done before an error. */
WEIR_API weir_status weir_trace_config_apply(const weir_trace_config *config, uint64_t seed,
                                             weir_source **source, weir_error *error);

/* One line that says where requests come from, for reports and records: "trace F", "generated like
 * F", "generated", or "no trace F: generated like G". To be freed; NULL when memory is out. */
WEIR_API char *weir_workload_describe(const weir_workload_config *config);

WEIR_END_C

#endif
