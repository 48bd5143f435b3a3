#include "run/kept_requests.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void weir_kept_requests_add(weir_kept_requests *kept, const weir_request_row *row)
{
	if (!weir_reserve_raw((void **)&kept->rows, &kept->capacity, kept->count + 1,
	                      sizeof *kept->rows)) {
		kept->out_of_memory = true;
		return;
	}
	kept->rows[kept->count++] = *row;
}

void weir_kept_requests_release(weir_kept_requests *kept)
{
	free(kept->rows);
	*kept = (weir_kept_requests){0};
}

weir_status weir_kept_requests_check(const weir_kept_requests *kept, weir_error *error)
{
	return kept->out_of_memory ? weir_error_set(error, WEIR_ERROR_MEMORY, NULL,
	                                            "out of memory after %zu requests", kept->count)
	                           : WEIR_OK;
}

/* A column of the rows kept, by its name in /requests. */
static weir_status read_column(void *context, const char *name, uint64_t first, uint64_t count,
                               double *values, weir_error *error)
{
	const weir_request_row *rows = ((const weir_kept_requests *)context)->rows;
#define READ_COLUMN(field, type, column, unit, description)                                        \
	if (strcmp(name, #field) == 0) {                                                               \
		for (uint64_t i = 0; i < count; i++) {                                                     \
			values[i] = (double)rows[first + i].field;                                             \
		}                                                                                          \
		return WEIR_OK;                                                                            \
	}
	WEIR_REQUEST_ROW(READ_COLUMN)
#undef READ_COLUMN
	return weir_error_set(error, WEIR_ERROR_INTERNAL, NULL, "requests have no column %s", name);
}

weir_status weir_kept_requests_summarise(const weir_kept_requests *kept, const weir_sim *sim,
                                         weir_summary *summary, weir_error *error)
{
	weir_status status = weir_kept_requests_check(kept, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_sim_totals(sim, &summary->totals);
	weir_kept_requests rows = *kept;
	const weir_request_columns columns = {
	    .context = &rows, .rows = kept->count, .read = read_column};
	return weir_summary_compute(&columns, weir_sim_slo(sim), summary, error);
}
