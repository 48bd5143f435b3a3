#include "metrics/view.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "metrics/latencies.h"
#include "metrics/overdue.h"
#include "metrics/unloaded.h"

/* Where an instance stands among those of a scrape. */
typedef struct instance_place {
	uint32_t id, place;
} instance_place;

struct weir_meter {
	const weir_cluster *cluster;
	const weir_serving *serving;
	const weir_slo *slo;
	/* Completions number first .. first + count - 1 since the start of the log. */
	weir_completion *log;
	size_t capacity, count;
	uint64_t first;
	double *values; /* scratch of a view: two numbers for each of the log */
	size_t value_capacity;
	weir_scrape *readers; /* scrapes with slowdowns: the log is kept from the least cursor on */
	weir_unloaded *unloaded;
	weir_overdue *overdue;
	instance_place *places; /* scratch of a scrape */
	size_t place_capacity;
};

/* One instance at the instant of the scrape; the interval's figures of `now` are left open. */
typedef struct instance_figures {
	weir_view_instance now;
	double busy_seconds, batch_token_seconds;
	int64_t prompt_tokens, output_tokens;
} instance_figures;

typedef struct pool_figures {
	weir_pool_books books;
	weir_pool_counters counters;
	double load_kv;
} pool_figures;

/* What an empty scrape lacks is 0, as at time 0 before anything happened. */
typedef struct scrape_figures {
	double now;
	weir_application_counters counters;
	weir_overdue_counts overdue;
	pool_figures pools[WEIR_TAG_COUNT];
	uint64_t cursor; /* of the first completion that it has not seen */
	size_t instance_count;
} scrape_figures;

struct weir_scrape {
	uint32_t application;
	unsigned needs;
	scrape_figures figures;
	instance_figures *instances; /* in order of id */
	size_t instance_capacity;
	weir_view_instance *shown;
	size_t shown_capacity;
	weir_scrape *next, *previous; /* among the meter's readers */
};

weir_meter *weir_meter_create(const weir_cluster *cluster, const weir_serving *serving,
                              const weir_slo *slo)
{
	weir_meter *meter = weir_allocate(1, sizeof *meter);
	if (meter != NULL) {
		meter->cluster = cluster;
		meter->serving = serving;
		meter->slo = slo;
		meter->unloaded = weir_unloaded_create(slo);
		if (meter->unloaded != NULL) {
			meter->overdue = weir_overdue_create(serving, slo, meter->unloaded);
		}
		if (meter->overdue == NULL) {
			weir_meter_destroy(meter);
			return NULL;
		}
	}
	return meter;
}

void weir_meter_destroy(weir_meter *meter)
{
	if (meter != NULL) {
		weir_overdue_destroy(meter->overdue);
		weir_unloaded_destroy(meter->unloaded);
		free(meter->log);
		free(meter->values);
		free(meter->places);
		free(meter);
	}
}

static uint64_t log_end(const weir_meter *meter)
{
	return meter->first + meter->count;
}

/* Drops what every reader has seen. */
static void trim(weir_meter *meter)
{
	uint64_t least = log_end(meter);
	for (const weir_scrape *reader = meter->readers; reader != NULL; reader = reader->next) {
		least = reader->figures.cursor < least ? reader->figures.cursor : least;
	}
	size_t seen = (size_t)(least - meter->first);
	meter->count -= seen;
	meter->first = least;
	memmove(meter->log, meter->log + seen, meter->count * sizeof *meter->log);
}

/* Makes room for `count` completions, and for looking at them. */
static bool reserve_log(weir_meter *meter, size_t count)
{
	return weir_reserve_raw((void **)&meter->log, &meter->capacity, count, sizeof *meter->log) &&
	       weir_reserve_raw((void **)&meter->values, &meter->value_capacity, 2 * meter->capacity,
	                        sizeof *meter->values);
}

