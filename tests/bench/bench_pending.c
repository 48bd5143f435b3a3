/*
 * The pending queue with n tasks, half of which age: CPU time of the process per pair of an
 * insertion and a removal.
 *
 *     pair      one task arrives, one leaves
 *     unseen    60 tasks are preempted and return to the batch
 *     seen      the same, with an arrival between, which needs every position
 */
#include <gsl/gsl_rng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/random.h"
#include "serving/pending_queue.h"

enum { BATCH = 60, PAIRS = 600000, ROUNDS = 3 };

static const uint32_t sizes[] = {100, 1000, 10000, 20000, 100000, 1000000};

typedef struct bench {
	weir_pending_queue queue;
	weir_task *tasks;
	uint32_t *pending; /* the numbers of the tasks of the queue, in no order */
	uint32_t count;
	int64_t passes;
	gsl_rng *draws;
} bench;

static double cpu_seconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void out_of_memory(void)
{
	fputs("bench_pending: out of memory\n", stderr);
	exit(EXIT_FAILURE);
}

static void draw_task(bench *b, uint32_t task, bool first)
{
	b->tasks[task].first = first;
	b->tasks[task].age = first ? (int64_t)gsl_rng_uniform_int(b->draws, 20) - b->passes : 0;
	b->tasks[task].arrival = gsl_rng_uniform(b->draws);
	b->tasks[task].need = 1;
	b->tasks[task].tokens = 1;
}

static void arrive(bench *b, uint32_t task)
{
	draw_task(b, task, gsl_rng_uniform(b->draws) < 0.5);
	weir_pending_insert(&b->queue, b->tasks, task, b->passes);
}

/* One of the queue leaves, and another comes in its place. */
static void renew(bench *b)
{
	uint32_t task = b->pending[gsl_rng_uniform_int(b->draws, b->count)];
	weir_pending_remove(&b->queue, b->tasks, task);
	arrive(b, task);
}

static void preempt(bench *b, bool seen)
{
	for (uint32_t i = 0; i < BATCH; i++) {
		draw_task(b, b->count + i, true);
		weir_pending_put_back(&b->queue, b->tasks, b->count + i, b->passes);
	}
	b->passes++;
	if (seen) {
		renew(b);
	}
	for (uint32_t i = 0; i < BATCH; i++) {
		weir_pending_remove(&b->queue, b->tasks, b->count + i);
	}
}

static void run_pairs(bench *b)
{
	for (int i = 0; i < PAIRS; i++) {
		renew(b);
	}
}

static void run_unseen(bench *b)
{
	for (int i = 0; i < PAIRS / BATCH; i++) {
		preempt(b, false);
	}
}

static void run_seen(bench *b)
{
	for (int i = 0; i < PAIRS / BATCH; i++) {
		preempt(b, true);
	}
}

static double measure(bench *b, void (*run)(bench *))
{
	double best = 0.0;
	for (int round = 0; round < ROUNDS; round++) {
		double start = cpu_seconds();
		run(b);
		double seconds = (cpu_seconds() - start) / PAIRS;
		best = round == 0 || seconds < best ? seconds : best;
	}
	return 1e9 * best;
}

int main(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
	if (argc > 1 && !json) {
		fputs("usage: bench_pending [--json]\n", stderr);
		return 2;
	}
	if (!json) {
		printf("ns per pair of insertion and removal\n%8s %8s %8s %8s\n", "pending", "pair",
		       "unseen", "seen");
	}
	size_t count = sizeof sizes / sizeof sizes[0];
	for (size_t i = 0; i < count; i++) {
		bench b = {.count = sizes[i]};
		b.tasks = weir_allocate(sizes[i] + BATCH, sizeof *b.tasks);
		b.pending = weir_allocate(sizes[i], sizeof *b.pending);
		b.draws = weir_stream_create(1, "bench", 0);
		if (b.tasks == NULL || b.pending == NULL || b.draws == NULL) {
			out_of_memory();
		}
		weir_pending_init(&b.queue);
		for (uint32_t task = 0; task < sizes[i]; task++) {
			b.pending[task] = task;
			arrive(&b, task);
		}
		double pair = measure(&b, run_pairs);
		double unseen = measure(&b, run_unseen);
		double seen = measure(&b, run_seen);
		if (b.queue.out_of_memory) {
			out_of_memory();
		}
		if (json) {
			printf("%s{\"pending\": %u, \"pair_ns\": %.1f, \"unseen_ns\": %.1f, "
			       "\"seen_ns\": %.1f}%s\n",
			       i == 0 ? "[" : " ", sizes[i], pair, unseen, seen, i + 1 == count ? "]" : ",");
		} else {
			printf("%8u %8.1f %8.1f %8.1f\n", sizes[i], pair, unseen, seen);
		}
		weir_pending_release(&b.queue);
		gsl_rng_free(b.draws);
		free(b.tasks);
		free(b.pending);
	}
	return EXIT_SUCCESS;
}
