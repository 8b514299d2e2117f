/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listeners: devices that are told what their page table maps, since their DMA happens
 * in another program (engine_device_listen()).
 *
 * What changes under the context's lock is noted, in order, and told after the lock is
 * dropped and before the call that changed it returns: a listener may wait for another
 * program, whose DMA needs the lock. So a client that has come back from UNMAP knows that
 * the listener has given the memory up.
 */
#ifndef IOASIS_ENGINE_LISTENER_H
#define IOASIS_ENGINE_LISTENER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/list.h"

struct device;
struct engine_ctx;
struct io_pagetable;
struct iopt_area;

/* Of a context. */
struct listener_table {
	pthread_mutex_t telling; /* one tells at a time; comes before the context's lock */
	struct list_link listeners; /* struct engine_device; with the context's lock, as notices */
	struct list_link notices;
	bool any; /* there was a listener; atomic, read without the lock */
};

void listener_table_init(struct listener_table *table);
void listener_table_fini(struct listener_table *table);

/* The address space has page tables, and one more or one less area. Needs the lock. */
void listeners_note_area(struct io_pagetable *iopt, const struct iopt_area *area, bool mapped);
/* The device reaches the address space from now on, or no more. Needs the lock. */
void listeners_note_attach(const struct device *dev, struct io_pagetable *iopt, bool attached);

struct engine_memory;
void engine_memory_put(struct engine_memory *memory);

/* Tells what was noted before; without the lock. */
void listeners_tell(struct engine_ctx *ctx);

#endif
