/*
 * Measured iteration times, read and interpolated apart from sim/model, so that a mistake there
 * cannot hide from the oracle.
 */
#ifndef WEIR_TESTS_CURVES_H
#define WEIR_TESTS_CURVES_H

#include <stddef.h>
#include <stdint.h>

enum { CURVE_POINTS = 64 };

/* Seconds of one iteration at rising numbers of batch tokens. */
typedef struct test_curves {
	size_t count;
	double batch_tokens[CURVE_POINTS], prompt_seconds[CURVE_POINTS], token_seconds[CURVE_POINTS];
} test_curves;

/* Those of a profile, configs/profiles, for one model, GPU and tensor parallel 8. Fails the test
 * when there are none. */
test_curves test_curves_of_profile(const char *path, const char *model, const char *gpu);

/* Medians of the rows of SplitwiseSim's profile CSV likewise. */
test_curves test_curves_of_csv(const char *path, const char *model, const char *gpu);

/* Seconds of one iteration; a batch with both kinds of tasks takes 1.1 times the prompt curve. */
double test_curves_iteration_seconds(const test_curves *curves, int64_t prompt_tokens,
                                     int64_t token_tasks);

#endif
