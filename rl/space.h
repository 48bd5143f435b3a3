/* Spaces: what observations and actions may be, dimension by dimension. */
#ifndef WEIR_RL_SPACE_H
#define WEIR_RL_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

typedef enum weir_space_kind {
	WEIR_SPACE_BOX,           /* real numbers within bounds */
	WEIR_SPACE_DISCRETE,      /* one whole number, 0 .. choices - 1 */
	WEIR_SPACE_MULTI_DISCRETE /* one such number for each dimension */
} weir_space_kind;

/* "box", "discrete", "multi_discrete"; NULL-terminated. */
WEIR_API extern const char *const weir_space_kinds[];

typedef struct weir_dimension {
	const char *name; /* unique within its space */
	const char *unit; /* "" for none; of the number as it stands, after any scaling */
	float low, high;  /* of a Box, included; may be infinite */
	uint32_t choices; /* of the others, at least 1 */
} weir_dimension;

/*
 * Values of every kind are float32 vectors of `size` numbers; a choice is a whole number in it. A
 * batch of n has shape [n][size].
 */
typedef struct weir_space {
	weir_space_kind kind;
	size_t size; /* at least 1; of DISCRETE 1 */
	const weir_dimension *dimensions;
} weir_space;

/* Choices of all dimensions: how long an action mask is, dimension after dimension. 0 for a Box. */
WEIR_API size_t weir_space_choices(const weir_space *space);

/* Whether two spaces have the same kind, size, choices, names and bounds. */
WEIR_API bool weir_space_equal(const weir_space *a, const weir_space *b);

/* Refuses a vector with a number that is not finite, out of bounds, or no choice of its dimension;
 * `what` ("action", "observation") begins the message, which names the dimension, the number and
 * what is allowed. */
WEIR_API weir_status weir_space_check(const weir_space *space, const float *values,
                                      const char *what, weir_error *error);

WEIR_END_C

#endif
