/* The key table of the section `workload`; that of `trace` is in trace_keys.c. */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "workload/workload_config.h"
#include "workload/workload_keys.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* For `kind` keys: "name: what it is. " of every kind, from the list that makes the kinds. */
#define KIND_DOC(name, text, doc) text ": " doc ". "

/* Tells the error of a section's own check at the key path it belongs to. */
static weir_status fail_at(weir_keys_reader *reader, const char *path, const weir_error *found,
                           weir_error *error)
{
	if (found->status != WEIR_ERROR_INPUT) {
		*error = *found;
		return found->status;
	}
	/* The place may be deeper: "prompt.sigma". */
	const char *key = found->where;
	for (const char *dot; (dot = strchr(key, '.')) != NULL; key = dot + 1) {
		const char *name = weir_arena_format(reader->arena, "%.*s", (int)(dot - key), key);
		path = weir_keys_path(reader, path, name != NULL ? name : key);
	}
	return weir_keys_fail(reader, weir_keys_path(reader, path, key), error, "%s", found->message);
}

/* [[seconds, requests/s], ...] */
static weir_status read_points(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                               const char *path, void *field, weir_error *error)
{
	char got[64];
	if (!cJSON_IsArray(json)) {
		return weir_keys_fail(reader, path, error, "expected %s, got %s", key->forms,
		                      weir_keys_describe(got, sizeof got, json));
	}
	size_t count = (size_t)cJSON_GetArraySize(json);
	weir_rate_point *points = weir_arena_allocate(reader->arena, count, sizeof *points);
	if (points == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, reader->file, "no memory for the config");
	}
	size_t i = 0;
	for (const cJSON *item = json->child; item != NULL; item = item->next, i++) {
		const cJSON *time = cJSON_IsArray(item) ? item->child : NULL;
		const cJSON *rate = time != NULL ? time->next : NULL;
		if (!cJSON_IsNumber(time) || !cJSON_IsNumber(rate) || rate->next != NULL) {
			return weir_keys_fail(reader, path, error,
			                      "point %zu: expected [seconds, requests/s], got %s", i + 1,
			                      weir_keys_describe(got, sizeof got, item));
		}
		points[i] = (weir_rate_point){time->valuedouble, rate->valuedouble};
	}
	*(weir_key_list *)field = (weir_key_list){count, points};
	return WEIR_OK;
}

static weir_status check_arrivals(weir_keys_reader *reader, const char *path, void *object,
                                  weir_error *error)
{
	const weir_arrivals_config *config = object;
	if (config->kind == WEIR_ARRIVALS_LIKE) {
		return WEIR_OK;
	}
	weir_error found;
	weir_error_clear(&found);
	weir_arrivals *arrivals = NULL;
	weir_status status = weir_arrivals_create(config, 1, &arrivals, &found);
	weir_arrivals_destroy(arrivals);
	return status == WEIR_OK ? WEIR_OK : fail_at(reader, path, &found, error);
}

/* One number of weir_arrivals_config; what it may be, weir_arrivals_create knows. */
#define ARRIVALS_NUMBER(field, kinds, preset, of_unit, text)                                       \
	{                                                                                              \
		.name = #field, .type = WEIR_KEY_NUMBER, .offset = offsetof(weir_arrivals_config, field),  \
		.default_text = preset, .only_if = "kind=" kinds, .unit = of_unit, .doc = text             \
	}

