/* What the files of the oracle share: the state of a run, and plain lists. */
#ifndef WEIR_TESTS_ORACLE_NAIVE_INTERNAL_H
#define WEIR_TESTS_ORACLE_NAIVE_INTERNAL_H

/* The oracle checks itself in every build. */
#undef NDEBUG
#include <assert.h>
#include <stdbool.h>

#include "oracle/naive.h"

typedef struct naive_list {
	void **items;
	size_t count, capacity;
} naive_list;

void list_insert(naive_list *list, size_t at, void *item);
void list_append(naive_list *list, void *item);
void list_remove(naive_list *list, const void *item); /* asserts that it is there */

typedef struct naive_job naive_job;
typedef struct naive_instance naive_instance;

typedef enum task_state {
	TASK_NONE, /* not submitted yet */
	TASK_QUEUED,
	TASK_RUNNING, /* in the batch */
	TASK_BLOCKED, /* preempted */
	TASK_COMPLETED
} task_state;

typedef struct naive_task {
	naive_job *request;
	bool is_prompt;
	task_state state;
	naive_instance *instance; /* where it runs; NULL for the token task of a one-token request */
	int64_t memory;           /* bytes that it takes when it first runs */
	int64_t tokens_left;      /* prompt tokens to process, or output tokens to make */
	int64_t chunk;            /* prompt tokens processed in the running iteration */
	int64_t num_preemptions;  /* iterations that it was passed over */
	bool selected;            /* for the batch being formed */
	double start, completion;
} naive_task;

/* A request that has arrived. */
struct naive_job {
	const naive_request *input;
	naive_task prompt, token;
	int64_t memory; /* bytes it holds on the instance where it is (both, while in transfer) */
	int64_t preemptions, transfer_retries;
	naive_status status;
};

struct naive_instance {
	size_t index;
	naive_tag tag;
	int64_t limit, memory;
	int64_t sched_memory, sched_pending_tokens;          /* the scheduler's books */
	bool borrowed;                                       /* in the mixed list, though not its own */
	naive_list batch, pending, pending_prompts, blocked; /* of tasks */
	naive_list pending_requests; /* with an unfinished task here, by arrival */
	int64_t batch_tokens;
	double duration; /* seconds of one iteration */
	int64_t count;   /* iterations that the pending event stands for */
	bool paused;
	double busy_since, busy_time;
};

typedef enum event_kind { EVENT_ITERATION, EVENT_TRANSFER, EVENT_RETRY } event_kind;

typedef struct naive_event {
	double time;
	uint64_t sequence;
	event_kind kind;
	void *subject; /* instance of an iteration, else job */
} naive_event;

typedef struct naive_simulation {
	const naive_config *config;
	double now;
	naive_event *events; /* pending, in no order */
	size_t event_count, event_capacity;
	uint64_t next_sequence, executed;
	naive_instance *instances;
	naive_job *requests;
	naive_list all, prompt_list, token_list,
	    mixed_list;                             /* of instances, as the scheduler sees them */
	size_t cursor, prompt_cursor, token_cursor; /* of the round-robin schedulers */
	naive_result *result;
} naive_simulation;

/* naive.c: events and the way of a request */
void schedule_event(naive_simulation *sim, double time, event_kind kind, void *subject);
naive_event *find_iteration_event(naive_simulation *sim, const naive_instance *instance);
/* What follows a task that has left its instance. */
void task_completed(naive_simulation *sim, const naive_task *task);

/* naive_scheduler.c */
/* Chooses the instances of both tasks. */
void choose_instances(naive_simulation *sim, const naive_job *request, naive_instance **prompt,
                      naive_instance **token);
/* Enters the choice in the books. */
void enter_in_books(const naive_job *request);
/* Told by an instance that has nothing left to do. */
void instance_is_free(naive_simulation *sim, naive_instance *instance);

/* naive_instance.c */
void submit_task(naive_simulation *sim, naive_task *task);
void complete_iterations(naive_simulation *sim, naive_instance *instance);
void transfer_left(naive_simulation *sim, naive_instance *source);

#endif
