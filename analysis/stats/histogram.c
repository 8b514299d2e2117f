/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/stats/histogram.h"

#include <string.h>

#define SUB (1u << HISTOGRAM_SUB_BITS)

void histogram_init(struct histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
	histogram->min = UINT64_MAX;
}

unsigned int histogram_bucket(uint64_t value)
{
	unsigned int octave;

	if (value < SUB)
		return (unsigned int)value;
	octave = 63u - (unsigned int)__builtin_clzll(value) - HISTOGRAM_SUB_BITS;
	/* value >> octave is in [SUB, 2 * SUB). */
	return (octave << HISTOGRAM_SUB_BITS) + (unsigned int)(value >> octave);
}

uint64_t histogram_bucket_low(unsigned int bucket)
{
	unsigned int octave;

	if (bucket < 2 * SUB)
		return bucket;
	octave = (bucket >> HISTOGRAM_SUB_BITS) - 1;
	return (uint64_t)(bucket - (octave << HISTOGRAM_SUB_BITS)) << octave;
}

uint64_t histogram_bucket_high(unsigned int bucket)
{
	return bucket + 1 == HISTOGRAM_BUCKETS ? UINT64_MAX : histogram_bucket_low(bucket + 1) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->count++;
	histogram->buckets[histogram_bucket(value)]++;
	if (value < histogram->min)
		histogram->min = value;
	if (value > histogram->max)
		histogram->max = value;
	if (__builtin_add_overflow(histogram->sum, value, &histogram->sum))
		histogram->sum = UINT64_MAX;
}

uint64_t histogram_percentile(const struct histogram *histogram, uint32_t share_ppm)
{
	/* The rank, rounded up, from 1; count * share fits 128 bits. */
	unsigned __int128 scaled = (unsigned __int128)histogram->count * share_ppm + 999999;
	uint64_t rank = (uint64_t)(scaled / 1000000), seen = 0;

	if (!histogram->count)
		return 0;
	if (!rank)
		rank = 1;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= rank) {
			uint64_t high = histogram_bucket_high(i);

			return high < histogram->max ? high : histogram->max;
		}
	}
	return histogram->max;
}
