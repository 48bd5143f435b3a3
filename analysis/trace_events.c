#include "analysis/trace_events.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/trace_tracks.h"
#include "base/memory.h"

enum {
	BLOCK_ROWS = 8192,
	/* ns: this far inside an event, rounding cannot put an end of a flow outside of it. */
	INSIDE = 2
};

static const char *const life_names[] = {"", "booting", "active", "draining", "flipping"};

/* What an action of /scaling_events makes of its instance. */
static const struct {
	const char *name;
	weir_events_life state;
	bool marked; /* also shown as an instant */
} transitions[] = {
    {"instance_started", LIFE_BOOTING, false}, {"instance_ready", LIFE_ACTIVE, false},
    {"drain_started", LIFE_DRAINING, false},   {"drain_revived", LIFE_ACTIVE, false},
    {"flip_started", LIFE_FLIPPING, false},    {"flipped", LIFE_ACTIVE, false},
    {"instance_removed", LIFE_NONE, false},    {"boot_cancelled", LIFE_NONE, true},
    {"boot_failed", LIFE_NONE, true},          {"crashed", LIFE_NONE, true},
    {"server_lost", LIFE_NONE, true},
};

/* A table as it is read: its columns as doubles, or those named as ids and names. */
typedef struct source {
	const char *table;
	const char *ids, *names; /* NULL: none */
	size_t column_count;
	bool spans; /* the first columns are start and end: blocks outside the window are passed over */
	const char *columns[WEIR_EVENTS_COLUMNS];
	void (*visit)(weir_events_exporter *x, size_t row);
} source;

/* --- events --- */

static bool touches(const weir_events_exporter *x, int64_t start, int64_t end)
{
	return start <= x->to && end >= x->from;
}

/* The beginning of a complete event, to be followed by its arguments and "}}". */
static void put_complete(weir_events_exporter *x, uint32_t process, uint32_t track,
                         const char *category, const char *name, int64_t start, int64_t end)
{
	char ts[WEIR_EVENTS_TIME_SIZE];
	char dur[WEIR_EVENTS_TIME_SIZE];
	weir_events_put(x,
	                "%s{\"ph\":\"X\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32
	                ",\"cat\":\"%s\",\"name\":\"%s\",\"ts\":%s,\"dur\":%s,\"args\":{",
	                weir_events_separator(x), process, track, category, name,
	                weir_events_time(ts, start), weir_events_time(dur, end - start));
}

/* One end of a request's flow, inside the event on the track at that time. */
static void put_flow(weir_events_exporter *x, char phase, uint32_t process, uint32_t track,
                     int64_t time, int64_t request, double retries)
{
	/* Readers hold numbers as doubles. */
	uint64_t id = ((uint64_t)request * 256 + (uint64_t)retries % 256) & ((UINT64_C(1) << 53) - 1);
	char ts[WEIR_EVENTS_TIME_SIZE];
	weir_events_put(x,
	                "%s{\"ph\":\"%c\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32
	                ",\"cat\":\"request\",\"name\":\"request\",\"id\":%" PRIu64 ",\"ts\":%s%s}",
	                weir_events_separator(x), phase, process, track, id, weir_events_time(ts, time),
	                phase == 'f' ? ",\"bp\":\"e\"" : "");
	x->counts->flows += phase == 's';
}

enum { INSTANCE, INSTANCE_APPLICATION, INSTANCE_POOL, SERVER, CREATED, ACTIVE, REMOVED };

static void visit_instance(weir_events_exporter *x, size_t row)
{
	weir_events_instance_state *instance = weir_events_instance(x, x->columns[INSTANCE][row]);
	if (instance == NULL) {
		return;
	}
	double created = x->columns[CREATED][row];
	instance->known = true;
	instance->process = weir_events_process(x, x->columns[INSTANCE_APPLICATION][row],
	                                        x->columns[INSTANCE_POOL][row]);
	instance->server = (int32_t)x->columns[SERVER][row];
	instance->since = weir_events_ns(created);
	instance->state = x->columns[ACTIVE][row] == created ? LIFE_ACTIVE : LIFE_BOOTING;
	instance->removed = x->columns[REMOVED][row];
	memcpy(instance->sku, x->names + row * WEIR_COLUMN_NAME_SIZE, sizeof instance->sku);
}

