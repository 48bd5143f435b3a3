/* Checked allocation: growing arrays and an arena for what lives as long as its owner. */
#ifndef WEIR_BASE_MEMORY_H
#define WEIR_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/export.h"

WEIR_BEGIN_C

/* calloc of count * size bytes, NULL on overflow or when memory is out. Free with free(). */
WEIR_API void *weir_allocate(size_t count, size_t size);

/*
 * Grows *data (NULL at first) to hold at least `needed` items of `item_size` bytes, doubling
 * *capacity. New items are zero. Returns false, with everything as it was, on overflow or when
 * memory is out. O(1) amortised.
 */
WEIR_API bool weir_reserve(void **data, size_t *capacity, size_t needed, size_t item_size);
/* The same, but new items hold anything: memory that is never used is then never touched. */
WEIR_API bool weir_reserve_raw(void **data, size_t *capacity, size_t needed, size_t item_size);

/* A copy of `count` items of `item_size` bytes; NULL when count is 0 or memory is out. */
WEIR_API void *weir_duplicate(const void *data, size_t count, size_t item_size);

/* Many allocations freed at once; what a loaded config is made of. */
typedef struct weir_arena weir_arena;

WEIR_API weir_arena *weir_arena_create(void);
WEIR_API void weir_arena_destroy(weir_arena *arena);
/* Zeroed memory, aligned for any type, alive until the arena is destroyed; NULL when memory is out.
 */
WEIR_API void *weir_arena_allocate(weir_arena *arena, size_t count, size_t size);
WEIR_API char *weir_arena_string(weir_arena *arena, const char *text);
/* printf into the arena. */
WEIR_API char *weir_arena_format(weir_arena *arena, const char *format, ...) WEIR_PRINTF(2, 3);

WEIR_END_C

#endif
