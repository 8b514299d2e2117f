/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DMA of simulated devices: pieces, and memory that does not answer. */
#include "tests/unit/engine_rig.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ioasis/iommufd_abi.h"

/* ---- memory that waits ----------------------------------------------------------- */

static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_changed = PTHREAD_COND_INITIALIZER;
static bool gate_shut;	    /* who reads waits */
static unsigned int inside; /* readers that wait */
static const struct engine_mm_ops *real_ops;

static int slow_read(struct engine_mm *mm, uint64_t va, void *dst, size_t len)
{
	int rc;

	pthread_mutex_lock(&gate_lock);
	inside++;
	pthread_cond_broadcast(&gate_changed);
	while (gate_shut)
		pthread_cond_wait(&gate_changed, &gate_lock);
	pthread_mutex_unlock(&gate_lock);
	rc = real_ops->read(mm, va, dst, len);
	pthread_mutex_lock(&gate_lock);
	inside--;
	pthread_mutex_unlock(&gate_lock);
	return rc;
}

static unsigned int gate_inside(void)
{
	unsigned int n;

	pthread_mutex_lock(&gate_lock);
	n = inside;
	pthread_mutex_unlock(&gate_lock);
	return n;
}

static void gate_set(bool shut)
{
	pthread_mutex_lock(&gate_lock);
	gate_shut = shut;
	pthread_cond_broadcast(&gate_changed);
	pthread_mutex_unlock(&gate_lock);
}

static void gate_await(unsigned int readers)
{
	pthread_mutex_lock(&gate_lock);
	while (inside != readers)
		pthread_cond_wait(&gate_changed, &gate_lock);
	pthread_mutex_unlock(&gate_lock);
}

struct attached {
	struct engine_device *device;
	uint32_t ioas, id;
};

/* A device attached to an address space with pages 0 to 3 at 0x10000. */
static struct attached attach(struct rig *rig)
{
	struct attached a = { .ioas = rig_ioas(rig) };
	uint32_t pt = a.ioas;

	rig_map(rig, a.ioas, 0, 4, 0x10000);
	assert_int_equal(engine_device_bind(rig->ctx, &rig->fake.client, &a.device, &a.id), 0);
	assert_int_equal(engine_device_attach(a.device, &rig->fake.client, 0, &pt), 0);
	return a;
}

/* ---- pieces ---------------------------------------------------------------------- */

static void test_pieces_and_vectors_are_one_string(void **state)
{
	struct rig *rig = *state;
	struct attached a = attach(rig);
	char first[5], second[9];
	const struct engine_dma_piece pieces[] = {
		{ 0x11000, 2 }, { 0x10ffe, 4 }, { 0x13ffc, 4 }, { 0x10000, 4 }
	};
	const struct iovec local[] = { { first, 5 }, { second, 9 } };
	struct engine_dma dma = { .pieces = pieces, .pieces_count = 4, .local = local,
				  .local_count = 2 };
	uint64_t bad = 0;

	memcpy(rig->fake.memory + 4094, "cdAB", 4);
	memcpy(rig->fake.memory + 4 * 4096 - 4, "wxyz", 4);
	memcpy(rig->fake.memory, "0123", 4);
	assert_int_equal(engine_device_dma_vector(a.device, 0, &dma, &bad), 0);
	assert_memory_equal(first, "ABcdA", 5);
	assert_memory_equal(second, "Bwxyz0123", 9);

	memcpy(first, "abcde", 5);
	memcpy(second, "fghijklmn", 9);
	dma.write = true;
	assert_int_equal(engine_device_dma_vector(a.device, 0, &dma, &bad), 0);
	assert_memory_equal(rig->fake.memory + 4094, "cdef", 4); /* the second piece is later */
	assert_memory_equal(rig->fake.memory + 4 * 4096 - 4, "ghij", 4);
	assert_memory_equal(rig->fake.memory, "klmn", 4);
	engine_device_unbind(a.device);
}

static void test_bad_piece_is_named_and_those_before_move(void **state)
{
	struct rig *rig = *state;
	struct attached a = attach(rig);
	char data[] = "abcdefgh";
	const struct engine_dma_piece pieces[] = { { 0x10000, 4 }, { 0x13ffe, 4 } };
	const struct iovec local = { data, 8 };
	const struct engine_dma dma = { .write = true, .pieces = pieces, .pieces_count = 2,
					.local = &local, .local_count = 1 };
	uint64_t bad = 0;

	assert_int_equal(engine_device_dma_vector(a.device, 0, &dma, &bad), -EFAULT);
	assert_true(bad == 0x14000);
	assert_memory_equal(rig->fake.memory, "abcd", 4);
	/* A PASID that is attached to nothing. */
	assert_int_equal(engine_device_dma_vector(a.device, 5, &dma, &bad), -EFAULT);
	assert_true(bad == 0x10000);
	engine_device_unbind(a.device);
}

/* ---- memory that does not answer --------------------------------------------------- */

