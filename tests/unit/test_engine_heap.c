/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One call without memory: each allocation that the engine makes for it fails, one after the
 * other. The call gives -ENOMEM, as the kernel's does with fail_nth; objects, areas, what is
 * pinned and who is charged are what they were; and the same call works right after it.
 */
#include "tests/unit/engine_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ioasis/iommufd_abi.h>

#include "sim/engine/vfio_abi.h"

#define IOVA MOCK_APERTURE_START
#define PAGE ENGINE_PAGE_SIZE
#define POINTS_MAX 100u

/* What a call begins with, and what it needs. */
struct scene {
	struct rig rig;
	uint32_t ioas, other;
	struct rig_mock mock;
	struct engine_device *device;
	uint32_t fd, id;
};

/* ---- the state, as numbers ------------------------------------------------------------- */

struct state {
	uint64_t sum; /* of objects and areas, in order */
	uint64_t objects, areas, pinned, charged, locked;
};

static void add(struct state *state, uint64_t value)
{
	state->sum = (state->sum ^ value) * 0x100000001b3ull;
}

static void add_object(void *opaque, uint32_t id, enum engine_object_type type,
		       const struct engine_origin *origin)
{
	struct state *state = opaque;

	(void)origin;
	state->objects++;
	add(state, (uint64_t)id << 8 | type);
}

static void add_area(void *opaque, uint32_t ioas_id, uint64_t iova, uint64_t last,
		     unsigned int prot, const struct engine_origin *origin)
{
	struct state *state = opaque;

	(void)origin;
	state->areas++;
	add(state, ioas_id);
	add(state, iova);
	add(state, last);
	add(state, prot);
}

static struct state look(struct scene *scene)
{
	const struct engine_visitor visitor = { .object = add_object, .area = add_area };
	struct state state = { .sum = 1 };

	engine_ctx_verify(scene->rig.ctx);
	engine_ctx_visit(scene->rig.ctx, &visitor, &state);
	state.pinned = scene->rig.fake.pinned;
	engine_mm_charges(scene->rig.engine, &scene->rig.fake.mm, &state.charged, &state.locked);
	return state;
}

static void assert_same(const struct state *before, const struct state *after)
{
	assert_int_equal(after->objects, before->objects);
	assert_int_equal(after->areas, before->areas);
	assert_true(after->sum == before->sum);
	assert_int_equal(after->pinned, before->pinned);
	assert_int_equal(after->charged, before->charged);
	assert_int_equal(after->locked, before->locked);
}

/* ---- the sweep -------------------------------------------------------------------------- */

struct call {
	void (*set)(struct scene *scene);  /* the scene, without failures */
	long (*make)(struct scene *scene); /* the call: 0 or -errno */
};

static void scene_open(struct scene *scene, const struct call *call)
{
	const struct engine_config config = { 0 };

	memset(scene, 0, sizeof(*scene));
	rig_open(&scene->rig, &config);
	/* Who may pin what he likes is not charged. */
	scene->rig.fake.ipc_lock = false;
	scene->rig.fake.memlock_bytes = UINT64_MAX;
	scene->ioas = rig_ioas(&scene->rig);
	call->set(scene);
}

static void scene_shut(struct scene *scene)
{
	if (scene->device)
		engine_device_unbind(scene->device);
	rig_shut(&scene->rig); /* aborts when a page or a file is left */
}

/* Some calls that fail are expected; least: how many allocations there are to fail. */
static void sweep(const struct call *call, uint32_t least)
{
	struct scene *scene = malloc(sizeof(*scene));
	uint32_t nth;

	assert_non_null(scene);
	for (nth = 1; nth < POINTS_MAX; nth++) {
		struct state before, after;
		bool hit;
		long rc;

		scene_open(scene, call);
		before = look(scene);
		scene->rig.heap_nth = nth;
		rc = call->make(scene);
		hit = !scene->rig.heap_nth;
		scene->rig.heap_nth = 0;
		after = look(scene);
		if (hit) {
			assert_int_equal(rc, -ENOMEM);
			assert_same(&before, &after);
			rc = call->make(scene);
		}
		assert_int_equal(rc, 0);
		scene_shut(scene);
		if (!hit)
			break;
	}
	assert_in_range(nth, least + 1, POINTS_MAX - 1);
	free(scene);
}

