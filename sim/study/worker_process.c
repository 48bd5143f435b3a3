#include "study/worker_process.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t worker_process_fork(int *socket)
{
	int sockets[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
		return -1;
	}
	pid_t pid = fork();
	if (pid < 0) {
		int reason = errno;
		close(sockets[0]);
		close(sockets[1]);
		errno = reason;
		return -1;
	}
	close(sockets[pid == 0 ? 0 : 1]);
	*socket = sockets[pid == 0 ? 1 : 0];
	return pid;
}

bool worker_process_send(int socket, const void *data, size_t size)
{
	const char *bytes = data;
	while (size > 0) {
		/* No SIGPIPE: a peer that died is found out by the return value. */
		ssize_t sent = send(socket, bytes, size, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR) {
			return false;
		}
		if (sent > 0) {
			bytes += sent;
			size -= (size_t)sent;
		}
	}
	return true;
}

bool worker_process_receive(int socket, void *data, size_t size)
{
	char *bytes = data;
	while (size > 0) {
		ssize_t got = recv(socket, bytes, size, 0);
		if (got == 0 || (got < 0 && errno != EINTR)) {
			return false;
		}
		if (got > 0) {
			bytes += got;
			size -= (size_t)got;
		}
	}
	return true;
}

bool worker_process_reap(pid_t pid, int socket, int *status)
{
	close(socket);
	pid_t reaped;
	do {
		reaped = waitpid(pid, status, 0);
	} while (reaped < 0 && errno == EINTR);
	return reaped > 0;
}
