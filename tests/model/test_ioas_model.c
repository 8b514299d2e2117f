/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two address spaces against arrays with a cell a page: random calls, each
 * answer computed by walking all pages as the kernel walks its trees, and every
 * invariant of the engine checked after each. SEED= chooses the sequence.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <ioasis/iommufd_abi.h>

#include "tests/model/seed.h"
#include "tests/unit/fake_client.h"

#define PAGE 4096ull
#define PAGES 1024u /* pages of I/O addresses that the model knows */
#define SPACES 2
#define RANGES_MAX 3
#define RW (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)
#define STEPS 20000

/* A page of I/O addresses. */
struct cell {
	uint32_t area;	   /* number of the area, 0: not mapped */
	uint64_t memory;   /* number of the memory page behind it */
	bool writable;	   /* the original mapping was */
	bool reserved;
};

struct space {
	uint32_t id;
	struct cell cells[PAGES];
	struct iommu_iova_range allowed[RANGES_MAX]; /* in rising order */
	uint32_t num_allowed;
};

struct model {
	struct fake_client fake;
	struct engine *engine;
	struct engine_ctx *ctx;
	struct seed seed;
	struct space spaces[SPACES];
	uint32_t next_area;
};

static uint64_t below(struct model *model, uint64_t limit)
{
	return seed_below(&model->seed, limit);
}

/* ---- the kernel's way, page by page ------------------------------------------------ */

static bool check_range(uint64_t *start, uint64_t last, uint64_t length, uint64_t alignment)
{
	uint64_t aligned = (*start + alignment - 1) & ~(alignment - 1);

	if (aligned >= last || last - aligned < length - 1)
		return false;
	*start = aligned;
	return true;
}

static bool page_is_used(const struct space *space, uint64_t page)
{
	return page < PAGES && (space->cells[page].area || space->cells[page].reserved);
}

/* The lowest hole in [start, last] that fits; last may be far beyond the model's pages. */
static bool hole_find(const struct space *space, uint64_t start, uint64_t last, uint64_t length,
		      uint64_t alignment, uint64_t *iova)
{
	uint64_t page = start / PAGE;

	while (page * PAGE <= last) {
		uint64_t hole = page * PAGE < start ? start : page * PAGE;
		uint64_t hole_last;

		if (page_is_used(space, page)) {
			page++;
			continue;
		}
		while (page < PAGES && !page_is_used(space, page))
			page++;
		hole_last = page >= PAGES ? last : page * PAGE - 1;
		if (hole_last > last)
			hole_last = last;
		if (check_range(&hole, hole_last, length, alignment)) {
			*iova = hole;
			return true;
		}
		if (page >= PAGES)
			return false;
	}
	return false;
}

static uint64_t alignment_of(uint64_t user_va, uint64_t length)
{
	uint64_t alignment = 1;

	while (alignment < length)
		alignment *= 2;
	if ((user_va & -user_va) < alignment)
		alignment = user_va & -user_va;
	return alignment > 2ull << 20 ? 2ull << 20 : alignment;
}

/* What automatic allocation answers. */
static long model_alloc(const struct space *space, uint64_t user_va, uint64_t length,
			uint64_t *iova)
{
	const uint64_t most = UINT64_MAX - PAGE;
	uint64_t alignment = alignment_of(user_va, length);

	if (!space->num_allowed) {
		uint64_t start = PAGE;

		if (check_range(&start, most, length, alignment) &&
		    hole_find(space, start, most, length, alignment, iova))
			return 0;
		return -ENOSPC;
	}
	for (uint32_t i = 0; i < space->num_allowed; i++) {
		uint64_t start = space->allowed[i].start < PAGE ? PAGE : space->allowed[i].start;
		uint64_t last = space->allowed[i].last;

		/* Ranges that touch are one. */
		while (i + 1 < space->num_allowed && space->allowed[i + 1].start == last + 1)
			last = space->allowed[++i].last;
		if (start <= last && check_range(&start, last, length, alignment) &&
		    hole_find(space, start, last, length, alignment, iova))
			return 0;
	}
	return -ENOSPC;
}

static long model_check_fixed(const struct space *space, uint64_t first, uint64_t npages)
{
	long rc = 0;

	for (uint64_t page = first; page < first + npages && page < PAGES; page++) {
		if (space->cells[page].reserved)
			return -EINVAL;
		if (space->cells[page].area)
			rc = -EEXIST;
	}
	return rc;
}

/* ---- steps --------------------------------------------------------------------------- */

static void model_map(struct model *model, struct space *space, uint64_t iova, uint64_t npages,
		      uint64_t memory, bool writable)
{
	model->next_area++;
	for (uint64_t i = 0; i < npages; i++)
		space->cells[iova / PAGE + i] = (struct cell){ .area = model->next_area,
							       .memory = memory + i,
							       .writable = writable };
}

