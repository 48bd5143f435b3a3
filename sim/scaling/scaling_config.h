/*
 * What a config says of scaling: the `scaling` section (the ScalingManager), `control` (how real
 * the control plane is), `faults`, and `policies`.
 */
#ifndef WEIR_SCALING_SCALING_CONFIG_H
#define WEIR_SCALING_SCALING_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/export.h"
#include "base/keys.h"

WEIR_BEGIN_C

/* A non-negative random length of time; `mean` seconds in every form. */
typedef enum weir_duration_kind {
	WEIR_DURATION_CONSTANT,
	WEIR_DURATION_EXPONENTIAL,
	WEIR_DURATION_LOGNORMAL, /* of that mean and coefficient of variation `cv` */
	WEIR_DURATION_UNIFORM    /* from mean * (1 - spread) to mean * (1 + spread) */
} weir_duration_kind;

typedef struct weir_duration_config {
	int kind;    /* weir_duration_kind */
	double mean; /* s */
	double cv, spread;
} weir_duration_config;

typedef enum weir_boot_kind {
	WEIR_BOOT_FIXED,     /* scale_up_delay */
	WEIR_BOOT_PROVISION, /* provision + weights / load_bandwidth + engine_start */
	WEIR_BOOT_WARM_POOL  /* a stopped server of the pool skips `provision`, while there are some */
} weir_boot_kind;

/* `scaling.boot` */
typedef struct weir_boot_config {
	int kind; /* weir_boot_kind */
	weir_duration_config provision, engine_start;
	double load_bandwidth_gb_per_s; /* of the weights; GB = 1024^3 bytes */
	int64_t warm_servers;           /* stopped servers at the start, of every SKU in use */
} weir_boot_config;

/* The `scaling` section. */
typedef struct weir_scaling_config {
	double scale_up_delay;       /* s; of boot kind fixed */
	double drain_check_interval; /* s */
	double drain_timeout;        /* s; 0: never */
	double role_flip_delay;      /* s */
	bool cancel_scale_up_first, revive_draining_first;
	int64_t min_instances_per_pool; /* ACTIVE ones of a tag */
	int64_t max_total_instances;    /* of the cluster, in every state */
	weir_key_list skus;             /* of const char *: SKUs that may be added beside those of the
	                                   start state */
	double prompt_token_ratio_min, prompt_token_ratio_max; /* bounds of prompt / token instances
	                                                          that a decision is cut to; 0: none */
	weir_boot_config boot;
} weir_scaling_config;

WEIR_API extern const weir_key_table weir_scaling_keys;

/* The `control` section: how decisions and metrics travel. */
typedef struct weir_control_config {
	double scrape_interval; /* s between measurements; 0: measured at the tick */
	double metric_lag;      /* s until a measurement can be seen */
	double metric_noise; /* standard deviation of a factor on every measured load, queue and rate */
	double decision_delay;  /* s from a decision to its operations */
	int64_t max_operations; /* in flight (booting, draining, flipping); more are cut; 0: no limit */
} weir_control_config;

WEIR_API extern const weir_key_table weir_control_keys;

/* The `faults` section; a rate or probability of 0 turns that fault off. */
typedef struct weir_faults_config {
	double instance_mtbf;     /* s between crashes of one ACTIVE or DRAINING instance */
	double server_mtbf;       /* s between losses of one server */
	double preemption_mtbf;   /* s between preemptions of one spot server */
	double preemption_notice; /* s */
	double spot_share;        /* share of the servers that are spot, by creation */
	double boot_failure;      /* probability that a boot fails at its end */
	double slow_boot;         /* probability that a boot takes slow_boot_factor times as long */
	double slow_boot_factor;
	double stock_out_mtbf;     /* s between the starts of stock-outs of one SKU */
	double stock_out_duration; /* s, mean, exponential */
	double straggler;          /* probability that an instance is slow for its life */
	double straggler_factor;   /* how many times as long its iterations take */
	bool replace;              /* whether a lost instance is started anew at once by the manager */
	int64_t max_retries;       /* of a request */
} weir_faults_config;

WEIR_API extern const weir_key_table weir_faults_keys;

WEIR_API extern const char *const weir_duration_kinds[];
WEIR_API extern const char *const weir_boot_kinds[];

WEIR_END_C

#endif
