/* Changes every pool by chance: what any policy must beat, and an example of one with parameters
 * and chance. */
#ifndef WEIR_SCALING_POLICY_RANDOM_H
#define WEIR_SCALING_POLICY_RANDOM_H

#include "scaling/policy.h"

WEIR_BEGIN_C

typedef struct weir_random_config {
	int64_t step; /* instances; a tick asks for -step .. step more, each as likely */
} weir_random_config;

WEIR_API extern const weir_key_table weir_random_keys;
WEIR_API extern const weir_policy_type weir_policy_random;

WEIR_END_C

#endif
