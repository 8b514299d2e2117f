/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of VFIO's user interface that a device file answers, stated here because
 * Debian 12's linux/vfio.h (6.1) knows nothing of iommufd yet.
 *
 * Source: include/uapi/linux/vfio.h, Linux 7.3.
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
#define SIM_VFIO_IOEVENTFD SIM_VFIO_CALL(16)
#define SIM_VFIO_FEATURE SIM_VFIO_CALL(17)
#define SIM_VFIO_BIND SIM_VFIO_CALL(18)
#define SIM_VFIO_ATTACH SIM_VFIO_CALL(19)
#define SIM_VFIO_DETACH SIM_VFIO_CALL(20)
#define SIM_VFIO_GET_PRECOPY_INFO SIM_VFIO_CALL(21) /* of a file with migration data */

/* ---- GET_INFO, GET_REGION_INFO ----------------------------------------- */

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
#define SIM_VFIO_REGION_MMAP 4u
#define SIM_VFIO_REGION_CAPS 8u

struct sim_vfio_cap_header {
	uint16_t id, version;
	uint32_t next; /* from the beginning of the structure */
};
#define SIM_VFIO_CAP_SPARSE_MMAP 1u
#define SIM_VFIO_CAP_MSIX_MAPPABLE 3u

struct sim_vfio_sparse_mmap {
	struct sim_vfio_cap_header header;
	uint32_t nr_areas, reserved;
	struct {
		uint64_t offset, size;
	} areas[];
};

enum {
	SIM_VFIO_BAR0 = 0,
	SIM_VFIO_BAR5 = 5,
	SIM_VFIO_ROM = 6,
	SIM_VFIO_CONFIG = 7,
	SIM_VFIO_VGA = 8,
	SIM_VFIO_REGIONS = 9,
};
#define SIM_VFIO_OFFSET_SHIFT 40 /* a region's index, in the file offset */

/* ---- interrupts -------------------------------------------------------- */

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

struct sim_vfio_ioeventfd {
	uint32_t argsz, flags;
	uint64_t offset, data;
	int32_t fd;
	uint32_t reserved;
};
#define SIM_VFIO_IOEVENTFD_MIN 28u
#define SIM_VFIO_IOEVENTFD_SIZES 0xfu /* flags: one bit, which is the number of bytes */

/* ---- hot reset --------------------------------------------------------- */

struct sim_vfio_dependent_device {
	union {
		uint32_t group_id;
		int32_t devid;
	};
	uint16_t segment;
	uint8_t bus, devfn;
};
#define SIM_VFIO_DEVID_OWNED 0
#define SIM_VFIO_DEVID_NOT_OWNED (-1)

struct sim_vfio_hot_reset_info {
	uint32_t argsz, flags, count;
	/* struct sim_vfio_dependent_device devices[]; */
};
#define SIM_VFIO_HOT_RESET_DEV_ID 1u
#define SIM_VFIO_HOT_RESET_DEV_ID_OWNED 2u

struct sim_vfio_hot_reset {
	uint32_t argsz, flags, count;
	/* int32_t group_fds[]; */
};

/* ---- DEVICE_FEATURE ------------------------------------------------------ */

struct sim_vfio_feature {
	uint32_t argsz, flags;
	/* the feature's own structure follows */
};
#define SIM_VFIO_FEATURE_MASK 0xffffu
#define SIM_VFIO_FEATURE_GET (1u << 16)
#define SIM_VFIO_FEATURE_SET (1u << 17)
#define SIM_VFIO_FEATURE_PROBE (1u << 18)

enum {
	SIM_VFIO_FEATURE_VF_TOKEN = 0,
	SIM_VFIO_FEATURE_MIGRATION = 1,
	SIM_VFIO_FEATURE_MIG_STATE = 2,
	SIM_VFIO_FEATURE_LOW_POWER_ENTRY = 3,
	SIM_VFIO_FEATURE_LOW_POWER_WAKEUP = 4,
	SIM_VFIO_FEATURE_LOW_POWER_EXIT = 5,
	SIM_VFIO_FEATURE_LOG_START = 6,
	SIM_VFIO_FEATURE_LOG_STOP = 7,
	SIM_VFIO_FEATURE_LOG_REPORT = 8,
	SIM_VFIO_FEATURE_MIG_DATA_SIZE = 9,
	SIM_VFIO_FEATURE_BUS_MASTER = 10,
	SIM_VFIO_FEATURE_DMA_BUF = 11,
	SIM_VFIO_FEATURE_PRECOPY_INFO_V2 = 12,
};

struct sim_vfio_low_power_wakeup {
	int32_t eventfd;
	uint32_t reserved;
};

struct sim_vfio_dma_range {
	uint64_t offset, length;
};

struct sim_vfio_dma_buf {
	uint32_t region_index, open_flags, flags, nr_ranges;
	/* struct sim_vfio_dma_range dma_ranges[]; */
};

#define SIM_VFIO_MIGRATION_STOP_COPY 1u
#define SIM_VFIO_MIGRATION_P2P 2u
#define SIM_VFIO_MIGRATION_PRE_COPY 4u

struct sim_vfio_mig_state {
	uint32_t device_state;
	int32_t data_fd;
};

enum sim_vfio_state {
	SIM_VFIO_STATE_ERROR = 0,
	SIM_VFIO_STATE_STOP = 1,
	SIM_VFIO_STATE_RUNNING = 2,
	SIM_VFIO_STATE_STOP_COPY = 3,
	SIM_VFIO_STATE_RESUMING = 4,
	SIM_VFIO_STATE_RUNNING_P2P = 5,
	SIM_VFIO_STATE_PRE_COPY = 6,
	SIM_VFIO_STATE_PRE_COPY_P2P = 7,
	SIM_VFIO_STATES = 8,
};

struct sim_vfio_precopy_info {
	uint32_t argsz, flags;
	uint64_t initial_bytes, dirty_bytes;
};

struct sim_vfio_log_range {
	uint64_t iova, length;
};

struct sim_vfio_log_control {
	uint64_t page_size;
	uint32_t num_ranges, reserved;
	uint64_t ranges;
};

struct sim_vfio_log_report {
	uint64_t iova, length, page_size, bitmap;
};

/* ---- BIND, ATTACH, DETACH ------------------------------------------------ */

struct sim_vfio_bind {
	uint32_t argsz, flags;
	int32_t iommufd;
	uint32_t out_devid;
	uint64_t token_uuid_ptr;
};
#define SIM_VFIO_BIND_MIN 16u
#define SIM_VFIO_BIND_TOKEN 1u

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
