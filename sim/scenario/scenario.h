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
	SECTION_MEMORY_HOTPLUG,
	SECTION_BALLOON,
	SECTION_NIC,
	SECTION_NVME,
	SECTION_MIGRATION,
	SECTION_DEVICE_HOTPLUG,
	SECTION_HOUSEKEEPING,
	SECTION_FRAGMENTATION,
	SECTION_FAULTS,
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

struct scenario_memory_hotplug {
	uint64_t start_ns;
	uint64_t every_ns;
	uint64_t count;
	uint64_t dimm_bytes;
	uint64_t unplug_after_ns;
};

struct scenario_balloon {
	uint64_t block_bytes;
	uint64_t every_ns;
	uint64_t region_bytes;
	struct des_dist change;
	uint64_t plugged_ppm;
};

struct scenario_nic {
	uint64_t rate_bits;
	uint64_t packet_bytes;
	uint64_t wire_bytes;
	uint64_t direction; /* enum scenario_direction */
	uint64_t mode;	    /* enum scenario_mode */
	uint64_t buffers;
	uint64_t ring;
	uint64_t load_ppm;
	uint64_t stack_ns;
	uint64_t start_ns;
	uint64_t bytes_per_map;
	uint64_t pool_bytes;
	uint64_t burst;
	uint64_t budget;
	uint64_t ack_every;
	uint64_t first_guest; /* which guests have one: from here on */
	uint64_t guests;      /* so many; 0: all */
};

struct scenario_nvme {
	uint64_t depth;
	uint64_t block_bytes;
	uint64_t mode; /* enum scenario_mode */
	struct des_dist latency;
	uint64_t read_ppm;
	uint64_t rate_bits;
	uint64_t stack_ns;
	uint64_t start_ns;
	uint64_t first_guest;
	uint64_t guests;
};

struct scenario_migration {
	uint64_t start_ns;
	uint64_t bandwidth_bits;
	uint64_t downtime_ns;
	uint64_t rounds_max;
	uint64_t dirty_rate;
	uint64_t hot_ppm;
	uint64_t chunk_bytes;
};

struct scenario_device_hotplug {
	uint64_t start_ns;
	uint64_t every_ns;
	uint64_t count;
	uint64_t replaces;
	uint64_t probe_empty;
};

struct scenario_housekeeping {
	uint64_t every_ns;
};

struct scenario_fragmentation {
	struct des_dist every;
	struct des_dist size;
	struct des_dist lifetime;
	uint64_t region_bytes;
};

struct scenario_faults {
	uint64_t kind; /* enum scenario_fault */
	uint64_t start_ns;
	uint64_t every_ns;
	uint64_t count;
	uint64_t delay_ns;
};

struct scenario {
	bool has[SECTION_COUNT];
	struct scenario_top top;
	struct scenario_host host;
	struct scenario_iommu iommu;
	struct scenario_cost cost;
	struct scenario_guest guest;
	struct scenario_dma dma;
	struct scenario_memory_hotplug memory_hotplug;
	struct scenario_balloon balloon;
	struct scenario_nic nic;
	struct scenario_nvme nvme;
	struct scenario_migration migration;
	struct scenario_device_hotplug device_hotplug;
	struct scenario_housekeeping housekeeping;
	struct scenario_fragmentation fragmentation;
	struct scenario_faults faults;
};

#endif
