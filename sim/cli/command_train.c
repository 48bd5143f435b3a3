/* weir train: an agent learns in an environment. */
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/config_arguments.h"
#include "cli/train_seeds.h"
#include "rl/train.h"

typedef struct train_arguments {
	cli_config_arguments config;
	weir_train_options options;
	size_t seeds; /* 0: one training, of the config's seed */
	size_t jobs;
	bool quiet, json;
} train_arguments;

typedef struct train_progress {
	cli_progress line;
	double started;
	int64_t first; /* steps that were done before; -1: not known yet */
	bool told;     /* that the rollout at hand is finished first */
	bool quiet;
} train_progress;

static void draw_progress(train_progress *progress, const weir_train_progress *at)
{
	char rate[32], text[160];
	double elapsed = cli_wall_seconds() - progress->started;
	int length = snprintf(
	    text, sizeof text, "%" PRId64 " of %" PRId64 " steps, %s steps/s", at->steps,
	    at->total_steps,
	    weir_format_count(rate, sizeof rate, (double)(at->steps - progress->first) / elapsed));
	if (isfinite(at->mean_reward)) {
		length +=
		    snprintf(text + length, sizeof text - (size_t)length, ", reward %.4g", at->mean_reward);
	}
	if (isfinite(at->evaluation)) {
		snprintf(text + length, sizeof text - (size_t)length, ", evaluation %.4g", at->evaluation);
	}
	/* Of what is done here: the time that is left follows from it. */
	cli_progress_draw(&progress->line, (double)(at->steps - progress->first),
	                  (double)(at->total_steps - progress->first), text);
}

static bool show_progress(void *context, const weir_train_progress *at)
{
	train_progress *progress = context;
	if (progress->first < 0) {
		progress->first = at->steps;
	}
	if (cli_progress_due(&progress->line)) {
		draw_progress(progress, at);
	}
	if (cli_interrupted() && !progress->told) {
		progress->told = true;
		cli_progress_end(&progress->line);
		if (!progress->quiet) {
			fprintf(stderr, "Finishing the rollout; interrupt again to stop at once, back to the "
			                "last checkpoint.\n");
		}
	}
	return !cli_interrupted();
}

static weir_status print_report(const train_arguments *arguments, const weir_train_config *config,
                                const weir_train_report *report, weir_error *error)
{
	char *text = arguments->json ? weir_train_report_json(report, config)
	                             : weir_train_report_text(report, config);
	if (text == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the report");
	}
	if (arguments->json || !arguments->quiet) {
		fputs(text, stdout);
	}
	free(text);
	return WEIR_OK;
}

static weir_status train_one(train_arguments *arguments, weir_error *error)
{
	const weir_document_options options = cli_config_options(&arguments->config);
	const weir_train_config *config;
	weir_status status = weir_train_config_load(&options, &config, error);
	if (status != WEIR_OK) {
		return status;
	}
	train_progress progress = {
	    .started = cli_wall_seconds(), .first = -1, .quiet = arguments->quiet};
	cli_progress_begin(&progress.line, !arguments->quiet);
	cli_catch_interrupts();
	arguments->options.progress = show_progress;
	arguments->options.context = &progress;
	weir_train_report report;
	status = weir_train(config, &arguments->options, &report, error);
	cli_progress_end(&progress.line);
	if (status == WEIR_OK) {
		status = print_report(arguments, config, &report, error);
	}
	weir_train_config_destroy(config);
	return status;
}

static weir_status read_count(const char *option, const char *text, size_t *count,
                              weir_error *error)
{
	enum { MOST = 10000 };
	int64_t value;
	if (!weir_parse_int64(text, &value) || value < 1 || value > MOST) {
		return weir_error_set(error, WEIR_ERROR_INPUT, option,
		                      "expected a whole number from 1 to %d, got '%s'", MOST, text);
	}
	*count = (size_t)value;
	return WEIR_OK;
}

static weir_status read_option(train_arguments *arguments, int option, const char *text,
                               weir_error *error)
{
	switch (option) {
	case 'o':
		arguments->options.directory = text;
		return WEIR_OK;
	case 's':
		return cli_config_set(&arguments->config, error, "%s", text);
	case 'S':
		return cli_config_set(&arguments->config, error, "seed=%s", text);
	case 't':
		return cli_config_set(&arguments->config, error, "threads=%s", text);
	case 'n':
		return read_count("--seeds", text, &arguments->seeds, error);
	case 'J':
		return read_count("--jobs", text, &arguments->jobs, error);
	case 'r':
		arguments->options.resume = true;
		return WEIR_OK;
	case 'w':
		arguments->options.overwrite = true;
		return WEIR_OK;
	case 'j':
		arguments->json = true;
		return WEIR_OK;
	default:
		arguments->quiet = true;
		return WEIR_OK;
	}
}

