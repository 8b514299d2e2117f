/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for simulated guests in front of a device that really looks at it: a
 * large range of addresses behind which a little memory repeats.
 */
#ifndef IOASIS_SCENARIO_ARENA_H
#define IOASIS_SCENARIO_ARENA_H

#include <stdint.h>

struct arena {
	char *first;
	uint64_t bytes;
};

/* At least `bytes` of readable and writable addresses. 0 or -errno. */
int arena_map(struct arena *arena, uint64_t bytes);
void arena_unmap(struct arena *arena);

/* Addresses that nothing ever looks at: for the engine in this process alone. */
void arena_nowhere(struct arena *arena, uint64_t bytes);

#endif
