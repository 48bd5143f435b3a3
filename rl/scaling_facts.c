#include "rl/scaling_facts.h"

#include <math.h>
#include <stdlib.h>

#include "rl/scaling_features.h"
#include "scaling/capacity.h"

static const double role_price[WEIR_TAG_COUNT] = {
    [WEIR_TAG_PROMPT] = 1, [WEIR_TAG_TOKEN] = 0.6, [WEIR_TAG_MIXED] = 1};

weir_facts_frame weir_facts_frame_of(const weir_scaling_task *task, const weir_cluster *cluster,
                                     uint32_t application, const weir_scaling_config *scaling)
{
	const weir_application *served = &cluster->applications[application];
	weir_facts_frame frame = {.max_total_instances = (double)scaling->max_total_instances};
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		frame.own[tag] = weir_scaling_task_has(task, (weir_tag)tag);
	}
	for (size_t type = 0; type < served->type_count; type++) {
		frame.dearest_usd_per_hour =
		    fmax(frame.dearest_usd_per_hour, weir_capacity_price(served, (uint32_t)type));
	}
	for (size_t s = 0; s < served->server_count; s++) {
		const weir_start_server *server = &served->servers[s];
		if (frame.own[server->tag]) {
			frame.reference_usd_per_hour += served->types[server->type].sku->price_per_hour;
		}
	}
	return frame;
}

static void fill_bill(const weir_facts_frame *frame, const weir_view *view,
                      weir_reward_facts *facts)
{
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (!frame->own[tag]) {
			continue;
		}
		const weir_view_pool *pool = &view->pools[tag];
		facts->cost_usd += pool->cost_usd;
		for (int state = 0; state < WEIR_INSTANCE_STATE_COUNT; state++) {
			facts->paid_role += pool->paid_seconds[state] * role_price[tag];
		}
	}
	facts->paid_sku =
	    frame->dearest_usd_per_hour > 0 ? facts->cost_usd * 3600 / frame->dearest_usd_per_hour : 0;
}

void weir_facts_fill(const weir_facts_frame *frame, const weir_view *view, weir_reward_facts *facts)
{
	const weir_view_latencies *latencies = &view->latencies;
	*facts = (weir_reward_facts){
	    .interval = view->interval,
	    .max_total_instances = frame->max_total_instances,
	    .reference_usd_per_hour = frame->reference_usd_per_hour,
	    .given_reference_usd_per_hour = frame->given_reference_usd_per_hour,
	    .arrived = view->arrivals,
	    .completed = (double)latencies->count,
	    .broken_ttft = (double)latencies->ttft_broken,
	    .broken_tbt = (double)latencies->tbt_broken,
	    .broken = (double)(latencies->count - latencies->slo_met),
	    .failed = view->failed,
	    .rejected = view->rejected,
	    .overdue_ttft = (double)view->overdue_ttft,
	    .overdue_tbt = (double)view->overdue_tbt,
	    .overdue = (double)view->overdue,
	    .ttft_slowdown = latencies->ttft_slowdown,
	    .tbt_slowdown = latencies->tbt_slowdown,
	};
	fill_bill(frame, view, facts);
	weir_list_loads loads[WEIR_TAG_COUNT];
	weir_list_loads_of(view, loads);
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		facts->has_list[tag] = frame->own[tag] && loads[tag].active > 0;
		facts->load[tag] = loads[tag].load;
	}
}

void weir_facts_charge(const weir_view *view, bool stalled, weir_reward_facts *facts)
{
	/* Nearly all that wait for a first token beyond its limit have not begun to run. */
	double left = stalled ? (double)view->in_system - (double)view->overdue
	                      : (double)view->queued - (double)view->overdue_ttft;
	facts->charged = fmax(0, left);
}

double weir_facts_operations(const weir_applied *applied)
{
	int64_t operations = llabs(applied->migration.done);
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		operations += llabs(applied->pools[tag].done);
	}
	return (double)operations;
}
