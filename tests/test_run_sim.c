/* Whole simulations: the same every time, beside each other, and from a snapshot on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/random.h"
#include "record/reader.h"
#include "run/sim.h"
#include "support/run_support.h"
#include "support/test_support.h"

#define TRACES WEIR_SOURCE_DIR "/tests/parity/"

/* Everything that an observer hears, hashed (FNV-1a). */
typedef struct event_log {
	uint64_t hash;
	uint64_t events, rows, samples;
} event_log;

static void mix(event_log *log, const void *data, size_t size)
{
	const unsigned char *bytes = data;
	for (size_t i = 0; i < size; i++) {
		log->hash = (log->hash ^ bytes[i]) * 1099511628211U;
	}
}

/* NaN has many forms, and which one an operation gives is the compiler's choice. */
static void mix_double(event_log *log, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	if (isnan(value)) {
		bits = 0x7ff8000000000000U;
	}
	mix(log, &bits, sizeof bits);
}

static void on_request_ended(void *context, const weir_request_row *row)
{
	event_log *log = context;
	log->rows++;
#define MIX(field, type, column, unit, description) mix_double(log, (double)row->field);
	WEIR_REQUEST_ROW(MIX)
#undef MIX
}

static void on_sampled(void *context, const weir_sample_row *row)
{
	event_log *log = context;
	log->samples++;
#define MIX(field, type, column, unit, description) mix_double(log, (double)row->field);
	WEIR_SAMPLE_ROW(MIX)
#undef MIX
}

static void on_event(void *context, double time, const weir_event *event)
{
	event_log *log = context;
	log->events++;
	mix_double(log, time);
	mix(log, &event->type, sizeof event->type);
	mix(log, &event->subject, sizeof event->subject);
}

static bool same_log(const event_log *a, const event_log *b)
{
	return a->hash == b->hash && a->events == b->events && a->rows == b->rows &&
	       a->samples == b->samples;
}

static weir_sim *start(const weir_config *config, event_log *log)
{
	*log = (event_log){.hash = 14695981039346656037U};
	const weir_sim_observer observer = {.context = log,
	                                    .request_ended = on_request_ended,
	                                    .sampled = on_sampled,
	                                    .event = on_event};
	weir_sim *sim = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_sim_create(config, &observer, &sim, &error), &error);
	return sim;
}

/* Runs some events; false when none is left, and then the simulation is finished. */
static bool run_events(weir_sim *sim, uint64_t events)
{
	bool more = false;
	weir_error error = {0};
	ck_assert_ok(weir_sim_run(sim, INFINITY, events, &more, &error), &error);
	if (!more) {
		weir_sim_finish(sim);
	}
	return more;
}

static event_log run_alone(const weir_config *config)
{
	event_log log;
	weir_sim *sim = start(config, &log);
	while (run_events(sim, 10000)) {
	}
	ck_assert_uint_eq(log.events, weir_sim_events(sim));
	weir_sim_destroy(sim);
	return log;
}

/* Overrides of configs/parity.json: every batching policy, kind of workload and of network. */
enum { MOST_SETS = 10 };

#define POISSON                                                                                    \
	"workload={\"count\": 700, \"arrivals\": {\"kind\": \"poisson\", \"rate\": 12},"               \
	" \"sizes\": {\"kind\": \"drawn\", \"prompt\": {\"kind\": \"lognormal\", \"median\": 900,"     \
	" \"sigma\": 0.9, \"maximum\": 8000}, \"output\": {\"kind\": \"lognormal\", \"median\": 60,"   \
	" \"sigma\": 1.1, \"maximum\": 900}}}"
#define BURSTY                                                                                     \
	"workload={\"count\": 700, \"arrivals\": {\"kind\": \"mmpp\", \"rates\": [2, 40],"             \
	" \"sojourns\": [20, 5]}, \"sizes\": {\"kind\": \"trace\", \"path\": \"" TRACES                \
	"syn_conv.csv\"}}"
#define DIURNAL                                                                                    \
	"workload={\"count\": 700, \"arrivals\": {\"kind\": \"diurnal\", \"mean\": 9,"                 \
	" \"period\": 60}, \"sizes\": {\"kind\": \"drawn\", \"rank_correlation\": 0.4, \"prompt\":"    \
	" {\"kind\": \"quantiles\", \"probabilities\": [0, 0.5, 1], \"values\": [10, 800, 7000]},"     \
	" \"output\": {\"kind\": \"uniform\", \"maximum\": 200}}}"
