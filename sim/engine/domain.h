/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An I/O page table of the model, as the kernel's iommu_domain.
 *
 * It holds no entries: every area of an address space is filled into every page
 * table of it, so what is mapped where is read from the areas and their pinned
 * pages (io_pagetable.h). Only what the areas cannot say is here: the geometry,
 * which granules were written, what a nested table caches.
 *
 * Not locked: the lock of the open file covers it.
 */
#ifndef IOASIS_ENGINE_DOMAIN_H
#define IOASIS_ENGINE_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/dirty_set.h"
#include "sim/engine/io_pagetable.h"
#include "sim/engine/test_abi.h"

struct viommu;

struct domain {
	struct iopt_domain iopt; /* of a paging one */
	bool nested;
	bool mock;	     /* of a mock device */
	bool noiommu;	     /* of a device without an IOMMU: it only translates */
	bool per_granule;    /* every granule has its own dirty bit: the mock's before 6.19 */
	bool whole_entries;  /* a written leaf is reported as a whole */
	bool cache_coherent; /* devices cannot bypass the caches */
	bool dirty_ops;	     /* made for dirty tracking */
	bool dirty_tracking; /* writes mark pages now */
	struct dirty_set dirty;
	/* Of a nested one: what the mock caches, and the vIOMMU that it is for (weak, may be NULL). */
	uint32_t iotlb[MOCK_NESTED_DOMAIN_IOTLB_NUM];
	struct viommu *viommu;
};

/* A zeroed domain becomes a paging one. page_sizes: a bit for each size of a leaf in bytes. */
void domain_init_paging(struct domain *domain, const struct engine_ctx *ctx,
			uint64_t aperture_start, uint64_t aperture_last, uint64_t page_sizes);
void domain_fini(struct domain *domain);

/* The smallest page in bytes. */
uint64_t domain_min_page(const struct domain *domain);

/*
 * The leaf entry of domain that translates iova in area, as [*first, *last]: what
 * one dirty bit stands for. iova must be mapped. Source: generic_pt,
 * pt_compute_best_pgsize(), and batch_to_domain() for spaces without large pages.
 */
void domain_leaf(const struct domain *domain, const struct io_pagetable *iopt,
		 const struct iopt_area *area, uint64_t iova, uint64_t *first, uint64_t *last);

/* Marks the granule at iova as written; nothing when no page is there. 0 or -ENOMEM. */
int domain_set_dirty(struct domain *domain, struct io_pagetable *iopt, uint64_t iova);

/* What to do with the leaves that were written. */
struct domain_dirty {
	uint64_t iova, last; /* of the part of the area that is asked for */
	bool no_clear;	     /* they stay dirty */
	/* Told of each, by rising address. NULL: nobody. */
	void (*record)(void *opaque, uint64_t iova, uint64_t length);
	void *opaque;
};

/* Reports each leaf of area in ask's range that was written and makes it clean. */
void domain_read_and_clear_dirty(struct domain *domain, const struct io_pagetable *iopt,
				 const struct iopt_area *area, const struct domain_dirty *ask);

void domain_verify(const struct domain *domain);

#endif
