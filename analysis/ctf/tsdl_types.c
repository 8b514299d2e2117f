/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types of CTF 1.8's metadata. */
#include "analysis/ctf/tsdl.h"

#include <errno.h>
#include <string.h>

#define DEPTH_MAX 32u
#define NAME_MAX_BYTES (TSDL_WORD_MAX + 8)

/* ---- named types ---------------------------------------------------------------- */

static struct ctf_type *new_type(struct tsdl *p, enum ctf_kind kind)
{
	struct ctf_type *type = ctf_alloc(p->metadata, sizeof(*type));

	if (!type)
		return tsdl_give_up(p, -ENOMEM);
	type->kind = kind;
	type->align = 1;
	return type;
}

void tsdl_name_type(struct tsdl *p, const char *name, const struct ctf_type *type)
{
	struct tsdl_named *named = ctf_alloc(p->metadata, sizeof(*named));

	if (!named) {
		tsdl_give_up(p, -ENOMEM);
		return;
	}
	named->name = ctf_text(p->metadata, name, strlen(name));
	named->type = type;
	named->next = p->named;
	p->named = named;
	if (!named->name)
		tsdl_give_up(p, -ENOMEM);
}

/* A copy, since who uses a type gives its own role to it. */
static struct ctf_type *find_type(struct tsdl *p, const char *name)
{
	struct ctf_type *copy;

	for (const struct tsdl_named *named = p->named; named; named = named->next) {
		if (strcmp(named->name, name))
			continue;
		copy = new_type(p, named->type->kind);
		if (copy)
			*copy = *named->type;
		return copy;
	}
	return tsdl_give_up(p, -ENOTSUP);
}

/* ---- types ---------------------------------------------------------------------- */

enum ctf_order tsdl_parse_order(struct tsdl *p)
{
	enum ctf_order order = CTF_NATIVE;

	if (tsdl_is_word(p, "le"))
		order = CTF_LITTLE;
	else if (tsdl_is_word(p, "be") || tsdl_is_word(p, "network"))
		order = CTF_BIG;
	else if (!tsdl_is_word(p, "native"))
		tsdl_give_up(p, -ENOTSUP);
	tsdl_next(p);
	return order;
}

bool tsdl_parse_truth(struct tsdl *p)
{
	bool truth = (p->token == TSDL_NUMBER && p->number) || tsdl_is_word(p, "true") ||
		     tsdl_is_word(p, "TRUE");

	if (p->token != TSDL_NUMBER && !truth && !tsdl_is_word(p, "false") && !tsdl_is_word(p, "FALSE"))
		tsdl_give_up(p, -ENOTSUP);
	tsdl_next(p);
	return truth;
}

/* map = clock.NAME.value */
static void parse_map(struct tsdl *p, struct ctf_type *type)
{
	type->is_clock = tsdl_is_word(p, "clock");
	tsdl_next(p);
	tsdl_expect_char(p, '.');
	tsdl_take_name(p);
	tsdl_expect_char(p, '.');
	if (!type->is_clock || !tsdl_is_word(p, "value"))
		tsdl_give_up(p, -ENOTSUP);
	tsdl_next(p);
}

/* { NAME = VALUE; ... } of an integer, a floating point number or a string. */
static void parse_attributes(struct tsdl *p, struct ctf_type *type)
{
	tsdl_expect_char(p, '{');
	while (!p->ret && !tsdl_accept_char(p, '}')) {
		char name[TSDL_WORD_MAX];

		if (p->token != TSDL_WORD)
			tsdl_give_up(p, -ENOTSUP);
		memcpy(name, p->word, sizeof(name));
		tsdl_next(p);
		tsdl_expect_char(p, '=');
		if (!strcmp(name, "size")) {
			type->bits = (uint32_t)tsdl_expect_number(p);
		} else if (!strcmp(name, "exp_dig") || !strcmp(name, "mant_dig")) {
			type->bits += (uint32_t)tsdl_expect_number(p);
		} else if (!strcmp(name, "align")) {
			type->align = (uint32_t)tsdl_expect_number(p);
		} else if (!strcmp(name, "signed")) {
			type->is_signed = tsdl_parse_truth(p);
		} else if (!strcmp(name, "byte_order")) {
			type->order = tsdl_parse_order(p);
		} else if (!strcmp(name, "map")) {
			parse_map(p, type);
		} else if (!strcmp(name, "encoding")) {
			type->is_text = !tsdl_is_word(p, "none");
			tsdl_next(p);
		} else if (!strcmp(name, "base")) {
			tsdl_next(p);
		} else {
			tsdl_give_up(p, -ENOTSUP);
		}
		tsdl_expect_char(p, ';');
	}
}

