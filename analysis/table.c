/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t hash(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ (b << 32 | b >> 32)) * 0x9e3779b97f4a7c15ull;

	h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93ull;
	return (size_t)(h ^ (h >> 32));
}

void table_fini(struct table *table)
{
	free(table->slots);
	memset(table, 0, sizeof(*table));
}

void table_fini_values(struct table *table)
{
	for (size_t i = 0; i < table->size; i++)
		free(table->slots[i].value);
	table_fini(table);
}

/* The slot of (a, b), or the free one where it would go. */
static struct table_slot *find(const struct table *table, uint64_t a, uint64_t b)
{
	size_t i = hash(a, b) & (table->size - 1);

	while (table->slots[i].value && (table->slots[i].a != a || table->slots[i].b != b))
		i = (i + 1) & (table->size - 1);
	return &table->slots[i];
}

void *table_get(const struct table *table, uint64_t a, uint64_t b)
{
	return table->size ? find(table, a, b)->value : NULL;
}

static int grow(struct table *table)
{
	struct table bigger = { .size = table->size ? table->size * 2 : 16 };

	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < table->size; i++) {
		const struct table_slot *slot = &table->slots[i];

		if (slot->value)
			*find(&bigger, slot->a, slot->b) = *slot;
	}
	bigger.count = table->count;
	free(table->slots);
	*table = bigger;
	return 0;
}

int table_set(struct table *table, uint64_t a, uint64_t b, void *value)
{
	struct table_slot *slot;

	if (table->count * 2 >= table->size && grow(table))
		return -ENOMEM;
	slot = find(table, a, b);
	if (!slot->value)
		table->count++;
	*slot = (struct table_slot){ a, b, value };
	return 0;
}

void *table_add(struct table *table, uint64_t a, uint64_t b, size_t bytes)
{
	void *value = calloc(1, bytes);

	if (!value || table_set(table, a, b, value)) {
		free(value);
		return NULL;
	}
	return value;
}

void *table_remove(struct table *table, uint64_t a, uint64_t b)
{
	size_t mask = table->size - 1, hole, i;
	struct table_slot *slot;
	void *value;

	if (!table->size)
		return NULL;
	slot = find(table, a, b);
	value = slot->value;
	if (!value)
		return NULL;
	/* Close the hole: move up what would not be found behind it. */
	hole = (size_t)(slot - table->slots);
	for (i = (hole + 1) & mask; table->slots[i].value; i = (i + 1) & mask) {
		size_t home = hash(table->slots[i].a, table->slots[i].b) & mask;

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			table->slots[hole] = table->slots[i];
			hole = i;
		}
	}
	table->slots[hole].value = NULL;
	table->count--;
	return value;
}
