/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checker: do the rules of DMA mapping hold in a trace?
 *
 * An observer of the one pass. Each rule ends in a verdict; what breaks one is a
 * finding with a witness, the fewest events that show it.
 */
#ifndef IOASIS_ANALYSIS_CHECK_H
#define IOASIS_ANALYSIS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "analysis/event.h"

struct analysis;
struct json_object;
struct state_frame;

enum check_rule {
#define RULE(NAME, ...) RULE_##NAME,
#include "analysis/check/rules.def"
#undef RULE
	RULE_COUNT,
};

/* Rising badness. */
enum check_verdict {
	VERDICT_OK,
	VERDICT_UNKNOWN,   /* events were lost that could change it */
	VERDICT_POSSIBLE,  /* an order of overlapping calls breaks it, another does not */
	VERDICT_VIOLATION, /* no order explains it */
};

#define CHECK_WITNESS_MAX 8u

/* An event of a witness. */
struct check_witness {
	int64_t time_ns;
	uint64_t op_id;
	uint32_t tid; /* 0: not known */
	uint16_t stack; /* of the call: state_stack(); 0: not known */
	char text[128];
};

struct check_finding {
	enum check_rule rule;
	enum check_verdict verdict;
	uint32_t machine;
	uint32_t pid; /* of process */
	const struct state_process *process; /* who did it; NULL: not known; of the state */
	uint32_t object; /* id of the object, 0: none */
	bool has_range;
	uint64_t iova, last;
	int64_t time_ns;
	char cause[200];
	unsigned int witness_count;
	/* In the order of time; the last is the guilty one. */
	struct check_witness witness[CHECK_WITNESS_MAX];
	bool inferred; /* rests on nothing else having happened */
};

/*
 * Findings kept of each rule and verdict: of one process, and of all. The others
 * are only counted.
 */
#define CHECK_FINDINGS_PER_PROCESS 16u
#define CHECK_FINDINGS_MAX 512u

/* What is a leak: what nobody undid, and nothing else will. */
enum check_leaks {
	/* What the kernel frees when the process ends is none; what is left before is one. */
	CHECK_LEAKS_EXIT,
	/* What is left when a file is closed is one, whoever closes it. */
	CHECK_LEAKS_CLOSE,
	/* So is what goes with an address space that is freed, and what lives at the trace's end. */
	CHECK_LEAKS_STRICT,
};

struct check_config {
	enum check_leaks leaks;
	uint64_t latency_ns[OP_COUNT]; /* budget of each operation; 0: none */
};

struct check;

/* Makes a checker and lets it observe analysis. config is copied; NULL: no budgets. */
struct check *check_create(struct analysis *analysis, const struct check_config *config);
void check_destroy(struct check *check);

/* "overlap", ... and what the rule says, one line. */
const char *check_rule_name(enum check_rule rule);
const char *check_rule_text(enum check_rule rule);
const char *check_verdict_name(enum check_verdict verdict);

/* After the analysis has finished. */
enum check_verdict check_verdict(const struct check *check);
enum check_verdict check_rule_verdict(const struct check *check, enum check_rule rule);
/* How often the rule was asked, and how often with each verdict. */
uint64_t check_rule_asked(const struct check *check, enum check_rule rule);
uint64_t check_rule_count(const struct check *check, enum check_rule rule,
			  enum check_verdict verdict);
/* The findings that were kept, in the order in which they were found; borrowed. */
const struct check_finding *check_findings(const struct check *check, size_t *count);

/* The text for people, headed by the data's quality; and the same as JSON. */
void check_print(const struct check *check, FILE *out);
struct json_object *check_to_json(const struct check *check);

/* One finding as both show it; rule: the name of what it breaks. */
void check_finding_print(struct analysis *analysis, const struct check_finding *finding,
			 const char *rule, FILE *out);
struct json_object *check_finding_to_json(struct analysis *analysis,
					  const struct check_finding *finding, const char *rule);

/*
 * The same of one frame of a witness's call stack, as valgrind does: "at 0x11B2: main (vmm.c:7)",
 * "by 0x..." of those outside of it. Returns text.
 */
char *check_frame_text(const struct state_frame *frame, bool is_innermost, char text[512]);

/* Exit status of `ioasis check`: 0 ok, 1 violation, 2 possible or unknown. */
int check_exit_status(const struct check *check);

#endif
