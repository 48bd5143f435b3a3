/* Lines from files, pipes and gzip data. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "support/test_support.h"
#include "workload/trace_input.h"

enum { LIMIT = 1000, MANY = 30000 };

static weir_trace_input *open_input(const char *path)
{
	weir_error error;
	weir_trace_input *input = NULL;
	ck_assert_ok(weir_trace_input_open(path, LIMIT, &input, &error), &error);
	return input;
}

static void write_bytes(const char *path, const char *bytes, size_t count)
{
	FILE *file = fopen(path, "wb");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, count, file), count);
	ck_assert_int_eq(fclose(file), 0);
}

static void write_gzip(const char *path, const char *mode, const char *text)
{
	gzFile file = gzopen(path, mode);
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(gzputs(file, text), (int)strlen(text));
	ck_assert_int_eq(gzclose(file), Z_OK);
}

/* Lines "0 xx", "1 xxx", ... of many lengths, so that they straddle every buffer. */
static void print_line(int number, char line[64])
{
	sprintf(line, "%d %.*s", number, number % 37, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}

static char *many_lines(void)
{
	char *text = malloc((size_t)MANY * 64);
	char *end = text;
	for (int i = 0; i < MANY; i++) {
		char line[64];
		print_line(i, line);
		end += sprintf(end, "%s\n", line);
	}
	return text;
}

/* Asserts only what fails: Check notes every assertion that holds, which is slow. */
static void expect_line(weir_trace_input *input, const char *expected)
{
	weir_error error;
	weir_trace_text line = {NULL, NULL};
	bool more = false;
	if (weir_trace_input_next(input, &line, &more, &error) != WEIR_OK || !more) {
		ck_abort_msg("no line, but \"%s\" is expected", expected);
	}
	size_t length = (size_t)(line.end - line.begin);
	if (length != strlen(expected) || memcmp(line.begin, expected, length) != 0) {
		ck_abort_msg("line %lld is \"%.*s\", not \"%s\"", (long long)weir_trace_input_line(input),
		             (int)length, line.begin, expected);
	}
	if (*line.end != '\n' && *line.end != '\r') {
		ck_abort_msg("\"%s\" has no end", expected);
	}
}

static void expect_end(weir_trace_input *input)
{
	weir_error error;
	weir_trace_text line;
	for (int i = 0; i < 2; i++) {
		bool more = true;
		ck_assert_ok(weir_trace_input_next(input, &line, &more, &error), &error);
		ck_assert(!more);
	}
}

static void expect_error(weir_trace_input *input, weir_status status, const char *where,
                         const char *message)
{
	weir_error error;
	weir_trace_text line;
	bool more = true;
	weir_status got = WEIR_OK;
	while (got == WEIR_OK && more) {
		got = weir_trace_input_next(input, &line, &more, &error);
	}
	ck_assert_int_eq(got, status);
	ck_assert_str_eq(error.where, where);
	ck_assert_msg(strstr(error.message, message) != NULL, "%s", error.message);
	weir_trace_input_close(input);
}

static void expect_many(weir_trace_input *input, int first)
{
	for (int i = first; i < MANY; i++) {
		char line[64];
		print_line(i, line);
		expect_line(input, line);
		if (weir_trace_input_line(input) != i + 1) {
			ck_abort_msg("line %d is counted as %lld", i + 1,
			             (long long)weir_trace_input_line(input));
		}
	}
	expect_end(input);
}

START_TEST(line_ends)
{
	const char *path = test_path("ends");
	test_write_file(path, "\xEF\xBB\xBF"
	                      "a\r\n\nbc\r\r\n \nlast");
	weir_trace_input *input = open_input(path);
	ck_assert_int_eq(weir_trace_input_line(input), 0);
	ck_assert_str_eq(weir_trace_input_name(input), path);
	expect_line(input, "a");
	expect_line(input, "");
	expect_line(input, "bc\r");
	expect_line(input, " ");
	expect_line(input, "last");
	ck_assert_int_eq(weir_trace_input_line(input), 5);
	expect_end(input);
	weir_trace_input_close(input);

	test_write_file(path, "");
	input = open_input(path);
	expect_end(input);
	weir_trace_input_close(input);

	test_write_file(path, "\n");
	input = open_input(path);
	expect_line(input, "");
	expect_end(input);
	weir_trace_input_close(input);
}
END_TEST

START_TEST(unread_hands_out_again)
{
	const char *path = test_path("unread");
	test_write_file(path, "\xEF\xBB\xBFone\ntwo\nthree");
	weir_trace_input *input = open_input(path);
	for (int i = 0; i < 2; i++) {
		expect_line(input, "one");
		weir_trace_input_unread(input);
		ck_assert_int_eq(weir_trace_input_line(input), 0);
	}
	expect_line(input, "one");
	expect_line(input, "two");
	weir_trace_input_unread(input);
	expect_line(input, "two");
	expect_line(input, "three");
	weir_trace_input_unread(input);
	expect_line(input, "three");
	expect_end(input);
	weir_trace_input_close(input);
}
END_TEST

/* Positions taken on one input hold for another; gzip data differ from text only by name. */
START_TEST(many_lines_and_positions)
{
	char *text = many_lines();
	const char *plain = test_path("many");
	const char *packed = test_path("many.gz");
	test_write_file(plain, text);
	write_gzip(packed, "wb", text);
	const char *const paths[] = {plain, packed};
	for (int kind = 0; kind < 2; kind++) {
		weir_error error;
		weir_trace_input *input = open_input(paths[kind]);
		ck_assert(weir_trace_input_seekable(input));
		weir_trace_position start = weir_trace_input_tell(input);
		weir_trace_position places[5];
		const int numbers[5] = {0, 1, 700, 20000, MANY};
		int next = 0;
		for (int i = 0; i <= MANY; i++) {
			if (next < 5 && i == numbers[next]) {
				places[next++] = weir_trace_input_tell(input);
			}
			if (i < MANY) {
				char line[64];
				print_line(i, line);
				expect_line(input, line);
			}
		}
		expect_end(input);
		ck_assert_ok(weir_trace_input_seek(input, &start, &error), &error);
		expect_many(input, 0);
		weir_trace_input *other = open_input(paths[kind]);
		const int order[] = {3, 2, 4, 0, 1, 1, 3};
		for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
			ck_assert_ok(weir_trace_input_seek(other, &places[order[i]], &error), &error);
			ck_assert_int_eq(weir_trace_input_line(other), numbers[order[i]]);
			if (numbers[order[i]] < MANY) {
				char line[64];
				print_line(numbers[order[i]], line);
				expect_line(other, line);
			} else {
				expect_end(other);
			}
		}
		expect_many(other, 20001);
		weir_trace_input_close(other);
		weir_trace_input_close(input);
	}
	free(text);
}
END_TEST

