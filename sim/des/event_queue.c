/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The near future is a 4-ary heap of 16-byte keys. The four children of a key are one
 * cache line, so a level costs one miss; what an event does lies elsewhere (the nodes),
 * found by a slot number inside the key.
 *
 * With few events all are near. With more, what comes later waits unordered (far.h),
 * in buckets of time of which the next becomes the heap when the heap is empty. So the
 * heap stays small, and the order is that of the keys however they were distributed.
 *
 * Taking the first key leaves a hole at the root, and the next push to the heap fills
 * it. Cancelling only marks the node; its key leaves when it reaches the root, or in a
 * sweep when more keys are dead than alive.
 */
#include "sim/des/event_queue.h"

#include <stdlib.h>
#include <string.h>

#include "sim/des/far.h"

#define ARITY		4u
/* More keys than that are divided into near and far. */
#define NEAR_MAX	256u

/*
 * order: priority (4 bits), sequence (36), slot (24), from the top. The sequence
 * makes it unique, so the slot never decides an order.
 */
#define SLOT_BITS     24u
#define SEQUENCE_BITS 36u
#define SLOT_MASK     ((1u << SLOT_BITS) - 1)
#define SEQUENCE_MAX  ((1ull << SEQUENCE_BITS) - 1)
#define NO_SLOT	      UINT32_MAX

struct node {
	des_fire_fn fire; /* NULL: cancelled (the key is still in the heap) or free */
	void *opaque;
	uint64_t arg;
	uint64_t generation : 40;
	uint64_t next_free : 24;
};

struct des_queue {
	struct des_key *keys; /* keys[0] is the root; keys + 1 is on a cache line */
	size_t keys_count;
	size_t keys_size;
	size_t dead_count; /* keys of cancelled events */
	bool hole;	   /* keys[0] was taken and not yet filled */
	void *keys_memory;

	uint64_t near_last_ns; /* later ones are far; UINT64_MAX: none is */
	struct des_far far;

	struct node *nodes;
	uint32_t nodes_count; /* used once at least */
	uint32_t nodes_size;
	uint32_t first_free;

	uint64_t next_sequence;
};

static inline bool key_before(const struct des_key *a, const struct des_key *b)
{
	unsigned __int128 ka = (unsigned __int128)a->time_ns << 64 | a->order;
	unsigned __int128 kb = (unsigned __int128)b->time_ns << 64 | b->order;

	return ka < kb;
}

static inline uint32_t key_slot(const struct des_key *key)
{
	return (uint32_t)key->order & SLOT_MASK;
}

/* ---- memory ------------------------------------------------------------ */

static void keys_grow(struct des_queue *queue)
{
	size_t size = queue->keys_size ? queue->keys_size * 2 : 256;
	struct des_key *keys;
	void *memory;

	/* One line more, so that keys[1] begins a line. */
	memory = des_memory_alloc((size + ARITY) * sizeof(struct des_key));
	keys = (struct des_key *)memory + (ARITY - 1);
	if (queue->keys_count)
		memcpy(keys, queue->keys, queue->keys_count * sizeof(*keys));
	free(queue->keys_memory);
	queue->keys_memory = memory;
	queue->keys = keys;
	queue->keys_size = size;
}

static uint32_t node_alloc(struct des_queue *queue)
{
	uint32_t slot = queue->first_free;

	if (slot != NO_SLOT) {
		uint32_t next = queue->nodes[slot].next_free;

		queue->first_free = next == SLOT_MASK ? NO_SLOT : next;
		return slot;
	}
	if (queue->nodes_count == queue->nodes_size) {
		uint32_t size = queue->nodes_size ? queue->nodes_size * 2 : 256;
		struct node *nodes;

		/* The last slot number means "none" in the free list. */
		if (queue->nodes_count >= DES_PENDING_MAX - 1)
			des_queue_abort("too many pending events");
		nodes = des_memory_alloc(size * sizeof(*nodes));
		if (queue->nodes_count)
			memcpy(nodes, queue->nodes, queue->nodes_count * sizeof(*nodes));
		free(queue->nodes);
		queue->nodes = nodes;
		queue->nodes_size = size;
	}
	slot = queue->nodes_count++;
	queue->nodes[slot].generation = 1;
	return slot;
}

static inline void node_free(struct des_queue *queue, uint32_t slot)
{
	struct node *node = &queue->nodes[slot];

	node->fire = NULL;
	node->generation++;
	if (!node->generation)
		node->generation = 1;
	node->next_free = queue->first_free == NO_SLOT ? SLOT_MASK : queue->first_free;
	queue->first_free = slot;
}

struct des_queue *des_queue_create(void)
{
	struct des_queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return NULL;
	queue->first_free = NO_SLOT;
	queue->near_last_ns = UINT64_MAX;
	return queue;
}

