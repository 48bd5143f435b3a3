/*
 * Recording rows of 14 columns (10 doubles, 4 integers), plain and compressed, and reading a column
 * back in one call. CPU time of the process, flushes at the default interval included.
 *
 *     bench_record [DIRECTORY [ROWS]]
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "record/reader.h"
#include "record/record.h"

typedef struct bench_row {
	int64_t request_id;
	double arrival, queue_time, ttft, second_token_gap, tbt, e2e, energy, cost, slowdown, wait;
	int32_t prompt_instance, token_instance;
	uint8_t status;
} bench_row;

#define BENCH_COLUMN(field, type)                                                                  \
	{                                                                                              \
#field, type, offsetof(bench_row, field), "", "", NULL                                     \
	}

static const weir_column columns[] = {
    BENCH_COLUMN(request_id, WEIR_COLUMN_INT64),
    BENCH_COLUMN(arrival, WEIR_COLUMN_DOUBLE),
    BENCH_COLUMN(queue_time, WEIR_COLUMN_DOUBLE),
    BENCH_COLUMN(ttft, WEIR_COLUMN_DOUBLE),
    BENCH_COLUMN(second_token_gap, WEIR_COLUMN_DOUBLE),
    BENCH_COLUMN(tbt, WEIR_COLUMN_DOUBLE),
    BENCH_COLUMN(e2e, WEIR_COLUMN_DOUBLE),
    BENCH_COLUMN(energy, WEIR_COLUMN_DOUBLE),
    BENCH_COLUMN(cost, WEIR_COLUMN_DOUBLE),
    BENCH_COLUMN(slowdown, WEIR_COLUMN_DOUBLE),
    BENCH_COLUMN(wait, WEIR_COLUMN_DOUBLE),
    BENCH_COLUMN(prompt_instance, WEIR_COLUMN_INT32),
    BENCH_COLUMN(token_instance, WEIR_COLUMN_INT32),
    BENCH_COLUMN(status, WEIR_COLUMN_UINT8),
};

static const weir_table_schema schema = {"requests", "As many columns as a request has.",
                                         sizeof(bench_row), columns,
                                         sizeof columns / sizeof columns[0]};

enum { TICK_ROWS = 1024, MADE_ROWS = 8192 };

static double cpu_seconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void check(weir_status status, const weir_error *error)
{
	if (status != WEIR_OK) {
		fprintf(stderr, "bench_record: %s: %s\n", error->where, error->message);
		exit(EXIT_FAILURE);
	}
}

/* Made beforehand, so that making rows is not measured; times have as many digits as real ones. */
static bench_row *make_rows(void)
{
	bench_row *rows = calloc(MADE_ROWS, sizeof *rows);
	if (rows == NULL) {
		exit(EXIT_FAILURE);
	}
	for (int i = 0; i < MADE_ROWS; i++) {
		double part = (double)(i * 7919L % MADE_ROWS) / MADE_ROWS;
		rows[i] = (bench_row){.request_id = i,
		                      .arrival = 0.137 * i,
		                      .queue_time = 0.01 * part,
		                      .ttft = 0.2 + 0.31 * part,
		                      .second_token_gap = 0.05 * part,
		                      .tbt = 0.03 + 0.001 * part,
		                      .e2e = 3.0 + 2.7 * part,
		                      .energy = 711.0 * part,
		                      .cost = 0.0003 * part,
		                      .slowdown = 1.0 + part,
		                      .wait = 0.0,
		                      .prompt_instance = i % 6,
		                      .token_instance = 6 + i % 5,
		                      .status = 0};
	}
	return rows;
}

static void run(const char *path, const bench_row *rows, uint64_t count, int deflate)
{
	weir_error error;
	weir_recorder_options options = weir_recorder_options_default();
	options.path = path;
	options.deflate = deflate;
	weir_recorder *recorder = NULL;
	int table;
	check(weir_recorder_create(&options, &recorder, &error), &error);
	check(weir_recorder_add_table(recorder, &schema, &table, &error), &error);
	check(weir_recorder_start(recorder, &error), &error);
	double begin = cpu_seconds();
	for (uint64_t i = 0; i < count; i++) {
		check(weir_recorder_append(recorder, table, &rows[i % MADE_ROWS], &error), &error);
		if (i % TICK_ROWS == 0) {
			check(weir_recorder_tick(recorder, &error), &error);
		}
	}
	check(weir_recorder_stop(recorder, &error), &error);
	double appended = cpu_seconds();
	check(weir_recorder_close(recorder, &error), &error);

	weir_reader *reader = NULL;
	check(weir_reader_open(path, &reader, &error), &error);
	double *values = malloc(count * sizeof *values);
	if (values == NULL) {
		exit(EXIT_FAILURE);
	}
	double read_begin = cpu_seconds();
	check(weir_reader_read(reader, "requests", "ttft", 0, count, values, &error), &error);
	double read_end = cpu_seconds();
	char digest[WEIR_DIGEST_SIZE];
	check(weir_reader_digest(reader, digest, &error), &error);
	double digest_end = cpu_seconds();
	weir_reader_close(reader);
	free(values);
	struct stat info;
	stat(path, &info);
	unlink(path);
	double rows_count = (double)count;
	printf("%-11s %11.0f %14.1f %14.2f %14.1f %13.1f\n", deflate == 0 ? "plain" : "deflate 1",
	       rows_count, 1e9 * (appended - begin) / rows_count,
	       1e9 * (read_end - read_begin) / rows_count, 1e9 * (digest_end - read_end) / rows_count,
	       (double)info.st_size / rows_count);
}

int main(int argc, char **argv)
{
	const char *directory = argc > 1 ? argv[1] : "/tmp";
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 2000000;
	char path[4096];
	snprintf(path, sizeof path, "%s/bench_record.%ld.h5", directory, (long)getpid());
	bench_row *rows = make_rows();
	printf("%-11s %11s %14s %14s %14s %13s\n", "14 columns", "rows", "write ns/row",
	       "read ns/value", "digest ns/row", "bytes/row");
	run(path, rows, count, 0);
	run(path, rows, count / 4, 1);
	free(rows);
	return EXIT_SUCCESS;
}
