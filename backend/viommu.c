/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls on virtual IOMMUs and their queues, and the change of the process that is charged. */
#include "backend/trace.h"

#include <inttypes.h>

#include "backend/live.h"

static void trace_alloc_viommu_begin(struct backend_call *call,
				     const struct iommu_viommu_alloc *arg)
{
	if (call_begins(call, alloc_viommu))
		call_emit(call, alloc_viommu_begin, CALL_BEGIN_OF(call), arg->dev_id, arg->type,
			  arg->hwpt_id);
	trace_data(call, arg->data_uptr);
}

static void trace_alloc_viommu(const struct backend_call *call,
			       const struct iommu_viommu_alloc *arg, int ret)
{
	struct backend_live *live = call_live_lock_new(call, arg->out_viommu_id, ret);

	if (call->op_id)
		call_emit(call, alloc_viommu, CALL_END_OF(call), arg->dev_id, arg->type,
			  arg->hwpt_id, arg->out_viommu_id, ret, arg->data_len);
	backend_live_unlock(live);
}

int iommufd_backend_alloc_viommu(IOMMUFDBackend *be, uint32_t dev_id, uint32_t viommu_type,
				 uint32_t hwpt_id, void *data_ptr, uint32_t data_len,
				 uint32_t *out_viommu_id, Error **errp)
{
	struct iommu_viommu_alloc alloc = {
		.size = sizeof(alloc),
		.type = viommu_type,
		.dev_id = dev_id,
		.hwpt_id = hwpt_id,
		.data_len = data_len,
		.data_uptr = (uintptr_t)data_ptr,
	};
	struct backend_call call = backend_call_of(be);
	int ret;

	if (backend_traced(be))
		trace_alloc_viommu_begin(&call, &alloc);
	ret = backend_ioctl(be, call.fd, IOMMU_VIOMMU_ALLOC, &alloc);
	if (backend_traced(be))
		trace_alloc_viommu(&call, &alloc, ret);
	if (ret)
		error_setg_errno(errp, -ret,
				 "making a vIOMMU over page table %u failed (IOMMU_VIOMMU_ALLOC)",
				 hwpt_id);
	else
		*out_viommu_id = alloc.out_viommu_id;
	return ret;
}

static void trace_alloc_vdev_begin(struct backend_call *call, const struct iommu_vdevice_alloc *arg)
{
	if (call_begins(call, alloc_vdev))
		call_emit(call, alloc_vdev_begin, CALL_BEGIN_OF(call), arg->dev_id, arg->viommu_id,
			  arg->virt_id);
}

static void trace_alloc_vdev(const struct backend_call *call, const struct iommu_vdevice_alloc *arg,
			     int ret)
{
	struct backend_live *live = call_live_lock_new(call, arg->out_vdevice_id, ret);

	if (call->op_id)
		call_emit(call, alloc_vdev, CALL_END_OF(call), arg->dev_id, arg->viommu_id,
			  arg->virt_id, arg->out_vdevice_id, ret);
	backend_live_unlock(live);
}

int iommufd_backend_alloc_vdev(IOMMUFDBackend *be, uint32_t dev_id, uint32_t viommu_id,
			       uint64_t virt_id, uint32_t *out_vdev_id, Error **errp)
{
	struct iommu_vdevice_alloc alloc = {
		.size = sizeof(alloc),
		.viommu_id = viommu_id,
		.dev_id = dev_id,
		.virt_id = virt_id,
	};
	struct backend_call call = backend_call_of(be);
	int ret;

	if (backend_traced(be))
		trace_alloc_vdev_begin(&call, &alloc);
	ret = backend_ioctl(be, call.fd, IOMMU_VDEVICE_ALLOC, &alloc);
	if (backend_traced(be))
		trace_alloc_vdev(&call, &alloc, ret);
	if (ret)
		error_setg_errno(errp, -ret,
				 "making device %u known to vIOMMU %u failed (IOMMU_VDEVICE_ALLOC)",
				 dev_id, viommu_id);
	else
		*out_vdev_id = alloc.out_vdevice_id;
	return ret;
}

static void trace_alloc_veventq_begin(struct backend_call *call,
				      const struct iommu_veventq_alloc *arg)
{
	if (call_begins(call, alloc_veventq))
		call_emit(call, alloc_veventq_begin, CALL_BEGIN_OF(call), arg->viommu_id,
			  arg->type);
}

static void trace_alloc_veventq(const struct backend_call *call,
				const struct iommu_veventq_alloc *arg, int ret)
{
	struct backend_live *live = call_live_lock_new(call, arg->out_veventq_id, ret);

	if (call->op_id)
		call_emit(call, alloc_veventq, CALL_END_OF(call), arg->viommu_id, arg->type,
			  arg->out_veventq_id, (int32_t)arg->out_veventq_fd, ret);
	backend_live_unlock(live);
}

