/*
 * A file that is written aside, as PATH.part, and takes its name only when it is complete; packed
 * with gzip when the name ends in ".gz".
 */
#ifndef WEIR_WORKLOAD_TRACE_OUTPUT_H
#define WEIR_WORKLOAD_TRACE_OUTPUT_H

#include <stddef.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

typedef struct weir_trace_output weir_trace_output;

/* Opens PATH for writing. "-" is standard output; it, pipes and devices are written directly. */
weir_status weir_trace_output_open(const char *path, weir_trace_output **output, weir_error *error);

/* Writes through a buffer; an error (a full disk, a closed pipe) may be told by a later call. */
weir_status weir_trace_output_write(weir_trace_output *output, const char *text, size_t length,
                                    weir_error *error);
weir_status weir_trace_output_format(weir_trace_output *output, weir_error *error,
                                     const char *format, ...) WEIR_PRINTF(3, 4);

/* The path, or "standard output", for messages. */
const char *weir_trace_output_name(const weir_trace_output *output);

/* Writes what is left, syncs and renames, and frees in any case. On failure no file of that name is
 * made or changed. */
weir_status weir_trace_output_finish(weir_trace_output *output, weir_error *error);

/* Gives up: removes PATH.part and frees. NULL is allowed. */
void weir_trace_output_abandon(weir_trace_output *output);

WEIR_END_C

#endif
