/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls whose structure cannot be read or whose answer cannot be written, and what the test
 * command refuses: what they give, and that nothing is left of them.
 */
#include "tests/unit/engine_rig.h"

#include <errno.h>
#include <string.h>

#include <ioasis/iommufd_abi.h>

#include "sim/engine/vfio_abi.h"

#define IOVA MOCK_APERTURE_START
#define PAGE ENGINE_PAGE_SIZE

/* A page of the client that can be read and not written: a structure there has no answer. */
#define ANSWERLESS 500u
/* And one that is not there. */
#define NOWHERE 501u

static struct rig *begin(void **state)
{
	struct rig *rig = *state;

	rig->fake.pages[ANSWERLESS] = FAKE_PAGE_RO;
	rig->fake.pages[NOWHERE] = FAKE_PAGE_NONE;
	return rig;
}

/* A call with its structure where nothing can be written. */
static long call_without_answer(struct rig *rig, unsigned int cmd, const void *arg, size_t size)
{
	long rc;

	memcpy(rig->fake.memory + (size_t)ANSWERLESS * PAGE, arg, size);
	rc = engine_ctx_ioctl(rig->ctx, &rig->fake.client, cmd, rig_va(ANSWERLESS));
	engine_ctx_verify(rig->ctx);
	return rc;
}

/* ---- files that a command gives are taken back -------------------------------------------- */

static void test_queue_whose_file_cannot_be_told_is_undone(void **state)
{
	struct rig *rig = begin(state);
	struct iommu_fault_alloc fault = { .size = sizeof(fault) };
	struct iommu_veventq_alloc veventq = { .size = sizeof(veventq),
					       .type = IOMMU_VEVENTQ_TYPE_SELFTEST,
					       .veventq_depth = 2 };
	struct iommu_viommu_alloc viommu = { .size = sizeof(viommu),
					     .type = IOMMU_VIOMMU_TYPE_SELFTEST };
	const uint32_t ioas = rig_ioas(rig);
	struct rig_mock mock = rig_mock_domain(rig, ioas, 0);
	unsigned int objects;

	viommu.dev_id = mock.idev;
	viommu.hwpt_id = rig_hwpt(rig, mock.idev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT);
	assert_int_equal(rig_call(rig, IOMMU_VIOMMU_ALLOC, &viommu), 0);
	veventq.viommu_id = viommu.out_viommu_id;
	objects = rig_objects(rig);
	assert_int_equal(call_without_answer(rig, IOMMU_FAULT_QUEUE_ALLOC, &fault, sizeof(fault)),
			 -EFAULT);
	assert_int_equal(call_without_answer(rig, IOMMU_VEVENTQ_ALLOC, &veventq, sizeof(veventq)),
			 -EFAULT);
	assert_int_equal(rig_objects(rig), objects);
	/* The file's number is free again, and so is the type. */
	assert_int_equal(rig_call(rig, IOMMU_FAULT_QUEUE_ALLOC, &fault), 0);
	assert_int_equal(fault.out_fault_fd, FAKE_FIRST_FD);
	assert_int_equal(rig_call(rig, IOMMU_VEVENTQ_ALLOC, &veventq), 0);
	assert_int_equal(veventq.out_veventq_fd, FAKE_FIRST_FD + 1);
}

static struct iommu_test_cmd access_cmd(uint32_t op, uint32_t id)
{
	return (struct iommu_test_cmd){ .size = sizeof(struct iommu_test_cmd), .op = op, .id = id };
}

static uint32_t new_access(struct rig *rig, uint32_t ioas, bool pins)
{
	struct iommu_test_cmd cmd = access_cmd(IOMMU_TEST_OP_CREATE_ACCESS, ioas);

	cmd.create_access.flags = pins ? MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES : 0;
	assert_int_equal(rig_test(rig, &cmd), 0);
	return cmd.create_access.out_access_fd;
}

