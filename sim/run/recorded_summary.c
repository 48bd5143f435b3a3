#include "run/recorded_summary.h"

#include "run/tables.h"

static weir_status read_column(void *context, const char *column, uint64_t first, uint64_t count,
                               double *values, weir_error *error)
{
	return weir_reader_read(context, weir_requests_table.name, column, first, count, values, error);
}

weir_status weir_recorded_summary(weir_reader *reader, const weir_slo *slo, weir_summary *summary,
                                  weir_error *error)
{
	weir_request_columns columns = {.context = reader, .read = read_column};
	weir_status status = weir_reader_rows(reader, weir_requests_table.name, &columns.rows, error);
	return status == WEIR_OK ? weir_summary_compute(&columns, slo, summary, error) : status;
}
