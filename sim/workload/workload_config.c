#include "workload/workload_config.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "workload/generator.h"
#include "workload/superpose.h"
#include "workload/trace_reader.h"
#include "workload/transform.h"

weir_trace_config weir_trace_config_default(void)
{
	return (weir_trace_config){.path = "",
	                           .otherwise = "",
	                           .format = "auto",
	                           .time_scale = 1,
	                           .rate_scale = 1,
	                           .repeat = 1,
	                           .copies = 1};
}

weir_status weir_trace_config_apply(const weir_trace_config *config, uint64_t seed,
                                    weir_source **source, weir_error *error)
{
	weir_status status = WEIR_OK;
	if (config->start > 0 || config->duration > 0 || config->max_requests > 0) {
		status = weir_source_slice(
		    source, config->start, config->duration > 0 ? config->duration : INFINITY,
		    config->max_requests > 0 ? config->max_requests : INT64_MAX, error);
	}
	double factor = config->time_scale / config->rate_scale;
	if (status == WEIR_OK && factor != 1) {
		status = weir_source_retime(source, factor, 0, error);
	}
	if (status == WEIR_OK && config->repeat > 1) {
		status = weir_source_repeat(source, config->repeat, error);
	}
	/* Last, so that no repetition has the jitter of another. */
	if (status == WEIR_OK) {
		status = weir_source_superpose(source, config->copies, config->jitter, seed, error);
	}
	if (status == WEIR_OK && (config->repeat > 1 || config->copies > 1)) {
		status = weir_source_relabel(source, WEIR_SOURCE_KEEP_APPLICATION, true, error);
	}
	return status;
}

static weir_status create_sizes(const weir_sizes_config *config, weir_sizes **sizes,
                                weir_error *error)
{
	weir_source *sample = NULL;
	weir_status status = WEIR_OK;
	if (config->kind == WEIR_SIZES_TRACE) {
		const weir_trace_options options = {.path = config->path, .format = config->format};
		status = weir_trace_open(&options, &sample, error);
	}
	if (status == WEIR_OK) {
		status = weir_sizes_create(config, sample, sizes, error);
	}
	weir_source_destroy(sample);
	return status;
}

static weir_status open_generated(const weir_generation_config *config, uint64_t seed,
                                  weir_source **source, weir_error *error)
{
	if (config->duration == 0 && config->count == 0) {
		return weir_error_set(
		    error, WEIR_ERROR_INPUT, "workload",
		    "a generated workload has no end of its own: set workload.duration or "
		    "workload.count");
	}
	weir_arrivals *arrivals = NULL;
	weir_sizes *sizes = NULL;
	weir_status status =
	    weir_arrivals_create(&config->arrivals, config->rate_scale, &arrivals, error);
	if (status == WEIR_OK) {
		status = create_sizes(&config->sizes, &sizes, error);
	}
	if (status != WEIR_OK) {
		weir_arrivals_destroy(arrivals);
		return status;
	}
	const weir_generator_limits limits = {.duration = config->duration, .count = config->count};
	return weir_generator_create(arrivals, sizes, &limits, seed, source, error);
}

/* What stands in for a trace is one stream, as a trace is: seeds differ in their jitter alone. */
enum { STAND_IN_SEED = 1 };

static weir_status open_trace(const weir_trace_config *config, uint64_t seed, weir_source **source,
                              weir_error *error)
{
	if (config->path[0] == '\0') {
		return weir_error_set(error, WEIR_ERROR_INPUT, "trace.path",
		                      "no trace is named, but workload.kind is \"trace\"");
	}
	weir_status status;
	if (config->stand_in != NULL) {
		status = open_generated(config->stand_in, STAND_IN_SEED, source, error);
	} else {
		const weir_trace_options options = {
		    .path = config->path, .format = config->format, .strict = config->strict};
		status = weir_trace_open(&options, source, error);
	}
	return status == WEIR_OK ? weir_trace_config_apply(config, seed, source, error) : status;
}

bool weir_workload_is_generated(const weir_workload_config *config)
{
	return config->generation.kind == WEIR_WORKLOAD_GENERATED ||
	       (config->generation.kind == WEIR_WORKLOAD_AUTO && config->trace.path[0] == '\0');
}

weir_status weir_workload_open(const weir_workload_config *config, uint64_t seed,
                               weir_source **source, weir_error *error)
{
	assert(config != NULL && source != NULL);
	*source = NULL;
	const weir_generation_config *generation = &config->generation;
	weir_status status;
	if (!weir_workload_is_generated(config)) {
		status = open_trace(&config->trace, seed, source, error);
	} else if (generation->arrivals.kind == WEIR_ARRIVALS_LIKE ||
	           generation->sizes.kind == WEIR_SIZES_LIKE) {
		status = weir_error_set(error, WEIR_ERROR_INPUT, "workload",
		                        "there are no requests to serve: set trace.path to a trace, or "
		                        "workload.like to a file that describes one, or both "
		                        "workload.arrivals and workload.sizes");
	} else {
		status = open_generated(generation, seed, source, error);
	}
	if (status != WEIR_OK) {
		weir_source_destroy(*source);
		*source = NULL;
	}
	return status;
}

char *weir_workload_describe(const weir_workload_config *config)
{
	const weir_trace_config *trace = &config->trace;
	const char *like = config->generation.like;
	char *text = NULL;
	int length;
	if (weir_workload_is_generated(config)) {
		length = asprintf(&text, "generated%s%s", like[0] != '\0' ? " like " : "", like);
	} else if (trace->stand_in != NULL) {
		length = asprintf(&text, "no trace %s: generated like %s", trace->path, trace->otherwise);
	} else {
		length = asprintf(&text, "trace %s", trace->path);
	}
	return length >= 0 ? text : NULL;
}
