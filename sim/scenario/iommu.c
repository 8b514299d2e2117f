/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/iommu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- a cache of tags ----------------------------------------------------- */

static int tag_cache_init(struct tag_cache *cache, uint64_t entries_count, uint64_t ways,
			  enum scenario_replacement replacement)
{
	*cache = (struct tag_cache){ .replacement = replacement };
	if (!entries_count)
		return 0;
	cache->ways = (uint32_t)ways;
	cache->sets_count = (uint32_t)(entries_count / ways);
	cache->tags = calloc(entries_count, sizeof(*cache->tags));
	cache->stamps = calloc(entries_count, sizeof(*cache->stamps));
	return cache->tags && cache->stamps ? 0 : -ENOMEM;
}

static void tag_cache_fini(struct tag_cache *cache)
{
	free(cache->tags);
	free(cache->stamps);
}

/* The first entry of the tag's set. */
static size_t tag_cache_set(const struct tag_cache *cache, uint64_t tag)
{
	uint64_t hash = tag * 0x9e3779b97f4a7c15ull >> 32;

	return (size_t)(hash & (cache->sets_count - 1)) * cache->ways;
}

/* The tag's entry, or -1. */
static long tag_cache_find(const struct tag_cache *cache, uint64_t tag)
{
	size_t first;

	if (!cache->sets_count)
		return -1;
	first = tag_cache_set(cache, tag);
	for (uint32_t way = 0; way < cache->ways; way++) {
		if (cache->tags[first + way] == tag)
			return (long)(first + way);
	}
	return -1;
}

static bool tag_cache_use(struct tag_cache *cache, uint64_t tag)
{
	long at = tag_cache_find(cache, tag);

	if (at < 0)
		return false;
	if (cache->replacement == REPLACE_LRU)
		cache->stamps[at] = ++cache->clock;
	return true;
}

static void tag_cache_fill(struct tag_cache *cache, uint64_t tag)
{
	size_t first, victim;

	if (!cache->sets_count)
		return;
	first = victim = tag_cache_set(cache, tag);
	if (cache->replacement == REPLACE_RANDOM) {
		victim = first + des_random_below(&cache->random, cache->ways);
		for (uint32_t way = 0; way < cache->ways; way++) {
			if (!cache->tags[first + way])
				victim = first + way;
		}
	} else {
		for (uint32_t way = 1; way < cache->ways; way++) {
			if (cache->stamps[first + way] < cache->stamps[victim])
				victim = first + way;
		}
	}
	cache->tags[victim] = tag;
	cache->stamps[victim] = ++cache->clock;
}

static void tag_cache_drop(struct tag_cache *cache, uint64_t tag)
{
	long at = tag_cache_find(cache, tag);

	if (at < 0)
		return;
	cache->tags[at] = 0;
	cache->stamps[at] = 0;
}

/*
 * domain (24 bits), leaf size (3 bits), page number (36 bits): one tag, never 0
 * because no leaf size is 0.
 */
static uint64_t tag_of(uint32_t domain, uint64_t iova, unsigned int shift)
{
	return (uint64_t)domain << 40 | (uint64_t)(shift / 9) << 37 |
	       (iova >> shift & ((1ull << 37) - 1));
}

static void tag_cache_drop_domain(struct tag_cache *cache, uint32_t domain)
{
	size_t count = (size_t)cache->sets_count * cache->ways;

	for (size_t i = 0; i < count; i++) {
		if (cache->tags[i] && cache->tags[i] >> 40 == domain) {
			cache->tags[i] = 0;
			cache->stamps[i] = 0;
		}
	}
}

/* ---- the IOMMU ----------------------------------------------------------- */

