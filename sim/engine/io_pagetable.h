/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An I/O address space: which addresses are mapped, allowed and reserved, and
 * who looks at it (domains, which are page tables of devices, and accesses).
 *
 * Vocabulary, as in the kernel's io_pagetable.c and pages.c:
 *   area    a mapped range of I/O addresses, in one address space
 *   pages   the memory behind areas, an array of whole pages counted from 0;
 *           COPY shares it between areas
 *   domain  a page table. There is no table in memory: a domain sees exactly
 *           the areas of its address space
 *   access  a user of the memory that is not a device's DMA
 * `last` is inclusive. All functions need the context's lock.
 */
#ifndef IOASIS_ENGINE_IO_PAGETABLE_H
#define IOASIS_ENGINE_IO_PAGETABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/core.h"
#include "sim/engine/pages.h"
#include "sim/engine/span_tree.h"

/*
 * There are millions, so no byte is spared twice: what maps the memory of its own MAP is one object
 * with its pages (struct iopt_own_area), and only other areas say where theirs are.
 */
struct iopt_area {
	uint64_t iova;
	uint64_t last;
	uint64_t made_ns; /* with the next three: an engine_origin */
	uint32_t made_pid;
	uint32_t made_tid;
	uint32_t made_stack;
	uint32_t num_accesses;
	uint16_t num_locks;	  /* accesses of hardware queues: UNMAP is EBUSY */
	uint16_t own_start : 12;  /* of an area with its own pages: where iova begins in the first */
	uint16_t prot : 2;	  /* ENGINE_PROT_*; never changes */
	uint16_t prevent_access : 1; /* being unmapped: no new pins */
	uint16_t own : 1;	  /* it is in a struct iopt_own_area */
};

/* Pages of a process's memory, and the first area of them while that is mapped. */
struct iopt_own_area {
	struct iopt_area area;
	struct iopt_pages pages;
};

/* An area of pages that are elsewhere: copied, cut off, of a file. */
struct iopt_other_area {
	struct iopt_area area;
	struct iopt_pages *pages;
	uint64_t start_byte; /* into pages, where iova begins */
};

/* A page table that shows an address space. Embedded in its owner. */
struct iopt_domain {
	struct list_link link; /* in io_pagetable.domains while attached */
	uint64_t aperture_start;
	uint64_t aperture_last;
	uint64_t pgsize_bitmap; /* page sizes it can map, a bit each */
	bool maps_without_rights; /* areas that may be neither read nor written */
	/* [iova, last] leaves the domain: its dirty bits go. NULL: nothing to do. Cannot fail. */
	void (*unmapped)(struct iopt_domain *domain, uint64_t iova, uint64_t last);
};

/* One that pins or reads and writes memory by address. Embedded in its owner. */
struct iopt_access {
	struct list_link link;	 /* in io_pagetable.accesses while attached */
	uint64_t iova_alignment; /* ENGINE_PAGE_SIZE if it pins, else 1 */
	bool internal;		 /* locks areas instead of being notified (hardware queues) */
	/* Give back all pins in this range now; called with the lock. NULL with internal. */
	void (*unmap)(struct iopt_access *access, uint64_t iova, uint64_t length);
};

struct iopt_reserved {
	struct list_link link; /* by rising start */
	uint64_t start;
	uint64_t last;
	const void *owner;
};

struct io_pagetable {
	struct engine_ctx *ctx;
	struct span_tree areas;	   /* value: see iopt_area_of() */
	struct list_link reserved; /* struct iopt_reserved; may overlap one another */
	struct span_tree allowed;  /* no values */
	struct list_link domains;  /* struct iopt_domain, in the order of attach */
	struct list_link accesses; /* struct iopt_access */
	uint64_t iova_alignment;
	bool disable_large_pages;
};

/* An object of type ENGINE_OBJ_IOAS. */
struct ioas {
	struct engine_object object;
	struct io_pagetable iopt;
	struct list_link hwpts; /* page tables of this address space; their owner keeps it */
};

