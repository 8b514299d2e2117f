/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device that is told what its page table maps. */
#include "sim/engine/vfio_abi.h"
#include "tests/unit/engine_rig.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define PAGE ENGINE_PAGE_SIZE

/* What was told, as text: "+first:pages" and "-first:pages", r for read-only, m with memory. */
struct ear {
	struct rig *rig;
	struct engine_device *device;
	uint32_t id;
	char text[1024];
	uint64_t at; /* of the last memory */
	bool asks;   /* does DMA from within */
};

static void say(struct ear *ear, const char *format, uint64_t iova, uint64_t length,
		const char *more)
{
	size_t used = strlen(ear->text);

	snprintf(ear->text + used, sizeof(ear->text) - used, format,
		 (unsigned long long)(iova / PAGE), (unsigned long long)(length / PAGE), more);
}

static void ear_mapped(void *opaque, uint64_t iova, uint64_t length, uint8_t prot,
		       const struct engine_memory *memory)
{
	struct ear *ear = opaque;
	char more[8], byte;

	snprintf(more, sizeof(more), "%s%s", prot & ENGINE_PROT_WRITE ? "" : "r",
		 memory->mm || memory->file ? "m" : "");
	ear->at = memory->at;
	say(ear, "+%llu:%llu%s ", iova, length, more);
	/* No lock is held: the other program's DMA goes through. */
	if (ear->asks)
		assert_int_equal(engine_device_dma(ear->device, iova, 1, false, &byte, NULL), 0);
}

static void ear_unmapped(void *opaque, uint64_t iova, uint64_t length)
{
	say(opaque, "-%llu:%llu%s ", iova, length, "");
}

static const struct engine_listener ear_listener = { ear_mapped, ear_unmapped };

static void ear_begin(struct ear *ear, struct rig *rig)
{
	*ear = (struct ear){ .rig = rig };
	assert_int_equal(engine_device_bind(rig->ctx, &rig->fake.client, &ear->device, &ear->id),
			 0);
	engine_device_listen(ear->device, &ear_listener, ear);
}

static void ear_attach(struct ear *ear, uint32_t pt_id)
{
	assert_int_equal(engine_device_attach(ear->device, &ear->rig->fake.client, 0, &pt_id), 0);
}

/* What was told since. */
static void heard(struct ear *ear, const char *text)
{
	assert_string_equal(ear->text, text);
	ear->text[0] = '\0';
}

static void test_map_and_unmap_are_told_before_the_call_returns(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig);
	struct ear ear;

	ear_begin(&ear, rig);
	rig_map(rig, ioas, 0, 2, 16 * PAGE);
	heard(&ear, "");
	ear.asks = true;
	ear_attach(&ear, ioas);
	heard(&ear, "+16:2m ");
	assert_int_equal(ear.at, rig_va(0));
	rig_map(rig, ioas, 2, 1, 20 * PAGE);
	heard(&ear, "+20:1m ");
	assert_int_equal(ear.at, rig_va(2));
	/* What cannot be unmapped, and what is not mapped, is not told. */
	assert_int_equal(rig_unmap(rig, ioas, 16 * PAGE, PAGE), -ENOENT);
	heard(&ear, "");
	assert_int_equal(rig_unmap(rig, ioas, 0, UINT64_MAX), 0);
	heard(&ear, "-16:2 -20:1 ");
	engine_device_unbind(ear.device);
	heard(&ear, "");
}

static void test_detach_and_unbind_take_all(void **state)
{
	struct rig *rig = *state;
	uint32_t first = rig_ioas(rig), second = rig_ioas(rig);
	struct ear ear;

	ear_begin(&ear, rig);
	rig_map(rig, first, 0, 1, 16 * PAGE);
	rig_map(rig, first, 1, 1, 32 * PAGE);
	rig_map(rig, second, 2, 1, 16 * PAGE);
	ear_attach(&ear, first);
	heard(&ear, "+16:1m +32:1m ");
	ear_attach(&ear, second); /* moved */
	heard(&ear, "-16:1 -32:1 +16:1m ");
	rig_map(rig, first, 3, 1, 48 * PAGE);
	heard(&ear, ""); /* it does not see this one */
	engine_device_detach(ear.device, 0);
	heard(&ear, "-16:1 ");
	ear_attach(&ear, second);
	heard(&ear, "+16:1m ");
	engine_device_unbind(ear.device);
	heard(&ear, "-16:1 ");
}

static void test_another_page_table_of_the_space_is_no_change(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig), hwpt;
	struct ear ear;

	ear_begin(&ear, rig);
	hwpt = rig_hwpt(rig, ear.id, ioas, 0);
	rig_map(rig, ioas, 0, 1, 16 * PAGE);
	ear_attach(&ear, ioas);
	heard(&ear, "+16:1m ");
	ear_attach(&ear, hwpt);
	heard(&ear, "");
	engine_device_unbind(ear.device);
	heard(&ear, "-16:1 ");
	assert_int_equal(rig_destroy(rig, hwpt), 0);
}

