/*
 * The bare engine under the hold model: n events pending; each step pops the next and schedules it
 * again a random increment later. CPU time of the process; the increments are drawn beforehand.
 */
#include <gsl/gsl_randist.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "engine/engine.h"

enum { INCREMENTS = 16384, HOLDS = 4000000, ROUNDS = 3 };

typedef struct hold_case {
	const char *increments;
	size_t pending;
} hold_case;

static const hold_case cases[] = {
    {"exponential", 10},     {"exponential", 100}, {"exponential", 1000}, {"exponential", 10000},
    {"exponential", 100000}, {"equal", 1000},      {"equal", 100000},     {"now", 1000},
};

static double cpu_seconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void draw_increments(double *increments, const char *kind)
{
	gsl_rng *stream = weir_stream_create(1, "bench", 0);
	if (stream == NULL) {
		fputs("bench_engine: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	for (size_t i = 0; i < INCREMENTS; i++) {
		if (strcmp(kind, "exponential") == 0) {
			increments[i] = gsl_ran_exponential(stream, 1.0);
		} else if (strcmp(kind, "equal") == 0) {
			increments[i] = 1.0;
		} else {
			/* Every other event is for the current time, as in a cascade of causes. */
			increments[i] = i % 2 == 0 ? 0.0 : gsl_ran_exponential(stream, 1.0);
		}
	}
	gsl_rng_free(stream);
}

/* Seconds per event. */
static double hold(const hold_case *bench, const double *increments)
{
	weir_engine *engine = weir_engine_create();
	if (engine == NULL) {
		fputs("bench_engine: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	for (size_t i = 0; i < bench->pending; i++) {
		weir_engine_schedule(engine, increments[i % INCREMENTS], 0,
		                     (weir_event){.subject = (uint32_t)i});
	}
	double start = 0.0;
	/* The first round brings the queue to its steady state. */
	for (size_t i = 0; i < 2 * (size_t)HOLDS; i++) {
		if (i == HOLDS) {
			start = cpu_seconds();
		}
		weir_event event;
		weir_engine_pop(engine, &event);
		weir_engine_schedule(engine, weir_engine_now(engine) + increments[i % INCREMENTS], 0,
		                     event);
	}
	double seconds = (cpu_seconds() - start) / HOLDS;
	weir_engine_destroy(engine);
	return seconds;
}

int main(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
	if (argc > 1 && !json) {
		fputs("usage: bench_engine [--json]\n", stderr);
		return 2;
	}
	static double increments[INCREMENTS];
	size_t count = sizeof cases / sizeof cases[0];
	if (!json) {
		printf("%-12s %8s %10s %12s\n", "increments", "pending", "ns/event", "events/s");
	}
	for (size_t i = 0; i < count; i++) {
		draw_increments(increments, cases[i].increments);
		double best = hold(&cases[i], increments);
		for (int round = 1; round < ROUNDS; round++) {
			double seconds = hold(&cases[i], increments);
			best = seconds < best ? seconds : best;
		}
		if (json) {
			printf("%s{\"increments\": \"%s\", \"pending\": %zu, \"events_per_s\": %.0f}%s\n",
			       i == 0 ? "[" : " ", cases[i].increments, cases[i].pending, 1.0 / best,
			       i + 1 == count ? "]" : ",");
		} else {
			printf("%-12s %8zu %10.1f %12.0f\n", cases[i].increments, cases[i].pending, 1e9 * best,
			       1.0 / best);
		}
	}
	return EXIT_SUCCESS;
}
