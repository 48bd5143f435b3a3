/* weir_verify: what is as it was recorded holds, and one changed number fails the check for it. */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/reader.h"
#include "run/verify.h"
#include "scaling/manager.h"
#include "support/elastic_run.h"
#include "support/run_support.h"
#include "support/test_support.h"

#define TRACE "trace.path=" WEIR_SOURCE_DIR "/tests/parity/syn_burst.csv"

static weir_verify_report verify(const char *path)
{
	weir_verify_report report;
	weir_error error = {0};
	ck_assert_ok(weir_verify(path, &report, &error), &error);
	return report;
}

static void expect_holds(const char *path)
{
	weir_verify_report report = verify(path);
	for (int i = 0; i < WEIR_VERIFY_COUNT; i++) {
		ck_assert_msg(report.checks[i].outcome == WEIR_VERIFY_HOLDS, "%s: %s",
		              weir_verify_descriptions[i].name, report.checks[i].detail);
	}
	ck_assert_uint_eq(report.failed, 0);
}

static void expect_all_hold(const weir_config *config)
{
	const char *path = test_path("good.h5");
	test_run(config, path, NULL);
	weir_config_destroy(config);
	expect_holds(path);
}

/* With preemptions, transfers, instances lent to the mixed list. */
static const weir_config *busy_config(void)
{
	return test_config(TEST_PARITY_CONFIG, TRACE, "servers=dgx-h100:2,dgx-a100:2",
	                   "pools=prompt:dgx-h100,token:dgx-a100", "scheduler.kind=mixed_pool", NULL);
}

START_TEST(runs_that_scale_hold)
{
	const char *path = test_path("elastic.h5");
	test_run_elastic(path, TRACE);
	expect_holds(path);
	/* Otherwise little would have been checked. */
	static const char *const some[] = {
	    "instances_started",  "instances_removed", "flips",
	    "operations_refused", "drain_timeouts",    "moves",
	    "scale_operations",   "booting_hours",     "prompt_tokens_lost",
	    "draining_hours",
	};
	for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
		ck_assert_msg(test_recorded_total(path, some[i]) > 0, "no %s", some[i]);
	}
	/* Two instances on each server, and no flips. */
	expect_all_hold(test_config(TEST_PARITY_CONFIG, TRACE, "instance.tensor_parallel=4",
	                            "model=llama2-70b", "execution_time.kind=roofline",
	                            "policies=[{\"kind\": \"reactive\", \"interval\": 3}]", NULL));
}
END_TEST

START_TEST(recorded_runs_hold)
{
	expect_all_hold(busy_config());
	expect_all_hold(test_config(TEST_PARITY_CONFIG, TRACE, "sampling.interval=0", NULL));
	expect_all_hold(test_config(TEST_PARITY_CONFIG, TRACE, "instance.kind=chunked",
	                            "scheduler.kind=kv_jsq", "pools=prompt:2,token:2",
	                            "network.kind=shared_nic", "sampling.interval=0.37", NULL));
	/* Two instances on each server, a model by formula. */
	expect_all_hold(test_config(TEST_PARITY_CONFIG, TRACE, "model=llama2-70b",
	                            "instance.tensor_parallel=4", "execution_time.kind=roofline",
	                            "trace.max_requests=300", NULL));
}
END_TEST

START_TEST(odd_requests_hold)
{
	/* The second can never fit, the third has one output token, the last two come at once. */
	const char *trace = test_path("odd.csv");
	test_write_file(trace, "request_id,arrival_timestamp,prompt_size,token_size\n"
	                       "0,0,100,20\n"
	                       "1,0.5,900000,20\n"
	                       "2,1,300,1\n"
	                       "3,2,1,2\n"
	                       "4,2,7,3\n");
	char set[600];
	snprintf(set, sizeof set, "trace.path=%s", trace);
	expect_all_hold(test_config(TEST_PARITY_CONFIG, set, NULL));
	ck_assert_double_eq(test_recorded_total(test_path("good.h5"), "rejected"), 1);
	expect_all_hold(test_config(TEST_PARITY_CONFIG, set, "scheduler.kind=kv_jsq",
	                            "pools=prompt:1,token:3", NULL));
}
END_TEST

