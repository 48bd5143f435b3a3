/* Written traces read back; a file takes its name only when it is complete. */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "support/test_support.h"
#include "workload/trace_format.h"
#include "workload/trace_reader.h"
#include "workload/trace_writer.h"

enum { MANY = 20000, MOST_HASHES = 40 };

typedef struct stream {
	weir_request requests[MANY];
	uint64_t hashes[MOST_HASHES];
} stream;

/* Arrivals with all their digits, the first one not at 0; hashes up to 2^64 - 1. */
static stream *random_stream(void)
{
	stream *s = calloc(1, sizeof *s);
	ck_assert_ptr_nonnull(s);
	gsl_rng *rng = weir_stream_create(3, "writer", 0);
	for (int i = 0; i < MOST_HASHES; i++) {
		s->hashes[i] = UINT64_MAX / (uint64_t)(i + 1);
	}
	double now = 0.125;
	for (int i = 0; i < MANY; i++) {
		now += i % 5 == 0 ? 0.0 : -log(gsl_rng_uniform_pos(rng));
		size_t hashes = gsl_rng_uniform_int(rng, MOST_HASHES);
		s->requests[i] = (weir_request){
		    .arrival = now,
		    .id = 3 * i + 1,
		    .prompt_tokens = 1 + (int64_t)gsl_rng_uniform_int(rng, 100000),
		    .output_tokens = 1 + (int64_t)gsl_rng_uniform_int(rng, 1000),
		    .application = i % 3,
		    .prefix_hashes = hashes > 0 ? s->hashes : NULL,
		    .prefix_hash_count = hashes,
		};
	}
	s->requests[5].prompt_tokens = WEIR_TRACE_MAX_TOKENS;
	gsl_rng_free(rng);
	return s;
}

static void write_trace(const char *path, const char *format, const stream *s)
{
	weir_error error;
	weir_trace_writer *writer = NULL;
	ck_assert_ok(weir_trace_writer_open(path, format, &writer, &error), &error);
	for (int i = 0; i < MANY; i++) {
		if (weir_trace_writer_add(writer, &s->requests[i], &error) != WEIR_OK) {
			ck_abort_msg("%s: %s", error.where, error.message);
		}
	}
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_ok(weir_trace_writer_finish(writer, &error), &error);
}

/* Whether `read` is what the format keeps of `wrote`, at `place` in the stream. */
static bool is_kept(const char *format, const weir_request *wrote, const weir_request *read,
                    int place, double first)
{
	bool dated = strcmp(format, "azure") == 0;
	bool all = strcmp(format, "splitwise") == 0;
	bool hashes = strcmp(format, "mooncake") == 0;
	return (dated ? fabs(read->arrival - (wrote->arrival - first)) <= 1.01e-7
	              : read->arrival == wrote->arrival) &&
	       read->id == (all ? wrote->id : place) &&
	       read->application == (all ? wrote->application : 0) &&
	       read->prompt_tokens == wrote->prompt_tokens &&
	       read->output_tokens == wrote->output_tokens &&
	       read->prefix_hash_count == (hashes ? wrote->prefix_hash_count : 0) &&
	       (read->prefix_hash_count == 0 ||
	        memcmp(read->prefix_hashes, wrote->prefix_hashes,
	               read->prefix_hash_count * sizeof *read->prefix_hashes) == 0);
}

START_TEST(round_trips)
{
	stream *s = random_stream();
	for (size_t f = 0; weir_trace_formats[f] != NULL; f++) {
		const char *format = weir_trace_formats[f]->name;
		for (int packed = 0; packed < 2; packed++) {
			char name[64];
			snprintf(name, sizeof name, "round.%s%s", format, packed == 1 ? ".gz" : "");
			const char *path = test_path(name);
			write_trace(path, format, s);
			size_t size = 0;
			char *bytes = test_read_file(path, &size);
			ck_assert_int_eq(memcmp(bytes, "\x1F\x8B", 2) == 0, packed);
			free(bytes);
			weir_error error;
			weir_source *source = NULL;
			ck_assert_ok(weir_trace_open(&(weir_trace_options){path, NULL, true}, &source, &error),
			             &error);
			ck_assert_str_eq(weir_trace_reader_format(source), format);
			weir_request request;
			bool more = true;
			for (int i = 0; i < MANY; i++) {
				if (weir_source_next(source, &request, &more, &error) != WEIR_OK || !more ||
				    !is_kept(format, &s->requests[i], &request, i, s->requests[0].arrival)) {
					ck_abort_msg("%s: request %d, arrival %.17g", path, i, request.arrival);
				}
			}
			ck_assert_ok(weir_source_next(source, &request, &more, &error), &error);
			ck_assert(!more);
			weir_source_destroy(source);
		}
	}
	free(s);
}
END_TEST

