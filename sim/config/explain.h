/* Documentation of what a config may say, made from the key tables that read it. */
#ifndef WEIR_CONFIG_EXPLAIN_H
#define WEIR_CONFIG_EXPLAIN_H

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"

WEIR_BEGIN_C

typedef enum weir_explain_format {
	WEIR_EXPLAIN_TEXT, /* for people: one paragraph per key */
	WEIR_EXPLAIN_JSON  /* a list with one object per key */
} weir_explain_format;

/*
 * Documents every key of `table`: its path ("servers[].sku", "models.*.layers"), what it takes,
 * default, unit, the condition under which it applies, and its text. `below` restricts it to one
 * key and those within ("scheduler", "servers[0].sku", "models.bloom-176b"); NULL or "" for all.
 * *text is to be freed; NULL after an error. A path that no key has is WEIR_ERROR_INPUT.
 */
WEIR_API weir_status weir_explain(const weir_key_table *table, const char *below,
                                  weir_explain_format format, char **text, weir_error *error);

WEIR_END_C

#endif
