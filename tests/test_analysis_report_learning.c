/* The section "Learning" of made-up files: every number that it shows, computed anew. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report_data.h"
#include "record/record.h"
#include "run/tables.h"
#include "support/test_support.h"

/* Of the main file: a decision every 10 s to 5,000 s but for a pause, two applications in turn. 500
 * intervals of 10 s in at most 240 bins are bins of 3 intervals. */
enum { STEP = 10, END = 5000, PAUSE_FROM = 2000, PAUSE_TO = 2300, WIDTH = 30, BINS = 167 };
enum { FIELDS = 10, UPDATES = 600, GROUPS = 14 };
enum { TIME, APPLICATION, REWARD, SLO, COST, VALUE, ASKED, DONE, BUDGET, LIMITS };

typedef struct decision {
	double field[FIELDS];
} decision;

#define FIELD(text, index)                                                                         \
	{                                                                                              \
		.name = (text), .type = WEIR_COLUMN_DOUBLE,                                                \
		.offset = offsetof(decision, field) + (index) * sizeof(double), .unit = "",                \
		.description = "made up"                                                                   \
	}

static const weir_column decision_columns[] = {
    FIELD("time", TIME),           FIELD("application", APPLICATION), FIELD("reward", REWARD),
    FIELD("reward_slo", SLO),      FIELD("reward_cost", COST),        FIELD("value", VALUE),
    FIELD("asked_prompt", ASKED),  FIELD("done_prompt", DONE),        FIELD("check_budget", BUDGET),
    FIELD("check_limits", LIMITS),
};
static const weir_table_schema decisions_schema = {.name = "decisions",
                                                   .description = "made up",
                                                   .row_size = sizeof(decision),
                                                   .columns = decision_columns,
                                                   .column_count = FIELDS};

static decision decision_at(int second)
{
	const int i = second / STEP;
	const int application = i % 2;
	decision row = {.field = {[TIME] = second, [APPLICATION] = application}};
	row.field[SLO] = (i * 37 % 101) / 8.0;
	row.field[COST] = -(i * 11 % 17) / 4.0 - application;
	row.field[REWARD] = row.field[SLO] + row.field[COST];
	row.field[VALUE] = i % 7 == 3 ? (double)NAN : 20 + i / 16.0;
	row.field[ASKED] = i % 5 - 2;
	row.field[DONE] = i % 5 - 2 > 0 ? 1 : i % 5 - 2;
	/* Not held at 40 and 50 s, in one bin, at 70 s and at 4,000 s. */
	row.field[BUDGET] = !(second == 40 || second == 50 || second == 70 || second == 4000);
	row.field[LIMITS] = 1;
	return row;
}

static bool in_pause(int second)
{
	return second > PAUSE_FROM && second < PAUSE_TO;
}

/* Updates: `step`, a text, and curves of 14 groups, of which the first has two. */
typedef struct update {
	int64_t step;
	char phase[WEIR_COLUMN_NAME_SIZE];
	double curve[GROUPS + 1];
} update;

static double curve_at(int i, int curve)
{
	return (i * (curve + 3) % 64) / 4.0 + curve;
}

static int64_t step_at(int i)
{
	return 1000 + 10 * (int64_t)i;
}

static char curve_names[GROUPS + 1][16];
static weir_column update_columns[GROUPS + 3];

static weir_table_schema updates_schema(void)
{
	update_columns[0] =
	    (weir_column){"step", WEIR_COLUMN_INT64, offsetof(update, step), "", "", NULL};
	update_columns[1] =
	    (weir_column){"phase", WEIR_COLUMN_NAME, offsetof(update, phase), "", "", NULL};
	for (size_t c = 0; c <= GROUPS; c++) {
		/* g0_a, g1_a, ... g13_a, g0_b */
		snprintf(curve_names[c], sizeof curve_names[c], "g%zu_%s", c % GROUPS,
		         c < GROUPS ? "a" : "b");
		update_columns[2 + c] = (weir_column){curve_names[c],
		                                      WEIR_COLUMN_DOUBLE,
		                                      offsetof(update, curve) + c * sizeof(double),
		                                      "",
		                                      "",
		                                      NULL};
	}
	return (weir_table_schema){.name = "training",
	                           .description = "made up",
	                           .row_size = sizeof(update),
	                           .columns = update_columns,
	                           .column_count = GROUPS + 3};
}

