#include "record/archive.h"

#include <hdf5.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test_support.h"

#define FORMAT "weir thing"

static const float floats[2][3] = {{1.5F, -2.0F, 0.1F}, {INFINITY, NAN, -0.0F}};
static const double doubles[2] = {0.1, -1e300};
static const int64_t integers[3] = {INT64_MIN, 0, INT64_MAX};
static const uint64_t naturals[1] = {UINT64_MAX};
static const uint8_t bytes[5] = {0, 1, 2, 254, 255};

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static void put_all(weir_archive_writer *writer)
{
	weir_error error;
	const size_t matrix[2] = {2, 3};
#define PUT(name, type, rank, extents, values, unit, description)                                  \
	ck_assert_ok(                                                                                  \
	    weir_archive_put(writer, name, type, rank, extents, values, unit, description, &error),    \
	    &error)
	PUT("group/inner/floats", WEIR_ARCHIVE_FLOAT, 2, matrix, floats, "s", "Six numbers.");
	PUT("group/doubles", WEIR_ARCHIVE_DOUBLE, 1, (const size_t[]){2}, doubles, "", "");
	PUT("a", WEIR_ARCHIVE_INT64, 1, (const size_t[]){3}, integers, "1", "");
	PUT("group/naturals", WEIR_ARCHIVE_UINT64, 0, NULL, naturals, "", "One number.");
	PUT("bytes", WEIR_ARCHIVE_UINT8, 3, ((const size_t[]){1, 5, 1}), bytes, "", "");
	PUT("nothing", WEIR_ARCHIVE_FLOAT, 2, ((const size_t[]){0, 7}), NULL, "", "");
#undef PUT
	ck_assert_ok(
	    weir_archive_put_text(writer, "group/text", "{\"a\": \"\xc3\xa4\"}\n", "JSON.", &error),
	    &error);
	ck_assert_ok(weir_archive_put_text(writer, "empty", "", "", &error), &error);
}

static weir_archive_writer *begun(const char *path, const char *format, uint32_t version)
{
	weir_error error;
	weir_archive_writer *writer = NULL;
	ck_assert_ok(weir_archive_begin(path, format, version, &writer, &error), &error);
	return writer;
}

static const char *written(const char *name)
{
	weir_error error;
	weir_archive_writer *writer = begun(test_path(name), FORMAT, 3);
	put_all(writer);
	ck_assert_ok(weir_archive_commit(writer, &error), &error);
	return test_path(name);
}

static weir_archive *opened(const char *path)
{
	weir_error error;
	weir_archive *archive = NULL;
	uint32_t version = 0;
	ck_assert_ok(weir_archive_open(path, FORMAT, 3, &version, &archive, &error), &error);
	ck_assert_uint_eq(version, 3);
	return archive;
}

START_TEST(what_was_put_is_got)
{
	weir_error error;
	weir_archive *archive = opened(written("all.h5"));
	ck_assert(!exists(test_path("all.h5.part")));
	ck_assert_str_eq(weir_archive_path(archive), test_path("all.h5"));
	ck_assert_str_eq(weir_archive_format(archive), FORMAT);
	float got_floats[2][3];
	double got_doubles[2];
	int64_t got_integers[3];
	uint64_t got_naturals[1];
	uint8_t got_bytes[5];
#define GET(get, name, type, rank, extents, values)                                                \
	ck_assert_ok(get(archive, name, type, rank, extents, values, &error), &error)
	GET(weir_archive_get_any, "group/inner/floats", WEIR_ARCHIVE_FLOAT, 2, ((const size_t[]){2, 3}),
	    got_floats);
	GET(weir_archive_get, "group/doubles", WEIR_ARCHIVE_DOUBLE, 1, (const size_t[]){2},
	    got_doubles);
	GET(weir_archive_get, "a", WEIR_ARCHIVE_INT64, 1, (const size_t[]){3}, got_integers);
	GET(weir_archive_get, "group/naturals", WEIR_ARCHIVE_UINT64, 0, NULL, got_naturals);
	GET(weir_archive_get, "bytes", WEIR_ARCHIVE_UINT8, 3, ((const size_t[]){1, 5, 1}), got_bytes);
	GET(weir_archive_get, "nothing", WEIR_ARCHIVE_FLOAT, 2, ((const size_t[]){0, 7}), NULL);
#undef GET
	ck_assert_mem_eq(got_floats, floats, sizeof floats);
	ck_assert_mem_eq(got_doubles, doubles, sizeof doubles);
	ck_assert_mem_eq(got_integers, integers, sizeof integers);
	ck_assert_mem_eq(got_naturals, naturals, sizeof naturals);
	ck_assert_mem_eq(got_bytes, bytes, sizeof bytes);
	char *text = NULL;
	ck_assert_ok(weir_archive_get_text(archive, "group/text", &text, &error), &error);
	ck_assert_str_eq(text, "{\"a\": \"\xc3\xa4\"}\n");
	free(text);
	ck_assert_ok(weir_archive_get_text(archive, "empty", &text, &error), &error);
	ck_assert_str_eq(text, "");
	free(text);
	ck_assert(weir_archive_has(archive, "group"));
	ck_assert(weir_archive_has(archive, "group/inner/floats"));
	ck_assert(!weir_archive_has(archive, "group/floats"));
	ck_assert(!weir_archive_has(archive, "no/group/there"));
	size_t rank = 9;
	size_t extents[WEIR_ARCHIVE_MOST_RANK];
	ck_assert_ok(weir_archive_shape(archive, "group/inner/floats", WEIR_ARCHIVE_FLOAT, &rank,
	                                extents, &error),
	             &error);
	ck_assert_uint_eq(rank, 2);
	ck_assert_uint_eq(extents[0], 2);
	ck_assert_uint_eq(extents[1], 3);
	weir_archive_close(archive);
	weir_archive_close(NULL);
}
END_TEST

