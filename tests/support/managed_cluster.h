/* A small cluster (small_cluster.h) with a ScalingManager, its log kept as text. */
#ifndef WEIR_TESTS_MANAGED_CLUSTER_H
#define WEIR_TESTS_MANAGED_CLUSTER_H

#include "scaling/faults.h"
#include "scaling/manager.h"
#include "support/small_cluster.h"

typedef struct managed_cluster {
	small_cluster *cluster;
	weir_scaling_config config; /* borrowed by the manager: some of it may change on the way */
	weir_manager *manager;
	weir_faults_config faults_config;
	uint64_t faults_seed;
	weir_faults *faults; /* NULL until managed_faults */
	weir_submission *arrivals;
	size_t arrival_count, arrival_capacity;
	char *log; /* lines, each with a newline */
	size_t log_length, log_capacity;
	weir_scaling_event_row *events;
	size_t event_count, event_capacity;
	weir_instance_view *ended; /* instances, as they went */
	size_t ended_count, ended_capacity;
	uint32_t servers_ended;
	bool check; /* serving's invariants after every event; on at first */
} managed_cluster;

/* The defaults of the config, without tables: fixed boots of 10 s. */
extern const weir_scaling_config managed_defaults;

/* Takes over a described, not yet started small cluster. */
managed_cluster *managed_cluster_create(small_cluster *cluster, const weir_scaling_config *config);
void managed_cluster_destroy(managed_cluster *managed);

/* An application of single-GPU servers, one for each letter: p, t, m. With `gpus` instances each.
 */
small_cluster *managed_servers(const char *scheduler, const char *tags, int64_t gpus);

/* Faults from now on. */
void managed_faults(managed_cluster *managed, const weir_faults_config *config, uint64_t seed);

void managed_arrive(managed_cluster *managed, double time, int64_t prompt_tokens,
                    int64_t output_tokens);
/* One event at or before `until`; false when there is none. */
bool managed_step(managed_cluster *managed, double until);
/* All events up to `until`; the clock then stands there (when finite). */
void managed_run(managed_cluster *managed, double until);

/* Everything at the same point of its run, made anew and copied. */
managed_cluster *managed_copy(const managed_cluster *source);

/* Sets `target`, made from `source` by managed_copy or the other way round, to where `source` is.
 */
void managed_assign(managed_cluster *target, const managed_cluster *source);

/* What the log has said since the last call; valid until the next line. */
const char *managed_log(managed_cluster *managed);

weir_instance_view managed_view(const managed_cluster *managed, uint32_t slot);
weir_status_summary managed_status(const managed_cluster *managed);
weir_manager_counters managed_counters(const managed_cluster *managed);

#endif
