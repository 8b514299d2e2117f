/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a guest comes to have its memory mapped, and how it ends. */
#ifndef IOASIS_SCENARIO_BOOT_H
#define IOASIS_SCENARIO_BOOT_H

#include "sim/scenario/world.h"

/* Numbers of the threads of a guest in the trace: 0 its main thread, then its actors. */
uint32_t guest_tid(const struct guest *guest, unsigned int thread);
/* The number of the guest that has this thread. */
uint32_t guest_of_tid(uint32_t tid);

/*
 * Connects, makes the address space and maps the memory; guest->booted when all
 * went well. Returns when it is done.
 */
uint64_t guest_boot(struct guest *guest, uint64_t now_ns);

/* Unmaps, frees and disconnects. */
uint64_t guest_shut_down(struct guest *guest, uint64_t now_ns);

/* Ranges of plain memory of a layout, each one mapping. */
struct guest_range {
	uint64_t address;
	uint64_t bytes;
};

#define GUEST_RANGES_MAX 3

/* How many there are. */
unsigned int guest_memory_ranges(const struct scenario *scenario,
				 struct guest_range ranges[GUEST_RANGES_MAX]);

#endif
