/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that exists only in a test: a range of memory whose pages are
 * there, read-only or missing as the test says, capabilities and a limit to
 * choose, a memfd and a file that is none, and the files that commands give.
 * It counts what is pinned. Any number of threads may call for it at once.
 */
#ifndef IOASIS_TESTS_FAKE_CLIENT_H
#define IOASIS_TESTS_FAKE_CLIENT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/engine.h"

#define FAKE_BASE 0x100000000ull /* where its memory begins */
#define FAKE_PAGES 512u
#define FAKE_MEMFD 3 /* FAKE_MEMFD_PAGES pages of shared memory */
#define FAKE_MEMFD_PAGES 64u
#define FAKE_OTHER_FD 4 /* an open file that cannot be mapped */
#define FAKE_FIRST_FD 5 /* of the files that commands give */
#define FAKE_FILES 16u

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
	uint8_t memfd[FAKE_MEMFD_PAGES * 4096];
	bool ipc_lock;
	bool sys_resource;
	bool sys_rawio;
	uint64_t memlock_bytes;
	uint64_t huge_page_bytes; /* of the pages of its memory; 0: there are no huge ones */
	bool takes_pointers;	  /* structures may be anywhere in the test, as on its stack */
	bool no_fds;		  /* it has no number left */
	uint32_t fail_nth;	  /* 0: off; client.fail_nth points here */
	uint64_t pinned;	  /* pages of memory and of the memfd, as often as pinned */
	uint64_t files_open;	  /* references to its files that others hold */
	pthread_mutex_t files_lock;
	struct engine_anon_file *files[FAKE_FILES]; /* what is open from FAKE_FIRST_FD on */
};

/* A process with all its memory, all capabilities and no limit. */
void fake_client_init(struct fake_client *fake, uint32_t pid);

/* Nothing may hold on to it any more: aborts if something does, or a file is open. */
void fake_client_fini(struct fake_client *fake);

/* The file that a command gave as fd, borrowed; aborts when there is none. */
struct engine_anon_file *fake_anon_file(struct fake_client *fake, uint32_t fd);
/* The last close of one of them (aborts when there is none), and of all that are open. */
void fake_close(struct fake_client *fake, uint32_t fd);
void fake_close_all(struct fake_client *fake);

/*
 * A call; what it returns. Unless the client takes pointers, the argument (size bytes) is
 * copied to the page at FAKE_BASE and back.
 */
long fake_client_call(struct fake_client *fake, struct engine_ctx *ctx, unsigned int cmd,
		      void *arg, uint32_t size);

/* Shorthands; they assert nothing. */
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
