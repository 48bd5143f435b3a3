/* What the decision loop is made of. Internal to the files rl/scaling_loop*.c. */
#ifndef WEIR_RL_SCALING_LOOP_INTERNAL_H
#define WEIR_RL_SCALING_LOOP_INTERNAL_H

#include "rl/scaling_action.h"
#include "rl/scaling_checks.h"
#include "rl/scaling_demand.h"
#include "rl/scaling_facts.h"
#include "rl/scaling_features.h"
#include "rl/scaling_loop.h"

typedef enum weir_scaling_figure {
#define WEIR_SCALING_FIGURE_ENUM(name, unit, description) WEIR_FIGURE_##name,
	WEIR_SCALING_FIGURES(WEIR_SCALING_FIGURE_ENUM)
#undef WEIR_SCALING_FIGURE_ENUM
	    WEIR_SCALING_FIGURE_COUNT
} weir_scaling_figure;

enum { WEIR_SCALING_TERMS = WEIR_MOST_REWARD_TERMS + WEIR_SCALING_FIGURE_COUNT };

/* What the loop needs of the simulation that it decides in, beside its state. */
typedef struct weir_loop_watch {
	weir_sim *sim; /* NULL: none */
	uint32_t application;
	bool single; /* a single-pool cluster */
	/* The controller shows everything as it is and just now (`ideal`), and since the last decision
	 * (`exact`), so that its view is the truth. Else the truth is what the loop's own scrapes show,
	 * and where all is ideal the agent sees that. */
	bool ideal, exact;
	weir_fleet_demand_model demand;
	weir_facts_frame facts;
	weir_scrape *before, *after;    /* `before` is of the last look, where state.scraped */
	weir_workload_counter workload; /* without a source: the workload is not checked */
} weir_loop_watch;

/* Everything that changes from one decision to the next; nothing in it points into the simulation.
 */
typedef struct weir_loop_state {
	uint64_t decisions; /* made */
	bool looked;        /* and not decided yet */
	bool scraped;
	weir_feature_memory features;
	weir_fleet_demand_memory demand;
	double last_action[WEIR_SCALING_DIMENSIONS];
	double wanted[WEIR_TAG_COUNT];         /* by the rule, at this look */
	float action[WEIR_SCALING_DIMENSIONS]; /* the last one */
	/* Of the last decision. */
	weir_applied applied;
	uint64_t checksum;
	bool applied_wrongly;
	char complaint[WEIR_ERROR_MESSAGE_SIZE]; /* of that check */
	weir_manager_counters counters;          /* before it */
	double operations; /* done by it, and since by what followed it with the rule */
	/* Of the last look. */
	weir_throughput_books books;
	weir_view truth; /* without instances */
	weir_reward_facts facts;
	weir_workload_count expected; /* drawn after it, ahead */
	weir_scaling_outcome outcome;
	double values[WEIR_SCALING_TERMS];
} weir_loop_state;

struct weir_scaling_loop {
	const weir_scaling_task *task;
	weir_feature_set features;
	weir_action_set actions;
	weir_info_term terms[WEIR_SCALING_TERMS];
	size_t term_count;
	double coefficients[WEIR_MOST_REWARD_TERMS];
	weir_controller_policy *policies;
	size_t policy_capacity, policy_count;
	weir_loop_watch watch;
	weir_loop_state state;
	float *stack;   /* [observation size] */
	weir_view seen; /* noted when the policy is asked; valid while the simulation stands still */
};

/* s between the times at which the loop is asked: for a decision, or for what follows one. */
double weir_scaling_tick(const weir_scaling_task *task);

/* Whether the rule is asked between decisions too. */
bool weir_scaling_has_follow_ups(const weir_scaling_task *task);

/* Whether the controller shows everything as it is and just now. */
bool weir_scaling_is_ideal(const weir_control_config *control);

/* Instances that the rule wants, or that the arrivals ask for: as many as there are while nothing
 * is known of arrivals. What actions of kinds residual and demand are relative to. */
void weir_scaling_loop_demand(const weir_scaling_loop *loop, double demand[WEIR_TAG_COUNT]);

/* The policy that stands for the loop in a simulation; its owner is the loop. */
extern const weir_policy_type weir_policy_rl;

/* Number of the application that the task names; false when the config has none of that name. */
bool weir_scaling_loop_application(const weir_scaling_task *task, const weir_config *config,
                                   uint32_t *application);

/* The pool that stands as prompt or token (the dimensions of the action). */
weir_tag weir_scaling_loop_pool(const weir_scaling_loop *loop, weir_action_part part);

#endif
