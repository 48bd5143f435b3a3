#include "hardware/hardware.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "support/test_support.h"

static weir_arena *arena;

static void set_up(void)
{
	arena = weir_arena_create();
}

static void tear_down(void)
{
	weir_arena_destroy(arena);
}

/* Reads the "hardware" of `json`. */
static weir_status read_hardware(cJSON *json, weir_hardware *hardware, weir_error *error)
{
	ck_assert_ptr_nonnull(json);
	weir_keys_reader reader = {.arena = arena, .file = "h.json"};
	weir_status status =
	    weir_keys_read(&reader, &weir_hardware_keys, cJSON_GetObjectItem(json, "hardware"),
	                   "hardware", hardware, error);
	cJSON_Delete(json);
	return status;
}

START_TEST(shipped_catalogue_has_the_published_figures)
{
	cJSON *json = NULL;
	weir_error error = {0};
	weir_hardware hardware;
	ck_assert_ok(weir_json_load(WEIR_SOURCE_DIR "/configs/hardware/dgx.json", &json, &error),
	             &error);
	ck_assert_ok(read_hardware(json, &hardware, &error), &error);

	static const struct {
		const char *name;
		int64_t memory_bytes;
		double bf16, fp8, bandwidth;
	} gpus[] = {
	    {"a100-80gb", 85899345920, 312.0, 0.0, 2.039},
	    {"h100-80gb", 85899345920, 989.5, 1979.0, 3.35},
	    {"h100-80gb-pcap", 85899345920, 989.5, 1979.0, 3.35},
	    {"l40s", 51539607552, 362.05, 1466.0, 0.864},
	};
	ck_assert_uint_eq(hardware.gpus.count, sizeof gpus / sizeof gpus[0]);
	for (size_t i = 0; i < hardware.gpus.count; i++) {
		const weir_gpu *gpu = weir_hardware_gpu(&hardware, gpus[i].name);
		ck_assert_ptr_nonnull(gpu);
		ck_assert_int_eq(gpu->memory_bytes, gpus[i].memory_bytes);
		ck_assert_double_eq(gpu->bf16_tflops, gpus[i].bf16);
		ck_assert_double_eq(gpu->fp8_tflops, gpus[i].fp8);
		ck_assert_double_eq(gpu->memory_tb_per_s, gpus[i].bandwidth);
		ck_assert_double_gt(gpu->mfu_prefill, gpu->mfu_decode);
		ck_assert_double_gt(gpu->mfu_decode, 0.0);
	}

	static const struct {
		const char *name, *gpu;
		double tdp_w, price, power;
	} servers[] = {
	    {"dgx-a100", "a100-80gb", 6500.0, 17.68, 24.8},
	    {"dgx-h100", "h100-80gb", 10200.0, 38.08, 44.0},
	    {"dgx-h100-pcap", "h100-80gb-pcap", 7140.0, 38.08, 30.8},
	};
	ck_assert_uint_eq(hardware.servers.count, sizeof servers / sizeof servers[0]);
	for (size_t i = 0; i < hardware.servers.count; i++) {
		const weir_server_sku *sku = weir_hardware_server(&hardware, servers[i].name);
		ck_assert_ptr_nonnull(sku);
		ck_assert_str_eq(sku->gpu, servers[i].gpu);
		ck_assert_int_eq(sku->gpu_count, 8);
		ck_assert_double_eq(sku->tdp_w, servers[i].tdp_w);
		ck_assert_double_eq(sku->price_per_hour, servers[i].price);
		ck_assert_double_eq(sku->provisioned_power, servers[i].power);
		ck_assert_ptr_nonnull(weir_hardware_nic(&hardware, sku->nic));
	}

	/* 200 Gb/s = 25e9 bytes/s. */
	const weir_nic *nic = weir_hardware_nic(&hardware, "infiniband-200g");
	ck_assert_ptr_nonnull(nic);
	ck_assert_double_eq(nic->bandwidth_gb_per_s, 25e9 / (1024.0 * 1024.0 * 1024.0));
	ck_assert_ptr_null(weir_hardware_gpu(&hardware, "dgx-a100"));
	ck_assert_ptr_null(weir_hardware_nic(&hardware, ""));
	ck_assert_ptr_null(weir_hardware_server(&hardware, "dgx-a10"));
}
END_TEST

#define GPU "\"gpus\": {\"a100-80gb\": {\"memory_bytes\": 85899345920}}"
#define SERVER(fields)                                                                             \
	"{\"hardware\": {" GPU ", \"servers\": {\"s\": {\"gpu_count\": 8, \"tdp_w\": 6500, "           \
	"\"price_per_hour\": 1, " fields "}}}}"

START_TEST(bad_catalogues_are_refused)
{
	static const struct {
		const char *text, *where, *message;
	} cases[] = {
	    {SERVER("\"gpu\": \"a100-80b\""), "h.json: hardware.servers.s.gpu",
	     "unknown GPU 'a100-80b'; did you mean 'a100-80gb'?"},
	    {SERVER("\"gpu\": \"a100-80gb\", \"nic\": \"x\""), "h.json: hardware.servers.s.nic",
	     "unknown NIC 'x'"},
	    {SERVER("\"gpu\": \"a100-80gb\", \"GPU\": 1"), "h.json: hardware.servers.s.GPU", "gpu"},
	    {SERVER("\"nic\": \"\""), "h.json: hardware.servers.s", "missing"},
	    {"{\"hardware\": {\"gpus\": {\"g\": {\"memory_bytes\": 0}}}}",
	     "h.json: hardware.gpus.g.memory_bytes", "from 1"},
	    {"{\"hardware\": {\"gpus\": {\"g\": {\"memory_bytes\": 1.5}}}}",
	     "h.json: hardware.gpus.g.memory_bytes", "1.5"},
	    {"{\"hardware\": {\"gpus\": {\"g\": {\"memory_bytes\": 1, \"mfu_decode\": 1.1}}}}",
	     "h.json: hardware.gpus.g.mfu_decode", "1.1"},
	    {"{\"hardware\": {\"nics\": {\"n\": {\"bandwidth_gb_per_s\": 0}}}}",
	     "h.json: hardware.nics.n.bandwidth_gb_per_s", "above 0"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		weir_error error = {0};
		weir_hardware hardware;
		ck_assert_int_eq(read_hardware(cJSON_Parse(cases[i].text), &hardware, &error),
		                 WEIR_ERROR_INPUT);
		ck_assert_msg(strncmp(error.where, cases[i].where, strlen(cases[i].where)) == 0,
		              "case %zu: %s: %s", i, error.where, error.message);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "case %zu: %s: %s", i,
		              error.where, error.message);
	}
}
END_TEST

START_TEST(a_server_may_have_no_nic)
{
	weir_error error = {0};
	weir_hardware hardware;
	ck_assert_ok(read_hardware(cJSON_Parse(SERVER("\"gpu\": \"a100-80gb\"")), &hardware, &error),
	             &error);
	ck_assert_str_eq(weir_hardware_server(&hardware, "s")->nic, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hardware");
	TCase *tests = tcase_create("catalogue");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, shipped_catalogue_has_the_published_figures);
	tcase_add_test(tests, bad_catalogues_are_refused);
	tcase_add_test(tests, a_server_may_have_no_nic);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
