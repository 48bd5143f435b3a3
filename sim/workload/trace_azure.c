#include "workload/trace_formats.h"

#include <inttypes.h>
#include <math.h>

#include "workload/trace_number.h"

enum { TIME, PROMPT, OUTPUT };

static const weir_trace_column columns[] = {[TIME] = {"TIMESTAMP", true},
                                            [PROMPT] = {"ContextTokens", true},
                                            [OUTPUT] = {"GeneratedTokens", true},
                                            {NULL, false}};

/* Arrivals are written as dates after 1970-01-01, up to the last year that is read. */
static const double LONGEST_TRACE = 7.2e9;

static bool recognises(weir_trace_text line)
{
	return weir_trace_csv_recognises(columns, line);
}

static weir_status read_row(weir_trace_parser *parser, weir_trace_text line, weir_trace_row *row,
                            weir_error *error)
{
	weir_trace_text fields[WEIR_TRACE_MAX_COLUMNS];
	weir_status status = weir_trace_csv_split(parser->input, &parser->header, line, fields, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (!weir_trace_date(fields[TIME], &parser->day, &row->time_ns)) {
		char shown[WEIR_TRACE_EXCERPT_SIZE];
		return weir_trace_input_fail(
		    parser->input, error,
		    "TIMESTAMP is \"%s\": expected YYYY-MM-DD hh:mm:ss, with up to "
		    "nine digits of a fraction and perhaps a time zone",
		    weir_trace_excerpt(fields[TIME], shown));
	}
	status = weir_trace_tokens(parser, columns[PROMPT].name, fields[PROMPT],
	                           &row->request.prompt_tokens, error);
	if (status == WEIR_OK) {
		status = weir_trace_tokens(parser, columns[OUTPUT].name, fields[OUTPUT],
		                           &row->request.output_tokens, error);
	}
	return status;
}

static weir_status write_header(weir_trace_output *output, weir_error *error)
{
	return weir_trace_output_format(output, error, "TIMESTAMP,ContextTokens,GeneratedTokens\n");
}

static weir_status write_row(weir_trace_output *output, const weir_request *request,
                             weir_error *error)
{
	if (request->arrival > LONGEST_TRACE) {
		return weir_error_set(error, WEIR_ERROR_INPUT, weir_trace_output_name(output),
		                      "request %" PRId64
		                      " arrives at %g s: an azure trace can be %g s long",
		                      request->id, request->arrival, LONGEST_TRACE);
	}
	char date[WEIR_TRACE_DATE_SIZE];
	return weir_trace_output_format(output, error, "%s,%" PRId64 ",%" PRId64 "\n",
	                                weir_trace_date_format(llround(request->arrival * 1e7), date),
	                                request->prompt_tokens, request->output_tokens);
}

const weir_trace_format weir_trace_format_azure = {
    .name = "azure",
    .doc = "Azure LLM inference CSV, 2023 and 2024: TIMESTAMP, ContextTokens, GeneratedTokens",
    .line_limit = WEIR_TRACE_CSV_LINE_LIMIT,
    .dated = true,
    .logs_failures = true,
    .columns = columns,
    .recognises = recognises,
    .read_row = read_row,
    .write_header = write_header,
    .write_row = write_row,
};