START_TEST(an_applications_own_instances_hold)
{
	const char *trace = test_path("two.csv");
	test_write_file(trace, "request_id,request_type,application_id,arrival_timestamp,batch_size,"
	                       "prompt_size,token_size\n"
	                       "0,0,1,0,1,100,20\n"
	                       "1,0,0,0.5,1,900,20\n"
	                       "2,0,1,1,1,300,4\n");
	const char *path = test_path("two.json");
	char text[1024];
	snprintf(text, sizeof text,
	         "{\"include\": [\"hardware/dgx.json\", \"models/llm.json\"],"
	         " \"execution_time\": {\"kind\": \"roofline\"}, \"trace\": {\"path\": \"%s\"}, "
	         "\"applications\": ["
	         "{\"name\": \"chat\", \"model\": \"bloom-176b\", \"servers\": \"dgx-h100:2\"},"
	         "{\"name\": \"code\", \"model\": \"llama2-70b\", \"servers\": \"dgx-a100:2\","
	         " \"pools\": \"prompt:1,token:1\", \"scheduler\": {\"kind\": \"kv_jsq\"}}]}",
	         trace);
	test_write_file(path, text);
	expect_all_hold(test_config(path, NULL));
}
END_TEST

typedef struct stopping {
	double at; /* simulated seconds */
} stopping;

static bool stop_there(void *context, const weir_run_progress *progress)
{
	const stopping *stop = context;
	return progress->now < stop->at;
}

static const char *run_until(const char *name, double until, double stop_at)
{
	const weir_config *config = busy_config();
	const char *path = test_path(name);
	stopping stop = {stop_at};
	weir_run_options options = weir_run_options_default();
	options.output = path;
	options.until = until;
	options.progress = stop_there;
	options.context = &stop;
	weir_run_result result;
	weir_error error = {0};
	weir_status status = weir_run(config, &options, &result, &error);
	ck_assert_int_eq(status, isinf(stop_at) ? WEIR_OK : WEIR_ERROR_INTERRUPTED);
	weir_config_destroy(config);
	return path;
}

START_TEST(a_run_cut_short_holds)
{
	const double ends[] = {1e-6, 7.7, 60};
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		weir_verify_report report = verify(run_until("cut.h5", ends[i], INFINITY));
		for (int c = 0; c < WEIR_VERIFY_COUNT; c++) {
			ck_assert_msg(report.checks[c].outcome == WEIR_VERIFY_HOLDS, "to %g s: %s: %s", ends[i],
			              weir_verify_descriptions[c].name, report.checks[c].detail);
		}
	}
	ck_assert_double_gt(test_recorded_total(test_path("cut.h5"), "unfinished"), 0);
}
END_TEST

START_TEST(a_recovered_run_is_checked_as_far_as_it_goes)
{
	const char *path = run_until("killed.h5", INFINITY, 30);
	char part[600];
	snprintf(part, sizeof part, "%s.part", path);
	weir_error error = {0};
	weir_verify_report report;
	ck_assert_int_eq(weir_verify(part, &report, &error), WEIR_ERROR_INPUT);
	uint64_t kept = 0;
	ck_assert_ok(weir_record_recover(part, NULL, &kept, NULL, &error), &error);
	ck_assert_uint_gt(kept, 100);
	report = verify(path);
	ck_assert_uint_eq(report.failed, 0);
	for (int i = 0; i < WEIR_VERIFY_COUNT; i++) {
		bool checked = i == WEIR_VERIFY_requests || i == WEIR_VERIFY_samples;
		ck_assert_int_eq(report.checks[i].outcome,
		                 checked ? WEIR_VERIFY_HOLDS : WEIR_VERIFY_SKIPPED);
		ck_assert(checked || strstr(report.checks[i].detail, "recovered") != NULL);
	}
}
END_TEST

