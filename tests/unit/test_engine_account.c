/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When memory is pinned, how often, and who is charged: with no page table
 * nothing; with one every page once, however often it is mapped.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ioasis/iommufd_abi.h>

#include "sim/engine/vfio_abi.h"
#include "tests/unit/fake_client.h"

#define PAGE 4096ull
#define RW (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)
#define FIXED IOMMU_IOAS_MAP_FIXED_IOVA
#define MEMORY (FAKE_BASE + 16 * PAGE) /* away from the page for arguments */

struct fixture {
	struct engine *engine;
	struct engine_ctx *ctx;
	struct engine_device *device;
	uint32_t ioas;
	struct fake_client fake;
	struct fake_client other; /* another process of the same user */
};

static struct fixture fixture;

static int setup(void **state)
{
	const struct engine_config config = { .test_ops = true };
	struct fixture *f = &fixture;
	uint32_t id;

	*state = f;
	fake_client_init(&f->fake, 1);
	fake_client_init(&f->other, 2);
	f->fake.ipc_lock = f->other.ipc_lock = false;
	f->engine = engine_create(&config);
	f->ctx = engine_ctx_open(f->engine, &f->fake.client);
	assert_int_equal(fake_ioas_alloc(&f->fake, f->ctx, &f->ioas), 0);
	return engine_device_bind(f->ctx, &f->fake.client, &f->device, &id);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	engine_device_unbind(f->device);
	engine_ctx_verify(f->ctx);
	engine_ctx_release(f->ctx);
	engine_destroy(f->engine);
	fake_client_fini(&f->fake);
	fake_client_fini(&f->other);
	return 0;
}

static int attach(struct fixture *f, struct fake_client *by)
{
	uint32_t pt_id = f->ioas;

	return engine_device_attach(f->device, &by->client, 0, &pt_id);
}

static long map_pages(struct fixture *f, uint64_t user_va, uint64_t npages, uint64_t iova)
{
	return fake_map(&f->fake, f->ctx, f->ioas, RW | FIXED, user_va, npages * PAGE, &iova);
}

static void test_nothing_is_pinned_without_a_page_table(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(map_pages(f, MEMORY, 8, PAGE), 0);
	assert_int_equal(map_pages(f, 0x7f0000000000, 8, 64 * PAGE), 0); /* no memory there */
	assert_int_equal(f->fake.pinned, 0);
}

static void test_bad_memory_is_efault_at_the_attach(void **state)
{
	struct fixture *f = *state;

	f->fake.pages[20] = FAKE_PAGE_RO;
	assert_int_equal(map_pages(f, MEMORY, 8, PAGE), 0);
	assert_int_equal(attach(f, &f->fake), -EFAULT);
	assert_int_equal(f->fake.pinned, 0);
	f->fake.pages[20] = FAKE_PAGE_RW;
	assert_int_equal(attach(f, &f->fake), 0);
	assert_int_equal(f->fake.pinned, 8);
	/* And at MAP from then on. */
	f->fake.pages[40] = FAKE_PAGE_NONE;
	assert_int_equal(map_pages(f, FAKE_BASE + 38 * PAGE, 4, 32 * PAGE), -EFAULT);
	assert_int_equal(f->fake.pinned, 8);
	engine_device_detach(f->device, 0);
	assert_int_equal(f->fake.pinned, 0);
}

static void test_copied_pages_are_pinned_once(void **state)
{
	struct fixture *f = *state;
	uint64_t length = 8 * PAGE;
	uint64_t dst = 64 * PAGE;

	assert_int_equal(map_pages(f, MEMORY, 8, PAGE), 0);
	assert_int_equal(attach(f, &f->fake), 0);
	assert_int_equal(fake_copy(&f->fake, f->ctx, f->ioas, f->ioas, RW | FIXED, 3 * PAGE,
				   4 * PAGE, &dst),
			 0);
	dst = 128 * PAGE;
	assert_int_equal(fake_copy(&f->fake, f->ctx, f->ioas, f->ioas, RW | FIXED, 5 * PAGE,
				   4 * PAGE, &dst),
			 0);
	assert_int_equal(f->fake.pinned, 8);
	/* The original goes, what was copied of it stays pinned: pages 2 to 7. */
	assert_int_equal(fake_unmap(&f->fake, f->ctx, f->ioas, PAGE, &length), 0);
	assert_int_equal(f->fake.pinned, 6);
	length = 4 * PAGE;
	assert_int_equal(fake_unmap(&f->fake, f->ctx, f->ioas, 64 * PAGE, &length), 0);
	assert_int_equal(f->fake.pinned, 4);
	engine_device_detach(f->device, 0);
	assert_int_equal(f->fake.pinned, 0);
}

