/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ioasis/error.h>
#include <ioasis/iommufd_abi.h>

#include "backend/trace_to.h"
#include "sim/inproc/inproc.h"
#include "sim/scenario/actors.h"
#include "sim/scenario/boot.h"
#include "sim/scenario/call.h"
#include "sim/scenario/device_probe.h"
#include "sim/scenario/schema.h"
#include "tracepoints/load.h"

const struct actor_kind *const actor_kinds[] = {
#define ACTOR(SECTION, name, ...) &actor_##name,
#include "sim/scenario/actors.def"
#undef ACTOR
};
const unsigned int actor_kinds_count = sizeof(actor_kinds) / sizeof(*actor_kinds);

static int fail(struct world *world, int err, const char *what)
{
	snprintf(world->error, sizeof(world->error), "%s: %s", what, strerror(-err));
	return err;
}

/* ---- the way to the engine ------------------------------------------------- */

static int host_open(void *opaque, const char *path, int flags)
{
	struct world *world = opaque;

	(void)path;
	(void)flags;
	return inproc_open(world->inproc);
}

/* Keeps what the backend does not pass on: the errno of DESTROY, the bytes of UNMAP. */
static int host_ioctl(void *opaque, int fd, unsigned long request, void *arg)
{
	struct world *world = opaque;
	int ret = inproc_ioctl(world->inproc, fd, request, arg);

	world->last_ioctl.err = ret < 0 ? -errno : 0;
	if (request == IOMMU_IOAS_UNMAP)
		world->last_ioctl.unmapped_bytes =
			ret < 0 ? 0 : ((struct iommu_ioas_unmap *)arg)->length;
	return ret;
}

static int host_close(void *opaque, int fd)
{
	struct world *world = opaque;

	return inproc_close(world->inproc, fd);
}

static const IOMMUFDDeviceOps host_ops = {
	.open = host_open,
	.ioctl = host_ioctl,
	.close = host_close,
};

void world_caller(struct world *world, uint32_t tid)
{
	world->caller = (struct trace_identity){ .pid = SIM_LOG_PID, .tid = tid };
	sim_log_thread(world->options.log, tid);
}

/* ---- memory ------------------------------------------------------------------ */

bool actor_has_guest(const struct guest *guest, uint64_t first_guest, uint64_t guests)
{
	return guest->index >= first_guest && (!guests || guest->index - first_guest < guests);
}

uint64_t actor_guests(const struct scenario *scenario, uint64_t first_guest, uint64_t guests)
{
	uint64_t rest = scenario->guest.count > first_guest ? scenario->guest.count - first_guest : 0;

	return guests && guests < rest ? guests : rest;
}

uint64_t actor_arena_offset(const struct world *world, const struct actor_kind *kind)
{
	uint64_t offset = guest_memory_end(world->scenario);

	for (unsigned int i = 0; i < actor_kinds_count && actor_kinds[i] != kind; i++) {
		if (actor_kinds[i]->arena_bytes && world->scenario->has[actor_kinds[i]->section])
			offset += actor_kinds[i]->arena_bytes(world->scenario);
	}
	return offset;
}

static int make_arena(struct world *world)
{
	uint64_t bytes = actor_arena_offset(world, NULL);
	int err = 0;

	if (world->options.device)
		err = arena_map(&world->arena, bytes);
	else
		arena_nowhere(&world->arena, bytes);
	return err ? fail(world, err, "memory for the guests") : 0;
}

/* ---- guests ------------------------------------------------------------------- */

static int make_backend(struct world *world, const char *device, const char *id,
			IOMMUFDBackend **be)
{
	int err;

	*be = iommufd_backend_new(id);
	if (!*be)
		return -ENOMEM;
	if (device)
		err = iommufd_backend_set_device(*be, device, NULL, NULL);
	else
		err = iommufd_backend_set_device(*be, NULL, &host_ops, world);
	return err;
}

static int make_guests(struct world *world)
{
	const struct scenario *s = world->scenario;
	int err = 0;

	world->guests = calloc(s->guest.count, sizeof(*world->guests));
	if (!world->guests)
		return fail(world, -ENOMEM, "guests");
	for (uint32_t i = 0; i < s->guest.count && !err; i++) {
		struct guest *guest = &world->guests[i];
		char id[32];

		guest->world = world;
		guest->index = i;
		guest->iommu = &world->iommus[i % s->host.iommus_count];
		guest->tid = guest_tid(guest, 0);
		snprintf(id, sizeof(id), "guest%u", i);
		err = make_backend(world, NULL, id, &guest->be);
		if (!err)
			backend_trace_to(guest->be, world->trace);
		if (!err && world->options.device)
			err = make_backend(world, world->options.device, id, &guest->mirror);
	}
	return err ? fail(world, err, "guests") : 0;
}

static void begin_actors(void *opaque, uint64_t arg)
{
	struct guest *guest = opaque;
	struct world *world = guest->world;

	(void)arg;
	for (unsigned int i = 0; i < actor_kinds_count; i++) {
		if (actor_kinds[i]->begin && world->scenario->has[actor_kinds[i]->section])
			actor_kinds[i]->begin(guest);
	}
}

