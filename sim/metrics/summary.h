/*
 * The summary of a run, from its recorded requests: exact statistics of every metric, slowdowns,
 * attainment, throughput.
 *
 * Columns are read one at a time, so that memory is one column, and so that a recorded file can be
 * summarised again to verify it.
 */
#ifndef WEIR_METRICS_SUMMARY_H
#define WEIR_METRICS_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "metrics/slo.h"

WEIR_BEGIN_C

enum { WEIR_SUMMARY_NAME_SIZE = 32 };

/* X(field, probability or -1, unit-less description): the statistics of one metric */
#define WEIR_SUMMARY_STATISTICS(X)                                                                 \
	X(mean, "Mean.")                                                                               \
	X(std, "Sample standard deviation (divisor count - 1).")                                       \
	X(min, "Least value.")                                                                         \
	X(p50, "Median (all percentiles: linear interpolation, as numpy's).")                          \
	X(p90, "90th percentile.")                                                                     \
	X(p95, "95th percentile.")                                                                     \
	X(p99, "99th percentile.")                                                                     \
	X(p999, "99.9th percentile.")                                                                  \
	X(max, "Greatest value.")

/* One metric of the completed requests. */
typedef struct weir_summary_metric {
	char metric[WEIR_SUMMARY_NAME_SIZE];
	char unit[WEIR_SUMMARY_NAME_SIZE];
	int64_t count; /* of values that are not NaN */
#define WEIR_SUMMARY_FIELD(field, description) double field;
	WEIR_SUMMARY_STATISTICS(WEIR_SUMMARY_FIELD)
#undef WEIR_SUMMARY_FIELD
} weir_summary_metric;

/* The metrics, in this order. */
typedef enum weir_summary_index {
	WEIR_SUMMARY_QUEUE_TIME,
	WEIR_SUMMARY_TTFT,
	WEIR_SUMMARY_SECOND_TOKEN_GAP,
	WEIR_SUMMARY_TBT,
	WEIR_SUMMARY_E2E,
	WEIR_SUMMARY_PROMPT_TOKENS,
	WEIR_SUMMARY_OUTPUT_TOKENS,
	WEIR_SUMMARY_TTFT_SLOWDOWN,
	WEIR_SUMMARY_TBT_SLOWDOWN,
	WEIR_SUMMARY_E2E_SLOWDOWN,
	WEIR_SUMMARY_COUNT
} weir_summary_index;

/* X(field, unit, description): single figures of a run, all as doubles; flags are 0 or 1 */
#define WEIR_TOTALS(X)                                                                             \
	X(arrived, "requests", "Requests that arrived.")                                               \
	X(completed, "requests", "Requests that completed.")                                           \
	X(rejected, "requests", "Requests that could never fit in the memory of their instance.")      \
	X(failed, "requests", "Requests given up.")                                                    \
	X(unfinished, "requests", "Requests still in the system at the end.")                          \
	X(end_time, "s", "Time of the last event, from the start of the trace.")                       \
	X(last_arrival, "s", "Time of the last arrival.")                                              \
	X(requests_per_s, "1/s", "Completed requests / end_time.")                                     \
	X(prompt_tokens_per_s, "tokens/s", "Prompt tokens of completed requests / end_time.")          \
	X(output_tokens_per_s, "tokens/s", "Output tokens of completed requests / end_time.")          \
	X(attainment, "1",                                                                             \
	  "Requests that met slo.per_request / requests that arrived, without unfinished ones that "   \
	  "are not past a limit yet.")                                                                 \
	X(slo_met, "1", "1 when every percentile limit (slo.p50, p90, p99) is kept.")                  \
	X(preemptions, "1", "Times that a token task was put out of a batch.")                         \
	X(instances, "1", "Instances at the start.")                                                   \
	X(busy_share, "1", "Busy time of all instances / instance_hours.")                             \
	X(energy_kwh, "kWh", "Energy drawn by all instances.")                                         \
	X(cost_usd, "USD", "Price of all servers, each from its creation to its removal.")             \
	X(instance_hours, "h", "Time paid for, over all instances and states.")                        \
	X(booting_hours, "h", "Of these, while SCALING_UP.")                                           \
	X(draining_hours, "h", "Of these, while DRAINING.")                                            \
	X(scale_operations, "1",                                                                       \
	  "Instances started, boots cancelled, drains begun and taken back, changes of pool.")         \
	X(instances_started, "1", "Instances added to the start state.")                               \
	X(instances_removed, "1", "Instances removed.")                                                \
	X(flips, "1", "Instances that changed pools.")                                                 \
	X(operations_refused, "1", "Scale operations that a limit or rule forbade.")                   \
	X(drain_timeouts, "1", "Drains that took longer than scaling.drain_timeout.")                  \
	X(crashes, "1", "Instances and servers that faults took away.")                                \
	X(retries, "1", "Times that a request began again after a failure.")                           \
	X(moves, "1", "Times that a request began again because its instance had to go.")              \
	X(prompt_tokens_lost, "tokens", "Prompt tokens processed in vain by these.")                   \
	X(output_tokens_lost, "tokens", "Output tokens made in vain by these.")                        \
	X(transfer_gb, "GB", "KV-cache bytes moved / 1024^3.")                                         \
	X(events, "1", "Events that ran.")

typedef struct weir_totals {
#define WEIR_TOTALS_FIELD(field, unit, description) double field;
	WEIR_TOTALS(WEIR_TOTALS_FIELD)
#undef WEIR_TOTALS_FIELD
} weir_totals;

typedef struct weir_summary {
	weir_summary_metric metrics[WEIR_SUMMARY_COUNT];
	weir_totals totals;
} weir_summary;

/* Reads rows [first, first + count) of a column of the requests table as doubles. */
typedef struct weir_request_columns {
	void *context;
	uint64_t rows;
	weir_status (*read)(void *context, const char *column, uint64_t first, uint64_t count,
	                    double *values, weir_error *error);
} weir_request_columns;

/*
 * Fills summary->metrics, and of summary->totals what follows from the requests: the counts, the
 * rates, attainment, slo_met, preemptions, last_arrival. totals.end_time must be set before; the
 * fields that need the cluster (instances to events) are left as they are. Cost: O(rows) time,
 * one column of memory.
 */
WEIR_API weir_status weir_summary_compute(const weir_request_columns *columns, const weir_slo *slo,
                                          weir_summary *summary, weir_error *error);

WEIR_END_C

#endif
