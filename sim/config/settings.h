/* What a config says, as it is written, beside what it comes to. Internal to the config room. */
#ifndef WEIR_CONFIG_SETTINGS_H
#define WEIR_CONFIG_SETTINGS_H

#include "config/config.h"
#include "config/short_forms.h"

/* A cluster's servers and what they serve; both at the top of a config and in each application. */
typedef struct deployment_settings {
	const char *model;
	weir_key_list servers; /* of weir_server_group */
	weir_pools_config pools;
} deployment_settings;

/* One of `applications`. */
typedef struct application_settings {
	const char *name;
	deployment_settings deployment;
	const cJSON *instance, *scheduler; /* what differs from the config's own; NULL: nothing. Valid
	                                      only while the config is read */
} application_settings;

typedef struct settings {
	weir_config config; /* first: weir_config_keys promises it */
	int64_t seed;
	deployment_settings deployment;
	weir_instance_config instance;
	weir_scheduler_config scheduler;
	weir_key_list applications; /* of application_settings */
} settings;

/* Makes config.applications of all the rest, with every check between them. */
weir_status config_deploy(weir_keys_reader *reader, settings *all, weir_error *error);

/* What the scaling sections say of a cluster that config_deploy has made. */
weir_status config_check_scaling(weir_keys_reader *reader, const weir_config *config,
                                 weir_error *error);

/* The short form of `policies`: the kind of the only one. */
weir_status config_read_policies(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                                 const char *path, void *field, weir_error *error);

/* An unknown name, with the nearest of a catalogue; each of its items, of `size` bytes, begins with
 * its name. */
weir_status config_fail_unknown(weir_keys_reader *reader, const char *path, const char *what,
                                const char *name, const weir_key_list *known, size_t size,
                                weir_error *error);

#endif
