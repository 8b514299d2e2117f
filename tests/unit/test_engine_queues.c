/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fault queues, vIOMMUs, virtual devices, event queues, hardware queues, mmap. */
#include "tests/unit/engine_rig.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define IOVA MOCK_APERTURE_START

struct queue {
	uint32_t id, fd;
};

static struct queue fault_queue(struct rig *rig)
{
	struct iommu_fault_alloc cmd = { .size = sizeof(cmd) };

	assert_int_equal(rig_call(rig, IOMMU_FAULT_QUEUE_ALLOC, &cmd), 0);
	return (struct queue){ cmd.out_fault_id, cmd.out_fault_fd };
}

static void trigger_fault(struct rig *rig, uint32_t idev, uint32_t pasid, uint32_t grpid)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_TRIGGER_IOPF,
		.trigger_iopf = { .dev_id = idev, .pasid = pasid, .grpid = grpid,
				  .perm = IOMMU_PGFAULT_PERM_WRITE, .addr = 0xdeadbeaf },
	};

	assert_int_equal(rig_test(rig, &cmd), 0);
}

static void replace(struct rig *rig, const struct rig_mock *mock, uint32_t pt_id)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE,
		.id = mock->stdev,
		.mock_domain_replace = { .pt_id = pt_id },
	};

	assert_int_equal(rig_test(rig, &cmd), 0);
}

static void count_call(void *opaque)
{
	++*(unsigned int *)opaque;
}

static void test_fault_is_read_answered_and_gone(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig), parent, nested;
	struct rig_mock mock = rig_mock_domain(rig, ioas, 0);
	struct queue queue = fault_queue(rig);
	struct engine_anon_file *file = fake_anon_file(&rig->fake, queue.fd);
	struct iommu_hwpt_page_response response = { 0 };
	struct iommu_hwpt_pgfault faults[4];
	unsigned int told = 0;

	engine_anon_file_set_notify(file, count_call, &told);
	parent = rig_hwpt(rig, mock.idev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT);
	nested = rig_nested(rig, mock.idev, parent, queue.id);
	trigger_fault(rig, mock.idev, 0, 1); /* not attached: refused, no one is told */
	assert_int_equal(told, 0);
	replace(rig, &mock, nested);
	assert_int_equal(engine_anon_file_poll(file), POLLOUT);
	assert_int_equal(engine_anon_file_read(file, faults, sizeof(faults), false), 0);
	trigger_fault(rig, mock.idev, 0, 7);
	trigger_fault(rig, mock.idev, 5, 8); /* a PASID that only the client's tables know */
	assert_int_equal(told, 2);
	assert_true(engine_anon_file_poll(file) & POLLIN);
	assert_int_equal(engine_anon_file_read(file, faults, 39, false), -ESPIPE);
	assert_int_equal(engine_anon_file_read(file, faults, 0, false), -EINVAL);
	assert_int_equal(engine_anon_file_read(file, faults, sizeof(faults), false),
			 2 * sizeof(*faults));
	assert_int_equal(faults[0].grpid, 7);
	assert_int_equal(faults[0].dev_id, mock.idev);
	assert_int_equal(faults[0].flags, IOMMU_PGFAULT_FLAGS_LAST_PAGE);
	assert_int_equal(faults[0].addr, 0xdeadbeaf);
	assert_int_equal(faults[0].cookie, 1);
	assert_int_equal(faults[1].flags,
			 IOMMU_PGFAULT_FLAGS_LAST_PAGE | IOMMU_PGFAULT_FLAGS_PASID_VALID);
	assert_int_equal(faults[1].cookie, 2);

	response.cookie = 3;
	assert_int_equal(engine_anon_file_write(file, &response, sizeof(response)), -EINVAL);
	response.cookie = 1;
	assert_int_equal(engine_anon_file_write(file, &response, 7), -ESPIPE);
	response.code = 2;
	assert_int_equal(engine_anon_file_write(file, &response, sizeof(response)), -EINVAL);
	response.code = IOMMUFD_PAGE_RESP_SUCCESS;
	assert_int_equal(engine_anon_file_write(file, &response, sizeof(response)),
			 sizeof(response));
	assert_int_equal(engine_anon_file_write(file, &response, sizeof(response)), -EINVAL);

	/* What waits for its answer goes with the attachment. */
	replace(rig, &mock, ioas);
	response.cookie = 2;
	assert_int_equal(engine_anon_file_write(file, &response, sizeof(response)), -EINVAL);
	assert_int_equal(rig_destroy(rig, queue.id), -EBUSY);
	assert_int_equal(rig_destroy(rig, nested), 0);
	assert_int_equal(rig_destroy(rig, queue.id), -EBUSY);
	rig_close(rig, queue.fd);
	assert_int_equal(rig_destroy(rig, queue.id), 0);
}