START_TEST(a_changed_file_is_noticed)
{
	weir_error error;
	const char *path = test_path("changed");
	test_write_file(path, "one\ntwo\nthree\n");
	weir_trace_input *input = open_input(path);
	expect_line(input, "one");
	weir_trace_position place = weir_trace_input_tell(input);
	weir_trace_input_close(input);
	test_write_file(path, "one\ntwo\n");
	input = open_input(path);
	ck_assert_int_eq(weir_trace_input_seek(input, &place, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, path);
	ck_assert_ptr_nonnull(strstr(error.message, "14"));
	/* Of the right size, but with less text than the position says. */
	weir_trace_position beyond = weir_trace_input_tell(input);
	beyond.offset = 1000;
	ck_assert_int_eq(weir_trace_input_seek(input, &beyond, &error), WEIR_ERROR_INPUT);
	weir_trace_input_close(input);
}
END_TEST

START_TEST(long_lines)
{
	const char *path = test_path("long");
	const size_t sizes[] = {LIMIT - 1, LIMIT, LIMIT + 1, 3 * 1024 * 1024};
	char *text = malloc(4 * 1024 * 1024);
	for (size_t i = 0; i < 4; i++) {
		for (int newline = 0; newline < 2; newline++) {
			strcpy(text, "first\n");
			memset(text + 6, 'y', sizes[i]);
			strcpy(text + 6 + sizes[i], newline == 1 ? "\nlast" : "");
			test_write_file(path, text);
			weir_trace_input *input = open_input(path);
			expect_line(input, "first");
			if (sizes[i] > LIMIT) {
				char where[600];
				snprintf(where, sizeof where, "%s:2", path);
				expect_error(input, WEIR_ERROR_INPUT, where, "longer than 1000 bytes");
				continue;
			}
			text[6 + sizes[i]] = '\0';
			expect_line(input, text + 6);
			if (newline == 1) {
				expect_line(input, "last");
			}
			expect_end(input);
			weir_trace_input_close(input);
		}
	}
	/* With a higher limit, lines longer than the first buffer are whole. */
	memset(text, 'y', 3 * 1024 * 1024);
	text[3 * 1024 * 1024] = '\0';
	test_write_file(path, text);
	weir_trace_input *input = open_input(path);
	weir_trace_input_set_limit(input, 3 * 1024 * 1024);
	expect_line(input, text);
	expect_end(input);
	weir_trace_input_close(input);
	free(text);
}
END_TEST

START_TEST(what_cannot_be_opened)
{
	weir_error error;
	weir_trace_input *input = NULL;
	const char *missing = test_path("missing");
	ck_assert_int_eq(weir_trace_input_open(missing, LIMIT, &input, &error), WEIR_ERROR_IO);
	ck_assert_ptr_null(input);
	ck_assert_str_eq(error.where, missing);
	ck_assert_ptr_nonnull(strstr(error.message, "No such file"));
	ck_assert_int_eq(weir_trace_input_open(test_directory(), LIMIT, &input, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "directory"));
	if (geteuid() != 0) {
		const char *closed = test_path("closed");
		test_write_file(closed, "text");
		ck_assert_int_eq(chmod(closed, 0), 0);
		ck_assert_int_eq(weir_trace_input_open(closed, LIMIT, &input, &error), WEIR_ERROR_IO);
		ck_assert_ptr_nonnull(strstr(error.message, "Permission"));
	}
}
END_TEST

START_TEST(nul_bytes)
{
	const char *path = test_path("nul");
	write_bytes(path, "one\ntw\0o\nthree\n", 15);
	char where[600];
	snprintf(where, sizeof where, "%s:2", path);
	expect_error(open_input(path), WEIR_ERROR_INPUT, where, "NUL");
	/* UTF-16 */
	write_bytes(path,
	            "\xFF\xFE"
	            "a\0b\0",
	            6);
	snprintf(where, sizeof where, "%s:1", path);
	expect_error(open_input(path), WEIR_ERROR_INPUT, where, "NUL");
	/* Far behind the first buffer, and at the end of the text. */
	char *text = many_lines();
	size_t length = strlen(text);
	text[length - 1] = '\0';
	write_bytes(path, text, length);
	snprintf(where, sizeof where, "%s:%d", path, MANY);
	expect_error(open_input(path), WEIR_ERROR_INPUT, where, "NUL");
	free(text);
}
END_TEST

START_TEST(bad_gzip_data)
{
	char *text = many_lines();
	const char *path = test_path("bad.gz");
	write_gzip(path, "wb", text);
	size_t size = 0;
	char *packed = test_read_file(path, &size);
	weir_error error;
	weir_trace_text line;
	const size_t cuts[] = {2, 9, 100, size / 2, size - 8, size - 1};
	for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
		write_bytes(path, packed, cuts[i]);
		weir_trace_input *input = open_input(path);
		bool more = true;
		weir_status status = WEIR_OK;
		while (status == WEIR_OK && more) {
			status = weir_trace_input_next(input, &line, &more, &error);
		}
		ck_assert_int_eq(status, WEIR_ERROR_INPUT);
		ck_assert_ptr_nonnull(strstr(error.message, "ends too soon"));
		char where[600];
		snprintf(where, sizeof where, "%s:%lld", path, (long long)weir_trace_input_line(input) + 1);
		ck_assert_str_eq(error.where, where);
		weir_trace_input_close(input);
	}
	/* A bit in the data, in the checksum, and garbage behind the end. */
	const size_t bits[] = {size / 3, size - 6};
	for (size_t i = 0; i < 2; i++) {
		packed[bits[i]] = (char)(packed[bits[i]] ^ 4);
		write_bytes(path, packed, size);
		packed[bits[i]] = (char)(packed[bits[i]] ^ 4);
		weir_trace_input *input = open_input(path);
		bool more = true;
		weir_status status = WEIR_OK;
		while (status == WEIR_OK && more) {
			status = weir_trace_input_next(input, &line, &more, &error);
		}
		ck_assert_int_eq(status, WEIR_ERROR_INPUT);
		ck_assert_msg(strstr(error.message, "corrupt gzip data") != NULL, "%s", error.message);
		weir_trace_input_close(input);
	}
	write_bytes(path, packed, size);
	FILE *file = fopen(path, "ab");
	ck_assert_ptr_nonnull(file);
	fputs("garbage", file);
	fclose(file);
	char where[600];
	snprintf(where, sizeof where, "%s:%d", path, MANY + 1);
	expect_error(open_input(path), WEIR_ERROR_INPUT, where, "corrupt gzip data");
	free(packed);
	free(text);
}
END_TEST

