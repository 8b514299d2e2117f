/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration space that a VFIO client sees: partly the function's own, partly
 * VFIO's.
 *
 * Each bit is virtual (VFIO keeps what the client wrote) or the function's, and may be
 * written or not; some registers do something besides. Source:
 * drivers/vfio/pci/vfio_pci_config.c, Linux 7.3.
 */
#ifndef IOASIS_SIM_VFIO_CONFIG_H
#define IOASIS_SIM_VFIO_CONFIG_H

#include "sim/pci/pci_config.h"

#include <pthread.h>
#include <sys/types.h>

struct vfio_device;

struct vfio_config {
	pthread_mutex_t lock;
	size_t bytes;
	uint8_t values[PCI_CONFIG_EXPRESS_BYTES]; /* of virtual bits */
	uint8_t virtual_bits[PCI_CONFIG_EXPRESS_BYTES];
	uint8_t write_bits[PCI_CONFIG_EXPRESS_BYTES];
	uint8_t owner[PCI_CONFIG_EXPRESS_BYTES]; /* the capability that a byte is of */
	uint8_t msi_log2; /* of the messages that the client was given last */
};

/* As vfio_pci_core_enable() leaves it, from what the function has now. */
void vfio_config_init(struct vfio_device *device);

/* How many messages SET_IRQS gave: what the client may then set in the capability. */
void vfio_config_set_msi_count(struct vfio_device *device, unsigned int count);

/* Bytes, or -EFAULT: not all inside. */
ssize_t vfio_config_read(struct vfio_device *device, uint64_t offset, void *buf, size_t length);
ssize_t vfio_config_write(struct vfio_device *device, uint64_t offset, const void *buf,
			  size_t length);

#endif
