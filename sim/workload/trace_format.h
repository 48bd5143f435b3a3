/*
 * Formats of request traces, each one const descriptor: how to recognise it, read a row, write one.
 *
 * To add a format: one .c with its descriptor, one line in trace_format.c.
 */
#ifndef WEIR_WORKLOAD_TRACE_FORMAT_H
#define WEIR_WORKLOAD_TRACE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "workload/source.h"
#include "workload/trace_csv.h"
#include "workload/trace_date.h"
#include "workload/trace_input.h"
#include "workload/trace_output.h"

WEIR_BEGIN_C

/* The largest prompt or output of one request, in tokens. */
#define WEIR_TRACE_MAX_TOKENS INT64_C(2147483647)

/* What the formats need while they read one trace. Zero at first, but for `input`. */
typedef struct weir_trace_parser {
	const weir_trace_input *input; /* for the file and line in messages */
	weir_trace_header header;      /* of a CSV trace */
	weir_trace_day day;            /* of a dated trace */
	uint64_t *hashes;              /* of the last row; freed by the reader */
	size_t hash_capacity;
} weir_trace_parser;

/* One row. A format sets the request's arrival, or time_ns when it is dated; both sizes, which may
 * be 0; and of id and application what it knows (they are preset). */
typedef struct weir_trace_row {
	weir_request request;
	int64_t time_ns; /* since 1970-01-01 */
} weir_trace_row;

typedef struct weir_trace_format {
	const char *name;
	const char *doc;    /* one line */
	size_t line_limit;  /* bytes */
	bool dated;         /* rows carry dates; the first one is time 0 */
	bool logs_failures; /* rows without tokens are requests that failed: skipped unless strict */
	const weir_trace_column
	    *columns; /* of the CSV header, ending with a NULL name; NULL: no header */

	/* Whether a trace of this format may begin with this line. */
	bool (*recognises)(weir_trace_text line);
	/* Errors carry the line (weir_trace_input_fail). */
	weir_status (*read_row)(weir_trace_parser *parser, weir_trace_text line, weir_trace_row *row,
	                        weir_error *error);

	weir_status (*write_header)(weir_trace_output *output, weir_error *error); /* may be NULL */
	weir_status (*write_row)(weir_trace_output *output, const weir_request *request,
	                         weir_error *error);
} weir_trace_format;

/* All formats, ending with NULL. */
WEIR_API extern const weir_trace_format *const weir_trace_formats[];

/* The format of that name, or NULL. */
WEIR_API const weir_trace_format *weir_trace_format_find(const char *name);

/* The names of all formats, with commas, for messages. Returns `buffer`. */
WEIR_API const char *weir_trace_format_names(char *buffer, size_t size);

/* Reads a number of tokens, from 0 to WEIR_TRACE_MAX_TOKENS; `name` is that of the field. */
weir_status weir_trace_tokens(const weir_trace_parser *parser, const char *name,
                              weir_trace_text text, int64_t *tokens, weir_error *error);
/* Reads an identifier: a whole number from 0 to 2^63 - 1. */
weir_status weir_trace_identifier(const weir_trace_parser *parser, const char *name,
                                  weir_trace_text text, int64_t *identifier, weir_error *error);
/* Reads a time stamp in units of 10^shift seconds, not negative. */
weir_status weir_trace_time(const weir_trace_parser *parser, const char *name, weir_trace_text text,
                            int shift, double *seconds, weir_error *error);

WEIR_END_C

#endif