static void *read_some(void *device)
{
	char data[8];
	int rc = engine_device_dma(device, 0x11000, sizeof(data), false, data, NULL);

	engine_device_put(device);
	return (void *)(intptr_t)rc;
}

struct unmapper {
	struct rig *rig;
	uint32_t ioas;
	unsigned int inside; /* readers, when the unmap was over */
	pid_t tid;	     /* __atomic */
	bool done;	     /* __atomic */
};

/* Whether its thread waits for something. */
static bool unmapper_sleeps(struct unmapper *unmapper)
{
	pid_t tid = __atomic_load_n(&unmapper->tid, __ATOMIC_ACQUIRE);
	char path[64], state = '?';
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	stat = tid ? fopen(path, "r") : NULL;
	if (!stat)
		return false;
	if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
		state = '?';
	fclose(stat);
	return state == 'S';
}

static void *unmap_it(void *opaque)
{
	struct unmapper *unmapper = opaque;
	uint64_t length = 4 * 4096;
	long rc;

	__atomic_store_n(&unmapper->tid, gettid(), __ATOMIC_RELEASE);
	rc = fake_unmap(&unmapper->rig->fake, unmapper->rig->ctx, unmapper->ioas, 0x10000,
			&length);
	__atomic_store_n(&unmapper->done, true, __ATOMIC_RELEASE);
	unmapper->inside = gate_inside();
	return (void *)(intptr_t)rc;
}

static void test_nothing_waits_for_dma_but_its_unmap(void **state)
{
	struct rig *rig = *state;
	struct attached a = attach(rig);
	struct unmapper unmapper = { .rig = rig, .ioas = a.ioas };
	struct engine_mm_ops slow = *rig->fake.mm.ops;
	struct iommu_ioas_map map = { .size = sizeof(map), .flags = 7, .ioas_id = a.ioas,
				      .user_va = rig_va(8), .length = 4096, .iova = 0x40000 };
	pthread_t reader, other;
	void *rc;

	real_ops = rig->fake.mm.ops;
	slow.read = slow_read;
	rig->fake.mm.ops = &slow;
	gate_set(true);
	engine_device_get(a.device);
	assert_int_equal(pthread_create(&reader, NULL, read_some, a.device), 0);
	gate_await(1);

	/* Other calls of the same open file go on, and other addresses can be unmapped. */
	assert_int_equal(rig_call(rig, IOMMU_IOAS_MAP, &map), 0);
	assert_int_equal(rig_unmap(rig, a.ioas, 0x40000, 4096), 0);
	/* What is being read is not unmapped before that is over. */
	assert_int_equal(pthread_create(&other, NULL, unmap_it, &unmapper), 0);
	while (!unmapper_sleeps(&unmapper))
		assert_false(__atomic_load_n(&unmapper.done, __ATOMIC_ACQUIRE));
	gate_set(false);
	assert_int_equal(pthread_join(other, &rc), 0);
	assert_int_equal((intptr_t)rc, 0);
	assert_int_equal(unmapper.inside, 0);
	assert_int_equal(pthread_join(reader, &rc), 0);
	assert_int_equal((intptr_t)rc, 0);
	rig->fake.mm.ops = real_ops;
	engine_device_unbind(a.device);
}

static void test_unmap_comes_after_the_bytes(void **state)
{
	struct rig *rig = *state;

	/* At the unmap's end no reader is inside. Many rounds find a race. */
	for (unsigned int round = 0; round < 200; round++) {
		struct attached a = attach(rig);
		struct engine_mm_ops slow = *rig->fake.mm.ops;
		pthread_t reader;
		uint64_t length = 4 * 4096;

		real_ops = rig->fake.mm.ops;
		slow.read = slow_read;
		rig->fake.mm.ops = &slow;
		engine_device_get(a.device);
		assert_int_equal(pthread_create(&reader, NULL, read_some, a.device), 0);
		assert_int_equal(fake_unmap(&rig->fake, rig->ctx, a.ioas, 0x10000, &length), 0);
		assert_int_equal(gate_inside(), 0);
		assert_int_equal(pthread_join(reader, NULL), 0);
		rig->fake.mm.ops = real_ops;
		engine_device_unbind(a.device);
		assert_int_equal(rig_destroy(rig, a.ioas), 0);
	}
}

static void test_handle_outlives_the_unbind(void **state)
{
	struct rig *rig = *state;
	struct attached a = attach(rig);
	char data[4];

	engine_device_get(a.device);
	engine_device_unbind(a.device);
	assert_int_equal(engine_device_dma(a.device, 0x10000, 4, false, data, NULL), -EFAULT);
	engine_device_put(a.device);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pieces_and_vectors_are_one_string),
		TEST(test_bad_piece_is_named_and_those_before_move),
		TEST(test_nothing_waits_for_dma_but_its_unmap),
		TEST(test_unmap_comes_after_the_bytes),
		TEST(test_handle_outlives_the_unbind),
	};

	return cmocka_run_group_tests_name("engine_dma", tests, NULL, NULL);
}
