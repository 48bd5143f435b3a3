/* How a figure is drawn on a cairo surface. Internal to the room. */
#ifndef WEIR_ANALYSIS_FIGURE_PARTS_H
#define WEIR_ANALYSIS_FIGURE_PARTS_H

#include <cairo.h>

#include "analysis/figures.h"
#include "base/export.h"

WEIR_BEGIN_C

enum { WEIR_FIGURE_WIDTH = 480 }; /* points */

/* In points; it depends on the rows of the legend. */
int weir_figure_height(const weir_figure *figure);

/* Draws a figure of that size, `scale` times as large. */
cairo_status_t weir_figure_draw(cairo_surface_t *surface, const weir_figure *figure, double scale);

WEIR_END_C

#endif
