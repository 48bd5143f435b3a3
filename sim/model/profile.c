#include "model/profile.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"

#define LARGEST_BATCH   9007199254740992.0 /* 2^53, to which doubles hold every whole number */
#define LARGEST_SECONDS 1e9

static const weir_key curve_keys[] = {
    {.name = "model",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_profile_curve, target.model),
     .flags = WEIR_KEY_REQUIRED,
     .doc = "Name of the model."},
    {.name = "gpu",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_profile_curve, target.gpu),
     .flags = WEIR_KEY_REQUIRED,
     .doc = "Name of the GPU."},
    {.name = "tensor_parallel",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_profile_curve, target.tensor_parallel),
     .minimum = 1,
     .maximum = 1024,
     .doc = "GPUs that one instance was spread over."},
    {.name = "batch_tokens",
     .type = WEIR_KEY_NUMBERS,
     .offset = offsetof(weir_profile_curve, batch_tokens),
     .minimum = 1,
     .maximum = LARGEST_BATCH,
     .flags = WEIR_KEY_REQUIRED,
     .unit = "tokens",
     .doc = "Measured batch sizes, prompt_size * batch_size, rising."},
    {.name = "prompt_seconds",
     .type = WEIR_KEY_NUMBERS,
     .offset = offsetof(weir_profile_curve, prompt_seconds),
     .maximum = LARGEST_SECONDS,
     .flags = WEIR_KEY_REQUIRED | WEIR_KEY_ABOVE_MINIMUM,
     .unit = "s",
     .doc = "Time of the prompt iteration at each batch size."},
    {.name = "token_seconds",
     .type = WEIR_KEY_NUMBERS,
     .offset = offsetof(weir_profile_curve, token_seconds),
     .maximum = LARGEST_SECONDS,
     .flags = WEIR_KEY_REQUIRED | WEIR_KEY_ABOVE_MINIMUM,
     .unit = "s",
     .doc = "Time of one token iteration at each batch size."},
    {.name = "power_share",
     .type = WEIR_KEY_NUMBERS,
     .offset = offsetof(weir_profile_curve, power_share),
     .maximum = 10,
     .doc = "Share of the server's TDP drawn at each batch size; 0: not measured."},
};

static const weir_key_table curve_table = {
    .name = "curve",
    .doc = "The measurements of one model on one GPU.",
    .size = sizeof(weir_profile_curve),
    .keys = curve_keys,
    .key_count = sizeof curve_keys / sizeof curve_keys[0],
};

static const weir_key profile_keys[] = {
    {.name = "source",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_profile, source),
     .doc = "Where the measurements come from."},
    {.name = "licence",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_profile, licence),
     .doc = "Licence of the measurements."},
    {.name = "curves",
     .type = WEIR_KEY_LIST,
     .offset = offsetof(weir_profile, curves),
     .flags = WEIR_KEY_REQUIRED,
     .table = &curve_table,
     .doc = "One entry per model, GPU and tensor_parallel."},
};

static const weir_key_table profile_table = {
    .name = "profile",
    .doc = "Measured iteration times of models on GPUs.",
    .size = sizeof(weir_profile),
    .keys = profile_keys,
    .key_count = sizeof profile_keys / sizeof profile_keys[0],
};

int weir_profile_compare_targets(const weir_profile_target *a, const weir_profile_target *b)
{
	int order = strcmp(a->model, b->model);
	if (order == 0) {
		order = strcmp(a->gpu, b->gpu);
	}
	if (order == 0) {
		order =
		    (a->tensor_parallel > b->tensor_parallel) - (a->tensor_parallel < b->tensor_parallel);
	}
	return order;
}

static int compare_curves(const void *a, const void *b)
{
	const weir_profile_curve *x = a;
	const weir_profile_curve *y = b;
	return weir_profile_compare_targets(&x->target, &y->target);
}

/* What is wrong with a curve: the key it is about, and words. */
typedef struct problem {
	const char *key;
	char message[256];
} problem;

/* Below the measurements the table model goes on along the first two: down to one token, times must
 * stay above zero. */