/* A number of so many bits; without an alignment it is that of bytes, if it is whole bytes. */
static struct ctf_type *parse_number(struct tsdl *p, enum ctf_kind kind, uint32_t max_bits)
{
	struct ctf_type *type = new_type(p, kind);

	if (!type)
		return NULL;
	type->align = 0;
	parse_attributes(p, type);
	if (!type->align)
		type->align = type->bits % 8 ? 1 : 8;
	return type->bits && type->bits <= max_bits ? type : tsdl_give_up(p, -ENOTSUP);
}

static struct ctf_type *parse_integer(struct tsdl *p)
{
	return parse_number(p, CTF_INTEGER, 64);
}

static struct ctf_type *parse_float(struct tsdl *p)
{
	return parse_number(p, CTF_FIXED, 1024);
}

static struct ctf_type *parse_string(struct tsdl *p)
{
	struct ctf_type *type = new_type(p, CTF_STRING);

	if (!type)
		return NULL;
	if (tsdl_is_char(p, '{'))
		parse_attributes(p, type);
	type->align = 8;
	return type;
}

/* Appends a zeroed element to an array in the arena; counts are small. */
static void *append(struct tsdl *p, void **array, size_t *count, size_t bytes)
{
	char *more = ctf_alloc(p->metadata, (*count + 1) * bytes);

	if (!more)
		return tsdl_give_up(p, -ENOMEM);
	if (*count)
		memcpy(more, *array, *count * bytes);
	*array = more;
	return more + (*count)++ * bytes;
}

/* { NAME [= VALUE [... VALUE]], ... } */
static void parse_labels(struct tsdl *p, struct ctf_type *type)
{
	uint64_t value = 0;

	tsdl_expect_char(p, '{');
	while (!p->ret && !tsdl_accept_char(p, '}')) {
		struct ctf_label *label;
		void *labels = type->labels;

		label = append(p, &labels, &type->labels_count, sizeof(*label));
		type->labels = labels;
		if (!label)
			return;
		label->name = tsdl_take_name(p);
		if (tsdl_accept_char(p, '='))
			value = tsdl_expect_number(p);
		label->first = label->last = value;
		if (p->token == TSDL_ELLIPSIS) {
			tsdl_next(p);
			label->last = tsdl_expect_number(p);
		}
		value = label->last + 1;
		if (!tsdl_is_char(p, '}'))
			tsdl_expect_char(p, ',');
	}
}

/* "KIND NAME", the name of a named structure, if a word is at hand; else "". */
static void take_kind_name(struct tsdl *p, const char *kind, char name[NAME_MAX_BYTES])
{
	name[0] = 0;
	if (p->token != TSDL_WORD)
		return;
	strcpy(name, kind);
	strcat(name, p->word);
	tsdl_next(p);
}

/* "enum" was read: [NAME] [: INTEGER] [{ labels }] */
static struct ctf_type *parse_enum(struct tsdl *p)
{
	struct ctf_type *type;
	char name[NAME_MAX_BYTES];

	take_kind_name(p, "enum ", name);
	if (!tsdl_is_char(p, ':') && !tsdl_is_char(p, '{'))
		return *name ? find_type(p, name) : tsdl_give_up(p, -ENOTSUP);
	type = tsdl_accept_char(p, ':') ? tsdl_parse_type(p) : find_type(p, "int");
	if (!type || type->kind != CTF_INTEGER)
		return tsdl_give_up(p, -ENOTSUP);
	parse_labels(p, type);
	if (*name)
		tsdl_name_type(p, name, type);
	return type;
}

/* The arrays behind a name: [N] and [OTHER]; the last bracket is the innermost. */
static struct ctf_type *parse_arrays(struct tsdl *p, struct ctf_type *element)
{
	struct ctf_type *type;

	if (!tsdl_accept_char(p, '['))
		return element;
	type = new_type(p, CTF_ARRAY);
	if (!type)
		return NULL;
	if (p->token == TSDL_NUMBER) {
		type->length = tsdl_expect_number(p);
	} else {
		type->kind = CTF_SEQUENCE;
		type->reference = tsdl_take_name(p);
	}
	tsdl_expect_char(p, ']');
	type->element = parse_arrays(p, element);
	if (!type->element)
		return NULL;
	type->align = type->element->align;
	return type;
}

