/*
 * Execution-time models: how long one instance takes for the next iterations of a batch.
 *
 * Every model answers time_for(batch, k) and its inverse, so that many iterations can be one event
 * and yet be looked into at any instant. A model whose iteration time does not depend on the
 * context answers k * duration; one that grows with the context answers a sum.
 */
#ifndef WEIR_MODEL_EXECUTION_TIME_H
#define WEIR_MODEL_EXECUTION_TIME_H

#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "hardware/hardware.h"
#include "model/architecture.h"

WEIR_BEGIN_C

/*
 * What a model may know of a batch. All counts are exact. Prompt figures belong to the one
 * iteration in which the prompts (or prompt chunks) run; a batch with prompt work is only asked for
 * k = 1.
 */
typedef struct weir_batch {
	int64_t prompt_tasks;  /* prompt tasks with tokens in this iteration */
	int64_t token_tasks;   /* token (decode) tasks, one token each per iteration */
	int64_t prompt_tokens; /* new prompt tokens of this iteration, summed over prompt tasks */
	int64_t
	    prompt_context; /* prompt tokens already processed before it, summed over prompt tasks */
	double prompt_attention; /* sum over prompt tasks of new tokens * mean context,
	                            n * (seq + (n > 1 ? (n - 1) / 2 : 0)) */
	int64_t token_context;   /* context tokens before the first iteration, summed over token tasks;
	                            every iteration adds one for each token task */
} weir_batch;

typedef struct weir_execution_time weir_execution_time;

/* One kind of model. `time_for` is called at the start of every iteration: it allocates nothing. */
typedef struct weir_execution_time_type {
	const char *name;
	const char *doc;
	/* Seconds for the next k >= 1 iterations of `batch`. Pure; increasing in k. */
	double (*time_for)(const weir_execution_time *model, const weir_batch *batch, int64_t k);
	/* The number of whole iterations finished after `elapsed` >= 0 seconds: the largest k with
	 * time_for(batch, k) <= elapsed, 0 for none; see the model for its rounding. */
	int64_t (*iterations_in)(const weir_execution_time *model, const weir_batch *batch,
	                         double elapsed);
	/* Share of the server's TDP drawn while `batch` executes, 0..1+. */
	double (*power_share)(const weir_execution_time *model, const weir_batch *batch);
	void (*destroy)(weir_execution_time *model);
} weir_execution_time_type;

/* First member of every concrete model. Immutable once made: any number of simulations may share
 * it. */
struct weir_execution_time {
	const weir_execution_time_type *type;
};

/* What a model is made for: one kind of instance. */
typedef struct weir_execution_target {
	const weir_architecture *architecture;
	const weir_gpu *gpu;
	int64_t tensor_parallel;
} weir_execution_target;

/* Parsed `execution_time` section of a config; the members of the kinds not chosen are unused. */
typedef struct weir_execution_time_config {
	int kind;            /* index into weir_execution_time_kinds */
	const char *profile; /* table: path of a profile JSON, see model/profile.h */
	double mixed_factor; /* table: factor of a batch with both prompt and token tasks (1.1) */
	double prompt_seconds, token_seconds; /* constant */
	double busy_power_share;    /* share of TDP while busy, where no profile has measured it */
	double roofline_overhead_s; /* roofline: fixed seconds added to each iteration (0) */
} weir_execution_time_config;

WEIR_API extern const weir_key_table weir_execution_time_keys;
/* NULL-terminated names: "table", "constant", "roofline". */
WEIR_API extern const char *const weir_execution_time_kinds[];

/*
 * Makes the model for one target. The caller destroys it. Errors: a profile file that is missing or
 * malformed, a profile without rows for the target (the message lists what it has), a GPU without
 * the figures that the roofline needs.
 */
WEIR_API weir_status weir_execution_time_create(const weir_execution_time_config *config,
                                                const weir_execution_target *target,
                                                weir_execution_time **model, weir_error *error);
WEIR_API void weir_execution_time_destroy(weir_execution_time *model);

/*
 * floor(a / b) as Python's float floor division has it, for a >= 0, b > 0: m = fmod(a, b),
 * q = (a - m) / b, f = floor(q), f + 1 when q - f > 0.5. The table model's iterations_in.
 */
WEIR_API double weir_floor_divide(double a, double b);

WEIR_END_C

#endif
