/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The iommufd backend: one open /dev/iommu, shared by the subsystems of a VMM.
 *
 * Names, arguments and behaviour are those of QEMU (backends/iommufd.c,
 * include/sysemu/iommufd.h as first published in QEMU 9.0), so that code moves
 * between both. Every function that can fail returns 0 or a negative errno and,
 * where it takes `errp`, sets it exactly when it returns an error.
 *
 * Any function may be called from any thread. The functions never print;
 * warnings go to the hook of iommufd_backend_set_warn_hook().
 */
#ifndef IOASIS_IOMMUFD_BACKEND_H
#define IOASIS_IOMMUFD_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ioasis/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t hwaddr;     /* an address of the guest or of a device */
typedef uint64_t ram_addr_t; /* a size or an offset in guest RAM, in bytes */

typedef struct IOMMUFDBackend IOMMUFDBackend;

/*
 * How a backend reaches its device. Each function returns what the system call
 * of its name returns, with errno set on -1. NULL members are not allowed.
 * opaque is the pointer given along with the table.
 */
typedef struct IOMMUFDDeviceOps {
	int (*open)(void *opaque, const char *path, int flags);
	int (*ioctl)(void *opaque, int fd, unsigned long request, void *arg);
	int (*close)(void *opaque, int fd);
} IOMMUFDDeviceOps;

/*
 * Makes a backend with no fd and no users. id names it in messages and is
 * copied; NULL means unnamed. NULL only when out of memory. The caller owns it
 * and ends it with iommufd_backend_delete().
 */
IOMMUFDBackend *iommufd_backend_new(const char *id);

/*
 * Deletes be; closes the fd only if the backend owns it. -EBUSY and errp set
 * while it has users (backend can_be_deleted in QEMU); be lives on then.
 */
int iommufd_backend_delete(IOMMUFDBackend *be, Error **errp);

/* True when be has no users (iommufd_backend_can_be_deleted in QEMU). */
bool iommufd_backend_can_be_deleted(IOMMUFDBackend *be);

/*
 * Hands in an open /dev/iommu, by number ("9") or by a name that the hook of
 * iommufd_backend_set_fd_lookup() knows. The backend uses the fd and never closes it.
 * -EINVAL: not a number from 0 to INT_MAX and not a known name. -EBUSY: be has users.
 */
int iommufd_backend_set_fd(IOMMUFDBackend *be, const char *str, Error **errp);

/* The present state. fd is -1 when none is open. id may be NULL. */
int iommufd_backend_get_fd(IOMMUFDBackend *be);
bool iommufd_backend_is_owned(IOMMUFDBackend *be);
uint32_t iommufd_backend_get_users(IOMMUFDBackend *be);
const char *iommufd_backend_get_id(IOMMUFDBackend *be);

/* Opens the device at the first user, counts the others. -E2BIG at UINT32_MAX users. */
int iommufd_backend_connect(IOMMUFDBackend *be, Error **errp);

/* Gives a use back; closes an owned fd with the last. Harmless at zero users. */
void iommufd_backend_disconnect(IOMMUFDBackend *be);

/* Makes an address space and stores its id in *ioas_id. */
int iommufd_backend_alloc_ioas(IOMMUFDBackend *be, uint32_t *ioas_id, Error **errp);

/* Frees any object by its id; a failure is a warning. */
void iommufd_backend_free_id(IOMMUFDBackend *be, uint32_t id);

/*
 * Maps size bytes at vaddr of this process at iova, readonly or not.
 * Returns 0 or -errno of IOMMU_IOAS_MAP. -EFAULT is a warning too (a PCI BAR?).
 */
int iommufd_backend_map_dma(IOMMUFDBackend *be, uint32_t ioas_id, hwaddr iova,
			    ram_addr_t size, void *vaddr, bool readonly);

/* Unmaps; nothing mapped there (-ENOENT) is success, with a trace event of its own. */
int iommufd_backend_unmap_dma(IOMMUFDBackend *be, uint32_t ioas_id, hwaddr iova,
			      ram_addr_t size);

/*
 * Where the device is: path, or NULL for $IOASIS_DEVICE or else /dev/iommu.
 * ops with its opaque, or NULL for the system calls. Both are for be alone;
 * call before the first connect. path is copied, ops must outlive be.
 */
int iommufd_backend_set_device(IOMMUFDBackend *be, const char *path,
			       const IOMMUFDDeviceOps *ops, void *opaque);

#ifdef __cplusplus
}
#endif

#endif