#define REGULAR                                                                                    \
	"workload={\"count\": 700, \"arrivals\": {\"kind\": \"constant\", \"rate\": 10}, \"sizes\":"   \
	" {\"kind\": \"drawn\", \"prompt\": {\"kind\": \"uniform\", \"maximum\": 3000}, \"output\":"   \
	" {\"kind\": \"uniform\", \"maximum\": 120}}}"

typedef struct sim_case {
	const char *name;
	const char *sets[MOST_SETS];
	/* Of its log; 0 where generated workloads draw through functions of the C library, which differ
	 * from one machine to the next. */
	uint64_t hash;
} sim_case;

static const sim_case cases[] = {
    {"mixed_pool, splitwise",
     {"trace.path=" TRACES "syn_burst.csv", "servers=dgx-h100:2,dgx-a100:2",
      "pools=prompt:dgx-h100,token:dgx-a100", "scheduler.kind=mixed_pool",
      "trace.max_requests=900"},
     0xecb9455576c6321f},
    {"random, orca",
     {REGULAR, "instance.kind=orca", "scheduler.kind=random", "servers=dgx-a100:2,dgx-h100:2"},
     0x82b8f83590bf0051},
    {"kv_jsq, chunked, shared links, roofline",
     {"trace.path=" TRACES "syn_code.csv", "instance.kind=chunked", "scheduler.kind=kv_jsq",
      "pools=prompt:2,token:2", "network.kind=shared_nic", "execution_time.kind=roofline",
      "trace.max_requests=700"},
     0x4957f09c57758bfc},
    {"transfers that wait for memory",
     {"trace.path=" TRACES "syn_burst.csv", "servers=dgx-h100:6,dgx-a100:1",
      "pools=prompt:dgx-h100,token:dgx-a100", "scheduler.kind=kv_token_jsq", "sampling.interval=1",
      "trace.max_requests=700"},
     0},
    {"a repeated slice",
     {"trace.path=" TRACES "syn_conv.csv", "trace.start=5", "trace.duration=20", "trace.repeat=4",
      "trace.rate_scale=1.5"},
     0},
    {"poisson", {POISSON, "scheduler.kind=overlap_kv_jsq", "pools=prompt:2,token:2"}, 0},
    {"bursts",
     {BURSTY, "instance.kind=orca", "scheduler.kind=kv_round_robin", "pools=prompt:1,token:3",
      "network.kind=shared_nic"},
     0},
    {"diurnal", {DIURNAL, "instance.kind=chunked", "scheduler.kind=random"}, 0},
};

enum { CASE_COUNT = sizeof cases / sizeof cases[0] };

static const weir_config *load_case(const sim_case *wanted)
{
	const char *const *s = wanted->sets;
	return test_config(TEST_PARITY_CONFIG, "seed=7", s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7],
	                   s[8], s[9], NULL);
}

START_TEST(the_same_seed_gives_the_same_digest)
{
	const char *const paths[] = {test_path("one.h5"), test_path("two.h5"), test_path("other.h5")};
	char digests[3][64];
	for (int i = 0; i < 3; i++) {
		const weir_config *config =
		    test_config(TEST_PARITY_CONFIG, POISSON, i < 2 ? "seed=3" : "seed=4",
		                "scheduler.kind=random", NULL);
		test_run(config, paths[i], NULL);
		weir_config_destroy(config);
		snprintf(digests[i], sizeof digests[i], "%s", test_digest(paths[i]));
	}
	ck_assert_str_eq(digests[0], digests[1]);
	ck_assert_str_ne(digests[0], digests[2]);
}
END_TEST

