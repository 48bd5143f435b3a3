/* weir sweep: thousands of runs from one file. */
#include "cli/command_sweep.h"

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/config_arguments.h"
#include "cli/sweep_policies.h"
#include "study/sweep_run.h"

typedef struct sweep_arguments {
	const char *file;
	char directory[SWEEP_DIRECTORY_NAME_SIZE]; /* "": runs/NAME */
	weir_sweep_run_options options;
	bool dry_run, yes, independent, quiet;
} sweep_arguments;

bool sweep_directory(const char *name, char directory[SWEEP_DIRECTORY_NAME_SIZE])
{
	static const char ending[] = ".json";
	size_t length = strlen(name);
	size_t end = sizeof ending - 1;
	int used;
	if (length > end && strcmp(name + length - end, ending) == 0) {
		const char *slash = strrchr(name, '/');
		const char *base = slash != NULL ? slash + 1 : name;
		used = snprintf(directory, SWEEP_DIRECTORY_NAME_SIZE, "runs/%.*s",
		                (int)(strlen(base) - end), base);
	} else {
		used = snprintf(directory, SWEEP_DIRECTORY_NAME_SIZE, "%s", name);
	}
	return used > 0 && used < SWEEP_DIRECTORY_NAME_SIZE;
}

typedef struct sweep_progress {
	cli_progress line;
	double started;
} sweep_progress;

static bool identify_progress(void *context, size_t done, size_t count)
{
	sweep_progress *progress = context;
	if (cli_progress_due(&progress->line)) {
		char text[64];
		snprintf(text, sizeof text, "checking %zu of %zu points", done, count);
		cli_progress_draw(&progress->line, (double)done, (double)count, text);
	}
	return !cli_interrupted();
}

static weir_sweep_control run_progress(void *context, const weir_sweep_progress *now)
{
	sweep_progress *progress = context;
	if (cli_progress_due(&progress->line)) {
		char rate[32];
		char text[160];
		double elapsed = cli_wall_seconds() - progress->started;
		const uint64_t *of = now->counts.of;
		snprintf(
		    text, sizeof text, "%" PRIu64 " of %" PRIu64 " runs, %s runs/s, %" PRIu64 " failed%s",
		    of[WEIR_RUN_DONE], now->counts.total,
		    weir_format_count(rate, sizeof rate, (double)now->ended / elapsed), of[WEIR_RUN_FAILED],
		    now->finishing ? "; ending, what runs may end (Ctrl-C again: at once)" : "");
		/* The bar and what is left are of what this command has to do. */
		double left = (double)(of[WEIR_RUN_WAITING] + of[WEIR_RUN_RUNNING]);
		cli_progress_draw(&progress->line, (double)now->ended, (double)now->ended + left, text);
	}
	return cli_interrupted() ? WEIR_SWEEP_FINISH : WEIR_SWEEP_GO_ON;
}

static void list_points(const weir_sweep_points *points)
{
	printf("point\tid\tsets\n");
	for (size_t i = 0; i < points->count; i++) {
		printf("%zu\t%s\t", i, points->items[i].id);
		for (size_t k = 0; k < points->items[i].set_count; k++) {
			printf("%s%s", k > 0 ? " " : "", points->items[i].sets[k]);
		}
		printf("\n");
	}
}

static weir_status identify(const sweep_arguments *arguments, weir_sweep_points *points,
                            weir_error *error)
{
	sweep_progress progress = {0};
	cli_progress_begin(&progress.line, !arguments->quiet);
	const weir_pool_options pool = {
	    .workers = arguments->options.workers, .progress = identify_progress, .context = &progress};
	weir_status status = weir_sweep_points_identify(points, &pool, error);
	cli_progress_end(&progress.line);
	return status;
}

/* The store, filled with the sweep's runs. */
static weir_status open_store(const sweep_arguments *arguments, weir_sweep_points *points,
                              weir_sweep_store **store, weir_error *error)
{
	double now = arguments->options.clock.now(arguments->options.clock.context);
	weir_status status = weir_sweep_store_manage(arguments->directory, store, error);
	bool known = false;
	if (status == WEIR_OK) {
		status = weir_sweep_store_define(*store, points, now, &known, error);
	}
	if (status == WEIR_OK && !known) {
		status = identify(arguments, points, error);
		if (status == WEIR_OK) {
			status = weir_sweep_store_define(*store, points, now, &known, error);
		}
	}
	return status;
}

