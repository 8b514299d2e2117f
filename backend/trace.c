/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each function here is one event. All of it is off the path of a call that no
 * one traces.
 */
#include "backend/trace.h"

#include <errno.h>

#include "backend/live.h"

#define ENABLED(name) trace_on(call->be->trace, iommufd_backend, name)
#define EMIT(name, ...) trace_emit(call->be->trace, iommufd_backend, name, __VA_ARGS__)

/*
 * Begins a call: wanted tells whether one of its events is on. Where what lives
 * is remembered the call gets its number anyway: tracing may be turned on, and
 * the state dumped, before it ends.
 */
static void call_begin(struct backend_call *call, bool wanted)
{
	state_check();
	call->op_id = wanted || call->be->live ? trace_number(call->be->trace, TRACE_NUMBER_CALL) : 0;
}

static uint32_t tid(const struct backend_call *call)
{
	return call->be->trace->tid(call->be->trace);
}

/* What a successful call made lives from now on; emit under the same lock. */
static struct backend_live *live_lock(const struct backend_call *call)
{
	backend_live_lock(call->be->live);
	return call->be->live;
}

static struct backend_live *live_lock_new_object(const struct backend_call *call, uint32_t id,
						 int ret)
{
	struct backend_live *live = live_lock(call);

	if (live && !ret)
		backend_live_add_object(live, id);
	return live;
}

void trace_set_fd(IOMMUFDBackend *be, int fd)
{
	trace_emit(be->trace, iommufd_backend, set_fd, trace_number(be->trace, TRACE_NUMBER_CALL),
		   be->number, fd);
}

void trace_connect_begin(struct backend_call *call)
{
	call_begin(call, ENABLED(connect_begin) || ENABLED(connect));
	if (call->op_id)
		EMIT(connect_begin, call->op_id, call->be->number, tid(call));
}

void trace_connect(const struct backend_call *call, int ret)
{
	const IOMMUFDBackend *be = call->be;

	if (call->op_id)
		EMIT(connect, call->op_id, be->number, be->fd, be->owned, be->users, ret);
}

void trace_disconnect_begin(struct backend_call *call)
{
	call_begin(call, ENABLED(disconnect_begin) || ENABLED(disconnect));
	if (call->op_id)
		EMIT(disconnect_begin, call->op_id, call->be->number, tid(call));
}

void trace_disconnect(const struct backend_call *call, int ret)
{
	const IOMMUFDBackend *be = call->be;
	struct backend_live *live = live_lock(call);

	if (live && be->fd < 0)
		backend_live_clear(live);
	if (call->op_id)
		EMIT(disconnect, call->op_id, be->number, be->fd, be->users, ret);
	backend_live_unlock(live);
}

void trace_alloc_ioas_begin(struct backend_call *call)
{
	call_begin(call, ENABLED(alloc_ioas_begin) || ENABLED(alloc_ioas));
	if (call->op_id)
		EMIT(alloc_ioas_begin, call->op_id, call->be->number, tid(call), call->fd);
}

void trace_alloc_ioas(const struct backend_call *call, const struct iommu_ioas_alloc *arg, int ret)
{
	struct backend_live *live = live_lock_new_object(call, arg->out_ioas_id, ret);

	if (call->op_id)
		EMIT(alloc_ioas, call->op_id, call->be->number, call->fd, arg->out_ioas_id, ret);
	backend_live_unlock(live);
}

void trace_free_id_begin(struct backend_call *call, const struct iommu_destroy *arg)
{
	call_begin(call, ENABLED(free_id_begin) || ENABLED(free_id));
	if (call->op_id)
		EMIT(free_id_begin, call->op_id, call->be->number, tid(call), call->fd, arg->id);
}

void trace_free_id(const struct backend_call *call, const struct iommu_destroy *arg, int ret)
{
	struct backend_live *live = live_lock(call);

	if (live && !ret)
		backend_live_remove_object(live, arg->id);
	if (call->op_id)
		EMIT(free_id, call->op_id, call->be->number, call->fd, arg->id, ret);
	backend_live_unlock(live);
}

static bool map_is_readonly(uint32_t flags)
{
	return !(flags & IOMMU_IOAS_MAP_WRITEABLE);
}

void trace_map_dma_begin(struct backend_call *call, const struct iommu_ioas_map *arg)
{
	call_begin(call, ENABLED(map_dma_begin) || ENABLED(map_dma));
	if (!call->op_id)
		return;
	EMIT(map_dma_begin, call->op_id, call->be->number, tid(call), call->fd, arg->ioas_id,
	     arg->iova, arg->length, map_is_readonly(arg->flags));
	EMIT(map_dma_vaddr, call->op_id, call->be->number, arg->user_va);
}

