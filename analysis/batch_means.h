/* The mean of one long run whose values depend on each other: batch means. */
#ifndef WEIR_ANALYSIS_BATCH_MEANS_H
#define WEIR_ANALYSIS_BATCH_MEANS_H

#include <stddef.h>

#include "analysis/interval.h"
#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

typedef struct weir_batch_means {
	weir_interval interval; /* of the mean; its count is the number of batches */
	size_t batch_size;
	size_t skipped;         /* values at the front, fewer than there are batches */
	double autocorrelation; /* of the batch means at lag 1; 0 when they are all equal */
	/* Von Neumann's check: the chance of batch means at least this much alike from one to the next
	 * if they were independent. A small one (below 0.05, say) means that the batches are too short
	 * and the interval too narrow. 1 when they are all equal. */
	double independence_p;
} weir_batch_means;

/*
 * Cuts the series, without its warm-up, into `batches` equal ones and takes their means as
 * independent (Law 2015, section 9.5.3; 10 to 30 batches are enough: Schmeiser 1982, "Batch size
 * effects in the analysis of simulation output", Operations Research 30:556-568). What does not
 * divide is skipped at the front.
 *
 * The check is C = 1 - sum((Y[i] - Y[i-1])^2) / (2 sum((Y[i] - mean)^2)), for independent normal
 * batch means about normal with mean 0 and variance (b - 2) / (b^2 - 1), one-sided (von Neumann
 * 1941; Young 1941; as Fishman and Yarberry 1997 use it, INFORMS J. on Computing 9:296-310).
 *
 * Refused: as weir_sample_check; fewer than 3 batches, fewer values than batches; out of memory.
 */
WEIR_API weir_status weir_batch_means_of(const double *values, size_t count, size_t batches,
                                         double confidence, weir_batch_means *result,
                                         weir_error *error);

WEIR_END_C

#endif