void des_queue_destroy(struct des_queue *queue)
{
	if (!queue)
		return;
	des_far_fini(&queue->far);
	free(queue->keys_memory);
	free(queue->nodes);
	free(queue);
}

/* ---- the heap ---------------------------------------------------------- */

static void sift_up(struct des_key *keys, size_t i, struct des_key key)
{
	while (i) {
		size_t parent = (i - 1) / ARITY;

		if (!key_before(&key, &keys[parent]))
			break;
		keys[i] = keys[parent];
		i = parent;
	}
	keys[i] = key;
}

/* The earliest of the n keys (n at least 1) that begin at keys[first]. */
static inline size_t first_of(const struct des_key *keys, size_t first, size_t n)
{
	size_t best = first;

	for (size_t i = first + 1; i < first + n; i++)
		best = key_before(&keys[i], &keys[best]) ? i : best;
	return best;
}

/* The same of four: two comparisons that do not wait for each other, then one. */
static inline size_t first_of_four(const struct des_key *keys, size_t first)
{
	size_t a = first + key_before(&keys[first + 1], &keys[first]);
	size_t b = first + 2 + key_before(&keys[first + 3], &keys[first + 2]);

	return key_before(&keys[b], &keys[a]) ? b : a;
}

/* Puts key where it belongs below the hole at i. */
static void sift_down(struct des_key *keys, size_t count, size_t i, struct des_key key)
{
	for (;;) {
		size_t child = i * ARITY + 1, best;

		if (child + ARITY <= count) {
			/* The grandchildren are one run of four lines: ask for all. */
			if (child * ARITY + 1 < count) {
				const struct des_key *next = &keys[child * ARITY + 1];

				__builtin_prefetch(next);
				__builtin_prefetch(next + ARITY);
				__builtin_prefetch(next + 2 * ARITY);
				__builtin_prefetch(next + 3 * ARITY);
			}
			best = first_of_four(keys, child);
		} else if (child < count) {
			best = first_of(keys, child, count - child);
		} else {
			break;
		}
		if (!key_before(&keys[best], &key))
			break;
		keys[i] = keys[best];
		i = best;
	}
	keys[i] = key;
}

/* The node that will fire next is asked for while the caller does something else. */
static inline void prefetch_first(const struct des_queue *queue)
{
	__builtin_prefetch(&queue->nodes[key_slot(&queue->keys[0])]);
}

/* Fills the hole with the last key. */
static void hole_close(struct des_queue *queue)
{
	struct des_key last;

	queue->hole = false;
	last = queue->keys[--queue->keys_count];
	if (queue->keys_count)
		sift_down(queue->keys, queue->keys_count, 0, last);
}

static void keys_add(struct des_queue *queue, const struct des_key *key)
{
	if (queue->keys_count == queue->keys_size)
		keys_grow(queue);
	queue->keys[queue->keys_count++] = *key;
}

/* Makes a heap of keys in any order. */
static void keys_order(struct des_queue *queue)
{
	for (size_t i = queue->keys_count / ARITY + 1; i-- > 0;) {
		if (i < queue->keys_count)
			sift_down(queue->keys, queue->keys_count, i, queue->keys[i]);
	}
}

static void take_near(void *opaque, const struct des_key *key)
{
	struct des_queue *queue = opaque;

	/* It will fire soon. */
	__builtin_prefetch(&queue->nodes[key_slot(key)]);
	keys_add(queue, key);
}

/* The heap is empty: the next bucket becomes the heap, if there is one. */
static void advance(struct des_queue *queue)
{
	if (des_far_is_divided(&queue->far) || queue->far.count > NEAR_MAX / 2) {
		des_far_next(&queue->far, &queue->near_last_ns, take_near, queue);
	} else {
		des_far_take_all(&queue->far, take_near, queue);
		queue->near_last_ns = UINT64_MAX;
	}
	keys_order(queue);
}

/* Drops the key of a cancelled event, or lets the far future have it. */
static void put_away(void *opaque, const struct des_key *key)
{
	struct des_queue *queue = opaque;

	if (queue->nodes[key_slot(key)].fire)
		des_far_wait(&queue->far, key);
	else
		node_free(queue, key_slot(key));
}

/* Drops the keys of cancelled events, and divides the rest into near and far again. */
static void divide(struct des_queue *queue)
{
	size_t first = queue->hole;

	queue->hole = false;
	des_far_empty(&queue->far, put_away, queue);
	for (size_t i = first; i < queue->keys_count; i++)
		put_away(queue, &queue->keys[i]);
	queue->keys_count = 0;
	queue->dead_count = 0;
	if (queue->far.count > NEAR_MAX) {
		advance(queue);
		return;
	}
	des_far_take_all(&queue->far, take_near, queue);
	keys_order(queue);
	queue->near_last_ns = UINT64_MAX;
}

