#include "analysis/table.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

enum { SHOWN_SIZE = 1024 };

const char *const weir_table_format_names[] = {"text", "markdown", "csv", "json", NULL};

static const weir_table_cell *cell_at(const weir_table *table, size_t row, size_t column)
{
	return &table->cells[row * table->column_count + column];
}

static const char *text_of(const weir_table_cell *cell)
{
	return cell->text != NULL ? cell->text : "";
}

static bool has_interval(const weir_table_column *column)
{
	return column->kind == WEIR_TABLE_ESTIMATE || column->kind == WEIR_TABLE_DIFFERENCE;
}

/* A cell for people. `plus_minus` is how the layout writes it. */
static const char *show(char shown[SHOWN_SIZE], const weir_table_column *column,
                        const weir_table_cell *cell, const char *plus_minus)
{
	if (column->kind == WEIR_TABLE_TEXT) {
		return text_of(cell);
	}
	if (!isfinite(cell->value)) {
		return "-";
	}
	bool difference = column->kind == WEIR_TABLE_DIFFERENCE;
	/* A rounded -0 would say that there is something below 0. */
	double value = fabs(cell->value) < 0.5 * pow(10.0, -column->decimals) ? 0.0 : cell->value;
	int used = snprintf(shown, SHOWN_SIZE, difference && value != 0.0 ? "%+.*f" : "%.*f",
	                    column->decimals, value);
	if (has_interval(column) && isfinite(cell->half_width)) {
		const char *star = !difference ? "" : fabs(cell->value) > cell->half_width ? " *" : "  ";
		snprintf(shown + used, SHOWN_SIZE - (size_t)used, " %s %.*f%s", plus_minus,
		         column->decimals, cell->half_width, star);
	}
	return shown;
}

static const char *heading(char shown[SHOWN_SIZE], const weir_table_column *column)
{
	if (column->unit[0] == '\0') {
		return column->name;
	}
	snprintf(shown, SHOWN_SIZE, "%s (%s)", column->name, column->unit);
	return shown;
}

/* Characters of UTF-8: every byte but those that continue one. */
static size_t width_of(const char *text)
{
	size_t width = 0;
	for (; *text != '\0'; text++) {
		width += ((unsigned char)*text & 0xc0U) != 0x80U;
	}
	return width;
}

static void pad(FILE *file, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fputc(' ', file);
	}
}

/* Words to the left, numbers to the right; no blanks at the end of a line. */
static void put_aligned(FILE *file, const char *text, size_t width, bool right, bool last)
{
	size_t missing = width - width_of(text);
	pad(file, right ? missing : 0);
	size_t length = strlen(text);
	while (last && length > 0 && text[length - 1] == ' ') {
		length--;
	}
	fwrite(text, 1, length, file);
	pad(file, right || last ? 0 : missing);
	fputs(last ? "\n" : "  ", file);
}

static void put_text(FILE *file, const weir_table *table, size_t *widths)
{
	char shown[SHOWN_SIZE];
	size_t columns = table->column_count;
	for (size_t c = 0; c < columns; c++) {
		widths[c] = width_of(heading(shown, &table->columns[c]));
		for (size_t r = 0; r < table->row_count; r++) {
			const char *text = show(shown, &table->columns[c], cell_at(table, r, c), "+-");
			size_t width = width_of(text);
			widths[c] = width > widths[c] ? width : widths[c];
		}
	}
	if (table->title[0] != '\0') {
		fprintf(file, "%s\n\n", table->title);
	}
	for (size_t c = 0; c < columns; c++) {
		put_aligned(file, heading(shown, &table->columns[c]), widths[c],
		            table->columns[c].kind != WEIR_TABLE_TEXT, c + 1 == columns);
	}
	for (size_t r = 0; r < table->row_count; r++) {
		for (size_t c = 0; c < columns; c++) {
			put_aligned(file, show(shown, &table->columns[c], cell_at(table, r, c), "+-"),
			            widths[c], table->columns[c].kind != WEIR_TABLE_TEXT, c + 1 == columns);
		}
	}
}

static void put_markdown_cell(FILE *file, const char *text)
{
	fputc(' ', file);
	for (; *text != '\0'; text++) {
		if (*text == '|' || *text == '\\' || *text == '*') {
			fputc('\\', file);
		}
		fputc(*text == '\n' ? ' ' : *text, file);
	}
	fputs(" |", file);
}

static void put_markdown(FILE *file, const weir_table *table)
{
	char shown[SHOWN_SIZE];
	if (table->title[0] != '\0') {
		fprintf(file, "**%s**\n\n", table->title);
	}
	fputc('|', file);
	for (size_t c = 0; c < table->column_count; c++) {
		put_markdown_cell(file, heading(shown, &table->columns[c]));
	}
	fputs("\n|", file);
	for (size_t c = 0; c < table->column_count; c++) {
		fputs(table->columns[c].kind == WEIR_TABLE_TEXT ? " --- |" : " ---: |", file);
	}
	fputc('\n', file);
	for (size_t r = 0; r < table->row_count; r++) {
		fputc('|', file);
		for (size_t c = 0; c < table->column_count; c++) {
			put_markdown_cell(file, show(shown, &table->columns[c], cell_at(table, r, c), "±"));
		}
		fputc('\n', file);
	}
}

