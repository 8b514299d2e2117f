/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/simulate.h"

#include <errno.h>

#include "sim/scenario/ctf_writer.h"
#include "sim/scenario/estimate.h"
#include "sim/scenario/sim_log.h"
#include "sim/scenario/world.h"
#include "sim/scenario/world_report.h"

/* Steps in which a run is cut, so that progress can be shown and Ctrl-C heard. */
#define PROGRESS_STEPS 1000u

/* The log of a trace in options->trace_dir; NULL with one line in error. */
static struct sim_log *trace_begin(const struct scenario *scenario,
				   const struct simulate_options *options,
				   char error[SIMULATE_ERROR_BYTES])
{
	struct ctf_writer *writer =
		ctf_writer_create(options->trace_dir, scenario->top.name, scenario->top.seed,
				  options->seed, error, SIMULATE_ERROR_BYTES);
	struct sim_sink sink;
	struct sim_log *log;

	if (!writer)
		return NULL;
	sink = ctf_writer_sink(writer);
	log = sim_log_create(&sink);
	if (!log) {
		sink.fail(sink.opaque, -ENOMEM);
		sink.finish(sink.opaque, error, SIMULATE_ERROR_BYTES);
	}
	return log;
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
	err = scenario_estimate_refuse(scenario, options->memory_bytes,
				       options->unlimited ? UINT64_MAX : SCENARIO_HOST_NS_MAX,
				       ", or say --unlimited", error, SIMULATE_ERROR_BYTES);
	if (err)
		return err;
	if (options->trace_dir) {
		world_options.log = trace_begin(scenario, options, error);
		if (!world_options.log)
			return -EIO;
	}
	world = world_create(scenario, &world_options, &err, world_error);
	if (!world) {
		snprintf(error, SIMULATE_ERROR_BYTES, "%s", world_error);
		goto out_log;
	}
	err = run(world, options);
	world_report(world, report);
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
