/* A recorded run, opened to be looked at: its tables, its config, and what there is to say of a
 * file that is not whole. */
#ifndef WEIR_ANALYSIS_RUN_FILE_H
#define WEIR_ANALYSIS_RUN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "config/config.h"
#include "config/slo_reference.h"
#include "record/reader.h"

WEIR_BEGIN_C

typedef struct weir_run_file {
	weir_reader *reader;
	char *name;                /* of the file, without its folder and ".h5" */
	char *partial;             /* NULL for a run that ended; else a sentence for a banner */
	char *config_text;         /* the whole config as JSON; NULL when the file has none */
	uint64_t request_rows;     /* of /requests */
	const weir_config *config; /* NULL: see config_problem */
	bool has_slo;              /* `slo` can be asked */
	weir_config_slo slo;
	char config_problem[WEIR_ERROR_MESSAGE_SIZE]; /* why there is no config or no SLO, or "" */
} weir_run_file;

/*
 * Opens a file, to be closed by weir_run_file_close. Refused, with a sentence: what
 * weir_reader_open refuses (no such file, not HDF5, not a weir file, a newer schema, a run that has
 * not finished), and a file without a table of requests. A config that cannot be used here (the
 * profile that it names is elsewhere, say) is no error: without it there are no slowdowns.
 */
WEIR_API weir_status weir_run_file_open(const char *path, weir_run_file *run, weir_error *error);
WEIR_API void weir_run_file_close(weir_run_file *run);

/* Rows of a table; 0 when the file has no such table. */
WEIR_API uint64_t weir_run_file_rows(const weir_run_file *run, const char *table);

/* A whole column as doubles, to be freed. Errors: no such column, damage, out of memory. */
WEIR_API weir_status weir_run_file_column(const weir_run_file *run, const char *table,
                                          const char *column, double **values, weir_error *error);
/* A whole column of names, WEIR_COLUMN_NAME_SIZE bytes each, to be freed. */
WEIR_API weir_status weir_run_file_names(const weir_run_file *run, const char *table,
                                         const char *column, char **names, weir_error *error);

/* What the numbers of a column stand for. */
typedef struct weir_value_names {
	char *texts; /* to be freed */
	size_t count, size;
} weir_value_names;

WEIR_API weir_status weir_run_file_value_names(const weir_run_file *run, const char *table,
                                               const char *column, weir_value_names *names,
                                               weir_error *error);
/* The text of one value; "?" for one that has none. */
WEIR_API const char *weir_value_name(const weir_value_names *names, double value);
/* The value that has this text; -1 when none has. */
WEIR_API double weir_value_of(const weir_value_names *names, const char *text);

/* The figure of /totals; NaN when it is not there. */
WEIR_API double weir_run_file_total(const weir_run_file *run, const char *name);

WEIR_END_C

#endif
