/* Figures: their axes by hand, and what is in the PNG. */
#include "analysis/figures.h"

#include <cairo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test_support.h"

/* ---- axes ---- */

static void expect_ticks(const weir_figure_axis *axis, const double *ticks, size_t count)
{
	ck_assert_uint_eq(axis->count, count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_double_eq_tol(axis->ticks[i], ticks[i], 1e-9 * fabs(ticks[i]) + 1e-12);
	}
}

START_TEST(linear_ticks_are_round)
{
	static const double to_100[] = {0, 20, 40, 60, 80, 100};
	weir_figure_axis axis = weir_figure_axis_over(0, 100, false, true);
	expect_ticks(&axis, to_100, 6);
	ck_assert_int_eq(axis.decimals, 0);
	static const double odd[] = {0.2, 0.25, 0.3, 0.35, 0.4, 0.45};
	axis = weir_figure_axis_over(0.203, 0.444, false, true);
	expect_ticks(&axis, odd, 6);
	ck_assert_int_eq(axis.decimals, 2);
	ck_assert_double_eq_tol(axis.low, 0.2, 1e-12);
	ck_assert_double_eq_tol(axis.high, 0.45, 1e-12);
	/* As the values are: only the ticks are round. */
	static const double inside[] = {0, 5, 10, 15, 20, 25};
	axis = weir_figure_axis_over(0, 26.7, false, false);
	expect_ticks(&axis, inside, 6);
	ck_assert_double_eq(axis.high, 26.7);
	/* One value, of any size. */
	static const double single[] = {0, 7, -3, 1e9, 1e-9};
	for (size_t i = 0; i < sizeof single / sizeof single[0]; i++) {
		axis = weir_figure_axis_over(single[i], single[i], false, true);
		ck_assert(axis.low < single[i] && single[i] < axis.high && axis.count >= 2);
	}
}
END_TEST

START_TEST(logarithmic_ticks_are_round)
{
	static const double two_decades[] = {0.05, 0.1, 0.2, 0.5, 1, 2, 5};
	weir_figure_axis axis = weir_figure_axis_over(0.06, 3, true, true);
	expect_ticks(&axis, two_decades, 7);
	ck_assert_double_eq_tol(axis.low, 0.05, 1e-12);
	ck_assert_double_eq_tol(axis.high, 5, 1e-12);
	for (size_t i = 0; i < axis.count; i++) {
		ck_assert(axis.labelled[i]);
	}
	/* Over more decades only powers of ten have labels. */
	axis = weir_figure_axis_over(0.06, 300, true, true);
	for (size_t i = 0; i < axis.count; i++) {
		double power = log10(axis.ticks[i]);
		ck_assert_int_eq(axis.labelled[i], fabs(power - round(power)) < 1e-9);
	}
	static const double one[] = {5, 10, 20};
	axis = weir_figure_axis_over(10, 10, true, true);
	expect_ticks(&axis, one, 3);
	axis = weir_figure_axis_over(1e-8, 1e12, true, true);
	ck_assert(axis.count >= 20 && axis.count <= WEIR_FIGURE_TICKS);
}
END_TEST

/* ---- pixels ---- */

enum { SCALE = 2, WIDTH = 480 * SCALE };
/* The frame, in pixels. */
enum { LEFT = 62 * SCALE, RIGHT = 464 * SCALE, TOP = 34 * SCALE, BOTTOM = 274 * SCALE };

typedef struct picture {
	cairo_surface_t *surface;
	const unsigned char *data;
	int width, height, stride;
} picture;

static picture open_picture(const char *path)
{
	picture p = {.surface = cairo_image_surface_create_from_png(path)};
	ck_assert_msg(cairo_surface_status(p.surface) == CAIRO_STATUS_SUCCESS, "%s", path);
	p.data = cairo_image_surface_get_data(p.surface);
	p.width = cairo_image_surface_get_width(p.surface);
	p.height = cairo_image_surface_get_height(p.surface);
	p.stride = cairo_image_surface_get_stride(p.surface);
	return p;
}

