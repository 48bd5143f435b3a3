/* The panels that are made of samples: what each pool looked like over time. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report_parts.h"
#include "base/memory.h"

static const char table[] = "samples";

enum { NOTE_SIZE = 256, ID_SIZE = 160 };

static weir_status out_of_memory(const weir_report_run *run)
{
	return weir_error_set(run->error, WEIR_ERROR_MEMORY, weir_reader_path(run->file->reader),
	                      "out of memory for the report");
}

static weir_status column(const weir_report_run *run, const char *name, double **values)
{
	return weir_run_file_column(run->file, table, name, values, run->error);
}

/* How one column becomes a line. */
typedef struct sample_line {
	const char *column, *label;
	weir_bin_kind kind;
	double scale;    /* what values are multiplied with */
	bool per_second; /* an amount of the interval: becomes a rate */
} sample_line;

/* The values of a line in every row, and their weights. */
static weir_status line_values(weir_report_run *run, const sample_line *line, double **values,
                               double **interval)
{
	weir_status status = column(run, line->column, values);
	if (status == WEIR_OK) {
		status = column(run, "interval", interval);
	}
	for (uint64_t i = 0; status == WEIR_OK && i < run->sample_rows; i++) {
		double value = (*values)[i];
		(*values)[i] = line->scale * (line->per_second ? value / (*interval)[i] : value);
	}
	return status;
}

/* Adds the line of one pool to its panel, panels[pool]; with one panel for all pools, every element
 * is that panel, and lines have the pools' names. */
static weir_status add_line(weir_report_run *run, cJSON *const *panels, const sample_line *line,
                            const char *role)
{
	size_t bins = run->sample_bins.count;
	double *values = NULL;
	double *interval = NULL;
	double *binned = weir_allocate(bins, sizeof *binned);
	weir_status status =
	    binned != NULL ? line_values(run, line, &values, &interval) : out_of_memory(run);
	for (size_t p = 0; status == WEIR_OK && p < run->pool_count; p++) {
		weir_bin_combine(line->kind, run->pools[p].bin, interval, values, (size_t)run->sample_rows,
		                 bins, binned);
		weir_report_series(run, panels[p], line->label != NULL ? line->label : run->pools[p].label,
		                   role, binned, bins);
	}
	free(values);
	free(interval);
	free(binned);
	return status;
}

/* "mean of the samples in each of 240 bins of 20 s (samples every 10 s)" */
static void binned_note(const weir_report_run *run, char *note, const char *what)
{
	snprintf(note, NOTE_SIZE, "%s in each of %zu intervals of %.4g s, shown at its end", what,
	         run->sample_bins.count, run->sample_bins.width);
}

static cJSON *over_time(weir_report_run *run, weir_panel_text text)
{
	text.x_label = "time";
	text.x_unit = "s";
	return weir_report_panel(run, &text, run->sample_ends, run->sample_bins.count);
}

/* One panel for each pool: the id and the title get the pool's name. */
static weir_status pool_panels(weir_report_run *run, weir_panel_text text, const char *role,
                               const sample_line *lines, size_t line_count, cJSON **made)
{
	for (size_t p = 0; p < run->pool_count; p++) {
		char id[ID_SIZE];
		char title[ID_SIZE];
		weir_panel_text own = text;
		snprintf(id, sizeof id, "%s_%zu", text.id, p);
		snprintf(title, sizeof title, "%s: %s pool", text.title, run->pools[p].label);
		own.id = id;
		own.title = title;
		made[p] = over_time(run, own);
	}
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < line_count; i++) {
		status = add_line(run, made, &lines[i], role);
	}
	return status;
}

/* One panel with a line for each pool. */
static weir_status joint_panel(weir_report_run *run, weir_panel_text text, const char *role,
                               const sample_line *line, cJSON **made)
{
	cJSON *panel = over_time(run, text);
	for (size_t p = 0; p < run->pool_count; p++) {
		made[p] = panel;
	}
	return add_line(run, made, line, role);
}

/* ---- pools ---- */

static weir_status queue_panels(weir_report_run *run, cJSON **made)
{
	static const sample_line queue[] = {
	    {.column = "queued_prompts", .label = "prompts", .kind = WEIR_BIN_MAX, .scale = 1},
	    {.column = "queued_tokens", .label = "token tasks", .kind = WEIR_BIN_MAX, .scale = 1},
	};
	char note[NOTE_SIZE];
	binned_note(run, note, "tasks that wait, the most in a sample");
	weir_status status = pool_panels(run,
	                                 (weir_panel_text){.id = "queue",
	                                                   .section = "Pools",
	                                                   .title = "Queue",
	                                                   .note = note,
	                                                   .kind = "lines",
	                                                   .y_label = "waiting",
	                                                   .y_unit = "tasks"},
	                                 "line", queue, 2, made);
	return status;
}

