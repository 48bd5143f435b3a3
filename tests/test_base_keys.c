#include "base/keys.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "support/test_support.h"

/* a config of two floors that has every type of key */

typedef struct part {
	const char *name;
	int64_t count;
	double share;
} part;

typedef struct flow {
	int kind;
	double rate, shape, scale;
	const char *trace;
} flow;

typedef struct plant {
	bool on;
	int64_t seed;
	double fraction, positive, any;
	const char *title, *file;
	int color;
	flow inflow;
	weir_key_list parts, stock, weights;
	int64_t length; /* of a custom string */
} plant;

static weir_status check_part(weir_keys_reader *reader, const char *path, void *object,
                              weir_error *error)
{
	const part *p = object;
	if (p->name != NULL && strcmp(p->name, "forbidden") == 0) {
		return weir_keys_fail(reader, path, error, "this name is taken");
	}
	return WEIR_OK;
}

static weir_status read_length(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                               const char *path, void *field, weir_error *error)
{
	if (!cJSON_IsString(json)) {
		char got[128];
		return weir_keys_fail(reader, path, error, "expected %s, got %s", key->forms,
		                      weir_keys_describe(got, sizeof got, json));
	}
	*(int64_t *)field = (int64_t)strlen(json->valuestring);
	return WEIR_OK;
}

/* "3" stands for three parts of one count each. */
static weir_status read_parts(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                              const char *path, void *field, weir_error *error)
{
	(void)key;
	size_t count = strlen(json->valuestring);
	part *parts = weir_arena_allocate(reader->arena, count, sizeof *parts);
	if (count > 9 || parts == NULL) {
		return weir_keys_fail(reader, path, error, "too many parts");
	}
	for (size_t i = 0; i < count; i++) {
		parts[i].count = 1;
	}
	*(weir_key_list *)field = (weir_key_list){count, parts};
	return WEIR_OK;
}

static const char *const flow_kinds[] = {"poisson", "gamma", "weibull", NULL};
static const char *const colors[] = {"red", "green", NULL};

#define KEY(type_, struct_, field_)                                                                \
	.name = #field_, .type = type_, .offset = offsetof(struct_, field_)

static const weir_key part_keys[] = {
    {KEY(WEIR_KEY_INTEGER, part, count), .minimum = 1, .maximum = 512},
    {KEY(WEIR_KEY_NUMBER, part, share), .default_text = "0.5", .maximum = 1},
};
static const weir_key_table part_table = {
    .name = "part", .size = sizeof(part), .keys = part_keys, .key_count = 2, .check = check_part};

static const weir_key flow_keys[] = {
    /* Before the choice it depends on, on purpose. */
    {KEY(WEIR_KEY_NUMBER, flow, shape), .only_if = "kind=gamma,weibull",
     .flags = WEIR_KEY_ABOVE_MINIMUM},
    {KEY(WEIR_KEY_NUMBER, flow, scale), .default_text = "2", .only_if = "kind=weibull"},
    {KEY(WEIR_KEY_CHOICE, flow, kind), .default_text = "\"poisson\"", .choices = flow_kinds},
    {KEY(WEIR_KEY_NUMBER, flow, rate), .default_text = "1", .maximum = INFINITY, .unit = "1/s"},
    {KEY(WEIR_KEY_STRING, flow, trace), .flags = WEIR_KEY_PATH},
};
static const weir_key_table flow_table = {
    .name = "flow", .size = sizeof(flow), .keys = flow_keys, .key_count = 5};

