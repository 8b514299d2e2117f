/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking at a context from outside: visiting what lives, checking every
 * invariant.
 */
#include "sim/engine/access.h"
#include "sim/engine/core.h"
#include "sim/engine/device.h"
#include "sim/engine/eventq.h"
#include "sim/engine/io_pagetable.h"
#include "sim/engine/pins.h"
#include "sim/engine/viommu.h"

static void visit_areas(struct ioas *ioas, const struct engine_visitor *visitor, void *opaque)
{
	struct iopt_area *area;
	struct span_pos pos;

	for (area = iopt_area_first(&ioas->iopt, 0, UINT64_MAX, &pos); area;
	     area = iopt_area_next(&pos, UINT64_MAX)) {
		const struct engine_origin origin = { area->made_pid, area->made_tid, area->made_ns,
						      area->made_stack };

		visitor->area(opaque, ioas->object.id, area->iova, area->last, area->prot, &origin);
	}
}

void engine_ctx_visit(struct engine_ctx *ctx, const struct engine_visitor *visitor,
		      void *opaque)
{
	struct engine_object *object;
	uint32_t id;

	pthread_mutex_lock(&ctx->lock);
	for (id = 0; (object = object_next(ctx, &id)); id++) {
		if (visitor->object)
			visitor->object(opaque, id, object->type, &object->origin);
		if (visitor->area && object->type == ENGINE_OBJ_IOAS)
			visit_areas((struct ioas *)object, visitor, opaque);
	}
	pthread_mutex_unlock(&ctx->lock);
}

/* ---- verification -------------------------------------------------------------------- */

static void verify_area(struct io_pagetable *iopt, const struct iopt_area *area)
{
	uint64_t mask = iopt->iova_alignment - 1;
	uint64_t last_index = iopt_area_index(area, area->last);

	ENGINE_BUG_ON(area->iova > area->last);
	ENGINE_BUG_ON((area->iova & mask) || (iopt_area_length(area) & mask));
	ENGINE_BUG_ON(iopt_area_start_byte(area) & ENGINE_PAGE_MASK & mask);
	ENGINE_BUG_ON(!iopt_area_pages(area)->refs || last_index >= iopt_area_pages(area)->npages);
	ENGINE_BUG_ON((area->prot & ENGINE_PROT_WRITE) && !iopt_area_pages(area)->writable);
	ENGINE_BUG_ON(area->num_locks > area->num_accesses);
	ENGINE_BUG_ON(area->num_accesses && list_empty(&iopt->accesses));
	ENGINE_BUG_ON(iopt_is_reserved(iopt, area->iova, area->last));
	if (!list_empty(&iopt->domains) && iopt_area_pages(area)->type != IOPT_PAGES_DMABUF)
		ENGINE_BUG_ON(iopt_pages_pinned(iopt_area_pages(area)) <
			      last_index - iopt_area_index(area, area->iova) + 1);
	iopt_pins_verify(iopt_area_pages(area));
}

static void verify_ranges(struct io_pagetable *iopt)
{
	uint64_t before = 0;
	struct span_pos pos;
	struct span span;
	bool more;

	list_for_each(link, &iopt->reserved) {
		const struct iopt_reserved *reserved =
			container_of(link, struct iopt_reserved, link);

		ENGINE_BUG_ON(reserved->start > reserved->last || reserved->start < before);
		before = reserved->start;
	}
	span_tree_verify(&iopt->allowed);
	for (more = span_tree_first(&iopt->allowed, 0, UINT64_MAX, &span, &pos); more;
	     more = span_tree_next(&pos, UINT64_MAX, &span))
		ENGINE_BUG_ON(iopt_is_reserved(iopt, span.start, span.last));
}

void iopt_verify(struct io_pagetable *iopt)
{
	struct iopt_area *area;
	struct span_pos pos;
	uint64_t count = 0;

	span_tree_verify(&iopt->areas);
	for (area = iopt_area_first(iopt, 0, UINT64_MAX, &pos); area;
	     area = iopt_area_next(&pos, UINT64_MAX)) {
		struct span span;

		ENGINE_BUG_ON(!span_tree_first(&iopt->areas, area->iova, area->iova, &span, NULL) ||
			      iopt_area_of(span.value) != area ||
			      ((uintptr_t)span.value & IOPT_VALUE_PROT) != area->prot || span.start != area->iova ||
			      span.last != area->last);
		verify_area(iopt, area);
		count++;
	}
	ENGINE_BUG_ON(count != iopt->areas.count);
	ENGINE_BUG_ON(!iopt->iova_alignment ||
		      (iopt->iova_alignment & (iopt->iova_alignment - 1)));
	verify_ranges(iopt);
}

