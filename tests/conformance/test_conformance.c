/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Linux answers, said once and asked of every device: the engine, the fake
 * file, the kernel. Each test names the behaviour; the kernel function that
 * decides it stands beside it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include <ioasis/iommufd_abi.h>
#include "tests/conformance/device.h"

#define PAGE 4096ull
#define POOL_BYTES (16 * PAGE)
#define RW (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)

struct fixture {
	int fd;
	uint32_t ioas;
	char *pool; /* POOL_BYTES of private memory */
};

static int fixture_init(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->fd = device_open();
	f->pool = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(f->pool, MAP_FAILED);
	assert_int_equal(device_ioas_alloc(f->fd, &f->ioas), 0);
	*state = f;
	return 0;
}

static int fixture_fini(void **state)
{
	struct fixture *f = *state;

	device_close(f->fd);
	munmap(f->pool, POOL_BYTES);
	test_free(f);
	return 0;
}

/* ---- the file (iommufd_fops_ioctl) ---------------------------------------- */

static void test_unknown_number_is_enotty_and_leaves_the_argument(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(device_ioctl(f->fd, _IO(';', 0x20), NULL), -ENOTTY);
	assert_int_equal(device_ioctl(f->fd, _IO(';', 0xf0), (void *)8), -ENOTTY);
	assert_int_equal(device_ioctl(f->fd, _IO('x', 0x20), (void *)8), -ENOTTY);
}

static void test_size_word_is_read_before_the_command_is_compared(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(device_ioctl(f->fd, IOMMU_IOAS_ALLOC, NULL), -EFAULT);
	/* Same number, other direction bits. */
	struct iommu_ioas_alloc cmd = { .size = 1 };
	assert_int_equal(device_ioctl(f->fd, _IOR(';', 0x81, int), &cmd), -ENOTTY);
	assert_int_equal(device_ioctl(f->fd, IOMMU_IOAS_ALLOC, &cmd), -EINVAL);
}

static void test_longer_structure_needs_a_zero_tail(void **state)
{
	struct fixture *f = *state;
	struct {
		struct iommu_ioas_alloc cmd;
		uint32_t tail[2];
	} big = { .cmd = { .size = sizeof(big) }, .tail = { 0, 0 } };

	assert_int_equal(device_ioctl(f->fd, IOMMU_IOAS_ALLOC, &big), 0);
	big.tail[1] = 1;
	assert_int_equal(device_ioctl(f->fd, IOMMU_IOAS_ALLOC, &big), -E2BIG);
}

/* ---- ids (iommufd_object_alloc, iommufd_object_remove) ---------------------- */

static void test_ids_are_the_lowest_free_from_one(void **state)
{
	struct fixture *f = *state;
	uint32_t b, c, again;

	assert_int_equal(f->ioas, 1);
	assert_int_equal(device_ioas_alloc(f->fd, &b), 0);
	assert_int_equal(device_ioas_alloc(f->fd, &c), 0);
	assert_int_equal(b, 2);
	assert_int_equal(c, 3);
	assert_int_equal(device_destroy(f->fd, b), 0);
	assert_int_equal(device_destroy(f->fd, b), -ENOENT);
	assert_int_equal(device_ioas_alloc(f->fd, &again), 0);
	assert_int_equal(again, b);
}

static void test_destroy_of_an_unknown_id_is_enoent(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(device_destroy(f->fd, 0), -ENOENT);
	assert_int_equal(device_destroy(f->fd, 77), -ENOENT);
	assert_int_equal(device_destroy(f->fd, UINT32_MAX), -ENOENT);
}

static void test_destroy_of_a_space_with_mappings_succeeds(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(device_ioas_map_fixed(f->fd, f->ioas, f->pool, PAGE, 0x10000), 0);
	assert_int_equal(device_destroy(f->fd, f->ioas), 0);
}

static void test_alloc_takes_no_flags(void **state)
{
	struct fixture *f = *state;
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd), .flags = 1 };

	assert_int_equal(device_ioctl(f->fd, IOMMU_IOAS_ALLOC, &cmd), -EOPNOTSUPP);
}

