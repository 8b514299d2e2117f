/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions about address spaces, devices, page tables, dirty bits. */
#include "tests/kernel/device_calls.h"

#include <stdio.h>
#include <string.h>

void ask_ioas(void)
{
	struct iommu_ioas_alloc cmd = { 0 };
	struct iommu_option option = { .option_id = IOMMU_OPTION_HUGE_PAGES };

	if (ids[IDS_IOAS].count > 4 || CALL(IOMMU_IOAS_ALLOC, &cmd))
		return;
	ids_add(IDS_IOAS, cmd.out_ioas_id);
	option.object_id = cmd.out_ioas_id;
	CALL(IOMMU_OPTION, &option);
}

void detach_all(uint32_t stdev)
{
	static const uint32_t pasids[] = { 1, 5, 1024, 77 };

	for (int i = 0; i < 4; i++) {
		struct iommu_test_cmd cmd = { .pasid_detach = { .pasid = pasids[i] } };

		TEST(PASID_DETACH, stdev, &cmd);
	}
}

void ask_destroy(void)
{
	struct iommu_destroy cmd = { .id = an_id(IDS_ANY) };

	for (unsigned int i = 0; i < ids[IDS_STDEV].count; i++) {
		if (ids[IDS_STDEV].id[i] == cmd.id)
			detach_all(cmd.id);
	}
	if (!CALL(IOMMU_DESTROY, &cmd))
		ids_forget(cmd.id);
}

void ask_map(void)
{
	struct iommu_ioas_map cmd = {
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = an_id(IDS_IOAS),
	};

	cmd.user_va = chance(95) ? a_page() : NOWHERE;
	cmd.length = a_length();
	cmd.iova = an_aligned_iova();
	CALL(IOMMU_IOAS_MAP, &cmd);
}

void ask_unmap(void)
{
	struct iommu_ioas_unmap cmd = { .ioas_id = an_id(IDS_IOAS), .length = UINT64_MAX };

	if (chance(70)) {
		cmd.iova = an_aligned_iova();
		cmd.length = a_length();
	}
	CALL(IOMMU_IOAS_UNMAP, &cmd);
}

void ask_mock_domain(void)
{
	static const uint32_t flags[] = { 0, 0, 4, 4, 5, 1, 2 };
	struct iommu_test_cmd cmd = { .mock_domain_flags = { .dev_flags = ONE_OF(flags) } };

	if (ids[IDS_STDEV].count > 5)
		return;
	if (TEST(MOCK_DOMAIN_FLAGS, chance(70) ? an_id(IDS_IOAS) : a_page_table(), &cmd))
		return;
	ids_add(IDS_STDEV, cmd.mock_domain.out_stdev_id);
	ids_add(IDS_IDEV, cmd.mock_domain.out_idev_id);
	ids_add(IDS_HWPT, cmd.mock_domain.out_hwpt_id);
}

void ask_replace(void)
{
	struct iommu_test_cmd cmd = { .mock_domain_replace = { .pt_id = a_page_table() } };

	TEST(MOCK_DOMAIN_REPLACE, an_id(IDS_STDEV), &cmd);
}

void ask_hwpt(void)
{
	static const uint32_t flags[] = { 0, 0, 1, 1, 2, 3, 4, 8, 8, 12, 10, 16, 5 };
	struct iommu_hwpt_selftest *data = (void *)(uintptr_t)DATA_BASE;
	struct iommu_hwpt_alloc cmd = { .flags = ONE_OF(flags), .dev_id = an_id(IDS_IDEV) };
	bool nested = chance(45);

	if (ids[IDS_HWPT].count + ids[IDS_NESTED].count > 18)
		return;
	if (nested)
		cmd.pt_id = an_id(chance(50) ? IDS_PARENT : IDS_VIOMMU);
	else
		cmd.pt_id = an_id(chance(90) ? IDS_IOAS : IDS_HWPT);
	if (nested ? chance(95) : chance(20)) {
		data->iotlb = IOMMU_TEST_IOTLB_DEFAULT;
		data->pagetable_type = nested ? 0 : (uint32_t)below(3);
		cmd.data_type = chance(92) ? IOMMU_HWPT_DATA_SELFTEST : (uint32_t)below(3);
		cmd.data_len = chance(92) ? sizeof(*data) : (uint32_t)below(12);
		cmd.data_uptr = chance(97) ? DATA_BASE : 0;
	}
	cmd.fault_id = an_id(IDS_FAULT);
	if (nested && chance(80))
		cmd.flags &= IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_PASID;
	if (CALL(IOMMU_HWPT_ALLOC, &cmd))
		return;
	ids_add(nested ? IDS_NESTED : IDS_HWPT, cmd.out_hwpt_id);
	if (!nested && (cmd.flags & IOMMU_HWPT_ALLOC_NEST_PARENT))
		ids_add(IDS_PARENT, cmd.out_hwpt_id);
	if (!nested && (cmd.flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING))
		ids_add(IDS_TRACKED, cmd.out_hwpt_id);
}

