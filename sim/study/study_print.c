#include "study/study_print.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "run/tables.h"

enum {
	NAME_SIZE = 96,
	MOST_COLUMNS = 2 + 2 * WEIR_TABLE_FIGURE_COUNT + 8,
};

/* A table that is being made, of rows of one study. */
typedef struct sheet {
	weir_table_column columns[MOST_COLUMNS];
	char names[MOST_COLUMNS][NAME_SIZE];
	size_t column_count;
	weir_table_cell *cells; /* owned */
	size_t cell_count, capacity;
	bool out_of_memory;
} sheet;

static void add_column(sheet *s, const char *name, const char *suffix, const char *unit,
                       weir_table_column_kind kind, int decimals)
{
	char *own = s->names[s->column_count];
	snprintf(own, NAME_SIZE, "%s%s", name, suffix);
	s->columns[s->column_count++] =
	    (weir_table_column){.name = own, .unit = unit, .kind = kind, .decimals = decimals};
}

static void add_cell(sheet *s, weir_table_cell cell)
{
	if (!weir_reserve((void **)&s->cells, &s->capacity, s->cell_count + 1, sizeof *s->cells)) {
		s->out_of_memory = true;
		return;
	}
	s->cells[s->cell_count++] = cell;
}

static void add_text(sheet *s, const char *text)
{
	add_cell(s, (weir_table_cell){.text = text});
}

static void add_number(sheet *s, double value)
{
	add_cell(s, (weir_table_cell){.value = value, .half_width = (double)NAN});
}

/* Replications that are needed; 0: not known. */
static void add_needed(sheet *s, size_t needed)
{
	add_number(s, needed > 0 ? (double)needed : (double)NAN);
}

static void add_interval(sheet *s, const weir_interval *interval)
{
	add_cell(s, (weir_table_cell){.value = interval->value, .half_width = interval->half_width});
}

/* Prints and empties the sheet. */
static void put_sheet(FILE *file, sheet *s, const char *title, weir_table_format format)
{
	const weir_table table = {
	    .title = title,
	    .columns = s->columns,
	    .column_count = s->column_count,
	    .cells = s->cells,
	    .row_count = s->cell_count / s->column_count,
	};
	char *text = s->out_of_memory ? NULL : weir_table_print(&table, format);
	if (text != NULL) {
		fputs(text, file);
	}
	s->out_of_memory = s->out_of_memory || text == NULL;
	free(text);
	s->column_count = s->cell_count = 0;
}

/* ---- for people ---- */

/* Whether any row has the figure. */
static bool is_known(const weir_study *study, const weir_study_section *section, size_t figure)
{
	bool known = false;
	for (size_t p = 0; p < study->row_count; p++) {
		known = known || isfinite(section->rows[p].estimate.mean[figure].value);
	}
	return known;
}

static bool is_relative_cost(size_t figure)
{
	return weir_study_figure_list[figure].offset == offsetof(weir_study_figures, relative_cost);
}

static bool is_regret(size_t figure)
{
	size_t offset = weir_study_figure_list[figure].offset;
	return offset == offsetof(weir_study_figures, regret_usd) ||
	       offset == offsetof(weir_study_figures, regret_percent);
}

static void put_figures(FILE *file, sheet *s, const weir_study *study,
                        const weir_study_section *section, weir_table_format format)
{
	bool shown[WEIR_TABLE_FIGURE_COUNT];
	add_column(s, "policy", "", "", WEIR_TABLE_TEXT, 0);
	for (size_t f = 0; f < WEIR_TABLE_FIGURE_COUNT; f++) {
		const weir_study_figure *figure = &weir_study_figure_list[f];
		/* Among the differences, where it belongs; regret stays, to say that it is not known. */
		shown[f] = !is_relative_cost(f);
		if (shown[f]) {
			add_column(s, figure->heading, "", figure->unit, WEIR_TABLE_ESTIMATE, figure->decimals);
		}
	}
	for (size_t p = 0; p < study->row_count; p++) {
		const weir_study_row *row = &section->rows[p];
		add_text(s, row->name);
		for (size_t f = 0; f < WEIR_TABLE_FIGURE_COUNT; f++) {
			if (shown[f]) {
				add_interval(s, &row->estimate.mean[f]);
			}
		}
	}
	char title[2 * NAME_SIZE];
	snprintf(title, sizeof title, "%s: means over %zu replication%s", section->name,
	         study->plan->replications, study->plan->replications == 1 ? "" : "s");
	put_sheet(file, s, title, format);
}

