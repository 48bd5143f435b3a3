/* The unloaded reference that a config's SLO measures slowdowns against, as a weir_slo. */
#ifndef WEIR_CONFIG_SLO_REFERENCE_H
#define WEIR_CONFIG_SLO_REFERENCE_H

#include "base/error.h"
#include "base/export.h"
#include "config/config.h"
#include "metrics/slo.h"
#include "model/execution_time.h"

WEIR_BEGIN_C

/* Makes the execution times of one application's unloaded server. *time is to be destroyed by the
 * caller, after the last use of *reference, which points to it. Errors: those of
 * weir_execution_time_create. */
WEIR_API weir_status weir_slo_reference_make(const weir_config *config,
                                             const weir_config_application *application,
                                             weir_execution_time **time,
                                             weir_slo_reference *reference, weir_error *error);

/* A weir_slo with the references of all applications. */
typedef struct weir_config_slo {
	weir_slo slo;
	/* what it points to */
	weir_slo_reference *references;
	weir_execution_time **times;
} weir_config_slo;

/* `config` must outlive it. Errors: those of weir_slo_reference_make (a profile that is missing is
 * one), out of memory. On an error nothing need be released. */
WEIR_API weir_status weir_config_slo_make(const weir_config *config, weir_config_slo *made,
                                          weir_error *error);
WEIR_API void weir_config_slo_release(weir_config_slo *made);

WEIR_END_C

#endif
