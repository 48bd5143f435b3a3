/*
 * Faults: crashes, lost servers, spot preemptions with notice, failed and slow boots, stock-outs,
 * stragglers.
 *
 * What befalls an instance, server, boot or SKU is drawn from the seed, the kind of fault and its
 * own number (id, count of boots), and nothing else: turning a kind on leaves the others where they
 * were, and the same instance meets the same fate under every policy (common random numbers).
 *
 * - Crash: an exponential time after the instance was first ACTIVE. One that flips at that moment
 *   is spared, and another such time begins when it is ACTIVE again.
 * - Server loss and preemption come an exponential time after the server's creation. At the notice
 *   of a preemption its instances drain (see weir_manager_preempt); what is left
 *   preemption_notice later is lost.
 * - Boots that fail do so at their end; cancelled ones do not.
 * - Stock-outs of a type of an application start by a Poisson process, and each lasts an
 *   exponential time; the type is back when the last of those that overlap is over.
 * - Stragglers are slow from their creation on.
 *
 * `replace`: for each instance that is lost a new one of its pool and type is started at once (of
 * one that flips: of the pool it was to join), within the manager's limits; not tried again when
 * these refuse it. With a preemption "at once" is the notice. One that drained to be removed is
 * not replaced.
 *
 * Cost: O(log n) an event, O(requests in the system + instances) where an instance is lost.
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

/* Subjects of WEIR_EVENT_FAULT. Data: of a stock-out or restock the number of the type, counted
 * through all applications; else the slot of what it hits | its id << 32. */
typedef enum weir_fault {
	WEIR_FAULT_CRASH,
	WEIR_FAULT_SERVER_LOSS,
	WEIR_FAULT_PREEMPTION_NOTICE,
	WEIR_FAULT_PREEMPTION,
	WEIR_FAULT_STOCK_OUT,
	WEIR_FAULT_RESTOCK
} weir_fault;

/* Faults that happened to something; those of one who is gone by then are none. */
typedef struct weir_faults_counters {
	uint64_t crashes, servers_lost, preemptions, boots_failed, boots_slow, stock_outs, stragglers;
	uint64_t requests_hit; /* that began again or failed by one */
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
