#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "study/plan_search.h"

typedef struct candidate {
	double price;
	size_t point;
	int64_t rung; /* that it has to pass next; halving->rungs: it is through */
	weir_plan_verdict verdict;
} candidate;

typedef struct search {
	const weir_plan_halving *halving;
	const weir_plan_judge *judge;
	double target;
	candidate *candidates; /* those that are in, by price, then by number */
	size_t count;
	size_t *chosen;
	weir_plan_trial *trials;
	weir_plan_verdict *verdicts;
	bool *out;
} search;

static int by_price(const void *a, const void *b)
{
	const candidate *x = a;
	const candidate *y = b;
	if (x->price != y->price) {
		return x->price < y->price ? -1 : 1;
	}
	return (x->point > y->point) - (x->point < y->point);
}

static int by_merit(const void *a, const void *b)
{
	const weir_plan_answer *x = a;
	const weir_plan_answer *y = b;
	if (x->verdict.price != y->verdict.price) {
		return x->verdict.price < y->verdict.price ? -1 : 1;
	}
	if (x->verdict.cost != y->verdict.cost) {
		return x->verdict.cost < y->verdict.cost ? -1 : 1;
	}
	return (x->point > y->point) - (x->point < y->point);
}

/* The cheapest that are not through. None dearer than the `most`th that is through matters. */
static size_t choose(search *s, size_t most)
{
	size_t chosen = 0;
	size_t through = 0;
	double limit = (double)INFINITY;
	for (size_t i = 0; i < s->count && s->candidates[i].price <= limit; i++) {
		if (s->candidates[i].rung == s->halving->rungs) {
			through++;
			limit = through == most ? s->candidates[i].price : limit;
		} else if (chosen < (size_t)s->halving->batch) {
			s->chosen[chosen++] = i;
		}
	}
	return chosen;
}

static weir_status climb(search *s, size_t chosen, weir_error *error)
{
	for (size_t k = 0; k < chosen; k++) {
		const candidate *c = &s->candidates[s->chosen[k]];
		s->trials[k] = (weir_plan_trial){
		    .point = c->point,
		    .value = (double)NAN,
		    .share = pow(s->halving->factor, (double)(c->rung + 1 - s->halving->rungs)),
		    .target = s->target};
	}
	weir_status status = s->judge->judge(s->judge->context, s->trials, chosen, s->verdicts, error);
	for (size_t k = 0; status == WEIR_OK && k < chosen; k++) {
		candidate *c = &s->candidates[s->chosen[k]];
		c->verdict = s->verdicts[k];
		c->rung++;
		s->out[c->point] = !s->verdicts[k].keeps;
	}
	return status;
}

static void drop(search *s)
{
	size_t kept = 0;
	for (size_t i = 0; i < s->count; i++) {
		if (!s->out[s->candidates[i].point]) {
			s->candidates[kept++] = s->candidates[i];
		}
	}
	s->count = kept;
}

static weir_status rank(const search *s, size_t most, weir_plan_answer *answers, size_t *found,
                        weir_error *error)
{
	weir_plan_answer *through = weir_allocate(s->count + 1, sizeof *through);
	if (through == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the search");
	}
	size_t count = 0;
	for (size_t i = 0; i < s->count; i++) {
		if (s->candidates[i].rung == s->halving->rungs) {
			through[count] = (weir_plan_answer){.found = true,
			                                    .point = s->candidates[i].point,
			                                    .value = (double)NAN,
			                                    .beyond = (double)NAN,
			                                    .verdict = s->candidates[i].verdict};
			through[count++].verdict.price = s->candidates[i].price;
		}
	}
	qsort(through, count, sizeof *through, by_merit);
	*found = count < most ? count : most;
	for (size_t i = 0; i < *found; i++) {
		answers[i] = through[i];
	}
	free(through);
	return WEIR_OK;
}

weir_status weir_plan_halve(const weir_plan_halving *halving, const double *prices, size_t points,
                            double target, const weir_plan_judge *judge, bool *out, size_t most,
                            weir_plan_answer *answers, size_t *found, weir_error *error)
{
	search s = {
	    .halving = halving,
	    .judge = judge,
	    .target = target,
	    .candidates = weir_allocate(points, sizeof *s.candidates),
	    .chosen = weir_allocate(points, sizeof *s.chosen),
	    .trials = weir_allocate(points, sizeof *s.trials),
	    .verdicts = weir_allocate(points, sizeof *s.verdicts),
	    .out = out,
	};
	*found = 0;
	weir_status status = WEIR_OK;
	if (s.candidates == NULL || s.chosen == NULL || s.trials == NULL || s.verdicts == NULL) {
		status = weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the search");
	} else {
		for (size_t p = 0; p < points; p++) {
			if (!out[p]) {
				s.candidates[s.count++] = (candidate){.price = prices[p], .point = p};
			}
		}
		qsort(s.candidates, s.count, sizeof *s.candidates, by_price);
	}
	for (size_t chosen; status == WEIR_OK && (chosen = choose(&s, most)) > 0;) {
		status = climb(&s, chosen, error);
		drop(&s);
	}
	status = status == WEIR_OK ? rank(&s, most, answers, found, error) : status;
	free(s.candidates);
	free(s.chosen);
	free(s.trials);
	free(s.verdicts);
	return status;
}

double weir_plan_sure_share(size_t kept, size_t runs, double confidence)
{
	return kept == 0
	           ? 0.0
	           : gsl_cdf_beta_Pinv(1.0 - confidence, (double)kept, (double)(runs - kept) + 1.0);
}
