/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The metadata language of CTF 1.8 (TSDL), as far as tracers write it: types by name or in
 * place, and the blocks trace, env, clock, stream, event. What else the language has (typedef,
 * attributes that are expressions, names across scopes) ends with -ENOTSUP, never with a guess.
 */
#include "analysis/ctf/ctf_type.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 256u
#define DEPTH_MAX 32u

enum token {
	T_END,
	T_WORD,
	T_NUMBER,
	T_TEXT,
	T_ASSIGN_TYPE, /* := */
	T_ELLIPSIS,    /* ... */
	T_CHAR,	       /* any other character */
};

/* A type that has a name: "uint32_t", "struct packet_context". */
struct named {
	const char *name;
	const struct ctf_type *type;
	struct named *next;
};

struct parser {
	struct ctf_metadata *metadata;
	const char *at;
	enum token token;
	char word[WORD_MAX]; /* T_WORD, T_TEXT */
	uint64_t number;     /* T_NUMBER; a negative one as its two's complement */
	char character;	     /* T_CHAR */
	struct named *named;
	unsigned int depth;
	int ret; /* once it is not 0 every function gives up */
};

static struct ctf_type *parse_type(struct parser *p);

static void *give_up(struct parser *p, int ret)
{
	if (!p->ret)
		p->ret = ret;
	return NULL;
}

/* ---- words ---------------------------------------------------------------------- */

static void skip_blank(struct parser *p)
{
	for (;;) {
		if (isspace((unsigned char)*p->at)) {
			p->at++;
		} else if (p->at[0] == '/' && p->at[1] == '*') {
			const char *end = strstr(p->at + 2, "*/");

			p->at = end ? end + 2 : p->at + strlen(p->at);
		} else if (p->at[0] == '/' && p->at[1] == '/') {
			p->at += strcspn(p->at, "\n");
		} else {
			return;
		}
	}
}

static void take_word(struct parser *p, size_t n)
{
	if (n >= WORD_MAX) {
		give_up(p, -ENOTSUP);
		return;
	}
	memcpy(p->word, p->at, n);
	p->word[n] = 0;
	p->at += n;
	p->token = T_WORD;
}

static void take_text(struct parser *p)
{
	size_t n = strcspn(p->at + 1, "\"\\\n");

	if (p->at[1 + n] != '"' || n >= WORD_MAX) { /* an escape, too long, or no end */
		give_up(p, -ENOTSUP);
		return;
	}
	memcpy(p->word, p->at + 1, n);
	p->word[n] = 0;
	p->at += n + 2;
	p->token = T_TEXT;
}

static void take_number(struct parser *p)
{
	bool negative = *p->at == '-';
	char *end;

	errno = 0;
	p->number = strtoull(p->at + negative, &end, 0);
	if (errno || end == p->at + negative) {
		give_up(p, -ENOTSUP);
		return;
	}
	end += strspn(end, "uUlL");
	if (negative)
		p->number = -p->number;
	p->at = end;
	p->token = T_NUMBER;
}

static void next(struct parser *p)
{
	size_t n;

	skip_blank(p);
	if (p->ret || !*p->at) {
		p->token = T_END;
		return;
	}
	for (n = 0; isalnum((unsigned char)p->at[n]) || p->at[n] == '_'; n++)
		;
	if (isdigit((unsigned char)*p->at) ||
	    (*p->at == '-' && isdigit((unsigned char)p->at[1]))) {
		take_number(p);
	} else if (n) {
		take_word(p, n);
	} else if (*p->at == '"') {
		take_text(p);
	} else if (!strncmp(p->at, ":=", 2)) {
		p->at += 2;
		p->token = T_ASSIGN_TYPE;
	} else if (!strncmp(p->at, "...", 3)) {
		p->at += 3;
		p->token = T_ELLIPSIS;
	} else {
		p->character = *p->at++;
		p->token = T_CHAR;
	}
	if (p->ret)
		p->token = T_END;
}

static bool is_char(const struct parser *p, char c)
{
	return p->token == T_CHAR && p->character == c;
}

static bool is_word(const struct parser *p, const char *word)
{
	return p->token == T_WORD && !strcmp(p->word, word);
}

static bool accept_char(struct parser *p, char c)
{
	if (!is_char(p, c))
		return false;
	next(p);
	return true;
}

static void expect_char(struct parser *p, char c)
{
	if (!accept_char(p, c))
		give_up(p, -ENOTSUP);
}

