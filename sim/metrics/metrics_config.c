#include "metrics/metrics_config.h"

static const char *const baseline_names[] = {"splitwise", "unloaded", NULL};

#define LIMIT_KEY(field, text, document)                                                           \
	{                                                                                              \
		.name = #field, .type = WEIR_KEY_NUMBER, .offset = offsetof(weir_slo_limits, field),       \
		.default_text = text, .minimum = 0, .maximum = 1e9, .flags = WEIR_KEY_ABOVE_MINIMUM,       \
		.unit = "times the unloaded reference", .doc = document                                    \
	}

#define LIMITS_TABLE(name_, ttft_, tbt_, e2e_, doc_)                                               \
	static const weir_key name_##_keys[] = {                                                       \
	    LIMIT_KEY(ttft, ttft_, "Limit of the slowdown of the time to first token."),               \
	    LIMIT_KEY(tbt, tbt_, "Limit of the slowdown of the time between tokens."),                 \
	    LIMIT_KEY(e2e, e2e_, "Limit of the slowdown of the end-to-end time."),                     \
	};                                                                                             \
	static const weir_key_table name_##_table = {                                                  \
	    .name = #name_,                                                                            \
	    .doc = doc_,                                                                               \
	    .size = sizeof(weir_slo_limits),                                                           \
	    .keys = name_##_keys,                                                                      \
	    .key_count = sizeof name_##_keys / sizeof name_##_keys[0],                                 \
	}

LIMITS_TABLE(per_request, "6", "5", "5", "A request that keeps all three met its SLO.");
LIMITS_TABLE(p50, "2", "1.25", "1.25", "Limits of the median slowdowns of a run.");
LIMITS_TABLE(p90, "3", "1.5", "1.5", "Limits of the 90th percentiles of a run.");
LIMITS_TABLE(p99, "6", "5", "5", "Limits of the 99th percentiles of a run.");

static const weir_key slo_keys[] = {
    {.name = "baseline",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_slo_config, baseline),
     .default_text = "\"splitwise\"",
     .choices = baseline_names,
     .doc =
         "What an unloaded token takes: splitwise reads the token curve at the prompt's tokens and "
         "divides by all output tokens, as the paper's repository does; unloaded reads it at one "
         "token and divides by the tokens after the first."},
    {.name = "reference_model",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_slo_config, reference_model),
     .default_text = "\"\"",
     .doc = "Model of the unloaded reference; empty: that of the request's application."},
    {.name = "reference_gpu",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_slo_config, reference_gpu),
     .default_text = "\"a100-80gb\"",
     .doc = "GPU of the unloaded reference."},
    {.name = "reference_tensor_parallel",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_slo_config, reference_tensor_parallel),
     .default_text = "8",
     .minimum = 1,
     .maximum = 1024,
     .unit = "GPUs",
     .doc = "GPUs of the unloaded reference."},
    {.name = "per_request",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_slo_config, per_request),
     .table = &per_request_table,
     .doc = "Limits of one request."},
    {.name = "p50",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_slo_config, p50),
     .table = &p50_table,
     .doc = "Limits of the medians."},
    {.name = "p90",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_slo_config, p90),
     .table = &p90_table,
     .doc = "Limits of the 90th percentiles."},
    {.name = "p99",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_slo_config, p99),
     .table = &p99_table,
     .doc = "Limits of the 99th percentiles."},
};

const weir_key_table weir_slo_keys = {
    .name = "slo",
    .doc = "Service-level objectives, in multiples of what an unloaded reference server takes.",
    .size = sizeof(weir_slo_config),
    .keys = slo_keys,
    .key_count = sizeof slo_keys / sizeof slo_keys[0],
};

static const weir_key sampling_keys[] = {
    {.name = "interval",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_sampling_config, interval),
     .default_text = "10",
     .minimum = 0,
     .maximum = 1e9,
     .unit = "s",
     .doc = "Simulated time between two rows of /samples; 0 turns them off."},
    {.name = "idle_fraction",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_sampling_config, idle_fraction),
     .default_text = "0.3",
     .minimum = 0,
     .maximum = 1,
     .unit = "share of the TDP",
     .doc = "Power of an instance without a batch (an assumption)."},
};

const weir_key_table weir_sampling_keys = {
    .name = "sampling",
    .doc = "What is measured between the requests.",
    .size = sizeof(weir_sampling_config),
    .keys = sampling_keys,
    .key_count = sizeof sampling_keys / sizeof sampling_keys[0],
};
