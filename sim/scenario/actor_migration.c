/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live migration of the first guest, by pre-copy: send all memory, then in rounds
 * what was written meanwhile, until the rest fits in the allowed downtime; then
 * stop the guest, read the dirty bits once more, send the rest. Or give up after
 * so many rounds: the guest writes faster than the link carries.
 *
 * What devices wrote to the guest's memory comes from the dirty bits of their page
 * tables (those in passthrough mode have it mapped), what the CPUs wrote from a model:
 * so many pages a second, evenly among the hot share of memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/engine.h"
#include "sim/scenario/actors.h"
#include "sim/scenario/boot.h"
#include "sim/scenario/call.h"
#include "sim/scenario/report.h"

#define MIGRATION_THREAD 5u
#define PAGE_BYTES	 ENGINE_PAGE_SIZE
#define DEVICES_MAX	 2u

struct migration {
	struct guest *guest;
	struct des_random random;
	uint64_t *dirty; /* a bit a page of guest addresses; owned */
	uint64_t words_count;
	uint32_t hwpt_ids[DEVICES_MAX]; /* whose dirty bits are tracked */
	unsigned int hwpts_count;
	uint64_t begun_ns;
	uint64_t cpu_until_ns; /* the CPUs' writes are in `dirty` up to here */
	uint64_t rounds;
	uint64_t sent_pages;
	uint64_t device_pages; /* dirty by a device */
	uint64_t last_pages;
	uint64_t reads;
	uint64_t total_ns;
	uint64_t downtime_ns;
	bool done;
	bool converged;
};

static const struct scenario_migration *config_of(const struct migration *migration)
{
	return &migration->guest->world->scenario->migration;
}

static uint64_t send_ns(const struct migration *migration, uint64_t pages)
{
	return (uint64_t)((unsigned __int128)pages * PAGE_BYTES * 8 * 1000000000 /
			  config_of(migration)->bandwidth_bits);
}

/* The CPUs' writes since the last time. */
static void cpu_writes(struct migration *migration, uint64_t now_ns)
{
	const struct scenario *s = migration->guest->world->scenario;
	uint64_t pages = s->guest.memory_bytes / PAGE_BYTES, low = (uint64_t)2 << 30, hot, writes;

	/* The hot part begins at 1 MiB and stays below the hole of PCI. */
	if (pages > low / PAGE_BYTES)
		pages = low / PAGE_BYTES;
	pages -= (1 << 20) / PAGE_BYTES;
	hot = pages * s->migration.hot_ppm / 1000000 + 1;
	writes = (uint64_t)((unsigned __int128)(now_ns - migration->cpu_until_ns) *
			    s->migration.dirty_rate / 1000000000);
	/* More writes than eight times the pages leave hardly one clean. */
	if (writes > hot * 8)
		writes = hot * 8;
	for (; writes; writes--) {
		uint64_t page = (1 << 20) / PAGE_BYTES + des_random_below(&migration->random, hot);

		migration->dirty[page / 64] |= 1ull << (page % 64);
	}
	migration->cpu_until_ns = now_ns;
}

static uint64_t count_dirty(const struct migration *migration)
{
	uint64_t pages = 0;

	for (uint64_t i = 0; i < migration->words_count; i++)
		pages += (uint64_t)__builtin_popcountll(migration->dirty[i]);
	return pages;
}

/* One range, in chunks: all begin at a word of the bitmap, as 256 KiB do. */
static uint64_t read_range(struct migration *migration, uint64_t now_ns,
			   const struct guest_range *range, uint32_t hwpt_id)
{
	uint64_t end = range->address + range->bytes, chunk = config_of(migration)->chunk_bytes;

	for (uint64_t at = range->address; at < end; at += chunk) {
		uint64_t size = chunk < end - at ? chunk : end - at;
		uint64_t *words = migration->dirty + at / PAGE_BYTES / 64;

		now_ns = call_get_dirty(migration->guest, now_ns, hwpt_id, at, size, words, NULL);
		migration->reads++;
	}
	return now_ns;
}

/*
 * Reads the devices' dirty bits of all memory; returns when. Range by range, as QEMU
 * does: the kernel stops at the first address that is not mapped, and says nothing
 * (iommufd, io_pagetable.c, __iommu_read_and_clear_dirty()).
 */
static uint64_t read_dirty(struct migration *migration, uint64_t now_ns)
{
	struct guest_range ranges[GUEST_RANGES_MAX];
	unsigned int count = guest_memory_ranges(migration->guest->world->scenario, ranges);
	uint64_t before = count_dirty(migration);

	for (unsigned int device = 0; device < migration->hwpts_count; device++) {
		for (unsigned int i = 0; i < count; i++)
			now_ns = read_range(migration, now_ns, &ranges[i],
					    migration->hwpt_ids[device]);
	}
	migration->device_pages += count_dirty(migration) - before;
	return now_ns;
}

static uint64_t take_dirty(struct migration *migration)
{
	uint64_t pages = count_dirty(migration);

	memset(migration->dirty, 0, migration->words_count * sizeof(*migration->dirty));
	return pages;
}

static void end_migration(struct migration *migration, uint64_t now_ns, bool converged)
{
	struct guest *guest = migration->guest;

	while (migration->hwpts_count)
		now_ns = call_set_dirty(guest, now_ns,
					migration->hwpt_ids[--migration->hwpts_count], false, NULL);
	migration->done = true;
	migration->converged = converged;
	migration->total_ns = now_ns - migration->begun_ns;
	world_emit(guest->world, now_ns, migration_end, guest->index, converged, migration->rounds,
		   migration->downtime_ns);
}