void trace_map_dma(const struct backend_call *call, const struct iommu_ioas_map *arg, int ret)
{
	struct backend_live *live = live_lock(call);
	bool readonly = map_is_readonly(arg->flags);

	if (live && !ret)
		backend_live_map(live, arg->ioas_id, arg->iova, arg->length, readonly);
	if (call->op_id)
		EMIT(map_dma, call->op_id, call->be->number, call->fd, arg->ioas_id, arg->iova,
		     arg->length, readonly, ret);
	backend_live_unlock(live);
}

void trace_map_file_dma_begin(struct backend_call *call, const struct iommu_ioas_map_file *arg)
{
	call_begin(call, ENABLED(map_file_dma_begin) || ENABLED(map_file_dma));
	if (call->op_id)
		EMIT(map_file_dma_begin, call->op_id, call->be->number, tid(call), call->fd,
		     arg->ioas_id, arg->iova, arg->length, arg->fd, arg->start,
		     map_is_readonly(arg->flags));
}

void trace_map_file_dma(const struct backend_call *call, const struct iommu_ioas_map_file *arg,
			int ret)
{
	struct backend_live *live = live_lock(call);
	bool readonly = map_is_readonly(arg->flags);

	if (live && !ret)
		backend_live_map(live, arg->ioas_id, arg->iova, arg->length, readonly);
	if (call->op_id)
		EMIT(map_file_dma, call->op_id, call->be->number, call->fd, arg->ioas_id,
		     arg->iova, arg->length, arg->fd, arg->start, readonly, ret);
	backend_live_unlock(live);
}

void trace_unmap_dma_begin(struct backend_call *call, const struct iommu_ioas_unmap *arg)
{
	call_begin(call, ENABLED(unmap_dma_begin) || ENABLED(unmap_dma) ||
				 ENABLED(unmap_dma_non_exist));
	if (call->op_id)
		EMIT(unmap_dma_begin, call->op_id, call->be->number, tid(call), call->fd,
		     arg->ioas_id, arg->iova, arg->length);
}

/* The last address of [iova, iova + size), or the highest of all. */
static uint64_t range_last(uint64_t iova, uint64_t size)
{
	uint64_t end;

	return __builtin_add_overflow(iova, size, &end) ? UINT64_MAX : end - 1;
}

void trace_unmap_dma(const struct backend_call *call, const struct iommu_ioas_unmap *arg,
		     uint64_t size, int ret)
{
	struct backend_live *live = live_lock(call);

	if (live && !ret)
		backend_live_unmap(live, arg->ioas_id, arg->iova, range_last(arg->iova, size));
	if (!call->op_id)
		;
	else if (ret == -ENOENT)
		EMIT(unmap_dma_non_exist, call->op_id, call->be->number, call->fd, arg->ioas_id,
		     arg->iova, size, ret);
	else
		EMIT(unmap_dma, call->op_id, call->be->number, call->fd, arg->ioas_id, arg->iova,
		     size, ret);
	backend_live_unlock(live);
}

void trace_get_device_info_begin(struct backend_call *call, const struct iommu_hw_info *arg)
{
	call_begin(call, ENABLED(get_device_info_begin) || ENABLED(get_device_info));
	if (call->op_id)
		EMIT(get_device_info_begin, call->op_id, call->be->number, tid(call), call->fd,
		     arg->dev_id);
}

void trace_get_device_info(const struct backend_call *call, const struct iommu_hw_info *arg,
			   int ret)
{
	if (call->op_id)
		EMIT(get_device_info, call->op_id, call->be->number, call->fd, arg->dev_id,
		     arg->out_data_type, arg->out_capabilities, ret);
}

void trace_alloc_hwpt_begin(struct backend_call *call, const struct iommu_hwpt_alloc *arg)
{
	call_begin(call, ENABLED(alloc_hwpt_begin) || ENABLED(alloc_hwpt));
	if (call->op_id)
		EMIT(alloc_hwpt_begin, call->op_id, call->be->number, tid(call), call->fd,
		     arg->dev_id, arg->pt_id, arg->flags);
}

void trace_alloc_hwpt(const struct backend_call *call, const struct iommu_hwpt_alloc *arg, int ret)
{
	struct backend_live *live = live_lock_new_object(call, arg->out_hwpt_id, ret);

	if (call->op_id)
		EMIT(alloc_hwpt, call->op_id, call->be->number, call->fd, arg->dev_id, arg->pt_id,
		     arg->flags, arg->data_type, arg->data_len, arg->out_hwpt_id, ret);
	backend_live_unlock(live);
}

static bool dirty_is_on(const struct iommu_hwpt_set_dirty_tracking *arg)
{
	return arg->flags & IOMMU_HWPT_DIRTY_TRACKING_ENABLE;
}

void trace_set_dirty_begin(struct backend_call *call,
			   const struct iommu_hwpt_set_dirty_tracking *arg)
{
	call_begin(call, ENABLED(set_dirty_begin) || ENABLED(set_dirty));
	if (call->op_id)
		EMIT(set_dirty_begin, call->op_id, call->be->number, tid(call), call->fd,
		     arg->hwpt_id, dirty_is_on(arg));
}

