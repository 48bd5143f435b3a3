/* weir sweep status, failed, cancel, retry, collect: what there is to do with a sweep's store. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command_sweep.h"
#include "study/sweep_collect.h"
#include "study/sweep_store.h"

typedef struct store_arguments {
	char directory[SWEEP_DIRECTORY_NAME_SIZE];
	bool json, cancelled;
	weir_sweep_collect_options collect;
} store_arguments;

/* Reads the options and DIR; `allowed` are the long names that the command knows. 0, or the exit
 * status. */
static int read_arguments(const weir_command *command, const struct option *allowed, int argc,
                          char **argv, store_arguments *arguments)
{
	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, "", allowed, NULL)) != -1;) {
		switch (option) {
		case 'j':
			arguments->json = true;
			break;
		case 'a':
			arguments->cancelled = true;
			break;
		case 'c':
			arguments->collect.csv = optarg;
			break;
		case 'h':
			arguments->collect.hdf5 = optarg;
			break;
		case 'r':
			arguments->collect.requests = true;
			break;
		default:
			return cli_usage_error(command, "unknown option, or one without its value: '%s'",
			                       argv[optind - 1]);
		}
	}
	if (argc - optind != 1) {
		return cli_usage_error(command, "one DIR is needed, the directory of a sweep");
	}
	return sweep_directory(argv[optind], arguments->directory)
	           ? 0
	           : cli_usage_error(command, "the name '%s' is too long", argv[optind]);
}

/* What a command does with the store; prints when that went well. */
typedef weir_status store_action(weir_sweep_store *store, const store_arguments *arguments,
                                 weir_error *error);

static int with_store(const store_arguments *arguments, store_action *act)
{
	weir_error error = {0};
	weir_sweep_store *store = NULL;
	weir_status status = weir_sweep_store_open(arguments->directory, &store, &error);
	if (status == WEIR_OK) {
		status = act(store, arguments, &error);
	}
	weir_sweep_store_close(store);
	return status == WEIR_OK ? 0 : cli_fail(&error);
}

static void print_counts(const store_arguments *arguments, const weir_sweep_counts *counts)
{
	printf(arguments->json ? "{\"runs\": %" PRIu64 : "runs       %" PRIu64 "\n", counts->total);
	for (size_t i = 0; i < WEIR_RUN_STATE_COUNT; i++) {
		printf(arguments->json ? ", \"%s\": %" PRIu64 : "%-10s %" PRIu64 "\n",
		       weir_run_state_names[i], counts->of[i]);
	}
	if (arguments->json) {
		printf("}\n");
	}
}

static weir_status act_status(weir_sweep_store *store, const store_arguments *arguments,
                              weir_error *error)
{
	weir_sweep_counts counts;
	weir_status status = weir_sweep_store_counts(store, &counts, error);
	if (status == WEIR_OK) {
		print_counts(arguments, &counts);
	}
	return status;
}

static int run_status(const weir_command *command, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {0}};
	store_arguments arguments = {0};
	int result = read_arguments(command, options, argc, argv, &arguments);
	return result != 0 ? result : with_store(&arguments, act_status);
}

static weir_status print_failed(void *context, const weir_sweep_row *row, weir_error *error)
{
	(void)context;
	(void)error;
	printf("run %" PRIu64 ", point %s, replication %" PRIu64 ": %s (attempts %u, exit %d)\n",
	       row->run, row->id, row->replication, row->outcome, row->attempts, row->exit_status);
	for (const char *line = row->sets; *line != '\0';) {
		int length = (int)strcspn(line, "\n");
		printf("    %.*s\n", length, line);
		line += length + (line[length] == '\n' ? 1 : 0);
	}
	if (row->message[0] != '\0') {
		printf("  %s\n", row->message);
	}
	if (row->stderr_text[0] != '\0') {
		printf("  stderr:\n%s\n", row->stderr_text);
	}
	return WEIR_OK;
}

static weir_status act_failed(weir_sweep_store *store, const store_arguments *arguments,
                              weir_error *error)
{
	(void)arguments;
	return weir_sweep_store_each(store, 1U << WEIR_RUN_FAILED, print_failed, NULL, error);
}

static int run_failed(const weir_command *command, int argc, char **argv)
{
	static const struct option options[] = {{0}};
	store_arguments arguments = {0};
	int result = read_arguments(command, options, argc, argv, &arguments);
	return result != 0 ? result : with_store(&arguments, act_failed);
}

static weir_status act_cancel(weir_sweep_store *store, const store_arguments *arguments,
                              weir_error *error)
{
	(void)arguments;
	uint64_t count = 0;
	weir_status status = weir_sweep_store_cancel(store, &count, error);
	if (status == WEIR_OK) {
		printf("%" PRIu64 " runs cancelled\n", count);
	}
	return status;
}

