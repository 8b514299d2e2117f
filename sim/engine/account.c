/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters of the whole kernel, in hash tables of two-word keys: pages charged
 * to users and to processes, and pins of each page.
 *
 * A counter that falls to zero leaves its table. What a process has locked by
 * mlock() itself is not known here, so only iommufd's own pages count against
 * the limit.
 */
#include "sim/engine/account.h"
#include "sim/engine/heap.h"

#include <string.h>

struct counter {
	uint64_t a;
	uint64_t b;
	uint64_t count; /* 0: the slot is free */
};

/* Open addressing; room is a power of two, never more than half full. */
struct counters {
	struct counter *slots;
	size_t room;
	size_t used;
	const struct engine_heap *heap; /* borrowed */
};

struct account_table {
	/* {uid, CHARGE_USER}, {engine_mm, CHARGE_MM}, {engine_mm, CHARGE_PINNED} */
	struct counters charges;
};

struct page_table {
	struct counters pins; /* {object, index} */
};

/* CHARGE_PINNED limits nothing: it is the kernel's mm->pinned_vm. */
enum { CHARGE_USER, CHARGE_MM, CHARGE_PINNED };

static size_t counter_home(const struct counters *counters, uint64_t a, uint64_t b)
{
	uint64_t hash = (a ^ (b * 0x9e3779b97f4a7c15ull)) * 0xff51afd7ed558ccdull;

	return (size_t)(hash ^ (hash >> 32)) & (counters->room - 1);
}

static struct counter *counter_find(const struct counters *counters, uint64_t a, uint64_t b)
{
	size_t at = counter_home(counters, a, b);

	while (counters->slots[at].count &&
	       (counters->slots[at].a != a || counters->slots[at].b != b))
		at = (at + 1) & (counters->room - 1);
	return &counters->slots[at];
}

static int counters_grow(struct counters *counters)
{
	struct counters bigger = { .heap = counters->heap,
				   .room = counters->room ? counters->room * 2 : 64 };

	bigger.slots = heap_alloc(counters->heap, bigger.room, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < counters->room; i++) {
		const struct counter *counter = &counters->slots[i];

		if (counter->count)
			*counter_find(&bigger, counter->a, counter->b) = *counter;
	}
	bigger.used = counters->used;
	free(counters->slots);
	*counters = bigger;
	return 0;
}

static uint64_t counter_read(const struct counters *counters, uint64_t a, uint64_t b)
{
	return counters->room ? counter_find(counters, a, b)->count : 0;
}

static int counter_add(struct counters *counters, uint64_t a, uint64_t b, uint64_t n)
{
	struct counter *counter;

	if (counters->used * 2 >= counters->room && counters_grow(counters))
		return -ENOMEM;
	counter = counter_find(counters, a, b);
	if (!counter->count) {
		counter->a = a;
		counter->b = b;
		counters->used++;
	}
	counter->count += n;
	return 0;
}

/* Empties a slot and moves those behind it that hash at or before it. */
static void counter_drop(struct counters *counters, size_t hole)
{
	size_t mask = counters->room - 1;

	for (size_t at = (hole + 1) & mask; counters->slots[at].count; at = (at + 1) & mask) {
		size_t home = counter_home(counters, counters->slots[at].a, counters->slots[at].b);

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			counters->slots[hole] = counters->slots[at];
			hole = at;
		}
	}
	counters->slots[hole].count = 0;
	counters->used--;
}

static void counter_sub(struct counters *counters, uint64_t a, uint64_t b, uint64_t n)
{
	struct counter *counter = counters->room ? counter_find(counters, a, b) : NULL;

	ENGINE_BUG_ON(!counter || counter->count < n);
	if (counter->count == n)
		counter_drop(counters, (size_t)(counter - counters->slots));
	else
		counter->count -= n;
}

int account_init(struct engine *engine)
{
	const struct engine_heap *heap = engine->config.heap;

	engine->accounts = heap_alloc(heap, 1, sizeof(*engine->accounts));
	engine->pages = heap_alloc(heap, 1, sizeof(*engine->pages));
	if (engine->accounts && engine->pages) {
		engine->accounts->charges.heap = engine->pages->pins.heap = heap;
		return 0;
	}
	free(engine->accounts);
	free(engine->pages);
	return -ENOMEM;
}

