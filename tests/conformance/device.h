/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device under test: the same calls on the engine in this process, on the
 * fake's file, or on a real /dev/iommu.
 *
 * $CONFORMANCE_DEVICE is `inproc` (the default) or a path; with
 * $CONFORMANCE_TEST_OPS=1 the device answers the test command too.
 */
#ifndef IOASIS_TESTS_CONFORMANCE_DEVICE_H
#define IOASIS_TESTS_CONFORMANCE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

/* Opens the device; fails the test when it cannot. */
int device_open(void);
void device_close(int fd);

/* One ioctl: 0 or positive, or -errno. */
long device_ioctl(int fd, unsigned int cmd, void *arg);

/* Whether the device answers IOMMU_TEST_CMD. */
bool device_has_test_ops(void);

/* Shortcuts; each returns what the ioctl gives. The `out` arguments are set on success only. */
long device_ioas_alloc(int fd, uint32_t *id);
long device_destroy(int fd, uint32_t id);
long device_ioas_map_fixed(int fd, uint32_t ioas, void *va, uint64_t length, uint64_t iova);
long device_ioas_map_auto(int fd, uint32_t ioas, void *va, uint64_t length, uint64_t *iova);
long device_ioas_unmap(int fd, uint32_t ioas, uint64_t iova, uint64_t length, uint64_t *unmapped);

#endif
