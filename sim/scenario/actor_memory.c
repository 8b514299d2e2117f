/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that comes and goes: DIMMs, and a region whose blocks are plugged and
 * unplugged one by one as QEMU does for virtio-mem (its RamDiscardManager tells
 * VFIO of each block; system/vfio maps them one by one).
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/scenario/actors.h"
#include "sim/scenario/boot.h"
#include "sim/scenario/call.h"
#include "sim/scenario/report.h"

#define HOTPLUG_THREAD 3u
#define BALLOON_THREAD 4u

enum plug_what {
	PLUG_DIMM,
	PLUG_BLOCK,
};

/* Maps or unmaps memory of the actor at guest address `address`. */
static uint64_t plug(struct guest *guest, uint64_t now_ns, enum plug_what what, bool plugged,
		     uint64_t address, uint64_t size, uint64_t arena_offset, int *ret)
{
	if (plugged)
		now_ns = call_map(guest, now_ns, guest->ioas_id, address, size, arena_offset, false,
				  ret);
	else
		now_ns = call_unmap(guest, now_ns, guest->ioas_id, address, size, ret);
	world_emit(guest->world, now_ns, plug, guest->index, what, plugged, address, size);
	return now_ns;
}

/* ---- DIMMs ------------------------------------------------------------------- */

struct hotplug {
	bool *plugged; /* one a DIMM of each guest; owned by the world's first */
	uint64_t plugs;
	uint64_t unplugs;
	uint64_t plug_ns;
	uint64_t failed;
};

static uint64_t dimm_address(const struct world *world, uint64_t dimm)
{
	return guest_memory_end(world->scenario) +
	       dimm * world->scenario->memory_hotplug.dimm_bytes;
}

static uint64_t dimm_set(struct guest *guest, uint64_t now_ns, uint64_t dimm, bool plugged)
{
	struct world *world = guest->world;
	const struct scenario_memory_hotplug *config = &world->scenario->memory_hotplug;
	uint64_t offset =
		actor_arena_offset(world, &actor_memory_hotplug) + dimm * config->dimm_bytes;
	uint64_t begin_ns = now_ns;
	int ret;

	guest->tid = guest_tid(guest, HOTPLUG_THREAD);
	now_ns = plug(guest, now_ns, PLUG_DIMM, plugged, dimm_address(world, dimm),
		      config->dimm_bytes, offset, &ret);
	world->hotplugs->failed += ret != 0;
	world->hotplugs->plugged[guest->index * config->count + dimm] = plugged && !ret;
	if (plugged && !ret) {
		world->hotplugs->plugs++;
		world->hotplugs->plug_ns += now_ns - begin_ns;
	} else if (!ret) {
		world->hotplugs->unplugs++;
	}
	return now_ns;
}

static void dimm_goes(void *opaque, uint64_t dimm)
{
	struct guest *guest = opaque;

	dimm_set(guest, guest->world->des.now_ns, dimm, false);
}

static void dimm_comes(void *opaque, uint64_t dimm)
{
	struct guest *guest = opaque;
	struct des *des = &guest->world->des;
	const struct scenario_memory_hotplug *config = &guest->world->scenario->memory_hotplug;
	uint64_t now_ns = dimm_set(guest, des->now_ns, dimm, true);

	if (config->unplug_after_ns &&
	    guest->world->hotplugs->plugged[guest->index * config->count + dimm])
		des_at(des, now_ns + config->unplug_after_ns, DES_PRIORITY_NORMAL, dimm_goes, guest,
		       dimm);
	if (dimm + 1 < config->count)
		des_after(des, config->every_ns, dimm_comes, guest, dimm + 1);
}

static uint64_t hotplug_arena_bytes(const struct scenario *scenario)
{
	return scenario->memory_hotplug.count * scenario->memory_hotplug.dimm_bytes;
}

static int hotplug_create(struct world *world)
{
	const struct scenario *s = world->scenario;

	world->hotplugs = calloc(1, sizeof(*world->hotplugs));
	if (!world->hotplugs)
		return -ENOMEM;
	world->hotplugs->plugged = calloc(s->guest.count * s->memory_hotplug.count, sizeof(bool));
	return world->hotplugs->plugged ? 0 : -ENOMEM;
}

static void hotplug_begin(struct guest *guest)
{
	des_after(&guest->world->des, guest->world->scenario->memory_hotplug.start_ns, dimm_comes,
		  guest, 0);
}

