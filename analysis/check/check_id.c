/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of ids: use-after-free, unknown-id, double-free. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analysis/check/check_internal.h"

static struct id_history *history_find(const struct check *check,
				       const struct state_context *context, uint64_t id)
{
	return table_get(&check->ids, context->serial, id);
}

void check_id_given(struct check *check, const struct state_object *object)
{
	struct id_history *history = history_find(check, object->context, object->id);

	if (!history) {
		history = table_add(&check->ids, object->context->serial, object->id,
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

void check_id_freed(struct check *check, const struct state_object *object, uint64_t op_id,
		    uint32_t tid, int64_t begin_ns, int64_t time_ns)
{
	struct id_history *history = history_find(check, object->context, object->id);

	rule_asked(check, RULE_DOUBLE_FREE);
	if (!history)
		return;
	history->free_begin_ns = begin_ns;
	history->freed_ns = time_ns;
	history->freed_op = op_id;
	history->freed_tid = tid;
}

/* Ids of a context that is gone mean nothing any more. */
void check_id_forget(struct check *check, const struct state_context *context)
{
	for (size_t i = 0; i < check->ids.size;) {
		struct table_slot *slot = &check->ids.slots[i];

		if (!slot->value || slot->a != context->serial) {
			i++;
			continue;
		}
		free(table_remove(&check->ids, slot->a, slot->b)); /* may move one here */
	}
}

static bool names_id(const struct state_op *op)
{
	switch (op->op) {
	case OP_FREE_ID:
	case OP_MAP_DMA:
	case OP_MAP_FILE_DMA:
	case OP_UNMAP_DMA:
	case OP_COPY_DMA:
	case OP_SET_DIRTY:
	case OP_GET_DIRTY_BITMAP:
	case OP_INVALIDATE_CACHE:
	case OP_ALLOC_VDEV:
	case OP_ALLOC_VEVENTQ:
	case OP_ALLOC_HWPT:
	case OP_ALLOC_VIOMMU:
		return true;
	default:
		return op->told;
	}
}

/* True when the answer can mean that there is no such id. */
static bool answer_says_gone(const struct state_op *op)
{
	if (op->op == OP_ALLOC_HWPT || op->op == OP_ALLOC_VIOMMU)
		return op->ret == -ENOENT || op->ret == -EINVAL;
	return op->non_exist || op->ret == -ENOENT;
}

static void found_freed(struct check *check, const struct state_op *op,
			const struct id_history *history, enum check_verdict verdict)
{
	enum check_rule rule = event_op_plain(op->op) == OP_FREE_ID ? RULE_DOUBLE_FREE
								    : RULE_USE_AFTER_FREE;
	struct check_finding *finding =
		finding_add(check, rule, verdict, op->end_ns,
			    "%s names id %" PRIu64 ", which was %sfreed%s", event_op_name(op->op),
			    op->id, rule == RULE_DOUBLE_FREE ? "already " : "",
			    check_shared_unseen(op->context) ? CHECK_SHARED_WHY : "");

	finding_about(check, finding, op->process, op->context, op->id);
	finding_witness(finding, history->freed_ns, history->freed_op, history->freed_tid,
			"freed id %" PRIu64, op->id);
	finding_witness_op(finding, op);
}

static void found_unknown(struct check *check, const struct state_op *op,
			  enum check_verdict verdict, bool lossy)
{
	struct check_finding *finding =
		finding_add(check, RULE_UNKNOWN_ID, verdict, op->end_ns,
			    "%s names id %" PRIu64 ", which %s", event_op_name(op->op), op->id,
			    lossy ? "is not there" : "was never given out");

	finding_about(check, finding, op->process, op->context, op->id);
	finding_witness_op(finding, op);
}

/* The answer says that the id was not there, or (gone false) that it was. */
static void judge_absent(struct check *check, const struct state_op *op,
			 const struct state_context *truth, enum state_settled how, bool gone)
{
	const struct id_history *history = history_find(check, truth, op->id);
	bool lossy = check_lossy_since(check, op->machine, truth->born_ns) || !truth->born_seen;
	bool is_unmap = event_op_plain(op->op) == OP_UNMAP_DMA;
	enum check_verdict verdict = gone && !is_unmap ? VERDICT_VIOLATION
								      : VERDICT_INFERRED;

	if (history && history->freed_ns == INT64_MIN)
		return; /* it ended without being freed: no more is known */
	if (history) {
		/* An unmap of nothing looks the same as one of an id that is going. */
		if (is_unmap && history->freed_ns >= op->begin_ns)
			verdict = verdict_possible(check, op);
		if (how == SETTLED_UNDECIDED)
			verdict = verdict_possible(check, op);
		/* Between the two it may have been given out again, unseen. */
		if (!gone && check_lossy_since(check, op->machine,
					       op->begin_ns < history->free_begin_ns ?
						       op->begin_ns : history->free_begin_ns))
			verdict = VERDICT_UNKNOWN;
		/* Someone else may have got it in between. */
		if (check_shared_unseen(op->context))
			verdict = VERDICT_UNKNOWN;
		else if (!gone && op->context->passed_in)
			return;
		found_freed(check, op, history, verdict);
		return;
	}
	if (gone && !is_unmap)
		found_unknown(check, op, VERDICT_VIOLATION, lossy);
	else if (lossy)
		found_unknown(check, op, VERDICT_UNKNOWN, true);
	else if (!op->context->passed_in)
		found_unknown(check, op, VERDICT_INFERRED, lossy);
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

void check_id_named(struct check *check, const struct state_op *op, enum state_settled how)
{
	const struct state_context *truth = check_truth(op);
	const struct state_object *object;

	if (!truth || !names_id(op))
		return;
	rule_asked(check, RULE_USE_AFTER_FREE);
	rule_asked(check, RULE_UNKNOWN_ID);
	if (answer_says_gone(op)) {
		object = state_object_find(check->state, truth, op->id);
		if (!object)
			judge_absent(check, op, truth, how, true);
	} else if ((!op->ret && !op->context->peer) || is_second_free(check, op, truth)) {
		if (!state_object_find(check->state, truth, op->id))
			judge_absent(check, op, truth, how, false);
	}
}