des_event_id des_queue_push(struct des_queue *queue, uint64_t time_ns, unsigned int priority,
			    des_fire_fn fire, void *opaque, uint64_t arg)
{
	uint32_t slot = node_alloc(queue);
	struct node *node = &queue->nodes[slot];
	struct des_key key;

	if (!fire || priority > DES_PRIORITY_LAST)
		des_queue_abort("an event without a function, or of no known priority");
	if (queue->next_sequence > SEQUENCE_MAX)
		des_queue_abort("too many events in one run");
	node->fire = fire;
	node->opaque = opaque;
	node->arg = arg;
	key.time_ns = time_ns;
	key.order = (uint64_t)priority << (SEQUENCE_BITS + SLOT_BITS) |
		    queue->next_sequence++ << SLOT_BITS | slot;
	if (time_ns > queue->near_last_ns) {
		des_far_add(&queue->far, &key);
	} else if (queue->hole) {
		queue->hole = false;
		sift_down(queue->keys, queue->keys_count, 0, key);
		prefetch_first(queue);
	} else {
		if (queue->keys_count == queue->keys_size)
			keys_grow(queue);
		sift_up(queue->keys, queue->keys_count++, key);
	}
	return (uint64_t)node->generation << SLOT_BITS | slot;
}

/* Makes keys[0] the key of a live event; false when there is none. */
static bool settle(struct des_queue *queue)
{
	if (queue->near_last_ns == UINT64_MAX && queue->keys_count > NEAR_MAX)
		divide(queue);
	for (;;) {
		uint32_t slot;

		if (queue->hole)
			hole_close(queue);
		if (!queue->keys_count)
			advance(queue);
		if (!queue->keys_count)
			return false;
		slot = key_slot(&queue->keys[0]);
		if (queue->nodes[slot].fire)
			return true;
		node_free(queue, slot);
		queue->dead_count--;
		queue->hole = true;
	}
}

bool des_queue_pop(struct des_queue *queue, struct des_event *event)
{
	const struct node *node;
	uint32_t slot;

	if (!settle(queue))
		return false;
	slot = key_slot(&queue->keys[0]);
	node = &queue->nodes[slot];
	event->time_ns = queue->keys[0].time_ns;
	event->fire = node->fire;
	event->opaque = node->opaque;
	event->arg = node->arg;
	node_free(queue, slot);
	queue->hole = true;
	return true;
}

bool des_queue_peek(struct des_queue *queue, uint64_t *time_ns)
{
	if (!settle(queue))
		return false;
	*time_ns = queue->keys[0].time_ns;
	return true;
}

bool des_queue_cancel(struct des_queue *queue, des_event_id id)
{
	uint32_t slot = (uint32_t)id & SLOT_MASK;
	struct node *node;

	if (!id || slot >= queue->nodes_count)
		return false;
	node = &queue->nodes[slot];
	if (node->generation != id >> SLOT_BITS || !node->fire)
		return false;
	node->fire = NULL;
	queue->dead_count++;
	if (queue->dead_count > 64 && queue->dead_count > (queue->keys_count + queue->far.count) / 2)
		divide(queue);
	return true;
}

size_t des_queue_pending(const struct des_queue *queue)
{
	return queue->keys_count + queue->far.count - queue->hole - queue->dead_count;
}

static void verify_far(void *opaque, const struct des_key *key)
{
	const struct des_queue *queue = opaque;

	if (key->time_ns <= queue->near_last_ns)
		des_queue_abort("a far key is near");
	if (key_slot(key) >= queue->nodes_count)
		des_queue_abort("a key names no node");
}

void des_queue_verify(const struct des_queue *queue)
{
	size_t dead = 0, free_nodes = 0;

	des_far_verify(&queue->far, verify_far, (void *)queue);

	for (size_t i = queue->hole; i < queue->keys_count; i++) {
		size_t parent = i ? (i - 1) / ARITY : 0;
		uint32_t slot = key_slot(&queue->keys[i]);

		if (i && !(queue->hole && !parent) &&
		    !key_before(&queue->keys[parent], &queue->keys[i]))
			des_queue_abort("a key is before its parent");
		if (slot >= queue->nodes_count)
			des_queue_abort("a key names no node");
		if (queue->keys[i].time_ns > queue->near_last_ns)
			des_queue_abort("a near key is far");
		dead += !queue->nodes[slot].fire;
	}
	/* Those that are far are dead, too, and not looked at. */
	if (dead > queue->dead_count || queue->dead_count - dead > queue->far.count)
		des_queue_abort("the count of dead keys is wrong");
	for (uint32_t slot = queue->first_free; slot != NO_SLOT;) {
		uint32_t next = queue->nodes[slot].next_free;

		free_nodes++;
		slot = next == SLOT_MASK ? NO_SLOT : next;
	}
	if (free_nodes + queue->keys_count + queue->far.count - queue->hole != queue->nodes_count)
		des_queue_abort("a node is lost");
}
