/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/des/random.h"

#define Q32_ONE (1ull << 32)
/* ln(2) times 2^32 */
#define LN2_Q32 2977044472ull

static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

void des_random_init(struct des_random *random, uint64_t seed, const char *name, uint64_t index)
{
	uint64_t hash = 0xcbf29ce484222325ull; /* FNV-1a */
	uint64_t state;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3ull;
	state = seed;
	state = splitmix(&state) ^ hash;
	state = splitmix(&state) ^ index;
	for (int i = 0; i < 4; i++)
		random->s[i] = splitmix(&state);
}

static inline uint64_t rotate_left(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

uint64_t des_random_next(struct des_random *random)
{
	uint64_t *s = random->s;
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return result;
}

uint64_t des_random_below(struct des_random *random, uint64_t bound)
{
	/* Lemire: the upper half of a product is even but for a few low products. */
	unsigned __int128 product = (unsigned __int128)des_random_next(random) * bound;

	if ((uint64_t)product < bound) {
		uint64_t threshold = -bound % bound;

		while ((uint64_t)product < threshold)
			product = (unsigned __int128)des_random_next(random) * bound;
	}
	return (uint64_t)(product >> 64);
}

bool des_random_chance(struct des_random *random, uint64_t numerator, uint64_t denominator)
{
	return des_random_below(random, denominator) < numerator;
}

uint64_t des_log2_q32(uint64_t x)
{
	unsigned int whole = 63 - (unsigned int)__builtin_clzll(x);
	/* The mantissa in [1, 2) with 63 fraction bits; each squaring gives a bit of the log. */
	uint64_t mantissa = x << (63 - whole);
	uint64_t result = (uint64_t)whole << 32;

	for (unsigned int bit = 32; bit-- > 0;) {
		unsigned __int128 square = (unsigned __int128)mantissa * mantissa;

		if (square >> 127) {
			result |= 1ull << bit;
			mantissa = (uint64_t)(square >> 64);
		} else {
			mantissa = (uint64_t)(square >> 63);
		}
	}
	return result;
}

uint64_t des_exp2_q32(uint64_t y)
{
	unsigned int whole = (unsigned int)(y >> 32);
	uint64_t fraction = (uint32_t)y;
	/* 2^f = e^(f ln 2) as a series, in 62 fraction bits. */
	uint64_t x = (uint64_t)(((unsigned __int128)fraction * LN2_Q32) >> 2); /* 62 bits */
	uint64_t term = 1ull << 62, sum = term;

	if (y >> 32 >= 64)
		return UINT64_MAX;
	for (uint64_t n = 1; term && n < 24; n++) {
		term = (uint64_t)(((unsigned __int128)term * x) >> 62) / n;
		sum += term;
	}
	return whole <= 62 ? sum >> (62 - whole) : sum << (whole - 62);
}

/*
 * -log2 of a number even in (0, 1], times 2^32. 2^64 - x for x in [0, 2^64 - 1] is in
 * [1, 2^64], and 2^64 itself stands for 1.
 */
static uint64_t minus_log2_uniform(struct des_random *random)
{
	uint64_t u = des_random_next(random);

	return u ? (64ull << 32) - des_log2_q32(u) : 0;
}

static uint64_t draw_pareto(const struct des_dist *dist, struct des_random *random)
{
	/* a * u^(-1/alpha) = a * 2^(-log2(u) / alpha), alpha = c / 1000. */
	unsigned __int128 exponent = (unsigned __int128)minus_log2_uniform(random) * 1000 / dist->c;
	unsigned __int128 value;

	if (exponent >> 32 >= 31)
		return dist->b;
	/* 32 more bits keep the fraction of the factor. */
	value = (unsigned __int128)dist->a * des_exp2_q32((uint64_t)exponent + (32ull << 32)) >> 32;
	return value > dist->b ? dist->b : (uint64_t)value;
}

uint64_t des_dist_mean(const struct des_dist *dist)
{
	switch (dist->kind) {
	case DES_DIST_UNIFORM:
		return dist->a / 2 + dist->b / 2;
	case DES_DIST_PARETO:
		/* a * index / (index - 1) without the cut at b; it is between a and b in any case. */
		if (dist->c > 1200 && dist->a / (dist->c - 1000) < dist->b / dist->c)
			return dist->a / (dist->c - 1000) * dist->c;
		return dist->a < dist->b / 4 ? dist->a * 4 : dist->a;
	case DES_DIST_CONSTANT:
	case DES_DIST_EXPONENTIAL:
		break;
	}
	return dist->a;
}

uint64_t des_dist_draw(const struct des_dist *dist, struct des_random *random)
{
	switch (dist->kind) {
	case DES_DIST_CONSTANT:
		return dist->a;
	case DES_DIST_UNIFORM:
		if (dist->b - dist->a == UINT64_MAX)
			return des_random_next(random);
		return dist->a + des_random_below(random, dist->b - dist->a + 1);
	case DES_DIST_EXPONENTIAL: {
		/* -ln(u) = -log2(u) * ln(2). */
		unsigned __int128 factor =
			(unsigned __int128)minus_log2_uniform(random) * LN2_Q32 >> 32;

		return (uint64_t)(factor * dist->a >> 32);
	}
	case DES_DIST_PARETO:
		return draw_pareto(dist, random);
	}
	return dist->a;
}