int iommu_init(struct iommu *iommu, const struct scenario_iommu *config, const struct des *des,
	       uint64_t random_seed, uint64_t index)
{
	uint64_t walk_entries = config->walk_cache_entries;
	int err;

	*iommu = (struct iommu){ .config = config, .des = des };
	err = tag_cache_init(&iommu->iotlb, config->iotlb_entries, config->iotlb_ways,
			     (enum scenario_replacement)config->iotlb_replacement);
	des_random_init(&iommu->iotlb.random, random_seed, "iotlb", index);
	for (unsigned int level = 0; level < WALK_LEVELS_MAX && !err; level++)
		err = tag_cache_init(&iommu->walk_caches[level], walk_entries, walk_entries,
				     REPLACE_LRU);
	if (err)
		iommu_fini(iommu);
	return err;
}

void iommu_fini(struct iommu *iommu)
{
	tag_cache_fini(&iommu->iotlb);
	for (unsigned int i = 0; i < WALKERS_MAX; i++)
		des_calendar_fini(&iommu->walkers[i]);
	des_calendar_fini(&iommu->invalidation_queue);
	des_calendar_fini(&iommu->lock);
	for (unsigned int level = 0; level < WALK_LEVELS_MAX; level++)
		tag_cache_fini(&iommu->walk_caches[level]);
}

uint32_t iommu_domain_new(struct iommu *iommu)
{
	return ++iommu->next_domain & 0xffffff;
}

bool iommu_is_cached(const struct iommu *iommu, uint32_t domain, uint64_t iova,
		     unsigned int leaf_shift)
{
	return tag_cache_find(&iommu->iotlb, tag_of(domain, iova, leaf_shift)) >= 0;
}

uint64_t iommu_lock(struct iommu *iommu, uint64_t now_ns, uint64_t work_ns)
{
	return des_calendar_use(&iommu->lock, iommu->des->now_ns, now_ns, work_ns);
}

static uint64_t use_walker(struct iommu *iommu, uint64_t now_ns, uint64_t work_ns)
{
	/* In turn: they are alike, and looking for the idlest would cost more than it tells. */
	struct des_calendar *walker =
		&iommu->walkers[iommu->next_walker++ % iommu->config->walkers_count];

	return des_calendar_use(walker, iommu->des->now_ns, now_ns, work_ns);
}

static uint64_t use_invalidation_queue(struct iommu *iommu, uint64_t now_ns, uint64_t work_ns)
{
	return des_calendar_use(&iommu->invalidation_queue, iommu->des->now_ns, now_ns, work_ns);
}

/*
 * Memory accesses of a walk: from the root to the leaf, less those that a walk
 * cache knows. Cache `level` holds tables whose entries map 2^(12 + 9 level) bytes.
 */
static uint64_t walk_steps(struct iommu *iommu, uint32_t domain, uint64_t iova,
			   unsigned int leaf_shift, bool fill)
{
	unsigned int leaf_level = (leaf_shift - LEAF_4K_SHIFT) / 9;
	unsigned int levels = (unsigned int)iommu->config->walk_levels;
	unsigned int steps = 1;

	for (unsigned int level = leaf_level; level + 1 < levels; level++, steps++) {
		unsigned int shift = LEAF_4K_SHIFT + 9 * (level + 1);

		if (tag_cache_use(&iommu->walk_caches[level], tag_of(domain, iova, shift)))
			break;
	}
	for (unsigned int i = 0; fill && i + 1 < steps; i++) {
		unsigned int level = leaf_level + i;

		tag_cache_fill(&iommu->walk_caches[level],
			       tag_of(domain, iova, LEAF_4K_SHIFT + 9 * (level + 1)));
	}
	return steps;
}

uint64_t iommu_translate(struct iommu *iommu, uint32_t domain, uint64_t iova,
			 unsigned int leaf_shift, uint64_t now_ns, bool mapped, bool *cached)
{
	uint64_t tag = tag_of(domain, iova, leaf_shift), steps;

	now_ns += iommu->config->iotlb_hit_ns;
	*cached = tag_cache_use(&iommu->iotlb, tag);
	if (*cached) {
		iommu->hits_count++;
		return now_ns;
	}
	iommu->misses_count++;
	steps = walk_steps(iommu, domain, iova, leaf_shift, mapped);
	iommu->walk_steps_count += steps;
	if (mapped)
		tag_cache_fill(&iommu->iotlb, tag);
	return use_walker(iommu, now_ns, steps * iommu->config->walk_step_ns);
}

