/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/iova_search.h"

#include <errno.h>
#include <stdlib.h>

struct iova_range_node {
	struct iova_range_node *above, *below;
	uint64_t iova;
};

int iova_search_init(struct iova_search *search, uint64_t first, uint64_t limit, uint64_t piece)
{
	*search = (struct iova_search){ .first = first, .limit = limit, .piece = piece };
	search->by_piece = calloc((limit - first) / piece, sizeof(*search->by_piece));
	return search->by_piece ? 0 : -ENOMEM;
}

void iova_search_fini(struct iova_search *search)
{
	struct iova_range_node *node, *below;

	for (node = search->highest; node; node = below) {
		below = node->below;
		free(node);
	}
	free(search->by_piece);
	*search = (struct iova_search){ 0 };
}

static struct iova_range_node **slot_of(const struct iova_search *search, uint64_t iova)
{
	return &search->by_piece[(iova - search->first) / search->piece];
}

/* The kernel's __alloc_and_insert_iova_range(), for ranges of one size. */
uint64_t iova_search_take(struct iova_search *search, uint64_t *visited)
{
	struct iova_range_node *above = search->cached;
	struct iova_range_node *below = above ? above->below : search->highest;
	uint64_t limit = above ? above->iova : search->limit;
	struct iova_range_node *node;

	*visited = 0;
	for (; below; below = below->below) {
		(*visited)++;
		if (below->iova + 2 * search->piece <= limit)
			break; /* a gap, right below the limit */
		limit = below->iova;
		above = below;
	}
	if (limit < search->first + search->piece)
		return 0;
	node = malloc(sizeof(*node));
	if (!node)
		return 0;
	*node = (struct iova_range_node){
		.above = above, .below = below, .iova = limit - search->piece,
	};
	if (above)
		above->below = node;
	else
		search->highest = node;
	if (below)
		below->above = node;
	*slot_of(search, node->iova) = node;
	search->cached = node;
	return node->iova;
}

/* And its __cached_rbnode_delete_update(). */
void iova_search_give_back(struct iova_search *search, uint64_t iova)
{
	struct iova_range_node *node = *slot_of(search, iova);

	if (search->cached && iova >= search->cached->iova)
		search->cached = node->above;
	if (node->above)
		node->above->below = node->below;
	else
		search->highest = node->below;
	if (node->below)
		node->below->above = node->above;
	*slot_of(search, iova) = NULL;
	free(node);
}
