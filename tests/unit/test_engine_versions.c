/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks that moved between kernels: each row of changes.c, before and after. */
#include "tests/unit/engine_rig.h"

#include <errno.h>
#include <string.h>

#include <ioasis/iommufd_abi.h>

#include "sim/engine/changes.h"
#include "sim/engine/vfio_abi.h"

#define IOVA MOCK_APERTURE_START

/* A kernel of a version, and what most tests need in it. */
struct kernel {
	struct rig rig;
	uint32_t ioas;
	struct rig_mock mock;
};

static void kernel_open(struct kernel *kernel, uint32_t version)
{
	const struct engine_config config = { .linux_version = version };

	rig_open(&kernel->rig, &config);
	kernel->ioas = rig_ioas(&kernel->rig);
	kernel->mock = rig_mock_domain(&kernel->rig, kernel->ioas, 0);
}

/*
 * Runs check with the release that has the change, with each stable series that took it,
 * and with a release before that has not.
 */
static void each_kernel(enum engine_change change, uint32_t before,
			void (*check)(struct kernel *kernel, bool changed))
{
	const struct engine_change_row *row = engine_change_row(change);
	uint32_t versions[CHANGE_SERIES_MAX + 2] = { before, row->since };
	size_t count = 2;
	struct kernel kernel;

	for (size_t i = 0; i < CHANGE_SERIES_MAX && row->series[i]; i++)
		versions[count++] = row->series[i];
	for (size_t i = 0; i < count; i++) {
		kernel_open(&kernel, versions[i]);
		check(&kernel, versions[i] != before);
		rig_shut(&kernel.rig);
	}
}

static void test_every_change_says_since_when_and_by_what(void **state)
{
	(void)state;
	for (int change = 0; change < CHANGE_COUNT; change++) {
		const struct engine_change_row *row = engine_change_row(change);

		assert_true(row->since > ENGINE_LINUX_OLDEST && row->since <= ENGINE_LINUX_NEWEST);
		assert_non_null(row->commit);
		assert_true(engine_change_in(change, ENGINE_LINUX_NEWEST));
		assert_false(engine_change_in(change, ENGINE_LINUX_OLDEST));
		for (size_t i = 0; i < CHANGE_SERIES_MAX && row->series[i]; i++) {
			assert_true(row->series[i] < row->since);
			assert_true(engine_change_in(change, row->series[i]));
		}
	}
}

/* ---- address spaces --------------------------------------------------------------- */

static void check_wrap(struct kernel *kernel, bool changed)
{
	uint64_t iova = IOVA;
	/* Bad as a length, and it wraps. */
	long rc = fake_map(&kernel->rig.fake, kernel->rig.ctx, kernel->ioas, 7, FAKE_BASE,
			   UINT64_MAX - 0x100, &iova);

	assert_int_equal(rc, changed ? -EOVERFLOW : -EINVAL);
}

static void test_length_was_looked_at_before_the_wrap(void **state)
{
	(void)state;
	each_kernel(CHANGE_WRAP_BEFORE_LENGTH, ENGINE_LINUX(6, 12), check_wrap);
}

/* ---- page tables -------------------------------------------------------------------- */

static long hwpt_with_faults(struct kernel *kernel, uint32_t flags)
{
	struct iommu_fault_alloc fault = { .size = sizeof(fault) };
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_HWPT_FAULT_ID_VALID | flags,
		.dev_id = kernel->mock.idev,
		.pt_id = kernel->ioas,
	};
	long rc;

	assert_int_equal(rig_call(&kernel->rig, IOMMU_FAULT_QUEUE_ALLOC, &fault), 0);
	cmd.fault_id = fault.out_fault_id;
	rc = rig_call(&kernel->rig, IOMMU_HWPT_ALLOC, &cmd);
	if (!rc)
		assert_int_equal(rig_destroy(&kernel->rig, cmd.out_hwpt_id), 0);
	return rc;
}

static void check_paging_faults(struct kernel *kernel, bool changed)
{
	assert_int_equal(hwpt_with_faults(kernel, 0), changed ? 0 : -EOPNOTSUPP);
}

static void test_page_table_of_a_space_takes_a_fault_queue(void **state)
{
	(void)state;
	each_kernel(CHANGE_PAGING_FAULTS, ENGINE_LINUX(6, 12), check_paging_faults);
}

