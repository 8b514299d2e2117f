/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls on virtual IOMMUs, and the change of the process that is charged. */
#include "backend/trace.h"

int iommufd_backend_alloc_viommu(IOMMUFDBackend *be, uint32_t dev_id, uint32_t viommu_type,
				 uint32_t hwpt_id, uint32_t *out_viommu_id, Error **errp)
{
	struct iommu_viommu_alloc alloc = {
		.size = sizeof(alloc),
		.type = viommu_type,
		.dev_id = dev_id,
		.hwpt_id = hwpt_id,
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
