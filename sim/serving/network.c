#include "serving/network.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define NONE UINT32_MAX

/* An indexed binary heap of items by (key, rank): least first, and where each item is. */
typedef struct heap_entry {
	double key;
	uint64_t rank;
	uint32_t item;
} heap_entry;

typedef struct item_heap {
	heap_entry *entries;
	uint32_t *positions; /* by item, + 1; 0 when it is not in the heap */
	uint32_t count;
} item_heap;

/* Hook 2 i + side ties flow i into the list of a link, in the order of starting. */
typedef struct flow_hook {
	uint32_t link;
	uint32_t next, previous; /* hooks */
} flow_hook;

typedef struct network_flow {
	double bytes; /* left at `updated` */
	double rate;  /* since then */
	double updated;
	double finish;
	uint64_t sequence; /* order of starting */
	uint64_t solved;   /* the last solution that fixed its rate */
	uint32_t next_free;
} network_flow;

typedef struct network_link {
	double capacity;
	uint32_t first, last; /* hooks */
	uint32_t flow_count;
	/* While solving: */
	uint32_t unfixed;  /* flows without a rate yet */
	double unassigned; /* capacity not yet given to a flow */
	uint64_t reached;  /* the last solution that had it in its component */
} network_link;

struct weir_network {
	double local_bandwidth;
	double now;
	uint64_t started;
	uint64_t solutions;
	network_link *links;
	uint32_t *component; /* links of the component being solved */
	item_heap shares;    /* its links by their fair share */
	uint32_t link_count;
	size_t link_capacity;
	network_flow *flows;
	flow_hook *hooks;
	item_heap finishes; /* flows by finish, then order of starting */
	uint32_t used_flows;
	uint32_t free_flow;
	size_t flow_capacity;
};

/* --- the heap --- */

static bool entry_less(const heap_entry *a, const heap_entry *b)
{
	return a->key != b->key ? a->key < b->key : a->rank < b->rank;
}

static void put_entry(item_heap *heap, uint32_t index, heap_entry entry)
{
	heap->entries[index] = entry;
	heap->positions[entry.item] = index + 1;
}

static void settle_entry(item_heap *heap, uint32_t index, heap_entry entry)
{
	while (index > 0 && entry_less(&entry, &heap->entries[(index - 1) / 2])) {
		put_entry(heap, index, heap->entries[(index - 1) / 2]);
		index = (index - 1) / 2;
	}
	for (;;) {
		uint32_t child = 2 * index + 1;
		if (child >= heap->count) {
			break;
		}
		if (child + 1 < heap->count &&
		    entry_less(&heap->entries[child + 1], &heap->entries[child])) {
			child++;
		}
		if (!entry_less(&heap->entries[child], &entry)) {
			break;
		}
		put_entry(heap, index, heap->entries[child]);
		index = child;
	}
	put_entry(heap, index, entry);
}

/* Puts an item in, or gives it another key. */
static void heap_set(item_heap *heap, uint32_t item, double key, uint64_t rank)
{
	uint32_t position = heap->positions[item];
	uint32_t index = position > 0 ? position - 1 : heap->count++;
	settle_entry(heap, index, (heap_entry){key, rank, item});
}

static void heap_remove(item_heap *heap, uint32_t item)
{
	uint32_t index = heap->positions[item] - 1;
	heap->positions[item] = 0;
	heap_entry last = heap->entries[--heap->count];
	if (last.item != item) {
		settle_entry(heap, index, last);
	}
}

/* --- links and flows --- */

static bool reserve_heap(item_heap *heap, size_t capacity, size_t grown)
{
	size_t entries = capacity;
	return weir_reserve((void **)&heap->entries, &entries, grown, sizeof *heap->entries) &&
	       weir_reserve((void **)&heap->positions, &capacity, grown, sizeof *heap->positions);
}

/* A power of two, as weir_reserve would choose, so that arrays of one and of two items a flow
 * agree. */
static size_t grown_capacity(size_t capacity, size_t needed)
{
	while (capacity < needed) {
		capacity = capacity < 8 ? 8 : 2 * capacity;
	}
	return capacity;
}

