#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "study/plan_search.h"

/* Of one point: `good` keeps the SLO, `bad` does not. */
typedef struct bracket {
	bool open;
	double good, bad;
	weir_plan_verdict verdict; /* at `good` */
} bracket;

typedef struct bisection {
	const weir_plan_axis *axis;
	const weir_plan_judge *judge;
	size_t points;
	double target;
	bracket *brackets;
	weir_plan_trial *trials;
	weir_plan_verdict *verdicts;
} bisection;

static bool is_closed(const weir_plan_axis *axis, const bracket *b)
{
	double width = fabs(b->good - b->bad);
	/* A good end of 0 has no relative width. */
	double enough = fmax(axis->tolerance * fabs(b->good), 1e-6 * (axis->to - axis->from));
	return width <= (axis->integer ? 1.0 : enough);
}

static double middle_of(const weir_plan_axis *axis, const bracket *b)
{
	double middle = b->bad + (b->good - b->bad) / 2.0;
	return axis->integer ? floor(middle) : middle;
}

/* One round: `value_of` of every open bracket. */
static weir_status try_values(bisection *b,
                              double (*value_of)(const weir_plan_axis *axis, const bracket *at),
                              size_t *count, weir_error *error)
{
	*count = 0;
	for (size_t p = 0; p < b->points; p++) {
		if (b->brackets[p].open) {
			b->trials[(*count)++] = (weir_plan_trial){.point = p,
			                                          .value = value_of(b->axis, &b->brackets[p]),
			                                          .share = 1.0,
			                                          .target = b->target};
		}
	}
	return *count == 0 ? WEIR_OK
	                   : b->judge->judge(b->judge->context, b->trials, *count, b->verdicts, error);
}

static double good_end(const weir_plan_axis *axis, const bracket *at)
{
	(void)at;
	return axis->goal == WEIR_PLAN_SMALLEST ? axis->to : axis->from;
}

static double bad_end(const weir_plan_axis *axis, const bracket *at)
{
	(void)at;
	return axis->goal == WEIR_PLAN_SMALLEST ? axis->from : axis->to;
}

/* The end that is easiest to keep, then the other one; what they settle is closed. */
static weir_status try_ends(bisection *b, weir_plan_answer *answers, weir_error *error)
{
	size_t count;
	weir_status status = try_values(b, good_end, &count, error);
	for (size_t i = 0; status == WEIR_OK && i < count; i++) {
		size_t p = b->trials[i].point;
		b->brackets[p] = (bracket){
		    .open = b->verdicts[i].keeps, .good = b->trials[i].value, .verdict = b->verdicts[i]};
		answers[p] = (weir_plan_answer){.found = b->verdicts[i].keeps,
		                                .point = p,
		                                .value = b->trials[i].value,
		                                .beyond = (double)NAN,
		                                .verdict = b->verdicts[i]};
	}
	status = status == WEIR_OK ? try_values(b, bad_end, &count, error) : status;
	for (size_t i = 0; status == WEIR_OK && i < count; i++) {
		bracket *tried = &b->brackets[b->trials[i].point];
		tried->bad = b->trials[i].value;
		if (b->verdicts[i].keeps) {
			answers[b->trials[i].point].value = b->trials[i].value;
			answers[b->trials[i].point].verdict = b->verdicts[i];
			tried->open = false;
		}
	}
	return status;
}

static void close_brackets(bisection *b, weir_plan_answer *answers)
{
	for (size_t p = 0; p < b->points; p++) {
		bracket *at = &b->brackets[p];
		if (at->open && is_closed(b->axis, at)) {
			answers[p].value = at->good;
			answers[p].beyond = at->bad;
			answers[p].verdict = at->verdict;
			at->open = false;
		}
	}
}

static weir_status bisect(bisection *b, weir_plan_answer *answers, weir_error *error)
{
	for (size_t p = 0; p < b->points; p++) {
		b->brackets[p].open = true;
	}
	weir_status status = try_ends(b, answers, error);
	size_t count = 1;
	while (status == WEIR_OK && count > 0) {
		close_brackets(b, answers);
		status = try_values(b, middle_of, &count, error);
		for (size_t i = 0; status == WEIR_OK && i < count; i++) {
			bracket *tried = &b->brackets[b->trials[i].point];
			if (b->verdicts[i].keeps) {
				tried->good = b->trials[i].value;
				tried->verdict = b->verdicts[i];
			} else {
				tried->bad = b->trials[i].value;
			}
		}
	}
	return status;
}

weir_status weir_plan_bisect(const weir_plan_axis *axis, size_t points, double target,
                             const weir_plan_judge *judge, weir_plan_answer *answers,
                             weir_error *error)
{
	bisection b = {
	    .axis = axis,
	    .judge = judge,
	    .points = points,
	    .target = target,
	    .brackets = weir_allocate(points, sizeof *b.brackets),
	    .trials = weir_allocate(points, sizeof *b.trials),
	    .verdicts = weir_allocate(points, sizeof *b.verdicts),
	};
	weir_status status =
	    b.brackets != NULL && b.trials != NULL && b.verdicts != NULL
	        ? bisect(&b, answers, error)
	        : weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the search");
	free(b.brackets);
	free(b.trials);
	free(b.verdicts);
	return status;
}
