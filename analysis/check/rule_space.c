/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of address spaces: overlap, unmap-unmapped, partial-unmap.
 *
 * A commit is judged against what lives at its place in the order of commits. A
 * call that was refused has no commit: it is judged against what lived all the
 * time from its begin to its end.
 */
#include <errno.h>
#include <inttypes.h>

#include "analysis/check/check_internal.h"

/* The mappings that an unmap meets. */
struct met {
	uint64_t inside_bytes;
	struct state_mapping inside, cut; /* one of each, the first */
	bool has_inside, has_cut;
};

/* before_ns: only what lived before; INT64_MAX: all. */
static struct met meet(const struct state_object *object, uint64_t iova, uint64_t last,
		       int64_t before_ns)
{
	struct met met = { 0 };
	struct range_iter iter;
	const struct range_entry *entry;

	for (entry = range_set_overlap(&object->mappings, iova, last, &iter); entry;
	     entry = range_set_next_overlap(&object->mappings, iova, last, &iter)) {
		if (entry->born_ns >= before_ns)
			continue;
		if (entry->iova < iova || entry->last > last) {
			if (!met.has_cut)
				met.cut = *entry;
			met.has_cut = true;
			continue;
		}
		if (!met.has_inside)
			met.inside = *entry;
		met.has_inside = true;
		met.inside_bytes += iova_range_bytes(entry->iova, entry->last);
	}
	return met;
}

static struct check_finding *found(struct check *check, enum check_rule rule,
				   enum check_verdict verdict, const struct state_op *op,
				   const struct state_object *object, uint64_t iova, uint64_t last, int64_t time_ns, const char *what)
{
	struct check_finding *finding =
		finding_add(check, rule, verdict, time_ns,
			    "[0x%" PRIx64 ", 0x%" PRIx64 "] of ioas %u %s", iova, last, object->id,
			    what);

	finding_about(check, finding, op ? op->process : NULL, object->context, object->id);
	finding_range(finding, iova, last);
	return finding;
}

/* ---- commits -------------------------------------------------------------------- */

static void witness_commit(struct check_finding *finding, const struct event *commit,
			   const struct state_op *op)
{
	const struct state_op *call = op && op->outer ? op->outer : op;

	finding_witness(finding, commit->time_ns, call ? call->op_id : commit->op_id,
			call ? call->tid : 0, call ? call->stack : 0,
			"commit %" PRIu64 ": %s ioas %" PRIu64 " [0x%" PRIx64 ", 0x%" PRIx64 "]",
			commit->seq, commit->commit_kind == TRACE_COMMIT_UNMAP ? "unmap" : "map",
			commit->id, commit->iova, commit->last);
}

static void commit_map(struct check *check, const struct state_object *object,
		       const struct event *commit, const struct state_op *op)
{
	struct range_iter iter;
	const struct range_entry *entry =
		range_set_overlap(&object->mappings, commit->iova, commit->last, &iter);
	struct check_finding *finding;

	rule_asked(check, RULE_OVERLAP);
	if (!entry)
		return;
	finding = found(check, RULE_OVERLAP, verdict_proven_if(entry->born_ns > object->gap_ns), op, object,
			commit->iova, commit->last, commit->time_ns,
			"was mapped while a mapping that shares addresses lived");
	finding_witness_mapping(finding, object, entry);
	witness_commit(finding, commit, op);
}

static void commit_unmap(struct check *check, const struct state_object *object,
			 const struct event *commit, const struct state_op *op)
{
	struct met met = meet(object, commit->iova, commit->last, INT64_MAX);
	bool complete = object->born_seen && object->gap_ns == INT64_MIN;
	bool nothing_said = !commit->arg &&
			    (iova_range_is_whole(commit->range) || !op ||
			     op->op != OP_IOCTL + 6 /* IOAS_UNMAP */);
	struct check_finding *finding;

	rule_asked(check, RULE_UNMAP_UNMAPPED);
	rule_asked(check, RULE_PARTIAL_UNMAP);
	if (met.has_cut) {
		finding = found(check, RULE_PARTIAL_UNMAP,
				verdict_proven_if(met.cut.born_ns > object->gap_ns), op, object, commit->iova,
				commit->last, commit->time_ns, "was unmapped and cut a mapping");
		finding_witness_mapping(finding, object, &met.cut);
		witness_commit(finding, commit, op);
	}
	if (!met.has_inside && !met.has_cut && !nothing_said) {
		finding = found(check, RULE_UNMAP_UNMAPPED, verdict_proven_if(complete), op, object,
				commit->iova, commit->last, commit->time_ns,
				"was unmapped with success, but nothing was mapped there");
		witness_commit(finding, commit, op);
	} else if (complete && met.inside_bytes != commit->arg && !met.has_cut && !nothing_said) {
		finding = found(check, RULE_UNMAP_UNMAPPED, VERDICT_VIOLATION, op, object,
				commit->iova, commit->last, commit->time_ns,
				"was unmapped, but not as many bytes as were mapped");
		finding_witness_mapping(finding, object, &met.inside);
		witness_commit(finding, commit, op);
	}
}

