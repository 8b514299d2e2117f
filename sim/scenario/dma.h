/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What drivers do with buffers (map, unmap, invalidate) and devices with
 * addresses (access), as Linux's DMA API does: an address comes from a pool of
 * equal pieces, an unmap is invalidated at once or waits in a flush queue, and an
 * address is given out again only when no translation of it can be cached.
 */
#ifndef IOASIS_SCENARIO_DMA_H
#define IOASIS_SCENARIO_DMA_H

#include "sim/scenario/iova_search.h"
#include "sim/scenario/world.h"

/* An unmap whose translation may still be cached. */
struct flush_entry {
	uint64_t iova;
	uint64_t unmapped_ns;
};

/* The addresses and the flush queue of one driver. */
struct dma_pool {
	struct sim_device *device; /* borrowed */
	enum scenario_mode mode;
	uint64_t piece_bytes;
	bool searches;		   /* `search` has the addresses; else the members below */
	struct iova_search search;
	uint64_t next_top; /* addresses below it were never given out */
	uint64_t *free;	   /* a stack: the last one freed goes first; owned */
	uint64_t free_count;
	uint64_t free_size;
	struct flush_entry *queue; /* owned */
	uint64_t queue_count;
	uint64_t queue_size;
	des_event_id flush_timer; /* 0: none */
	uint64_t allocs_failed;
};

/* 0 or -ENOMEM. mode is not MODE_PASSTHROUGH. */
int dma_pool_init(struct dma_pool *pool, struct sim_device *device, enum scenario_mode mode,
		  uint64_t piece_bytes);
void dma_pool_fini(struct dma_pool *pool);

/* Maps a buffer; returns when. *iova: where, 0: no address or the map failed. */
uint64_t dma_map(struct dma_pool *pool, uint64_t now_ns, uint64_t arena_offset, bool readonly,
		 uint64_t *iova);

/* Unmaps it, with what the mode asks for; returns when the driver can go on. */
uint64_t dma_unmap(struct dma_pool *pool, uint64_t now_ns, uint64_t iova);

/* Invalidates what waits; returns when it is done. */
uint64_t dma_flush(struct dma_pool *pool, uint64_t now_ns);

enum dma_result {
	DMA_OK,
	DMA_FAULT, /* refused: not mapped, or not writable */
	DMA_STALE, /* not mapped any more, but the IOTLB still knew it */
};

/*
 * The device reads or writes length bytes at iova. Returns when its translations
 * are there. Sequential within pages; a fault ends it.
 */
uint64_t dma_access(struct sim_device *device, uint64_t now_ns, uint64_t iova, uint64_t length,
		    bool write, enum dma_result *result);

#endif