static void print_end(const sweep_arguments *arguments, const weir_sweep_counts *counts)
{
	if (arguments->quiet) {
		return;
	}
	fprintf(stderr,
	        "%s: %" PRIu64 " of %" PRIu64 " runs done, %" PRIu64 " failed, %" PRIu64
	        " cancelled, %" PRIu64 " waiting\n",
	        arguments->directory, counts->of[WEIR_RUN_DONE], counts->total,
	        counts->of[WEIR_RUN_FAILED], counts->of[WEIR_RUN_CANCELLED],
	        counts->of[WEIR_RUN_WAITING] + counts->of[WEIR_RUN_RUNNING]);
	if (counts->of[WEIR_RUN_FAILED] > 0) {
		fprintf(stderr,
		        "'weir sweep failed %s' tells why, 'weir sweep retry' has them run again.\n",
		        arguments->directory);
	}
}

/* The runs themselves. *failed: some have. */
static weir_status run_points(sweep_arguments *arguments, weir_sweep_points *points, bool *failed,
                              weir_error *error)
{
	weir_sweep_store *store = NULL;
	weir_status status = open_store(arguments, points, &store, error);
	if (status != WEIR_OK) {
		weir_sweep_store_close(store);
		return status;
	}
	sweep_progress progress = {.started = cli_wall_seconds()};
	cli_progress_begin(&progress.line, !arguments->quiet);
	arguments->options.progress = run_progress;
	arguments->options.context = &progress;
	const weir_sweep_plan plan = {.file = points->file, .points = points};
	weir_sweep_counts counts = {0};
	status = weir_sweep_run(&plan, store, &arguments->options, &counts, error);
	cli_progress_end(&progress.line);
	print_end(arguments, &counts);
	*failed = counts.of[WEIR_RUN_FAILED] > 0;
	weir_sweep_store_close(store);
	return status;
}

/* What the one process does, or that of an engine's that manages. */
static weir_status manage(sweep_arguments *arguments, weir_sweep_file *file, bool *failed,
                          weir_error *error)
{
	weir_sweep_points points = {0};
	weir_status status =
	    weir_sweep_points_make(file, arguments->yes ? 0 : WEIR_SWEEP_MOST_POINTS, &points, error);
	if (status == WEIR_OK && arguments->dry_run) {
		status = identify(arguments, &points, error);
		if (status == WEIR_OK) {
			list_points(&points);
			fprintf(stderr, "%zu points (%zu more would be there twice), %" PRIu64 " runs\n",
			        points.count, points.repeated,
			        (uint64_t)points.count * (uint64_t)file->replications);
		}
	} else if (status == WEIR_OK) {
		status = run_points(arguments, &points, failed, error);
	}
	weir_sweep_points_release(&points);
	return status;
}

static int sweep(sweep_arguments *arguments)
{
	const weir_sweep_engine *engine = arguments->options.engine;
	weir_error error = {0};
	weir_sweep_file *file = NULL;
	bool failed = false;
	bool served = false;
	weir_status status =
	    weir_sweep_file_load(arguments->file, cli_config_directories, &file, &error);
	cli_catch_interrupts();
	if (status == WEIR_OK) {
		file->independent = file->independent || arguments->independent;
		status = weir_sweep_policies_resolve(file, &cli_sweep_policies, &error);
	}
	if (status == WEIR_OK) {
		status = engine->join != NULL ? engine->join(file, &served, &error) : WEIR_OK;
	}
	if (status == WEIR_OK && !served) {
		status = manage(arguments, file, &failed, &error);
		if (engine->leave != NULL) {
			engine->leave();
		}
	}
	weir_sweep_file_destroy(file);
	if (status != WEIR_OK) {
		return cli_fail(&error);
	}
	return failed ? 1 : 0;
}

static weir_status find_engine(const char *name, const weir_sweep_engine **engine,
                               weir_error *error)
{
	enum { MOST = 16 };
	const char *names[MOST];
	size_t count = 0;
	for (; weir_sweep_engines[count] != NULL && count < MOST; count++) {
		names[count] = weir_sweep_engines[count]->name;
		if (strcmp(names[count], name) == 0) {
			*engine = weir_sweep_engines[count];
			return WEIR_OK;
		}
	}
	weir_keys_reader reader = {.file = "--engine"};
	return weir_keys_fail_unknown(&reader, "", "engine", name, names, count, error);
}

