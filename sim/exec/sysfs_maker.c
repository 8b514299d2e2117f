/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/sysfs_maker.h"
#include "sim/exec/shadow.h"
#include "sim/exec/sysfs.h"
#include "sim/vfio/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES (PATH_MAX + 128)

void sysfs_enter(struct sysfs_maker *maker, const char *folder)
{
	snprintf(maker->folder, sizeof(maker->folder), "%s", folder);
}

void sysfs_shadow(struct sysfs_maker *maker, const char *path)
{
	if (!maker->err)
		maker->err = shadow_folder(path);
}

void sysfs_replace(struct sysfs_maker *maker, const char *path)
{
	if (!maker->err)
		maker->err = shadow_replace(path);
	sysfs_enter(maker, path);
}

void sysfs_folder(struct sysfs_maker *maker, const char *name)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/%s", maker->folder, name);
	if (!maker->err && mkdir(path, 0755) && errno != EEXIST)
		maker->err = -errno;
}

void sysfs_file(struct sysfs_maker *maker, const char *name, mode_t mode, const char *format, ...)
{
	char path[PATH_BYTES], text[1024];
	va_list ap;
	int fd, len;

	if (maker->err)
		return;
	va_start(ap, format);
	len = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "%s/%s", maker->folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, (size_t)len) != len || fchmod(fd, mode))
		maker->err = -errno;
	if (fd >= 0)
		close(fd);
}

void sysfs_link(struct sysfs_maker *maker, const char *name, const char *format, ...)
{
	char path[PATH_BYTES], target[512];
	va_list ap;

	if (maker->err)
		return;
	va_start(ap, format);
	vsnprintf(target, sizeof(target), format, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "%s/%s", maker->folder, name);
	unlink(path); /* the host's of this name */
	if (symlink(target, path))
		maker->err = -errno;
}

void sysfs_root_path(const struct pci_slot *slot, char *path, size_t size)
{
	snprintf(path, size, "/sys/devices/pci%04x:%02x", slot->address.domain,
		 slot->address.bus);
}

void sysfs_device_path(const struct pci_slot *slot, char *path, size_t size)
{
	char bdf[PCI_ADDRESS_TEXT_BYTES], root[64];

	sysfs_root_path(slot, root, sizeof(root));
	pci_address_print(&slot->address, bdf);
	snprintf(path, size, "%s/%s", root, bdf);
}

/* ---- what a driver adds ---------------------------------------------------------------- */

/* From a folder deep enough below /sys that dots lead there. */
static void link_device(struct sysfs_maker *maker, const char *folder, const char *name,
			const char *dots, const struct pci_slot *slot, const char *below)
{
	char path[128];

	sysfs_device_path(slot, path, sizeof(path));
	sysfs_enter(maker, folder);
	sysfs_link(maker, name, "%s%s%s", dots, path + strlen("/sys/"), below);
}

/* Its character device, in the folder that was entered and where else that is found. */
static void bind_device_number(struct sysfs_maker *maker, const struct pci_slot *slot,
			       const char *name, const char *below)
{
	char number[32];

	snprintf(number, sizeof(number), "%u:%u", FUSE_DEVICE_VFIO_MAJOR, slot->number);
	sysfs_file(maker, "dev", 0444, "%s\n", number);
	sysfs_file(maker, "uevent", 0644, "MAJOR=%u\nMINOR=%u\nDEVNAME=vfio/devices/%s\n",
		   FUSE_DEVICE_VFIO_MAJOR, slot->number, name);
	link_device(maker, "/sys/dev/char", number, "../../", slot, below);
	sysfs_enter(maker, "/dev/char");
	sysfs_link(maker, number, "../vfio/devices/%s", name);
}

void sysfs_bind_links(struct sysfs_maker *maker, const struct pci_slot *slot,
		      uint32_t linux_version)
{
	char device[128], path[256], bdf[PCI_ADDRESS_TEXT_BYTES];
	char name[VFIO_NAME_BYTES], below[64];

	pci_address_print(&slot->address, bdf);
	sysfs_device_path(slot, device, sizeof(device));
	vfio_device_name(slot, linux_version, name);
	snprintf(below, sizeof(below), "/vfio-dev/%s", name);

	sysfs_enter(maker, device);
	sysfs_link(maker, "driver", "../../../bus/pci/drivers/vfio-pci");
	if (slot->no_iommu) /* the driver makes its group */
		sysfs_link(maker, "iommu_group", "../../../kernel/iommu_groups/%u", slot->group);
	sysfs_folder(maker, "vfio-dev");
	sysfs_folder(maker, below + 1);
	snprintf(path, sizeof(path), "%s%s", device, below);
	sysfs_enter(maker, path);
	sysfs_link(maker, "device", "../../../%s", bdf);
	sysfs_link(maker, "subsystem", "../../../../../class/vfio-dev");
	if (vfio_device_has_file(slot, linux_version))
		bind_device_number(maker, slot, name, below);
	else
		sysfs_file(maker, "uevent", 0644, "%s", "");
	link_device(maker, "/sys/class/vfio-dev", name, "../../", slot, below);
	link_device(maker, "/sys/bus/pci/drivers/vfio-pci", bdf, "../../../../", slot, "");
}

void sysfs_unbind_links(const struct pci_slot *slot, uint32_t linux_version)
{
	char device[128], path[256], bdf[PCI_ADDRESS_TEXT_BYTES], name[VFIO_NAME_BYTES];
	static const char *const files[] = { "dev", "uevent", "device", "subsystem" };

	pci_address_print(&slot->address, bdf);
	sysfs_device_path(slot, device, sizeof(device));
	vfio_device_name(slot, linux_version, name);
	snprintf(path, sizeof(path), "%s/driver", device);
	unlink(path);
	if (slot->no_iommu) {
		snprintf(path, sizeof(path), "%s/iommu_group", device);
		unlink(path);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "%s/vfio-dev/%s/%s", device, name, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/vfio-dev/%s", device, name);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/vfio-dev", device);
	rmdir(path);
	snprintf(path, sizeof(path), "/sys/class/vfio-dev/%s", name);
	unlink(path);
	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/vfio-pci/%s", bdf);
	unlink(path);
	if (!vfio_device_has_file(slot, linux_version))
		return;
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u", FUSE_DEVICE_VFIO_MAJOR, slot->number);
	unlink(path);
	snprintf(path, sizeof(path), "/dev/char/%u:%u", FUSE_DEVICE_VFIO_MAJOR, slot->number);
	unlink(path);
}
