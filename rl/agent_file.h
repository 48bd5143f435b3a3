/* What the files that write and read agents share. Internal to the room. */
#ifndef WEIR_RL_AGENT_FILE_H
#define WEIR_RL_AGENT_FILE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/export.h"
#include "record/archive.h"
#include "rl/actor_critic.h"
#include "rl/space.h"

WEIR_BEGIN_C

enum { WEIR_AGENT_PATH_SIZE = 256 };

/* GROUP/NAME, in a buffer, which is returned. */
const char *weir_agent_path(char name[WEIR_AGENT_PATH_SIZE], const char *group, const char *format,
                            ...) WEIR_PRINTF(3, 4);

weir_status weir_agent_no_memory(weir_error *error);

/* A space being read: its texts are pieces of `names` and `units`. */
typedef struct weir_agent_space {
	weir_space space;
	weir_dimension *dimensions;
	char *names, *units;
} weir_agent_space;

/* Whether it is a weight, [in][out], and no list. */
bool weir_agent_tensor_is_weight(const weir_tensor *tensor);

/* The names of all dimensions, or their units, one a line; to be freed. NULL when memory is out. */
char *weir_agent_space_lines(const weir_space *space, bool units);
weir_status weir_agent_space_put(weir_archive_writer *archive, const char *group,
                                 const weir_space *space, weir_error *error);
/* *read is to be freed with weir_agent_space_free, after errors too. */
weir_status weir_agent_space_get(const weir_archive *archive, const char *group,
                                 weir_agent_space *read, weir_error *error);
void weir_agent_space_free(weir_agent_space *read);

WEIR_END_C

#endif
