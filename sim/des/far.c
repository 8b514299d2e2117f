/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bucket is a chain of blocks of keys. How wide buckets are is chosen when the rest is divided:
 * some keys a bucket if they are spread evenly. If they are not, a bucket is a larger heap for a
 * while, no more.
 */
#include "sim/des/far.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCK_KEYS	7u
#define KEYS_A_BUCKET	4u
#define BUCKETS_MAX	((size_t)1 << 20)
#define LINE_BYTES	64u
#define HUGE_PAGE_BYTES ((size_t)2 << 20)
#define NO_BLOCK	UINT32_MAX

struct des_far_block {
	struct des_key keys[BLOCK_KEYS];
	uint32_t next; /* full ones; NO_BLOCK: none */
	uint32_t unused[3];
};

_Static_assert(sizeof(struct des_far_block) == 2 * LINE_BYTES, "a block is two cache lines");

void des_queue_abort(const char *what)
{
	fprintf(stderr, "event queue: %s\n", what);
	abort();
}

void *des_memory_alloc(size_t bytes)
{
	bool large = bytes >= 2 * HUGE_PAGE_BYTES;
	void *memory;

	if (posix_memalign(&memory, large ? HUGE_PAGE_BYTES : LINE_BYTES, bytes))
		des_queue_abort("out of memory");
	if (large)
		madvise(memory, bytes, MADV_HUGEPAGE);
	return memory;
}

void des_far_fini(struct des_far *far)
{
	free(far->buckets);
	free(far->blocks);
}

/* ---- lists of keys ---------------------------------------------------------------- */

static uint32_t block_alloc(struct des_far *far)
{
	uint32_t block = far->free_block;

	if (far->blocks_count && block != NO_BLOCK) {
		far->free_block = far->blocks[block].next;
		return block;
	}
	if (far->blocks_count == far->blocks_size) {
		uint32_t size = far->blocks_size ? far->blocks_size * 2 : 256;
		struct des_far_block *blocks = des_memory_alloc(size * sizeof(*blocks));

		if (far->blocks_count)
			memcpy(blocks, far->blocks, far->blocks_count * sizeof(*blocks));
		else
			far->free_block = NO_BLOCK;
		free(far->blocks);
		far->blocks = blocks;
		far->blocks_size = size;
	}
	return far->blocks_count++;
}

static void list_init(struct des_far_list *list)
{
	*list = (struct des_far_list){ NO_BLOCK, BLOCK_KEYS };
}

static inline void list_add(struct des_far *far, struct des_far_list *list,
			    const struct des_key *key)
{
	if (list->used == BLOCK_KEYS) {
		uint32_t block = block_alloc(far);

		far->blocks[block].next = list->block;
		list->block = block;
		list->used = 0;
	}
	far->blocks[list->block].keys[list->used++] = *key;
}

/* Gives all keys to take, which may add to other lists, and leaves the list empty. */
static void list_take(struct des_far *far, struct des_far_list *list, des_key_fn take,
		      void *opaque)
{
	uint32_t block = list->block, used = list->used;

	list_init(list);
	while (block != NO_BLOCK) {
		struct des_far_block copy = far->blocks[block];

		for (uint32_t i = 0; i < used; i++)
			take(opaque, &copy.keys[i]);
		far->blocks[block].next = far->free_block;
		far->free_block = block;
		block = copy.next;
		used = BLOCK_KEYS;
	}
}

/* ---- keys ------------------------------------------------------------------------- */

void des_far_wait(struct des_far *far, const struct des_key *key)
{
	if (!far->rest_count++) {
		list_init(&far->rest);
		far->rest_first_ns = far->rest_last_ns = key->time_ns;
	}
	if (key->time_ns < far->rest_first_ns)
		far->rest_first_ns = key->time_ns;
	if (key->time_ns > far->rest_last_ns)
		far->rest_last_ns = key->time_ns;
	list_add(far, &far->rest, key);
	far->count++;
}

void des_far_add(struct des_far *far, const struct des_key *key)
{
	if (far->next == far->buckets_count || key->time_ns > far->last_ns) {
		des_far_wait(far, key);
		return;
	}
	list_add(far, &far->buckets[(key->time_ns - far->base_ns) >> far->shift], key);
	far->count++;
}

static void to_bucket(void *opaque, const struct des_key *key)
{
	struct des_far *far = opaque;

	list_add(far, &far->buckets[(key->time_ns - far->base_ns) >> far->shift], key);
}