enum {
	START,
	END,
	ITERATION_INSTANCE,
	ITERATIONS,
	PROMPTS,
	TOKENS,
	PROMPT_TOKENS,
	OUTPUT,
	CONTEXT
};

static void visit_iterations(weir_events_exporter *x, size_t row)
{
	int64_t start = weir_events_ns(x->columns[START][row]);
	int64_t end = weir_events_ns(x->columns[END][row]);
	weir_events_instance_state *instance =
	    weir_events_instance(x, x->columns[ITERATION_INSTANCE][row]);
	if (instance == NULL || !touches(x, start, end)) {
		return;
	}
	double prompts = x->columns[PROMPTS][row];
	double tokens = x->columns[TOKENS][row];
	uint32_t track = weir_events_work_track(x, instance);
	put_complete(x, instance->process, track, "iterations",
	             prompts == 0 ? "token"
	             : tokens > 0 ? "mixed"
	                          : "prompt",
	             start, end);
	weir_events_put(
	    x,
	    "\"iterations\":%.0f,\"prompt_tasks\":%.0f,\"token_tasks\":%.0f,\"prompt_tokens\":%.0f,"
	    "\"output_tokens\":%.0f,\"context\":%.0f}}",
	    x->columns[ITERATIONS][row], prompts, tokens, x->columns[PROMPT_TOKENS][row],
	    x->columns[OUTPUT][row], x->columns[CONTEXT][row]);
	x->counts->iterations++;
}

enum { FROM_INSTANCE = 2, TO_INSTANCE, READY, BYTES, TRANSFER_RETRIES, OUTCOME };

static void visit_transfer(weir_events_exporter *x, size_t row)
{
	int64_t start = weir_events_ns(x->columns[START][row]);
	int64_t end = weir_events_ns(x->columns[END][row]);
	weir_events_instance_state *instance = weir_events_instance(x, x->columns[FROM_INSTANCE][row]);
	if (instance == NULL || !touches(x, start, end)) {
		return;
	}
	uint32_t track = weir_events_transfer_track(x, instance, start, end);
	put_complete(x, instance->process, track, "transfer", "KV transfer", start, end);
	char outcome[WEIR_EVENTS_TEXT_SIZE];
	weir_events_put(
	    x, "\"request\":%" PRId64 ",\"to_instance\":%.0f,\"bytes\":%.0f,\"outcome\":\"%s\"}}",
	    x->ids[row], x->columns[TO_INSTANCE][row], x->columns[BYTES][row],
	    weir_events_escape(outcome, weir_events_name(&x->outcomes, x->columns[OUTCOME][row])));
	x->counts->transfers++;
	int64_t prompt_done = weir_events_ns(x->columns[READY][row]) - INSIDE;
	int64_t sent = start + (end - start < 2 * INSIDE ? (end - start) / 2 : INSIDE);
	if (touches(x, prompt_done, prompt_done)) {
		double retries = x->columns[TRANSFER_RETRIES][row];
		put_flow(x, 's', instance->process, weir_events_work_track(x, instance), prompt_done,
		         x->ids[row], retries);
		put_flow(x, 't', instance->process, track, sent, x->ids[row], retries);
	}
}

enum { ARRIVAL, TTFT, SECOND_TOKEN_GAP, PROMPT_INSTANCE, TOKEN_INSTANCE, RETRIES };

/* The end of its flow, and the beginning where no transfer has made it. */
static void visit_request(weir_events_exporter *x, size_t row)
{
	double prompt_end = x->columns[ARRIVAL][row] + x->columns[TTFT][row];
	int64_t prompt_done = weir_events_ns(prompt_end) - INSIDE;
	int64_t token_start = weir_events_ns(prompt_end + x->columns[SECOND_TOKEN_GAP][row]) + INSIDE;
	if (isnan(prompt_end + x->columns[SECOND_TOKEN_GAP][row]) ||
	    !touches(x, prompt_done, prompt_done) || !touches(x, token_start, token_start)) {
		return;
	}
	weir_events_instance_state *token = weir_events_instance(x, x->columns[TOKEN_INSTANCE][row]);
	if (token == NULL) {
		return;
	}
	double retries = x->columns[RETRIES][row];
	uint32_t track = weir_events_work_track(x, token);
	if (x->columns[PROMPT_INSTANCE][row] == x->columns[TOKEN_INSTANCE][row]) {
		put_flow(x, 's', token->process, track, prompt_done, x->ids[row], retries);
	}
	put_flow(x, 'f', token->process, track, token_start, x->ids[row], retries);
}

