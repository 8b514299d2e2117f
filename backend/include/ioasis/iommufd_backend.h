/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The iommufd backend: one open /dev/iommu, shared by the subsystems of a VMM.
 *
 * Names, arguments and behaviour are those of QEMU 11 (backends/iommufd.c and
 * include/system/iommufd.h), so that code moves between both; sources of QEMU
 * itself include <ioasis/qemu_compat.h>. One convention differs where QEMU mixes
 * bool and int:
 *
 *   Every function that can fail returns 0 or a negative errno. One that takes
 *   errp sets *errp exactly when it returns an error; errp may be NULL.
 *   Results (out_...) are stored on success only, and must not be NULL.
 *
 * Unless a function says more, its errors are those of the ioctl that it names
 * (Linux drivers/iommu/iommufd/), and -EBADF when nothing is open because the
 * caller has not connected. No function touches errno.
 *
 * Threads: any function may be called from any thread at any time, with these
 * exceptions: nothing may use a backend while or after iommufd_backend_delete()
 * deletes it, and a caller that is not connected must not count on an open fd.
 * Hooks are called on the thread of the call, with no lock held.
 *
 * The library never prints and never exits; see iommufd_backend_set_report_hook().
 * Tracing: see docs/BACKEND.md (IOASIS_TRACE).
 */
#ifndef IOASIS_IOMMUFD_BACKEND_H
#define IOASIS_IOMMUFD_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ioasis/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

typedef uint64_t hwaddr;     /* an address of the guest or of a device */
typedef uint64_t ram_addr_t; /* a size or an offset in guest RAM, in bytes */

typedef struct IOMMUFDBackend IOMMUFDBackend;

/* ---- making one -------------------------------------------------------- */

/*
 * Makes a backend with no fd and no users. id names it in messages and is
 * copied; NULL means unnamed. NULL only when out of memory. The caller owns it
 * and ends it with iommufd_backend_delete().
 */
IOMMUFDBackend *iommufd_backend_new(const char *id) IOASIS_SYMBOL(iommufd_backend_new);

/*
 * Deletes be; closes the fd only if the backend owns it. NULL is fine.
 * -EBUSY: it has users; be lives on then.
 */
int iommufd_backend_delete(IOMMUFDBackend *be, Error **errp) IOASIS_SYMBOL(iommufd_backend_delete);

/* True when be has no users. */
bool iommufd_backend_can_be_deleted(IOMMUFDBackend *be)
	IOASIS_SYMBOL(iommufd_backend_can_be_deleted);

/*
 * The property `fd`: hands in an open /dev/iommu, by number ("9") or by a name
 * that the hook of iommufd_backend_set_fd_lookup() knows (a name does not begin
 * with a digit). The backend uses the fd, is no longer `owned`, and never
 * closes it; the caller keeps it open while the backend lives.
 * -EINVAL: neither a number from 0 to INT_MAX nor a known name. -EBADF: the
 * number is not an open fd (asked only when the device is reached by system
 * calls). -EBUSY: be has users.
 */
int iommufd_backend_set_fd(IOMMUFDBackend *be, const char *str, Error **errp)
	IOASIS_SYMBOL(iommufd_backend_set_fd);

/*
 * The properties. fd is -1 when none is open. owned: the backend opens and
 * closes the fd itself. users: connections. id: as given, or NULL; lives as long as be.
 */
int iommufd_backend_get_fd(IOMMUFDBackend *be) IOASIS_SYMBOL(iommufd_backend_get_fd);
bool iommufd_backend_is_owned(IOMMUFDBackend *be) IOASIS_SYMBOL(iommufd_backend_is_owned);
uint32_t iommufd_backend_get_users(IOMMUFDBackend *be) IOASIS_SYMBOL(iommufd_backend_get_users);
const char *iommufd_backend_get_id(IOMMUFDBackend *be) IOASIS_SYMBOL(iommufd_backend_get_id);

/* ---- what it is connected to ------------------------------------------- */

/*
 * How a backend reaches its device. Each function returns what the system call
 * of its name returns, with errno set on -1 (mmap: on MAP_FAILED). Only mmap may
 * be NULL: a device without memory to map (ENODEV). It maps shared, readable and
 * writable. opaque is the pointer given along with the table. Called from any thread.
 */
typedef struct IOMMUFDDeviceOps {
	int (*open)(void *opaque, const char *path, int flags);
	int (*ioctl)(void *opaque, int fd, unsigned long request, void *arg);
	int (*close)(void *opaque, int fd);
	void *(*mmap)(void *opaque, int fd, uint64_t size, uint64_t offset);
} IOMMUFDDeviceOps;

