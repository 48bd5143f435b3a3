/* Whether a recorded run agrees with itself and with the config that it was made by. */
#ifndef WEIR_RUN_VERIFY_H
#define WEIR_RUN_VERIFY_H

#include <stddef.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

/* X(name, what holds) */
#define WEIR_VERIFY_CHECKS(X)                                                                      \
	X(requests, "Every request has valid sizes, status and instances, and its times in order.")    \
	X(conservation, "arrived = completed + failed + rejected + unfinished.")                       \
	X(instances, "Instances are the config's and those added, busy and filled within bounds.")     \
	X(lifecycle, "Instances and servers are paid for from creation to removal, in every state.")   \
	X(scaling_events, "The scale operations are those that instances, servers and totals show.")   \
	X(tokens, "What each instance processed is what its requests had.")                            \
	X(transfers, "KV-cache bytes moved are those of the requests that changed instances.")         \
	X(samples, "Samples follow each other to the end and add up to what the instances did.")       \
	X(energy, "energy_kwh is what the instances, and the samples' power over time, come to.")      \
	X(pools, "What pools did and cost is what their instances and their samples add up to.")       \
	X(bill, "cost_usd is the price of every server from its creation to its removal.")             \
	X(summary, "Every statistic is what the requests give, exactly.")                              \
	X(totals, "Every total that follows from the requests is what they give, exactly.")

typedef enum weir_verify_check {
#define WEIR_VERIFY_ENUM(name, description) WEIR_VERIFY_##name,
	WEIR_VERIFY_CHECKS(WEIR_VERIFY_ENUM)
#undef WEIR_VERIFY_ENUM
	    WEIR_VERIFY_COUNT
} weir_verify_check;

typedef enum weir_verify_outcome {
	WEIR_VERIFY_HOLDS,
	WEIR_VERIFY_FAILS,
	WEIR_VERIFY_SKIPPED /* the file does not have what it takes */
} weir_verify_outcome;

enum { WEIR_VERIFY_DETAIL_SIZE = 256 };

typedef struct weir_verify_report {
	struct {
		weir_verify_outcome outcome;
		/* what was compared; of a failure the first instance of it; why it was skipped */
		char detail[WEIR_VERIFY_DETAIL_SIZE];
	} checks[WEIR_VERIFY_COUNT];
	size_t failed;
} weir_verify_report;

typedef struct weir_verify_description {
	const char *name, *description;
} weir_verify_description;

/* In the order of weir_verify_check. */
WEIR_API extern const weir_verify_description weir_verify_descriptions[WEIR_VERIFY_COUNT];

/*
 * Checks a finished file. Of one that was recovered, what its rows allow; the rest is skipped.
 * WEIR_OK when the checks could be made, whatever their outcome. Errors: those of
 * weir_reader_open; a table, column or config that is missing or refused; an execution-time profile
 * named by the config that is not there. Cost: O(rows) time, one column of memory.
 */
WEIR_API weir_status weir_verify(const char *path, weir_verify_report *report, weir_error *error);

WEIR_END_C

#endif