static uint64_t expect_number(struct parser *p)
{
	uint64_t number = p->number;

	if (p->token != T_NUMBER)
		give_up(p, -ENOTSUP);
	next(p);
	return number;
}

/* A copy of the word or text at hand, which is then passed. */
static const char *take_name(struct parser *p)
{
	char *name = NULL;

	if (p->token != T_WORD && p->token != T_TEXT)
		return give_up(p, -ENOTSUP);
	name = ctf_text(p->metadata, p->word, strlen(p->word));
	if (!name)
		give_up(p, -ENOMEM);
	next(p);
	return name;
}

/* ---- named types ---------------------------------------------------------------- */

static struct ctf_type *new_type(struct parser *p, enum ctf_kind kind)
{
	struct ctf_type *type = ctf_alloc(p->metadata, sizeof(*type));

	if (!type)
		return give_up(p, -ENOMEM);
	type->kind = kind;
	type->align = 1;
	return type;
}

static void name_type(struct parser *p, const char *name, const struct ctf_type *type)
{
	struct named *named = ctf_alloc(p->metadata, sizeof(*named));

	if (!named) {
		give_up(p, -ENOMEM);
		return;
	}
	named->name = ctf_text(p->metadata, name, strlen(name));
	named->type = type;
	named->next = p->named;
	p->named = named;
	if (!named->name)
		give_up(p, -ENOMEM);
}

/* A copy, since who uses a type gives its own role to it. */
static struct ctf_type *find_type(struct parser *p, const char *name)
{
	struct ctf_type *copy;

	for (const struct named *named = p->named; named; named = named->next) {
		if (strcmp(named->name, name))
			continue;
		copy = new_type(p, named->type->kind);
		if (copy)
			*copy = *named->type;
		return copy;
	}
	return give_up(p, -ENOTSUP);
}

/* ---- types ---------------------------------------------------------------------- */

static enum ctf_order parse_order(struct parser *p)
{
	enum ctf_order order = CTF_NATIVE;

	if (is_word(p, "le"))
		order = CTF_LITTLE;
	else if (is_word(p, "be") || is_word(p, "network"))
		order = CTF_BIG;
	else if (!is_word(p, "native"))
		give_up(p, -ENOTSUP);
	next(p);
	return order;
}

static bool parse_truth(struct parser *p)
{
	bool truth = (p->token == T_NUMBER && p->number) || is_word(p, "true") ||
		     is_word(p, "TRUE");

	if (p->token != T_NUMBER && !truth && !is_word(p, "false") && !is_word(p, "FALSE"))
		give_up(p, -ENOTSUP);
	next(p);
	return truth;
}

/* map = clock.NAME.value */
static void parse_map(struct parser *p, struct ctf_type *type)
{
	type->is_clock = is_word(p, "clock");
	next(p);
	expect_char(p, '.');
	take_name(p);
	expect_char(p, '.');
	if (!type->is_clock || !is_word(p, "value"))
		give_up(p, -ENOTSUP);
	next(p);
}

/* { NAME = VALUE; ... } of an integer, a floating point number or a string. */
static void parse_attributes(struct parser *p, struct ctf_type *type)
{
	expect_char(p, '{');
	while (!p->ret && !accept_char(p, '}')) {
		char name[WORD_MAX];

		if (p->token != T_WORD)
			give_up(p, -ENOTSUP);
		memcpy(name, p->word, sizeof(name));
		next(p);
		expect_char(p, '=');
		if (!strcmp(name, "size")) {
			type->bits = (uint32_t)expect_number(p);
		} else if (!strcmp(name, "exp_dig") || !strcmp(name, "mant_dig")) {
			type->bits += (uint32_t)expect_number(p);
		} else if (!strcmp(name, "align")) {
			type->align = (uint32_t)expect_number(p);
		} else if (!strcmp(name, "signed")) {
			type->is_signed = parse_truth(p);
		} else if (!strcmp(name, "byte_order")) {
			type->order = parse_order(p);
		} else if (!strcmp(name, "map")) {
			parse_map(p, type);
		} else if (!strcmp(name, "encoding")) {
			type->is_text = !is_word(p, "none");
			next(p);
		} else if (!strcmp(name, "base")) {
			next(p);
		} else {
			give_up(p, -ENOTSUP);
		}
		expect_char(p, ';');
	}
}

static struct ctf_type *parse_integer(struct parser *p)
{
	struct ctf_type *type = new_type(p, CTF_INTEGER);