static void check_parent_faults(struct kernel *kernel, bool changed)
{
	assert_int_equal(hwpt_with_faults(kernel, IOMMU_HWPT_ALLOC_NEST_PARENT),
			 changed ? -EOPNOTSUPP : 0);
}

static void test_parent_takes_no_fault_queue(void **state)
{
	(void)state;
	each_kernel(CHANGE_NO_PARENT_FAULTS, ENGINE_LINUX(6, 13), check_parent_faults);
}

static void check_invalidate(struct kernel *kernel, bool changed)
{
	struct iommu_hwpt_invalidate cmd = { .size = sizeof(cmd), .hwpt_id = kernel->ioas };

	assert_int_equal(rig_call(&kernel->rig, IOMMU_HWPT_INVALIDATE, &cmd),
			 changed ? -EINVAL : -ENOENT);
}

static void test_invalidate_of_another_object(void **state)
{
	(void)state;
	each_kernel(CHANGE_INVALIDATE_ANY, ENGINE_LINUX(6, 12), check_invalidate);
}

static void check_ats(struct kernel *kernel, bool changed)
{
	struct iommu_hw_info cmd = { .size = sizeof(cmd), .dev_id = kernel->mock.idev };

	assert_int_equal(rig_call(&kernel->rig, IOMMU_GET_HW_INFO, &cmd), 0);
	assert_int_equal(!!(cmd.out_capabilities & IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED), changed);
}

static void test_hw_info_tells_of_ats(void **state)
{
	(void)state;
	each_kernel(CHANGE_NO_ATS_TOLD, ENGINE_LINUX(7, 0), check_ats);
}

static void check_noiommu_type1(struct kernel *kernel, bool changed)
{
	struct engine_ctx *ctx = engine_ctx_open(kernel->rig.engine, &kernel->rig.fake.client);
	const struct engine_client *client = &kernel->rig.fake.client;

	assert_int_equal(engine_ctx_ioctl(ctx, client, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU), 1);
	assert_int_equal(engine_vfio_set_noiommu(ctx, client), 0);
	assert_int_equal(engine_ctx_ioctl(ctx, client, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU),
			 !changed);
	assert_int_equal(engine_ctx_ioctl(ctx, client, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), -EINVAL);
	engine_ctx_release(ctx);
}

static void test_container_without_iommu_said_type_1_once(void **state)
{
	(void)state;
	each_kernel(CHANGE_NOIOMMU_NO_TYPE1, ENGINE_LINUX(6, 17), check_noiommu_type1);
}

static void check_mmap(struct kernel *kernel, bool changed)
{
	void *page;

	assert_int_equal(engine_ctx_mmap(kernel->rig.ctx, 0, 4096, true, &page),
			 changed ? -ENXIO : -ENODEV);
}

static void test_file_can_be_mapped(void **state)
{
	(void)state;
	each_kernel(CHANGE_FILE_MMAP, ENGINE_LINUX(6, 16), check_mmap);
}

/* ---- dirty bits ------------------------------------------------------------------------ */

static long get_dirty(struct kernel *kernel, uint32_t hwpt, uint64_t iova, uint64_t length,
		      uint8_t *bits)
{
	struct iommu_hwpt_get_dirty_bitmap cmd = {
		.size = sizeof(cmd),
		.hwpt_id = hwpt,
		.iova = iova,
		.length = length,
		.page_size = MOCK_PAGE_SIZE,
		.data = (uint64_t)(uintptr_t)bits,
	};

	return rig_call(&kernel->rig, IOMMU_HWPT_GET_DIRTY_BITMAP, &cmd);
}

/* A page table that tracks, with npages mapped at IOVA. */
static uint32_t tracking_hwpt(struct kernel *kernel, uint32_t npages)
{
	uint32_t hwpt = rig_hwpt(&kernel->rig, kernel->mock.idev, kernel->ioas,
				 IOMMU_HWPT_ALLOC_DIRTY_TRACKING);
	struct iommu_hwpt_set_dirty_tracking cmd = {
		.size = sizeof(cmd), .flags = 1, .hwpt_id = hwpt
	};

	rig_map(&kernel->rig, kernel->ioas, 0, npages, IOVA);
	assert_int_equal(rig_call(&kernel->rig, IOMMU_HWPT_SET_DIRTY_TRACKING, &cmd), 0);
	return hwpt;
}

