/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects and their ids: one id space an open file, the lowest free id from 1.
 *
 * An object is allocated with its id reserved, so that it can still fail; it is
 * seen by others from object_publish() on, and then it can only be destroyed.
 * All functions need the context's lock. Source: iommufd/main.c.
 */
#ifndef IOASIS_ENGINE_OBJECT_H
#define IOASIS_ENGINE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/engine.h"

struct engine_object;

struct object_ops {
	/* Ends what the object holds; the memory itself is freed by the table. Cannot fail. */
	void (*destroy)(struct engine_object *object);
	/* The same for one that was never published; NULL: destroy does it. */
	void (*abort)(struct engine_object *object);
};

/* The head of every object: its first member. */
struct engine_object {
	struct engine_ctx *ctx;
	const struct object_ops *ops;
	uint32_t id;
	/*
	 * 1 for the table, and 1 for each other object, device or file that
	 * needs this one. Only at 1 can the object be destroyed. A call that looks
	 * at an object counts nothing: it holds the lock.
	 */
	uint32_t users;
	uint64_t commit_seq; /* of the last commit event */
	uint64_t parent;     /* what the ALLOC event said */
	struct engine_origin origin;
	uint8_t type; /* enum engine_object_type */
	bool published;
};

struct object_table {
	struct engine_object **slots; /* by id; NULL: free */
	uint64_t *used;		      /* a bit an id */
	uint32_t room;		      /* ids that both arrays hold, a multiple of 64 */
	uint32_t count;		      /* ids in use, reserved and tombstoned ones too */
	uint32_t lowest_word;	      /* no word of `used` below this has a free bit */
};

/*
 * Makes a zeroed object of size bytes with its id reserved. NULL: out of memory
 * (or a fail point). ops is borrowed and must be static.
 */
void *object_alloc(struct engine_ctx *ctx, size_t size, enum engine_object_type type,
		   const struct object_ops *ops);

/* Shows the object to others. parent: what it hangs on (arg of the ALLOC event) or 0. */
void object_publish(struct engine_object *object, uint64_t parent);

/* Undoes object_alloc(): frees the id and the memory, calls no operation. */
void object_abort(struct engine_object *object);

/* Undoes an object that was set up fully but not published: ops->abort, then object_abort(). */
void object_abort_and_destroy(struct engine_object *object);

/*
 * The published object with this id, borrowed while the lock is held. type
 * ENGINE_OBJ_NONE: of any type. NULL: -ENOENT (also a fail point).
 */
void *object_get(struct engine_ctx *ctx, uint32_t id, enum engine_object_type type);

/*
 * Destroys by id. -ENOENT: no such object. -EBUSY: others use it.
 */
int object_remove(struct engine_ctx *ctx, uint32_t id);

/*
 * The caller counted in users gives its count back and destroys the object.
 * tombstone: its id is never given out again.
 */
void object_destroy_user(struct engine_object *object, bool tombstone);

/* Gives a count back; destroys the object if only the table is left (page tables by attach). */
void object_put_and_try_destroy(struct engine_object *object);

/*
 * The first published object with an id of at least *id, NULL at the end; *id
 * becomes its id. For walks: `for (id = 0; (o = object_next(ctx, &id)); id++)`.
 */
struct engine_object *object_next(struct engine_ctx *ctx, uint32_t *id);

/* Destroys all, leaves first, as the last close does; then the table's memory. */
void object_table_fini(struct engine_ctx *ctx);

#endif
