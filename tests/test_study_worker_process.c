/* Processes at the other end of a socket. */
#include "study/worker_process.h"

#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test_support.h"

/* More than a socket holds at once, so that both ends take it in pieces. */
enum { WORDS = 200000 };

static uint32_t words[WORDS];

static _Noreturn void echo(int socket)
{
	while (worker_process_receive(socket, words, sizeof words)) {
		for (size_t i = 0; i < WORDS; i++) {
			words[i] += 1;
		}
		if (!worker_process_send(socket, words, sizeof words)) {
			_exit(1);
		}
	}
	_exit(7);
}

static pid_t start(int *socket)
{
	pid_t pid = worker_process_fork(socket);
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		echo(*socket);
	}
	return pid;
}

START_TEST(what_is_sent_comes_back_whole)
{
	int socket;
	int status = 0;
	pid_t pid = start(&socket);
	for (uint32_t i = 0; i < WORDS; i++) {
		words[i] = 3 * i;
	}
	for (uint32_t round = 1; round <= 3; round++) {
		ck_assert(worker_process_send(socket, words, sizeof words));
		ck_assert(worker_process_receive(socket, words, sizeof words));
		for (uint32_t i = 0; i < WORDS; i++) {
			ck_assert_uint_eq(words[i], 3 * i + round);
		}
	}
	/* It sees the socket closed. */
	ck_assert(worker_process_reap(pid, socket, &status));
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	ck_assert(!worker_process_reap(pid, -1, &status));
}
END_TEST

START_TEST(a_peer_that_is_gone_is_no_signal)
{
	int socket;
	int status = 0;
	pid_t pid = start(&socket);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert(!worker_process_receive(socket, words, sizeof words));
	ck_assert(!worker_process_send(socket, words, sizeof words));
	ck_assert(worker_process_reap(pid, socket, &status));
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("worker_process");
	TCase *tests = tcase_create("core");
	tcase_add_test(tests, what_is_sent_comes_back_whole);
	tcase_add_test(tests, a_peer_that_is_gone_is_no_signal);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
