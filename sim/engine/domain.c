/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O page tables: which leaf translates an address, and which leaves were
 * written.
 *
 * A written page is remembered as the 2 KiB granule that was hit. How much one
 * hit makes dirty follows when the bits are read: the leaf is as large as the
 * page table's page sizes, the alignment of the address and the memory behind it
 * allow, as in the kernel's generic page tables.
 */
#include "sim/engine/domain.h"

#include "sim/engine/pages.h"

static void domain_unmapped(struct iopt_domain *iopt, uint64_t iova, uint64_t last)
{
	dirty_set_clear(&container_of(iopt, struct domain, iopt)->dirty, iova, last);
}

void domain_init_paging(struct domain *domain, uint64_t aperture_start, uint64_t aperture_last,
			uint64_t page_sizes)
{
	list_init(&domain->iopt.link);
	domain->iopt.aperture_start = aperture_start;
	domain->iopt.aperture_last = aperture_last;
	domain->iopt.pgsize_bitmap = page_sizes;
	domain->iopt.unmapped = domain_unmapped;
	dirty_set_init(&domain->dirty);
}

void domain_fini(struct domain *domain)
{
	dirty_set_fini(&domain->dirty);
}

uint64_t domain_min_page(const struct domain *domain)
{
	return domain->iopt.pgsize_bitmap & -domain->iopt.pgsize_bitmap;
}

/*
 * The addresses of area around iova whose memory is one physical run. offset: of
 * *first inside the run.
 */
static void area_run(const struct iopt_area *area, uint64_t iova, uint64_t *first, uint64_t *last,
		     uint64_t *offset)
{
	uint64_t byte = iopt_area_byte(area, iova), before, after;
	int64_t run_first, run_last;

	iopt_pages_run(area->pages, byte, &run_first, &run_last);
	before = byte - (uint64_t)run_first;
	after = (uint64_t)run_last - byte;
	if (before > iova - area->iova)
		before = iova - area->iova;
	if (after > area->last - iova)
		after = area->last - iova;
	*first = iova - before;
	*last = iova + after;
	*offset = byte - before - (uint64_t)run_first;
}

/* The largest page that can map [iova, last] with memory at offset of an aligned run. */
static uint64_t best_page(uint64_t page_sizes, uint64_t iova, uint64_t last, uint64_t offset)
{
	uint64_t room = last - iova, mask = iova | offset, fits;

	/* The size is bounded by alignment (lowest bit set) and by length (highest bit set). */
	fits = room == UINT64_MAX ? 1ull << 63 : 1ull << (63 - __builtin_clzll(room + 1));
	mask |= fits;
	page_sizes &= ((mask & -mask) << 1) - 1;
	return page_sizes ? 1ull << (63 - __builtin_clzll(page_sizes)) : 0;
}

void domain_leaf(const struct domain *domain, const struct io_pagetable *iopt,
		 const struct iopt_area *area, uint64_t iova, uint64_t *first, uint64_t *last)
{
	uint64_t page_sizes = domain->iopt.pgsize_bitmap, run_last, offset, at, size;

	/* Spaces without large pages are mapped a page at a time (batch_iommu_map_small()). */
	if (iopt->disable_large_pages)
		page_sizes &= ENGINE_PAGE_MASK | ENGINE_PAGE_SIZE;
	area_run(area, iova, &at, &run_last, &offset);
	for (;;) {
		size = best_page(page_sizes, at, run_last, offset);
		ENGINE_BUG_ON(!size);
		if (iova - at < size)
			break;
		at += size;
		offset += size;
	}
	*first = at;
	*last = at + size - 1;
}

static bool area_is_mapped(const struct iopt_area *area)
{
	return area && !iopt_pages_revoked(area->pages);
}

int domain_set_dirty(struct domain *domain, struct io_pagetable *iopt, uint64_t iova)
{
	const struct iopt_area *area = iopt_area_first(iopt, iova, iova, NULL);

	if (!area_is_mapped(area))
		return 0;
	return dirty_set_add(&domain->dirty, iova, iova);
}

/*
 * How much of a written leaf is reported from first on. The mock's leaves that are
 * several items of its table are reported without their last item: that is what
 * record_dirty() of the kernel's generic page tables computes.
 */
static uint64_t leaf_reported(const struct domain *domain, uint64_t leaf, uint64_t leaf_last,
			      uint64_t first, uint64_t last)
{
	uint64_t size = leaf_last - leaf + 1, item = MOCK_PAGE_SIZE, end = leaf_last;

	if (domain->mock) {
		/* A level of the table is 512 items of the one below. */
		while (size >= item * 512)
			item *= 512;
		if (size > item)
			end = leaf_last - item;
	}
	if (end > last)
		end = last;
	return end < first ? 0 : end - first + 1;
}

void domain_read_and_clear_dirty(struct domain *domain, const struct io_pagetable *iopt,
				 const struct iopt_area *area, uint64_t iova, uint64_t last,
				 bool no_clear,
				 void (*record)(void *opaque, uint64_t iova, uint64_t length),
				 void *opaque)
{
	uint64_t hit, leaf, leaf_last, from = iova;

	if (!domain->dirty.used || !area_is_mapped(area))
		return;
	/* A hit before iova can share its leaf; the leaf's part in range counts then. */
	if (iova != area->iova) {
		domain_leaf(domain, iopt, area, iova, &leaf, &leaf_last);
		from = leaf;
	}
	while (dirty_set_next(&domain->dirty, from, area->last, &hit)) {
		if (hit < area->iova)
			hit = area->iova;
		domain_leaf(domain, iopt, area, hit, &leaf, &leaf_last);
		if (leaf > last)
			break;
		if (record) {
			uint64_t first = leaf < iova ? iova : leaf;
			uint64_t length = leaf_reported(domain, leaf, leaf_last, first, last);

			if (length)
				record(opaque, first, length);
		}
		if (!no_clear)
			dirty_set_clear(&domain->dirty, leaf, leaf_last);
		if (leaf_last >= last)
			break;
		from = leaf_last + 1;
	}
}

void domain_verify(const struct domain *domain)
{
	ENGINE_BUG_ON(domain->dirty_tracking && !domain->dirty_ops);
	ENGINE_BUG_ON(domain->dirty.used > domain->dirty.capacity);
	if (domain->nested)
		return;
	ENGINE_BUG_ON(!domain->iopt.pgsize_bitmap);
	ENGINE_BUG_ON(domain->iopt.aperture_start > domain->iopt.aperture_last);
}
