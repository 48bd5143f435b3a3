#include "rl/space.h"

#include <math.h>
#include <string.h>

const char *const weir_space_kinds[] = {"box", "discrete", "multi_discrete", NULL};

size_t weir_space_choices(const weir_space *space)
{
	size_t choices = 0;
	if (space->kind != WEIR_SPACE_BOX) {
		for (size_t i = 0; i < space->size; i++) {
			choices += space->dimensions[i].choices;
		}
	}
	return choices;
}

static bool dimension_equal(weir_space_kind kind, const weir_dimension *a, const weir_dimension *b)
{
	if (strcmp(a->name, b->name) != 0) {
		return false;
	}
	return kind == WEIR_SPACE_BOX ? a->low == b->low && a->high == b->high
	                              : a->choices == b->choices;
}

bool weir_space_equal(const weir_space *a, const weir_space *b)
{
	if (a->kind != b->kind || a->size != b->size) {
		return false;
	}
	for (size_t i = 0; i < a->size; i++) {
		if (!dimension_equal(a->kind, &a->dimensions[i], &b->dimensions[i])) {
			return false;
		}
	}
	return true;
}

static weir_status refuse(const weir_space *space, size_t i, float value, const char *what,
                          weir_error *error)
{
	const weir_dimension *dimension = &space->dimensions[i];
	if (space->kind == WEIR_SPACE_BOX) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "%s: '%s' (dimension %zu) is %.9g; it must be a finite number from "
		                      "%.9g to %.9g",
		                      what, dimension->name, i, (double)value, (double)dimension->low,
		                      (double)dimension->high);
	}
	return weir_error_set(
	    error, WEIR_ERROR_INPUT, NULL,
	    "%s: '%s' (dimension %zu) is %.9g; it must be a whole number from 0 to %u", what,
	    dimension->name, i, (double)value, dimension->choices - 1);
}

weir_status weir_space_check(const weir_space *space, const float *values, const char *what,
                             weir_error *error)
{
	for (size_t i = 0; i < space->size; i++) {
		const weir_dimension *dimension = &space->dimensions[i];
		float value = values[i];
		/* Written so that a NaN, which compares false, is refused. */
		bool allowed = space->kind == WEIR_SPACE_BOX
		                   ? isfinite(value) && value >= dimension->low && value <= dimension->high
		                   : value >= 0 && (double)value <= (double)dimension->choices - 1 &&
		                         value == truncf(value);
		if (!allowed) {
			return refuse(space, i, value, what, error);
		}
	}
	return WEIR_OK;
}
