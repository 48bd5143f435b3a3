#include "rl/agent_rows.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "rl/row_table.h"

enum { PARTS = WEIR_TAG_COUNT + 1, MIGRATE = WEIR_TAG_COUNT, TEXT_SIZE = 512 };

/* Columns of what became of one part of a decision; -1: the agent has no such part. */
typedef struct part_columns {
	int asked, cut, done, limit;
} part_columns;

/* Columns of one agent, which may share them with others. -1: not recorded. */
typedef struct agent_columns {
	int *terms; /* [count of terms] */
	int *state; /* [size of the observation] */
	int *raw;   /* [size of the action] */
	part_columns parts[PARTS];
	int checks[WEIR_CHECK_COUNT];
} agent_columns;

struct agent_rows {
	weir_arena *arena;
	weir_row_table *decisions;
	weir_row_table *training; /* NULL: nobody learns */
	int time, agent, application, decision, reward, value;
	agent_columns *agents;
	int training_agent; /* -1: there is but one */
	int step, mean_reward;
#define FIGURE_COLUMN(field, name) int field;
	WEIR_PPO_FIGURES(FIGURE_COLUMN)
#undef FIGURE_COLUMN
	bool out_of_memory;
};

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the agents' tables");
}

static int *make_columns(agent_rows *rows, size_t count)
{
	int *columns = weir_arena_allocate(rows->arena, count > 0 ? count : 1, sizeof *columns);
	rows->out_of_memory = rows->out_of_memory || columns == NULL;
	return columns;
}

static int add(agent_rows *rows, weir_column_type type, const char *unit, const char *description,
               const char *name)
{
	int column = weir_row_table_add(rows->decisions, type, unit, description, NULL, "%s", name);
	rows->out_of_memory = rows->out_of_memory || column < 0;
	return column;
}

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* What the loop tells of the decision before stands in that decision's own row. */
static bool is_of_decision_before(const char *name)
{
	static const char *const prefixes[] = {"asked_", "cut_", "done_", "limit_"};
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		if (begins_with(name, prefixes[i])) {
			return true;
		}
	}
	return strcmp(name, "time") == 0;
}

static void add_terms(agent_rows *rows, const driven_agent *agent, agent_columns *columns)
{
	size_t count;
	const weir_info_term *terms = weir_scaling_loop_terms(agent->loop, &count);
	columns->terms = make_columns(rows, count);
	for (size_t i = 0; !rows->out_of_memory && i < count; i++) {
		columns->terms[i] = -1;
		if (!is_of_decision_before(terms[i].name)) {
			columns->terms[i] =
			    add(rows, WEIR_COLUMN_DOUBLE, terms[i].unit, terms[i].description, terms[i].name);
		}
	}
}

/* The newest snapshot of the stack: "<feature>[0]". */
static void add_state(agent_rows *rows, const driven_agent *agent, agent_columns *columns)
{
	const weir_space *seen = &agent->agent->observation;
	columns->state = make_columns(rows, seen->size);
	for (size_t i = 0; !rows->out_of_memory && i < seen->size; i++) {
		const char *name = seen->dimensions[i].name;
		const char *end = strstr(name, "[0]");
		columns->state[i] = -1;
		if (end != NULL) {
			columns->state[i] =
			    weir_row_table_add(rows->decisions, WEIR_COLUMN_DOUBLE, seen->dimensions[i].unit,
			                       "What the agent saw, as it saw it (docs/agents.md).", NULL,
			                       "state_%.*s", (int)(end - name), name);
			rows->out_of_memory = rows->out_of_memory || columns->state[i] < 0;
		}
	}
}

static void add_raw(agent_rows *rows, const driven_agent *agent, agent_columns *columns)
{
	const weir_space *action = &agent->agent->action;
	columns->raw = make_columns(rows, action->size);
	for (size_t i = 0; !rows->out_of_memory && i < action->size; i++) {
		columns->raw[i] =
		    weir_row_table_add(rows->decisions, WEIR_COLUMN_DOUBLE, action->dimensions[i].unit,
		                       "The policy's answer, before it is cut to its bounds.", NULL,
		                       "raw_%s", action->dimensions[i].name);
		rows->out_of_memory = rows->out_of_memory || columns->raw[i] < 0;
	}
}