static void test_access_whose_answer_cannot_be_told_is_undone(void **state)
{
	struct rig *rig = begin(state);
	const uint32_t ioas = rig_ioas(rig);
	struct iommu_test_cmd create = access_cmd(IOMMU_TEST_OP_CREATE_ACCESS, ioas);
	struct iommu_test_cmd pages;
	uint32_t fd;

	assert_int_equal(call_without_answer(rig, IOMMU_TEST_CMD, &create, sizeof(create)), -EFAULT);
	assert_int_equal(rig_objects(rig), 1);
	rig_map(rig, ioas, 0, 4, IOVA);
	fd = new_access(rig, ioas, true);
	assert_int_equal(fd, FAKE_FIRST_FD);
	pages = access_cmd(IOMMU_TEST_OP_ACCESS_PAGES, fd);
	pages.access_pages.iova = IOVA;
	pages.access_pages.length = 2 * PAGE;
	pages.access_pages.uptr = rig_va(0);
	assert_int_equal(call_without_answer(rig, IOMMU_TEST_CMD, &pages, sizeof(pages)), -EFAULT);
	assert_int_equal(rig->fake.pinned, 0);
	assert_int_equal(rig_test(rig, &pages), 0);
	assert_int_equal(rig->fake.pinned, 2);
}

static void test_dmabuf_that_finds_no_number_is_undone(void **state)
{
	struct rig *rig = begin(state);
	struct iommu_test_cmd cmd = access_cmd(IOMMU_TEST_OP_DMABUF_GET, 0);
	struct engine_client_ops ops = *rig->fake.client.ops;
	const struct engine_client_ops *usual = rig->fake.client.ops;

	cmd.dmabuf_get.length = 3 * PAGE;
	rig->fake.no_fds = true;
	assert_int_equal(rig_test(rig, &cmd), -EMFILE);
	rig->fake.no_fds = false;
	/* A client to which no file can be given at all. */
	ops.fd_install = NULL;
	rig->fake.client.ops = &ops;
	assert_int_equal(rig_test(rig, &cmd), -EMFILE);
	rig->fake.client.ops = usual;
	cmd.dmabuf_get.length = 0;
	assert_int_equal(rig_test(rig, &cmd), -EINVAL);
	/* The two allocations that it takes; what was made goes with the call. */
	cmd.dmabuf_get.length = 3 * PAGE;
	for (uint32_t nth = 1; nth <= 2; nth++) {
		rig->heap_nth = nth;
		assert_int_equal(rig_test(rig, &cmd), -ENOMEM);
	}
	assert_int_equal(rig_test(rig, &cmd), 0);
	assert_int_equal(engine_anon_file_size(fake_anon_file(&rig->fake, FAKE_FIRST_FD)), 3 * PAGE);
}

/* ---- type 1 ----------------------------------------------------------------------------------- */

static uint32_t type1_space(struct rig *rig)
{
	struct iommu_vfio_ioas set = { .size = sizeof(set), .op = IOMMU_VFIO_IOAS_SET };

	set.ioas_id = rig_ioas(rig);
	assert_int_equal(rig_call(rig, IOMMU_VFIO_IOAS, &set), 0);
	return set.ioas_id;
}

static long type1(struct rig *rig, unsigned int cmd, uint64_t arg)
{
	long rc = engine_ctx_ioctl(rig->ctx, &rig->fake.client, cmd, arg);

	engine_ctx_verify(rig->ctx);
	return rc;
}

static void test_type1_structures_that_are_not_there(void **state)
{
	struct rig *rig = begin(state);

	type1_space(rig);
	assert_int_equal(type1(rig, VFIO_IOMMU_MAP_DMA, rig_va(NOWHERE)), -EFAULT);
	assert_int_equal(type1(rig, VFIO_IOMMU_UNMAP_DMA, rig_va(NOWHERE)), -EFAULT);
	assert_int_equal(type1(rig, VFIO_IOMMU_GET_INFO, rig_va(NOWHERE)), -EFAULT);
}

