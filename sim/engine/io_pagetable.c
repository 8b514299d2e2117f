/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Areas: finding, mapping, unmapping and cutting them. Source: io_pagetable.c.
 *
 * An area is in the tree exactly as long as it is mapped. While any domain is
 * attached, every area's pages are pinned.
 */
#include "sim/engine/io_pagetable.h"

#include "sim/engine/iopt_private.h"

#define UNMAP_TRIES 100u

void iopt_init(struct io_pagetable *iopt, struct engine_ctx *ctx)
{
	*iopt = (struct io_pagetable){ .ctx = ctx, .iova_alignment = 1 };
	span_tree_init(&iopt->areas, &ctx->span_pool);
	span_tree_init(&iopt->allowed, &ctx->span_pool);
	list_init(&iopt->reserved);
	list_init(&iopt->domains);
	list_init(&iopt->accesses);
}

/* ---- finding ------------------------------------------------------------------ */

/* The area of a span that was found. All of it is asked for at once: it is in no cache. */
static struct iopt_area *area_found(const struct span *span)
{
	struct iopt_area *area = iopt_area_of(span->value);

	__builtin_prefetch(area);
	__builtin_prefetch((const char *)area + sizeof(struct iopt_own_area) - 1);
	return area;
}

struct iopt_area *iopt_area_first(struct io_pagetable *iopt, uint64_t start, uint64_t last,
				  struct span_pos *pos)
{
	struct span span;

	return span_tree_first(&iopt->areas, start, last, &span, pos) ? area_found(&span) : NULL;
}

struct iopt_area *iopt_area_next(struct span_pos *pos, uint64_t last)
{
	struct span span;

	return span_tree_next(pos, last, &span) ? area_found(&span) : NULL;
}

static struct iopt_area *contig_take(struct iopt_contig *iter, bool found,
				     const struct span *span)
{
	iter->area = found && span->start <= iter->iova ? iopt_area_of(span->value) : NULL;
	if (iter->area) {
		iter->area_last = span->last;
		iter->flags = (uintptr_t)span->value & IOPT_VALUE_MASK;
	}
	return iter->area;
}

struct iopt_area *iopt_contig_first(struct iopt_contig *iter, struct io_pagetable *iopt,
				    uint64_t iova, uint64_t last)
{
	struct span span;
	bool found = span_tree_first(&iopt->areas, iova, iova, &span, &iter->pos);

	iter->iova = iova;
	iter->last = last;
	return contig_take(iter, found, &span);
}

struct iopt_area *iopt_contig_next(struct iopt_contig *iter)
{
	struct span span;

	if (!iter->area || iter->last <= iter->area_last)
		return NULL;
	iter->iova = iter->area_last + 1;
	return contig_take(iter, span_tree_next(&iter->pos, iter->last, &span), &span);
}

/* ---- pinning for domains ---------------------------------------------------------- */

bool iopt_area_suits(const struct iopt_area *area, const struct iopt_domain *domain)
{
	return area->prot || domain->maps_without_rights;
}

int iopt_area_fill(struct io_pagetable *iopt, struct iopt_area *area)
{
	return iopt_pages_pin(iopt->ctx, iopt_area_pages(area), iopt_area_index(area, area->iova),
			      iopt_area_index(area, area->last));
}

/* The same, and every page table takes the area. */
static int area_fill_domains(struct io_pagetable *iopt, struct iopt_area *area)
{
	int rc = iopt_area_fill(iopt, area);

	if (rc)
		return rc;
	list_for_each(link, &iopt->domains)
	{
		if (iopt_area_suits(area, container_of(link, struct iopt_domain, link)))
			continue;
		iopt_area_unfill(iopt, area);
		return -EINVAL;
	}
	return 0;
}

void iopt_area_unfill(struct io_pagetable *iopt, struct iopt_area *area)
{
	iopt_pages_unpin(iopt->ctx, iopt_area_pages(area), iopt_area_index(area, area->iova),
			 iopt_area_index(area, area->last));
}

/* ---- mapping ------------------------------------------------------------------------ */

/* iopt_insert_area(): what it refuses of one slice. */
static int slice_check(const struct io_pagetable *iopt, const struct iopt_slice *slice,
		       uint64_t iova, uint8_t prot)
{
	uint64_t last;

	if ((prot & ENGINE_PROT_WRITE) && !slice->pages->writable)
		return -EPERM;
	if (slice->start_byte & ENGINE_PAGE_MASK & (iopt->iova_alignment - 1))
		return -EINVAL;
	if (__builtin_add_overflow(iova, slice->length - 1, &last) ||
	    __builtin_add_overflow(slice->start_byte, slice->length - 1, &last) ||
	    last >> ENGINE_PAGE_SHIFT >= slice->pages->npages)
		return -EOVERFLOW;
	return 0;
}

