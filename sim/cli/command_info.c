/* weir info: what a recorded file holds; info_archive.c has agents and checkpoints. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/info_archive.h"
#include "record/archive.h"
#include "record/reader.h"

static const char help[] =
    "usage: weir info FILE.h5 [--json]\n"
    "\n"
    "Prints what a recorded file holds: its status, attributes and provenance (version, seed,\n"
    "command line), its tables with their columns and units, and the rows of the summary. Of an\n"
    "agent or a checkpoint: the environment that it was made for, what it sees and does, its\n"
    "network, and the arrays in the file.\n"
    "\n"
    "options:\n"
    "      --json   print all of it as JSON\n"
    "\n"
    "examples:\n"
    "  weir info run.h5\n"
    "  weir info run.h5 --json | jq '.tables[].rows'\n"
    "  weir info out/cartpole/final.h5\n";

static const char SUMMARY[] = "summary";

/* The JSON tree that is being built, and from where. The text form is printed from the tree. */
typedef struct info_builder {
	weir_reader *reader;
	const char *object; /* whose attributes, or which table's columns, are being visited */
	cJSON *into;
	weir_status status; /* of the first failure inside a visit */
	weir_error *error;
} info_builder;

/* cJSON's numbers are doubles; integers go in digit by digit. */
static void add_integer(cJSON *object, const char *name, int64_t value)
{
	char digits[32];
	snprintf(digits, sizeof digits, "%" PRId64, value);
	cJSON_AddRawToObject(object, name, digits);
}

/* JSON has no NaN and no infinity: they become null. */
static void add_number(cJSON *object, const char *name, double value)
{
	char digits[40];
	if (value - value == 0.0) {
		snprintf(digits, sizeof digits, "%.17g", value);
		cJSON_AddRawToObject(object, name, digits);
	} else {
		cJSON_AddNullToObject(object, name);
	}
}

static bool add_attribute(void *context, const char *name)
{
	info_builder *builder = context;
	char *text = NULL;
	int64_t integer = 0;
	double number = 0.0;
	weir_error ignored;
	if (weir_reader_text(builder->reader, builder->object, name, &text, &ignored) == WEIR_OK) {
		cJSON_AddStringToObject(builder->into, name, text);
		free(text);
	} else if (weir_reader_integer(builder->reader, builder->object, name, &integer, &ignored) ==
	           WEIR_OK) {
		add_integer(builder->into, name, integer);
	} else if (weir_reader_number(builder->reader, builder->object, name, &number, &ignored) ==
	           WEIR_OK) {
		add_number(builder->into, name, number);
	}
	return true;
}

static weir_status add_attributes(info_builder *builder, const char *object, cJSON *into)
{
	builder->object = object;
	builder->into = into;
	return weir_reader_attributes(builder->reader, object, add_attribute, builder, builder->error);
}

static bool add_column(void *context, const char *name)
{
	static const char *const type_names[] = {
	    [WEIR_COLUMN_DOUBLE] = "double", [WEIR_COLUMN_INT64] = "int64",
	    [WEIR_COLUMN_INT32] = "int32",   [WEIR_COLUMN_UINT32] = "uint32",
	    [WEIR_COLUMN_UINT8] = "uint8",   [WEIR_COLUMN_NAME] = "name"};
	info_builder *builder = context;
	cJSON *column = cJSON_CreateObject();
	cJSON_AddStringToObject(column, "name", name);
	weir_column_type type;
	builder->status =
	    weir_reader_column_type(builder->reader, builder->object, name, &type, builder->error);
	if (builder->status == WEIR_OK) {
		cJSON_AddStringToObject(column, "type", type_names[type]);
		char path[600];
		snprintf(path, sizeof path, "/%s/%s", builder->object, name);
		info_builder attributes = {.reader = builder->reader, .error = builder->error};
		builder->status = add_attributes(&attributes, path, column);
	}
	cJSON_AddItemToArray(builder->into, column);
	return builder->status == WEIR_OK;
}

static weir_status add_columns(info_builder *builder, const char *table, cJSON *into)
{
	info_builder columns = {.reader = builder->reader,
	                        .object = table,
	                        .into = into,
	                        .status = WEIR_OK,
	                        .error = builder->error};
	weir_status status =
	    weir_reader_columns(builder->reader, table, add_column, &columns, builder->error);
	return status != WEIR_OK ? status : columns.status;
}

