/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the checker says: text for people, JSON for programs. */
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "analysis/check/check_internal.h"
#include "analysis/json_add.h"

#define SHOWN_PER_RULE 3u

/* Seconds since the trace's first event, to the ns. */
static void print_time(const struct quality *quality, int64_t time_ns, FILE *out)
{
	int64_t since = time_ns > quality->first_ns ? time_ns - quality->first_ns : 0;

	fprintf(out, "%" PRId64 ".%09" PRId64 " s", since / 1000000000, since % 1000000000);
}

char *check_frame_text(const struct state_frame *frame, bool is_innermost, char text[512])
{
	const char *slash = strrchr(frame->file, '/');
	int used = snprintf(text, 512, "%s 0x%" PRIX64 ": %s ", is_innermost ? "at" : "by",
			    frame->address, frame->function);

	if (used < 0 || used >= 512)
		return text;
	if (frame->file[0])
		snprintf(text + used, 512 - (size_t)used, "(%s:%" PRIu64 ")",
			 slash ? slash + 1 : frame->file, frame->line);
	else
		snprintf(text + used, 512 - (size_t)used, "(in %s)", frame->object);
	return text;
}

static void print_stack(struct analysis *analysis, uint16_t stack, FILE *out)
{
	struct state_frame frames[STATE_FRAMES_MAX];
	size_t count = state_stack(analysis_state(analysis), stack, frames);
	char text[512];

	for (size_t i = 0; i < count; i++)
		fprintf(out, "           %s\n", check_frame_text(&frames[i], !i, text));
}

void check_finding_print(struct analysis *analysis, const struct check_finding *finding,
			 const char *rule, FILE *out)
{
	const struct quality *quality = analysis_quality(analysis);
	const char *name = finding->process ? finding->process->name : "";
	char text[32];

	fprintf(out, "\n%s: %s: %s\n", check_verdict_name(finding->verdict), rule, finding->cause);
	if (finding->pid) {
		fprintf(out, "  in process %u%s%s", finding->pid, *name ? " " : "", name);
		if (quality->machines_count > 1 && finding->machine < quality->machines_count)
			fprintf(out, " on %s", quality->machines[finding->machine].name);
		fputc('\n', out);
	}
	for (unsigned int i = 0; i < finding->witness_count; i++) {
		const struct check_witness *witness = &finding->witness[i];

		fprintf(out, "  %s ", i + 1 == finding->witness_count ? "->" : "  ");
		print_time(quality, witness->time_ns, out);
		if (witness->op_id)
			fprintf(out, "  op %s", event_op_id_text(witness->op_id, text));
		if (witness->tid)
			fprintf(out, "  thread %u", witness->tid);
		fprintf(out, "  %s\n", witness->text);
		print_stack(analysis, witness->stack, out);
	}
}

static void print_findings(const struct check *check, enum check_rule rule, FILE *out)
{
	unsigned int shown = 0;

	for (int verdict = VERDICT_VIOLATION; verdict > VERDICT_OK; verdict--) {
		for (size_t i = 0; i < check->findings_count && shown < SHOWN_PER_RULE; i++) {
			const struct check_finding *finding = &check->findings[i];

			if (finding->rule != rule ||
			    finding->verdict != (enum check_verdict)verdict)
				continue;
			check_finding_print(check->analysis, finding, check_rule_name(rule), out);
			shown++;
		}
	}
}

void check_print(const struct check *check, FILE *out)
{
	quality_print(analysis_quality(check->analysis), out);
	fprintf(out, "\n%-16s %-10s %12s %10s\n", "rule", "verdict", "checked", "broken");
	for (int i = 0; i < RULE_COUNT; i++) {
		enum check_rule rule = (enum check_rule)i;
		uint64_t broken = check_rule_count(check, rule, VERDICT_VIOLATION);

		if (rule == RULE_LATENCY && !check->has_latency)
			continue;
		fprintf(out, "%-16s %-10s %12" PRIu64 " %10" PRIu64 "\n", check_rule_name(rule),
			check_verdict_name(check_rule_verdict(check, rule)),
			check_rule_asked(check, rule), broken);
	}
	for (int i = 0; i < RULE_COUNT; i++)
		print_findings(check, (enum check_rule)i, out);
	if (check->failed)
		fprintf(out, "\nout of memory: the check is not whole\n");
	fprintf(out, "\nverdict: %s\n", check_verdict_name(check_verdict(check)));
}