static void test_memory_of_another_process_is_not_lent(void **state)
{
	struct rig *rig = *state;
	uint32_t ioas = rig_ioas(rig);
	struct fake_client other;
	struct ear ear;

	ear_begin(&ear, rig);
	rig_map(rig, ioas, 0, 1, 16 * PAGE);
	/* It attaches what the first one has mapped: it is told without the memory. */
	fake_client_init(&other, 77);
	assert_int_equal(engine_device_attach(ear.device, &other.client, 0, &ioas), 0);
	heard(&ear, "+16:1 ");
	engine_device_unbind(ear.device);
	heard(&ear, "-16:1 ");
	fake_client_fini(&other);
}

static void test_two_devices_hear_of_their_own(void **state)
{
	struct rig *rig = *state;
	uint32_t first = rig_ioas(rig), second = rig_ioas(rig);
	struct ear ears[2];

	for (unsigned int i = 0; i < 2; i++)
		ear_begin(&ears[i], rig);
	ear_attach(&ears[0], first);
	ear_attach(&ears[1], second);
	rig_map(rig, first, 0, 1, 16 * PAGE);
	heard(&ears[0], "+16:1m ");
	heard(&ears[1], "");
	ear_attach(&ears[1], first);
	heard(&ears[1], "+16:1m ");
	assert_int_equal(rig_unmap(rig, first, 16 * PAGE, PAGE), 0);
	for (unsigned int i = 0; i < 2; i++) {
		heard(&ears[i], "-16:1 ");
		engine_device_unbind(ears[i].device);
	}
}

/* ---- two threads ------------------------------------------------------------------------ */

#define ROUNDS 2000u

struct mapper {
	struct rig *rig;
	uint32_t ioas, page;
	uint64_t iova;
};

static void *map_and_unmap(void *argument)
{
	const struct mapper *mapper = argument;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct iommu_ioas_map map = { .size = sizeof(map), .flags = 7,
					      .ioas_id = mapper->ioas,
					      .user_va = rig_va(mapper->page), .length = PAGE,
					      .iova = mapper->iova };
		struct iommu_ioas_unmap unmap = { .size = sizeof(unmap),
						  .ioas_id = mapper->ioas,
						  .iova = mapper->iova, .length = PAGE };

		assert_int_equal(engine_ctx_ioctl(mapper->rig->ctx, &mapper->rig->fake.client,
						  IOMMU_IOAS_MAP, (uint64_t)(uintptr_t)&map), 0);
		assert_int_equal(engine_ctx_ioctl(mapper->rig->ctx, &mapper->rig->fake.client,
						  IOMMU_IOAS_UNMAP,
						  (uint64_t)(uintptr_t)&unmap), 0);
	}
	return NULL;
}

static unsigned int mapped_now, told_wrong;

static void count_mapped(void *opaque, uint64_t iova, uint64_t length, uint8_t prot,
			 const struct engine_memory *memory)
{
	unsigned int bit = 1u << iova / (16 * PAGE);

	(void)opaque, (void)length, (void)prot, (void)memory;
	told_wrong += (mapped_now & bit) != 0;
	mapped_now |= bit;
}

static void count_unmapped(void *opaque, uint64_t iova, uint64_t length)
{
	unsigned int bit = 1u << iova / (16 * PAGE);

	(void)opaque, (void)length;
	told_wrong += (mapped_now & bit) == 0;
	mapped_now &= ~bit;
}

static void test_threads_are_told_in_order(void **state)
{
	static const struct engine_listener counter = { count_mapped, count_unmapped };
	struct rig *rig = *state;
	struct mapper mappers[2];
	struct engine_device *device;
	pthread_t threads[2];
	uint32_t id, ioas = rig_ioas(rig), pt_id = ioas;

	assert_int_equal(engine_device_bind(rig->ctx, &rig->fake.client, &device, &id), 0);
	engine_device_listen(device, &counter, NULL);
	assert_int_equal(engine_device_attach(device, &rig->fake.client, 0, &pt_id), 0);
	for (unsigned int i = 0; i < 2; i++) {
		mappers[i] = (struct mapper){ rig, ioas, i, 16 * PAGE * i };
		pthread_create(&threads[i], NULL, map_and_unmap, &mappers[i]);
	}
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(mapped_now, 0);
	assert_int_equal(told_wrong, 0);
	engine_device_unbind(device);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_map_and_unmap_are_told_before_the_call_returns),
		CASE(test_detach_and_unbind_take_all),
		CASE(test_another_page_table_of_the_space_is_no_change),
		CASE(test_memory_of_another_process_is_not_lent),
		CASE(test_two_devices_hear_of_their_own),
		CASE(test_threads_are_told_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