	if (!type)
		return NULL;
	type->align = 0;
	parse_attributes(p, type);
	if (!type->align)
		type->align = type->bits % 8 ? 1 : 8;
	if (!type->bits || type->bits > 64)
		return give_up(p, -ENOTSUP);
	return type;
}

static struct ctf_type *parse_float(struct parser *p)
{
	struct ctf_type *type = new_type(p, CTF_FIXED);

	if (!type)
		return NULL;
	type->align = 0;
	parse_attributes(p, type);
	if (!type->align)
		type->align = type->bits % 8 ? 1 : 8;
	return type->bits ? type : give_up(p, -ENOTSUP);
}

static struct ctf_type *parse_string(struct parser *p)
{
	struct ctf_type *type = new_type(p, CTF_STRING);

	if (!type)
		return NULL;
	if (is_char(p, '{'))
		parse_attributes(p, type);
	type->align = 8;
	return type;
}

/* Appends a zeroed element to an array in the arena; counts are small. */
static void *append(struct parser *p, void **array, size_t *count, size_t bytes)
{
	char *more = ctf_alloc(p->metadata, (*count + 1) * bytes);

	if (!more)
		return give_up(p, -ENOMEM);
	if (*count)
		memcpy(more, *array, *count * bytes);
	*array = more;
	return more + (*count)++ * bytes;
}

/* { NAME [= VALUE [... VALUE]], ... } */
static void parse_labels(struct parser *p, struct ctf_type *type)
{
	uint64_t value = 0;

	expect_char(p, '{');
	while (!p->ret && !accept_char(p, '}')) {
		struct ctf_label *label;
		void *labels = type->labels;

		label = append(p, &labels, &type->labels_count, sizeof(*label));
		type->labels = labels;
		if (!label)
			return;
		label->name = take_name(p);
		if (accept_char(p, '='))
			value = expect_number(p);
		label->first = label->last = value;
		if (p->token == T_ELLIPSIS) {
			next(p);
			label->last = expect_number(p);
		}
		value = label->last + 1;
		if (!is_char(p, '}'))
			expect_char(p, ',');
	}
}

/* "enum" was read: [NAME] [: INTEGER] [{ labels }] */
static struct ctf_type *parse_enum(struct parser *p)
{
	struct ctf_type *type;
	char name[WORD_MAX + 8] = "";

	if (p->token == T_WORD) {
		strcpy(name, "enum ");
		strcat(name, p->word);
		next(p);
	}
	if (!is_char(p, ':') && !is_char(p, '{'))
		return *name ? find_type(p, name) : give_up(p, -ENOTSUP);
	type = accept_char(p, ':') ? parse_type(p) : find_type(p, "int");
	if (!type || type->kind != CTF_INTEGER)
		return give_up(p, -ENOTSUP);
	parse_labels(p, type);
	if (*name)
		name_type(p, name, type);
	return type;
}

/* The arrays behind a name: [N] and [OTHER]; the last bracket is the innermost. */
static struct ctf_type *parse_arrays(struct parser *p, struct ctf_type *element)
{
	struct ctf_type *type;

	if (!accept_char(p, '['))
		return element;
	type = new_type(p, CTF_ARRAY);
	if (!type)
		return NULL;
	if (p->token == T_NUMBER) {
		type->length = expect_number(p);
	} else {
		type->kind = CTF_SEQUENCE;
		type->reference = take_name(p);
	}
	expect_char(p, ']');
	type->element = parse_arrays(p, element);
	if (!type->element)
		return NULL;
	type->align = type->element->align;
	return type;
}

/* { TYPE NAME[...]; ... } */
static void parse_fields(struct parser *p, struct ctf_type *type)
{
	expect_char(p, '{');
	while (!p->ret && !accept_char(p, '}')) {
		void *fields = type->fields;
		struct ctf_type *element;
		struct ctf_field *field;

		if (is_word(p, "typealias") || is_word(p, "typedef")) {
			give_up(p, -ENOTSUP); /* a scope of its own */
			return;
		}
		element = parse_type(p);
		field = append(p, &fields, &type->fields_count, sizeof(*field));
		type->fields = fields;
		if (!element || !field)
			return;
		field->name = take_name(p);
		field->type = parse_arrays(p, element);
		if (type->kind == CTF_STRUCT && field->type && field->type->align > type->align)
			type->align = field->type->align;
		expect_char(p, ';');
	}
}

/* "struct" was read: [NAME] [{ members }] [align(N)] */
static struct ctf_type *parse_struct(struct parser *p)
{
	char name[WORD_MAX + 8] = "";
	struct ctf_type *type;

