/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO's container interface of type 1, as far as iommufd speaks it.
 * Source: include/uapi/linux/vfio.h.
 */
#ifndef IOASIS_ENGINE_VFIO_ABI_H
#define IOASIS_ENGINE_VFIO_ABI_H

#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#define VFIO_API_VERSION 0

#define VFIO_NR(offset)		_IO(';', 100 + (offset))
#define VFIO_GET_API_VERSION	VFIO_NR(0)
#define VFIO_CHECK_EXTENSION	VFIO_NR(1)
#define VFIO_SET_IOMMU		VFIO_NR(2)
#define VFIO_IOMMU_GET_INFO	VFIO_NR(12)
#define VFIO_IOMMU_MAP_DMA	VFIO_NR(13)
#define VFIO_IOMMU_UNMAP_DMA	VFIO_NR(14)

enum {
	VFIO_TYPE1_IOMMU = 1,
	VFIO_TYPE1v2_IOMMU = 3,
	VFIO_DMA_CC_IOMMU = 4,
	VFIO_NOIOMMU_IOMMU = 8,
	VFIO_UNMAP_ALL = 9,
};

#define VFIO_DMA_MAP_FLAG_READ	(1u << 0)
#define VFIO_DMA_MAP_FLAG_WRITE (1u << 1)

struct vfio_iommu_type1_dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t vaddr;
	uint64_t iova;
	uint64_t size;
};

#define VFIO_DMA_UNMAP_FLAG_ALL (1u << 1)

struct vfio_iommu_type1_dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t iova;
	uint64_t size;
};

#define VFIO_IOMMU_INFO_PGSIZES (1u << 0)
#define VFIO_IOMMU_INFO_CAPS	(1u << 1)

struct vfio_iommu_type1_info {
	uint32_t argsz;
	uint32_t flags;
	uint64_t iova_pgsizes;
	uint32_t cap_offset;
	uint32_t pad;
};

struct vfio_info_cap_header {
	uint16_t id;
	uint16_t version;
	uint32_t next; /* offset of the next one from the start of the structure */
};

#define VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE 1
#define VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL	     3

struct vfio_iova_range {
	uint64_t start;
	uint64_t end; /* inclusive */
};

struct vfio_iommu_type1_info_cap_iova_range {
	struct vfio_info_cap_header header;
	uint32_t nr_iovas;
	uint32_t reserved;
	struct vfio_iova_range iova_ranges[];
};

struct vfio_iommu_type1_info_dma_avail {
	struct vfio_info_cap_header header;
	uint32_t avail;
};

#endif