/* The address space with this id, borrowed; NULL: -ENOENT. */
static inline struct ioas *ioas_get(struct engine_ctx *ctx, uint32_t id)
{
	return object_get(ctx, id, ENGINE_OBJ_IOAS);
}

/* Makes an address space, not published yet. NULL: out of memory. */
struct ioas *ioas_alloc(struct engine_ctx *ctx);

void iopt_init(struct io_pagetable *iopt, struct engine_ctx *ctx);
/* Unmaps all and frees. No domain and no access may be left. */
void iopt_fini(struct io_pagetable *iopt);

/* ---- areas -------------------------------------------------------------- */

/* The first area that reaches into [start, last], or NULL. pos may be NULL. */
struct iopt_area *iopt_area_first(struct io_pagetable *iopt, uint64_t start, uint64_t last,
				  struct span_pos *pos);
/* The next one that begins at or before last, or NULL. */
struct iopt_area *iopt_area_next(struct span_pos *pos, uint64_t last);

/*
 * The value of an area in the tree is its address with its prot in the low bits, and a bit that
 * says that its pages may be gone (a dma-buf's): so a look-up need not read the area, which is
 * not in any cache.
 */
#define IOPT_VALUE_PROT 3u
#define IOPT_VALUE_DMABUF 4u
#define IOPT_VALUE_MASK 7u

static inline struct iopt_area *iopt_area_of(const void *value)
{
	return (struct iopt_area *)((uintptr_t)value & ~(uintptr_t)IOPT_VALUE_MASK);
}

static inline uint64_t iopt_area_length(const struct iopt_area *area)
{
	return area->last - area->iova + 1;
}

/* The memory behind an area, borrowed. */
static inline struct iopt_pages *iopt_area_pages(const struct iopt_area *area)
{
	return area->own ? &((struct iopt_own_area *)area)->pages :
			   ((struct iopt_other_area *)area)->pages;
}

/* Where the area begins inside its pages, in bytes from page 0. */
static inline uint64_t iopt_area_start_byte(const struct iopt_area *area)
{
	return area->own ? area->own_start : ((struct iopt_other_area *)area)->start_byte;
}

/* Where iova is inside the area's pages, in bytes from page 0. */
static inline uint64_t iopt_area_byte(const struct iopt_area *area, uint64_t iova)
{
	return iopt_area_start_byte(area) + (iova - area->iova);
}

/* The page of the area's pages that iova lies in. */
static inline uint64_t iopt_area_index(const struct iopt_area *area, uint64_t iova)
{
	return iopt_area_byte(area, iova) >> ENGINE_PAGE_SHIFT;
}

/*
 * Walks the areas that cover [iova, last] without a hole:
 *
 *	iopt_contig_for_each(&iter, area, iopt, iova, last) { ... iter.iova ... }
 *	if (!iopt_contig_done(&iter)) -> there was a hole
 */
struct iopt_contig {
	uint64_t iova; /* where the present area's part begins */
	uint64_t last;
	struct iopt_area *area; /* NULL after a hole; not read by the walk itself */
	uint64_t area_last;
	unsigned int flags; /* IOPT_VALUE_* of the area */
	struct span_pos pos;
};
struct iopt_area *iopt_contig_first(struct iopt_contig *iter, struct io_pagetable *iopt,
				    uint64_t iova, uint64_t last);
struct iopt_area *iopt_contig_next(struct iopt_contig *iter);
static inline bool iopt_contig_done(const struct iopt_contig *iter)
{
	return iter->area && iter->last <= iter->area_last;
}
#define iopt_contig_for_each(iter, area, iopt, iova, last)                             \
	for (area = iopt_contig_first(iter, iopt, iova, last); area;                   \
	     area = iopt_contig_next(iter))

/* ---- map and unmap -------------------------------------------------------- */

/* A slice of pages that is to become an area. */
struct iopt_slice {
	struct iopt_pages *pages; /* a reference; the area takes it over */
	uint64_t start_byte;
	uint64_t length;
};

