/* SHA-256 against the examples of FIPS 180-4 and lengths around those of a block. */
#include "base/sha256.h"

#include <string.h>

#include "support/test_support.h"

static void expect(const char *data, size_t size, size_t step, const char *digits)
{
	weir_sha256 sum = weir_sha256_begin();
	for (size_t i = 0; i < size; i += step) {
		weir_sha256_add(&sum, data + i, size - i < step ? size - i : step);
	}
	char text[WEIR_SHA256_TEXT_SIZE];
	weir_sha256_end(&sum, text);
	ck_assert_str_eq(text, digits);
}

START_TEST(known_sums)
{
	expect("", 0, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	expect("abc", 3, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	expect(two, sizeof two - 1, 7,
	       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	static char million[1000000];
	memset(million, 'a', sizeof million);
	expect(million, sizeof million, 777,
	       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	/* One byte less than what still fits beside the length, and one more; a whole block. */
	expect(million, 55, 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
	expect(million, 56, 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
	expect(million, 64, 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}
END_TEST

START_TEST(files)
{
	const char *path = test_path("abc");
	test_write_file(path, "abc");
	char text[WEIR_SHA256_TEXT_SIZE];
	weir_error error = {0};
	ck_assert_ok(weir_sha256_file(path, text, &error), &error);
	ck_assert_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert_int_eq(weir_sha256_file("nowhere", text, &error), WEIR_ERROR_IO);
	ck_assert_str_eq(error.where, "nowhere");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base/sha256");
	TCase *tests = tcase_create("sha256");
	tcase_add_test(tests, known_sums);
	tcase_add_test(tests, files);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