/* ---- address spaces ------------------------------------------------------------------------ */

static void set_nothing(struct scene *scene)
{
	(void)scene;
}

static void set_attached(struct scene *scene)
{
	scene->mock = rig_mock_domain(&scene->rig, scene->ioas, MOCK_FLAGS_DEVICE_PASID);
}

static long make_map(struct scene *scene)
{
	return rig_try_map(&scene->rig, scene->ioas, 0, 8, IOVA);
}

static void test_map(void **state)
{
	(void)state;
	/* The caller's memory and the area; then the pins of each page. */
	sweep(&(struct call){ set_nothing, make_map }, 2);
	sweep(&(struct call){ set_attached, make_map }, 4);
}

/* Pages of two kinds of memory, so that pins are no one run. */
static void set_areas(struct scene *scene)
{
	for (uint32_t i = 0; i < 6; i++)
		rig_map(&scene->rig, scene->ioas, 2 * i, 1, IOVA + i * PAGE);
}

static long make_attach(struct scene *scene)
{
	struct iommu_test_cmd cmd = { .op = IOMMU_TEST_OP_MOCK_DOMAIN, .id = scene->ioas };

	return rig_test(&scene->rig, &cmd);
}

static void test_attach_pins_every_area(void **state)
{
	(void)state;
	sweep(&(struct call){ set_areas, make_attach }, 8);
}

static void set_areas_and_target(struct scene *scene)
{
	set_areas(scene);
	scene->other = rig_ioas(&scene->rig);
	rig_mock_domain(&scene->rig, scene->other, 0);
}

static long make_copy(struct scene *scene)
{
	uint64_t target = IOVA + 0x100000;

	return fake_copy(&scene->rig.fake, scene->rig.ctx, scene->other, scene->ioas,
			 IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
				 IOMMU_IOAS_MAP_WRITEABLE,
			 IOVA, 6 * PAGE, &target);
}

static void test_copy_of_several_areas(void **state)
{
	(void)state;
	sweep(&(struct call){ set_areas_and_target, make_copy }, 8);
}

static long make_file_map(struct scene *scene)
{
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd), .flags = 7, .ioas_id = scene->ioas, .fd = FAKE_MEMFD,
		.length = 4 * PAGE, .iova = IOVA,
	};

	return rig_call(&scene->rig, IOMMU_IOAS_MAP_FILE, &cmd);
}

static void test_map_of_a_file(void **state)
{
	(void)state;
	sweep(&(struct call){ set_attached, make_file_map }, 4);
}

static long make_space(struct scene *scene)
{
	uint32_t id;

	return rig_try_ioas(&scene->rig, &id);
}

/* The table of ids is full: it grows in two steps. */
static void set_full_table(struct scene *scene)
{
	while (rig_ioas(&scene->rig) < 63)
		;
}

static void test_space_that_needs_a_longer_table(void **state)
{
	(void)state;
	sweep(&(struct call){ set_nothing, make_space }, 1);
	sweep(&(struct call){ set_full_table, make_space }, 3);
}

static long make_allow(struct scene *scene)
{
	struct iommu_iova_range ranges[40];
	struct iommu_ioas_allow_iovas cmd = { .size = sizeof(cmd), .ioas_id = scene->ioas,
					      .num_iovas = 40,
					      .allowed_iovas = (uintptr_t)ranges };

	for (uint32_t i = 0; i < 40; i++)
		ranges[i] = (struct iommu_iova_range){ i * 0x10000, i * 0x10000 + 0xfff };
	return rig_call(&scene->rig, IOMMU_IOAS_ALLOW_IOVAS, &cmd);
}

