/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule leak: docs/ANALYSIS.md says what is one, and why. */
#include <inttypes.h>
#include <stdlib.h>

#include "analysis/check/check_internal.h"

#define PLACES_MAX 5u

/* Mappings that calls with one stack made; of one of them, what a witness says. */
struct place {
	uint16_t stack;
	uint64_t mappings;
	struct range_entry first;
};

/* Where in its program what is left was mapped; the places of later ones are left away. */
struct places {
	unsigned int count;
	struct place of[PLACES_MAX];
};

/* What a context left behind; told when it ends. */
struct leftover {
	uint64_t objects, mappings, bytes;
	struct check_witness made, mapped; /* of one of them */
	const struct state_process *made_by;
	uint32_t first_id;
	bool first_has_mapping;
	int64_t time_ns;
	struct places places;
};

struct leak_rules {
	struct table leftovers; /* (context serial, 0) -> struct leftover */
};

static struct leak_rules *mine(const struct check *check)
{
	return check->data[RULE_LEAK];
}

static void witness_made(struct check_finding *finding, const struct state_object *object)
{
	const char *call = object->born_call ? event_op_name(object->born_call) : "something";

	finding_witness(finding, object->born_ns, object->born_op, 0, object->born_stack,
			"%s made %s %u", call, state_object_type_name(object->type), object->id);
}

/* Adds where the mappings of object were made, as far as the trace tells. */
static void places_add(struct places *places, const struct state_object *object)
{
	const struct range_entry *entry;
	struct range_iter iter;

	for (entry = range_set_overlap(&object->mappings, 0, UINT64_MAX, &iter); entry;
	     entry = range_set_next_overlap(&object->mappings, 0, UINT64_MAX, &iter)) {
		struct place *place = places->of;

		while (place < places->of + places->count && place->stack != entry->stack)
			place++;
		if (!entry->stack || place == places->of + PLACES_MAX)
			continue;
		if (place == places->of + places->count) {
			*place = (struct place){ entry->stack, 0, *entry };
			places->count++;
		}
		place->mappings++;
	}
}

static void witness_places(struct check_finding *finding, const struct places *places)
{
	for (unsigned int i = 0; i < places->count; i++) {
		const struct place *place = &places->of[i];

		finding_witness(finding, place->first.born_ns, place->first.op_id,
				place->first.tid, place->stack,
				"%" PRIu64 " mapping%s made here, as [0x%" PRIx64 ", 0x%" PRIx64 "]",
				place->mappings, place->mappings == 1 ? "" : "s",
				place->first.iova, place->first.last);
	}
}

/* The mapping at the lowest address, if there is one. */
static const struct range_entry *first_mapping(const struct state_object *object)
{
	struct range_iter iter;

	return range_set_overlap(&object->mappings, 0, UINT64_MAX, &iter);
}

static void witness_left(struct check_finding *finding, const struct state_object *object)
{
	const struct range_entry *mapping = first_mapping(object);

	witness_made(finding, object);
	if (mapping && !mapping->stack)
		finding_witness_mapping(finding, object, mapping);
}

static void leak_object(struct check *check, const struct state_object *object,
			const struct state_op *op, int64_t time_ns, bool sure, const char *when)
{
	const char *why = check_shared_unseen(object->context) ? CHECK_SHARED_WHY : "";
	struct check_finding *finding;
	struct places places = { 0 };

	if (object->mappings.count)
		finding = finding_add(check, RULE_LEAK, verdict_if(sure), time_ns,
				      "%s %s %u was left with %zu mapping%s, %" PRIu64 " bytes%s",
				      when, state_object_type_name(object->type), object->id,
				      object->mappings.count,
				      object->mappings.count == 1 ? "" : "s", object->bytes, why);
	else
		finding = finding_add(check, RULE_LEAK, verdict_if(sure), time_ns,
				      "%s %s %u was left%s", when,
				      state_object_type_name(object->type), object->id, why);
	finding_about(check, finding, object->born_by, object->context, object->id);
	witness_left(finding, object);
	places_add(&places, object);
	witness_places(finding, &places);
	if (op)
		finding_witness_op(finding, op);
}

