#include "workload/trace_reader.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "workload/trace_format.h"
#include "workload/trace_input.h"
#include "workload/trace_number.h"

/* All that changes from row to row, and so all that a snapshot keeps. */
typedef struct reader_state {
	weir_trace_position position; /* set when saved */
	weir_trace_counts counts;
	int64_t origin_ns; /* date of the first row */
	double last_arrival;
} reader_state;

typedef struct trace_reader {
	weir_source source;
	const weir_trace_format *format;
	bool strict;
	weir_trace_input *input;
	weir_trace_position first_row;
	weir_trace_parser parser;
	reader_state state;
} trace_reader;

static weir_status no_tokens(trace_reader *reader, const weir_request *request, weir_error *error)
{
	const char *kind = request->output_tokens == 0 ? "output" : "prompt";
	if (reader->strict && reader->format->logs_failures) {
		return weir_trace_input_fail(reader->input, error,
		                             "the request has 0 %s tokens; such rows are skipped unless "
		                             "reading is strict",
		                             kind);
	}
	if (!reader->format->logs_failures) {
		return weir_trace_input_fail(reader->input, error,
		                             "the request has 0 %s tokens: expected at least 1", kind);
	}
	int64_t *count = request->output_tokens == 0 ? &reader->state.counts.no_output
	                                             : &reader->state.counts.no_prompt;
	(*count)++;
	return WEIR_OK;
}

static weir_status no_more(trace_reader *reader, bool *more, weir_error *error)
{
	*more = false;
	const weir_trace_counts *counts = &reader->state.counts;
	if (counts->requests > 0) {
		return WEIR_OK;
	}
	if (counts->rows > 0) {
		return weir_trace_input_fail(reader->input, error,
		                             "the trace has no request: all %" PRId64 " rows were skipped",
		                             counts->rows);
	}
	return weir_trace_input_fail(reader->input, error,
	                             "the trace has no request: it ends here, before the first row");
}

/* Places the row in time, from the first row on when the trace is dated. */
static weir_status place(trace_reader *reader, weir_trace_row *row, weir_error *error)
{
	reader_state *state = &reader->state;
	double *arrival = &row->request.arrival;
	if (reader->format->dated) {
		if (state->counts.rows == 1) {
			state->origin_ns = row->time_ns;
		}
		int64_t since = row->time_ns - state->origin_ns;
		*arrival = since < 0 ? -weir_trace_seconds(-since) : weir_trace_seconds(since);
	}
	if (*arrival < state->last_arrival) {
		return weir_trace_input_fail(reader->input, error,
		                             "the request arrives at %.9f s, before the one above it at "
		                             "%.9f s: a trace is in order of arrival",
		                             *arrival, state->last_arrival);
	}
	state->last_arrival = *arrival;
	return WEIR_OK;
}

static weir_status reader_next(weir_source *source, weir_request *request, bool *more,
                               weir_error *error)
{
	trace_reader *reader = (trace_reader *)source;
	weir_trace_counts *counts = &reader->state.counts;
	for (;;) {
		weir_trace_text line;
		bool any = false;
		weir_status status = weir_trace_input_next(reader->input, &line, &any, error);
		if (status != WEIR_OK) {
			return status;
		}
		if (!any) {
			return no_more(reader, more, error);
		}
		if (line.begin == line.end) {
			counts->blank_lines++;
			if (reader->strict) {
				return weir_trace_input_fail(reader->input, error,
				                             "the line is empty; such lines are skipped unless "
				                             "reading is strict");
			}
			continue;
		}
		weir_trace_row row = {.request = {.id = counts->requests}};
		status = reader->format->read_row(&reader->parser, line, &row, error);
		if (status != WEIR_OK) {
			return status;
		}
		counts->rows++;
		status = place(reader, &row, error);
		if (status != WEIR_OK) {
			return status;
		}
		if (row.request.prompt_tokens == 0 || row.request.output_tokens == 0) {
			status = no_tokens(reader, &row.request, error);
			if (status != WEIR_OK) {
				return status;
			}
			continue;
		}
		counts->requests++;
		/* By member: a copy as a whole waits for the parser's stores. */
		const weir_request *r = &row.request;
		*request = (weir_request){r->arrival,          r->id,          r->prompt_tokens,
		                          r->output_tokens,    r->application, r->prefix_hashes,
		                          r->prefix_hash_count};
		*more = true;
		return WEIR_OK;
	}
}

static weir_status reader_rewind(weir_source *source, weir_error *error)
{
	trace_reader *reader = (trace_reader *)source;
	weir_status status = weir_trace_input_seek(reader->input, &reader->first_row, error);
	if (status == WEIR_OK) {
		reader->state = (reader_state){0};
	}
	return status;
}

static size_t reader_state_size(const weir_source *source)
{
	const trace_reader *reader = (const trace_reader *)source;
	return weir_trace_input_seekable(reader->input) ? sizeof(reader_state) : 0;
}

static void reader_save(const weir_source *source, void *state)
{
	const trace_reader *reader = (const trace_reader *)source;
	reader_state saved = reader->state;
	saved.position = weir_trace_input_tell(reader->input);
	memcpy(state, &saved, sizeof saved);
}

