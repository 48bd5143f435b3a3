#include "rl/action_distribution.h"

#include <math.h>

static const float masked_logit = -1e8f;
static const float log_sqrt_2_pi = 0.918938533204672742f;

/* SplitMix64 (Steele, Lea, Flood 2014) */
static uint64_t split_mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

weir_xoshiro weir_xoshiro_seed(uint64_t seed)
{
	weir_xoshiro random;
	for (size_t i = 0; i < 4; i++) {
		random.s[i] = split_mix(&seed);
	}
	return random;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return (x << bits) | (x >> (64 - bits));
}

uint64_t weir_xoshiro_next(weir_xoshiro *random)
{
	uint64_t *s = random->s;
	uint64_t result = rotate(s[0] + s[3], 23) + s[0];
	uint64_t t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

double weir_xoshiro_uniform(weir_xoshiro *random)
{
	return (double)(weir_xoshiro_next(random) >> 11) * 0x1p-53;
}

double weir_xoshiro_normal(weir_xoshiro *random)
{
	for (;;) {
		double u = 2 * weir_xoshiro_uniform(random) - 1;
		double v = 2 * weir_xoshiro_uniform(random) - 1;
		double s = u * u + v * v;
		if (s > 0 && s < 1) {
			return u * sqrt(-2 * log(s) / s);
		}
	}
}

/* The choices of one dimension. */
typedef struct categorical {
	const float *logits;
	const uint8_t *mask; /* NULL: all allowed */
	uint32_t choices;
	float log_sum; /* log of the sum of exp(logit) */
} categorical;

static bool allowed(const categorical *dimension, uint32_t choice)
{
	return dimension->mask == NULL || dimension->mask[choice] != 0;
}

static float logit_of(const categorical *dimension, uint32_t choice)
{
	return allowed(dimension, choice) ? dimension->logits[choice] : masked_logit;
}

static uint32_t greatest(const categorical *dimension)
{
	uint32_t best = 0;
	for (uint32_t c = 1; c < dimension->choices; c++) {
		if (logit_of(dimension, c) > logit_of(dimension, best)) {
			best = c;
		}
	}
	return best;
}

/* Dimension d of the head, whose logits begin at `offset`. */
static categorical categorical_of(const weir_head *head, size_t d, size_t offset)
{
	categorical dimension = {.logits = head->head + offset,
	                         .mask = head->mask == NULL ? NULL : head->mask + offset,
	                         .choices = head->action->dimensions[d].choices};
	float top = logit_of(&dimension, greatest(&dimension));
	float sum = 0;
	for (uint32_t c = 0; c < dimension.choices; c++) {
		sum += expf(logit_of(&dimension, c) - top);
	}
	dimension.log_sum = top + logf(sum);
	return dimension;
}

static float log_probability(const categorical *dimension, uint32_t choice)
{
	return logit_of(dimension, choice) - dimension->log_sum;
}

/* By inversion; what rounding leaves over falls to the last choice that is allowed. */
static uint32_t draw(const categorical *dimension, weir_xoshiro *random)
{
	double rest = weir_xoshiro_uniform(random);
	uint32_t drawn = greatest(dimension);
	for (uint32_t c = 0; c < dimension->choices; c++) {
		float probability = expf(log_probability(dimension, c));
		if (!allowed(dimension, c) || !(probability > 0)) {
			continue;
		}
		drawn = c;
		rest -= (double)probability;
		if (rest < 0) {
			break;
		}
	}
	return drawn;
}

static float entropy_of(const categorical *dimension)
{
	float entropy = 0;
	for (uint32_t c = 0; c < dimension->choices; c++) {
		if (allowed(dimension, c)) {
			float log_p = log_probability(dimension, c);
			entropy -= expf(log_p) * log_p;
		}
	}
	return entropy;
}

void weir_action_sample(const weir_head *head, weir_xoshiro *random, float *action)
{
	const weir_space *space = head->action;
	size_t offset = 0;
	for (size_t d = 0; d < space->size; d++) {
		if (space->kind == WEIR_SPACE_BOX) {
			float noise = (float)weir_xoshiro_normal(random);
			action[d] = head->head[d] + expf(head->log_std[d]) * noise;
		} else {
			categorical dimension = categorical_of(head, d, offset);
			action[d] = (float)draw(&dimension, random);
			offset += dimension.choices;
		}
	}
}

void weir_action_mode(const weir_head *head, float *action)
{
	const weir_space *space = head->action;
	size_t offset = 0;
	for (size_t d = 0; d < space->size; d++) {
		if (space->kind == WEIR_SPACE_BOX) {
			action[d] = head->head[d];
		} else {
			categorical dimension = categorical_of(head, d, offset);
			action[d] = (float)greatest(&dimension);
			offset += dimension.choices;
		}
	}
}

void weir_action_clip(const weir_space *space, const float *action, float *clipped)
{
	for (size_t d = 0; d < space->size; d++) {
		clipped[d] = action[d];
		if (space->kind == WEIR_SPACE_BOX) {
			const weir_dimension *bounds = &space->dimensions[d];
			clipped[d] = action[d] < bounds->low    ? bounds->low
			             : action[d] > bounds->high ? bounds->high
			                                        : action[d];
		}
	}
}

/* Of a Gaussian: the distance from the mean in standard deviations. */
static float standardised(const weir_head *head, size_t d, const float *action)
{
	return (action[d] - head->head[d]) * expf(-head->log_std[d]);
}

void weir_action_evaluate(const weir_head *head, const float *action, float *log_prob,
                          float *entropy)
{
	const weir_space *space = head->action;
	size_t offset = 0;
	*log_prob = 0;
	*entropy = 0;
	for (size_t d = 0; d < space->size; d++) {
		if (space->kind == WEIR_SPACE_BOX) {
			float z = standardised(head, d, action);
			*log_prob += -0.5f * z * z - head->log_std[d] - log_sqrt_2_pi;
			*entropy += 0.5f + log_sqrt_2_pi + head->log_std[d];
		} else {
			categorical dimension = categorical_of(head, d, offset);
			*log_prob += log_probability(&dimension, (uint32_t)action[d]);
			*entropy += entropy_of(&dimension);
			offset += dimension.choices;
		}
	}
}

/* With p = softmax(logits): d log p_a / d logit_c = [c = a] - p_c, and of the entropy H
 * d H / d logit_c = -p_c (log p_c + H). */
static void categorical_gradient(const categorical *dimension, uint32_t choice, float d_log_prob,
                                 float d_entropy, float *gradient)
{
	float entropy = d_entropy != 0 ? entropy_of(dimension) : 0;
	for (uint32_t c = 0; c < dimension->choices; c++) {
		if (!allowed(dimension, c)) {
			continue;
		}
		float log_p = log_probability(dimension, c);
		float p = expf(log_p);
		gradient[c] += d_log_prob * ((c == choice ? 1.0f : 0.0f) - p);
		gradient[c] -= d_entropy * p * (log_p + entropy);
	}
}

void weir_action_gradient(const weir_head *head, const float *action, float d_log_prob,
                          float d_entropy, float *head_gradient, float *log_std_gradient)
{
	const weir_space *space = head->action;
	size_t offset = 0;
	for (size_t d = 0; d < space->size; d++) {
		if (space->kind == WEIR_SPACE_BOX) {
			float z = standardised(head, d, action);
			head_gradient[d] += d_log_prob * z * expf(-head->log_std[d]);
			log_std_gradient[d] += d_log_prob * (z * z - 1) + d_entropy;
		} else {
			categorical dimension = categorical_of(head, d, offset);
			categorical_gradient(&dimension, (uint32_t)action[d], d_log_prob, d_entropy,
			                     head_gradient + offset);
			offset += dimension.choices;
		}
	}
}
