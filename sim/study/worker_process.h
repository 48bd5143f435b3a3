/* Processes that work for this one, each at the other end of a socket. */
#ifndef WEIR_STUDY_WORKER_PROCESS_H
#define WEIR_STUDY_WORKER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Forks. *socket is this process's end, in the caller (which gets the child's id) and in the child
 * (0), where nothing else is closed: with the caller's ends of other workers' sockets open in it,
 * those would not see the caller go. -1: no process, with errno. */
pid_t worker_process_fork(int *socket);

/* All of it, or false: the peer is gone. */
bool worker_process_send(int socket, const void *data, size_t size);
bool worker_process_receive(int socket, void *data, size_t size);

/* Closes the socket and waits for a worker that has ended or is about to; *status as of waitpid.
 * False when it cannot be had. */
bool worker_process_reap(pid_t pid, int socket, int *status);

#endif
