#include "rl/ppo.h"

#include <math.h>

static const char *const schedules[] = {"constant", "linear", NULL};

weir_ppo_config weir_ppo_config_default(void)
{
	return (weir_ppo_config){.learning_rate = 3e-4,
	                         .n_steps = 2048,
	                         .batch_size = 64,
	                         .n_epochs = 10,
	                         .gamma = 0.99,
	                         .gae_lambda = 0.95,
	                         .clip_range = 0.2,
	                         .normalize_advantage = true,
	                         .vf_coef = 0.5,
	                         .max_grad_norm = 0.5,
	                         .adam_beta1 = 0.9,
	                         .adam_beta2 = 0.999,
	                         .adam_eps = 1e-5};
}

#define NUMBER(field, text, low, high, flag, description)                                          \
	{                                                                                              \
		.name = #field, .type = WEIR_KEY_NUMBER, .offset = offsetof(weir_ppo_config, field),       \
		.default_text = (text), .minimum = (low), .maximum = (high), .flags = (flag),              \
		.doc = (description)                                                                       \
	}
#define INTEGER(field, text, high, key_unit, description)                                          \
	{                                                                                              \
		.name = #field, .type = WEIR_KEY_INTEGER, .offset = offsetof(weir_ppo_config, field),      \
		.default_text = (text), .minimum = 1, .maximum = (high), .unit = (key_unit),               \
		.doc = (description)                                                                       \
	}
#define SCHEDULE(field, description)                                                               \
	{                                                                                              \
		.name = #field, .type = WEIR_KEY_CHOICE, .offset = offsetof(weir_ppo_config, field),       \
		.default_text = "\"constant\"", .choices = schedules, .doc = (description)                 \
	}

static const weir_key keys[] = {
    NUMBER(learning_rate, "3e-4", 0, 10, WEIR_KEY_ABOVE_MINIMUM, "The step size of Adam."),
    SCHEDULE(learning_rate_schedule,
             "constant, or linear: falls to 0 at the end of training, a step with every update."),
    INTEGER(n_steps, "2048", 1 << 24, "steps",
            "How long a rollout is, of each environment; then the network is updated."),
    INTEGER(batch_size, "64", 1 << 24, "steps",
            "How many steps make a minibatch; the last one of an epoch may be smaller."),
    INTEGER(n_epochs, "10", 1 << 16, NULL, "How often an update goes through its rollout."),
    NUMBER(gamma, "0.99", 0, 1, 0, "The discount of a reward by one step."),
    NUMBER(gae_lambda, "0.95", 0, 1, 0,
           "The discount, beside gamma, of later errors in an advantage: 0 trusts the value of the "
           "next step, 1 what the episode brought."),
    NUMBER(
        clip_range, "0.2", 0, 1e6, WEIR_KEY_ABOVE_MINIMUM,
        "How far the probability of an action may move in one update, relatively, before nothing "
        "is to be gained."),
    SCHEDULE(clip_range_schedule, "As learning_rate_schedule, of clip_range."),
    NUMBER(clip_range_vf, "0", 0, 1e12, 0,
           "How far a value may move in one update before it learns no more; depends on the scale "
           "of rewards. 0: as far as it will."),
    {.name = "normalize_advantage",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_ppo_config, normalize_advantage),
     .default_text = "true",
     .doc = "Advantages of a minibatch have mean 0 and standard deviation 1."},
    NUMBER(ent_coef, "0", 0, 1e6, 0, "The weight of the policy's entropy, to be kept high."),
    NUMBER(vf_coef, "0.5", 0, 1e6, 0, "The weight of the value's squared error."),
    NUMBER(max_grad_norm, "0.5", 0, INFINITY, WEIR_KEY_ABOVE_MINIMUM,
           "A longer gradient is cut to this length."),
    NUMBER(
        target_kl, "0", 0, 1e6, 0,
        "An update ends early when its policy is 1.5 times this far from the old one, in nats. 0: "
        "never."),
    NUMBER(adam_beta1, "0.9", 0, 1, WEIR_KEY_BELOW_MAXIMUM,
           "The decay of Adam's mean of gradients."),
    NUMBER(adam_beta2, "0.999", 0, 1, WEIR_KEY_BELOW_MAXIMUM,
           "The decay of Adam's mean of squared gradients."),
    NUMBER(adam_eps, "1e-5", 0, 1, WEIR_KEY_ABOVE_MINIMUM, "Keeps Adam from dividing by nothing."),
};

const weir_key_table weir_ppo_keys = {
    .name = "ppo",
    .doc = "Proximal policy optimisation; names and defaults are those of Stable-Baselines3.",
    .size = sizeof(weir_ppo_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};
