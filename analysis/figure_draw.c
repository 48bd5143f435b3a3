/* One figure, drawn with cairo. */
#include <cairo.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analysis/figure_parts.h"

/* Points. */
enum {
	PLOT_LEFT = 62,
	PLOT_RIGHT = 464,
	PLOT_TOP = 34,
	PLOT_BOTTOM = 274,
	AXIS_HEIGHT = 44, /* tick labels and the axis' name */
	ROW_HEIGHT = 16,  /* of the legend */
	SAMPLE_WIDTH = 30
};

static const double pi = 3.14159265358979323846;
static const double text_size = 10;
static const double title_size = 12;
static const double line_width = 1.6;
static const double marker_size = 4.5;

/* The colours of Okabe and Ito (Color Universal Design, 2008), which people with any colour vision
 * can tell apart, without the yellow that is too light for lines. */
static const struct {
	int rgb[3];
	double dashes[6];
	int dash_count;
} looks[WEIR_FIGURE_LOOKS] = {
    {{0, 114, 178}, {0}, 0},
    {{213, 94, 0}, {7, 3}, 2},
    {{0, 158, 115}, {2, 2}, 2},
    {{204, 121, 167}, {8, 2, 2, 2}, 4},
    {{230, 159, 0}, {12, 4}, 2},
    {{86, 180, 233}, {4, 2}, 2},
    {{0, 0, 0}, {8, 2, 2, 2, 2, 2}, 6},
};

void weir_figure_colour(size_t look, int rgb[3])
{
	memcpy(rgb, looks[look % WEIR_FIGURE_LOOKS].rgb, sizeof looks[0].rgb);
}

/* ---- the frame ---- */

typedef struct drawing {
	cairo_t *cairo;
	const weir_figure *figure;
	weir_figure_axis x, y;
} drawing;

static double place(const weir_figure_axis *axis, double value, double from, double to)
{
	double share = axis->log ? log10(value / axis->low) / log10(axis->high / axis->low)
	                         : (value - axis->low) / (axis->high - axis->low);
	return from + share * (to - from);
}

static double place_x(const drawing *d, double value)
{
	return place(&d->x, value, PLOT_LEFT, PLOT_RIGHT);
}

static double place_y(const drawing *d, double value)
{
	return place(&d->y, value, PLOT_BOTTOM, PLOT_TOP);
}

static bool can_show(double value, bool log)
{
	return isfinite(value) && (!log || value > 0);
}

typedef struct range {
	double least, greatest;
	bool any;
} range;

static void widen(range *r, double value, bool log)
{
	if (can_show(value, log)) {
		r->least = r->any ? fmin(r->least, value) : value;
		r->greatest = r->any ? fmax(r->greatest, value) : value;
		r->any = true;
	}
}

static bool is_points(const weir_figure_series *series)
{
	return series->style == WEIR_FIGURE_POINTS || series->style == WEIR_FIGURE_HOLLOW;
}

/* An axis of values close to 0 begins there. */
static weir_figure_axis axis_of(range r, bool log, bool round, bool points)
{
	if (!r.any) {
		r = (range){.least = log ? 1 : 0, .greatest = log ? 10 : 1};
	}
	if (!log && r.least > 0 && r.least < (round ? 0.5 : 0.1) * r.greatest) {
		r.least = 0;
	}
	if (points && !log && r.greatest > r.least) {
		double room = 0.06 * (r.greatest - r.least);
		r.greatest += room;
		r.least -= r.least > 0 ? room : 0;
	}
	return weir_figure_axis_over(r.least, r.greatest, log, round);
}

