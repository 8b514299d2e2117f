/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the rules: check.c collects, check_print.c shows, and each rule_WHAT.c judges the
 * rules about one thing, which rules.def lists.
 */
#ifndef IOASIS_ANALYSIS_CHECK_INTERNAL_H
#define IOASIS_ANALYSIS_CHECK_INTERNAL_H

#include "analysis/analysis.h"
#include "analysis/check/check.h"
#include "analysis/table.h"

struct rule_result {
	uint64_t asked;
	uint64_t count[VERDICT_VIOLATION + 1];
	uint64_t inferred; /* of the violations */
	uint64_t kept;	   /* findings */
};

/*
 * A violation that rests on what processes did not emit: it counts once these are known to
 * have been traced until then.
 */
struct check_need {
	enum check_rule rule;
	size_t finding; /* its place among those that are kept; SIZE_MAX: it is not */
	const struct state_process *emitters[2]; /* both sides of the file */
	int64_t time_ns;
};

/*
 * What the file of a rule hears, in the order of rules.def: the same as an observer of the
 * analysis (analysis.h), when the check has its turn. NULL members are skipped.
 */
struct rule_hooks {
	size_t data_bytes; /* of check->data, zeroed; 0: none */
	void (*fini)(struct check *check); /* before the data is freed */
	void (*event)(struct check *check, const struct event *event);
	void (*op)(struct check *check, const struct state_op *op);
	void (*commit_read)(struct check *check, const struct state_object *object,
			    const struct event *commit, const struct state_op *op);
	void (*commit)(struct check *check, const struct state_object *object,
		       const struct event *commit, const struct state_op *op);
	void (*linearized)(struct check *check, const struct state_op *op, enum linearized how);
	void (*order_matters)(struct check *check, const struct state_op *op,
			      const struct state_op *with);
	void (*object_begin)(struct check *check, const struct state_object *object);
	void (*mapping_end)(struct check *check, const struct state_object *object,
			    const struct state_mapping *mapping, int64_t time_ns, uint64_t op_id);
	void (*context_end)(struct check *check, const struct state_context *context,
			    int64_t time_ns);
	void (*finish)(struct check *check);
};

#define RULE(NAME, name, text, hooks) extern const struct rule_hooks hooks;
#include "analysis/check/rules.def"
#undef RULE

struct check {
	struct analysis *analysis;
	struct state *state;
	struct check_config config;
	bool has_latency;
	struct rule_result results[RULE_COUNT];
	struct check_finding *findings;
	size_t findings_count, findings_room;
	struct check_need *needs; /* in the order of time; owned */
	size_t needs_count, needs_room;
	struct table kept; /* (process, rule and verdict) -> findings kept, as a number */
	void *data[RULE_COUNT]; /* of each rule's file; rules of one file share it */
	bool beginning_missing; /* something lived before it was seen */
	bool failed;
};

/*
 * Counts a finding; the first ones are kept. Returns a place to add the witness
 * to (not kept when there are enough already).
 */
struct check_finding *finding_add(struct check *check, enum check_rule rule,
				  enum check_verdict verdict, int64_t time_ns, const char *cause,
				  ...) __attribute__((format(printf, 5, 6)));
/*
 * Whom it is about: who called (NULL: whom context belongs to), and which object of context. A
 * process that has had its share of findings gets no more.
 */
void finding_about(struct check *check, struct check_finding *finding,
		   const struct state_process *who, const struct state_context *context,
		   uint64_t object);
void finding_range(struct check_finding *finding, uint64_t iova, uint64_t last);
void finding_witness_op(struct check_finding *finding, const struct state_op *op);
void finding_witness_mapping(struct check_finding *finding, const struct state_object *object,
			     const struct state_mapping *mapping);
/* stack: of the call; 0: not known. */
void finding_witness(struct check_finding *finding, int64_t time_ns, uint64_t op_id,
		     uint32_t tid, uint16_t stack, const char *text, ...)
	__attribute__((format(printf, 6, 7)));

/* The rule was asked and nothing was found. */
static inline void rule_asked(struct check *check, enum check_rule rule)
{
	check->results[rule].asked++;
}

/* True when events of either side of the call were lost that could belong to [since, now]. */
bool check_lossy_op(const struct check *check, const struct state_op *op, int64_t since_ns);

/* The context in which the objects live that a call names; NULL: not known. */
static inline const struct state_context *check_truth(const struct state_op *op)
{
	return op->context && op->context->peer && op->layer == STATE_BACKEND ? op->context->peer
									      : op->context;
}

/* possible, or unknown when events were lost since op began: one of them may explain it. */
static inline enum check_verdict verdict_possible(const struct check *check,
						  const struct state_op *op)
{
	return check_lossy_op(check, op, op->begin_ns) ? VERDICT_UNKNOWN
								   : VERDICT_POSSIBLE;
}

/*
 * A violation that follows from what was seen of the state, if certain: unless it turns out
 * that a whole stream is missing, then it is unknown. A violation that events prove by
 * themselves (an errno, dense commit numbers) is VERDICT_VIOLATION at once.
 */
#define VERDICT_INFERRED ((enum check_verdict)(VERDICT_VIOLATION + 1))

static inline enum check_verdict verdict_if(bool certain)
{
	return certain ? VERDICT_INFERRED : VERDICT_UNKNOWN;
}

/* The same of what dense commit numbers prove. */
static inline enum check_verdict verdict_proven_if(bool certain)
{
	return certain ? VERDICT_VIOLATION : VERDICT_UNKNOWN;
}

/*
 * QEMU's own events name an fd, no backend, and say nothing of what others do with an
 * fd that was passed in: what they do to its objects and its users is unknown.
 */
static inline bool check_shared_unseen(const struct state_context *context)
{
	return context->qemu && context->passed_in;
}

#define CHECK_SHARED_WHY "; the fd was passed in, and its other users are not in QEMU's events"

/* Whether the number of the backend's users is what its last connect or disconnect said. */
static inline bool check_users_sure(const struct check *check, const struct state_context *context)
{
	return context->users_known && !check_shared_unseen(context) &&
	       !state_lost_since(check->state, context, context->users_ns);
}

bool op_is_map(const struct state_op *op);
bool op_is_alloc(const struct state_op *op);

#endif
