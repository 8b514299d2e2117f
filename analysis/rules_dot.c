/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads an automaton from a DOT file.
 *
 * The words of the file are taken one at a time with their line and column, so
 * that each error can say where it is and what was expected there. The grammar
 * is that part of DOT which models of the kernel's runtime verification use:
 * statements, attributes, subgraphs, comments; no ports and no HTML.
 */
#include "analysis/rules_automaton.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 2048
#define FILE_BYTES_MAX (1 << 20)
#define NODES_MAX (2 * RULES_STATES_MAX)
#define NESTING_MAX 16

enum word_kind {
	WORD_END,
	WORD_ID,    /* a name, a number or a quoted string */
	WORD_PUNCT, /* { } [ ] = ; , */
	WORD_ARROW, /* -> */
};

struct word {
	enum word_kind kind;
	bool quoted;
	char text[WORD_MAX];
	unsigned int line;
	unsigned int column;
};

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
	const char *path;
	const char *at, *end;
	unsigned int line, column; /* of `at` */
	struct word word;	   /* the next word */
	struct rules_error *error;

	struct node nodes[NODES_MAX];
	unsigned int nodes_count;
	struct edge *edges;
	unsigned int edges_count;
	int object; /* enum rules_object, or -1: not said */
	bool end_marked;
	unsigned int nesting;
};

__attribute__((format(printf, 4, 5))) static int fail_at(struct parser *p, unsigned int line,
							  unsigned int column, const char *fmt,
							  ...)
{
	int used = snprintf(p->error->text, sizeof(p->error->text), "%s:%u:%u: ", p->path, line,
			    column);
	va_list ap;

	if (used < 0 || (size_t)used >= sizeof(p->error->text))
		return -EINVAL;
	va_start(ap, fmt);
	vsnprintf(p->error->text + used, sizeof(p->error->text) - (size_t)used, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* The next word is not what it should be. */
static int fail_expected(struct parser *p, const char *expected)
{
	if (p->word.kind == WORD_END)
		return fail_at(p, p->word.line, p->word.column, "the file ends here; expected %s",
			       expected);
	return fail_at(p, p->word.line, p->word.column, "found %s%.60s%s; expected %s",
		       p->word.quoted ? "\"" : "'", p->word.text, p->word.quoted ? "\"" : "'",
		       expected);
}

/* ---- words ------------------------------------------------------------------ */

static void text_advance(struct parser *p)
{
	if (*p->at == '\n') {
		p->line++;
		p->column = 1;
	} else {
		p->column++;
	}
	p->at++;
}

static bool text_is(const struct parser *p, const char *start)
{
	size_t len = strlen(start);

	return (size_t)(p->end - p->at) >= len && !memcmp(p->at, start, len);
}

static int skip_comment(struct parser *p)
{
	unsigned int line = p->line, column = p->column;

	while (p->at < p->end && !text_is(p, "*/"))
		text_advance(p);
	if (p->at == p->end)
		return fail_at(p, line, column, "this comment never ends; expected */");
	text_advance(p);
	text_advance(p);
	return 0;
}

static int skip_space(struct parser *p)
{
	int ret;

	for (;;) {
		if (p->at == p->end) {
			return 0;
		} else if (isspace((unsigned char)*p->at)) {
			text_advance(p);
		} else if (text_is(p, "//") || (*p->at == '#' && p->column == 1)) {
			while (p->at < p->end && *p->at != '\n')
				text_advance(p);
		} else if (text_is(p, "/*")) {
			ret = skip_comment(p);
			if (ret)
				return ret;
		} else {
			return 0;
		}
	}
}

static bool is_id_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || (unsigned char)c >= 0x80;
}

static int word_append(struct parser *p, size_t *len, char c)
{
	if (*len + 1 >= WORD_MAX)
		return fail_at(p, p->word.line, p->word.column,
			       "this word is longer than %d characters", WORD_MAX - 1);
	p->word.text[(*len)++] = c;
	p->word.text[*len] = 0;
	return 0;
}

/* A quoted string; \" is a quote, every other backslash stays (\n is DOT's own). */
static int read_quoted(struct parser *p)
{
	size_t len = 0;
	int ret;

	p->word.kind = WORD_ID;
	p->word.quoted = true;
	text_advance(p);
	while (p->at < p->end && *p->at != '"') {
		if (text_is(p, "\\\""))
			text_advance(p);
		if (!*p->at)
			return fail_at(p, p->line, p->column, "a zero byte; expected text");
		ret = word_append(p, &len, *p->at);
		if (ret)
			return ret;
		text_advance(p);
	}
	if (p->at == p->end)
		return fail_at(p, p->word.line, p->word.column,
			       "this string never ends; expected a closing \"");
	text_advance(p);
	return 0;
}

static int next_word(struct parser *p)
{
	size_t len = 0;
	int ret = skip_space(p);

	if (ret)
		return ret;
	p->word = (struct word){ .kind = WORD_END, .line = p->line, .column = p->column };
	if (p->at == p->end)
		return 0;
	if (*p->at == '"')
		return read_quoted(p);
	if (text_is(p, "->")) {
		p->word.kind = WORD_ARROW;
		strcpy(p->word.text, "->");
		text_advance(p);
		text_advance(p);
		return 0;
	}
	if (*p->at && strchr("{}[]=;,", *p->at)) {
		p->word.kind = WORD_PUNCT;
		p->word.text[0] = *p->at;
		text_advance(p);
		return 0;
	}
	if (text_is(p, "--"))
		return fail_at(p, p->line, p->column,
			       "found '--'; expected '->' (an automaton has directions)");
	if (!is_id_char(*p->at) && *p->at != '-')
		return fail_at(p, p->line, p->column, "the character '%c' means nothing here; "
			       "expected a name, a quoted string or one of { } [ ] = ; , ->",
			       isprint((unsigned char)*p->at) ? *p->at : '?');
	p->word.kind = WORD_ID;
	do {
		ret = word_append(p, &len, *p->at);
		if (ret)
			return ret;
		text_advance(p);
	} while (p->at < p->end && is_id_char(*p->at));
	return 0;
}

static bool word_is(const struct parser *p, const char *text)
{
	return p->word.kind != WORD_END && !p->word.quoted && !strcmp(p->word.text, text);
}

static int expect(struct parser *p, const char *punct, const char *expected)
{
	return word_is(p, punct) ? next_word(p) : fail_expected(p, expected);
}

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
	*slot = strdup(p->word.text);
	if (slot == &a->label) {
		a->label_line = p->word.line;
		a->label_column = p->word.column;
	}
	return *slot ? 0 : -ENOMEM;
}

