/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that exists only in a test: a range of memory whose pages are
 * there, read-only or missing as the test says, capabilities and a limit to
 * choose, a memfd and a file that is none. It counts what is pinned.
 */
#ifndef IOASIS_TESTS_FAKE_CLIENT_H
#define IOASIS_TESTS_FAKE_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/engine.h"

#define FAKE_BASE 0x100000000ull /* where its memory begins */
#define FAKE_PAGES 512u
#define FAKE_MEMFD 3 /* FAKE_MEMFD_PAGES pages of shared memory */
#define FAKE_MEMFD_PAGES 64u
#define FAKE_OTHER_FD 4 /* an open file that cannot be mapped */

enum fake_page {
	FAKE_PAGE_RW,
	FAKE_PAGE_RO,
	FAKE_PAGE_NONE,
};

struct fake_client {
	struct engine_client client; /* what the engine gets */
	struct engine_mm mm;
	uint8_t memory[FAKE_PAGES * 4096];
	uint8_t pages[FAKE_PAGES]; /* enum fake_page */
	bool ipc_lock;
	bool sys_resource;
	uint64_t memlock_bytes;
	uint32_t fail_nth;     /* 0: off; client.fail_nth points here */
	uint64_t pinned;       /* pages of memory and of the memfd, as often as pinned */
	uint64_t files_open;   /* references to its files that others hold */
};

/* A process with all its memory, all capabilities and no limit. */
void fake_client_init(struct fake_client *fake, uint32_t pid);

/* Nothing may hold on to it any more: aborts if something does. */
void fake_client_fini(struct fake_client *fake);

/* Copies an argument to FAKE_BASE + offset, calls, copies it back. What the call returns. */
long fake_client_call(struct fake_client *fake, struct engine_ctx *ctx, unsigned int cmd,
		      void *arg, uint32_t size);

/* Shorthands, with the page at FAKE_BASE for arguments; they assert nothing. */
long fake_ioas_alloc(struct fake_client *fake, struct engine_ctx *ctx, uint32_t *id);
/* flags: IOMMU_IOAS_MAP_*; *iova in and out. */
long fake_map(struct fake_client *fake, struct engine_ctx *ctx, uint32_t ioas, uint32_t flags,
	      uint64_t user_va, uint64_t length, uint64_t *iova);
/* *length in and out. */
long fake_unmap(struct fake_client *fake, struct engine_ctx *ctx, uint32_t ioas, uint64_t iova,
		uint64_t *length);
long fake_copy(struct fake_client *fake, struct engine_ctx *ctx, uint32_t dst, uint32_t src,
	       uint32_t flags, uint64_t src_iova, uint64_t length, uint64_t *dst_iova);
long fake_destroy(struct fake_client *fake, struct engine_ctx *ctx, uint32_t id);

#endif
