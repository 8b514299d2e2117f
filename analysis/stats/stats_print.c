/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "analysis/analysis.h"
#include "analysis/json_add.h"
#include "analysis/stats/stats_internal.h"

static const struct {
	const char *name;
	uint32_t share_ppm;
} percentiles[] = {
	{ "p50", 500000 }, { "p90", 900000 }, { "p99", 990000 }, { "p99.9", 999000 },
};
#define PERCENTILES (sizeof(percentiles) / sizeof(percentiles[0]))

/* value / unit with two digits behind the point. */
static void scaled(uint64_t value, uint64_t unit, const char *name, char text[16])
{
	uint64_t hundredths = (uint64_t)((unsigned __int128)value * 100 / unit);

	snprintf(text, 16, "%" PRIu64 ".%02" PRIu64 " %s", hundredths / 100 % 10000000,
		 hundredths % 100, name);
}

const char *stats_time_text(uint64_t ns, char text[16])
{
	if (ns < 1000)
		snprintf(text, 16, "%" PRIu64 " ns", ns);
	else if (ns < 1000000)
		scaled(ns, 1000, "us", text);
	else if (ns < 1000000000)
		scaled(ns, 1000000, "ms", text);
	else
		scaled(ns, 1000000000, "s", text);
	return text;
}

const char *stats_bytes_text(uint64_t bytes, char text[16])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	unsigned int i = 0;

	if (bytes < 10240) {
		snprintf(text, 16, "%" PRIu64 " B", bytes);
		return text;
	}
	while (i < 4 && bytes >> (10 * (i + 2)))
		i++;
	scaled(bytes, 1ull << (10 * (i + 1)), units[i], text);
	return text;
}

static bool is_backend(int op)
{
	return op < OP_IOCTL;
}

/* The time of all calls of op's layer: an ioctl inside a call is not counted twice. */
static uint64_t layer_ns(const struct stats *stats, bool backend)
{
	uint64_t total = 0;

	for (int op = 0; op < OP_COUNT; op++) {
		if (stats->ops[op] && is_backend(op) == backend)
			total += stats->ops[op]->total_ns;
	}
	return total;
}

static uint64_t permille(uint64_t part, uint64_t whole)
{
	return whole ? (uint64_t)((unsigned __int128)part * 1000 / whole) : 0;
}

/* Thousandths of calls a second over the window of the data; 0: it has none. */
static uint64_t rate_milli(const struct stats *stats, uint64_t calls)
{
	const struct quality *quality = analysis_quality(stats->analysis);
	uint64_t window_ns = quality->events ? (uint64_t)(quality->last_ns - quality->first_ns) : 0;

	return window_ns ? (uint64_t)((unsigned __int128)calls * 1000000000000 / window_ns) : 0;
}

static const char *rate_text(const struct stats *stats, uint64_t calls, char text[24])
{
	uint64_t milli = rate_milli(stats, calls);

	if (!milli)
		snprintf(text, 24, "-");
	else if (milli < 100000)
		snprintf(text, 24, "%" PRIu64 ".%" PRIu64, milli / 1000, milli % 1000 / 100);
	else
		snprintf(text, 24, "%" PRIu64, milli / 1000);
	return text;
}

/* ---- text ----------------------------------------------------------------------- */

static void print_op(const struct stats *stats, int op, uint64_t whole_ns, FILE *out)
{
	const struct stats_op *row = stats->ops[op];
	uint64_t share = permille(row->total_ns, whole_ns);
	char text[16], rate[24];

	fprintf(out, "%-24s %10" PRIu64 " %10s %8" PRIu64 " %11s", event_op_name((enum event_op)op),
		row->calls, rate_text(stats, row->calls, rate), row->errors,
		stats_bytes_text(row->bytes, text));
	fprintf(out, " %10s", row->latency_ns.count
				      ? stats_time_text(row->latency_ns.sum / row->latency_ns.count,
							text)
				      : "-");
	for (size_t i = 0; i < PERCENTILES; i++)
		fprintf(out, " %10s",
			row->latency_ns.count
				? stats_time_text(histogram_percentile(&row->latency_ns,
								       percentiles[i].share_ppm),
						  text)
				: "-");
	fprintf(out, " %10s", row->latency_ns.count ? stats_time_text(row->latency_ns.max, text)
						    : "-");
	fprintf(out, " %10s %3" PRIu64 ".%" PRIu64 "%%\n",
		row->latency_ns.count ? stats_time_text(row->total_ns, text) : "-", share / 10,
		share % 10);
}

