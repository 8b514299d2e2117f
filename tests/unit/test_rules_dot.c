/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading automata: what is accepted, and where and how each wrong file is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/rules/rules_automaton.h"

static struct rules_automaton *parse(const char *text, struct rules_error *error)
{
	return rules_automaton_parse("dir/rule.dot", text, strlen(text), error);
}

static void test_rules_dot_of_the_kernels_form_is_read(void **state)
{
	static const char text[] =
		"digraph state_automaton {\n"
		"\tcenter = true;\n\tsize = \"7,11\";\n"
		"\t{node [shape = plaintext, style=invis, label=\"\"] \"__init_off\"};\n"
		"\t{node [shape = circle] \"on\"};\n"
		"\t{node [shape = doublecircle] \"off\"};\n"
		"\t\"__init_off\" -> \"off\";\n"
		"\t\"off\" [label = \"off\", color = green3];\n"
		"\t\"off\" -> \"on\" [ label = \"dirty_on\" ];\n"
		"\t\"on\" -> \"on\" [ label = \"dirty_on\\ndirty_read\" ];\n"
		"\t\"on\" -> \"off\" [ label = \"dirty_off\" ];\n"
		"\t{ rank = min ;\n\t\t\"__init_off\";\n\t\t\"off\";\n\t}\n}\n";
	struct rules_error error;
	struct rules_automaton *a = parse(text, &error);
	char names[128];

	(void)state;
	assert_non_null(a);
	assert_string_equal(a->name, "rule");
	assert_int_equal(a->object, RULES_HWPT); /* only page tables have such events */
	assert_int_equal(a->states_count, 2);
	assert_string_equal(a->state_names[0], "off");
	assert_int_equal(a->marked, 1);
	assert_int_equal(rules_automaton_step(a, 1, RULES_DIRTY_ON), 2);
	assert_int_equal(rules_automaton_step(a, 2, RULES_DIRTY_READ), 2);
	assert_int_equal(rules_automaton_step(a, 1, RULES_DIRTY_READ), 0);
	assert_int_equal(rules_automaton_step(a, 3, RULES_DIRTY_READ), 2);
	assert_int_equal(rules_automaton_step(a, 1, RULES_ATTACH), 1); /* not its business */
	assert_int_equal(rules_automaton_reachable(a, 1), 3);
	rules_automaton_allowed_text(a, 1, names, sizeof(names));
	assert_string_equal(names, "dirty_on");
	rules_automaton_destroy(a);
}

static const struct {
	const char *text;
	const char *place; /* LINE:COLUMN */
	const char *says;
} bad[] = {
	{ "", "1:1", "expected 'digraph'" },
	{ "graph x { }", "1:1", "expected 'digraph'" },
	{ "digraph", "1:8", "expected '{'" },
	{ "digraph x {", "1:12", "the file ends here; expected a state" },
	{ "digraph x { }", "1:1", "no initial state" },
	{ "digraph x {\n  a -- b\n}", "2:5", "expected '->'" },
	{ "digraph x {\n  a -> ;\n}", "2:8", "expected the state that the transition leads to" },
	{ "digraph x {\n  a -> b -> c\n}", "2:10", "one -> each" },
	{ "digraph x {\n  a [label \"b\"]\n}", "2:12", "expected '='" },
	{ "digraph x {\n  a [label = ]\n}", "2:14", "expected the attribute's value" },
	{ "digraph x {\n  a [= b]\n}", "2:6", "expected an attribute's name or ']'" },
	{ "digraph x {\n  \"a\n}", "2:3", "string never ends" },
	{ "digraph x {\n  /* a\n}", "2:3", "comment never ends" },
	{ "digraph x {\n  a:b\n}", "2:4", "the character ':' means nothing here" },
	{ "digraph x {\n  <b>\n}", "2:3", "the character '<' means nothing here" },
	{ "digraph x { object = tree; }", "1:22", "expected backend, ioas, hwpt or mapping" },
	{ "digraph x { at_end = sad; }", "1:22", "expected marked" },
	{ "digraph x { subgraph y; }", "1:23", "expected '{' after subgraph" },
	{ "digraph x { \"\" -> a }", "1:13", "a state without a name" },
	{ "digraph x { __init_a -> a __init_b -> b }", "1:36", "a second initial state 'b'" },
	{ "digraph x { __init_a -> __init_b }", "1:1", "no initial state" },
	{ "digraph x { __init_a -> a }", "1:1", "the events do not tell" },
	{ "digraph x { object = ioas __init_a -> a }", "1:1", "no transition" },
	{ "digraph x {\n__init_a -> a\na -> a\n}", "3:3", "a transition without an event" },
	{ "digraph x { object=ioas\n__init_a -> a\na -> a [label = mapp]\n}", "3:17",
	  "unknown event 'mapp'; expected one of alloc free map" },
	{ "digraph x { object=ioas\n__init_a -> a\na -> a [label = connect]\n}", "3:17",
	  "event 'connect' never happens to object ioas; expected one of alloc" },
	{ "digraph x { object=ioas\n__init_a -> a\na -> a [label = \"map\\n\"]\n}", "3:17",
	  "unknown event ''" },
	{ "digraph x { object=ioas\n__init_a -> a\na -> a [label = \"map;x<1\"]\n}", "3:17",
	  "hybrid automata are not read" },
	{ "digraph x { object=ioas\n__init_a -> a\na -> a [label=map]\na -> b [label=map]\n}",
	  "4:15", "event 'map' leads from 'a' to 'a' already" },
	{ "digraph x { object=ioas __init_a -> a\na -> __init_a [label=map] }", "2:22",
	  "a transition to '__init_a'" },
	{ "digraph x { a -> a [label=map] __init_a -> a }", "1:1", "the events do not tell" },
	{ "digraph x { object=ioas __init_a -> a\na [label=\"a\\nclk < 1\"]\n"
	  "a -> a [label=map] }", "2:10", "the state has the condition 'clk < 1'" },
	{ "digraph x { object=ioas __init_a -> a\na [label=\"a;clk<1\"]\n"
	  "a -> a [label=map] }", "2:10", "hybrid automata are not read" },
	{ "digraph x { object=ioas __init_a -> a\na [label=\"clk < 1\"]\n"
	  "a -> a [label=map] }", "2:10", "the state has the condition 'clk < 1'" },
	{ "digraph x { object=ioas __init_a -> a\na [label=\"a\\lclk < 1\\l\"]\n"
	  "a -> a [label=map] }", "2:10", "the state has the condition" },
	{ "digraph x { object=ioas node [label=\"\\nclk < 1\"]\n__init_a -> a\n"
	  "a -> a [label=map] }", "1:37", "the state has the condition 'clk < 1'" },
	{ "digraph x { object=ioas __init_a -> a [label=\"reset(clk)\"]\n"
	  "a -> a [label=map] }", "1:46", "expected none at the arrow to the initial state" },
	{ "digraph x { object=ioas edge [label=map]\n__init_a -> a a -> a }", "1:37",
	  "expected a label at each transition" },
	{ "digraph x { object=ioas __init_a -> a a -> a [label=map] } more", "1:60",
	  "expected the end of the file" },
};

