#include "study/sweep_collect.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "record/merged.h"

enum { PATH_TEXT = 96, NUMBERS_OF_RUN = 4 };

/* What a run has beside its figures. */
typedef struct collected_row {
	uint64_t run;
	double numbers[NUMBERS_OF_RUN];
	char id[WEIR_SWEEP_ID_SIZE], digest[WEIR_SWEEP_DIGEST_SIZE], sha256[WEIR_SWEEP_SHA256_SIZE],
	    path[PATH_TEXT];
	const char **values; /* of each key that points set; NULL: this one does not */
	double figures[WEIR_SWEEP_FIGURES];
} collected_row;

static const weir_merged_column number_columns[NUMBERS_OF_RUN] = {
    {.name = "run", .unit = "", .description = "point * replications + replication."},
    {.name = "replication", .unit = "", .description = "Number of the replication, from 0."},
    {.name = "seed", .unit = "", .description = "Seed of the run."},
    {.name = "attempts", .unit = "1", .description = "Attempts that failed before."},
};

typedef struct collection {
	weir_arena *arena;
	weir_sweep_file seeds; /* of which only what weir_sweep_seed needs is set */
	const char **keys;     /* that points set, in the order in which they are met */
	bool *numeric;         /* all values are numbers */
	size_t key_count, key_capacity, numeric_capacity;
	collected_row *rows;
	size_t count, capacity;
} collection;

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the results");
}

/* ---- reading ---- */

/* The end of the path in "path=value": an '=' outside of quotes. */
static size_t path_length(const char *set)
{
	bool quoted = false;
	size_t i = 0;
	for (; set[i] != '\0' && (quoted || set[i] != '='); i++) {
		quoted = quoted != (set[i] == '"');
	}
	return i;
}

/* The number of a key, which is new perhaps; SIZE_MAX when memory is out. */
static size_t key_number(collection *all, const char *path, size_t length)
{
	for (size_t i = 0; i < all->key_count; i++) {
		if (strlen(all->keys[i]) == length && memcmp(all->keys[i], path, length) == 0) {
			return i;
		}
	}
	const char *kept = weir_arena_format(all->arena, "%.*s", (int)length, path);
	if (kept == NULL ||
	    !weir_reserve((void **)&all->keys, &all->key_capacity, all->key_count + 1,
	                  sizeof *all->keys) ||
	    !weir_reserve((void **)&all->numeric, &all->numeric_capacity, all->key_count + 1,
	                  sizeof *all->numeric)) {
		return SIZE_MAX;
	}
	all->keys[all->key_count] = kept;
	all->numeric[all->key_count] = true;
	return all->key_count++;
}

/* Calls for each "path=value" of a point; `row` NULL: only the keys are noted. */
static weir_status take_sets(collection *all, const char *sets, collected_row *row,
                             weir_error *error)
{
	for (const char *set = sets; *set != '\0';) {
		size_t line = strcspn(set, "\n");
		size_t length = path_length(set);
		size_t key = key_number(all, set, length);
		if (key == SIZE_MAX) {
			return no_memory(error);
		}
		if (row != NULL) {
			const char *value =
			    weir_arena_format(all->arena, "%.*s", (int)(line - length - 1), set + length + 1);
			double number;
			if (value == NULL) {
				return no_memory(error);
			}
			row->values[key] = value;
			all->numeric[key] = all->numeric[key] && weir_parse_double(value, &number);
		}
		set += line + (set[line] == '\n' ? 1 : 0);
	}
	return WEIR_OK;
}

static weir_status note_keys(void *context, const weir_sweep_row *row, weir_error *error)
{
	return take_sets(context, row->sets, NULL, error);
}

