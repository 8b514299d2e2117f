/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/engine/dma.h"
#include "sim/engine/heap.h"

#include <string.h>

#include "sim/engine/phys.h"
#include "sim/engine/sim_device.h"
#include "sim/engine/trace.h"

/* One DMA that moves bytes. */
struct dma_flight {
	struct list_link link;
	const struct io_pagetable *iopt;
	const struct device *dev;
	uint64_t iova, last; /* all its pieces lie in here */
};

void dma_table_init(struct dma_table *table)
{
	pthread_mutex_init(&table->lock, NULL);
	pthread_cond_init(&table->done, NULL);
	list_init(&table->under_way);
}

void dma_table_fini(struct dma_table *table)
{
	ENGINE_BUG_ON(!list_empty(&table->under_way));
	pthread_cond_destroy(&table->done);
	pthread_mutex_destroy(&table->lock);
}

/* Whether one is under way; dev NULL: of any device. */
static bool any_under_way(const struct dma_table *table, const struct io_pagetable *iopt,
			  const struct device *dev, uint64_t iova, uint64_t last)
{
	list_for_each(link, &table->under_way)
	{
		const struct dma_flight *flight = container_of(link, struct dma_flight, link);

		if ((dev ? flight->dev == dev : flight->iopt == iopt) && flight->iova <= last &&
		    iova <= flight->last)
			return true;
	}
	return false;
}

static void wait_for(struct dma_table *table, const struct io_pagetable *iopt,
		     const struct device *dev, uint64_t iova, uint64_t last)
{
	pthread_mutex_lock(&table->lock);
	while (any_under_way(table, iopt, dev, iova, last))
		pthread_cond_wait(&table->done, &table->lock);
	pthread_mutex_unlock(&table->lock);
}

void dma_wait_range(const struct io_pagetable *iopt, uint64_t iova, uint64_t last)
{
	wait_for(&iopt->ctx->dma, iopt, NULL, iova, last);
}

void dma_wait_device(const struct device *dev)
{
	wait_for(&dev->object.ctx->dma, NULL, dev, 0, UINT64_MAX);
}

static void flight_begin(struct engine_ctx *ctx, struct dma_flight *flight)
{
	ctx_get(ctx);
	pthread_mutex_lock(&ctx->dma.lock);
	list_append(&ctx->dma.under_way, &flight->link);
	pthread_mutex_unlock(&ctx->dma.lock);
}

static void flight_end(struct engine_ctx *ctx, struct dma_flight *flight)
{
	pthread_mutex_lock(&ctx->dma.lock);
	list_remove(&flight->link);
	pthread_cond_broadcast(&ctx->dma.done);
	pthread_mutex_unlock(&ctx->dma.lock);
	ctx_put(ctx);
}

/* ---- looking up ------------------------------------------------------------------ */

/* A run of memory, with a reference to whose it is. */
struct dma_run {
	enum iopt_pages_type type;
	struct engine_mm *mm;
	struct engine_file *file;
	struct iopt_dmabuf *dmabuf;
	uint64_t at; /* in it */
	uint64_t length;
};

#define RUNS_INLINE 8u

struct dma_plan {
	struct dma_run *runs;
	size_t count, room;
	const struct engine_heap *heap; /* borrowed */
	struct dma_run few[RUNS_INLINE];
};

static void plan_init(struct dma_plan *plan, const struct engine_heap *heap)
{
	plan->heap = heap;
	plan->runs = plan->few;
	plan->count = 0;
	plan->room = RUNS_INLINE;
}

static void run_put(const struct dma_run *run)
{
	if (run->mm)
		engine_mm_put(run->mm);
	if (run->file)
		engine_file_put(run->file);
	if (run->dmabuf)
		run->dmabuf->put(run->dmabuf);
}

static void plan_fini(struct dma_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		run_put(&plan->runs[i]);
	if (plan->runs != plan->few)
		free(plan->runs);
}

static bool run_continues(const struct dma_run *run, const struct dma_run *next)
{
	return run->type == next->type && run->mm == next->mm && run->file == next->file &&
	       run->dmabuf == next->dmabuf && run->at + run->length == next->at;
}

