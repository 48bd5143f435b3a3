/*
 * Golden vectors of PPO: files of one update by Stable-Baselines3, with all that went in and came
 * out, done again by weir and compared number by number.
 *
 * A file is a JSON object: kind ("box", "discrete"), gamma, gae_lambda, lr, clip_range,
 * clip_range_vf (null: off), ent_coef, vf_coef, max_grad_norm, n_epochs, adam, params_before, one
 * rollout of one environment, and what is compared. The whole rollout is one minibatch. Weights are
 * [out][in], so they are transposed. The sizes are those of the tensors.
 */
#ifndef WEIR_TESTS_PPO_GOLDEN_H
#define WEIR_TESTS_PPO_GOLDEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "rl/ppo.h"

enum { GOLDEN_MOST_RESULTS = 128, GOLDEN_NAME_SIZE = 96 };

/* Differences are relative to max(1, |wanted|). */
static const double golden_tolerance = 2e-6;

/* One quantity, and its number that is farthest off. */
typedef struct golden_result {
	char name[GOLDEN_NAME_SIZE];
	double largest; /* infinite when a number is not finite */
	size_t at;
	double got, wanted;
} golden_result;

typedef struct golden_report {
	size_t count;
	golden_result results[GOLDEN_MOST_RESULTS];
} golden_report;

/* Does the file's update again; `change`, unless NULL, breaks the config before. An error is one of
 * the file, or of an update that diverges; differences are none. */
weir_status golden_run(const char *path, void (*change)(weir_ppo_config *config),
                       golden_report *report, weir_error *error);

/* The quantity that is farthest off. */
const golden_result *golden_worst(const golden_report *report);

#endif