static weir_status batch_panels(weir_report_run *run, cJSON **made)
{
	static const sample_line lines[] = {
	    {.column = "batch_size", .kind = WEIR_BIN_MEAN, .scale = 1},
	    {.column = "batch_tokens", .kind = WEIR_BIN_MEAN, .scale = 1},
	};
	static const char *const titles[] = {"Tasks in the batches", "Tokens in the batches"};
	static const char *const units[] = {"tasks", "tokens"};
	char note[NOTE_SIZE];
	binned_note(run, note, "all instances of the pool, mean of the samples");
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < 2; i++) {
		status = joint_panel(run,
		                     (weir_panel_text){.id = lines[i].column,
		                                       .section = "Pools",
		                                       .title = titles[i],
		                                       .note = note,
		                                       .kind = "lines",
		                                       .y_label = units[i],
		                                       .y_unit = units[i]},
		                     "line", &lines[i], made);
	}
	return status;
}

static weir_status throughput_panels(weir_report_run *run, cJSON **made)
{
	static const sample_line lines[] = {
	    {.column = "prompt_tokens_per_s", .kind = WEIR_BIN_MEAN, .scale = 1},
	    {.column = "output_tokens_per_s", .kind = WEIR_BIN_MEAN, .scale = 1},
	};
	static const char *const ids[] = {"prompt_throughput", "output_throughput"};
	static const char *const titles[] = {"Prompt tokens processed", "Output tokens made"};
	char note[NOTE_SIZE];
	binned_note(run, note, "by iterations finished, mean");
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < 2; i++) {
		status = joint_panel(run,
		                     (weir_panel_text){.id = ids[i],
		                                       .section = "Pools",
		                                       .title = titles[i],
		                                       .note = note,
		                                       .kind = "lines",
		                                       .y_label = "rate",
		                                       .y_unit = "tokens/s"},
		                     "line", &lines[i], made);
	}
	return status;
}

static weir_status instance_panels(weir_report_run *run, cJSON **made)
{
	static const sample_line lines[] = {
	    {.column = "active", .label = "active", .kind = WEIR_BIN_LAST, .scale = 1},
	    {.column = "scaling_up", .label = "booting", .kind = WEIR_BIN_LAST, .scale = 1},
	    {.column = "draining", .label = "draining", .kind = WEIR_BIN_LAST, .scale = 1},
	};
	char note[NOTE_SIZE];
	binned_note(run, note,
	            "decisions of one kind in an interval are one mark, of which the 200 largest are "
	            "shown; instances at the last sample");
	weir_status status = pool_panels(run,
	                                 (weir_panel_text){.id = "instances",
	                                                   .section = "Instances",
	                                                   .title = "Instances",
	                                                   .note = note,
	                                                   .kind = "stack",
	                                                   .y_label = "instances",
	                                                   .y_unit = "instances"},
	                                 "area", lines, 3, made);
	return status == WEIR_OK ? weir_report_events(run, made) : status;
}

static weir_status load_panels(weir_report_run *run, cJSON **made)
{
	static const struct {
		const char *id, *title, *what, *unit;
		double scale;
	} loads[] = {
	    {"load_busy", "Load: busy", "share of the time paid for with a batch, mean", "%", 100},
	    {"load_kv", "Load: KV memory", "KV memory promised / KV memory, mean", "%", 100},
	    {"load_batch", "Load: batch", "batch tokens / instance.max_batch_tokens, mean", "%", 100},
	    {"load_concurrency", "Load: concurrency", "requests per instance, mean", "requests", 1},
	};
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < sizeof loads / sizeof loads[0]; i++) {
		char note[NOTE_SIZE];
		binned_note(run, note, loads[i].what);
		const sample_line line = {
		    .column = loads[i].id, .kind = WEIR_BIN_MEAN, .scale = loads[i].scale};
		status = joint_panel(run,
		                     (weir_panel_text){.id = loads[i].id,
		                                       .section = "Loads",
		                                       .title = loads[i].title,
		                                       .note = note,
		                                       .kind = "lines",
		                                       .y_label = "load",
		                                       .y_unit = loads[i].unit},
		                     "line", &line, made);
	}
	return status;
}

