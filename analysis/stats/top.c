/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/stats/top.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/analysis.h"
#include "analysis/json_add.h"
#include "analysis/stats/histogram.h"
#include "analysis/stats/stats.h"
#include "analysis/table.h"

struct top_process {
	uint32_t pid, machine, number;
	char name[64];
	uint64_t calls, errors; /* since the last time */
	uint64_t all_calls;
	uint64_t live_mappings, live_bytes;
	struct histogram latency_ns; /* since the last time */
};

struct top {
	struct analysis *analysis; /* borrowed */
	pthread_mutex_t lock;	   /* of all below, and of the quality as it is copied */
	struct table processes;	   /* (number of the process, 0) */
	struct top_process **list; /* owned, in the order of appearance */
	size_t count, room;
	uint64_t events, lost_events, lost_packets;
};

/* ---- observing ------------------------------------------------------------------------ */

static struct top_process *process_get(struct top *top, const struct state_process *who)
{
	struct top_process *process = table_get(&top->processes, who->number, 0);

	if (process)
		return process;
	if (top->count == top->room) {
		size_t room = top->room ? 2 * top->room : 16;
		struct top_process **list = realloc(top->list, room * sizeof(*list));

		if (!list)
			return NULL;
		top->list = list;
		top->room = room;
	}
	process = table_add(&top->processes, who->number, 0, sizeof(*process));
	if (!process)
		return NULL;
	process->pid = who->pid;
	process->number = who->number;
	process->machine = who->machine;
	histogram_init(&process->latency_ns);
	top->list[top->count++] = process;
	return process;
}

static void on_event(void *opaque, const struct event *event)
{
	struct top *top = opaque;

	(void)event;
	__atomic_add_fetch(&top->events, 1, __ATOMIC_RELAXED);
}

static void on_loss(void *opaque, const struct event_loss *loss)
{
	struct top *top = opaque;

	__atomic_add_fetch(&top->lost_events, loss->events, __ATOMIC_RELAXED);
	__atomic_add_fetch(&top->lost_packets, loss->packets, __ATOMIC_RELAXED);
}

static void on_op(void *opaque, const struct state_op *op)
{
	struct top *top = opaque;
	struct top_process *process;

	/* An ioctl inside a call of the backend is that call. */
	if (op->outer || !op->returned)
		return;
	pthread_mutex_lock(&top->lock);
	process = process_get(top, op->process);
	if (process) {
		if (!process->name[0])
			snprintf(process->name, sizeof(process->name), "%s",
				 op->process->name);
		process->calls++;
		process->all_calls++;
		process->errors += op->ret < 0 && !op->non_exist;
		if (op->begin_seen && op->end_ns >= op->begin_ns)
			histogram_add(&process->latency_ns, (uint64_t)(op->end_ns - op->begin_ns));
	}
	pthread_mutex_unlock(&top->lock);
}

static void mapping_change(struct top *top, const struct state_object *object,
			   const struct state_mapping *mapping, bool live)
{
	uint64_t bytes = mapping->last - mapping->iova + 1;
	struct top_process *process;

	pthread_mutex_lock(&top->lock);
	process = process_get(top, object->context->process);
	if (process && live) {
		process->live_mappings++;
		process->live_bytes += bytes;
	} else if (process) {
		process->live_mappings--;
		process->live_bytes -= bytes;
	}
	pthread_mutex_unlock(&top->lock);
}

static void on_mapping_begin(void *opaque, const struct state_object *object,
			     const struct state_mapping *mapping)
{
	mapping_change(opaque, object, mapping, true);
}

static void on_mapping_end(void *opaque, const struct state_object *object,
			   const struct state_mapping *mapping, int64_t time_ns, uint64_t op_id)
{
	(void)time_ns;
	(void)op_id;
	mapping_change(opaque, object, mapping, false);
}

struct top *top_create(struct analysis *analysis)
{
	static const struct analysis_observer observer = {
		.event = on_event,
		.loss = on_loss,
		.op = on_op,
		.mapping_begin = on_mapping_begin,
		.mapping_end = on_mapping_end,
	};
	struct top *top = calloc(1, sizeof(*top));

	if (!top)
		return NULL;
	top->analysis = analysis;
	pthread_mutex_init(&top->lock, NULL);
	if (analysis_observe(analysis, &observer, top)) {
		top_destroy(top);
		return NULL;
	}
	return top;
}

void top_destroy(struct top *top)
{
	if (!top)
		return;
	for (size_t i = 0; i < top->count; i++)
		free(top->list[i]);
	free(top->list);
	table_fini(&top->processes);
	pthread_mutex_destroy(&top->lock);
	free(top);
}

/* ---- showing ----------------------------------------------------------------------------- */

