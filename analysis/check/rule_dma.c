/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rule dma-outside.
 *
 * A fault is the device's word that an access missed. An access that succeeded
 * is judged against the address space behind its page table; one that a mapping
 * just removed would have covered may have been before that.
 */
#include <inttypes.h>

#include "analysis/check/check_internal.h"

#define UNMAPS_REMEMBERED 64u

/* A mapping that went, for accesses that may have been before it. */
struct recent_unmap {
	uint64_t object_serial;
	uint64_t iova, last;
	int64_t time_ns;
	uint64_t op_id;
	uint8_t prot;
	uint16_t stack; /* of the call that unmapped it */
};

struct dma_rules {
	struct recent_unmap unmaps[UNMAPS_REMEMBERED];
	unsigned int unmaps_next;
	uint16_t unmap_stack;
	uint64_t last_fault_ctx, last_fault_iova;
	int64_t last_fault_ns;
	bool has_fault;
};

static struct dma_rules *mine(const struct check *check)
{
	return check->data[RULE_DMA_OUTSIDE];
}

#define JUST_NS 1000000ll /* an access is traced that long after it at most */

static void dma_unmapped(struct check *check, const struct state_object *object,
			const struct state_mapping *mapping, int64_t time_ns, uint64_t op_id)
{
	mine(check)->unmaps[mine(check)->unmaps_next++ % UNMAPS_REMEMBERED] = (struct recent_unmap){
		.object_serial = object->serial,
		.iova = mapping->iova,
		.last = mapping->last,
		.time_ns = time_ns,
		.op_id = op_id,
		.prot = mapping->prot,
		.stack = op_id ? mine(check)->unmap_stack : 0,
	};
}

/* Of the call whose commit now ends mappings. */
static void dma_commit(struct check *check, const struct state_object *object,
		       const struct event *commit, const struct state_op *op)
{
	(void)object, (void)commit;
	mine(check)->unmap_stack = op ? op->stack : 0;
}

static const struct recent_unmap *unmapped_before(const struct check *check,
						  const struct state_object *ioas, uint64_t iova)
{
	const struct recent_unmap *latest = NULL;

	for (unsigned int i = 0; i < UNMAPS_REMEMBERED; i++) {
		const struct recent_unmap *unmap = &mine(check)->unmaps[i];

		if (unmap->object_serial == ioas->serial && unmap->iova <= iova &&
		    unmap->last >= iova && (!latest || unmap->time_ns >= latest->time_ns))
			latest = unmap;
	}
	return latest;
}

static void witness_dma(struct check_finding *finding, const struct event *event)
{
	finding_witness(finding, event->time_ns, 0, 0, 0,
			"%s: device %" PRIu64 " page table %" PRIu64 " %s 0x%" PRIx64,
			event->kind == EVENT_FAULT ? "fault" : "dma", event->dev_id, event->pt_id,
			event->write ? "writes" : "reads", event->iova);
}

/* What at iova keeps the access from being right, as a witness. */
static void witness_why(const struct check *check, struct check_finding *finding,
			const struct state_object *ioas, uint64_t iova)
{
	const struct recent_unmap *unmap;
	const struct range_entry *entry;
	struct range_iter iter;

	if (!ioas)
		return;
	entry = range_set_overlap(&ioas->mappings, iova, iova, &iter);
	unmap = unmapped_before(check, ioas, iova);
	if (entry)
		finding_witness_mapping(finding, ioas, entry);
	else if (unmap)
		finding_witness(finding, unmap->time_ns, unmap->op_id, 0, unmap->stack,
				"unmapped ioas %u [0x%" PRIx64 ", 0x%" PRIx64 "]", ioas->id,
				unmap->iova, unmap->last);
}

