#include "serving/serving_config.h"

const char *const weir_tag_names[] = {"prompt", "token", "mixed", NULL};

const char *const weir_batching_names[] = {"orca", "splitwise", "chunked", NULL};

static const weir_key instance_keys[] = {
    {.name = "kind",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_instance_config, kind),
     .default_text = "\"splitwise\"",
     .choices = weir_batching_names,
     .doc = "How an instance forms its batches: orca keeps what runs and adds in order of arrival; "
            "splitwise puts prompts first, within a token limit, and preempts token tasks; chunked "
            "splits prompts so that token tasks never wait."},
    {.name = "max_batch_size",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_instance_config, max_batch_size),
     .default_text = "512",
     .minimum = 1,
     .maximum = 1 << 20,
     .unit = "tasks",
     .doc = "The most tasks in one batch."},
    {.name = "max_batch_tokens",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_instance_config, max_batch_tokens),
     .default_text = "2048",
     .minimum = 1,
     .maximum = 1 << 30,
     .unit = "tokens",
     .doc = "The most tokens in one iteration (a longer prompt runs alone; chunked splits it). Not "
            "used by orca."},
    {.name = "max_preemptions",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_instance_config, max_preemptions),
     .default_text = "4",
     .minimum = 1,
     .maximum = 1 << 30,
     .unit = "iterations",
     .doc = "splitwise: a task passed over this often goes before new prompts."},
    {.name = "tensor_parallel",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_instance_config, tensor_parallel),
     .default_text = "8",
     .minimum = 1,
     .maximum = 1024,
     .unit = "GPUs",
     .doc = "GPUs of one instance; a server holds as many instances as its GPUs allow."},
    {.name = "grouped_query_kv",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_instance_config, grouped_query_kv),
     .default_text = "false",
     .doc = "Size KV caches by the model's KV heads (grouped-query attention) instead of its whole "
            "hidden size, as SplitwiseSim does."},
};

const weir_key_table weir_instance_keys = {
    .name = "instance",
    .doc = "How every instance batches its work.",
    .size = sizeof(weir_instance_config),
    .keys = instance_keys,
    .key_count = sizeof instance_keys / sizeof instance_keys[0],
};

const char *const weir_scheduler_names[] = {
    "random",
    "round_robin",
    "jsq",
    "token_jsq",
    "kv_round_robin",
    "kv_jsq",
    "kv_token_jsq",
    "overlap_kv_jsq",
    "overlap_kv_token_jsq",
    "mixed_pool",
    NULL,
};

static const weir_key scheduler_keys[] = {
    {.name = "kind",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_scheduler_config, kind),
     .default_text = "\"mixed_pool\"",
     .choices = weir_scheduler_names,
     .doc =
         "How a request gets its instances. random, round_robin, jsq (fewest requests) and "
         "token_jsq (fewest pending tokens) run prompt and token phase on one instance; kv_* take "
         "one of the prompt and one of the token pool and move the KV cache; overlap_* hide most "
         "of that move; mixed_pool lends instances to a mixed list under load."},
    {.name = "transfer_bandwidth_gb_per_s",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_scheduler_config, transfer_bandwidth_gb_per_s),
     .default_text = "200",
     .minimum = 0,
     .maximum = 1e9,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .unit = "GB/s (1024^3 bytes)",
     .doc = "Bandwidth of the link of one KV-cache transfer in a dedicated network."},
    {.name = "transfer_retry_s",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_scheduler_config, transfer_retry_s),
     .default_text = "1",
     .minimum = 0,
     .maximum = 1e6,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .unit = "s",
     .doc = "A transfer that finds no memory at its destination is tried again after this time."},
    {.name = "overlap_factor",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_scheduler_config, overlap_factor),
     .default_text = "10",
     .minimum = 1,
     .maximum = 1e6,
     .doc = "overlap_*: the visible part of a transfer is this many times shorter (10: 90 % of it "
            "runs beside the prompt)."},
    {.name = "prompt_max_pending_tokens",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_scheduler_config, prompt_max_pending_tokens),
     .default_text = "8192",
     .minimum = 0,
     .maximum = 9e15,
     .unit = "tokens",
     .doc =
         "mixed_pool: a prompt instance that has tasks waiting and would have more pending tokens "
         "than this is passed over."},
};

const weir_key_table weir_scheduler_keys = {
    .name = "scheduler",
    .doc = "Which instances a request goes to.",
    .size = sizeof(weir_scheduler_config),
    .keys = scheduler_keys,
    .key_count = sizeof scheduler_keys / sizeof scheduler_keys[0],
};

static const char *const network_names[] = {"dedicated", "shared_nic", NULL};

static const weir_key network_keys[] = {
    {.name = "kind",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_network_config, kind),
     .default_text = "\"dedicated\"",
     .choices = network_names,
     .doc =
         "dedicated: every transfer has a link of its own (scheduler.transfer_bandwidth_gb_per_s); "
         "shared_nic: transfers share the NICs of their servers, max-min fair."},
    {.name = "local_bandwidth_gb_per_s",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_network_config, local_bandwidth_gb_per_s),
     .default_text = "600",
     .minimum = 0,
     .maximum = 1e9,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .only_if = "kind=shared_nic",
     .unit = "GB/s (1024^3 bytes)",
     .doc = "Bandwidth of a transfer between two instances of one server, which uses no NIC."},
};

const weir_key_table weir_network_keys = {
    .name = "network",
    .doc = "What KV-cache transfers share.",
    .size = sizeof(weir_network_config),
    .keys = network_keys,
    .key_count = sizeof network_keys / sizeof network_keys[0],
};