	if (p->token == T_WORD) {
		strcpy(name, "struct ");
		strcat(name, p->word);
		next(p);
	}
	if (!is_char(p, '{'))
		return *name ? find_type(p, name) : give_up(p, -ENOTSUP);
	type = new_type(p, CTF_STRUCT);
	if (!type)
		return NULL;
	parse_fields(p, type);
	if (is_word(p, "align")) {
		uint64_t align;

		next(p);
		expect_char(p, '(');
		align = expect_number(p);
		expect_char(p, ')');
		if (align > type->align)
			type->align = (uint32_t)align;
	}
	if (*name)
		name_type(p, name, type);
	return type;
}

/* "variant" was read: [NAME] [<TAG>] [{ options }] */
static struct ctf_type *parse_variant(struct parser *p)
{
	char name[WORD_MAX + 8] = "";
	struct ctf_type *type;
	const char *tag = NULL;

	if (p->token == T_WORD) {
		strcpy(name, "variant ");
		strcat(name, p->word);
		next(p);
	}
	if (accept_char(p, '<')) {
		tag = take_name(p);
		expect_char(p, '>');
	}
	if (!is_char(p, '{')) {
		type = *name ? find_type(p, name) : give_up(p, -ENOTSUP);
	} else {
		type = new_type(p, CTF_VARIANT);
		if (type)
			parse_fields(p, type);
		if (type && *name)
			name_type(p, name, type);
	}
	if (type && tag)
		type->reference = tag;
	return type;
}

/* A type by name: "uint32_t", "unsigned long"; what follows a name is a declarator's name. */
static struct ctf_type *parse_alias(struct parser *p)
{
	static const char *const parts[] = { "unsigned", "signed", "long", "short", "int", "char",
					     "const" };
	char name[WORD_MAX] = "";

	for (;;) {
		bool is_part = false;

		for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
			is_part |= is_word(p, parts[i]);
		if (p->token != T_WORD || (*name && !is_part))
			break;
		if (strlen(name) + strlen(p->word) + 2 > sizeof(name))
			return give_up(p, -ENOTSUP);
		if (*name)
			strcat(name, " ");
		strcat(name, p->word);
		next(p);
		if (!is_part)
			break;
	}
	return find_type(p, name);
}

static struct ctf_type *parse_type(struct parser *p)
{
	static const struct {
		const char *word;
		struct ctf_type *(*parse)(struct parser *p);
	} kinds[] = {
		{ "integer", parse_integer }, { "floating_point", parse_float },
		{ "string", parse_string },   { "struct", parse_struct },
		{ "variant", parse_variant }, { "enum", parse_enum },
	};
	struct ctf_type *type = NULL;
	size_t i;

	if (++p->depth > DEPTH_MAX)
		give_up(p, -ENOTSUP);
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds) && !is_word(p, kinds[i].word); i++)
		;
	if (p->ret) {
		type = NULL;
	} else if (i < sizeof(kinds) / sizeof(*kinds)) {
		next(p);
		type = kinds[i].parse(p);
	} else {
		type = parse_alias(p);
	}
	p->depth--;
	return p->ret ? NULL : type;
}

/* ---- roles ---------------------------------------------------------------------- */

struct role_name {
	const char *name;
	enum ctf_role role;
};

/* Gives the integers of a header their roles by name, structures and options within too. */
static void give_roles(struct ctf_type *type, const struct role_name *names, size_t count)
{
	for (size_t i = 0; type && i < type->fields_count; i++) {
		struct ctf_field *field = &type->fields[i];

		if (!field->type)
			continue;
		give_roles(field->type, names, count);
		for (size_t k = 0; k < count && field->type->kind == CTF_INTEGER; k++) {
			if (!strcmp(field->name, names[k].name))
				field->type->role = names[k].role;
		}
	}
}

static bool has_clock(const struct ctf_type *type)
{
	if (!type)
		return false;
	if (type->is_clock || has_clock(type->element))
		return true;
	for (size_t i = 0; i < type->fields_count; i++) {
		if (has_clock(type->fields[i].type))
			return true;
	}
	return false;
}

/* ---- blocks --------------------------------------------------------------------- */

/* Attributes of the five kinds of blocks. */
struct block {
	struct ctf_stream_class *stream;   /* stream */
	struct ctf_event_class event;	   /* event */
	uint64_t stream_id;
	struct ctf_stream_class told;	   /* stream, until its id is known */
};