static weir_status read_option(sweep_arguments *arguments, int option, const char *text,
                               weir_error *error)
{
	int64_t jobs;
	switch (option) {
	case 'o':
		if (strlen(text) >= sizeof arguments->directory) {
			return weir_error_set(error, WEIR_ERROR_INPUT, "--output", "the name is too long");
		}
		snprintf(arguments->directory, sizeof arguments->directory, "%s", text);
		return WEIR_OK;
	case 'e':
		return find_engine(text, &arguments->options.engine, error);
	case 'n':
		if (!weir_parse_int64(text, &jobs) || jobs < 1 || jobs > 4096) {
			return weir_error_set(error, WEIR_ERROR_INPUT, "--jobs",
			                      "expected a whole number from 1 to 4096, got '%s'", text);
		}
		arguments->options.workers = (size_t)jobs;
		return WEIR_OK;
	case 'g':
		if (!weir_parse_double(text, &arguments->options.grace) || arguments->options.grace < 0) {
			return weir_error_set(error, WEIR_ERROR_INPUT, "--grace",
			                      "expected a number of seconds from 0, got '%s'", text);
		}
		return WEIR_OK;
	case 'd':
		arguments->dry_run = true;
		return WEIR_OK;
	case 'y':
		arguments->yes = true;
		return WEIR_OK;
	case 'i':
		arguments->independent = true;
		return WEIR_OK;
	default:
		arguments->quiet = true;
		return WEIR_OK;
	}
}

static int run(const weir_command *command, int argc, char **argv)
{
	static const struct option options[] = {
	    {"output", required_argument, NULL, 'o'},
	    {"engine", required_argument, NULL, 'e'},
	    {"jobs", required_argument, NULL, 'n'},
	    {"grace", required_argument, NULL, 'g'},
	    {"dry-run", no_argument, NULL, 'd'},
	    {"yes", no_argument, NULL, 'y'},
	    {"independent", no_argument, NULL, 'i'},
	    {"quiet", no_argument, NULL, 'q'},
	    {0},
	};
	sweep_arguments arguments = {.options = weir_sweep_run_options_default()};
	weir_error error = {0};
	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, "o:q", options, NULL)) != -1;) {
		if (option == '?') {
			return cli_usage_error(command, "unknown option, or one without its value: '%s'",
			                       argv[optind - 1]);
		}
		if (read_option(&arguments, option, optarg, &error) != WEIR_OK) {
			return cli_fail(&error);
		}
	}
	if (argc - optind != 1) {
		return cli_usage_error(command, "one FILE is needed, or a command");
	}
	arguments.file = argv[optind];
	if (arguments.directory[0] == '\0' && !sweep_directory(arguments.file, arguments.directory)) {
		return cli_usage_error(command, "the name '%s' is too long", arguments.file);
	}
	return sweep(&arguments);
}

static const weir_command *const subcommands[] = {
    &command_sweep_status,
    &command_sweep_failed,
    &command_sweep_cancel,
    &command_sweep_retry,
    &command_sweep_collect,
    &command_sweep_worker,
    NULL,
};

const weir_command command_sweep = {
    .name = "sweep",
    .summary = "thousands of runs from one file, resumable",
    .help =
        "usage: weir sweep FILE.json [-o DIR] [--dry-run] [--jobs N] [--engine NAME] [--yes]\n"
        "                  [--independent] [--grace S] [--quiet]\n"
        "       weir sweep status|failed|cancel|retry|collect DIR\n"
        "\n"
        "Runs every point of a sweep file (docs/sweeps.md), each as often as the file says, and\n"
        "keeps what becomes of it in DIR (runs/NAME of NAME.json). The same command goes on\n"
        "where it was interrupted or killed.\n"
        "\n"
        "  -o, --output DIR  where the store (sweep.db) and the results go\n"
        "  --dry-run         list the points, run nothing\n"
        "  --jobs N          processes (as many as processors, fewer where memory is short);\n"
        "                    with slurm, workers (8)\n"
        "  --engine NAME     where runs are done: local, processes of this machine; slurm, the\n"
        "                    jobs of a Slurm cluster; mpi, the ranks of an MPI job (mpirun -n 17\n"
        "                    weir sweep ...), if it was built with WEIR_MPI\n"
        "  --yes             also more than a million points\n"
        "  --independent     each point has seeds of its own: no common random numbers\n"
        "  --grace S         after Ctrl-C, what runs has S seconds to end (5)\n"
        "  -q, --quiet       print nothing but errors\n"
        "\n"
        "status    prints how many runs wait, run, are done, have failed\n"
        "failed    prints the runs that failed and why, with what they wrote to stderr\n"
        "cancel    ends a sweep: what waits or runs is cancelled\n"
        "retry     has failed runs (--cancelled: cancelled ones too) wait again\n"
        "collect   merges the results into one table\n"
        "worker    does runs of a sweep that is at work elsewhere\n"
        "'weir sweep status --help', and so on, tell more.\n"
        "\n"
        "Exit status: 0 all done, 1 some runs failed, 2 wrong input or a store that cannot be\n"
        "written, 130 interrupted.\n"
        "\n"
        "examples:\n"
        "  weir sweep configs/sweeps/load.json --dry-run\n"
        "  weir sweep configs/sweeps/load.json -o runs/load\n"
        "  weir sweep collect runs/load --csv load.csv\n",
    .run = run,
    .subcommands = subcommands,
};
