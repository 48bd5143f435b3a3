/* Marks of made-up events: flips, faults, and which stay when there are too many. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report_data.h"
#include "metrics/sample.h"
#include "record/record.h"
#include "run/tables.h"
#include "support/test_support.h"

static void append_event(weir_recorder *recorder, int table, double time,
                         weir_scaling_action action, weir_tag pool, int32_t done)
{
	weir_error error = {0};
	const weir_scaling_event_row row = {.time = time,
	                                    .action = (uint8_t)action,
	                                    .pool = (uint8_t)pool,
	                                    .asked = done,
	                                    .done = done,
	                                    .actor = "hpa"};
	ck_assert_ok(weir_recorder_append(recorder, table, &row, &error), &error);
}

/* 220 s of two pools, sampled every second; a decision each second for the prompt pool. */
static const char *made_up_file(void)
{
	const char *path = test_path("events.h5");
	weir_recorder_options options = weir_recorder_options_default();
	options.path = path;
	weir_recorder *recorder = NULL;
	weir_error error = {0};
	int requests;
	int samples;
	int events;
	ck_assert_ok(weir_recorder_create(&options, &recorder, &error), &error);
	ck_assert_ok(weir_recorder_add_table(recorder, &weir_requests_table, &requests, &error),
	             &error);
	ck_assert_ok(weir_recorder_add_table(recorder, &weir_samples_table, &samples, &error), &error);
	ck_assert_ok(weir_recorder_add_table(recorder, &weir_scaling_events_table, &events, &error),
	             &error);
	ck_assert_ok(weir_recorder_start(recorder, &error), &error);
	for (int second = 1; second <= 220; second++) {
		for (int pool = 0; pool < 2; pool++) {
			const weir_sample_row row = {
			    .time = second, .interval = 1, .pool = (uint8_t)pool, .active = 1};
			ck_assert_ok(weir_recorder_append(recorder, samples, &row, &error), &error);
		}
	}
	/* Of one second: the larger changes in the second half. */
	for (int i = 0; i < 220; i++) {
		append_event(recorder, events, i + 0.25, WEIR_SCALING_RESIZE, WEIR_TAG_PROMPT,
		             i < 110 ? 1 : -2);
	}
	append_event(recorder, events, 219.5, WEIR_SCALING_CRASHED, WEIR_TAG_PROMPT, 40);
	append_event(recorder, events, 219.75, WEIR_SCALING_CRASHED, WEIR_TAG_PROMPT, 50);
	append_event(recorder, events, 219.8, WEIR_SCALING_MIGRATE, WEIR_TAG_TOKEN, 3);
	append_event(recorder, events, 219.9, WEIR_SCALING_RESIZE, WEIR_TAG_TOKEN, 0);
	append_event(recorder, events, 219.95, WEIR_SCALING_REFUSED, WEIR_TAG_TOKEN, 0);
	append_event(recorder, events, 219.99, WEIR_SCALING_INSTANCE_READY, WEIR_TAG_TOKEN, 0);
	ck_assert_ok(weir_recorder_stop(recorder, &error), &error);
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);
	return path;
}

static const char *text_of(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItem(object, name)->valuestring;
}

static const cJSON *marks_of(const cJSON *run, const char *id)
{
	const cJSON *panel;
	cJSON_ArrayForEach(panel, cJSON_GetObjectItem(run, "panels"))
	{
		if (strcmp(text_of(panel, "id"), id) == 0) {
			return cJSON_GetObjectItem(panel, "marks");
		}
	}
	ck_abort_msg("no panel %s", id);
	return NULL;
}

START_TEST(faults_and_large_changes_stay)
{
	const char *path = made_up_file();
	cJSON *payload = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_report_data(&path, 1, &payload, &error), &error);
	const cJSON *run = cJSON_GetObjectItem(payload, "runs")->child;
	const cJSON *prompt = marks_of(run, "instances_0");
	ck_assert_int_eq(cJSON_GetArraySize(prompt), 200);
	int counts[2] = {0, 0};
	double last = -1;
	const cJSON *mark;
	cJSON_ArrayForEach(mark, prompt)
	{
		double at = cJSON_GetObjectItem(mark, "at")->valuedouble;
		ck_assert_double_gt(at, last);
		last = at;
		bool up = strcmp(text_of(mark, "kind"), "up") == 0;
		bool down = strcmp(text_of(mark, "kind"), "down") == 0;
		ck_assert(!up || strcmp(text_of(mark, "label"), "hpa +1") == 0);
		ck_assert(!down || strcmp(text_of(mark, "label"), "hpa -2") == 0);
		counts[0] += up;
		counts[1] += down;
	}
	/* One of the two crashes' mark, all of the 110 large changes, the first 89 small ones. */
	ck_assert_int_eq(counts[1], 110);
	ck_assert_int_eq(counts[0], 89);
	mark = cJSON_GetArrayItem(prompt, 199);
	ck_assert_str_eq(text_of(mark, "kind"), "fault");
	ck_assert_str_eq(text_of(mark, "label"), "crashed x2");
	ck_assert_double_eq(cJSON_GetObjectItem(mark, "at")->valuedouble, 219.5);
	const cJSON *token = marks_of(run, "instances_1");
	ck_assert_int_eq(cJSON_GetArraySize(token), 1);
	ck_assert_str_eq(text_of(token->child, "kind"), "flip");
	ck_assert_str_eq(text_of(token->child, "label"), "hpa: 3 flipped to it");

	/* The table counts what marks leave out. */
	static const double wanted[2][6] = {{220, 110, 220, 0, 0, 2}, {2, 0, 0, 3, 1, 0}};
	const cJSON *table = cJSON_GetObjectItem(run, "tables")->child;
	ck_assert_str_eq(text_of(table, "id"), "decisions");
	for (int row = 0; row < 2; row++) {
		const cJSON *cells = cJSON_GetArrayItem(cJSON_GetObjectItem(table, "rows"), row);
		ck_assert_str_eq(cells->child->valuestring, "hpa");
		for (int c = 0; c < 6; c++) {
			ck_assert_double_eq(cJSON_GetArrayItem(cells, 2 + c)->valuedouble, wanted[row][c]);
		}
	}
	/* No config, no totals, no requests: all of that is said. */
	ck_assert_ptr_nonnull(
	    strstr(text_of(cJSON_GetObjectItem(run, "verdict"), "text"), "No request came"));
	ck_assert_str_eq(text_of(run, "config"), "");
	cJSON_Delete(payload);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report_events");
	TCase *tcase = tcase_create("report_events");
	tcase_add_test(tcase, faults_and_large_changes_stay);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
