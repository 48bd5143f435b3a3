/* What writing trace events goes by: where the text goes, who is named, which tracks there are.
 * Internal to trace_events. */
#ifndef WEIR_ANALYSIS_TRACE_TRACKS_H
#define WEIR_ANALYSIS_TRACE_TRACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/trace_events.h"

enum {
	WEIR_EVENTS_COLUMNS = 10, /* most of a table */
	WEIR_EVENTS_BUFFER_SIZE = 64 * 1024,
	WEIR_EVENTS_TIME_SIZE = 32,
	WEIR_EVENTS_TEXT_SIZE = 6 * WEIR_COLUMN_NAME_SIZE
};

typedef enum weir_events_life {
	LIFE_NONE,
	LIFE_BOOTING,
	LIFE_ACTIVE,
	LIFE_DRAINING,
	LIFE_FLIPPING
} weir_events_life;

/* A track of transfers out of an instance. */
typedef struct weir_events_lane {
	int64_t busy_until; /* ns */
	uint32_t track;
	uint32_t next; /* of the same instance; 0: none, else number + 1 */
} weir_events_lane;

typedef struct weir_events_instance_state {
	uint32_t process;
	uint32_t lanes; /* the first; 0: none, else number + 1 */
	int32_t server;
	bool known; /* has a row in /instances */
	bool work_named, life_named;
	weir_events_life state; /* as far as /scaling_events has been read */
	int64_t since;          /* ns */
	double removed;         /* s; NaN: not */
	char sku[WEIR_COLUMN_NAME_SIZE];
} weir_events_instance_state;

typedef struct weir_events_names {
	char *names;
	size_t count, size;
} weir_events_names;

typedef struct weir_events_exporter {
	weir_reader *reader;
	weir_trace_events_write write;
	void *context;
	weir_trace_events_counts *counts;
	int64_t from, to; /* ns */
	int64_t end;      /* of the run, ns */

	weir_status status; /* of the first failure; lasting */
	weir_error *error;
	char *buffer;
	size_t used;
	bool any; /* event so far */

	double *columns[WEIR_EVENTS_COLUMNS];
	int64_t *ids;
	char *names;

	weir_events_instance_state *instances;
	size_t instance_count, instance_capacity;
	weir_events_lane *lanes;
	size_t lane_count, lane_capacity;
	bool *process_named;
	size_t process_count, process_capacity;
	weir_events_names pools, actions, reasons, outcomes;
} weir_events_exporter;

/* Sets the exporter's status, unless it has failed before. */
weir_status weir_events_fail(weir_events_exporter *x, weir_status status, const char *message);

/* Appends a piece of at most 1 KB to the text. */
void weir_events_put(weir_events_exporter *x, const char *format, ...) WEIR_PRINTF(2, 3);
/* Hands on what is buffered. */
void weir_events_flush(weir_events_exporter *x);
/* What comes before the next event. */
const char *weir_events_separator(weir_events_exporter *x);

/* Rounded; NaN is before everything. */
int64_t weir_events_ns(double seconds);
/* Microseconds, from nanoseconds. */
const char *weir_events_time(char text[WEIR_EVENTS_TIME_SIZE], int64_t ns);
/* As it stands between the quotes of JSON. */
const char *weir_events_escape(char text[WEIR_EVENTS_TEXT_SIZE], const char *name);
/* "?" for a value without a name. */
const char *weir_events_name(const weir_events_names *names, double value);

/* Number of the process of a pool; 1 is for instances of which the file does not say it. */
uint32_t weir_events_process(weir_events_exporter *x, double application, double pool);
/* Names it, the first time. */
void weir_events_name_process(weir_events_exporter *x, uint32_t process);

/* The instance with an id; NULL after an error. Valid until the next call. */
weir_events_instance_state *weir_events_instance(weir_events_exporter *x, double id);

/* Numbers of an instance's tracks, which are named the first time. */
uint32_t weir_events_work_track(weir_events_exporter *x, weir_events_instance_state *instance);
uint32_t weir_events_life_track(weir_events_exporter *x, weir_events_instance_state *instance);

/*
 * The track of a transfer out of an instance: the one that has been free for the shortest time, or
 * a new one. They come in the order of their ends, so each track's last end is its latest, and no
 * more tracks are made than transfers go on at once.
 */
uint32_t weir_events_transfer_track(weir_events_exporter *x, weir_events_instance_state *instance,
                                    int64_t start, int64_t end);

#endif
