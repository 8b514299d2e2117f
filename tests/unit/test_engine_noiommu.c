/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices without an IOMMU: what they attach to, physical addresses, DMA by them. */
#include "tests/unit/engine_rig.h"

#include <errno.h>
#include <string.h>

#include <ioasis/iommufd_abi.h>

#include "sim/engine/vfio_abi.h"

#define IOVA 0x100000ull

/* A device on an address space where pages 0 to 3 are mapped at IOVA. */
struct machine {
	struct rig rig;
	struct engine_device *device;
	uint32_t id, ioas, hwpt;
};

static void machine_open(struct machine *machine, uint64_t phys_run_bytes)
{
	const struct engine_config config = { .phys_run_bytes = phys_run_bytes };
	struct rig *rig = &machine->rig;

	rig_open(rig, &config);
	machine->ioas = machine->hwpt = rig_ioas(rig);
	rig_map(rig, machine->ioas, 0, 4, IOVA);
	assert_int_equal(engine_device_bind_noiommu(rig->ctx, &rig->fake.client,
						    &machine->device, &machine->id), 0);
	assert_int_equal(engine_device_attach(machine->device, &rig->fake.client, 0,
					      &machine->hwpt), 0);
	engine_ctx_verify(rig->ctx);
}

static void machine_shut(struct machine *machine)
{
	engine_device_unbind(machine->device);
	rig_shut(&machine->rig);
}

/* GET_PA of [iova, iova + *length); *phys and *length are its answers. */
static long get_pa(struct machine *machine, uint64_t iova, uint64_t *length, uint64_t *phys)
{
	struct iommu_ioas_noiommu_get_pa cmd = {
		.size = sizeof(cmd), .ioas_id = machine->ioas, .iova = iova, .length = *length
	};
	long rc = rig_call(&machine->rig, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd);

	*length = cmd.length;
	*phys = cmd.out_phys;
	return rc;
}

static uint64_t phys_of(struct machine *machine, uint64_t iova)
{
	uint64_t length = 1, phys;

	assert_int_equal(get_pa(machine, iova, &length, &phys), 0);
	assert_int_equal(length, 1);
	return phys;
}

static void test_get_pa_bad_arguments(void **state)
{
	struct machine machine;
	struct iommu_ioas_noiommu_get_pa cmd, good;
	struct rig *rig = &machine.rig;

	(void)state;
	machine_open(&machine, 0);
	good = (struct iommu_ioas_noiommu_get_pa){
		.size = sizeof(cmd), .ioas_id = machine.ioas, .iova = IOVA, .length = 1
	};
#define CHECK(error, ...)                                                                  \
	do {                                                                               \
		cmd = good;                                                                \
		__VA_ARGS__;                                                               \
		assert_int_equal(rig_call(rig, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd), error);   \
	} while (0)
	CHECK(0, (void)0);
	CHECK(-EOPNOTSUPP, cmd.flags = 1);
	CHECK(-EOPNOTSUPP, cmd.__reserved = 1);
	CHECK(-EINVAL, cmd.length = 0);
	CHECK(-EOVERFLOW, cmd.iova = UINT64_MAX);
	CHECK(-ENOENT, cmd.iova = UINT64_MAX - 1);
	CHECK(-ENOENT, cmd.ioas_id = 99);
	CHECK(-ENOENT, cmd.iova = IOVA - 1; cmd.length = 2);
	CHECK(-ENOENT, cmd.iova = IOVA + 4 * 4096);
	CHECK(-EINVAL, cmd.size = 32);
	rig->fake.sys_rawio = false;
	CHECK(-EPERM, cmd.flags = 1);
#undef CHECK
	machine_shut(&machine);
}

static void test_get_pa_needs_a_page_table_that_translates(void **state)
{
	struct machine machine;
	struct iommu_ioas_noiommu_get_pa cmd = { .size = sizeof(cmd), .iova = IOVA, .length = 1 };
	struct rig *rig = &machine.rig;

	(void)state;
	machine_open(&machine, 0);
	cmd.ioas_id = rig_ioas(rig);
	rig_map(rig, cmd.ioas_id, 8, 1, IOVA);
	/* None, and one of a device with an IOMMU. */
	assert_int_equal(rig_call(rig, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd), -EOPNOTSUPP);
	assert_int_equal(rig_unmap(rig, cmd.ioas_id, IOVA, 4096), 0);
	cmd.iova = MOCK_APERTURE_START;
	rig_map(rig, cmd.ioas_id, 8, 1, cmd.iova);
	rig_mock_domain(rig, cmd.ioas_id, 0);
	assert_int_equal(rig_call(rig, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd), -EOPNOTSUPP);
	machine_shut(&machine);
}

