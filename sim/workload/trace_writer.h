/*
 * Writing streams of requests as traces.
 */
#ifndef WEIR_WORKLOAD_TRACE_WRITER_H
#define WEIR_WORKLOAD_TRACE_WRITER_H

#include "base/error.h"
#include "base/export.h"
#include "workload/source.h"

WEIR_BEGIN_C

typedef struct weir_trace_writer weir_trace_writer;

/*
 * Starts a trace at `path` ("-": standard output; packed when it ends in ".gz") in the format of
 * that name (trace_format.h). It is written as PATH.part and renamed by weir_trace_writer_finish.
 *
 * What reads back the same: arrivals exactly as splitwise, burstgpt and mooncake; as azure to the
 * tick of 100 ns, as dates since 1970-01-01, and since the first row of a dated trace is time 0,
 * less the first arrival. Ids and applications only as splitwise, prefix hashes only as mooncake.
 */
WEIR_API weir_status weir_trace_writer_open(const char *path, const char *format,
                                            weir_trace_writer **writer, weir_error *error);

/* Adds a request. Errors: the file cannot be written (perhaps told late, since writes are
 * buffered); an arrival that the format cannot hold. */
WEIR_API weir_status weir_trace_writer_add(weir_trace_writer *writer, const weir_request *request,
                                           weir_error *error);

/* Completes the trace under its name and frees the writer in any case; after an error, no file of
 * that name has been made or changed. */
WEIR_API weir_status weir_trace_writer_finish(weir_trace_writer *writer, weir_error *error);

/* Gives the trace up and frees the writer; NULL is allowed. */
WEIR_API void weir_trace_writer_abandon(weir_trace_writer *writer);

WEIR_END_C

#endif
