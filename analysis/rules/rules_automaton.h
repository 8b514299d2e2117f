/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user's rule: a deterministic automaton read from a DOT file.
 *
 * The form is the one of the kernel's runtime verification (Documentation/trace/rv/
 * deterministic_automata.rst, tools/verification/models): a digraph whose nodes are
 * states, whose edges carry event names in their label (several with \n between),
 * whose initial state is pointed at by a node __init_NAME, and whose marked states
 * are double circles. One graph attribute is added, `object = "ioas"`: of what
 * there is one instance of the automaton each (see docs/RULES.md).
 *
 * An event of the automaton's own alphabet that has no transition from the
 * present state breaks the rule; an event outside of it is not looked at.
 */
#ifndef IOASIS_ANALYSIS_RULES_AUTOMATON_H
#define IOASIS_ANALYSIS_RULES_AUTOMATON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What has an instance of the automaton each. */
enum rules_object {
	RULES_BACKEND, /* one iommufd object of a process */
	RULES_IOAS,    /* one I/O address space */
	RULES_HWPT,    /* one page table */
	RULES_MAPPING, /* one mapping, from its map to its end */
	RULES_OBJECTS,
};

/* The events that rules may name; what each means for which object is in docs/RULES.md. */
enum rules_symbol {
	RULES_ALLOC,
	RULES_FREE,
	RULES_CONNECT,
	RULES_DISCONNECT,
	RULES_DISCONNECT_LAST,
	RULES_MAP,
	RULES_UNMAP,
	RULES_UNMAP_NONE,
	RULES_ATTACH,
	RULES_DETACH,
	RULES_DETACH_LAST,
	RULES_DIRTY_ON,
	RULES_DIRTY_OFF,
	RULES_DIRTY_READ,
	RULES_INVALIDATE,
	RULES_DMA_READ,
	RULES_DMA_WRITE,
	RULES_SYMBOLS,
};

#define RULES_STATES_MAX 64 /* a set of states is a uint64_t */
#define RULES_IGNORED 0xfe  /* the event is not in the automaton's alphabet */
#define RULES_INVALID 0xff  /* it is, and there is no transition */

struct rules_automaton {
	char *name;	/* the file's name without directory and .dot; owned */
	enum rules_object object;
	unsigned int states_count;
	char *state_names[RULES_STATES_MAX]; /* owned; 0 is the initial state */
	uint64_t marked;		     /* set of marked states */
	bool end_marked; /* at_end = "marked": the object must end in a marked state */
	uint8_t next[RULES_STATES_MAX][RULES_SYMBOLS];
};

/* Where a file is wrong: `FILE:LINE:COLUMN: what is there; what was expected`. */
struct rules_error {
	char text[512];
};

/*
 * Reads one automaton from a file. Returns NULL and fills *error when the file
 * cannot be read or is no automaton. Free with rules_automaton_destroy().
 */
struct rules_automaton *rules_automaton_load(const char *path, struct rules_error *error);

/* The same from text of len bytes; path is for messages and the name. */
struct rules_automaton *rules_automaton_parse(const char *path, const char *text, size_t len,
					      struct rules_error *error);

/* Frees it; NULL is fine. */
void rules_automaton_destroy(struct rules_automaton *automaton);

/* Names as in files: "ioas", "dirty_on". */
const char *rules_object_name(enum rules_object object);
const char *rules_symbol_name(enum rules_symbol symbol);
/* Whether objects of the kind have such an event. */
bool rules_object_has(enum rules_object object, enum rules_symbol symbol);

/*
 * From the set of states `from` the states that the event leads to. States that
 * do not allow it fall out; an empty result says that none did.
 */
uint64_t rules_automaton_step(const struct rules_automaton *automaton, uint64_t from,
			      enum rules_symbol symbol);

/* All states that can be reached from those in `from` by any events, `from` included. */
uint64_t rules_automaton_reachable(const struct rules_automaton *automaton, uint64_t from);

/* Names of the events that the states in `from` allow, or of the states: "map, unmap". */
void rules_automaton_allowed_text(const struct rules_automaton *automaton, uint64_t from,
				  char *text, size_t size);
void rules_automaton_states_text(const struct rules_automaton *automaton, uint64_t states,
				 char *text, size_t size);

#endif
