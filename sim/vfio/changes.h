/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What VFIO of older kernels lacks or answers otherwise: one row a check that moved, as
 * sim/engine/changes.h has them for iommufd. Code asks for a row by its name, never for a
 * version; docs/VERSIONS.md says the same in words.
 *
 * Also the names that VFIO gives, which depend on the version.
 */
#ifndef IOASIS_SIM_VFIO_CHANGES_H
#define IOASIS_SIM_VFIO_CHANGES_H

#include "sim/engine/changes.h"
#include "sim/pci/pci_bus.h"

enum vfio_change {
	/* A device without an IOMMU has a group whose container is an iommufd. */
	VFIO_CHANGE_NOIOMMU_GROUP,
	/* Vectors of MSI-X can be added while others are in use. */
	VFIO_CHANGE_DYNAMIC_MSIX,
	/* A device has a file of its own, BIND, ATTACH, DETACH; hot reset without groups. */
	VFIO_CHANGE_CDEV,
	/* An access of 8 bytes reaches the device as one. */
	VFIO_CHANGE_WIDE_ACCESS,
	/* ATTACH and DETACH take a PASID. */
	VFIO_CHANGE_PASID,
	/* BIND takes a token, and refuses a longer structure whose tail is not 0. */
	VFIO_CHANGE_BIND_TOKEN,
	/* DEVICE_FEATURE_DMA_BUF. */
	VFIO_CHANGE_DMA_BUF,
	/* DEVICE_FEATURE_MIG_PRECOPY_INFO_V2. */
	VFIO_CHANGE_PRECOPY_INFO_V2,
	/* IOEVENTFD of 8 bytes. */
	VFIO_CHANGE_WIDE_IOEVENTFD,
	/* The error interrupt is there also without PCI Express. */
	VFIO_CHANGE_ERR_OF_ALL,
	/* A device without an IOMMU has a file of its own. */
	VFIO_CHANGE_NOIOMMU_CDEV,
	VFIO_CHANGE_COUNT,
};

/* The row of a change. */
const struct engine_change_row *vfio_change_row(enum vfio_change change);

/* Whether VFIO of the kernel of this version, ENGINE_LINUX(), has it. */
bool vfio_change_in(enum vfio_change change, uint32_t linux_version);

/* ---- names ------------------------------------------------------------------------- */

#define VFIO_NAME_BYTES 24u

/*
 * What the device is called in sysfs, and in /dev/vfio/devices where it has a file: vfio3,
 * since 7.3 noiommu-vfio3 without an IOMMU. Source: vfio_device_set_noiommu_and_name().
 */
void vfio_device_name(const struct pci_slot *slot, uint32_t linux_version,
		      char name[VFIO_NAME_BYTES]);
/* Whether it has such a file. Source: vfio_init_device_cdev(). */
bool vfio_device_has_file(const struct pci_slot *slot, uint32_t linux_version);
/* What its group is called in /dev/vfio: 3, or noiommu-3. Source: vfio_create_group(). */
void vfio_group_name(const struct pci_slot *slot, char name[VFIO_NAME_BYTES]);

#endif