static void find_axes(drawing *d)
{
	const weir_figure *figure = d->figure;
	range x = {.any = false};
	range y = {.any = false};
	bool points = false;
	if (figure->from_zero) {
		widen(&y, 0, figure->y_log);
	}
	for (size_t s = 0; s < figure->series_count; s++) {
		const weir_figure_series *series = &figure->series[s];
		points = points || is_points(series);
		for (size_t i = 0; i < series->count; i++) {
			if (!can_show(series->x[i], figure->x_log) || !can_show(series->y[i], figure->y_log)) {
				continue;
			}
			widen(&x, series->x[i], figure->x_log);
			widen(&y, series->y[i], figure->y_log);
			if (series->base != NULL) {
				widen(&y, series->base[i], figure->y_log);
			}
		}
	}
	for (size_t i = 0; i < figure->limit_count; i++) {
		const weir_figure_limit *limit = &figure->limits[i];
		widen(limit->vertical ? &x : &y, limit->value,
		      limit->vertical ? figure->x_log : figure->y_log);
	}
	d->x = axis_of(x, figure->x_log, points || figure->x_log, points);
	d->y = axis_of(y, figure->y_log, true, points);
}

typedef enum align { LEFT, CENTRE, RIGHT } align;

static void put_text(const drawing *d, double x, double y, align to, const char *text)
{
	cairo_text_extents_t extents;
	cairo_text_extents(d->cairo, text, &extents);
	double moved = to == LEFT ? 0 : to == CENTRE ? extents.x_advance / 2 : extents.x_advance;
	cairo_move_to(d->cairo, x - moved, y);
	cairo_show_text(d->cairo, text);
}

static void grey(const drawing *d, double level)
{
	cairo_set_source_rgb(d->cairo, level, level, level);
}

static void line(const drawing *d, double x1, double y1, double x2, double y2)
{
	cairo_move_to(d->cairo, x1, y1);
	cairo_line_to(d->cairo, x2, y2);
	cairo_stroke(d->cairo);
}

static void print_tick(const weir_figure_axis *axis, double value, char text[32])
{
	double shown = value == 0 ? 0 : value; /* not "-0" */
	bool large = fabs(shown) >= 1e6;
	if (axis->log || large) {
		snprintf(text, 32, "%g", shown);
	} else {
		snprintf(text, 32, "%.*f", axis->decimals, shown);
	}
}

static void draw_axes(const drawing *d)
{
	char text[32];
	cairo_set_line_width(d->cairo, 0.5);
	for (size_t i = 0; i < d->x.count; i++) {
		double x = place_x(d, d->x.ticks[i]);
		grey(d, 0.88);
		line(d, x, PLOT_TOP, x, PLOT_BOTTOM);
		grey(d, 0);
		line(d, x, PLOT_BOTTOM, x, PLOT_BOTTOM + (d->x.labelled[i] ? 4 : 2));
		if (d->x.labelled[i]) {
			print_tick(&d->x, d->x.ticks[i], text);
			put_text(d, x, PLOT_BOTTOM + 15, CENTRE, text);
		}
	}
	for (size_t i = 0; i < d->y.count; i++) {
		double y = place_y(d, d->y.ticks[i]);
		grey(d, 0.88);
		line(d, PLOT_LEFT, y, PLOT_RIGHT, y);
		grey(d, 0);
		line(d, PLOT_LEFT - (d->y.labelled[i] ? 4 : 2), y, PLOT_LEFT, y);
		if (d->y.labelled[i]) {
			print_tick(&d->y, d->y.ticks[i], text);
			put_text(d, PLOT_LEFT - 7, y + 3.5, RIGHT, text);
		}
	}
	cairo_set_line_width(d->cairo, 0.8);
	cairo_rectangle(d->cairo, PLOT_LEFT, PLOT_TOP, PLOT_RIGHT - PLOT_LEFT, PLOT_BOTTOM - PLOT_TOP);
	cairo_stroke(d->cairo);
	put_text(d, (PLOT_LEFT + PLOT_RIGHT) / 2.0, PLOT_BOTTOM + 32, CENTRE, d->figure->x_label);
	cairo_save(d->cairo);
	cairo_translate(d->cairo, 14, (PLOT_TOP + PLOT_BOTTOM) / 2.0);
	cairo_rotate(d->cairo, -pi / 2);
	put_text(d, 0, 0, CENTRE, d->figure->y_label);
	cairo_restore(d->cairo);
	cairo_set_font_size(d->cairo, title_size);
	put_text(d, PLOT_LEFT, 20, LEFT, d->figure->title);
	cairo_set_font_size(d->cairo, text_size);
}

