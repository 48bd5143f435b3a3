/* What the commands that compare policies on scenarios have in common: their arguments as a plan,
 * its runs with a progress line, its result. */
#ifndef WEIR_CLI_STUDY_ARGUMENTS_H
#define WEIR_CLI_STUDY_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/table.h"
#include "base/error.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/config_arguments.h"
#include "cli/policy_argument.h"
#include "rl/agent_driver.h"
#include "study/study.h"

typedef struct cli_study {
	weir_arena *arena;    /* of names and lists */
	cli_policy *policies; /* [policy]; one without a name: each config's own */
	bool bounds;          /* best_known is asked for */
	bool sampled;         /* agents draw their actions */
	const char **sets;    /* of --set */
	size_t set_count, set_capacity;
	const char *output;
	bool quiet;
	weir_study_plan plan;
	weir_pool_options pool;
	weir_table_format format;
	/* made by cli_study_plan */
	cli_config_arguments *configs; /* [scenario][policy], then bases [scenario] */
	weir_agent_driver **agents;    /* [scenario][policy]; NULL: of no agent */
	const weir_run_driver **drivers;
	size_t config_count;
	struct {
		cli_progress line;
		double started;
	} progress;
} cli_study;

/* With 10 replications. False when memory is out. */
bool cli_study_begin(cli_study *study);
void cli_study_release(cli_study *study);

/* The options --replications (r), --jobs (n), --until (u), --set (s), --target (t), --budget (g),
 * --width (w), --format (f), --json (j), --output (o) and --quiet (q) by these letters. */
weir_status cli_study_option(cli_study *study, int option, char *text, weir_error *error);

/* LIST of --policies: names separated by commas, as of cli_policy_parse with '+'; best_known sets
 * study->bounds. NULL: each config's own. */
weir_status cli_study_policies(cli_study *study, const char *list, weir_error *error);
/* Likewise agents alone, before the policies of a list (NULL: none): files[count], in each of which
 * '+' separates those that drive together. */
weir_status cli_study_agents(cli_study *study, char *const *files, size_t count, const char *list,
                             weir_error *error);
/* The policy that the others are compared with, by the name shown; NULL: the first. */
weir_status cli_study_baseline(cli_study *study, const char *name, weir_error *error);

/* Makes the plan for the scenarios in paths[count], which live as long as the study. */
weir_status cli_study_plan(cli_study *study, char *const *paths, size_t count, weir_error *error);

/* Begins the progress line; Ctrl-C ends what runs with study->pool. */
void cli_study_watch(cli_study *study);
void cli_study_watched(cli_study *study);

/* Writes `text`, NULL when memory was out for it, and frees it. */
weir_status cli_study_write(const cli_study *study, char *text, weir_error *error);
/* What is to be known of a study beside its figures, to stderr unless quiet. */
void cli_study_remark(const cli_study *study, const weir_study *result);

#endif
