/* Runs a fuzz target over every file of a directory: its corpus as an ordinary test. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fuzz.h"

static int replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
		return -1;
	}
	long size = ftell(file);
	rewind(file);
	uint8_t *data = malloc((size_t)size + 1);
	int result = -1;
	if (data != NULL && fread(data, 1, (size_t)size, file) == (size_t)size) {
		result = LLVMFuzzerTestOneInput(data, (size_t)size);
	}
	free(data);
	fclose(file);
	return result;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS_DIRECTORY\n", argv[0]);
		return EXIT_FAILURE;
	}
	DIR *directory = opendir(argv[1]);
	if (directory == NULL) {
		perror(argv[1]);
		return EXIT_FAILURE;
	}
	int count = 0;
	struct dirent *entry;
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.') {
			continue;
		}
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
		if (replay(path) != 0) {
			fprintf(stderr, "%s: cannot be replayed\n", path);
			closedir(directory);
			return EXIT_FAILURE;
		}
		count++;
	}
	closedir(directory);
	printf("%d inputs\n", count);
	return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
