/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages are pinned: each page that at least one user needs.
 *
 * Most users need all pages of a pages object (an area that maps it whole, in
 * an address space with a page table), so they are one count, whole_pins. Users
 * of a part are counted in runs: disjoint ranges of pages with a count each,
 * cut where a user's range begins and ends. Runs are never joined again while
 * they are counted, so that taking a user away needs no memory.
 */
#include "sim/engine/pins.h"
#include "sim/engine/heap.h"

#include <string.h>

#include "sim/engine/account.h"
#include "sim/engine/span_tree.h"

struct iopt_pins {
	struct span_tree runs; /* value: the count */
	uint64_t run_pages;    /* pages in runs */
	/* Identity of each page that is pinned; only with the test command. */
	struct engine_page *ids;
};

static bool is_whole(const struct iopt_pages *pages, uint64_t first, uint64_t last)
{
	return first == 0 && last == pages->npages - 1;
}

uint64_t iopt_pages_pinned(const struct iopt_pages *pages)
{
	if (pages->type == IOPT_PAGES_DMABUF)
		return 0;
	if (pages->whole_pins)
		return pages->npages;
	return pages->pins ? pages->pins->run_pages : 0;
}

static struct iopt_pins *pins_get(struct engine_ctx *ctx, struct iopt_pages *pages)
{
	struct iopt_pins *pins = pages->pins;

	if (pins)
		return pins;
	pins = heap_alloc(ctx->engine->config.heap, 1, sizeof(*pins));
	if (!pins)
		return NULL;
	span_tree_init(&pins->runs, &ctx->span_pool);
	if (ctx->engine->config.test_ops) {
		pins->ids = heap_alloc(ctx->engine->config.heap, pages->npages,
				       sizeof(*pins->ids));
		if (!pins->ids) {
			free(pins);
			return NULL;
		}
	}
	pages->pins = pins;
	return pins;
}

void iopt_pins_free(struct iopt_pages *pages)
{
	struct iopt_pins *pins = pages->pins;

	if (!pins)
		return;
	span_tree_fini(&pins->runs);
	free(pins->ids);
	free(pins);
	pages->pins = NULL;
}

/* ---- the client's pages --------------------------------------------------------- */

/* Makes pages [first, first + n) present. How many from the start are, or -errno. */
static ssize_t source_pin(struct iopt_pages *pages, uint64_t first, uint64_t n,
			  struct engine_page *ids)
{
	struct engine_mm *mm = pages->source->mm;
	struct engine_file *file;
	ssize_t got;

	if (pages->type == IOPT_PAGES_USER)
		return mm->ops->pin(mm, pages->base + (first << ENGINE_PAGE_SHIFT), n,
				    pages->writable, ids);
	file = iopt_file_pages(pages)->file;
	if (file->kind != ENGINE_FILE_MEMFD && file->kind != ENGINE_FILE_HUGETLB)
		return -EINVAL;
	got = file->ops->pin(file, (pages->base >> ENGINE_PAGE_SHIFT) + first, n,
			     pages->writable, ids);
	/* memfd_pin_folios() refuses the whole range when its end is past the file's. */
	return got < 0 ? -EINVAL : got;
}

static void source_unpin(struct iopt_pages *pages, uint64_t first, uint64_t n)
{
	struct engine_mm *mm = pages->source->mm;
	struct engine_file *file;

	if (pages->type == IOPT_PAGES_USER) {
		mm->ops->unpin(mm, pages->base + (first << ENGINE_PAGE_SHIFT), n);
		return;
	}
	file = iopt_file_pages(pages)->file;
	file->ops->unpin(file, (pages->base >> ENGINE_PAGE_SHIFT) + first, n);
}

static void range_unpin(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t first,
			uint64_t last)
{
	if (pages->pins && pages->pins->ids)
		page_table_unpin(ctx->engine, pages->pins->ids + first, last - first + 1);
	source_unpin(pages, first, last - first + 1);
}

/* Pins pages that no one has pinned. */
static int range_pin(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t first,
		     uint64_t last)
{
	struct engine_page *ids = pages->pins && pages->pins->ids ? pages->pins->ids + first : NULL;
	uint64_t n = last - first + 1;
	ssize_t got;
	int rc;

	if (ctx_should_fail(ctx))
		return -EFAULT;
	got = source_pin(pages, first, n, ids);
	if (got < 0)
		return (int)got;
	if ((uint64_t)got < n) {
		if (got)
			source_unpin(pages, first, (uint64_t)got);
		return pages->type == IOPT_PAGES_FILE ? -EINVAL : -EFAULT;
	}
	rc = ids ? page_table_pin(ctx->engine, ids, n) : 0;
	if (rc)
		source_unpin(pages, first, n);
	return rc;
}