static void space_commit(struct check *check, const struct state_object *object,
			const struct event *commit, const struct state_op *op)
{
	if (commit->commit_kind == TRACE_COMMIT_MAP || commit->commit_kind == TRACE_COMMIT_COPY)
		commit_map(check, object, commit, op);
	else if (commit->commit_kind == TRACE_COMMIT_UNMAP)
		commit_unmap(check, object, commit, op);
}

/* ---- calls that were refused ---------------------------------------------------- */

static bool refused_as_overlap(const struct state_op *op)
{
	enum event_op plain = event_op_plain(op->op);

	if (op->ret != -EEXIST)
		return false;
	return plain == OP_MAP_DMA || plain == OP_MAP_FILE_DMA || plain == OP_COPY_DMA;
}

/* EEXIST is the device's word that a mapping was there: in this order, not in another. */
static void refused_map(struct check *check, const struct state_op *op,
			const struct state_object *object)
{
	struct check_finding *finding;
	const struct range_entry *entry = NULL;
	struct range_iter iter;

	if (op->layer == STATE_DEVICE && !op->told) {
		finding = finding_add(check, RULE_OVERLAP, VERDICT_VIOLATION, op->end_ns,
				      "%s was refused: a live mapping shares addresses with it",
				      event_op_name(op->op));
		finding_about(check, finding, op->process, op->context, 0);
		finding_witness_op(finding, op);
		return;
	}
	finding = finding_add(check, RULE_OVERLAP, VERDICT_VIOLATION, op->end_ns,
			      "mapping [0x%" PRIx64 ", 0x%" PRIx64 "] of ioas %" PRIu64
			      " was refused: a live mapping shares addresses with it",
			      op->iova, op->last, op->id);
	finding_about(check, finding, op->process, op->context, op->id);
	finding_range(finding, op->iova, op->last);
	if (object)
		entry = range_set_overlap(&object->mappings, op->iova, op->last, &iter);
	if (entry)
		finding_witness_mapping(finding, object, entry);
	finding_witness_op(finding, op);
}

static void refused_unmap(struct check *check, const struct state_op *op,
			  const struct state_object *object, enum linearized how)
{
	struct met met = meet(object, op->iova, op->last, op->begin_ns);
	struct check_finding *finding;
	enum check_verdict verdict;

	rule_asked(check, RULE_UNMAP_UNMAPPED);
	rule_asked(check, RULE_PARTIAL_UNMAP);
	if (met.has_cut) {
		verdict = verdict_if(state_mapping_certain(check->state, object, &met.cut));
		if (verdict == VERDICT_INFERRED && how == LINEARIZED_UNDECIDED)
			verdict = verdict_possible(check, op);
		finding = found(check, RULE_PARTIAL_UNMAP, verdict, op, object, op->iova, op->last,
				op->end_ns, "was to be unmapped, which would cut a mapping");
		finding_witness_mapping(finding, object, &met.cut);
		finding_witness_op(finding, op);
	} else if (met.has_inside) {
		verdict = verdict_if(state_mapping_certain(check->state, object, &met.inside));
		if (verdict == VERDICT_INFERRED && how == LINEARIZED_UNDECIDED)
			verdict = verdict_possible(check, op);
		finding = found(check, RULE_UNMAP_UNMAPPED, verdict, op, object, op->iova, op->last,
				op->end_ns,
				"was reported as not mapped, but a mapping lived there");
		finding_witness_mapping(finding, object, &met.inside);
		finding_witness_op(finding, op);
	} else if (meet(object, op->iova, op->last, INT64_MAX).has_cut) {
		met = meet(object, op->iova, op->last, INT64_MAX);
		finding = found(check, RULE_PARTIAL_UNMAP, verdict_possible(check, op), op, object,
				op->iova, op->last, op->end_ns,
				"was to be unmapped while a mapping was made that this would cut");
		finding_witness_mapping(finding, object, &met.cut);
		finding_witness_op(finding, op);
	}
}

static void space_refused(struct check *check, const struct state_op *op)
{
	const struct state_context *truth = check_truth(op);
	enum event_op plain = event_op_plain(op->op);
	const struct state_object *object = NULL;

	if (truth && (op->layer == STATE_BACKEND || op->told) &&
	    (plain == OP_MAP_DMA || plain == OP_MAP_FILE_DMA || plain == OP_UNMAP_DMA))
		object = state_object_find(check->state, truth, op->id);
	if (refused_as_overlap(op))
		refused_map(check, op, object);
	else if (object && plain == OP_UNMAP_DMA && (op->non_exist || op->ret == -ENOENT))
		refused_unmap(check, op, object, LINEARIZED_ALONE);
}

