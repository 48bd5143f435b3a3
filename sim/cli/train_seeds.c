#include "cli/train_seeds.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "analysis/bootstrap.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/cli.h"
#include "study/process_pool.h"

/* Of each seed. */
typedef struct seed_run {
	const weir_train_config *config;
	char *directory;
} seed_run;

typedef struct seed_runs {
	const cli_train_seeds *seeds;
	seed_run *runs;
	weir_train_report *reports;
	weir_error *errors;
	double *rewards; /* of the final evaluations */
	cli_progress line;
} seed_runs;

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the trainings");
}

/* --- making --------------------------------------------------------------------------------- */

/* The config with one thread and, unless it is below 0, this seed. */
static weir_status load_config(const cli_config_arguments *arguments, int64_t seed,
                               const weir_train_config **config, weir_error *error)
{
	cli_config_arguments own = {.path = arguments->path};
	weir_status status = WEIR_OK;
	for (size_t i = 0; i < arguments->count && status == WEIR_OK; i++) {
		status = cli_config_set(&own, error, "%s", arguments->sets[i]);
	}
	if (status == WEIR_OK) {
		status = cli_config_set(&own, error, "threads=1");
	}
	if (status == WEIR_OK && seed >= 0) {
		status = cli_config_set(&own, error, "seed=%" PRId64, seed);
	}
	if (status == WEIR_OK) {
		const weir_document_options options = cli_config_options(&own);
		status = weir_train_config_load(&options, config, error);
	}
	cli_config_release(&own);
	return status;
}

static weir_status make_run(const seed_runs *all, int64_t seed, seed_run *run, weir_error *error)
{
	const weir_train_options *options = all->seeds->options;
	if (asprintf(&run->directory, "%s/seed-%" PRId64, options->directory, seed) < 0) {
		run->directory = NULL;
		return no_memory(error);
	}
	weir_train_options own = *options;
	own.directory = run->directory;
	weir_status status = load_config(all->seeds->config, seed, &run->config, error);
	return status == WEIR_OK ? weir_train_look(&own, error) : status;
}

static weir_status make_runs(seed_runs *all, weir_error *error)
{
	size_t count = all->seeds->count;
	all->runs = weir_allocate(count, sizeof *all->runs);
	all->reports = weir_allocate(count, sizeof *all->reports);
	all->errors = weir_allocate(count, sizeof *all->errors);
	all->rewards = weir_allocate(count, sizeof *all->rewards);
	if (all->runs == NULL || all->reports == NULL || all->errors == NULL || all->rewards == NULL) {
		return no_memory(error);
	}
	const weir_train_config *base;
	weir_status status = load_config(all->seeds->config, -1, &base, error);
	if (status != WEIR_OK) {
		return status;
	}
	for (size_t i = 0; i < count && status == WEIR_OK; i++) {
		status = make_run(all, base->seed + (int64_t)i, &all->runs[i], error);
	}
	weir_train_config_destroy(base);
	return status;
}

static void release(seed_runs *all)
{
	for (size_t i = 0; all->runs != NULL && i < all->seeds->count; i++) {
		weir_train_config_destroy(all->runs[i].config);
		free(all->runs[i].directory);
	}
	free(all->runs);
	free(all->reports);
	free(all->errors);
	free(all->rewards);
}

/* --- running -------------------------------------------------------------------------------- */

static weir_status run_seed(void *context, size_t job, void *result, weir_error *error)
{
	const seed_runs *all = context;
	weir_train_options options = *all->seeds->options;
	options.directory = all->runs[job].directory;
	return weir_train(all->runs[job].config, &options, result, error);
}

static void describe_seed(void *context, size_t job, char *name, size_t size)
{
	const seed_runs *all = context;
	snprintf(name, size, "%s", all->runs[job].directory);
}

static bool show_progress(void *context, size_t done, size_t count)
{
	seed_runs *all = context;
	if (cli_progress_due(&all->line)) {
		char text[64];
		snprintf(text, sizeof text, "%zu of %zu trainings", done, count);
		cli_progress_draw(&all->line, (double)done, (double)count, text);
	}
	return !cli_interrupted();
}

