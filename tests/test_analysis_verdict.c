/* The verdict of made-up runs, of which it is known by hand which pool held them up. */
#include <math.h>
#include <string.h>

#include "analysis/verdict.h"
#include "support/test_support.h"

enum { BINS = 4 };

/* Two pools; requests were late in the second and the third interval, three times as many in the
 * third. */
typedef struct case_pools {
	double late[BINS];
	double waiting[2][BINS], kv[2][BINS], batch[2][BINS];
	weir_verdict_pool pools[2];
	weir_verdict_input input;
} case_pools;

static void make_case(case_pools *c)
{
	static const double late[BINS] = {0, 10, 30, 0};
	memset(c, 0, sizeof *c);
	memcpy(c->late, late, sizeof late);
	for (size_t p = 0; p < 2; p++) {
		c->pools[p] = (weir_verdict_pool){.name = p == 0 ? "prompt" : "token",
		                                  .waiting = c->waiting[p],
		                                  .load_kv = c->kv[p],
		                                  .load_batch = c->batch[p]};
	}
	c->input = (weir_verdict_input){.arrived = 1000,
	                                .completed = 1000,
	                                .attainment = 0.96,
	                                .slo_met = 0,
	                                .cost_usd = 50,
	                                .duration = 1800,
	                                .late = c->late,
	                                .bins = BINS,
	                                .pools = c->pools,
	                                .pool_count = 2};
}

static void expect_text(const weir_verdict *verdict, const char *part)
{
	ck_assert_msg(strstr(verdict->text, part) != NULL, "no '%s' in: %s", part, verdict->text);
}

START_TEST(the_longest_queue_while_late_is_the_bottleneck)
{
	case_pools c;
	make_case(&c);
	/* Prompt: (10 * 2 + 30 * 6) / 40 = 5; token: long queues, but when nobody was late. */
	static const double prompt[BINS] = {0, 2, 6, 0};
	static const double token[BINS] = {90, 3, 3, 90};
	memcpy(c.waiting[0], prompt, sizeof prompt);
	memcpy(c.waiting[1], token, sizeof token);
	c.kv[1][2] = 0.99; /* a queue says more than a load */
	weir_verdict verdict = weir_verdict_of(&c.input);
	ck_assert_int_eq(verdict.bottleneck, WEIR_BOTTLENECK_WAITING);
	ck_assert_uint_eq(verdict.pool, 0);
	ck_assert_double_eq(verdict.figure, 5);
	ck_assert_int_eq(verdict.good, 0);
	expect_text(&verdict, "bottleneck: the prompt pool, where 5 tasks per instance waited while");
	expect_text(&verdict, "96.00 % of requests within their own limits");
	expect_text(&verdict, "cost 50.00 USD in 00:30:00 (100 USD/h)");
}
END_TEST

START_TEST(without_a_queue_the_highest_load_is)
{
	case_pools c;
	make_case(&c);
	/* Below one waiting task: (10 * 0 + 30 * 1.3) / 40 = 0.975. */
	c.waiting[0][2] = 1.3;
	c.kv[1][1] = 0.4;
	c.kv[1][2] = 0.8; /* (10 * 0.4 + 30 * 0.8) / 40 = 0.7 */
	c.batch[0][1] = 0.6;
	c.batch[0][2] = 0.6;
	weir_verdict verdict = weir_verdict_of(&c.input);
	ck_assert_int_eq(verdict.bottleneck, WEIR_BOTTLENECK_KV);
	ck_assert_uint_eq(verdict.pool, 1);
	ck_assert_double_eq_tol(verdict.figure, 0.7, 1e-15);
	expect_text(&verdict, "the token pool, with 70 % of its KV memory promised while");
	c.batch[0][2] = 0.8; /* 0.75 */
	verdict = weir_verdict_of(&c.input);
	ck_assert_int_eq(verdict.bottleneck, WEIR_BOTTLENECK_BATCH);
	ck_assert_uint_eq(verdict.pool, 0);
	expect_text(&verdict, "the prompt pool, with its batches 75 % full while");
	/* One task per instance is a queue. */
	c.waiting[0][1] = 0.1;
	verdict = weir_verdict_of(&c.input);
	ck_assert_int_eq(verdict.bottleneck, WEIR_BOTTLENECK_WAITING);
	ck_assert_double_eq(verdict.figure, 1);
}
END_TEST

