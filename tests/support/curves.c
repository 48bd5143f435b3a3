#include "support/curves.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test_support.h"

enum { CSV_ROWS = 1024 };

typedef struct sample {
	double batch_tokens, prompt_seconds, token_seconds;
} sample;

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof *values, compare_doubles);
	double upper = values[count / 2];
	return count % 2 == 1 ? upper : (values[count / 2 - 1] + upper) / 2;
}

static void add_medians(test_curves *curves, double batch_tokens, const sample *samples,
                        size_t count)
{
	double prompt[CSV_ROWS];
	double token[CSV_ROWS];
	size_t equal = 0;
	for (size_t i = 0; i < count; i++) {
		if (samples[i].batch_tokens == batch_tokens) {
			prompt[equal] = samples[i].prompt_seconds;
			token[equal] = samples[i].token_seconds;
			equal++;
		}
	}
	ck_assert_uint_lt(curves->count, CURVE_POINTS);
	curves->batch_tokens[curves->count] = batch_tokens;
	curves->prompt_seconds[curves->count] = median(prompt, equal);
	curves->token_seconds[curves->count] = median(token, equal);
	curves->count++;
}

test_curves test_curves_of_csv(const char *path, const char *model, const char *gpu)
{
	sample samples[CSV_ROWS];
	double sizes[CSV_ROWS];
	size_t count = 0;
	FILE *file = fopen(path, "r");
	ck_assert_msg(file != NULL, "cannot read %s", path);
	char line[512];
	ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
	line[strcspn(line, "\r\n")] = '\0';
	ck_assert_str_eq(line, "model,hardware,prompt_size,batch_size,token_size,peak_power,"
	                       "average_power,prompt_time,token_time,e2e_time,tensor_parallel");
	while (fgets(line, sizeof line, file) != NULL) {
		char row_model[64], row_gpu[64];
		double prompt_size, batch_size, prompt_ms, token_ms;
		int tensor_parallel;
		ck_assert_msg(sscanf(line, "%63[^,],%63[^,],%lf,%lf,%*[^,],%*[^,],%*[^,],%lf,%lf,%*[^,],%d",
		                     row_model, row_gpu, &prompt_size, &batch_size, &prompt_ms, &token_ms,
		                     &tensor_parallel) == 7,
		              "%s: %s", path, line);
		if (strcmp(row_model, model) == 0 && strcmp(row_gpu, gpu) == 0 && tensor_parallel == 8) {
			ck_assert_uint_lt(count, CSV_ROWS);
			sizes[count] = prompt_size * batch_size;
			samples[count] = (sample){sizes[count], prompt_ms / 1000, token_ms / 1000};
			count++;
		}
	}
	fclose(file);
	ck_assert_msg(count > 0, "%s has no %s on %s", path, model, gpu);
	test_curves curves = {0};
	qsort(sizes, count, sizeof *sizes, compare_doubles);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || sizes[i] != sizes[i - 1]) {
			add_medians(&curves, sizes[i], samples, count);
		}
	}
	return curves;
}

static bool is_text(const cJSON *object, const char *name, const char *text)
{
	const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
	return value != NULL && strcmp(value, text) == 0;
}

static size_t read_numbers(const cJSON *object, const char *name, double *numbers)
{
	size_t count = 0;
	const cJSON *number = NULL;
	cJSON_ArrayForEach(number, cJSON_GetObjectItemCaseSensitive(object, name))
	{
		ck_assert_uint_lt(count, CURVE_POINTS);
		numbers[count++] = cJSON_GetNumberValue(number);
	}
	return count;
}

test_curves test_curves_of_profile(const char *path, const char *model, const char *gpu)
{
	char *text = test_read_file(path, NULL);
	cJSON *profile = cJSON_Parse(text);
	ck_assert_msg(profile != NULL, "%s is not JSON", path);
	test_curves curves = {0};
	const cJSON *entry = NULL;
	cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(profile, "curves"))
	{
		const cJSON *parallel = cJSON_GetObjectItemCaseSensitive(entry, "tensor_parallel");
		if (is_text(entry, "model", model) && is_text(entry, "gpu", gpu) &&
		    cJSON_GetNumberValue(parallel) == 8) {
			curves.count = read_numbers(entry, "batch_tokens", curves.batch_tokens);
			ck_assert_uint_eq(read_numbers(entry, "prompt_seconds", curves.prompt_seconds),
			                  curves.count);
			ck_assert_uint_eq(read_numbers(entry, "token_seconds", curves.token_seconds),
			                  curves.count);
		}
	}
	ck_assert_msg(curves.count >= 2, "%s has no %s on %s", path, model, gpu);
	cJSON_Delete(profile);
	free(text);
	return curves;
}

/* Piecewise linear; the first and the last segment go on beyond the ends. */
static double interpolate(const double *x, const double *y, size_t count, double at)
{
	size_t hi = 1;
	while (hi < count - 1 && x[hi] < at) {
		hi++;
	}
	size_t lo = hi - 1;
	double slope = (y[hi] - y[lo]) / (x[hi] - x[lo]);
	return slope * (at - x[lo]) + y[lo];
}

double test_curves_iteration_seconds(const test_curves *curves, int64_t prompt_tokens,
                                     int64_t token_tasks)
{
	double batch_tokens = (double)(prompt_tokens + token_tasks);
	if (prompt_tokens == 0) {
		return interpolate(curves->batch_tokens, curves->token_seconds, curves->count,
		                   batch_tokens);
	}
	double seconds =
	    interpolate(curves->batch_tokens, curves->prompt_seconds, curves->count, batch_tokens);
	return token_tasks > 0 ? seconds * 1.1 : seconds;
}
