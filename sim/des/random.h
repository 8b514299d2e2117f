/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chance: a stream of random numbers for each actor, and integer distributions.
 *
 * A stream depends on a seed, the actor's name and its number, on nothing else:
 * another actor more or less in a scenario leaves the others' numbers alone.
 * The generator is xoshiro256** seeded by splitmix64 (Blackman and Vigna,
 * "Scrambled linear pseudorandom number generators", 2018).
 *
 * No floating point: the same numbers on every machine and at every -O.
 */
#ifndef IOASIS_DES_RANDOM_H
#define IOASIS_DES_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct des_random {
	uint64_t s[4];
};

/* The stream of actor `name`, its number `index`, under seed. */
void des_random_init(struct des_random *random, uint64_t seed, const char *name, uint64_t index);

/* 64 random bits. */
uint64_t des_random_next(struct des_random *random);

/* Even in [0, bound - 1], without bias; bound at least 1. */
uint64_t des_random_below(struct des_random *random, uint64_t bound);

/* True in `numerator` of `denominator` cases. */
bool des_random_chance(struct des_random *random, uint64_t numerator, uint64_t denominator);

/* log2(x) for x at least 1, times 2^32 (error under 2^-24 of the true value). */
uint64_t des_log2_q32(uint64_t x);

/* 2^(y / 2^32); UINT64_MAX when it does not fit. */
uint64_t des_exp2_q32(uint64_t y);

/* Distributions of a non-negative integer. */
enum des_dist_kind {
	DES_DIST_CONSTANT,    /* a */
	DES_DIST_UNIFORM,     /* even in [a, b] */
	DES_DIST_EXPONENTIAL, /* mean a */
	DES_DIST_PARETO,      /* at least a, at most b, tail index c/1000 */
};

struct des_dist {
	enum des_dist_kind kind;
	uint64_t a;
	uint64_t b;
	uint32_t c;
};

/* About its mean: for estimates. */
uint64_t des_dist_mean(const struct des_dist *dist);

/* One value. */
uint64_t des_dist_draw(const struct des_dist *dist, struct des_random *random);

#endif
