/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/stats/stat_test.h"

#include <math.h>
#include <stdlib.h>

#define FISHER_MAX 1000u /* hits */

/* Two-sided p of a standard normal deviate. */
static long double p_of_z(long double z)
{
	return erfcl(z / sqrtl(2));
}

struct stat_test stat_mann_whitney(const struct histogram *a, const struct histogram *b)
{
	struct stat_test test = { .p = 1 };
	unsigned __int128 twice_u = 0; /* 2 x number of pairs with b above a, ties count half */
	uint64_t below = 0;
	long double ties = 0, n_a = a->count, n_b = b->count, all = n_a + n_b;
	long double pairs = n_a * n_b, variance, distance;

	if (!a->count || !b->count)
		return test;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		long double tied = (long double)a->buckets[i] + b->buckets[i];

		twice_u += (unsigned __int128)b->buckets[i] * (2 * (unsigned __int128)below +
							       a->buckets[i]);
		below += a->buckets[i];
		ties += tied * tied * tied - tied;
	}
	test.tested = true;
	distance = (long double)twice_u / 2 - pairs / 2;
	test.effect_ppm = (int32_t)roundl(distance * 2 / pairs * 1000000);
	variance = pairs / 12 * (all + 1 - (all > 1 ? ties / (all * (all - 1)) : 0));
	distance = fabsl(distance) - 0.5L;
	if (variance > 0 && distance > 0)
		test.p = p_of_z(distance / sqrtl(variance));
	return test;
}

/* Logarithm of n over k. */
static long double log_choose(long double n, long double k)
{
	return lgammal(n + 1) - lgammal(k + 1) - lgammal(n - k + 1);
}

/* The chance of tables that are no likelier than the one seen, margins given. */
static long double fisher(uint64_t hits_a, uint64_t all_a, uint64_t hits, uint64_t all)
{
	uint64_t misses_b = all - all_a;
	uint64_t low = hits > misses_b ? hits - misses_b : 0;
	uint64_t high = hits < all_a ? hits : all_a;
	long double whole = log_choose(all, hits);
	long double seen = log_choose(all_a, hits_a) + log_choose(misses_b, hits - hits_a) - whole;
	long double sum = 0;

	for (uint64_t k = low; k <= high; k++) {
		long double p = log_choose(all_a, k) + log_choose(misses_b, hits - k) - whole;

		if (p <= seen + 1e-9L)
			sum += expl(p);
	}
	return sum < 1 ? sum : 1;
}

struct stat_test stat_proportions(uint64_t hits_a, uint64_t all_a, uint64_t hits_b,
				  uint64_t all_b)
{
	struct stat_test test = { .p = 1 };
	long double share_a, share_b, pooled, variance;

	if (!all_a || !all_b)
		return test;
	test.tested = true;
	share_a = (long double)hits_a / all_a;
	share_b = (long double)hits_b / all_b;
	test.effect_ppm = (int32_t)roundl((share_b - share_a) * 1000000);
	if (hits_a + hits_b <= FISHER_MAX) {
		test.p = fisher(hits_a, all_a, hits_a + hits_b, all_a + all_b);
		return test;
	}
	pooled = (long double)(hits_a + hits_b) / (all_a + all_b);
	variance = pooled * (1 - pooled) * (1.0L / all_a + 1.0L / all_b);
	if (variance > 0)
		test.p = p_of_z(fabsl(share_b - share_a) / sqrtl(variance));
	return test;
}

static int by_p(const void *a, const void *b)
{
	const struct stat_test *x = *(struct stat_test *const *)a;
	const struct stat_test *y = *(struct stat_test *const *)b;

	return x->p < y->p ? -1 : x->p > y->p;
}

void stat_holm(struct stat_test **tests, size_t count)
{
	struct stat_test **sorted = calloc(count + 1, sizeof(*sorted));
	long double highest = 0;
	size_t tested = 0;

	/* Without memory every p is multiplied by all: Bonferroni, never too bold. */
	for (size_t i = 0; i < count; i++) {
		if (!tests[i]->tested)
			continue;
		if (sorted)
			sorted[tested] = tests[i];
		else
			tests[i]->p = fminl(1, tests[i]->p * count);
		tested++;
	}
	if (!sorted)
		return;
	qsort(sorted, tested, sizeof(struct stat_test *), by_p);
	for (size_t i = 0; i < tested; i++) {
		highest = fmaxl(highest, fminl(1, sorted[i]->p * (tested - i)));
		sorted[i]->p = highest;
	}
	free(sorted);
}