static weir_status memory_panels(weir_report_run *run, cJSON **made)
{
	static const double gigabytes = 1.0 / (1024.0 * 1024.0 * 1024.0);
	const sample_line lines[] = {
	    {.column = "memory", .label = "in use", .kind = WEIR_BIN_MEAN, .scale = gigabytes},
	    {.column = "memory_promised",
	     .label = "promised",
	     .kind = WEIR_BIN_MEAN,
	     .scale = gigabytes},
	    {.column = "memory_limit", .label = "limit", .kind = WEIR_BIN_MEAN, .scale = gigabytes},
	};
	char note[NOTE_SIZE];
	binned_note(run, note, "of all instances, weights included, mean of the samples");
	return pool_panels(run,
	                   (weir_panel_text){.id = "memory",
	                                     .section = "Memory",
	                                     .title = "Memory",
	                                     .note = note,
	                                     .kind = "lines",
	                                     .y_label = "memory",
	                                     .y_unit = "GB"},
	                   "line", lines, 3, made);
}

/* Room for one pointer to a panel per pool; NULL without samples. */
static weir_status make_panels(weir_report_run *run, cJSON ***made)
{
	*made = weir_allocate(run->pool_count + 1, sizeof(cJSON *));
	return *made != NULL ? WEIR_OK : out_of_memory(run);
}

weir_status weir_report_pool_panels(weir_report_run *run)
{
	cJSON **made = NULL;
	if (run->pool_count == 0) {
		return WEIR_OK;
	}
	weir_status status = make_panels(run, &made);
	weir_status (*const parts[])(weir_report_run *, cJSON **) = {
	    queue_panels, batch_panels, throughput_panels, instance_panels, load_panels, memory_panels};
	for (size_t i = 0; status == WEIR_OK && i < sizeof parts / sizeof parts[0]; i++) {
		status = parts[i](run, made);
	}
	free(made);
	return status;
}

/* ---- power and cost ---- */

/* What the run had cost by the end of each interval, all pools together. */
static weir_status bill_panel(weir_report_run *run)
{
	size_t rows = (size_t)run->sample_rows;
	size_t bins = run->sample_bins.count;
	char note[NOTE_SIZE];
	double *cost = NULL;
	double *sums = weir_allocate(bins, sizeof *sums);
	double *bill = weir_allocate(bins, sizeof *bill);
	weir_status status =
	    sums != NULL && bill != NULL ? column(run, "cost_usd", &cost) : out_of_memory(run);
	for (size_t p = 0; status == WEIR_OK && p < run->pool_count; p++) {
		weir_bin_sums(run->pools[p].bin, cost, rows, bins, sums);
		for (size_t b = 0; b < bins; b++) {
			bill[b] += sums[b];
		}
	}
	if (status == WEIR_OK) {
		for (size_t b = 1; b < bins; b++) {
			bill[b] += bill[b - 1];
		}
		binned_note(run, note, "sum since the start, all pools, with what was sampled");
		cJSON *panel = over_time(run, (weir_panel_text){.id = "bill",
		                                                .section = "Power and cost",
		                                                .title = "Bill",
		                                                .note = note,
		                                                .kind = "lines",
		                                                .y_label = "cost",
		                                                .y_unit = "USD"});
		weir_report_series(run, panel, "all pools", "line", bill, bins);
	}
	free(cost);
	free(sums);
	free(bill);
	return status;
}

weir_status weir_report_power_panels(weir_report_run *run)
{
	static const sample_line power = {
	    .column = "energy", .kind = WEIR_BIN_MEAN, .scale = 1e-3, .per_second = true};
	static const sample_line cost = {
	    .column = "cost_usd", .kind = WEIR_BIN_MEAN, .scale = 3600, .per_second = true};
	cJSON **made = NULL;
	char note[NOTE_SIZE];
	if (run->pool_count == 0) {
		return WEIR_OK;
	}
	weir_status status = make_panels(run, &made);
	if (status == WEIR_OK) {
		binned_note(run, note, "energy drawn / time, all instances of each pool,");
		status = joint_panel(run,
		                     (weir_panel_text){.id = "power",
		                                       .section = "Power and cost",
		                                       .title = "Power",
		                                       .note = note,
		                                       .kind = "stack",
		                                       .y_label = "power",
		                                       .y_unit = "kW"},
		                     "area", &power, made);
	}
	if (status == WEIR_OK) {
		binned_note(run, note, "cost / time, each instance by its share of its server,");
		status = joint_panel(run,
		                     (weir_panel_text){.id = "cost_rate",
		                                       .section = "Power and cost",
		                                       .title = "Cost rate",
		                                       .note = note,
		                                       .kind = "stack",
		                                       .y_label = "cost",
		                                       .y_unit = "USD/h"},
		                     "area", &cost, made);
	}
	free(made);
	return status == WEIR_OK ? bill_panel(run) : status;
}
