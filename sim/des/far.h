/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The far future of an event queue: keys that wait in no order, in buckets of time, until their
 * bucket is the next one. What is later than all buckets is the rest; it is divided into buckets
 * when the last one is gone.
 *
 * Between event_queue.c, which orders what is near, and far.c.
 */
#ifndef IOASIS_DES_FAR_H
#define IOASIS_DES_FAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What orders an event: by time, then by order, in which its slot is the lowest part. */
struct des_key {
	uint64_t time_ns;
	uint64_t order;
};

struct des_far_block;

/* Keys in blocks, of which the first may have room. */
struct des_far_list {
	uint32_t block; /* index; of none when there are no keys */
	uint32_t used;	/* keys in that block */
};

struct des_far {
	size_t count; /* keys in all */

	struct des_far_list *buckets; /* owned */
	size_t buckets_count;	      /* in use */
	size_t buckets_size;
	size_t next;	    /* bucket */
	uint64_t base_ns;   /* of bucket 0 */
	uint64_t last_ns;   /* of the last bucket, inclusive */
	unsigned int shift; /* a bucket is 2^shift ns */

	struct des_far_list rest;
	size_t rest_count;
	uint64_t rest_first_ns, rest_last_ns;

	struct des_far_block *blocks; /* owned */
	uint32_t blocks_count, blocks_size;
	uint32_t free_block;
};

typedef void (*des_key_fn)(void *opaque, const struct des_key *key);

/* All zero is an empty one. */
void des_far_fini(struct des_far *far);

/* Adds a key that is later than the bucket that des_far_next() gave last. */
void des_far_add(struct des_far *far, const struct des_key *key);

/* Adds a key to the rest, whatever its time: only while there are no buckets. */
void des_far_wait(struct des_far *far, const struct des_key *key);

/*
 * Gives the keys of the next bucket that has some to take; *near_last_ns becomes the bucket's end.
 * False: there are none.
 */
bool des_far_next(struct des_far *far, uint64_t *near_last_ns, des_key_fn take, void *opaque);

/* Gives all keys to take and forgets them and the buckets; take may call des_far_wait(). */
void des_far_empty(struct des_far *far, des_key_fn take, void *opaque);

/* Whether keys wait in buckets. */
static inline bool des_far_is_divided(const struct des_far *far)
{
	return far->next < far->buckets_count;
}

/* The same while they do not; take must not add. */
void des_far_take_all(struct des_far *far, des_key_fn take, void *opaque);

/* Aborts when it is not as it must be; each key is shown to see. */
void des_far_verify(const struct des_far *far, des_key_fn see, void *opaque);

/* ---- for both files ------------------------------------------------------------- */

/* Aborts when out of memory. Large tables get huge pages, where there are any. */
void *des_memory_alloc(size_t bytes);
void des_queue_abort(const char *what) __attribute__((noreturn));

#endif
