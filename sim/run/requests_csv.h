/* The results of every request as SplitwiseSim writes them. */
#ifndef WEIR_RUN_REQUESTS_CSV_H
#define WEIR_RUN_REQUESTS_CSV_H

#include "base/error.h"
#include "base/export.h"
#include "serving/request_row.h"

WEIR_BEGIN_C

typedef struct weir_requests_csv weir_requests_csv;

/* Opens PATH as weir_trace_output_open does (a name that ends in .gz is compressed, pipes and
 * devices are written directly) and writes the header: request_ids, response_times, queue_times,
 * ttft_times, tbt_times ((e2e - ttft) / output tokens), nth_token_overheads, prompt_sizes,
 * token_sizes. */
WEIR_API weir_status weir_requests_csv_open(const char *path, weir_requests_csv **csv,
                                            weir_error *error);

/* One line of a completed request, numbers with 17 digits; others are left out. */
WEIR_API void weir_requests_csv_add(weir_requests_csv *csv, const weir_request_row *row);

/* The error of a write so far, if there was one: a full disk. */
WEIR_API weir_status weir_requests_csv_check(const weir_requests_csv *csv, weir_error *error);

/* Closes, syncs and renames to PATH. Frees in any case; after an error there is no file. */
WEIR_API weir_status weir_requests_csv_close(weir_requests_csv *csv, weir_error *error);

/* Frees and removes PATH.part; NULL is let be. */
WEIR_API void weir_requests_csv_abandon(weir_requests_csv *csv);

WEIR_END_C

#endif