/* Drops the translations of one leaf size inside [iova, last]. */
static void drop_range(struct iommu *iommu, uint32_t domain, uint64_t iova, uint64_t last,
		       unsigned int shift)
{
	uint64_t first_page = iova >> shift, last_page = last >> shift;

	if (last_page - first_page >= iommu->config->iotlb_entries) {
		tag_cache_drop_domain(&iommu->iotlb, domain);
		return;
	}
	for (uint64_t page = first_page; page <= last_page; page++)
		tag_cache_drop(&iommu->iotlb, tag_of(domain, page << shift, shift));
}

uint64_t iommu_invalidate(struct iommu *iommu, uint32_t domain, uint64_t iova, uint64_t last,
			  uint64_t now_ns)
{
	drop_range(iommu, domain, iova, last, LEAF_4K_SHIFT);
	if (iommu->config->huge_pages) {
		drop_range(iommu, domain, iova, last, LEAF_2M_SHIFT);
		drop_range(iommu, domain, iova, last, LEAF_1G_SHIFT);
	}
	iommu->invalidations_count++;
	return use_invalidation_queue(iommu, now_ns, iommu->config->invalidate_ns);
}

uint64_t iommu_invalidate_domain(struct iommu *iommu, uint32_t domain, uint64_t now_ns)
{
	tag_cache_drop_domain(&iommu->iotlb, domain);
	for (unsigned int level = 0; level < WALK_LEVELS_MAX; level++)
		tag_cache_drop_domain(&iommu->walk_caches[level], domain);
	iommu->flushes_count++;
	return use_invalidation_queue(iommu, now_ns, iommu->config->invalidate_all_ns);
}

/* ---- for who looks on ------------------------------------------------------- */

bool iommu_entry_at(const struct iommu *iommu, uint64_t index, struct iommu_entry *entry)
{
	uint64_t tag = iommu->iotlb.tags[index];

	if (!tag)
		return false;
	entry->domain = (uint32_t)(tag >> 40);
	/* The sizes of tag_of(): 12, 21 and 30 make 1, 2 and 3. */
	entry->leaf_shift = (unsigned int)(tag >> 37 & 7) * 9 + 3;
	entry->iova = (tag & ((1ull << 37) - 1)) << entry->leaf_shift;
	return true;
}

struct iommu_walk iommu_walk_ahead(const struct iommu *iommu, uint32_t domain, uint64_t iova,
				   unsigned int leaf_shift)
{
	unsigned int leaf_level = (leaf_shift - LEAF_4K_SHIFT) / 9;
	unsigned int levels = (unsigned int)iommu->config->walk_levels;
	struct iommu_walk walk = {
		.in_iotlb = iommu_is_cached(iommu, domain, iova, leaf_shift),
		.levels_count = levels - leaf_level,
		.steps = 1,
	};
	bool known = false;

	/* As walk_steps(): from the leaf up to the first table that a cache knows. */
	for (unsigned int level = leaf_level; level < levels; level++) {
		struct iommu_walk_level *at = &walk.levels[levels - 1 - level];
		unsigned int shift = LEAF_4K_SHIFT + 9 * level;

		*at = (struct iommu_walk_level){
			.shift = shift,
			.index = (unsigned int)(iova >> shift) & 511,
			.skipped = known,
		};
		if (known || level + 1 == levels)
			continue;
		known = tag_cache_find(&iommu->walk_caches[level],
				       tag_of(domain, iova, shift + 9)) >= 0;
		walk.steps += !known;
	}
	return walk;
}
