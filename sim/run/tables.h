/* The tables of a run's file, from the rooms' own row lists. */
#ifndef WEIR_RUN_TABLES_H
#define WEIR_RUN_TABLES_H

#include <stdint.h>

#include "base/export.h"
#include "metrics/summary.h"
#include "record/record.h"

WEIR_BEGIN_C

/* X(field, C type, column type, unit, description) */
#define WEIR_INSTANCE_ROW(X)                                                                       \
	X(instance, int32_t, INT32, "", "Number of the instance, from 0.")                             \
	X(server, int32_t, INT32, "", "Number of its server, from 0.")                                 \
	X(application, int32_t, INT32, "", "Number of its application in the config, from 0.")         \
	X(pool, uint8_t, UINT8, "", "Its home pool.")                                                  \
	X(busy, double, DOUBLE, "s", "Time with a non-empty batch.")                                   \
	X(utilisation, double, DOUBLE, "1", "busy / end_time.")                                        \
	X(energy, double, DOUBLE, "J", "Energy drawn up to end_time.")                                 \
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

/* One row of /totals. */
typedef struct weir_total_row {
	char name[WEIR_COLUMN_NAME_SIZE];
	double value;
	char unit[WEIR_COLUMN_NAME_SIZE];
} weir_total_row;

WEIR_API extern const weir_table_schema weir_requests_table;  /* of weir_request_row */
WEIR_API extern const weir_table_schema weir_samples_table;   /* of weir_sample_row */
WEIR_API extern const weir_table_schema weir_instances_table; /* of weir_instance_row */
WEIR_API extern const weir_table_schema weir_summary_table;   /* of weir_summary_metric */
WEIR_API extern const weir_table_schema weir_totals_table;    /* of weir_total_row */

/* What one total means; in the order of WEIR_TOTALS. */
typedef struct weir_total_description {
	const char *name, *unit, *description;
	size_t offset; /* of the double in weir_totals */
} weir_total_description;

WEIR_API extern const weir_total_description weir_total_descriptions[];
WEIR_API extern const size_t weir_total_count;

WEIR_END_C

#endif
