/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between stats.c, which counts, and stats_print.c, which shows. */
#ifndef IOASIS_ANALYSIS_STATS_INTERNAL_H
#define IOASIS_ANALYSIS_STATS_INTERNAL_H

#include <stdbool.h>

#include "analysis/stats/stats.h"
#include "analysis/stats/stats_device.h"
#include "analysis/table.h"

/* A process, or a thread or an address space of one. */
struct stats_row {
	uint32_t machine, pid, tid;
	const struct state_process *process; /* borrowed of the state */
	bool qemu;		/* its calls are told by QEMU's own events */
	uint64_t backend, id;	/* backend 0: a program without it */
	uint64_t calls, errors, total_ns, max_ns, mapped_bytes, unmapped_bytes;
	struct stats_row *next;
};

/* In the order of appearance. */
struct stats_rows {
	struct table table;
	struct stats_row *first, *last;
};

struct stats {
	struct analysis *analysis;
	struct stats_op *ops[OP_COUNT]; /* NULL: never called */
	struct stats_rows processes, threads, spaces;
	struct stats_devices devices;
	bool failed;
};

#endif