static weir_status take_row(void *context, const weir_sweep_row *row, weir_error *error)
{
	collection *all = context;
	if (row->figures == NULL) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "run %" PRIu64 " has figures of another version of weir", row->run);
	}
	if (!weir_reserve((void **)&all->rows, &all->capacity, all->count + 1, sizeof *all->rows)) {
		return no_memory(error);
	}
	collected_row *taken = &all->rows[all->count++];
	taken->run = row->run;
	taken->numbers[0] = (double)row->run;
	taken->numbers[1] = (double)row->replication;
	taken->numbers[2] = (double)weir_sweep_seed(&all->seeds, row->id, row->replication);
	taken->numbers[3] = (double)row->attempts;
	snprintf(taken->id, sizeof taken->id, "%s", row->id);
	snprintf(taken->digest, sizeof taken->digest, "%s", row->digest);
	snprintf(taken->sha256, sizeof taken->sha256, "%s", row->sha256);
	snprintf(taken->path, sizeof taken->path, "%s", row->path);
	memcpy(taken->figures, row->figures, sizeof taken->figures);
	taken->values = weir_arena_allocate(all->arena, all->key_count, sizeof *taken->values);
	return taken->values != NULL ? take_sets(all, row->sets, taken, error) : no_memory(error);
}

static weir_status read_seeds(weir_sweep_store *store, weir_sweep_file *seeds, weir_error *error)
{
	char *seed = NULL;
	char *independent = NULL;
	weir_status status = weir_sweep_store_note(store, "seed", &seed, error);
	if (status == WEIR_OK) {
		status = weir_sweep_store_note(store, "independent", &independent, error);
	}
	if (status == WEIR_OK && (seed == NULL || independent == NULL)) {
		status = weir_error_set(error, WEIR_ERROR_INPUT, weir_sweep_store_directory(store),
		                        "holds no runs yet");
	}
	if (status == WEIR_OK) {
		weir_parse_int64(seed, &seeds->seed);
		seeds->independent = strcmp(independent, "1") == 0;
	}
	free(seed);
	free(independent);
	return status;
}

/* ---- CSV ---- */

static void put_text(FILE *file, const char *text)
{
	if (strpbrk(text, ",\"\n") == NULL) {
		fputs(text, file);
		return;
	}
	fputc('"', file);
	for (; *text != '\0'; text++) {
		if (*text == '"') {
			fputc('"', file);
		}
		fputc(*text, file);
	}
	fputc('"', file);
}

/* NaN is empty. */
static void put_number(FILE *file, double value)
{
	char text[WEIR_JSON_NUMBER_SIZE];
	fputc(',', file);
	if (isfinite(value)) {
		fputs(weir_json_format_number(text, value), file);
	} else if (!isnan(value)) {
		fputs(value > 0 ? "inf" : "-inf", file);
	}
}

static void put_header(FILE *file, const collection *all)
{
	char name[2 * WEIR_SUMMARY_NAME_SIZE];
	fputs("id", file);
	for (size_t i = 0; i < NUMBERS_OF_RUN; i++) {
		fprintf(file, ",%s", number_columns[i].name);
	}
	for (size_t i = 0; i < all->key_count; i++) {
		fputc(',', file);
		put_text(file, all->keys[i]);
	}
	for (size_t i = 0; i < WEIR_SWEEP_FIGURES; i++) {
		fprintf(file, ",%s", weir_sweep_figure_name(i, name));
	}
	fputs(",digest,sha256,path\n", file);
}

static void put_row(FILE *file, const collection *all, const collected_row *row)
{
	fputs(row->id, file);
	for (size_t i = 0; i < NUMBERS_OF_RUN; i++) {
		put_number(file, row->numbers[i]);
	}
	for (size_t i = 0; i < all->key_count; i++) {
		fputc(',', file);
		put_text(file, row->values[i] != NULL ? row->values[i] : "");
	}
	for (size_t i = 0; i < WEIR_SWEEP_FIGURES; i++) {
		put_number(file, row->figures[i]);
	}
	fprintf(file, ",%s,%s,%s\n", row->digest, row->sha256, row->path);
}