static uint64_t hotplug_end(struct guest *guest, uint64_t now_ns)
{
	const struct scenario_memory_hotplug *config = &guest->world->scenario->memory_hotplug;

	for (uint64_t dimm = 0; dimm < config->count; dimm++) {
		if (guest->world->hotplugs->plugged[guest->index * config->count + dimm])
			now_ns = dimm_set(guest, now_ns, dimm, false);
	}
	return now_ns;
}

static void hotplug_report(struct world *world, struct report *out)
{
	const struct hotplug *hotplug = world->hotplugs;

	report_add(out, "memory_hotplug", "plugs", "DIMMs plugged", REPORT_COUNT, hotplug->plugs);
	report_add(out, "memory_hotplug", "unplugs", "DIMMs unplugged", REPORT_COUNT,
		   hotplug->unplugs);
	report_add(out, "memory_hotplug", "plug_mean_ns", "time to map one", REPORT_NS,
		   hotplug->plugs ? hotplug->plug_ns / hotplug->plugs : 0);
	report_add(out, "memory_hotplug", "failed", "that failed", REPORT_COUNT, hotplug->failed);
}

static void hotplug_destroy(struct world *world)
{
	if (world->hotplugs)
		free(world->hotplugs->plugged);
	free(world->hotplugs);
	world->hotplugs = NULL;
}

static void memory_hotplug_estimate(const struct scenario *s, struct actor_estimate *estimate)
{
	estimate->host_ns = s->memory_hotplug.count * 20000;
	estimate->mappings = s->memory_hotplug.count;
}

const struct actor_kind actor_memory_hotplug = {
	.section = SECTION_MEMORY_HOTPLUG,
	.did = "plugs",
	.estimate = memory_hotplug_estimate,
	.arena_bytes = hotplug_arena_bytes,
	.create = hotplug_create,
	.begin = hotplug_begin,
	.end = hotplug_end,
	.report = hotplug_report,
	.destroy = hotplug_destroy,
};

/* ---- blocks ------------------------------------------------------------------ */

struct balloon {
	struct des_random random;
	bool *plugged; /* one a block; owned */
	uint64_t plugged_count;
	uint64_t changes;
	uint64_t block_ns;
	uint64_t peak;
	uint64_t failed;
};

static uint64_t blocks_count(const struct world *world)
{
	return world->scenario->balloon.region_bytes / world->scenario->balloon.block_bytes;
}

static uint64_t block_set(struct guest *guest, uint64_t now_ns, uint64_t block, bool plugged)
{
	struct world *world = guest->world;
	struct balloon *balloon = &world->balloons[guest->index];
	uint64_t bytes = world->scenario->balloon.block_bytes, begin_ns = now_ns;
	uint64_t address = guest_memory_end(world->scenario) + block * bytes;
	uint64_t offset = actor_arena_offset(world, &actor_balloon) + block * bytes;
	int ret;

	if (world->scenario->has[SECTION_MEMORY_HOTPLUG])
		address += hotplug_arena_bytes(world->scenario);
	now_ns = plug(guest, now_ns, PLUG_BLOCK, plugged, address, bytes, offset, &ret);
	if (ret) {
		balloon->failed++;
		return now_ns;
	}
	balloon->plugged[block] = plugged;
	balloon->plugged_count += plugged ? 1 : UINT64_MAX;
	balloon->changes++;
	balloon->block_ns += now_ns - begin_ns;
	if (balloon->plugged_count > balloon->peak)
		balloon->peak = balloon->plugged_count;
	return now_ns;
}

/* A block that is (or is not) plugged: the first at or after a random one. */
static uint64_t draw_block(struct balloon *balloon, uint64_t count, bool plugged)
{
	uint64_t block = des_random_below(&balloon->random, count);

	while (balloon->plugged[block] != plugged)
		block = block + 1 == count ? 0 : block + 1;
	return block;
}

