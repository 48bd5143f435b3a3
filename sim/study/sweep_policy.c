#include "study/sweep_policy.h"

#include <string.h>

#include "base/json.h"
#include "study/sweep_file.h"
#include "study/sweep_point.h"

static const char policy_path[] = "policy";

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the policies");
}

static weir_status fail(const weir_sweep_file *space, const char *text, weir_error *error)
{
	const char *where = weir_arena_format(space->arena, "%s: policy", space->path);
	return weir_error_set(error, WEIR_ERROR_INPUT, where,
	                      "expected the names of policies as of 'weir run --policy', such as "
	                      "\"values\": [\"hpa\", \"rl:FILE\"], got %s",
	                      text);
}

/* The policy's file behind those of the space. */
static weir_status list_overlays(const weir_sweep_file *space, weir_sweep_policy *policy,
                                 weir_error *error)
{
	size_t count = space->overlay.count;
	const char **overlays = weir_arena_allocate(space->arena, count + 1, sizeof *overlays);
	if (overlays == NULL) {
		return no_memory(error);
	}
	for (size_t i = 0; i < count; i++) {
		overlays[i] = space->overlay.texts[i];
	}
	if (policy->meaning.overlay != NULL) {
		overlays[count++] = policy->meaning.overlay;
	}
	policy->overlays = overlays;
	policy->overlay_count = count;
	return WEIR_OK;
}

static weir_status resolve(const weir_sweep_file *space, const char *text,
                           weir_sweep_policy *policy, weir_error *error)
{
	cJSON *json = cJSON_Parse(text);
	const char *name =
	    cJSON_IsString(json) ? weir_arena_string(space->arena, json->valuestring) : NULL;
	bool named = cJSON_IsString(json);
	cJSON_Delete(json);
	policy->set = weir_arena_format(space->arena, "%s=%s", policy_path, text);
	if (!named) {
		return fail(space, text, error);
	}
	if (name == NULL || policy->set == NULL) {
		return no_memory(error);
	}
	weir_status status =
	    space->policies->resolve(name, space->directory, space->arena, &policy->meaning, error);
	return status == WEIR_OK ? list_overlays(space, policy, error) : status;
}

/* The setting of the axis that chooses the policy; NULL: none does. No two axes set one path. */
static const weir_sweep_setting *find_setting(const weir_sweep_file *space)
{
	const weir_sweep_axis *axes = space->axes.items;
	for (size_t a = 0; a < space->axes.count; a++) {
		for (size_t i = 0; i < axes[a].item_count; i++) {
			if (strcmp(axes[a].items[i].path, policy_path) == 0) {
				return &axes[a].items[i];
			}
		}
	}
	return NULL;
}

weir_status weir_sweep_policies_resolve(weir_sweep_file *space, const weir_sweep_policies *policies,
                                        weir_error *error)
{
	const weir_sweep_setting *setting = find_setting(space);
	space->policies = policies;
	if (setting == NULL) {
		return WEIR_OK;
	}
	size_t count = setting->values.count;
	if (count == 0 || policies == NULL) {
		return fail(space, policies == NULL ? "an axis" : "a range", error);
	}
	weir_sweep_policy *named = weir_arena_allocate(space->arena, count, sizeof *named);
	weir_status status = named != NULL ? WEIR_OK : no_memory(error);
	for (size_t i = 0; status == WEIR_OK && i < count; i++) {
		status = resolve(space, setting->values.texts[i], &named[i], error);
	}
	space->named_policies = named;
	space->named_policy_count = status == WEIR_OK ? count : 0;
	return status;
}

const weir_sweep_policy *weir_sweep_policy_of(const weir_sweep_file *space,
                                              const weir_sweep_point *point)
{
	for (size_t k = 0; point != NULL && k < point->set_count; k++) {
		for (size_t i = 0; i < space->named_policy_count; i++) {
			if (strcmp(point->sets[k], space->named_policies[i].set) == 0) {
				return &space->named_policies[i];
			}
		}
	}
	return NULL;
}
