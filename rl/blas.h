/*
 * The matrix products of networks, by OpenBLAS on one thread.
 *
 * OpenBLAS is loaded when the first network is made, not with the program: loading takes 2 ms of
 * CPU time and starts a thread for each processor, which most commands and their worker processes
 * have no use for. Its symbols stay its own, so that GSL goes on calling the CBLAS that it is
 * linked with and its results keep their bits.
 */
#ifndef WEIR_RL_BLAS_H
#define WEIR_RL_BLAS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

enum { WEIR_BLAS_LARGEST = 1 << 30 }; /* rows or columns */

typedef struct weir_blas {
	/* cblas_sgemm, with its enumerations as the integers that they are */
	void (*sgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
	              const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);
} weir_blas;

/* Loads the library, which stays, and sets it to one thread in the whole process; cheap when it is
 * there already. Forking is safe afterwards. Error: WEIR_ERROR_IO when there is none. */
WEIR_API weir_status weir_blas_open(weir_blas *blas, weir_error *error);

/* c[m][n] = a[m][k] b[k][n], added to what c holds where `add` is true; a_transposed: a is stored
 * [k][m], b_transposed: b is stored [n][k]. No side is above WEIR_BLAS_LARGEST. */
typedef struct weir_product {
	size_t m, n, k;
	bool a_transposed, b_transposed, add;
} weir_product;
WEIR_API void weir_blas_multiply(const weir_blas *blas, const weir_product *product, const float *a,
                                 const float *b, float *c);

WEIR_END_C

#endif
