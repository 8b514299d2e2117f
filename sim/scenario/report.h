/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What came out: numbers with names, in groups, in the order in which they were
 * added. All are integers in base units, so the JSON is the same everywhere.
 */
#ifndef IOASIS_SCENARIO_REPORT_H
#define IOASIS_SCENARIO_REPORT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum report_unit {
	REPORT_COUNT,
	REPORT_BYTES,
	REPORT_NS,
	REPORT_BITS_PER_S,
	REPORT_PPM, /* a share, in parts per million */
	REPORT_YES_NO,
};

struct report_row {
	const char *group; /* static */
	const char *name;  /* static; unit suffix included: packets, wait_ns */
	const char *text;  /* static; for the table */
	enum report_unit unit;
	uint64_t value;
};

#define REPORT_WARNINGS_MAX   16
#define REPORT_WARNING_BYTES 256

struct report {
	struct report_row *rows; /* owned */
	size_t count;
	size_t size;
	/* Why the numbers may not say what was meant: a line each. */
	char warnings[REPORT_WARNINGS_MAX][REPORT_WARNING_BYTES];
	size_t warnings_count;
};

void report_init(struct report *report);
void report_fini(struct report *report);

/* Aborts when out of memory: a report that lacks a row would lie. */
void report_add(struct report *report, const char *group, const char *name, const char *text,
		enum report_unit unit, uint64_t value);

/* Adds a line to the warnings; beyond REPORT_WARNINGS_MAX they are left out. */
void report_warn(struct report *report, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The value, or UINT64_MAX. */
uint64_t report_get(const struct report *report, const char *group, const char *name);

/* a * 1,000,000 / b, 0 when b is 0. */
uint64_t report_ppm(uint64_t a, uint64_t b);

/* The value with its unit, as tables show it. Returns buf, or static text. */
#define REPORT_SHOWN_BYTES 40
const char *report_shown(const struct report_row *row, char buf[REPORT_SHOWN_BYTES]);

void report_print(const struct report *report, FILE *out);
/* The groups as members of a JSON object, without its braces. */
void report_print_json(const struct report *report, FILE *out);

#endif
