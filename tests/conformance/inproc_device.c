/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/conformance/inproc_device.h"

#include <stdlib.h>

#include "sim/inproc/inproc.h"

static struct inproc *device;
static uint32_t linux_version;

void inproc_device_linux(unsigned int major, unsigned int minor)
{
	linux_version = ENGINE_LINUX(major, minor);
}

int inproc_device_open(bool test_ops)
{
	struct engine_config config = {
		.linux_version = linux_version,
		.test_ops = test_ops,
	};

	if (!device)
		device = inproc_create(&config, INPROC_MEMORY_SELF);
	if (!device)
		abort();
	return inproc_open(device);
}

int inproc_device_ioctl(int fd, unsigned int cmd, void *arg)
{
	return inproc_ioctl(device, fd, cmd, arg);
}

void inproc_device_close(int fd)
{
	inproc_close(device, fd);
}
