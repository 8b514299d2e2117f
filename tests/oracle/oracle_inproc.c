/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts the engine under a program that was not written for it: linked with
 * -Wl,--wrap=open,--wrap=ioctl,--wrap=close, the program's /dev/iommu is an
 * engine in its own process, with the test command, at IOASIS_LINUX's version.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "sim/inproc/inproc.h"

int __real_open(const char *path, int flags, ...);
int __real_ioctl(int fd, unsigned long request, ...);
int __real_close(int fd);
int __wrap_open(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_close(int fd);

static struct inproc *device;

static void device_create(void)
{
	struct engine_config config = { .test_ops = true };
	const char *version = getenv("IOASIS_LINUX");
	unsigned int major, minor;

	if (version && sscanf(version, "%u.%u", &major, &minor) == 2)
		config.linux_version = ENGINE_LINUX(major, minor);
	device = inproc_create(&config, INPROC_MEMORY_SELF);
	if (!device) {
		fprintf(stderr, "oracle_inproc: no engine for Linux %s\n", version ? version : "");
		exit(3);
	}
}

int __wrap_open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (strcmp(path, "/dev/iommu"))
		return __real_open(path, flags, mode);
	if (!device)
		device_create();
	return inproc_open(device);
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (fd < INPROC_FD_FIRST)
		return __real_ioctl(fd, request, arg);
	return inproc_ioctl(device, fd, request, arg);
}

int __wrap_close(int fd)
{
	return fd < INPROC_FD_FIRST ? __real_close(fd) : inproc_close(device, fd);
}