static void test_type1_unmap_of_all_takes_no_range(void **state)
{
	struct rig *rig = begin(state);
	struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof(unmap),
						    .flags = VFIO_DMA_UNMAP_FLAG_ALL };

	rig_map(rig, type1_space(rig), 0, 4, IOVA);
	unmap.iova = IOVA;
	assert_int_equal(rig_call(rig, VFIO_IOMMU_UNMAP_DMA, &unmap), -EINVAL);
	unmap.iova = 0;
	unmap.size = PAGE;
	assert_int_equal(rig_call(rig, VFIO_IOMMU_UNMAP_DMA, &unmap), -EINVAL);
	unmap.size = 0;
	assert_int_equal(rig_call(rig, VFIO_IOMMU_UNMAP_DMA, &unmap), 0);
	assert_int_equal(unmap.size, 4 * PAGE);
}

/* What was unmapped is gone, though nobody is told how much it was. */
static void test_type1_unmap_without_an_answer_unmaps(void **state)
{
	struct rig *rig = begin(state);
	struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof(unmap), .iova = IOVA,
						    .size = 4 * PAGE };
	const uint32_t ioas = type1_space(rig);

	rig_map(rig, ioas, 0, 4, IOVA);
	assert_int_equal(call_without_answer(rig, VFIO_IOMMU_UNMAP_DMA, &unmap, sizeof(unmap)),
			 -EFAULT);
	assert_int_equal(rig_unmap(rig, ioas, IOVA, 4 * PAGE), -ENOENT);
}

/* Behind the structure there is no page: capabilities that would fit cannot be written. */
static void test_type1_info_with_no_room_behind_it(void **state)
{
	struct rig *rig = begin(state);
	struct vfio_iommu_type1_info info = { .argsz = 4096 };
	const uint64_t at = rig_va(NOWHERE) - sizeof(info);

	type1_space(rig);
	rig->fake.pages[ANSWERLESS] = FAKE_PAGE_RW;
	memcpy(rig->fake.memory + (at - FAKE_BASE), &info, sizeof(info));
	assert_int_equal(type1(rig, VFIO_IOMMU_GET_INFO, at), -EFAULT);
	info.argsz = sizeof(info);
	memcpy(rig->fake.memory + (at - FAKE_BASE), &info, sizeof(info));
	assert_int_equal(type1(rig, VFIO_IOMMU_GET_INFO, at), 0);
	memcpy(&info, rig->fake.memory + (at - FAKE_BASE), sizeof(info));
	assert_int_equal(info.flags, VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS);
	assert_int_equal(info.cap_offset, 0);
	assert_true(info.argsz > sizeof(info));
	rig->fake.pages[ANSWERLESS] = FAKE_PAGE_RO;
	assert_int_equal(call_without_answer(rig, VFIO_IOMMU_GET_INFO, &info, sizeof(info)), -EFAULT);
}

static void test_type1_cut_of_what_is_in_use_is_refused(void **state)
{
	struct rig *rig = begin(state);
	struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof(unmap), .iova = IOVA + PAGE,
						    .size = PAGE };
	const uint32_t ioas = type1_space(rig);
	struct iommu_test_cmd pages;
	uint32_t fd;

	assert_int_equal(type1(rig, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU), 0);
	rig_map(rig, ioas, 0, 4, IOVA);
	fd = new_access(rig, ioas, true);
	pages = access_cmd(IOMMU_TEST_OP_ACCESS_PAGES, fd);
	pages.access_pages.iova = IOVA;
	pages.access_pages.length = 4 * PAGE;
	assert_int_equal(rig_test(rig, &pages), 0);
	assert_int_equal(rig_call(rig, VFIO_IOMMU_UNMAP_DMA, &unmap), -EINVAL);
	/* Half a page is no place to cut. */
	fake_close(&rig->fake, fd);
	unmap.iova = IOVA + PAGE + 100;
	assert_int_equal(rig_call(rig, VFIO_IOMMU_UNMAP_DMA, &unmap), -EINVAL);
	unmap.iova = IOVA + PAGE;
	assert_int_equal(rig_call(rig, VFIO_IOMMU_UNMAP_DMA, &unmap), 0);
	assert_int_equal(unmap.size, PAGE);
	assert_int_equal(rig_unmap(rig, ioas, IOVA, PAGE), 0);
	assert_int_equal(rig_unmap(rig, ioas, IOVA + 2 * PAGE, 2 * PAGE), 0);
}

