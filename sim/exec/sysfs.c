/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text in /sys: what drivers/pci/pci-sysfs.c, drivers/base/, drivers/iommu/iommu.c and
 * drivers/vfio/ show of a function that is bound to vfio-pci (Linux 7.3).
 */
#include "sim/exec/sysfs.h"
#include "sim/exec/sysfs_maker.h"
#include "sim/pci/pci_bus.h"
#include "sim/vfio/changes.h"

#include <limits.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* include/linux/ioport.h */
#define IORESOURCE_MEM 0x200u
#define IORESOURCE_PREFETCH 0x2000u
#define IORESOURCE_SIZEALIGN 0x40000u
#define IORESOURCE_MEM_64 0x100000u
/* BARs, the ROM, and those of virtual functions. */
#define RESOURCES 13u

/* ---- a device ------------------------------------------------------------------------ */

static uint32_t bar_flags(const struct pci_bar *bar)
{
	uint32_t flags = IORESOURCE_MEM | IORESOURCE_SIZEALIGN;

	if (bar->is_64bit)
		flags |= IORESOURCE_MEM_64 | PCI_BASE_ADDRESS_MEM_TYPE_64;
	if (bar->prefetchable)
		flags |= IORESOURCE_PREFETCH | PCI_BASE_ADDRESS_MEM_PREFETCH;
	return flags;
}

static void make_resources(struct sysfs_maker *maker, const struct pci_slot *slot)
{
	const struct pci_description *description = pci_function_description(slot->function);
	char text[RESOURCES * 64], name[32];
	size_t len = 0;

	for (unsigned int i = 0; i < RESOURCES; i++) {
		const struct pci_bar *bar = i < PCI_BARS ? &description->bars[i] : NULL;
		uint64_t start = bar && bar->bytes ? slot->bars[i] : 0;
		uint64_t last = bar && bar->bytes ? start + bar->bytes - 1 : 0;
		uint32_t flags = bar && bar->bytes ? bar_flags(bar) : 0;

		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"0x%016llx 0x%016llx 0x%016x\n", (unsigned long long)start,
					(unsigned long long)last, flags);
		if (!bar || !bar->bytes)
			continue;
		snprintf(name, sizeof(name), "resource%u", i);
		sysfs_file(maker, name, 0600, "%s", "");
		if (bar->prefetchable) {
			snprintf(name, sizeof(name), "resource%u_wc", i);
			sysfs_file(maker, name, 0600, "%s", "");
		}
	}
	sysfs_file(maker, "resource", 0444, "%s", text);
}

/* The processors near the device: all. Words of 32, the highest first. */
static void make_cpus(struct sysfs_maker *maker)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int last = (unsigned int)(count > 0 ? count - 1 : 0);
	char text[256];
	size_t len = (size_t)snprintf(text, sizeof(text), "%llx",
				      (2ull << last % 32) - 1);

	for (unsigned int word = last / 32; word && len < sizeof(text) - 10; word--)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ",ffffffff");
	sysfs_file(maker, "local_cpus", 0444, "%s\n", text);
	if (last)
		sysfs_file(maker, "local_cpulist", 0444, "0-%u\n", last);
	else
		sysfs_file(maker, "local_cpulist", 0444, "0\n");
}

static void make_ids(struct sysfs_maker *maker, const struct pci_slot *slot, const char *bdf)
{
	const struct pci_description *d = pci_function_description(slot->function);
	char modalias[128];

	snprintf(modalias, sizeof(modalias), "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X",
		 d->vendor, d->device, d->subsystem_vendor, d->subsystem_device,
		 d->class_code >> 16 & 0xff, d->class_code >> 8 & 0xff, d->class_code & 0xff);
	sysfs_file(maker, "vendor", 0444, "0x%04x\n", d->vendor);
	sysfs_file(maker, "device", 0444, "0x%04x\n", d->device);
	sysfs_file(maker, "subsystem_vendor", 0444, "0x%04x\n", d->subsystem_vendor);
	sysfs_file(maker, "subsystem_device", 0444, "0x%04x\n", d->subsystem_device);
	sysfs_file(maker, "class", 0444, "0x%06x\n", d->class_code);
	sysfs_file(maker, "revision", 0444, "0x%02x\n", d->revision);
	sysfs_file(maker, "modalias", 0444, "%s\n", modalias);
	sysfs_file(maker, "uevent", 0644,
		  "DRIVER=vfio-pci\nPCI_CLASS=%04X\nPCI_ID=%04X:%04X\n"
		  "PCI_SUBSYS_ID=%04X:%04X\nPCI_SLOT_NAME=%s\nMODALIAS=%s\n",
		  d->class_code, d->vendor, d->device, d->subsystem_vendor, d->subsystem_device,
		  bdf, modalias);
}