/* Walks the parts of [first, last] that no run covers. */
static bool next_unpinned(const struct iopt_pages *pages, uint64_t *first, uint64_t last,
			  uint64_t *part_last)
{
	struct span span;

	while (*first <= last) {
		if (!pages->pins ||
		    !span_tree_first(&pages->pins->runs, *first, last, &span, NULL)) {
			*part_last = last;
			return true;
		}
		if (span.start > *first) {
			*part_last = span.start - 1;
			return true;
		}
		*first = span.last + 1;
	}
	return false;
}

/* Unpins the parts of [first, end) that no run covers. */
static void unpinned_undo(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t first,
			  uint64_t end)
{
	uint64_t part_last;

	while (first < end && next_unpinned(pages, &first, end - 1, &part_last)) {
		range_unpin(ctx, pages, first, part_last);
		first = part_last + 1;
	}
}

/* The caller's limit if it is the caller's memory, which may have changed since MAP. */
static void limit_refresh(struct engine_ctx *ctx, struct iopt_source *source)
{
	const struct engine_client *client = ctx->call ? ctx->call->client : NULL;
	struct iopt_source *current;

	if (!client)
		return;
	current = iopt_source_get_current(ctx);
	if (!current)
		return;
	if (current->mm == source->mm)
		source->memlock_limit = client->ops->memlock_limit(client);
	iopt_source_put(current);
}

static int pages_charge(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t npages)
{
	if (!npages)
		return 0;
	if (ctx_should_fail(ctx))
		return -ENOMEM;
	if (pages->account_mode == ACCOUNT_NONE)
		return 0;
	limit_refresh(ctx, pages->source);
	return account_charge(ctx->engine, pages->account_mode, pages->source, npages);
}

/* ---- users of all pages ------------------------------------------------------- */

static int whole_pin(struct engine_ctx *ctx, struct iopt_pages *pages)
{
	uint64_t last = pages->npages - 1;
	uint64_t fresh = 0;
	uint64_t at = 0;
	uint64_t part_last;
	int rc;

	if (pages->whole_pins) {
		pages->whole_pins++;
		return 0;
	}
	if (ctx->engine->config.test_ops && !pins_get(ctx, pages))
		return -ENOMEM;
	while (next_unpinned(pages, &at, last, &part_last)) {
		rc = range_pin(ctx, pages, at, part_last);
		if (rc)
			goto out_unpin;
		fresh += part_last - at + 1;
		at = part_last + 1;
	}
	rc = pages_charge(ctx, pages, fresh);
	if (rc)
		goto out_unpin;
	pages->whole_pins = 1;
	return 0;

out_unpin:
	unpinned_undo(ctx, pages, 0, at);
	return rc;
}

static void whole_unpin(struct engine_ctx *ctx, struct iopt_pages *pages)
{
	uint64_t runs = pages->pins ? pages->pins->run_pages : 0;

	ENGINE_BUG_ON(!pages->whole_pins);
	if (--pages->whole_pins)
		return;
	unpinned_undo(ctx, pages, 0, pages->npages);
	account_uncharge(ctx->engine, pages->account_mode, pages->source, pages->npages - runs);
}

/* ---- users of a part ---------------------------------------------------------- */

/* Makes page `at` the first of a run, if it is inside one. */
static int run_cut(struct span_tree *runs, uint64_t at)
{
	struct span span;
	int rc;

	if (!span_tree_first(runs, at, at, &span, NULL) || span.start == at)
		return 0;
	span_tree_set_last(runs, span.start, at - 1);
	rc = span_tree_insert(runs, at, span.last, span.value);
	if (rc)
		span_tree_set_last(runs, span.start, span.last);
	return rc;
}

/*
 * Takes away the runs in [first, last] that no one counts any more, and what
 * they pinned. Returns how many pages that were.
 */
static uint64_t runs_drop(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t first,
			  uint64_t last)
{
	struct iopt_pins *pins = pages->pins;
	uint64_t dropped = 0;
	struct span span;

	while (first <= last && span_tree_first(&pins->runs, first, last, &span, NULL)) {
		if (!span.value) {
			span_tree_remove(&pins->runs, span.start);
			dropped += span.last - span.start + 1;
			if (!pages->whole_pins)
				range_unpin(ctx, pages, span.start, span.last);
		}
		first = span.last + 1;
	}
	pins->run_pages -= dropped;
	return dropped;
}

/* Covers what of [first, last] has no run with runs that no one counts yet. */
static int runs_fill(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t first,
		     uint64_t last, uint64_t *fresh)
{
	struct iopt_pins *pins = pages->pins;
	uint64_t part_last;
	int rc;

	while (next_unpinned(pages, &first, last, &part_last)) {
		if (!pages->whole_pins) {
			rc = range_pin(ctx, pages, first, part_last);
			if (rc)
				return rc;
		}
		rc = span_tree_insert(&pins->runs, first, part_last, NULL);
		if (rc) {
			if (!pages->whole_pins)
				range_unpin(ctx, pages, first, part_last);
			return rc;
		}
		pins->run_pages += part_last - first + 1;
		*fresh += part_last - first + 1;
		first = part_last + 1;
	}
	return 0;
}