/* Changes one value of a column in place: sets it to `value`, or with `add` adds that. */
static void change(const char *path, const char *column, hsize_t row, double value, bool add)
{
	hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
	hid_t dataset = H5Dopen2(file, column, H5P_DEFAULT);
	hid_t space = H5Dget_space(dataset);
	const hsize_t one = 1;
	hid_t memory = H5Screate_simple(1, &one, NULL);
	ck_assert(file >= 0 && dataset >= 0);
	ck_assert_int_ge(H5Sselect_hyperslab(space, H5S_SELECT_SET, &row, NULL, &one, NULL), 0);
	double now = 0;
	ck_assert_int_ge(H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, &now), 0);
	now = add ? now + value : value;
	ck_assert_int_ge(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, &now), 0);
	H5Sclose(memory);
	H5Sclose(space);
	H5Dclose(dataset);
	ck_assert_int_ge(H5Fclose(file), 0);
}

static void copy_file(const char *from, const char *to)
{
	size_t size = 0;
	char *bytes = test_read_file(from, &size);
	FILE *file = fopen(to, "wb");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
	free(bytes);
}

static hsize_t row_of_total(const char *path, const char *name)
{
	size_t count = 0;
	free(test_recorded_column(path, "totals", "value", &count));
	weir_reader *reader = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_reader_open(path, &reader, &error), &error);
	char found[WEIR_COLUMN_NAME_SIZE] = "";
	hsize_t row = 0;
	for (; row < count; row++) {
		ck_assert_ok(weir_reader_read_names(reader, "totals", "name", row, 1, found, &error),
		             &error);
		if (strcmp(found, name) == 0) {
			break;
		}
	}
	ck_assert_uint_lt(row, count);
	weir_reader_close(reader);
	return row;
}

typedef struct surgery {
	const char *column;
	hsize_t row;
	double value;
	bool add;
	weir_verify_check fails; /* others may as well */
} surgery;

static void expect_failure(const char *path, const surgery *made, const char *what)
{
	weir_verify_report report = verify(path);
	ck_assert_msg(report.checks[made->fails].outcome == WEIR_VERIFY_FAILS, "%s %s: %s holds: %s",
	              made->column, what, weir_verify_descriptions[made->fails].name,
	              report.checks[made->fails].detail);
	ck_assert_uint_ge(report.failed, 1);
	ck_assert_str_ne(report.checks[made->fails].detail, "");
}

