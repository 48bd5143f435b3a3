/* Every check of a decision holds of figures that agree, and sees each that does not. */
#include <math.h>
#include <string.h>

#include "rl/scaling_checks.h"
#include "support/test_support.h"

static char message[WEIR_ERROR_MESSAGE_SIZE];
static weir_view view;
static weir_workload_count expected;
static weir_throughput_books before, after;
static weir_decision decision;
static weir_applied applied;
static weir_manager_books books, books_after;

static void setup(void)
{
	message[0] = '\0';
	expected = (weir_workload_count){30, true, 3000, 600};
	view = (weir_view){.now = 20,
	                   .interval = 10,
	                   .arrivals = 30,
	                   .prompt_tokens_arrived = 3000,
	                   .output_tokens_arrived = 600,
	                   .completed = 20,
	                   .failed = 1,
	                   .rejected = 2,
	                   .in_system = 17};
	view.pools[WEIR_TAG_PROMPT].prompt_tokens = 2000;
	view.pools[WEIR_TAG_TOKEN].output_tokens = 400;
	view.pools[WEIR_TAG_MIXED].prompt_tokens = 100;
	before = (weir_throughput_books){
	    .time = 10,
	    .serving = {.arrived = 50, .completed = 40, .in_system = 10},
	    .prompt_tokens = 5000,
	    .output_tokens = 900,
	    .whole = true,
	};
	after = (weir_throughput_books){
	    .time = 20,
	    .serving = {.arrived = 80,
	                .completed = 60,
	                .failed = 1,
	                .rejected = 2,
	                .in_system = 17,
	                .prompt_tokens_lost = 50,
	                .prompt_tokens_completed = 6000,
	                .prompt_tokens_arrived = 8000,
	                .output_tokens_completed = 1200,
	                .output_tokens_arrived = 1500},
	    .prompt_tokens = 7100,
	    .output_tokens = 1300,
	    .whole = true,
	};
	decision = (weir_decision){.migrate = 1};
	weir_decide_change(&decision, WEIR_TAG_PROMPT, WEIR_ANY_TYPE, 3);
	weir_decide_size(&decision, WEIR_TAG_TOKEN, 4);
	/* 5 and 8 instances; one moves, then 2 of 3 are added and 3 taken away. */
	applied = (weir_applied){.migration = {1, 1, 1, WEIR_REFUSED_NONE},
	                         .pools = {{3, 3, 2, WEIR_REFUSED_MAX_TOTAL},
	                                   {-3, -3, -3, WEIR_REFUSED_NONE},
	                                   {0, 0, 0, WEIR_REFUSED_NONE}}};
	books = (weir_manager_books){.size = {5, 8, 0}, .counters = {.started = 9, .revived = 2}};
	books_after = (weir_manager_books){
	    .size = {8, 4, 0},
	    .counters = {.started = 10, .revived = 3, .drained = 2, .cancelled = 1, .flipped = 1}};
}

START_TEST(workload)
{
	ck_assert(weir_check_workload(&expected, &view, message));
	view.arrivals = 29;
	ck_assert(!weir_check_workload(&expected, &view, message));
	ck_assert_ptr_nonnull(strstr(message, "29 requests arrived in the 10 s before 20 s"));
	ck_assert_ptr_nonnull(strstr(message, "the workload has 30"));
	view.arrivals = 30;
	view.prompt_tokens_arrived++;
	ck_assert(!weir_check_workload(&expected, &view, message));
	view.prompt_tokens_arrived--;
	view.output_tokens_arrived--;
	ck_assert(!weir_check_workload(&expected, &view, message));
	ck_assert_ptr_nonnull(strstr(message, "the workload has 3000 and 600"));
	expected.sized = false;
	ck_assert(weir_check_workload(&expected, &view, message));
	view.arrivals = 31;
	ck_assert(!weir_check_workload(&expected, &view, message));
}
END_TEST

/* Each figure by itself; the message names it. */
START_TEST(throughput)
{
	ck_assert(weir_check_throughput(&before, &after, &view, message));
	double *const shown[] = {&view.now,
	                         &view.interval,
	                         &view.arrivals,
	                         &view.completed,
	                         &view.failed,
	                         &view.rejected,
	                         &view.pools[WEIR_TAG_MIXED].prompt_tokens,
	                         &view.pools[WEIR_TAG_PROMPT].output_tokens};
	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
		*shown[i] += 1;
		ck_assert(!weir_check_throughput(&before, &after, &view, message));
		*shown[i] -= 1;
	}
	view.in_system++;
	ck_assert(!weir_check_throughput(&before, &after, &view, message));
	ck_assert_ptr_nonnull(strstr(message, "18 requests in the system"));
	view.in_system--;
	ck_assert(weir_check_throughput(&before, &after, &view, message));
	/* What does not keep step with the view is seen as well: an interval of two. */
	before.time = 0;
	ck_assert(!weir_check_throughput(&before, &after, &view, message));
	ck_assert_ptr_nonnull(strstr(message, "the view is of the 10 s before 20 s"));
}
END_TEST

