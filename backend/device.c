/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls on a VFIO device that is bound to the backend: what its DMA goes through. Numbers and
 * structures are those of Linux 6.15's <linux/vfio.h>; without a PASID older kernels take them, too.
 */
#include "backend/trace.h"

#define VFIO_CALL(nr)	 _IO(IOMMUFD_TYPE, 100 + (nr))
#define VFIO_ATTACH	 VFIO_CALL(19)
#define VFIO_DETACH	 VFIO_CALL(20)
#define VFIO_WITH_PASID	 1u

struct vfio_attach {
	uint32_t argsz;
	uint32_t flags;
	uint32_t pt_id;
	uint32_t pasid;
};

struct vfio_detach {
	uint32_t argsz;
	uint32_t flags;
	uint32_t pasid;
};

static uint32_t pasid_flags(uint32_t pasid)
{
	return pasid == IOMMUFD_NO_PASID ? 0 : VFIO_WITH_PASID;
}

static void trace_attach_begin(struct backend_call *call, int device_fd,
			       const struct vfio_attach *arg)
{
	if (call_begins(call, attach))
		call_emit(call, attach_begin, CALL_BEGIN_OF(call), device_fd, arg->pasid,
			  arg->pt_id);
}

static void trace_attach(const struct backend_call *call, int device_fd,
			 const struct vfio_attach *arg, int ret)
{
	if (call->op_id)
		call_emit(call, attach, CALL_END_OF(call), device_fd, arg->pasid, arg->pt_id, ret);
}

int iommufd_backend_attach_device(IOMMUFDBackend *be, int device_fd, uint32_t pasid,
				  uint32_t pt_id, Error **errp)
{
	struct vfio_attach attach = {
		.argsz = sizeof(attach),
		.flags = pasid_flags(pasid),
		.pt_id = pt_id,
		.pasid = pasid,
	};
	const uint32_t asked = pt_id;
	struct backend_call call = backend_call_of(be);
	int ret;

	if (backend_traced(be))
		trace_attach_begin(&call, device_fd, &attach);
	ret = backend_ioctl(be, device_fd, VFIO_ATTACH, &attach);
	attach.pt_id = asked;
	if (backend_traced(be))
		trace_attach(&call, device_fd, &attach, ret);
	if (ret)
		error_setg_errno(errp, -ret,
				 "attaching device fd %d, PASID %u to id %u failed "
				 "(VFIO_DEVICE_ATTACH_IOMMUFD_PT)",
				 device_fd, pasid, pt_id);
	return ret;
}

static void trace_detach_begin(struct backend_call *call, int device_fd,
			       const struct vfio_detach *arg)
{
	if (call_begins(call, detach))
		call_emit(call, detach_begin, CALL_BEGIN_OF(call), device_fd, arg->pasid);
}

static void trace_detach(const struct backend_call *call, int device_fd,
			 const struct vfio_detach *arg, int ret)
{
	if (call->op_id)
		call_emit(call, detach, CALL_END_OF(call), device_fd, arg->pasid, ret);
}

int iommufd_backend_detach_device(IOMMUFDBackend *be, int device_fd, uint32_t pasid, Error **errp)
{
	struct vfio_detach detach = {
		.argsz = sizeof(detach),
		.flags = pasid_flags(pasid),
		.pasid = pasid,
	};
	struct backend_call call = backend_call_of(be);
	int ret;

	if (backend_traced(be))
		trace_detach_begin(&call, device_fd, &detach);
	ret = backend_ioctl(be, device_fd, VFIO_DETACH, &detach);
	if (backend_traced(be))
		trace_detach(&call, device_fd, &detach, ret);
	if (ret)
		error_setg_errno(errp, -ret,
				 "detaching device fd %d, PASID %u failed "
				 "(VFIO_DEVICE_DETACH_IOMMUFD_PT)",
				 device_fd, pasid);
	return ret;
}