START_TEST(a_recorded_config_repeats_its_run)
{
	for (size_t i = 0; i < CASE_COUNT; i++) {
		const char *first = test_path("first.h5");
		const char *again = test_path("again.h5");
		const char *path = test_path("recorded.json");
		const weir_config *config = load_case(&cases[i]);
		test_run(config, first, NULL);
		weir_config_destroy(config);
		char digest[64];
		snprintf(digest, sizeof digest, "%s", test_digest(first));

		weir_reader *reader = NULL;
		char *text = NULL;
		weir_error error = {0};
		ck_assert_ok(weir_reader_open(first, &reader, &error), &error);
		ck_assert_ok(weir_reader_document(reader, "/provenance/config", &text, &error), &error);
		weir_reader_close(reader);
		test_write_file(path, text);
		free(text);
		config = test_config(path, NULL);
		test_run(config, again, NULL);
		weir_config_destroy(config);
		ck_assert_msg(strcmp(test_digest(again), digest) == 0, "%s", cases[i].name);
	}
}
END_TEST

START_TEST(event_logs_are_as_they_were)
{
	for (size_t i = 0; i < CASE_COUNT; i++) {
		if (cases[i].hash == 0) {
			continue;
		}
		const weir_config *config = load_case(&cases[i]);
		event_log log = run_alone(config);
		weir_config_destroy(config);
		/* A change that is meant to change results changes these, and says so. */
		ck_assert_msg(log.hash == cases[i].hash, "%s: the hash of %llu events is 0x%016llx",
		              cases[i].name, (unsigned long long)log.events, (unsigned long long)log.hash);
	}
}
END_TEST

START_TEST(interleaved_simulations_equal_each_alone)
{
	const weir_config *configs[CASE_COUNT];
	event_log alone[CASE_COUNT];
	event_log logs[CASE_COUNT];
	weir_sim *sims[CASE_COUNT];
	for (size_t i = 0; i < CASE_COUNT; i++) {
		configs[i] = load_case(&cases[i]);
		alone[i] = run_alone(configs[i]);
		ck_assert_uint_gt(alone[i].rows, 100);
	}
	for (size_t i = 0; i < CASE_COUNT; i++) {
		sims[i] = start(configs[i], &logs[i]);
	}
	gsl_rng *random = weir_stream_create(1, "interleaving", 0);
	for (size_t running = CASE_COUNT; running > 0;) {
		size_t i = gsl_rng_uniform_int(random, CASE_COUNT);
		if (sims[i] != NULL && !run_events(sims[i], 1 + gsl_rng_uniform_int(random, 300))) {
			ck_assert_msg(same_log(&logs[i], &alone[i]), "%s", cases[i].name);
			weir_sim_destroy(sims[i]);
			sims[i] = NULL;
			running--;
		}
	}
	gsl_rng_free(random);
	for (size_t i = 0; i < CASE_COUNT; i++) {
		weir_config_destroy(configs[i]);
	}
}
END_TEST

/* A simulation that was saved, and what its observer had heard by then. */
typedef struct saved {
	weir_sim_snapshot *snapshot;
	event_log log;
	double now;
} saved;

static saved save(const weir_sim *sim, const event_log *log)
{
	saved made = {.log = *log, .now = weir_sim_now(sim)};
	weir_error error = {0};
	ck_assert_ok(weir_sim_save(sim, &made.snapshot, &error), &error);
	return made;
}

static void expect_same_end(const char *name, weir_sim *sim, event_log *log, const saved *from,
                            const event_log *alone)
{
	weir_error error = {0};
	ck_assert_ok(weir_sim_restore(sim, from->snapshot, &error), &error);
	*log = from->log;
	ck_assert_double_eq(weir_sim_now(sim), from->now);
	ck_assert_uint_eq(weir_sim_events(sim), from->log.events);
	ck_assert_ok(weir_serving_check(weir_sim_serving(sim), &error), &error);
	while (run_events(sim, 10000)) {
	}
	ck_assert_msg(same_log(log, alone),
	              "%s, from event %llu on: %llu events, %llu rows, %llu samples, hash %llx; alone "
	              "%llu, %llu, %llu, %llx",
	              name, (unsigned long long)from->log.events, (unsigned long long)log->events,
	              (unsigned long long)log->rows, (unsigned long long)log->samples,
	              (unsigned long long)log->hash, (unsigned long long)alone->events,
	              (unsigned long long)alone->rows, (unsigned long long)alone->samples,
	              (unsigned long long)alone->hash);
}

