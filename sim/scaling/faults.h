/*
 * Faults: crashes, lost servers, spot preemptions with notice, failed and slow boots, stock-outs,
 * stragglers. Each kind draws from a random stream of its own ("faults", kind), so that turning one
 * on leaves the others where they were.
 *
 * Cost: O(log n) an event, O(requests in the system) where an instance is lost.
 */
#ifndef WEIR_SCALING_FAULTS_H
#define WEIR_SCALING_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "engine/engine.h"
#include "scaling/manager.h"
#include "scaling/scaling_config.h"

WEIR_BEGIN_C

typedef struct weir_faults weir_faults;

typedef struct weir_faults_counters {
	uint64_t crashes, servers_lost, preemptions, boots_failed, boots_slow, stock_outs, stragglers;
	uint64_t requests_hit;
} weir_faults_counters;

/* True when any fault is configured. */
WEIR_API bool weir_faults_enabled(const weir_faults_config *config);

/* Sets itself as the manager's boot faults, and schedules the first fault of everything that
 * exists. All is borrowed. Errors: out of memory. */
WEIR_API weir_status weir_faults_create(const weir_faults_config *config,
                                        const weir_cluster *cluster, weir_serving *serving,
                                        weir_manager *manager, weir_engine *engine, uint64_t seed,
                                        weir_faults **faults, weir_error *error);
WEIR_API void weir_faults_destroy(weir_faults *faults);

/* Runs a WEIR_EVENT_FAULT. */
WEIR_API weir_status weir_faults_handle(weir_faults *faults, const weir_event *event,
                                        weir_error *error);

/* Pending events of faults that would not by themselves keep a run going. */
WEIR_API uint64_t weir_faults_background(const weir_faults *faults);

WEIR_API void weir_faults_counters_get(const weir_faults *faults, weir_faults_counters *counters);

/* Makes `target` equal to `source`, made from equal configs. False when memory is out. */
WEIR_API bool weir_faults_copy(weir_faults *target, const weir_faults *source);

WEIR_END_C

#endif
