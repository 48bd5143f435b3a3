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
	double prompts_completed, requests_completed, preemptions;
} weir_verify_work;

/* What all requests of a run come to, where attempts that were lost matter: what these did is not
 * in the rows of requests. */
typedef struct weir_verify_attempts {
	double prompt_tokens, prompt_tokens_open; /* of attempts that were not lost */
	double output_tokens, output_tokens_open;
	double restarts;            /* attempts lost but for the last ones of requests that failed */
	double preemptions;         /* in all attempts */
	double preemptions_unknown; /* of these, of requests that began again: on any instance */
} weir_verify_attempts;

/* A row of /instances; numbers of any kind are compared as doubles. */
typedef struct weir_verify_instance {
#define WEIR_VERIFY_FIELD(field, type, column, unit, description) double field;
	WEIR_INSTANCE_ROW(WEIR_VERIFY_FIELD)
	const weir_instance_type *type; /* NULL: the application has no such SKU */
} weir_verify_instance;

/* A row of /servers, likewise. */
typedef struct weir_verify_server {
	WEIR_SERVER_ROW(WEIR_VERIFY_FIELD)
	const weir_instance_type *type;
} weir_verify_server;

/* A row of /pools, or what samples or instances come to in its terms. */
typedef struct weir_verify_pool {
	WEIR_POOL_ROW(WEIR_VERIFY_FIELD)
#undef WEIR_VERIFY_FIELD
	double paid; /* in all states */
} weir_verify_pool;

typedef struct weir_verification {
	weir_reader *reader;
	weir_verify_report *report;
	weir_error *error;
	bool finished; /* the run came to its end, so that there are instances, summary and totals */
	const weir_config *config;
	weir_built_cluster built;
	/* the instances that the cluster starts with, as the config has them */
	weir_instance_view *expected;
	uint32_t start_count;
	bool scales; /* there may be others */
	/* from a finished file */
	weir_totals totals;
	weir_verify_instance *instances; /* by id */
	uint32_t instance_count;
	weir_verify_server *servers; /* by id */
	uint32_t server_count;
	weir_verify_pool *pools; /* [application * WEIR_TAG_COUNT + tag] */
	/* from the requests */
	weir_verify_work *work; /* one per instance */
	weir_verify_attempts attempts;
	double *prompts_assigned; /* one per application, in all attempts */
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

/* The same for lengths of time that are differences of times of this run. */
bool weir_verify_close_time(const weir_verification *v, double a, double b);

/* Reads /instances, /servers and /pools of a finished file. Notes rows that can stand for nothing
 * as failures of `instances`, `bill` and `pools`. */
weir_status weir_verify_read_cluster(weir_verification *v);
/* Reads /requests once: the check `requests`, and all that it gathers. After the cluster. */
weir_status weir_verify_requests(weir_verification *v);
/* The checks `instances` and `tokens`; after weir_verify_requests. */
void weir_verify_instances(weir_verification *v);
/* The checks `lifecycle`, `pools` and `bill`. */
void weir_verify_lives(weir_verification *v);
/* Reads /scaling_events: the check `scaling_events`. */
weir_status weir_verify_scaling_events(weir_verification *v);
/* Reads /samples: the check `samples`, and of the check `energy` the samples' part; after
 * the cluster. */
weir_status weir_verify_samples(weir_verification *v);

#endif
