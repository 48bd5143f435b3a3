/*
 * What a config lets through of a decision: the pools that the policy may touch, operations in
 * flight, the prompt/token ratio. What is cut says why; what the ScalingManager then refuses
 * (limits of the cluster, nothing left to take) is not known here. Pure functions.
 */
#ifndef WEIR_SCALING_DECISION_CUT_H
#define WEIR_SCALING_DECISION_CUT_H

#include "base/export.h"
#include "scaling/manager.h"
#include "scaling/policy.h"

WEIR_BEGIN_C

/* Const during a run. */
typedef struct weir_cut_limits {
	unsigned tags;               /* bit t: the decision may touch pool t */
	uint32_t type_count;         /* of the application */
	double ratio_min, ratio_max; /* prompt / token instances; 0: none */
	int64_t max_operations;      /* 0: none */
} weir_cut_limits;

/* What there is when a decision is applied. */
typedef struct weir_cut_state {
	int64_t sizes[WEIR_TAG_COUNT];          /* SCALING_UP + ACTIVE */
	int64_t operations;                     /* in flight */
	weir_undoable undoable[WEIR_TAG_COUNT]; /* a change of any type ends these first, and needs no
	                                           new operation for them */
} weir_cut_state;

/* One step, as asked and as let through; the reason is that of the limit which cut last. */
typedef struct weir_cut_step {
	weir_tag tag;
	int32_t type;
	int64_t asked, amount; /* instances; below 0: to be taken away */
	weir_refusal reason;   /* WEIR_REFUSED_NONE when nothing was cut */
} weir_cut_step;

typedef struct weir_cut_plan {
	weir_cut_step steps[WEIR_MOST_CHANGES];
	size_t count;
} weir_cut_plan;

/*
 * The migration, which goes first; tag is the pool that gains when `asked` is above 0 (prompt). It
 * needs both pools, counts as that many operations, and is cut as far as the ratio of what the
 * whole decision wants would otherwise be out of bounds on the side to which it leads.
 */
WEIR_API weir_cut_step weir_cut_migration(const weir_decision *decision,
                                          const weir_cut_limits *limits,
                                          const weir_cut_state *state);

/*
 * The changes, prompt before token before mixed and otherwise in their order; `state` is that after
 * the migration. Sizes wanted are made differences to what the changes before left. Operations are
 * given out in that order. Where the ratio of what is then wanted would be out of bounds, the
 * growth of the pool that grows the wrong way is cut, then the shrinking of the other; a pool that
 * was not asked to change stays, and so does what only brings a ratio that is out of bounds nearer.
 */
WEIR_API void weir_cut_changes(const weir_decision *decision, const weir_cut_limits *limits,
                               const weir_cut_state *state, weir_cut_plan *plan);

WEIR_END_C

#endif
