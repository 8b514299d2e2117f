/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page tables, devices, attachments, dirty bits. */
#include "tests/unit/engine_rig.h"

#include <errno.h>
#include <string.h>

#define IOVA MOCK_APERTURE_START

static void test_attach_makes_page_table_that_goes_with_last_device(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig);
	struct rig_mock one = rig_mock_domain(rig, ioas, 0);
	struct rig_mock two = rig_mock_domain(rig, ioas, 0);

	assert_int_equal(one.stdev, ioas + 1);
	assert_int_equal(one.idev, ioas + 2);
	assert_int_equal(one.hwpt, ioas + 3);
	assert_int_equal(two.hwpt, one.hwpt);
	assert_int_equal(rig_destroy(rig, one.hwpt), -EBUSY);
	assert_int_equal(rig_destroy(rig, one.idev), -EBUSY);
	assert_int_equal(rig_destroy(rig, ioas), -EBUSY);
	assert_int_equal(rig_destroy(rig, one.stdev), 0);
	assert_int_equal(rig_destroy(rig, one.idev), -ENOENT);
	assert_int_equal(rig_destroy(rig, one.hwpt), -EBUSY);
	assert_int_equal(rig_destroy(rig, two.stdev), 0);
	assert_int_equal(rig_destroy(rig, one.hwpt), -ENOENT);
	assert_int_equal(rig_destroy(rig, ioas), 0);
	assert_int_equal(rig_objects(rig), 0);
}

static void test_attach_pins_and_detach_unpins(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig);
	struct rig_mock mock;

	rig_map(rig, ioas, 0, 8, IOVA);
	assert_int_equal(rig_check_refs(rig, 0, 8, 0), 0);
	mock = rig_mock_domain(rig, ioas, 0);
	assert_int_equal(rig_check_refs(rig, 0, 8, 1), 0);
	assert_int_equal(rig_check_refs(rig, 0, 9, 1), -EIO);
	assert_int_equal(rig_check_map(rig, mock.hwpt, IOVA, 0, 8), 0);
	assert_int_equal(rig_check_map(rig, mock.hwpt, IOVA, 1, 1), -EINVAL);
	assert_int_equal(rig_check_map(rig, mock.hwpt, IOVA + 8 * ENGINE_PAGE_SIZE, 8, 1),
			 -EINVAL);
	assert_int_equal(rig_check_map(rig, mock.hwpt, IOVA, FAKE_PAGES, 1), -EFAULT);
	rig_map(rig, ioas, 8, 8, IOVA + 8 * ENGINE_PAGE_SIZE);
	assert_int_equal(rig_check_refs(rig, 0, 16, 1), 0);
	assert_int_equal(rig_destroy(rig, mock.stdev), 0);
	assert_int_equal(rig_check_refs(rig, 0, 16, 0), 0);
}

static void test_attach_of_bad_memory_is_efault_and_undone(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig);
	struct iommu_test_cmd cmd = { .op = IOMMU_TEST_OP_MOCK_DOMAIN, .id = ioas };
	unsigned int before;

	rig_map(rig, ioas, 0, 4, IOVA);
	rig_map(rig, ioas, FAKE_PAGES - 1, 2, IOVA + 0x100000);
	before = rig_objects(rig);
	assert_int_equal(rig_test(rig, &cmd), -EFAULT);
	assert_int_equal(rig_objects(rig), before);
	assert_int_equal(rig_check_refs(rig, 0, 4, 0), 0);
	assert_int_equal(rig_unmap(rig, ioas, IOVA + 0x100000, 2 * ENGINE_PAGE_SIZE), 0);
	rig_mock_domain(rig, ioas, 0);
}

static void test_attach_outside_aperture_is_eaddrinuse(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig);
	struct iommu_test_cmd cmd = { .op = IOMMU_TEST_OP_MOCK_DOMAIN, .id = ioas };

	rig_map(rig, ioas, 0, 1, 0x1000);
	assert_int_equal(rig_test(rig, &cmd), -EADDRINUSE);
	assert_int_equal(rig_unmap(rig, ioas, 0x1000, ENGINE_PAGE_SIZE), 0);
	cmd.id = 77;
	assert_int_equal(rig_test(rig, &cmd), -ENOENT);
	cmd.id = rig_mock_domain(rig, ioas, 0).idev;
	assert_int_equal(rig_test(rig, &cmd), -EINVAL);
}