/* VFIO's type 1 may unmap the middle of a mapping; what is left stays pinned. */
static void test_cut_mapping_keeps_the_rest_pinned(void **state)
{
	struct fixture *f = *state;
	struct iommu_option huge_pages = {
		.size = sizeof(huge_pages),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_SET,
		.object_id = f->ioas,
	};
	struct iommu_vfio_ioas vfio_ioas = {
		.size = sizeof(vfio_ioas),
		.ioas_id = f->ioas,
		.op = IOMMU_VFIO_IOAS_SET,
	};
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = 4 * PAGE,
		.size = 2 * PAGE,
	};

	assert_int_equal(fake_client_call(&f->fake, f->ctx, IOMMU_OPTION, &huge_pages,
					  sizeof(huge_pages)),
			 0);
	assert_int_equal(fake_client_call(&f->fake, f->ctx, IOMMU_VFIO_IOAS, &vfio_ioas,
					  sizeof(vfio_ioas)),
			 0);
	assert_int_equal(map_pages(f, MEMORY, 8, PAGE), 0);
	assert_int_equal(attach(f, &f->fake), 0);
	assert_int_equal(fake_client_call(&f->fake, f->ctx, VFIO_IOMMU_UNMAP_DMA, &unmap,
					  sizeof(unmap)),
			 0);
	assert_int_equal(unmap.size, 2 * PAGE);
	assert_int_equal(f->fake.pinned, 6);
	engine_ctx_verify(f->ctx);
	engine_device_detach(f->device, 0);
	assert_int_equal(f->fake.pinned, 0);
}

static void test_user_over_its_limit_is_enomem(void **state)
{
	struct fixture *f = *state;
	uint64_t length = 6 * PAGE;

	f->fake.memlock_bytes = 10 * PAGE;
	assert_int_equal(attach(f, &f->fake), 0);
	assert_int_equal(map_pages(f, MEMORY, 6, PAGE), 0);
	assert_int_equal(map_pages(f, MEMORY + 6 * PAGE, 5, 32 * PAGE), -ENOMEM);
	assert_int_equal(map_pages(f, MEMORY + 6 * PAGE, 4, 32 * PAGE), 0);
	assert_int_equal(f->fake.pinned, 10);
	/* Mapped a second time it is other pages, charged again. */
	assert_int_equal(map_pages(f, MEMORY, 1, 96 * PAGE), -ENOMEM);
	assert_int_equal(fake_unmap(&f->fake, f->ctx, f->ioas, PAGE, &length), 0);
	assert_int_equal(map_pages(f, MEMORY, 1, 96 * PAGE), 0);
}

static void test_capability_lifts_the_limit(void **state)
{
	struct fixture *f = *state;

	f->fake.memlock_bytes = 0;
	assert_int_equal(attach(f, &f->fake), 0);
	assert_int_equal(map_pages(f, MEMORY, 1, PAGE), -ENOMEM);
	f->fake.ipc_lock = true;
	assert_int_equal(map_pages(f, MEMORY, 1, PAGE), 0);
}

static void test_limit_is_of_the_mapping_process(void **state)
{
	struct fixture *f = *state;
	uint64_t iova = PAGE;

	f->other.memlock_bytes = 0;
	assert_int_equal(attach(f, &f->fake), 0);
	assert_int_equal(map_pages(f, MEMORY, 1, 64 * PAGE), 0);
	assert_int_equal(fake_map(&f->other, f->ctx, f->ioas, RW | FIXED, MEMORY, PAGE, &iova),
			 -ENOMEM);
	f->other.memlock_bytes = UINT64_MAX;
	assert_int_equal(fake_map(&f->other, f->ctx, f->ioas, RW | FIXED, MEMORY, PAGE, &iova), 0);
	assert_int_equal(f->other.pinned, 1);
}

static long option(struct fixture *f, struct fake_client *by, uint16_t op, uint64_t *value)
{
	struct iommu_option arg = {
		.size = sizeof(arg),
		.option_id = IOMMU_OPTION_RLIMIT_MODE,
		.op = op,
		.val64 = *value,
	};
	long rc = fake_client_call(by, f->ctx, IOMMU_OPTION, &arg, sizeof(arg));

	*value = arg.val64;
	return rc;
}

static void test_rlimit_mode_needs_an_empty_file(void **state)
{
	struct fixture *f = *state;
	uint64_t value = 1;

	assert_int_equal(option(f, &f->fake, IOMMU_OPTION_OP_SET, &value), -EBUSY);
	f->fake.sys_resource = false;
	assert_int_equal(option(f, &f->fake, IOMMU_OPTION_OP_SET, &value), -EPERM);
	assert_int_equal(option(f, &f->fake, IOMMU_OPTION_OP_GET, &value), 0);
	assert_int_equal(value, 0);
}

