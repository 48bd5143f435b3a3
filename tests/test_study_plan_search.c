/* The searches of a plan, with judges whose answers are known. */
#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "study/plan_search.h"
#include "support/test_support.h"

enum { POINTS = 60 };

/* Keeps the SLO up to, or from, a threshold of each point. */
typedef struct threshold_judge {
	const double *thresholds;
	bool largest;
	size_t trials;
} threshold_judge;

static weir_status judge_threshold(void *context, const weir_plan_trial *trials, size_t count,
                                   weir_plan_verdict *verdicts, weir_error *error)
{
	(void)error;
	threshold_judge *judge = context;
	for (size_t i = 0; i < count; i++) {
		double threshold = judge->thresholds[trials[i].point];
		double value = trials[i].value;
		ck_assert_double_eq(trials[i].share, 1.0);
		ck_assert_double_eq(trials[i].target, 0.5);
		verdicts[i] = (weir_plan_verdict){
		    .keeps = judge->largest ? value <= threshold : value >= threshold, .price = value};
		judge->trials++;
	}
	return WEIR_OK;
}

static void bisect(const weir_plan_axis *axis, const double *thresholds, size_t points,
                   threshold_judge *judge, weir_plan_answer *answers)
{
	*judge =
	    (threshold_judge){.thresholds = thresholds, .largest = axis->goal == WEIR_PLAN_LARGEST};
	weir_error error = {0};
	const weir_plan_judge of = {.context = judge, .judge = judge_threshold};
	ck_assert_ok(weir_plan_bisect(axis, points, 0.5, &of, answers, &error), &error);
}

START_TEST(whole_numbers_are_found_exactly)
{
	/* of 1..64: an inner one, the first, the last, none, a neighbour of each end */
	static const double thresholds[] = {23.5, 1.0, 64.0, 65.0, 2.0, 63.5};
	static const double smallest[] = {24, 1, 64, NAN, 2, 64};
	weir_plan_axis axis = {.from = 1, .to = 64, .integer = true, .goal = WEIR_PLAN_SMALLEST};
	threshold_judge judge;
	weir_plan_answer answers[6];
	bisect(&axis, thresholds, 6, &judge, answers);
	for (size_t i = 0; i < 6; i++) {
		ck_assert_uint_eq(answers[i].point, i);
		ck_assert_int_eq(answers[i].found, !isnan(smallest[i]));
		if (answers[i].found) {
			ck_assert_double_eq(answers[i].value, smallest[i]);
			ck_assert_double_eq(answers[i].verdict.price, smallest[i]);
			ck_assert(answers[i].verdict.keeps);
		}
	}
	ck_assert_double_eq(answers[0].beyond, 23.0);
	ck_assert(isnan(answers[1].beyond));
	ck_assert_double_eq(answers[2].beyond, 63.0);
	/* Both ends, then six halvings of 63 at most, where there is something to halve. */
	ck_assert_uint_le(judge.trials, 4 * 8 + 2 + 1);

	static const double below[] = {23.5, 0.5, 1.0, 64.0, 63.0};
	static const double largest[] = {23, NAN, 1, 64, 63};
	axis.goal = WEIR_PLAN_LARGEST;
	bisect(&axis, below, 5, &judge, answers);
	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(answers[i].found, !isnan(largest[i]));
		if (answers[i].found) {
			ck_assert_double_eq(answers[i].value, largest[i]);
		}
	}
	ck_assert_double_eq(answers[0].beyond, 24.0);
	ck_assert_double_eq(answers[2].beyond, 2.0);
	ck_assert(isnan(answers[3].beyond));
}
END_TEST

START_TEST(numbers_are_found_within_the_tolerance)
{
	static const double thresholds[] = {0.37, 41.0, 99.99};
	const weir_plan_axis axis = {
	    .from = 0, .to = 100, .goal = WEIR_PLAN_LARGEST, .tolerance = 0.01};
	threshold_judge judge;
	weir_plan_answer answers[3];
	bisect(&axis, thresholds, 3, &judge, answers);
	for (size_t i = 0; i < 3; i++) {
		ck_assert(answers[i].found);
		ck_assert_double_le(answers[i].value, thresholds[i]);
		ck_assert_double_gt(answers[i].beyond, thresholds[i]);
		ck_assert_double_le(answers[i].beyond - answers[i].value, 0.01 * answers[i].value);
	}
	/* 100 to below 0.01 * 41: eight halvings; to below 0.01 * 0.37: fifteen. */
	ck_assert_uint_le(judge.trials, 3 * 2 + 15 + 8 + 7);
	/* Nothing but 0 keeps it: the search ends all the same. */
	static const double zero[] = {0.0};
	bisect(&axis, zero, 1, &judge, answers);
	ck_assert_double_eq(answers[0].value, 0.0);
	ck_assert_uint_le(judge.trials, 25);
}
END_TEST

/* A point has a quality; on a prefix it looks better than it is. */
typedef struct quality_judge {
	const double *qualities, *costs, *prices;
	size_t trials, whole;
	double dearest;
} quality_judge;

static weir_status judge_quality(void *context, const weir_plan_trial *trials, size_t count,
                                 weir_plan_verdict *verdicts, weir_error *error)
{
	(void)error;
	quality_judge *judge = context;
	for (size_t i = 0; i < count; i++) {
		size_t p = trials[i].point;
		double shown = judge->qualities[p] + 0.3 * (1.0 - trials[i].share);
		verdicts[i] = (weir_plan_verdict){
		    .keeps = shown >= trials[i].target, .price = judge->prices[p], .cost = judge->costs[p]};
		judge->trials++;
		judge->whole += trials[i].share == 1.0;
		judge->dearest = fmax(judge->dearest, judge->prices[p]);
	}
	return WEIR_OK;
}

