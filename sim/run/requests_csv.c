#include "run/requests_csv.h"

#include <stdlib.h>

#include "base/memory.h"
#include "workload/trace_output.h"

struct weir_requests_csv {
	weir_trace_output *output;
	weir_status status; /* of the first write that failed; lasting */
	weir_error error;
};

weir_status weir_requests_csv_open(const char *path, weir_requests_csv **csv, weir_error *error)
{
	*csv = NULL;
	weir_requests_csv *opened = weir_allocate(1, sizeof *opened);
	if (opened == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
	}
	weir_status status = weir_trace_output_open(path, &opened->output, error);
	if (status == WEIR_OK) {
		status = weir_trace_output_format(
		    opened->output, error,
		    "request_ids,response_times,queue_times,ttft_times,tbt_times,nth_token_overheads,"
		    "prompt_sizes,token_sizes\n");
	}
	if (status != WEIR_OK) {
		weir_requests_csv_abandon(opened);
		return status;
	}
	*csv = opened;
	return WEIR_OK;
}

void weir_requests_csv_add(weir_requests_csv *csv, const weir_request_row *row)
{
	if (row->status == WEIR_REQUEST_COMPLETED && csv->status == WEIR_OK) {
		csv->status = weir_trace_output_format(
		    csv->output, &csv->error, "%lld,%.17g,%.17g,%.17g,%.17g,%.17g,%d,%d\n",
		    (long long)row->request_id, row->e2e, row->queue_time, row->ttft,
		    (row->e2e - row->ttft) / (double)row->output_tokens, row->second_token_gap,
		    row->prompt_tokens, row->output_tokens);
	}
}

weir_status weir_requests_csv_check(const weir_requests_csv *csv, weir_error *error)
{
	if (csv->status != WEIR_OK && error != NULL) {
		*error = csv->error;
	}
	return csv->status;
}

weir_status weir_requests_csv_close(weir_requests_csv *csv, weir_error *error)
{
	weir_status status = weir_requests_csv_check(csv, error);
	if (status == WEIR_OK) {
		status = weir_trace_output_finish(csv->output, error);
		csv->output = NULL;
	}
	weir_requests_csv_abandon(csv);
	return status;
}

void weir_requests_csv_abandon(weir_requests_csv *csv)
{
	if (csv != NULL) {
		weir_trace_output_abandon(csv->output);
		free(csv);
	}
}
