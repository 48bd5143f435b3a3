#include "support/pool_views.h"

#include <stdlib.h>
#include <string.h>

#include "support/test_support.h"

static weir_status read_parameters(weir_arena *arena, const weir_key_table *table, const char *json,
                                   void *parameters, weir_error *error)
{
	weir_keys_reader reader = {.arena = arena, .file = "test"};
	cJSON *object = cJSON_Parse(json);
	ck_assert_msg(object != NULL, "no JSON: %s", json);
	weir_status status = weir_keys_read(&reader, table, object, "", parameters, error);
	cJSON_Delete(object);
	return status;
}

bool pool_parameters_refused(const weir_key_table *table, const char *json, weir_error *error)
{
	weir_arena *arena = weir_arena_create();
	void *parameters = weir_allocate(1, table->size);
	weir_status status = read_parameters(arena, table, json, parameters, error);
	free(parameters);
	weir_arena_destroy(arena);
	return status == WEIR_ERROR_INPUT;
}

weir_status pool_bench_open(pool_bench *bench, const weir_policy_type *type,
                            const weir_key_table *table, const char *json, pool_setting setting)
{
	*bench = (pool_bench){.type = type, .arena = weir_arena_create()};
	bench->scaling.min_instances_per_pool = 1;
	bench->parameters = weir_allocate(1, table->size);
	ck_assert_ok(read_parameters(bench->arena, table, json, bench->parameters, &bench->error),
	             &bench->error);
	bench->context = (weir_policy_context){.parameters = bench->parameters,
	                                       .tags = 1u << setting.tag,
	                                       .types = {-1, -1, -1},
	                                       .scaling = &bench->scaling,
	                                       .interval = setting.interval};
	bench->context.types[setting.tag] = 0;
	bench->context.boot_delay[setting.tag] = setting.boot_delay;
	bench->pool = &bench->view.pools[setting.tag];
	bench->pool->count[WEIR_INSTANCE_ACTIVE] = 1;
	bench->state_size = type->state_size != NULL ? type->state_size(&bench->context) : 0;
	/* exactly as long as it says, so that the sanitizers see what is beyond */
	bench->state = weir_allocate(1, bench->state_size > 0 ? bench->state_size : 1);
	return type->start != NULL ? type->start(&bench->context, bench->state, &bench->error)
	                           : WEIR_OK;
}

void pool_bench_close(pool_bench *bench)
{
	free(bench->state);
	free(bench->parameters);
	weir_arena_destroy(bench->arena);
}

weir_decision pool_bench_tick(pool_bench *bench, double now)
{
	bench->view.interval = now - bench->view.now;
	bench->view.now = now;
	weir_decision decision = {0};
	bench->type->decide(&bench->context, bench->state, &bench->view, &decision);
	ck_assert_int_eq(decision.migrate, 0);
	ck_assert_uint_le(decision.count, 1);
	if (decision.count == 1) {
		ck_assert_uint_eq(1u << decision.changes[0].tag, bench->context.tags);
		ck_assert_int_eq(decision.changes[0].type, WEIR_ANY_TYPE);
	}
	return decision;
}

int64_t pool_bench_size_after(const pool_bench *bench, const weir_decision *decision)
{
	int64_t size = weir_view_size(bench->pool);
	if (decision->count == 0) {
		return size;
	}
	const weir_change *change = &decision->changes[0];
	return change->absolute ? change->amount : size + change->amount;
}

int pool_bench_ramp(pool_bench *bench)
{
	for (int tick = 0; tick < 1000; tick++) {
		bench->pool->requests = tick;
		weir_decision decision = pool_bench_tick(bench, tick * bench->context.interval);
		if (pool_bench_size_after(bench, &decision) > weir_view_size(bench->pool)) {
			return tick;
		}
	}
	return -1;
}

int64_t pool_bench_idle(pool_bench *bench, double now, int count)
{
	bench->pool->requests = 0;
	for (int tick = 0; tick < count; tick++) {
		weir_decision decision = pool_bench_tick(bench, now + tick * bench->context.interval);
		int64_t size = pool_bench_size_after(bench, &decision);
		ck_assert_int_le(size, weir_view_size(bench->pool));
		bench->pool->count[WEIR_INSTANCE_ACTIVE] = (uint32_t)size;
	}
	return weir_view_size(bench->pool);
}
