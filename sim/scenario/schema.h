/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of all keys that a scenario file may have. */
#ifndef IOASIS_SCENARIO_SCHEMA_H
#define IOASIS_SCENARIO_SCHEMA_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/scenario/scenario.h"

enum schema_type {
	SCHEMA_TEXT,
	SCHEMA_COUNT,
	SCHEMA_BYTES,
	SCHEMA_TIME,
	SCHEMA_COST, /* a time; may be written in cycles of host.clock */
	SCHEMA_RATE,
	SCHEMA_HERTZ,
	SCHEMA_SHARE,
	SCHEMA_BOOL,
	SCHEMA_CHOICE, /* the number of the word in `choices` */
	SCHEMA_DIST_TIME,
	SCHEMA_DIST_BYTES,
	SCHEMA_DIST_COUNT,
};

struct schema_key {
	enum scenario_section section;
	const char *name;
	enum schema_type type;
	size_t offset;	      /* in struct scenario: char *, uint64_t or struct des_dist */
	const char *fallback; /* as in a file; NULL: must be given when its section is there */
	uint64_t min;	      /* of the value in base units; of a distribution's first number */
	uint64_t max;
	const char *choices; /* of SCHEMA_CHOICE: words with spaces between */
	const char *help;
};

/* All keys, ordered by section; ends with a NULL name. */
extern const struct schema_key schema_keys[];

/* The section's name in a file; "" for the top level. */
const char *schema_section_name(enum scenario_section section);

/* The section of a name, or SECTION_COUNT. */
enum scenario_section schema_section_find(const char *name);

/* The key, or NULL. */
const struct schema_key *schema_find(enum scenario_section section, const char *name);

/*
 * Parses value for key into scenario. NULL: done. Else what is wrong and what is
 * right, as the end of a sentence, in buf.
 */
#define SCHEMA_PROBLEM_BYTES 256
const char *schema_set(const struct schema_key *key, const char *value, struct scenario *scenario,
		       char buf[SCHEMA_PROBLEM_BYTES]);

/* What stands closest to name among the section's keys (section names for TOP too), or NULL. */
const char *schema_suggest(enum scenario_section section, const char *name);

/* Named sets of values for `preset`: "section.key=value" each, ended by NULL. NULL: unknown. */
const char *const *schema_preset(const char *name);
/* Names of all presets, ended by NULL, and what each stands for. */
const char *const *schema_preset_names(void);
const char *schema_preset_about(const char *name);

/* Prints the table for people: every section, key, default, range and meaning. */
void schema_print(FILE *out);

#endif
