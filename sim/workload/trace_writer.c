#include "workload/trace_writer.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "workload/trace_format.h"
#include "workload/trace_output.h"

struct weir_trace_writer {
	const weir_trace_format *format;
	weir_trace_output *output;
};

weir_status weir_trace_writer_open(const char *path, const char *format, weir_trace_writer **writer,
                                   weir_error *error)
{
	assert(path != NULL && format != NULL && writer != NULL);
	*writer = NULL;
	const weir_trace_format *found = weir_trace_format_find(format);
	if (found == NULL) {
		char names[256];
		return weir_error_set(error, WEIR_ERROR_INPUT, path,
		                      "there is no trace format \"%s\": use %s", format,
		                      weir_trace_format_names(names, sizeof names));
	}
	weir_trace_writer *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
	}
	made->format = found;
	weir_status status = weir_trace_output_open(path, &made->output, error);
	if (status == WEIR_OK && found->write_header != NULL) {
		status = found->write_header(made->output, error);
	}
	if (status != WEIR_OK) {
		weir_trace_writer_abandon(made);
		return status;
	}
	*writer = made;
	return WEIR_OK;
}

weir_status weir_trace_writer_add(weir_trace_writer *writer, const weir_request *request,
                                  weir_error *error)
{
	assert(request->prompt_tokens >= 1 && request->output_tokens >= 1);
	return writer->format->write_row(writer->output, request, error);
}

weir_status weir_trace_writer_finish(weir_trace_writer *writer, weir_error *error)
{
	weir_status status = weir_trace_output_finish(writer->output, error);
	free(writer);
	return status;
}

void weir_trace_writer_abandon(weir_trace_writer *writer)
{
	if (writer != NULL) {
		weir_trace_output_abandon(writer->output);
		free(writer);
	}
}
