#include "workload/trace_format.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "workload/trace_formats.h"
#include "workload/trace_number.h"

const weir_trace_format *const weir_trace_formats[] = {
    &weir_trace_format_splitwise, &weir_trace_format_azure, &weir_trace_format_burstgpt,
    &weir_trace_format_mooncake, NULL};

const weir_trace_format *weir_trace_format_find(const char *name)
{
	for (size_t i = 0; weir_trace_formats[i] != NULL; i++) {
		if (strcmp(weir_trace_formats[i]->name, name) == 0) {
			return weir_trace_formats[i];
		}
	}
	return NULL;
}

const char *weir_trace_format_names(char *buffer, size_t size)
{
	size_t used = 0;
	for (size_t i = 0; weir_trace_formats[i] != NULL && used < size; i++) {
		used += (size_t)snprintf(buffer + used, size - used, "%s%s", i > 0 ? ", " : "",
		                         weir_trace_formats[i]->name);
	}
	return buffer;
}

weir_status weir_trace_tokens(const weir_trace_parser *parser, const char *name,
                              weir_trace_text text, int64_t *tokens, weir_error *error)
{
	uint64_t value = 0;
	if (!weir_trace_unsigned(text, &value) || value > (uint64_t)WEIR_TRACE_MAX_TOKENS) {
		char shown[WEIR_TRACE_EXCERPT_SIZE];
		return weir_trace_input_fail(
		    parser->input, error, "%s is \"%s\": expected a whole number of tokens from 1 to %lld",
		    name, weir_trace_excerpt(text, shown), (long long)WEIR_TRACE_MAX_TOKENS);
	}
	*tokens = (int64_t)value;
	return WEIR_OK;
}

weir_status weir_trace_identifier(const weir_trace_parser *parser, const char *name,
                                  weir_trace_text text, int64_t *identifier, weir_error *error)
{
	uint64_t value = 0;
	if (!weir_trace_unsigned(text, &value) || value > INT64_MAX) {
		char shown[WEIR_TRACE_EXCERPT_SIZE];
		return weir_trace_input_fail(parser->input, error,
		                             "%s is \"%s\": expected a whole number from 0 to %lld", name,
		                             weir_trace_excerpt(text, shown), (long long)INT64_MAX);
	}
	*identifier = (int64_t)value;
	return WEIR_OK;
}

weir_status weir_trace_time(const weir_trace_parser *parser, const char *name, weir_trace_text text,
                            int shift, double *seconds, weir_error *error)
{
	if (!weir_trace_decimal(text, shift, seconds) || signbit(*seconds)) {
		char shown[WEIR_TRACE_EXCERPT_SIZE];
		return weir_trace_input_fail(
		    parser->input, error, "%s is \"%s\": expected a finite number of %s, 0 or more", name,
		    weir_trace_excerpt(text, shown), shift == 0 ? "seconds" : "milliseconds");
	}
	return WEIR_OK;
}
