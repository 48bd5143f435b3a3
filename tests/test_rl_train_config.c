#include "rl/train_config.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test_support.h"

static weir_status load_with(const char *text, const char *set, const weir_train_config **config,
                             weir_error *error)
{
	const weir_document_options options = {
	    .path = "train.json", .text = text, .sets = &set, .set_count = set != NULL ? 1 : 0};
	return weir_train_config_load(&options, config, error);
}

static const weir_train_config *load(const char *text)
{
	weir_error error = {0};
	const weir_train_config *config;
	ck_assert_ok(load_with(text, NULL, &config, &error), &error);
	return config;
}

#define LEAST "\"environment\": {\"kind\": \"cartpole\"}, \"total_steps\": 1000"

START_TEST(defaults_are_those_of_sb3)
{
	const weir_train_config *config = load("{" LEAST "}");
	ck_assert_int_eq(config->seed, 1);
	ck_assert_int_eq(config->environments, 1);
	ck_assert_int_eq(config->threads, 1);
	ck_assert_int_eq(config->total_steps, 1000);
	ck_assert_str_eq(config->environment.kind, "cartpole");
	ck_assert_uint_eq(config->network.hidden.count, 2);
	ck_assert_double_eq(((const double *)config->network.hidden.items)[1], 64);
	ck_assert(!config->network.shared_trunk);
	const weir_ppo_config ppo = weir_ppo_config_default();
	ck_assert_double_eq(config->ppo.learning_rate, 3e-4);
	ck_assert_int_eq(config->ppo.n_steps, 2048);
	ck_assert_int_eq(config->ppo.batch_size, 64);
	ck_assert_int_eq(config->ppo.n_epochs, 10);
	ck_assert_double_eq(config->ppo.gae_lambda, ppo.gae_lambda);
	ck_assert_double_eq(config->ppo.adam_eps, ppo.adam_eps);
	ck_assert(!config->normalise.observations && !config->normalise.rewards);
	ck_assert_int_eq(config->evaluation.interval, 10000);
	ck_assert_int_eq(config->evaluation.episodes, 5);
	ck_assert(config->evaluation.deterministic && !config->evaluation.has_stop);
	ck_assert_int_eq(config->evaluation.patience, 0);
	ck_assert_uint_eq(config->adapt.count, 0);
	ck_assert_int_eq(config->control, WEIR_TRAIN_CONTROL_NONE);
	ck_assert(config->strict);
	weir_train_config_destroy(config);
}
END_TEST

START_TEST(a_config_says_what_differs)
{
	const weir_train_config *config =
	    load("{\"environment\": {\"kind\": \"tutorial\", \"tutorial\": {\"length\": 9}},"
	         "\"total_steps\": 5, \"normalise\": {\"clip_reward\": 3},"
	         "\"network\": {\"hidden\": [8, 16, 4], \"shared_trunk\": true, \"log_std\": -1},"
	         "\"evaluation\": {\"stop_at_reward\": -5.5}, \"checkpoint\": {\"interval\": 7},"
	         "\"control\": \"shuffled_rewards\", \"strict\": false, // a comment\n"
	         "\"adapt\": [{\"coefficient\": \"c\", \"term\": \"t\", \"target\": 0.25, \"rate\": 2,"
	         "\"maximum\": 9, \"initial\": 1}]}");
	ck_assert_ptr_nonnull(strstr(config->environment.parameters, "\"length\":\t9"));
	/* The environment's own defaults are filled in. */
	ck_assert_ptr_nonnull(strstr(config->environment.parameters, "\"stumble\":\t0"));
	ck_assert(config->normalise.observations && config->normalise.rewards);
	ck_assert_double_eq(config->normalise.clip_reward, 3);
	ck_assert(config->evaluation.has_stop);
	ck_assert_double_eq(config->evaluation.stop_at_reward, -5.5);
	ck_assert_int_eq(config->checkpoint_interval, 7);
	ck_assert_int_eq(config->control, WEIR_TRAIN_CONTROL_SHUFFLED_REWARDS);
	ck_assert(!config->strict);
	const weir_train_adapt *adapt = config->adapt.items;
	ck_assert_double_eq(adapt->target, 0.25);
	ck_assert_double_eq(adapt->minimum, 0);
	ck_assert_double_eq(adapt->initial, 1);
	const weir_dimension dimension = {.name = "a", .unit = "", .choices = 2};
	const weir_space action = {WEIR_SPACE_DISCRETE, 1, &dimension};
	weir_actor_critic_shape shape = weir_train_config_shape(config, 3, &action);
	ck_assert_uint_eq(shape.layers, 3);
	ck_assert_uint_eq(shape.hidden[1], 16);
	ck_assert(shape.shared_trunk);
	ck_assert_float_eq(shape.log_std, -1);
	weir_train_config_destroy(config);
}
END_TEST

