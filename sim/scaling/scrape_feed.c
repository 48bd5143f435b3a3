#include "scaling/scrape_feed.h"

#include <assert.h>
#include <float.h>
#include <stdlib.h>

#include "base/memory.h"

/* A scrape on its way. */
typedef struct taken {
	weir_scrape *scrape;
	double time;
} taken;

struct weir_scrape_feed {
	weir_meter *meter;
	uint32_t application;
	unsigned needs;
	double lag;
	taken *items; /* the first `count` in order of time, then spare ones */
	size_t capacity, made, count;
	uint64_t first; /* number of items[0] */
	weir_scrape *before, *shown;
	uint64_t shown_number; /* 0: nothing yet */
};

weir_scrape_feed *weir_scrape_feed_create(weir_meter *meter, uint32_t application, unsigned needs,
                                          double lag)
{
	weir_scrape_feed *feed = weir_allocate(1, sizeof *feed);
	if (feed == NULL) {
		return NULL;
	}
	feed->meter = meter;
	feed->application = application;
	feed->needs = needs;
	feed->lag = lag;
	feed->first = 1;
	feed->before = weir_scrape_create(meter, application, needs);
	feed->shown = weir_scrape_create(meter, application, needs);
	if (feed->before == NULL || feed->shown == NULL) {
		weir_scrape_feed_destroy(feed);
		return NULL;
	}
	return feed;
}

void weir_scrape_feed_destroy(weir_scrape_feed *feed)
{
	if (feed != NULL) {
		for (size_t i = 0; i < feed->made; i++) {
			weir_scrape_destroy(feed->meter, feed->items[i].scrape);
		}
		weir_scrape_destroy(feed->meter, feed->before);
		weir_scrape_destroy(feed->meter, feed->shown);
		free(feed->items);
		free(feed);
	}
}

/* Whether a scrape is at least `lag` old. Times are products that were rounded: a scrape at 0.6 is
 * 0.3 old at 0.9. */
static bool is_visible(const weir_scrape_feed *feed, double time, double now)
{
	return now - time >= feed->lag - 4 * DBL_EPSILON * now;
}

/* Makes what stands before the newest visible scrape spare. */
static void drop_old(weir_scrape_feed *feed, double now)
{
	size_t drop = 0;
	while (drop + 1 < feed->count && is_visible(feed, feed->items[drop + 1].time, now)) {
		drop++;
	}
	for (; drop > 0; drop--) {
		taken oldest = feed->items[0];
		feed->count--;
		feed->first++;
		for (size_t i = 0; i < feed->count; i++) {
			feed->items[i] = feed->items[i + 1];
		}
		feed->items[feed->count] = oldest;
		weir_scrape_release(feed->meter, oldest.scrape);
	}
}

static bool make_spare(weir_scrape_feed *feed)
{
	if (!weir_reserve((void **)&feed->items, &feed->capacity, feed->made + 1,
	                  sizeof *feed->items)) {
		return false;
	}
	weir_scrape *scrape = weir_scrape_create(feed->meter, feed->application, feed->needs);
	if (scrape == NULL) {
		return false;
	}
	feed->items[feed->made++].scrape = scrape;
	return true;
}

bool weir_scrape_feed_take(weir_scrape_feed *feed, double now)
{
	assert(feed->count == 0 || feed->items[feed->count - 1].time <= now);
	drop_old(feed, now);
	if (feed->count == feed->made && !make_spare(feed)) {
		return false;
	}
	taken *next = &feed->items[feed->count];
	if (!weir_scrape_take(feed->meter, now, next->scrape)) {
		return false;
	}
	next->time = now;
	feed->count++;
	return true;
}

bool weir_scrape_feed_look(weir_scrape_feed *feed, double now, uint64_t *seen)
{
	drop_old(feed, now);
	*seen = feed->shown_number;
	if (feed->count == 0 || !is_visible(feed, feed->items[0].time, now) ||
	    feed->first == feed->shown_number) {
		return true;
	}
	weir_scrape *before = feed->before;
	if (!weir_scrape_copy(feed->meter, before, feed->items[0].scrape)) {
		return false;
	}
	feed->before = feed->shown;
	feed->shown = before;
	*seen = feed->shown_number = feed->first;
	return true;
}

void weir_scrape_feed_view(weir_scrape_feed *feed, weir_view *view)
{
	weir_view_between(feed->meter, feed->before, feed->shown, view);
}

bool weir_scrape_feed_copy(weir_scrape_feed *target, const weir_scrape_feed *source)
{
	while (target->made < source->count) {
		if (!make_spare(target)) {
			return false;
		}
	}
	for (size_t i = 0; i < source->count; i++) {
		if (!weir_scrape_copy(target->meter, target->items[i].scrape, source->items[i].scrape)) {
			return false;
		}
		target->items[i].time = source->items[i].time;
	}
	for (size_t i = source->count; i < target->made; i++) {
		weir_scrape_release(target->meter, target->items[i].scrape);
	}
	target->count = source->count;
	target->first = source->first;
	target->shown_number = source->shown_number;
	return weir_scrape_copy(target->meter, target->before, source->before) &&
	       weir_scrape_copy(target->meter, target->shown, source->shown);
}
