/* Reading and writing at a place of a file until all is done: the kernel may do a part, or be
 * interrupted by a signal. */
#ifndef WEIR_BASE_TRANSFER_H
#define WEIR_BASE_TRANSFER_H

#include <stddef.h>
#include <stdint.h>

#include "base/export.h"

WEIR_BEGIN_C

/* Writes `size` bytes at `offset`; returns 0 or an errno (ENOSPC where nothing more is taken),
 * after which a part may be written. */
int weir_write_at(int descriptor, const void *bytes, size_t size, uint64_t offset);

/* Reads up to `size` bytes from `offset` on; *got are those before the end of the file. Returns 0
 * or an errno. */
int weir_read_at(int descriptor, void *bytes, size_t size, uint64_t offset, size_t *got);

WEIR_END_C

#endif