typedef struct refusal {
	const char *text, *where, *message;
} refusal;

static const refusal refusals[] = {
    {"{\"total_steps\": 1}", "train.json: environment", "missing"},
    {"{\"environment\": {\"kind\": \"cartpole\"}}", "train.json: total_steps", "missing"},
    {"{\"environment\": \"cartpole\", \"total_steps\": 1}", "train.json: environment",
     "expected an object"},
    {"{\"environment\": {\"kind\": \"cartpol\"}, \"total_steps\": 1}",
     "train.json: environment.kind", "cartpole"},
    {"{\"environment\": {\"kind\": \"tutorial\", \"tutorial\": {\"lenght\": 9}}, "
     "\"total_steps\": 1}",
     "train.json: environment.tutorial.lenght", "did you mean 'length'"},
    {"{\"environment\": {\"kind\": \"tutorial\", \"tutorial\": {\"length\": 2}}, "
     "\"total_steps\": 1}",
     "train.json: environment.tutorial.length", "from 3 to 1000"},
    {"{\"environment\": {\"kind\": \"cartpole\", \"tutorial\": {}}, \"total_steps\": 1}",
     "train.json: environment.tutorial", "only allowed where kind=tutorial"},
    {"{\"environment\": {\"kind\": \"cartpole\", \"cartpole\": {\"x\": 1}}, \"total_steps\": 1}",
     "train.json: environment.cartpole.x", "unknown key 'x'"},
    {"{" LEAST ", \"ppoo\": {}}", "train.json: ppoo", "did you mean 'ppo'"},
    {"{" LEAST ", \"ppo\": {\"gama\": 0.9}}", "train.json: ppo.gama", "did you mean 'gamma'"},
    {"{" LEAST ", \"network\": {\"hidden\": []}}", "train.json: network.hidden",
     "expected 1 to 8 layers, got 0"},
    {"{" LEAST ", \"network\": {\"hidden\": [1,1,1,1,1,1,1,1,1]}}", "train.json: network.hidden",
     "expected 1 to 8 layers, got 9"},
    {"{" LEAST ", \"network\": {\"hidden\": [1.5]}}", "train.json: network.hidden",
     "whole numbers"},
    {"{" LEAST ", \"evaluation\": {\"stop_at_reward\": \"x\"}}",
     "train.json: evaluation.stop_at_reward", "expected a number or null, got \"x\""},
    {"{" LEAST ", \"adapt\": [{\"coefficient\": \"c\", \"term\": \"t\", \"target\": 1,"
     "\"rate\": 1, \"maximum\": 1, \"initial\": 2}]}",
     "train.json: adapt[0].initial", "from minimum (0) to maximum (1), got 2"},
    {"{" LEAST ", \"control\": \"shuffled\"}", "train.json: control", "shuffled_rewards"},
};