/* The books themselves: a request that is lost, tokens that come from nowhere or are lost. */
START_TEST(conservation)
{
	after.serving.failed--;
	ck_assert(!weir_check_throughput(&before, &after, &view, message));
	ck_assert_str_eq(message, "80 requests arrived, 62 ended and 17 are in the system");
	after.serving.failed++;
	after.serving.prompt_tokens_completed = 7051;
	ck_assert(!weir_check_throughput(&before, &after, &view, message));
	ck_assert_ptr_nonnull(strstr(message, "7050 prompt tokens were processed and not lost"));
	after.serving.prompt_tokens_completed = 7050;
	ck_assert(weir_check_throughput(&before, &after, &view, message));
	after.serving.output_tokens_arrived = 1299;
	ck_assert(!weir_check_throughput(&before, &after, &view, message));
	ck_assert_ptr_nonnull(strstr(message, "1300 output tokens"));
}
END_TEST

/* Beside other applications the view shows a part of what the books do. */
START_TEST(several_applications)
{
	after.whole = false;
	view.arrivals = 10;
	view.in_system = 3;
	ck_assert(weir_check_throughput(&before, &after, &view, message));
	view.arrivals = 31;
	ck_assert(!weir_check_throughput(&before, &after, &view, message));
}
END_TEST

START_TEST(reward)
{
	const double terms[3] = {-1, 0.25, 1e-3};
	ck_assert(weir_check_reward(-0.749, terms, 3, message));
	ck_assert(weir_check_reward(-0.749 + 5e-10, terms, 3, message));
	ck_assert(!weir_check_reward(-0.749 + 2e-9, terms, 3, message));
	ck_assert(!weir_check_reward(-0.75, terms, 3, message));
	ck_assert_ptr_nonnull(strstr(message, "its 3 terms sum to -0.749"));
	const double unknown[2] = {NAN, 1};
	ck_assert(!weir_check_reward(NAN, unknown, 2, message));
	const double endless[1] = {-INFINITY};
	ck_assert(!weir_check_reward(-INFINITY, endless, 1, message));
}
END_TEST

static bool check(void)
{
	return weir_check_applied(&decision, &applied, &books, &books_after, message);
}

START_TEST(action)
{
	ck_assert_msg(check(), "%s", message);
	/* Another action than was given. */
	decision.changes[0].amount = 2;
	ck_assert(!check());
	ck_assert_str_eq(message, "prompt: the action asks for 2, 3 were asked for and 2 done");
	decision.changes[0].amount = 3;
	decision.migrate = 2;
	ck_assert(!check());
	decision.migrate = 1;
	decision.changes[1].amount = 5;
	ck_assert(!check());
	decision.changes[1].amount = 4;
	/* More than was asked for, or the opposite. */
	applied.pools[WEIR_TAG_PROMPT].done = 4;
	books_after.size[WEIR_TAG_PROMPT] = 10;
	books_after.counters.started = 12;
	ck_assert(!check());
	applied.pools[WEIR_TAG_PROMPT].done = -1;
	books_after.size[WEIR_TAG_PROMPT] = 5;
	books_after.counters.started = 9;
	books_after.counters.revived = 2;
	books_after.counters.drained = 3;
	ck_assert(!check());
	ck_assert_ptr_nonnull(strstr(message, "3 were asked for and -1 done"));
}
END_TEST

/* What is said to be done, and what the manager has. */
START_TEST(action_not_shown)
{
	books_after.size[WEIR_TAG_TOKEN]++;
	ck_assert(!check());
	ck_assert_ptr_nonnull(strstr(message, "token: -3 instances were done on 8, which makes 4"));
	books_after.size[WEIR_TAG_TOKEN]--;
	uint64_t *const counters[] = {&books_after.counters.started, &books_after.counters.revived,
	                              &books_after.counters.drained, &books_after.counters.cancelled,
	                              &books_after.counters.flipped};
	for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
		(*counters[i])++;
		ck_assert(!check());
		ck_assert_ptr_nonnull(strstr(message, "the manager counted"));
		(*counters[i])--;
	}
	ck_assert(check());
}
END_TEST

/* A decision that is put off must leave everything as it is. */
START_TEST(put_off)
{
	applied = (weir_applied){.put_off = true,
	                         .migration = {.asked = 1},
	                         .pools = {{.asked = 3}, {.asked = -4}, {.asked = 0}}};
	ck_assert(!check());
	books_after = books;
	ck_assert(check());
	applied.pools[WEIR_TAG_PROMPT].asked = 2;
	ck_assert(!check());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling_checks");
	TCase *cases = tcase_create("checks");
	tcase_add_checked_fixture(cases, setup, NULL);
	tcase_add_test(cases, workload);
	tcase_add_test(cases, throughput);
	tcase_add_test(cases, conservation);
	tcase_add_test(cases, several_applications);
	tcase_add_test(cases, reward);
	tcase_add_test(cases, action);
	tcase_add_test(cases, action_not_shown);
	tcase_add_test(cases, put_off);
	suite_add_tcase(suite, cases);
	return test_main(suite);
}
