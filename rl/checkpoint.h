/*
 * Checkpoints of a training: one archive with all that is needed to go on as if it had never been
 * stopped. Made between rollouts only.
 *
 * The environments are kept as positions (rl/vector.h) and brought there again by replaying the
 * episodes at hand. The config's text is in it, with absolute names of the files that it asks for.
 */
#ifndef WEIR_RL_CHECKPOINT_H
#define WEIR_RL_CHECKPOINT_H

#include "base/error.h"
#include "base/export.h"
#include "rl/train_state.h"

WEIR_BEGIN_C

/* Written aside, synced, renamed: PATH is the former one or all of the new one. */
WEIR_API weir_status weir_checkpoint_save(const weir_train_state *state, const char *path,
                                          weir_error *error);

/*
 * Makes `state`, just created from a config, as it was saved. Refused, naming PATH: a file that is
 * none of ours, damaged, of a newer version, of another config (weir_train_config_match), or whose
 * agent does not fit the environment as it is now. *state is then of no more use.
 */
WEIR_API weir_status weir_checkpoint_load(weir_train_state *state, const char *path,
                                          weir_error *error);

WEIR_END_C

#endif