/* A file with these decisions and updates; either table is left out where its schema is NULL. */
static const char *made_up_file(const char *name, const weir_table_schema *decisions,
                                const decision *rows, size_t count,
                                const weir_table_schema *training, int updates)
{
	const char *path = test_path(name);
	weir_recorder_options options = weir_recorder_options_default();
	options.path = path;
	weir_recorder *recorder = NULL;
	weir_error error = {0};
	int requests;
	int tables[2];
	ck_assert_ok(weir_recorder_create(&options, &recorder, &error), &error);
	ck_assert_ok(weir_recorder_add_table(recorder, &weir_requests_table, &requests, &error),
	             &error);
	if (decisions != NULL) {
		ck_assert_ok(weir_recorder_add_table(recorder, decisions, &tables[0], &error), &error);
	}
	if (training != NULL) {
		ck_assert_ok(weir_recorder_add_table(recorder, training, &tables[1], &error), &error);
	}
	ck_assert_ok(weir_recorder_start(recorder, &error), &error);
	for (size_t i = 0; decisions != NULL && i < count; i++) {
		ck_assert_ok(weir_recorder_append(recorder, tables[0], &rows[i], &error), &error);
	}
	for (int i = 0; training != NULL && i < updates; i++) {
		update row = {.step = step_at(i), .phase = "warm"};
		for (int c = 0; c <= GROUPS; c++) {
			row.curve[c] = curve_at(i, c);
		}
		ck_assert_ok(weir_recorder_append(recorder, tables[1], &row, &error), &error);
	}
	ck_assert_ok(weir_recorder_stop(recorder, &error), &error);
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);
	return path;
}

static const char *main_file(void)
{
	static decision rows[END / STEP];
	size_t count = 0;
	for (int second = STEP; second <= END; second += STEP) {
		if (!in_pause(second)) {
			rows[count++] = decision_at(second);
		}
	}
	weir_table_schema training = updates_schema();
	return made_up_file("learning.h5", &decisions_schema, rows, count, &training, UPDATES);
}

static cJSON *payload_of(const char *path)
{
	cJSON *payload = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_report_data(&path, 1, &payload, &error), &error);
	return payload;
}

static const cJSON *run_of(const cJSON *payload)
{
	return cJSON_GetObjectItem(payload, "runs")->child;
}

static const char *text_of(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItem(object, name)->valuestring;
}

static const cJSON *item_of(const cJSON *run, const char *list, const char *id)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, cJSON_GetObjectItem(run, list))
	{
		if (strcmp(text_of(item, "id"), id) == 0) {
			return item;
		}
	}
	return NULL;
}

static int learning_panels(const cJSON *run)
{
	int count = 0;
	const cJSON *panel;
	cJSON_ArrayForEach(panel, cJSON_GetObjectItem(run, "panels"))
	{
		count += strcmp(text_of(panel, "section"), "Learning") == 0;
	}
	return count;
}

/* Five digits of a number as printed, for what is drawn; NaN is a gap. */
static void check_number(const cJSON *shown, double wanted)
{
	if (isnan(wanted)) {
		ck_assert(cJSON_IsNull(shown));
		return;
	}
	char text[32];
	snprintf(text, sizeof text, "%.5g", wanted);
	ck_assert(cJSON_IsNumber(shown));
	ck_assert_double_eq_tol(shown->valuedouble, strtod(text, NULL), 1e-12);
}

/* The series `at` of a panel: its name, and the mean of one field of one application in each bin.
 */
static void check_decisions(const cJSON *run, const char *id, int at, const char *label,
                            int application, int field)
{
	const cJSON *panel = item_of(run, "panels", id);
	ck_assert_ptr_nonnull(panel);
	ck_assert_str_eq(text_of(panel, "section"), "Learning");
	const cJSON *series = cJSON_GetArrayItem(cJSON_GetObjectItem(panel, "series"), at);
	ck_assert_ptr_nonnull(series);
	ck_assert_str_eq(text_of(series, "label"), label);
	const cJSON *values = cJSON_GetObjectItem(series, "values");
	const cJSON *ends = cJSON_GetObjectItem(cJSON_GetObjectItem(panel, "x"), "values");
	ck_assert_int_eq(cJSON_GetArraySize(values), BINS);
	ck_assert_int_eq(cJSON_GetArraySize(ends), BINS);
	int gaps = 0;
	for (int b = 0; b < BINS; b++) {
		double sum = 0;
		int count = 0;
		for (int second = b * WIDTH + STEP; second <= (b + 1) * WIDTH && second <= END;
		     second += STEP) {
			const decision row = decision_at(second);
			if (!in_pause(second) && (int)row.field[APPLICATION] == application &&
			    !isnan(row.field[field])) {
				sum += row.field[field];
				count++;
			}
		}
		check_number(cJSON_GetArrayItem(values, b), count > 0 ? sum / count : (double)NAN);
		gaps += count == 0;
		ck_assert_double_eq(cJSON_GetArrayItem(ends, b)->valuedouble,
		                    (b + 1) * WIDTH < END ? (b + 1) * WIDTH : END);
	}
	ck_assert_int_ge(gaps, 9); /* the pause */
}

