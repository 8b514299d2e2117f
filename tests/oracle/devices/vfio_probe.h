/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of vfio_probe: what it asks, and of what. */
#ifndef IOASIS_TESTS_VFIO_PROBE_H
#define IOASIS_TESTS_VFIO_PROBE_H

#include "ioasis/iommufd_abi.h"
#include "sim/vfio/abi.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

struct probe {
	int vfio, iommu;
	uint32_t devid, ioas;
	uint64_t config; /* where the configuration space is in the file */
	uint64_t offset[16], bytes[16]; /* of regions */
};
extern struct probe probe;

/* The name of an error, else the number. */
const char *name_of(long rc);
/* What mmap gave: ok, or the name of the error. */
const char *map_result(const void *at);
/* The result, or -errno. */
long call(int fd, unsigned int cmd, void *arg);
long read_at(void *buf, size_t length, uint64_t offset);
long write_at(const void *buf, size_t length, uint64_t offset);

/* vfio_probe_regions.c: configuration space and BARs; attach, page tables. */
void probe_regions(void);
void probe_iommu(void);
/* vfio_probe_features.c: SET_IRQS; DEVICE_FEATURE, dma-bufs. */
void probe_irqs(void);
void probe_features(void);

#endif