/* [name = value, ...] as often as it comes. */
static int parse_attributes(struct parser *p, struct attributes *a)
{
	char name[64];
	int ret;

	while (word_is(p, "[")) {
		ret = next_word(p);
		while (!ret && !word_is(p, "]")) {
			if (p->word.kind != WORD_ID)
				return fail_expected(p, "an attribute's name or ']'");
			snprintf(name, sizeof(name), "%.63s", p->word.text);
			ret = next_word(p);
			if (ret)
				break;
			ret = expect(p, "=", "'=' after the attribute's name");
			if (ret)
				break;
			if (p->word.kind != WORD_ID)
				return fail_expected(p, "the attribute's value");
			ret = attribute_take(p, a, name);
			if (!ret)
				ret = next_word(p);
			if (!ret && (word_is(p, ",") || word_is(p, ";")))
				ret = next_word(p);
		}
		if (!ret)
			ret = next_word(p);
		if (ret)
			return ret;
	}
	return 0;
}

/* The node that the present word names; made when it is new. Returns its index or -errno. */
static int node_here(struct parser *p)
{
	struct node *node;

	for (unsigned int i = 0; i < p->nodes_count; i++) {
		if (!strcmp(p->nodes[i].name, p->word.text))
			return (int)i;
	}
	if (!p->word.text[0])
		return fail_at(p, p->word.line, p->word.column,
			       "a state without a name; expected a name in the quotes");
	if (p->nodes_count == NODES_MAX)
		return fail_at(p, p->word.line, p->word.column,
			       "too many states; expected at most %d", RULES_STATES_MAX);
	node = &p->nodes[p->nodes_count];
	node->name = strdup(p->word.text);
	if (!node->name)
		return -ENOMEM;
	node->line = p->word.line;
	node->column = p->word.column;
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
	if (p->word.kind != WORD_ID)
		return fail_expected(p, "the attribute's value");
	if (!strcmp(name, "object")) {
		for (int i = 0; i < RULES_OBJECTS; i++) {
			if (!strcmp(p->word.text, rules_object_name((enum rules_object)i)))
				p->object = i;
		}
		if (p->object < 0)
			return fail_expected(p, "backend, ioas, hwpt or mapping");
	} else if (!strcmp(name, "at_end")) {
		if (strcmp(p->word.text, "marked"))
			return fail_expected(p, "marked");
		p->end_marked = true;
	}
	return next_word(p);
}