static void make_state(struct sysfs_maker *maker, const struct pci_slot *slot)
{
	const struct pci_description *d = pci_function_description(slot->function);

	sysfs_file(maker, "ari_enabled", 0444, "0\n");
	sysfs_file(maker, "broken_parity_status", 0644, "0\n");
	sysfs_file(maker, "config", 0644, "%s", "");
	sysfs_file(maker, "consistent_dma_mask_bits", 0444, "32\n");
	sysfs_file(maker, "dma_mask_bits", 0444, "32\n");
	sysfs_file(maker, "driver_override", 0644, "vfio-pci\n");
	sysfs_file(maker, "enable", 0644, "0\n");
	sysfs_file(maker, "irq", 0444, "%u\n", slot->irq);
	sysfs_file(maker, "msi_bus", 0644, "1\n");
	sysfs_file(maker, "power_state", 0444, "D0\n");
	sysfs_file(maker, "remove", 0220, "%s", "");
	sysfs_file(maker, "rescan", 0200, "%s", "");
	sysfs_file(maker, "numa_node", 0644, "-1\n");
	make_cpus(maker);
	sysfs_folder(maker, "link");
	if (d->flr) {
		sysfs_file(maker, "reset", 0200, "%s", "");
		sysfs_file(maker, "reset_method", 0644, "flr\n");
	}
	if (d->express) {
		sysfs_file(maker, "current_link_speed", 0444, "Unknown\n");
		sysfs_file(maker, "current_link_width", 0444, "0\n");
		sysfs_file(maker, "max_link_speed", 0444, "Unknown\n");
		sysfs_file(maker, "max_link_width", 0444, "255\n");
	}
}

static void make_device(struct sysfs_maker *maker, const struct pci_slot *slot,
			uint32_t linux_version)
{
	char bdf[PCI_ADDRESS_TEXT_BYTES], root[64], path[PATH_MAX];

	pci_address_print(&slot->address, bdf);
	sysfs_root_path(slot, root, sizeof(root));
	sysfs_shadow(maker, root);
	sysfs_device_path(slot, path, sizeof(path));
	sysfs_replace(maker, path);
	make_ids(maker, slot, bdf);
	make_state(maker, slot);
	make_resources(maker, slot);
	if (!slot->no_iommu) {
		sysfs_link(maker, "iommu", "../../virtual/iommu/" SYSFS_IOMMU);
		sysfs_link(maker, "iommu_group", "../../../kernel/iommu_groups/%u", slot->group);
	}
	sysfs_link(maker, "subsystem", "../../../bus/pci");
	sysfs_folder(maker, "vfio-dev");

	sysfs_enter(maker, "/sys/bus/pci/devices");
	sysfs_link(maker, bdf, "../../../devices/%s/%s", root + strlen("/sys/devices/"), bdf);
	sysfs_bind_links(maker, slot, linux_version);
}

/* ---- group, classes, modules --------------------------------------------------------- */

static void make_group(struct sysfs_maker *maker, const struct pci_bus *bus,
		       const struct pci_slot *first)
{
	const uint32_t group = first->group;

	char path[PATH_MAX], bdf[PCI_ADDRESS_TEXT_BYTES], root[64];

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%u", group);
	sysfs_replace(maker, path);
	sysfs_folder(maker, "devices");
	/* drivers/iommu/iommu.c: what may be mapped nowhere, and how the kernel maps itself */
	sysfs_file(maker, "reserved_regions", 0444, "%s",
		   first->no_iommu ? "" : "0x00000000fee00000 0x00000000feefffff msi\n");
	sysfs_file(maker, "type", 0644, "%s\n", first->no_iommu ? "unknown" : "DMA");
	/* drivers/vfio/group.c made it: vfio_noiommu_group_alloc() */
	if (first->no_iommu)
		sysfs_file(maker, "name", 0444, "vfio-noiommu\n");
	for (unsigned int i = 0; i < pci_bus_count(bus); i++) {
		const struct pci_slot *slot = pci_bus_at(bus, i);

		if (slot->group != group)
			continue;
		pci_address_print(&slot->address, bdf);
		sysfs_root_path(slot, root, sizeof(root));
		snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%u/devices", group);
		sysfs_enter(maker, path);
		sysfs_link(maker, bdf, "../../../../devices/%s/%s",
			  root + strlen("/sys/devices/"), bdf);
	}
}

/* The group's character device. */
static void make_group_device(struct sysfs_maker *maker, const struct pci_slot *first)
{
	char path[PATH_MAX], name[VFIO_NAME_BYTES], number[32];

	vfio_group_name(first, name);
	snprintf(path, sizeof(path), "/sys/devices/virtual/vfio/%s", name);
	sysfs_replace(maker, path);
	snprintf(number, sizeof(number), "%u:%u", FUSE_DEVICE_GROUP_MAJOR, first->group);
	sysfs_file(maker, "dev", 0444, "%s\n", number);
	sysfs_file(maker, "uevent", 0644, "MAJOR=%u\nMINOR=%u\nDEVNAME=vfio/%s\n",
		   FUSE_DEVICE_GROUP_MAJOR, first->group, name);
	sysfs_link(maker, "subsystem", "../../../../class/vfio");
	sysfs_enter(maker, "/sys/class/vfio");
	sysfs_link(maker, name, "../../devices/virtual/vfio/%s", name);
	sysfs_enter(maker, "/sys/dev/char");
	sysfs_link(maker, number, "../../devices/virtual/vfio/%s", name);
}

