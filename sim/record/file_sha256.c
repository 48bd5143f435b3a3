#include "record/file_sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 65536 };

weir_status weir_file_sha256(const char *path, char text[WEIR_SHA256_SIZE], weir_error *error)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0) {
		return weir_error_set(error, WEIR_ERROR_IO, path, "cannot be opened: %s", strerror(errno));
	}
	struct sha256_ctx hash;
	sha256_init(&hash);
	uint8_t piece[PIECE];
	ssize_t got;
	while ((got = read(file, piece, sizeof piece)) != 0) {
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			int cause = errno;
			close(file);
			return weir_error_set(error, WEIR_ERROR_IO, path, "cannot be read: %s",
			                      strerror(cause));
		}
		sha256_update(&hash, (size_t)got, piece);
	}
	close(file);
	uint8_t digest[SHA256_DIGEST_SIZE];
	sha256_digest(&hash, sizeof digest, digest);
	for (size_t i = 0; i < sizeof digest; i++) {
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	}
	return WEIR_OK;
}