/* The stay of an instance in a state, ended at `end`. */
static void end_life(weir_events_exporter *x, weir_events_instance_state *instance, int64_t end)
{
	if (instance->state != LIFE_NONE && instance->since < end && touches(x, instance->since, end)) {
		uint32_t track = weir_events_life_track(x, instance);
		put_complete(x, instance->process, track, "life", life_names[instance->state],
		             instance->since, end);
		weir_events_put(x, "}}");
		x->counts->lives++;
	}
	instance->since = end;
}

enum { TIME, ACTION, APPLICATION, POOL, ASKED, DONE, REASON, EVENT_INSTANCE, EVENT_SERVER };

static void put_instant(weir_events_exporter *x, size_t row, int64_t time, const char *action)
{
	uint32_t process = weir_events_process(x, x->columns[APPLICATION][row], x->columns[POOL][row]);
	weir_events_name_process(x, process);
	double asked = x->columns[ASKED][row];
	bool is_decision = asked != 0;
	char name[WEIR_EVENTS_TEXT_SIZE];
	char actor[WEIR_EVENTS_TEXT_SIZE];
	char reason[WEIR_EVENTS_TEXT_SIZE];
	char ts[WEIR_EVENTS_TIME_SIZE];
	weir_events_put(x,
	                "%s{\"ph\":\"i\",\"s\":\"p\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32
	                ",\"cat\":\"%s\",\"name\":\"%s",
	                weir_events_separator(x), process, process, is_decision ? "decision" : "event",
	                weir_events_escape(name, action));
	if (is_decision) {
		weir_events_put(x, " %+.0f", asked);
	}
	weir_events_put(
	    x,
	    "\",\"ts\":%s,\"args\":{\"actor\":\"%s\",\"asked\":%.0f,\"done\":%.0f,\"reason\":\"%s\","
	    "\"instance\":%.0f,\"server\":%.0f}}",
	    weir_events_time(ts, time),
	    weir_events_escape(actor, x->names + row * WEIR_COLUMN_NAME_SIZE), asked,
	    x->columns[DONE][row],
	    weir_events_escape(reason, weir_events_name(&x->reasons, x->columns[REASON][row])),
	    x->columns[EVENT_INSTANCE][row], x->columns[EVENT_SERVER][row]);
	x->counts->instants++;
}

/* Of an instance that the file has no row of: it was ACTIVE from the start, or starts now. */
static void meet_instance(weir_events_exporter *x, size_t row, weir_events_instance_state *instance,
                          weir_events_life state)
{
	instance->known = true;
	instance->process = weir_events_process(x, x->columns[APPLICATION][row], x->columns[POOL][row]);
	instance->server = (int32_t)x->columns[EVENT_SERVER][row];
	instance->state = state == LIFE_BOOTING ? LIFE_NONE : LIFE_ACTIVE;
}

static void visit_scaling_event(weir_events_exporter *x, size_t row)
{
	int64_t time = weir_events_ns(x->columns[TIME][row]);
	const char *action = weir_events_name(&x->actions, x->columns[ACTION][row]);
	bool marked = true;
	for (size_t i = 0; i < sizeof transitions / sizeof transitions[0]; i++) {
		if (strcmp(transitions[i].name, action) != 0 || x->columns[EVENT_INSTANCE][row] < 0) {
			continue;
		}
		marked = transitions[i].marked;
		weir_events_instance_state *instance =
		    weir_events_instance(x, x->columns[EVENT_INSTANCE][row]);
		if (instance == NULL) {
			return;
		}
		if (!instance->known) {
			meet_instance(x, row, instance, transitions[i].state);
		}
		end_life(x, instance, time);
		instance->state = transitions[i].state;
	}
	if (marked && touches(x, time, time)) {
		put_instant(x, row, time, action);
	}
}

enum {
	SAMPLED,
	SAMPLE_APPLICATION,
	SAMPLE_POOL,
	QUEUED_PROMPTS,
	QUEUED_TOKENS,
	LIVE,
	BOOTING,
	DRAINING
};

