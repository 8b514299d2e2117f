/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Those who look at an address space: domains, accesses, and the alignment that
 * they demand. Source: io_pagetable.c, and device.c for accesses.
 */
#include "sim/engine/iopt_private.h"

/* ---- alignment --------------------------------------------------------------------- */

/* Whether all areas keep a greater alignment. */
static int alignment_check(struct io_pagetable *iopt, uint64_t alignment)
{
	uint64_t mask = alignment - 1;
	struct iopt_area *area;
	struct span_pos pos;

	for (area = iopt_area_first(iopt, 0, UINT64_MAX, &pos); area;
	     area = iopt_area_next(&pos, UINT64_MAX)) {
		if ((area->iova & mask) || (iopt_area_length(area) & mask) ||
		    (iopt_area_start_byte(area) & ENGINE_PAGE_MASK & mask))
			return -EADDRINUSE;
	}
	return 0;
}

static uint64_t domain_alignment(const struct iopt_domain *domain)
{
	return domain->pgsize_bitmap & -domain->pgsize_bitmap;
}

/* Recomputes iova_alignment; -EADDRINUSE when areas do not fit a greater one. */
static int alignment_update(struct io_pagetable *iopt)
{
	uint64_t alignment = iopt->disable_large_pages ? ENGINE_PAGE_SIZE : 1;
	int rc;

	list_for_each(link, &iopt->domains) {
		uint64_t own = domain_alignment(container_of(link, struct iopt_domain, link));

		alignment = own > alignment ? own : alignment;
	}
	list_for_each(link, &iopt->accesses) {
		uint64_t own = container_of(link, struct iopt_access, link)->iova_alignment;

		alignment = own > alignment ? own : alignment;
	}
	if (alignment > iopt->iova_alignment) {
		rc = alignment_check(iopt, alignment);
		if (rc)
			return rc;
	}
	iopt->iova_alignment = alignment;
	return 0;
}

void iopt_enable_large_pages(struct io_pagetable *iopt)
{
	int rc;

	iopt->disable_large_pages = false;
	rc = alignment_update(iopt);
	ENGINE_BUG_ON(rc);
}

int iopt_disable_large_pages(struct io_pagetable *iopt)
{
	int rc;

	if (iopt->disable_large_pages)
		return 0;
	if (!list_empty(&iopt->domains) && iopt->areas.count)
		return -EINVAL;
	iopt->disable_large_pages = true;
	rc = alignment_update(iopt);
	if (rc)
		iopt->disable_large_pages = false;
	return rc;
}

/* ---- domains ------------------------------------------------------------------------- */

/* Shows all areas to the domain; the first one of the space has their pages pinned. */
static int fill_all(struct io_pagetable *iopt, const struct iopt_domain *domain)
{
	const bool pins = list_empty(&iopt->domains);
	struct iopt_area *area;
	struct iopt_area *undo;
	struct span_pos pos;
	int rc;

	for (area = iopt_area_first(iopt, 0, UINT64_MAX, &pos); area;
	     area = iopt_area_next(&pos, UINT64_MAX)) {
		rc = pins ? iopt_area_fill(iopt, area) : 0;
		if (!rc && !iopt_area_suits(area, domain)) {
			if (pins)
				iopt_area_unfill(iopt, area);
			rc = -EINVAL;
		}
		if (rc)
			goto out_unfill;
	}
	return 0;

out_unfill:
	for (undo = iopt_area_first(iopt, 0, UINT64_MAX, &pos); pins && undo != area;
	     undo = iopt_area_next(&pos, UINT64_MAX))
		iopt_area_unfill(iopt, undo);
	return rc;
}

/* Whether there may be areas without rights though there are domains. */
static bool any_maps_without_rights(const struct io_pagetable *iopt)
{
	list_for_each(link, &iopt->domains)
	{
		if (container_of(link, struct iopt_domain, link)->maps_without_rights)
			return true;
	}
	return false;
}

