/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls on devices and page tables: what there is, make, dirty bits, invalidate. */
#include "backend/trace.h"

#include <errno.h>
#include <inttypes.h>

#include "backend/live.h"

static void trace_get_device_info_begin(struct backend_call *call, const struct iommu_hw_info *arg)
{
	if (call_begins(call, get_device_info))
		call_emit(call, get_device_info_begin, CALL_BEGIN_OF(call), arg->dev_id);
	trace_data(call, arg->data_uptr);
}

static void trace_get_device_info(const struct backend_call *call, const struct iommu_hw_info *arg,
				  int ret)
{
	if (call->op_id)
		call_emit(call, get_device_info, CALL_END_OF(call), arg->dev_id, arg->out_data_type,
			  arg->out_capabilities, ret);
}

int iommufd_backend_get_device_info(IOMMUFDBackend *be, uint32_t devid, uint32_t *type, void *data,
				    uint32_t len, uint64_t *caps, uint8_t *max_pasid_log2,
				    Error **errp)
{
	struct iommu_hw_info info = {
		.size = sizeof(info),
		.dev_id = devid,
		.data_len = len,
		.data_uptr = (uintptr_t)data,
		.flags = *type ? IOMMU_HW_INFO_FLAG_INPUT_TYPE : 0,
		.in_data_type = *type,
	};
	struct backend_call call = backend_call_of(be);
	int ret;

	if (backend_traced(be))
		trace_get_device_info_begin(&call, &info);
	ret = backend_ioctl(be, call.fd, IOMMU_GET_HW_INFO, &info);
	if (backend_traced(be))
		trace_get_device_info(&call, &info, ret);
	if (ret) {
		error_setg_errno(errp, -ret, "asking about device %u failed (IOMMU_GET_HW_INFO)",
				 devid);
		return ret;
	}
	*type = info.out_data_type;
	*caps = info.out_capabilities;
	if (max_pasid_log2)
		*max_pasid_log2 = info.out_max_pasid_log2;
	return 0;
}

static void trace_alloc_hwpt_begin(struct backend_call *call, const struct iommu_hwpt_alloc *arg)
{
	if (call_begins(call, alloc_hwpt))
		call_emit(call, alloc_hwpt_begin, CALL_BEGIN_OF(call), arg->dev_id, arg->pt_id,
			  arg->flags);
	trace_data(call, arg->data_uptr);
}

static void trace_alloc_hwpt(const struct backend_call *call, const struct iommu_hwpt_alloc *arg,
			     int ret)
{
	struct backend_live *live = call_live_lock_new(call, arg->out_hwpt_id, ret);

	if (call->op_id)
		call_emit(call, alloc_hwpt, CALL_END_OF(call), arg->dev_id, arg->pt_id, arg->flags,
			  arg->data_type, arg->data_len, arg->out_hwpt_id, ret);
	backend_live_unlock(live);
}

int iommufd_backend_alloc_hwpt(IOMMUFDBackend *be, uint32_t dev_id, uint32_t pt_id, uint32_t flags,
			       uint32_t data_type, uint32_t data_len, void *data_ptr,
			       uint32_t *out_hwpt, Error **errp)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.flags = flags,
		.dev_id = dev_id,
		.pt_id = pt_id,
		.data_type = data_type,
		.data_len = data_len,
		.data_uptr = (uintptr_t)data_ptr,
	};
	struct backend_call call = backend_call_of(be);
	int ret;

	if (backend_traced(be))
		trace_alloc_hwpt_begin(&call, &alloc);
	ret = backend_ioctl(be, call.fd, IOMMU_HWPT_ALLOC, &alloc);
	if (backend_traced(be))
		trace_alloc_hwpt(&call, &alloc, ret);
	if (ret)
		error_setg_errno(errp, -ret,
				 "making a page table for device %u failed (IOMMU_HWPT_ALLOC)",
				 dev_id);
	else
		*out_hwpt = alloc.out_hwpt_id;
	return ret;
}

static bool dirty_is_on(const struct iommu_hwpt_set_dirty_tracking *arg)
{
	return arg->flags & IOMMU_HWPT_DIRTY_TRACKING_ENABLE;
}

static void trace_set_dirty_begin(struct backend_call *call,
				  const struct iommu_hwpt_set_dirty_tracking *arg)
{
	if (call_begins(call, set_dirty))
		call_emit(call, set_dirty_begin, CALL_BEGIN_OF(call), arg->hwpt_id,
			  dirty_is_on(arg));
}

static void trace_set_dirty(const struct backend_call *call,
			    const struct iommu_hwpt_set_dirty_tracking *arg, int ret)
{
	if (call->op_id)
		call_emit(call, set_dirty, CALL_END_OF(call), arg->hwpt_id, dirty_is_on(arg), ret);
}