static void visit_sample(weir_events_exporter *x, size_t row)
{
	int64_t time = weir_events_ns(x->columns[SAMPLED][row]);
	if (!touches(x, time, time)) {
		return;
	}
	uint32_t process =
	    weir_events_process(x, x->columns[SAMPLE_APPLICATION][row], x->columns[SAMPLE_POOL][row]);
	weir_events_name_process(x, process);
	char ts[WEIR_EVENTS_TIME_SIZE];
	weir_events_time(ts, time);
	weir_events_put(x,
	                "%s{\"ph\":\"C\",\"pid\":%" PRIu32
	                ",\"name\":\"queue\",\"ts\":%s,\"args\":{\"prompts\":%.0f,\"tokens\":%.0f}}",
	                weir_events_separator(x), process, ts, x->columns[QUEUED_PROMPTS][row],
	                x->columns[QUEUED_TOKENS][row]);
	weir_events_put(x,
	                "%s{\"ph\":\"C\",\"pid\":%" PRIu32 ",\"name\":\"instances\",\"ts\":%s,\"args\":"
	                "{\"active\":%.0f,\"booting\":%.0f,\"draining\":%.0f}}",
	                weir_events_separator(x), process, ts, x->columns[LIVE][row],
	                x->columns[BOOTING][row], x->columns[DRAINING][row]);
	x->counts->counters += 2;
}

/* --- tables --- */

static bool block_touches(const weir_events_exporter *x, uint64_t rows)
{
	for (uint64_t i = 0; i < rows; i++) {
		if (touches(x, weir_events_ns(x->columns[START][i]), weir_events_ns(x->columns[END][i]))) {
			return true;
		}
	}
	return false;
}

