/* How a comparison is laid out. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/compare.h"
#include "base/memory.h"

/* The tables of text and Markdown; a group's bit is set in its columns. */
enum {
	COST = 1,
	REQUESTS = 2,
	LATENCY = 4,
	SLOWDOWN = 8,
	PAIRED = 16,
	WHOLE = 32, /* only in the one table of CSV and JSON */
	NAMED = COST | REQUESTS | LATENCY | SLOWDOWN | PAIRED,
	ALL = NAMED | WHOLE
};

typedef struct column {
	weir_table_column column;
	unsigned groups;
	const char *short_name; /* in a table of its own group; NULL: its name */
} column;

#define TEXT(name, groups)                                                                         \
	{                                                                                              \
		{name, "", WEIR_TABLE_TEXT, 0}, groups, NULL                                               \
	}
#define FIGURE(name, unit, decimals, groups)                                                       \
	{                                                                                              \
		{name, unit, WEIR_TABLE_FIGURE, decimals}, groups, NULL                                    \
	}
#define PERCENTILE(name, unit, decimals, group, short)                                             \
	{                                                                                              \
		{name, unit, WEIR_TABLE_FIGURE, decimals}, group, short                                    \
	}
#define PERCENTILES(name, unit, decimals, group, short)                                            \
	PERCENTILE(name "_p50", unit, decimals, group, short "_p50"),                                  \
	    PERCENTILE(name "_p90", unit, decimals, group, short "_p90"),                              \
	    PERCENTILE(name "_p99", unit, decimals, group, short "_p99")
#define PAIRED_LATENCY(name)                                                                       \
	{{name "_difference", "s", WEIR_TABLE_DIFFERENCE, 4}, PAIRED, name},                           \
	    FIGURE(name "_better", "%", 1, PAIRED), FIGURE(name "_worse", "%", 1, PAIRED)

/* fill() has the values in the same order. */
static const column columns[] = {
    TEXT("run", NAMED),
    TEXT("file", WHOLE),
    TEXT("partial", WHOLE),
    FIGURE("cost", "USD", 2, COST),
    FIGURE("instance_hours", "h", 2, COST),
    FIGURE("attainment", "%", 2, COST),
    TEXT("slo_met", COST),
    TEXT("pareto", COST),
    FIGURE("requests_per_s", "", 3, COST),
    FIGURE("output_tokens_per_s", "", 1, COST),
    FIGURE("scale_operations", "", 0, COST),
    FIGURE("energy", "kWh", 2, COST),
    FIGURE("arrived", "", 0, REQUESTS),
    FIGURE("completed", "", 0, REQUESTS),
    FIGURE("rejected", "", 0, REQUESTS),
    FIGURE("failed", "", 0, REQUESTS),
    FIGURE("unfinished", "", 0, REQUESTS),
    PERCENTILES("ttft", "s", 3, LATENCY, "ttft"),
    PERCENTILES("tbt", "s", 4, LATENCY, "tbt"),
    PERCENTILES("e2e", "s", 2, LATENCY, "e2e"),
    PERCENTILES("ttft_slowdown", "x", 2, SLOWDOWN, "ttft"),
    PERCENTILES("tbt_slowdown", "x", 2, SLOWDOWN, "tbt"),
    PERCENTILES("e2e_slowdown", "x", 2, SLOWDOWN, "e2e"),
    TEXT("same_trace", WHOLE),
    TEXT("trace", WHOLE),
    PAIRED_LATENCY("ttft"),
    PAIRED_LATENCY("tbt"),
    PAIRED_LATENCY("e2e"),
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

enum { NAME_SIZE = 512 };

static weir_table_cell *put_text(weir_table_cell *cell, const char *text)
{
	cell->text = text;
	return cell + 1;
}

static weir_table_cell *put(weir_table_cell *cell, double value, double half_width)
{
	cell->value = value;
	cell->half_width = half_width;
	return cell + 1;
}

static weir_table_cell *put_all(weir_table_cell *cell, const double *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cell = put(cell, values[i], (double)NAN);
	}
	return cell;
}

static weir_table_cell *put_pairing(weir_table_cell *cell, const weir_compared_run *run, bool first)
{
	const weir_compare_pairing *pairing = &run->pairing;
	cell = put_text(cell, first ? "first" : pairing->same ? "yes" : "no");
	cell =
	    put_text(cell, first ? "the first run, which the others are paired with" : pairing->reason);
	for (size_t m = 0; m < WEIR_COMPARE_LATENCIES; m++) {
		const weir_compare_paired *paired = &pairing->latencies[m];
		const double shares[] = {100 * paired->better, 100 * paired->worse};
		cell = put(cell, paired->difference.value, paired->difference.half_width);
		cell = put_all(cell, shares, 2);
	}
	return cell;
}

static void fill(weir_table_cell *cell, const weir_compared_run *run, const char *name, bool first)
{
	const double cost[] = {run->cost_usd, run->instance_hours, 100 * run->attainment};
	const double rates[] = {run->requests_per_s, run->output_tokens_per_s, run->scale_operations,
	                        run->energy_kwh};
	const double requests[] = {run->arrived, run->completed, run->rejected, run->failed,
	                           run->unfinished};
	cell = put_text(cell, name);
	cell = put_text(cell, run->path);
	cell = put_text(cell, run->partial);
	cell = put_all(cell, cost, sizeof cost / sizeof cost[0]);
	cell = put_text(cell, isnan(run->slo_met) ? "-" : run->slo_met > 0 ? "yes" : "no");
	cell = put_text(cell, !run->judged ? "-" : run->on_front ? "front" : "no");
	cell = put_all(cell, rates, sizeof rates / sizeof rates[0]);
	cell = put_all(cell, requests, sizeof requests / sizeof requests[0]);
	for (size_t m = 0; m < WEIR_COMPARE_METRICS; m++) {
		const double of[] = {run->metrics[m].p50, run->metrics[m].p90, run->metrics[m].p99};
		cell = put_all(cell, of, 3);
	}
	put_pairing(cell, run, first);
}

