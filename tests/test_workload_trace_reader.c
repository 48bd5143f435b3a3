/* Traces of every format, good and bad. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "support/test_support.h"
#include "workload/trace_format.h"
#include "workload/trace_reader.h"

#define SPLITWISE                                                                                  \
	"request_id,request_type,application_id,arrival_timestamp,batch_size,"                         \
	"prompt_size,token_size\n"
#define AZURE    "TIMESTAMP,ContextTokens,GeneratedTokens\n"
#define BURSTGPT "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"

static weir_source *open_trace(const char *path, const char *format, bool strict)
{
	weir_error error;
	weir_source *source = NULL;
	ck_assert_ok(weir_trace_open(&(weir_trace_options){path, format, strict}, &source, &error),
	             &error);
	return source;
}

static weir_source *open_text(const char *text, const char *format, bool strict)
{
	const char *path = test_path("trace");
	test_write_file(path, text);
	return open_trace(path, format, strict);
}

static weir_request expect_request(weir_source *source)
{
	weir_error error;
	weir_request request = {0};
	bool more = false;
	ck_assert_ok(weir_source_next(source, &request, &more, &error), &error);
	ck_assert(more);
	return request;
}

static void expect_row(weir_source *source, double arrival, int64_t id, int64_t prompt,
                       int64_t output)
{
	weir_request request = expect_request(source);
	ck_assert_msg(request.arrival == arrival, "%.17g is not %.17g", request.arrival, arrival);
	ck_assert_int_eq(request.id, id);
	ck_assert_int_eq(request.prompt_tokens, prompt);
	ck_assert_int_eq(request.output_tokens, output);
}

/* The end is told again and again, and leaves the request alone. */
static void expect_end(weir_source *source)
{
	weir_error error;
	for (int i = 0; i < 2; i++) {
		weir_request request = {.id = -77, .arrival = -1.0};
		bool more = true;
		ck_assert_ok(weir_source_next(source, &request, &more, &error), &error);
		ck_assert(!more);
		ck_assert_int_eq(request.id, -77);
		ck_assert(request.arrival == -1.0);
	}
}

/* Reads until an error, which must be at that line (0: of the file as a whole) and say so. */
static void expect_failure(const char *text, const char *format, bool strict, int line,
                           const char *message)
{
	const char *path = test_path("bad");
	test_write_file(path, text);
	weir_error error;
	weir_source *source = NULL;
	weir_error_clear(&error);
	weir_status status =
	    weir_trace_open(&(weir_trace_options){path, format, strict}, &source, &error);
	bool more = true;
	while (status == WEIR_OK && more) {
		weir_request request;
		status = weir_source_next(source, &request, &more, &error);
	}
	ck_assert_msg(status == WEIR_ERROR_INPUT, "\"%s\" gave status %d", text, (int)status);
	char where[600];
	snprintf(where, sizeof where, line > 0 ? "%s:%d" : "%s", path, line);
	ck_assert_msg(strcmp(error.where, where) == 0, "\"%s\": at %s: %s", text, error.where,
	              error.message);
	ck_assert_msg(strstr(error.message, message) != NULL, "\"%s\": %s", text, error.message);
	weir_source_destroy(source);
}

START_TEST(splitwise)
{
	weir_source *source =
	    open_text(SPLITWISE "7,2,3,1.021382,1,180,92\n9,2,0,1.021382,1,2051,13\n", NULL, true);
	ck_assert_str_eq(weir_trace_reader_format(source), "splitwise");
	weir_request request = expect_request(source);
	ck_assert_int_eq(request.application, 3);
	ck_assert_ptr_null(request.prefix_hashes);
	ck_assert(request.arrival == 1.021382);
	ck_assert_int_eq(request.id, 7);
	expect_row(source, 1.021382, 9, 2051, 13);
	expect_end(source);
	weir_source_destroy(source);

	/* Few columns, in another order, others between; quotes, blanks and case do not matter. */
	source = open_text("token_size,\"x, y\",Prompt_Size , arrival_timestamp\n"
	                   "5,\"a \"\"b\"\", c\",\"17\" , 1e-1\r\n6,,18,2.5",
	                   "auto", true);
	expect_row(source, 0.1, 0, 17, 5);
	expect_row(source, 2.5, 1, 18, 6);
	expect_end(source);
	weir_source_destroy(source);
}
END_TEST

