/* A study as tables for people, or as one file for programs. */
#ifndef WEIR_STUDY_STUDY_PRINT_H
#define WEIR_STUDY_STUDY_PRINT_H

#include "analysis/table.h"
#include "base/export.h"
#include "study/study.h"

WEIR_BEGIN_C

/*
 * The study as text, with a newline at its end; to be freed, NULL when memory is out.
 *
 * For people: for each scenario a table of the figures and one of the paired differences from the
 * baseline; the same of the mean over the scenarios; the medians of the p99s with their bootstrap
 * intervals; where plan->width asks for it, the replications needed. CSV: all that as one table
 * with a column `scenario`. JSON: all that, and every total of every run.
 */
WEIR_API char *weir_study_print(const weir_study *study, weir_table_format format);

WEIR_END_C

#endif