static int plan_add(struct dma_plan *plan, const struct dma_run *run)
{
	struct dma_run *grown;

	if (plan->count && run_continues(&plan->runs[plan->count - 1], run)) {
		plan->runs[plan->count - 1].length += run->length;
		return 0;
	}
	if (plan->count == plan->room) {
		grown = heap_alloc(plan->heap, 2 * plan->room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		memcpy(grown, plan->runs, plan->count * sizeof(*grown));
		if (plan->runs != plan->few)
			free(plan->runs);
		plan->runs = grown;
		plan->room *= 2;
	}
	plan->runs[plan->count++] = *run;
	if (run->mm)
		__atomic_add_fetch(&run->mm->refs, 1, __ATOMIC_RELAXED);
	if (run->file)
		__atomic_add_fetch(&run->file->refs, 1, __ATOMIC_RELAXED);
	if (run->dmabuf)
		run->dmabuf->get(run->dmabuf);
	return 0;
}

/* Adds the part [iova, last] of an area. */
static int plan_area(struct dma_plan *plan, const struct iopt_area *area, uint64_t iova,
		     uint64_t last)
{
	struct iopt_pages *pages = iopt_area_pages(area);
	struct dma_run run = {
		.type = (enum iopt_pages_type)pages->type,
		.at = pages->base + iopt_area_byte(area, iova),
		.length = last - iova + 1,
	};

	switch (run.type) {
	case IOPT_PAGES_USER:
		run.mm = pages->source->mm;
		break;
	case IOPT_PAGES_FILE:
		run.file = iopt_file_pages(pages)->file;
		break;
	case IOPT_PAGES_DMABUF:
		run.dmabuf = iopt_file_pages(pages)->dmabuf;
		break;
	}
	return plan_add(plan, &run);
}

/*
 * Looks [iova, last] up, to the first address that is not mapped for this: *fault_iova; pages to be
 * written become dirty. moves false: no more than the tree of areas is read.
 */
static int plan_piece(struct dma_plan *plan, struct hwpt *paging, uint64_t iova, uint64_t last,
		      bool write, bool moves, uint64_t *fault_iova)
{
	unsigned int right = write ? ENGINE_PROT_WRITE : ENGINE_PROT_READ;
	struct iopt_contig iter;
	struct iopt_area *area;

	*fault_iova = iova;
	iopt_contig_for_each(&iter, area, &paging->ioas->iopt, iova, last) {
		uint64_t end = iter.area_last < last ? iter.area_last : last;

		*fault_iova = iter.iova;
		if (!(iter.flags & right) || ((iter.flags & IOPT_VALUE_DMABUF) &&
					      iopt_pages_revoked(iopt_area_pages(area))))
			return -EFAULT;
		if (moves && plan_area(plan, area, iter.iova, end))
			return -EFAULT;
		if (write && paging->domain.dirty_tracking &&
		    dirty_set_add(&paging->domain.dirty, iter.iova, end))
			return -EFAULT;
		*fault_iova = end + 1;
	}
	return iopt_contig_done(&iter) ? 0 : -EFAULT;
}

/* Looks physical addresses up; for a device without an IOMMU. */
static int plan_phys(struct dma_plan *plan, struct engine *engine, uint64_t phys, uint64_t length,
		     uint64_t *fault_phys)
{
	struct phys_memory memory;
	int rc = 0;

	while (length && !rc) {
		struct dma_run run = { .at = 0 };

		*fault_phys = phys;
		if (!phys_find(engine, phys, &memory))
			return -EFAULT;
		run.type = memory.mm ? IOPT_PAGES_USER : IOPT_PAGES_FILE;
		run.mm = memory.mm;
		run.file = memory.file;
		run.at = memory.at;
		run.length = memory.length < length ? memory.length : length;
		rc = plan_add(plan, &run);
		run_put(&run);
		phys += run.length;
		length -= run.length;
	}
	return rc;
}

/* The pieces of a device without an IOMMU; no event tells of them. */
static int plan_phys_pieces(struct dma_plan *plan, struct engine_device *device,
			    const struct engine_dma *dma, struct dma_flight *flight,
			    uint64_t *fault_phys)
{
	int rc = 0;

	flight->dev = device->dev;
	flight->iopt = NULL;
	flight->iova = 0;
	flight->last = UINT64_MAX;
	for (size_t i = 0; i < dma->pieces_count && !rc; i++)
		rc = plan_phys(plan, device->ctx->engine, dma->pieces[i].iova,
			       dma->pieces[i].length, fault_phys);
	return rc;
}

/* All pieces, each with its event. Needs the context's lock. */
static int plan_pieces(struct dma_plan *plan, struct engine_device *device, uint32_t pasid,
		       const struct engine_dma *dma, struct dma_flight *flight,
		       uint64_t *fault_iova)
{
	const struct attach *attach = device->dev ? device_attach_find(device->dev, pasid) : NULL;
	struct hwpt *hwpt = attach ? attach->hwpt : NULL;
	struct hwpt *paging = hwpt ? hwpt_find_paging(hwpt) : NULL;
	int rc = 0;

	flight->dev = device->dev;
	flight->iopt = paging ? &paging->ioas->iopt : NULL;
	flight->iova = UINT64_MAX;
	flight->last = 0;
	for (size_t i = 0; i < dma->pieces_count && !rc; i++) {
		uint64_t iova = dma->pieces[i].iova, length = dma->pieces[i].length, last;

		if (!length)
			continue;
		*fault_iova = iova;
		if (!paging || __builtin_add_overflow(iova, length - 1, &last))
			rc = -EFAULT;
		else
			rc = plan_piece(plan, paging, iova, last, dma->write, dma->local != NULL,
					fault_iova);
		trace_dma(device->ctx, device->dev ? device->dev->object.id : 0,
			  hwpt ? hwpt->object.id : 0, iova, length, dma->write, rc, *fault_iova,
			  device->bdf);
		if (rc)
			break;
		flight->iova = iova < flight->iova ? iova : flight->iova;
		flight->last = last > flight->last ? last : flight->last;
	}
	return rc;
}

/* ---- moving ---------------------------------------------------------------------- */

static int dmabuf_move(struct iopt_dmabuf *dmabuf, uint64_t offset, void *buf, size_t length,
		       bool write)
{
	if (offset > dmabuf->size || length > dmabuf->size - offset)
		return -EFAULT;
	if (dmabuf->access)
		return dmabuf->access(dmabuf, offset, buf, length, write);
	if (!dmabuf->memory)
		return -EFAULT;
	if (write)
		memcpy((char *)dmabuf->memory + offset, buf, length);
	else
		memcpy(buf, (char *)dmabuf->memory + offset, length);
	return 0;
}

static int run_move(const struct dma_run *run, uint64_t done, void *buf, size_t length,
		    bool write)
{
	uint64_t at = run->at + done;

	if (run->mm)
		return write ? run->mm->ops->write(run->mm, at, buf, length) :
			       run->mm->ops->read(run->mm, at, buf, length);
	if (run->file)
		return write ? run->file->ops->write(run->file, at, buf, length) :
			       run->file->ops->read(run->file, at, buf, length);
	return dmabuf_move(run->dmabuf, at, buf, length, write);
}

/* Between the runs and the local vectors, which are strings of bytes of one length. */
static int plan_move(const struct dma_plan *plan, const struct engine_dma *dma)
{
	size_t vector = 0, at = 0;

	for (size_t i = 0; i < plan->count; i++) {
		const struct dma_run *run = &plan->runs[i];
		uint64_t done = 0;

		while (done < run->length) {
			const struct iovec *local = &dma->local[vector];
			size_t n;

			if (vector == dma->local_count)
				return 0;
			n = local->iov_len - at;
			if (n > run->length - done)
				n = (size_t)(run->length - done);
			if (n && run_move(run, done, (char *)local->iov_base + at, n, dma->write))
				return -EFAULT;
			done += n;
			at += n;
			if (at == local->iov_len) {
				vector++;
				at = 0;
			}
		}
	}
	return 0;
}

int engine_device_dma_vector(struct engine_device *device, uint32_t pasid,
			     const struct engine_dma *dma, uint64_t *fault_iova)
{
	struct engine_ctx *ctx = device->ctx;
	struct dma_flight flight;
	struct dma_plan plan;
	uint64_t bad = 0;
	int rc;

	plan_init(&plan, ctx->engine->config.heap);
	ctx_lock(ctx, NULL, NULL);
	if (device->no_iommu)
		rc = plan_phys_pieces(&plan, device, dma, &flight, &bad);
	else
		rc = plan_pieces(&plan, device, pasid, dma, &flight, &bad);
	if (plan.count)
		flight_begin(ctx, &flight);
	ctx_unlock(ctx);
	if (plan.count) {
		int moved = plan_move(&plan, dma);

		rc = rc ? rc : moved;
		plan_fini(&plan);
		flight_end(ctx, &flight);
	}
	if (rc && fault_iova)
		*fault_iova = bad;
	return rc;
}

int engine_device_dma(struct engine_device *device, uint64_t iova, uint64_t length, bool write,
		      void *buf, uint64_t *fault_iova)
{
	const struct engine_dma_piece piece = { .iova = iova, .length = length };
	const struct iovec local = { .iov_base = buf, .iov_len = (size_t)length };
	const struct engine_dma dma = {
		.write = write,
		.pieces = &piece,
		.pieces_count = 1,
		.local = buf ? &local : NULL,
		.local_count = 1,
	};

	return length ? engine_device_dma_vector(device, NO_PASID, &dma, fault_iova) : 0;
}
