/*
 * What is recorded of a request: one list that makes the struct, the columns of /requests and their
 * documentation.
 */
#ifndef WEIR_SERVING_REQUEST_ROW_H
#define WEIR_SERVING_REQUEST_ROW_H

#include <stdint.h>

#include "base/export.h"

WEIR_BEGIN_C

typedef enum weir_request_status {
	WEIR_REQUEST_COMPLETED,
	WEIR_REQUEST_REJECTED,  /* can never fit in the memory of its instance */
	WEIR_REQUEST_FAILED,    /* given up after its retries */
	WEIR_REQUEST_UNFINISHED /* still in the system when the run ended */
} weir_request_status;

/* "completed", "rejected", "failed", "unfinished"; NULL-terminated. */
WEIR_API extern const char *const weir_request_status_names[];

/* X(field, C type, column type, unit, description) */
#define WEIR_REQUEST_ROW(X)                                                                        \
	X(request_id, int64_t, INT64, "", "Id of the request in its trace.")                           \
	X(application, int32_t, INT32, "", "Number of its application in the config, from 0.")         \
	X(arrival, double, DOUBLE, "s", "Arrival, from the start of the trace.")                       \
	X(prompt_tokens, int32_t, INT32, "tokens", "Size of its prompt.")                              \
	X(output_tokens, int32_t, INT32, "tokens", "Tokens that it generates.")                        \
	X(queue_time, double, DOUBLE, "s", "Start of its prompt's first iteration - arrival.")         \
	X(ttft, double, DOUBLE, "s", "Time to first token: prompt completion - arrival.")              \
	X(second_token_gap, double, DOUBLE, "s",                                                       \
	  "First start of its token task - prompt completion; NaN for one output token.")              \
	X(tbt, double, DOUBLE, "s",                                                                    \
	  "Mean time between tokens: (e2e - ttft) / (output_tokens - 1); NaN for one output token.")   \
	X(e2e, double, DOUBLE, "s", "End-to-end time: completion - arrival.")                          \
	X(prompt_instance, int32_t, INT32, "", "Instance of its prompt task; -1: none.")               \
	X(token_instance, int32_t, INT32, "", "Instance of its token task; -1: none.")                 \
	X(preemptions, int32_t, INT32, "", "Times that its token task was put out of a batch.")        \
	X(retries, int32_t, INT32, "",                                                                 \
	  "Times that it began again from its prompt, after a failure or a move.")                     \
	X(status, uint8_t, UINT8, "", "How it ended.")

typedef struct weir_request_row {
#define WEIR_REQUEST_ROW_FIELD(field, type, column, unit, description) type field;
	WEIR_REQUEST_ROW(WEIR_REQUEST_ROW_FIELD)
#undef WEIR_REQUEST_ROW_FIELD
} weir_request_row;

WEIR_END_C

#endif
