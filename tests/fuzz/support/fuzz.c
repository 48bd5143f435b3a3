#include "support/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

_Noreturn void fuzz_fail(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

const char *fuzz_file(const uint8_t *data, size_t size)
{
	static int file = -1;
	static char path[64];
	if (file < 0) {
		file = memfd_create("fuzz", MFD_CLOEXEC);
		fuzz_require(file >= 0);
		snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	}
	fuzz_require(ftruncate(file, 0) == 0);
	fuzz_require(size == 0 || pwrite(file, data, size, 0) == (ssize_t)size);
	return path;
}
