/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/vfio/config_space.h"

#include <linux/pci_regs.h>
#include <string.h>

#define MSI_OFFSET 0x40u
#define CLASS_OTHER 0x00ffu
/* What QEMU's devices have, and where its firmware puts the BAR. */
#define SUBSYSTEM_VENDOR 0x1af4u
#define SUBSYSTEM_DEVICE 0x1100u
#define BAR_ADDRESS 0xfea00000u

static void put16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = (uint8_t)value;
	bytes[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *bytes, uint32_t value)
{
	put16(bytes, (uint16_t)value);
	put16(bytes + 2, (uint16_t)(value >> 16));
}

void config_space_reset(struct config_space *space, uint16_t vendor, uint16_t device,
			uint32_t bar_bytes)
{
	memset(space, 0, sizeof(*space));
	put16(space->bytes + PCI_VENDOR_ID, vendor);
	put16(space->bytes + PCI_DEVICE_ID, device);
	put16(space->bytes + PCI_STATUS, PCI_STATUS_CAP_LIST);
	space->bytes[PCI_CLASS_REVISION] = 0x10;
	put16(space->bytes + PCI_CLASS_DEVICE, CLASS_OTHER);
	put16(space->bytes + PCI_SUBSYSTEM_VENDOR_ID, SUBSYSTEM_VENDOR);
	put16(space->bytes + PCI_SUBSYSTEM_ID, SUBSYSTEM_DEVICE);
	/* vfio_pci_core_enable() has enabled the device and its BARs; bus mastering is off. */
	put16(space->bytes + PCI_COMMAND, PCI_COMMAND_MEMORY);
	put32(space->bytes + PCI_BASE_ADDRESS_0, BAR_ADDRESS & ~(bar_bytes - 1));
	space->bytes[PCI_CAPABILITY_LIST] = MSI_OFFSET;
	space->bytes[PCI_INTERRUPT_PIN] = 1;
	put16(space->writable + PCI_COMMAND,
	      PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	put32(space->writable + PCI_BASE_ADDRESS_0, ~(bar_bytes - 1));
	space->writable[PCI_INTERRUPT_LINE] = 0xff;
	space->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	space->writable[PCI_LATENCY_TIMER] = 0xff;

	space->bytes[MSI_OFFSET] = PCI_CAP_ID_MSI;
	put16(space->bytes + MSI_OFFSET + PCI_MSI_FLAGS, PCI_MSI_FLAGS_64BIT);
	put16(space->writable + MSI_OFFSET + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE);
	put32(space->writable + MSI_OFFSET + PCI_MSI_ADDRESS_LO, 0xfffffffcu);
	put32(space->writable + MSI_OFFSET + PCI_MSI_ADDRESS_HI, 0xffffffffu);
	put16(space->writable + MSI_OFFSET + PCI_MSI_DATA_64, 0xffffu);
}

void config_space_read(const struct config_space *space, size_t offset, void *buf, size_t length)
{
	memcpy(buf, space->bytes + offset, length);
}

void config_space_write(struct config_space *space, size_t offset, const void *buf,
			size_t length)
{
	const uint8_t *from = buf;

	for (size_t i = 0; i < length; i++) {
		uint8_t mask = space->writable[offset + i];
		uint8_t *byte = &space->bytes[offset + i];

		*byte = (uint8_t)((*byte & ~mask) | (from[i] & mask));
	}
}

bool config_space_memory_enabled(const struct config_space *space)
{
	return space->bytes[PCI_COMMAND] & PCI_COMMAND_MEMORY;
}

bool config_space_is_bus_master(const struct config_space *space)
{
	return space->bytes[PCI_COMMAND] & PCI_COMMAND_MASTER;
}
