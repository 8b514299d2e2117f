/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sparse bitmap of written granules against a plain one, by random operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/engine/dirty_set.h"
#include "tests/model/seed.h"

#define GRANULES 4096u
#define BASE 0x7fff00000000ull /* far from zero, not at a multiple of a word */

struct model {
	struct dirty_set set;
	bool marked[GRANULES];
};

static uint64_t address(uint32_t granule)
{
	return BASE + ((uint64_t)granule << DIRTY_GRANULE_SHIFT);
}

/* The lowest marked granule in [first, last] of the plain bitmap, or GRANULES. */
static uint32_t model_next(const struct model *model, uint32_t first, uint32_t last)
{
	for (uint32_t i = first; i <= last; i++) {
		if (model->marked[i])
			return i;
	}
	return GRANULES;
}

static void model_check(struct model *model, uint32_t first, uint32_t last)
{
	uint32_t want = model_next(model, first, last);
	uint64_t found = 0;
	/* Now and then over far more words than there are. */
	uint64_t low = first == 0 ? 0 : address(first);
	uint64_t high = last == GRANULES - 1 ? UINT64_MAX : address(last);

	assert_int_equal(dirty_set_next(&model->set, low, high, &found), want < GRANULES);
	if (want < GRANULES)
		assert_int_equal(found, address(want));
}

static void test_dirty_set_agrees_with_plain_bitmap(void **state)
{
	struct model model;
	struct seed seed;

	(void)state;
	seed_init(&seed, 1);
	memset(&model, 0, sizeof(model));
	dirty_set_init(&model.set, NULL);
	for (int step = 0; step < 20000; step++) {
		uint32_t first = (uint32_t)seed_below(&seed, GRANULES);
		uint32_t last = first + (uint32_t)seed_below(&seed, 200);
		uint32_t what = (uint32_t)seed_below(&seed, 10);

		if (last >= GRANULES)
			last = GRANULES - 1;
		if (what < 3) {
			last = what ? first : last;
			assert_int_equal(dirty_set_add(&model.set, address(first), address(last)), 0);
			memset(model.marked + first, true, last - first + 1);
		} else if (what < 6) {
			dirty_set_clear(&model.set, address(first), address(last));
			memset(model.marked + first, false, last - first + 1);
		} else if (what == 6 && !seed_below(&seed, 200)) {
			dirty_set_clear(&model.set, 0, UINT64_MAX);
			memset(model.marked, false, sizeof(model.marked));
		} else {
			model_check(&model, what == 7 ? 0 : first,
				    what == 8 ? GRANULES - 1 : last);
		}
	}
	dirty_set_fini(&model.set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dirty_set_agrees_with_plain_bitmap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
