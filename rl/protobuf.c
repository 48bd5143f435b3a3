#include "rl/protobuf.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Wire types. */
enum { WIRE_VARINT = 0, WIRE_64_BIT = 1, WIRE_LENGTH = 2, WIRE_32_BIT = 5 };

void weir_bytes_add(weir_bytes *bytes, const void *data, size_t size)
{
	void *grown = bytes->data;
	if (bytes->failed || size > SIZE_MAX - bytes->size ||
	    !weir_reserve_raw(&grown, &bytes->capacity, bytes->size + size, 1)) {
		bytes->failed = true;
		return;
	}
	bytes->data = grown;
	if (size > 0) {
		memcpy(bytes->data + bytes->size, data, size);
		bytes->size += size;
	}
}

void weir_bytes_add_text(weir_bytes *bytes, const char *text)
{
	weir_bytes_add(bytes, text, strlen(text));
}

void weir_bytes_add_little(weir_bytes *bytes, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)(value >> (8 * i));
		weir_bytes_add(bytes, &byte, 1);
	}
}

void weir_bytes_clear(weir_bytes *bytes)
{
	bytes->size = 0;
	bytes->failed = false;
}

static void add_varint(weir_bytes *message, uint64_t value)
{
	while (value >= 0x80) {
		weir_bytes_add_little(message, (value & 0x7f) | 0x80, 1);
		value >>= 7;
	}
	weir_bytes_add_little(message, value, 1);
}

static void add_tag(weir_bytes *message, uint32_t field, unsigned wire)
{
	add_varint(message, ((uint64_t)field << 3) | wire);
}

void weir_protobuf_integer(weir_bytes *message, uint32_t field, int64_t value)
{
	add_tag(message, field, WIRE_VARINT);
	add_varint(message, (uint64_t)value);
}

void weir_protobuf_double(weir_bytes *message, uint32_t field, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	add_tag(message, field, WIRE_64_BIT);
	weir_bytes_add_little(message, bits, sizeof bits);
}

void weir_protobuf_float(weir_bytes *message, uint32_t field, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	add_tag(message, field, WIRE_32_BIT);
	weir_bytes_add_little(message, bits, sizeof bits);
}

void weir_protobuf_text(weir_bytes *message, uint32_t field, const char *text)
{
	weir_protobuf_bytes(message, field, text, strlen(text));
}

void weir_protobuf_bytes(weir_bytes *message, uint32_t field, const void *data, size_t size)
{
	add_tag(message, field, WIRE_LENGTH);
	add_varint(message, size);
	weir_bytes_add(message, data, size);
}

void weir_protobuf_message(weir_bytes *message, uint32_t field, weir_bytes *inner)
{
	weir_protobuf_bytes(message, field, inner->data, inner->size);
	message->failed = message->failed || inner->failed;
	free(inner->data);
	*inner = (weir_bytes){.data = NULL};
}
