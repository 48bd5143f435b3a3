/* Profiles from SplitwiseSim's performance CSV. */
#include <errno.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/profile.h"

enum { LINE_SIZE = 65536, LARGEST_COLUMNS = 256, LARGEST_SIZE = 1 << 26 };

/* The columns that are read. */
typedef enum column {
	COLUMN_MODEL,
	COLUMN_HARDWARE,
	COLUMN_TENSOR_PARALLEL,
	COLUMN_PROMPT_SIZE,
	COLUMN_BATCH_SIZE,
	COLUMN_PROMPT_TIME,
	COLUMN_TOKEN_TIME,
	COLUMN_AVERAGE_POWER, /* the only one that may be missing */
	COLUMNS
} column;

static const char *const column_names[COLUMNS] = {
    "model",      "hardware",    "tensor_parallel", "prompt_size",
    "batch_size", "prompt_time", "token_time",      "average_power",
};

/* One row of the CSV. */
typedef struct measurement {
	weir_profile_target target;
	double batch_tokens;
	double prompt_seconds, token_seconds;
	double power_share; /* 0: not measured */
} measurement;

typedef struct csv_reader {
	const char *path;
	FILE *file;
	long long line;
	char *text;      /* of the line, LINE_SIZE bytes */
	int at[COLUMNS]; /* where each column stands, -1: nowhere */
	int field_count; /* of every line */
	const char *fields[LARGEST_COLUMNS];
} csv_reader;

/* Reads the next line that is not blank and cuts it into fields; *more is false at the end. */
static weir_status read_fields(csv_reader *csv, int *count, bool *more, weir_error *error)
{
	*more = false;
	do {
		csv->line++;
		if (fgets(csv->text, LINE_SIZE, csv->file) == NULL) {
			if (ferror(csv->file)) {
				return weir_error_set(error, WEIR_ERROR_IO, csv->path, "cannot be read: %s",
				                      strerror(errno));
			}
			return WEIR_OK;
		}
		size_t length = strlen(csv->text);
		if (length + 1 == LINE_SIZE && csv->text[length - 1] != '\n') {
			return weir_error_set_line(error, WEIR_ERROR_INPUT, csv->path, csv->line,
			                           "longer than %d bytes", LINE_SIZE - 2);
		}
		csv->text[strcspn(csv->text, "\r\n")] = '\0';
	} while (csv->text[0] == '\0');
	*count = 0;
	char *rest = csv->text;
	for (char *field; (field = strsep(&rest, ",")) != NULL; (*count)++) {
		if (*count == LARGEST_COLUMNS) {
			return weir_error_set_line(error, WEIR_ERROR_INPUT, csv->path, csv->line,
			                           "more than %d columns", LARGEST_COLUMNS);
		}
		csv->fields[*count] = field;
	}
	*more = true;
	return WEIR_OK;
}