static struct check_finding *found(struct check *check, enum check_verdict verdict,
				   const struct event *event, const struct state_object *ioas,
				   uint64_t iova, const char *what)
{
	struct check_finding *finding =
		finding_add(check, RULE_DMA_OUTSIDE, verdict, event->time_ns,
			    "device %" PRIu64 " %s 0x%" PRIx64 ", %s", event->dev_id,
			    event->write ? "wrote" : "read", iova, what);

	if (ioas)
		finding_about(check, finding, NULL, ioas->context, ioas->id);
	finding_range(finding, iova, iova);
	witness_why(check, finding, ioas, iova);
	witness_dma(finding, event);
	return finding;
}

static const char *refusal(const struct state_object *ioas, const struct event *event)
{
	struct range_iter iter;
	const struct range_entry *entry =
		ioas ? range_set_overlap(&ioas->mappings, event->iova, event->iova, &iter) : NULL;

	if (entry && event->write && !(entry->prot & TRACE_PROT_WRITE))
		return "which is mapped readonly";
	return "which is not mapped";
}

static void judge_fault(struct check *check, const struct event *event,
			const struct state_object *ioas)
{
	mine(check)->last_fault_ctx = event->ctx;
	mine(check)->last_fault_iova = event->iova;
	mine(check)->last_fault_ns = event->time_ns;
	mine(check)->has_fault = true;
	found(check, VERDICT_VIOLATION, event, ioas, event->iova, refusal(ioas, event));
}

/* The refused access itself, unless its fault was told. */
static void judge_refused(struct check *check, const struct event *event,
			  const struct state_object *ioas)
{
	if (mine(check)->has_fault && mine(check)->last_fault_ctx == event->ctx && mine(check)->last_fault_iova >= event->iova &&
	    mine(check)->last_fault_iova - event->iova < event->size &&
	    event->time_ns - mine(check)->last_fault_ns <= JUST_NS)
		return;
	found(check, VERDICT_VIOLATION, event, ioas, event->iova, refusal(ioas, event));
}

static void judge_done(struct check *check, const struct event *event,
		       const struct state_object *ioas)
{
	uint64_t iova = event->iova, last = event->last;
	const struct recent_unmap *unmap;
	struct range_entry *entry;
	struct range_iter iter;
	bool certain = state_object_complete(check->state, ioas);

	for (entry = range_set_overlap(&ioas->mappings, iova, last, &iter); entry;
	     entry = range_set_next_overlap(&ioas->mappings, iova, last, &iter)) {
		if (entry->iova > iova)
			break;
		if (event->write && !(entry->prot & TRACE_PROT_WRITE)) {
			found(check,
			      verdict_if(state_mapping_certain(check->state, ioas, entry)), event,
			      ioas, iova, "which is mapped readonly");
			return;
		}
		if (entry->last >= last)
			return;
		iova = entry->last + 1;
	}
	unmap = unmapped_before(check, ioas, iova);
	if (certain && unmap && event->time_ns - unmap->time_ns <= JUST_NS)
		found(check, VERDICT_POSSIBLE, event, ioas, iova,
		      "which was unmapped at about that time");
	else
		found(check, verdict_if(certain), event, ioas, iova, "which is not mapped");
}

static void dma_event(struct check *check, const struct event *event)
{
	struct state_context *context;
	struct state_object *object;
	const struct state_object *ioas;

	if (event->kind != EVENT_DMA && event->kind != EVENT_FAULT)
		return;
	context = state_context_of(check->state, event);
	object = context ? state_object_find(check->state, context, event->pt_id) : NULL;
	ioas = state_object_ioas(check->state, object);
	rule_asked(check, RULE_DMA_OUTSIDE);
	if (event->kind == EVENT_FAULT)
		judge_fault(check, event, ioas);
	else if (event->ret < 0)
		judge_refused(check, event, ioas);
	else if (ioas && event->size)
		judge_done(check, event, ioas);
}

const struct rule_hooks rule_dma = {
	.data_bytes = sizeof(struct dma_rules),
	.event = dma_event,
	.commit = dma_commit,
	.mapping_end = dma_unmapped,
};
