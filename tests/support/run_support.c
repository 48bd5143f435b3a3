#include "support/run_support.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "record/reader.h"
#include "support/test_support.h"

const weir_config *test_config(const char *path, ...)
{
	enum { MOST_SETS = 32 };
	const char *sets[MOST_SETS];
	size_t count = 0;
	va_list args;
	va_start(args, path);
	for (const char *set; (set = va_arg(args, const char *)) != NULL;) {
		ck_assert_uint_lt(count, MOST_SETS);
		sets[count++] = set;
	}
	va_end(args);
	static const char *const directories[] = {WEIR_CONFIG_DIRECTORY, NULL};
	const weir_document_options options = {
	    .path = path, .directories = directories, .sets = sets, .set_count = count};
	const weir_config *config = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_config_load(&options, &config, &error), &error);
	return config;
}

weir_run_result test_run(const weir_config *config, const char *output, const char *requests_csv)
{
	weir_run_options options = weir_run_options_default();
	options.output = output;
	options.requests_csv = requests_csv;
	weir_run_result result;
	weir_error error = {0};
	ck_assert_ok(weir_run(config, &options, &result, &error), &error);
	return result;
}

static weir_reader *open_file(const char *path)
{
	weir_reader *reader = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_reader_open(path, &reader, &error), &error);
	return reader;
}

const char *test_digest(const char *path)
{
	static char digest[WEIR_DIGEST_SIZE];
	weir_error error = {0};
	weir_reader *reader = open_file(path);
	ck_assert_ok(weir_reader_digest(reader, digest, &error), &error);
	weir_reader_close(reader);
	return digest;
}

static size_t row_count(weir_reader *reader, const char *table)
{
	uint64_t rows = 0;
	weir_error error = {0};
	ck_assert_ok(weir_reader_rows(reader, table, &rows, &error), &error);
	return (size_t)rows;
}

static void read_column(weir_reader *reader, const char *table, const char *column, size_t count,
                        double *values)
{
	weir_error error = {0};
	ck_assert_ok(weir_reader_read(reader, table, column, 0, count, values, &error), &error);
}

weir_request_row *test_recorded_rows(const char *path, size_t *count)
{
	weir_reader *reader = open_file(path);
	*count = row_count(reader, "requests");
	weir_request_row *rows = weir_allocate(*count + 1, sizeof *rows);
	double *values = weir_allocate(*count + 1, sizeof *values);
	ck_assert(rows != NULL && values != NULL);
#define READ_FIELD(field, type, column, unit, description)                                         \
	read_column(reader, "requests", #field, *count, values);                                       \
	for (size_t i = 0; i < *count; i++) {                                                          \
		rows[i].field = (type)values[i];                                                           \
	}
	WEIR_REQUEST_ROW(READ_FIELD)
#undef READ_FIELD
	free(values);
	weir_reader_close(reader);
	return rows;
}

double *test_recorded_column(const char *path, const char *table, const char *column, size_t *count)
{
	weir_reader *reader = open_file(path);
	*count = row_count(reader, table);
	double *values = weir_allocate(*count + 1, sizeof *values);
	ck_assert_ptr_nonnull(values);
	read_column(reader, table, column, *count, values);
	weir_reader_close(reader);
	return values;
}

double test_recorded_total(const char *path, const char *name)
{
	weir_reader *reader = open_file(path);
	size_t count = row_count(reader, "totals");
	char *names = weir_allocate(count, WEIR_COLUMN_NAME_SIZE);
	ck_assert_ptr_nonnull(names);
	weir_error error = {0};
	ck_assert_ok(weir_reader_read_names(reader, "totals", "name", 0, count, names, &error), &error);
	size_t i = 0;
	while (i < count && strcmp(names + i * WEIR_COLUMN_NAME_SIZE, name) != 0) {
		i++;
	}
	ck_assert_msg(i < count, "%s has no total %s", path, name);
	double value = 0;
	ck_assert_ok(weir_reader_read(reader, "totals", "value", i, 1, &value, &error), &error);
	free(names);
	weir_reader_close(reader);
	return value;
}
