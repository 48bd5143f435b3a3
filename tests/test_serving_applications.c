/* Applications that share a cluster share nothing else: each behaves as it does alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/lifecycle_support.h"
#include "support/small_cluster.h"
#include "support/test_support.h"

enum { REQUESTS = 150 };

typedef struct part {
	const char *scheduler, *kind, *tags;
	int64_t hidden; /* of the model: bytes of a token's KV cache / 2 */
	int64_t kv_tokens;
	double unit; /* of all times */
	/* arrivals */
	double times[REQUESTS];
	int64_t prompts[REQUESTS], outputs[REQUESTS];
} part;

static weir_tag tag_of(char letter)
{
	return letter == 'p' ? WEIR_TAG_PROMPT : letter == 't' ? WEIR_TAG_TOKEN : WEIR_TAG_MIXED;
}

static void draw_arrivals(part *p, gsl_rng *draws)
{
	double time = 0;
	for (int i = 0; i < REQUESTS; i++) {
		/* On a grid of 1/4 s, so that events of different applications tie. */
		time += 0.25 * (double)gsl_rng_uniform_int(draws, 3);
		p->times[i] = time;
		p->prompts[i] = 1 + (int64_t)gsl_rng_uniform_int(draws, 100);
		p->outputs[i] = 1 + (int64_t)gsl_rng_uniform_int(draws, 30);
	}
}

/* Limits, GPUs and retries differ by the application's number. */
static void describe(small_cluster *cluster, const part *p, size_t number)
{
	small_application *application = small_cluster_add(cluster, p->scheduler, p->kind);
	application->model.hidden = p->hidden;
	application->config.instance.max_batch_tokens = 64 << number;
	application->config.instance.max_batch_size = 8;
	application->config.scheduler.prompt_max_pending_tokens = 200;
	application->config.scheduler.transfer_retry_s = 0.5 * (double)(number + 1);
	application->config.scheduler.transfer_bandwidth_gb_per_s = 1e6 / (1024.0 * 1024 * 1024);
	for (const char *tag = p->tags; *tag != '\0'; tag++) {
		const small_server server = {
		    .tag = tag_of(*tag),
		    .gpus = 1 + (int64_t)number,
		    .kv_tokens = p->kv_tokens * 2 * p->hidden / SMALL_KV_BYTES,
		    .nic_bytes_per_s = 5e5,
		    .tdp_w = 1000,
		    .speed = {.prompt_s = 0.25 * p->unit,
		              .prompt_token_s = p->unit / 512,
		              .token_s = 0.125 * p->unit,
		              .token_task_s = p->unit / 256,
		              .prompt_power = 0.9,
		              .token_power = 0.5},
		};
		small_application_add_server(application, &server);
	}
}

static void arrive_all(small_cluster *cluster, const part *const *parts, size_t count)
{
	size_t next[SMALL_APPLICATIONS] = {0};
	for (size_t i = 0; i < count * REQUESTS; i++) {
		size_t first = count;
		for (size_t a = 0; a < count; a++) {
			if (next[a] < REQUESTS &&
			    (first == count || parts[a]->times[next[a]] < parts[first]->times[next[first]])) {
				first = a;
			}
		}
		size_t r = next[first]++;
		small_cluster_arrive(cluster, parts[first]->times[r], (uint32_t)first,
		                     parts[first]->prompts[r], parts[first]->outputs[r]);
	}
}

static bool same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static int32_t shifted(int32_t instance, uint32_t by)
{
	return instance < 0 ? instance : instance + (int32_t)by;
}

/* The rows of application `number`, in their order, are those of the run alone. */
static void check_rows(const small_cluster *together, size_t number, uint32_t first_instance,
                       const small_cluster *alone)
{
	size_t row = 0;
	for (size_t i = 0; i < together->row_count; i++) {
		const weir_request_row *a = &together->rows[i];
		if ((size_t)a->application != number) {
			continue;
		}
		ck_assert_uint_lt(row, alone->row_count);
		const weir_request_row *b = &alone->rows[row++];
		ck_assert_double_eq(a->arrival, b->arrival);
		ck_assert_int_eq(a->prompt_tokens, b->prompt_tokens);
		ck_assert_int_eq(a->output_tokens, b->output_tokens);
		ck_assert_int_eq(a->status, b->status);
		ck_assert_int_eq(a->preemptions, b->preemptions);
		ck_assert_int_eq(a->prompt_instance, shifted(b->prompt_instance, first_instance));
		ck_assert_int_eq(a->token_instance, shifted(b->token_instance, first_instance));
		ck_assert(same(a->queue_time, b->queue_time) && same(a->ttft, b->ttft) &&
		          same(a->second_token_gap, b->second_token_gap) && same(a->e2e, b->e2e));
	}
	ck_assert_uint_eq(row, alone->row_count);
}

