/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Types of the metadata compiled to a list of steps that reads them from memory.
 *
 * A plan reads structures one after the other (an event's contexts and payload, say) and
 * writes what its reader wants: integers and texts that are direct members, by binding. Types
 * without a loop or a choice whose members lie at fixed places are read without steps.
 */
#ifndef IOASIS_ANALYSIS_CTF_PLAN_H
#define IOASIS_ANALYSIS_CTF_PLAN_H

#include "analysis/ctf/ctf_type.h"

/* Values that later fields need: lengths and tags. More in one plan: -ENOTSUP. */
#define CTF_TAGS_MAX 32u

/* A text in the trace: not ended by a zero, and gone with the next event of its stream. */
struct ctf_string {
	const char *text;
	size_t bytes;
};

/* Where the reader of a stream is. Positions are bits from the packet's beginning. */
struct ctf_cursor {
	const uint8_t *window; /* memory of the packet from bit first on */
	uint64_t first;	       /* a multiple of 8 */
	uint64_t limit;	       /* of what may be read: the window's or the packet's end */
	uint64_t at;
	uint64_t clock; /* cycles of the default clock */
	uint64_t role[CTF_ROLE_COUNT];
	uint64_t tags[CTF_TAGS_MAX];
};

enum ctf_step_result {
	CTF_READ,
	CTF_SHORT, /* it does not end before the limit */
	CTF_BAD,   /* a tag that no option has */
};

/*
 * Asks where the member called name goes: the offset in the plan's output of a uint64_t (an
 * integer, sign-extended; text false) or a struct ctf_string (text true), or -1: nowhere.
 */
typedef int32_t (*ctf_bind)(void *opaque, const char *name, bool text, bool is_signed);

struct ctf_plan;

/* An empty plan in the arena of metadata; NULL: out of memory. */
struct ctf_plan *ctf_plan_create(struct ctf_metadata *metadata);
/* Adds type (NULL: nothing) to what the plan reads. bind may be NULL. 0, -ENOTSUP or -ENOMEM. */
int ctf_plan_add(struct ctf_metadata *metadata, struct ctf_plan *plan,
		 const struct ctf_type *type, ctf_bind bind, void *opaque);
/* To be called once after the last ctf_plan_add(). */
int ctf_plan_finish(struct ctf_metadata *metadata, struct ctf_plan *plan);
/* The same for the header of events: LTTng's are then read at once. */
void ctf_plan_find_header(struct ctf_plan *plan);
/* The roles that the plan reads, as bits 1 << role. */
uint32_t ctf_plan_roles(const struct ctf_plan *plan);

/* Reads what the plan says from cursor on into out. Short: the cursor has moved somewhere. */
enum ctf_step_result ctf_plan_run(const struct ctf_plan *plan, struct ctf_cursor *cursor,
				  void *out);

#endif