static weir_status run_all(seed_runs *all, weir_error *error)
{
	const weir_pool_jobs jobs = {.count = all->seeds->count,
	                             .result_size = sizeof(weir_train_report),
	                             .context = all,
	                             .run = run_seed,
	                             .describe = describe_seed};
	const weir_pool_options options = {
	    .workers = all->seeds->jobs, .progress = show_progress, .context = all};
	cli_progress_begin(&all->line, !all->seeds->quiet);
	cli_catch_interrupts();
	weir_status status = weir_pool_run(&jobs, &options, all->reports, all->errors, error);
	cli_progress_end(&all->line);
	return status;
}

/* --- printing ------------------------------------------------------------------------------- */

/* Of the last evaluation, or where there are none, of the last episodes. */
static double final_reward(const weir_train_report *report)
{
	return report->last.steps >= 0 ? report->last.mean_reward : report->mean_reward;
}

static weir_status summarise(seed_runs *all, weir_interval *interval, weir_error *error)
{
	enum { RESAMPLES = 50000 };
	const weir_statistic iqm = weir_statistic_iqm();
	weir_bootstrap_options options = weir_bootstrap_options_default();
	options.method = WEIR_BOOTSTRAP_PERCENTILE;
	options.resamples = RESAMPLES;
	options.strata = &all->seeds->count;
	options.stratum_count = 1;
	for (size_t i = 0; i < all->seeds->count; i++) {
		all->rewards[i] = final_reward(&all->reports[i]);
		if (!isfinite(all->rewards[i])) {
			return weir_error_set(error, WEIR_ERROR_INPUT, all->runs[i].directory,
			                      "no episode ended and nothing was evaluated: there is no reward "
			                      "to compare");
		}
	}
	return weir_bootstrap(all->rewards, all->seeds->count, &iqm, &options, interval, error);
}

static void print_text(const seed_runs *all, const weir_interval *interval)
{
	printf("%10s %12s %14s %14s %s\n", "seed", "steps", "evaluation", "best", "directory");
	for (size_t i = 0; i < all->seeds->count; i++) {
		const weir_train_report *report = &all->reports[i];
		printf("%10" PRId64 " %12" PRId64 " %14.6g %14.6g %s\n", all->runs[i].config->seed,
		       report->steps, final_reward(report),
		       report->best.steps >= 0 ? report->best.mean_reward : NAN, all->runs[i].directory);
	}
	printf("interquartile mean of the final evaluations %.6g (95 %%: %.6g to %.6g)\n",
	       interval->value, interval->low, interval->high);
}

static void add_number(cJSON *object, const char *name, double value)
{
	if (isfinite(value)) {
		cJSON_AddNumberToObject(object, name, value);
	} else {
		cJSON_AddNullToObject(object, name);
	}
}

static bool print_json(const seed_runs *all, const weir_interval *interval)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *runs = cJSON_AddArrayToObject(json, "trainings");
	for (size_t i = 0; i < all->seeds->count; i++) {
		char *text = weir_train_report_json(&all->reports[i], all->runs[i].config);
		cJSON *run = text != NULL ? cJSON_Parse(text) : NULL;
		free(text);
		cJSON_AddStringToObject(run, "directory", all->runs[i].directory);
		cJSON_AddItemToArray(runs, run);
	}
	cJSON *iqm = cJSON_AddObjectToObject(json, "interquartile_mean");
	add_number(iqm, "estimate", interval->value);
	add_number(iqm, "low", interval->low);
	add_number(iqm, "high", interval->high);
	char *text = weir_json_print(json);
	cJSON_Delete(json);
	if (text != NULL) {
		fputs(text, stdout);
	}
	free(text);
	return text != NULL;
}

weir_status cli_train_over_seeds(const cli_train_seeds *seeds, weir_error *error)
{
	seed_runs all = {.seeds = seeds};
	weir_interval interval;
	weir_status status = make_runs(&all, error);
	if (status == WEIR_OK) {
		status = run_all(&all, error);
	}
	if (status == WEIR_OK) {
		status = summarise(&all, &interval, error);
	}
	if (status == WEIR_OK && seeds->json) {
		status = print_json(&all, &interval) ? WEIR_OK : no_memory(error);
	} else if (status == WEIR_OK && !seeds->quiet) {
		print_text(&all, &interval);
	}
	release(&all);
	return status;
}