bool weir_meter_request_ended(weir_meter *meter, const weir_request_row *row)
{
	if (meter->readers == NULL || row->status != WEIR_REQUEST_COMPLETED) {
		return true;
	}
	if (meter->count == meter->capacity) {
		if (meter->count > 0) {
			trim(meter);
		}
		/* Where less than half was seen the log grows: the next trim is then far enough away for
		 * its cost to be shared by many. */
		if (meter->count >= meter->capacity / 2 && !reserve_log(meter, meter->capacity + 1)) {
			return false;
		}
	}
	meter->log[meter->count++] = (weir_completion){
	    .ttft = row->ttft,
	    .tbt = row->tbt,
	    .e2e = row->e2e,
	    .application = (uint32_t)row->application,
	    .prompt_tokens = row->prompt_tokens,
	    .output_tokens = row->output_tokens,
	};
	return true;
}

bool weir_meter_copy(weir_meter *target, const weir_meter *source)
{
	if (!reserve_log(target, source->capacity)) {
		return false;
	}
	if (source->count > 0) {
		memcpy(target->log, source->log, source->count * sizeof *source->log);
	}
	target->count = source->count;
	target->first = source->first;
	return true;
}

weir_scrape *weir_scrape_create(weir_meter *meter, uint32_t application, unsigned needs)
{
	assert(application < meter->cluster->application_count);
	weir_scrape *scrape = weir_allocate(1, sizeof *scrape);
	if (scrape == NULL) {
		return NULL;
	}
	scrape->application = application;
	scrape->needs = needs;
	scrape->figures.cursor = log_end(meter);
	if (needs & WEIR_VIEW_SLOWDOWNS) {
		scrape->next = meter->readers;
		if (scrape->next != NULL) {
			scrape->next->previous = scrape;
		}
		meter->readers = scrape;
	}
	return scrape;
}

void weir_scrape_destroy(weir_meter *meter, weir_scrape *scrape)
{
	if (scrape == NULL) {
		return;
	}
	if (scrape->needs & WEIR_VIEW_SLOWDOWNS) {
		if (scrape->next != NULL) {
			scrape->next->previous = scrape->previous;
		}
		if (scrape->previous != NULL) {
			scrape->previous->next = scrape->next;
		} else {
			meter->readers = scrape->next;
		}
	}
	free(scrape->instances);
	free(scrape->shown);
	free(scrape);
}

static bool reserve_instances(weir_scrape *scrape, size_t count)
{
	return weir_reserve_raw((void **)&scrape->instances, &scrape->instance_capacity, count,
	                        sizeof *scrape->instances) &&
	       weir_reserve_raw((void **)&scrape->shown, &scrape->shown_capacity, count,
	                        sizeof *scrape->shown);
}

static double kv_load(const weir_instance_view *view)
{
	int64_t room = view->memory_limit - view->weights;
	return room > 0 ? (double)(view->memory_promised - view->weights) / (double)room : 0.0;
}

static void keep_instance(const weir_application *application, const weir_instance_view *view,
                          instance_figures *figures)
{
	int64_t kv_bytes = weir_architecture_kv_bytes_per_token(application->model,
	                                                        application->instance.grouped_query_kv);
	*figures = (instance_figures){
	    .now =
	        {
	            .id = view->id,
	            .type = view->type,
	            .tag = view->tag,
	            .list = view->list,
	            .state = view->state,
	            .created = view->created,
	            .ready_since = view->ready_since,
	            .requests = view->requests,
	            .queued_prompts = view->queued_prompts,
	            .queued_tokens = view->queued_tokens,
	            .batch_size = view->batch_size,
	            .pending_prompt_tokens = view->pending_prompt_tokens,
	            .kv_promised = view->memory_promised - view->weights,
	            .kv_room = view->memory_limit - view->weights,
	            .kv_tokens = (view->memory - view->weights) / kv_bytes,
	            .memory = view->memory,
	            .memory_limit = view->memory_limit,
	            .load_kv = kv_load(view),
	            .load_concurrency = (double)view->requests,
	        },
	    .busy_seconds = view->busy_seconds,
	    .batch_token_seconds = view->batch_token_seconds,
	    .prompt_tokens = view->prompt_tokens,
	    .output_tokens = view->output_tokens,
	};
}

static bool serves(weir_instance_state state)
{
	return state == WEIR_INSTANCE_ACTIVE || state == WEIR_INSTANCE_DRAINING;
}

/* With one type all instances have the same room, and the mean of their loads is what the books say
 * over the room of all: what boots holds nothing. */