static bool better(const quality_judge *judge, size_t a, size_t b)
{
	if (judge->prices[a] != judge->prices[b]) {
		return judge->prices[a] < judge->prices[b];
	}
	return judge->costs[a] != judge->costs[b] ? judge->costs[a] < judge->costs[b] : a < b;
}

/* The best point that keeps the target, other than `besides`; POINTS: none. */
static size_t best_of_all(const quality_judge *judge, double target, size_t besides)
{
	size_t best = POINTS;
	for (size_t p = 0; p < POINTS; p++) {
		if (p != besides && judge->qualities[p] >= target &&
		    (best == POINTS || better(judge, p, best))) {
			best = p;
		}
	}
	return best;
}

/* Prices are few, so that many points share one. */
static void draw(uint64_t seed, double *qualities, double *costs, double *prices)
{
	for (size_t p = 0; p < POINTS; p++) {
		prices[p] = floor(10.0 * weir_stream_uniform(seed, "price", p));
		costs[p] = floor(4.0 * weir_stream_uniform(seed, "cost", p));
		qualities[p] = 0.8 * weir_stream_uniform(seed, "quality", p) + 0.02 * prices[p];
	}
}

START_TEST(halving_finds_what_trying_all_would)
{
	static const double targets[] = {0.5, 0.7, 0.85, 1.5};
	static const int64_t batches[] = {1, 7, 1000};
	for (uint64_t seed = 0; seed < 90; seed++) {
		double qualities[POINTS];
		double costs[POINTS];
		double prices[POINTS];
		bool out[POINTS] = {false};
		draw(seed, qualities, costs, prices);
		const weir_plan_halving halving = {
		    .rungs = 1 + (int64_t)(seed % 5), .factor = 2, .batch = batches[seed % 3]};
		for (size_t t = 0; t < 4; t++) {
			quality_judge judge = {.qualities = qualities, .costs = costs, .prices = prices};
			const weir_plan_judge of = {.context = &judge, .judge = judge_quality};
			weir_plan_answer answers[2];
			size_t found = 9;
			weir_error error = {0};
			ck_assert_ok(weir_plan_halve(&halving, prices, POINTS, targets[t], &of, out, 2, answers,
			                             &found, &error),
			             &error);
			size_t first = best_of_all(&judge, targets[t], POINTS);
			size_t second = best_of_all(&judge, targets[t], first);
			ck_assert_uint_eq(found,
			                  (size_t)(first < POINTS) + (first < POINTS && second < POINTS));
			if (found > 0) {
				ck_assert_uint_eq(answers[0].point, first);
			}
			if (found > 1) {
				ck_assert_uint_eq(answers[1].point, second);
				/* One by one, nothing dearer than the runner-up is tried. */
				ck_assert(halving.batch > 1 || judge.dearest <= prices[second]);
			}
		}
	}
}
END_TEST

START_TEST(hopeless_points_go_early)
{
	double qualities[POINTS];
	double costs[POINTS] = {0};
	double prices[POINTS];
	bool out[POINTS] = {false};
	for (size_t p = 0; p < POINTS; p++) {
		prices[p] = (double)p;
		qualities[p] = p < 50 ? 0.1 : 0.95;
	}
	quality_judge judge = {.qualities = qualities, .costs = costs, .prices = prices};
	const weir_plan_judge of = {.context = &judge, .judge = judge_quality};
	const weir_plan_halving halving = {.rungs = 4, .factor = 2, .batch = 5};
	weir_plan_answer answers[2];
	size_t found;
	weir_error error = {0};
	ck_assert_ok(
	    weir_plan_halve(&halving, prices, POINTS, 0.9, &of, out, 2, answers, &found, &error),
	    &error);
	ck_assert_uint_eq(found, 2);
	ck_assert_uint_eq(answers[0].point, 50);
	ck_assert_uint_eq(answers[1].point, 51);
	/* Fifty that fail their first prefix, five that pass all four rungs. */
	ck_assert_uint_eq(judge.trials, 50 + 5 * 4);
	ck_assert_uint_eq(judge.whole, 5);
	ck_assert(out[49] && !out[50] && !out[59]);
}
END_TEST

START_TEST(sure_shares)
{
	/* All of n: the n-th root of what is left to chance. */
	ck_assert_double_eq_tol(weir_plan_sure_share(5, 5, 0.95), pow(0.05, 0.2), 1e-12);
	ck_assert_double_eq_tol(weir_plan_sure_share(1, 1, 0.9), 0.1, 1e-12);
	ck_assert_double_eq(weir_plan_sure_share(0, 4, 0.95), 0.0);
	/* P(at least 9 of 10) = 10 p^9 - 9 p^10 = 0.05 at the bound. */
	double p = weir_plan_sure_share(9, 10, 0.95);
	ck_assert_double_eq_tol(10 * pow(p, 9) - 9 * pow(p, 10), 0.05, 1e-9);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan_search");
	TCase *tests = tcase_create("searches");
	tcase_add_test(tests, whole_numbers_are_found_exactly);
	tcase_add_test(tests, numbers_are_found_within_the_tolerance);
	tcase_add_test(tests, halving_finds_what_trying_all_would);
	tcase_add_test(tests, hopeless_points_go_early);
	tcase_add_test(tests, sure_shares);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
