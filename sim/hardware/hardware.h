/*
 * The hardware catalogue: GPUs, NICs and servers (SKUs) by name, with power and price.
 *
 * All of it comes from JSON (configs/hardware/); nothing here is built in.
 */
#ifndef WEIR_HARDWARE_HARDWARE_H
#define WEIR_HARDWARE_HARDWARE_H

#include <stdint.h>

#include "base/export.h"
#include "base/keys.h"

WEIR_BEGIN_C

/* What a GB is in every bandwidth and figure: 1024^3 bytes. */
#define WEIR_BYTES_PER_GB (1024.0 * 1024.0 * 1024.0)

typedef struct weir_gpu {
	const char *name;
	int64_t memory_bytes;
	/* For analytic execution-time models; 0 where not known. */
	double bf16_tflops, fp8_tflops;
	double memory_tb_per_s;
	double mfu_prefill, mfu_decode; /* achieved share of the peak, 0..1 */
} weir_gpu;

typedef struct weir_nic {
	const char *name;
	double bandwidth_gb_per_s; /* GB = 1024^3 bytes */
} weir_nic;

typedef struct weir_server_sku {
	const char *name;
	const char *gpu; /* name in the GPU catalogue */
	int64_t gpu_count;
	const char *nic; /* name in the NIC catalogue; "" for none */
	double tdp_w;
	double price_per_hour;    /* US dollars per server-hour */
	double provisioned_power; /* in the iso-power units of docs: 40 dgx-h100 = 70 dgx-a100 */
} weir_server_sku;

typedef struct weir_hardware {
	weir_key_list gpus;    /* of weir_gpu */
	weir_key_list nics;    /* of weir_nic */
	weir_key_list servers; /* of weir_server_sku */
} weir_hardware;

WEIR_API extern const weir_key_table weir_hardware_keys;

/* By name; NULL when there is none. */
WEIR_API const weir_gpu *weir_hardware_gpu(const weir_hardware *hardware, const char *name);
WEIR_API const weir_nic *weir_hardware_nic(const weir_hardware *hardware, const char *name);
WEIR_API const weir_server_sku *weir_hardware_server(const weir_hardware *hardware,
                                                     const char *name);

WEIR_END_C

#endif