START_TEST(azure)
{
	weir_source *source = open_text("TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
	                                "2023-11-16 18:15:46.6805900,374,44\r\n"
	                                "2023-11-16 18:15:50.9951690,396,109\r\n"
	                                "2023-11-16 23:59:59.9999999,5,6\r\n"
	                                "2023-11-17 00:00:00.0000001,7,8",
	                                NULL, true);
	ck_assert_str_eq(weir_trace_reader_format(source), "azure");
	expect_row(source, 0.0, 0, 374, 44);
	expect_row(source, 4.314579, 1, 396, 109);
	expect_row(source, 20653.3194099, 2, 5, 6);
	expect_row(source, 20653.3194101, 3, 7, 8);
	expect_end(source);
	ck_assert_int_eq(weir_trace_reader_line(source), 5);
	weir_source_destroy(source);

	source = open_text(AZURE "2024-05-10 00:00:00.009930+00:00,2162,5\n"
	                         "2024-05-10 00:00:01+00:00,1,1\n"
	                         "2024-05-09T17:00:01.5-07:00,2399,6\n",
	                   "azure", true);
	expect_row(source, 0.0, 0, 2162, 5);
	expect_row(source, 0.99007, 1, 1, 1);
	expect_row(source, 1.49007, 2, 2399, 6);
	expect_end(source);
	weir_source_destroy(source);
}
END_TEST

START_TEST(burstgpt)
{
	weir_source *source = open_text(BURSTGPT "5,ChatGPT,472,18,490,Conversation log\n"
	                                         "45,ChatGPT,0,0,0,Conversation log\n"
	                                         "45.25,GPT-4,17,0,17,API log\n"
	                                         "46,GPT-4,0,3,3,API log\n\n"
	                                         "118,GPT-4,417,276,693,Conversation log\n"
	                                         "119,GPT-4,417,0,417,Conversation log\n",
	                                NULL, false);
	ck_assert_str_eq(weir_trace_reader_format(source), "burstgpt");
	expect_row(source, 5.0, 0, 472, 18);
	expect_row(source, 118.0, 1, 417, 276);
	expect_end(source);
	weir_trace_counts counts = weir_trace_reader_counts(source);
	ck_assert_int_eq(counts.rows, 6);
	ck_assert_int_eq(counts.requests, 2);
	ck_assert_int_eq(counts.no_output, 3);
	ck_assert_int_eq(counts.no_prompt, 1);
	ck_assert_int_eq(counts.blank_lines, 1);
	weir_source_destroy(source);

	source = open_text("Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,"
	                   "Total tokens,Log Type\n"
	                   "0,,2.5,ChatGPT,10,20,30,API log\n"
	                   "0.5,17.0,12.75,GPT-4,11,21,32,Conversation log\n",
	                   NULL, true);
	ck_assert_str_eq(weir_trace_reader_format(source), "burstgpt");
	expect_row(source, 0.0, 0, 10, 20);
	expect_row(source, 0.5, 1, 11, 21);
	expect_end(source);
	weir_source_destroy(source);
}
END_TEST

START_TEST(mooncake)
{
	weir_source *source = open_text(
	    "{\"timestamp\": 0, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0, 1, "
	    "18446744073709551615]}\n"
	    "{\"hash_ids\":[],\"output_length\":3,\"input_length\":4,\"timestamp\":27.5}\r\n"
	    " { \"x\" : {\"timestamp\": [1, {\"a\\\"}\": [[], {}, \"\\u00e9]\"]}, -1.5e+3]}, "
	    "\"timestamp\":3536999,\"b\":true, \"c\":null,\"d\":false, \"e\":\"\\n\" , "
	    "\"input_length\":1,\"output_length\":2}\n",
	    NULL, true);
	ck_assert_str_eq(weir_trace_reader_format(source), "mooncake");
	weir_request request = expect_request(source);
	ck_assert(request.arrival == 0.0);
	ck_assert_int_eq(request.prompt_tokens, 6758);
	ck_assert_uint_eq(request.prefix_hash_count, 3);
	ck_assert_uint_eq(request.prefix_hashes[0], 0);
	ck_assert_uint_eq(request.prefix_hashes[1], 1);
	ck_assert_uint_eq(request.prefix_hashes[2], UINT64_MAX);
	request = expect_request(source);
	ck_assert(request.arrival == 0.0275);
	ck_assert_ptr_null(request.prefix_hashes);
	ck_assert_uint_eq(request.prefix_hash_count, 0);
	expect_row(source, 3536.999, 2, 1, 2);
	expect_end(source);
	weir_source_destroy(source);
}
END_TEST

