/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IOEVENTFD: an eventfd that writes a register when it is signalled (vfio_pci_ioeventfd()). */
#include "sim/vfio/eventfd.h"
#include "sim/vfio/internal.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <unistd.h>

#define IOEVENTFDS_MAX 1000u

struct vfio_ioeventfd {
	struct vfio_device *device;
	unsigned int bar, bytes;
	uint64_t offset, data;
	struct vfio_watched *watched;
	struct vfio_ioeventfd *next;
};

static void run(void *opaque)
{
	struct vfio_ioeventfd *ioeventfd = opaque;
	uint64_t at = (uint64_t)ioeventfd->bar << SIM_VFIO_OFFSET_SHIFT | ioeventfd->offset;

	vfio_region_access(ioeventfd->device, &ioeventfd->data, ioeventfd->bytes, at, true);
}

/* The link to the one that does just this, or the last link. */
static struct vfio_ioeventfd **find(struct vfio_device *device,
				    const struct vfio_ioeventfd *wanted)
{
	struct vfio_ioeventfd **link = &device->ioeventfds;

	while (*link && ((*link)->bar != wanted->bar || (*link)->offset != wanted->offset ||
			 (*link)->data != wanted->data || (*link)->bytes != wanted->bytes))
		link = &(*link)->next;
	return link;
}

/* Takes over fd. With the lock held. */
static long add(struct vfio_device *device, const struct vfio_ioeventfd *wanted, int fd)
{
	struct vfio_ioeventfd *made = malloc(sizeof(*made));

	if (!made) {
		close(fd);
		return -ENOMEM;
	}
	*made = *wanted;
	made->watched = vfio_watch_add(device->watch, fd, run, made);
	if (!made->watched) {
		free(made);
		return -ENOMEM;
	}
	made->next = device->ioeventfds;
	device->ioeventfds = made;
	device->ioeventfds_count++;
	return 0;
}

/* Takes the one out that *link points at. One that does not end keeps its memory. */
static void drop(struct vfio_device *device, struct vfio_ioeventfd **link)
{
	struct vfio_ioeventfd *gone = *link;

	*link = gone->next;
	device->ioeventfds_count--;
	if (vfio_watch_remove(gone->watched))
		free(gone);
}

static bool is_in_msix_table(const struct vfio_device *device, const struct vfio_ioeventfd *one)
{
	const struct pci_description *description = pci_function_description(device->function);
	uint64_t end = description->msix_table +
		       (uint64_t)description->msix * PCI_MSIX_ENTRY_SIZE;

	return description->msix && description->msix_bar == one->bar &&
	       one->offset + one->bytes > description->msix_table && one->offset < end;
}

long vfio_ioeventfd(struct vfio_device *device, const struct engine_client *client, uint64_t arg)
{
	struct vfio_ioeventfd wanted = { .device = device }, **link;
	struct sim_vfio_ioeventfd in;
	uint32_t index;
	int fd = -1;
	long rc;

	if (client->ops->copy_in(client, &in, arg, SIM_VFIO_IOEVENTFD_MIN))
		return -EFAULT;
	if (in.argsz < SIM_VFIO_IOEVENTFD_MIN || in.flags & ~SIM_VFIO_IOEVENTFD_SIZES ||
	    __builtin_popcount(in.flags) != 1 || in.fd < -1)
		return -EINVAL;
	index = (uint32_t)(in.offset >> SIM_VFIO_OFFSET_SHIFT);
	if (in.offset >> SIM_VFIO_OFFSET_SHIFT > SIM_VFIO_BAR5)
		return -EINVAL;
	wanted.bar = index;
	wanted.offset = in.offset & ((1ull << SIM_VFIO_OFFSET_SHIFT) - 1);
	wanted.data = in.data;
	wanted.bytes = in.flags;
	if (wanted.offset + wanted.bytes > vfio_region_bytes(device, index) ||
	    is_in_msix_table(device, &wanted) ||
	    (wanted.bytes == 8 && !vfio_changed(device, VFIO_CHANGE_WIDE_IOEVENTFD)))
		return -EINVAL;
	if (in.fd >= 0) {
		fd = device->env.fd_get(device->env.opaque, client, in.fd);
		if (fd >= 0 && !vfio_eventfd_is(fd)) {
			close(fd);
			fd = -EINVAL;
		}
	}

	pthread_mutex_lock(&device->ioeventfds_lock);
	link = find(device, &wanted);
	if (*link && in.fd == -1) {
		drop(device, link);
		rc = 0;
	} else if (*link) {
		rc = -EEXIST;
	} else if (in.fd < 0) {
		rc = -ENODEV;
	} else if (device->ioeventfds_count >= IOEVENTFDS_MAX) {
		rc = -ENOSPC;
	} else if (fd < 0) {
		rc = fd;
	} else {
		rc = add(device, &wanted, fd);
		fd = -1;
	}
	pthread_mutex_unlock(&device->ioeventfds_lock);
	if (fd >= 0)
		close(fd);
	return rc;
}

void vfio_ioeventfds_end(struct vfio_device *device)
{
	pthread_mutex_lock(&device->ioeventfds_lock);
	while (device->ioeventfds)
		drop(device, &device->ioeventfds);
	pthread_mutex_unlock(&device->ioeventfds_lock);
}
