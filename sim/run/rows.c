#include "run/rows.h"

#include <stdio.h>

static const double SECONDS_PER_HOUR = 3600.0;
static const double JOULES_PER_KWH = 3.6e6;

void weir_instance_row_of(const weir_cluster *cluster, const weir_instance_view *view,
                          double removed, weir_instance_row *row)
{
	const weir_instance_type *type = &cluster->applications[view->application].types[view->type];
	double paid = 0;
	for (int state = 0; state < WEIR_INSTANCE_STATE_COUNT; state++) {
		paid += view->state_seconds[state];
	}
	*row = (weir_instance_row){
	    .instance = (int32_t)view->id,
	    .server = (int32_t)view->server,
	    .application = (int32_t)view->application,
	    .pool = (uint8_t)view->tag,
	    .state = (uint8_t)view->state,
	    .created = view->created,
	    .active = view->ready_since,
	    .drain_start = view->drain_since,
	    .removed = removed,
	    .paid_scaling_up = view->state_seconds[WEIR_INSTANCE_SCALING_UP],
	    .paid_active = view->state_seconds[WEIR_INSTANCE_ACTIVE],
	    .paid_draining = view->state_seconds[WEIR_INSTANCE_DRAINING],
	    .paid_prompt = view->tag_seconds[WEIR_TAG_PROMPT],
	    .paid_token = view->tag_seconds[WEIR_TAG_TOKEN],
	    .paid_mixed = view->tag_seconds[WEIR_TAG_MIXED],
	    .cost_usd = paid * type->share_of_server * type->sku->price_per_hour / SECONDS_PER_HOUR,
	    .busy = view->busy_seconds,
	    .utilisation = view->busy_seconds / paid,
	    .energy = view->energy_joules,
	    .prompt_tokens = view->prompt_tokens,
	    .output_tokens = view->output_tokens,
	    .iterations = (int64_t)view->iterations,
	    .prompts_completed = (int64_t)view->prompts_completed,
	    .requests_completed = (int64_t)view->requests_completed,
	    .preemptions = (int64_t)view->preemptions,
	    .memory = view->memory,
	    .memory_limit = view->memory_limit,
	};
	snprintf(row->sku, sizeof row->sku, "%s", type->sku->name);
}

void weir_server_row_of(const weir_cluster *cluster, const weir_server_view *view, double now,
                        double removed, weir_server_row *row)
{
	const weir_instance_type *type = &cluster->applications[view->application].types[view->type];
	*row = (weir_server_row){
	    .server = (int32_t)view->handle.id,
	    .application = (int32_t)view->application,
	    .created = view->created,
	    .removed = removed,
	    .paid = now - view->created,
	    .cost_usd = (now - view->created) * view->price_per_s,
	};
	snprintf(row->sku, sizeof row->sku, "%s", type->sku->name);
}

size_t weir_pool_rows_of(const weir_sim *sim, weir_pool_row *rows)
{
	const weir_serving *serving = weir_sim_serving(sim);
	const weir_cluster *cluster = weir_sim_cluster(sim);
	size_t count = 0;
	for (uint32_t a = 0; a < cluster->application_count; a++) {
		for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
			weir_pool_books books;
			weir_pool_counters counters;
			weir_serving_pool_books(serving, a, (weir_tag)tag, &books);
			weir_serving_pool(serving, a, (weir_tag)tag, &counters);
			const double *seconds = books.seconds;
			if (seconds[WEIR_INSTANCE_SCALING_UP] + seconds[WEIR_INSTANCE_ACTIVE] +
			        seconds[WEIR_INSTANCE_DRAINING] ==
			    0) {
				continue;
			}
			rows[count++] = (weir_pool_row){
			    .application = (int32_t)a,
			    .pool = (uint8_t)tag,
			    .paid_scaling_up = seconds[WEIR_INSTANCE_SCALING_UP],
			    .paid_active = seconds[WEIR_INSTANCE_ACTIVE],
			    .paid_draining = seconds[WEIR_INSTANCE_DRAINING],
			    .cost_usd = books.cost_usd,
			    .energy = counters.energy_joules,
			    .busy = counters.busy_seconds,
			    .prompt_tokens = counters.prompt_tokens,
			    .output_tokens = counters.output_tokens,
			    .prompts_completed = (int64_t)counters.prompts_completed,
			    .requests_completed = (int64_t)counters.requests_completed,
			    .preemptions = (int64_t)counters.preemptions,
			};
		}
	}
	return count;
}

