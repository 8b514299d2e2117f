/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <ioasis/iommufd_abi.h>

#include "sim/engine/engine.h"
#include "sim/inproc/inproc.h"
#include "sim/scenario/sim_log.h"

/* One call under way. */
struct call {
	struct guest *guest;
	struct world *world;
	uint64_t begin_ns;
	uint64_t commit_ns; /* when it takes hold */
	uint64_t end_ns;
	uint64_t measured_ns; /* by the mirror */
	int ret;
};

/* From here to call_over() both layers' events wait for the times of the call. */
static struct call call_of(struct guest *guest, uint64_t now_ns)
{
	struct world *world = guest->world;

	world->counts.calls++;
	world_caller(world, guest->tid);
	sim_log_hold(world->options.log);
	return (struct call){ .guest = guest, .world = world, .begin_ns = now_ns };
}

/* Returns when the call ends; ret may be NULL. */
static uint64_t call_over(const struct call *call, int *ret)
{
	sim_log_call(call->world->options.log, call->begin_ns, call->commit_ns, call->end_ns);
	if (ret)
		*ret = call->ret;
	return call->end_ns;
}

/* ---- the device under test ------------------------------------------------ */

static uint64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint32_t mirror_id(const struct guest *guest, uint32_t id)
{
	return id < GUEST_OBJECTS_MAX ? guest->mirror_ids[id] : 0;
}

/* After the same call on the mirror, called name: it began at begin_wall_ns and answered ret. */
static void mirror_done(struct call *call, const char *name, uint64_t begin_wall_ns, int ret)
{
	struct world_counts *counts = &call->world->counts;

	call->measured_ns = wall_ns() - begin_wall_ns;
	if (ret == call->ret)
		return;
	if (!counts->answers_differ++)
		counts->first_difference = (struct world_difference){
			.call = name,
			.begin_ns = call->begin_ns,
			.engine_ret = call->ret,
			.device_ret = ret,
		};
}

/* ---- cost ------------------------------------------------------------------ */

/*
 * The call takes the IOMMU's lock after its entry, holds it for the model's lock
 * time, and then goes on for work_ns; or it takes what the mirror took.
 */
static void call_cost(struct call *call, uint64_t work_ns, bool locks)
{
	const struct scenario_cost *cost = &call->world->scenario->cost;

	if (call->world->options.measured && call->measured_ns) {
		call->end_ns = call->begin_ns + call->measured_ns;
		call->commit_ns = call->end_ns;
	} else {
		call->commit_ns = call->begin_ns + cost->call_ns;
		if (locks && cost->lock_ns)
			call->commit_ns =
				iommu_lock(call->guest->iommu, call->commit_ns, cost->lock_ns);
		call->end_ns = call->commit_ns + work_ns;
	}
	if (call->end_ns > call->world->latest_ns)
		call->world->latest_ns = call->end_ns;
	call->world->counts.calls_ns += call->end_ns - call->begin_ns;
	call->world->counts.calls_failed += call->ret < 0;
}

/* Leaves of the page tables that a mapping has. */
static uint64_t leaves_count(const struct world *world, uint64_t iova, uint64_t size,
			     uint64_t offset)
{
	const struct scenario *s = world->scenario;
	uint64_t leaf = 4096;

	for (uint64_t huge = 2 << 20; s->iommu.huge_pages && huge <= s->guest.page_bytes;
	     huge <<= 9) {
		if (!((iova | offset) & (huge - 1)) && size >= huge)
			leaf = huge;
	}
	return (size + leaf - 1) / leaf;
}

static uint64_t pages_count(const struct world *world, uint64_t size)
{
	uint64_t page = world->scenario->guest.page_bytes;

	return (size + page - 1) / page;
}

/* ---- the backend's life ---------------------------------------------------- */

uint64_t call_connect(struct guest *guest, uint64_t now_ns, int *ret)
{
	struct call call = call_of(guest, now_ns);

	call.ret = iommufd_backend_connect(guest->be, NULL);
	if (guest->mirror) {
		uint64_t begin_wall_ns = wall_ns();

		mirror_done(&call, "connect", begin_wall_ns,
			    iommufd_backend_connect(guest->mirror, NULL));
	}
	call_cost(&call, guest->world->scenario->cost.object_ns, false);
	return call_over(&call, ret);
}

uint64_t call_disconnect(struct guest *guest, uint64_t now_ns)
{
	struct call call = call_of(guest, now_ns);

	iommufd_backend_disconnect(guest->be);
	if (guest->mirror) {
		uint64_t begin_wall_ns = wall_ns();

		iommufd_backend_disconnect(guest->mirror);
		mirror_done(&call, "disconnect", begin_wall_ns, 0);
	}
	call_cost(&call, guest->world->scenario->cost.object_ns, false);
	return call_over(&call, NULL);
}

/* ---- objects --------------------------------------------------------------- */

