#include "base/text.h"

#include "support/test_support.h"

START_TEST(nearest_forgives_a_slip_and_no_more)
{
	const char *const names[] = {"scheduler", "servers", "seed", NULL};
	ck_assert_str_eq(weir_nearest("schedular", names, 4), "scheduler");
	ck_assert_str_eq(weir_nearest("Servers", names, 4), "servers");
	ck_assert_str_eq(weir_nearest("sede", names, 4), "seed");
	ck_assert_ptr_null(weir_nearest("bandwidth", names, 4));
	ck_assert_ptr_null(weir_nearest("", names, 0));
}
END_TEST

START_TEST(numbers_are_whole_and_finite)
{
	double number = 0;
	ck_assert(weir_parse_double("-1.5e3", &number));
	ck_assert_double_eq(number, -1500.0);
	const char *const bad[] = {"", " 1", "1 ", "inf", "nan", "0x10", "1e999", "1,5", "--1"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ck_assert_msg(!weir_parse_double(bad[i], &number), "accepted '%s'", bad[i]);
	}
	int64_t integer = 0;
	ck_assert(weir_parse_int64("-42", &integer));
	ck_assert_int_eq(integer, -42);
	ck_assert(!weir_parse_int64("9223372036854775808", &integer));
	ck_assert(!weir_parse_int64("4.0", &integer));
	ck_assert(!weir_parse_int64(" 4", &integer));
}
END_TEST

START_TEST(formats_are_readable)
{
	char buffer[32];
	ck_assert_str_eq(weir_format_bytes(buffer, sizeof buffer, 85899345920.0), "80.0 GiB");
	ck_assert_str_eq(weir_format_bytes(buffer, sizeof buffer, 12.0), "12 B");
	ck_assert_str_eq(weir_format_count(buffer, sizeof buffer, 1234567.0), "1234.6 k");
	ck_assert_str_eq(weir_format_count(buffer, sizeof buffer, 42.0), "42");
	ck_assert_str_eq(weir_format_duration(buffer, sizeof buffer, 3723.2), "01:02:03");
	ck_assert_str_eq(weir_format_duration(buffer, sizeof buffer, -1.0), "--:--:--");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base/text");
	TCase *tests = tcase_create("text");
	tcase_add_test(tests, nearest_forgives_a_slip_and_no_more);
	tcase_add_test(tests, numbers_are_whole_and_finite);
	tcase_add_test(tests, formats_are_readable);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
