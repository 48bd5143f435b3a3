#include "workload/trace_formats.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "workload/trace_number.h"

enum {
	LINE_LIMIT = 16 * 1024 * 1024, /* hash ids of a prompt of hundreds of millions of tokens */
	DEEPEST_NESTING = 64
};

/* A scanner over one line; the character at its end is a line end, which JSON has no use for. */
typedef struct scanner {
	weir_trace_parser *parser;
	const char *first;
	const char *p;
	const char *end;
	weir_error *error;
} scanner;

static weir_status malformed(const scanner *s, const char *expected)
{
	char shown[WEIR_TRACE_EXCERPT_SIZE];
	if (s->p >= s->end) {
		return weir_trace_input_fail(s->parser->input, s->error,
		                             "the line ends where %s is expected: is it cut?", expected);
	}
	return weir_trace_input_fail(
	    s->parser->input, s->error, "malformed JSON at byte %zu, \"%s\": expected %s",
	    (size_t)(s->p - s->first) + 1, weir_trace_excerpt((weir_trace_text){s->p, s->end}, shown),
	    expected);
}

static void skip_blanks(scanner *s)
{
	while ((*s->p == ' ' || *s->p == '\t' || *s->p == '\r') && s->p < s->end) {
		s->p++;
	}
}

/* Whether the next character that is no blank is `c`, which is then taken. */
static bool take(scanner *s, char c)
{
	skip_blanks(s);
	bool found = *s->p == c;
	s->p += found;
	return found;
}

static bool is_digit(char c)
{
	return (unsigned)(unsigned char)c - '0' <= 9;
}

static bool is_hex(char c)
{
	return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

/* A string; *text is what stands between its quotes, escapes as they are. */
static weir_status scan_string(scanner *s, weir_trace_text *text)
{
	if (!take(s, '"')) {
		return malformed(s, "a string");
	}
	text->begin = s->p;
	for (; *s->p != '"'; s->p++) {
		if ((unsigned char)*s->p < ' ') {
			return malformed(s, "the end of a string");
		}
		if (*s->p != '\\') {
			continue;
		}
		s->p++;
		if (*s->p == 'u') {
			for (int i = 0; i < 4; i++) {
				s->p++;
				if (!is_hex(*s->p)) {
					return malformed(s, "four hexadecimal digits");
				}
			}
		} else if (s->p >= s->end || strchr("\"\\/bfnrt", *s->p) == NULL) {
			return malformed(s, "an escape of JSON");
		}
	}
	text->end = s->p++;
	return WEIR_OK;
}

/* A number by JSON's grammar, as text. */
static weir_status scan_number(scanner *s, weir_trace_text *text)
{
	skip_blanks(s);
	text->begin = s->p;
	s->p += *s->p == '-';
	bool leading_zero = *s->p == '0';
	const char *digits = s->p;
	while (is_digit(*s->p)) {
		s->p++;
	}
	if (s->p == digits || (leading_zero && s->p > digits + 1)) {
		s->p = text->begin;
		return malformed(s, "a number");
	}
	if (*s->p == '.') {
		s->p++;
		if (!is_digit(*s->p)) {
			return malformed(s, "a digit");
		}
		while (is_digit(*s->p)) {
			s->p++;
		}
	}
	if ((*s->p | 32) == 'e') {
		s->p++;
		s->p += *s->p == '+' || *s->p == '-';
		if (!is_digit(*s->p)) {
			return malformed(s, "a digit");
		}
		while (is_digit(*s->p)) {
			s->p++;
		}
	}
	text->end = s->p;
	return WEIR_OK;
}

static weir_status skip_scalar(scanner *s)
{
	static const char *const words[] = {"true", "false", "null"};
	weir_trace_text text;
	if (*s->p == '"') {
		return scan_string(s, &text);
	}
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		size_t length = strlen(words[i]);
		if ((size_t)(s->end - s->p) >= length && memcmp(s->p, words[i], length) == 0) {
			s->p += length;
			return WEIR_OK;
		}
	}
	if (*s->p != '-' && !is_digit(*s->p)) {
		return malformed(s, "a value");
	}
	return scan_number(s, &text);
}

/* Skips the key and colon of a member of an object. */
static weir_status skip_key(scanner *s)
{
	weir_trace_text key;
	weir_status status = scan_string(s, &key);
	if (status == WEIR_OK && !take(s, ':')) {
		status = malformed(s, "':'");
	}
	return status;
}

/* Skips any value. Not recursive: a hostile line must not exhaust the stack. */
static weir_status skip_value(scanner *s)
{
	char closing[DEEPEST_NESTING]; /* of each open array and object */
	int depth = 0;
	for (;;) {
		weir_status status = WEIR_OK;
		skip_blanks(s);
		if (*s->p == '[' || *s->p == '{') {
			if (depth == DEEPEST_NESTING) {
				return malformed(s, "at most 64 levels of nesting");
			}
			closing[depth++] = *s->p++ == '[' ? ']' : '}';
			if (!take(s, closing[depth - 1])) {
				status = closing[depth - 1] == '}' ? skip_key(s) : WEIR_OK;
				if (status != WEIR_OK) {
					return status;
				}
				continue;
			}
			depth--;
		} else {
			status = skip_scalar(s);
			if (status != WEIR_OK) {
				return status;
			}
		}
		/* A value is complete: close what ends here, until another value follows. */
		while (depth > 0 && take(s, closing[depth - 1])) {
			depth--;
		}
		if (depth == 0) {
			return WEIR_OK;
		}
		if (!take(s, ',')) {
			return malformed(s, closing[depth - 1] == ']' ? "',' or ']'" : "',' or '}'");
		}
		status = closing[depth - 1] == '}' ? skip_key(s) : WEIR_OK;
		if (status != WEIR_OK) {
			return status;
		}
	}
}