/* ---- accesses --------------------------------------------------------------------------------- */

static long access_rw(struct rig *rig, uint32_t fd, uint64_t iova, void *data, uint64_t length,
		      uint32_t flags)
{
	struct iommu_test_cmd cmd = access_cmd(IOMMU_TEST_OP_ACCESS_RW, fd);

	cmd.access_rw.iova = iova;
	cmd.access_rw.length = length;
	cmd.access_rw.uptr = (uintptr_t)data;
	cmd.access_rw.flags = flags;
	return rig_test(rig, &cmd);
}

static long map_of(struct rig *rig, uint32_t ioas, uint32_t page, uint32_t npages, uint64_t iova,
		   uint32_t flags)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd), .flags = flags | IOMMU_IOAS_MAP_FIXED_IOVA, .ioas_id = ioas,
		.user_va = rig_va(page), .length = (uint64_t)npages * PAGE, .iova = iova,
	};

	return rig_call(rig, IOMMU_IOAS_MAP, &cmd);
}

static void test_access_of_user_memory_and_of_files(void **state)
{
	struct rig *rig = begin(state);
	const uint32_t ioas = rig_ioas(rig);
	struct iommu_ioas_map_file file = {
		.size = sizeof(file), .flags = 7, .ioas_id = ioas, .fd = FAKE_MEMFD,
		.length = 2 * PAGE, .iova = IOVA + 0x100000,
	};
	char data[16] = "in a file", back[16] = "";
	const uint32_t fd = new_access(rig, ioas, true);

	assert_int_equal(map_of(rig, ioas, 0, 2, IOVA, IOMMU_IOAS_MAP_READABLE), 0);
	assert_int_equal(map_of(rig, ioas, 2, 2, IOVA + 2 * PAGE, IOMMU_IOAS_MAP_WRITEABLE), 0);
	assert_int_equal(rig_call(rig, IOMMU_IOAS_MAP_FILE, &file), 0);
	assert_int_equal(access_rw(rig, fd, IOVA, data, 8, MOCK_ACCESS_RW_WRITE), -EPERM);
	assert_int_equal(access_rw(rig, fd, IOVA + 2 * PAGE, data, 8, 0), -EPERM);
	assert_int_equal(access_rw(rig, fd, IOVA + 5 * PAGE, data, 8, 0), -ENOENT);
	assert_int_equal(access_rw(rig, fd, IOVA + PAGE, data, 0, 0), -EINVAL);
	assert_int_equal(access_rw(rig, fd, UINT64_MAX, data, 8, 0), -EOVERFLOW);
	assert_int_equal(access_rw(rig, fd, IOVA, data, 8, 1u << 20), -EOPNOTSUPP);
	assert_int_equal(access_rw(rig, fd, IOVA + 0x100ff8, data, 16, MOCK_ACCESS_RW_WRITE), 0);
	assert_int_equal(access_rw(rig, fd, IOVA + 0x100ff8, back, 16, 0), 0);
	assert_string_equal(back, "in a file");
	/* The nth area, and an offset into it: the first, the third, and one that is not there. */
	assert_int_equal(access_rw(rig, fd, 0xff8ull << 32 | 2, back, 16, MOCK_FLAGS_ACCESS_SYZ), 0);
	assert_string_equal(back, "in a file");
	assert_int_equal(access_rw(rig, fd, 9, back, 16, MOCK_FLAGS_ACCESS_SYZ), -ENOENT);
	/* Memory that is not there any more, in the middle. */
	rig->fake.pages[1] = FAKE_PAGE_NONE;
	assert_int_equal(access_rw(rig, fd, IOVA, back, 8, 0), 0);
	assert_int_equal(access_rw(rig, fd, IOVA + PAGE - 4, back, 8, MOCK_ACCESS_RW_SLOW_PATH),
			 -EFAULT);
	assert_int_equal(rig->fake.pinned, 0);
}