static bool has_colour(const picture *p, int x, int y, const int rgb[3])
{
	uint32_t pixel;
	memcpy(&pixel, p->data + y * p->stride + 4 * x, sizeof pixel);
	return (int)(pixel >> 16 & 255) == rgb[0] && (int)(pixel >> 8 & 255) == rgb[1] &&
	       (int)(pixel & 255) == rgb[2];
}

/* Pixels of exactly this colour in [x1, x2) x [y1, y2). */
static size_t count_colour(const picture *p, const int rgb[3], int x1, int y1, int x2, int y2)
{
	size_t count = 0;
	for (int y = y1; y < y2; y++) {
		for (int x = x1; x < x2; x++) {
			count += has_colour(p, x, y, rgb);
		}
	}
	return count;
}

static const char *write_figure(const weir_figure *figure)
{
	static char png[600];
	char base[512];
	weir_error error = {0};
	snprintf(base, sizeof base, "%s", test_path("figure"));
	ck_assert_ok(weir_figure_write(figure, base, &error), &error);
	snprintf(png, sizeof png, "%s.png", base);
	return png;
}

static const double rising_x[] = {0, 10};
static const double rising_y[] = {0, 10};
static const double level_y[] = {5, 5};
static const double zero[] = {0, 0};

static weir_figure figure_of(const weir_figure_series *series, size_t count)
{
	return (weir_figure){.title = "Title",
	                     .x_label = "time (s)",
	                     .y_label = "TTFT (s)",
	                     .series = series,
	                     .series_count = count};
}

START_TEST(every_series_is_drawn_where_it_belongs)
{
	weir_figure_series series[WEIR_FIGURE_LOOKS];
	double levels[WEIR_FIGURE_LOOKS][2];
	for (size_t i = 0; i < WEIR_FIGURE_LOOKS; i++) {
		levels[i][0] = levels[i][1] = (double)i;
		series[i] = (weir_figure_series){
		    .label = "name", .look = i, .count = 2, .x = rising_x, .y = levels[i]};
	}
	weir_figure figure = figure_of(series, WEIR_FIGURE_LOOKS);
	picture p = open_picture(write_figure(&figure));
	ck_assert_int_eq(p.width, WIDTH);
	ck_assert_int_gt(p.height, BOTTOM + 80);
	/* 0 to 6, ticks at each: a sixth of the frame apart. */
	size_t drawn[WEIR_FIGURE_LOOKS];
	for (size_t i = 1; i + 1 < WEIR_FIGURE_LOOKS; i++) {
		int rgb[3];
		weir_figure_colour(i, rgb);
		int y = BOTTOM - (int)i * (BOTTOM - TOP) / 6;
		drawn[i] = count_colour(&p, rgb, LEFT, y - 1, RIGHT, y + 1);
		ck_assert_msg(drawn[i] > 300, "series %zu has %zu pixels", i, drawn[i]);
		ck_assert_uint_eq(count_colour(&p, rgb, LEFT, TOP, RIGHT, y - 4), 0);
		ck_assert_uint_eq(count_colour(&p, rgb, LEFT, y + 4, RIGHT, BOTTOM), 0);
		/* In the legend, too. */
		ck_assert(count_colour(&p, rgb, 0, BOTTOM + 60, WIDTH, p.height) > 20);
		/* Dashes: not a whole line. */
		ck_assert(drawn[i] < 2 * (size_t)(RIGHT - LEFT) * 9 / 10);
	}
	cairo_surface_destroy(p.surface);
}
END_TEST

