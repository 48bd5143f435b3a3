/* What a config says of serving: instances, schedulers, the network between them. */
#ifndef WEIR_SERVING_SERVING_CONFIG_H
#define WEIR_SERVING_SERVING_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/export.h"
#include "base/keys.h"

WEIR_BEGIN_C

/* Home pool of an instance; see docs/serving.md. */
typedef enum weir_tag { WEIR_TAG_PROMPT, WEIR_TAG_TOKEN, WEIR_TAG_MIXED, WEIR_TAG_COUNT } weir_tag;

/* "prompt", "token", "mixed"; NULL-terminated. */
WEIR_API extern const char *const weir_tag_names[];

/* The `instance` section: how an instance batches. */
typedef struct weir_instance_config {
	int kind;                 /* index into weir_batching_names */
	int64_t max_batch_size;   /* tasks */
	int64_t max_batch_tokens; /* tokens per iteration; not used by orca */
	int64_t
	    max_preemptions; /* iterations a task may be passed over before it goes first; splitwise */
	int64_t tensor_parallel; /* GPUs per instance */
	bool grouped_query_kv;   /* count the KV heads of the model; the reference does not */
} weir_instance_config;

WEIR_API extern const weir_key_table weir_instance_keys;
/* "orca", "splitwise", "chunked"; NULL-terminated. */
WEIR_API extern const char *const weir_batching_names[];

/* The `scheduler` section: which instances a request goes to. */
typedef struct weir_scheduler_config {
	int kind;                           /* index into weir_scheduler_names */
	double transfer_bandwidth_gb_per_s; /* of a dedicated link; GB = 1024^3 bytes */
	double transfer_retry_s;            /* until a transfer that found no memory is tried again */
	double overlap_factor;              /* overlap_*: how much shorter the visible transfer is */
	int64_t prompt_max_pending_tokens;  /* mixed_pool: a longer prompt queue overflows to the mixed
	                                       list */
} weir_scheduler_config;

WEIR_API extern const weir_key_table weir_scheduler_keys;
/* In the order of the scheduler table; NULL-terminated. */
WEIR_API extern const char *const weir_scheduler_names[];

typedef enum weir_network_kind {
	WEIR_NETWORK_DEDICATED,
	WEIR_NETWORK_SHARED_NIC
} weir_network_kind;

/* The `network` section: what KV-cache transfers share. */
typedef struct weir_network_config {
	int kind;                        /* weir_network_kind */
	double local_bandwidth_gb_per_s; /* shared_nic: between instances of one server */
} weir_network_config;

WEIR_API extern const weir_key_table weir_network_keys;

WEIR_END_C

#endif