static bool add_table(void *context, const char *name)
{
	info_builder *builder = context;
	cJSON *table = cJSON_CreateObject();
	cJSON_AddStringToObject(table, "name", name);
	uint64_t rows = 0;
	builder->status = weir_reader_rows(builder->reader, name, &rows, builder->error);
	add_integer(table, "rows", (int64_t)rows);
	if (builder->status == WEIR_OK) {
		info_builder attributes = {.reader = builder->reader, .error = builder->error};
		builder->status = add_attributes(&attributes, name, table);
	}
	if (builder->status == WEIR_OK) {
		builder->status = add_columns(builder, name, cJSON_AddArrayToObject(table, "columns"));
	}
	cJSON_AddItemToArray(builder->into, table);
	return builder->status == WEIR_OK;
}

/* Adds the value of one column to each row object of the summary. */
static weir_status add_summary_column(weir_reader *reader, const cJSON *column, cJSON *rows,
                                      uint64_t count, weir_error *error)
{
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(column, "name"));
	const char *type = cJSON_GetStringValue(cJSON_GetObjectItem(column, "type"));
	bool is_name = strcmp(type, "name") == 0;
	bool is_double = strcmp(type, "double") == 0;
	void *values = weir_allocate(count, WEIR_COLUMN_NAME_SIZE);
	char *value_names = NULL;
	size_t value_count = 0;
	size_t value_size = 0;
	weir_status status =
	    values == NULL ? weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory")
	    : is_name      ? weir_reader_read_names(reader, SUMMARY, name, 0, count, values, error)
	    : is_double    ? weir_reader_read(reader, SUMMARY, name, 0, count, values, error)
	                   : weir_reader_read_int64(reader, SUMMARY, name, 0, count, values, error);
	if (status == WEIR_OK) {
		status = weir_reader_value_names(reader, SUMMARY, name, &value_names, &value_count,
		                                 &value_size, error);
	}
	cJSON *row = rows->child;
	for (uint64_t i = 0; status == WEIR_OK && i < count; i++, row = row->next) {
		if (is_name) {
			cJSON_AddStringToObject(row, name, (char *)values + i * WEIR_COLUMN_NAME_SIZE);
		} else if (is_double) {
			add_number(row, name, ((double *)values)[i]);
		} else {
			int64_t value = ((int64_t *)values)[i];
			if (value >= 0 && (uint64_t)value < value_count) {
				cJSON_AddStringToObject(row, name, value_names + (size_t)value * value_size);
			} else {
				add_integer(row, name, value);
			}
		}
	}
	free(value_names);
	free(values);
	return status;
}

static weir_status add_summary(weir_reader *reader, const cJSON *tables, cJSON *root,
                               weir_error *error)
{
	weir_status status = WEIR_OK;
	const cJSON *table;
	cJSON_ArrayForEach(table, tables)
	{
		if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(table, "name")), SUMMARY) != 0) {
			continue;
		}
		uint64_t count = 0;
		status = weir_reader_rows(reader, SUMMARY, &count, error);
		cJSON *rows = cJSON_AddArrayToObject(root, SUMMARY);
		for (uint64_t i = 0; i < count; i++) {
			cJSON_AddItemToArray(rows, cJSON_CreateObject());
		}
		const cJSON *column;
		cJSON_ArrayForEach(column, cJSON_GetObjectItem(table, "columns"))
		{
			if (status == WEIR_OK) {
				status = add_summary_column(reader, column, rows, count, error);
			}
		}
	}
	return status;
}

static weir_status build(weir_reader *reader, cJSON *root, weir_error *error)
{
	info_builder builder = {.reader = reader, .error = error};
	cJSON_AddStringToObject(root, "file", weir_reader_path(reader));
	weir_status status = add_attributes(&builder, "/", cJSON_AddObjectToObject(root, "attributes"));
	weir_error ignored;
	info_builder provenance = {.reader = reader, .error = &ignored};
	cJSON *into = cJSON_AddObjectToObject(root, "provenance");
	(void)add_attributes(&provenance, "/provenance", into);
	cJSON *tables = cJSON_AddArrayToObject(root, "tables");
	if (status == WEIR_OK) {
		builder.into = tables;
		status = weir_reader_tables(reader, add_table, &builder, error);
	}
	if (status == WEIR_OK) {
		status = builder.status;
	}
	return status == WEIR_OK ? add_summary(reader, tables, root, error) : status;
}

static const char *value_text(const cJSON *value)
{
	/* Numbers are kept raw, that is, as text too. */
	return value == NULL || value->valuestring == NULL ? "-" : value->valuestring;
}

