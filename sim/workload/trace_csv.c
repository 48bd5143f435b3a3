#include "workload/trace_csv.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "workload/trace_number.h"

enum { LIST_SIZE = 256 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A quoted field; *p is behind the opening quote and ends behind what follows the closing one. */
static bool quoted_field(const char **p, const char *end, weir_trace_text *field)
{
	field->begin = *p;
	for (const char *quote = *p;; quote += 2) {
		quote = memchr(quote, '"', (size_t)(end - quote));
		if (quote == NULL) {
			return false;
		}
		if (quote + 1 < end && quote[1] == '"') {
			continue;
		}
		field->end = quote;
		*p = quote + 1;
		while (*p < end && is_blank(**p)) {
			(*p)++;
		}
		return *p == end || **p == ',';
	}
}

/* The field at *p, without quotes and blanks around it; *p ends at the comma behind it or at `end`.
 * False for quotes that do not match. */
static inline bool next_field(const char **p, const char *end, weir_trace_text *field)
{
	while (is_blank(**p) && *p < end) {
		(*p)++;
	}
	if (**p == '"' && *p < end) {
		(*p)++;
		return quoted_field(p, end, field);
	}
	const char *comma = memchr(*p, ',', (size_t)(end - *p));
	field->begin = *p;
	field->end = comma != NULL ? comma : end;
	*p = field->end;
	while (field->end > field->begin && is_blank(field->end[-1])) {
		field->end--;
	}
	return true;
}

static bool is_named(weir_trace_text field, const char *name)
{
	size_t length = (size_t)(field.end - field.begin);
	return strlen(name) == length && strncasecmp(field.begin, name, length) == 0;
}

/* "a,b,c", or only the required ones that are not present. */
static const char *list_columns(const weir_trace_column *columns, const bool *present,
                                char list[LIST_SIZE])
{
	size_t used = 0;
	list[0] = '\0';
	for (size_t i = 0; columns[i].name != NULL; i++) {
		if (columns[i].required && !(present != NULL && present[i]) && used < LIST_SIZE) {
			used += (size_t)snprintf(list + used, LIST_SIZE - used, "%s%s", used > 0 ? "," : "",
			                         columns[i].name);
		}
	}
	return list;
}

bool weir_trace_csv_recognises(const weir_trace_column *columns, weir_trace_text line)
{
	for (; columns->name != NULL; columns++) {
		bool found = !columns->required;
		for (const char *p = line.begin; !found; p++) {
			weir_trace_text field;
			if (!next_field(&p, line.end, &field)) {
				return false;
			}
			found = is_named(field, columns->name);
			if (p == line.end) {
				break;
			}
		}
		if (!found) {
			return false;
		}
	}
	return true;
}

weir_status weir_trace_csv_header(const weir_trace_input *input, const weir_trace_column *columns,
                                  weir_trace_text line, weir_trace_header *header,
                                  weir_error *error)
{
	*header = (weir_trace_header){0};
	for (const char *p = line.begin;; p++) {
		weir_trace_text field;
		if (!next_field(&p, line.end, &field)) {
			return weir_trace_input_fail(input, error, "a quote in the header is not closed");
		}
		if (header->field_count == WEIR_TRACE_MAX_FIELDS) {
			return weir_trace_input_fail(input, error, "the header has more than %d columns",
			                             WEIR_TRACE_MAX_FIELDS);
		}
		int8_t *column = &header->column[header->field_count++];
		*column = -1;
		for (int i = 0; columns[i].name != NULL; i++) {
			assert(i < WEIR_TRACE_MAX_COLUMNS);
			if (is_named(field, columns[i].name)) {
				if (header->present[i]) {
					return weir_trace_input_fail(
					    input, error, "the header names the column %s twice", columns[i].name);
				}
				header->present[i] = true;
				*column = (int8_t)i;
				break;
			}
		}
		if (p == line.end) {
			break;
		}
	}
	char missing[LIST_SIZE];
	if (list_columns(columns, header->present, missing)[0] != '\0') {
		char wanted[LIST_SIZE];
		return weir_trace_input_fail(input, error, "the header lacks %s: the columns %s are needed",
		                             missing, list_columns(columns, NULL, wanted));
	}
	return WEIR_OK;
}

weir_status weir_trace_csv_split(const weir_trace_input *input, const weir_trace_header *header,
                                 weir_trace_text line,
                                 weir_trace_text fields[WEIR_TRACE_MAX_COLUMNS], weir_error *error)
{
	const char *p = line.begin;
	size_t count = 0;
	weir_trace_text skipped;
	for (;; p++) {
		/* Straight to its place: copying what was just stored costs a stall for each field. */
		bool wanted = count < header->field_count && header->column[count] >= 0;
		if (!next_field(&p, line.end, wanted ? &fields[header->column[count]] : &skipped)) {
			return weir_trace_input_fail(input, error, "a quote in field %zu is not closed",
			                             count + 1);
		}
		count++;
		if (p == line.end) {
			break;
		}
	}
	if (count != header->field_count) {
		return weir_trace_input_fail(input, error,
		                             "the row has %zu field%s, but the header has %zu: is the line "
		                             "cut?",
		                             count, count == 1 ? "" : "s", header->field_count);
	}
	return WEIR_OK;
}