/* ---- what is in it ---- */

static void set_colour(const drawing *d, size_t look, double alpha)
{
	const int *rgb = looks[look % WEIR_FIGURE_LOOKS].rgb;
	cairo_set_source_rgba(d->cairo, rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0, alpha);
}

static void set_line(const drawing *d, size_t look)
{
	set_colour(d, look, 1);
	cairo_set_line_width(d->cairo, line_width);
	cairo_set_dash(d->cairo, looks[look % WEIR_FIGURE_LOOKS].dashes,
	               looks[look % WEIR_FIGURE_LOOKS].dash_count, 0);
}

static void end_line(const drawing *d)
{
	cairo_set_dash(d->cairo, NULL, 0, 0);
}

static bool shown_at(const drawing *d, const weir_figure_series *series, size_t i)
{
	return can_show(series->x[i], d->x.log) && can_show(series->y[i], d->y.log) &&
	       (series->base == NULL || can_show(series->base[i], d->y.log));
}

static void draw_line(const drawing *d, const weir_figure_series *series)
{
	bool open = false;
	double before = 0;
	set_line(d, series->look);
	for (size_t i = 0; i < series->count; i++) {
		if (!shown_at(d, series, i)) {
			open = false;
			continue;
		}
		double x = place_x(d, series->x[i]);
		double y = place_y(d, series->y[i]);
		if (series->style == WEIR_FIGURE_STEPS) {
			double from = i > 0 && isfinite(series->x[i - 1]) ? place_x(d, series->x[i - 1]) : x;
			(open ? cairo_line_to : cairo_move_to)(d->cairo, open ? before : from, y);
			before = x;
			cairo_line_to(d->cairo, x, y);
		} else {
			(open ? cairo_line_to : cairo_move_to)(d->cairo, x, y);
		}
		open = true;
	}
	cairo_stroke(d->cairo);
	end_line(d);
}

/* One polygon for each stretch without a gap. */
static void draw_fill(const drawing *d, const weir_figure_series *series, double alpha)
{
	set_colour(d, series->look, alpha);
	for (size_t first = 0; first < series->count;) {
		if (!shown_at(d, series, first)) {
			first++;
			continue;
		}
		size_t end = first;
		while (end < series->count && shown_at(d, series, end)) {
			cairo_line_to(d->cairo, place_x(d, series->x[end]), place_y(d, series->y[end]));
			end++;
		}
		for (size_t i = end; i > first; i--) {
			cairo_line_to(d->cairo, place_x(d, series->x[i - 1]), place_y(d, series->base[i - 1]));
		}
		cairo_close_path(d->cairo);
		first = end;
	}
	cairo_fill(d->cairo);
}

static void polygon(const drawing *d, double x, double y, double radius, int corners, double turn)
{
	for (int i = 0; i < corners; i++) {
		double angle = turn + 2 * pi * i / corners;
		cairo_line_to(d->cairo, x + radius * cos(angle), y + radius * sin(angle));
	}
	cairo_close_path(d->cairo);
}

