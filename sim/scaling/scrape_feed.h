/*
 * The scrapes of one consumer on their way to it: taken now, seen once they are old enough.
 *
 * What it sees is always the newest that is at least `lag` old, and what happened since the one
 * that it saw before; while there is no newer one it sees the same again. Scrapes are used again
 * once none can ask for them: there are as many as the lag needs.
 *
 * Cost: O(scrapes that the lag needs) besides the scrape or view itself.
 */
#ifndef WEIR_SCALING_SCRAPE_FEED_H
#define WEIR_SCALING_SCRAPE_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/export.h"
#include "metrics/view.h"

WEIR_BEGIN_C

typedef struct weir_scrape_feed weir_scrape_feed;

/* `meter` is borrowed; `needs`: bits of weir_view_need; `lag` in s. NULL when memory is out. */
WEIR_API weir_scrape_feed *weir_scrape_feed_create(weir_meter *meter, uint32_t application,
                                                   unsigned needs, double lag);
WEIR_API void weir_scrape_feed_destroy(weir_scrape_feed *feed);

/* Takes a scrape; times must not decrease. False when memory is out. */
WEIR_API bool weir_scrape_feed_take(weir_scrape_feed *feed, double now);

/*
 * Moves on to what can be seen now. *seen: the number of the scrape, from 1 in order of taking; 0
 * when none is old enough yet. False when memory is out.
 */
WEIR_API bool weir_scrape_feed_look(weir_scrape_feed *feed, double now, uint64_t *seen);

/* What was found by the last look that found one. */
WEIR_API void weir_scrape_feed_view(weir_scrape_feed *feed, weir_view *view);

/* Makes `target` equal to `source`, of equal arguments (but the meter). False when memory is out.
 */
WEIR_API bool weir_scrape_feed_copy(weir_scrape_feed *target, const weir_scrape_feed *source);

WEIR_END_C

#endif