int iommufd_backend_set_dirty_tracking(IOMMUFDBackend *be, uint32_t hwpt_id, bool start,
				       Error **errp)
{
	struct iommu_hwpt_set_dirty_tracking set = {
		.size = sizeof(set),
		.flags = start ? IOMMU_HWPT_DIRTY_TRACKING_ENABLE : 0,
		.hwpt_id = hwpt_id,
	};
	struct backend_call call = backend_call_of(be);
	int ret;

	if (backend_traced(be))
		trace_set_dirty_begin(&call, &set);
	ret = backend_ioctl(be, call.fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &set);
	if (backend_traced(be))
		trace_set_dirty(&call, &set, ret);
	if (ret)
		error_setg_errno(errp, -ret,
				 "turning dirty tracking of page table %u %s failed "
				 "(IOMMU_HWPT_SET_DIRTY_TRACKING)",
				 hwpt_id, start ? "on" : "off");
	return ret;
}

static void trace_get_dirty_bitmap_begin(struct backend_call *call,
					 const struct iommu_hwpt_get_dirty_bitmap *arg)
{
	if (call_begins(call, get_dirty_bitmap))
		call_emit(call, get_dirty_bitmap_begin, CALL_BEGIN_OF(call), arg->hwpt_id,
			  arg->iova, arg->length, arg->page_size);
}

static void trace_get_dirty_bitmap(const struct backend_call *call,
				   const struct iommu_hwpt_get_dirty_bitmap *arg, int ret)
{
	if (call->op_id)
		call_emit(call, get_dirty_bitmap, CALL_END_OF(call), arg->hwpt_id, arg->iova,
			  arg->length, arg->flags, arg->page_size, ret);
}

int iommufd_backend_get_dirty_bitmap(IOMMUFDBackend *be, uint32_t hwpt_id, uint64_t iova,
				     ram_addr_t size, uint64_t page_size, uint64_t *data,
				     uint64_t flags, Error **errp)
{
	struct iommu_hwpt_get_dirty_bitmap get = {
		.size = sizeof(get),
		.hwpt_id = hwpt_id,
		.flags = (uint32_t)flags,
		.iova = iova,
		.length = size,
		.page_size = page_size,
		.data = (uintptr_t)data,
	};
	struct backend_call call = backend_call_of(be);
	int ret;

	if (flags > UINT32_MAX) {
		error_setg(errp, "flags 0x%" PRIx64 " of a dirty bitmap are more than 32 bits",
			   flags);
		return -EOPNOTSUPP;
	}
	if (backend_traced(be))
		trace_get_dirty_bitmap_begin(&call, &get);
	ret = backend_ioctl(be, call.fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &get);
	if (backend_traced(be))
		trace_get_dirty_bitmap(&call, &get, ret);
	if (ret)
		error_setg_errno(errp, -ret,
				 "reading the dirty bits of 0x%" PRIx64 " bytes at 0x%" PRIx64
				 " of page table %u failed (IOMMU_HWPT_GET_DIRTY_BITMAP)",
				 size, iova, hwpt_id);
	return ret;
}

static void trace_invalidate_cache_begin(struct backend_call *call,
					 const struct iommu_hwpt_invalidate *arg)
{
	if (call_begins(call, invalidate_cache))
		call_emit(call, invalidate_cache_begin, CALL_BEGIN_OF(call), arg->hwpt_id);
	trace_data(call, arg->data_uptr);
}

static void trace_invalidate_cache(const struct backend_call *call,
				   const struct iommu_hwpt_invalidate *arg, uint32_t asked, int ret)
{
	if (call->op_id)
		call_emit(call, invalidate_cache, CALL_END_OF(call), arg->hwpt_id, arg->data_type,
			  arg->entry_len, asked, arg->entry_num, ret);
}

int iommufd_backend_invalidate_cache(IOMMUFDBackend *be, uint32_t id, uint32_t data_type,
				     uint32_t entry_len, uint32_t *entry_num, void *data,
				     Error **errp)
{
	const uint32_t asked = *entry_num;
	struct iommu_hwpt_invalidate invalidate = {
		.size = sizeof(invalidate),
		.hwpt_id = id,
		.data_uptr = (uintptr_t)data,
		.data_type = data_type,
		.entry_len = entry_len,
		.entry_num = asked,
	};
	struct backend_call call = backend_call_of(be);
	int ret;

	if (backend_traced(be))
		trace_invalidate_cache_begin(&call, &invalidate);
	ret = backend_ioctl(be, call.fd, IOMMU_HWPT_INVALIDATE, &invalidate);
	if (backend_traced(be))
		trace_invalidate_cache(&call, &invalidate, asked, ret);
	*entry_num = invalidate.entry_num;
	if (ret) {
		error_setg_errno(errp, -ret,
				 "invalidating %u entries of id %u failed after %u "
				 "(IOMMU_HWPT_INVALIDATE)",
				 asked, id, invalidate.entry_num);
	} else if (invalidate.entry_num != asked) {
		error_setg(errp, "IOMMU_HWPT_INVALIDATE of id %u succeeded with %u of %u entries",
			   id, invalidate.entry_num, asked);
		ret = -EIO;
	}
	return ret;
}
