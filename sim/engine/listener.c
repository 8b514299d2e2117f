/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/engine/listener.h"
#include "sim/engine/heap.h"

#include "sim/engine/sim_device.h"

/* A device without an IOMMU reaches all physical addresses. */
#define PHYS_BYTES (UINT64_C(1) << 48)

struct notice {
	struct list_link link;
	struct engine_device *device; /* a reference */
	bool mapped;
	uint8_t prot;
	uint64_t iova, length;
	struct engine_memory memory; /* references */
};

void listener_table_init(struct listener_table *table)
{
	pthread_mutex_init(&table->telling, NULL);
	list_init(&table->listeners);
	list_init(&table->notices);
	table->any = false;
}

void listener_table_fini(struct listener_table *table)
{
	ENGINE_BUG_ON(!list_empty(&table->listeners) || !list_empty(&table->notices));
	pthread_mutex_destroy(&table->telling);
}

/* ---- noting ---------------------------------------------------------------------- */

/* Whether the process that calls now is the one whose memory mm is. */
static bool is_of_caller(const struct engine_ctx *ctx, const struct engine_mm *mm)
{
	const struct engine_client *client = ctx->call ? ctx->call->client : NULL;
	struct engine_mm *own = client ? client->ops->mm_get(client) : NULL;

	if (own)
		engine_mm_put(own);
	return own == mm;
}

static struct engine_memory memory_of(const struct engine_ctx *ctx, const struct iopt_area *area)
{
	struct iopt_pages *pages = iopt_area_pages(area);
	struct engine_memory memory = { .at = pages->base + iopt_area_start_byte(area) };

	/* Another process's files are not looked at but in its own calls. */
	if (pages->type == IOPT_PAGES_USER && is_of_caller(ctx, pages->source->mm)) {
		memory.mm = pages->source->mm;
		__atomic_add_fetch(&memory.mm->refs, 1, __ATOMIC_RELAXED);
	} else if (pages->type == IOPT_PAGES_FILE) {
		memory.file = iopt_file_pages(pages)->file;
		__atomic_add_fetch(&memory.file->refs, 1, __ATOMIC_RELAXED);
	}
	return memory;
}

/* Takes the memory's references. */
static void note(struct engine_device *device, bool mapped, uint64_t iova, uint64_t length,
		 uint8_t prot, struct engine_memory memory)
{
	struct notice *notice = heap_alloc(device->ctx->engine->config.heap, 1, sizeof(*notice));

	if (!notice) {
		/* Then all of it is told to be gone, and what comes is not told. */
		device->listener_lost = true;
		engine_memory_put(&memory);
		return;
	}
	*notice = (struct notice){
		.device = device,
		.mapped = mapped,
		.prot = prot,
		.iova = iova,
		.length = length,
		.memory = memory,
	};
	engine_device_get(device);
	list_append(&device->ctx->listeners.notices, &notice->link);
}

static void note_area(struct engine_device *device, const struct iopt_area *area, bool mapped)
{
	struct engine_memory none = { .at = 0 };

	if (area->prot)
		note(device, mapped, area->iova, iopt_area_length(area), area->prot,
		     mapped ? memory_of(device->ctx, area) : none);
}

static struct io_pagetable *reached_by(const struct device *dev)
{
	const struct attach *attach = dev ? device_attach_find(dev, NO_PASID) : NULL;
	struct hwpt *paging = attach ? hwpt_find_paging(attach->hwpt) : NULL;

	return paging ? &paging->ioas->iopt : NULL;
}

void listeners_note_area(struct io_pagetable *iopt, const struct iopt_area *area, bool mapped)
{
	list_for_each(link, &iopt->ctx->listeners.listeners)
	{
		struct engine_device *device =
			container_of(link, struct engine_device, listener_link);

		if (reached_by(device->dev) == iopt && !device->no_iommu)
			note_area(device, area, mapped);
	}
}

void listeners_note_attach(const struct device *dev, struct io_pagetable *iopt, bool attached)
{
	list_for_each(link, &iopt->ctx->listeners.listeners)
	{
		struct engine_device *device =
			container_of(link, struct engine_device, listener_link);
		struct iopt_area *area;
		struct span_pos pos;

		if (device->dev != dev || device->no_iommu)
			continue;
		for (area = iopt_area_first(iopt, 0, UINT64_MAX, &pos); area;
		     area = iopt_area_next(&pos, UINT64_MAX))
			note_area(device, area, attached);
	}
}

/* ---- telling --------------------------------------------------------------------- */

void engine_memory_put(struct engine_memory *memory)
{
	if (memory->mm)
		engine_mm_put(memory->mm);
	if (memory->file)
		engine_file_put(memory->file);
}

static void tell(const struct notice *notice)
{
	struct engine_device *device = notice->device;

	if (!notice->mapped)
		device->listener->unmapped(device->listener_opaque, notice->iova, notice->length);
	else
		device->listener->mapped(device->listener_opaque, notice->iova, notice->length,
					 notice->prot, &notice->memory);
}

/* The oldest notice, or NULL; and a device whose notices are not complete. */
static struct notice *take_notice(struct engine_ctx *ctx, struct engine_device **lost)
{
	struct listener_table *table = &ctx->listeners;
	struct notice *notice = NULL;

	*lost = NULL;
	ctx_lock(ctx, NULL, NULL);
	list_for_each(link, &table->listeners)
	{
		struct engine_device *device =
			container_of(link, struct engine_device, listener_link);

		if (device->listener_lost && !*lost) {
			device->listener_lost = false;
			engine_device_get(device);
			*lost = device;
		}
	}
	if (!*lost && !list_empty(&table->notices)) {
		notice = container_of(table->notices.next, struct notice, link);
		list_remove(&notice->link);
	}
	ctx_unlock(ctx);
	return notice;
}

void listeners_tell(struct engine_ctx *ctx)
{
	struct engine_device *lost;
	struct notice *notice;

	if (!__atomic_load_n(&ctx->listeners.any, __ATOMIC_ACQUIRE))
		return;
	/* Also waits for who tells what this call noted. */
	pthread_mutex_lock(&ctx->listeners.telling);
	while ((notice = take_notice(ctx, &lost)) || lost) {
		if (lost) {
			lost->listener->unmapped(lost->listener_opaque, 0, UINT64_MAX);
			engine_device_put(lost);
			continue;
		}
		tell(notice);
		engine_memory_put(&notice->memory);
		engine_device_put(notice->device);
		free(notice);
	}
	pthread_mutex_unlock(&ctx->listeners.telling);
}

/* ---- listeners ------------------------------------------------------------------- */

void engine_device_listen(struct engine_device *device, const struct engine_listener *listener,
			  void *opaque)
{
	struct engine_ctx *ctx = device->ctx;

	ctx_lock(ctx, NULL, NULL);
	device->listener = listener;
	device->listener_opaque = opaque;
	list_append(&ctx->listeners.listeners, &device->listener_link);
	__atomic_store_n(&ctx->listeners.any, true, __ATOMIC_RELEASE);
	if (device->no_iommu)
		note(device, true, 0, PHYS_BYTES, ENGINE_PROT_READ | ENGINE_PROT_WRITE,
		     (struct engine_memory){ .at = 0 });
	ctx_unlock(ctx);
	listeners_tell(ctx);
}

void listener_note_end(struct engine_device *device)
{
	/* What it is attached to is noted when it is detached. */
	if (device->listener && device->no_iommu)
		note(device, false, 0, PHYS_BYTES, 0, (struct engine_memory){ .at = 0 });
}
