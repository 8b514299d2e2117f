/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls on address spaces: make, free, map, unmap. */
#include "backend/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "backend/live.h"

/* The text of a negative errno; buf is used where the text must be made. */
#define REASON_SIZE 128
static const char *reason(int ret, char buf[REASON_SIZE])
{
	return strerror_r(-ret, buf, REASON_SIZE);
}

static void trace_alloc_ioas_begin(struct backend_call *call)
{
	if (call_begins(call, alloc_ioas))
		call_emit(call, alloc_ioas_begin, CALL_BEGIN_OF(call));
}

static void trace_alloc_ioas(const struct backend_call *call, const struct iommu_ioas_alloc *arg,
			     int ret)
{
	struct backend_live *live = call_live_lock_new(call, arg->out_ioas_id, ret);

	if (call->op_id)
		call_emit(call, alloc_ioas, CALL_END_OF(call), arg->out_ioas_id, ret);
	backend_live_unlock(live);
}

int iommufd_backend_alloc_ioas(IOMMUFDBackend *be, uint32_t *ioas_id, Error **errp)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct backend_call call = backend_call_of(be);
	int ret;

	if (backend_traced(be))
		trace_alloc_ioas_begin(&call);
	ret = backend_ioctl(be, call.fd, IOMMU_IOAS_ALLOC, &alloc);
	if (backend_traced(be))
		trace_alloc_ioas(&call, &alloc, ret);
	if (ret)
		error_setg_errno(errp, -ret, "making an address space failed (IOMMU_IOAS_ALLOC)");
	else
		*ioas_id = alloc.out_ioas_id;
	return ret;
}

static void trace_free_id_begin(struct backend_call *call, const struct iommu_destroy *arg)
{
	if (call_begins(call, free_id))
		call_emit(call, free_id_begin, CALL_BEGIN_OF(call), arg->id);
}

static void trace_free_id(const struct backend_call *call, const struct iommu_destroy *arg, int ret)
{
	struct backend_live *live = call_live_lock(call);

	if (live && !ret)
		backend_live_remove_object(live, arg->id);
	if (call->op_id)
		call_emit(call, free_id, CALL_END_OF(call), arg->id, ret);
	backend_live_unlock(live);
}

void iommufd_backend_free_id(IOMMUFDBackend *be, uint32_t id)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = id };
	struct backend_call call = backend_call_of(be);
	char buf[REASON_SIZE];
	int ret;

	if (backend_traced(be))
		trace_free_id_begin(&call, &destroy);
	ret = backend_ioctl(be, call.fd, IOMMU_DESTROY, &destroy);
	if (backend_traced(be))
		trace_free_id(&call, &destroy, ret);
	if (ret)
		backend_report(be, IOMMUFD_REPORT_ERROR, "freeing id %u failed (IOMMU_DESTROY): %s",
			       id, reason(ret, buf));
}

static uint32_t map_flags(bool readonly)
{
	return IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
	       (readonly ? 0 : IOMMU_IOAS_MAP_WRITEABLE);
}

/* EFAULT is what memory without pages gives, above all a device's PCI BAR. */
static void map_report(IOMMUFDBackend *be, const char *ioctl_name, uint32_t ioas_id, hwaddr iova,
		       ram_addr_t size, int ret)
{
	char buf[REASON_SIZE];

	backend_report(be, ret == -EFAULT ? IOMMUFD_REPORT_WARNING : IOMMUFD_REPORT_ERROR,
		       "mapping 0x%" PRIx64 " bytes at 0x%" PRIx64
		       " of address space %u failed (%s): %s%s",
		       size, iova, ioas_id, ioctl_name, reason(ret, buf),
		       ret == -EFAULT ? ", is it a PCI BAR?" : "");
}

static bool map_is_readonly(uint32_t flags)
{
	return !(flags & IOMMU_IOAS_MAP_WRITEABLE);
}

static void trace_map_dma_begin(struct backend_call *call, const struct iommu_ioas_map *arg)
{
	if (!call_begins(call, map_dma))
		return;
	call_emit(call, map_dma_begin, CALL_BEGIN_OF(call), arg->ioas_id, arg->iova, arg->length,
		  map_is_readonly(arg->flags));
	call_emit(call, map_dma_vaddr, call->op_id, call->be->number, arg->user_va);
}

static void trace_map_dma(const struct backend_call *call, const struct iommu_ioas_map *arg,
			  int ret)
{
	struct backend_live *live = call_live_lock(call);
	bool readonly = map_is_readonly(arg->flags);

	if (live && !ret)
		backend_live_map(live, arg->ioas_id, arg->iova, arg->length, readonly);
	if (call->op_id)
		call_emit(call, map_dma, CALL_END_OF(call), arg->ioas_id, arg->iova, arg->length,
			  readonly, ret);
	backend_live_unlock(live);
}