START_TEST(no_pool_may_stand_out)
{
	case_pools c;
	make_case(&c);
	c.kv[0][2] = 0.66; /* 0.495 */
	weir_verdict verdict = weir_verdict_of(&c.input);
	ck_assert_int_eq(verdict.bottleneck, WEIR_BOTTLENECK_UNCLEAR);
	ck_assert(isnan(verdict.figure));
	expect_text(&verdict, "no pool stands out");
	c.kv[0][2] = 0.67; /* 0.5025 */
	ck_assert_int_eq(weir_verdict_of(&c.input).bottleneck, WEIR_BOTTLENECK_KV);
}
END_TEST

START_TEST(gaps_are_left_out)
{
	case_pools c;
	make_case(&c);
	c.waiting[1][1] = 3;
	c.waiting[1][2] = (double)NAN; /* the pool was not there */
	weir_verdict verdict = weir_verdict_of(&c.input);
	ck_assert_uint_eq(verdict.pool, 1);
	ck_assert_double_eq(verdict.figure, 3);
}
END_TEST

START_TEST(what_is_not_known_is_said)
{
	case_pools c;
	make_case(&c);
	c.input.pool_count = 0;
	weir_verdict verdict = weir_verdict_of(&c.input);
	ck_assert_int_eq(verdict.bottleneck, WEIR_BOTTLENECK_UNKNOWN);
	expect_text(&verdict, "bottleneck not known");
	make_case(&c);
	c.input.late = NULL;
	c.input.slo_met = (double)NAN;
	c.input.attainment = (double)NAN;
	c.input.cost_usd = (double)NAN;
	c.input.slo_problem = "the profile is gone";
	verdict = weir_verdict_of(&c.input);
	ck_assert_int_eq(verdict.good, -1);
	ck_assert_str_eq(verdict.text,
	                 "SLO not judged (the profile is gone); bottleneck not known, as nothing tells "
	                 "which pools were full while requests were late.");
}
END_TEST

START_TEST(a_good_run_has_no_bottleneck)
{
	case_pools c;
	make_case(&c);
	memset(c.late, 0, sizeof c.late);
	c.waiting[0][1] = 50;
	c.input.slo_met = 1;
	c.input.attainment = 1;
	weir_verdict verdict = weir_verdict_of(&c.input);
	ck_assert_int_eq(verdict.good, 1);
	ck_assert_str_eq(verdict.text,
	                 "SLO met: every percentile limit kept; 100.00 % of requests within their own "
	                 "limits; cost 50.00 USD in 00:30:00 (100 USD/h); no bottleneck, as no request "
	                 "was late.");
}
END_TEST

START_TEST(the_worst_limit_is_named)
{
	static const weir_verdict_limit limits[] = {{"p50 TTFT slowdown", 2.5, 2},
	                                            {"p90 TBT slowdown", 3, 1.5},
	                                            {"p99 E2E slowdown", 5, 5},
	                                            {"p99 TBT slowdown", (double)NAN, 5}};
	case_pools c;
	make_case(&c);
	c.input.limits = limits;
	c.input.limit_count = 4;
	weir_verdict verdict = weir_verdict_of(&c.input);
	expect_text(&verdict, "SLO missed: p90 TBT slowdown 3 (1.5 allowed) and 1 more limit; ");
}
END_TEST

START_TEST(losses_come_first)
{
	case_pools c;
	make_case(&c);
	c.input.failed = 3;
	c.input.rejected = 4;
	c.input.completed = 993;
	weir_verdict verdict = weir_verdict_of(&c.input);
	ck_assert(strncmp(verdict.text, "7 of 1000 requests failed or were rejected. SLO", 45) == 0);
	c.input.completed = 0;
	c.input.failed = 996;
	verdict = weir_verdict_of(&c.input);
	ck_assert(strncmp(verdict.text,
	                  "0 of 1000 requests completed: 996 failed, 4 were rejected. SLO", 60) == 0);
	c.input.arrived = 0;
	verdict = weir_verdict_of(&c.input);
	ck_assert_int_eq(verdict.good, -1);
	ck_assert(strncmp(verdict.text, "No request came: there is nothing to judge; cost", 48) == 0);
	c.input.partial = true;
	verdict = weir_verdict_of(&c.input);
	ck_assert(strncmp(verdict.text, "No request ended: ", 18) == 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verdict");
	TCase *tcase = tcase_create("verdict");
	tcase_add_test(tcase, the_longest_queue_while_late_is_the_bottleneck);
	tcase_add_test(tcase, without_a_queue_the_highest_load_is);
	tcase_add_test(tcase, no_pool_may_stand_out);
	tcase_add_test(tcase, gaps_are_left_out);
	tcase_add_test(tcase, what_is_not_known_is_said);
	tcase_add_test(tcase, a_good_run_has_no_bottleneck);
	tcase_add_test(tcase, the_worst_limit_is_named);
	tcase_add_test(tcase, losses_come_first);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
