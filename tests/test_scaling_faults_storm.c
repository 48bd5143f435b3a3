/* All faults together (label: long): nothing is lost silently, and copies go on identically. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "support/fault_support.h"
#include "support/test_support.h"

enum { SEEDS = 4, SCHEDULERS = 3, REQUESTS = 3000 };

static const char actor[] = "test";

static const weir_faults_config all_faults = {
    .instance_mtbf = 150,
    .server_mtbf = 400,
    .preemption_mtbf = 250,
    .preemption_notice = 5,
    .spot_share = 0.5,
    .boot_failure = 0.2,
    .slow_boot = 0.2,
    .slow_boot_factor = 3,
    .stock_out_mtbf = 100,
    .stock_out_duration = 30,
    .straggler = 0.2,
    .straggler_factor = 2,
    .replace = true,
};

static const struct {
	const char *scheduler, *tags;
} kinds[SCHEDULERS] = {{"jsq", "mmm"}, {"kv_jsq", "ppttt"}, {"mixed_pool", "ppttt"}};

static const weir_tag tags[] = {WEIR_TAG_PROMPT, WEIR_TAG_TOKEN, WEIR_TAG_MIXED};

/* A cluster under load whose every other instance or so will be lost. */
static managed_cluster *stormy(int kind, uint64_t seed)
{
	small_cluster *cluster = managed_servers(kinds[kind].scheduler, kinds[kind].tags, 2);
	cluster->config.max_retries = 2;
	weir_scaling_config config = managed_defaults;
	config.max_total_instances = 14;
	config.drain_timeout = seed % 2 == 0 ? 0 : 20;
	managed_cluster *managed = managed_cluster_create(cluster, &config);
	managed_faults(managed, &all_faults, seed);
	gsl_rng *draws = weir_stream_create(seed, "arrivals", 0);
	double time = 0;
	for (int i = 0; i < REQUESTS; i++) {
		time += gsl_rng_uniform(draws) < 0.3 ? 0 : 1.5 * gsl_rng_uniform(draws);
		int64_t prompt = 1 + (int64_t)gsl_rng_uniform_int(draws, 800);
		managed_arrive(managed, time, prompt, 1 + (int64_t)gsl_rng_uniform_int(draws, 60));
	}
	gsl_rng_free(draws);
	return managed;
}

/* A policy of whims: of some pool more or fewer, or others. */
static void resize(managed_cluster *managed, gsl_rng *draws)
{
	weir_tag tag = tags[gsl_rng_uniform_int(draws, 3)];
	weir_tag other = tags[gsl_rng_uniform_int(draws, 3)];
	if (gsl_rng_uniform(draws) < 0.2) {
		weir_manager_migrate(managed->manager, actor, 0, tag, other, 1);
	} else {
		int64_t delta = (int64_t)gsl_rng_uniform_int(draws, 6) - 2;
		weir_manager_resize(managed->manager, actor, 0, tag, WEIR_ANY_TYPE, delta);
	}
}

/* What must go on when all of a pool is gone and could not be replaced. */
static void keep_alive(managed_cluster *managed)
{
	for (int t = 0; t < 3; t++) {
		if (weir_manager_has_pool(managed->manager, 0, tags[t]) &&
		    weir_manager_size(managed->manager, 0, tags[t]) == 0) {
			weir_manager_resize(managed->manager, actor, 0, tags[t], WEIR_ANY_TYPE, 1);
		}
	}
}

static void check_conservation(const managed_cluster *managed)
{
	weir_serving_counters c = served(managed);
	ck_assert_uint_eq(c.arrived, c.completed + c.failed + c.rejected + c.in_system);
	ck_assert_uint_eq(c.completed + c.failed + c.rejected, managed->cluster->row_count);
	ck_assert_uint_eq(c.retries + c.failed, faults_of(managed).requests_hit);
	ck_assert_uint_ge(c.moves, managed_counters(managed).requests_moved);
}

