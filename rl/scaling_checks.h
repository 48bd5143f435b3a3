/*
 * The checks of every decision of the scaling loop, as functions of figures that were found in
 * different ways: each compares what the loop used with what somebody else counted.
 */
#ifndef WEIR_RL_SCALING_CHECKS_H
#define WEIR_RL_SCALING_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "config/config.h"
#include "metrics/view.h"
#include "scaling/controller.h"
#include "scaling/manager.h"
#include "workload/source.h"

WEIR_BEGIN_C

/* Each check: true when it holds; else `message`[WEIR_ERROR_MESSAGE_SIZE] says the values. */

/* What a workload has in an interval, of one application. */
typedef struct weir_workload_count {
	uint64_t arrived;
	bool sized; /* else the tokens are not known */
	int64_t prompt_tokens, output_tokens;
} weir_workload_count;

/* Draws from a stream of requests up to given times. */
typedef struct weir_workload_counter {
	weir_source *source; /* owned; NULL: none */
	weir_request next;   /* drawn and not counted yet, while `more` */
	bool more;
	bool sized; /* tokens are drawn as well */
} weir_workload_counter;

/*
 * Opens the workload of a config once more. Of a generated one the arrivals alone are drawn, which
 * sizes have no part in (each has a random stream of its own): that takes a third of the time.
 */
WEIR_API weir_status weir_workload_counter_begin(weir_workload_counter *counter,
                                                 const weir_config *config, weir_error *error);
WEIR_API void weir_workload_counter_end(weir_workload_counter *counter);
/* Counts what arrives after the last call, up to `until` s (included). */
WEIR_API weir_status weir_workload_counter_count(weir_workload_counter *counter, double until,
                                                 uint32_t application, weir_workload_count *count,
                                                 weir_error *error);

/* The workload is on: what arrived is exactly what the workload has. */
WEIR_API bool weir_check_workload(const weir_workload_count *expected, const weir_view *view,
                                  char *message);

/* What the serving has counted since its start. */
typedef struct weir_throughput_books {
	double time;
	weir_serving_counters serving;
	int64_t prompt_tokens, output_tokens; /* processed and made, all pools */
	bool whole; /* the view's application is the only one: the sums are its own */
} weir_throughput_books;

WEIR_API weir_throughput_books weir_throughput_books_of(const weir_serving *serving,
                                                        const weir_cluster *cluster, double time);

/*
 * Throughput was measured in this interval: the view is of the time between the two books; requests
 * that arrived have ended or are in the system; tokens processed and not lost are no fewer than
 * those of completed requests and no more than those that arrived; and the view shows what the
 * books differ by.
 */
WEIR_API bool weir_check_throughput(const weir_throughput_books *before,
                                    const weir_throughput_books *after, const weir_view *view,
                                    char *message);

/* The reward is finite and the sum of its terms (to 1e-9 of it, or of 1). */
WEIR_API bool weir_check_reward(double reward, const double *terms, size_t count, char *message);

/* What the manager says before and after a decision. */
typedef struct weir_manager_books {
	int64_t size[WEIR_TAG_COUNT];
	weir_manager_counters counters;
} weir_manager_books;

WEIR_API weir_manager_books weir_manager_books_of(const weir_manager *manager,
                                                  uint32_t application);

/* The action was applied: what was asked is what the decision says, no more was done, the sizes of
 * the pools and the manager's own counters changed by what was done. */
WEIR_API bool weir_check_applied(const weir_decision *decision, const weir_applied *applied,
                                 const weir_manager_books *before, const weir_manager_books *after,
                                 char *message);

WEIR_END_C

#endif
