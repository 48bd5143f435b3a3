/* label: long
 *
 * Random operations against an oracle of plain arrays, while requests are served.
 *
 * The oracle keeps who exists in which state, when each next step is due, and what is refused and
 * why. Only what is left on an instance it asks serving. 10^6 operations; a twentieth of them with
 * sanitizers, where each costs many times as much.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "support/managed_cluster.h"
#include "support/test_support.h"

#if defined(__SANITIZE_ADDRESS__)
enum { OPERATIONS = 50000 };
#else
enum { OPERATIONS = 1000000 };
#endif

enum { KINDS = 12, SETTINGS = 4, RUN_OPERATIONS = OPERATIONS / (KINDS * SETTINGS) + 1 };

enum { MOST = 14, MOST_SERVERS = 20, BUSY = 40, NOBODY = -1 };

/* Check's own assertions tell its parent of each one, also of those that hold: a system call. */
#define REQUIRE(condition, ...)                                                                    \
	do {                                                                                           \
		if (!(condition)) {                                                                        \
			ck_abort_msg(__VA_ARGS__);                                                             \
		}                                                                                          \
	} while (0)
#define HOLDS(condition) REQUIRE(condition, "%s", #condition)
#define SAME(a, b)                                                                                 \
	REQUIRE((double)(a) == (double)(b), "%s is %g, %s is %g", #a, (double)(a), #b, (double)(b))
#define WORKS(call, error) REQUIRE((call) == WEIR_OK, "%s", (error)->message)

typedef enum drain { FOR_REMOVAL, FOR_REMOVAL_FULL, FOR_FLIP } drain;

typedef struct body {
	bool exists, full, flips;
	uint32_t slot, type;
	weir_tag tag, target;
	weir_instance_state state;
	int server;
	double due, deadline;
	drain purpose;
	int order;
} body;

typedef struct house {
	bool exists;
	uint32_t slot, type;
	double ready;
} house;

typedef struct oracle {
	managed_cluster *managed;
	const weir_scaling_config *config;
	gsl_rng *draws;
	body *bodies; /* by id */
	house *houses;
	size_t body_capacity, house_capacity;
	int body_count, house_count, orders;
	int live[MOST]; /* ids of those that exist, ascending */
	int live_count, live_houses;
	uint32_t types;
	int own[WEIR_TAG_COUNT]; /* -1: no pool */
	uint64_t refused[WEIR_REFUSAL_COUNT];
	uint64_t done;
} oracle;

static double now_of(const oracle *o)
{
	return weir_engine_now(o->managed->cluster->engine);
}

static int pick(oracle *o, int count)
{
	return (int)gsl_rng_uniform_int(o->draws, (unsigned long)count);
}

/* --- the oracle's own rules --- */

static int count_of(const oracle *o, int tag, int state)
{
	int count = 0;
	for (int k = 0; k < o->live_count; k++) {
		int i = o->live[k];
		const body *b = &o->bodies[i];
		count +=
		    b->exists && (tag < 0 || (int)b->tag == tag) && (state < 0 || (int)b->state == state);
	}
	return count;
}

static int held_by(const oracle *o, int server)
{
	int count = 0;
	for (int k = 0; k < o->live_count; k++) {
		int i = o->live[k];
		count += o->bodies[i].exists && o->bodies[i].server == server;
	}
	return count;
}

static int build_house(oracle *o, uint32_t type, double ready)
{
	HOLDS(weir_reserve((void **)&o->houses, &o->house_capacity, (size_t)o->house_count + 1,
	                   sizeof *o->houses));
	o->houses[o->house_count] = (house){.exists = true, .type = type, .ready = ready};
	o->live_houses++;
	return o->house_count++;
}

static int bear(oracle *o, int server, weir_tag tag, double ready)
{
	HOLDS(weir_reserve((void **)&o->bodies, &o->body_capacity, (size_t)o->body_count + 1,
	                   sizeof *o->bodies));
	o->bodies[o->body_count] = (body){.exists = true,
	                                  .tag = tag,
	                                  .type = o->houses[server].type,
	                                  .server = server,
	                                  .state = WEIR_INSTANCE_SCALING_UP,
	                                  .due = ready};
	HOLDS(o->live_count < MOST);
	o->live[o->live_count++] = o->body_count;
	return o->body_count++;
}

static void raze(oracle *o, int server)
{
	o->houses[server].exists = false;
	o->live_houses--;
}

static void bury(oracle *o, int id, bool with_server)
{
	int server = o->bodies[id].server;
	o->bodies[id].exists = false;
	int at = 0;
	while (o->live[at] != id) {
		at++;
	}
	o->live_count--;
	memmove(o->live + at, o->live + at + 1, (size_t)(o->live_count - at) * sizeof *o->live);
	if (with_server && held_by(o, server) == 0) {
		raze(o, server);
	}
}

static void start_drain(oracle *o, int id, drain purpose, weir_tag target)
{
	body *b = &o->bodies[id];
	double timeout = o->config->drain_timeout;
	b->state = WEIR_INSTANCE_DRAINING;
	b->purpose = purpose;
	b->target = target;
	b->order = o->orders++;
	b->deadline = timeout > 0 ? now_of(o) + timeout : (double)INFINITY;
	b->due = fmin(now_of(o) + o->config->drain_check_interval, b->deadline);
}

static weir_refusal may_have(const oracle *o, weir_tag tag, int32_t type)
{
	if (o->own[tag] < 0) {
		return WEIR_REFUSED_NO_POOL;
	}
	if (type < WEIR_ANY_TYPE || type >= (int32_t)o->types) {
		return WEIR_REFUSED_NO_TYPE;
	}
	return WEIR_REFUSED_NONE;
}

static bool is_full(const oracle *o)
{
	return count_of(o, -1, -1) >= o->config->max_total_instances;
}

static weir_refusal may_drain(const oracle *o, int id)
{
	if (id >= o->body_count || !o->bodies[id].exists) {
		return WEIR_REFUSED_GONE;
	}
	if (o->bodies[id].state != WEIR_INSTANCE_ACTIVE) {
		return WEIR_REFUSED_NOT_ACTIVE;
	}
	return count_of(o, (int)o->bodies[id].tag, WEIR_INSTANCE_ACTIVE) <=
	               o->config->min_instances_per_pool
	           ? WEIR_REFUSED_MIN_POOL
	           : WEIR_REFUSED_NONE;
}

static weir_refusal refuse(oracle *o, weir_refusal reason, int64_t count)
{
	if (reason != WEIR_REFUSED_NONE) {
		o->refused[reason] += (uint64_t)count;
	}
	return reason;
}

static void start_full(oracle *o, weir_tag tag, int32_t type)
{
	double ready = now_of(o) + o->config->scale_up_delay;
	int server = build_house(o, (uint32_t)(type == WEIR_ANY_TYPE ? o->own[tag] : type), ready);
	int id = bear(o, server, tag, ready);
	o->bodies[id].full = true;
}

typedef struct tokens_of {
	uint32_t id;
	int64_t tokens;
} tokens_of;

static void add_pending(void *context, const weir_request_row *row)
{
	tokens_of *sum = context;
	if (row->prompt_instance == (int32_t)sum->id && isnan(row->ttft)) {
		sum->tokens += row->prompt_tokens;
	}
}

static int64_t load_of(const oracle *o, int id)
{
	weir_instance_view view;
	HOLDS(weir_serving_instance(o->managed->cluster->serving, o->bodies[id].slot, &view));
	if (view.tag != WEIR_TAG_PROMPT) {
		return view.memory_promised - view.weights;
	}
	tokens_of sum = {.id = (uint32_t)id};
	weir_serving_unfinished(o->managed->cluster->serving, add_pending, &sum);
	SAME(view.pending_prompt_tokens, sum.tokens);
	return sum.tokens;
}

static bool fits(const body *b, weir_tag tag, int32_t type, weir_instance_state state)
{
	return b->exists && b->tag == tag && b->state == state &&
	       (type == WEIR_ANY_TYPE || (int32_t)b->type == type);
}

static int least_loaded(const oracle *o, weir_tag tag, int32_t type)
{
	int best = NOBODY;
	int64_t least = 0;
	for (int k = 0; k < o->live_count; k++) {
		int i = o->live[k];
		if (fits(&o->bodies[i], tag, type, WEIR_INSTANCE_ACTIVE)) {
			int64_t load = load_of(o, i);
			if (best == NOBODY || load < least) {
				best = i;
				least = load;
			}
		}
	}
	return best;
}

static int last_boot(const oracle *o, weir_tag tag, int32_t type)
{
	int best = NOBODY;
	for (int k = 0; k < o->live_count; k++) {
		int i = o->live[k];
		const body *b = &o->bodies[i];
		if (fits(b, tag, type, WEIR_INSTANCE_SCALING_UP) && !b->flips &&
		    (best == NOBODY || b->due >= o->bodies[best].due)) {
			best = i;
		}
	}
	return best;
}

static int last_drain(const oracle *o, weir_tag tag, int32_t type)
{
	int best = NOBODY;
	for (int k = 0; k < o->live_count; k++) {
		int i = o->live[k];
		const body *b = &o->bodies[i];
		if (fits(b, tag, type, WEIR_INSTANCE_DRAINING) && b->purpose != FOR_FLIP &&
		    (best == NOBODY || b->order > o->bodies[best].order)) {
			best = i;
		}
	}
	return best;
}

/* Drains one at a time; how many, and why no more. */
static weir_resize_result take_away(oracle *o, weir_tag tag, int32_t type, int64_t wanted,
                                    drain purpose, weir_tag target)
{
	weir_resize_result result = {0, WEIR_REFUSED_NONE};
	while (result.done < wanted) {
		int id = least_loaded(o, tag, type);
		if (count_of(o, (int)tag, WEIR_INSTANCE_ACTIVE) <= o->config->min_instances_per_pool) {
			result.reason = WEIR_REFUSED_MIN_POOL;
			break;
		}
		if (id == NOBODY) {
			result.reason = WEIR_REFUSED_NOTHING_LEFT;
			break;
		}
		start_drain(o, id, purpose, target);
		result.done++;
	}
	return result;
}

static weir_resize_result expect_resize(oracle *o, weir_tag tag, int32_t type, int64_t delta)
{
	weir_resize_result result = {0, WEIR_REFUSED_NONE};
	if (delta == 0) {
		return result;
	}
	result.reason = may_have(o, tag, type);
	int64_t wanted = llabs(delta);
	if (result.reason == WEIR_REFUSED_NONE && delta > 0) {
		for (; result.done < wanted; result.done++) {
			int id = o->config->revive_draining_first ? last_drain(o, tag, type) : NOBODY;
			if (id != NOBODY) {
				o->bodies[id].state = WEIR_INSTANCE_ACTIVE;
			} else if (is_full(o)) {
				result.reason = WEIR_REFUSED_MAX_TOTAL;
				break;
			} else {
				start_full(o, tag, type);
			}
		}
	} else if (result.reason == WEIR_REFUSED_NONE) {
		int64_t cancelled = 0;
		int id = NOBODY;
		while (o->config->cancel_scale_up_first && cancelled < wanted &&
		       (id = last_boot(o, tag, type)) != NOBODY) {
			bury(o, id, o->bodies[id].full);
			cancelled++;
		}
		result = take_away(o, tag, type, wanted - cancelled, FOR_REMOVAL_FULL, tag);
		result.done = -(result.done + cancelled);
	}
	refuse(o, result.reason, wanted - llabs(result.done));
	return result;
}

/* --- both --- */

static void same(const oracle *o)
{
	const weir_serving *serving = o->managed->cluster->serving;
	int seen = 0;
	for (uint32_t slot = 0; slot < weir_serving_instance_slots(serving); slot++) {
		weir_instance_view view;
		if (!weir_serving_instance(serving, slot, &view)) {
			continue;
		}
		HOLDS(view.id < (uint32_t)o->body_count);
		body *b = &o->bodies[view.id];
		REQUIRE(b->exists, "instance %u should be gone", view.id);
		REQUIRE(b->state == view.state, "instance %u: %s, not %s", view.id,
		        weir_instance_state_names[view.state], weir_instance_state_names[b->state]);
		SAME(b->tag, view.tag);
		SAME(b->server, view.server);
		SAME(b->type, view.type);
		b->slot = slot;
		seen++;
	}
	SAME(seen, count_of(o, -1, -1));
	int houses = 0;
	for (uint32_t slot = 0; slot < weir_serving_server_slots(serving); slot++) {
		weir_server_view view;
		if (weir_serving_server(serving, slot, &view)) {
			HOLDS(o->houses[view.handle.id].exists);
			o->houses[view.handle.id].slot = slot;
			houses++;
		}
	}
	SAME(houses, o->live_houses);
}

static void same_counts(const oracle *o)
{
	weir_status_summary status = managed_status(o->managed);
	int operations = 0;
	for (int t = 0; t < WEIR_TAG_COUNT; t++) {
		int flips = 0;
		for (int s = 0; s < WEIR_INSTANCE_STATE_COUNT; s++) {
			int count = count_of(o, t, s);
			SAME(status.by_tag[t][s], count);
			operations += s != WEIR_INSTANCE_ACTIVE ? count : 0;
		}
		for (int k = 0; k < o->live_count; k++) {
			int i = o->live[k];
			const body *b = &o->bodies[i];
			flips += b->exists && b->state == WEIR_INSTANCE_DRAINING && b->purpose == FOR_FLIP &&
			         (int)b->target == t;
		}
		SAME(weir_manager_size(o->managed->manager, 0, (weir_tag)t),
		     count_of(o, t, WEIR_INSTANCE_SCALING_UP) + count_of(o, t, WEIR_INSTANCE_ACTIVE) +
		         flips);
	}
	SAME(weir_manager_operations(o->managed->manager), operations);
	weir_manager_counters counters = managed_counters(o->managed);
	SAME(memcmp(counters.refused, o->refused, sizeof o->refused), 0);
}

static weir_instance_handle handle_of_body(const oracle *o, int id)
{
	return (weir_instance_handle){id < o->body_count ? o->bodies[id].slot : 0, (uint32_t)id};
}

/* Mostly one that exists; else one that is gone or never was. */
static int any_body(oracle *o)
{
	return o->live_count > 0 && pick(o, 20) > 0 ? o->live[pick(o, o->live_count)]
	                                            : pick(o, o->body_count + 2);
}

static int any_house(oracle *o)
{
	if (o->live_count > 0 && pick(o, 3) == 0) {
		return o->bodies[o->live[pick(o, o->live_count)]].server;
	}
	/* The latest are the likeliest to exist. */
	int back = pick(o, o->house_count < 12 ? o->house_count : 12);
	return o->house_count - 1 - back;
}

static const char actor[] = "storm";

static void check_refusal(oracle *o, weir_refusal expected, weir_refusal found)
{
	REQUIRE(expected == found, "'%s', not '%s'", weir_refusal_texts[found],
	        weir_refusal_texts[expected]);
	refuse(o, expected, 1);
	o->done += expected == WEIR_REFUSED_NONE;
}

static void check_several(oracle *o, weir_resize_result expected, weir_resize_result found)
{
	REQUIRE(expected.done == found.done && expected.reason == found.reason,
	        "%d, '%s', not %d, '%s'", (int)found.done, weir_refusal_texts[found.reason],
	        (int)expected.done, weir_refusal_texts[expected.reason]);
	o->done += expected.done != 0;
}

static void some_resize(oracle *o)
{
	weir_tag tag = (weir_tag)pick(o, WEIR_TAG_COUNT);
	int32_t type = pick(o, 2) ? WEIR_ANY_TYPE : pick(o, (int)o->types + 1);
	int64_t delta = pick(o, 7) - 3;
	weir_resize_result expected = expect_resize(o, tag, type, delta);
	check_several(o, expected,
	              weir_manager_resize(o->managed->manager, actor, 0, tag, type, delta));
}

static void some_migration(oracle *o)
{
	weir_tag from = (weir_tag)pick(o, WEIR_TAG_COUNT);
	weir_tag to = (weir_tag)pick(o, WEIR_TAG_COUNT);
	int64_t count = pick(o, 3);
	weir_resize_result expected = {0, WEIR_REFUSED_NONE};
	if (count > 0 && (o->own[from] < 0 || o->own[to] < 0)) {
		expected.reason = WEIR_REFUSED_NO_POOL;
	} else if (count > 0 && from == to) {
		expected.reason = WEIR_REFUSED_SAME_POOL;
	} else {
		expected = take_away(o, from, WEIR_ANY_TYPE, count, FOR_FLIP, to);
	}
	refuse(o, expected.reason, count - expected.done);
	check_several(o, expected,
	              weir_manager_migrate(o->managed->manager, actor, 0, from, to, count));
}

static void some_full_start(oracle *o)
{
	const weir_scale_request request = {.tag = (weir_tag)pick(o, WEIR_TAG_COUNT),
	                                    .type = pick(o, (int)o->types + 2) - 1};
	weir_refusal expected = may_have(o, request.tag, request.type);
	if (expected == WEIR_REFUSED_NONE && is_full(o)) {
		expected = WEIR_REFUSED_MAX_TOTAL;
	}
	if (expected == WEIR_REFUSED_NONE) {
		start_full(o, request.tag, request.type);
	}
	weir_instance_handle made;
	check_refusal(o, expected,
	              weir_manager_scale_up_full(o->managed->manager, actor, &request, &made));
}

static void some_server_start(oracle *o)
{
	if (o->live_houses >= MOST_SERVERS) {
		return;
	}
	const weir_scale_request request = {.tag = (weir_tag)pick(o, WEIR_TAG_COUNT),
	                                    .type = pick(o, (int)o->types + 2) - 1};
	weir_refusal expected = may_have(o, request.tag, request.type);
	if (expected == WEIR_REFUSED_NONE) {
		int32_t type = request.type == WEIR_ANY_TYPE ? o->own[request.tag] : request.type;
		build_house(o, (uint32_t)type, now_of(o) + o->config->scale_up_delay);
	}
	weir_server_handle made;
	check_refusal(o, expected,
	              weir_manager_scale_up_server(o->managed->manager, actor, &request, &made));
}

static void some_instance_start(oracle *o)
{
	int server = any_house(o);
	const house *h = &o->houses[server];
	weir_tag tag = (weir_tag)pick(o, WEIR_TAG_COUNT);
	weir_refusal expected = WEIR_REFUSED_NONE;
	if (!h->exists) {
		expected = WEIR_REFUSED_GONE;
	} else if (o->own[tag] < 0) {
		expected = WEIR_REFUSED_NO_POOL;
	} else if (held_by(o, server) == 2) {
		expected = WEIR_REFUSED_SERVER_FULL;
	} else if (is_full(o)) {
		expected = WEIR_REFUSED_MAX_TOTAL;
	} else {
		bear(o, server, tag, fmax(now_of(o) + o->config->scale_up_delay, h->ready));
	}
	weir_instance_handle made;
	check_refusal(o, expected,
	              weir_manager_scale_up_instance(o->managed->manager, actor,
	                                             (weir_server_handle){h->slot, (uint32_t)server},
	                                             tag, &made));
}

static void some_drain(oracle *o, bool full)
{
	int id = any_body(o);
	weir_refusal expected = may_drain(o, id);
	if (expected == WEIR_REFUSED_NONE) {
		start_drain(o, id, full ? FOR_REMOVAL_FULL : FOR_REMOVAL, WEIR_TAG_PROMPT);
	}
	weir_instance_handle handle = handle_of_body(o, id);
	check_refusal(o, expected,
	              full ? weir_manager_scale_down_full(o->managed->manager, actor, handle)
	                   : weir_manager_scale_down_instance(o->managed->manager, actor, handle));
}

static void some_flip(oracle *o)
{
	int id = any_body(o);
	weir_tag tag = (weir_tag)pick(o, WEIR_TAG_COUNT);
	weir_refusal expected = may_drain(o, id);
	if (expected != WEIR_REFUSED_GONE && o->own[tag] < 0) {
		expected = WEIR_REFUSED_NO_POOL;
	} else if (expected != WEIR_REFUSED_GONE && o->bodies[id].tag == tag) {
		expected = WEIR_REFUSED_SAME_POOL;
	}
	if (expected == WEIR_REFUSED_NONE) {
		start_drain(o, id, FOR_FLIP, tag);
	}
	check_refusal(o, expected,
	              weir_manager_flip(o->managed->manager, actor, handle_of_body(o, id), tag));
}

static void some_server_end(oracle *o)
{
	int server = any_house(o);
	const house *h = &o->houses[server];
	weir_refusal expected = WEIR_REFUSED_NONE;
	if (!h->exists) {
		expected = WEIR_REFUSED_GONE;
	} else if (now_of(o) < h->ready) {
		expected = WEIR_REFUSED_SERVER_NOT_ACTIVE;
	} else if (held_by(o, server) > 0) {
		expected = WEIR_REFUSED_SERVER_IN_USE;
	} else {
		raze(o, server);
	}
	check_refusal(o, expected,
	              weir_manager_scale_down_server(o->managed->manager, actor,
	                                             (weir_server_handle){h->slot, (uint32_t)server}));
}

static void operate(oracle *o)
{
	switch (pick(o, 12)) {
	case 0:
	case 1:
	case 2:
		some_resize(o);
		break;
	case 3:
		some_migration(o);
		break;
	case 4:
		some_full_start(o);
		break;
	case 5:
		some_drain(o, true);
		break;
	case 6:
		some_drain(o, false);
		break;
	case 7:
		some_flip(o);
		break;
	case 8:
		some_server_start(o);
		break;
	case 9:
	case 10:
		some_instance_start(o);
		break;
	default:
		some_server_end(o);
		break;
	}
	same(o);
	same_counts(o);
}

/* --- time --- */

/* A lifecycle event was due, to the instant, and nothing else was before it. `empty`: what serving
 * said of the instance just before. */
static void follow(oracle *o, const weir_event *event, bool empty)
{
	int id = (int)event->data;
	if (event->type == WEIR_EVENT_SERVER_READY) {
		SAME(o->houses[id].ready, now_of(o));
		return;
	}
	body *b = &o->bodies[id];
	HOLDS(b->exists);
	SAME(b->due, now_of(o));
	if (event->type == WEIR_EVENT_INSTANCE_READY) {
		SAME(b->state, WEIR_INSTANCE_SCALING_UP);
		b->state = WEIR_INSTANCE_ACTIVE;
		b->flips = false;
		return;
	}
	SAME(b->state, WEIR_INSTANCE_DRAINING);
	if (!empty && now_of(o) < b->deadline) {
		double next = now_of(o) + o->config->drain_check_interval;
		b->due = b->deadline > now_of(o) ? fmin(next, b->deadline) : next;
	} else if (b->purpose == FOR_FLIP) {
		b->state = WEIR_INSTANCE_SCALING_UP;
		b->tag = b->target;
		b->flips = true;
		b->due = now_of(o) + o->config->role_flip_delay;
	} else {
		bury(o, id, b->purpose == FOR_REMOVAL_FULL);
	}
}

static void check_due(const oracle *o)
{
	for (int k = 0; k < o->live_count; k++) {
		const body *b = &o->bodies[o->live[k]];
		HOLDS(b->state == WEIR_INSTANCE_ACTIVE || b->due >= now_of(o));
	}
}

static void check_ended(oracle *o)
{
	managed_cluster *managed = o->managed;
	for (size_t i = 0; i < managed->ended_count; i++) {
		const weir_instance_view *view = &managed->ended[i];
		SAME(view->memory, view->weights);
		SAME(view->memory_promised, view->weights);
		SAME(view->requests, 0);
		SAME(view->pending_prompt_tokens, 0);
		SAME(view->batch_size, 0);
	}
	managed->ended_count = managed->event_count = 0;
	managed_log(managed);
}

static bool advance(oracle *o)
{
	weir_event event;
	weir_error error = {0};
	weir_engine *engine = o->managed->cluster->engine;
	weir_serving *serving = o->managed->cluster->serving;
	if (!weir_engine_pop(engine, &event)) {
		return false;
	}
	if (event.type < WEIR_SERVING_EVENT_END) {
		WORKS(weir_serving_handle(serving, &event, &error), &error);
	} else if (event.type >= WEIR_SCALING_EVENT_END) {
		WORKS(weir_serving_submit(serving, &o->managed->arrivals[event.subject], &error), &error);
	} else {
		const weir_instance_handle handle = {event.subject, (uint32_t)event.data};
		bool empty = event.type == WEIR_EVENT_DRAIN_CHECK && weir_serving_is_empty(serving, handle);
		WORKS(weir_manager_handle(o->managed->manager, &event, &error), &error);
		follow(o, &event, empty);
		same(o);
		same_counts(o);
		check_ended(o);
	}
	check_due(o);
	WORKS(weir_serving_check(serving, &error), &error);
	return true;
}

static void maybe_arrive(oracle *o)
{
	weir_serving_counters counters;
	weir_serving_counters_get(o->managed->cluster->serving, &counters);
	if (counters.in_system < BUSY && pick(o, 3) == 0) {
		/* One by one: compilers differ in the order in which they evaluate arguments. */
		int64_t output_tokens = 1 + pick(o, 12);
		int64_t prompt_tokens = 1 + pick(o, 900);
		double time = now_of(o) + 0.3 * gsl_rng_uniform(o->draws);
		managed_arrive(o->managed, time, prompt_tokens, output_tokens);
	}
}

/* --- runs --- */

typedef struct kind {
	const char *scheduler, *tags;
	int network;
	double timeout;
	int64_t least;
} kind;

static const kind kinds[KINDS] = {
    {"kv_jsq", "pptt", WEIR_NETWORK_DEDICATED, 0, 1},
    {"kv_token_jsq", "pptt", WEIR_NETWORK_SHARED_NIC, 0, 0},
    {"kv_round_robin", "pttt", WEIR_NETWORK_SHARED_NIC, 7.5, 1},
    {"overlap_kv_jsq", "pptt", WEIR_NETWORK_DEDICATED, 0, 2},
    {"overlap_kv_token_jsq", "pptt", WEIR_NETWORK_SHARED_NIC, 2.25, 1},
    {"mixed_pool", "pptt", WEIR_NETWORK_DEDICATED, 0, 1},
    {"mixed_pool", "pptm", WEIR_NETWORK_SHARED_NIC, 0, 0},
    {"mixed_pool", "pttm", WEIR_NETWORK_DEDICATED, 3, 1},
    {"jsq", "mmm", WEIR_NETWORK_DEDICATED, 0, 1},
    {"token_jsq", "mm", WEIR_NETWORK_DEDICATED, 0, 0},
    {"round_robin", "mmmm", WEIR_NETWORK_DEDICATED, 4, 1},
    {"random", "mm", WEIR_NETWORK_DEDICATED, 0, 2},
};

static void found(oracle *o, const kind *k)
{
	for (int t = 0; t < WEIR_TAG_COUNT; t++) {
		o->own[t] = -1;
	}
	for (int s = 0; k->tags[s] != '\0'; s++) {
		weir_tag tag = k->tags[s] == 'p'   ? WEIR_TAG_PROMPT
		               : k->tags[s] == 't' ? WEIR_TAG_TOKEN
		                                   : WEIR_TAG_MIXED;
		o->own[tag] = o->own[tag] < 0 ? s : o->own[tag];
		o->types++;
		build_house(o, (uint32_t)s, 0);
		for (int i = 0; i < 2; i++) {
			int id = bear(o, s, tag, 0);
			o->bodies[id].state = WEIR_INSTANCE_ACTIVE;
		}
	}
}

START_TEST(random_operations_do_what_the_oracle_says)
{
	const kind *k = &kinds[_i / SETTINGS];
	small_cluster *cluster = managed_servers(k->scheduler, k->tags, 2);
	cluster->config.network.kind = k->network;
	weir_scaling_config config = managed_defaults;
	config.scale_up_delay = 3;
	config.drain_timeout = k->timeout;
	config.min_instances_per_pool = k->least;
	config.max_total_instances = MOST - 2;
	config.cancel_scale_up_first = _i & 1;
	config.revive_draining_first = _i & 2;
	oracle o = {.draws = weir_stream_create(7, "storm", (uint64_t)_i)};
	o.managed = managed_cluster_create(cluster, &config);
	o.config = &o.managed->config;
	found(&o, k);
	same(&o);
	for (int i = 0; i < RUN_OPERATIONS; i++) {
		operate(&o);
		maybe_arrive(&o);
		for (int events = pick(&o, 4); events > 0 && advance(&o); events--) {
		}
	}
	/* Whatever is left has somewhere to go, and ends. */
	for (int t = 0; t < WEIR_TAG_COUNT; t++) {
		while (o.own[t] >= 0 && count_of(&o, t, WEIR_INSTANCE_ACTIVE) == 0) {
			weir_resize_result expected = expect_resize(&o, (weir_tag)t, WEIR_ANY_TYPE, 1);
			check_several(
			    &o, expected,
			    weir_manager_resize(o.managed->manager, actor, 0, (weir_tag)t, WEIR_ANY_TYPE, 1));
			same(&o);
			for (int events = 0; events < 100 && advance(&o); events++) {
			}
		}
	}
	while (advance(&o)) {
	}
	weir_serving_counters counters;
	weir_serving_counters_get(o.managed->cluster->serving, &counters);
	ck_assert_uint_eq(counters.arrived, o.managed->arrival_count);
	ck_assert_uint_eq(counters.completed, counters.arrived);
	ck_assert_uint_eq(counters.failed + counters.rejected + counters.in_system, 0);
	weir_manager_counters done = managed_counters(o.managed);
	ck_assert_uint_eq(counters.moves, done.requests_moved);
	if (k->timeout <= 0) {
		ck_assert_uint_eq(done.drain_timeouts, 0);
	}
	/* Most kinds of operation came through often enough for a test of them. */
	ck_assert_uint_gt(o.done, RUN_OPERATIONS / 8);
	ck_assert_uint_gt(counters.completed, RUN_OPERATIONS / 20);
	ck_assert_uint_gt(done.removed, RUN_OPERATIONS / 100);
	managed_cluster_destroy(o.managed);
	gsl_rng_free(o.draws);
	free(o.bodies);
	free(o.houses);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/drain");
	TCase *tests = tcase_create("storm");
	tcase_set_timeout(tests, 600);
	tcase_add_loop_test(tests, random_operations_do_what_the_oracle_says, 0, KINDS * SETTINGS);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
