#include "metrics/overdue.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "serving/lifecycle.h"

struct weir_overdue {
	const weir_serving *serving;
	const weir_slo *slo;
	weir_unloaded *unloaded;
	int64_t *scratch;
	size_t scratch_capacity;
};

/* One look at the requests of an application. */
typedef struct look {
	weir_overdue *overdue;
	uint32_t application;
	double now, wait;
	int64_t uncounted_tokens; /* of those made, not intervals: the first, or none */
	weir_overdue_counts counts;
} look;

weir_overdue *weir_overdue_create(const weir_serving *serving, const weir_slo *slo,
                                  weir_unloaded *unloaded)
{
	weir_overdue *overdue = weir_allocate(1, sizeof *overdue);
	if (overdue != NULL) {
		overdue->serving = serving;
		overdue->slo = slo;
		overdue->unloaded = unloaded;
	}
	return overdue;
}

void weir_overdue_destroy(weir_overdue *overdue)
{
	if (overdue != NULL) {
		free(overdue->scratch);
		free(overdue);
	}
}

static void look_at(void *context, const weir_request_view *view)
{
	look *l = context;
	const weir_slo_limits *limits = &l->overdue->slo->config->per_request;
	const weir_slowdowns unloaded =
	    weir_unloaded_of(l->overdue->unloaded, l->application, view->prompt_tokens);
	if (isnan(view->prompt_start)) {
		l->counts.queued++;
		l->wait += l->now - view->arrival;
	}
	if (isnan(view->prompt_end)) {
		l->counts.ttft += (l->now - view->arrival) / unloaded.ttft > limits->ttft;
	} else {
		int64_t intervals = view->tokens - l->uncounted_tokens;
		double so_far = (l->now - view->prompt_end) / (double)(intervals > 1 ? intervals : 1);
		l->counts.tbt += so_far / unloaded.tbt > limits->tbt;
	}
}

bool weir_overdue_count(weir_overdue *overdue, uint32_t application, double now,
                        weir_overdue_counts *counts)
{
	if (!weir_reserve_raw((void **)&overdue->scratch, &overdue->scratch_capacity,
	                      weir_serving_instance_slots(overdue->serving),
	                      sizeof *overdue->scratch)) {
		return false;
	}
	look l = {
	    .overdue = overdue,
	    .application = application,
	    .now = now,
	    .uncounted_tokens = overdue->slo->config->baseline == WEIR_BASELINE_SPLITWISE ? 0 : 1,
	};
	weir_serving_visit(overdue->serving, application, overdue->scratch, look_at, &l);
	*counts = l.counts;
	counts->queued_wait = l.counts.queued > 0 ? l.wait / (double)l.counts.queued : 0.0;
	return true;
}