static void test_fault_queue_without_a_number_leaves_nothing(void **state)
{
	struct rig *rig = *state;
	struct iommu_fault_alloc cmd = { .size = sizeof(cmd) };

	rig->fake.no_fds = true;
	assert_int_equal(rig_call(rig, IOMMU_FAULT_QUEUE_ALLOC, &cmd), -EMFILE);
	assert_int_equal(rig_objects(rig), 0);
	cmd.flags = 1;
	assert_int_equal(rig_call(rig, IOMMU_FAULT_QUEUE_ALLOC, &cmd), -EOPNOTSUPP);
}

/* ---- vIOMMU ------------------------------------------------------------------------- */

struct viommu_rig {
	struct rig *rig;
	uint32_t ioas, parent, viommu;
	struct rig_mock mock;
};

static struct viommu_rig viommu_setup(struct rig *rig, struct iommu_viommu_selftest *data)
{
	struct viommu_rig v = { .rig = rig };
	struct iommu_viommu_alloc cmd = { .size = sizeof(cmd) };

	v.ioas = rig_ioas(rig);
	v.mock = rig_mock_domain(rig, v.ioas, 0);
	v.parent = rig_hwpt(rig, v.mock.idev, v.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT);
	cmd.type = IOMMU_VIOMMU_TYPE_SELFTEST;
	cmd.dev_id = v.mock.idev;
	cmd.hwpt_id = v.parent;
	if (data) {
		cmd.data_uptr = (uint64_t)(uintptr_t)data;
		cmd.data_len = sizeof(*data);
	}
	assert_int_equal(rig_call(rig, IOMMU_VIOMMU_ALLOC, &cmd), 0);
	v.viommu = cmd.out_viommu_id;
	return v;
}

static long vdevice(struct viommu_rig *v, uint32_t idev, uint64_t virt_id, uint32_t *id)
{
	struct iommu_vdevice_alloc cmd = {
		.size = sizeof(cmd), .viommu_id = v->viommu, .dev_id = idev, .virt_id = virt_id
	};
	long rc = rig_call(v->rig, IOMMU_VDEVICE_ALLOC, &cmd);

	if (!rc && id)
		*id = cmd.out_vdevice_id;
	return rc;
}

static void test_viommu_bad_arguments(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig);
	struct rig_mock mock = rig_mock_domain(rig, ioas, 0);
	struct iommu_viommu_alloc cmd = {
		.size = sizeof(cmd), .dev_id = mock.idev, .hwpt_id = mock.hwpt
	};

	assert_int_equal(rig_call(rig, IOMMU_VIOMMU_ALLOC, &cmd), -EOPNOTSUPP);
	cmd.type = 1;
	assert_int_equal(rig_call(rig, IOMMU_VIOMMU_ALLOC, &cmd), -EOPNOTSUPP);
	cmd.type = IOMMU_VIOMMU_TYPE_SELFTEST;
	assert_int_equal(rig_call(rig, IOMMU_VIOMMU_ALLOC, &cmd), -EINVAL);
	cmd.hwpt_id = ioas;
	assert_int_equal(rig_call(rig, IOMMU_VIOMMU_ALLOC, &cmd), -ENOENT);
	cmd.dev_id = 99;
	assert_int_equal(rig_call(rig, IOMMU_VIOMMU_ALLOC, &cmd), -ENOENT);
}

