/* SHA-256 of a file, by which others can check what they were given. */
#ifndef WEIR_RECORD_FILE_SHA256_H
#define WEIR_RECORD_FILE_SHA256_H

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

enum { WEIR_SHA256_SIZE = 65 }; /* hex digits and NUL */

/* Errors: a file that cannot be read (WEIR_ERROR_IO). */
WEIR_API weir_status weir_file_sha256(const char *path, char text[WEIR_SHA256_SIZE],
                                      weir_error *error);

WEIR_END_C

#endif
