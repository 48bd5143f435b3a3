/*
 * A recorded run as trace events: the JSON that chrome://tracing and ui.perfetto.dev show as a time
 * line ("Trace Event Format", Google; the object form with "traceEvents").
 *
 * A process is a pool (of a run with flips: the last one of an instance), a thread is a track:
 *   - of each instance its iterations (complete events: prompt, token or mixed), its life (booting,
 *     active, draining, flipping) and the transfers out of it, as many tracks as there are at once;
 *   - of each pool what was decided and what befell it (instant events), and counters.
 * A request is a flow from the iteration that ended its prompt over its transfer to the first one
 * of its token task; its id is 256 times the request's id plus its retries.
 *
 * Times are in microseconds with three decimals. Start and end are rounded before they are
 * subtracted, so what follows on a track does not overlap.
 */
#ifndef WEIR_ANALYSIS_TRACE_EVENTS_H
#define WEIR_ANALYSIS_TRACE_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "record/reader.h"

WEIR_BEGIN_C

/* Takes a piece of the text. */
typedef weir_status (*weir_trace_events_write)(void *context, const char *text, size_t length,
                                               weir_error *error);

/* What is in the window: events that touch it are there, whole. */
typedef struct weir_trace_events_window {
	double from, to; /* s; -INFINITY and INFINITY: all */
} weir_trace_events_window;

typedef struct weir_trace_events_counts {
	uint64_t iterations, transfers; /* complete events */
	uint64_t lives;                 /* likewise: stays of an instance in a state */
	uint64_t flows;                 /* begun */
	uint64_t instants, counters;
} weir_trace_events_counts;

/*
 * Writes the whole JSON document; *counts says of what. Errors: a file without the table
 * /iterations (the message names the flag that records it) or with columns missing or ids that no
 * run has; those of `write`; out of memory. Memory: a block of rows, and some bytes per instance.
 */
WEIR_API weir_status weir_trace_events(weir_reader *reader, const weir_trace_events_window *window,
                                       weir_trace_events_write write, void *context,
                                       weir_trace_events_counts *counts, weir_error *error);

WEIR_END_C

#endif