static void test_hwpt_alloc_bad_arguments(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig);
	struct rig_mock mock = rig_mock_domain(rig, ioas, 0);
	struct rig_mock clean = rig_mock_domain(rig, ioas, MOCK_FLAGS_DEVICE_NO_DIRTY);
	const struct {
		uint32_t flags, dev, pt, type, len;
		long want;
	} rows[] = {
		{ 0, 99, ioas, 0, 0, -ENOENT },
		{ 0, mock.idev, 99, 0, 0, -EINVAL },
		{ 0, mock.idev, ioas, 1, 0, -EINVAL },
		{ 0, mock.idev, ioas, 0, 8, -EINVAL },
		{ 16, mock.idev, ioas, 0, 0, -EOPNOTSUPP },
		{ 0, mock.idev, ioas, 1, 8, -EOPNOTSUPP },
		{ 0, mock.idev, ioas, IOMMU_HWPT_DATA_SELFTEST, 3, -EINVAL },
		{ 0, mock.idev, ioas, IOMMU_HWPT_DATA_SELFTEST, 9, -EINVAL },
		{ 0, mock.idev, mock.hwpt, 0, 0, -EOPNOTSUPP },
		{ 0, mock.idev, mock.hwpt, IOMMU_HWPT_DATA_SELFTEST, 8, -EINVAL },
		{ 0, mock.idev, mock.idev, 0, 0, -EINVAL },
		{ IOMMU_HWPT_ALLOC_DIRTY_TRACKING, clean.idev, ioas, 0, 0, -EOPNOTSUPP },
		{ IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_NEST_PARENT, mock.idev, ioas, 0, 0,
		  -EOPNOTSUPP },
		{ IOMMU_HWPT_FAULT_ID_VALID, mock.idev, ioas, 0, 0, -ENOENT },
	};
	struct iommu_hwpt_selftest data = { 0 };
	unsigned int before = rig_objects(rig);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct iommu_hwpt_alloc cmd = {
			.size = sizeof(cmd),
			.flags = rows[i].flags,
			.dev_id = rows[i].dev,
			.pt_id = rows[i].pt,
			.data_type = rows[i].type,
			.data_len = rows[i].len,
			.data_uptr = (uint64_t)(uintptr_t)&data,
		};

		assert_int_equal(rig_call(rig, IOMMU_HWPT_ALLOC, &cmd), rows[i].want);
		assert_int_equal(rig_objects(rig), before);
	}
}

static void test_nested_holds_parent_and_caches(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig);
	struct rig_mock mock = rig_mock_domain(rig, ioas, 0);
	uint32_t parent = rig_hwpt(rig, mock.idev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT);
	uint32_t nested = rig_nested(rig, mock.idev, parent, 0);
	struct iommu_hwpt_invalidate_selftest entries[2] = { { .iotlb_id = 1 },
							     { .iotlb_id = 4 } };
	struct iommu_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = nested,
		.data_uptr = (uint64_t)(uintptr_t)entries,
		.data_type = IOMMU_HWPT_INVALIDATE_DATA_SELFTEST,
		.entry_len = sizeof(*entries),
		.entry_num = 2,
	};
	struct iommu_test_cmd check = { .op = IOMMU_TEST_OP_MD_CHECK_IOTLB, .id = nested };

	assert_int_equal(rig_destroy(rig, parent), -EBUSY);
	/* The second entry is wrong: the first has taken effect, and the count says so. */
	assert_int_equal(rig_call(rig, IOMMU_HWPT_INVALIDATE, &cmd), -EINVAL);
	assert_int_equal(cmd.entry_num, 1);
	for (uint32_t id = 0; id < MOCK_NESTED_DOMAIN_IOTLB_NUM; id++) {
		check.check_iotlb.id = id;
		check.check_iotlb.iotlb = id == 1 ? 0 : IOMMU_TEST_IOTLB_DEFAULT;
		assert_int_equal(rig_test(rig, &check), 0);
	}
	check.check_iotlb.id = 4;
	assert_int_equal(rig_test(rig, &check), -EINVAL);
	cmd.hwpt_id = parent;
	cmd.entry_num = 1;
	assert_int_equal(rig_call(rig, IOMMU_HWPT_INVALIDATE, &cmd), -EINVAL);
	assert_int_equal(cmd.entry_num, 0);
	assert_int_equal(rig_destroy(rig, nested), 0);
	assert_int_equal(rig_destroy(rig, parent), 0);
}

