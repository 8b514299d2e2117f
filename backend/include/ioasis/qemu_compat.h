/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's include/system/iommufd.h, on top of this library.
 *
 * A source file of QEMU that includes this instead of "system/iommufd.h" (its include path first
 * names a folder whose system/iommufd.h includes this) gets QEMU's names with QEMU's types: true on
 * success, an Error of QEMU's on failure, errno set, be->fd to read. Behind each stands the function
 * of <ioasis/iommufd_backend.h>. docs/QEMU.md shows a whole build.
 *
 * Wants QEMU's headers, from 10.2 on (Object, Error, error_report, cpr_find_fd, HostIOMMUDevice).
 * Threads: as in QEMU, under one lock (its BQL).
 *
 * IOASIS_QEMU_API says whose callers these are: 1101, the newest, unless config-host.h was
 * included and says an older one. What differs:
 *
 *   below 1101	alloc_viommu has no data; *type of get_device_info is an answer only
 */
#ifndef IOASIS_QEMU_COMPAT_H
#define IOASIS_QEMU_COMPAT_H

#include "qom/object.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "exec/hwaddr.h"
#include "migration/cpr.h"
#include "system/host_iommu_device.h"
#include "hw/vfio/vfio-cpr.h"

#include <errno.h>

#ifndef IOASIS_QEMU_API
#if defined(QEMU_VERSION_MAJOR) && defined(QEMU_VERSION_MINOR)
#define IOASIS_QEMU_API (QEMU_VERSION_MAJOR * 100 + QEMU_VERSION_MINOR)
#else
#define IOASIS_QEMU_API 1101
#endif
#endif

/* ---- the library's declarations, beside QEMU's -------------------------------- */

/* QEMU has macros or types of these names. */
#pragma push_macro("Error")
#pragma push_macro("IOMMUFDBackend")
#pragma push_macro("hwaddr")
#pragma push_macro("ram_addr_t")
#pragma push_macro("error_setg")
#pragma push_macro("error_setg_errno")
#pragma push_macro("error_prepend")
#pragma push_macro("error_propagate")
#pragma push_macro("error_propagate_prepend")
#undef error_setg
#undef error_setg_errno
#undef error_prepend
#undef error_propagate
#undef error_propagate_prepend

#define Error			IoasisError
#define IOMMUFDBackend		IoasisBackend
#define hwaddr			ioasis_hwaddr
#define ram_addr_t		ioasis_ram_addr_t
#define error_setg		ioasis_error_setg
#define error_setg_errno	ioasis_error_setg_errno
#define error_prepend		ioasis_error_prepend
#define error_propagate		ioasis_error_propagate
#define error_propagate_prepend ioasis_error_propagate_prepend
#define error_get_pretty	ioasis_error_get_pretty
#define error_copy		ioasis_error_copy
#define error_free		ioasis_error_free

#define iommufd_backend_alloc_hw_queue	   ioasis_alloc_hw_queue
#define iommufd_backend_alloc_hwpt	   ioasis_alloc_hwpt
#define iommufd_backend_alloc_ioas	   ioasis_alloc_ioas
#define iommufd_backend_alloc_vdev	   ioasis_alloc_vdev
#define iommufd_backend_alloc_veventq	   ioasis_alloc_veventq
#define iommufd_backend_alloc_viommu	   ioasis_alloc_viommu
#define iommufd_backend_can_be_deleted	   ioasis_can_be_deleted
#define iommufd_backend_complete	   ioasis_complete
#define iommufd_backend_connect		   ioasis_connect
#define iommufd_backend_disconnect	   ioasis_disconnect
#define iommufd_backend_free_id		   ioasis_free_id
#define iommufd_backend_get_device_info	   ioasis_get_device_info
#define iommufd_backend_get_dirty_bitmap   ioasis_get_dirty_bitmap
#define iommufd_backend_invalidate_cache   ioasis_invalidate_cache
#define iommufd_backend_map_dma		   ioasis_map_dma
#define iommufd_backend_map_file_dma	   ioasis_map_file_dma
#define iommufd_backend_set_dirty_tracking ioasis_set_dirty_tracking
#define iommufd_backend_set_fd		   ioasis_set_fd
#define iommufd_backend_unmap_dma	   ioasis_unmap_dma
#define iommufd_backend_viommu_mmap	   ioasis_viommu_mmap
#define iommufd_change_process		   ioasis_change_process
#define iommufd_change_process_capable	   ioasis_change_process_capable

