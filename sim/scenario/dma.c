/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/dma.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/engine/engine.h"
#include "sim/inproc/inproc.h"
#include "sim/scenario/call.h"

#define APERTURE_FIRST (1ull << 20) /* the lowest address that a driver gets */

int dma_pool_init(struct dma_pool *pool, struct sim_device *device, enum scenario_mode mode,
		  uint64_t piece_bytes)
{
	const struct scenario *s = device->guest->world->scenario;

	*pool = (struct dma_pool){
		.device = device,
		.mode = mode,
		.piece_bytes = piece_bytes,
		.searches = s->dma.allocator == ALLOCATOR_SEARCHES,
		.next_top = APERTURE_FIRST + s->dma.aperture_bytes / piece_bytes * piece_bytes,
	};
	if (pool->searches &&
	    iova_search_init(&pool->search, APERTURE_FIRST, pool->next_top, piece_bytes))
		return -ENOMEM;
	if (mode == MODE_DEFERRED) {
		pool->queue_size = s->dma.flush_batch;
		pool->queue = malloc(pool->queue_size * sizeof(*pool->queue));
		if (!pool->queue) {
			dma_pool_fini(pool);
			return -ENOMEM;
		}
	}
	return 0;
}

void dma_pool_fini(struct dma_pool *pool)
{
	free(pool->free);
	free(pool->queue);
	if (pool->searches)
		iova_search_fini(&pool->search);
	pool->free = NULL;
	pool->queue = NULL;
}

/* From the top down, as Linux does for devices that reach little. 0: none is left. */
static uint64_t iova_take(struct dma_pool *pool, uint64_t *visited)
{
	*visited = 0;
	if (pool->searches)
		return iova_search_take(&pool->search, visited);
	if (pool->free_count)
		return pool->free[--pool->free_count];
	if (pool->next_top <= APERTURE_FIRST)
		return 0;
	pool->next_top -= pool->piece_bytes;
	return pool->next_top;
}

static void iova_give_back(struct dma_pool *pool, uint64_t iova)
{
	if (pool->searches) {
		iova_search_give_back(&pool->search, iova);
		return;
	}
	if (pool->free_count == pool->free_size) {
		uint64_t size = pool->free_size ? pool->free_size * 2 : 64;
		uint64_t *memory = realloc(pool->free, size * sizeof(*memory));

		if (!memory)
			return; /* the address is lost; the next ones are below */
		pool->free = memory;
		pool->free_size = size;
	}
	pool->free[pool->free_count++] = iova;
}

uint64_t dma_map(struct dma_pool *pool, uint64_t now_ns, uint64_t arena_offset, bool readonly,
		 uint64_t *iova)
{
	struct guest *guest = pool->device->guest;
	const struct scenario_cost *cost = &guest->world->scenario->cost;
	uint64_t visited;
	int ret;

	*iova = iova_take(pool, &visited);
	now_ns += cost->iova_alloc_ns + visited * cost->iova_visit_ns;
	guest->world->counts.iova_searches++;
	guest->world->counts.iova_visits += visited;
	if (!*iova) {
		pool->allocs_failed++;
		return now_ns;
	}
	now_ns = call_map(guest, now_ns + cost->exit_ns, pool->device->ioas_id, *iova,
			  pool->piece_bytes, arena_offset, readonly, &ret);
	if (ret) {
		iova_give_back(pool, *iova);
		*iova = 0;
	}
	return now_ns;
}

static void count_window(struct world *world, uint64_t unmapped_ns, uint64_t done_ns)
{
	uint64_t window_ns = done_ns - unmapped_ns;

	world->counts.stale_windows++;
	world->counts.stale_ns += window_ns;
	if (window_ns > world->counts.stale_longest_ns)
		world->counts.stale_longest_ns = window_ns;
}

uint64_t dma_flush(struct dma_pool *pool, uint64_t now_ns)
{
	struct guest *guest = pool->device->guest;
	struct world *world = guest->world;
	uint64_t done_ns;

	if (pool->flush_timer) {
		des_cancel(&world->des, pool->flush_timer);
		pool->flush_timer = 0;
	}
	if (!pool->queue_count)
		return now_ns;
	/* The driver may be ahead of the timer: not before its last unmap. */
	if (pool->queue[pool->queue_count - 1].unmapped_ns > now_ns)
		now_ns = pool->queue[pool->queue_count - 1].unmapped_ns;
	done_ns = iommu_invalidate_domain(guest->iommu, pool->device->domain, now_ns);
	world_emit(world, now_ns, flush, guest->index, pool->device->domain, pool->queue_count,
		   done_ns);
	for (uint64_t i = 0; i < pool->queue_count; i++) {
		count_window(world, pool->queue[i].unmapped_ns, done_ns);
		iova_give_back(pool, pool->queue[i].iova);
	}
	pool->queue_count = 0;
	return done_ns;
}

static void flush_timer_fires(void *opaque, uint64_t arg)
{
	struct dma_pool *pool = opaque;

	(void)arg;
	pool->flush_timer = 0;
	dma_flush(pool, pool->device->guest->world->des.now_ns);
}

static uint64_t defer(struct dma_pool *pool, uint64_t now_ns, uint64_t iova)
{
	struct world *world = pool->device->guest->world;
	const struct scenario *s = world->scenario;

	pool->queue[pool->queue_count++] =
		(struct flush_entry){ .iova = iova, .unmapped_ns = now_ns };
	now_ns += s->cost.defer_ns;
	if (pool->queue_count >= pool->queue_size)
		return dma_flush(pool, now_ns);
	if (!pool->flush_timer)
		pool->flush_timer = des_at(&world->des, now_ns + s->dma.flush_after_ns,
					   DES_PRIORITY_NORMAL, flush_timer_fires, pool, 0);
	return now_ns;
}

