/* weir trace-events: a recorded run as a time line for ui.perfetto.dev. */
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "analysis/trace_events.h"
#include "base/text.h"
#include "cli/cli.h"
#include "workload/trace_output.h"

static const char help[] =
    "usage: weir trace-events RUN.h5 -o OUT.json.gz [--from T] [--to T]\n"
    "\n"
    "Writes a recorded run as trace events, the JSON that ui.perfetto.dev and chrome://tracing\n"
    "show as a time line: every instance with its iterations, its life and the KV transfers out\n"
    "of it, requests as flows between them, decisions and faults, queues and instances as\n"
    "counters. The run must have been recorded with 'weir run --record iterations'.\n"
    "\n"
    "options:\n"
    "  -o, --output OUT   the file to write, gzip when the name ends in .gz; - is standard output\n"
    "      --from T       leave out what ends before T s\n"
    "      --to T         leave out what begins after T s\n"
    "\n"
    "examples:\n"
    "  weir run configs/default.json --record iterations -o run.h5\n"
    "  weir trace-events run.h5 -o run.json.gz --from 600 --to 660\n";

typedef struct events_arguments {
	const char *path, *output;
	weir_trace_events_window window;
} events_arguments;

static int read_time(const char *option, const char *text, double *time)
{
	if (weir_parse_double(text, time) && isfinite(*time)) {
		return 0;
	}
	weir_error error;
	weir_error_set(&error, WEIR_ERROR_INPUT, option, "expected a number of seconds, got '%s'",
	               text);
	return cli_fail(&error);
}

/* Returns 0, or the exit status after a message. */
static int parse(const weir_command *command, int argc, char **argv, events_arguments *arguments)
{
	static const struct option options[] = {{"output", required_argument, NULL, 'o'},
	                                        {"from", required_argument, NULL, 'f'},
	                                        {"to", required_argument, NULL, 't'},
	                                        {0}};
	optind = 1;
	opterr = 0;
	int option;
	int result = 0;
	while (result == 0 && (option = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		if (option == 'o') {
			arguments->output = optarg;
		} else if (option == 'f') {
			result = read_time("--from", optarg, &arguments->window.from);
		} else if (option == 't') {
			result = read_time("--to", optarg, &arguments->window.to);
		} else {
			return cli_usage_error(command, "unknown option, or no value for %s", argv[optind - 1]);
		}
	}
	if (result != 0) {
		return result;
	}
	if (argc - optind != 1) {
		return cli_usage_error(command, "one RUN.h5 is needed, %d are given", argc - optind);
	}
	if (arguments->output == NULL) {
		return cli_usage_error(command, "-o OUT is needed");
	}
	if (arguments->window.from > arguments->window.to) {
		return cli_usage_error(command, "--from must not be after --to");
	}
	arguments->path = argv[optind];
	return 0;
}

static weir_status write_piece(void *context, const char *text, size_t length, weir_error *error)
{
	if (cli_interrupted()) {
		return weir_error_set(error, WEIR_ERROR_INTERRUPTED, NULL, "interrupted");
	}
	return weir_trace_output_write(context, text, length, error);
}

static weir_status export(const events_arguments *arguments, weir_trace_events_counts *counts,
                          weir_error *error)
{
	weir_reader *reader = NULL;
	weir_trace_output *output = NULL;
	weir_status status = weir_reader_open(arguments->path, &reader, error);
	if (status != WEIR_OK) {
		return status;
	}
	status = weir_trace_output_open(arguments->output, &output, error);
	if (status == WEIR_OK) {
		cli_catch_interrupts();
		status = weir_trace_events(reader, &arguments->window, write_piece, output, counts, error);
		if (status == WEIR_OK) {
			status = weir_trace_output_finish(output, error);
		} else {
			weir_trace_output_abandon(output);
		}
	}
	weir_reader_close(reader);
	return status;
}

static int run(const weir_command *command, int argc, char **argv)
{
	events_arguments arguments = {
	    .window = {.from = -(double)INFINITY, .to = (double)INFINITY},
	};
	int result = parse(command, argc, argv, &arguments);
	if (result != 0) {
		return result;
	}
	weir_error error = {0};
	weir_trace_events_counts counts;
	if (export(&arguments, &counts, &error) != WEIR_OK) {
		return cli_fail(&error);
	}
	fprintf(stderr,
	        "%s: %" PRIu64 " iteration events, %" PRIu64 " transfers, %" PRIu64 " flows, %" PRIu64
	        " stays in a state, %" PRIu64 " instants, %" PRIu64 " counters\n",
	        arguments.output, counts.iterations, counts.transfers, counts.flows, counts.lives,
	        counts.instants, counts.counters);
	return 0;
}

const weir_command command_trace_events = {
    .name = "trace-events",
    .summary = "write a recorded run as a time line for Perfetto or Chrome",
    .help = help,
    .run = run,
};
