#include "study/sensitivity.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/config.h"
#include "run/simulate.h"
#include "study/sweep_point.h"

const char *const weir_sensitivity_figures[WEIR_SENSITIVITY_FIGURES] = {
    "attainment", "cost_usd", "ttft_slowdown_p99", "tbt_slowdown_p99", "e2e_slowdown_p99"};

static const char *const methods[] = {"morris", "one_at_a_time", NULL};

static const weir_key file_keys[] = {
    {.name = "space",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_sensitivity_file, space),
     .table = &weir_sweep_space_keys,
     .doc = "The base, and the axes as factors."},
    {.name = "method",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_sensitivity_file, method),
     .default_text = "\"morris\"",
     .choices = methods,
     .doc = "morris: trajectories through the space; one_at_a_time: each axis from its first to "
            "its last value, all others at their first."},
    {.name = "trajectories",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_sensitivity_file, trajectories),
     .default_text = "10",
     .minimum = 1,
     .maximum = 1e5,
     .only_if = "method=morris",
     .doc = "Trajectories, each with a run more than there are axes."},
    {.name = "levels",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_sensitivity_file, levels),
     .default_text = "4",
     .minimum = 2,
     .maximum = 1000,
     .only_if = "method=morris",
     .doc = "Levels of each axis, an even number."},
};

static weir_status check_file(weir_keys_reader *reader, const char *path, void *object,
                              weir_error *error)
{
	weir_sensitivity_file *file = object;
	const weir_sweep_axis *axes = file->space.axes.items;
	if (file->space.axes.count == 0) {
		return weir_keys_fail(reader, path, error, "expected at least one axis in \"space\"");
	}
	for (size_t a = 0; a < file->space.axes.count; a++) {
		if (axes[a].when.count > 0) {
			return weir_keys_fail(reader, path, error,
			                      "the axis of '%s' has conditions: its effect would be of some "
			                      "points alone",
			                      axes[a].items[0].path);
		}
	}
	if (file->method == WEIR_SENSITIVITY_MORRIS && file->levels % 2 != 0) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "levels"), error,
		                      "expected an even number, got %" PRId64, file->levels);
	}
	return WEIR_OK;
}

const weir_key_table weir_sensitivity_keys = {
    .name = "sensitivity",
    .doc = "Which keys matter.",
    .size = sizeof(weir_sensitivity_file),
    .keys = file_keys,
    .key_count = sizeof file_keys / sizeof file_keys[0],
    .check = check_file,
};

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the screening");
}

weir_status weir_sensitivity_file_load(const char *path, const char *const *directories,
                                       weir_sensitivity_file **file, weir_error *error)
{
	void *made;
	weir_status status =
	    weir_sweep_space_load(&weir_sensitivity_keys, offsetof(weir_sensitivity_file, space), path,
	                          directories, &made, error);
	*file = made;
	return status;
}

void weir_sensitivity_file_destroy(weir_sensitivity_file *file)
{
	if (file != NULL) {
		weir_arena_destroy(file->space.arena);
	}
}

/* --- runs --- */

typedef struct screening {
	const weir_sensitivity_file *file;
	weir_arena *arena;
	size_t points;
	weir_sweep_point *made; /* [points] */
} screening;

typedef struct figures {
	double of[WEIR_SENSITIVITY_FIGURES];
} figures;

static weir_status make_point(screening *s, const double *unit, weir_sweep_point *point,
                              weir_error *error)
{
	const weir_sweep_axis *axes = s->file->space.axes.items;
	size_t count = 0;
	for (size_t a = 0; a < s->file->space.axes.count; a++) {
		count += axes[a].item_count;
	}
	const char **sets = weir_arena_allocate(s->arena, count, sizeof *sets);
	*point = (weir_sweep_point){.sets = sets};
	for (size_t a = 0; sets != NULL && a < s->file->space.axes.count; a++) {
		for (size_t i = 0; i < axes[a].item_count; i++) {
			const weir_sweep_setting *setting = &axes[a].items[i];
			const char *value = weir_sweep_value_at(s->arena, setting, unit[a]);
			const char *set =
			    value != NULL ? weir_arena_format(s->arena, "%s=%s", setting->path, value) : NULL;
			if (set == NULL) {
				return no_memory(error);
			}
			sets[point->set_count++] = set;
		}
	}
	return sets != NULL ? WEIR_OK : no_memory(error);
}

