/* The kernel's part in a transfer is played here: it does a few bytes at a time, and is interrupted
 * before each. */
#include "base/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/test_support.h"

enum { AT_ONCE = 3 };

static bool piecemeal; /* else as the kernel does it */
static bool interrupted;
static bool full;

static bool interrupt(void)
{
	interrupted = piecemeal && !interrupted;
	if (interrupted) {
		errno = EINTR;
	}
	return interrupted;
}

static size_t part_of(size_t size)
{
	return piecemeal && size > AT_ONCE ? AT_ONCE : size;
}

/* These two go before the C library's. */
ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset)
{
	if (full) {
		return 0;
	}
	return interrupt() ? -1 : syscall(SYS_pwrite64, descriptor, bytes, part_of(size), offset);
}

ssize_t pread(int descriptor, void *bytes, size_t size, off_t offset)
{
	return interrupt() ? -1 : syscall(SYS_pread64, descriptor, bytes, part_of(size), offset);
}

START_TEST(parts_make_the_whole)
{
	piecemeal = _i == 1;
	int file = open(test_path("whole"), O_RDWR | O_CREAT | O_TRUNC, 0666);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(weir_write_at(file, "abcdefghij", 10, 2), 0);
	char bytes[16] = "";
	size_t got = 99;
	ck_assert_int_eq(weir_read_at(file, bytes, 10, 2, &got), 0);
	ck_assert_uint_eq(got, 10);
	ck_assert_str_eq(bytes, "abcdefghij");
	/* Up to the end of the file, and behind it. */
	memset(bytes, 0, sizeof bytes);
	ck_assert_int_eq(weir_read_at(file, bytes, 10, 7, &got), 0);
	ck_assert_uint_eq(got, 5);
	ck_assert_str_eq(bytes, "fghij");
	ck_assert_int_eq(weir_read_at(file, bytes, 10, 12, &got), 0);
	ck_assert_uint_eq(got, 0);
	close(file);
}
END_TEST

START_TEST(failures_are_told)
{
	piecemeal = false;
	size_t got = 99;
	char byte = 'a';
	ck_assert_int_eq(weir_write_at(-1, &byte, 1, 0), EBADF);
	ck_assert_int_eq(weir_read_at(-1, &byte, 1, 0, &got), EBADF);
	full = true;
	ck_assert_int_eq(weir_write_at(-1, &byte, 1, 0), ENOSPC);
	full = false;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base transfer");
	TCase *transfers = tcase_create("transfers");
	tcase_add_loop_test(transfers, parts_make_the_whole, 0, 2);
	tcase_add_test(transfers, failures_are_told);
	suite_add_tcase(suite, transfers);
	return test_main(suite);
}