static void test_replace_moves_device_and_drops_old_page_table(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig), other = rig_ioas(rig);
	struct rig_mock mock = rig_mock_domain(rig, ioas, 0);
	struct iommu_test_cmd cmd = { .op = IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE, .id = mock.stdev };
	uint32_t own = rig_hwpt(rig, mock.idev, ioas, 0);

	cmd.mock_domain_replace.pt_id = own;
	assert_int_equal(rig_test(rig, &cmd), 0);
	assert_int_equal(cmd.mock_domain_replace.pt_id, own);
	assert_int_equal(rig_destroy(rig, mock.hwpt), -ENOENT);
	cmd.mock_domain_replace.pt_id = other;
	assert_int_equal(rig_test(rig, &cmd), 0);
	assert_int_equal(rig_destroy(rig, cmd.mock_domain_replace.pt_id), -EBUSY);
	assert_int_equal(rig_destroy(rig, own), 0);
	assert_int_equal(rig_destroy(rig, ioas), 0);
	cmd.mock_domain_replace.pt_id = ioas;
	assert_int_equal(rig_test(rig, &cmd), -ENOENT);
}

static void test_pasid_attachments_are_their_own(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig);
	struct rig_mock mock = rig_mock_domain(rig, ioas, MOCK_FLAGS_DEVICE_PASID);
	uint32_t hwpt = rig_hwpt(rig, mock.idev, ioas, IOMMU_HWPT_ALLOC_PASID);
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_PASID_ATTACH,
		.id = mock.stdev,
		.pasid_attach = { .pasid = 100, .pt_id = hwpt },
	};
	struct iommu_test_cmd check = {
		.op = IOMMU_TEST_OP_PASID_CHECK_HWPT,
		.id = mock.stdev,
		.pasid_check = { .pasid = 100, .hwpt_id = hwpt },
	};

	/* The device itself is on a page table that does not go with PASIDs. */
	assert_int_equal(rig_test(rig, &cmd), -EINVAL);
	cmd.op = IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE;
	cmd.mock_domain_replace.pt_id = hwpt;
	assert_int_equal(rig_test(rig, &cmd), 0);
	cmd.op = IOMMU_TEST_OP_PASID_ATTACH;
	cmd.pasid_attach.pasid = 100;
	cmd.pasid_attach.pt_id = hwpt;
	assert_int_equal(rig_test(rig, &cmd), 0);
	assert_int_equal(rig_test(rig, &cmd), -EBUSY);
	assert_int_equal(rig_test(rig, &check), 0);
	cmd.pasid_attach.pasid = 1u << MOCK_PASID_WIDTH;
	assert_int_equal(rig_test(rig, &cmd), -EINVAL);
	cmd.op = IOMMU_TEST_OP_PASID_DETACH;
	cmd.pasid_detach.pasid = 100;
	assert_int_equal(rig_test(rig, &cmd), 0);
	assert_int_equal(rig_test(rig, &cmd), 0);
	assert_int_equal(rig_test(rig, &check), -EINVAL);
	check.pasid_check.hwpt_id = 0;
	assert_int_equal(rig_test(rig, &check), 0);
	assert_int_equal(rig_destroy(rig, mock.stdev), 0);
	assert_int_equal(rig_destroy(rig, hwpt), 0);
}

/* ---- dirty bits ------------------------------------------------------------------- */

static long get_dirty(struct rig *rig, uint32_t hwpt, uint64_t length, uint32_t flags,
		      uint64_t page_size, void *bits)
{
	struct iommu_hwpt_get_dirty_bitmap cmd = {
		.size = sizeof(cmd),
		.hwpt_id = hwpt,
		.flags = flags,
		.iova = IOVA,
		.length = length,
		.page_size = page_size,
		.data = (uint64_t)(uintptr_t)bits,
	};

	return rig_call(rig, IOMMU_HWPT_GET_DIRTY_BITMAP, &cmd);
}

static long set_tracking(struct rig *rig, uint32_t hwpt, bool on)
{
	struct iommu_hwpt_set_dirty_tracking cmd = {
		.size = sizeof(cmd), .flags = on, .hwpt_id = hwpt
	};

	return rig_call(rig, IOMMU_HWPT_SET_DIRTY_TRACKING, &cmd);
}