/* Adds up the books of all pools. */
static void add_pools(const weir_sim *sim, weir_totals *totals)
{
	const weir_serving *serving = weir_sim_serving(sim);
	double seconds[WEIR_INSTANCE_STATE_COUNT] = {0};
	double busy = 0;
	double joules = 0;
	for (uint32_t a = 0; a < weir_sim_cluster(sim)->application_count; a++) {
		for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
			weir_pool_books books;
			weir_pool_counters counters;
			weir_serving_pool_books(serving, a, (weir_tag)tag, &books);
			weir_serving_pool(serving, a, (weir_tag)tag, &counters);
			for (int state = 0; state < WEIR_INSTANCE_STATE_COUNT; state++) {
				seconds[state] += books.seconds[state];
			}
			busy += counters.busy_seconds;
			joules += counters.energy_joules;
		}
	}
	double paid = seconds[WEIR_INSTANCE_SCALING_UP] + seconds[WEIR_INSTANCE_ACTIVE] +
	              seconds[WEIR_INSTANCE_DRAINING];
	totals->busy_share = busy / paid;
	totals->energy_kwh = joules / JOULES_PER_KWH;
	totals->instance_hours = paid / SECONDS_PER_HOUR;
	totals->booting_hours = seconds[WEIR_INSTANCE_SCALING_UP] / SECONDS_PER_HOUR;
	totals->draining_hours = seconds[WEIR_INSTANCE_DRAINING] / SECONDS_PER_HOUR;
}

void weir_sim_totals(const weir_sim *sim, weir_totals *totals)
{
	const weir_cluster *cluster = weir_sim_cluster(sim);
	double instances = 0;
	for (size_t a = 0; a < cluster->application_count; a++) {
		const weir_application *application = &cluster->applications[a];
		for (size_t s = 0; s < application->server_count; s++) {
			instances += (double)(application->types[application->servers[s].type].sku->gpu_count /
			                      application->instance.tensor_parallel);
		}
	}
	weir_serving_counters serving;
	weir_serving_counters_get(weir_sim_serving(sim), &serving);
	weir_manager_counters manager;
	weir_manager_counters_get(weir_sim_manager_const(sim), &manager);
	weir_faults_counters faults = {0};
	if (weir_sim_faults(sim) != NULL) {
		weir_faults_counters_get(weir_sim_faults(sim), &faults);
	}
	uint64_t refused = 0;
	for (int reason = 0; reason < WEIR_REFUSAL_COUNT; reason++) {
		refused += manager.refused[reason];
	}
	add_pools(sim, totals);
	totals->end_time = weir_sim_now(sim);
	totals->instances = instances;
	totals->cost_usd = weir_serving_cost(weir_sim_serving(sim));
	totals->scale_operations = (double)(manager.started + manager.cancelled + manager.drained +
	                                    manager.revived + manager.flipped);
	totals->instances_started = (double)manager.started;
	totals->instances_removed = (double)manager.removed;
	totals->flips = (double)manager.flipped;
	totals->operations_refused = (double)refused;
	totals->drain_timeouts = (double)manager.drain_timeouts;
	totals->crashes = (double)(faults.crashes + faults.servers_lost + faults.preemptions);
	totals->retries = (double)serving.retries;
	totals->moves = (double)serving.moves;
	totals->prompt_tokens_lost = (double)serving.prompt_tokens_lost;
	totals->output_tokens_lost = (double)serving.output_tokens_lost;
	totals->transfer_gb = serving.transfer_bytes / WEIR_BYTES_PER_GB;
	totals->events = (double)weir_sim_events(sim);
}
