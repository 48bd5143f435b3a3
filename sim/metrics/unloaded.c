#include "metrics/unloaded.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

/* Prompts whose sizes differ by this many take each other's place. */
enum { PLACES = 4096 };

typedef struct place {
	double ttft, tbt;
	uint32_t application;
	int32_t prompt_tokens; /* 0: nothing is kept here */
} place;

struct weir_unloaded {
	const weir_slo *slo;
	place places[PLACES];
};

weir_unloaded *weir_unloaded_create(const weir_slo *slo)
{
	weir_unloaded *unloaded = weir_allocate(1, sizeof *unloaded);
	if (unloaded != NULL) {
		unloaded->slo = slo;
	}
	return unloaded;
}

void weir_unloaded_destroy(weir_unloaded *unloaded)
{
	free(unloaded);
}

weir_slowdowns weir_unloaded_of(weir_unloaded *unloaded, uint32_t application,
                                int64_t prompt_tokens)
{
	place *kept = &unloaded->places[(uint64_t)prompt_tokens % PLACES];
	if (kept->prompt_tokens != prompt_tokens || kept->application != application ||
	    prompt_tokens == 0) {
		const weir_slo_request request = {
		    .application = application,
		    .prompt_tokens = prompt_tokens,
		    .output_tokens = 1,
		};
		weir_slowdowns found = weir_slo_unloaded(unloaded->slo, &request);
		*kept = (place){found.ttft, found.tbt, application, (int32_t)prompt_tokens};
	}
	return (weir_slowdowns){.ttft = kept->ttft, .tbt = kept->tbt, .e2e = (double)NAN};
}