/* Divides the rest, which is not empty, into buckets. */
static void divide_rest(struct des_far *far)
{
	uint64_t span_ns = far->rest_last_ns - far->rest_first_ns;
	size_t wanted = far->rest_count / KEYS_A_BUCKET + 1;

	if (wanted > BUCKETS_MAX)
		wanted = BUCKETS_MAX;
	far->shift = 0;
	while (span_ns >> far->shift >= wanted)
		far->shift++;
	far->buckets_count = (size_t)(span_ns >> far->shift) + 1;
	if (far->buckets_count > far->buckets_size) {
		free(far->buckets);
		far->buckets_size = 2 * far->buckets_count;
		far->buckets = des_memory_alloc(far->buckets_size * sizeof(*far->buckets));
	}
	for (size_t i = 0; i < far->buckets_count; i++)
		list_init(&far->buckets[i]);
	far->next = 0;
	far->base_ns = far->rest_first_ns;
	/* To the end of the last bucket, if that is a time. */
	if (__builtin_add_overflow(far->base_ns, ((uint64_t)far->buckets_count << far->shift) - 1,
				   &far->last_ns))
		far->last_ns = UINT64_MAX;
	far->rest_count = 0;
	list_take(far, &far->rest, to_bucket, far);
}

struct taking {
	des_key_fn take;
	void *opaque;
	size_t count;
};

static void take_one(void *opaque, const struct des_key *key)
{
	struct taking *taking = opaque;

	taking->count++;
	taking->take(taking->opaque, key);
}

bool des_far_next(struct des_far *far, uint64_t *near_last_ns, des_key_fn take, void *opaque)
{
	struct taking taking = { take, opaque, 0 };
	struct des_far_list *bucket;

	if (!far->count)
		return false;
	while (far->next < far->buckets_count && far->buckets[far->next].block == NO_BLOCK)
		far->next++;
	if (far->next == far->buckets_count)
		divide_rest(far);
	bucket = &far->buckets[far->next];
	list_take(far, bucket, take_one, &taking);
	far->count -= taking.count;
	far->next++;
	if (far->next == far->buckets_count)
		*near_last_ns = far->last_ns;
	else
		*near_last_ns = far->base_ns + ((uint64_t)far->next << far->shift) - 1;
	return true;
}

void des_far_take_all(struct des_far *far, des_key_fn take, void *opaque)
{
	if (far->rest_count)
		list_take(far, &far->rest, take, opaque);
	far->rest_count = far->count = 0;
}

void des_far_empty(struct des_far *far, des_key_fn take, void *opaque)
{
	struct des_far_list rest = far->rest;
	size_t next = far->next, end = far->buckets_count;
	bool has_rest = far->rest_count;

	far->next = far->buckets_count = 0;
	far->rest_count = far->count = 0;
	if (has_rest)
		list_take(far, &rest, take, opaque);
	for (; next < end; next++)
		list_take(far, &far->buckets[next], take, opaque);
}

static size_t list_verify(const struct des_far *far, const struct des_far_list *list,
			  uint64_t first_ns, uint64_t last_ns, des_key_fn see, void *opaque)
{
	uint32_t used = list->used;
	size_t count = 0;

	for (uint32_t block = list->block; block != NO_BLOCK; block = far->blocks[block].next) {
		for (uint32_t i = 0; i < used; i++, count++) {
			const struct des_key *key = &far->blocks[block].keys[i];

			if (key->time_ns < first_ns || key->time_ns > last_ns)
				des_queue_abort("a key is in a wrong bucket");
			see(opaque, key);
		}
		used = BLOCK_KEYS;
	}
	return count;
}

void des_far_verify(const struct des_far *far, des_key_fn see, void *opaque)
{
	size_t count = 0;

	if (far->rest_count)
		count = list_verify(far, &far->rest, far->rest_first_ns, far->rest_last_ns, see,
				    opaque);
	if (count != far->rest_count)
		des_queue_abort("the count of the rest is wrong");
	for (size_t i = far->next; i < far->buckets_count; i++) {
		uint64_t first_ns = far->base_ns + ((uint64_t)i << far->shift);
		uint64_t last_ns = i + 1 == far->buckets_count ?
					   far->last_ns :
					   first_ns + ((1ull << far->shift) - 1);

		count += list_verify(far, &far->buckets[i], first_ns, last_ns, see, opaque);
	}
	if (count != far->count)
		des_queue_abort("the count of far keys is wrong");
}
