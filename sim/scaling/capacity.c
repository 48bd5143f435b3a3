#include "scaling/capacity.h"

#include <math.h>
#include <string.h>

static bool batches_as(const weir_application *application, const char *name)
{
	return strcmp(weir_batching_names[application->instance.kind], name) == 0;
}

weir_capacity weir_capacity_of(const weir_application *application, uint32_t type)
{
	const weir_instance_type *instance = &application->types[type];
	int64_t token_bytes = weir_architecture_kv_bytes_per_token(
	    application->model, application->instance.grouped_query_kv);
	int64_t room = instance->memory_limit - (int64_t)application->model->weight_bytes;
	return (weir_capacity){
	    .time = instance->time,
	    .kv_tokens = room > 0 && token_bytes > 0 ? room / token_bytes : 0,
	    .max_tasks = application->instance.max_batch_size,
	    .iteration_tokens =
	        batches_as(application, "orca") ? INT64_MAX : application->instance.max_batch_tokens,
	    .chunked = batches_as(application, "chunked"),
	};
}

/* A batch of `tokens` prompt tokens of which the first task has `done` tokens behind it. */
static double iteration(const weir_capacity *capacity, int64_t tokens, int64_t length, int64_t done,
                        weir_decoding decoding)
{
	weir_batch batch = {
	    .token_tasks = decoding.tasks,
	    .token_context = (int64_t)decoding.context,
	};
	if (tokens > 0) {
		int64_t whole = length < tokens ? length : tokens;
		batch.prompt_tasks = (tokens + length - 1) / length;
		batch.prompt_tokens = tokens;
		batch.prompt_context = done;
		batch.prompt_attention =
		    (double)tokens * ((double)done + (whole > 1 ? (double)(whole - 1) / 2 : 0));
	}
	return capacity->time->type->time_for(capacity->time, &batch, 1);
}

static int64_t at_least_one(double tokens)
{
	return tokens > 1 ? (int64_t)ceil(tokens) : 1;
}

double weir_capacity_prompt_seconds(const weir_capacity *capacity, double tokens, double length,
                                    weir_decoding decoding)
{
	if (!(tokens > 0)) {
		return 0;
	}
	int64_t left = at_least_one(tokens);
	int64_t prompt = at_least_one(length);
	int64_t most = capacity->iteration_tokens;
	if (!capacity->chunked && most < prompt) {
		most = prompt;
	}
	double seconds = 0;
	for (int64_t processed = 0; left > 0;) {
		int64_t now = left < most ? left : most;
		/* Only a prompt that does not fit an iteration is found half done. */
		int64_t done = prompt > most ? processed % prompt : 0;
		seconds += iteration(capacity, now, prompt, done, decoding);
		processed += now;
		left -= now;
	}
	return seconds;
}

double weir_capacity_token_seconds(const weir_capacity *capacity, weir_decoding decoding)
{
	return iteration(capacity, 0, 1, 0, decoding);
}

double weir_capacity_mixed_seconds(const weir_capacity *capacity, double tokens, double length,
                                   weir_decoding decoding)
{
	int64_t prompt_tokens = tokens > 0 ? at_least_one(tokens) : 0;
	return iteration(capacity, prompt_tokens, at_least_one(length), 0, decoding);
}

int64_t weir_capacity_most_tasks(const weir_capacity *capacity, double context)
{
	double fit = floor((double)capacity->kv_tokens / (context > 1 ? context : 1));
	int64_t most = fit < (double)capacity->max_tasks ? (int64_t)fit : capacity->max_tasks;
	return most > 1 ? most : 1;
}

int64_t weir_capacity_best_batch(const weir_capacity *capacity, double context, double itl,
                                 double *seconds)
{
	int64_t best = 1;
	*seconds = weir_capacity_token_seconds(capacity, (weir_decoding){1, context});
	int64_t low = 2;
	int64_t high = *seconds > itl ? 1 : weir_capacity_most_tasks(capacity, context);
	while (low <= high) {
		int64_t middle = low + (high - low) / 2;
		double taken = weir_capacity_token_seconds(
		    capacity, (weir_decoding){middle, (double)middle * context});
		if (taken <= itl) {
			best = middle;
			*seconds = taken;
			low = middle + 1;
		} else {
			high = middle - 1;
		}
	}
	return best;
}

double weir_capacity_price(const weir_application *application, uint32_t type)
{
	const weir_instance_type *instance = &application->types[type];
	return instance->sku->price_per_hour * instance->share_of_server;
}