static void describe(void *context, size_t job, char *name, size_t size)
{
	const screening *s = context;
	const weir_sweep_point *point = &s->made[job / (size_t)s->file->space.replications];
	size_t used = (size_t)snprintf(name, size, "point");
	for (size_t i = 0; i < point->set_count && used < size; i++) {
		used += (size_t)snprintf(name + used, size - used, " %s", point->sets[i]);
	}
}

static weir_status run_point(const screening *s, const weir_sweep_point *point,
                             uint64_t replication, figures *result, weir_error *error)
{
	const weir_sweep_file *space = &s->file->space;
	weir_sweep_setup setup;
	weir_status status = weir_sweep_setup_load(
	    space, point, weir_sweep_seed(space, "", replication), NULL, &setup, error);
	if (status == WEIR_OK) {
		weir_simulate_options simulate = weir_simulate_options_default();
		simulate.until = space->until;
		simulate.driver = setup.driver;
		weir_simulate_result run;
		status = weir_simulate(setup.config, &simulate, &run, error);
		const weir_summary *summary = &run.summary;
		*result = (figures){{summary->totals.attainment, summary->totals.cost_usd,
		                     summary->metrics[WEIR_SUMMARY_TTFT_SLOWDOWN].p99,
		                     summary->metrics[WEIR_SUMMARY_TBT_SLOWDOWN].p99,
		                     summary->metrics[WEIR_SUMMARY_E2E_SLOWDOWN].p99}};
	}
	weir_sweep_setup_release(space, &setup);
	return status;
}

static weir_status run_job(void *context, size_t job, void *result, weir_error *error)
{
	const screening *s = context;
	size_t replications = (size_t)s->file->space.replications;
	weir_error found = {0};
	weir_status status =
	    run_point(s, &s->made[job / replications], job % replications, result, &found);
	if (status != WEIR_OK) {
		char name[256];
		describe(context, job, name, sizeof name);
		weir_error_set(error, status, found.where, "%s: %s", name, found.message);
	}
	return status;
}

/* One step from the first values for each factor: a design of as many trajectories of one factor,
 * flattened; its first point is shared. */
static void fill_one_at_a_time(size_t factors, double *unit)
{
	for (size_t p = 0; p <= factors; p++) {
		for (size_t f = 0; f < factors; f++) {
			unit[p * factors + f] = p == f + 1 ? 1.0 : 0.0;
		}
	}
}

static void find_effects(const weir_sensitivity_file *file, const weir_morris_design *design,
                         const double *unit, const double *output, weir_morris_effect *effects)
{
	if (file->method == WEIR_SENSITIVITY_MORRIS) {
		weir_morris_effects(design, unit, output, effects);
		return;
	}
	for (size_t f = 0; f < design->factors; f++) {
		double effect = output[f + 1] - output[0];
		effects[f] =
		    (weir_morris_effect){.mu_star = fabs(effect), .mu = effect, .sigma = (double)NAN};
	}
}

/* The mean of a figure over the replications of each point, and its effects. */
static weir_status sum_up(const screening *s, const weir_morris_design *design, const double *unit,
                          const figures *runs, weir_sensitivity *result, weir_error *error)
{
	size_t replications = (size_t)s->file->space.replications;
	double *output = weir_allocate(s->points, sizeof *output);
	weir_morris_effect *effects = weir_allocate(design->factors, sizeof *effects);
	weir_status status = output != NULL && effects != NULL ? WEIR_OK : no_memory(error);
	for (size_t k = 0; status == WEIR_OK && k < WEIR_SENSITIVITY_FIGURES; k++) {
		for (size_t p = 0; p < s->points; p++) {
			output[p] = 0.0;
			for (size_t r = 0; r < replications; r++) {
				output[p] += runs[p * replications + r].of[k] / (double)replications;
			}
		}
		find_effects(s->file, design, unit, output, effects);
		for (size_t f = 0; f < design->factors; f++) {
			result->effects[f * WEIR_SENSITIVITY_FIGURES + k] = effects[f];
		}
	}
	free(output);
	free(effects);
	return status;
}

