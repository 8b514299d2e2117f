/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A simulated VFIO device: the file /dev/vfio/devices/vfioN of a PCI function, or what
 * GROUP_GET_DEVICE_FD of its group gives.
 *
 * It answers as the kernel's vfio-pci does (drivers/vfio/vfio_main.c, device_cdev.c,
 * group.c, pci/vfio_pci_core.c, Linux 7.3): nothing but BIND before BIND, then attach,
 * detach, regions, interrupts by eventfd, features, resets, and DMA that goes through the
 * page table it is attached to.
 *
 * Threads: everything may be called from any thread. A client's memory is read and
 * written with no lock held, so memory that does not answer keeps its own call waiting
 * and nobody else's.
 */
#ifndef IOASIS_SIM_VFIO_DEVICE_H
#define IOASIS_SIM_VFIO_DEVICE_H

#include "sim/engine/engine.h"
#include "sim/pci/pci_bus.h"

struct vfio_device;
struct vfio_file;

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
	/*
	 * A file of this process, to be closed, of which the memory is [*offset, +length), and
	 * which may be written with write; -1: there is none. NULL: never.
	 */
	int (*memory_file)(void *opaque, const struct engine_memory *memory, uint64_t length,
			   bool write, uint64_t *offset);
	/*
	 * The group whose file fd of the client is, for a hot reset: 0, -EBADF, or -EINVAL
	 * (another file). NULL: there are no groups.
	 */
	int (*group_of_fd)(void *opaque, const struct engine_client *client, int fd,
			   uint32_t *group);
	/*
	 * Around BIND and as long as it lasts: 0, or -EBUSY (the device's group is open).
	 * NULL: there are no groups.
	 */
	int (*block_group)(void *opaque, struct vfio_device *device);
	void (*unblock_group)(void *opaque, struct vfio_device *device);
	/* Whether the process has ended, or runs another program; for the trace. NULL: never. */
	bool (*is_gone)(void *opaque, uint32_t pid);
	/*
	 * pci_command_mishap() of the device at that address. From any thread. NULL: nothing
	 * goes wrong.
	 */
	void (*mishap)(void *opaque, uint32_t address, const struct pci_command *command,
		       struct pci_mishap *mishap);
	void *opaque;
	struct trace *trace; /* where events go; NULL: nowhere */
	const struct engine_iommu *iommu; /* what the device's IOMMU can do; outlives it */
	uint32_t linux_version;		  /* ENGINE_LINUX() */
};

/*
 * NULL: out of memory. env is copied; the slot, whose driver_data the device becomes, and
 * its function outlive it.
 */
struct vfio_device *vfio_device_create(struct pci_slot *slot, const struct vfio_device_env *env);
/*
 * Ends what the function does by itself; no call may follow but destroy. False: it waits
 * for memory that does not answer, and neither the device nor the function may go.
 */
bool vfio_device_stop(struct vfio_device *device);
/* Stopped, and no file is open. */
void vfio_device_destroy(struct vfio_device *device);

const struct pci_slot *vfio_device_slot(const struct vfio_device *device);
/* How many files may use it now: bound, or opened by the group. */
unsigned int vfio_device_opens(struct vfio_device *device);
/* Its driver wants it back: tells the client by its REQ interrupt. */
void vfio_device_request(struct vfio_device *device);
/* What sysfs `reset` does: 0, or -ENOTTY: it cannot be reset. */
int vfio_device_reset(struct vfio_device *device);

/*
 * An open of the device's file. NULL with *err: -EPERM (a device without an IOMMU needs
 * CAP_SYS_RAWIO), -ENOMEM.
 */
struct vfio_file *vfio_file_open(struct vfio_device *device, const struct engine_client *client,
				 int *err);
/*
 * A file by the device's group, which may use it at once: bound to ctx, and attached to
 * its compatibility address space, by the first that is open. One without an IOMMU is bound
 * to nothing; ctx may have no such space then. Takes over a reference of ctx as ctx_get()
 * gives it, also on failure. NULL with *err: -EPERM, -EBUSY, -EINVAL (open by its own
 * file), -ENODEV (no address space), -ENOMEM, ...
 */
struct vfio_file *vfio_file_open_group(struct vfio_device *device,
				       const struct engine_client *client, struct engine_ctx *ctx,
				       int *err);
/* A descriptor of it is closed, maybe the last: before close() returns. May be left out. */
void vfio_file_flush(struct vfio_file *file);
/* The last close: unbinds. */
void vfio_file_release(struct vfio_file *file);

/* What the system calls of these names give: 0, bytes, or -errno. */
long vfio_file_ioctl(struct vfio_file *file, const struct engine_client *client, unsigned int cmd,
		     uint64_t arg);
ssize_t vfio_file_read(struct vfio_file *file, void *buf, size_t length, uint64_t offset);
ssize_t vfio_file_write(struct vfio_file *file, const void *buf, size_t length, uint64_t offset);

/*
 * mmap: 0 with a memfd, borrowed from the device, to map at *fd_offset instead; or
 * -EINVAL. length: whole pages. The memfd has no bytes while memory is not decoded, so
 * touching it raises SIGBUS.
 */
int vfio_file_mmap(struct vfio_file *file, uint64_t offset, uint64_t length, bool shared,
		   int *fd, uint64_t *fd_offset);

#endif
