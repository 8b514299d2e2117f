/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend on a device that answers: the engine in this process, the fake's
 * file, or a real /dev/iommu.
 *
 * $CONFORMANCE_DEVICE is `inproc` (the default) or a path; a path answers the
 * test command, which makes mock devices, when $CONFORMANCE_TEST_OPS is 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <ioasis/iommufd_registry.h>

#include "backend/object.h"
#include "sim/engine/test_abi.h"
#include "sim/inproc/inproc.h"

#define PAGE 4096ull
#define POOL_BYTES (64 * PAGE)
#define IOVA MOCK_APERTURE_START

struct fixture {
	struct inproc *inproc; /* NULL: a file */
	IOMMUFDBackend *be;
	uint32_t ioas;
	char *pool;
	uint32_t warnings, errors; /* reported */
};

static const char *device_path(void)
{
	const char *path = getenv("CONFORMANCE_DEVICE");

	return path && strcmp(path, "inproc") ? path : NULL;
}

static bool has_test_ops(void)
{
	const char *value = getenv("CONFORMANCE_TEST_OPS");

	return !device_path() || (value && !strcmp(value, "1"));
}

static void on_report(void *opaque, IOMMUFDReport level, const char *message)
{
	struct fixture *f = opaque;

	(void)message;
	if (level == IOMMUFD_REPORT_WARNING)
		f->warnings++;
	else
		f->errors++;
}

static void use_device(struct fixture *f, IOMMUFDBackend *be)
{
	iommufd_backend_set_device(be, device_path(), f->inproc ? &inproc_device_ops : NULL,
				   f->inproc);
}

static int fixture_init(void **state)
{
	struct engine_config config = { .test_ops = true };
	struct fixture *f = test_calloc(1, sizeof(*f));

	if (!device_path()) {
		f->inproc = inproc_create(&config, INPROC_MEMORY_SELF);
		assert_non_null(f->inproc);
	}
	f->pool = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);
	assert_ptr_not_equal(f->pool, MAP_FAILED);
	f->be = iommufd_backend_new("i0");
	use_device(f, f->be);
	iommufd_backend_set_report_hook(f->be, on_report, f);
	assert_int_equal(iommufd_backend_connect(f->be, NULL), 0);
	assert_int_equal(iommufd_backend_alloc_ioas(f->be, &f->ioas, NULL), 0);
	*state = f;
	return 0;
}

static int fixture_fini(void **state)
{
	struct fixture *f = *state;

	iommufd_backend_disconnect(f->be);
	assert_int_equal(iommufd_backend_delete(f->be, NULL), 0);
	if (f->inproc)
		inproc_destroy(f->inproc);
	munmap(f->pool, POOL_BYTES);
	test_free(f);
	return 0;
}

/* ---- address spaces ------------------------------------------------------------ */

static void test_device_ids_are_given_and_freed(void **state)
{
	struct fixture *f = *state;
	uint32_t second;

	assert_int_equal(iommufd_backend_alloc_ioas(f->be, &second, NULL), 0);
	assert_int_not_equal(second, f->ioas);
	iommufd_backend_free_id(f->be, second);
	assert_int_equal(f->errors, 0);
	iommufd_backend_free_id(f->be, second);
	assert_int_equal(f->errors, 1);
}

static void test_device_maps_and_unmaps(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(iommufd_backend_map_dma(f->be, f->ioas, IOVA, 2 * PAGE, f->pool, false),
			 0);
	assert_int_equal(iommufd_backend_map_dma(f->be, f->ioas, IOVA + 2 * PAGE, PAGE, f->pool,
						 true), 0);
	assert_int_equal(iommufd_backend_unmap_dma(f->be, f->ioas, IOVA, 3 * PAGE), 0);
	assert_int_equal(iommufd_backend_unmap_dma(f->be, f->ioas, IOVA, PAGE), 0);
	assert_int_equal(f->errors + f->warnings, 0);
}

