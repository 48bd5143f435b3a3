/* The loops of a network's layers over all their numbers, beside matrix products and tanh. */
#ifndef WEIR_RL_LAYER_CODE_H
#define WEIR_RL_LAYER_CODE_H

#include <stddef.h>

#include "base/export.h"

WEIR_BEGIN_C

/* x[rows][columns] += bias[columns] */
void weir_bias_add(float *x, const float *bias, size_t rows, size_t columns);

/* sums[columns] += the sums of the columns of x[rows][columns] */
void weir_columns_add(const float *x, size_t rows, size_t columns, float *sums);

/* gradient[count] *= 1 - y^2, the derivative of y = tanh(x) */
void weir_tanh_gradient(float *gradient, const float *y, size_t count);

/* Sum of the squares, in double. */
void weir_square_sum(const float *x, size_t count, double *sum);

/* One step of Adam (Kingma and Ba 2015): m and v are the moments, `rate` and `root` the learning
 * rate over 1 - beta1^t and the root of 1 - beta2^t; the gradient is taken times `scale`. */
typedef struct weir_adam_step {
	float beta1, beta2, rest1, rest2; /* rest: 1 - beta */
	float eps, rate, root, scale;
} weir_adam_step;
void weir_adam_apply(const weir_adam_step *step, const float *gradient, size_t count, float *m,
                     float *v, float *parameters);

WEIR_END_C

#endif
