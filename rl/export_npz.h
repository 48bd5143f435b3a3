/*
 * An agent as a file of NumPy's: numpy.load reads it. A ZIP archive (stored, dated 1980-01-01) of
 * arrays, each in version 1.0 of the format NPY.
 *
 * Parameters have the names that Stable-Baselines3's ActorCriticPolicy has for them, and the shape
 * that PyTorch wants: weights are [out][in]. The rest is
 *   obs_rms.mean, obs_rms.var, obs_rms.count, ret_rms.mean, ret_rms.var, ret_rms.count, clip_obs,
 *   clip_reward, gamma, epsilon    of VecNormalize, float64; only with a normaliser
 *   action_space.low, action_space.high   of a Box, float32
 *   action_space.nvec                     of (Multi)Discrete, int64
 */
#ifndef WEIR_RL_EXPORT_NPZ_H
#define WEIR_RL_EXPORT_NPZ_H

#include "base/error.h"
#include "base/export.h"
#include "rl/agent.h"
#include "rl/protobuf.h"

WEIR_BEGIN_C

/* Adds the file's bytes to `file`, which is empty; equal agents give equal bytes. Error: out of
 * memory. */
WEIR_API weir_status weir_export_npz(const weir_agent *agent, weir_bytes *file, weir_error *error);

WEIR_END_C

#endif
