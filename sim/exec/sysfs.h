/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program finds of simulated PCI devices in /sys: the device's folder, its driver
 * vfio-pci, IOMMU group, and classes, beside all that the host has there.
 *
 * Most of it is text that does not change, in the small file systems of shadow.h. What
 * has to answer (config, driver_override, bind, unbind, reset) are files of the device
 * (fuse_device_show()), shown over empty ones.
 */
#ifndef IOASIS_SIM_EXEC_SYSFS_H
#define IOASIS_SIM_EXEC_SYSFS_H

#include "sim/fuse/device.h"

struct pci_bus;
struct sysfs;

/*
 * Makes the folders. bus: settled; borrowed for as long as the namespace. linux_version:
 * ENGINE_LINUX(). After namespace_make_vfio_folder(), with one thread. 0, or -errno with one
 * line in why.
 */
int sysfs_make(const struct pci_bus *bus, uint32_t linux_version, char *why, size_t size);

/*
 * Shows the files that answer; after fuse_device_mount_vfio(). *sysfs outlives the device's
 * stop. 0, or -errno with one line in why.
 */
int sysfs_show(const struct pci_bus *bus, uint32_t linux_version, struct fuse_device *device,
	       struct sysfs **sysfs, char *why, size_t size);
void sysfs_destroy(struct sysfs *sysfs);

#endif