static void test_access_pins_what_is_whole_and_allowed(void **state)
{
	struct rig *rig = begin(state);
	const uint32_t ioas = rig_ioas(rig);
	const uint32_t fd = new_access(rig, ioas, true), plain = new_access(rig, ioas, false);
	struct iommu_test_cmd cmd = access_cmd(IOMMU_TEST_OP_ACCESS_PAGES, fd);

	assert_int_equal(map_of(rig, ioas, 0, 2, IOVA, IOMMU_IOAS_MAP_READABLE), 0);
	cmd.access_pages.iova = IOVA;
	cmd.access_pages.length = 2 * PAGE;
	cmd.access_pages.flags = MOCK_FLAGS_ACCESS_WRITE;
	assert_int_equal(rig_test(rig, &cmd), -EPERM);
	cmd.access_pages.flags = 1u << 20;
	assert_int_equal(rig_test(rig, &cmd), -EOPNOTSUPP);
	cmd.access_pages.flags = 0;
	cmd.id = plain;
	assert_int_equal(rig_test(rig, &cmd), -EOPNOTSUPP);
	cmd.id = FAKE_OTHER_FD;
	assert_int_equal(rig_test(rig, &cmd), -EBADFD);
	cmd.id = fd;
	/* Not the pages that the caller says; pages that he has not. */
	cmd.access_pages.uptr = rig_va(4);
	assert_int_equal(rig_test(rig, &cmd), -EBADE);
	cmd.access_pages.uptr = rig_va(NOWHERE);
	assert_int_equal(rig_test(rig, &cmd), -EFAULT);
	assert_int_equal(rig->fake.pinned, 0);
	cmd.access_pages.uptr = rig_va(0);
	assert_int_equal(rig_test(rig, &cmd), 0);
	assert_int_equal(rig->fake.pinned, 2);
}

/* The test's dma-buf: it has no pages to pin or read, and its address is aligned as a whole. */
static void test_dmabuf_has_no_pages(void **state)
{
	struct rig *rig = begin(state);
	const uint32_t ioas = rig_ioas(rig), fd = new_access(rig, ioas, true);
	struct iommu_test_cmd cmd = access_cmd(IOMMU_TEST_OP_DMABUF_GET, 0);
	struct iommu_ioas_map_file map = {
		.size = sizeof(map), .flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE |
					      IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = ioas, .length = 3 * PAGE, .iova = IOVA,
	};
	struct rig_mock mock = rig_mock_domain(rig, ioas, 0);
	char back[8];

	cmd.dmabuf_get.length = 3 * PAGE;
	assert_int_equal(rig_test(rig, &cmd), 0);
	map.fd = (int32_t)fd + 1;
	assert_int_equal(rig_call(rig, IOMMU_IOAS_MAP_FILE, &map), 0);
	assert_int_equal(rig->fake.pinned, 0);
	assert_int_equal(access_rw(rig, fd, IOVA, back, 8, 0), -EINVAL);
	cmd = access_cmd(IOMMU_TEST_OP_ACCESS_PAGES, fd);
	cmd.access_pages.iova = IOVA;
	cmd.access_pages.length = PAGE;
	assert_int_equal(rig_test(rig, &cmd), -EINVAL);
	assert_int_equal(rig_unmap(rig, ioas, IOVA, 3 * PAGE), 0);
	assert_int_equal(rig_destroy(rig, mock.stdev), 0);
}

/* ---- the mock driver's own tests -------------------------------------------------------------- */