START_TEST(values_are_in_their_places)
{
	/* A rising line goes through the middle; a gap has nothing. */
	static const double nan_y[] = {5, 5, NAN, 5, 5};
	static const double x[] = {0, 4, 5, 6, 10};
	static const double to_10[] = {0, 10};
	const weir_figure_series series[] = {
	    {.label = "a", .look = 0, .count = 5, .x = x, .y = nan_y},
	    {.label = NULL, .look = 6, .count = 2, .x = zero, .y = to_10}};
	const weir_figure figure = figure_of(series, 2);
	picture p = open_picture(write_figure(&figure));
	int rgb[3];
	weir_figure_colour(0, rgb);
	int middle = (LEFT + RIGHT) / 2;
	int tenth = (RIGHT - LEFT) / 10;
	int y = (TOP + BOTTOM) / 2;
	ck_assert(has_colour(&p, LEFT + 2 * tenth, y, rgb));
	ck_assert(has_colour(&p, RIGHT - 2 * tenth, y, rgb));
	ck_assert_uint_eq(count_colour(&p, rgb, middle - tenth + 4, TOP, middle + tenth - 4, BOTTOM),
	                  0);
	cairo_surface_destroy(p.surface);

	const weir_figure_series line = {.look = 0, .count = 2, .x = rising_x, .y = rising_y};
	const weir_figure rising = figure_of(&line, 1);
	p = open_picture(write_figure(&rising));
	ck_assert(count_colour(&p, rgb, middle - 2, y - 2, middle + 2, y + 2) > 4);
	ck_assert_uint_eq(count_colour(&p, rgb, LEFT + 8, TOP, middle, y - 8), 0);
	cairo_surface_destroy(p.surface);
}
END_TEST

START_TEST(other_styles)
{
	int rgb[3];
	/* Steps: 10 holds from 0 to 10, and not before. */
	static const double step_x[] = {0, 5, 10};
	static const double step_y[] = {0, 10, 2};
	const weir_figure_series steps = {
	    .style = WEIR_FIGURE_STEPS, .look = 0, .count = 3, .x = step_x, .y = step_y};
	weir_figure figure = figure_of(&steps, 1);
	picture p = open_picture(write_figure(&figure));
	weir_figure_colour(0, rgb);
	int middle = (LEFT + RIGHT) / 2;
	ck_assert(count_colour(&p, rgb, LEFT + 20, TOP - 2, middle - 20, TOP + 4) > 300);
	ck_assert_uint_eq(count_colour(&p, rgb, middle + 8, TOP + 6, RIGHT, BOTTOM - 120), 0);
	int low = BOTTOM - (BOTTOM - TOP) / 5;
	ck_assert(count_colour(&p, rgb, middle + 8, low - 2, RIGHT - 8, low + 2) > 300);
	cairo_surface_destroy(p.surface);

	/* An area is tinted between base and y, and has its line. */
	const weir_figure_series area[] = {
	    {.style = WEIR_FIGURE_AREA, .count = 2, .x = rising_x, .y = level_y, .base = zero},
	    {.style = WEIR_FIGURE_LINE, .look = 6, .count = 2, .x = rising_x, .y = rising_y}};
	figure = figure_of(area, 2);
	p = open_picture(write_figure(&figure));
	static const int white[] = {255, 255, 255};
	int y = (TOP + BOTTOM) / 2;
	ck_assert(!has_colour(&p, RIGHT - 50, BOTTOM - 50, white));
	ck_assert(!has_colour(&p, RIGHT - 50, BOTTOM - 50, rgb));
	ck_assert(has_colour(&p, LEFT + 50, TOP + 50, white));
	ck_assert(has_colour(&p, RIGHT - 50, y, rgb));
	cairo_surface_destroy(p.surface);

	/* Points: only those on the front are filled. */
	const weir_figure_series points[] = {
	    {.style = WEIR_FIGURE_POINTS, .look = 0, .count = 1, .x = level_y, .y = level_y},
	    {.style = WEIR_FIGURE_HOLLOW, .look = 0, .count = 1, .x = level_y, .y = level_y}};
	for (size_t i = 0; i < 2; i++) {
		figure = figure_of(&points[i], 1);
		p = open_picture(write_figure(&figure));
		ck_assert_int_eq(has_colour(&p, middle, y, rgb), i == 0);
		ck_assert(count_colour(&p, rgb, middle - 20, y - 20, middle + 20, y + 20) > 20);
		cairo_surface_destroy(p.surface);
	}
}
END_TEST

