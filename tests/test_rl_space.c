#include "rl/space.h"

#include <math.h>
#include <string.h>

#include "support/test_support.h"

static const weir_dimension boxes[] = {
    {.name = "left", .unit = "m", .low = -1, .high = 2},
    {.name = "right", .unit = "m", .low = -INFINITY, .high = INFINITY},
};
static const weir_dimension choices[] = {
    {.name = "which", .unit = "", .choices = 3},
    {.name = "what", .unit = "", .choices = 4},
};
static const weir_space box = {WEIR_SPACE_BOX, 2, boxes};
static const weir_space discrete = {WEIR_SPACE_DISCRETE, 1, choices};
static const weir_space many = {WEIR_SPACE_MULTI_DISCRETE, 2, choices};

/* The message when it is refused, NULL when it is not. */
static const char *refused(const weir_space *space, float a, float b)
{
	static weir_error error;
	float values[] = {a, b};
	weir_error_clear(&error);
	weir_status status = weir_space_check(space, values, "action", &error);
	ck_assert_int_eq(error.status, status);
	ck_assert(status == WEIR_OK || status == WEIR_ERROR_INPUT);
	return status == WEIR_OK ? NULL : error.message;
}

START_TEST(a_box_takes_its_bounds_and_nothing_beyond)
{
	ck_assert_ptr_null(refused(&box, -1, 1e30F));
	ck_assert_ptr_null(refused(&box, 2, -1e30F));
	ck_assert_str_eq(refused(&box, nextafterf(2, 3), 0),
	                 "action: 'left' (dimension 0) is 2.00000024; it must be a finite number from "
	                 "-1 to 2");
	ck_assert_ptr_nonnull(refused(&box, nextafterf(-1, -2), 0));
	ck_assert_ptr_nonnull(refused(&box, NAN, 0));
	ck_assert_ptr_nonnull(strstr(refused(&box, 0, NAN), "'right' (dimension 1) is nan"));
	ck_assert_ptr_nonnull(refused(&box, 0, INFINITY));
	ck_assert_ptr_nonnull(refused(&box, 0, -INFINITY));
}
END_TEST

START_TEST(a_choice_is_a_whole_number_below_the_count)
{
	ck_assert_ptr_null(refused(&discrete, 0, 99));
	ck_assert_ptr_null(refused(&discrete, 2, 99));
	ck_assert_str_eq(refused(&discrete, 3, 0),
	                 "action: 'which' (dimension 0) is 3; it must be a whole number from 0 to 2");
	ck_assert_ptr_nonnull(refused(&discrete, -1, 0));
	ck_assert_ptr_nonnull(refused(&discrete, 1.5F, 0));
	ck_assert_ptr_nonnull(refused(&discrete, NAN, 0));
	ck_assert_ptr_nonnull(refused(&discrete, INFINITY, 0));
	ck_assert_ptr_null(refused(&many, 2, 3));
	ck_assert_ptr_nonnull(strstr(refused(&many, 2, 4), "'what' (dimension 1)"));
}
END_TEST

START_TEST(choices_of_all_dimensions_are_counted)
{
	ck_assert_uint_eq(weir_space_choices(&box), 0);
	ck_assert_uint_eq(weir_space_choices(&discrete), 3);
	ck_assert_uint_eq(weir_space_choices(&many), 7);
}
END_TEST

START_TEST(spaces_are_equal_by_what_they_hold)
{
	weir_dimension copy[2];
	weir_space same = {WEIR_SPACE_BOX, 2, copy};
	memcpy(copy, boxes, sizeof copy);
	ck_assert(weir_space_equal(&box, &same));
	copy[1].name = "up";
	ck_assert(!weir_space_equal(&box, &same));
	memcpy(copy, boxes, sizeof copy);
	copy[0].high = 3;
	ck_assert(!weir_space_equal(&box, &same));
	memcpy(copy, boxes, sizeof copy);
	copy[0].low = -2;
	ck_assert(!weir_space_equal(&box, &same));
	same.size = 1;
	ck_assert(!weir_space_equal(&box, &same));

	memcpy(copy, choices, sizeof copy);
	same = (weir_space){WEIR_SPACE_MULTI_DISCRETE, 2, copy};
	ck_assert(weir_space_equal(&many, &same));
	ck_assert(!weir_space_equal(&discrete, &same));
	copy[1].choices = 5;
	ck_assert(!weir_space_equal(&many, &same));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/space");
	TCase *tests = tcase_create("space");
	tcase_add_test(tests, a_box_takes_its_bounds_and_nothing_beyond);
	tcase_add_test(tests, a_choice_is_a_whole_number_below_the_count);
	tcase_add_test(tests, choices_of_all_dimensions_are_counted);
	tcase_add_test(tests, spaces_are_equal_by_what_they_hold);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
