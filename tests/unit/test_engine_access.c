/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accesses, dma-bufs, devices of a simulation. */
#include "tests/unit/engine_rig.h"

#include <errno.h>
#include <string.h>

#define IOVA MOCK_APERTURE_START

static long create_access(struct rig *rig, uint32_t ioas, uint32_t flags, uint32_t *fd)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_CREATE_ACCESS, .id = ioas, .create_access = { .flags = flags }
	};
	long rc = rig_test(rig, &cmd);

	*fd = cmd.create_access.out_access_fd;
	return rc;
}

static uint32_t access_of(struct rig *rig, uint32_t ioas, bool pins)
{
	uint32_t fd;

	assert_int_equal(create_access(rig, ioas, pins, &fd), 0);
	return fd;
}

static long pin(struct rig *rig, uint32_t fd, uint64_t iova, uint64_t length, uint32_t page,
		uint32_t *id)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_ACCESS_PAGES,
		.id = fd,
		.access_pages = { .iova = iova, .length = length, .uptr = rig_va(page) },
	};
	long rc = rig_test(rig, &cmd);

	*id = cmd.access_pages.out_access_pages_id;
	return rc;
}

static long unpin(struct rig *rig, uint32_t fd, uint32_t id)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_DESTROY_ACCESS_PAGES,
		.id = fd,
		.destroy_access_pages = { .access_pages_id = id },
	};

	return rig_test(rig, &cmd);
}

static long access_rw(struct rig *rig, uint32_t fd, uint64_t iova, void *data, uint64_t length,
		      uint32_t flags)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_ACCESS_RW,
		.id = fd,
		.access_rw = { .iova = iova,
			       .length = length,
			       .uptr = (uint64_t)(uintptr_t)data,
			       .flags = flags },
	};

	return rig_test(rig, &cmd);
}

static void test_access_pins_until_unmap_or_close(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig), fd, id, other;

	rig_map(rig, ioas, 0, 4, IOVA);
	fd = access_of(rig, ioas, true);
	assert_int_equal(rig_destroy(rig, ioas), -EBUSY);
	assert_int_equal(pin(rig, fd, IOVA, 8192, 1, &id), -EBADE);
	assert_int_equal(pin(rig, fd, IOVA, 8192, 0, &id), 0);
	assert_int_equal(pin(rig, fd, IOVA, 8192, 0, &other), 0);
	assert_int_equal(other, id + 1);
	assert_int_equal(rig_check_refs(rig, 0, 2, 1), 0); /* pinned once, however often asked */
	assert_int_equal(rig_check_refs(rig, 2, 2, 0), 0);
	assert_int_equal(unpin(rig, fd, id), 0);
	assert_int_equal(unpin(rig, fd, id), -ENOENT);
	assert_int_equal(rig_check_refs(rig, 0, 2, 1), 0);
	assert_int_equal(rig_unmap(rig, ioas, IOVA, 4 * ENGINE_PAGE_SIZE), 0);
	assert_int_equal(unpin(rig, fd, other), -ENOENT);
	assert_int_equal(rig_check_refs(rig, 0, 4, 0), 0);
	rig_map(rig, ioas, 0, 4, IOVA);
	assert_int_equal(pin(rig, fd, IOVA + 4096, 4096, 1, &id), 0);
	rig_close(rig, fd);
	assert_int_equal(rig_check_refs(rig, 0, 4, 0), 0);
	assert_int_equal(rig_destroy(rig, ioas), 0);
}

static void test_access_bad_arguments(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig), fd, plain, id;
	uint8_t data[16];

	assert_int_equal(create_access(rig, 99, 0, &fd), -ENOENT);
	assert_int_equal(create_access(rig, ioas, 2, &fd), -EOPNOTSUPP);
	rig->fake.no_fds = true;
	assert_int_equal(create_access(rig, ioas, 0, &fd), -ENOMEM);
	rig->fake.no_fds = false;
	assert_int_equal(rig_objects(rig), 1);
	rig_map(rig, ioas, 0, 2, IOVA);
	fd = access_of(rig, ioas, true);
	plain = access_of(rig, ioas, false);
	assert_int_equal(pin(rig, 9, IOVA, 4096, 0, &id), -EBADFD);
	assert_int_equal(pin(rig, plain, IOVA, 4096, 0, &id), -EOPNOTSUPP);
	assert_int_equal(pin(rig, fd, IOVA, 0, 0, &id), -EINVAL);
	assert_int_equal(pin(rig, fd, IOVA, (16 << 20) + 1, 0, &id), -ENOMEM);
	assert_int_equal(pin(rig, fd, UINT64_MAX - 10, 4096, 0, &id), -EOVERFLOW);
	assert_int_equal(pin(rig, fd, IOVA, 3 * 4096, 0, &id), -ENOENT);
	assert_int_equal(rig_check_refs(rig, 0, 2, 0), 0);
	assert_int_equal(access_rw(rig, fd, IOVA, data, 0, 0), -EINVAL);
	assert_int_equal(access_rw(rig, fd, IOVA + 8190, data, 4, 0), -ENOENT);
	assert_int_equal(access_rw(rig, fd, IOVA, data, 4, 8), -EOPNOTSUPP);
	assert_int_equal(access_rw(rig, fd, IOVA, NULL, 4, 0), -EFAULT);
	assert_int_equal(access_rw(rig, 12, IOVA, data, 4, 0), -EBADFD);
}

