/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live mappings of one address space, sorted by address.
 *
 * Two levels: leaves of up to RANGE_LEAF entries and one array of leaves. Search
 * is two binary searches over contiguous memory; an insert moves part of one
 * leaf. Entries may share addresses (a broken trace); from the first such insert
 * on, a search begins earlier by the length of the longest entry.
 */
#ifndef IOASIS_ANALYSIS_RANGE_SET_H
#define IOASIS_ANALYSIS_RANGE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RANGE_LEAF 64u

/* A mapping. */
struct range_entry {
	uint64_t iova; /* [iova, last] */
	uint64_t last;
	int64_t begin_ns; /* the call that mapped it began */
	int64_t born_ns; /* it lives since (commit, or end of the call) */
	uint64_t op_id; /* of the call that mapped it; 0: unknown (state dump) */
	uint32_t tid;	/* of that call; 0: unknown */
	uint8_t prot;	/* enum trace_prot */
	uint16_t stack; /* of that call: state_stack(); 0: unknown */
};

struct range_leaf;

struct range_set {
	uint64_t *first;	  /* iova of each leaf's first entry */
	struct range_leaf **leaf;
	size_t leaves;
	size_t room;
	size_t count; /* entries */
	uint64_t longest;	  /* last - iova of the longest entry so far */
	bool crossing;		  /* some entries shared addresses */
};

void range_set_init(struct range_set *set);
void range_set_fini(struct range_set *set);

/* Adds a copy of entry behind those with the same or a lower iova. 0 or -ENOMEM. */
int range_set_insert(struct range_set *set, const struct range_entry *entry);

/* A place in the set; any change of the set makes it invalid. */
struct range_iter {
	size_t leaf;
	unsigned int index;
};

/*
 * The first entry that shares an address with [iova, last]; NULL: none. *iter is its place;
 * range_set_next_overlap() goes on. The entry is valid until the set changes.
 */
struct range_entry *range_set_overlap(const struct range_set *set, uint64_t iova, uint64_t last,
				      struct range_iter *iter);
struct range_entry *range_set_next_overlap(const struct range_set *set, uint64_t iova,
					   uint64_t last, struct range_iter *iter);

/* The same from iter on, the entry at iter included. */
struct range_entry *range_set_overlap_at(const struct range_set *set, uint64_t iova,
					 uint64_t last, struct range_iter *iter);

/* Removes the entry at iter; iter is then the place of the entry after it. */
void range_set_remove(struct range_set *set, struct range_iter *iter);

/* Bytes of memory that the set uses. */
size_t range_set_memory(const struct range_set *set);

#endif