static void put_differences(FILE *file, sheet *s, const weir_study *study,
                            const weir_study_section *section, weir_table_format format)
{
	bool shown[WEIR_TABLE_FIGURE_COUNT];
	add_column(s, "policy", "", "", WEIR_TABLE_TEXT, 0);
	for (size_t f = 0; f < WEIR_TABLE_FIGURE_COUNT; f++) {
		const weir_study_figure *figure = &weir_study_figure_list[f];
		shown[f] = is_known(study, section, f) && !is_regret(f);
		if (shown[f]) {
			add_column(s, figure->heading, "", figure->unit, WEIR_TABLE_DIFFERENCE,
			           figure->decimals);
		}
	}
	for (size_t p = 0; p < study->row_count; p++) {
		if (p == study->plan->baseline) {
			continue;
		}
		const weir_study_row *row = &section->rows[p];
		add_text(s, row->name);
		for (size_t f = 0; f < WEIR_TABLE_FIGURE_COUNT; f++) {
			if (shown[f]) {
				add_interval(s, &row->estimate.difference[f]);
			}
		}
	}
	char title[2 * NAME_SIZE];
	snprintf(title, sizeof title, "%s: paired differences from %s (* its interval excludes 0)",
	         section->name, study->plan->policies[study->plan->baseline]);
	put_sheet(file, s, title, format);
}

static void add_median_columns(sheet *s, weir_table_format format)
{
	bool csv = format == WEIR_TABLE_AS_CSV;
	static const char *const headings[] = {"p99 TTFT slowdown, median", "p99 TBT slowdown, median"};
	static const char *const names[] = {"ttft_slowdown_p99_median", "tbt_slowdown_p99_median"};
	for (size_t i = 0; i < 2; i++) {
		add_column(s, csv ? names[i] : headings[i], "", "", WEIR_TABLE_FIGURE, 2);
		add_column(s,
		           csv      ? names[i]
		           : i == 0 ? "TTFT"
		                    : "TBT",
		           csv ? "_low" : " from", "", WEIR_TABLE_FIGURE, 2);
		add_column(s,
		           csv      ? names[i]
		           : i == 0 ? "TTFT"
		                    : "TBT",
		           csv ? "_high" : " to", "", WEIR_TABLE_FIGURE, 2);
	}
}

static void add_medians(sheet *s, const weir_study_estimate *estimate)
{
	const weir_interval *medians[] = {&estimate->ttft_median, &estimate->tbt_median};
	for (size_t i = 0; i < 2; i++) {
		add_number(s, medians[i]->value);
		add_number(s, medians[i]->low);
		add_number(s, medians[i]->high);
	}
}

static void put_medians(FILE *file, sheet *s, const weir_study *study,
                        const weir_study_section *section, weir_table_format format)
{
	add_column(s, "policy", "", "", WEIR_TABLE_TEXT, 0);
	add_median_columns(s, format);
	for (size_t p = 0; p < study->row_count; p++) {
		const weir_study_row *row = &section->rows[p];
		if (isfinite(row->estimate.ttft_median.value)) {
			add_text(s, row->name);
			add_medians(s, &row->estimate);
		}
	}
	char title[2 * NAME_SIZE];
	snprintf(title, sizeof title, "%s: medians over replications, with bootstrap intervals",
	         section->name);
	put_sheet(file, s, title, format);
}

static void put_needed(FILE *file, sheet *s, const weir_study *study,
                       const weir_study_section *section, weir_table_format format)
{
	add_column(s, "policy", "", "", WEIR_TABLE_TEXT, 0);
	add_column(s, "for its cost", "", "", WEIR_TABLE_FIGURE, 0);
	add_column(s, "for its relative cost", "", "", WEIR_TABLE_FIGURE, 0);
	for (size_t p = 0; p < study->row_count; p++) {
		const weir_study_row *row = &section->rows[p];
		add_text(s, row->name);
		add_needed(s, row->estimate.needed);
		add_needed(s, p != study->plan->baseline ? row->estimate.needed_relative : 0);
	}
	char title[2 * NAME_SIZE];
	snprintf(title, sizeof title, "%s: replications for a half-width of %g %%", section->name,
	         study->plan->width);
	put_sheet(file, s, title, format);
}

