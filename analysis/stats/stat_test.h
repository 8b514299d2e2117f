/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Are two samples from the same population? For `ioasis diff`.
 *
 * The tests take their observations as independent. Latencies of one run are not
 * quite (a slow moment slows several calls), so a p-value is a lower bound; that is
 * why a difference also has a size (Cliff's delta), and both must speak.
 */
#ifndef IOASIS_ANALYSIS_STAT_TEST_H
#define IOASIS_ANALYSIS_STAT_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/stats/histogram.h"

struct stat_test {
	bool tested;   /* false: a sample is empty */
	long double p; /* two-sided; after stat_holm(): adjusted */
	/*
	 * Mann-Whitney: Cliff's delta in millionths, P(b > a) - P(b < a): 1,000,000
	 * says that each value of b is above each of a. Proportions: the difference
	 * of the shares, b's less a's, in millionths.
	 */
	int32_t effect_ppm;
};

/*
 * Mann-Whitney U test of two histograms, by the normal approximation with
 * correction for ties and for continuity. Values in one bucket count as tied.
 */
struct stat_test stat_mann_whitney(const struct histogram *a, const struct histogram *b);

/*
 * Whether hits_a of all_a and hits_b of all_b can be the same share: Fisher's exact
 * test up to 1,000 hits, the normal approximation above.
 */
struct stat_test stat_proportions(uint64_t hits_a, uint64_t all_a, uint64_t hits_b,
				  uint64_t all_b);

/*
 * Holm's correction: many tests at once find something by chance. Replaces the p of
 * each tested one by the adjusted value, which the wanted level is compared with.
 */
void stat_holm(struct stat_test **tests, size_t count);

#endif
