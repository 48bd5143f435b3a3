#include "study/fluid_bound.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "run/sim.h"
#include "workload/source.h"

/* Points of the search for weights in each direction; it need not find the best, only valid ones.
 */
enum { SEARCH_STEPS = 32 };
/* Prices of iterations are looked up every so many tokens while searching. */
enum { SEARCH_STRIDE = 16 };
/* The time of a bin, s; longer where there would be more than so many: they cost their square. */
static const double BIN_SECONDS = 10.0;
static const double MOST_BINS = 8192.0;
/* Iterations whose prices are looked at, at most. */
static const double MOST_ITERATIONS = 3e7;
static const double SECONDS_PER_HOUR = 3600.0;

/* ---- weights ---- */

/* Prices of iterations by prompt tokens and token tasks, in rows of prompt tokens. */
typedef struct price_grid {
	const weir_fluid_iterations *iterations;
	int64_t most_tasks; /* token tasks */
	double *prices;
} price_grid;

static bool allowed(const weir_fluid_iterations *iterations, int64_t prompts, int64_t tasks)
{
	int64_t all_tasks = tasks + (prompts > 0);
	return all_tasks > 0 && all_tasks <= iterations->most_tasks &&
	       (prompts + tasks <= iterations->most_tokens ||
	        (tasks == 0 && prompts <= iterations->largest_prompt));
}

static double price_at(const price_grid *grid, int64_t prompts, int64_t tasks)
{
	return grid->prices[prompts * (grid->most_tasks + 1) + tasks];
}

/* The most that a token task can weigh beside `memory`, in iterations without prompts. */
static double most_token_weight(const price_grid *grid, double memory)
{
	double least = INFINITY;
	for (int64_t tasks = 1; tasks <= grid->most_tasks; tasks++) {
		if (allowed(grid->iterations, 0, tasks)) {
			least = fmin(least, (price_at(grid, 0, tasks) - memory) / (double)tasks);
		}
	}
	return least;
}

/* The most that a prompt token can weigh beside the others, over iterations with prompts, looked at
 * every `stride` of them. */
static double most_prompt_weight(const price_grid *grid, double token, double memory,
                                 int64_t stride)
{
	const weir_fluid_iterations *iterations = grid->iterations;
	double least = INFINITY;
	for (int64_t prompts = 1; prompts <= iterations->most_tokens; prompts += stride) {
		for (int64_t tasks = 0; tasks <= grid->most_tasks; tasks += stride) {
			if (allowed(iterations, prompts, tasks)) {
				double rest = price_at(grid, prompts, tasks) - memory - token * (double)tasks;
				least = fmin(least, rest / (double)prompts);
			}
		}
	}
	for (int64_t prompts = iterations->most_tokens + 1; prompts <= iterations->largest_prompt;
	     prompts += stride) {
		double price = iterations->price(iterations->context, prompts, 0);
		least = fmin(least, (price - memory) / (double)prompts);
	}
	return least;
}

static double worth(const weir_fluid_weights *demand, const weir_fluid_weights *weights)
{
	return demand->prompt * weights->prompt + demand->token * weights->token +
	       demand->memory * weights->memory;
}

/* What the cheapest iteration has of what the weights ask of it, at most 1. */
static double least_share(const price_grid *grid, const weir_fluid_weights *weights)
{
	const weir_fluid_iterations *iterations = grid->iterations;
	double least = 1;
	for (int64_t prompts = 0; prompts <= iterations->most_tokens; prompts++) {
		double of_prompts = weights->memory + weights->prompt * (double)prompts;
		for (int64_t tasks = 0; tasks <= grid->most_tasks; tasks++) {
			double asked = of_prompts + weights->token * (double)tasks;
			if (allowed(iterations, prompts, tasks) && price_at(grid, prompts, tasks) < asked) {
				least = fmin(least, price_at(grid, prompts, tasks) / asked);
			}
		}
	}
	for (int64_t prompts = iterations->most_tokens + 1; prompts <= iterations->largest_prompt;
	     prompts++) {
		double asked = weights->memory + weights->prompt * (double)prompts;
		least = fmin(least, iterations->price(iterations->context, prompts, 0) / asked);
	}
	return fmax(least, 0.0);
}

/* The weights scaled until they are valid, and what that leaves for prompts. */
static weir_fluid_weights made_valid(const price_grid *grid, const weir_fluid_weights *weights)
{
	double share = least_share(grid, weights);
	weir_fluid_weights valid = {.token = weights->token * share, .memory = weights->memory * share};
	valid.prompt = fmax(most_prompt_weight(grid, valid.token, valid.memory, 1), 0.0);
	return valid;
}