static void test_allowed_ranges(void **state)
{
	(void)state;
	sweep(&(struct call){ set_nothing, make_allow }, 1);
}

/* ---- type 1's unmap of a part ---------------------------------------------------------------- */

static void set_type1(struct scene *scene)
{
	struct iommu_vfio_ioas cmd = { .size = sizeof(cmd), .op = IOMMU_VFIO_IOAS_SET,
				       .ioas_id = scene->ioas };
	struct rig *rig = &scene->rig;

	assert_int_equal(rig_call(rig, IOMMU_VFIO_IOAS, &cmd), 0);
	assert_int_equal(engine_ctx_ioctl(rig->ctx, &rig->fake.client, VFIO_SET_IOMMU,
					  VFIO_TYPE1_IOMMU), 0);
	scene->mock = rig_mock_domain(rig, scene->ioas, 0);
	rig_map(rig, scene->ioas, 0, 8, IOVA);
	assert_int_equal(rig_check_refs(rig, 0, 8, 1), 0);
}

static long make_part_unmap(struct scene *scene)
{
	struct vfio_iommu_type1_dma_unmap cmd = { .argsz = sizeof(cmd), .iova = IOVA + 2 * PAGE,
						  .size = 2 * PAGE };

	return rig_call(&scene->rig, VFIO_IOMMU_UNMAP_DMA, &cmd);
}

/*
 * A cut is in two: what the first has cut stays so when the second finds no memory, as
 * iopt_cut_iova() leaves it. So the areas may be one more; all else is as before.
 */
static void test_unmap_of_a_part(void **state)
{
	const struct call call = { set_type1, make_part_unmap };
	struct scene *scene = malloc(sizeof(*scene));
	uint32_t nth;
	bool hit = true;

	(void)state;
	assert_non_null(scene);
	for (nth = 1; hit && nth < POINTS_MAX; nth++) {
		struct state before, after;
		long rc;

		scene_open(scene, &call);
		before = look(scene);
		scene->rig.heap_nth = nth;
		rc = call.make(scene);
		hit = !scene->rig.heap_nth;
		scene->rig.heap_nth = 0;
		after = look(scene);
		assert_int_equal(rc, hit ? -ENOMEM : 0);
		if (hit) {
			assert_in_range(after.areas, before.areas, before.areas + 1);
			assert_int_equal(after.pinned, before.pinned);
			assert_int_equal(after.charged, before.charged);
			assert_int_equal(rig_check_map(&scene->rig, scene->mock.hwpt, IOVA, 0, 8), 0);
			assert_int_equal(rig_check_refs(&scene->rig, 0, 8, 1), 0);
			assert_int_equal(call.make(scene), 0);
		}
		/* Two pages are gone, and their pins. */
		assert_int_equal(rig_check_map(&scene->rig, scene->mock.hwpt, IOVA, 0, 2), 0);
		assert_int_equal(rig_check_map(&scene->rig, scene->mock.hwpt, IOVA + 4 * PAGE, 4, 4),
				 0);
		assert_int_equal(rig_check_refs(&scene->rig, 2, 2, 0), 0);
		assert_int_equal(look(scene).areas, 2);
		scene_shut(scene);
	}
	assert_in_range(nth, 4, POINTS_MAX - 1);
	free(scene);
}

/* ---- accesses --------------------------------------------------------------------------------- */

static void set_access(struct scene *scene)
{
	struct iommu_test_cmd cmd = { .op = IOMMU_TEST_OP_CREATE_ACCESS, .id = scene->ioas };

	rig_map(&scene->rig, scene->ioas, 0, 8, IOVA);
	cmd.create_access.flags = MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES;
	assert_int_equal(rig_test(&scene->rig, &cmd), 0);
	scene->fd = cmd.create_access.out_access_fd;
}

static long make_access_pages(struct scene *scene)
{
	struct iommu_test_cmd cmd = { .op = IOMMU_TEST_OP_ACCESS_PAGES, .id = scene->fd };

	cmd.access_pages.iova = IOVA + PAGE;
	cmd.access_pages.length = 3 * PAGE;
	cmd.access_pages.uptr = rig_va(1);
	return rig_test(&scene->rig, &cmd);
}

