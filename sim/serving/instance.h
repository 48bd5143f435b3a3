/*
 * One batching instance: its queues, its batch and its iterations. Internal to the serving room.
 *
 * What all kinds share is in instance.c; how a kind chooses its batch is behind weir_batching.
 */
#ifndef WEIR_SERVING_INSTANCE_H
#define WEIR_SERVING_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "serving/inflight.h"
#include "serving/pending_queue.h"
#include "serving/serving.h"
#include "serving/waiting_heap.h"

/* A task of the batch and the progress at which it is done; least first, then in batch order. */
typedef struct weir_finish_entry {
	int64_t progress;
	uint64_t order;
	uint32_t task;
} weir_finish_entry;

typedef struct weir_task_list {
	uint32_t first, last, count;
} weir_task_list;

/* Time integrals of what an instance does. */
typedef struct weir_instance_work {
	double busy_seconds, batch_token_seconds, energy_joules;
} weir_instance_work;

typedef struct weir_instance {
	uint32_t slot, id;
	uint32_t server, application, type; /* the server's slot */
	uint32_t pool; /* of its application and tag, a place in the array of pools */
	weir_tag tag, list;
	weir_instance_state state;
	bool exists;
	uint32_t next_free; /* slot */
	bool relieved;      /* during an eviction elsewhere: it got memory back */
	uint32_t claims;    /* requests with anything on it or on the way to or from it */
	const weir_execution_time *time;

	/* memory, bytes; the entry's WEIR_FIGURE_BYTES is what is promised */
	int64_t memory, memory_limit, weights;
	int64_t pending_prompt_tokens;

	/* queues */
	weir_pending_queue pending;
	weir_task_list pending_prompts; /* in order of arrival here */
	weir_task_list blocked;         /* in order of preemption */
	weir_waiting_heap waiting;
	int64_t passes; /* iteration starts so far: the age of what waits is relative to it */

	/* the batch */
	weir_task_list batch;
	uint64_t next_batch_order;
	uint32_t prompts_in_batch;
	int64_t token_context; /* context tokens of the batch's token tasks, at the iteration's start */
	uint32_t partial_prompt; /* chunked: the prompt in the batch that does not finish now */
	int64_t limit_tokens;    /* tokens of the selection, as the kind's limits count them */
	weir_finish_entry *finish;
	size_t finish_capacity;
	uint32_t finish_count;
	int64_t progress; /* iterations finished by what is in the finish heap */

	/* the running iterations */
	weir_batch current;
	int64_t count;  /* how many run as one event */
	double started; /* s */
	double length;  /* seconds that they take */
	bool pausing;
	double power_w; /* drawn now */
	weir_event_handle event;

	/* since the start, up to `accounted` */
	double accounted;
	double busy_since, busy_seconds;
	double batch_token_seconds, energy_joules;
	int64_t prompt_tokens, output_tokens;
	uint64_t iterations;
	uint64_t prompts_completed, requests_completed, preemptions;

	/* its life, see books.h */
	double created, state_since, tag_since, ready_since, drain_since;
	double state_seconds[WEIR_INSTANCE_STATE_COUNT]; /* up to state_since */
	double tag_seconds[WEIR_TAG_COUNT];              /* up to tag_since */
	weir_instance_work before_pool; /* what it had done when it came into its pool */
	double slowness;                /* factor on the times of its iterations */
} weir_instance;

/* The batch that a kind chooses: the first `kept` tasks of the old one, in batch order, and those
 * that join, in the order in which they were chosen. */
typedef struct weir_selection {
	uint32_t *joined; /* room for max_batch_size */
	uint32_t joined_count;
	uint32_t kept;
	int64_t tokens; /* as the kind's limits count them */
	int64_t memory; /* of the instance, with what joins */
} weir_selection;

typedef struct weir_batching {
	const char *name;
	/* Chooses the next batch: what joins is put in *selection with weir_select, and may already be
	 * taken out of the waiting heap; nothing else of the instance changes. */
	void (*select)(weir_instance *instance, const weir_instance_config *config, weir_task *tasks,
	               weir_selection *selection);
	/* Whether a task that just arrived ends the running iterations at their next boundary. */
	bool (*interrupts)(const weir_instance *instance, const weir_instance_config *config,
	                   const weir_task *task, bool is_prompt);
	/* Whether there is room for a waiting task when a transfer ended. */
	bool (*has_room)(const weir_instance *instance, const weir_instance_config *config);
	bool orders_pending; /* pending tasks by times passed over and arrival; else as they came */
} weir_batching;

extern const weir_batching weir_batching_orca;
extern const weir_batching weir_batching_splitwise;
extern const weir_batching weir_batching_chunked;

/* Adds a task to a selection, with its tokens in the coming iteration. */
static inline void weir_select(weir_selection *selection, weir_task *tasks, uint32_t task,
                               int64_t tokens)
{
	tasks[task].selected = true;
	tasks[task].chunk = (int32_t)tokens;
	selection->joined[selection->joined_count++] = task;
	selection->tokens += tokens;
	selection->memory += tasks[task].need;
}

static inline int64_t weir_selection_size(const weir_selection *selection)
{
	return (int64_t)selection->kept + selection->joined_count;
}

/* Frees what a slot has allocated; it holds no instance afterwards. */
void weir_instance_release(weir_instance *instance);

/* Doubly linked lists over the tasks' previous and next. */
void weir_task_list_init(weir_task_list *list);
void weir_task_list_append(weir_task_list *list, weir_task *tasks, uint32_t task);
void weir_task_list_remove(weir_task_list *list, weir_task *tasks, uint32_t task);

/* The finish heap; push may fail for lack of memory. */
bool weir_finish_push(weir_instance *instance, weir_task *tasks, uint32_t task, int64_t progress);
void weir_finish_remove(weir_instance *instance, weir_task *tasks, uint32_t task);

/* Seconds of the next `count` iterations of the current batch. */
double weir_instance_time_for(const weir_instance *instance, int64_t count);

/* Brings the time integrals up to `now`; before the batch, its tokens or its power changes. */
void weir_instance_account(weir_instance *instance, double now);

/* How many of the running iterations are finished at `now`; 0 without a batch. */
int64_t weir_instance_finished(const weir_instance *instance, const weir_engine *engine);

#endif
