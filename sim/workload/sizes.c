#include "workload/sizes.h"

#include <assert.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_interp.h>
#include <gsl/gsl_math.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

#define NAME_OF(name, text, doc) text,
const char *const weir_size_kinds[] = {WEIR_SIZE_LIST(NAME_OF) NULL};
const char *const weir_sizes_kinds[] = {WEIR_SIZES_LIST(NAME_OF) NULL};
#undef NAME_OF

typedef struct distribution distribution;

typedef struct distribution_type {
	weir_status (*prepare)(distribution *made, const weir_size_config *config, weir_error *error);
	int64_t (*quantile)(const distribution *made, double probability);
} distribution_type;

struct distribution {
	const distribution_type *type;
	int64_t minimum, maximum;
	double mu, sigma;               /* lognormal */
	double below, inside;           /* its probabilities: below the minimum, between the bounds */
	double *probabilities, *values; /* quantiles */
	gsl_interp *table;
};

typedef struct size_pair {
	uint32_t prompt, output;
} size_pair;

struct weir_sizes {
	distribution prompt, output;
	double correlation; /* of the copula's normals */
	size_pair *pairs;
	size_t pair_count;
	bool constant; /* both sizes: nothing is drawn */
};

static weir_status fail(weir_error *error, const char *key, double value, const char *right)
{
	return weir_error_set(error, WEIR_ERROR_INPUT, key, "%.10g; must be %s", value, right);
}

static weir_status prepare_constant(distribution *made, const weir_size_config *config,
                                    weir_error *error)
{
	if (config->value < 1 || config->value > WEIR_SIZE_LARGEST) {
		return fail(error, "value", (double)config->value, "from 1 to 1e9 tokens");
	}
	made->minimum = config->value;
	return WEIR_OK;
}

static int64_t constant_quantile(const distribution *made, double probability)
{
	(void)probability;
	return made->minimum;
}

static weir_status prepare_bounds(distribution *made, const weir_size_config *config,
                                  weir_error *error)
{
	if (config->minimum < 1 || config->minimum > WEIR_SIZE_LARGEST) {
		return fail(error, "minimum", (double)config->minimum, "from 1 to 1e9 tokens");
	}
	if (config->maximum < config->minimum || config->maximum > WEIR_SIZE_LARGEST) {
		return fail(error, "maximum", (double)config->maximum,
		            "not below `minimum` and at most 1e9 tokens");
	}
	made->minimum = config->minimum;
	made->maximum = config->maximum;
	return WEIR_OK;
}

static int64_t uniform_quantile(const distribution *made, double probability)
{
	double count = (double)(made->maximum - made->minimum + 1);
	int64_t size = made->minimum + (int64_t)(probability * count);
	return size < made->maximum ? size : made->maximum;
}

static weir_status prepare_lognormal(distribution *made, const weir_size_config *config,
                                     weir_error *error)
{
	weir_status status = prepare_bounds(made, config, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (!(config->sigma > 0 && config->sigma <= 10)) {
		return fail(error, "sigma", config->sigma, "above 0 and at most 10");
	}
	bool median = config->median != 0;
	double middle = median ? config->median : config->mean;
	if (median == (config->mean != 0) || !(middle > 0) || !isfinite(middle)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "median",
		                      "either `median` or `mean` is needed, above 0 tokens");
	}
	made->sigma = config->sigma;
	made->mu = log(middle) - (median ? 0 : 0.5 * config->sigma * config->sigma);
	double low = (log((double)made->minimum) - made->mu) / made->sigma;
	double high = (log((double)made->maximum) - made->mu) / made->sigma;
	made->below = gsl_cdf_ugaussian_P(low);
	made->inside = gsl_cdf_ugaussian_P(high) - made->below;
	if (!(made->inside > 1e-6) && made->maximum > made->minimum) {
		return weir_error_set(
		    error, WEIR_ERROR_INPUT, "maximum",
		    "less than one in a million sizes would lie from %lld to %lld tokens; "
		    "move the bounds or the middle",
		    (long long)made->minimum, (long long)made->maximum);
	}
	return WEIR_OK;
}

