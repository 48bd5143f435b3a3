#include "base/keys.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/keys_internal.h"
#include "base/text.h"

enum { WORD_SIZE = 96 };

/* `text` cut to what is fit for a message, without control characters. */
static const char *printable(char *buffer, const char *text)
{
	size_t length = strlen(text);
	size_t kept = length < WORD_SIZE - 4 ? length : WORD_SIZE - 4;
	while (kept < length && kept > 0 && ((unsigned char)text[kept] & 0xC0) == 0x80) {
		kept--; /* never half a UTF-8 character */
	}
	for (size_t i = 0; i < kept; i++) {
		buffer[i] = iscntrl((unsigned char)text[i]) ? '?' : text[i];
	}
	memcpy(buffer + kept, kept < length ? "..." : "", kept < length ? 4 : 1);
	return buffer;
}

const char *weir_keys_describe(char *buffer, size_t size, const cJSON *json)
{
	char word[WORD_SIZE];
	if (cJSON_IsString(json)) {
		snprintf(buffer, size, "\"%s\"", printable(word, json->valuestring));
	} else if (cJSON_IsNumber(json)) {
		snprintf(buffer, size, "%s",
		         isfinite(json->valuedouble) ? weir_json_format_number(word, json->valuedouble)
		                                     : "a number beyond the range of a double");
	} else {
		snprintf(buffer, size, "%s",
		         cJSON_IsObject(json)  ? "an object"
		         : cJSON_IsArray(json) ? "a list"
		         : cJSON_IsTrue(json)  ? "true"
		         : cJSON_IsFalse(json) ? "false"
		                               : "null");
	}
	return buffer;
}

static bool has_minimum(const weir_key *key)
{
	bool bounded = key->minimum != 0 || key->maximum != 0 || (key->flags & WEIR_KEY_ABOVE_MINIMUM);
	return bounded && isfinite(key->minimum);
}

static bool has_maximum(const weir_key *key)
{
	bool bounded =
	    key->maximum > key->minimum || (key->maximum == key->minimum && key->maximum != 0);
	return bounded && isfinite(key->maximum);
}

bool keys_in_range(const weir_key *key, double value)
{
	if (has_minimum(key) &&
	    (key->flags & WEIR_KEY_ABOVE_MINIMUM ? value <= key->minimum : value < key->minimum)) {
		return false;
	}
	return !has_maximum(key) ||
	       (key->flags & WEIR_KEY_BELOW_MAXIMUM ? value < key->maximum : value <= key->maximum);
}

static const char *describe_range(char *buffer, size_t size, const weir_key *key)
{
	char low[WEIR_JSON_NUMBER_SIZE];
	char high[WEIR_JSON_NUMBER_SIZE];
	weir_json_format_number(low, key->minimum);
	weir_json_format_number(high, key->maximum);
	const char *above = key->flags & WEIR_KEY_ABOVE_MINIMUM ? "above" : "of at least";
	const char *below = key->flags & WEIR_KEY_BELOW_MAXIMUM ? "below" : "at most";
	bool open = (key->flags & (WEIR_KEY_ABOVE_MINIMUM | WEIR_KEY_BELOW_MAXIMUM)) != 0;
	if (has_minimum(key) && has_maximum(key) && open) {
		snprintf(buffer, size, " %s %s and %s %s", above, low, below, high);
	} else if (has_minimum(key) && has_maximum(key)) {
		snprintf(buffer, size, " from %s to %s", low, high);
	} else if (has_minimum(key)) {
		snprintf(buffer, size, " %s %s", above, low);
	} else if (has_maximum(key)) {
		snprintf(buffer, size, " %s%s %s", open ? "" : "of ", below, high);
	} else {
		buffer[0] = '\0';
	}
	return buffer;
}

/* Appends printf to what buffer[size] holds, cut at its end. */
static void append(char *buffer, size_t size, const char *format, ...) WEIR_PRINTF(3, 4);

static void append(char *buffer, size_t size, const char *format, ...)
{
	size_t used = strlen(buffer);
	va_list args;
	va_start(args, format);
	vsnprintf(buffer + used, size - used, format, args);
	va_end(args);
}

