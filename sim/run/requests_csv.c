#include "run/requests_csv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

struct weir_requests_csv {
	FILE *file;
	char *path, *part;
};

static void release(weir_requests_csv *csv)
{
	free(csv->path);
	free(csv->part);
	free(csv);
}

static char *with_suffix(const char *path, const char *suffix)
{
	size_t size = strlen(path) + strlen(suffix) + 1;
	char *text = malloc(size);
	if (text != NULL) {
		snprintf(text, size, "%s%s", path, suffix);
	}
	return text;
}

weir_status weir_requests_csv_open(const char *path, weir_requests_csv **csv, weir_error *error)
{
	*csv = NULL;
	weir_requests_csv *opened = weir_allocate(1, sizeof *opened);
	if (opened == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
	}
	opened->path = with_suffix(path, "");
	opened->part = with_suffix(path, ".part");
	if (opened->path == NULL || opened->part == NULL) {
		release(opened);
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
	}
	opened->file = fopen(opened->part, "w");
	if (opened->file == NULL) {
		weir_status status =
		    weir_error_set(error, WEIR_ERROR_IO, opened->part, "cannot write: %s", strerror(errno));
		release(opened);
		return status;
	}
	fputs("request_ids,response_times,queue_times,ttft_times,tbt_times,nth_token_overheads,"
	      "prompt_sizes,token_sizes\n",
	      opened->file);
	*csv = opened;
	return WEIR_OK;
}

void weir_requests_csv_add(weir_requests_csv *csv, const weir_request_row *row)
{
	if (row->status == WEIR_REQUEST_COMPLETED) {
		fprintf(csv->file, "%lld,%.17g,%.17g,%.17g,%.17g,%.17g,%d,%d\n", (long long)row->request_id,
		        row->e2e, row->queue_time, row->ttft,
		        (row->e2e - row->ttft) / (double)row->output_tokens, row->second_token_gap,
		        row->prompt_tokens, row->output_tokens);
	}
}

weir_status weir_requests_csv_close(weir_requests_csv *csv, weir_error *error)
{
	errno = 0;
	bool written = fflush(csv->file) == 0 && !ferror(csv->file) && fsync(fileno(csv->file)) == 0;
	int reason = errno;
	written = fclose(csv->file) == 0 && written;
	weir_status status = WEIR_OK;
	if (!written || rename(csv->part, csv->path) != 0) {
		reason = reason != 0 ? reason : errno;
		status =
		    weir_error_set(error, WEIR_ERROR_IO, csv->path, "cannot write: %s", strerror(reason));
		unlink(csv->part);
	}
	release(csv);
	return status;
}

void weir_requests_csv_abandon(weir_requests_csv *csv)
{
	if (csv != NULL) {
		fclose(csv->file);
		unlink(csv->part);
		release(csv);
	}
}