static void put_for_people(FILE *file, sheet *s, const weir_study *study, weir_table_format format)
{
	for (size_t i = 0; i < study->section_count; i++) {
		const weir_study_section *section = &study->sections[i];
		fputs(i > 0 ? "\n" : "", file);
		put_figures(file, s, study, section, format);
		if (study->row_count > 1) {
			fputc('\n', file);
			put_differences(file, s, study, section, format);
		}
		if (study->plan->replications > 1) {
			fputc('\n', file);
			put_medians(file, s, study, section, format);
		}
		if (study->plan->width > 0.0) {
			fputc('\n', file);
			put_needed(file, s, study, section, format);
		}
	}
}

/* ---- for programs ---- */

/* What programs call the section. */
static const char *key_of(const weir_study *study, size_t section)
{
	return section < study->plan->scenario_count ? study->sections[section].name : "all";
}

static void put_csv(FILE *file, sheet *s, const weir_study *study)
{
	add_column(s, "scenario", "", "", WEIR_TABLE_TEXT, 0);
	add_column(s, "policy", "", "", WEIR_TABLE_TEXT, 0);
	for (size_t f = 0; f < WEIR_TABLE_FIGURE_COUNT; f++) {
		add_column(s, weir_study_figure_list[f].name, "", "", WEIR_TABLE_ESTIMATE, 0);
	}
	for (size_t f = 0; f < WEIR_TABLE_FIGURE_COUNT; f++) {
		add_column(s, weir_study_figure_list[f].name, "_difference", "", WEIR_TABLE_DIFFERENCE, 0);
	}
	add_median_columns(s, WEIR_TABLE_AS_CSV);
	add_column(s, "needed", "", "", WEIR_TABLE_FIGURE, 0);
	add_column(s, "needed_relative", "", "", WEIR_TABLE_FIGURE, 0);
	for (size_t i = 0; i < study->section_count; i++) {
		for (size_t p = 0; p < study->row_count; p++) {
			const weir_study_row *row = &study->sections[i].rows[p];
			add_text(s, key_of(study, i));
			add_text(s, row->name);
			for (size_t f = 0; f < WEIR_TABLE_FIGURE_COUNT; f++) {
				add_interval(s, &row->estimate.mean[f]);
			}
			for (size_t f = 0; f < WEIR_TABLE_FIGURE_COUNT; f++) {
				add_interval(s, &row->estimate.difference[f]);
			}
			add_medians(s, &row->estimate);
			add_needed(s, row->estimate.needed);
			add_needed(s, row->estimate.needed_relative);
		}
	}
	put_sheet(file, s, "", WEIR_TABLE_AS_CSV);
}

