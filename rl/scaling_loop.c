#include "rl/scaling_loop.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rl/scaling_loop_internal.h"

static weir_status out_of_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the decision loop");
}

/* --- making ----------------------------------------------------------------------------------- */

static const weir_info_term figures[WEIR_SCALING_FIGURE_COUNT] = {
#define FIGURE_TERM(name_, unit_, description_)                                                    \
	[WEIR_FIGURE_##name_] = {.name = #name_, .unit = unit_, .description = description_},
    WEIR_SCALING_FIGURES(FIGURE_TERM)
#undef FIGURE_TERM
};

static void list_terms(weir_scaling_loop *loop)
{
	const weir_reward_type *type = loop->task->reward.type;
	for (size_t i = 0; i < type->term_count; i++) {
		loop->terms[loop->term_count++] =
		    (weir_info_term){.name = type->terms[i].name,
		                     .unit = "",
		                     .description = type->terms[i].description,
		                     .reward = true};
	}
	memcpy(loop->terms + loop->term_count, figures, sizeof figures);
	loop->term_count += WEIR_SCALING_FIGURE_COUNT;
}

weir_status weir_scaling_loop_create(const weir_scaling_task *task, weir_scaling_loop **loop,
                                     weir_error *error)
{
	*loop = NULL;
	weir_scaling_loop *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return out_of_memory(error);
	}
	made->task = task;
	list_terms(made);
	const weir_reward_type *type = task->reward.type;
	for (size_t i = 0; i < type->coefficient_count; i++) {
		memcpy(&made->coefficients[i],
		       (const char *)task->reward.parameters + type->coefficient_offsets[i],
		       sizeof made->coefficients[i]);
	}
	weir_action_set_create(task, &made->actions);
	made->actions.space.dimensions = made->actions.dimensions;
	if (!weir_feature_set_create(task, &made->features) ||
	    (made->stack = weir_allocate(made->features.space.size, sizeof *made->stack)) == NULL) {
		weir_scaling_loop_destroy(made);
		return out_of_memory(error);
	}
	*loop = made;
	return WEIR_OK;
}

void weir_scaling_loop_leave(weir_scaling_loop *loop)
{
	weir_loop_watch *watch = &loop->watch;
	if (watch->sim != NULL) {
		weir_meter *meter = weir_sim_meter(watch->sim);
		weir_scrape_destroy(meter, watch->before);
		weir_scrape_destroy(meter, watch->after);
		weir_workload_counter_end(&watch->workload);
		*watch = (weir_loop_watch){0};
	}
}

void weir_scaling_loop_destroy(weir_scaling_loop *loop)
{
	if (loop != NULL) {
		weir_scaling_loop_leave(loop);
		weir_feature_set_destroy(&loop->features);
		free(loop->policies);
		free(loop->stack);
		free(loop);
	}
}

const weir_space *weir_scaling_loop_observation(const weir_scaling_loop *loop)
{
	return &loop->features.space;
}

const weir_space *weir_scaling_loop_action(const weir_scaling_loop *loop)
{
	return &loop->actions.space;
}

const weir_info_term *weir_scaling_loop_terms(const weir_scaling_loop *loop, size_t *count)
{
	*count = loop->term_count;
	return loop->terms;
}

const char *const *weir_scaling_loop_coefficient_names(const weir_scaling_loop *loop)
{
	return loop->task->reward.type->coefficient_names;
}

double *weir_scaling_loop_coefficients(weir_scaling_loop *loop, size_t *count)
{
	*count = loop->task->reward.type->coefficient_count;
	return loop->coefficients;
}

unsigned weir_scaling_loop_checks(void)
{
	return 1u << WEIR_CHECK_WORKLOAD | 1u << WEIR_CHECK_THROUGHPUT | 1u << WEIR_CHECK_REWARD |
	       1u << WEIR_CHECK_ACTION;
}

const double *weir_scaling_loop_values(const weir_scaling_loop *loop)
{
	return loop->state.values;
}

const weir_applied *weir_scaling_loop_applied(const weir_scaling_loop *loop)
{
	return &loop->state.applied;
}

/* --- the simulation --------------------------------------------------------------------------- */

/* The type of each pool's first instance at the start; -1 where there is no such pool. */
static void list_types(const weir_application *application, int32_t types[WEIR_TAG_COUNT])
{
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		types[tag] = -1;
	}
	for (size_t s = application->server_count; s-- > 0;) {
		types[application->servers[s].tag] = (int32_t)application->servers[s].type;
	}
}

