/*
 * An agent as an ONNX model (https://onnx.ai), which other programs can run: IR version 7, operator
 * set 13.
 *
 * Input "observation" [batch][n] float32, as the environment gives it: the normaliser is part of
 * the model, computed in double as weir does. Outputs: "value" [batch][1] float32, the estimated
 * return in the unit of the (normalised) reward, and of a Box: "action" [batch][n] float32, the
 * mean cut to the action's bounds; of (Multi)Discrete: "logits" [batch][choices of all dimensions]
 * float32, and "action" [batch][n] int64, the choice of the greatest logit in each dimension (the
 * first of equals). A mask is for the user to apply to the logits. What the agent was made for, the
 * names and units of its spaces, and its origin are in the model's metadata.
 */
#ifndef WEIR_RL_EXPORT_ONNX_H
#define WEIR_RL_EXPORT_ONNX_H

#include "base/error.h"
#include "base/export.h"
#include "rl/agent.h"
#include "rl/protobuf.h"

WEIR_BEGIN_C

/* Adds the model's bytes to `model`; equal agents give equal bytes. Error: out of memory. */
WEIR_API weir_status weir_export_onnx(const weir_agent *agent, weir_bytes *model,
                                      weir_error *error);

WEIR_END_C

#endif