/* ---- MAP (iommufd_ioas_map, iopt_map_pages) ---------------------------------- */

struct map_case {
	const char *what;
	struct iommu_ioas_map cmd;
	long expected;
};

static void test_map_checks_its_arguments_in_the_kernels_order(void **state)
{
	struct fixture *f = *state;
	uint64_t va = (uintptr_t)f->pool;
	const struct map_case cases[] = {
		{ "unknown flag", { .flags = RW | 8, .ioas_id = 99 }, -EOPNOTSUPP },
		{ "reserved", { .flags = RW, .__reserved = 1, .ioas_id = 99 }, -EOPNOTSUPP },
		{ "iova of all ones", { .flags = RW, .ioas_id = 99, .iova = ~0ull, .length = PAGE }, -EOVERFLOW },
		{ "length of all ones", { .flags = 0, .ioas_id = 99, .length = ~0ull }, -EOVERFLOW },
		{ "no access", { .flags = 0, .ioas_id = 99, .length = PAGE }, -EINVAL },
		{ "unknown id", { .flags = RW, .ioas_id = 99, .length = 0 }, -ENOENT },
		{ "address wraps", { .flags = RW, .user_va = ~0ull - 100, .length = PAGE }, -EOVERFLOW },
		{ "no length", { .flags = RW, .user_va = va }, -EINVAL },
		{ "iova wraps", { .flags = RW | IOMMU_IOAS_MAP_FIXED_IOVA, .user_va = va, .length = 2 * PAGE, .iova = ~0ull - PAGE + 1 }, -EOVERFLOW },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct iommu_ioas_map cmd = cases[i].cmd;
		long got;

		cmd.size = sizeof(cmd);
		if (!cmd.ioas_id)
			cmd.ioas_id = f->ioas;
		got = device_ioctl(f->fd, IOMMU_IOAS_MAP, &cmd);
		if (got != cases[i].expected)
			fail_msg("%s: %ld, not %ld", cases[i].what, got, cases[i].expected);
	}
}

static void test_map_over_a_mapping_is_eexist(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(device_ioas_map_fixed(f->fd, f->ioas, f->pool, 4 * PAGE, 0x10000), 0);
	assert_int_equal(device_ioas_map_fixed(f->fd, f->ioas, f->pool, PAGE, 0x13000), -EEXIST);
	assert_int_equal(device_ioas_map_fixed(f->fd, f->ioas, f->pool, 2 * PAGE, 0xf000), -EEXIST);
	assert_int_equal(device_ioas_map_fixed(f->fd, f->ioas, f->pool, PAGE, 0x14000), 0);
}

static void test_map_of_bad_memory_succeeds_without_a_page_table(void **state)
{
	struct fixture *f = *state;
	void *gone = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(gone, PAGE);
	assert_int_equal(device_ioas_map_fixed(f->fd, f->ioas, gone, PAGE, 0x10000), 0);
}

static void test_automatic_address_is_the_lowest_that_fits(void **state)
{
	struct fixture *f = *state;
	uint64_t a, b, c;

	assert_int_equal(device_ioas_map_auto(f->fd, f->ioas, f->pool, PAGE, &a), 0);
	assert_int_equal(device_ioas_map_auto(f->fd, f->ioas, f->pool, PAGE, &b), 0);
	assert_true(a >= PAGE && b > a);
	assert_int_equal(device_ioas_unmap(f->fd, f->ioas, a, PAGE, NULL), 0);
	assert_int_equal(device_ioas_map_auto(f->fd, f->ioas, f->pool, PAGE, &c), 0);
	assert_int_equal(c, a);
}

static void test_automatic_address_keeps_the_offset_in_the_page(void **state)
{
	struct fixture *f = *state;
	uint64_t iova;

	assert_int_equal(device_ioas_map_auto(f->fd, f->ioas, f->pool + 0x123, 100, &iova), 0);
	assert_int_equal(iova % PAGE, 0x123);
}

