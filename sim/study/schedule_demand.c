#include "study/schedule_demand.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "run/sim.h"
#include "workload/source.h"

/* Work this far apart can be done together, about: the limits of latency are longer. */
static const double SMOOTHED_SECONDS = 45.0;

static weir_status out_of_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the demand");
}

weir_status schedule_last_arrival(const weir_config *config, double *last, weir_error *error)
{
	*last = 0;
	weir_source *source = NULL;
	weir_status status = weir_config_open_workload(config, &source, error);
	bool more = status == WEIR_OK;
	while (more) {
		weir_request request;
		status = weir_source_next(source, &request, &more, error);
		more = more && status == WEIR_OK;
		if (more) {
			*last = request.arrival;
		}
	}
	weir_source_destroy(source);
	return status;
}

static void add_at(const schedule_grid *grid, double *work, double time, double amount)
{
	double step = time / grid->step;
	if (step < (double)grid->steps) {
		work[(size_t)step] += amount;
	}
}

/* First the changes of the token work only: where it begins and where it ends. */
static weir_status draw(const weir_config *config, const schedule_grid *grid, const weir_slo *slo,
                        double *work, weir_error *error)
{
	weir_source *source = NULL;
	weir_status status = weir_config_open_workload(config, &source, error);
	bool more = status == WEIR_OK;
	while (more) {
		weir_request request;
		status = weir_source_next(source, &request, &more, error);
		more = more && status == WEIR_OK;
		if (!more || request.application < 0 || (size_t)request.application >= grid->applications) {
			continue;
		}
		const weir_slo_request asked = {.application = (uint32_t)request.application,
		                                .prompt_tokens = request.prompt_tokens,
		                                .output_tokens = request.output_tokens};
		weir_slowdowns alone = weir_slo_unloaded(slo, &asked);
		double *prompt = work + schedule_pool(asked.application, WEIR_TAG_PROMPT) * grid->steps;
		double *token = work + schedule_pool(asked.application, WEIR_TAG_TOKEN) * grid->steps;
		add_at(grid, prompt, request.arrival, alone.ttft / grid->step);
		add_at(grid, token, request.arrival + alone.ttft, 1.0);
		add_at(grid, token, request.arrival + alone.e2e, -1.0);
	}
	weir_source_destroy(source);
	return status;
}

/* Means over SMOOTHED_SECONDS around each step. `scratch`: steps + 1. */
static void smooth(const schedule_grid *grid, double *work, double *scratch)
{
	size_t reach = (size_t)(SMOOTHED_SECONDS / grid->step / 2.0);
	scratch[0] = 0;
	for (size_t s = 0; s < grid->steps; s++) {
		scratch[s + 1] = scratch[s] + work[s];
	}
	for (size_t s = 0; s < grid->steps; s++) {
		size_t from = s > reach ? s - reach : 0;
		size_t until = s + reach + 1 < grid->steps ? s + reach + 1 : grid->steps;
		work[s] = (scratch[until] - scratch[from]) / (double)(until - from);
	}
}

static void finish_application(const weir_config *config, const schedule_grid *grid,
                               uint32_t application, double *work, double *scratch)
{
	double *prompt = work + schedule_pool(application, WEIR_TAG_PROMPT) * grid->steps;
	double *token = work + schedule_pool(application, WEIR_TAG_TOKEN) * grid->steps;
	double *mixed = work + schedule_pool(application, WEIR_TAG_MIXED) * grid->steps;
	double batch = (double)config->applications[application].instance.max_batch_size;
	double running = 0;
	for (size_t s = 0; s < grid->steps; s++) {
		running += token[s];
		token[s] = running;
	}
	smooth(grid, prompt, scratch);
	smooth(grid, token, scratch);
	for (size_t s = 0; s < grid->steps; s++) {
		mixed[s] = prompt[s] + token[s] / batch;
	}
}

weir_status schedule_demand_make(const weir_config *config, const schedule_grid *grid,
                                 double **work, weir_error *error)
{
	weir_sim *sim = NULL;
	const weir_controller_policy none = {0};
	*work = weir_allocate(grid->pools * grid->steps, sizeof **work);
	double *scratch = weir_allocate(grid->steps + 1, sizeof *scratch);
	weir_status status = *work != NULL && scratch != NULL ? WEIR_OK : out_of_memory(error);
	if (status == WEIR_OK) {
		status = weir_sim_create_with(config, NULL, &none, 0, &sim, error);
	}
	if (status == WEIR_OK) {
		status = draw(config, grid, weir_sim_slo(sim), *work, error);
	}
	for (uint32_t a = 0; a < grid->applications && status == WEIR_OK; a++) {
		finish_application(config, grid, a, *work, scratch);
	}
	weir_sim_destroy(sim);
	free(scratch);
	if (status != WEIR_OK) {
		free(*work);
		*work = NULL;
	}
	return status;
}

double schedule_demand_factor(const schedule_grid *grid, const double *work, const int32_t *sizes,
                              size_t pool)
{
	double wanted = 0, had = 0;
	for (size_t s = 0; s < grid->steps; s++) {
		wanted += sizes[pool * grid->steps + s];
		had += work[pool * grid->steps + s];
	}
	return had > 0 ? wanted / had : 0.0;
}

static int32_t size_for(const schedule_grid *grid, double work)
{
	double size = fmin(ceil(work - 1e-9), (double)(INT32_MAX / 2));
	return size > (double)grid->least ? (int32_t)size : (int32_t)grid->least;
}

void schedule_demand_sizes(const schedule_grid *grid, const double *work, const double *factors,
                           int32_t *sizes)
{
	for (size_t pool = 0; pool < grid->pools; pool++) {
		const double *w = work + pool * grid->steps;
		int32_t *to = sizes + pool * grid->steps;
		size_t lead = (size_t)ceil(grid->lead[pool % WEIR_TAG_COUNT] / grid->step);
		for (size_t s = 0; s < grid->steps; s++) {
			double most = 0;
			for (size_t ahead = s; ahead <= s + lead && ahead < grid->steps; ahead++) {
				most = fmax(most, w[ahead]);
			}
			to[s] = grid->exists[pool] ? size_for(grid, most * factors[pool]) : -1;
		}
	}
}