static weir_status write_csv(const collection *all, const char *path, weir_error *error)
{
	size_t size = strlen(path) + sizeof ".part";
	char *part = malloc(size);
	if (part == NULL) {
		return no_memory(error);
	}
	snprintf(part, size, "%s.part", path);
	FILE *file = fopen(part, "we");
	bool written = file != NULL;
	if (file != NULL) {
		put_header(file, all);
		for (size_t i = 0; i < all->count; i++) {
			put_row(file, all, &all->rows[i]);
		}
		written = fflush(file) == 0 && fsync(fileno(file)) == 0 && ferror(file) == 0;
		written = fclose(file) == 0 && written;
	}
	written = written && rename(part, path) == 0;
	weir_status status = written ? WEIR_OK
	                             : weir_error_set(error, WEIR_ERROR_IO, path,
	                                              "cannot be written: %s", strerror(errno));
	if (!written) {
		unlink(part);
	}
	free(part);
	return status;
}

/* ---- HDF5 ---- */

/* Column by column, as HDF5 wants it; everything lives in the collection's arena. */
typedef struct column_maker {
	collection *all;
	weir_merged_column *columns;
	size_t count;
} column_maker;

static bool add_numbers(column_maker *maker, weir_merged_column column, const double *first)
{
	size_t rows = maker->all->count;
	double *values = weir_arena_allocate(maker->all->arena, rows + 1, sizeof *values);
	for (size_t i = 0; values != NULL && i < rows; i++) {
		memcpy(&values[i], (const char *)first + i * sizeof(collected_row), sizeof *values);
	}
	column.numbers = values;
	maker->columns[maker->count++] = column;
	return values != NULL;
}

static bool add_texts(column_maker *maker, weir_merged_column column, const char *first,
                      size_t size)
{
	size_t rows = maker->all->count;
	char *values = weir_arena_allocate(maker->all->arena, rows + 1, size);
	for (size_t i = 0; values != NULL && i < rows; i++) {
		memcpy(values + i * size, first + i * sizeof(collected_row), size);
	}
	column.texts = values;
	column.text_size = size;
	maker->columns[maker->count++] = column;
	return values != NULL;
}

/* What points set, numbers where all values are. */
static bool add_key(column_maker *maker, size_t key)
{
	collection *all = maker->all;
	char *name = weir_arena_string(all->arena, all->keys[key]);
	if (name == NULL) {
		return false;
	}
	for (char *c = name; *c != '\0'; c++) {
		*c = *c == '/' ? '_' : *c;
	}
	weir_merged_column column = {
	    .name = name, .unit = "", .description = "What the point sets this key to."};
	size_t size = 1;
	for (size_t i = 0; i < all->count; i++) {
		const char *value = all->rows[i].values[key];
		size = value != NULL && strlen(value) > size ? strlen(value) : size;
	}
	double *numbers = weir_arena_allocate(all->arena, all->count + 1, sizeof *numbers);
	char *texts = weir_arena_allocate(all->arena, all->count + 1, size);
	if (numbers == NULL || texts == NULL) {
		return false;
	}
	for (size_t i = 0; i < all->count; i++) {
		const char *value = all->rows[i].values[key];
		numbers[i] = (double)NAN;
		if (value != NULL) {
			weir_parse_double(value, &numbers[i]);
			memcpy(texts + i * size, value, strlen(value));
		}
	}
	column.numbers = all->numeric[key] ? numbers : NULL;
	column.texts = texts;
	column.text_size = size;
	maker->columns[maker->count++] = column;
	return true;
}

static bool make_columns(column_maker *maker)
{
	collection *all = maker->all;
	const collected_row none = {0};
	const collected_row *first = all->count > 0 ? all->rows : &none;
	bool made = add_texts(maker,
	                      (weir_merged_column){.name = "id",
	                                           .unit = "",
	                                           .description = "Id of the point: XXH3-128 of its "
	                                                          "resolved config."},
	                      first->id, sizeof first->id);
	for (size_t i = 0; made && i < NUMBERS_OF_RUN; i++) {
		made = add_numbers(maker, number_columns[i], &first->numbers[i]);
	}
	for (size_t i = 0; made && i < all->key_count; i++) {
		made = add_key(maker, i);
	}
	for (size_t i = 0; made && i < WEIR_SWEEP_FIGURES; i++) {
		char name[2 * WEIR_SUMMARY_NAME_SIZE];
		const weir_merged_column column = {
		    .name = weir_arena_string(all->arena, weir_sweep_figure_name(i, name)),
		    .unit = weir_sweep_figure_unit(i),
		    .description = weir_sweep_figure_description(i)};
		made = column.name != NULL && add_numbers(maker, column, &first->figures[i]);
	}
	return made &&
	       add_texts(maker,
	                 (weir_merged_column){
	                     .name = "digest", .unit = "", .description = "XXH3-128 of the figures."},
	                 first->digest, sizeof first->digest) &&
	       add_texts(maker,
	                 (weir_merged_column){
	                     .name = "sha256", .unit = "", .description = "SHA-256 of the run's file."},
	                 first->sha256, sizeof first->sha256) &&
	       add_texts(
	           maker,
	           (weir_merged_column){.name = "path",
	                                .unit = "",
	                                .description = "The run's file, from the sweep's directory."},
	           first->path, sizeof first->path);
}

