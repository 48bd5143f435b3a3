#include "scaling/faults.h"

#include <gsl/gsl_cdf.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "scaling/manager_state.h"

static const char actor[] = "faults";

/* What is to come for an instance, by slot. The event of one who is gone stays until it is due or
 * the slot is used again, so that there are never more than the slots. */
typedef struct instance_fate {
	weir_event_handle crash;
	uint32_t draws; /* of times until a crash */
} instance_fate;

typedef struct server_fate {
	weir_event_handle loss, preemption;
} server_fate;

typedef struct type_fate {
	weir_event_handle restock;
	uint32_t draws; /* stock-outs so far */
} type_fate;

struct weir_faults {
	const weir_faults_config *config;
	const weir_cluster *cluster;
	weir_serving *serving;
	weir_manager *manager;
	weir_engine *engine;
	uint64_t seed;
	instance_fate *instances; /* by slot */
	server_fate *servers;     /* by slot */
	size_t instance_capacity, server_capacity;
	type_fate *types; /* of all applications */
	size_t type_count;
	uint32_t failures_asked, slowness_asked;
	uint64_t pending; /* events in the engine */
	weir_faults_counters counters;
};

bool weir_faults_enabled(const weir_faults_config *config)
{
	return config->instance_mtbf > 0 || config->server_mtbf > 0 ||
	       (config->preemption_mtbf > 0 && config->spot_share > 0) || config->boot_failure > 0 ||
	       config->slow_boot > 0 || config->stock_out_mtbf > 0 || config->straggler > 0;
}

/* --- chance --- */

/* In [0, 1), of the upper 53 bits: the same for the same arguments. */
static double uniform(const weir_faults *faults, const char *stream, uint64_t index)
{
	return (double)(weir_stream_seed(faults->seed, stream, index) >> 11) * 0x1p-53;
}

static double exponential(const weir_faults *faults, const char *stream, uint64_t index,
                          double mean)
{
	return gsl_cdf_exponential_Pinv(uniform(faults, stream, index), mean);
}

/* Index of draw `count` for number `id`; also the data of an event for what has a slot. */
static uint64_t pack(uint32_t low, uint32_t high)
{
	return low | (uint64_t)high << 32;
}

/* --- events --- */

static void out_of_memory(const weir_faults *faults)
{
	weir_error error = {0};
	weir_error_set(&error, WEIR_ERROR_MEMORY, NULL, "out of memory for faults");
	weir_manager_fail(faults->manager, &error);
}

static void schedule(weir_faults *faults, weir_fault kind, double delay, uint64_t data,
                     weir_event_handle *handle)
{
	*handle = weir_engine_schedule(
	    faults->engine, weir_engine_now(faults->engine) + delay, WEIR_CLASS_LIFECYCLE,
	    (weir_event){.type = WEIR_EVENT_FAULT, .subject = (uint32_t)kind, .data = data});
	if (handle->generation == 0) {
		out_of_memory(faults);
		return;
	}
	faults->pending++;
}

static void cancel(weir_faults *faults, weir_event_handle handle)
{
	faults->pending -= weir_engine_cancel(faults->engine, handle);
}

/* From now on, or from the end of its boot or flip: what boots does not crash. */
static void schedule_crash(weir_faults *faults, weir_instance_handle handle)
{
	const weir_managed_instance *instance = weir_manager_instance(faults->manager, handle);
	instance_fate *fate = &faults->instances[handle.slot];
	double delay = exponential(faults, "faults: crash", pack(fate->draws++, handle.id),
	                           faults->config->instance_mtbf);
	if (instance->state == WEIR_INSTANCE_SCALING_UP) {
		delay += instance->ready_at - weir_engine_now(faults->engine);
	}
	schedule(faults, WEIR_FAULT_CRASH, delay, pack(handle.slot, handle.id), &fate->crash);
}

static void schedule_stock_out(weir_faults *faults, uint32_t type)
{
	weir_event_handle handle;
	double delay = exponential(faults, "faults: stock-out", pack(faults->types[type].draws, type),
	                           faults->config->stock_out_mtbf);
	schedule(faults, WEIR_FAULT_STOCK_OUT, delay, type, &handle);
}