/* The checks of what is not an address space. */
static void verify_device_object(struct engine_object *object)
{
	switch ((enum engine_object_type)object->type) {
	case ENGINE_OBJ_HWPT_PAGING:
	case ENGINE_OBJ_HWPT_NESTED:
		hwpt_verify(container_of(object, struct hwpt, object));
		break;
	case ENGINE_OBJ_DEVICE:
		device_verify(container_of(object, struct device, object));
		break;
	case ENGINE_OBJ_ACCESS:
		access_verify(container_of(object, struct access, object));
		break;
	case ENGINE_OBJ_FAULT:
	case ENGINE_OBJ_VEVENTQ:
		eventq_verify(container_of(object, struct eventq, object));
		break;
	case ENGINE_OBJ_VIOMMU:
		viommu_verify(container_of(object, struct viommu, object));
		break;
	case ENGINE_OBJ_VDEVICE:
		vdevice_verify(container_of(object, struct vdevice, object));
		break;
	case ENGINE_OBJ_HW_QUEUE:
		hw_queue_verify(container_of(object, struct hw_queue, object));
		break;
	case ENGINE_OBJ_NONE:
	case ENGINE_OBJ_IOAS:
	case ENGINE_OBJ_SELFTEST:
		break;
	}
}

/* Calls visit for every area of every address space. */
static void for_each_area(struct engine_ctx *ctx,
			  void (*visit)(struct engine_ctx *ctx, struct iopt_area *area))
{
	struct engine_object *object;
	struct iopt_area *area;
	struct span_pos pos;
	uint32_t id;

	for (id = 0; (object = object_next(ctx, &id)); id++) {
		if (object->type != ENGINE_OBJ_IOAS)
			continue;
		area = iopt_area_first(&((struct ioas *)object)->iopt, 0, UINT64_MAX, &pos);
		for (; area; area = iopt_area_next(&pos, UINT64_MAX))
			visit(ctx, area);
	}
}

/* Between calls the areas alone refer to pages: without their references none is left. */
static void pages_forget(struct engine_ctx *ctx, struct iopt_area *area)
{
	(void)ctx;
	iopt_area_pages(area)->refs--;
}

static void pages_check(struct engine_ctx *ctx, struct iopt_area *area)
{
	const struct iopt_pages *pages = iopt_area_pages(area);

	(void)ctx;
	ENGINE_BUG_ON(pages->refs || pages->moving || !pages->source->refs);
	ENGINE_BUG_ON(area->own && !pages->own_mapped);
}

static void pages_remember(struct engine_ctx *ctx, struct iopt_area *area)
{
	(void)ctx;
	iopt_area_pages(area)->refs++;
}

void engine_ctx_verify(struct engine_ctx *ctx)
{
	struct engine_object *object;
	bool vfio_ioas_lives = !ctx->vfio_ioas;
	uint64_t areas = 0;
	uint32_t id;

	pthread_mutex_lock(&ctx->lock);
	for (id = 0; (object = object_next(ctx, &id)); id++) {
		ENGINE_BUG_ON(object->id != id || object->ctx != ctx || !object->published);
		ENGINE_BUG_ON(!object->users || !object->commit_seq);
		verify_device_object(object);
		if (object->type != ENGINE_OBJ_IOAS)
			continue;
		iopt_verify(&((struct ioas *)object)->iopt);
		areas += ((struct ioas *)object)->iopt.areas.count;
		vfio_ioas_lives |= (struct ioas *)object == ctx->vfio_ioas;
	}
	ENGINE_BUG_ON(!vfio_ioas_lives);
	ENGINE_BUG_ON(areas != ctx->areas_count);
	for_each_area(ctx, pages_forget);
	for_each_area(ctx, pages_check);
	for_each_area(ctx, pages_remember);
	pthread_mutex_unlock(&ctx->lock);
}
