/*
 * A recording that is killed in the middle of any of its writes: where a write crosses a page,
 * Linux looks for fatal signals, and what is before the page alone gets into the file.
 */
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/reader.h"
#include "support/record_fixture.h"

enum { PAGE_BYTES = 4096, ROWS = 120, FLUSH_ROWS = 50, BLOCK_ROWS = 32, MAX_WRITES = 4096 };

/* Memory of the test and of the child that records. */
typedef struct recording {
	bool counting;
	int last_write; /* the child ends in it */
	size_t kept;    /* bytes of that write that get into the file */
	int writes;     /* so far */
	struct {
		off_t offset;
		size_t size;
	} write[MAX_WRITES];
	uint64_t flushed[2]; /* rows of either table */
} recording;

static recording *shared;

/* Goes before the C library's. */
ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset)
{
	if (shared->counting) {
		int number = shared->writes++;
		if (number < MAX_WRITES) {
			shared->write[number].offset = offset;
			shared->write[number].size = size;
		}
		if (number == shared->last_write) {
			syscall(SYS_pwrite64, descriptor, bytes, shared->kept, offset);
			_exit(0);
		}
	}
	return syscall(SYS_pwrite64, descriptor, bytes, size, offset);
}

static const weir_table_schema late_schema = {"late", "Known when the run is over.",
                                              sizeof(fixture_row), fixture_columns,
                                              FIXTURE_COLUMN_COUNT};

static void record(const char *path)
{
	char text[3 * PAGE_BYTES];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	int tables[2];
	weir_error error;
	weir_recorder_options options = weir_recorder_options_default();
	options.path = path;
	options.flush_interval = 0.0;
	options.block_rows = BLOCK_ROWS;
	weir_recorder *recorder = NULL;
	weir_status status = weir_recorder_create(&options, &recorder, &error);
	if (status != WEIR_OK ||
	    weir_recorder_add_table(recorder, &fixture_schema, &tables[0], &error) != WEIR_OK ||
	    weir_recorder_add_table(recorder, &fixture_other_schema, &tables[1], &error) != WEIR_OK ||
	    weir_recorder_set_text(recorder, "/provenance", "command", "weir run", &error) != WEIR_OK ||
	    weir_recorder_start(recorder, &error) != WEIR_OK) {
		_exit(1);
	}
	shared->counting = true;
	for (uint64_t i = 0; status == WEIR_OK && i < ROWS; i++) {
		int table = tables[i % 5 == 4];
		fixture_row row = fixture_make(weir_recorder_rows(recorder, table));
		status = weir_recorder_append(recorder, table, &row, &error);
		if (status == WEIR_OK && i % FLUSH_ROWS == FLUSH_ROWS - 1) {
			status = weir_recorder_tick(recorder, &error);
			shared->flushed[0] = weir_recorder_rows(recorder, tables[0]);
			shared->flushed[1] = weir_recorder_rows(recorder, tables[1]);
		}
	}
	fixture_row rows[40];
	for (int i = 0; i < 40; i++) {
		rows[i] = fixture_make((uint64_t)i);
	}
	bool finished =
	    status == WEIR_OK && weir_recorder_stop(recorder, &error) == WEIR_OK &&
	    weir_recorder_set_document(recorder, "/provenance/config", text, "", &error) == WEIR_OK &&
	    weir_recorder_write_table(recorder, &late_schema, rows, 40, &error) == WEIR_OK &&
	    weir_recorder_close(recorder, &error) == WEIR_OK;
	_exit(finished ? 0 : 1);
}

/* Records in a child whose write `last_write` (none: -1) puts `kept` bytes in the file and ends it.
 * Returns `path`. */
static const char *record_until(const char *path, int last_write, size_t kept)
{
	*shared = (recording){.last_write = last_write, .kept = kept};
	fflush(stdout);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		record(path);
	}
	int result = 0;
	ck_assert_int_eq(waitpid(child, &result, 0), child);
	ck_assert(WIFEXITED(result) && WEXITSTATUS(result) == 0);
	shared->counting = false;
	return path;
}

static void check_recovered(int last_write, size_t kept)
{
	const char *path = fixture_path("torn.h5");
	record_until(path, last_write, kept);
	weir_error error;
	uint64_t rows = 0;
	uint64_t cut = 0;
	ck_assert_ok(weir_record_recover(test_path("torn.h5.part"), NULL, &rows, &cut, &error), &error);
	weir_reader *reader = fixture_open(path);
	const char *const tables[] = {"things", "others"};
	for (int i = 0; i < 2; i++) {
		uint64_t got = fixture_rows(reader, tables[i]);
		ck_assert_msg(got >= shared->flushed[i],
		              "write %d, ended after %zu bytes: %llu of %llu rows of %s", last_write, kept,
		              (unsigned long long)got, (unsigned long long)shared->flushed[i], tables[i]);
		fixture_check(reader, tables[i], 0, got);
	}
	weir_reader_close(reader);
}

START_TEST(a_write_cut_at_a_page_loses_nothing_that_was_flushed)
{
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	record_until(fixture_path("torn.h5"), -1, 0);
	recording whole = *shared;
	int crossing = 0;
	ck_assert_int_lt(whole.writes, MAX_WRITES);
	for (int i = 0; i < whole.writes; i++) {
		check_recovered(i, 0);
		size_t first = PAGE_BYTES - (size_t)(whole.write[i].offset % PAGE_BYTES);
		if (first < whole.write[i].size) {
			size_t others = (whole.write[i].size - first - 1) / PAGE_BYTES;
			check_recovered(i, first);
			check_recovered(i, first + others * PAGE_BYTES);
			crossing++;
		}
	}
	ck_assert_int_gt(crossing, 4);
	weir_reader *reader = fixture_open(record_until(fixture_path("torn.h5"), -1, 0));
	fixture_check_text(reader, "/", "status", "complete");
	weir_reader_close(reader);
	ck_assert_int_ne(access(test_path("torn.h5.part.journal"), F_OK), 0);
	munmap(shared, sizeof *shared);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record torn write");
	TCase *cuts = tcase_create("cuts");
	tcase_set_timeout(cuts, 240);
	tcase_add_test(cuts, a_write_cut_at_a_page_loses_nothing_that_was_flushed);
	suite_add_tcase(suite, cuts);
	return test_main(suite);
}