static weir_status read_block(weir_events_exporter *x, const source *from, uint64_t first,
                              uint64_t rows, bool *wanted)
{
	*wanted = true;
	for (size_t c = 0; c < from->column_count; c++) {
		if (from->spans && c == END + 1 && !block_touches(x, rows)) {
			*wanted = false;
			return WEIR_OK;
		}
		weir_status status = weir_reader_read(x->reader, from->table, from->columns[c], first, rows,
		                                      x->columns[c], x->error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	weir_status status = WEIR_OK;
	if (from->ids != NULL) {
		status = weir_reader_read_int64(x->reader, from->table, from->ids, first, rows, x->ids,
		                                x->error);
	}
	if (status == WEIR_OK && from->names != NULL) {
		status = weir_reader_read_names(x->reader, from->table, from->names, first, rows, x->names,
		                                x->error);
	}
	return status;
}

/* Visits every row of a table; one that the file lacks has none. */
static void read_table(weir_events_exporter *x, const source *from)
{
	uint64_t count = 0;
	if (x->status == WEIR_OK && weir_reader_has_table(x->reader, from->table)) {
		x->status = weir_reader_rows(x->reader, from->table, &count, x->error);
	}
	for (uint64_t first = 0; first < count && x->status == WEIR_OK; first += BLOCK_ROWS) {
		uint64_t rows = count - first < BLOCK_ROWS ? count - first : BLOCK_ROWS;
		bool wanted;
		x->status = read_block(x, from, first, rows, &wanted);
		for (size_t row = 0; row < rows && wanted && x->status == WEIR_OK; row++) {
			from->visit(x, row);
		}
	}
}

static void read_value_names(weir_events_exporter *x, const char *table, const char *column,
                             weir_events_names *names)
{
	if (x->status == WEIR_OK && weir_reader_has_table(x->reader, table)) {
		x->status = weir_reader_value_names(x->reader, table, column, &names->names, &names->count,
		                                    &names->size, x->error);
	}
}

/* The run lasted at least until the last row of a table. */
static void note_end(weir_events_exporter *x, const char *table, const char *column)
{
	uint64_t rows = 0;
	double last;
	if (x->status == WEIR_OK && weir_reader_has_table(x->reader, table)) {
		x->status = weir_reader_rows(x->reader, table, &rows, x->error);
	}
	if (x->status == WEIR_OK && rows > 0) {
		x->status = weir_reader_read(x->reader, table, column, rows - 1, 1, &last, x->error);
		int64_t end = x->status == WEIR_OK ? weir_events_ns(last) : 0;
		x->end = end > x->end ? end : x->end;
	}
}

static void end_all_lives(weir_events_exporter *x)
{
	for (size_t i = 0; i < x->instance_count && x->status == WEIR_OK; i++) {
		weir_events_instance_state *instance = &x->instances[i];
		end_life(x, instance,
		         isnan(instance->removed) ? x->end : weir_events_ns(instance->removed));
	}
}

static const source instances_source = {
    .table = "instances",
    .names = "sku",
    .column_count = 7,
    .columns = {"instance", "application", "pool", "server", "created", "active", "removed"},
    .visit = visit_instance,
};
static const source iterations_source = {
    .table = "iterations",
    .column_count = 9,
    .spans = true,
    .columns = {"start", "end", "instance", "iterations", "prompt_tasks", "token_tasks",
                "prompt_tokens", "output_tokens", "context"},
    .visit = visit_iterations,
};
static const source transfers_source = {
    .table = "transfers",
    .ids = "request_id",
    .column_count = 8,
    .spans = true,
    .columns = {"start", "end", "from_instance", "to_instance", "ready", "bytes", "retries",
                "outcome"},
    .visit = visit_transfer,
};
static const source requests_source = {
    .table = "requests",
    .ids = "request_id",
    .column_count = 6,
    .columns = {"arrival", "ttft", "second_token_gap", "prompt_instance", "token_instance",
                "retries"},
    .visit = visit_request,
};
static const source scaling_events_source = {
    .table = "scaling_events",
    .names = "actor",
    .column_count = 9,
    .columns = {"time", "action", "application", "pool", "asked", "done", "reason", "instance",
                "server"},
    .visit = visit_scaling_event,
};
static const source samples_source = {
    .table = "samples",
    .column_count = 8,
    .columns = {"time", "application", "pool", "queued_prompts", "queued_tokens", "active",
                "scaling_up", "draining"},
    .visit = visit_sample,
};

static void write_all(weir_events_exporter *x)
{
	weir_events_put(x, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
	read_value_names(x, "instances", "pool", &x->pools);
	read_value_names(x, "scaling_events", "action", &x->actions);
	read_value_names(x, "scaling_events", "reason", &x->reasons);
	read_value_names(x, "transfers", "outcome", &x->outcomes);
	note_end(x, "iterations", "end");
	note_end(x, "samples", "time");
	note_end(x, "scaling_events", "time");
	read_table(x, &instances_source);
	read_table(x, &scaling_events_source);
	end_all_lives(x);
	read_table(x, &samples_source);
	read_table(x, &iterations_source);
	read_table(x, &transfers_source);
	read_table(x, &requests_source);
	weir_events_put(x, "\n]}\n");
	weir_events_flush(x);
}

static bool allocate(weir_events_exporter *x)
{
	bool ok = true;
	for (size_t c = 0; c < WEIR_EVENTS_COLUMNS; c++) {
		x->columns[c] = weir_allocate(BLOCK_ROWS, sizeof *x->columns[c]);
		ok = ok && x->columns[c] != NULL;
	}
	x->ids = weir_allocate(BLOCK_ROWS, sizeof *x->ids);
	x->names = weir_allocate(BLOCK_ROWS, WEIR_COLUMN_NAME_SIZE);
	x->buffer = weir_allocate(WEIR_EVENTS_BUFFER_SIZE, 1);
	return ok && x->ids != NULL && x->names != NULL && x->buffer != NULL;
}

static void release(weir_events_exporter *x)
{
	for (size_t c = 0; c < WEIR_EVENTS_COLUMNS; c++) {
		free(x->columns[c]);
	}
	free(x->ids);
	free(x->names);
	free(x->buffer);
	free(x->instances);
	free(x->lanes);
	free(x->process_named);
	free(x->pools.names);
	free(x->actions.names);
	free(x->reasons.names);
	free(x->outcomes.names);
}

weir_status weir_trace_events(weir_reader *reader, const weir_trace_events_window *window,
                              weir_trace_events_write write, void *context,
                              weir_trace_events_counts *counts, weir_error *error)
{
	*counts = (weir_trace_events_counts){0};
	if (!weir_reader_has_table(reader, "iterations")) {
		return weir_error_set(error, WEIR_ERROR_INPUT, weir_reader_path(reader),
		                      "the run did not record its iterations; run it again with 'weir run "
		                      "--record iterations'");
	}
	weir_events_exporter x = {
	    .reader = reader,
	    .write = write,
	    .context = context,
	    .counts = counts,
	    .from = weir_events_ns(window->from),
	    .to = weir_events_ns(window->to),
	    .status = WEIR_OK,
	    .error = error,
	};
	if (allocate(&x)) {
		write_all(&x);
	} else {
		weir_events_fail(&x, WEIR_ERROR_MEMORY, "out of memory");
	}
	release(&x);
	return x.status;
}
