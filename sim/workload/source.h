/*
 * A stream of requests, in order of arrival: what trace readers, generators and their
 * transformations all are.
 *
 * One request at a time is drawn; memory does not grow with the length of the stream.
 */
#ifndef WEIR_WORKLOAD_SOURCE_H
#define WEIR_WORKLOAD_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

/* One request as the workload knows it. */
typedef struct weir_request {
	double arrival;                /* seconds since the start of the trace, never decreasing */
	int64_t id;                    /* as in the trace, else its place in the stream from 0 */
	int64_t prompt_tokens;         /* at least 1 */
	int64_t output_tokens;         /* at least 1 */
	int64_t application;           /* 0 unless the trace says otherwise */
	const uint64_t *prefix_hashes; /* hash ids of the prompt's prefix blocks; owned by the source
	                                  until the next call; NULL when the trace has none */
	size_t prefix_hash_count;
} weir_request;

typedef struct weir_source weir_source;

/* What every kind of source provides; `next` and `rewind` may fail, with the file and line. */
typedef struct weir_source_type {
	const char *name;
	/* Sets *more to false at the end. */
	weir_status (*next)(weir_source *source, weir_request *request, bool *more, weir_error *error);
	/* Starts again from the first request, as if newly made. A pipe cannot: WEIR_ERROR_INPUT. */
	weir_status (*rewind)(weir_source *source, weir_error *error);
	/* State for snapshots: its size in bytes, written to or read from `state`. A source that cannot
	 * be restored (a pipe) has state_size return 0. */
	size_t (*state_size)(const weir_source *source);
	void (*save)(const weir_source *source, void *state);
	weir_status (*restore)(weir_source *source, const void *state, weir_error *error);
	/* How much of the stream has been drawn, 0..1; NULL or NaN: not known. */
	double (*share_drawn)(const weir_source *source);
	void (*destroy)(weir_source *source);
} weir_source_type;

/* First member of every concrete source. */
struct weir_source {
	const weir_source_type *type;
};

/* Draws the next request into *request. *more is false at the end, and then *request is untouched.
 */
WEIR_API weir_status weir_source_next(weir_source *source, weir_request *request, bool *more,
                                      weir_error *error);
WEIR_API weir_status weir_source_rewind(weir_source *source, weir_error *error);
WEIR_API size_t weir_source_state_size(const weir_source *source);
WEIR_API void weir_source_save(const weir_source *source, void *state);
WEIR_API weir_status weir_source_restore(weir_source *source, const void *state, weir_error *error);
/* For progress: how much of the stream has been drawn, 0..1, roughly; NaN when not known. */
WEIR_API double weir_source_share_drawn(const weir_source *source);
/* Destroys a source and those it draws from; NULL is allowed. */
WEIR_API void weir_source_destroy(weir_source *source);

WEIR_END_C

#endif
