/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/world_report.h"

#include "sim/scenario/actors.h"
#include "sim/scenario/report.h"
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

void world_report(struct world *world, struct report *report)
{
	report_counts(world, report);
	for (unsigned int i = 0; i < actor_kinds_count; i++) {
		if (actor_kinds[i]->report && world->scenario->has[actor_kinds[i]->section])
			actor_kinds[i]->report(world, report);
	}
	world_finish(world);
	report_add(report, "device", "answers_differ", "answers unlike the engine's", REPORT_COUNT,
		   world->counts.answers_differ);
}