static part_columns add_part(agent_rows *rows, const char *name, const char *what)
{
	static const struct {
		const char *name, *description;
	} numbers[] = {{"asked", "Asked for by the decision"},
	               {"cut", "Of these, cut off by the config's limits or refused; NaN: done later"},
	               {"done", "Of these, what the ScalingManager did; NaN: done later"}};
	int columns[3];
	char text[TEXT_SIZE];
	for (size_t i = 0; i < 3; i++) {
		snprintf(text, sizeof text, "%s: %s.", numbers[i].description, what);
		columns[i] = weir_row_table_add(rows->decisions, WEIR_COLUMN_DOUBLE, "instances", text,
		                                NULL, "%s_%s", numbers[i].name, name);
		rows->out_of_memory = rows->out_of_memory || columns[i] < 0;
	}
	int limit = weir_row_table_add(rows->decisions, WEIR_COLUMN_UINT8, "",
	                               "Why less was done than asked for, the first reason.",
	                               weir_refusal_texts, "limit_%s", name);
	rows->out_of_memory = rows->out_of_memory || limit < 0;
	return (part_columns){columns[0], columns[1], columns[2], limit};
}

static void add_parts(agent_rows *rows, const driven_agent *agent, agent_columns *columns)
{
	static const part_columns none = {-1, -1, -1, -1};
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		columns->parts[tag] =
		    agent->tags & 1u << tag
		        ? add_part(rows, weir_tag_names[tag], "instances of the pool; below 0: taken away")
		        : none;
	}
	unsigned both = 1u << WEIR_TAG_PROMPT | 1u << WEIR_TAG_TOKEN;
	columns->parts[MIGRATE] =
	    (agent->tags & both) == both
	        ? add_part(rows, "migrate", "from the token to the prompt pool; below 0: back")
	        : none;
}

static void add_checks(agent_rows *rows, agent_columns *columns)
{
	unsigned made = weir_scaling_loop_checks() & ~(1u << WEIR_CHECK_WORKLOAD);
	for (int c = 0; c < WEIR_CHECK_COUNT; c++) {
		char text[TEXT_SIZE];
		snprintf(text, sizeof text, "1: it holds that %s; 0: it does not.",
		         weir_env_check_texts[c]);
		columns->checks[c] = -1;
		if (made & 1u << c) {
			columns->checks[c] = weir_row_table_add(rows->decisions, WEIR_COLUMN_UINT8, "", text,
			                                        NULL, "check_%s", weir_env_check_names[c]);
			rows->out_of_memory = rows->out_of_memory || columns->checks[c] < 0;
		}
	}
}

static weir_status define_decisions(agent_rows *rows, const driven_agent *agents, size_t count,
                                    weir_recorder *recorder, weir_error *error)
{
	rows->time = add(rows, WEIR_COLUMN_DOUBLE, "s", "When it was made.", "time");
	rows->agent =
	    add(rows, WEIR_COLUMN_INT32, "", "Number of the agent in /agent, from 0.", "agent");
	rows->application = add(rows, WEIR_COLUMN_INT32, "",
	                        "Number of the application in the config, from 0.", "application");
	rows->decision =
	    add(rows, WEIR_COLUMN_INT64, "",
	        "Number of the agent's decision, from 1; 0: none, the end of the run.", "decision");
	rows->reward =
	    add(rows, WEIR_COLUMN_DOUBLE, "",
	        "Reward of the interval that ends here; NaN: there was none before.", "reward");
	rows->value =
	    add(rows, WEIR_COLUMN_DOUBLE, "",
	        "Discounted return that the agent expects, in the unit of the reward.", "value");
	for (size_t i = 0; !rows->out_of_memory && i < count; i++) {
		add_terms(rows, &agents[i], &rows->agents[i]);
	}
	for (size_t i = 0; !rows->out_of_memory && i < count; i++) {
		add_parts(rows, &agents[i], &rows->agents[i]);
		add_checks(rows, &rows->agents[i]);
	}
	for (size_t i = 0; !rows->out_of_memory && i < count; i++) {
		add_raw(rows, &agents[i], &rows->agents[i]);
		add_state(rows, &agents[i], &rows->agents[i]);
	}
	return rows->out_of_memory ? no_memory(error)
	                           : weir_row_table_define(rows->decisions, recorder, error);
}