/* Every few seconds the policy acts; until all that arrive have ended, or `until`. */
static void run(managed_cluster *managed, gsl_rng *draws, double *next_tick, double until)
{
	while (served(managed).arrived < managed->arrival_count || served(managed).in_system > 0) {
		if (weir_engine_next_time(managed->cluster->engine) > *next_tick && *next_tick <= until) {
			weir_engine_advance(managed->cluster->engine, *next_tick);
			resize(managed, draws);
			keep_alive(managed);
			*next_tick += 7;
		} else if (!managed_step(managed, until)) {
			return;
		}
		check_conservation(managed);
	}
}

static void check_tokens(const managed_cluster *managed)
{
	weir_serving_counters c = served(managed);
	int64_t prompt = 0;
	int64_t output = 0;
	for (int t = 0; t < 3; t++) {
		weir_pool_counters pool;
		weir_serving_pool(managed->cluster->serving, 0, tags[t], &pool);
		prompt += pool.prompt_tokens;
		output += pool.output_tokens;
	}
	ck_assert_int_eq(prompt, c.prompt_tokens_completed + c.prompt_tokens_lost);
	ck_assert_int_eq(output, c.output_tokens_completed + c.output_tokens_lost);
	ck_assert_int_gt(c.prompt_tokens_lost, 0);
	ck_assert_int_gt(c.output_tokens_lost, 0);
}

static void check_rows(const managed_cluster *managed)
{
	bool seen[REQUESTS] = {0};
	uint64_t failed = 0;
	for (size_t i = 0; i < managed->cluster->row_count; i++) {
		const weir_request_row *row = &managed->cluster->rows[i];
		ck_assert(!seen[row->request_id]);
		seen[row->request_id] = true;
		failed += row->status == WEIR_REQUEST_FAILED;
		ck_assert(row->status != WEIR_REQUEST_FAILED || row->retries >= 2);
	}
	ck_assert_uint_eq(failed, served(managed).failed);
}

/* Whatever the policy did, an instance crashes at its hour after it was ACTIVE, unless it is gone
 * by then. (One that changed pools may have been spared.) */
static void check_fates(const managed_cluster *managed, uint64_t seed)
{
	bool crashed[10000] = {0};
	double times[10000];
	for (size_t i = 0; i < managed->event_count; i++) {
		if (managed->events[i].action == WEIR_SCALING_CRASHED) {
			crashed[managed->events[i].instance] = true;
			times[managed->events[i].instance] = managed->events[i].time;
		}
	}
	uint32_t checked = 0;
	for (size_t i = 0; i < managed->ended_count; i++) {
		const weir_instance_view *view = &managed->ended[i];
		uint32_t pools = 0;
		for (int t = 0; t < WEIR_TAG_COUNT; t++) {
			pools += view->tag_seconds[t] > 0;
		}
		if (pools != 1 || isnan(view->ready_since)) {
			ck_assert(pools != 1 || !crashed[view->id]);
			continue;
		}
		uint64_t word = weir_stream_seed(seed, "faults: crash", (uint64_t)view->id << 32);
		double crash =
		    view->ready_since - all_faults.instance_mtbf * log1p(-ldexp((double)(word >> 11), -53));
		double spent = 0;
		for (int s = 0; s < WEIR_INSTANCE_STATE_COUNT; s++) {
			spent += view->state_seconds[s];
		}
		if (crashed[view->id]) {
			ck_assert_double_eq_tol(crash, times[view->id], 1e-6);
			checked++;
		} else {
			ck_assert_double_ge(crash, view->created + spent - 1e-6);
		}
	}
	ck_assert_uint_gt(checked, 10);
}

START_TEST(nothing_is_lost_silently)
{
	int kind = _i % SCHEDULERS;
	uint64_t seed = (uint64_t)(_i / SCHEDULERS);
	managed_cluster *managed = stormy(kind, seed);
	gsl_rng *draws = weir_stream_create(seed, "policy", 0);
	double next_tick = 3;
	run(managed, draws, &next_tick, (double)INFINITY);
	weir_serving_counters c = served(managed);
	ck_assert_uint_eq(c.arrived, REQUESTS);
	ck_assert_uint_eq(c.in_system, 0);
	ck_assert_uint_eq(c.rejected, 0);
	ck_assert_uint_gt(c.completed, REQUESTS / 2);
	ck_assert_uint_gt(c.retries, 20);
	check_tokens(managed);
	check_rows(managed);
	check_fates(managed, seed);
	weir_faults_counters f = faults_of(managed);
	ck_assert_uint_gt(f.crashes, 20);
	ck_assert_uint_gt(f.servers_lost, 5);
	ck_assert_uint_gt(f.preemptions, 5);
	ck_assert_uint_gt(f.boots_failed, 10);
	ck_assert_uint_gt(f.boots_slow, 10);
	ck_assert_uint_gt(f.stock_outs, 5);
	ck_assert_uint_gt(f.stragglers, 10);
	gsl_rng_free(draws);
	managed_cluster_destroy(managed);
}
END_TEST

