/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of BARs as dma-bufs: VFIO_DEVICE_FEATURE_DMA_BUF, and their end when the function
 * does not decode memory. Source: drivers/vfio/pci/vfio_pci_dmabuf.c, Linux 7.3.
 */
#include "sim/vfio/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u
#define RANGES_MAX (4u << 20 >> 4) /* the kernel's largest allocation holds them */

struct vfio_dmabuf {
	struct vfio_device *device;
	struct engine_dmabuf *dmabuf;
	uint32_t bar, ranges_count;
	struct sim_vfio_dma_range *ranges; /* owned */
	struct vfio_dmabuf *next, **link;  /* in the device's list */
};

/* DMA of some device to [offset, +length) of the dma-buf. */
static int dmabuf_access(void *opaque, uint64_t offset, void *buf, size_t length, bool write)
{
	struct vfio_dmabuf *dmabuf = opaque;
	uint8_t *at = buf;

	for (uint32_t i = 0; i < dmabuf->ranges_count && length; i++) {
		const struct sim_vfio_dma_range *range = &dmabuf->ranges[i];
		uint64_t n;

		if (offset >= range->length) {
			offset -= range->length;
			continue;
		}
		n = range->length - offset < length ? range->length - offset : length;
		if (pci_function_peer_access(dmabuf->device->function, dmabuf->bar,
					     range->offset + offset, at, (size_t)n, write))
			return -EFAULT;
		at += n;
		length -= (size_t)n;
		offset = 0;
	}
	return length ? -EFAULT : 0;
}

static void dmabuf_gone(void *opaque)
{
	struct vfio_dmabuf *dmabuf = opaque;
	struct vfio_device *device = dmabuf->device;

	pthread_mutex_lock(&device->dmabufs_lock);
	if (dmabuf->link) {
		*dmabuf->link = dmabuf->next;
		if (dmabuf->next)
			dmabuf->next->link = dmabuf->link;
	}
	pthread_mutex_unlock(&device->dmabufs_lock);
	free(dmabuf->ranges);
	free(dmabuf);
}

/* validate_dmabuf_input(), vfio_pci_core_fill_phys_vec() */
static int check_ranges(const struct sim_vfio_dma_range *ranges, uint32_t count, uint64_t bytes,
			uint64_t *size)
{
	*size = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (!ranges[i].length || ranges[i].offset % PAGE || ranges[i].length % PAGE ||
		    __builtin_add_overflow(*size, ranges[i].length, size) || *size >> 63)
			return -EINVAL;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint64_t end;

		if (__builtin_add_overflow(ranges[i].offset, ranges[i].length, &end))
			return -EOVERFLOW;
		if (end > bytes)
			return -EINVAL;
	}
	return 0;
}

/* Takes over the ranges. NULL: out of memory. */
static struct vfio_dmabuf *dmabuf_create(struct vfio_device *device, uint32_t bar,
					 struct sim_vfio_dma_range *ranges, uint32_t count,
					 uint64_t size)
{
	struct vfio_dmabuf *dmabuf = calloc(1, sizeof(*dmabuf));
	struct engine_dmabuf_config config = {
		.size = size,
		.ranges = count,
		.access = dmabuf_access,
		.gone = dmabuf_gone,
		.opaque = dmabuf,
	};

	if (!dmabuf) {
		free(ranges);
		return NULL;
	}
	*dmabuf = (struct vfio_dmabuf){ .device = device, .bar = bar, .ranges = ranges,
					.ranges_count = count };
	dmabuf->dmabuf = engine_dmabuf_create(device->ctx, &config);
	if (!dmabuf->dmabuf) {
		free(ranges);
		free(dmabuf);
		return NULL;
	}
	pthread_mutex_lock(&device->dmabufs_lock);
	engine_dmabuf_revoke(dmabuf->dmabuf, !pci_function_memory_enabled(device->function));
	dmabuf->next = device->dmabufs;
	if (dmabuf->next)
		dmabuf->next->link = &dmabuf->next;
	dmabuf->link = &device->dmabufs;
	device->dmabufs = dmabuf;
	pthread_mutex_unlock(&device->dmabufs_lock);
	return dmabuf;
}

long vfio_feature_dma_buf(const struct vfio_feature_call *call)
{
	const struct engine_client *client = call->client;
	struct vfio_device *device = call->device;
	struct sim_vfio_dma_range *ranges;
	struct sim_vfio_dma_buf in;
	struct vfio_dmabuf *dmabuf;
	uint64_t size;
	long rc;

	rc = vfio_feature_check(call, SIM_VFIO_FEATURE_GET, sizeof(in));
	if (rc != 1)
		return rc;
	if (client->ops->copy_in(client, &in, call->arg, sizeof(in)))
		return -EFAULT;
	if (!in.nr_ranges || in.flags)
		return -EINVAL;
	if (in.region_index > SIM_VFIO_BAR5 || !vfio_region_bytes(device, in.region_index))
		return -ENODEV;
	if (in.nr_ranges > RANGES_MAX)
		return -ENOMEM;
	ranges = calloc(in.nr_ranges, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	if (client->ops->copy_in(client, ranges, call->arg + sizeof(in),
				 in.nr_ranges * sizeof(*ranges))) {
		free(ranges);
		return -EFAULT;
	}
	rc = check_ranges(ranges, in.nr_ranges, vfio_region_bytes(device, in.region_index), &size);
	if (rc) {
		free(ranges);
		return rc;
	}
	dmabuf = dmabuf_create(device, in.region_index, ranges, in.nr_ranges, size);
	if (!dmabuf)
		return -ENOMEM;
	rc = -EMFILE;
	if (client->ops->fd_install)
		rc = client->ops->fd_install(client, engine_dmabuf_file(dmabuf->dmabuf),
					     (int)(in.open_flags & (O_CLOEXEC | O_ACCMODE)));
	if (rc < 0)
		engine_dmabuf_put(dmabuf->dmabuf);
	return rc;
}

static void set_revoked(struct vfio_device *device, bool revoked)
{
	pthread_mutex_lock(&device->dmabufs_lock);
	for (struct vfio_dmabuf *dmabuf = device->dmabufs; dmabuf; dmabuf = dmabuf->next)
		engine_dmabuf_revoke(dmabuf->dmabuf, revoked);
	pthread_mutex_unlock(&device->dmabufs_lock);
}

void vfio_dmabufs_revoke(struct vfio_device *device)
{
	set_revoked(device, true);
}

void vfio_dmabufs_update(struct vfio_device *device)
{
	set_revoked(device, !pci_function_memory_enabled(device->function));
}

void vfio_dmabufs_end(struct vfio_device *device)
{
	pthread_mutex_lock(&device->dmabufs_lock);
	while (device->dmabufs) {
		struct vfio_dmabuf *dmabuf = device->dmabufs;

		engine_dmabuf_revoke(dmabuf->dmabuf, true);
		device->dmabufs = dmabuf->next;
		dmabuf->link = NULL;
		dmabuf->next = NULL;
	}
	pthread_mutex_unlock(&device->dmabufs_lock);
}
