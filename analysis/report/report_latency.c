/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long calls took, over time, and the slowest of them. Durations are counted by powers of two,
 * each in a counter of the timeline.
 */
#include "analysis/report/report_internal.h"

#include <inttypes.h>
#include <string.h>

#include "analysis/state/state.h"

/* Keeps the call if it is one of the slowest; they are sorted, the slowest first. */
static void keep_slowest(struct report *report, const struct state_op *op, uint64_t took_ns)
{
	struct report_slow *slowest = report->slowest;
	size_t at = report->slowest_count;

	if (at == REPORT_SLOWEST_MAX && took_ns <= slowest[at - 1].took_ns)
		return;
	if (at == REPORT_SLOWEST_MAX)
		at--;
	else
		report->slowest_count++;
	for (; at && slowest[at - 1].took_ns < took_ns; at--)
		slowest[at] = slowest[at - 1];
	slowest[at] = (struct report_slow){
		.op = op->op,
		.op_id = op->op_id,
		.begin_ns = op->begin_ns,
		.took_ns = took_ns,
		.tid = op->tid,
		.ret = op->ret,
		.process = op->process,
	};
}

int report_latency_note(struct report *report, const struct state_op *op, unsigned int bin)
{
	uint64_t took_ns;
	unsigned int octave;

	if (!op->begin_seen || op->end_ns < op->begin_ns)
		return 0;
	took_ns = (uint64_t)(op->end_ns - op->begin_ns);
	octave = took_ns ? 63u - (unsigned int)__builtin_clzll(took_ns) : 0;
	if (!report->took[octave])
		report->took[octave] = timeline_counter_add(&report->timeline);
	if (!report->took[octave])
		return -ENOMEM;
	report->took[octave]->bins[bin]++;
	keep_slowest(report, op, took_ns);
	return 0;
}

static int64_t since(const struct report *report, int64_t time_ns)
{
	return time_ns > report->timeline.first_ns ? time_ns - report->timeline.first_ns : 0;
}

void report_latency_write(const struct report *report, struct json_out *json)
{
	char text[32];

	json_out_begin(json, "heat", '[');
	for (unsigned int octave = 0; octave < REPORT_OCTAVES; octave++) {
		if (!report->took[octave])
			continue;
		json_out_begin(json, NULL, '{');
		json_out_u64(json, "low_ns", octave ? 1ull << octave : 0);
		json_out_begin(json, "bins", '[');
		for (unsigned int i = 0; i < report->timeline.used; i++)
			json_out_u64(json, NULL, report->took[octave]->bins[i]);
		json_out_end(json, ']');
		json_out_end(json, '}');
	}
	json_out_end(json, ']');
	json_out_begin(json, "slowest", '[');
	for (size_t i = 0; i < report->slowest_count; i++) {
		const struct report_slow *slow = &report->slowest[i];
		const char *error = slow->ret < 0 ? strerrorname_np((int)-slow->ret) : NULL;

		json_out_begin(json, NULL, '{');
		json_out_string(json, "name", event_op_name(slow->op));
		json_out_string(json, "op_id", event_op_id_text(slow->op_id, text));
		json_out_i64(json, "t_ns", since(report, slow->begin_ns));
		json_out_u64(json, "took_ns", slow->took_ns);
		json_out_string(json, "process", slow->process->name);
		json_out_u64(json, "tid", slow->tid);
		json_out_string(json, "error", error ? error : slow->ret < 0 ? "failed" : "");
		json_out_end(json, '}');
	}
	json_out_end(json, ']');
}
