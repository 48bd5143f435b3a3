/* weir trace convert: makes a trace of other traces. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/command_trace.h"
#include "workload/trace_format.h"
#include "workload/trace_reader.h"
#include "workload/transform.h"
#include "workload/workload_config.h"

typedef struct conversion {
	char **inputs;
	size_t input_count;
	const char *output, *to; /* `to` NULL: as the first input */
	weir_trace_config trace; /* what is done with the inputs once merged */
	int64_t seed;            /* of the jitter */
	double shift;
	int64_t *applications; /* one for all or one for each input; NULL: as they are */
	size_t application_count;
	bool renumber;
} conversion;

static weir_status open_input(const conversion *c, size_t i, weir_source **source,
                              const char **format, weir_error *error)
{
	const weir_trace_options options = {
	    .path = c->inputs[i], .format = c->trace.format, .strict = c->trace.strict};
	weir_status status = weir_trace_open(&options, source, error);
	if (status == WEIR_OK && i == 0) {
		*format = weir_trace_reader_format(*source);
	}
	if (status == WEIR_OK && c->applications != NULL) {
		int64_t application = c->applications[c->application_count > 1 ? i : 0];
		status = weir_source_relabel(source, application, false, error);
	}
	return status;
}

/* Opens all inputs as one stream; *format is the first one's. */
static weir_status open_inputs(const conversion *c, weir_source **source, const char **format,
                               weir_error *error)
{
	weir_source **sources = weir_allocate(c->input_count, sizeof *sources);
	if (sources == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for %zu inputs",
		                      c->input_count);
	}
	weir_status status = WEIR_OK;
	for (size_t i = 0; i < c->input_count && status == WEIR_OK; i++) {
		status = open_input(c, i, &sources[i], format, error);
	}
	if (status == WEIR_OK && c->input_count > 1) {
		status = weir_source_merge(sources, c->input_count, source, error);
	} else if (status == WEIR_OK) {
		*source = sources[0];
	}
	if (status != WEIR_OK) {
		for (size_t i = 0; i < c->input_count; i++) {
			weir_source_destroy(sources[i]);
		}
	}
	free(sources);
	return status;
}

static weir_status convert(const conversion *c, weir_error *error)
{
	weir_source *source = NULL;
	const char *format = NULL;
	weir_status status = open_inputs(c, &source, &format, error);
	if (status == WEIR_OK) {
		status = weir_trace_config_apply(&c->trace, (uint64_t)c->seed, &source, error);
	}
	if (status == WEIR_OK && c->shift != 0) {
		status = weir_source_retime(&source, 1, c->shift, error);
	}
	if (status == WEIR_OK && (c->renumber || c->input_count > 1)) {
		status = weir_source_relabel(&source, WEIR_SOURCE_KEEP_APPLICATION, true, error);
	}
	if (status == WEIR_OK) {
		status = trace_write_all(source, c->output, c->to != NULL ? c->to : format, error);
	}
	weir_source_destroy(source);
	return status;
}

/* "3" or "0,1,2"; says what is wrong and returns false otherwise. */
static bool parse_applications(const weir_command *command, char *text, conversion *c)
{
	size_t count = 1;
	for (const char *comma = text; (comma = strchr(comma, ',')) != NULL; comma++) {
		count++;
	}
	free(c->applications);
	c->applications = weir_allocate(count, sizeof *c->applications);
	if (c->applications == NULL) {
		cli_usage_error(command, "--application: no memory for %zu numbers", count);
		return false;
	}
	c->application_count = count;
	for (size_t i = 0; i < count; i++) {
		char *end = strchr(text, ',');
		if (end != NULL) {
			*end = '\0';
		}
		if (!trace_option_integer(command, "application", text, 0, &c->applications[i])) {
			return false;
		}
		if (end != NULL) {
			text = end + 1;
		}
	}
	return true;
}

enum {
	TO = 256,
	FROM,
	STRICT,
	TIME_SCALE,
	RATE_SCALE,
	START,
	DURATION,
	MOST,
	REPEAT,
	COPIES,
	JITTER,
	SEED,
	SHIFT,
	APPLICATION,
	RENUMBER
};

static const struct option long_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"to", required_argument, NULL, TO},
    {"from", required_argument, NULL, FROM},
    {"strict", no_argument, NULL, STRICT},
    {"time-scale", required_argument, NULL, TIME_SCALE},
    {"rate-scale", required_argument, NULL, RATE_SCALE},
    {"start", required_argument, NULL, START},
    {"duration", required_argument, NULL, DURATION},
    {"max", required_argument, NULL, MOST},
    {"repeat", required_argument, NULL, REPEAT},
    {"copies", required_argument, NULL, COPIES},
    {"jitter", required_argument, NULL, JITTER},
    {"seed", required_argument, NULL, SEED},
    {"shift", required_argument, NULL, SHIFT},
    {"application", required_argument, NULL, APPLICATION},
    {"renumber", no_argument, NULL, RENUMBER},
    {0},
};

