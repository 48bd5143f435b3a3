#include "base/random.h"

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

uint64_t weir_stream_seed(uint64_t seed, const char *name, uint64_t index)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (const char *c = name; *c != '\0'; c++) {
		hash = (hash ^ (uint64_t)(unsigned char)*c) * 0x100000001b3u;
	}
	return mix(mix(mix(seed) ^ hash) ^ index);
}

double weir_stream_uniform(uint64_t seed, const char *name, uint64_t index)
{
	return (double)(weir_stream_seed(seed, name, index) >> 11) * 0x1p-53;
}

gsl_rng *weir_stream_create(uint64_t seed, const char *name, uint64_t index)
{
	gsl_rng *stream = gsl_rng_alloc(gsl_rng_mt19937);
	if (stream != NULL) {
		/* GSL's mt19937 takes 32 bits, and 0 as "default seed". */
		uint64_t word = weir_stream_seed(seed, name, index) >> 32;
		gsl_rng_set(stream, word != 0 ? (unsigned long)word : 1);
	}
	return stream;
}
