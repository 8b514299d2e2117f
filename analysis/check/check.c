/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/check/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/check/check_internal.h"

/* ---- names ---------------------------------------------------------------------- */

struct rule_row {
	const char *name;
	const char *text;
	const struct rule_hooks *hooks;
};

#define RULE(NAME, name, text, hooks) [RULE_##NAME] = { name, text, &(hooks) },
static const struct rule_row rules[RULE_COUNT] = {
#include "analysis/check/rules.def"
};
#undef RULE

const char *check_rule_name(enum check_rule rule)
{
	return rules[rule].name;
}

const char *check_rule_text(enum check_rule rule)
{
	return rules[rule].text;
}

const char *check_verdict_name(enum check_verdict verdict)
{
	static const char *const names[] = { "ok", "unknown", "possible", "violation" };

	return names[verdict];
}

bool op_is_map(const struct state_op *op)
{
	return op->op == OP_MAP_DMA || op->op == OP_MAP_FILE_DMA;
}

bool op_is_alloc(const struct state_op *op)
{
	return event_op_makes(op->op) != TRACE_OBJ_NONE;
}

/* ---- findings ------------------------------------------------------------------- */

/* Where a finding goes that is not kept: written, never read. */
static struct check_finding *finding_place(struct check *check, enum check_rule rule)
{
	static __thread struct check_finding scratch;
	struct check_finding *more;
	size_t room;

	memset(&scratch, 0, sizeof(scratch));
	if (check->results[rule].kept >= CHECK_FINDINGS_MAX)
		return &scratch;
	if (check->findings_count == check->findings_room) {
		room = check->findings_room ? check->findings_room * 2 : 8;
		more = realloc(check->findings, room * sizeof(*more));
		if (!more) {
			check->failed = true;
			return &scratch;
		}
		check->findings = more;
		check->findings_room = room;
	}
	more = &check->findings[check->findings_count++];
	check->results[rule].kept++;
	memset(more, 0, sizeof(*more));
	return more;
}

struct check_finding *finding_add(struct check *check, enum check_rule rule,
				  enum check_verdict verdict, int64_t time_ns, const char *cause,
				  ...)
{
	struct check_finding *finding;
	bool inferred = verdict == VERDICT_INFERRED;
	va_list ap;

	if (inferred)
		verdict = VERDICT_VIOLATION;
	check->results[rule].inferred += inferred;
	check->results[rule].asked++;
	check->results[rule].count[verdict]++;
	finding = finding_place(check, rule);
	finding->rule = rule;
	finding->verdict = verdict;
	finding->inferred = inferred;
	finding->time_ns = time_ns;
	va_start(ap, cause);
	vsnprintf(finding->cause, sizeof(finding->cause), cause, ap);
	va_end(ap);
	return finding;
}

static bool need_is_met(const struct check_need *need)
{
	return need->emitters[0]->seen_ns >= need->time_ns &&
	       need->emitters[1]->seen_ns >= need->time_ns;
}

/* Those that are not met yet: most are soon. */
static void needs_drop_met(struct check *check)
{
	size_t kept = 0;

	for (size_t i = 0; i < check->needs_count; i++) {
		if (!need_is_met(&check->needs[i]))
			check->needs[kept++] = check->needs[i];
	}
	check->needs_count = kept;
}

/*
 * A finding about context, at its place among those kept, counts if both sides of the file emit
 * something at its time or later: the end of a session reaches one after the other.
 */
static void need_add(struct check *check, const struct check_finding *finding, size_t place,
		     const struct state_context *context)
{
	struct check_need *more, need = {
		.rule = finding->rule,
		.finding = place,
		.emitters = { context->emitter,
			      context->peer ? context->peer->emitter : context->emitter },
		.time_ns = finding->time_ns,
	};

	if (need_is_met(&need))
		return;
	if (check->needs_count == check->needs_room)
		needs_drop_met(check);
	if (check->needs_count == check->needs_room) {
		more = realloc(check->needs, (2 * check->needs_room + 8) * sizeof(*more));
		if (!more) {
			check->failed = true;
			return;
		}
		check->needs = more;
		check->needs_room = 2 * check->needs_room + 8;
	}
	check->needs[check->needs_count++] = need;
}