/* --- what comes to be --- */

static void instance_made(void *context, weir_instance_handle instance)
{
	weir_faults *faults = context;
	const weir_faults_config *config = faults->config;
	if (config->straggler > 0 &&
	    uniform(faults, "faults: straggler", instance.id) < config->straggler) {
		weir_serving_set_slowness(faults->serving, instance, config->straggler_factor);
		faults->counters.stragglers++;
	}
	if (config->instance_mtbf <= 0) {
		return;
	}
	if (!weir_reserve((void **)&faults->instances, &faults->instance_capacity,
	                  (size_t)instance.slot + 1, sizeof *faults->instances)) {
		out_of_memory(faults);
		return;
	}
	cancel(faults, faults->instances[instance.slot].crash);
	faults->instances[instance.slot] = (instance_fate){0};
	schedule_crash(faults, instance);
}

static void server_made(void *context, weir_server_handle server)
{
	weir_faults *faults = context;
	const weir_faults_config *config = faults->config;
	if (!weir_reserve((void **)&faults->servers, &faults->server_capacity, (size_t)server.slot + 1,
	                  sizeof *faults->servers)) {
		out_of_memory(faults);
		return;
	}
	server_fate *fate = &faults->servers[server.slot];
	cancel(faults, fate->loss);
	cancel(faults, fate->preemption);
	*fate = (server_fate){0};
	if (config->server_mtbf > 0) {
		schedule(faults, WEIR_FAULT_SERVER_LOSS,
		         exponential(faults, "faults: server loss", server.id, config->server_mtbf),
		         pack(server.slot, server.id), &fate->loss);
	}
	if (config->preemption_mtbf > 0 &&
	    uniform(faults, "faults: spot", server.id) < config->spot_share) {
		schedule(faults, WEIR_FAULT_PREEMPTION_NOTICE,
		         exponential(faults, "faults: preemption", server.id, config->preemption_mtbf),
		         pack(server.slot, server.id), &fate->preemption);
	}
}

static double boot_slowness(void *context)
{
	weir_faults *faults = context;
	bool slow =
	    uniform(faults, "faults: slow boot", faults->slowness_asked++) < faults->config->slow_boot;
	faults->counters.boots_slow += slow;
	return slow ? faults->config->slow_boot_factor : 1.0;
}

/* Asked once for every instance but those of the start state, in order of their ids. */
static bool boot_fails(void *context)
{
	weir_faults *faults = context;
	return uniform(faults, "faults: failed boot", faults->failures_asked++) <
	       faults->config->boot_failure;
}

/* --- what goes --- */

static void start(weir_faults *faults, const weir_scale_request *request, uint32_t count)
{
	weir_instance_handle made;
	for (uint32_t i = 0; faults->config->replace && i < count; i++) {
		weir_manager_scale_up_full(faults->manager, actor, request, &made);
	}
}

static void boot_failed(void *context, const weir_scale_request *boot)
{
	weir_faults *faults = context;
	faults->counters.boots_failed++;
	start(faults, boot, 1);
}

/* What is lost with instances: how many of which pool somebody will miss. */
typedef struct missing {
	uint32_t application, type;
	uint32_t count[WEIR_TAG_COUNT];
} missing;

static void miss(missing *missed, const weir_managed_instance *instance)
{
	missed->application = instance->application;
	missed->type = instance->type;
	if (instance->state != WEIR_INSTANCE_DRAINING) {
		missed->count[instance->tag]++;
	} else if (instance->drain_end == WEIR_DRAIN_FLIP) {
		missed->count[instance->target]++;
	}
}

static missing missed_on(const weir_faults *faults, weir_server_handle server)
{
	const weir_manager *manager = faults->manager;
	missing on = {0};
	for (uint32_t slot = 0; slot < manager->instance_slots; slot++) {
		const weir_managed_instance *instance = &manager->instances[slot];
		if (instance->exists && instance->server.slot == server.slot &&
		    instance->server.id == server.id) {
			miss(&on, instance);
		}
	}
	return on;
}

