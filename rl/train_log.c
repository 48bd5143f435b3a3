#include "rl/train_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/transfer.h"
#include "rl/protobuf.h"

#define STEP_NAME "time/total_timesteps"

enum { FILE_CSV, FILE_JSONL, FILE_EVENTS, FILE_TIMING, FILE_COUNT };

static const char *const file_names[FILE_COUNT] = {"progress.csv", "progress.jsonl",
                                                   "events.out.tfevents.0.weir", "timing.csv"};
static const char timing_header[] = STEP_NAME ",time/fps,time/time_elapsed\n";

typedef struct log_file {
	char *path;
	int descriptor; /* -1: not open */
	uint64_t length;
} log_file;

struct weir_train_log {
	char **names;
	size_t count;
	double *values; /* [count]: of the row being written */
	bool *given;    /* [count]: whether it has one */
	log_file files[FILE_COUNT];
	weir_bytes text, event;
};

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the training's log");
}

static weir_status fail(const log_file *file, const char *what, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_IO, file->path, "cannot %s: %s", what, strerror(errno));
}

/* --- files --- */

/* Adds bytes at the end. What was written of them before a failure is taken back. */
static weir_status append(log_file *file, const weir_bytes *bytes, weir_error *error)
{
	if (bytes->failed) {
		return no_memory(error);
	}
	int failure = weir_write_at(file->descriptor, bytes->data, bytes->size, file->length);
	if (failure != 0) {
		errno = failure;
		weir_status status = fail(file, "write the training's log", error);
		(void)!ftruncate(file->descriptor, (off_t)file->length);
		return status;
	}
	file->length += bytes->size;
	return WEIR_OK;
}

static weir_status open_new(log_file *file, const weir_bytes *header, weir_error *error)
{
	file->descriptor = open(file->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return file->descriptor >= 0 ? append(file, header, error)
	                             : fail(file, "write the training's log", error);
}

/* Whether the file begins with `header`. */
static bool begins_with(const log_file *file, const weir_bytes *header)
{
	if (header->size == 0) {
		return true;
	}
	unsigned char *start = malloc(header->size);
	bool same = start != NULL &&
	            pread(file->descriptor, start, header->size, 0) == (ssize_t)header->size &&
	            memcmp(start, header->data, header->size) == 0;
	free(start);
	return same;
}

/* Opens a file and cuts it to `length`. */
static weir_status open_old(log_file *file, const weir_bytes *header, uint64_t length,
                            weir_error *error)
{
	file->descriptor = open(file->path, O_RDWR | O_CLOEXEC);
	struct stat info;
	if (file->descriptor < 0 || fstat(file->descriptor, &info) != 0) {
		return fail(file, "go on with the training's log", error);
	}
	if ((uint64_t)info.st_size < length) {
		return weir_error_set(error, WEIR_ERROR_INPUT, file->path,
		                      "has %lld bytes; when the checkpoint was written it had %" PRIu64,
		                      (long long)info.st_size, length);
	}
	if (length < header->size || !begins_with(file, header)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, file->path,
		                      "does not begin as the log of this training does: it is another's, "
		                      "or what is logged has changed");
	}
	if (ftruncate(file->descriptor, (off_t)length) != 0) {
		return fail(file, "cut the training's log", error);
	}
	file->length = length;
	return WEIR_OK;
}

/* The file of times is added to, whatever is in it. */
static weir_status open_timing(log_file *file, const weir_bytes *header, weir_error *error)
{
	file->descriptor = open(file->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	struct stat info;
	if (file->descriptor < 0 || fstat(file->descriptor, &info) != 0) {
		return fail(file, "go on with the training's log", error);
	}
	file->length = (uint64_t)info.st_size;
	return file->length == 0 ? append(file, header, error) : WEIR_OK;
}

/* --- TensorBoard's records --- */

/* CRC-32C (Castagnoli), bit by bit: a row of a log is short. */
static uint32_t crc32c(const unsigned char *bytes, size_t size)
{
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = (crc >> 1) ^ ((crc & 1) != 0 ? UINT32_C(0x82f63b78) : 0);
		}
	}
	return ~crc;
}

/* As TensorFlow's record files keep it, since CRCs of what holds CRCs are poor. */
static uint32_t masked_crc(const unsigned char *bytes, size_t size)
{
	uint32_t crc = crc32c(bytes, size);
	return ((crc >> 15) | (crc << 17)) + UINT32_C(0xa282ead8);
}

/* A record of TensorFlow's: length, its CRC, the bytes, their CRC. */
static void frame(weir_bytes *record, const weir_bytes *message)
{
	size_t start = record->size;
	weir_bytes_add_little(record, message->size, 8);
	if (!record->failed) {
		weir_bytes_add_little(record, masked_crc(record->data + start, 8), 4);
	}
	weir_bytes_add(record, message->data, message->size);
	weir_bytes_add_little(record, masked_crc(message->data, message->size), 4);
	record->failed = record->failed || message->failed;
}

