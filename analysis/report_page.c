#include "analysis/report_page.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/page.h"

/* Where report.html says {{name}}, a piece is put in. */
typedef struct page_piece {
	const char *name;
	const unsigned char *text;
	const size_t *size;
} page_piece;

static const page_piece pieces[] = {
    {"library_style", weir_page_uplot_css, &weir_page_uplot_css_size},
    {"style", weir_page_report_css, &weir_page_report_css_size},
    {"library_licence", weir_page_uplot_license, &weir_page_uplot_license_size},
    {"library", weir_page_uplot_js, &weir_page_uplot_js_size},
    {"format", weir_page_format_js, &weir_page_format_js_size},
    {"chart", weir_page_chart_js, &weir_page_chart_js_size},
    {"script", weir_page_report_js, &weir_page_report_js_size},
};

/* In JSON a "<" is always inside a string, where an escape means the same. Without it neither
 * "</script" nor "<!--" can come about, the two things that a script element must not contain. */
static void print_payload(FILE *file, const char *payload, size_t size)
{
	const char *end = payload + size;
	while (payload < end) {
		const char *found = memchr(payload, '<', (size_t)(end - payload));
		const char *stop = found == NULL ? end : found;
		fwrite(payload, 1, (size_t)(stop - payload), file);
		if (found != NULL) {
			fputs("\\u003c", file);
			stop++;
		}
		payload = stop;
	}
}

static const page_piece *find_piece(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		if (strlen(pieces[i].name) == length && memcmp(pieces[i].name, name, length) == 0) {
			return &pieces[i];
		}
	}
	return NULL;
}

void weir_report_page_print(FILE *file, const char *payload, size_t size)
{
	static const char payload_name[] = "payload";
	const char *rest = (const char *)weir_page_report_html;
	const char *marker;
	while ((marker = strstr(rest, "{{")) != NULL) {
		fwrite(rest, 1, (size_t)(marker - rest), file);
		const char *name = marker + 2;
		const char *end = strstr(name, "}}");
		assert(end != NULL);
		size_t length = (size_t)(end - name);
		if (length == strlen(payload_name) && memcmp(name, payload_name, length) == 0) {
			print_payload(file, payload, size);
		} else {
			const page_piece *piece = find_piece(name, length);
			assert(piece != NULL);
			fwrite(piece->text, 1, *piece->size, file);
		}
		rest = end + 2;
	}
	fputs(rest, file);
}

weir_status weir_report_page_write(const char *path, const char *payload, size_t size,
                                   weir_error *error)
{
	char aside[4096];
	if (snprintf(aside, sizeof aside, "%s.part", path) >= (int)sizeof aside) {
		return weir_error_set(error, WEIR_ERROR_IO, path, "the file name is too long");
	}
	/* The rename would put a file in the place of a device. */
	struct stat info;
	if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
		return weir_error_set(error, WEIR_ERROR_IO, path,
		                      S_ISDIR(info.st_mode) ? "is a directory; name a file to write"
		                                            : "is not a regular file");
	}
	FILE *file = fopen(aside, "wb");
	if (file == NULL) {
		return weir_error_set(error, WEIR_ERROR_IO, aside, "cannot be written: %s",
		                      strerror(errno));
	}
	weir_report_page_print(file, payload, size);
	bool written = fflush(file) == 0 && !ferror(file) && fsync(fileno(file)) == 0;
	int reason = errno;
	if (fclose(file) != 0 && written) {
		written = false;
		reason = errno;
	}
	if (written && rename(aside, path) != 0) {
		written = false;
		reason = errno;
	}
	if (!written) {
		unlink(aside);
		return weir_error_set(error, WEIR_ERROR_IO, path, "cannot be written: %s",
		                      strerror(reason));
	}
	return WEIR_OK;
}
