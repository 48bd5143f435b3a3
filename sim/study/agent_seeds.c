#include "study/agent_seeds.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/bootstrap.h"
#include "base/json.h"
#include "base/memory.h"

enum { TITLE_SIZE = 256, COLUMNS = 8 };

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the agents' seeds");
}

/* --- scores --- */

/* One score of an agent in a scenario against a policy. */
typedef double score(const weir_study_figures *agent, const weir_study_figures *policy,
                     size_t replications);

static double cost_of(const weir_study_figures *agent, const weir_study_figures *policy,
                      size_t replications)
{
	(void)policy;
	double sum = 0;
	for (size_t r = 0; r < replications; r++) {
		sum += agent[r].cost_usd;
	}
	return sum / (double)replications;
}

static double attainment_of(const weir_study_figures *agent, const weir_study_figures *policy,
                            size_t replications)
{
	(void)policy;
	double sum = 0;
	for (size_t r = 0; r < replications; r++) {
		sum += agent[r].attainment;
	}
	return sum / (double)replications;
}

static double relative_cost_of(const weir_study_figures *agent, const weir_study_figures *policy,
                               size_t replications)
{
	double sum = 0;
	for (size_t r = 0; r < replications; r++) {
		sum += 100.0 * (agent[r].cost_usd / policy[r].cost_usd - 1.0);
	}
	return sum / (double)replications;
}

static double attainment_difference_of(const weir_study_figures *agent,
                                       const weir_study_figures *policy, size_t replications)
{
	return attainment_of(agent, NULL, replications) - attainment_of(policy, NULL, replications);
}

/* Scenarios [first, end) of a study. */
typedef struct scenarios {
	const weir_study *study;
	size_t agents, first, end;
	double *values; /* scratch, a number for each agent and scenario */
	size_t *strata; /* scratch, one for each scenario */
} scenarios;

/* The interquartile mean over agents and scenarios; `policy`: the row to compare with. */
static weir_status estimate(const scenarios *of, size_t policy, score *score_of,
                            weir_interval *interval, weir_error *error)
{
	const weir_study *study = of->study;
	size_t replications = study->plan->replications;
	size_t count = 0;
	bool known = true;
	for (size_t s = of->first; s < of->end; s++) {
		const weir_study_row *rows = study->sections[s].rows;
		for (size_t a = 0; a < of->agents; a++) {
			double value = score_of(rows[a].figures, rows[policy].figures, replications);
			known = known && isfinite(value);
			of->values[count++] = value;
		}
		of->strata[s - of->first] = of->agents;
	}
	*interval = (weir_interval){.count = count,
	                            .value = (double)NAN,
	                            .low = (double)NAN,
	                            .high = (double)NAN,
	                            .half_width = (double)NAN};
	if (!known) {
		return WEIR_OK;
	}
	const weir_statistic statistic = weir_statistic_iqm();
	weir_bootstrap_options options = weir_bootstrap_options_default();
	options.method = WEIR_BOOTSTRAP_PERCENTILE;
	options.confidence = study->plan->confidence;
	options.strata = of->strata;
	options.stratum_count = of->end - of->first;
	return weir_bootstrap(of->values, count, &statistic, &options, interval, error);
}

static weir_status estimate_section(const scenarios *of, weir_seed_section *section,
                                    weir_error *error)
{
	const weir_study *study = of->study;
	weir_status status = estimate(of, 0, attainment_of, &section->attainment, error);
	if (status == WEIR_OK) {
		status = estimate(of, 0, cost_of, &section->cost_usd, error);
	}
	if (of->end - of->first > 1) {
		section->cost_usd.value = section->cost_usd.low = section->cost_usd.high =
		    section->cost_usd.half_width = (double)NAN;
	}
	for (size_t p = of->agents; status == WEIR_OK && p < study->row_count; p++) {
		weir_seed_row *row = &section->rows[p - of->agents];
		row->policy = study->sections[of->first].rows[p].name;
#define ESTIMATE(name, heading, short_heading, unit, decimals)                                     \
	if (status == WEIR_OK) {                                                                       \
		status = estimate(of, p, name##_of, &row->name, error);                                    \
	}
		WEIR_SEED_FIGURES(ESTIMATE)
#undef ESTIMATE
	}
	return status;
}

static weir_status estimate_all(const weir_study *study, double *values, size_t *strata,
                                weir_agent_seeds *seeds, weir_error *error)
{
	size_t count = study->plan->scenario_count;
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < seeds->section_count; i++) {
		const scenarios of = {.study = study,
		                      .agents = seeds->agents,
		                      .first = i < count ? i : 0,
		                      .end = i < count ? i + 1 : count,
		                      .values = values,
		                      .strata = strata};
		seeds->sections[i].name = i < count ? study->sections[i].name : "all";
		seeds->sections[i].rows = seeds->rows + i * seeds->row_count;
		status = estimate_section(&of, &seeds->sections[i], error);
	}
	return status;
}

