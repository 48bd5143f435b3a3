/* SHA-256 (FIPS 180-4), the checksum that names a file. */
#ifndef WEIR_BASE_SHA256_H
#define WEIR_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

enum { WEIR_SHA256_TEXT_SIZE = 65 };

typedef struct weir_sha256 {
	uint32_t state[8];
	uint64_t length; /* bytes so far */
	uint8_t block[64];
} weir_sha256;

WEIR_API weir_sha256 weir_sha256_begin(void);
WEIR_API void weir_sha256_add(weir_sha256 *sum, const void *data, size_t size);
/* 64 hex digits and a NUL. */
WEIR_API void weir_sha256_end(weir_sha256 *sum, char text[WEIR_SHA256_TEXT_SIZE]);

/* Of a whole file. Errors: one that cannot be read. */
WEIR_API weir_status weir_sha256_file(const char *path, char text[WEIR_SHA256_TEXT_SIZE],
                                      weir_error *error);

WEIR_END_C

#endif
