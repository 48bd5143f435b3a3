/*
 * Drivers: what decides from outside while a simulation runs, such as a trained agent.
 *
 * A deferred policy (weir_policy_type.deferred) does not answer its tick itself: the simulation
 * stands still at that instant, weir_sim_waiting says for which policy, and goes on when
 * weir_sim_answer has given the decision, which is then cut, delayed and applied like any other. So
 * one who steps a simulation by hand and one who is called back by a run see and do the same.
 */
#ifndef WEIR_RUN_DRIVER_H
#define WEIR_RUN_DRIVER_H

#include <stddef.h>

#include "base/error.h"
#include "base/export.h"
#include "record/record.h"
#include "run/sim.h"
#include "scaling/controller.h"

WEIR_BEGIN_C

/* Who is called back by weir_run, weir_simulate and all that is made of them. It is used by one run
 * after another, in copies of the process too: what a run does must not depend on the runs before.
 */
typedef struct weir_run_driver {
	void *context;
	/* The policies of the run, some of them deferred, in place of the config's own. Borrowed. */
	const weir_controller_policy *policies;
	size_t policy_count;
	/* Where they depend on the run's config: sets *policies, which lives as long as the run. NULL:
	 * those above. */
	weir_status (*list)(void *context, const weir_config *config,
	                    const weir_controller_policy **policies, size_t *count, weir_error *error);
	/* A run begins, with `sim` at time 0: forgets the run before. `recorder` NULL: nothing is
	 * recorded; else tables, attributes and documents of its own may be added. After an error no
	 * file is left. */
	weir_status (*begin)(void *context, weir_sim *sim, weir_recorder *recorder, weir_error *error);
	/* The simulation waits; must call weir_sim_answer. */
	weir_status (*answer)(void *context, weir_sim *sim, weir_error *error);
	/* The run has come to its end, `sim` is not finished yet; last rows. NULL: not called. */
	weir_status (*end)(void *context, weir_sim *sim, weir_error *error);
	/* The simulation is about to be destroyed, whatever came of the run, or if it began at all.
	 * NULL: not called. */
	void (*leave)(void *context);
} weir_run_driver;

/* weir_sim_create_with the driver's policies; `driver` NULL: the config's own. */
WEIR_API weir_status weir_driver_create_sim(const weir_run_driver *driver,
                                            const weir_config *config,
                                            const weir_sim_observer *observer, weir_sim **sim,
                                            weir_error *error);

/* driver->begin, driver->end and driver->leave, where there is a driver that has them. */
WEIR_API weir_status weir_driver_begin(const weir_run_driver *driver, weir_sim *sim,
                                       weir_recorder *recorder, weir_error *error);
WEIR_API weir_status weir_driver_end(const weir_run_driver *driver, weir_sim *sim,
                                     weir_error *error);
WEIR_API void weir_driver_leave(const weir_run_driver *driver);

/*
 * weir_sim_run, with the driver's answer when the simulation waits: it returns then as well, ready
 * to go on. Errors: those of both; a simulation that waits without a driver, or after its answer
 * (WEIR_ERROR_INTERNAL).
 */
WEIR_API weir_status weir_driver_run(const weir_run_driver *driver, weir_sim *sim, double until,
                                     uint64_t events, bool *more, weir_error *error);

WEIR_END_C

#endif
