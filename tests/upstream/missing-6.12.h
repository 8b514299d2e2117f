/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the self-tests of 6.12's stable releases use and their headers lack: tests of later
 * kernels were taken over without the definitions. The values are those of 6.17.
 */
#define in_data_type out_data_type
#define IOMMU_HW_INFO_TYPE_DEFAULT 0
#define IOMMU_HW_INFO_FLAG_INPUT_TYPE (1 << 0)
#define MOCK_FLAGS_DEVICE_PASID (1 << 2)
#define MOCK_PASID_WIDTH 20