weir_status weir_agent_seeds_of(const weir_study *study, size_t agents, weir_agent_seeds *seeds,
                                weir_error *error)
{
	*seeds = (weir_agent_seeds){
	    .agents = agents,
	    .row_count = study->row_count - agents,
	    .section_count = study->section_count,
	    .confidence = study->plan->confidence,
	};
	seeds->sections = weir_allocate(seeds->section_count, sizeof *seeds->sections);
	seeds->rows = weir_allocate(seeds->section_count * seeds->row_count + 1, sizeof *seeds->rows);
	double *values = weir_allocate(agents * study->plan->scenario_count, sizeof *values);
	size_t *strata = weir_allocate(study->plan->scenario_count, sizeof *strata);
	weir_status status =
	    seeds->sections != NULL && seeds->rows != NULL && values != NULL && strata != NULL
	        ? estimate_all(study, values, strata, seeds, error)
	        : no_memory(error);
	free(values);
	free(strata);
	if (status != WEIR_OK) {
		weir_agent_seeds_release(seeds);
	}
	return status;
}

void weir_agent_seeds_release(weir_agent_seeds *seeds)
{
	free(seeds->sections);
	free(seeds->rows);
	*seeds = (weir_agent_seeds){0};
}

/* --- printing --- */

static const weir_table_column columns[COLUMNS] = {{"scenario", "", WEIR_TABLE_TEXT, 0},
                                                   {"policy", "", WEIR_TABLE_TEXT, 0},
#define SEED_COLUMNS(name, heading, short_heading, unit, decimals)                                 \
	{heading, unit, WEIR_TABLE_FIGURE, decimals},                                                  \
	    {short_heading " from", "", WEIR_TABLE_FIGURE, decimals},                                  \
	    {short_heading " to", "", WEIR_TABLE_FIGURE, decimals},
                                                   WEIR_SEED_FIGURES(SEED_COLUMNS)
#undef SEED_COLUMNS
};

