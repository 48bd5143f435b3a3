#include "base/sha256.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 64, ROUNDS = 64, LENGTH_AT = 56 };

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t constants[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, unsigned by)
{
	return x >> by | x << (32 - by);
}

static void spread(const uint8_t *block, uint32_t w[ROUNDS])
{
	for (size_t i = 0; i < 16; i++) {
		const uint8_t *b = block + 4 * i;
		w[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	}
	for (size_t i = 16; i < ROUNDS; i++) {
		uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
}

static void take_block(weir_sha256 *sum, const uint8_t *block)
{
	uint32_t w[ROUNDS];
	uint32_t v[8];
	spread(block, w);
	memcpy(v, sum->state, sizeof v);
	for (size_t i = 0; i < ROUNDS; i++) {
		uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
		uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
		uint32_t first = v[7] + s1 + choice + constants[i] + w[i];
		uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
		uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
		memmove(v + 1, v, 7 * sizeof *v);
		v[4] += first;
		v[0] = first + s0 + majority;
	}
	for (size_t i = 0; i < 8; i++) {
		sum->state[i] += v[i];
	}
}

weir_sha256 weir_sha256_begin(void)
{
	/* Likewise of the square roots of the first 8 primes. */
	return (weir_sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
	                               0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void weir_sha256_add(weir_sha256 *sum, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	size_t filled = (size_t)(sum->length % BLOCK);
	sum->length += size;
	while (size > 0) {
		size_t taken = size < BLOCK - filled ? size : BLOCK - filled;
		memcpy(sum->block + filled, bytes, taken);
		bytes += taken;
		size -= taken;
		filled += taken;
		if (filled == BLOCK) {
			take_block(sum, sum->block);
			filled = 0;
		}
	}
}

void weir_sha256_end(weir_sha256 *sum, char text[WEIR_SHA256_TEXT_SIZE])
{
	static const uint8_t padding[BLOCK] = {0x80};
	uint8_t length[8];
	for (size_t i = 0; i < sizeof length; i++) {
		length[i] = (uint8_t)(8 * sum->length >> 8 * (sizeof length - 1 - i));
	}
	size_t filled = (size_t)(sum->length % BLOCK);
	weir_sha256_add(sum, padding,
	                filled < LENGTH_AT ? LENGTH_AT - filled : BLOCK + LENGTH_AT - filled);
	weir_sha256_add(sum, length, sizeof length);
	for (size_t i = 0; i < 8; i++) {
		snprintf(text + 8 * i, 9, "%08x", (unsigned)sum->state[i]);
	}
}

weir_status weir_sha256_file(const char *path, char text[WEIR_SHA256_TEXT_SIZE], weir_error *error)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		return weir_error_set(error, WEIR_ERROR_IO, path, "cannot be opened: %s", strerror(errno));
	}
	weir_sha256 sum = weir_sha256_begin();
	uint8_t buffer[4096];
	for (size_t got; (got = fread(buffer, 1, sizeof buffer, file)) > 0;) {
		weir_sha256_add(&sum, buffer, got);
	}
	bool failed = ferror(file) != 0;
	fclose(file);
	weir_sha256_end(&sum, text);
	return failed ? weir_error_set(error, WEIR_ERROR_IO, path, "cannot be read") : WEIR_OK;
}
