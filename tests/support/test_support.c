#include "support/test_support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[256];
static pid_t directory_owner;

enum { REMEMBERED_PATHS = 64, PATH_SIZE = 512 };

static void remove_tree(const char *path)
{
	DIR *dir = opendir(path);
	if (dir != NULL) {
		struct dirent *entry;
		while ((entry = readdir(dir)) != NULL) {
			if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
				continue;
			}
			char child[2 * PATH_SIZE];
			snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
			struct stat info;
			if (lstat(child, &info) == 0 && S_ISDIR(info.st_mode)) {
				remove_tree(child);
			} else {
				unlink(child);
			}
		}
		closedir(dir);
	}
	rmdir(path);
}

/* Forked tests inherit the directory; only its maker removes it. */
static void remove_directory(void)
{
	if (directory[0] != '\0' && getpid() == directory_owner) {
		remove_tree(directory);
	}
}

const char *test_directory(void)
{
	if (directory[0] == '\0') {
		const char *base = getenv("TMPDIR");
		snprintf(directory, sizeof directory, "%s/weir-test-XXXXXX", base != NULL ? base : "/tmp");
		if (mkdtemp(directory) == NULL) {
			perror(directory);
			abort();
		}
		directory_owner = getpid();
		atexit(remove_directory);
	}
	return directory;
}

const char *test_path(const char *name)
{
	static char paths[REMEMBERED_PATHS][PATH_SIZE];
	static unsigned next;
	char *path = paths[next++ % REMEMBERED_PATHS];
	snprintf(path, PATH_SIZE, "%s/%s", test_directory(), name);
	return path;
}

void test_write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "wb");
	ck_assert_msg(file != NULL, "cannot write %s", path);
	ck_assert_uint_eq(fwrite(text, 1, strlen(text), file), strlen(text));
	ck_assert_int_eq(fclose(file), 0);
}

char *test_read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "cannot read %s", path);
	size_t capacity = 1 << 16;
	size_t used = 0;
	char *text = malloc(capacity + 1);
	ck_assert_ptr_nonnull(text);
	for (;;) {
		size_t got = fread(text + used, 1, capacity - used, file);
		if (got == 0) {
			break;
		}
		used += got;
		if (used == capacity) {
			capacity *= 2;
			text = realloc(text, capacity + 1);
			ck_assert_ptr_nonnull(text);
		}
	}
	fclose(file);
	text[used] = '\0';
	if (size != NULL) {
		*size = used;
	}
	return text;
}

const char *test_data_path(const char *name)
{
	const char *root = getenv("WEIR_DATA");
	if (root == NULL || root[0] == '\0') {
		printf("skipped: WEIR_DATA is unset, so %s cannot be read\n", name);
		return NULL;
	}
	static char path[PATH_SIZE];
	snprintf(path, sizeof path, "%s/%s", root, name);
	if (access(path, R_OK) != 0) {
		printf("skipped: %s cannot be read\n", path);
		return NULL;
	}
	return path;
}

int test_main(Suite *suite)
{
	/* Made before the tests fork, so that all of them share it and the parent removes it. */
	(void)test_directory();
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