static bool check_line(const weir_profile_curve *curve, const char *key,
                       const weir_key_list *seconds, problem *found)
{
	const double *x = curve->batch_tokens.items;
	const double *y = seconds->items;
	found->key = key;
	if ((y[1] - y[0]) / (x[1] - x[0]) * (1.0 - x[0]) + y[0] <= 0.0) {
		snprintf(found->message, sizeof found->message,
		         "the line through %.0f and %.0f batch tokens reaches zero before 1 token; "
		         "measure smaller batches too",
		         x[0], x[1]);
		return false;
	}
	return true;
}

static bool check_curve(const weir_profile_curve *curve, problem *found)
{
	const double *x = curve->batch_tokens.items;
	size_t n = curve->batch_tokens.count;
	const struct {
		const char *key;
		const weir_key_list *list;
		bool optional;
	} lists[] = {
	    {"prompt_seconds", &curve->prompt_seconds, false},
	    {"token_seconds", &curve->token_seconds, false},
	    {"power_share", &curve->power_share, true},
	};
	found->key = "batch_tokens";
	if (n < 2) {
		snprintf(found->message, sizeof found->message,
		         "%zu batch size%s; a line needs at least two", n, n == 1 ? "" : "s");
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (x[i] != floor(x[i]) || (i > 0 && x[i] <= x[i - 1])) {
			snprintf(found->message, sizeof found->message,
			         "entry %zu is %.17g; batch sizes must be whole and rise", i, x[i]);
			return false;
		}
	}
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		size_t count = lists[i].list->count;
		if (count != n && !(lists[i].optional && count == 0)) {
			found->key = lists[i].key;
			snprintf(found->message, sizeof found->message, "%zu entries for %zu batch_tokens",
			         count, n);
			return false;
		}
	}
	return check_line(curve, "prompt_seconds", &curve->prompt_seconds, found) &&
	       check_line(curve, "token_seconds", &curve->token_seconds, found);
}

weir_status weir_profile_check(const weir_profile *profile, const char *file, weir_error *error)
{
	size_t count = profile->curves.count;
	const weir_profile_curve *curves = profile->curves.items;
	char where[WEIR_ERROR_WHERE_SIZE];
	for (size_t i = 0; i < count; i++) {
		problem found;
		if (!check_curve(&curves[i], &found)) {
			snprintf(where, sizeof where, "%s: curves[%zu].%s", file, i, found.key);
			return weir_error_set(error, WEIR_ERROR_INPUT, where,
			                      "%s on %s, tensor_parallel %lld: %s", curves[i].target.model,
			                      curves[i].target.gpu, (long long)curves[i].target.tensor_parallel,
			                      found.message);
		}
	}
	weir_profile_curve *sorted = weir_duplicate(curves, count, sizeof *sorted);
	if (sorted == NULL) {
		return count == 0 ? WEIR_OK
		                  : weir_error_set(error, WEIR_ERROR_MEMORY, file,
		                                   "no memory for %zu curves", count);
	}
	qsort(sorted, count, sizeof *sorted, compare_curves);
	weir_status status = WEIR_OK;
	for (size_t i = 1; i < count && status == WEIR_OK; i++) {
		if (compare_curves(&sorted[i - 1], &sorted[i]) == 0) {
			snprintf(where, sizeof where, "%s: curves", file);
			status = weir_error_set(error, WEIR_ERROR_INPUT, where,
			                        "two curves of %s on %s, tensor_parallel %lld; one is wanted",
			                        sorted[i].target.model, sorted[i].target.gpu,
			                        (long long)sorted[i].target.tensor_parallel);
		}
	}
	free(sorted);
	return status;
}

weir_status weir_profile_read(const char *path, weir_arena *arena, weir_profile *profile,
                              weir_error *error)
{
	cJSON *json = NULL;
	weir_status status = weir_json_load(path, &json, error);
	if (status == WEIR_OK) {
		weir_keys_reader reader = {.arena = arena, .file = path};
		status = weir_keys_read(&reader, &profile_table, json, "", profile, error);
	}
	if (status == WEIR_OK) {
		status = weir_profile_check(profile, path, error);
	}
	cJSON_Delete(json);
	return status;
}

