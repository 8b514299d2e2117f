/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/scripted_device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static void count(uint32_t *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static int scripted_open(void *opaque, const char *path, int flags)
{
	struct scripted_device *device = opaque;

	count(&device->opens);
	snprintf(device->path, sizeof(device->path), "%s", path);
	device->open_flags = flags;
	errno = device->open_errno;
	return device->open_errno ? -1 : SCRIPTED_FD;
}

static int scripted_ioctl(void *opaque, int fd, unsigned long request, void *arg)
{
	struct scripted_device *device = opaque;
	uint32_t size;

	count(&device->ioctls);
	memcpy(&size, arg, sizeof(size));
	device->ioctl_fd = fd;
	device->request = request;
	memcpy(device->arg, arg, size < SCRIPTED_ARG_SIZE ? size : SCRIPTED_ARG_SIZE);
	if (device->answer)
		memcpy((char *)arg + 4, device->answer, device->answer_size);
	errno = device->ioctl_errno;
	return device->ioctl_errno ? -1 : 0;
}

static int scripted_close(void *opaque, int fd)
{
	struct scripted_device *device = opaque;

	count(&device->closes);
	device->closed_fd = fd;
	return 0;
}

static void *scripted_mmap(void *opaque, int fd, uint64_t size, uint64_t offset)
{
	struct scripted_device *device = opaque;

	device->ioctl_fd = fd;
	device->mmap_size = size;
	device->mmap_offset = offset;
	errno = device->ioctl_errno;
	return device->ioctl_errno ? MAP_FAILED : device->memory;
}

const IOMMUFDDeviceOps scripted_ops = {
	.open = scripted_open,
	.ioctl = scripted_ioctl,
	.close = scripted_close,
	.mmap = scripted_mmap,
};

static void scripted_report(void *opaque, IOMMUFDReport level, const char *message)
{
	struct scripted_device *device = opaque;

	device->reports++;
	device->report_level = level;
	snprintf(device->report, sizeof(device->report), "%s", message);
}

IOMMUFDBackend *scripted_backend(struct scripted_device *device)
{
	IOMMUFDBackend *be = iommufd_backend_new("i0");

	memset(device, 0, sizeof(*device));
	iommufd_backend_set_device(be, NULL, &scripted_ops, device);
	iommufd_backend_set_report_hook(be, scripted_report, device);
	return be;
}