/* When one array cannot grow, those before it are larger than the capacity says: no harm. */
static bool reserve_links(weir_network *network, size_t needed)
{
	if (needed >= NONE) {
		return false;
	}
	size_t grown = grown_capacity(network->link_capacity, needed);
	size_t links = network->link_capacity;
	size_t component = network->link_capacity;
	if (!reserve_heap(&network->shares, network->link_capacity, grown) ||
	    !weir_reserve((void **)&network->component, &component, grown,
	                  sizeof *network->component) ||
	    !weir_reserve((void **)&network->links, &links, grown, sizeof *network->links)) {
		return false;
	}
	network->link_capacity = grown;
	return true;
}

static bool reserve_flows(weir_network *network, size_t needed)
{
	if (needed >= NONE / 2) {
		return false;
	}
	size_t grown = grown_capacity(network->flow_capacity, needed);
	size_t flows = network->flow_capacity;
	size_t hooks = 2 * network->flow_capacity;
	if (!reserve_heap(&network->finishes, network->flow_capacity, grown) ||
	    !weir_reserve((void **)&network->hooks, &hooks, 2 * grown, sizeof *network->hooks) ||
	    !weir_reserve((void **)&network->flows, &flows, grown, sizeof *network->flows)) {
		return false;
	}
	network->flow_capacity = grown;
	return true;
}

static void hook_flow(weir_network *network, uint32_t hook, uint32_t link)
{
	flow_hook *tie = &network->hooks[hook];
	*tie = (flow_hook){.link = link, .next = NONE, .previous = NONE};
	if (link == NONE) {
		return;
	}
	network_link *at = &network->links[link];
	tie->previous = at->last;
	if (at->last == NONE) {
		at->first = hook;
	} else {
		network->hooks[at->last].next = hook;
	}
	at->last = hook;
	at->flow_count++;
}

static void unhook_flow(weir_network *network, uint32_t hook)
{
	flow_hook tie = network->hooks[hook];
	if (tie.link == NONE) {
		return;
	}
	network_link *at = &network->links[tie.link];
	if (tie.previous == NONE) {
		at->first = tie.next;
	} else {
		network->hooks[tie.previous].next = tie.next;
	}
	if (tie.next == NONE) {
		at->last = tie.previous;
	} else {
		network->hooks[tie.next].previous = tie.previous;
	}
	at->flow_count--;
}

static double bytes_left(const network_flow *flow, double now)
{
	/* At its finish nothing is left, whatever rounding says: what is due stays due, ties stay ties.
	 */
	if (now >= flow->finish) {
		return 0.0;
	}
	return fmax(flow->bytes - flow->rate * (now - flow->updated), 0.0);
}

/* --- max-min fair rates --- */

/* Progress is booked only when the rate changes, so a flow that is left alone stays exact. */
static void set_rate(weir_network *network, uint32_t index, double rate)
{
	assert(rate > 0.0);
	network_flow *flow = &network->flows[index];
	if (rate == flow->rate) {
		return;
	}
	flow->bytes = bytes_left(flow, network->now);
	flow->updated = network->now;
	flow->rate = rate;
	flow->finish = network->now + flow->bytes / rate;
	heap_set(&network->finishes, index, flow->finish, flow->sequence);
}

static uint32_t reach_link(weir_network *network, uint32_t link, uint32_t count)
{
	if (link == NONE || network->links[link].reached == network->solutions) {
		return count;
	}
	network_link *at = &network->links[link];
	at->reached = network->solutions;
	at->unassigned = at->capacity;
	at->unfixed = at->flow_count;
	if (at->unfixed > 0) {
		heap_set(&network->shares, link, at->capacity / at->unfixed, link);
	}
	network->component[count] = link;
	return count + 1;
}

/* The flow's rate is fixed at `rate`: its link `link` has that much less for the others. */
static void take_share(weir_network *network, uint32_t link, double rate)
{
	if (link == NONE) {
		return;
	}
	network_link *at = &network->links[link];
	at->unassigned -= rate;
	at->unfixed--;
	if (at->unfixed > 0) {
		heap_set(&network->shares, link, at->unassigned / at->unfixed, link);
	}
}

