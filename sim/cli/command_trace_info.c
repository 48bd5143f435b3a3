/* weir trace info: prints what describes a trace. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/command_trace.h"
#include "workload/trace_reader.h"
#include "workload/trace_stats.h"

typedef struct info {
	const char *path, *format;
	weir_trace_counts counts;
	weir_trace_figures figures;
	const weir_trace_minute *minutes;
	size_t minute_count;
} info;

/* With so many decimals; "-" where it is undefined. */
static const char *figure(char buffer[32], int decimals, double value)
{
	if (isnan(value)) {
		snprintf(buffer, 32, "-");
	} else {
		snprintf(buffer, 32, "%.*f", decimals, value);
	}
	return buffer;
}

static void print_tokens(const char *name, const weir_size_stats *sizes)
{
	printf("%-8s%14" PRId64 "%10.1f%8" PRId64, name, sizes->total, sizes->mean, sizes->minimum);
	for (int i = 0; i < WEIR_TRACE_QUANTILE_COUNT; i++) {
		printf("%8.0f", sizes->quantiles[i]);
	}
	printf("%8" PRId64 "\n", sizes->maximum);
}

static void print_text(const info *found, bool minutes)
{
	const weir_trace_figures *f = &found->figures;
	const weir_trace_counts *c = &found->counts;
	char a[32];
	char b[32];
	char d[32];
	printf("%s: a trace in the format %s\n\n", found->path, found->format);
	printf("requests    %" PRId64 "\n", f->requests);
	printf("skipped     %" PRId64 " rows without output tokens, %" PRId64
	       " without prompt tokens, %" PRId64 " empty lines\n",
	       c->no_output, c->no_prompt, c->blank_lines);
	printf("span        %.3f s (%s), from %.3f s to %.3f s\n", f->last - f->first,
	       weir_format_duration(a, sizeof a, f->last - f->first), f->first, f->last);
	printf("rate        %s requests/s; ", figure(a, 3, f->rate));
	printf("by minute from %s to %s, median %s\n", figure(a, 3, f->minute_rate_minimum),
	       figure(b, 3, f->minute_rate_maximum), figure(d, 3, f->minute_rate_median));
	printf("burstiness  cv of gaps %s; dispersion of counts", figure(a, 3, f->gap_cv));
	for (int i = 0; i < WEIR_TRACE_WINDOW_COUNT; i++) {
		printf("%s in %g s %s", i > 0 ? "," : "", weir_trace_windows[i],
		       figure(a, 2, f->dispersion[i]));
	}
	printf(" (Poisson: 1 each)\n\n");
	printf("%-8s%14s%10s%8s", "tokens", "total", "mean", "min");
	for (int i = 0; i < WEIR_TRACE_QUANTILE_COUNT; i++) {
		snprintf(a, sizeof a, "p%g", 100 * weir_trace_quantiles[i]);
		printf("%8s", a);
	}
	printf("%8s\n", "max");
	print_tokens("prompt", &f->prompt);
	print_tokens("output", &f->output);
	printf("rank correlation of prompt and output %s\n", figure(a, 3, f->rank_correlation));
	if (f->applications > 1) {
		printf("applications up to %" PRId64 "\n", f->applications - 1);
	}
	if (f->prefix_hashes > 0) {
		printf("prefix hashes %" PRId64 "\n", f->prefix_hashes);
	}
	if (minutes) {
		printf("\n%8s%10s%12s%16s%16s\n", "minute", "requests", "requests/s", "prompt tokens",
		       "output tokens");
		for (size_t i = 0; i < found->minute_count; i++) {
			const weir_trace_minute *m = &found->minutes[i];
			printf("%8" PRId64 "%10" PRId64 "%12.3f%16" PRId64 "%16" PRId64 "\n", m->minute,
			       m->requests, (double)m->requests / 60, m->prompt_tokens, m->output_tokens);
		}
	}
}

static void add_number(cJSON *object, const char *name, double value)
{
	if (isnan(value)) {
		cJSON_AddNullToObject(object, name);
	} else {
		cJSON_AddNumberToObject(object, name, value);
	}
}

static void add_sizes(cJSON *root, const char *name, const weir_size_stats *sizes)
{
	cJSON *object = cJSON_AddObjectToObject(root, name);
	add_number(object, "total", (double)sizes->total);
	add_number(object, "mean", sizes->mean);
	add_number(object, "minimum", (double)sizes->minimum);
	for (int i = 0; i < WEIR_TRACE_QUANTILE_COUNT; i++) {
		char key[32];
		snprintf(key, sizeof key, "p%g", 100 * weir_trace_quantiles[i]);
		add_number(object, key, sizes->quantiles[i]);
	}
	add_number(object, "maximum", (double)sizes->maximum);
}

static void add_minutes(cJSON *root, const info *found)
{
	cJSON *list = cJSON_AddArrayToObject(root, "minutes");
	for (size_t i = 0; i < found->minute_count; i++) {
		const weir_trace_minute *m = &found->minutes[i];
		cJSON *minute = cJSON_CreateObject();
		add_number(minute, "minute", (double)m->minute);
		add_number(minute, "requests", (double)m->requests);
		add_number(minute, "prompt_tokens", (double)m->prompt_tokens);
		add_number(minute, "output_tokens", (double)m->output_tokens);
		cJSON_AddItemToArray(list, minute);
	}
}