static void boot_guest(void *opaque, uint64_t arg)
{
	struct guest *guest = opaque;
	struct des *des = &guest->world->des;
	uint64_t done_ns = guest_boot(guest, des->now_ns);

	(void)arg;
	if (!guest->booted)
		return;
	guest->boot_done_ns = done_ns;
	des_at(des, done_ns, DES_PRIORITY_NORMAL, begin_actors, guest, 0);
}

static void schedule_boots(struct world *world)
{
	struct des_random random;

	for (uint32_t i = 0; i < world->scenario->guest.count; i++) {
		struct guest *guest = &world->guests[i];

		/* When guests start belongs to the world, not to the run. */
		des_random_init(&random, world->scenario->top.seed, "boot", i);
		des_after(&world->des, des_dist_draw(&world->scenario->guest.boot_after, &random),
			  boot_guest, guest, 0);
	}
}

static int make_actors(struct world *world)
{
	for (unsigned int i = 0; i < actor_kinds_count; i++) {
		int err = 0;

		if (actor_kinds[i]->create && world->scenario->has[actor_kinds[i]->section])
			err = actor_kinds[i]->create(world);
		if (err)
			return fail(world, err, schema_section_name(actor_kinds[i]->section));
	}
	return 0;
}

static int make_host(struct world *world)
{
	const struct scenario *s = world->scenario;
	struct engine_config config = { .trace = world->trace };
	int err = 0;

	if (des_init(&world->des))
		return fail(world, -ENOMEM, "clock");
	world->inproc = inproc_create(&config, INPROC_MEMORY_TRUSTED);
	if (world->inproc && world->options.log)
		inproc_call_as(world->inproc, &world->caller);
	world->iommus = calloc(s->host.iommus_count, sizeof(*world->iommus));
	if (!world->inproc || !world->iommus)
		return fail(world, -ENOMEM, "host");
	for (uint64_t i = 0; i < s->host.iommus_count && !err; i++)
		err = iommu_init(&world->iommus[i], &s->iommu, &world->des, world->options.seed, i);
	return err ? fail(world, err, "host") : 0;
}

struct world *world_create(const struct scenario *scenario, const struct world_options *options,
			   int *err, char error[256])
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world) {
		*err = -ENOMEM;
		snprintf(error, 256, "out of memory");
		return NULL;
	}
	world->scenario = scenario;
	world->options = *options;
	world->trace = options->log ? sim_log_trace(options->log) : trace_of_process();
	*err = make_host(world);
	if (!*err)
		*err = make_arena(world);
	if (!*err)
		*err = make_guests(world);
	if (!*err && world->options.device)
		*err = device_probe(world->options.device, world->error, sizeof(world->error));
	if (!*err)
		*err = make_actors(world);
	if (*err) {
		snprintf(error, 256, "%s", world->error);
		world_destroy(world);
		return NULL;
	}
	world_emit(world, 0, scenario, scenario->top.seed, options->seed, scenario->guest.count);
	schedule_boots(world);
	return world;
}

/* The next event, if it is not after until_ns. */
static bool step(struct world *world, uint64_t until_ns)
{
	if (!des_step(&world->des, until_ns))
		return false;
	if (world->options.log)
		sim_log_advance(world->options.log, world->des.now_ns);
	return true;
}

bool world_run(struct world *world, uint64_t until_ns)
{
	if (until_ns > world->scenario->top.duration_ns)
		until_ns = world->scenario->top.duration_ns;
	while (step(world, until_ns))
		;
	return world->des.now_ns < world->scenario->top.duration_ns;
}

bool world_step(struct world *world)
{
	return step(world, world->scenario->top.duration_ns) &&
	       world->des.now_ns < world->scenario->top.duration_ns;
}

void world_finish(struct world *world)
{
	uint64_t begin_ns = world->des.now_ns;

	/* Some calls that were made already end later than the scenario. */
	if (world->latest_ns > begin_ns)
		begin_ns = world->latest_ns;
	for (uint32_t i = 0; i < world->scenario->guest.count; i++) {
		struct guest *guest = &world->guests[i];
		uint64_t now_ns = begin_ns;

		if (!guest->booted)
			continue;
		for (unsigned int k = actor_kinds_count; k-- > 0;) {
			if (actor_kinds[k]->end && world->scenario->has[actor_kinds[k]->section])
				now_ns = actor_kinds[k]->end(guest, now_ns);
		}
		guest_shut_down(guest, now_ns);
	}
}

void world_destroy(struct world *world)
{
	if (!world)
		return;
	for (unsigned int i = 0; i < actor_kinds_count; i++) {
		if (actor_kinds[i]->destroy)
			actor_kinds[i]->destroy(world);
	}
	for (uint64_t i = 0; world->guests && i < world->scenario->guest.count; i++) {
		iommufd_backend_delete(world->guests[i].be, NULL);
		iommufd_backend_delete(world->guests[i].mirror, NULL);
	}
	free(world->guests);
	for (uint64_t i = 0; world->iommus && i < world->scenario->host.iommus_count; i++)
		iommu_fini(&world->iommus[i]);
	free(world->iommus);
	inproc_destroy(world->inproc);
	des_fini(&world->des);
	arena_unmap(&world->arena);
	free(world);
}