static int aperture_reserve(struct io_pagetable *iopt, struct iopt_domain *domain)
{
	int rc = 0;

	if (domain->aperture_start)
		rc = iopt_reserve(iopt, 0, domain->aperture_start - 1, domain);
	if (!rc && domain->aperture_last != UINT64_MAX)
		rc = iopt_reserve(iopt, domain->aperture_last + 1, UINT64_MAX, domain);
	return rc;
}

int iopt_table_add_domain(struct io_pagetable *iopt, struct iopt_domain *domain)
{
	uint64_t alignment = domain_alignment(domain);
	int rc;

	if (alignment < iopt->iova_alignment)
		alignment = iopt->iova_alignment;
	if (alignment > ENGINE_PAGE_SIZE)
		return -EINVAL;
	if (alignment != iopt->iova_alignment) {
		rc = alignment_check(iopt, alignment);
		if (rc)
			return rc;
	}
	rc = aperture_reserve(iopt, domain);
	if (!rc && ctx_should_fail(iopt->ctx))
		rc = -ENOMEM;
	/* Later ones have nothing to pin; they only differ in what they can map. */
	if (!rc && (list_empty(&iopt->domains) || any_maps_without_rights(iopt)))
		rc = fill_all(iopt, domain);
	if (rc) {
		iopt_unreserve(iopt, domain);
		return rc;
	}
	iopt->iova_alignment = alignment;
	list_append(&iopt->domains, &domain->link);
	return 0;
}

void iopt_table_remove_domain(struct io_pagetable *iopt, struct iopt_domain *domain)
{
	struct iopt_area *area;
	struct span_pos pos;
	int rc;

	list_remove(&domain->link);
	if (domain->unmapped)
		domain->unmapped(domain, 0, UINT64_MAX);
	if (list_empty(&iopt->domains)) {
		dma_wait_range(iopt, 0, UINT64_MAX);
		for (area = iopt_area_first(iopt, 0, UINT64_MAX, &pos); area;
		     area = iopt_area_next(&pos, UINT64_MAX))
			iopt_area_unfill(iopt, area);
	}
	iopt_unreserve(iopt, domain);
	rc = alignment_update(iopt);
	ENGINE_BUG_ON(rc);
}

/* ---- accesses ------------------------------------------------------------------------- */

int iopt_add_access(struct io_pagetable *iopt, struct iopt_access *access)
{
	int rc;

	if (ctx_should_fail(iopt->ctx))
		return -ENOMEM;
	list_append(&iopt->accesses, &access->link);
	rc = alignment_update(iopt);
	if (rc)
		list_remove(&access->link);
	return rc;
}

void iopt_remove_access(struct io_pagetable *iopt, struct iopt_access *access)
{
	int rc;

	list_remove(&access->link);
	rc = alignment_update(iopt);
	ENGINE_BUG_ON(rc);
}

static bool prot_allows(const struct iopt_area *area, bool write)
{
	return area->prot & (write ? ENGINE_PROT_WRITE : ENGINE_PROT_READ);
}

/* Whether the part of iter's area starts and, when it is not the last, ends with a page. */
static bool contig_is_page_aligned(const struct iopt_contig *iter)
{
	if (iopt_area_byte(iter->area, iter->iova) & ENGINE_PAGE_MASK)
		return false;
	return iopt_contig_done(iter) ||
	       (iopt_area_byte(iter->area, iter->area->last) & ENGINE_PAGE_MASK) ==
		       ENGINE_PAGE_MASK;
}

static uint64_t contig_last(const struct iopt_contig *iter)
{
	return iter->last < iter->area->last ? iter->last : iter->area->last;
}

static int area_access_pin(struct io_pagetable *iopt, struct iopt_access *access,
			   const struct iopt_contig *iter, bool write,
			   struct engine_page *pages)
{
	struct iopt_area *area = iter->area;
	uint64_t first = iopt_area_index(area, iter->iova);
	uint64_t last = iopt_area_index(area, contig_last(iter));
	int rc;

