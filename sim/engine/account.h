/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is charged for pinned pages, in the whole kernel: per user, and per
 * process as VFIO counted. And how often each page is pinned, by identity.
 * The engine's lock protects both; these functions take it.
 */
#ifndef IOASIS_ENGINE_ACCOUNT_H
#define IOASIS_ENGINE_ACCOUNT_H

#include "sim/engine/core.h"
#include "sim/engine/pages.h"

int account_init(struct engine *engine);
void account_fini(struct engine *engine);

/*
 * Charges npages to source as mode says. -ENOMEM: over its RLIMIT_MEMLOCK.
 * ACCOUNT_NONE charges no one. Source: iopt_pages_update_pinned().
 */
int account_charge(struct engine *engine, enum account_mode mode,
		   const struct iopt_source *source, uint64_t npages);
void account_uncharge(struct engine *engine, enum account_mode mode,
		      const struct iopt_source *source, uint64_t npages);

/* Counts pins of pages by identity. -ENOMEM: none counted. */
int page_table_pin(struct engine *engine, const struct engine_page *pages, size_t npages);
void page_table_unpin(struct engine *engine, const struct engine_page *pages, size_t npages);

#endif