START_TEST(wrong_configs_are_refused)
{
	const refusal *r = &refusals[_i];
	weir_error error = {0};
	const weir_train_config *config;
	ck_assert_int_eq(load_with(r->text, NULL, &config, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_null(config);
	ck_assert_str_eq(error.where, r->where);
	ck_assert_msg(strstr(error.message, r->message) != NULL, "%s", error.message);
}
END_TEST

START_TEST(another_environment_may_be_set)
{
	/* What only the former one knows need not be unset. */
	weir_error error = {0};
	const weir_train_config *config;
	ck_assert_ok(load_with("{\"environment\": {\"kind\": \"tutorial\", \"tutorial\": {\"length\": "
	                       "9}}, \"total_steps\": 1}",
	                       "environment.kind=pendulum", &config, &error),
	             &error);
	ck_assert_str_eq(config->environment.kind, "pendulum");
	weir_train_config_destroy(config);
}
END_TEST

/* --- whether two are the same ------------------------------------------------------------------
 */

typedef struct change {
	const char *set, *message; /* NULL: makes no difference */
} change;

static const change changes[] = {
    {"threads=7", NULL},
    {"checkpoint.interval=3", NULL},
    {"ppo.gamma=0.99", NULL}, /* as it is by default */
    {"seed=2", "seed was 1 there and is 2 in train.json"},
    {"ppo.gamma=0.5", "ppo.gamma was 0.99 there and is 0.5 in train.json"},
    {"environment.tutorial.length=11", "environment.tutorial.length was 9 there and is 11"},
    {"environment.kind=cartpole", "environment.kind was \"tutorial\" there and is \"cartpole\""},
    {"network.hidden=[64]", "network.hidden was [64,64] there and is [64]"},
    {"evaluation.stop_at_reward=1", "evaluation.stop_at_reward was null there and is 1"},
    {"adapt=[{\"coefficient\": \"c\", \"term\": \"t\", \"target\": 1, \"rate\": 1, \"maximum\": "
     "2}]",
     "adapt was "},
};

START_TEST(the_first_difference_is_named)
{
	static const char text[] = "{\"environment\": {\"kind\": \"tutorial\", \"tutorial\": "
	                           "{\"length\": 9}}, \"total_steps\": 1}";
	const change *c = &changes[_i];
	weir_error error = {0};
	const weir_train_config *config, *changed;
	ck_assert_ok(load_with(text, NULL, &config, &error), &error);
	ck_assert_ok(load_with(text, c->set, &changed, &error), &error);
	weir_status status =
	    weir_train_config_match(changed, "dir/checkpoint.h5", config->text, &error);
	ck_assert_int_eq(status, c->message != NULL ? WEIR_ERROR_INPUT : WEIR_OK);
	if (c->message != NULL) {
		ck_assert_str_eq(error.where, "dir/checkpoint.h5");
		ck_assert_msg(strstr(error.message, c->message) != NULL, "%s", error.message);
	} else {
		ck_assert_str_eq(config->text, changed->text);
	}
	weir_train_config_destroy(config);
	weir_train_config_destroy(changed);
}
END_TEST

START_TEST(a_key_that_is_no_more_is_a_difference)
{
	const weir_train_config *config = load("{" LEAST "}");
	char *text = NULL;
	weir_error error = {0};
	/* As an older version may have written it. */
	ck_assert_int_gt(asprintf(&text, "{\"former\": 5, %s", config->text + 1), 0);
	ck_assert_int_eq(weir_train_config_match(config, "x.h5", text, &error), WEIR_ERROR_INPUT);
	ck_assert_msg(strstr(error.message, "former was 5 there and is not said in") != NULL, "%s",
	              error.message);
	free(text);
	weir_train_config_destroy(config);
}
END_TEST

START_TEST(the_text_reads_back_as_the_same_config)
{
	const weir_train_config *config =
	    load("{\"environment\": {\"kind\": \"tutorial\", \"tutorial\": {\"stumble\": 0.1}},"
	         "\"total_steps\": 7, \"normalise\": {}, \"evaluation\": {\"stop_at_reward\": 1}}");
	const weir_train_config *again = load(config->text);
	ck_assert_str_eq(config->text, again->text);
	ck_assert_ptr_null(strstr(config->summary, "stumble"));
	ck_assert_ptr_nonnull(strstr(config->summary, "tutorial"));
	weir_train_config_destroy(config);
	weir_train_config_destroy(again);
}
END_TEST

START_TEST(shipped_configs_are_read)
{
	glob_t found;
	ck_assert_int_eq(glob(WEIR_SOURCE_DIR "/configs/training/*.json", 0, NULL, &found), 0);
	ck_assert_uint_ge(found.gl_pathc, 2);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const weir_document_options options = {.path = found.gl_pathv[i]};
		weir_error error = {0};
		const weir_train_config *config;
		ck_assert_ok(weir_train_config_load(&options, &config, &error), &error);
		weir_train_config_destroy(config);
	}
	globfree(&found);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("rl_train_config");
	TCase *tests = tcase_create("train_config");
	tcase_add_test(tests, defaults_are_those_of_sb3);
	tcase_add_test(tests, a_config_says_what_differs);
	tcase_add_loop_test(tests, wrong_configs_are_refused, 0,
	                    (int)(sizeof refusals / sizeof refusals[0]));
	tcase_add_test(tests, another_environment_may_be_set);
	tcase_add_loop_test(tests, the_first_difference_is_named, 0,
	                    (int)(sizeof changes / sizeof changes[0]));
	tcase_add_test(tests, a_key_that_is_no_more_is_a_difference);
	tcase_add_test(tests, the_text_reads_back_as_the_same_config);
	tcase_add_test(tests, shipped_configs_are_read);
	suite_add_tcase(s, tests);
	return s;
}

int main(void)
{
	return test_main(suite());
}