static weir_status define_training(agent_rows *rows, size_t count, weir_recorder *recorder,
                                   weir_error *error)
{
	rows->training =
	    weir_row_table_create("training", "One row per update of an agent that learns.");
	if (rows->training == NULL) {
		return no_memory(error);
	}
	rows->step = weir_row_table_add(rows->training, WEIR_COLUMN_INT64, "decisions",
	                                "Decisions of the agent before it.", NULL, "step");
	rows->training_agent = -1;
	if (count > 1) {
		rows->training_agent =
		    weir_row_table_add(rows->training, WEIR_COLUMN_INT32, "",
		                       "Number of the agent in /agent, from 0.", NULL, "agent");
	}
	rows->mean_reward = weir_row_table_add(rows->training, WEIR_COLUMN_DOUBLE, "",
	                                       "Mean reward of the decisions since the update before.",
	                                       NULL, "reward_mean");
	bool made =
	    rows->step >= 0 && rows->mean_reward >= 0 && (count == 1 || rows->training_agent >= 0);
#define ADD_FIGURE(field, name_)                                                                   \
	rows->field =                                                                                  \
	    weir_row_table_add(rows->training, WEIR_COLUMN_DOUBLE, "",                                 \
	                       "As train/" name_ " of Stable-Baselines3's log.", NULL, "%s", name_);   \
	made = made && rows->field >= 0;
	WEIR_PPO_FIGURES(ADD_FIGURE)
#undef ADD_FIGURE
	return made ? weir_row_table_define(rows->training, recorder, error) : no_memory(error);
}

/* --- the text --- */

static bool add_parsed(cJSON *object, const char *name, const char *text)
{
	cJSON *json = text != NULL ? cJSON_Parse(text) : cJSON_CreateObject();
	return cJSON_AddItemToObject(object, name, json);
}

static bool describe_agent(cJSON *list, const driven_agent *agent)
{
	cJSON *json = cJSON_CreateObject();
	bool good = cJSON_AddItemToArray(list, json) &&
	            cJSON_AddStringToObject(json, "sha256", agent->sum) != NULL &&
	            cJSON_AddStringToObject(json, "environment", agent->agent->environment) != NULL &&
	            cJSON_AddStringToObject(json, "actions",
	                                    agent->sampled ? "drawn" : "deterministic") != NULL &&
	            cJSON_AddBoolToObject(json, "learns", agent->learns) != NULL &&
	            cJSON_AddNumberToObject(json, "application", agent->application) != NULL;
	cJSON *pools = good ? cJSON_AddArrayToObject(json, "pools") : NULL;
	for (int tag = 0; pools != NULL && tag < WEIR_TAG_COUNT; tag++) {
		if (agent->tags & 1u << tag) {
			good = good && cJSON_AddItemToArray(pools, cJSON_CreateString(weir_tag_names[tag]));
		}
	}
	return pools != NULL && good && add_parsed(json, "task", agent->agent->parameters) &&
	       add_parsed(json, "origin", agent->agent->origin);
}

static weir_status write_text(const driven_agent *agents, size_t count, weir_recorder *recorder,
                              weir_error *error)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(json, "agents");
	bool good = list != NULL;
	for (size_t i = 0; good && i < count; i++) {
		good = describe_agent(list, &agents[i]);
	}
	char *text = good ? weir_json_print(json) : NULL;
	cJSON_Delete(json);
	if (text == NULL) {
		return no_memory(error);
	}
	weir_status status =
	    weir_recorder_set_document(recorder, "/agent", text,
	                               "The agents that drove the run, JSON: the SHA-256 of their "
	                               "files, their tasks, how they came "
	                               "to be.",
	                               error);
	free(text);
	return status;
}

/* --- all of it --- */

static weir_status define(agent_rows *rows, const driven_agent *agents, size_t count,
                          weir_recorder *recorder, weir_error *error)
{
	rows->arena = weir_arena_create();
	rows->decisions = weir_row_table_create(
	    "decisions", "One row per decision of an agent, and one of each at the end of the run.");
	rows->agents =
	    rows->arena != NULL ? weir_arena_allocate(rows->arena, count, sizeof *rows->agents) : NULL;
	if (rows->decisions == NULL || rows->agents == NULL) {
		return no_memory(error);
	}
	weir_status status = define_decisions(rows, agents, count, recorder, error);
	if (status == WEIR_OK && agents[0].learns) {
		status = define_training(rows, count, recorder, error);
	}
	return status == WEIR_OK ? write_text(agents, count, recorder, error) : status;
}