/* What a dated trace has read is written as the same ticks. */
START_TEST(azure_ticks_are_kept)
{
	const char *path = test_path("ticks.csv");
	weir_error error;
	weir_trace_writer *writer = NULL;
	ck_assert_ok(weir_trace_writer_open(path, "azure", &writer, &error), &error);
	const double arrivals[] = {0.0, 4.314579, 20653.3194099, 4237101.7219371, 150000000.0000001};
	for (size_t i = 0; i < 5; i++) {
		weir_request request = {.arrival = arrivals[i], .prompt_tokens = 2, .output_tokens = 3};
		ck_assert_ok(weir_trace_writer_add(writer, &request, &error), &error);
	}
	weir_request late = {.arrival = 1e10, .prompt_tokens = 1, .output_tokens = 1};
	ck_assert_int_eq(weir_trace_writer_add(writer, &late, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, path);
	ck_assert_ok(weir_trace_writer_finish(writer, &error), &error);
	char *text = test_read_file(path, NULL);
	ck_assert_str_eq(text, "TIMESTAMP,ContextTokens,GeneratedTokens\n"
	                       "1970-01-01 00:00:00.0000000,2,3\n"
	                       "1970-01-01 00:00:04.3145790,2,3\n"
	                       "1970-01-01 05:44:13.3194099,2,3\n"
	                       "1970-02-19 00:58:21.7219371,2,3\n"
	                       "1974-10-03 02:40:00.0000001,2,3\n");
	free(text);
	weir_source *source = NULL;
	ck_assert_ok(weir_trace_open(&(weir_trace_options){path, NULL, true}, &source, &error), &error);
	for (size_t i = 0; i < 5; i++) {
		weir_request request;
		bool more = false;
		ck_assert_ok(weir_source_next(source, &request, &more, &error), &error);
		ck_assert(more && request.arrival == arrivals[i]);
	}
	weir_source_destroy(source);
}
END_TEST

START_TEST(exact_text)
{
	static const struct {
		const char *format;
		const char *text;
	} traces[] = {
	    {"splitwise", "request_id,request_type,application_id,arrival_timestamp,batch_size,"
	                  "prompt_size,token_size\n7,2,1,0.0275,1,180,92\n"},
	    {"burstgpt", "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
	                 "0.0275,application-1,180,92,272,API log\n"},
	    {"mooncake", "{\"timestamp\": 27.5, \"input_length\": 180, \"output_length\": 92, "
	                 "\"hash_ids\": [5, 18446744073709551615]}\n"},
	};
	const uint64_t hashes[] = {5, UINT64_MAX};
	weir_request request = {0.0275, 7, 180, 92, 1, hashes, 2};
	for (size_t i = 0; i < sizeof traces / sizeof traces[0]; i++) {
		const char *path = test_path("exact");
		weir_error error;
		weir_trace_writer *writer = NULL;
		ck_assert_ok(weir_trace_writer_open(path, traces[i].format, &writer, &error), &error);
		ck_assert_ok(weir_trace_writer_add(writer, &request, &error), &error);
		ck_assert_ok(weir_trace_writer_finish(writer, &error), &error);
		char *text = test_read_file(path, NULL);
		ck_assert_str_eq(text, traces[i].text);
		free(text);
		ck_assert_int_eq(unlink(path), 0);
	}
}
END_TEST

START_TEST(what_is_given_up_leaves_nothing)
{
	const char *path = test_path("kept.csv");
	test_write_file(path, "as it was");
	weir_error error;
	weir_trace_writer *writer = NULL;
	weir_request request = {.prompt_tokens = 1, .output_tokens = 1};
	ck_assert_ok(weir_trace_writer_open(path, "splitwise", &writer, &error), &error);
	ck_assert_ok(weir_trace_writer_add(writer, &request, &error), &error);
	weir_trace_writer_abandon(writer);
	weir_trace_writer_abandon(NULL);
	char *text = test_read_file(path, NULL);
	ck_assert_str_eq(text, "as it was");
	free(text);
	ck_assert_int_ne(access(test_path("kept.csv.part"), F_OK), 0);
}
END_TEST

START_TEST(what_cannot_be_written)
{
	weir_error error;
	weir_trace_writer *writer = NULL;
	ck_assert_int_eq(
	    weir_trace_writer_open(test_path("no/such/trace.csv"), "azure", &writer, &error),
	    WEIR_ERROR_IO);
	ck_assert_ptr_null(writer);
	ck_assert_ptr_nonnull(strstr(error.message, "No such file"));
	ck_assert_int_eq(weir_trace_writer_open(test_directory(), "azure", &writer, &error),
	                 WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "irectory"));
	ck_assert_int_eq(weir_trace_writer_open(test_path("x.csv"), "alibaba", &writer, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "splitwise, azure, burstgpt, mooncake"));
}
END_TEST

