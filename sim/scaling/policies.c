#include "scaling/policies.h"

const char *const weir_policy_kind_names[] = {
#define POLICY_NAME(name) #name,
    WEIR_POLICIES(POLICY_NAME, POLICY_NAME)
#undef POLICY_NAME
        NULL};

const weir_policy_type *const weir_policy_types[] = {
#define POLICY_TYPE(name) &weir_policy_##name,
    WEIR_POLICIES(POLICY_TYPE, POLICY_TYPE)
#undef POLICY_TYPE
};

static const weir_key keys[] = {
    {.name = "kind",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_policy_config, kind),
     .choices = weir_policy_kind_names,
     .flags = WEIR_KEY_REQUIRED,
     .doc = "Which policy; docs/autoscalers.md describes them."},
    {.name = "application",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_policy_config, application),
     .default_text = "\"\"",
     .doc = "The application whose pools it sizes; empty: the first."},
    {.name = "pool",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_policy_config, pool),
     .default_text = "\"\"",
     .doc = "The pool that it sizes: prompt, token or mixed; empty: every pool of the application, "
            "each with an instance of the policy of its own."},
    {.name = "interval",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_policy_config, interval),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e7,
     .unit = "s",
     .doc = "Time between two decisions; 0: the policy's own."},
#define POLICY_KEY(name_)                                                                          \
	{.name = #name_,                                                                               \
	 .type = WEIR_KEY_OBJECT,                                                                      \
	 .offset = offsetof(weir_policy_config, of_##name_),                                           \
	 .table = &weir_##name_##_keys,                                                                \
	 .only_if = "kind=" #name_,                                                                    \
	 .doc = "Parameters of the policy " #name_ "."},
    WEIR_POLICIES(POLICY_KEY, WEIR_NO_POLICY)
#undef POLICY_KEY
};

const weir_key_table weir_policy_keys = {
    .name = "policy",
    .doc = "A policy that sizes pools.",
    .size = sizeof(weir_policy_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

const void *weir_policy_parameters(const weir_policy_config *config)
{
	switch ((weir_policy_kind)config->kind) {
#define POLICY_PARAMETERS(name)                                                                    \
	case WEIR_POLICY_KIND_##name:                                                                  \
		return &config->of_##name;
		WEIR_POLICIES(POLICY_PARAMETERS, WEIR_NO_POLICY)
#undef POLICY_PARAMETERS
	default:
		return NULL;
	}
}
