/*
 * What a report shows, as JSON: the payload that the page draws. docs/report.md says what the
 * panels are and how they are binned; analysis/report_page.h makes the page.
 *
 * { "weir": version, "made": UTC time, "runs": [ { "name", "file", "partial", "verdict", "facts",
 *   "figures", "tables", "panels", "config" } ] }
 */
#ifndef WEIR_ANALYSIS_REPORT_DATA_H
#define WEIR_ANALYSIS_REPORT_DATA_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

/*
 * The payload of the recorded runs at paths[count], to be freed with cJSON_Delete; NULL after an
 * error. Errors: those of weir_run_file_open, a column that is missing or unreadable, out of
 * memory. Panels of tables that a file does not have are left out.
 *
 * Cost per run: O(rows log rows) time; memory of about 80 bytes a request, as columns are read one
 * at a time, and one run after the other.
 */
WEIR_API weir_status weir_report_data(const char *const *paths, size_t count, cJSON **payload,
                                      weir_error *error);

WEIR_END_C

#endif
