#include "study/sweep_point.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"

/* Memory sets it: some 200 bytes each. */
enum { MOST_POINTS_EVER = 50000000 };

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the points of the sweep");
}

static void hex_digest(XXH128_hash_t hash, char text[WEIR_SWEEP_ID_SIZE])
{
	snprintf(text, WEIR_SWEEP_ID_SIZE, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64,
	         (uint64_t)hash.low64);
}

/* Most runs of a sweep are short, and one that was killed is run again; a sweep file that says
 * otherwise is heard. */
static const char *const usual_sets[] = {"record.live=false", "record.block_rows=256"};
enum { USUAL_SETS = sizeof usual_sets / sizeof usual_sets[0] };

/* What to load; `sets` has room for all overrides and the two of a run. */
static weir_document_options document_of(const weir_sweep_file *file, const weir_sweep_point *point,
                                         const char *seed, const char *set, const char **sets)
{
	const weir_sweep_policy *policy = weir_sweep_policy_of(file, point);
	size_t said = 0;
	for (size_t i = 0; i < USUAL_SETS; i++) {
		sets[said++] = usual_sets[i];
	}
	if (policy != NULL && policy->meaning.set != NULL) {
		sets[said++] = policy->meaning.set;
	}
	for (size_t i = 0; i < file->set.count; i++) {
		sets[said++] = file->set.texts[i];
	}
	for (size_t i = 0; point != NULL && i < point->set_count; i++) {
		if (policy == NULL || strcmp(point->sets[i], policy->set) != 0) {
			sets[said++] = point->sets[i];
		}
	}
	sets[said] = seed;
	sets[said + 1] = set;
	return (weir_document_options){
	    .path = file->base,
	    .directories = file->directories,
	    .overlays = policy != NULL ? policy->overlays : file->overlay.texts,
	    .overlay_count = policy != NULL ? policy->overlay_count : file->overlay.count,
	    .sets = sets + said,
	    .set_count = set != NULL ? 2 : 1,
	    .said = {.origin = file->path, .directory = file->directory, .sets = sets, .count = said},
	};
}

static weir_status open_policy(const weir_sweep_file *file, const weir_sweep_point *point,
                               weir_sweep_setup *setup, weir_error *error)
{
	const weir_sweep_policy *policy = weir_sweep_policy_of(file, point);
	return policy == NULL ? WEIR_OK
	                      : file->policies->open(&policy->meaning, setup->config, &setup->handle,
	                                             &setup->driver, error);
}

weir_status weir_sweep_setup_load(const weir_sweep_file *file, const weir_sweep_point *point,
                                  uint64_t seed, const char *set, weir_sweep_setup *setup,
                                  weir_error *error)
{
	*setup = (weir_sweep_setup){0};
	char seed_set[32];
	snprintf(seed_set, sizeof seed_set, "seed=%" PRIu64, seed);
	/* The seed and `set` behind what the point sets. */
	size_t most = USUAL_SETS + file->set.count + (point != NULL ? point->set_count : 0) + 2;
	const char **sets = weir_allocate(most, sizeof *sets);
	if (sets == NULL) {
		return no_memory(error);
	}
	const weir_document_options options = document_of(file, point, seed_set, set, sets);
	weir_status status = weir_config_load(&options, &setup->config, error);
	free(sets);
	if (status == WEIR_OK) {
		status = open_policy(file, point, setup, error);
	}
	if (status != WEIR_OK) {
		weir_sweep_setup_release(file, setup);
	}
	return status;
}

void weir_sweep_setup_release(const weir_sweep_file *file, weir_sweep_setup *setup)
{
	if (setup->handle != NULL) {
		file->policies->close(setup->handle);
	}
	weir_config_destroy(setup->config);
	*setup = (weir_sweep_setup){0};
}

/* What the design leaves of its coordinates for one point. */
typedef struct design {
	const weir_sweep_file *file;
	size_t count;                 /* points */
	double *unit;                 /* [point][axis]; NULL: a grid */
	size_t longest;               /* settings that one point can have */
	const char **paths, **values; /* [longest], of the point at hand */
	size_t used;
} design;

static const weir_sweep_axis *axis_of(const design *made, size_t number)
{
	return &((const weir_sweep_axis *)made->file->axes.items)[number];
}

