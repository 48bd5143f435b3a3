/* The spaces of agents in archives. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rl/agent_file.h"

const char *weir_agent_path(char name[WEIR_AGENT_PATH_SIZE], const char *group, const char *format,
                            ...)
{
	int length = snprintf(name, WEIR_AGENT_PATH_SIZE, "%s/", group);
	va_list args;
	va_start(args, format);
	if (length > 0 && length < WEIR_AGENT_PATH_SIZE) {
		vsnprintf(name + length, (size_t)(WEIR_AGENT_PATH_SIZE - length), format, args);
	}
	va_end(args);
	return name;
}

weir_status weir_agent_no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the agent");
}

char *weir_agent_space_lines(const weir_space *space, bool units)
{
	size_t size = 1;
	for (size_t i = 0; i < space->size; i++) {
		size += strlen(units ? space->dimensions[i].unit : space->dimensions[i].name) + 1;
	}
	char *text = malloc(size);
	char *end = text;
	for (size_t i = 0; text != NULL && i < space->size; i++) {
		const char *line = units ? space->dimensions[i].unit : space->dimensions[i].name;
		end += snprintf(end, size - (size_t)(end - text), "%s\n", line);
	}
	return text;
}

static weir_status put_lines(weir_archive_writer *archive, const char *name,
                             const weir_space *space, bool units, const char *description,
                             weir_error *error)
{
	char *text = weir_agent_space_lines(space, units);
	weir_status status = text != NULL
	                         ? weir_archive_put_text(archive, name, text, description, error)
	                         : weir_agent_no_memory(error);
	free(text);
	return status;
}

static weir_status put_ranges(weir_archive_writer *archive, const char *group,
                              const weir_space *space, weir_error *error)
{
	char name[WEIR_AGENT_PATH_SIZE];
	float *bounds = weir_allocate(2 * space->size, sizeof *bounds);
	int64_t *choices = weir_allocate(space->size, sizeof *choices);
	weir_status status = bounds != NULL && choices != NULL ? WEIR_OK : weir_agent_no_memory(error);
	for (size_t i = 0; status == WEIR_OK && i < space->size; i++) {
		bounds[i] = space->dimensions[i].low;
		bounds[space->size + i] = space->dimensions[i].high;
		choices[i] = space->dimensions[i].choices;
	}
	if (status == WEIR_OK && space->kind == WEIR_SPACE_BOX) {
		status = weir_archive_put(archive, weir_agent_path(name, group, "low"), WEIR_ARCHIVE_FLOAT,
		                          1, &space->size, bounds, "", "Least values.", error);
		if (status == WEIR_OK) {
			status = weir_archive_put(archive, weir_agent_path(name, group, "high"),
			                          WEIR_ARCHIVE_FLOAT, 1, &space->size, bounds + space->size, "",
			                          "Greatest values.", error);
		}
	} else if (status == WEIR_OK) {
		status =
		    weir_archive_put(archive, weir_agent_path(name, group, "choices"), WEIR_ARCHIVE_INT64,
		                     1, &space->size, choices, "", "Numbers of choices.", error);
	}
	free(bounds);
	free(choices);
	return status;
}

weir_status weir_agent_space_put(weir_archive_writer *archive, const char *group,
                                 const weir_space *space, weir_error *error)
{
	char name[WEIR_AGENT_PATH_SIZE];
	weir_status status = weir_archive_put_text(archive, weir_agent_path(name, group, "kind"),
	                                           weir_space_kinds[space->kind],
	                                           "box, discrete or multi_discrete.", error);
	if (status == WEIR_OK) {
		status = put_lines(archive, weir_agent_path(name, group, "names"), space, false,
		                   "Of the dimensions, one a line.", error);
	}
	if (status == WEIR_OK) {
		status = put_lines(archive, weir_agent_path(name, group, "units"), space, true,
		                   "Of the dimensions, one a line; empty where there is none.", error);
	}
	return status == WEIR_OK ? put_ranges(archive, group, space, error) : status;
}

void weir_agent_space_free(weir_agent_space *read)
{
	free(read->dimensions);
	free(read->names);
	free(read->units);
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;
	for (; *text != '\0'; text++) {
		lines += *text == '\n';
	}
	return lines;
}

/* Cuts a line off the text. */
static const char *next_line(char **text)
{
	char *line = *text;
	char *end = strchr(line, '\n');
	*end = '\0';
	*text = end + 1;
	return line;
}