/* a, a [..], a -> b -> c [..], a = b; shape: what nodes get by default here. */
static int parse_node_or_edge(struct parser *p, const char *shape)
{
	struct attributes a = { 0 };
	struct word arrow = { 0 };
	struct word first = p->word;
	int from, to = -1, ret;

	ret = next_word(p);
	if (ret)
		return ret;
	if (word_is(p, "=")) {
		ret = next_word(p);
		return ret ? ret : graph_attribute(p, first.text);
	}
	/* The name is a node's after all: look it up under its own place. */
	struct word after = p->word;

	p->word = first;
	from = node_here(p);
	p->word = after;
	if (from < 0)
		return from;
	if (p->word.kind == WORD_ARROW) {
		arrow = p->word;
		ret = next_word(p);
		if (ret)
			return ret;
		if (p->word.kind != WORD_ID)
			return fail_expected(p, "the state that the transition leads to");
		to = node_here(p);
		if (to < 0)
			return to;
		ret = next_word(p);
		if (ret)
			return ret;
		if (p->word.kind == WORD_ARROW)
			return fail_expected(p, "the end of the transition (one -> each)");
	}
	ret = parse_attributes(p, &a);
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
	int ret = next_word(p);

	if (!ret && ++p->nesting > NESTING_MAX)
		ret = fail_at(p, p->word.line, p->word.column,
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

	while (!ret && !word_is(p, "}")) {
		if (word_is(p, ";")) {
			ret = next_word(p);
		} else if (word_is(p, "{")) {
			ret = parse_subgraph(p, shape);
		} else if (word_is(p, "subgraph")) {
			ret = next_word(p);
			if (!ret && p->word.kind == WORD_ID)
				ret = next_word(p);
			if (!ret)
				ret = word_is(p, "{") ? parse_subgraph(p, shape)
						      : fail_expected(p, "'{' after subgraph");
		} else if (word_is(p, "node") || word_is(p, "edge") || word_is(p, "graph")) {
			struct attributes a = { 0 };
			bool node = word_is(p, "node");

			ret = next_word(p);
			if (!ret)
				ret = parse_attributes(p, &a);
			if (!ret && node && a.shape) {
				free(shape);
				shape = a.shape;
				a.shape = NULL;
			}
			attributes_fini(&a);
		} else if (p->word.kind == WORD_ID) {
			ret = parse_node_or_edge(p, shape);
		} else {
			ret = fail_expected(p, "a state, a transition, an attribute or '}'");
		}
	}
	free(shape);
	return ret ? ret : next_word(p);
}

static int parse_graph(struct parser *p)
{
	int ret = next_word(p);

	if (!ret && word_is(p, "strict"))
		ret = next_word(p);
	if (!ret)
		ret = expect(p, "digraph", "'digraph'");
	if (!ret && p->word.kind == WORD_ID)
		ret = next_word(p);
	if (!ret)
		ret = expect(p, "{", "'{' or the graph's name");
	if (!ret)
		ret = parse_statements(p, NULL);
	if (!ret && p->word.kind != WORD_END)
		ret = fail_expected(p, "the end of the file (one automaton each)");
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
			return fail_at(p, edge->line, edge->column,
				       "a second initial state '%s'; expected only one",
				       p->nodes[edge->to].name);
		initial = (int)edge->to;
	}
	if (initial < 0 || p->nodes[initial].init)
		return fail_at(p, 1, 1,
			       "no initial state; expected \"__init_NAME\" -> \"NAME\"");
	for (unsigned int i = 0; i <= p->nodes_count; i++) {
		struct node *node = &p->nodes[i ? i - 1 : (unsigned int)initial];
		unsigned int state = automaton->states_count;

		if (node->init || node->state >= 0)
			continue;
		if (state == RULES_STATES_MAX)
			return fail_at(p, node->line, node->column,
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
		return fail_at(p, edge->line, edge->column,
			       "a transition without an event; expected [label = \"EVENT\"]");
	for (;;) {
		const char *stop = strstr(at, "\\n");
		size_t len = stop ? (size_t)(stop - at) : strlen(at);
		int symbol = symbol_find(at, len), ret;

		if (memchr(at, ';', len))
			return fail_at(p, edge->line, edge->column,
				       "'%.*s' has a condition; expected only an event "
				       "(hybrid automata are not read)", (int)len, at);
		if (symbol < 0) {
			alphabet_text(p->object, known, sizeof(known));
			return fail_at(p, edge->line, edge->column,
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
		return fail_at(p, 1, 1, "the events do not tell of what the rule is; expected "
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
		return fail_at(p, edge->line, edge->column,
			       "event '%s' never happens to object %s; expected one of %s", name,
			       rules_object_name(automaton->object), known);
	}
	if (*next != RULES_IGNORED && *next != (uint8_t)to)
		return fail_at(p, edge->line, edge->column,
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
			return fail_at(p, edge->line, edge->column,
				       "a transition to '%s'; expected a state",
				       p->nodes[edge->to].name);
		ret = edge_events(p, edge, take_transition, automaton);
		if (ret)
			return ret;
		transitions++;
	}
	if (!transitions)
		return fail_at(p, 1, 1, "no transition; expected \"A\" -> \"B\" "
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
	p->path = path;
	p->at = text;
	p->end = text + len;
	p->line = p->column = 1;
	p->object = -1;
	p->error = error;
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
