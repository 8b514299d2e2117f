/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run of a scenario, from its begin to its report. */
#ifndef IOASIS_SCENARIO_SIMULATE_H
#define IOASIS_SCENARIO_SIMULATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/scenario/report.h"
#include "sim/scenario/scenario.h"

struct simulate_options {
	uint64_t seed;	       /* of the run */
	const char *device;    /* a path; NULL: in this process */
	bool measured;	       /* costs are what calls take on the device */
	const char *trace_dir; /* NULL: no trace */
	bool unlimited;	       /* also what takes longer than SCENARIO_HOST_NS_MAX (estimate.h) */
	uint64_t memory_bytes; /* that the run may take; 0: any */
	/* Called now and then with the virtual time so far; may be NULL. False stops the run. */
	bool (*progress)(void *opaque, uint64_t now_ns, uint64_t duration_ns);
	void *progress_opaque;
};

/* The first call that the device answered unlike the engine. */
struct simulate_difference {
	const char *call; /* static: its name; NULL: all answers were alike */
	uint64_t begin_ns; /* virtual time */
	int engine_ret, device_ret; /* 0 or -errno */
	uint64_t count;		    /* of all such calls */
};

#define SIMULATE_ERROR_BYTES 512

/*
 * Runs scenario and fills *report (made here, for report_fini()) and *difference. 0;
 * -EINTR: progress stopped it, the report holds what there was; -EFBIG: it would take too long or
 * too much memory, and did not begin; another -errno. With one line in error, but for -EINTR.
 */
int simulate_run(const struct scenario *scenario, const struct simulate_options *options,
		 struct report *report, struct simulate_difference *difference,
		 char error[SIMULATE_ERROR_BYTES]);

#endif
