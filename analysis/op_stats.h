/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is counted of the calls of one kind: how many, how they failed, how many
 * bytes they moved, how long they took.
 */
#ifndef IOASIS_ANALYSIS_OP_STATS_H
#define IOASIS_ANALYSIS_OP_STATS_H

#include "analysis/histogram.h"
#include "analysis/state.h"

#define OP_STATS_ERRNO_MAX 133 /* EHWPOISON; higher ones are counted under it */

struct op_stats {
	uint64_t calls;	     /* that returned */
	uint64_t unreturned; /* that had not when the trace ended */
	uint64_t failed;
	uint64_t bytes;	     /* mapped, unmapped, read as dirty, by calls that succeeded */
	uint64_t errors[OP_STATS_ERRNO_MAX + 1]; /* by errno */
	struct histogram latency_ns; /* of the calls whose begin was seen */
};

void op_stats_init(struct op_stats *stats);
void op_stats_add(struct op_stats *stats, const struct state_op *op);
void op_stats_merge(struct op_stats *stats, const struct op_stats *from);

/* "ENOENT", or "errno 999" where it has no name; text has 16 bytes or more. */
const char *op_stats_errno_name(int error, char *text, size_t size);

#endif
