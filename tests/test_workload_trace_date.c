/* Dates of traces, against figures of Python's datetime. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/test_support.h"
#include "workload/trace_date.h"

static bool read_date(const char *string, weir_trace_day *day, int64_t *ns)
{
	return weir_trace_date((weir_trace_text){string, string + strlen(string)}, day, ns);
}

START_TEST(dates_of_every_shape)
{
	static const int64_t base = INT64_C(1700158546) * 1000000000; /* 2023-11-16 18:15:46 UTC */
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {
	    {"2023-11-16 18:15:46", base},
	    {"2023-11-16T18:15:46", base},
	    {"2023-11-16 18:15:46.6805900", base + 680590000},
	    {"2023-11-16 18:15:46.680590", base + 680590000},
	    {"2023-11-16 18:15:46.5", base + 500000000},
	    {"2023-11-16 18:15:46.123456789", base + 123456789},
	    {"2023-11-16 18:15:46Z", base},
	    {"2023-11-16 18:15:46.009930+00:00", base + 9930000},
	    {"2023-11-16 10:15:46-08:00", base},
	    {"2023-11-16 10:15:46-0800", base},
	    {"2023-11-16 10:15:46.25-08", base + 250000000},
	    {"2023-11-16 23:45:46+05:30", base},
	    {"1970-01-01 00:00:00", 0},
	    {"1970-01-01 00:00:00.0000001", 100},
	    {"2000-02-29 12:00:00", INT64_C(951825600) * 1000000000},
	    {"2024-02-29 23:59:59.999999999", INT64_C(1709251199) * 1000000000 + 999999999},
	    {"2100-03-01 00:00:00", INT64_C(4107542400) * 1000000000},
	    {"2200-12-31 23:59:59", INT64_C(7289654399) * 1000000000},
	};
	weir_trace_day day = {{0}, 0};
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
			int64_t ns = -1;
			ck_assert_msg(read_date(good[i].text, &day, &ns), "%s", good[i].text);
			ck_assert_msg(ns == good[i].ns, "%s: %lld", good[i].text, (long long)ns);
		}
	}
}
END_TEST

START_TEST(what_is_no_date)
{
	static const char *const bad[] = {"",
	                                  "2023-11-16",
	                                  "2023-11-16 18:15",
	                                  "2023-11-16 18:15:4",
	                                  "2023-11-16 18:15:46.",
	                                  "2023-11-16 18:15:46.1234567890",
	                                  "2023-11-16_18:15:46",
	                                  "2023/11/16 18:15:46",
	                                  "2023-13-16 18:15:46",
	                                  "2023-00-16 18:15:46",
	                                  "2023-11-31 18:15:46",
	                                  "2023-11-00 18:15:46",
	                                  "2023-02-29 18:15:46",
	                                  "2100-02-29 18:15:46",
	                                  "1969-12-31 23:59:59",
	                                  "2201-01-01 00:00:00",
	                                  "2023-11-16 24:00:00",
	                                  "2023-11-16 18:60:00",
	                                  "2023-11-16 18:15:60",
	                                  "2023-11-16 18-15:46",
	                                  "2023-11-16 18:15-46",
	                                  "2023-11-16 18:15:46z",
	                                  "2023-11-16 18:15:46+8",
	                                  "2023-11-16 18:15:46+08:0",
	                                  "2023-11-16 18:15:46+24:00",
	                                  "2023-11-16 18:15:46+08:60",
	                                  "2023-11-16 18:15:46+08.00",
	                                  "2023-11-16 18:15:46 UTC",
	                                  "2023-11-16 18:15:46.5x",
	                                  "2o23-11-16 18:15:46",
	                                  "2023-11-16 1x:15:46",
	                                  "123456789012345678901234567890"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		weir_trace_day day = {{0}, 0};
		int64_t ns;
		ck_assert_msg(!read_date(bad[i], &day, &ns), "%s", bad[i]);
		/* Nor with the day already known. */
		ck_assert(read_date("2023-11-16 00:00:00", &day, &ns));
		ck_assert_msg(!read_date(bad[i], &day, &ns), "%s", bad[i]);
	}
}
END_TEST

/* Every day of the range, written and read, against the C library. */
START_TEST(dates_read_back_as_written)
{
	weir_trace_day day = {{0}, 0};
	char text[WEIR_TRACE_DATE_SIZE];
	for (int64_t number = 0; number < 84371; number++) {
		int64_t seconds = number * 86400 + number % 86400;
		int64_t ticks = seconds * 10000000 + (number * 7919) % 10000000;
		int64_t ns = -1;
		ck_assert_msg(read_date(weir_trace_date_format(ticks, text), &day, &ns), "%s", text);
		ck_assert_int_eq(ns, ticks * 100);
		time_t when = (time_t)seconds;
		struct tm parts;
		char expected[32];
		strftime(expected, sizeof expected, "%Y-%m-%d %H:%M:%S", gmtime_r(&when, &parts));
		ck_assert_int_eq(strncmp(text, expected, 19), 0);
	}
	ck_assert_str_eq(text, "2200-12-31 23:26:10.8126030");
}
END_TEST

START_TEST(seconds_are_rounded_once)
{
	ck_assert(weir_trace_seconds(0) == 0.0);
	ck_assert(weir_trace_seconds(1) == 1e-9);
	ck_assert(weir_trace_seconds(4314579000) == 4.314579);
	ck_assert(weir_trace_seconds(INT64_C(3501721937000)) == 3501.721937);
	/* Beyond 2^53 ns, in ticks of 100 ns and without: dividing by 1e9 would round twice. */
	ck_assert(weir_trace_seconds(INT64_C(10000000123456700)) == 10000000.1234567);
	ck_assert(weir_trace_seconds(INT64_C(9007199254740993)) == strtod("9007199.254740993", NULL));
	ck_assert(weir_trace_seconds(INT64_C(7289654399999999999)) == 7289654399.999999999);
	for (int64_t ns = INT64_C(1) << 53; ns < INT64_C(1) << 61; ns += (ns >> 9) + 1234567) {
		char digits[40];
		snprintf(digits, sizeof digits, "%llde-9", (long long)ns);
		ck_assert_msg(weir_trace_seconds(ns) == strtod(digits, NULL), "%s", digits);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workload_trace_date");
	TCase *dates = tcase_create("dates");
	tcase_add_test(dates, dates_of_every_shape);
	tcase_add_test(dates, what_is_no_date);
	tcase_add_test(dates, dates_read_back_as_written);
	tcase_add_test(dates, seconds_are_rounded_once);
	suite_add_tcase(suite, dates);
	return test_main(suite);
}