static const weir_key arrivals_keys[] = {
    {.name = "kind",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_arrivals_config, kind),
     .default_text = "\"like\"",
     .choices = weir_arrivals_kinds,
     .doc = "How requests come. " WEIR_ARRIVALS_LIST(KIND_DOC)},
    ARRIVALS_NUMBER(rate, "constant,poisson,gamma,weibull", NULL, "requests/s", "The mean rate."),
    ARRIVALS_NUMBER(
        cv, "gamma,weibull,piecewise,diurnal,ramp,flash_crowd", "1", NULL,
        "Coefficient of variation of the gaps: above 1 arrivals are bursty, below "
        "1 regular. Where the rate changes: of the gaps (gamma) in units of their mean; "
        "1 is a Poisson process."),
    ARRIVALS_NUMBER(shape, "weibull", "0", NULL, "Shape of the distribution; 0: the one of `cv`."),
    {.name = "rates",
     .type = WEIR_KEY_NUMBERS,
     .offset = offsetof(weir_arrivals_config, rates),
     .flags = WEIR_KEY_REQUIRED,
     .only_if = "kind=mmpp",
     .unit = "requests/s",
     .doc = "The rate in each hidden state."},
    {.name = "sojourns",
     .type = WEIR_KEY_NUMBERS,
     .offset = offsetof(weir_arrivals_config, sojourns),
     .flags = WEIR_KEY_REQUIRED,
     .only_if = "kind=mmpp",
     .unit = "s",
     .doc = "The mean stay in each hidden state, exponential; any other state may follow."},
    {.name = "points",
     .type = WEIR_KEY_CUSTOM,
     .offset = offsetof(weir_arrivals_config, points),
     .flags = WEIR_KEY_REQUIRED,
     .read = read_points,
     .forms = "a list of points [seconds, requests/s]",
     .only_if = "kind=piecewise",
     .doc = "The rate is linear from point to point; two points at one time are a step. Before the "
            "first and after the last it stays."},
    ARRIVALS_NUMBER(period, "piecewise,diurnal", "0", "s",
                    "After so long the rate starts again; piecewise: 0 for never."),
    ARRIVALS_NUMBER(mean, "diurnal", NULL, "requests/s", "The mean rate."),
    ARRIVALS_NUMBER(amplitude, "diurnal", "0.5", NULL,
                    "Share of the mean by which the rate rises and falls, 0 to 1."),
    ARRIVALS_NUMBER(
        phase, "diurnal", "0", "s",
        "When the rate passes its mean on the way up; the peak is a quarter of a period "
        "later."),
    ARRIVALS_NUMBER(from, "ramp", NULL, "requests/s", "The rate at time 0."),
    ARRIVALS_NUMBER(to, "ramp", NULL, "requests/s", "The rate at the end of the ramp and after."),
    ARRIVALS_NUMBER(duration, "ramp", NULL, "s", "How long the ramp takes."),
    ARRIVALS_NUMBER(base, "flash_crowd", NULL, "requests/s", "The rate before and after."),
    ARRIVALS_NUMBER(peak, "flash_crowd", NULL, "requests/s", "The rate at the peak."),
    ARRIVALS_NUMBER(start, "flash_crowd", NULL, "s", "When the rate begins to rise."),
    ARRIVALS_NUMBER(rise, "flash_crowd", NULL, "s", "How long it rises; 0 for a step."),
    ARRIVALS_NUMBER(hold, "flash_crowd", NULL, "s", "How long it stays at the peak."),
    ARRIVALS_NUMBER(fall, "flash_crowd", NULL, "s", "How long it falls; 0 for a step."),
};
#undef ARRIVALS_NUMBER

static const weir_key_table arrivals_table = {
    .name = "arrivals",
    .doc = "When requests come.",
    .size = sizeof(weir_arrivals_config),
    .keys = arrivals_keys,
    .key_count = COUNT_OF(arrivals_keys),
    .check = check_arrivals,
};

static const weir_key size_keys[] = {
    {.name = "kind",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_size_config, kind),
     .choices = weir_size_kinds,
     .doc = "The distribution. " WEIR_SIZE_LIST(KIND_DOC)},
    {.name = "value",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_size_config, value),
     .minimum = 1,
     .maximum = WEIR_SIZE_LARGEST,
     .only_if = "kind=constant",
     .unit = "tokens",
     .doc = "The size."},
    {.name = "minimum",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_size_config, minimum),
     .default_text = "1",
     .minimum = 1,
     .maximum = WEIR_SIZE_LARGEST,
     .only_if = "kind=uniform,lognormal",
     .unit = "tokens",
     .doc = "The smallest size. A log-normal distribution is cut off here, not piled up."},
    {.name = "maximum",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_size_config, maximum),
     .minimum = 1,
     .maximum = WEIR_SIZE_LARGEST,
     .only_if = "kind=uniform,lognormal",
     .unit = "tokens",
     .doc = "The largest size, in the same sense."},
    {.name = "median",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_size_config, median),
     .default_text = "0",
     .minimum = 0,
     .maximum = WEIR_SIZE_LARGEST,
     .only_if = "kind=lognormal",
     .unit = "tokens",
     .doc = "The median before the distribution is cut off; or give `mean`."},
    {.name = "mean",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_size_config, mean),
     .default_text = "0",
     .minimum = 0,
     .maximum = WEIR_SIZE_LARGEST,
     .only_if = "kind=lognormal",
     .unit = "tokens",
     .doc = "The mean before the distribution is cut off; or give `median`."},
    {.name = "sigma",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_size_config, sigma),
     .minimum = 0,
     .maximum = 10,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .only_if = "kind=lognormal",
     .doc = "Standard deviation of the logarithm."},
    {.name = "probabilities",
     .type = WEIR_KEY_NUMBERS,
     .offset = offsetof(weir_size_config, probabilities),
     .minimum = 0,
     .maximum = 1,
     .flags = WEIR_KEY_REQUIRED,
     .only_if = "kind=quantiles",
     .doc = "Probabilities, rising from 0 to 1."},
    {.name = "values",
     .type = WEIR_KEY_NUMBERS,
     .offset = offsetof(weir_size_config, values),
     .minimum = 1,
     .maximum = WEIR_SIZE_LARGEST,
     .flags = WEIR_KEY_REQUIRED,
     .only_if = "kind=quantiles",
     .unit = "tokens",
     .doc = "The quantile at each probability."},
};

