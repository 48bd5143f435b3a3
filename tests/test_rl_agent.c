#include "rl/agent.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test_support.h"

static const weir_dimension seen[3] = {
    {.name = "speed", .unit = "m/s", .low = -10.0F, .high = 10.0F},
    {.name = "angle", .unit = "", .low = -INFINITY, .high = INFINITY},
    {.name = "load", .unit = "", .low = 0.0F, .high = 1.0F}};
static const weir_space observation = {.kind = WEIR_SPACE_BOX, .size = 3, .dimensions = seen};
static const weir_dimension pushed[2] = {
    {.name = "push", .unit = "N", .low = -0.01F, .high = 0.02F},
    {.name = "turn", .unit = "", .low = -1.0F, .high = 1.0F}};
static const weir_space box = {.kind = WEIR_SPACE_BOX, .size = 2, .dimensions = pushed};
static const weir_dimension chosen[2] = {{.name = "node", .unit = "", .choices = 3},
                                         {.name = "queue", .unit = "", .choices = 5}};
static const weir_space choices = {
    .kind = WEIR_SPACE_MULTI_DISCRETE, .size = 2, .dimensions = chosen};

static weir_agent *made_with(const weir_space *action, uint64_t seed, bool shared)
{
	weir_error error;
	weir_agent *agent = NULL;
	weir_actor_critic_shape shape = weir_actor_critic_shape_default(3, action);
	shape.layers = 3;
	shape.hidden[0] = 7;
	shape.hidden[1] = 5;
	shape.hidden[2] = 6;
	shape.shared_trunk = shared;
	shape.log_std = -0.5F;
	ck_assert_ok(weir_agent_create("pendulum", "{\"steps\": 200}", &observation, action, &shape,
	                               seed, &agent, &error),
	             &error);
	return agent;
}

static weir_agent *made(const weir_space *action, uint64_t seed)
{
	return made_with(action, seed, false);
}

static void add_normaliser(weir_agent *agent)
{
	weir_normaliser_config config = weir_normaliser_config_default();
	config.clip_observation = 5.0;
	config.rewards = false;
	agent->normaliser = weir_normaliser_create(&config, 3, 4);
	const float rows[3][3] = {{3, 1, 0.5F}, {-2, 0.25F, 0.75F}, {9, -4, 0}};
	weir_normaliser_learn(agent->normaliser, rows[0], 3);
	agent->normaliser->returns[2] = 17.0;
}

static const float looks[4][3] = {
    {0, 0, 0}, {1.5F, -2, 0.3F}, {-9.75F, 1000, 1}, {4, 0.125F, 0.5F}};

/* Answers to all looks: raw, action, value. */
typedef struct answers {
	float raw[4][2], action[4][2], value[4];
} answers;

static answers ask(const weir_agent *agent, const uint8_t *mask, weir_xoshiro *random)
{
	answers all;
	memset(&all, 0, sizeof all);
	weir_agent_user *user = weir_agent_user_create(agent);
	ck_assert_ptr_nonnull(user);
	for (int i = 0; i < 4; i++) {
		weir_agent_act(user, looks[i], mask, random, all.raw[i], all.action[i], &all.value[i]);
	}
	weir_agent_user_destroy(user);
	return all;
}

static weir_agent *loaded(const char *path)
{
	weir_error error;
	weir_agent *agent = NULL;
	ck_assert_ok(weir_agent_load(path, &agent, &error), &error);
	return agent;
}

static const char *saved(const weir_agent *agent, const char *name)
{
	weir_error error;
	ck_assert_ok(weir_agent_save(agent, test_path(name), &error), &error);
	return test_path(name);
}