START_TEST(gzip_members_in_a_row)
{
	const char *path = test_path("members");
	write_gzip(path, "wb", "one\nt");
	write_gzip(path, "ab", "");
	write_gzip(path, "ab", "wo\nthree");
	weir_trace_input *input = open_input(path);
	expect_line(input, "one");
	expect_line(input, "two");
	expect_line(input, "three");
	expect_end(input);
	weir_trace_input_close(input);
}
END_TEST

typedef struct feeder {
	const char *path;
	const char *bytes;
	size_t count;
	size_t piece;
} feeder;

static void *feed(void *argument)
{
	const feeder *f = argument;
	int file = open(f->path, O_WRONLY);
	for (size_t done = 0; done < f->count;) {
		size_t piece = f->count - done < f->piece ? f->count - done : f->piece;
		ssize_t wrote = write(file, f->bytes + done, piece);
		if (wrote < 0) {
			break;
		}
		done += (size_t)wrote;
	}
	close(file);
	return NULL;
}

/* Text and gzip data through a pipe, in pieces down to a byte: the first bytes come alone. */
START_TEST(pipes)
{
	char *text = many_lines();
	const char *gzip_path = test_path("pipe.gz");
	write_gzip(gzip_path, "wb", text);
	size_t packed_size = 0;
	char *packed = test_read_file(gzip_path, &packed_size);
	const char *path = test_path("fifo");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	const feeder feeders[] = {{path, text, strlen(text), 4096},
	                          {path, packed, packed_size, 4096},
	                          {path, packed, packed_size, 1}};
	for (int i = 0; i < 3; i++) {
		pthread_t thread;
		feeder f = feeders[i];
		ck_assert_int_eq(pthread_create(&thread, NULL, feed, &f), 0);
		weir_error error;
		weir_trace_input *input = open_input(path);
		ck_assert(!weir_trace_input_seekable(input));
		weir_trace_position start = weir_trace_input_tell(input);
		expect_many(input, 0);
		ck_assert_int_eq(weir_trace_input_seek(input, &start, &error), WEIR_ERROR_INPUT);
		ck_assert_ptr_nonnull(strstr(error.message, "pipe"));
		weir_trace_input_close(input);
		pthread_join(thread, NULL);
	}
	free(packed);
	free(text);
}
END_TEST

