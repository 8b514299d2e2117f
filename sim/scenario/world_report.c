/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/world_report.h"

#include <inttypes.h>

#include "sim/scenario/actors.h"
#include "sim/scenario/report.h"
#include "sim/scenario/schema.h"
#include "sim/scenario/units.h"
#include "sim/scenario/world.h"

static void report_iommus(const struct world *world, struct report *report)
{
	uint64_t hits = 0, misses = 0, steps = 0, invalidations = 0, flushes = 0, wait_ns = 0;
	uint64_t lock_wait_ns = 0, lock_jobs = 0, lock_waited = 0;

	for (uint64_t i = 0; i < world->scenario->host.iommus_count; i++) {
		const struct iommu *iommu = &world->iommus[i];

		hits += iommu->hits_count;
		misses += iommu->misses_count;
		steps += iommu->walk_steps_count;
		invalidations += iommu->invalidations_count;
		flushes += iommu->flushes_count;
		wait_ns += iommu->invalidation_queue.wait_ns;
		lock_wait_ns += iommu->lock.wait_ns;
		lock_jobs += iommu->lock.jobs_count;
		lock_waited += iommu->lock.waited_count;
	}
	report_add(report, "iommu", "translations", "translations", REPORT_COUNT, hits + misses);
	report_add(report, "iommu", "miss_ppm", "not in the IOTLB", REPORT_PPM,
		   report_ppm(misses, hits + misses));
	report_add(report, "iommu", "walk_steps", "memory accesses of walks", REPORT_COUNT, steps);
	report_add(report, "iommu", "invalidations", "invalidations, one by one", REPORT_COUNT,
		   invalidations);
	report_add(report, "iommu", "flushes", "flushes of a whole address space", REPORT_COUNT,
		   flushes);
	report_add(report, "iommu", "invalidation_wait_ns", "waiting for the invalidation queue",
		   REPORT_NS, wait_ns);
	report_add(report, "iommu", "lock_waited_ppm", "calls that waited for the lock", REPORT_PPM,
		   report_ppm(lock_waited, lock_jobs));
	report_add(report, "iommu", "lock_wait_ns", "waiting for the lock", REPORT_NS,
		   lock_wait_ns);
}

static void report_counts(const struct world *world, struct report *report)
{
	const struct world_counts *c = &world->counts;

	report_add(report, "run", "virtual_ns", "virtual time", REPORT_NS, world->des.now_ns);
	report_add(report, "run", "events", "events", REPORT_COUNT, world->des.fired_count);
	report_add(report, "run", "guests", "guests", REPORT_COUNT, world->scenario->guest.count);
	report_add(report, "calls", "calls", "backend calls", REPORT_COUNT, c->calls);
	report_add(report, "calls", "maps", "maps", REPORT_COUNT, c->maps);
	report_add(report, "calls", "unmaps", "unmaps", REPORT_COUNT, c->unmaps);
	report_add(report, "calls", "failed", "that failed", REPORT_COUNT, c->calls_failed);
	report_add(report, "calls", "mean_ns", "time of a call, mean", REPORT_NS,
		   c->calls ? c->calls_ns / c->calls : 0);
	report_add(report, "calls", "mapped_bytes", "bytes mapped in all", REPORT_BYTES,
		   c->mapped_bytes);
	report_add(report, "calls", "live_maps_peak", "mappings at most", REPORT_COUNT,
		   c->live_maps_peak);
	report_add(report, "dma", "accesses", "accesses of devices", REPORT_COUNT, c->dmas);
	report_add(report, "dma", "bytes", "bytes", REPORT_BYTES, c->dma_bytes);
	report_add(report, "dma", "faults", "refused by the page tables", REPORT_COUNT,
		   c->dma_faults);
	report_add(report, "dma", "stale", "let through after the unmap", REPORT_COUNT,
		   c->dma_stale);
	report_add(report, "dma", "stale_windows", "unmaps that left a stale translation",
		   REPORT_COUNT, c->stale_windows);
	report_add(report, "dma", "stale_mean_ns", "for so long, mean", REPORT_NS,
		   c->stale_windows ? c->stale_ns / c->stale_windows : 0);
	report_add(report, "dma", "stale_longest_ns", "and at most", REPORT_NS,
		   c->stale_longest_ns);
	if (world->scenario->dma.allocator == ALLOCATOR_SEARCHES)
		report_add(report, "dma", "iova_visits_per_1000", "ranges passed in 1,000 searches",
			   REPORT_COUNT,
			   c->iova_searches ? c->iova_visits * 1000 / c->iova_searches : 0);
	report_iommus(world, report);
}

