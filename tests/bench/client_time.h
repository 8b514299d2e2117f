/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the clients of the benchmarks measure with: programs of their own, without the rest. */
#ifndef IOASIS_TESTS_BENCH_CLIENT_TIME_H
#define IOASIS_TESTS_BENCH_CLIENT_TIME_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t client_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline int client_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Of count times, which are sorted by it; count is not 0. */
static inline uint64_t client_median(uint64_t *times, size_t count)
{
	qsort(times, count, sizeof(*times), client_compare);
	return times[count / 2];
}

#endif
