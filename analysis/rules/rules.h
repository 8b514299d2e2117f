/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the user's automata (rules_automaton.h) over a trace: one instance an object.
 *
 * An instance holds the set of states that it can be in. Where all is known that
 * is one state. Calls that overlap in time are tried in every order that their
 * begins and ends allow; where events were lost, every state that can be reached
 * is possible. A rule is broken only when no state of the set allows the event,
 * in whatever order: so neither a race nor a loss makes a violation.
 */
#ifndef IOASIS_ANALYSIS_RULES_H
#define IOASIS_ANALYSIS_RULES_H

#include <stddef.h>
#include <stdio.h>

#include "analysis/check/check.h"
#include "analysis/rules/rules_automaton.h"

struct analysis;
struct json_object;
struct rules;

/* NULL only when out of memory. */
struct rules *rules_create(void);
void rules_destroy(struct rules *rules);

/* Reads an automaton and adds it. 0, or -EINVAL or -ENOMEM with error filled. */
int rules_add(struct rules *rules, const char *path, struct rules_error *error);

/* Lets the rules observe the analysis; does nothing when there are none. 0 or -ENOMEM. */
int rules_observe(struct rules *rules, struct analysis *analysis);

/* After the analysis has finished: the worst verdict of all rules. */
enum check_verdict rules_verdict(const struct rules *rules);

/* How many rules there are, and of each its name, its verdict, how many events it looked at. */
size_t rules_count(const struct rules *rules);
const char *rules_name(const struct rules *rules, size_t index);
enum check_verdict rules_verdict_of(const struct rules *rules, size_t index);

/*
 * What was found, in the order of the trace; the first of each rule are kept. The
 * field `rule` means nothing; *name is the automaton's. NULL: no more.
 */
const struct check_finding *rules_finding(const struct rules *rules, size_t index,
					  const char **name);

/* For people, a line a rule and the witnesses; and the same as a new JSON array. */
void rules_print(const struct rules *rules, FILE *out);
struct json_object *rules_to_json(const struct rules *rules);

/* The same with what the built-in rules found; only those where the user has no rules. */
enum check_verdict rules_verdict_with(const struct rules *rules, const struct check *check);
void rules_print_with(const struct rules *rules, const struct check *check, FILE *out);
struct json_object *rules_to_json_with(const struct rules *rules, const struct check *check);

#endif
