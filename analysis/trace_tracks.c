#include "analysis/trace_tracks.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum {
	LONGEST_PIECE = 1024,
	MOST_APPLICATIONS = 4096,
	MOST_INSTANCES = 1 << 24,
	/* Numbers of tracks differ in the whole document: some readers know threads by them alone. */
	FIRST_INSTANCE_TRACK = 1 << 16,
	FIRST_LANE_TRACK = 1 << 26
};

weir_status weir_events_fail(weir_events_exporter *x, weir_status status, const char *message)
{
	if (x->status == WEIR_OK) {
		x->status = weir_error_set(x->error, status, weir_reader_path(x->reader), "%s", message);
	}
	return x->status;
}

/* --- text --- */

void weir_events_flush(weir_events_exporter *x)
{
	if (x->status == WEIR_OK) {
		x->status = x->write(x->context, x->buffer, x->used, x->error);
	}
	x->used = 0;
}

void weir_events_put(weir_events_exporter *x, const char *format, ...)
{
	if (WEIR_EVENTS_BUFFER_SIZE - x->used < LONGEST_PIECE) {
		weir_events_flush(x);
	}
	va_list args;
	va_start(args, format);
	int length = vsnprintf(x->buffer + x->used, WEIR_EVENTS_BUFFER_SIZE - x->used, format, args);
	va_end(args);
	assert(length >= 0 && length < LONGEST_PIECE);
	x->used += (size_t)length;
}

const char *weir_events_separator(weir_events_exporter *x)
{
	const char *text = x->any ? ",\n" : "\n";
	x->any = true;
	return text;
}

/* ns; two such times can be subtracted. */
static const double FARTHEST = 4e18;

int64_t weir_events_ns(double seconds)
{
	return isnan(seconds) ? INT64_MIN / 2
	                      : (int64_t)llround(fmin(fmax(seconds * 1e9, -FARTHEST), FARTHEST));
}

const char *weir_events_time(char text[WEIR_EVENTS_TIME_SIZE], int64_t ns)
{
	int64_t positive = ns < 0 ? -ns : ns;
	snprintf(text, WEIR_EVENTS_TIME_SIZE, "%s%" PRId64 ".%03d", ns < 0 ? "-" : "", positive / 1000,
	         (int)(positive % 1000));
	return text;
}

const char *weir_events_escape(char text[WEIR_EVENTS_TEXT_SIZE], const char *name)
{
	size_t used = 0;
	for (; *name != '\0' && used + 7 < WEIR_EVENTS_TEXT_SIZE; name++) {
		unsigned char c = (unsigned char)*name;
		if (c == '"' || c == '\\' || c < ' ') {
			used += (size_t)snprintf(text + used, WEIR_EVENTS_TEXT_SIZE - used, "\\u%04x", c);
		} else {
			text[used++] = *name;
		}
	}
	text[used] = '\0';
	return text;
}

const char *weir_events_name(const weir_events_names *names, double value)
{
	return value >= 0 && value < (double)names->count ? names->names + (size_t)value * names->size
	                                                  : "?";
}

/* --- processes, tracks --- */

uint32_t weir_events_process(weir_events_exporter *x, double application, double pool)
{
	if (!(application >= 0 && application < MOST_APPLICATIONS && pool >= 0 &&
	      pool < (double)x->pools.count)) {
		weir_events_fail(x, WEIR_ERROR_INPUT, "a row names a pool that there cannot be");
		return 1;
	}
	return 2 + (uint32_t)application * (uint32_t)x->pools.count + (uint32_t)pool;
}

void weir_events_name_process(weir_events_exporter *x, uint32_t process)
{
	if (!weir_reserve((void **)&x->process_named, &x->process_capacity, (size_t)process + 1,
	                  sizeof *x->process_named)) {
		weir_events_fail(x, WEIR_ERROR_MEMORY, "out of memory");
		return;
	}
	for (; x->process_count <= process; x->process_count++) {
		x->process_named[x->process_count] = false;
	}
	if (x->process_named[process]) {
		return;
	}
	x->process_named[process] = true;
	char name[128] = "pool unknown: the run did not end";
	if (process > 1) {
		char pool[WEIR_EVENTS_TEXT_SIZE];
		size_t index = process - 2;
		snprintf(name, sizeof name, "application %zu, %.60s pool", index / x->pools.count,
		         weir_events_escape(pool,
		                            weir_events_name(&x->pools, (double)(index % x->pools.count))));
	}
	weir_events_put(x,
	                "%s{\"ph\":\"M\",\"pid\":%" PRIu32
	                ",\"name\":\"process_name\",\"args\":{\"name\":\"%s\"}}",
	                weir_events_separator(x), process, name);
	weir_events_put(x,
	                "%s{\"ph\":\"M\",\"pid\":%" PRIu32
	                ",\"name\":\"process_sort_index\",\"args\":{\"sort_index\":%" PRIu32 "}}",
	                weir_events_separator(x), process, process);
	weir_events_put(x,
	                "%s{\"ph\":\"M\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32
	                ",\"name\":\"thread_name\",\"args\":{\"name\":\"decisions and faults\"}}",
	                weir_events_separator(x), process, process);
}

