/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages: the memory behind areas, pinned where a domain or an access needs it.
 *
 * A page is pinned once, however many areas, domains and accesses need it, and
 * charged once. Without domain and access nothing is pinned, and pages hold
 * nothing but where their memory is. Functions need the context's lock.
 * Source: iommufd/pages.c.
 */
#ifndef IOASIS_ENGINE_PAGES_H
#define IOASIS_ENGINE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/engine/core.h"

/*
 * Whose memory it is and who is charged: one a process and user, shared by all
 * its pages in a context. Counted.
 */
struct iopt_source {
	uint32_t refs;
	uint32_t uid;
	struct engine_mm *mm; /* a reference */
	/* RLIMIT_MEMLOCK in bytes, as last seen in a call of that process. */
	uint64_t memlock_limit;
};

enum iopt_pages_type {
	IOPT_PAGES_USER,
	IOPT_PAGES_FILE,
	IOPT_PAGES_DMABUF,
};

/* What only pages have that are pinned in part, or whose identities are kept. */
struct iopt_pins;

/*
 * A dma-buf of the test command as pages see it. Embedded in its owner, counted
 * by get and put.
 */
struct iopt_dmabuf {
	uint64_t size;	/* bytes */
	uint32_t ranges; /* more than one cannot be mapped */
	bool revoked;	/* no new pages; atomic */
	uint32_t revocations; /* pages made before the last one map to nothing; atomic */
	uint64_t object; /* identity: page n is {object, n} */
	void (*get)(struct iopt_dmabuf *dmabuf);
	void (*put)(struct iopt_dmabuf *dmabuf);
	/* Memory of the buffer for DMA; size bytes. May be NULL. */
	void *memory;
	/* DMA to what is no memory, such as registers; inside size. NULL: by memory. 0 or -EFAULT. */
	int (*access)(struct iopt_dmabuf *dmabuf, uint64_t offset, void *buf, size_t length,
		      bool write);
};

struct iopt_pages {
	uint32_t refs;	      /* one an area, and calls that hold it */
	uint32_t whole_pins;  /* users that need all pages pinned */
	uint64_t npages : 52;
	uint64_t type : 2;	   /* enum iopt_pages_type */
	uint64_t account_mode : 2; /* enum account_mode */
	uint64_t writable : 1;
	uint64_t moving : 1;	/* CHANGE_PROCESS has counted them */
	uint64_t in_own : 1;	/* they are in a struct iopt_own_area */
	uint64_t own_mapped : 1; /* and the area there is in use */
	uint64_t base; /* page-aligned: user address, or offset in the file or dma-buf */
	struct iopt_source *source; /* a reference */
	struct iopt_pins *pins;	    /* NULL: pinned as a whole or not at all */
};

/* Pages of a file or dma-buf. */
struct iopt_file_pages {
	struct iopt_pages pages;
	struct engine_file *file;   /* a reference; IOPT_PAGES_FILE */
	struct iopt_dmabuf *dmabuf; /* a reference; IOPT_PAGES_DMABUF */
	uint32_t revocations;	    /* of dmabuf when these pages were made */
};

static inline struct iopt_file_pages *iopt_file_pages(struct iopt_pages *pages)
{
	return (struct iopt_file_pages *)pages;
}

/* Whether the pages are of a dma-buf that was revoked since: they map to nothing. */
static inline bool iopt_pages_revoked(struct iopt_pages *pages)
{
	const struct iopt_file_pages *file_pages = iopt_file_pages(pages);

	return pages->type == IOPT_PAGES_DMABUF &&
	       file_pages->revocations !=
		       __atomic_load_n(&file_pages->dmabuf->revocations, __ATOMIC_RELAXED);
}

/*
 * Pages of the calling process's memory [addr, addr + length). -EOVERFLOW,
 * -EINVAL (length), -ENOMEM. *start_byte: where addr is in the first page.
 */
int iopt_pages_alloc_user(struct engine_ctx *ctx, uint64_t addr, uint64_t length,
			  bool writable, struct iopt_pages **out, uint64_t *start_byte);
/* Pages of the calling process's file descriptor fd. -EBADF, -EINVAL, -EOVERFLOW, -ENOMEM. */
int iopt_pages_alloc_fd(struct engine_ctx *ctx, int fd, uint64_t start, uint64_t length,
			bool writable, struct iopt_pages **out, uint64_t *start_byte);

static inline struct iopt_pages *iopt_pages_get(struct iopt_pages *pages)
{
	pages->refs++;
	return pages;
}
void iopt_pages_put(struct engine_ctx *ctx, struct iopt_pages *pages);

/*
 * One more user needs pages [first, last]: pins those that no one had pinned
 * and charges them. -EFAULT, -EINVAL, -ENOMEM: nothing changed.
 */
int iopt_pages_pin(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t first,
		   uint64_t last);
/* Gives one such user back. Cannot fail. */
void iopt_pages_unpin(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t first,
		      uint64_t last);

/*
 * Whether pages [first, last] could all be pinned, as a read or write that pins
 * them for its duration asks (iopt_pages_rw_slow()); no one is charged. 0 or as
 * iopt_pages_pin().
 */
int iopt_pages_probe(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t first,
		     uint64_t last);

/* How many pages are pinned now. */
uint64_t iopt_pages_pinned(const struct iopt_pages *pages);

/*
 * The identity of page index: as it was pinned, or, when it is not pinned, as
 * it is now. -EFAULT: there is no page.
 */
int iopt_pages_identity(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t index,
			struct engine_page *page);

/*
 * The physical run of memory that holds the byte: [*first, *last] in bytes from page
 * 0, reaching beyond the pages where the run does. It begins at a multiple of its
 * size, a power of two. What huge pages say: user space cannot see more.
 */
void iopt_pages_run(struct iopt_pages *pages, uint64_t byte, int64_t *first, int64_t *last);

/*
 * Copies between buf and the pages' memory at byte. 0 or -EFAULT. Does not ask
 * for permission: callers look at the area's prot or at pages->writable.
 */
int iopt_pages_rw(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t byte,
		  void *buf, uint64_t length, bool write);

/* The caller's source: a new reference; NULL: out of memory. */
struct iopt_source *iopt_source_get_current(struct engine_ctx *ctx);
void iopt_source_put(struct iopt_source *source);

/*
 * How often the page is pinned in this whole kernel (only with test_ops):
 * MD_CHECK_REFS.
 */
uint64_t engine_page_pins(struct engine *engine, const struct engine_page *page);

/*
 * For the file descriptor look-up: the dma-buf behind an anonymous file, a new
 * reference, or NULL when it is none. Defined where dma-bufs are.
 */
struct iopt_dmabuf *engine_anon_file_dmabuf(struct engine_anon_file *file);

#endif