static void test_access_moves_between_address_spaces(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig), other = rig_ioas(rig), fd, id;
	struct iommu_test_cmd cmd = { .op = IOMMU_TEST_OP_ACCESS_REPLACE_IOAS };

	rig_map(rig, ioas, 0, 2, IOVA);
	fd = access_of(rig, ioas, true);
	assert_int_equal(pin(rig, fd, IOVA, 4096, 0, &id), 0);
	cmd.id = fd;
	cmd.access_replace_ioas.ioas_id = 99;
	assert_int_equal(rig_test(rig, &cmd), -ENOENT);
	assert_int_equal(rig_check_refs(rig, 0, 1, 1), 0);
	cmd.access_replace_ioas.ioas_id = other;
	assert_int_equal(rig_test(rig, &cmd), 0);
	assert_int_equal(rig_check_refs(rig, 0, 1, 0), 0);
	assert_int_equal(rig_destroy(rig, ioas), 0);
	assert_int_equal(rig_destroy(rig, other), -EBUSY);
	assert_int_equal(pin(rig, fd, IOVA, 4096, 0, &id), -ENOENT);
}

static void test_access_reads_and_writes_across_areas(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig), fd;
	char back[8] = { 0 };

	rig_map(rig, ioas, 4, 1, IOVA);
	rig_map(rig, ioas, 2, 1, IOVA + 4096);
	fd = access_of(rig, ioas, false);
	assert_int_equal(access_rw(rig, fd, IOVA + 4092, "abcdefg", 8, MOCK_ACCESS_RW_WRITE), 0);
	assert_memory_equal(rig->fake.memory + 5 * 4096 - 4, "abcd", 4);
	assert_memory_equal(rig->fake.memory + 2 * 4096, "efg", 4);
	assert_int_equal(access_rw(rig, fd, IOVA + 4092, back, 8, MOCK_ACCESS_RW_SLOW_PATH), 0);
	assert_string_equal(back, "abcdefg");
}

static void test_access_is_used_through_another_iommufd(void **state)
{
	struct rig *rig = *state;
	struct engine_ctx *first = rig->ctx;
	uint32_t ioas = rig_ioas(rig), fd, id;

	rig_map(rig, ioas, 0, 1, IOVA);
	fd = access_of(rig, ioas, true);
	rig->ctx = engine_ctx_open(rig->engine, &rig->fake.client);
	assert_int_equal(pin(rig, fd, IOVA, 4096, 0, &id), 0);
	assert_int_equal(rig_check_refs(rig, 0, 1, 1), 0);
	assert_int_equal(unpin(rig, fd, id), 0);
	engine_ctx_release(rig->ctx);
	rig->ctx = first;
}

/* ---- dma-bufs ---------------------------------------------------------------------------- */

static long map_file(struct rig *rig, uint32_t ioas, uint32_t fd, uint64_t length, uint64_t iova)
{
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas,
		.fd = (int32_t)fd,
		.length = length,
		.iova = iova,
	};

	return rig_call(rig, IOMMU_IOAS_MAP_FILE, &cmd);
}

static void test_dmabuf_is_mapped_until_revoked(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig), fd, access, id;
	struct iommu_test_cmd cmd = { .op = IOMMU_TEST_OP_DMABUF_GET,
				      .dmabuf_get = { .length = 8192 } };

	rig_mock_domain(rig, ioas, 0);
	/* 7.3 does not say which descriptor it is: the lowest that was free. */
	assert_int_equal(rig_test(rig, &cmd), 0);
	fd = FAKE_FIRST_FD;
	assert_int_equal(map_file(rig, ioas, fd, 3 * 4096, IOVA), -EINVAL);
	assert_int_equal(map_file(rig, ioas, fd, 8192, IOVA), 0);
	access = access_of(rig, ioas, true);
	assert_int_equal(pin(rig, access, IOVA, 4096, 0, &id), -EINVAL);
	cmd.op = IOMMU_TEST_OP_DMABUF_REVOKE;
	cmd.dmabuf_revoke.dmabuf_fd = (int32_t)fd;
	cmd.dmabuf_revoke.revoked = 1;
	assert_int_equal(rig_test(rig, &cmd), 0);
	assert_int_equal(map_file(rig, ioas, fd, 8192, IOVA + 0x10000), -ENODEV);
	cmd.dmabuf_revoke.revoked = 0;
	assert_int_equal(rig_test(rig, &cmd), 0);
	assert_int_equal(map_file(rig, ioas, fd, 8192, IOVA + 0x10000), 0);
	rig_close(rig, fd);
	assert_int_equal(rig_unmap(rig, ioas, IOVA, 0x20000), 0);
	cmd.dmabuf_revoke.dmabuf_fd = 9;
	assert_int_equal(rig_test(rig, &cmd), -EBADF);
	cmd.dmabuf_revoke.dmabuf_fd = (int32_t)access;
	assert_int_equal(rig_test(rig, &cmd), -EINVAL);
	cmd.op = IOMMU_TEST_OP_DMABUF_GET;
	cmd.dmabuf_get.length = 0;
	assert_int_equal(rig_test(rig, &cmd), -EINVAL);
	cmd.dmabuf_get.length = (2 << 20) + 1;
	assert_int_equal(rig_test(rig, &cmd), -EINVAL);
}