static weir_status begin_watch(weir_scaling_loop *loop, weir_sim *sim, bool check_workload,
                               weir_error *error)
{
	weir_loop_watch *watch = &loop->watch;
	const weir_config *config = weir_sim_config(sim);
	const weir_cluster *cluster = weir_sim_cluster(sim);
	*watch = (weir_loop_watch){.sim = sim};
	if (!weir_scaling_loop_application(loop->task, config, &watch->application)) {
		return weir_error_set(error, WEIR_ERROR_INTERNAL, NULL,
		                      "the simulation does not have the agent's application");
	}
	int32_t types[WEIR_TAG_COUNT];
	list_types(&cluster->applications[watch->application], types);
	watch->single = types[WEIR_TAG_PROMPT] < 0 && types[WEIR_TAG_TOKEN] < 0;
	watch->ideal = weir_scaling_is_ideal(&config->control);
	watch->exact = watch->ideal && !weir_scaling_has_follow_ups(loop->task);
	watch->demand = weir_fleet_demand_model_of(&loop->task->action, cluster, weir_sim_slo(sim),
	                                           watch->application, types);
	watch->facts = weir_facts_frame_of(loop->task, cluster, watch->application, &config->scaling);
	weir_meter *meter = weir_sim_meter(sim);
	watch->before = weir_scrape_create(meter, watch->application, WEIR_FEATURE_NEEDS);
	watch->after = weir_scrape_create(meter, watch->application, WEIR_FEATURE_NEEDS);
	if (watch->before == NULL || watch->after == NULL) {
		return out_of_memory(error);
	}
	weir_scrape_release(meter, watch->after);
	if (watch->exact) {
		weir_scrape_release(meter, watch->before);
	}
	return check_workload ? weir_workload_counter_begin(&watch->workload, config, error) : WEIR_OK;
}

weir_status weir_scaling_loop_begin(weir_scaling_loop *loop, weir_sim *sim, bool check_workload,
                                    weir_error *error)
{
	weir_scaling_loop_leave(loop);
	memset(&loop->state, 0, sizeof loop->state);
	memset(loop->stack, 0, loop->features.space.size * sizeof *loop->stack);
	loop->state.features = weir_feature_memory_begin();
	loop->state.scraped = true; /* `before` stands for time 0, as long as it is not released */
	weir_status status = begin_watch(loop, sim, check_workload, error);
	if (status != WEIR_OK) {
		weir_scaling_loop_leave(loop);
	}
	return status;
}

void weir_scaling_loop_set_reference(weir_scaling_loop *loop, double usd_per_hour)
{
	loop->watch.facts.given_reference_usd_per_hour = usd_per_hour;
}

weir_tag weir_scaling_loop_pool(const weir_scaling_loop *loop, weir_action_part part)
{
	if (part == WEIR_ACTION_PROMPT) {
		return loop->watch.single ? WEIR_TAG_MIXED : WEIR_TAG_PROMPT;
	}
	return WEIR_TAG_TOKEN;
}

/* --- looking ---------------------------------------------------------------------------------- */

/* What only the manager knows of a view of this instant. */
static void complete_view(const weir_loop_watch *watch, weir_view *view)
{
	const weir_manager *manager = weir_sim_manager(watch->sim);
	view->servers_active = weir_manager_active_servers(manager, watch->application);
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		view->pools[tag].next_ready =
		    weir_manager_next_ready(manager, watch->application, (weir_tag)tag);
	}
}

/* What the loop's own scrapes show since the last look; the newer one takes the older one's place.
 * Its instances are valid until the next look. */
static weir_status scrape(weir_loop_watch *watch, weir_view *view, weir_error *error)
{
	weir_meter *meter = weir_sim_meter(watch->sim);
	if (!weir_scrape_take(meter, weir_sim_now(watch->sim), watch->after)) {
		return out_of_memory(error);
	}
	weir_view_between(meter, watch->before, watch->after, view);
	complete_view(watch, view);
	weir_scrape *taken = watch->after;
	watch->after = watch->before;
	watch->before = taken;
	return WEIR_OK;
}

/* Prepares for what comes after this look: what the workload has until the next one, and a scrape
 * of now in case that the simulation ends before. */
static weir_status look_ahead(weir_scaling_loop *loop, weir_error *error)
{
	weir_loop_watch *watch = &loop->watch;
	double now = weir_sim_now(watch->sim);
	weir_status status = WEIR_OK;
	if (watch->workload.source != NULL) {
		status = weir_workload_counter_count(&watch->workload, now + loop->task->decision_interval,
		                                     watch->application, &loop->state.expected, error);
	}
	if (status != WEIR_OK || !watch->exact) {
		loop->state.scraped = true; /* done by looking */
		return status;
	}
	bool last = watch->workload.source == NULL || !watch->workload.more;
	loop->state.scraped = last;
	return !last || weir_scrape_take(weir_sim_meter(watch->sim), now, watch->before)
	           ? WEIR_OK
	           : out_of_memory(error);
}

