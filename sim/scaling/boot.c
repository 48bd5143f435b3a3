#include "scaling/boot.h"

#include <gsl/gsl_math.h>
#include <gsl/gsl_randist.h>
#include <math.h>

#include "hardware/hardware.h"

double weir_duration_draw(const weir_duration_config *duration, gsl_rng *random)
{
	double mean = duration->mean;
	if (mean <= 0) {
		return 0;
	}
	switch ((weir_duration_kind)duration->kind) {
	case WEIR_DURATION_EXPONENTIAL:
		return gsl_ran_exponential(random, mean);
	case WEIR_DURATION_LOGNORMAL: {
		/* exp(N(zeta, sigma^2)) has mean exp(zeta + sigma^2 / 2) and squared coefficient of
		 * variation exp(sigma^2) - 1. */
		double variance = log1p(gsl_pow_2(duration->cv));
		return gsl_ran_lognormal(random, log(mean) - variance / 2, sqrt(variance));
	}
	case WEIR_DURATION_UNIFORM:
		return gsl_ran_flat(random, mean * (1 - duration->spread), mean * (1 + duration->spread));
	case WEIR_DURATION_CONSTANT:
		break;
	}
	return mean;
}

static double load_seconds(const weir_scaling_config *config, const weir_boot *boot)
{
	return boot->weights / (config->boot.load_bandwidth_gb_per_s * WEIR_BYTES_PER_GB);
}

double weir_boot_server(const weir_scaling_config *config, const weir_boot *boot, gsl_rng *random)
{
	if (config->boot.kind == WEIR_BOOT_FIXED) {
		return config->scale_up_delay;
	}
	return boot->warm ? 0 : weir_duration_draw(&config->boot.provision, random);
}

double weir_boot_instance(const weir_scaling_config *config, const weir_boot *boot, gsl_rng *random)
{
	if (config->boot.kind == WEIR_BOOT_FIXED) {
		return config->scale_up_delay;
	}
	return load_seconds(config, boot) + weir_duration_draw(&config->boot.engine_start, random);
}

double weir_boot_full(const weir_scaling_config *config, const weir_boot *boot, gsl_rng *random)
{
	if (config->boot.kind == WEIR_BOOT_FIXED) {
		return config->scale_up_delay;
	}
	double server = weir_boot_server(config, boot, random);
	return server + weir_boot_instance(config, boot, random);
}

double weir_boot_mean(const weir_scaling_config *config, const weir_boot *boot)
{
	if (config->boot.kind == WEIR_BOOT_FIXED) {
		return config->scale_up_delay;
	}
	return (boot->warm ? 0 : config->boot.provision.mean) + load_seconds(config, boot) +
	       config->boot.engine_start.mean;
}
