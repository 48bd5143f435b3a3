#include "base/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *weir_allocate(size_t count, size_t size)
{
	/* calloc checks the product; zero bytes still get an address of their own. */
	return calloc(count > 0 ? count : 1, size > 0 ? size : 1);
}

bool weir_reserve_raw(void **data, size_t *capacity, size_t needed, size_t item_size)
{
	if (needed <= *capacity) {
		return true;
	}
	size_t grown = *capacity < 8 ? 8 : *capacity;
	while (grown < needed) {
		if (grown > SIZE_MAX / 2) {
			return false;
		}
		grown *= 2;
	}
	if (grown > SIZE_MAX / item_size) {
		return false;
	}
	void *moved = realloc(*data, grown * item_size);
	if (moved == NULL) {
		return false;
	}
	*data = moved;
	*capacity = grown;
	return true;
}

bool weir_reserve(void **data, size_t *capacity, size_t needed, size_t item_size)
{
	size_t before = *capacity;
	if (!weir_reserve_raw(data, capacity, needed, item_size)) {
		return false;
	}
	if (*capacity > before) {
		memset((char *)*data + before * item_size, 0, (*capacity - before) * item_size);
	}
	return true;
}

void *weir_duplicate(const void *data, size_t count, size_t item_size)
{
	if (count == 0 || count > SIZE_MAX / item_size) {
		return NULL;
	}
	void *copy = malloc(count * item_size);
	if (copy != NULL) {
		memcpy(copy, data, count * item_size);
	}
	return copy;
}

enum { ARENA_BLOCK_SIZE = 16384, ARENA_ALIGNMENT = _Alignof(max_align_t) };

typedef struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(max_align_t) char bytes[];
} arena_block;

struct weir_arena {
	arena_block *blocks; /* newest first */
};

weir_arena *weir_arena_create(void)
{
	return calloc(1, sizeof(weir_arena));
}

void weir_arena_destroy(weir_arena *arena)
{
	if (arena == NULL) {
		return;
	}
	arena_block *block = arena->blocks;
	while (block != NULL) {
		arena_block *next = block->next;
		free(block);
		block = next;
	}
	free(arena);
}

void *weir_arena_allocate(weir_arena *arena, size_t count, size_t size)
{
	if (size != 0 && count > (SIZE_MAX / 2) / size) {
		return NULL;
	}
	size_t bytes = count * size;
	bytes = (bytes + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
	arena_block *block = arena->blocks;
	if (block == NULL || block->size - block->used < bytes) {
		size_t block_size = bytes > ARENA_BLOCK_SIZE ? bytes : ARENA_BLOCK_SIZE;
		block = calloc(1, sizeof *block + block_size);
		if (block == NULL) {
			return NULL;
		}
		block->size = block_size;
		block->next = arena->blocks;
		arena->blocks = block;
	}
	void *memory = block->bytes + block->used;
	block->used += bytes;
	return memory;
}

char *weir_arena_string(weir_arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = weir_arena_allocate(arena, size, 1);
	if (copy != NULL) {
		memcpy(copy, text, size);
	}
	return copy;
}

char *weir_arena_format(weir_arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0) {
		return NULL;
	}
	char *text = weir_arena_allocate(arena, (size_t)length + 1, 1);
	if (text != NULL) {
		va_start(args, format);
		vsnprintf(text, (size_t)length + 1, format, args);
		va_end(args);
	}
	return text;
}
