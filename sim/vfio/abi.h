/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of VFIO's user interface that a device file answers, stated here because
 * Debian 12's linux/vfio.h (6.1) knows nothing of iommufd yet.
 *
 * Source: include/uapi/linux/vfio.h, Linux 7.2.
 */
#ifndef IOASIS_SIM_VFIO_ABI_H
#define IOASIS_SIM_VFIO_ABI_H

#include <stdint.h>
#include <sys/ioctl.h>

#define SIM_VFIO_CALL(nr) _IO(';', 100 + (nr))
#define SIM_VFIO_GET_INFO SIM_VFIO_CALL(7)
#define SIM_VFIO_GET_REGION_INFO SIM_VFIO_CALL(8)
#define SIM_VFIO_GET_IRQ_INFO SIM_VFIO_CALL(9)
#define SIM_VFIO_SET_IRQS SIM_VFIO_CALL(10)
#define SIM_VFIO_RESET SIM_VFIO_CALL(11)
#define SIM_VFIO_HOT_RESET_INFO SIM_VFIO_CALL(12)
#define SIM_VFIO_HOT_RESET SIM_VFIO_CALL(13)
#define SIM_VFIO_FEATURE SIM_VFIO_CALL(17)
#define SIM_VFIO_BIND SIM_VFIO_CALL(18)
#define SIM_VFIO_ATTACH SIM_VFIO_CALL(19)
#define SIM_VFIO_DETACH SIM_VFIO_CALL(20)

struct sim_vfio_info {
	uint32_t argsz, flags, num_regions, num_irqs, cap_offset, pad;
};
#define SIM_VFIO_INFO_MIN 16u
#define SIM_VFIO_FLAG_RESET 1u
#define SIM_VFIO_FLAG_PCI 2u

struct sim_vfio_region_info {
	uint32_t argsz, flags, index, cap_offset;
	uint64_t size, offset;
};
#define SIM_VFIO_REGION_READ 1u
#define SIM_VFIO_REGION_WRITE 2u

enum {
	SIM_VFIO_BAR0 = 0,
	SIM_VFIO_BAR5 = 5,
	SIM_VFIO_ROM = 6,
	SIM_VFIO_CONFIG = 7,
	SIM_VFIO_VGA = 8,
	SIM_VFIO_REGIONS = 9,
};
#define SIM_VFIO_OFFSET_SHIFT 40 /* a region's index, in the file offset */

struct sim_vfio_irq_info {
	uint32_t argsz, flags, index, count;
};
#define SIM_VFIO_IRQ_EVENTFD 1u
#define SIM_VFIO_IRQ_MASKABLE 2u
#define SIM_VFIO_IRQ_AUTOMASKED 4u
#define SIM_VFIO_IRQ_NORESIZE 8u

enum {
	SIM_VFIO_INTX = 0,
	SIM_VFIO_MSI = 1,
	SIM_VFIO_MSIX = 2,
	SIM_VFIO_ERR = 3,
	SIM_VFIO_REQ = 4,
	SIM_VFIO_IRQS = 5,
};

struct sim_vfio_irq_set {
	uint32_t argsz, flags, index, start, count;
};
#define SIM_VFIO_DATA_NONE 1u
#define SIM_VFIO_DATA_BOOL 2u
#define SIM_VFIO_DATA_EVENTFD 4u
#define SIM_VFIO_DATA_MASK 7u
#define SIM_VFIO_ACTION_MASK 8u
#define SIM_VFIO_ACTION_UNMASK 16u
#define SIM_VFIO_ACTION_TRIGGER 32u
#define SIM_VFIO_ACTIONS 56u

struct sim_vfio_feature {
	uint32_t argsz, flags;
};
#define SIM_VFIO_FEATURE_MASK 0xffffu
#define SIM_VFIO_FEATURE_GET (1u << 16)
#define SIM_VFIO_FEATURE_SET (1u << 17)
#define SIM_VFIO_FEATURE_PROBE (1u << 18)

struct sim_vfio_bind {
	uint32_t argsz, flags;
	int32_t iommufd;
	uint32_t out_devid;
	uint64_t token_uuid_ptr;
};
#define SIM_VFIO_BIND_MIN 16u

struct sim_vfio_attach {
	uint32_t argsz, flags, pt_id, pasid;
};
#define SIM_VFIO_ATTACH_MIN 12u

struct sim_vfio_detach {
	uint32_t argsz, flags, pasid;
};
#define SIM_VFIO_DETACH_MIN 8u
#define SIM_VFIO_FLAG_PASID 1u

#endif