static void test_physical_addresses_stay_and_end_with_their_run(void **state)
{
	struct machine machine;
	uint64_t length, phys, first;

	(void)state;
	machine_open(&machine, 0);
	first = phys_of(&machine, IOVA);
	assert_int_equal(first % 4096, 0);
	assert_int_equal(phys_of(&machine, IOVA), first);
	assert_int_equal(phys_of(&machine, IOVA + 0xabc), first + 0xabc);
	/* No two pages are neighbours: what is asked for ends with its page. */
	length = UINT64_MAX;
	assert_int_equal(get_pa(&machine, IOVA + 0xabc, &length, &phys), 0);
	assert_int_equal(length, 4096 - 0xabc);
	/* The same page elsewhere in the space has the same address. */
	rig_map(&machine.rig, machine.ioas, 0, 1, IOVA + 0x100000);
	assert_int_equal(phys_of(&machine, IOVA + 0x100000), first);
	machine_shut(&machine);
}

static void test_contiguous_memory_is_told_as_far_as_it_goes(void **state)
{
	struct machine machine;
	uint64_t length = 16, phys;

	(void)state;
	machine_open(&machine, 8192);
	assert_int_equal(get_pa(&machine, IOVA, &length, &phys), 0);
	assert_int_equal(length, 16);
	length = UINT64_MAX;
	assert_int_equal(get_pa(&machine, IOVA + 16, &length, &phys), 0);
	assert_int_equal(length, 8192 - 16);
	assert_int_equal(phys_of(&machine, IOVA + 4096), phys - 16 + 4096);
	/* To the end of what is mapped. */
	length = UINT64_MAX;
	assert_int_equal(get_pa(&machine, IOVA + 3 * 4096 + 1, &length, &phys), 0);
	assert_int_equal(length, 4095);
	machine_shut(&machine);
}

static void test_device_without_iommu_has_no_more_than_translation(void **state)
{
	struct machine machine;
	struct rig *rig = &machine.rig;
	struct iommu_hw_info info = { .size = sizeof(info) };
	struct iommu_viommu_alloc viommu = { .size = sizeof(viommu), .type = 1 };
	struct rig_mock mock;
	uint32_t other, pt;

	(void)state;
	machine_open(&machine, 0);
	info.dev_id = viommu.dev_id = machine.id;
	viommu.hwpt_id = machine.hwpt;
	assert_int_equal(rig_call(rig, IOMMU_GET_HW_INFO, &info), -EOPNOTSUPP);
	assert_int_equal(rig_call(rig, IOMMU_VIOMMU_ALLOC, &viommu), -EOPNOTSUPP);
	for (uint32_t flags = 0; flags < 16; flags++) {
		struct iommu_hwpt_alloc alloc = { .size = sizeof(alloc),
						  .flags = flags,
						  .dev_id = machine.id,
						  .pt_id = machine.ioas };
		long want = flags == 0 ? 0 : flags == 4 ? -ENOENT : -EOPNOTSUPP;

		assert_int_equal(rig_call(rig, IOMMU_HWPT_ALLOC, &alloc), want);
	}
	/* A mock device cannot use its page table; it can use any. */
	other = rig_ioas(rig);
	mock = rig_mock_domain(rig, other, 0);
	{
		struct iommu_test_cmd replace = { .op = IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE,
						  .id = mock.stdev,
						  .mock_domain_replace = { machine.hwpt } };

		assert_int_equal(rig_test(rig, &replace), -EINVAL);
	}
	pt = mock.hwpt;
	assert_int_equal(engine_device_attach(machine.device, &rig->fake.client, 0, &pt), 0);
	engine_ctx_verify(rig->ctx);
	assert_int_equal(pt, mock.hwpt);
	engine_device_detach(machine.device, 0);
	assert_int_equal(rig_destroy(rig, mock.stdev), 0);
	machine_shut(&machine);
}