static const weir_key_table size_table = {
    .name = "size",
    .doc = "A distribution of sizes.",
    .size = sizeof(weir_size_config),
    .keys = size_keys,
    .key_count = COUNT_OF(size_keys),
};

static weir_status check_sizes(weir_keys_reader *reader, const char *path, void *object,
                               weir_error *error)
{
	const weir_sizes_config *config = object;
	if (config->kind == WEIR_SIZES_TRACE) {
		if (config->path[0] == '\0') {
			return weir_keys_fail(reader, weir_keys_path(reader, path, "path"), error,
			                      "missing; expected the file name of a trace");
		}
		return workload_check_format(reader, path, config->format, error);
	}
	if (config->kind == WEIR_SIZES_LIKE) {
		return WEIR_OK;
	}
	weir_error found;
	weir_error_clear(&found);
	weir_sizes *sizes = NULL;
	weir_status status = weir_sizes_create(config, NULL, &sizes, &found);
	weir_sizes_destroy(sizes);
	return status == WEIR_OK ? WEIR_OK : fail_at(reader, path, &found, error);
}

static const weir_key sizes_keys[] = {
    {.name = "kind",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_sizes_config, kind),
     .default_text = "\"like\"",
     .choices = weir_sizes_kinds,
     .doc = "Where sizes come from. " WEIR_SIZES_LIST(KIND_DOC)},
    {.name = "prompt",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_sizes_config, prompt),
     .flags = WEIR_KEY_REQUIRED,
     .table = &size_table,
     .only_if = "kind=drawn",
     .doc = "Prompt tokens."},
    {.name = "output",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_sizes_config, output),
     .flags = WEIR_KEY_REQUIRED,
     .table = &size_table,
     .only_if = "kind=drawn",
     .doc = "Output tokens."},
    {.name = "rank_correlation",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_sizes_config, rank_correlation),
     .default_text = "0",
     .minimum = -1,
     .maximum = 1,
     .only_if = "kind=drawn",
     .doc = "Spearman's rank correlation of prompt and output tokens (a Gaussian copula)."},
    {.name = "path",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_sizes_config, path),
     .flags = WEIR_KEY_PATH,
     .only_if = "kind=trace",
     .doc = "The trace whose pairs are drawn; they are kept in memory, 8 bytes each."},
    {.name = "format",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_sizes_config, format),
     .default_text = "\"auto\"",
     .only_if = "kind=trace",
     .doc = "Its format, as `trace.format`."},
};

static const weir_key_table sizes_table = {
    .name = "sizes",
    .doc = "How many tokens requests have.",
    .size = sizeof(weir_sizes_config),
    .keys = sizes_keys,
    .key_count = COUNT_OF(sizes_keys),
    .check = check_sizes,
};

/* What a `like` file says. */
typedef struct like_file {
	const char *source;
	double duration;
	weir_arrivals_config arrivals;
	weir_sizes_config sizes;
} like_file;

static weir_status check_like(weir_keys_reader *reader, const char *path, void *object,
                              weir_error *error)
{
	const like_file *like = object;
	bool arrivals = like->arrivals.kind == WEIR_ARRIVALS_LIKE;
	if (arrivals || like->sizes.kind == WEIR_SIZES_LIKE) {
		path = weir_keys_path(reader, path, arrivals ? "arrivals" : "sizes");
		return weir_keys_fail(reader, weir_keys_path(reader, path, "kind"), error,
		                      "a file to be like has to say this itself, not \"like\"");
	}
	return WEIR_OK;
}

