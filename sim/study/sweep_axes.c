#include "study/sweep_axes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static weir_status no_memory(weir_keys_reader *reader, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, reader->file, "no memory for the sweep");
}

/* JSON as text on one line. */
static const char *json_text(weir_arena *arena, const cJSON *json)
{
	char *printed = weir_json_print(json);
	if (printed == NULL) {
		return NULL;
	}
	cJSON_Minify(printed);
	const char *text = weir_arena_string(arena, printed);
	free(printed);
	return text;
}

static weir_status read_texts(weir_keys_reader *reader, const cJSON *json, const char *path,
                              weir_sweep_values *values, weir_error *error)
{
	size_t count = cJSON_IsArray(json) ? (size_t)cJSON_GetArraySize(json) : 1;
	if (count == 0) {
		return weir_keys_fail(reader, path, error, "expected at least one value");
	}
	const char **texts = weir_arena_allocate(reader->arena, count, sizeof *texts);
	if (texts == NULL) {
		return no_memory(reader, error);
	}
	const cJSON *item = cJSON_IsArray(json) ? json->child : json;
	for (size_t i = 0; i < count; i++, item = item->next) {
		texts[i] = json_text(reader->arena, item);
		if (texts[i] == NULL) {
			return no_memory(reader, error);
		}
		for (size_t k = 0; k < i; k++) {
			if (strcmp(texts[k], texts[i]) == 0) {
				return weir_keys_fail(reader, path, error, "the value %s is there twice", texts[i]);
			}
		}
	}
	*values = (weir_sweep_values){.count = count, .texts = texts};
	return WEIR_OK;
}

/* A list of anything. */
static weir_status read_values(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                               const char *path, void *field, weir_error *error)
{
	if (!cJSON_IsArray(json)) {
		char got[64];
		return weir_keys_fail(reader, path, error, "expected %s, got %s", key->forms,
		                      weir_keys_describe(got, sizeof got, json));
	}
	return read_texts(reader, json, path, field, error);
}

