#include "record/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/transfer.h"

/* Of the machine that wrote it, like the file that it is about: read there, or not at all. */
typedef struct note_head {
	uint64_t checksum; /* of all that follows */
	uint64_t address;
	uint64_t size;   /* of the bytes behind the head */
	uint64_t before; /* size of the whole note before this one; 0: it is the first */
} note_head;

static uint64_t note_checksum(const unsigned char *note, size_t size)
{
	size_t summed = offsetof(note_head, address);
	return XXH3_64bits(note + summed, size - summed);
}

int weir_journal_create(weir_journal *journal, weir_journal_kind kind, uint64_t size,
                        const char *path)
{
	*journal = (weir_journal){.kind = kind, .descriptor = -1, .limit = size};
	/* A new file: who has the old one open keeps that, and its lock. */
	if (unlink(path) != 0 && errno != ENOENT) {
		return errno;
	}
	journal->descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (journal->descriptor < 0) {
		return errno;
	}
	/* Where there are no locks, a reader of a file that is being written may meet an old note. */
	flock(journal->descriptor, LOCK_EX | LOCK_NB);
	return 0;
}

/* Room for a note of `size` bytes in all. */
static bool reserve_note(weir_journal *journal, size_t size)
{
	if (size <= journal->capacity) {
		return true;
	}
	unsigned char *grown = realloc(journal->note, 2 * size);
	if (grown == NULL) {
		return false;
	}
	journal->note = grown;
	journal->capacity = 2 * size;
	return true;
}

int weir_journal_note(weir_journal *journal, int descriptor, uint64_t address, const void *bytes,
                      size_t size)
{
	bool undo = journal->kind == WEIR_JOURNAL_UNDO;
	if (undo && address >= journal->limit) {
		return 0;
	}
	if (undo && size > journal->limit - address) {
		size = (size_t)(journal->limit - address);
	}
	size_t whole = sizeof(note_head) + size;
	if (!reserve_note(journal, whole)) {
		return ENOMEM;
	}
	unsigned char *noted = journal->note + sizeof(note_head);
	if (undo) {
		size_t got = 0;
		int failure = weir_read_at(descriptor, noted, size, address, &got);
		if (failure != 0 || got < size) {
			return failure != 0 ? failure : EIO;
		}
	} else {
		memcpy(noted, bytes, size);
	}
	note_head head = {.address = address, .size = size, .before = journal->last};
	memcpy(journal->note, &head, sizeof head);
	head.checksum = note_checksum(journal->note, whole);
	memcpy(journal->note, &head, sizeof head);
	int failure = weir_write_at(journal->descriptor, journal->note, whole, journal->end);
	if (failure == 0 && undo) {
		journal->end += whole;
		journal->last = whole;
	}
	return failure;
}

void weir_journal_close(weir_journal *journal)
{
	if (journal->descriptor >= 0) {
		close(journal->descriptor);
	}
	free(journal->note);
	*journal = (weir_journal){.descriptor = -1};
}

/* The note at `at`, of notes of `size` bytes; false: there is no whole one. */
static bool note_at(const unsigned char *bytes, size_t size, size_t at, note_head *head)
{
	if (size - at < sizeof *head) {
		return false;
	}
	memcpy(head, bytes + at, sizeof *head);
	return head->size <= size - at - sizeof *head && head->address <= INT64_MAX - head->size &&
	       head->checksum == note_checksum(bytes + at, sizeof *head + head->size);
}

/* Finds the last note that is whole; false: there is none. Behind it there can be the rest of a
 * longer one that was there before. */
static bool find_last(weir_journal_notes *notes, size_t size)
{
	note_head head;
	size_t at = 0;
	while (note_at(notes->bytes, size, at, &head) && head.before == at - notes->last) {
		uint64_t end = head.address + head.size;
		notes->file_end = end > notes->file_end ? end : notes->file_end;
		notes->last = at;
		at += sizeof head + head.size;
	}
	return at > 0;
}

static int read_notes(int descriptor, weir_journal_notes *notes)
{
	struct stat info;
	if (fstat(descriptor, &info) != 0) {
		return errno;
	}
	size_t size = info.st_size > 0 ? (size_t)info.st_size : 0;
	notes->bytes = malloc(size > 0 ? size : 1);
	if (notes->bytes == NULL) {
		return ENOMEM;
	}
	int failure = weir_read_at(descriptor, notes->bytes, size, 0, &size);
	if (failure != 0 || !find_last(notes, size)) {
		weir_journal_forget(notes);
	}
	return failure;
}

int weir_journal_read(const char *path, weir_journal_notes *notes)
{
	*notes = (weir_journal_notes){0};
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0) {
		return errno == ENOENT ? 0 : errno;
	}
	int failure = 0;
	if (flock(descriptor, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
		failure = read_notes(descriptor, notes);
	}
	close(descriptor);
	return failure;
}

/* The part of the note that lies in [address, address + size). */
static void apply_note(const note_head *head, const unsigned char *noted, uint64_t address,
                       unsigned char *bytes, size_t size)
{
	uint64_t from = head->address > address ? head->address : address;
	uint64_t note_end = head->address + head->size;
	uint64_t end = note_end < address + size ? note_end : address + size;
	if (from < end) {
		memcpy(bytes + (from - address), noted + (from - head->address), (size_t)(end - from));
	}
}

void weir_journal_apply(const weir_journal_notes *notes, uint64_t address, void *bytes, size_t size)
{
	/* From the last to the first: the oldest says what was there before all of them. */
	note_head head = {.before = 1};
	for (size_t at = notes->last; notes->bytes != NULL && head.before > 0; at -= head.before) {
		memcpy(&head, notes->bytes + at, sizeof head);
		apply_note(&head, notes->bytes + at + sizeof head, address, bytes, size);
	}
}

void weir_journal_forget(weir_journal_notes *notes)
{
	free(notes->bytes);
	*notes = (weir_journal_notes){0};
}
