/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `ioasis test` found, for the machines that run it: JUnit's XML, SARIF 2.1.0, and the lines
 * that GitHub's runner turns into annotations.
 */
#ifndef IOASIS_CLI_VERDICT_FILES_H
#define IOASIS_CLI_VERDICT_FILES_H

#include <stdio.h>

#include "analysis/check/check.h"
#include "analysis/rules/rules.h"

struct verdict {
	const struct check *check;
	const struct rules *rules; /* the user's */
	const char *const *argv; /* the command, ended by NULL */
	int status;		 /* its exit status */
	double seconds;		 /* how long it ran */
};

/* The findings one after the other, violations first; NULL: no more. *rule: its name. */
const struct check_finding *verdict_finding(const struct verdict *verdict, size_t index,
					    const char **rule);

/* Each writes the whole file; errors stay with the stream. */
void verdict_write_junit(const struct verdict *verdict, FILE *out);
void verdict_write_sarif(const struct verdict *verdict, FILE *out);
/* A line for each finding that is not ok. */
void verdict_write_annotations(const struct verdict *verdict, FILE *out);

#endif
