/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/state/range_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct range_leaf {
	unsigned int count;
	struct range_entry entry[RANGE_LEAF];
};

void range_set_init(struct range_set *set)
{
	memset(set, 0, sizeof(*set));
}

void range_set_fini(struct range_set *set)
{
	for (size_t i = 0; i < set->leaves; i++)
		free(set->leaf[i]);
	free(set->leaf);
	free(set->first);
	range_set_init(set);
}

/* The last leaf whose first entry begins at or before iova; 0 when there is none. */
static size_t find_leaf(const struct range_set *set, uint64_t iova)
{
	size_t low = 0, high = set->leaves;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (set->first[middle] <= iova)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/*
 * How many entries of leaf begin at or before iova. Which half it is in nobody can guess, so
 * the search asks without a branch.
 */
static unsigned int count_until(const struct range_leaf *leaf, uint64_t iova)
{
	unsigned int low = 0, rest = leaf->count;

	while (rest > 1) {
		unsigned int half = rest / 2;

		low += half & -(unsigned int)(leaf->entry[low + half - 1].iova <= iova);
		rest -= half;
	}
	return low + (rest && leaf->entry[low].iova <= iova);
}

static int make_room(struct range_set *set)
{
	size_t room = set->room ? set->room * 2 : 4;
	uint64_t *first;
	struct range_leaf **leaf;

	if (set->leaves < set->room)
		return 0;
	first = realloc(set->first, room * sizeof(*first));
	if (!first)
		return -ENOMEM;
	set->first = first;
	leaf = realloc(set->leaf, room * sizeof(struct range_leaf *));
	if (!leaf)
		return -ENOMEM;
	set->leaf = leaf;
	set->room = room;
	return 0;
}

/* Puts an empty leaf at index at. */
static int add_leaf(struct range_set *set, size_t at)
{
	struct range_leaf *leaf;
	int ret = make_room(set);

	if (ret)
		return ret;
	leaf = malloc(sizeof(*leaf));
	if (!leaf)
		return -ENOMEM;
	leaf->count = 0;
	memmove(set->leaf + at + 1, set->leaf + at, (set->leaves - at) * sizeof(leaf));
	memmove(set->first + at + 1, set->first + at, (set->leaves - at) * sizeof(*set->first));
	set->leaf[at] = leaf;
	set->first[at] = 0;
	set->leaves++;
	return 0;
}

/* Splits the full leaf at index at: a rising fill keeps its leaves full. */
static int split_leaf(struct range_set *set, size_t at, unsigned int where)
{
	unsigned int keep = where == RANGE_LEAF ? RANGE_LEAF - 1 : RANGE_LEAF / 2;
	struct range_leaf *from, *to;
	int ret = add_leaf(set, at + 1);

	if (ret)
		return ret;
	from = set->leaf[at];
	to = set->leaf[at + 1];
	to->count = from->count - keep;
	memcpy(to->entry, from->entry + keep, to->count * sizeof(to->entry[0]));
	from->count = keep;
	set->first[at + 1] = to->entry[0].iova;
	return 0;
}

/*
 * Whether entry, whose place is `where` in the leaf at index at, shares addresses with another.
 * In a set whose entries share none with each other only its neighbours can.
 */
static bool meets_neighbour(const struct range_set *set, size_t at, unsigned int where,
			    const struct range_entry *entry)
{
	const struct range_leaf *leaf = set->leaf[at];

	/* Before the first entry of a leaf is only what comes before the first leaf. */
	if (where && leaf->entry[where - 1].last >= entry->iova)
		return true;
	if (where < leaf->count)
		return leaf->entry[where].iova <= entry->last;
	return at + 1 < set->leaves && set->first[at + 1] <= entry->last;
}

int range_set_insert(struct range_set *set, const struct range_entry *entry)
{
	struct range_leaf *leaf;
	unsigned int where;
	size_t at;
	int ret;

	if (!set->leaves) {
		ret = add_leaf(set, 0);
		if (ret)
			return ret;
	}
	at = find_leaf(set, entry->iova);
	where = count_until(set->leaf[at], entry->iova);
	set->crossing = set->crossing || meets_neighbour(set, at, where, entry);
	if (set->leaf[at]->count == RANGE_LEAF) {
		ret = split_leaf(set, at, where);
		if (ret)
			return ret;
		if (where > set->leaf[at]->count) {
			where -= set->leaf[at]->count;
			at++;
		}
	}
	leaf = set->leaf[at];
	memmove(leaf->entry + where + 1, leaf->entry + where,
		(leaf->count - where) * sizeof(leaf->entry[0]));
	leaf->entry[where] = *entry;
	leaf->count++;
	set->first[at] = leaf->entry[0].iova;
	set->count++;
	if (entry->last - entry->iova > set->longest)
		set->longest = entry->last - entry->iova;
	return 0;
}

/* The entry at iter or the first of a later leaf; NULL at the end. */
static struct range_entry *settle(const struct range_set *set, struct range_iter *iter)
{
	while (iter->leaf < set->leaves && iter->index >= set->leaf[iter->leaf]->count) {
		iter->leaf++;
		iter->index = 0;
	}
	return iter->leaf < set->leaves ? &set->leaf[iter->leaf]->entry[iter->index] : NULL;
}

struct range_entry *range_set_overlap_at(const struct range_set *set, uint64_t iova,
					 uint64_t last, struct range_iter *iter)
{
	struct range_entry *entry;

	while ((entry = settle(set, iter)) && entry->iova <= last) {
		if (entry->last >= iova)
			return entry;
		iter->index++;
	}
	return NULL;
}

struct range_entry *range_set_overlap(const struct range_set *set, uint64_t iova, uint64_t last,
				      struct range_iter *iter)
{
	uint64_t from = iova;
	unsigned int count;

	iter->leaf = 0;
	iter->index = 0;
	if (!set->leaves)
		return NULL;
	if (set->crossing)
		from = iova > set->longest ? iova - set->longest : 0;
	iter->leaf = find_leaf(set, from);
	count = count_until(set->leaf[iter->leaf], from);
	/* The one before may reach into the range; in a crossing set several share its start. */
	if (set->crossing && from) {
		iter->leaf = find_leaf(set, from - 1);
		count = count_until(set->leaf[iter->leaf], from - 1);
	} else if (set->crossing) {
		iter->leaf = 0;
		count = 0;
	}
	iter->index = count ? count - 1 : 0;
	return range_set_overlap_at(set, iova, last, iter);
}

struct range_entry *range_set_next_overlap(const struct range_set *set, uint64_t iova,
					   uint64_t last, struct range_iter *iter)
{
	iter->index++;
	return range_set_overlap_at(set, iova, last, iter);
}

void range_set_remove(struct range_set *set, struct range_iter *iter)
{
	struct range_leaf *leaf = set->leaf[iter->leaf];

	leaf->count--;
	set->count--;
	memmove(leaf->entry + iter->index, leaf->entry + iter->index + 1,
		(leaf->count - iter->index) * sizeof(leaf->entry[0]));
	if (leaf->count) {
		set->first[iter->leaf] = leaf->entry[0].iova;
		return;
	}
	free(leaf);
	set->leaves--;
	memmove(set->leaf + iter->leaf, set->leaf + iter->leaf + 1,
		(set->leaves - iter->leaf) * sizeof(leaf));
	memmove(set->first + iter->leaf, set->first + iter->leaf + 1,
		(set->leaves - iter->leaf) * sizeof(*set->first));
	iter->index = 0;
	if (!set->count) {
		set->crossing = false;
		set->longest = 0;
	}
}

size_t range_set_memory(const struct range_set *set)
{
	return set->leaves * sizeof(struct range_leaf) +
	       set->room * (sizeof(*set->first) + sizeof(*set->leaf));
}