static void fail(weir_scaling_outcome *outcome, weir_env_check check, const char *message)
{
	outcome->failed |= 1u << check;
	outcome->last_failed = check;
	memcpy(outcome->failure, message, sizeof outcome->failure);
}

/* Compares the truth with what others counted. `until`: to when the workload is to have arrived. */
static weir_status check_interval(weir_scaling_loop *loop, double until, const weir_view *truth,
                                  weir_error *error)
{
	weir_loop_watch *watch = &loop->watch;
	weir_loop_state *state = &loop->state;
	char message[WEIR_ERROR_MESSAGE_SIZE];
	weir_throughput_books books = weir_throughput_books_of(
	    weir_sim_serving(watch->sim), weir_sim_cluster(watch->sim), weir_sim_now(watch->sim));
	if (!weir_check_throughput(&state->books, &books, truth, message)) {
		fail(&state->outcome, WEIR_CHECK_THROUGHPUT, message);
	}
	state->books = books;
	if (watch->workload.source == NULL) {
		return WEIR_OK;
	}
	weir_workload_count expected = state->expected, rest;
	weir_status status =
	    weir_workload_counter_count(&watch->workload, until, watch->application, &rest, error);
	expected.arrived += rest.arrived;
	expected.prompt_tokens += rest.prompt_tokens;
	expected.output_tokens += rest.output_tokens;
	if (status == WEIR_OK && !weir_check_workload(&expected, truth, message)) {
		fail(&state->outcome, WEIR_CHECK_WORKLOAD, message);
	}
	return status;
}

static void fill_facts(weir_scaling_loop *loop, const weir_view *truth)
{
	weir_loop_state *state = &loop->state;
	double overdue_before = state->facts.overdue;
	weir_facts_fill(&loop->watch.facts, truth, &state->facts);
	state->facts.overdue_before = overdue_before;
	if (weir_sim_config(loop->watch.sim)->control.decision_delay > 0) {
		/* What was done in the interval is what earlier decisions had asked for. */
		weir_manager_counters now;
		weir_manager_counters_get(weir_sim_manager(loop->watch.sim), &now);
		const weir_manager_counters *then = &state->counters;
		state->facts.operations =
		    (double)(now.started - then->started + now.revived - then->revived + now.drained -
		             then->drained + now.cancelled - then->cancelled + now.flipped - then->flipped);
	} else {
		state->facts.operations = state->operations;
	}
	if (loop->task->reward.type->estimates) {
		weir_fleet_demand_estimate(&loop->watch.demand, &state->demand,
		                           loop->task->action.smoothing, truth, &state->facts.ttft_estimate,
		                           &state->facts.tbt_estimate);
	}
}

static void fill_figures(weir_scaling_loop *loop)
{
	const weir_loop_state *state = &loop->state;
	const weir_reward_facts *facts = &state->facts;
	const weir_view *truth = &state->truth;
	double *values = loop->state.values + loop->task->reward.type->term_count;
	weir_tag prompt = weir_scaling_loop_pool(loop, WEIR_ACTION_PROMPT);
	double active = 0;
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		active += truth->pools[tag].count[WEIR_INSTANCE_ACTIVE];
	}
	values[WEIR_FIGURE_time] = truth->now;
	values[WEIR_FIGURE_interval] = truth->interval;
	values[WEIR_FIGURE_cost_usd] = facts->cost_usd;
	values[WEIR_FIGURE_arrived] = facts->arrived;
	values[WEIR_FIGURE_completed] = facts->completed;
	values[WEIR_FIGURE_broken] = facts->broken;
	values[WEIR_FIGURE_failed] = facts->failed + facts->rejected;
	values[WEIR_FIGURE_overdue] = facts->overdue;
	values[WEIR_FIGURE_charged] = facts->charged;
	values[WEIR_FIGURE_broken_share] = weir_reward_broken_share(facts);
	values[WEIR_FIGURE_in_system] = (double)truth->in_system;
	values[WEIR_FIGURE_active] = active;
	values[WEIR_FIGURE_size_prompt] = (double)weir_view_size(&truth->pools[prompt]);
	values[WEIR_FIGURE_size_token] = (double)weir_view_size(&truth->pools[WEIR_TAG_TOKEN]);
	const weir_applied_part *parts[WEIR_SCALING_DIMENSIONS] = {
	    &state->applied.pools[prompt], &state->applied.pools[WEIR_TAG_TOKEN],
	    &state->applied.migration};
	for (int p = 0; p < WEIR_SCALING_DIMENSIONS; p++) {
		values[WEIR_FIGURE_asked_prompt + p] = (double)parts[p]->asked;
		values[WEIR_FIGURE_cut_prompt + p] =
		    state->applied.put_off ? 0 : (double)(parts[p]->asked - parts[p]->done);
		values[WEIR_FIGURE_done_prompt + p] = (double)parts[p]->done;
		values[WEIR_FIGURE_limit_prompt + p] = (double)parts[p]->reason;
	}
}