static weir_status get_kind(const weir_archive *archive, const char *name, weir_space_kind *kind,
                            weir_error *error)
{
	char *text = NULL;
	weir_status status = weir_archive_get_text(archive, name, &text, error);
	if (status != WEIR_OK) {
		return status;
	}
	int found = 0;
	while (weir_space_kinds[found] != NULL && strcmp(weir_space_kinds[found], text) != 0) {
		found++;
	}
	if (weir_space_kinds[found] == NULL) {
		status =
		    weir_error_set(error, WEIR_ERROR_INPUT, weir_archive_path(archive),
		                   "%s is '%s'; known are box, discrete and multi_discrete", name, text);
	}
	*kind = (weir_space_kind)found;
	free(text);
	return status;
}

static weir_status get_dimensions(const weir_archive *archive, const char *group,
                                  weir_agent_space *read, weir_error *error)
{
	char name[WEIR_AGENT_PATH_SIZE];
	weir_status status =
	    weir_archive_get_text(archive, weir_agent_path(name, group, "names"), &read->names, error);
	if (status == WEIR_OK) {
		status = weir_archive_get_text(archive, weir_agent_path(name, group, "units"), &read->units,
		                               error);
	}
	if (status != WEIR_OK) {
		return status;
	}
	size_t size = count_lines(read->names);
	if (size == 0 || count_lines(read->units) != size) {
		return weir_error_set(
		    error, WEIR_ERROR_INPUT, weir_archive_path(archive),
		    "%s has %zu names and %zu units; it needs as many of each, at least 1", group, size,
		    count_lines(read->units));
	}
	read->dimensions = weir_allocate(size, sizeof *read->dimensions);
	read->space.size = size;
	read->space.dimensions = read->dimensions;
	if (read->dimensions == NULL) {
		return weir_agent_no_memory(error);
	}
	char *names = read->names;
	char *units = read->units;
	for (size_t i = 0; i < size; i++) {
		read->dimensions[i].name = next_line(&names);
		read->dimensions[i].unit = next_line(&units);
	}
	return WEIR_OK;
}

static weir_status get_bounds(const weir_archive *archive, const char *group,
                              weir_agent_space *read, weir_error *error)
{
	char name[WEIR_AGENT_PATH_SIZE];
	const size_t size = read->space.size;
	float *bounds = weir_allocate(2 * size, sizeof *bounds);
	if (bounds == NULL) {
		return weir_agent_no_memory(error);
	}
	weir_status status = weir_archive_get_any(archive, weir_agent_path(name, group, "low"),
	                                          WEIR_ARCHIVE_FLOAT, 1, &size, bounds, error);
	if (status == WEIR_OK) {
		status = weir_archive_get_any(archive, weir_agent_path(name, group, "high"),
		                              WEIR_ARCHIVE_FLOAT, 1, &size, bounds + size, error);
	}
	for (size_t i = 0; status == WEIR_OK && i < size; i++) {
		if (!(bounds[i] <= bounds[size + i])) {
			status = weir_error_set(error, WEIR_ERROR_INPUT, weir_archive_path(archive),
			                        "%s: bounds %g to %g of dimension %zu are none", group,
			                        (double)bounds[i], (double)bounds[size + i], i);
		}
		read->dimensions[i].low = bounds[i];
		read->dimensions[i].high = bounds[size + i];
	}
	free(bounds);
	return status;
}

static weir_status get_choices(const weir_archive *archive, const char *group,
                               weir_agent_space *read, weir_error *error)
{
	char name[WEIR_AGENT_PATH_SIZE];
	const size_t size = read->space.size;
	int64_t *choices = weir_allocate(size, sizeof *choices);
	if (choices == NULL) {
		return weir_agent_no_memory(error);
	}
	weir_status status = weir_archive_get(archive, weir_agent_path(name, group, "choices"),
	                                      WEIR_ARCHIVE_INT64, 1, &size, choices, error);
	for (size_t i = 0; status == WEIR_OK && i < size; i++) {
		if (choices[i] < 1 || choices[i] > UINT32_MAX) {
			status = weir_error_set(error, WEIR_ERROR_INPUT, weir_archive_path(archive),
			                        "%s has %" PRId64 " choices in dimension %zu; 1 is the least",
			                        group, choices[i], i);
		}
		read->dimensions[i].choices = (uint32_t)choices[i];
	}
	free(choices);
	return status;
}

weir_status weir_agent_space_get(const weir_archive *archive, const char *group,
                                 weir_agent_space *read, weir_error *error)
{
	char name[WEIR_AGENT_PATH_SIZE];
	*read = (weir_agent_space){.names = NULL};
	weir_status status =
	    get_kind(archive, weir_agent_path(name, group, "kind"), &read->space.kind, error);
	if (status == WEIR_OK) {
		status = get_dimensions(archive, group, read, error);
	}
	if (status != WEIR_OK) {
		return status;
	}
	return read->space.kind == WEIR_SPACE_BOX ? get_bounds(archive, group, read, error)
	                                          : get_choices(archive, group, read, error);
}