static weir_status reader_restore(weir_source *source, const void *state, weir_error *error)
{
	trace_reader *reader = (trace_reader *)source;
	reader_state saved;
	memcpy(&saved, state, sizeof saved);
	weir_status status = weir_trace_input_seek(reader->input, &saved.position, error);
	if (status == WEIR_OK) {
		reader->state = saved;
	}
	return status;
}

/* Of a compressed file the length of the text is not known. */
static double reader_share_drawn(const weir_source *source)
{
	const trace_reader *reader = (const trace_reader *)source;
	if (!weir_trace_input_seekable(reader->input)) {
		return NAN;
	}
	weir_trace_position position = weir_trace_input_tell(reader->input);
	double share = (double)position.offset / (double)position.file_size;
	return share <= 1.0 ? share : NAN;
}

static void reader_destroy(weir_source *source)
{
	trace_reader *reader = (trace_reader *)source;
	weir_trace_input_close(reader->input);
	free(reader->parser.hashes);
	free(reader);
}

static const weir_source_type reader_type = {
    .name = "trace",
    .next = reader_next,
    .rewind = reader_rewind,
    .state_size = reader_state_size,
    .save = reader_save,
    .restore = reader_restore,
    .share_drawn = reader_share_drawn,
    .destroy = reader_destroy,
};

/* The format asked for, or the first that knows the line. */
static weir_status choose_format(trace_reader *reader, const char *name, weir_trace_text line,
                                 weir_error *error)
{
	char names[256];
	if (name != NULL && strcmp(name, "auto") != 0) {
		reader->format = weir_trace_format_find(name);
		if (reader->format == NULL) {
			return weir_error_set(error, WEIR_ERROR_INPUT, weir_trace_input_name(reader->input),
			                      "there is no trace format \"%s\": use auto, %s", name,
			                      weir_trace_format_names(names, sizeof names));
		}
		return WEIR_OK;
	}
	for (size_t i = 0; weir_trace_formats[i] != NULL; i++) {
		if (weir_trace_formats[i]->recognises(line)) {
			reader->format = weir_trace_formats[i];
			return WEIR_OK;
		}
	}
	char shown[WEIR_TRACE_EXCERPT_SIZE];
	return weir_trace_input_fail(
	    reader->input, error,
	    "\"%s\" begins no known trace: expected the header line or JSON of one of %s",
	    weir_trace_excerpt(line, shown), weir_trace_format_names(names, sizeof names));
}

/* Reads up to the first row: blank lines and the header. */
static weir_status begin(trace_reader *reader, const char *format, weir_error *error)
{
	weir_trace_text line;
	do {
		bool more = false;
		weir_status status = weir_trace_input_next(reader->input, &line, &more, error);
		if (status != WEIR_OK) {
			return status;
		}
		if (!more) {
			return weir_error_set(error, WEIR_ERROR_INPUT, weir_trace_input_name(reader->input),
			                      "the trace is empty");
		}
	} while (line.begin == line.end);
	weir_status status = choose_format(reader, format, line, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_trace_input_set_limit(reader->input, reader->format->line_limit);
	if (reader->format->columns == NULL) {
		weir_trace_input_unread(reader->input);
	} else {
		status = weir_trace_csv_header(reader->input, reader->format->columns, line,
		                               &reader->parser.header, error);
	}
	reader->first_row = weir_trace_input_tell(reader->input);
	return status;
}

/* The most that the first line may have, before the format is known. */
static size_t largest_line_limit(void)
{
	size_t largest = 0;
	for (size_t i = 0; weir_trace_formats[i] != NULL; i++) {
		size_t limit = weir_trace_formats[i]->line_limit;
		largest = limit > largest ? limit : largest;
	}
	return largest;
}

weir_status weir_trace_open(const weir_trace_options *options, weir_source **source,
                            weir_error *error)
{
	assert(options != NULL && options->path != NULL && source != NULL);
	*source = NULL;
	trace_reader *reader = weir_allocate(1, sizeof *reader);
	if (reader == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, options->path, "out of memory");
	}
	reader->source.type = &reader_type;
	reader->strict = options->strict;
	weir_status status =
	    weir_trace_input_open(options->path, largest_line_limit(), &reader->input, error);
	if (status == WEIR_OK) {
		reader->parser.input = reader->input;
		status = begin(reader, options->format, error);
	}
	if (status != WEIR_OK) {
		reader_destroy(&reader->source);
		return status;
	}
	*source = &reader->source;
	return WEIR_OK;
}

weir_trace_counts weir_trace_reader_counts(const weir_source *source)
{
	assert(source->type == &reader_type);
	return ((const trace_reader *)source)->state.counts;
}

int64_t weir_trace_reader_line(const weir_source *source)
{
	assert(source->type == &reader_type);
	return weir_trace_input_line(((const trace_reader *)source)->input);
}

const char *weir_trace_reader_format(const weir_source *source)
{
	assert(source->type == &reader_type);
	return ((const trace_reader *)source)->format->name;
}
