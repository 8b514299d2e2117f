/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan is made of: between plan.c, which compiles one, and plan_run.c, which runs it. */
#ifndef IOASIS_ANALYSIS_CTF_PLAN_STEPS_H
#define IOASIS_ANALYSIS_CTF_PLAN_STEPS_H

#include "analysis/ctf/plan.h"

enum step_code {
	STEP_INTEGER,
	STEP_SKIP,   /* arg bits */
	STEP_STRING, /* up to a zero byte */
	STEP_BYTES,  /* a text of arg bytes, or as many as tag says */
	STEP_REPEAT, /* sub, arg times or as often as tag says */
	STEP_CHOOSE, /* the case of tag */
};

enum step_flag {
	STEP_SIGNED = 1,
	STEP_BIG = 2,
	STEP_CLOCK = 4,
	STEP_KEEP = 8,	   /* its value is tag */
	STEP_FROM_TAG = 16, /* the count is tag's value */
};

struct step_case {
	uint64_t first, last;
	struct ctf_plan *plan;
};

struct step {
	uint8_t code;
	uint8_t bits;
	uint8_t flags;
	uint8_t role;
	uint32_t align; /* bits */
	int32_t dest;	/* -1: nobody wants it */
	uint32_t tag;
	uint64_t arg;
	struct ctf_plan *sub;
	struct step_case *cases;
	size_t cases_count;
};

/* A wanted value at a fixed byte. */
struct load {
	uint16_t at, dest;
	uint8_t bits;
	uint8_t flags;
	bool is_text; /* arg bytes of text */
	uint32_t bytes;
};

/*
 * An event's header as LTTng writes it: an id whose values [0, last_id] are followed by a short
 * time; the rest (a long id and time) goes by steps. All in one load of 64 bits.
 */
struct quick_header {
	uint8_t id_bits; /* 0: the header is another */
	uint8_t time_bits;
	uint64_t last_id;
};

struct ctf_plan {
	struct step *steps;
	size_t count, room;
	uint32_t roles;
	uint32_t tags;
	/* When every step is at a fixed byte: only the loads, and how many bits there are. */
	bool is_fixed;
	uint64_t fixed_bits;
	struct load *loads; /* first the words of 64 bits, then of 32, then what is read otherwise */
	size_t loads_count, words64, words32;
	struct quick_header quick;
};

#endif