/* Certain unless the end of object could have been lost, or brought about by someone else. */
static bool leak_sure(const struct check *check, const struct state_object *object)
{
	return !check_shared_unseen(object->context) &&
	       !state_lost_since(check->state, object->context,
				 object->context->layer == STATE_DEVICE ? object->commit_ns + 1
									: object->born_ns);
}

/* What no call asked for (a page table made by attaching a device) goes with its maker. */
static bool leak_counts(const struct state_object *object)
{
	return (object->born_op || object->born_call != OP_NONE) &&
	       object->type != TRACE_OBJ_DEVICE &&
	       object->type != TRACE_OBJ_SELFTEST && object->type != TRACE_OBJ_ACCESS;
}

/* The last disconnect: what the backend made must be gone, in its file or in a shared one. */
static void check_leak_disconnect(struct check *check, const struct state_op *op)
{
	const struct state_context *context = op->context;
	const struct state_context *truth = context->peer ? context->peer : context;
	const struct state_object *object;

	rule_asked(check, RULE_LEAK);
	/* An owned file is closed now: the device's commits of that tell what was left. */
	if (context->peer && context->owned)
		return;
	for (object = truth->objects; object; object = object->next) {
		if (leak_counts(object) && (object->maker == context || !context->peer))
			leak_object(check, object, op, op->end_ns, leak_sure(check, object),
				    "at the last disconnect");
	}
}

/* A commit without a call: the file is closed and this is destroyed with it. */
static void leak_destroyed(struct check *check, const struct state_object *object,
			  int64_t time_ns)
{
	struct leftover *left;

	if (!leak_counts(object))
		return;
	left = table_get(&mine(check)->leftovers, object->context->serial, 0);
	if (!left) {
		left = table_add(&mine(check)->leftovers, object->context->serial, 0, sizeof(*left));
		if (!left) {
			check->failed = true;
			return;
		}
	}
	left->objects++;
	left->mappings += object->mappings.count;
	left->bytes += object->bytes;
	places_add(&left->places, object);
	if (!left->made.text[0] || (!left->first_has_mapping && object->mappings.count)) {
		struct check_finding holder = { 0 };

		witness_left(&holder, object);
		left->made = holder.witness[0];
		left->mapped = holder.witness[1];
		left->first_id = object->id;
		left->made_by = object->born_by;
		left->first_has_mapping = object->mappings.count > 0;
	}
	left->time_ns = time_ns;
}

/* Without a word about leaks, what the kernel frees when a process ends is none. */
static bool exit_is_fine(const struct check *check)
{
	return check->config.leaks == CHECK_LEAKS_EXIT;
}

static void leak_context_end(struct check *check, const struct state_context *context,
			    int64_t time_ns)
{
	struct leftover *left = table_remove(&mine(check)->leftovers, context->serial, 0);
	struct check_finding *finding;

	rule_asked(check, RULE_LEAK);
	if (!left || (context->by_exit && exit_is_fine(check))) {
		free(left);
		return;
	}
	finding = finding_add(check, RULE_LEAK, VERDICT_VIOLATION, time_ns,
			      "when the file was closed %" PRIu64 " object%s and %" PRIu64
			      " mapping%s (%" PRIu64 " bytes) were left",
			      left->objects, left->objects == 1 ? "" : "s", left->mappings,
			      left->mappings == 1 ? "" : "s", left->bytes);
	finding_about(check, finding, left->made_by, context, left->first_id);
	finding_witness(finding, left->made.time_ns, left->made.op_id, left->made.tid,
			left->made.stack, "%s", left->made.text);
	if (left->mapped.text[0])
		finding_witness(finding, left->mapped.time_ns, left->mapped.op_id,
				left->mapped.tid, left->mapped.stack, "%s", left->mapped.text);
	witness_places(finding, &left->places);
	finding_witness(finding, time_ns, 0, 0, 0, "the file was closed%s",
			context->by_exit ? " as its process ended" : "");
	free(left);
}

/* An address space went with mappings in it: a call freed it. */
static void leak_freed(struct check *check, const struct state_object *object,
		      const struct state_op *op, int64_t time_ns)
{
	if (check->config.leaks == CHECK_LEAKS_STRICT && object->mappings.count)
		leak_object(check, object, op, time_ns, leak_sure(check, object),
			    "when it was freed");
}