/*
 * Progressive filling over the links connected with `first` and `second`: the link with the least
 * share for each of its flows without a rate is the bottleneck of those flows.
 */
static void solve(weir_network *network, uint32_t first, uint32_t second)
{
	network->solutions++;
	uint32_t count = reach_link(network, first, 0);
	count = reach_link(network, second, count);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t hook = network->links[network->component[i]].first;
		for (; hook != NONE; hook = network->hooks[hook].next) {
			count = reach_link(network, network->hooks[hook ^ 1].link, count);
		}
	}
	while (network->shares.count > 0) {
		heap_entry least = network->shares.entries[0];
		heap_remove(&network->shares, least.item);
		uint32_t hook = network->links[least.item].first;
		for (; hook != NONE; hook = network->hooks[hook].next) {
			uint32_t flow = hook / 2;
			if (network->flows[flow].solved != network->solutions) {
				network->flows[flow].solved = network->solutions;
				set_rate(network, flow, least.key);
				take_share(network, network->hooks[hook ^ 1].link, least.key);
			}
		}
	}
}

/* --- the public functions --- */

weir_network *weir_network_create(const double *capacities, size_t count, double local_bandwidth)
{
	assert(local_bandwidth > 0.0);
	weir_network *network = weir_allocate(1, sizeof *network);
	if (network == NULL) {
		return NULL;
	}
	network->local_bandwidth = local_bandwidth;
	network->now = -(double)INFINITY;
	network->free_flow = NONE;
	bool ok = reserve_links(network, count > 0 ? count : 1) && reserve_flows(network, 1);
	for (size_t i = 0; ok && i < count; i++) {
		ok = weir_network_add_link(network, capacities[i]) != WEIR_NETWORK_NO_LINK;
	}
	if (!ok) {
		weir_network_destroy(network);
		return NULL;
	}
	return network;
}

void weir_network_destroy(weir_network *network)
{
	if (network == NULL) {
		return;
	}
	free(network->links);
	free(network->component);
	free(network->shares.entries);
	free(network->shares.positions);
	free(network->flows);
	free(network->hooks);
	free(network->finishes.entries);
	free(network->finishes.positions);
	free(network);
}

uint32_t weir_network_add_link(weir_network *network, double capacity)
{
	assert(isfinite(capacity) && capacity > 0.0);
	if (!reserve_links(network, (size_t)network->link_count + 1)) {
		return WEIR_NETWORK_NO_LINK;
	}
	uint32_t link = network->link_count++;
	network->links[link] = (network_link){.capacity = capacity, .first = NONE, .last = NONE};
	return link;
}

void weir_network_set_capacity(weir_network *network, uint32_t link, double capacity)
{
	assert(link < network->link_count && network->links[link].flow_count == 0);
	assert(isfinite(capacity) && capacity > 0.0);
	network->links[link].capacity = capacity;
}

size_t weir_network_link_count(const weir_network *network)
{
	return network->link_count;
}

size_t weir_network_flow_count(const weir_network *network)
{
	return network->finishes.count;
}

static uint32_t take_flow(weir_network *network)
{
	uint32_t flow = network->free_flow;
	if (flow != NONE) {
		network->free_flow = network->flows[flow].next_free;
		return flow;
	}
	if (!reserve_flows(network, (size_t)network->used_flows + 1)) {
		return NONE;
	}
	return network->used_flows++;
}

