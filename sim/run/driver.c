#include "run/driver.h"

weir_status weir_driver_create_sim(const weir_run_driver *driver, const weir_config *config,
                                   const weir_sim_observer *observer, weir_sim **sim,
                                   weir_error *error)
{
	if (driver == NULL) {
		return weir_sim_create(config, observer, sim, error);
	}
	const weir_controller_policy *policies = driver->policies;
	size_t count = driver->policy_count;
	*sim = NULL;
	weir_status status = driver->list != NULL
	                         ? driver->list(driver->context, config, &policies, &count, error)
	                         : WEIR_OK;
	return status == WEIR_OK ? weir_sim_create_with(config, observer, policies, count, sim, error)
	                         : status;
}

weir_status weir_driver_begin(const weir_run_driver *driver, weir_sim *sim, weir_recorder *recorder,
                              weir_error *error)
{
	return driver != NULL && driver->begin != NULL
	           ? driver->begin(driver->context, sim, recorder, error)
	           : WEIR_OK;
}

weir_status weir_driver_end(const weir_run_driver *driver, weir_sim *sim, weir_error *error)
{
	return driver != NULL && driver->end != NULL ? driver->end(driver->context, sim, error)
	                                             : WEIR_OK;
}

void weir_driver_leave(const weir_run_driver *driver)
{
	if (driver != NULL && driver->leave != NULL) {
		driver->leave(driver->context);
	}
}

static weir_status unanswered(const weir_sim *sim, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_INTERNAL, NULL,
	                      "policy %d is deferred, and nobody decided for it at %.3f s",
	                      weir_sim_waiting(sim), weir_sim_now(sim));
}

weir_status weir_driver_run(const weir_run_driver *driver, weir_sim *sim, double until,
                            uint64_t events, bool *more, weir_error *error)
{
	weir_status status = weir_sim_run(sim, until, events, more, error);
	if (status != WEIR_OK || weir_sim_waiting(sim) < 0) {
		return status;
	}
	if (driver != NULL) {
		status = driver->answer(driver->context, sim, error);
	}
	return status == WEIR_OK && weir_sim_waiting(sim) >= 0 ? unanswered(sim, error) : status;
}