/* Room for the area of a slice: beside its pages if no area is there. NULL: out of memory. */
static struct iopt_area *area_alloc(struct engine_ctx *ctx, const struct iopt_slice *slice)
{
	struct iopt_own_area *own = container_of(slice->pages, struct iopt_own_area, pages);
	struct engine_quota *quota = ctx->quota;
	struct iopt_other_area *other;

	if (quota && !quota_take(&quota->mappings, quota->mappings_max))
		return NULL;
	if (slice->pages->in_own && !slice->pages->own_mapped &&
	    slice->start_byte < ENGINE_PAGE_SIZE) {
		own->area = (struct iopt_area){ .own = true, .own_start = slice->start_byte & 0xfff };
		slice->pages->own_mapped = true;
		ctx->areas_count++;
		return &own->area;
	}
	other = slab_alloc(&ctx->other_area_slab);
	if (!other) {
		if (quota)
			quota_give(&quota->mappings);
		return NULL;
	}
	*other = (struct iopt_other_area){
		.pages = slice->pages,
		.start_byte = slice->start_byte,
	};
	ctx->areas_count++;
	return &other->area;
}

/* Its pages' reference stays. */
static void area_free(struct engine_ctx *ctx, struct iopt_area *area)
{
	if (area->own)
		iopt_area_pages(area)->own_mapped = false;
	else
		slab_free(&ctx->other_area_slab, area);
	ctx->areas_count--;
	if (ctx->quota)
		quota_give(&ctx->quota->mappings);
}

static void *area_value(const struct iopt_area *area)
{
	bool dmabuf = iopt_area_pages(area)->type == IOPT_PAGES_DMABUF;

	return (char *)area + area->prot + (dmabuf ? IOPT_VALUE_DMABUF : 0);
}

/* Makes the area of a slice, in the tree but not filled. NULL: out of memory. */
static struct iopt_area *area_insert(struct io_pagetable *iopt, const struct iopt_slice *slice,
				     uint64_t iova, uint8_t prot)
{
	struct engine_origin origin = ctx_origin(iopt->ctx);
	struct iopt_area *area = area_alloc(iopt->ctx, slice);

	if (!area)
		return NULL;
	area->iova = iova;
	area->last = iova + (slice->length - 1);
	area->prot = prot & 3;
	area->made_pid = origin.pid;
	area->made_tid = origin.tid;
	area->made_ns = origin.time_ns;
	area->made_stack = origin.stack;
	if (span_tree_insert(&iopt->areas, area->iova, area->last, area_value(area))) {
		area_free(iopt->ctx, area);
		return NULL;
	}
	return area;
}

/* Takes an area out of the tree and frees it; its pages' reference stays. */
static void area_remove(struct io_pagetable *iopt, struct iopt_area *area)
{
	span_tree_remove(&iopt->areas, area->iova);
	area_free(iopt->ctx, area);
}

/* Undoes the first `count` slices, the first `filled` of them filled. */
static void slices_undo(struct io_pagetable *iopt, const struct iopt_slice *slices,
			size_t count, size_t filled, uint64_t iova)
{
	for (size_t i = 0; i < count; i++) {
		struct iopt_area *area = iopt_area_first(iopt, iova, iova, NULL);

		iova += slices[i].length;
		if (i < filled)
			iopt_area_unfill(iopt, area);
		area_remove(iopt, area);
	}
}

static int slices_insert(struct io_pagetable *iopt, const struct iopt_slice *slices,
			 size_t count, uint64_t first_iova, uint8_t prot)
{
	bool fill = !list_empty(&iopt->domains);
	struct iopt_area *area = NULL;
	uint64_t iova = first_iova;
	size_t i;
	int rc;

	for (i = 0; i < count; i++) {
		rc = slice_check(iopt, &slices[i], iova, prot);
		if (rc)
			goto out_undo;
		area = area_insert(iopt, &slices[i], iova, prot);
		if (!area) {
			rc = -ENOMEM;
			goto out_undo;
		}
		iova += slices[i].length;
	}
	if (!fill)
		return 0;

	iova = first_iova;
	for (i = 0; i < count; i++) {
		if (count > 1)
			area = iopt_area_first(iopt, iova, iova, NULL);
		rc = area_fill_domains(iopt, area);
		if (rc) {
			slices_undo(iopt, slices, count, i, first_iova);
			return rc;
		}
		iova += slices[i].length;
	}
	return 0;

out_undo:
	slices_undo(iopt, slices, i, 0, first_iova);
	return rc;
}

