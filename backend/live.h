/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lives behind one backend: object ids and mappings, for the state dump
 * that begins a trace turned on late. Remembered only with IOASIS_TRACE=late.
 *
 * Its lock covers a change together with the event that tells of it, so that a
 * dump comes before both or after both.
 */
#ifndef IOASIS_BACKEND_LIVE_H
#define IOASIS_BACKEND_LIVE_H

#include <stdbool.h>
#include <stdint.h>

struct backend_live;

struct backend_live_visitor {
	void (*object)(void *opaque, uint32_t id);
	void (*mapping)(void *opaque, uint32_t ioas, uint64_t iova, uint64_t size,
			bool readonly);
};

struct backend_live *backend_live_create(void); /* NULL: out of memory */
void backend_live_destroy(struct backend_live *live); /* NULL is fine */

/* Both are harmless for NULL. */
void backend_live_lock(struct backend_live *live);
void backend_live_unlock(struct backend_live *live);

/* The rest wants the lock held. */
void backend_live_add_object(struct backend_live *live, uint32_t id);
/* The object, and its mappings if it is an address space. */
void backend_live_remove_object(struct backend_live *live, uint32_t id);
void backend_live_map(struct backend_live *live, uint32_t ioas, uint64_t iova, uint64_t size,
		      bool readonly);
/* All mappings that begin in [iova, last]: the kernel unmaps whole ones only. */
void backend_live_unmap(struct backend_live *live, uint32_t ioas, uint64_t iova, uint64_t last);
void backend_live_clear(struct backend_live *live);

/*
 * Visits all objects by rising id, then all mappings by rising address space
 * and address. False, and nothing visited, if memory ran out before: what is
 * remembered is not all.
 */
bool backend_live_visit(struct backend_live *live, const struct backend_live_visitor *visitor,
			void *opaque);

#endif