#include <ioasis/iommufd_backend.h>

#undef Error
#undef IOMMUFDBackend
#undef hwaddr
#undef ram_addr_t
#undef error_setg
#undef error_setg_errno
#undef error_prepend
#undef error_propagate
#undef error_propagate_prepend
#undef error_get_pretty
#undef error_copy
#undef error_free

#undef iommufd_backend_alloc_hw_queue
#undef iommufd_backend_alloc_hwpt
#undef iommufd_backend_alloc_ioas
#undef iommufd_backend_alloc_vdev
#undef iommufd_backend_alloc_veventq
#undef iommufd_backend_alloc_viommu
#undef iommufd_backend_can_be_deleted
#undef iommufd_backend_complete
#undef iommufd_backend_connect
#undef iommufd_backend_disconnect
#undef iommufd_backend_free_id
#undef iommufd_backend_get_device_info
#undef iommufd_backend_get_dirty_bitmap
#undef iommufd_backend_invalidate_cache
#undef iommufd_backend_map_dma
#undef iommufd_backend_map_file_dma
#undef iommufd_backend_set_dirty_tracking
#undef iommufd_backend_set_fd
#undef iommufd_backend_unmap_dma
#undef iommufd_backend_viommu_mmap
#undef iommufd_change_process
#undef iommufd_change_process_capable

#pragma pop_macro("Error")
#pragma pop_macro("IOMMUFDBackend")
#pragma pop_macro("hwaddr")
#pragma pop_macro("ram_addr_t")
#pragma pop_macro("error_setg")
#pragma pop_macro("error_setg_errno")
#pragma pop_macro("error_prepend")
#pragma pop_macro("error_propagate")
#pragma pop_macro("error_propagate_prepend")

/* ---- QEMU's types --------------------------------------------------------------- */

#define TYPE_IOMMUFD_BACKEND "iommufd"
OBJECT_DECLARE_TYPE(IOMMUFDBackend, IOMMUFDBackendClass, IOMMUFD_BACKEND)

struct IOMMUFDBackendClass {
	ObjectClass parent_class;
};

/* fd, owned and users repeat what the library's backend has; to be read, not to be set. */
struct IOMMUFDBackend {
	Object parent;
	int fd;
	bool owned;
	Error *cpr_blocker;
	uint32_t users;
	IoasisBackend *ioasis; /* owned: ioasis_qemu_init() to ioasis_qemu_finalize() */
};

typedef struct IOMMUFDViommu {
	IOMMUFDBackend *iommufd;
	uint32_t s2_hwpt_id;
	uint32_t viommu_id;
} IOMMUFDViommu;

typedef struct IOMMUFDVdev {
	uint32_t vdevice_id;
	uint32_t virt_id;
} IOMMUFDVdev;

typedef struct IOMMUFDVeventq {
	IOMMUFDViommu *viommu;
	uint32_t veventq_id;
	uint32_t veventq_fd;
	uint32_t last_event_seq;
	bool event_start;
} IOMMUFDVeventq;

#define TYPE_HOST_IOMMU_DEVICE_IOMMUFD TYPE_HOST_IOMMU_DEVICE "-iommufd"
OBJECT_DECLARE_TYPE(HostIOMMUDeviceIOMMUFD, HostIOMMUDeviceIOMMUFDClass, HOST_IOMMU_DEVICE_IOMMUFD)

struct HostIOMMUDeviceIOMMUFD {
	HostIOMMUDevice parent_obj;
	IOMMUFDBackend *iommufd;
	uint32_t devid;
	uint32_t hwpt_id;
};

/* Attaches the device or one of its PASIDs to a page table, and detaches it: true on success. */
struct HostIOMMUDeviceIOMMUFDClass {
	HostIOMMUDeviceClass parent_class;
	bool (*attach_hwpt)(HostIOMMUDeviceIOMMUFD *hiodi, uint32_t pasid, uint32_t hwpt_id,
			    Error **errp);
	bool (*detach_hwpt)(HostIOMMUDeviceIOMMUFD *hiodi, uint32_t pasid, Error **errp);
};

