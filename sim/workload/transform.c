/* The transformations that look at one request at a time. */
#include "workload/transform.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "workload/source_state.h"

/* What the three of them have in common. */
typedef struct transform {
	weir_source source;
	weir_source *inner;
	int64_t passed; /* requests handed out */
	bool ended;
	/* retime */
	double factor, offset;
	/* slice */
	double start, duration;
	int64_t count;
	/* relabel */
	int64_t application;
	bool renumber;
} transform;

typedef struct transform_state {
	int64_t passed;
	bool ended;
} transform_state;

static weir_status retime_next(weir_source *source, weir_request *request, bool *more,
                               weir_error *error)
{
	transform *t = (transform *)source;
	weir_status status = weir_source_next(t->inner, request, more, error);
	if (status != WEIR_OK || !*more) {
		return status;
	}
	double arrival = request->arrival * t->factor + t->offset;
	if (!(arrival >= 0 && isfinite(arrival))) {
		return weir_error_set(
		    error, WEIR_ERROR_INPUT, NULL,
		    "the arrival at %.9g s becomes %.9g s; it must stay at or after 0 and "
		    "finite",
		    request->arrival, arrival);
	}
	request->arrival = arrival;
	return WEIR_OK;
}

static weir_status slice_next(weir_source *source, weir_request *request, bool *more,
                              weir_error *error)
{
	transform *t = (transform *)source;
	*more = false;
	while (!t->ended && t->passed < t->count) {
		weir_request drawn;
		bool any = false;
		weir_status status = weir_source_next(t->inner, &drawn, &any, error);
		if (status != WEIR_OK) {
			return status;
		}
		double since = any ? drawn.arrival - t->start : INFINITY;
		if (!any || since >= t->duration) {
			t->ended = true;
		} else if (since >= 0) {
			*request = drawn;
			request->arrival = since;
			t->passed++;
			*more = true;
			break;
		}
	}
	return WEIR_OK;
}

static weir_status relabel_next(weir_source *source, weir_request *request, bool *more,
                                weir_error *error)
{
	transform *t = (transform *)source;
	weir_status status = weir_source_next(t->inner, request, more, error);
	if (status != WEIR_OK || !*more) {
		return status;
	}
	if (t->application != WEIR_SOURCE_KEEP_APPLICATION) {
		request->application = t->application;
	}
	if (t->renumber) {
		request->id = t->passed;
	}
	t->passed++;
	return WEIR_OK;
}

static weir_status transform_rewind(weir_source *source, weir_error *error)
{
	transform *t = (transform *)source;
	weir_status status = weir_source_rewind(t->inner, error);
	if (status == WEIR_OK) {
		t->passed = 0;
		t->ended = false;
	}
	return status;
}

static size_t transform_state_size(const weir_source *source)
{
	const transform *t = (const transform *)source;
	if (weir_source_state_size(t->inner) == 0) {
		return 0;
	}
	return sizeof(transform_state) + source_state_inner_size(t->inner);
}

static void transform_save(const weir_source *source, void *state)
{
	const transform *t = (const transform *)source;
	char *cursor = state;
	transform_state saved = {.passed = t->passed, .ended = t->ended};
	source_state_put(&cursor, &saved, sizeof saved);
	source_state_put_inner(&cursor, t->inner);
}

static weir_status transform_restore(weir_source *source, const void *state, weir_error *error)
{
	transform *t = (transform *)source;
	const char *cursor = state;
	transform_state saved;
	source_state_get(&cursor, &saved, sizeof saved);
	weir_status status = source_state_get_inner(&cursor, t->inner, error);
	if (status == WEIR_OK) {
		t->passed = saved.passed;
		t->ended = saved.ended;
	}
	return status;
}

static double transform_share_drawn(const weir_source *source)
{
	const transform *t = (const transform *)source;
	double by_inner = weir_source_share_drawn(t->inner);
	return t->count > 0 ? fmax(by_inner, (double)t->passed / (double)t->count) : by_inner;
}

static void transform_destroy(weir_source *source)
{
	transform *t = (transform *)source;
	weir_source_destroy(t->inner);
	free(t);
}

#define TRANSFORM_TYPE(what)                                                                       \
	{                                                                                              \
		.name = #what, .next = what##_next, .rewind = transform_rewind,                            \
		.state_size = transform_state_size, .save = transform_save, .restore = transform_restore,  \
		.share_drawn = transform_share_drawn, .destroy = transform_destroy,                        \
	}
static const weir_source_type retime_type = TRANSFORM_TYPE(retime);
static const weir_source_type slice_type = TRANSFORM_TYPE(slice);
static const weir_source_type relabel_type = TRANSFORM_TYPE(relabel);
#undef TRANSFORM_TYPE

static weir_status wrap(weir_source **source, const transform *what, weir_error *error)
{
	transform *made = weir_duplicate(what, 1, sizeof *what);
	if (made == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a %s source",
		                      what->source.type->name);
	}
	made->inner = *source;
	*source = &made->source;
	return WEIR_OK;
}

weir_status weir_source_retime(weir_source **source, double factor, double offset,
                               weir_error *error)
{
	assert(factor > 0 && isfinite(factor) && isfinite(offset));
	const transform retime = {.source.type = &retime_type, .factor = factor, .offset = offset};
	return wrap(source, &retime, error);
}

weir_status weir_source_slice(weir_source **source, double start, double duration, int64_t count,
                              weir_error *error)
{
	assert(start >= 0 && duration >= 0 && count >= 0);
	const transform slice = {
	    .source.type = &slice_type, .start = start, .duration = duration, .count = count};
	return wrap(source, &slice, error);
}

weir_status weir_source_relabel(weir_source **source, int64_t application, bool renumber,
                                weir_error *error)
{
	assert(application >= WEIR_SOURCE_KEEP_APPLICATION);
	const transform relabel = {
	    .source.type = &relabel_type, .application = application, .renumber = renumber};
	return wrap(source, &relabel, error);
}
