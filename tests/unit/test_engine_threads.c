/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many threads, each a process of its own, on one open file and on files of
 * their own in one kernel: every answer is one that some order gives, and
 * nothing is left in the end. Run it under ThreadSanitizer too.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <ioasis/iommufd_abi.h>

#include "tests/model/seed.h"
#include "tests/unit/fake_client.h"

#define THREADS 4
#define STEPS 1500
#define PAGE 4096ull
#define RW (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)

struct worker {
	pthread_t thread;
	struct engine *engine;
	struct engine_ctx *ctx; /* shared, or NULL: one of its own */
	uint32_t ioas;
	struct seed seed;
	struct fake_client fake;
	unsigned int wrong; /* answers that no order of calls gives */
};

static void expect_one_of(struct worker *worker, long rc, const int *errors)
{
	if (rc == 0)
		return;
	for (; *errors; errors++) {
		if (rc == -*errors)
			return;
	}
	worker->wrong++;
}

/* One random call on an address space that all threads use. */
static void worker_step(struct worker *worker, struct engine_ctx *ctx, uint32_t ioas)
{
	static const int map_errors[] = { EEXIST, ENOMEM, 0 };
	static const int unmap_errors[] = { ENOENT, 0 };
	static const int copy_errors[] = { ENOENT, EEXIST, ENOMEM, EINVAL, 0 };
	uint64_t iova = (1 + seed_below(&worker->seed, 64)) * PAGE;
	uint64_t length = (1 + seed_below(&worker->seed, 4)) * PAGE;
	uint64_t user_va = FAKE_BASE + (1 + seed_below(&worker->seed, 400)) * PAGE;
	uint32_t fixed = seed_below(&worker->seed, 2) ? IOMMU_IOAS_MAP_FIXED_IOVA : 0;
	uint64_t dst = 0;

	switch (seed_below(&worker->seed, 4)) {
	case 0:
	case 1:
		expect_one_of(worker, fake_map(&worker->fake, ctx, ioas, RW | fixed, user_va,
					       length, &iova),
			      map_errors);
		break;
	case 2:
		expect_one_of(worker, fake_unmap(&worker->fake, ctx, ioas, iova, &length),
			      unmap_errors);
		break;
	default:
		expect_one_of(worker,
			      fake_copy(&worker->fake, ctx, ioas, ioas, RW, iova, length, &dst),
			      copy_errors);
	}
}

/* A device of its own comes, sees the address space and goes. */
static void worker_device(struct worker *worker, struct engine_ctx *ctx, uint32_t ioas)
{
	struct engine_device *device;
	uint64_t fault;
	uint32_t id;
	int rc;

	if (engine_device_bind(ctx, &worker->fake.client, &device, &id)) {
		worker->wrong++;
		return;
	}
	rc = engine_device_attach(device, &worker->fake.client, 0, &ioas);
	if (!rc) {
		rc = engine_device_dma(device, PAGE, PAGE, true, NULL, &fault);
		worker->wrong += rc && rc != -EFAULT;
		engine_device_detach(device, 0);
	} else if (rc != -ENOMEM) {
		worker->wrong++;
	}
	engine_device_unbind(device);
}

static void *worker_run(void *opaque)
{
	struct worker *worker = opaque;
	struct engine_ctx *ctx = worker->ctx;
	uint32_t ioas = worker->ioas;

	if (!ctx) {
		ctx = engine_ctx_open(worker->engine, &worker->fake.client);
		if (!ctx || fake_ioas_alloc(&worker->fake, ctx, &ioas)) {
			worker->wrong++;
			return NULL;
		}
	}
	for (unsigned int i = 0; i < STEPS; i++) {
		worker_step(worker, ctx, ioas);
		if (i % 64 == 0)
			worker_device(worker, ctx, ioas);
		if (i % 256 == 0)
			engine_ctx_verify(ctx);
	}
	if (!worker->ctx)
		engine_ctx_release(ctx);
	return NULL;
}

static void run_threads(bool shared)
{
	const struct engine_config config = { .test_ops = true };
	struct worker *workers = test_calloc(THREADS, sizeof(*workers));
	struct engine *engine = engine_create(&config);
	struct engine_ctx *ctx = NULL;
	uint32_t ioas = 0;

	for (uint32_t i = 0; i < THREADS; i++) {
		workers[i].engine = engine;
		fake_client_init(&workers[i].fake, 10 + i);
		/* Two of them are charged, to one user, with a limit that they can reach. */
		workers[i].fake.ipc_lock = i % 2;
		workers[i].fake.memlock_bytes = 64 * PAGE;
		workers[i].seed.state = i;
	}
	if (shared) {
		ctx = engine_ctx_open(engine, &workers[0].fake.client);
		assert_int_equal(fake_ioas_alloc(&workers[0].fake, ctx, &ioas), 0);
	}
	for (uint32_t i = 0; i < THREADS; i++) {
		workers[i].ctx = ctx;
		workers[i].ioas = ioas;
		assert_int_equal(
			pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]), 0);
	}
	for (uint32_t i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].wrong, 0);
	}
	if (shared) {
		engine_ctx_verify(ctx);
		engine_ctx_release(ctx);
	}
	engine_destroy(engine);
	for (uint32_t i = 0; i < THREADS; i++)
		fake_client_fini(&workers[i].fake);
	test_free(workers);
}

static void test_threads_on_one_file_agree(void **state)
{
	(void)state;
	run_threads(true);
}

static void test_threads_on_files_of_one_kernel_agree(void **state)
{
	(void)state;
	run_threads(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_on_one_file_agree),
		cmocka_unit_test(test_threads_on_files_of_one_kernel_agree),
	};

	return cmocka_run_group_tests_name("engine_threads", tests, NULL, NULL);
}