void trace_set_dirty(const struct backend_call *call,
		     const struct iommu_hwpt_set_dirty_tracking *arg, int ret)
{
	if (call->op_id)
		EMIT(set_dirty, call->op_id, call->be->number, call->fd, arg->hwpt_id,
		     dirty_is_on(arg), ret);
}

void trace_get_dirty_bitmap_begin(struct backend_call *call,
				  const struct iommu_hwpt_get_dirty_bitmap *arg)
{
	call_begin(call, ENABLED(get_dirty_bitmap_begin) || ENABLED(get_dirty_bitmap));
	if (call->op_id)
		EMIT(get_dirty_bitmap_begin, call->op_id, call->be->number, tid(call), call->fd,
		     arg->hwpt_id, arg->iova, arg->length, arg->page_size);
}

void trace_get_dirty_bitmap(const struct backend_call *call,
			    const struct iommu_hwpt_get_dirty_bitmap *arg, int ret)
{
	if (call->op_id)
		EMIT(get_dirty_bitmap, call->op_id, call->be->number, call->fd, arg->hwpt_id,
		     arg->iova, arg->length, arg->flags, arg->page_size, ret);
}

void trace_invalidate_cache_begin(struct backend_call *call,
				  const struct iommu_hwpt_invalidate *arg)
{
	call_begin(call, ENABLED(invalidate_cache_begin) || ENABLED(invalidate_cache));
	if (call->op_id)
		EMIT(invalidate_cache_begin, call->op_id, call->be->number, tid(call), call->fd,
		     arg->hwpt_id);
}

void trace_invalidate_cache(const struct backend_call *call,
			    const struct iommu_hwpt_invalidate *arg, uint32_t asked, int ret)
{
	if (call->op_id)
		EMIT(invalidate_cache, call->op_id, call->be->number, call->fd, arg->hwpt_id,
		     arg->data_type, arg->entry_len, asked, arg->entry_num, ret);
}

void trace_alloc_viommu_begin(struct backend_call *call, const struct iommu_viommu_alloc *arg)
{
	call_begin(call, ENABLED(alloc_viommu_begin) || ENABLED(alloc_viommu));
	if (call->op_id)
		EMIT(alloc_viommu_begin, call->op_id, call->be->number, tid(call), call->fd,
		     arg->dev_id, arg->type, arg->hwpt_id);
}

void trace_alloc_viommu(const struct backend_call *call, const struct iommu_viommu_alloc *arg,
			int ret)
{
	struct backend_live *live = live_lock_new_object(call, arg->out_viommu_id, ret);

	if (call->op_id)
		EMIT(alloc_viommu, call->op_id, call->be->number, call->fd, arg->dev_id,
		     arg->type, arg->hwpt_id, arg->out_viommu_id, ret);
	backend_live_unlock(live);
}

void trace_alloc_vdev_begin(struct backend_call *call, const struct iommu_vdevice_alloc *arg)
{
	call_begin(call, ENABLED(alloc_vdev_begin) || ENABLED(alloc_vdev));
	if (call->op_id)
		EMIT(alloc_vdev_begin, call->op_id, call->be->number, tid(call), call->fd,
		     arg->dev_id, arg->viommu_id, arg->virt_id);
}

void trace_alloc_vdev(const struct backend_call *call, const struct iommu_vdevice_alloc *arg,
		      int ret)
{
	struct backend_live *live = live_lock_new_object(call, arg->out_vdevice_id, ret);

	if (call->op_id)
		EMIT(alloc_vdev, call->op_id, call->be->number, call->fd, arg->dev_id,
		     arg->viommu_id, arg->virt_id, arg->out_vdevice_id, ret);
	backend_live_unlock(live);
}

void trace_alloc_veventq_begin(struct backend_call *call, const struct iommu_veventq_alloc *arg)
{
	call_begin(call, ENABLED(alloc_veventq_begin) || ENABLED(alloc_veventq));
	if (call->op_id)
		EMIT(alloc_veventq_begin, call->op_id, call->be->number, tid(call), call->fd,
		     arg->viommu_id, arg->type);
}

void trace_alloc_veventq(const struct backend_call *call, const struct iommu_veventq_alloc *arg,
			 int ret)
{
	struct backend_live *live = live_lock_new_object(call, arg->out_veventq_id, ret);

	if (call->op_id)
		EMIT(alloc_veventq, call->op_id, call->be->number, call->fd, arg->viommu_id,
		     arg->type, arg->out_veventq_id, (int32_t)arg->out_veventq_fd, ret);
	backend_live_unlock(live);
}

void trace_change_process_begin(struct backend_call *call)
{
	call_begin(call, ENABLED(change_process_begin) || ENABLED(change_process));
	if (call->op_id)
		EMIT(change_process_begin, call->op_id, call->be->number, tid(call), call->fd);
}

void trace_change_process(const struct backend_call *call, int ret)
{
	if (call->op_id)
		EMIT(change_process, call->op_id, call->be->number, call->fd, ret);
}
