#include "workload/trace_date.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t SECOND_NS = 1000000000;
static const int64_t DAY_SECONDS = 86400;

enum { DATE_LENGTH = 10, TIME_END = 19, FIRST_YEAR = 1970, LAST_YEAR = 2200 };

/* Days from 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms"): years begin in
 * March, so that the leap day is the last of its year. */
static int64_t days_from_civil(int year, int month, int day)
{
	year -= month <= 2;
	int era = year / 400;
	int year_of_era = year - era * 400;
	int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return (int64_t)era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
	days += 719468;
	int era = (int)(days / 146097);
	int day_of_era = (int)(days - (int64_t)era * 146097);
	int year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int shifted_month = (5 * day_of_year + 2) / 153;
	*day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
	*month = shifted_month + (shifted_month < 10 ? 3 : -9);
	*year = year_of_era + era * 400 + (*month <= 2);
}

/* Two digits at p; anything else gives at least 100. */
static unsigned two_digits(const char *p)
{
	unsigned tens = (unsigned)(unsigned char)p[0] - '0';
	unsigned ones = (unsigned)(unsigned char)p[1] - '0';
	return tens > 9 || ones > 9 ? 100 : 10 * tens + ones;
}

static bool read_day(const char *p, weir_trace_day *day)
{
	unsigned century = two_digits(p);
	unsigned year = two_digits(p + 2);
	unsigned month = two_digits(p + 5);
	unsigned number = two_digits(p + 8);
	if (century > 99 || year > 99 || p[4] != '-' || p[7] != '-' || month < 1 || month > 12) {
		return false;
	}
	year += 100 * century;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned length = month == 2 && leap ? 29 : lengths[month - 1];
	if (year < FIRST_YEAR || year > LAST_YEAR || number < 1 || number > length) {
		return false;
	}
	memcpy(day->text, p, sizeof day->text);
	day->start_ns = days_from_civil((int)year, (int)month, (int)number) * DAY_SECONDS * SECOND_NS;
	return true;
}

/* The seconds by which a zone's clocks are ahead. */
static bool read_zone(const char *p, const char *end, int *ahead)
{
	*ahead = 0;
	if (p == end || (*p == 'Z' && p + 1 == end)) {
		return true;
	}
	size_t length = (size_t)(end - p);
	if ((*p != '+' && *p != '-') || (length != 3 && length != 5 && length != 6)) {
		return false;
	}
	if (length == 6 && p[3] != ':') {
		return false;
	}
	unsigned hours = two_digits(p + 1);
	unsigned minutes = length == 3 ? 0 : two_digits(end - 2);
	if (hours > 23 || minutes > 59) {
		return false;
	}
	*ahead = (int)(hours * 3600 + minutes * 60);
	*ahead = *p == '-' ? -*ahead : *ahead;
	return true;
}

/* One to nine digits behind the point at *p, in nanoseconds. */
static bool read_fraction(const char **p, int64_t *ns)
{
	static const uint32_t units[] = {0,     100000000, 10000000, 1000000, 100000,
	                                 10000, 1000,      100,      10,      1};
	const char *first = *p + 1;
	const char *end = first;
	uint64_t digits = 0;
	for (unsigned digit; (digit = (unsigned)(unsigned char)*end - '0') <= 9; end++) {
		digits = 10 * digits + digit;
	}
	size_t count = (size_t)(end - first);
	if (count < 1 || count > 9) {
		return false;
	}
	*ns = (int64_t)(digits * units[count]);
	*p = end;
	return true;
}

bool weir_trace_date(weir_trace_text text, weir_trace_day *day, int64_t *time_ns)
{
	const char *p = text.begin;
	if (text.end - p < TIME_END) {
		return false;
	}
	if (memcmp(p, day->text, DATE_LENGTH) != 0 && !read_day(p, day)) {
		return false;
	}
	unsigned hour = two_digits(p + 11);
	unsigned minute = two_digits(p + 14);
	unsigned second = two_digits(p + 17);
	if ((p[10] != ' ' && p[10] != 'T') || p[13] != ':' || p[16] != ':' || hour > 23 ||
	    minute > 59 || second > 59) {
		return false;
	}
	p += TIME_END;
	int64_t fraction = 0;
	if (*p == '.' && p < text.end && !read_fraction(&p, &fraction)) {
		return false;
	}
	int ahead = 0;
	if (!read_zone(p, text.end, &ahead)) {
		return false;
	}
	int64_t seconds = (int64_t)(hour * 3600 + minute * 60 + second) - ahead;
	*time_ns = day->start_ns + seconds * SECOND_NS + fraction;
	return true;
}

double weir_trace_seconds(int64_t ns)
{
	assert(ns >= 0);
	/* One rounding as long as the count is exact in a double: 104 days in nanoseconds, 28 years in
	 * the ticks of 100 ns that most traces have. */
	const int64_t exact = (int64_t)1 << 53;
	if (ns <= exact) {
		return (double)ns / 1e9;
	}
	if (ns % 100 == 0 && ns / 100 <= exact) {
		return (double)(ns / 100) / 1e7;
	}
	char digits[40];
	snprintf(digits, sizeof digits, "%lld.%09lld", (long long)(ns / SECOND_NS),
	         (long long)(ns % SECOND_NS));
	return strtod(digits, NULL);
}

const char *weir_trace_date_format(int64_t ticks, char buffer[WEIR_TRACE_DATE_SIZE])
{
	assert(ticks >= 0);
	int64_t seconds = ticks / 10000000;
	int year;
	int month;
	int day;
	civil_from_days(seconds / DAY_SECONDS, &year, &month, &day);
	assert(year <= LAST_YEAR);
	int rest = (int)(seconds % DAY_SECONDS);
	snprintf(buffer, WEIR_TRACE_DATE_SIZE, "%04d-%02d-%02d %02d:%02d:%02d.%07d", year, month, day,
	         rest / 3600, rest / 60 % 60, rest % 60, (int)(ticks % 10000000));
	return buffer;
}