uint64_t call_alloc_ioas(struct guest *guest, uint64_t now_ns, uint32_t *ioas_id, int *ret)
{
	struct call call = call_of(guest, now_ns);

	*ioas_id = 0;
	call.ret = iommufd_backend_alloc_ioas(guest->be, ioas_id, NULL);
	if (guest->mirror) {
		uint64_t begin_wall_ns = wall_ns();
		uint32_t id = 0;

		mirror_done(&call, "alloc_ioas", begin_wall_ns,
			    iommufd_backend_alloc_ioas(guest->mirror, &id, NULL));
		if (*ioas_id < GUEST_OBJECTS_MAX)
			guest->mirror_ids[*ioas_id] = id;
	}
	call_cost(&call, guest->world->scenario->cost.object_ns, false);
	return call_over(&call, ret);
}

uint64_t call_free_id(struct guest *guest, uint64_t now_ns, uint32_t id)
{
	struct call call = call_of(guest, now_ns);

	iommufd_backend_free_id(guest->be, id);
	call.ret = guest->world->last_ioctl.err;
	if (guest->mirror && mirror_id(guest, id)) {
		uint64_t begin_wall_ns = wall_ns();

		iommufd_backend_free_id(guest->mirror, mirror_id(guest, id));
		mirror_done(&call, "free_id", begin_wall_ns, call.ret);
		guest->mirror_ids[id] = 0;
	}
	call_cost(&call, guest->world->scenario->cost.object_ns, false);
	return call_over(&call, NULL);
}

/* ---- mappings -------------------------------------------------------------- */

uint64_t call_map(struct guest *guest, uint64_t now_ns, uint32_t ioas_id, uint64_t iova,
		  uint64_t size, uint64_t arena_offset, bool readonly, int *ret)
{
	struct world *world = guest->world;
	const struct scenario_cost *cost = &world->scenario->cost;
	struct call call = call_of(guest, now_ns);
	void *va = world->arena.first + arena_offset;
	uint64_t work_ns = 0;

	world->counts.maps++;
	call.ret = iommufd_backend_map_dma(guest->be, ioas_id, iova, size, va, readonly);
	if (guest->mirror) {
		uint64_t begin_wall_ns = wall_ns();

		mirror_done(&call, "map_dma", begin_wall_ns,
			    iommufd_backend_map_dma(guest->mirror, mirror_id(guest, ioas_id), iova,
						    size, va, readonly));
	}
	if (!call.ret) {
		work_ns = cost->map_ns +
			  (leaves_count(world, iova, size, arena_offset) - 1) * cost->map_more_ns +
			  pages_count(world, size) * cost->pin_ns;
		world->counts.mapped_bytes += size;
		if (++world->counts.live_maps > world->counts.live_maps_peak)
			world->counts.live_maps_peak = world->counts.live_maps;
	}
	call_cost(&call, work_ns, true);
	return call_over(&call, ret);
}

uint64_t call_unmap(struct guest *guest, uint64_t now_ns, uint32_t ioas_id, uint64_t iova,
		    uint64_t size, int *ret)
{
	struct world *world = guest->world;
	const struct scenario_cost *cost = &world->scenario->cost;
	struct call call = call_of(guest, now_ns);
	struct last_ioctl answer;
	uint64_t work_ns = 0;

	world->counts.unmaps++;
	call.ret = iommufd_backend_unmap_dma(guest->be, ioas_id, iova, size);
	answer = world->last_ioctl;
	if (guest->mirror) {
		uint64_t begin_wall_ns = wall_ns();

		mirror_done(&call, "unmap_dma", begin_wall_ns,
			    iommufd_backend_unmap_dma(guest->mirror, mirror_id(guest, ioas_id),
						      iova, size));
	}
	if (!answer.err && answer.unmapped_bytes) {
		work_ns = cost->unmap_ns +
			  (leaves_count(world, iova, size, iova) - 1) * cost->unmap_more_ns +
			  pages_count(world, answer.unmapped_bytes) * cost->unpin_ns;
		world->counts.live_maps--;
	}
	call_cost(&call, work_ns, true);
	call_over(&call, NULL);
	if (ret)
		*ret = answer.err;
	return call.end_ns;
}

/* ---- page tables ------------------------------------------------------------ */

uint64_t call_alloc_hwpt(struct guest *guest, uint64_t now_ns, uint32_t device_id, uint32_t ioas_id,
			 uint32_t flags, uint32_t *hwpt_id, int *ret)
{
	struct call call = call_of(guest, now_ns);

	*hwpt_id = 0;
	call.ret = iommufd_backend_alloc_hwpt(guest->be, device_id, ioas_id, flags,
					      IOMMU_HWPT_DATA_NONE, 0, NULL, hwpt_id, NULL);
	call_cost(&call, guest->world->scenario->cost.object_ns, false);
	return call_over(&call, ret);
}

uint64_t call_set_dirty(struct guest *guest, uint64_t now_ns, uint32_t hwpt_id, bool start,
			int *ret)
{
	struct call call = call_of(guest, now_ns);

	call.ret = iommufd_backend_set_dirty_tracking(guest->be, hwpt_id, start, NULL);
	call_cost(&call, guest->world->scenario->cost.object_ns, true);
	return call_over(&call, ret);
}

