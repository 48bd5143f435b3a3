/*
 * Numbers of traces: read exactly and fast, written so that they read back as the same.
 *
 * A text is read as a whole: anything in it that belongs to no number makes the function return
 * false. None of them depends on the locale as long as the program never calls setlocale.
 */
#ifndef WEIR_WORKLOAD_TRACE_NUMBER_H
#define WEIR_WORKLOAD_TRACE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/export.h"
#include "workload/trace_input.h"

WEIR_BEGIN_C

enum { WEIR_TRACE_DECIMAL_SIZE = 64, WEIR_TRACE_EXCERPT_SIZE = 48 };

/* Digits only, up to the largest uint64_t. Inline, as every row has several. */
static inline bool weir_trace_unsigned(weir_trace_text text, uint64_t *value)
{
	uint64_t sum = 0;
	const char *p = text.begin;
	for (unsigned digit; (digit = (unsigned)(unsigned char)*p - '0') <= 9; p++) {
		if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, digit, &sum)) {
			return false;
		}
	}
	*value = sum;
	return p == text.end && p != text.begin;
}

/*
 * A finite decimal number, times 10^shift: -12, 3.25, 1e-3. The result is correctly rounded, as by
 * strtod: exact by one multiplication or division when there are at most 19 digits, together below
 * 2^53, and a power of ten of at most 22 (Clinger 1990); otherwise by strtod itself.
 */
bool weir_trace_decimal(weir_trace_text text, int shift, double *value);

/* The fewest digits (15, 16 or 17) of value * 10^shift that weir_trace_decimal with -shift reads
 * back as `value`; `value` is finite and not negative. Returns `buffer`. */
const char *weir_trace_decimal_format(double value, int shift,
                                      char buffer[WEIR_TRACE_DECIMAL_SIZE]);

/* The start of a text, for messages: unprintable bytes become '?', a long text ends in "...". */
const char *weir_trace_excerpt(weir_trace_text text, char buffer[WEIR_TRACE_EXCERPT_SIZE]);

WEIR_END_C

#endif
