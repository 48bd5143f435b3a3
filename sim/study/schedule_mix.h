/*
 * Schedules put together from windows of others.
 *
 * What happens in some minutes hardly depends on the sizes of other minutes: one run is as many
 * trials as it has windows. From runs at hand, for every application and window, the one is taken
 * whose window costs least at a price for every request that missed its SLO, the same for all; the
 * price is the least at which no more are missed than are allowed.
 *
 * Internal to the study room.
 */
#ifndef WEIR_STUDY_SCHEDULE_MIX_H
#define WEIR_STUDY_SCHEDULE_MIX_H

#include <gsl/gsl_rng.h>

#include "study/schedule_run.h"

typedef struct schedule_windows {
	size_t length, offset; /* steps: windows start at offset, offset + length, ..., and at 0 */
} schedule_windows;

/* The windows of the grid. */
size_t schedule_windows_count(const schedule_grid *grid, const schedule_windows *windows);
/* Its first step, for i up to the count: that of the last one's end. */
size_t schedule_windows_start(const schedule_grid *grid, const schedule_windows *windows, size_t i);

/*
 * Sizes, [pool][step], of the cheapest mix of `count` >= 1 runs that by their windows should have
 * at most `allowed` requests that miss their SLO; where none has, that with the fewest. Of runs
 * with the same sizes in a window the last counts. False when memory is out. Cost: O(count * (pools
 * * steps + count * windows)).
 */
bool schedule_mix(const schedule_grid *grid, const schedule_run *runs, size_t count,
                  const schedule_windows *windows, double allowed, int32_t *sizes);

/* Changes the sizes at random, each window with probability `share`: an instance more or less, or
 * one of one pool for one of another, or everything earlier or later. */
void schedule_mutate(const schedule_grid *grid, const schedule_windows *windows, double share,
                     gsl_rng *random, int32_t *sizes);

#endif
