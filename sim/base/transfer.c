#include "base/transfer.h"

#include <errno.h>
#include <unistd.h>

int weir_write_at(int descriptor, const void *bytes, size_t size, uint64_t offset)
{
	const unsigned char *from = bytes;
	for (size_t done = 0; done < size;) {
		ssize_t put = pwrite(descriptor, from + done, size - done, (off_t)(offset + done));
		if (put > 0) {
			done += (size_t)put;
		} else if (put == 0 || errno != EINTR) {
			return put == 0 ? ENOSPC : errno;
		}
	}
	return 0;
}

int weir_read_at(int descriptor, void *bytes, size_t size, uint64_t offset, size_t *got)
{
	unsigned char *to = bytes;
	*got = 0;
	while (*got < size) {
		ssize_t part = pread(descriptor, to + *got, size - *got, (off_t)(offset + *got));
		if (part == 0) {
			break;
		}
		if (part > 0) {
			*got += (size_t)part;
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}
