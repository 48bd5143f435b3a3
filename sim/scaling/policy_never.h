/* Never acts: what the cluster is at the start it stays. A baseline. */
#ifndef WEIR_SCALING_POLICY_NEVER_H
#define WEIR_SCALING_POLICY_NEVER_H

#include "scaling/policy.h"

WEIR_BEGIN_C

WEIR_API extern const weir_policy_type weir_policy_never;

WEIR_END_C

#endif
