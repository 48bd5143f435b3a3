#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/test_support.h"

START_TEST(reserve_keeps_items_and_zeroes_new_ones)
{
	void *data = NULL;
	size_t capacity = 0;
	for (size_t i = 0; i < 100000; i++) {
		ck_assert(weir_reserve(&data, &capacity, i + 1, sizeof(uint32_t)));
		uint32_t *items = data;
		ck_assert_uint_eq(items[capacity - 1], 0);
		items[i] = (uint32_t)i + 1;
	}
	uint32_t *items = data;
	for (size_t i = 0; i < 100000; i++) {
		ck_assert_uint_eq(items[i], i + 1);
	}
	size_t before = capacity;
	ck_assert(!weir_reserve(&data, &capacity, SIZE_MAX / 2, sizeof(uint32_t)));
	ck_assert(!weir_reserve(&data, &capacity, SIZE_MAX, 1));
	ck_assert_uint_eq(capacity, before);
	free(data);
}
END_TEST

START_TEST(arena_memory_is_zero_aligned_and_apart)
{
	weir_arena *arena = weir_arena_create();
	char *last = NULL;
	for (size_t i = 1; i < 3000; i++) {
		char *memory = weir_arena_allocate(arena, i, 3);
		ck_assert_ptr_nonnull(memory);
		ck_assert_uint_eq((uintptr_t)memory % _Alignof(max_align_t), 0);
		size_t zeros = 0;
		while (zeros < 3 * i && memory[zeros] == 0) {
			zeros++;
		}
		ck_assert_uint_eq(zeros, 3 * i);
		memset(memory, 0x5a, 3 * i);
		ck_assert_ptr_ne(memory, last);
		last = memory;
	}
	ck_assert_ptr_null(weir_arena_allocate(arena, SIZE_MAX, 16));
	ck_assert_str_eq(weir_arena_string(arena, "weir"), "weir");
	ck_assert_str_eq(weir_arena_format(arena, "%s.%d", "a", 7), "a.7");
	weir_arena_destroy(arena);
	weir_arena_destroy(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base/memory");
	TCase *tests = tcase_create("memory");
	tcase_add_test(tests, reserve_keeps_items_and_zeroes_new_ones);
	tcase_add_test(tests, arena_memory_is_zero_aligned_and_apart);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
