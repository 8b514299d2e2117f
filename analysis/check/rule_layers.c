/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rule layers-agree: what a call of the backend says is what the device did.
 *
 * The commits of the ioctl inside a call are compared with the call one by one;
 * when it ends, a success needs one that agrees and none that differs, and a
 * failure needs none. The reverse: an address space that a backend made is
 * changed by calls of a backend only.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/check/check_internal.h"

/* What the device did on behalf of a call of the backend that is under way. */
struct layer_call {
	uint32_t agree, differ; /* commits that are as the call says, and those that are not */
	uint64_t other_kind, other_id, other_iova, other_last; /* the last of these */
	struct layer_call *next; /* of those that are free */
};

static const struct layer_call nothing;

struct layer_rules {
	struct table calls; /* (op_id, machine and namespace) -> struct layer_call */
	struct layer_call *free; /* for the next one */
};

static struct layer_rules *mine(const struct check *check)
{
	return check->data[RULE_LAYERS_AGREE];
}

static uint64_t where(const struct state_op *call)
{
	return (uint64_t)call->here_ns << 32 | call->machine;
}

static struct layer_call *layer_call_get(struct check *check, const struct state_op *call)
{
	struct layer_call *found = table_get(&mine(check)->calls, call->op_id, where(call));

	if (found)
		return found;
	found = mine(check)->free;
	if (found)
		mine(check)->free = found->next;
	else
		found = malloc(sizeof(*found));
	if (!found || table_set(&mine(check)->calls, call->op_id, where(call), found)) {
		free(found);
		check->failed = true;
		return NULL;
	}
	memset(found, 0, sizeof(*found));
	return found;
}

static void layers_fini(struct check *check)
{
	while (mine(check)->free) {
		struct layer_call *next = mine(check)->free->next;

		free(mine(check)->free);
		mine(check)->free = next;
	}
	table_fini_values(&mine(check)->calls);
}

static bool is_judged(const struct state_op *op)
{
	return op_is_map(op) || op->op == OP_UNMAP_DMA || op->op == OP_ALLOC_IOAS ||
	       op->op == OP_FREE_ID;
}

/* Whether the commit is what the call asks for; a new object's id is compared at the end. */
static bool commit_agrees(const struct state_op *call, const struct event *commit)
{
	switch (commit->commit_kind) {
	case TRACE_COMMIT_ALLOC:
		return call->op == OP_ALLOC_IOAS;
	case TRACE_COMMIT_DESTROY:
		return call->op == OP_FREE_ID && commit->id == call->id;
	case TRACE_COMMIT_MAP:
		return op_is_map(call) && commit->id == call->id && commit->iova == call->iova &&
		       commit->last == call->last &&
		       !(commit->flags & TRACE_PROT_WRITE) == call->readonly;
	case TRACE_COMMIT_UNMAP:
		return call->op == OP_UNMAP_DMA && commit->id == call->id &&
		       commit->iova >= call->iova && commit->last <= call->last;
	default:
		return false;
	}
}

static const char *commit_name(uint64_t kind)
{
	static const char *const names[] = {
		"?",	  "alloc",     "destroy",    "map",   "copy",	"unmap",   "attach",
		"detach", "dirty_set", "dirty_read", "allow", "option", "process", "invalidate",
	};

	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "?";
}

static void behind_its_back(struct check *check, const struct state_object *object,
			    const struct event *commit, const struct state_op *op)
{
	struct check_finding *finding =
		finding_add(check, RULE_LAYERS_AGREE, VERDICT_INFERRED, commit->time_ns,
			    "ioas %u of a backend was changed without a call of the backend: %s "
			    "[0x%" PRIx64 ", 0x%" PRIx64 "]",
			    object->id, commit_name(commit->commit_kind), commit->iova,
			    commit->last);

	finding_about(check, finding, op->process, object->context, object->id);
	finding_range(finding, commit->iova, commit->last);
	finding_witness(finding, object->born_ns, object->born_op, 0, object->born_stack,
			"made ioas %u", object->id);
	finding_witness(finding, commit->time_ns, commit->op_id, op->tid, op->stack,
			"commit %" PRIu64 ": %s", commit->seq, commit_name(commit->commit_kind));
}

