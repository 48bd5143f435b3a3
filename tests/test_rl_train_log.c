#include "rl/train_log.h"

#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "support/test_support.h"

static const char *const names[] = {"rollout/ep_rew_mean", "train/loss", "eval/mean_reward"};
static const char *const loss_and_reward[] = {"train/loss", "rollout/ep_rew_mean"};

static const char *file_in(const char *directory, const char *name)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	return test_path(path);
}

static weir_train_log *opened(const char *directory, const weir_train_log_lengths *resume)
{
	weir_error error;
	weir_train_log *log = NULL;
	ck_assert_ok(weir_train_log_open(test_path(directory), names, 3, resume, &log, &error), &error);
	return log;
}

/* Rows first..last of a training whose figures follow from the step. */
static void add_rows(weir_train_log *log, int first, int last)
{
	weir_error error;
	for (int i = first; i <= last; i++) {
		const double two[2] = {1.0 / i, i};
		ck_assert_ok(weir_train_log_add(log, 2048 * i, loss_and_reward, two, 2, &error), &error);
		ck_assert_ok(weir_train_log_timing(log, 2048 * i, 1000.0, 2.048 * i, &error), &error);
		if (i % 3 == 0) {
			const double mean = -i;
			ck_assert_ok(weir_train_log_add(log, 2048 * i, &names[2], &mean, 1, &error), &error);
		}
	}
}

static void check_file(const char *directory, const char *name, const char *expected)
{
	char *text = test_read_file(file_in(directory, name), NULL);
	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(rows_stand_in_text_files)
{
	weir_error error;
	weir_train_log *log = opened("text", NULL);
	add_rows(log, 1, 3);
	const double odd[3] = {NAN, -INFINITY, INFINITY};
	ck_assert_ok(weir_train_log_add(log, 9007199254740993, names, odd, 3, &error), &error);
	/* They can be read at once. */
	check_file("text", "progress.csv",
	           "time/total_timesteps,rollout/ep_rew_mean,train/loss,eval/mean_reward\n"
	           "2048,1,1,\n"
	           "4096,2,0.5,\n"
	           "6144,3,0.3333333333333333,\n"
	           "6144,,,-3\n"
	           "9007199254740993,nan,-inf,inf\n");
	check_file("text", "progress.jsonl",
	           "{\"time/total_timesteps\": 2048, \"rollout/ep_rew_mean\": 1, \"train/loss\": 1}\n"
	           "{\"time/total_timesteps\": 4096, \"rollout/ep_rew_mean\": 2, \"train/loss\": 0.5}\n"
	           "{\"time/total_timesteps\": 6144, \"rollout/ep_rew_mean\": 3, \"train/loss\": "
	           "0.3333333333333333}\n"
	           "{\"time/total_timesteps\": 6144, \"eval/mean_reward\": -3}\n"
	           "{\"time/total_timesteps\": 9007199254740993, \"rollout/ep_rew_mean\": null, "
	           "\"train/loss\": null, \"eval/mean_reward\": null}\n");
	check_file("text", "timing.csv",
	           "time/total_timesteps,time/fps,time/time_elapsed\n"
	           "2048,1000.0,2.048\n4096,1000.0,4.096\n6144,1000.0,6.144\n");
	weir_train_log_close(log);
	weir_train_log_close(NULL);
}
END_TEST

/* --- a reader of TensorBoard's files, with a CRC of its own --- */

static uint32_t table_crc(const unsigned char *bytes, size_t size)
{
	uint32_t table[256];
	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++) {
			table[i] = (table[i] & 1) ? (table[i] >> 1) ^ 0x82f63b78U : table[i] >> 1;
		}
	}
	uint32_t crc = 0xffffffffU;
	for (size_t i = 0; i < size; i++) {
		crc = table[(crc ^ bytes[i]) & 0xff] ^ (crc >> 8);
	}
	return crc ^ 0xffffffffU;
}

static uint64_t little(const unsigned char *bytes, int size)
{
	uint64_t value = 0;
	for (int i = 0; i < size; i++) {
		value |= (uint64_t)bytes[i] << (8 * i);
	}
	return value;
}

static uint64_t varint(const unsigned char **at)
{
	uint64_t value = 0;
	for (int shift = 0;; shift += 7) {
		unsigned char byte = *(*at)++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			return value;
		}
	}
}

