/* The key table of the section `trace`. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "workload/trace_format.h"
#include "workload/workload_config.h"
#include "workload/workload_keys.h"

weir_status workload_check_format(weir_keys_reader *reader, const char *path, const char *format,
                                  weir_error *error)
{
	enum { MOST_FORMATS = 32 };
	const char *known[MOST_FORMATS] = {"auto"};
	size_t count = 1;
	for (; weir_trace_formats[count - 1] != NULL && count < MOST_FORMATS; count++) {
		known[count] = weir_trace_formats[count - 1]->name;
	}
	for (size_t i = 0; i < count; i++) {
		if (strcmp(known[i], format) == 0) {
			return WEIR_OK;
		}
	}
	return weir_keys_fail_unknown(reader, weir_keys_path(reader, path, "format"), "format", format,
	                              known, count, error);
}

static const weir_key trace_keys[] = {
    {.name = "path",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_trace_config, path),
     .flags = WEIR_KEY_PATH,
     .doc = "The trace to replay: a file (also .gz) or a pipe; \"-\" is standard input."},
    {.name = "otherwise",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_trace_config, otherwise),
     .flags = WEIR_KEY_PATH,
     .doc = "Where there is no file at `path`: a file such as traces/azure-conv-like.json. The "
            "requests that it describes, the same for every seed, then stand in for the trace; the "
            "run says so."},
    {.name = "format",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_trace_config, format),
     .default_text = "\"auto\"",
     .doc = "Its format: splitwise, azure, burstgpt, mooncake; auto: by its first line."},
    {.name = "strict",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_trace_config, strict),
     .default_text = "false",
     .doc = "Refuse rows that are skipped and counted otherwise: failed requests without tokens."},
    {.name = "start",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_trace_config, start),
     .default_text = "0",
     .minimum = 0,
     .maximum = INFINITY,
     .unit = "s",
     .doc = "Take arrivals from here on, in the trace's own time; here is then time 0."},
    {.name = "duration",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_trace_config, duration),
     .default_text = "0",
     .minimum = 0,
     .maximum = INFINITY,
     .unit = "s",
     .doc = "Take arrivals of so long, in the trace's own time; 0: to its end."},
    {.name = "max_requests",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_trace_config, max_requests),
     .default_text = "0",
     .minimum = 0,
     .maximum = INFINITY,
     .unit = "requests",
     .doc = "Take so many requests at most, before they are repeated; 0: all."},
    {.name = "time_scale",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_trace_config, time_scale),
     .default_text = "1",
     .minimum = 1e-9,
     .maximum = 1e9,
     .doc = "Multiply arrivals by this: 2 makes the trace last twice as long."},
    {.name = "rate_scale",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_trace_config, rate_scale),
     .default_text = "1",
     .minimum = 1e-9,
     .maximum = 1e9,
     .doc = "Divide arrivals by this: 2 makes the same requests come at twice the rate."},
    {.name = "repeat",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_trace_config, repeat),
     .default_text = "1",
     .minimum = 1,
     .maximum = 1e9,
     .unit = "times",
     .doc =
         "Replay what was taken so many times in all, one behind the other; the time from one to "
         "the next is the span and the mean gap."},
    {.name = "copies",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_trace_config, copies),
     .default_text = "1",
     .minimum = 1,
     .maximum = 1e6,
     .unit = "times",
     .doc = "Let every request come so many times: so many times the rate, while rises and falls "
            "take as long as before (`rate_scale` makes them faster)."},
    {.name = "jitter",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_trace_config, jitter),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e9,
     .unit = "s",
     .doc = "Each copy, the first as well, comes later by a random time below this (uniform, by "
            "the run's seed)."},
};

static weir_status check_trace(weir_keys_reader *reader, const char *path, void *object,
                               weir_error *error)
{
	weir_trace_config *config = object;
	const char *trace = config->path;
	config->stand_in = NULL;
	if (config->otherwise[0] != '\0' && trace[0] != '\0' && strcmp(trace, "-") != 0 &&
	    access(trace, F_OK) != 0) {
		weir_generation_config *stand_in = weir_arena_allocate(reader->arena, 1, sizeof *stand_in);
		if (stand_in == NULL) {
			return weir_error_set(error, WEIR_ERROR_MEMORY, reader->file,
			                      "no memory for the config");
		}
		weir_status status =
		    weir_generation_load(config->otherwise, reader->arena, stand_in, error);
		if (status != WEIR_OK) {
			return status;
		}
		config->stand_in = stand_in;
	}
	return workload_check_format(reader, path, config->format, error);
}

const weir_key_table weir_trace_keys = {
    .name = "trace",
    .doc = "A trace of requests to replay. It is sliced, then rescaled, then repeated, then "
           "superposed.",
    .size = sizeof(weir_trace_config),
    .keys = trace_keys,
    .key_count = sizeof trace_keys / sizeof trace_keys[0],
    .check = check_trace,
};
