#include "rl/row_table.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { NAME_SIZE = 96 };

/* Every field has room for the widest type. */
struct weir_row_table {
	weir_arena *arena; /* of names and texts */
	weir_table_schema schema;
	weir_column *columns;
	size_t capacity;
	char *row;
	weir_recorder *recorder;
	int number;
};

weir_row_table *weir_row_table_create(const char *name, const char *description)
{
	weir_row_table *table = weir_allocate(1, sizeof *table);
	if (table == NULL) {
		return NULL;
	}
	table->schema.name = name;
	table->schema.description = description;
	table->arena = weir_arena_create();
	if (table->arena == NULL) {
		weir_row_table_destroy(table);
		return NULL;
	}
	return table;
}

void weir_row_table_destroy(weir_row_table *table)
{
	if (table != NULL) {
		weir_arena_destroy(table->arena);
		free(table->columns);
		free(table->row);
		free(table);
	}
}

int weir_row_table_add(weir_row_table *table, weir_column_type type, const char *unit,
                       const char *description, const char *const *value_names,
                       const char *name_format, ...)
{
	assert(table->row == NULL && type != WEIR_COLUMN_NAME);
	char name[NAME_SIZE];
	va_list arguments;
	va_start(arguments, name_format);
	vsnprintf(name, sizeof name, name_format, arguments);
	va_end(arguments);
	size_t count = table->schema.column_count;
	for (size_t c = 0; c < count; c++) {
		if (strcmp(table->columns[c].name, name) == 0) {
			return (int)c;
		}
	}
	if (!weir_reserve((void **)&table->columns, &table->capacity, count + 1,
	                  sizeof *table->columns)) {
		return -1;
	}
	const weir_column added = {
	    .name = weir_arena_string(table->arena, name),
	    .type = type,
	    .offset = count * sizeof(double),
	    .unit = weir_arena_string(table->arena, unit),
	    .description = weir_arena_string(table->arena, description),
	    .value_names = value_names,
	};
	if (added.name == NULL || added.unit == NULL || added.description == NULL) {
		return -1;
	}
	table->columns[count] = added;
	table->schema.columns = table->columns;
	return (int)table->schema.column_count++;
}

weir_status weir_row_table_define(weir_row_table *table, weir_recorder *recorder, weir_error *error)
{
	table->schema.row_size = table->schema.column_count * sizeof(double);
	table->row = weir_allocate(table->schema.column_count, sizeof(double));
	if (table->row == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for /%s",
		                      table->schema.name);
	}
	table->recorder = recorder;
	weir_row_table_clear(table);
	return weir_recorder_add_table(recorder, &table->schema, &table->number, error);
}

void weir_row_table_set(weir_row_table *table, int column, double value)
{
	char *field = table->row + table->columns[column].offset;
	if (table->columns[column].type == WEIR_COLUMN_DOUBLE) {
		memcpy(field, &value, sizeof value);
		return;
	}
	int64_t wide = (int64_t)value;
	int32_t narrow = (int32_t)wide;
	uint8_t byte = (uint8_t)wide;
	switch (table->columns[column].type) {
	case WEIR_COLUMN_INT64:
		memcpy(field, &wide, sizeof wide);
		break;
	case WEIR_COLUMN_INT32:
		memcpy(field, &narrow, sizeof narrow);
		break;
	default:
		memcpy(field, &byte, sizeof byte);
	}
}

void weir_row_table_clear(weir_row_table *table)
{
	for (size_t c = 0; c < table->schema.column_count; c++) {
		bool number = table->columns[c].type == WEIR_COLUMN_DOUBLE;
		weir_row_table_set(table, (int)c, number ? (double)NAN : 0.0);
	}
}

weir_status weir_row_table_append(weir_row_table *table, weir_error *error)
{
	return weir_recorder_append(table->recorder, table->number, table->row, error);
}