/* Adds requests until an error, or to the end; the status of the whole. */
static weir_status write_until_error(const char *path, weir_error *error)
{
	weir_trace_writer *writer = NULL;
	weir_status status = weir_trace_writer_open(path, "splitwise", &writer, error);
	ck_assert_int_eq(status, WEIR_OK);
	for (int i = 0; i < 4 * MANY && status == WEIR_OK; i++) {
		weir_request request = {.arrival = i, .prompt_tokens = 1, .output_tokens = 1};
		status = weir_trace_writer_add(writer, &request, error);
	}
	if (status != WEIR_OK) {
		weir_trace_writer_abandon(writer);
		return status;
	}
	return weir_trace_writer_finish(writer, error);
}

START_TEST(a_full_disk)
{
	weir_error error;
	ck_assert_int_eq(write_until_error("/dev/full", &error), WEIR_ERROR_IO);
	ck_assert_str_eq(error.where, "/dev/full");
	ck_assert_ptr_nonnull(strstr(error.message, "No space left"));
	/* A short trace meets it only when the buffer is written out, at the end. */
	weir_trace_writer *writer = NULL;
	ck_assert_ok(weir_trace_writer_open("/dev/full", "azure", &writer, &error), &error);
	ck_assert_int_eq(weir_trace_writer_finish(writer, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "No space left"));
	/* A file that may not grow: nothing of it stays. */
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit before;
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	struct rlimit small = {300000, before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	const char *path = test_path("grows.csv");
	weir_status status = write_until_error(path, &error);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(status, WEIR_ERROR_IO);
	ck_assert_str_eq(error.where, path);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_ne(access(test_path("grows.csv.part"), F_OK), 0);
}
END_TEST

START_TEST(standard_output)
{
	const char *path = test_path("standard");
	fflush(stdout);
	int kept = dup(STDOUT_FILENO);
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(file, STDOUT_FILENO);
	weir_error error;
	weir_trace_writer *writer = NULL;
	weir_request request = {.arrival = 1.0, .prompt_tokens = 2, .output_tokens = 3};
	weir_status opened = weir_trace_writer_open("-", "mooncake", &writer, &error);
	weir_status added = weir_trace_writer_add(writer, &request, &error);
	weir_status finished = weir_trace_writer_finish(writer, &error);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	close(file);
	ck_assert_int_eq(opened, WEIR_OK);
	ck_assert_int_eq(added, WEIR_OK);
	ck_assert_int_eq(finished, WEIR_OK);
	ck_assert_int_ge(fcntl(STDOUT_FILENO, F_GETFD), 0);
	char *text = test_read_file(path, NULL);
	ck_assert_str_eq(text, "{\"timestamp\": 1000, \"input_length\": 2, \"output_length\": 3, "
	                       "\"hash_ids\": []}\n");
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workload_trace_writer");
	TCase *writing = tcase_create("writing");
	tcase_set_timeout(writing, 60);
	tcase_add_test(writing, round_trips);
	tcase_add_test(writing, azure_ticks_are_kept);
	tcase_add_test(writing, exact_text);
	suite_add_tcase(suite, writing);
	TCase *failing = tcase_create("failing");
	tcase_add_test(failing, what_is_given_up_leaves_nothing);
	tcase_add_test(failing, what_cannot_be_written);
	tcase_add_test(failing, a_full_disk);
	tcase_add_test(failing, standard_output);
	suite_add_tcase(suite, failing);
	return test_main(suite);
}
