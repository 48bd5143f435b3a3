/* What the manager tells: rows of /scaling_events, lines of the log, refusals. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "scaling/manager_state.h"

const char *const weir_refusal_texts[] = {
#define WEIR_REFUSAL_TEXT(name, text) text,
    WEIR_REFUSALS(WEIR_REFUSAL_TEXT)
#undef WEIR_REFUSAL_TEXT
        NULL,
};

const char *const weir_scaling_action_names[] = {
#define WEIR_SCALING_ACTION_TEXT(name, text) text,
    WEIR_SCALING_ACTIONS(WEIR_SCALING_ACTION_TEXT)
#undef WEIR_SCALING_ACTION_TEXT
        NULL,
};

enum { LINE_SIZE = 256 };

weir_log_subject weir_manager_subject(const weir_manager *manager, const char *actor,
                                      weir_instance_handle handle)
{
	const weir_managed_instance *instance = weir_manager_instance(manager, handle);
	if (instance == NULL) {
		return (weir_log_subject){.actor = actor, .instance = handle.id, .server = -1};
	}
	return (weir_log_subject){
	    .actor = actor,
	    .application = instance->application,
	    .tag = instance->tag,
	    .instance = instance->id,
	    .server = instance->server.id,
	};
}

void weir_manager_row(const weir_manager *manager, const weir_log_subject *subject,
                      weir_scaling_action action, int64_t asked, int64_t done, weir_refusal reason)
{
	if (manager->observer.scaling_event == NULL) {
		return;
	}
	weir_scaling_event_row row = {
	    .time = weir_engine_now(manager->engine),
	    .action = (uint8_t)action,
	    .application = (int32_t)subject->application,
	    .pool = (uint8_t)subject->tag,
	    .asked = (int32_t)asked,
	    .done = (int32_t)done,
	    .reason = (uint8_t)reason,
	    .instance = (int32_t)subject->instance,
	    .server = (int32_t)subject->server,
	};
	snprintf(row.actor, sizeof row.actor, "%s", subject->actor);
	manager->observer.scaling_event(manager->observer.context, &row);
}

void weir_manager_line(const weir_manager *manager, const char *format, ...)
{
	if (manager->observer.log == NULL) {
		return;
	}
	char line[LINE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	manager->observer.log(manager->observer.context, line);
}

const char *weir_manager_clock(const weir_manager *manager, char *buffer)
{
	int64_t hundredths = (int64_t)llround(weir_engine_now(manager->engine) * 100);
	snprintf(buffer, WEIR_CLOCK_SIZE, "%" PRId64 ".%02" PRId64, hundredths / 100, hundredths % 100);
	return buffer;
}

weir_refusal weir_manager_blocked(weir_manager *manager, const weir_log_subject *subject,
                                  weir_refusal reason, bool grows, int64_t count)
{
	const char *pool = weir_tag_names[subject->tag];
	manager->counters.refused[reason] += (uint64_t)count;
	if (reason == WEIR_REFUSED_MAX_TOTAL) {
		weir_manager_line(manager, "[Action Blocked] Max cluster size reached (%" PRId64 ")",
		                  manager->config->max_total_instances);
	} else if (reason == WEIR_REFUSED_MIN_POOL) {
		weir_manager_line(manager, "[Action Blocked] Cannot remove %s, min limit reached", pool);
	} else {
		weir_manager_line(manager, "[Action Blocked] Cannot %s %s, %s", grows ? "add" : "remove",
		                  pool, weir_refusal_texts[reason]);
	}
	return reason;
}

weir_refusal weir_manager_refuse(weir_manager *manager, const weir_log_subject *subject,
                                 weir_refusal reason, bool grows)
{
	weir_manager_blocked(manager, subject, reason, grows, 1);
	weir_manager_row(manager, subject, WEIR_SCALING_REFUSED, grows ? 1 : -1, 0, reason);
	return reason;
}
