/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values as people write them: 4KiB, 10Gbit, 50us, 2.4GHz, 12.5%, exponential(50us).
 *
 * All become integers; a fraction is allowed where the result is whole (1.5GiB),
 * and rounded to the unit below otherwise only for times (0.5ns is an error).
 * A parser returns NULL when all of text was understood, else what is wrong and
 * what would be right, as the end of a sentence (static, not to be freed).
 */
#ifndef IOASIS_SCENARIO_UNITS_H
#define IOASIS_SCENARIO_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "sim/des/random.h"

const char *units_parse_count(const char *text, uint64_t *value); /* 10, 5k, 2M */
const char *units_parse_bytes(const char *text, uint64_t *bytes); /* 4096B, 4KiB, 2MiB, 1.5GiB */
const char *units_parse_rate(const char *text, uint64_t *bits);	  /* 10Gbit, 25G, 400Mbit/s */
const char *units_parse_hertz(const char *text, uint64_t *hertz); /* 2.4GHz */
const char *units_parse_share(const char *text, uint64_t *ppm);	  /* 12.5%: parts per million */
const char *units_parse_bool(const char *text, uint64_t *value);  /* yes, no */

/* 50us, 1.5ms; with clock_hertz not 0 also cycles of it: 2127cycles. */
const char *units_parse_time(const char *text, uint64_t clock_hertz, uint64_t *ns);

/* How the numbers inside a distribution are written. */
enum units_of_dist {
	UNITS_TIME,
	UNITS_BYTES,
	UNITS_COUNT,
};

/* constant: just a value; uniform(low, high); exponential(mean); pareto(least, most, index). */
const char *units_parse_dist(const char *text, enum units_of_dist unit, struct des_dist *dist);

/* For tables: value with the unit that keeps it short. Returns buf. */
#define UNITS_TEXT_BYTES 40
const char *units_print_bytes(uint64_t bytes, char buf[UNITS_TEXT_BYTES]);
const char *units_print_time(uint64_t ns, char buf[UNITS_TEXT_BYTES]);
const char *units_print_rate(uint64_t bits, char buf[UNITS_TEXT_BYTES]);
const char *units_print_share(uint64_t ppm, char buf[UNITS_TEXT_BYTES]);
const char *units_print_count(uint64_t count, char buf[UNITS_TEXT_BYTES]);

#endif
