#include "support/fuzz_trace.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "support/fuzz.h"
#include "workload/trace_format.h"
#include "workload/trace_reader.h"

/* What one reading of the whole trace came to. */
typedef struct reading {
	weir_status status;
	uint64_t digest; /* of all requests */
	weir_trace_counts counts;
} reading;

static void mix(uint64_t *digest, const void *bytes, size_t count)
{
	const unsigned char *p = bytes;
	for (size_t i = 0; i < count; i++) {
		*digest = (*digest ^ p[i]) * UINT64_C(0x100000001b3);
	}
}

static uint64_t digest_of(const weir_request *request)
{
	uint64_t digest = UINT64_C(0xcbf29ce484222325);
	mix(&digest, &request->arrival, sizeof request->arrival);
	mix(&digest, &request->id, sizeof request->id);
	mix(&digest, &request->prompt_tokens, sizeof request->prompt_tokens);
	mix(&digest, &request->output_tokens, sizeof request->output_tokens);
	mix(&digest, &request->application, sizeof request->application);
	mix(&digest, request->prefix_hashes,
	    request->prefix_hash_count * sizeof *request->prefix_hashes);
	return digest;
}

static void check_request(const weir_request *request, double last)
{
	fuzz_require(isfinite(request->arrival) && request->arrival >= last);
	fuzz_require(request->prompt_tokens >= 1 && request->prompt_tokens <= WEIR_TRACE_MAX_TOKENS);
	fuzz_require(request->output_tokens >= 1 && request->output_tokens <= WEIR_TRACE_MAX_TOKENS);
	fuzz_require(request->id >= 0 && request->application >= 0);
	fuzz_require((request->prefix_hashes != NULL) == (request->prefix_hash_count > 0));
}

/* An error of the input says where and what; FILE:LINE once rows are read. */
static void check_error(const weir_error *error, const char *path, bool with_line)
{
	fuzz_require(error->status == WEIR_ERROR_INPUT);
	fuzz_require(strncmp(error->where, path, strlen(path)) == 0);
	const char *rest = error->where + strlen(path);
	fuzz_require(with_line ? rest[0] == ':' && atoll(rest + 1) > 0 : true);
	fuzz_require(error->message[0] != '\0');
	for (const char *p = error->message; *p != '\0'; p++) {
		fuzz_require(*p >= ' ' && *p <= '~');
	}
}

static reading read_trace(const char *path, const char *format, bool strict)
{
	weir_trace_options options = {path, format, strict};
	weir_source *source = NULL;
	weir_error error;
	weir_error_clear(&error);
	reading result = {.status = weir_trace_open(&options, &source, &error)};
	if (result.status != WEIR_OK) {
		fuzz_require(source == NULL);
		check_error(&error, path, false);
		return result;
	}
	char state[512];
	fuzz_require(weir_source_state_size(source) <= sizeof state);
	double last = 0.0;
	for (int64_t i = 0;; i++) {
		weir_request request;
		bool more = true;
		result.status = weir_source_next(source, &request, &more, &error);
		if (result.status != WEIR_OK) {
			check_error(&error, path, true);
			break;
		}
		if (!more) {
			fuzz_require(i > 0);
			break;
		}
		check_request(&request, last);
		uint64_t digest = digest_of(&request);
		mix(&result.digest, &digest, sizeof digest);
		last = request.arrival;
		/* The third request again, from a state before it and in another reader. */
		if (i == 1) {
			weir_source_save(source, state);
		} else if (i == 2) {
			weir_source *other = NULL;
			fuzz_require(weir_trace_open(&options, &other, &error) == WEIR_OK);
			fuzz_require(weir_source_restore(other, state, &error) == WEIR_OK);
			fuzz_require(weir_source_next(other, &request, &more, &error) == WEIR_OK && more);
			fuzz_require(digest_of(&request) == digest);
			fuzz_require(weir_trace_reader_line(other) == weir_trace_reader_line(source));
			weir_source_destroy(other);
		}
	}
	result.counts = weir_trace_reader_counts(source);
	fuzz_require(result.counts.requests + result.counts.no_output + result.counts.no_prompt <=
	             result.counts.rows);
	weir_source_destroy(source);
	return result;
}

int fuzz_trace(const char *format, const uint8_t *data, size_t size)
{
	const char *path = fuzz_file(data, size);
	reading lenient = read_trace(path, format, false);
	reading strict = read_trace(path, format, true);
	if (strict.status == WEIR_OK) {
		fuzz_require(lenient.status == WEIR_OK);
		fuzz_require(lenient.digest == strict.digest);
		fuzz_require(strict.counts.rows == strict.counts.requests);
	}
	return 0;
}
