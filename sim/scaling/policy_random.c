#include "scaling/policy_random.h"

#include "base/random.h"

static const weir_key keys[] = {
    {.name = "step",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_random_config, step),
     .default_text = "1",
     .minimum = 0,
     .maximum = 1 << 20,
     .unit = "instances",
     .doc = "Most instances that a decision adds or takes away."},
};

const weir_key_table weir_random_keys = {
    .name = "random",
    .doc = "Changes by chance.",
    .size = sizeof(weir_random_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

/* Each draw is a function of the number of the tick: a count is all the state there is to copy. */
typedef struct random_state {
	uint64_t stream; /* of this application and pool */
	uint64_t ticks;
} random_state;

static size_t state_size(const weir_policy_context *context)
{
	(void)context;
	return sizeof(random_state);
}

static weir_status start(const weir_policy_context *context, void *state, weir_error *error)
{
	(void)error;
	random_state *random = state;
	uint64_t pool = (uint64_t)context->application * WEIR_TAG_COUNT + weir_policy_tag(context);
	random->stream = weir_stream_seed(context->seed, "policy random", pool);
	return WEIR_OK;
}

static void decide(const weir_policy_context *context, void *state, const weir_view *view,
                   weir_decision *decision)
{
	(void)view;
	random_state *random = state;
	const weir_random_config *config = context->parameters;
	uint64_t word = weir_stream_seed(random->stream, "tick", random->ticks++);
	/* The upper half of the word as a share of 2^32, times the number of outcomes. */
	uint64_t outcomes = 2 * (uint64_t)config->step + 1;
	int64_t change = (int64_t)(((word >> 32) * outcomes) >> 32) - config->step;
	if (change != 0) {
		weir_decide_change(decision, weir_policy_tag(context), WEIR_ANY_TYPE, change);
	}
}

const weir_policy_type weir_policy_random = {
    .name = "random",
    .summary = "changes every pool by chance: a baseline",
    .interval = 60,
    .state_size = state_size,
    .start = start,
    .decide = decide,
};
