/* The lives of a recorded run's instances and servers: what was paid for them, their pools, and the
 * scale operations that made and ended them. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "run/verification.h"

static const double SECONDS_PER_HOUR = 3600.0;

/* ---- lives and bills ---- */

static double end_of(const weir_verification *v, double removed)
{
	return isnan(removed) ? v->totals.end_time : removed;
}

static void check_life(weir_verification *v, uint32_t i)
{
	const weir_verify_instance *row = &v->instances[i];
	double end = end_of(v, row->removed);
	double life = end - row->created;
	if (!(row->created >= 0 && end >= row->created && end <= v->totals.end_time) ||
	    row->active < row->created || row->active > end || row->drain_start < row->active ||
	    row->drain_start > end) {
		weir_verify_fail(v, WEIR_VERIFY_lifecycle, "instance %u: its times are not in order", i);
	}
	double by_state = row->paid_scaling_up + row->paid_active + row->paid_draining;
	double by_pool = row->paid_prompt + row->paid_token + row->paid_mixed;
	if (!weir_verify_close_time(v, by_state, life) || !weir_verify_close_time(v, by_pool, life) ||
	    !(row->paid_scaling_up >= 0 && row->paid_active >= 0 && row->paid_draining >= 0 &&
	      row->paid_prompt >= 0 && row->paid_token >= 0 && row->paid_mixed >= 0)) {
		weir_verify_fail(v, WEIR_VERIFY_lifecycle,
		                 "instance %u: lived for %.17g s, paid for %.17g s by state and %.17g s by "
		                 "pool",
		                 i, life, by_state, by_pool);
	}
	if (row->type != NULL) {
		double cost =
		    life * row->type->share_of_server * row->type->sku->price_per_hour / SECONDS_PER_HOUR;
		if (!weir_verify_close_time(v, row->cost_usd, cost)) {
			weir_verify_fail(v, WEIR_VERIFY_lifecycle, "instance %u: cost_usd %.17g, not %.17g", i,
			                 row->cost_usd, cost);
		}
	}
	if (!(row->server >= 0 && row->server < v->server_count && row->server == floor(row->server))) {
		weir_verify_fail(v, WEIR_VERIFY_lifecycle, "instance %u: has no server", i);
		return;
	}
	const weir_verify_server *server = &v->servers[(size_t)row->server];
	if (server->type != row->type || server->application != row->application ||
	    !(server->created <= row->created) || end > end_of(v, server->removed)) {
		weir_verify_fail(v, WEIR_VERIFY_lifecycle, "instance %u: is not one of server %.0f", i,
		                 row->server);
	}
}

/* The servers of the config come first, in order. */
static void check_start_servers(weir_verification *v)
{
	uint32_t i = 0;
	for (size_t a = 0; a < v->config->application_count; a++) {
		const weir_application *application = &v->built.cluster.applications[a];
		for (size_t s = 0; s < application->server_count && i < v->server_count; s++, i++) {
			const weir_verify_server *row = &v->servers[i];
			if (row->application != (double)a || row->created != 0 ||
			    row->type != &application->types[application->servers[s].type]) {
				weir_verify_fail(v, WEIR_VERIFY_bill, "server %u is not the one of the config", i);
			}
		}
	}
}

static void check_bill(weir_verification *v)
{
	check_start_servers(v);
	double sum = 0;
	for (uint32_t i = 0; i < v->server_count; i++) {
		const weir_verify_server *row = &v->servers[i];
		double end = end_of(v, row->removed);
		double paid = end - row->created;
		double price = row->type != NULL ? row->type->sku->price_per_hour : NAN;
		double cost = row->paid * price / SECONDS_PER_HOUR;
		if (!(row->created >= 0 && paid >= 0 && end <= v->totals.end_time) ||
		    !weir_verify_close_time(v, row->paid, paid) ||
		    !weir_verify_close(row->cost_usd, cost)) {
			weir_verify_fail(v, WEIR_VERIFY_bill,
			                 "server %u: paid for %.17g s at %.17g USD, not %.17g s at %.17g", i,
			                 row->paid, row->cost_usd, paid, cost);
		}
		sum += row->cost_usd;
	}
	if (!weir_verify_close(v->totals.cost_usd, sum)) {
		weir_verify_fail(v, WEIR_VERIFY_bill, "cost_usd is %.17g, of the servers %.17g",
		                 v->totals.cost_usd, sum);
	}
	weir_verify_note(v, WEIR_VERIFY_bill, WEIR_VERIFY_HOLDS, "%.2f USD", sum);
}

/* ---- pools ---- */

static void add_pool(weir_verify_pool *to, const weir_verify_pool *from)
{
	to->paid += from->paid;
	to->paid_scaling_up += from->paid_scaling_up;
	to->paid_active += from->paid_active;
	to->paid_draining += from->paid_draining;
	to->cost_usd += from->cost_usd;
	to->energy += from->energy;
	to->busy += from->busy;
	to->prompt_tokens += from->prompt_tokens;
	to->output_tokens += from->output_tokens;
	to->prompts_completed += from->prompts_completed;
	to->requests_completed += from->requests_completed;
	to->preemptions += from->preemptions;
}

