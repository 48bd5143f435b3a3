/* The files of analysis/page, which are part of the program: cmake/WeirEmbed.cmake makes the arrays
 * at build time. A NUL that the size does not count follows each. */
#ifndef WEIR_ANALYSIS_PAGE_H
#define WEIR_ANALYSIS_PAGE_H

#include <stddef.h>

#include "base/export.h"

WEIR_BEGIN_C

/* file, its array is weir_page_<name> */
#define WEIR_PAGE_LIST(X)                                                                          \
	X("report.html", report_html)                                                                  \
	X("report.css", report_css)                                                                    \
	X("report.js", report_js)                                                                      \
	X("chart.js", chart_js)                                                                        \
	X("format.js", format_js)                                                                      \
	X("uPlot.css", uplot_css)                                                                      \
	X("uPlot.js", uplot_js)                                                                        \
	X("uPlot.LICENSE", uplot_license)

#define WEIR_PAGE_DECLARE(file, name)                                                              \
	extern const unsigned char weir_page_##name[];                                                 \
	extern const size_t weir_page_##name##_size;
WEIR_PAGE_LIST(WEIR_PAGE_DECLARE)
#undef WEIR_PAGE_DECLARE

WEIR_END_C

#endif
