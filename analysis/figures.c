#include "analysis/figures.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

/* A figure that is being put together, of memory that lives until it is drawn. */
typedef struct sketch {
	weir_arena *arena;
	weir_figure figure;
	weir_figure_series *series;
	bool out_of_memory;
} sketch;

static void *take(sketch *s, size_t count, size_t size)
{
	void *memory = weir_arena_allocate(s->arena, count + 1, size);
	s->out_of_memory = s->out_of_memory || memory == NULL;
	return memory;
}

static sketch begin(size_t most_series)
{
	sketch s = {.arena = weir_arena_create()};
	s.out_of_memory = s.arena == NULL;
	s.series = s.arena != NULL ? take(&s, most_series, sizeof *s.series) : NULL;
	s.figure.series = s.series;
	return s;
}

static void add_series(sketch *s, weir_figure_series series)
{
	if (!s->out_of_memory) {
		s->series[s->figure.series_count++] = series;
	}
}

/* Draws the sketch as FOLDER/NAME and ends it. */
static weir_status finish(sketch *s, const char *folder, const char *name, size_t *count,
                          weir_error *error)
{
	char path[4096];
	weir_status status = WEIR_OK;
	if (s->out_of_memory) {
		status = weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for a figure");
	} else if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
		status = weir_error_set(error, WEIR_ERROR_IO, folder, "the folder's name is too long");
	} else {
		status = weir_figure_write(&s->figure, path, error);
		*count += status == WEIR_OK;
	}
	weir_arena_destroy(s->arena);
	return status;
}

/* ---- panels ---- */

static const cJSON *get(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(get(object, name));
	return text != NULL ? text : "";
}

static bool is(const cJSON *object, const char *name, const char *wanted)
{
	return strcmp(text_of(object, name), wanted) == 0;
}

/* The numbers of an array, times `scale`; null is NaN. */
static double *numbers_of(sketch *s, const cJSON *array, double scale, size_t *count)
{
	*count = (size_t)cJSON_GetArraySize(array);
	double *values = s->out_of_memory ? NULL : take(s, *count, sizeof *values);
	if (values == NULL) {
		*count = 0;
		return NULL;
	}
	size_t i = 0;
	const cJSON *item;
	cJSON_ArrayForEach(item, array)
	{
		values[i++] = cJSON_IsNumber(item) ? item->valuedouble * scale : (double)NAN;
	}
	return values;
}

static const char *label_of(sketch *s, const char *label, const char *unit)
{
	if (s->out_of_memory) {
		return "";
	}
	const char *text = unit[0] != '\0' && strcmp(label, unit) != 0
	                       ? weir_arena_format(s->arena, "%s (%s)", label, unit)
	                       : weir_arena_string(s->arena, label);
	s->out_of_memory = text == NULL;
	return text;
}

/* Long times are told in minutes or hours: units per second, and the unit. */
static double time_scale(double longest, const char **unit)
{
	static const double minute = 60;
	static const double hour = 3600;
	*unit = longest >= 4 * hour ? "h" : longest >= 10 * minute ? "min" : "s";
	return longest >= 4 * hour ? 1 / hour : longest >= 10 * minute ? 1 / minute : 1;
}

static double last_of(const cJSON *panel)
{
	const cJSON *values = get(get(panel, "x"), "values");
	const cJSON *last = cJSON_GetArrayItem(values, cJSON_GetArraySize(values) - 1);
	return cJSON_IsNumber(last) ? last->valuedouble : 0;
}

static bool is_over_time(const cJSON *panel)
{
	return is(get(panel, "x"), "label", "time") && is(get(panel, "x"), "unit", "s");
}

/* Titles and axes of a panel whose times reach `longest`. Returns the scale of x. */
static double set_axes(sketch *s, const cJSON *panel, double longest)
{
	const cJSON *x = get(panel, "x");
	const cJSON *y = get(panel, "y");
	const char *unit = text_of(x, "unit");
	double scale = is_over_time(panel) ? time_scale(longest, &unit) : 1;
	s->figure.title = text_of(panel, "title");
	s->figure.x_label = label_of(s, text_of(x, "label"), unit);
	s->figure.y_label = label_of(s, text_of(y, "label"), text_of(y, "unit"));
	s->figure.x_log = cJSON_IsTrue(get(x, "log"));
	s->figure.y_log = cJSON_IsTrue(get(y, "log"));
	return scale;
}

