/* Trace events of a run that is made up row by row: the text, line by line. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/trace_events.h"
#include "metrics/sample.h"
#include "run/tables.h"
#include "serving/activity_row.h"
#include "support/test_support.h"

typedef struct text {
	char *bytes;
	size_t length, refuse_after; /* refuse_after 0: never */
	uint64_t pieces;
	size_t longest;
} text;

static weir_status keep(void *context, const char *bytes, size_t length, weir_error *error)
{
	text *into = context;
	if (into->refuse_after > 0 && ++into->pieces > into->refuse_after) {
		return weir_error_set(error, WEIR_ERROR_IO, "there", "no room");
	}
	into->longest = length > into->longest ? length : into->longest;
	into->bytes = realloc(into->bytes, into->length + length + 1);
	ck_assert_ptr_nonnull(into->bytes);
	memcpy(into->bytes + into->length, bytes, length);
	into->length += length;
	into->bytes[into->length] = '\0';
	return WEIR_OK;
}

/* What is recorded; tables that are NULL are left out. */
typedef struct made_up {
	const weir_instance_row *instances;
	size_t instance_count;
	const weir_iteration_row *iterations;
	size_t iteration_count;
	const weir_transfer_row *transfers;
	size_t transfer_count;
	const weir_request_row *requests;
	size_t request_count;
	const weir_scaling_event_row *events;
	size_t event_count;
	const weir_sample_row *samples;
	size_t sample_count;
} made_up;

static weir_reader *recorded(const char *name, const made_up *rows)
{
	const struct {
		const weir_table_schema *schema;
		const void *rows;
		size_t count;
	} tables[] = {
	    {&weir_instances_table, rows->instances, rows->instance_count},
	    {&weir_iterations_table, rows->iterations, rows->iteration_count},
	    {&weir_transfers_table, rows->transfers, rows->transfer_count},
	    {&weir_requests_table, rows->requests, rows->request_count},
	    {&weir_scaling_events_table, rows->events, rows->event_count},
	    {&weir_samples_table, rows->samples, rows->sample_count},
	};
	weir_recorder_options options = weir_recorder_options_default();
	options.path = test_path(name);
	weir_recorder *recorder;
	weir_error error = {0};
	ck_assert_ok(weir_recorder_create(&options, &recorder, &error), &error);
	ck_assert_ok(weir_recorder_start(recorder, &error), &error);
	ck_assert_ok(weir_recorder_stop(recorder, &error), &error);
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		if (tables[i].rows != NULL) {
			ck_assert_ok(weir_recorder_write_table(recorder, tables[i].schema, tables[i].rows,
			                                       tables[i].count, &error),
			             &error);
		}
	}
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);
	weir_reader *reader;
	ck_assert_ok(weir_reader_open(options.path, &reader, &error), &error);
	return reader;
}

static weir_trace_events_counts written(weir_reader *reader, double from, double to, text *into)
{
	const weir_trace_events_window window = {from, to};
	weir_trace_events_counts counts;
	weir_error error = {0};
	*into = (text){0};
	ck_assert_ok(weir_trace_events(reader, &window, keep, into, &counts, &error), &error);
	return counts;
}

/* How many lines have a piece in them. */
static size_t times(const text *in, const char *piece)
{
	size_t count = 0;
	const char *end = in->bytes + in->length;
	for (const char *line = in->bytes; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		count += memmem(line, (size_t)(newline - line), piece, strlen(piece)) != NULL;
		line = newline + 1;
	}
	return count;
}

static void expect(const text *in, const char *piece)
{
	ck_assert_msg(times(in, piece) == 1, "%zu lines with '%s'", times(in, piece), piece);
}

