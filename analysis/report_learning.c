/* Panels of the runs that an agent drove: its decisions over time, and what was checked of them. */
#include "analysis/report_learning.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "metrics/quantile.h"

static const char decisions_table[] = "decisions";
static const char section[] = "Learning";

enum { NOTE_SIZE = 384, ID_SIZE = 160 };

static weir_status out_of_memory(const weir_report_run *run)
{
	return weir_error_set(run->error, WEIR_ERROR_MEMORY, weir_reader_path(run->file->reader),
	                      "out of memory for the report");
}

static bool has_name(const weir_learning_names *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->names[i], name) == 0) {
			return true;
		}
	}
	return false;
}

/* What follows the prefix; NULL where the name does not begin with it or ends there. */
static const char *after(const char *name, const char *prefix)
{
	size_t size = strlen(prefix);
	return strncmp(name, prefix, size) == 0 && name[size] != '\0' ? name + size : NULL;
}

/* Of one application: the bin of each row, WEIR_NO_BIN for rows of others. */
typedef struct application_rows {
	double application;
	char label[WEIR_REPORT_LABEL_SIZE]; /* before the names of its lines; "" when it is alone */
	uint32_t *bin;
} application_rows;

typedef struct decisions {
	weir_learning_names names;
	size_t rows;
	double *time, *ones;
	weir_bins bins;
	double *ends; /* of the bins */
	application_rows *applications;
	size_t application_count, capacity;
	double *binned;
	cJSON *first; /* the first panel over time, which gets the marks; NULL: none yet */
} decisions;

static void free_decisions(decisions *d)
{
	weir_learning_free_names(&d->names);
	free(d->time);
	free(d->ones);
	free(d->ends);
	for (size_t a = 0; a < d->application_count; a++) {
		free(d->applications[a].bin);
	}
	free(d->applications);
	free(d->binned);
}

/* Bins of whole intervals between decisions, by their median: a pause of the agent is a gap and
 * does not widen them. */
static weir_status make_bins(const weir_report_run *run, decisions *d)
{
	double *gaps = weir_allocate(d->rows, sizeof *gaps);
	if (gaps == NULL) {
		return out_of_memory(run);
	}
	size_t count = 0;
	for (size_t i = 1; i < d->rows; i++) {
		if (d->time[i] > d->time[i - 1]) {
			gaps[count++] = d->time[i] - d->time[i - 1];
		}
	}
	double last = d->time[d->rows - 1];
	const double half = 0.5;
	double interval = 0;
	if (count > 0) {
		weir_quantiles(gaps, count, &half, 1, &interval);
	}
	free(gaps);
	d->bins = interval > 0 ? weir_bins_of_interval(interval, last, WEIR_REPORT_BINS)
	                       : weir_bins_over(last, WEIR_REPORT_BINS);
	d->ends = weir_allocate(d->bins.count, sizeof *d->ends);
	d->binned = weir_allocate(d->bins.count, sizeof *d->binned);
	if (d->ends == NULL || d->binned == NULL) {
		return out_of_memory(run);
	}
	for (size_t b = 0; b < d->bins.count; b++) {
		d->ends[b] = fmin((double)(b + 1) * d->bins.width, last);
	}
	return WEIR_OK;
}

/* The application of one row; made when it is the first of it. NULL: out of memory. */
static application_rows *application_of(decisions *d, double number)
{
	for (size_t a = 0; a < d->application_count; a++) {
		if (d->applications[a].application == number) {
			return &d->applications[a];
		}
	}
	if (!weir_reserve((void **)&d->applications, &d->capacity, d->application_count + 1,
	                  sizeof *d->applications)) {
		return NULL;
	}
	application_rows *made = &d->applications[d->application_count++];
	*made = (application_rows){.application = number};
	made->bin = weir_allocate(d->rows, sizeof *made->bin);
	for (size_t i = 0; made->bin != NULL && i < d->rows; i++) {
		made->bin[i] = WEIR_NO_BIN;
	}
	return made->bin != NULL ? made : NULL;
}