/*
 * Where the device is: path, or NULL for $IOASIS_DEVICE or else /dev/iommu.
 * ops with its opaque, or NULL for the system calls. path is copied, ops and
 * opaque must outlive be. -EBUSY: be has users. -ENOMEM.
 */
int iommufd_backend_set_device(IOMMUFDBackend *be, const char *path,
			       const IOMMUFDDeviceOps *ops, void *opaque)
	IOASIS_SYMBOL(iommufd_backend_set_device);

typedef enum IOMMUFDReport {
	IOMMUFD_REPORT_WARNING, /* the caller can go on */
	IOMMUFD_REPORT_ERROR,
} IOMMUFDReport;

/*
 * What a call wants to say and cannot return: failures of map_dma, unmap_dma
 * and free_id. message is one line without a newline; it lives during the call.
 */
typedef void (*IOMMUFDReportFn)(void *opaque, IOMMUFDReport level, const char *message);

/* Sets the hook of be, NULL for silence (the default). */
void iommufd_backend_set_report_hook(IOMMUFDBackend *be, IOMMUFDReportFn hook, void *opaque)
	IOASIS_SYMBOL(iommufd_backend_set_report_hook);

/*
 * Finds an fd that was handed to the VMM under a name (a monitor's getfd,
 * systemd's LISTEN_FDNAMES). Returns the fd, or -1 when the name is unknown.
 */
typedef int (*IOMMUFDFdLookupFn)(void *opaque, const char *name);

/* Sets the hook of be, NULL for none (the default: numbers only). */
void iommufd_backend_set_fd_lookup(IOMMUFDBackend *be, IOMMUFDFdLookupFn lookup, void *opaque)
	IOASIS_SYMBOL(iommufd_backend_set_fd_lookup);

/*
 * A VMM that replaces itself by a new process while its devices go on (QEMU's CPR,
 * migration/cpr.c): the open device lives on under the backend's id. is_incoming:
 * this process takes over from another. find_fd: the descriptor that was saved
 * under name, or -1. save_fd: keeps fd for the next process. delete_fd: forgets it.
 * Called as hooks are, save_fd and delete_fd under the backend's lock.
 *
 * With it a first connect takes the saved descriptor before it opens one, and
 * iommufd_backend_map_file_dma() and iommufd_backend_unmap_dma() do nothing and
 * succeed while is_incoming: all is mapped as the old process left it.
 */
typedef struct IOMMUFDCprOps {
	bool (*is_incoming)(void *opaque);
	int (*find_fd)(void *opaque, const char *name);
	void (*save_fd)(void *opaque, const char *name, int fd);
	void (*delete_fd)(void *opaque, const char *name);
} IOMMUFDCprOps;

/* Sets it, NULL for none (the default). ops and opaque must outlive be. -EBUSY: be has users. */
int iommufd_backend_set_cpr(IOMMUFDBackend *be, const IOMMUFDCprOps *ops, void *opaque)
	IOASIS_SYMBOL(iommufd_backend_set_cpr);

/*
 * All properties are set (iommufd_registry_add() calls it). -ENOENT: the device that
 * the backend would open does not exist (asked only when it is reached by system
 * calls), or an fd was handed in and the old process saved none. In a live update a
 * handed-in fd is replaced by the saved one, else it is saved.
 */
int iommufd_backend_complete(IOMMUFDBackend *be, Error **errp)
	IOASIS_SYMBOL(iommufd_backend_complete);

/*
 * Opens the device at the first user (unless an fd was handed in), counts the
 * others. -E2BIG: UINT32_MAX users already. Else what open() gave.
 */
int iommufd_backend_connect(IOMMUFDBackend *be, Error **errp)
	IOASIS_SYMBOL(iommufd_backend_connect);

/* Gives a use back; closes an owned fd with the last. Harmless at zero users. */
void iommufd_backend_disconnect(IOMMUFDBackend *be) IOASIS_SYMBOL(iommufd_backend_disconnect);

/* ---- address spaces ------------------------------------------------------ */

/* Makes an I/O address space; its id is for iommufd_backend_free_id(). IOMMU_IOAS_ALLOC. */
int iommufd_backend_alloc_ioas(IOMMUFDBackend *be, uint32_t *ioas_id, Error **errp)
	IOASIS_SYMBOL(iommufd_backend_alloc_ioas);

/* Frees any object by its id. IOMMU_DESTROY; a failure is reported as an error. */
void iommufd_backend_free_id(IOMMUFDBackend *be, uint32_t id)
	IOASIS_SYMBOL(iommufd_backend_free_id);