/* Makes pages of page_size from IOVA on dirty, a bit each; how many it counted. */
static uint64_t make_dirty(struct kernel *kernel, uint32_t hwpt, uint32_t page_size, uint8_t bits)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_DIRTY,
		.id = hwpt,
		.dirty = { .iova = IOVA,
			   .length = 8 * page_size,
			   .page_size = page_size,
			   .uptr = (uint64_t)(uintptr_t)&bits },
	};

	assert_int_equal(rig_call(&kernel->rig, IOMMU_TEST_CMD, &cmd), 0);
	return cmd.dirty.out_nr_dirty;
}

static void check_zero_length(struct kernel *kernel, bool changed)
{
	uint32_t hwpt = tracking_hwpt(kernel, 1);
	uint8_t bits[8] = { 0 };

	assert_int_equal(get_dirty(kernel, hwpt, IOVA, 0, bits), changed ? -EINVAL : -EOVERFLOW);
	assert_int_equal(get_dirty(kernel, hwpt, 0, 0, bits), changed ? -EINVAL : 0);
}

static void test_dirty_bitmap_of_no_length(void **state)
{
	(void)state;
	each_kernel(CHANGE_DIRTY_NEEDS_LENGTH, ENGINE_LINUX(7, 2), check_zero_length);
}

/* An entry of 16 KiB, 8 items of the mock's table, asked for as a whole and in part. */
static void check_whole_entry(struct kernel *kernel, bool changed)
{
	uint32_t hwpt;
	uint8_t bits[2] = { 0 };

	kernel->rig.fake.huge_page_bytes = 1 << 21;
	hwpt = tracking_hwpt(kernel, 4);
	make_dirty(kernel, hwpt, MOCK_PAGE_SIZE, 0x10);
	assert_int_equal(get_dirty(kernel, hwpt, IOVA, 4 * 4096, bits), 0);
	assert_int_equal(bits[0], changed ? 0xff : 0x7f);
	assert_int_equal(bits[1], 0);
	/* It begins before the range: then it is lost, where before its rest was told. */
	make_dirty(kernel, hwpt, MOCK_PAGE_SIZE, 0x10);
	bits[0] = 0;
	assert_int_equal(get_dirty(kernel, hwpt, IOVA + 4096, 3 * 4096, bits), 0);
	assert_int_equal(bits[0], changed ? 0 : 0x1f);
	/* Either way it is clean now. */
	bits[0] = 0;
	assert_int_equal(get_dirty(kernel, hwpt, IOVA, 4 * 4096, bits), 0);
	assert_int_equal(bits[0], 0);
}

static void test_written_entry_is_told_as_a_whole(void **state)
{
	(void)state;
	each_kernel(CHANGE_DIRTY_WHOLE_ENTRY, ENGINE_LINUX(7, 2), check_whole_entry);
}

/* ---- the test command before generic page tables ------------------------------------------ */

static void check_mock(struct kernel *kernel, bool changed)
{
	struct rig *rig = &kernel->rig;
	uint32_t hwpt = tracking_hwpt(kernel, 2);
	uint8_t bits[2] = { 0 };
	struct iommu_test_cmd device = { .size = sizeof(device),
					 .op = IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS,
					 .id = kernel->ioas };
	struct iommu_test_cmd check = { .op = IOMMU_TEST_OP_MD_CHECK_MAP,
					.id = 99,
					.check_map = { .length = 1 } };

	/* Only what is mapped counted, 4 granules of 2 KiB; now each bit does. */
	assert_int_equal(make_dirty(kernel, hwpt, MOCK_PAGE_SIZE, 0x31), changed ? 3 : 1);
	assert_int_equal(get_dirty(kernel, hwpt, IOVA, 2 * 4096, bits), 0);
	/* The granule; or the entry of 4 KiB without its last item. */
	assert_int_equal(bits[0], 1);
	/* Large pages came with the device, now with the page table. */
	device.mock_domain_flags.dev_flags = MOCK_FLAGS_DEVICE_HUGE_IOVA;
	assert_int_equal(rig_call(rig, IOMMU_TEST_CMD, &device), changed ? -EINVAL : 0);
	/* The range was looked at before the page table. */
	assert_int_equal(rig_test(rig, &check), changed ? -ENOENT : -EINVAL);
}