/*
 * Maps slices one after the other; they are length bytes together. automatic:
 * chooses *iova, else uses it. On success the references are the areas'; on
 * failure they stay the caller's. commit: the event of each area made.
 */
int iopt_map_slices(struct ioas *ioas, struct iopt_slice *slices, size_t count,
		    uint64_t length, uint64_t *iova, bool automatic, uint8_t prot,
		    enum trace_commit_kind commit, uint64_t commit_arg);

/*
 * Unmaps whole areas inside [start, last]; *unmapped: bytes, also on failure.
 * nothing_is_fine: a call that unmaps nothing succeeds, and so has a commit event.
 */
int iopt_unmap_range(struct ioas *ioas, uint64_t start, uint64_t last, uint64_t *unmapped,
		     bool nothing_is_fine);

/*
 * Cuts the area at iova in two, iova the last of the first part (VFIO type 1).
 * -EBUSY, -EOPNOTSUPP, -EINVAL, -ENOMEM; 0 also when there is nothing to cut.
 */
int iopt_cut(struct io_pagetable *iopt, uint64_t iova);

/* Chooses an address as the kernel does. addr: the memory's address or file offset. */
int iopt_alloc_iova(struct io_pagetable *iopt, uint64_t addr, uint64_t length,
		    uint64_t *iova);

/* ---- reserved and allowed ranges ------------------------------------------ */

/* Reserves [start, last] for owner. -EADDRINUSE: mapped or allowed; -ENOMEM. */
int iopt_reserve(struct io_pagetable *iopt, uint64_t start, uint64_t last,
		 const void *owner);
/* Gives back all that owner reserved. */
void iopt_unreserve(struct io_pagetable *iopt, const void *owner);
/* True if a reserved range reaches into [start, last]. */
bool iopt_is_reserved(const struct io_pagetable *iopt, uint64_t start, uint64_t last);
/*
 * The first run of addresses that no range reserves, at or after *start:
 * [*start, *last]. False: none. For walks, go on at *last + 1 if that is not 0.
 */
bool iopt_next_unreserved(const struct io_pagetable *iopt, uint64_t *start, uint64_t *last);

/* ---- domains and accesses ------------------------------------------------- */

/*
 * Shows the address space to a domain: checks alignment, reserves what is
 * outside of the aperture, pins all areas' pages. -EADDRINUSE, -EINVAL, -EFAULT,
 * -ENOMEM; nothing changed then. Source: iopt_table_add_domain().
 */
int iopt_table_add_domain(struct io_pagetable *iopt, struct iopt_domain *domain);
void iopt_table_remove_domain(struct io_pagetable *iopt, struct iopt_domain *domain);

/* -EADDRINUSE: areas do not fit its alignment. */
int iopt_add_access(struct io_pagetable *iopt, struct iopt_access *access);
void iopt_remove_access(struct io_pagetable *iopt, struct iopt_access *access);

/*
 * Pins [iova, last] for an access and counts it in the areas. pages, one a page,
 * may be NULL. -EINVAL, -EPERM, -ENOENT (hole), -EFAULT, -ENOMEM. Source:
 * iommufd_access_pin_pages().
 */
int iopt_access_pin(struct io_pagetable *iopt, struct iopt_access *access, uint64_t iova,
		    uint64_t last, bool write, struct engine_page *pages);
/* Undoes exactly one iopt_access_pin(). */
void iopt_access_unpin(struct io_pagetable *iopt, struct iopt_access *access, uint64_t iova,
		       uint64_t last);
/*
 * Copies to or from mapped memory as iommufd_access_rw() does. slow: through
 * pinned pages even in the caller's own process (the test command's flag).
 */
int iopt_access_rw(struct io_pagetable *iopt, uint64_t iova, void *data, uint64_t length,
		   bool write, bool slow);

void iopt_enable_large_pages(struct io_pagetable *iopt);
int iopt_disable_large_pages(struct io_pagetable *iopt);

/* Aborts when the address space is not as it must be. */
void iopt_verify(struct io_pagetable *iopt);

#endif
