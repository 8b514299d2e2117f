/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of ids: use-after-free, unknown-id, double-free. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analysis/check/check_internal.h"

/* How an id was last given out and freed. */
struct id_history {
	int64_t given_ns;
	int64_t freed_ns; /* INT64_MIN: lives, or never freed */
	int64_t free_begin_ns; /* when the call that freed it began */
	uint64_t given_op, freed_op;
	uint32_t freed_tid;
	uint16_t freed_stack;
};

struct id_rules {
	struct table ids;	/* (context serial, id) -> struct id_history */
	struct table strangers; /* (context serial, 0) -> struct stranger */
};

static struct id_rules *mine(const struct check *check)
{
	return check->data[RULE_USE_AFTER_FREE];
}

static struct id_history *history_find(const struct check *check,
				       const struct state_context *context, uint64_t id)
{
	return table_get(&mine(check)->ids, context->serial, id);
}

static void id_given(struct check *check, const struct state_object *object)
{
	struct id_history *history = history_find(check, object->context, object->id);

	if (!history) {
		history = table_add(&mine(check)->ids, object->context->serial, object->id,
				    sizeof(*history));
		if (!history) {
			check->failed = true;
			return;
		}
	}
	history->given_ns = object->born_ns;
	history->given_op = object->born_op;
	history->freed_ns = INT64_MIN;
}

static void id_freed(struct check *check, const struct state_object *object,
		     const struct state_op *op, uint64_t op_id, int64_t begin_ns, int64_t time_ns)
{
	struct id_history *history = history_find(check, object->context, object->id);

	rule_asked(check, RULE_DOUBLE_FREE);
	if (!history)
		return;
	history->free_begin_ns = begin_ns;
	history->freed_ns = time_ns;
	history->freed_op = op_id;
	history->freed_tid = op ? op->tid : 0;
	history->freed_stack = op ? op->stack : 0;
}

/* Ids of a context that is gone mean nothing any more. */
static void id_forget(struct check *check, const struct state_context *context, int64_t time_ns)
{
	(void)time_ns;
	for (size_t i = 0; i < mine(check)->ids.size;) {
		struct table_slot *slot = &mine(check)->ids.slots[i];

		if (!slot->value || slot->a != context->serial) {
			i++;
			continue;
		}
		free(table_remove(&mine(check)->ids, slot->a, slot->b)); /* may move one here */
	}
}

/* Calls whose ids are known: of the backend they tell them, of the device those that failed. */
static bool names_id(const struct state_op *op)
{
	if (op->layer == STATE_BACKEND)
		return event_op_names_ids(op->op) || op->op == OP_ATTACH;
	return op->told;
}

/* True when the answer means that there is no such id. */
static bool answer_says_gone(const struct state_op *op)
{
	return op->non_exist || op->ret == -ENOENT ||
	       (op->ret == -EINVAL && event_op_says_einval(op->op));
}

static void found_freed(struct check *check, const struct state_op *op, uint64_t id,
			const struct id_history *history, enum check_verdict verdict)
{
	enum check_rule rule = event_op_plain(op->op) == OP_FREE_ID ? RULE_DOUBLE_FREE
								    : RULE_USE_AFTER_FREE;
	struct check_finding *finding =
		finding_add(check, rule, verdict, op->end_ns,
			    "%s names id %" PRIu64 ", which was %sfreed%s", event_op_name(op->op),
			    id, rule == RULE_DOUBLE_FREE ? "already " : "",
			    check_shared_unseen(op->context) ? CHECK_SHARED_WHY : "");

	finding_about(check, finding, op->process, op->context, id);
	finding_witness(finding, history->freed_ns, history->freed_op, history->freed_tid,
			history->freed_stack, "freed id %" PRIu64, id);
	finding_witness_op(finding, op);
}

static void found_unknown(struct check *check, const struct state_op *op, uint64_t id,
			  enum check_verdict verdict, bool lossy)
{
	struct check_finding *finding =
		finding_add(check, RULE_UNKNOWN_ID, verdict, op->end_ns,
			    "%s names id %" PRIu64 ", which %s", event_op_name(op->op), id,
			    lossy ? "is not there" : "was never given out");

