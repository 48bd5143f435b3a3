/* The page of a report: one HTML file that needs nothing else, made of the files in analysis/page
 * and of a JSON document that says what to show (analysis/page/README.md describes it). */
#ifndef WEIR_ANALYSIS_REPORT_PAGE_H
#define WEIR_ANALYSIS_REPORT_PAGE_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

/* Writes the page of the `size` bytes of JSON at `payload` to a file that is open for writing. The
 * payload is taken as it is, but for "<", which is written as an escape, so that no text in it can
 * end its place in the page. Whether all of it was written is told by ferror(file). O(size). */
WEIR_API void weir_report_page_print(FILE *file, const char *payload, size_t size);

/* As weir_report_page_print to the file named `path`: written aside as "<path>.part", and renamed
 * when it is complete, so that an older page stays until the new one can replace it. Refused: a
 * path that is no regular file or cannot be written (WEIR_ERROR_IO). */
WEIR_API weir_status weir_report_page_write(const char *path, const char *payload, size_t size,
                                            weir_error *error);

WEIR_END_C

#endif
