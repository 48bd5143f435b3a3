/*
 * What is recorded of iterations and KV transfers: lists that make the structs, the columns of
 * /iterations and /transfers and their documentation.
 */
#ifndef WEIR_SERVING_ACTIVITY_ROW_H
#define WEIR_SERVING_ACTIVITY_ROW_H

#include <stdint.h>

#include "base/export.h"

WEIR_BEGIN_C

/* X(field, C type, column type, unit, description) */
#define WEIR_ITERATION_ROW(X)                                                                      \
	X(start, double, DOUBLE, "s", "When the first of them began.")                                 \
	X(end, double, DOUBLE, "s", "When the last of them ended, or was broken off.")                 \
	X(instance, int32_t, INT32, "", "Id of the instance.")                                         \
	X(iterations, int64_t, INT64, "1", "Iterations finished.")                                     \
	X(prompt_tasks, int32_t, INT32, "tasks", "Prompt tasks with tokens in them.")                  \
	X(token_tasks, int32_t, INT32, "tasks", "Token tasks in the batch.")                           \
	X(prompt_tokens, int64_t, INT64, "tokens", "Prompt tokens processed.")                         \
	X(output_tokens, int64_t, INT64, "tokens", "Output tokens made.")                              \
	X(context, int64_t, INT64, "tokens", "KV cache of the batch when they began.")

typedef struct weir_iteration_row {
#define WEIR_ITERATION_ROW_FIELD(field, type, column, unit, description) type field;
	WEIR_ITERATION_ROW(WEIR_ITERATION_ROW_FIELD)
#undef WEIR_ITERATION_ROW_FIELD
} weir_iteration_row;

typedef enum weir_transfer_outcome {
	WEIR_TRANSFER_ARRIVED,
	WEIR_TRANSFER_CANCELLED, /* one of its instances lost its requests */
	WEIR_TRANSFER_UNDER_WAY  /* when the run ended */
} weir_transfer_outcome;

/* "arrived", "cancelled", "under_way"; NULL-terminated. */
WEIR_API extern const char *const weir_transfer_outcome_names[];

/* X(field, C type, column type, unit, description) */
#define WEIR_TRANSFER_ROW(X)                                                                       \
	X(request_id, int64_t, INT64, "", "Id of the request in its trace.")                           \
	X(retries, int32_t, INT32, "", "Times that the request had begun again by then.")              \
	X(from_instance, int32_t, INT32, "", "Id of the instance of its prompt task.")                 \
	X(to_instance, int32_t, INT32, "", "Id of the instance of its token task.")                    \
	X(ready, double, DOUBLE, "s",                                                                  \
	  "Prompt completion; from then to the start it waits for memory.")                            \
	X(start, double, DOUBLE, "s", "When it began.")                                                \
	X(end, double, DOUBLE, "s", "When it arrived, or was broken off.")                             \
	X(bytes, int64_t, INT64, "bytes", "Size of the KV cache, whatever became of it.")              \
	X(outcome, uint8_t, UINT8, "", "What became of it.")

typedef struct weir_transfer_row {
#define WEIR_TRANSFER_ROW_FIELD(field, type, column, unit, description) type field;
	WEIR_TRANSFER_ROW(WEIR_TRANSFER_ROW_FIELD)
#undef WEIR_TRANSFER_ROW_FIELD
} weir_transfer_row;

WEIR_END_C

#endif