static void print_errors(const struct stats *stats, FILE *out)
{
	bool head = false;

	for (int op = 0; op < OP_COUNT; op++) {
		const struct stats_op *row = stats->ops[op];

		if (!row || (!row->errors && !row->non_exist && !row->no_return))
			continue;
		if (!head)
			fprintf(out, "\nanswers that are not success:\n");
		head = true;
		fprintf(out, "  %s:", event_op_name((enum event_op)op));
		for (int number = 0; number < STATS_ERRNO_MAX; number++) {
			const char *name = strerrorname_np(number);

			if (row->by_errno[number])
				fprintf(out, " %s %" PRIu32, number && name ? name : "other",
					row->by_errno[number]);
		}
		if (row->non_exist)
			fprintf(out, " of nothing %" PRIu64, row->non_exist);
		if (row->no_return)
			fprintf(out, " did not return %" PRIu64, row->no_return);
		fputc('\n', out);
	}
}

static void print_ops(const struct stats *stats, FILE *out)
{
	fprintf(out, "%-24s %10s %10s %8s %11s %10s", "operation", "calls", "calls/s", "errors",
		"bytes", "mean");
	for (size_t i = 0; i < PERCENTILES; i++)
		fprintf(out, " %10s", percentiles[i].name);
	fprintf(out, " %10s %10s %6s\n", "max", "total", "time");
	for (int op = 0; op < OP_COUNT; op++) {
		if (stats->ops[op])
			print_op(stats, op, layer_ns(stats, is_backend(op)), out);
	}
	print_errors(stats, out);
}

static const char *backend_text(const struct stats_row *row, char text[24])
{
	if (!row->backend)
		return "-";
	snprintf(text, 24, "%" PRIu64, row->backend & INT64_MAX);
	return text;
}

static void print_rows(const struct stats *stats, const struct stats_rows *rows,
		       enum stats_view view, FILE *out)
{
	const struct quality *quality = analysis_quality(stats->analysis);
	char mapped[16], unmapped[16], mean[16], max[16], total[16], backend[24], rate[24];

	fprintf(out, "%-8s %-16s", "process", "name");
	if (view == STATS_BY_THREAD)
		fprintf(out, " %8s", "thread");
	else if (view == STATS_BY_SPACE)
		fprintf(out, " %8s %6s", "backend", "ioas");
	fprintf(out, " %10s %10s %8s %11s %11s %10s %10s %10s\n", "calls", "calls/s", "errors",
		"mapped", "unmapped", "mean", "max", "total");
	for (const struct stats_row *row = rows->first; row; row = row->next) {
		fprintf(out, "%-8u %-16s", row->pid, row->process->name);
		if (view == STATS_BY_THREAD)
			fprintf(out, " %8u", row->tid);
		else if (view == STATS_BY_SPACE)
			fprintf(out, " %8s %6" PRIu64, backend_text(row, backend), row->id);
		fprintf(out, " %10" PRIu64 " %10s %8" PRIu64 " %11s %11s %10s %10s %10s", row->calls,
			rate_text(stats, row->calls, rate), row->errors,
			stats_bytes_text(row->mapped_bytes, mapped),
			stats_bytes_text(row->unmapped_bytes, unmapped),
			stats_time_text(row->calls ? row->total_ns / row->calls : 0, mean),
			stats_time_text(row->max_ns, max), stats_time_text(row->total_ns, total));
		if (quality->machines_count > 1)
			fprintf(out, "  %s", quality->machines[row->machine].name);
		fputc('\n', out);
	}
}

void stats_print(const struct stats *stats, enum stats_view view, FILE *out)
{
	quality_print(analysis_quality(stats->analysis), out);
	fputc('\n', out);
	if (view == STATS_BY_OP)
		print_ops(stats, out);
	else if (view == STATS_BY_PROCESS)
		print_rows(stats, &stats->processes, view, out);
	else if (view == STATS_BY_THREAD)
		print_rows(stats, &stats->threads, view, out);
	else if (view == STATS_BY_SPACE)
		print_rows(stats, &stats->spaces, view, out);
	else
		stats_devices_print(&stats->devices, analysis_quality(stats->analysis), out);
	if (stats->failed)
		fprintf(out, "\nout of memory: the numbers are not whole\n");
}

