/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine in this process, as system calls: fds of its own, -1 with errno on failure. */
#ifndef IOASIS_TESTS_CONFORMANCE_INPROC_DEVICE_H
#define IOASIS_TESTS_CONFORMANCE_INPROC_DEVICE_H

#include <stdbool.h>

/* The version of the engine, before the first open; 0.0: the newest. */
void inproc_device_linux(unsigned int major, unsigned int minor);

int inproc_device_open(bool test_ops);
int inproc_device_ioctl(int fd, unsigned int cmd, void *arg);
void inproc_device_close(int fd);

#endif
