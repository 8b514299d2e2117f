/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/pci/pci_config.h"

#include <linux/pci_regs.h>
#include <string.h>

#define MSIX_OFFSET 0x40u
#define MSI_OFFSET 0x40u	/* of a function without MSI-X */
#define MSI_OFFSET_BESIDE 0xc0u /* of one with both */
#define PM_OFFSET 0x60u
#define EXPRESS_OFFSET 0x80u
#define AF_OFFSET 0xd8u
#define VENDOR_OFFSET 0xe0u

/* What firmware has written, as QEMU's does. */
#define FIRMWARE_COMMAND (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_SERR)
#define FIRMWARE_IRQ_LINE 11u

#define COMMAND_WRITABLE                                                                           \
	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_SERR |             \
	 PCI_COMMAND_INTX_DISABLE)

uint16_t pci_config_get16(const struct pci_config *config, size_t offset)
{
	return (uint16_t)(config->bytes[offset] | config->bytes[offset + 1] << 8);
}

uint32_t pci_config_get32(const struct pci_config *config, size_t offset)
{
	return pci_config_get16(config, offset) |
	       (uint32_t)pci_config_get16(config, offset + 2) << 16;
}

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

void pci_config_set16(struct pci_config *config, size_t offset, uint16_t value)
{
	put16(config->bytes + offset, value);
}

void pci_config_set32(struct pci_config *config, size_t offset, uint32_t value)
{
	put32(config->bytes + offset, value);
}

void pci_config_write(struct pci_config *config, size_t offset, const void *buf, size_t length)
{
	const uint8_t *from = buf;

	for (size_t i = 0; i < length; i++) {
		uint8_t mask = config->writable[offset + i];
		uint8_t *byte = &config->bytes[offset + i];

		*byte = (uint8_t)((*byte & ~mask) | (from[i] & mask));
	}
}

/* ---- building it ----------------------------------------------------------------- */

static void init_bars(struct pci_config *config, const struct pci_description *description,
		      const uint64_t addresses[PCI_BARS])
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &description->bars[i];
		size_t at = PCI_BASE_ADDRESS_0 + 4 * i;
		uint32_t flags = 0;

		if (!bar->bytes)
			continue;
		if (bar->is_64bit)
			flags |= PCI_BASE_ADDRESS_MEM_TYPE_64;
		if (bar->prefetchable)
			flags |= PCI_BASE_ADDRESS_MEM_PREFETCH;
		put32(config->bytes + at, (uint32_t)addresses[i] | flags);
		put32(config->writable + at, (uint32_t)~(bar->bytes - 1) & ~0xfu);
		if (!bar->is_64bit)
			continue;
		i++;
		put32(config->bytes + at + 4, (uint32_t)(addresses[i - 1] >> 32));
		put32(config->writable + at + 4, (uint32_t)(~(bar->bytes - 1) >> 32));
	}
}

/* The list of capabilities while it is made: where the next one's offset goes. */
struct chain {
	struct pci_config *config;
	size_t link;
};

static uint8_t add_capability(struct chain *chain, uint8_t offset, uint8_t id)
{
	chain->config->bytes[chain->link] = offset;
	chain->config->bytes[offset] = id;
	chain->link = offset + 1u;
	return offset;
}

static void add_msi(struct chain *chain, const struct pci_description *description)
{
	struct pci_config *config = chain->config;
	unsigned int log2 = (unsigned int)__builtin_ctz(description->msi);

	config->msi = add_capability(chain, description->msix ? MSI_OFFSET_BESIDE : MSI_OFFSET,
				     PCI_CAP_ID_MSI);
	put16(config->bytes + config->msi + PCI_MSI_FLAGS,
	      (uint16_t)(PCI_MSI_FLAGS_64BIT | log2 << 1));
	put16(config->writable + config->msi + PCI_MSI_FLAGS,
	      PCI_MSI_FLAGS_ENABLE | (log2 ? PCI_MSI_FLAGS_QSIZE : 0));
	put32(config->writable + config->msi + PCI_MSI_ADDRESS_LO, 0xfffffffcu);
	put32(config->writable + config->msi + PCI_MSI_ADDRESS_HI, 0xffffffffu);
	put16(config->writable + config->msi + PCI_MSI_DATA_64, 0xffffu);
}

