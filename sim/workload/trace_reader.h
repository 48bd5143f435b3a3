/*
 * Request traces as streams: one row at a time, from a file, a pipe or a gzip file.
 */
#ifndef WEIR_WORKLOAD_TRACE_READER_H
#define WEIR_WORKLOAD_TRACE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "workload/source.h"

WEIR_BEGIN_C

typedef struct weir_trace_options {
	const char *path;   /* "-" is standard input */
	const char *format; /* name of a format (trace_format.h); NULL or "auto": by its first line */
	bool strict;        /* refuse what would be skipped */
} weir_trace_options;

/* What has been read since the start. */
typedef struct weir_trace_counts {
	int64_t rows;        /* with those skipped, without header and blank lines */
	int64_t requests;    /* handed out */
	int64_t no_output;   /* rows skipped for 0 output tokens: requests that failed */
	int64_t no_prompt;   /* rows skipped for 0 prompt tokens, but some output */
	int64_t blank_lines; /* skipped */
} weir_trace_counts;

/*
 * Opens a trace; *source is to be destroyed with weir_source_destroy. Errors: the file cannot be
 * opened, is empty, of no known format, or lacks columns.
 *
 * weir_source_next then checks every row; its errors carry FILE:LINE: a wrong number of fields, a
 * field that is not a finite number in range, tokens above WEIR_TRACE_MAX_TOKENS, an arrival before
 * the one above it, a trace without any request. Rows with 0 tokens are an error too, but in
 * formats that log failed requests (azure, burstgpt) they are skipped and counted unless `strict`.
 * After an error only rewind, restore and destroy are of use.
 *
 * Can be saved and restored when it reads a file: the state may be given to another reader of the
 * same file and options. Memory: one line (at most 64 KiB of CSV, 16 MiB of JSON) and a constant.
 */
WEIR_API weir_status weir_trace_open(const weir_trace_options *options, weir_source **source,
                                     weir_error *error);

/* Of a source made by weir_trace_open. */
WEIR_API weir_trace_counts weir_trace_reader_counts(const weir_source *source);
/* Number of the last line read, from 1. */
WEIR_API int64_t weir_trace_reader_line(const weir_source *source);
WEIR_API const char *weir_trace_reader_format(const weir_source *source);

WEIR_END_C

#endif
