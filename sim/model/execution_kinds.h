/* The makers of the kinds of execution-time model, for weir_execution_time_create alone. */
#ifndef WEIR_MODEL_EXECUTION_KINDS_H
#define WEIR_MODEL_EXECUTION_KINDS_H

#include "base/error.h"
#include "model/execution_time.h"

typedef weir_status (*weir_execution_time_make)(const weir_execution_time_config *config,
                                                const weir_execution_target *target,
                                                weir_execution_time **model, weir_error *error);

/*
 * table: medians of a profile, after SplitwiseSim (Patel et al., "Splitwise", ISCA 2024;
 * performance_model.py). A batch of n tokens (prompt tokens plus one per token task) takes the time
 * on the line between the neighbouring measurements, beyond them on the line through the outer two
 * (or, where that falls towards zero, that of the last measurement): the prompt curve for prompts,
 * the token curve for token tasks, mixed_factor * the prompt curve for both. It knows nothing of
 * the context. time_for is k * duration, iterations_in weir_floor_divide(elapsed, duration), which
 * can differ from the largest k with time_for <= elapsed by one where elapsed is a rounding error
 * away from a multiple. Power is on the lines between the batch sizes that have a measurement,
 * beyond them that of the nearest; a curve without any draws busy_power_share.
 */
weir_status weir_execution_table_make(const weir_execution_time_config *config,
                                      const weir_execution_target *target,
                                      weir_execution_time **model, weir_error *error);

/* constant: prompt_seconds for an iteration with prompt work, token_seconds for one without.
 * Rounding is the table's. */
weir_status weir_execution_constant_make(const weir_execution_time_config *config,
                                         const weir_execution_target *target,
                                         weir_execution_time **model, weir_error *error);

/*
 * roofline: the slower of arithmetic and memory traffic, after BLIS (inference-sim,
 * sim/latency/roofline.go, Apache-2.0), where the formulas and the mfu figures come from.
 * Iterations grow with the context; time_for sums them in O(1), iterations_in is its exact inverse.
 */
weir_status weir_execution_roofline_make(const weir_execution_time_config *config,
                                         const weir_execution_target *target,
                                         weir_execution_time **model, weir_error *error);

#endif
