#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "workload/source_state.h"
#include "workload/transform.h"

typedef struct repeat_state {
	int64_t repetition;
	int64_t count; /* requests of repetition 0 so far */
	double first, last;
	double period; /* known from repetition 1 on */
	bool ended;
} repeat_state;

typedef struct repeat {
	weir_source source;
	weir_source *inner;
	int64_t times;
	repeat_state state;
} repeat;

static weir_status start_again(repeat *r, weir_error *error)
{
	repeat_state *state = &r->state;
	if (state->repetition == 0) {
		if (state->count < 2) {
			return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
			                      "a stream of one request cannot be repeated: the time from one "
			                      "repetition to the next is the span and the mean gap");
		}
		double span = state->last - state->first;
		state->period = span + span / (double)(state->count - 1);
	}
	weir_status status = weir_source_rewind(r->inner, error);
	if (status == WEIR_OK) {
		state->repetition++;
	}
	return status;
}

static weir_status repeat_next(weir_source *source, weir_request *request, bool *more,
                               weir_error *error)
{
	repeat *r = (repeat *)source;
	repeat_state *state = &r->state;
	weir_request drawn;
	*more = false;
	while (!state->ended) {
		bool any = false;
		weir_status status = weir_source_next(r->inner, &drawn, &any, error);
		if (status != WEIR_OK) {
			return status;
		}
		if (any) {
			*more = true;
			break;
		}
		state->ended = state->repetition + 1 >= r->times || state->count == 0;
		if (!state->ended) {
			status = start_again(r, error);
			if (status != WEIR_OK) {
				return status;
			}
		}
	}
	if (*more) {
		if (state->repetition == 0) {
			state->first = state->count == 0 ? drawn.arrival : state->first;
			state->last = drawn.arrival;
			state->count++;
		}
		*request = drawn;
		request->arrival += (double)state->repetition * state->period;
	}
	return WEIR_OK;
}

static weir_status repeat_rewind(weir_source *source, weir_error *error)
{
	repeat *r = (repeat *)source;
	weir_status status = weir_source_rewind(r->inner, error);
	if (status == WEIR_OK) {
		r->state = (repeat_state){0};
	}
	return status;
}

static size_t repeat_state_size(const weir_source *source)
{
	/* Never 0: what cannot be saved is not repeated. */
	return sizeof(repeat_state) + source_state_inner_size(((const repeat *)source)->inner);
}

static void repeat_save(const weir_source *source, void *state)
{
	const repeat *r = (const repeat *)source;
	char *cursor = state;
	source_state_put(&cursor, &r->state, sizeof r->state);
	source_state_put_inner(&cursor, r->inner);
}

static weir_status repeat_restore(weir_source *source, const void *state, weir_error *error)
{
	repeat *r = (repeat *)source;
	const char *cursor = state;
	repeat_state saved;
	source_state_get(&cursor, &saved, sizeof saved);
	weir_status status = source_state_get_inner(&cursor, r->inner, error);
	if (status == WEIR_OK) {
		r->state = saved;
	}
	return status;
}

static double repeat_share_drawn(const weir_source *source)
{
	const repeat *r = (const repeat *)source;
	return ((double)r->state.repetition + weir_source_share_drawn(r->inner)) / (double)r->times;
}

static void repeat_destroy(weir_source *source)
{
	weir_source_destroy(((repeat *)source)->inner);
	free(source);
}

static const weir_source_type repeat_type = {
    .name = "repeat",
    .next = repeat_next,
    .rewind = repeat_rewind,
    .state_size = repeat_state_size,
    .save = repeat_save,
    .restore = repeat_restore,
    .share_drawn = repeat_share_drawn,
    .destroy = repeat_destroy,
};

weir_status weir_source_repeat(weir_source **source, int64_t times, weir_error *error)
{
	assert(times >= 1);
	if (times == 1) {
		return WEIR_OK;
	}
	if (weir_source_state_size(*source) == 0) {
		return weir_error_set(
		    error, WEIR_ERROR_INPUT, NULL,
		    "a stream read from a pipe cannot be repeated, since it cannot be read "
		    "again: put it into a file first");
	}
	repeat *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a repeat source");
	}
	made->source.type = &repeat_type;
	made->inner = *source;
	made->times = times;
	*source = &made->source;
	return WEIR_OK;
}
