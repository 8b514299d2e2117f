/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration space of a function as the bus sees it: registers, and for each bit
 * whether software may write it. What VFIO shows to its user is another thing
 * (sim/vfio/config.h).
 *
 * Where capabilities lie is what QEMU's devices have, so that what is compared with them
 * agrees. Not locked: its owner does that.
 */
#ifndef IOASIS_SIM_PCI_CONFIG_H
#define IOASIS_SIM_PCI_CONFIG_H

#include "sim/pci/pci_model.h"

#define PCI_CONFIG_BYTES 256u
#define PCI_CONFIG_EXPRESS_BYTES 4096u

struct pci_config {
	uint8_t bytes[PCI_CONFIG_EXPRESS_BYTES];
	uint8_t writable[PCI_CONFIG_EXPRESS_BYTES]; /* a bit for each bit */
	uint16_t size;
	/* Offsets of capabilities; 0: it has none. */
	uint8_t msi, msix, pm, express, af, vendor;
};

/* What is there after power-on, with BARs at their addresses as firmware leaves them. */
void pci_config_init(struct pci_config *config, const struct pci_description *description,
		     const uint64_t addresses[PCI_BARS]);

uint16_t pci_config_get16(const struct pci_config *config, size_t offset);
uint32_t pci_config_get32(const struct pci_config *config, size_t offset);
void pci_config_set16(struct pci_config *config, size_t offset, uint16_t value);
void pci_config_set32(struct pci_config *config, size_t offset, uint32_t value);

/* What software writes: only the bits that can be. offset + length is inside. */
void pci_config_write(struct pci_config *config, size_t offset, const void *buf, size_t length);

#endif