static void put_csv_text(FILE *file, const char *text, const char *suffix)
{
	if (strpbrk(text, ",\"\r\n") == NULL) {
		fprintf(file, "%s%s", text, suffix);
		return;
	}
	fputc('"', file);
	for (; *text != '\0'; text++) {
		fputs(*text == '"' ? "\"\"" : (const char[]){*text, '\0'}, file);
	}
	fprintf(file, "%s\"", suffix);
}

static void put_csv_number(FILE *file, double value)
{
	char number[WEIR_JSON_NUMBER_SIZE];
	if (isfinite(value)) {
		fputs(weir_json_format_number(number, value), file);
	}
}

static void put_csv(FILE *file, const weir_table *table)
{
	for (size_t c = 0; c < table->column_count; c++) {
		fputs(c > 0 ? "," : "", file);
		put_csv_text(file, table->columns[c].name, "");
		if (has_interval(&table->columns[c])) {
			fputc(',', file);
			put_csv_text(file, table->columns[c].name, "_half_width");
		}
	}
	fputc('\n', file);
	for (size_t r = 0; r < table->row_count; r++) {
		for (size_t c = 0; c < table->column_count; c++) {
			const weir_table_cell *cell = cell_at(table, r, c);
			fputs(c > 0 ? "," : "", file);
			if (table->columns[c].kind == WEIR_TABLE_TEXT) {
				put_csv_text(file, text_of(cell), "");
				continue;
			}
			put_csv_number(file, cell->value);
			if (has_interval(&table->columns[c])) {
				fputc(',', file);
				put_csv_number(file, cell->half_width);
			}
		}
		fputc('\n', file);
	}
}

static bool add_number(cJSON *object, const char *name, double value)
{
	cJSON *number = isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull();
	return cJSON_AddItemToObject(object, name, number);
}

static bool add_cell(cJSON *row, const weir_table_column *column, const weir_table_cell *cell)
{
	if (column->kind == WEIR_TABLE_TEXT) {
		return cJSON_AddStringToObject(row, column->name, text_of(cell)) != NULL;
	}
	if (!has_interval(column)) {
		return add_number(row, column->name, cell->value);
	}
	cJSON *estimate = cJSON_AddObjectToObject(row, column->name);
	return estimate != NULL && add_number(estimate, "value", cell->value) &&
	       add_number(estimate, "half_width", cell->half_width);
}

static bool fill_json(cJSON *root, const weir_table *table)
{
	bool good = cJSON_AddStringToObject(root, "title", table->title) != NULL;
	cJSON *columns = cJSON_AddArrayToObject(root, "columns");
	for (size_t c = 0; good && c < table->column_count; c++) {
		cJSON *column = cJSON_CreateObject();
		good = cJSON_AddItemToArray(columns, column) &&
		       cJSON_AddStringToObject(column, "name", table->columns[c].name) != NULL &&
		       cJSON_AddStringToObject(column, "unit", table->columns[c].unit) != NULL;
	}
	cJSON *rows = cJSON_AddArrayToObject(root, "rows");
	for (size_t r = 0; good && r < table->row_count; r++) {
		cJSON *row = cJSON_CreateObject();
		good = cJSON_AddItemToArray(rows, row);
		for (size_t c = 0; good && c < table->column_count; c++) {
			good = add_cell(row, &table->columns[c], cell_at(table, r, c));
		}
	}
	return good;
}

static char *print_json(const weir_table *table)
{
	cJSON *root = cJSON_CreateObject();
	char *text = fill_json(root, table) ? weir_json_print(root) : NULL;
	cJSON_Delete(root);
	return text;
}

static bool put(FILE *file, const weir_table *table, weir_table_format format)
{
	if (format == WEIR_TABLE_AS_MARKDOWN) {
		put_markdown(file, table);
	} else if (format == WEIR_TABLE_AS_CSV) {
		put_csv(file, table);
	} else {
		size_t *widths = weir_allocate(table->column_count + 1, sizeof *widths);
		if (widths == NULL) {
			return false;
		}
		put_text(file, table, widths);
		free(widths);
	}
	return ferror(file) == 0;
}

char *weir_table_print(const weir_table *table, weir_table_format format)
{
	if (format == WEIR_TABLE_AS_JSON) {
		return print_json(table);
	}
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	if (file == NULL) {
		return NULL;
	}
	bool good = put(file, table, format);
	good = fclose(file) == 0 && good;
	if (!good) {
		free(text);
		return NULL;
	}
	return text;
}