static void test_device_without_iommu_needs_linux_7_3(void **state)
{
	const struct engine_config config = { .linux_version = ENGINE_LINUX(7, 2) };
	struct engine_device *device;
	struct rig rig;
	uint32_t id;

	(void)state;
	rig_open(&rig, &config);
	assert_int_equal(engine_device_bind_noiommu(rig.ctx, &rig.fake.client, &device, &id),
			 -EINVAL);
	rig_shut(&rig);
}

static void test_dma_goes_to_physical_addresses(void **state)
{
	struct machine machine;
	struct rig *rig = &machine.rig;
	uint64_t bad = 0, phys;
	char text[8] = "hello";

	(void)state;
	machine_open(&machine, 8192);
	phys = phys_of(&machine, IOVA + 4090);
	assert_int_equal(engine_device_dma(machine.device, phys, 6, true, text, &bad), 0);
	assert_string_equal((char *)rig->fake.memory + 4090, "hello");
	memset(text, 0, sizeof(text));
	assert_int_equal(engine_device_dma(machine.device, phys, 6, false, text, &bad), 0);
	assert_string_equal(text, "hello");
	/* Two pages of a run, and no page behind it. */
	assert_int_equal(engine_device_dma(machine.device, phys + 4, 4, true, text, &bad), 0);
	assert_int_equal(engine_device_dma(machine.device, phys - 4090 + 8190, 4, true, text,
					   &bad), -EFAULT);
	assert_int_equal(bad, phys - 4090 + 8192);
	assert_int_equal(engine_device_dma(machine.device, IOVA, 4, true, text, &bad), -EFAULT);
	/* Nothing stops it when the mapping is gone. */
	assert_int_equal(rig_unmap(rig, machine.ioas, IOVA, 4 * 4096), 0);
	assert_int_equal(engine_device_dma(machine.device, phys, 6, true, text, &bad), 0);
	machine_shut(&machine);
}

/* Low memory first; then what is above the hole below 4 GiB, up to the last that fits. */
static void test_physical_addresses_lie_where_a_machine_has_memory(void **state)
{
	static const struct {
		uint64_t run_bytes, first, second, third;
	} rows[] = {
		{ 4096, 16ull << 20, (16ull << 20) + 8192, (16ull << 20) + 2 * 8192 },
		{ 16ull << 20, 32ull << 20, 64ull << 20, 96ull << 20 },
		{ 512ull << 20, 1ull << 30, 4ull << 30, 5ull << 30 },
		{ 1ull << 30, 4ull << 30, 6ull << 30, 8ull << 30 },
	};
	char byte = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint64_t mask = rows[i].run_bytes - 1;
		struct machine machine;
		struct engine_device *device;
		uint64_t bad;

		machine_open(&machine, rows[i].run_bytes);
		device = machine.device;
		assert_int_equal(phys_of(&machine, IOVA) & ~mask, rows[i].first);
		assert_int_equal(engine_device_dma(device, rows[i].first - 1, 1, true, &byte, &bad),
				 -EFAULT);
		assert_int_equal(engine_device_dma(device, rows[i].second, 1, true, &byte, &bad),
				 -EFAULT);
		assert_int_equal(engine_device_dma(device, 3ull << 30, 1, true, &byte, &bad),
				 -EFAULT);
		if (rows[i].run_bytes == 4096) {
			assert_int_equal(phys_of(&machine, IOVA + 4096), rows[i].second);
			assert_int_equal(phys_of(&machine, IOVA + 2 * 4096), rows[i].third);
		}
		machine_shut(&machine);
	}
}

/* Its group binds it to nothing, but memory is memory. */
static void test_device_of_a_group_reaches_physical_addresses(void **state)
{
	struct machine machine;
	struct engine_device *device;
	uint64_t phys, bad = 0;
	char text[8] = "by PA";

	(void)state;
	machine_open(&machine, 0);
	phys = phys_of(&machine, IOVA);
	assert_int_equal(engine_device_of_noiommu_group(machine.rig.ctx, &device), 0);
	assert_int_equal(engine_device_dma(device, phys, 6, true, text, &bad), 0);
	assert_string_equal((char *)machine.rig.fake.memory, "by PA");
	assert_int_equal(engine_device_dma(device, phys + 4096, 1, true, text, &bad), -EFAULT);
	assert_int_equal(bad, phys + 4096);
	engine_device_get(device);
	engine_device_unbind(device);
	assert_int_equal(engine_device_dma(device, phys, 6, true, text, &bad), -EFAULT);
	engine_device_put(device);
	machine_shut(&machine);
}