const weir_profile_curve *weir_profile_find(const weir_profile *profile,
                                            const weir_profile_target *target)
{
	const weir_profile_curve *curves = profile->curves.items;
	for (size_t i = 0; i < profile->curves.count; i++) {
		if (weir_profile_compare_targets(&curves[i].target, target) == 0) {
			return &curves[i];
		}
	}
	return NULL;
}

static bool write_string(FILE *file, const char *key, const char *text, const char *end)
{
	cJSON *json = cJSON_CreateStringReference(text);
	char *quoted = cJSON_PrintUnformatted(json);
	bool written = quoted != NULL && fprintf(file, "\"%s\": %s%s", key, quoted, end) > 0;
	cJSON_free(quoted);
	cJSON_Delete(json);
	return written;
}

static void write_numbers(FILE *file, const char *key, const weir_key_list *list)
{
	const double *numbers = list->items;
	fprintf(file, "\t\t\t\"%s\": [", key);
	for (size_t i = 0; i < list->count; i++) {
		char text[WEIR_JSON_NUMBER_SIZE];
		fprintf(file, "%s%s", i > 0 ? ", " : "", weir_json_format_number(text, numbers[i]));
	}
	fputs("]", file);
}

/* What a failed write leaves is seen by ferror; false when memory is out. */
static bool write_curve(FILE *file, const weir_profile_curve *curve)
{
	fputs("\t\t{\n\t\t\t", file);
	bool written = write_string(file, "model", curve->target.model, ",\n\t\t\t") &&
	               write_string(file, "gpu", curve->target.gpu, ",\n\t\t\t");
	fprintf(file, "\"tensor_parallel\": %lld,\n", (long long)curve->target.tensor_parallel);
	write_numbers(file, "batch_tokens", &curve->batch_tokens);
	fputs(",\n", file);
	write_numbers(file, "prompt_seconds", &curve->prompt_seconds);
	fputs(",\n", file);
	write_numbers(file, "token_seconds", &curve->token_seconds);
	if (curve->power_share.count > 0) {
		fputs(",\n", file);
		write_numbers(file, "power_share", &curve->power_share);
	}
	fputs("\n\t\t}", file);
	return written;
}

static bool write_profile(FILE *file, const weir_profile *profile)
{
	fputs("{\n\t", file);
	bool written = write_string(file, "source", profile->source, ",\n\t") &&
	               write_string(file, "licence", profile->licence, ",\n\t");
	fputs("\"curves\": [\n", file);
	const weir_profile_curve *curves = profile->curves.items;
	for (size_t i = 0; i < profile->curves.count && written; i++) {
		fputs(i > 0 ? ",\n" : "", file);
		written = write_curve(file, &curves[i]);
	}
	fputs("\n\t]\n}\n", file);
	return written;
}

weir_status weir_profile_write(const weir_profile *profile, const char *path, weir_error *error)
{
	char aside[4096];
	if (snprintf(aside, sizeof aside, "%s.part", path) >= (int)sizeof aside) {
		return weir_error_set(error, WEIR_ERROR_IO, path, "the file name is too long");
	}
	/* The rename would put a file in the place of a device. */
	struct stat info;
	if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
		return weir_error_set(error, WEIR_ERROR_IO, path,
		                      S_ISDIR(info.st_mode) ? "is a directory; name a file to write"
		                                            : "is not a regular file");
	}
	FILE *file = fopen(aside, "wb");
	if (file == NULL) {
		return weir_error_set(error, WEIR_ERROR_IO, aside, "cannot be written: %s",
		                      strerror(errno));
	}
	bool written = write_profile(file, profile);
	written = fflush(file) == 0 && !ferror(file) && fsync(fileno(file)) == 0 && written;
	int reason = errno;
	if (fclose(file) != 0 && written) {
		written = false;
		reason = errno;
	}
	if (written && rename(aside, path) != 0) {
		written = false;
		reason = errno;
	}
	if (!written) {
		unlink(aside);
		return weir_error_set(error, WEIR_ERROR_IO, path, "cannot be written: %s",
		                      strerror(reason));
	}
	return WEIR_OK;
}
