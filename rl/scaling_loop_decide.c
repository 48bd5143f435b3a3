/* Deciding: what an action asks for, and handing it in. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "rl/scaling_loop_internal.h"

double weir_scaling_tick(const weir_scaling_task *task)
{
	return task->action.kind == WEIR_ACTION_RESIDUAL && task->action.rule_interval > 0
	           ? task->action.rule_interval
	           : task->decision_interval;
}

bool weir_scaling_has_follow_ups(const weir_scaling_task *task)
{
	return weir_scaling_tick(task) < task->decision_interval;
}

void weir_scaling_loop_demand(const weir_scaling_loop *loop, double demand[WEIR_TAG_COUNT])
{
	const weir_loop_watch *watch = &loop->watch;
	const weir_fleet_demand_memory *memory = &loop->state.demand;
	if (loop->task->action.kind == WEIR_ACTION_RESIDUAL) {
		memcpy(demand, loop->state.wanted, sizeof loop->state.wanted);
		return;
	}
	if (memory->seen > 0) {
		weir_fleet_demand_of(&watch->demand, memory, loop->task->action.smoothing, demand);
		return;
	}
	const weir_manager *manager = weir_sim_manager(watch->sim);
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		demand[tag] = (double)weir_manager_size(manager, watch->application, (weir_tag)tag);
	}
}

static void fill_frame(const weir_scaling_loop *loop, weir_action_frame *frame)
{
	const weir_loop_watch *watch = &loop->watch;
	const weir_manager *manager = weir_sim_manager(watch->sim);
	const weir_scaling_config *scaling = &weir_sim_config(watch->sim)->scaling;
	*frame = (weir_action_frame){
	    .single = watch->single,
	    .min_per_pool = scaling->min_instances_per_pool,
	    .max_total = scaling->max_total_instances,
	};
	for (uint32_t a = 0; a < weir_sim_cluster(watch->sim)->application_count; a++) {
		weir_status_summary summary;
		weir_manager_status(manager, a, &summary);
		frame->total += summary.total_instances;
		for (int tag = 0; tag < WEIR_TAG_COUNT && a == watch->application; tag++) {
			frame->size[tag] = weir_manager_size(manager, a, (weir_tag)tag);
			frame->draining[tag] =
			    scaling->revive_draining_first ? summary.by_tag[tag][WEIR_INSTANCE_DRAINING] : 0;
		}
	}
}

void weir_scaling_loop_mask(const weir_scaling_loop *loop, uint8_t *mask)
{
	weir_action_frame frame;
	fill_frame(loop, &frame);
	weir_action_mask(&loop->actions, &frame, mask);
}

/* Hands a decision in; *applied says what became of it, *before what there was. *wrongly is set
 * when that is not what the manager then shows. */
static weir_status hand_in(weir_scaling_loop *loop, const weir_decision *decision,
                           weir_applied *applied, weir_manager_books *before, bool *wrongly,
                           weir_error *error)
{
	const weir_loop_watch *watch = &loop->watch;
	const weir_manager *manager = weir_sim_manager(watch->sim);
	*before = weir_manager_books_of(manager, watch->application);
	weir_status status = weir_sim_answer(watch->sim, decision, applied, error);
	if (status == WEIR_OK) {
		weir_manager_books after = weir_manager_books_of(manager, watch->application);
		if (!weir_check_applied(decision, applied, before, &after, loop->state.complaint)) {
			*wrongly = true;
		}
	}
	return status;
}

/* The decision that a look was for. */
static weir_status answer(weir_scaling_loop *loop, const weir_decision *decision, weir_error *error)
{
	weir_loop_state *state = &loop->state;
	weir_manager_books before;
	state->applied_wrongly = false;
	weir_status status =
	    hand_in(loop, decision, &state->applied, &before, &state->applied_wrongly, error);
	if (status == WEIR_OK) {
		state->counters = before.counters;
		state->operations = weir_facts_operations(&state->applied);
		state->looked = false;
	}
	return status;
}

/* What an action asks for at this instant. */
static void decode(const weir_scaling_loop *loop, const float *action, weir_decision *decision)
{
	weir_action_frame frame;
	fill_frame(loop, &frame);
	if (loop->task->action.kind == WEIR_ACTION_DEMAND ||
	    loop->task->action.kind == WEIR_ACTION_RESIDUAL) {
		weir_scaling_loop_demand(loop, frame.demand);
	}
	weir_action_decode(loop->task, &loop->actions, &frame, action, decision);
}

bool weir_scaling_loop_due(const weir_scaling_loop *loop)
{
	double ticks = loop->task->decision_interval / weir_scaling_tick(loop->task);
	double tick = round(weir_sim_now(loop->watch.sim) / weir_scaling_tick(loop->task));
	return fmod(tick, round(ticks)) < 0.5;
}

weir_status weir_scaling_loop_follow(weir_scaling_loop *loop, weir_error *error)
{
	weir_loop_state *state = &loop->state;
	assert(!state->looked && !weir_scaling_loop_due(loop));
	weir_decision decision = {0};
	if (state->decisions > 0) {
		decode(loop, state->action, &decision);
	}
	weir_applied applied;
	weir_manager_books before;
	weir_status status =
	    hand_in(loop, &decision, &applied, &before, &state->applied_wrongly, error);
	if (status == WEIR_OK) {
		state->operations += weir_facts_operations(&applied);
	}
	return status;
}

weir_status weir_scaling_loop_act(weir_scaling_loop *loop, weir_sim *sim, const float *action,
                                  weir_error *error)
{
	weir_loop_state *state = &loop->state;
	assert(loop->watch.sim == sim && state->looked);
	(void)sim;
	weir_decision decision;
	decode(loop, action, &decision);
	memcpy(state->action, action, loop->actions.count * sizeof *action);
	weir_action_normal(&loop->actions, action, state->last_action);
	state->decisions++;
	state->checksum = weir_action_checksum(action, loop->actions.count);
	return answer(loop, &decision, error);
}

weir_status weir_scaling_loop_hold(weir_scaling_loop *loop, weir_sim *sim, weir_error *error)
{
	assert(loop->watch.sim == sim && loop->state.looked);
	(void)sim;
	const weir_decision nothing = {0};
	return answer(loop, &nothing, error);
}
