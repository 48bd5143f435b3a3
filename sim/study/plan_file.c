#include "study/plan_file.h"

#include <math.h>
#include <string.h>

#include "config/key_path.h"

static weir_status no_memory(const char *where, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, where, "no memory for the plan");
}

static const char *const slo_kinds[] = {"attainment", "percentiles", NULL};
static const char *const goals[] = {"smallest", "largest", NULL};

static const weir_key slo_keys[] = {
    {.name = "kind",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_plan_slo, kind),
     .default_text = "\"attainment\"",
     .choices = slo_kinds,
     .doc = "attainment: the share of requests within the config's slo.per_request is at least a "
            "target; percentiles: every limit of slo.p50, slo.p90 and slo.p99 is kept."},
    {.name = "targets",
     .type = WEIR_KEY_NUMBERS,
     .offset = offsetof(weir_plan_slo, targets),
     .default_text = "[0.99]",
     .minimum = 0,
     .maximum = 1,
     .flags = WEIR_KEY_ABOVE_MINIMUM | WEIR_KEY_BELOW_MAXIMUM,
     .only_if = "kind=attainment",
     .doc = "Attainments, increasing; each has an answer of its own. Together they are the front "
            "of price and attainment."},
    {.name = "share",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_plan_slo, share),
     .default_text = "1",
     .minimum = 0,
     .maximum = 1,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .doc = "The share of the replications that have to keep it."},
};

static weir_status check_slo(weir_keys_reader *reader, const char *path, void *object,
                             weir_error *error)
{
	const weir_plan_slo *slo = object;
	const double *targets = slo->targets.items;
	bool attainment = slo->kind == WEIR_PLAN_ATTAINMENT;
	bool increasing = !attainment || slo->targets.count > 0;
	for (size_t i = 1; attainment && i < slo->targets.count; i++) {
		increasing = increasing && targets[i - 1] < targets[i];
	}
	return increasing ? WEIR_OK
	                  : weir_keys_fail(reader, weir_keys_path(reader, path, "targets"), error,
	                                   "expected at least one target, each above the one before");
}

static const weir_key_table slo_table = {
    .name = "slo",
    .doc = "What a fleet has to keep.",
    .size = sizeof(weir_plan_slo),
    .keys = slo_keys,
    .key_count = sizeof slo_keys / sizeof slo_keys[0],
    .check = check_slo,
};

static const weir_key search_keys[] = {
    {.name = "path",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_plan_axis, path),
     .doc = "The key that is bisected, as of --set: workload.arrivals.rate, servers[0].count."},
    {.name = "from",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_plan_axis, from),
     .default_text = "0",
     .minimum = -INFINITY,
     .maximum = INFINITY,
     .doc = "The least value."},
    {.name = "to",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_plan_axis, to),
     .default_text = "0",
     .minimum = -INFINITY,
     .maximum = INFINITY,
     .doc = "The greatest value."},
    {.name = "integer",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_plan_axis, integer),
     .default_text = "false",
     .doc = "Whole numbers alone."},
    {.name = "goal",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_plan_axis, goal),
     .default_text = "\"largest\"",
     .choices = goals,
     .doc = "Which of the values that keep the SLO: the largest (a rate), or the smallest (a "
            "number of servers)."},
    {.name = "tolerance",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_plan_axis, tolerance),
     .default_text = "0.02",
     .minimum = 1e-6,
     .maximum = 1,
     .doc = "How far apart, relative to the answer, a value that keeps the SLO and one that does "
            "not may stay."},
};

static weir_status check_search(weir_keys_reader *reader, const char *path, void *object,
                                weir_error *error)
{
	const weir_plan_axis *axis = object;
	if (axis->path[0] == '\0') {
		return axis->from == axis->to
		           ? WEIR_OK
		           : weir_keys_fail(reader, path, error, "expected \"path\", the key that changes");
	}
	char *text = weir_arena_string(reader->arena, axis->path);
	key_path *steps = weir_arena_allocate(reader->arena, 1, sizeof *steps);
	char *value = NULL;
	if (text == NULL || steps == NULL) {
		return no_memory(reader->file, error);
	}
	if (!key_path_parse(text, steps, &value) || value != NULL) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "path"), error,
		                      "expected a key path such as workload.arrivals.rate, got '%s'",
		                      axis->path);
	}
	if (!(axis->from < axis->to)) {
		return weir_keys_fail(reader, path, error, "expected from < to, got %g and %g", axis->from,
		                      axis->to);
	}
	if (axis->integer && (floor(axis->from) != axis->from || floor(axis->to) != axis->to)) {
		return weir_keys_fail(reader, path, error, "expected whole numbers, got %g and %g",
		                      axis->from, axis->to);
	}
	return WEIR_OK;
}

