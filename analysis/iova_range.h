/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A range of I/O addresses: [start, last], never empty, both ends included.
 *
 * Calls name a range by start and length. Where the two become a range is here and nowhere
 * else; the decoder (analysis/decode) does it once for each event, and everything behind it
 * compares ranges.
 */
#ifndef IOASIS_ANALYSIS_IOVA_RANGE_H
#define IOASIS_ANALYSIS_IOVA_RANGE_H

#include <stdbool.h>
#include <stdint.h>

struct iova_range {
	uint64_t start;
	uint64_t last;
};

/* What an unmap of everything means; as a pair of start and length it is 0, 2^64 - 1. */
#define IOVA_RANGE_WHOLE ((struct iova_range){ 0, UINT64_MAX })

/*
 * The range that a call means with start and length. Length 0 names one address: such a call
 * is refused. A range that runs over the end of the space stops there: such a call is refused,
 * too. Start 0 with length 2^64 - 1 is the whole space, of which the last byte cannot be
 * expressed otherwise. Source: iommufd_ioas_unmap() in drivers/iommu/iommufd/ioas.c.
 */
static inline struct iova_range iova_range_of_length(uint64_t start, uint64_t length)
{
	struct iova_range range = { start, start };

	if (!start && length == UINT64_MAX)
		return IOVA_RANGE_WHOLE;
	if (length && __builtin_add_overflow(start, length - 1, &range.last))
		range.last = UINT64_MAX;
	return range;
}

/* How many bytes it has; 2^64 - 1 for the whole space, whose length does not fit. */
static inline uint64_t iova_range_bytes(uint64_t start, uint64_t last)
{
	uint64_t less_one = last - start;

	return less_one == UINT64_MAX ? UINT64_MAX : less_one + 1;
}

static inline bool iova_range_is_whole(struct iova_range range)
{
	return !range.start && range.last == UINT64_MAX;
}

static inline bool iova_range_overlaps(struct iova_range a, struct iova_range b)
{
	return a.start <= b.last && b.start <= a.last;
}

/* Whether all of inner lies in outer. */
static inline bool iova_range_contains(struct iova_range outer, struct iova_range inner)
{
	return outer.start <= inner.start && inner.last <= outer.last;
}

#endif