static int run_cancel(const weir_command *command, int argc, char **argv)
{
	static const struct option options[] = {{0}};
	store_arguments arguments = {0};
	int result = read_arguments(command, options, argc, argv, &arguments);
	return result != 0 ? result : with_store(&arguments, act_cancel);
}

static weir_status act_retry(weir_sweep_store *store, const store_arguments *arguments,
                             weir_error *error)
{
	uint64_t count = 0;
	weir_status status = weir_sweep_store_retry(store, arguments->cancelled, &count, error);
	if (status == WEIR_OK) {
		printf("%" PRIu64 " runs wait again; 'weir sweep' runs them\n", count);
	}
	return status;
}

static int run_retry(const weir_command *command, int argc, char **argv)
{
	static const struct option options[] = {{"cancelled", no_argument, NULL, 'a'}, {0}};
	store_arguments arguments = {0};
	int result = read_arguments(command, options, argc, argv, &arguments);
	return result != 0 ? result : with_store(&arguments, act_retry);
}

static weir_status act_collect(weir_sweep_store *store, const store_arguments *arguments,
                               weir_error *error)
{
	uint64_t rows = 0;
	weir_sweep_counts counts;
	weir_status status = weir_sweep_store_counts(store, &counts, error);
	if (status == WEIR_OK) {
		status = weir_sweep_collect(store, &arguments->collect, &rows, error);
	}
	if (status == WEIR_OK) {
		fprintf(stderr, "%" PRIu64 " of %" PRIu64 " runs\n", rows, counts.total);
	}
	return status;
}

static int run_collect(const weir_command *command, int argc, char **argv)
{
	static const struct option options[] = {{"csv", required_argument, NULL, 'c'},
	                                        {"hdf5", required_argument, NULL, 'h'},
	                                        {"requests", no_argument, NULL, 'r'},
	                                        {0}};
	store_arguments arguments = {0};
	int result = read_arguments(command, options, argc, argv, &arguments);
	if (result != 0) {
		return result;
	}
	if (arguments.collect.csv == NULL && arguments.collect.hdf5 == NULL) {
		return cli_usage_error(command, "--csv FILE or --hdf5 FILE is needed");
	}
	if (arguments.collect.requests && arguments.collect.hdf5 == NULL) {
		return cli_usage_error(command, "--requests goes into the file of --hdf5");
	}
	return with_store(&arguments, act_collect);
}

const weir_command command_sweep_status = {
    .name = "sweep status",
    .summary = "how far a sweep is",
    .help = "usage: weir sweep status DIR [--json]\n"
            "\n"
            "Prints how many runs of the sweep in DIR (or of FILE.json, in runs/FILE) wait, run,\n"
            "are done, have failed or were cancelled, while it runs and after it.\n",
    .run = run_status,
};

const weir_command command_sweep_failed = {
    .name = "sweep failed",
    .summary = "which runs failed, and why",
    .help = "usage: weir sweep failed DIR\n"
            "\n"
            "Prints of each run that failed its point, what the point sets, how the last attempt\n"
            "ended, and the end of what it wrote to stderr.\n",
    .run = run_failed,
};

const weir_command command_sweep_cancel = {
    .name = "sweep cancel",
    .summary = "end a sweep",
    .help = "usage: weir sweep cancel DIR\n"
            "\n"
            "Runs that wait or run are cancelled; a 'weir sweep' at work here ends them and\n"
            "itself. 'weir sweep retry --cancelled' takes it back.\n",
    .run = run_cancel,
};

const weir_command command_sweep_retry = {
    .name = "sweep retry",
    .summary = "have failed runs wait again",
    .help = "usage: weir sweep retry DIR [--cancelled]\n"
            "\n"
            "Failed runs wait again, with all their attempts; with --cancelled those that were\n"
            "cancelled as well. A 'weir sweep' at work here takes them up, else the next one.\n",
    .run = run_retry,
};

const weir_command command_sweep_collect = {
    .name = "sweep collect",
    .summary = "merge the results into one table",
    .help = "usage: weir sweep collect DIR [--csv FILE] [--hdf5 FILE [--requests]]\n"
            "\n"
            "Writes a table with one row for each run that is done: its point, what the point\n"
            "sets, its replication and seed, and every figure of its summary.\n"
            "\n"
            "  --csv FILE     as CSV\n"
            "  --hdf5 FILE    as a table `runs` of an HDF5 file\n"
            "  --requests     also the requests of all runs, as virtual datasets over the runs'\n"
            "                 files (keep: files), and which rows are whose in `coverage`; a file\n"
            "                 that is missing is an error\n",
    .run = run_collect,
};
