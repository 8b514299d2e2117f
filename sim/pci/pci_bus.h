/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of one fake machine: where they are on the bus, and in which IOMMU group.
 *
 * First all are added, then pci_bus_settle() gives places to those that asked for none;
 * after that the list does not change, and looking at it takes no lock.
 */
#ifndef IOASIS_SIM_PCI_BUS_H
#define IOASIS_SIM_PCI_BUS_H

#include "sim/pci/pci_function.h"

#include <stdio.h>

#define PCI_BUS_FUNCTIONS_MAX 64u
#define PCI_ID_BYTES 32u

struct pci_address {
	uint16_t domain;
	uint8_t bus, slot, function;
};
#define PCI_ADDRESS_TEXT_BYTES 13u /* 0000:00:05.0 */

/* One function and its place. Owned by the bus. */
struct pci_slot {
	struct pci_function *function;
	const struct pci_model *model;
	struct pci_address address;
	uint32_t group;	     /* of the IOMMU: /dev/vfio/GROUP */
	unsigned int number; /* N of /dev/vfio/devices/vfioN */
	char id[PCI_ID_BYTES]; /* id=; else its kind and number, such as edu0 */
	uint64_t bars[PCI_BARS]; /* addresses; a BAR's size is in its description */
	uint8_t irq;		 /* what sysfs says; 0: it has no pin */
	uint64_t seed;		 /* of its chance */
	bool migrates;		 /* migration=on */
	bool no_iommu;		 /* iommu=none */
	struct pci_bus *bus;
	void *driver_data; /* of the host driver that has the function; NULL: none */
	const void *owner; /* who has claimed its DMA; with pci_bus_lock(); NULL: nobody */
};

struct pci_bus;

/* seed: of all chance in its devices. NULL: out of memory. */
struct pci_bus *pci_bus_create(uint64_t seed);
void pci_bus_destroy(struct pci_bus *bus);

/*
 * Adds KIND[,addr=0000:00:05.0][,group=3][,id=NAME][,vendor=ID][,device=ID]
 * [,migration=on][,iommu=none][,KEY=VALUE...].
 * 0, or -EINVAL or -ENOMEM with one line in why that names what is wrong and what is right.
 */
int pci_bus_add(struct pci_bus *bus, const char *text, char why[PCI_WHY_BYTES]);
/* Gives addresses and groups to those without. The same errors. */
int pci_bus_settle(struct pci_bus *bus, char why[PCI_WHY_BYTES]);

unsigned int pci_bus_count(const struct pci_bus *bus);
/* In the order of --device: number is the index. */
const struct pci_slot *pci_bus_at(const struct pci_bus *bus, unsigned int index);
/* Held for moments, to compare and set owners of a group. */
void pci_bus_lock(struct pci_bus *bus);
void pci_bus_unlock(struct pci_bus *bus);

/* For a driver, which sets driver_data. */
struct pci_slot *pci_bus_slot(struct pci_bus *bus, unsigned int index);
/* NULL: nothing is there. */
const struct pci_slot *pci_bus_find(const struct pci_bus *bus, const struct pci_address *address);

/* 0000:00:05.0. */
void pci_address_print(const struct pci_address *address, char text[PCI_ADDRESS_TEXT_BYTES]);
/* Domain, bus, slot and function in 16, 8, 5 and 3 bits. */
uint32_t pci_address_number(const struct pci_address *address);
/* Reads 0000:00:05.0 or 00:05.0; false: it is neither. */
bool pci_address_parse(const char *text, struct pci_address *address);

/* What --list-devices prints: kinds, what they are, their keys. */
void pci_models_print(FILE *out);

#endif