START_TEST(a_loaded_agent_answers_the_same)
{
	const weir_space *actions[] = {&box, &choices};
	for (int i = 0; i < 4; i++) {
		weir_agent *agent = made_with(actions[i % 2], (uint64_t)i, i == 1 || i == 2);
		if (i >= 2) {
			add_normaliser(agent);
			agent->normaliser->config.observations = i == 2;
		}
		free(agent->origin);
		agent->origin = strdup("{\"seed\": 3}");
		answers before = ask(agent, NULL, NULL);
		weir_agent *back = loaded(saved(agent, "agent.h5"));
		answers after = ask(back, NULL, NULL);
		ck_assert_mem_eq(&before, &after, sizeof before);
		weir_xoshiro randoms[2] = {weir_xoshiro_seed(8), weir_xoshiro_seed(8)};
		before = ask(agent, NULL, &randoms[0]);
		after = ask(back, NULL, &randoms[1]);
		ck_assert_mem_eq(&before, &after, sizeof before);
		ck_assert_str_eq(back->environment, "pendulum");
		ck_assert_str_eq(back->parameters, "{\"steps\": 200}");
		ck_assert_str_eq(back->origin, "{\"seed\": 3}");
		weir_error error;
		ck_assert_ok(weir_agent_check(back, "agent.h5", &observation, actions[i % 2], &error),
		             &error);
		ck_assert_int_eq(back->normaliser != NULL, i >= 2);
		if (back->normaliser != NULL) {
			ck_assert_int_eq(back->normaliser->config.observations, i == 2);
			ck_assert(!back->normaliser->config.rewards);
			ck_assert_double_eq(back->normaliser->config.clip_observation, 5.0);
			ck_assert_uint_eq(back->normaliser->environments, 1);
			ck_assert_double_eq(back->normaliser->returns[0], 0.0);
			ck_assert_double_eq(back->normaliser->count, 3.0001);
		}
		/* Equal agents, equal bytes. */
		size_t sizes[2];
		char *bytes[2] = {test_read_file(test_path("agent.h5"), &sizes[0]),
		                  test_read_file(saved(back, "again.h5"), &sizes[1])};
		ck_assert_uint_eq(sizes[0], sizes[1]);
		ck_assert_mem_eq(bytes[0], bytes[1], sizes[0]);
		free(bytes[0]);
		free(bytes[1]);
		weir_agent_destroy(agent);
		weir_agent_destroy(back);
	}
	weir_agent_destroy(NULL);
	weir_agent_user_destroy(NULL);
}
END_TEST

/* The answer by the definitions, in double. */
static void answer_plainly(const weir_agent *agent, const float *look, double head[8],
                           double *value)
{
	const weir_normaliser *n = agent->normaliser;
	size_t count = 0;
	const weir_tensor *tensors = weir_actor_critic_tensors(agent->network, &count);
	const float *parameters = weir_actor_critic_parameters_const(agent->network);
	for (int branch = 0; branch < 2; branch++) {
		double layer[8];
		for (int i = 0; i < 3; i++) {
			double normal = (look[i] - n->mean[i]) / sqrt(n->variance[i] + n->config.epsilon);
			layer[i] = fmax(-n->config.clip_observation, fmin(n->config.clip_observation, normal));
		}
		for (size_t t = 0; t + 1 < count; t += 2) {
			const char *name = tensors[t].name;
			const char *parts[2][2] = {{"policy_net", "action_net"}, {".value_net", "value_net"}};
			bool hidden = strncmp(name, "mlp", 3) == 0;
			bool mine = hidden ? strstr(name, parts[branch][0]) != NULL
			                   : strncmp(name, parts[branch][1], 5) == 0;
			if (!mine) {
				continue;
			}
			double next[8];
			for (size_t o = 0; o < tensors[t].cols; o++) {
				double sum = parameters[tensors[t + 1].offset + o];
				for (size_t i = 0; i < tensors[t].rows; i++) {
					sum += layer[i] * parameters[tensors[t].offset + i * tensors[t].cols + o];
				}
				next[o] = hidden ? tanh(sum) : sum;
			}
			memcpy(layer, next, sizeof layer);
		}
		if (branch == 0) {
			memcpy(head, layer, sizeof layer);
		} else {
			*value = layer[0];
		}
	}
}

