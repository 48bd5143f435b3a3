#include "rl/scaling_checks.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool WEIR_PRINTF(2, 3) say(char *message, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(message, WEIR_ERROR_MESSAGE_SIZE, format, arguments);
	va_end(arguments);
	return false;
}

static weir_status open_workload(const weir_config *config, weir_workload_counter *counter,
                                 weir_error *error)
{
	counter->sized = !weir_workload_is_generated(&config->workload);
	if (counter->sized) {
		return weir_config_open_workload(config, &counter->source, error);
	}
	const weir_size_config one = {.kind = WEIR_SIZE_CONSTANT, .value = 1};
	weir_workload_config arrivals = config->workload;
	arrivals.generation.sizes =
	    (weir_sizes_config){.kind = WEIR_SIZES_DRAWN, .prompt = one, .output = one};
	return weir_workload_open(&arrivals, config->seed, &counter->source, error);
}

weir_status weir_workload_counter_begin(weir_workload_counter *counter, const weir_config *config,
                                        weir_error *error)
{
	*counter = (weir_workload_counter){0};
	weir_status status = open_workload(config, counter, error);
	return status == WEIR_OK
	           ? weir_source_next(counter->source, &counter->next, &counter->more, error)
	           : status;
}

void weir_workload_counter_end(weir_workload_counter *counter)
{
	weir_source_destroy(counter->source);
	*counter = (weir_workload_counter){0};
}

weir_status weir_workload_counter_count(weir_workload_counter *counter, double until,
                                        uint32_t application, weir_workload_count *count,
                                        weir_error *error)
{
	*count = (weir_workload_count){.sized = counter->sized};
	while (counter->more && counter->next.arrival <= until) {
		if (counter->next.application == (int64_t)application) {
			count->arrived++;
			count->prompt_tokens += counter->next.prompt_tokens;
			count->output_tokens += counter->next.output_tokens;
		}
		weir_status status =
		    weir_source_next(counter->source, &counter->next, &counter->more, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	return WEIR_OK;
}

bool weir_check_workload(const weir_workload_count *expected, const weir_view *view, char *message)
{
	if (view->arrivals != (double)expected->arrived) {
		return say(message,
		           "%.0f requests arrived in the %g s before %g s; the workload has %" PRIu64,
		           view->arrivals, view->interval, view->now, expected->arrived);
	}
	if (expected->sized && (view->prompt_tokens_arrived != (double)expected->prompt_tokens ||
	                        view->output_tokens_arrived != (double)expected->output_tokens)) {
		return say(message,
		           "%.0f prompt and %.0f output tokens arrived in the %g s before %g s; the "
		           "workload has %" PRId64 " and %" PRId64,
		           view->prompt_tokens_arrived, view->output_tokens_arrived, view->interval,
		           view->now, expected->prompt_tokens, expected->output_tokens);
	}
	return true;
}

weir_throughput_books weir_throughput_books_of(const weir_serving *serving,
                                               const weir_cluster *cluster, double time)
{
	weir_throughput_books books = {.time = time, .whole = cluster->application_count == 1};
	weir_serving_counters_get(serving, &books.serving);
	for (uint32_t application = 0; application < cluster->application_count; application++) {
		for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
			weir_pool_counters pool;
			weir_serving_pool(serving, application, (weir_tag)tag, &pool);
			books.prompt_tokens += pool.prompt_tokens;
			books.output_tokens += pool.output_tokens;
		}
	}
	return books;
}

static bool check_conservation(const weir_throughput_books *books, char *message)
{
	const weir_serving_counters *counted = &books->serving;
	uint64_t ended = counted->completed + counted->rejected + counted->failed;
	if (counted->arrived != ended + counted->in_system) {
		return say(message,
		           "%" PRIu64 " requests arrived, %" PRIu64 " ended and %" PRIu64
		           " are in the system",
		           counted->arrived, ended, counted->in_system);
	}
	const int64_t figures[2][4] = {
	    {books->prompt_tokens, counted->prompt_tokens_lost, counted->prompt_tokens_completed,
	     counted->prompt_tokens_arrived},
	    {books->output_tokens, counted->output_tokens_lost, counted->output_tokens_completed,
	     counted->output_tokens_arrived},
	};
	for (int kind = 0; kind < 2; kind++) {
		int64_t kept = figures[kind][0] - figures[kind][1];
		if (kept < figures[kind][2] || kept > figures[kind][3]) {
			return say(message,
			           "%" PRId64 " %s tokens were processed and not lost, but %" PRId64
			           " are of completed requests and %" PRId64 " arrived",
			           kept, kind == 0 ? "prompt" : "output", figures[kind][2], figures[kind][3]);
		}
	}
	return true;
}

/* One figure of the view and the difference of the books. */
static bool check_figure(const char *what, double shown, double counted, bool whole, char *message)
{
	if (whole ? shown == counted : shown <= counted) {
		return true;
	}
	return say(message, "the view shows %.17g %s in the interval, the books differ by %.17g", shown,
	           what, counted);
}

bool weir_check_throughput(const weir_throughput_books *before, const weir_throughput_books *after,
                           const weir_view *view, char *message)
{
	if (view->now != after->time || view->interval != after->time - before->time) {
		return say(message,
		           "the view is of the %.17g s before %.17g s, the interval began at %.17g s and "
		           "ended at %.17g s",
		           view->interval, view->now, before->time, after->time);
	}
	if (!check_conservation(after, message)) {
		return false;
	}
	double prompt_tokens = 0, output_tokens = 0;
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		prompt_tokens += view->pools[tag].prompt_tokens;
		output_tokens += view->pools[tag].output_tokens;
	}
	const weir_serving_counters *then = &before->serving, *now = &after->serving;
	bool whole = after->whole;
	return check_figure("arrivals", view->arrivals, (double)(now->arrived - then->arrived), whole,
	                    message) &&
	       check_figure("completed requests", view->completed,
	                    (double)(now->completed - then->completed), whole, message) &&
	       check_figure("failed and rejected requests", view->failed + view->rejected,
	                    (double)(now->failed - then->failed + now->rejected - then->rejected),
	                    whole, message) &&
	       check_figure("prompt tokens", prompt_tokens,
	                    (double)(after->prompt_tokens - before->prompt_tokens), whole, message) &&
	       check_figure("output tokens", output_tokens,
	                    (double)(after->output_tokens - before->output_tokens), whole, message) &&
	       check_figure("requests in the system", (double)view->in_system, (double)now->in_system,
	                    whole, message);
}

