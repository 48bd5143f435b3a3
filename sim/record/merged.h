/*
 * Many recorded files as one: tables of their own, and tables of other files joined end to end as
 * virtual datasets.
 *
 * HDF5 reads the part of a virtual dataset whose file is gone as fill values, without an error. So
 * the sources are opened when the file is made, and the table `coverage` keeps what was found: the
 * path, the first row and the number of rows of each source. weir_merged_check compares it with
 * what is there.
 */
#ifndef WEIR_RECORD_MERGED_H
#define WEIR_RECORD_MERGED_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "record/record.h"

WEIR_BEGIN_C

typedef struct weir_merged_source {
	int64_t key;      /* what the coverage table calls it, such as the number of a run */
	const char *path; /* relative ones start where the merged file stands */
} weir_merged_source;

/* A column of numbers or of texts. */
typedef struct weir_merged_column {
	const char *name, *unit, *description;
	const double *numbers; /* one for each row; NULL: texts */
	const char *texts;     /* `text_size` bytes for each row, padded with NUL */
	size_t text_size;
} weir_merged_column;

typedef struct weir_merged_table {
	const char *name, *description;
	size_t rows, column_count;
	const weir_merged_column *columns;
} weir_merged_table;

typedef struct weir_merged_options {
	const char *path;   /* of the file to write */
	const char *format; /* the root attribute "format" */
	const weir_merged_table *tables;
	size_t table_count;
	const char *joined; /* name of the table that is joined from the sources; NULL: none */
	const weir_merged_source *sources;
	size_t source_count;
} weir_merged_options;

/* Writes the file aside (PATH.part), syncs and renames it. Sources must have the columns of the
 * first one, of the same types. Errors, naming the file: a source that is missing, no recorded file
 * or without the table (WEIR_ERROR_IO or _INPUT); what cannot be written. Nothing is left then. */
WEIR_API weir_status weir_merged_write(const weir_merged_options *options, weir_error *error);

/* Whether every source of a merged file is still there with all of its rows of the table `joined`;
 * the error names the first that is not. *sources (may be NULL): how many there are. */
WEIR_API weir_status weir_merged_check(const char *path, const char *joined, uint64_t *sources,
                                       weir_error *error);

WEIR_END_C

#endif
