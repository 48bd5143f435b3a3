#include "rl/train_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

static const char *const end_names[] = {
#define WEIR_TRAIN_END_NAME(NAME, name, text) #name,
    WEIR_TRAIN_ENDS(WEIR_TRAIN_END_NAME)
#undef WEIR_TRAIN_END_NAME
};

static const char *const end_texts[] = {
#define WEIR_TRAIN_END_TEXT(NAME, name, text) text,
    WEIR_TRAIN_ENDS(WEIR_TRAIN_END_TEXT)
#undef WEIR_TRAIN_END_TEXT
};

static const weir_train_adapt *adapt_of(const weir_train_config *config, size_t i)
{
	return (const weir_train_adapt *)config->adapt.items + i;
}

/* --- JSON ----------------------------------------------------------------------------------- */

static void add_number(cJSON *object, const char *name, double value)
{
	if (isfinite(value)) {
		cJSON_AddNumberToObject(object, name, value);
	} else {
		cJSON_AddNullToObject(object, name);
	}
}

static void add_judgement(cJSON *object, const char *name, const weir_train_judgement *judgement)
{
	if (judgement->steps < 0) {
		cJSON_AddNullToObject(object, name);
		return;
	}
	cJSON *added = cJSON_AddObjectToObject(object, name);
	add_number(added, "steps", (double)judgement->steps);
	add_number(added, "mean_reward", judgement->mean_reward);
	add_number(added, "std_reward", judgement->std_reward);
	add_number(added, "mean_length", judgement->mean_length);
}

static void add_checks(cJSON *object, const weir_train_report *report)
{
	cJSON *checks = cJSON_AddObjectToObject(object, "checks");
	for (int c = 0; c < WEIR_CHECK_COUNT; c++) {
		cJSON *check = cJSON_AddObjectToObject(checks, weir_env_check_names[c]);
		bool applies = report->checks & 1u << c;
		cJSON_AddStringToObject(check, "what", weir_env_check_texts[c]);
		cJSON_AddBoolToObject(check, "applies", applies);
		if (applies) {
			add_number(check, "steps", (double)report->steps);
			add_number(check, "held", (double)(report->steps - report->failed[c]));
		}
	}
}

char *weir_train_report_json(const weir_train_report *report, const weir_train_config *config)
{
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "environment", config->environment.kind);
	add_number(json, "seed", (double)config->seed);
	cJSON_AddStringToObject(json, "end", end_names[report->end]);
	add_number(json, "steps", (double)report->steps);
	add_number(json, "iterations", (double)report->iterations);
	add_number(json, "episodes", (double)report->episodes);
	add_number(json, "mean_reward", report->mean_reward);
	add_number(json, "mean_length", report->mean_length);
	add_checks(json, report);
	add_number(json, "parameters", (double)report->parameters);
	add_number(json, "parameters_changed", (double)report->parameters_changed);
	add_number(json, "evaluations", (double)report->evaluations);
	add_judgement(json, "last_evaluation", &report->last);
	add_judgement(json, "best_evaluation", &report->best);
	cJSON *coefficients = cJSON_AddObjectToObject(json, "coefficients");
	for (size_t i = 0; i < report->coefficients; i++) {
		add_number(coefficients, adapt_of(config, i)->coefficient, report->coefficient[i]);
	}
	char *text = weir_json_print(json);
	cJSON_Delete(json);
	return text;
}

/* --- text ----------------------------------------------------------------------------------- */

static void print_judgement(FILE *out, const char *name, const weir_train_judgement *judgement)
{
	if (judgement->steps >= 0) {
		fprintf(out, "%-12s reward %.6g (deviation %.3g), %.6g steps; after %" PRId64 " steps\n",
		        name, judgement->mean_reward, judgement->std_reward, judgement->mean_length,
		        judgement->steps);
	}
}

static void print_checks(FILE *out, const weir_train_report *report)
{
	for (int c = 0; c < WEIR_CHECK_COUNT; c++) {
		fprintf(out, "%-12s %-11s ", c == 0 ? "checks" : "", weir_env_check_names[c]);
		if (report->checks & 1u << c) {
			fprintf(out, "%" PRId64 " of %" PRId64 " held: %s\n", report->steps - report->failed[c],
			        report->steps, weir_env_check_texts[c]);
		} else {
			fprintf(out, "does not apply\n");
		}
	}
}

char *weir_train_report_text(const weir_train_report *report, const weir_train_config *config)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (out == NULL) {
		return NULL;
	}
	fprintf(out, "%-12s %" PRId64 " steps, %" PRId64 " rollouts, %" PRId64 " episodes; %s\n",
	        "trained", report->steps, report->iterations, report->episodes, end_texts[report->end]);
	print_checks(out, report);
	fprintf(out, "%-12s %zu of %zu changed\n", "parameters", report->parameters_changed,
	        report->parameters);
	if (isfinite(report->mean_reward)) {
		fprintf(out, "%-12s reward %.6g, %.6g steps: means of the last %d episodes\n", "training",
		        report->mean_reward, report->mean_length,
		        report->episodes < 100 ? (int)report->episodes : 100);
	}
	print_judgement(out, "evaluation", &report->last);
	print_judgement(out, "best", &report->best);
	for (size_t i = 0; i < report->coefficients; i++) {
		fprintf(out, "%-12s %s = %.6g\n", i == 0 ? "coefficients" : "",
		        adapt_of(config, i)->coefficient, report->coefficient[i]);
	}
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
