/* Learning curves over the updates of an agent, and what reading its tables needs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report_learning.h"
#include "base/memory.h"

static const char training_table[] = "training";

enum { NOTE_SIZE = 384, ID_SIZE = 160 };

static weir_status out_of_memory(const weir_report_run *run)
{
	return weir_error_set(run->error, WEIR_ERROR_MEMORY, weir_reader_path(run->file->reader),
	                      "out of memory for the report");
}

/* ---- the names of the columns ---- */

static bool take_name(void *context, const char *name)
{
	weir_learning_names *list = context;
	char *copy = strdup(name);
	if (copy == NULL ||
	    !weir_reserve((void **)&list->names, &list->capacity, list->count + 1, sizeof(char *))) {
		free(copy);
		list->out_of_memory = true;
		return false;
	}
	list->names[list->count++] = copy;
	return true;
}

weir_status weir_learning_read_names(const weir_report_run *run, const char *table,
                                     weir_learning_names *list)
{
	weir_status status = weir_reader_columns(run->file->reader, table, take_name, list, run->error);
	return status == WEIR_OK && list->out_of_memory ? out_of_memory(run) : status;
}

void weir_learning_free_names(weir_learning_names *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->names[i]);
	}
	free(list->names);
}

weir_status weir_learning_read_places(const weir_report_run *run, const char *table,
                                      const char *name, double least, double **places)
{
	uint64_t rows = weir_run_file_rows(run->file, table);
	weir_status status = weir_run_file_column(run->file, table, name, places, run->error);
	for (uint64_t i = 0; status == WEIR_OK && i < rows; i++) {
		double before = i > 0 ? (*places)[i - 1] : least;
		if (!isfinite((*places)[i]) || (*places)[i] < before) {
			status =
			    weir_error_set(run->error, WEIR_ERROR_INPUT, weir_reader_path(run->file->reader),
			                   "column %s/%s holds %g in row %llu, after %g: it must be finite "
			                   "and must not decrease",
			                   table, name, (*places)[i], (unsigned long long)i, before);
		}
	}
	return status;
}

weir_status weir_learning_read_ones(const weir_report_run *run, size_t rows, double **ones)
{
	*ones = weir_allocate(rows, sizeof **ones);
	if (*ones == NULL) {
		return out_of_memory(run);
	}
	for (size_t i = 0; i < rows; i++) {
		(*ones)[i] = 1;
	}
	return WEIR_OK;
}

/* ---- learning curves ---- */

typedef struct training {
	weir_learning_names names; /* of the curves */
	size_t rows;
	double *step, *ones;
	/* Where lines are drawn: at each update, or, of more than WEIR_REPORT_BINS, at the middles of
	 * bins of steps that begin at the first one. */
	size_t points;
	double *places, *binned;
	uint32_t *bin; /* of each row; NULL: each is drawn */
	char note[NOTE_SIZE];
} training;

static void free_training(training *t)
{
	weir_learning_free_names(&t->names);
	free(t->step);
	free(t->ones);
	free(t->places);
	free(t->binned);
	free(t->bin);
}

/* Leaves the names of curves: numbers other than `step`. */
static weir_status keep_curves(const weir_report_run *run, training *t)
{
	size_t kept = 0;
	weir_status status = WEIR_OK;
	for (size_t i = 0; i < t->names.count; i++) {
		char *name = t->names.names[i];
		weir_column_type type = WEIR_COLUMN_NAME;
		if (status == WEIR_OK && strcmp(name, "step") != 0) {
			status =
			    weir_reader_column_type(run->file->reader, training_table, name, &type, run->error);
		}
		if (type != WEIR_COLUMN_NAME) {
			t->names.names[kept++] = name;
		} else {
			free(name);
		}
	}
	t->names.count = kept;
	return status;
}

