#include "scaling/controller.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "scaling/decision_cut.h"
#include "scaling/scrape_feed.h"
#include "scaling/view_noise.h"

/* One instance of a policy: of one pool, or of all of an application. */
typedef struct policy_runner {
	size_t policy; /* in the options' list */
	const weir_policy_type *type;
	weir_policy_context context;
	weir_cut_limits limits;
	char actor[WEIR_ACTOR_SIZE];
	void *state;
	size_t state_size;
	weir_scrape_feed *feed;
	weir_view_noise *noise;  /* NULL: none */
	uint64_t ticks, scrapes; /* scheduled so far */
	/* Decisions on their way, a ring: applied in the order in which they were made. */
	weir_decision *late;
	size_t late_capacity, late_first, late_count;
} policy_runner;

struct weir_controller {
	const weir_cluster *cluster;
	const weir_control_config *control;
	weir_meter *meter;
	weir_manager *manager;
	weir_engine *engine;
	policy_runner *runners;
	size_t runner_count, runner_capacity;
	bool waits; /* for the decision of a deferred policy: */
	size_t waiting_runner;
	uint64_t background;
};

static weir_status out_of_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory");
}

/* The type of the pool's first instance at the start; -1 when there is none. */
static int32_t own_type(const weir_application *application, weir_tag tag)
{
	for (size_t s = 0; s < application->server_count; s++) {
		if (application->servers[s].tag == tag) {
			return (int32_t)application->servers[s].type;
		}
	}
	return -1;
}

static unsigned existing_pools(const weir_controller *controller, uint32_t application)
{
	unsigned tags = 0;
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (weir_manager_has_pool(controller->manager, application, (weir_tag)tag)) {
			tags |= 1u << tag;
		}
	}
	return tags;
}

static void fill_context(const weir_controller *controller, const weir_controller_options *options,
                         const weir_controller_policy *policy, unsigned tags,
                         weir_policy_context *context)
{
	*context = (weir_policy_context){
	    .parameters = policy->parameters,
	    .cluster = controller->cluster,
	    .application = policy->application,
	    .tags = tags,
	    .scaling = options->scaling,
	    .interval = policy->interval > 0 ? policy->interval : policy->type->interval,
	    .seed = options->seed,
	    .owner = policy->owner,
	};
	unsigned existing = existing_pools(controller, policy->application);
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		context->types[tag] = -1;
		if (existing & 1u << tag) {
			context->types[tag] =
			    own_type(&controller->cluster->applications[policy->application], (weir_tag)tag);
			context->boot_delay[tag] = weir_manager_mean_boot_delay(
			    controller->manager, policy->application, (weir_tag)tag);
		}
	}
}

static void name_actor(policy_runner *runner)
{
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (runner->context.tags == 1u << tag) {
			(void)snprintf(runner->actor, sizeof runner->actor, "%.20s:%s", runner->type->name,
			               weir_tag_names[tag]);
			return;
		}
	}
	(void)snprintf(runner->actor, sizeof runner->actor, "%s", runner->type->name);
}

/* Starts the policy's own state. Its errors name a key below the policy's. */
static weir_status start_policy(policy_runner *runner, size_t policy, weir_error *error)
{
	const weir_policy_type *type = runner->type;
	runner->state_size = type->state_size != NULL ? type->state_size(&runner->context) : 0;
	runner->state = weir_allocate(1, runner->state_size);
	if (runner->state == NULL) {
		return out_of_memory(error);
	}
	if (type->start == NULL) {
		return WEIR_OK;
	}
	weir_error own;
	weir_error_clear(&own);
	weir_status status = type->start(&runner->context, runner->state, &own);
	if (status == WEIR_OK) {
		return WEIR_OK;
	}
	char where[WEIR_ERROR_WHERE_SIZE];
	(void)snprintf(where, sizeof where, "policies[%zu]%s%.400s", policy,
	               own.where[0] != '\0' ? "." : "", own.where);
	return weir_error_set(error, status, where, "%s", own.message);
}