static void runs_count(struct span_tree *runs, uint64_t first, uint64_t last, intptr_t delta)
{
	struct span span;

	while (first <= last && span_tree_first(runs, first, last, &span, NULL)) {
		ENGINE_BUG_ON(span.start < first || span.last > last);
		span_tree_set_value(runs, span.start, (char *)span.value + delta);
		first = span.last + 1;
	}
}

static int part_pin(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t first,
		    uint64_t last)
{
	struct iopt_pins *pins = pins_get(ctx, pages);
	uint64_t fresh = 0;
	int rc;

	if (!pins)
		return -ENOMEM;
	rc = run_cut(&pins->runs, first);
	if (!rc)
		rc = run_cut(&pins->runs, last + 1);
	if (rc)
		return rc;
	rc = runs_fill(ctx, pages, first, last, &fresh);
	if (!rc)
		rc = pages_charge(ctx, pages, pages->whole_pins ? 0 : fresh);
	if (rc) {
		runs_drop(ctx, pages, first, last);
		return rc;
	}
	runs_count(&pins->runs, first, last, 1);
	return 0;
}

static void part_unpin(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t first,
		       uint64_t last)
{
	uint64_t dropped;

	ENGINE_BUG_ON(!pages->pins);
	runs_count(&pages->pins->runs, first, last, -1);
	dropped = runs_drop(ctx, pages, first, last);
	if (!pages->whole_pins)
		account_uncharge(ctx->engine, pages->account_mode, pages->source, dropped);
}

/* ---- users -------------------------------------------------------------------- */

int iopt_pages_pin(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t first,
		   uint64_t last)
{
	ENGINE_BUG_ON(last < first || last >= pages->npages);
	if (pages->type == IOPT_PAGES_DMABUF)
		return 0;
	return is_whole(pages, first, last) ? whole_pin(ctx, pages) :
					      part_pin(ctx, pages, first, last);
}

void iopt_pages_unpin(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t first,
		      uint64_t last)
{
	if (pages->type == IOPT_PAGES_DMABUF)
		return;
	if (is_whole(pages, first, last))
		whole_unpin(ctx, pages);
	else
		part_unpin(ctx, pages, first, last);
}

int iopt_pages_probe(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t first,
		     uint64_t last)
{
	uint64_t part_last;
	ssize_t got;

	if (pages->type == IOPT_PAGES_DMABUF || pages->whole_pins)
		return 0;
	for (; next_unpinned(pages, &first, last, &part_last); first = part_last + 1) {
		if (ctx_should_fail(ctx))
			return -EFAULT;
		got = source_pin(pages, first, part_last - first + 1, NULL);
		if (got > 0)
			source_unpin(pages, first, (uint64_t)got);
		if (got < 0)
			return (int)got;
		if ((uint64_t)got < part_last - first + 1)
			return -EFAULT;
	}
	return 0;
}

static bool page_is_pinned(const struct iopt_pages *pages, uint64_t index)
{
	struct span span;

	return pages->whole_pins ||
	       (pages->pins && span_tree_first(&pages->pins->runs, index, index, &span, NULL));
}

int iopt_pages_identity(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t index,
			struct engine_page *page)
{
	ssize_t got;

	(void)ctx;
	if (pages->type == IOPT_PAGES_DMABUF) {
		page->object = iopt_file_pages(pages)->dmabuf->object;
		page->index = (pages->base >> ENGINE_PAGE_SHIFT) + index;
		return iopt_pages_revoked(pages) ? -EFAULT : 0;
	}
	if (pages->pins && pages->pins->ids && page_is_pinned(pages, index)) {
		*page = pages->pins->ids[index];
		return 0;
	}
	got = source_pin(pages, index, 1, page);
	if (got != 1)
		return -EFAULT;
	source_unpin(pages, index, 1);
	return 0;
}

void iopt_pins_verify(const struct iopt_pages *pages)
{
	uint64_t covered = 0;
	struct span_pos pos;
	struct span span;
	bool more;

	if (!pages->pins)
		return;
	span_tree_verify(&pages->pins->runs);
	for (more = span_tree_first(&pages->pins->runs, 0, UINT64_MAX, &span, &pos); more;
	     more = span_tree_next(&pos, UINT64_MAX, &span)) {
		ENGINE_BUG_ON(!span.value || span.last >= pages->npages);
		covered += span.last - span.start + 1;
	}
	ENGINE_BUG_ON(covered != pages->pins->run_pages);
}
