/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/report/timeline.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BIN_NS 1000u

void timeline_init(struct timeline *timeline)
{
	memset(timeline, 0, sizeof(*timeline));
	timeline->bin_ns = FIRST_BIN_NS;
}

void timeline_fini(struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->bands_count; i++)
		free(timeline->bands[i]);
	for (size_t i = 0; i < timeline->counters_count; i++)
		free(timeline->counters[i]);
	free(timeline->bands);
	free(timeline->counters);
	memset(timeline, 0, sizeof(*timeline));
}

struct timeline_band *timeline_band_add(struct timeline *timeline)
{
	struct timeline_band **bands = realloc(timeline->bands, (timeline->bands_count + 1) *
					       sizeof(*bands));

	if (!bands)
		return NULL;
	timeline->bands = bands;
	bands[timeline->bands_count] = calloc(1, sizeof(**bands));
	return bands[timeline->bands_count] ? bands[timeline->bands_count++] : NULL;
}

struct timeline_counter *timeline_counter_add(struct timeline *timeline)
{
	struct timeline_counter **counters = realloc(timeline->counters,
						     (timeline->counters_count + 1) *
						     sizeof(*counters));

	if (!counters)
		return NULL;
	timeline->counters = counters;
	counters[timeline->counters_count] = calloc(1, sizeof(**counters));
	return counters[timeline->counters_count] ? counters[timeline->counters_count++] : NULL;
}

/* The value of a band goes on through the bins [from, to). */
static void band_fill(struct timeline_band *band, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++)
		band->min[i] = band->max[i] = band->last[i] = band->value;
}

static void band_halve(struct timeline_band *band, unsigned int used)
{
	for (unsigned int i = 0; i < used; i += 2) {
		unsigned int to = i / 2, odd = i + 1 < used ? i + 1 : i;
		uint64_t min = band->min[odd] < band->min[i] ? band->min[odd] : band->min[i];
		uint64_t max = band->max[odd] > band->max[i] ? band->max[odd] : band->max[i];

		band->min[to] = min;
		band->max[to] = max;
		band->last[to] = band->last[odd];
	}
}

static void timeline_halve(struct timeline *timeline)
{
	unsigned int used = (timeline->used + 1) / 2;

	for (size_t i = 0; i < timeline->bands_count; i++)
		band_halve(timeline->bands[i], timeline->used);
	for (size_t i = 0; i < timeline->counters_count; i++) {
		uint64_t *bins = timeline->counters[i]->bins;

		for (unsigned int to = 0; to < TIMELINE_BINS; to++)
			bins[to] = to < TIMELINE_BINS / 2 ? bins[2 * to] + bins[2 * to + 1] : 0;
	}
	timeline->used = used;
	timeline->bin_ns *= 2;
}

unsigned int timeline_bin(struct timeline *timeline, int64_t time_ns)
{
	uint64_t since = 0, bin;

	if (!timeline->begun) {
		timeline->begun = true;
		timeline->first_ns = time_ns;
	}
	if (time_ns > timeline->first_ns)
		since = (uint64_t)time_ns - (uint64_t)timeline->first_ns;
	while (since / timeline->bin_ns >= TIMELINE_BINS)
		timeline_halve(timeline);
	bin = since / timeline->bin_ns;
	if (bin >= timeline->used) {
		for (size_t i = 0; i < timeline->bands_count; i++)
			band_fill(timeline->bands[i], timeline->used, (unsigned int)bin + 1);
		timeline->used = (unsigned int)bin + 1;
	}
	return (unsigned int)bin;
}

void timeline_band_set(struct timeline *timeline, struct timeline_band *band, int64_t time_ns,
		       uint64_t value)
{
	unsigned int bin = timeline_bin(timeline, time_ns);

	band->value = value;
	/* A late event (equal times, several streams) still changes the latest bin. */
	if (bin + 1 < timeline->used)
		bin = timeline->used - 1;
	band->last[bin] = value;
	if (value < band->min[bin])
		band->min[bin] = value;
	if (value > band->max[bin])
		band->max[bin] = value;
}
