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

/* Whether an instance can be of this application; of a recovered file only the start state is
 * known. */
static bool is_of_application(const weir_verification *v, double instance, double application)
{
	if (v->finished) {
		return v->instances[(size_t)instance].application == application;
	}
	return instance >= v->start_count ||
	       v->expected[(size_t)instance].application == (uint32_t)application;
}

static const char *find_wrong_instance(const weir_verification *v, const request_figures *row)
{
	const double instances[] = {row->prompt_instance, row->token_instance};
	double most = v->finished ? (double)v->instance_count - 1
	              : v->scales ? INT32_MAX
	                          : (double)v->start_count - 1;
	for (int i = 0; i < 2; i++) {
		if (!is_whole(instances[i], -1, most)) {
			return "the cluster never had its instances";
		}
		if (instances[i] >= 0 && !is_of_application(v, instances[i], row->application)) {
			return "its instances are of another application";
		}
	}
	/* One whose token instance was lost has none while its prompt runs. */
	bool has_tokens = row->output_tokens > 1;
	bool lost = v->scales && row->status != WEIR_REQUEST_COMPLETED && isnan(row->ttft);
	if (row->prompt_instance >= 0 && has_tokens != (row->token_instance >= 0) &&
	    !(has_tokens && lost)) {
		return "it has a token task and no instance for it, or the reverse";
	}
	return row->token_instance >= 0 && row->prompt_instance < 0
	           ? "it has an instance for its token task and none for its prompt"
	           : NULL;
}

/* A task that ran on an instance from `start` to `end` (NaN: not so far), of a request that came
 * at `arrival`; `held`: it is there still. */
static const char *find_out_of_life(const weir_verify_instance *instance, double arrival,
                                    double start, double end, bool held, double rounding)
{
	if (isnan(instance->active) || start < instance->active - rounding) {
		return "an instance of it served before it was ACTIVE";
	}
	if (start > instance->removed + rounding || end > instance->removed + rounding ||
	    (held && !isnan(instance->removed))) {
		return "an instance of it was removed before it was done";
	}
	if (instance->state != WEIR_INSTANCE_ACTIVE && arrival > instance->drain_start + rounding) {
		return "it came when an instance of it took no more work";
	}
	return NULL;
}

static const char *find_wrong_time(const weir_verification *v, const request_figures *row,
                                   double rounding)
{
	if (!v->finished || row->prompt_instance < 0) {
		return NULL;
	}
	bool open = row->status == WEIR_REQUEST_UNFINISHED;
	double done = row->arrival + row->ttft;
	const char *wrong =
	    find_out_of_life(&v->instances[(size_t)row->prompt_instance], row->arrival,
	                     row->arrival + row->queue_time, done, open && isnan(row->ttft), rounding);
	if (wrong == NULL && row->token_instance >= 0) {
		wrong =
		    find_out_of_life(&v->instances[(size_t)row->token_instance], row->arrival,
		                     done + row->second_token_gap, row->arrival + row->e2e, open, rounding);
	}
	return wrong;
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
	if (!is_whole(row->preemptions, 0, INT32_MAX) || !is_whole(row->retries, 0, INT32_MAX)) {
		return "its preemptions or retries are no count";
	}
	const char *wrong = find_wrong_instance(v, row);
	if (wrong == NULL) {
		wrong = find_disorder(row, end, rounding);
	}
	if (wrong == NULL) {
		wrong = find_wrong_time(v, row, rounding);
	}
	return wrong != NULL ? wrong : find_wrong_end(row);
}

/* Adds a row to what all requests come to. */
static void gather_attempts(weir_verification *v, const request_figures *row)
{
	weir_verify_attempts *all = &v->attempts;
	v->prompts_assigned[(size_t)row->application] += (row->prompt_instance >= 0) + row->retries;
	all->restarts += row->retries;
	all->preemptions += row->preemptions;
	if (row->retries > 0) {
		all->preemptions_unknown += row->preemptions;
	}
	/* What the last attempt of one that failed did is lost too. */
	if (row->prompt_instance < 0 || row->status == WEIR_REQUEST_FAILED) {
		return;
	}
	if (isnan(row->ttft)) {
		all->prompt_tokens_open += row->prompt_tokens;
		return;
	}
	all->prompt_tokens += row->prompt_tokens;
	all->output_tokens += 1;
	*(row->status == WEIR_REQUEST_COMPLETED ? &all->output_tokens : &all->output_tokens_open) +=
	    row->output_tokens - 1;
}

/* KV cache moved for a request: for certain in its last attempt, perhaps in each one before. */
static void gather_transfer(weir_verification *v, const request_figures *row)
{
	const weir_application *application = &v->built.cluster.applications[(size_t)row->application];
	double bytes =
	    row->prompt_tokens * (double)weir_architecture_kv_bytes_per_token(
	                             application->model, application->instance.grouped_query_kv);
	if (row->output_tokens > 1) {
		v->transfer_bytes_open += row->retries * bytes;
	}
	if (row->token_instance >= 0 && !isnan(row->ttft) &&
	    row->token_instance != row->prompt_instance) {
		/* The token task starts behind the transfer. */
		*(isnan(row->second_token_gap) ? &v->transfer_bytes_open : &v->transfer_bytes) += bytes;
	}
}

/* Adds a row to what the requests come to. Of attempts before the last its instances are not
 * known. */
static void gather(weir_verification *v, const request_figures *row)
{
	v->by_status[(size_t)row->status]++;
	if (!v->finished) {
		return;
	}
	gather_attempts(v, row);
	gather_transfer(v, row);
	if (row->prompt_instance < 0) {
		return;
	}
	bool has_prompt = !isnan(row->ttft);
	bool completed = row->status == WEIR_REQUEST_COMPLETED;
	weir_verify_work *prompt = &v->work[(size_t)row->prompt_instance];
	prompt->prompts_completed += has_prompt;
	prompt->output_tokens += has_prompt;
	*(has_prompt ? &prompt->prompt_tokens : &prompt->prompt_tokens_open) += row->prompt_tokens;
	if (row->token_instance < 0) {
		prompt->requests_completed += completed;
		return;
	}
	weir_verify_work *token = &v->work[(size_t)row->token_instance];
	token->requests_completed += completed;
	token->preemptions += row->retries > 0 ? 0 : row->preemptions;
	if (has_prompt) {
		*(completed ? &token->output_tokens : &token->output_tokens_open) += row->output_tokens - 1;
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