/*
 * Maps size bytes at vaddr of this process at iova of address space ioas_id, for
 * devices to read and, unless readonly, to write. All three are multiples of
 * the IOMMU's page. The memory stays the caller's, and must stay mapped.
 * IOMMU_IOAS_MAP; -EFAULT is reported as a warning (a PCI BAR?), the rest as errors.
 */
int iommufd_backend_map_dma(IOMMUFDBackend *be, uint32_t ioas_id, hwaddr iova,
			    ram_addr_t size, void *vaddr, bool readonly)
	IOASIS_SYMBOL(iommufd_backend_map_dma);

/*
 * Maps size bytes of the memfd (or dma-buf) fd from byte start on. The kernel
 * keeps its own reference to the file. IOMMU_IOAS_MAP_FILE (Linux 6.13), reported as map_dma.
 */
int iommufd_backend_map_file_dma(IOMMUFDBackend *be, uint32_t ioas_id, hwaddr iova,
				 ram_addr_t size, int fd, unsigned long start, bool readonly)
	IOASIS_SYMBOL(iommufd_backend_map_file_dma);

/*
 * Unmaps the whole mappings inside [iova, iova + size). Nothing there (-ENOENT
 * of IOMMU_IOAS_UNMAP) is success, since vIOMMUs do that a lot; the trace has
 * an event of its own for it. Other failures are reported as errors.
 */
int iommufd_backend_unmap_dma(IOMMUFDBackend *be, uint32_t ioas_id, hwaddr iova,
			      ram_addr_t size)
	IOASIS_SYMBOL(iommufd_backend_unmap_dma);

/* ---- devices and page tables ---------------------------------------------- */

/*
 * Asks what IOMMU the device with id devid sits behind. type: enum
 * iommu_hw_info_type; goes in, too: which structure is wanted (Linux 6.17), or
 * IOMMU_HW_INFO_TYPE_DEFAULT (0) for the IOMMU's own. data: len bytes for the
 * structure (zero-filled beyond it), may be NULL with len 0. caps: enum
 * iommufd_hw_capabilities. max_pasid_log2: width of PASIDs in bits, 0 for none;
 * may be NULL. IOMMU_GET_HW_INFO.
 */
int iommufd_backend_get_device_info(IOMMUFDBackend *be, uint32_t devid, uint32_t *type,
				    void *data, uint32_t len, uint64_t *caps,
				    uint8_t *max_pasid_log2, Error **errp)
	IOASIS_SYMBOL(iommufd_backend_get_device_info);

/*
 * Makes a page table for device dev_id over pt_id (an address space, or for a
 * nested one its parent or a vIOMMU). flags: enum iommufd_hwpt_alloc_flags.
 * data_type: enum iommu_hwpt_data_type, with data_len bytes at data_ptr (NULL
 * for IOMMU_HWPT_DATA_NONE). IOMMU_HWPT_ALLOC.
 */
int iommufd_backend_alloc_hwpt(IOMMUFDBackend *be, uint32_t dev_id, uint32_t pt_id,
			       uint32_t flags, uint32_t data_type, uint32_t data_len,
			       void *data_ptr, uint32_t *out_hwpt, Error **errp)
	IOASIS_SYMBOL(iommufd_backend_alloc_hwpt);

/* Turns dirty tracking of a page table on or off. IOMMU_HWPT_SET_DIRTY_TRACKING. */
int iommufd_backend_set_dirty_tracking(IOMMUFDBackend *be, uint32_t hwpt_id, bool start,
				       Error **errp)
	IOASIS_SYMBOL(iommufd_backend_set_dirty_tracking);

/*
 * Sets in data the bit of each page_size bytes of [iova, iova + size) that a
 * device wrote since it was last asked; never clears one. data: one bit a page,
 * rounded up to 64. flags: enum iommufd_hwpt_get_dirty_bitmap_flags.
 * IOMMU_HWPT_GET_DIRTY_BITMAP.
 */
int iommufd_backend_get_dirty_bitmap(IOMMUFDBackend *be, uint32_t hwpt_id, uint64_t iova,
				     ram_addr_t size, uint64_t page_size, uint64_t *data,
				     uint64_t flags, Error **errp)
	IOASIS_SYMBOL(iommufd_backend_get_dirty_bitmap);

/*
 * Invalidates caches of the nested page table or vIOMMU id: *entry_num entries
 * of entry_len bytes each at data. *entry_num becomes how many were handled, on
 * failure too. IOMMU_HWPT_INVALIDATE; -EIO: the kernel said yes and handled fewer.
 */