	finding_about(check, finding, op->process, op->context, id);
	finding_witness_op(finding, op);
}

/* An id of QEMU's that works, though no event of QEMU's says who gave it out. */
struct stranger {
	uint64_t id, count;
	int64_t time_ns;
	const struct state_context *context; /* one of a backend: it lives as long as state */
	struct check_witness witness;
};

/*
 * QEMU's events are not all there is: a newer QEMU has calls that this program does not know, a
 * session may leave some out, and a live update brings objects along. The device took the id.
 */
static void stranger_note(struct check *check, const struct state_op *op, uint64_t id,
			  const struct state_context *truth)
{
	struct stranger *stranger = table_get(&mine(check)->strangers, truth->serial, 0);
	struct check_finding holder = { 0 };

	if (!stranger)
		stranger = table_add(&mine(check)->strangers, truth->serial, 0, sizeof(*stranger));
	if (!stranger) {
		check->failed = true;
		return;
	}
	if (stranger->count++)
		return;
	finding_witness_op(&holder, op);
	stranger->id = id;
	stranger->time_ns = op->end_ns;
	stranger->context = truth;
	stranger->witness = holder.witness[0];
}

static int by_time(const void *a, const void *b)
{
	const struct stranger *left = *(struct stranger *const *)a;
	const struct stranger *right = *(struct stranger *const *)b;

	return (left->time_ns > right->time_ns) - (left->time_ns < right->time_ns);
}

static void id_finish(struct check *check)
{
	struct stranger **list = calloc(mine(check)->strangers.count + 1, sizeof(*list));
	size_t count = 0;

	if (!list) {
		check->failed = true;
		return;
	}
	for (size_t i = 0; i < mine(check)->strangers.size; i++) {
		if (mine(check)->strangers.slots[i].value)
			list[count++] = mine(check)->strangers.slots[i].value;
	}
	qsort(list, count, sizeof(*list), by_time);
	for (size_t i = 0; i < count; i++) {
		const struct stranger *stranger = list[i];
		const struct check_witness *witness = &stranger->witness;
		struct check_finding *finding;

		if (stranger->context->adopted)
			continue;
		finding = finding_add(check, RULE_UNKNOWN_ID, VERDICT_UNKNOWN, stranger->time_ns,
				      "id %" PRIu64 " was named, and QEMU's events do not tell who "
				      "gave it out (%" PRIu64 " such call%s)", stranger->id,
				      stranger->count, stranger->count == 1 ? "" : "s");
		finding_about(check, finding, NULL, stranger->context, stranger->id);
		finding_witness(finding, witness->time_ns, witness->op_id, witness->tid,
				witness->stack, "%s", witness->text);
	}
	free(list);
}

/* The answer says that the id was not there, or (gone false) that it was. */
static void judge_absent(struct check *check, const struct state_op *op, uint64_t id,
			 const struct state_context *truth, enum linearized how, bool gone)
{
	const struct id_history *history = history_find(check, truth, id);
	bool lossy = state_lost_since(check->state, truth, truth->born_ns) || !truth->born_seen;
	bool is_unmap = event_op_plain(op->op) == OP_UNMAP_DMA;
	enum check_verdict verdict = gone && !is_unmap ? VERDICT_VIOLATION
								      : VERDICT_INFERRED;

	if (op->qemu && !gone && !op->ret && !history) {
		stranger_note(check, op, id, truth);
		return;
	}
	if (history && history->freed_ns == INT64_MIN)
		return; /* it ended without being freed: no more is known */
	if (history) {
		/* An unmap of nothing looks the same as one of an id that is going. */
		if (is_unmap && history->freed_ns >= op->begin_ns)
			verdict = verdict_possible(check, op);
		if (how == LINEARIZED_UNDECIDED)
			verdict = verdict_possible(check, op);
		/* Between the two it may have been given out again, unseen. */
		if (!gone && state_lost_since(check->state, truth,
					      op->begin_ns < history->free_begin_ns ?
						      op->begin_ns : history->free_begin_ns))
			verdict = VERDICT_UNKNOWN;
		/* Someone else may have got it in between, or a call that QEMU does not tell of. */
		if (check_shared_unseen(op->context) ||
		    (op->qemu && table_get(&mine(check)->strangers, truth->serial, 0)))
			verdict = VERDICT_UNKNOWN;
		else if (!gone && op->context->passed_in)
			return;
		found_freed(check, op, id, history, verdict);
		return;
	}
	if (gone && !is_unmap)
		found_unknown(check, op, id, VERDICT_VIOLATION, lossy);
	else if (lossy)
		found_unknown(check, op, id, VERDICT_UNKNOWN, true);
	else if (!op->context->passed_in)
		found_unknown(check, op, id, VERDICT_INFERRED, lossy);
}

