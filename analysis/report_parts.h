/* How the payload of a report is put together. Internal to the room. */
#ifndef WEIR_ANALYSIS_REPORT_PARTS_H
#define WEIR_ANALYSIS_REPORT_PARTS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/run_file.h"
#include "analysis/series.h"
#include "base/error.h"
#include "base/export.h"
#include "metrics/summary.h"

WEIR_BEGIN_C

enum {
	WEIR_REPORT_BINS = 240,  /* at most, of a panel over time */
	WEIR_REPORT_MARKS = 200, /* at most, in a panel */
	WEIR_REPORT_DIGITS = 5,  /* significant digits of a number that is drawn */
	WEIR_REPORT_TIME_DIGITS = 9,
	WEIR_REPORT_LABEL_SIZE = 96
};

/* The three latencies that an SLO limits. */
typedef enum weir_report_latency {
	WEIR_REPORT_TTFT,
	WEIR_REPORT_TBT,
	WEIR_REPORT_E2E,
	WEIR_REPORT_LATENCIES
} weir_report_latency;

/* What became of a request, for the SLO. */
typedef enum weir_report_outcome {
	WEIR_OUTCOME_MET,
	WEIR_OUTCOME_LATE, /* completed or unfinished, past a limit */
	WEIR_OUTCOME_FAILED,
	WEIR_OUTCOME_REJECTED,
	WEIR_OUTCOME_OPEN, /* unfinished and not past a limit; left out of the attainment */
	WEIR_OUTCOMES
} weir_report_outcome;

/* An application's instances of one tag. */
typedef struct weir_report_pool {
	double application, tag;
	char label[WEIR_REPORT_LABEL_SIZE];
	uint32_t *bin;   /* of each row of /samples; WEIR_NO_BIN: not of this pool */
	double *waiting; /* tasks per ACTIVE instance, by bin of samples; mean */
	double *load_kv, *load_batch;
} weir_report_pool;

typedef struct weir_report_run {
	const weir_run_file *file;
	weir_error *error;
	bool out_of_memory; /* some of the JSON could not be made */
	cJSON *json, *panels, *tables;
	double end; /* of the run, s */

	/* requests, one value per row */
	weir_bins bins;
	double *middles; /* of the bins */
	double *arrival;
	uint32_t *bin; /* of the arrival */
	uint8_t *completed;
	uint8_t *outcome;                         /* weir_report_outcome; NULL without SLO */
	double *slowdowns[WEIR_REPORT_LATENCIES]; /* NaN unless completed; NULL without SLO */
	double *late;                             /* late, failed and rejected requests, by sample bin;
	                                             NULL without SLO */

	/* samples */
	uint64_t sample_rows;
	weir_bins sample_bins;
	double *sample_ends; /* of the bins */
	weir_report_pool *pools;
	size_t pool_count;
} weir_report_run;

/* ---- JSON (report_panel.c): a NULL or a failure is remembered in run->out_of_memory ---- */

/* What a panel is; texts are copied. */
typedef struct weir_panel_text {
	const char *id, *section, *title, *note, *kind;
	const char *x_label, *x_unit, *y_label, *y_unit;
	bool x_log, y_log;
} weir_panel_text;

cJSON *weir_report_numbers(weir_report_run *run, const double *values, size_t count, int digits);
void weir_report_add(weir_report_run *run, cJSON *object, const char *name, cJSON *item);
void weir_report_add_text(weir_report_run *run, cJSON *object, const char *name, const char *text);
void weir_report_add_number(weir_report_run *run, cJSON *object, const char *name, double value,
                            int digits);
cJSON *weir_report_panel(weir_report_run *run, const weir_panel_text *text, const double *x,
                         size_t count);
void weir_report_series(weir_report_run *run, cJSON *panel, const char *label, const char *role,
                        const double *values, size_t count);
void weir_report_limit(weir_report_run *run, cJSON *panel, const char *label, double value,
                       const char *axis);
void weir_report_mark(weir_report_run *run, cJSON *panel, double at, const char *label,
                      const char *kind);
/* A table without rows; its columns are `names`, NULL-terminated, with units where not NULL. */
cJSON *weir_report_table(weir_report_run *run, const char *id, const char *title,
                         const char *const *names, const char *const *units);

/* ---- the parts ---- */

/* Reads what all panels need: bins, arrivals, outcomes, pools. */
weir_status weir_report_prepare(weir_report_run *run);
weir_status weir_report_prepare_samples(weir_report_run *run);
weir_status weir_report_prepare_slo(weir_report_run *run);
void weir_report_release(weir_report_run *run);

weir_status weir_report_load_panels(weir_report_run *run);
weir_status weir_report_latency_panels(weir_report_run *run);
weir_status weir_report_network_panels(weir_report_run *run);
weir_status weir_report_pool_panels(weir_report_run *run);  /* Pools, Instances, Loads, Memory */
weir_status weir_report_power_panels(weir_report_run *run); /* after Network */
/* Marks the decisions and faults of each pool: panels[pool_count]; a table of who decided. */
weir_status weir_report_events(weir_report_run *run, cJSON *const *panels);
/* The figures of a run: those that it recorded, or, of a part of a run, what its rows tell. NaN
 * where that is nothing. */
typedef struct weir_report_figures {
	weir_summary summary; /* metrics; a metric without a name is not known */
	double arrived, completed, failed, rejected, unfinished;
	double attainment, slo_met, cost_usd, energy_kwh, output_tokens_per_s;
	double instance_hours, scale_operations;
} weir_report_figures;

/* After weir_report_prepare, _prepare_samples and _prepare_slo. `figures` is zeroed before. */
weir_status weir_report_read_figures(weir_report_run *run, weir_report_figures *figures);
/* Verdict, facts, figures, the tables of single figures. */
weir_status weir_report_heading(weir_report_run *run);

WEIR_END_C

#endif
