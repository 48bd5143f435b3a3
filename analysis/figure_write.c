/* A figure as files. */
#include <cairo-svg.h>
#include <cairo.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/figure_parts.h"
#include "base/memory.h"

enum { PNG_SCALE = 2 };

typedef struct buffer {
	char *text;
	size_t size, capacity;
} buffer;

static cairo_status_t append(void *context, const unsigned char *data, unsigned length)
{
	buffer *to = context;
	if (!weir_reserve_raw((void **)&to->text, &to->capacity, to->size + length + 1, 1)) {
		return CAIRO_STATUS_NO_MEMORY;
	}
	memcpy(to->text + to->size, data, length);
	to->size += length;
	return CAIRO_STATUS_SUCCESS;
}

/* cairo numbers the surfaces of a process and names each SVG's group by that number: without the
 * number, a figure does not depend on what was drawn before. */
static void drop_number(buffer *svg)
{
	static const char group[] = "id=\"surface";
	if (svg->size == 0) {
		return;
	}
	svg->text[svg->size] = '\0';
	char *found = strstr(svg->text, group);
	if (found == NULL) {
		return;
	}
	char *number = found + strlen(group);
	char *rest = number;
	while (isdigit((unsigned char)*rest)) {
		rest++;
	}
	memmove(number, rest, strlen(rest) + 1);
	svg->size -= (size_t)(rest - number);
}

static cairo_status_t draw_svg(const weir_figure *figure, int height, buffer *svg)
{
	cairo_surface_t *surface =
	    cairo_svg_surface_create_for_stream(append, svg, WEIR_FIGURE_WIDTH, height);
	cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PT);
	cairo_status_t status = weir_figure_draw(surface, figure, 1);
	cairo_surface_finish(surface);
	if (status == CAIRO_STATUS_SUCCESS) {
		status = cairo_surface_status(surface);
	}
	cairo_surface_destroy(surface);
	drop_number(svg);
	return status;
}

static cairo_status_t draw_png(const weir_figure *figure, int height, buffer *png)
{
	cairo_surface_t *surface = cairo_image_surface_create(
	    CAIRO_FORMAT_RGB24, WEIR_FIGURE_WIDTH * PNG_SCALE, height * PNG_SCALE);
	cairo_status_t status = weir_figure_draw(surface, figure, PNG_SCALE);
	if (status == CAIRO_STATUS_SUCCESS) {
		status = cairo_surface_write_to_png_stream(surface, append, png);
	}
	cairo_surface_destroy(surface);
	return status;
}

static weir_status put_file(const char *path, const buffer *content, weir_error *error)
{
	char aside[4096];
	if (snprintf(aside, sizeof aside, "%s.part", path) >= (int)sizeof aside) {
		return weir_error_set(error, WEIR_ERROR_IO, path, "the file name is too long");
	}
	FILE *file = fopen(aside, "wb");
	if (file == NULL) {
		return weir_error_set(error, WEIR_ERROR_IO, path, "cannot be written: %s", strerror(errno));
	}
	errno = 0;
	bool written = fwrite(content->text, 1, content->size, file) == content->size;
	written = fclose(file) == 0 && written;
	if (!written || rename(aside, path) != 0) {
		weir_error_set(error, WEIR_ERROR_IO, path, "cannot be written: %s", strerror(errno));
		unlink(aside);
		return error->status;
	}
	return WEIR_OK;
}

weir_status weir_figure_write(const weir_figure *figure, const char *path, weir_error *error)
{
	static const struct {
		const char *ending;
		cairo_status_t (*draw)(const weir_figure *, int, buffer *);
	} forms[] = {{"svg", draw_svg}, {"png", draw_png}};
	int height = weir_figure_height(figure);
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < 2; i++) {
		char name[4096];
		buffer content = {.text = NULL};
		cairo_status_t drawn = forms[i].draw(figure, height, &content);
		if (snprintf(name, sizeof name, "%s.%s", path, forms[i].ending) >= (int)sizeof name) {
			status = weir_error_set(error, WEIR_ERROR_IO, path, "the file name is too long");
		} else if (drawn != CAIRO_STATUS_SUCCESS) {
			status = weir_error_set(
			    error, drawn == CAIRO_STATUS_NO_MEMORY ? WEIR_ERROR_MEMORY : WEIR_ERROR_IO, name,
			    "cannot be drawn: %s", cairo_status_to_string(drawn));
		} else {
			status = put_file(name, &content, error);
		}
		free(content.text);
	}
	return status;
}
