/* The requests of a run, kept in memory for what a recorded run would have in its file. */
#ifndef WEIR_RUN_KEPT_REQUESTS_H
#define WEIR_RUN_KEPT_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/export.h"
#include "metrics/summary.h"
#include "run/sim.h"
#include "serving/request_row.h"

WEIR_BEGIN_C

/* Zero is empty. */
typedef struct weir_kept_requests {
	weir_request_row *rows;
	size_t count, capacity;
	bool out_of_memory; /* a row is missing */
} weir_kept_requests;

WEIR_API void weir_kept_requests_add(weir_kept_requests *kept, const weir_request_row *row);
WEIR_API void weir_kept_requests_release(weir_kept_requests *kept);

/* WEIR_OK unless memory ran out. */
WEIR_API weir_status weir_kept_requests_check(const weir_kept_requests *kept, weir_error *error);

/* What weir_run would have recorded in /summary and /totals of the finished simulation whose
 * request_ended added every row, to the last bit. */
WEIR_API weir_status weir_kept_requests_summarise(const weir_kept_requests *kept,
                                                  const weir_sim *sim, weir_summary *summary,
                                                  weir_error *error);

WEIR_END_C

#endif
