#include "base/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

/* An error at `at` in `text`, as FILE:LINE:COLUMN. */
static weir_status fail_at(const char *name, const char *text, const char *at, weir_error *error,
                           const char *message)
{
	long long line = 1;
	long long column = 1;
	for (const char *c = text; c < at; c++) {
		if (*c == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*c & 0xC0) != 0x80) { /* not inside a UTF-8 character */
			column++;
		}
	}
	char where[WEIR_ERROR_WHERE_SIZE];
	snprintf(where, sizeof where, "%s:%lld:%lld", name, line, column);
	return weir_error_set(error, WEIR_ERROR_INPUT, where, "%s", message);
}

/* Skips a string that begins at `c`; NULL with *bad set when it is not one. */
static char *skip_string(char *c, char **bad, const char **message)
{
	const char *opening = c;
	for (c++; *c != '"'; c++) {
		if ((unsigned char)*c < 0x20) {
			*bad = *c == '\t' ? c : (char *)opening;
			*message = *c == '\t' ? "a tab inside a string is written \\t"
			                      : "this string does not end on its line";
			return NULL;
		}
		if (*c == '\\') {
			/* cJSON would end the string there without a word. */
			if (strncmp(c, "\\u0000", 6) == 0) {
				*bad = c;
				*message = "\\u0000 cannot be in a string";
				return NULL;
			}
			if (c[1] != '\0' && c[1] != '\n') {
				c++;
			}
		}
	}
	return c + 1;
}

/* Puts blanks over the comments, newlines kept, so that every position stays what it was. */
static weir_status blank_comments(const char *name, char *text, weir_error *error)
{
	for (char *c = text; *c != '\0';) {
		if (*c == '"') {
			char *bad = NULL;
			const char *message = NULL;
			char *next = skip_string(c, &bad, &message);
			if (next == NULL) {
				return fail_at(name, text, bad, error, message);
			}
			c = next;
		} else if (c[0] == '/' && c[1] == '/') {
			for (; *c != '\0' && *c != '\n'; c++) {
				*c = ' ';
			}
		} else if (c[0] == '/' && c[1] == '*') {
			const char *end = strstr(c + 2, "*/");
			if (end == NULL) {
				return fail_at(name, text, c, error, "this comment does not end");
			}
			for (end += 2; c < end; c++) {
				*c = *c == '\n' ? '\n' : ' ';
			}
		} else {
			c++;
		}
	}
	return WEIR_OK;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* How many brackets and braces are open before `at`; *innermost is the last of them. */
static int open_brackets(const char *text, const char *at, char *innermost)
{
	char open[CJSON_NESTING_LIMIT + 2] = {'\0'};
	int depth = 0;
	bool in_string = false;
	for (const char *c = text; c < at; c++) {
		if (in_string && *c == '\\') {
			c++;
		} else if (*c == '"') {
			in_string = !in_string;
		} else if (!in_string && (*c == '[' || *c == '{') && depth <= CJSON_NESTING_LIMIT) {
			open[++depth] = *c;
		} else if (!in_string && (*c == ']' || *c == '}') && depth > 0) {
			depth--;
		}
	}
	*innermost = open[depth];
	return depth;
}

/* Where cJSON stopped, without the blanks there. It stops one too late at what stands in the place
 * of a key but is no string. */
static const char *where_it_stopped(const char *text, const char *at)
{
	if (at > text + 1 && !is_blank(at[-1]) && strchr("[{\"", at[-1]) == NULL) {
		const char *before = at - 1;
		while (before > text && is_blank(before[-1])) {
			before--;
		}
		char innermost = '\0';
		open_brackets(text, at - 1, &innermost);
		if (innermost == '{' && before > text && (before[-1] == '{' || before[-1] == ',')) {
			return at - 1;
		}
	}
	while (is_blank(*at)) {
		at++;
	}
	return at;
}

/* What is likely wrong at `at`, where cJSON stopped. */
static const char *syntax_hint(const char *text, const char *at)
{
	const char *before = at;
	while (before > text && is_blank(before[-1])) {
		before--;
	}
	char last = before > text ? before[-1] : '\0';
	char innermost = '\0';
	int depth = open_brackets(text, at, &innermost);
	if (depth == 0 && last != '\0') {
		return "the JSON has ended before; remove what follows";
	}
	switch (*at) {
	case '\0':
		return last == '\0' ? "the file is empty; expected a JSON object"
		                    : "the JSON ends too early; a bracket or brace is not closed";
	case '}':
	case ']':
		return last == ',' ? "a comma stands before a closing bracket; remove it"
		                   : "this bracket has no partner, or a value is missing before it";
	case '\'':
		return "strings stand in double quotes";
	case '"':
		return "expected a comma, a colon or a closing bracket before this string";
	case '[':
	case '{':
		return depth >= CJSON_NESTING_LIMIT ? "nested too deep"
		                                    : "expected a comma before this bracket";
	case ':':
	case '=':
		return "a key is a string in double quotes, followed by a colon and its value";
	default:
		return "not JSON; expected an object, a list, a string, a number, true, false or null, "
		       "with "
		       "commas between and strings in double quotes";
	}
}

weir_status weir_json_parse(const char *name, const char *text, size_t size, cJSON **json,
                            weir_error *error)
{
	*json = NULL;
	if (memchr(text, '\0', size) != NULL) {
		return fail_at(name, text, memchr(text, '\0', size), error,
		               "a NUL byte; this is not a text file");
	}
	char *copy = malloc(size + 1);
	if (copy == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, name, "no memory for %zu bytes", size);
	}
	memcpy(copy, text, size);
	copy[size] = '\0';
	weir_status status = blank_comments(name, copy, error);
	if (status == WEIR_OK) {
		const char *end = copy;
		/* The length includes the final NUL: cJSON looks for it when it checks that nothing
		 * follows. */
		*json = cJSON_ParseWithLengthOpts(copy, size + 1, &end, 1);
		if (*json == NULL) {
			end = where_it_stopped(copy, end);
			status = fail_at(name, copy, end, error, syntax_hint(copy, end));
		}
	}
	free(copy);
	return status;
}

