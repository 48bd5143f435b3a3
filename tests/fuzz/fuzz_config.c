/*
 * A config file, and behind its first NUL byte overrides, one a line: from bytes to a checked
 * config. The file may include "catalogue.json". What loads must print a config that loads and
 * prints the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "support/fuzz.h"

static const char catalogue[] =
    "{\"hardware\": {\"gpus\": {\"a100-80gb\": {\"memory_bytes\": 85899345920}},"
    "\"nics\": {\"n\": {\"bandwidth_gb_per_s\": 10}},"
    "\"servers\": {\"s\": {\"gpu\": \"a100-80gb\", \"gpu_count\": 8, \"nic\": \"n\", \"tdp_w\": 1, "
    "\"price_per_hour\": 1}}},"
    "\"models\": {\"m\": {\"layers\": 2, \"hidden\": 8, \"heads\": 4, \"weight_bytes\": 9}}}";

/* A directory of its own: a file in /proc would let an include read the program's own pipes. */
static char directory[128];
static char config_path[160];
static char catalogue_path[160];

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "wb");
	fuzz_require(file != NULL && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

static void remove_directory(void)
{
	unlink(config_path);
	unlink(catalogue_path);
	rmdir(directory);
}

static void make_directory(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(directory, sizeof directory, "%s/weir-fuzz-XXXXXX", base);
	fuzz_require(mkdtemp(directory) != NULL);
	snprintf(config_path, sizeof config_path, "%s/a.json", directory);
	snprintf(catalogue_path, sizeof catalogue_path, "%s/catalogue.json", directory);
	write_file(catalogue_path, catalogue, sizeof catalogue - 1);
	atexit(remove_directory);
}

/* Prints what loads; NULL after an error, which must say what is wrong. */
static char *load_and_print(const char *const *sets, size_t set_count)
{
	weir_document_options options = {.path = config_path, .sets = sets, .set_count = set_count};
	const weir_config *config = NULL;
	weir_error error = {0};
	weir_status status = weir_config_load(&options, &config, &error);
	if (status != WEIR_OK) {
		fuzz_require(config == NULL);
		fuzz_require(status == WEIR_ERROR_INPUT || status == WEIR_ERROR_IO);
		fuzz_require(error.status == status && error.where[0] != '\0' && error.message[0] != '\0');
		return NULL;
	}
	fuzz_require(config->application_count >= 1 && config->applications[0].server_count >= 1);
	char *text = weir_config_print(config);
	fuzz_require(text != NULL);
	weir_config_destroy(config);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { MOST_SETS = 32 };
	if (directory[0] == '\0') {
		make_directory();
	}
	const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
	size_t file_size = nul != NULL ? (size_t)(nul - data) : size;
	write_file(config_path, data, file_size);
	char *lines =
	    strndup(nul != NULL ? (const char *)nul + 1 : "", nul != NULL ? size - file_size - 1 : 0);
	fuzz_require(lines != NULL);
	const char *sets[MOST_SETS];
	size_t count = 0;
	char *rest = lines;
	for (char *line; count < MOST_SETS && (line = strsep(&rest, "\n")) != NULL;) {
		if (line[0] != '\0') {
			sets[count++] = line;
		}
	}
	char *first = load_and_print(sets, count);
	if (first != NULL) {
		write_file(config_path, first, strlen(first));
		char *second = load_and_print(NULL, 0);
		fuzz_require(second != NULL && strcmp(first, second) == 0);
		free(second);
	}
	free(first);
	free(lines);
	return 0;
}
