/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/stats/stats.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/analysis.h"
#include "analysis/stats/stats_internal.h"

const char *const stats_view_names[STATS_VIEWS] = {
	[STATS_BY_OP] = "operation",
	[STATS_BY_PROCESS] = "process",
	[STATS_BY_THREAD] = "thread",
	[STATS_BY_SPACE] = "space",
	[STATS_BY_DEVICE] = "device",
};

bool stats_view_find(const char *name, enum stats_view *view)
{
	for (int i = 0; i < STATS_VIEWS; i++) {
		if (!strcmp(name, stats_view_names[i])) {
			*view = (enum stats_view)i;
			return true;
		}
	}
	return false;
}

/* ---- counting ------------------------------------------------------------------- */

static struct stats_op *op_row(struct stats *stats, enum event_op op)
{
	struct stats_op *row = stats->ops[op];

	if (row)
		return row;
	row = calloc(1, sizeof(*row));
	if (!row) {
		stats->failed = true;
		return NULL;
	}
	histogram_init(&row->latency_ns);
	stats->ops[op] = row;
	return row;
}

/* The row with this key in the list; made at the first time. */
static struct stats_row *row_get(struct stats *stats, struct stats_rows *rows, uint64_t a,
				 uint64_t b)
{
	struct stats_row *row = table_get(&rows->table, a, b);

	if (row)
		return row;
	row = table_add(&rows->table, a, b, sizeof(*row));
	if (!row) {
		stats->failed = true;
		return NULL;
	}
	if (rows->last)
		rows->last->next = row;
	else
		rows->first = row;
	rows->last = row;
	return row;
}

static void row_count(struct stats_row *row, const struct state_op *op, uint64_t bytes)
{
	uint64_t took_ns = op->begin_seen ? (uint64_t)(op->end_ns - op->begin_ns) : 0;
	enum event_op plain = event_op_plain(op->op);

	row->calls++;
	row->errors += op->ret < 0 && !op->non_exist;
	row->total_ns += took_ns;
	if (took_ns > row->max_ns)
		row->max_ns = took_ns;
	if (plain == OP_MAP_DMA || plain == OP_MAP_FILE_DMA || plain == OP_COPY_DMA)
		row->mapped_bytes += bytes;
	else if (plain == OP_UNMAP_DMA)
		row->unmapped_bytes += bytes;
}

/* Counts op in the row of its list with that key; NULL: out of memory. */
static struct stats_row *row_count_op(struct stats *stats, struct stats_rows *rows, uint64_t a,
				      uint64_t b, const struct state_op *op, uint64_t bytes)
{
	struct stats_row *row = row_get(stats, rows, a, b);

	if (row) {
		row->machine = op->machine;
		row->pid = op->pid;
		row->process = op->process;
		row_count(row, op, bytes);
	}
	return row;
}

/*
 * The rows of the process, the thread and the address space that a call is about: one of the
 * backend, or an ioctl of a program without it.
 */
static void count_views(struct stats *stats, const struct state_op *op, uint64_t bytes)
{
	struct stats_row *row = row_get(stats, &stats->processes, op->process->number, 0);
	enum event_op plain = event_op_plain(op->op);

	if (!row)
		return;
	/* QEMU's own events have no begin, so its ioctls stand beside its calls. */
	row->qemu |= op->qemu;
	if (row->qemu && op->layer == STATE_DEVICE)
		return;
	row_count_op(stats, &stats->processes, op->process->number, 0, op, bytes);
	row = row_count_op(stats, &stats->threads, op->process->number, op->tid, op, bytes);
	if (row)
		row->tid = op->tid;
	if (!op->context || !op->id || (plain != OP_MAP_DMA && plain != OP_MAP_FILE_DMA &&
					plain != OP_UNMAP_DMA && plain != OP_COPY_DMA))
		return;
	row = row_count_op(stats, &stats->spaces, op->context->serial, op->id, op, bytes);
	if (row) {
		row->backend = op->layer == STATE_BACKEND ? op->context->key : 0;
		row->id = op->id;
	}
}

static void on_op(void *opaque, const struct state_op *op)
{
	struct stats *stats = opaque;
	struct stats_op *row = op_row(stats, op->op);
	uint64_t bytes = op->ret || op->non_exist ? 0 : op->size;

	if (!row)
		return;
	if (!op->returned) {
		row->no_return++;
		return;
	}
	row->calls++;
	row->non_exist += op->non_exist;
	if (op->ret < 0 && !op->non_exist) {
		row->errors++;
		row->by_errno[op->ret > -STATS_ERRNO_MAX ? -op->ret : 0]++;
	}
	if (op->layer == STATE_BACKEND)
		row->bytes += bytes;
	if (op->begin_seen) {
		histogram_add(&row->latency_ns, (uint64_t)(op->end_ns - op->begin_ns));
		row->total_ns += (uint64_t)(op->end_ns - op->begin_ns);
	}
	if (op->layer == STATE_BACKEND || !op->outer)
		count_views(stats, op, bytes);
}

/* What a call of the device moved shows in its commits alone. */
static void on_commit(void *opaque, const struct state_object *object,
		      const struct event *commit, const struct state_op *op)
{
	struct stats_op *row = op ? op_row(opaque, op->op) : NULL;

	(void)object;
	if (!row)
		return;
	if (commit->commit_kind == TRACE_COMMIT_MAP || commit->commit_kind == TRACE_COMMIT_COPY)
		row->bytes += commit->last - commit->iova + 1;
	else if (commit->commit_kind == TRACE_COMMIT_UNMAP)
		row->bytes += commit->arg;
}

static void on_event(void *opaque, const struct event *event)
{
	struct stats *stats = opaque;

	if (stats_devices_event(&stats->devices, analysis_state(stats->analysis), event))
		stats->failed = true;
}

static const struct analysis_observer observer = {
	.event = on_event,
	.op = on_op,
	.commit = on_commit,
};

struct stats *stats_create(struct analysis *analysis)
{
	struct stats *stats = calloc(1, sizeof(*stats));

	if (!stats)
		return NULL;
	stats->analysis = analysis;
	if (analysis_observe(analysis, &observer, stats)) {
		free(stats);
		return NULL;
	}
	return stats;
}

static void rows_fini(struct stats_rows *rows)
{
	struct stats_row *row, *next;

	for (row = rows->first; row; row = next) {
		next = row->next;
		free(row);
	}
	table_fini(&rows->table);
}

void stats_destroy(struct stats *stats)
{
	if (!stats)
		return;
	for (int op = 0; op < OP_COUNT; op++)
		free(stats->ops[op]);
	rows_fini(&stats->processes);
	rows_fini(&stats->threads);
	rows_fini(&stats->spaces);
	stats_devices_fini(&stats->devices);
	free(stats);
}

const struct stats_op *stats_op(const struct stats *stats, enum event_op op)
{
	return stats->ops[op];
}
