#include <math.h>

#include "analysis/report_parts.h"

void weir_report_add(weir_report_run *run, cJSON *object, const char *name, cJSON *item)
{
	bool added = item != NULL && (name != NULL ? cJSON_AddItemToObject(object, name, item)
	                                           : cJSON_AddItemToArray(object, item));
	if (!added) {
		cJSON_Delete(item);
		run->out_of_memory = true;
	}
}

static cJSON *number(double value, int digits)
{
	return isfinite(value) ? cJSON_CreateNumber(weir_round_digits(value, digits))
	                       : cJSON_CreateNull();
}

void weir_report_add_text(weir_report_run *run, cJSON *object, const char *name, const char *text)
{
	weir_report_add(run, object, name,
	                text != NULL ? cJSON_CreateString(text) : cJSON_CreateNull());
}

void weir_report_add_number(weir_report_run *run, cJSON *object, const char *name, double value,
                            int digits)
{
	weir_report_add(run, object, name, number(value, digits));
}

cJSON *weir_report_numbers(weir_report_run *run, const double *values, size_t count, int digits)
{
	cJSON *array = cJSON_CreateArray();
	for (size_t i = 0; i < count; i++) {
		weir_report_add(run, array, NULL, number(values[i], digits));
	}
	return array;
}

static cJSON *axis(weir_report_run *run, const char *label, const char *unit, bool logarithmic)
{
	cJSON *made = cJSON_CreateObject();
	weir_report_add_text(run, made, "label", label);
	weir_report_add_text(run, made, "unit", unit);
	weir_report_add(run, made, "log", cJSON_CreateBool(logarithmic));
	return made;
}

cJSON *weir_report_panel(weir_report_run *run, const weir_panel_text *text, const double *x,
                         size_t count)
{
	cJSON *panel = cJSON_CreateObject();
	weir_report_add_text(run, panel, "id", text->id);
	weir_report_add_text(run, panel, "section", text->section);
	weir_report_add_text(run, panel, "title", text->title);
	weir_report_add_text(run, panel, "note", text->note);
	weir_report_add_text(run, panel, "kind", text->kind);
	cJSON *x_axis = axis(run, text->x_label, text->x_unit, text->x_log);
	weir_report_add(run, x_axis, "values",
	                weir_report_numbers(run, x, count, WEIR_REPORT_TIME_DIGITS));
	weir_report_add(run, panel, "x", x_axis);
	weir_report_add(run, panel, "y", axis(run, text->y_label, text->y_unit, text->y_log));
	weir_report_add(run, panel, "series", cJSON_CreateArray());
	weir_report_add(run, panel, "limits", cJSON_CreateArray());
	weir_report_add(run, panel, "marks", cJSON_CreateArray());
	weir_report_add(run, run->panels, NULL, panel);
	return run->out_of_memory ? NULL : panel;
}

/* Adds an object to the panel's list of that name. */
static void add_to(weir_report_run *run, cJSON *panel, const char *list, cJSON *item)
{
	weir_report_add(run, cJSON_GetObjectItemCaseSensitive(panel, list), NULL, item);
}

void weir_report_series(weir_report_run *run, cJSON *panel, const char *label, const char *role,
                        const double *values, size_t count)
{
	cJSON *series = cJSON_CreateObject();
	weir_report_add_text(run, series, "label", label);
	weir_report_add(run, series, "values",
	                weir_report_numbers(run, values, count, WEIR_REPORT_DIGITS));
	weir_report_add_text(run, series, "role", role);
	add_to(run, panel, "series", series);
}

void weir_report_limit(weir_report_run *run, cJSON *panel, const char *label, double value,
                       const char *on)
{
	if (!isfinite(value)) {
		return;
	}
	cJSON *limit = cJSON_CreateObject();
	weir_report_add_text(run, limit, "label", label);
	weir_report_add_number(run, limit, "value", value, WEIR_REPORT_DIGITS);
	weir_report_add_text(run, limit, "axis", on);
	add_to(run, panel, "limits", limit);
}

void weir_report_mark(weir_report_run *run, cJSON *panel, double at, const char *label,
                      const char *kind)
{
	cJSON *mark = cJSON_CreateObject();
	weir_report_add_number(run, mark, "at", at, WEIR_REPORT_TIME_DIGITS);
	weir_report_add_text(run, mark, "label", label);
	weir_report_add_text(run, mark, "kind", kind);
	add_to(run, panel, "marks", mark);
}

cJSON *weir_report_table(weir_report_run *run, const char *id, const char *title,
                         const char *const *names, const char *const *units)
{
	cJSON *table = cJSON_CreateObject();
	weir_report_add_text(run, table, "id", id);
	weir_report_add_text(run, table, "title", title);
	cJSON *columns = cJSON_CreateArray();
	for (size_t i = 0; names[i] != NULL; i++) {
		cJSON *column = cJSON_CreateObject();
		weir_report_add_text(run, column, "name", names[i]);
		if (units != NULL && units[i] != NULL) {
			weir_report_add_text(run, column, "unit", units[i]);
		}
		weir_report_add(run, columns, NULL, column);
	}
	weir_report_add(run, table, "columns", columns);
	cJSON *rows = cJSON_CreateArray();
	weir_report_add(run, table, "rows", rows);
	weir_report_add(run, run->tables, NULL, table);
	return run->out_of_memory ? NULL : rows;
}