START_TEST(answers_are_those_of_the_definitions)
{
	weir_agent *agent = made(&box, 11);
	add_normaliser(agent);
	float *parameters = weir_actor_critic_parameters(agent->network);
	for (size_t i = 0; i < weir_actor_critic_parameter_count(agent->network); i++) {
		parameters[i] += 0.1F * sinf((float)i);
	}
	answers all = ask(agent, NULL, NULL);
	bool clipped = false;
	for (int i = 0; i < 4; i++) {
		double head[8];
		double value = 0.0;
		answer_plainly(agent, looks[i], head, &value);
		ck_assert_float_eq_tol(all.value[i], (float)value, 2e-6F);
		for (int k = 0; k < 2; k++) {
			ck_assert_float_eq_tol(all.raw[i][k], (float)head[k], 2e-6F);
			float bounded = fmaxf(pushed[k].low, fminf(pushed[k].high, all.raw[i][k]));
			ck_assert_float_eq(all.action[i][k], bounded);
			clipped = clipped || bounded != all.raw[i][k];
		}
	}
	ck_assert(clipped);
	weir_agent_destroy(agent);
}
END_TEST

START_TEST(draws_spread_as_log_std_says)
{
	weir_agent *agent = made(&box, 2);
	answers modes = ask(agent, NULL, NULL);
	weir_xoshiro randoms[2] = {weir_xoshiro_seed(4), weir_xoshiro_seed(4)};
	answers draws = ask(agent, NULL, &randoms[0]);
	for (int i = 0; i < 4; i++) {
		for (int k = 0; k < 2; k++) {
			double drawn = modes.raw[i][k] + exp(-0.5) * weir_xoshiro_normal(&randoms[1]);
			ck_assert_double_eq_tol(draws.raw[i][k], drawn, 1e-6);
		}
	}
	ck_assert_mem_eq(draws.value, modes.value, sizeof modes.value);
	weir_agent_destroy(agent);
}
END_TEST

START_TEST(masked_choices_are_not_taken)
{
	weir_agent *agent = made(&choices, 1);
	const uint8_t mask[8] = {0, 1, 0, 0, 0, 0, 0, 1};
	weir_xoshiro random = weir_xoshiro_seed(1);
	for (int i = 0; i < 50; i++) {
		answers all = ask(agent, mask, i == 0 ? NULL : &random);
		for (int k = 0; k < 4; k++) {
			ck_assert_float_eq(all.action[k][0], 1.0F);
			ck_assert_float_eq(all.action[k][1], 4.0F);
		}
	}
	weir_agent_destroy(agent);
}
END_TEST

