/*
 * JSON with comments, through cJSON, with errors that name the line and the column; and numbers
 * written so that they read back as they were.
 */
#ifndef WEIR_BASE_JSON_H
#define WEIR_BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

enum {
	WEIR_JSON_LARGEST_FILE = 64 * 1024 * 1024, /* bytes */
	WEIR_JSON_NUMBER_SIZE = 32                 /* room for any number as text */
};

/*
 * Parses `size` bytes of JSON; comments, from two slashes to the end of the line or between
 * slash-star and star-slash, count as blanks. `name` is what errors call it (FILE:LINE:COLUMN;
 * lines and columns from 1, a column being a character). Refused, as WEIR_ERROR_INPUT: anything but
 * one JSON value (nesting to 1,000), an empty text, a NUL byte or a \u0000, a string that its line
 * does not end. Repeated keys are kept for the key tables to find. *json is freed with
 * cJSON_Delete; NULL after an error.
 */
WEIR_API weir_status weir_json_parse(const char *name, const char *text, size_t size, cJSON **json,
                                     weir_error *error);

/* weir_json_parse of a file of up to WEIR_JSON_LARGEST_FILE bytes. One that is missing, unreadable,
 * a directory or too large is WEIR_ERROR_IO. */
WEIR_API weir_status weir_json_load(const char *path, cJSON **json, weir_error *error);

/* Sets *repeated to a member of `object` whose name another one has, or to NULL. False when memory
 * is out. O(n log n). */
WEIR_API bool weir_json_find_repeated(const cJSON *object, const cJSON **repeated);

/* The shortest decimal text that reads back as `value`, which is finite, in
 * buffer[WEIR_JSON_NUMBER_SIZE], which is returned. */
WEIR_API const char *weir_json_format_number(char *buffer, double value);

/* `json` as indented text in which every number reads back as it was (cJSON_Print rounds to 15
 * digits), with a newline at the end. Free with free(); NULL when memory is out. */
WEIR_API char *weir_json_print(const cJSON *json);

WEIR_END_C

#endif
