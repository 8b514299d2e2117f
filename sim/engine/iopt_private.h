/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the I/O page table share among themselves. */
#ifndef IOASIS_ENGINE_IOPT_PRIVATE_H
#define IOASIS_ENGINE_IOPT_PRIVATE_H

#include "sim/engine/io_pagetable.h"

/*
 * Whether the domain can map the area: VFIO can ask for one that may be neither read nor
 * written, which most page tables refuse (generic_pt, map_pages()).
 */
bool iopt_area_suits(const struct iopt_area *area, const struct iopt_domain *domain);

/* Pins an area's pages for the domains; -errno of iopt_pages_pin(). */
int iopt_area_fill(struct io_pagetable *iopt, struct iopt_area *area);
void iopt_area_unfill(struct io_pagetable *iopt, struct iopt_area *area);

/* Whether a fixed address can be mapped. -EINVAL, -EOVERFLOW, -EEXIST. */
int iopt_check_iova(struct io_pagetable *iopt, uint64_t iova, uint64_t length);

#endif
