/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/pci/vfio_user_describe.h"

#include <linux/pci_regs.h>

/* Where a capability is in the server's configuration space; 0: nowhere. */
static unsigned int find_capability(const uint8_t space[VFIO_USER_CONFIG_BYTES], uint8_t id)
{
	unsigned int at = space[PCI_CAPABILITY_LIST] & ~3u;

	/* A list may be a loop. */
	for (unsigned int n = 0; n < 48 && at >= 0x40; n++) {
		if (space[at] == id)
			return at;
		at = space[at + 1] & ~3u;
	}
	return 0;
}

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t get32(const uint8_t *bytes)
{
	return get16(bytes) | (uint32_t)get16(bytes + 2) << 16;
}

static uint64_t power_of_two(uint64_t bytes)
{
	uint64_t power = 16;

	while (power < bytes && power < UINT64_C(1) << 62)
		power *= 2;
	return power;
}

static void describe_bars(const struct vfio_user_facts *facts, struct pci_description *description)
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		uint32_t bar = get32(facts->space + PCI_BASE_ADDRESS_0 + 4 * i);
		bool memory = !(bar & PCI_BASE_ADDRESS_SPACE_IO);

		if (!facts->region_bytes[i])
			continue;
		description->bars[i].bytes = power_of_two(facts->region_bytes[i]);
		description->bars[i].is_64bit = memory && bar & PCI_BASE_ADDRESS_MEM_TYPE_64 &&
						i + 1 < PCI_BARS && !facts->region_bytes[i + 1];
		description->bars[i].prefetchable = memory && bar & PCI_BASE_ADDRESS_MEM_PREFETCH;
	}
}

/* MSI-X, if its table and pending bits have whole pages of their own, as drivers map them. */
static bool describe_msix(const struct vfio_user_facts *facts, struct pci_description *description)
{
	unsigned int at = find_capability(facts->space, PCI_CAP_ID_MSIX);
	uint32_t table, pending, table_bytes = 16 * facts->irq_count;

	if (!at || facts->irq_index != VFIO_USER_IRQ_MSIX || at + 12 > VFIO_USER_CONFIG_BYTES)
		return false;
	table = get32(facts->space + at + PCI_MSIX_TABLE);
	pending = get32(facts->space + at + PCI_MSIX_PBA);
	/* Pending bits in another BAR: ours are behind the table, nobody asks the server. */
	if ((table & PCI_MSIX_TABLE_BIR) != (pending & PCI_MSIX_PBA_BIR))
		pending = (table & ~7u) + (table_bytes + 4095) / 4096 * 4096;
	if ((table & PCI_MSIX_TABLE_BIR) >= PCI_BARS || (table & ~7u) % 4096 ||
	    (pending & ~7u) % 4096)
		return false;
	description->msix = facts->irq_count;
	description->msix_bar = table & PCI_MSIX_TABLE_BIR;
	description->msix_table = table & ~7u;
	description->msix_pending = pending & ~7u;
	return description->msix_pending + 4096ull <= facts->region_bytes[description->msix_bar];
}

void vfio_user_describe(const struct vfio_user_facts *facts, struct pci_description *description)
{
	const uint8_t *space = facts->space;

	description->vendor = get16(space + PCI_VENDOR_ID);
	description->device = get16(space + PCI_DEVICE_ID);
	description->subsystem_vendor = get16(space + PCI_SUBSYSTEM_VENDOR_ID);
	description->subsystem_device = get16(space + PCI_SUBSYSTEM_ID);
	description->revision = space[PCI_REVISION_ID];
	description->class_code = get32(space + PCI_CLASS_REVISION) >> 8;
	description->intx = space[PCI_INTERRUPT_PIN];
	describe_bars(facts, description);
	if (!describe_msix(facts, description)) {
		description->msix = 0;
		if (facts->irq_count && facts->irq_index != VFIO_USER_IRQ_INTX)
			description->msi = 1;
		else
			description->intx = facts->irq_count;
	}
	description->power_management = find_capability(space, PCI_CAP_ID_PM);
	description->express = find_capability(space, PCI_CAP_ID_EXP);
	description->flr = facts->can_reset;
}
