/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/vfio/config.h"
#include "sim/vfio/internal.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

/* Whose byte it is: a capability's id, or one of these. */
#define OWNER_HEADER 0u
#define OWNER_NOBODY 0xffu /* passed through as it is */

#define EXPRESS_BYTES 0x2cu /* of an endpoint in the root complex, version 2 */
#define AF_BYTES 6u
#define MSI_BYTES 14u /* with 64 bits, without masks */

/* ---- which bits are whose -------------------------------------------------------- */

static void set_bits(struct vfio_config *config, size_t offset, unsigned int bytes,
		     uint32_t virtual_bits, uint32_t write_bits)
{
	for (unsigned int i = 0; i < bytes; i++) {
		config->virtual_bits[offset + i] = (uint8_t)(virtual_bits >> 8 * i);
		config->write_bits[offset + i] = (uint8_t)(write_bits >> 8 * i);
	}
}

/* init_pci_cap_basic_perm() */
static void init_header(struct vfio_config *config)
{
	set_bits(config, PCI_VENDOR_ID, 4, UINT32_MAX, 0);
	set_bits(config, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE, 0xffff);
	set_bits(config, PCI_STATUS, 2, PCI_STATUS_CAP_LIST, 0);
	set_bits(config, PCI_CACHE_LINE_SIZE, 1, 0, 0xff);
	set_bits(config, PCI_LATENCY_TIMER, 1, 0, 0xff);
	set_bits(config, PCI_BIST, 1, 0, 0xff);
	for (size_t at = PCI_BASE_ADDRESS_0; at <= PCI_BASE_ADDRESS_5; at += 4)
		set_bits(config, at, 4, UINT32_MAX, UINT32_MAX);
	set_bits(config, PCI_ROM_ADDRESS, 4, UINT32_MAX, UINT32_MAX);
	set_bits(config, PCI_CAPABILITY_LIST, 1, 0xff, 0);
	set_bits(config, PCI_INTERRUPT_LINE, 1, 0xff, 0xff);
	set_bits(config, PCI_INTERRUPT_PIN, 1, 0xff, 0);
}

static void own(struct vfio_config *config, size_t offset, size_t bytes, uint8_t id)
{
	memset(config->owner + offset, id, bytes);
	set_bits(config, offset + PCI_CAP_LIST_NEXT, 1, 0xff, 0);
}

static void init_msi(struct vfio_config *config, size_t at)
{
	own(config, at, MSI_BYTES, PCI_CAP_ID_MSI);
	set_bits(config, at + PCI_MSI_FLAGS, 1, 0xff, 0xff);
	set_bits(config, at + PCI_MSI_ADDRESS_LO, 4, UINT32_MAX, UINT32_MAX);
	set_bits(config, at + PCI_MSI_ADDRESS_HI, 4, UINT32_MAX, UINT32_MAX);
	set_bits(config, at + PCI_MSI_DATA_64, 2, 0xffff, 0xffff);
}

static void init_power(struct vfio_config *config, size_t at)
{
	const uint32_t pme = PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS;

	own(config, at, PCI_PM_SIZEOF, PCI_CAP_ID_PM);
	set_bits(config, at + PCI_PM_PMC, 2, PCI_PM_CAP_PME_MASK, 0);
	set_bits(config, at + PCI_PM_CTRL, 4, pme, ~(pme | PCI_PM_CTRL_STATE_MASK));
	config->values[at + PCI_PM_PMC + 1] &= (uint8_t)~(PCI_PM_CAP_PME_MASK >> 8);
	config->values[at + PCI_PM_CTRL + 1] &= (uint8_t)~(pme >> 8);
}

static void init_express(struct vfio_config *config, size_t at)
{
	own(config, at, EXPRESS_BYTES, PCI_CAP_ID_EXP);
	set_bits(config, at + PCI_EXP_DEVCTL, 2,
		 PCI_EXP_DEVCTL_BCR_FLR | PCI_EXP_DEVCTL_PAYLOAD | PCI_EXP_DEVCTL_READRQ,
		 (uint16_t)~PCI_EXP_DEVCTL_PHANTOM);
	set_bits(config, at + PCI_EXP_DEVCTL2, 2, 0, (uint16_t)~PCI_EXP_DEVCTL2_ARI);
}

void vfio_config_init(struct vfio_device *device)
{
	const struct pci_config *layout = pci_function_config(device->function);
	struct vfio_config *config = &device->config;

	pthread_mutex_lock(&config->lock);
	config->bytes = pci_function_config_bytes(device->function);
	memset(config->virtual_bits, 0, sizeof(config->virtual_bits));
	memset(config->write_bits, 0, sizeof(config->write_bits));
	memset(config->owner, OWNER_NOBODY, sizeof(config->owner));
	memset(config->owner, OWNER_HEADER, PCI_STD_HEADER_SIZEOF);
	config->msi_log2 = 0;
	pci_function_config_read(device->function, 0, config->values, config->bytes);
	init_header(config);
	if (layout->msix)
		own(config, layout->msix, PCI_CAP_MSIX_SIZEOF, PCI_CAP_ID_MSIX);
	if (layout->msi)
		init_msi(config, layout->msi);
	if (layout->express)
		init_express(config, layout->express);
	if (layout->pm)
		init_power(config, layout->pm);
	if (layout->af) {
		own(config, layout->af, AF_BYTES, PCI_CAP_ID_AF);
		set_bits(config, layout->af + PCI_AF_CTRL, 1, PCI_AF_CTRL_FLR, PCI_AF_CTRL_FLR);
	}
	if (layout->vendor)
		own(config, layout->vendor, layout->bytes[layout->vendor + 2], PCI_CAP_ID_VNDR);
	pthread_mutex_unlock(&config->lock);
}