/* Points of the whole grid; 0: more than can be counted. */
static size_t grid_size(const weir_sweep_file *file)
{
	const weir_sweep_axis *axes = file->axes.items;
	size_t count = 1;
	for (size_t a = 0; a < file->axes.count; a++) {
		if (axes[a].levels > MOST_POINTS_EVER / count) {
			return 0;
		}
		count *= axes[a].levels;
	}
	return count;
}

static const char *value_of(const design *made, weir_arena *arena, size_t axis,
                            const weir_sweep_setting *setting, size_t point, size_t level)
{
	return made->unit == NULL
	           ? weir_sweep_value_at_level(arena, setting, level)
	           : weir_sweep_value_at(arena, setting,
	                                 made->unit[point * made->file->axes.count + axis]);
}

/* Fills paths and values of a point. *again: a grid has had these, with another level of an axis
 * that is not there. False when memory is out. */
static bool choose(design *made, weir_arena *arena, size_t point, bool *again)
{
	size_t rest = point;
	size_t below = made->count;
	made->used = 0;
	*again = false;
	for (size_t a = 0; a < made->file->axes.count; a++) {
		const weir_sweep_axis *axis = axis_of(made, a);
		size_t level = 0;
		if (made->unit == NULL) {
			below /= axis->levels;
			level = rest / below;
			rest %= below;
		}
		if (!weir_sweep_axis_applies(axis, made->paths, made->values, made->used)) {
			*again = *again || level > 0;
			continue;
		}
		size_t before = made->used;
		for (size_t i = 0; i < axis->item_count; i++) {
			const weir_sweep_setting *setting = &axis->items[i];
			made->paths[before + i] = setting->path;
			made->values[before + i] = value_of(made, arena, a, setting, point, level);
			if (made->values[before + i] == NULL) {
				return false;
			}
			made->used++;
		}
	}
	return true;
}

static weir_status add_point(weir_sweep_points *points, const design *made, weir_error *error)
{
	weir_sweep_point *point = &points->items[points->count];
	const char **sets = weir_arena_allocate(points->arena, made->used, sizeof *sets);
	if (sets == NULL) {
		return no_memory(error);
	}
	for (size_t i = 0; i < made->used; i++) {
		sets[i] = weir_arena_format(points->arena, "%s=%s", made->paths[i], made->values[i]);
		if (sets[i] == NULL) {
			return no_memory(error);
		}
	}
	point->made = points->count;
	point->sets = sets;
	point->set_count = made->used;
	points->count++;
	return WEIR_OK;
}

static weir_status make_all(weir_sweep_points *points, design *made, weir_error *error)
{
	/* Values that are made anew are forgotten with it; what points keep is theirs. */
	weir_arena *passing = weir_arena_create();
	weir_status status = passing != NULL ? WEIR_OK : no_memory(error);
	for (size_t i = 0; status == WEIR_OK && i < made->count; i++) {
		bool again;
		if (!choose(made, passing, i, &again)) {
			status = no_memory(error);
		} else if (!again) {
			status = add_point(points, made, error);
		}
	}
	weir_arena_destroy(passing);
	return status;
}

static weir_status prepare(design *made, size_t most, weir_error *error)
{
	const weir_sweep_file *file = made->file;
	bool grid = file->design.kind == WEIR_DESIGN_GRID;
	made->count = grid ? grid_size(file) : (size_t)file->design.points;
	if (made->count == 0 || made->count > MOST_POINTS_EVER) {
		return weir_error_set(error, WEIR_ERROR_INPUT, file->path,
		                      "the design has more than %d points", MOST_POINTS_EVER);
	}
	if (most > 0 && made->count > most) {
		return weir_error_set(error, WEIR_ERROR_INPUT, file->path,
		                      "the design has %zu points, more than %zu; if that is meant, say "
		                      "--yes",
		                      made->count, most);
	}
	if ((uint64_t)file->replications > WEIR_SWEEP_MOST_RUNS / made->count) {
		return weir_error_set(error, WEIR_ERROR_INPUT, file->path,
		                      "%zu points of %" PRId64 " replications are more than %d runs",
		                      made->count, file->replications, WEIR_SWEEP_MOST_RUNS);
	}
	for (size_t a = 0; a < file->axes.count; a++) {
		made->longest += axis_of(made, a)->item_count;
	}
	made->paths = weir_allocate(made->longest, sizeof *made->paths);
	made->values = weir_allocate(made->longest, sizeof *made->values);
	if (made->paths == NULL || made->values == NULL) {
		return no_memory(error);
	}
	if (grid) {
		return WEIR_OK;
	}
	made->unit = weir_allocate(made->count * file->axes.count, sizeof *made->unit);
	if (made->unit == NULL) {
		return no_memory(error);
	}
	weir_status status = weir_design_fill((weir_design_kind)file->design.kind, (uint64_t)file->seed,
	                                      made->count, file->axes.count, made->unit, error);
	if (status != WEIR_OK && error != NULL) {
		snprintf(error->where, sizeof error->where, "%s: design", file->path);
	}
	return status;
}