/* QEMU tells no errno. Why the free of an id failed that was freed before is clear. */
static bool is_second_free(const struct check *check, const struct state_op *op,
			   const struct state_context *truth)
{
	const struct id_history *history;

	if (op->op != OP_FREE_ID || !op->qemu || !op->ret)
		return false;
	history = history_find(check, truth, op->id);
	return history && history->freed_ns != INT64_MIN;
}

/*
 * The call was refused for something else, it may be before it looked the id up. That it named an
 * id that had been freed before it began is a mistake all the same.
 */
static void judge_refused(struct check *check, const struct state_op *op, uint64_t id,
			  const struct state_context *truth, enum linearized how)
{
	const struct id_history *history = history_find(check, truth, id);

	if (history && history->freed_ns != INT64_MIN && history->freed_ns < op->begin_ns)
		judge_absent(check, op, id, truth, how, true);
}

static void judge_id(struct check *check, const struct state_op *op, uint64_t id,
		     const struct state_context *truth, enum linearized how)
{
	if (state_object_find(check->state, truth, id))
		return;
	if (answer_says_gone(op))
		judge_absent(check, op, id, truth, how, true);
	else if ((!op->ret && !op->context->peer) || is_second_free(check, op, truth))
		judge_absent(check, op, id, truth, how, false);
	else if (op->ret && op->ret != -EBADF && !op->qemu) /* EBADF: it met no device */
		judge_refused(check, op, id, truth, how);
}

static void id_named(struct check *check, const struct state_op *op, enum linearized how)
{
	const struct state_context *truth = check_truth(op);

	if (!truth || !names_id(op))
		return;
	rule_asked(check, RULE_USE_AFTER_FREE);
	rule_asked(check, RULE_UNKNOWN_ID);
	judge_id(check, op, op->id, truth, how);
	for (uint32_t i = 0; i < op->other_ids_count; i++)
		judge_id(check, op, op->other_ids[i], truth, how);
}

/* Where there are no commits, order matters: see id_linearized(). */
static void id_op(struct check *check, const struct state_op *op)
{
	if (!op->returned)
		return;
	if (op->layer == STATE_BACKEND ? op->context && op->context->peer
				       : !op->outer && op->told)
		id_named(check, op, LINEARIZED_ALONE);
}

static void id_commit(struct check *check, const struct state_object *object,
		      const struct event *commit, const struct state_op *op)
{
	if (commit->commit_kind == TRACE_COMMIT_DESTROY)
		id_freed(check, object, op, op && op->outer ? op->outer->op_id : commit->op_id,
			 commit->time_ns, commit->time_ns);
}

static void id_linearized(struct check *check, const struct state_op *op, enum linearized how)
{
	const struct state_object *object;

	id_named(check, op, how);
	if (op->op != OP_FREE_ID || op->ret)
		return;
	object = state_object_find(check->state, op->context, op->id);
	if (object)
		id_freed(check, object, op, op->op_id, op->begin_ns, op->end_ns);
}

static void id_fini(struct check *check)
{
	table_fini_values(&mine(check)->ids);
	table_fini_values(&mine(check)->strangers);
}

const struct rule_hooks rule_id = {
	.data_bytes = sizeof(struct id_rules),
	.fini = id_fini,
	.op = id_op,
	.commit = id_commit,
	.linearized = id_linearized,
	.object_begin = id_given,
	.context_end = id_forget,
	.finish = id_finish,
};