/* ---- calls in their order, without commits -------------------------------------- */

/* QEMU's own events tell no begin: between threads their order is not sure. */
static enum check_verdict linearized_verdict(const struct check *check, const struct state_op *op,
					  enum linearized how,
					  const struct state_mapping *mapping, bool certain)
{
	if (!certain)
		return VERDICT_UNKNOWN;
	if (how == LINEARIZED_UNDECIDED || (op->qemu && mapping && mapping->tid != op->tid))
		return verdict_possible(check, op);
	return VERDICT_INFERRED;
}

static void linearized_map(struct check *check, const struct state_op *op,
		       const struct state_object *object, enum linearized how)
{
	struct range_iter iter;
	const struct range_entry *entry =
		range_set_overlap(&object->mappings, op->iova, op->last, &iter);
	struct check_finding *finding;

	rule_asked(check, RULE_OVERLAP);
	if (!entry)
		return;
	finding = found(check, RULE_OVERLAP,
			linearized_verdict(check, op, how, entry,
					state_mapping_certain(check->state, object, entry)),
			op, object, op->iova, op->last, op->end_ns,
			"was mapped while a mapping that shares addresses lived");
	finding_witness_mapping(finding, object, entry);
	finding_witness_op(finding, op);
}

static void linearized_unmap(struct check *check, const struct state_op *op,
			 const struct state_object *object, enum linearized how)
{
	struct met met = meet(object, op->iova, op->last, INT64_MAX);
	struct check_finding *finding;

	rule_asked(check, RULE_UNMAP_UNMAPPED);
	rule_asked(check, RULE_PARTIAL_UNMAP);
	if (met.has_cut) {
		finding = found(check, RULE_PARTIAL_UNMAP,
				linearized_verdict(check, op, how, &met.cut,
						state_mapping_certain(check->state, object,
								      &met.cut)),
				op, object, op->iova, op->last, op->end_ns,
				"was unmapped and cut a mapping");
		finding_witness_mapping(finding, object, &met.cut);
		finding_witness_op(finding, op);
	} else if (!met.has_inside && !iova_range_is_whole(op->range)) {
		finding = found(check, RULE_UNMAP_UNMAPPED,
				linearized_verdict(check, op, how, NULL,
						state_object_complete(check->state, object)),
				op, object, op->iova, op->last, op->end_ns,
				"was unmapped with success, but nothing was mapped there");
		finding_witness_op(finding, op);
	}
}

static void space_linearized(struct check *check, const struct state_op *op, enum linearized how)
{
	const struct state_object *object;

	if (!op_is_map(op) && op->op != OP_UNMAP_DMA)
		return;
	object = state_object_find(check->state, op->context, op->id);
	if (refused_as_overlap(op))
		refused_map(check, op, object);
	else if (object && op_is_map(op) && !op->ret && op->size)
		linearized_map(check, op, object, how);
	else if (object && op->op == OP_UNMAP_DMA && (op->non_exist || op->ret == -ENOENT))
		refused_unmap(check, op, object, how);
	else if (object && op->op == OP_UNMAP_DMA && !op->ret)
		linearized_unmap(check, op, object, how);
}

/* Of two calls that overlap, in the order that was not found. */
static void space_order_matters(struct check *check, const struct state_op *op,
				const struct state_op *with)
{
	enum check_rule rule = op_is_map(op) ? RULE_OVERLAP :
			       op->op == OP_UNMAP_DMA ? RULE_UNMAP_UNMAPPED : RULE_USE_AFTER_FREE;
	struct check_finding *finding;

	if (with->op == OP_FREE_ID || op->op == OP_FREE_ID)
		rule = RULE_USE_AFTER_FREE;
	finding = finding_add(check, rule, verdict_possible(check, op), op->end_ns,
			      "%s and %s of the same %s overlap in time: in another order the rule "
			      "would be broken", event_op_name(with->op), event_op_name(op->op),
			      rule == RULE_USE_AFTER_FREE ? "id" : "addresses");
	finding_about(check, finding, op->process, op->context, op->id);
	if (op_is_map(op) || op->op == OP_UNMAP_DMA)
		finding_range(finding, op->iova, op->last);
	finding_witness_op(finding, with);
	finding_witness_op(finding, op);
}

/* Where there are no commits, order matters: see space_linearized(). */
static void space_op(struct check *check, const struct state_op *op)
{
	if (op->returned && (op->layer == STATE_BACKEND ? op->context && op->context->peer
							: !op->outer))
		space_refused(check, op);
}

const struct rule_hooks rule_space = {
	.op = space_op,
	.commit = space_commit,
	.linearized = space_linearized,
	.order_matters = space_order_matters,
};