/* The resolved config of a point, printed with seed 0; of the base for NULL. */
static weir_status resolve(const weir_sweep_file *file, const weir_sweep_point *point, char **text,
                           weir_error *error)
{
	*text = NULL;
	weir_sweep_setup setup;
	weir_status status = weir_sweep_setup_load(file, point, 0, NULL, &setup, error);
	if (status == WEIR_OK) {
		*text = weir_config_print(setup.config);
		status = *text != NULL ? WEIR_OK : no_memory(error);
	}
	weir_sweep_setup_release(file, &setup);
	return status;
}

/* What the policy of a point is beside its config; "": nothing. */
static const char *identity_of(const weir_sweep_file *file, const weir_sweep_point *point)
{
	const weir_sweep_policy *policy = weir_sweep_policy_of(file, point);
	return policy != NULL && policy->meaning.identity != NULL ? policy->meaning.identity : "";
}

/* Without an identity the digest of the text alone. */
static weir_status digest_point(const char *text, const char *identity, char id[WEIR_SWEEP_ID_SIZE],
                                weir_error *error)
{
	XXH3_state_t *state = XXH3_createState();
	if (state == NULL) {
		return no_memory(error);
	}
	XXH3_128bits_reset(state);
	XXH3_128bits_update(state, text, strlen(text));
	XXH3_128bits_update(state, identity, strlen(identity));
	hex_digest(XXH3_128bits_digest(state), id);
	XXH3_freeState(state);
	return WEIR_OK;
}

static weir_status define(weir_sweep_points *points, weir_error *error)
{
	char *base = NULL;
	weir_status status = resolve(points->file, NULL, &base, error);
	if (status != WEIR_OK) {
		return status;
	}
	XXH3_state_t *state = XXH3_createState();
	if (state == NULL) {
		free(base);
		return no_memory(error);
	}
	XXH3_128bits_reset(state);
	XXH3_128bits_update(state, base, strlen(base) + 1);
	for (size_t i = 0; i < points->count; i++) {
		const weir_sweep_point *point = &points->items[i];
		XXH3_128bits_update(state, &point->set_count, sizeof point->set_count);
		for (size_t k = 0; k < point->set_count; k++) {
			XXH3_128bits_update(state, point->sets[k], strlen(point->sets[k]) + 1);
		}
		const char *identity = identity_of(points->file, point);
		XXH3_128bits_update(state, identity, strlen(identity));
	}
	hex_digest(XXH3_128bits_digest(state), points->definition);
	XXH3_freeState(state);
	free(base);
	return WEIR_OK;
}

weir_status weir_sweep_points_make(const weir_sweep_file *file, size_t most,
                                   weir_sweep_points *points, weir_error *error)
{
	*points = (weir_sweep_points){.file = file, .arena = weir_arena_create()};
	design made = {.file = file};
	weir_status status = points->arena != NULL ? prepare(&made, most, error) : no_memory(error);
	if (status == WEIR_OK) {
		points->items = weir_allocate(made.count, sizeof *points->items);
		status = points->items != NULL ? make_all(points, &made, error) : no_memory(error);
	}
	if (status == WEIR_OK) {
		status = define(points, error);
	}
	free(made.unit);
	free(made.paths);
	free(made.values);
	if (status != WEIR_OK) {
		weir_sweep_points_release(points);
	}
	return status;
}

/* Points whose ids are found by one pool: what a pool keeps for each job is larger than a point. */
enum { BATCH = 8192 };

typedef struct batch {
	const weir_sweep_points *points;
	size_t first;
	const weir_pool_options *options; /* the caller's */
} batch;

