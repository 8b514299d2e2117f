/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The span tree against an array with a cell a page: random changes, every
 * look-up and every gap search compared. SEED= chooses the sequence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim/engine/span_tree.h"
#include "tests/model/seed.h"

#define PAGES 8192u
#define PAGE 4096ull

/* The universe: PAGES pages from base on; a cell holds its span's number + 1. */
struct model {
	struct span_pool pool;
	struct span_tree tree;
	struct seed seed;
	uint64_t base;
	uint32_t cell[PAGES];
	uint32_t next_number;
};

static uint64_t address(const struct model *model, uint64_t page)
{
	return model->base + page * PAGE;
}

static bool model_is_free(const struct model *model, uint64_t first, uint64_t last)
{
	for (uint64_t page = first; page <= last; page++) {
		if (model->cell[page])
			return false;
	}
	return true;
}

static void model_fill(struct model *model, uint64_t first, uint64_t last, uint32_t value)
{
	for (uint64_t page = first; page <= last; page++)
		model->cell[page] = value;
}

/* The last page of the span that covers page. */
static uint64_t model_span_last(const struct model *model, uint64_t page)
{
	uint64_t last = page;

	while (last + 1 < PAGES && model->cell[last + 1] == model->cell[page])
		last++;
	return last;
}

static uint64_t model_span_first(const struct model *model, uint64_t page)
{
	while (page && model->cell[page - 1] == model->cell[page])
		page--;
	return page;
}

static void step_insert(struct model *model, uint64_t at, uint64_t most_pages)
{
	uint64_t last = at + seed_below(&model->seed, most_pages);

	if (last >= PAGES || !model_is_free(model, at, last))
		return;
	model->next_number++;
	assert_int_equal(span_tree_insert(&model->tree, address(model, at),
					  address(model, last) + PAGE - 1,
					  (void *)(uintptr_t)model->next_number),
			 0);
	model_fill(model, at, last, model->next_number);
}

static void step_remove(struct model *model, uint64_t at)
{
	uint64_t first;

	if (!model->cell[at])
		return;
	first = model_span_first(model, at);
	span_tree_remove(&model->tree, address(model, first));
	model_fill(model, first, model_span_last(model, first), 0);
}

static void step_shrink(struct model *model, uint64_t at)
{
	uint64_t last;

	if (!model->cell[at])
		return;
	last = model_span_last(model, at);
	span_tree_set_last(&model->tree, address(model, model_span_first(model, at)),
			   address(model, at) + PAGE - 1);
	if (at < last)
		model_fill(model, at + 1, last, 0);
}

static void check_first(struct model *model)
{
	uint64_t first = seed_below(&model->seed, PAGES);
	uint64_t last = first + seed_below(&model->seed, PAGES - first);
	uint64_t page = first;
	struct span span;
	bool found;

	while (page <= last && !model->cell[page])
		page++;
	found = span_tree_first(&model->tree, address(model, first),
				address(model, last) + PAGE - 1, &span, NULL);
	assert_int_equal(found, page <= last);
	if (found) {
		assert_int_equal((uintptr_t)span.value, model->cell[page]);
		assert_true(span.start == address(model, model_span_first(model, page)));
		assert_true(span.last == address(model, model_span_last(model, page)) + PAGE - 1);
	}
}

struct want {
	uint64_t length;
	uint64_t alignment;
	uint64_t found;
};

static bool want_fits(void *opaque, uint64_t first, uint64_t last)
{
	struct want *want = opaque;
	uint64_t aligned = (first + want->alignment - 1) & ~(want->alignment - 1);

	if (aligned < first || aligned > last || last - aligned < want->length - 1)
		return false;
	want->found = aligned;
	return true;
}

/* The answer by looking at every page in [first, last]. */
static bool model_find_gap(const struct model *model, uint64_t first, uint64_t last,
			   struct want *want)
{
	uint64_t run = 0;

