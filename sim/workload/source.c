#include "workload/source.h"

#include <assert.h>
#include <math.h>

weir_status weir_source_next(weir_source *source, weir_request *request, bool *more,
                             weir_error *error)
{
	assert(source != NULL && request != NULL && more != NULL);
	weir_status status = source->type->next(source, request, more, error);
	/* What the rest of the simulator takes for granted. */
	assert(status != WEIR_OK || !*more || (isfinite(request->arrival) && request->arrival >= 0.0));
	assert(status != WEIR_OK || !*more ||
	       (request->prompt_tokens >= 1 && request->output_tokens >= 1));
	assert(status != WEIR_OK || !*more ||
	       (request->prefix_hashes != NULL) == (request->prefix_hash_count > 0));
	return status;
}

weir_status weir_source_rewind(weir_source *source, weir_error *error)
{
	assert(source != NULL);
	return source->type->rewind(source, error);
}

size_t weir_source_state_size(const weir_source *source)
{
	assert(source != NULL);
	return source->type->state_size(source);
}

void weir_source_save(const weir_source *source, void *state)
{
	assert(source != NULL && state != NULL);
	assert(source->type->state_size(source) > 0);
	source->type->save(source, state);
}

weir_status weir_source_restore(weir_source *source, const void *state, weir_error *error)
{
	assert(source != NULL && state != NULL);
	if (source->type->state_size(source) == 0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "a %s source that reads a pipe cannot be restored: use a file",
		                      source->type->name);
	}
	return source->type->restore(source, state, error);
}

double weir_source_share_drawn(const weir_source *source)
{
	return source->type->share_drawn != NULL ? source->type->share_drawn(source) : NAN;
}

void weir_source_destroy(weir_source *source)
{
	if (source != NULL) {
		source->type->destroy(source);
	}
}