/* cJSON's functions do nothing when given NULL, so that only the last one's result is looked at. */
static weir_status print_json(const info *found, bool minutes, weir_error *error)
{
	const weir_trace_figures *f = &found->figures;
	cJSON *root = cJSON_CreateObject();
	cJSON_AddStringToObject(root, "file", found->path);
	cJSON_AddStringToObject(root, "format", found->format);
	add_number(root, "requests", (double)f->requests);
	cJSON *skipped = cJSON_AddObjectToObject(root, "skipped");
	add_number(skipped, "without_output_tokens", (double)found->counts.no_output);
	add_number(skipped, "without_prompt_tokens", (double)found->counts.no_prompt);
	add_number(skipped, "empty_lines", (double)found->counts.blank_lines);
	add_number(root, "first_arrival_s", f->first);
	add_number(root, "last_arrival_s", f->last);
	add_number(root, "span_s", f->last - f->first);
	add_number(root, "rate_per_s", f->rate);
	cJSON *rates = cJSON_AddObjectToObject(root, "rate_by_minute_per_s");
	add_number(rates, "minimum", f->minute_rate_minimum);
	add_number(rates, "median", f->minute_rate_median);
	add_number(rates, "maximum", f->minute_rate_maximum);
	add_number(root, "gap_cv", f->gap_cv);
	cJSON *dispersion = cJSON_AddObjectToObject(root, "dispersion");
	for (int i = 0; i < WEIR_TRACE_WINDOW_COUNT; i++) {
		char key[32];
		snprintf(key, sizeof key, "%g_s", weir_trace_windows[i]);
		add_number(dispersion, key, f->dispersion[i]);
	}
	add_sizes(root, "prompt_tokens", &f->prompt);
	add_sizes(root, "output_tokens", &f->output);
	add_number(root, "rank_correlation", f->rank_correlation);
	add_number(root, "applications", (double)f->applications);
	add_number(root, "prefix_hashes", (double)f->prefix_hashes);
	if (minutes) {
		add_minutes(root, found);
	}
	char *text = weir_json_print(root);
	cJSON_Delete(root);
	if (text == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the figures");
	}
	fputs(text, stdout);
	free(text);
	return WEIR_OK;
}

static weir_status add_one(void *context, const weir_request *request, weir_error *error)
{
	return weir_trace_stats_add(context, request, error);
}

static weir_status describe(const weir_trace_options *options, bool json, bool minutes,
                            weir_error *error)
{
	info found = {.path = options->path};
	weir_source *source = NULL;
	weir_status status = weir_trace_open(options, &source, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_trace_stats *stats = weir_trace_stats_create();
	if (stats == NULL) {
		weir_source_destroy(source);
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the figures");
	}
	int64_t count = 0;
	double last = 0;
	status = trace_draw_all(source, add_one, stats, &count, &last, error);
	if (status == WEIR_OK) {
		status = weir_trace_stats_finish(stats, &found.figures, error);
	}
	if (status == WEIR_OK) {
		found.format = weir_trace_reader_format(source);
		found.counts = weir_trace_reader_counts(source);
		found.minutes = weir_trace_stats_minutes(stats, &found.minute_count);
		if (json) {
			status = print_json(&found, minutes, error);
		} else {
			print_text(&found, minutes);
		}
	}
	weir_trace_stats_destroy(stats);
	weir_source_destroy(source);
	return status;
}

static int run(const weir_command *command, int argc, char **argv)
{
	static const struct option long_options[] = {
	    {"json", no_argument, NULL, 'j'},
	    {"minutes", no_argument, NULL, 'm'},
	    {"from", required_argument, NULL, 'f'},
	    {"strict", no_argument, NULL, 's'},
	    {0},
	};
	weir_trace_options options = {.format = "auto"};
	bool json = false;
	bool minutes = false;
	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, ":", long_options, NULL)) != -1;) {
		switch (option) {
		case 'j':
			json = true;
			break;
		case 'm':
			minutes = true;
			break;
		case 'f':
			options.format = optarg;
			break;
		case 's':
			options.strict = true;
			break;
		default:
			return trace_option_error(command, option, argv);
		}
	}
	if (argc - optind != 1) {
		return cli_usage_error(command, "one trace is needed, not %d", argc - optind);
	}
	options.path = argv[optind];
	weir_error error = {0};
	return describe(&options, json, minutes, &error) == WEIR_OK ? 0 : cli_fail(&error);
}

const weir_command command_trace_info = {
    .name = "trace info",
    .summary = "print what describes a trace",
    .help =
        "usage: weir trace info FILE [--json] [--minutes] [--from FORMAT] [--strict]\n"
        "\n"
        "Prints the requests, span, rates, burstiness and sizes of a trace.\n"
        "\n"
        "Burstiness: the coefficient of variation of the gaps between arrivals, and the index of\n"
        "dispersion (variance / mean) of the numbers of requests in windows of 1, 10 and 60 s;\n"
        "all are 1 for a Poisson process. Only whole windows and minutes count.\n"
        "\n"
        "options:\n"
        "  --json          print it as JSON; what is undefined is null\n"
        "  --minutes       also a table by minute; minutes without requests are left out\n"
        "  --from FORMAT   splitwise, azure, burstgpt or mooncake (by the first line)\n"
        "  --strict        refuse rows that are skipped and counted otherwise\n"
        "\n"
        "examples:\n"
        "  weir trace info traces/AzureLLMInferenceTrace_conv.csv\n"
        "  weir trace info trace.csv.gz --json --minutes\n",
    .run = run,
};
