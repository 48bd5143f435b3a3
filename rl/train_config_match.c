/* Whether two trainings are the same: the first key in which their configs differ. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "rl/train_config.h"

enum { VALUE_SIZE = 160, PATH_SIZE = 256 };

typedef struct difference {
	char path[PATH_SIZE];
	const cJSON *there, *here; /* NULL: not said */
} difference;

static bool find_difference(const cJSON *there, const cJSON *here, const char *path,
                            difference *found);

/* Of one member, which one of the two may lack. */
static bool member_differs(const cJSON *there, const cJSON *here, const char *name,
                           const char *path, difference *found)
{
	char below[PATH_SIZE];
	snprintf(below, sizeof below, "%s%s%s", path, path[0] != '\0' ? "." : "", name);
	return find_difference(there, here, below, found);
}

static bool object_differs(const cJSON *there, const cJSON *here, const char *path,
                           difference *found)
{
	const cJSON *member;
	cJSON_ArrayForEach(member, here)
	{
		const cJSON *other = cJSON_GetObjectItemCaseSensitive(there, member->string);
		if (member_differs(other, member, member->string, path, found)) {
			return true;
		}
	}
	cJSON_ArrayForEach(member, there)
	{
		if (cJSON_GetObjectItemCaseSensitive(here, member->string) == NULL) {
			return member_differs(member, NULL, member->string, path, found);
		}
	}
	return false;
}

static bool find_difference(const cJSON *there, const cJSON *here, const char *path,
                            difference *found)
{
	if (cJSON_IsObject(there) && cJSON_IsObject(here)) {
		return object_differs(there, here, path, found);
	}
	if (there != NULL && here != NULL && cJSON_Compare(there, here, true)) {
		return false;
	}
	snprintf(found->path, sizeof found->path, "%s", path);
	found->there = there;
	found->here = here;
	return true;
}

/* The value on one line, cut when it is long. */
static void describe(char text[VALUE_SIZE], const cJSON *json)
{
	char *printed = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
	snprintf(text, VALUE_SIZE, "%.*s", VALUE_SIZE - 1, printed != NULL ? printed : "not said");
	cJSON_free(printed);
}

weir_status weir_train_config_match(const weir_train_config *config, const char *path,
                                    const char *text, weir_error *error)
{
	cJSON *there = NULL, *here = NULL;
	weir_status status = weir_json_parse(path, text, strlen(text), &there, error);
	if (status == WEIR_OK) {
		status = weir_json_parse(config->name, config->text, strlen(config->text), &here, error);
	}
	difference found;
	if (status == WEIR_OK && find_difference(there, here, "", &found)) {
		char was[VALUE_SIZE], is[VALUE_SIZE];
		describe(was, found.there);
		describe(is, found.here);
		status = weir_error_set(error, WEIR_ERROR_INPUT, path,
		                        "is of another training: %s was %s there and is %s in %s; resume "
		                        "with the config that it was begun with, or train into another "
		                        "directory",
		                        found.path, was, is, config->name);
	}
	cJSON_Delete(there);
	cJSON_Delete(here);
	return status;
}
