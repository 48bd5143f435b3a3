#include "rl/workers.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

/* Calls that a thread takes at a time: so many parts are made for each thread. */
enum { PARTS_PER_THREAD = 4 };

/* The threads of one process. */
typedef struct crew {
	pid_t process; /* in any other one they do not exist */
	pthread_mutex_t lock;
	pthread_cond_t begun, done;
	void (*work)(void *context, size_t i);
	void *context;
	size_t count, part; /* calls; how many are taken at a time */
	size_t next;        /* first one not taken yet */
	size_t left;        /* not done yet */
	bool closing;
	size_t thread_count;
	pthread_t threads[];
} crew;

struct weir_workers {
	size_t threads;
	crew *crew; /* NULL until it is needed */
};

static size_t processors(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
	return count > 0 ? (size_t)count : 1;
}

/* Takes and makes calls until none is left to take. The lock is held on entry and on return. */
static void do_work(crew *c)
{
	while (c->next < c->count) {
		size_t from = c->next;
		size_t to = c->count - from < c->part ? c->count : from + c->part;
		c->next = to;
		pthread_mutex_unlock(&c->lock);
		for (size_t i = from; i < to; i++) {
			c->work(c->context, i);
		}
		pthread_mutex_lock(&c->lock);
		c->left -= to - from;
		if (c->left == 0) {
			pthread_cond_signal(&c->done);
		}
	}
}

static void *worker(void *context)
{
	crew *c = context;
	pthread_mutex_lock(&c->lock);
	while (!c->closing) {
		if (c->next < c->count) {
			do_work(c);
		} else {
			pthread_cond_wait(&c->begun, &c->lock);
		}
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static crew *crew_create(size_t others)
{
	crew *c = calloc(1, sizeof *c + others * sizeof c->threads[0]);
	if (c == NULL) {
		return NULL;
	}
	c->process = getpid();
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->begun, NULL);
	pthread_cond_init(&c->done, NULL);
	/* Signals are for the caller's thread. */
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (c->thread_count < others &&
	       pthread_create(&c->threads[c->thread_count], NULL, worker, c) == 0) {
		c->thread_count++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return c;
}

static void crew_destroy(crew *c)
{
	if (c == NULL) {
		return;
	}
	/* Of the parent's crew a forked child has the memory alone. */
	if (c->process == getpid()) {
		pthread_mutex_lock(&c->lock);
		c->closing = true;
		pthread_cond_broadcast(&c->begun);
		pthread_mutex_unlock(&c->lock);
		for (size_t i = 0; i < c->thread_count; i++) {
			pthread_join(c->threads[i], NULL);
		}
		pthread_cond_destroy(&c->done);
		pthread_cond_destroy(&c->begun);
		pthread_mutex_destroy(&c->lock);
	}
	free(c);
}

weir_workers *weir_workers_create(size_t threads, size_t most)
{
	weir_workers *workers = weir_allocate(1, sizeof *workers);
	if (workers != NULL) {
		size_t wanted = threads > 0 ? threads : processors();
		workers->threads = wanted < most ? wanted : most;
	}
	return workers;
}

void weir_workers_destroy(weir_workers *workers)
{
	if (workers != NULL) {
		crew_destroy(workers->crew);
		free(workers);
	}
}

size_t weir_workers_threads(const weir_workers *workers)
{
	return workers->threads;
}

/* The crew of this process, NULL when there is none. */
static crew *ready_crew(weir_workers *workers)
{
	if (workers->crew == NULL || workers->crew->process != getpid()) {
		crew_destroy(workers->crew);
		workers->crew = crew_create(workers->threads - 1);
	}
	return workers->crew;
}

void weir_workers_run(weir_workers *workers, size_t count, void (*work)(void *context, size_t i),
                      void *context)
{
	crew *c = workers->threads > 1 && count > 1 ? ready_crew(workers) : NULL;
	if (c == NULL) {
		for (size_t i = 0; i < count; i++) {
			work(context, i);
		}
		return;
	}
	pthread_mutex_lock(&c->lock);
	size_t parts = (c->thread_count + 1) * PARTS_PER_THREAD;
	c->work = work;
	c->context = context;
	c->count = count;
	c->part = (count + parts - 1) / parts;
	c->next = 0;
	c->left = count;
	pthread_cond_broadcast(&c->begun);
	do_work(c);
	while (c->left > 0) {
		pthread_cond_wait(&c->done, &c->lock);
	}
	pthread_mutex_unlock(&c->lock);
}