static void label_applications(const weir_report_run *run, decisions *d)
{
	const weir_config *config = run->file->config;
	for (size_t a = 0; d->application_count > 1 && a < d->application_count; a++) {
		application_rows *rows = &d->applications[a];
		bool known = config != NULL && rows->application >= 0 &&
		             rows->application < (double)config->application_count &&
		             config->applications[(size_t)rows->application].name[0] != '\0';
		if (known) {
			snprintf(rows->label, sizeof rows->label, "%.60s ",
			         config->applications[(size_t)rows->application].name);
		} else {
			snprintf(rows->label, sizeof rows->label, "application %.0f ", rows->application);
		}
	}
}

static weir_status find_applications(const weir_report_run *run, decisions *d)
{
	double *number = NULL;
	weir_status status = WEIR_OK;
	if (has_name(&d->names, "application")) {
		status =
		    weir_run_file_column(run->file, decisions_table, "application", &number, run->error);
	}
	for (size_t i = 0; status == WEIR_OK && i < d->rows; i++) {
		application_rows *rows = application_of(d, number != NULL ? number[i] : 0);
		if (rows == NULL) {
			status = out_of_memory(run);
		} else {
			rows->bin[i] = weir_bin_ending(&d->bins, d->time[i]);
		}
	}
	free(number);
	if (status == WEIR_OK) {
		label_applications(run, d);
	}
	return status;
}

static cJSON *decision_panel(weir_report_run *run, decisions *d, weir_panel_text text,
                             const char *what)
{
	char note[NOTE_SIZE];
	snprintf(note, sizeof note,
	         "%s, mean of the decisions in each of %zu intervals of %.4g s, "
	         "shown at its end",
	         what, d->bins.count, d->bins.width);
	text.section = section;
	text.note = note;
	text.x_label = "time";
	text.x_unit = "s";
	cJSON *panel = weir_report_panel(run, &text, d->ends, d->bins.count);
	if (d->first == NULL) {
		d->first = panel;
	}
	return panel;
}

/* One line for each application; none when the file has no such column. */
static weir_status add_lines(weir_report_run *run, decisions *d, cJSON *panel, const char *name,
                             const char *label)
{
	if (!has_name(&d->names, name)) {
		return WEIR_OK;
	}
	double *values = NULL;
	weir_status status =
	    weir_run_file_column(run->file, decisions_table, name, &values, run->error);
	for (size_t a = 0; status == WEIR_OK && a < d->application_count; a++) {
		char own[ID_SIZE];
		snprintf(own, sizeof own, "%s%.60s", d->applications[a].label, label);
		weir_bin_combine(WEIR_BIN_MEAN, d->applications[a].bin, d->ones, values, d->rows,
		                 d->bins.count, d->binned);
		weir_report_series(run, panel, own, "line", d->binned, d->bins.count);
	}
	free(values);
	return status;
}

static weir_status reward_panel(weir_report_run *run, decisions *d)
{
	bool any = has_name(&d->names, "reward");
	for (size_t i = 0; i < d->names.count; i++) {
		any = any || after(d->names.names[i], "reward_") != NULL;
	}
	if (!any) {
		return WEIR_OK;
	}
	cJSON *panel = decision_panel(run, d,
	                              (weir_panel_text){.id = "learning_reward",
	                                                .title = "Reward and its terms",
	                                                .kind = "lines",
	                                                .y_label = "reward",
	                                                .y_unit = "1"},
	                              "reward of a decision");
	weir_status status = add_lines(run, d, panel, "reward", "reward");
	for (size_t i = 0; status == WEIR_OK && i < d->names.count; i++) {
		const char *term = after(d->names.names[i], "reward_");
		if (term != NULL) {
			status = add_lines(run, d, panel, d->names.names[i], term);
		}
	}
	return status;
}

