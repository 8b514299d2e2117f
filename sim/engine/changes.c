/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/engine/changes.h"

#include <stddef.h>

#include "sim/engine/engine.h"

#define LINUX(major, minor) ENGINE_LINUX(major, minor)

/* Oldest first. A title in brackets says what changed where its commit's title is not known. */
static const struct engine_change_row rows[CHANGE_COUNT] = {
	[CHANGE_WRAP_BEFORE_LENGTH] = { LINUX(6, 13), { 0 },
					"iommufd: Generalize iopt_pages address" },
	[CHANGE_INVALIDATE_ANY] = { LINUX(6, 13), { 0 },
				    "iommufd: Allow hwpt_id to carry viommu_id for "
				    "IOMMU_HWPT_INVALIDATE" },
	[CHANGE_PAGING_FAULTS] = { LINUX(6, 13), { 0 },
				   "iommufd: Enable PRI when doing the iommufd_hwpt_alloc" },
	[CHANGE_NO_PARENT_FAULTS] = { LINUX(6, 15), { LINUX(6, 12), LINUX(6, 14) },
				      "iommufd: Disallow allocating nested parent domain with "
				      "fault ID" },
	[CHANGE_FILE_MMAP] = { LINUX(6, 17), { 0 }, "iommufd: Add mmap interface" },
	[CHANGE_MAP_DMABUF] = { LINUX(6, 19), { 0 },
				"iommufd: Accept a DMABUF through IOMMU_IOAS_MAP_FILE" },
	[CHANGE_GENERIC_PAGE_TABLES] = { LINUX(6, 19), { 0 },
					 "iommufd: Change the selftest to use iommupt instead of "
					 "xarray" },
	[CHANGE_NOIOMMU_NO_TYPE1] = { LINUX(7, 0), { LINUX(6, 12), LINUX(6, 18), LINUX(6, 19) },
				      "iommufd: vfio compatibility extension check for noiommu "
				      "mode" },
	[CHANGE_NO_ATS_TOLD] = { LINUX(7, 1), { 0 },
				 "iommufd: Report ATS not supported status via "
				 "IOMMU_GET_HW_INFO" },
	[CHANGE_DIRTY_NEEDS_LENGTH] = { LINUX(7, 3), { LINUX(6, 12), LINUX(6, 18) },
					"iommufd: Reject a zero-length dirty bitmap request" },
	[CHANGE_DIRTY_WHOLE_ENTRY] = { LINUX(7, 3), { 0 },
				       "(generic_pt/iommu_pt.h, record_dirty())" },
	[CHANGE_BIND_OBJECT_FIRST] = { LINUX(7, 3), { 0 },
				       "(iommufd/device.c, iommufd_device_bind())" },
	[CHANGE_TEST_DMABUF_ZERO] = { LINUX(7, 3), { 0 },
				      "(iommufd/selftest.c, iommufd_test_dmabuf_get())" },
	[CHANGE_NOIOMMU] = { LINUX(7, 3), { 0 }, "(iommufd/hwpt_noiommu.c)" },
};

bool engine_change_row_in(const struct engine_change_row *row, uint32_t linux_version)
{
	if (linux_version >= row->since)
		return true;
	for (size_t i = 0; i < CHANGE_SERIES_MAX; i++) {
		if (row->series[i] == linux_version)
			return true;
	}
	return false;
}

const struct engine_change_row *engine_change_row(enum engine_change change)
{
	return &rows[change];
}

bool engine_change_in(enum engine_change change, uint32_t linux_version)
{
	return engine_change_row_in(&rows[change], linux_version);
}