static weir_status screen(screening *s, const weir_morris_design *design, double *unit,
                          const weir_pool_options *options, weir_sensitivity *result,
                          weir_error *error)
{
	weir_status status = WEIR_OK;
	if (s->file->method == WEIR_SENSITIVITY_MORRIS) {
		status = weir_morris_fill(design, unit, error);
	} else {
		fill_one_at_a_time(design->factors, unit);
	}
	for (size_t p = 0; status == WEIR_OK && p < s->points; p++) {
		status = make_point(s, &unit[p * design->factors], &s->made[p], error);
	}
	result->runs = s->points * (size_t)s->file->space.replications;
	const weir_pool_jobs jobs = {.count = result->runs,
	                             .result_size = sizeof(figures),
	                             .context = s,
	                             .run = run_job,
	                             .describe = describe};
	figures *runs = weir_allocate(result->runs, sizeof *runs);
	weir_error *errors = weir_allocate(result->runs, sizeof *errors);
	if (status == WEIR_OK) {
		status = runs != NULL && errors != NULL ? weir_pool_run(&jobs, options, runs, errors, error)
		                                        : no_memory(error);
	}
	status = status == WEIR_OK ? sum_up(s, design, unit, runs, result, error) : status;
	free(runs);
	free(errors);
	return status;
}

weir_status weir_sensitivity_find(const weir_sensitivity_file *file,
                                  const weir_pool_options *options, weir_sensitivity *result,
                                  weir_error *error)
{
	bool morris = file->method == WEIR_SENSITIVITY_MORRIS;
	const weir_morris_design design = {.seed = (uint64_t)file->space.seed,
	                                   .factors = file->space.axes.count,
	                                   .trajectories = morris ? (size_t)file->trajectories : 1,
	                                   .levels = morris ? (size_t)file->levels : 2};
	screening s = {
	    .file = file, .arena = weir_arena_create(), .points = weir_morris_points(&design)};
	s.made = weir_allocate(s.points, sizeof *s.made);
	double *unit = weir_allocate(s.points * design.factors, sizeof *unit);
	*result = (weir_sensitivity){.file = file,
	                             .factors = design.factors,
	                             .effects = weir_allocate(design.factors * WEIR_SENSITIVITY_FIGURES,
	                                                      sizeof *result->effects)};
	weir_status status =
	    s.arena != NULL && s.made != NULL && unit != NULL && result->effects != NULL
	        ? screen(&s, &design, unit, options, result, error)
	        : no_memory(error);
	free(unit);
	free(s.made);
	weir_arena_destroy(s.arena);
	if (status != WEIR_OK) {
		weir_sensitivity_release(result);
	}
	return status;
}

void weir_sensitivity_release(weir_sensitivity *result)
{
	free(result->effects);
	*result = (weir_sensitivity){.file = NULL};
}

char *weir_sensitivity_print(const weir_sensitivity *result, weir_table_format format)
{
	enum { COLUMNS = 5 };
	static const weir_table_column columns[COLUMNS] = {{"key", "", WEIR_TABLE_TEXT, 0},
	                                                   {"figure", "", WEIR_TABLE_TEXT, 0},
	                                                   {"mu_star", "", WEIR_TABLE_FIGURE, 4},
	                                                   {"mu", "", WEIR_TABLE_FIGURE, 4},
	                                                   {"sigma", "", WEIR_TABLE_FIGURE, 4}};
	const weir_sweep_axis *axes = result->file->space.axes.items;
	size_t rows = result->factors * WEIR_SENSITIVITY_FIGURES;
	weir_table_cell *cells = weir_allocate(rows * COLUMNS, sizeof *cells);
	for (size_t i = 0; cells != NULL && i < rows; i++) {
		weir_table_cell *row = &cells[i * COLUMNS];
		row[0].text = axes[i / WEIR_SENSITIVITY_FIGURES].items[0].path;
		row[1].text = weir_sensitivity_figures[i % WEIR_SENSITIVITY_FIGURES];
		row[2].value = result->effects[i].mu_star;
		row[3].value = result->effects[i].mu;
		row[4].value = result->effects[i].sigma;
	}
	char title[64];
	snprintf(title, sizeof title, "%zu simulations", result->runs);
	const weir_table table = {.title = title,
	                          .columns = columns,
	                          .column_count = COLUMNS,
	                          .cells = cells,
	                          .row_count = rows};
	char *text = cells != NULL ? weir_table_print(&table, format) : NULL;
	free(cells);
	return text;
}