/* Instance 0 has prompts, 1 tokens; 2 boots, drains, comes back and is lost. */
static const weir_instance_row instances[] = {
    {.instance = 2,
     .server = 7,
     .pool = WEIR_TAG_TOKEN,
     .created = 1,
     .active = 3,
     .removed = 9,
     .sku = "a\"b"},
    {.instance = 0, .server = 0, .pool = WEIR_TAG_PROMPT, .removed = NAN, .sku = "h100"},
    {.instance = 1, .server = 1, .pool = WEIR_TAG_TOKEN, .removed = NAN, .sku = "a100"},
};
static const weir_iteration_row iterations[] = {
    {.start = 1,
     .end = 2.5,
     .instance = 0,
     .iterations = 1,
     .prompt_tasks = 2,
     .prompt_tokens = 300,
     .output_tokens = 2},
    {.start = 2.5,
     .end = 3.0000004,
     .instance = 0,
     .iterations = 1,
     .prompt_tasks = 1,
     .token_tasks = 1,
     .prompt_tokens = 7,
     .output_tokens = 2,
     .context = 300},
    {.start = 4,
     .end = 8,
     .instance = 1,
     .iterations = 40,
     .token_tasks = 3,
     .output_tokens = 120,
     .context = 900},
    {.start = 3.0000004,
     .end = 10,
     .instance = 0,
     .iterations = 5,
     .token_tasks = 1,
     .output_tokens = 5,
     .context = 8},
};
static const weir_transfer_row transfers[] = {
    /* The first two overlap; the third can follow either, and follows the second. */
    {.request_id = 11,
     .from_instance = 0,
     .to_instance = 1,
     .ready = 2.5,
     .start = 2.5,
     .end = 3.5,
     .bytes = 1000},
    {.request_id = 12,
     .from_instance = 0,
     .to_instance = 1,
     .ready = 2.5,
     .start = 3,
     .end = 4,
     .bytes = 2000,
     .retries = 1},
    {.request_id = 13,
     .from_instance = 0,
     .to_instance = 1,
     .ready = 3.0000004,
     .start = 4,
     .end = 5,
     .bytes = 1,
     .outcome = WEIR_TRANSFER_CANCELLED},
};
static const weir_request_row requests[] = {
    {.request_id = 11,
     .arrival = 0.5,
     .ttft = 2,
     .second_token_gap = 1.5,
     .prompt_instance = 0,
     .token_instance = 1},
    {.request_id = 12,
     .arrival = 0.5,
     .ttft = 2,
     .second_token_gap = 1.5,
     .prompt_instance = 0,
     .token_instance = 1,
     .retries = 1},
    {.request_id = 14,
     .arrival = 2,
     .ttft = 1.0000004,
     .second_token_gap = 0,
     .prompt_instance = 0,
     .token_instance = 0},
    {.request_id = 15,
     .arrival = 1,
     .ttft = 1.5,
     .second_token_gap = NAN,
     .prompt_instance = 0,
     .token_instance = -1},
    {.request_id = 16,
     .ttft = NAN,
     .second_token_gap = NAN,
     .prompt_instance = -1,
     .token_instance = -1},
};
static const weir_scaling_event_row events[] = {
    {.time = 1,
     .action = WEIR_SCALING_RESIZE,
     .pool = WEIR_TAG_TOKEN,
     .asked = 2,
     .done = 1,
     .reason = WEIR_REFUSED_NONE + 1,
     .instance = -1,
     .server = -1,
     .actor = "p\\q"},
    {.time = 1,
     .action = WEIR_SCALING_INSTANCE_STARTED,
     .pool = WEIR_TAG_TOKEN,
     .instance = 2,
     .server = 7,
     .actor = "p"},
    {.time = 3,
     .action = WEIR_SCALING_INSTANCE_READY,
     .pool = WEIR_TAG_TOKEN,
     .instance = 2,
     .server = 7,
     .actor = "manager"},
    {.time = 5,
     .action = WEIR_SCALING_DRAIN_STARTED,
     .pool = WEIR_TAG_TOKEN,
     .instance = 2,
     .server = 7,
     .actor = "p"},
    {.time = 6,
     .action = WEIR_SCALING_DRAIN_REVIVED,
     .pool = WEIR_TAG_TOKEN,
     .instance = 2,
     .server = 7,
     .actor = "p"},
    {.time = 7,
     .action = WEIR_SCALING_FLIP_STARTED,
     .pool = WEIR_TAG_TOKEN,
     .instance = 2,
     .server = 7,
     .actor = "p"},
    {.time = 9,
     .action = WEIR_SCALING_CRASHED,
     .pool = WEIR_TAG_TOKEN,
     .done = 4,
     .instance = 2,
     .server = 7,
     .actor = "faults"},
};
static const weir_sample_row samples[] = {
    {.time = 5, .pool = WEIR_TAG_PROMPT, .active = 1, .queued_prompts = 6},
    {.time = 5,
     .pool = WEIR_TAG_TOKEN,
     .active = 2,
     .draining = 1,
     .scaling_up = 4,
     .queued_tokens = 8},
};
#define ROWS(array) array, sizeof(array) / sizeof((array)[0])
static const made_up whole = {ROWS(instances), ROWS(iterations), ROWS(transfers),
                              ROWS(requests),  ROWS(events),     ROWS(samples)};