/* ---- JSON ----------------------------------------------------------------------- */

static struct json_object *stack_to_json(const struct state_frame *frames, size_t count)
{
	struct json_object *stack = json_object_new_array();
	char address[32];

	for (size_t i = 0; i < count; i++) {
		struct json_object *frame = json_object_new_object();

		snprintf(address, sizeof(address), "0x%" PRIx64, frames[i].address);
		json_add_text(frame, "address", address);
		json_add_text(frame, "function", frames[i].function);
		json_add_text(frame, "object", frames[i].object);
		if (frames[i].file[0]) {
			json_add_text(frame, "file", frames[i].file);
			json_add_u64(frame, "line", frames[i].line);
		}
		json_object_array_add(stack, frame);
	}
	return stack;
}

static struct json_object *witness_to_json(struct analysis *analysis,
					   const struct check_witness *witness)
{
	struct json_object *object = json_object_new_object();
	struct state_frame frames[STATE_FRAMES_MAX];
	size_t count = state_stack(analysis_state(analysis), witness->stack, frames);
	char text[32];

	json_add_i64(object, "time_ns", witness->time_ns);
	json_add_text(object, "op_id",
		      witness->op_id ? event_op_id_text(witness->op_id, text) : "-");
	json_add_u64(object, "tid", witness->tid);
	json_add_text(object, "text", witness->text);
	if (count)
		json_object_object_add(object, "stack", stack_to_json(frames, count));
	return object;
}

struct json_object *check_finding_to_json(struct analysis *analysis,
					  const struct check_finding *finding, const char *rule)
{
	struct json_object *object = json_object_new_object();
	struct json_object *witness = json_object_new_array();

	json_add_text(object, "rule", rule);
	json_add_text(object, "verdict", check_verdict_name(finding->verdict));
	json_add_text(object, "cause", finding->cause);
	json_add_i64(object, "time_ns", finding->time_ns);
	json_add_u64(object, "machine", finding->machine);
	json_add_u64(object, "pid", finding->pid);
	json_add_text(object, "procname",
		      finding->process ? finding->process->name : "");
	json_add_u64(object, "object", finding->object);
	if (finding->has_range) {
		json_add_u64(object, "iova", finding->iova);
		json_add_u64(object, "last", finding->last);
	}
	for (unsigned int i = 0; i < finding->witness_count; i++)
		json_object_array_add(witness, witness_to_json(analysis, &finding->witness[i]));
	json_object_object_add(object, "witness", witness);
	return object;
}

struct json_object *check_to_json(const struct check *check)
{
	struct json_object *object = json_object_new_object();
	struct json_object *rules = json_object_new_array();
	struct json_object *findings = json_object_new_array();

	json_object_object_add(object, "data", quality_to_json(analysis_quality(check->analysis)));
	json_add_text(object, "verdict", check_verdict_name(check_verdict(check)));
	for (int i = 0; i < RULE_COUNT; i++) {
		enum check_rule rule = (enum check_rule)i;
		struct json_object *row = json_object_new_object();

		json_add_text(row, "rule", check_rule_name(rule));
		json_add_text(row, "text", check_rule_text(rule));
		json_add_text(row, "verdict", check_verdict_name(check_rule_verdict(check, rule)));
		json_add_u64(row, "checked", check_rule_asked(check, rule));
		json_add_u64(row, "violations", check_rule_count(check, rule, VERDICT_VIOLATION));
		json_add_u64(row, "possible", check_rule_count(check, rule, VERDICT_POSSIBLE));
		json_add_u64(row, "unknown", check_rule_count(check, rule, VERDICT_UNKNOWN));
		json_object_array_add(rules, row);
	}
	json_object_object_add(object, "rules", rules);
	for (size_t i = 0; i < check->findings_count; i++) {
		const struct check_finding *finding = &check->findings[i];

		json_object_array_add(findings,
				      check_finding_to_json(check->analysis, finding,
							    check_rule_name(finding->rule)));
	}
	json_object_object_add(object, "findings", findings);
	return object;
}