static void take_kv_of_one_type(const weir_application *application, scrape_figures *figures)
{
	int64_t room = application->types[0].memory_limit - (int64_t)application->model->weight_bytes;
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		const weir_pool_books *books = &figures->pools[tag].books;
		double serving =
		    (double)books->count[WEIR_INSTANCE_ACTIVE] + books->count[WEIR_INSTANCE_DRAINING];
		figures->pools[tag].load_kv =
		    serving > 0 && room > 0 ? (double)books->kv_promised / ((double)room * serving) : 0.0;
	}
}

/* Looks at the instances of the application one by one. False when memory is out. */
static bool take_instances(weir_meter *meter, weir_scrape *scrape)
{
	bool keeps = scrape->needs & WEIR_VIEW_INSTANCES;
	uint32_t slots = weir_serving_instance_slots(meter->serving);
	if (keeps && !reserve_instances(scrape, slots)) {
		return false;
	}
	size_t count = 0;
	uint32_t serving[WEIR_TAG_COUNT] = {0};
	double load[WEIR_TAG_COUNT] = {0};
	for (uint32_t slot = 0; slot < slots; slot++) {
		weir_instance_view view;
		if (!weir_serving_instance(meter->serving, slot, &view) ||
		    view.application != scrape->application) {
			continue;
		}
		if (serves(view.state)) {
			serving[view.tag]++;
			load[view.tag] += kv_load(&view);
		}
		if (keeps) {
			keep_instance(&meter->cluster->applications[scrape->application], &view,
			              &scrape->instances[count++]);
		}
	}
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		scrape->figures.pools[tag].load_kv = serving[tag] > 0 ? load[tag] / serving[tag] : 0.0;
	}
	scrape->figures.instance_count = count;
	return true;
}

/* Shell's method with Ciura's gaps: places are few, and often nearly in order. */
static void sort_places(instance_place *places, size_t count)
{
	static const size_t gaps[] = {1750, 701, 301, 132, 57, 23, 10, 4, 1};
	for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
		size_t gap = gaps[g];
		for (size_t i = gap; i < count; i++) {
			instance_place moved = places[i];
			size_t to = i;
			for (; to >= gap && places[to - gap].id > moved.id; to -= gap) {
				places[to] = places[to - gap];
			}
			places[to] = moved;
		}
	}
}

static bool is_in_order(const weir_scrape *scrape)
{
	for (size_t i = 1; i < scrape->figures.instance_count; i++) {
		if (scrape->instances[i].now.id < scrape->instances[i - 1].now.id) {
			return false;
		}
	}
	return true;
}

/* Slots are used again, so that their order need not be that of the ids. Places are sorted, and
 * then each instance is moved once. False when memory is out. */
static bool sort_by_id(weir_meter *meter, weir_scrape *scrape)
{
	size_t count = scrape->figures.instance_count;
	if (is_in_order(scrape)) {
		return true;
	}
	if (!weir_reserve_raw((void **)&meter->places, &meter->place_capacity, count,
	                      sizeof *meter->places)) {
		return false;
	}
	instance_place *places = meter->places;
	for (size_t i = 0; i < count; i++) {
		places[i] = (instance_place){scrape->instances[i].now.id, (uint32_t)i};
	}
	sort_places(places, count);
	for (size_t first = 0; first < count; first++) {
		instance_figures moved = scrape->instances[first];
		size_t to = first;
		for (size_t from = places[to].place; from != first; from = places[to].place) {
			scrape->instances[to] = scrape->instances[from];
			places[to].place = (uint32_t)to;
			to = from;
		}
		scrape->instances[to] = moved;
		places[to].place = (uint32_t)to;
	}
	return true;
}