/* { TYPE NAME[...]; ... } */
static void parse_fields(struct tsdl *p, struct ctf_type *type)
{
	tsdl_expect_char(p, '{');
	while (!p->ret && !tsdl_accept_char(p, '}')) {
		void *fields = type->fields;
		struct ctf_type *element;
		struct ctf_field *field;

		if (tsdl_is_word(p, "typealias") || tsdl_is_word(p, "typedef")) {
			tsdl_give_up(p, -ENOTSUP); /* a scope of its own */
			return;
		}
		element = tsdl_parse_type(p);
		field = append(p, &fields, &type->fields_count, sizeof(*field));
		type->fields = fields;
		if (!element || !field)
			return;
		field->name = tsdl_take_name(p);
		field->type = parse_arrays(p, element);
		if (type->kind == CTF_STRUCT && field->type && field->type->align > type->align)
			type->align = field->type->align;
		tsdl_expect_char(p, ';');
	}
}

/* "struct" was read: [NAME] [{ members }] [align(N)] */
static struct ctf_type *parse_struct(struct tsdl *p)
{
	char name[NAME_MAX_BYTES];
	struct ctf_type *type;

	take_kind_name(p, "struct ", name);
	if (!tsdl_is_char(p, '{'))
		return *name ? find_type(p, name) : tsdl_give_up(p, -ENOTSUP);
	type = new_type(p, CTF_STRUCT);
	if (!type)
		return NULL;
	parse_fields(p, type);
	if (tsdl_is_word(p, "align")) {
		uint64_t align;

		tsdl_next(p);
		tsdl_expect_char(p, '(');
		align = tsdl_expect_number(p);
		tsdl_expect_char(p, ')');
		if (align > type->align)
			type->align = (uint32_t)align;
	}
	if (*name)
		tsdl_name_type(p, name, type);
	return type;
}

/* "variant" was read: [NAME] [<TAG>] [{ options }] */
static struct ctf_type *parse_variant(struct tsdl *p)
{
	char name[NAME_MAX_BYTES];
	struct ctf_type *type;
	const char *tag = NULL;

	take_kind_name(p, "variant ", name);
	if (tsdl_accept_char(p, '<')) {
		tag = tsdl_take_name(p);
		tsdl_expect_char(p, '>');
	}
	if (!tsdl_is_char(p, '{')) {
		type = *name ? find_type(p, name) : tsdl_give_up(p, -ENOTSUP);
	} else {
		type = new_type(p, CTF_VARIANT);
		if (type)
			parse_fields(p, type);
		if (type && *name)
			tsdl_name_type(p, name, type);
	}
	if (type && tag)
		type->reference = tag;
	return type;
}

/* A type by name: "uint32_t", "unsigned long"; what follows a name is a declarator's name. */
static struct ctf_type *parse_alias(struct tsdl *p)
{
	static const char *const parts[] = { "unsigned", "signed", "long", "short", "int", "char",
					     "const" };
	char name[TSDL_WORD_MAX] = "";

	for (;;) {
		bool is_part = false;

		for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
			is_part |= tsdl_is_word(p, parts[i]);
		if (p->token != TSDL_WORD || (*name && !is_part))
			break;
		if (strlen(name) + strlen(p->word) + 2 > sizeof(name))
			return tsdl_give_up(p, -ENOTSUP);
		if (*name)
			strcat(name, " ");
		strcat(name, p->word);
		tsdl_next(p);
		if (!is_part)
			break;
	}
	return find_type(p, name);
}

struct ctf_type *tsdl_parse_type(struct tsdl *p)
{
	static const struct {
		const char *word;
		struct ctf_type *(*parse)(struct tsdl *p);
	} kinds[] = {
		{ "integer", parse_integer }, { "floating_point", parse_float },
		{ "string", parse_string },   { "struct", parse_struct },
		{ "variant", parse_variant }, { "enum", parse_enum },
	};
	struct ctf_type *type = NULL;
	size_t i;

	if (++p->depth > DEPTH_MAX)
		tsdl_give_up(p, -ENOTSUP);
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds) && !tsdl_is_word(p, kinds[i].word); i++)
		;
	if (p->ret) {
		type = NULL;
	} else if (i < sizeof(kinds) / sizeof(*kinds)) {
		tsdl_next(p);
		type = kinds[i].parse(p);
	} else {
		type = parse_alias(p);
	}
	p->depth--;
	return p->ret ? NULL : type;
}
