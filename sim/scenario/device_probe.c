/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is what --device names an iommufd device at all? */
#include "sim/scenario/device_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ioasis/iommufd_abi.h"

int device_probe(const char *path, char *error, size_t error_size)
{
	struct iommu_option option = {
		.size = sizeof(option),
		.option_id = IOMMU_OPTION_RLIMIT_MODE,
		.op = IOMMU_OPTION_OP_GET,
	};
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;

	if (err) {
		snprintf(error, error_size, "--device: opening %s failed: %s", path,
			 strerror(-err));
		return err;
	}
	/* Any other answer, also one that 'ioasis serve --fail' gives, is a device's. */
	if (ioctl(fd, IOMMU_OPTION, &option) && errno == ENOTTY) {
		err = -ENOTTY;
		snprintf(error, error_size,
			 "--device: %s is no iommufd device; name /dev/iommu or the file of "
			 "'ioasis serve'", path);
	}
	close(fd);
	return err;
}