/* The container of a group without an IOMMU, and the other way round. */
static void test_container_is_of_one_kind(void **state)
{
	const struct engine_config config = { 0 };
	struct rig rig;
	const struct engine_client *client = &rig.fake.client;

	(void)state;
	rig_open(&rig, &config);
	assert_int_equal(engine_ctx_ioctl(rig.ctx, client, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU),
			 -EINVAL);
	assert_int_equal(engine_vfio_set_noiommu(rig.ctx, client), 0);
	assert_int_equal(engine_vfio_set_noiommu(rig.ctx, client), 0);
	assert_int_equal(engine_vfio_ioas_ensure(rig.ctx, client), -EINVAL);
	for (uint64_t type = 0; type < 14; type++) {
		long want = type == VFIO_NOIOMMU_IOMMU ? 1 : 0;

		if (type == VFIO_DMA_CC_IOMMU)
			want = -ENODEV;
		assert_int_equal(engine_ctx_ioctl(rig.ctx, client, VFIO_CHECK_EXTENSION, type),
				 want);
	}
	assert_int_equal(engine_ctx_ioctl(rig.ctx, client, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU),
			 -EINVAL);
	assert_int_equal(engine_ctx_ioctl(rig.ctx, client, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU), 0);
	rig.fake.sys_rawio = false;
	assert_int_equal(engine_ctx_ioctl(rig.ctx, client, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU),
			 -EPERM);
	rig_shut(&rig);

	rig_open(&rig, &config);
	assert_int_equal(engine_vfio_ioas_ensure(rig.ctx, client), 0);
	assert_int_equal(engine_vfio_set_noiommu(rig.ctx, client), -EINVAL);
	assert_int_equal(engine_ctx_ioctl(rig.ctx, client, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU),
			 1);
	rig_shut(&rig);
}

static void test_run_length_must_be_a_power_of_two(void **state)
{
	const struct engine_config odd = { .phys_run_bytes = 3 * 4096 };
	const struct engine_config small = { .phys_run_bytes = 2048 };

	(void)state;
	assert_null(engine_create(&odd));
	assert_null(engine_create(&small));
}

static void test_many_pages_have_addresses_of_their_own(void **state)
{
	struct machine machine;
	uint64_t seen[FAKE_PAGES];

	(void)state;
	machine_open(&machine, 0);
	rig_map(&machine.rig, machine.ioas, 0, FAKE_PAGES, IOVA + 0x1000000);
	for (uint32_t page = 0; page < FAKE_PAGES; page++)
		seen[page] = phys_of(&machine, IOVA + 0x1000000 + page * 4096ull);
	for (uint32_t page = 0; page < FAKE_PAGES; page++) {
		assert_int_equal(phys_of(&machine, IOVA + 0x1000000 + page * 4096ull), seen[page]);
		for (uint32_t other = 0; other < page; other++)
			assert_true(seen[other] != seen[page]);
	}
	machine_shut(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get_pa_bad_arguments),
		cmocka_unit_test(test_get_pa_needs_a_page_table_that_translates),
		cmocka_unit_test(test_physical_addresses_stay_and_end_with_their_run),
		cmocka_unit_test(test_contiguous_memory_is_told_as_far_as_it_goes),
		cmocka_unit_test(test_device_without_iommu_has_no_more_than_translation),
		cmocka_unit_test(test_device_without_iommu_needs_linux_7_3),
		cmocka_unit_test(test_dma_goes_to_physical_addresses),
		cmocka_unit_test(test_physical_addresses_lie_where_a_machine_has_memory),
		cmocka_unit_test(test_device_of_a_group_reaches_physical_addresses),
		cmocka_unit_test(test_container_is_of_one_kind),
		cmocka_unit_test(test_run_length_must_be_a_power_of_two),
		cmocka_unit_test(test_many_pages_have_addresses_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