static const weir_table_column csv_columns[COLUMNS] = {{"scenario", "", WEIR_TABLE_TEXT, 0},
                                                       {"policy", "", WEIR_TABLE_TEXT, 0},
#define SEED_COLUMNS(name, heading, short_heading, unit, decimals)                                 \
	{#name "_iqm", "", WEIR_TABLE_FIGURE, 0}, {#name "_iqm_low", "", WEIR_TABLE_FIGURE, 0},        \
	    {#name "_iqm_high", "", WEIR_TABLE_FIGURE, 0},
                                                       WEIR_SEED_FIGURES(SEED_COLUMNS)
#undef SEED_COLUMNS
};

static weir_table_cell *put_text(weir_table_cell *cell, const char *text)
{
	*cell = (weir_table_cell){.text = text};
	return cell + 1;
}

static weir_table_cell *put_interval(weir_table_cell *cell, const weir_interval *interval)
{
	const double values[] = {interval->value, interval->low, interval->high};
	for (size_t i = 0; i < 3; i++) {
		*cell++ = (weir_table_cell){.value = values[i], .half_width = (double)NAN};
	}
	return cell;
}

/* A row of cells for each policy of the section. */
static void put_section(const weir_agent_seeds *seeds, size_t number, weir_table_cell *cell)
{
	const weir_seed_section *section = &seeds->sections[number];
	for (size_t p = 0; p < seeds->row_count; p++) {
		cell = put_text(cell, section->name);
		cell = put_text(cell, section->rows[p].policy);
#define PUT_INTERVAL(name, heading, short_heading, unit, decimals)                                 \
	cell = put_interval(cell, &section->rows[p].name);
		WEIR_SEED_FIGURES(PUT_INTERVAL)
#undef PUT_INTERVAL
	}
}

static bool put_table(FILE *file, const weir_agent_seeds *seeds, const weir_table_cell *cells,
                      const char *title, weir_table_format format)
{
	bool csv = format == WEIR_TABLE_AS_CSV;
	const weir_table table = {.title = csv ? "" : title,
	                          .columns = csv ? csv_columns : columns,
	                          .column_count = COLUMNS,
	                          .cells = cells,
	                          .row_count = seeds->section_count * seeds->row_count};
	char *text = weir_table_print(&table, format);
	if (text == NULL) {
		return false;
	}
	fprintf(file, "\n%s", text);
	free(text);
	return true;
}

static void put_own(FILE *file, const weir_agent_seeds *seeds, weir_table_format format)
{
	for (size_t i = 0; format != WEIR_TABLE_AS_CSV && i < seeds->section_count; i++) {
		const weir_seed_section *section = &seeds->sections[i];
		fprintf(file, "%s%s: attainment of the %zu agents %.4f (%.4f to %.4f)", i == 0 ? "\n" : "",
		        section->name, seeds->agents, section->attainment.value, section->attainment.low,
		        section->attainment.high);
		if (isfinite(section->cost_usd.value)) {
			fprintf(file, ", cost %.1f USD (%.1f to %.1f)", section->cost_usd.value,
			        section->cost_usd.low, section->cost_usd.high);
		}
		fputs(format == WEIR_TABLE_AS_MARKDOWN ? "  \n" : "\n", file);
	}
}

static bool put_seeds(FILE *file, const weir_agent_seeds *seeds, weir_table_format format)
{
	char title[TITLE_SIZE];
	snprintf(title, sizeof title,
	         "Over the seeds of %zu agents: interquartile means, with %g %% bootstrap intervals",
	         seeds->agents, 100.0 * seeds->confidence);
	size_t per_section = seeds->row_count * COLUMNS;
	weir_table_cell *cells = weir_allocate(seeds->section_count * per_section + 1, sizeof *cells);
	if (cells == NULL) {
		return false;
	}
	for (size_t i = 0; i < seeds->section_count; i++) {
		put_section(seeds, i, cells + i * per_section);
	}
	bool good = put_table(file, seeds, cells, title, format);
	put_own(file, seeds, format);
	free(cells);
	return good && ferror(file) == 0;
}

static bool json_number(cJSON *object, const char *name, double value)
{
	return cJSON_AddItemToObject(object, name,
	                             isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

static bool json_interval(cJSON *object, const char *name, const weir_interval *interval)
{
	cJSON *json = cJSON_AddObjectToObject(object, name);
	return json_number(json, "value", interval->value) && json_number(json, "low", interval->low) &&
	       json_number(json, "high", interval->high);
}

static bool json_section(cJSON *list, const weir_agent_seeds *seeds, size_t number)
{
	const weir_seed_section *section = &seeds->sections[number];
	cJSON *json = cJSON_CreateObject();
	bool good = cJSON_AddItemToArray(list, json) &&
	            cJSON_AddStringToObject(json, "scenario", section->name) != NULL &&
	            json_number(json, "agents", (double)seeds->agents) &&
	            json_interval(json, "attainment", &section->attainment) &&
	            json_interval(json, "cost_usd", &section->cost_usd);
	cJSON *rows = good ? cJSON_AddArrayToObject(json, "policies") : NULL;
	good = rows != NULL;
	for (size_t p = 0; good && p < seeds->row_count; p++) {
		const weir_seed_row *row = &section->rows[p];
		cJSON *item = cJSON_CreateObject();
		good = cJSON_AddItemToArray(rows, item) &&
		       cJSON_AddStringToObject(item, "policy", row->policy) != NULL;
#define ADD_INTERVAL(name, heading, short_heading, unit, decimals)                                 \
	good = good && json_interval(item, #name, &row->name);
		WEIR_SEED_FIGURES(ADD_INTERVAL)
#undef ADD_INTERVAL
	}
	return good;
}

static char *print_json(const weir_agent_seeds *seeds, const char *study)
{
	weir_error error = {0};
	cJSON *root = NULL;
	if (weir_json_parse("study", study, strlen(study), &root, &error) != WEIR_OK) {
		return NULL;
	}
	cJSON *list = cJSON_AddArrayToObject(root, "seeds");
	bool good = list != NULL;
	for (size_t i = 0; good && i < seeds->section_count; i++) {
		good = json_section(list, seeds, i);
	}
	char *text = good ? weir_json_print(root) : NULL;
	cJSON_Delete(root);
	return text;
}

static char *print_text(const weir_agent_seeds *seeds, const char *study, weir_table_format format)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	if (file == NULL) {
		return NULL;
	}
	fputs(study, file);
	bool good = put_seeds(file, seeds, format);
	good = fclose(file) == 0 && good;
	if (!good) {
		free(text);
		return NULL;
	}
	return text;
}

char *weir_agent_seeds_print(const weir_agent_seeds *seeds, char *study, weir_table_format format)
{
	if (study == NULL) {
		return NULL;
	}
	char *text =
	    format == WEIR_TABLE_AS_JSON ? print_json(seeds, study) : print_text(seeds, study, format);
	free(study);
	return text;
}