START_TEST(decisions_are_shown)
{
	cJSON *payload = payload_of(main_file());
	const cJSON *run = run_of(payload);
	static const struct {
		const char *id, *label;
		int at, field, series;
		const char *kind;
	} lines[] = {
	    {"learning_reward", "reward", 0, REWARD, 6, "lines"},
	    {"learning_reward", "slo", 2, SLO, 6, "lines"},
	    {"learning_reward", "cost", 4, COST, 6, "lines"},
	    {"learning_value", "value", 0, VALUE, 4, "lines"},
	    {"learning_value", "reward", 2, REWARD, 4, "lines"},
	    {"learning_actions_prompt", "asked", 0, ASKED, 4, "steps"},
	    {"learning_actions_prompt", "done", 2, DONE, 4, "steps"},
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		/* The first row is of application 1. */
		for (int a = 0; a < 2; a++) {
			char label[64];
			snprintf(label, sizeof label, "application %d %s", 1 - a, lines[i].label);
			check_decisions(run, lines[i].id, lines[i].at + a, label, 1 - a, lines[i].field);
		}
		const cJSON *panel = item_of(run, "panels", lines[i].id);
		ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(panel, "series")), lines[i].series);
		ck_assert_str_eq(text_of(panel, "kind"), lines[i].kind);
		ck_assert_ptr_nonnull(strstr(text_of(panel, "note"),
		                             "mean of the decisions in each of 167 intervals of 30 s"));
	}
	cJSON_Delete(payload);
}
END_TEST

START_TEST(ledger_counts_all_checks)
{
	cJSON *payload = payload_of(main_file());
	const cJSON *run = run_of(payload);
	const cJSON *table = item_of(run, "tables", "integrity");
	ck_assert_ptr_nonnull(table);
	const cJSON *rows = cJSON_GetObjectItem(table, "rows");
	ck_assert_int_eq(cJSON_GetArraySize(rows), 2);
	/* 500 decisions without the 29 of the pause. */
	static const char *const names[] = {"budget", "limits"};
	static const double wanted[2][3] = {{467, 471, 40}, {471, 471, (double)NAN}};
	for (int r = 0; r < 2; r++) {
		const cJSON *cells = cJSON_GetArrayItem(rows, r);
		ck_assert_str_eq(cells->child->valuestring, names[r]);
		for (int c = 0; c < 3; c++) {
			check_number(cJSON_GetArrayItem(cells, 1 + c), wanted[r][c]);
		}
	}
	static const char *const labels[] = {"check budget failed x2", "check budget failed",
	                                     "check budget failed"};
	static const double times[] = {40, 70, 4000};
	const cJSON *marks = cJSON_GetObjectItem(item_of(run, "panels", "learning_reward"), "marks");
	ck_assert_int_eq(cJSON_GetArraySize(marks), 3);
	for (int m = 0; m < 3; m++) {
		const cJSON *mark = cJSON_GetArrayItem(marks, m);
		ck_assert_str_eq(text_of(mark, "label"), labels[m]);
		ck_assert_str_eq(text_of(mark, "kind"), "fault");
		ck_assert_double_eq(cJSON_GetObjectItem(mark, "at")->valuedouble, times[m]);
	}
	cJSON_Delete(payload);
}
END_TEST

/* Series `at` of the panel of a group against curve `curve`; updates in bins of `width` steps, or
 * each where that is 0. */