int iopt_map_slices(struct ioas *ioas, struct iopt_slice *slices, size_t count,
		    uint64_t length, uint64_t *iova, bool automatic, uint8_t prot,
		    enum trace_commit_kind commit, uint64_t commit_arg)
{
	struct io_pagetable *iopt = &ioas->iopt;
	uint64_t at;
	int rc;

	for (size_t i = 0; i < count; i++) {
		if (ctx_should_fail(iopt->ctx))
			return -ENOMEM;
	}
	if ((length & (iopt->iova_alignment - 1)) || !length)
		return -EINVAL;
	if (automatic)
		rc = iopt_alloc_iova(iopt, slices[0].pages->base + slices[0].start_byte, length,
				     iova);
	else
		rc = iopt_check_iova(iopt, *iova, length);
	if (!rc)
		rc = slices_insert(iopt, slices, count, *iova, prot);
	if (rc)
		return rc;

	at = *iova;
	for (size_t i = 0; i < count; i++) {
		ctx_commit(iopt->ctx, &ioas->object, commit, at, at + (slices[i].length - 1),
			   prot, commit_arg);
		listeners_note_area(iopt, iopt_area_first(iopt, at, at, NULL), true);
		at += slices[i].length;
	}
	return 0;
}

/* ---- unmapping ------------------------------------------------------------------------ */

/* Removes a mapped area: from all domains first, then its pins, then itself. */
static void area_unmap(struct io_pagetable *iopt, struct iopt_area *area)
{
	struct iopt_pages *pages = iopt_area_pages(area);

	if (!list_empty(&iopt->domains)) {
		list_for_each(link, &iopt->domains) {
			struct iopt_domain *domain = container_of(link, struct iopt_domain, link);

			if (domain->unmapped)
				domain->unmapped(domain, area->iova, area->last);
		}
		dma_wait_range(iopt, area->iova, area->last);
		listeners_note_area(iopt, area, false);
		iopt_area_unfill(iopt, area);
	}
	area_remove(iopt, area);
	iopt_pages_put(iopt->ctx, pages);
}

/* Asks all accesses to give back their pins of an area. */
static void area_notify(struct io_pagetable *iopt, struct iopt_area *area)
{
	uint64_t iova = area->iova;
	uint64_t length = iopt_area_length(area);

	area->prevent_access = true;
	list_for_each(link, &iopt->accesses) {
		struct iopt_access *access = container_of(link, struct iopt_access, link);

		if (!access->internal && access->unmap)
			access->unmap(access, iova, length);
	}
}

/* What UNMAP does; *end is the last address that was looked at. */
static int unmap_range(struct io_pagetable *iopt, uint64_t start, uint64_t last,
		       uint64_t *unmapped, uint64_t *end)
{
	unsigned int tries = 0;
	struct iopt_area *area;

	while ((area = iopt_area_first(iopt, start, last, NULL))) {
		uint64_t area_last = area->last;

		if (area->num_locks)
			return -EBUSY;
		if (area->iova < start || area_last > last)
			return -ENOENT;
		if (area->iova != start)
			tries = 0;
		if (area->num_accesses) {
			start = area->iova;
			area_notify(iopt, area);
			if (++tries > UNMAP_TRIES)
				return -EDEADLK;
			continue;
		}
		*unmapped += iopt_area_length(area);
		*end = area_last;
		area_unmap(iopt, area);
		if (area_last >= last)
			break;
		start = area_last + 1;
	}
	*end = last;
	return 0;
}

int iopt_unmap_range(struct ioas *ioas, uint64_t start, uint64_t last, uint64_t *unmapped,
		     bool nothing_is_fine)
{
	uint64_t end = start;
	int rc;

	*unmapped = 0;
	rc = unmap_range(&ioas->iopt, start, last, unmapped, &end);
	if (*unmapped || (!rc && nothing_is_fine))
		ctx_commit(ioas->iopt.ctx, &ioas->object, TRACE_COMMIT_UNMAP, start, end, 0,
			   *unmapped);
	return rc;
}

void iopt_fini(struct io_pagetable *iopt)
{
	uint64_t unmapped = 0;
	uint64_t end;
	int rc;

	rc = unmap_range(iopt, 0, UINT64_MAX, &unmapped, &end);
	ENGINE_BUG_ON(rc || iopt->areas.count);
	iopt_unreserve(iopt, NULL); /* what the test command reserved */
	span_tree_fini(&iopt->areas);
	span_tree_fini(&iopt->allowed);
	ENGINE_BUG_ON(!list_empty(&iopt->reserved) || !list_empty(&iopt->domains) ||
		      !list_empty(&iopt->accesses));
}