bool weir_scrape_take(weir_meter *meter, double now, weir_scrape *scrape)
{
	scrape_figures *figures = &scrape->figures;
	figures->now = now;
	figures->cursor = log_end(meter);
	weir_serving_application(meter->serving, scrape->application, &figures->counters);
	if (scrape->needs & WEIR_VIEW_OVERDUE &&
	    !weir_overdue_count(meter->overdue, scrape->application, now, &figures->overdue)) {
		return false;
	}
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		pool_figures *pool = &figures->pools[tag];
		weir_serving_pool_books(meter->serving, scrape->application, (weir_tag)tag, &pool->books);
		weir_serving_pool(meter->serving, scrape->application, (weir_tag)tag, &pool->counters);
	}
	const weir_application *application = &meter->cluster->applications[scrape->application];
	if (!(scrape->needs & WEIR_VIEW_INSTANCES) && application->type_count == 1) {
		take_kv_of_one_type(application, figures);
		return true;
	}
	return take_instances(meter, scrape) && sort_by_id(meter, scrape);
}

void weir_scrape_release(weir_meter *meter, weir_scrape *scrape)
{
	(void)meter;
	scrape->figures.cursor = UINT64_MAX;
}

bool weir_scrape_copy(weir_meter *meter, weir_scrape *target, const weir_scrape *source)
{
	(void)meter;
	assert(target->application == source->application && target->needs == source->needs);
	size_t count = source->figures.instance_count;
	if (count > 0) {
		if (!reserve_instances(target, count)) {
			return false;
		}
		memcpy(target->instances, source->instances, count * sizeof *source->instances);
	}
	target->figures = source->figures;
	return true;
}

static void show_pool(const pool_figures *before, const pool_figures *after, weir_view_pool *pool)
{
	const weir_pool_books *books = &after->books;
	const weir_pool_counters *from = &before->counters;
	const weir_pool_counters *to = &after->counters;
	*pool = (weir_view_pool){
	    .active_by_list = books->active_by_list,
	    .next_ready = (double)INFINITY,
	    .requests = books->requests,
	    .pending_prompt_tokens = books->pending_prompt_tokens,
	    .kv_promised = books->kv_promised,
	    .queued_prompts = books->queued_prompts,
	    .queued_tokens = books->queued_tokens,
	    .load_kv = after->load_kv,
	    .load_busy = (double)NAN,
	    .load_batch = (double)NAN,
	    .prompts_assigned = (double)(to->prompts_assigned - from->prompts_assigned),
	    .prompts_started = (double)(to->prompts_started - from->prompts_started),
	    .prompts_completed = (double)(to->prompts_completed - from->prompts_completed),
	    .requests_completed = (double)(to->requests_completed - from->requests_completed),
	    .prompt_tokens = (double)(to->prompt_tokens - from->prompt_tokens),
	    .output_tokens = (double)(to->output_tokens - from->output_tokens),
	    .prompt_wait = to->prompt_wait - from->prompt_wait,
	    .cost_usd = books->cost_usd - before->books.cost_usd,
	};
	for (int state = 0; state < WEIR_INSTANCE_STATE_COUNT; state++) {
		pool->count[state] = books->count[state];
		pool->paid_seconds[state] = books->seconds[state] - before->books.seconds[state];
	}
}

/* `before` is NULL for an instance that was not there yet. */
static void show_instance(const instance_figures *before, const instance_figures *after,
                          double elapsed, double max_batch_tokens, weir_view_instance *shown)
{
	static const instance_figures none;
	const instance_figures *from = before != NULL ? before : &none;
	*shown = after->now;
	if (elapsed > 0) {
		double busy = (after->busy_seconds - from->busy_seconds) / elapsed;
		shown->load_busy = busy < 1.0 ? busy : 1.0;
		shown->load_batch =
		    (after->batch_token_seconds - from->batch_token_seconds) / (elapsed * max_batch_tokens);
	}
	shown->prompt_tokens = (double)(after->prompt_tokens - from->prompt_tokens);
	shown->output_tokens = (double)(after->output_tokens - from->output_tokens);
}

