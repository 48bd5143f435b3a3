#include "scaling/policy_static.h"

#define SIZE_KEY(name_, tag)                                                                       \
	{                                                                                              \
		.name = name_, .type = WEIR_KEY_INTEGER,                                                   \
		.offset = offsetof(weir_static_config, sizes) + sizeof(int64_t) * (tag),                   \
		.default_text = "-1", .minimum = -1, .maximum = 1 << 20, .unit = "instances",              \
		.doc = "Size of the " name_ " pool; -1: what it has at the start."                         \
	}

static const weir_key keys[] = {
    SIZE_KEY("prompt", WEIR_TAG_PROMPT),
    SIZE_KEY("token", WEIR_TAG_TOKEN),
    SIZE_KEY("mixed", WEIR_TAG_MIXED),
};

const weir_key_table weir_static_keys = {
    .name = "static",
    .doc = "Pools of fixed sizes.",
    .size = sizeof(weir_static_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

static void decide(const weir_policy_context *context, void *state, const weir_view *view,
                   weir_decision *decision)
{
	(void)state;
	const weir_static_config *config = context->parameters;
	weir_tag tag = weir_policy_tag(context);
	int64_t size = config->sizes[tag];
	if (size >= 0 && size != weir_view_size(&view->pools[tag])) {
		weir_decide_size(decision, tag, size);
	}
}

const weir_policy_type weir_policy_static = {
    .name = "static",
    .summary = "holds the pools at given sizes",
    .interval = 15,
    .decide = decide,
};
