/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/engine/phys.h"
#include "sim/engine/heap.h"

#include <string.h>

#include "sim/engine/pages.h"

/*
 * Where memory is, as in a machine: not in the first 16 MiB, and not where BARs and
 * interrupts are, from 2 to 4 GiB. Low addresses come first, for devices of few bits.
 */
#define PHYS_LOW_START (16ull << 20)
#define PHYS_LOW_END (2ull << 30)
#define PHYS_HIGH_START (4ull << 30)

/* A run that has an address: every second place for one is used, so none touch. */
struct phys_run {
	uint64_t object; /* identity of its pages: struct engine_page */
	uint64_t first;	 /* index of its first page */
	struct engine_mm *mm;	  /* a reference; of user memory */
	struct engine_file *file; /* a reference; of a file */
	uint64_t at;		  /* where its first byte is in them */
};

struct phys_table {
	pthread_mutex_t lock;
	const struct engine_heap *heap; /* borrowed */
	uint64_t run_bytes;
	struct phys_run *runs;
	size_t count, room;
	uint32_t *slots; /* number of a run + 1, 0: free; open addressing */
	size_t slots_count; /* a power of two, more than twice the room */
};

struct phys_table *phys_table_create(const struct engine_heap *heap, uint64_t run_bytes)
{
	struct phys_table *table = heap_alloc(heap, 1, sizeof(*table));

	if (!table)
		return NULL;
	pthread_mutex_init(&table->lock, NULL);
	table->heap = heap;
	table->run_bytes = run_bytes ? run_bytes : ENGINE_PAGE_SIZE;
	return table;
}

void phys_table_destroy(struct phys_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->runs[i].mm)
			engine_mm_put(table->runs[i].mm);
		if (table->runs[i].file)
			engine_file_put(table->runs[i].file);
	}
	free(table->runs);
	free(table->slots);
	pthread_mutex_destroy(&table->lock);
	free(table);
}

static size_t slot_of(const struct phys_table *table, uint64_t object, uint64_t first)
{
	uint64_t hash = (object ^ first * 0x9e3779b97f4a7c15ull) * 0xbf58476d1ce4e5b9ull;
	size_t slot = (size_t)(hash >> 32) & (table->slots_count - 1);

	while (table->slots[slot]) {
		const struct phys_run *run = &table->runs[table->slots[slot] - 1];

		if (run->object == object && run->first == first)
			break;
		slot = (slot + 1) & (table->slots_count - 1);
	}
	return slot;
}

/* Makes room for one run more. 0 or -ENOMEM, then nothing changed. */
static int table_grow(struct phys_table *table)
{
	size_t room = table->room ? 2 * table->room : 64;
	struct phys_run *runs;
	uint32_t *slots;

	if (table->count < table->room)
		return 0;
	runs = heap_resize(table->heap, table->runs, room * sizeof(*runs));
	if (!runs)
		return -ENOMEM;
	table->runs = runs;
	slots = heap_alloc(table->heap, 4 * room, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(table->slots);
	table->slots = slots;
	table->slots_count = 4 * room;
	table->room = room;
	for (size_t i = 0; i < table->count; i++)
		slots[slot_of(table, runs[i].object, runs[i].first)] = (uint32_t)i + 1;
	return 0;
}

/* The number of the run that holds the page, which is the pages' byte, or -ENOMEM. */
static int64_t table_add(struct phys_table *table, const struct engine_page *page,
			 const struct iopt_pages *pages, uint64_t byte)
{
	const uint64_t run_pages = table->run_bytes / ENGINE_PAGE_SIZE;
	const uint64_t first = page->index & ~(run_pages - 1);
	struct phys_run *run;
	size_t slot;

	if (table_grow(table))
		return -ENOMEM;
	slot = slot_of(table, page->object, first);
	if (table->slots[slot])
		return table->slots[slot] - 1;
	run = &table->runs[table->count];
	*run = (struct phys_run){ .object = page->object, .first = first };
	run->at = pages->base + (byte & ~ENGINE_PAGE_MASK) -
		  (page->index - first) * ENGINE_PAGE_SIZE;
	if (pages->type == IOPT_PAGES_FILE) {
		run->file = iopt_file_pages((struct iopt_pages *)pages)->file;
		__atomic_add_fetch(&run->file->refs, 1, __ATOMIC_RELAXED);
	} else if (pages->type == IOPT_PAGES_USER) {
		run->mm = pages->source->mm;
		__atomic_add_fetch(&run->mm->refs, 1, __ATOMIC_RELAXED);
	}
	table->slots[slot] = (uint32_t)++table->count;
	return (int64_t)table->count - 1;
}

/* The place of a run: whole even numbers of them, from PHYS_LOW_START on. */
static uint64_t number_to_phys(const struct phys_table *table, uint64_t number)
{
	const uint64_t stride = 2 * table->run_bytes;
	const uint64_t first = stride < PHYS_LOW_START ? PHYS_LOW_START / stride : 1;
	const uint64_t phys = (first + number) * stride;

	return phys < PHYS_LOW_END ? phys : phys - PHYS_LOW_END + PHYS_HIGH_START;
}

/* The number of the run at or before phys; UINT64_MAX: none can be there. */
static uint64_t phys_to_number(const struct phys_table *table, uint64_t phys)
{
	const uint64_t stride = 2 * table->run_bytes;
	const uint64_t first = stride < PHYS_LOW_START ? PHYS_LOW_START / stride : 1;

	if (phys >= PHYS_HIGH_START)
		phys = phys - PHYS_HIGH_START + PHYS_LOW_END;
	else if (phys >= PHYS_LOW_END)
		return UINT64_MAX;
	return phys / stride < first ? UINT64_MAX : phys / stride - first;
}

int phys_address(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t byte, uint64_t *phys)
{
	struct phys_table *table = ctx->engine->phys;
	struct engine_page page;
	int64_t number;
	int rc;

	rc = iopt_pages_identity(ctx, pages, byte >> ENGINE_PAGE_SHIFT, &page);
	if (rc)
		return rc;
	pthread_mutex_lock(&table->lock);
	number = table_add(table, &page, pages, byte);
	pthread_mutex_unlock(&table->lock);
	if (number < 0)
		return -ENOMEM;
	*phys = number_to_phys(table, (uint64_t)number) +
		((page.index * ENGINE_PAGE_SIZE) & (table->run_bytes - 1)) +
		(byte & ENGINE_PAGE_MASK);
	return 0;
}

bool phys_find(struct engine *engine, uint64_t phys, struct phys_memory *memory)
{
	struct phys_table *table = engine->phys;
	const uint64_t number = phys_to_number(table, phys);
	const uint64_t offset = phys % (2 * table->run_bytes);
	bool found = false;

	if (offset >= table->run_bytes)
		return false;
	pthread_mutex_lock(&table->lock);
	if (number < table->count) {
		const struct phys_run *run = &table->runs[number];

		*memory = (struct phys_memory){ .mm = run->mm, .file = run->file };
		memory->at = run->at + offset;
		memory->length = table->run_bytes - offset;
		if (memory->mm)
			__atomic_add_fetch(&memory->mm->refs, 1, __ATOMIC_RELAXED);
		if (memory->file)
			__atomic_add_fetch(&memory->file->refs, 1, __ATOMIC_RELAXED);
		found = memory->mm || memory->file;
	}
	pthread_mutex_unlock(&table->lock);
	return found;
}