/* The runs' files, as named from anywhere. */
static weir_status list_sources(collection *all, const char *directory,
                                weir_merged_source **sources, weir_error *error)
{
	char *whole = realpath(directory, NULL);
	*sources = weir_arena_allocate(all->arena, all->count + 1, sizeof **sources);
	weir_status status = whole != NULL && *sources != NULL ? WEIR_OK : no_memory(error);
	for (size_t i = 0; status == WEIR_OK && i < all->count; i++) {
		const char *path = weir_arena_format(all->arena, "%s/%s", whole, all->rows[i].path);
		(*sources)[i] = (weir_merged_source){.key = (int64_t)all->rows[i].run, .path = path};
		if (path == NULL) {
			status = no_memory(error);
		} else if (all->rows[i].path[0] == '\0') {
			status = weir_error_set(error, WEIR_ERROR_INPUT, directory,
			                        "keeps summaries, no files: there are no requests to join");
		}
	}
	free(whole);
	return status;
}

static weir_status write_hdf5(collection *all, const weir_sweep_collect_options *options,
                              const char *directory, weir_error *error)
{
	enum { FIXED_COLUMNS = NUMBERS_OF_RUN + 4 };
	column_maker maker = {.all = all};
	maker.columns = weir_arena_allocate(
	    all->arena, FIXED_COLUMNS + all->key_count + WEIR_SWEEP_FIGURES, sizeof *maker.columns);
	if (maker.columns == NULL || !make_columns(&maker)) {
		return no_memory(error);
	}
	const weir_merged_table table = {
	    .name = "/runs",
	    .description = "One row for each run that is done.",
	    .rows = all->count,
	    .column_count = maker.count,
	    .columns = maker.columns,
	};
	weir_merged_source *sources = NULL;
	if (options->requests) {
		weir_status status = list_sources(all, directory, &sources, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	const weir_merged_options merged = {
	    .path = options->hdf5,
	    .format = "weir sweep",
	    .tables = &table,
	    .table_count = 1,
	    .joined = options->requests ? "requests" : NULL,
	    .sources = sources,
	    .source_count = options->requests ? all->count : 0,
	};
	return weir_merged_write(&merged, error);
}

weir_status weir_sweep_collect(weir_sweep_store *store, const weir_sweep_collect_options *options,
                               uint64_t *rows, weir_error *error)
{
	collection all = {.arena = weir_arena_create()};
	weir_status status = all.arena != NULL ? WEIR_OK : no_memory(error);
	if (status == WEIR_OK) {
		status = read_seeds(store, &all.seeds, error);
	}
	if (status == WEIR_OK) {
		status = weir_sweep_store_each(store, ~0U, note_keys, &all, error);
	}
	if (status == WEIR_OK) {
		status = weir_sweep_store_each(store, 1U << WEIR_RUN_DONE, take_row, &all, error);
	}
	if (status == WEIR_OK && options->hdf5 != NULL) {
		status = write_hdf5(&all, options, weir_sweep_store_directory(store), error);
	}
	if (status == WEIR_OK && options->csv != NULL) {
		status = write_csv(&all, options->csv, error);
	}
	*rows = all.count;
	free(all.keys);
	free(all.numeric);
	free(all.rows);
	weir_arena_destroy(all.arena);
	return status;
}
