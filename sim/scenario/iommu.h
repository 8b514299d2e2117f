/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cost model of one IOMMU: its IOTLB, its page-walk caches, its walkers, its
 * invalidation queue and the lock that its callers share.
 *
 * It says how long things take and which translations are still cached; whether an
 * address is mapped is asked of the engine. A domain is a number that no other
 * page table of the same IOMMU has.
 */
#ifndef IOASIS_SCENARIO_IOMMU_H
#define IOASIS_SCENARIO_IOMMU_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/des/calendar.h"
#include "sim/des/des.h"
#include "sim/des/random.h"
#include "sim/scenario/scenario.h"

#define LEAF_4K_SHIFT 12u
#define LEAF_2M_SHIFT 21u
#define LEAF_1G_SHIFT 30u

/* A set-associative cache of 64-bit tags; 0 is no tag. */
struct tag_cache {
	uint64_t *tags;	  /* sets of `ways` each */
	uint64_t *stamps; /* when used (LRU) or filled (FIFO) */
	uint32_t sets_count;
	uint32_t ways;
	enum scenario_replacement replacement;
	uint64_t clock;
	struct des_random random;
};

#define WALK_LEVELS_MAX 6
#define WALKERS_MAX	16

struct iommu {
	const struct scenario_iommu *config; /* borrowed */
	struct tag_cache iotlb;
	struct tag_cache walk_caches[WALK_LEVELS_MAX]; /* [0]: the level above 4 KiB leaves */
	const struct des *des;			       /* borrowed: how late it is */
	struct des_calendar walkers[WALKERS_MAX];
	struct des_calendar invalidation_queue;
	struct des_calendar lock;
	uint32_t next_walker;
	uint64_t hits_count;
	uint64_t misses_count;
	uint64_t walk_steps_count;
	uint64_t invalidations_count;
	uint64_t flushes_count;
	uint32_t next_domain;
};

/* 0 or -ENOMEM. random_seed: for random replacement. */
int iommu_init(struct iommu *iommu, const struct scenario_iommu *config, const struct des *des,
	       uint64_t random_seed, uint64_t index);

/* Holds the lock that all callers share for work_ns; returns when it is given up. */
uint64_t iommu_lock(struct iommu *iommu, uint64_t now_ns, uint64_t work_ns);
void iommu_fini(struct iommu *iommu);

/* A domain number that was not given out yet. */
uint32_t iommu_domain_new(struct iommu *iommu);

/* Whether the translation is cached, counting nothing. */
bool iommu_is_cached(const struct iommu *iommu, uint32_t domain, uint64_t iova,
		     unsigned int leaf_shift);

/*
 * A device's access at now_ns looks the address up. Returns when the translation is
 * there; *cached: it was in the IOTLB. A walk fills the caches if `mapped`.
 */
uint64_t iommu_translate(struct iommu *iommu, uint32_t domain, uint64_t iova,
			 unsigned int leaf_shift, uint64_t now_ns, bool mapped, bool *cached);

/* Invalidates [iova, last], waiting until it is done; returns when. */
uint64_t iommu_invalidate(struct iommu *iommu, uint32_t domain, uint64_t iova, uint64_t last,
			  uint64_t now_ns);

/* Invalidates all of a domain; returns when it is done. */
uint64_t iommu_invalidate_domain(struct iommu *iommu, uint32_t domain, uint64_t now_ns);

/* ---- for who looks on: nothing is counted, and no entry is used ----------------- */

/* A translation in the IOTLB. */
struct iommu_entry {
	uint32_t domain;
	unsigned int leaf_shift;
	uint64_t iova; /* of its page */
};

/* Fills *entry with place `index` of the IOTLB, from 0; false: the place is empty. */
bool iommu_entry_at(const struct iommu *iommu, uint64_t index, struct iommu_entry *entry);

/* How a walk to iova would go, from the root down. */
struct iommu_walk {
	bool in_iotlb; /* then there would be none */
	unsigned int levels_count;
	struct iommu_walk_level {
		unsigned int shift; /* of what one entry of the table maps */
		unsigned int index; /* of the entry */
		bool skipped;	    /* a walk cache knows what lies below it */
	} levels[WALK_LEVELS_MAX + 1];
	unsigned int steps; /* memory accesses */
};

struct iommu_walk iommu_walk_ahead(const struct iommu *iommu, uint32_t domain, uint64_t iova,
				   unsigned int leaf_shift);

#endif
