/* The list of all policies, and what a config says of each one that it uses. */
#ifndef WEIR_SCALING_POLICIES_H
#define WEIR_SCALING_POLICIES_H

#include "base/keys.h"
#include "scaling/policy.h"
#include "scaling/policy_apa.h"
#include "scaling/policy_ar.h"
#include "scaling/policy_dynamo_load.h"
#include "scaling/policy_dynamo_throughput.h"
#include "scaling/policy_holt_winters.h"
#include "scaling/policy_hpa.h"
#include "scaling/policy_keda.h"
#include "scaling/policy_kpa.h"
#include "scaling/policy_never.h"
#include "scaling/policy_random.h"
#include "scaling/policy_reactive.h"
#include "scaling/policy_schedule.h"
#include "scaling/policy_slope.h"
#include "scaling/policy_static.h"
#include "scaling/policy_wva.h"
#include "scaling/policy_wva2.h"

WEIR_BEGIN_C

/*
 * P(name): a policy with parameters; N(name): one without. weir_policy_<name> is its
 * weir_policy_type, weir_<name>_config its parameters, weir_<name>_keys their table; in a config
 * `kind: "<name>"`, and the parameters below `<name>`.
 */
#define WEIR_POLICIES(P, N)                                                                        \
	N(never)                                                                                       \
	P(random)                                                                                      \
	P(static)                                                                                      \
	P(schedule)                                                                                    \
	P(hpa)                                                                                         \
	P(keda)                                                                                        \
	P(kpa)                                                                                         \
	P(reactive)                                                                                    \
	P(apa)                                                                                         \
	P(slope)                                                                                       \
	P(holt_winters)                                                                                \
	P(ar)                                                                                          \
	P(dynamo_throughput)                                                                           \
	P(dynamo_load)                                                                                 \
	P(wva)                                                                                         \
	P(wva2)

/* Ignores a line of the list. */
#define WEIR_NO_POLICY(name)

typedef enum weir_policy_kind {
#define WEIR_POLICY_ENUM(name) WEIR_POLICY_KIND_##name,
	WEIR_POLICIES(WEIR_POLICY_ENUM, WEIR_POLICY_ENUM)
#undef WEIR_POLICY_ENUM
	    WEIR_POLICY_KIND_COUNT
} weir_policy_kind;

/* One of `policies`. */
typedef struct weir_policy_config {
	int kind;                /* weir_policy_kind */
	const char *application; /* name; "": the only or first one */
	const char *pool;        /* "prompt", "token", "mixed"; "": all that there are, each with an
	                            instance of the policy of its own (a joint one: one for all) */
	double interval;         /* s; 0: the policy's own */
#define WEIR_POLICY_FIELD(name) weir_##name##_config of_##name;
	WEIR_POLICIES(WEIR_POLICY_FIELD, WEIR_NO_POLICY)
#undef WEIR_POLICY_FIELD
} weir_policy_config;

WEIR_API extern const weir_key_table weir_policy_keys;

/* In the order of the list; the names NULL-terminated. */
WEIR_API extern const char *const weir_policy_kind_names[];
WEIR_API extern const weir_policy_type *const weir_policy_types[];

/* The parameter struct of the policy's kind; NULL when it has none. */
WEIR_API const void *weir_policy_parameters(const weir_policy_config *config);

WEIR_END_C

#endif
