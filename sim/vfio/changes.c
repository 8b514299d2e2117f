/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/vfio/changes.h"

#include "sim/engine/engine.h"

#include <stdio.h>

#define LINUX(major, minor) ENGINE_LINUX(major, minor)

/* A title in brackets says what changed where its commit's title is not known. */
static const struct engine_change_row rows[VFIO_CHANGE_COUNT] = {
	[VFIO_CHANGE_NOIOMMU_GROUP] = { LINUX(6, 3), { 0 },
					"vfio: Support VFIO_NOIOMMU with iommufd" },
	[VFIO_CHANGE_DYNAMIC_MSIX] = { LINUX(6, 5), { 0 }, "vfio/pci: Support dynamic MSI-X" },
	[VFIO_CHANGE_CDEV] = { LINUX(6, 6), { 0 }, "vfio: Add cdev for vfio_device" },
	[VFIO_CHANGE_WIDE_ACCESS] = { LINUX(6, 14), { 0 },
				      "vfio/pci: Enable iowrite64 and ioread64 for vfio pci" },
	[VFIO_CHANGE_PASID] = { LINUX(6, 15), { 0 },
				"vfio: VFIO_DEVICE_[AT|DE]TACH_IOMMUFD_PT support pasid" },
	[VFIO_CHANGE_BIND_TOKEN] = { LINUX(6, 17), { 0 },
				     "vfio/pci: Do vf_token checks for VFIO_DEVICE_BIND_IOMMUFD" },
	[VFIO_CHANGE_DMA_BUF] = { LINUX(6, 19), { 0 },
				  "vfio/pci: Add dma-buf export support for MMIO regions" },
	[VFIO_CHANGE_PRECOPY_INFO_V2] = { LINUX(7, 1), { 0 },
					  "vfio: Add support for VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2" },
	[VFIO_CHANGE_WIDE_IOEVENTFD] = { LINUX(7, 3), { 0 },
					 "(vfio_pci_rdwr.c, vfio_pci_ioeventfd())" },
	[VFIO_CHANGE_ERR_OF_ALL] = { LINUX(7, 3), { 0 },
				     "(vfio_pci_core.c, vfio_pci_get_irq_count())" },
	[VFIO_CHANGE_NOIOMMU_CDEV] = { LINUX(7, 3), { 0 },
				       "vfio: Enable cdev noiommu mode under iommufd" },
};

const struct engine_change_row *vfio_change_row(enum vfio_change change)
{
	return &rows[change];
}

bool vfio_change_in(enum vfio_change change, uint32_t linux_version)
{
	return engine_change_row_in(&rows[change], linux_version);
}

/* ---- names ------------------------------------------------------------------------- */

#define NO_IOMMU_PREFIX "noiommu-"

void vfio_device_name(const struct pci_slot *slot, uint32_t linux_version,
		      char name[VFIO_NAME_BYTES])
{
	const bool prefixed = slot->no_iommu &&
			      vfio_change_in(VFIO_CHANGE_NOIOMMU_CDEV, linux_version);

	snprintf(name, VFIO_NAME_BYTES, "%svfio%u", prefixed ? NO_IOMMU_PREFIX : "",
		 slot->number);
}

bool vfio_device_has_file(const struct pci_slot *slot, uint32_t linux_version)
{
	return vfio_change_in(slot->no_iommu ? VFIO_CHANGE_NOIOMMU_CDEV : VFIO_CHANGE_CDEV,
			      linux_version);
}

void vfio_group_name(const struct pci_slot *slot, char name[VFIO_NAME_BYTES])
{
	snprintf(name, VFIO_NAME_BYTES, "%s%u", slot->no_iommu ? NO_IOMMU_PREFIX : "",
		 slot->group);
}
