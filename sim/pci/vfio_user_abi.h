/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The messages of the vfio-user protocol, version 0.1: what a client and a server that
 * emulates a device say to one another on a UNIX socket. Source: QEMU's
 * docs/interop/vfio-user.rst; libvfio-user states the same in include/vfio-user.h.
 */
#ifndef IOASIS_SIM_PCI_VFIO_USER_ABI_H
#define IOASIS_SIM_PCI_VFIO_USER_ABI_H

#include <stdint.h>

enum vfio_user_command {
	VFIO_USER_VERSION = 1,
	VFIO_USER_DMA_MAP = 2,
	VFIO_USER_DMA_UNMAP = 3,
	VFIO_USER_GET_INFO = 4,
	VFIO_USER_GET_REGION_INFO = 5,
	VFIO_USER_GET_IRQ_INFO = 7,
	VFIO_USER_SET_IRQS = 8,
	VFIO_USER_REGION_READ = 9,
	VFIO_USER_REGION_WRITE = 10,
	VFIO_USER_DMA_READ = 11,
	VFIO_USER_DMA_WRITE = 12,
	VFIO_USER_RESET = 13,
};

#define VFIO_USER_TYPE_MASK  0xfu
#define VFIO_USER_TYPE_REPLY 0x1u
#define VFIO_USER_NO_REPLY   0x10u
#define VFIO_USER_ERROR	     0x20u

struct vfio_user_header {
	uint16_t id, command;
	uint32_t bytes; /* with the header */
	uint32_t flags;
	uint32_t error; /* an errno */
};

/* JSON follows, with an end of 0. */
struct vfio_user_version {
	uint16_t major, minor;
};

struct vfio_user_info {
	uint32_t argsz, flags, regions, irqs;
};
#define VFIO_USER_INFO_RESET 1u
#define VFIO_USER_INFO_PCI   2u

struct vfio_user_region_info {
	uint32_t argsz, flags, index, cap_offset;
	uint64_t size, offset;
};

struct vfio_user_irq_info {
	uint32_t argsz, flags, index, count;
};

/* With a file for each interrupt. */
struct vfio_user_irq_set {
	uint32_t argsz, flags, index, start, count;
};
#define VFIO_USER_IRQ_EVENTFD_TRIGGER (4u | 32u)

struct vfio_user_dma_map {
	uint32_t argsz, flags;
	uint64_t offset, address, size;
};
struct vfio_user_dma_unmap {
	uint32_t argsz, flags;
	uint64_t address, size;
};
#define VFIO_USER_DMA_READABLE 1u
#define VFIO_USER_DMA_WRITABLE 2u

/* The bytes follow, in a write's command and in a read's reply. */
struct vfio_user_region_access {
	uint64_t offset;
	uint32_t region, count;
};

struct vfio_user_dma_access {
	uint64_t address, count;
};

_Static_assert(sizeof(struct vfio_user_header) == 16, "vfio-user, Header");
_Static_assert(sizeof(struct vfio_user_dma_map) == 32, "vfio-user, VFIO_USER_DMA_MAP");
_Static_assert(sizeof(struct vfio_user_dma_unmap) == 24, "vfio-user, VFIO_USER_DMA_UNMAP");
_Static_assert(sizeof(struct vfio_user_region_access) == 16, "vfio-user, REGION_READ");

#endif
