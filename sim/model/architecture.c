#include "model/architecture.h"

#include <stddef.h>
#include <string.h>

/* Bounds far above any model; 2 * layers * hidden * bytes_per_value stays exact below them. */
#define LARGEST_LAYERS       100000
#define LARGEST_WIDTH        10000000
#define LARGEST_WEIGHT_BYTES 1e15

static const weir_key architecture_keys[] = {
    {.name = "layers",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_architecture, layers),
     .minimum = 1,
     .maximum = LARGEST_LAYERS,
     .flags = WEIR_KEY_REQUIRED,
     .doc = "Transformer layers."},
    {.name = "hidden",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_architecture, hidden),
     .minimum = 1,
     .maximum = LARGEST_WIDTH,
     .flags = WEIR_KEY_REQUIRED,
     .doc = "Width of the residual stream, a multiple of heads."},
    {.name = "heads",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_architecture, heads),
     .minimum = 1,
     .maximum = LARGEST_WIDTH,
     .flags = WEIR_KEY_REQUIRED,
     .doc = "Attention (query) heads."},
    {.name = "kv_heads",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_architecture, kv_heads),
     .default_text = "0",
     .maximum = LARGEST_WIDTH,
     .doc = "Key and value heads, a divisor of heads; 0: as many as heads (no grouped-query "
            "attention)."},
    {.name = "ffn_hidden",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_architecture, ffn_hidden),
     .default_text = "0",
     .maximum = LARGEST_WIDTH,
     .doc = "Width of the feed-forward network, of one expert in a mixture; 0: 4 * hidden."},
    {.name = "ffn_matrices",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_architecture, ffn_matrices),
     .default_text = "2",
     .minimum = 1,
     .maximum = 8,
     .doc =
         "Matrices of hidden x ffn_hidden that the roofline counts per expert. A gated network has "
         "3, but the mfu figures of the catalogue were fitted with 2 for every model."},
    {.name = "experts",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_architecture, experts),
     .default_text = "1",
     .minimum = 1,
     .maximum = 100000,
     .doc = "Experts of every feed-forward layer; 1: dense."},
    {.name = "experts_active",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_architecture, experts_active),
     .default_text = "1",
     .minimum = 1,
     .maximum = 100000,
     .doc = "Experts that one token uses."},
    {.name = "vocabulary",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_architecture, vocabulary),
     .default_text = "0",
     .maximum = LARGEST_WIDTH,
     .unit = "tokens",
     .doc = "Size of the vocabulary; 0: not known. No execution-time model uses it yet."},
    {.name = "bytes_per_value",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_architecture, bytes_per_value),
     .default_text = "2",
     .minimum = 1,
     .maximum = 16,
     .unit = "bytes",
     .doc = "Size of one element of the KV cache or of an activation."},
    {.name = "weight_bytes",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_architecture, weight_bytes),
     .maximum = LARGEST_WEIGHT_BYTES,
     .flags = WEIR_KEY_REQUIRED,
     .unit = "bytes",
     .doc = "All weights, as they lie in memory."},
    {.name = "weight_bytes_per_parameter",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_architecture, weight_bytes_per_parameter),
     .default_text = "2",
     .maximum = 16,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .unit = "bytes",
     .doc = "Size of one weight; 1 selects a GPU's fp8 rate in the roofline."},
};

static weir_status check_architecture(weir_keys_reader *reader, const char *path, void *object,
                                      weir_error *error)
{
	weir_architecture *architecture = object;
	if (architecture->hidden % architecture->heads != 0) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "heads"), error,
		                      "%lld heads do not divide hidden %lld",
		                      (long long)architecture->heads, (long long)architecture->hidden);
	}
	if (architecture->kv_heads == 0) {
		architecture->kv_heads = architecture->heads;
	}
	if (architecture->heads % architecture->kv_heads != 0) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "kv_heads"), error,
		                      "%lld kv_heads do not divide %lld heads",
		                      (long long)architecture->kv_heads, (long long)architecture->heads);
	}
	if (architecture->ffn_hidden == 0) {
		architecture->ffn_hidden = 4 * architecture->hidden;
	}
	if (architecture->experts_active > architecture->experts) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "experts_active"), error,
		                      "a token cannot use %lld of %lld experts",
		                      (long long)architecture->experts_active,
		                      (long long)architecture->experts);
	}
	return WEIR_OK;
}

const weir_key_table weir_architecture_keys = {
    .name = "model",
    .doc = "The architecture of a large language model.",
    .size = sizeof(weir_architecture),
    .keys = architecture_keys,
    .key_count = sizeof architecture_keys / sizeof architecture_keys[0],
    .check = check_architecture,
};

const weir_architecture *weir_models_find(const weir_key_list *architectures, const char *name)
{
	const weir_architecture *items = architectures->items;
	for (size_t i = 0; i < architectures->count; i++) {
		if (strcmp(items[i].name, name) == 0) {
			return &items[i];
		}
	}
	return NULL;
}

int64_t weir_architecture_kv_bytes_per_token(const weir_architecture *architecture,
                                             bool grouped_query)
{
	int64_t width = architecture->hidden;
	if (grouped_query) {
		width = architecture->kv_heads * (architecture->hidden / architecture->heads);
	}
	return 2 * architecture->layers * width * architecture->bytes_per_value;
}
