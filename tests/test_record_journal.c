#include "record/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test_support.h"

enum { FILE_SIZE = 64 };

/* A file of 64 letters, open for writing. */
static int open_letters(void)
{
	int file = open(test_path("letters"), O_RDWR | O_CREAT | O_TRUNC, 0666);
	ck_assert_int_ge(file, 0);
	char letters[FILE_SIZE];
	for (int i = 0; i < FILE_SIZE; i++) {
		letters[i] = (char)('0' + i);
	}
	ck_assert_int_eq(pwrite(file, letters, FILE_SIZE, 0), FILE_SIZE);
	return file;
}

static void change(weir_journal *journal, int file, uint64_t address, const char *text)
{
	size_t size = strlen(text);
	ck_assert_int_eq(weir_journal_note(journal, file, address, text, size), 0);
	ck_assert_int_eq(pwrite(file, text, size, (off_t)address), (ssize_t)size);
}

static weir_journal create(weir_journal_kind kind)
{
	weir_journal journal;
	ck_assert_int_eq(weir_journal_create(&journal, kind, FILE_SIZE, test_path("notes")), 0);
	return journal;
}

static weir_journal_notes read_back(void)
{
	weir_journal_notes notes;
	ck_assert_int_eq(weir_journal_read(test_path("notes"), &notes), 0);
	return notes;
}

/* `text` is what the notes make of the file's `strlen(text)` bytes at `address`. */
static void check_applied(const weir_journal_notes *notes, int file, uint64_t address,
                          const char *text)
{
	char bytes[FILE_SIZE + 1] = "";
	size_t size = strlen(text);
	ck_assert_int_ge(pread(file, bytes, size, (off_t)address), 0);
	weir_journal_apply(notes, address, bytes, size);
	bytes[size] = '\0';
	ck_assert_str_eq(bytes, text);
}

START_TEST(the_last_change_is_done_again)
{
	int file = open_letters();
	weir_journal journal = create(WEIR_JOURNAL_REDO);
	change(&journal, file, 3, "a long first change");
	ck_assert_int_eq(weir_journal_note(&journal, file, 10, "abcd", 4), 0);
	weir_journal_close(&journal);
	weir_journal_notes notes = read_back();
	ck_assert_uint_eq(notes.file_end, 14);
	/* All of it, its ends, and what it does not touch. */
	check_applied(&notes, file, 10, "abcd");
	check_applied(&notes, file, 8, "g abcdt ");
	check_applied(&notes, file, 12, "cd");
	check_applied(&notes, file, 11, "b");
	check_applied(&notes, file, 14, "t change");
	check_applied(&notes, file, 3, "a long ");
	weir_journal_forget(&notes);
	close(file);
}
END_TEST

START_TEST(all_changes_are_undone_to_the_oldest)
{
	int file = open_letters();
	weir_journal journal = create(WEIR_JOURNAL_UNDO);
	change(&journal, file, 2, "abcd");
	change(&journal, file, 4, "XYZ");
	change(&journal, file, 3, "--");
	/* Of what goes over the end, the part before it; of what is behind it, nothing. */
	change(&journal, file, FILE_SIZE - 2, "!!!!");
	change(&journal, file, FILE_SIZE + 1, "++++");
	weir_journal_close(&journal);
	weir_journal_notes notes = read_back();
	ck_assert_uint_eq(notes.file_end, FILE_SIZE);
	check_applied(&notes, file, 0, "0123456789");
	check_applied(&notes, file, 4, "45");
	check_applied(&notes, file, FILE_SIZE - 2, "no!+++");
	weir_journal_forget(&notes);
	close(file);
}
END_TEST

static off_t size_of_notes(void)
{
	struct stat info;
	ck_assert_int_eq(stat(test_path("notes"), &info), 0);
	return info.st_size;
}

/* Makes two changes of a file's first letters, "0123" to "acde", to be undone; returns the size of
 * the journal's first note. */
static off_t note_twice(int file)
{
	weir_journal journal = create(WEIR_JOURNAL_UNDO);
	change(&journal, file, 0, "ab");
	off_t first = size_of_notes();
	change(&journal, file, 1, "cde");
	weir_journal_close(&journal);
	return first;
}

/* Cut to any length the journal has the notes that are whole in it, and no other. */
START_TEST(a_note_that_is_cut_short_is_none)
{
	int file = open_letters();
	off_t first = note_twice(file);
	off_t whole = size_of_notes();
	for (off_t size = whole; size >= 0; size--) {
		ck_assert_int_eq(truncate(test_path("notes"), size), 0);
		weir_journal_notes notes = read_back();
		ck_assert_int_eq(notes.bytes == NULL, size < first);
		check_applied(&notes, file, 0, size == whole ? "0123" : size >= first ? "01de" : "acde");
		weir_journal_forget(&notes);
	}
	close(file);
}
END_TEST

/* One bit of the second note, wherever it is, takes that note away and leaves the first. */
START_TEST(a_damaged_note_is_none)
{
	int file = open_letters();
	off_t first = note_twice(file);
	off_t whole = size_of_notes();
	int damaged = open(test_path("notes"), O_RDWR);
	ck_assert_int_ge(damaged, 0);
	for (off_t at = first; at < whole; at++) {
		unsigned char byte;
		ck_assert_int_eq(pread(damaged, &byte, 1, at), 1);
		unsigned char wrong = byte ^ (unsigned char)(1 << at % 8);
		ck_assert_int_eq(pwrite(damaged, &wrong, 1, at), 1);
		weir_journal_notes notes = read_back();
		check_applied(&notes, file, 0, "01de");
		weir_journal_forget(&notes);
		ck_assert_int_eq(pwrite(damaged, &byte, 1, at), 1);
	}
	close(damaged);
	close(file);
}
END_TEST

START_TEST(the_notes_of_a_living_writer_are_not_read)
{
	int file = open_letters();
	weir_journal journal = create(WEIR_JOURNAL_REDO);
	change(&journal, file, 0, "ab");
	weir_journal_notes notes = read_back();
	ck_assert_ptr_null(notes.bytes);
	weir_journal_close(&journal);
	notes = read_back();
	ck_assert_ptr_nonnull(notes.bytes);
	weir_journal_forget(&notes);
	ck_assert_int_eq(unlink(test_path("notes")), 0);
	notes = read_back();
	ck_assert_ptr_null(notes.bytes);
	close(file);
}
END_TEST

START_TEST(failures_are_told)
{
	weir_journal journal;
	ck_assert_int_eq(
	    weir_journal_create(&journal, WEIR_JOURNAL_REDO, 0, test_path("nowhere/notes")), ENOENT);
	int file = open_letters();
	ck_assert_int_eq(ftruncate(file, FILE_SIZE / 2), 0);
	journal = create(WEIR_JOURNAL_UNDO);
	ck_assert_int_eq(weir_journal_note(&journal, file, FILE_SIZE / 2, "abc", 3), EIO);
	weir_journal_close(&journal);
	close(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record journal");
	TCase *notes = tcase_create("notes");
	tcase_add_test(notes, the_last_change_is_done_again);
	tcase_add_test(notes, all_changes_are_undone_to_the_oldest);
	tcase_add_test(notes, a_note_that_is_cut_short_is_none);
	tcase_add_test(notes, a_damaged_note_is_none);
	tcase_add_test(notes, the_notes_of_a_living_writer_are_not_read);
	tcase_add_test(notes, failures_are_told);
	suite_add_tcase(suite, notes);
	return test_main(suite);
}
