/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/op_stats.h"

#include <stdio.h>
#include <string.h>

void op_stats_init(struct op_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	histogram_init(&stats->latency_ns);
}

void op_stats_add(struct op_stats *stats, const struct state_op *op)
{
	if (!op->returned) {
		stats->unreturned++;
		return;
	}
	stats->calls++;
	if (op->ret < 0) {
		uint64_t error = (uint64_t)-op->ret;

		stats->failed++;
		stats->errors[error < OP_STATS_ERRNO_MAX ? error : OP_STATS_ERRNO_MAX]++;
	} else if (!op->non_exist) {
		stats->bytes += op->size;
	}
	if (op->begin_seen && op->end_ns >= op->begin_ns)
		histogram_add(&stats->latency_ns, (uint64_t)(op->end_ns - op->begin_ns));
}

void op_stats_merge(struct op_stats *stats, const struct op_stats *from)
{
	stats->calls += from->calls;
	stats->unreturned += from->unreturned;
	stats->failed += from->failed;
	stats->bytes += from->bytes;
	for (int i = 0; i <= OP_STATS_ERRNO_MAX; i++)
		stats->errors[i] += from->errors[i];
	histogram_merge(&stats->latency_ns, &from->latency_ns);
}

const char *op_stats_errno_name(int error, char *text, size_t size)
{
	const char *name = strerrorname_np(error);

	if (name)
		return name;
	snprintf(text, size, "errno %d", error);
	return text;
}