static void name_track(weir_events_exporter *x, uint32_t process, uint32_t track, const char *name,
                       size_t position)
{
	weir_events_name_process(x, process);
	weir_events_put(x,
	                "%s{\"ph\":\"M\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32
	                ",\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}}",
	                weir_events_separator(x), process, track, name);
	weir_events_put(x,
	                "%s{\"ph\":\"M\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32
	                ",\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":%zu}}",
	                weir_events_separator(x), process, track, position);
}

weir_events_instance_state *weir_events_instance(weir_events_exporter *x, double id)
{
	if (!(id >= 0 && id < MOST_INSTANCES)) {
		weir_events_fail(x, WEIR_ERROR_INPUT, "a row names an instance that there cannot be");
		return NULL;
	}
	size_t index = (size_t)id;
	if (!weir_reserve((void **)&x->instances, &x->instance_capacity, index + 1,
	                  sizeof *x->instances)) {
		weir_events_fail(x, WEIR_ERROR_MEMORY, "out of memory");
		return NULL;
	}
	for (; x->instance_count <= index; x->instance_count++) {
		x->instances[x->instance_count] =
		    (weir_events_instance_state){.process = 1, .removed = NAN};
	}
	return &x->instances[index];
}

static size_t number_of(const weir_events_exporter *x, const weir_events_instance_state *instance)
{
	return (size_t)(instance - x->instances);
}

uint32_t weir_events_work_track(weir_events_exporter *x, weir_events_instance_state *instance)
{
	size_t id = number_of(x, instance);
	uint32_t track = FIRST_INSTANCE_TRACK + 2 * (uint32_t)id;
	if (!instance->work_named) {
		instance->work_named = true;
		char sku[WEIR_EVENTS_TEXT_SIZE];
		char name[64 + WEIR_EVENTS_TEXT_SIZE];
		snprintf(name, sizeof name,
		         instance->known ? "instance %zu (%s, server %" PRId32 ")" : "instance %zu", id,
		         weir_events_escape(sku, instance->sku), instance->server);
		name_track(x, instance->process, track, name, 3 * id + 1);
	}
	return track;
}

uint32_t weir_events_life_track(weir_events_exporter *x, weir_events_instance_state *instance)
{
	size_t id = number_of(x, instance);
	uint32_t track = FIRST_INSTANCE_TRACK + 2 * (uint32_t)id + 1;
	if (!instance->life_named) {
		instance->life_named = true;
		char name[64];
		snprintf(name, sizeof name, "instance %zu: life", id);
		name_track(x, instance->process, track, name, 3 * id);
	}
	return track;
}

uint32_t weir_events_transfer_track(weir_events_exporter *x, weir_events_instance_state *instance,
                                    int64_t start, int64_t end)
{
	uint32_t best = 0;
	uint32_t *last = &instance->lanes;
	for (; *last != 0; last = &x->lanes[*last - 1].next) {
		const weir_events_lane *candidate = &x->lanes[*last - 1];
		if (candidate->busy_until <= start &&
		    (best == 0 || candidate->busy_until > x->lanes[best - 1].busy_until)) {
			best = *last;
		}
	}
	if (best == 0) {
		if (x->lane_count == INT32_MAX - FIRST_LANE_TRACK) {
			weir_events_fail(x, WEIR_ERROR_INPUT,
			                 "more transfers go on at once than there can be tracks");
			return 0;
		}
		best = (uint32_t)x->lane_count + 1;
		*last = best; /* before the array moves */
		if (!weir_reserve((void **)&x->lanes, &x->lane_capacity, best, sizeof *x->lanes)) {
			weir_events_fail(x, WEIR_ERROR_MEMORY, "out of memory");
			return 0;
		}
		x->lanes[x->lane_count] =
		    (weir_events_lane){.track = FIRST_LANE_TRACK + (uint32_t)x->lane_count};
		x->lane_count++;
		size_t id = number_of(x, instance);
		char name[64];
		snprintf(name, sizeof name, "instance %zu: transfers out", id);
		name_track(x, instance->process, x->lanes[best - 1].track, name, 3 * id + 2);
	}
	x->lanes[best - 1].busy_until = end;
	return x->lanes[best - 1].track;
}
