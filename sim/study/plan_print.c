/* The result of a plan as a table. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "study/plan.h"

enum { COLUMNS = 11, TITLE_SIZE = 256 };

static const char *fleet_text(weir_arena *arena, const weir_sweep_point *point)
{
	const char *text = point->set_count > 0 ? point->sets[0] : "the base";
	for (size_t i = 1; text != NULL && i < point->set_count; i++) {
		text = weir_arena_format(arena, "%s %s", text, point->sets[i]);
	}
	return text;
}

static bool fill_row(const weir_plan_result *result, const weir_plan_ranking *ranking, size_t rank,
                     weir_arena *arena, weir_table_cell *cells)
{
	const weir_plan_answer *answer = &ranking->answers[rank];
	const weir_plan_verdict *verdict = &answer->verdict;
	const char *fleet = fleet_text(arena, &result->points.items[answer->point]);
	const weir_table_cell row[COLUMNS] = {
	    {.value = ranking->target},
	    {.value = (double)(rank + 1)},
	    {.text = fleet},
	    {.value = answer->value},
	    {.value = answer->beyond},
	    {.value = verdict->price},
	    {.value = verdict->power},
	    {.text = weir_arena_format(arena, "%zu of %zu", verdict->kept, verdict->runs)},
	    {.value = weir_plan_sure_share(verdict->kept, verdict->runs, result->file->confidence)},
	    {.value = verdict->attainment.value, .half_width = verdict->attainment.half_width},
	    {.value = verdict->cost},
	};
	for (size_t i = 0; i < COLUMNS; i++) {
		cells[i] = row[i];
	}
	return fleet != NULL && row[7].text != NULL;
}

static char *print(const weir_plan_result *result, weir_arena *arena, weir_table_format format)
{
	const char *searched = result->file->search.path;
	const weir_table_column columns[COLUMNS] = {
	    {"target", "", WEIR_TABLE_FIGURE, 4},
	    {"rank", "", WEIR_TABLE_FIGURE, 0},
	    {"fleet", "", WEIR_TABLE_TEXT, 0},
	    {searched[0] != '\0' ? searched : "value", "", WEIR_TABLE_FIGURE, 3},
	    {"fails at", "", WEIR_TABLE_FIGURE, 3},
	    {"price", "USD/h", WEIR_TABLE_FIGURE, 2},
	    {"power", "units", WEIR_TABLE_FIGURE, 1},
	    {"replications", "", WEIR_TABLE_TEXT, 0},
	    {"sure share", "", WEIR_TABLE_FIGURE, 3},
	    {"attainment", "", WEIR_TABLE_ESTIMATE, 4},
	    {"cost", "USD", WEIR_TABLE_FIGURE, 2},
	};
	size_t rows = 0;
	for (size_t i = 0; i < result->ranking_count; i++) {
		rows += result->rankings[i].count;
	}
	weir_table_cell *cells = weir_arena_allocate(arena, (rows + 1) * COLUMNS, sizeof *cells);
	bool ok = cells != NULL;
	size_t row = 0;
	for (size_t i = 0; ok && i < result->ranking_count; i++) {
		for (size_t k = 0; ok && k < result->rankings[i].count; k++) {
			ok = fill_row(result, &result->rankings[i], k, arena, &cells[row++ * COLUMNS]);
		}
	}
	char title[TITLE_SIZE];
	snprintf(title, sizeof title,
	         "%zu points, %zu trials, %zu simulations, %zu of them ended early",
	         result->points.count, result->trials, result->runs, result->stopped);
	const weir_table table = {.title = title,
	                          .columns = columns,
	                          .column_count = COLUMNS,
	                          .cells = cells,
	                          .row_count = rows};
	return ok ? weir_table_print(&table, format) : NULL;
}

char *weir_plan_print(const weir_plan_result *result, weir_table_format format)
{
	weir_arena *arena = weir_arena_create();
	char *text = arena != NULL ? print(result, arena, format) : NULL;
	weir_arena_destroy(arena);
	return text;
}
