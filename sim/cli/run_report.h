/* What `weir run` prints of a finished run. */
#ifndef WEIR_CLI_RUN_REPORT_H
#define WEIR_CLI_RUN_REPORT_H

#include "config/config.h"
#include "run/run.h"

/* The table for people, to stdout. */
void cli_run_print_summary(const weir_config *config, const char *output,
                           const weir_run_result *result);

/* One JSON object, to stdout: output, totals, metrics by name, counters, performance. */
void cli_run_print_json(const weir_config *config, const char *output,
                        const weir_run_result *result);

#endif