/* Prints the columns of the groups, of the rows from `first_row` on. */
static char *print_columns(const weir_table_cell *cells, size_t rows, size_t first_row,
                           unsigned groups, const char *title, weir_table_format format)
{
	weir_table_column chosen[COLUMNS];
	weir_table_cell *kept = weir_allocate(rows * COLUMNS + 1, sizeof *kept);
	if (kept == NULL) {
		return NULL;
	}
	weir_table table = {.title = title, .columns = chosen, .cells = kept};
	for (size_t c = 0; c < COLUMNS; c++) {
		if ((columns[c].groups & groups) != 0) {
			weir_table_column *shown = &chosen[table.column_count++];
			*shown = columns[c].column;
			if (groups != ALL && columns[c].short_name != NULL) {
				shown->name = columns[c].short_name;
			}
		}
	}
	size_t used = 0;
	for (size_t r = first_row; r < rows; r++, table.row_count++) {
		for (size_t c = 0; c < COLUMNS; c++) {
			if ((columns[c].groups & groups) != 0) {
				kept[used++] = cells[r * COLUMNS + c];
			}
		}
	}
	char *text = weir_table_print(&table, format);
	free(kept);
	return text;
}

static bool put_table(FILE *file, const weir_table_cell *cells, size_t rows, size_t first_row,
                      unsigned groups, const char *title, weir_table_format format)
{
	char *text = print_columns(cells, rows, first_row, groups, title, format);
	if (text != NULL) {
		fprintf(file, "%s\n", text);
	}
	free(text);
	return text != NULL;
}

static void put_notes(FILE *file, const weir_comparison *comparison)
{
	const weir_compared_run *runs = comparison->runs;
	bool partial = false;
	size_t front = 0;
	for (size_t i = 0; i < comparison->count; i++) {
		if (runs[i].partial != NULL) {
			fprintf(file, "%s is partial: %s\n", runs[i].name, runs[i].partial);
			partial = true;
		}
		front += runs[i].on_front;
	}
	fprintf(file, "%sPareto front of cost against attainment:", partial ? "\n" : "");
	for (size_t i = 0, told = 0; i < comparison->count; i++) {
		if (runs[i].on_front) {
			fprintf(file, "%s %s", told++ > 0 ? "," : "", runs[i].name);
		}
	}
	fprintf(file, "%s\n", front == 0 ? " no run ended with a known cost and attainment" : "");
	for (size_t i = 1; i < comparison->count; i++) {
		fprintf(file, "%s%s: %s.\n", i == 1 ? "\n" : "", runs[i].name, runs[i].pairing.reason);
	}
}

static bool put_document(FILE *file, const weir_comparison *comparison,
                         const weir_table_cell *cells, weir_table_format format)
{
	size_t rows = comparison->count;
	bool same = false;
	for (size_t i = 1; i < rows; i++) {
		same = same || comparison->runs[i].pairing.same;
	}
	bool good = put_table(file, cells, rows, 0, COST, "Cost and service", format) &&
	            put_table(file, cells, rows, 0, REQUESTS, "Requests", format) &&
	            put_table(file, cells, rows, 0, LATENCY, "Latency", format) &&
	            put_table(file, cells, rows, 0, SLOWDOWN, "Slowdown: measured / unloaded", format);
	if (same) {
		char title[NAME_SIZE];
		snprintf(title, sizeof title, "Same requests: time in this run - time in %s",
		         comparison->runs[0].name);
		good = good && put_table(file, cells, rows, 1, PAIRED, title, format);
		fputs("A difference is a mean with its 95 % interval over requests, taken as independent; "
		      "* : 0 is outside.\n\n",
		      file);
	}
	put_notes(file, comparison);
	return good && ferror(file) == 0;
}

static char *print_document(const weir_comparison *comparison, const weir_table_cell *cells,
                            weir_table_format format)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	if (file == NULL) {
		return NULL;
	}
	bool good = put_document(file, comparison, cells, format);
	good = fclose(file) == 0 && good;
	if (!good) {
		free(text);
		return NULL;
	}
	return text;
}

char *weir_comparison_print(const weir_comparison *comparison, weir_table_format format)
{
	bool for_people = format == WEIR_TABLE_AS_TEXT || format == WEIR_TABLE_AS_MARKDOWN;
	size_t rows = comparison->count;
	weir_table_cell *cells = weir_allocate(rows * COLUMNS + 1, sizeof *cells);
	char(*names)[NAME_SIZE] = weir_allocate(rows + 1, sizeof *names);
	char *text = NULL;
	if (cells != NULL && names != NULL) {
		for (size_t i = 0; i < rows; i++) {
			const weir_compared_run *run = &comparison->runs[i];
			bool marked = for_people && run->partial != NULL;
			snprintf(names[i], sizeof names[i], "%.480s%s", run->name, marked ? " (partial)" : "");
			fill(cells + i * COLUMNS, run, names[i], i == 0);
		}
		text = for_people ? print_document(comparison, cells, format)
		                  : print_columns(cells, rows, 0, ALL, "", format);
	}
	free(cells);
	free(names);
	return text;
}