/* Processes: prompt pool 2, token pool 3. Tracks of instance i: 65536 + 2 i its work, + 1 its life;
 * of transfers from 67108864 on. */

START_TEST(iterations_follow_each_other)
{
	weir_reader *reader = recorded("run.h5", &whole);
	text in;
	weir_trace_events_counts counts = written(reader, -INFINITY, INFINITY, &in);
	ck_assert_uint_eq(counts.iterations, 4);
	expect(&in,
	       "{\"ph\":\"X\",\"pid\":2,\"tid\":65536,\"cat\":\"iterations\",\"name\":\"prompt\","
	       "\"ts\":1000000.000,\"dur\":1500000.000,\"args\":{\"iterations\":1,\"prompt_tasks\":2,"
	       "\"token_tasks\":0,\"prompt_tokens\":300,\"output_tokens\":2,\"context\":0}}");
	/* 3.0000004 s is 3000000.400 us: one ends where the other starts. */
	expect(&in, "\"name\":\"mixed\",\"ts\":2500000.000,\"dur\":500000.400,");
	expect(&in, "\"tid\":65536,\"cat\":\"iterations\",\"name\":\"token\",\"ts\":3000000.400,"
	            "\"dur\":6999999.600,\"args\":{\"iterations\":5,");
	expect(&in,
	       "\"pid\":3,\"tid\":65538,\"cat\":\"iterations\",\"name\":\"token\",\"ts\":4000000.000,"
	       "\"dur\":4000000.000,\"args\":{\"iterations\":40,\"prompt_tasks\":0,\"token_tasks\":3,"
	       "\"prompt_tokens\":0,\"output_tokens\":120,\"context\":900}}");
	ck_assert_int_eq(strncmp(in.bytes, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n{", 41), 0);
	ck_assert_str_eq(in.bytes + in.length - 4, "\n]}\n");
	free(in.bytes);
	weir_reader_close(reader);
}
END_TEST

START_TEST(transfers_have_as_many_tracks_as_go_on_at_once)
{
	weir_reader *reader = recorded("run.h5", &whole);
	text in;
	ck_assert_uint_eq(written(reader, -INFINITY, INFINITY, &in).transfers, 3);
	ck_assert_uint_eq(times(&in, "transfers out"), 2);
	expect(&in,
	       "\"pid\":2,\"tid\":67108864,\"cat\":\"transfer\",\"name\":\"KV transfer\",\"ts\":"
	       "2500000.000,\"dur\":1000000.000,\"args\":{\"request\":11,\"to_instance\":1,\"bytes\":"
	       "1000,\"outcome\":\"arrived\"}}");
	expect(&in,
	       "\"tid\":67108865,\"cat\":\"transfer\",\"name\":\"KV transfer\",\"ts\":3000000.000,");
	expect(&in,
	       "\"tid\":67108865,\"cat\":\"transfer\",\"name\":\"KV transfer\",\"ts\":4000000.000,"
	       "\"dur\":1000000.000,\"args\":{\"request\":13,\"to_instance\":1,\"bytes\":1,\"outcome\":"
	       "\"cancelled\"}}");
	free(in.bytes);
	weir_reader_close(reader);
}
END_TEST

START_TEST(a_request_is_a_flow)
{
	weir_reader *reader = recorded("run.h5", &whole);
	text in;
	/* 11, 12, 13 over transfers, 14 on one instance. */
	ck_assert_uint_eq(written(reader, -INFINITY, INFINITY, &in).flows, 4);
	/* 11 * 256; 2 ns before the prompt is done, and after the transfer and the token task begin. */
	expect(&in,
	       "{\"ph\":\"s\",\"pid\":2,\"tid\":65536,\"cat\":\"request\",\"name\":\"request\",\"id\":"
	       "2816,\"ts\":2499999.998}");
	expect(
	    &in,
	    "{\"ph\":\"t\",\"pid\":2,\"tid\":67108864,\"cat\":\"request\",\"name\":\"request\",\"id\":"
	    "2816,\"ts\":2500000.002}");
	expect(&in,
	       "{\"ph\":\"f\",\"pid\":3,\"tid\":65538,\"cat\":\"request\",\"name\":\"request\",\"id\":"
	       "2816,\"ts\":4000000.002,\"bp\":\"e\"}");
	/* 12 * 256 + 1. */
	ck_assert_uint_eq(times(&in, "\"id\":3073,"), 3);
	ck_assert_uint_eq(times(&in, "\"id\":3328,"), 2);
	expect(&in,
	       "{\"ph\":\"s\",\"pid\":2,\"tid\":65536,\"cat\":\"request\",\"name\":\"request\",\"id\":"
	       "3584,\"ts\":3000000.398}");
	expect(&in,
	       "{\"ph\":\"f\",\"pid\":2,\"tid\":65536,\"cat\":\"request\",\"name\":\"request\",\"id\":"
	       "3584,\"ts\":3000000.402,\"bp\":\"e\"}");
	free(in.bytes);
	weir_reader_close(reader);
}
END_TEST

START_TEST(lives_decisions_and_counters)
{
	weir_reader *reader = recorded("run.h5", &whole);
	text in;
	weir_trace_events_counts counts = written(reader, -INFINITY, INFINITY, &in);
	ck_assert_uint_eq(counts.lives, 7);
	ck_assert_uint_eq(counts.instants, 2);
	ck_assert_uint_eq(counts.counters, 4);
	static const char *const lives[] = {
	    "\"booting\",\"ts\":1000000.000,\"dur\":2000000.000,",
	    "\"active\",\"ts\":3000000.000,\"dur\":2000000.000,",
	    "\"draining\",\"ts\":5000000.000,\"dur\":1000000.000,",
	    "\"active\",\"ts\":6000000.000,\"dur\":1000000.000,",
	    "\"flipping\",\"ts\":7000000.000,\"dur\":2000000.000,",
	};
	for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
		char line[256];
		snprintf(line, sizeof line,
		         "{\"ph\":\"X\",\"pid\":3,\"tid\":65541,\"cat\":\"life\",\"name\":%s\"args\":{}}",
		         lives[i]);
		expect(&in, line);
	}
	/* To the end of the run, which is that of the last iterations. */
	expect(&in, "\"pid\":2,\"tid\":65537,\"cat\":\"life\",\"name\":\"active\",\"ts\":0.000,"
	            "\"dur\":10000000.000,");
	expect(
	    &in,
	    "{\"ph\":\"i\",\"s\":\"p\",\"pid\":3,\"tid\":3,\"cat\":\"decision\",\"name\":\"resize +2\","
	    "\"ts\":1000000.000,\"args\":{\"actor\":\"p\\u005cq\",\"asked\":2,\"done\":1,\"reason\":");
	expect(
	    &in,
	    "\"cat\":\"event\",\"name\":\"crashed\",\"ts\":9000000.000,\"args\":{\"actor\":\"faults\","
	    "\"asked\":0,\"done\":4,");
	expect(&in,
	       "{\"ph\":\"C\",\"pid\":2,\"name\":\"queue\",\"ts\":5000000.000,\"args\":{\"prompts\":6,"
	       "\"tokens\":0}}");
	expect(
	    &in,
	    "{\"ph\":\"C\",\"pid\":3,\"name\":\"instances\",\"ts\":5000000.000,\"args\":{\"active\":2,"
	    "\"booting\":4,\"draining\":1}}");
	expect(&in, "\"application 0, prompt pool\"");
	expect(&in, "\"application 0, token pool\"");
	/* Instance 2 has no iterations: no track of its work. */
	expect(&in, "\"instance 1 (a100, server 1)\"");
	ck_assert_uint_eq(times(&in, "\"instance 2"), 1);
	free(in.bytes);
	weir_reader_close(reader);
}
END_TEST

START_TEST(a_window_has_what_touches_it)
{
	weir_reader *reader = recorded("run.h5", &whole);
	text in;
	weir_trace_events_counts counts = written(reader, 3.2, 3.75, &in);
	/* The long one of instance 0, of which no end is inside. */
	ck_assert_uint_eq(counts.iterations, 1);
	expect(&in, "\"name\":\"token\",\"ts\":3000000.400,\"dur\":6999999.600,");
	ck_assert_uint_eq(counts.transfers, 2);
	/* Their prompts were done before. */
	ck_assert_uint_eq(counts.flows, 0);
	ck_assert_uint_eq(times(&in, "\"ph\":\"f\""), 0);
	ck_assert_uint_eq(counts.instants + counts.counters, 0);
	/* Of three instances one stay each. */
	ck_assert_uint_eq(counts.lives, 3);
	free(in.bytes);
	/* A flow that has not come to its end. */
	counts = written(reader, 2, 3.75, &in);
	ck_assert_uint_eq(counts.flows, 3);
	ck_assert_uint_eq(times(&in, "\"ph\":\"t\""), 2);
	ck_assert_uint_eq(times(&in, "\"ph\":\"f\""), 1);
	free(in.bytes);
	weir_reader_close(reader);
}
END_TEST

START_TEST(an_unfinished_file_has_instances_without_rows)
{
	made_up partial = whole;
	partial.instance_count = 0;
	weir_reader *reader = recorded("partial.h5", &partial);
	text in;
	weir_trace_events_counts counts = written(reader, -INFINITY, INFINITY, &in);
	ck_assert_uint_eq(counts.iterations, 4);
	/* Of instance 2, from its start on. */
	ck_assert_uint_eq(counts.lives, 5);
	expect(&in, "\"pool unknown: the run did not end\"");
	expect(&in, "\"args\":{\"name\":\"instance 1\"}");
	free(in.bytes);
	weir_reader_close(reader);
}
END_TEST

START_TEST(what_cannot_be_written_is_refused)
{
	static const weir_iteration_row strange[] = {{.start = 1, .end = 2, .instance = -3}};
	made_up rows = whole;
	rows.iterations = NULL;
	const weir_trace_events_window window = {-INFINITY, INFINITY};
	weir_trace_events_counts counts;
	weir_error error = {0};
	text in = {0};
	weir_reader *reader = recorded("without.h5", &rows);
	ck_assert_int_eq(weir_trace_events(reader, &window, keep, &in, &counts, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "--record iterations"));
	ck_assert_ptr_nonnull(strstr(error.where, "without.h5"));
	ck_assert_uint_eq(in.length, 0);
	weir_reader_close(reader);

	rows.iterations = strange;
	rows.iteration_count = 1;
	reader = recorded("strange.h5", &rows);
	ck_assert_int_eq(weir_trace_events(reader, &window, keep, &in, &counts, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "instance"));
	free(in.bytes);
	weir_reader_close(reader);
}
END_TEST

/* More rows than a block has, and more text than the buffer. */
START_TEST(long_runs_go_in_pieces)
{
	enum { MANY = 30000 };
	weir_iteration_row *many = calloc(MANY, sizeof *many);
	ck_assert_ptr_nonnull(many);
	for (size_t i = 0; i < MANY; i++) {
		many[i] = (weir_iteration_row){.start = (double)i, .end = (double)i + 1, .token_tasks = 1};
	}
	made_up rows = {
	    .instances = instances, .instance_count = 3, .iterations = many, .iteration_count = MANY};
	weir_reader *reader = recorded("long.h5", &rows);
	text in;
	ck_assert_uint_eq(written(reader, -INFINITY, INFINITY, &in).iterations, MANY);
	ck_assert_uint_eq(times(&in, "\"cat\":\"iterations\""), MANY);
	ck_assert_uint_le(in.longest, 64 * 1024);
	free(in.bytes);
	/* Blocks before and after the window are passed over; its borders touch two rows more. */
	ck_assert_uint_eq(written(reader, 20000, 20010, &in).iterations, 12);
	free(in.bytes);
	in = (text){.refuse_after = 2};
	const weir_trace_events_window window = {-INFINITY, INFINITY};
	weir_trace_events_counts counts;
	weir_error error = {0};
	ck_assert_int_eq(weir_trace_events(reader, &window, keep, &in, &counts, &error), WEIR_ERROR_IO);
	ck_assert_str_eq(error.message, "no room");
	ck_assert_uint_eq(in.pieces, 3);
	free(in.bytes);
	weir_reader_close(reader);
	free(many);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("analysis_trace_events");
	TCase *text_case = tcase_create("text");
	tcase_add_test(text_case, iterations_follow_each_other);
	tcase_add_test(text_case, transfers_have_as_many_tracks_as_go_on_at_once);
	tcase_add_test(text_case, a_request_is_a_flow);
	tcase_add_test(text_case, lives_decisions_and_counters);
	tcase_add_test(text_case, a_window_has_what_touches_it);
	tcase_add_test(text_case, an_unfinished_file_has_instances_without_rows);
	tcase_add_test(text_case, what_cannot_be_written_is_refused);
	tcase_add_test(text_case, long_runs_go_in_pieces);
	suite_add_tcase(suite, text_case);
	return test_main(suite);
}
