/* weir trace: describes, shows, converts, generates and fits request traces. */
#include "cli/command_trace.h"

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "workload/trace_writer.h"

int trace_option_error(const weir_command *command, int option, char **argv)
{
	return cli_usage_error(command,
	                       option == ':' ? "the option '%s' needs a value"
	                                     : "there is no option '%s', or it takes no value",
	                       argv[optind - 1]);
}

bool trace_option_number(const weir_command *command, const char *option, const char *text,
                         double minimum, double maximum, double *value)
{
	if (weir_parse_double(text, value) && *value >= minimum && *value <= maximum) {
		return true;
	}
	cli_usage_error(command, "--%s is '%s'; expected a number from %g to %g", option, text, minimum,
	                maximum);
	return false;
}

bool trace_option_integer(const weir_command *command, const char *option, const char *text,
                          int64_t minimum, int64_t *value)
{
	if (weir_parse_int64(text, value) && *value >= minimum) {
		return true;
	}
	cli_usage_error(command, "--%s is '%s'; expected a whole number of at least %" PRId64, option,
	                text, minimum);
	return false;
}

weir_status trace_draw_all(weir_source *source, trace_take take, void *context, int64_t *count,
                           double *last, weir_error *error)
{
	/* Often enough to seem at once, and too seldom to cost time. */
	enum { BETWEEN_LOOKS = 4096 };
	cli_catch_interrupts();
	cli_progress progress;
	cli_progress_begin(&progress, true);
	weir_status status = WEIR_OK;
	*count = 0;
	*last = 0;
	for (;;) {
		weir_request request;
		bool more = false;
		if (*count % BETWEEN_LOOKS == 0) {
			if (cli_interrupted()) {
				status = weir_error_set(error, WEIR_ERROR_INTERRUPTED, NULL,
				                        "interrupted after %" PRId64 " requests", *count);
				break;
			}
			if (cli_progress_due(&progress)) {
				char requests[32];
				char time[32];
				char text[96];
				snprintf(text, sizeof text, "%s requests, %s of the trace",
				         weir_format_count(requests, sizeof requests, (double)*count),
				         weir_format_duration(time, sizeof time, *last));
				double share = weir_source_share_drawn(source);
				cli_progress_draw(&progress, share, isnan(share) ? 0 : 1, text);
			}
		}
		status = weir_source_next(source, &request, &more, error);
		if (status == WEIR_OK && more) {
			status = take(context, &request, error);
		}
		if (status != WEIR_OK || !more) {
			break;
		}
		(*count)++;
		*last = request.arrival;
	}
	cli_progress_end(&progress);
	return status;
}

static weir_status write_one(void *context, const weir_request *request, weir_error *error)
{
	return weir_trace_writer_add(context, request, error);
}

weir_status trace_write_all(weir_source *source, const char *path, const char *format,
                            weir_error *error)
{
	weir_trace_writer *writer = NULL;
	weir_status status = weir_trace_writer_open(path, format, &writer, error);
	if (status != WEIR_OK) {
		return status;
	}
	int64_t count = 0;
	double last = 0;
	status = trace_draw_all(source, write_one, writer, &count, &last, error);
	if (status == WEIR_OK && count == 0) {
		status = weir_error_set(error, WEIR_ERROR_INPUT, path,
		                        "no request is left to write; a trace needs one at least");
	}
	if (status != WEIR_OK) {
		weir_trace_writer_abandon(writer);
		return status;
	}
	status = weir_trace_writer_finish(writer, error);
	if (status == WEIR_OK && strcmp(path, "-") != 0) {
		printf("%s: %" PRId64 " requests in %.6g s, as %s\n", path, count, last, format);
	}
	return status;
}

static const weir_command *const subcommands[] = {
    &command_trace_info,     &command_trace_head, &command_trace_convert,
    &command_trace_generate, &command_trace_fit,  NULL,
};

const weir_command command_trace = {
    .name = "trace",
    .summary = "describe, show, convert, generate or fit request traces",
    .help =
        "usage: weir trace info FILE [--json] [--minutes]\n"
        "       weir trace head FILE [-n N]\n"
        "       weir trace convert IN... -o OUT [OPTIONS]\n"
        "       weir trace generate CONFIG|LIKE -o OUT [OPTIONS]\n"
        "       weir trace fit FILE -o LIKE.json [OPTIONS]\n"
        "\n"
        "info      prints counts, rates, sizes and burstiness of a trace\n"
        "head      prints its first requests\n"
        "convert   slices, rescales, repeats, merges and relabels traces, and changes format\n"
        "generate  makes a trace from a config or from a file such as\n"
        "          traces/azure-conv-like.json\n"
        "fit       makes such a file from a trace\n"
        "\n"
        "'weir trace info --help', and so on, tell more. A FILE may be '-' (standard input) and\n"
        "may be packed with gzip.\n"
        "\n"
        "examples:\n"
        "  weir trace info traces/AzureLLMInferenceTrace_conv.csv\n"
        "  weir trace generate traces/azure-conv-like.json -o conv.csv\n"
        "\n"
        "formats:\n"
        "  splitwise  CSV with request_id, application_id, arrival_timestamp (s), prompt_size,\n"
        "             token_size\n"
        "  azure      CSV of the Azure LLM inference traces: TIMESTAMP, ContextTokens,\n"
        "             GeneratedTokens\n"
        "  burstgpt   CSV with Timestamp (s), Request tokens, Response tokens\n"
        "  mooncake   JSON lines: timestamp (ms), input_length, output_length, hash_ids\n",
    .subcommands = subcommands,
};
