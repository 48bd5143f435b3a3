#include "support/workload_support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test_support.h"
#include "workload/trace_reader.h"

weir_source *test_trace(const char *name, const double *arrivals, size_t count,
                        int64_t first_prompt)
{
	const char *path = test_path(name);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs("request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,"
	      "token_size\n",
	      file);
	for (size_t i = 0; i < count; i++) {
		fprintf(file, "%zu,2,0,%.17g,1,%" PRId64 ",1\n", 10 + i, arrivals[i],
		        first_prompt + (int64_t)i);
	}
	ck_assert_int_eq(fclose(file), 0);
	weir_error error = {0};
	weir_source *source = NULL;
	ck_assert_ok(weir_trace_open(&(weir_trace_options){.path = path}, &source, &error), &error);
	return source;
}

bool test_draw(weir_source *source, weir_request *request)
{
	weir_error error = {0};
	bool more = false;
	ck_assert_ok(weir_source_next(source, request, &more, &error), &error);
	return more;
}

void test_check_arrivals(weir_source *source, const double *arrivals, size_t count)
{
	weir_request request;
	for (size_t i = 0; i < count; i++) {
		ck_assert_msg(test_draw(source, &request), "ended after %zu", i);
		ck_assert_msg(request.arrival == arrivals[i], "request %zu at %.17g, not %.17g", i,
		              request.arrival, arrivals[i]);
	}
	ck_assert(!test_draw(source, &request));
	ck_assert(!test_draw(source, &request));
}

enum { HASHES_KEPT = 4, SNAPSHOTS = 8 };

typedef struct kept_request {
	weir_request request;
	uint64_t hashes[HASHES_KEPT];
} kept_request;

static void check_same(weir_source *source, const kept_request *kept, size_t from, size_t count)
{
	weir_request request;
	for (size_t i = from; i < count; i++) {
		ck_assert_msg(test_draw(source, &request), "ended after %zu of %zu", i, count);
		const weir_request *was = &kept[i].request;
		ck_assert_double_eq(request.arrival, was->arrival);
		ck_assert_int_eq(request.id, was->id);
		ck_assert_int_eq(request.prompt_tokens, was->prompt_tokens);
		ck_assert_int_eq(request.output_tokens, was->output_tokens);
		ck_assert_int_eq(request.application, was->application);
		ck_assert_uint_eq(request.prefix_hash_count, was->prefix_hash_count);
		for (size_t h = 0; h < request.prefix_hash_count && h < HASHES_KEPT; h++) {
			ck_assert_uint_eq(request.prefix_hashes[h], kept[i].hashes[h]);
		}
	}
	ck_assert(!test_draw(source, &request));
}

void test_check_snapshots(weir_source *source)
{
	weir_error error = {0};
	kept_request *kept = NULL;
	size_t count = 0;
	size_t capacity = 0;
	void *snapshots[SNAPSHOTS];
	size_t taken_at[SNAPSHOTS];
	size_t taken = 0;
	for (bool more = true; more;) {
		/* After 0, 1, 3, 7, ... requests. */
		if (taken < SNAPSHOTS && count + 1 == (size_t)1 << taken) {
			ck_assert_uint_gt(weir_source_state_size(source), 0);
			snapshots[taken] = malloc(weir_source_state_size(source));
			ck_assert_ptr_nonnull(snapshots[taken]);
			weir_source_save(source, snapshots[taken]);
			taken_at[taken++] = count;
		}
		if (count == capacity) {
			capacity = 2 * capacity + 1000;
			kept = realloc(kept, capacity * sizeof *kept);
			ck_assert_ptr_nonnull(kept);
		}
		more = test_draw(source, &kept[count].request);
		if (more) {
			size_t hashes = kept[count].request.prefix_hash_count;
			if (hashes > 0) {
				memcpy(kept[count].hashes, kept[count].request.prefix_hashes,
				       (hashes < HASHES_KEPT ? hashes : HASHES_KEPT) * sizeof(uint64_t));
			}
			count++;
		}
	}
	ck_assert_uint_ge(taken, 3);
	ck_assert_ok(weir_source_rewind(source, &error), &error);
	check_same(source, kept, 0, count);
	for (size_t i = 0; i < taken; i++) {
		ck_assert_ok(weir_source_restore(source, snapshots[i], &error), &error);
		check_same(source, kept, taken_at[i], count);
		free(snapshots[i]);
	}
	free(kept);
}