static void step_map(struct model *model)
{
	struct space *space = &model->spaces[below(model, SPACES)];
	uint64_t npages = 1 + below(model, below(model, 4) ? 6 : 40);
	uint64_t memory = 1 + below(model, FAKE_PAGES - 50);
	uint64_t user_va = FAKE_BASE + memory * PAGE;
	bool fixed = below(model, 2);
	bool writable = below(model, 4);
	uint64_t iova = below(model, PAGES - 64) * PAGE;
	uint64_t expect = iova;
	long want, got;

	want = fixed ? model_check_fixed(space, iova / PAGE, npages) :
		       model_alloc(space, user_va, npages * PAGE, &expect);
	got = fake_map(&model->fake, model->ctx, space->id,
		       (writable ? RW : IOMMU_IOAS_MAP_READABLE) |
			       (fixed ? IOMMU_IOAS_MAP_FIXED_IOVA : 0u),
		       user_va, npages * PAGE, &iova);
	assert_int_equal(got, want);
	if (got)
		return;
	assert_true(iova == expect);
	assert_true(iova / PAGE + npages <= PAGES);
	model_map(model, space, iova, npages, memory, writable);
}

/* UNMAP goes area by area until one is cut. */
static long model_unmap(struct space *space, uint64_t first, uint64_t last, uint64_t *unmapped)
{
	*unmapped = 0;
	for (uint64_t page = first; page <= last && page < PAGES; page++) {
		uint32_t area = space->cells[page].area;
		uint64_t end = page;

		if (!area)
			continue;
		if (page == first && page && space->cells[page - 1].area == area)
			return -ENOENT;
		while (end + 1 < PAGES && space->cells[end + 1].area == area)
			end++;
		if (end > last)
			return -ENOENT;
		for (uint64_t i = page; i <= end; i++)
			space->cells[i].area = 0;
		*unmapped += (end - page + 1) * PAGE;
		page = end;
	}
	return *unmapped ? 0 : -ENOENT;
}

static void step_unmap(struct model *model)
{
	struct space *space = &model->spaces[below(model, SPACES)];
	uint64_t first = below(model, PAGES);
	uint64_t npages = 1 + below(model, 24);
	uint64_t length = npages * PAGE;
	uint64_t unmapped;
	long want, got;

	/* Often exactly one area. */
	if (below(model, 3) && space->cells[first].area) {
		uint32_t area = space->cells[first].area;

		while (first && space->cells[first - 1].area == area)
			first--;
		npages = 1;
		while (first + npages < PAGES && space->cells[first + npages].area == area)
			npages++;
		length = npages * PAGE;
	}
	want = model_unmap(space, first, first + npages - 1, &unmapped);
	got = fake_unmap(&model->fake, model->ctx, space->id, first * PAGE, &length);
	assert_int_equal(got, want);
	assert_true(length == (want ? npages * PAGE : unmapped));
}

static void step_copy(struct model *model)
{
	struct space *src = &model->spaces[below(model, SPACES)];
	struct space *dst = &model->spaces[below(model, SPACES)];
	uint64_t from = below(model, PAGES - 16);
	uint64_t npages = 1 + below(model, 6);
	uint64_t to = below(model, PAGES - 64);
	uint64_t iova = to * PAGE;
	struct cell copied[8];
	bool writable = below(model, 2);
	bool source_writable = true;
	long want = 0, got;

	for (uint64_t i = 0; i < npages; i++) {
		copied[i] = src->cells[from + i];
		if (!copied[i].area)
			want = -ENOENT;
		source_writable &= copied[i].writable;
	}
	if (!want)
		want = model_check_fixed(dst, to, npages);
	if (!want && writable && !source_writable)
		want = -EPERM;
	got = fake_copy(&model->fake, model->ctx, dst->id, src->id,
			(writable ? RW : IOMMU_IOAS_MAP_READABLE) | IOMMU_IOAS_MAP_FIXED_IOVA,
			from * PAGE, npages * PAGE, &iova);
	assert_int_equal(got, want);
	if (got)
		return;
	/* One area for each area of the source. */
	for (uint64_t i = 0; i < npages; i++) {
		if (!i || copied[i].area != copied[i - 1].area)
			model->next_area++;
		dst->cells[to + i] = (struct cell){ .area = model->next_area,
						    .memory = copied[i].memory,
						    .writable = copied[i].writable };
	}
}

