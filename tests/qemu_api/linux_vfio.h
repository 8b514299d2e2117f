/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of Linux 7.3's <linux/vfio.h> what hw/vfio/iommufd.c uses: that of Debian 12 has less. */
#ifndef IOASIS_TESTS_QEMU_API_LINUX_VFIO_H
#define IOASIS_TESTS_QEMU_API_LINUX_VFIO_H

#include <linux/types.h>

#include "sim/vfio/abi.h"

#define VFIO_DEVICE_BIND_IOMMUFD SIM_VFIO_BIND
#define VFIO_DEVICE_ATTACH_IOMMUFD_PT SIM_VFIO_ATTACH
#define VFIO_DEVICE_DETACH_IOMMUFD_PT SIM_VFIO_DETACH
#define VFIO_DEVICE_GET_INFO SIM_VFIO_CALL(7)
#define VFIO_DEVICE_PCI_HOT_RESET SIM_VFIO_CALL(13)
#define VFIO_DEVICE_ATTACH_PASID SIM_VFIO_FLAG_PASID
#define VFIO_DEVICE_DETACH_PASID SIM_VFIO_FLAG_PASID

struct vfio_device_bind_iommufd {
	__u32 argsz, flags;
	__s32 iommufd;
	__u32 out_devid;
	__aligned_u64 token_uuid_ptr;
};

struct vfio_device_attach_iommufd_pt {
	__u32 argsz, flags, pt_id, pasid;
};

struct vfio_device_detach_iommufd_pt {
	__u32 argsz, flags, pasid;
};

struct vfio_device_info {
	__u32 argsz, flags, num_regions, num_irqs, cap_offset, pad;
};

#define VFIO_PCI_DEVID_OWNED 0
#define VFIO_PCI_DEVID_NOT_OWNED -1
#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID 1u
#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED 2u

struct vfio_pci_dependent_device {
	__s32 devid;
	__u16 segment;
	__u8 bus, devfn;
};

struct vfio_pci_hot_reset_info {
	__u32 argsz, flags, count;
	struct vfio_pci_dependent_device devices[];
};

struct vfio_pci_hot_reset {
	__u32 argsz, flags, count;
	__s32 group_fds[];
};

#endif
