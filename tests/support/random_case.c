#include "support/random_case.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"

/* How long the run may go on after the last arrival; transfers that wait for memory that nobody
 * will release would otherwise be tried again for ever. */
static const double patience = 300;

static double iteration_seconds(void *context, size_t instance, int64_t prompt_tokens,
                                int64_t token_tasks)
{
	const random_case *random = context;
	return test_curves_iteration_seconds(&random->speeds[random->speed_of[instance]], prompt_tokens,
	                                     token_tasks);
}

static int64_t between(gsl_rng *rng, int64_t low, int64_t high)
{
	return low + (int64_t)gsl_rng_uniform_int(rng, (unsigned long)(high - low + 1));
}

static bool chance(gsl_rng *rng, double probability)
{
	return gsl_rng_uniform(rng) < probability;
}

static int64_t one_of(gsl_rng *rng, const int64_t *values, size_t count)
{
	return values[gsl_rng_uniform_int(rng, count)];
}

#define ONE_OF(rng, ...)                                                                           \
	one_of((rng), (const int64_t[]){__VA_ARGS__},                                                  \
	       sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static void make_instances(random_case *random, gsl_rng *rng)
{
	int64_t prompts = 0;
	int64_t tokens = 0;
	int64_t mixed = 0;
	switch (random->config.scheduler) {
	case NAIVE_RANDOM:
	case NAIVE_ROUND_ROBIN:
	case NAIVE_JSQ:
	case NAIVE_TOKEN_JSQ:
		mixed = between(rng, 1, 4);
		break;
	case NAIVE_MIXED_POOL:
		prompts = between(rng, 0, 3);
		tokens = between(rng, 0, 3);
		mixed = prompts + tokens > 0 && chance(rng, 0.7) ? 0 : between(rng, 1, 2);
		break;
	default:
		prompts = between(rng, 1, 3);
		tokens = between(rng, 1, 3);
	}
	random->config.instance_count = (size_t)(prompts + tokens + mixed);
	for (size_t i = 0; i < random->config.instance_count; i++) {
		/* The pools lie mixed up, so that the order of a list is not that of all instances. */
		int64_t pick = between(rng, 1, prompts + tokens + mixed);
		naive_tag tag = pick <= prompts            ? NAIVE_PROMPT
		                : pick <= prompts + tokens ? NAIVE_TOKEN
		                                           : NAIVE_MIXED;
		random->instances[i].tag = tag;
		random->speed_of[i] = (size_t)between(rng, 0, RANDOM_CASE_SPEEDS - 1);
		prompts -= tag == NAIVE_PROMPT;
		tokens -= tag == NAIVE_TOKEN;
		mixed -= tag == NAIVE_MIXED;
	}
}

/* Times on a grid of 1/1024 s make events tie; others must not depend on it. */
static void make_speeds(random_case *random, gsl_rng *rng, bool on_grid)
{
	for (size_t i = 0; i < RANDOM_CASE_SPEEDS; i++) {
		test_curves *speed = &random->speeds[i];
		bool flat = chance(rng, 0.3);
		double base = (double)ONE_OF(rng, 16, 32, 64) / 1024;
		double per_token = flat ? 0 : (double)ONE_OF(rng, 1, 2) / 4096;
		double token = (double)ONE_OF(rng, 4, 8, 16) / 1024;
		double per_task = flat ? 0 : 1.0 / 2048;
		double unit = on_grid ? 1 : 0.5 + gsl_rng_uniform(rng);
		speed->count = 3;
		for (size_t k = 0; k < speed->count; k++) {
			double batch_tokens = (double[]){1, 65, 1089}[k];
			speed->batch_tokens[k] = batch_tokens;
			speed->prompt_seconds[k] = unit * (base + per_token * (batch_tokens - 1));
			speed->token_seconds[k] = unit * (token + per_task * (batch_tokens - 1));
		}
	}
}

/* Arrivals come alone or in bursts of one time. */
static void make_arrivals(random_case *random, gsl_rng *rng, double mean_gap)
{
	int64_t grid = ONE_OF(rng, 0, 1, 4, 1024); /* steps a second; 0: none */
	double burst = chance(rng, 0.5) ? 0.6 : 0;
	double time = 0;
	for (size_t i = 0; i < random->request_count; i++) {
		if (!chance(rng, burst)) {
			time += gsl_ran_exponential(rng, mean_gap / (1 - burst));
		}
		random->requests[i].id = (int64_t)i;
		random->requests[i].arrival = grid > 0 ? floor(time * (double)grid) / (double)grid : time;
	}
}

static void make_requests(random_case *random, gsl_rng *rng, int64_t largest_prompt,
                          int64_t largest_output, int64_t room)
{
	double one_token = chance(rng, 0.3) ? 0.3 : 0.05;
	for (size_t i = 0; i < random->request_count; i++) {
		naive_request *request = &random->requests[i];
		/* Mostly small, a few large. */
		double share = gsl_rng_uniform(rng);
		request->prompt_tokens = 1 + (int64_t)(share * share * (double)(largest_prompt - 1));
		request->output_tokens = chance(rng, one_token) ? 1 : between(rng, 2, largest_output);
		if (chance(rng, 0.02)) {
			request->prompt_tokens = room + between(rng, -1, 8);
		}
	}
}

random_case *random_case_create(uint64_t seed, size_t request_count)
{
	gsl_rng *rng = weir_stream_create(seed, "random case", 0);
	random_case *random = weir_allocate(1, sizeof *random);
	if (rng == NULL || random == NULL) {
		abort();
	}
	naive_config *config = &random->config;
	uint64_t turn = seed % RANDOM_CASE_CYCLE;
	config->scheduler = (naive_scheduler)(1 + turn % (NAIVE_SCHEDULER_COUNT - 1));
	turn /= NAIVE_SCHEDULER_COUNT - 1;
	config->kind = (naive_kind)(turn % NAIVE_KIND_COUNT);
	random->heavy = turn / NAIVE_KIND_COUNT == 1;
	random->request_count = request_count > 0 ? request_count : (size_t)between(rng, 40, 240);
	random->requests = weir_allocate(random->request_count, sizeof *random->requests);
	if (random->requests == NULL) {
		abort();
	}
	make_instances(random, rng);
	bool on_grid = chance(rng, 0.5);
	make_speeds(random, rng, on_grid);

	int64_t largest_prompt = ONE_OF(rng, 16, 64, 256);
	int64_t largest_output = ONE_OF(rng, 4, 12, 40);
	config->max_batch_size = ONE_OF(rng, 1, 2, 4, 16, 512);
	config->max_batch_tokens = ONE_OF(rng, 1, 8, 64, largest_prompt, 2 * largest_prompt, 2048);
	config->max_preemptions = between(rng, 1, 5);
	config->prompt_max_pending_tokens = largest_prompt * ONE_OF(rng, 0, 1, 2, 8);
	config->kv_bytes_per_token = 4 * between(rng, 1, 1000000);
	config->weights = between(rng, 0, 1000000000);
	/* Transfers of some milliseconds, in steps of 1/1024 s or not. */
	double tokens_per_s = 1024.0 * (double)ONE_OF(rng, 1, 4, 32);
	if (!on_grid) {
		tokens_per_s *= 0.5 + gsl_rng_uniform(rng);
	}
	config->bandwidth_gb_per_s =
	    tokens_per_s * (double)config->kv_bytes_per_token / (1024.0 * 1024.0 * 1024.0);

	/* Memory for so many of the largest requests. */
	int64_t fit = ONE_OF(rng, 1, 2, 4, 32);
	int64_t room = (largest_prompt + largest_output) * fit;
	for (size_t i = 0; i < config->instance_count; i++) {
		int64_t odd = chance(rng, 0.3) ? between(rng, 0, largest_prompt) : 0;
		int64_t bytes = (room + odd) * config->kv_bytes_per_token;
		random->instances[i].memory_limit =
		    config->weights + bytes + (chance(rng, 0.5) ? 0 : between(rng, 0, 3));
	}
	config->instances = random->instances;
	make_arrivals(random, rng, random->heavy ? 0.01 : 0.25);
	make_requests(random, rng, largest_prompt, largest_output, room);
	double last = random->requests[random->request_count - 1].arrival;
	config->until = chance(rng, 0.1) ? last * 0.9 : last + patience;
	config->iteration_seconds = iteration_seconds;
	config->context = random;
	gsl_rng_free(rng);
	snprintf(random->text, sizeof random->text,
	         "seed %llu: scheduler %d, kind %d, %s, %zu instances, %zu requests, room for %lld "
	         "tokens, batches of %lld tasks, %lld tokens",
	         (unsigned long long)seed, (int)config->scheduler, (int)config->kind,
	         random->heavy ? "heavy" : "light", config->instance_count, random->request_count,
	         (long long)room, (long long)config->max_batch_size,
	         (long long)config->max_batch_tokens);
	return random;
}

void random_case_destroy(random_case *random)
{
	if (random != NULL) {
		free(random->requests);
		free(random);
	}
}