typedef struct item_list {
	char text[1024];
	int stop_after;
} item_list;

static bool append_item(void *context, const weir_archive_item *item)
{
	item_list *list = context;
	size_t used = strlen(list->text);
	snprintf(list->text + used, sizeof list->text - used, "%s %s %zu %zu [%s] %s\n", item->name,
	         item->is_text ? "text" : weir_archive_type_name(item->type), item->rank,
	         item->extents[0], item->unit, item->description);
	return --list->stop_after != 0;
}

START_TEST(items_come_in_the_order_of_their_making)
{
	weir_error error;
	weir_archive *archive = opened(written("items.h5"));
	item_list list = {.stop_after = 0};
	ck_assert_ok(weir_archive_items(archive, append_item, &list, &error), &error);
	ck_assert_str_eq(list.text, "group/inner/floats float32 2 2 [s] Six numbers.\n"
	                            "group/doubles float64 1 2 [] \n"
	                            "group/naturals uint64 0 1 [] One number.\n"
	                            "group/text text 0 1 [] JSON.\n"
	                            "a int64 1 3 [1] \n"
	                            "bytes uint8 3 1 [] \n"
	                            "nothing float32 2 0 [] \n"
	                            "empty text 0 1 [] \n");
	item_list first = {.stop_after = 2};
	ck_assert_ok(weir_archive_items(archive, append_item, &first, &error), &error);
	ck_assert_str_eq(first.text, "group/inner/floats float32 2 2 [s] Six numbers.\n"
	                             "group/doubles float64 1 2 [] \n");
	weir_archive_close(archive);
}
END_TEST

START_TEST(equal_contents_give_equal_bytes)
{
	size_t first_size = 0;
	size_t second_size = 0;
	char *first = test_read_file(written("first.h5"), &first_size);
	/* Whatever memory held before must not get into a file. */
	char *dirt = malloc(1 << 20);
	memset(dirt, 0xa5, 1 << 20);
	free(dirt);
	char *second = test_read_file(written("second.h5"), &second_size);
	ck_assert_uint_eq(first_size, second_size);
	ck_assert_mem_eq(first, second, first_size);
	free(first);
	free(second);
}
END_TEST

