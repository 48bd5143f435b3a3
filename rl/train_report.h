/* What came of a training. */
#ifndef WEIR_RL_TRAIN_REPORT_H
#define WEIR_RL_TRAIN_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/export.h"
#include "rl/env.h"
#include "rl/train_config.h"

WEIR_BEGIN_C

/* Why a training ended. X(NAME, name, in words) */
#define WEIR_TRAIN_ENDS(X)                                                                         \
	X(NONE, none, "it did not end yet")                                                            \
	X(TOTAL_STEPS, total_steps, "all steps were done")                                             \
	X(STOP_AT_REWARD, stop_at_reward, "an evaluation reached stop_at_reward")                      \
	X(PATIENCE, patience, "evaluations brought no new best")

typedef enum weir_train_end {
#define WEIR_TRAIN_END_ENUM(NAME, name, text) WEIR_TRAIN_END_##NAME,
	WEIR_TRAIN_ENDS(WEIR_TRAIN_END_ENUM)
#undef WEIR_TRAIN_END_ENUM
	    WEIR_TRAIN_END_COUNT
} weir_train_end;

/* One evaluation. */
typedef struct weir_train_judgement {
	int64_t steps; /* after how many; -1: there was none */
	double mean_reward, std_reward, mean_length;
} weir_train_judgement;

/* Holds no pointers, and nothing that depends on time. */
typedef struct weir_train_report {
	weir_train_end end;
	int64_t steps, iterations, episodes;
	double mean_reward, mean_length; /* of the last 100 episodes; NaN: none ended */
	unsigned checks; /* bit c: check c applies to the environment, and was made of every step */
	int64_t failed[WEIR_CHECK_COUNT];      /* steps in which it did not hold */
	size_t parameters, parameters_changed; /* since the start */
	int64_t evaluations;
	weir_train_judgement last, best;
	size_t coefficients; /* as many as the config's `adapt` */
	double coefficient[WEIR_MOST_ADAPTED];
} weir_train_report;

/* As JSON, for report.json, or as lines for people; to be freed, NULL when memory is out. `config`
 * is the training's. */
WEIR_API char *weir_train_report_json(const weir_train_report *report,
                                      const weir_train_config *config);
WEIR_API char *weir_train_report_text(const weir_train_report *report,
                                      const weir_train_config *config);

WEIR_END_C

#endif