static long pasid_op(struct rig *rig, uint32_t op, uint32_t stdev, uint32_t pasid, uint32_t pt)
{
	struct iommu_test_cmd cmd = access_cmd(op, stdev);

	cmd.pasid_attach.pasid = pasid;
	cmd.pasid_attach.pt_id = pt;
	return rig_test(rig, &cmd);
}

/* PASID 1024: the second attach without a detach between fails in the driver. */
static void test_reserved_pasid_fails_every_second_time(void **state)
{
	struct rig *rig = begin(state);
	const uint32_t ioas = rig_ioas(rig);
	struct rig_mock mock = rig_mock_domain(rig, ioas, MOCK_FLAGS_DEVICE_PASID);
	const uint32_t one = rig_hwpt(rig, mock.idev, ioas, IOMMU_HWPT_ALLOC_PASID);
	const uint32_t two = rig_hwpt(rig, mock.idev, ioas, IOMMU_HWPT_ALLOC_PASID);
	const uint32_t pasid = IOMMU_TEST_PASID_RESERVED;
	struct iommu_test_cmd replace = access_cmd(IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE, mock.stdev);

	replace.mock_domain_replace.pt_id = one;
	assert_int_equal(rig_test(rig, &replace), 0);
	assert_int_equal(pasid_op(rig, IOMMU_TEST_OP_PASID_ATTACH, mock.stdev, pasid, one), 0);
	assert_int_equal(pasid_op(rig, IOMMU_TEST_OP_PASID_REPLACE, mock.stdev, pasid, two), -ENOMEM);
	assert_int_equal(rig_destroy(rig, two), 0); /* it was not taken */
	assert_int_equal(pasid_op(rig, IOMMU_TEST_OP_PASID_DETACH, mock.stdev, pasid, 0), 0);
	assert_int_equal(pasid_op(rig, IOMMU_TEST_OP_PASID_ATTACH, mock.stdev, pasid, one), 0);
	/* One that the device does not have; one that does not go with its page table. */
	assert_int_equal(pasid_op(rig, IOMMU_TEST_OP_PASID_ATTACH, mock.stdev, 1u << 21, one),
			 -EINVAL);
	assert_int_equal(pasid_op(rig, IOMMU_TEST_OP_PASID_ATTACH, mock.stdev, 7, mock.hwpt),
			 -ENOENT);
	assert_int_equal(pasid_op(rig, IOMMU_TEST_OP_PASID_ATTACH, mock.stdev, 7,
				  rig_hwpt(rig, mock.idev, ioas, 0)), -EINVAL);
	replace.mock_domain_replace.pt_id = rig_hwpt(rig, mock.idev, ioas, 0);
	assert_int_equal(rig_test(rig, &replace), -EINVAL);
	/* By its number, lower first, whatever came first. */
	assert_int_equal(pasid_op(rig, IOMMU_TEST_OP_PASID_ATTACH, mock.stdev, 3, one), 0);
	assert_int_equal(pasid_op(rig, IOMMU_TEST_OP_PASID_DETACH, mock.stdev, 3, 0), 0);
	assert_int_equal(pasid_op(rig, IOMMU_TEST_OP_PASID_DETACH, mock.stdev, pasid, 0), 0);
}

static void test_device_without_dirty_tracking_takes_no_such_table(void **state)
{
	struct rig *rig = begin(state);
	const uint32_t ioas = rig_ioas(rig);
	struct rig_mock able = rig_mock_domain(rig, ioas, 0);
	struct rig_mock unable = rig_mock_domain(rig, ioas, MOCK_FLAGS_DEVICE_NO_DIRTY);
	struct iommu_hwpt_alloc alloc = { .size = sizeof(alloc), .dev_id = unable.idev,
					  .pt_id = ioas,
					  .flags = IOMMU_HWPT_ALLOC_DIRTY_TRACKING };
	struct iommu_test_cmd replace = access_cmd(IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE,
						   unable.stdev);

	assert_int_equal(rig_call(rig, IOMMU_HWPT_ALLOC, &alloc), -EOPNOTSUPP);
	replace.mock_domain_replace.pt_id =
		rig_hwpt(rig, able.idev, ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING);
	assert_int_equal(rig_test(rig, &replace), -EINVAL);
}

