/*
 * A sweep of runs of 20 requests, with a file of each run and with summaries alone: runs per second
 * of wall time, and what two processors would do that have nothing else to do, by the CPU time of
 * the manager and its workers. Then the time of a status of a store of 100,000 runs.
 *
 *     bench_sweep [DIRECTORY [REPLICATIONS]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "study/sweep_run.h"

enum { POINTS = 5, STATUS_RUNS = 100000, STATUS_CALLS = 100, PATH_SIZE = 512 };

static const char base[] =
    "{\"include\": \"parity.json\", \"workload\": {\"count\": 20, \"arrivals\": {\"kind\": "
    "\"poisson\", \"rate\": 12}, \"sizes\": {\"kind\": \"drawn\", \"prompt\": {\"kind\": "
    "\"lognormal\", \"median\": 900, \"sigma\": 0.9, \"maximum\": 8000}, \"output\": {\"kind\": "
    "\"lognormal\", \"median\": 20, \"sigma\": 1.5, \"maximum\": 900}}}}";

static const char *const directories[] = {WEIR_CONFIG_DIRECTORY, NULL};

static void check(weir_status status, const weir_error *error)
{
	if (status != WEIR_OK) {
		fprintf(stderr, "%s: %s\n", error->where, error->message);
		exit(1);
	}
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
		fprintf(stderr, "%s cannot be written\n", path);
		exit(1);
	}
}

static double wall_seconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Of this process and the children that have ended. */
static double cpu_seconds(void)
{
	double sum = 0.0;
	const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
	for (int i = 0; i < 2; i++) {
		struct rusage usage;
		getrusage(whose[i], &usage);
		sum += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		       1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	}
	return sum;
}

typedef struct bench {
	weir_sweep_file *file;
	weir_sweep_points points;
	weir_sweep_store *store;
} bench;

static bench open_bench(const char *directory, const char *keep, long replications)
{
	char path[PATH_SIZE];
	char text[1024];
	bench b = {0};
	weir_error error = {0};
	bool known = false;
	snprintf(path, sizeof path, "%s/base.json", directory);
	write_file(path, base);
	snprintf(path, sizeof path, "%s/%s-%ld.json", directory, keep, replications);
	snprintf(text, sizeof text,
	         "{\"base\": \"base.json\", \"keep\": \"%s\", \"replications\": %ld, \"axes\": "
	         "[{\"path\": \"workload.arrivals.rate\", \"range\": {\"from\": 5, \"to\": 20, "
	         "\"count\": %d}}]}",
	         keep, replications, POINTS);
	write_file(path, text);
	check(weir_sweep_file_load(path, directories, &b.file, &error), &error);
	check(weir_sweep_points_make(b.file, 0, &b.points, &error), &error);
	const weir_pool_options pool = {.workers = 1};
	check(weir_sweep_points_identify(&b.points, &pool, &error), &error);
	snprintf(path, sizeof path, "%s/%s-%ld", directory, keep, replications);
	check(weir_sweep_store_manage(path, &b.store, &error), &error);
	check(weir_sweep_store_define(b.store, &b.points, 0.0, &known, &error), &error);
	return b;
}

static void close_bench(bench *b)
{
	weir_sweep_store_close(b->store);
	weir_sweep_points_release(&b->points);
	weir_sweep_file_destroy(b->file);
}

static void run_sweep(const char *directory, const char *keep, long replications)
{
	double cpu = cpu_seconds();
	double wall = wall_seconds();
	bench b = open_bench(directory, keep, replications);
	weir_sweep_run_options options = weir_sweep_run_options_default();
	options.workers = 2;
	const weir_sweep_plan plan = {.file = b.file, .points = &b.points};
	weir_sweep_counts counts;
	weir_error error = {0};
	check(weir_sweep_run(&plan, b.store, &options, &counts, &error), &error);
	close_bench(&b);
	double done = (double)counts.of[WEIR_RUN_DONE];
	wall = wall_seconds() - wall;
	cpu = cpu_seconds() - cpu;
	printf("sweep, keep %-8s %8.0f runs/s  %8.0f runs/s of two processors  %.2f ms CPU each\n",
	       keep, done / wall, 2.0 * done / cpu, 1e3 * cpu / done);
}

static void time_status(const char *directory)
{
	bench b = open_bench(directory, "summary", STATUS_RUNS / POINTS);
	char path[PATH_SIZE];
	snprintf(path, sizeof path, "%s", weir_sweep_store_directory(b.store));
	close_bench(&b);
	double cpu = cpu_seconds();
	double wall = wall_seconds();
	for (int i = 0; i < STATUS_CALLS; i++) {
		weir_sweep_store *store = NULL;
		weir_sweep_counts counts;
		weir_error error = {0};
		check(weir_sweep_store_open(path, &store, &error), &error);
		check(weir_sweep_store_counts(store, &counts, &error), &error);
		weir_sweep_store_close(store);
	}
	printf("status of %d runs: %.2f ms, %.2f ms CPU\n", STATUS_RUNS,
	       1e3 * (wall_seconds() - wall) / STATUS_CALLS,
	       1e3 * (cpu_seconds() - cpu) / STATUS_CALLS);
}

int main(int argc, char **argv)
{
	char directory[PATH_SIZE / 2];
	snprintf(directory, sizeof directory, "%s/sweep-XXXXXX", argc > 1 ? argv[1] : ".");
	long replications = argc > 2 ? strtol(argv[2], NULL, 10) : 200;
	if (mkdtemp(directory) == NULL) {
		fprintf(stderr, "%s cannot be made\n", directory);
		return 1;
	}
	run_sweep(directory, "files", replications);
	run_sweep(directory, "summary", 5 * replications);
	time_status(directory);
	char command[PATH_SIZE];
	snprintf(command, sizeof command, "rm -r '%s'", directory);
	return system(command) == 0 ? 0 : 1;
}