static void check_instances(const small_cluster *together, size_t number, uint32_t first_instance,
                            const small_cluster *alone)
{
	uint32_t count = weir_serving_instance_slots(alone->serving);
	for (uint32_t i = 0; i < count; i++) {
		weir_instance_view a;
		weir_instance_view b;
		weir_serving_instance(together->serving, first_instance + i, &a);
		weir_serving_instance(alone->serving, i, &b);
		ck_assert_uint_eq(a.application, number);
		ck_assert_uint_eq(a.iterations, b.iterations);
		ck_assert_uint_eq(a.requests_completed, b.requests_completed);
		ck_assert_double_eq(a.busy_seconds, b.busy_seconds);
		ck_assert_double_eq(a.batch_token_seconds, b.batch_token_seconds);
		ck_assert_uint_eq(a.preemptions, b.preemptions);
	}
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		weir_pool_counters a;
		weir_pool_counters b;
		weir_serving_pool(together->serving, (uint32_t)number, (weir_tag)tag, &a);
		weir_serving_pool(alone->serving, 0, (weir_tag)tag, &b);
		ck_assert_mem_eq(&a, &b, sizeof a);
	}
}

static void check_together(const part *const *parts, size_t count, int network)
{
	small_cluster *together = small_cluster_create();
	together->config.network.kind = network;
	for (size_t a = 0; a < count; a++) {
		describe(together, parts[a], a);
	}
	small_cluster_start(together);
	arrive_all(together, parts, count);
	small_cluster_run(together, 10000);
	uint32_t first_instance = 0;
	size_t rows = 0;
	for (size_t a = 0; a < count; a++) {
		small_cluster *alone = small_cluster_create();
		alone->config.network.kind = network;
		describe(alone, parts[a], a);
		small_cluster_start(alone);
		arrive_all(alone, &parts[a], 1);
		small_cluster_run(alone, 10000);
		check_rows(together, a, first_instance, alone);
		check_instances(together, a, first_instance, alone);
		first_instance += weir_serving_instance_slots(alone->serving);
		rows += alone->row_count;
		small_cluster_destroy(alone);
	}
	ck_assert_uint_eq(rows, together->row_count);
	ck_assert_uint_gt(rows, count * REQUESTS / 2);
	ck_assert_uint_eq(first_instance, weir_serving_instance_slots(together->serving));
	small_cluster_destroy(together);
}

START_TEST(each_behaves_as_it_does_alone)
{
	static const struct {
		const char *scheduler, *kind, *tags;
	} kinds[] = {
	    {"mixed_pool", "splitwise", "ptt"},     {"jsq", "orca", "mm"},
	    {"kv_jsq", "splitwise", "pptt"},        {"round_robin", "chunked", "mmm"},
	    {"overlap_kv_token_jsq", "orca", "pt"}, {"token_jsq", "splitwise", "mm"},
	    {"kv_round_robin", "chunked", "ppt"},   {"mixed_pool", "orca", "pptm"},
	};
	enum { KINDS = sizeof kinds / sizeof kinds[0] };
	gsl_rng *draws = weir_stream_create(9, "test", 0);
	for (size_t i = 0; i < KINDS * 4; i++) {
		part three[3];
		const part *parts[3] = {&three[0], &three[1], &three[2]};
		for (size_t a = 0; a < 3; a++) {
			size_t kind = (i + a * (1 + i / KINDS)) % KINDS;
			three[a] = (part){
			    .scheduler = kinds[kind].scheduler,
			    .kind = kinds[kind].kind,
			    .tags = kinds[kind].tags,
			    .hidden = 500 * (int64_t)(a + 1),
			    .kv_tokens = 250 + (int64_t)gsl_rng_uniform_int(draws, 600),
			    .unit = (i + a) % 2 == 0 ? 1.0 : 0.5 + gsl_rng_uniform(draws),
			};
			draw_arrivals(&three[a], draws);
		}
		size_t count = 2 + i % 2;
		check_together(parts, count, i % 3 == 0 ? WEIR_NETWORK_SHARED_NIC : WEIR_NETWORK_DEDICATED);
	}
	gsl_rng_free(draws);
}
END_TEST

START_TEST(one_application_without_instances_holds_up_nobody)
{
	small_cluster *cluster = small_cluster_create();
	const part p = {"jsq", "splitwise", "m", 500, 1000, 1.0, {0}, {0}, {0}};
	describe(cluster, &p, 0);
	describe(cluster, &p, 1);
	small_cluster_start(cluster);
	set_active(cluster->serving, 0, false);
	for (int i = 0; i < 20; i++) {
		small_cluster_arrive(cluster, i, (uint32_t)i % 2, 100, 5);
	}
	small_cluster_run(cluster, 100.0);
	ck_assert_uint_eq(cluster->row_count, 10);
	for (size_t i = 0; i < 10; i++) {
		ck_assert_int_eq(cluster->rows[i].application, 1);
	}
	/* An instance of another application is none for those that wait. */
	set_active(cluster->serving, 1, false);
	set_active(cluster->serving, 1, true);
	weir_serving_counters counters;
	weir_serving_counters_get(cluster->serving, &counters);
	ck_assert_uint_eq(counters.waiting_at_scheduler, 10);
	set_active(cluster->serving, 0, true);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_uint_eq(cluster->row_count, 20);
	small_cluster_destroy(cluster);
}
END_TEST

