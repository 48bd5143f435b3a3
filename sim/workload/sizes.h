/*
 * Sizes of requests: how many prompt and output tokens.
 *
 * A distribution is known by its quantile function, so that prompt and output can be drawn together
 * with a given rank correlation (a Gaussian copula), whatever their kinds.
 */
#ifndef WEIR_WORKLOAD_SIZES_H
#define WEIR_WORKLOAD_SIZES_H

#include <gsl/gsl_rng.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "workload/source.h"

WEIR_BEGIN_C

/* name, what it is */
#define WEIR_SIZE_LIST(X)                                                                          \
	X(CONSTANT, "constant", "one size")                                                            \
	X(UNIFORM, "uniform", "every whole number from minimum to maximum")                            \
	X(LOGNORMAL, "lognormal", "log-normal between minimum and maximum, rounded to nearest")        \
	X(QUANTILES, "quantiles", "a quantile table, linear between its entries, rounded to nearest")

typedef enum weir_size_kind {
#define WEIR_SIZE_ENUM(name, text, doc) WEIR_SIZE_##name,
	WEIR_SIZE_LIST(WEIR_SIZE_ENUM)
#undef WEIR_SIZE_ENUM
} weir_size_kind;

/* No request is larger, in tokens. */
#define WEIR_SIZE_LARGEST 1000000000

/* One distribution, in tokens. Fields of other kinds than the chosen one are not read. */
typedef struct weir_size_config {
	int kind;                 /* weir_size_kind */
	int64_t value;            /* constant */
	int64_t minimum, maximum; /* uniform, lognormal: both within; at least 1 */
	double median,
	    mean;     /* lognormal, before it is cut to [minimum, maximum]; one of the two, the other
	                 0 */
	double sigma; /* lognormal: standard deviation of the logarithm */
	weir_key_list probabilities; /* quantiles: of double, rising from 0 to 1 */
	weir_key_list values;        /* quantiles: of double, never falling, one for each probability */
} weir_size_config;

/* name, what it is */
#define WEIR_SIZES_LIST(X)                                                                         \
	X(LIKE, "like", "as the file named by `workload.like` has it")                                 \
	X(DRAWN, "drawn", "prompt and output each from a distribution, with a given rank correlation") \
	X(TRACE, "trace", "pairs of prompt and output drawn, with replacement, from those of a trace")

typedef enum weir_sizes_kind {
#define WEIR_SIZES_ENUM(name, text, doc) WEIR_SIZES_##name,
	WEIR_SIZES_LIST(WEIR_SIZES_ENUM)
#undef WEIR_SIZES_ENUM
} weir_sizes_kind;

typedef struct weir_sizes_config {
	int kind;                /* weir_sizes_kind */
	weir_size_config prompt; /* drawn */
	weir_size_config output;
	double rank_correlation; /* drawn: Spearman's, of prompt and output before rounding; -1..1 */
	const char *path;        /* trace: the file */
	const char *format;      /* trace: its format, "auto" to detect it */
} weir_sizes_config;

/* NULL-terminated names, by weir_size_kind and weir_sizes_kind. */
WEIR_API extern const char *const weir_size_kinds[];
WEIR_API extern const char *const weir_sizes_kinds[];

/* Immutable once made. */
typedef struct weir_sizes weir_sizes;

/*
 * Makes the sizes. Of kind `trace`, all pairs of `sample` are read, 8 bytes each; the caller keeps
 * and destroys it; of the others `sample` is NULL. Errors: WEIR_ERROR_INPUT with where = the key
 * that is wrong ("prompt.sigma", "rank_correlation", ...), or what reading `sample` gave.
 */
WEIR_API weir_status weir_sizes_create(const weir_sizes_config *config, weir_source *sample,
                                       weir_sizes **sizes, weir_error *error);
WEIR_API void weir_sizes_destroy(weir_sizes *sizes);

/* Draws one request's sizes. The kind `drawn` takes two draws whatever the distributions and their
 * correlation, so that a change of the output's leaves every prompt as it was. */
WEIR_API void weir_sizes_draw(const weir_sizes *sizes, gsl_rng *random, int64_t *prompt_tokens,
                              int64_t *output_tokens);

WEIR_END_C

#endif
