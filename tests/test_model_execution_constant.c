#include "model/execution_time.h"

#include "support/test_support.h"

static const weir_execution_time_config config = {
    .kind = 1, .prompt_seconds = 0.5, .token_seconds = 0.0625, .busy_power_share = 0.7};

static weir_execution_time *make(void)
{
	const weir_architecture architecture = {.name = "m"};
	const weir_gpu gpu = {.name = "g"};
	const weir_execution_target target = {&architecture, &gpu, 1};
	weir_error error = {0};
	weir_execution_time *model = NULL;
	ck_assert_ok(weir_execution_time_create(&config, &target, &model, &error), &error);
	return model;
}

START_TEST(times_are_the_constants)
{
	weir_execution_time *model = make();
	const weir_batch prompts = {.prompt_tasks = 3, .prompt_tokens = 9000};
	const weir_batch mixed = {.prompt_tasks = 1, .prompt_tokens = 10, .token_tasks = 4};
	const weir_batch tokens = {.token_tasks = 4, .token_context = 100};
	ck_assert_double_eq(model->type->time_for(model, &prompts, 1), 0.5);
	ck_assert_double_eq(model->type->time_for(model, &mixed, 1), 0.5);
	ck_assert_double_eq(model->type->time_for(model, &tokens, 1), 0.0625);
	ck_assert_double_eq(model->type->time_for(model, &tokens, 1000), 62.5);
	ck_assert_double_eq(model->type->power_share(model, &tokens), 0.7);
	weir_execution_time_destroy(model);
}
END_TEST

START_TEST(iterations_are_whole)
{
	weir_execution_time *model = make();
	const weir_batch tokens = {.token_tasks = 4};
	ck_assert_int_eq(model->type->iterations_in(model, &tokens, 0.0), 0);
	ck_assert_int_eq(model->type->iterations_in(model, &tokens, 0.0624), 0);
	ck_assert_int_eq(model->type->iterations_in(model, &tokens, 0.0625), 1);
	ck_assert_int_eq(model->type->iterations_in(model, &tokens, 62.5), 1000);
	ck_assert_int_eq(model->type->iterations_in(model, &tokens, 62.49), 999);
	weir_execution_time_destroy(model);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("execution_constant");
	TCase *tests = tcase_create("constant");
	tcase_add_test(tests, times_are_the_constants);
	tcase_add_test(tests, iterations_are_whole);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