static void test_hw_info_of_another_type(void **state)
{
	struct rig *rig = begin(state);
	struct rig_mock mock = rig_mock_domain(rig, rig_ioas(rig), 0);
	uint8_t data[3 * 4096];
	struct iommu_hw_info info = { .size = sizeof(info), .dev_id = mock.idev,
				      .flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE, .in_data_type = 1 };

	assert_int_equal(rig_call(rig, IOMMU_GET_HW_INFO, &info), -EOPNOTSUPP);
	info.in_data_type = IOMMU_HW_INFO_TYPE_SELFTEST;
	info.data_len = sizeof(data);
	info.data_uptr = (uintptr_t)data;
	memset(data, 0xee, sizeof(data));
	assert_int_equal(rig_call(rig, IOMMU_GET_HW_INFO, &info), 0);
	assert_int_equal(info.data_len, sizeof(struct iommu_test_hw_info));
	assert_int_equal(data[info.data_len], 0);
	assert_int_equal(data[sizeof(data) - 1], 0);
	/* Its tail is not there, its head cannot be written. */
	info.data_uptr = rig_va(NOWHERE) - sizeof(struct iommu_test_hw_info);
	rig->fake.pages[ANSWERLESS] = FAKE_PAGE_RW;
	info.data_len = 2 * PAGE;
	assert_int_equal(rig_call(rig, IOMMU_GET_HW_INFO, &info), -EFAULT);
	info.data_uptr = rig_va(NOWHERE);
	assert_int_equal(rig_call(rig, IOMMU_GET_HW_INFO, &info), -EFAULT);
	info.flags = 2;
	assert_int_equal(rig_call(rig, IOMMU_GET_HW_INFO, &info), -EOPNOTSUPP);
	info.flags = 0;
	info.__reserved[1] = 1;
	assert_int_equal(rig_call(rig, IOMMU_GET_HW_INFO, &info), -EOPNOTSUPP);
}

/* Entries longer than this kernel knows: their tails must be 0. */
static void test_viommu_invalidation_with_longer_entries(void **state)
{
	struct rig *rig = begin(state);
	struct {
		struct iommu_viommu_invalidate_selftest entry;
		uint32_t more;
	} entries[2] = { { .entry = { .vdev_id = 5, .cache_id = 1 } },
			 { .entry = { .vdev_id = 5, .cache_id = 2 } } };
	struct iommu_viommu_alloc viommu = { .size = sizeof(viommu),
					     .type = IOMMU_VIOMMU_TYPE_SELFTEST };
	struct iommu_vdevice_alloc vdevice = { .size = sizeof(vdevice), .virt_id = 5 };
	struct iommu_hwpt_invalidate cmd = {
		.size = sizeof(cmd), .data_uptr = (uintptr_t)entries,
		.data_type = IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST,
		.entry_len = sizeof(entries[0]), .entry_num = 2,
	};
	struct iommu_test_cmd check;
	const uint32_t ioas = rig_ioas(rig);
	struct rig_mock mock = rig_mock_domain(rig, ioas, 0);

	viommu.dev_id = vdevice.dev_id = mock.idev;
	viommu.hwpt_id = rig_hwpt(rig, mock.idev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT);
	assert_int_equal(rig_call(rig, IOMMU_VIOMMU_ALLOC, &viommu), 0);
	cmd.hwpt_id = vdevice.viommu_id = viommu.out_viommu_id;
	assert_int_equal(rig_call(rig, IOMMU_VDEVICE_ALLOC, &vdevice), 0);
	entries[1].more = 1;
	assert_int_equal(rig_call(rig, IOMMU_HWPT_INVALIDATE, &cmd), -E2BIG);
	assert_int_equal(cmd.entry_num, 0);
	check = access_cmd(IOMMU_TEST_OP_DEV_CHECK_CACHE, mock.idev);
	check.check_dev_cache.id = 1;
	check.check_dev_cache.cache = IOMMU_TEST_DEV_CACHE_DEFAULT;
	assert_int_equal(rig_test(rig, &check), 0); /* none took effect */
	entries[1].more = 0;
	cmd.entry_num = 2;
	assert_int_equal(rig_call(rig, IOMMU_HWPT_INVALIDATE, &cmd), 0);
	assert_int_equal(cmd.entry_num, 2);
	check.check_dev_cache.cache = 0;
	assert_int_equal(rig_test(rig, &check), 0);
	entries[0].entry.flags = 2;
	assert_int_equal(rig_call(rig, IOMMU_HWPT_INVALIDATE, &cmd), -EOPNOTSUPP);
}