/* Fields of tensorflow.Event, .Summary and .Summary.Value. */
enum {
	EVENT_WALL_TIME = 1,
	EVENT_STEP = 2,
	EVENT_FILE_VERSION = 3,
	EVENT_SUMMARY = 5,
	SUMMARY_VALUE = 1,
	VALUE_TAG = 1,
	VALUE_SIMPLE = 2
};

/* log->text becomes the record of the row. */
static void write_event(weir_train_log *log, int64_t step)
{
	weir_bytes summary = {.data = NULL};
	for (size_t i = 0; i < log->count; i++) {
		if (log->given[i]) {
			weir_bytes value = {.data = NULL};
			weir_protobuf_text(&value, VALUE_TAG, log->names[i]);
			weir_protobuf_float(&value, VALUE_SIMPLE, (float)log->values[i]);
			weir_protobuf_message(&summary, SUMMARY_VALUE, &value);
		}
	}
	weir_bytes_clear(&log->event);
	weir_protobuf_double(&log->event, EVENT_WALL_TIME, (double)step);
	weir_protobuf_integer(&log->event, EVENT_STEP, step);
	weir_protobuf_message(&log->event, EVENT_SUMMARY, &summary);
	weir_bytes_clear(&log->text);
	frame(&log->text, &log->event);
}

static void write_first_event(weir_train_log *log)
{
	weir_bytes_clear(&log->event);
	weir_protobuf_double(&log->event, EVENT_WALL_TIME, 0.0);
	weir_protobuf_text(&log->event, EVENT_FILE_VERSION, "brain.Event:2");
	weir_bytes_clear(&log->text);
	frame(&log->text, &log->event);
}

/* --- rows of text --- */

static void add_step(weir_bytes *text, int64_t step)
{
	char digits[32];
	snprintf(digits, sizeof digits, "%" PRId64, step);
	weir_bytes_add_text(text, digits);
}

static void add_number(weir_bytes *text, double value, bool is_json)
{
	char digits[WEIR_JSON_NUMBER_SIZE];
	if (isfinite(value)) {
		weir_bytes_add_text(text, weir_json_format_number(digits, value));
	} else if (is_json) {
		weir_bytes_add_text(text, "null");
	} else {
		weir_bytes_add_text(text, isnan(value) ? "nan" : value > 0.0 ? "inf" : "-inf");
	}
}

static void write_csv_header(weir_train_log *log)
{
	weir_bytes_clear(&log->text);
	weir_bytes_add_text(&log->text, STEP_NAME);
	for (size_t i = 0; i < log->count; i++) {
		weir_bytes_add_text(&log->text, ",");
		weir_bytes_add_text(&log->text, log->names[i]);
	}
	weir_bytes_add_text(&log->text, "\n");
}

static void write_csv(weir_train_log *log, int64_t step)
{
	weir_bytes_clear(&log->text);
	add_step(&log->text, step);
	for (size_t i = 0; i < log->count; i++) {
		weir_bytes_add_text(&log->text, ",");
		if (log->given[i]) {
			add_number(&log->text, log->values[i], false);
		}
	}
	weir_bytes_add_text(&log->text, "\n");
}

static void write_json(weir_train_log *log, int64_t step)
{
	weir_bytes_clear(&log->text);
	weir_bytes_add_text(&log->text, "{\"" STEP_NAME "\": ");
	add_step(&log->text, step);
	for (size_t i = 0; i < log->count; i++) {
		if (log->given[i]) {
			weir_bytes_add_text(&log->text, ", \"");
			weir_bytes_add_text(&log->text, log->names[i]);
			weir_bytes_add_text(&log->text, "\": ");
			add_number(&log->text, log->values[i], true);
		}
	}
	weir_bytes_add_text(&log->text, "}\n");
}

/* --- the log --- */

static bool copy_names(weir_train_log *log, const char *const *names, size_t count)
{
	log->names = weir_allocate(count + 1, sizeof *log->names);
	log->values = weir_allocate(count + 1, sizeof *log->values);
	log->given = weir_allocate(count + 1, sizeof *log->given);
	if (log->names == NULL || log->values == NULL || log->given == NULL) {
		return false;
	}
	for (; log->count < count; log->count++) {
		log->names[log->count] = strdup(names[log->count]);
		if (log->names[log->count] == NULL) {
			return false;
		}
	}
	return true;
}

static bool name_files(weir_train_log *log, const char *directory)
{
	for (int i = 0; i < FILE_COUNT; i++) {
		size_t size = strlen(directory) + strlen(file_names[i]) + 2;
		log->files[i].descriptor = -1;
		log->files[i].path = malloc(size);
		if (log->files[i].path == NULL) {
			return false;
		}
		snprintf(log->files[i].path, size, "%s/%s", directory, file_names[i]);
	}
	return true;
}