/* The first application's transfer can never start; the second's can as soon as it is tried. */
static small_cluster *one_stalled_and_one_slow(void)
{
	small_cluster *cluster = small_cluster_create();
	for (int a = 0; a < 2; a++) {
		small_application *application = small_cluster_add(cluster, "kv_jsq", "orca");
		application->config.scheduler.transfer_retry_s = a == 0 ? 0.25 : 8.0;
		small_server server = {.tag = WEIR_TAG_PROMPT,
		                       .gpus = 1,
		                       .kv_tokens = 1000,
		                       .tdp_w = 1000,
		                       .speed = {.prompt_s = 1.0, .token_s = 1.0}};
		small_application_add_server(application, &server);
		server.tag = WEIR_TAG_TOKEN;
		server.kv_tokens = 160;
		small_application_add_server(application, &server);
	}
	small_cluster_start(cluster);
	/* A batch of three behind a first one: two caches of 71 tokens arrive at once, fill the token
	 * server, and neither can grow by 50. */
	small_cluster_arrive(cluster, 0.0, 0, 10, 1);
	small_cluster_arrive(cluster, 0.0, 0, 70, 51);
	small_cluster_arrive(cluster, 0.0, 0, 70, 51);
	small_cluster_arrive(cluster, 0.0, 0, 70, 51);
	small_cluster_arrive(cluster, 0.0, 1, 100, 5); /* on the token server from 1 to 5 s */
	small_cluster_arrive(cluster, 0.0, 1, 100, 5); /* tried at 1 and 9 s */
	return cluster;
}

static bool is_stalled(const small_cluster *cluster)
{
	return weir_serving_only_retries(cluster->serving,
	                                 weir_engine_get_counts(cluster->engine).pending);
}

/* Runs until three requests have ended, which is all that can. */
static void run_to_the_stall(small_cluster *cluster)
{
	while (cluster->row_count < 3) {
		ck_assert(small_cluster_step(cluster, 100.0));
		ck_assert(!is_stalled(cluster));
	}
	ck_assert_uint_eq(weir_engine_get_counts(cluster->engine).pending, 1);
	ck_assert(small_cluster_step(cluster, 100.0));
	ck_assert(!is_stalled(cluster));
	ck_assert(small_cluster_step(cluster, 100.0));
	ck_assert(is_stalled(cluster));
}

START_TEST(a_stall_is_one_of_all_applications)
{
	small_cluster *cluster = one_stalled_and_one_slow();
	small_cluster_run(cluster, 6.0);
	weir_serving_counters counters;
	weir_serving_counters_get(cluster->serving, &counters);
	ck_assert_uint_gt(counters.transfer_retries, 12);
	small_cluster *early = small_cluster_copy(cluster);
	run_to_the_stall(cluster);
	run_to_the_stall(early);
	small_cluster *late = small_cluster_copy(cluster);
	ck_assert(is_stalled(late));
	/* But not for ever: an arrival may bring what frees memory. */
	small_cluster_arrive(cluster, weir_engine_now(cluster->engine), 1, 100, 1);
	ck_assert(small_cluster_step(cluster, 100.0));
	ck_assert(!weir_serving_only_retries(cluster->serving, 1));
	small_cluster_destroy(late);
	small_cluster_destroy(early);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(a_model_too_large_for_an_instance_is_an_error)
{
	small_cluster *cluster = small_cluster_create();
	const part p = {"jsq", "splitwise", "m", 500, 1000, 1.0, {0}, {0}, {0}};
	describe(cluster, &p, 0);
	describe(cluster, &p, 1);
	small_cluster_start(cluster);
	weir_application broken[2] = {cluster->configs[0], cluster->configs[1]};
	weir_architecture large = cluster->applications[1].model;
	large.weight_bytes = 1e12;
	broken[1].model = &large;
	weir_cluster config = cluster->config;
	config.applications = broken;
	weir_serving *serving = cluster->serving;
	weir_error error = {0};
	ck_assert_int_eq(weir_serving_create(&config, cluster->engine, NULL, &serving, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_ptr_null(serving);
	ck_assert_ptr_nonnull(strstr(error.message, "do not fit"));
	/* Bytes of 2^31 tokens of it could not be counted. */
	large = cluster->applications[1].model;
	large.layers = 100000;
	large.hidden = 10000000;
	ck_assert_int_eq(weir_serving_create(&config, cluster->engine, NULL, &serving, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "bytes a token"));
	small_cluster_destroy(cluster);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("serving/applications");
	TCase *tests = tcase_create("applications");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, each_behaves_as_it_does_alone);
	tcase_add_test(tests, one_application_without_instances_holds_up_nobody);
	tcase_add_test(tests, a_stall_is_one_of_all_applications);
	tcase_add_test(tests, a_model_too_large_for_an_instance_is_an_error);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
