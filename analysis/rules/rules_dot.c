/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads an automaton from a DOT file.
 *
 * The grammar is that part of DOT which models of the kernel's runtime verification use:
 * statements, attributes, subgraphs, comments; no ports and no HTML.
 */
#include "analysis/rules/rules_words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (1 << 20)
#define NODES_MAX (2 * RULES_STATES_MAX)
#define NESTING_MAX 16

struct node {
	char *name;
	unsigned int line;
	unsigned int column;
	bool init; /* called __init_... */
	bool marked;
	int state; /* its number once states are numbered, else -1 */
};

struct edge {
	unsigned int from, to; /* of nodes */
	char *label;	       /* NULL: none */
	unsigned int line;     /* of the label, or of the edge */
	unsigned int column;
};

struct parser {
	struct words words;
	struct node nodes[NODES_MAX];
	unsigned int nodes_count;
	struct edge *edges;
	unsigned int edges_count;
	int object; /* enum rules_object, or -1: not said */
	bool end_marked;
	unsigned int nesting;
};

/* ---- statements -------------------------------------------------------------- */

/* The attributes of a statement that mean something here. */
struct attributes {
	char *label; /* owned */
	unsigned int label_line, label_column;
	char *shape; /* owned */
};

static void attributes_fini(struct attributes *a)
{
	free(a->label);
	free(a->shape);
}

static int attribute_take(struct parser *p, struct attributes *a, const char *name)
{
	char **slot = !strcmp(name, "label") ? &a->label
		    : !strcmp(name, "shape") ? &a->shape
					     : NULL;

	if (!slot)
		return 0;
	free(*slot);
	*slot = strdup(p->words.word.text);
	if (slot == &a->label) {
		a->label_line = p->words.word.line;
		a->label_column = p->words.word.column;
	}
	return *slot ? 0 : -ENOMEM;
}

