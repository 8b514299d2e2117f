/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Simulated VFIO devices on an engine_rig, without a file system between. */
#ifndef IOASIS_TESTS_VFIO_RIG_H
#define IOASIS_TESTS_VFIO_RIG_H

#include "sim/vfio/abi.h"
#include "sim/vfio/vfio_device.h"
#include "tests/unit/engine_rig.h"

#define VFIO_RIG_DEVICES 4u
#define VFIO_RIG_IOMMUFD 100 /* what the client calls the open /dev/iommu */
#define VFIO_RIG_OTHER 101   /* another open of it */

struct vfio_rig {
	struct rig base;
	struct engine_ctx *other; /* VFIO_RIG_OTHER */
	struct pci_bus *bus;
	struct engine_iommu iommu;
	unsigned int count;
	struct vfio_device *devices[VFIO_RIG_DEVICES];
	struct vfio_file *files[VFIO_RIG_DEVICES]; /* one open of each */
	unsigned int ctx_refs;
	uint32_t ioas; /* of vfio_rig_attach() */
};

/* Devices as --device says, NULL ends them; each open, none bound. */
struct vfio_rig *vfio_rig_create(const char *const *specs);
/* Of an older kernel, ENGINE_LINUX(). */
struct vfio_rig *vfio_rig_create_at(const char *const *specs, uint32_t linux_version);
void vfio_rig_destroy(struct vfio_rig *rig);

/* An ioctl of the device's open file. arg may be NULL. */
long vfio_rig_ioctl(struct vfio_rig *rig, unsigned int device, unsigned int cmd, void *arg);
/* BIND to an iommufd; its result. */
long vfio_rig_bind(struct vfio_rig *rig, unsigned int device, int iommufd);
/* Binds, attaches to rig->ioas (made at first), lets it be a bus master. */
void vfio_rig_attach(struct vfio_rig *rig, unsigned int device);
/* Unbinds it by the last close, and opens it anew. */
void vfio_rig_reopen(struct vfio_rig *rig, unsigned int device);

/* Reads and writes of a region; they must go. */
uint64_t vfio_rig_read(struct vfio_rig *rig, unsigned int device, unsigned int region,
		       uint64_t offset, unsigned int size);
void vfio_rig_write(struct vfio_rig *rig, unsigned int device, unsigned int region,
		    uint64_t offset, uint64_t value, unsigned int size);
/* What the system calls give, with 8 bytes of buffer. */
long vfio_rig_try_read(struct vfio_rig *rig, unsigned int device, unsigned int region,
		       uint64_t offset, size_t length);

/* SET_IRQS with an array of fds, or of bytes. */
long vfio_rig_irqs(struct vfio_rig *rig, unsigned int device, uint32_t index, uint32_t flags,
		   uint32_t start, uint32_t count, const void *data);

/* DEVICE_FEATURE with size bytes of data in and out. */
long vfio_rig_feature(struct vfio_rig *rig, unsigned int device, uint32_t flags, void *data,
		      uint32_t size);

/* What an eventfd has counted, and takes it; waits up to 5 s for the first when wait is set. */
uint64_t vfio_rig_count(int eventfd, bool wait);

/* Polls up to 5 s until a register of region 0 has this value. */
bool vfio_rig_await(struct vfio_rig *rig, unsigned int device, uint64_t offset, uint64_t value);

#endif