static const weir_key_table search_table = {
    .name = "search",
    .doc = "One key that is bisected at every point.",
    .size = sizeof(weir_plan_axis),
    .keys = search_keys,
    .key_count = sizeof search_keys / sizeof search_keys[0],
    .check = check_search,
};

static const weir_key halving_keys[] = {
    {.name = "rungs",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_plan_halving, rungs),
     .default_text = "4",
     .minimum = 1,
     .maximum = 20,
     .doc = "Prefixes of the workload that a point has to pass one after the other; the last one "
            "is the whole of it, with all replications."},
    {.name = "factor",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_plan_halving, factor),
     .default_text = "2",
     .minimum = 1.1,
     .maximum = 100,
     .doc = "How many times as long a prefix is as the one before."},
    {.name = "slack",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_plan_halving, slack),
     .default_text = "2",
     .minimum = 1,
     .maximum = 1000,
     .doc = "How many times the requests beyond their limits that the SLO allows a prefix may "
            "have."},
    {.name = "batch",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_plan_halving, batch),
     .default_text = "16",
     .minimum = 1,
     .maximum = 1e6,
     .doc = "How many points, the cheapest first, go a rung on together."},
};

static const weir_key_table halving_table = {
    .name = "halving",
    .doc = "How points are weeded out when nothing is bisected.",
    .size = sizeof(weir_plan_halving),
    .keys = halving_keys,
    .key_count = sizeof halving_keys / sizeof halving_keys[0],
};

static const weir_key plan_keys[] = {
    {.name = "space",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_plan_file, space),
     .table = &weir_sweep_space_keys,
     .doc = "The fleets and the load."},
    {.name = "slo",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_plan_file, slo),
     .table = &slo_table,
     .doc = "What a fleet has to keep."},
    {.name = "search",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_plan_file, search),
     .table = &search_table,
     .doc = "One key that is bisected at every point."},
    {.name = "halving",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_plan_file, halving),
     .table = &halving_table,
     .doc = "How points are weeded out when nothing is bisected."},
    {.name = "confidence",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_plan_file, confidence),
     .default_text = "0.95",
     .minimum = 0,
     .maximum = 1,
     .flags = WEIR_KEY_ABOVE_MINIMUM | WEIR_KEY_BELOW_MAXIMUM,
     .doc = "Of the intervals and bounds that are printed."},
};

static weir_status check_plan(weir_keys_reader *reader, const char *path, void *object,
                              weir_error *error)
{
	const weir_plan_file *file = object;
	const char *searched = file->search.path;
	const weir_sweep_axis *axes = file->space.axes.items;
	if (searched[0] == '\0' && file->space.axes.count == 0) {
		return weir_keys_fail(reader, path, error,
		                      "nothing to search: expected \"search\", or \"axes\" in \"space\"");
	}
	for (size_t a = 0; a < file->space.axes.count; a++) {
		for (size_t i = 0; i < axes[a].item_count; i++) {
			if (strcmp(axes[a].items[i].path, searched) == 0) {
				return weir_keys_fail(reader, weir_keys_path(reader, path, "search"), error,
				                      "'%s' is set by an axis", searched);
			}
		}
	}
	return weir_sweep_space_check_grid(reader, weir_keys_path(reader, path, "space"), &file->space,
	                                   error);
}

const weir_key_table weir_plan_keys = {
    .name = "plan",
    .doc = "The cheapest fleet that keeps an SLO, or the highest load that a fleet keeps it at.",
    .size = sizeof(weir_plan_file),
    .keys = plan_keys,
    .key_count = sizeof plan_keys / sizeof plan_keys[0],
    .check = check_plan,
};

weir_status weir_plan_file_load(const char *path, const char *const *directories,
                                weir_plan_file **file, weir_error *error)
{
	void *made;
	weir_status status = weir_sweep_space_load(&weir_plan_keys, offsetof(weir_plan_file, space),
	                                           path, directories, &made, error);
	*file = made;
	return status;
}

void weir_plan_file_destroy(weir_plan_file *file)
{
	if (file != NULL) {
		weir_arena_destroy(file->space.arena);
	}
}
