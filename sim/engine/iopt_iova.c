/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which addresses may be used: reserved and allowed ranges, and the choice of
 * an address. Source: io_pagetable.c.
 *
 * Reserved ranges may overlap one another, each has an owner; there are a few,
 * in a list by start. Allowed ranges are disjoint.
 */
#include "sim/engine/iopt_private.h"

/* ---- reserved --------------------------------------------------------------------- */

bool iopt_is_reserved(const struct io_pagetable *iopt, uint64_t start, uint64_t last)
{
	list_for_each(link, &iopt->reserved) {
		const struct iopt_reserved *reserved =
			container_of(link, struct iopt_reserved, link);

		if (reserved->start > last)
			return false;
		if (reserved->last >= start)
			return true;
	}
	return false;
}

int iopt_reserve(struct io_pagetable *iopt, uint64_t start, uint64_t last, const void *owner)
{
	struct list_link *after = &iopt->reserved;
	struct iopt_reserved *reserved;
	struct span span;

	if (iopt_area_first(iopt, start, last, NULL) ||
	    span_tree_first(&iopt->allowed, start, last, &span, NULL))
		return -EADDRINUSE;
	reserved = ctx_alloc(iopt->ctx, sizeof(*reserved));
	if (!reserved)
		return -ENOMEM;
	reserved->start = start;
	reserved->last = last;
	reserved->owner = owner;
	list_for_each(link, &iopt->reserved) {
		if (container_of(link, struct iopt_reserved, link)->start > start) {
			after = link;
			break;
		}
	}
	list_append(after, &reserved->link); /* before `after`, or at the end */
	return 0;
}

void iopt_unreserve(struct io_pagetable *iopt, const void *owner)
{
	list_for_each(link, &iopt->reserved) {
		struct iopt_reserved *reserved = container_of(link, struct iopt_reserved, link);

		if (reserved->owner == owner) {
			list_remove(link);
			free(reserved);
		}
	}
}

bool iopt_next_unreserved(const struct io_pagetable *iopt, uint64_t *start, uint64_t *last)
{
	list_for_each(link, &iopt->reserved) {
		const struct iopt_reserved *reserved =
			container_of(link, struct iopt_reserved, link);

		if (reserved->last < *start)
			continue;
		if (reserved->start > *start) {
			*last = reserved->start - 1;
			return true;
		}
		if (reserved->last == UINT64_MAX)
			return false;
		*start = reserved->last + 1;
	}
	*last = UINT64_MAX;
	return true;
}

/* ---- choosing an address -------------------------------------------------------------- */

struct iova_request {
	uint64_t length;
	uint64_t alignment;
	uint64_t page_offset;
	uint64_t found;
};

/* __alloc_iova_check_range(): the first address in [first, last] that fits, in found. */
static bool request_fits(void *opaque, uint64_t first, uint64_t last)
{
	struct iova_request *request = opaque;
	uint64_t aligned;

	if (__builtin_add_overflow(first, request->alignment - 1, &aligned))
		return false;
	aligned &= ~(request->alignment - 1);
	aligned |= request->page_offset;
	if (aligned >= last || last - aligned < request->length - 1)
		return false;
	request->found = aligned;
	return true;
}

static uint64_t round_up_power_of_two(uint64_t value)
{
	return value <= 1 ? 1 : 1ull << (64 - __builtin_clzll(value - 1));
}

/* The alignment that an address for this memory gets, before the space's own. */
static uint64_t request_alignment(uint64_t addr, uint64_t length)
{
	uint64_t alignment = round_up_power_of_two(length);
	uint64_t most = 1ull << SPAN_TREE_ALIGN_MAX_SHIFT; /* a transparent huge page */

	if (addr && (addr & -addr) < alignment)
		alignment = addr & -addr;
	return alignment < most ? alignment : most;
}

/* The lowest address in one allowed range. */
static bool range_alloc(struct io_pagetable *iopt, struct iova_request *request,
			uint64_t first, uint64_t last)
{
	unsigned int shift = (unsigned int)__builtin_ctzll(request->alignment);
	uint64_t start;
	uint64_t run_last;

	if (!request_fits(request, first, last))
		return false;
	start = request->found;
	while (start <= last && iopt_next_unreserved(iopt, &start, &run_last)) {
		if (start > last)
			return false;
		if (run_last > last)
			run_last = last;
		if (span_tree_find_gap(&iopt->areas, start, run_last, request->length, shift,
				       request_fits, request))
			return true;
		if (run_last == last)
			return false;
		start = run_last + 1;
	}
	return false;
}

/* The next run of allowed addresses at or after *start; ranges that touch are one. */
static bool next_allowed(struct io_pagetable *iopt, uint64_t *start, uint64_t most,
			 uint64_t *last)
{
	struct span_pos pos;
	struct span span;

	if (!span_tree_first(&iopt->allowed, *start, most, &span, &pos))
		return false;
	if (span.start > *start)
		*start = span.start;
	*last = span.last;
	while (*last < most && span_tree_next(&pos, most, &span) && span.start == *last + 1)
		*last = span.last;
	if (*last > most)
		*last = most;
	return true;
}

int iopt_alloc_iova(struct io_pagetable *iopt, uint64_t addr, uint64_t length, uint64_t *iova)
{
	const uint64_t most = UINT64_MAX - ENGINE_PAGE_SIZE;
	struct iova_request request = {
		.length = length,
		.page_offset = addr & ENGINE_PAGE_MASK,
	};
	uint64_t start = ENGINE_PAGE_SIZE;
	uint64_t last = most;
	bool found = false;

	if (!length || length >= UINT64_MAX / 2)
		return -EOVERFLOW;
	request.alignment = request_alignment(addr, length);
	if (request.alignment < iopt->iova_alignment)
		return -EINVAL;

	if (!iopt->allowed.count) {
		found = range_alloc(iopt, &request, start, last);
	} else {
		while (!found && next_allowed(iopt, &start, most, &last)) {
			found = range_alloc(iopt, &request, start, last);
			if (last == most)
				break;
			start = last + 1;
		}
	}
	if (!found)
		return -ENOSPC;
	*iova = request.found;
	return 0;
}

int iopt_check_iova(struct io_pagetable *iopt, uint64_t iova, uint64_t length)
{
	uint64_t last;

	if (iova & (iopt->iova_alignment - 1))
		return -EINVAL;
	if (__builtin_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;
	if (iopt_is_reserved(iopt, iova, last))
		return -EINVAL;
	if (iopt_area_first(iopt, iova, last, NULL))
		return -EEXIST;
	return 0;
}
