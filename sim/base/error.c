#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set_message(weir_error *error, weir_status status, const char *format, va_list args)
    WEIR_PRINTF(3, 0);

static void set_message(weir_error *error, weir_status status, const char *format, va_list args)
{
	error->status = status;
	vsnprintf(error->message, sizeof error->message, format, args);
}

weir_status weir_error_set(weir_error *error, weir_status status, const char *where,
                           const char *format, ...)
{
	if (error != NULL) {
		/* The arguments may point into *error itself, when one error is told in terms of another.
		 */
		weir_error fresh;
		snprintf(fresh.where, sizeof fresh.where, "%s", where != NULL ? where : "");
		va_list args;
		va_start(args, format);
		set_message(&fresh, status, format, args);
		va_end(args);
		*error = fresh;
	}
	return status;
}

weir_status weir_error_set_line(weir_error *error, weir_status status, const char *file,
                                long long line, const char *format, ...)
{
	if (error != NULL) {
		weir_error fresh;
		snprintf(fresh.where, sizeof fresh.where, "%s:%lld", file, line);
		va_list args;
		va_start(args, format);
		set_message(&fresh, status, format, args);
		va_end(args);
		*error = fresh;
	}
	return status;
}

void weir_error_clear(weir_error *error)
{
	error->status = WEIR_OK;
	error->where[0] = '\0';
	error->message[0] = '\0';
}

const char *weir_status_text(weir_status status)
{
	switch (status) {
#define WEIR_STATUS_TEXT(name, text, exit_status)                                                  \
	case name:                                                                                     \
		return text;
		WEIR_STATUS_LIST(WEIR_STATUS_TEXT)
#undef WEIR_STATUS_TEXT
	}
	return "unknown status";
}

int weir_status_exit(weir_status status)
{
	switch (status) {
#define WEIR_STATUS_EXIT(name, text, exit_status)                                                  \
	case name:                                                                                     \
		return exit_status;
		WEIR_STATUS_LIST(WEIR_STATUS_EXIT)
#undef WEIR_STATUS_EXIT
	}
	return 1;
}