/* {"key.path": value or list of values, ...} */
static weir_status read_conditions(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                                   const char *path, void *field, weir_error *error)
{
	if (!cJSON_IsObject(json)) {
		char got[64];
		return weir_keys_fail(reader, path, error, "expected %s, got %s", key->forms,
		                      weir_keys_describe(got, sizeof got, json));
	}
	size_t count = (size_t)cJSON_GetArraySize(json);
	weir_sweep_condition *items = weir_arena_allocate(reader->arena, count, sizeof *items);
	if (items == NULL) {
		return no_memory(reader, error);
	}
	size_t i = 0;
	for (const cJSON *member = json->child; member != NULL; member = member->next, i++) {
		items[i].path = weir_arena_string(reader->arena, member->string);
		const char *here = weir_keys_path(reader, path, member->string);
		if (items[i].path == NULL || here == NULL) {
			return no_memory(reader, error);
		}
		weir_status status = read_texts(reader, member, here, &items[i].values, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	*(weir_sweep_conditions *)field = (weir_sweep_conditions){.count = count, .items = items};
	return WEIR_OK;
}

#define SPAN_KEYS                                                                                  \
	{.name = "from",                                                                               \
	 .type = WEIR_KEY_NUMBER,                                                                      \
	 .offset = offsetof(weir_sweep_span, from),                                                    \
	 .minimum = -INFINITY,                                                                         \
	 .maximum = INFINITY,                                                                          \
	 .flags = WEIR_KEY_REQUIRED,                                                                   \
	 .doc = "The first number."},                                                                  \
	    {.name = "to",                                                                             \
	     .type = WEIR_KEY_NUMBER,                                                                  \
	     .offset = offsetof(weir_sweep_span, to),                                                  \
	     .minimum = -INFINITY,                                                                     \
	     .maximum = INFINITY,                                                                      \
	     .flags = WEIR_KEY_REQUIRED,                                                               \
	     .doc = "The last number."},                                                               \
	{                                                                                              \
		.name = "count", .type = WEIR_KEY_INTEGER, .offset = offsetof(weir_sweep_span, count),     \
		.default_text = "0", .minimum = 0, .maximum = 1e6,                                         \
		.doc = "How many levels in a grid; other designs take numbers in between as well."         \
	}

static const weir_key span_keys[] = {SPAN_KEYS};

static weir_status check_span(weir_keys_reader *reader, const char *path, void *object,
                              weir_error *error)
{
	const weir_sweep_span *span = object;
	if (!(span->from < span->to)) {
		return weir_keys_fail(reader, path, error, "expected from < to, got %g and %g", span->from,
		                      span->to);
	}
	if (span->count == 1) {
		return weir_keys_fail(reader, path, error,
		                      "a range has two ends: expected a count of at least 2");
	}
	return WEIR_OK;
}

static weir_status check_log_span(weir_keys_reader *reader, const char *path, void *object,
                                  weir_error *error)
{
	const weir_sweep_span *span = object;
	if (!(span->from > 0.0)) {
		return weir_keys_fail(reader, path, error, "a log range begins above 0, not at %g",
		                      span->from);
	}
	return check_span(reader, path, object, error);
}

static const weir_key_table span_table = {
    .name = "range",
    .doc = "Numbers from one to another, both included.",
    .size = sizeof(weir_sweep_span),
    .keys = span_keys,
    .key_count = sizeof span_keys / sizeof span_keys[0],
    .check = check_span,
};

static const weir_key_table log_span_table = {
    .name = "log range",
    .doc = "Numbers from one to another, both included, by equal factors.",
    .size = sizeof(weir_sweep_span),
    .keys = span_keys,
    .key_count = sizeof span_keys / sizeof span_keys[0],
    .check = check_log_span,
};

/* Not an object by type: one that is not there would be asked for its keys. */
static weir_status read_span(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                             const char *path, void *field, weir_error *error)
{
	if (!cJSON_IsObject(json)) {
		char got[64];
		return weir_keys_fail(reader, path, error, "expected %s, got %s", key->forms,
		                      weir_keys_describe(got, sizeof got, json));
	}
	bool linear = strcmp(key->name, "range") == 0;
	return weir_keys_read(reader, linear ? &span_table : &log_span_table, json, path, field, error);
}

#define SETTING_KEYS(offset_)                                                                      \
	{.name = "path",                                                                               \
	 .type = WEIR_KEY_STRING,                                                                      \
	 .offset = (offset_) + offsetof(weir_sweep_setting, path),                                     \
	 .doc = "The key that changes, as of --set: workload.arrivals.rate, servers[0].count."},       \
	    {.name = "values",                                                                         \
	     .type = WEIR_KEY_CUSTOM,                                                                  \
	     .offset = (offset_) + offsetof(weir_sweep_setting, values),                               \
	     .read = read_values,                                                                      \
	     .forms = "a list of values",                                                              \
	     .doc = "The values that it takes: numbers, texts, lists, objects."},                      \
	    {.name = "range",                                                                          \
	     .type = WEIR_KEY_CUSTOM,                                                                  \
	     .offset = (offset_) + offsetof(weir_sweep_setting, range),                                \
	     .read = read_span,                                                                        \
	     .forms = "{\"from\": number, \"to\": number, \"count\": levels}",                         \
	     .doc = "Numbers by equal steps, both ends included; count is for grids."},                \
	    {.name = "log_range",                                                                      \
	     .type = WEIR_KEY_CUSTOM,                                                                  \
	     .offset = (offset_) + offsetof(weir_sweep_setting, log_range),                            \
	     .read = read_span,                                                                        \
	     .forms = "{\"from\": number, \"to\": number, \"count\": levels}",                         \
	     .doc = "Numbers by equal factors, both ends included."},                                  \
	{                                                                                              \
		.name = "integer", .type = WEIR_KEY_BOOL,                                                  \
		.offset = (offset_) + offsetof(weir_sweep_setting, integer), .default_text = "false",      \
		.doc = "Numbers of a range are rounded to whole ones."                                     \
	}

static bool has_span(const weir_sweep_span *span)
{
	return span->from != span->to;
}

static weir_status check_setting(weir_keys_reader *reader, const char *path, void *object,
                                 weir_error *error)
{
	const weir_sweep_setting *setting = object;
	int given = (setting->values.count > 0 ? 1 : 0) + (has_span(&setting->range) ? 1 : 0) +
	            (has_span(&setting->log_range) ? 1 : 0);
	if (setting->path[0] == '\0') {
		return weir_keys_fail(reader, path, error,
		                      "expected \"path\", the key that changes, as of --set");
	}
	if (given != 1) {
		return weir_keys_fail(reader, path, error,
		                      "expected one of \"values\", \"range\" and \"log_range\", got %s",
		                      given == 0 ? "none" : "several");
	}
	return WEIR_OK;
}

static const weir_key setting_keys[] = {SETTING_KEYS(0)};

static const weir_key_table setting_table = {
    .name = "zipped axis",
    .doc = "One of the keys that change together.",
    .size = sizeof(weir_sweep_setting),
    .keys = setting_keys,
    .key_count = sizeof setting_keys / sizeof setting_keys[0],
    .check = check_setting,
};

static size_t levels_of(const weir_sweep_setting *setting)
{
	return setting->values.count > 0 ? setting->values.count
	                                 : (size_t)(setting->range.count + setting->log_range.count);
}

static weir_status check_zip(weir_keys_reader *reader, const char *path, weir_sweep_axis *axis,
                             weir_error *error)
{
	const weir_sweep_setting *zipped = axis->zip.items;
	if (axis->setting.path[0] != '\0' || axis->setting.values.count > 0 ||
	    has_span(&axis->setting.range) || has_span(&axis->setting.log_range)) {
		return weir_keys_fail(reader, path, error, "expected \"path\" or \"zip\", not both");
	}
	for (size_t i = 1; i < axis->zip.count; i++) {
		if (levels_of(&zipped[i]) != levels_of(&zipped[0])) {
			return weir_keys_fail(reader, weir_keys_path(reader, path, "zip"), error,
			                      "what is zipped has equal lengths, but %s has %zu and %s has %zu",
			                      zipped[0].path, levels_of(&zipped[0]), zipped[i].path,
			                      levels_of(&zipped[i]));
		}
	}
	axis->items = zipped;
	axis->item_count = axis->zip.count;
	return WEIR_OK;
}

static weir_status check_axis(weir_keys_reader *reader, const char *path, void *object,
                              weir_error *error)
{
	weir_sweep_axis *axis = object;
	weir_status status = WEIR_OK;
	if (axis->zip.count > 0) {
		status = check_zip(reader, path, axis, error);
	} else {
		status = check_setting(reader, path, &axis->setting, error);
		axis->items = &axis->setting;
		axis->item_count = 1;
	}
	if (status == WEIR_OK) {
		axis->levels = levels_of(&axis->items[0]);
	}
	return status;
}

static const weir_key axis_keys[] = {
    SETTING_KEYS(offsetof(weir_sweep_axis, setting)),
    {.name = "zip",
     .type = WEIR_KEY_LIST,
     .offset = offsetof(weir_sweep_axis, zip),
     .table = &setting_table,
     .doc = "Keys that change together, in place of path: the first values of all of them, then "
            "the second ones."},
    {.name = "when",
     .type = WEIR_KEY_CUSTOM,
     .offset = offsetof(weir_sweep_axis, when),
     .read = read_conditions,
     .forms = "an object {\"key.path\": value or list of values, ...}",
     .doc = "The axis is there only where earlier axes set these keys to one of these values."},
};

const weir_key_table weir_sweep_axis_keys = {
    .name = "axis",
    .doc = "What changes from point to point.",
    .size = sizeof(weir_sweep_axis),
    .keys = axis_keys,
    .key_count = sizeof axis_keys / sizeof axis_keys[0],
    .check = check_axis,
};

static const char *number_text(weir_arena *arena, double value)
{
	char text[WEIR_JSON_NUMBER_SIZE];
	return weir_arena_string(arena, weir_json_format_number(text, value));
}

/* The number a share `t` in [0, 1] of the way; the ends are exact. */
static double span_at(const weir_sweep_span *span, bool logarithmic, double t)
{
	if (t <= 0.0) {
		return span->from;
	}
	if (t >= 1.0) {
		return span->to;
	}
	return logarithmic ? span->from * exp(t * log(span->to / span->from))
	                   : span->from + t * (span->to - span->from);
}

const char *weir_sweep_value_at_level(weir_arena *arena, const weir_sweep_setting *setting,
                                      size_t level)
{
	if (setting->values.count > 0) {
		return setting->values.texts[level];
	}
	bool logarithmic = has_span(&setting->log_range);
	const weir_sweep_span *span = logarithmic ? &setting->log_range : &setting->range;
	double value = span_at(span, logarithmic, (double)level / (double)(span->count - 1));
	return number_text(arena, setting->integer ? round(value) : value);
}

const char *weir_sweep_value_at(weir_arena *arena, const weir_sweep_setting *setting, double u)
{
	if (setting->values.count > 0) {
		size_t level = (size_t)(u * (double)setting->values.count);
		return setting->values
		    .texts[level < setting->values.count ? level : setting->values.count - 1];
	}
	bool logarithmic = has_span(&setting->log_range);
	const weir_sweep_span *span = logarithmic ? &setting->log_range : &setting->range;
	if (!setting->integer) {
		return number_text(arena, span_at(span, logarithmic, u));
	}
	double low = ceil(span->from);
	double high = floor(span->to);
	double value =
	    logarithmic ? round(span_at(span, true, u)) : low + floor(u * (high - low + 1.0));
	return number_text(arena, fmax(low, fmin(high, value)));
}

static bool holds(const weir_sweep_condition *condition, const char *const *paths,
                  const char *const *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(paths[i], condition->path) != 0) {
			continue;
		}
		for (size_t v = 0; v < condition->values.count; v++) {
			if (strcmp(values[i], condition->values.texts[v]) == 0) {
				return true;
			}
		}
	}
	return false;
}

bool weir_sweep_axis_applies(const weir_sweep_axis *axis, const char *const *paths,
                             const char *const *values, size_t count)
{
	for (size_t i = 0; i < axis->when.count; i++) {
		if (!holds(&axis->when.items[i], paths, values, count)) {
			return false;
		}
	}
	return true;
}
