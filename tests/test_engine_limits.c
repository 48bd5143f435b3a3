/* An engine of few slots and few sequence numbers, so that both run out. */
#define WEIR_ENGINE_SLOT_BITS     12
#define WEIR_ENGINE_SEQUENCE_BITS 13
#include "engine/engine.c"

#include "support/engine_oracle.h"
#include "support/test_support.h"

START_TEST(order_outlives_the_sequence_numbers)
{
	engine_against_oracle(1, 500000, 10);
	engine_against_oracle(2, 500000, 4000);
}
END_TEST

START_TEST(a_full_engine_refuses_and_stays_as_it_was)
{
	weir_engine *engine = weir_engine_create();
	weir_engine *copy = weir_engine_create();
	for (uint32_t i = 0; i < MAX_SLOTS; i++) {
		weir_event_handle handle = weir_engine_schedule(engine, 1.0, 0, (weir_event){.data = i});
		ck_assert_uint_ne(handle.generation, 0);
	}
	weir_event_handle refused = weir_engine_schedule(engine, 0.5, 0, (weir_event){.data = 0});
	ck_assert_uint_eq(refused.generation, 0);
	ck_assert_uint_eq(weir_engine_get_counts(engine).scheduled, MAX_SLOTS);
	ck_assert_int_eq(weir_engine_copy(copy, engine), WEIR_OK);
	for (uint32_t i = 0; i < MAX_SLOTS; i++) {
		weir_event event;
		ck_assert(weir_engine_pop(copy, &event));
		ck_assert_uint_eq(event.data, i);
	}
	weir_engine_destroy(engine);
	weir_engine_destroy(copy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("engine/limits");
	TCase *tests = tcase_create("limits");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, order_outlives_the_sequence_numbers);
	tcase_add_test(tests, a_full_engine_refuses_and_stays_as_it_was);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
