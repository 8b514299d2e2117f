/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulated world: a host with its IOMMUs, guests with their backends and
 * devices, and the clock that all of them live by.
 *
 *	world.c    makes and ends it, boots guests, runs it
 *	call.c     a backend call: made for real, paid for in virtual time
 *	dma.c      what drivers and devices do: map, unmap, invalidate, access
 *	actor_*.c  one kind of actor each
 *
 * Actors are driven by events of world->des. A call is made on the real backend
 * when its event fires; its cost moves the time of what follows. One thread runs
 * a world.
 */
#ifndef IOASIS_SCENARIO_WORLD_H
#define IOASIS_SCENARIO_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include <ioasis/iommufd_backend.h>

#include "sim/des/des.h"
#include "sim/des/random.h"
#include "sim/scenario/arena.h"
#include "sim/scenario/iommu.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/sim_log.h"
#include "tracepoints/identity.h"

struct engine_device;
struct guest;
struct inproc;
struct world;

/* A device of a guest, behind a page table of the engine. */
struct sim_device {
	struct guest *guest;	     /* borrowed */
	struct engine_device *bound; /* NULL: not bound */
	uint32_t id;
	uint32_t ioas_id; /* what it is attached to; 0: nothing */
	uint32_t hwpt_id;
	uint32_t domain;	 /* for the IOMMU's caches */
	unsigned int leaf_shift; /* of the mappings that it uses */
	uint64_t ready_ns;	 /* when it was attached: calls may be made ahead of time */
};

/* A call that the device under test answered unlike the engine. */
struct world_difference {
	const char *call; /* static: its name */
	uint64_t begin_ns;
	int engine_ret, device_ret; /* 0 or -errno */
};

/* What happened, added up over all guests. */
struct world_counts {
	uint64_t calls;
	uint64_t maps;
	uint64_t unmaps;
	uint64_t calls_failed;
	uint64_t calls_ns; /* virtual time inside calls */
	uint64_t mapped_bytes;
	uint64_t live_maps;
	uint64_t live_maps_peak;
	uint64_t dmas;
	uint64_t dma_bytes;
	uint64_t dma_faults;	/* refused by the page tables */
	uint64_t dma_stale;	/* let through by a translation that was no longer mapped */
	uint64_t stale_windows; /* unmaps whose translation lived on */
	uint64_t stale_ns;	/* sum over them, until they were invalidated */
	uint64_t stale_longest_ns;
	uint64_t iova_searches; /* for a free address, and the taken ranges that they passed */
	uint64_t iova_visits;
	uint64_t answers_differ; /* of the device under test from the engine */
	struct world_difference first_difference;
};

enum guest_object_limits { GUEST_OBJECTS_MAX = 64 };

/* A guest: a VMM process with one backend. */
struct guest {
	struct world *world; /* borrowed */
	uint32_t index;
	IOMMUFDBackend *be;			/* on the engine; owned */
	IOMMUFDBackend *mirror;			/* on the device file under test, or NULL; owned */
	struct iommu *iommu;			/* borrowed */
	uint32_t tid;				/* for the trace: which of its threads calls next */
	uint32_t ioas_id;			/* of the guest's memory */
	uint32_t mirror_ids[GUEST_OBJECTS_MAX]; /* the engine's id -> the mirror's; 0: none */
	bool booted;
	uint64_t boot_done_ns; /* when its actors begin; 0: it did not boot */
	bool paused;	 /* its CPUs stand still (the end of a migration) */
	struct nic *nic; /* owned, as the others */
	struct nvme *nvme;
};

/* What the engine answered last: the backend hides some of it. */
struct last_ioctl {
	int err; /* 0 or -errno */
	uint64_t unmapped_bytes;
};

struct world_options {
	uint64_t seed;	     /* of the run */
	const char *device;  /* a path, or NULL: in this process only */
	bool measured;	     /* costs are what calls take on the device, not the model's */
	struct sim_log *log; /* borrowed; NULL: events go to the process's trace, in real time */
};

struct world {
	const struct scenario *scenario; /* borrowed */
	struct world_options options;
	struct trace *trace;		 /* of all that emits in this world; NULL: none */
	struct trace_identity caller;	 /* who calls now, in a trace of virtual time */
	struct des des;
	struct inproc *inproc; /* the engine, in this process; owned */
	struct last_ioctl last_ioctl;
	struct iommu *iommus; /* owned */
	struct guest *guests; /* owned */
	struct world_counts counts;
	/* Of the actors (actors.def): one a guest, or one; owned, NULL until their files make it. */
#define OWN(type, member) type *member;
#define NO_OWN
#define ACTOR(SECTION, name, text, own, keys) own
#include "sim/scenario/actors.def"
#undef ACTOR
#undef NO_OWN
#undef OWN
	struct arena arena; /* memory behind all guests */
	uint64_t latest_ns; /* the end of the call or access that ends last */
	char error[256];
};

/* NULL: *err is a negative errno and error says what was wrong. scenario must outlive it. */
struct world *world_create(const struct scenario *scenario, const struct world_options *options,
			   int *err, char error[256]);
void world_destroy(struct world *world);

/*
 * Runs to until_ns of virtual time, or to the end of the scenario. False: it is
 * at the end. Call it in steps to show progress.
 */
bool world_run(struct world *world, uint64_t until_ns);

/* Runs the next event alone. False: it is at the end. */
bool world_step(struct world *world);

/* The calls that follow are those of thread tid of a guest, in a trace of virtual time. */
void world_caller(struct world *world, uint32_t tid);

/*
 * Emits event `name` of provider ioasis_sim, which happens at time_ns; then all fields but the
 * first, which is that time.
 */
#define world_emit(world, time_ns, name, ...)                                       \
	do {                                                                        \
		sim_log_at((world)->options.log, time_ns);                          \
		trace_emit((world)->trace, ioasis_sim, name, time_ns, __VA_ARGS__); \
	} while (0)

/* Takes down what actors made, in virtual time after the end: nothing is leaked. */
void world_finish(struct world *world);

#endif
