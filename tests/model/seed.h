/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random numbers of a test: the seed is $SEED or fixed, and printed. */
#ifndef IOASIS_TESTS_MODEL_SEED_H
#define IOASIS_TESTS_MODEL_SEED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct seed {
	uint64_t state;
};

/* Starts from $SEED, or from fallback; prints which, as a TAP comment. */
static inline void seed_init(struct seed *seed, uint64_t fallback)
{
	const char *text = getenv("SEED");

	seed->state = text ? strtoull(text, NULL, 0) : fallback;
	printf("# SEED=%llu\n", (unsigned long long)seed->state);
}

/* splitmix64 */
static inline uint64_t seed_next(struct seed *seed)
{
	uint64_t z = (seed->state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static inline uint64_t seed_below(struct seed *seed, uint64_t limit)
{
	return seed_next(seed) % limit;
}

#endif
