#include "config/slo_reference.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

weir_status weir_slo_reference_make(const weir_config *config,
                                    const weir_config_application *application,
                                    weir_execution_time **time, weir_slo_reference *reference,
                                    weir_error *error)
{
	const char *model = config->slo.reference_model;
	const weir_execution_target target = {
	    .architecture =
	        model[0] != '\0' ? weir_models_find(&config->models, model) : application->model,
	    .gpu = weir_hardware_gpu(&config->hardware, config->slo.reference_gpu),
	    .tensor_parallel = config->slo.reference_tensor_parallel,
	};
	weir_status status = weir_execution_time_create(&config->execution_time, &target, time, error);
	reference->time = *time;
	reference->by_batch_tokens =
	    strcmp(weir_execution_time_kinds[config->execution_time.kind], "table") == 0;
	return status;
}

weir_status weir_config_slo_make(const weir_config *config, weir_config_slo *made,
                                 weir_error *error)
{
	size_t count = config->application_count;
	*made = (weir_config_slo){
	    .references = weir_allocate(count, sizeof *made->references),
	    .times = weir_allocate(count, sizeof(weir_execution_time *)),
	};
	made->slo = (weir_slo){
	    .config = &config->slo, .references = made->references, .reference_count = count};
	weir_status status =
	    made->references != NULL && made->times != NULL
	        ? WEIR_OK
	        : weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the SLO");
	for (size_t a = 0; status == WEIR_OK && a < count; a++) {
		status = weir_slo_reference_make(config, &config->applications[a], &made->times[a],
		                                 &made->references[a], error);
	}
	if (status != WEIR_OK) {
		weir_config_slo_release(made);
	}
	return status;
}

void weir_config_slo_release(weir_config_slo *made)
{
	for (size_t a = 0; made->times != NULL && a < made->slo.reference_count; a++) {
		if (made->times[a] != NULL) {
			weir_execution_time_destroy(made->times[a]);
		}
	}
	free(made->references);
	free(made->times);
	*made = (weir_config_slo){.references = NULL};
}
