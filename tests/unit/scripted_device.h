/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device that answers what a test tells it to, and remembers what it was
 * asked. Thread-safe in its counts; the script is for one thread.
 */
#ifndef IOASIS_TESTS_SCRIPTED_DEVICE_H
#define IOASIS_TESTS_SCRIPTED_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <ioasis/iommufd_backend.h>

#define SCRIPTED_FD 1000
#define SCRIPTED_ARG_SIZE 64

struct scripted_device {
	/* The script: errno of the next open and ioctl, 0 for success. */
	int open_errno;
	int ioctl_errno;
	/* What a successful ioctl writes over its argument, from the second word on; NULL: nothing. */
	const void *answer;
	uint32_t answer_size;
	void *memory; /* what mmap gives, unless ioctl_errno is set */

	/* What happened. */
	uint32_t opens, ioctls, closes;
	char path[64];
	int open_flags;
	int ioctl_fd, closed_fd;
	unsigned long request;
	uint64_t mmap_size, mmap_offset;
	unsigned char arg[SCRIPTED_ARG_SIZE]; /* as it was asked */

	/* What the report hook was told last, and how often. */
	char report[256];
	IOMMUFDReport report_level;
	uint32_t reports;
};

extern const IOMMUFDDeviceOps scripted_ops;

/* A backend on the device, with its report hook set. */
IOMMUFDBackend *scripted_backend(struct scripted_device *device);

#endif