START_TEST(bad_headers)
{
	expect_failure("", NULL, false, 0, "empty");
	expect_failure("\n\n", NULL, false, 0, "empty");
	expect_failure(AZURE, NULL, false, 1, "before the first row");
	expect_failure(AZURE "\n\n", NULL, false, 3, "before the first row");
	expect_failure(BURSTGPT "1,a,1,0,1,b\n2,a,1,0,1,b\n", NULL, false, 3,
	               "all 2 rows were skipped");
	expect_failure("a,b,c\n1,2,3\n", NULL, false, 1, "splitwise, azure, burstgpt, mooncake");
	expect_failure(AZURE "x", "alibaba", false, 0, "auto, splitwise");
	expect_failure("TIMESTAMP,ContextTokens\n", "azure", false, 1, "lacks GeneratedTokens");
	expect_failure("x\n", "burstgpt", false, 1, "lacks Timestamp,Request tokens,Response tokens");
	expect_failure("TIMESTAMP,ContextTokens,GeneratedTokens,contexttokens\n", NULL, false, 1,
	               "twice");
	expect_failure("TIMESTAMP,ContextTokens,\"GeneratedTokens\n", "azure", false, 1, "quote");
	expect_failure("TIMESTAMP,ContextTokens,GeneratedTokens,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,"
	               ",,,,,,,,,,,,,,,,,,,,,,,,,,\n",
	               NULL, false, 1, "more than 64 columns");
	expect_failure("2023-11-16 18:15:46.6805900,374,44\n", "azure", false, 1, "lacks TIMESTAMP");
}
END_TEST

START_TEST(bad_rows)
{
	static const struct {
		const char *row;
		const char *message;
	} azure_rows[] = {
	    {"2023-11-16 18:15:46,374", "2 fields, but the header has 3"},
	    {"2023-11-16 18:15:46", "1 field,"},
	    {"2023-11-16 18:15:46,374,44,5", "4 fields"},
	    {"2023-11-16 18:15:46,374,", "GeneratedTokens is \"\""},
	    {"2023-11-16 18:15:46,-374,44", "ContextTokens is \"-374\""},
	    {"2023-11-16 18:15:46,374.0,44", "a whole number of tokens from 1 to 2147483647"},
	    {"2023-11-16 18:15:46,374,nan", "\"nan\""},
	    {"2023-11-16 18:15:46,inf,44", "\"inf\""},
	    {"2023-11-16 18:15:46,374,2147483648", "\"2147483648\""},
	    {"2023-11-16 18:15:46,374,99999999999999999999999", "\"99999999999999999999999\""},
	    {"2023-11-16 18:15:46,3 74,44", "\"3 74\""},
	    {"2023-11-16 18:15:46,\"374,44", "quote in field 2"},
	    {"2023-11-16 18:15:46,\"374\"x,44", "quote in field 2"},
	    {"2023-11-16 25:15:46,374,44", "YYYY-MM-DD"},
	    {"garbage", "1 field,"},
	    {"2023-11-16 18:15:45.999,1,1", "in order of arrival"},
	};
	for (size_t i = 0; i < sizeof azure_rows / sizeof azure_rows[0]; i++) {
		char text[400];
		snprintf(text, sizeof text, AZURE "2023-11-16 18:15:46,1,1\n%s\n", azure_rows[i].row);
		expect_failure(text, NULL, false, 3, azure_rows[i].message);
	}
	static const struct {
		const char *row;
		const char *message;
	} splitwise_rows[] = {
	    {"0,2,0,nan,1,1,1", "arrival_timestamp is \"nan\""},
	    {"0,2,0,inf,1,1,1", "finite number of seconds"},
	    {"0,2,0,1e999,1,1,1", "\"1e999\""},
	    {"0,2,0,-1.0,1,1,1", "0 or more"},
	    {"0,2,0,-0.0,1,1,1", "0 or more"},
	    {"0,2,0,,1,1,1", "\"\""},
	    {"0,2,0,0x10,1,1,1", "\"0x10\""},
	    {"0,2,0,1.5,2,1,1", "batch size 1"},
	    {"0,2,0,1.5,1,0,1", "0 prompt tokens: expected at least 1"},
	    {"0,2,0,1.5,1,1,0", "0 output tokens: expected at least 1"},
	    {"-1,2,0,1.5,1,1,1", "request_id is \"-1\""},
	    {"x,2,0,1.5,1,1,1", "request_id"},
	    {"9223372036854775808,2,0,1.5,1,1,1", "request_id"},
	    {"0,2,x,1.5,1,1,1", "application_id"},
	    {"0,2,0,0.9,1,1,1", "arrives at 0.900000000 s, before the one above it at 1.000000000 s"},
	};
	for (size_t i = 0; i < sizeof splitwise_rows / sizeof splitwise_rows[0]; i++) {
		char text[400];
		snprintf(text, sizeof text, SPLITWISE "0,2,0,1.0,1,1,1\n%s", splitwise_rows[i].row);
		expect_failure(text, "splitwise", false, 3, splitwise_rows[i].message);
	}
}
END_TEST