static void test_pins_of_an_access(void **state)
{
	(void)state;
	sweep(&(struct call){ set_access, make_access_pages }, 4);
}

/* ---- charges move to another process ------------------------------------------------------------ */

static void set_files(struct scene *scene)
{
	set_attached(scene);
	assert_int_equal(make_file_map(scene), 0);
}

static long make_change_process(struct scene *scene)
{
	struct iommu_ioas_change_process cmd = { .size = sizeof(cmd) };
	struct fake_client *fake = &scene->rig.fake;
	long rc;

	/* Another user, with the same memory: the charge has somewhere to go. */
	fake->client.uid = 77;
	rc = rig_call(&scene->rig, IOMMU_IOAS_CHANGE_PROCESS, &cmd);
	if (rc)
		fake->client.uid = 0;
	return rc;
}

static void test_change_process(void **state)
{
	(void)state;
	sweep(&(struct call){ set_files, make_change_process }, 1);
}

/* ---- devices without an IOMMU --------------------------------------------------------------------- */

static void set_noiommu(struct scene *scene)
{
	uint32_t pt = scene->ioas;

	rig_map(&scene->rig, scene->ioas, 0, 200, IOVA);
	assert_int_equal(engine_device_bind_noiommu(scene->rig.ctx, &scene->rig.fake.client,
						    &scene->device, &scene->id), 0);
	assert_int_equal(engine_device_attach(scene->device, &scene->rig.fake.client, 0, &pt), 0);
}

static long get_pa(struct scene *scene, uint32_t page)
{
	struct iommu_ioas_noiommu_get_pa cmd = {
		.size = sizeof(cmd), .ioas_id = scene->ioas, .iova = IOVA + page * PAGE, .length = 1
	};

	return rig_call(&scene->rig, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd);
}

static long make_first_pa(struct scene *scene)
{
	return get_pa(scene, 0);
}

static void set_many_pa(struct scene *scene)
{
	set_noiommu(scene);
	for (uint32_t page = 0; page < 64; page++)
		assert_int_equal(get_pa(scene, page), 0);
}

static long make_another_pa(struct scene *scene)
{
	return get_pa(scene, 100);
}

static void test_physical_addresses(void **state)
{
	(void)state;
	sweep(&(struct call){ set_noiommu, make_first_pa }, 2);
	sweep(&(struct call){ set_many_pa, make_another_pa }, 2);
}

static long make_noiommu_bind(struct scene *scene)
{
	if (scene->device)
		engine_device_unbind(scene->device);
	scene->device = NULL;
	return engine_device_bind_noiommu(scene->rig.ctx, &scene->rig.fake.client, &scene->device,
					  &scene->id);
}

static long make_bind(struct scene *scene)
{
	return engine_device_bind(scene->rig.ctx, &scene->rig.fake.client, &scene->device,
				  &scene->id);
}

static long make_group_device(struct scene *scene)
{
	return engine_device_of_noiommu_group(scene->rig.ctx, &scene->device);
}

static long make_container(struct scene *scene)
{
	return engine_vfio_ioas_ensure(scene->rig.ctx, &scene->rig.fake.client);
}

static void test_binding(void **state)
{
	(void)state;
	sweep(&(struct call){ set_nothing, make_noiommu_bind }, 2);
	sweep(&(struct call){ set_nothing, make_bind }, 2);
	sweep(&(struct call){ set_nothing, make_group_device }, 1);
	sweep(&(struct call){ set_nothing, make_container }, 1);
}

/* ---- DMA -------------------------------------------------------------------------------------------- */

#define DMA_PAGES 20u