START_TEST(one_changed_value_fails_its_check)
{
	static const surgery surgeries[] = {
	    {"/requests/status", 0, 9, false, WEIR_VERIFY_requests},
	    {"/requests/status", 0, WEIR_REQUEST_UNFINISHED, false, WEIR_VERIFY_conservation},
	    {"/requests/application", 3, 1, false, WEIR_VERIFY_requests},
	    {"/requests/arrival", 4, NAN, false, WEIR_VERIFY_requests},
	    {"/requests/arrival", 4, -1e-3, false, WEIR_VERIFY_requests},
	    {"/requests/arrival", 4, 1e9, false, WEIR_VERIFY_requests},
	    {"/requests/prompt_tokens", 5, 0, false, WEIR_VERIFY_requests},
	    {"/requests/prompt_tokens", 5, 1, true, WEIR_VERIFY_tokens},
	    {"/requests/prompt_tokens", 5, 1, true, WEIR_VERIFY_summary},
	    {"/requests/output_tokens", 6, 1, true, WEIR_VERIFY_tokens},
	    {"/requests/queue_time", 7, 1e-6, true, WEIR_VERIFY_summary},
	    {"/requests/queue_time", 7, 1e6, true, WEIR_VERIFY_requests},
	    {"/requests/ttft", 8, 1e-6, true, WEIR_VERIFY_requests},
	    {"/requests/ttft", 8, NAN, false, WEIR_VERIFY_requests},
	    {"/requests/second_token_gap", 9, NAN, false, WEIR_VERIFY_requests},
	    {"/requests/tbt", 9, 1e-9, true, WEIR_VERIFY_requests},
	    {"/requests/e2e", 10, 1e6, true, WEIR_VERIFY_requests},
	    {"/requests/prompt_instance", 11, 4, false, WEIR_VERIFY_requests},
	    {"/requests/prompt_instance", 11, 3, false, WEIR_VERIFY_tokens},
	    {"/requests/token_instance", 12, -1, false, WEIR_VERIFY_requests},
	    {"/requests/token_instance", 12, 0, false, WEIR_VERIFY_transfers},
	    {"/requests/preemptions", 13, 1, true, WEIR_VERIFY_tokens},
	    {"/instances/pool", 0, 1, false, WEIR_VERIFY_scaling_events},
	    {"/instances/server", 0, 1, false, WEIR_VERIFY_instances},
	    {"/instances/busy", 1, 1e-9, true, WEIR_VERIFY_instances},
	    {"/instances/utilisation", 1, 1e-9, true, WEIR_VERIFY_instances},
	    {"/instances/memory", 1, 1, true, WEIR_VERIFY_instances},
	    {"/instances/energy", 1, 1, true, WEIR_VERIFY_energy},
	    {"/instances/prompt_tokens", 0, 1, true, WEIR_VERIFY_tokens},
	    {"/instances/output_tokens", 2, -1, true, WEIR_VERIFY_tokens},
	    {"/instances/prompts_completed", 0, 1, true, WEIR_VERIFY_tokens},
	    {"/instances/requests_completed", 3, 1, true, WEIR_VERIFY_tokens},
	    {"/samples/time", 2, 1, true, WEIR_VERIFY_samples},
	    {"/samples/interval", 2, 1, true, WEIR_VERIFY_samples},
	    {"/samples/pool", 0, 7, false, WEIR_VERIFY_samples},
	    {"/samples/load_busy", 1, 1e-3, true, WEIR_VERIFY_samples},
	    {"/samples/power_w", 1, 1, true, WEIR_VERIFY_energy},
	    {"/samples/prompts_per_s", 0, 0.1, true, WEIR_VERIFY_samples},
	    {"/samples/completions_per_s", 1, 0.1, true, WEIR_VERIFY_samples},
	    {"/samples/prompt_tokens_per_s", 0, 0.1, true, WEIR_VERIFY_samples},
	    {"/samples/output_tokens_per_s", 1, 0.1, true, WEIR_VERIFY_samples},
	    {"/samples/preemptions", 1, 1, true, WEIR_VERIFY_samples},
	    {"/summary/count", 0, 1, true, WEIR_VERIFY_summary},
	    {"/summary/mean", 1, 1e-12, true, WEIR_VERIFY_summary},
	    {"/summary/p999", 4, 1e-12, true, WEIR_VERIFY_summary},
	    {"/summary/max", 9, 1e-12, true, WEIR_VERIFY_summary},
	};
	const char *good = test_path("surgery.h5");
	const char *changed = test_path("changed.h5");
	const weir_config *config = busy_config();
	test_run(config, good, NULL);
	weir_config_destroy(config);
	for (size_t i = 0; i < sizeof surgeries / sizeof surgeries[0]; i++) {
		const surgery *s = &surgeries[i];
		copy_file(good, changed);
		change(changed, s->column, s->row, s->value, s->add);
		expect_failure(changed, s, "changed");
	}
}
END_TEST