/* The best weights on a coarse grid, made valid on the whole one. */
static void search(const price_grid *grid, double least_price, const weir_fluid_weights *demand,
                   weir_fluid_weights *best)
{
	*best = (weir_fluid_weights){0};
	for (int m = 0; m <= SEARCH_STEPS; m++) {
		double memory = least_price * m / SEARCH_STEPS;
		double most = fmax(most_token_weight(grid, memory), 0.0);
		for (int t = 0; t <= SEARCH_STEPS; t++) {
			weir_fluid_weights tried = {.token = most * t / SEARCH_STEPS, .memory = memory};
			tried.prompt = most_prompt_weight(grid, tried.token, memory, SEARCH_STRIDE);
			if (tried.prompt >= 0 && worth(demand, &tried) > worth(demand, best)) {
				*best = tried;
			}
		}
	}
	/* Between the points looked at, they may be too much together: all give way, or prompts alone.
	 */
	weir_fluid_weights together = made_valid(grid, best);
	best->prompt = 0;
	weir_fluid_weights alone = made_valid(grid, best);
	*best = worth(demand, &alone) > worth(demand, &together) ? alone : together;
}

bool weir_fluid_weights_find(const weir_fluid_iterations *iterations,
                             const weir_fluid_weights *demand, weir_fluid_weights *weights)
{
	price_grid grid = {.iterations = iterations,
	                   .most_tasks = iterations->most_tasks < iterations->most_tokens
	                                     ? iterations->most_tasks
	                                     : iterations->most_tokens};
	size_t rows = (size_t)iterations->most_tokens + 1;
	size_t columns = (size_t)grid.most_tasks + 1;
	if (columns > SIZE_MAX / rows) {
		return false;
	}
	grid.prices = weir_allocate(rows * columns, sizeof *grid.prices);
	if (grid.prices == NULL) {
		return false;
	}
	double least_price = INFINITY;
	for (int64_t prompts = 0; prompts <= iterations->most_tokens; prompts++) {
		for (int64_t tasks = 0; tasks <= grid.most_tasks; tasks++) {
			if (allowed(iterations, prompts, tasks)) {
				double price = iterations->price(iterations->context, prompts, tasks);
				grid.prices[(size_t)prompts * columns + (size_t)tasks] = price;
				least_price = fmin(least_price, price);
			}
		}
	}
	search(&grid, least_price, demand, weights);
	free(grid.prices);
	return true;
}

/* ---- time ---- */

double weir_fluid_stretches(const double *work, size_t bins, double floor, size_t reach,
                            double *scratch)
{
	/* scratch[e]: the most that stretches up to bin e can be worth. */
	scratch[0] = 0;
	for (size_t end = 1; end <= bins; end++) {
		scratch[end] = scratch[end - 1] + floor;
		double sum = 0;
		size_t until = end == bins ? end : end > reach ? end - reach : 0;
		for (size_t start = until; start-- > 0;) {
			sum += work[start];
			scratch[end] = fmax(scratch[end], scratch[start] + sum);
		}
	}
	return scratch[bins];
}

/* ---- the bound of a config ---- */

/* One application: what its instances cost and hold at best. */
typedef struct fluid_application {
	const weir_application *config;
	int64_t kv_bytes_per_token;
	double kv_room;           /* bytes beside the weights, of the type with the most */
	double least_price_per_s; /* of an instance */
	weir_fluid_weights weights;
} fluid_application;

typedef struct fluid_request {
	uint32_t application;
	double arrival;
	int64_t prompt_tokens, output_tokens;
	double limit; /* s from the arrival until it must be complete to keep its SLO */
	double usd;
} fluid_request;

typedef struct fluid_state {
	const weir_config *config;
	const weir_cluster *cluster;
	const weir_slo *slo;
	fluid_application *applications;
	fluid_request *requests;
	size_t count, capacity;
} fluid_state;

static weir_status out_of_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the fluid bound");
}

static double price_per_s(const weir_instance_type *type)
{
	return type->share_of_server * type->sku->price_per_hour / SECONDS_PER_HOUR;
}

/* The cheapest instance for an iteration. Contexts are taken as empty: more only takes longer. */
static double iteration_price(void *context, int64_t prompt_tokens, int64_t token_tasks)
{
	const weir_application *application = ((const fluid_application *)context)->config;
	const weir_batch batch = {.prompt_tasks = prompt_tokens > 0,
	                          .prompt_tokens = prompt_tokens,
	                          .token_tasks = token_tasks};
	double least = INFINITY;
	for (size_t t = 0; t < application->type_count; t++) {
		const weir_instance_type *type = &application->types[t];
		double seconds = type->time->type->time_for(type->time, &batch, 1);
		least = fmin(least, seconds * price_per_s(type));
	}
	return least;
}

