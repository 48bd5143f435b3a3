#include "run/verify.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/config.h"
#include "run/recorded_summary.h"
#include "run/verification.h"
#include "serving/lifecycle.h"

const weir_verify_description weir_verify_descriptions[WEIR_VERIFY_COUNT] = {
#define DESCRIPTION(name, description) {#name, description},
    WEIR_VERIFY_CHECKS(DESCRIPTION)
#undef DESCRIPTION
};

void weir_verify_fail(weir_verification *v, weir_verify_check check, const char *format, ...)
{
	if (v->report->checks[check].outcome == WEIR_VERIFY_FAILS) {
		return;
	}
	va_list args;
	va_start(args, format);
	vsnprintf(v->report->checks[check].detail, WEIR_VERIFY_DETAIL_SIZE, format, args);
	va_end(args);
	v->report->checks[check].outcome = WEIR_VERIFY_FAILS;
	v->report->failed++;
}

void weir_verify_note(weir_verification *v, weir_verify_check check, weir_verify_outcome outcome,
                      const char *format, ...)
{
	if (v->report->checks[check].outcome == WEIR_VERIFY_FAILS) {
		return;
	}
	va_list args;
	va_start(args, format);
	vsnprintf(v->report->checks[check].detail, WEIR_VERIFY_DETAIL_SIZE, format, args);
	va_end(args);
	v->report->checks[check].outcome = outcome;
}

bool weir_verify_same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