static void balloon_changes(void *opaque, uint64_t arg)
{
	struct guest *guest = opaque;
	struct world *world = guest->world;
	const struct scenario_balloon *config = &world->scenario->balloon;
	struct balloon *balloon = &world->balloons[guest->index];
	uint64_t count = blocks_count(world), now_ns = world->des.now_ns;
	uint64_t change = des_dist_draw(&config->change, &balloon->random);
	bool plugged = des_random_chance(&balloon->random, 1, 2);

	(void)arg;
	guest->tid = guest_tid(guest, BALLOON_THREAD);
	for (; change; change--) {
		if (balloon->plugged_count == (plugged ? count : 0))
			break;
		now_ns = block_set(guest, now_ns, draw_block(balloon, count, !plugged), plugged);
	}
	des_at(&world->des, now_ns + config->every_ns, DES_PRIORITY_NORMAL, balloon_changes, guest,
	       0);
}

static uint64_t balloon_arena_bytes(const struct scenario *scenario)
{
	return scenario->balloon.region_bytes;
}

static int balloon_create(struct world *world)
{
	world->balloons = calloc(world->scenario->guest.count, sizeof(*world->balloons));
	if (!world->balloons)
		return -ENOMEM;
	for (uint64_t i = 0; i < world->scenario->guest.count; i++) {
		struct balloon *balloon = &world->balloons[i];

		des_random_init(&balloon->random, world->options.seed, "balloon", i);
		balloon->plugged = calloc(blocks_count(world), sizeof(bool));
		if (!balloon->plugged)
			return -ENOMEM;
	}
	return 0;
}

static void balloon_begin(struct guest *guest)
{
	struct world *world = guest->world;
	uint64_t first = (uint64_t)((unsigned __int128)blocks_count(world) *
				    world->scenario->balloon.plugged_ppm / 1000000);
	uint64_t now_ns = world->des.now_ns;

	guest->tid = guest_tid(guest, BALLOON_THREAD);
	for (uint64_t block = 0; block < first; block++)
		now_ns = block_set(guest, now_ns, block, true);
	des_at(&world->des, now_ns + world->scenario->balloon.every_ns, DES_PRIORITY_NORMAL,
	       balloon_changes, guest, 0);
}

static uint64_t balloon_end(struct guest *guest, uint64_t now_ns)
{
	const struct balloon *balloon = &guest->world->balloons[guest->index];

	guest->tid = guest_tid(guest, BALLOON_THREAD);
	for (uint64_t block = 0; block < blocks_count(guest->world); block++) {
		if (balloon->plugged[block])
			now_ns = block_set(guest, now_ns, block, false);
	}
	return now_ns;
}

static void balloon_report(struct world *world, struct report *out)
{
	uint64_t changes = 0, block_ns = 0, peak = 0, plugged = 0, failed = 0;

	for (uint64_t i = 0; i < world->scenario->guest.count; i++) {
		const struct balloon *balloon = &world->balloons[i];

		changes += balloon->changes;
		block_ns += balloon->block_ns;
		plugged += balloon->plugged_count;
		failed += balloon->failed;
		if (balloon->peak > peak)
			peak = balloon->peak;
	}
	report_add(out, "balloon", "changes", "blocks plugged or unplugged", REPORT_COUNT, changes);
	report_add(out, "balloon", "block_mean_ns", "time for a block", REPORT_NS,
		   changes ? block_ns / changes : 0);
	report_add(out, "balloon", "plugged", "blocks plugged at the end", REPORT_COUNT, plugged);
	report_add(out, "balloon", "peak", "and at most, of a guest", REPORT_COUNT, peak);
	report_add(out, "balloon", "failed", "that failed", REPORT_COUNT, failed);
}

static void balloon_destroy(struct world *world)
{
	for (uint64_t i = 0; world->balloons && i < world->scenario->guest.count; i++)
		free(world->balloons[i].plugged);
	free(world->balloons);
	world->balloons = NULL;
}

static void balloon_estimate(const struct scenario *s, struct actor_estimate *estimate)
{
	uint64_t blocks = des_dist_mean(&s->balloon.change) + 1;

	estimate->mappings = s->balloon.region_bytes / s->balloon.block_bytes;
	estimate->host_ns = actor_times(s, 0, s->balloon.every_ns) * blocks * 1000 +
			    estimate->mappings * 1000;
}

const struct actor_kind actor_balloon = {
	.section = SECTION_BALLOON,
	.did = "changes",
	.estimate = balloon_estimate,
	.arena_bytes = balloon_arena_bytes,
	.create = balloon_create,
	.begin = balloon_begin,
	.end = balloon_end,
	.report = balloon_report,
	.destroy = balloon_destroy,
};