uint32_t weir_network_start(weir_network *network, double now, uint32_t from_link, uint32_t to_link,
                            double bytes)
{
	assert(isfinite(now) && now >= network->now);
	assert(isfinite(bytes) && bytes >= 0.0);
	assert(from_link == NONE || from_link < network->link_count);
	assert(to_link == NONE || to_link < network->link_count);
	uint32_t flow = take_flow(network);
	if (flow == NONE) {
		return WEIR_NETWORK_NO_FLOW;
	}
	network->now = now;
	bool local = from_link == NONE && to_link == NONE;
	double rate = local ? network->local_bandwidth : 0.0;
	network->flows[flow] = (network_flow){
	    .bytes = bytes,
	    .rate = rate,
	    .updated = now,
	    .finish = local ? now + bytes / rate : (double)INFINITY,
	    .sequence = network->started++,
	};
	heap_set(&network->finishes, flow, network->flows[flow].finish, network->flows[flow].sequence);
	hook_flow(network, 2 * flow, from_link);
	hook_flow(network, 2 * flow + 1, to_link == from_link ? NONE : to_link);
	solve(network, from_link, to_link);
	return flow;
}

double weir_network_next_finish(const weir_network *network, uint32_t *flow)
{
	if (network->finishes.count == 0) {
		*flow = WEIR_NETWORK_NO_FLOW;
		return (double)INFINITY;
	}
	*flow = network->finishes.entries[0].item;
	return network->finishes.entries[0].key;
}

bool weir_network_is_under_way(const weir_network *network, uint32_t flow)
{
	return flow < network->used_flows && network->finishes.positions[flow] > 0;
}

void weir_network_cancel(weir_network *network, double now, uint32_t flow)
{
	assert(weir_network_is_under_way(network, flow));
	assert(isfinite(now) && now >= network->now);
	network->now = now;
	uint32_t from_link = network->hooks[2 * flow].link;
	uint32_t to_link = network->hooks[2 * flow + 1].link;
	unhook_flow(network, 2 * flow);
	unhook_flow(network, 2 * flow + 1);
	heap_remove(&network->finishes, flow);
	network->flows[flow].next_free = network->free_flow;
	network->free_flow = flow;
	solve(network, from_link, to_link);
}

void weir_network_finish(weir_network *network, double now, uint32_t flow)
{
	assert(weir_network_is_under_way(network, flow) && network->flows[flow].finish <= now);
	weir_network_cancel(network, now, flow);
}

double weir_network_rate(const weir_network *network, uint32_t flow)
{
	assert(weir_network_is_under_way(network, flow));
	return network->flows[flow].rate;
}

double weir_network_remaining(const weir_network *network, double now, uint32_t flow)
{
	assert(weir_network_is_under_way(network, flow) && now >= network->now);
	return bytes_left(&network->flows[flow], now);
}

double weir_network_finish_time(const weir_network *network, uint32_t flow)
{
	assert(weir_network_is_under_way(network, flow));
	return network->flows[flow].finish;
}

double weir_network_link_rate(const weir_network *network, uint32_t link)
{
	assert(link < network->link_count);
	double sum = 0.0;
	uint32_t hook = network->links[link].first;
	for (; hook != NONE; hook = network->hooks[hook].next) {
		sum += network->flows[hook / 2].rate;
	}
	return sum;
}

weir_status weir_network_copy(weir_network *target, const weir_network *source)
{
	if (target == source) {
		return WEIR_OK;
	}
	if (!reserve_links(target, source->link_capacity) ||
	    !reserve_flows(target, source->flow_capacity)) {
		return WEIR_ERROR_MEMORY;
	}
	weir_network old = *target;
	*target = *source;
	target->links = old.links;
	target->component = old.component;
	target->shares = old.shares;
	target->link_capacity = old.link_capacity;
	target->flows = old.flows;
	target->hooks = old.hooks;
	target->finishes = old.finishes;
	target->flow_capacity = old.flow_capacity;
	for (uint32_t i = 0; i < old.finishes.count; i++) {
		target->finishes.positions[old.finishes.entries[i].item] = 0;
	}
	memcpy(target->links, source->links, source->link_count * sizeof *target->links);
	memcpy(target->flows, source->flows, source->used_flows * sizeof *target->flows);
	memcpy(target->hooks, source->hooks, 2 * (size_t)source->used_flows * sizeof *target->hooks);
	target->finishes.count = source->finishes.count;
	for (uint32_t i = 0; i < source->finishes.count; i++) {
		put_entry(&target->finishes, i, source->finishes.entries[i]);
	}
	return WEIR_OK;
}
