#include "hardware/hardware.h"

#include <stddef.h>
#include <string.h>

#include "base/memory.h"

/* Bounds that no machine of this century reaches; they keep products of them finite and exact. */
#define LARGEST_BYTES  1e15
#define LARGEST_FIGURE 1e9

static const weir_key gpu_keys[] = {
    {.name = "memory_bytes",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_gpu, memory_bytes),
     .minimum = 1,
     .maximum = LARGEST_BYTES,
     .unit = "bytes",
     .doc = "Memory of one GPU."},
    {.name = "bf16_tflops",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_gpu, bf16_tflops),
     .default_text = "0",
     .maximum = LARGEST_FIGURE,
     .unit = "TFLOP/s",
     .doc = "Peak dense bf16 rate, for analytic execution-time models; 0: not known."},
    {.name = "fp8_tflops",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_gpu, fp8_tflops),
     .default_text = "0",
     .maximum = LARGEST_FIGURE,
     .unit = "TFLOP/s",
     .doc = "Peak fp8 rate, used for weights of one byte a parameter; 0: the GPU has none."},
    {.name = "memory_tb_per_s",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_gpu, memory_tb_per_s),
     .default_text = "0",
     .maximum = LARGEST_FIGURE,
     .unit = "TB/s",
     .doc = "Peak memory bandwidth, TB = 10^12 bytes; 0: not known."},
    {.name = "mfu_prefill",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_gpu, mfu_prefill),
     .default_text = "0",
     .maximum = 1,
     .doc = "Share of the peak rate that prompt work achieves; 0: not known."},
    {.name = "mfu_decode",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_gpu, mfu_decode),
     .default_text = "0",
     .maximum = 1,
     .doc = "Share of the peak rate that token work achieves; 0: not known."},
};

static const weir_key_table gpu_table = {
    .name = "GPU",
    .doc = "One kind of GPU.",
    .size = sizeof(weir_gpu),
    .keys = gpu_keys,
    .key_count = sizeof gpu_keys / sizeof gpu_keys[0],
};

static const weir_key nic_keys[] = {
    {.name = "bandwidth_gb_per_s",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_nic, bandwidth_gb_per_s),
     .maximum = LARGEST_FIGURE,
     .flags = WEIR_KEY_REQUIRED | WEIR_KEY_ABOVE_MINIMUM,
     .unit = "GB/s",
     .doc = "Bandwidth in one direction of all ports together, GB = 1024^3 bytes."},
};

static const weir_key_table nic_table = {
    .name = "NIC",
    .doc = "The network interface of a server.",
    .size = sizeof(weir_nic),
    .keys = nic_keys,
    .key_count = sizeof nic_keys / sizeof nic_keys[0],
};

static const weir_key server_keys[] = {
    {.name = "gpu",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_server_sku, gpu),
     .flags = WEIR_KEY_REQUIRED,
     .doc = "Name of a GPU of this catalogue."},
    {.name = "gpu_count",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_server_sku, gpu_count),
     .minimum = 1,
     .maximum = 1024,
     .flags = WEIR_KEY_REQUIRED,
     .doc = "GPUs in the server."},
    {.name = "nic",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_server_sku, nic),
     .default_text = "\"\"",
     .doc = "Name of a NIC of this catalogue; \"\": none."},
    {.name = "tdp_w",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_server_sku, tdp_w),
     .maximum = LARGEST_FIGURE,
     .flags = WEIR_KEY_REQUIRED,
     .unit = "W",
     .doc = "Thermal design power of the whole server, of which power figures are shares."},
    {.name = "price_per_hour",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_server_sku, price_per_hour),
     .maximum = LARGEST_FIGURE,
     .flags = WEIR_KEY_REQUIRED,
     .unit = "$/h",
     .doc = "US dollars per server-hour."},
    {.name = "provisioned_power",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_server_sku, provisioned_power),
     .default_text = "0",
     .maximum = LARGEST_FIGURE,
     .doc = "Provisioned power in the units of iso-power comparisons, in which 40 dgx-h100 equal "
            "70 dgx-a100; 0: not known."},
};

static const weir_key_table server_table = {
    .name = "server SKU",
    .doc = "One kind of server.",
    .size = sizeof(weir_server_sku),
    .keys = server_keys,
    .key_count = sizeof server_keys / sizeof server_keys[0],
};

static const weir_key hardware_keys[] = {
    {.name = "gpus",
     .type = WEIR_KEY_MAP,
     .offset = offsetof(weir_hardware, gpus),
     .table = &gpu_table,
     .doc = "GPUs by name."},
    {.name = "nics",
     .type = WEIR_KEY_MAP,
     .offset = offsetof(weir_hardware, nics),
     .table = &nic_table,
     .doc = "NICs by name."},
    {.name = "servers",
     .type = WEIR_KEY_MAP,
     .offset = offsetof(weir_hardware, servers),
     .table = &server_table,
     .doc = "Server SKUs by name."},
};

/* Every item of a map begins with its name. */
static const void *find(const weir_key_list *list, size_t size, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		const void *item = (const char *)list->items + i * size;
		if (strcmp(*(const char *const *)item, name) == 0) {
			return item;
		}
	}
	return NULL;
}

/* Refuses a server's reference to a GPU or NIC that `known` does not have. */
static weir_status fail_unknown(weir_keys_reader *reader, const char *sku_path, const char *key,
                                const char *what, const char *name, const weir_key_list *known,
                                size_t size, weir_error *error)
{
	const char **names = weir_arena_allocate(reader->arena, known->count, sizeof *names);
	if (names == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the catalogue");
	}
	for (size_t i = 0; i < known->count; i++) {
		names[i] = *(const char *const *)((const char *)known->items + i * size);
	}
	return weir_keys_fail_unknown(reader, weir_keys_path(reader, sku_path, key), what, name, names,
	                              known->count, error);
}

static weir_status check_hardware(weir_keys_reader *reader, const char *path, void *object,
                                  weir_error *error)
{
	const weir_hardware *hardware = object;
	const weir_server_sku *servers = hardware->servers.items;
	const char *servers_path = weir_keys_path(reader, path, "servers");
	for (size_t i = 0; i < hardware->servers.count; i++) {
		const weir_server_sku *sku = &servers[i];
		const char *sku_path = weir_keys_path(reader, servers_path, sku->name);
		if (weir_hardware_gpu(hardware, sku->gpu) == NULL) {
			return fail_unknown(reader, sku_path, "gpu", "GPU", sku->gpu, &hardware->gpus,
			                    sizeof(weir_gpu), error);
		}
		if (sku->nic[0] != '\0' && weir_hardware_nic(hardware, sku->nic) == NULL) {
			return fail_unknown(reader, sku_path, "nic", "NIC", sku->nic, &hardware->nics,
			                    sizeof(weir_nic), error);
		}
	}
	return WEIR_OK;
}

const weir_key_table weir_hardware_keys = {
    .name = "hardware",
    .doc = "The hardware catalogue.",
    .size = sizeof(weir_hardware),
    .keys = hardware_keys,
    .key_count = sizeof hardware_keys / sizeof hardware_keys[0],
    .check = check_hardware,
};

const weir_gpu *weir_hardware_gpu(const weir_hardware *hardware, const char *name)
{
	return find(&hardware->gpus, sizeof(weir_gpu), name);
}

const weir_nic *weir_hardware_nic(const weir_hardware *hardware, const char *name)
{
	return find(&hardware->nics, sizeof(weir_nic), name);
}

const weir_server_sku *weir_hardware_server(const weir_hardware *hardware, const char *name)
{
	return find(&hardware->servers, sizeof(weir_server_sku), name);
}