static void test_rules_dot_bad_file_names_place_and_remedy(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct rules_error error = { "" };
		char place[64];

		assert_null(parse(bad[i].text, &error));
		snprintf(place, sizeof(place), "dir/rule.dot:%s: ", bad[i].place);
		if (strncmp(error.text, place, strlen(place)) ||
		    !strstr(error.text, bad[i].says))
			fail_msg("'%s' gave '%s', not '%s ... %s'", bad[i].text, error.text,
				 place, bad[i].says);
		assert_null(strchr(error.text, '\n'));
	}
}

static void test_rules_dot_more_states_than_fit_is_refused(void **state)
{
	char text[4096] = "digraph x { object=ioas __init_s0 -> s0 ";
	struct rules_error error;

	(void)state;
	for (int i = 0; i <= RULES_STATES_MAX; i++)
		sprintf(text + strlen(text), "s%d -> s%d [label=map]\n", i, i + 1);
	strcat(text, "}");
	assert_null(parse(text, &error));
	assert_non_null(strstr(error.text, "too many states"));
}

static void test_rules_dot_file_that_is_not_there_is_named(void **state)
{
	struct rules_error error;

	(void)state;
	assert_null(rules_automaton_load("/nonexistent/a.dot", &error));
	assert_string_equal(error.text, "/nonexistent/a.dot: No such file or directory");
}

/* Every prefix and every file with one byte changed: an answer, and no crash. */
static void test_rules_dot_damaged_files_are_answered(void **state)
{
	static const char text[] = "strict digraph x { object = \"ioas\" // c\n"
				   "{node [shape=doublecircle] a} __init_a -> a /* */\n"
				   "a -> b [label=\"map\\nattach\"]; subgraph { b } }";
	size_t len = strlen(text);
	char copy[sizeof(text)];
	struct rules_error error;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		rules_automaton_destroy(rules_automaton_parse("x", text, i, &error));
		for (int c = 0; c < 256; c += 5) {
			memcpy(copy, text, sizeof(copy));
			copy[i] = (char)c;
			rules_automaton_destroy(rules_automaton_parse("x", copy, len, &error));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_dot_of_the_kernels_form_is_read),
		cmocka_unit_test(test_rules_dot_bad_file_names_place_and_remedy),
		cmocka_unit_test(test_rules_dot_more_states_than_fit_is_refused),
		cmocka_unit_test(test_rules_dot_file_that_is_not_there_is_named),
		cmocka_unit_test(test_rules_dot_damaged_files_are_answered),
	};

	return cmocka_run_group_tests_name("rules_dot", tests, NULL, NULL);
}
