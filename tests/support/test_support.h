/* What every test program shares. */
#ifndef WEIR_TESTS_TEST_SUPPORT_H
#define WEIR_TESTS_TEST_SUPPORT_H

#include <check.h>
#include <stddef.h>

#include "base/error.h"

/* Runs one suite and returns the exit status of main: 0 when every test passed. Tests run without
 * forking when CK_FORK=no. */
int test_main(Suite *suite);

/* Fails the test with the error's text unless status is WEIR_OK. */
#define ck_assert_ok(call, error)                                                                  \
	do {                                                                                           \
		weir_status ck_status_ = (call);                                                           \
		ck_assert_msg(ck_status_ == WEIR_OK, "%s: %s: %s", #call, (error)->where,                  \
		              (error)->message);                                                           \
	} while (0)

/* A new directory for this test's files; removed, with what is in it, at the end of the program. */
const char *test_directory(void);
/* `name` inside test_directory(); the result is valid until the program ends. */
const char *test_path(const char *name);
/* Writes a whole file; fails the test when it cannot. */
void test_write_file(const char *path, const char *text);
/* Reads a whole file, NUL-terminated; to be freed. */
char *test_read_file(const char *path, size_t *size);
/* The directory of the real data, or NULL with a message when WEIR_DATA is unset or has no `name`.
 */
const char *test_data_path(const char *name);

#endif
