/* Clusters of random description under random operations: instances and servers that come, go,
 * change their state, pool or speed, and lose their requests. */
#ifndef WEIR_TESTS_STORM_H
#define WEIR_TESTS_STORM_H

#include <gsl/gsl_rng.h>

#include "support/small_cluster.h"

enum { STORM_INSTANCES = 12, STORM_CYCLE = 60 };

/* Every scheduler, way of batching and kind of network within STORM_CYCLE seeds; with `requests`
 * arrivals in each of its one or two applications. Started. */
small_cluster *storm_create(uint64_t seed, int requests);

/* One random operation, within STORM_INSTANCES; checks all invariants, and emptiness against its
 * long definition. Returns how many requests an eviction took. */
uint64_t storm_operate(small_cluster *cluster, gsl_rng *draws);

/* Adds a fresh ACTIVE instance to every pool and makes slow ones fast again, so that what is left
 * can end. */
void storm_calm(small_cluster *cluster);

#endif
