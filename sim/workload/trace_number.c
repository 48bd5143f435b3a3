#include "workload/trace_number.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Powers of ten that a double holds exactly. */
static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum {
	LARGEST_POWER = 22,
	EXACT_DIGITS = 19,        /* that fit in 64 bits */
	LARGEST_EXPONENT = 99999, /* beyond any double, so larger ones need not be told apart */
	LONGEST_NUMBER = 400
};

static const uint64_t LARGEST_EXACT = (uint64_t)1 << 53;

static unsigned digit_of(char c)
{
	return (unsigned)(unsigned char)c - '0';
}

/* strtod of a text in which only the exponent has changed. */
static bool slow_decimal(const char *begin, const char *mantissa_end, int exponent, double *value)
{
	char copy[LONGEST_NUMBER + 16];
	if (mantissa_end - begin > LONGEST_NUMBER) {
		return false;
	}
	snprintf(copy, sizeof copy, "%.*se%d", (int)(mantissa_end - begin), begin, exponent);
	*value = strtod(copy, NULL);
	return isfinite(*value);
}

bool weir_trace_decimal(weir_trace_text text, int shift, double *value)
{
	const char *p = text.begin;
	bool negative = *p == '-';
	p += negative || *p == '+';
	uint64_t mantissa = 0;
	int exponent = shift;
	size_t digits = 0;      /* all of them: none is no number */
	size_t significant = 0; /* without leading zeros */
	for (unsigned digit; (digit = digit_of(*p)) <= 9; p++) {
		mantissa = 10 * mantissa + digit;
		significant += significant > 0 || digit > 0;
		digits++;
	}
	if (*p == '.' && p < text.end) {
		p++;
		for (unsigned digit; (digit = digit_of(*p)) <= 9; p++) {
			mantissa = 10 * mantissa + digit;
			significant += significant > 0 || digit > 0;
			digits++;
			exponent--;
		}
	}
	if (digits == 0) {
		return false;
	}
	const char *mantissa_end = p;
	int stated = 0;
	if (p < text.end && (*p == 'e' || *p == 'E')) {
		p++;
		bool down = *p == '-';
		p += down || *p == '+';
		const char *first = p;
		for (unsigned digit; (digit = digit_of(*p)) <= 9; p++) {
			stated = stated > LARGEST_EXPONENT ? stated : 10 * stated + (int)digit;
		}
		if (p == first) {
			return false;
		}
		stated = down ? -stated : stated;
	}
	if (p != text.end) {
		return false;
	}
	exponent += stated;
	if (significant > EXACT_DIGITS || mantissa > LARGEST_EXACT || exponent < -LARGEST_POWER ||
	    exponent > LARGEST_POWER) {
		return slow_decimal(text.begin, mantissa_end, stated + shift, value);
	}
	double size = (double)mantissa;
	size = exponent < 0 ? size / powers[-exponent] : size * powers[exponent];
	*value = negative ? -size : size;
	return true;
}

const char *weir_trace_decimal_format(double value, int shift, char buffer[WEIR_TRACE_DECIMAL_SIZE])
{
	assert(isfinite(value) && value >= 0.0);
	if (value == 0.0) {
		return strcpy(buffer, "0");
	}
	/* d.ddde+XX, with the fewest digits that read back as the same. */
	char digits[32];
	for (int precision = 14; precision <= 16; precision++) {
		snprintf(digits, sizeof digits, "%.*e", precision, value);
		if (strtod(digits, NULL) == value) {
			break;
		}
	}
	char *mark = strchr(digits, 'e');
	int exponent = atoi(mark + 1) + shift;
	/* Drop the point and the zeros behind the last digit that counts. */
	memmove(digits + 1, digits + 2, (size_t)(mark - digits) - 2);
	size_t count = (size_t)(mark - digits) - 1;
	while (count > 1 && digits[count - 1] == '0') {
		count--;
	}
	digits[count] = '\0';
	int whole = exponent + 1; /* digits before the point */
	if (whole > 20 || whole < -4) {
		snprintf(buffer, WEIR_TRACE_DECIMAL_SIZE, count > 1 ? "%c.%se%d" : "%c%se%d", digits[0],
		         digits + 1, exponent);
	} else if (whole <= 0) {
		snprintf(buffer, WEIR_TRACE_DECIMAL_SIZE, "0.%.*s%s", -whole, "0000", digits);
	} else if ((size_t)whole >= count) {
		snprintf(buffer, WEIR_TRACE_DECIMAL_SIZE, "%s%.*s", digits, whole - (int)count,
		         "00000000000000000000");
	} else {
		snprintf(buffer, WEIR_TRACE_DECIMAL_SIZE, "%.*s.%s", whole, digits, digits + whole);
	}
	return buffer;
}

const char *weir_trace_excerpt(weir_trace_text text, char buffer[WEIR_TRACE_EXCERPT_SIZE])
{
	size_t length = (size_t)(text.end - text.begin);
	size_t shown = WEIR_TRACE_EXCERPT_SIZE - 4;
	bool cut = length > shown;
	shown = cut ? shown : length;
	for (size_t i = 0; i < shown; i++) {
		char c = text.begin[i];
		buffer[i] = c >= ' ' && c <= '~' ? c : '?';
	}
	strcpy(buffer + shown, cut ? "..." : "");
	return buffer;
}
