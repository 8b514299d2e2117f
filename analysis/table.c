/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static int grow(struct table *table)
{
	struct table bigger = { .size = table->size ? table->size * 2 : 16 };

	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < table->size; i++) {
		const struct table_slot *slot = &table->slots[i];

		if (slot->value)
			*table_find(&bigger, slot->a, slot->b) = *slot;
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
	slot = table_find(table, a, b);
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
	slot = table_find(table, a, b);
	value = slot->value;
	if (!value)
		return NULL;
	/* Close the hole: move up what would not be found behind it. */
	hole = (size_t)(slot - table->slots);
	for (i = (hole + 1) & mask; table->slots[i].value; i = (i + 1) & mask) {
		size_t home = table_hash(table->slots[i].a, table->slots[i].b) & mask;

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			table->slots[hole] = table->slots[i];
			hole = i;
		}
	}
	table->slots[hole].value = NULL;
	table->count--;
	return value;
}
