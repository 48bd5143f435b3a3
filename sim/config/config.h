/*
 * The config of a run: what the rooms' own sections say, joined, checked against each other and
 * immutable.
 */
#ifndef WEIR_CONFIG_CONFIG_H
#define WEIR_CONFIG_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "config/document.h"
#include "config/family.h"
#include "hardware/hardware.h"
#include "metrics/metrics_config.h"
#include "model/architecture.h"
#include "model/execution_time.h"
#include "record/record_config.h"
#include "scaling/policies.h"
#include "scaling/scaling_config.h"
#include "serving/serving_config.h"
#include "workload/workload_config.h"

WEIR_BEGIN_C

/* A server of the start state. */
typedef struct weir_config_server {
	const weir_server_sku *sku;
	weir_tag tag;
} weir_config_server;

/* One application: a model and the servers that serve it. */
typedef struct weir_config_application {
	const char *name;
	const weir_architecture *model;
	weir_instance_config instance;
	weir_scheduler_config scheduler;
	const weir_config_server *servers; /* in the order of the config */
	size_t server_count;
	const weir_server_sku *const *more_skus; /* that may be added: those of scaling.skus */
	size_t more_sku_count;
} weir_config_application;

typedef struct weir_config {
	uint64_t seed;
	weir_workload_config workload; /* sections trace and workload */
	weir_hardware hardware;
	weir_key_list models; /* of weir_architecture */
	const weir_config_application *applications;
	size_t application_count; /* at least 1 */
	weir_network_config network;
	weir_execution_time_config execution_time;
	weir_slo_config slo;
	weir_sampling_config sampling;
	weir_record_config record;
	weir_scaling_config scaling;
	weir_control_config control;
	weir_faults_config faults;
	weir_key_list policies; /* of weir_policy_config */
	weir_family family;
} weir_config;

/* What a config may say: for weir_explain. An object read by it has an opaque type that begins with
 * a weir_config. */
WEIR_API extern const weir_key_table weir_config_keys;

/*
 * Loads and checks a config. Freed, with all that it points to, by weir_config_destroy; NULL after
 * an error. Refused, with the path and what would be right: what weir_document_load and the key
 * tables refuse; a name that no catalogue has; no servers; servers in no pool or pools beyond the
 * servers; a scheduler without the pools that it needs; instances larger than their servers, or too
 * small for the model. The shapes of the family are read, but not tried: weir_config_check_family.
 */
WEIR_API weir_status weir_config_load(const weir_document_options *options,
                                      const weir_config **config, weir_error *error);

/*
 * Loads the config of one replication, from 0, of the family that the config describes: its files,
 * then the shape's overrides, then options->sets, then the replication's seed. `options->said` is
 * not to be set. Otherwise as weir_config_load. Cost: that of loading the config twice.
 */
WEIR_API weir_status weir_config_load_member(const weir_document_options *options,
                                             uint64_t replication, const weir_config **config,
                                             weir_error *error);

/* Checks that every member of the family would load. Cost: that of loading the config once more for
 * each shape. */
WEIR_API weir_status weir_config_check_family(const weir_document_options *options,
                                              weir_error *error);

WEIR_API void weir_config_destroy(const weir_config *config);

/* The stream of requests that the config asks for, as weir_workload_open; an error about what the
 * config says or lacks has its file and key path. */
WEIR_API weir_status weir_config_open_workload(const weir_config *config, weir_source **source,
                                               weir_error *error);

/*
 * Checks what a run would find out before its first event: that the workload can be opened
 * (standard input is left alone), and that the execution-time model knows every application's model
 * on its servers and on the SLO's reference. Errors name the file.
 */
WEIR_API weir_status weir_config_check_files(const weir_config *config, weir_error *error);

/* The config with every default filled in and file names absolute, as JSON that loads to the same
 * config and prints the same. To be freed; NULL when memory is out. */
WEIR_API char *weir_config_print(const weir_config *config);

WEIR_END_C

#endif