int iommufd_backend_invalidate_cache(IOMMUFDBackend *be, uint32_t id, uint32_t data_type,
				     uint32_t entry_len, uint32_t *entry_num, void *data,
				     Error **errp)
	IOASIS_SYMBOL(iommufd_backend_invalidate_cache);

/* ---- virtual IOMMUs -------------------------------------------------------- */

/*
 * Makes a vIOMMU of viommu_type (enum iommu_viommu_type) over nesting parent hwpt_id.
 * data_ptr: data_len bytes that the type's driver reads and writes, NULL and 0 for
 * none. IOMMU_VIOMMU_ALLOC.
 */
int iommufd_backend_alloc_viommu(IOMMUFDBackend *be, uint32_t dev_id, uint32_t viommu_type,
				 uint32_t hwpt_id, void *data_ptr, uint32_t data_len,
				 uint32_t *out_viommu_id, Error **errp)
	IOASIS_SYMBOL(iommufd_backend_alloc_viommu);

/* Makes device dev_id known to vIOMMU viommu_id as virt_id. IOMMU_VDEVICE_ALLOC. */
int iommufd_backend_alloc_vdev(IOMMUFDBackend *be, uint32_t dev_id, uint32_t viommu_id,
			       uint64_t virt_id, uint32_t *out_vdev_id, Error **errp)
	IOASIS_SYMBOL(iommufd_backend_alloc_vdev);

/*
 * Makes a queue of depth events of type (enum iommu_veventq_type) for a vIOMMU.
 * *out_veventq_fd is read for events; the caller owns and closes it.
 * IOMMU_VEVENTQ_ALLOC.
 */
int iommufd_backend_alloc_veventq(IOMMUFDBackend *be, uint32_t viommu_id, uint32_t type,
				  uint32_t depth, uint32_t *out_veventq_id,
				  uint32_t *out_veventq_fd, Error **errp)
	IOASIS_SYMBOL(iommufd_backend_alloc_veventq);

/*
 * Makes a queue that the hardware reads without the VMM: queue_type (enum
 * iommu_hw_queue_type), number index of the vIOMMU; its memory is the length bytes
 * at addr of the guest, which stay pinned while it lives. IOMMU_HW_QUEUE_ALLOC (Linux 6.17).
 */
int iommufd_backend_alloc_hw_queue(IOMMUFDBackend *be, uint32_t viommu_id, uint32_t queue_type,
				   uint32_t index, uint64_t addr, uint64_t length,
				   uint32_t *out_hw_queue_id, Error **errp)
	IOASIS_SYMBOL(iommufd_backend_alloc_hw_queue);

/*
 * Maps size bytes of the vIOMMU's registers at offset of the device, which the
 * vIOMMU's data told: shared, readable and writable. The caller ends it with munmap().
 * Errors are mmap()'s of the device: -ENXIO: there is nothing at offset.
 */
int iommufd_backend_viommu_mmap(IOMMUFDBackend *be, uint32_t viommu_id, uint64_t size,
				off_t offset, void **out_ptr, Error **errp)
	IOASIS_SYMBOL(iommufd_backend_viommu_mmap);

/* ---- devices of VFIO --------------------------------------------------------- */

/* The DMA of a device that carries no PASID. */
#define IOMMUFD_NO_PASID 0

/*
 * Attaches the VFIO device open at device_fd, or its PASID, to pt_id: an address
 * space or a page table. The device is bound to this backend. Replaces what was
 * attached. VFIO_DEVICE_ATTACH_IOMMUFD_PT.
 */
int iommufd_backend_attach_device(IOMMUFDBackend *be, int device_fd, uint32_t pasid,
				  uint32_t pt_id, Error **errp)
	IOASIS_SYMBOL(iommufd_backend_attach_device);

/* Detaches the device, or its PASID. VFIO_DEVICE_DETACH_IOMMUFD_PT. */
int iommufd_backend_detach_device(IOMMUFDBackend *be, int device_fd, uint32_t pasid, Error **errp)
	IOASIS_SYMBOL(iommufd_backend_detach_device);

/* ---- live update of the VMM -------------------------------------------------- */

/*
 * Whether the device knows IOMMU_IOAS_CHANGE_PROCESS. Moves nothing while this
 * process is the one that mapped.
 */
bool iommufd_change_process_capable(IOMMUFDBackend *be)
	IOASIS_SYMBOL(iommufd_change_process_capable);

/* Moves the accounting of the mapped memory to this process. IOMMU_IOAS_CHANGE_PROCESS. */
int iommufd_change_process(IOMMUFDBackend *be, Error **errp) IOASIS_SYMBOL(iommufd_change_process);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
