/*
 * Dates and times of traces (proleptic Gregorian calendar), exact to the nanosecond.
 */
#ifndef WEIR_WORKLOAD_TRACE_DATE_H
#define WEIR_WORKLOAD_TRACE_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/export.h"
#include "workload/trace_input.h"

WEIR_BEGIN_C

enum { WEIR_TRACE_DATE_SIZE = 80 };

/* The last date read: the rows of a trace mostly repeat it. Zero at first. */
typedef struct weir_trace_day {
	char text[10];
	int64_t start_ns; /* nanoseconds from 1970-01-01 to its midnight */
} weir_trace_day;

/*
 * Reads YYYY-MM-DD, 'T' or a blank, hh:mm:ss, up to nine digits of a fraction, and a time zone (Z,
 * +hh:mm, -hhmm, +hh; none means UTC) as nanoseconds since 1970-01-01 00:00 UTC. Years 1970 to
 * 2200. Returns false for anything else.
 */
bool weir_trace_date(weir_trace_text text, weir_trace_day *day, int64_t *time_ns);

/* Nanoseconds, not negative, to seconds: correctly rounded. */
double weir_trace_seconds(int64_t ns);

/* Writes "YYYY-MM-DD hh:mm:ss.fffffff", with ticks of 100 ns, of a time since 1970-01-01 in them
 * (up to the year 2200). Returns `buffer`. */
const char *weir_trace_date_format(int64_t ticks, char buffer[WEIR_TRACE_DATE_SIZE]);

WEIR_END_C

#endif
