/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of the rules: rules.c tells what happened to which object,
 * rules_run.c moves its instances, rules_print.c shows what was found.
 */
#ifndef IOASIS_ANALYSIS_RULES_INTERNAL_H
#define IOASIS_ANALYSIS_RULES_INTERNAL_H

#include "analysis/analysis.h"
#include "analysis/rules/rules.h"
#include "analysis/table.h"

#define RULES_MAX 32u
#define RULES_FINDINGS_MAX 32u /* kept of each rule */
#define RULES_WINDOW 6u	       /* overlapping events that are tried in all orders */

/* An event of an instance. */
struct rules_event {
	enum rules_symbol symbol;
	bool ordered; /* its place is certain (commit numbers): after all that was told before */
	bool has_range;
	uint32_t tid;
	uint16_t stack; /* of the call: state_stack() */
	int64_t begin_ns, end_ns;
	uint64_t op_id;
	uint64_t iova, last;
};

struct rules_window {
	unsigned int count;
	struct rules_event events[RULES_WINDOW];
};

/* The automaton of one object. */
struct rules_instance {
	uint64_t base;	 /* states before the events of the window */
	uint64_t states; /* states after them */
	int64_t base_ns; /* end of the latest event before the window */
	int64_t gap_ns;	 /* gap of commits that is accounted for */
	uint32_t losses; /* losses of the machine that are */
	uint32_t machine;
	const struct state_process *process; /* borrowed of the state */
	uint32_t object;  /* its id; 0: none */
	bool doubtful;	  /* some of the states are there because events were lost */
	bool assumed;	  /* that it began as the trace does */
	bool broken;	  /* said so already */
	bool pending;	  /* no order of the window is right; a call under way may still explain it */
	int64_t pending_ns; /* end of the event that did it */
	struct rules_event latest;    /* that moved it */
	struct rules_window *window; /* owned; NULL: only `latest`, which is in states */
};

struct rules_found {
	struct check_finding finding;
	bool assumed;
};

/* One rule. */
struct rule {
	struct rules_automaton *automaton; /* owned */
	struct table instances;		   /* owned */
	uint64_t asked;
	uint64_t count[VERDICT_VIOLATION + 1];
	struct rules_found *found; /* owned */
	size_t found_count;
	uint64_t assumed[VERDICT_VIOLATION + 1]; /* of count: hold only if the trace has it all */
};

struct rules {
	struct analysis *analysis; /* borrowed */
	struct rule rules[RULES_MAX];
	size_t count;
	bool uses_dma;
	struct table under_way; /* (op_id, machine) -> when the call began */
	int64_t unreturned_ns; /* when the first call that never came back began; INT64_MAX: none */
	uint64_t freeing;      /* serial of the object that a call frees just now */
	uint64_t commit_op;    /* op_id of the latest commit */
	uint32_t *losses;      /* of each machine, counted; owned */
	size_t losses_count;
	bool dumped; /* tracing began late */
	bool failed; /* out of memory */
};

/* Makes the instance (a, b) of the rule. seen: it begins now, in its initial state. */
struct rules_instance *rules_instance_begin(struct rules *rules, struct rule *rule, uint64_t a,
					    uint64_t b, uint32_t machine,
					    const struct state_process *process,
					    uint32_t object, bool seen);
/* Something happened to it. object_gap_ns: state_object.gap_ns, INT64_MIN for none. */
void rules_instance_event(struct rules *rules, struct rule *rule,
			  struct rules_instance *instance, const struct rules_event *event,
			  int64_t object_gap_ns);
/*
 * What no call under way can explain any more is a violation. at_end: no more calls
 * come; one that never came back may have explained it.
 */
void rules_instance_decide(struct rules *rules, struct rule *rule,
			   struct rules_instance *instance, bool at_end);
/*
 * Its object is gone: looks at the marked states, and frees it. told: false where only the trace
 * is over, and nothing says that the object is.
 */
void rules_instance_end(struct rules *rules, struct rule *rule, uint64_t a, uint64_t b,
			int64_t time_ns, bool told);

#endif