static weir_status add_runner(weir_controller *controller, const weir_controller_options *options,
                              size_t number, unsigned tags, weir_error *error)
{
	if (!weir_reserve((void **)&controller->runners, &controller->runner_capacity,
	                  controller->runner_count + 1, sizeof *controller->runners)) {
		return out_of_memory(error);
	}
	const weir_controller_policy *policy = &options->policies[number];
	uint64_t index = controller->runner_count;
	policy_runner *added = &controller->runners[controller->runner_count++];
	added->policy = number;
	added->type = policy->type;
	fill_context(controller, options, policy, tags, &added->context);
	added->limits = (weir_cut_limits){
	    .tags = tags,
	    .type_count = (uint32_t)controller->cluster->applications[policy->application].type_count,
	    .ratio_min = options->scaling->prompt_token_ratio_min,
	    .ratio_max = options->scaling->prompt_token_ratio_max,
	    .max_operations = options->control->max_operations,
	};
	name_actor(added);
	added->feed =
	    weir_scrape_feed_create(controller->meter, policy->application,
	                            policy->type->needs | policy->needs, options->control->metric_lag);
	if (added->feed == NULL) {
		return out_of_memory(error);
	}
	if (options->control->metric_noise > 0) {
		added->noise = weir_view_noise_create(
		    weir_stream_seed(options->seed, "metric noise", index), options->control->metric_noise);
		if (added->noise == NULL) {
			return out_of_memory(error);
		}
	}
	return start_policy(added, number, error);
}

/* One instance for all pools when the policy is joint, else one for each. */
static weir_status add_policy(weir_controller *controller, const weir_controller_options *options,
                              size_t number, weir_error *error)
{
	const weir_controller_policy *policy = &options->policies[number];
	assert(policy->application < controller->cluster->application_count);
	unsigned tags = existing_pools(controller, policy->application);
	if (policy->pool >= 0) {
		assert(policy->pool < WEIR_TAG_COUNT);
		if (!(tags & 1u << policy->pool)) {
			char where[64];
			(void)snprintf(where, sizeof where, "policies[%zu].pool", number);
			return weir_error_set(error, WEIR_ERROR_INPUT, where,
			                      "the application %s has no pool of %s instances",
			                      controller->cluster->applications[policy->application].name,
			                      weir_tag_names[policy->pool]);
		}
		tags = 1u << policy->pool;
	}
	if (policy->type->joint) {
		return add_runner(controller, options, number, tags, error);
	}
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (tags & 1u << tag) {
			weir_status status = add_runner(controller, options, number, 1u << tag, error);
			if (status != WEIR_OK) {
				return status;
			}
		}
	}
	return WEIR_OK;
}

static bool schedule(weir_controller *controller, double time, weir_event_class event_class,
                     weir_scaling_event type, size_t subject)
{
	weir_event event = {.type = type, .subject = (uint32_t)subject};
	return weir_engine_schedule(controller->engine, time, event_class, event).generation != 0;
}

/* Times are multiples, not sums: the thousandth tick comes when it should to the last bit. */
static bool schedule_tick(weir_controller *controller, size_t number)
{
	policy_runner *runner = &controller->runners[number];
	double time = (double)runner->ticks++ * runner->context.interval;
	controller->background++;
	return schedule(controller, time, WEIR_CLASS_TICK, WEIR_EVENT_POLICY, number);
}

/* Before the ticks of the same instant, which see it when there is no lag. */
static bool schedule_scrape(weir_controller *controller, size_t number)
{
	policy_runner *runner = &controller->runners[number];
	double time = (double)runner->scrapes++ * controller->control->scrape_interval;
	controller->background++;
	return schedule(controller, time, WEIR_CLASS_SAMPLE, WEIR_EVENT_SCRAPE, number);
}