static void replace(weir_faults *faults, const missing *missed)
{
	for (int t = 0; t < WEIR_TAG_COUNT; t++) {
		const weir_scale_request request = {missed->application, (weir_tag)t,
		                                    (int32_t)missed->type};
		start(faults, &request, missed->count[t]);
	}
}

static void crash(weir_faults *faults, weir_instance_handle handle)
{
	const weir_managed_instance *instance = weir_manager_instance(faults->manager, handle);
	if (instance == NULL) {
		return;
	}
	if (instance->state == WEIR_INSTANCE_SCALING_UP) {
		schedule_crash(faults, handle);
		return;
	}
	missing lost = {0};
	miss(&lost, instance);
	faults->counters.crashes++;
	faults->counters.requests_hit +=
	    weir_manager_lose(faults->manager, actor, handle, WEIR_SCALING_CRASHED);
	replace(faults, &lost);
}

static void lose_server(weir_faults *faults, weir_server_handle handle)
{
	missing lost = missed_on(faults, handle);
	faults->counters.requests_hit += weir_manager_lose_server(faults->manager, actor, handle);
	replace(faults, &lost);
}

static void give_notice(weir_faults *faults, weir_server_handle handle)
{
	missing lost = missed_on(faults, handle);
	faults->counters.preemptions++;
	weir_manager_preempt(faults->manager, actor, handle);
	schedule(faults, WEIR_FAULT_PREEMPTION, faults->config->preemption_notice,
	         pack(handle.slot, handle.id), &faults->servers[handle.slot].preemption);
	replace(faults, &lost);
}

static void stock_out(weir_faults *faults, uint32_t index)
{
	type_fate *fate = &faults->types[index];
	double length = exponential(faults, "faults: stock-out duration", pack(fate->draws, index),
	                            faults->config->stock_out_duration);
	double until = weir_engine_now(faults->engine) + length;
	fate->draws++;
	faults->counters.stock_outs++;
	if (!weir_engine_is_pending(faults->engine, fate->restock)) {
		schedule(faults, WEIR_FAULT_RESTOCK, length, index, &fate->restock);
	} else if (until > weir_engine_time_of(faults->engine, fate->restock)) {
		weir_engine_reschedule(faults->engine, fate->restock, until);
	}
	schedule_stock_out(faults, index);
}

/* Tells the manager of a type in the count through all applications. */
static void set_stock(weir_faults *faults, uint32_t index, bool in_stock)
{
	uint32_t application = 0;
	while (index >= faults->cluster->applications[application].type_count) {
		index -= (uint32_t)faults->cluster->applications[application].type_count;
		application++;
	}
	weir_manager_set_stock(faults->manager, application, index, in_stock);
}

weir_status weir_faults_handle(weir_faults *faults, const weir_event *event, weir_error *error)
{
	const uint32_t slot = (uint32_t)event->data;
	const uint32_t id = (uint32_t)(event->data >> 32);
	const weir_server_handle server = {slot, id};
	bool server_exists = weir_serving_has_server(faults->serving, server);
	faults->pending--;
	switch ((weir_fault)event->subject) {
	case WEIR_FAULT_CRASH:
		crash(faults, (weir_instance_handle){slot, id});
		break;
	case WEIR_FAULT_SERVER_LOSS:
		if (server_exists) {
			faults->counters.servers_lost++;
			lose_server(faults, server);
		}
		break;
	case WEIR_FAULT_PREEMPTION_NOTICE:
		if (server_exists) {
			give_notice(faults, server);
		}
		break;
	case WEIR_FAULT_PREEMPTION:
		if (server_exists) {
			lose_server(faults, server);
		}
		break;
	case WEIR_FAULT_STOCK_OUT:
		if (!weir_engine_is_pending(faults->engine, faults->types[slot].restock)) {
			set_stock(faults, slot, false);
		}
		stock_out(faults, slot);
		break;
	case WEIR_FAULT_RESTOCK:
		set_stock(faults, slot, true);
		break;
	}
	return weir_manager_check(faults->manager, error);
}

