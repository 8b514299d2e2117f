/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/simulate.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "sim/scenario/actors.h"
#include "sim/scenario/sim_log.h"
#include "sim/scenario/world.h"

/* Steps in which a run is cut, so that progress can be shown and Ctrl-C heard. */
#define PROGRESS_STEPS 1000u

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

static void report_world(const struct world *world, struct report *report)
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
	report_iommus(world, report);
}

static int run(struct world *world, const struct simulate_options *options)
{
	uint64_t duration_ns = world->scenario->top.duration_ns;
	uint64_t step_ns = duration_ns / PROGRESS_STEPS + 1;
	int err = 0;

	while (!err && world_run(world, world->des.now_ns + step_ns)) {
		if (options->progress &&
		    !options->progress(options->progress_opaque, world->des.now_ns, duration_ns))
			err = -EINTR;
	}
	return err;
}

int simulate_run(const struct scenario *scenario, const struct simulate_options *options,
		 struct report *report, struct simulate_difference *difference,
		 char error[SIMULATE_ERROR_BYTES])
{
	struct world_options world_options = {
		.seed = options->seed,
		.device = options->device,
		.measured = options->measured,
	};
	char world_error[256];
	struct world *world;
	int err = 0, log_err = 0;

	report_init(report);
	*difference = (struct simulate_difference){ 0 };
	if (options->trace_dir) {
		world_options.log =
			sim_log_create(options->trace_dir, scenario->top.name, scenario->top.seed,
				       options->seed, error, SIMULATE_ERROR_BYTES);
		if (!world_options.log)
			return -EIO;
	}
	world = world_create(scenario, &world_options, &err, world_error);
	if (!world) {
		snprintf(error, SIMULATE_ERROR_BYTES, "%s", world_error);
		goto out_log;
	}
	err = run(world, options);
	report_world(world, report);
	for (unsigned int i = 0; i < actor_kinds_count; i++) {
		if (actor_kinds[i]->report && scenario->has[actor_kinds[i]->section])
			actor_kinds[i]->report(world, report);
	}
	world_finish(world);
	report_add(report, "device", "answers_differ", "answers unlike the engine's", REPORT_COUNT,
		   world->counts.answers_differ);
	*difference = (struct simulate_difference){
		.call = world->counts.first_difference.call,
		.begin_ns = world->counts.first_difference.begin_ns,
		.engine_ret = world->counts.first_difference.engine_ret,
		.device_ret = world->counts.first_difference.device_ret,
		.count = world->counts.answers_differ,
	};
	world_destroy(world);
out_log:
	if (world_options.log) {
		char log_error[SIMULATE_ERROR_BYTES];

		log_err = sim_log_finish(world_options.log, log_error, sizeof(log_error));
		if (log_err && !err)
			snprintf(error, SIMULATE_ERROR_BYTES, "%s", log_error);
	}
	return err ? err : log_err;
}