static const weir_key like_keys[] = {
    {.name = "source",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(like_file, source),
     .doc = "Where the figures come from, and under what licence."},
    {.name = "duration",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(like_file, duration),
     .default_text = "0",
     .minimum = 0,
     .maximum = INFINITY,
     .unit = "s",
     .doc = "How long to generate where nothing else is said."},
    {.name = "arrivals",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(like_file, arrivals),
     .flags = WEIR_KEY_REQUIRED,
     .table = &arrivals_table,
     .doc = "When requests come."},
    {.name = "sizes",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(like_file, sizes),
     .flags = WEIR_KEY_REQUIRED,
     .table = &sizes_table,
     .doc = "How many tokens requests have."},
};

static const weir_key_table like_table = {
    .name = "workload",
    .doc = "A workload to be like.",
    .size = sizeof(like_file),
    .keys = like_keys,
    .key_count = COUNT_OF(like_keys),
    .check = check_like,
};

static weir_status load_like(const char *path, weir_arena *arena, like_file *like,
                             weir_error *error)
{
	cJSON *json = NULL;
	weir_status status = weir_json_load(path, &json, error);
	if (status == WEIR_OK) {
		weir_keys_reader reader = {.arena = arena, .file = path};
		status = weir_keys_read(&reader, &like_table, json, "", like, error);
	}
	cJSON_Delete(json);
	return status;
}

weir_status weir_generation_load(const char *path, weir_arena *arena,
                                 weir_generation_config *generation, weir_error *error)
{
	like_file like;
	weir_status status = load_like(path, arena, &like, error);
	if (status != WEIR_OK) {
		return status;
	}
	*generation = (weir_generation_config){
	    .kind = WEIR_WORKLOAD_GENERATED,
	    .like = weir_arena_string(arena, path),
	    .arrivals = like.arrivals,
	    .sizes = like.sizes,
	    .rate_scale = 1,
	    .duration = like.duration,
	};
	return generation->like != NULL
	           ? WEIR_OK
	           : weir_error_set(error, WEIR_ERROR_MEMORY, path, "no memory for the config");
}

static weir_status check_generation(weir_keys_reader *reader, const char *path, void *object,
                                    weir_error *error)
{
	(void)path;
	weir_generation_config *config = object;
	if (config->like[0] == '\0') {
		return WEIR_OK;
	}
	like_file like;
	weir_status status = load_like(config->like, reader->arena, &like, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (config->arrivals.kind == WEIR_ARRIVALS_LIKE) {
		config->arrivals = like.arrivals;
	}
	if (config->sizes.kind == WEIR_SIZES_LIKE) {
		config->sizes = like.sizes;
	}
	if (config->duration == 0 && config->count == 0) {
		config->duration = like.duration;
	}
	return WEIR_OK;
}

static const char *const workload_kinds[] = {"auto", "trace", "generated", NULL};

static const weir_key generation_keys[] = {
    {.name = "kind",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_generation_config, kind),
     .default_text = "\"auto\"",
     .choices = workload_kinds,
     .doc = "Replay the trace of the section `trace`, or generate requests as this section says; "
            "auto: replay where `trace.path` is set."},
    {.name = "like",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_generation_config, like),
     .flags = WEIR_KEY_PATH,
     .doc = "A file that describes arrivals and sizes, such as traces/azure-conv-like.json; `weir "
            "trace fit` makes one of a trace."},
    {.name = "arrivals",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_generation_config, arrivals),
     .table = &arrivals_table,
     .doc = "When requests come."},
    {.name = "sizes",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_generation_config, sizes),
     .table = &sizes_table,
     .doc = "How many tokens requests have."},
    {.name = "rate_scale",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_generation_config, rate_scale),
     .default_text = "1",
     .minimum = 1e-9,
     .maximum = 1e9,
     .doc = "Multiply all rates by this; how they change with time stays as it is."},
    {.name = "duration",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_generation_config, duration),
     .default_text = "0",
     .minimum = 0,
     .maximum = INFINITY,
     .unit = "s",
     .doc = "Generate requests that arrive before this; 0: no limit. One of `duration` and `count` "
            "is needed, unless the file `like` has a duration."},
    {.name = "count",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_generation_config, count),
     .default_text = "0",
     .minimum = 0,
     .maximum = INFINITY,
     .unit = "requests",
     .doc = "Generate so many requests at most; 0: no limit."},
};

const weir_key_table weir_generation_keys = {
    .name = "workload",
    .doc = "Requests to generate.",
    .size = sizeof(weir_generation_config),
    .keys = generation_keys,
    .key_count = COUNT_OF(generation_keys),
    .check = check_generation,
};