/* Appends "field:value " for the fields of a message, going into those of `nested`. */
static void print_message(const unsigned char *at, size_t size, const char *kind, char *text)
{
	const unsigned char *end = at + size;
	while (at < end) {
		uint64_t tag = varint(&at);
		char *to = text + strlen(text);
		int field = (int)(tag >> 3);
		if ((tag & 7) == 0) {
			sprintf(to, "%d:%lld ", field, (long long)varint(&at));
		} else if ((tag & 7) == 1) {
			double value;
			memcpy(&value, at, 8);
			at += 8;
			sprintf(to, "%d:%.17g ", field, value);
		} else if ((tag & 7) == 5) {
			float value;
			memcpy(&value, at, 4);
			at += 4;
			sprintf(to, "%d:%.9g ", field, (double)value);
		} else {
			ck_assert_uint_eq(tag & 7, 2);
			size_t length = (size_t)varint(&at);
			bool message = (kind[0] == 'E' && field == 5) || (kind[0] == 'S' && field == 1);
			sprintf(to, message ? "%d{ " : "%d:%.*s ", field, (int)length, (const char *)at);
			if (message) {
				print_message(at, length, kind[0] == 'E' ? "Summary" : "Value", text);
				strcat(text, "} ");
			}
			at += length;
		}
	}
	ck_assert_ptr_eq(at, end);
}

static void check_crc(const unsigned char *bytes, size_t size, const unsigned char *stored)
{
	uint32_t crc = table_crc(bytes, size);
	uint32_t masked = ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
	ck_assert_uint_eq(masked, little(stored, 4));
}

static void read_events(const char *directory, char *text)
{
	size_t size = 0;
	char *read = test_read_file(file_in(directory, "events.out.tfevents.0.weir"), &size);
	const unsigned char *at = (const unsigned char *)read;
	const unsigned char *end = at + size;
	text[0] = '\0';
	while (at < end) {
		size_t length = (size_t)little(at, 8);
		check_crc(at, 8, at + 8);
		check_crc(at + 12, length, at + 12 + length);
		print_message(at + 12, length, "Event", text);
		strcat(text, "\n");
		at += 12 + length + 4;
	}
	ck_assert_ptr_eq(at, end);
	free(read);
}

START_TEST(events_are_those_of_tensorboard)
{
	/* The check value of CRC-32C. */
	ck_assert_uint_eq(table_crc((const unsigned char *)"123456789", 9), 0xe3069283U);
	weir_train_log *log = opened("events", NULL);
	add_rows(log, 2, 3);
	weir_train_log_close(log);
	char text[2000];
	read_events("events", text);
	ck_assert_str_eq(text, "1:0 3:brain.Event:2 \n"
	                       "1:4096 2:4096 5{ 1{ 1:rollout/ep_rew_mean 2:2 } "
	                       "1{ 1:train/loss 2:0.5 } } \n"
	                       "1:6144 2:6144 5{ 1{ 1:rollout/ep_rew_mean 2:3 } "
	                       "1{ 1:train/loss 2:0.333333343 } } \n"
	                       "1:6144 2:6144 5{ 1{ 1:eval/mean_reward 2:-3 } } \n");
}
END_TEST

static void same_file(const char *first, const char *second, const char *name)
{
	size_t sizes[2];
	char *texts[2] = {test_read_file(file_in(first, name), &sizes[0]),
	                  test_read_file(file_in(second, name), &sizes[1])};
	ck_assert_uint_eq(sizes[0], sizes[1]);
	ck_assert_mem_eq(texts[0], texts[1], sizes[0]);
	free(texts[0]);
	free(texts[1]);
}

START_TEST(a_resumed_training_ends_with_the_same_bytes)
{
	weir_error error;
	weir_train_log *log = opened("whole", NULL);
	add_rows(log, 1, 20);
	weir_train_log_close(log);

	log = opened("killed", NULL);
	add_rows(log, 1, 7);
	ck_assert_ok(weir_train_log_sync(log, &error), &error);
	weir_train_log_lengths lengths = weir_train_log_lengths_of(log);
	add_rows(log, 8, 11);
	weir_train_log_close(log);
	log = opened("killed", &lengths);
	weir_train_log_lengths now = weir_train_log_lengths_of(log);
	ck_assert_mem_eq(&now, &lengths, sizeof now);
	/* What comes after a checkpoint is cut off at once, not only written over. */
	size_t size = 0;
	free(test_read_file(file_in("killed", "progress.jsonl"), &size));
	ck_assert_uint_eq(size, lengths.jsonl);
	add_rows(log, 8, 20);
	weir_train_log_close(log);
	same_file("whole", "killed", "progress.csv");
	same_file("whole", "killed", "progress.jsonl");
	same_file("whole", "killed", "events.out.tfevents.0.weir");
	char *timing = test_read_file(file_in("killed", "timing.csv"), NULL);
	int rows = 0;
	for (const char *at = timing; (at = strchr(at, '\n')) != NULL; at++) {
		rows++;
	}
	ck_assert_int_eq(rows, 1 + 11 + 13);
	free(timing);
	/* Without lengths all begins anew. */
	log = opened("killed", NULL);
	weir_train_log_close(log);
	check_file("killed", "progress.jsonl", "");
	check_file("killed", "timing.csv", "time/total_timesteps,time/fps,time/time_elapsed\n");
}
END_TEST

