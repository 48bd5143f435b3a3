/* The requests of a recorded run: whether each makes sense, and what they come to. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "run/verification.h"

/* Large, as a read has a fixed cost of its own. */
enum { BLOCK_ROWS = 16384 };

enum {
#define COLUMN_NUMBER(field, type, column, unit, description) COLUMN_##field,
	WEIR_REQUEST_ROW(COLUMN_NUMBER)
#undef COLUMN_NUMBER
	    COLUMN_COUNT
};

static const char *const column_names[COLUMN_COUNT] = {
#define COLUMN_NAME(field, type, column, unit, description) #field,
    WEIR_REQUEST_ROW(COLUMN_NAME)
#undef COLUMN_NAME
};

/* A row in which any number may stand in any column. */
typedef struct request_figures {
#define FIGURE(field, type, column, unit, description) double field;
	WEIR_REQUEST_ROW(FIGURE)
#undef FIGURE
} request_figures;

static bool is_whole(double value, double least, double most)
{
	return value >= least && value <= most && value == floor(value);
}

/* What is wrong with the figures that everything else is made of, or NULL. */
static const char *find_unusable(const weir_verification *v, const request_figures *row)
{
	if (!is_whole(row->status, WEIR_REQUEST_COMPLETED, WEIR_REQUEST_UNFINISHED)) {
		return "its status has no meaning";
	}
	if (!is_whole(row->application, 0, (double)v->config->application_count - 1)) {
		return "the config does not have its application";
	}
	if (!is_whole(row->prompt_tokens, 1, INT32_MAX) ||
	    !is_whole(row->output_tokens, 1, INT32_MAX)) {
		return "its tokens are not from 1 to 2^31 - 1";
	}
	return NULL;
}

static const char *find_wrong_instance(const weir_verification *v, const request_figures *row)
{
	const double instances[] = {row->prompt_instance, row->token_instance};
	for (int i = 0; i < 2; i++) {
		if (!is_whole(instances[i], -1, (double)v->instance_count - 1)) {
			return "the config does not have its instances";
		}
		if (instances[i] >= 0 &&
		    v->expected[(size_t)instances[i]].application != (uint32_t)row->application) {
			return "its instances are of another application";
		}
	}
	if ((row->output_tokens > 1) != (row->token_instance >= 0) && row->prompt_instance >= 0) {
		return "it has a token task and no instance for it, or the reverse";
	}
	return NULL;
}

/* Of any request that was given instances: how far it got, in order. NaN: not so far. */
static const char *find_disorder(const request_figures *row, double end, double rounding)
{
	if (row->queue_time < 0 || row->ttft < row->queue_time || row->second_token_gap < 0 ||
	    row->e2e < row->ttft || row->ttft + row->second_token_gap > row->e2e + rounding) {
		return "its times are not in order";
	}
	if ((isnan(row->queue_time) && !isnan(row->ttft)) ||
	    (isnan(row->ttft) && !(isnan(row->second_token_gap) && isnan(row->e2e)))) {
		return "it got on without a step before";
	}
	double last =
	    fmax(fmax(row->queue_time, row->ttft + row->second_token_gap), fmax(row->ttft, row->e2e));
	if (row->arrival + last > end + rounding) {
		return "it goes on after the end";
	}
	return NULL;
}

static const char *find_wrong_end(const request_figures *row)
{
	bool has_tokens = row->output_tokens > 1;
	double tbt = NAN;
	switch ((weir_request_status)row->status) {
	case WEIR_REQUEST_COMPLETED:
		if (row->prompt_instance < 0 || isnan(row->e2e) ||
		    isnan(row->second_token_gap) == has_tokens) {
			return "it completed without a step before";
		}
		if (!has_tokens && row->e2e != row->ttft) {
			return "it went on after its only token";
		}
		tbt = has_tokens ? (row->e2e - row->ttft) / (row->output_tokens - 1) : NAN;
		break;
	case WEIR_REQUEST_REJECTED:
		if (row->prompt_instance >= 0 || !isnan(row->queue_time) || row->preemptions != 0) {
			return "it was rejected and served";
		}
		break;
	case WEIR_REQUEST_FAILED:
	case WEIR_REQUEST_UNFINISHED:
		if (!isnan(row->e2e)) {
			return "it did not complete and has an end-to-end time";
		}
		break;
	}
	return weir_verify_same(row->tbt, tbt) ? NULL : "its tbt does not follow from its times";
}

