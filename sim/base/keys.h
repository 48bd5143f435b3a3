/*
 * Key tables: what a config object may say, in one list that parses it, checks it and documents it.
 *
 * A room describes each of its structs by a const array of weir_key. weir_keys_read fills the
 * struct from JSON, with defaults for what is absent; anything that the table does not allow is an
 * error that names the key path and what would be right.
 */
#ifndef WEIR_BASE_KEYS_H
#define WEIR_BASE_KEYS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/memory.h"

WEIR_BEGIN_C

typedef struct weir_key weir_key;
typedef struct weir_key_table weir_key_table;
typedef struct weir_keys_reader weir_keys_reader;

typedef enum weir_key_type {
	WEIR_KEY_BOOL,    /* bool */
	WEIR_KEY_INTEGER, /* int64_t, within [minimum, maximum], its size below 2^53 */
	WEIR_KEY_NUMBER,  /* double, finite, within [minimum, maximum] */
	WEIR_KEY_STRING,  /* const char * owned by the arena; "" when absent and no default */
	WEIR_KEY_CHOICE,  /* int: index into `choices` */
	WEIR_KEY_OBJECT,  /* a nested struct of type `table` */
	WEIR_KEY_LIST,    /* weir_key_list of structs of type `table` */
	WEIR_KEY_MAP, /* weir_key_list of structs of type `table`, one per member of a JSON object; the
	                 member's name is stored in the struct's first field, a const char * */
	WEIR_KEY_NUMBERS, /* weir_key_list of double, each within [minimum, maximum] */
	WEIR_KEY_CUSTOM   /* whatever `read` makes of it (short forms, unions of types) */
} weir_key_type;

/* An array in the arena. */
typedef struct weir_key_list {
	size_t count;
	void *items;
} weir_key_list;

typedef enum weir_key_flag {
	WEIR_KEY_REQUIRED = 1,      /* must be present */
	WEIR_KEY_ABOVE_MINIMUM = 2, /* minimum itself is not allowed */
	WEIR_KEY_BELOW_MAXIMUM = 4, /* maximum itself is not allowed */
	WEIR_KEY_PATH = 8           /* a file name: relative ones start at the file that says it; "" and
	                               "-" are left alone */
} weir_key_flag;

/* Reads `json` (never NULL; for an absent key the parsed default_text) into `field`. */
typedef weir_status (*weir_key_read)(weir_keys_reader *reader, const weir_key *key,
                                     const cJSON *json, const char *path, void *field,
                                     weir_error *error);

struct weir_key {
	const char *name;
	weir_key_type type;
	size_t offset; /* of the field in the struct */
	/* JSON text of the default. NULL: a BOOL, INTEGER, NUMBER or CHOICE is required; an OBJECT has
	 * all its defaults, a list is empty, a STRING is "", a CUSTOM stays zero, unless
	 * WEIR_KEY_REQUIRED is set. */
	const char *default_text;
	/* Of INTEGER, NUMBER, NUMBERS. Both 0: unbounded; maximum < minimum or INFINITY: no maximum;
	 * -INFINITY: no minimum. */
	double minimum, maximum;
	unsigned flags;
	const char *const *choices;  /* of CHOICE, NULL-terminated */
	const weir_key_table *table; /* of OBJECT, LIST, MAP */
	weir_key_read read;  /* of CUSTOM; of OBJECT, LIST, MAP: reads a string, their short form */
	const char *forms;   /* with `read`: the accepted forms, for messages and documentation */
	const char *only_if; /* "kind=gamma,weibull": the key is refused, and not required, unless
	                        the sibling CHOICE key has one of these values; NULL: always
	                        allowed */
	const char *unit;    /* "s", "bytes", "tokens", "1/s", ...; NULL: none */
	const char *doc;     /* one or two sentences */
};

struct weir_key_table {
	const char *name; /* what one such object is called: "instance", "server" */
	const char *doc;
	size_t size; /* of the struct */
	const weir_key *keys;
	size_t key_count;
	/* Checks between keys, after all are read (and the name of a MAP's member is set); may be NULL.
	 * `path` is the object's. */
	weir_status (*check)(weir_keys_reader *reader, const char *path, void *object,
	                     weir_error *error);
};