/*
 * The end is sure if the process told it, and its last call is there. Where streams end says
 * nothing: those of a session that is rotated or stopped end while its programs go on.
 */
static bool end_sure(const struct check *check, const struct state_context *context)
{
	const struct quality_machine *machine =
		&analysis_quality(check->analysis)->machines[context->machine];

	/* Its beginning was on a stream that may be gone altogether, with the end. */
	if (!context->born_seen && !context->qemu)
		return false;
	switch (state_process_fate(context->process)) {
	case STATE_PROCESS_ENDED:
		/* The device in a process of its own tells when the file is closed. */
		if (context->layer == STATE_BACKEND ||
		    (uint32_t)(context->key >> 32) == (uint32_t)context->process->key)
			return true;
		break;
	case STATE_PROCESS_CUT:
		return false;
	case STATE_PROCESS_UNKNOWN:
		break;
	}
	/* Who asks so strictly says that the trace ends with its programs. */
	return !machine->by_lttng || check->config.leaks == CHECK_LEAKS_STRICT;
}

/*
 * The library promises that each connect is given back, so a user at a program's end is one too
 * many even though the kernel frees what it used. QEMU quits without that.
 */
static void leak_users(struct check *check, const struct state_context *context)
{
	struct check_finding *finding;

	if (!context->users_known || !context->users || context->moved ||
	    (context->qemu && exit_is_fine(check)))
		return;
	finding = finding_add(check, RULE_LEAK, verdict_if(check_users_sure(check, context) &&
					 end_sure(check, context)),
			      context->users_ns,
			      "at the end backend %" PRIu64 "%s still has %" PRIu64
			      " user%s: a disconnect is missing%s",
			      context->key & INT64_MAX, context->qemu ? " (QEMU's fd)" : "",
			      context->users, context->users == 1 ? "" : "s",
			      check_shared_unseen(context) ? CHECK_SHARED_WHY : "");
	finding_about(check, finding, NULL, context, 0);
	finding_witness(finding, context->users_ns, 0, 0, 0,
			"the last connect or disconnect left %" PRIu64 " user%s", context->users,
			context->users == 1 ? "" : "s");
}

static void leak_finish(struct check *check)
{
	const struct state_context *context;
	const struct state_object *object;

	if (analysis_still_running(check->analysis))
		return;
	for (context = state_contexts(check->state); context; context = context->next) {
		rule_asked(check, RULE_LEAK);
		if (context->layer == STATE_BACKEND)
			leak_users(check, context);
		/* What is left in a backend without users was told at its last disconnect. */
		if ((context->layer == STATE_BACKEND && !context->users &&
		     context->users_known) || exit_is_fine(check) || context->moved)
			continue;
		for (object = context->objects; object; object = object->next) {
			if (leak_counts(object))
				leak_object(check, object, NULL, object->commit_ns,
					    leak_sure(check, object) &&
						    end_sure(check, context),
					    "at the end");
		}
	}
}

static void leak_op(struct check *check, const struct state_op *op)
{
	if (op->layer == STATE_BACKEND && op->returned && op->context &&
	    op->op == OP_DISCONNECT && !op->ret && !op->users)
		check_leak_disconnect(check, op);
}

static void leak_commit(struct check *check, const struct state_object *object,
			   const struct event *commit, const struct state_op *op)
{
	if (commit->commit_kind != TRACE_COMMIT_DESTROY)
		return;
	if (!commit->op_id)
		leak_destroyed(check, object, commit->time_ns);
	else
		leak_freed(check, object, op && op->outer ? op->outer : op, commit->time_ns);
}

static void leak_linearized(struct check *check, const struct state_op *op, enum linearized how)
{
	const struct state_object *object;

	(void)how;
	if (op->op != OP_FREE_ID || op->ret)
		return;
	object = state_object_find(check->state, op->context, op->id);
	if (object)
		leak_freed(check, object, op, op->end_ns);
}

static void leak_fini(struct check *check)
{
	table_fini_values(&mine(check)->leftovers);
}

const struct rule_hooks rule_leak = {
	.data_bytes = sizeof(struct leak_rules),
	.fini = leak_fini,
	.op = leak_op,
	.commit = leak_commit,
	.linearized = leak_linearized,
	.context_end = leak_context_end,
	.finish = leak_finish,
};
