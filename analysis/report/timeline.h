/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happened over time, in a fixed number of bins. The end of a trace is not
 * known while it is read: when time runs out of bins, two become one and each is
 * twice as wide. Nothing that was counted is lost by that.
 */
#ifndef IOASIS_ANALYSIS_TIMELINE_H
#define IOASIS_ANALYSIS_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMELINE_BINS 1024u

/* A value that changes, by bin: its lowest, highest and last in it. */
struct timeline_band {
	uint64_t value; /* now */
	uint64_t min[TIMELINE_BINS];
	uint64_t max[TIMELINE_BINS];
	uint64_t last[TIMELINE_BINS];
};

/* How often something happened, by bin. */
struct timeline_counter {
	uint64_t bins[TIMELINE_BINS];
};

struct timeline {
	bool begun;
	int64_t first_ns;
	uint64_t bin_ns;
	unsigned int used; /* bins up to the latest time seen */
	struct timeline_band **bands;	    /* registered; owned */
	struct timeline_counter **counters; /* registered; owned */
	size_t bands_count, counters_count;
};

void timeline_init(struct timeline *timeline);
void timeline_fini(struct timeline *timeline);

/* A new one, which lives as long as the timeline; NULL: out of memory. */
struct timeline_band *timeline_band_add(struct timeline *timeline);
struct timeline_counter *timeline_counter_add(struct timeline *timeline);

/* Moves on to time_ns and returns its bin. Times before the first are in bin 0. */
unsigned int timeline_bin(struct timeline *timeline, int64_t time_ns);

void timeline_band_set(struct timeline *timeline, struct timeline_band *band, int64_t time_ns,
		       uint64_t value);

#endif