static void test_vdevice_duplicates_and_tombstone(void **state)
{
	struct viommu_rig v = viommu_setup(*state, NULL);
	struct rig_mock other = rig_mock_domain(v.rig, v.ioas, 0);
	uint32_t vdev = 0, again = 0;

	assert_int_equal(vdevice(&v, v.mock.idev, 0x99, &vdev), 0);
	assert_int_equal(vdevice(&v, v.mock.idev, 0x98, NULL), -EEXIST);
	assert_int_equal(vdevice(&v, other.idev, 0x99, NULL), -EEXIST);
	assert_int_equal(vdevice(&v, 99, 0x97, NULL), -ENOENT);
	assert_int_equal(rig_destroy(v.rig, v.viommu), -EBUSY);
	assert_int_equal(rig_destroy(v.rig, v.parent), -EBUSY);
	assert_int_equal(rig_destroy(v.rig, vdev), 0);
	assert_int_equal(vdevice(&v, v.mock.idev, 0x99, &vdev), 0);
	/* The device goes: what is left of the vdevice is an id that no one gets. */
	assert_int_equal(rig_destroy(v.rig, v.mock.stdev), 0);
	assert_int_equal(rig_destroy(v.rig, vdev), -ENOENT);
	for (int i = 0; i < 8; i++)
		assert_int_not_equal(rig_ioas(v.rig), vdev);
	assert_int_equal(vdevice(&v, other.idev, 0x99, &again), 0);
	assert_int_not_equal(again, vdev);
	assert_int_equal(rig_destroy(v.rig, again), 0);
	assert_int_equal(rig_destroy(v.rig, v.viommu), 0);
	assert_int_equal(rig_destroy(v.rig, v.parent), 0);
}

static void test_viommu_invalidates_caches_of_its_devices(void **state)
{
	struct viommu_rig v = viommu_setup(*state, NULL);
	struct iommu_viommu_invalidate_selftest entries[3] = {
		{ .vdev_id = 0x99, .cache_id = 2 }, { .vdev_id = 0x98 }, { .vdev_id = 0x99 }
	};
	struct iommu_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = v.viommu,
		.data_uptr = (uint64_t)(uintptr_t)entries,
		.data_type = IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST,
		.entry_len = sizeof(*entries),
		.entry_num = 3,
	};
	struct iommu_test_cmd check = { .op = IOMMU_TEST_OP_DEV_CHECK_CACHE, .id = v.mock.idev };

	assert_int_equal(vdevice(&v, v.mock.idev, 0x99, NULL), 0);
	assert_int_equal(rig_call(v.rig, IOMMU_HWPT_INVALIDATE, &cmd), -EINVAL);
	assert_int_equal(cmd.entry_num, 1);
	for (uint32_t id = 0; id < MOCK_DEV_CACHE_NUM; id++) {
		check.check_dev_cache.id = id;
		check.check_dev_cache.cache = id == 2 ? 0 : IOMMU_TEST_DEV_CACHE_DEFAULT;
		assert_int_equal(rig_test(v.rig, &check), 0);
	}
	entries[0].flags = IOMMU_TEST_INVALIDATE_FLAG_ALL;
	cmd.entry_num = 1;
	assert_int_equal(rig_call(v.rig, IOMMU_HWPT_INVALIDATE, &cmd), 0);
	check.check_dev_cache.id = 0;
	check.check_dev_cache.cache = 0;
	assert_int_equal(rig_test(v.rig, &check), 0);
	cmd.entry_num = 0;
	assert_int_equal(rig_call(v.rig, IOMMU_HWPT_INVALIDATE, &cmd), 0);
	cmd.data_type = 1;
	assert_int_equal(rig_call(v.rig, IOMMU_HWPT_INVALIDATE, &cmd), -EINVAL);
}

/* ---- events --------------------------------------------------------------------------- */

static long veventq(struct viommu_rig *v, uint32_t type, uint32_t depth, struct queue *queue)
{
	struct iommu_veventq_alloc cmd = {
		.size = sizeof(cmd), .viommu_id = v->viommu, .type = type, .veventq_depth = depth
	};
	long rc = rig_call(v->rig, IOMMU_VEVENTQ_ALLOC, &cmd);

	if (!rc)
		*queue = (struct queue){ cmd.out_veventq_id, cmd.out_veventq_fd };
	return rc;
}

static long trigger_event(struct viommu_rig *v)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_TRIGGER_VEVENT, .trigger_vevent = { .dev_id = v->mock.idev }
	};

	return rig_test(v->rig, &cmd);
}