/* Any reader of HDF5 finds what is in it, and no time of day. */
START_TEST(it_is_plain_hdf5_without_times)
{
	hid_t file = H5Fopen(written("plain.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
	ck_assert_int_ge(file, 0);
	static const char *const objects[] = {"/", "/group", "/group/doubles", "/group/text"};
	for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
		H5O_info_t info;
		ck_assert_int_ge(H5Oget_info_by_name2(file, objects[i], &info, H5O_INFO_TIME, H5P_DEFAULT),
		                 0);
		ck_assert_int_eq(info.ctime, 0);
		ck_assert_int_eq(info.mtime, 0);
	}
	hid_t dataset = H5Dopen2(file, "/group/doubles", H5P_DEFAULT);
	double values[2];
	ck_assert_int_ge(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
	ck_assert_mem_eq(values, doubles, sizeof doubles);
	H5Dclose(dataset);
	H5Fclose(file);
}
END_TEST

/* Checks that the file is refused with these words. */
static void refused(const char *path, const char *format, uint32_t newest, const char *words)
{
	weir_error error = {0};
	weir_archive *archive = NULL;
	uint32_t version = 0;
	weir_status status = weir_archive_open(path, format, newest, &version, &archive, &error);
	ck_assert_msg(status == WEIR_ERROR_INPUT || status == WEIR_ERROR_IO, "%s: %d", path, status);
	ck_assert_ptr_null(archive);
	ck_assert_str_eq(error.where, path);
	ck_assert_msg(strstr(error.message, words) != NULL, "%s: %s", path, error.message);
}

START_TEST(several_can_be_open)
{
	weir_error error;
	weir_archive *archives[3];
	for (int i = 0; i < 3; i++) {
		weir_archive_writer *writer = begun(test_path("many.h5"), FORMAT, 3);
		const double number = i;
		ck_assert_ok(weir_archive_put(writer, "number", WEIR_ARCHIVE_DOUBLE, 0, NULL, &number, "",
		                              "", &error),
		             &error);
		ck_assert_ok(weir_archive_commit(writer, &error), &error);
		archives[i] = opened(test_path("many.h5"));
	}
	for (int i = 0; i < 3; i++) {
		double number = -1.0;
		ck_assert_ok(
		    weir_archive_get(archives[i], "number", WEIR_ARCHIVE_DOUBLE, 0, NULL, &number, &error),
		    &error);
		ck_assert_double_eq(number, i);
		weir_archive_close(archives[i]);
	}
}
END_TEST

START_TEST(other_files_are_refused)
{
	const char *path = written("other.h5");
	refused(path, "weir agent", 9, "is a weir thing file, where a weir agent file is wanted");
	refused(path, FORMAT, 2,
	        "is a weir thing file of version 3; this weir reads up to 2: use the weir that wrote");
	refused(test_path("missing.h5"), FORMAT, 3, "No such file");
	refused(test_directory(), FORMAT, 3, "is a directory");
	refused("/dev/null", FORMAT, 3, "is not a regular file");
	test_write_file(test_path("empty.h5"), "");
	refused(test_path("empty.h5"), FORMAT, 3, "is empty");
	test_write_file(test_path("text.h5"), "{}\n");
	refused(test_path("text.h5"), FORMAT, 3, "is not an HDF5 file");
	hid_t file = H5Fcreate(test_path("foreign.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
	H5Fclose(file);
	refused(test_path("foreign.h5"), FORMAT, 3, "is an HDF5 file, but neither an agent nor");
	ck_assert(weir_archive_is(path));
	ck_assert(!weir_archive_is(test_path("foreign.h5")) && !weir_archive_is(test_path("empty.h5")));
	ck_assert(!weir_archive_is(test_path("missing.h5")) && !weir_archive_is(test_directory()));
	weir_archive *archive = NULL;
	weir_error error;
	uint32_t version = 0;
	ck_assert_ok(weir_archive_open(path, NULL, 0, &version, &archive, &error), &error);
	ck_assert_str_eq(weir_archive_format(archive), FORMAT);
	ck_assert_uint_eq(version, 3);
	weir_archive_close(archive);
}
END_TEST

START_TEST(wrong_wishes_are_refused)
{
	weir_archive *archive = opened(written("wishes.h5"));
	const struct {
		const char *name;
		weir_archive_type type;
		size_t rank, extents[2];
		const char *message;
	} cases[] = {
	    {"group/floats", WEIR_ARCHIVE_FLOAT, 1, {6, 0}, "has no array group/floats"},
	    {"group", WEIR_ARCHIVE_FLOAT, 1, {6, 0}, "has no array group"},
	    {"group/doubles",
	     WEIR_ARCHIVE_FLOAT,
	     1,
	     {2, 0},
	     "group/doubles is not an array of float32"},
	    {"group/text", WEIR_ARCHIVE_UINT8, 1, {2, 0}, "group/text is not an array of uint8"},
	    {"a", WEIR_ARCHIVE_INT64, 1, {4, 0}, "a is 3 int64; it must be 4 int64"},
	    {"a", WEIR_ARCHIVE_INT64, 2, {3, 1}, "a is 3 int64; it must be 3 x 1 int64"},
	    {"group/naturals",
	     WEIR_ARCHIVE_UINT64,
	     1,
	     {1, 0},
	     "group/naturals is one uint64; it must be 1 uint64"},
	    {"group/inner/floats",
	     WEIR_ARCHIVE_FLOAT,
	     2,
	     {2, 3},
	     "group/inner/floats: number 4 of 6 is inf; all must be finite"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		double values[16];
		weir_error error = {0};
		ck_assert_int_eq(weir_archive_get(archive, cases[i].name, cases[i].type, cases[i].rank,
		                                  cases[i].extents, values, &error),
		                 WEIR_ERROR_INPUT);
		ck_assert_str_eq(error.where, test_path("wishes.h5"));
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "%s", error.message);
	}
	weir_error error;
	char *text = NULL;
	ck_assert_int_eq(weir_archive_get_text(archive, "a", &text, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.message, "has no text a");
	ck_assert_int_eq(weir_archive_get_text(archive, "tixt", &text, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_null(text);
	weir_archive_close(archive);
}
END_TEST

static void write_bytes(const char *path, const char *contents, size_t size)
{
	FILE *file = fopen(path, "wb");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(contents, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

/* Every byte that is changed, and every cut, is found, before HDF5 sees it. */
START_TEST(any_damage_is_refused)
{
	size_t size = 0;
	char *contents = test_read_file(written("whole.h5"), &size);
	const char *path = test_path("damaged.h5");
	uint32_t state = 1;
	for (int i = 0; i < 400; i++) {
		state = state * 1664525U + 1013904223U;
		size_t at = i < 100 ? (size_t)i : (size_t)state % size;
		char before = contents[at];
		contents[at] = (char)(before ^ (1 << (i % 8)));
		write_bytes(path, contents, size);
		/* Where the first words are damaged it is no archive. */
		refused(path, FORMAT, 3, at < 64 ? "" : "is cut short, damaged");
		contents[at] = before;
	}
	for (size_t length = 0; length < size; length += 1 + length / 8) {
		write_bytes(path, contents, length);
		refused(path, FORMAT, 3, length == 0 ? "is empty" : "is cut short, damaged");
	}
	write_bytes(path, contents, size - 1);
	refused(path, FORMAT, 3, "is cut short, damaged");
	free(contents);
}
END_TEST

START_TEST(nothing_is_left_of_what_is_not_committed)
{
	const char *path = test_path("kept.h5");
	test_write_file(path, "old");
	weir_archive_writer *writer = begun(path, FORMAT, 1);
	ck_assert(exists(test_path("kept.h5.part")));
	put_all(writer);
	weir_archive_abandon(writer);
	weir_archive_abandon(NULL);
	ck_assert(!exists(test_path("kept.h5.part")));
	char *contents = test_read_file(path, NULL);
	ck_assert_str_eq(contents, "old");
	free(contents);
	writer = begun(path, FORMAT, 3);
	put_all(writer);
	weir_error error;
	ck_assert_ok(weir_archive_commit(writer, &error), &error);
	weir_archive_close(opened(path));
}
END_TEST

START_TEST(another_writer_of_the_same_file_is_noticed)
{
	const char *path = test_path("twice.h5");
	weir_error error;
	weir_archive_writer *first = begun(path, FORMAT, 3);
	weir_archive_writer *second = begun(path, FORMAT, 3);
	put_all(first);
	put_all(second);
	ck_assert_int_eq(weir_archive_commit(first, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "replaced"));
	ck_assert(!exists(path));
	ck_assert_ok(weir_archive_commit(second, &error), &error);
	weir_archive_close(opened(path));
}
END_TEST

START_TEST(outputs_that_cannot_be_written_are_refused)
{
	weir_error error;
	weir_archive_writer *writer = NULL;
	ck_assert_int_eq(weir_archive_begin(test_directory(), FORMAT, 1, &writer, &error),
	                 WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "is a directory"));
	ck_assert_int_eq(weir_archive_begin(test_path("no/such.h5"), FORMAT, 1, &writer, &error),
	                 WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "No such file or directory"));
	ck_assert_int_eq(weir_archive_begin("", FORMAT, 1, &writer, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_null(writer);
}
END_TEST

START_TEST(a_full_disk_is_told_and_leaves_nothing)
{
	const char *path = test_path("full.h5");
	/* A limit on the size of files stands in for it. */
	struct rlimit limit;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 2000;
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	weir_archive_writer *writer = begun(path, FORMAT, 3);
	enum { COUNT = 4096 };
	static const double many[COUNT];
	weir_error error = {0};
	const size_t count = COUNT;
	weir_status put =
	    weir_archive_put(writer, "many", WEIR_ARCHIVE_DOUBLE, 1, &count, many, "", "", &error);
	ck_assert(put == WEIR_OK || put == WEIR_ERROR_IO);
	ck_assert_int_eq(weir_archive_commit(writer, &error), WEIR_ERROR_IO);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	ck_assert_ptr_nonnull(strstr(error.message, "File too large"));
	ck_assert(!exists(path));
	ck_assert(!exists(test_path("full.h5.part")));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record_archive");
	TCase *tests = tcase_create("archive");
	tcase_add_test(tests, what_was_put_is_got);
	tcase_add_test(tests, items_come_in_the_order_of_their_making);
	tcase_add_test(tests, equal_contents_give_equal_bytes);
	tcase_add_test(tests, it_is_plain_hdf5_without_times);
	tcase_add_test(tests, several_can_be_open);
	tcase_add_test(tests, other_files_are_refused);
	tcase_add_test(tests, wrong_wishes_are_refused);
	tcase_add_test(tests, any_damage_is_refused);
	tcase_add_test(tests, nothing_is_left_of_what_is_not_committed);
	tcase_add_test(tests, another_writer_of_the_same_file_is_noticed);
	tcase_add_test(tests, outputs_that_cannot_be_written_are_refused);
	tcase_add_test(tests, a_full_disk_is_told_and_leaves_nothing);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
