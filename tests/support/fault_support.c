#include "support/fault_support.h"

#include <math.h>

#include "base/random.h"
#include "support/test_support.h"

double fault_uniform(const char *stream, uint64_t index)
{
	return ldexp((double)(weir_stream_seed(FAULT_SEED, stream, index) >> 11), -53);
}

double fault_exponential(const char *stream, uint64_t id, uint64_t draw, double mean)
{
	return -mean * log1p(-fault_uniform(stream, id << 32 | draw));
}

double fault_lifetime(const char *stream, uint64_t id, double mean)
{
	return -mean * log1p(-fault_uniform(stream, id));
}

managed_cluster *faulty_cluster(const char *tags, int64_t gpus, const weir_faults_config *faults)
{
	weir_scaling_config config = managed_defaults;
	config.max_total_instances = 2 * MANY;
	small_cluster *cluster = managed_servers("jsq", tags, gpus);
	cluster->config.max_retries = 2;
	managed_cluster *managed = managed_cluster_create(cluster, &config);
	managed_faults(managed, faults, FAULT_SEED);
	return managed;
}

weir_faults_counters faults_of(const managed_cluster *managed)
{
	weir_faults_counters counters;
	weir_faults_counters_get(managed->faults, &counters);
	return counters;
}

weir_serving_counters served(const managed_cluster *managed)
{
	weir_serving_counters counters;
	weir_serving_counters_get(managed->cluster->serving, &counters);
	return counters;
}

weir_instance_handle scale_up(managed_cluster *managed)
{
	const weir_scale_request request = {.tag = WEIR_TAG_MIXED, .type = WEIR_ANY_TYPE};
	weir_instance_handle made;
	ck_assert_int_eq(weir_manager_scale_up_full(managed->manager, "test", &request, &made),
	                 WEIR_REFUSED_NONE);
	return made;
}

const weir_scaling_event_row *row_of(const managed_cluster *managed, weir_scaling_action action,
                                     size_t skip)
{
	for (size_t i = 0; i < managed->event_count; i++) {
		if (managed->events[i].action == action && skip-- == 0) {
			return &managed->events[i];
		}
	}
	return NULL;
}

uint64_t rows_of(const managed_cluster *managed, weir_scaling_action action)
{
	uint64_t count = 0;
	for (size_t i = 0; i < managed->event_count; i++) {
		count += managed->events[i].action == action;
	}
	return count;
}

void check_share(uint64_t count, double trials, double p)
{
	ck_assert_double_eq_tol((double)count, trials * p, 4 * sqrt(trials * p * (1 - p)));
}

const weir_faults_config no_faults = {
    .preemption_notice = 30,
    .slow_boot_factor = 3,
    .stock_out_duration = 600,
    .straggler_factor = 1.5,
    .replace = true,
    .max_retries = 2,
};
