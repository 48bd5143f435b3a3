/* The descriptors of all trace formats. */
#ifndef WEIR_WORKLOAD_TRACE_FORMATS_H
#define WEIR_WORKLOAD_TRACE_FORMATS_H

#include "workload/trace_format.h"

WEIR_BEGIN_C

/*
 * SplitwiseSim's own CSV (arrival_timestamp in seconds, prompt_size, token_size; request_id,
 * request_type, application_id and batch_size when present; batch_size must be 1).
 * https://github.com/Mutinifni/splitwise-sim
 */
extern const weir_trace_format weir_trace_format_splitwise;

/*
 * Azure LLM inference traces of 2023 and 2024 (TIMESTAMP, ContextTokens, GeneratedTokens). The
 * first row is time 0. https://github.com/Azure/AzurePublicDataset
 */
extern const weir_trace_format weir_trace_format_azure;

/*
 * BurstGPT (Timestamp in seconds since midnight of the first day, Request tokens, Response tokens;
 * Session ID, Elapsed time, Model, Total tokens and Log Type are skipped). Rows with 0 response
 * tokens are failures. Wang et al. 2024, https://github.com/HPMLL/BurstGPT
 */
extern const weir_trace_format weir_trace_format_burstgpt;

/*
 * Mooncake's JSON lines ({"timestamp" in milliseconds, "input_length", "output_length",
 * "hash_ids": [...]}). Qin et al., FAST 2025, https://github.com/kvcache-ai/Mooncake
 */
extern const weir_trace_format weir_trace_format_mooncake;

WEIR_END_C

#endif