static void print_attributes(const cJSON *attributes)
{
	const cJSON *attribute;
	cJSON_ArrayForEach(attribute, attributes)
	{
		printf("  %-20s %s\n", attribute->string, value_text(attribute));
	}
}

static void print_tables(const cJSON *tables)
{
	const cJSON *table;
	cJSON_ArrayForEach(table, tables)
	{
		printf("\n%s: %s rows. %s\n", value_text(cJSON_GetObjectItem(table, "name")),
		       value_text(cJSON_GetObjectItem(table, "rows")),
		       value_text(cJSON_GetObjectItem(table, "description")));
		const cJSON *column;
		cJSON_ArrayForEach(column, cJSON_GetObjectItem(table, "columns"))
		{
			printf("  %-20s %-7s %-10s %s\n", value_text(cJSON_GetObjectItem(column, "name")),
			       value_text(cJSON_GetObjectItem(column, "type")),
			       value_text(cJSON_GetObjectItem(column, "units")),
			       value_text(cJSON_GetObjectItem(column, "description")));
		}
	}
}

/* A value as people read it: not all 17 digits of a number. */
static const char *cell_text(const cJSON *value, char *buffer, size_t size)
{
	if (cJSON_IsRaw(value) && strpbrk(value->valuestring, ".e") != NULL) {
		snprintf(buffer, size, "%.6g", strtod(value->valuestring, NULL));
		return buffer;
	}
	return value_text(value);
}

static int column_width(const cJSON *rows, const char *column)
{
	int width = (int)strlen(column);
	const cJSON *row;
	cJSON_ArrayForEach(row, rows)
	{
		char buffer[40];
		const cJSON *cell = cJSON_GetObjectItem(row, column);
		int length = (int)strlen(cell_text(cell, buffer, sizeof buffer));
		width = length > width ? length : width;
	}
	return width;
}

/* Texts to the left, numbers to the right. */
static void print_cell(const cJSON *rows, const cJSON *cell, const char *text)
{
	int width = column_width(rows, cell->string);
	printf("  %*s", cJSON_IsString(cell) ? -width : width, text);
}

static void print_summary(const cJSON *rows)
{
	if (rows == NULL || rows->child == NULL) {
		return;
	}
	puts("");
	const cJSON *row;
	const cJSON *cell;
	cJSON_ArrayForEach(cell, rows->child)
	{
		print_cell(rows, cell, cell->string);
	}
	puts("");
	cJSON_ArrayForEach(row, rows)
	{
		cJSON_ArrayForEach(cell, row)
		{
			char buffer[40];
			print_cell(rows, cell, cell_text(cell, buffer, sizeof buffer));
		}
		puts("");
	}
}

static void print_text(const cJSON *root)
{
	printf("%s\n", value_text(cJSON_GetObjectItem(root, "file")));
	print_attributes(cJSON_GetObjectItem(root, "attributes"));
	const cJSON *provenance = cJSON_GetObjectItem(root, "provenance");
	if (provenance->child != NULL) {
		puts("\nprovenance");
		print_attributes(provenance);
	}
	print_tables(cJSON_GetObjectItem(root, "tables"));
	print_summary(cJSON_GetObjectItem(root, SUMMARY));
}

static int run(const weir_command *command, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {0}};
	bool json = false;
	optind = 1;
	opterr = 0;
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'j') {
			return cli_usage_error(command, "unknown option %s", argv[optind - 1]);
		}
		json = true;
	}
	if (argc - optind != 1) {
		return cli_usage_error(command, "one FILE.h5 is needed, %d are given", argc - optind);
	}
	if (weir_archive_is(argv[optind])) {
		return cli_info_archive(argv[optind], json);
	}
	weir_error error;
	weir_reader *reader = NULL;
	if (weir_reader_open(argv[optind], &reader, &error) != WEIR_OK) {
		return cli_fail(&error);
	}
	cJSON *root = cJSON_CreateObject();
	weir_status status = build(reader, root, &error);
	weir_reader_close(reader);
	char *text = status == WEIR_OK && json ? cJSON_Print(root) : NULL;
	if (status == WEIR_OK && json && text == NULL) {
		status = weir_error_set(&error, WEIR_ERROR_MEMORY, NULL, "out of memory");
	}
	if (status == WEIR_OK && json) {
		puts(text);
	} else if (status == WEIR_OK) {
		print_text(root);
	}
	cJSON_free(text);
	cJSON_Delete(root);
	return status == WEIR_OK ? 0 : cli_fail(&error);
}

const weir_command command_info = {
    .name = "info", .summary = "print what a recorded file holds", .help = help, .run = run};
