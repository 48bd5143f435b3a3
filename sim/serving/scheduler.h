/*
 * Schedulers: which instances a request goes to. Internal to the serving room.
 *
 * To add one: a weir_scheduler_type in a file of its own or beside its kin, its name in
 * weir_scheduler_names, a line in the table of scheduler.c, a test.
 */
#ifndef WEIR_SERVING_SCHEDULER_H
#define WEIR_SERVING_SCHEDULER_H

#include <gsl/gsl_rng.h>
#include <stdbool.h>
#include <stdint.h>

#include "serving/instance_list.h"
#include "serving/serving_config.h"

struct weir_serving;
struct weir_instance;

/* The ACTIVE instances of one application, and what its scheduler remembers of them. */
typedef struct weir_scheduler {
	const struct weir_scheduler_type *type;
	const weir_scheduler_config *config;
	weir_instance_list
	    lists[WEIR_TAG_COUNT]; /* by tag; a scheduler without pools uses mixed alone */
	gsl_rng *stream;           /* of the random scheduler, else NULL */
	/* placements that lacked one in its own list */
	uint64_t no_prompt_candidate, no_token_candidate;
} weir_scheduler;

/* What a scheduler may know of a request. */
typedef struct weir_placement_request {
	int64_t prompt_tokens;
	int64_t prompt_bytes, token_bytes; /* KV cache taken by the prompt and by the token task */
} weir_placement_request;

typedef struct weir_placement {
	uint32_t prompt, token; /* instances */
} weir_placement;

typedef struct weir_scheduler_type {
	const char *name;
	bool uses_pools;        /* prompt and token instances apart */
	bool overlaps_transfer; /* most of the KV transfer runs beside the prompt */
	unsigned figures;       /* kept by its lists */
	/* False when it finds no ACTIVE instance: the request then waits. */
	bool (*place)(struct weir_serving *serving, weir_scheduler *scheduler,
	              const weir_placement_request *request, weir_placement *placement);
	/* A token instance alone, for a request that lost its own; WEIR_NONE when there is none. NULL
	 * for those that use one instance. */
	uint32_t (*place_token)(struct weir_serving *serving, weir_scheduler *scheduler,
	                        const weir_placement_request *request);
	/* An instance ran empty; may be NULL. */
	void (*instance_free)(struct weir_serving *serving, weir_scheduler *scheduler,
	                      struct weir_instance *instance);
} weir_scheduler_type;

/* In the order of weir_scheduler_names. */
extern const weir_scheduler_type *const weir_scheduler_types[];

extern const weir_scheduler_type weir_scheduler_random;
extern const weir_scheduler_type weir_scheduler_round_robin;
extern const weir_scheduler_type weir_scheduler_jsq;
extern const weir_scheduler_type weir_scheduler_token_jsq;
extern const weir_scheduler_type weir_scheduler_kv_round_robin;
extern const weir_scheduler_type weir_scheduler_kv_jsq;
extern const weir_scheduler_type weir_scheduler_kv_token_jsq;
extern const weir_scheduler_type weir_scheduler_overlap_kv_jsq;
extern const weir_scheduler_type weir_scheduler_overlap_kv_token_jsq;
extern const weir_scheduler_type weir_scheduler_mixed_pool;

/* False when memory is out. */
bool weir_scheduler_init(weir_scheduler *scheduler, const weir_scheduler_config *config,
                         uint64_t seed, uint64_t application);
void weir_scheduler_release(weir_scheduler *scheduler);
bool weir_scheduler_copy(weir_scheduler *target, const weir_scheduler *source);

/* Puts an instance at the end of the list of its tag; false when memory is out. */
bool weir_scheduler_add(struct weir_serving *serving, weir_scheduler *scheduler,
                        struct weir_instance *instance);
void weir_scheduler_remove(struct weir_serving *serving, weir_scheduler *scheduler,
                           struct weir_instance *instance);
/* Moves an instance to the end of another list. */
void weir_scheduler_move(struct weir_serving *serving, weir_scheduler *scheduler,
                         struct weir_instance *instance, weir_tag list);

#endif