/* ---- JSON ----------------------------------------------------------------------- */

static struct json_object *op_to_json(const struct stats *stats, int op)
{
	const struct stats_op *row = stats->ops[op];
	struct json_object *object = json_object_new_object();
	struct json_object *errors = json_object_new_object();

	json_add_text(object, "operation", event_op_name((enum event_op)op));
	json_add_text(object, "layer", is_backend(op) ? "backend" : "device");
	json_add_u64(object, "calls", row->calls);
	json_add_u64(object, "errors", row->errors);
	for (int number = 0; number < STATS_ERRNO_MAX; number++) {
		const char *name = strerrorname_np(number);

		if (row->by_errno[number])
			json_add_u64(errors, number && name ? name : "other",
				     row->by_errno[number]);
	}
	json_object_object_add(object, "by_errno", errors);
	json_add_u64(object, "non_exist", row->non_exist);
	json_add_u64(object, "no_return", row->no_return);
	json_add_u64(object, "bytes", row->bytes);
	json_add_u64(object, "total_ns", row->total_ns);
	json_add_u64(object, "time_permille",
		     permille(row->total_ns, layer_ns(stats, is_backend(op))));
	json_add_u64(object, "timed_calls", row->latency_ns.count);
	json_object_object_add(object, "calls_per_s",
			       json_object_new_double((double)rate_milli(stats, row->calls) / 1000));
	if (row->latency_ns.count)
		json_add_u64(object, "mean_ns", row->latency_ns.sum / row->latency_ns.count);
	for (size_t i = 0; row->latency_ns.count && i < PERCENTILES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%s_ns", percentiles[i].name);
		json_add_u64(object, name,
			     histogram_percentile(&row->latency_ns, percentiles[i].share_ppm));
	}
	if (row->latency_ns.count) {
		json_add_u64(object, "min_ns", row->latency_ns.min);
		json_add_u64(object, "max_ns", row->latency_ns.max);
	}
	return object;
}

static struct json_object *rows_to_json(const struct stats_rows *rows, enum stats_view view)
{
	struct json_object *array = json_object_new_array();

	for (const struct stats_row *row = rows->first; row; row = row->next) {
		struct json_object *object = json_object_new_object();

		json_add_u64(object, "machine", row->machine);
		json_add_u64(object, "pid", row->pid);
		json_add_u64(object, "pid_ns", row->process->pid_ns);
		json_add_text(object, "procname", row->process->name);
		if (view == STATS_BY_THREAD)
			json_add_u64(object, "tid", row->tid);
		if (view == STATS_BY_SPACE) {
			json_add_u64(object, "backend", row->backend & INT64_MAX);
			json_add_u64(object, "ioas", row->id);
		}
		json_add_u64(object, "calls", row->calls);
		json_add_u64(object, "errors", row->errors);
		json_add_u64(object, "mapped_bytes", row->mapped_bytes);
		json_add_u64(object, "unmapped_bytes", row->unmapped_bytes);
		json_add_u64(object, "total_ns", row->total_ns);
		json_add_u64(object, "max_ns", row->max_ns);
		json_add_u64(object, "mean_ns", row->calls ? row->total_ns / row->calls : 0);
		json_object_array_add(array, object);
	}
	return array;
}

struct json_object *stats_to_json(const struct stats *stats)
{
	struct json_object *object = json_object_new_object();
	struct json_object *ops = json_object_new_array();

	json_object_object_add(object, "data", quality_to_json(analysis_quality(stats->analysis)));
	for (int op = 0; op < OP_COUNT; op++) {
		if (stats->ops[op])
			json_object_array_add(ops, op_to_json(stats, op));
	}
	json_object_object_add(object, "operations", ops);
	json_object_object_add(object, "processes", rows_to_json(&stats->processes, STATS_BY_PROCESS));
	json_object_object_add(object, "threads", rows_to_json(&stats->threads, STATS_BY_THREAD));
	json_object_object_add(object, "address_spaces", rows_to_json(&stats->spaces, STATS_BY_SPACE));
	json_object_object_add(object, "devices", stats_devices_to_json(&stats->devices));
	return object;
}