/* VFIO's type 1 maps without a right. */
static long map_without_rights(struct kernel *kernel)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .vaddr = rig_va(32), .iova = IOVA + 0x100000, .size = 4096
	};
	struct iommu_vfio_ioas set = {
		.size = sizeof(set), .ioas_id = kernel->ioas, .op = IOMMU_VFIO_IOAS_SET
	};

	assert_int_equal(rig_call(&kernel->rig, IOMMU_VFIO_IOAS, &set), 0);
	return rig_call(&kernel->rig, VFIO_IOMMU_MAP_DMA, &map);
}

static void check_no_rights(struct kernel *kernel, bool changed)
{
	struct rig *rig = &kernel->rig;
	struct rig_mock another;

	assert_int_equal(map_without_rights(kernel), changed ? -EINVAL : 0);
	assert_int_equal(rig_check_refs(rig, 32, 1, !changed), 0);
	/* A second page table of the space, and the only one there is. */
	rig_hwpt(rig, kernel->mock.idev, kernel->ioas, 0);
	kernel->ioas = rig_ioas(rig);
	assert_int_equal(map_without_rights(kernel), 0);
	if (changed)
		return;
	another = rig_mock_domain(rig, kernel->ioas, 0);
	assert_int_equal(rig_check_refs(rig, 32, 1, 2), 0);
	assert_int_equal(rig_destroy(rig, another.stdev), 0);
}

static void test_mock_mapped_without_rights(void **state)
{
	(void)state;
	each_kernel(CHANGE_GENERIC_PAGE_TABLES, ENGINE_LINUX(6, 18), check_no_rights);
}

static void test_mock_page_tables_before_the_generic_ones(void **state)
{
	(void)state;
	each_kernel(CHANGE_GENERIC_PAGE_TABLES, ENGINE_LINUX(6, 18), check_mock);
}

static void test_mock_huge_page_is_told_in_steps(void **state)
{
	struct kernel kernel;
	struct iommu_test_cmd device = { .size = sizeof(device),
					 .op = IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS };
	uint8_t bits[128] = { 0 };
	uint32_t hwpt;

	(void)state;
	kernel_open(&kernel, ENGINE_LINUX(6, 12));
	kernel.rig.fake.huge_page_bytes = 1 << 21;
	device.id = kernel.ioas;
	device.mock_domain_flags.dev_flags = MOCK_FLAGS_DEVICE_HUGE_IOVA;
	assert_int_equal(rig_call(&kernel.rig, IOMMU_TEST_CMD, &device), 0);
	kernel.mock.idev = device.mock_domain_flags.out_idev_id;
	hwpt = tracking_hwpt(&kernel, 512);
	make_dirty(&kernel, hwpt, MOCK_PAGE_SIZE, 0x80);
	/* 2 MiB are two leaves; the first is dirty. */
	assert_int_equal(get_dirty(&kernel, hwpt, IOVA, 2 << 20, bits), 0);
	for (size_t i = 0; i < sizeof(bits); i++)
		assert_int_equal(bits[i], i < 64 ? 0xff : 0);
	/* From its middle on. */
	make_dirty(&kernel, hwpt, MOCK_PAGE_SIZE, 0x80);
	memset(bits, 0, sizeof(bits));
	assert_int_equal(get_dirty(&kernel, hwpt, IOVA + (512 << 10), 512 << 10, bits), 0);
	assert_int_equal(bits[0], 0xff);
	assert_int_equal(bits[31], 0xff);
	assert_int_equal(bits[32], 0);
	rig_shut(&kernel.rig);
}

static void test_old_mock_reports_only_while_it_tracks(void **state)
{
	struct iommu_hwpt_set_dirty_tracking off = { .size = sizeof(off) };
	struct kernel kernel;
	uint8_t bits[1] = { 0 };

	(void)state;
	kernel_open(&kernel, ENGINE_LINUX(6, 12));
	off.hwpt_id = tracking_hwpt(&kernel, 2);
	make_dirty(&kernel, off.hwpt_id, MOCK_PAGE_SIZE, 1);
	assert_int_equal(rig_call(&kernel.rig, IOMMU_HWPT_SET_DIRTY_TRACKING, &off), 0);
	assert_int_equal(get_dirty(&kernel, off.hwpt_id, IOVA, 2 * 4096, bits), 0);
	assert_int_equal(bits[0], 0);
	rig_shut(&kernel.rig);
}

