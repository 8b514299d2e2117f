/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of other kinds than a process's pages: memfds, dma-bufs; and many areas. */
#include "tests/unit/engine_rig.h"

#include <errno.h>
#include <string.h>

#include <ioasis/iommufd_abi.h>

#define IOVA 0x1000000ull

static long map_file(struct rig *rig, uint32_t ioas, int32_t fd, uint64_t length, uint64_t iova)
{
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd), .flags = 7, .ioas_id = ioas, .fd = fd, .length = length,
		.iova = iova,
	};

	return rig_call(rig, IOMMU_IOAS_MAP_FILE, &cmd);
}

/* A device of a simulation, attached to the space. */
static struct engine_device *device_on(struct rig *rig, uint32_t ioas)
{
	struct engine_device *device;
	uint32_t id, pt = ioas;

	assert_int_equal(engine_device_bind(rig->ctx, &rig->fake.client, &device, &id), 0);
	assert_int_equal(engine_device_attach(device, &rig->fake.client, 0, &pt), 0);
	return device;
}

static void test_dma_reaches_a_memfd_and_a_dmabuf(void **state)
{
	struct rig *rig = *state;
	struct iommu_test_cmd get = { .op = IOMMU_TEST_OP_DMABUF_GET,
				      .dmabuf_get = { .length = 8192 } };
	uint32_t ioas = rig_ioas(rig);
	struct engine_device *device;
	char text[8] = "written", back[8] = "";
	uint64_t bad;

	assert_int_equal(rig_test(rig, &get), 0);
	assert_int_equal(map_file(rig, ioas, FAKE_MEMFD, 8192, IOVA), 0);
	assert_int_equal(map_file(rig, ioas, FAKE_FIRST_FD, 8192, IOVA + 8192), 0);
	device = device_on(rig, ioas);
	/* The fake's memfd keeps nothing. */
	assert_int_equal(engine_device_dma(device, IOVA + 100, 8, true, text, &bad), 0);
	assert_int_equal(engine_device_dma(device, IOVA + 100, 8, false, back, &bad), 0);
	assert_int_equal(engine_device_dma(device, IOVA + 8192 + 100, 8, true, text, &bad), 0);
	assert_int_equal(engine_device_dma(device, IOVA + 8192 + 100, 8, false, back, &bad), 0);
	assert_string_equal(back, "written");
	/* From one into the other. */
	assert_int_equal(engine_device_dma(device, IOVA + 8188, 8, true, text, &bad), 0);
	engine_device_unbind(device);
	rig_close(rig, FAKE_FIRST_FD);
}

static void test_many_areas_come_and_go(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig), spaces[4];
	const uint32_t areas = 60000;

	for (uint32_t i = 0; i < areas; i++) {
		uint64_t iova = IOVA + i * 4096ull;

		assert_int_equal(fake_map(&rig->fake, rig->ctx, ioas, 7, rig_va(32 + i % 64), 4096,
					  &iova), 0);
	}
	/* Every second one, then the rest. */
	for (uint32_t i = 0; i < areas; i += 2) {
		uint64_t length = 4096;

		assert_int_equal(fake_unmap(&rig->fake, rig->ctx, ioas, IOVA + i * 4096ull,
					    &length), 0);
	}
	for (size_t i = 0; i < 4; i++)
		spaces[i] = rig_ioas(rig);
	assert_int_equal(rig_unmap(rig, ioas, 0, UINT64_MAX), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(rig_destroy(rig, spaces[i]), 0);
	assert_int_equal(rig_destroy(rig, ioas), 0);
	assert_int_equal(rig_objects(rig), 0);
}

static void test_copy_by_number_of_the_area(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig), other = rig_ioas(rig);
	struct iommu_ioas_copy cmd = {
		.size = sizeof(cmd),
		.flags = 7 | MOCK_FLAGS_ACCESS_SYZ, /* the number of an area: for fuzzers */
		.dst_ioas_id = other,
		.src_ioas_id = ioas,
		.length = 4096,
		.dst_iova = IOVA,
		.src_iova = 1 | 4096ull << 32,
	};

	rig_map(rig, ioas, 0, 1, IOVA);
	rig_map(rig, ioas, 8, 2, IOVA + 0x10000);
	assert_int_equal(rig_call(rig, IOMMU_IOAS_COPY, &cmd), 0);
	cmd.src_ioas_id = 99;
	cmd.dst_iova += 4096;
	assert_int_equal(rig_call(rig, IOMMU_IOAS_COPY, &cmd), -ENOENT);
}

static void test_charges_of_a_process(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig);
	uint64_t pinned, locked;

	rig->fake.ipc_lock = false;
	rig_map(rig, ioas, 0, 3, IOVA);
	rig_mock_domain(rig, ioas, 0);
	engine_mm_charges(rig->engine, &rig->fake.mm, &pinned, &locked);
	assert_int_equal(pinned, 3);
	assert_int_equal(locked, 0);
}

static void test_page_tables_of_the_mock_by_data(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig);
	struct rig_mock mock = rig_mock_domain(rig, ioas, 0);
	struct iommu_hwpt_selftest data = { .pagetable_type = MOCK_IOMMUPT_HUGE };
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd), .dev_id = mock.idev, .pt_id = ioas,
		.data_type = IOMMU_HWPT_DATA_SELFTEST, .data_len = sizeof(data),
		.data_uptr = (uint64_t)(uintptr_t)&data,
	};

	assert_int_equal(rig_call(rig, IOMMU_HWPT_ALLOC, &cmd), 0);
	data.pagetable_type = 7;
	assert_int_equal(rig_call(rig, IOMMU_HWPT_ALLOC, &cmd), -EOPNOTSUPP);
	cmd.data_type = 1;
	assert_int_equal(rig_call(rig, IOMMU_HWPT_ALLOC, &cmd), -EOPNOTSUPP);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_dma_reaches_a_memfd_and_a_dmabuf),
		TEST(test_many_areas_come_and_go),
		TEST(test_copy_by_number_of_the_area),
		TEST(test_charges_of_a_process),
		TEST(test_page_tables_of_the_mock_by_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
