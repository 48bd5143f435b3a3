/* One policy on one pool whose view is made up. */
#ifndef WEIR_TESTS_POOL_VIEWS_H
#define WEIR_TESTS_POOL_VIEWS_H

#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "scaling/policy.h"

typedef struct pool_bench {
	const weir_policy_type *type;
	weir_scaling_config scaling;
	weir_policy_context context;
	weir_view view; /* the next tick's; the test sets what is in it */
	weir_view_pool *pool;
	weir_arena *arena;
	void *parameters, *state;
	size_t state_size;
	weir_error error;
} pool_bench;

typedef struct pool_setting {
	weir_tag tag;
	double interval;   /* s */
	double boot_delay; /* s */
} pool_setting;

/* Reads the parameters from JSON text and starts the policy; what its start says. Parameters that
 * the table refuses fail the test. */
weir_status pool_bench_open(pool_bench *bench, const weir_policy_type *type,
                            const weir_key_table *table, const char *json, pool_setting setting);
void pool_bench_close(pool_bench *bench);

/* Whether the table refuses the parameters. */
bool pool_parameters_refused(const weir_key_table *table, const char *json, weir_error *error);

/* One tick: view.interval is the time since the tick before. */
weir_decision pool_bench_tick(pool_bench *bench, double now);

/* The size that the pool would have after the decision: what it has, when it is empty. */
int64_t pool_bench_size_after(const pool_bench *bench, const weir_decision *decision);

/* Requests grow by one a tick, from none at tick 0; the pool keeps its size. The first tick at
 * which the policy asks for more than that. */
int pool_bench_ramp(pool_bench *bench);

/* Ticks from `now` on with nothing to do, the pool taking every size at once, `count` times. The
 * last size. */
int64_t pool_bench_idle(pool_bench *bench, double now, int count);

#endif