static weir_status open_files(weir_train_log *log, const weir_train_log_lengths *resume,
                              weir_error *error)
{
	weir_status status = WEIR_OK;
	const uint64_t lengths[] = {resume != NULL ? resume->csv : 0,
	                            resume != NULL ? resume->jsonl : 0,
	                            resume != NULL ? resume->events : 0};
	for (int i = 0; status == WEIR_OK && i < FILE_COUNT; i++) {
		log_file *file = &log->files[i];
		weir_bytes_clear(&log->text);
		if (i == FILE_CSV) {
			write_csv_header(log);
		} else if (i == FILE_EVENTS) {
			write_first_event(log);
		} else if (i == FILE_TIMING) {
			weir_bytes_add_text(&log->text, timing_header);
		}
		if (resume == NULL) {
			status = open_new(file, &log->text, error);
		} else if (i == FILE_TIMING) {
			status = open_timing(file, &log->text, error);
		} else {
			status = open_old(file, &log->text, lengths[i], error);
		}
	}
	return status;
}

weir_status weir_train_log_open(const char *directory, const char *const *names, size_t count,
                                const weir_train_log_lengths *resume, weir_train_log **log,
                                weir_error *error)
{
	*log = NULL;
	if (resume == NULL && mkdir(directory, 0777) != 0 && errno != EEXIST) {
		return weir_error_set(error, WEIR_ERROR_IO, directory, "cannot make the directory: %s",
		                      strerror(errno));
	}
	weir_train_log *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return no_memory(error);
	}
	weir_status status = name_files(made, directory) && copy_names(made, names, count)
	                         ? open_files(made, resume, error)
	                         : no_memory(error);
	if (status != WEIR_OK) {
		weir_train_log_close(made);
		return status;
	}
	*log = made;
	return WEIR_OK;
}

/* Sorts what was given into the order of the columns. */
static weir_status take_values(weir_train_log *log, const char *const *names, const double *values,
                               size_t count, weir_error *error)
{
	memset(log->given, 0, log->count * sizeof *log->given);
	for (size_t i = 0; i < count; i++) {
		size_t column = 0;
		while (column < log->count && strcmp(log->names[column], names[i]) != 0) {
			column++;
		}
		if (column == log->count) {
			return weir_error_set(error, WEIR_ERROR_INTERNAL, log->files[FILE_CSV].path,
			                      "%s is none of the figures that were to be logged", names[i]);
		}
		log->given[column] = true;
		log->values[column] = values[i];
	}
	return WEIR_OK;
}

weir_status weir_train_log_add(weir_train_log *log, int64_t step, const char *const *names,
                               const double *values, size_t count, weir_error *error)
{
	static void (*const write[])(weir_train_log *, int64_t) = {
	    [FILE_CSV] = write_csv, [FILE_JSONL] = write_json, [FILE_EVENTS] = write_event};
	weir_status status = take_values(log, names, values, count, error);
	for (int i = FILE_CSV; status == WEIR_OK && i <= FILE_EVENTS; i++) {
		write[i](log, step);
		status = append(&log->files[i], &log->text, error);
	}
	return status;
}

weir_status weir_train_log_timing(weir_train_log *log, int64_t step, double fps, double elapsed,
                                  weir_error *error)
{
	char row[96];
	snprintf(row, sizeof row, "%" PRId64 ",%.1f,%.3f\n", step, fps, elapsed);
	weir_bytes_clear(&log->text);
	weir_bytes_add_text(&log->text, row);
	return append(&log->files[FILE_TIMING], &log->text, error);
}

weir_status weir_train_log_sync(weir_train_log *log, weir_error *error)
{
	for (int i = 0; i < FILE_COUNT; i++) {
		if (fsync(log->files[i].descriptor) != 0 && errno != EINVAL) {
			return fail(&log->files[i], "sync the training's log", error);
		}
	}
	return WEIR_OK;
}

weir_train_log_lengths weir_train_log_lengths_of(const weir_train_log *log)
{
	return (weir_train_log_lengths){.csv = log->files[FILE_CSV].length,
	                                .jsonl = log->files[FILE_JSONL].length,
	                                .events = log->files[FILE_EVENTS].length};
}

void weir_train_log_close(weir_train_log *log)
{
	if (log == NULL) {
		return;
	}
	for (int i = 0; i < FILE_COUNT; i++) {
		if (log->files[i].path != NULL && log->files[i].descriptor >= 0) {
			close(log->files[i].descriptor);
		}
		free(log->files[i].path);
	}
	for (size_t i = 0; i < log->count; i++) {
		free(log->names[i]);
	}
	free(log->names);
	free(log->values);
	free(log->given);
	free(log->text.data);
	free(log->event.data);
	free(log);
}