static inline bool host_iommu_device_iommufd_attach_hwpt(HostIOMMUDeviceIOMMUFD *hiodi,
							 uint32_t pasid, uint32_t hwpt_id,
							 Error **errp)
{
	return HOST_IOMMU_DEVICE_IOMMUFD_GET_CLASS(hiodi)->attach_hwpt(hiodi, pasid, hwpt_id, errp);
}

static inline bool host_iommu_device_iommufd_detach_hwpt(HostIOMMUDeviceIOMMUFD *hiodi,
							 uint32_t pasid, Error **errp)
{
	return HOST_IOMMU_DEVICE_IOMMUFD_GET_CLASS(hiodi)->detach_hwpt(hiodi, pasid, errp);
}

/* ---- results ---------------------------------------------------------------------- */

/* QEMU's answer for ret: true, or false with err handed on as an Error of QEMU's, and errno. */
static inline bool ioasis_qemu_result(int ret, IoasisError *err, Error **errp)
{
	if (!ret)
		return true;
	error_setg(errp, "%s", ioasis_error_get_pretty(err));
	ioasis_error_free(err);
	errno = -ret;
	return false;
}

static inline int ioasis_qemu_errno(int ret)
{
	if (ret < 0)
		errno = -ret;
	return ret;
}

/* What be shows of the library's backend. */
static inline void ioasis_qemu_update(IOMMUFDBackend *be)
{
	be->fd = iommufd_backend_get_fd(be->ioasis);
	be->owned = iommufd_backend_is_owned(be->ioasis);
	be->users = iommufd_backend_get_users(be->ioasis);
}

/* ---- the object: what its QOM type calls ------------------------------------------- */

static inline void ioasis_qemu_report(void *opaque, IOMMUFDReport level, const char *message)
{
	(void)opaque;
	if (level == IOMMUFD_REPORT_WARNING)
		warn_report("%s", message);
	else
		error_report("%s", message);
}

static inline bool ioasis_qemu_is_incoming(void *opaque)
{
	(void)opaque;
	return cpr_is_incoming();
}

static inline int ioasis_qemu_find_fd(void *opaque, const char *name)
{
	(void)opaque;
	return cpr_find_fd(name, 0);
}

static inline void ioasis_qemu_save_fd(void *opaque, const char *name, int fd)
{
	(void)opaque;
	cpr_save_fd(name, 0, fd);
}

static inline void ioasis_qemu_delete_fd(void *opaque, const char *name)
{
	(void)opaque;
	cpr_delete_fd(name, 0);
}

/*
 * Makes the library's backend of a new object, with QEMU's reports and CPR; id names it in both
 * (the last part of the object's path; the object has it from instance_init's end on, so a QOM type
 * calls this from complete, or from the first of set_fd and complete).
 */
static inline void ioasis_qemu_init(IOMMUFDBackend *be, const char *id)
{
	static const IOMMUFDCprOps cpr = {
		.is_incoming = ioasis_qemu_is_incoming,
		.find_fd = ioasis_qemu_find_fd,
		.save_fd = ioasis_qemu_save_fd,
		.delete_fd = ioasis_qemu_delete_fd,
	};

	be->ioasis = iommufd_backend_new(id);
	if (!be->ioasis)
		abort();
	iommufd_backend_set_report_hook(be->ioasis, ioasis_qemu_report, NULL);
	iommufd_backend_set_cpr(be->ioasis, &cpr, NULL);
	ioasis_qemu_update(be);
}

static inline void ioasis_qemu_finalize(IOMMUFDBackend *be)
{
	iommufd_backend_delete(be->ioasis, NULL);
	be->ioasis = NULL;
	be->fd = -1;
}

static inline bool ioasis_qemu_set_fd(IOMMUFDBackend *be, const char *str, Error **errp)
{
	IoasisError *err = NULL;
	int ret = ioasis_set_fd(be->ioasis, str, &err);

	ioasis_qemu_update(be);
	return ioasis_qemu_result(ret, err, errp);
}

static inline bool ioasis_qemu_complete(IOMMUFDBackend *be, Error **errp)
{
	IoasisError *err = NULL;
	int ret = ioasis_complete(be->ioasis, &err);

	ioasis_qemu_update(be);
	return ioasis_qemu_result(ret, err, errp);
}

/* ---- QEMU's functions ---------------------------------------------------------------- */

