#include "rl/layer_code.h"

#include <math.h>

#include "rl/vector_code.h"

WEIR_VECTOR_CODE(weir_bias_add, (float *x, const float *bias, size_t rows, size_t columns),
                 (x, bias, rows, columns))
{
	for (size_t row = 0; row < rows; row++) {
		for (size_t i = 0; i < columns; i++) {
			x[row * columns + i] += bias[i];
		}
	}
}

WEIR_VECTOR_CODE(weir_columns_add, (const float *x, size_t rows, size_t columns, float *sums),
                 (x, rows, columns, sums))
{
	for (size_t row = 0; row < rows; row++) {
		for (size_t i = 0; i < columns; i++) {
			sums[i] += x[row * columns + i];
		}
	}
}

WEIR_VECTOR_CODE(weir_tanh_gradient, (float *gradient, const float *y, size_t count),
                 (gradient, y, count))
{
	for (size_t i = 0; i < count; i++) {
		gradient[i] *= 1.0f - y[i] * y[i];
	}
}

/* Eight partial sums, whatever the width of vectors. */
WEIR_VECTOR_CODE(weir_square_sum, (const float *x, size_t count, double *sum), (x, count, sum))
{
	enum { LANES = 8 };
	double sums[LANES] = {0};
	size_t i = 0;
	for (; i + LANES <= count; i += LANES) {
		for (size_t lane = 0; lane < LANES; lane++) {
			double value = (double)x[i + lane];
			sums[lane] += value * value;
		}
	}
	for (size_t lane = 0; i < count; i++, lane++) {
		sums[lane] += (double)x[i] * (double)x[i];
	}
	*sum =
	    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

WEIR_VECTOR_CODE(weir_adam_apply,
                 (const weir_adam_step *step, const float *gradient, size_t count,
                  float *restrict m, float *restrict v, float *restrict parameters),
                 (step, gradient, count, m, v, parameters))
{
	const weir_adam_step adam = *step;
	for (size_t i = 0; i < count; i++) {
		float g = adam.scale * gradient[i];
		m[i] = adam.beta1 * m[i] + adam.rest1 * g;
		v[i] = adam.beta2 * v[i] + adam.rest2 * g * g;
		parameters[i] -= adam.rate * m[i] / (sqrtf(v[i]) / adam.root + adam.eps);
	}
}