static void test_veventq_bad_arguments(void **state)
{
	struct viommu_rig v = viommu_setup(*state, NULL);
	struct queue queue = { 0 };

	assert_int_equal(veventq(&v, 0, 2, &queue), -EOPNOTSUPP);
	assert_int_equal(veventq(&v, IOMMU_VEVENTQ_TYPE_SELFTEST, 0, &queue), -EINVAL);
	assert_int_equal(veventq(&v, IOMMU_VEVENTQ_TYPE_SELFTEST, (1 << 19) + 1, &queue), -EINVAL);
	v.rig->fake.no_fds = true;
	assert_int_equal(veventq(&v, IOMMU_VEVENTQ_TYPE_SELFTEST, 2, &queue), -EMFILE);
	v.rig->fake.no_fds = false;
	assert_int_equal(veventq(&v, IOMMU_VEVENTQ_TYPE_SELFTEST, 2, &queue), 0);
	assert_int_equal(veventq(&v, IOMMU_VEVENTQ_TYPE_SELFTEST, 2, &queue), -EEXIST);
	assert_int_equal(rig_destroy(v.rig, v.viommu), -EBUSY);
	assert_int_equal(rig_destroy(v.rig, queue.id), -EBUSY);
	rig_close(v.rig, queue.fd);
	assert_int_equal(rig_destroy(v.rig, queue.id), 0);
	assert_int_equal(rig_destroy(v.rig, v.viommu), 0);
}

static void test_veventq_overflow_says_that_events_were_lost(void **state)
{
	struct viommu_rig v = viommu_setup(*state, NULL);
	struct {
		struct iommufd_vevent_header header;
		struct iommu_viommu_event_selftest event;
	} events[4];
	struct engine_anon_file *file;
	struct queue queue = { 0 };
	uint32_t nested;

	assert_int_equal(veventq(&v, IOMMU_VEVENTQ_TYPE_SELFTEST, 2, &queue), 0);
	file = fake_anon_file(&v.rig->fake, queue.fd);
	nested = rig_nested(v.rig, v.mock.idev, v.viommu, 0);
	assert_int_equal(trigger_event(&v), -ENOENT);
	assert_int_equal(vdevice(&v, v.mock.idev, 0x99, NULL), 0);
	replace(v.rig, &v.mock, nested);
	assert_int_equal(engine_anon_file_read(file, events, sizeof(events), false), 0);
	assert_int_equal(engine_anon_file_read(file, events, 7, false), -EINVAL);
	for (int i = 0; i < 4; i++)
		assert_int_equal(trigger_event(&v), 0);
	assert_true(engine_anon_file_poll(file) & POLLIN);
	assert_int_equal(engine_anon_file_read(file, events, 8, false), -EINVAL);
	/* Two events of 12 bytes, then the note with the number of the last that was lost. */
	assert_int_equal(engine_anon_file_read(file, events, sizeof(events), false), 32);
	assert_int_equal(events[0].header.sequence, 0);
	assert_int_equal(events[0].event.virt_id, 0x99);
	assert_int_equal(events[1].header.sequence, 1);
	assert_int_equal(events[2].header.flags, IOMMU_VEVENTQ_FLAG_LOST_EVENTS);
	assert_int_equal(events[2].header.sequence, 3);
	assert_int_equal(engine_anon_file_poll(file), 0);
	assert_int_equal(engine_anon_file_write(file, events, 8), -EINVAL);
	assert_int_equal(trigger_event(&v), 0);
	assert_int_equal(engine_anon_file_read(file, events, sizeof(events), false), 12);
	assert_int_equal(events[0].header.sequence, 4);
}

/* ---- hardware queues and memory of the file ------------------------------------------- */

static long hw_queue(struct viommu_rig *v, uint32_t index, uint64_t iova, uint64_t length,
		     uint32_t *id)
{
	struct iommu_hw_queue_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = v->viommu,
		.type = IOMMU_HW_QUEUE_TYPE_SELFTEST,
		.index = index,
		.nesting_parent_iova = iova,
		.length = length,
	};
	long rc = rig_call(v->rig, IOMMU_HW_QUEUE_ALLOC, &cmd);

	if (!rc)
		*id = cmd.out_hw_queue_id;
	return rc;
}

