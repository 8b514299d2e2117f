/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A histogram of unsigned 64-bit values (latencies in ns) in the HDR manner: each
 * power of two is cut into 32 buckets, so a value is known to within 1/32 of
 * itself over the whole range, in 15 KiB, and adding one is a few instructions.
 * The exact smallest, largest and sum are kept beside.
 */
#ifndef IOASIS_ANALYSIS_HISTOGRAM_H
#define IOASIS_ANALYSIS_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_SUB_BITS 5
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
	uint64_t count;
	uint64_t min; /* UINT64_MAX when empty */
	uint64_t max;
	uint64_t sum; /* stays at UINT64_MAX once it overflowed */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_init(struct histogram *histogram);
void histogram_add(struct histogram *histogram, uint64_t value);

/*
 * The value that share/10^6 of the values do not exceed (500000: the median), as
 * the largest value of its bucket, never above the exact maximum; 0 when empty.
 */
uint64_t histogram_percentile(const struct histogram *histogram, uint32_t share_ppm);

/* The bucket of a value, and the values that a bucket holds: [low, high]. */
unsigned int histogram_bucket(uint64_t value);
uint64_t histogram_bucket_low(unsigned int bucket);
uint64_t histogram_bucket_high(unsigned int bucket);

#endif
