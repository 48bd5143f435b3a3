/* Views made by hand, to ask policies with. */
#ifndef WEIR_TESTS_SUPPORT_VIEWS_H
#define WEIR_TESTS_SUPPORT_VIEWS_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "base/keys.h"
#include "metrics/view.h"
#include "scaling/policy.h"

enum { HAND_INSTANCES = 512 };

/* Fill it with hand_view_add, change what was added, then hand_view_finish. */
typedef struct hand_view {
	weir_view view;
	weir_view_instance instances[HAND_INSTANCES];
} hand_view;

/* Empty, of a time, `interval` seconds after the one before. */
void hand_view_begin(hand_view *hand, double now, double interval);

/* Adds an instance of a pool, created and (unless it is SCALING_UP) ready long ago. */
weir_view_instance *hand_view_add(hand_view *hand, weir_tag tag, weir_instance_state state);

/* Adds `count` ACTIVE instances of a pool, each with so many requests. */
void hand_view_add_active(hand_view *hand, weir_tag tag, uint32_t count, uint32_t requests);

/* Sums the instances up to the pools' figures of the instant. */
const weir_view *hand_view_finish(hand_view *hand);

/* A policy with its parameters and state, alone. */
typedef struct hand_policy {
	const weir_policy_type *type;
	weir_policy_context context;
	weir_arena *arena;
	void *parameters;
	void *state;
} hand_policy;

/* Parameters from `json` ("{}": the defaults; quotes may be '), for one pool. */
void hand_policy_start(hand_policy *policy, const weir_policy_type *type,
                       const weir_key_table *table, const char *json, weir_tag tag);
void hand_policy_end(hand_policy *policy);
weir_decision hand_policy_decide(hand_policy *policy, const weir_view *view);

/* The size that the policy wants for its pool after this view: that of the view when it decides
 * nothing. Fails the test when it asks for anything but one size of its pool. */
int64_t hand_policy_size(hand_policy *policy, const weir_view *view);

/* Reads `json` as above with `table`; the status that comes of it. */
weir_status hand_read(weir_arena *arena, const weir_key_table *table, const char *json,
                      void *object, weir_error *error);

#endif
