/* What the checks of a recorded run share. Internal to the run room. */
#ifndef WEIR_RUN_VERIFICATION_H
#define WEIR_RUN_VERIFICATION_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/summary.h"
#include "record/reader.h"
#include "run/cluster.h"
#include "run/tables.h"
#include "run/verify.h"

/* What the requests say that an instance did. Figures of unfinished requests lie between 0 and
 * their sizes: *_open is what they may add. */
typedef struct weir_verify_work {
	double prompt_tokens, prompt_tokens_open;
	double output_tokens, output_tokens_open;
	double prompts_assigned, prompts_completed, requests_completed, preemptions;
} weir_verify_work;

/* A row of /instances; numbers of any kind are compared as doubles. */
typedef struct weir_verify_instance {
#define WEIR_VERIFY_INSTANCE_FIELD(field, type, column, unit, description) double field;
	WEIR_INSTANCE_ROW(WEIR_VERIFY_INSTANCE_FIELD)
#undef WEIR_VERIFY_INSTANCE_FIELD
} weir_verify_instance;

typedef struct weir_verification {
	weir_reader *reader;
	weir_verify_report *report;
	weir_error *error;
	bool finished; /* the run came to its end, so that there are instances, summary and totals */
	const weir_config *config;
	weir_built_cluster built;
	/* the cluster's instances, as the config has them */
	weir_instance_view *expected;
	uint32_t instance_count;
	/* from the file */
	weir_totals totals;
	weir_verify_instance *instances; /* as many as expected */
	/* from the requests */
	weir_verify_work *work; /* one per instance */
	double by_status[4];
	double transfer_bytes, transfer_bytes_open;
	bool rows_usable; /* no row has sizes, status or application that nothing can be made of */
} weir_verification;

/* Notes a failure; the first one's text is kept. */
void weir_verify_fail(weir_verification *v, weir_verify_check check, const char *format, ...)
    WEIR_PRINTF(3, 4);
/* What held, or why nothing was checked; no effect after a failure. */
void weir_verify_note(weir_verification *v, weir_verify_check check, weir_verify_outcome outcome,
                      const char *format, ...) WEIR_PRINTF(4, 5);

/* Equal but for rounding, relative to the larger; NaN equals NaN. */
bool weir_verify_close(double a, double b);
/* Equal; NaN equals NaN. */
bool weir_verify_same(double a, double b);

/* Reads /requests once: the check `requests`, and all that it gathers. */
weir_status weir_verify_requests(weir_verification *v);
/* Reads /instances: the checks `instances` and `tokens`; after weir_verify_requests. */
weir_status weir_verify_instances(weir_verification *v);
/* Reads /samples: the check `samples`, and of the check `energy` the samples' part; after
 * weir_verify_instances. */
weir_status weir_verify_samples(weir_verification *v);

#endif