static void compare_pools(weir_verification *v, const char *name, const weir_verify_pool *pool,
                          const weir_verify_pool *instances)
{
	const struct {
		const char *what;
		double of_pool, of_instances;
	} figures[] = {
	    {"seconds paid for", pool->paid, instances->paid},
	    {"seconds SCALING_UP", pool->paid_scaling_up, instances->paid_scaling_up},
	    {"seconds ACTIVE", pool->paid_active, instances->paid_active},
	    {"seconds DRAINING", pool->paid_draining, instances->paid_draining},
	    {"USD", pool->cost_usd, instances->cost_usd},
	    {"joules", pool->energy, instances->energy},
	    {"busy seconds", pool->busy, instances->busy},
	    {"prompt tokens", pool->prompt_tokens, instances->prompt_tokens},
	    {"output tokens", pool->output_tokens, instances->output_tokens},
	    {"prompts completed", pool->prompts_completed, instances->prompts_completed},
	    {"requests completed", pool->requests_completed, instances->requests_completed},
	    {"preemptions", pool->preemptions, instances->preemptions},
	};
	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
		if (!weir_verify_close_time(v, figures[i].of_pool, figures[i].of_instances)) {
			weir_verify_fail(v, WEIR_VERIFY_pools, "%s: %.17g %s, of its instances %.17g", name,
			                 figures[i].of_pool, figures[i].what, figures[i].of_instances);
		}
	}
}

/* Adds what an instance did to its pool. One that was in several did an unknown part in each: then
 * only the time paid for is known by pool. */
static void add_instance(const weir_verify_instance *row, weir_verify_pool *pools, bool *changed)
{
	const double paid[WEIR_TAG_COUNT] = {
	    [WEIR_TAG_PROMPT] = row->paid_prompt,
	    [WEIR_TAG_TOKEN] = row->paid_token,
	    [WEIR_TAG_MIXED] = row->paid_mixed,
	};
	if (!(row->pool >= 0 && row->pool < WEIR_TAG_COUNT)) {
		return;
	}
	const weir_verify_pool whole = {
	    .paid_scaling_up = row->paid_scaling_up,
	    .paid_active = row->paid_active,
	    .paid_draining = row->paid_draining,
	    .cost_usd = row->cost_usd,
	    .energy = row->energy,
	    .busy = row->busy,
	    .prompt_tokens = row->prompt_tokens,
	    .output_tokens = row->output_tokens,
	    .prompts_completed = row->prompts_completed,
	    .requests_completed = row->requests_completed,
	    .preemptions = row->preemptions,
	};
	add_pool(&pools[(size_t)row->pool], &whole);
	for (size_t tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		pools[tag].paid += paid[tag];
		*changed = *changed || (paid[tag] > 0 && tag != (size_t)row->pool);
	}
}

static void check_pools_of(weir_verification *v, uint32_t application)
{
	const weir_verify_pool *pools = &v->pools[(size_t)application * WEIR_TAG_COUNT];
	weir_verify_pool sums[WEIR_TAG_COUNT] = {0};
	bool changed = false;
	for (uint32_t i = 0; i < v->instance_count; i++) {
		if (v->instances[i].application == application) {
			add_instance(&v->instances[i], sums, &changed);
		}
	}
	weir_verify_pool all = {0};
	weir_verify_pool all_sums = {0};
	for (size_t tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (!changed) {
			compare_pools(v, weir_tag_names[tag], &pools[tag], &sums[tag]);
		} else if (!weir_verify_close_time(v, pools[tag].paid, sums[tag].paid)) {
			weir_verify_fail(v, WEIR_VERIFY_pools, "%s: paid for %.17g s, its instances %.17g s",
			                 weir_tag_names[tag], pools[tag].paid, sums[tag].paid);
		}
		add_pool(&all, &pools[tag]);
		add_pool(&all_sums, &sums[tag]);
	}
	compare_pools(v, v->built.cluster.applications[application].name, &all, &all_sums);
}

static void check_hours(weir_verification *v, const char *name, double hours, double seconds)
{
	if (!weir_verify_close_time(v, hours, seconds / SECONDS_PER_HOUR)) {
		weir_verify_fail(v, WEIR_VERIFY_lifecycle, "%s is %.17g, of the instances %.17g", name,
		                 hours, seconds / SECONDS_PER_HOUR);
	}
}

void weir_verify_lives(weir_verification *v)
{
	weir_verify_pool all = {0};
	for (uint32_t i = 0; i < v->instance_count; i++) {
		check_life(v, i);
		all.paid_scaling_up += v->instances[i].paid_scaling_up;
		all.paid_active += v->instances[i].paid_active;
		all.paid_draining += v->instances[i].paid_draining;
	}
	all.paid = all.paid_scaling_up + all.paid_active + all.paid_draining;
	check_hours(v, "instance_hours", v->totals.instance_hours, all.paid);
	check_hours(v, "booting_hours", v->totals.booting_hours, all.paid_scaling_up);
	check_hours(v, "draining_hours", v->totals.draining_hours, all.paid_draining);
	weir_verify_note(v, WEIR_VERIFY_lifecycle, WEIR_VERIFY_HOLDS,
	                 "%u instances on %u servers, %.3f instance-hours", v->instance_count,
	                 v->server_count, all.paid / SECONDS_PER_HOUR);
	for (uint32_t a = 0; a < v->config->application_count; a++) {
		check_pools_of(v, a);
	}
	weir_verify_note(v, WEIR_VERIFY_pools, WEIR_VERIFY_HOLDS, "%.3f instance-hours",
	                 all.paid / SECONDS_PER_HOUR);
	check_bill(v);
}
