/* The tables of a run's file, from the rooms' own row lists. */
#ifndef WEIR_RUN_TABLES_H
#define WEIR_RUN_TABLES_H

#include <stdint.h>

#include "base/export.h"
#include "metrics/summary.h"
#include "record/record.h"
#include "scaling/manager.h"

WEIR_BEGIN_C

/* X(field, C type, column type, unit, description) */
#define WEIR_INSTANCE_ROW(X)                                                                       \
	X(instance, int32_t, INT32, "", "Id of the instance, from 0 in order of creation.")            \
	X(server, int32_t, INT32, "", "Id of its server.")                                             \
	X(application, int32_t, INT32, "", "Number of its application in the config, from 0.")         \
	X(pool, uint8_t, UINT8, "", "Its home pool, the last one when it changed pools.")              \
	X(state, uint8_t, UINT8, "",                                                                   \
	  "Its state at the end of the run, or just before it was removed.")                           \
	X(created, double, DOUBLE, "s", "When it came to be, and its bill began.")                     \
	X(active, double, DOUBLE, "s", "When it was first ACTIVE; NaN: never.")                        \
	X(drain_start, double, DOUBLE, "s", "When it last began to drain; NaN: never.")                \
	X(removed, double, DOUBLE, "s", "When it was removed, and its bill ended; NaN: not removed.")  \
	X(paid_scaling_up, double, DOUBLE, "s", "Time paid for while SCALING_UP.")                     \
	X(paid_active, double, DOUBLE, "s", "Time paid for while ACTIVE.")                             \
	X(paid_draining, double, DOUBLE, "s", "Time paid for while DRAINING.")                         \
	X(paid_prompt, double, DOUBLE, "s", "Of all that time, spent in the prompt pool.")             \
	X(paid_token, double, DOUBLE, "s", "Spent in the token pool.")                                 \
	X(paid_mixed, double, DOUBLE, "s", "Spent in the mixed pool.")                                 \
	X(cost_usd, double, DOUBLE, "USD", "What it cost: its share of its server's price.")           \
	X(busy, double, DOUBLE, "s", "Time with a non-empty batch.")                                   \
	X(utilisation, double, DOUBLE, "1", "busy / time paid for.")                                   \
	X(energy, double, DOUBLE, "J", "Energy drawn.")                                                \
	X(prompt_tokens, int64_t, INT64, "tokens", "Prompt tokens processed.")                         \
	X(output_tokens, int64_t, INT64, "tokens", "Output tokens made.")                              \
	X(iterations, int64_t, INT64, "1", "Iterations finished.")                                     \
	X(prompts_completed, int64_t, INT64, "requests", "Prompts completed.")                         \
	X(requests_completed, int64_t, INT64, "requests", "Requests whose last task completed here.")  \
	X(preemptions, int64_t, INT64, "1", "Token tasks put out of a batch.")                         \
	X(memory, int64_t, INT64, "bytes", "Memory in use at the end, weights included.")              \
	X(memory_limit, int64_t, INT64, "bytes", "Memory of its GPUs.")

typedef struct weir_instance_row {
#define WEIR_INSTANCE_ROW_FIELD(field, type, column, unit, description) type field;
	WEIR_INSTANCE_ROW(WEIR_INSTANCE_ROW_FIELD)
#undef WEIR_INSTANCE_ROW_FIELD
	char sku[WEIR_COLUMN_NAME_SIZE];
} weir_instance_row;

/* X(field, C type, column type, unit, description) */
#define WEIR_SERVER_ROW(X)                                                                         \
	X(server, int32_t, INT32, "", "Id of the server, from 0 in order of creation.")                \
	X(application, int32_t, INT32, "", "Number of its application in the config, from 0.")         \
	X(created, double, DOUBLE, "s", "When it came to be, and its bill began.")                     \
	X(removed, double, DOUBLE, "s", "When it was removed, and its bill ended; NaN: not removed.")  \
	X(paid, double, DOUBLE, "s", "Time paid for.")                                                 \
	X(cost_usd, double, DOUBLE, "USD", "What it cost.")

typedef struct weir_server_row {
#define WEIR_SERVER_ROW_FIELD(field, type, column, unit, description) type field;
	WEIR_SERVER_ROW(WEIR_SERVER_ROW_FIELD)
#undef WEIR_SERVER_ROW_FIELD
	char sku[WEIR_COLUMN_NAME_SIZE];
} weir_server_row;

/* X(field, C type, column type, unit, description) */
#define WEIR_POOL_ROW(X)                                                                           \
	X(application, int32_t, INT32, "", "Number of the application in the config, from 0.")         \
	X(pool, uint8_t, UINT8, "", "The pool: what instances did while they were in it.")             \
	X(paid_scaling_up, double, DOUBLE, "s", "Instance-seconds paid for while SCALING_UP.")         \
	X(paid_active, double, DOUBLE, "s", "Instance-seconds paid for while ACTIVE.")                 \
	X(paid_draining, double, DOUBLE, "s", "Instance-seconds paid for while DRAINING.")             \
	X(cost_usd, double, DOUBLE, "USD", "Cost of these, by each instance's share of its server.")   \
	X(energy, double, DOUBLE, "J", "Energy drawn.")                                                \
	X(busy, double, DOUBLE, "s", "Instance-seconds with a non-empty batch.")                       \
	X(prompt_tokens, int64_t, INT64, "tokens", "Prompt tokens processed.")                         \
	X(output_tokens, int64_t, INT64, "tokens", "Output tokens made.")                              \
	X(prompts_completed, int64_t, INT64, "requests", "Prompts completed.")                         \
	X(requests_completed, int64_t, INT64, "requests", "Requests whose last task completed in it.") \
	X(preemptions, int64_t, INT64, "1", "Token tasks put out of a batch.")

typedef struct weir_pool_row {
#define WEIR_POOL_ROW_FIELD(field, type, column, unit, description) type field;
	WEIR_POOL_ROW(WEIR_POOL_ROW_FIELD)
#undef WEIR_POOL_ROW_FIELD
} weir_pool_row;

/* One row of /totals. */
typedef struct weir_total_row {
	char name[WEIR_COLUMN_NAME_SIZE];
	double value;
	char unit[WEIR_COLUMN_NAME_SIZE];
} weir_total_row;

WEIR_API extern const weir_table_schema weir_requests_table;       /* of weir_request_row */
WEIR_API extern const weir_table_schema weir_samples_table;        /* of weir_sample_row */
WEIR_API extern const weir_table_schema weir_instances_table;      /* of weir_instance_row */
WEIR_API extern const weir_table_schema weir_servers_table;        /* of weir_server_row */
WEIR_API extern const weir_table_schema weir_pools_table;          /* of weir_pool_row */
WEIR_API extern const weir_table_schema weir_scaling_events_table; /* of weir_scaling_event_row */
WEIR_API extern const weir_table_schema weir_iterations_table; /* of weir_iteration_row; optional */
WEIR_API extern const weir_table_schema weir_transfers_table;  /* of weir_transfer_row; optional */
WEIR_API extern const weir_table_schema weir_summary_table;    /* of weir_summary_metric */
WEIR_API extern const weir_table_schema weir_totals_table;     /* of weir_total_row */

/* What one total means; in the order of WEIR_TOTALS. */
typedef struct weir_total_description {
	const char *name, *unit, *description;
	size_t offset; /* of the double in weir_totals */
} weir_total_description;

WEIR_API extern const weir_total_description weir_total_descriptions[];
WEIR_API extern const size_t weir_total_count;

WEIR_END_C

#endif