static void show_instances(const weir_meter *meter, const weir_scrape *before, weir_scrape *after,
                           weir_view *view)
{
	double max_batch_tokens =
	    (double)meter->cluster->applications[after->application].instance.max_batch_tokens;
	uint32_t serving[WEIR_TAG_COUNT] = {0};
	double busy[WEIR_TAG_COUNT] = {0};
	double batch[WEIR_TAG_COUNT] = {0};
	size_t old = 0;
	for (size_t i = 0; i < after->figures.instance_count; i++) {
		const instance_figures *figures = &after->instances[i];
		while (old < before->figures.instance_count &&
		       before->instances[old].now.id < figures->now.id) {
			old++;
		}
		bool known = old < before->figures.instance_count &&
		             before->instances[old].now.id == figures->now.id;
		weir_view_instance *shown = &after->shown[i];
		show_instance(known ? &before->instances[old] : NULL, figures,
		              known ? view->interval : view->now - figures->now.created, max_batch_tokens,
		              shown);
		if (serves(shown->state)) {
			serving[shown->tag]++;
			busy[shown->tag] += shown->load_busy;
			batch[shown->tag] += shown->load_batch;
		}
	}
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		double count = serving[tag] > 0 ? serving[tag] : 1.0;
		view->pools[tag].load_busy = busy[tag] / count;
		view->pools[tag].load_batch = batch[tag] / count;
	}
	view->instances = after->shown;
	view->instance_count = after->figures.instance_count;
}

static void show_latencies(weir_meter *meter, const weir_scrape *before, const weir_scrape *after,
                           weir_view_latencies *latencies)
{
	uint64_t from = before->figures.cursor;
	uint64_t to = after->figures.cursor;
	assert(from >= meter->first && from <= to && to <= log_end(meter));
	if (from == to) {
		return;
	}
	weir_latencies_of(meter->slo, meter->unloaded, meter->log + (from - meter->first),
	                  (size_t)(to - from), after->application,
	                  (after->needs & WEIR_VIEW_LATENCIES) == WEIR_VIEW_LATENCIES, meter->values,
	                  latencies);
}

void weir_view_between(weir_meter *meter, const weir_scrape *before, weir_scrape *after,
                       weir_view *view)
{
	assert(before->application == after->application && before->needs == after->needs);
	const scrape_figures *from = &before->figures;
	const scrape_figures *to = &after->figures;
	assert(from->now <= to->now);
	static const weir_view_quantiles none = {(double)NAN, (double)NAN, (double)NAN, (double)NAN};
	const weir_application_counters *was = &from->counters;
	const weir_application_counters *is = &to->counters;
	*view = (weir_view){
	    .now = to->now,
	    .interval = to->now - from->now,
	    .application = after->application,
	    .arrivals = (double)(is->arrived - was->arrived),
	    .prompt_tokens_arrived = (double)(is->prompt_tokens_arrived - was->prompt_tokens_arrived),
	    .output_tokens_arrived = (double)(is->output_tokens_arrived - was->output_tokens_arrived),
	    .completed = (double)(is->completed - was->completed),
	    .rejected = (double)(is->rejected - was->rejected),
	    .failed = (double)(is->failed - was->failed),
	    .kv_bytes_moved = (double)(is->kv_bytes_moved - was->kv_bytes_moved),
	    .no_prompt_candidate = (double)(is->no_prompt_candidate - was->no_prompt_candidate),
	    .no_token_candidate = (double)(is->no_token_candidate - was->no_token_candidate),
	    .in_system = is->in_system,
	    .waiting_at_scheduler = is->waiting_at_scheduler,
	    .overdue_ttft = to->overdue.ttft,
	    .overdue_tbt = to->overdue.tbt,
	    .overdue = to->overdue.ttft + to->overdue.tbt,
	    .queued = to->overdue.queued,
	    .queued_wait = to->overdue.queued_wait,
	    .latencies = {.ttft = none, .tbt = none, .ttft_slowdown = none, .tbt_slowdown = none},
	};
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		show_pool(&from->pools[tag], &to->pools[tag], &view->pools[tag]);
	}
	if (after->needs & WEIR_VIEW_INSTANCES) {
		show_instances(meter, before, after, view);
	}
	if (after->needs & WEIR_VIEW_SLOWDOWNS) {
		show_latencies(meter, before, after, &view->latencies);
	}
}

void weir_view_count_now(const weir_meter *meter, weir_view *view)
{
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		weir_pool_books books;
		weir_serving_pool_books(meter->serving, view->application, (weir_tag)tag, &books);
		memcpy(view->pools[tag].count, books.count, sizeof books.count);
		view->pools[tag].active_by_list = books.active_by_list;
	}
}
