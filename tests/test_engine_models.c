/*
 * Queues with a known answer, run on the engine. Each estimate is a mean of batch means; its
 * confidence interval (Student's t over the batches) must hold the closed form and be narrow enough
 * to mean something. The intervals are 99 % jointly: each of the six at 1 - 0.01 / 6 (Bonferroni).
 */
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "engine/engine.h"
#include "support/test_support.h"

enum { INTERVALS = 6, BATCHES = 30, BATCH_SIZE = 250000, WARM_UP = 50000, LINE_CAPACITY = 1 << 16 };

typedef enum event_type { ARRIVAL, DEPARTURE } event_type;

typedef struct queue_model {
	double arrival_rate;
	double mean_service;
	bool constant_service;
	uint32_t servers;
} queue_model;

typedef struct batch_means {
	double wait[BATCHES];    /* mean time in line, s */
	double delayed[BATCHES]; /* share of customers who waited */
} batch_means;

/* One first-come-first-served line in front of `servers` servers. */
typedef struct service_station {
	const queue_model *model;
	weir_engine *engine;
	gsl_rng *arrivals, *services;
	uint32_t busy;
	double line[LINE_CAPACITY]; /* arrival times of those in line, a ring */
	size_t line_first, line_count;
	size_t started; /* customers whose service has begun */
	batch_means sums;
} service_station;

static void start_service(service_station *station, double now, double waited)
{
	double mean = station->model->mean_service;
	double duration =
	    station->model->constant_service ? mean : gsl_ran_exponential(station->services, mean);
	weir_engine_schedule(station->engine, now + duration, 0, (weir_event){.type = DEPARTURE});
	station->busy++;
	if (station->started >= WARM_UP) {
		size_t batch = (station->started - WARM_UP) / BATCH_SIZE;
		station->sums.wait[batch] += waited / BATCH_SIZE;
		station->sums.delayed[batch] += (waited > 0.0 ? 1.0 : 0.0) / BATCH_SIZE;
	}
	station->started++;
}

static bool handle_event(void *context, double now, const weir_event *event)
{
	service_station *station = context;
	if (event->type == ARRIVAL) {
		double gap = gsl_ran_exponential(station->arrivals, 1.0 / station->model->arrival_rate);
		weir_engine_schedule(station->engine, now + gap, 0, (weir_event){.type = ARRIVAL});
		if (station->busy < station->model->servers) {
			start_service(station, now, 0.0);
		} else {
			if (station->line_count == LINE_CAPACITY) {
				ck_abort_msg("the line is longer than any stable queue's");
			}
			station->line[(station->line_first + station->line_count++) % LINE_CAPACITY] = now;
		}
	} else {
		station->busy--;
		if (station->line_count > 0) {
			double arrived = station->line[station->line_first];
			station->line_first = (station->line_first + 1) % LINE_CAPACITY;
			station->line_count--;
			start_service(station, now, now - arrived);
		}
	}
	return station->started < WARM_UP + (size_t)BATCHES * BATCH_SIZE;
}

static batch_means simulate(const queue_model *model)
{
	service_station *station = calloc(1, sizeof *station);
	ck_assert_ptr_nonnull(station);
	station->model = model;
	station->engine = weir_engine_create();
	station->arrivals = weir_stream_create(1, "arrivals", 0);
	station->services = weir_stream_create(1, "services", 0);
	weir_engine_schedule(station->engine, 0.0, 0, (weir_event){.type = ARRIVAL});
	weir_engine_run(station->engine, (double)INFINITY, handle_event, station);
	batch_means means = station->sums;
	weir_engine_destroy(station->engine);
	gsl_rng_free(station->arrivals);
	gsl_rng_free(station->services);
	free(station);
	return means;
}

/* `widest`: the largest half-width allowed, as a share of the expected value. */
static void check_interval(const char *name, const double means[BATCHES], double expected,
                           double widest)
{
	double mean = 0.0;
	for (size_t i = 0; i < BATCHES; i++) {
		mean += means[i] / BATCHES;
	}
	double squares = 0.0;
	for (size_t i = 0; i < BATCHES; i++) {
		squares += (means[i] - mean) * (means[i] - mean);
	}
	double half = gsl_cdf_tdist_Pinv(1.0 - 0.01 / (2 * INTERVALS), BATCHES - 1) *
	              sqrt(squares / (BATCHES - 1) / BATCHES);
	printf("%s: %.6f in %.6f +- %.6f\n", name, expected, mean, half);
	ck_assert_msg(fabs(mean - expected) <= half, "%s: expected %.6f, got %.6f +- %.6f", name,
	              expected, mean, half);
	ck_assert_msg(half <= widest * expected, "%s: half-width %.6f is too wide", name, half);
}

START_TEST(mm1_waits_as_in_theory)
{
	queue_model model = {.arrival_rate = 0.8, .mean_service = 1.0, .servers = 1};
	batch_means means = simulate(&model);
	double load = model.arrival_rate * model.mean_service;
	check_interval("M/M/1 wait", means.wait, load / (1.0 - load) * model.mean_service, 0.03);
	check_interval("M/M/1 delayed", means.delayed, load, 0.01);
}
END_TEST

START_TEST(md1_waits_half_as_long)
{
	queue_model model = {
	    .arrival_rate = 0.8, .mean_service = 1.0, .constant_service = true, .servers = 1};
	batch_means means = simulate(&model);
	/* Pollaczek-Khinchine without variance of service. */
	double load = model.arrival_rate * model.mean_service;
	check_interval("M/D/1 wait", means.wait, load / (2.0 * (1.0 - load)) * model.mean_service,
	               0.03);
	check_interval("M/D/1 delayed", means.delayed, load, 0.01);
}
END_TEST

/* The probability of waiting in M/M/c by the recursion of Erlang B. */
static double erlang_c(uint32_t servers, double offered)
{
	double blocked = 1.0;
	for (uint32_t i = 1; i <= servers; i++) {
		blocked = offered * blocked / (i + offered * blocked);
	}
	return blocked / (1.0 - offered / servers * (1.0 - blocked));
}

START_TEST(mmc_waits_as_erlang_says)
{
	queue_model model = {.arrival_rate = 4.0, .mean_service = 2.0, .servers = 10};
	double offered = model.arrival_rate * model.mean_service;
	double delayed = erlang_c(model.servers, offered);
	double wait = delayed * model.mean_service / (model.servers - offered);
	ck_assert_double_eq_tol(delayed, 0.409180, 5e-7);
	ck_assert_double_eq_tol(wait, 0.409180, 5e-7);
	batch_means means = simulate(&model);
	check_interval("M/M/10 wait", means.wait, wait, 0.03);
	check_interval("M/M/10 delayed", means.delayed, delayed, 0.02);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("engine/models");
	TCase *tests = tcase_create("models");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, mm1_waits_as_in_theory);
	tcase_add_test(tests, md1_waits_half_as_long);
	tcase_add_test(tests, mmc_waits_as_erlang_says);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