/* Circle, square, triangle, diamond, triangle down, pentagon, hexagon. */
static void draw_marker(const drawing *d, double x, double y, size_t look, bool filled)
{
	static const struct {
		int corners;
		double turn;
	} shapes[WEIR_FIGURE_LOOKS] = {{0, 0},   {4, 0.25}, {3, -0.5}, {4, 0},
	                               {3, 0.5}, {5, -0.5}, {6, 0}};
	size_t shape = look % WEIR_FIGURE_LOOKS;
	cairo_new_path(d->cairo);
	if (shapes[shape].corners == 0) {
		cairo_arc(d->cairo, x, y, marker_size, 0, 2 * pi);
	} else {
		polygon(d, x, y, marker_size * 1.2, shapes[shape].corners, shapes[shape].turn * pi);
	}
	set_colour(d, look, 1);
	cairo_set_line_width(d->cairo, line_width);
	if (filled) {
		cairo_fill_preserve(d->cairo);
	}
	cairo_stroke(d->cairo);
}

static void draw_series(const drawing *d, const weir_figure_series *series)
{
	static const double band_alpha = 0.18;
	static const double area_alpha = 0.4;
	if (series->style == WEIR_FIGURE_BAND) {
		draw_fill(d, series, band_alpha);
	} else if (series->style == WEIR_FIGURE_AREA) {
		draw_fill(d, series, area_alpha);
		draw_line(d, series);
	} else if (is_points(series)) {
		for (size_t i = 0; i < series->count; i++) {
			if (shown_at(d, series, i)) {
				draw_marker(d, place_x(d, series->x[i]), place_y(d, series->y[i]), series->look,
				            series->style == WEIR_FIGURE_POINTS);
			}
		}
	} else {
		draw_line(d, series);
	}
}

static void set_limit_line(const drawing *d)
{
	static const double dashes[] = {1, 2};
	grey(d, 0.25);
	cairo_set_line_width(d->cairo, 1.1);
	cairo_set_dash(d->cairo, dashes, 2, 0);
}

static void draw_limit(const drawing *d, const weir_figure_limit *limit)
{
	if (!can_show(limit->value, limit->vertical ? d->x.log : d->y.log)) {
		return;
	}
	set_limit_line(d);
	if (limit->vertical) {
		double x = place_x(d, limit->value);
		line(d, x, PLOT_TOP, x, PLOT_BOTTOM);
	} else {
		double y = place_y(d, limit->value);
		line(d, PLOT_LEFT, y, PLOT_RIGHT, y);
	}
	end_line(d);
}

static void draw_mark(const drawing *d, const weir_figure_mark *mark)
{
	if (!can_show(mark->at, d->x.log) || mark->at < d->x.low || mark->at > d->x.high) {
		return;
	}
	double x = place_x(d, mark->at);
	double y = PLOT_TOP + 6;
	grey(d, 0.15);
	cairo_set_line_width(d->cairo, 0.8);
	if (mark->kind == WEIR_FIGURE_OTHER) {
		line(d, x, PLOT_TOP, x, y + 3);
		return;
	}
	polygon(d, x, y, 3, 3, mark->kind == WEIR_FIGURE_UP ? -pi / 2 : pi / 2);
	cairo_fill(d->cairo);
}

/* ---- the legend ---- */

/* Where the next entry goes, from left to right and then to the next row. */
typedef struct legend {
	double x;
	size_t row;
} legend;

/* Returns where the entry begins. */
static double next_entry(const drawing *d, legend *at, const char *label)
{
	cairo_text_extents_t extents;
	cairo_text_extents(d->cairo, label, &extents);
	double width = SAMPLE_WIDTH + 6 + extents.x_advance + 16;
	if (at->x > PLOT_LEFT && at->x + width - 16 > PLOT_RIGHT) {
		at->x = PLOT_LEFT;
		at->row++;
	}
	double x = at->x;
	at->x += width;
	return x;
}