/* ---- cutting ----------------------------------------------------------------------------- */

/* Splits the pin of a filled area, pages [first, last], between its two parts. */
static int cut_pins(struct io_pagetable *iopt, struct iopt_area *area, uint64_t first,
		    uint64_t left_last, uint64_t right_first, uint64_t last)
{
	int rc;

	rc = iopt_pages_pin(iopt->ctx, iopt_area_pages(area), first, left_last);
	if (rc)
		return rc;
	rc = iopt_pages_pin(iopt->ctx, iopt_area_pages(area), right_first, last);
	if (rc) {
		iopt_pages_unpin(iopt->ctx, iopt_area_pages(area), first, left_last);
		return rc;
	}
	iopt_pages_unpin(iopt->ctx, iopt_area_pages(area), first, last);
	return 0;
}

/* Undoes cut_pins(). All is pinned and charged already, so nothing can fail. */
static void cut_pins_undo(struct io_pagetable *iopt, struct iopt_area *area, uint64_t first,
			  uint64_t left_last, uint64_t right_first, uint64_t last)
{
	int rc = iopt_pages_pin(iopt->ctx, iopt_area_pages(area), first, last);

	ENGINE_BUG_ON(rc);
	iopt_pages_unpin(iopt->ctx, iopt_area_pages(area), first, left_last);
	iopt_pages_unpin(iopt->ctx, iopt_area_pages(area), right_first, last);
}

/* To a trace a cut is the mapping gone, and its two parts mapped on the same pages. */
static void commit_cut(struct io_pagetable *iopt, const struct iopt_area *left, uint64_t last)
{
	struct engine_object *object = &container_of(iopt, struct ioas, iopt)->object;

	ctx_commit(iopt->ctx, object, TRACE_COMMIT_UNMAP, left->iova, last, 0,
		   last - left->iova + 1);
	ctx_commit(iopt->ctx, object, TRACE_COMMIT_COPY, left->iova, left->last, left->prot,
		   object->id);
	ctx_commit(iopt->ctx, object, TRACE_COMMIT_COPY, left->last + 1, last, left->prot,
		   object->id);
}

int iopt_cut(struct io_pagetable *iopt, uint64_t iova)
{
	struct iopt_area *area = iopt_area_first(iopt, iova, iova, NULL);
	bool filled = !list_empty(&iopt->domains);
	uint64_t index[4]; /* pages: the left part's first and last, the right part's */
	struct iopt_slice right;
	struct iopt_area *rest;
	uint64_t last;
	int rc;

	if (!area || iova == area->iova || iova == area->last)
		return 0;
	if (area->prevent_access)
		return -EBUSY;
	if (iopt_area_pages(area)->type == IOPT_PAGES_DMABUF)
		return -EOPNOTSUPP;
	if ((iova + 1) & (iopt->iova_alignment - 1) ||
	    iopt_area_byte(area, iova + 1) & (iopt->iova_alignment - 1))
		return -EINVAL;
	if (ctx_should_fail(iopt->ctx) || ctx_should_fail(iopt->ctx))
		return -ENOMEM;
	if (area->num_accesses || (filled && !iopt->disable_large_pages))
		return -EINVAL;

	last = area->last;
	right = (struct iopt_slice){ iopt_area_pages(area), iopt_area_byte(area, iova + 1), last - iova };
	index[0] = iopt_area_index(area, area->iova);
	index[1] = iopt_area_index(area, iova);
	index[2] = iopt_area_index(area, iova + 1);
	index[3] = iopt_area_index(area, last);
	if (filled) {
		rc = cut_pins(iopt, area, index[0], index[1], index[2], index[3]);
		if (rc)
			return rc;
	}
	listeners_note_area(iopt, area, false);
	span_tree_set_last(&iopt->areas, area->iova, iova);
	area->last = iova;
	rest = area_insert(iopt, &right, iova + 1, area->prot);
	if (!rest) {
		span_tree_set_last(&iopt->areas, area->iova, last);
		area->last = last;
		if (filled)
			cut_pins_undo(iopt, area, index[0], index[1], index[2], index[3]);
		listeners_note_area(iopt, area, true);
		return -ENOMEM;
	}
	/* Who mapped it, not who cuts it. */
	rest->made_pid = area->made_pid;
	rest->made_tid = area->made_tid;
	rest->made_ns = area->made_ns;
	rest->made_stack = area->made_stack;
	iopt_pages_get(iopt_area_pages(area));
	commit_cut(iopt, area, last);
	listeners_note_area(iopt, area, true);
	listeners_note_area(iopt, rest, true);
	return 0;
}