/* ---- charges ------------------------------------------------------------------------------------ */

static long change_process(struct rig *rig)
{
	struct iommu_ioas_change_process cmd = { .size = sizeof(cmd) };

	return rig_call(rig, IOMMU_IOAS_CHANGE_PROCESS, &cmd);
}

static void test_change_process_charges_as_the_mode_says(void **state)
{
	struct rig *rig = begin(state);
	const uint32_t ioas = rig_ioas(rig);
	struct iommu_ioas_change_process bad = { .size = sizeof(bad), .__reserved = 1 };
	struct iommu_ioas_map_file map = {
		.size = sizeof(map), .flags = 7, .ioas_id = ioas, .fd = FAKE_MEMFD,
		.length = 4 * PAGE, .iova = IOVA,
	};

	rig_mock_domain(rig, ioas, 0);
	/* Who may pin what he likes is charged nothing, and nothing moves. */
	assert_int_equal(rig_call(rig, IOMMU_IOAS_MAP_FILE, &map), 0);
	rig->fake.client.uid = 5;
	rig->fake.memlock_bytes = 0;
	assert_int_equal(change_process(rig), 0);
	/* Others must have room for what is pinned. */
	rig->fake.ipc_lock = false;
	rig->fake.memlock_bytes = 100 * PAGE;
	map.iova = IOVA + 0x100000;
	assert_int_equal(rig_call(rig, IOMMU_IOAS_MAP_FILE, &map), 0);
	rig->fake.client.uid = 6;
	rig->fake.memlock_bytes = 3 * PAGE;
	assert_int_equal(change_process(rig), -ENOMEM);
	rig->fake.memlock_bytes = 4 * PAGE;
	assert_int_equal(change_process(rig), 0);
	assert_int_equal(rig_call(rig, IOMMU_IOAS_CHANGE_PROCESS, &bad), -EOPNOTSUPP);
	/* Memory of a process cannot move. */
	rig->fake.memlock_bytes = UINT64_MAX;
	rig_map(rig, ioas, 0, 1, IOVA + 0x200000);
	assert_int_equal(change_process(rig), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)
		TEST(test_queue_whose_file_cannot_be_told_is_undone),
		TEST(test_access_whose_answer_cannot_be_told_is_undone),
		TEST(test_dmabuf_that_finds_no_number_is_undone),
		TEST(test_type1_structures_that_are_not_there),
		TEST(test_type1_unmap_of_all_takes_no_range),
		TEST(test_type1_unmap_without_an_answer_unmaps),
		TEST(test_type1_info_with_no_room_behind_it),
		TEST(test_type1_cut_of_what_is_in_use_is_refused),
		TEST(test_access_of_user_memory_and_of_files),
		TEST(test_access_pins_what_is_whole_and_allowed),
		TEST(test_dmabuf_has_no_pages),
		TEST(test_reserved_pasid_fails_every_second_time),
		TEST(test_device_without_dirty_tracking_takes_no_such_table),
		TEST(test_hw_info_of_another_type),
		TEST(test_viommu_invalidation_with_longer_entries),
		TEST(test_change_process_charges_as_the_mode_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