/* --- beginning and end --- */

static void begin(weir_faults *faults)
{
	weir_server_view server;
	for (uint32_t s = 0; s < weir_serving_server_slots(faults->serving); s++) {
		if (weir_serving_server(faults->serving, s, &server)) {
			server_made(faults, server.handle);
		}
	}
	weir_instance_view instance;
	for (uint32_t i = 0; i < weir_serving_instance_slots(faults->serving); i++) {
		if (weir_serving_instance(faults->serving, i, &instance)) {
			instance_made(faults, (weir_instance_handle){instance.slot, instance.id});
		}
	}
	for (uint32_t t = 0; faults->config->stock_out_mtbf > 0 && t < faults->type_count; t++) {
		schedule_stock_out(faults, t);
	}
}

static void join_manager(weir_faults *faults)
{
	const weir_faults_config *config = faults->config;
	const weir_boot_faults boots = {
	    .context = faults,
	    .slowness = config->slow_boot > 0 ? boot_slowness : NULL,
	    .fails = config->boot_failure > 0 ? boot_fails : NULL,
	    .instance_made = instance_made,
	    .server_made = server_made,
	    .boot_failed = boot_failed,
	};
	weir_manager_set_boot_faults(faults->manager, &boots);
}

weir_status weir_faults_create(const weir_faults_config *config, const weir_cluster *cluster,
                               weir_serving *serving, weir_manager *manager, weir_engine *engine,
                               uint64_t seed, weir_faults **faults, weir_error *error)
{
	size_t types = 0;
	for (size_t a = 0; a < cluster->application_count; a++) {
		types += cluster->applications[a].type_count;
	}
	weir_faults *made = weir_allocate(1, sizeof *made);
	type_fate *fates = weir_allocate(types, sizeof *fates);
	*faults = made;
	if (made == NULL || fates == NULL) {
		free(made);
		free(fates);
		*faults = NULL;
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for faults");
	}
	*made = (weir_faults){
	    .config = config,
	    .cluster = cluster,
	    .serving = serving,
	    .manager = manager,
	    .engine = engine,
	    .seed = seed,
	    .types = fates,
	    .type_count = types,
	};
	begin(made);
	weir_status status = weir_manager_check(manager, error);
	if (status != WEIR_OK) {
		weir_faults_destroy(made);
		*faults = NULL;
		return status;
	}
	join_manager(made);
	return WEIR_OK;
}

void weir_faults_destroy(weir_faults *faults)
{
	if (faults == NULL) {
		return;
	}
	free(faults->instances);
	free(faults->servers);
	free(faults->types);
	free(faults);
}

uint64_t weir_faults_background(const weir_faults *faults)
{
	return faults->pending;
}

void weir_faults_counters_get(const weir_faults *faults, weir_faults_counters *counters)
{
	*counters = faults->counters;
}

/* Items that only the target has would name events of the source's engine: they are cleared. */
static bool copy_items(void **target, size_t *target_capacity, const void *source,
                       size_t source_capacity, size_t size)
{
	if (source_capacity > 0 && !weir_reserve(target, target_capacity, source_capacity, size)) {
		return false;
	}
	if (*target_capacity > 0) {
		memset(*target, 0, *target_capacity * size);
	}
	if (source_capacity > 0) {
		memcpy(*target, source, source_capacity * size);
	}
	return true;
}

bool weir_faults_copy(weir_faults *target, const weir_faults *source)
{
	if (!copy_items((void **)&target->instances, &target->instance_capacity, source->instances,
	                source->instance_capacity, sizeof *source->instances) ||
	    !copy_items((void **)&target->servers, &target->server_capacity, source->servers,
	                source->server_capacity, sizeof *source->servers)) {
		return false;
	}
	memcpy(target->types, source->types, source->type_count * sizeof *source->types);
	target->seed = source->seed;
	target->failures_asked = source->failures_asked;
	target->slowness_asked = source->slowness_asked;
	target->pending = source->pending;
	target->counters = source->counters;
	return true;
}