static void last_sent(void *opaque, uint64_t arg)
{
	struct migration *migration = opaque;
	uint64_t now_ns = migration->guest->world->des.now_ns;

	migration->guest->tid = guest_tid(migration->guest, MIGRATION_THREAD);
	migration->downtime_ns = now_ns - arg;
	end_migration(migration, now_ns, true);
}

/* A round was sent: what was written meanwhile is next. */
static void round_sent(void *opaque, uint64_t arg)
{
	struct migration *migration = opaque;
	const struct scenario_migration *config = config_of(migration);
	struct guest *guest = migration->guest;
	struct des *des = &guest->world->des;
	uint64_t now_ns, pages, next_ns;

	(void)arg;
	guest->tid = guest_tid(guest, MIGRATION_THREAD);
	now_ns = read_dirty(migration, des->now_ns);
	cpu_writes(migration, now_ns);
	pages = take_dirty(migration);
	next_ns = send_ns(migration, pages);
	migration->rounds++;
	migration->last_pages = pages;
	world_emit(guest->world, now_ns, migration_round, guest->index, migration->rounds, pages,
		   next_ns);
	if (next_ns > config->downtime_ns && migration->rounds >= config->rounds_max) {
		end_migration(migration, now_ns, false);
		return;
	}
	migration->sent_pages += pages;
	if (next_ns > config->downtime_ns) {
		des_at(des, now_ns + next_ns, DES_PRIORITY_NORMAL, round_sent, migration, 0);
		return;
	}
	/* The guest stops; what its devices wrote last is read once more. */
	guest->paused = true;
	next_ns += now_ns;
	next_ns = read_dirty(migration, next_ns);
	pages = take_dirty(migration);
	migration->sent_pages += pages;
	des_at(des, next_ns + send_ns(migration, pages), DES_PRIORITY_NORMAL, last_sent, migration,
	       now_ns);
}

/* From now on the device's writes are known, if the guest's memory is what it sees. */
static uint64_t track(struct migration *migration, uint64_t now_ns, const struct sim_device *device)
{
	int ret;

	if (!device || !device->hwpt_id || device->ready_ns > now_ns ||
	    device->ioas_id != migration->guest->ioas_id)
		return now_ns;
	now_ns = call_set_dirty(migration->guest, now_ns, device->hwpt_id, true, &ret);
	if (!ret)
		migration->hwpt_ids[migration->hwpts_count++] = device->hwpt_id;
	return now_ns;
}

static void migration_starts(void *opaque, uint64_t arg)
{
	struct migration *migration = opaque;
	struct guest *guest = migration->guest;
	struct des *des = &guest->world->des;
	uint64_t now_ns = des->now_ns, pages;

	(void)arg;
	guest->tid = guest_tid(guest, MIGRATION_THREAD);
	migration->begun_ns = now_ns;
	now_ns = track(migration, now_ns, nic_device(guest));
	now_ns = track(migration, now_ns, nvme_device(guest));
	migration->cpu_until_ns = now_ns;
	pages = guest->world->scenario->guest.memory_bytes / PAGE_BYTES;
	migration->sent_pages += pages;
	world_emit(guest->world, now_ns, migration_round, guest->index, 0, pages,
		   send_ns(migration, pages));
	des_at(des, now_ns + send_ns(migration, pages), DES_PRIORITY_NORMAL, round_sent, migration,
	       0);
}

static int create(struct world *world)
{
	struct migration *migration = calloc(1, sizeof(*migration));

	if (!migration)
		return -ENOMEM;
	world->migration = migration;
	migration->guest = &world->guests[0];
	migration->words_count = guest_memory_end(world->scenario) / PAGE_BYTES / 64;
	migration->dirty = calloc(migration->words_count, sizeof(*migration->dirty));
	des_random_init(&migration->random, world->options.seed, "migration", 0);
	return migration->dirty ? 0 : -ENOMEM;
}

static void begin(struct guest *guest)
{
	if (guest->index == 0)
		des_after(&guest->world->des, guest->world->scenario->migration.start_ns,
			  migration_starts, guest->world->migration, 0);
}

static void report(struct world *world, struct report *out)
{
	const struct migration *migration = world->migration;

	report_add(out, "migration", "converged", "converged", REPORT_YES_NO, migration->converged);
	report_add(out, "migration", "finished", "ended before the scenario did", REPORT_YES_NO,
		   migration->done);
	report_add(out, "migration", "rounds", "rounds", REPORT_COUNT, migration->rounds);
	report_add(out, "migration", "sent_pages", "pages sent", REPORT_COUNT,
		   migration->sent_pages);
	report_add(out, "migration", "device_pages", "of them dirty by a device", REPORT_COUNT,
		   migration->device_pages);
	report_add(out, "migration", "last_pages", "dirty in the last round", REPORT_COUNT,
		   migration->last_pages);
	report_add(out, "migration", "reads", "calls that read dirty bits", REPORT_COUNT,
		   migration->reads);
	report_add(out, "migration", "total_ns", "time in all", REPORT_NS, migration->total_ns);
	report_add(out, "migration", "downtime_ns", "time that the guest stood still", REPORT_NS,
		   migration->downtime_ns);
}

static void destroy(struct world *world)
{
	if (world->migration)
		free(world->migration->dirty);
	free(world->migration);
	world->migration = NULL;
}

/* Of the first guest alone, so of each a share; a look at each page and round. */
static void migration_estimate(const struct scenario *s, struct actor_estimate *estimate)
{
	estimate->host_ns = s->guest.memory_bytes / 4096 * 50 / s->guest.count;
}

const struct actor_kind actor_migration = {
	.section = SECTION_MIGRATION,
	.did = "sent_pages",
	.estimate = migration_estimate,
	.create = create,
	.begin = begin,
	.report = report,
	.destroy = destroy,
};
