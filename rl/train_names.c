#include "rl/train_names.h"

#include "base/memory.h"

/* --- the names ------------------------------------------------------------------------------ */

/* `group`/`prefix``name`; one that memory is out for is NULL and ends up in no row. */
static void add_name(weir_train_names *names, const char *group, const char *prefix,
                     const char *name)
{
	names->names[names->count++] = weir_arena_format(names->arena, "%s/%s%s", group, prefix, name);
}

static void add_terms(weir_train_names *names, const weir_env *env, const char *group,
                      const char *prefix)
{
	for (size_t i = 0; i < env->term_count; i++) {
		add_name(names, group, prefix, env->terms[i].name);
	}
}

/* In the order of weir_train_names_fill. */
static void add_all(weir_train_names *names, const weir_train_state *state)
{
	const weir_train_config *config = state->config;
	add_name(names, "time", "", "iterations");
	add_name(names, "rollout", "", "ep_rew_mean");
	add_name(names, "rollout", "", "ep_len_mean");
	add_terms(names, state->env, "rollout", "ep_");
#define WEIR_TRAIN_NAMES_FIGURE(field, name) add_name(names, "train", "", name);
	WEIR_PPO_FIGURES(WEIR_TRAIN_NAMES_FIGURE)
#undef WEIR_TRAIN_NAMES_FIGURE
	for (size_t i = 0; i < config->adapt.count; i++) {
		add_name(names, "train", "",
		         ((const weir_train_adapt *)config->adapt.items)[i].coefficient);
	}
	add_name(names, "checks", "", "failed");
	if (state->evaluator != NULL) {
		add_name(names, "eval", "", "mean_reward");
		add_name(names, "eval", "", "std_reward");
		add_name(names, "eval", "", "mean_ep_length");
		add_terms(names, state->env, "eval", "");
	}
}

bool weir_train_names_create(weir_train_names *names, const weir_train_state *state)
{
	enum { FIXED = 32 }; /* more than there are beside terms and coefficients */
	size_t room = FIXED + 2 * state->env->term_count + state->config->adapt.count;
	*names = (weir_train_names){.arena = weir_arena_create()};
	if (names->arena == NULL) {
		return false;
	}
	names->names = weir_arena_allocate(names->arena, room, sizeof *names->names);
	names->row = weir_arena_allocate(names->arena, room, sizeof *names->row);
	names->values = weir_arena_allocate(names->arena, room, sizeof *names->values);
	if (names->names == NULL || names->row == NULL || names->values == NULL) {
		return false;
	}
	add_all(names, state);
	for (size_t i = 0; i < names->count; i++) {
		if (names->names[i] == NULL) {
			return false;
		}
	}
	return true;
}

void weir_train_names_release(weir_train_names *names)
{
	weir_arena_destroy(names->arena);
	*names = (weir_train_names){0};
}

/* --- a row ---------------------------------------------------------------------------------- */

/* The next one, in the order of the names. */
static void add_value(weir_train_names *names, double value)
{
	names->row[names->filled] = names->names[names->filled];
	names->values[names->filled++] = value;
}

size_t weir_train_names_fill(weir_train_names *names, const weir_train_state *state,
                             const weir_ppo_figures *figures, const weir_evaluation *evaluation)
{
	size_t terms = state->env->term_count;
	double failed = 0;
	names->filled = 0;
	add_value(names, (double)state->iterations);
	add_value(names, weir_episode_log_reward(&state->episodes));
	add_value(names, weir_episode_log_length(&state->episodes));
	for (size_t i = 0; i < terms; i++) {
		add_value(names, weir_episode_log_term(&state->episodes, i));
	}
#define WEIR_TRAIN_NAMES_VALUE(field, name) add_value(names, figures->field);
	WEIR_PPO_FIGURES(WEIR_TRAIN_NAMES_VALUE)
#undef WEIR_TRAIN_NAMES_VALUE
	for (size_t i = 0; i < state->config->adapt.count; i++) {
		add_value(names, state->coefficients[i]);
	}
	for (int c = 0; c < WEIR_CHECK_COUNT; c++) {
		failed += (double)state->failed[c];
	}
	add_value(names, failed);
	if (evaluation != NULL) {
		add_value(names, evaluation->mean_reward);
		add_value(names, evaluation->std_reward);
		add_value(names, evaluation->mean_length);
		for (size_t i = 0; i < terms; i++) {
			add_value(names, evaluation->terms[i]);
		}
	}
	return names->filled;
}
