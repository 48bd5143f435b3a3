/*
 * What changes in a file while it is written, noted in a file beside it. Internal to the room.
 *
 * A kill can cut a write short: where it crosses a page of memory, the kernel looks for fatal
 * signals. Half an object header has a wrong checksum, and all that it leads to is lost. So bytes
 * are noted here before the file is written to, each note with a checksum of its own: whatever
 * moment a kill comes at, the note is whole or the file is as it was. Notes are not synced: they
 * guard against the end of the process, not of the machine.
 *
 * In single-writer mode HDF5 orders its writes so that the file is good after each of them: the
 * last one alone is noted, with what is written (WEIR_JOURNAL_REDO). Without that mode the file is
 * good only when all is written: whatever is overwritten is noted as it was before, and what goes
 * behind the old end of the file is not (WEIR_JOURNAL_UNDO).
 *
 * The writer holds a lock on the journal, so that a reader can tell notes of the dead from those
 * that are being overtaken.
 */
#ifndef WEIR_RECORD_JOURNAL_H
#define WEIR_RECORD_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/export.h"

WEIR_BEGIN_C

/* What follows the name of the file that is written. */
#define WEIR_JOURNAL_SUFFIX ".journal"

typedef enum weir_journal_kind { WEIR_JOURNAL_REDO, WEIR_JOURNAL_UNDO } weir_journal_kind;

typedef struct weir_journal {
	weir_journal_kind kind;
	int descriptor; /* -1: none */
	uint64_t limit; /* WEIR_JOURNAL_UNDO: where the file ended at first */
	uint64_t end;   /* of the notes that are kept */
	uint64_t last;  /* size of the last of them */
	unsigned char *note;
	size_t capacity;
} weir_journal;

/* Makes the journal's file, in place of one that is there, for a file of `size` bytes. Returns 0 or
 * an errno; then nothing is held. */
int weir_journal_create(weir_journal *journal, weir_journal_kind kind, uint64_t size,
                        const char *path);

/*
 * Notes that `size` bytes are about to be written at `address` of the file `descriptor`: with
 * WEIR_JOURNAL_REDO these bytes, with WEIR_JOURNAL_UNDO those that they replace. Returns 0 or an
 * errno. Cost: one write, and one read to undo.
 */
int weir_journal_note(weir_journal *journal, int descriptor, uint64_t address, const void *bytes,
                      size_t size);

/* Frees what is held and lets the lock go; the file stays. */
void weir_journal_close(weir_journal *journal);

/* What has to be put over a file whose writer is dead. */
typedef struct weir_journal_notes {
	unsigned char *bytes; /* NULL: nothing */
	size_t last;          /* where the last note begins */
	uint64_t file_end;    /* of the part of the file that the notes tell of; 0 without any */
} weir_journal_notes;

/* Reads the notes of a writer that is gone. None if there is no journal, the writer lives, or it
 * died while noting for the first time. Returns 0 or an errno. */
int weir_journal_read(const char *path, weir_journal_notes *notes);

/* Puts what the notes say over `bytes`, `size` of them read from `address` of the file. Time:
 * linear in the notes. */
void weir_journal_apply(const weir_journal_notes *notes, uint64_t address, void *bytes,
                        size_t size);

void weir_journal_forget(weir_journal_notes *notes);

WEIR_END_C

#endif
