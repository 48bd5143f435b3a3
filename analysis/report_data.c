#include "analysis/report_data.h"

#include <string.h>
#include <time.h>

#include "analysis/report_learning.h"
#include "analysis/report_parts.h"
#include "weir_version.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

/* In the order in which the page shows them. */
static weir_status build_panels(weir_report_run *run)
{
	weir_status (*const parts[])(weir_report_run *) = {
	    weir_report_prepare,         weir_report_prepare_samples, weir_report_prepare_slo,
	    weir_report_heading,         weir_report_load_panels,     weir_report_latency_panels,
	    weir_report_pool_panels,     weir_report_network_panels,  weir_report_power_panels,
	    weir_report_learning_panels,
	};
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < sizeof parts / sizeof parts[0]; i++) {
		status = parts[i](run);
	}
	return status;
}

static weir_status build_run(const weir_run_file *file, cJSON *runs, bool *out_of_memory,
                             weir_error *error)
{
	weir_report_run run = {.file = file, .error = error};
	run.json = cJSON_CreateObject();
	weir_report_add(&run, runs, NULL, run.json);
	run.panels = cJSON_CreateArray();
	run.tables = cJSON_CreateArray();
	weir_report_add_text(&run, run.json, "name", file->name);
	weir_report_add_text(&run, run.json, "file", base_name(weir_reader_path(file->reader)));
	weir_report_add_text(&run, run.json, "partial", file->partial);
	weir_report_add(&run, run.json, "tables", run.tables);
	weir_report_add(&run, run.json, "panels", run.panels);
	weir_report_add_text(&run, run.json, "config",
	                     file->config_text != NULL ? file->config_text : "");
	weir_status status = run.out_of_memory ? WEIR_OK : build_panels(&run);
	weir_report_release(&run);
	*out_of_memory = run.out_of_memory;
	return status;
}

static weir_status add_run(const char *path, cJSON *runs, weir_error *error)
{
	weir_run_file file;
	weir_status status = weir_run_file_open(path, &file, error);
	if (status != WEIR_OK) {
		return status;
	}
	bool out_of_memory = false;
	status = build_run(&file, runs, &out_of_memory, error);
	weir_run_file_close(&file);
	return status == WEIR_OK && out_of_memory
	           ? weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory for the report")
	           : status;
}

weir_status weir_report_data(const char *const *paths, size_t count, cJSON **payload,
                             weir_error *error)
{
	char made[32] = "";
	time_t now = time(NULL);
	struct tm utc;
	if (gmtime_r(&now, &utc) != NULL) {
		strftime(made, sizeof made, "%Y-%m-%dT%H:%M:%SZ", &utc);
	}
	*payload = NULL;
	cJSON *root = cJSON_CreateObject();
	cJSON_AddStringToObject(root, "weir", WEIR_VERSION);
	cJSON_AddStringToObject(root, "made", made);
	cJSON *runs = cJSON_AddArrayToObject(root, "runs");
	weir_status status =
	    runs != NULL ? WEIR_OK : weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory");
	for (size_t i = 0; status == WEIR_OK && i < count; i++) {
		status = add_run(paths[i], runs, error);
	}
	if (status != WEIR_OK) {
		cJSON_Delete(root);
		return status;
	}
	*payload = root;
	return WEIR_OK;
}
