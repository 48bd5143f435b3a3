/*
 * tanh of float32 arrays: the same bits from every compiler, and four or eight at a time.
 *
 * A rational function of x that is odd by its form, fitted to tanh up to where float32 rounds it to
 * 1; written without calls and branches, so that compilers make vector code of it.
 */
#ifndef WEIR_RL_TANH_H
#define WEIR_RL_TANH_H

#include <stddef.h>

#include "base/export.h"

WEIR_BEGIN_C

/* x[count] becomes tanh(x): at most 4e-7 off, relatively; odd; exactly 1 from 9.02 on and never
 * beyond; NaN stays NaN. */
WEIR_API void weir_tanh(float *x, size_t count);

/* x[rows][columns] becomes tanh(x + bias[columns]): the units of a layer. */
WEIR_API void weir_tanh_biased(float *x, const float *bias, size_t rows, size_t columns);

WEIR_END_C

#endif