static void add_msix(struct chain *chain, const struct pci_description *description)
{
	struct pci_config *config = chain->config;

	config->msix = add_capability(chain, MSIX_OFFSET, PCI_CAP_ID_MSIX);
	put16(config->bytes + config->msix + PCI_MSIX_FLAGS, (uint16_t)(description->msix - 1));
	put16(config->writable + config->msix + PCI_MSIX_FLAGS,
	      PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	put32(config->bytes + config->msix + PCI_MSIX_TABLE,
	      description->msix_table | description->msix_bar);
	put32(config->bytes + config->msix + PCI_MSIX_PBA,
	      description->msix_pending | description->msix_bar);
}

/* An endpoint in the root complex, as a device is that QEMU puts on the root bus. */
static void add_express(struct chain *chain, const struct pci_description *description)
{
	struct pci_config *config = chain->config;
	uint8_t *bytes, *writable;

	config->express = add_capability(chain, EXPRESS_OFFSET, PCI_CAP_ID_EXP);
	bytes = config->bytes + config->express;
	writable = config->writable + config->express;
	put16(bytes + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_RC_END << 4);
	put32(bytes + PCI_EXP_DEVCAP,
	      PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_EXT_TAG |
		      (description->flr ? PCI_EXP_DEVCAP_FLR : 0));
	put32(bytes + PCI_EXP_LNKCAP, 0x411);
	put16(bytes + PCI_EXP_LNKSTA, 0x11);
	put32(bytes + PCI_EXP_DEVCAP2, 0x300000);
	put16(writable + PCI_EXP_DEVCTL,
	      PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE | PCI_EXP_DEVCTL_FERE |
		      PCI_EXP_DEVCTL_URRE);
	put16(writable + PCI_EXP_DEVCTL2, PCI_EXP_DEVCTL2_COMP_TIMEOUT);
	config->size = PCI_CONFIG_EXPRESS_BYTES;
}

static void add_power_management(struct chain *chain)
{
	struct pci_config *config = chain->config;

	config->pm = add_capability(chain, PM_OFFSET, PCI_CAP_ID_PM);
	put16(config->bytes + config->pm + PCI_PM_PMC, 3);
	put16(config->bytes + config->pm + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
	put16(config->writable + config->pm + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
}

/* Advanced features: how a function that is not PCI Express says that it has FLR. */
static void add_advanced_features(struct chain *chain)
{
	struct pci_config *config = chain->config;

	config->af = add_capability(chain, AF_OFFSET, PCI_CAP_ID_AF);
	config->bytes[config->af + PCI_AF_LENGTH] = PCI_CAP_AF_SIZEOF;
	config->bytes[config->af + PCI_AF_CAP] = PCI_AF_CAP_TP | PCI_AF_CAP_FLR;
}

static void add_vendor(struct chain *chain, const struct pci_description *description)
{
	struct pci_config *config = chain->config;

	config->vendor = add_capability(chain, VENDOR_OFFSET, PCI_CAP_ID_VNDR);
	config->bytes[config->vendor + 2] = (uint8_t)(3 + description->vendor_bytes);
	memcpy(config->bytes + config->vendor + 3, description->vendor_data,
	       description->vendor_bytes);
}

void pci_config_init(struct pci_config *config, const struct pci_description *description,
		     const uint64_t addresses[PCI_BARS])
{
	struct chain chain = { .config = config, .link = PCI_CAPABILITY_LIST };

	memset(config, 0, sizeof(*config));
	config->size = PCI_CONFIG_BYTES;
	put16(config->bytes + PCI_VENDOR_ID, description->vendor);
	put16(config->bytes + PCI_DEVICE_ID, description->device);
	put32(config->bytes + PCI_CLASS_REVISION,
	      description->class_code << 8 | description->revision);
	put16(config->bytes + PCI_SUBSYSTEM_VENDOR_ID, description->subsystem_vendor);
	put16(config->bytes + PCI_SUBSYSTEM_ID, description->subsystem_device);
	put16(config->bytes + PCI_COMMAND, FIRMWARE_COMMAND);
	put16(config->writable + PCI_COMMAND, COMMAND_WRITABLE);
	config->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	config->writable[PCI_INTERRUPT_LINE] = 0xff;
	if (description->intx) {
		config->bytes[PCI_INTERRUPT_PIN] = 1;
		config->bytes[PCI_INTERRUPT_LINE] = FIRMWARE_IRQ_LINE;
	}
	init_bars(config, description, addresses);

	if (description->msix)
		add_msix(&chain, description);
	if (description->msi)
		add_msi(&chain, description);
	if (description->express)
		add_express(&chain, description);
	if (description->power_management)
		add_power_management(&chain);
	if (description->flr && !description->express)
		add_advanced_features(&chain);
	if (description->vendor_data)
		add_vendor(&chain, description);
	if (chain.link != PCI_CAPABILITY_LIST)
		put16(config->bytes + PCI_STATUS, PCI_STATUS_CAP_LIST);
}