static void misfits(const weir_agent *agent, const weir_space *saw, const weir_space *does,
                    const char *words)
{
	weir_error error = {0};
	ck_assert_int_eq(weir_agent_check(agent, "a.h5", saw, does, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, "a.h5");
	ck_assert_msg(strstr(error.message, words) != NULL, "%s", error.message);
}

START_TEST(the_first_difference_is_named)
{
	weir_agent *agent = made(&box, 1);
	weir_space space = observation;
	weir_dimension other[3];
	space.size = 2;
	misfits(agent, &space, &box, "its observation is a box of 3, where it should be a box of 2");
	misfits(agent, &observation, &choices,
	        "its action is a box of 2, where it should be a multi_discrete of 2");
	space = (weir_space){.kind = WEIR_SPACE_BOX, .size = 3, .dimensions = other};
#define CHANGED(number, field, value)                                                              \
	do {                                                                                           \
		memcpy(other, seen, sizeof other);                                                         \
		other[number].field = value;                                                               \
	} while (0)
	CHANGED(1, name, "corner");
	misfits(agent, &space, &box,
	        "the name of dimension 1 of its observation is 'angle', where it should be 'corner'");
	CHANGED(0, unit, "km/h");
	misfits(agent, &space, &box,
	        "the unit of dimension 0 of its observation is 'm/s', where it should be 'km/h'");
	CHANGED(2, high, 2.5F);
	misfits(agent, &space, &box,
	        "'load' (dimension 2 of its observation) has bounds 0 to 1, where they should be 0 to "
	        "2.5");
	CHANGED(1, low, 0.0F);
	misfits(agent, &space, &box, "has bounds -inf to inf, where they should be 0 to inf");
	weir_agent_destroy(agent);
	agent = made(&choices, 1);
	weir_dimension fewer[2] = {chosen[0], chosen[1]};
	fewer[1].choices = 4;
	const weir_space few = {.kind = WEIR_SPACE_MULTI_DISCRETE, .size = 2, .dimensions = fewer};
	misfits(agent, &observation, &few,
	        "'queue' (dimension 1 of its action) has 5 choices, where there should be 4");
	weir_agent_destroy(agent);
}
END_TEST

/* --- files that are whole, but wrong --- */

/* A copy of an archive in which one array or text is left out or altered. */
typedef struct copying {
	const weir_archive *from;
	weir_archive_writer *to;
	const char *changed;
	const char *text;     /* in its place; NULL: it is left out */
	const double *number; /* NULL, or what every number in it becomes */
	size_t extra;         /* is added to the first extent */
} copying;

static bool copy_item(void *context, const weir_archive_item *item)
{
	copying *copy = context;
	weir_error error;
	bool changed = strcmp(item->name, copy->changed) == 0;
	if (changed && copy->text == NULL && copy->number == NULL && copy->extra == 0) {
		return true;
	}
	if (item->is_text) {
		char *text = NULL;
		ck_assert_ok(weir_archive_get_text(copy->from, item->name, &text, &error), &error);
		ck_assert_ok(weir_archive_put_text(copy->to, item->name,
		                                   changed && copy->text != NULL ? copy->text : text,
		                                   item->description, &error),
		             &error);
		free(text);
		return true;
	}
	static double values[1000];
	memset(values, 0, sizeof values);
	size_t extents[WEIR_ARCHIVE_MOST_RANK];
	memcpy(extents, item->extents, sizeof extents);
	ck_assert_ok(weir_archive_get_any(copy->from, item->name, item->type, item->rank, extents,
	                                  values, &error),
	             &error);
	if (changed) {
		extents[0] += copy->extra;
		for (size_t i = 0; copy->number != NULL && i < 60; i++) {
			if (item->type == WEIR_ARCHIVE_FLOAT) {
				((float *)values)[i] = (float)*copy->number;
			} else if (item->type == WEIR_ARCHIVE_DOUBLE) {
				values[i] = *copy->number;
			} else if (item->type == WEIR_ARCHIVE_INT64) {
				((int64_t *)values)[i] = (int64_t)*copy->number;
			}
		}
	}
	ck_assert_ok(weir_archive_put(copy->to, item->name, item->type, item->rank, extents, values,
	                              item->unit, item->description, &error),
	             &error);
	return true;
}

static const char *copied(const char *path, copying copy)
{
	static char to[512];
	weir_error error;
	uint32_t version = 0;
	weir_archive *from = NULL;
	if (to[0] == '\0') {
		snprintf(to, sizeof to, "%s", test_path("changed.h5"));
	}
	ck_assert_ok(weir_archive_open(path, NULL, 0, &version, &from, &error), &error);
	ck_assert_ok(weir_archive_begin(to, "weir agent", version, &copy.to, &error), &error);
	copy.from = from;
	ck_assert_ok(weir_archive_items(from, copy_item, &copy, &error), &error);
	ck_assert_ok(weir_archive_commit(copy.to, &error), &error);
	weir_archive_close(from);
	return to;
}

static void refused(const char *path, const char *words)
{
	weir_error error = {0};
	weir_agent *agent = NULL;
	ck_assert_msg(weir_agent_load(path, &agent, &error) == WEIR_ERROR_INPUT, "%s", words);
	ck_assert_ptr_null(agent);
	ck_assert_str_eq(error.where, path);
	ck_assert_msg(strstr(error.message, words) != NULL, "%s", error.message);
}

typedef struct name_list {
	char names[64][80];
	bool is_real[64];
	int count;
} name_list;

static bool add_name(void *context, const weir_archive_item *item)
{
	name_list *list = context;
	ck_assert_int_lt(list->count, 64);
	snprintf(list->names[list->count], sizeof list->names[0], "%s", item->name);
	list->is_real[list->count++] =
	    !item->is_text && (item->type == WEIR_ARCHIVE_FLOAT || item->type == WEIR_ARCHIVE_DOUBLE);
	return true;
}

/* Nothing of an agent may be missing, misshapen or not finite. */
START_TEST(every_part_is_needed)
{
	weir_agent *agent = made(&box, 1);
	add_normaliser(agent);
	const char *path = saved(agent, "good.h5");
	weir_agent_destroy(agent);
	weir_error error;
	uint32_t version = 0;
	weir_archive *archive = NULL;
	name_list list = {.count = 0};
	ck_assert_ok(weir_archive_open(path, WEIR_AGENT_FORMAT, 1, &version, &archive, &error), &error);
	ck_assert_ok(weir_archive_items(archive, add_name, &list, &error), &error);
	weir_archive_close(archive);
	/* version, 3 texts, 2 spaces of 5, shape of 2, 16 of layers, log_std, 12 of the normaliser */
	ck_assert_int_eq(list.count, 1 + 3 + 10 + 2 + 16 + 1 + 12);
	const double nan = NAN;
	for (int i = 0; i < list.count; i++) {
		refused(copied(path, (copying){.changed = list.names[i]}), list.names[i]);
		if (list.is_real[i]) {
			const char *what =
			    strstr(list.names[i], "/low") != NULL || strstr(list.names[i], "/high") != NULL
			        ? "bounds"
			        : list.names[i];
			refused(copied(path, (copying){.changed = list.names[i], .number = &nan}), what);
		}
	}
	weir_agent_destroy(loaded(copied(path, (copying){.changed = ""})));
}
END_TEST

START_TEST(wrong_contents_are_refused)
{
	weir_agent *agent = made(&choices, 1);
	add_normaliser(agent);
	const char *path = saved(agent, "choices.h5");
	weir_agent_destroy(agent);
	const double two = 2.0;
	const double zero = 0.0;
	const double minus = -1.0;
	const struct {
		copying copy;
		const char *words;
	} cases[] = {
	    {{.changed = "agent/version", .number = &two}, "agent of version 2; this weir reads"},
	    {{.changed = "agent/action/kind", .text = "bax"}, "agent/action/kind is 'bax'; known are"},
	    {{.changed = "agent/action/names", .text = "a\n"}, "has 1 names and 2 units"},
	    {{.changed = "agent/action/names", .text = ""}, "has 0 names and 2 units"},
	    {{.changed = "agent/action/choices", .number = &zero}, "has 0 choices in dimension 0"},
	    {{.changed = "agent/action/choices", .extra = 1}, "is 3 int64; it must be 2 int64"},
	    {{.changed = "agent/network/hidden", .number = &minus}, "hidden layer 0"},
	    {{.changed = "agent/network/hidden", .number = &two}, "it must be 3 x 2 float32"},
	    {{.changed = "agent/network/hidden", .extra = 6}, "is no list of at most 8 numbers"},
	    {{.changed = "agent/network/action_net.weight", .extra = 1},
	     "agent/network/action_net.weight is 7 x 8 float32; it must be 6 x 8 float32"},
	    {{.changed = "agent/normaliser/variance", .number = &minus}, "no variance below"},
	    {{.changed = "agent/normaliser/epsilon", .number = &zero}, "must be above 0"},
	    {{.changed = "agent/normaliser/mean", .extra = 1}, "is 4 float64; it must be 3 float64"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		refused(copied(path, cases[i].copy), cases[i].words);
	}
	weir_archive_writer *writer = NULL;
	weir_error error;
	ck_assert_ok(weir_archive_begin(test_path("none.h5"), "weir thing", 1, &writer, &error),
	             &error);
	ck_assert_ok(weir_archive_commit(writer, &error), &error);
	refused(test_path("none.h5"), "is a weir thing file, without an agent");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl_agent");
	TCase *tests = tcase_create("agent");
	tcase_add_test(tests, a_loaded_agent_answers_the_same);
	tcase_add_test(tests, answers_are_those_of_the_definitions);
	tcase_add_test(tests, draws_spread_as_log_std_says);
	tcase_add_test(tests, masked_choices_are_not_taken);
	tcase_add_test(tests, the_first_difference_is_named);
	tcase_add_test(tests, every_part_is_needed);
	tcase_add_test(tests, wrong_contents_are_refused);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