static inline void iommufd_backend_disconnect(IOMMUFDBackend *be)
{
	const bool last = be->users == 1;

	if (last)
		vfio_iommufd_cpr_unregister_iommufd(be);
	ioasis_disconnect(be->ioasis);
	ioasis_qemu_update(be);
}

static inline bool iommufd_backend_connect(IOMMUFDBackend *be, Error **errp)
{
	const bool first = !be->users;
	IoasisError *err = NULL;
	int ret = ioasis_connect(be->ioasis, &err);

	ioasis_qemu_update(be);
	if (ret)
		return ioasis_qemu_result(ret, err, errp);
	if (first && !vfio_iommufd_cpr_register_iommufd(be, errp)) {
		ioasis_disconnect(be->ioasis);
		ioasis_qemu_update(be);
		return false;
	}
	return true;
}

static inline bool iommufd_backend_alloc_ioas(IOMMUFDBackend *be, uint32_t *ioas_id, Error **errp)
{
	IoasisError *err = NULL;
	int ret = ioasis_alloc_ioas(be->ioasis, ioas_id, &err);

	return ioasis_qemu_result(ret, err, errp);
}

static inline void iommufd_backend_free_id(IOMMUFDBackend *be, uint32_t id)
{
	ioasis_free_id(be->ioasis, id);
}

static inline int iommufd_backend_map_dma(IOMMUFDBackend *be, uint32_t ioas_id, hwaddr iova,
					  uint64_t size, void *vaddr, bool readonly)
{
	return ioasis_qemu_errno(ioasis_map_dma(be->ioasis, ioas_id, iova, size, vaddr, readonly));
}

static inline int iommufd_backend_map_file_dma(IOMMUFDBackend *be, uint32_t ioas_id, hwaddr iova,
					       uint64_t size, int fd, unsigned long start,
					       bool readonly)
{
	return ioasis_qemu_errno(
		ioasis_map_file_dma(be->ioasis, ioas_id, iova, size, fd, start, readonly));
}

static inline int iommufd_backend_unmap_dma(IOMMUFDBackend *be, uint32_t ioas_id, hwaddr iova,
					    uint64_t size)
{
	return ioasis_qemu_errno(ioasis_unmap_dma(be->ioasis, ioas_id, iova, size));
}

static inline bool iommufd_backend_get_device_info(IOMMUFDBackend *be, uint32_t devid,
						   uint32_t *type, void *data, uint32_t len,
						   uint64_t *caps, uint8_t *max_pasid_log2,
						   Error **errp)
{
	uint32_t asked = IOASIS_QEMU_API >= 1101 ? *type : 0;
	IoasisError *err = NULL;
	int ret = ioasis_get_device_info(be->ioasis, devid, &asked, data, len, caps,
					 max_pasid_log2, &err);

	if (!ret)
		*type = asked;
	return ioasis_qemu_result(ret, err, errp);
}

static inline bool iommufd_backend_alloc_hwpt(IOMMUFDBackend *be, uint32_t dev_id, uint32_t pt_id,
					      uint32_t flags, uint32_t data_type,
					      uint32_t data_len, void *data_ptr,
					      uint32_t *out_hwpt, Error **errp)
{
	IoasisError *err = NULL;
	int ret = ioasis_alloc_hwpt(be->ioasis, dev_id, pt_id, flags, data_type, data_len, data_ptr,
				    out_hwpt, &err);

	return ioasis_qemu_result(ret, err, errp);
}

static inline bool iommufd_backend_set_dirty_tracking(IOMMUFDBackend *be, uint32_t hwpt_id,
						      bool start, Error **errp)
{
	IoasisError *err = NULL;
	int ret = ioasis_set_dirty_tracking(be->ioasis, hwpt_id, start, &err);

	return ioasis_qemu_result(ret, err, errp);
}

static inline bool iommufd_backend_get_dirty_bitmap(IOMMUFDBackend *be, uint32_t hwpt_id,
						    uint64_t iova, uint64_t size,
						    uint64_t page_size, uint64_t *data,
						    uint64_t flags, Error **errp)
{
	IoasisError *err = NULL;
	int ret = ioasis_get_dirty_bitmap(be->ioasis, hwpt_id, iova, size, page_size, data, flags,
					  &err);

	return ioasis_qemu_result(ret, err, errp);
}

