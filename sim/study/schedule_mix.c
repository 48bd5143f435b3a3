#include "study/schedule_mix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { PRICE_STEPS = 48 }; /* of the search for the price of a missed request */

size_t schedule_windows_count(const schedule_grid *grid, const schedule_windows *windows)
{
	size_t rest = grid->steps > windows->offset ? grid->steps - windows->offset : 0;
	size_t whole = (rest + windows->length - 1) / windows->length;
	return whole + (windows->offset > 0 || whole == 0);
}

size_t schedule_windows_start(const schedule_grid *grid, const schedule_windows *windows, size_t i)
{
	size_t first = windows->offset > 0 ? windows->offset : windows->length;
	size_t start = i == 0 ? 0 : first + (i - 1) * windows->length;
	return start < grid->steps ? start : grid->steps;
}

/* One run's window of one application. */
typedef struct cell {
	uint64_t hash; /* of its sizes */
	double usd, broken;
	bool replaced; /* a later run had the same sizes */
} cell;

typedef struct mixer {
	const schedule_grid *grid;
	const schedule_run *runs;
	size_t count;
	const schedule_windows *windows;
	size_t window_count;
	cell *cells;   /* [application][window][run] */
	size_t *taken; /* [application][window] */
} mixer;

static cell *cells_of(const mixer *m, size_t application, size_t window)
{
	return m->cells + (application * m->window_count + window) * m->count;
}

/* FNV-1a over sizes. Equal hashes of different sizes would make the mix a worse one, not a wrong
 * one. */
static uint64_t hash_sizes(uint64_t hash, const int32_t *sizes, size_t from, size_t until)
{
	for (size_t s = from; s < until; s++) {
		hash = (hash ^ (uint32_t)sizes[s]) * UINT64_C(1099511628211);
	}
	return hash;
}

static cell measure(const mixer *m, size_t application, size_t window, size_t number)
{
	const schedule_run *run = &m->runs[number];
	size_t steps = m->grid->steps;
	size_t from = schedule_windows_start(m->grid, m->windows, window);
	size_t until = schedule_windows_start(m->grid, m->windows, window + 1);
	cell measured = {.hash = UINT64_C(14695981039346656037)};
	for (size_t tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		const int32_t *sizes = run->sizes + (application * WEIR_TAG_COUNT + tag) * steps;
		measured.hash = hash_sizes(measured.hash, sizes, from, until);
	}
	for (size_t s = from; s < until; s++) {
		measured.usd += run->usd[application * steps + s];
		measured.broken += run->broken[application * steps + s];
	}
	return measured;
}

static void measure_all(mixer *m)
{
	for (size_t a = 0; a < m->grid->applications; a++) {
		for (size_t w = 0; w < m->window_count; w++) {
			cell *cells = cells_of(m, a, w);
			for (size_t k = 0; k < m->count; k++) {
				cells[k] = measure(m, a, w, k);
				for (size_t before = 0; before < k; before++) {
					cells[before].replaced |= cells[before].hash == cells[k].hash;
				}
			}
		}
	}
}

/* Takes the cheapest of every window at `price` US dollars for a missed request; ties go to the
 * later run. Returns the requests missed. */
static double take(mixer *m, double price)
{
	double broken = 0;
	for (size_t a = 0; a < m->grid->applications; a++) {
		for (size_t w = 0; w < m->window_count; w++) {
			const cell *cells = cells_of(m, a, w);
			double least = INFINITY;
			size_t *taken = &m->taken[a * m->window_count + w];
			for (size_t k = 0; k < m->count; k++) {
				double worth = cells[k].usd + price * cells[k].broken;
				if (!cells[k].replaced && worth <= least) {
					least = worth;
					*taken = k;
				}
			}
			broken += cells[*taken].broken;
		}
	}
	return broken;
}

/* The higher the price, the fewer are missed: it falls as long as it may. */
static void choose(mixer *m, double allowed)
{
	if (take(m, 0) <= allowed) {
		return;
	}
	double dearest = 0;
	for (size_t i = 0; i < m->grid->applications * m->window_count * m->count; i++) {
		dearest = fmax(dearest, m->cells[i].usd);
	}
	/* More for one request than a window costs: as few as can be. Prices span orders of magnitude,
	 * hence the geometric mean. */
	double high = dearest + 1.0, low = high * 1e-12;
	for (int i = 0; i < PRICE_STEPS; i++) {
		double middle = sqrt(low * high);
		if (take(m, middle) <= allowed) {
			high = middle;
		} else {
			low = middle;
		}
	}
	(void)take(m, high);
}

/* A window's sizes, and before it those with which its run came into it: what it had at its start
 * had been booted before. */
