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

void domain_init_paging(struct domain *domain, const struct engine_ctx *ctx,
			uint64_t aperture_start, uint64_t aperture_last, uint64_t page_sizes)
{
	list_init(&domain->iopt.link);
	domain->iopt.aperture_start = aperture_start;
	domain->iopt.aperture_last = aperture_last;
	domain->iopt.pgsize_bitmap = page_sizes;
	domain->iopt.unmapped = domain_unmapped;
	dirty_set_init(&domain->dirty, ctx->engine->config.heap);
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

	iopt_pages_run(iopt_area_pages(area), byte, &run_first, &run_last);
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
	return area && !iopt_pages_revoked(iopt_area_pages(area));
}

int domain_set_dirty(struct domain *domain, struct io_pagetable *iopt, uint64_t iova)
{
	const struct iopt_area *area = iopt_area_first(iopt, iova, iova, NULL);

	if (!area_is_mapped(area))
		return 0;
	return dirty_set_add(&domain->dirty, iova, iova);
}

/*
 * Which part of a written leaf is reported to a client that asks from first to last;
 * false: none. Where leaves are reported as a whole, one that begins before first is
 * lost: its bits lie before the client's bitmap (iova_bitmap_set()). Before, what was
 * reported began at first, and a leaf of several items of the mock's table ended before
 * its last item, as record_dirty() computed it. Bits after last are left out in both.
 */
static bool leaf_reported(const struct domain *domain, uint64_t leaf, uint64_t leaf_last,
			  uint64_t first, uint64_t last, uint64_t *from, uint64_t *to)
{
	uint64_t size = leaf_last - leaf + 1, item = MOCK_PAGE_SIZE;

	*from = leaf < first ? first : leaf;
	*to = leaf_last;
	if (domain->whole_entries && leaf < first)
		return false;
	if (domain->mock && !domain->whole_entries) {
		/* A level of the table is 512 items of the one below. */
		while (size >= item * 512)
			item *= 512;
		if (size > item)
			*to = leaf_last - item;
	}
	if (*to > last)
		*to = last;
	return *from <= *to;
}

/*
 * The mock before 6.19 goes from iova in steps of what maps each address, and reports a
 * step when any granule of its leaf is dirty. Source: mock_domain_read_and_clear_dirty().
 */
static void read_and_clear_granules(struct domain *domain, const struct io_pagetable *iopt,
				    const struct iopt_area *area, const struct domain_dirty *ask)
{
	uint64_t hit, leaf, leaf_last, at = ask->iova, from = ask->iova, to;

	if (ask->record && !domain->dirty_tracking)
		return;
	domain_leaf(domain, iopt, area, at, &leaf, &leaf_last);
	if (leaf_last - leaf >= MOCK_PAGE_SIZE)
		from = leaf;
	while (dirty_set_next(&domain->dirty, from, ask->last, &hit)) {
		if (hit < area->iova)
			hit = area->iova;
		domain_leaf(domain, iopt, area, hit, &leaf, &leaf_last);
		at = leaf < ask->iova ? ask->iova : leaf;
		to = at + (leaf_last - leaf);
		if (to > ask->last)
			to = ask->last;
		if (ask->record)
			ask->record(ask->opaque, at, to - at + 1);
		if (!ask->no_clear)
			dirty_set_clear(&domain->dirty, leaf, leaf_last);
		if (leaf_last >= ask->last)
			break;
		from = leaf_last + 1;
	}
}

static void read_and_clear_leaves(struct domain *domain, const struct io_pagetable *iopt,
				  const struct iopt_area *area, const struct domain_dirty *ask)
{
	uint64_t hit, leaf, leaf_last, from = ask->iova, first, to;

	/* A hit before iova can share its leaf; the leaf's part in range counts then. */
	if (ask->iova != area->iova) {
		domain_leaf(domain, iopt, area, ask->iova, &leaf, &leaf_last);
		from = leaf;
	}
	while (dirty_set_next(&domain->dirty, from, area->last, &hit)) {
		if (hit < area->iova)
			hit = area->iova;
		domain_leaf(domain, iopt, area, hit, &leaf, &leaf_last);
		if (leaf > ask->last)
			break;
		if (ask->record &&
		    leaf_reported(domain, leaf, leaf_last, ask->iova, ask->last, &first, &to))
			ask->record(ask->opaque, first, to - first + 1);
		if (!ask->no_clear)
			dirty_set_clear(&domain->dirty, leaf, leaf_last);
		if (leaf_last >= ask->last)
			break;
		from = leaf_last + 1;
	}
}

void domain_read_and_clear_dirty(struct domain *domain, const struct io_pagetable *iopt,
				 const struct iopt_area *area, const struct domain_dirty *ask)
{
	if (!domain->dirty.used || !area_is_mapped(area))
		return;
	if (domain->per_granule)
		read_and_clear_granules(domain, iopt, area, ask);
	else
		read_and_clear_leaves(domain, iopt, area, ask);
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