static void add_limits(sketch *s, const cJSON *panel, double scale)
{
	const cJSON *list = get(panel, "limits");
	weir_figure_limit *limits =
	    s->out_of_memory ? NULL : take(s, (size_t)cJSON_GetArraySize(list), sizeof *limits);
	const cJSON *limit;
	cJSON_ArrayForEach(limit, list)
	{
		if (limits != NULL) {
			bool vertical = is(limit, "axis", "x");
			double value = get(limit, "value")->valuedouble;
			limits[s->figure.limit_count++] =
			    (weir_figure_limit){.label = text_of(limit, "label"),
			                        .value = vertical ? value * scale : value,
			                        .vertical = vertical};
		}
	}
	s->figure.limits = limits;
}

static void add_marks(sketch *s, const cJSON *panel, double scale)
{
	const cJSON *list = get(panel, "marks");
	weir_figure_mark *marks =
	    s->out_of_memory ? NULL : take(s, (size_t)cJSON_GetArraySize(list), sizeof *marks);
	const cJSON *mark;
	cJSON_ArrayForEach(mark, list)
	{
		if (marks != NULL) {
			marks[s->figure.mark_count++] =
			    (weir_figure_mark){.at = get(mark, "at")->valuedouble * scale,
			                       .kind = is(mark, "kind", "up")     ? WEIR_FIGURE_UP
			                               : is(mark, "kind", "down") ? WEIR_FIGURE_DOWN
			                                                          : WEIR_FIGURE_OTHER};
		}
	}
	s->figure.marks = marks;
}

/* The series of a stack lie on each other: each becomes the sum of those up to it, and its base the
 * sum before. */
static void add_area(sketch *s, const char *label, const double *x, double *y, size_t count,
                     const double **below)
{
	double *base = s->out_of_memory ? NULL : take(s, count, sizeof *base);
	if (base == NULL) {
		return;
	}
	for (size_t i = 0; i < count; i++) {
		base[i] = *below != NULL ? (*below)[i] : 0;
		y[i] = base[i] + (isfinite(y[i]) ? y[i] : 0);
	}
	*below = y;
	add_series(s, (weir_figure_series){.label = label,
	                                   .style = WEIR_FIGURE_AREA,
	                                   .look = s->figure.series_count,
	                                   .count = count,
	                                   .x = x,
	                                   .y = y,
	                                   .base = base});
}

static void add_panel_series(sketch *s, const cJSON *panel, const double *x, size_t x_count)
{
	weir_figure_style line = is(panel, "kind", "steps") ? WEIR_FIGURE_STEPS : WEIR_FIGURE_LINE;
	const double *below = NULL;
	const double *low = NULL;
	const char *low_label = "";
	size_t look = 0;
	const cJSON *series;
	cJSON_ArrayForEach(series, get(panel, "series"))
	{
		size_t count;
		double *y = numbers_of(s, get(series, "values"), 1, &count);
		const char *label = text_of(series, "label");
		count = count < x_count ? count : x_count;
		weir_figure_series made = {
		    .label = label, .style = line, .look = look, .count = count, .x = x, .y = y};
		if (is(series, "role", "area")) {
			add_area(s, label, x, y, count, &below);
		} else if (is(series, "role", "band_low")) {
			low = y;
			low_label = label;
		} else if (is(series, "role", "band_high") && low != NULL && !s->out_of_memory) {
			made.style = WEIR_FIGURE_BAND;
			made.look = 0;
			made.base = low;
			made.label = weir_arena_format(s->arena, "%s to %s", low_label, label);
			s->out_of_memory = made.label == NULL;
			add_series(s, made);
		} else {
			add_series(s, made);
			look++;
		}
	}
}

static weir_status draw_panel(const cJSON *panel, const char *folder, const char *name,
                              size_t *count, weir_error *error)
{
	sketch s = begin((size_t)cJSON_GetArraySize(get(panel, "series")));
	double scale = set_axes(&s, panel, last_of(panel));
	size_t x_count;
	const double *x = numbers_of(&s, get(get(panel, "x"), "values"), scale, &x_count);
	add_panel_series(&s, panel, x, x_count);
	add_limits(&s, panel, scale);
	add_marks(&s, panel, scale);
	return finish(&s, folder, name, count, error);
}

/* ---- files ---- */

enum { FILE_NAME_SIZE = 200 };

static void clean(char *name)
{
	for (; *name != '\0'; name++) {
		if (!isalnum((unsigned char)*name) && strchr(".-_", *name) == NULL) {
			*name = '_';
		}
	}
}

static weir_status make_folder(const char *folder, weir_error *error)
{
	struct stat info;
	if (mkdir(folder, 0777) == 0) {
		return WEIR_OK;
	}
	int reason = errno;
	if (reason == EEXIST && stat(folder, &info) == 0 && !S_ISDIR(info.st_mode)) {
		return weir_error_set(error, WEIR_ERROR_IO, folder, "is a file; name a folder");
	}
	return reason == EEXIST ? WEIR_OK
	                        : weir_error_set(error, WEIR_ERROR_IO, folder, "cannot be made: %s",
	                                         strerror(reason));
}