/* What came of the last decision, from the facts. */
static void judge(weir_scaling_loop *loop)
{
	weir_loop_state *state = &loop->state;
	if (state->decisions == 0) {
		return; /* no reward: nothing has been decided */
	}
	const weir_reward *reward = &loop->task->reward;
	weir_scaling_outcome *outcome = &state->outcome;
	outcome->decision = state->decisions;
	outcome->applied = state->checksum;
	outcome->reward = reward->type->evaluate(reward->parameters, loop->coefficients, &state->facts,
	                                         state->values);
	fill_figures(loop);
	char message[WEIR_ERROR_MESSAGE_SIZE];
	if (!weir_check_reward(outcome->reward, state->values, reward->type->term_count, message)) {
		fail(outcome, WEIR_CHECK_REWARD, message);
	}
	if (state->applied_wrongly) {
		fail(outcome, WEIR_CHECK_ACTION, state->complaint);
	}
}

/* A snapshot of `view`, on top of those before. */
static void observe(weir_scaling_loop *loop, const weir_view *view, float *observation)
{
	const weir_scaling_task *task = loop->task;
	weir_loop_state *state = &loop->state;
	weir_feature_input input = {.view = view,
	                            .max_total_instances = loop->watch.facts.max_total_instances};
	memcpy(input.last_action, state->last_action, sizeof input.last_action);
	weir_fleet_demand_observe(&state->demand, task->action.smoothing, view);
	if (task->features.demand) {
		weir_scaling_loop_demand(loop, input.demand);
	}
	double values[WEIR_FEATURE_COUNT];
	weir_features_fill(&task->features, &input, &state->features, values);
	weir_feature_stack_push(&loop->features, values, loop->stack);
	memcpy(observation, loop->stack, loop->features.space.size * sizeof *observation);
}

/* The interval that ends now: checks, facts, reward, what is seen. `view` is what the agent sees.
 */
static weir_status take_stock(weir_scaling_loop *loop, double until, const weir_view *view,
                              const weir_view *truth, float *observation, weir_error *error)
{
	weir_loop_state *state = &loop->state;
	memset(&state->outcome, 0, sizeof state->outcome);
	weir_status status = check_interval(loop, until, truth, error);
	if (status != WEIR_OK) {
		return status;
	}
	observe(loop, view, observation);
	fill_facts(loop, truth);
	state->truth = *truth;
	state->truth.instances = NULL;
	state->truth.instance_count = 0;
	return WEIR_OK;
}

weir_status weir_scaling_loop_look(weir_scaling_loop *loop, weir_sim *sim, float *observation,
                                   weir_scaling_outcome *outcome, weir_error *error)
{
	weir_loop_state *state = &loop->state;
	assert(loop->watch.sim == sim && weir_sim_waiting(sim) >= 0 && !state->looked);
	weir_view truth = loop->seen;
	weir_status status = loop->watch.exact ? WEIR_OK : scrape(&loop->watch, &truth, error);
	if (status == WEIR_OK) {
		const weir_view *seen = loop->watch.ideal ? &truth : &loop->seen;
		status = take_stock(loop, weir_sim_now(sim), seen, &truth, observation, error);
	}
	if (status == WEIR_OK) {
		judge(loop);
		*outcome = state->outcome;
		state->looked = true;
		status = look_ahead(loop, error);
	}
	return status;
}

weir_status weir_scaling_loop_end(weir_scaling_loop *loop, weir_sim *sim, float *observation,
                                  weir_scaling_outcome *outcome, weir_error *error)
{
	weir_loop_state *state = &loop->state;
	assert(loop->watch.sim == sim);
	bool stalled = false;
	if (!state->looked) {
		assert(state->scraped);
		weir_view view;
		weir_status status = scrape(&loop->watch, &view, error);
		if (status == WEIR_OK) {
			status = take_stock(loop, INFINITY, &view, &view, observation, error);
		}
		if (status != WEIR_OK) {
			return status;
		}
		stalled = weir_sim_is_stalled(sim);
	} else {
		memcpy(observation, loop->stack, loop->features.space.size * sizeof *observation);
	}
	weir_facts_charge(&state->truth, stalled, &state->facts);
	judge(loop);
	*outcome = state->outcome;
	state->looked = false;
	return WEIR_OK;
}