/* Takes one option; -1 when it was right, else an exit status. */
static int take_option(const weir_command *command, int option, char **argv, conversion *c)
{
	static const double scale = 1e9;
	static const double longest = 1e15;
	weir_trace_config *t = &c->trace;
	bool right = true;
	switch (option) {
	case 'o':
		c->output = optarg;
		break;
	case TO:
		c->to = optarg;
		break;
	case FROM:
		t->format = optarg;
		break;
	case STRICT:
		t->strict = true;
		break;
	case TIME_SCALE:
		right =
		    trace_option_number(command, "time-scale", optarg, 1 / scale, scale, &t->time_scale);
		break;
	case RATE_SCALE:
		right =
		    trace_option_number(command, "rate-scale", optarg, 1 / scale, scale, &t->rate_scale);
		break;
	case START:
		right = trace_option_number(command, "start", optarg, 0, longest, &t->start);
		break;
	case DURATION:
		/* 0 would stand for no limit. */
		right = trace_option_number(command, "duration", optarg, 1e-9, longest, &t->duration);
		break;
	case MOST:
		right = trace_option_integer(command, "max", optarg, 1, &t->max_requests);
		break;
	case REPEAT:
		right = trace_option_integer(command, "repeat", optarg, 1, &t->repeat);
		break;
	case COPIES:
		right = trace_option_integer(command, "copies", optarg, 1, &t->copies);
		break;
	case JITTER:
		right = trace_option_number(command, "jitter", optarg, 0, scale, &t->jitter);
		break;
	case SEED:
		right = trace_option_integer(command, "seed", optarg, 0, &c->seed);
		break;
	case SHIFT:
		right = trace_option_number(command, "shift", optarg, -longest, longest, &c->shift);
		break;
	case APPLICATION:
		right = parse_applications(command, optarg, c);
		break;
	case RENUMBER:
		c->renumber = true;
		break;
	default:
		return trace_option_error(command, option, argv);
	}
	return right ? -1 : 2;
}

static int check(const weir_command *command, const conversion *c)
{
	if (c->input_count == 0) {
		return cli_usage_error(command, "no trace is named; at least one is needed");
	}
	if (c->output == NULL) {
		return cli_usage_error(command, "-o OUT is missing");
	}
	if (c->to != NULL && weir_trace_format_find(c->to) == NULL) {
		char names[256];
		return cli_usage_error(command, "--to is '%s'; expected one of %s", c->to,
		                       weir_trace_format_names(names, sizeof names));
	}
	if (c->application_count > 1 && c->application_count != c->input_count) {
		return cli_usage_error(command,
		                       "--application has %zu numbers for %zu inputs; expected one for "
		                       "all, or one for each",
		                       c->application_count, c->input_count);
	}
	return -1;
}

static int run(const weir_command *command, int argc, char **argv)
{
	conversion c = {.trace = weir_trace_config_default(), .seed = 1};
	int result = -1;
	opterr = 0;
	for (int option;
	     result < 0 && (option = getopt_long(argc, argv, ":o:", long_options, NULL)) != -1;) {
		result = take_option(command, option, argv, &c);
	}
	c.inputs = argv + optind;
	c.input_count = (size_t)(argc - optind);
	if (result < 0) {
		result = check(command, &c);
	}
	if (result < 0) {
		weir_error error = {0};
		result = convert(&c, &error) == WEIR_OK ? 0 : cli_fail(&error);
	}
	free(c.applications);
	return result;
}

const weir_command command_trace_convert = {
    .name = "trace convert",
    .summary = "slice, rescale, repeat, superpose, merge and relabel traces",
    .help =
        "usage: weir trace convert IN... -o OUT [OPTIONS]\n"
        "\n"
        "Makes a trace of one or more others, in this order: merge by arrival (requests of one\n"
        "time in the order of the inputs), slice, rescale, repeat, superpose, shift. Memory does "
        "not\n"
        "grow with the length of the inputs.\n"
        "OUT is written aside and takes its name when it is complete; '-' is standard output; a\n"
        "name that ends in .gz is packed.\n"
        "\n"
        "options:\n"
        "  -o, --output OUT      the trace to write\n"
        "  --to FORMAT           splitwise, azure, burstgpt or mooncake (as the first input)\n"
        "  --from FORMAT         that of the inputs (by their first line)\n"
        "  --strict              refuse rows that are skipped otherwise\n"
        "  --start T             keep arrivals from T s on; T becomes 0\n"
        "  --duration T          keep arrivals of T s\n"
        "  --max N               keep N requests at most\n"
        "  --time-scale X        multiply arrivals by X: 2 lasts twice as long\n"
        "  --rate-scale X        divide arrivals by X: 2 comes at twice the rate\n"
        "  --repeat N            N times in all; the time from one to the next is the span and\n"
        "                        the mean gap. A pipe cannot be repeated.\n"
        "  --copies N            every request N times: N times the rate\n"
        "  --jitter T            each copy comes later by a random time below T s\n"
        "  --seed N              of the jitter (1)\n"
        "  --shift T             add T s to arrivals\n"
        "  --application A[,A]   set the application: one number for all, or one for each input\n"
        "  --renumber            number requests from 0; so are those of a merge, a repetition or\n"
        "                        copies\n"
        "\n"
        "Ids and applications are kept by splitwise alone, prefix hashes by mooncake alone.\n"
        "\n"
        "examples:\n"
        "  weir trace convert conv.csv -o busy.csv --rate-scale 2 --to splitwise\n"
        "  weir trace convert conv.csv -o long.csv.gz --start 600 --duration 1800 --repeat 48\n"
        "  weir trace convert conv.csv code.csv -o both.csv --application 0,1 --to splitwise\n",
    .run = run,
};
