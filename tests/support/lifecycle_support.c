#include "support/lifecycle_support.h"

#include "support/test_support.h"

weir_instance_view view_of(const weir_serving *serving, uint32_t slot)
{
	weir_instance_view view;
	ck_assert(weir_serving_instance(serving, slot, &view));
	return view;
}

weir_instance_handle handle_of(const weir_serving *serving, uint32_t slot)
{
	return (weir_instance_handle){slot, view_of(serving, slot).id};
}

void set_state(weir_serving *serving, weir_instance_handle instance, weir_instance_state state)
{
	weir_error error = {0};
	ck_assert_ok(weir_serving_set_state(serving, instance, state, &error), &error);
	ck_assert_ok(weir_serving_check(serving, &error), &error);
}

void set_active(weir_serving *serving, uint32_t slot, bool active)
{
	set_state(serving, handle_of(serving, slot),
	          active ? WEIR_INSTANCE_ACTIVE : WEIR_INSTANCE_DRAINING);
}