static void check_curve(const cJSON *run, int group, int at, int curve, int updates, int width)
{
	char id[64];
	snprintf(id, sizeof id, "learning_curve_g%d", group);
	const cJSON *panel = item_of(run, "panels", id);
	ck_assert_ptr_nonnull(panel);
	const cJSON *series = cJSON_GetArrayItem(cJSON_GetObjectItem(panel, "series"), at);
	ck_assert_str_eq(text_of(series, "label"), curve_names[curve]);
	const cJSON *values = cJSON_GetObjectItem(series, "values");
	const cJSON *steps = cJSON_GetObjectItem(cJSON_GetObjectItem(panel, "x"), "values");
	int64_t first = step_at(0);
	int points = width > 0 ? (int)((step_at(updates - 1) - first + width - 1) / width) : updates;
	ck_assert_int_eq(cJSON_GetArraySize(values), points);
	ck_assert_int_eq(cJSON_GetArraySize(steps), points);
	for (int p = 0; p < points; p++) {
		double sum = 0;
		int count = 0;
		for (int i = 0; i < updates; i++) {
			int64_t bin = width > 0 ? (step_at(i) - first) / width : i;
			if ((bin < points ? bin : points - 1) == p) {
				sum += curve_at(i, curve);
				count++;
			}
		}
		check_number(cJSON_GetArrayItem(values, p), sum / count);
		ck_assert_double_eq(cJSON_GetArrayItem(steps, p)->valuedouble,
		                    width > 0 ? (double)first + (p + 0.5) * width : (double)step_at(p));
	}
}

START_TEST(curves_are_shown)
{
	cJSON *payload = payload_of(main_file());
	const cJSON *run = run_of(payload);
	/* 5,990 steps in at most 240 bins of a round width: 24.96 becomes 30. */
	for (int group = 0; group < 12; group++) {
		check_curve(run, group, 0, group, UPDATES, 30);
	}
	check_curve(run, 0, 1, GROUPS, UPDATES, 30);
	const cJSON *first = item_of(run, "panels", "learning_curve_g0");
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(first, "series")), 2);
	ck_assert_ptr_nonnull(strstr(text_of(first, "note"), "each of 200 bins of 30 steps"));
	ck_assert_ptr_null(strstr(text_of(first, "note"), "not shown"));
	ck_assert_ptr_nonnull(strstr(text_of(item_of(run, "panels", "learning_curve_g11"), "note"),
	                             "2 more groups of curves are not shown"));
	ck_assert_int_eq(learning_panels(run), 3 + 12);
	cJSON_Delete(payload);

	weir_table_schema training = updates_schema();
	training.column_count = 4;
	payload = payload_of(made_up_file("short.h5", NULL, NULL, 0, &training, 240));
	run = run_of(payload);
	check_curve(run, 0, 0, 0, 240, 0);
	check_curve(run, 1, 0, 1, 240, 0);
	ck_assert_int_eq(learning_panels(run), 2);
	ck_assert_ptr_null(item_of(run, "tables", "integrity"));
	cJSON_Delete(payload);
}
END_TEST

START_TEST(what_is_absent_gives_no_panel)
{
	cJSON *payload = payload_of(made_up_file("plain.h5", NULL, NULL, 0, NULL, 0));
	ck_assert_int_eq(learning_panels(run_of(payload)), 0);
	ck_assert_ptr_null(item_of(run_of(payload), "tables", "integrity"));
	cJSON_Delete(payload);

	/* Tables without rows, too. */
	weir_table_schema training = updates_schema();
	payload = payload_of(made_up_file("empty.h5", &decisions_schema, NULL, 0, &training, 0));
	ck_assert_int_eq(learning_panels(run_of(payload)), 0);
	cJSON_Delete(payload);

	/* One decision of the only application: time and reward. */
	static const weir_column few[] = {FIELD("time", TIME), FIELD("reward", REWARD)};
	weir_table_schema schema = decisions_schema;
	schema.columns = few;
	schema.column_count = 2;
	const decision row = {.field = {[TIME] = 0, [REWARD] = 2.5}};
	payload = payload_of(made_up_file("few.h5", &schema, &row, 1, NULL, 0));
	ck_assert_int_eq(learning_panels(run_of(payload)), 1);
	const cJSON *panel = item_of(run_of(payload), "panels", "learning_reward");
	const cJSON *series = cJSON_GetObjectItem(panel, "series")->child;
	ck_assert_str_eq(text_of(series, "label"), "reward");
	check_number(cJSON_GetObjectItem(series, "values")->child, 2.5);
	cJSON_Delete(payload);
}
END_TEST

/* asked_migrate and done_migrate share a panel, what was only done has its own; of 250
 * failures, each in a bin of its own, the first panel marks the first 200. */
