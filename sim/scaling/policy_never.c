#include "scaling/policy_never.h"

static void decide(const weir_policy_context *context, void *state, const weir_view *view,
                   weir_decision *decision)
{
	(void)context, (void)state, (void)view, (void)decision;
}

const weir_policy_type weir_policy_never = {
    .name = "never",
    .summary = "never acts: a baseline",
    .interval = 60,
    .decide = decide,
};
