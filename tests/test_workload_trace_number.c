/* Numbers of traces: exact reading against strtod, and writing that reads back the same. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/test_support.h"
#include "workload/trace_number.h"

static weir_trace_text text_of(const char *string)
{
	return (weir_trace_text){string, string + strlen(string)};
}

START_TEST(whole_numbers)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = {{"0", 0},
	            {"7", 7},
	            {"0042", 42},
	            {"2147483647", 2147483647},
	            {"18446744073709551615", UINT64_MAX},
	            {"000000000000000000000000001", 1}};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		uint64_t value = 99;
		ck_assert_msg(weir_trace_unsigned(text_of(good[i].text), &value), "%s", good[i].text);
		ck_assert_uint_eq(value, good[i].value);
	}
	static const char *const bad[] = {"",
	                                  "-1",
	                                  "+1",
	                                  " 1",
	                                  "1 ",
	                                  "1.0",
	                                  "1e3",
	                                  "0x1",
	                                  "abc",
	                                  "18446744073709551616",
	                                  "99999999999999999999999"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint64_t value;
		ck_assert_msg(!weir_trace_unsigned(text_of(bad[i]), &value), "%s", bad[i]);
	}
}
END_TEST

START_TEST(decimals_are_those_of_strtod)
{
	static const char *const good[] = {"0",
	                                   "1",
	                                   "-1",
	                                   "+1",
	                                   "0.5",
	                                   ".5",
	                                   "5.",
	                                   "1e3",
	                                   "1E+3",
	                                   "1e-3",
	                                   "12.75e2",
	                                   "-0.0",
	                                   "1.021382",
	                                   "0.1",
	                                   "0.3",
	                                   "123456789012345678",
	                                   "9007199254740993",
	                                   "9007199254740992",
	                                   "9007199254740991e22",
	                                   "1e22",
	                                   "1e23",
	                                   "1e-22",
	                                   "1e-23",
	                                   "3.5e-300",
	                                   "4.9e-324",
	                                   "1e-400",
	                                   "1.7976931348623157e308",
	                                   "18446744073709551616",
	                                   "184467440737095516160000",
	                                   "36893488147419103232.5",
	                                   "0.000000000000000000000000000000000001",
	                                   "0.10000000000000000000000000000000000000001",
	                                   "2.2250738585072011e-308",
	                                   "1000000000000000000000000000000",
	                                   "4503599627370496.5",
	                                   "9007199254740993.0"};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		double value = -99.0;
		ck_assert_msg(weir_trace_decimal(text_of(good[i]), 0, &value), "%s", good[i]);
		double expected = strtod(good[i], NULL);
		ck_assert_msg(memcmp(&value, &expected, sizeof value) == 0, "%s: %.17g is not %.17g",
		              good[i], value, expected);
	}
	static const char *const bad[] = {"",      ".",   "-",   "+",    "e5",           "1e",   "1e+",
	                                  "1.2.3", "1 ",  " 1",  "nan",  "inf",          "-inf", "0x10",
	                                  "1e309", "1,5", "--1", "1e5x", "1e99999999999"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		double value;
		ck_assert_msg(!weir_trace_decimal(text_of(bad[i]), 0, &value), "%s", bad[i]);
	}
	char endless[1000];
	memset(endless, '1', sizeof endless - 1);
	endless[sizeof endless - 1] = '\0';
	double value;
	ck_assert(!weir_trace_decimal(text_of(endless), 0, &value));
}
END_TEST

/* Every digit count, on both sides of what the fast path takes. */
START_TEST(random_decimals_are_those_of_strtod)
{
	gsl_rng *rng = weir_stream_create(1, "decimals", 0);
	for (int i = 0; i < 200000; i++) {
		char text[80];
		int length = 0;
		int whole = (int)gsl_rng_uniform_int(rng, 22);
		int fraction = (int)gsl_rng_uniform_int(rng, 22);
		for (int j = 0; j < whole; j++) {
			text[length++] = (char)('0' + gsl_rng_uniform_int(rng, 10));
		}
		text[length++] = '.';
		for (int j = 0; j < fraction || length == 1; j++) {
			text[length++] = (char)('0' + gsl_rng_uniform_int(rng, 10));
		}
		text[length] = '\0';
		if (gsl_rng_uniform_int(rng, 3) == 0) {
			snprintf(text + length, sizeof text - (size_t)length, "e%d",
			         (int)gsl_rng_uniform_int(rng, 80) - 40);
		}
		double value = 0.0;
		if (!weir_trace_decimal(text_of(text), 0, &value) || value != strtod(text, NULL)) {
			ck_abort_msg("%s became %.17g", text, value);
		}
		char shifted[96];
		const char *mark = strchr(text, 'e');
		snprintf(shifted, sizeof shifted, "%.*se%d", length, text,
		         (mark != NULL ? atoi(mark + 1) : 0) - 3);
		if (!weir_trace_decimal(text_of(text), -3, &value) || value != strtod(shifted, NULL)) {
			ck_abort_msg("%s / 1000 became %.17g", text, value);
		}
	}
	gsl_rng_free(rng);
}
END_TEST

