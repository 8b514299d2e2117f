/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every point of a chain of calls that can fail does, one after the other: each time
 * the chain ends with an error, nothing stays pinned, and the chain works after it. First
 * the points that the kernel has, then every allocation of the engine itself.
 */
#include "tests/unit/engine_rig.h"

#include <errno.h>

#define IOVA MOCK_APERTURE_START
/* Far more points than any chain has: to find one that never ends. */
#define POINTS_MAX 500u

/* Runs calls; the first that fails ends it. Leaves what it made to the teardown. */
typedef long (*chain_fn)(struct rig *rig);

/* Runs chain with each point failing once, on a rig of its own each time. */
static void sweep_points(chain_fn chain, bool of_heap)
{
	uint32_t nth, failures = 0;

	for (nth = 1; nth < POINTS_MAX; nth++) {
		struct rig *rig;
		uint32_t *left;
		void *state;
		bool hit;
		long rc;

		rig_setup(&state);
		rig = state;
		left = of_heap ? &rig->heap_nth : &rig->fake.fail_nth;
		*left = nth;
		rc = chain(rig);
		hit = !*left;
		*left = 0;
		/*
		 * Mostly the call fails; an attach whose reserved ranges fail takes another
		 * page table instead, as in the kernel.
		 */
		assert_true(rc == 0 || (hit && (of_heap ? rc == -ENOMEM : rc < 0)));
		failures += rc < 0;
		assert_int_equal(engine_ctx_ioctl(rig->ctx, &rig->fake.client, 0, 0), -ENOTTY);
		engine_ctx_release(rig->ctx);
		fake_close_all(&rig->fake);
		/* Whatever failed, no page is pinned once all is closed. */
		rig->ctx = engine_ctx_open(rig->engine, &rig->fake.client);
		assert_int_equal(rig_check_refs(rig, 0, FAKE_PAGES, 0), 0);
		assert_int_equal(chain(rig), 0);
		rig_teardown(&state);
		if (!hit)
			break;
	}
	assert_in_range(nth, 5, POINTS_MAX - 1);
	assert_in_range(failures, nth - 3, nth - 1);
}

static void sweep(chain_fn chain)
{
	sweep_points(chain, false);
	sweep_points(chain, true);
}

static long mock_domain(struct rig *rig, uint32_t pt_id, struct rig_mock *mock)
{
	struct iommu_test_cmd cmd = { .op = IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS, .id = pt_id };
	long rc;

	cmd.mock_domain_flags.dev_flags = MOCK_FLAGS_DEVICE_PASID;
	rc = rig_test(rig, &cmd);
	*mock = (struct rig_mock){ cmd.mock_domain.out_stdev_id, cmd.mock_domain.out_idev_id,
				   cmd.mock_domain.out_hwpt_id };
	return rc;
}

static long hwpt_alloc(struct rig *rig, uint32_t idev, uint32_t pt_id, uint32_t flags,
		       uint32_t fault_id, bool nested, uint32_t *id)
{
	struct iommu_hwpt_selftest data = { 0 };
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dev_id = idev,
		.pt_id = pt_id,
		.fault_id = fault_id,
		.data_type = nested ? IOMMU_HWPT_DATA_SELFTEST : 0,
		.data_len = nested ? sizeof(data) : 0,
		.data_uptr = (uint64_t)(uintptr_t)&data,
	};
	long rc = rig_call(rig, IOMMU_HWPT_ALLOC, &cmd);

	*id = cmd.out_hwpt_id;
	return rc;
}

#define TRY(call)                                                                      \
	do {                                                                           \
		rc = (call);                                                           \
		if (rc < 0)                                                            \
			return rc;                                                     \
	} while (0)

static long chain_attach_map_detach(struct rig *rig)
{
	struct rig_mock one, two;
	uint32_t ioas = 0;
	long rc;

	TRY(rig_try_ioas(rig, &ioas));
	TRY(rig_try_map(rig, ioas, 0, 8, IOVA));
	TRY(mock_domain(rig, ioas, &one));
	TRY(rig_try_map(rig, ioas, 0, 8, IOVA + 0x100000));
	TRY(mock_domain(rig, ioas, &two));
	TRY(rig_destroy(rig, one.stdev));
	TRY(rig_unmap(rig, ioas, IOVA, 8 * ENGINE_PAGE_SIZE));
	return rig_destroy(rig, two.stdev);
}