static int64_t clamp_rounded(const distribution *made, double size)
{
	/* Also catches the infinite ends. */
	double bounded = fmin(fmax(size, (double)made->minimum), (double)made->maximum);
	return (int64_t)floor(bounded + 0.5);
}

static int64_t lognormal_quantile(const distribution *made, double probability)
{
	double z = gsl_cdf_ugaussian_Pinv(made->below + probability * made->inside);
	return clamp_rounded(made, exp(made->mu + made->sigma * z));
}

static weir_status prepare_quantiles(distribution *made, const weir_size_config *config,
                                     weir_error *error)
{
	size_t count = config->probabilities.count;
	if (count < 2 || config->values.count != count) {
		return weir_error_set(
		    error, WEIR_ERROR_INPUT, "values",
		    "%zu values for %zu probabilities; as many of each are needed, two at "
		    "least",
		    config->values.count, count);
	}
	const double *probabilities = config->probabilities.items;
	const double *values = config->values.items;
	if (probabilities[0] != 0 || probabilities[count - 1] != 1) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "probabilities",
		                      "from %g to %g; the first must be 0 and the last 1", probabilities[0],
		                      probabilities[count - 1]);
	}
	for (size_t i = 0; i < count; i++) {
		if (!(values[i] >= 1 && values[i] <= WEIR_SIZE_LARGEST)) {
			return fail(error, "values", values[i], "from 1 to 1e9 tokens");
		}
		if (i > 0 && !(probabilities[i] > probabilities[i - 1])) {
			return fail(error, "probabilities", probabilities[i], "above the one ahead of it");
		}
		if (i > 0 && values[i] < values[i - 1]) {
			return fail(error, "values", values[i], "not below the one ahead of it");
		}
	}
	made->minimum = (int64_t)floor(values[0] + 0.5);
	made->maximum = (int64_t)floor(values[count - 1] + 0.5);
	made->probabilities = weir_duplicate(probabilities, count, sizeof *probabilities);
	made->values = weir_duplicate(values, count, sizeof *values);
	made->table = gsl_interp_alloc(gsl_interp_linear, count);
	if (made->probabilities == NULL || made->values == NULL || made->table == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for %zu quantiles", count);
	}
	gsl_interp_init(made->table, made->probabilities, made->values, count);
	return WEIR_OK;
}

static int64_t table_quantile(const distribution *made, double probability)
{
	return clamp_rounded(
	    made, gsl_interp_eval(made->table, made->probabilities, made->values, probability, NULL));
}

/* By weir_size_kind. */
static const distribution_type types[] = {
    [WEIR_SIZE_CONSTANT] = {prepare_constant, constant_quantile},
    [WEIR_SIZE_UNIFORM] = {prepare_bounds, uniform_quantile},
    [WEIR_SIZE_LOGNORMAL] = {prepare_lognormal, lognormal_quantile},
    [WEIR_SIZE_QUANTILES] = {prepare_quantiles, table_quantile},
};

static weir_status prepare(distribution *made, const weir_size_config *config, const char *name,
                           weir_error *error)
{
	assert(config->kind >= 0 && (size_t)config->kind < sizeof types / sizeof types[0]);
	made->type = &types[config->kind];
	weir_error inner;
	weir_error_clear(&inner);
	weir_status status = made->type->prepare(made, config, &inner);
	if (status != WEIR_OK) {
		char key[sizeof inner.where + 8];
		snprintf(key, sizeof key, "%s.%s", name, inner.where);
		weir_error_set(error, status, key, "%s", inner.message);
	}
	return status;
}

static weir_status prepare_drawn(weir_sizes *sizes, const weir_sizes_config *config,
                                 weir_error *error)
{
	if (!(fabs(config->rank_correlation) <= 1)) {
		return fail(error, "rank_correlation", config->rank_correlation, "from -1 to 1");
	}
	/* Spearman's correlation of two variables joined by a Gaussian copula is 6/pi asin(r/2), where
	 * r is that of the normals (Kruskal 1958). */
	sizes->constant =
	    config->prompt.kind == WEIR_SIZE_CONSTANT && config->output.kind == WEIR_SIZE_CONSTANT;
	sizes->correlation = 2 * sin(M_PI / 6 * config->rank_correlation);
	weir_status status = prepare(&sizes->prompt, &config->prompt, "prompt", error);
	return status == WEIR_OK ? prepare(&sizes->output, &config->output, "output", error) : status;
}

