/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the hypervisor does by itself: devices that are plugged, moved between page
 * tables and unplugged; questions that it asks now and then; a driver's mistakes
 * on purpose, at the times that the scenario says.
 */
#include <errno.h>
#include <stdlib.h>

#include <ioasis/iommufd_abi.h>

#include "sim/scenario/actors.h"
#include "sim/scenario/boot.h"
#include "sim/scenario/call.h"
#include "sim/scenario/dma.h"
#include "sim/scenario/report.h"

#define DEVICE_THREAD	    6u
#define HOUSEKEEPING_THREAD 7u
#define PLUG_DEVICE	    2u
#define PROBE_ADDRESS	    ((uint64_t)2 << 20) /* memory in every layout */

/* ---- devices ------------------------------------------------------------------- */

/* One device of each guest at a time, each a few steps long. */
struct device_hotplug {
	struct sim_device device;
	uint64_t devices; /* that came so far */
	uint64_t moves;	  /* of the present one */
	uint64_t moves_all;
	uint64_t step_ns; /* sum */
	uint64_t steps;
	uint64_t probes_ok;
	uint64_t probes_refused;
	uint64_t failed;
	uint32_t other_ioas; /* an empty address space: what it moves to and from */
};

static void device_step(void *opaque, uint64_t arg);

/* The device writes where the guest's memory is: through only when attached to it. */
static void probe(struct device_hotplug *plug)
{
	struct guest *guest = plug->device.guest;
	enum dma_result result;

	if (!plug->device.hwpt_id || (plug->device.ioas_id != guest->ioas_id &&
				      !guest->world->scenario->device_hotplug.probe_empty))
		return;
	dma_access(&plug->device, guest->world->des.now_ns, PROBE_ADDRESS, 4096, true, &result);
	if (result == DMA_OK)
		plug->probes_ok++;
	else
		plug->probes_refused++;
}

static uint64_t device_comes(struct guest *guest, struct device_hotplug *plug, uint64_t now_ns)
{
	int ret;

	now_ns = call_connect(guest, now_ns, &ret);
	now_ns = guest_device_make(guest, &plug->device, MODE_PASSTHROUGH, now_ns, &ret);
	if (!ret)
		now_ns = call_alloc_ioas(guest, now_ns, &plug->other_ioas, &ret);
	plug->failed += ret != 0;
	plug->devices++;
	plug->moves = 0;
	world_emit(guest->world, now_ns, plug, guest->index, PLUG_DEVICE, true, 0, 0);
	return now_ns;
}

/* To the empty address space and back, in turn. */
static uint64_t device_moves(struct guest *guest, struct device_hotplug *plug, uint64_t now_ns)
{
	uint32_t to = plug->device.ioas_id == guest->ioas_id ? plug->other_ioas : guest->ioas_id;
	int ret;

	now_ns = call_device_attach(&plug->device, now_ns, to, 0, &ret);
	plug->failed += ret != 0;
	plug->moves++;
	plug->moves_all++;
	return now_ns;
}

static uint64_t device_goes(struct guest *guest, struct device_hotplug *plug, uint64_t now_ns)
{
	now_ns = call_device_detach(&plug->device, now_ns);
	if (plug->other_ioas)
		now_ns = call_free_id(guest, now_ns, plug->other_ioas);
	plug->other_ioas = 0;
	now_ns = call_device_unbind(&plug->device, now_ns);
	now_ns = call_disconnect(guest, now_ns);
	world_emit(guest->world, now_ns, plug, guest->index, PLUG_DEVICE, false, 0, 0);
	return now_ns;
}