static const weir_key plant_keys[] = {
    {KEY(WEIR_KEY_BOOL, plant, on), .default_text = "true"},
    {KEY(WEIR_KEY_INTEGER, plant, seed), .default_text = "7"},
    {KEY(WEIR_KEY_NUMBER, plant, fraction), .default_text = "0.25", .maximum = 1},
    {KEY(WEIR_KEY_NUMBER, plant, positive), .default_text = "1", .flags = WEIR_KEY_ABOVE_MINIMUM},
    {KEY(WEIR_KEY_NUMBER, plant, any), .default_text = "-3"},
    {KEY(WEIR_KEY_STRING, plant, title), .default_text = "\"none\""},
    {KEY(WEIR_KEY_STRING, plant, file), .flags = WEIR_KEY_PATH},
    {KEY(WEIR_KEY_CHOICE, plant, color), .default_text = "\"red\"", .choices = colors},
    {KEY(WEIR_KEY_OBJECT, plant, inflow), .table = &flow_table},
    {KEY(WEIR_KEY_LIST, plant, parts), .table = &part_table, .read = read_parts,
     .forms = "\"xxx\""},
    {KEY(WEIR_KEY_MAP, plant, stock), .table = &part_table},
    {KEY(WEIR_KEY_NUMBERS, plant, weights), .minimum = -1, .maximum = 1},
    {KEY(WEIR_KEY_CUSTOM, plant, length), .default_text = "\"four\"", .read = read_length,
     .forms = "a word"},
};
static const weir_key_table plant_table = {
    .name = "plant", .size = sizeof(plant), .keys = plant_keys, .key_count = 13};

static weir_arena *arena;
static weir_keys_reader reader;

static void make_arena(void)
{
	arena = weir_arena_create();
	reader = (weir_keys_reader){.arena = arena, .file = "configs/a.json"};
}

static void destroy_arena(void)
{
	weir_arena_destroy(arena);
}

static weir_status read_text(const char *text, plant *out, weir_error *error)
{
	cJSON *json = NULL;
	ck_assert_ok(weir_json_parse("text", text, strlen(text), &json, error), error);
	weir_status status = weir_keys_read(&reader, &plant_table, json, "", out, error);
	cJSON_Delete(json); /* nothing read may point into it */
	return status;
}

START_TEST(absent_keys_have_their_defaults)
{
	plant p;
	weir_error error = {0};
	memset(&p, 0xAB, sizeof p);
	ck_assert_ok(weir_keys_read(&reader, &plant_table, NULL, "", &p, &error), &error);
	ck_assert(p.on);
	ck_assert_int_eq(p.seed, 7);
	ck_assert_double_eq(p.fraction, 0.25);
	ck_assert_double_eq(p.any, -3);
	ck_assert_str_eq(p.title, "none");
	ck_assert_str_eq(p.file, "");
	ck_assert_int_eq(p.color, 0);
	ck_assert_int_eq(p.inflow.kind, 0);
	ck_assert_double_eq(p.inflow.rate, 1);
	ck_assert_double_eq(p.inflow.scale, 2);
	ck_assert_double_eq(p.inflow.shape, 0);
	ck_assert_uint_eq(p.parts.count, 0);
	ck_assert_uint_eq(p.stock.count, 0);
	ck_assert_uint_eq(p.weights.count, 0);
	ck_assert_int_eq(p.length, 4);
	plant from_empty;
	ck_assert_ok(read_text("{}", &from_empty, &error), &error);
	ck_assert_double_eq(from_empty.inflow.rate, 1);
}
END_TEST

START_TEST(every_type_is_read)
{
	plant p;
	weir_error error = {0};
	ck_assert_ok(
	    read_text("{\"on\": false, \"seed\": 9007199254740991, \"fraction\": 1, \"positive\": 1e-9,"
	              "\"any\": -1e300, \"title\": \"t\", \"file\": \"x.csv\", \"color\": \"green\","
	              "\"inflow\": {\"kind\": \"gamma\", \"shape\": 0.5, \"trace\": \"/abs\"},"
	              "\"parts\": [{\"count\": 1}, {\"count\": 512, \"share\": 0}],"
	              "\"stock\": {\"b.1\": {\"count\": 2}, \"a\": {\"count\": 3}},"
	              "\"weights\": [-1, 0.5, 1], \"length\": \"sixsix\"}",
	              &p, &error),
	    &error);
	ck_assert(!p.on);
	ck_assert_int_eq(p.seed, 9007199254740991);
	ck_assert_double_eq(p.fraction, 1);
	ck_assert_double_eq(p.positive, 1e-9);
	ck_assert_double_eq(p.any, -1e300);
	ck_assert_str_eq(p.title, "t");
	ck_assert_str_eq(p.file, "configs/x.csv");
	ck_assert_int_eq(p.color, 1);
	ck_assert_int_eq(p.inflow.kind, 1);
	ck_assert_double_eq(p.inflow.shape, 0.5);
	ck_assert_str_eq(p.inflow.trace, "/abs");
	ck_assert_uint_eq(p.parts.count, 2);
	const part *parts = p.parts.items;
	ck_assert_int_eq(parts[1].count, 512);
	ck_assert_double_eq(parts[0].share, 0.5);
	ck_assert_double_eq(parts[1].share, 0);
	ck_assert_ptr_null(parts[0].name);
	const part *stock = p.stock.items;
	ck_assert_uint_eq(p.stock.count, 2);
	ck_assert_str_eq(stock[0].name, "b.1");
	ck_assert_int_eq(stock[0].count, 2);
	ck_assert_str_eq(stock[1].name, "a");
	const double *weights = p.weights.items;
	ck_assert_uint_eq(p.weights.count, 3);
	ck_assert_double_eq(weights[1], 0.5);
	ck_assert_int_eq(p.length, 6);
}
END_TEST