START_TEST(bad_json)
{
#define REST "\"input_length\":1,\"output_length\":1"
	static const struct {
		const char *row;
		const char *message;
	} rows[] = {
	    {"{\"timestamp\":0," REST, "the line ends where ',' or '}' is expected"},
	    {"{\"timestamp\":0," REST "} x", "expected the end of the line"},
	    {"{\"timestamp\":0," REST ",}", "expected a string"},
	    {"{\"timestamp\":0,," REST "}", "expected a string"},
	    {"{\"timestamp\":0 " REST "}", "expected ',' or '}'"},
	    {"{\"timestamp\" 0," REST "}", "expected ':'"},
	    {"{timestamp:0," REST "}", "byte 2"},
	    {"[]", "expected '{'"},
	    {"{}", "\"timestamp\" is missing"},
	    {"{\"timestamp\":0,\"input_length\":1}", "\"output_length\" is missing"},
	    {"{\"timestamp\":0,\"timestamp\":0," REST "}", "\"timestamp\" is given twice"},
	    {"{\"timestamp\":NaN," REST "}", "expected a number"},
	    {"{\"timestamp\":\"0\"," REST "}", "expected a number"},
	    {"{\"timestamp\":null," REST "}", "expected a number"},
	    {"{\"timestamp\":-1," REST "}", "timestamp is \"-1\""},
	    {"{\"timestamp\":1e999," REST "}", "finite number of milliseconds"},
	    {"{\"timestamp\":01," REST "}", "expected a number"},
	    {"{\"timestamp\":1.," REST "}", "expected a digit"},
	    {"{\"timestamp\":1e," REST "}", "expected a digit"},
	    {"{\"timestamp\":.5," REST "}", "expected a number"},
	    {"{\"timestamp\":+5," REST "}", "expected a number"},
	    {"{\"timestamp\":-," REST "}", "expected a number"},
	    {"{\"timestamp\":0,\"input_length\":1.5,\"output_length\":1}", "\"1.5\""},
	    {"{\"timestamp\":0,\"input_length\":-1,\"output_length\":1}", "\"-1\""},
	    {"{\"timestamp\":0,\"input_length\":0,\"output_length\":1}", "0 prompt tokens"},
	    {"{\"timestamp\":0,\"input_length\":1,\"output_length\":0}", "0 output tokens"},
	    {"{\"timestamp\":0," REST ",\"hash_ids\":5}", "an array of hash ids"},
	    {"{\"timestamp\":0," REST ",\"hash_ids\":[1,]}", "expected a number"},
	    {"{\"timestamp\":0," REST ",\"hash_ids\":[1 2]}", "',' or ']'"},
	    {"{\"timestamp\":0," REST ",\"hash_ids\":[-1]}", "hash_ids has \"-1\""},
	    {"{\"timestamp\":0," REST ",\"hash_ids\":[1.5]}", "hash_ids has \"1.5\""},
	    {"{\"timestamp\":0," REST ",\"hash_ids\":[18446744073709551616]}", "hash_ids has"},
	    {"{\"timestamp\":0," REST ",\"hash_ids\":[1", "the line ends"},
	    {"{\"timestamp\":0," REST ",\"x\":[1}}", "',' or ']'"},
	    {"{\"timestamp\":0," REST ",\"x\":{\"a\":1]}", "',' or '}'"},
	    {"{\"timestamp\":0," REST ",\"x\":{\"a\"}}", "':'"},
	    {"{\"timestamp\":0," REST ",\"x\":{1:2}}", "a string"},
	    {"{\"timestamp\":0," REST ",\"x\":[1,]}", "a value"},
	    {"{\"timestamp\":0," REST ",\"x\":tru}", "a value"},
	    {"{\"timestamp\":0," REST ",\"x\":}", "a value"},
	    {"{\"timestamp\":0," REST ",\"x\":\"\\q\"}", "an escape"},
	    {"{\"timestamp\":0," REST ",\"x\":\"\\u12g4\"}", "hexadecimal"},
	    {"{\"timestamp\":0," REST ",\"x\":\"\t\"}", "the end of a string"},
	    {"{\"timestamp\":0," REST ",\"x\":\"", "the line ends"},
	    {"{\"timestamp\":0," REST ",\"x\":\"\\", "the line ends"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (int newline = 0; newline < 2; newline++) {
			char text[400];
			snprintf(text, sizeof text, "{\"timestamp\":0," REST "}\n%s%s", rows[i].row,
			         newline == 1 ? "\n" : "");
			expect_failure(text, NULL, false, 2, rows[i].message);
		}
	}
	char deep[300] = "{\"x\":";
	memset(deep + 5, '[', 65);
	expect_failure(deep, "mooncake", false, 1, "64 levels");
	deep[5 + 64] = '\0';
	expect_failure(deep, "mooncake", false, 1, "the line ends where a value");
}
END_TEST

START_TEST(strict_refuses_what_is_skipped)
{
	expect_failure(BURSTGPT "1,a,1,1,2,b\n2,a,1,0,1,b\n", NULL, true, 3, "0 output tokens");
	expect_failure(BURSTGPT "1,a,0,1,1,b\n", NULL, true, 2, "0 prompt tokens");
	expect_failure(AZURE "2023-11-16 18:15:46,1,0\n", NULL, true, 2, "unless reading is strict");
	expect_failure(AZURE "\n2023-11-16 18:15:46,1,0\n", NULL, true, 2, "the line is empty");
	/* A skipped first row is still time 0. */
	weir_source *source =
	    open_text(AZURE "2023-11-16 18:15:46,1,0\n2023-11-16 18:15:47,1,1\n", NULL, false);
	expect_row(source, 1.0, 0, 1, 1);
	expect_end(source);
	ck_assert_int_eq(weir_trace_reader_counts(source).no_output, 1);
	weir_source_destroy(source);
}
END_TEST

/* A line of many hash ids, longer than every first capacity; and one that is too long. */
START_TEST(long_lines)
{
	enum { HASHES = 100000 };
	char *text = malloc(HASHES * 8 + 200);
	char *end = text + sprintf(text, "{\"timestamp\":1," REST ",\"hash_ids\":[0");
	for (int i = 1; i < HASHES; i++) {
		end += sprintf(end, ",%d", i);
	}
	strcpy(end, "]}\n");
	weir_source *source = open_text(text, NULL, true);
	weir_request request = expect_request(source);
	ck_assert_uint_eq(request.prefix_hash_count, HASHES);
	for (uint64_t i = 0; i < HASHES; i++) {
		if (request.prefix_hashes[i] != i) {
			ck_abort_msg("hash %llu is wrong", (unsigned long long)i);
		}
	}
	weir_source_destroy(source);
	char *row = text + sprintf(text, AZURE "2023-11-16 18:15:46,1,1\n");
	memset(row, '1', 70000);
	row[70000] = '\0';
	expect_failure(text, NULL, false, 3, "longer than 65536 bytes");
	free(text);
}
END_TEST

enum { MANY = 20000 };

static char *many_rows(void)
{
	char *text = malloc(MANY * 100);
	char *end = text + sprintf(text, BURSTGPT);
	for (int i = 0; i < MANY; i++) {
		end += sprintf(end, "%d.5,ChatGPT,%d,%d,0,API log\n", i, i + 1, i % 10);
	}
	return text;
}

static int64_t sum_of_rest(weir_source *source)
{
	weir_error error;
	int64_t sum = 0;
	bool more = true;
	while (more) {
		weir_request request;
		if (weir_source_next(source, &request, &more, &error) != WEIR_OK) {
			ck_abort_msg("%s: %s", error.where, error.message);
		}
		sum = more ? 31 * sum + request.prompt_tokens + 1000003 * request.id : sum;
		sum %= 1000000007;
	}
	return sum;
}

/* Restored in another reader, and in the same one, from text and from gzip data. */
START_TEST(save_restore_and_rewind)
{
	char *text = many_rows();
	const char *plain = test_path("rows.csv");
	const char *packed = test_path("rows.csv.gz");
	test_write_file(plain, text);
	gzFile file = gzopen(packed, "wb");
	ck_assert_int_eq(gzputs(file, text), (int)strlen(text));
	ck_assert_int_eq(gzclose(file), Z_OK);
	free(text);
	const char *const paths[] = {plain, packed};
	for (int kind = 0; kind < 2; kind++) {
		weir_error error;
		weir_source *source = open_trace(paths[kind], NULL, false);
		int64_t whole = sum_of_rest(source);
		ck_assert_ok(weir_source_rewind(source, &error), &error);
		ck_assert_int_eq(weir_trace_reader_counts(source).rows, 0);
		for (int i = 0; i < 12345; i++) {
			weir_request request;
			bool more;
			if (weir_source_next(source, &request, &more, &error) != WEIR_OK || !more) {
				ck_abort_msg("%s", error.message);
			}
		}
		char state[512];
		ck_assert_uint_gt(weir_source_state_size(source), 0);
		ck_assert_uint_le(weir_source_state_size(source), sizeof state);
		weir_source_save(source, state);
		weir_trace_counts saved = weir_trace_reader_counts(source);
		int64_t line = weir_trace_reader_line(source);
		int64_t rest = sum_of_rest(source);
		weir_trace_counts last = weir_trace_reader_counts(source);
		ck_assert_int_eq(last.no_output, MANY / 10);
		ck_assert_int_eq(last.requests, MANY - MANY / 10);
		weir_source *other = open_trace(paths[kind], NULL, false);
		weir_source *const readers[] = {source, other, other};
		for (int i = 0; i < 3; i++) {
			ck_assert_ok(weir_source_restore(readers[i], state, &error), &error);
			ck_assert_int_eq(weir_trace_reader_line(readers[i]), line);
			weir_trace_counts counts = weir_trace_reader_counts(readers[i]);
			ck_assert_int_eq(memcmp(&counts, &saved, sizeof counts), 0);
			ck_assert_int_eq(sum_of_rest(readers[i]), rest);
			counts = weir_trace_reader_counts(readers[i]);
			ck_assert_int_eq(memcmp(&counts, &last, sizeof counts), 0);
		}
		ck_assert_ok(weir_source_rewind(other, &error), &error);
		ck_assert_int_eq(sum_of_rest(other), whole);
		weir_source_destroy(other);
		weir_source_destroy(source);
	}
}
END_TEST

/* The date of the first row and the last arrival are part of the state. */
START_TEST(restored_dated_trace)
{
	const char *path = test_path("dated");
	test_write_file(path, AZURE "2023-11-16 18:15:46.5,1,1\n2023-11-16 18:15:47,2,2\n"
	                            "2023-11-17 18:15:47,3,3\n");
	weir_error error;
	weir_source *source = open_trace(path, NULL, true);
	expect_row(source, 0.0, 0, 1, 1);
	expect_row(source, 0.5, 1, 2, 2);
	char state[512];
	weir_source_save(source, state);
	weir_source_destroy(source);
	source = open_trace(path, NULL, true);
	ck_assert_ok(weir_source_restore(source, state, &error), &error);
	expect_row(source, 86400.5, 2, 3, 3);
	expect_end(source);
	weir_source_destroy(source);
}
END_TEST

static void *feed(void *path)
{
	FILE *file = fopen(path, "wb");
	fputs(AZURE "2023-11-16 18:15:46,1,2\n", file);
	fflush(file);
	fputs("2023-11-16 18:15:47,3,4", file);
	fclose(file);
	return NULL;
}

START_TEST(a_pipe_is_read_once)
{
	char path[512];
	snprintf(path, sizeof path, "%s", test_path("reader-fifo"));
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	pthread_t thread;
	ck_assert_int_eq(pthread_create(&thread, NULL, feed, path), 0);
	weir_error error;
	char state[512] = {0};
	weir_source *source = open_trace(path, NULL, true);
	ck_assert_uint_eq(weir_source_state_size(source), 0);
	ck_assert_int_eq(weir_source_rewind(source, &error), WEIR_ERROR_INPUT);
	ck_assert_int_eq(weir_source_restore(source, state, &error), WEIR_ERROR_INPUT);
	expect_row(source, 0.0, 0, 1, 2);
	expect_row(source, 1.0, 1, 3, 4);
	expect_end(source);
	weir_source_destroy(source);
	pthread_join(thread, NULL);
}
END_TEST

/* Figures found with Python's json, datetime and fractions. */
START_TEST(real_traces)
{
	static const struct {
		const char *name;
		const char *format;
		int64_t rows;
		double last_arrival;
		int64_t prompt_tokens, output_tokens;
		uint64_t hashes, hash_sum;
	} traces[] = {
	    {"AzureLLMInferenceTrace_conv.csv", "azure", 19366, 3501.721937, 22361870, 4088665, 0, 0},
	    {"AzureLLMInferenceTrace_code.csv", "azure", 8819, 3435.948056, 18059974, 245896, 0, 0},
	    {"mooncake_conversation_trace.jsonl", "mooncake", 12031, 3536.999, 144793823, 4122048,
	     288500, 23407000830},
	    {"mooncake_synthetic_trace.jsonl", "mooncake", 3993, 1022.025, 61194628, 595432, 121877,
	     2510208276},
	};
	for (size_t i = 0; i < sizeof traces / sizeof traces[0]; i++) {
		const char *path = test_data_path(traces[i].name);
		if (path == NULL) {
			continue;
		}
		weir_error error;
		weir_source *source = open_trace(path, NULL, true);
		ck_assert_str_eq(weir_trace_reader_format(source), traces[i].format);
		weir_request request;
		double first = -1.0;
		double last = -1.0;
		int64_t prompt = 0;
		int64_t output = 0;
		uint64_t hashes = 0;
		uint64_t hash_sum = 0;
		for (bool more = true;;) {
			if (weir_source_next(source, &request, &more, &error) != WEIR_OK) {
				ck_abort_msg("%s: %s", error.where, error.message);
			}
			if (!more) {
				break;
			}
			first = first < 0.0 ? request.arrival : first;
			last = request.arrival;
			prompt += request.prompt_tokens;
			output += request.output_tokens;
			hashes += request.prefix_hash_count;
			for (size_t j = 0; j < request.prefix_hash_count; j++) {
				hash_sum += request.prefix_hashes[j];
			}
		}
		ck_assert_int_eq(weir_trace_reader_counts(source).rows, traces[i].rows);
		ck_assert_int_eq(weir_trace_reader_counts(source).requests, traces[i].rows);
		ck_assert(first == 0.0);
		ck_assert_msg(last == traces[i].last_arrival, "%.17g", last);
		ck_assert_int_eq(prompt, traces[i].prompt_tokens);
		ck_assert_int_eq(output, traces[i].output_tokens);
		ck_assert_uint_eq(hashes, traces[i].hashes);
		ck_assert_uint_eq(hash_sum, traces[i].hash_sum);
		weir_source_destroy(source);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workload_trace_reader");
	TCase *formats = tcase_create("formats");
	tcase_add_test(formats, splitwise);
	tcase_add_test(formats, azure);
	tcase_add_test(formats, burstgpt);
	tcase_add_test(formats, mooncake);
	suite_add_tcase(suite, formats);
	TCase *bad = tcase_create("bad input");
	tcase_add_test(bad, bad_headers);
	tcase_add_test(bad, bad_rows);
	tcase_add_test(bad, bad_json);
	tcase_add_test(bad, strict_refuses_what_is_skipped);
	tcase_add_test(bad, long_lines);
	suite_add_tcase(suite, bad);
	TCase *streams = tcase_create("streams");
	tcase_set_timeout(streams, 60);
	tcase_add_test(streams, save_restore_and_rewind);
	tcase_add_test(streams, restored_dated_trace);
	tcase_add_test(streams, a_pipe_is_read_once);
	tcase_add_test(streams, real_traces);
	suite_add_tcase(suite, streams);
	return test_main(suite);
}
