#include "cli/cli.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

static volatile sig_atomic_t interrupts;

int cli_fail(const weir_error *error)
{
	fflush(stdout);
	if (error->where[0] != '\0') {
		fprintf(stderr, "%s: %s\n", error->where, error->message);
	} else {
		fprintf(stderr, "weir: %s\n",
		        error->message[0] != '\0' ? error->message : weir_status_text(error->status));
	}
	return weir_status_exit(error->status);
}

int cli_usage_error(const weir_command *command, const char *format, ...)
{
	fflush(stdout);
	fprintf(stderr, "weir %s: ", command->name);
	va_list args;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry 'weir %s --help'.\n", command->name);
	return 2;
}

int cli_help(const weir_command *command)
{
	fputs(command->help, stdout);
	return 0;
}

static void on_interrupt(int number)
{
	if (interrupts > 0) {
		_exit(128 + number);
	}
	interrupts = 1;
}

void cli_catch_interrupts(void)
{
	struct sigaction action = {.sa_handler = on_interrupt};
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool cli_interrupted(void)
{
	return interrupts > 0;
}

double cli_wall_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void cli_progress_begin(cli_progress *progress, bool enabled)
{
	progress->enabled = enabled && isatty(STDERR_FILENO);
	progress->drawn = false;
	progress->started = cli_wall_seconds();
	progress->last_drawn = progress->started;
}

bool cli_progress_due(cli_progress *progress)
{
	if (!progress->enabled) {
		return false;
	}
	double now = cli_wall_seconds();
	if (now - progress->last_drawn < 0.2) {
		return false;
	}
	progress->last_drawn = now;
	return true;
}

void cli_progress_draw(cli_progress *progress, double done, double total, const char *text)
{
	enum { BAR_WIDTH = 24 };
	char bar[BAR_WIDTH + 1];
	char eta[32];
	double elapsed = cli_wall_seconds() - progress->started;
	double share = total > 0 ? fmin(1.0, done / total) : 0.0;
	for (int i = 0; i < BAR_WIDTH; i++) {
		bar[i] = (double)i < share * BAR_WIDTH ? '#' : '.';
	}
	bar[BAR_WIDTH] = '\0';
	if (total > 0 && share > 0) {
		weir_format_duration(eta, sizeof eta, elapsed * (1.0 - share) / share);
		fprintf(stderr, "\r[%s] %3.0f %%  %s  ETA %s\033[K", bar, 100.0 * share, text, eta);
	} else {
		fprintf(stderr, "\r%s\033[K", text);
	}
	fflush(stderr);
	progress->drawn = true;
}

void cli_progress_end(cli_progress *progress)
{
	if (progress->drawn) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
	}
}
