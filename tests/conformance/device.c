/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/conformance/device.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <ioasis/iommufd_abi.h>
#include "tests/conformance/inproc_device.h"

#define RW (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)

static const char *device_path(void)
{
	const char *path = getenv("CONFORMANCE_DEVICE");

	return path && strcmp(path, "inproc") ? path : NULL;
}

bool device_has_test_ops(void)
{
	const char *value = getenv("CONFORMANCE_TEST_OPS");

	return value && !strcmp(value, "1");
}

int device_open(void)
{
	const char *path = device_path();
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : inproc_device_open(device_has_test_ops());

	if (fd < 0)
		fail_msg("cannot open %s: %s", path ? path : "inproc", strerror(errno));
	return fd;
}

void device_close(int fd)
{
	if (device_path())
		close(fd);
	else
		inproc_device_close(fd);
}

long device_ioctl(int fd, unsigned int cmd, void *arg)
{
	int ret = device_path() ? ioctl(fd, cmd, arg) : inproc_device_ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

long device_ioas_alloc(int fd, uint32_t *id)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };
	long ret = device_ioctl(fd, IOMMU_IOAS_ALLOC, &cmd);

	if (!ret)
		*id = cmd.out_ioas_id;
	return ret;
}

long device_destroy(int fd, uint32_t id)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd), .id = id };

	return device_ioctl(fd, IOMMU_DESTROY, &cmd);
}

static long device_ioas_map(int fd, uint32_t ioas, uint32_t flags, void *va, uint64_t length,
		     uint64_t *iova)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.ioas_id = ioas,
		.user_va = (uintptr_t)va,
		.length = length,
		.iova = *iova,
	};
	long ret = device_ioctl(fd, IOMMU_IOAS_MAP, &cmd);

	if (!ret)
		*iova = cmd.iova;
	return ret;
}

long device_ioas_map_fixed(int fd, uint32_t ioas, void *va, uint64_t length, uint64_t iova)
{
	return device_ioas_map(fd, ioas, RW | IOMMU_IOAS_MAP_FIXED_IOVA, va, length, &iova);
}

long device_ioas_map_auto(int fd, uint32_t ioas, void *va, uint64_t length, uint64_t *iova)
{
	uint64_t found = 0;
	long ret = device_ioas_map(fd, ioas, RW, va, length, &found);

	if (!ret)
		*iova = found;
	return ret;
}

long device_ioas_unmap(int fd, uint32_t ioas, uint64_t iova, uint64_t length, uint64_t *unmapped)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas,
		.iova = iova,
		.length = length,
	};
	long ret = device_ioctl(fd, IOMMU_IOAS_UNMAP, &cmd);

	if (!ret && unmapped)
		*unmapped = cmd.length;
	return ret;
}