static long chain_replace_and_pasid(struct rig *rig)
{
	struct iommu_test_cmd cmd = { .op = IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE };
	uint32_t ioas = 0, other = 0, hwpt = 0;
	struct rig_mock mock;
	long rc;

	TRY(rig_try_ioas(rig, &ioas));
	TRY(rig_try_ioas(rig, &other));
	TRY(rig_try_map(rig, other, 0, 4, IOVA));
	TRY(mock_domain(rig, ioas, &mock));
	TRY(hwpt_alloc(rig, mock.idev, ioas, IOMMU_HWPT_ALLOC_PASID, 0, false, &hwpt));
	cmd.id = mock.stdev;
	cmd.mock_domain_replace.pt_id = other;
	TRY(rig_test(rig, &cmd));
	cmd.mock_domain_replace.pt_id = hwpt;
	TRY(rig_test(rig, &cmd));
	cmd.op = IOMMU_TEST_OP_PASID_ATTACH;
	cmd.pasid_attach.pasid = 3;
	cmd.pasid_attach.pt_id = hwpt;
	TRY(rig_test(rig, &cmd));
	cmd.op = IOMMU_TEST_OP_PASID_DETACH;
	return rig_test(rig, &cmd);
}

static long chain_queues(struct rig *rig)
{
	struct iommu_fault_alloc fault = { .size = sizeof(fault) };
	struct iommu_viommu_selftest data = { .in_data = 1 };
	struct iommu_viommu_alloc viommu = { .size = sizeof(viommu),
					     .type = IOMMU_VIOMMU_TYPE_SELFTEST,
					     .data_len = sizeof(data),
					     .data_uptr = (uint64_t)(uintptr_t)&data };
	struct iommu_vdevice_alloc vdevice = { .size = sizeof(vdevice), .virt_id = 9 };
	struct iommu_veventq_alloc veventq = { .size = sizeof(veventq),
					       .type = IOMMU_VEVENTQ_TYPE_SELFTEST,
					       .veventq_depth = 2 };
	struct iommu_hw_queue_alloc queue = { .size = sizeof(queue),
					      .type = IOMMU_HW_QUEUE_TYPE_SELFTEST,
					      .nesting_parent_iova = IOVA,
					      .length = ENGINE_PAGE_SIZE };
	struct iommu_test_cmd cmd = { .op = IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE };
	uint32_t ioas = 0, nested = 0;
	struct rig_mock mock;
	long rc;

	TRY(rig_try_ioas(rig, &ioas));
	TRY(rig_try_map(rig, ioas, 0, 4, IOVA));
	TRY(mock_domain(rig, ioas, &mock));
	TRY(rig_call(rig, IOMMU_FAULT_QUEUE_ALLOC, &fault));
	TRY(hwpt_alloc(rig, mock.idev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, 0, false,
		       &viommu.hwpt_id));
	viommu.dev_id = vdevice.dev_id = mock.idev;
	TRY(rig_call(rig, IOMMU_VIOMMU_ALLOC, &viommu));
	vdevice.viommu_id = veventq.viommu_id = queue.viommu_id = viommu.out_viommu_id;
	TRY(rig_call(rig, IOMMU_VDEVICE_ALLOC, &vdevice));
	TRY(rig_call(rig, IOMMU_VEVENTQ_ALLOC, &veventq));
	TRY(rig_call(rig, IOMMU_HW_QUEUE_ALLOC, &queue));
	TRY(hwpt_alloc(rig, mock.idev, viommu.out_viommu_id, IOMMU_HWPT_FAULT_ID_VALID,
		       fault.out_fault_id, true, &nested));
	cmd.id = mock.stdev;
	cmd.mock_domain_replace.pt_id = nested;
	TRY(rig_test(rig, &cmd));
	cmd.op = IOMMU_TEST_OP_TRIGGER_VEVENT;
	cmd.trigger_vevent.dev_id = mock.idev;
	return rig_test(rig, &cmd);
}

