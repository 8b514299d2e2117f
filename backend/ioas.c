/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls on address spaces: make, free, map, unmap. */
#include "backend/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* The text of a negative errno; buf is used where the text must be made. */
#define REASON_SIZE 128
static const char *reason(int ret, char buf[REASON_SIZE])
{
	return strerror_r(-ret, buf, REASON_SIZE);
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

int iommufd_backend_map_file_dma(IOMMUFDBackend *be, uint32_t ioas_id, hwaddr iova,
				 ram_addr_t size, int fd, unsigned long start, bool readonly)
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

	if (backend_traced(be))
		trace_map_file_dma_begin(&call, &map);
	ret = backend_ioctl(be, call.fd, IOMMU_IOAS_MAP_FILE, &map);
	if (backend_traced(be))
		trace_map_file_dma(&call, &map, ret);
	if (ret)
		map_report(be, "IOMMU_IOAS_MAP_FILE", ioas_id, iova, size, ret);
	return ret;
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