static void device_step(void *opaque, uint64_t arg)
{
	struct guest *guest = opaque;
	struct world *world = guest->world;
	const struct scenario_device_hotplug *config = &world->scenario->device_hotplug;
	struct device_hotplug *plug = &world->device_hotplugs[guest->index];
	uint64_t now_ns = world->des.now_ns;

	(void)arg;
	guest->tid = guest_tid(guest, DEVICE_THREAD);
	if (plug->device.bound)
		probe(plug);
	if (!plug->device.bound && plug->devices == config->count)
		return;
	if (!plug->device.bound)
		now_ns = device_comes(guest, plug, now_ns);
	else if (plug->moves < config->replaces)
		now_ns = device_moves(guest, plug, now_ns);
	else
		now_ns = device_goes(guest, plug, now_ns);
	plug->steps++;
	plug->step_ns += now_ns - world->des.now_ns;
	des_at(&world->des, now_ns + config->every_ns, DES_PRIORITY_NORMAL, device_step, guest, 0);
}

static int device_create(struct world *world)
{
	world->device_hotplugs =
		calloc(world->scenario->guest.count, sizeof(*world->device_hotplugs));
	return world->device_hotplugs ? 0 : -ENOMEM;
}

static void device_begin(struct guest *guest)
{
	des_after(&guest->world->des, guest->world->scenario->device_hotplug.start_ns, device_step,
		  guest, 0);
}

static uint64_t device_end(struct guest *guest, uint64_t now_ns)
{
	struct device_hotplug *plug = &guest->world->device_hotplugs[guest->index];

	guest->tid = guest_tid(guest, DEVICE_THREAD);
	return plug->device.bound ? device_goes(guest, plug, now_ns) : now_ns;
}

static void device_report(struct world *world, struct report *out)
{
	struct device_hotplug sum = { .devices = 0 };

	for (uint64_t i = 0; i < world->scenario->guest.count; i++) {
		const struct device_hotplug *plug = &world->device_hotplugs[i];

		sum.devices += plug->devices;
		sum.moves_all += plug->moves_all;
		sum.steps += plug->steps;
		sum.step_ns += plug->step_ns;
		sum.probes_ok += plug->probes_ok;
		sum.probes_refused += plug->probes_refused;
		sum.failed += plug->failed;
	}
	report_add(out, "device_hotplug", "devices", "devices plugged", REPORT_COUNT, sum.devices);
	report_add(out, "device_hotplug", "moves", "moves to another page table", REPORT_COUNT,
		   sum.moves_all);
	report_add(out, "device_hotplug", "step_mean_ns", "time of a step", REPORT_NS,
		   sum.steps ? sum.step_ns / sum.steps : 0);
	report_add(out, "device_hotplug", "probes_ok", "writes of the device let through",
		   REPORT_COUNT, sum.probes_ok);
	report_add(out, "device_hotplug", "probes_refused", "and refused", REPORT_COUNT,
		   sum.probes_refused);
	report_add(out, "device_hotplug", "failed", "steps that failed", REPORT_COUNT, sum.failed);
}

static void device_destroy(struct world *world)
{
	free(world->device_hotplugs);
	world->device_hotplugs = NULL;
}

static void device_hotplug_estimate(const struct scenario *s, struct actor_estimate *estimate)
{
	estimate->host_ns = s->device_hotplug.count * (s->device_hotplug.replaces + 2) * 20000;
}

const struct actor_kind actor_device_hotplug = {
	.section = SECTION_DEVICE_HOTPLUG,
	.did = "devices",
	.estimate = device_hotplug_estimate,
	.create = device_create,
	.begin = device_begin,
	.end = device_end,
	.report = device_report,
	.destroy = device_destroy,
};

/* ---- housekeeping ---------------------------------------------------------------- */

/* A device of its own, since it is a device that questions are about. */
struct housekeeping {
	struct sim_device device;
	uint64_t questions;
	uint64_t failed;
};

static void ask(void *opaque, uint64_t arg)
{
	struct guest *guest = opaque;
	struct world *world = guest->world;
	struct housekeeping *keeping = &world->housekeepings[guest->index];
	uint64_t now_ns;
	int ret;

	(void)arg;
	guest->tid = guest_tid(guest, HOUSEKEEPING_THREAD);
	now_ns = call_device_info(guest, world->des.now_ns, keeping->device.id, &ret);
	keeping->questions++;
	keeping->failed += ret != 0;
	des_at(&world->des, now_ns + world->scenario->housekeeping.every_ns, DES_PRIORITY_NORMAL,
	       ask, guest, 0);
}

