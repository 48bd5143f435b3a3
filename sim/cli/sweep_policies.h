/* What the axis "policy" of a sweep, a plan or a screening means: that of `weir run --policy`. */
#ifndef WEIR_CLI_SWEEP_POLICIES_H
#define WEIR_CLI_SWEEP_POLICIES_H

#include "study/sweep_policy.h"

/* "NAME", "rl:FILE", "rl:FILE+rl:FILE" or "NAME+rl:FILE" (cli/policy_argument.h). The content of
 * agents' files, by its SHA-256, tells points apart. */
extern const weir_sweep_policies cli_sweep_policies;

#endif