START_TEST(one_changed_value_of_a_run_that_scales_fails_its_check)
{
	/* Instance 0 of the file is the first that was removed, the last row one that was left. */
	static const surgery surgeries[] = {
	    {"/instances/instance", 0, 1, true, WEIR_VERIFY_instances},
	    {"/instances/instance", 0, -1, false, WEIR_VERIFY_instances},
	    {"/instances/created", 0, 1e-3, true, WEIR_VERIFY_lifecycle},
	    {"/instances/created", 0, 1e-3, true, WEIR_VERIFY_scaling_events},
	    {"/instances/active", 0, 1.25, false, WEIR_VERIFY_scaling_events},
	    {"/instances/drain_start", 0, 1.25, false, WEIR_VERIFY_scaling_events},
	    {"/instances/removed", 0, 1e-3, true, WEIR_VERIFY_lifecycle},
	    {"/instances/removed", 0, NAN, false, WEIR_VERIFY_scaling_events},
	    {"/instances/paid_scaling_up", 0, 1e-3, true, WEIR_VERIFY_lifecycle},
	    {"/instances/paid_active", 0, 1e-3, true, WEIR_VERIFY_lifecycle},
	    {"/instances/paid_draining", 0, 1e-3, true, WEIR_VERIFY_lifecycle},
	    {"/instances/paid_prompt", 0, 1e-3, true, WEIR_VERIFY_lifecycle},
	    {"/instances/paid_token", 0, 1e-3, true, WEIR_VERIFY_pools},
	    {"/instances/cost_usd", 0, 1e-6, true, WEIR_VERIFY_lifecycle},
	    {"/instances/cost_usd", 0, 1e-3, true, WEIR_VERIFY_pools},
	    {"/instances/server", 0, 1, true, WEIR_VERIFY_scaling_events},
	    {"/instances/server", 0, 99, false, WEIR_VERIFY_lifecycle},
	    {"/instances/busy", 0, 1e-3, true, WEIR_VERIFY_pools},
	    {"/instances/energy", 0, 1, true, WEIR_VERIFY_pools},
	    {"/instances/prompt_tokens", 0, 1, true, WEIR_VERIFY_pools},
	    {"/servers/server", 0, 1, true, WEIR_VERIFY_bill},
	    {"/servers/created", 0, 1e-3, true, WEIR_VERIFY_bill},
	    {"/servers/removed", 0, -1e-3, true, WEIR_VERIFY_bill},
	    {"/servers/removed", 0, -1e-3, true, WEIR_VERIFY_scaling_events},
	    {"/servers/paid", 0, 1e-3, true, WEIR_VERIFY_bill},
	    {"/servers/cost_usd", 0, 1e-6, true, WEIR_VERIFY_bill},
	    {"/pools/pool", 0, 2, false, WEIR_VERIFY_pools},
	    {"/pools/paid_active", 0, 1e-3, true, WEIR_VERIFY_pools},
	    {"/pools/paid_active", 0, 1e-3, true, WEIR_VERIFY_samples},
	    {"/pools/cost_usd", 1, 1e-3, true, WEIR_VERIFY_pools},
	    {"/pools/energy", 0, 1, true, WEIR_VERIFY_pools},
	    {"/pools/requests_completed", 1, 1, true, WEIR_VERIFY_pools},
	    {"/samples/paid_active", 3, 1e-3, true, WEIR_VERIFY_samples},
	    {"/samples/paid_draining", 3, 1e-3, true, WEIR_VERIFY_samples},
	    {"/samples/cost_usd", 3, 1e-3, true, WEIR_VERIFY_samples},
	    {"/samples/active", 3, 1, true, WEIR_VERIFY_samples},
	    {"/samples/energy", 3, 1, true, WEIR_VERIFY_energy},
	    {"/scaling_events/time", 2, 1e-3, true, WEIR_VERIFY_scaling_events},
	    {"/scaling_events/time", 2, 1e6, true, WEIR_VERIFY_scaling_events},
	    {"/scaling_events/action", 0, 99, false, WEIR_VERIFY_scaling_events},
	    {"/scaling_events/action", 2, WEIR_SCALING_REFUSED, false, WEIR_VERIFY_scaling_events},
	    {"/scaling_events/instance", 2, 1, true, WEIR_VERIFY_scaling_events},
	    {"/requests/retries", 0, 1, true, WEIR_VERIFY_tokens},
	};
	const char *good = test_path("surgery.h5");
	const char *changed = test_path("changed.h5");
	test_run_elastic(good, TRACE);
	for (size_t i = 0; i < sizeof surgeries / sizeof surgeries[0]; i++) {
		const surgery *s = &surgeries[i];
		copy_file(good, changed);
		change(changed, s->column, s->row, s->value, s->add);
		expect_failure(changed, s, "changed");
	}
}
END_TEST

