/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nodes of a span tree, for its own files alone: span_tree.c (look-up and
 * change), span_gap.c (gaps, and whether all is as it must be).
 */
#ifndef IOASIS_ENGINE_SPAN_NODE_H
#define IOASIS_ENGINE_SPAN_NODE_H

#include "sim/engine/span_tree.h"

#define NODE_MAX 32u /* spans in a leaf, children in an inner node */
#define NODE_SPARE 28u /* a leaf with at most so many takes some of a full neighbour */
#define HEIGHT_MAX 16u

struct span_leaf {
	uint32_t count;
	struct span_leaf *prev;
	struct span_leaf *next;
	uint64_t last[NODE_MAX];
	uint64_t start[NODE_MAX];
	void *value[NODE_MAX];
};

struct span_inner {
	/* What a look-up reads comes first. */
	uint32_t count;
	uint64_t last[NODE_MAX];  /* of the child's last span */
	void *child[NODE_MAX];
	uint16_t stale[NODE_MAX]; /* a bit an alignment: room[][i] is out of date */
	uint64_t start[NODE_MAX]; /* of the child's first span */
	/*
	 * At least the longest aligned run in a gap between two spans of the child, in units of
	 * 4 KiB, rounded up; ROOM_MOST stands for more, too. Exact when it was computed, and
	 * an insertion since then made it less.
	 */
	uint32_t room[SPAN_TREE_ALIGNS][NODE_MAX];
};

#define ROOM_SHIFT 12u
#define ROOM_MOST UINT32_MAX

static inline uint32_t room_units(uint64_t bytes)
{
	uint64_t units = (bytes >> ROOM_SHIFT) + !!(bytes & ((1u << ROOM_SHIFT) - 1));

	return units < ROOM_MOST ? (uint32_t)units : ROOM_MOST;
}

/* Whether a run of so many units may have room for length bytes. */
static inline bool room_may_hold(uint32_t units, uint64_t length)
{
	return units == ROOM_MOST || room_units(length) <= units;
}

#define STALE_ALL ((uint16_t)((1u << SPAN_TREE_ALIGNS) - 1))

/* Where an inner node's children are is asked for while its keys are compared. */
static inline void inner_prefetch(const struct span_inner *inner)
{
	for (size_t i = 0; i < NODE_MAX; i += 64 / sizeof(void *))
		__builtin_prefetch(&inner->child[i]);
}

/* All of a leaf's arrays are asked for at once: mostly they are in no cache. */
static inline void leaf_prefetch(const struct span_leaf *leaf)
{
	for (size_t at = 0; at < sizeof(*leaf); at += 64)
		__builtin_prefetch((const char *)leaf + at);
}

/*
 * How many of the sorted keys are below key: the first index with keys[i] >= key.
 * One after the other, and not by halves: the processor reads ahead over all of
 * them at once, where halving would wait for memory five times.
 */
static inline uint32_t keys_below(const uint64_t *keys, uint32_t count, uint64_t key)
{
	uint32_t i = 0;

	while (i < count && keys[i] < key)
		i++;
	return i;
}

#endif
