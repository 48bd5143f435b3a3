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

/* Who is called back by weir_run and weir_simulate. It is used by one run after another. */
typedef struct weir_run_driver {
	void *context;
	/* The policies of the run, some of them deferred, in place of the config's own. Borrowed. */
	const weir_controller_policy *policies;
	size_t policy_count;
	/* A run begins, with `sim` at time 0: forgets the run before. `recorder` NULL: nothing is
	 * recorded; else tables of its own may be added. */
	weir_status (*begin)(void *context, weir_sim *sim, weir_recorder *recorder, weir_error *error);
	/* The simulation waits; must call weir_sim_answer. */
	weir_status (*answer)(void *context, weir_sim *sim, weir_error *error);
	/* The run has come to its end, `sim` is not finished yet; last rows. NULL: not called. */
	weir_status (*end)(void *context, weir_sim *sim, weir_error *error);
} weir_run_driver;

WEIR_END_C

#endif