enum { ENDLESS = 64 * 1024 * 1024 };

/* Writes one line until the other side has had enough; *argument is how much it took. */
static void *feed_endlessly(void *argument)
{
	feeder *f = argument;
	int file = open(f->path, O_WRONLY);
	for (ssize_t wrote = 1; wrote > 0 && f->count < ENDLESS;) {
		wrote = write(file, f->bytes, f->piece);
		f->count += wrote > 0 ? (size_t)wrote : 0;
	}
	close(file);
	return NULL;
}

/* A line is refused when it passes the limit, not when it ends. */
START_TEST(an_endless_line)
{
	signal(SIGPIPE, SIG_IGN);
	const char *path = test_path("endless");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	char piece[4096];
	memset(piece, 'y', sizeof piece);
	feeder f = {path, piece, 0, sizeof piece};
	pthread_t thread;
	ck_assert_int_eq(pthread_create(&thread, NULL, feed_endlessly, &f), 0);
	char where[600];
	snprintf(where, sizeof where, "%s:1", path);
	expect_error(open_input(path), WEIR_ERROR_INPUT, where, "longer than 1000 bytes");
	pthread_join(thread, NULL);
	ck_assert_uint_lt(f.count, 1024 * 1024);
}
END_TEST

/* "-" starts where standard input stands, and rewinds to there. */
START_TEST(standard_input)
{
	const char *path = test_path("standard");
	test_write_file(path, "skipped\none\ntwo\n");
	int kept = dup(STDIN_FILENO);
	int file = open(path, O_RDONLY);
	ck_assert_int_eq(dup2(file, STDIN_FILENO), STDIN_FILENO);
	ck_assert_int_eq(lseek(STDIN_FILENO, 8, SEEK_SET), 8);
	weir_error error;
	weir_trace_input *input = open_input("-");
	ck_assert_str_eq(weir_trace_input_name(input), "standard input");
	weir_trace_position start = weir_trace_input_tell(input);
	for (int i = 0; i < 2; i++) {
		expect_line(input, "one");
		expect_line(input, "two");
		expect_end(input);
		ck_assert_ok(weir_trace_input_seek(input, &start, &error), &error);
	}
	weir_trace_input_close(input);
	ck_assert_int_ge(fcntl(STDIN_FILENO, F_GETFD), 0);
	dup2(kept, STDIN_FILENO);
	close(kept);
	close(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workload_trace_input");
	TCase *lines = tcase_create("lines");
	tcase_set_timeout(lines, 60);
	tcase_add_test(lines, line_ends);
	tcase_add_test(lines, unread_hands_out_again);
	tcase_add_test(lines, many_lines_and_positions);
	tcase_add_test(lines, a_changed_file_is_noticed);
	tcase_add_test(lines, long_lines);
	tcase_add_test(lines, what_cannot_be_opened);
	tcase_add_test(lines, nul_bytes);
	tcase_add_test(lines, bad_gzip_data);
	tcase_add_test(lines, gzip_members_in_a_row);
	tcase_add_test(lines, pipes);
	tcase_add_test(lines, an_endless_line);
	tcase_add_test(lines, standard_input);
	suite_add_tcase(suite, lines);
	return test_main(suite);
}