/* The end of the trace: what is not met is not known. */
static void doubt_unmet(struct check *check)
{
	needs_drop_met(check);
	for (size_t i = 0; i < check->needs_count; i++) {
		const struct check_need *need = &check->needs[i];
		struct rule_result *result = &check->results[need->rule];

		result->inferred--;
		result->count[VERDICT_VIOLATION]--;
		result->count[VERDICT_UNKNOWN]++;
		if (need->finding == SIZE_MAX)
			continue;
		check->findings[need->finding].inferred = false;
		check->findings[need->finding].verdict = VERDICT_UNKNOWN;
	}
	check->needs_count = 0;
}

/* Its place among those that are kept; SIZE_MAX: its process has had its share. */
static size_t finding_keep(struct check *check, const struct check_finding *finding)
{
	uint64_t kind = (uint64_t)finding->rule << 8 | finding->verdict;
	uint64_t number = finding->process ? finding->process->number : 0;
	uintptr_t kept;

	if (!check->findings_count || finding != &check->findings[check->findings_count - 1])
		return SIZE_MAX;
	kept = (uintptr_t)table_get(&check->kept, number, kind);
	if (kept >= CHECK_FINDINGS_PER_PROCESS) {
		/* Its place is free for the next one; until then it can be written. */
		check->findings_count--;
		check->results[finding->rule].kept--;
		return SIZE_MAX;
	}
	if (table_set(&check->kept, number, kind, (void *)(kept + 1)))
		check->failed = true;
	return check->findings_count - 1;
}

void finding_about(struct check *check, struct check_finding *finding,
		   const struct state_process *who, const struct state_context *context,
		   uint64_t object)
{
	size_t place;

	if (context) {
		finding->machine = context->machine;
		finding->process = who && who->number ? who : context->process;
	} else if (who) {
		finding->machine = who->machine;
		finding->process = who;
	}
	finding->pid = finding->process ? finding->process->pid : 0;
	finding->object = (uint32_t)object;
	place = finding_keep(check, finding);
	if (finding->inferred && context)
		need_add(check, finding, place, context);
}

void finding_range(struct check_finding *finding, uint64_t iova, uint64_t last)
{
	finding->has_range = true;
	finding->iova = iova;
	finding->last = last;
}

void finding_witness(struct check_finding *finding, int64_t time_ns, uint64_t op_id, uint32_t tid,
		     uint16_t stack, const char *text, ...)
{
	struct check_witness *witness;
	va_list ap;

	if (finding->witness_count == CHECK_WITNESS_MAX)
		return;
	witness = &finding->witness[finding->witness_count++];
	witness->time_ns = time_ns;
	witness->op_id = op_id;
	witness->tid = tid;
	witness->stack = stack;
	va_start(ap, text);
	vsnprintf(witness->text, sizeof(witness->text), text, ap);
	va_end(ap);
}

/* What a call was asked and what it answered, as one line. */
static void op_text(const struct state_op *op, char text[128])
{
	char answer[40] = "did not return";

	if (op->returned && op->ret < 0)
		snprintf(answer, sizeof(answer), "= %s", strerrorname_np((int)-op->ret) ?
			 strerrorname_np((int)-op->ret) : "an unknown errno");
	else if (op->returned)
		snprintf(answer, sizeof(answer), "= %" PRId64, op->ret);
	if (op_is_map(op) || op->op == OP_UNMAP_DMA)
		snprintf(text, 128, "%s%s ioas %" PRIu64 " [0x%" PRIx64 ", 0x%" PRIx64 "]%s %s",
			 event_op_name(op->op), op->non_exist ? " (non-existent)" : "", op->id,
			 op->iova, op->last, op->readonly ? " readonly" : "", answer);
	else if (op->op == OP_CONNECT || op->op == OP_DISCONNECT)
		snprintf(text, 128, "%s: %" PRIu64 " users, fd %" PRId64 " %s",
			 event_op_name(op->op), op->users, op->fd, answer);
	else if (op_is_alloc(op))
		snprintf(text, 128, "%s: id %" PRIu64 " %s", event_op_name(op->op), op->new_id,
			 answer);
	else if (op->told && op->size)
		snprintf(text, 128, "%s id %" PRIu64 " [0x%" PRIx64 ", 0x%" PRIx64 "] %s",
			 event_op_name(op->op), op->id, op->iova, op->last, answer);
	else if (op->layer == STATE_BACKEND || op->told)
		snprintf(text, 128, "%s id %" PRIu64 " %s", event_op_name(op->op), op->id, answer);
	else
		snprintf(text, 128, "ioctl %s %s", event_op_name(op->op), answer);
}

