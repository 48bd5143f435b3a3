/*
 * Comma-separated traces: columns by the names of the header, in any order.
 *
 * Fields may be quoted ("...", with "" for a quote), but hold no newline.
 */
#ifndef WEIR_WORKLOAD_TRACE_CSV_H
#define WEIR_WORKLOAD_TRACE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "workload/trace_input.h"

WEIR_BEGIN_C

enum {
	WEIR_TRACE_MAX_COLUMNS = 8,
	WEIR_TRACE_MAX_FIELDS = 64,
	WEIR_TRACE_CSV_LINE_LIMIT = 64 * 1024 /* bytes */
};

/* A column that a format knows. A table of them ends with a NULL name. */
typedef struct weir_trace_column {
	const char *name; /* compared without regard to case */
	bool required;
} weir_trace_column;

/* Which field of a row is which column. */
typedef struct weir_trace_header {
	size_t field_count;
	int8_t column[WEIR_TRACE_MAX_FIELDS]; /* of each field; -1: not known, skipped */
	bool present[WEIR_TRACE_MAX_COLUMNS];
} weir_trace_header;

/* Whether all required columns are in this header line. */
bool weir_trace_csv_recognises(const weir_trace_column *columns, weir_trace_text line);

/* Reads the header line, the current one of `input`. Errors: a missing or repeated column, more
 * than WEIR_TRACE_MAX_FIELDS fields. */
weir_status weir_trace_csv_header(const weir_trace_input *input, const weir_trace_column *columns,
                                  weir_trace_text line, weir_trace_header *header,
                                  weir_error *error);

/* Splits a row; fields[i] is that of columns[i], without quotes and blanks around it, untouched
 * when the trace has no such column. Errors: another number of fields than the header, a quote that
 * is not closed. */
weir_status weir_trace_csv_split(const weir_trace_input *input, const weir_trace_header *header,
                                 weir_trace_text line,
                                 weir_trace_text fields[WEIR_TRACE_MAX_COLUMNS], weir_error *error);

WEIR_END_C

#endif