static void draw_sample(const drawing *d, const weir_figure_series *series, double x, double y)
{
	const double filled = series->style == WEIR_FIGURE_BAND   ? 0.18
	                      : series->style == WEIR_FIGURE_AREA ? 0.4
	                                                          : 0;
	if (is_points(series)) {
		draw_marker(d, x + SAMPLE_WIDTH / 2.0, y, series->look,
		            series->style == WEIR_FIGURE_POINTS);
		return;
	}
	if (filled > 0) {
		set_colour(d, series->look, filled);
		cairo_rectangle(d->cairo, x, y - 4, SAMPLE_WIDTH, 8);
		cairo_fill(d->cairo);
	}
	if (series->style != WEIR_FIGURE_BAND) {
		double top = series->style == WEIR_FIGURE_AREA ? y - 4 : y;
		set_line(d, series->look);
		line(d, x, top, x + SAMPLE_WIDTH, top);
		end_line(d);
	}
}

/* Returns the number of rows; draws nothing unless `draw`. */
static size_t put_legend(const drawing *d, bool draw)
{
	const weir_figure *figure = d->figure;
	legend at = {.x = PLOT_LEFT};
	for (size_t i = 0; i < figure->series_count + figure->limit_count; i++) {
		bool is_limit = i >= figure->series_count;
		const weir_figure_series *series = is_limit ? NULL : &figure->series[i];
		const char *label =
		    is_limit ? figure->limits[i - figure->series_count].label : series->label;
		if (label == NULL) {
			continue;
		}
		double x = next_entry(d, &at, label);
		double y = PLOT_BOTTOM + AXIS_HEIGHT + (double)(at.row * ROW_HEIGHT) + 6;
		if (!draw) {
			continue;
		}
		if (is_limit) {
			set_limit_line(d);
			line(d, x, y, x + SAMPLE_WIDTH, y);
			end_line(d);
		} else {
			draw_sample(d, series, x, y);
		}
		grey(d, 0);
		put_text(d, x + SAMPLE_WIDTH + 6, y + 3.5, LEFT, label);
	}
	return at.row + (at.x > PLOT_LEFT);
}

/* ---- the whole ---- */

static void set_font(cairo_t *cairo)
{
	/* Not what the screen of this machine would like. */
	cairo_font_options_t *options = cairo_font_options_create();
	cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
	cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
	cairo_set_font_options(cairo, options);
	cairo_font_options_destroy(options);
	cairo_select_font_face(cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(cairo, text_size);
}

int weir_figure_height(const weir_figure *figure)
{
	cairo_surface_t *surface = cairo_recording_surface_create(CAIRO_CONTENT_COLOR, NULL);
	drawing d = {.cairo = cairo_create(surface), .figure = figure};
	set_font(d.cairo);
	size_t rows = put_legend(&d, false);
	cairo_destroy(d.cairo);
	cairo_surface_destroy(surface);
	return PLOT_BOTTOM + AXIS_HEIGHT + (int)rows * ROW_HEIGHT + 6;
}

cairo_status_t weir_figure_draw(cairo_surface_t *surface, const weir_figure *figure, double scale)
{
	drawing d = {.cairo = cairo_create(surface), .figure = figure};
	cairo_scale(d.cairo, scale, scale);
	grey(&d, 1);
	cairo_paint(d.cairo);
	set_font(d.cairo);
	find_axes(&d);
	draw_axes(&d);
	cairo_save(d.cairo);
	/* Lines along the frame have their whole width. */
	cairo_rectangle(d.cairo, PLOT_LEFT - line_width / 2, PLOT_TOP - line_width / 2,
	                PLOT_RIGHT - PLOT_LEFT + line_width, PLOT_BOTTOM - PLOT_TOP + line_width);
	cairo_clip(d.cairo);
	for (size_t i = 0; i < figure->series_count; i++) {
		draw_series(&d, &figure->series[i]);
	}
	for (size_t i = 0; i < figure->limit_count; i++) {
		draw_limit(&d, &figure->limits[i]);
	}
	for (size_t i = 0; i < figure->mark_count; i++) {
		draw_mark(&d, &figure->marks[i]);
	}
	cairo_restore(d.cairo);
	put_legend(&d, true);
	cairo_status_t status = cairo_status(d.cairo);
	cairo_destroy(d.cairo);
	return status;
}
