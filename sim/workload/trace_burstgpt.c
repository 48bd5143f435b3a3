#include "workload/trace_formats.h"

#include <inttypes.h>

#include "workload/trace_number.h"

enum { TIME, PROMPT, OUTPUT };

static const weir_trace_column columns[] = {[TIME] = {"Timestamp", true},
                                            [PROMPT] = {"Request tokens", true},
                                            [OUTPUT] = {"Response tokens", true},
                                            {NULL, false}};

static bool recognises(weir_trace_text line)
{
	return weir_trace_csv_recognises(columns, line);
}

static weir_status read_row(weir_trace_parser *parser, weir_trace_text line, weir_trace_row *row,
                            weir_error *error)
{
	weir_request *request = &row->request;
	weir_trace_text fields[WEIR_TRACE_MAX_COLUMNS];
	weir_status status = weir_trace_csv_split(parser->input, &parser->header, line, fields, error);
	if (status == WEIR_OK) {
		status =
		    weir_trace_time(parser, columns[TIME].name, fields[TIME], 0, &request->arrival, error);
	}
	if (status == WEIR_OK) {
		status = weir_trace_tokens(parser, columns[PROMPT].name, fields[PROMPT],
		                           &request->prompt_tokens, error);
	}
	if (status == WEIR_OK) {
		status = weir_trace_tokens(parser, columns[OUTPUT].name, fields[OUTPUT],
		                           &request->output_tokens, error);
	}
	return status;
}

static weir_status write_header(weir_trace_output *output, weir_error *error)
{
	return weir_trace_output_format(
	    output, error, "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n");
}

static weir_status write_row(weir_trace_output *output, const weir_request *request,
                             weir_error *error)
{
	char time[WEIR_TRACE_DECIMAL_SIZE];
	return weir_trace_output_format(
	    output, error, "%s,application-%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",API log\n",
	    weir_trace_decimal_format(request->arrival, 0, time), request->application,
	    request->prompt_tokens, request->output_tokens,
	    request->prompt_tokens + request->output_tokens);
}

const weir_trace_format weir_trace_format_burstgpt = {
    .name = "burstgpt",
    .doc = "BurstGPT CSV: Timestamp (s), Request tokens, Response tokens",
    .line_limit = WEIR_TRACE_CSV_LINE_LIMIT,
    .logs_failures = true,
    .columns = columns,
    .recognises = recognises,
    .read_row = read_row,
    .write_header = write_header,
    .write_row = write_row,
};