static inline bool iommufd_backend_invalidate_cache(IOMMUFDBackend *be, uint32_t id,
						    uint32_t data_type, uint32_t entry_len,
						    uint32_t *entry_num, void *data, Error **errp)
{
	IoasisError *err = NULL;
	int ret = ioasis_invalidate_cache(be->ioasis, id, data_type, entry_len, entry_num, data,
					  &err);

	return ioasis_qemu_result(ret, err, errp);
}

static inline bool ioasis_qemu_alloc_viommu(IOMMUFDBackend *be, uint32_t dev_id,
					    uint32_t viommu_type, uint32_t hwpt_id, void *data_ptr,
					    uint32_t data_len, uint32_t *out_viommu_id,
					    Error **errp)
{
	IoasisError *err = NULL;
	int ret = ioasis_alloc_viommu(be->ioasis, dev_id, viommu_type, hwpt_id, data_ptr, data_len,
				      out_viommu_id, &err);

	return ioasis_qemu_result(ret, err, errp);
}

#if IOASIS_QEMU_API >= 1101
static inline bool iommufd_backend_alloc_viommu(IOMMUFDBackend *be, uint32_t dev_id,
						uint32_t viommu_type, uint32_t hwpt_id,
						void *data_ptr, uint32_t data_len,
						uint32_t *out_viommu_id, Error **errp)
{
	return ioasis_qemu_alloc_viommu(be, dev_id, viommu_type, hwpt_id, data_ptr, data_len,
					out_viommu_id, errp);
}
#else
static inline bool iommufd_backend_alloc_viommu(IOMMUFDBackend *be, uint32_t dev_id,
						uint32_t viommu_type, uint32_t hwpt_id,
						uint32_t *out_viommu_id, Error **errp)
{
	return ioasis_qemu_alloc_viommu(be, dev_id, viommu_type, hwpt_id, NULL, 0, out_viommu_id,
					errp);
}
#endif

static inline bool iommufd_backend_alloc_vdev(IOMMUFDBackend *be, uint32_t dev_id,
					      uint32_t viommu_id, uint64_t virt_id,
					      uint32_t *out_vdev_id, Error **errp)
{
	IoasisError *err = NULL;
	int ret = ioasis_alloc_vdev(be->ioasis, dev_id, viommu_id, virt_id, out_vdev_id, &err);

	return ioasis_qemu_result(ret, err, errp);
}

static inline bool iommufd_backend_alloc_veventq(IOMMUFDBackend *be, uint32_t viommu_id,
						 uint32_t type, uint32_t depth,
						 uint32_t *out_veventq_id,
						 uint32_t *out_veventq_fd, Error **errp)
{
	IoasisError *err = NULL;
	int ret = ioasis_alloc_veventq(be->ioasis, viommu_id, type, depth, out_veventq_id,
				       out_veventq_fd, &err);

	return ioasis_qemu_result(ret, err, errp);
}

static inline bool iommufd_backend_alloc_hw_queue(IOMMUFDBackend *be, uint32_t viommu_id,
						  uint32_t queue_type, uint32_t index,
						  uint64_t addr, uint64_t length,
						  uint32_t *out_hw_queue_id, Error **errp)
{
	IoasisError *err = NULL;
	int ret = ioasis_alloc_hw_queue(be->ioasis, viommu_id, queue_type, index, addr, length,
					out_hw_queue_id, &err);

	return ioasis_qemu_result(ret, err, errp);
}

static inline bool iommufd_backend_viommu_mmap(IOMMUFDBackend *be, uint32_t viommu_id,
					       uint64_t size, off_t offset, void **out_ptr,
					       Error **errp)
{
	IoasisError *err = NULL;
	int ret = ioasis_viommu_mmap(be->ioasis, viommu_id, size, offset, out_ptr, &err);

	return ioasis_qemu_result(ret, err, errp);
}

static inline bool iommufd_change_process_capable(IOMMUFDBackend *be)
{
	return ioasis_change_process_capable(be->ioasis);
}

static inline bool iommufd_change_process(IOMMUFDBackend *be, Error **errp)
{
	IoasisError *err = NULL;
	int ret = ioasis_change_process(be->ioasis, &err);

	return ioasis_qemu_result(ret, err, errp);
}

#endif
