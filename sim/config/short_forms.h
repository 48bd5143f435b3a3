/* The short forms of `servers` and `pools`: "dgx-a100:6,dgx-h100:6", "prompt:12,token:4", "single".
 */
#ifndef WEIR_CONFIG_SHORT_FORMS_H
#define WEIR_CONFIG_SHORT_FORMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "serving/serving_config.h"

WEIR_BEGIN_C

enum { WEIR_MOST_SERVERS = 1 << 20 };

/* `count` servers of one SKU. */
typedef struct weir_server_group {
	const char *sku;
	int64_t count;   /* 1 .. WEIR_MOST_SERVERS */
	bool short_form; /* it has no key path of its own */
} weir_server_group;

/* Servers that belong to one pool: all of a SKU, or the next `count` in the order of `servers`. */
typedef struct weir_pool_part {
	weir_tag tag;
	const char *sku; /* NULL: by count */
	int64_t count;   /* 0: by SKU */
} weir_pool_part;

/* Which servers belong to which pool. */
typedef struct weir_pools_config {
	weir_key_list parts; /* of weir_pool_part, all by SKU or all by count; none: one pool
	                        ("single"), whose instances are of tag mixed */
} weir_pools_config;

/* "SKU:COUNT,SKU:COUNT": *groups becomes a list of weir_server_group in the reader's arena. `path`
 * is the key path, for errors. */
WEIR_API weir_status weir_servers_parse(weir_keys_reader *reader, const char *text,
                                        const char *path, weir_key_list *groups, weir_error *error);

/* "single", or "TAG:SKU,TAG:SKU", or "TAG:COUNT,TAG:COUNT" with the tags prompt, token and mixed. A
 * tag may come more than once, a SKU may not. */
WEIR_API weir_status weir_pools_parse(weir_keys_reader *reader, const char *text, const char *path,
                                      weir_pools_config *pools, weir_error *error);

/* For key tables: `servers` (a LIST whose short form this is) and `pools` (a CUSTOM: the short form
 * or an object {"prompt": 12, "token": 4}, {"prompt": "dgx-h100", "token": ["dgx-a100", ...]}). */
WEIR_API weir_status weir_servers_read(weir_keys_reader *reader, const weir_key *key,
                                       const cJSON *json, const char *path, void *field,
                                       weir_error *error);
WEIR_API weir_status weir_pools_read(weir_keys_reader *reader, const weir_key *key,
                                     const cJSON *json, const char *path, void *field,
                                     weir_error *error);

WEIR_END_C

#endif