weir_status weir_figures_of_report(const cJSON *payload, const char *folder, size_t *count,
                                   weir_error *error)
{
	const cJSON *runs = get(payload, "runs");
	size_t drawn = 0;
	int number = 0;
	weir_status status = make_folder(folder, error);
	const cJSON *run;
	cJSON_ArrayForEach(run, runs)
	{
		number++;
		const cJSON *panel;
		cJSON_ArrayForEach(panel, get(run, "panels"))
		{
			char name[FILE_NAME_SIZE];
			char prefix[16] = "";
			if (cJSON_GetArraySize(runs) > 1) {
				snprintf(prefix, sizeof prefix, "%d-", number);
			}
			snprintf(name, sizeof name, "%s%.90s-%.80s", prefix, text_of(run, "name"),
			         text_of(panel, "id"));
			clean(name);
			if (status == WEIR_OK) {
				status = draw_panel(panel, folder, name, &drawn, error);
			}
		}
	}
	if (count != NULL) {
		*count = drawn;
	}
	return status;
}

/* ---- comparisons ---- */

static const cJSON *panel_of(const cJSON *run, const char *id)
{
	const cJSON *panel;
	cJSON_ArrayForEach(panel, get(run, "panels"))
	{
		if (is(panel, "id", id)) {
			return panel;
		}
	}
	return NULL;
}

static const cJSON *first_panel(const cJSON *runs, const char *id)
{
	const cJSON *run;
	cJSON_ArrayForEach(run, runs)
	{
		const cJSON *panel = panel_of(run, id);
		if (panel != NULL) {
			return panel;
		}
	}
	return NULL;
}

static const char *run_label(sketch *s, const weir_compared_run *run)
{
	return label_of(s, run->name, run->partial != NULL ? "partial" : "");
}

/* The same panel of every run that has it, its first series. */
static weir_status overlay(const cJSON *runs, const weir_comparison *comparison, const char *id,
                           const char *folder, size_t *drawn, weir_error *error)
{
	const cJSON *like = first_panel(runs, id);
	if (like == NULL) {
		return WEIR_OK;
	}
	double longest = 0;
	const cJSON *run;
	cJSON_ArrayForEach(run, runs)
	{
		const cJSON *panel = panel_of(run, id);
		longest = panel != NULL ? fmax(longest, last_of(panel)) : longest;
	}
	sketch s = begin(comparison->count);
	double scale = set_axes(&s, like, longest);
	bool positive = true;
	for (size_t i = 0; i < comparison->count; i++) {
		const cJSON *panel = panel_of(cJSON_GetArrayItem(runs, (int)i), id);
		if (panel == NULL) {
			continue;
		}
		size_t x_count;
		size_t y_count;
		const double *x = numbers_of(&s, get(get(panel, "x"), "values"), scale, &x_count);
		const double *y = numbers_of(&s, get(get(panel, "series")->child, "values"), 1, &y_count);
		positive = positive && cJSON_IsTrue(get(get(panel, "x"), "log"));
		add_series(&s, (weir_figure_series){.label = run_label(&s, &comparison->runs[i]),
		                                    .look = i,
		                                    .count = x_count < y_count ? x_count : y_count,
		                                    .x = x,
		                                    .y = y});
	}
	s.figure.x_log = positive;
	/* Times that the SLO allows depend on the run, slowdowns do not. */
	if (strstr(id, "slowdown") != NULL) {
		add_limits(&s, like, scale);
	}
	return finish(&s, folder, id, drawn, error);
}

/* All series of all stacked panels of the section, added up. */
static void add_instances(sketch *s, const cJSON *run, const char *label, size_t look, double scale)
{
	double *x = NULL;
	double *sum = NULL;
	size_t count = 0;
	const cJSON *panel;
	cJSON_ArrayForEach(panel, get(run, "panels"))
	{
		if (!is(panel, "section", "Instances") || !is(panel, "kind", "stack")) {
			continue;
		}
		if (sum == NULL) {
			x = numbers_of(s, get(get(panel, "x"), "values"), scale, &count);
			sum = s->out_of_memory ? NULL : take(s, count, sizeof *sum);
		}
		const cJSON *series;
		cJSON_ArrayForEach(series, get(panel, "series"))
		{
			size_t values;
			const double *y = numbers_of(s, get(series, "values"), 1, &values);
			for (size_t i = 0; sum != NULL && i < count && i < values; i++) {
				sum[i] += isfinite(y[i]) ? y[i] : 0;
			}
		}
	}
	if (sum != NULL) {
		add_series(s, (weir_figure_series){.label = label,
		                                   .style = WEIR_FIGURE_STEPS,
		                                   .look = look,
		                                   .count = count,
		                                   .x = x,
		                                   .y = sum});
	}
}

