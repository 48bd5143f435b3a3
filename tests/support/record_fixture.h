/* A table with a column of each type, whose rows follow from their number alone. */
#ifndef WEIR_TESTS_RECORD_FIXTURE_H
#define WEIR_TESTS_RECORD_FIXTURE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/reader.h"
#include "record/record.h"
#include "support/test_support.h"

typedef struct fixture_row {
	double time;
	uint8_t state;
	char name[WEIR_COLUMN_NAME_SIZE];
	uint64_t not_recorded;
	int64_t id;
	int32_t delta;
	uint32_t tokens;
	double ratio;
} fixture_row;

static const char *const fixture_states[] = {"queued", "running", "done", NULL};

static const weir_column fixture_columns[] = {
    {"time", WEIR_COLUMN_DOUBLE, offsetof(fixture_row, time), "s", "When it was.", NULL},
    {"id", WEIR_COLUMN_INT64, offsetof(fixture_row, id), "", "Its number.", NULL},
    {"delta", WEIR_COLUMN_INT32, offsetof(fixture_row, delta), "1", "A difference.", NULL},
    {"tokens", WEIR_COLUMN_UINT32, offsetof(fixture_row, tokens), "tokens", "A size.", NULL},
    {"state", WEIR_COLUMN_UINT8, offsetof(fixture_row, state), "", "What it did.", fixture_states},
    {"name", WEIR_COLUMN_NAME, offsetof(fixture_row, name), "", "What it is called.", NULL},
    {"ratio", WEIR_COLUMN_DOUBLE, offsetof(fixture_row, ratio), "1", "A share.", NULL},
};

enum { FIXTURE_COLUMN_COUNT = sizeof fixture_columns / sizeof fixture_columns[0] };

static const weir_table_schema fixture_schema = {"things", "Rows that follow from their number.",
                                                 sizeof(fixture_row), fixture_columns,
                                                 FIXTURE_COLUMN_COUNT};

static const weir_table_schema fixture_other_schema = {"others", "The same columns again.",
                                                       sizeof(fixture_row), fixture_columns,
                                                       FIXTURE_COLUMN_COUNT};

static inline fixture_row fixture_make(uint64_t number)
{
	fixture_row row;
	/* Whatever is not a field's value must not get into the file. */
	memset(&row, 0xa5, sizeof row);
	row.time = 0.25 * (double)number;
	row.id = (int64_t)(number * UINT64_C(0x9e3779b97f4a7c15));
	row.delta = 7 - (int32_t)number;
	row.tokens = UINT32_MAX - (uint32_t)number;
	row.state = (uint8_t)(number % 3);
	snprintf(row.name, sizeof row.name, "thing-%llu", (unsigned long long)number);
	row.ratio = 1.0 / (double)(number + 1);
	return row;
}

/* Fails the test unless rows [first, first + count) of the table are as they were made. */
static inline void fixture_check(weir_reader *reader, const char *table, uint64_t first,
                                 uint64_t count)
{
	enum { PIECE = 5000 };
	static double time[PIECE], ratio[PIECE], delta_as_double[PIECE];
	static int64_t id[PIECE], delta[PIECE], tokens[PIECE], state[PIECE];
	static char name[PIECE][WEIR_COLUMN_NAME_SIZE];
	weir_error error;
	for (uint64_t done = 0; done < count; done += PIECE) {
		uint64_t from = first + done;
		uint64_t part = count - done < PIECE ? count - done : PIECE;
#define FIXTURE_READ(read, column, values)                                                         \
	ck_assert_ok(read(reader, table, column, from, part, values, &error), &error)
		FIXTURE_READ(weir_reader_read, "time", time);
		FIXTURE_READ(weir_reader_read, "ratio", ratio);
		FIXTURE_READ(weir_reader_read, "delta", delta_as_double);
		FIXTURE_READ(weir_reader_read_int64, "id", id);
		FIXTURE_READ(weir_reader_read_int64, "delta", delta);
		FIXTURE_READ(weir_reader_read_int64, "tokens", tokens);
		FIXTURE_READ(weir_reader_read_int64, "state", state);
		FIXTURE_READ(weir_reader_read_names, "name", name[0]);
#undef FIXTURE_READ
		for (uint64_t i = 0; i < part; i++) {
			fixture_row row = fixture_make(from + i);
			bool right = time[i] == row.time && ratio[i] == row.ratio && delta[i] == row.delta &&
			             delta_as_double[i] == (double)row.delta && id[i] == row.id &&
			             tokens[i] == row.tokens && state[i] == row.state &&
			             strcmp(name[i], row.name) == 0;
			ck_assert_msg(right, "row %llu of %s is wrong", (unsigned long long)(from + i), table);
		}
	}
}

static inline void fixture_append(weir_recorder *recorder, int table, uint64_t first,
                                  uint64_t count)
{
	weir_error error;
	for (uint64_t i = 0; i < count; i++) {
		fixture_row row = fixture_make(first + i);
		ck_assert_ok(weir_recorder_append(recorder, table, &row, &error), &error);
	}
}

/* A path in the test's directory at which there is no file, nor NAME.part. */
static inline const char *fixture_path(const char *name)
{
	char part[WEIR_COLUMN_NAME_SIZE + 8];
	snprintf(part, sizeof part, "%s.part", name);
	remove(test_path(name));
	remove(test_path(part));
	return test_path(name);
}

/* A started recorder with one table. */
static inline weir_recorder *fixture_recorder(const char *path, int deflate, double flush_interval,
                                              int *table)
{
	weir_error error;
	weir_recorder_options options = weir_recorder_options_default();
	options.path = path;
	options.deflate = deflate;
	options.flush_interval = flush_interval;
	weir_recorder *recorder = NULL;
	ck_assert_ok(weir_recorder_create(&options, &recorder, &error), &error);
	ck_assert_ok(weir_recorder_add_table(recorder, &fixture_schema, table, &error), &error);
	ck_assert_ok(weir_recorder_start(recorder, &error), &error);
	return recorder;
}

static inline weir_reader *fixture_open(const char *path)
{
	weir_error error;
	weir_reader *reader = NULL;
	ck_assert_ok(weir_reader_open(path, &reader, &error), &error);
	return reader;
}

static inline uint64_t fixture_rows(weir_reader *reader, const char *table)
{
	weir_error error;
	uint64_t rows = 0;
	ck_assert_ok(weir_reader_rows(reader, table, &rows, &error), &error);
	return rows;
}

/* Fails the test unless a text attribute is `expected`. */
static inline void fixture_check_text(weir_reader *reader, const char *object, const char *name,
                                      const char *expected)
{
	weir_error error;
	char *text = NULL;
	ck_assert_ok(weir_reader_text(reader, object, name, &text, &error), &error);
	ck_assert_str_eq(text, expected);
	free(text);
}

#endif