static uint32_t bounded_size(int64_t size)
{
	return (uint32_t)(size < WEIR_SIZE_LARGEST ? size : WEIR_SIZE_LARGEST);
}

static weir_status read_pairs(weir_sizes *sizes, weir_source *sample, weir_error *error)
{
	void *pairs = NULL;
	size_t capacity = 0;
	weir_status status = WEIR_OK;
	for (;;) {
		weir_request request;
		bool more = false;
		status = weir_source_next(sample, &request, &more, error);
		if (status != WEIR_OK || !more) {
			break;
		}
		if (!weir_reserve(&pairs, &capacity, sizes->pair_count + 1, sizeof(size_pair))) {
			status =
			    weir_error_set(error, WEIR_ERROR_MEMORY, NULL,
			                   "no memory for the sizes of %zu requests", sizes->pair_count + 1);
			break;
		}
		((size_pair *)pairs)[sizes->pair_count++] =
		    (size_pair){bounded_size(request.prompt_tokens), bounded_size(request.output_tokens)};
	}
	sizes->pairs = pairs;
	if (status == WEIR_OK && sizes->pair_count == 0) {
		status = weir_error_set(error, WEIR_ERROR_INPUT, "path", "the trace has no requests");
	}
	return status;
}

weir_status weir_sizes_create(const weir_sizes_config *config, weir_source *sample,
                              weir_sizes **sizes, weir_error *error)
{
	assert((config->kind == WEIR_SIZES_TRACE) == (sample != NULL));
	if (config->kind == WEIR_SIZES_LIKE) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "kind",
		                      "no kind of sizes is given, and no file to be like");
	}
	weir_sizes *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for sizes");
	}
	weir_status status = config->kind == WEIR_SIZES_TRACE ? read_pairs(made, sample, error)
	                                                      : prepare_drawn(made, config, error);
	if (status != WEIR_OK) {
		weir_sizes_destroy(made);
		return status;
	}
	*sizes = made;
	return WEIR_OK;
}

static void free_distribution(distribution *made)
{
	free(made->probabilities);
	free(made->values);
	if (made->table != NULL) {
		gsl_interp_free(made->table);
	}
}

void weir_sizes_destroy(weir_sizes *sizes)
{
	if (sizes != NULL) {
		free_distribution(&sizes->prompt);
		free_distribution(&sizes->output);
		free(sizes->pairs);
		free(sizes);
	}
}

void weir_sizes_draw(const weir_sizes *sizes, gsl_rng *random, int64_t *prompt_tokens,
                     int64_t *output_tokens)
{
	if (sizes->pairs != NULL) {
		/* Not gsl_rng_uniform_int, whose range ends at 2^32. */
		size_t i = (size_t)(gsl_rng_uniform(random) * (double)sizes->pair_count);
		*prompt_tokens = sizes->pairs[i].prompt;
		*output_tokens = sizes->pairs[i].output;
		return;
	}
	if (sizes->constant) {
		*prompt_tokens = sizes->prompt.minimum;
		*output_tokens = sizes->output.minimum;
		return;
	}
	/* Never 0, whose normal would be infinite. */
	double prompt = gsl_rng_uniform_pos(random);
	double output = gsl_rng_uniform_pos(random);
	if (sizes->correlation != 0) {
		/* The prompt's normal, and another that shares a part of it. */
		double first = gsl_cdf_ugaussian_Pinv(prompt);
		double second = gsl_cdf_ugaussian_Pinv(output);
		double r = sizes->correlation;
		output = gsl_cdf_ugaussian_P(r * first + sqrt(fmax(0, 1 - r * r)) * second);
	}
	*prompt_tokens = sizes->prompt.type->quantile(&sizes->prompt, prompt);
	*output_tokens = sizes->output.type->quantile(&sizes->output, output);
}