	for (uint64_t page = first; page <= last; page++) {
		run = model->cell[page] ? 0 : run + 1;
		if (run && (page == last || model->cell[page + 1])) {
			if (want_fits(want, address(model, page + 1 - run),
				      address(model, page) + PAGE - 1))
				return true;
		}
	}
	return false;
}

static void check_gap(struct model *model)
{
	unsigned int shift = 12 + (unsigned int)seed_below(&model->seed, 10);
	uint64_t first = seed_below(&model->seed, PAGES);
	uint64_t last = first + seed_below(&model->seed, PAGES - first);
	struct want want = { (1 + seed_below(&model->seed, 12)) * PAGE, 1ull << shift, 0 };
	struct want expect = want;
	bool found;

	if (seed_below(&model->seed, 4) == 0)
		want.length = expect.length = 1ull << shift;
	if (seed_below(&model->seed, 8) == 0) {
		want.alignment = expect.alignment = 1;
		shift = 0;
	}
	found = span_tree_find_gap(&model->tree, address(model, first),
				   address(model, last) + PAGE - 1, want.length, shift,
				   want_fits, &want);
	assert_int_equal(found, model_find_gap(model, first, last, &expect));
	if (found)
		assert_true(want.found == expect.found);
}

static void check_walk(struct model *model)
{
	uint64_t spans = 0;
	struct span_pos pos;
	struct span span;
	bool more;

	for (more = span_tree_first(&model->tree, 0, UINT64_MAX, &span, &pos); more;
	     more = span_tree_next(&pos, UINT64_MAX, &span)) {
		uint64_t page = (span.start - model->base) / PAGE;

		assert_int_equal((uintptr_t)span.value, model->cell[page]);
		spans++;
	}
	for (uint64_t page = 0; page < PAGES; page++) {
		if (model->cell[page] && model_span_first(model, page) == page)
			spans--;
	}
	assert_int_equal(spans, 0);
}

static void run(uint64_t base, unsigned int steps, unsigned int insert_of_16)
{
	static struct model model;
	uint64_t cursor = 0;

	memset(&model, 0, sizeof(model));
	model.base = base;
	span_pool_init(&model.pool, NULL);
	span_tree_init(&model.tree, &model.pool);
	seed_init(&model.seed, base + steps);
	for (unsigned int i = 0; i < steps; i++) {
		uint64_t at = seed_below(&model.seed, PAGES);

		/* Runs of neighbours too: in rising order for a while. */
		if (i / 256 % 3 == 0)
			at = cursor++ % PAGES;
		if (seed_below(&model.seed, 16) < insert_of_16)
			step_insert(&model, at, 1 + seed_below(&model.seed, 3));
		else if (seed_below(&model.seed, 4))
			step_remove(&model, at);
		else
			step_shrink(&model, at);
		check_first(&model);
		check_gap(&model);
		if (i % 512 == 0) {
			span_tree_verify(&model.tree);
			check_walk(&model);
		}
	}
	for (uint64_t page = 0; page < PAGES; page++)
		step_remove(&model, page);
	assert_null(model.tree.root);
	span_tree_fini(&model.tree);
	span_pool_fini(&model.pool);
}

static void test_span_tree_growing_agrees_with_pages(void **state)
{
	(void)state;
	run(0, 12000, 12);
}

static void test_span_tree_steady_agrees_with_pages(void **state)
{
	(void)state;
	run(0x100000000ull, 12000, 8);
}

static void test_span_tree_at_the_top_agrees_with_pages(void **state)
{
	(void)state;
	run(0 - PAGES * PAGE, 8000, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_span_tree_growing_agrees_with_pages),
		cmocka_unit_test(test_span_tree_steady_agrees_with_pages),
		cmocka_unit_test(test_span_tree_at_the_top_agrees_with_pages),
	};

	return cmocka_run_group_tests_name("span_tree", tests, NULL, NULL);
}