int iommufd_backend_alloc_veventq(IOMMUFDBackend *be, uint32_t viommu_id, uint32_t type,
				  uint32_t depth, uint32_t *out_veventq_id,
				  uint32_t *out_veventq_fd, Error **errp)
{
	struct iommu_veventq_alloc alloc = {
		.size = sizeof(alloc),
		.viommu_id = viommu_id,
		.type = type,
		.veventq_depth = depth,
	};
	struct backend_call call = backend_call_of(be);
	int ret;

	if (backend_traced(be))
		trace_alloc_veventq_begin(&call, &alloc);
	ret = backend_ioctl(be, call.fd, IOMMU_VEVENTQ_ALLOC, &alloc);
	if (backend_traced(be))
		trace_alloc_veventq(&call, &alloc, ret);
	if (ret) {
		error_setg_errno(errp, -ret,
				 "making an event queue for vIOMMU %u failed (IOMMU_VEVENTQ_ALLOC)",
				 viommu_id);
		return ret;
	}
	*out_veventq_id = alloc.out_veventq_id;
	*out_veventq_fd = alloc.out_veventq_fd;
	return 0;
}

static void trace_alloc_hw_queue_begin(struct backend_call *call,
				       const struct iommu_hw_queue_alloc *arg)
{
	if (call_begins(call, alloc_hw_queue))
		call_emit(call, alloc_hw_queue_begin, CALL_BEGIN_OF(call), arg->viommu_id,
			  arg->type, arg->index);
}

static void trace_alloc_hw_queue(const struct backend_call *call,
				 const struct iommu_hw_queue_alloc *arg, int ret)
{
	struct backend_live *live = call_live_lock_new(call, arg->out_hw_queue_id, ret);

	if (call->op_id)
		call_emit(call, alloc_hw_queue, CALL_END_OF(call), arg->viommu_id, arg->type,
			  arg->index, arg->nesting_parent_iova, arg->length, arg->out_hw_queue_id,
			  ret);
	backend_live_unlock(live);
}

int iommufd_backend_alloc_hw_queue(IOMMUFDBackend *be, uint32_t viommu_id, uint32_t queue_type,
				   uint32_t index, uint64_t addr, uint64_t length,
				   uint32_t *out_hw_queue_id, Error **errp)
{
	struct iommu_hw_queue_alloc alloc = {
		.size = sizeof(alloc),
		.viommu_id = viommu_id,
		.type = queue_type,
		.index = index,
		.nesting_parent_iova = addr,
		.length = length,
	};
	struct backend_call call = backend_call_of(be);
	int ret;

	if (backend_traced(be))
		trace_alloc_hw_queue_begin(&call, &alloc);
	ret = backend_ioctl(be, call.fd, IOMMU_HW_QUEUE_ALLOC, &alloc);
	if (backend_traced(be))
		trace_alloc_hw_queue(&call, &alloc, ret);
	if (ret)
		error_setg_errno(errp, -ret,
				 "making hardware queue %u of vIOMMU %u failed "
				 "(IOMMU_HW_QUEUE_ALLOC)",
				 index, viommu_id);
	else
		*out_hw_queue_id = alloc.out_hw_queue_id;
	return ret;
}

static void trace_viommu_mmap_begin(struct backend_call *call, uint32_t viommu_id, uint64_t size,
				    uint64_t offset)
{
	if (call_begins(call, viommu_mmap))
		call_emit(call, viommu_mmap_begin, CALL_BEGIN_OF(call), viommu_id, size, offset);
}

static void trace_viommu_mmap(const struct backend_call *call, uint32_t viommu_id, uint64_t size,
			      uint64_t offset, int ret)
{
	if (call->op_id)
		call_emit(call, viommu_mmap, CALL_END_OF(call), viommu_id, size, offset, ret);
}

int iommufd_backend_viommu_mmap(IOMMUFDBackend *be, uint32_t viommu_id, uint64_t size,
				off_t offset, void **out_ptr, Error **errp)
{
	struct backend_call call = backend_call_of(be);
	void *memory;
	int ret;

	if (backend_traced(be))
		trace_viommu_mmap_begin(&call, viommu_id, size, (uint64_t)offset);
	ret = backend_mmap(be, call.fd, size, (uint64_t)offset, &memory);
	if (backend_traced(be))
		trace_viommu_mmap(&call, viommu_id, size, (uint64_t)offset, ret);
	if (ret)
		error_setg_errno(errp, -ret,
				 "mapping 0x%" PRIx64 " bytes at 0x%" PRIx64
				 " of the device for vIOMMU %u failed (mmap)",
				 size, (uint64_t)offset, viommu_id);
	else
		*out_ptr = memory;
	return ret;
}

static void trace_change_process_begin(struct backend_call *call)
{
	if (call_begins(call, change_process))
		call_emit(call, change_process_begin, CALL_BEGIN_OF(call));
}

static void trace_change_process(const struct backend_call *call, int ret)
{
	if (call->op_id)
		call_emit(call, change_process, CALL_END_OF(call), ret);
}

static int change_process(IOMMUFDBackend *be)
{
	struct iommu_ioas_change_process change = { .size = sizeof(change) };
	struct backend_call call = backend_call_of(be);
	int ret;

	if (backend_traced(be))
		trace_change_process_begin(&call);
	ret = backend_ioctl(be, call.fd, IOMMU_IOAS_CHANGE_PROCESS, &change);
	if (backend_traced(be))
		trace_change_process(&call, ret);
	return ret;
}

/* While the process is still the one that mapped, the ioctl moves nothing. */
bool iommufd_change_process_capable(IOMMUFDBackend *be)
{
	return change_process(be) == 0;
}

int iommufd_change_process(IOMMUFDBackend *be, Error **errp)
{
	int ret = change_process(be);

	if (ret)
		error_setg_errno(errp, -ret,
				 "moving the mapped memory to this process failed "
				 "(IOMMU_IOAS_CHANGE_PROCESS)");
	return ret;
}
