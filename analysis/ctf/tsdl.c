/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The metadata language of CTF 1.8 (TSDL), as far as tracers write it: types by name or in
 * place, and the blocks trace, env, clock, stream, event. What else the language has (typedef,
 * attributes that are expressions, names across scopes) ends with -ENOTSUP, never with a guess.
 */
#include "analysis/ctf/tsdl.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

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

static void trace_attribute(struct tsdl *p, struct block *block, const char *name)
{
	(void)block;
	if (!strcmp(name, "byte_order")) {
		p->metadata->order = tsdl_parse_order(p);
	} else if (!strcmp(name, "uuid")) {
		p->metadata->has_uuid = true;
		if (p->token != TSDL_TEXT || !parse_uuid(p->word, p->metadata->uuid))
			tsdl_give_up(p, -ENOTSUP);
		tsdl_next(p);
	} else if (!strcmp(name, "major") || !strcmp(name, "minor")) {
		if (tsdl_expect_number(p) != (name[1] == 'a' ? 1 : 8))
			tsdl_give_up(p, -ENOTSUP);
	} else {
		tsdl_give_up(p, -ENOTSUP);
	}
}

static void env_attribute(struct tsdl *p, struct block *block, const char *name)
{
	(void)block;
	if (p->token != TSDL_TEXT && p->token != TSDL_NUMBER)
		tsdl_give_up(p, -ENOTSUP);
	if (ctf_environment(p->metadata, name, p->token == TSDL_TEXT ? p->word : NULL, p->number))
		tsdl_give_up(p, -ENOMEM);
	tsdl_next(p);
}

static void clock_attribute(struct tsdl *p, struct block *block, const char *name)
{
	struct ctf_clock *clock = &p->metadata->clock;

	(void)block;
	if (!strcmp(name, "name")) {
		if (clock->name)
			tsdl_give_up(p, -ENOTSUP); /* a second clock */
		clock->name = tsdl_take_name(p);
	} else if (!strcmp(name, "uuid")) {
		uint8_t uuid[CTF_UUID_BYTES] = { 0 };

		if (p->token != TSDL_TEXT || !parse_uuid(p->word, uuid))
			tsdl_give_up(p, -ENOTSUP);
		for (size_t i = 0; i < CTF_UUID_BYTES; i++) {
			clock->uuid[2 * i] = "0123456789abcdef"[uuid[i] >> 4];
			clock->uuid[2 * i + 1] = "0123456789abcdef"[uuid[i] & 15];
		}
		tsdl_next(p);
	} else if (!strcmp(name, "freq")) {
		clock->frequency = tsdl_expect_number(p);
	} else if (!strcmp(name, "offset")) {
		clock->offset_cycles = tsdl_expect_number(p);
	} else if (!strcmp(name, "offset_s")) {
		clock->offset_s = (int64_t)tsdl_expect_number(p);
	} else if (!strcmp(name, "absolute")) {
		clock->is_absolute = tsdl_parse_truth(p);
	} else if (!strcmp(name, "description") || !strcmp(name, "precision")) {
		tsdl_next(p);
	} else {
		tsdl_give_up(p, -ENOTSUP);
	}
}

static void stream_attribute(struct tsdl *p, struct block *block, const char *name)
{
	if (strcmp(name, "id"))
		tsdl_give_up(p, -ENOTSUP);
	block->stream_id = tsdl_expect_number(p);
}

static void event_attribute(struct tsdl *p, struct block *block, const char *name)
{
	if (!strcmp(name, "id"))
		block->event.id = tsdl_expect_number(p);
	else if (!strcmp(name, "stream_id"))
		block->stream_id = tsdl_expect_number(p);
	else if (!strcmp(name, "name"))
		block->event.name = tsdl_take_name(p);
	else
		tsdl_next(p); /* loglevel, model.emf.uri: of no use here */
}

static void set_type(struct tsdl *p, struct block *block, const char *name,
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
	tsdl_give_up(p, -ENOTSUP);
}