static weir_status read_header(csv_reader *csv, weir_error *error)
{
	bool more = false;
	weir_status status = read_fields(csv, &csv->field_count, &more, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (!more) {
		return weir_error_set(error, WEIR_ERROR_INPUT, csv->path,
		                      "the file is empty; expected a line of column names");
	}
	for (int c = 0; c < COLUMNS; c++) {
		csv->at[c] = -1;
		for (int i = 0; i < csv->field_count; i++) {
			if (strcmp(csv->fields[i], column_names[c]) != 0) {
				continue;
			}
			if (csv->at[c] >= 0) {
				return weir_error_set_line(error, WEIR_ERROR_INPUT, csv->path, csv->line,
				                           "column '%s' is there twice", column_names[c]);
			}
			csv->at[c] = i;
		}
		if (csv->at[c] < 0 && c != COLUMN_AVERAGE_POWER) {
			return weir_error_set_line(error, WEIR_ERROR_INPUT, csv->path, csv->line,
			                           "no column '%s'; the first line names the columns",
			                           column_names[c]);
		}
	}
	return WEIR_OK;
}

static weir_status fail_field(const csv_reader *csv, column c, const char *wanted,
                              weir_error *error)
{
	return weir_error_set_line(error, WEIR_ERROR_INPUT, csv->path, csv->line,
	                           "%s is '%.40s', not %s", column_names[c], csv->fields[csv->at[c]],
	                           wanted);
}

static weir_status read_size(const csv_reader *csv, column c, int64_t *size, weir_error *error)
{
	if (!weir_parse_int64(csv->fields[csv->at[c]], size) || *size < 1 || *size > LARGEST_SIZE) {
		return fail_field(csv, c, "a whole number from 1 to 2^26", error);
	}
	return WEIR_OK;
}

static weir_status read_seconds(const csv_reader *csv, column c, double *seconds, weir_error *error)
{
	double milliseconds = 0.0;
	if (!weir_parse_double(csv->fields[csv->at[c]], &milliseconds) || milliseconds <= 0.0 ||
	    milliseconds > 1e12) {
		return fail_field(csv, c, "a time in ms above 0", error);
	}
	/* Before the median, as the reference does: the last bit can depend on it. */
	*seconds = milliseconds / 1000.0;
	return WEIR_OK;
}

static weir_status read_power(const csv_reader *csv, double *share, weir_error *error)
{
	*share = 0.0;
	if (csv->at[COLUMN_AVERAGE_POWER] >= 0 &&
	    (!weir_parse_double(csv->fields[csv->at[COLUMN_AVERAGE_POWER]], share) || *share < 0.0 ||
	     *share > 10.0)) {
		return fail_field(csv, COLUMN_AVERAGE_POWER, "a share of TDP from 0 to 10", error);
	}
	return WEIR_OK;
}

/* The field's text in the arena; `previous`, the row before's, where it is the same. */
static weir_status read_name(const csv_reader *csv, column c, const char *previous,
                             weir_arena *arena, const char **name, weir_error *error)
{
	const char *text = csv->fields[csv->at[c]];
	if (text[0] == '\0') {
		return fail_field(csv, c, "a name", error);
	}
	*name =
	    previous != NULL && strcmp(previous, text) == 0 ? previous : weir_arena_string(arena, text);
	return *name != NULL
	           ? WEIR_OK
	           : weir_error_set(error, WEIR_ERROR_MEMORY, csv->path, "no memory for its names");
}

static weir_status read_measurement(const csv_reader *csv, int field_count,
                                    const measurement *previous, weir_arena *arena,
                                    measurement *row, weir_error *error)
{
	if (field_count != csv->field_count) {
		return weir_error_set_line(error, WEIR_ERROR_INPUT, csv->path, csv->line,
		                           "%d columns; the first line names %d", field_count,
		                           csv->field_count);
	}
	int64_t prompt_size = 0;
	int64_t batch_size = 0;
	weir_status status =
	    read_name(csv, COLUMN_MODEL, previous != NULL ? previous->target.model : NULL, arena,
	              &row->target.model, error);
	if (status == WEIR_OK) {
		status = read_name(csv, COLUMN_HARDWARE, previous != NULL ? previous->target.gpu : NULL,
		                   arena, &row->target.gpu, error);
	}
	if (status == WEIR_OK) {
		status = read_size(csv, COLUMN_TENSOR_PARALLEL, &row->target.tensor_parallel, error);
	}
	if (status == WEIR_OK) {
		status = read_size(csv, COLUMN_PROMPT_SIZE, &prompt_size, error);
	}
	if (status == WEIR_OK) {
		status = read_size(csv, COLUMN_BATCH_SIZE, &batch_size, error);
	}
	if (status == WEIR_OK) {
		status = read_seconds(csv, COLUMN_PROMPT_TIME, &row->prompt_seconds, error);
	}
	if (status == WEIR_OK) {
		status = read_seconds(csv, COLUMN_TOKEN_TIME, &row->token_seconds, error);
	}
	if (status == WEIR_OK) {
		status = read_power(csv, &row->power_share, error);
	}
	row->batch_tokens = (double)(prompt_size * batch_size);
	return status;
}

static weir_status read_rows(csv_reader *csv, weir_arena *arena, measurement **rows, size_t *count,
                             weir_error *error)
{
	size_t capacity = 0;
	weir_status status = read_header(csv, error);
	while (status == WEIR_OK) {
		bool more = false;
		int field_count = 0;
		status = read_fields(csv, &field_count, &more, error);
		if (status != WEIR_OK || !more) {
			break;
		}
		if (!weir_reserve((void **)rows, &capacity, *count + 1, sizeof **rows)) {
			return weir_error_set(error, WEIR_ERROR_MEMORY, csv->path, "no memory for its rows");
		}
		const measurement *previous = *count > 0 ? &(*rows)[*count - 1] : NULL;
		status = read_measurement(csv, field_count, previous, arena, &(*rows)[*count], error);
		(*count)++;
	}
	if (status == WEIR_OK && *count == 0) {
		status = weir_error_set(error, WEIR_ERROR_INPUT, csv->path,
		                        "no rows after the line of column names");
	}
	return status;
}

static int compare_rows(const void *a, const void *b)
{
	const measurement *x = a;
	const measurement *y = b;
	int order = weir_profile_compare_targets(&x->target, &y->target);
	return order != 0 ? order
	                  : (x->batch_tokens > y->batch_tokens) - (x->batch_tokens < y->batch_tokens);
}

/* The median of scratch[count]; 0 of none. */
static double median(double *scratch, size_t count)
{
	if (count == 0) {
		return 0.0;
	}
	gsl_sort(scratch, 1, count);
	return gsl_stats_median_from_sorted_data(scratch, 1, count);
}

/* Rows of one target and batch size, to entry `i` of the curve. */
static void add_entry(const measurement *rows, size_t count, double *scratch,
                      weir_profile_curve *curve)
{
	size_t i = curve->batch_tokens.count;
	((double *)curve->batch_tokens.items)[i] = rows[0].batch_tokens;
	for (size_t r = 0; r < count; r++) {
		scratch[r] = rows[r].prompt_seconds;
	}
	((double *)curve->prompt_seconds.items)[i] = median(scratch, count);
	for (size_t r = 0; r < count; r++) {
		scratch[r] = rows[r].token_seconds;
	}
	((double *)curve->token_seconds.items)[i] = median(scratch, count);
	size_t measured = 0;
	for (size_t r = 0; r < count; r++) {
		if (rows[r].power_share > 0.0) {
			scratch[measured++] = rows[r].power_share;
		}
	}
	((double *)curve->power_share.items)[i] = median(scratch, measured);
	curve->batch_tokens.count++;
	curve->prompt_seconds.count++;
	curve->token_seconds.count++;
	curve->power_share.count++;
}

/* Rows of one target, sorted by batch size, to a curve. False when memory is out. */
static bool make_curve(const measurement *rows, size_t count, double *scratch, weir_arena *arena,
                       weir_profile_curve *curve)
{
	size_t entries = 1;
	for (size_t i = 1; i < count; i++) {
		entries += rows[i].batch_tokens > rows[i - 1].batch_tokens;
	}
	*curve = (weir_profile_curve){
	    .target = rows[0].target,
	    .batch_tokens.items = weir_arena_allocate(arena, entries, sizeof(double)),
	    .prompt_seconds.items = weir_arena_allocate(arena, entries, sizeof(double)),
	    .token_seconds.items = weir_arena_allocate(arena, entries, sizeof(double)),
	    .power_share.items = weir_arena_allocate(arena, entries, sizeof(double)),
	};
	if (curve->batch_tokens.items == NULL || curve->prompt_seconds.items == NULL ||
	    curve->token_seconds.items == NULL || curve->power_share.items == NULL) {
		return false;
	}
	for (size_t begin = 0, end; begin < count; begin = end) {
		end = begin + 1;
		while (end < count && rows[end].batch_tokens == rows[begin].batch_tokens) {
			end++;
		}
		add_entry(rows + begin, end - begin, scratch, curve);
	}
	return true;
}

/* Sorts the rows and gathers them into curves. False when memory is out. */
static bool make_curves(measurement *rows, size_t count, weir_arena *arena, weir_profile *profile)
{
	qsort(rows, count, sizeof *rows, compare_rows);
	size_t targets = 1;
	for (size_t i = 1; i < count; i++) {
		targets += weir_profile_compare_targets(&rows[i - 1].target, &rows[i].target) != 0;
	}
	weir_profile_curve *curves = weir_arena_allocate(arena, targets, sizeof *curves);
	double *scratch = weir_allocate(count, sizeof *scratch);
	bool made = curves != NULL && scratch != NULL;
	profile->curves = (weir_key_list){.items = curves};
	for (size_t begin = 0, end; begin < count && made; begin = end) {
		end = begin + 1;
		while (end < count &&
		       weir_profile_compare_targets(&rows[begin].target, &rows[end].target) == 0) {
			end++;
		}
		made =
		    make_curve(rows + begin, end - begin, scratch, arena, &curves[profile->curves.count++]);
	}
	free(scratch);
	return made;
}

weir_status weir_profile_build(const char *csv_path, weir_arena *arena, weir_profile *profile,
                               weir_error *error)
{
	csv_reader csv = {.path = csv_path, .file = fopen(csv_path, "rb")};
	if (csv.file == NULL) {
		return weir_error_set(error, WEIR_ERROR_IO, csv_path, "cannot be opened: %s",
		                      strerror(errno));
	}
	measurement *rows = NULL;
	size_t count = 0;
	weir_status status = WEIR_OK;
	csv.text = weir_allocate(LINE_SIZE, 1);
	if (csv.text == NULL) {
		status = weir_error_set(error, WEIR_ERROR_MEMORY, csv_path, "no memory to read it");
	} else {
		status = read_rows(&csv, arena, &rows, &count, error);
	}
	*profile = (weir_profile){.source = "", .licence = ""};
	if (status == WEIR_OK && !make_curves(rows, count, arena, profile)) {
		status = weir_error_set(error, WEIR_ERROR_MEMORY, csv_path, "no memory for its medians");
	}
	if (status == WEIR_OK) {
		status = weir_profile_check(profile, csv_path, error);
	}
	free(rows);
	free(csv.text);
	fclose(csv.file);
	return status;
}
