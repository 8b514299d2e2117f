/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kernels answer otherwise than the newest: one row a check that moved.
 *
 * A command or a flag that came later is in the command's own row. Here is what
 * else changed: the order of two checks, what is refused, what is written. A fix
 * that went to stable series has these too, since --linux means the newest
 * release of a series. docs/VERSIONS.md says the same in words.
 */
#ifndef IOASIS_ENGINE_CHANGES_H
#define IOASIS_ENGINE_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

enum engine_change {
	/* iopt_alloc_pages(): an address that wraps is EOVERFLOW before the length is looked at. */
	CHANGE_WRAP_BEFORE_LENGTH,
	/* HWPT_INVALIDATE of what is no nested page table is EINVAL, not ENOENT. */
	CHANGE_INVALIDATE_ANY,
	/* HWPT_ALLOC on an address space takes FAULT_ID_VALID. */
	CHANGE_PAGING_FAULTS,
	/* HWPT_ALLOC refuses FAULT_ID_VALID with NEST_PARENT. */
	CHANGE_NO_PARENT_FAULTS,
	/* The device's file can be mapped. */
	CHANGE_FILE_MMAP,
	/* IOAS_MAP_FILE takes a dma-buf. */
	CHANGE_MAP_DMABUF,
	/* The mock driver's page tables are the kernel's generic ones (AMD's format). */
	CHANGE_GENERIC_PAGE_TABLES,
	/* GET_HW_INFO says that a device has no ATS. */
	CHANGE_NO_ATS_TOLD,
	/* GET_DIRTY_BITMAP refuses a length of 0. */
	CHANGE_DIRTY_NEEDS_LENGTH,
	/* A written entry is reported as a whole, record_dirty(). */
	CHANGE_DIRTY_WHOLE_ENTRY,
	/* BIND makes its object before its group. */
	CHANGE_BIND_OBJECT_FIRST,
	/* The test command's DMABUF_GET returns 0 instead of the descriptor. */
	CHANGE_TEST_DMABUF_ZERO,
	/* A container of a group without an IOMMU does not say that it has type 1. */
	CHANGE_NOIOMMU_NO_TYPE1,
	/* CONFIG_IOMMUFD_NOIOMMU: devices without an IOMMU can be bound. */
	CHANGE_NOIOMMU,
	CHANGE_COUNT,
};

/* Stable series that took a fix; the rest of the array is 0. */
#define CHANGE_SERIES_MAX 3

struct engine_change_row {
	uint32_t since;			   /* ENGINE_LINUX() of the first release with it */
	uint32_t series[CHANGE_SERIES_MAX]; /* ENGINE_LINUX() of older ones that took it */
	const char *commit;		   /* its title */
};

/* Whether the kernel of this version, ENGINE_LINUX(), has the row's change. */
bool engine_change_row_in(const struct engine_change_row *row, uint32_t linux_version);

/* The row of a change. */
const struct engine_change_row *engine_change_row(enum engine_change change);

/* Whether the kernel of this version has it. */
bool engine_change_in(enum engine_change change, uint32_t linux_version);

#endif