START_TEST(actions_without_reward)
{
	static const weir_column columns[] = {
	    FIELD("time", TIME),         FIELD("asked_migrate", ASKED), FIELD("done_token", VALUE),
	    FIELD("done_migrate", DONE), FIELD("check_budget", BUDGET), FIELD("check_limits", LIMITS),
	    FIELD("note", APPLICATION),
	};
	weir_table_schema schema = decisions_schema;
	schema.columns = columns;
	schema.column_count = sizeof columns / sizeof columns[0];
	decision rows[200];
	for (int i = 0; i < 200; i++) {
		rows[i] = (decision){.field = {[TIME] = i + 1, [ASKED] = 3, [DONE] = 1, [VALUE] = i}};
		rows[i].field[LIMITS] = i < 150;
	}
	cJSON *payload = payload_of(made_up_file("actions.h5", &schema, rows, 200, NULL, 0));
	const cJSON *run = run_of(payload);
	ck_assert_int_eq(learning_panels(run), 2);
	const cJSON *migrate = item_of(run, "panels", "learning_actions_migrate");
	const cJSON *token = item_of(run, "panels", "learning_actions_token");
	ck_assert_str_eq(text_of(migrate, "title"), "Actions: migrate");
	ck_assert_str_eq(text_of(token, "title"), "Actions: token pool");
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(migrate, "series")), 2);
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(token, "series")), 1);
	const cJSON *values =
	    cJSON_GetObjectItem(cJSON_GetObjectItem(token, "series")->child, "values");
	ck_assert_int_eq(cJSON_GetArraySize(values), 200);
	for (int i = 0; i < 200; i++) {
		check_number(cJSON_GetArrayItem(values, i), i);
	}
	const cJSON *marks = cJSON_GetObjectItem(migrate, "marks");
	ck_assert_int_eq(cJSON_GetArraySize(marks), 200);
	/* 150 s of one check, then both: the earliest are 150 and 25 times two. */
	const cJSON *last = cJSON_GetArrayItem(marks, 199);
	ck_assert_double_eq(cJSON_GetObjectItem(last, "at")->valuedouble, 175);
	ck_assert_str_eq(text_of(last, "label"), "check limits failed");
	cJSON_Delete(payload);
}
END_TEST

static void check_refused(const char *path, const char *message)
{
	cJSON *payload = NULL;
	weir_error error = {0};
	ck_assert_int_eq(weir_report_data(&path, 1, &payload, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_null(payload);
	ck_assert_msg(strstr(error.message, message) != NULL, "%s", error.message);
}

START_TEST(wrong_shapes_are_refused)
{
	decision rows[3] = {decision_at(10), decision_at(20), decision_at(30)};
	rows[2].field[TIME] = 15;
	check_refused(made_up_file("back.h5", &decisions_schema, rows, 3, NULL, 0),
	              "column decisions/time holds 15 in row 2, after 20");
	rows[2].field[TIME] = (double)NAN;
	check_refused(made_up_file("nan.h5", &decisions_schema, rows, 3, NULL, 0),
	              "column decisions/time holds nan in row 2");
	rows[2] = decision_at(30);
	rows[0].field[TIME] = -1;
	check_refused(made_up_file("before.h5", &decisions_schema, rows, 3, NULL, 0),
	              "column decisions/time holds -1 in row 0");
	rows[0] = decision_at(10);
	rows[1].field[LIMITS] = 0.5;
	check_refused(made_up_file("half.h5", &decisions_schema, rows, 3, NULL, 0),
	              "column decisions/check_limits holds 0.5 in row 1: a check is 1");
	rows[1] = decision_at(20);
	weir_table_schema schema = decisions_schema;
	schema.columns = decision_columns + 1;
	schema.column_count = FIELDS - 1;
	check_refused(made_up_file("timeless.h5", &schema, rows, 3, NULL, 0),
	              "table decisions has no column time");
	weir_table_schema training = updates_schema();
	training.columns = update_columns + 1;
	training.column_count = 3;
	check_refused(made_up_file("stepless.h5", NULL, NULL, 0, &training, 2),
	              "table training has no column step");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report_learning");
	TCase *tcase = tcase_create("report_learning");
	tcase_add_test(tcase, decisions_are_shown);
	tcase_add_test(tcase, ledger_counts_all_checks);
	tcase_add_test(tcase, curves_are_shown);
	tcase_add_test(tcase, what_is_absent_gives_no_panel);
	tcase_add_test(tcase, actions_without_reward);
	tcase_add_test(tcase, wrong_shapes_are_refused);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
