/* The files of a spool, for both of its ends; names are relative to open folders. */
#ifndef WEIR_STUDY_SWEEP_SPOOL_FILES_H
#define WEIR_STUDY_SWEEP_SPOOL_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "study/sweep_engine.h"

WEIR_BEGIN_C

enum { SPOOL_NAME_SIZE = 128, SPOOL_MAGIC_SIZE = 16 };

/* Seconds between two changes of a number that says that its process lives. */
#define SPOOL_BEAT_INTERVAL 2.0

typedef enum spool_folder {
	SPOOL_TOP,
	SPOOL_LEASES,
	SPOOL_TASKS,
	SPOOL_CLAIMS,
	SPOOL_REPORTS,
	SPOOL_FOLDERS
} spool_folder;

/* From the top. */
extern const char *const spool_folder_names[SPOOL_FOLDERS];

/* The folders of a spool, open. */
typedef struct spool_files {
	int folders[SPOOL_FOLDERS]; /* -1: not open */
} spool_files;

/* What `plan` begins with; the numbers of the points that are left follow (uint64_t). */
typedef struct spool_plan {
	char magic[SPOOL_MAGIC_SIZE];
	uint64_t task_size, report_size, count;
	char definition[WEIR_SWEEP_ID_SIZE];
	char file[WEIR_SWEEP_PATH_SIZE];
} spool_plan;

void spool_plan_begin(spool_plan *plan);
/* Whether this program could have written it. */
bool spool_plan_fits(const spool_plan *plan);

weir_status spool_open(spool_files *files, const char *path, weir_error *error);
void spool_close(spool_files *files);

/* A file that is there whole or not at all: `size` bytes under a name that begins with a dot, which
 * nobody reads, and `who` makes one's own, then renamed. */
bool spool_write(const spool_files *files, spool_folder folder, const char *name, const char *who,
                 const void *data, size_t size);
/* False: there is no such file, or it is shorter. */
bool spool_read(const spool_files *files, spool_folder folder, const char *name, void *data,
                size_t size);

/* Visits the names in a folder that do not begin with a dot, until one is not to go on from. False:
 * it cannot be read. */
bool spool_each(const spool_files *files, spool_folder folder,
                bool (*visit)(void *context, const char *name), void *context);

WEIR_END_C

#endif