static void refused(const char *directory, const char *const *columns,
                    const weir_train_log_lengths *resume, const char *words)
{
	weir_error error = {0};
	weir_train_log *log = NULL;
	weir_status status =
	    weir_train_log_open(test_path(directory), columns, 3, resume, &log, &error);
	ck_assert(status == WEIR_ERROR_IO || status == WEIR_ERROR_INPUT);
	ck_assert_ptr_null(log);
	ck_assert_ptr_nonnull(strstr(error.where, directory));
	ck_assert_msg(strstr(error.message, words) != NULL, "%s", error.message);
}

START_TEST(bad_places_are_refused)
{
	weir_train_log *log = opened("bad", NULL);
	add_rows(log, 1, 2);
	const weir_train_log_lengths lengths = weir_train_log_lengths_of(log);
	weir_train_log_close(log);
	static const char *const others[] = {"rollout/ep_rew_mean", "train/loss", "eval/mean_rew"};
	refused("bad", others, &lengths, "what is logged has changed");
	weir_train_log_lengths longer = lengths;
	longer.events++;
	refused("bad", names, &longer, "when the checkpoint was written it had");
	weir_train_log_lengths shorter = lengths;
	shorter.csv = 3;
	refused("bad", names, &shorter, "does not begin as the log");
	refused("none", names, &lengths, "No such file or directory");
	refused("no/where", names, NULL, "cannot make the directory: No such file or directory");
	test_write_file(test_path("file"), "");
	refused("file", names, NULL, "Not a directory");
	ck_assert_int_eq(mkdir(test_path("taken"), 0777), 0);
	ck_assert_int_eq(mkdir(file_in("taken", "progress.jsonl"), 0777), 0);
	refused("taken", names, NULL, "Is a directory");
}
END_TEST

START_TEST(unknown_figures_are_told)
{
	weir_error error = {0};
	weir_train_log *log = opened("unknown", NULL);
	add_rows(log, 1, 1);
	const weir_train_log_lengths before = weir_train_log_lengths_of(log);
	static const char *const unknown[] = {"train/los"};
	const double value = 1.0;
	ck_assert_int_eq(weir_train_log_add(log, 5, unknown, &value, 1, &error), WEIR_ERROR_INTERNAL);
	ck_assert_ptr_nonnull(strstr(error.message, "train/los is none of"));
	weir_train_log_lengths after = weir_train_log_lengths_of(log);
	ck_assert_mem_eq(&after, &before, sizeof after);
	weir_train_log_close(log);
}
END_TEST

/* A limit on the size of files stands in for a full disk. */
START_TEST(a_full_disk_is_told_and_leaves_whole_rows)
{
	weir_error error = {0};
	weir_train_log *log = opened("full", NULL);
	add_rows(log, 1, 1);
	const weir_train_log_lengths before = weir_train_log_lengths_of(log);
	struct rlimit limit;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = before.csv + 3;
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	const double two[2] = {0.25, 2.0};
	ck_assert_int_eq(weir_train_log_add(log, 4096, loss_and_reward, two, 2, &error), WEIR_ERROR_IO);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	ck_assert_str_eq(error.message, "cannot write the training's log: File too large");
	ck_assert_str_eq(error.where, file_in("full", "progress.csv"));
	check_file("full", "progress.csv",
	           "time/total_timesteps,rollout/ep_rew_mean,train/loss,eval/mean_reward\n2048,1,1,\n");
	ck_assert_uint_eq(weir_train_log_lengths_of(log).csv, before.csv);
	weir_train_log_close(log);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl_train_log");
	TCase *tests = tcase_create("train_log");
	tcase_add_test(tests, rows_stand_in_text_files);
	tcase_add_test(tests, events_are_those_of_tensorboard);
	tcase_add_test(tests, a_resumed_training_ends_with_the_same_bytes);
	tcase_add_test(tests, bad_places_are_refused);
	tcase_add_test(tests, unknown_figures_are_told);
	tcase_add_test(tests, a_full_disk_is_told_and_leaves_whole_rows);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
