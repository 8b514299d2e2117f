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
	bool cache_coherent; /* devices cannot bypass the caches */
	bool dirty_ops;	     /* made for dirty tracking */
	bool dirty_tracking; /* writes mark pages now */
	struct dirty_set dirty;
	/* Of a nested one: what the mock caches, and the vIOMMU that it is for (weak, may be NULL). */
	uint32_t iotlb[MOCK_NESTED_DOMAIN_IOTLB_NUM];
	struct viommu *viommu;
};

/* A zeroed domain becomes a paging one. page_sizes: a bit for each size of a leaf in bytes. */
void domain_init_paging(struct domain *domain, uint64_t aperture_start, uint64_t aperture_last,
			uint64_t page_sizes);
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

/*
 * Reports each leaf of area in [iova, last] that was written and, unless
 * no_clear, makes it clean. record may be NULL.
 */
void domain_read_and_clear_dirty(struct domain *domain, const struct io_pagetable *iopt,
				 const struct iopt_area *area, uint64_t iova, uint64_t last,
				 bool no_clear,
				 void (*record)(void *opaque, uint64_t iova, uint64_t length),
				 void *opaque);

void domain_verify(const struct domain *domain);

#endif
