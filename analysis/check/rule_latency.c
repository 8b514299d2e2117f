/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule latency: calls stay inside the budget that was given, if any. */
#include <inttypes.h>

#include "analysis/check/check_internal.h"

static void latency_op(struct check *check, const struct state_op *op)
{
	uint64_t budget_ns = check->config.latency_ns[op->op];
	struct check_finding *finding;
	uint64_t took_ns;

	if (!budget_ns || !op->returned || !op->begin_seen)
		return;
	rule_asked(check, RULE_LATENCY);
	took_ns = (uint64_t)(op->end_ns - op->begin_ns);
	if (took_ns <= budget_ns)
		return;
	finding = finding_add(check, RULE_LATENCY, VERDICT_VIOLATION, op->end_ns,
			      "%s took %" PRIu64 " ns, the budget is %" PRIu64 " ns",
			      event_op_name(op->op), took_ns, budget_ns);
	finding_about(check, finding, op->process, op->context, op->id);
	finding_witness_op(finding, op);
}

const struct rule_hooks rule_latency = {
	.op = latency_op,
};