static long make_dirty(struct rig *rig, uint32_t hwpt, uint64_t length, void *bits)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_DIRTY,
		.id = hwpt,
		.dirty = { .iova = IOVA,
			   .length = length,
			   .page_size = ENGINE_PAGE_SIZE,
			   .uptr = (uint64_t)(uintptr_t)bits },
	};

	return rig_test(rig, &cmd);
}

static void test_dirty_bits_come_once_unless_not_cleared(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig), hwpt;
	struct rig_mock mock = rig_mock_domain(rig, ioas, 0);
	const uint64_t length = 16 * ENGINE_PAGE_SIZE;
	uint8_t dirt[2] = { 0x81, 0x10 }, bits[2] = { 0, 0 };

	rig_map(rig, ioas, 0, 16, IOVA);
	assert_int_equal(set_tracking(rig, mock.hwpt, true), -EOPNOTSUPP);
	assert_int_equal(get_dirty(rig, mock.hwpt, length, 0, 4096, bits), -EOPNOTSUPP);
	hwpt = rig_hwpt(rig, mock.idev, ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING);
	assert_int_equal(make_dirty(rig, hwpt, length, dirt), -EINVAL);
	assert_int_equal(set_tracking(rig, hwpt, true), 0);
	assert_int_equal(make_dirty(rig, hwpt, length, dirt), 0);
	assert_int_equal(get_dirty(rig, hwpt, length, IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR, 4096,
				   bits), 0);
	assert_memory_equal(bits, dirt, 2);
	memset(bits, 0x40, 2);
	assert_int_equal(get_dirty(rig, hwpt, length, 0, 4096, bits), 0);
	assert_int_equal(bits[0], 0xc1); /* only ever added to */
	assert_int_equal(bits[1], 0x50);
	memset(bits, 0, 2);
	assert_int_equal(get_dirty(rig, hwpt, length, 0, 4096, bits), 0);
	assert_int_equal(bits[0] | bits[1], 0);

	/* Enabling forgets, unmapping forgets. */
	assert_int_equal(make_dirty(rig, hwpt, length, dirt), 0);
	assert_int_equal(set_tracking(rig, hwpt, true), 0);
	assert_int_equal(get_dirty(rig, hwpt, length, 0, 4096, bits), 0);
	assert_int_equal(bits[0] | bits[1], 0);
	assert_int_equal(make_dirty(rig, hwpt, length, dirt), 0);
	assert_int_equal(rig_unmap(rig, ioas, IOVA, length), 0);
	rig_map(rig, ioas, 0, 16, IOVA);
	assert_int_equal(get_dirty(rig, hwpt, length, 0, 4096, bits), 0);
	assert_int_equal(bits[0] | bits[1], 0);
}

static void test_dirty_ranges_bad_and_unreachable(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig), hwpt;
	struct rig_mock mock = rig_mock_domain(rig, ioas, 0);
	uint8_t dirt = 0xff, bits[8] = { 0 };

	hwpt = rig_hwpt(rig, mock.idev, ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING);
	rig_map(rig, ioas, 0, 8, IOVA);
	assert_int_equal(set_tracking(rig, hwpt, true), 0);
	assert_int_equal(make_dirty(rig, hwpt, 8 * ENGINE_PAGE_SIZE, &dirt), 0);
	assert_int_equal(get_dirty(rig, hwpt, 0, 0, 4096, bits), -EINVAL);
	assert_int_equal(get_dirty(rig, hwpt, 4096, 0, 0, bits), -EINVAL);
	assert_int_equal(get_dirty(rig, hwpt, 1000, 0, 4096, bits), -EINVAL);
	assert_int_equal(get_dirty(rig, hwpt, 4096, 2, 4096, bits), -EOPNOTSUPP);
	assert_int_equal(get_dirty(rig, ioas, 4096, 0, 4096, bits), -ENOENT);
	/* A bitmap that is not there, and a range that is not mapped to its end. */
	assert_int_equal(get_dirty(rig, hwpt, 8 * ENGINE_PAGE_SIZE, 1, 4096, NULL), 0);
	assert_int_equal(get_dirty(rig, hwpt, 64 * ENGINE_PAGE_SIZE, 0, 4096, bits), 0);
	assert_int_equal(bits[0], 0xff);
}