static weir_status value_panel(weir_report_run *run, decisions *d)
{
	if (!has_name(&d->names, "value")) {
		return WEIR_OK;
	}
	cJSON *panel = decision_panel(run, d,
	                              (weir_panel_text){.id = "learning_value",
	                                                .title = "Value against reward",
	                                                .kind = "lines",
	                                                .y_label = "value",
	                                                .y_unit = "1"},
	                              "the return that the agent expected, and the reward it got");
	weir_status status = add_lines(run, d, panel, "value", "value");
	return status == WEIR_OK ? add_lines(run, d, panel, "reward", "reward") : status;
}

static weir_status action_panel(weir_report_run *run, decisions *d, const char *pool)
{
	char id[ID_SIZE];
	char title[ID_SIZE];
	char asked[ID_SIZE];
	char done[ID_SIZE];
	snprintf(id, sizeof id, "learning_actions_%.100s", pool);
	snprintf(title, sizeof title, "Actions: %.100s%s", pool,
	         strcmp(pool, "migrate") == 0 ? "" : " pool");
	snprintf(asked, sizeof asked, "asked_%.100s", pool);
	snprintf(done, sizeof done, "done_%.100s", pool);
	cJSON *panel = decision_panel(
	    run, d,
	    (weir_panel_text){
	        .id = id, .title = title, .kind = "steps", .y_label = "change", .y_unit = "instances"},
	    "instances asked for and done");
	weir_status status = add_lines(run, d, panel, asked, "asked");
	return status == WEIR_OK ? add_lines(run, d, panel, done, "done") : status;
}

/* Pools in the order of their first column. */
static weir_status action_panels(weir_report_run *run, decisions *d)
{
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < d->names.count; i++) {
		const char *asked = after(d->names.names[i], "asked_");
		const char *pool = asked != NULL ? asked : after(d->names.names[i], "done_");
		bool shown = false;
		for (size_t j = 0; pool != NULL && j < i; j++) {
			const char *other = after(d->names.names[j], asked != NULL ? "done_" : "asked_");
			shown = shown || (other != NULL && strcmp(other, pool) == 0);
		}
		if (pool != NULL && !shown) {
			status = action_panel(run, d, pool);
		}
	}
	return status;
}

/* ---- the ledger of checks ---- */

/* Failures of one check in one bin. */
typedef struct failure {
	double at; /* the first of them */
	size_t check;
	uint32_t bin;
	size_t count;
} failure;

typedef struct ledger {
	failure *failures;
	size_t count, capacity;
} ledger;

static int by_time(const void *left, const void *right)
{
	const failure *a = left;
	const failure *b = right;
	return a->at != b->at ? (a->at > b->at) - (a->at < b->at)
	                      : (a->check > b->check) - (a->check < b->check);
}

/* Counts the rows in which the check held, and notes the others by bin. */
static weir_status judge_check(const weir_report_run *run, const decisions *d, size_t check,
                               const double *values, ledger *list, size_t *held)
{
	size_t before = list->count;
	for (size_t i = 0; i < d->rows; i++) {
		if (values[i] != 0 && values[i] != 1) {
			return weir_error_set(
			    run->error, WEIR_ERROR_INPUT, weir_reader_path(run->file->reader),
			    "column %s/%s holds %g in row %zu: a check is 1 (held) or 0 (did not)",
			    decisions_table, d->names.names[check], values[i], i);
		}
		if (values[i] == 1) {
			(*held)++;
			continue;
		}
		uint32_t bin = weir_bin_ending(&d->bins, d->time[i]);
		if (list->count > before && list->failures[list->count - 1].bin == bin) {
			list->failures[list->count - 1].count++;
			continue;
		}
		if (!weir_reserve((void **)&list->failures, &list->capacity, list->count + 1,
		                  sizeof *list->failures)) {
			return out_of_memory(run);
		}
		list->failures[list->count++] =
		    (failure){.at = d->time[i], .check = check, .bin = bin, .count = 1};
	}
	return WEIR_OK;
}

