/* Architectures of large language models and the bytes that their weights and KV caches take. */
#ifndef WEIR_MODEL_ARCHITECTURE_H
#define WEIR_MODEL_ARCHITECTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/export.h"
#include "base/keys.h"

WEIR_BEGIN_C

typedef struct weir_architecture {
	const char *name;
	int64_t layers;
	int64_t hidden;
	int64_t heads;
	int64_t kv_heads;     /* equal to heads without grouped-query attention */
	int64_t ffn_hidden;   /* of one expert, for a mixture of experts */
	int64_t ffn_matrices; /* matrices of hidden x ffn_hidden that the roofline counts per expert */
	int64_t experts;      /* 1: dense */
	int64_t experts_active; /* experts used per token */
	int64_t vocabulary;
	int64_t bytes_per_value; /* of a KV-cache or activation element (dtype_size) */
	double weight_bytes;     /* all weights */
	double weight_bytes_per_parameter;
} weir_architecture;

/* A weir_key_list of weir_architecture by name. */
typedef struct weir_models {
	weir_key_list architectures;
} weir_models;

WEIR_API extern const weir_key_table weir_architecture_keys;

WEIR_API const weir_architecture *weir_models_find(const weir_key_list *architectures,
                                                   const char *name);

/*
 * KV-cache bytes of one token: 2 * layers * hidden * bytes_per_value, as the reference has it, or
 * with `grouped_query` on 2 * layers * kv_heads * (hidden / heads) * bytes_per_value.
 */
WEIR_API int64_t weir_architecture_kv_bytes_per_token(const weir_architecture *architecture,
                                                      bool grouped_query);

WEIR_END_C

#endif