void finding_witness_op(struct check_finding *finding, const struct state_op *op)
{
	char text[128];

	op_text(op, text);
	finding_witness(finding, op->returned ? op->end_ns : op->begin_ns, op->op_id, op->tid,
			op->stack, "%s", text);
}

void finding_witness_mapping(struct check_finding *finding, const struct state_object *object,
			     const struct state_mapping *mapping)
{
	finding_witness(finding, mapping->born_ns, mapping->op_id, mapping->tid, mapping->stack,
			"mapped %s %u [0x%" PRIx64 ", 0x%" PRIx64 "]%s",
			state_object_type_name(object->type), object->id, mapping->iova,
			mapping->last, mapping->prot & TRACE_PROT_WRITE ? "" : " readonly");
}

bool check_lossy_op(const struct check *check, const struct state_op *op, int64_t since_ns)
{
	const struct state_context *context = op->context;

	if (!context)
		return quality_lost_since(analysis_quality(check->analysis), op->machine,
					  EVENT_LAYER_BACKEND, 0, since_ns);
	return state_lost_since(check->state, context, since_ns) ||
	       (context->peer && state_lost_since(check->state, context->peer, since_ns));
}

/* ---- the observer --------------------------------------------------------------- */

/* Whether the rule is the first one of its file: the others are judged with it. */
static bool leads(int rule)
{
	return !rule || rules[rule].hooks != rules[rule - 1].hooks;
}