static void test_device_refuses_what_is_wrong(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(iommufd_backend_map_dma(f->be, f->ioas, IOVA, 2 * PAGE, f->pool, false),
			 0);
	assert_int_equal(iommufd_backend_map_dma(f->be, f->ioas, IOVA + PAGE, PAGE, f->pool,
						 false), -EEXIST);
	assert_int_equal(iommufd_backend_map_dma(f->be, f->ioas, IOVA, 0, f->pool, false),
			 -EINVAL);
	assert_int_equal(iommufd_backend_map_dma(f->be, f->ioas + 100, IOVA, PAGE, f->pool,
						 false), -ENOENT);
	assert_int_equal(iommufd_backend_map_dma(f->be, f->ioas, -PAGE, 2 * PAGE, f->pool, false),
			 -EOVERFLOW);
	assert_int_equal(f->errors, 4);
	/* Half of a mapping: the kernel finds no whole one there. */
	assert_int_equal(iommufd_backend_unmap_dma(f->be, f->ioas, IOVA, PAGE), 0);
	assert_int_equal(iommufd_backend_map_dma(f->be, f->ioas, IOVA, PAGE, f->pool, false),
			 -EEXIST);
	assert_int_equal(iommufd_backend_unmap_dma(f->be, f->ioas, IOVA, 2 * PAGE), 0);
}

static void test_device_maps_a_memfd(void **state)
{
	struct fixture *f = *state;
	int fd = memfd_create("guest", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, 4 * PAGE), 0);
	assert_int_equal(iommufd_backend_map_file_dma(f->be, f->ioas, IOVA, 2 * PAGE, fd, PAGE,
						      false), 0);
	close(fd);
	assert_int_equal(iommufd_backend_unmap_dma(f->be, f->ioas, IOVA, 2 * PAGE), 0);
	assert_int_equal(iommufd_backend_map_file_dma(f->be, f->ioas, IOVA, PAGE, -1, 0, false),
			 -EBADF);
}

static void test_device_passed_fd_outlives_the_backend(void **state)
{
	struct fixture *f = *state;
	IOMMUFDBackend *second = iommufd_backend_new("i1");
	char number[16];
	uint32_t ioas;

	use_device(f, second);
	snprintf(number, sizeof(number), "%d", iommufd_backend_get_fd(f->be));
	assert_int_equal(iommufd_backend_set_fd(second, number, NULL), 0);
	assert_int_equal(iommufd_backend_connect(second, NULL), 0);
	/* One file, so one set of ids. */
	assert_int_equal(iommufd_backend_alloc_ioas(second, &ioas, NULL), 0);
	assert_int_not_equal(ioas, f->ioas);
	iommufd_backend_disconnect(second);
	assert_int_equal(iommufd_backend_delete(second, NULL), 0);
	iommufd_backend_free_id(f->be, ioas);
	assert_int_equal(f->errors, 0);
}

static void test_device_last_disconnect_ends_all(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas;

	assert_int_equal(iommufd_backend_map_dma(f->be, f->ioas, IOVA, PAGE, f->pool, false), 0);
	iommufd_backend_disconnect(f->be);
	assert_int_equal(iommufd_backend_connect(f->be, NULL), 0);
	assert_int_equal(iommufd_backend_map_dma(f->be, f->ioas, IOVA, PAGE, f->pool, false),
			 -ENOENT);
	assert_int_equal(iommufd_backend_alloc_ioas(f->be, &ioas, NULL), 0);
}

static void test_device_changes_process(void **state)
{
	struct fixture *f = *state;

	assert_true(iommufd_change_process_capable(f->be));
	assert_int_equal(iommufd_change_process(f->be, NULL), 0);
}

#define THREADS 4

struct worker {
	struct fixture *f;
	uint32_t number;
	pthread_t thread;
	int ret;
};

static void *work(void *opaque)
{
	struct worker *worker = opaque;
	struct fixture *f = worker->f;
	hwaddr iova = IOVA + worker->number * POOL_BYTES;

	worker->ret = iommufd_backend_connect(f->be, NULL);
	for (int i = 0; !worker->ret && i < 200; i++) {
		worker->ret = iommufd_backend_map_dma(f->be, f->ioas, iova, PAGE, f->pool, i & 1);
		if (!worker->ret)
			worker->ret = iommufd_backend_unmap_dma(f->be, f->ioas, iova, PAGE);
	}
	iommufd_backend_disconnect(f->be);
	return NULL;
}

static void test_device_threads_share_an_address_space(void **state)
{
	struct worker workers[THREADS];

	for (uint32_t i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .f = *state, .number = i };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (uint32_t i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].ret, 0);
	}
}

/* ---- devices: the kernel's mock driver -------------------------------------------- */

