#include "analysis/series.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "metrics/quantile.h"

/* Bins that reach `end`; a boundary that is hit but for rounding needs no bin of its own. */
static size_t bins_needed(double width, double end)
{
	double needed = ceil(end / width - 1e-9);
	return needed >= 1 ? (size_t)needed : 1;
}

weir_bins weir_bins_over(double end, size_t most)
{
	static const double steps[] = {1, 1.5, 2, 3, 4, 5, 6, 8, 10};
	if (!(end > 0) || !isfinite(end)) {
		return (weir_bins){.width = 1, .count = 1};
	}
	double decade = pow(10, floor(log10(end / (double)most)) - 1);
	double width = decade;
	while (bins_needed(width, end) > most) {
		decade *= 10;
		for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
			width = steps[i] * decade;
			if (bins_needed(width, end) <= most) {
				break;
			}
		}
	}
	return (weir_bins){.width = width, .count = bins_needed(width, end)};
}

weir_bins weir_bins_of_interval(double interval, double end, size_t most)
{
	double multiple = fmax(1, ceil(end / interval / (double)most - 1e-9));
	double width = interval * multiple;
	return (weir_bins){.width = width, .count = bins_needed(width, end)};
}

static uint32_t clip(const weir_bins *bins, double bin)
{
	double last = (double)(bins->count - 1);
	return (uint32_t)(bin < last ? fmax(bin, 0) : last);
}

uint32_t weir_bin_at(const weir_bins *bins, double time)
{
	return time >= 0 ? clip(bins, floor(time / bins->width)) : WEIR_NO_BIN;
}

uint32_t weir_bin_ending(const weir_bins *bins, double time)
{
	return time >= 0 ? clip(bins, ceil(time / bins->width - 1e-6) - 1) : WEIR_NO_BIN;
}

void weir_bin_counts(const uint32_t *bin, const uint8_t *keep, size_t count, size_t bins,
                     double *counts)
{
	for (size_t b = 0; b < bins; b++) {
		counts[b] = 0;
	}
	for (size_t i = 0; i < count; i++) {
		if (bin[i] != WEIR_NO_BIN && (keep == NULL || keep[i] != 0)) {
			counts[bin[i]]++;
		}
	}
}

void weir_bin_sums(const uint32_t *bin, const double *values, size_t count, size_t bins,
                   double *sums)
{
	for (size_t b = 0; b < bins; b++) {
		sums[b] = 0;
	}
	for (size_t i = 0; i < count; i++) {
		if (bin[i] != WEIR_NO_BIN && !isnan(values[i])) {
			sums[bin[i]] += values[i];
		}
	}
}

static void bin_means(const uint32_t *bin, const double *weights, const double *values,
                      size_t count, size_t bins, double *result)
{
	/* A running mean. Rows come in the order of time, so the weight of one bin is all that need be
	 * remembered. */
	for (size_t b = 0; b < bins; b++) {
		result[b] = (double)NAN;
	}
	double weight = 0;
	uint32_t current = WEIR_NO_BIN;
	for (size_t i = 0; i < count; i++) {
		if (bin[i] == WEIR_NO_BIN || isnan(values[i]) || !(weights[i] > 0)) {
			continue;
		}
		if (bin[i] != current) {
			current = bin[i];
			weight = 0;
			result[current] = 0;
		}
		weight += weights[i];
		result[current] += (values[i] - result[current]) * (weights[i] / weight);
	}
}

void weir_bin_combine(weir_bin_kind kind, const uint32_t *bin, const double *weights,
                      const double *values, size_t count, size_t bins, double *result)
{
	if (kind == WEIR_BIN_MEAN) {
		bin_means(bin, weights, values, count, bins, result);
		return;
	}
	for (size_t b = 0; b < bins; b++) {
		result[b] = (double)NAN;
	}
	for (size_t i = 0; i < count; i++) {
		if (bin[i] != WEIR_NO_BIN && !isnan(values[i])) {
			double *into = &result[bin[i]];
			*into = kind == WEIR_BIN_LAST || !(*into > values[i]) ? values[i] : *into;
		}
	}
}

bool weir_bin_quantiles(const uint32_t *bin, const double *values, size_t count, size_t bins,
                        const double *probabilities, size_t probability_count, double *result)
{
	size_t *first = weir_allocate(bins + 1, sizeof *first);
	double *sorted = weir_allocate(count + 1, sizeof *sorted);
	double *found = weir_allocate(probability_count, sizeof *found);
	bool made = first != NULL && sorted != NULL && found != NULL;
	if (made) {
		/* A counting sort by bin; first[b + 1] counts up to where bin b ends. */
		for (size_t i = 0; i < count; i++) {
			if (bin[i] != WEIR_NO_BIN && isfinite(values[i])) {
				first[bin[i] + 1]++;
			}
		}
		for (size_t b = 0; b < bins; b++) {
			first[b + 1] += first[b];
		}
		for (size_t i = 0; i < count; i++) {
			if (bin[i] != WEIR_NO_BIN && isfinite(values[i])) {
				sorted[first[bin[i]]++] = values[i];
			}
		}
		for (size_t b = 0; b < bins; b++) {
			size_t from = b > 0 ? first[b - 1] : 0;
			weir_quantiles(sorted + from, first[b] - from, probabilities, probability_count, found);
			for (size_t p = 0; p < probability_count; p++) {
				result[p * bins + b] = found[p];
			}
		}
	}
	free(first);
	free(sorted);
	free(found);
	return made;
}

double weir_cdf_probability(size_t point)
{
	enum { HALF_PERCENTS = 199 }; /* 0 to 0.99; then 0.991 to 1 */
	return point < HALF_PERCENTS ? (double)point / 200.0
	                             : 0.99 + (double)(point - HALF_PERCENTS + 1) / 1000.0;
}

void weir_cdf(double *values, size_t count, double *result)
{
	gsl_sort(values, 1, count);
	for (size_t i = 0; i < WEIR_CDF_POINTS; i++) {
		result[i] = count > 0 ? gsl_stats_quantile_from_sorted_data(
		                            values, 1, count, fmin(1, weir_cdf_probability(i)))
		                      : (double)NAN;
	}
}

size_t weir_keep_finite(double *values, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (isfinite(values[i])) {
			values[kept++] = values[i];
		}
	}
	return kept;
}

double weir_round_digits(double value, int digits)
{
	char text[40];
	if (!isfinite(value)) {
		return value;
	}
	snprintf(text, sizeof text, "%.*e", digits - 1, value);
	return strtod(text, NULL);
}
