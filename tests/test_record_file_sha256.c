/* SHA-256 of files, against the vectors of FIPS 180-4. */
#include "record/file_sha256.h"

#include <stdlib.h>
#include <string.h>

#include "support/test_support.h"

static void expect(const char *text, const char *wanted)
{
	char got[WEIR_SHA256_SIZE];
	weir_error error = {0};
	test_write_file(test_path("file"), text);
	ck_assert_ok(weir_file_sha256(test_path("file"), got, &error), &error);
	ck_assert_str_eq(got, wanted);
}

START_TEST(vectors)
{
	expect("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	expect("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	/* More than is read at once. */
	char *many = malloc(1000001);
	ck_assert_ptr_nonnull(many);
	memset(many, 'a', 1000000);
	many[1000000] = '\0';
	expect(many, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(many);
}
END_TEST

START_TEST(what_cannot_be_read_is_said)
{
	char got[WEIR_SHA256_SIZE];
	weir_error error = {0};
	ck_assert_int_eq(weir_file_sha256(test_path("none"), got, &error), WEIR_ERROR_IO);
	ck_assert_str_eq(error.where, test_path("none"));
	ck_assert_int_eq(weir_file_sha256(test_directory(), got, &error), WEIR_ERROR_IO);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("file_sha256");
	TCase *tests = tcase_create("files");
	tcase_add_test(tests, vectors);
	tcase_add_test(tests, what_cannot_be_read_is_said);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