void vfio_config_set_msi_count(struct vfio_device *device, unsigned int count)
{
	unsigned int log2 = 0;

	while (1u << log2 < count)
		log2++;
	pthread_mutex_lock(&device->config.lock);
	device->config.msi_log2 = (uint8_t)log2;
	pthread_mutex_unlock(&device->config.lock);
}

/* ---- reading --------------------------------------------------------------------- */

static bool is_bar(size_t offset)
{
	return (offset >= PCI_BASE_ADDRESS_0 && offset < PCI_BASE_ADDRESS_5 + 4) ||
	       (offset >= PCI_ROM_ADDRESS && offset < PCI_ROM_ADDRESS + 4);
}

static void put32(uint8_t *at, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

/* What the client wrote into the BARs tells their sizes: vfio_bar_fixup(). */
static void fix_bars(struct vfio_device *device)
{
	const struct pci_description *description = pci_function_description(device->function);
	uint8_t *at = device->config.values + PCI_BASE_ADDRESS_0;

	for (unsigned int i = 0; i < PCI_BARS; i++, at += 4) {
		const struct pci_bar *bar = &description->bars[i];
		uint64_t mask = ~(bar->bytes - 1);

		if (!bar->bytes) {
			put32(at, 0);
			continue;
		}
		put32(at, (get32(at) & (uint32_t)mask) |
				  (bar->prefetchable ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0) |
				  (bar->is_64bit ? PCI_BASE_ADDRESS_MEM_TYPE_64 : 0));
		if (bar->is_64bit) {
			at += 4;
			i++;
			put32(at, get32(at) & (uint32_t)(mask >> 32));
		}
	}
	put32(device->config.values + PCI_ROM_ADDRESS, 0);
}

/* How many bytes at offset go in one access: 4, 2 or 1, of one capability. */
static size_t chunk(const struct vfio_config *config, size_t offset, size_t length)
{
	size_t same = 1;

	while ((offset + same) % 4 && config->owner[offset + same] == config->owner[offset])
		same++;
	length = length < same ? length : same;
	if (length >= 4 && !(offset % 4))
		return 4;
	return length >= 2 && !(offset % 2) ? 2 : 1;
}

static void read_chunk(struct vfio_device *device, size_t offset, uint8_t *buf, size_t length)
{
	struct vfio_config *config = &device->config;

	if (is_bar(offset))
		fix_bars(device);
	pci_function_config_read(device->function, offset, buf, length);
	for (size_t i = 0; i < length; i++)
		buf[i] = (uint8_t)((buf[i] & ~config->virtual_bits[offset + i]) |
				   (config->values[offset + i] & config->virtual_bits[offset + i]));
}

ssize_t vfio_config_read(struct vfio_device *device, uint64_t offset, void *buf, size_t length)
{
	struct vfio_config *config = &device->config;
	uint8_t *to = buf;
	size_t left = length;

	if (!length)
		return 0;
	if (offset >= config->bytes || length > config->bytes - offset)
		return -EFAULT;
	pthread_mutex_lock(&config->lock);
	while (left) {
		size_t n = chunk(config, offset, left);

		read_chunk(device, offset, to, n);
		offset += n;
		to += n;
		left -= n;
	}
	pthread_mutex_unlock(&config->lock);
	return (ssize_t)length;
}

/* ---- writing --------------------------------------------------------------------- */

/* What a write does besides, once the configuration's lock is dropped. */
struct after_write {
	bool decoding; /* memory decoding or power may have changed */
	bool reset;
	bool pin;      /* INTX_DISABLE was written ... */
	bool pin_disabled;
};

/* vfio_default_config_write() */
static void write_default(struct vfio_device *device, size_t offset, const uint8_t *buf,
			  size_t length)
{
	struct vfio_config *config = &device->config;
	bool to_function = false;
	uint8_t bytes[4];

	pci_function_config_read(device->function, offset, bytes, length);
	for (size_t i = 0; i < length; i++) {
		uint8_t virtual = config->virtual_bits[offset + i];
		uint8_t write = config->write_bits[offset + i];
		uint8_t *value = &config->values[offset + i];

		*value = (uint8_t)((*value & ~(write & virtual)) | (buf[i] & write & virtual));
		bytes[i] = (uint8_t)((bytes[i] & ~(write & ~virtual)) |
				     (buf[i] & write & ~virtual));
		to_function |= (write & ~virtual) != 0;
	}
	if (to_function)
		pci_function_config_write(device->function, offset, bytes, length);
}

/* vfio_basic_config_write() */
static void write_header(struct vfio_device *device, size_t offset, const uint8_t *buf,
			 size_t length, struct after_write *after)
{
	struct vfio_config *config = &device->config;

	write_default(device, offset, buf, length);
	if (offset == PCI_COMMAND)
		after->decoding = true;
	if (offset == PCI_COMMAND || offset == PCI_COMMAND + 1) {
		after->pin = true;
		after->pin_disabled = config->values[PCI_COMMAND + 1] &
				      PCI_COMMAND_INTX_DISABLE >> 8;
	}
}

/* vfio_pm_config_write(): D1 and D2 are states that our functions do not have. */
static void write_power(struct vfio_device *device, size_t offset, size_t in_cap,
			const uint8_t *buf, size_t length, struct after_write *after)
{
	uint8_t control, state;

	write_default(device, offset, buf, length);
	if (in_cap != PCI_PM_CTRL)
		return;
	state = buf[0] & PCI_PM_CTRL_STATE_MASK;
	if (state == 1 || state == 2)
		return;
	pci_function_config_read(device->function, offset, &control, 1);
	control = (uint8_t)((control & ~PCI_PM_CTRL_STATE_MASK) | state);
	pci_function_config_write(device->function, offset, &control, 1);
	after->decoding = true;
}

/* The bit for a function level reset reads as zero always. */
static bool take_flr_bit(struct vfio_config *config, size_t offset, uint8_t bit)
{
	bool set = config->values[offset] & bit;

	config->values[offset] &= (uint8_t)~bit;
	return set;
}

/* vfio_msi_config_write(): SET_IRQS enables it, the client's bits follow. */
static void write_msi(struct vfio_device *device, size_t offset, size_t in_cap,
		      const uint8_t *buf, size_t length)
{
	struct vfio_config *config = &device->config;
	uint8_t *flags = &config->values[offset - in_cap + PCI_MSI_FLAGS];

	write_default(device, offset, buf, length);
	if (in_cap > PCI_MSI_FLAGS || in_cap + length < PCI_MSI_FLAGS)
		return;
	if (!vfio_irqs_is_msi(&device->irqs))
		*flags &= (uint8_t)~PCI_MSI_FLAGS_ENABLE;
	if ((*flags & PCI_MSI_FLAGS_QSIZE) >> 4 > config->msi_log2)
		*flags = (uint8_t)((*flags & ~PCI_MSI_FLAGS_QSIZE) | config->msi_log2 << 4);
}

static void write_chunk(struct vfio_device *device, size_t offset, const uint8_t *buf,
			size_t length, struct after_write *after)
{
	const struct pci_description *description = pci_function_description(device->function);
	const struct pci_config *layout = pci_function_config(device->function);
	struct vfio_config *config = &device->config;

	switch (config->owner[offset]) {
	case OWNER_HEADER:
		write_header(device, offset, buf, length, after);
		return;
	case PCI_CAP_ID_PM:
		write_power(device, offset, offset - layout->pm, buf, length, after);
		return;
	case PCI_CAP_ID_MSI:
		write_msi(device, offset, offset - layout->msi, buf, length);
		return;
	case PCI_CAP_ID_EXP:
		write_default(device, offset, buf, length);
		if (take_flr_bit(config, layout->express + PCI_EXP_DEVCTL + 1,
				 PCI_EXP_DEVCTL_BCR_FLR >> 8))
			after->reset = description->flr;
		return;
	case PCI_CAP_ID_AF:
		write_default(device, offset, buf, length);
		if (take_flr_bit(config, layout->af + PCI_AF_CTRL, PCI_AF_CTRL_FLR))
			after->reset = description->flr;
		return;
	case PCI_CAP_ID_VNDR:
	case OWNER_NOBODY:
		pci_function_config_write(device->function, offset, buf, length);
		return;
	default: /* MSI-X: the kernel's alone */
		return;
	}
}

ssize_t vfio_config_write(struct vfio_device *device, uint64_t offset, const void *buf,
			  size_t length)
{
	struct vfio_config *config = &device->config;
	const uint8_t *from = buf;
	size_t left = length;

	if (!length)
		return 0;
	if (offset >= config->bytes || length > config->bytes - offset)
		return -EFAULT;
	while (left) {
		struct after_write after = { .decoding = false };
		size_t n;

		pthread_mutex_lock(&config->lock);
		n = chunk(config, offset, left);
		write_chunk(device, offset, from, n, &after);
		pthread_mutex_unlock(&config->lock);
		if (after.decoding)
			vfio_dmabufs_update(device);
		if (after.pin)
			vfio_irqs_disable_pin(device, after.pin_disabled);
		if (after.reset)
			vfio_device_reset_function(device);
		offset += n;
		from += n;
		left -= n;
	}
	return (ssize_t)length;
}
