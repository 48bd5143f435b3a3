/* Dispatch of sources to their type. */
#include <string.h>

#include "support/test_support.h"
#include "workload/source.h"

/* Counts down; its state is the number left. */
typedef struct countdown {
	weir_source source;
	int left;
	bool restorable;
	int *destroyed;
} countdown;

static weir_status countdown_next(weir_source *source, weir_request *request, bool *more,
                                  weir_error *error)
{
	countdown *c = (countdown *)source;
	if (c->left < 0) {
		return weir_error_set_line(error, WEIR_ERROR_INPUT, "count", 7, "below zero");
	}
	*more = c->left > 0;
	if (*more) {
		*request = (weir_request){
		    .arrival = 10.0 - c->left, .id = c->left, .prompt_tokens = 1, .output_tokens = 1};
		c->left--;
	}
	return WEIR_OK;
}

static weir_status countdown_rewind(weir_source *source, weir_error *error)
{
	(void)error;
	((countdown *)source)->left = 3;
	return WEIR_OK;
}

static size_t countdown_state_size(const weir_source *source)
{
	return ((const countdown *)source)->restorable ? sizeof(int) : 0;
}

static void countdown_save(const weir_source *source, void *state)
{
	*(int *)state = ((const countdown *)source)->left;
}

static weir_status countdown_restore(weir_source *source, const void *state, weir_error *error)
{
	(void)error;
	((countdown *)source)->left = *(const int *)state;
	return WEIR_OK;
}

static void countdown_destroy(weir_source *source)
{
	(*((countdown *)source)->destroyed)++;
}

static const weir_source_type countdown_type = {
    "countdown",       countdown_next, countdown_rewind, countdown_state_size, countdown_save,
    countdown_restore, NULL,           countdown_destroy};

START_TEST(calls_reach_the_type)
{
	int destroyed = 0;
	countdown c = {{&countdown_type}, 3, true, &destroyed};
	weir_source *source = &c.source;
	weir_error error;
	weir_request request = {0};
	bool more = false;
	ck_assert_ok(weir_source_next(source, &request, &more, &error), &error);
	ck_assert(more);
	ck_assert_int_eq(request.id, 3);
	int state = 0;
	ck_assert_uint_eq(weir_source_state_size(source), sizeof state);
	weir_source_save(source, &state);
	ck_assert_int_eq(state, 2);
	for (int i = 2; i >= 0; i--) {
		ck_assert_ok(weir_source_next(source, &request, &more, &error), &error);
		ck_assert_int_eq(more, i > 0);
	}
	ck_assert_int_eq(request.id, 1);
	ck_assert_ok(weir_source_restore(source, &state, &error), &error);
	ck_assert_int_eq(c.left, 2);
	ck_assert_ok(weir_source_rewind(source, &error), &error);
	ck_assert_int_eq(c.left, 3);
	c.left = -1;
	ck_assert_int_eq(weir_source_next(source, &request, &more, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, "count:7");
	weir_source_destroy(source);
	ck_assert_int_eq(destroyed, 1);
	weir_source_destroy(NULL);
}
END_TEST

START_TEST(what_cannot_be_restored_says_so)
{
	int destroyed = 0;
	countdown c = {{&countdown_type}, 3, false, &destroyed};
	weir_error error;
	int state = 1;
	ck_assert_int_eq(weir_source_restore(&c.source, &state, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "countdown"));
	ck_assert_int_eq(c.left, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workload_source");
	TCase *dispatch = tcase_create("dispatch");
	tcase_add_test(dispatch, calls_reach_the_type);
	tcase_add_test(dispatch, what_cannot_be_restored_says_so);
	suite_add_tcase(suite, dispatch);
	return test_main(suite);
}
