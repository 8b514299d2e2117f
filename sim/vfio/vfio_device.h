/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A simulated VFIO device: the file /dev/vfio/devices/vfioN of a PCI function.
 *
 * It answers as the kernel's VFIO does (drivers/vfio/vfio_main.c, device_cdev.c,
 * pci/vfio_pci_core.c, Linux 7.2): nothing but BIND before BIND, then attach, detach,
 * regions, interrupts by eventfd, and DMA that goes through the page table it is
 * attached to. Regions are read and written, not mapped.
 *
 * Threads: everything may be called from any thread.
 */
#ifndef IOASIS_SIM_VFIO_DEVICE_H
#define IOASIS_SIM_VFIO_DEVICE_H

#include "sim/engine/engine.h"
#include "sim/pci/pci_bus.h"

/* What a device needs of the process that calls, besides engine_client. */
struct vfio_device_env {
	/*
	 * The open /dev/iommu behind fd of the client: a reference until ctx_put(), or
	 * NULL and *err -EBADF (no file) or -EBADFD (another file).
	 */
	struct engine_ctx *(*ctx_get)(void *opaque, const struct engine_client *client, int fd,
				      int *err);
	void (*ctx_put)(void *opaque, struct engine_ctx *ctx);
	/* fd of the client as a file of this process, to be closed; or -EBADF. */
	int (*fd_get)(void *opaque, const struct engine_client *client, int fd);
	void *opaque;
};

struct vfio_device;
struct vfio_file;

/* NULL: out of memory. env is copied; the slot and its function outlive the device. */
struct vfio_device *vfio_device_create(const struct pci_slot *slot,
				       const struct vfio_device_env *env);
/*
 * Ends what the function does by itself; no call may follow but destroy. False: it waits
 * for memory that does not answer, and neither the device nor the function may go.
 */
bool vfio_device_stop(struct vfio_device *device);
/* Stopped, and no file is open. */
void vfio_device_destroy(struct vfio_device *device);

/* An open of the device's file; NULL: out of memory. */
struct vfio_file *vfio_file_open(struct vfio_device *device);
/* The last close: unbinds. */
void vfio_file_release(struct vfio_file *file);

/* What the system calls of these names give: 0, bytes, or -errno. */
long vfio_file_ioctl(struct vfio_file *file, const struct engine_client *client, unsigned int cmd,
		     uint64_t arg);
ssize_t vfio_file_read(struct vfio_file *file, void *buf, size_t length, uint64_t offset);
ssize_t vfio_file_write(struct vfio_file *file, const void *buf, size_t length, uint64_t offset);

#endif
