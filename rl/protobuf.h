/*
 * Writing messages of Protocol Buffers' wire format by hand: TensorBoard's events and ONNX models
 * are such. (https://protobuf.dev/programming-guides/encoding/)
 */
#ifndef WEIR_RL_PROTOBUF_H
#define WEIR_RL_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/export.h"

WEIR_BEGIN_C

/* Bytes that grow. Zero it at the start; free(data) at the end. */
typedef struct weir_bytes {
	unsigned char *data;
	size_t size, capacity;
	bool failed; /* memory was out once: what is in it is not whole */
} weir_bytes;

WEIR_API void weir_bytes_add(weir_bytes *bytes, const void *data, size_t size);
WEIR_API void weir_bytes_add_text(weir_bytes *bytes, const char *text);
/* The lowest `size` bytes of `value`, lowest first. */
WEIR_API void weir_bytes_add_little(weir_bytes *bytes, uint64_t value, size_t size);
/* Empties it, and keeps its memory. */
WEIR_API void weir_bytes_clear(weir_bytes *bytes);

/* One field each: of type int64 (and enums, and bool), double, float, string, bytes. */
WEIR_API void weir_protobuf_integer(weir_bytes *message, uint32_t field, int64_t value);
WEIR_API void weir_protobuf_double(weir_bytes *message, uint32_t field, double value);
WEIR_API void weir_protobuf_float(weir_bytes *message, uint32_t field, float value);
WEIR_API void weir_protobuf_text(weir_bytes *message, uint32_t field, const char *text);
WEIR_API void weir_protobuf_bytes(weir_bytes *message, uint32_t field, const void *data,
                                  size_t size);
/* A message within a message; frees `inner`, and zeroes it. */
WEIR_API void weir_protobuf_message(weir_bytes *message, uint32_t field, weir_bytes *inner);

WEIR_END_C

#endif
