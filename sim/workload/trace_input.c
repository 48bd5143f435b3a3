#include "workload/trace_input.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/memory.h"

enum {
	INITIAL_CAPACITY = 256 * 1024,
	PACKED_CAPACITY = 64 * 1024,
	GZIP_WINDOW_BITS = 15 + 16 /* zlib's way to ask for gzip with its checksum */
};

static const size_t NO_NUL = SIZE_MAX;

struct weir_trace_input {
	char *name;
	int file;
	bool seekable;
	bool at_end;       /* nothing more to read into the buffer */
	off_t start;       /* where the trace begins in the file: standard input may be part read */
	int64_t file_size; /* 0 for a pipe */
	int64_t line;
	size_t line_limit;

	char *buffer; /* one byte more than is ever read, for the end of a last line without newline */
	size_t capacity;
	size_t begin, end;     /* the unread part */
	size_t last;           /* start of the line handed out last */
	size_t nul;            /* place of the first NUL byte in the unread part */
	uint64_t begin_offset; /* offset in the text of buffer[0] */

	bool gzip;
	bool inside_member; /* a gzip file is one or several members */
	z_stream stream;
	unsigned char *packed;
};

weir_status weir_trace_input_fail(const weir_trace_input *input, weir_error *error,
                                  const char *format, ...)
{
	char message[WEIR_ERROR_MESSAGE_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	return weir_error_set_line(error, WEIR_ERROR_INPUT, input->name, input->line, "%s", message);
}

static weir_status read_some(weir_trace_input *input, void *to, size_t room, size_t *got,
                             weir_error *error)
{
	ssize_t count;
	do {
		count = read(input->file, to, room);
	} while (count < 0 && errno == EINTR);
	if (count < 0) {
		return weir_error_set(error, WEIR_ERROR_IO, input->name, "cannot be read: %s",
		                      strerror(errno));
	}
	*got = (size_t)count;
	return WEIR_OK;
}

/* Reads compressed bytes and unpacks until at least one byte of text is there, or the end. */
static weir_status unpack_some(weir_trace_input *input, char *to, size_t room, size_t *got,
                               weir_error *error)
{
	z_stream *stream = &input->stream;
	uInt space = room > UINT_MAX ? UINT_MAX : (uInt)room;
	stream->next_out = (unsigned char *)to;
	stream->avail_out = space;
	while (stream->avail_out == space) {
		if (stream->avail_in == 0) {
			size_t count = 0;
			weir_status status = read_some(input, input->packed, PACKED_CAPACITY, &count, error);
			if (status != WEIR_OK) {
				return status;
			}
			if (count == 0) {
				if (input->inside_member) {
					return weir_error_set_line(error, WEIR_ERROR_INPUT, input->name,
					                           input->line + 1,
					                           "the gzip data ends too soon: the file is cut");
				}
				break;
			}
			stream->next_in = input->packed;
			stream->avail_in = (uInt)count;
		}
		if (!input->inside_member) {
			inflateReset(stream);
			input->inside_member = true;
		}
		int result = inflate(stream, Z_NO_FLUSH);
		if (result == Z_STREAM_END) {
			input->inside_member = false;
		} else if (result == Z_MEM_ERROR) {
			return weir_error_set(error, WEIR_ERROR_MEMORY, input->name, "out of memory");
		} else if (result != Z_OK) {
			return weir_error_set_line(error, WEIR_ERROR_INPUT, input->name, input->line + 1,
			                           "corrupt gzip data: %s",
			                           stream->msg != NULL ? stream->msg : "unknown block");
		}
	}
	*got = space - stream->avail_out;
	return WEIR_OK;
}

/* Adds bytes behind the unread part, which moves to the front of the buffer; *at_end otherwise. */
static weir_status fill(weir_trace_input *input, weir_error *error)
{
	if (input->begin > 0) {
		memmove(input->buffer, input->buffer + input->begin, input->end - input->begin);
		input->nul -= input->nul != NO_NUL ? input->begin : 0;
		input->begin_offset += input->begin;
		input->end -= input->begin;
		input->begin = 0;
	}
	if (input->end + 1 >= input->capacity) {
		void *grown = input->buffer;
		if (!weir_reserve(&grown, &input->capacity, input->capacity + 1, 1)) {
			return weir_error_set_line(error, WEIR_ERROR_MEMORY, input->name, input->line + 1,
			                           "out of memory for a line of over %zu bytes", input->end);
		}
		input->buffer = grown;
	}
	char *to = input->buffer + input->end;
	size_t room = input->capacity - input->end - 1;
	size_t got = 0;
	weir_status status = input->gzip ? unpack_some(input, to, room, &got, error)
	                                 : read_some(input, to, room, &got, error);
	if (status != WEIR_OK) {
		return status;
	}
	input->at_end = got == 0;
	if (input->nul == NO_NUL) {
		const char *nul = memchr(to, '\0', got);
		input->nul = nul != NULL ? (size_t)(nul - input->buffer) : NO_NUL;
	}
	input->end += got;
	return WEIR_OK;
}

/* The newline of the line that starts at `begin`, when the buffer does not hold it yet; at the end
 * of the text one is put there. */
static weir_status complete_line(weir_trace_input *input, char **newline, weir_error *error)
{
	*newline = NULL;
	while (*newline == NULL) {
		size_t known = input->end - input->begin;
		if (known > input->line_limit || input->at_end) {
			*newline = input->buffer + input->end;
			**newline = '\n';
			break;
		}
		weir_status status = fill(input, error);
		if (status != WEIR_OK) {
			return status;
		}
		*newline = memchr(input->buffer + known, '\n', input->end - known);
	}
	return WEIR_OK;
}

weir_status weir_trace_input_next(weir_trace_input *input, weir_trace_text *line, bool *more,
                                  weir_error *error)
{
	char *newline = memchr(input->buffer + input->begin, '\n', input->end - input->begin);
	if (newline == NULL) {
		weir_status status = complete_line(input, &newline, error);
		if (status != WEIR_OK) {
			return status;
		}
		if (input->begin == input->end) {
			*more = false;
			return WEIR_OK;
		}
	}
	const char *text = input->buffer + input->begin;
	size_t length = (size_t)(newline - text);
	size_t next = input->begin + length + 1;
	input->line++;
	if (length > input->line_limit) {
		return weir_trace_input_fail(
		    input, error, "the line is longer than %zu bytes: is this a trace?", input->line_limit);
	}
	if (input->nul < next) {
		return weir_trace_input_fail(
		    input, error, "the line holds a NUL byte: a trace is text in ASCII or UTF-8");
	}
	if (input->line == 1 && length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
		text += 3;
		length -= 3;
	}
	if (length > 0 && text[length - 1] == '\r') {
		length--;
	}
	/* A last line without newline ends where the text ends. */
	input->last = input->begin;
	input->begin = next < input->end ? next : input->end;
	line->begin = text;
	line->end = text + length;
	*more = true;
	return WEIR_OK;
}

void weir_trace_input_unread(weir_trace_input *input)
{
	assert(input->line > 0);
	input->begin = input->last;
	input->line--;
}

int64_t weir_trace_input_line(const weir_trace_input *input)
{
	return input->line;
}

const char *weir_trace_input_name(const weir_trace_input *input)
{
	return input->name;
}

void weir_trace_input_set_limit(weir_trace_input *input, size_t line_limit)
{
	input->line_limit = line_limit;
}

bool weir_trace_input_seekable(const weir_trace_input *input)
{
	return input->seekable;
}

weir_trace_position weir_trace_input_tell(const weir_trace_input *input)
{
	return (weir_trace_position){input->begin_offset + input->begin, input->line, input->file_size};
}

/* Empties the buffer; the next byte read will be that at `offset` of the file's bytes. */
static weir_status restart(weir_trace_input *input, uint64_t offset, weir_error *error)
{
	if (lseek(input->file, input->start + (off_t)offset, SEEK_SET) < 0) {
		return weir_error_set(error, WEIR_ERROR_IO, input->name, "cannot be read again: %s",
		                      strerror(errno));
	}
	input->begin_offset = offset;
	input->begin = 0;
	input->end = 0;
	input->nul = NO_NUL;
	input->at_end = false;
	input->inside_member = false;
	input->stream.avail_in = 0;
	return WEIR_OK;
}

weir_status weir_trace_input_seek(weir_trace_input *input, const weir_trace_position *position,
                                  weir_error *error)
{
	if (!input->seekable) {
		return weir_error_set(error, WEIR_ERROR_INPUT, input->name,
		                      "a pipe cannot be read again: save it to a file first");
	}
	uint64_t target = position->offset;
	if (position->file_size != input->file_size) {
		return weir_error_set(error, WEIR_ERROR_INPUT, input->name,
		                      "the file has %lld bytes, but had %lld when the state was saved",
		                      (long long)input->file_size, (long long)position->file_size);
	}
	bool buffered = target >= input->begin_offset && target - input->begin_offset <= input->end;
	if (!buffered) {
		/* Packed text can only be read up to there. */
		uint64_t from = input->gzip ? 0 : target;
		weir_status status = restart(input, from, error);
		while (status == WEIR_OK && target - input->begin_offset > input->end && !input->at_end) {
			input->begin = input->end;
			input->nul = NO_NUL;
			status = fill(input, error);
		}
		if (status != WEIR_OK) {
			return status;
		}
	}
	if (target - input->begin_offset > input->end ||
	    (!input->gzip && target > (uint64_t)(input->file_size - input->start))) {
		return weir_error_set(error, WEIR_ERROR_INPUT, input->name,
		                      "the text ends before byte %llu, where the state was saved",
		                      (unsigned long long)target);
	}
	input->begin = (size_t)(target - input->begin_offset);
	input->line = position->line;
	const char *nul = memchr(input->buffer + input->begin, '\0', input->end - input->begin);
	input->nul = nul != NULL ? (size_t)(nul - input->buffer) : NO_NUL;
	return WEIR_OK;
}

static weir_status open_file(weir_trace_input *input, const char *path, weir_error *error)
{
	bool standard = strcmp(path, "-") == 0;
	input->name = strdup(standard ? "standard input" : path);
	input->buffer = weir_allocate(INITIAL_CAPACITY, 1);
	input->capacity = INITIAL_CAPACITY;
	if (input->name == NULL || input->buffer == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
	}
	input->file =
	    standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	if (input->file < 0 || fstat(input->file, &info) != 0) {
		return weir_error_set(error, WEIR_ERROR_IO, input->name, "cannot be opened: %s",
		                      strerror(errno));
	}
	if (S_ISDIR(info.st_mode)) {
		return weir_error_set(error, WEIR_ERROR_IO, input->name,
		                      "is a directory: name a trace file in it");
	}
	input->seekable = S_ISREG(info.st_mode);
	if (input->seekable) {
		input->start = lseek(input->file, 0, SEEK_CUR);
		input->file_size = info.st_size;
	}
	return WEIR_OK;
}

/* Looks at the first bytes; what is gzip data moves from the buffer to the inflater. */
static weir_status detect_gzip(weir_trace_input *input, weir_error *error)
{
	while (input->end < 2 && !input->at_end) {
		size_t got = 0;
		weir_status status =
		    read_some(input, input->buffer + input->end, PACKED_CAPACITY - input->end, &got, error);
		if (status != WEIR_OK) {
			return status;
		}
		input->end += got;
		input->at_end = got == 0;
	}
	if (input->end >= 2 && memcmp(input->buffer, "\x1F\x8B", 2) == 0) {
		input->packed = weir_allocate(PACKED_CAPACITY, 1);
		if (input->packed == NULL || inflateInit2(&input->stream, GZIP_WINDOW_BITS) != Z_OK) {
			return weir_error_set(error, WEIR_ERROR_MEMORY, input->name, "out of memory");
		}
		input->gzip = true;
		memcpy(input->packed, input->buffer, input->end);
		input->stream.next_in = input->packed;
		input->stream.avail_in = (uInt)input->end;
		input->end = 0;
		return WEIR_OK;
	}
	const char *nul = memchr(input->buffer, '\0', input->end);
	input->nul = nul != NULL ? (size_t)(nul - input->buffer) : NO_NUL;
	return WEIR_OK;
}

weir_status weir_trace_input_open(const char *path, size_t line_limit, weir_trace_input **input,
                                  weir_error *error)
{
	assert(path != NULL && input != NULL && line_limit > 0);
	*input = NULL;
	weir_trace_input *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
	}
	made->file = -1;
	made->nul = NO_NUL;
	made->line_limit = line_limit;
	weir_status status = open_file(made, path, error);
	if (status == WEIR_OK) {
		status = detect_gzip(made, error);
	}
	if (status != WEIR_OK) {
		weir_trace_input_close(made);
		return status;
	}
	*input = made;
	return WEIR_OK;
}

void weir_trace_input_close(weir_trace_input *input)
{
	if (input == NULL) {
		return;
	}
	if (input->gzip) {
		inflateEnd(&input->stream);
	}
	if (input->file >= 0) {
		close(input->file);
	}
	free(input->packed);
	free(input->buffer);
	free(input->name);
	free(input);
}