static void describe(fluid_application *application, const weir_application *config)
{
	application->config = config;
	application->kv_bytes_per_token =
	    weir_architecture_kv_bytes_per_token(config->model, config->instance.grouped_query_kv);
	application->least_price_per_s = INFINITY;
	for (size_t t = 0; t < config->type_count; t++) {
		const weir_instance_type *type = &config->types[t];
		application->kv_room =
		    fmax(application->kv_room, (double)type->memory_limit - config->model->weight_bytes);
		application->least_price_per_s = fmin(application->least_price_per_s, price_per_s(type));
	}
}

/* What a request asks of an application, in the units of its weights. */
static weir_fluid_weights demand_of(const fluid_application *application,
                                    const fluid_request *request)
{
	double tokens = (double)request->prompt_tokens;
	double iterations = (double)(request->output_tokens - 1);
	double held = (tokens + 1) + iterations * (tokens + 1 + iterations);
	return (weir_fluid_weights){
	    .prompt = tokens,
	    .token = iterations,
	    .memory = held * (double)application->kv_bytes_per_token / application->kv_room,
	};
}

static weir_status draw_requests(fluid_state *state, weir_error *error)
{
	weir_source *source = NULL;
	weir_status status = weir_config_open_workload(state->config, &source, error);
	for (bool more = true; status == WEIR_OK;) {
		weir_request request;
		status = weir_source_next(source, &request, &more, error);
		if (status != WEIR_OK || !more) {
			break;
		}
		if (request.application < 0 ||
		    (uint64_t)request.application >= state->cluster->application_count) {
			status = weir_error_set(error, WEIR_ERROR_INPUT, state->config->workload.trace.path,
			                        "request %lld is for application %lld, but the config has %zu",
			                        (long long)request.id, (long long)request.application,
			                        state->cluster->application_count);
			break;
		}
		if (!weir_reserve((void **)&state->requests, &state->capacity, state->count + 1,
		                  sizeof *state->requests)) {
			status = out_of_memory(error);
			break;
		}
		const weir_slo_request asked = {.application = (uint32_t)request.application,
		                                .prompt_tokens = request.prompt_tokens,
		                                .output_tokens = request.output_tokens};
		weir_slowdowns unloaded = weir_slo_unloaded(state->slo, &asked);
		state->requests[state->count++] = (fluid_request){
		    .application = asked.application,
		    .arrival = request.arrival,
		    .prompt_tokens = request.prompt_tokens,
		    .output_tokens = request.output_tokens,
		    .limit = unloaded.e2e * state->config->slo.per_request.e2e,
		};
	}
	weir_source_destroy(source);
	return status;
}

/* The iterations that an application's instances could run. */
static weir_fluid_iterations iterations_of(fluid_application *application, int64_t largest_prompt)
{
	const weir_instance_config *instance = &application->config->instance;
	double most_tokens = (double)instance->max_batch_tokens;
	if (strcmp(weir_batching_names[instance->kind], "orca") == 0) {
		/* Without a limit, as many as memory holds: every token in a batch has its KV cache. */
		most_tokens = fmin(application->kv_room / (double)application->kv_bytes_per_token,
		                   (double)instance->max_batch_size * (double)largest_prompt);
	}
	return (weir_fluid_iterations){
	    .context = application,
	    .price = iteration_price,
	    .most_tasks = instance->max_batch_size,
	    .most_tokens = most_tokens > 1.0 ? (int64_t)most_tokens : 1,
	    .largest_prompt = largest_prompt,
	};
}

static bool find_weights(fluid_state *state)
{
	for (size_t a = 0; a < state->cluster->application_count; a++) {
		fluid_application *application = &state->applications[a];
		weir_fluid_weights demand = {0};
		int64_t largest_prompt = 1;
		for (size_t i = 0; i < state->count; i++) {
			const fluid_request *request = &state->requests[i];
			if (request->application == a) {
				weir_fluid_weights one = demand_of(application, request);
				demand.prompt += one.prompt;
				demand.token += one.token;
				demand.memory += one.memory;
				largest_prompt = request->prompt_tokens > largest_prompt ? request->prompt_tokens
				                                                         : largest_prompt;
			}
		}
		const weir_fluid_iterations iterations = iterations_of(application, largest_prompt);
		/* Too many to look at them all: weights of 0 are valid. */
		if ((double)iterations.most_tokens * (double)iterations.most_tasks > MOST_ITERATIONS) {
			continue;
		}
		if (!weir_fluid_weights_find(&iterations, &demand, &application->weights)) {
			return false;
		}
	}
	return true;
}

static int dearest_first(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return x > y ? -1 : x < y;
}

