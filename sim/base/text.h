/* Small text work that must not depend on the locale. */
#ifndef WEIR_BASE_TEXT_H
#define WEIR_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/export.h"

WEIR_BEGIN_C

/* The candidate nearest to `word` by Damerau-Levenshtein distance without regard to case, or NULL
 * when none is near enough to be meant (distance above 1 + length/3). `candidates[i]` may be NULL.
 */
WEIR_API const char *weir_nearest(const char *word, const char *const *candidates, size_t count);

/* Parses all of `text` as a finite decimal number; false when anything else is in it. */
WEIR_API bool weir_parse_double(const char *text, double *value);
WEIR_API bool weir_parse_int64(const char *text, int64_t *value);

/* "1.2 GiB", "3.4 M", "01:02:03": for people. `buffer` of `size` bytes is returned. */
WEIR_API const char *weir_format_bytes(char *buffer, size_t size, double bytes);
WEIR_API const char *weir_format_count(char *buffer, size_t size, double count);
WEIR_API const char *weir_format_duration(char *buffer, size_t size, double seconds);

WEIR_END_C

#endif