/* { NAME = VALUE; NAME := TYPE; ... }; the names have dots. */
static void parse_block(struct tsdl *p, struct block *block,
			void (*attribute)(struct tsdl *p, struct block *block,
					  const char *name))
{
	tsdl_expect_char(p, '{');
	while (!p->ret && !tsdl_accept_char(p, '}')) {
		char name[2 * TSDL_WORD_MAX] = "";

		for (;;) {
			if (p->token != TSDL_WORD ||
			    strlen(name) + strlen(p->word) + 2 > sizeof(name)) {
				tsdl_give_up(p, -ENOTSUP);
				return;
			}
			strcat(name, p->word);
			tsdl_next(p);
			if (!tsdl_is_char(p, '.'))
				break;
			strcat(name, ".");
			tsdl_next(p);
		}
		if (tsdl_accept_char(p, '=')) {
			attribute(p, block, name);
		} else if (p->token == TSDL_ASSIGN_TYPE) {
			tsdl_next(p);
			set_type(p, block, name, tsdl_parse_type(p));
		} else {
			tsdl_give_up(p, -ENOTSUP);
		}
		tsdl_expect_char(p, ';');
	}
	tsdl_expect_char(p, ';');
}

static void parse_stream(struct tsdl *p)
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
		tsdl_give_up(p, stream ? -ENOTSUP : -ENOMEM);
		return;
	}
	stream->packet_context = block.told.packet_context;
	stream->event_header = block.told.event_header;
	stream->event_context = block.told.event_context;
	stream->has_clock = has_clock(stream->event_header);
	give_roles(stream->packet_context, context, sizeof(context) / sizeof(*context));
	give_roles(stream->event_header, header, 1);
}

static void parse_event(struct tsdl *p)
{
	struct ctf_stream_class *stream;
	struct ctf_event_class *event;
	struct block block = { .event.name = "" };

	parse_block(p, &block, event_attribute);
	stream = p->ret ? NULL : ctf_stream_class(p->metadata, block.stream_id, true);
	event = stream ? ctf_event_class_add(p->metadata, stream) : NULL;
	if (!event) {
		tsdl_give_up(p, -ENOMEM);
		return;
	}
	block.event.next = event->next;
	*event = block.event;
}

/* typealias TYPE := NAME; */
static void parse_typealias(struct tsdl *p)
{
	struct ctf_type *type = tsdl_parse_type(p);
	char name[TSDL_WORD_MAX] = "";

	if (p->token != TSDL_ASSIGN_TYPE)
		tsdl_give_up(p, -ENOTSUP);
	tsdl_next(p);
	while (p->token == TSDL_WORD && strlen(name) + strlen(p->word) + 2 <= sizeof(name)) {
		if (*name)
			strcat(name, " ");
		strcat(name, p->word);
		tsdl_next(p);
	}
	tsdl_expect_char(p, ';');
	if (!p->ret)
		tsdl_name_type(p, name, type);
}

static void parse_top(struct tsdl *p)
{
	static const struct role_name packet[] = {
		{ "magic", CTF_ROLE_MAGIC }, { "stream_id", CTF_ROLE_STREAM_CLASS },
		{ "stream_instance_id", CTF_ROLE_STREAM_ID },
	};
	struct block block = { 0 };

	if (tsdl_is_word(p, "typealias")) {
		tsdl_next(p);
		parse_typealias(p);
	} else if (tsdl_is_word(p, "trace")) {
		tsdl_next(p);
		parse_block(p, &block, trace_attribute);
		give_roles(p->metadata->packet_header, packet, 3);
	} else if (tsdl_is_word(p, "env")) {
		tsdl_next(p);
		parse_block(p, &block, env_attribute);
	} else if (tsdl_is_word(p, "clock")) {
		tsdl_next(p);
		parse_block(p, &block, clock_attribute);
	} else if (tsdl_is_word(p, "stream")) {
		tsdl_next(p);
		parse_stream(p);
	} else if (tsdl_is_word(p, "event")) {
		tsdl_next(p);
		parse_event(p);
	} else if (tsdl_is_word(p, "struct") || tsdl_is_word(p, "variant") || tsdl_is_word(p, "enum")) {
		tsdl_parse_type(p);
		tsdl_expect_char(p, ';');
	} else {
		tsdl_give_up(p, -ENOTSUP);
	}
}

int ctf_tsdl_parse(struct ctf_metadata *metadata, const char *text)
{
	struct tsdl p = { .metadata = metadata, .at = text };

	metadata->version = 1;
	metadata->clock.frequency = CTF_NS_PER_S;
	tsdl_next(&p);
	while (!p.ret && p.token != TSDL_END)
		parse_top(&p);
	return p.ret;
}
