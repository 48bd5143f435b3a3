/* What a config says of recording. */
#ifndef WEIR_RECORD_RECORD_CONFIG_H
#define WEIR_RECORD_RECORD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/export.h"
#include "base/keys.h"

WEIR_BEGIN_C

/* The `record` section. */
typedef struct weir_record_config {
	int64_t deflate;       /* 0: not compressed; 1..9 */
	double flush_interval; /* seconds of wall time */
	bool live;             /* the file can be read, and recovered, before it is finished */
	int64_t block_rows;    /* of a chunk */
	bool iterations;       /* also the tables of iterations and transfers */
} weir_record_config;

WEIR_API extern const weir_key_table weir_record_keys;

WEIR_END_C

#endif