static void set_dma(struct scene *scene)
{
	uint32_t pt = scene->ioas;

	/* No two pieces of memory are neighbours. */
	for (uint32_t i = 0; i < DMA_PAGES; i++)
		rig_map(&scene->rig, scene->ioas, 2 * i, 1, IOVA + i * PAGE);
	assert_int_equal(engine_device_bind(scene->rig.ctx, &scene->rig.fake.client,
					    &scene->device, &scene->id), 0);
	assert_int_equal(engine_device_attach(scene->device, &scene->rig.fake.client, 0, &pt), 0);
}

static long make_dma(struct scene *scene)
{
	static uint8_t bytes[DMA_PAGES * PAGE];
	uint64_t bad = 0;
	int rc;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i / PAGE + 1);
	rc = engine_device_dma(scene->device, IOVA, sizeof(bytes), true, bytes, &bad);
	/* To a device there is no memory but where it can read and write: it says EFAULT. */
	if (rc == -EFAULT)
		return -ENOMEM;
	for (uint32_t i = 0; i < DMA_PAGES; i++)
		assert_int_equal(scene->rig.fake.memory[2 * i * PAGE + 5], i + 1);
	return rc;
}

static void test_dma_of_many_pieces(void **state)
{
	(void)state;
	sweep(&(struct call){ set_dma, make_dma }, 2);
}

/* ---- dirty pages ---------------------------------------------------------------------------------------- */

static void set_dirty(struct scene *scene)
{
	struct iommu_hwpt_set_dirty_tracking track = { .size = sizeof(track), .flags = 1 };

	set_attached(scene);
	rig_map(&scene->rig, scene->ioas, 0, 8, IOVA);
	scene->id = rig_hwpt(&scene->rig, scene->mock.idev, scene->ioas,
			     IOMMU_HWPT_ALLOC_DIRTY_TRACKING);
	track.hwpt_id = scene->id;
	assert_int_equal(rig_call(&scene->rig, IOMMU_HWPT_SET_DIRTY_TRACKING, &track), 0);
}

static long make_dirty(struct scene *scene)
{
	uint8_t bits = 0xff;
	struct iommu_test_cmd cmd = { .op = IOMMU_TEST_OP_DIRTY, .id = scene->id };

	cmd.dirty.iova = IOVA;
	cmd.dirty.length = 8 * PAGE;
	cmd.dirty.page_size = PAGE;
	cmd.dirty.uptr = (uintptr_t)&bits;
	return rig_test(&scene->rig, &cmd);
}

static void test_dirty_pages(void **state)
{
	(void)state;
	sweep(&(struct call){ set_dirty, make_dirty }, 1);
}

/* ---- the engine itself ------------------------------------------------------------------------------------ */

static void test_engine_and_file_that_find_no_memory(void **state)
{
	struct rig rig = { .heap_nth = 0 };
	struct engine_config config = { 0 };
	struct engine *engine = NULL;
	uint32_t nth;

	(void)state;
	rig_open(&rig, &config);
	rig.heap_nth = 1;
	assert_null(engine_ctx_open(rig.engine, &rig.fake.client));
	config.heap = &rig.heap;
	for (nth = 1; nth < POINTS_MAX && !engine; nth++) {
		rig.heap_nth = nth;
		engine = engine_create(&config);
	}
	rig.heap_nth = 0;
	/* The engine, its table of physical addresses, two of accounts. */
	assert_int_equal(nth, 6);
	engine_destroy(engine);
	rig_shut(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_attach_pins_every_area),
		cmocka_unit_test(test_copy_of_several_areas),
		cmocka_unit_test(test_map_of_a_file),
		cmocka_unit_test(test_space_that_needs_a_longer_table),
		cmocka_unit_test(test_allowed_ranges),
		cmocka_unit_test(test_unmap_of_a_part),
		cmocka_unit_test(test_pins_of_an_access),
		cmocka_unit_test(test_change_process),
		cmocka_unit_test(test_physical_addresses),
		cmocka_unit_test(test_binding),
		cmocka_unit_test(test_dma_of_many_pieces),
		cmocka_unit_test(test_dirty_pages),
		cmocka_unit_test(test_engine_and_file_that_find_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