static void test_failed_map_leaves_the_callers_iova(void **state)
{
	struct fixture *f = *state;
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = RW,
		.ioas_id = f->ioas,
		.user_va = (uintptr_t)f->pool,
		.length = 0,
		.iova = 0x1234,
	};

	assert_int_equal(device_ioctl(f->fd, IOMMU_IOAS_MAP, &cmd), -EINVAL);
	assert_int_equal(cmd.iova, 0x1234);
}

static void test_map_file_takes_a_memfd_and_refuses_a_closed_fd(void **state)
{
	struct fixture *f = *state;
	int memfd = (int)syscall(SYS_memfd_create, "conformance", 0);
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = RW,
		.ioas_id = f->ioas,
		.fd = memfd,
		.length = PAGE,
	};

	assert_true(memfd >= 0);
	assert_int_equal(ftruncate(memfd, PAGE), 0);
	assert_int_equal(device_ioctl(f->fd, IOMMU_IOAS_MAP_FILE, &cmd), 0);
	close(memfd);
	cmd.fd = 999;
	assert_int_equal(device_ioctl(f->fd, IOMMU_IOAS_MAP_FILE, &cmd), -EBADF);
}

/* ---- UNMAP (iopt_unmap_iova_range) ------------------------------------------ */

static void test_unmap_covers_whole_mappings_and_counts_bytes(void **state)
{
	struct fixture *f = *state;
	uint64_t bytes = 0;

	assert_int_equal(device_ioas_map_fixed(f->fd, f->ioas, f->pool, PAGE, 0x10000), 0);
	assert_int_equal(device_ioas_map_fixed(f->fd, f->ioas, f->pool, PAGE, 0x14000), 0);
	/* A hole between them is fine. */
	assert_int_equal(device_ioas_unmap(f->fd, f->ioas, 0x10000, 5 * PAGE, &bytes), 0);
	assert_int_equal(bytes, 2 * PAGE);
}

static void test_unmap_that_cuts_a_mapping_is_enoent_and_keeps_what_went_before(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(device_ioas_map_fixed(f->fd, f->ioas, f->pool, PAGE, 0x10000), 0);
	assert_int_equal(device_ioas_map_fixed(f->fd, f->ioas, f->pool, 4 * PAGE, 0x11000), 0);
	assert_int_equal(device_ioas_unmap(f->fd, f->ioas, 0x10000, 2 * PAGE, NULL), -ENOENT);
	/* The first is gone, the second is whole. */
	assert_int_equal(device_ioas_unmap(f->fd, f->ioas, 0x10000, PAGE, NULL), -ENOENT);
	assert_int_equal(device_ioas_unmap(f->fd, f->ioas, 0x11000, 4 * PAGE, NULL), 0);
}

static void test_unmap_of_nothing_is_enoent_but_of_everything_is_fine(void **state)
{
	struct fixture *f = *state;
	uint64_t bytes = 1;

	assert_int_equal(device_ioas_unmap(f->fd, f->ioas, 0x10000, PAGE, NULL), -ENOENT);
	assert_int_equal(device_ioas_unmap(f->fd, f->ioas, 0x10000, 0, NULL), -EINVAL);
	assert_int_equal(device_ioas_unmap(f->fd, f->ioas, 0, ~0ull, &bytes), 0);
	assert_int_equal(bytes, 0);
}

/* ---- COPY (iommufd_ioas_copy) ----------------------------------------------- */

static long copy(int fd, uint32_t dst, uint32_t src, uint32_t flags, uint64_t src_iova,
		 uint64_t length, uint64_t dst_iova)
{
	struct iommu_ioas_copy cmd = {
		.size = sizeof(cmd),
		.flags = flags | IOMMU_IOAS_MAP_FIXED_IOVA,
		.dst_ioas_id = dst,
		.src_ioas_id = src,
		.length = length,
		.dst_iova = dst_iova,
		.src_iova = src_iova,
	};

	return device_ioctl(fd, IOMMU_IOAS_COPY, &cmd);
}

