#include "cli/commands.h"

#include <stddef.h>

extern const weir_command command_compare;
extern const weir_command command_config;
extern const weir_command command_eval;
extern const weir_command command_export;
extern const weir_command command_info;
extern const weir_command command_plan;
extern const weir_command command_profile;
extern const weir_command command_recover;
extern const weir_command command_report;
extern const weir_command command_run;
extern const weir_command command_sensitivity;
extern const weir_command command_study;
extern const weir_command command_sweep;
extern const weir_command command_trace;
extern const weir_command command_trace_events;
extern const weir_command command_train;
extern const weir_command command_verify;

const weir_command *const weir_commands[] = {
    &command_run,          &command_study, &command_sweep,  &command_plan,
    &command_sensitivity,  &command_eval,  &command_report, &command_compare,
    &command_trace_events, &command_trace, &command_train,  &command_export,
    &command_config,       &command_info,  &command_verify, &command_recover,
    &command_profile,      NULL,
};