static int check_arguments(const weir_command *command, const train_arguments *arguments)
{
	if (arguments->config.path == NULL) {
		return cli_usage_error(command, "a CONFIG is needed, and one only");
	}
	if (arguments->options.directory == NULL) {
		return cli_usage_error(command, "-o DIR is needed: where the agent goes");
	}
	if (arguments->options.resume && arguments->options.overwrite) {
		return cli_usage_error(command, "--resume and --overwrite exclude each other");
	}
	return 0;
}

static int train(train_arguments *arguments)
{
	weir_error error = {0};
	const cli_train_seeds seeds = {.config = &arguments->config,
	                               .options = &arguments->options,
	                               .count = arguments->seeds,
	                               .jobs = arguments->jobs,
	                               .quiet = arguments->quiet,
	                               .json = arguments->json};
	weir_status status =
	    arguments->seeds > 0 ? cli_train_over_seeds(&seeds, &error) : train_one(arguments, &error);
	if (status == WEIR_OK) {
		return 0;
	}
	int result = cli_fail(&error);
	if (status == WEIR_ERROR_INTERRUPTED) {
		fprintf(stderr, "To go on: the same command with --resume.\n");
	}
	return result;
}

static int run(const weir_command *command, int argc, char **argv)
{
	static const struct option options[] = {
	    {"output", required_argument, NULL, 'o'},
	    {"set", required_argument, NULL, 's'},
	    {"seed", required_argument, NULL, 'S'},
	    {"seeds", required_argument, NULL, 'n'},
	    {"jobs", required_argument, NULL, 'J'},
	    {"threads", required_argument, NULL, 't'},
	    {"resume", no_argument, NULL, 'r'},
	    {"overwrite", no_argument, NULL, 'w'},
	    {"json", no_argument, NULL, 'j'},
	    {"quiet", no_argument, NULL, 'q'},
	    {0},
	};
	train_arguments arguments = {0};
	weir_error error = {0};
	int result = 0;
	opterr = 0;
	for (int option;
	     result == 0 && (option = getopt_long(argc, argv, "o:q", options, NULL)) != -1;) {
		if (option == '?') {
			result = cli_usage_error(command, "unknown option, or one without its value: '%s'",
			                         argv[optind - 1]);
		} else if (read_option(&arguments, option, optarg, &error) != WEIR_OK) {
			result = cli_fail(&error);
		}
	}
	arguments.config.path = argc - optind == 1 ? argv[optind] : NULL;
	if (result == 0) {
		result = check_arguments(command, &arguments);
	}
	if (result == 0) {
		result = train(&arguments);
	}
	cli_config_release(&arguments.config);
	return result;
}

const weir_command command_train = {
    .name = "train",
    .summary = "train an agent in an environment",
    .help =
        "usage: weir train CONFIG -o DIR [--set PATH=VALUE]... [--seed N] [--threads N]\n"
        "                  [--resume | --overwrite] [--seeds N [--jobs N]] [--json] [--quiet]\n"
        "\n"
        "Trains an agent as CONFIG says and keeps in DIR: the agent at the end (final.h5) and\n"
        "that of the best evaluation (best.h5), logs (progress.csv, progress.jsonl, TensorBoard\n"
        "events, timing.csv), what came of it (report.json), and a checkpoint from which the\n"
        "training goes on when it was stopped, by whatever, and ends with the same bytes as if\n"
        "it had not been. Results do not depend on --threads.\n"
        "\n"
        "Ctrl-C finishes the rollout at hand, writes a checkpoint and ends with status 130; a\n"
        "second one ends at once, back to the last checkpoint.\n"
        "\n"
        "  -o, --output DIR       where it all goes; made if it is not there\n"
        "  --set PATH=VALUE       overrides a key of the config\n"
        "  --seed N               the same as --set seed=N\n"
        "  --threads N            threads that step the environments (0: one per processor)\n"
        "  --resume               go on with the training in DIR; begin it where there is none\n"
        "  --overwrite            begin anew, in place of the training in DIR\n"
        "  --seeds N              N trainings into DIR/seed-<n>, with seeds from the config's on,\n"
        "                         side by side, one thread each; prints the interquartile mean of\n"
        "                         the final evaluations with a bootstrap interval of 95 %\n"
        "  --jobs N               so many of them at a time (as many as processors)\n"
        "  --json                 print the report as JSON\n"
        "  -q, --quiet            print no progress and no report\n"
        "\n"
        "examples:\n"
        "  weir train configs/training/cartpole.json -o out/cartpole\n"
        "  weir train configs/training/cartpole.json -o out/cartpole --resume\n"
        "  weir train configs/training/pendulum.json -o out/pendulum --seeds 5\n"
        "  weir train configs/training/cartpole.json -o out/wide --set network.hidden=[256,256]\n",
    .run = run,
};