void account_fini(struct engine *engine)
{
	ENGINE_BUG_ON(engine->accounts->charges.used || engine->pages->pins.used);
	free(engine->accounts->charges.slots);
	free(engine->pages->pins.slots);
	free(engine->accounts);
	free(engine->pages);
}

static uint64_t charge_key(enum account_mode mode, const struct iopt_source *source)
{
	return mode == ACCOUNT_USER ? source->uid : (uint64_t)(uintptr_t)source->mm;
}

int account_charge(struct engine *engine, enum account_mode mode,
		   const struct iopt_source *source, uint64_t npages)
{
	struct counters *charges = &engine->accounts->charges;
	uint64_t key = charge_key(mode, source);
	uint64_t kind = mode == ACCOUNT_USER ? CHARGE_USER : CHARGE_MM;
	uint64_t limit_pages = source->memlock_limit >> ENGINE_PAGE_SHIFT;
	uint64_t mm = (uint64_t)(uintptr_t)source->mm;
	uint64_t sum;
	int rc;

	if (mode == ACCOUNT_NONE || !npages)
		return 0;
	pthread_mutex_lock(&engine->lock);
	if (__builtin_add_overflow(counter_read(charges, key, kind), npages, &sum) ||
	    sum > limit_pages)
		rc = -ENOMEM;
	else
		rc = counter_add(charges, key, kind, npages);
	if (!rc) {
		rc = counter_add(charges, mm, CHARGE_PINNED, npages);
		if (rc)
			counter_sub(charges, key, kind, npages);
	}
	pthread_mutex_unlock(&engine->lock);
	return rc;
}

void account_uncharge(struct engine *engine, enum account_mode mode,
		      const struct iopt_source *source, uint64_t npages)
{
	if (mode == ACCOUNT_NONE || !npages)
		return;
	pthread_mutex_lock(&engine->lock);
	counter_sub(&engine->accounts->charges, charge_key(mode, source),
		    mode == ACCOUNT_USER ? CHARGE_USER : CHARGE_MM, npages);
	counter_sub(&engine->accounts->charges, (uint64_t)(uintptr_t)source->mm, CHARGE_PINNED,
		    npages);
	pthread_mutex_unlock(&engine->lock);
}

void engine_mm_charges(struct engine *engine, const struct engine_mm *mm, uint64_t *pinned_pages,
		       uint64_t *locked_pages)
{
	const struct counters *charges = &engine->accounts->charges;

	pthread_mutex_lock(&engine->lock);
	*pinned_pages = counter_read(charges, (uint64_t)(uintptr_t)mm, CHARGE_PINNED);
	*locked_pages = counter_read(charges, (uint64_t)(uintptr_t)mm, CHARGE_MM);
	pthread_mutex_unlock(&engine->lock);
}

int page_table_pin(struct engine *engine, const struct engine_page *pages, size_t npages)
{
	struct counters *pins = &engine->pages->pins;
	size_t i;
	int rc = 0;

	pthread_mutex_lock(&engine->lock);
	for (i = 0; i < npages && !rc; i++)
		rc = counter_add(pins, pages[i].object, pages[i].index, 1);
	if (rc) {
		/* The one that failed was not counted. */
		for (i--; i; i--)
			counter_sub(pins, pages[i - 1].object, pages[i - 1].index, 1);
	}
	pthread_mutex_unlock(&engine->lock);
	return rc;
}

void page_table_unpin(struct engine *engine, const struct engine_page *pages, size_t npages)
{
	pthread_mutex_lock(&engine->lock);
	for (size_t i = 0; i < npages; i++)
		counter_sub(&engine->pages->pins, pages[i].object, pages[i].index, 1);
	pthread_mutex_unlock(&engine->lock);
}

uint64_t engine_page_pins(struct engine *engine, const struct engine_page *page)
{
	uint64_t count;

	pthread_mutex_lock(&engine->lock);
	count = counter_read(&engine->pages->pins, page->object, page->index);
	pthread_mutex_unlock(&engine->lock);
	return count;
}