static const char *find_wrong(const weir_verification *v, const request_figures *row)
{
	/* Of a recovered file the end is not known. */
	double end = v->finished ? v->totals.end_time : INFINITY;
	double rounding = 1e-9 * (1.0 + fabs(row->arrival) + fmax(0.0, row->e2e));
	if (!(row->arrival >= 0) || row->arrival > end) {
		return "it arrives before 0 or after the end";
	}
	if (!is_whole(row->preemptions, 0, INT32_MAX)) {
		return "its preemptions are no count";
	}
	const char *wrong = find_wrong_instance(v, row);
	if (wrong == NULL) {
		wrong = find_disorder(row, end, rounding);
	}
	return wrong != NULL ? wrong : find_wrong_end(row);
}

/* Adds a row to what the requests come to. */
static void gather(weir_verification *v, const request_figures *row)
{
	v->by_status[(size_t)row->status]++;
	if (row->prompt_instance < 0) {
		return;
	}
	bool has_prompt = !isnan(row->ttft);
	bool completed = row->status == WEIR_REQUEST_COMPLETED;
	weir_verify_work *prompt = &v->work[(size_t)row->prompt_instance];
	prompt->prompts_assigned++;
	prompt->prompts_completed += has_prompt;
	prompt->output_tokens += has_prompt;
	*(has_prompt ? &prompt->prompt_tokens : &prompt->prompt_tokens_open) += row->prompt_tokens;
	if (row->token_instance < 0) {
		prompt->requests_completed += completed;
		return;
	}
	weir_verify_work *token = &v->work[(size_t)row->token_instance];
	token->requests_completed += completed;
	token->preemptions += row->preemptions;
	if (has_prompt) {
		*(completed ? &token->output_tokens : &token->output_tokens_open) += row->output_tokens - 1;
	}
	if (has_prompt && row->token_instance != row->prompt_instance) {
		const weir_application *application =
		    &v->built.cluster.applications[(size_t)row->application];
		double bytes =
		    row->prompt_tokens * (double)weir_architecture_kv_bytes_per_token(
		                             application->model, application->instance.grouped_query_kv);
		/* The token task starts behind the transfer. */
		*(isnan(row->second_token_gap) ? &v->transfer_bytes_open : &v->transfer_bytes) += bytes;
	}
}

static void check_row(weir_verification *v, uint64_t number, const request_figures *row)
{
	const char *unusable = find_unusable(v, row);
	const char *wrong = unusable != NULL ? unusable : find_wrong(v, row);
	if (wrong != NULL) {
		weir_verify_fail(v, WEIR_VERIFY_requests, "row %llu (request %.0f): %s",
		                 (unsigned long long)number, row->request_id, wrong);
	}
	v->rows_usable = v->rows_usable && unusable == NULL;
	if (unusable == NULL && find_wrong_instance(v, row) == NULL) {
		gather(v, row);
	}
}

static weir_status check_block(weir_verification *v, uint64_t first, uint64_t count, double *block)
{
	for (size_t c = 0; c < COLUMN_COUNT; c++) {
		weir_status status = weir_reader_read(v->reader, weir_requests_table.name, column_names[c],
		                                      first, count, block + c * BLOCK_ROWS, v->error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	for (uint64_t i = 0; i < count; i++) {
		const request_figures row = {
#define TAKE(field, type, column, unit, description)                                               \
	.field = block[(size_t)COLUMN_##field * BLOCK_ROWS + i],
		    WEIR_REQUEST_ROW(TAKE)
#undef TAKE
		};
		check_row(v, first + i, &row);
	}
	return WEIR_OK;
}

weir_status weir_verify_requests(weir_verification *v)
{
	uint64_t rows = 0;
	weir_status status = weir_reader_rows(v->reader, weir_requests_table.name, &rows, v->error);
	double *block = weir_allocate((size_t)COLUMN_COUNT * BLOCK_ROWS, sizeof *block);
	if (status == WEIR_OK && block == NULL) {
		status = weir_error_set(v->error, WEIR_ERROR_MEMORY, NULL, "out of memory");
	}
	v->rows_usable = true;
	for (uint64_t first = 0; first < rows && status == WEIR_OK; first += BLOCK_ROWS) {
		uint64_t count = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
		status = check_block(v, first, count, block);
	}
	free(block);
	weir_verify_note(v, WEIR_VERIFY_requests, WEIR_VERIFY_HOLDS, "%llu requests",
	                 (unsigned long long)rows);
	return status;
}