uint64_t call_get_dirty(struct guest *guest, uint64_t now_ns, uint32_t hwpt_id, uint64_t iova,
			uint64_t size, uint64_t *bitmap, int *ret)
{
	struct call call = call_of(guest, now_ns);

	call.ret = iommufd_backend_get_dirty_bitmap(guest->be, hwpt_id, iova, size,
						    ENGINE_PAGE_SIZE, bitmap, 0, NULL);
	call_cost(&call, size / ENGINE_PAGE_SIZE * guest->world->scenario->cost.dirty_read_ns,
		  true);
	return call_over(&call, ret);
}

uint64_t call_device_info(struct guest *guest, uint64_t now_ns, uint32_t device_id, int *ret)
{
	struct call call = call_of(guest, now_ns);
	uint64_t caps = 0;
	uint32_t type = 0;

	call.ret = iommufd_backend_get_device_info(guest->be, device_id, &type, NULL, 0, &caps,
						   NULL, NULL);
	call_cost(&call, 0, false);
	return call_over(&call, ret);
}

/* ---- devices ----------------------------------------------------------------- */

struct bind_request {
	struct sim_device *device;
	uint32_t pt_id;
};

static struct engine_ctx *ctx_of(const struct guest *guest)
{
	return inproc_borrow_ctx(guest->world->inproc, iommufd_backend_get_fd(guest->be));
}

/* Before an engine call for a guest that is no call of the backend: it takes hold at time_ns. */
static void device_call_at(struct guest *guest, uint64_t time_ns)
{
	world_caller(guest->world, guest->tid);
	sim_log_at(guest->world->options.log, time_ns);
}

static int bind_with(void *opaque, const struct engine_client *client)
{
	struct bind_request *request = opaque;
	struct sim_device *device = request->device;

	return engine_device_bind(ctx_of(device->guest), client, &device->bound, &device->id);
}

static int attach_with(void *opaque, const struct engine_client *client)
{
	struct bind_request *request = opaque;

	return engine_device_attach(request->device->bound, client, 0, &request->pt_id);
}

uint64_t call_device_bind(struct sim_device *device, struct guest *guest, uint64_t now_ns, int *ret)
{
	struct bind_request request = { .device = device };
	uint64_t end_ns = now_ns + guest->world->scenario->cost.object_ns;
	/* No reserved window: a driver here may use all addresses. */
	struct engine_iommu iommu = {
		.address_bits = (unsigned int)guest->world->scenario->iommu.address_bits,
	};

	*device = (struct sim_device){ .guest = guest, .leaf_shift = LEAF_4K_SHIFT };
	device_call_at(guest, end_ns);
	*ret = inproc_with_client(guest->world->inproc, bind_with, &request);
	if (!*ret) {
		device->domain = iommu_domain_new(guest->iommu);
		engine_device_set_iommu(device->bound, &iommu);
	}
	return end_ns;
}

uint64_t call_device_attach(struct sim_device *device, uint64_t now_ns, uint32_t ioas_id,
			    uint32_t hwpt_flags, int *ret)
{
	struct guest *guest = device->guest;
	struct bind_request request = { .device = device };
	uint32_t hwpt_id, old_hwpt_id = device->hwpt_id;

	now_ns = call_alloc_hwpt(guest, now_ns, device->id, ioas_id, hwpt_flags, &hwpt_id, ret);
	if (*ret)
		return now_ns;
	request.pt_id = hwpt_id;
	now_ns += guest->world->scenario->cost.attach_ns;
	device_call_at(guest, now_ns);
	*ret = inproc_with_client(guest->world->inproc, attach_with, &request);
	if (*ret)
		return call_free_id(guest, now_ns, hwpt_id);
	device->hwpt_id = hwpt_id;
	device->ioas_id = ioas_id;
	device->ready_ns = now_ns;
	if (old_hwpt_id) {
		now_ns = iommu_invalidate_domain(guest->iommu, device->domain, now_ns);
		now_ns = call_free_id(guest, now_ns, old_hwpt_id);
	}
	return now_ns;
}

uint64_t call_device_detach(struct sim_device *device, uint64_t now_ns)
{
	struct guest *guest = device->guest;

	now_ns += guest->world->scenario->cost.attach_ns;
	device_call_at(guest, now_ns);
	engine_device_detach(device->bound, 0);
	now_ns = iommu_invalidate_domain(guest->iommu, device->domain, now_ns);
	now_ns = call_free_id(guest, now_ns, device->hwpt_id);
	device->hwpt_id = 0;
	device->ioas_id = 0;
	return now_ns;
}

uint64_t call_device_unbind(struct sim_device *device, uint64_t now_ns)
{
	struct guest *guest = device->guest;

	now_ns += guest->world->scenario->cost.object_ns;
	device_call_at(guest, now_ns);
	engine_device_unbind(device->bound);
	device->bound = NULL;
	return now_ns;
}
