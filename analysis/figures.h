/*
 * Figures for publication, drawn with cairo: every figure as SVG (text as outlines) and as PNG
 * (twice as many pixels as points). Series differ in colour and in dashes or marker, so that they
 * can be told apart without colour. A file holds no date and no counter: the same figure with the
 * same font (DejaVu Sans, or what fontconfig puts in its place) gives the same bytes.
 */
#ifndef WEIR_ANALYSIS_FIGURES_H
#define WEIR_ANALYSIS_FIGURES_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "analysis/compare.h"
#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

typedef enum weir_figure_style {
	WEIR_FIGURE_LINE,
	WEIR_FIGURE_STEPS, /* y[i] holds from x[i - 1] to x[i] */
	WEIR_FIGURE_AREA,  /* between base and y, with a line along y */
	WEIR_FIGURE_BAND,  /* between base and y */
	WEIR_FIGURE_POINTS,
	WEIR_FIGURE_HOLLOW /* points, not filled */
} weir_figure_style;

/* Looks: a colour with dashes and a marker; they repeat after this many. */
enum { WEIR_FIGURE_LOOKS = 7 };

typedef struct weir_figure_series {
	const char *label; /* in the legend; NULL: not there */
	weir_figure_style style;
	size_t look;
	size_t count;
	const double *x,
	    *y; /* what is not finite is a gap; on a logarithmic axis, what is not above 0 */
	const double *base; /* of areas and bands */
} weir_figure_series;

/* A straight line over the whole figure. */
typedef struct weir_figure_limit {
	const char *label;
	double value;
	bool vertical; /* at x = value; else at y = value */
} weir_figure_limit;

typedef enum weir_figure_mark_kind {
	WEIR_FIGURE_UP, /* a triangle that points up, at the top of the figure */
	WEIR_FIGURE_DOWN,
	WEIR_FIGURE_OTHER /* a stroke */
} weir_figure_mark_kind;

typedef struct weir_figure_mark {
	double at;
	weir_figure_mark_kind kind;
} weir_figure_mark;

typedef struct weir_figure {
	const char *title, *x_label, *y_label; /* labels with their units */
	bool x_log, y_log;
	bool from_zero; /* the y axis has 0, however far the values are from it */
	const weir_figure_series *series;
	size_t series_count;
	const weir_figure_limit *limits;
	size_t limit_count;
	const weir_figure_mark *marks;
	size_t mark_count;
} weir_figure;

/* Red, green, blue of a look, 0 to 255. */
WEIR_API void weir_figure_colour(size_t look, int rgb[3]);

/* What an axis shows, and where it has ticks: at 1, 2 or 5 times a power of ten, at most `most` of
 * them (2 to WEIR_FIGURE_TICKS) but for the few of a logarithmic axis that have no label. */
enum { WEIR_FIGURE_TICKS = 64 };
typedef struct weir_figure_axis {
	double low, high;
	bool log;
	size_t count;
	double ticks[WEIR_FIGURE_TICKS];
	bool labelled[WEIR_FIGURE_TICKS];
	int decimals; /* of the labels of a linear axis */
} weir_figure_axis;

/* Of values from least to greatest (which may be equal; above 0 for a logarithmic axis). With
 * `round` the axis begins and ends at ticks. */
WEIR_API weir_figure_axis weir_figure_axis_over(double least, double greatest, bool log,
                                                bool round);

/* Draws PATH.svg and PATH.png; what is there is replaced when the new file is complete. Errors: a
 * file that cannot be written, out of memory. */
WEIR_API weir_status weir_figure_write(const weir_figure *figure, const char *path,
                                       weir_error *error);

/*
 * Draws every panel of a payload (analysis/report_data.h) into the folder, which is made if it is
 * not there: NAME-PANEL.svg and .png, of several runs NUMBER-NAME-PANEL; characters of names that
 * are not letters, digits, ".", "-" or "_" become "_". *count (may be NULL): of figures.
 */
WEIR_API weir_status weir_figures_of_report(const cJSON *payload, const char *folder, size_t *count,
                                            weir_error *error);

/*
 * Draws what the runs of a comparison have in common, one series per run: the CDFs of latencies and
 * slowdowns (ttft_cdf and so on), attainment over time, instances over time (all pools, every
 * state) and the Pareto plot. `payload` is that of the same files in the same order.
 */
WEIR_API weir_status weir_figures_of_comparison(const cJSON *payload,
                                                const weir_comparison *comparison,
                                                const char *folder, size_t *count,
                                                weir_error *error);

WEIR_END_C

#endif