/* Each fails, as cJSON does, with NULL for an object, which then fails whatever follows. */
static bool json_number(cJSON *object, const char *name, double value)
{
	return cJSON_AddItemToObject(object, name,
	                             isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

static bool json_interval(cJSON *object, const char *name, const weir_interval *interval)
{
	cJSON *json = cJSON_AddObjectToObject(object, name);
	return json_number(json, "value", interval->value) &&
	       json_number(json, "half_width", interval->half_width) &&
	       json_number(json, "low", interval->low) && json_number(json, "high", interval->high);
}

static bool json_intervals(cJSON *object, const char *name, const weir_interval *intervals)
{
	cJSON *json = cJSON_AddObjectToObject(object, name);
	bool good = json != NULL;
	for (size_t f = 0; good && f < WEIR_TABLE_FIGURE_COUNT; f++) {
		good = json_interval(json, weir_study_figure_list[f].name, &intervals[f]);
	}
	return good;
}

static bool json_totals(cJSON *json, const weir_totals *totals)
{
	bool good = json != NULL;
	for (size_t t = 0; good && t < weir_total_count; t++) {
		double value;
		memcpy(&value, (const char *)totals + weir_total_descriptions[t].offset, sizeof value);
		good = json_number(json, weir_total_descriptions[t].name, value);
	}
	return good;
}

/* What a run's figures are, then what else is known of it. */
static bool json_run(cJSON *runs, const weir_study_row *row, size_t replication)
{
	cJSON *json = cJSON_CreateObject();
	bool good =
	    cJSON_AddItemToArray(runs, json) && json_number(json, "replication", (double)replication);
	for (size_t f = 0; good && f < WEIR_TABLE_FIGURE_COUNT; f++) {
		double value;
		memcpy(&value, (const char *)&row->figures[replication] + weir_study_figure_list[f].offset,
		       sizeof value);
		good = json_number(json, weir_study_figure_list[f].name, value);
	}
	if (good && row->runs != NULL) {
		const weir_replication_result *run = &row->runs[replication];
		good = json_number(json, "seed", (double)run->seed) &&
		       json_number(json, "shape", (double)run->shape) &&
		       cJSON_AddBoolToObject(json, "stalled", run->run.stalled) != NULL &&
		       json_totals(cJSON_AddObjectToObject(json, "totals"), &run->run.summary.totals);
	}
	return good;
}

static bool json_row(cJSON *rows, const weir_study *study, const weir_study_row *row)
{
	const weir_study_estimate *estimate = &row->estimate;
	cJSON *json = cJSON_CreateObject();
	bool good = cJSON_AddItemToArray(rows, json) &&
	            cJSON_AddStringToObject(json, "policy", row->name) != NULL &&
	            json_intervals(json, "mean", estimate->mean) &&
	            json_intervals(json, "difference", estimate->difference) &&
	            json_interval(json, "ttft_slowdown_p99_median", &estimate->ttft_median) &&
	            json_interval(json, "tbt_slowdown_p99_median", &estimate->tbt_median);
	if (good && study->plan->width > 0.0) {
		good = json_number(json, "needed", (double)estimate->needed) &&
		       json_number(json, "needed_relative", (double)estimate->needed_relative);
	}
	cJSON *runs = good ? cJSON_AddArrayToObject(json, "replications") : NULL;
	good = runs != NULL;
	for (size_t r = 0; good && r < study->plan->replications; r++) {
		good = json_run(runs, row, r);
	}
	return good;
}

static bool json_study(cJSON *root, const weir_study *study)
{
	const weir_study_plan *plan = study->plan;
	bool good = json_number(root, "replications", (double)plan->replications) &&
	            json_number(root, "confidence", plan->confidence) &&
	            json_number(root, "until", plan->until) &&
	            cJSON_AddStringToObject(root, "baseline", plan->policies[plan->baseline]) != NULL;
	if (good && plan->bases != NULL) {
		good = json_number(root, "target", plan->target) &&
		       json_number(root, "budget", (double)plan->budget) &&
		       json_number(root, "unreached", (double)study->unreached);
	}
	cJSON *sections = good ? cJSON_AddArrayToObject(root, "scenarios") : NULL;
	good = sections != NULL;
	for (size_t i = 0; good && i < study->section_count; i++) {
		cJSON *json = cJSON_CreateObject();
		good = cJSON_AddItemToArray(sections, json) &&
		       cJSON_AddStringToObject(json, "scenario", key_of(study, i)) != NULL;
		cJSON *rows = good ? cJSON_AddArrayToObject(json, "policies") : NULL;
		good = rows != NULL;
		for (size_t p = 0; good && p < study->row_count; p++) {
			good = json_row(rows, study, &study->sections[i].rows[p]);
		}
	}
	return good;
}

static char *print_json(const weir_study *study)
{
	cJSON *root = cJSON_CreateObject();
	char *text = root != NULL && json_study(root, study) ? weir_json_print(root) : NULL;
	cJSON_Delete(root);
	return text;
}

static bool put_study(FILE *file, const weir_study *study, weir_table_format format)
{
	sheet *s = weir_allocate(1, sizeof *s);
	if (s == NULL) {
		return false;
	}
	if (format == WEIR_TABLE_AS_CSV) {
		put_csv(file, s, study);
	} else {
		put_for_people(file, s, study, format);
	}
	bool good = !s->out_of_memory && ferror(file) == 0;
	free(s->cells);
	free(s);
	return good;
}

char *weir_study_print(const weir_study *study, weir_table_format format)
{
	if (format == WEIR_TABLE_AS_JSON) {
		return print_json(study);
	}
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	if (file == NULL) {
		return NULL;
	}
	bool good = put_study(file, study, format);
	good = fclose(file) == 0 && good;
	if (!good) {
		free(text);
		return NULL;
	}
	return text;
}
