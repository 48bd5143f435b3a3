/*
 * Threads that share one kind of work: calls of a function for 0 .. count - 1.
 *
 * They start with the first call that has something for them. A forked child has none of its
 * parent's and starts its own. They take no signals.
 */
#ifndef WEIR_RL_WORKERS_H
#define WEIR_RL_WORKERS_H

#include <stddef.h>

#include "base/export.h"

WEIR_BEGIN_C

typedef struct weir_workers weir_workers;

/* `threads` with the caller's among them; 0: one for each processor that this process may use; in
 * both cases at most `most`, which is at least 1. NULL when memory is out. */
WEIR_API weir_workers *weir_workers_create(size_t threads, size_t most);
/* Not while a call of weir_workers_run is under way. */
WEIR_API void weir_workers_destroy(weir_workers *workers);
WEIR_API size_t weir_workers_threads(const weir_workers *workers);

/*
 * Calls work(context, i) once for each i below `count`, in any order and at the same time, the
 * caller's thread among those that do; returns when all are done, and what they wrote can then be
 * read. Called by one thread at a time, and not from within `work`. Where no thread can be made,
 * fewer do the same. Cost beyond the calls: some microseconds when there are other threads, nothing
 * when there are none.
 */
WEIR_API void weir_workers_run(weir_workers *workers, size_t count,
                               void (*work)(void *context, size_t i), void *context);

WEIR_END_C

#endif
