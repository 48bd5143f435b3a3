#include "rl/tanh.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "support/test_support.h"

enum { BLOCK = 4096 };

static float float_of(uint32_t bits)
{
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static uint32_t bits_of(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}

/* One of 211 of all positive floats: within 4e-7 of libm in double, odd, never beyond 1. */
START_TEST(it_is_tanh)
{
	static float x[BLOCK];
	static float y[2 * BLOCK];
	uint32_t bits = 0;
	while (bits < bits_of(INFINITY)) {
		for (size_t i = 0; i < BLOCK; i++, bits += 211) {
			x[i] = float_of(bits < bits_of(INFINITY) ? bits : bits_of(INFINITY));
			y[i] = x[i];
			y[BLOCK + i] = -x[i];
		}
		weir_tanh(y, sizeof y / sizeof y[0]);
		for (size_t i = 0; i < BLOCK; i++) {
			double wanted = tanh((double)x[i]);
			/* of numbers next to 0, the spacing of floats */
			double allowed = 4e-7 * wanted + 1.5e-45;
			if (!(fabs((double)y[i] - wanted) <= allowed) || y[i] > 1 || y[BLOCK + i] != -y[i]) {
				ck_abort_msg("tanh(%.9g) is %.9g, tanh(-x) %.9g; libm says %.9g", (double)x[i],
				             (double)y[i], (double)y[BLOCK + i], wanted);
			}
		}
	}
}
END_TEST

START_TEST(it_saturates_and_keeps_what_is_no_number)
{
	float x[] = {9.02f, -9.02f, 3e38f, INFINITY, -INFINITY, NAN, -NAN, 0.0f, -0.0f};
	weir_tanh(x, sizeof x / sizeof x[0]);
	ck_assert_float_eq(x[0], 1.0f);
	ck_assert_float_eq(x[1], -1.0f);
	ck_assert_float_eq(x[2], 1.0f);
	ck_assert_float_eq(x[3], 1.0f);
	ck_assert_float_eq(x[4], -1.0f);
	ck_assert(isnan(x[5]) && isnan(x[6]));
	ck_assert_uint_eq(bits_of(x[7]), bits_of(0.0f));
	ck_assert_uint_eq(bits_of(x[8]), bits_of(-0.0f));
}
END_TEST

/* Vectors and what is left beside them, and every compiler. */
START_TEST(bits_depend_on_the_number_alone)
{
	enum { MOST = 67 };
	float alone[MOST];
	uint64_t digest = 14695981039346656037u; /* FNV-1a */
	for (size_t i = 0; i < MOST; i++) {
		alone[i] = (float)((double)i * 0.173 - 5.9);
		weir_tanh(&alone[i], 1);
		digest = (digest ^ bits_of(alone[i])) * 1099511628211u;
	}
	ck_assert_msg(digest == 0xbea6ddd538374a02u, "digest %#llx", (unsigned long long)digest);
	for (size_t count = 1; count <= MOST; count++) {
		float together[MOST];
		for (size_t i = 0; i < count; i++) {
			together[i] = (float)((double)i * 0.173 - 5.9);
		}
		weir_tanh(together, count);
		ck_assert_int_eq(memcmp(together, alone, count * sizeof *together), 0);
	}
}
END_TEST

START_TEST(a_layer_adds_its_biases)
{
	enum { ROWS = 3, COLUMNS = 11 };
	float x[ROWS][COLUMNS];
	float bias[COLUMNS];
	float wanted[ROWS][COLUMNS];
	for (size_t row = 0; row < ROWS; row++) {
		for (size_t i = 0; i < COLUMNS; i++) {
			x[row][i] = (float)row - (float)i / 7;
			bias[i] = (float)i / 5;
			wanted[row][i] = x[row][i] + bias[i];
		}
	}
	weir_tanh(&wanted[0][0], ROWS * COLUMNS);
	weir_tanh_biased(&x[0][0], bias, ROWS, COLUMNS);
	ck_assert_int_eq(memcmp(x, wanted, sizeof x), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/tanh");
	TCase *tests = tcase_create("tanh");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, it_is_tanh);
	tcase_add_test(tests, it_saturates_and_keeps_what_is_no_number);
	tcase_add_test(tests, bits_depend_on_the_number_alone);
	tcase_add_test(tests, a_layer_adds_its_biases);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