/* What the requests that need not be served could cost at most. */
static double not_served(const fluid_state *state, double attainment, double *scratch)
{
	size_t skipped = (size_t)floor((double)state->count * (1.0 - attainment) + 1e-9);
	for (size_t i = 0; i < state->count; i++) {
		scratch[i] = state->requests[i].usd;
	}
	qsort(scratch, state->count, sizeof *scratch, dearest_first);
	double usd = 0;
	for (size_t i = 0; i < skipped; i++) {
		usd += scratch[i];
	}
	return usd;
}

/* Instances that a pool keeps whatever is done: no shrinking goes below the minimum, but nothing
 * need ever grow to it. */
static double least_size(const fluid_state *state, const weir_application *application,
                         weir_tag tag)
{
	double start = 0;
	for (size_t s = 0; s < application->server_count; s++) {
		start += application->servers[s].tag == tag;
	}
	return fmin(start, (double)state->config->scaling.min_instances_per_pool);
}

/* What the least fleet costs per second, over all applications. Faults may take it away. */
static double floor_price(const fluid_state *state)
{
	double price = 0;
	for (size_t a = 0; a < state->cluster->application_count; a++) {
		for (weir_tag tag = 0; tag < WEIR_TAG_COUNT; tag++) {
			price += least_size(state, state->applications[a].config, tag) *
			         state->applications[a].least_price_per_s;
		}
	}
	return weir_faults_enabled(&state->config->faults) ? 0.0 : price;
}

static weir_status compute(fluid_state *state, double attainment, weir_fluid_bound *bound,
                           weir_error *error)
{
	weir_status status = draw_requests(state, error);
	if (status != WEIR_OK) {
		return status;
	}
	bound->requests = state->count;
	if (state->count == 0) {
		return WEIR_OK;
	}
	if (!find_weights(state)) {
		return out_of_memory(error);
	}
	double reach = 0;
	for (size_t i = 0; i < state->count; i++) {
		fluid_request *request = &state->requests[i];
		const fluid_application *application = &state->applications[request->application];
		weir_fluid_weights demand = demand_of(application, request);
		request->usd = worth(&demand, &application->weights);
		bound->work_usd += request->usd;
		reach = fmax(reach, request->limit);
	}
	double end = state->requests[state->count - 1].arrival;
	double bin_seconds = fmax(BIN_SECONDS, end / MOST_BINS);
	size_t bins = (size_t)(end / bin_seconds) + 1;
	size_t longest = bins + 1 > state->count ? bins + 1 : state->count;
	double *work = weir_allocate(bins, sizeof *work);
	double *scratch = weir_allocate(longest, sizeof *scratch);
	if (work == NULL || scratch == NULL) {
		free(work);
		free(scratch);
		return out_of_memory(error);
	}
	for (size_t i = 0; i < state->count; i++) {
		work[(size_t)(state->requests[i].arrival / bin_seconds)] += state->requests[i].usd;
	}
	/* The last bin may be cut short, and what the run costs after the last arrival is not floor. */
	double floor_usd = floor_price(state) * end / (double)bins;
	double least =
	    weir_fluid_stretches(work, bins, floor_usd, (size_t)ceil(reach / bin_seconds) + 1, scratch);
	bound->cost_usd =
	    fmax(least - not_served(state, attainment, scratch), floor_usd * (double)bins);
	free(work);
	free(scratch);
	return WEIR_OK;
}

weir_status weir_fluid_bound_compute(const weir_config *config, double attainment,
                                     weir_fluid_bound *bound, weir_error *error)
{
	*bound = (weir_fluid_bound){0};
	weir_sim *sim = NULL;
	const weir_controller_policy none = {0};
	weir_status status = weir_sim_create_with(config, NULL, &none, 0, &sim, error);
	if (status != WEIR_OK) {
		return status;
	}
	fluid_state state = {
	    .config = config, .cluster = weir_sim_cluster(sim), .slo = weir_sim_slo(sim)};
	state.applications =
	    weir_allocate(state.cluster->application_count, sizeof *state.applications);
	if (state.applications == NULL) {
		status = out_of_memory(error);
	}
	double least_price_per_s = INFINITY;
	for (size_t a = 0; status == WEIR_OK && a < state.cluster->application_count; a++) {
		describe(&state.applications[a], &state.cluster->applications[a]);
		least_price_per_s = fmin(least_price_per_s, state.applications[a].least_price_per_s);
	}
	if (status == WEIR_OK) {
		status = compute(&state, attainment, bound, error);
	}
	bound->instance_hours = bound->cost_usd / (least_price_per_s * SECONDS_PER_HOUR);
	free(state.applications);
	free(state.requests);
	weir_sim_destroy(sim);
	return status;
}
