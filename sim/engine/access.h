/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses: users of an address space's memory that are not a device's DMA, as
 * objects. Test accesses have a file in the client; a hardware queue's is internal.
 *
 * All functions need the lock of the access's context. Source: iommufd/device.c.
 */
#ifndef IOASIS_ENGINE_ACCESS_H
#define IOASIS_ENGINE_ACCESS_H

#include "sim/engine/io_pagetable.h"

/* What an address space lists. Two, so that a new one can be joined before the old is left. */
struct access_seat {
	struct iopt_access iopt;
	struct access *access;
};

struct access {
	struct engine_object object;
	struct access_seat seats[2];
	struct access_seat *seat; /* the present one */
	struct ioas *ioas;	  /* counted; NULL: attached to none */
	/* Gives back all pins in a range. NULL: internal, it locks areas instead. */
	void (*unmap)(struct access *access, uint64_t iova, uint64_t length);
	struct list_link items; /* for its owner: what it pinned */
};

/*
 * Makes an access and publishes its object; the caller counts in its users.
 * pins: it will pin, so its address space gets page alignment. unmap as above.
 * NULL: out of memory.
 */
struct access *access_create(struct engine_ctx *ctx, bool pins,
			     void (*unmap)(struct access *access, uint64_t iova,
					   uint64_t length));
/* Detaches and destroys; all pins are given back already, or unmap does it. */
void access_destroy(struct access *access);

/*
 * Moves to another address space, NULL for none. -EADDRINUSE: areas do not fit its
 * alignment; -ENOMEM. Nothing changed then.
 */
int access_change_ioas(struct access *access, struct ioas *ioas);

/*
 * Pins [iova, iova + length). pages, one a page, may be NULL. -EINVAL: no length, not
 * aligned, or being unmapped; -EOVERFLOW; -ENOENT: not attached, or a hole; -EPERM,
 * -EFAULT, -ENOMEM.
 */
int access_pin(struct access *access, uint64_t iova, uint64_t length, bool write,
	       struct engine_page *pages);
/* Undoes exactly one access_pin(). */
void access_unpin(struct access *access, uint64_t iova, uint64_t length);

void access_verify(struct access *access);

#endif
