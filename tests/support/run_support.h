/* Configs and recorded runs for the tests of whole simulations. */
#ifndef WEIR_TESTS_RUN_SUPPORT_H
#define WEIR_TESTS_RUN_SUPPORT_H

#include <stddef.h>

#include "config/config.h"
#include "run/run.h"
#include "serving/request_row.h"

#define TEST_PARITY_CONFIG WEIR_CONFIG_DIRECTORY "/parity.json"

/* Loads a config with overrides "path=value", the last one followed by NULL; fails the test when it
 * is refused. To be destroyed with weir_config_destroy. */
const weir_config *test_config(const char *path, ...) __attribute__((sentinel));

/* Runs a config into the file `output` and, unless NULL, the CSV; fails the test on an error. */
weir_run_result test_run(const weir_config *config, const char *output, const char *requests_csv);

/* The content digest of a recorded file, 32 hex digits; valid until the next call. */
const char *test_digest(const char *path);

/* Every row of /requests of a recorded file, to be freed. */
weir_request_row *test_recorded_rows(const char *path, size_t *count);

/* A numeric column of a table of a recorded file, to be freed. */
double *test_recorded_column(const char *path, const char *table, const char *column,
                             size_t *count);

/* One figure of /totals of a recorded file. */
double test_recorded_total(const char *path, const char *name);

#endif