static weir_status start_all(weir_controller *controller, const weir_controller_options *options,
                             weir_error *error)
{
	for (size_t i = 0; i < options->policy_count; i++) {
		weir_status status = add_policy(controller, options, i, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	for (size_t r = 0; r < controller->runner_count; r++) {
		if ((controller->control->scrape_interval > 0 && !schedule_scrape(controller, r)) ||
		    !schedule_tick(controller, r)) {
			return out_of_memory(error);
		}
	}
	return WEIR_OK;
}

weir_status weir_controller_create(const weir_controller_options *options,
                                   const weir_cluster *cluster, weir_meter *meter,
                                   weir_manager *manager, weir_engine *engine,
                                   weir_controller **controller, weir_error *error)
{
	weir_controller *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return out_of_memory(error);
	}
	made->cluster = cluster;
	made->control = options->control;
	made->meter = meter;
	made->manager = manager;
	made->engine = engine;
	weir_status status = start_all(made, options, error);
	if (status != WEIR_OK) {
		weir_controller_destroy(made);
		return status;
	}
	*controller = made;
	return WEIR_OK;
}

void weir_controller_destroy(weir_controller *controller)
{
	if (controller == NULL) {
		return;
	}
	for (size_t r = 0; r < controller->runner_count; r++) {
		policy_runner *runner = &controller->runners[r];
		weir_scrape_feed_destroy(runner->feed);
		weir_view_noise_destroy(runner->noise);
		free(runner->state);
		free(runner->late);
	}
	free(controller->runners);
	free(controller);
}

/* What is in flight and how large the pools are, just now. */
static weir_cut_state state_now(const weir_controller *controller, uint32_t application)
{
	const weir_manager *manager = controller->manager;
	weir_cut_state state = {.operations = weir_manager_operations(manager)};
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		state.sizes[tag] = weir_manager_size(manager, application, (weir_tag)tag);
		if (controller->control->max_operations > 0) {
			state.undoable[tag] = weir_manager_undoable(manager, application, (weir_tag)tag);
		}
	}
	return state;
}

static void note_cut(weir_controller *controller, const policy_runner *runner,
                     const weir_cut_step *step)
{
	if (step->amount != step->asked) {
		weir_manager_note_cut(controller->manager, runner->actor, runner->context.application,
		                      step->tag, step->asked, step->amount, step->reason);
	}
}

static void sizes_now(const weir_controller *controller, uint32_t application, int64_t *sizes)
{
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		sizes[tag] = weir_manager_size(controller->manager, application, (weir_tag)tag);
	}
}

/* Adds a step and what came of it; `done` has the sign of what was asked. */
static void add_part(weir_applied_part *part, const weir_cut_step *step, int64_t done,
                     weir_refusal reason)
{
	part->asked += step->asked;
	part->allowed += step->amount;
	part->done += done;
	if (part->reason == WEIR_REFUSED_NONE) {
		part->reason = step->reason != WEIR_REFUSED_NONE ? step->reason : reason;
	}
}

static void apply_migration(weir_controller *controller, const policy_runner *runner,
                            const weir_decision *decision, weir_applied_part *part)
{
	uint32_t application = runner->context.application;
	weir_cut_state state = state_now(controller, application);
	weir_cut_step step = weir_cut_migration(decision, &runner->limits, &state);
	note_cut(controller, runner, &step);
	weir_resize_result result = {0};
	if (step.amount != 0) {
		bool back = step.amount < 0;
		weir_tag from = back ? WEIR_TAG_PROMPT : WEIR_TAG_TOKEN;
		weir_tag to = back ? WEIR_TAG_TOKEN : WEIR_TAG_PROMPT;
		result = weir_manager_migrate(controller->manager, runner->actor, application, from, to,
		                              back ? -step.amount : step.amount);
		result.done = back ? -result.done : result.done;
	}
	add_part(part, &step, result.done, result.reason);
}

static void apply_changes(weir_controller *controller, const policy_runner *runner,
                          const weir_decision *decision, weir_applied_part *parts)
{
	uint32_t application = runner->context.application;
	weir_cut_state state = state_now(controller, application);
	weir_cut_plan plan;
	weir_cut_changes(decision, &runner->limits, &state, &plan);
	for (size_t i = 0; i < plan.count; i++) {
		const weir_cut_step *step = &plan.steps[i];
		note_cut(controller, runner, step);
		weir_resize_result result = {0};
		if (step->amount != 0) {
			result = weir_manager_resize(controller->manager, runner->actor, application, step->tag,
			                             step->type, step->amount);
		}
		add_part(&parts[step->tag], step, result.done, result.reason);
	}
}

