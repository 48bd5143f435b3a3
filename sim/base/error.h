/*
 * Errors of the user and of the machine.
 *
 * A function that can fail returns a weir_status and fills a weir_error that the caller owns; a
 * mistake of the programmer asserts. Library code neither prints nor exits.
 */
#ifndef WEIR_BASE_ERROR_H
#define WEIR_BASE_ERROR_H

#include "base/export.h"

WEIR_BEGIN_C

/* name, what it means, exit status of a command that ends with it */
#define WEIR_STATUS_LIST(X)                                                                        \
	X(WEIR_OK, "success", 0)                                                                       \
	X(WEIR_ERROR_INPUT, "wrong input", 2)                                                          \
	X(WEIR_ERROR_IO, "a file could not be read or written", 2)                                     \
	X(WEIR_ERROR_MEMORY, "out of memory", 1)                                                       \
	X(WEIR_ERROR_INTERRUPTED, "interrupted", 130)                                                  \
	X(WEIR_ERROR_INTERNAL, "an invariant does not hold", 1)

typedef enum weir_status {
#define WEIR_STATUS_ENUM(name, text, exit_status) name,
	WEIR_STATUS_LIST(WEIR_STATUS_ENUM)
#undef WEIR_STATUS_ENUM
} weir_status;

enum { WEIR_ERROR_WHERE_SIZE = 512, WEIR_ERROR_MESSAGE_SIZE = 1024 };

/* One error: `where` is FILE:LINE or FILE: key.path (may be empty), `message` says what was wrong
 * and what would be right. Both are cut, never overrun. */
typedef struct weir_error {
	weir_status status;
	char where[WEIR_ERROR_WHERE_SIZE];
	char message[WEIR_ERROR_MESSAGE_SIZE];
} weir_error;

/* Fills *error (which may be NULL) and returns `status`. `where` may be NULL. */
WEIR_API weir_status weir_error_set(weir_error *error, weir_status status, const char *where,
                                    const char *format, ...) WEIR_PRINTF(4, 5);

/* As weir_error_set with where = "file:line". */
WEIR_API weir_status weir_error_set_line(weir_error *error, weir_status status, const char *file,
                                         long long line, const char *format, ...) WEIR_PRINTF(5, 6);

/* Resets to WEIR_OK and empty texts. */
WEIR_API void weir_error_clear(weir_error *error);

/* What the status means, in a few words. */
WEIR_API const char *weir_status_text(weir_status status);

/* The exit status of a command that ends with `status`: 0, 1, 2 or 130. */
WEIR_API int weir_status_exit(weir_status status);

WEIR_END_C

#endif
