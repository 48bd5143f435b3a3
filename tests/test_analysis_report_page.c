/* The page of a report: what is put together, what is escaped, how it is written.
 * With two arguments, PAYLOAD PAGE, it writes the page of a payload (for cli/report_page.sh). */
#include "analysis/report_page.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/page.h"
#include "support/test_support.h"

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;
	for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part)) {
		count++;
	}
	return count;
}

static char *page_of(const char *payload)
{
	const char *path = test_path("page.html");
	weir_error error;
	ck_assert_ok(weir_report_page_write(path, payload, strlen(payload), &error), &error);
	return test_read_file(path, NULL);
}

START_TEST(embedded_files_are_the_files){
#define CHECK_FILE(file, name)                                                                     \
	{                                                                                              \
		size_t size;                                                                               \
		char *text = test_read_file(WEIR_SOURCE_DIR "/analysis/page/" file, &size);                \
		ck_assert_uint_gt(size, 0);                                                                \
		ck_assert_uint_eq(weir_page_##name##_size, size);                                          \
		ck_assert_mem_eq(weir_page_##name, text, size);                                            \
		ck_assert_uint_eq(weir_page_##name[size], 0);                                              \
		free(text);                                                                                \
	}
    WEIR_PAGE_LIST(CHECK_FILE)
#undef CHECK_FILE
} END_TEST

    START_TEST(every_piece_is_in_its_place)
{
	char *page = page_of("{\"runs\":[]}");
	ck_assert_uint_eq(count_of(page, "{{"), 0);
	ck_assert_ptr_nonnull(
	    strstr(page, "type=\"application/json\" id=\"payload\">{\"runs\":[]}</script>"));
#define CHECK_PIECE(file, name)                                                                    \
	ck_assert_msg(strcmp(file, "report.html") == 0 ||                                              \
	                  count_of(page, (const char *)weir_page_##name) == 1,                         \
	              "%s is not in the page once", file);
	WEIR_PAGE_LIST(CHECK_PIECE)
#undef CHECK_PIECE
	/* No piece closes an element that it stands in, or opens a comment. */
	const char *template = (const char *)weir_page_report_html;
	ck_assert_uint_eq(count_of(page, "</script"), count_of(template, "</script"));
	ck_assert_uint_eq(count_of(page, "</style"), count_of(template, "</style"));
	ck_assert_uint_eq(count_of(page, "<!--"), 0);
	free(page);
}
END_TEST

START_TEST(the_payload_cannot_leave_its_element)
{
	char *page = page_of("{\"a\":\"</script><!-- <script>{{style}} \xc2\xb5 \\\"x\\\" <\"}");
	ck_assert_ptr_nonnull(strstr(page,
	                             "id=\"payload\">{\"a\":\"\\u003c/script>\\u003c!-- "
	                             "\\u003cscript>{{style}} \xc2\xb5 \\\"x\\\" \\u003c\"}</script>"));
	const char *template = (const char *)weir_page_report_html;
	ck_assert_uint_eq(count_of(page, "</script"), count_of(template, "</script"));
	ck_assert_uint_eq(count_of(page, "<script"), count_of(template, "<script"));
	free(page);
}
END_TEST

START_TEST(an_older_page_is_replaced_and_nothing_is_left_aside)
{
	const char *path = test_path("twice.html");
	weir_error error;
	test_write_file(path, "older");
	ck_assert_ok(weir_report_page_write(path, "[1]", 3, &error), &error);
	char *page = test_read_file(path, NULL);
	ck_assert_ptr_nonnull(strstr(page, ">[1]</script>"));
	free(page);
	ck_assert_int_ne(access(test_path("twice.html.part"), F_OK), 0);
	/* Only as much of the payload as is said. */
	ck_assert_ok(weir_report_page_write(path, "[1]garbage", 3, &error), &error);
	page = test_read_file(path, NULL);
	ck_assert_ptr_nonnull(strstr(page, ">[1]</script>"));
	free(page);
}
END_TEST

START_TEST(a_place_that_cannot_be_written_is_refused)
{
	weir_error error;
	ck_assert_int_eq(weir_report_page_write(test_directory(), "[]", 2, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "is a directory"));
	ck_assert_int_eq(weir_report_page_write("/dev/full", "[]", 2, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "not a regular file"));
	const char *nowhere = test_path("no/such/directory/page.html");
	ck_assert_int_eq(weir_report_page_write(nowhere, "[]", 2, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "cannot be written"));
	char name[5000];
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	ck_assert_int_eq(weir_report_page_write(name, "[]", 2, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "too long"));
}
END_TEST

/* Outside of a test there is nothing to assert with. */
static int write_page(const char *payload_path, const char *page_path)
{
	FILE *file = fopen(payload_path, "rb");
	if (file == NULL) {
		perror(payload_path);
		return 2;
	}
	char *payload = NULL;
	size_t size = 0;
	ssize_t length = getdelim(&payload, &size, '\0', file);
	fclose(file);
	weir_error error;
	weir_status status =
	    weir_report_page_write(page_path, payload, length < 0 ? 0 : (size_t)length, &error);
	free(payload);
	return weir_status_exit(status);
}

int main(int argc, char **argv)
{
	if (argc == 3) {
		return write_page(argv[1], argv[2]);
	}
	Suite *suite = suite_create("analysis/report_page");
	TCase *tests = tcase_create("report_page");
	tcase_add_test(tests, embedded_files_are_the_files);
	tcase_add_test(tests, every_piece_is_in_its_place);
	tcase_add_test(tests, the_payload_cannot_leave_its_element);
	tcase_add_test(tests, an_older_page_is_replaced_and_nothing_is_left_aside);
	tcase_add_test(tests, a_place_that_cannot_be_written_is_refused);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
