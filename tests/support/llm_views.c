#include "support/llm_views.h"

#include <stdlib.h>
#include <string.h>

#include "support/test_support.h"

void llm_start(llm_fixture *f, const weir_policy_type *type, const void *parameters, unsigned tags)
{
	memset(f, 0, sizeof *f);
	f->model = (weir_architecture){.name = "small",
	                               .layers = 1,
	                               .hidden = SMALL_KV_BYTES / 2,
	                               .heads = 1,
	                               .kv_heads = 1,
	                               .bytes_per_value = 1,
	                               .weight_bytes = SMALL_WEIGHTS};
	int chunked = 0;
	while (strcmp(weir_batching_names[chunked], "chunked") != 0) {
		chunked++;
	}
	for (int i = 0; i < 2; i++) {
		f->skus[i] = (weir_server_sku){.name = "small", .price_per_hour = i == 0 ? 4 : 16};
		f->times[i] = (small_time){
		    {&small_time_type}, {.prompt_token_s = 0.001, .token_s = 0.01, .token_task_s = 0.001}};
		f->types[i] = (weir_instance_type){.sku = &f->skus[i],
		                                   .time = &f->times[i].base,
		                                   .memory_limit = SMALL_WEIGHTS + 10000 * SMALL_KV_BYTES,
		                                   .share_of_server = 0.5};
	}
	f->application = (weir_application){.name = "small",
	                                    .model = &f->model,
	                                    .instance = {.kind = chunked,
	                                                 .max_batch_size = 64,
	                                                 .max_batch_tokens = 1000,
	                                                 .tensor_parallel = 2},
	                                    .types = f->types,
	                                    .type_count = 2};
	f->cluster = (weir_cluster){.applications = &f->application, .application_count = 1};
	f->scaling.max_total_instances = LLM_INSTANCES;
	f->context = (weir_policy_context){.parameters = parameters,
	                                   .cluster = &f->cluster,
	                                   .tags = tags,
	                                   .scaling = &f->scaling,
	                                   .interval = type != NULL ? type->interval : 0};
	f->view.instances = f->instances;
	if (type != NULL) {
		f->state = calloc(1, type->state_size(&f->context));
		ck_assert_ptr_nonnull(f->state);
		weir_error error = {0};
		ck_assert_ok(type->start(&f->context, f->state, &error), &error);
	}
}

void llm_end(llm_fixture *f)
{
	free(f->state);
}

void llm_pool(llm_fixture *f, weir_tag tag, uint32_t count)
{
	f->view.pools[tag].count[WEIR_INSTANCE_ACTIVE] = count;
}

weir_view_instance *llm_add(llm_fixture *f, weir_tag tag, uint32_t type)
{
	size_t i = f->view.instance_count++;
	ck_assert_uint_lt(i, LLM_INSTANCES);
	f->instances[i] = (weir_view_instance){.id = (uint32_t)i,
	                                       .type = type,
	                                       .tag = tag,
	                                       .list = tag,
	                                       .state = WEIR_INSTANCE_ACTIVE,
	                                       .kv_room = 10000 * SMALL_KV_BYTES};
	f->view.pools[tag].count[WEIR_INSTANCE_ACTIVE]++;
	return &f->instances[i];
}

void llm_tick(llm_fixture *f, const weir_policy_type *type, double interval, double arrivals,
              double isl, double osl)
{
	f->view.now += interval;
	f->view.interval = interval;
	f->view.arrivals = arrivals;
	f->view.prompt_tokens_arrived = arrivals * isl;
	f->view.output_tokens_arrived = arrivals * osl;
	f->decision = (weir_decision){0};
	type->decide(&f->context, f->state, &f->view, &f->decision);
}

int64_t llm_size(const llm_fixture *f, weir_tag tag)
{
	int64_t size = -1;
	for (size_t i = 0; i < f->decision.count; i++) {
		if (f->decision.changes[i].tag == tag) {
			ck_assert(f->decision.changes[i].absolute);
			size = f->decision.changes[i].amount;
		}
	}
	return size;
}

int64_t llm_change(const llm_fixture *f, int32_t type)
{
	int64_t amount = 0;
	for (size_t i = 0; i < f->decision.count; i++) {
		ck_assert(!f->decision.changes[i].absolute);
		amount += f->decision.changes[i].type == type ? f->decision.changes[i].amount : 0;
	}
	return amount;
}

void llm_defaults(const weir_key_table *table, void *object)
{
	weir_arena *arena = weir_arena_create();
	weir_keys_reader reader = {.arena = arena, .file = "test"};
	weir_error error = {0};
	ck_assert_ok(weir_keys_read(&reader, table, NULL, "", object, &error), &error);
	weir_arena_destroy(arena);
}
