/* What a driver records beside a run: /decisions, /training and the text /agent. Internal to rl. */
#ifndef WEIR_RL_AGENT_ROWS_H
#define WEIR_RL_AGENT_ROWS_H

#include "base/error.h"
#include "record/record.h"
#include "rl/driven_agent.h"

typedef struct agent_rows agent_rows;

/* Defines the tables in a recorder that has not started, and writes the text. *rows is to be
 * destroyed, but not before the recorder is closed. */
weir_status agent_rows_create(const driven_agent *agents, size_t count, weir_recorder *recorder,
                              agent_rows **rows, weir_error *error);
void agent_rows_destroy(agent_rows *rows);

/* The row of a decision that an agent has just made; not `decided`: of the end of the run. */
weir_status agent_rows_decision(agent_rows *rows, const driven_agent *agent, double time,
                                bool decided, weir_error *error);
/* The row of an update that an agent has just made. */
weir_status agent_rows_update(agent_rows *rows, const driven_agent *agent, weir_error *error);

#endif