static weir_status add_check(weir_report_run *run, const decisions *d, size_t check, cJSON *rows,
                             ledger *list)
{
	size_t before = list->count;
	size_t held = 0;
	double *values = NULL;
	weir_status status = weir_run_file_column(run->file, decisions_table, d->names.names[check],
	                                          &values, run->error);
	if (status == WEIR_OK) {
		status = judge_check(run, d, check, values, list, &held);
	}
	free(values);
	if (status == WEIR_OK) {
		cJSON *cells = cJSON_CreateArray();
		weir_report_add_text(run, cells, NULL, after(d->names.names[check], "check_"));
		weir_report_add_number(run, cells, NULL, (double)held, WEIR_REPORT_TIME_DIGITS);
		weir_report_add_number(run, cells, NULL, (double)d->rows, WEIR_REPORT_TIME_DIGITS);
		weir_report_add_number(run, cells, NULL,
		                       list->count > before ? list->failures[before].at : (double)NAN,
		                       WEIR_REPORT_TIME_DIGITS);
		weir_report_add(run, rows, NULL, cells);
	}
	return status;
}

static void mark_failures(weir_report_run *run, const decisions *d, ledger *list)
{
	if (d->first == NULL || list->count == 0) {
		return;
	}
	qsort(list->failures, list->count, sizeof *list->failures, by_time);
	for (size_t i = 0; i < list->count && i < WEIR_REPORT_MARKS; i++) {
		const failure *one = &list->failures[i];
		char label[ID_SIZE];
		int used = snprintf(label, sizeof label, "check %.100s failed",
		                    after(d->names.names[one->check], "check_"));
		if (one->count > 1) {
			snprintf(label + used, sizeof label - (size_t)used, " x%zu", one->count);
		}
		weir_report_mark(run, d->first, one->at, label, "fault");
	}
}

static weir_status ledger_table(weir_report_run *run, decisions *d)
{
	static const char *const names[] = {"check", "held", "of", "first failed", NULL};
	static const char *const units[] = {NULL, "decisions", "decisions", "s", NULL};
	ledger list = {.failures = NULL};
	cJSON *rows = NULL;
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < d->names.count; i++) {
		if (after(d->names.names[i], "check_") == NULL) {
			continue;
		}
		if (rows == NULL) {
			rows = weir_report_table(run, "integrity", "Integrity of the decisions", names, units);
		}
		status = rows != NULL ? add_check(run, d, i, rows, &list) : out_of_memory(run);
	}
	if (status == WEIR_OK) {
		mark_failures(run, d, &list);
	}
	free(list.failures);
	return status;
}

static weir_status decision_panels(weir_report_run *run)
{
	decisions d = {.rows = (size_t)weir_run_file_rows(run->file, decisions_table)};
	if (d.rows == 0) {
		return WEIR_OK;
	}
	weir_status status = weir_learning_read_names(run, decisions_table, &d.names);
	if (status == WEIR_OK) {
		status = weir_learning_read_places(run, decisions_table, "time", 0, &d.time);
	}
	if (status == WEIR_OK) {
		status = weir_learning_read_ones(run, d.rows, &d.ones);
	}
	weir_status (*const parts[])(const weir_report_run *, decisions *) = {make_bins,
	                                                                      find_applications};
	for (size_t i = 0; status == WEIR_OK && i < sizeof parts / sizeof parts[0]; i++) {
		status = parts[i](run, &d);
	}
	weir_status (*const panels[])(weir_report_run *, decisions *) = {reward_panel, value_panel,
	                                                                 action_panels, ledger_table};
	for (size_t i = 0; status == WEIR_OK && i < sizeof panels / sizeof panels[0]; i++) {
		status = panels[i](run, &d);
	}
	free_decisions(&d);
	return status;
}

weir_status weir_report_learning_panels(weir_report_run *run)
{
	weir_status status = decision_panels(run);
	return status == WEIR_OK ? weir_report_curve_panels(run) : status;
}