	if (area->prevent_access || !contig_is_page_aligned(iter))
		return -EINVAL;
	if (!prot_allows(area, write) || (write && !iopt_area_pages(area)->writable))
		return -EPERM;
	if (iopt_area_pages(area)->type == IOPT_PAGES_DMABUF)
		return -EINVAL;
	if (ctx_should_fail(iopt->ctx))
		return -ENOMEM;
	rc = iopt_pages_pin(iopt->ctx, iopt_area_pages(area), first, last);
	if (rc)
		return rc;
	for (uint64_t index = first; pages && index <= last && !rc; index++)
		rc = iopt_pages_identity(iopt->ctx, iopt_area_pages(area), index, pages++);
	if (rc) {
		iopt_pages_unpin(iopt->ctx, iopt_area_pages(area), first, last);
		return rc;
	}
	area->num_accesses++;
	area->num_locks += access->internal;
	return 0;
}

int iopt_access_pin(struct io_pagetable *iopt, struct iopt_access *access, uint64_t iova,
		    uint64_t last, bool write, struct engine_page *pages)
{
	struct iopt_contig iter;
	struct iopt_area *area;
	int rc;

	iopt_contig_for_each(&iter, area, iopt, iova, last) {
		rc = area_access_pin(iopt, access, &iter, write, pages);
		if (rc)
			goto out_unpin;
		if (pages)
			pages += iopt_area_index(area, contig_last(&iter)) -
				 iopt_area_index(area, iter.iova) + 1;
	}
	if (iopt_contig_done(&iter))
		return 0;
	rc = -ENOENT;

out_unpin:
	if (iter.iova > iova)
		iopt_access_unpin(iopt, access, iova, iter.iova - 1);
	return rc;
}

void iopt_access_unpin(struct io_pagetable *iopt, struct iopt_access *access, uint64_t iova,
		       uint64_t last)
{
	struct iopt_contig iter;
	struct iopt_area *area;

	iopt_contig_for_each(&iter, area, iopt, iova, last) {
		ENGINE_BUG_ON(!area->num_accesses);
		area->num_accesses--;
		area->num_locks -= access->internal;
		iopt_pages_unpin(iopt->ctx, iopt_area_pages(area), iopt_area_index(area, iter.iova),
				 iopt_area_index(area, contig_last(&iter)));
	}
	ENGINE_BUG_ON(!iopt_contig_done(&iter));
}

/* iopt_pages_rw_access(): through the process's memory, or through pages pinned meanwhile. */
static int area_rw(struct io_pagetable *iopt, const struct iopt_contig *iter, void *data,
		   bool write, bool slow)
{
	struct iopt_pages *pages = iopt_area_pages(iter->area);
	uint64_t byte = iopt_area_byte(iter->area, iter->iova);
	uint64_t length = contig_last(iter) - iter->iova + 1;
	uint64_t first = byte >> ENGINE_PAGE_SHIFT;
	uint64_t last = (byte + length - 1) >> ENGINE_PAGE_SHIFT;
	int rc;

	if (write && !pages->writable)
		return -EPERM;
	if (pages->type == IOPT_PAGES_DMABUF)
		return -EINVAL;
	if (pages->type == IOPT_PAGES_USER && (!slow || first == last)) {
		if (slow && ctx_should_fail(iopt->ctx))
			return -EINVAL;
		return iopt_pages_rw(iopt->ctx, pages, byte, data, length, write);
	}
	rc = iopt_pages_probe(iopt->ctx, pages, first, last);
	if (rc)
		return rc;
	return iopt_pages_rw(iopt->ctx, pages, byte, data, length, write);
}

int iopt_access_rw(struct io_pagetable *iopt, uint64_t iova, void *data, uint64_t length,
		   bool write, bool slow)
{
	char *at = data;
	struct iopt_contig iter;
	struct iopt_area *area;
	uint64_t last;
	int rc;

	if (!length)
		return -EINVAL;
	if (__builtin_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;
	iopt_contig_for_each(&iter, area, iopt, iova, last) {
		if (area->prevent_access)
			return -EINVAL;
		if (!prot_allows(area, write))
			return -EPERM;
		rc = area_rw(iopt, &iter, at, write, slow);
		if (rc)
			return rc;
		at += contig_last(&iter) - iter.iova + 1;
	}
	return iopt_contig_done(&iter) ? 0 : -ENOENT;
}