START_TEST(limits_and_marks)
{
	static const int black[] = {0, 0, 0};
	const weir_figure_series line = {.look = 0, .count = 2, .x = rising_x, .y = zero};
	static const weir_figure_limit limit = {.label = "SLO", .value = 10};
	static const weir_figure_mark mark = {.at = 5, .kind = WEIR_FIGURE_UP};
	weir_figure figure = figure_of(&line, 1);
	figure.limits = &limit;
	figure.limit_count = 1;
	figure.marks = &mark;
	figure.mark_count = 1;
	picture p = open_picture(write_figure(&figure));
	/* The limit made the axis reach 10, and the mark is at half the width. */
	const int shade[] = {38, 38, 38};
	int middle = (LEFT + RIGHT) / 2;
	ck_assert(count_colour(&p, shade, middle - 4, TOP + 6, middle + 4, TOP + 20) > 10);
	ck_assert_uint_eq(count_colour(&p, shade, LEFT, TOP + 6, middle - 10, BOTTOM - 6), 0);
	ck_assert(count_colour(&p, black, 0, 0, LEFT, p.height) > 50); /* labels */
	cairo_surface_destroy(p.surface);
}
END_TEST

/* The same bytes, whatever was drawn before. */
START_TEST(the_same_figure_is_the_same_file)
{
	const weir_figure_series line = {.label = "a", .count = 2, .x = rising_x, .y = rising_y};
	const weir_figure figure = figure_of(&line, 1);
	char svg[600];
	snprintf(svg, sizeof svg, "%s", write_figure(&figure));
	memcpy(svg + strlen(svg) - 3, "svg", 3);
	char *first = test_read_file(svg, NULL);
	write_figure(&figure);
	char *second = test_read_file(svg, NULL);
	ck_assert_str_eq(first, second);
	ck_assert_ptr_nonnull(strstr(first, "</svg>"));
	free(first);
	free(second);
}
END_TEST

START_TEST(nothing_to_draw_and_nowhere_to_put_it)
{
	const weir_figure empty = figure_of(NULL, 0);
	picture p = open_picture(write_figure(&empty));
	ck_assert_int_eq(p.width, WIDTH);
	cairo_surface_destroy(p.surface);
	weir_error error = {0};
	ck_assert_int_eq(weir_figure_write(&empty, "/nowhere/figure", &error), WEIR_ERROR_IO);
	ck_assert_str_eq(error.where, "/nowhere/figure.svg");
}
END_TEST

/* ---- payloads ---- */

#define PANEL(id, kind, x_log, series, more)                                                       \
	"{\"id\":\"" id "\",\"section\":\"Instances\",\"title\":\"T\",\"kind\":\"" kind                \
	"\",\"x\":{\"label\":\"time\",\"unit\":\"s\",\"log\":" x_log ",\"values\":[0,5,10]},"          \
	"\"y\":{\"label\":\"n\",\"unit\":\"s\",\"log\":false},\"series\":[" series "]" more "}"
#define SERIES(label, role, values)                                                                \
	"{\"label\":\"" label "\",\"role\":\"" role "\",\"values\":[" values "]}"

START_TEST(panels_of_a_payload)
{
	static const char text[] = "{\"runs\":[{\"name\":\"a run/1\",\"panels\":[" PANEL(
	    "stack", "stack", "false",
	    SERIES("one", "area", "2,2,2") "," SERIES("two", "area", "8,8,8"),
	    ",\"limits\":[{\"label\":\"SLO\",\"value\":10,\"axis\":\"y\"}],\"marks\":[{\"at\":5,"
	    "\"label\":\"up\",\"kind\":\"up\"}]") "," PANEL("gap", "lines", "false",
	                                                    SERIES("one", "line", "1,null,3"),
	                                                    "") "]}]}";
	char folder[512];
	char path[700];
	snprintf(folder, sizeof folder, "%s", test_path("figures"));
	cJSON *payload = cJSON_Parse(text);
	ck_assert_ptr_nonnull(payload);
	size_t count = 0;
	weir_error error = {0};
	ck_assert_ok(weir_figures_of_report(payload, folder, &count, &error), &error);
	ck_assert_uint_eq(count, 2);
	snprintf(path, sizeof path, "%s/a_run_1-gap.svg", folder);
	ck_assert_int_eq(access(path, R_OK), 0);
	snprintf(path, sizeof path, "%s/a_run_1-stack.png", folder);
	picture p = open_picture(path);
	int rgb[3];
	/* The second lies on the first: its line is at 2 + 8 = 10, the top. */
	weir_figure_colour(1, rgb);
	ck_assert(count_colour(&p, rgb, LEFT, TOP - 2, RIGHT, TOP + 3) > 300);
	weir_figure_colour(0, rgb);
	int y = BOTTOM - (BOTTOM - TOP) / 5;
	ck_assert(count_colour(&p, rgb, LEFT, y - 2, RIGHT, y + 2) > 300);
	cairo_surface_destroy(p.surface);
	cJSON_Delete(payload);
}
END_TEST