weir_status agent_rows_create(const driven_agent *agents, size_t count, weir_recorder *recorder,
                              agent_rows **rows, weir_error *error)
{
	*rows = weir_allocate(1, sizeof **rows);
	return *rows != NULL ? define(*rows, agents, count, recorder, error) : no_memory(error);
}

void agent_rows_destroy(agent_rows *rows)
{
	if (rows != NULL) {
		weir_row_table_destroy(rows->decisions);
		weir_row_table_destroy(rows->training);
		weir_arena_destroy(rows->arena);
		free(rows);
	}
}

static void set_part(agent_rows *rows, const part_columns *columns, const weir_applied_part *part,
                     bool put_off)
{
	if (columns->asked < 0) {
		return;
	}
	weir_row_table_set(rows->decisions, columns->asked, (double)part->asked);
	if (!put_off) {
		weir_row_table_set(rows->decisions, columns->cut, (double)(part->asked - part->done));
		weir_row_table_set(rows->decisions, columns->done, (double)part->done);
		weir_row_table_set(rows->decisions, columns->limit, (double)part->reason);
	}
}

static void set_decision(agent_rows *rows, const driven_agent *agent, const agent_columns *columns)
{
	const weir_applied *applied = weir_scaling_loop_applied(agent->loop);
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		set_part(rows, &columns->parts[tag], &applied->pools[tag], applied->put_off);
	}
	set_part(rows, &columns->parts[MIGRATE], &applied->migration, applied->put_off);
	weir_row_table_set(rows->decisions, rows->value, agent->value);
	for (size_t i = 0; i < agent->agent->action.size; i++) {
		weir_row_table_set(rows->decisions, columns->raw[i], (double)agent->raw[i]);
	}
}

static void set_interval(agent_rows *rows, const driven_agent *agent, const agent_columns *columns)
{
	size_t count;
	weir_scaling_loop_terms(agent->loop, &count);
	const double *values = weir_scaling_loop_values(agent->loop);
	bool any = agent->outcome.decision > 0;
	if (any) {
		weir_row_table_set(rows->decisions, rows->reward, agent->outcome.reward);
	}
	for (size_t i = 0; any && i < count; i++) {
		if (columns->terms[i] >= 0) {
			weir_row_table_set(rows->decisions, columns->terms[i], values[i]);
		}
	}
	for (int c = 0; c < WEIR_CHECK_COUNT; c++) {
		if (columns->checks[c] >= 0) {
			weir_row_table_set(rows->decisions, columns->checks[c],
			                   agent->outcome.failed & 1u << c ? 0.0 : 1.0);
		}
	}
}

weir_status agent_rows_decision(agent_rows *rows, const driven_agent *agent, double time,
                                bool decided, weir_error *error)
{
	const agent_columns *columns = &rows->agents[agent->number];
	weir_row_table_clear(rows->decisions);
	weir_row_table_set(rows->decisions, rows->time, time);
	weir_row_table_set(rows->decisions, rows->agent, (double)agent->number);
	weir_row_table_set(rows->decisions, rows->application, (double)agent->application);
	weir_row_table_set(rows->decisions, rows->decision, decided ? (double)agent->decisions : 0.0);
	set_interval(rows, agent, columns);
	for (size_t i = 0; i < agent->agent->observation.size; i++) {
		if (columns->state[i] >= 0) {
			weir_row_table_set(rows->decisions, columns->state[i], (double)agent->observation[i]);
		}
	}
	if (decided) {
		set_decision(rows, agent, columns);
	}
	return weir_row_table_append(rows->decisions, error);
}

weir_status agent_rows_update(agent_rows *rows, const driven_agent *agent, weir_error *error)
{
	weir_row_table *table = rows->training;
	weir_row_table_clear(table);
	weir_row_table_set(table, rows->step, (double)(agent->decisions - 1));
	if (rows->training_agent >= 0) {
		weir_row_table_set(table, rows->training_agent, (double)agent->number);
	}
	weir_row_table_set(table, rows->mean_reward, agent->mean_reward);
#define SET_FIGURE(field, name) weir_row_table_set(table, rows->field, agent->figures.field);
	WEIR_PPO_FIGURES(SET_FIGURE)
#undef SET_FIGURE
	return weir_row_table_append(table, error);
}