bool weir_check_reward(double reward, const double *terms, size_t count, char *message)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++) {
		sum += terms[i];
	}
	if (isfinite(reward) && fabs(reward - sum) <= 1e-9 * fmax(1, fabs(reward))) {
		return true;
	}
	return say(message, "the reward is %.17g, its %zu terms sum to %.17g", reward, count, sum);
}

weir_manager_books weir_manager_books_of(const weir_manager *manager, uint32_t application)
{
	weir_manager_books books;
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		books.size[tag] = weir_manager_size(manager, application, (weir_tag)tag);
	}
	weir_manager_counters_get(manager, &books.counters);
	return books;
}

/* What is asked for of a pool, sizes being differences to those after the migration. */
static int64_t asked_of(const weir_decision *decision, weir_tag tag, int64_t size)
{
	int64_t asked = 0;
	for (size_t i = 0; i < decision->count; i++) {
		const weir_change *change = &decision->changes[i];
		if (change->tag == tag) {
			asked += change->absolute ? change->amount - size - asked : change->amount;
		}
	}
	return asked;
}

static bool check_part(const char *what, const weir_applied_part *part, int64_t asked,
                       char *message)
{
	bool within = part->done == 0 || ((part->done > 0) == (part->asked > 0) &&
	                                  llabs(part->done) <= llabs(part->asked));
	if (part->asked == asked && within) {
		return true;
	}
	return say(message,
	           "%s: the action asks for %" PRId64 ", %" PRId64 " were asked for and %" PRId64
	           " done",
	           what, asked, part->asked, part->done);
}

/* The counters of instances that came (or came back) and of those that were sent away. */
static bool check_counters(const weir_applied *applied, const weir_manager_counters *before,
                           const weir_manager_counters *after, char *message)
{
	int64_t came = 0, went = 0;
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		int64_t done = applied->pools[tag].done;
		came += done > 0 ? done : 0;
		went -= done < 0 ? done : 0;
	}
	int64_t moved = llabs(applied->migration.done);
	int64_t counted_came =
	    (int64_t)(after->started - before->started) + (int64_t)(after->revived - before->revived);
	int64_t counted_went = (int64_t)(after->drained - before->drained) +
	                       (int64_t)(after->cancelled - before->cancelled);
	int64_t counted_moved = (int64_t)(after->flipped - before->flipped);
	if (counted_came == came && counted_went == went && counted_moved == moved) {
		return true;
	}
	return say(message,
	           "%" PRId64 " instances are said to have been added, %" PRId64 " taken away, %" PRId64
	           " moved; the manager counted %" PRId64 ", %" PRId64 " and %" PRId64,
	           came, went, moved, counted_came, counted_went, counted_moved);
}

bool weir_check_applied(const weir_decision *decision, const weir_applied *applied,
                        const weir_manager_books *before, const weir_manager_books *after,
                        char *message)
{
	int64_t moved = applied->migration.done;
	const int64_t by_migration[WEIR_TAG_COUNT] = {
	    [WEIR_TAG_PROMPT] = moved, [WEIR_TAG_TOKEN] = -moved};
	if (!check_part("migration", &applied->migration, decision->migrate, message)) {
		return false;
	}
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		int64_t middle = before->size[tag] + by_migration[tag];
		int64_t asked = asked_of(decision, (weir_tag)tag, middle);
		int64_t size = middle + applied->pools[tag].done;
		if (!check_part(weir_tag_names[tag], &applied->pools[tag], asked, message)) {
			return false;
		}
		if (after->size[tag] != size) {
			return say(message,
			           "%s: %" PRId64 " instances were done on %" PRId64 ", which makes %" PRId64
			           "; the manager has %" PRId64,
			           weir_tag_names[tag], applied->pools[tag].done, before->size[tag], size,
			           after->size[tag]);
		}
	}
	return check_counters(applied, &before->counters, &after->counters, message);
}