static void layers_commit(struct check *check, const struct state_object *object,
			 const struct event *commit, const struct state_op *op)
{
	const struct state_op *call = op ? op->outer : NULL;
	struct layer_call *done;

	if (!call) {
		/* With anything lost the call may have been there and be lost itself. */
		if (op && object->maker && !check_lossy_op(check, op, INT64_MIN + 1) &&
		    !state_lost_since(check->state, object->maker, INT64_MIN + 1) &&
		    (commit->commit_kind == TRACE_COMMIT_MAP ||
		     commit->commit_kind == TRACE_COMMIT_UNMAP))
			behind_its_back(check, object, commit, op);
		return;
	}
	if (!is_judged(call))
		return;
	done = layer_call_get(check, call);
	if (!done)
		return;
	if (commit_agrees(call, commit)) {
		done->agree++;
		if (commit->commit_kind != TRACE_COMMIT_ALLOC)
			return;
	} else {
		done->differ++;
	}
	done->other_kind = commit->commit_kind;
	done->other_id = commit->id;
	done->other_iova = commit->iova;
	done->other_last = commit->last;
}

static void disagree(struct check *check, const struct state_op *op,
		     const struct layer_call *done, const char *cause)
{
	struct check_finding *finding =
		finding_add(check, RULE_LAYERS_AGREE, VERDICT_INFERRED, op->end_ns, "%s: %s",
			    event_op_name(op->op), cause);

	finding_about(check, finding, op->process, op->context, op->id);
	if (op_is_map(op) || op->op == OP_UNMAP_DMA)
		finding_range(finding, op->iova, op->last);
	if (done->other_kind)
		finding_witness(finding, op->end_ns, op->op_id, op->tid, op->stack,
				"commit: %s id %" PRIu64 " [0x%" PRIx64 ", 0x%" PRIx64 "]",
				commit_name(done->other_kind), done->other_id, done->other_iova,
				done->other_last);
	finding_witness_op(finding, op);
}

static void judge(struct check *check, const struct state_op *op, const struct layer_call *done)
{
	bool none = !op->ret && op->op == OP_UNMAP_DMA && !op->non_exist &&
		    iova_range_is_whole(op->range); /* all of an empty space: nothing changes */

	if (!op->context || !op->context->peer || !is_judged(op) || !op->begin_seen ||
	    op->context->peer_lost_ns != INT64_MIN)
		return;
	rule_asked(check, RULE_LAYERS_AGREE);
	/* What was lost since the call began may be what is missing here. */
	if (check_lossy_op(check, op, op->begin_ns)) {
		if (done->differ || (!op->ret && done->agree != 1))
			finding_add(check, RULE_LAYERS_AGREE, VERDICT_UNKNOWN, op->end_ns,
				    "%s: events that could agree were lost",
				    event_op_name(op->op));
		return;
	}
	if (done->differ)
		disagree(check, op, done, "the device did something else");
	else if (!op->ret && !op->non_exist && !done->agree && !none)
		disagree(check, op, done, "reported as done, but the device did nothing");
	else if (!op->ret && done->agree > 1 && op->op != OP_UNMAP_DMA)
		disagree(check, op, done, "the device did it more than once");
	else if (op->ret && done->agree && op->op != OP_UNMAP_DMA)
		disagree(check, op, done, "reported as failed, but the device did it");
	else if (!op->ret && op->op == OP_ALLOC_IOAS && done->other_id != op->new_id)
		disagree(check, op, done, "the device gave another id");
	else if (op->ioctls_ended && op->ret != op->inner_ret)
		disagree(check, op, done, "the backend reports another result than the device gave");
}

static void layers_op(struct check *check, const struct state_op *op)
{
	struct layer_call *done = NULL;

	if (op->layer != STATE_BACKEND)
		return;
	if (mine(check)->calls.count)
		done = table_remove(&mine(check)->calls, op->op_id, where(op));

	if (op->returned)
		judge(check, op, done ? done : &nothing);
	if (!done)
		return;
	done->next = mine(check)->free;
	mine(check)->free = done;
}

const struct rule_hooks rule_layers = {
	.data_bytes = sizeof(struct layer_rules),
	.fini = layers_fini,
	.op = layers_op,
	.commit_read = layers_commit,
};
