/*
 * The lines of a trace, from a plain file, a pipe or a gzip file (known by its first bytes, not by
 * its name), in constant memory: one buffer, whose lines are handed out in place.
 *
 * Cost: one memchr for each line; read(2) in pieces of a quarter of a MiB.
 */
#ifndef WEIR_WORKLOAD_TRACE_INPUT_H
#define WEIR_WORKLOAD_TRACE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

/* A stretch of the current line. *end can be read and is no character of a number, so that a loop
 * over digits needs no test of its own for the end. */
typedef struct weir_trace_text {
	const char *begin;
	const char *end;
} weir_trace_text;

typedef struct weir_trace_input weir_trace_input;

/* Where the next line begins; plain data, to be kept in a snapshot. */
typedef struct weir_trace_position {
	uint64_t offset;   /* bytes of text before it, after decompression */
	int64_t line;      /* lines before it */
	int64_t file_size; /* bytes on disk, to notice another file of the same name */
} weir_trace_position;

/*
 * Opens `path`; "-" is standard input. A line longer than `line_limit` bytes is refused when it is
 * met; until then memory stays below 3 * line_limit + 1 MiB. Errors: missing, unreadable, a
 * directory. The input is to be closed.
 */
weir_status weir_trace_input_open(const char *path, size_t line_limit, weir_trace_input **input,
                                  weir_error *error);
/* NULL is allowed. */
void weir_trace_input_close(weir_trace_input *input);

/* Changes the limit, once the format is known. */
void weir_trace_input_set_limit(weir_trace_input *input, size_t line_limit);

/*
 * The next line, without its end (LF or CR LF; a byte order mark before the first one is dropped),
 * valid until the next call. *more is false at the end. Errors, with FILE:LINE: a line over the
 * limit, a NUL byte, truncated or corrupt gzip data, a failed read.
 */
weir_status weir_trace_input_next(weir_trace_input *input, weir_trace_text *line, bool *more,
                                  weir_error *error);

/* Makes weir_trace_input_next hand out again the line it handed out last; only once. */
void weir_trace_input_unread(weir_trace_input *input);

/* Number of the last line handed out, from 1; 0 before the first. */
int64_t weir_trace_input_line(const weir_trace_input *input);
/* The path, or "standard input". */
const char *weir_trace_input_name(const weir_trace_input *input);

/* Whether the input is a file, which can be read again; a pipe cannot. */
bool weir_trace_input_seekable(const weir_trace_input *input);
weir_trace_position weir_trace_input_tell(const weir_trace_input *input);
/* Goes to a position told by this or another input of the same file; cheap within the buffer, and
 * for gzip otherwise as costly as reading up to there. A pipe, a truncated or another file:
 * WEIR_ERROR_INPUT. */
weir_status weir_trace_input_seek(weir_trace_input *input, const weir_trace_position *position,
                                  weir_error *error);

/* Fills *error with FILE:LINE of the last line handed out; returns WEIR_ERROR_INPUT. */
weir_status weir_trace_input_fail(const weir_trace_input *input, weir_error *error,
                                  const char *format, ...) WEIR_PRINTF(3, 4);

WEIR_END_C

#endif
