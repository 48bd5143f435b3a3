#include "workload/generator.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "workload/source_state.h"

enum { ARRIVALS, SIZES, STREAMS };
static const char *const stream_names[STREAMS] = {"arrivals", "sizes"};

typedef struct generator {
	weir_source source;
	weir_arrivals *arrivals;
	weir_sizes *sizes;
	double end;
	int64_t count;
	weir_arrivals_state state;
	gsl_rng *streams[STREAMS];
	gsl_rng *first[STREAMS]; /* the streams as they began */
} generator;

static weir_status generator_next(weir_source *source, weir_request *request, bool *more,
                                  weir_error *error)
{
	(void)error;
	generator *g = (generator *)source;
	*more = false;
	if (g->state.count >= g->count || !(g->state.time < g->end)) {
		return WEIR_OK;
	}
	int64_t id = g->state.count;
	double arrival = weir_arrivals_next(g->arrivals, &g->state, g->streams[ARRIVALS]);
	if (!(arrival < g->end)) {
		return WEIR_OK;
	}
	weir_request drawn = {.arrival = arrival, .id = id};
	weir_sizes_draw(g->sizes, g->streams[SIZES], &drawn.prompt_tokens, &drawn.output_tokens);
	*request = drawn;
	*more = true;
	return WEIR_OK;
}

static weir_status generator_rewind(weir_source *source, weir_error *error)
{
	(void)error;
	generator *g = (generator *)source;
	g->state = (weir_arrivals_state){0};
	for (int i = 0; i < STREAMS; i++) {
		gsl_rng_memcpy(g->streams[i], g->first[i]);
	}
	return WEIR_OK;
}

static size_t generator_state_size(const weir_source *source)
{
	const generator *g = (const generator *)source;
	return sizeof g->state + gsl_rng_size(g->streams[ARRIVALS]) + gsl_rng_size(g->streams[SIZES]);
}

static void generator_save(const weir_source *source, void *state)
{
	const generator *g = (const generator *)source;
	char *cursor = state;
	source_state_put(&cursor, &g->state, sizeof g->state);
	for (int i = 0; i < STREAMS; i++) {
		source_state_put(&cursor, gsl_rng_state(g->streams[i]), gsl_rng_size(g->streams[i]));
	}
}

static weir_status generator_restore(weir_source *source, const void *state, weir_error *error)
{
	(void)error;
	generator *g = (generator *)source;
	const char *cursor = state;
	source_state_get(&cursor, &g->state, sizeof g->state);
	for (int i = 0; i < STREAMS; i++) {
		source_state_get(&cursor, gsl_rng_state(g->streams[i]), gsl_rng_size(g->streams[i]));
	}
	return WEIR_OK;
}

static double generator_share_drawn(const weir_source *source)
{
	const generator *g = (const generator *)source;
	return fmax((double)g->state.count / (double)g->count, g->state.time / g->end);
}

static void generator_destroy(weir_source *source)
{
	generator *g = (generator *)source;
	weir_arrivals_destroy(g->arrivals);
	weir_sizes_destroy(g->sizes);
	for (int i = 0; i < STREAMS; i++) {
		gsl_rng_free(g->streams[i]);
		gsl_rng_free(g->first[i]);
	}
	free(g);
}

static const weir_source_type generator_type = {
    .name = "generated",
    .next = generator_next,
    .rewind = generator_rewind,
    .state_size = generator_state_size,
    .save = generator_save,
    .restore = generator_restore,
    .share_drawn = generator_share_drawn,
    .destroy = generator_destroy,
};

weir_status weir_generator_create(weir_arrivals *arrivals, weir_sizes *sizes,
                                  const weir_generator_limits *limits, uint64_t seed,
                                  weir_source **source, weir_error *error)
{
	generator *g = weir_allocate(1, sizeof *g);
	if (g == NULL) {
		weir_arrivals_destroy(arrivals);
		weir_sizes_destroy(sizes);
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a generator");
	}
	g->source.type = &generator_type;
	g->arrivals = arrivals;
	g->sizes = sizes;
	g->end = limits->duration > 0 ? limits->duration : INFINITY;
	g->count = limits->count > 0 ? limits->count : INT64_MAX;
	for (int i = 0; i < STREAMS; i++) {
		g->first[i] = weir_stream_create(seed, stream_names[i], 0);
		g->streams[i] = g->first[i] != NULL ? gsl_rng_clone(g->first[i]) : NULL;
		if (g->streams[i] == NULL) {
			generator_destroy(&g->source);
			return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for random streams");
		}
	}
	*source = &g->source;
	return WEIR_OK;
}