/* Busy ones first, then those that hold most, then by pid: the same rows stay in place. */
static int by_load(const void *a, const void *b)
{
	const struct top_process *x = *(struct top_process *const *)a;
	const struct top_process *y = *(struct top_process *const *)b;

	if (x->calls != y->calls)
		return x->calls > y->calls ? -1 : 1;
	if (x->live_bytes != y->live_bytes)
		return x->live_bytes > y->live_bytes ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static uint64_t per_second(uint64_t count, uint64_t interval_ns)
{
	return interval_ns ? (uint64_t)((unsigned __int128)count * 1000000000 / interval_ns) : 0;
}

static void process_print(const struct top_process *process, uint64_t interval_ns, FILE *out)
{
	char bytes[16], p50[16], p99[16];

	fprintf(out, "%8" PRIu32 " %-16.16s %10" PRIu64 " %8" PRIu64 " %10s %10s %10" PRIu64
		" %12s %12" PRIu64 "\n", process->pid, process->name[0] ? process->name : "-",
		per_second(process->calls, interval_ns), process->errors,
		process->latency_ns.count
			? stats_time_text(histogram_percentile(&process->latency_ns, 500000), p50)
			: "-",
		process->latency_ns.count
			? stats_time_text(histogram_percentile(&process->latency_ns, 990000), p99)
			: "-",
		process->live_mappings, stats_bytes_text(process->live_bytes, bytes),
		process->all_calls);
}

/* A new interval begins. Who did nothing and holds nothing is forgotten. */
static void top_reset(struct top *top)
{
	size_t kept = 0;

	for (size_t i = 0; i < top->count; i++) {
		struct top_process *process = top->list[i];

		if (!process->calls && !process->live_mappings) {
			table_remove(&top->processes, process->number, 0);
			free(process);
			continue;
		}
		process->calls = 0;
		process->errors = 0;
		histogram_init(&process->latency_ns);
		top->list[kept++] = process;
	}
	top->count = kept;
}

void top_print(struct top *top, uint64_t interval_ns, unsigned int rows, FILE *out)
{
	pthread_mutex_lock(&top->lock);
	qsort(top->list, top->count, sizeof(struct top_process *), by_load);
	fprintf(out, "data: %" PRIu64 " events; lost: %" PRIu64 " events, %" PRIu64 " packets\n",
		__atomic_load_n(&top->events, __ATOMIC_RELAXED),
		__atomic_load_n(&top->lost_events, __ATOMIC_RELAXED),
		__atomic_load_n(&top->lost_packets, __ATOMIC_RELAXED));
	fprintf(out, "%8s %-16s %10s %8s %10s %10s %10s %12s %12s\n", "pid", "process", "calls/s",
		"errors", "p50", "p99", "mappings", "mapped", "all calls");
	for (size_t i = 0; i < top->count && (!rows || i < rows); i++)
		process_print(top->list[i], interval_ns, out);
	if (rows && top->count > rows)
		fprintf(out, "%8s %zu more processes\n", "", top->count - rows);
	top_reset(top);
	pthread_mutex_unlock(&top->lock);
}

struct json_object *top_to_json(struct top *top, uint64_t interval_ns)
{
	struct json_object *json = json_object_new_object();
	struct json_object *processes = json_object_new_array();

	pthread_mutex_lock(&top->lock);
	qsort(top->list, top->count, sizeof(struct top_process *), by_load);
	json_add_u64(json, "interval_ns", interval_ns);
	json_add_u64(json, "events", __atomic_load_n(&top->events, __ATOMIC_RELAXED));
	json_add_u64(json, "lost_events", __atomic_load_n(&top->lost_events, __ATOMIC_RELAXED));
	json_add_u64(json, "lost_packets", __atomic_load_n(&top->lost_packets, __ATOMIC_RELAXED));
	for (size_t i = 0; i < top->count; i++) {
		const struct top_process *process = top->list[i];
		struct json_object *row = json_object_new_object();

		json_add_u64(row, "pid", process->pid);
		json_add_text(row, "process", process->name);
		json_add_u64(row, "calls", process->calls);
		json_add_u64(row, "errors", process->errors);
		json_add_u64(row, "p50_ns", histogram_percentile(&process->latency_ns, 500000));
		json_add_u64(row, "p99_ns", histogram_percentile(&process->latency_ns, 990000));
		json_add_u64(row, "mappings", process->live_mappings);
		json_add_u64(row, "mapped_bytes", process->live_bytes);
		json_add_u64(row, "all_calls", process->all_calls);
		json_object_array_add(processes, row);
	}
	json_object_object_add(json, "processes", processes);
	top_reset(top);
	pthread_mutex_unlock(&top->lock);
	return json;
}