static int keeping_create(struct world *world)
{
	world->housekeepings = calloc(world->scenario->guest.count, sizeof(*world->housekeepings));
	return world->housekeepings ? 0 : -ENOMEM;
}

static void keeping_begin(struct guest *guest)
{
	struct world *world = guest->world;
	struct housekeeping *keeping = &world->housekeepings[guest->index];
	uint64_t now_ns;
	int ret;

	guest->tid = guest_tid(guest, HOUSEKEEPING_THREAD);
	now_ns = call_device_bind(&keeping->device, guest, world->des.now_ns, &ret);
	keeping->failed += ret != 0;
	if (!ret)
		des_at(&world->des, now_ns + world->scenario->housekeeping.every_ns,
		       DES_PRIORITY_NORMAL, ask, guest, 0);
}

static uint64_t keeping_end(struct guest *guest, uint64_t now_ns)
{
	struct housekeeping *keeping = &guest->world->housekeepings[guest->index];

	guest->tid = guest_tid(guest, HOUSEKEEPING_THREAD);
	return keeping->device.bound ? call_device_unbind(&keeping->device, now_ns) : now_ns;
}

static void keeping_report(struct world *world, struct report *out)
{
	uint64_t questions = 0, failed = 0;

	for (uint64_t i = 0; i < world->scenario->guest.count; i++) {
		questions += world->housekeepings[i].questions;
		failed += world->housekeepings[i].failed;
	}
	report_add(out, "housekeeping", "questions", "questions asked", REPORT_COUNT, questions);
	report_add(out, "housekeeping", "failed", "that failed", REPORT_COUNT, failed);
}

static void keeping_destroy(struct world *world)
{
	free(world->housekeepings);
	world->housekeepings = NULL;
}

static void housekeeping_estimate(const struct scenario *s, struct actor_estimate *estimate)
{
	estimate->host_ns = actor_times(s, 0, s->housekeeping.every_ns) * 2000;
}

const struct actor_kind actor_housekeeping = {
	.section = SECTION_HOUSEKEEPING,
	.did = "questions",
	.estimate = housekeeping_estimate,
	.create = keeping_create,
	.begin = keeping_begin,
	.end = keeping_end,
	.report = keeping_report,
	.destroy = keeping_destroy,
};

/* ---- faults ------------------------------------------------------------------------ */

struct faults {
	uint64_t planted;
};

static void plant(void *opaque, uint64_t done_count)
{
	struct guest *guest = opaque;
	struct world *world = guest->world;
	const struct scenario_faults *config = &world->scenario->faults;

	nic_misbehave(guest, (enum scenario_fault)config->kind);
	world->faults->planted++;
	if (done_count + 1 < config->count)
		des_after(&world->des, config->every_ns, plant, guest, done_count + 1);
}

static int faults_create(struct world *world)
{
	world->faults = calloc(1, sizeof(*world->faults));
	return world->faults ? 0 : -ENOMEM;
}

static void faults_begin(struct guest *guest)
{
	const struct scenario_faults *config = &guest->world->scenario->faults;

	/* Only the first guest's driver is faulty: the others show what is right. */
	if (guest->index == 0 && config->kind != FAULT_NONE)
		des_after(&guest->world->des, config->start_ns, plant, guest, 0);
}

static void faults_report(struct world *world, struct report *out)
{
	report_add(out, "faults", "planted", "mistakes planted", REPORT_COUNT,
		   world->faults->planted);
}

static void faults_destroy(struct world *world)
{
	free(world->faults);
	world->faults = NULL;
}

const struct actor_kind actor_faults = {
	.section = SECTION_FAULTS,
	.did = "planted",
	.create = faults_create,
	.begin = faults_begin,
	.report = faults_report,
	.destroy = faults_destroy,
};
