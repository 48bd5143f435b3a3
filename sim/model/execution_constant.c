#include <stdlib.h>

#include "base/memory.h"
#include "model/execution_kinds.h"

typedef struct constant_model {
	weir_execution_time base;
	double prompt_seconds, token_seconds;
	double power_share;
} constant_model;

static double duration(const weir_execution_time *model, const weir_batch *batch)
{
	const constant_model *constant = (const constant_model *)model;
	return batch->prompt_tasks > 0 ? constant->prompt_seconds : constant->token_seconds;
}

static double time_for(const weir_execution_time *model, const weir_batch *batch, int64_t k)
{
	return duration(model, batch) * (double)k;
}

static int64_t iterations_in(const weir_execution_time *model, const weir_batch *batch,
                             double elapsed)
{
	return (int64_t)weir_floor_divide(elapsed, duration(model, batch));
}

static double power_share(const weir_execution_time *model, const weir_batch *batch)
{
	(void)batch;
	return ((const constant_model *)model)->power_share;
}

static void destroy(weir_execution_time *model)
{
	free(model);
}

static const weir_execution_time_type constant_type = {
    .name = "constant",
    .doc = "Two constants: one for an iteration with prompt work, one for token tasks alone.",
    .time_for = time_for,
    .iterations_in = iterations_in,
    .power_share = power_share,
    .destroy = destroy,
};

weir_status weir_execution_constant_make(const weir_execution_time_config *config,
                                         const weir_execution_target *target,
                                         weir_execution_time **model, weir_error *error)
{
	(void)target;
	constant_model *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a model");
	}
	*made = (constant_model){
	    .base.type = &constant_type,
	    .prompt_seconds = config->prompt_seconds,
	    .token_seconds = config->token_seconds,
	    .power_share = config->busy_power_share,
	};
	*model = &made->base;
	return WEIR_OK;
}