static weir_status apply(weir_controller *controller, const policy_runner *runner,
                         const weir_decision *decision, weir_applied *applied, weir_error *error)
{
	if (decision->migrate != 0) {
		apply_migration(controller, runner, decision, &applied->migration);
	}
	if (decision->count > 0) {
		apply_changes(controller, runner, decision, applied->pools);
	}
	return weir_manager_check(controller->manager, error);
}

/* Makes room in the ring for one more. */
static bool reserve_late(policy_runner *runner)
{
	if (runner->late_count < runner->late_capacity) {
		return true;
	}
	size_t before = runner->late_capacity;
	if (!weir_reserve((void **)&runner->late, &runner->late_capacity, before + 1,
	                  sizeof *runner->late)) {
		return false;
	}
	/* The capacity doubled at least, so that what stood before the first fits behind the rest. */
	memcpy(runner->late + before, runner->late, runner->late_first * sizeof *runner->late);
	return true;
}

static bool put_off(weir_controller *controller, size_t number, const weir_decision *decision)
{
	policy_runner *runner = &controller->runners[number];
	if (!reserve_late(runner)) {
		return false;
	}
	size_t place = (runner->late_first + runner->late_count) % runner->late_capacity;
	runner->late[place] = *decision;
	runner->late_count++;
	double time = weir_engine_now(controller->engine) + controller->control->decision_delay;
	return schedule(controller, time, WEIR_CLASS_LIFECYCLE, WEIR_EVENT_DECISION, number);
}

static weir_status apply_late(weir_controller *controller, size_t number, weir_error *error)
{
	policy_runner *runner = &controller->runners[number];
	assert(runner->late_count > 0);
	const weir_decision *decision = &runner->late[runner->late_first];
	runner->late_first = (runner->late_first + 1) % runner->late_capacity;
	runner->late_count--;
	weir_applied applied = {0};
	return apply(controller, runner, decision, &applied, error);
}

/* What the control plane knows by itself. */
static void show_now(const weir_controller *controller, weir_view *view)
{
	uint32_t application = view->application;
	weir_view_count_now(controller->meter, view);
	view->servers_active = weir_manager_active_servers(controller->manager, application);
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (view->pools[tag].count[WEIR_INSTANCE_SCALING_UP] > 0) {
			view->pools[tag].next_ready =
			    weir_manager_next_ready(controller->manager, application, (weir_tag)tag);
		}
	}
}

/* What the policy sees at this tick; *sees is false when there is nothing yet. */
static bool look(weir_controller *controller, const policy_runner *runner, weir_view *view,
                 bool *sees)
{
	double now = weir_engine_now(controller->engine);
	uint64_t number;
	if ((controller->control->scrape_interval <= 0 && !weir_scrape_feed_take(runner->feed, now)) ||
	    !weir_scrape_feed_look(runner->feed, now, &number)) {
		return false;
	}
	*sees = number > 0;
	if (!*sees) {
		return true;
	}
	weir_scrape_feed_view(runner->feed, view);
	show_now(controller, view);
	return runner->noise == NULL || weir_view_noise_add(runner->noise, number, view);
}

static void note_asked(const weir_controller *controller, const policy_runner *runner,
                       const weir_decision *decision, weir_applied *applied)
{
	weir_cut_state state = state_now(controller, runner->context.application);
	weir_cut_plan plan;
	weir_cut_changes(decision, &runner->limits, &state, &plan);
	applied->migration.asked = weir_cut_migration(decision, &runner->limits, &state).asked;
	for (size_t i = 0; i < plan.count; i++) {
		applied->pools[plan.steps[i].tag].asked += plan.steps[i].asked;
	}
}

