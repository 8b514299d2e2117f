/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of actors. Each makes itself from its section of the scenario, adds
 * its events to the world's clock, and tells at the end what it saw. A function
 * that makes returns 0 or -errno with world->error set; without its section in
 * the scenario there is nothing to make.
 */
#ifndef IOASIS_SCENARIO_ACTORS_H
#define IOASIS_SCENARIO_ACTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/scenario/world.h"

struct report;

/* How full something is now: a ring, a queue. */
struct actor_level {
	const char *name; /* static; for people */
	uint64_t count;
};

#define ACTOR_LEVELS_MAX 4u

/* What a guest's actor will come to, before it runs: within a factor of some three. */
struct actor_estimate {
	uint64_t guests;   /* that have one; all of them before the call */
	uint64_t host_ns;  /* time of this program's CPU */
	uint64_t mappings; /* alive at once */
};

/*
 * One row of the table of actors. guest_* run once a guest; begin when it has
 * booted, at world->des.now_ns. Any member may be NULL.
 */
struct actor_kind {
	enum scenario_section section;
	const char *did; /* the row of its report that is 0 when it did nothing */
	uint64_t (*arena_bytes)(const struct scenario *scenario); /* memory that it maps */
	void (*estimate)(const struct scenario *scenario, struct actor_estimate *estimate);
	int (*create)(struct world *world);
	void (*begin)(struct guest *guest);
	/* Takes down what it made of the guest from now_ns on; returns when that is done. */
	uint64_t (*end)(struct guest *guest, uint64_t now_ns);
	void (*report)(struct world *world, struct report *report);
	/* Fills levels (ACTOR_LEVELS_MAX of room) of a guest that has begun; returns how many. */
	size_t (*levels)(const struct guest *guest, struct actor_level *levels);
	void (*destroy)(struct world *world);
};

/* All kinds, in the order in which they begin; they end in the reverse. */
extern const struct actor_kind *const actor_kinds[];
extern const unsigned int actor_kinds_count;

#define ACTOR(SECTION, name, ...) extern const struct actor_kind actor_##name;
#include "sim/scenario/actors.def"
#undef ACTOR

/* What is left of the run after start_ns; and how often something every every_ns happens in it. */
uint64_t actor_run_ns(const struct scenario *scenario, uint64_t start_ns);
uint64_t actor_times(const struct scenario *scenario, uint64_t start_ns, uint64_t every_ns);

/* Whether the guest is one of `guests` (0: all) from first_guest on; and how many are. */
bool actor_has_guest(const struct guest *guest, uint64_t first_guest, uint64_t guests);
uint64_t actor_guests(const struct scenario *scenario, uint64_t first_guest, uint64_t guests);

/* Where the kind's memory begins in the arena. */
uint64_t actor_arena_offset(const struct world *world, const struct actor_kind *kind);

/* Where guest memory ends in guest addresses, rounded up to 1 GiB: what is plugged goes there. */
uint64_t guest_memory_end(const struct scenario *scenario);

/* Leaves that devices see in the guest's own memory. */
unsigned int guest_leaf_shift(const struct scenario *scenario);

/*
 * A device of the guest, bound and attached: to the guest's memory for passthrough,
 * else to an address space of its own. Returns when; *ret 0 or -errno.
 */
uint64_t guest_device_make(struct guest *guest, struct sim_device *device, enum scenario_mode mode,
			   uint64_t now_ns, int *ret);
uint64_t guest_device_end(struct sim_device *device, enum scenario_mode mode, uint64_t now_ns);

/* For the faults: the guest's NIC does the wrong thing once. */
void nic_misbehave(struct guest *guest, enum scenario_fault kind);

/* For the migration: the guest's devices; NULL: it has none of the kind. Borrowed. */
const struct sim_device *nic_device(const struct guest *guest);
const struct sim_device *nvme_device(const struct guest *guest);

#endif