/* What messages call a point: its number and what it sets. */
static void describe(const weir_sweep_points *points, size_t number, char *name, size_t size)
{
	const weir_sweep_point *point = &points->items[number];
	size_t used = (size_t)snprintf(name, size, "point %zu", number);
	for (size_t i = 0; i < point->set_count && used < size; i++) {
		used += (size_t)snprintf(name + used, size - used, "%s%s", i == 0 ? " (" : ", ",
		                         point->sets[i]);
	}
	if (point->set_count > 0 && used < size) {
		snprintf(name + used, size - used, ")");
	}
}

static void describe_job(void *context, size_t job, char *name, size_t size)
{
	const batch *part = context;
	describe(part->points, part->first + job, name, size);
}

static weir_status identify_one(void *context, size_t job, void *result, weir_error *error)
{
	const batch *part = context;
	size_t number = part->first + job;
	char *text = NULL;
	weir_error found = {0};
	weir_status status = resolve(part->points->file, &part->points->items[number], &text, &found);
	if (status == WEIR_OK) {
		const weir_sweep_point *point = &part->points->items[number];
		status = digest_point(text, identity_of(part->points->file, point), result, error);
		free(text);
		return status;
	}
	char name[256];
	describe(part->points, number, name, sizeof name);
	return weir_error_set(error, status, found.where, "%s: %s", name, found.message);
}

/* Progress over all batches. */
static bool batch_progress(void *context, size_t done, size_t count)
{
	const batch *part = context;
	(void)count;
	return part->options->progress(part->options->context, part->first + done, part->points->count);
}

static int compare_ids(const void *a, const void *b)
{
	const weir_sweep_point *const *x = a;
	const weir_sweep_point *const *y = b;
	int order = strcmp((*x)->id, (*y)->id);
	return order != 0 ? order : (*x > *y) - (*x < *y);
}

/* Leaves out the points whose id an earlier one has. */
static weir_status drop_repeated(weir_sweep_points *points, weir_error *error)
{
	weir_sweep_point **sorted = weir_allocate(points->count, sizeof *sorted);
	if (sorted == NULL) {
		return no_memory(error);
	}
	for (size_t i = 0; i < points->count; i++) {
		sorted[i] = &points->items[i];
	}
	qsort(sorted, points->count, sizeof *sorted, compare_ids);
	const weir_sweep_point *first = points->count > 0 ? sorted[0] : NULL;
	for (size_t i = 1; i < points->count; i++) {
		if (strcmp(sorted[i]->id, first->id) != 0) {
			first = sorted[i];
		} else {
			sorted[i]->sets = NULL;
			sorted[i]->set_count = SIZE_MAX;
		}
	}
	free(sorted);
	size_t kept = 0;
	for (size_t i = 0; i < points->count; i++) {
		if (points->items[i].set_count != SIZE_MAX) {
			points->items[kept++] = points->items[i];
		}
	}
	points->repeated = points->count - kept;
	points->count = kept;
	return WEIR_OK;
}

weir_status weir_sweep_points_identify(weir_sweep_points *points, const weir_pool_options *options,
                                       weir_error *error)
{
	char(*ids)[WEIR_SWEEP_ID_SIZE] = weir_allocate(BATCH, sizeof *ids);
	weir_error *errors = weir_allocate(BATCH, sizeof *errors);
	weir_status status = ids != NULL && errors != NULL ? WEIR_OK : no_memory(error);
	batch part = {.points = points, .options = options};
	const weir_pool_options pool = {
	    .workers = options->workers,
	    .progress = options->progress != NULL ? batch_progress : NULL,
	    .context = &part,
	};
	while (status == WEIR_OK && part.first < points->count) {
		size_t left = points->count - part.first;
		const weir_pool_jobs jobs = {
		    .count = left < BATCH ? left : BATCH,
		    .result_size = sizeof *ids,
		    .context = &part,
		    .run = identify_one,
		    .describe = describe_job,
		};
		status = weir_pool_run(&jobs, &pool, ids, errors, error);
		for (size_t i = 0; status == WEIR_OK && i < jobs.count; i++) {
			memcpy(points->items[part.first + i].id, ids[i], sizeof ids[i]);
		}
		part.first += jobs.count;
	}
	free(ids);
	free(errors);
	return status == WEIR_OK ? drop_repeated(points, error) : status;
}

void weir_sweep_points_release(weir_sweep_points *points)
{
	free(points->items);
	weir_arena_destroy(points->arena);
	*points = (weir_sweep_points){0};
}