static weir_status instances(const cJSON *runs, const weir_comparison *comparison,
                             const char *folder, size_t *drawn, weir_error *error)
{
	double longest = 0;
	const cJSON *run;
	cJSON_ArrayForEach(run, runs)
	{
		const cJSON *panel;
		cJSON_ArrayForEach(panel, get(run, "panels"))
		{
			longest = is(panel, "section", "Instances") ? fmax(longest, last_of(panel)) : longest;
		}
	}
	const char *unit;
	double scale = time_scale(longest, &unit);
	sketch s = begin(comparison->count);
	s.figure.title = "Instances over time (all pools, every state)";
	s.figure.x_label = label_of(&s, "time", unit);
	s.figure.y_label = "instances";
	s.figure.from_zero = true;
	for (size_t i = 0; i < comparison->count; i++) {
		add_instances(&s, cJSON_GetArrayItem(runs, (int)i), run_label(&s, &comparison->runs[i]), i,
		              scale);
	}
	if (s.figure.series_count == 0 && !s.out_of_memory) {
		weir_arena_destroy(s.arena);
		return WEIR_OK;
	}
	return finish(&s, folder, "instances", drawn, error);
}

/* The judged runs as points, and the front as a line from the cheapest to the best. */
static void add_front(sketch *s, const weir_comparison *comparison)
{
	double *x = s->out_of_memory ? NULL : take(s, comparison->count, sizeof *x);
	double *y = s->out_of_memory ? NULL : take(s, comparison->count, sizeof *y);
	size_t count = 0;
	if (x == NULL || y == NULL) {
		return;
	}
	for (size_t i = 0; i < comparison->count; i++) {
		const weir_compared_run *run = &comparison->runs[i];
		if (run->on_front) {
			size_t at = count++;
			for (; at > 0 && x[at - 1] > run->cost_usd; at--) {
				x[at] = x[at - 1];
				y[at] = y[at - 1];
			}
			x[at] = run->cost_usd;
			y[at] = 100 * run->attainment;
		}
	}
	add_series(
	    s, (weir_figure_series){
	           .label = "front", .look = WEIR_FIGURE_LOOKS - 1, .count = count, .x = x, .y = y});
}

static weir_status pareto(const weir_comparison *comparison, const char *folder, size_t *drawn,
                          weir_error *error)
{
	sketch s = begin(comparison->count + 1);
	s.figure.title = "Cost against attainment (filled: on the front)";
	s.figure.x_label = "cost (USD)";
	s.figure.y_label = "attainment (%)";
	add_front(&s, comparison);
	for (size_t i = 0; i < comparison->count; i++) {
		const weir_compared_run *run = &comparison->runs[i];
		double *at = s.out_of_memory || !run->judged ? NULL : take(&s, 2, sizeof *at);
		if (at != NULL) {
			at[0] = run->cost_usd;
			at[1] = 100 * run->attainment;
			add_series(&s, (weir_figure_series){.label = run_label(&s, run),
			                                    .style = run->on_front ? WEIR_FIGURE_POINTS
			                                                           : WEIR_FIGURE_HOLLOW,
			                                    .look = i,
			                                    .count = 1,
			                                    .x = at,
			                                    .y = at + 1});
		}
	}
	return finish(&s, folder, "pareto", drawn, error);
}

weir_status weir_figures_of_comparison(const cJSON *payload, const weir_comparison *comparison,
                                       const char *folder, size_t *count, weir_error *error)
{
	static const char *const overlaid[] = {
	    "ttft_cdf",         "tbt_cdf",          "e2e_cdf",   "ttft_slowdown_cdf",
	    "tbt_slowdown_cdf", "e2e_slowdown_cdf", "attainment"};
	const cJSON *runs = get(payload, "runs");
	size_t drawn = 0;
	weir_status status = make_folder(folder, error);
	for (size_t i = 0; status == WEIR_OK && i < sizeof overlaid / sizeof overlaid[0]; i++) {
		status = overlay(runs, comparison, overlaid[i], folder, &drawn, error);
	}
	if (status == WEIR_OK) {
		status = instances(runs, comparison, folder, &drawn, error);
	}
	if (status == WEIR_OK) {
		status = pareto(comparison, folder, &drawn, error);
	}
	if (count != NULL) {
		*count = drawn;
	}
	return status;
}