static weir_status place_updates(const weir_report_run *run, training *t)
{
	double first = t->step[0];
	double last = t->step[t->rows - 1];
	bool each = t->rows <= WEIR_REPORT_BINS;
	weir_bins bins = weir_bins_over(last - first, WEIR_REPORT_BINS);
	t->points = each ? t->rows : bins.count;
	t->places = weir_allocate(t->points, sizeof *t->places);
	t->binned = weir_allocate(t->points, sizeof *t->binned);
	t->bin = each ? NULL : weir_allocate(t->rows, sizeof *t->bin);
	if (t->places == NULL || t->binned == NULL || (!each && t->bin == NULL)) {
		return out_of_memory(run);
	}
	for (size_t p = 0; p < t->points; p++) {
		t->places[p] = each ? t->step[p] : first + ((double)p + 0.5) * bins.width;
	}
	for (size_t i = 0; t->bin != NULL && i < t->rows; i++) {
		t->bin[i] = weir_bin_at(&bins, t->step[i] - first);
	}
	if (each) {
		snprintf(t->note, sizeof t->note, "each of %zu updates", t->rows);
	} else {
		snprintf(t->note, sizeof t->note,
		         "mean of the updates in each of %zu bins of %.4g steps, of %zu updates",
		         bins.count, bins.width, t->rows);
	}
	return WEIR_OK;
}

static size_t group_size(const char *name)
{
	return strcspn(name, "_");
}

static bool same_group(const char *a, const char *b)
{
	return group_size(a) == group_size(b) && strncmp(a, b, group_size(a)) == 0;
}

static bool begins_group(const weir_learning_names *list, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (same_group(list->names[i], list->names[at])) {
			return false;
		}
	}
	return true;
}

static weir_status add_curve(weir_report_run *run, training *t, cJSON *panel, const char *name)
{
	double *values = NULL;
	weir_status status = weir_run_file_column(run->file, training_table, name, &values, run->error);
	if (status == WEIR_OK && t->bin != NULL) {
		weir_bin_combine(WEIR_BIN_MEAN, t->bin, t->ones, values, t->rows, t->points, t->binned);
	}
	if (status == WEIR_OK) {
		weir_report_series(run, panel, name, "line", t->bin != NULL ? t->binned : values,
		                   t->points);
	}
	free(values);
	return status;
}

static weir_status curve_panel(weir_report_run *run, training *t, size_t first, size_t left_out)
{
	const char *name = t->names.names[first];
	char id[ID_SIZE];
	char title[ID_SIZE];
	char note[2 * NOTE_SIZE];
	char group[ID_SIZE];
	snprintf(group, sizeof group, "%.*s", (int)group_size(name), name);
	snprintf(id, sizeof id, "learning_curve_%.100s", group);
	snprintf(title, sizeof title, "Learning curve: %.100s", group);
	if (left_out > 0) {
		snprintf(note, sizeof note, "%s; %zu more groups of curves are not shown", t->note,
		         left_out);
	} else {
		snprintf(note, sizeof note, "%s", t->note);
	}
	cJSON *panel = weir_report_panel(run,
	                                 &(weir_panel_text){.id = id,
	                                                    .section = "Learning",
	                                                    .title = title,
	                                                    .note = note,
	                                                    .kind = "lines",
	                                                    .x_label = "step",
	                                                    .x_unit = "1",
	                                                    .y_label = group,
	                                                    .y_unit = "1"},
	                                 t->places, t->points);
	weir_status status = WEIR_OK;
	for (size_t i = first; status == WEIR_OK && i < t->names.count; i++) {
		if (same_group(t->names.names[i], name)) {
			status = add_curve(run, t, panel, t->names.names[i]);
		}
	}
	return status;
}

static weir_status draw_curves(weir_report_run *run, training *t)
{
	size_t groups = 0;
	for (size_t i = 0; i < t->names.count; i++) {
		groups += begins_group(&t->names, i);
	}
	size_t most = WEIR_REPORT_CURVE_PANELS;
	size_t drawn = 0;
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && drawn < most && i < t->names.count; i++) {
		if (begins_group(&t->names, i)) {
			drawn++;
			status = curve_panel(run, t, i, drawn == most ? groups - most : 0);
		}
	}
	return status;
}

weir_status weir_report_curve_panels(weir_report_run *run)
{
	training t = {.rows = (size_t)weir_run_file_rows(run->file, training_table)};
	if (t.rows == 0) {
		return WEIR_OK;
	}
	weir_status status = weir_learning_read_names(run, training_table, &t.names);
	if (status == WEIR_OK) {
		status = keep_curves(run, &t);
	}
	if (status == WEIR_OK) {
		status = weir_learning_read_places(run, training_table, "step", -HUGE_VAL, &t.step);
	}
	if (status == WEIR_OK) {
		status = weir_learning_read_ones(run, t.rows, &t.ones);
	}
	if (status == WEIR_OK) {
		status = place_updates(run, &t);
	}
	if (status == WEIR_OK) {
		status = draw_curves(run, &t);
	}
	free_training(&t);
	return status;
}
