/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a vfio-user server says of its device, and the PCI function that is made of it: its
 * ids, BARs and capabilities, with a configuration space of ours.
 */
#ifndef IOASIS_SIM_PCI_VFIO_USER_DESCRIBE_H
#define IOASIS_SIM_PCI_VFIO_USER_DESCRIBE_H

#include "sim/pci/pci_model.h"

#define VFIO_USER_CONFIG_BYTES 256u
#define VFIO_USER_VECTORS_MAX  64u

enum { VFIO_USER_IRQ_INTX, VFIO_USER_IRQ_MSI, VFIO_USER_IRQ_MSIX };

struct vfio_user_facts {
	uint32_t ids; /* vendor and device */
	bool can_reset;
	uint64_t region_bytes[PCI_BARS]; /* not always a power of two */
	uint8_t space[VFIO_USER_CONFIG_BYTES];
	unsigned int irq_index, irq_count; /* the best kind that it has; at most VECTORS_MAX */
};

/* Fills a description that is zeros. */
void vfio_user_describe(const struct vfio_user_facts *facts, struct pci_description *description);

#endif