const char *weir_keys_expected(char *buffer, size_t size, const weir_key *key)
{
	char range[2 * WEIR_JSON_NUMBER_SIZE + 32];
	const char *what = "";
	switch (key->type) {
	case WEIR_KEY_BOOL:
		what = "true or false";
		break;
	case WEIR_KEY_INTEGER:
		what = "an integer";
		break;
	case WEIR_KEY_NUMBER:
		what = "a number";
		break;
	case WEIR_KEY_STRING:
		what = key->flags & WEIR_KEY_PATH ? "a file name" : "a string";
		break;
	case WEIR_KEY_CHOICE:
		what = "one of";
		break;
	case WEIR_KEY_OBJECT:
		what = "an object";
		break;
	case WEIR_KEY_LIST:
		what = "a list of objects";
		break;
	case WEIR_KEY_MAP:
		what = "an object of named objects";
		break;
	case WEIR_KEY_NUMBERS:
		what = "a list of numbers";
		break;
	case WEIR_KEY_CUSTOM:
		break;
	}
	snprintf(buffer, size, "%s", what);
	if (key->type == WEIR_KEY_INTEGER || key->type == WEIR_KEY_NUMBER ||
	    key->type == WEIR_KEY_NUMBERS) {
		append(buffer, size, "%s", describe_range(range, sizeof range, key));
	}
	for (size_t i = 0; key->type == WEIR_KEY_CHOICE && key->choices[i] != NULL; i++) {
		append(buffer, size, "%s\"%s\"", i > 0 ? ", " : " ", key->choices[i]);
	}
	if (key->forms != NULL) {
		append(buffer, size, "%s%s", buffer[0] != '\0' ? " or " : "", key->forms);
	}
	return buffer;
}

static bool is_plain(const char *name)
{
	for (const char *c = name; *c != '\0'; c++) {
		if (!isalnum((unsigned char)*c) && strchr("_-+", *c) == NULL) {
			return false;
		}
	}
	return name[0] != '\0';
}

const char *weir_keys_path(weir_keys_reader *reader, const char *path, const char *name)
{
	if (!is_plain(name)) {
		char *quoted = weir_arena_allocate(reader->arena, 2 * strlen(name) + 3, 1);
		if (quoted == NULL) {
			return path;
		}
		char *out = quoted;
		*out++ = '"';
		for (const char *c = name; *c != '\0'; c++) {
			if (*c == '"' || *c == '\\') {
				*out++ = '\\';
			}
			*out++ = iscntrl((unsigned char)*c) ? '?' : *c;
		}
		*out = '"';
		name = quoted;
	}
	const char *joined =
	    weir_arena_format(reader->arena, "%s%s%s", path, path[0] != '\0' ? "." : "", name);
	return joined != NULL ? joined : path;
}

const char *keys_index_path(weir_keys_reader *reader, const char *path, size_t index)
{
	const char *joined = weir_arena_format(reader->arena, "%s[%zu]", path, index);
	return joined != NULL ? joined : path;
}

weir_status weir_keys_fail(weir_keys_reader *reader, const char *path, weir_error *error,
                           const char *format, ...)
{
	const char *file = reader->file;
	if (reader->origin != NULL) {
		file = reader->origin(reader->context, path);
	}
	char where[WEIR_ERROR_WHERE_SIZE];
	snprintf(where, sizeof where, "%s%s%s", file, path[0] != '\0' ? ": " : "", path);
	char message[WEIR_ERROR_MESSAGE_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	return weir_error_set(error, WEIR_ERROR_INPUT, where, "%s", message);
}

weir_status weir_keys_fail_unknown(weir_keys_reader *reader, const char *path, const char *what,
                                   const char *name, const char *const *known, size_t known_count,
                                   weir_error *error)
{
	char word[WORD_SIZE];
	printable(word, name);
	const char *nearest = weir_nearest(name, known, known_count);
	if (nearest != NULL) {
		return weir_keys_fail(reader, path, error, "unknown %s '%s'; did you mean '%s'?", what,
		                      word, nearest);
	}
	char list[WEIR_ERROR_MESSAGE_SIZE / 2] = "";
	for (size_t i = 0; i < known_count; i++) {
		if (known[i] != NULL) {
			append(list, sizeof list, "%s%s", list[0] != '\0' ? ", " : "", known[i]);
		}
	}
	return weir_keys_fail(reader, path, error, "unknown %s '%s'; there %s %s", what, word,
	                      list[0] != '\0' ? "are" : "is", list[0] != '\0' ? list : "none");
}

weir_status keys_fail_expected(weir_keys_reader *reader, const weir_key *key, const char *path,
                               const cJSON *json, weir_error *error)
{
	char expected[WEIR_ERROR_MESSAGE_SIZE / 2];
	char got[KEYS_WORD_SIZE];
	return weir_keys_fail(reader, path, error, "expected %s, got %s",
	                      weir_keys_expected(expected, sizeof expected, key),
	                      weir_keys_describe(got, sizeof got, json));
}
