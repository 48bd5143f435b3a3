/* Rules of an instance that random workloads seldom meet, each in a case of its own. */
#include <math.h>

#include "support/small_cluster.h"
#include "support/test_support.h"

static const small_server server = {
    .tag = WEIR_TAG_MIXED,
    .gpus = 1,
    .kv_tokens = 10000,
    .nic_bytes_per_s = 1e6,
    .tdp_w = 1000,
    .speed = {.prompt_s = 1.0, .token_s = 1.0},
};

START_TEST(a_second_pause_does_nothing)
{
	small_cluster *cluster = small_cluster_create();
	small_application *application = small_cluster_add(cluster, "round_robin", "orca");
	small_application_add_server(application, &server);
	small_server fast = server;
	fast.speed.prompt_s = 0.25;
	small_application_add_server(application, &fast);
	small_cluster_start(cluster);
	small_cluster_arrive(cluster, 0.0, 0, 10, 3); /* on 0: ends at 3 s */
	small_cluster_arrive(cluster, 0.0, 0, 10, 1);
	small_cluster_arrive(cluster, 2.25, 0, 10, 1);  /* pauses 0, whose event stays at 3 s */
	small_cluster_arrive(cluster, 2.75, 0, 10, 1);  /* on 1: ends at 3 s, too, but later */
	small_cluster_arrive(cluster, 2.875, 0, 10, 1); /* on 0: must not put its event behind */
	small_cluster_run(cluster, 3.0);
	ck_assert_uint_eq(cluster->row_count, 3);
	ck_assert_int_eq(cluster->rows[1].request_id, 0);
	ck_assert_int_eq(cluster->rows[2].request_id, 3);
	small_cluster_destroy(cluster);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("serving/instance");
	TCase *tests = tcase_create("instance");
	tcase_add_test(tests, a_second_pause_does_nothing);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