void ask_hw_info(void)
{
	static const uint32_t types[] = { 0, IOMMU_HW_INFO_TYPE_SELFTEST, 1, 7 };
	struct iommu_hw_info cmd = { .flags = (uint32_t)below(chance(90) ? 2 : 4),
				     .dev_id = an_id(IDS_IDEV),
				     .data_len = (uint32_t)below(24),
				     .data_uptr = DATA_BASE };

	cmd.in_data_type = ONE_OF(types);
	memset((void *)(uintptr_t)DATA_BASE, 0xa5, 64);
	CALL(IOMMU_GET_HW_INFO, &cmd);
	printf("  data %llx\n", (unsigned long long)hash(DATA_BASE, 64));
}

void ask_pasid(void)
{
	struct iommu_test_cmd cmd = { .pasid_attach = { .pasid = a_pasid() } };
	uint32_t stdev = an_id(IDS_STDEV);

	switch (below(5)) {
	case 0:
	case 1:
		cmd.pasid_attach.pt_id = a_page_table();
		if (!cmd.pasid_attach.pasid)
			cmd.pasid_attach.pasid = 5;
		TEST(PASID_ATTACH, stdev, &cmd);
		break;
	case 2:
		cmd.pasid_attach.pt_id = a_page_table();
		TEST(PASID_REPLACE, stdev, &cmd);
		break;
	case 3:
		TEST(PASID_DETACH, stdev, &cmd);
		break;
	default:
		cmd.pasid_check.hwpt_id = chance(20) ? 0 : a_page_table();
		TEST(PASID_CHECK_HWPT, stdev, &cmd);
	}
}

void ask_dirty(void)
{
	static const uint64_t page_sizes[] = { PAGE, MOCK_PAGE_SIZE, 2 * PAGE, PAGE, 0 };
	struct iommu_hwpt_set_dirty_tracking track = { .flags = chance(90) };
	struct iommu_hwpt_get_dirty_bitmap get = { .flags = (uint32_t)below(2) };
	struct iommu_test_cmd cmd = { 0 };
	uint32_t hwpt = an_id(IDS_TRACKED);

	switch (below(3)) {
	case 0:
		track.hwpt_id = hwpt;
		CALL(IOMMU_HWPT_SET_DIRTY_TRACKING, &track);
		break;
	case 1:
		*(uint32_t *)(uintptr_t)DATA_BASE = (uint32_t)random_next();
		cmd.dirty.iova = an_aligned_iova();
		cmd.dirty.length = (1 + below(8)) * PAGE;
		cmd.dirty.page_size = chance(80) ? PAGE : MOCK_PAGE_SIZE;
		cmd.dirty.uptr = DATA_BASE;
		TEST(DIRTY, hwpt, &cmd);
		break;
	default:
		get.hwpt_id = hwpt;
		get.iova = an_aligned_iova();
		get.length = (1 + below(8)) * PAGE;
		get.page_size = ONE_OF(page_sizes);
		get.data = DATA_BASE + below(8);
		memset((void *)(uintptr_t)DATA_BASE, 0, 64);
		CALL(IOMMU_HWPT_GET_DIRTY_BITMAP, &get);
		printf("  bits %llx\n", *(unsigned long long *)(uintptr_t)DATA_BASE);
	}
}

void ask_check(void)
{
	struct iommu_test_cmd cmd = { 0 };

	switch (below(5)) {
	case 0:
		cmd.check_iotlb.id = (uint32_t)below(5);
		cmd.check_iotlb.iotlb = chance(60) ? IOMMU_TEST_IOTLB_DEFAULT : 0;
		TEST(MD_CHECK_IOTLB, an_id(IDS_NESTED), &cmd);
		break;
	case 1:
		cmd.check_dev_cache.id = (uint32_t)below(5);
		cmd.check_dev_cache.cache = chance(60) ? IOMMU_TEST_DEV_CACHE_DEFAULT : 0;
		TEST(DEV_CHECK_CACHE, an_id(IDS_IDEV), &cmd);
		break;
	case 2:
		cmd.check_refs.length = PAGE * (1 + below(2));
		cmd.check_refs.uptr = a_page();
		cmd.check_refs.refs = (uint32_t)below(3);
		TEST(MD_CHECK_REFS, 0, &cmd);
		break;
	case 3:
		cmd.check_map.iova = an_iova();
		cmd.check_map.length = a_length();
		cmd.check_map.uptr = a_page();
		TEST(MD_CHECK_MAP, an_id(IDS_HWPT), &cmd);
		break;
	default:
		cmd.add_reserved.start = 0x1100000 + below(16) * PAGE;
		cmd.add_reserved.length = PAGE;
		TEST(ADD_RESERVED, an_id(IDS_IOAS), &cmd);
	}
}