/* --- copies --- */

/* Bit for bit, field by field: there is padding between them. */
static void check_same_row(const weir_request_row *a, const weir_request_row *b)
{
#define CHECK_FIELD(field, type, column, unit, description)                                        \
	ck_assert_mem_eq(&a->field, &b->field, sizeof a->field);
	WEIR_REQUEST_ROW(CHECK_FIELD)
#undef CHECK_FIELD
}

/* The last rows of `a` are those of `b`, and so is what they have served. */
static void check_same(const managed_cluster *a, const managed_cluster *b)
{
	ck_assert_uint_gt(b->event_count, 20);
	ck_assert_uint_ge(a->event_count, b->event_count);
	const weir_scaling_event_row *rows = a->events + (a->event_count - b->event_count);
	for (size_t i = 0; i < b->event_count; i++) {
		ck_assert_double_eq(rows[i].time, b->events[i].time);
		ck_assert_int_eq(rows[i].action, b->events[i].action);
		ck_assert_int_eq(rows[i].instance, b->events[i].instance);
		ck_assert_int_eq(rows[i].server, b->events[i].server);
		ck_assert_int_eq(rows[i].done, b->events[i].done);
	}
	ck_assert_uint_eq(a->cluster->row_count, b->cluster->row_count);
	for (size_t i = 0; i < a->cluster->row_count; i++) {
		check_same_row(&a->cluster->rows[i], &b->cluster->rows[i]);
	}
	weir_faults_counters of_a = faults_of(a);
	weir_faults_counters of_b = faults_of(b);
	ck_assert_mem_eq(&of_a, &of_b, sizeof of_a);
	ck_assert_uint_eq(weir_faults_background(a->faults), weir_faults_background(b->faults));
}

/* Scales by a script that follows from the time alone. */
static void follow(managed_cluster *managed, double from, double until)
{
	for (double time = from; time < until; time += 10) {
		gsl_rng *draws = weir_stream_create(11, "script", (uint64_t)time);
		managed_run(managed, time);
		resize(managed, draws);
		keep_alive(managed);
		gsl_rng_free(draws);
	}
	managed_run(managed, until);
}

START_TEST(a_copy_goes_on_identically)
{
	int kind = _i % SCHEDULERS;
	managed_cluster *managed = stormy(kind, 21);
	double at = 200 + 37.5 * _i;
	follow(managed, 5, at);
	managed_cluster *copy = managed_copy(managed);
	managed_cluster *kept = managed_copy(managed);
	ck_assert_uint_eq(weir_faults_background(copy->faults),
	                  weir_faults_background(managed->faults));
	/* The copy goes elsewhere first, far enough to use more slots, and is set back. */
	for (int i = 0; i < 5; i++) {
		weir_manager_resize(copy->manager, actor, 0, tags[i % 3], WEIR_ANY_TYPE, 8);
		managed_run(copy, at + 40 * (i + 1));
	}
	managed_assign(copy, kept);
	copy->event_count = 0;
	follow(managed, at, 1000);
	follow(copy, at, 1000);
	follow(kept, at, 1000);
	check_same(managed, copy);
	check_same(managed, kept);
	managed_cluster_destroy(managed);
	managed_cluster_destroy(copy);
	managed_cluster_destroy(kept);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/faults_storm");
	TCase *tests = tcase_create("storm");
	tcase_set_timeout(tests, 600);
	tcase_add_loop_test(tests, nothing_is_lost_silently, 0, SEEDS * SCHEDULERS);
	tcase_add_loop_test(tests, a_copy_goes_on_identically, 0, 2 * SCHEDULERS);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
