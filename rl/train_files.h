/* The files of a training's directory; not part of the public interface. */
#ifndef WEIR_RL_TRAIN_FILES_H
#define WEIR_RL_TRAIN_FILES_H

#include <stdbool.h>

#include "base/error.h"
#include "base/export.h"
#include "rl/train.h"

WEIR_BEGIN_C

/* Beside those of the logs. X(field, name) */
#define WEIR_TRAIN_FILES(X)                                                                        \
	X(config, "config.json")                                                                       \
	X(checkpoint, "checkpoint.h5")                                                                 \
	X(best, "best.h5")                                                                             \
	X(final, "final.h5")                                                                           \
	X(report, "report.json")

typedef struct weir_train_files {
	char *directory;
	int lock; /* of the directory; -1: none */
#define WEIR_TRAIN_FILES_FIELD(field, name) char *field;
	WEIR_TRAIN_FILES(WEIR_TRAIN_FILES_FIELD)
#undef WEIR_TRAIN_FILES_FIELD
} weir_train_files;

/* Their paths; to be released, after an error too. */
WEIR_API weir_status weir_train_files_create(weir_train_files *files, const char *directory,
                                             weir_error *error);
WEIR_API void weir_train_files_release(weir_train_files *files);

/* Whether a training is there that is to be resumed; an error when one is there that is neither to
 * be resumed nor overwritten. */
WEIR_API weir_status weir_train_files_look(const weir_train_files *files,
                                           const weir_train_options *options, bool *resumed,
                                           weir_error *error);
/* Makes the directory, with its parents. */
WEIR_API weir_status weir_train_files_make(const weir_train_files *files, weir_error *error);
/* Keeps other trainings out of the directory until the files are released or the process ends,
 * however it does; an error when one is at work there. A file system without locks keeps nobody
 * out. */
WEIR_API weir_status weir_train_files_lock(weir_train_files *files, weir_error *error);
/* Removes the files. */
WEIR_API weir_status weir_train_files_clear(const weir_train_files *files, weir_error *error);
/* `text` as the whole of a file: written aside, synced, renamed. NULL: there was no memory for it.
 */
WEIR_API weir_status weir_train_files_write(const char *path, const char *text, weir_error *error);

WEIR_END_C

#endif
