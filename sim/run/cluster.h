/* The cluster that a config describes, with its execution-time models. Internal to the run room. */
#ifndef WEIR_RUN_CLUSTER_H
#define WEIR_RUN_CLUSTER_H

#include "base/error.h"
#include "config/config.h"
#include "metrics/slo.h"
#include "serving/serving.h"

/* Immutable once made; any number of simulations may share it. */
typedef struct weir_built_cluster {
	weir_cluster cluster;
	weir_slo slo;
	/* what they point to */
	weir_application *applications;
	weir_instance_type *types;   /* of all applications, one after the other */
	weir_start_server *servers;  /* likewise */
	weir_execution_time **times; /* of the types, then of the SLO's references */
	size_t time_count;
	weir_slo_reference *references;
} weir_built_cluster;

/* `config` must outlive it. On an error nothing need be released. */
weir_status weir_cluster_build(const weir_config *config, weir_built_cluster *built,
                               weir_error *error);
void weir_cluster_release(weir_built_cluster *built);

#endif
