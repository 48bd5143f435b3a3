/*
 * Boot models: how long it takes until a new server is there and a new instance serves.
 *
 * A boot has two parts, one after the other: the server (its provision) and the instance (loading
 * its weights, starting its engine). With boot kind fixed scale_up_delay is the length of either
 * part, and of both together.
 */
#ifndef WEIR_SCALING_BOOT_H
#define WEIR_SCALING_BOOT_H

#include <gsl/gsl_rng.h>
#include <stdbool.h>

#include "base/export.h"
#include "scaling/scaling_config.h"

WEIR_BEGIN_C

/* One length of time, s. A constant draws nothing from `random`. */
WEIR_API double weir_duration_draw(const weir_duration_config *duration, gsl_rng *random);

/* What boots. */
typedef struct weir_boot {
	double weights; /* bytes that an instance loads */
	bool warm;      /* the server was a stopped one of the warm pool: it needs no provision */
} weir_boot;

/* Seconds of each part, drawn: first the provision, then the engine's start. */
WEIR_API double weir_boot_server(const weir_scaling_config *config, const weir_boot *boot,
                                 gsl_rng *random);
WEIR_API double weir_boot_instance(const weir_scaling_config *config, const weir_boot *boot,
                                   gsl_rng *random);
/* Seconds until a server and an instance that are started together are both there. */
WEIR_API double weir_boot_full(const weir_scaling_config *config, const weir_boot *boot,
                               gsl_rng *random);
/* The mean of weir_boot_full. */
WEIR_API double weir_boot_mean(const weir_scaling_config *config, const weir_boot *boot);

WEIR_END_C

#endif
