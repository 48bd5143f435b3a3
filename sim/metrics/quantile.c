#include "metrics/quantile.h"

#include <assert.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

size_t weir_drop_nan(double *values, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (!isnan(values[i])) {
			values[kept++] = values[i];
		}
	}
	return kept;
}

/*
 * What would be at `index` if the values were sorted. Selection leaves nothing greater before the
 * place and nothing smaller behind it, so the next one need only look behind: `*placed` is one past
 * the last place that is settled, and places up to it are not asked for again but the last two.
 */
static double order_statistic(double *values, size_t count, size_t index, size_t *placed)
{
	if (index >= *placed) {
		gsl_stats_select(values + *placed, 1, count - *placed, index - *placed);
		*placed = index + 1;
	}
	return values[index];
}

/* The one after the last that is settled: the least of the rest. */
static double next_statistic(double *values, size_t count, size_t index, size_t *placed)
{
	if (index >= *placed) {
		size_t least = index;
		for (size_t i = index + 1; i < count; i++) {
			least = values[i] < values[least] ? i : least;
		}
		double value = values[least];
		values[least] = values[index];
		values[index] = value;
		*placed = index + 1;
	}
	return values[index];
}

/* As numpy does it: from the nearer end, so that the result is monotonic in `share`. */
static double interpolate(double low, double high, double share)
{
	double gap = high - low;
	return share < 0.5 ? low + gap * share : high - gap * (1.0 - share);
}

void weir_quantiles(double *values, size_t count, const double *probabilities,
                    size_t probability_count, double *result)
{
	size_t placed = 0;
	for (size_t i = 0; i < probability_count; i++) {
		assert(probabilities[i] >= 0.0 && probabilities[i] <= 1.0);
		assert(i == 0 || probabilities[i] >= probabilities[i - 1]);
		if (count == 0) {
			result[i] = (double)NAN;
			continue;
		}
		double index = probabilities[i] * (double)(count - 1);
		size_t below = (size_t)index;
		double low = order_statistic(values, count, below, &placed);
		double high = below + 1 < count ? next_statistic(values, count, below + 1, &placed) : low;
		result[i] = interpolate(low, high, index - (double)below);
	}
}

double weir_mean_of(const double *values, size_t count)
{
	double sum = 0.0;
	double lost = 0.0;
	for (size_t i = 0; i < count; i++) {
		double next = sum + values[i];
		/* The exact error of the addition (Knuth's TwoSum). */
		double added = next - sum;
		lost += (sum - (next - added)) + (values[i] - added);
		sum = next;
	}
	return count > 0 ? (sum + lost) / (double)count : (double)NAN;
}

/* GSL's mean and deviation divide in long double at every value: 17 ns each against 3. */
weir_moments weir_moments_of(const double *values, size_t count)
{
	weir_moments moments = {
	    .count = count,
	    .mean = weir_mean_of(values, count),
	    .deviation = (double)NAN,
	    .minimum = (double)NAN,
	    .maximum = (double)NAN,
	};
	if (count == 0) {
		return moments;
	}
	moments.minimum = values[0];
	moments.maximum = values[0];
	for (size_t i = 1; i < count; i++) {
		moments.minimum = values[i] < moments.minimum ? values[i] : moments.minimum;
		moments.maximum = values[i] > moments.maximum ? values[i] : moments.maximum;
	}
	if (count > 1) {
		double squares = 0.0;
		double rest = 0.0; /* 0 if the mean were exact */
		for (size_t i = 0; i < count; i++) {
			double off = values[i] - moments.mean;
			squares += off * off;
			rest += off;
		}
		double variance = (squares - rest * rest / (double)count) / (double)(count - 1);
		moments.deviation = sqrt(fmax(variance, 0.0));
	}
	return moments;
}