START_TEST(what_the_table_does_not_allow_is_refused)
{
	static const struct {
		const char *text, *where, *message;
	} cases[] = {
	    {"[]", "configs/a.json", "expected an object (plant), got a list"},
	    {"{\"colour\": 1}", "configs/a.json: colour",
	     "unknown key 'colour'; did you mean 'color'?"},
	    {"{\"Seed\": 1}", "configs/a.json: Seed", "unknown key 'Seed'; did you mean 'seed'?"},
	    {"{\"bandwidth\": 1}", "configs/a.json: bandwidth",
	     "unknown key 'bandwidth'; there are on, seed, fraction, positive, any, title, file, "
	     "color, inflow, "
	     "parts, stock, weights, length"},
	    {"{\"\": 1}", "configs/a.json: \"\"",
	     "unknown key ''; there are on, seed, fraction, positive, any, title, file, color, inflow, "
	     "parts, stock, weights, length"},
	    {"{\"seed\": 1, \"seed\": 1}", "configs/a.json: seed", "this key stands here twice"},
	    {"{\"on\": 1}", "configs/a.json: on", "expected true or false, got 1"},
	    {"{\"on\": \"true\"}", "configs/a.json: on", "expected true or false, got \"true\""},
	    {"{\"seed\": 3.5}", "configs/a.json: seed", "expected an integer, got 3.5"},
	    {"{\"seed\": \"3\"}", "configs/a.json: seed", "expected an integer, got \"3\""},
	    {"{\"seed\": 9007199254740993}", "configs/a.json: seed",
	     "expected an integer of at most 9007199254740991 (2^53 - 1), got 9007199254740992"},
	    {"{\"seed\": -1e300}", "configs/a.json: seed",
	     "expected an integer of at most 9007199254740991 (2^53 - 1), got -1e+300"},
	    {"{\"seed\": 1e999}", "configs/a.json: seed",
	     "expected an integer, got a number beyond the range of a double"},
	    {"{\"fraction\": 1.5}", "configs/a.json: fraction",
	     "expected a number from 0 to 1, got 1.5"},
	    {"{\"fraction\": -0.1}", "configs/a.json: fraction",
	     "expected a number from 0 to 1, got -0.1"},
	    {"{\"fraction\": \"x\"}", "configs/a.json: fraction",
	     "expected a number from 0 to 1, got \"x\""},
	    {"{\"fraction\": null}", "configs/a.json: fraction",
	     "expected a number from 0 to 1, got null"},
	    {"{\"positive\": 0}", "configs/a.json: positive", "expected a number above 0, got 0"},
	    {"{\"any\": 1e999}", "configs/a.json: any",
	     "expected a number, got a number beyond the range of a double"},
	    {"{\"any\": -1e999}", "configs/a.json: any",
	     "expected a number, got a number beyond the range of a double"},
	    {"{\"title\": 5}", "configs/a.json: title", "expected a string, got 5"},
	    {"{\"file\": {}}", "configs/a.json: file", "expected a file name, got an object"},
	    {"{\"color\": \"gren\"}", "configs/a.json: color",
	     "unknown color 'gren'; did you mean 'green'?"},
	    {"{\"color\": \"Red\"}", "configs/a.json: color",
	     "unknown color 'Red'; did you mean 'red'?"},
	    {"{\"color\": \"turquoise\"}", "configs/a.json: color",
	     "unknown color 'turquoise'; there are red, green"},
	    {"{\"color\": 0}", "configs/a.json: color", "expected one of \"red\", \"green\", got 0"},
	    {"{\"inflow\": []}", "configs/a.json: inflow", "expected an object, got a list"},
	    {"{\"inflow\": {\"shape\": 1}}", "configs/a.json: inflow.shape",
	     "only allowed where kind=gamma,weibull, but kind is \"poisson\" here"},
	    {"{\"inflow\": {\"kind\": \"gamma\", \"shape\": 1, \"scale\": 1}}",
	     "configs/a.json: inflow.scale",
	     "only allowed where kind=weibull, but kind is \"gamma\" here"},
	    {"{\"inflow\": {\"kind\": \"gamma\"}}", "configs/a.json: inflow.shape",
	     "missing; expected a number above 0"},
	    {"{\"inflow\": {\"rat\": 1}}", "configs/a.json: inflow.rat",
	     "unknown key 'rat'; did you mean 'rate'?"},
	    {"{\"inflow\": {\"rate\": -1}}", "configs/a.json: inflow.rate",
	     "expected a number of at least 0, got -1"},
	    {"{\"parts\": {}}", "configs/a.json: parts",
	     "expected a list of objects or \"xxx\", got an object"},
	    {"{\"parts\": \"xxxxxxxxxx\"}", "configs/a.json: parts", "too many parts"},
	    {"{\"parts\": [{\"count\": 1}, 3]}", "configs/a.json: parts[1]",
	     "expected an object (part), got 3"},
	    {"{\"parts\": [{\"count\": 1}, {\"share\": 1}]}", "configs/a.json: parts[1].count",
	     "missing; expected an integer from 1 to 512"},
	    {"{\"parts\": [{\"count\": 0}]}", "configs/a.json: parts[0].count",
	     "expected an integer from 1 to 512, got 0"},
	    {"{\"stock\": []}", "configs/a.json: stock",
	     "expected an object of named objects, got a list"},
	    {"{\"stock\": {\"a\": {\"count\": 1}, \"b\": {\"count\": 1}, \"a\": {\"count\": 1}}}",
	     "configs/a.json: stock.a", "this name stands here twice"},
	    {"{\"stock\": {\"q2.5\": {\"count\": 1.5}}}", "configs/a.json: stock.\"q2.5\".count",
	     "expected an integer from 1 to 512, got 1.5"},
	    {"{\"stock\": {\"forbidden\": {\"count\": 1}}}", "configs/a.json: stock.forbidden",
	     "this name is taken"},
	    {"{\"weights\": [0, 2]}", "configs/a.json: weights[1]",
	     "expected a number from -1 to 1, got 2"},
	    {"{\"weights\": [true]}", "configs/a.json: weights[0]",
	     "expected a number from -1 to 1, got true"},
	    {"{\"weights\": 3}", "configs/a.json: weights",
	     "expected a list of numbers from -1 to 1, got 3"},
	    {"{\"length\": 3}", "configs/a.json: length", "expected a word, got 3"},
	    {"{\"\\u0007\\\"\": 3}", "configs/a.json: \"?\\\"\"",
	     "unknown key '?\"'; there are on, seed, fraction, positive, any, title, file, color, "
	     "inflow, parts, stock, weights, length"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		plant p;
		weir_error error = {0};
		weir_status status = read_text(cases[i].text, &p, &error);
		ck_assert_msg(status == WEIR_ERROR_INPUT, "accepted %s", cases[i].text);
		ck_assert_msg(strcmp(error.where, cases[i].where) == 0, "%s: at %s", cases[i].text,
		              error.where);
		ck_assert_msg(strcmp(error.message, cases[i].message) == 0, "%s: %s", cases[i].text,
		              error.message);
	}
}
END_TEST

START_TEST(ranges_include_their_bounds_unless_told)
{
	static const struct {
		double minimum, maximum;
		unsigned flags;
		const char *text;
		double in[2], out[2];
	} cases[] = {
	    {0, 1, 0, "a number from 0 to 1", {0, 1}, {-0.001, 1.001}},
	    {0, 1, WEIR_KEY_ABOVE_MINIMUM, "a number above 0 and at most 1", {1e-300, 1}, {0, 1.001}},
	    {0,
	     1,
	     WEIR_KEY_BELOW_MAXIMUM,
	     "a number of at least 0 and below 1",
	     {0, 0.999},
	     {-0.001, 1}},
	    {0, 1, 6, "a number above 0 and below 1", {0.001, 0.999}, {0, 1}},
	    {2, 0, 0, "a number of at least 2", {2, 1e308}, {1.999, -5}},
	    {0, INFINITY, 0, "a number of at least 0", {0, 1e308}, {-1e-300, -5}},
	    {0, 0, WEIR_KEY_ABOVE_MINIMUM, "a number above 0", {1e-300, 1e308}, {0, -5}},
	    {-INFINITY, 5, 0, "a number of at most 5", {5, -1e308}, {5.001, 6}},
	    {-INFINITY, 5, WEIR_KEY_BELOW_MAXIMUM, "a number below 5", {4.999, -1e308}, {5, 6}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		weir_key key = {.name = "x",
		                .type = WEIR_KEY_NUMBER,
		                .minimum = cases[i].minimum,
		                .maximum = cases[i].maximum,
		                .flags = cases[i].flags};
		const weir_key_table table = {
		    .name = "t", .size = sizeof(double), .keys = &key, .key_count = 1};
		char expected[200];
		ck_assert_str_eq(weir_keys_expected(expected, sizeof expected, &key), cases[i].text);
		for (int k = 0; k < 2; k++) {
			double got = 0;
			weir_error error = {0};
			cJSON *json = cJSON_CreateObject();
			cJSON_AddNumberToObject(json, "x", cases[i].in[k]);
			ck_assert_ok(weir_keys_read(&reader, &table, json, "", &got, &error), &error);
			ck_assert_double_eq(got, cases[i].in[k]);
			cJSON_SetNumberValue(json->child, cases[i].out[k]);
			ck_assert_msg(weir_keys_read(&reader, &table, json, "", &got, &error) ==
			                  WEIR_ERROR_INPUT,
			              "%s takes %g", cases[i].text, cases[i].out[k]);
			cJSON_Delete(json);
		}
	}
}
END_TEST

START_TEST(changes_leave_the_rest_as_it_is)
{
	plant p;
	weir_error error = {0};
	ck_assert_ok(
	    read_text("{\"seed\": 9, \"inflow\": {\"kind\": \"gamma\", \"shape\": 3, \"rate\": 8},"
	              "\"parts\": [{\"count\": 1}, {\"count\": 2, \"share\": 1}]}",
	              &p, &error),
	    &error);
	cJSON *json =
	    cJSON_Parse("{\"any\": 5, \"inflow\": {\"rate\": 4}, \"parts\": [{\"count\": 7}]}");
	ck_assert_ok(weir_keys_change(&reader, &plant_table, json, "", &p, &error), &error);
	cJSON_Delete(json);
	ck_assert_int_eq(p.seed, 9);
	ck_assert_double_eq(p.any, 5);
	ck_assert_int_eq(p.inflow.kind, 1);
	ck_assert_double_eq(p.inflow.shape, 3);
	ck_assert_double_eq(p.inflow.rate, 4);
	ck_assert_uint_eq(p.parts.count, 1);
	ck_assert_int_eq(((const part *)p.parts.items)[0].count, 7);
	ck_assert_double_eq(((const part *)p.parts.items)[0].share, 0.5);
	json = cJSON_Parse("{\"inflow\": {\"scale\": 4}}");
	ck_assert_int_eq(weir_keys_change(&reader, &plant_table, json, "", &p, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.message, "only allowed where kind=weibull, but kind is \"gamma\" here");
	cJSON_Delete(json);
}
END_TEST

START_TEST(lists_and_maps_outgrow_every_first_capacity)
{
	enum { COUNT = 3000 };
	cJSON *json = cJSON_CreateObject();
	cJSON *parts = cJSON_AddArrayToObject(json, "parts");
	cJSON *stock = cJSON_AddObjectToObject(json, "stock");
	cJSON *weights = cJSON_AddArrayToObject(json, "weights");
	for (int i = 0; i < COUNT; i++) {
		cJSON *item = cJSON_CreateObject();
		cJSON_AddNumberToObject(item, "count", 1 + i % 512);
		cJSON_AddItemToObject(stock, weir_arena_format(arena, "name-%d", COUNT - i),
		                      cJSON_Duplicate(item, 1));
		cJSON_AddItemToArray(parts, item);
		cJSON_AddItemToArray(weights, cJSON_CreateNumber((double)i / COUNT));
	}
	plant p;
	weir_error error = {0};
	ck_assert_ok(weir_keys_read(&reader, &plant_table, json, "", &p, &error), &error);
	ck_assert_uint_eq(p.parts.count, COUNT);
	ck_assert_uint_eq(p.stock.count, COUNT);
	ck_assert_uint_eq(p.weights.count, COUNT);
	for (int i = 0; i < COUNT; i++) {
		char name[32];
		snprintf(name, sizeof name, "name-%d", COUNT - i);
		ck_assert_int_eq(((const part *)p.parts.items)[i].count, 1 + i % 512);
		ck_assert_str_eq(((const part *)p.stock.items)[i].name, name);
		ck_assert(((const double *)p.weights.items)[i] == (double)i / COUNT);
	}
	cJSON_AddItemToObject(stock, "name-17", cJSON_Duplicate(parts->child, 1));
	ck_assert_int_eq(weir_keys_read(&reader, &plant_table, json, "", &p, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, "configs/a.json: stock.name-17");
	cJSON_Delete(json);
}
END_TEST

/* several sources */

static const char *origin_of(const void *context, const char *path)
{
	(void)context;
	return strncmp(path, "inflow", 6) == 0 ? "base.json" : "--set";
}

static const char *directory_of(const void *context, const char *path)
{
	(void)context;
	return strncmp(path, "inflow", 6) == 0 ? "far/away" : "";
}

static int layer_of(const void *context, const char *path)
{
	const char *late = context;
	return strcmp(path, late) == 0 ? 1 : 0;
}

START_TEST(messages_and_file_names_follow_the_source_of_a_value)
{
	reader.origin = origin_of;
	reader.directory = directory_of;
	plant p;
	weir_error error = {0};
	ck_assert_ok(read_text("{\"file\": \"x.csv\", \"inflow\": {\"trace\": \"y.csv\"}}", &p, &error),
	             &error);
	ck_assert_str_eq(p.file, "x.csv");
	ck_assert_str_eq(p.inflow.trace, "far/away/y.csv");
	ck_assert_ok(read_text("{\"file\": \"-\", \"inflow\": {\"trace\": \"\"}}", &p, &error), &error);
	ck_assert_str_eq(p.file, "-");
	ck_assert_str_eq(p.inflow.trace, "");
	ck_assert_int_eq(read_text("{\"inflow\": {\"rate\": true}}", &p, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, "base.json: inflow.rate");
	ck_assert_int_eq(read_text("{\"seed\": true}", &p, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, "--set: seed");
}
END_TEST

START_TEST(a_later_choice_passes_over_earlier_keys_of_the_former)
{
	static const char text[] = "{\"inflow\": {\"kind\": \"poisson\", \"shape\": 2}}";
	plant p;
	weir_error error = {0};
	reader.layer = layer_of;
	reader.context = "inflow.kind";
	ck_assert_ok(read_text(text, &p, &error), &error);
	ck_assert_double_eq(p.inflow.shape, 0);
	cJSON *json = cJSON_Parse(text);
	cJSON *resolved = weir_keys_resolve(&reader, &plant_table, json, "");
	const cJSON *inflow = cJSON_GetObjectItem(resolved, "inflow");
	ck_assert_ptr_nonnull(inflow);
	ck_assert_ptr_null(cJSON_GetObjectItem(inflow, "shape"));
	cJSON_Delete(resolved);
	cJSON_Delete(json);
	reader.context = "inflow.shape";
	ck_assert_int_eq(read_text(text, &p, &error), WEIR_ERROR_INPUT);
	reader.context = "neither";
	ck_assert_int_eq(read_text(text, &p, &error), WEIR_ERROR_INPUT);
}
END_TEST

/* documentation and the resolved form */

static void note(void *context, const char *path, const weir_key *key)
{
	char *all = context;
	const char *last = strrchr(path, '.');
	ck_assert_str_eq(last != NULL ? last + 1 : path, key->name);
	strcat(strcat(all, path), " ");
}

START_TEST(a_walk_visits_every_key)
{
	char all[1024] = "";
	weir_keys_walk(&plant_table, "", note, all);
	ck_assert_str_eq(all, "on seed fraction positive any title file color inflow inflow.shape "
	                      "inflow.scale inflow.kind inflow.rate inflow.trace parts parts[].count "
	                      "parts[].share stock stock.*.count stock.*.share weights length ");
}
END_TEST

START_TEST(a_resolved_object_has_its_defaults_and_stays_as_it_is)
{
	static const char text[] =
	    "{\"file\": \"x.csv\", \"fraction\": 0.30000000000000004, \"parts\": \"xx\","
	    "\"stock\": {\"a\": {\"count\": 3}}, \"inflow\": {\"kind\": \"weibull\", \"shape\": 1}}";
	cJSON *json = cJSON_Parse(text);
	cJSON *resolved = weir_keys_resolve(&reader, &plant_table, json, "");
	ck_assert_ptr_nonnull(resolved);
	char *printed = weir_json_print(resolved);
	char *directory = getcwd(NULL, 0);
	ck_assert_str_eq(cJSON_GetObjectItem(resolved, "file")->valuestring,
	                 weir_arena_format(arena, "%s/configs/x.csv", directory));
	ck_assert_str_eq(cJSON_GetObjectItem(resolved, "parts")->valuestring, "xx");
	ck_assert_str_eq(cJSON_GetObjectItem(resolved, "title")->valuestring, "none");
	const cJSON *inflow = cJSON_GetObjectItem(resolved, "inflow");
	ck_assert_double_eq(cJSON_GetObjectItem(inflow, "scale")->valuedouble, 2);
	ck_assert_double_eq(cJSON_GetObjectItem(inflow, "rate")->valuedouble, 1);
	const cJSON *a = cJSON_GetObjectItem(cJSON_GetObjectItem(resolved, "stock"), "a");
	ck_assert_double_eq(cJSON_GetObjectItem(a, "share")->valuedouble, 0.5);

	plant p;
	weir_error error = {0};
	ck_assert_ok(read_text(printed, &p, &error), &error);
	ck_assert(p.fraction == 0.1 + 0.2);
	cJSON *again = weir_keys_resolve(&reader, &plant_table, resolved, "");
	char *reprinted = weir_json_print(again);
	ck_assert_str_eq(printed, reprinted);
	free(directory);
	free(printed);
	free(reprinted);
	cJSON_Delete(again);
	cJSON_Delete(resolved);
	cJSON_Delete(json);
}
END_TEST

START_TEST(long_names_are_cut_in_messages)
{
	enum { LENGTH = 5000 };
	char text[LENGTH + 32] = "{\"";
	for (size_t i = 2; i < LENGTH; i += 2) {
		memcpy(text + i, "\xC3\xA9", 2);
	}
	strcpy(text + LENGTH, "\": 1}");
	plant p;
	weir_error error = {0};
	ck_assert_int_eq(read_text(text, &p, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "\xC3\xA9...'; there are on, seed"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base/keys");
	TCase *tests = tcase_create("keys");
	tcase_add_checked_fixture(tests, make_arena, destroy_arena);
	tcase_add_test(tests, absent_keys_have_their_defaults);
	tcase_add_test(tests, every_type_is_read);
	tcase_add_test(tests, what_the_table_does_not_allow_is_refused);
	tcase_add_test(tests, ranges_include_their_bounds_unless_told);
	tcase_add_test(tests, changes_leave_the_rest_as_it_is);
	tcase_add_test(tests, lists_and_maps_outgrow_every_first_capacity);
	tcase_add_test(tests, messages_and_file_names_follow_the_source_of_a_value);
	tcase_add_test(tests, a_later_choice_passes_over_earlier_keys_of_the_former);
	tcase_add_test(tests, a_walk_visits_every_key);
	tcase_add_test(tests, a_resolved_object_has_its_defaults_and_stays_as_it_is);
	tcase_add_test(tests, long_names_are_cut_in_messages);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
