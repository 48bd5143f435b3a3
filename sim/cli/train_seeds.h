/* `weir train --seeds`: the same training with several seeds, over processes. */
#ifndef WEIR_CLI_TRAIN_SEEDS_H
#define WEIR_CLI_TRAIN_SEEDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cli/config_arguments.h"
#include "rl/train.h"

typedef struct cli_train_seeds {
	const cli_config_arguments *config;
	const weir_train_options *options; /* `progress` is not used */
	size_t count, jobs;                /* jobs 0: as many as processors */
	bool quiet, json;
} cli_train_seeds;

/* Trains into DIR/seed-<n> and prints what came of all. */
weir_status cli_train_over_seeds(const cli_train_seeds *seeds, weir_error *error);

#endif
