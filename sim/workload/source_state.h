/* How sources that wrap others lay out their snapshots. Not part of the public interface. */
#ifndef WEIR_WORKLOAD_SOURCE_STATE_H
#define WEIR_WORKLOAD_SOURCE_STATE_H

#include <string.h>

#include "workload/source.h"

/* Writes or reads `size` bytes at *cursor, of any alignment, and moves it on. */
static inline void source_state_put(char **cursor, const void *data, size_t size)
{
	memcpy(*cursor, data, size);
	*cursor += size;
}

static inline void source_state_get(const char **cursor, void *data, size_t size)
{
	memcpy(data, *cursor, size);
	*cursor += size;
}

/* An inner source's state goes behind its size, since that may change as the source moves on. */
static inline size_t source_state_inner_size(const weir_source *inner)
{
	return sizeof(size_t) + weir_source_state_size(inner);
}

static inline void source_state_put_inner(char **cursor, const weir_source *inner)
{
	size_t size = weir_source_state_size(inner);
	source_state_put(cursor, &size, sizeof size);
	weir_source_save(inner, *cursor);
	*cursor += size;
}

static inline weir_status source_state_get_inner(const char **cursor, weir_source *inner,
                                                 weir_error *error)
{
	size_t size = 0;
	source_state_get(cursor, &size, sizeof size);
	weir_status status = weir_source_restore(inner, *cursor, error);
	*cursor += size;
	return status;
}

#endif