static void check_snapshots(const char *name, const weir_config *config, gsl_rng *random)
{
	enum { SNAPSHOTS = 6 };
	event_log alone = run_alone(config);
	event_log log;
	event_log other_log;
	weir_sim *sim = start(config, &log);
	weir_sim *other = start(config, &other_log);
	saved points[SNAPSHOTS];
	points[0] = save(sim, &log);
	for (int i = 1; i < SNAPSHOTS; i++) {
		run_events(sim, gsl_rng_uniform_int(random, (unsigned long)alone.events / SNAPSHOTS));
		points[i] = save(sim, &log);
	}
	while (run_events(sim, 10000)) {
	}
	ck_assert_msg(same_log(&log, &alone), "%s: saving changed the run", name);
	run_events(other, alone.events / 3);
	for (int i = 0; i < SNAPSHOTS; i++) {
		const saved *point = &points[gsl_rng_uniform_int(random, SNAPSHOTS)];
		bool in_other = i % 2 == 1;
		expect_same_end(name, in_other ? other : sim, in_other ? &other_log : &log, point, &alone);
	}
	for (int i = 0; i < SNAPSHOTS; i++) {
		weir_sim_snapshot_destroy(points[i].snapshot);
	}
	weir_sim_destroy(other);
	weir_sim_destroy(sim);
}

START_TEST(restored_simulations_go_on_the_same)
{
	gsl_rng *random = weir_stream_create(2, "snapshots", 0);
	for (size_t i = 0; i < CASE_COUNT; i++) {
		const weir_config *config = load_case(&cases[i]);
		check_snapshots(cases[i].name, config, random);
		weir_config_destroy(config);
	}
	gsl_rng_free(random);
}
END_TEST

START_TEST(compressed_traces_are_restored)
{
	size_t size = 0;
	char *text = test_read_file(TRACES "syn_conv.csv", &size);
	const char *path = test_path("trace.csv.gz");
	gzFile file = gzopen(path, "wb");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(gzwrite(file, text, (unsigned)size), (int)size);
	ck_assert_int_eq(gzclose(file), Z_OK);
	free(text);
	char set[600];
	snprintf(set, sizeof set, "trace.path=%s", path);
	gsl_rng *random = weir_stream_create(3, "snapshots", 0);
	const weir_config *config = test_config(TEST_PARITY_CONFIG, set, "trace.repeat=2", NULL);
	const weir_config *plain = test_config(TEST_PARITY_CONFIG, "trace.path=" TRACES "syn_conv.csv",
	                                       "trace.repeat=2", NULL);
	event_log compressed_log = run_alone(config);
	event_log plain_log = run_alone(plain);
	ck_assert(same_log(&compressed_log, &plain_log));
	check_snapshots("compressed", config, random);
	weir_config_destroy(plain);
	weir_config_destroy(config);
	gsl_rng_free(random);
}
END_TEST

START_TEST(pipes_have_no_snapshots)
{
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	static const char text[] = "request_id,arrival_timestamp,prompt_size,token_size\n"
	                           "0,0,100,20\n1,1,200,5\n";
	ck_assert_int_eq(write(ends[1], text, sizeof text - 1), (ssize_t)sizeof text - 1);
	ck_assert_int_eq(close(ends[1]), 0);
	char set[64];
	snprintf(set, sizeof set, "trace.path=/dev/fd/%d", ends[0]);
	const weir_config *config = test_config(TEST_PARITY_CONFIG, set, NULL);
	event_log log;
	weir_sim *sim = start(config, &log);
	weir_sim_snapshot *snapshot = NULL;
	weir_error error = {0};
	ck_assert_int_eq(weir_sim_save(sim, &snapshot, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_null(snapshot);
	ck_assert_ptr_nonnull(strstr(error.message, "pipe"));
	/* The run itself is as it was. */
	while (run_events(sim, 10)) {
	}
	ck_assert_uint_eq(log.rows, 2);
	weir_sim_destroy(sim);
	weir_config_destroy(config);
	close(ends[0]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run/sim");
	TCase *tests = tcase_create("sim");
	tcase_set_timeout(tests, 250);
	tcase_add_test(tests, the_same_seed_gives_the_same_digest);
	tcase_add_test(tests, a_recorded_config_repeats_its_run);
	tcase_add_test(tests, event_logs_are_as_they_were);
	tcase_add_test(tests, interleaved_simulations_equal_each_alone);
	tcase_add_test(tests, restored_simulations_go_on_the_same);
	tcase_add_test(tests, compressed_traces_are_restored);
	tcase_add_test(tests, pipes_have_no_snapshots);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