static void test_operations_of_the_test_command_by_version(void **state)
{
	static const struct {
		uint32_t op, before, since;
	} ops[] = {
		{ IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE, ENGINE_LINUX(6, 5), ENGINE_LINUX(6, 6) },
		{ IOMMU_TEST_OP_DIRTY, ENGINE_LINUX(6, 6), ENGINE_LINUX(6, 7) },
		{ IOMMU_TEST_OP_DEV_CHECK_CACHE, ENGINE_LINUX(6, 12), ENGINE_LINUX(6, 13) },
		{ IOMMU_TEST_OP_PASID_ATTACH, ENGINE_LINUX(6, 14), ENGINE_LINUX(6, 15) },
		{ IOMMU_TEST_OP_DMABUF_REVOKE, ENGINE_LINUX(6, 18), ENGINE_LINUX(6, 19) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		struct iommu_test_cmd cmd = { .op = ops[i].op, .id = 99 };
		struct engine_config config = { .linux_version = ops[i].before };
		struct rig rig;

		rig_open(&rig, &config);
		assert_int_equal(rig_test(&rig, &cmd), -EOPNOTSUPP);
		rig_shut(&rig);
		config.linux_version = ops[i].since;
		rig_open(&rig, &config);
		assert_int_not_equal(rig_test(&rig, &cmd), -EOPNOTSUPP);
		rig_shut(&rig);
	}
}

static void check_dmabuf(struct kernel *kernel, bool changed)
{
	struct iommu_test_cmd cmd = { .op = IOMMU_TEST_OP_DMABUF_GET,
				      .dmabuf_get = { .length = 4096 } };

	/* The descriptor is there either way. */
	assert_int_equal(rig_test(&kernel->rig, &cmd), changed ? 0 : FAKE_FIRST_FD);
	rig_close(&kernel->rig, FAKE_FIRST_FD);
}

static void test_dmabuf_of_the_test_command_is_not_named(void **state)
{
	(void)state;
	each_kernel(CHANGE_TEST_DMABUF_ZERO, ENGINE_LINUX(7, 2), check_dmabuf);
}

static void test_map_of_a_dmabuf(void **state)
{
	struct kernel kernel;
	struct iommu_test_cmd get = { .op = IOMMU_TEST_OP_DMABUF_GET,
				      .dmabuf_get = { .length = 4096 } };
	struct iommu_ioas_map_file map = {
		.size = sizeof(map), .flags = 7, .length = 8192, .iova = IOVA + 0x100000
	};

	(void)state;
	kernel_open(&kernel, ENGINE_LINUX(6, 19));
	map.ioas_id = kernel.ioas;
	map.fd = (int32_t)rig_test(&kernel.rig, &get);
	/* Longer than the buffer. */
	assert_int_equal(rig_call(&kernel.rig, IOMMU_IOAS_MAP_FILE, &map), -EINVAL);
	map.length = 4096;
	assert_int_equal(rig_call(&kernel.rig, IOMMU_IOAS_MAP_FILE, &map), 0);
	rig_shut(&kernel.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_change_says_since_when_and_by_what),
		cmocka_unit_test(test_length_was_looked_at_before_the_wrap),
		cmocka_unit_test(test_page_table_of_a_space_takes_a_fault_queue),
		cmocka_unit_test(test_parent_takes_no_fault_queue),
		cmocka_unit_test(test_invalidate_of_another_object),
		cmocka_unit_test(test_hw_info_tells_of_ats),
		cmocka_unit_test(test_container_without_iommu_said_type_1_once),
		cmocka_unit_test(test_file_can_be_mapped),
		cmocka_unit_test(test_dirty_bitmap_of_no_length),
		cmocka_unit_test(test_written_entry_is_told_as_a_whole),
		cmocka_unit_test(test_mock_page_tables_before_the_generic_ones),
		cmocka_unit_test(test_mock_mapped_without_rights),
		cmocka_unit_test(test_mock_huge_page_is_told_in_steps),
		cmocka_unit_test(test_old_mock_reports_only_while_it_tracks),
		cmocka_unit_test(test_operations_of_the_test_command_by_version),
		cmocka_unit_test(test_dmabuf_of_the_test_command_is_not_named),
		cmocka_unit_test(test_map_of_a_dmabuf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