/* Reads all of `file`, at most WEIR_JSON_LARGEST_FILE bytes; *text is to be freed. */
static weir_status read_all(FILE *file, const char *path, char **text, size_t *size,
                            weir_error *error)
{
	size_t capacity = 1 << 16;
	size_t used = 0;
	char *data = malloc(capacity);
	while (data != NULL) {
		used += fread(data + used, 1, capacity - used, file);
		if (used < capacity) {
			break;
		}
		if (capacity > WEIR_JSON_LARGEST_FILE) {
			break;
		}
		capacity *= 2;
		char *moved = realloc(data, capacity);
		if (moved == NULL) {
			free(data);
		}
		data = moved;
	}
	if (data == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "no memory to read it");
	}
	if (ferror(file)) {
		free(data);
		return weir_error_set(error, WEIR_ERROR_IO, path, "cannot be read: %s", strerror(errno));
	}
	if (used > WEIR_JSON_LARGEST_FILE) {
		free(data);
		return weir_error_set(error, WEIR_ERROR_IO, path, "larger than %d MiB",
		                      WEIR_JSON_LARGEST_FILE / (1024 * 1024));
	}
	*text = data;
	*size = used;
	return WEIR_OK;
}

weir_status weir_json_load(const char *path, cJSON **json, weir_error *error)
{
	*json = NULL;
	struct stat info;
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		return weir_error_set(error, WEIR_ERROR_IO, path, "cannot be opened: %s", strerror(errno));
	}
	char *text = NULL;
	size_t size = 0;
	weir_status status;
	if (fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode)) {
		status = weir_error_set(error, WEIR_ERROR_IO, path, "is a directory, not a file");
	} else {
		status = read_all(file, path, &text, &size, error);
	}
	fclose(file);
	if (status == WEIR_OK) {
		status = weir_json_parse(path, text, size, json, error);
	}
	free(text);
	return status;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

bool weir_json_find_repeated(const cJSON *object, const cJSON **repeated)
{
	*repeated = NULL;
	size_t count = (size_t)cJSON_GetArraySize(object);
	const cJSON **members = weir_allocate(count, sizeof(const cJSON *));
	if (members == NULL) {
		return false;
	}
	size_t i = 0;
	for (const cJSON *member = object->child; member != NULL; member = member->next) {
		members[i++] = member;
	}
	qsort(members, count, sizeof(const cJSON *), compare_names);
	for (i = 1; i < count && *repeated == NULL; i++) {
		if (strcmp(members[i - 1]->string, members[i]->string) == 0) {
			*repeated = members[i];
		}
	}
	free(members);
	return true;
}

const char *weir_json_format_number(char *buffer, double value)
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(buffer, WEIR_JSON_NUMBER_SIZE, "%.*g", digits, value);
		if (strtod(buffer, NULL) == value) {
			break;
		}
	}
	return buffer;
}

/* Turns every finite number below `json` into the raw text that cJSON shall print. */
static bool spell_numbers(cJSON *json)
{
	for (cJSON *item = json; item != NULL; item = item->next) {
		if (cJSON_IsNumber(item) && isfinite(item->valuedouble)) {
			char buffer[WEIR_JSON_NUMBER_SIZE];
			weir_json_format_number(buffer, item->valuedouble);
			item->valuestring = cJSON_malloc(strlen(buffer) + 1);
			if (item->valuestring == NULL) {
				return false;
			}
			memcpy(item->valuestring, buffer, strlen(buffer) + 1);
			item->type = (item->type & ~0xFF) | cJSON_Raw;
		} else if (!spell_numbers(item->child)) {
			return false;
		}
	}
	return true;
}

char *weir_json_print(const cJSON *json)
{
	char *text = NULL;
	cJSON *copy = cJSON_Duplicate(json, 1);
	if (copy != NULL && spell_numbers(copy)) {
		char *printed = cJSON_Print(copy);
		if (printed != NULL) {
			size_t length = strlen(printed);
			text = malloc(length + 2);
			if (text != NULL) {
				memcpy(text, printed, length);
				memcpy(text + length, "\n", 2);
			}
			cJSON_free(printed);
		}
	}
	cJSON_Delete(copy);
	return text;
}
