/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An IOMMU group as VFIO shows it: the file /dev/vfio/N, the older way to a device.
 *
 * A group is given a container, which is an iommufd whose address space for VFIO's calls
 * its devices are attached to; then it gives out open files of its devices, which work
 * without BIND. The group of a device without an IOMMU has that one device; its container
 * has no such address space. Source: drivers/vfio/group.c, Linux 7.3.
 *
 * Threads: everything may be called from any thread.
 */
#ifndef IOASIS_SIM_VFIO_GROUP_H
#define IOASIS_SIM_VFIO_GROUP_H

#include "sim/vfio/vfio_device.h"

#include <sys/ioctl.h>

struct vfio_group;

/* VFIO_GROUP_GET_DEVICE_FD, whose answer is a file: see vfio_group_device_open(). */
#define VFIO_GROUP_CALL_GET_DEVICE_FD _IO(';', 106)

/*
 * NULL: out of memory. env is copied; ctx_again(env.opaque, ctx) takes another reference of
 * one that env.ctx_get gave.
 */
struct vfio_group *vfio_group_create(const struct vfio_device_env *env,
				     void (*ctx_again)(void *opaque, struct engine_ctx *ctx));
/* It is not open. */
void vfio_group_destroy(struct vfio_group *group);

/* A device of it, borrowed; name: its BDF. Before the first open. 0 or -ENOMEM. */
int vfio_group_add(struct vfio_group *group, struct vfio_device *device, const char *name);

/*
 * open(): 0; -EPERM: its device has no IOMMU and the caller no CAP_SYS_RAWIO; or -EBUSY when
 * it is open, or one of its devices is bound by its own file.
 */
int vfio_group_open(struct vfio_group *group, const struct engine_client *client);
/* The last close: the container is given back. Devices that it gave out stay. */
void vfio_group_release(struct vfio_group *group);

/*
 * A device's own file is about to be bound: -EBUSY while the group is open, else 0, and
 * the group cannot be opened until vfio_group_unblock(). Of a device that is in it.
 */
int vfio_group_block(struct vfio_group *group);
void vfio_group_unblock(struct vfio_group *group);

/* What ioctl() gives: 0 or -errno. -EMFILE for GET_DEVICE_FD. */
long vfio_group_ioctl(struct vfio_group *group, const struct engine_client *client,
		      unsigned int cmd, uint64_t arg);

/*
 * GET_DEVICE_FD up to the file: an open file of the device that arg names, to be handed
 * to the client or released; NULL and *err.
 */
struct vfio_file *vfio_group_device_open(struct vfio_group *group,
					 const struct engine_client *client, uint64_t arg,
					 int *err);

#endif