static long chain_access(struct rig *rig)
{
	struct iommu_test_cmd cmd = { .op = IOMMU_TEST_OP_CREATE_ACCESS };
	struct rig_mock mock;
	uint32_t ioas = 0;
	char data[64];
	long rc;

	TRY(rig_try_ioas(rig, &ioas));
	TRY(rig_try_map(rig, ioas, 0, 8, IOVA));
	cmd.id = ioas;
	cmd.create_access.flags = MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES;
	TRY(rig_test(rig, &cmd));
	cmd.id = cmd.create_access.out_access_fd;
	cmd.op = IOMMU_TEST_OP_ACCESS_PAGES;
	cmd.access_pages.flags = 0;
	cmd.access_pages.iova = IOVA + 4096;
	cmd.access_pages.length = 8192;
	cmd.access_pages.uptr = rig_va(1);
	TRY(rig_test(rig, &cmd));
	TRY(mock_domain(rig, ioas, &mock));
	cmd.access_pages.iova = IOVA;
	cmd.access_pages.uptr = rig_va(0);
	TRY(rig_test(rig, &cmd));
	cmd.op = IOMMU_TEST_OP_ACCESS_RW;
	cmd.access_rw.iova = IOVA + 4090;
	cmd.access_rw.length = sizeof(data);
	cmd.access_rw.uptr = (uint64_t)(uintptr_t)data;
	cmd.access_rw.flags = MOCK_ACCESS_RW_SLOW_PATH;
	return rig_test(rig, &cmd);
}

static long chain_dirty(struct rig *rig)
{
	struct iommu_hwpt_set_dirty_tracking track = { .size = sizeof(track), .flags = 1 };
	struct iommu_hwpt_get_dirty_bitmap get = { .size = sizeof(get), .iova = IOVA };
	struct iommu_test_cmd cmd = { .op = IOMMU_TEST_OP_DIRTY };
	uint8_t bits = 0xff;
	struct rig_mock mock;
	uint32_t ioas = 0;
	long rc;

	TRY(rig_try_ioas(rig, &ioas));
	TRY(rig_try_map(rig, ioas, 0, 8, IOVA));
	TRY(mock_domain(rig, ioas, &mock));
	TRY(hwpt_alloc(rig, mock.idev, ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, 0, false, &cmd.id));
	track.hwpt_id = get.hwpt_id = cmd.id;
	TRY(rig_call(rig, IOMMU_HWPT_SET_DIRTY_TRACKING, &track));
	cmd.dirty.iova = IOVA;
	cmd.dirty.length = get.length = 8 * ENGINE_PAGE_SIZE;
	cmd.dirty.page_size = get.page_size = ENGINE_PAGE_SIZE;
	cmd.dirty.uptr = get.data = (uint64_t)(uintptr_t)&bits;
	TRY(rig_test(rig, &cmd));
	return rig_call(rig, IOMMU_HWPT_GET_DIRTY_BITMAP, &get);
}

static void test_attach_map_detach_at_every_point(void **state)
{
	(void)state;
	sweep(chain_attach_map_detach);
}

static void test_replace_and_pasid_at_every_point(void **state)
{
	(void)state;
	sweep(chain_replace_and_pasid);
}

static void test_queues_at_every_point(void **state)
{
	(void)state;
	sweep(chain_queues);
}

static void test_access_at_every_point(void **state)
{
	(void)state;
	sweep(chain_access);
}

static void test_dirty_at_every_point(void **state)
{
	(void)state;
	sweep(chain_dirty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attach_map_detach_at_every_point),
		cmocka_unit_test(test_replace_and_pasid_at_every_point),
		cmocka_unit_test(test_queues_at_every_point),
		cmocka_unit_test(test_access_at_every_point),
		cmocka_unit_test(test_dirty_at_every_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