int iommufd_backend_map_dma(IOMMUFDBackend *be, uint32_t ioas_id, hwaddr iova, ram_addr_t size,
			    void *vaddr, bool readonly)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = map_flags(readonly),
		.ioas_id = ioas_id,
		.user_va = (uintptr_t)vaddr,
		.length = size,
		.iova = iova,
	};
	struct backend_call call = backend_call_of(be);
	int ret;

	if (backend_traced(be))
		trace_map_dma_begin(&call, &map);
	ret = backend_ioctl(be, call.fd, IOMMU_IOAS_MAP, &map);
	if (backend_traced(be))
		trace_map_dma(&call, &map, ret);
	if (ret)
		map_report(be, "IOMMU_IOAS_MAP", ioas_id, iova, size, ret);
	return ret;
}

static void trace_map_file_dma_begin(struct backend_call *call,
				     const struct iommu_ioas_map_file *arg)
{
	if (call_begins(call, map_file_dma))
		call_emit(call, map_file_dma_begin, CALL_BEGIN_OF(call), arg->ioas_id, arg->iova,
			  arg->length, arg->fd, arg->start, map_is_readonly(arg->flags));
}

static void trace_map_file_dma(const struct backend_call *call,
			       const struct iommu_ioas_map_file *arg, int ret)
{
	struct backend_live *live = call_live_lock(call);
	bool readonly = map_is_readonly(arg->flags);

	if (live && !ret)
		backend_live_map(live, arg->ioas_id, arg->iova, arg->length, readonly);
	if (call->op_id)
		call_emit(call, map_file_dma, CALL_END_OF(call), arg->ioas_id, arg->iova,
			  arg->length, arg->fd, arg->start, readonly, ret);
	backend_live_unlock(live);
}

int iommufd_backend_map_file_dma(IOMMUFDBackend *be, uint32_t ioas_id, hwaddr iova, ram_addr_t size,
				 int fd, unsigned long start, bool readonly)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = map_flags(readonly),
		.ioas_id = ioas_id,
		.fd = fd,
		.start = start,
		.length = size,
		.iova = iova,
	};
	struct backend_call call = backend_call_of(be);
	int ret;

	if (backend_cpr_incoming(be))
		return 0;
	if (backend_traced(be))
		trace_map_file_dma_begin(&call, &map);
	ret = backend_ioctl(be, call.fd, IOMMU_IOAS_MAP_FILE, &map);
	if (backend_traced(be))
		trace_map_file_dma(&call, &map, ret);
	if (ret)
		map_report(be, "IOMMU_IOAS_MAP_FILE", ioas_id, iova, size, ret);
	return ret;
}

static void trace_unmap_dma_begin(struct backend_call *call, const struct iommu_ioas_unmap *arg)
{
	call_begin(call, call_wants(call, unmap_dma_begin) || call_wants(call, unmap_dma) ||
				 call_wants(call, unmap_dma_non_exist));
	if (call->op_id)
		call_emit(call, unmap_dma_begin, CALL_BEGIN_OF(call), arg->ioas_id, arg->iova,
			  arg->length);
}

/* The last address of [iova, iova + size), or the highest of all. */
static uint64_t range_last(uint64_t iova, uint64_t size)
{
	uint64_t end;

	return __builtin_add_overflow(iova, size, &end) ? UINT64_MAX : end - 1;
}

static void trace_unmap_dma(const struct backend_call *call, const struct iommu_ioas_unmap *arg,
			    uint64_t size, int ret)
{
	struct backend_live *live = call_live_lock(call);

	if (live && !ret)
		backend_live_unmap(live, arg->ioas_id, arg->iova, range_last(arg->iova, size));
	if (!call->op_id)
		;
	else if (ret == -ENOENT)
		call_emit(call, unmap_dma_non_exist, CALL_END_OF(call), arg->ioas_id, arg->iova,
			  size, ret);
	else
		call_emit(call, unmap_dma, CALL_END_OF(call), arg->ioas_id, arg->iova, size, ret);
	backend_live_unlock(live);
}

int iommufd_backend_unmap_dma(IOMMUFDBackend *be, uint32_t ioas_id, hwaddr iova, ram_addr_t size)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = ioas_id,
		.iova = iova,
		.length = size,
	};
	struct backend_call call = backend_call_of(be);
	char buf[REASON_SIZE];
	int ret;

	if (backend_cpr_incoming(be))
		return 0;
	if (backend_traced(be))
		trace_unmap_dma_begin(&call, &unmap);
	ret = backend_ioctl(be, call.fd, IOMMU_IOAS_UNMAP, &unmap);
	if (backend_traced(be))
		trace_unmap_dma(&call, &unmap, size, ret);
	/* A vIOMMU unmaps much that was never mapped: that is no failure. */
	if (ret == -ENOENT)
		return 0;
	if (ret)
		backend_report(be, IOMMUFD_REPORT_ERROR,
			       "unmapping 0x%" PRIx64 " bytes at 0x%" PRIx64
			       " of address space %u failed (IOMMU_IOAS_UNMAP): %s",
			       size, iova, ioas_id, reason(ret, buf));
	return ret;
}