static weir_status read_hashes(scanner *s, weir_request *request)
{
	weir_trace_parser *parser = s->parser;
	size_t count = 0;
	if (!take(s, '[')) {
		return malformed(s, "an array of hash ids");
	}
	if (!take(s, ']')) {
		do {
			weir_trace_text text;
			weir_status status = scan_number(s, &text);
			if (status != WEIR_OK) {
				return status;
			}
			if (count == parser->hash_capacity) {
				void *grown = parser->hashes;
				if (!weir_reserve(&grown, &parser->hash_capacity, count + 1,
				                  sizeof *parser->hashes)) {
					return weir_error_set_line(
					    s->error, WEIR_ERROR_MEMORY, weir_trace_input_name(parser->input),
					    weir_trace_input_line(parser->input), "out of memory for hash_ids");
				}
				parser->hashes = grown;
			}
			if (!weir_trace_unsigned(text, &parser->hashes[count])) {
				char shown[WEIR_TRACE_EXCERPT_SIZE];
				return weir_trace_input_fail(
				    parser->input, s->error,
				    "hash_ids has \"%s\": expected whole numbers from 0 to "
				    "2^64 - 1",
				    weir_trace_excerpt(text, shown));
			}
			count++;
		} while (take(s, ','));
		if (!take(s, ']')) {
			return malformed(s, "',' or ']'");
		}
	}
	request->prefix_hashes = count > 0 ? parser->hashes : NULL;
	request->prefix_hash_count = count;
	return WEIR_OK;
}

enum { TIMESTAMP, INPUT_LENGTH, OUTPUT_LENGTH, HASH_IDS, KEY_COUNT };
static const char *const keys[KEY_COUNT] = {"timestamp", "input_length", "output_length",
                                            "hash_ids"};

static int find_key(weir_trace_text text)
{
	size_t length = (size_t)(text.end - text.begin);
	int key = 0;
	while (key < KEY_COUNT &&
	       (strlen(keys[key]) != length || memcmp(keys[key], text.begin, length) != 0)) {
		key++;
	}
	return key;
}

static weir_status read_value(scanner *s, int key, weir_request *request)
{
	weir_trace_text text;
	if (key == KEY_COUNT) {
		return skip_value(s);
	}
	if (key == HASH_IDS) {
		return read_hashes(s, request);
	}
	weir_status status = scan_number(s, &text);
	if (status != WEIR_OK) {
		return status;
	}
	switch (key) {
	case TIMESTAMP:
		return weir_trace_time(s->parser, keys[key], text, -3, &request->arrival, s->error);
	case INPUT_LENGTH:
		return weir_trace_tokens(s->parser, keys[key], text, &request->prompt_tokens, s->error);
	default:
		return weir_trace_tokens(s->parser, keys[key], text, &request->output_tokens, s->error);
	}
}

static weir_status read_row(weir_trace_parser *parser, weir_trace_text line, weir_trace_row *row,
                            weir_error *error)
{
	scanner s = {parser, line.begin, line.begin, line.end, error};
	bool seen[KEY_COUNT + 1] = {false};
	if (!take(&s, '{')) {
		return malformed(&s, "'{'");
	}
	if (!take(&s, '}')) {
		do {
			weir_trace_text text;
			weir_status status = scan_string(&s, &text);
			if (status != WEIR_OK) {
				return status;
			}
			int key = find_key(text);
			if (key < KEY_COUNT && seen[key]) {
				return weir_trace_input_fail(parser->input, error, "\"%s\" is given twice",
				                             keys[key]);
			}
			seen[key] = true;
			if (!take(&s, ':')) {
				return malformed(&s, "':'");
			}
			status = read_value(&s, key, &row->request);
			if (status != WEIR_OK) {
				return status;
			}
		} while (take(&s, ','));
		if (!take(&s, '}')) {
			return malformed(&s, "',' or '}'");
		}
	}
	skip_blanks(&s);
	if (s.p != s.end) {
		return malformed(&s, "the end of the line");
	}
	for (int key = TIMESTAMP; key <= OUTPUT_LENGTH; key++) {
		if (!seen[key]) {
			return weir_trace_input_fail(parser->input, error,
			                             "\"%s\" is missing: timestamp (ms), input_length and "
			                             "output_length (tokens) are needed",
			                             keys[key]);
		}
	}
	return WEIR_OK;
}

static bool recognises(weir_trace_text line)
{
	const char *p = line.begin;
	while (p < line.end && (*p == ' ' || *p == '\t')) {
		p++;
	}
	return *p == '{';
}

static weir_status write_row(weir_trace_output *output, const weir_request *request,
                             weir_error *error)
{
	char time[WEIR_TRACE_DECIMAL_SIZE];
	weir_status status =
	    weir_trace_output_format(output, error,
	                             "{\"timestamp\": %s, \"input_length\": %" PRId64
	                             ", \"output_length\": %" PRId64 ", \"hash_ids\": [",
	                             weir_trace_decimal_format(request->arrival, 3, time),
	                             request->prompt_tokens, request->output_tokens);
	for (size_t i = 0; i < request->prefix_hash_count && status == WEIR_OK; i++) {
		status = weir_trace_output_format(output, error, "%s%" PRIu64, i > 0 ? ", " : "",
		                                  request->prefix_hashes[i]);
	}
	return status == WEIR_OK ? weir_trace_output_write(output, "]}\n", 3, error) : status;
}

const weir_trace_format weir_trace_format_mooncake = {
    .name = "mooncake",
    .doc = "Mooncake JSON lines: timestamp (ms), input_length, output_length, hash_ids",
    .line_limit = LINE_LIMIT,
    .recognises = recognises,
    .read_row = read_row,
    .write_row = write_row,
};
