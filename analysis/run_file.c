#include "analysis/run_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const char requests_table[] = "requests";
static const char totals_table[] = "totals";

static weir_status out_of_memory(const weir_run_file *run, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, weir_reader_path(run->reader), "out of memory");
}

static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = strdup(slash != NULL ? slash + 1 : path);
	char *dot = name != NULL ? strrchr(name, '.') : NULL;
	if (dot != NULL && dot != name && strcmp(dot, ".h5") == 0) {
		*dot = '\0';
	}
	return name;
}

static weir_status find_partial(weir_run_file *run, weir_error *error)
{
	char *state = NULL;
	weir_status status = weir_reader_text(run->reader, "/", "status", &state, error);
	bool partial = status == WEIR_OK && strcmp(state, "partial") == 0;
	free(state);
	if (!partial) {
		return status;
	}
	char *reason = NULL;
	weir_error ignored;
	if (weir_reader_text(run->reader, "/", "abort_reason", &reason, &ignored) != WEIR_OK) {
		reason = NULL;
	}
	bool known = reason != NULL && reason[0] != '\0';
	char text[WEIR_ERROR_MESSAGE_SIZE];
	snprintf(text, sizeof text,
	         "This run did not end%s%s; it was recovered. Here is what had been written: %" PRIu64
	         " requests that had ended and %" PRIu64
	         " samples. Requests that were in the system then are missing, so every figure is of "
	         "a part of the run.",
	         known ? ": " : "", known ? reason : "", run->request_rows,
	         weir_run_file_rows(run, "samples"));
	free(reason);
	run->partial = strdup(text);
	return run->partial != NULL ? WEIR_OK : out_of_memory(run, error);
}

/* Whatever is wrong with the config is remembered, and no error of the file. */
static void load_config(weir_run_file *run)
{
	weir_error error = {0};
	weir_status status =
	    weir_reader_document(run->reader, "/provenance/config", &run->config_text, &error);
	if (status == WEIR_OK) {
		char name[WEIR_ERROR_WHERE_SIZE];
		snprintf(name, sizeof name, "%.400s: /provenance/config", weir_reader_path(run->reader));
		const weir_document_options options = {.path = name, .text = run->config_text};
		status = weir_config_load(&options, &run->config, &error);
	} else {
		run->config_text = NULL;
	}
	if (status == WEIR_OK) {
		status = weir_config_slo_make(run->config, &run->slo, &error);
		run->has_slo = status == WEIR_OK;
	}
	if (status != WEIR_OK) {
		snprintf(run->config_problem, sizeof run->config_problem, "%.400s: %.500s", error.where,
		         error.message);
	}
}

weir_status weir_run_file_open(const char *path, weir_run_file *run, weir_error *error)
{
	*run = (weir_run_file){.reader = NULL};
	weir_status status = weir_reader_open(path, &run->reader, error);
	if (status != WEIR_OK) {
		return status;
	}
	run->name = name_of(path);
	status = run->name != NULL ? WEIR_OK : out_of_memory(run, error);
	if (status == WEIR_OK) {
		status = weir_reader_rows(run->reader, requests_table, &run->request_rows, error);
	}
	if (status == WEIR_OK) {
		status = find_partial(run, error);
	}
	if (status != WEIR_OK) {
		weir_run_file_close(run);
		return status;
	}
	load_config(run);
	return WEIR_OK;
}

void weir_run_file_close(weir_run_file *run)
{
	if (run->has_slo) {
		weir_config_slo_release(&run->slo);
	}
	weir_config_destroy(run->config);
	weir_reader_close(run->reader);
	free(run->name);
	free(run->partial);
	free(run->config_text);
	*run = (weir_run_file){.reader = NULL};
}

uint64_t weir_run_file_rows(const weir_run_file *run, const char *table)
{
	weir_error ignored;
	uint64_t rows = 0;
	return weir_reader_rows(run->reader, table, &rows, &ignored) == WEIR_OK ? rows : 0;
}

weir_status weir_run_file_column(const weir_run_file *run, const char *table, const char *column,
                                 double **values, weir_error *error)
{
	uint64_t rows = weir_run_file_rows(run, table);
	*values = weir_allocate((size_t)rows + 1, sizeof **values);
	weir_status status = *values != NULL
	                         ? weir_reader_read(run->reader, table, column, 0, rows, *values, error)
	                         : out_of_memory(run, error);
	if (status != WEIR_OK) {
		free(*values);
		*values = NULL;
	}
	return status;
}

weir_status weir_run_file_names(const weir_run_file *run, const char *table, const char *column,
                                char **names, weir_error *error)
{
	uint64_t rows = weir_run_file_rows(run, table);
	*names = weir_allocate((size_t)rows + 1, WEIR_COLUMN_NAME_SIZE);
	weir_status status =
	    *names != NULL ? weir_reader_read_names(run->reader, table, column, 0, rows, *names, error)
	                   : out_of_memory(run, error);
	if (status != WEIR_OK) {
		free(*names);
		*names = NULL;
	}
	return status;
}

weir_status weir_run_file_value_names(const weir_run_file *run, const char *table,
                                      const char *column, weir_value_names *names,
                                      weir_error *error)
{
	return weir_reader_value_names(run->reader, table, column, &names->texts, &names->count,
	                               &names->size, error);
}

const char *weir_value_name(const weir_value_names *names, double value)
{
	return value >= 0 && value < (double)names->count ? names->texts + (size_t)value * names->size
	                                                  : "?";
}

double weir_value_of(const weir_value_names *names, const char *text)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->texts + i * names->size, text) == 0) {
			return (double)i;
		}
	}
	return -1;
}

double weir_run_file_total(const weir_run_file *run, const char *name)
{
	weir_error ignored;
	char *names = NULL;
	double *values = NULL;
	double value = (double)NAN;
	if (weir_run_file_names(run, totals_table, "name", &names, &ignored) == WEIR_OK &&
	    weir_run_file_column(run, totals_table, "value", &values, &ignored) == WEIR_OK) {
		uint64_t rows = weir_run_file_rows(run, totals_table);
		for (uint64_t i = 0; i < rows; i++) {
			if (strcmp(names + i * WEIR_COLUMN_NAME_SIZE, name) == 0) {
				value = values[i];
			}
		}
	}
	free(names);
	free(values);
	return value;
}