uint64_t dma_unmap(struct dma_pool *pool, uint64_t now_ns, uint64_t iova)
{
	struct sim_device *device = pool->device;
	struct guest *guest = device->guest;
	struct world *world = guest->world;
	const struct scenario_cost *cost = &world->scenario->cost;
	uint64_t last = iova + (pool->piece_bytes - 1), done_ns;

	now_ns = call_unmap(guest, now_ns + cost->iova_find_ns + cost->exit_ns, device->ioas_id,
			    iova, pool->piece_bytes, NULL);
	switch (pool->mode) {
	case MODE_STRICT:
		done_ns = iommu_invalidate(guest->iommu, device->domain, iova, last, now_ns);
		world_emit(world, now_ns, invalidate, guest->index, device->domain, iova,
			   pool->piece_bytes, done_ns);
		count_window(world, now_ns, done_ns);
		iova_give_back(pool, iova);
		return done_ns + cost->iova_free_ns;
	case MODE_DEFERRED:
		return defer(pool, now_ns, iova) + cost->iova_free_ns;
	case MODE_NEVER:
	case MODE_PASSTHROUGH:
		break;
	}
	iova_give_back(pool, iova);
	return now_ns + cost->iova_free_ns;
}

static uint64_t file_number(const struct sim_device *device)
{
	const struct guest *guest = device->guest;

	return engine_ctx_number(
		inproc_borrow_ctx(guest->world->inproc, iommufd_backend_get_fd(guest->be)));
}

/*
 * What a DMA comes to is decided here, behind the IOTLB: in virtual time these are the device's
 * events, and those of the engine, which is asked once a leaf, are muted.
 */
#define device_emit(device, time_ns, name, ...)                                         \
	do {                                                                            \
		struct sim_log *log_ = (device)->guest->world->options.log;             \
                                                                                        \
		sim_log_at(log_, time_ns);                                              \
		trace_emit(sim_log_trace(log_), iommufd_dev, name, file_number(device), \
			   (device)->id, (device)->hwpt_id, __VA_ARGS__);               \
	} while (0)

/* Asks the page tables. 0 or -EFAULT with the first address that is not reached. */
static int walk(struct sim_device *device, uint64_t iova, uint64_t length, bool write,
		uint64_t *fault_iova)
{
	struct sim_log *log = device->guest->world->options.log;
	int ret;

	sim_log_mute(log, true);
	ret = engine_device_dma(device->bound, iova, length, write, NULL, fault_iova);
	sim_log_mute(log, false);
	return ret;
}

/* Mapped, but not for writing: the IOTLB keeps that bit too, so nothing is stale. */
static bool is_readable(struct sim_device *device, uint64_t iova, uint64_t length)
{
	uint64_t fault_iova;

	return !walk(device, iova, length, false, &fault_iova);
}

/* The part of an access that lies in one leaf. */
static uint64_t access_leaf(struct sim_device *device, uint64_t now_ns, uint64_t iova,
			    uint64_t length, bool write, enum dma_result *result)
{
	struct guest *guest = device->guest;
	struct world *world = guest->world;
	uint64_t fault_iova = iova;
	bool cached;
	int ret = 0;

	if (world->scenario->dma.check)
		ret = walk(device, iova, length, write, &fault_iova);
	now_ns = iommu_translate(guest->iommu, device->domain, iova, device->leaf_shift, now_ns,
				 !ret, &cached);
	if (!ret) {
		*result = DMA_OK;
	} else if (cached && !(write && is_readable(device, iova, length))) {
		*result = DMA_STALE;
		world->counts.dma_stale++;
		world_emit(world, now_ns, stale_dma, guest->index, device->id, iova, write);
	} else {
		*result = DMA_FAULT;
		world->counts.dma_faults++;
		device_emit(device, now_ns, fault, fault_iova, write);
	}
	return now_ns;
}

uint64_t dma_access(struct sim_device *device, uint64_t now_ns, uint64_t iova, uint64_t length,
		    bool write, enum dma_result *result)
{
	struct guest *guest = device->guest;
	struct world *world = guest->world;
	uint64_t leaf_bytes = 1ull << device->leaf_shift, left = length, at = iova;
	/* A device asks ahead: the translations of one access overlap. */
	uint64_t ready_ns = now_ns;

	*result = DMA_OK;
	world->counts.dmas++;
	world->counts.dma_bytes += length;
	while (left && *result != DMA_FAULT) {
		uint64_t room = leaf_bytes - (at & (leaf_bytes - 1));
		uint64_t piece = left < room ? left : room, piece_ns;
		enum dma_result piece_result;

		piece_ns = access_leaf(device, now_ns, at, piece, write, &piece_result);
		if (piece_ns > ready_ns)
			ready_ns = piece_ns;
		if (piece_result != DMA_OK)
			*result = piece_result;
		at += piece;
		left -= piece;
	}
	if (ready_ns > world->latest_ns)
		world->latest_ns = ready_ns;
	device_emit(device, ready_ns, dma, iova, length, write,
		    *result == DMA_FAULT ? -EFAULT : 0, UINT32_MAX);
	return ready_ns;
}
