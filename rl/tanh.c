#include "rl/tanh.h"

#include <math.h>

#include "rl/vector_code.h"

/* From here on float32 has no number between tanh and 1. */
#define SATURATED 9.02f

/* tanh(x) = x P(x^2) / Q(x^2), minimax in relative error on [0, SATURATED] (2.1e-8). No coefficient
 * is negative, so nothing cancels. */
static inline float tanh_of(float x)
{
	float size = fabsf(x);
	float inside = size > SATURATED ? SATURATED : size;
	float t = inside * inside;
	float p = 1.33195091e-08f * t + 2.05838332e-05f;
	p = p * t + 3.49405757e-03f;
	p = p * t + 1.33797377e-01f;
	p = p * t + 1.0f;
	float q = 7.76220929e-07f * t + 3.28312948e-04f;
	q = q * t + 2.58711632e-02f;
	q = q * t + 4.67130542e-01f;
	q = q * t + 1.0f;
	float y = inside * p / q;
	y = y > 1.0f ? 1.0f : y;
	y = size >= SATURATED ? 1.0f : y;
	return copysignf(y, x);
}

WEIR_VECTOR_CODE(weir_tanh, (float *x, size_t count), (x, count))
{
	for (size_t i = 0; i < count; i++) {
		x[i] = tanh_of(x[i]);
	}
}

WEIR_VECTOR_CODE(weir_tanh_biased, (float *x, const float *bias, size_t rows, size_t columns),
                 (x, bias, rows, columns))
{
	for (size_t row = 0; row < rows; row++) {
		float *of_row = x + row * columns;
		for (size_t i = 0; i < columns; i++) {
			of_row[i] = tanh_of(of_row[i] + bias[i]);
		}
	}
}
