/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The alphabet of rules and what can be asked of an automaton. rules_dot.c reads
 * them from files, rules.c runs them over a trace.
 */
#include "analysis/rules/rules_automaton.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define B (1u << RULES_BACKEND)
#define I (1u << RULES_IOAS)
#define H (1u << RULES_HWPT)
#define M (1u << RULES_MAPPING)

/* One row an event: its name, and which objects have it. */
static const struct {
	const char *name;
	unsigned int objects;
} symbols[RULES_SYMBOLS] = {
	[RULES_ALLOC] = { "alloc", B | I | H },
	[RULES_FREE] = { "free", B | I | H | M },
	[RULES_CONNECT] = { "connect", B },
	[RULES_DISCONNECT] = { "disconnect", B },
	[RULES_DISCONNECT_LAST] = { "disconnect_last", B },
	[RULES_MAP] = { "map", B | I | M },
	[RULES_UNMAP] = { "unmap", B | I | M },
	[RULES_UNMAP_NONE] = { "unmap_none", B | I },
	[RULES_ATTACH] = { "attach", I | H },
	[RULES_DETACH] = { "detach", I | H },
	[RULES_DETACH_LAST] = { "detach_last", I | H },
	[RULES_DIRTY_ON] = { "dirty_on", H },
	[RULES_DIRTY_OFF] = { "dirty_off", H },
	[RULES_DIRTY_READ] = { "dirty_read", H },
	[RULES_INVALIDATE] = { "invalidate", H },
	[RULES_DMA_READ] = { "dma_read", I | M },
	[RULES_DMA_WRITE] = { "dma_write", I | M },
};

#undef B
#undef I
#undef H
#undef M

static const char *const object_names[RULES_OBJECTS] = {
	[RULES_BACKEND] = "backend",
	[RULES_IOAS] = "ioas",
	[RULES_HWPT] = "hwpt",
	[RULES_MAPPING] = "mapping",
};

const char *rules_object_name(enum rules_object object)
{
	return object_names[object];
}

const char *rules_symbol_name(enum rules_symbol symbol)
{
	return symbols[symbol].name;
}

bool rules_object_has(enum rules_object object, enum rules_symbol symbol)
{
	return symbols[symbol].objects & (1u << object);
}

void rules_automaton_destroy(struct rules_automaton *automaton)
{
	if (!automaton)
		return;
	for (unsigned int i = 0; i < automaton->states_count; i++)
		free(automaton->state_names[i]);
	free(automaton->name);
	free(automaton);
}

uint64_t rules_automaton_step(const struct rules_automaton *automaton, uint64_t from,
			      enum rules_symbol symbol)
{
	uint64_t to = 0;

	if (automaton->next[0][symbol] == RULES_IGNORED)
		return from;
	while (from) {
		unsigned int state = (unsigned int)__builtin_ctzll(from);
		uint8_t next = automaton->next[state][symbol];

		from &= from - 1;
		if (next != RULES_INVALID)
			to |= 1ull << next;
	}
	return to;
}

uint64_t rules_automaton_reachable(const struct rules_automaton *automaton, uint64_t from)
{
	uint64_t before;

	do {
		before = from;
		for (int symbol = 0; symbol < RULES_SYMBOLS; symbol++)
			from |= rules_automaton_step(automaton, from, (enum rules_symbol)symbol);
	} while (from != before);
	return from;
}

/* Appends name to a list with commas; cuts silently at size. */
static void list_append(char *text, size_t size, const char *name)
{
	size_t used = strlen(text);

	if (used < size)
		snprintf(text + used, size - used, "%s%s", used ? ", " : "", name);
}

void rules_automaton_allowed_text(const struct rules_automaton *automaton, uint64_t from,
				  char *text, size_t size)
{
	text[0] = 0;
	for (int symbol = 0; symbol < RULES_SYMBOLS; symbol++) {
		if (automaton->next[0][symbol] != RULES_IGNORED &&
		    rules_automaton_step(automaton, from, (enum rules_symbol)symbol))
			list_append(text, size, symbols[symbol].name);
	}
}

void rules_automaton_states_text(const struct rules_automaton *automaton, uint64_t states,
				 char *text, size_t size)
{
	text[0] = 0;
	for (unsigned int i = 0; i < automaton->states_count; i++) {
		if (states >> i & 1)
			list_append(text, size, automaton->state_names[i]);
	}
}