static void test_copy_takes_a_part_and_refuses_a_hole(void **state)
{
	struct fixture *f = *state;
	uint32_t dst;

	assert_int_equal(device_ioas_alloc(f->fd, &dst), 0);
	assert_int_equal(device_ioas_map_fixed(f->fd, f->ioas, f->pool, 4 * PAGE, 0x10000), 0);
	assert_int_equal(copy(f->fd, dst, f->ioas, RW, 0x11000, PAGE, 0x20000), 0);
	assert_int_equal(copy(f->fd, dst, f->ioas, RW, 0x13000, 2 * PAGE, 0x30000), -ENOENT);
	assert_int_equal(device_ioas_unmap(f->fd, dst, 0x20000, PAGE, NULL), 0);
}

static void test_copy_writeable_of_a_readonly_mapping_is_eperm(void **state)
{
	struct fixture *f = *state;
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = f->ioas,
		.user_va = (uintptr_t)f->pool,
		.length = PAGE,
		.iova = 0x10000,
	};
	uint32_t dst;

	assert_int_equal(device_ioas_alloc(f->fd, &dst), 0);
	assert_int_equal(device_ioctl(f->fd, IOMMU_IOAS_MAP, &map), 0);
	assert_int_equal(copy(f->fd, dst, f->ioas, RW, 0x10000, PAGE, 0x10000), -EPERM);
	assert_int_equal(copy(f->fd, dst, f->ioas, IOMMU_IOAS_MAP_READABLE, 0x10000, PAGE, 0x10000), 0);
}

/* ---- ranges (iommufd_ioas_iova_ranges, iommufd_ioas_allow_iovas) ------------- */

static void test_ranges_with_no_room_tell_how_many(void **state)
{
	struct fixture *f = *state;
	struct iommu_ioas_iova_ranges cmd = { .size = sizeof(cmd), .ioas_id = f->ioas };
	struct iommu_iova_range range = { 1, 1 };

	assert_int_equal(device_ioctl(f->fd, IOMMU_IOAS_IOVA_RANGES, &cmd), -EMSGSIZE);
	assert_int_equal(cmd.num_iovas, 1);
	cmd.allowed_iovas = (uintptr_t)&range;
	assert_int_equal(device_ioctl(f->fd, IOMMU_IOAS_IOVA_RANGES, &cmd), 0);
	assert_int_equal(range.start, 0);
	assert_true(range.last == UINT64_MAX);
	assert_int_equal(cmd.out_iova_alignment, 1);
}

static void test_allowed_ranges_limit_automatic_addresses_alone(void **state)
{
	struct fixture *f = *state;
	struct iommu_iova_range range = { 0x100000, 0x100fff };
	struct iommu_ioas_allow_iovas cmd = {
		.size = sizeof(cmd),
		.ioas_id = f->ioas,
		.num_iovas = 1,
		.allowed_iovas = (uintptr_t)&range,
	};
	uint64_t iova;

	assert_int_equal(device_ioctl(f->fd, IOMMU_IOAS_ALLOW_IOVAS, &cmd), 0);
	assert_int_equal(device_ioas_map_auto(f->fd, f->ioas, f->pool, PAGE, &iova), 0);
	assert_int_equal(iova, 0x100000);
	assert_int_equal(device_ioas_map_auto(f->fd, f->ioas, f->pool, PAGE, &iova), -ENOSPC);
	assert_int_equal(device_ioas_map_fixed(f->fd, f->ioas, f->pool, PAGE, 0x10000), 0);
	range.last = range.start;
	assert_int_equal(device_ioctl(f->fd, IOMMU_IOAS_ALLOW_IOVAS, &cmd), -EINVAL);
}

/* ---- options (iommufd_option) ------------------------------------------------- */