/* Two processes of one user on a file of their own, in either mode. */
static long second_process_maps(struct fixture *f, uint64_t mode)
{
	struct engine_ctx *ctx = engine_ctx_open(f->engine, &f->fake.client);
	struct engine_ctx *kept = f->ctx;
	struct engine_device *device;
	uint64_t iova = PAGE, other_iova = 64 * PAGE;
	uint32_t ioas, id, pt_id;
	long rc;

	f->ctx = ctx;
	assert_int_equal(option(f, &f->fake, IOMMU_OPTION_OP_SET, &mode), 0);
	f->ctx = kept;
	assert_int_equal(fake_ioas_alloc(&f->fake, ctx, &ioas), 0);
	assert_int_equal(engine_device_bind(ctx, &f->fake.client, &device, &id), 0);
	pt_id = ioas;
	assert_int_equal(engine_device_attach(device, &f->fake.client, 0, &pt_id), 0);
	f->fake.memlock_bytes = f->other.memlock_bytes = 3 * PAGE;
	assert_int_equal(fake_map(&f->fake, ctx, ioas, RW | FIXED, MEMORY, 2 * PAGE, &iova), 0);
	rc = fake_map(&f->other, ctx, ioas, RW | FIXED, MEMORY, 2 * PAGE, &other_iova);
	engine_device_unbind(device);
	engine_ctx_release(ctx);
	return rc;
}

static void test_rlimit_mode_user_counts_all_its_processes(void **state)
{
	assert_int_equal(second_process_maps(*state, 0), -ENOMEM);
}

static void test_rlimit_mode_process_counts_each(void **state)
{
	assert_int_equal(second_process_maps(*state, 1), 0);
}

static long change_process(struct fixture *f, struct fake_client *to)
{
	struct iommu_ioas_change_process arg = { .size = sizeof(arg) };

	return fake_client_call(to, f->ctx, IOMMU_IOAS_CHANGE_PROCESS, &arg, sizeof(arg));
}

static long map_file(struct fixture *f, int fd, uint64_t start, uint64_t npages, uint64_t iova)
{
	struct iommu_ioas_map_file arg = {
		.size = sizeof(arg),
		.flags = RW | FIXED,
		.ioas_id = f->ioas,
		.fd = fd,
		.start = start,
		.length = npages * PAGE,
		.iova = iova,
	};

	return fake_client_call(&f->fake, f->ctx, IOMMU_IOAS_MAP_FILE, &arg, sizeof(arg));
}

static void test_change_process_moves_the_charge_of_files(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(attach(f, &f->fake), 0);
	assert_int_equal(map_file(f, FAKE_MEMFD, 0, 4, PAGE), 0);
	f->other.memlock_bytes = 7 * PAGE;
	/* The new charge comes before the old one goes, and both are one user's. */
	assert_int_equal(change_process(f, &f->other), -ENOMEM);
	f->other.memlock_bytes = 8 * PAGE;
	assert_int_equal(change_process(f, &f->other), 0);
	assert_int_equal(change_process(f, &f->other), 0);
	assert_int_equal(map_pages(f, MEMORY, 1, 64 * PAGE), 0);
	assert_int_equal(change_process(f, &f->fake), -EINVAL);
}

static void test_files_fail_when_they_are_pinned(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(map_file(f, 99, 0, 1, PAGE), -EBADF);
	assert_int_equal(map_file(f, FAKE_OTHER_FD, 0, 1, PAGE), 0);
	assert_int_equal(attach(f, &f->fake), -EINVAL);
	assert_int_equal(map_file(f, FAKE_MEMFD, (FAKE_MEMFD_PAGES - 1) * PAGE, 2, 16 * PAGE), 0);
	assert_int_equal(f->fake.pinned, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_is_pinned_without_a_page_table),
		TEST(test_bad_memory_is_efault_at_the_attach),
		TEST(test_copied_pages_are_pinned_once),
		TEST(test_cut_mapping_keeps_the_rest_pinned),
		TEST(test_user_over_its_limit_is_enomem),
		TEST(test_capability_lifts_the_limit),
		TEST(test_limit_is_of_the_mapping_process),
		TEST(test_rlimit_mode_needs_an_empty_file),
		TEST(test_rlimit_mode_user_counts_all_its_processes),
		TEST(test_rlimit_mode_process_counts_each),
		TEST(test_change_process_moves_the_charge_of_files),
		TEST(test_files_fail_when_they_are_pinned),
	};

	return cmocka_run_group_tests_name("engine_account", tests, NULL, NULL);
}