static void test_dirty_bitmap_over_many_pages_of_the_client(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig), hwpt;
	struct rig_mock mock = rig_mock_domain(rig, ioas, 0);
	static uint8_t bits[3 * ENGINE_PAGE_SIZE];
	uint8_t *at = bits + ENGINE_PAGE_SIZE - (uintptr_t)bits % ENGINE_PAGE_SIZE - 3;
	uint8_t dirt[2] = { 0x01, 0x80 };

	/* A bit stands for 8 bytes: a page is 512 bits. */
	hwpt = rig_hwpt(rig, mock.idev, ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING);
	rig_map(rig, ioas, 0, 16, IOVA);
	assert_int_equal(set_tracking(rig, hwpt, true), 0);
	assert_int_equal(make_dirty(rig, hwpt, 16 * ENGINE_PAGE_SIZE, dirt), 0);
	memset(bits, 0, sizeof(bits));
	assert_int_equal(get_dirty(rig, hwpt, 16 * ENGINE_PAGE_SIZE, 0, 8, at), 0);
	for (uint32_t byte = 0; byte < 1024; byte++)
		assert_int_equal(at[byte], byte < 64 || byte >= 960 ? 0xff : 0);
	assert_int_equal(at[-1] | at[1024], 0);
}

static void test_dirty_bit_of_a_huge_page_stands_for_its_leaf(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig), hwpt;
	struct rig_mock mock = rig_mock_domain(rig, ioas, 0);
	uint8_t dirt[2] = { 0x02, 0 }, bits[2] = { 0, 0 };

	rig->fake.huge_page_bytes = 1 << 21;
	hwpt = rig_hwpt(rig, mock.idev, ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING);
	rig_map(rig, ioas, 0, 16, IOVA);
	assert_int_equal(set_tracking(rig, hwpt, true), 0);
	assert_int_equal(make_dirty(rig, hwpt, 16 * ENGINE_PAGE_SIZE, dirt), 0);
	assert_int_equal(get_dirty(rig, hwpt, 16 * ENGINE_PAGE_SIZE, 0, 4096, bits), 0);
	assert_int_equal(bits[0] & bits[1], 0xff);
}

static void test_hw_info_fills_the_buffer(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig);
	struct rig_mock mock = rig_mock_domain(rig, ioas, MOCK_FLAGS_DEVICE_PASID);
	uint8_t data[16];
	struct iommu_hw_info cmd = {
		.size = sizeof(cmd),
		.dev_id = mock.idev,
		.data_len = sizeof(data),
		.data_uptr = (uint64_t)(uintptr_t)data,
	};
	struct iommu_test_hw_info info;

	memset(data, 0xff, sizeof(data));
	assert_int_equal(rig_call(rig, IOMMU_GET_HW_INFO, &cmd), 0);
	memcpy(&info, data, sizeof(info));
	assert_int_equal(info.test_reg, IOMMU_HW_INFO_SELFTEST_REGVAL);
	for (size_t i = sizeof(info); i < sizeof(data); i++)
		assert_int_equal(data[i], 0);
	assert_int_equal(cmd.data_len, sizeof(info));
	assert_int_equal(cmd.out_data_type, IOMMU_HW_INFO_TYPE_SELFTEST);
	assert_int_equal(cmd.out_max_pasid_log2, MOCK_PASID_WIDTH);
	cmd.data_len = 4;
	cmd.data_uptr = 16;
	assert_int_equal(rig_call(rig, IOMMU_GET_HW_INFO, &cmd), -EFAULT);
	cmd.flags = 2;
	assert_int_equal(rig_call(rig, IOMMU_GET_HW_INFO, &cmd), -EOPNOTSUPP);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_attach_makes_page_table_that_goes_with_last_device),
		TEST(test_attach_pins_and_detach_unpins),
		TEST(test_attach_of_bad_memory_is_efault_and_undone),
		TEST(test_attach_outside_aperture_is_eaddrinuse),
		TEST(test_hwpt_alloc_bad_arguments),
		TEST(test_nested_holds_parent_and_caches),
		TEST(test_replace_moves_device_and_drops_old_page_table),
		TEST(test_pasid_attachments_are_their_own),
		TEST(test_dirty_bits_come_once_unless_not_cleared),
		TEST(test_dirty_ranges_bad_and_unreachable),
		TEST(test_dirty_bitmap_over_many_pages_of_the_client),
		TEST(test_dirty_bit_of_a_huge_page_stands_for_its_leaf),
		TEST(test_hw_info_fills_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