static void test_huge_pages_option_reads_back(void **state)
{
	struct fixture *f = *state;
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_GET,
		.object_id = f->ioas,
	};

	assert_int_equal(device_ioctl(f->fd, IOMMU_OPTION, &cmd), 0);
	assert_int_equal(cmd.val64, 1);
	cmd.op = IOMMU_OPTION_OP_SET;
	cmd.val64 = 0;
	assert_int_equal(device_ioctl(f->fd, IOMMU_OPTION, &cmd), 0);
	cmd.op = IOMMU_OPTION_OP_GET;
	cmd.val64 = 7;
	assert_int_equal(device_ioctl(f->fd, IOMMU_OPTION, &cmd), 0);
	assert_int_equal(cmd.val64, 0);
	cmd.val64 = 2;
	cmd.op = IOMMU_OPTION_OP_SET;
	assert_int_equal(device_ioctl(f->fd, IOMMU_OPTION, &cmd), -EINVAL);
	cmd.option_id = 9;
	assert_int_equal(device_ioctl(f->fd, IOMMU_OPTION, &cmd), -EOPNOTSUPP);
}

/* ---- VFIO (iommufd_vfio_ioas, vfio_compat.c) ---------------------------------- */

static void test_vfio_needs_an_address_space(void **state)
{
	struct fixture *f = *state;
	struct iommu_vfio_ioas cmd = { .size = sizeof(cmd), .op = IOMMU_VFIO_IOAS_GET };

	assert_int_equal(device_ioctl(f->fd, _IO(';', 100), NULL), 0);
	assert_int_equal(device_ioctl(f->fd, IOMMU_VFIO_IOAS, &cmd), -ENODEV);
	cmd.op = IOMMU_VFIO_IOAS_SET;
	cmd.ioas_id = f->ioas;
	assert_int_equal(device_ioctl(f->fd, IOMMU_VFIO_IOAS, &cmd), 0);
	cmd.op = IOMMU_VFIO_IOAS_GET;
	cmd.ioas_id = 0;
	assert_int_equal(device_ioctl(f->fd, IOMMU_VFIO_IOAS, &cmd), 0);
	assert_int_equal(cmd.ioas_id, f->ioas);
	assert_int_equal(device_destroy(f->fd, f->ioas), 0);
	assert_int_equal(device_ioctl(f->fd, IOMMU_VFIO_IOAS, &cmd), -ENODEV);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_init, fixture_fini)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unknown_number_is_enotty_and_leaves_the_argument),
		TEST(test_size_word_is_read_before_the_command_is_compared),
		TEST(test_longer_structure_needs_a_zero_tail),
		TEST(test_ids_are_the_lowest_free_from_one),
		TEST(test_destroy_of_an_unknown_id_is_enoent),
		TEST(test_destroy_of_a_space_with_mappings_succeeds),
		TEST(test_alloc_takes_no_flags),
		TEST(test_map_checks_its_arguments_in_the_kernels_order),
		TEST(test_map_over_a_mapping_is_eexist),
		TEST(test_map_of_bad_memory_succeeds_without_a_page_table),
		TEST(test_automatic_address_is_the_lowest_that_fits),
		TEST(test_automatic_address_keeps_the_offset_in_the_page),
		TEST(test_failed_map_leaves_the_callers_iova),
		TEST(test_map_file_takes_a_memfd_and_refuses_a_closed_fd),
		TEST(test_unmap_covers_whole_mappings_and_counts_bytes),
		TEST(test_unmap_that_cuts_a_mapping_is_enoent_and_keeps_what_went_before),
		TEST(test_unmap_of_nothing_is_enoent_but_of_everything_is_fine),
		TEST(test_copy_takes_a_part_and_refuses_a_hole),
		TEST(test_copy_writeable_of_a_readonly_mapping_is_eperm),
		TEST(test_ranges_with_no_room_tell_how_many),
		TEST(test_allowed_ranges_limit_automatic_addresses_alone),
		TEST(test_huge_pages_option_reads_back),
		TEST(test_vfio_needs_an_address_space),
	};

	return cmocka_run_group_tests_name("conformance", tests, NULL, NULL);
}
