#include "scaling/replica_window.h"

#include <math.h>
#include <string.h>

size_t weir_replica_window_size(size_t capacity)
{
	return sizeof(weir_replica_window) + capacity * sizeof(weir_replica);
}

static void sample(weir_replica *replica, const weir_view_instance *instance, double now,
                   double seconds)
{
	replica->type = instance->type;
	replica->samples[replica->next].time = now;
	replica->samples[replica->next].kv_tokens = (double)instance->kv_tokens;
	replica->samples[replica->next].queue =
	    (double)instance->queued_prompts + (double)instance->queued_tokens;
	replica->next = (replica->next + 1) % WEIR_WINDOW_SAMPLES;
	replica->count += replica->count < WEIR_WINDOW_SAMPLES;
	replica->kv_tokens = replica->queue = 0;
	for (uint32_t i = 0; i < replica->count; i++) {
		if (now - replica->samples[i].time <= seconds) {
			replica->kv_tokens = fmax(replica->kv_tokens, replica->samples[i].kv_tokens);
			replica->queue = fmax(replica->queue, replica->samples[i].queue);
		}
	}
}

void weir_replica_window_sample(weir_replica_window *window, const weir_view *view, weir_tag tag,
                                double seconds)
{
	/* Both are in order of id: position `at` is where the next instance belongs. */
	size_t at = 0;
	for (size_t i = 0; i < view->instance_count; i++) {
		const weir_view_instance *instance = &view->instances[i];
		if (instance->tag != tag || instance->state != WEIR_INSTANCE_ACTIVE) {
			continue;
		}
		size_t gone = at;
		while (gone < window->count && window->replicas[gone].id < instance->id) {
			gone++;
		}
		memmove(&window->replicas[at], &window->replicas[gone],
		        (window->count - gone) * sizeof(weir_replica));
		window->count -= gone - at;
		if (at == window->count || window->replicas[at].id != instance->id) {
			if (window->count == window->capacity) {
				break;
			}
			memmove(&window->replicas[at + 1], &window->replicas[at],
			        (window->count - at) * sizeof(weir_replica));
			window->replicas[at] = (weir_replica){.id = instance->id};
			window->count++;
		}
		sample(&window->replicas[at++], instance, view->now, seconds);
	}
	window->count = at;
}