/* [name = value, ...] as often as it comes. */
static int parse_attributes(struct parser *p, struct attributes *a)
{
	char name[64];
	int ret;

	while (words_is(&p->words, "[")) {
		ret = words_next(&p->words);
		while (!ret && !words_is(&p->words, "]")) {
			if (p->words.word.kind != WORD_ID)
				return words_fail_expected(&p->words, "an attribute's name or ']'");
			snprintf(name, sizeof(name), "%.63s", p->words.word.text);
			ret = words_next(&p->words);
			if (ret)
				break;
			ret = words_expect(&p->words, "=", "'=' after the attribute's name");
			if (ret)
				break;
			if (p->words.word.kind != WORD_ID)
				return words_fail_expected(&p->words, "the attribute's value");
			ret = attribute_take(p, a, name);
			if (!ret)
				ret = words_next(&p->words);
			if (!ret && (words_is(&p->words, ",") || words_is(&p->words, ";")))
				ret = words_next(&p->words);
		}
		if (!ret)
			ret = words_next(&p->words);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * A state's label shows its name, and in the kernel's hybrid automata, below that, a condition
 * that holds while one is in it ("s\\nclk < 1"): kept, it would not be checked. name: what the
 * label may be whatever it holds; NULL: nothing.
 */
static int refuse_invariant(struct parser *p, const struct attributes *a, const char *name)
{
	static const char *const breaks[] = { "\\n", "\\l", "\\r", "\n", ";" };
	const char *condition = NULL;

	if (!a->label || (name && !strcmp(a->label, name)))
		return 0;
	for (size_t i = 0; i < sizeof(breaks) / sizeof(*breaks); i++) {
		const char *at = strstr(a->label, breaks[i]);

		if (at && at[strlen(breaks[i])] && (!condition || at < condition))
			condition = at + strlen(breaks[i]);
	}
	if (!condition && strpbrk(a->label, "<>=!"))
		condition = a->label;
	if (!condition)
		return 0;
	return words_fail_at(&p->words, a->label_line, a->label_column,
			     "the state has the condition '%s'; expected its name alone "
			     "(hybrid automata are not read)", condition);
}

/* A label where it would have to mean something, and does not. */
static int refuse_label(struct parser *p, const struct attributes *a, const char *expected)
{
	if (!a->label || !a->label[0])
		return 0;
	return words_fail_at(&p->words, a->label_line, a->label_column,
			     "the label '%s' would not be looked at; expected %s", a->label,
			     expected);
}

/* The node that the present word names; made when it is new. Returns its index or -errno. */
static int node_here(struct parser *p)
{
	struct node *node;

	for (unsigned int i = 0; i < p->nodes_count; i++) {
		if (!strcmp(p->nodes[i].name, p->words.word.text))
			return (int)i;
	}
	if (!p->words.word.text[0])
		return words_fail_at(&p->words, p->words.word.line, p->words.word.column,
			       "a state without a name; expected a name in the quotes");
	if (p->nodes_count == NODES_MAX)
		return words_fail_at(&p->words, p->words.word.line, p->words.word.column,
			       "too many states; expected at most %d", RULES_STATES_MAX);
	node = &p->nodes[p->nodes_count];
	node->name = strdup(p->words.word.text);
	if (!node->name)
		return -ENOMEM;
	node->line = p->words.word.line;
	node->column = p->words.word.column;
	node->init = !strncmp(node->name, "__init_", 7);
	node->state = -1;
	return (int)p->nodes_count++;
}

static int edge_add(struct parser *p, unsigned int from, unsigned int to,
		    const struct attributes *a, const struct word *arrow)
{
	struct edge *edges = realloc(p->edges, (p->edges_count + 1) * sizeof(*edges));
	struct edge *edge;

	if (!edges)
		return -ENOMEM;
	p->edges = edges;
	edge = &edges[p->edges_count++];
	*edge = (struct edge){ .from = from, .to = to };
	edge->line = a->label ? a->label_line : arrow->line;
	edge->column = a->label ? a->label_column : arrow->column;
	if (a->label) {
		edge->label = strdup(a->label);
		if (!edge->label)
			return -ENOMEM;
	}
	return 0;
}

static void node_shape(struct node *node, const char *shape)
{
	/* tools/verification takes both for marked (rvgen/automata.py). */
	if (shape && (!strcmp(shape, "doublecircle") || !strcmp(shape, "ellipse")))
		node->marked = true;
}

/* `name = value` of the graph itself; the present word is the value. */
static int graph_attribute(struct parser *p, const char *name)
{
	if (p->words.word.kind != WORD_ID)
		return words_fail_expected(&p->words, "the attribute's value");
	if (!strcmp(name, "object")) {
		for (int i = 0; i < RULES_OBJECTS; i++) {
			if (!strcmp(p->words.word.text, rules_object_name((enum rules_object)i)))
				p->object = i;
		}
		if (p->object < 0)
			return words_fail_expected(&p->words, "backend, ioas, hwpt or mapping");
	} else if (!strcmp(name, "at_end")) {
		if (strcmp(p->words.word.text, "marked"))
			return words_fail_expected(&p->words, "marked");
		p->end_marked = true;
	}
	return words_next(&p->words);
}

/* a, a [..], a -> b -> c [..], a = b; shape: what nodes get by default here. */
static int parse_node_or_edge(struct parser *p, const char *shape)
{
	struct attributes a = { 0 };
	struct word arrow = { 0 };
	struct word first = p->words.word;
	int from, to = -1, ret;

	ret = words_next(&p->words);
	if (ret)
		return ret;
	if (words_is(&p->words, "=")) {
		ret = words_next(&p->words);
		return ret ? ret : graph_attribute(p, first.text);
	}
	/* The name is a node's after all: look it up under its own place. */
	struct word after = p->words.word;

	p->words.word = first;
	from = node_here(p);
	p->words.word = after;
	if (from < 0)
		return from;
	if (p->words.word.kind == WORD_ARROW) {
		arrow = p->words.word;
		ret = words_next(&p->words);
		if (ret)
			return ret;
		if (p->words.word.kind != WORD_ID)
			return words_fail_expected(&p->words, "the state that the transition leads to");
		to = node_here(p);
		if (to < 0)
			return to;
		ret = words_next(&p->words);
		if (ret)
			return ret;
		if (p->words.word.kind == WORD_ARROW)
			return words_fail_expected(&p->words, "the end of the transition (one -> each)");
	}
	ret = parse_attributes(p, &a);
	if (!ret && to >= 0 && p->nodes[from].init)
		ret = refuse_label(p, &a, "none at the arrow to the initial state (hybrid automata "
					  "are not read)");
	else if (!ret && to < 0)
		ret = refuse_invariant(p, &a, p->nodes[from].name);
	if (!ret && to >= 0)
		ret = edge_add(p, (unsigned int)from, (unsigned int)to, &a, &arrow);
	else if (!ret)
		node_shape(&p->nodes[from], a.shape ? a.shape : shape);
	attributes_fini(&a);
	return ret;
}

static int parse_statements(struct parser *p, const char *outer_shape);

static int parse_subgraph(struct parser *p, const char *shape)
{
	int ret = words_next(&p->words);

	if (!ret && ++p->nesting > NESTING_MAX)
		ret = words_fail_at(&p->words, p->words.word.line, p->words.word.column,
			      "braces nested too deeply; expected at most %d levels", NESTING_MAX);
	if (!ret)
		ret = parse_statements(p, shape);
	p->nesting--;
	return ret;
}

/* Statements up to the closing brace, which is taken too. */
static int parse_statements(struct parser *p, const char *outer_shape)
{
	char *shape = outer_shape ? strdup(outer_shape) : NULL;
	int ret = 0;

	while (!ret && !words_is(&p->words, "}")) {
		if (words_is(&p->words, ";")) {
			ret = words_next(&p->words);
		} else if (words_is(&p->words, "{")) {
			ret = parse_subgraph(p, shape);
		} else if (words_is(&p->words, "subgraph")) {
			ret = words_next(&p->words);
			if (!ret && p->words.word.kind == WORD_ID)
				ret = words_next(&p->words);
			if (!ret)
				ret = words_is(&p->words, "{") ? parse_subgraph(p, shape)
						      : words_fail_expected(&p->words, "'{' after subgraph");
		} else if (words_is(&p->words, "node") || words_is(&p->words, "edge") || words_is(&p->words, "graph")) {
			struct attributes a = { 0 };
			bool node = words_is(&p->words, "node");
			bool edge = words_is(&p->words, "edge");

			ret = words_next(&p->words);
			if (!ret)
				ret = parse_attributes(p, &a);
			if (!ret && node)
				ret = refuse_invariant(p, &a, NULL);
			else if (!ret && edge)
				ret = refuse_label(p, &a, "a label at each transition");
			if (!ret && node && a.shape) {
				free(shape);
				shape = a.shape;
				a.shape = NULL;
			}
			attributes_fini(&a);
		} else if (p->words.word.kind == WORD_ID) {
			ret = parse_node_or_edge(p, shape);
		} else {
			ret = words_fail_expected(&p->words, "a state, a transition, an attribute or '}'");
		}
	}
	free(shape);
	return ret ? ret : words_next(&p->words);
}

static int parse_graph(struct parser *p)
{
	int ret = words_next(&p->words);

	if (!ret && words_is(&p->words, "strict"))
		ret = words_next(&p->words);
	if (!ret)
		ret = words_expect(&p->words, "digraph", "'digraph'");
	if (!ret && p->words.word.kind == WORD_ID)
		ret = words_next(&p->words);
	if (!ret)
		ret = words_expect(&p->words, "{", "'{' or the graph's name");
	if (!ret)
		ret = parse_statements(p, NULL);
	if (!ret && p->words.word.kind != WORD_END)
		ret = words_fail_expected(&p->words, "the end of the file (one automaton each)");
	return ret;
}

/* ---- from nodes and edges to an automaton --------------------------------------- */

/* Numbers the states: the initial one is 0, the others come as in the file. */
static int number_states(struct parser *p, struct rules_automaton *automaton)
{
	int initial = -1;

	for (unsigned int i = 0; i < p->edges_count; i++) {
		const struct edge *edge = &p->edges[i];

		if (!p->nodes[edge->from].init)
			continue;
		if (initial >= 0 && initial != (int)edge->to)
			return words_fail_at(&p->words, edge->line, edge->column,
				       "a second initial state '%s'; expected only one",
				       p->nodes[edge->to].name);
		initial = (int)edge->to;
	}
	if (initial < 0 || p->nodes[initial].init)
		return words_fail_at(&p->words, 1, 1,
			       "no initial state; expected \"__init_NAME\" -> \"NAME\"");
	for (unsigned int i = 0; i <= p->nodes_count; i++) {
		struct node *node = &p->nodes[i ? i - 1 : (unsigned int)initial];
		unsigned int state = automaton->states_count;

		if (node->init || node->state >= 0)
			continue;
		if (state == RULES_STATES_MAX)
			return words_fail_at(&p->words, node->line, node->column,
				       "too many states; expected at most %d", RULES_STATES_MAX);
		node->state = (int)state;
		automaton->state_names[state] = strdup(node->name);
		if (!automaton->state_names[state])
			return -ENOMEM;
		automaton->states_count++;
		if (node->marked)
			automaton->marked |= 1ull << state;
	}
	if (!automaton->marked)
		automaton->marked = 1; /* as rvgen: then the initial state is */
	return 0;
}

/* Symbol of a name (len bytes); -1: none. */
static int symbol_find(const char *name, size_t len)
{
	for (int i = 0; i < RULES_SYMBOLS; i++) {
		const char *known = rules_symbol_name((enum rules_symbol)i);

		if (strlen(known) == len && !memcmp(known, name, len))
			return i;
	}
	return -1;
}

static void alphabet_text(int object, char *text, size_t size)
{
	size_t used = 0;

	for (int i = 0; i < RULES_SYMBOLS && used < size; i++) {
		if (object < 0 ||
		    rules_object_has((enum rules_object)object, (enum rules_symbol)i))
			used += (size_t)snprintf(text + used, size - used, "%s%s",
						 used ? " " : "",
						 rules_symbol_name((enum rules_symbol)i));
	}
}

/* Calls take for each event of the edge's label. */
static int edge_events(struct parser *p, struct edge *edge,
		       int (*take)(struct parser *p, struct edge *edge, int symbol, void *opaque),
		       void *opaque)
{
	const char *at = edge->label;
	char known[320];

	if (!at)
		return words_fail_at(&p->words, edge->line, edge->column,
			       "a transition without an event; expected [label = \"EVENT\"]");
	for (;;) {
		const char *stop = strstr(at, "\\n");
		size_t len = stop ? (size_t)(stop - at) : strlen(at);
		int symbol = symbol_find(at, len), ret;

		if (memchr(at, ';', len))
			return words_fail_at(&p->words, edge->line, edge->column,
				       "'%.*s' has a condition; expected only an event "
				       "(hybrid automata are not read)", (int)len, at);
		if (symbol < 0) {
			alphabet_text(p->object, known, sizeof(known));
			return words_fail_at(&p->words, edge->line, edge->column,
				       "unknown event '%.*s'; expected one of %s", (int)len, at,
				       known);
		}
		ret = take(p, edge, symbol, opaque);
		if (ret || !stop)
			return ret;
		at = stop + 2;
	}
}

static int take_object(struct parser *p, struct edge *edge, int symbol, void *opaque)
{
	unsigned int *objects = opaque;

	(void)p;
	(void)edge;
	for (int i = 0; i < RULES_OBJECTS; i++) {
		if (!rules_object_has((enum rules_object)i, (enum rules_symbol)symbol))
			*objects &= ~(1u << i);
	}
	return 0;
}

/* The object when the file does not say: the only kind that has all the events. */
static int deduce_object(struct parser *p)
{
	unsigned int objects = (1u << RULES_OBJECTS) - 1;
	int ret;

	if (p->object >= 0)
		return 0;
	for (unsigned int i = 0; i < p->edges_count; i++) {
		if (p->nodes[p->edges[i].from].init)
			continue;
		ret = edge_events(p, &p->edges[i], take_object, &objects);
		if (ret)
			return ret;
	}
	if (__builtin_popcount(objects) != 1)
		return words_fail_at(&p->words, 1, 1, "the events do not tell of what the rule is; expected "
			       "object = \"backend\", \"ioas\", \"hwpt\" or \"mapping\" in the "
			       "graph");
	p->object = __builtin_ctz(objects);
	return 0;
}

static int take_transition(struct parser *p, struct edge *edge, int symbol, void *opaque)
{
	struct rules_automaton *automaton = opaque;
	int from = p->nodes[edge->from].state, to = p->nodes[edge->to].state;
	uint8_t *next = &automaton->next[from][symbol];
	const char *name = rules_symbol_name((enum rules_symbol)symbol);
	char known[320];

	if (!rules_object_has(automaton->object, (enum rules_symbol)symbol)) {
		alphabet_text((int)automaton->object, known, sizeof(known));
		return words_fail_at(&p->words, edge->line, edge->column,
			       "event '%s' never happens to object %s; expected one of %s", name,
			       rules_object_name(automaton->object), known);
	}
	if (*next != RULES_IGNORED && *next != (uint8_t)to)
		return words_fail_at(&p->words, edge->line, edge->column,
			       "event '%s' leads from '%s' to '%s' already; expected one "
			       "next state (a deterministic automaton)", name,
			       p->nodes[edge->from].name, automaton->state_names[*next]);
	*next = (uint8_t)to;
	return 0;
}

/* Events that are in the alphabet are invalid wherever they have no transition. */
static void close_alphabet(struct rules_automaton *automaton)
{
	for (int symbol = 0; symbol < RULES_SYMBOLS; symbol++) {
		bool used = false;

		for (unsigned int s = 0; s < automaton->states_count; s++)
			used |= automaton->next[s][symbol] != RULES_IGNORED;
		for (unsigned int s = 0; used && s < automaton->states_count; s++) {
			if (automaton->next[s][symbol] == RULES_IGNORED)
				automaton->next[s][symbol] = RULES_INVALID;
		}
	}
}

static int build(struct parser *p, struct rules_automaton *automaton)
{
	int ret = number_states(p, automaton);
	unsigned int transitions = 0;

	if (!ret)
		ret = deduce_object(p);
	if (ret)
		return ret;
	automaton->object = (enum rules_object)p->object;
	automaton->end_marked = p->end_marked;
	memset(automaton->next, RULES_IGNORED, sizeof(automaton->next));
	for (unsigned int i = 0; i < p->edges_count; i++) {
		struct edge *edge = &p->edges[i];

		if (p->nodes[edge->from].init)
			continue;
		if (p->nodes[edge->to].init)
			return words_fail_at(&p->words, edge->line, edge->column,
				       "a transition to '%s'; expected a state",
				       p->nodes[edge->to].name);
		ret = edge_events(p, edge, take_transition, automaton);
		if (ret)
			return ret;
		transitions++;
	}
	if (!transitions)
		return words_fail_at(&p->words, 1, 1, "no transition; expected \"A\" -> \"B\" "
			       "[label = \"EVENT\"]");
	close_alphabet(automaton);
	return 0;
}

/* ---- whole files --------------------------------------------------------------- */

/* The base name without .dot; a new string. */
static char *name_from_path(const char *path)
{
	const char *base = strrchr(path, '/');
	const char *dot;

	base = base ? base + 1 : path;
	dot = strrchr(base, '.');
	return dot && dot != base ? strndup(base, (size_t)(dot - base)) : strdup(base);
}

struct rules_automaton *rules_automaton_parse(const char *path, const char *text, size_t len,
					      struct rules_error *error)
{
	struct rules_automaton *automaton = calloc(1, sizeof(*automaton));
	struct parser *p = calloc(1, sizeof(*p));
	int ret = -ENOMEM;

	if (!automaton || !p)
		goto out_free;
	snprintf(error->text, sizeof(error->text), "%s: out of memory", path);
	words_init(&p->words, path, text, len, error);
	p->object = -1;
	automaton->name = name_from_path(path);
	if (automaton->name)
		ret = parse_graph(p);
	if (!ret)
		ret = build(p, automaton);
	for (unsigned int i = 0; i < p->nodes_count; i++)
		free(p->nodes[i].name);
	for (unsigned int i = 0; i < p->edges_count; i++)
		free(p->edges[i].label);
	free(p->edges);
out_free:
	free(p);
	if (ret) {
		rules_automaton_destroy(automaton);
		return NULL;
	}
	error->text[0] = 0;
	return automaton;
}

struct rules_automaton *rules_automaton_load(const char *path, struct rules_error *error)
{
	struct rules_automaton *automaton = NULL;
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t len;

	if (file)
		text = malloc(FILE_BYTES_MAX + 1);
	if (!text) {
		snprintf(error->text, sizeof(error->text), "%s: %s", path, strerror(errno));
		goto out_close;
	}
	len = fread(text, 1, FILE_BYTES_MAX + 1, file);
	if (ferror(file))
		snprintf(error->text, sizeof(error->text), "%s: %s", path, strerror(errno));
	else if (len > FILE_BYTES_MAX)
		snprintf(error->text, sizeof(error->text),
			 "%s: larger than 1 MiB; expected an automaton", path);
	else
		automaton = rules_automaton_parse(path, text, len, error);
	free(text);
out_close:
	if (file)
		fclose(file);
	return automaton;
}
