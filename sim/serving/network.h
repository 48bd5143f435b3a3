/*
 * Transfers that share links: max-min fair rates, solved again at every start and end of a flow.
 *
 * A flow takes one link (a server's egress) at its sender and one (another server's ingress) at its
 * receiver; each NIC is full duplex, so a server has two links of its NIC's bandwidth. The rates
 * are those of progressive filling (Bertsekas and Gallager, Data Networks, 2nd ed., section 6.5.2):
 * no flow can have more without taking from one that has no more than it. The network knows link
 * indices, bytes and times; the caller keeps the clock and asks for the next finish.
 *
 * Cost of a start, finish or cancel: O(F log L + C log A), where F flows and L links are connected,
 * through shared links, with the flow that changed, C <= F of them get another rate, and A flows
 * are under way in all. Flows elsewhere are not touched. When every server sends to every other
 * one, all flows are connected. Nothing is allocated once the high-water mark has been reached.
 */
#ifndef WEIR_SERVING_NETWORK_H
#define WEIR_SERVING_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

typedef struct weir_network weir_network;

#define WEIR_NETWORK_NO_LINK UINT32_MAX
#define WEIR_NETWORK_NO_FLOW UINT32_MAX

/*
 * A network of `count` links with the given capacities (bytes/s; finite, above 0: asserted).
 * `local_bandwidth` (bytes/s, above 0, may be infinite) is what a flow within a server gets,
 * whatever else goes on. NULL when memory is out.
 */
WEIR_API weir_network *weir_network_create(const double *capacities, size_t count,
                                           double local_bandwidth);
WEIR_API void weir_network_destroy(weir_network *network);

/* One more link; its index, the next after the last, or WEIR_NETWORK_NO_LINK when memory is out. */
WEIR_API uint32_t weir_network_add_link(weir_network *network, double capacity);
/* Another capacity for a link that no flow is on (asserted). */
WEIR_API void weir_network_set_capacity(weir_network *network, uint32_t link, double capacity);
WEIR_API size_t weir_network_link_count(const weir_network *network);
WEIR_API size_t weir_network_flow_count(const weir_network *network);

/*
 * Starts a flow of `bytes` (finite, not negative: asserted) at `now` (seconds, not before any
 * earlier call's: asserted). Either link may be WEIR_NETWORK_NO_LINK; with neither the flow is
 * local. Returns its id, which is stable, and is given to another flow after this one's end;
 * WEIR_NETWORK_NO_FLOW, with the network as it was, when memory is out.
 */
WEIR_API uint32_t weir_network_start(weir_network *network, double now, uint32_t from_link,
                                     uint32_t to_link, double bytes);

/*
 * The time at which the next flow finishes if none starts or ends before, and that flow; +infinity
 * and WEIR_NETWORK_NO_FLOW when none is under way. Equal times go in the order of starting. The
 * answer holds until the next start, finish or cancel.
 */
WEIR_API double weir_network_next_finish(const weir_network *network, uint32_t *flow);

/* Ends a flow that is done by `now`; asserted that it is. */
WEIR_API void weir_network_finish(weir_network *network, double now, uint32_t flow);
/* Ends a flow, whatever is left of it. */
WEIR_API void weir_network_cancel(weir_network *network, double now, uint32_t flow);

WEIR_API bool weir_network_is_under_way(const weir_network *network, uint32_t flow);
/* Of a flow under way: bytes/s at present, bytes left at `now`, the time when it will be done. */
WEIR_API double weir_network_rate(const weir_network *network, uint32_t flow);
WEIR_API double weir_network_remaining(const weir_network *network, double now, uint32_t flow);
WEIR_API double weir_network_finish_time(const weir_network *network, uint32_t flow);

/* The sum of the rates on a link, bytes/s; O(flows on it). */
WEIR_API double weir_network_link_rate(const weir_network *network, uint32_t link);

/* Makes `target` equal to `source`, flow ids included. WEIR_ERROR_MEMORY leaves `target` as it was.
 */
WEIR_API weir_status weir_network_copy(weir_network *target, const weir_network *source);

WEIR_END_C

#endif