START_TEST(runs_over_each_other)
{
	static const char text[] = "{\"runs\":[{\"name\":\"a\",\"panels\":[" PANEL(
	    "ttft_cdf", "cdf", "false", SERIES("TTFT", "line", "0,50,100"),
	    "") "," PANEL("instances_0", "stack", "false",
	                  SERIES("active", "area", "2,2,2") "," SERIES("booting", "area", "2,2,2"),
	                  "") "]},{\"name\":\"b\",\"panels\":[" PANEL("ttft_cdf", "cdf", "false",
	                                                              SERIES("TTFT", "line", "0,0,100"),
	                                                              "") "," PANEL("instances_0",
	                                                                            "stack", "false",
	                                                                            SERIES("active",
	                                                                                   "area",
	                                                                                   "8,8,8"),
	                                                                            "") "]}]}";
	weir_compared_run runs[] = {
	    {.name = "a", .judged = true, .on_front = true, .cost_usd = 10, .attainment = 0.5},
	    {.name = "b", .judged = true, .cost_usd = 20, .attainment = 0.25}};
	const weir_comparison comparison = {.runs = runs, .count = 2};
	char folder[512];
	char path[700];
	snprintf(folder, sizeof folder, "%s", test_path("compared"));
	cJSON *payload = cJSON_Parse(text);
	size_t count = 0;
	weir_error error = {0};
	ck_assert_ok(weir_figures_of_comparison(payload, &comparison, folder, &count, &error), &error);
	ck_assert_uint_eq(count, 3);
	cJSON_Delete(payload);
	/* 2 + 2 instances of the first run, 8 of the other, which is the top of the axis. */
	snprintf(path, sizeof path, "%s/instances.png", folder);
	picture p = open_picture(path);
	int rgb[2][3];
	weir_figure_colour(0, rgb[0]);
	weir_figure_colour(1, rgb[1]);
	int y = (TOP + BOTTOM) / 2;
	ck_assert(count_colour(&p, rgb[0], LEFT, y - 2, RIGHT, y + 2) > 300);
	ck_assert(count_colour(&p, rgb[1], LEFT, TOP - 2, RIGHT, TOP + 3) > 300);
	cairo_surface_destroy(p.surface);
	static const char *const others[] = {"ttft_cdf", "pareto"};
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s.png", folder, others[i]);
		p = open_picture(path);
		ck_assert(count_colour(&p, rgb[0], LEFT, TOP, RIGHT, BOTTOM) > 20);
		ck_assert(count_colour(&p, rgb[1], LEFT, TOP, RIGHT, BOTTOM) > 20);
		cairo_surface_destroy(p.surface);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("analysis/figures");
	TCase *tcase = tcase_create("figures");
	tcase_add_test(tcase, linear_ticks_are_round);
	tcase_add_test(tcase, logarithmic_ticks_are_round);
	tcase_add_test(tcase, every_series_is_drawn_where_it_belongs);
	tcase_add_test(tcase, values_are_in_their_places);
	tcase_add_test(tcase, other_styles);
	tcase_add_test(tcase, limits_and_marks);
	tcase_add_test(tcase, the_same_figure_is_the_same_file);
	tcase_add_test(tcase, nothing_to_draw_and_nowhere_to_put_it);
	tcase_add_test(tcase, panels_of_a_payload);
	tcase_add_test(tcase, runs_over_each_other);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
