#include "workload/trace_formats.h"

#include <inttypes.h>

#include "workload/trace_number.h"

enum { ARRIVAL, PROMPT, OUTPUT, ID, APPLICATION, BATCH };

static const weir_trace_column columns[] = {[ARRIVAL] = {"arrival_timestamp", true},
                                            [PROMPT] = {"prompt_size", true},
                                            [OUTPUT] = {"token_size", true},
                                            [ID] = {"request_id", false},
                                            [APPLICATION] = {"application_id", false},
                                            [BATCH] = {"batch_size", false},
                                            {NULL, false}};

static bool recognises(weir_trace_text line)
{
	return weir_trace_csv_recognises(columns, line);
}

static weir_status read_row(weir_trace_parser *parser, weir_trace_text line, weir_trace_row *row,
                            weir_error *error)
{
	const bool *present = parser->header.present;
	weir_request *request = &row->request;
	weir_trace_text fields[WEIR_TRACE_MAX_COLUMNS];
	weir_status status = weir_trace_csv_split(parser->input, &parser->header, line, fields, error);
	if (status == WEIR_OK) {
		status = weir_trace_time(parser, columns[ARRIVAL].name, fields[ARRIVAL], 0,
		                         &request->arrival, error);
	}
	if (status == WEIR_OK) {
		status = weir_trace_tokens(parser, columns[PROMPT].name, fields[PROMPT],
		                           &request->prompt_tokens, error);
	}
	if (status == WEIR_OK) {
		status = weir_trace_tokens(parser, columns[OUTPUT].name, fields[OUTPUT],
		                           &request->output_tokens, error);
	}
	if (status == WEIR_OK && present[ID]) {
		status = weir_trace_identifier(parser, columns[ID].name, fields[ID], &request->id, error);
	}
	if (status == WEIR_OK && present[APPLICATION]) {
		status = weir_trace_identifier(parser, columns[APPLICATION].name, fields[APPLICATION],
		                               &request->application, error);
	}
	uint64_t batch = 1;
	if (status == WEIR_OK && present[BATCH] &&
	    (!weir_trace_unsigned(fields[BATCH], &batch) || batch != 1)) {
		char shown[WEIR_TRACE_EXCERPT_SIZE];
		return weir_trace_input_fail(parser->input, error,
		                             "batch_size is \"%s\": only requests of batch size 1 can be "
		                             "replayed",
		                             weir_trace_excerpt(fields[BATCH], shown));
	}
	return status;
}

static weir_status write_header(weir_trace_output *output, weir_error *error)
{
	return weir_trace_output_format(output, error,
	                                "request_id,request_type,application_id,arrival_timestamp,"
	                                "batch_size,prompt_size,token_size\n");
}

static weir_status write_row(weir_trace_output *output, const weir_request *request,
                             weir_error *error)
{
	/* 2 is SplitwiseSim's request type of an LLM inference. */
	char arrival[WEIR_TRACE_DECIMAL_SIZE];
	return weir_trace_output_format(
	    output, error, "%" PRId64 ",2,%" PRId64 ",%s,1,%" PRId64 ",%" PRId64 "\n", request->id,
	    request->application, weir_trace_decimal_format(request->arrival, 0, arrival),
	    request->prompt_tokens, request->output_tokens);
}

const weir_trace_format weir_trace_format_splitwise = {
    .name = "splitwise",
    .doc = "SplitwiseSim CSV: arrival_timestamp (s), prompt_size, token_size",
    .line_limit = WEIR_TRACE_CSV_LINE_LIMIT,
    .columns = columns,
    .recognises = recognises,
    .read_row = read_row,
    .write_header = write_header,
    .write_row = write_row,
};