struct mock {
	uint32_t stdev, dev, hwpt;
};

static void mock_create(struct fixture *f, struct mock *mock)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_MOCK_DOMAIN,
		.id = f->ioas,
	};

	if (!has_test_ops()) {
		print_message("# SKIP the device does not answer the test command\n");
		skip();
	}
	assert_int_equal(backend_ioctl(f->be, iommufd_backend_get_fd(f->be), IOMMU_TEST_CMD, &cmd),
			 0);
	*mock = (struct mock){ cmd.mock_domain.out_stdev_id, cmd.mock_domain.out_idev_id,
			       cmd.mock_domain.out_hwpt_id };
}

static void test_device_info_of_a_mock_device(void **state)
{
	struct iommu_test_hw_info info = { 0 };
	uint32_t type = IOMMU_HW_INFO_TYPE_DEFAULT;
	struct mock mock;
	uint64_t caps;
	uint8_t pasid;

	mock_create(*state, &mock);
	assert_int_equal(iommufd_backend_get_device_info(((struct fixture *)*state)->be, mock.dev,
							 &type, &info, sizeof(info), &caps, &pasid,
							 NULL), 0);
	assert_int_equal(type, IOMMU_HW_INFO_TYPE_SELFTEST);
	assert_int_equal(info.test_reg, IOMMU_HW_INFO_SELFTEST_REGVAL);
	assert_true(caps & IOMMU_HW_CAP_DIRTY_TRACKING);
	assert_int_equal(pasid, 0);
}

static void test_device_map_of_nothing_is_a_warning(void **state)
{
	struct fixture *f = *state;
	struct mock mock;

	mock_create(f, &mock);
	assert_int_equal(munmap(f->pool, POOL_BYTES), 0);
	assert_int_equal(iommufd_backend_map_dma(f->be, f->ioas, IOVA, PAGE, f->pool, false),
			 -EFAULT);
	assert_int_equal(f->warnings, 1);
	assert_int_equal(f->errors, 0);
	f->pool = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);
}

/* A page table of the mock device over the address space. */
static uint32_t hwpt_alloc(struct fixture *f, const struct mock *mock, uint32_t flags)
{
	uint32_t hwpt;

	assert_int_equal(iommufd_backend_alloc_hwpt(f->be, mock->dev, f->ioas, flags,
						    IOMMU_HWPT_DATA_NONE, 0, NULL, &hwpt, NULL),
			 0);
	return hwpt;
}

/* The mock driver makes pages dirty on request: bit 1 of a bitmap of IOMMU pages. */
static void mock_make_dirty(struct fixture *f, uint32_t hwpt, uint64_t *bits)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_DIRTY,
		.id = hwpt,
		.dirty = { .iova = IOVA, .length = 64 * PAGE, .page_size = PAGE,
			   .uptr = (uintptr_t)bits },
	};

	assert_int_equal(backend_ioctl(f->be, iommufd_backend_get_fd(f->be), IOMMU_TEST_CMD, &cmd),
			 0);
	assert_int_equal(cmd.dirty.out_nr_dirty, 1);
}

static void test_device_dirty_bits_are_read_and_cleared(void **state)
{
	struct fixture *f = *state;
	uint64_t made = 2, bits = 0;
	struct mock mock;
	uint32_t hwpt;

	mock_create(f, &mock);
	hwpt = hwpt_alloc(f, &mock, IOMMU_HWPT_ALLOC_DIRTY_TRACKING);
	assert_int_equal(iommufd_backend_map_dma(f->be, f->ioas, IOVA, 64 * PAGE, f->pool, false),
			 0);
	assert_int_equal(iommufd_backend_set_dirty_tracking(f->be, hwpt, true, NULL), 0);
	mock_make_dirty(f, hwpt, &made);
	for (int i = 0; i < 2; i++) {
		bits = 0;
		assert_int_equal(iommufd_backend_get_dirty_bitmap(
					 f->be, hwpt, IOVA, 64 * PAGE, PAGE, &bits,
					 i ? 0 : IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR, NULL), 0);
		assert_int_equal(bits, 2);
	}
	bits = 0;
	assert_int_equal(iommufd_backend_get_dirty_bitmap(f->be, hwpt, IOVA, 64 * PAGE, PAGE,
							  &bits, 0, NULL), 0);
	assert_int_equal(bits, 0);
	assert_int_equal(iommufd_backend_set_dirty_tracking(f->be, hwpt, false, NULL), 0);
	iommufd_backend_free_id(f->be, hwpt);
	assert_int_equal(f->errors, 0);
}