START_TEST(one_changed_total_of_a_run_that_scales_fails_its_check)
{
	static const struct {
		const char *name;
		weir_verify_check fails;
	} totals[] = {
	    {"instance_hours", WEIR_VERIFY_lifecycle},
	    {"booting_hours", WEIR_VERIFY_lifecycle},
	    {"draining_hours", WEIR_VERIFY_lifecycle},
	    {"cost_usd", WEIR_VERIFY_bill},
	    {"scale_operations", WEIR_VERIFY_scaling_events},
	    {"instances_started", WEIR_VERIFY_scaling_events},
	    {"instances_removed", WEIR_VERIFY_scaling_events},
	    {"flips", WEIR_VERIFY_scaling_events},
	    {"operations_refused", WEIR_VERIFY_scaling_events},
	    {"drain_timeouts", WEIR_VERIFY_scaling_events},
	    {"retries", WEIR_VERIFY_tokens},
	    {"moves", WEIR_VERIFY_tokens},
	    {"prompt_tokens_lost", WEIR_VERIFY_tokens},
	    {"output_tokens_lost", WEIR_VERIFY_tokens},
	};
	const char *good = test_path("surgery.h5");
	const char *changed = test_path("changed.h5");
	test_run_elastic(good, TRACE);
	for (size_t i = 0; i < sizeof totals / sizeof totals[0]; i++) {
		const surgery s = {.column = "/totals/value",
		                   .row = row_of_total(good, totals[i].name),
		                   .value = 0.01,
		                   .add = true,
		                   .fails = totals[i].fails};
		copy_file(good, changed);
		change(changed, s.column, s.row, s.value, s.add);
		expect_failure(changed, &s, totals[i].name);
	}
}
END_TEST

START_TEST(a_request_on_an_instance_outside_its_life_fails)
{
	const char *path = test_path("surgery.h5");
	test_run_elastic(path, TRACE);
	size_t count = 0;
	double *id = test_recorded_column(path, "instances", "instance", &count);
	double *removed = test_recorded_column(path, "instances", "removed", &count);
	double *active = test_recorded_column(path, "instances", "active", &count);
	size_t gone = 0;
	size_t late = 0;
	for (size_t i = 0; i < count; i++) {
		gone = isnan(removed[gone]) || removed[i] < removed[gone] ? i : gone;
		late = isnan(active[late]) || active[i] > active[late] ? i : late;
	}
	size_t requests = 0;
	weir_request_row *rows = test_recorded_rows(path, &requests);
	size_t first = 0;
	size_t last = 0;
	for (size_t i = 0; i < requests; i++) {
		first = rows[i].arrival < rows[first].arrival ? i : first;
		last = rows[i].arrival > rows[last].arrival ? i : last;
	}
	const surgery wrong[] = {
	    {"/requests/prompt_instance", last, id[gone], false, WEIR_VERIFY_requests},
	    {"/requests/token_instance", last, id[gone], false, WEIR_VERIFY_requests},
	    {"/requests/prompt_instance", first, id[late], false, WEIR_VERIFY_requests},
	    {"/requests/token_instance", first, id[late], false, WEIR_VERIFY_requests},
	};
	const char *changed = test_path("changed.h5");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		copy_file(path, changed);
		change(changed, wrong[i].column, wrong[i].row, wrong[i].value, wrong[i].add);
		expect_failure(changed, &wrong[i], "of another time");
	}
	free(id);
	free(removed);
	free(active);
	free(rows);
}
END_TEST

