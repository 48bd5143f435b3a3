/* A table of figures with their intervals, laid out as text, Markdown, CSV or JSON. */
#ifndef WEIR_ANALYSIS_TABLE_H
#define WEIR_ANALYSIS_TABLE_H

#include <stddef.h>

#include "base/export.h"

WEIR_BEGIN_C

typedef enum weir_table_column_kind {
	WEIR_TABLE_TEXT,
	WEIR_TABLE_FIGURE,    /* a number */
	WEIR_TABLE_ESTIMATE,  /* a number and the half-width of its interval */
	WEIR_TABLE_DIFFERENCE /* the same with its sign; for people with a star when the interval
	                         excludes 0 */
} weir_table_column_kind;

typedef struct weir_table_column {
	const char *name, *unit; /* unit "" for none */
	weir_table_column_kind kind;
	int decimals; /* of numbers, for people; CSV and JSON have every digit */
} weir_table_column;

/* A number that is not finite is shown as "-", is empty in CSV and null in JSON. A half-width that
 * is not finite (one replication has none) is left out. */
typedef struct weir_table_cell {
	const char *text; /* of a text column; NULL as "" */
	double value, half_width;
} weir_table_cell;

typedef struct weir_table {
	const char *title; /* "" for none */
	const weir_table_column *columns;
	size_t column_count;
	const weir_table_cell *cells; /* row after row */
	size_t row_count;
} weir_table;

typedef enum weir_table_format {
	WEIR_TABLE_AS_TEXT,
	WEIR_TABLE_AS_MARKDOWN,
	WEIR_TABLE_AS_CSV, /* RFC 4180, lines ended by \n; an interval is a column NAME_half_width */
	WEIR_TABLE_AS_JSON /* {title, columns: [{name, unit}], rows: [{NAME: text, number or {value,
	                      half_width}}]} */
} weir_table_format;

/* "text", "markdown", "csv", "json"; NULL-terminated. */
WEIR_API extern const char *const weir_table_format_names[];

/* The table as text, with a newline at its end. Column names must differ. To be freed; NULL when
 * memory is out. */
WEIR_API char *weir_table_print(const weir_table *table, weir_table_format format);

WEIR_END_C

#endif