static void test_device_nested_page_table_is_invalidated(void **state)
{
	struct fixture *f = *state;
	struct iommu_hwpt_selftest data = { .iotlb = IOMMU_TEST_IOTLB_DEFAULT };
	struct iommu_hwpt_invalidate_selftest entries[3] = { { .iotlb_id = 1 }, { .iotlb_id = 2 },
							     { .iotlb_id = 99 } };
	uint32_t parent, nested, count = 2;
	Error *err = NULL;
	struct mock mock;

	mock_create(f, &mock);
	parent = hwpt_alloc(f, &mock, IOMMU_HWPT_ALLOC_NEST_PARENT);
	assert_int_equal(iommufd_backend_alloc_hwpt(f->be, mock.dev, parent, 0,
						    IOMMU_HWPT_DATA_SELFTEST, sizeof(data), &data,
						    &nested, NULL), 0);
	assert_int_equal(iommufd_backend_invalidate_cache(f->be, nested,
							  IOMMU_HWPT_INVALIDATE_DATA_SELFTEST,
							  sizeof(entries[0]), &count, entries,
							  NULL), 0);
	assert_int_equal(count, 2);
	count = 3;
	assert_int_equal(iommufd_backend_invalidate_cache(f->be, nested,
							  IOMMU_HWPT_INVALIDATE_DATA_SELFTEST,
							  sizeof(entries[0]), &count, entries,
							  &err), -EINVAL);
	assert_int_equal(count, 2);
	assert_non_null(err);
	error_free(err);
	iommufd_backend_free_id(f->be, nested);
	iommufd_backend_free_id(f->be, parent);
	assert_int_equal(f->errors, 0);
}

static void test_device_viommu_vdevice_and_events(void **state)
{
	struct fixture *f = *state;
	uint32_t parent, viommu, vdev, veventq, fd;
	struct mock mock;
	int ret;

	mock_create(f, &mock);
	parent = hwpt_alloc(f, &mock, IOMMU_HWPT_ALLOC_NEST_PARENT);
	assert_int_equal(iommufd_backend_alloc_viommu(f->be, mock.dev, IOMMU_VIOMMU_TYPE_SELFTEST,
						      parent, NULL, 0, &viommu, NULL), 0);
	assert_int_equal(iommufd_backend_alloc_vdev(f->be, mock.dev, viommu, 0x99, &vdev, NULL),
			 0);
	assert_int_equal(iommufd_backend_alloc_vdev(f->be, mock.dev, viommu, 0x99, &vdev, NULL),
			 -EEXIST);
	ret = iommufd_backend_alloc_veventq(f->be, viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, 2,
					    &veventq, &fd, NULL);
	if (ret != -EMFILE) { /* the engine in this process has no files to give */
		assert_int_equal(ret, 0);
		assert_true(fcntl((int)fd, F_GETFD) >= 0);
		close((int)fd);
		iommufd_backend_free_id(f->be, veventq);
	}
	iommufd_backend_free_id(f->be, vdev);
	iommufd_backend_free_id(f->be, viommu);
	iommufd_backend_free_id(f->be, parent);
	assert_int_equal(f->errors, 0);
}

#define DEVICE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_init, fixture_fini)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE_TEST(test_device_ids_are_given_and_freed),
		DEVICE_TEST(test_device_maps_and_unmaps),
		DEVICE_TEST(test_device_refuses_what_is_wrong),
		DEVICE_TEST(test_device_maps_a_memfd),
		DEVICE_TEST(test_device_passed_fd_outlives_the_backend),
		DEVICE_TEST(test_device_last_disconnect_ends_all),
		DEVICE_TEST(test_device_changes_process),
		DEVICE_TEST(test_device_threads_share_an_address_space),
		DEVICE_TEST(test_device_info_of_a_mock_device),
		DEVICE_TEST(test_device_map_of_nothing_is_a_warning),
		DEVICE_TEST(test_device_dirty_bits_are_read_and_cleared),
		DEVICE_TEST(test_device_nested_page_table_is_invalidated),
		DEVICE_TEST(test_device_viommu_vdevice_and_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
