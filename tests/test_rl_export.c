/* What agents are exported to; tests/support/check_export.py reads it with NumPy and onnx. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rl/export_npz.h"
#include "rl/export_onnx.h"
#include "support/test_support.h"

enum { SEEN = 5, LOOKS = 500 };

static const weir_dimension seen[SEEN] = {
    {.name = "a", .unit = "s", .low = -1.0F, .high = 1.0F},
    {.name = "b", .unit = "", .low = -1e6F, .high = 1e6F},
    {.name = "c", .unit = "", .low = -INFINITY, .high = INFINITY},
    {.name = "d", .unit = "", .low = 0.0F, .high = 1.0F},
    {.name = "e", .unit = "", .low = 0.0F, .high = 1.0F}};
static const weir_space observation = {.kind = WEIR_SPACE_BOX, .size = SEEN, .dimensions = seen};
static const weir_dimension pushed[3] = {
    {.name = "x", .unit = "N", .low = -0.05F, .high = 0.05F},
    {.name = "y", .unit = "", .low = -INFINITY, .high = 0.1F},
    {.name = "z", .unit = "", .low = -INFINITY, .high = INFINITY}};
static const weir_dimension chosen[3] = {{.name = "i", .unit = "", .choices = 4},
                                         {.name = "j", .unit = "", .choices = 1},
                                         {.name = "k", .unit = "", .choices = 7}};

/* What agents there may be. */
typedef struct agent_sort {
	const char *name;
	weir_space action;
	size_t layers;
	bool shared, normalised;
} agent_sort;

static const agent_sort samples[] = {
    {"box", {WEIR_SPACE_BOX, 3, pushed}, 2, false, true},
    {"box_plain", {WEIR_SPACE_BOX, 1, pushed}, 1, false, false},
    {"box_shared", {WEIR_SPACE_BOX, 2, pushed}, 2, true, true},
    {"discrete", {WEIR_SPACE_DISCRETE, 1, chosen}, 3, false, true},
    {"multi_discrete", {WEIR_SPACE_MULTI_DISCRETE, 3, chosen}, 2, false, false},
    {"linear", {WEIR_SPACE_MULTI_DISCRETE, 2, chosen}, 0, false, true},
};

enum { SAMPLES = sizeof samples / sizeof samples[0] };

/* From -1 to 1, in no order to speak of. */
static float scatter(size_t number)
{
	return sinf((float)(number * number % 9973) + 0.7F * (float)number);
}

/* Observations of very different sizes, where something makes them alike; else units of tanh would
 * all be at their ends. */
static float look(const agent_sort *sort, size_t row, size_t dimension)
{
	static const float sizes[SEEN] = {1.0F, 1e5F, 30.0F, 0.01F, 3.0F};
	float value = scatter(row * SEEN + dimension);
	return sort->normalised ? sizes[dimension] * (value + (dimension == 1 ? 2.0F : 0.0F)) : value;
}

static weir_agent *made(const agent_sort *sort)
{
	weir_error error;
	weir_agent *agent = NULL;
	weir_actor_critic_shape shape = weir_actor_critic_shape_default(SEEN, &sort->action);
	shape.layers = sort->layers;
	shape.shared_trunk = sort->shared;
	for (size_t i = 0; i < sort->layers; i++) {
		shape.hidden[i] = 9 + i;
	}
	ck_assert_ok(
	    weir_agent_create("pendulum", "{}", &observation, &sort->action, &shape, 3, &agent, &error),
	    &error);
	float *parameters = weir_actor_critic_parameters(agent->network);
	for (size_t i = 0; i < weir_actor_critic_parameter_count(agent->network); i++) {
		parameters[i] += 0.2F * scatter(i);
	}
	if (sort->normalised) {
		weir_normaliser_config config = weir_normaliser_config_default();
		config.clip_observation = 1.5;
		agent->normaliser = weir_normaliser_create(&config, SEEN, 2);
		for (size_t row = 0; row < 50; row++) {
			float values[SEEN];
			for (size_t i = 0; i < SEEN; i++) {
				values[i] = look(sort, row, i);
			}
			weir_normaliser_learn(agent->normaliser, values, 1);
		}
	}
	return agent;
}

static weir_bytes exported(const weir_agent *agent, bool onnx)
{
	weir_error error;
	weir_bytes bytes = {.data = NULL};
	ck_assert_ok(onnx ? weir_export_onnx(agent, &bytes, &error)
	                  : weir_export_npz(agent, &bytes, &error),
	             &error);
	return bytes;
}

static void write_file(const char *name, const char *end, const void *data, size_t size)
{
	char path[64];
	snprintf(path, sizeof path, "%s.%s", name, end);
	FILE *file = fopen(test_path(path), "wb");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

/* Rows of float32: observation, answer as drawn, answer within bounds, value. */
static void write_answers(const weir_agent *agent, const agent_sort *sort)
{
	size_t width = SEEN + 2 * agent->action.size + 1;
	float *rows = calloc(LOOKS * width, sizeof *rows);
	weir_agent_user *user = weir_agent_user_create(agent);
	for (size_t row = 0; row < LOOKS; row++) {
		float *at = rows + row * width;
		for (size_t i = 0; i < SEEN; i++) {
			at[i] = look(sort, row, i);
		}
		float *raw = at + SEEN;
		weir_agent_act(user, at, NULL, NULL, raw, raw + agent->action.size,
		               raw + 2 * agent->action.size);
	}
	weir_agent_user_destroy(user);
	write_file(sort->name, "answers", rows, LOOKS * width * sizeof *rows);
	free(rows);
}

START_TEST(other_programs_answer_the_same)
{
	for (int i = 0; i < SAMPLES; i++) {
		weir_agent *agent = made(&samples[i]);
		weir_bytes onnx = exported(agent, true);
		weir_bytes npz = exported(agent, false);
		write_file(samples[i].name, "onnx", onnx.data, onnx.size);
		write_file(samples[i].name, "npz", npz.data, npz.size);
		write_answers(agent, &samples[i]);
		free(onnx.data);
		free(npz.data);
		weir_agent_destroy(agent);
	}
	char command[2048];
	/* Debian's python3 has what it needs, another first in the path perhaps not. */
	snprintf(command, sizeof command,
	         "p=/usr/bin/python3; [ -x $p ] || p=python3; command -v $p >/dev/null || exit 0; "
	         "$p -B '%s/tests/support/check_export.py' '%s'",
	         WEIR_SOURCE_DIR, test_directory());
	ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(equal_agents_give_equal_bytes)
{
	for (int i = 0; i < 2 * SAMPLES; i++) {
		weir_agent *agents[2] = {made(&samples[i / 2]), made(&samples[i / 2])};
		weir_bytes first = exported(agents[0], i % 2 == 0);
		weir_bytes second = exported(agents[1], i % 2 == 0);
		ck_assert_uint_eq(first.size, second.size);
		ck_assert_mem_eq(first.data, second.data, first.size);
		free(second.data);
		*weir_actor_critic_parameters(agents[1]->network) += 1.0F;
		second = exported(agents[1], i % 2 == 0);
		ck_assert_int_ne(memcmp(first.data, second.data, first.size), 0);
		free(first.data);
		free(second.data);
		weir_agent_destroy(agents[0]);
		weir_agent_destroy(agents[1]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl_export");
	TCase *tests = tcase_create("export");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, other_programs_answer_the_same);
	tcase_add_test(tests, equal_agents_give_equal_bytes);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
