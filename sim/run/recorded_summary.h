/* The summary of a run from its recorded requests. */
#ifndef WEIR_RUN_RECORDED_SUMMARY_H
#define WEIR_RUN_RECORDED_SUMMARY_H

#include "base/error.h"
#include "base/export.h"
#include "metrics/summary.h"
#include "record/reader.h"

WEIR_BEGIN_C

/* As weir_summary_compute, from the requests of an open file. summary->totals.end_time must be set.
 */
WEIR_API weir_status weir_recorded_summary(weir_reader *reader, const weir_slo *slo,
                                           weir_summary *summary, weir_error *error);

WEIR_END_C

#endif
