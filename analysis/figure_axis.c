/* What an axis shows and where it has ticks. */
#include <math.h>

#include "analysis/figures.h"

static void add_tick(weir_figure_axis *axis, double value, bool labelled)
{
	if (axis->count < WEIR_FIGURE_TICKS) {
		axis->ticks[axis->count] = value;
		axis->labelled[axis->count++] = labelled;
	}
}

static weir_figure_axis linear_axis(double least, double greatest, bool round)
{
	static const double multiples[] = {1, 2, 5, 10};
	static const double intervals = 6; /* at most */
	/* Far below what a double can tell apart, ticks would coincide. */
	double smallest = fmax(fabs(least), fabs(greatest)) * 1e-9;
	if (!(greatest - least > smallest)) {
		double room = greatest != 0 ? fabs(greatest) * 0.1 : 1;
		least -= room;
		greatest += room;
	}
	int exponent = (int)floor(log10((greatest - least) / intervals));
	double step = 0;
	for (size_t i = 0; i < 4 && step < (greatest - least) / intervals; i++) {
		step = multiples[i] * pow(10, exponent);
	}
	/* A value that is a tick but for rounding is that tick. */
	static const double slack = 1e-6;
	double first = round ? floor(least / step + slack) : ceil(least / step - slack);
	double last = round ? ceil(greatest / step - slack) : floor(greatest / step + slack);
	weir_figure_axis axis = {.low = round ? first * step : least,
	                         .high = round ? last * step : greatest,
	                         .decimals = (int)fmax(0, -floor(log10(step) + slack))};
	for (double i = first; i <= last; i++) {
		add_tick(&axis, i * step, true);
	}
	return axis;
}

static weir_figure_axis log_axis(double least, double greatest, bool round)
{
	static const int multiples[] = {1, 2, 5};
	static const double slack = 1e-9;
	int first = (int)floor(log10(least)) - 1;
	int last = (int)floor(log10(greatest)) + 1;
	weir_figure_axis axis = {.low = least, .high = greatest, .log = true};
	/* The nearest ticks around the values; without a range, the next ones. */
	double below = 0;
	double above = 0;
	bool range = greatest > least * (1 + slack);
	for (int e = first; e <= last; e++) {
		for (size_t m = 0; m < 3; m++) {
			double value = multiples[m] * pow(10, e);
			below = value <= least * (range ? 1 + slack : 1 - slack) ? value : below;
			bool enough = value >= greatest * (range ? 1 - slack : 1 + slack);
			above = above == 0 && enough ? value : above;
		}
	}
	if (round || !range) {
		axis.low = below;
		axis.high = above;
	}
	double decades = log10(axis.high / axis.low);
	int every = (int)fmax(1, ceil(decades / 8)); /* decade has a label */
	for (int e = first; e <= last; e++) {
		for (size_t m = 0; m < 3 && (decades <= 6 || m == 0); m++) {
			double value = multiples[m] * pow(10, e);
			if (value >= axis.low * (1 - slack) && value <= axis.high * (1 + slack)) {
				add_tick(&axis, value, m == 0 ? e % every == 0 : decades <= 2.5);
			}
		}
	}
	return axis;
}

weir_figure_axis weir_figure_axis_over(double least, double greatest, bool log, bool round)
{
	return log ? log_axis(least, greatest, round) : linear_axis(least, greatest, round);
}
