/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cost model of an IOMMU: what is cached, what a walk costs, what an invalidation does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "sim/scenario/iommu.h"

#define PAGE 4096ull

/* One set of four entries, walks of four steps of 100 ns, no caches of walks. */
static const struct scenario_iommu small = {
	.iotlb_entries = 4,
	.iotlb_ways = 4,
	.iotlb_hit_ns = 2,
	.walk_levels = 4,
	.walk_step_ns = 100,
	.walkers_count = 1,
	.huge_pages = true,
	.invalidate_ns = 700,
	.invalidate_all_ns = 900,
};

struct rig {
	struct scenario_iommu config;
	struct des des;
	struct iommu iommu;
	uint32_t domain;
};

static void rig_init(struct rig *rig, const struct scenario_iommu *config)
{
	memset(rig, 0, sizeof(*rig));
	rig->config = *config;
	assert_int_equal(des_init(&rig->des), 0);
	assert_int_equal(iommu_init(&rig->iommu, &rig->config, &rig->des, 1, 0), 0);
	rig->domain = iommu_domain_new(&rig->iommu);
}

static void rig_fini(struct rig *rig)
{
	iommu_fini(&rig->iommu);
	des_fini(&rig->des);
}

static bool is_hit(struct rig *rig, uint64_t page)
{
	bool cached;

	iommu_translate(&rig->iommu, rig->domain, page * PAGE, LEAF_4K_SHIFT, 0, true, &cached);
	return cached;
}

static void test_iotlb_second_access_is_a_hit_and_costs_no_walk(void **state)
{
	struct rig rig;
	bool cached;

	(void)state;
	rig_init(&rig, &small);
	assert_int_equal(iommu_translate(&rig.iommu, rig.domain, 0, LEAF_4K_SHIFT, 1000, true,
					 &cached),
			 1000 + 2 + 4 * 100);
	assert_false(cached);
	assert_int_equal(iommu_translate(&rig.iommu, rig.domain, 8, LEAF_4K_SHIFT, 5000, true,
					 &cached),
			 5002);
	assert_true(cached);
	assert_int_equal(rig.iommu.hits_count, 1);
	assert_int_equal(rig.iommu.misses_count, 1);
	rig_fini(&rig);
}

static void test_iotlb_lru_keeps_what_was_used_fifo_does_not(void **state)
{
	struct scenario_iommu config = small;
	struct rig rig;

	(void)state;
	for (int fifo = 0; fifo < 2; fifo++) {
		config.iotlb_replacement = fifo ? REPLACE_FIFO : REPLACE_LRU;
		rig_init(&rig, &config);
		for (uint64_t page = 0; page < 4; page++)
			assert_false(is_hit(&rig, page));
		assert_true(is_hit(&rig, 0));
		assert_false(is_hit(&rig, 4)); /* takes the place of 1, or of 0 */
		assert_int_equal(is_hit(&rig, 0), !fifo);
		rig_fini(&rig);
	}
}

static void test_iotlb_random_replacement_repeats_with_its_seed(void **state)
{
	struct scenario_iommu config = small;
	uint64_t hits[2];

	(void)state;
	config.iotlb_replacement = REPLACE_RANDOM;
	for (int run = 0; run < 2; run++) {
		struct rig rig;

		rig_init(&rig, &config);
		for (uint64_t i = 0; i < 1000; i++)
			is_hit(&rig, i * 7 % 6);
		hits[run] = rig.iommu.hits_count;
		rig_fini(&rig);
	}
	assert_int_equal(hits[0], hits[1]);
	/* Six pages in four places: some hits, some misses. */
	assert_in_range(hits[0], 300, 900);
}

static void test_iotlb_unmapped_address_is_not_kept(void **state)
{
	struct rig rig;
	bool cached;

	(void)state;
	rig_init(&rig, &small);
	iommu_translate(&rig.iommu, rig.domain, 0, LEAF_4K_SHIFT, 0, false, &cached);
	assert_false(iommu_is_cached(&rig.iommu, rig.domain, 0, LEAF_4K_SHIFT));
	rig_fini(&rig);
}