START_TEST(formatted_decimals_read_back)
{
	static const struct {
		double value;
		int shift;
		const char *text;
	} known[] = {{0.0, 0, "0"},
	             {1.021382, 0, "1.021382"},
	             {0.1, 0, "0.1"},
	             {27.482, 3, "27482"},
	             {0.0275, 3, "27.5"},
	             {3536.999, 3, "3536999"},
	             {5e-4, 0, "0.0005"},
	             {1e6, 0, "1000000"},
	             {1.0 / 3.0, 0, "0.3333333333333333"},
	             {5e-324, 0, "4.94065645841247e-324"},
	             {1.5e300, 0, "1.5e300"},
	             {1e300, 0, "1e300"}};
	char buffer[WEIR_TRACE_DECIMAL_SIZE];
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		ck_assert_str_eq(weir_trace_decimal_format(known[i].value, known[i].shift, buffer),
		                 known[i].text);
	}
	gsl_rng *rng = weir_stream_create(2, "decimals", 0);
	for (int i = 0; i < 100000; i++) {
		double value = ldexp(gsl_rng_uniform(rng), (int)gsl_rng_uniform_int(rng, 120) - 60);
		int shift = (int)gsl_rng_uniform_int(rng, 7) - 3;
		double back = -1.0;
		weir_trace_decimal_format(value, shift, buffer);
		if (!weir_trace_decimal(text_of(buffer), -shift, &back) || back != value) {
			ck_abort_msg("%.17g became %s", value, buffer);
		}
	}
	gsl_rng_free(rng);
}
END_TEST

START_TEST(excerpts)
{
	char buffer[WEIR_TRACE_EXCERPT_SIZE];
	ck_assert_str_eq(weir_trace_excerpt(text_of("12,\x1b[31m\xff"), buffer), "12,?[31m?");
	char text[200];
	memset(text, 'x', sizeof text);
	weir_trace_excerpt((weir_trace_text){text, text + sizeof text}, buffer);
	ck_assert_uint_eq(strlen(buffer), WEIR_TRACE_EXCERPT_SIZE - 1);
	ck_assert_str_eq(buffer + strlen(buffer) - 4, "x...");
	weir_trace_excerpt((weir_trace_text){text, text + WEIR_TRACE_EXCERPT_SIZE - 4}, buffer);
	ck_assert_ptr_null(strchr(buffer, '.'));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workload_trace_number");
	TCase *numbers = tcase_create("numbers");
	tcase_add_test(numbers, whole_numbers);
	tcase_add_test(numbers, decimals_are_those_of_strtod);
	tcase_add_test(numbers, random_decimals_are_those_of_strtod);
	tcase_add_test(numbers, formatted_decimals_read_back);
	tcase_add_test(numbers, excerpts);
	suite_add_tcase(suite, numbers);
	return test_main(suite);
}