static void step_allow(struct model *model)
{
	struct space *space = &model->spaces[below(model, SPACES)];
	struct iommu_ioas_allow_iovas arg = {
		.size = sizeof(arg),
		.ioas_id = space->id,
		.num_iovas = (uint32_t)below(model, RANGES_MAX + 1),
		.allowed_iovas = FAKE_BASE + PAGE,
	};
	struct iommu_iova_range ranges[RANGES_MAX];
	uint64_t page = below(model, 64);
	long want = 0;

	for (uint32_t i = 0; i < arg.num_iovas; i++) {
		uint64_t npages = 1 + below(model, 200);

		ranges[i].start = page * PAGE;
		ranges[i].last = (page + npages) * PAGE - 1;
		for (uint64_t p = page; p < page + npages && p < PAGES; p++) {
			if (space->cells[p].reserved)
				want = -EADDRINUSE;
		}
		page += npages + (below(model, 2) ? below(model, 60) : 0);
	}
	memcpy(model->fake.memory + PAGE, ranges, sizeof(ranges));
	assert_int_equal(fake_client_call(&model->fake, model->ctx, IOMMU_IOAS_ALLOW_IOVAS, &arg,
					  sizeof(arg)),
			 want);
	if (want)
		return;
	memcpy(space->allowed, ranges, sizeof(ranges));
	space->num_allowed = arg.num_iovas;
}

/* The test command's ADD_RESERVED. */
static void step_reserve(struct model *model)
{
	struct space *space = &model->spaces[below(model, SPACES)];
	uint64_t first = below(model, PAGES);
	uint64_t npages = 1 + below(model, 3);
	uint32_t arg[18] = { 72, 1, space->id };
	long want = 0;

	for (uint64_t page = first; page < first + npages && page < PAGES; page++) {
		if (space->cells[page].area)
			want = -EADDRINUSE;
	}
	for (uint32_t i = 0; i < space->num_allowed; i++) {
		if (space->allowed[i].start < (first + npages) * PAGE &&
		    space->allowed[i].last >= first * PAGE)
			want = -EADDRINUSE;
	}
	arg[4] = (uint32_t)(first * PAGE);
	arg[6] = (uint32_t)(npages * PAGE);
	assert_int_equal(fake_client_call(&model->fake, model->ctx, _IO(';', 0xa0), arg,
					  sizeof(arg)),
			 want);
	for (uint64_t page = first; !want && page < first + npages && page < PAGES; page++)
		space->cells[page].reserved = true;
}

/* Starts an address space anew, before its reserved ranges leave no room. */
static void step_renew(struct model *model)
{
	struct space *space = &model->spaces[below(model, SPACES)];

	assert_int_equal(fake_destroy(&model->fake, model->ctx, space->id), 0);
	memset(space, 0, sizeof(*space));
	assert_int_equal(fake_ioas_alloc(&model->fake, model->ctx, &space->id), 0);
}

/* ---- the whole state ------------------------------------------------------------------- */

static void visit_area(void *opaque, uint32_t ioas_id, uint64_t iova, uint64_t last,
		       unsigned int prot, const struct engine_origin *origin)
{
	struct model *model = opaque;
	struct space *space = &model->spaces[model->spaces[0].id == ioas_id ? 0 : 1];
	uint32_t area = space->cells[iova / PAGE].area;

	assert_true(area && (prot & ENGINE_PROT_READ));
	assert_int_equal(origin->pid, model->fake.client.pid);
	for (uint64_t page = iova / PAGE; page <= last / PAGE; page++)
		assert_int_equal(space->cells[page].area, area);
	assert_true(iova == 0 || space->cells[iova / PAGE - 1].area != area);
	assert_true(last / PAGE + 1 == PAGES || space->cells[last / PAGE + 1].area != area);
}

static void check_state(struct model *model)
{
	const struct engine_visitor visitor = { .area = visit_area };

	engine_ctx_verify(model->ctx);
	engine_ctx_visit(model->ctx, &visitor, model);
}

static void test_ioas_agrees_with_pages(void **state)
{
	static void (*const steps[])(struct model *) = {
		step_map,   step_map,	step_map,  step_map,  step_unmap, step_unmap,
		step_unmap, step_unmap, step_copy, step_copy, step_copy,  step_allow,
	};
	const struct engine_config config = { .test_ops = true };
	static struct model model;

	(void)state;
	fake_client_init(&model.fake, 7);
	seed_init(&model.seed, 1);
	model.engine = engine_create(&config);
	model.ctx = engine_ctx_open(model.engine, &model.fake.client);
	for (unsigned int i = 0; i < SPACES; i++)
		assert_int_equal(fake_ioas_alloc(&model.fake, model.ctx, &model.spaces[i].id), 0);
	for (unsigned int i = 0; i < STEPS; i++) {
		uint64_t kind = below(&model, 400);

		if (kind == 0)
			step_renew(&model);
		else if (kind < 4)
			step_reserve(&model);
		else
			steps[below(&model, sizeof(steps) / sizeof(*steps))](&model);
		check_state(&model);
	}
	engine_ctx_release(model.ctx);
	engine_destroy(model.engine);
	fake_client_fini(&model.fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ioas_agrees_with_pages),
	};

	return cmocka_run_group_tests_name("ioas_model", tests, NULL, NULL);
}