/* The value of SECTION.start, or 0 where there is no such key. */
static uint64_t start_of(const struct scenario *scenario, enum scenario_section section)
{
	const struct schema_key *key = schema_find(section, "start");

	return key && key->type == SCHEMA_TIME
		       ? *(const uint64_t *)((const char *)scenario + key->offset)
		       : 0;
}

/* An actor did nothing: says why, as far as that is known. */
static void warn_idle(const struct world *world, const struct actor_kind *kind,
		      uint64_t boot_done_ns, struct report *report)
{
	uint64_t start_ns = start_of(world->scenario, kind->section);
	const char *section = schema_section_name(kind->section);
	char start[UNITS_TEXT_BYTES], end[UNITS_TEXT_BYTES], boot[UNITS_TEXT_BYTES];

	units_print_time(start_ns, start);
	units_print_time(boot_done_ns, boot);
	units_print_time(world->scenario->top.duration_ns, end);
	if (boot_done_ns + start_ns >= world->scenario->top.duration_ns)
		report_warn(report,
			    "%s did nothing: it starts %s after the boot, which ends at %s, and the "
			    "run ends at %s; set duration to more, or %s.start to less", section,
			    start, boot, end, section);
	else if (report_get(report, section, "failed") &&
		 report_get(report, section, "failed") != UINT64_MAX)
		report_warn(report, "%s did nothing: calls failed ('failed' above)", section);
	else
		report_warn(report,
			    "%s did nothing ('%s' is 0): nothing of it ended within %s; set duration "
			    "to more", section, kind->did, end);
}

/* What was asked for and did not come about. */
static void report_warnings(const struct world *world, struct report *report)
{
	uint64_t count = world->scenario->guest.count, booted = 0, first_ns = UINT64_MAX;
	uint64_t end_ns = world->scenario->top.duration_ns;
	char boot[UNITS_TEXT_BYTES], end[UNITS_TEXT_BYTES];
	bool has_actor = false;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t done_ns = world->guests[i].boot_done_ns;

		booted += done_ns && done_ns <= end_ns;
		if (done_ns && done_ns < first_ns)
			first_ns = done_ns;
	}
	units_print_time(first_ns, boot);
	units_print_time(end_ns, end);
	if (!booted && first_ns != UINT64_MAX)
		report_warn(report, "the boot ends at %s and the run at %s: no actor began; set "
			    "duration to more, or guest.page to 2MiB for a faster boot", boot, end);
	else if (booted < count)
		report_warn(report, "%" PRIu64 " of %" PRIu64 " guests had not booted when the run "
			    "ended at %s; set duration to more, or guest.boot_after to less",
			    count - booted, count, end);
	for (unsigned int i = 0; i < actor_kinds_count; i++) {
		const struct actor_kind *kind = actor_kinds[i];

		if (!world->scenario->has[kind->section])
			continue;
		has_actor = true;
		if (booted && kind->did &&
		    !report_get(report, schema_section_name(kind->section), kind->did))
			warn_idle(world, kind, first_ns, report);
	}
	if (!has_actor)
		report_warn(report, "nothing happens after the boot: no section makes an actor; add "
			    "one, like 'nic:' ('ioasis simulate --keys' lists them)");
}

void world_report(struct world *world, struct report *report)
{
	report_counts(world, report);
	for (unsigned int i = 0; i < actor_kinds_count; i++) {
		if (actor_kinds[i]->report && world->scenario->has[actor_kinds[i]->section])
			actor_kinds[i]->report(world, report);
	}
	report_warnings(world, report);
	world_finish(world);
	report_add(report, "device", "answers_differ", "answers unlike the engine's", REPORT_COUNT,
		   world->counts.answers_differ);
}
