/* What reading and resolving share; not part of the public interface. */
#ifndef WEIR_BASE_KEYS_INTERNAL_H
#define WEIR_BASE_KEYS_INTERNAL_H

#include "base/keys.h"

enum { KEYS_WORD_SIZE = 104 }; /* room for what weir_keys_describe says of any value */

/* True when `value` is within the key's minimum and maximum. */
bool keys_in_range(const weir_key *key, double value);

/* "expected a number from 0 to 1, got true". */
weir_status keys_fail_expected(weir_keys_reader *reader, const weir_key *key, const char *path,
                               const cJSON *json, weir_error *error);

/* The key that only_if names, in the table that `key` stands in. */
const weir_key *keys_only_if_choice(const weir_key_table *table, const weir_key *key);

/* True when only_if (not NULL) has `value` among its names. */
bool keys_only_if_holds(const weir_key *key, const char *value);

/* "path[index]" in the arena. */
const char *keys_index_path(weir_keys_reader *reader, const char *path, size_t index);

/* The name of a file that the value at `path` says, relative to the working directory; NULL when
 * memory is out. */
const char *keys_file_name(weir_keys_reader *reader, const char *path, const char *name);

/* True when the value is for key->read, a short form. */
bool keys_is_short_form(const weir_key *key, const cJSON *json);

#endif