static void copy_window(const mixer *m, size_t application, size_t window, int32_t *sizes)
{
	const schedule_grid *grid = m->grid;
	const schedule_run *run = &m->runs[m->taken[application * m->window_count + window]];
	size_t from = schedule_windows_start(grid, m->windows, window);
	size_t until = schedule_windows_start(grid, m->windows, window + 1);
	for (size_t tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		size_t pool = application * WEIR_TAG_COUNT + tag;
		const int32_t *source = run->sizes + pool * grid->steps;
		int32_t *target = sizes + pool * grid->steps;
		size_t lead = (size_t)ceil(grid->lead[tag] / grid->step);
		for (size_t s = from > lead ? from - lead : 0; s < from; s++) {
			int32_t had = source[s] < source[from] ? source[s] : source[from];
			target[s] = target[s] > had ? target[s] : had;
		}
		memcpy(target + from, source + from, (until - from) * sizeof *target);
	}
}

bool schedule_mix(const schedule_grid *grid, const schedule_run *runs, size_t count,
                  const schedule_windows *windows, double allowed, int32_t *sizes)
{
	mixer m = {
	    .grid = grid,
	    .runs = runs,
	    .count = count,
	    .windows = windows,
	    .window_count = schedule_windows_count(grid, windows),
	};
	size_t windows_of_all = grid->applications * m.window_count;
	m.cells = weir_allocate(windows_of_all * count, sizeof *m.cells);
	m.taken = weir_allocate(windows_of_all, sizeof *m.taken);
	bool made = m.cells != NULL && m.taken != NULL;
	if (made) {
		measure_all(&m);
		choose(&m, allowed);
		for (size_t a = 0; a < grid->applications; a++) {
			for (size_t w = 0; w < m.window_count; w++) {
				copy_window(&m, a, w, sizes);
			}
		}
	}
	free(m.cells);
	free(m.taken);
	return made;
}

/* --- mutation --- */

static void add(const schedule_grid *grid, int32_t *sizes, size_t from, size_t until, int32_t delta)
{
	for (size_t s = from; s < until; s++) {
		int64_t size = (int64_t)sizes[s] + delta;
		sizes[s] = size > grid->least ? (int32_t)size : (int32_t)grid->least;
	}
}

/* Sizes of the window come `by` steps later, or earlier where that is negative. */
static void shift(int32_t *sizes, size_t from, size_t until, int by)
{
	if (by > 0) {
		for (size_t s = until; s-- > from + (size_t)by;) {
			sizes[s] = sizes[s - (size_t)by];
		}
	} else {
		for (size_t s = from; s + (size_t)-by < until; s++) {
			sizes[s] = sizes[s + (size_t)-by];
		}
	}
}

/* One of an application's pools. */
static size_t draw_pool(const schedule_grid *grid, size_t application, gsl_rng *random)
{
	size_t pools[WEIR_TAG_COUNT], count = 0;
	for (size_t tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (grid->exists[application * WEIR_TAG_COUNT + tag]) {
			pools[count++] = application * WEIR_TAG_COUNT + tag;
		}
	}
	return pools[count > 1 ? gsl_rng_uniform_int(random, count) : 0];
}

static void mutate_window(const schedule_grid *grid, size_t application, size_t from, size_t until,
                          gsl_rng *random, int32_t *sizes)
{
	int32_t *pool = sizes + draw_pool(grid, application, random) * grid->steps;
	int32_t *other = sizes + draw_pool(grid, application, random) * grid->steps;
	int32_t much = 1 + pool[from] / 16;
	double kind = gsl_rng_uniform(random);
	if (kind < 0.45) {
		add(grid, pool, from, until, -1);
	} else if (kind < 0.6) {
		add(grid, pool, from, until, -much);
	} else if (kind < 0.75) {
		add(grid, pool, from, until, 1);
	} else if (kind < 0.85) {
		add(grid, pool, from, until, -1);
		add(grid, other, from, until, pool != other);
	} else {
		int by = 1 + (int)gsl_rng_uniform_int(random, 10);
		shift(pool, from, until, kind < 0.925 ? by : -by);
	}
}

void schedule_mutate(const schedule_grid *grid, const schedule_windows *windows, double share,
                     gsl_rng *random, int32_t *sizes)
{
	size_t count = schedule_windows_count(grid, windows);
	for (size_t a = 0; a < grid->applications; a++) {
		for (size_t w = 0; w < count; w++) {
			if (gsl_rng_uniform(random) < share) {
				mutate_window(grid, a, schedule_windows_start(grid, windows, w),
				              schedule_windows_start(grid, windows, w + 1), random, sizes);
			}
		}
	}
}
