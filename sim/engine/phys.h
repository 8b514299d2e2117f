/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical addresses, for devices without an IOMMU.
 *
 * They are made up: user space cannot know the real ones. A page has none until one is
 * asked for, and then always the same. Memory is contiguous inside of a run, a naturally
 * aligned piece of a file or of a process's addresses whose size the configuration says,
 * and never beyond it.
 *
 * One table a kernel, under a lock of its own that comes last.
 */
#ifndef IOASIS_ENGINE_PHYS_H
#define IOASIS_ENGINE_PHYS_H

#include "sim/engine/core.h"

struct iopt_pages;
struct phys_table;

/* run_bytes: a power of two, at least a page; 0: a page. NULL: out of memory. */
struct phys_table *phys_table_create(const struct engine_heap *heap, uint64_t run_bytes);
void phys_table_destroy(struct phys_table *table);

/* The physical address of the pages' byte, which is pinned. 0 or -ENOMEM, -EFAULT. */
int phys_address(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t byte, uint64_t *phys);

/* Memory behind a physical address: whose it is and where; a reference to one of the two. */
struct phys_memory {
	struct engine_mm *mm;
	struct engine_file *file;
	uint64_t at;	 /* in it */
	uint64_t length; /* bytes from there to the end of the run */
};

/* False: no memory has this address. */
bool phys_find(struct engine *engine, uint64_t phys, struct phys_memory *memory);

#endif
