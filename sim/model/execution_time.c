#include "model/execution_time.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "model/execution_kinds.h"

#define LARGEST_SECONDS 1e9

/* In the order of weir_execution_time_kinds. */
static const weir_execution_time_make makers[] = {
    weir_execution_table_make,
    weir_execution_constant_make,
    weir_execution_roofline_make,
};

const char *const weir_execution_time_kinds[] = {"table", "constant", "roofline", NULL};

static const weir_key execution_time_keys[] = {
    {.name = "kind",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_execution_time_config, kind),
     .default_text = "\"table\"",
     .choices = weir_execution_time_kinds,
     .doc = "How the time of an iteration is found: from a profile of measurements, from two "
            "constants, or from the roofline of the GPU."},
    {.name = "profile",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_execution_time_config, profile),
     .flags = WEIR_KEY_REQUIRED | WEIR_KEY_PATH,
     .only_if = "kind=table",
     .doc = "Profile file; 'weir profile build' makes one."},
    {.name = "mixed_factor",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_execution_time_config, mixed_factor),
     .default_text = "1.1",
     .maximum = 1000,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .only_if = "kind=table",
     .doc = "Factor on the prompt curve for a batch of both prompt and token tasks."},
    {.name = "prompt_seconds",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_execution_time_config, prompt_seconds),
     .maximum = LARGEST_SECONDS,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .only_if = "kind=constant",
     .unit = "s",
     .doc = "Time of an iteration with prompt work."},
    {.name = "token_seconds",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_execution_time_config, token_seconds),
     .maximum = LARGEST_SECONDS,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .only_if = "kind=constant",
     .unit = "s",
     .doc = "Time of an iteration of token tasks alone."},
    {.name = "busy_power_share",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_execution_time_config, busy_power_share),
     .default_text = "0.6",
     .maximum = 10,
     .doc = "Share of the server's TDP drawn while busy where no profile has measured it. (The "
            "Splitwise profile has 0.63 for bloom-176b and 0.43 for llama2-70b on dgx-a100, none "
            "for H100.)"},
    {.name = "roofline_overhead_s",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_execution_time_config, roofline_overhead_s),
     .default_text = "0",
     .maximum = LARGEST_SECONDS,
     .only_if = "kind=roofline",
     .unit = "s",
     .doc = "Added to every iteration."},
};

const weir_key_table weir_execution_time_keys = {
    .name = "execution_time",
    .doc = "How long an iteration takes.",
    .size = sizeof(weir_execution_time_config),
    .keys = execution_time_keys,
    .key_count = sizeof execution_time_keys / sizeof execution_time_keys[0],
};

weir_status weir_execution_time_create(const weir_execution_time_config *config,
                                       const weir_execution_target *target,
                                       weir_execution_time **model, weir_error *error)
{
	assert(config->kind >= 0 && (size_t)config->kind < sizeof makers / sizeof makers[0]);
	*model = NULL;
	return makers[config->kind](config, target, model, error);
}

void weir_execution_time_destroy(weir_execution_time *model)
{
	if (model != NULL) {
		model->type->destroy(model);
	}
}

double weir_floor_divide(double a, double b)
{
	assert(a >= 0.0 && b > 0.0);
	double quotient = (a - fmod(a, b)) / b;
	double whole = floor(quotient);
	return quotient - whole > 0.5 ? whole + 1.0 : whole;
}