static void test_domains_do_not_share_translations(void **state)
{
	struct rig rig;
	uint32_t other;
	bool cached;

	(void)state;
	rig_init(&rig, &small);
	other = iommu_domain_new(&rig.iommu);
	assert_false(is_hit(&rig, 1));
	iommu_translate(&rig.iommu, other, PAGE, LEAF_4K_SHIFT, 0, true, &cached);
	assert_false(cached);
	iommu_invalidate_domain(&rig.iommu, other, 0);
	assert_true(iommu_is_cached(&rig.iommu, rig.domain, PAGE, LEAF_4K_SHIFT));
	assert_false(iommu_is_cached(&rig.iommu, other, PAGE, LEAF_4K_SHIFT));
	rig_fini(&rig);
}

static void test_invalidate_drops_its_range_alone_and_large_pages_too(void **state)
{
	struct rig rig;
	bool cached;

	(void)state;
	rig_init(&rig, &small);
	is_hit(&rig, 512);
	is_hit(&rig, 1024);
	iommu_translate(&rig.iommu, rig.domain, 512 * PAGE, LEAF_2M_SHIFT, 0, true, &cached);
	assert_int_equal(iommu_invalidate(&rig.iommu, rig.domain, 512 * PAGE, 513 * PAGE - 1, 50),
			 750);
	assert_false(iommu_is_cached(&rig.iommu, rig.domain, 512 * PAGE, LEAF_4K_SHIFT));
	assert_false(iommu_is_cached(&rig.iommu, rig.domain, 512 * PAGE, LEAF_2M_SHIFT));
	assert_true(iommu_is_cached(&rig.iommu, rig.domain, 1024 * PAGE, LEAF_4K_SHIFT));
	/* The queue takes one request after the other. */
	assert_int_equal(iommu_invalidate_domain(&rig.iommu, rig.domain, 100), 750 + 900);
	rig_fini(&rig);
}

static void test_walk_caches_leave_the_last_step(void **state)
{
	struct scenario_iommu config = small;
	struct rig rig;
	bool cached;

	(void)state;
	config.walk_cache_entries = 8;
	rig_init(&rig, &config);
	iommu_translate(&rig.iommu, rig.domain, 0, LEAF_4K_SHIFT, 0, true, &cached);
	assert_int_equal(rig.iommu.walk_steps_count, 4);
	/* A page beside it: its table is known. */
	iommu_translate(&rig.iommu, rig.domain, PAGE, LEAF_4K_SHIFT, 10000, true, &cached);
	assert_int_equal(rig.iommu.walk_steps_count, 5);
	/* In the next 2 MiB: one table more. A leaf of 2 MiB has a step less than a page. */
	iommu_translate(&rig.iommu, rig.domain, 2ull << 20, LEAF_4K_SHIFT, 20000, true, &cached);
	assert_int_equal(rig.iommu.walk_steps_count, 7);
	iommu_invalidate_domain(&rig.iommu, rig.domain, 30000);
	iommu_translate(&rig.iommu, rig.domain, 2ull << 20, LEAF_2M_SHIFT, 40000, true, &cached);
	assert_int_equal(rig.iommu.walk_steps_count, 10);
	rig_fini(&rig);
}

static void test_walkers_work_side_by_side(void **state)
{
	struct scenario_iommu config = small;
	uint64_t done[3];
	struct rig rig;
	bool cached;

	(void)state;
	config.walkers_count = 2;
	rig_init(&rig, &config);
	for (uint64_t i = 0; i < 3; i++)
		done[i] = iommu_translate(&rig.iommu, rig.domain, i * PAGE, LEAF_4K_SHIFT, 0, true,
					  &cached);
	assert_int_equal(done[0], 402);
	assert_int_equal(done[1], 402);
	assert_int_equal(done[2], 802);
	rig_fini(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_iotlb_second_access_is_a_hit_and_costs_no_walk),
		cmocka_unit_test(test_iotlb_lru_keeps_what_was_used_fifo_does_not),
		cmocka_unit_test(test_iotlb_random_replacement_repeats_with_its_seed),
		cmocka_unit_test(test_iotlb_unmapped_address_is_not_kept),
		cmocka_unit_test(test_domains_do_not_share_translations),
		cmocka_unit_test(test_invalidate_drops_its_range_alone_and_large_pages_too),
		cmocka_unit_test(test_walk_caches_leave_the_last_step),
		cmocka_unit_test(test_walkers_work_side_by_side),
	};

	return cmocka_run_group_tests_name("iommu_costs", tests, NULL, NULL);
}