/* Where values come from: the arena for strings and lists, and the file that a path's value stands
 * in, for messages. `origin` may be NULL: then `file` is used for all. */
struct weir_keys_reader {
	weir_arena *arena;
	const char *file;
	const char *(*origin)(const void *context,
	                      const char *path); /* e.g. "configs/a.json" or "--set" */
	const char *(*directory)(const void *context, const char *path); /* relative names start here;
	                                                                    NULL: where `file` stands */
	/* Which of several sources laid over each other says the value at a path, 0 first; may be NULL.
	 * A key whose only_if does not hold is passed over, not refused, where a later source chose
	 * otherwise: "--set scheduler.kind=jsq" need not unset what only the former kind knows. */
	int (*layer)(const void *context, const char *path);
	const void *context;
};

/*
 * Fills *object (table->size bytes) from `json`, a JSON object or NULL for all defaults. `path` is
 * the object's own key path ("" at the top). Refused, each with its path: an unknown key (with the
 * nearest known one), a duplicate, wrong case, wrong type, out of range, non-finite, an integer
 * beyond 2^53, a key whose only_if does not hold, a missing required key.
 */
WEIR_API weir_status weir_keys_read(weir_keys_reader *reader, const weir_key_table *table,
                                    const cJSON *json, const char *path, void *object,
                                    weir_error *error);

/* As weir_keys_read, but what `json` does not mention stays as *object has it. */
WEIR_API weir_status weir_keys_change(weir_keys_reader *reader, const weir_key_table *table,
                                      const cJSON *json, const char *path, void *object,
                                      weir_error *error);

/*
 * The object as a new JSON tree with nothing left open: every key that applies, defaults filled in,
 * file names made absolute. Short forms stay as they are. `json` must have passed weir_keys_read
 * with the same table; reading the result gives the same struct. NULL when memory is out. Free with
 * cJSON_Delete.
 */
WEIR_API cJSON *weir_keys_resolve(weir_keys_reader *reader, const weir_key_table *table,
                                  const cJSON *json, const char *path);

/* An error at a key path: where = "FILE: path". Returns WEIR_ERROR_INPUT. For `read` and `check`.
 */
WEIR_API weir_status weir_keys_fail(weir_keys_reader *reader, const char *path, weir_error *error,
                                    const char *format, ...) WEIR_PRINTF(4, 5);

/* "unknown name 'dgx-a10'; did you mean 'dgx-a100'?", or the known names where none is near. `what`
 * is "name", "key", "SKU"; known[i] may be NULL. Returns WEIR_ERROR_INPUT. */
WEIR_API weir_status weir_keys_fail_unknown(weir_keys_reader *reader, const char *path,
                                            const char *what, const char *name,
                                            const char *const *known, size_t known_count,
                                            weir_error *error);

/* A few words for what `json` is, for messages: "x" in quotes, 3.5, true, null, "a list", "an
 * object". `buffer` of `size` bytes is returned. */
WEIR_API const char *weir_keys_describe(char *buffer, size_t size, const cJSON *json);

/* What a key takes: "a number from 0 to 1", "one of \"orca\", \"splitwise\"", "a list of objects".
 */
WEIR_API const char *weir_keys_expected(char *buffer, size_t size, const weir_key *key);

/* Joins "a.b" and "c" to "a.b.c" in the arena; a name that is not plain is put in quotes, a."b.c".
 */
WEIR_API const char *weir_keys_path(weir_keys_reader *reader, const char *path, const char *name);

/* Calls `visit` for every key below `table`, depth first, with its full path ("servers[].sku",
 * "models.*.layers"). What `weir config --explain` prints comes from here. */
typedef void (*weir_keys_visit)(void *context, const char *path, const weir_key *key);
WEIR_API void weir_keys_walk(const weir_key_table *table, const char *path, weir_keys_visit visit,
                             void *context);

WEIR_END_C

#endif