/* Calls `what` of every file of rules that has it. */
#define rules_tell(check, what, ...) \
	do { \
		for (int tell_i = 0; tell_i < RULE_COUNT; tell_i++) { \
			if (leads(tell_i) && rules[tell_i].hooks->what) \
				rules[tell_i].hooks->what(check, ##__VA_ARGS__); \
		} \
	} while (0)

static void on_event(void *opaque, const struct event *event)
{
	rules_tell(opaque, event, event);
}

static void on_op(void *opaque, const struct state_op *op)
{
	rules_tell(opaque, op, op);
}

static void on_commit_read(void *opaque, const struct state_object *object,
			   const struct event *commit, const struct state_op *op)
{
	rules_tell(opaque, commit_read, object, commit, op);
}

static void on_commit(void *opaque, const struct state_object *object,
		      const struct event *commit, const struct state_op *op)
{
	rules_tell(opaque, commit, object, commit, op);
}

static void on_linearized(void *opaque, const struct state_op *op, enum linearized how)
{
	rules_tell(opaque, linearized, op, how);
}

static void on_order_matters(void *opaque, const struct state_op *op, const struct state_op *with)
{
	rules_tell(opaque, order_matters, op, with);
}

static void on_object_begin(void *opaque, const struct state_object *object)
{
	struct check *check = opaque;

	rules_tell(check, object_begin, object);
	/* In a context that was seen from its beginning it is an id that no call gave out. */
	if (!object->born_seen && !object->context->born_seen)
		check->beginning_missing = true;
}

static void on_mapping_end(void *opaque, const struct state_object *object,
			   const struct state_mapping *mapping, int64_t time_ns, uint64_t op_id)
{
	rules_tell(opaque, mapping_end, object, mapping, time_ns, op_id);
}

static void on_context_end(void *opaque, const struct state_context *context, int64_t time_ns)
{
	rules_tell(opaque, context_end, context, time_ns);
}

/*
 * Streams are missing of which nothing is known: what was inferred is in doubt, and an
 * order that would break a rule may be one that the missing calls exclude.
 */
static void doubt_inferred(struct check *check)
{
	/* What two processes did looks like what one did: nothing of it is sure. */
	bool merged = analysis_quality(check->analysis)->merged;

	for (int rule = 0; rule < RULE_COUNT; rule++) {
		struct rule_result *result = &check->results[rule];

		if (merged)
			result->inferred = result->count[VERDICT_VIOLATION];
		result->count[VERDICT_VIOLATION] -= result->inferred;
		result->count[VERDICT_UNKNOWN] += result->inferred + result->count[VERDICT_POSSIBLE];
		result->count[VERDICT_POSSIBLE] = 0;
		result->inferred = 0;
	}
	for (size_t i = 0; i < check->findings_count; i++) {
		if (merged || check->findings[i].inferred ||
		    check->findings[i].verdict == VERDICT_POSSIBLE)
			check->findings[i].verdict = VERDICT_UNKNOWN;
	}
}

/*
 * Lost events can hide what breaks a rule: then no rule is known to hold. What lived
 * before it was seen leaves open what became of the rest that lived then.
 */
static void on_finish(void *opaque)
{
	struct check *check = opaque;
	bool lossy = quality_is_lossy(analysis_quality(check->analysis)) ||
		     check->beginning_missing;

	doubt_unmet(check); /* before those that are about the end itself */
	rules_tell(check, finish);
	if (analysis_quality(check->analysis)->unaccounted ||
	    analysis_quality(check->analysis)->merged)
		doubt_inferred(check);
	for (int rule = 0; lossy && rule < RULE_COUNT; rule++) {
		if (rule != RULE_LATENCY || check->has_latency)
			check->results[rule].count[VERDICT_UNKNOWN] +=
				!check->results[rule].count[VERDICT_UNKNOWN];
	}
	if (state_failed(check->state))
		check->failed = true;
}

static const struct analysis_observer observer = {
	.event = on_event,
	.op = on_op,
	.commit_read = on_commit_read,
	.commit = on_commit,
	.linearized = on_linearized,
	.order_matters = on_order_matters,
	.object_begin = on_object_begin,
	.mapping_end = on_mapping_end,
	.context_end = on_context_end,
	.finish = on_finish,
};

struct check *check_create(struct analysis *analysis, const struct check_config *config)
{
	struct check *check = calloc(1, sizeof(*check));

	if (!check)
		return NULL;
	check->analysis = analysis;
	check->state = analysis_state(analysis);
	if (config) {
		check->config = *config;
		for (int op = 0; op < OP_COUNT; op++)
			check->has_latency |= config->latency_ns[op] > 0;
	}
	for (int rule = 0; rule < RULE_COUNT; rule++) {
		if (!leads(rule)) {
			check->data[rule] = check->data[rule - 1];
			continue;
		}
		check->data[rule] = calloc(1, rules[rule].hooks->data_bytes + 1);
		if (!check->data[rule])
			goto out_destroy;
	}
	if (!analysis_observe(analysis, &observer, check))
		return check;
out_destroy:
	check_destroy(check);
	return NULL;
}

void check_destroy(struct check *check)
{
	if (!check)
		return;
	for (int rule = 0; rule < RULE_COUNT; rule++) {
		if (!leads(rule) || !check->data[rule])
			continue;
		if (rules[rule].hooks->fini)
			rules[rule].hooks->fini(check);
		free(check->data[rule]);
	}
	table_fini(&check->kept);
	free(check->findings);
	free(check->needs);
	free(check);
}

/* ---- results -------------------------------------------------------------------- */

enum check_verdict check_rule_verdict(const struct check *check, enum check_rule rule)
{
	enum check_verdict verdict = VERDICT_VIOLATION;

	while (verdict > VERDICT_OK && !check->results[rule].count[verdict])
		verdict--;
	return verdict;
}

enum check_verdict check_verdict(const struct check *check)
{
	enum check_verdict worst = check->failed ? VERDICT_UNKNOWN : VERDICT_OK;

	for (int rule = 0; rule < RULE_COUNT; rule++) {
		enum check_verdict verdict = check_rule_verdict(check, (enum check_rule)rule);

		if (verdict > worst)
			worst = verdict;
	}
	return worst;
}

uint64_t check_rule_asked(const struct check *check, enum check_rule rule)
{
	return check->results[rule].asked;
}

uint64_t check_rule_count(const struct check *check, enum check_rule rule,
			  enum check_verdict verdict)
{
	return check->results[rule].count[verdict];
}

const struct check_finding *check_findings(const struct check *check, size_t *count)
{
	*count = check->findings_count;
	return check->findings;
}

int check_exit_status(const struct check *check)
{
	switch (check_verdict(check)) {
	case VERDICT_OK:
		return 0;
	case VERDICT_VIOLATION:
		return 1;
	default:
		return 2;
	}
}