bool weir_verify_close(double a, double b)
{
	return weir_verify_same(a, b) || fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

bool weir_verify_close_time(const weir_verification *v, double a, double b)
{
	/* A few roundings of the times that were subtracted. */
	return weir_verify_close(a, b) || fabs(a - b) <= 1e-14 * v->totals.end_time;
}

/* ---- what the file says ---- */

static weir_status load_config(weir_verification *v)
{
	char *text = NULL;
	weir_status status = weir_reader_document(v->reader, "/provenance/config", &text, v->error);
	if (status != WEIR_OK) {
		return status;
	}
	char name[WEIR_ERROR_WHERE_SIZE];
	snprintf(name, sizeof name, "%s: /provenance/config", weir_reader_path(v->reader));
	const weir_document_options options = {.path = name, .text = text};
	status = weir_config_load(&options, &v->config, v->error);
	free(text);
	return status == WEIR_OK ? weir_cluster_build(v->config, &v->built, v->error) : status;
}

/* The instances that a run of the config starts with. */
static weir_status expect_instances(weir_verification *v)
{
	weir_engine *engine = weir_engine_create();
	weir_serving *serving = NULL;
	weir_status status =
	    engine != NULL ? weir_serving_create(&v->built.cluster, engine, NULL, &serving, v->error)
	                   : weir_error_set(v->error, WEIR_ERROR_MEMORY, NULL, "out of memory");
	if (status == WEIR_OK) {
		v->start_count = weir_serving_instance_slots(serving);
		v->expected = weir_allocate(v->start_count, sizeof *v->expected);
		v->prompts_assigned =
		    weir_allocate(v->config->application_count, sizeof *v->prompts_assigned);
		if (v->expected == NULL || v->prompts_assigned == NULL) {
			status = weir_error_set(v->error, WEIR_ERROR_MEMORY, NULL, "out of memory");
		}
	}
	for (uint32_t i = 0; status == WEIR_OK && i < v->start_count; i++) {
		weir_serving_instance(serving, i, &v->expected[i]);
	}
	weir_serving_destroy(serving);
	weir_engine_destroy(engine);
	return status;
}

/* Whether the cluster may have changed. */
static weir_status find_scaling(weir_verification *v)
{
	uint64_t rows = 0;
	weir_status status =
	    weir_reader_rows(v->reader, weir_scaling_events_table.name, &rows, v->error);
	v->scales = rows > 0 || v->config->policies.count > 0;
	return status;
}

static weir_status read_total(weir_verification *v, uint64_t row)
{
	const weir_total_description *total = &weir_total_descriptions[row];
	char name[WEIR_COLUMN_NAME_SIZE];
	char unit[WEIR_COLUMN_NAME_SIZE];
	double value = 0;
	const char *table = weir_totals_table.name;
	weir_status status = weir_reader_read_names(v->reader, table, "name", row, 1, name, v->error);
	if (status == WEIR_OK) {
		status = weir_reader_read_names(v->reader, table, "unit", row, 1, unit, v->error);
	}
	if (status == WEIR_OK) {
		status = weir_reader_read(v->reader, table, "value", row, 1, &value, v->error);
	}
	if (status != WEIR_OK) {
		return status;
	}
	if (strcmp(name, total->name) != 0 || strcmp(unit, total->unit) != 0) {
		return weir_error_set(v->error, WEIR_ERROR_INPUT, weir_reader_path(v->reader),
		                      "total %llu is %s in '%s', not %s in '%s'", (unsigned long long)row,
		                      name, unit, total->name, total->unit);
	}
	memcpy((char *)&v->totals + total->offset, &value, sizeof value);
	return WEIR_OK;
}

static weir_status read_totals(weir_verification *v)
{
	uint64_t rows = 0;
	weir_status status = weir_reader_rows(v->reader, weir_totals_table.name, &rows, v->error);
	if (status == WEIR_OK && rows != weir_total_count) {
		return weir_error_set(v->error, WEIR_ERROR_INPUT, weir_reader_path(v->reader),
		                      "has %llu totals, not %zu", (unsigned long long)rows,
		                      weir_total_count);
	}
	for (uint64_t i = 0; i < rows && status == WEIR_OK; i++) {
		status = read_total(v, i);
	}
	return status;
}

/* ---- checks of the end ---- */

static void check_conservation(weir_verification *v)
{
	const weir_totals *t = &v->totals;
	const double *rows = v->by_status;
	if (t->arrived != t->completed + t->failed + t->rejected + t->unfinished) {
		weir_verify_fail(v, WEIR_VERIFY_conservation,
		                 "totals: %.0f arrived, %.0f completed, %.0f failed, %.0f rejected, %.0f "
		                 "unfinished",
		                 t->arrived, t->completed, t->failed, t->rejected, t->unfinished);
	}
	if (t->completed != rows[WEIR_REQUEST_COMPLETED] || t->failed != rows[WEIR_REQUEST_FAILED] ||
	    t->rejected != rows[WEIR_REQUEST_REJECTED] ||
	    t->unfinished != rows[WEIR_REQUEST_UNFINISHED]) {
		weir_verify_fail(
		    v, WEIR_VERIFY_conservation,
		    "rows: %.0f completed, %.0f failed, %.0f rejected, %.0f unfinished; in the "
		    "totals %.0f, %.0f, %.0f, %.0f",
		    rows[WEIR_REQUEST_COMPLETED], rows[WEIR_REQUEST_FAILED], rows[WEIR_REQUEST_REJECTED],
		    rows[WEIR_REQUEST_UNFINISHED], t->completed, t->failed, t->rejected, t->unfinished);
	}
	weir_verify_note(
	    v, WEIR_VERIFY_conservation, WEIR_VERIFY_HOLDS,
	    "%.0f arrived = %.0f completed + %.0f failed + %.0f rejected + %.0f unfinished", t->arrived,
	    t->completed, t->failed, t->rejected, t->unfinished);
}

static void check_transfers(weir_verification *v)
{
	double least = v->transfer_bytes / WEIR_BYTES_PER_GB;
	double most = least + v->transfer_bytes_open / WEIR_BYTES_PER_GB;
	double got = v->totals.transfer_gb;
	if (!(got >= least && got <= most) && !weir_verify_close(got, least) &&
	    !weir_verify_close(got, most)) {
		weir_verify_fail(v, WEIR_VERIFY_transfers,
		                 "transfer_gb is %.17g, of the requests %.17g to %.17g", got, least, most);
	}
	weir_verify_note(v, WEIR_VERIFY_transfers, WEIR_VERIFY_HOLDS, "%.3f GB", got);
}

static void compare_statistic(weir_verification *v, const char *metric, const char *statistic,
                              double recorded, double computed)
{
	if (!weir_verify_same(recorded, computed)) {
		weir_verify_fail(v, WEIR_VERIFY_summary, "%s of %s is %.17g, of the requests %.17g",
		                 statistic, metric, recorded, computed);
	}
}

static weir_status compare_metric(weir_verification *v, uint64_t row,
                                  const weir_summary_metric *computed)
{
	const char *table = weir_summary_table.name;
	const char *metric = computed->metric;
	char name[WEIR_COLUMN_NAME_SIZE];
	double value = 0;
	weir_status status = weir_reader_read_names(v->reader, table, "metric", row, 1, name, v->error);
	if (status != WEIR_OK) {
		return status;
	}
	if (strcmp(name, metric) != 0) {
		weir_verify_fail(v, WEIR_VERIFY_summary, "metric %llu is '%s', not '%s'",
		                 (unsigned long long)row, name, metric);
	}
	status = weir_reader_read(v->reader, table, "count", row, 1, &value, v->error);
	if (status == WEIR_OK) {
		compare_statistic(v, metric, "count", value, (double)computed->count);
	}
#define COMPARE(field, description)                                                                \
	if (status == WEIR_OK) {                                                                       \
		status = weir_reader_read(v->reader, table, #field, row, 1, &value, v->error);             \
		compare_statistic(v, metric, #field, status == WEIR_OK ? value : computed->field,          \
		                  computed->field);                                                        \
	}
	WEIR_SUMMARY_STATISTICS(COMPARE)
#undef COMPARE
	return status;
}

/* The totals of the cluster have checks of their own and are taken over from the file. */
static void compare_totals(weir_verification *v, const weir_totals *computed)
{
	for (size_t i = 0; i < weir_total_count; i++) {
		const weir_total_description *total = &weir_total_descriptions[i];
		double got;
		double wanted;
		memcpy(&got, (const char *)&v->totals + total->offset, sizeof got);
		memcpy(&wanted, (const char *)computed + total->offset, sizeof wanted);
		if (!weir_verify_same(got, wanted)) {
			weir_verify_fail(v, WEIR_VERIFY_totals, "%s is %.17g, of the requests %.17g",
			                 total->name, got, wanted);
		}
	}
	weir_verify_note(v, WEIR_VERIFY_totals, WEIR_VERIFY_HOLDS, "%zu figures", weir_total_count);
}

static weir_status check_summary(weir_verification *v)
{
	if (!v->rows_usable) {
		weir_verify_note(v, WEIR_VERIFY_summary, WEIR_VERIFY_SKIPPED, "no use of such requests");
		weir_verify_note(v, WEIR_VERIFY_totals, WEIR_VERIFY_SKIPPED, "no use of such requests");
		return WEIR_OK;
	}
	weir_summary *computed = weir_allocate(1, sizeof *computed);
	if (computed == NULL) {
		return weir_error_set(v->error, WEIR_ERROR_MEMORY, NULL, "out of memory");
	}
	computed->totals = v->totals;
	weir_status status = weir_recorded_summary(v->reader, &v->built.slo, computed, v->error);
	for (uint64_t i = 0; i < WEIR_SUMMARY_COUNT && status == WEIR_OK; i++) {
		status = compare_metric(v, i, &computed->metrics[i]);
	}
	if (status == WEIR_OK) {
		compare_totals(v, &computed->totals);
	}
	free(computed);
	weir_verify_note(v, WEIR_VERIFY_summary, WEIR_VERIFY_HOLDS, "%d metrics", WEIR_SUMMARY_COUNT);
	return status;
}

/* ---- the whole ---- */

static weir_status verify_finished(weir_verification *v)
{
	weir_status status = read_totals(v);
	if (status == WEIR_OK) {
		status = weir_verify_read_cluster(v);
	}
	if (status == WEIR_OK) {
		status = weir_verify_requests(v);
	}
	if (status == WEIR_OK) {
		status = weir_verify_samples(v);
	}
	if (status == WEIR_OK) {
		status = weir_verify_scaling_events(v);
	}
	if (status != WEIR_OK) {
		return status;
	}
	weir_verify_instances(v);
	weir_verify_lives(v);
	weir_verify_note(v, WEIR_VERIFY_energy, WEIR_VERIFY_HOLDS, "%.3f kWh", v->totals.energy_kwh);
	check_conservation(v);
	check_transfers(v);
	return check_summary(v);
}

static weir_status verify_recovered(weir_verification *v)
{
	weir_status status = weir_verify_requests(v);
	if (status == WEIR_OK) {
		status = weir_verify_samples(v);
	}
	for (int i = 0; i < WEIR_VERIFY_COUNT; i++) {
		if (i != WEIR_VERIFY_requests && i != WEIR_VERIFY_samples) {
			weir_verify_note(v, (weir_verify_check)i, WEIR_VERIFY_SKIPPED,
			                 "a recovered file: the run did not come to its end");
		}
	}
	return status;
}

static weir_status verify(weir_verification *v)
{
	char *text = NULL;
	weir_status status = weir_reader_text(v->reader, "/", "status", &text, v->error);
	if (status != WEIR_OK) {
		return status;
	}
	v->finished = strcmp(text, "complete") == 0;
	free(text);
	status = load_config(v);
	if (status == WEIR_OK) {
		status = expect_instances(v);
	}
	if (status == WEIR_OK) {
		status = find_scaling(v);
	}
	if (status != WEIR_OK) {
		return status;
	}
	return v->finished ? verify_finished(v) : verify_recovered(v);
}

weir_status weir_verify(const char *path, weir_verify_report *report, weir_error *error)
{
	memset(report, 0, sizeof *report);
	weir_error found = {0};
	weir_verification v = {.report = report, .error = &found};
	weir_status status = weir_reader_open(path, &v.reader, &found);
	if (status == WEIR_OK) {
		status = verify(&v);
	}
	weir_reader_close(v.reader);
	weir_cluster_release(&v.built);
	weir_config_destroy(v.config);
	free(v.expected);
	free(v.instances);
	free(v.servers);
	free(v.pools);
	free(v.prompts_assigned);
	free(v.work);
	if (status != WEIR_OK && error != NULL) {
		*error = found;
	}
	return status;
}
