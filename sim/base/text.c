#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_WORD = 63 };

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Damerau-Levenshtein (optimal string alignment) without regard to case. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t rows[3][LONGEST_WORD + 1];
	size_t *before = rows[0];
	size_t *last = rows[1];
	size_t *row = rows[2];
	for (size_t j = 0; j <= b_length; j++) {
		last[j] = j;
	}
	for (size_t i = 1; i <= a_length; i++) {
		row[0] = i;
		int ca = tolower((unsigned char)a[i - 1]);
		for (size_t j = 1; j <= b_length; j++) {
			int cb = tolower((unsigned char)b[j - 1]);
			size_t best = smaller(last[j], row[j - 1]) + 1;
			best = smaller(best, last[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
			    tolower((unsigned char)a[i - 2]) == cb) {
				best = smaller(best, before[j - 2] + 1);
			}
			row[j] = best;
		}
		size_t *spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[b_length];
}

const char *weir_nearest(const char *word, const char *const *candidates, size_t count)
{
	size_t length = strlen(word);
	if (length > LONGEST_WORD) {
		return NULL;
	}
	const char *nearest = NULL;
	size_t nearest_distance = length / 3 + 2;
	for (size_t i = 0; i < count; i++) {
		if (candidates[i] == NULL || strlen(candidates[i]) > LONGEST_WORD) {
			continue;
		}
		size_t distance = edit_distance(word, length, candidates[i], strlen(candidates[i]));
		if (distance < nearest_distance) {
			nearest_distance = distance;
			nearest = candidates[i];
		}
	}
	return nearest;
}

bool weir_parse_double(const char *text, double *value)
{
	/* strtod also takes hexadecimal, "inf" and leading blanks: only digits, sign, point and
	 * exponent may be in a number here. The program never calls setlocale, so the point is a point.
	 */
	if (text[0] == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0') {
		return false;
	}
	char *end = NULL;
	double parsed = strtod(text, &end);
	if (end == text || *end != '\0' || !isfinite(parsed)) {
		return false;
	}
	*value = parsed;
	return true;
}

bool weir_parse_int64(const char *text, int64_t *value)
{
	if (text[0] == '\0' || isspace((unsigned char)text[0])) {
		return false;
	}
	char *end = NULL;
	errno = 0;
	long long parsed = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno == ERANGE) {
		return false;
	}
	*value = parsed;
	return true;
}

const char *weir_format_bytes(char *buffer, size_t size, double bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	size_t unit = 0;
	while (fabs(bytes) >= 1024.0 && unit + 1 < sizeof units / sizeof units[0]) {
		bytes /= 1024.0;
		unit++;
	}
	snprintf(buffer, size, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
	return buffer;
}

const char *weir_format_count(char *buffer, size_t size, double count)
{
	static const char *const units[] = {"", " k", " M", " G", " T"};
	size_t unit = 0;
	while (fabs(count) >= 10000.0 && unit + 1 < sizeof units / sizeof units[0]) {
		count /= 1000.0;
		unit++;
	}
	snprintf(buffer, size, unit == 0 ? "%.0f%s" : "%.1f%s", count, units[unit]);
	return buffer;
}

const char *weir_format_duration(char *buffer, size_t size, double seconds)
{
	if (!(seconds >= 0.0) || seconds > 1e9) {
		snprintf(buffer, size, "--:--:--");
		return buffer;
	}
	long long whole = (long long)(seconds + 0.5);
	snprintf(buffer, size, "%02lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
	return buffer;
}
