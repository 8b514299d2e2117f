/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario: what is simulated, as plain numbers. Filled from a file by load.h
 * with the table in schema.c, which says what each member means, its unit, its
 * range and its default; there is one table row per member.
 */
#ifndef IOASIS_SCENARIO_SCENARIO_H
#define IOASIS_SCENARIO_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/des/random.h"

enum scenario_mode {
	MODE_PASSTHROUGH, /* all memory stays mapped */
	MODE_STRICT,	  /* unmap invalidates and waits */
	MODE_DEFERRED,	  /* unmaps are invalidated together, later */
	MODE_NEVER,	  /* nothing is invalidated: what goes wrong then */
};

enum scenario_allocator {
	ALLOCATOR_KEEPS,    /* what was freed last is given out next */
	ALLOCATOR_SEARCHES, /* iova_search.h */
};

enum scenario_direction {
	DIRECTION_RX,
	DIRECTION_TX,
};

enum scenario_replacement {
	REPLACE_LRU,
	REPLACE_FIFO,
	REPLACE_RANDOM,
};

enum scenario_layout {
	LAYOUT_Q35,  /* as QEMU's q35 machine boots */
	LAYOUT_FLAT, /* one range from 0 */
	LAYOUT_NONE, /* nothing: drivers map what they use */
};

enum scenario_fault {
	FAULT_NONE,
	FAULT_LEAK,	  /* forgets to unmap */
	FAULT_DOUBLE_MAP, /* maps an address that is mapped */
	FAULT_UNMAP_TWICE,
	FAULT_USE_AFTER_UNMAP, /* the device goes on writing after the unmap */
	FAULT_READONLY,	       /* the device writes what is mapped for reading */
	FAULT_OFF_BY_ONE,      /* the device goes a page too far */
};

/* Sections that a file has or has not; without them the actor does not exist. */
enum scenario_section {
	SECTION_TOP,
	SECTION_HOST,
	SECTION_IOMMU,
	SECTION_COST,
	SECTION_GUEST,
	SECTION_DMA,
#define ACTOR(SECTION, ...) SECTION_##SECTION,
#include "sim/scenario/actors.def"
#undef ACTOR
	SECTION_COUNT,
};

struct scenario_top {
	char *name;  /* owned */
	char *about; /* owned */
	uint64_t duration_ns;
	uint64_t seed; /* of the scenario: what the world is like */
};

struct scenario_host {
	uint64_t clock_hertz;
	uint64_t iommus_count;
};

struct scenario_iommu {
	uint64_t iotlb_entries;
	uint64_t iotlb_ways;
	uint64_t iotlb_replacement; /* enum scenario_replacement */
	uint64_t iotlb_hit_ns;
	uint64_t walk_cache_entries;
	uint64_t walk_levels;
	uint64_t walk_step_ns;
	uint64_t walkers_count;
	uint64_t huge_pages;
	uint64_t invalidate_ns;
	uint64_t invalidate_all_ns;
	uint64_t dirty_tracking;
	uint64_t address_bits;
};

struct scenario_cost {
	uint64_t call_ns;
	uint64_t exit_ns;
	uint64_t iova_alloc_ns;
	uint64_t iova_free_ns;
	uint64_t iova_find_ns;
	uint64_t iova_visit_ns;
	uint64_t map_ns;
	uint64_t map_more_ns;
	uint64_t unmap_ns;
	uint64_t unmap_more_ns;
	uint64_t pin_ns;
	uint64_t unpin_ns;
	uint64_t lock_ns;
	uint64_t object_ns;
	uint64_t attach_ns;
	uint64_t dirty_read_ns;
	uint64_t defer_ns;
};

struct scenario_guest {
	uint64_t count;
	uint64_t memory_bytes;
	uint64_t page_bytes;
	uint64_t layout; /* enum scenario_layout */
	struct des_dist boot_after;
};

struct scenario_dma {
	uint64_t flush_batch;
	uint64_t flush_after_ns;
	uint64_t aperture_bytes;
	uint64_t allocator; /* enum scenario_allocator */
	uint64_t check; /* devices really access memory through the page tables */
};

/*
 * The section of an actor, struct scenario_NAME: a member for each of its keys (actors.def). Of a
 * choice it is the number of the word: enum scenario_mode, scenario_direction, scenario_fault.
 */
#define SCENARIO_COUNT(member)	    uint64_t member;
#define SCENARIO_BYTES(member)	    uint64_t member;
#define SCENARIO_TIME(member)	    uint64_t member;
#define SCENARIO_COST(member)	    uint64_t member;
#define SCENARIO_RATE(member)	    uint64_t member;
#define SCENARIO_SHARE(member)	    uint64_t member;
#define SCENARIO_BOOL(member)	    uint64_t member;
#define SCENARIO_CHOICE(member)	    uint64_t member;
#define SCENARIO_DIST_TIME(member)  struct des_dist member;
#define SCENARIO_DIST_BYTES(member) struct des_dist member;
#define SCENARIO_DIST_COUNT(member) struct des_dist member;
#define ACTOR(SECTION, name, text, own, keys) \
	struct scenario_##name {              \
		keys                          \
	};
#define ACTOR_KEY(SECTION, key, kind, name, member, ...) SCENARIO_##kind(member)
#include "sim/scenario/actors.def"
#undef ACTOR_KEY
#undef ACTOR

struct scenario {
	bool has[SECTION_COUNT];
	struct scenario_top top;
	struct scenario_host host;
	struct scenario_iommu iommu;
	struct scenario_cost cost;
	struct scenario_guest guest;
	struct scenario_dma dma;
#define ACTOR(SECTION, name, ...) struct scenario_##name name;
#include "sim/scenario/actors.def"
#undef ACTOR
};

#endif
