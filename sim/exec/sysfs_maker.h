/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of sysfs*.c: entries of /sys, and what a device has of its driver. */
#ifndef IOASIS_SIM_EXEC_SYSFS_MAKER_H
#define IOASIS_SIM_EXEC_SYSFS_MAKER_H

#include "sim/pci/pci_bus.h"

#include <limits.h>
#include <sys/types.h>

/* The name of the IOMMU that all devices are behind. */
#define SYSFS_IOMMU "ioasis0"

/* Where entries go, and the first error: what follows one does nothing. */
struct sysfs_maker {
	char folder[PATH_MAX];
	int err; /* -errno */
};

void sysfs_enter(struct sysfs_maker *maker, const char *folder);
/* Enters it, in a folder of shadow_folder(), empty. */
void sysfs_replace(struct sysfs_maker *maker, const char *path);
/* shadow_folder(); enters nothing. */
void sysfs_shadow(struct sysfs_maker *maker, const char *path);

/* Entries of the folder that was entered. */
void sysfs_folder(struct sysfs_maker *maker, const char *name);
__attribute__((format(printf, 4, 5))) void sysfs_file(struct sysfs_maker *maker, const char *name,
						      mode_t mode, const char *format, ...);
/* In place of what has the name. */
__attribute__((format(printf, 3, 4))) void sysfs_link(struct sysfs_maker *maker, const char *name,
						      const char *format, ...);

/* /sys/devices/pci0000:00, and the device's folder in it. */
void sysfs_root_path(const struct pci_slot *slot, char *path, size_t size);
void sysfs_device_path(const struct pci_slot *slot, char *path, size_t size);

/*
 * What there is of a device while it is bound to vfio-pci of a kernel, ENGINE_LINUX(), made
 * and taken away.
 */
void sysfs_bind_links(struct sysfs_maker *maker, const struct pci_slot *slot,
		      uint32_t linux_version);
void sysfs_unbind_links(const struct pci_slot *slot, uint32_t linux_version);

#endif