/* ---- devices of a simulation ------------------------------------------------------------- */

static void test_sim_device_moves_data_and_marks_pages(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig), id, hwpt, pt;
	struct iommu_hwpt_set_dirty_tracking track = { .size = sizeof(track), .flags = 1 };
	struct iommu_hwpt_get_dirty_bitmap dirty = {
		.size = sizeof(dirty), .iova = 0x10000, .length = 4 * 4096, .page_size = 4096
	};
	struct engine_device *device;
	uint64_t bad = 0;
	char data[16] = "0123456789abcde";
	uint8_t bits = 0;

	rig_map(rig, ioas, 3, 1, 0x10000);
	rig_map(rig, ioas, 7, 3, 0x11000);
	assert_int_equal(engine_device_bind(rig->ctx, &rig->fake.client, &device, &id), 0);
	assert_int_equal(engine_device_dma(device, 0x10000, 4, false, NULL, &bad), -EFAULT);
	hwpt = rig_hwpt(rig, id, ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING);
	pt = hwpt;
	assert_int_equal(engine_device_attach(device, &rig->fake.client, 0, &pt), 0);
	assert_int_equal(rig_check_refs(rig, 7, 3, 1), 0);
	track.hwpt_id = dirty.hwpt_id = hwpt;
	assert_int_equal(rig_call(rig, IOMMU_HWPT_SET_DIRTY_TRACKING, &track), 0);
	assert_int_equal(engine_device_dma(device, 0x10ff8, sizeof(data), true, data, &bad), 0);
	assert_memory_equal(rig->fake.memory + 4 * 4096 - 8, data, 8);
	assert_memory_equal(rig->fake.memory + 7 * 4096, data + 8, 8);
	dirty.data = (uint64_t)(uintptr_t)&bits;
	assert_int_equal(rig_call(rig, IOMMU_HWPT_GET_DIRTY_BITMAP, &dirty), 0);
	assert_int_equal(bits, 3);
	assert_int_equal(engine_device_dma(device, 0x13ff0, 32, false, data, &bad), -EFAULT);
	assert_int_equal(bad, 0x14000);
	/* An address space instead: its own page table, and the old one can go. */
	pt = ioas;
	assert_int_equal(engine_device_attach(device, &rig->fake.client, 0, &pt), 0);
	assert_int_not_equal(pt, ioas);
	assert_int_equal(rig_destroy(rig, hwpt), 0);
	engine_device_detach(device, 0);
	assert_int_equal(engine_device_dma(device, 0x10000, 4, false, data, &bad), -EFAULT);
	assert_int_equal(rig_destroy(rig, id), -EBUSY);
	engine_device_unbind(device);
	assert_int_equal(rig_destroy(rig, ioas), 0);
}

static void test_sim_device_keeps_the_context(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig), id;
	struct engine_device *device;
	char data[4] = "abc";

	rig_map(rig, ioas, 0, 1, 0x10000);
	assert_int_equal(engine_device_bind(rig->ctx, &rig->fake.client, &device, &id), 0);
	assert_int_equal(engine_device_attach(device, &rig->fake.client, 0, &ioas), 0);
	engine_ctx_release(rig->ctx);
	assert_int_equal(engine_device_dma(device, 0x10000, 4, true, data, NULL), 0);
	assert_string_equal((char *)rig->fake.memory, "abc");
	engine_device_unbind(device);
	rig->ctx = engine_ctx_open(rig->engine, &rig->fake.client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_access_pins_until_unmap_or_close),
		TEST(test_access_bad_arguments),
		TEST(test_access_moves_between_address_spaces),
		TEST(test_access_reads_and_writes_across_areas),
		TEST(test_access_is_used_through_another_iommufd),
		TEST(test_dmabuf_is_mapped_until_revoked),
		TEST(test_sim_device_moves_data_and_marks_pages),
		TEST(test_sim_device_keeps_the_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