static bool parse_uuid(const char *text, uint8_t uuid[CTF_UUID_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (; *text; text++) {
		const char *digit;

		if (*text == '-')
			continue;
		digit = strchr(digits, tolower((unsigned char)*text));
		if (!digit || n == 2 * CTF_UUID_BYTES)
			return false;
		uuid[n / 2] = (uint8_t)(uuid[n / 2] << 4 | (digit - digits));
		n++;
	}
	return n == 2 * CTF_UUID_BYTES;
}

static void trace_attribute(struct parser *p, struct block *block, const char *name)
{
	(void)block;
	if (!strcmp(name, "byte_order")) {
		p->metadata->order = parse_order(p);
	} else if (!strcmp(name, "uuid")) {
		p->metadata->has_uuid = true;
		if (p->token != T_TEXT || !parse_uuid(p->word, p->metadata->uuid))
			give_up(p, -ENOTSUP);
		next(p);
	} else if (!strcmp(name, "major") || !strcmp(name, "minor")) {
		if (expect_number(p) != (name[1] == 'a' ? 1 : 8))
			give_up(p, -ENOTSUP);
	} else {
		give_up(p, -ENOTSUP);
	}
}

static void env_attribute(struct parser *p, struct block *block, const char *name)
{
	(void)block;
	if (p->token != T_TEXT && p->token != T_NUMBER)
		give_up(p, -ENOTSUP);
	if (ctf_environment(p->metadata, name, p->token == T_TEXT ? p->word : NULL, p->number))
		give_up(p, -ENOMEM);
	next(p);
}

static void clock_attribute(struct parser *p, struct block *block, const char *name)
{
	struct ctf_clock *clock = &p->metadata->clock;

	(void)block;
	if (!strcmp(name, "name")) {
		if (clock->name)
			give_up(p, -ENOTSUP); /* a second clock */
		clock->name = take_name(p);
	} else if (!strcmp(name, "uuid")) {
		uint8_t uuid[CTF_UUID_BYTES] = { 0 };

		if (p->token != T_TEXT || !parse_uuid(p->word, uuid))
			give_up(p, -ENOTSUP);
		for (size_t i = 0; i < CTF_UUID_BYTES; i++) {
			clock->uuid[2 * i] = "0123456789abcdef"[uuid[i] >> 4];
			clock->uuid[2 * i + 1] = "0123456789abcdef"[uuid[i] & 15];
		}
		next(p);
	} else if (!strcmp(name, "freq")) {
		clock->frequency = expect_number(p);
	} else if (!strcmp(name, "offset")) {
		clock->offset_cycles = expect_number(p);
	} else if (!strcmp(name, "offset_s")) {
		clock->offset_s = (int64_t)expect_number(p);
	} else if (!strcmp(name, "absolute")) {
		clock->is_absolute = parse_truth(p);
	} else if (!strcmp(name, "description") || !strcmp(name, "precision")) {
		next(p);
	} else {
		give_up(p, -ENOTSUP);
	}
}

static void stream_attribute(struct parser *p, struct block *block, const char *name)
{
	if (strcmp(name, "id"))
		give_up(p, -ENOTSUP);
	block->stream_id = expect_number(p);
}

static void event_attribute(struct parser *p, struct block *block, const char *name)
{
	if (!strcmp(name, "id"))
		block->event.id = expect_number(p);
	else if (!strcmp(name, "stream_id"))
		block->stream_id = expect_number(p);
	else if (!strcmp(name, "name"))
		block->event.name = take_name(p);
	else
		next(p); /* loglevel, model.emf.uri: of no use here */
}

static void set_type(struct parser *p, struct block *block, const char *name,
		     struct ctf_type *type)
{
	const struct {
		const char *name;
		struct ctf_type **type;
	} places[] = {
		{ "packet.header", &p->metadata->packet_header },
		{ "packet.context", &block->told.packet_context },
		{ "event.header", &block->told.event_header },
		{ "event.context", &block->told.event_context },
		{ "context", &block->event.context },
		{ "fields", &block->event.payload },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (!strcmp(name, places[i].name)) {
			*places[i].type = type;
			return;
		}
	}
	give_up(p, -ENOTSUP);
}

/* { NAME = VALUE; NAME := TYPE; ... }; the names have dots. */
static void parse_block(struct parser *p, struct block *block,
			void (*attribute)(struct parser *p, struct block *block,
					  const char *name))
{
	expect_char(p, '{');
	while (!p->ret && !accept_char(p, '}')) {
		char name[2 * WORD_MAX] = "";

		for (;;) {
			if (p->token != T_WORD ||
			    strlen(name) + strlen(p->word) + 2 > sizeof(name)) {
				give_up(p, -ENOTSUP);
				return;
			}
			strcat(name, p->word);
			next(p);
			if (!is_char(p, '.'))
				break;
			strcat(name, ".");
			next(p);
		}
		if (accept_char(p, '=')) {
			attribute(p, block, name);
		} else if (p->token == T_ASSIGN_TYPE) {
			next(p);
			set_type(p, block, name, parse_type(p));
		} else {
			give_up(p, -ENOTSUP);
		}
		expect_char(p, ';');
	}
	expect_char(p, ';');
}

static void parse_stream(struct parser *p)
{
	static const struct role_name context[] = {
		{ "timestamp_begin", CTF_ROLE_BEGIN }, { "timestamp_end", CTF_ROLE_END },
		{ "content_size", CTF_ROLE_CONTENT_BITS }, { "packet_size", CTF_ROLE_TOTAL_BITS },
		{ "packet_seq_num", CTF_ROLE_SEQ }, { "events_discarded", CTF_ROLE_DISCARDED },
	};
	static const struct role_name header[] = { { "id", CTF_ROLE_EVENT_ID } };
	struct ctf_stream_class *stream;
	struct block block = { 0 };

	parse_block(p, &block, stream_attribute);
	stream = p->ret ? NULL : ctf_stream_class(p->metadata, block.stream_id, true);
	if (!stream || stream->event_header || stream->packet_context) {
		give_up(p, stream ? -ENOTSUP : -ENOMEM);
		return;
	}
	stream->packet_context = block.told.packet_context;
	stream->event_header = block.told.event_header;
	stream->event_context = block.told.event_context;
	stream->has_clock = has_clock(stream->event_header);
	give_roles(stream->packet_context, context, sizeof(context) / sizeof(*context));
	give_roles(stream->event_header, header, 1);
}

static void parse_event(struct parser *p)
{
	struct ctf_stream_class *stream;
	struct ctf_event_class *event;
	struct block block = { .event.name = "" };

	parse_block(p, &block, event_attribute);
	stream = p->ret ? NULL : ctf_stream_class(p->metadata, block.stream_id, true);
	event = stream ? ctf_event_class_add(p->metadata, stream) : NULL;
	if (!event) {
		give_up(p, -ENOMEM);
		return;
	}
	block.event.next = event->next;
	*event = block.event;
}

/* typealias TYPE := NAME; */
static void parse_typealias(struct parser *p)
{
	struct ctf_type *type = parse_type(p);
	char name[WORD_MAX] = "";

	if (p->token != T_ASSIGN_TYPE)
		give_up(p, -ENOTSUP);
	next(p);
	while (p->token == T_WORD && strlen(name) + strlen(p->word) + 2 <= sizeof(name)) {
		if (*name)
			strcat(name, " ");
		strcat(name, p->word);
		next(p);
	}
	expect_char(p, ';');
	if (!p->ret)
		name_type(p, name, type);
}

static void parse_top(struct parser *p)
{
	static const struct role_name packet[] = {
		{ "magic", CTF_ROLE_MAGIC }, { "stream_id", CTF_ROLE_STREAM_CLASS },
		{ "stream_instance_id", CTF_ROLE_STREAM_ID },
	};
	struct block block = { 0 };

	if (is_word(p, "typealias")) {
		next(p);
		parse_typealias(p);
	} else if (is_word(p, "trace")) {
		next(p);
		parse_block(p, &block, trace_attribute);
		give_roles(p->metadata->packet_header, packet, 3);
	} else if (is_word(p, "env")) {
		next(p);
		parse_block(p, &block, env_attribute);
	} else if (is_word(p, "clock")) {
		next(p);
		parse_block(p, &block, clock_attribute);
	} else if (is_word(p, "stream")) {
		next(p);
		parse_stream(p);
	} else if (is_word(p, "event")) {
		next(p);
		parse_event(p);
	} else if (is_word(p, "struct") || is_word(p, "variant") || is_word(p, "enum")) {
		parse_type(p);
		expect_char(p, ';');
	} else {
		give_up(p, -ENOTSUP);
	}
}

int ctf_tsdl_parse(struct ctf_metadata *metadata, const char *text)
{
	struct parser p = { .metadata = metadata, .at = text };

	metadata->version = 1;
	metadata->clock.frequency = CTF_NS_PER_S;
	next(&p);
	while (!p.ret && p.token != T_END)
		parse_top(&p);
	return p.ret;
}