/* Applies a decision that has just been made, or puts it off. */
static weir_status carry_out(weir_controller *controller, size_t number,
                             const weir_decision *decision, weir_applied *applied,
                             weir_error *error)
{
	if (decision->migrate == 0 && decision->count == 0) {
		return WEIR_OK;
	}
	if (controller->control->decision_delay > 0) {
		applied->put_off = true;
		note_asked(controller, &controller->runners[number], decision, applied);
		return put_off(controller, number, decision) ? WEIR_OK : out_of_memory(error);
	}
	return apply(controller, &controller->runners[number], decision, applied, error);
}

static weir_status tick(weir_controller *controller, size_t number, weir_error *error)
{
	policy_runner *runner = &controller->runners[number];
	weir_view view;
	bool sees;
	if (!look(controller, runner, &view, &sees)) {
		return out_of_memory(error);
	}
	if (!sees) {
		return WEIR_OK;
	}
	weir_decision decision = {0};
	runner->type->decide(&runner->context, runner->state, &view, &decision);
	if (runner->type->deferred) {
		controller->waits = true;
		controller->waiting_runner = number;
		return WEIR_OK;
	}
	weir_applied applied = {0};
	return carry_out(controller, number, &decision, &applied, error);
}

int weir_controller_waiting(const weir_controller *controller)
{
	return controller->waits ? (int)controller->runners[controller->waiting_runner].policy : -1;
}

weir_status weir_controller_answer(weir_controller *controller, const weir_decision *decision,
                                   weir_applied *applied, weir_error *error)
{
	assert(controller->waits);
	size_t number = controller->waiting_runner;
	uint32_t application = controller->runners[number].context.application;
	weir_applied made = {0};
	controller->waits = false;
	sizes_now(controller, application, made.size_before);
	weir_status status = carry_out(controller, number, decision, &made, error);
	sizes_now(controller, application, made.size_after);
	if (applied != NULL) {
		*applied = made;
	}
	return status;
}

weir_status weir_controller_handle(weir_controller *controller, const weir_event *event, bool go_on,
                                   weir_error *error)
{
	size_t number = event->subject;
	assert(number < controller->runner_count && !controller->waits);
	switch ((weir_scaling_event)event->type) {
	case WEIR_EVENT_DECISION:
		return apply_late(controller, number, error);
	case WEIR_EVENT_SCRAPE:
		controller->background--;
		if (!weir_scrape_feed_take(controller->runners[number].feed,
		                           weir_engine_now(controller->engine)) ||
		    (go_on && !schedule_scrape(controller, number))) {
			return out_of_memory(error);
		}
		return WEIR_OK;
	default:
		assert(event->type == WEIR_EVENT_POLICY);
		controller->background--;
		if (go_on && !schedule_tick(controller, number)) {
			return out_of_memory(error);
		}
		return tick(controller, number, error);
	}
}

uint64_t weir_controller_background(const weir_controller *controller)
{
	return controller->background;
}

static bool copy_late(policy_runner *target, const policy_runner *source)
{
	if (!weir_reserve((void **)&target->late, &target->late_capacity, source->late_count,
	                  sizeof *target->late)) {
		return false;
	}
	for (size_t i = 0; i < source->late_count; i++) {
		target->late[i] = source->late[(source->late_first + i) % source->late_capacity];
	}
	target->late_first = 0;
	target->late_count = source->late_count;
	return true;
}

bool weir_controller_copy(weir_controller *target, const weir_controller *source)
{
	assert(target->runner_count == source->runner_count);
	for (size_t r = 0; r < source->runner_count; r++) {
		policy_runner *to = &target->runners[r];
		const policy_runner *from = &source->runners[r];
		assert(to->type == from->type && to->state_size == from->state_size);
		if (!weir_scrape_feed_copy(to->feed, from->feed) || !copy_late(to, from)) {
			return false;
		}
		memcpy(to->state, from->state, from->state_size);
		to->ticks = from->ticks;
		to->scrapes = from->scrapes;
	}
	target->waits = source->waits;
	target->waiting_runner = source->waiting_runner;
	target->background = source->background;
	return true;
}