static void test_hw_queue_locks_its_memory(void **state)
{
	struct viommu_rig v = viommu_setup(*state, NULL);
	uint32_t first = 0, second = 0, id;
	unsigned int before;

	assert_int_equal(hw_queue(&v, 0, IOVA, 0, &id), -EINVAL);
	assert_int_equal(hw_queue(&v, 0, UINT64_MAX, 2, &id), -EOVERFLOW);
	before = rig_objects(v.rig);
	assert_int_equal(hw_queue(&v, 0, IOVA, 4096, &id), -ENOENT);
	rig_map(v.rig, v.ioas, 0, 2, IOVA);
	assert_int_equal(hw_queue(&v, 1, IOVA, 4096, &id), -EIO);
	assert_int_equal(hw_queue(&v, IOMMU_TEST_HW_QUEUE_MAX, IOVA, 4096, &id), -EINVAL);
	assert_int_equal(hw_queue(&v, 0, IOVA, 8192, &id), -EFAULT);
	assert_int_equal(rig_objects(v.rig), before);
	assert_int_equal(rig_check_refs(v.rig, 0, 2, 1), 0); /* the page table's pins alone */
	assert_int_equal(hw_queue(&v, 0, IOVA, 4096, &first), 0);
	assert_int_equal(hw_queue(&v, 0, IOVA, 4096, &id), -EEXIST);
	assert_int_equal(rig_unmap(v.rig, v.ioas, IOVA, 8192), -EBUSY);
	assert_int_equal(hw_queue(&v, 1, IOVA + 2048, 2048, &second), 0);
	assert_int_equal(rig_destroy(v.rig, first), -EBUSY);
	assert_int_equal(rig_destroy(v.rig, v.viommu), -EBUSY);
	assert_int_equal(rig_destroy(v.rig, second), 0);
	/* As the mock driver: the second's end frees index 0, and index 1 never again. */
	assert_int_equal(hw_queue(&v, 1, IOVA, 4096, &id), -EEXIST);
	assert_int_equal(hw_queue(&v, 0, IOVA, 4096, &second), 0);
	assert_int_equal(rig_destroy(v.rig, first), 0);
	assert_int_equal(rig_destroy(v.rig, second), 0);
	assert_int_equal(rig_unmap(v.rig, v.ioas, IOVA, 8192), 0);
	v.rig->fake.huge_page_bytes = 1 << 21;
	rig_map(v.rig, v.ioas, 0, 2, IOVA);
	assert_int_equal(hw_queue(&v, 0, IOVA, 8192, &first), 0);
}

static void test_viommu_memory_is_mapped_exactly(void **state)
{
	struct iommu_viommu_selftest data = { .in_data = 0xbeef };
	struct viommu_rig v = viommu_setup(*state, &data);
	struct engine_ctx *ctx = v.rig->ctx;
	uint64_t offset = data.out_mmap_offset, length = data.out_mmap_length;
	void *page;

	assert_int_equal(data.out_data, 0xbeef);
	assert_int_equal(length, 2 * ENGINE_PAGE_SIZE);
	assert_int_equal(engine_ctx_mmap(ctx, offset, length, false, &page), -EINVAL);
	assert_int_equal(engine_ctx_mmap(ctx, offset, 4095, true, &page), -EINVAL);
	assert_int_equal(engine_ctx_mmap(ctx, offset, length - 4096, true, &page), -ENXIO);
	assert_int_equal(engine_ctx_mmap(ctx, offset + 4096, length, true, &page), -ENXIO);
	assert_int_equal(engine_ctx_mmap(ctx, 0, length, true, &page), -ENXIO);
	assert_int_equal(engine_ctx_mmap(ctx, offset, length, true, &page), 0);
	assert_int_equal(*(uint32_t *)page, 0xbeef);
	assert_int_equal(rig_destroy(v.rig, v.viommu), -EBUSY);
	engine_ctx_munmap(ctx, offset);
	assert_int_equal(rig_destroy(v.rig, v.viommu), 0);
	assert_int_equal(engine_ctx_mmap(ctx, offset, length, true, &page), -ENXIO);
}

static void test_queue_file_keeps_the_context(void **state)
{
	struct rig *rig = *state;
	struct queue queue = fault_queue(rig);
	struct engine_anon_file *file = fake_anon_file(&rig->fake, queue.fd);

	engine_ctx_release(rig->ctx);
	assert_int_equal(engine_anon_file_poll(file), POLLOUT);
	fake_close(&rig->fake, queue.fd);
	rig->ctx = engine_ctx_open(rig->engine, &rig->fake.client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fault_is_read_answered_and_gone),
		TEST(test_fault_queue_without_a_number_leaves_nothing),
		TEST(test_viommu_bad_arguments),
		TEST(test_vdevice_duplicates_and_tombstone),
		TEST(test_viommu_invalidates_caches_of_its_devices),
		TEST(test_veventq_bad_arguments),
		TEST(test_veventq_overflow_says_that_events_were_lost),
		TEST(test_hw_queue_locks_its_memory),
		TEST(test_viommu_memory_is_mapped_exactly),
		TEST(test_queue_file_keeps_the_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