/* Devices that no IOMMU manages. */
static unsigned int count_without_iommu(const struct pci_bus *bus)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < pci_bus_count(bus); i++)
		count += pci_bus_at(bus, i)->no_iommu;
	return count;
}

static void make_iommu(struct sysfs_maker *maker, const struct pci_bus *bus)
{
	char bdf[PCI_ADDRESS_TEXT_BYTES], root[64];

	if (count_without_iommu(bus) == pci_bus_count(bus))
		return;
	sysfs_replace(maker, "/sys/devices/virtual/iommu/" SYSFS_IOMMU);
	sysfs_folder(maker, "devices");
	sysfs_file(maker, "uevent", 0644, "%s", "");
	sysfs_link(maker, "subsystem", "../../../../class/iommu");
	sysfs_enter(maker, "/sys/devices/virtual/iommu/" SYSFS_IOMMU "/devices");
	for (unsigned int i = 0; i < pci_bus_count(bus); i++) {
		const struct pci_slot *slot = pci_bus_at(bus, i);

		if (slot->no_iommu)
			continue;
		pci_address_print(&slot->address, bdf);
		sysfs_root_path(slot, root, sizeof(root));
		sysfs_link(maker, bdf, "../../../../%s/%s", root + strlen("/sys/devices/"), bdf);
	}
	sysfs_enter(maker, "/sys/class/iommu");
	sysfs_link(maker, SYSFS_IOMMU, "../../devices/virtual/iommu/" SYSFS_IOMMU);
}

static void make_driver(struct sysfs_maker *maker)
{
	sysfs_replace(maker, "/sys/bus/pci/drivers/vfio-pci");
	sysfs_file(maker, "bind", 0200, "%s", "");
	sysfs_file(maker, "unbind", 0200, "%s", "");
	sysfs_file(maker, "new_id", 0200, "%s", "");
	sysfs_file(maker, "remove_id", 0200, "%s", "");
	sysfs_file(maker, "uevent", 0200, "%s", "");
	sysfs_link(maker, "module", "../../../../module/vfio_pci");
}

static void make_module(struct sysfs_maker *maker, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	sysfs_replace(maker, path);
	sysfs_file(maker, "initstate", 0444, "live\n");
	sysfs_file(maker, "refcnt", 0444, "0\n");
	sysfs_folder(maker, "parameters");
	strcat(path, "/parameters");
	sysfs_enter(maker, path);
}

static void make_modules(struct sysfs_maker *maker, const struct pci_bus *bus)
{
	make_module(maker, "vfio");
	sysfs_file(maker, "enable_unsafe_noiommu_mode", 0644, "%c\n",
		   count_without_iommu(bus) ? 'Y' : 'N');
	make_module(maker, "vfio_pci");
	sysfs_file(maker, "ids", 0444, "\n");
	sysfs_file(maker, "disable_denylist", 0444, "N\n");
	make_module(maker, "vfio_pci_core");
	sysfs_file(maker, "nointxmask", 0644, "N\n");
	sysfs_file(maker, "disable_vga", 0444, "N\n");
	sysfs_file(maker, "disable_idle_d3", 0644, "N\n");
	make_module(maker, "iommufd");
	sysfs_file(maker, "allow_unsafe_interrupts", 0644, "N\n");
	sysfs_enter(maker, "/sys/module/vfio_pci");
	sysfs_folder(maker, "drivers");
	sysfs_enter(maker, "/sys/module/vfio_pci/drivers");
	sysfs_link(maker, "pci:vfio-pci", "../../../bus/pci/drivers/vfio-pci");
}

/* Whether a device before the one at index is in the same group. */
static bool group_is_made(const struct pci_bus *bus, unsigned int index)
{
	for (unsigned int i = 0; i < index; i++) {
		if (pci_bus_at(bus, i)->group == pci_bus_at(bus, index)->group)
			return true;
	}
	return false;
}

int sysfs_make(const struct pci_bus *bus, uint32_t linux_version, char *why, size_t size)
{
	static const char *const folders[] = {
		"/sys/bus/pci/devices", "/sys/bus/pci/drivers", "/sys/kernel/iommu_groups",
		"/sys/class/vfio-dev",	"/sys/class/vfio",	"/sys/class/iommu",
		"/sys/dev/char",	"/sys/module",		"/sys/devices/virtual/iommu",
		"/sys/devices/virtual/vfio", "/dev/char",
	};
	struct sysfs_maker maker = { .err = 0 };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		sysfs_shadow(&maker, folders[i]);
	make_driver(&maker);
	make_modules(&maker, bus);
	make_iommu(&maker, bus);
	for (unsigned int i = 0; i < pci_bus_count(bus); i++) {
		const struct pci_slot *slot = pci_bus_at(bus, i);

		if (!group_is_made(bus, i)) {
			make_group(&maker, bus, slot);
			make_group_device(&maker, slot);
		}
		make_device(&maker, slot, linux_version);
	}
	if (maker.err)
		snprintf(why, size, "cannot show the devices in /sys: %s", strerror(-maker.err));
	return maker.err;
}
