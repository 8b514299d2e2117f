/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads with devices on one open file: each makes, uses and destroys devices, page tables,
 * queues and accesses of its own and guesses at those of others. Whatever is
 * refused, nothing breaks and nothing is left. For ThreadSanitizer above all.
 */
#include "tests/unit/engine_rig.h"

#include <pthread.h>

#include "tests/model/seed.h"

#define THREADS 4
#define ROUNDS 300
#define IOVA MOCK_APERTURE_START

struct worker {
	pthread_t thread;
	struct rig *rig;
	struct seed seed;
	unsigned int told;
};

static long call(struct worker *worker, unsigned int cmd, void *arg)
{
	return engine_ctx_ioctl(worker->rig->ctx, &worker->rig->fake.client, cmd,
				(uint64_t)(uintptr_t)arg);
}

static void destroy(struct worker *worker, uint32_t id)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd), .id = id };

	call(worker, IOMMU_DESTROY, &cmd);
}

static void count_call(void *opaque)
{
	__atomic_add_fetch((unsigned int *)opaque, 1, __ATOMIC_RELAXED);
}

static void use_memory(struct worker *worker, uint32_t ioas)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas,
		.user_va = rig_va((uint32_t)seed_below(&worker->seed, FAKE_PAGES)),
		.length = ENGINE_PAGE_SIZE * (1 + seed_below(&worker->seed, 4)),
	};
	struct iommu_ioas_unmap unmap = { .size = sizeof(unmap), .ioas_id = ioas };

	if (call(worker, IOMMU_IOAS_MAP, &map))
		return;
	if (seed_below(&worker->seed, 2)) {
		unmap.iova = map.iova;
		unmap.length = map.length;
		call(worker, IOMMU_IOAS_UNMAP, &unmap);
	}
}

/* A queue, a device whose faults go there, a fault read while others come. */
static void use_fault_queue(struct worker *worker, uint32_t ioas)
{
	struct iommu_fault_alloc fault = { .size = sizeof(fault) };
	struct iommu_hwpt_alloc hwpt = { .size = sizeof(hwpt), .pt_id = ioas };
	struct iommu_test_cmd cmd = { .size = sizeof(cmd), .op = IOMMU_TEST_OP_MOCK_DOMAIN };
	struct iommu_hwpt_pgfault faults[2];
	struct engine_anon_file *file;
	uint32_t stdev;

	cmd.id = ioas;
	if (call(worker, IOMMU_TEST_CMD, &cmd))
		return;
	stdev = cmd.mock_domain.out_stdev_id;
	hwpt.dev_id = cmd.mock_domain.out_idev_id;
	if (call(worker, IOMMU_FAULT_QUEUE_ALLOC, &fault))
		goto out_device;
	file = fake_anon_file(&worker->rig->fake, fault.out_fault_fd);
	engine_anon_file_set_notify(file, count_call, &worker->told);
	hwpt.flags = IOMMU_HWPT_FAULT_ID_VALID;
	hwpt.fault_id = fault.out_fault_id;
	if (!call(worker, IOMMU_HWPT_ALLOC, &hwpt)) {
		cmd.op = IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE;
		cmd.id = stdev;
		cmd.mock_domain_replace.pt_id = hwpt.out_hwpt_id;
		call(worker, IOMMU_TEST_CMD, &cmd);
		cmd.op = IOMMU_TEST_OP_TRIGGER_IOPF;
		cmd.trigger_iopf.dev_id = hwpt.dev_id;
		cmd.trigger_iopf.pasid = 0;
		call(worker, IOMMU_TEST_CMD, &cmd);
		engine_anon_file_poll(file);
		engine_anon_file_read(file, faults, sizeof(faults), true);
	}
	fake_close(&worker->rig->fake, fault.out_fault_fd);
out_device:
	destroy(worker, stdev);
	destroy(worker, hwpt.out_hwpt_id);
	destroy(worker, fault.out_fault_id);
}

static void use_access(struct worker *worker, uint32_t ioas)
{
	struct iommu_test_cmd cmd = { .size = sizeof(cmd), .op = IOMMU_TEST_OP_CREATE_ACCESS };
	uint32_t fd;

	cmd.id = ioas;
	cmd.create_access.flags = MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES;
	if (call(worker, IOMMU_TEST_CMD, &cmd))
		return;
	fd = cmd.create_access.out_access_fd;
	cmd.id = fd;
	cmd.op = IOMMU_TEST_OP_ACCESS_PAGES;
	cmd.access_pages.flags = 0;
	cmd.access_pages.iova = IOVA;
	cmd.access_pages.length = ENGINE_PAGE_SIZE;
	cmd.access_pages.uptr = 0;
	call(worker, IOMMU_TEST_CMD, &cmd);
	fake_close(&worker->rig->fake, fd);
}

static void use_sim_device(struct worker *worker, uint32_t ioas)
{
	struct engine_device *device;
	char data[16] = "";
	uint64_t bad;
	uint32_t id;

	if (engine_device_bind(worker->rig->ctx, &worker->rig->fake.client, &device, &id))
		return;
	engine_device_attach(device, &worker->rig->fake.client, 0, &ioas);
	engine_device_dma(device, IOVA, sizeof(data), true, data, &bad);
	engine_device_unbind(device);
}

static void *work(void *opaque)
{
	struct worker *worker = opaque;

	for (int round = 0; round < ROUNDS; round++) {
		struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

		if (call(worker, IOMMU_IOAS_ALLOC, &alloc))
			continue;
		use_memory(worker, alloc.out_ioas_id);
		use_fault_queue(worker, alloc.out_ioas_id);
		use_access(worker, alloc.out_ioas_id);
		use_sim_device(worker, alloc.out_ioas_id);
		/* Another's object, perhaps in use. */
		destroy(worker, (uint32_t)seed_below(&worker->seed, 16));
		destroy(worker, alloc.out_ioas_id);
	}
	return NULL;
}

static void test_threads_on_one_file(void **state)
{
	struct rig *rig = *state;
	struct worker workers[THREADS];
	unsigned int told = 0;
	struct seed seed;

	seed_init(&seed, 1);
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .rig = rig };
		workers[i].seed.state = seed_next(&seed);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		told += workers[i].told;
	}
	/* The guesses do not destroy so much that nothing is tested. */
	assert_in_range(told, THREADS * ROUNDS / 4, THREADS * ROUNDS);
	engine_ctx_verify(rig->ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_threads_on_one_file, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
