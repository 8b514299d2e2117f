/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How Linux looked for a free I/O address until 4.7 (drivers/iommu/iova.c, before that
 * drivers/pci/iova.c: alloc_iova(), free_iova()).
 *
 * What is taken is kept in the order of addresses. A search goes down from the range that was
 * given out last, or from the one above what was freed last if that lies higher; the first gap
 * that is large enough is taken. Each range that it passes costs time: so a search is short where
 * what is freed is what is wanted next, and as long as a ring where two users interleave. 4.7
 * keeps freed addresses per CPU (9257b4a206fc) and rarely searches.
 */
#ifndef IOASIS_SCENARIO_IOVA_SEARCH_H
#define IOASIS_SCENARIO_IOVA_SEARCH_H

#include <stdint.h>

struct iova_range_node;

struct iova_search {
	uint64_t first, limit;		 /* addresses are in [first, limit) */
	uint64_t piece;			 /* bytes of each range */
	struct iova_range_node *highest; /* owned, with all below it */
	struct iova_range_node *cached;	 /* where a search begins; NULL: at the top */
	struct iova_range_node **by_piece; /* what is taken, by (iova - first) / piece; owned */
};

/* 0 or -ENOMEM. limit - first is a multiple of piece; first is not 0. */
int iova_search_init(struct iova_search *search, uint64_t first, uint64_t limit, uint64_t piece);
void iova_search_fini(struct iova_search *search);

/* An address, or 0: none is free, or no memory. *visited: how many ranges were passed. */
uint64_t iova_search_take(struct iova_search *search, uint64_t *visited);

/* Gives back what iova_search_take() returned. */
void iova_search_give_back(struct iova_search *search, uint64_t iova);

#endif
