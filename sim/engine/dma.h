/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DMA under way: what must wait for it.
 *
 * A DMA looks its addresses up under the context's lock, and moves bytes without it:
 * the memory may be such that never answers. Until it is done it is listed here. Who
 * takes a mapping or an attachment away waits for what is listed, as an IOMMU's
 * invalidation waits, so no byte moves after an unmap has returned. Only the context's
 * own client can wait there for long.
 */
#ifndef IOASIS_ENGINE_DMA_H
#define IOASIS_ENGINE_DMA_H

#include <pthread.h>
#include <stdint.h>

#include "sim/engine/list.h"

struct device;
struct io_pagetable;

/* Of a context. Its lock comes after the context's, and is held for moments. */
struct dma_table {
	pthread_mutex_t lock;
	pthread_cond_t done;
	struct list_link under_way;
};

void dma_table_init(struct dma_table *table);
void dma_table_fini(struct dma_table *table);

/* Waits for what reaches [iova, last] of the address space. Needs the context's lock. */
void dma_wait_range(const struct io_pagetable *iopt, uint64_t iova, uint64_t last);
/* Waits for all of the device. Needs the context's lock. */
void dma_wait_device(const struct device *dev);

#endif