START_TEST(one_changed_total_fails_its_check)
{
	static const struct {
		const char *name;
		weir_verify_check fails;
	} totals[] = {
	    {"arrived", WEIR_VERIFY_conservation},
	    {"completed", WEIR_VERIFY_conservation},
	    {"rejected", WEIR_VERIFY_conservation},
	    {"failed", WEIR_VERIFY_conservation},
	    {"unfinished", WEIR_VERIFY_conservation},
	    {"end_time", WEIR_VERIFY_bill},
	    {"last_arrival", WEIR_VERIFY_totals},
	    {"requests_per_s", WEIR_VERIFY_totals},
	    {"prompt_tokens_per_s", WEIR_VERIFY_totals},
	    {"output_tokens_per_s", WEIR_VERIFY_totals},
	    {"attainment", WEIR_VERIFY_totals},
	    {"slo_met", WEIR_VERIFY_totals},
	    {"preemptions", WEIR_VERIFY_totals},
	    {"instances", WEIR_VERIFY_instances},
	    {"busy_share", WEIR_VERIFY_instances},
	    {"energy_kwh", WEIR_VERIFY_energy},
	    {"cost_usd", WEIR_VERIFY_bill},
	    {"transfer_gb", WEIR_VERIFY_transfers},
	};
	const char *good = test_path("surgery.h5");
	const char *changed = test_path("changed.h5");
	const weir_config *config = busy_config();
	test_run(config, good, NULL);
	weir_config_destroy(config);
	for (size_t i = 0; i < sizeof totals / sizeof totals[0]; i++) {
		const surgery s = {.column = "/totals/value",
		                   .row = row_of_total(good, totals[i].name),
		                   .value = 0.01,
		                   .add = true,
		                   .fails = totals[i].fails};
		copy_file(good, changed);
		change(changed, s.column, s.row, s.value, s.add);
		expect_failure(changed, &s, totals[i].name);
	}
}
END_TEST

START_TEST(a_file_without_its_tables_is_refused)
{
	static const char *const links[] = {
	    "/requests", "/samples", "/instances",      "/servers",           "/pools",
	    "/summary",  "/totals",  "/scaling_events", "/provenance/config", "/requests/ttft"};
	const char *good = test_path("surgery.h5");
	const char *changed = test_path("changed.h5");
	const weir_config *config = busy_config();
	test_run(config, good, NULL);
	weir_config_destroy(config);
	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
		copy_file(good, changed);
		hid_t file = H5Fopen(changed, H5F_ACC_RDWR, H5P_DEFAULT);
		ck_assert_int_ge(H5Ldelete(file, links[i], H5P_DEFAULT), 0);
		H5Fclose(file);
		weir_verify_report report;
		weir_error error = {0};
		ck_assert_int_eq(weir_verify(changed, &report, &error), WEIR_ERROR_INPUT);
		ck_assert_str_ne(error.message, "");
		ck_assert_msg(strncmp(error.where, changed, strlen(changed)) == 0, "where: %s",
		              error.where);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run/verify");
	TCase *tests = tcase_create("verify");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, recorded_runs_hold);
	tcase_add_test(tests, runs_that_scale_hold);
	tcase_add_test(tests, one_changed_value_of_a_run_that_scales_fails_its_check);
	tcase_add_test(tests, one_changed_total_of_a_run_that_scales_fails_its_check);
	tcase_add_test(tests, a_request_on_an_instance_outside_its_life_fails);
	tcase_add_test(tests, odd_requests_hold);
	tcase_add_test(tests, an_applications_own_instances_hold);
	tcase_add_test(tests, a_run_cut_short_holds);
	tcase_add_test(tests, a_recovered_run_is_checked_as_far_as_it_goes);
	tcase_add_test(tests, one_changed_value_fails_its_check);
	tcase_add_test(tests, one_changed_total_fails_its_check);
	tcase_add_test(tests, a_file_without_its_tables_is_refused);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
