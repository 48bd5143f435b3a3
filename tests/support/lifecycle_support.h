/* Instances named by their slots, for tests that move them between states. */
#ifndef WEIR_TESTS_LIFECYCLE_SUPPORT_H
#define WEIR_TESTS_LIFECYCLE_SUPPORT_H

#include "serving/lifecycle.h"

/* Of the instance in a slot, which must not be free. */
weir_instance_view view_of(const weir_serving *serving, uint32_t slot);
weir_instance_handle handle_of(const weir_serving *serving, uint32_t slot);

/* Each fails the test on an error, and when an invariant is broken afterwards. */
void set_state(weir_serving *serving, weir_instance_handle instance, weir_instance_state state);
/* To ACTIVE or DRAINING. */
void set_active(weir_serving *serving, uint32_t slot, bool active);

#endif
