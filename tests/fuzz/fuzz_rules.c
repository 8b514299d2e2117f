/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a file with a rule: read or refused with one line, never a crash;
 * what is read can be asked everything. `make fuzz`.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/rules/rules_automaton.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rules_error error = { "" };
	struct rules_automaton *automaton =
		rules_automaton_parse("rule.dot", (const char *)data, size, &error);
	char text[64];

	if (!automaton) {
		if (strncmp(error.text, "rule.dot:", 9))
			abort();
		return 0;
	}
	if (!automaton->states_count || automaton->states_count > RULES_STATES_MAX)
		abort();
	if (rules_automaton_reachable(automaton, 1) >> 1 >> (automaton->states_count - 1))
		abort();
	rules_automaton_allowed_text(automaton, 1, text, sizeof(text));
	rules_automaton_states_text(automaton, UINT64_MAX, text, sizeof(text));
	rules_automaton_destroy(automaton);
	return 0;
}
