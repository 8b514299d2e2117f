/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The metadata of CTF 2 (specification CTF2-SPEC-2.0): a JSON text sequence, a fragment each.
 * Only what becomes the types of ctf_type.h; the rest ends with -ENOTSUP.
 */
#include "analysis/ctf/ctf_type.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#define RECORD_SEPARATOR 0x1e
#define DEPTH_MAX 32u

struct alias {
	const char *name;
	const struct ctf_type *type;
	struct alias *next;
};

struct reader {
	struct ctf_metadata *metadata;
	struct alias *aliases;
	unsigned int depth;
	int ret;
};

static struct ctf_type *read_type(struct reader *r, struct json_object *json);

static void *give_up(struct reader *r, int ret)
{
	if (!r->ret)
		r->ret = ret;
	return NULL;
}

static struct json_object *member(struct json_object *json, const char *name)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(json, name, &value) ? value : NULL;
}

static const char *text_of(struct json_object *json)
{
	return json && json_object_is_type(json, json_type_string) ? json_object_get_string(json)
								     : NULL;
}

static uint64_t number_of(struct json_object *json, uint64_t missing)
{
	if (!json)
		return missing;
	/* json-c keeps a number as it is written: one that does not fit int64_t as uint64_t. */
	return json_object_get_int64(json) < 0 ? (uint64_t)json_object_get_int64(json)
					       : json_object_get_uint64(json);
}

static const char *keep(struct reader *r, struct json_object *json)
{
	const char *text = text_of(json);
	char *copy = text ? ctf_text(r->metadata, text, strlen(text)) : NULL;

	if (text && !copy)
		give_up(r, -ENOMEM);
	return copy;
}

static struct ctf_type *new_type(struct reader *r, enum ctf_kind kind)
{
	struct ctf_type *type = ctf_alloc(r->metadata, sizeof(*type));

	if (!type)
		return give_up(r, -ENOMEM);
	type->kind = kind;
	type->align = 1;
	return type;
}

/* ---- field classes -------------------------------------------------------------- */

static void read_roles(struct reader *r, struct json_object *json, struct ctf_type *type)
{
	static const struct {
		const char *name;
		enum ctf_role role;
	} names[] = {
		{ "packet-magic-number", CTF_ROLE_MAGIC },
		{ "data-stream-class-id", CTF_ROLE_STREAM_CLASS },
		{ "data-stream-id", CTF_ROLE_STREAM_ID },
		{ "packet-total-length", CTF_ROLE_TOTAL_BITS },
		{ "packet-content-length", CTF_ROLE_CONTENT_BITS },
		{ "packet-end-default-clock-timestamp", CTF_ROLE_END },
		{ "discarded-event-record-counter-snapshot", CTF_ROLE_DISCARDED },
		{ "packet-sequence-number", CTF_ROLE_SEQ },
		{ "event-record-class-id", CTF_ROLE_EVENT_ID },
	};
	struct json_object *roles = member(json, "roles");
	size_t count = roles ? json_object_array_length(roles) : 0;

	if (count > 1)
		give_up(r, -ENOTSUP);
	for (size_t i = 0; i < count; i++) {
		const char *name = text_of(json_object_array_get_idx(roles, i));

		for (size_t k = 0; name && k < sizeof(names) / sizeof(*names); k++) {
			if (!strcmp(name, names[k].name))
				type->role = names[k].role;
		}
		type->is_clock |= name && !strcmp(name, "default-clock-timestamp");
	}
}

/* [[FIRST, LAST], ...] */
static struct ctf_label *read_ranges(struct reader *r, struct json_object *json, size_t *count)
{
	struct ctf_label *labels;

	*count = json && json_object_is_type(json, json_type_array)
			 ? json_object_array_length(json) : 0;
	if (!*count)
		return give_up(r, -ENOTSUP);
	labels = ctf_alloc(r->metadata, *count * sizeof(*labels));
	for (size_t i = 0; labels && i < *count; i++) {
		struct json_object *range = json_object_array_get_idx(json, i);

		if (!json_object_is_type(range, json_type_array) ||
		    json_object_array_length(range) != 2)
			return give_up(r, -ENOTSUP);
		labels[i].first = number_of(json_object_array_get_idx(range, 0), 0);
		labels[i].last = number_of(json_object_array_get_idx(range, 1), 0);
	}
	return labels ? labels : give_up(r, -ENOMEM);
}

static struct ctf_type *read_fixed(struct reader *r, struct json_object *json, bool is_integer,
				   bool is_signed)
{
	struct ctf_type *type = new_type(r, is_integer ? CTF_INTEGER : CTF_FIXED);
	const char *order = text_of(member(json, "byte-order"));
	const char *bits = text_of(member(json, "bit-order"));

	if (!type)
		return NULL;
	type->bits = (uint32_t)number_of(member(json, "length"), 0);
	type->align = (uint32_t)number_of(member(json, "alignment"), 1);
	type->is_signed = is_signed;
	type->order = order && !strcmp(order, "big-endian") ? CTF_BIG : CTF_LITTLE;
	/* Bits of a byte in the order that goes with the bytes: else babeltrace2 reads it. */
	if (!type->bits || type->bits > 64 || !order ||
	    (bits && strcmp(bits, type->order == CTF_BIG ? "last-to-first" : "first-to-last")))
		return give_up(r, -ENOTSUP);
	read_roles(r, json, type);
	return type;
}

static struct ctf_type *read_structure(struct reader *r, struct json_object *json)
{
	struct json_object *members = member(json, "member-classes");
	struct ctf_type *type = new_type(r, CTF_STRUCT);

	if (!type)
		return NULL;
	type->align = (uint32_t)number_of(member(json, "minimum-alignment"), 1);
	type->fields_count = members ? json_object_array_length(members) : 0;
	if (!type->fields_count)
		return type;
	type->fields = ctf_alloc(r->metadata, type->fields_count * sizeof(*type->fields));
	if (!type->fields)
		return give_up(r, -ENOMEM);
	for (size_t i = 0; i < type->fields_count; i++) {
		struct json_object *one = json_object_array_get_idx(members, i);
		struct ctf_field *field = &type->fields[i];

		field->name = keep(r, member(one, "name"));
		field->type = read_type(r, member(one, "field-class"));
		if (!field->name || !field->type)
			return give_up(r, -ENOTSUP);
		if (field->type->align > type->align)
			type->align = field->type->align;
	}
	return type;
}

/* The last name of a location's path: a field that came before, looked up outwards. */
static const char *read_location(struct reader *r, struct json_object *json)
{
	struct json_object *path = member(json, "path");
	size_t count = path ? json_object_array_length(path) : 0;

	if (!count || !text_of(json_object_array_get_idx(path, count - 1)))
		return give_up(r, -ENOTSUP);
	return keep(r, json_object_array_get_idx(path, count - 1));
}

static struct ctf_type *read_variant(struct reader *r, struct json_object *json)
{
	struct json_object *options = member(json, "options");
	struct ctf_type *type = new_type(r, CTF_VARIANT);

	if (!type)
		return NULL;
	type->reference = read_location(r, member(json, "selector-field-location"));
	type->fields_count = options ? json_object_array_length(options) : 0;
	type->fields = ctf_alloc(r->metadata, type->fields_count * sizeof(*type->fields));
	if (!type->fields || !type->fields_count)
		return give_up(r, type->fields ? -ENOTSUP : -ENOMEM);
	for (size_t i = 0; i < type->fields_count && !r->ret; i++) {
		struct json_object *one = json_object_array_get_idx(options, i);
		struct ctf_field *field = &type->fields[i];

		field->name = "";
		field->type = read_type(r, member(one, "field-class"));
		field->labels = read_ranges(r, member(one, "selector-field-ranges"),
					    &field->labels_count);
	}
	return type;
}

static struct ctf_type *read_array(struct reader *r, struct json_object *json, bool is_dynamic)
{
	struct ctf_type *type = new_type(r, is_dynamic ? CTF_SEQUENCE : CTF_ARRAY);
	uint32_t least = (uint32_t)number_of(member(json, "minimum-alignment"), 1);

	if (!type)
		return NULL;
	type->element = read_type(r, member(json, "element-field-class"));
	if (!type->element)
		return NULL;
	type->align = type->element->align > least ? type->element->align : least;
	if (is_dynamic)
		type->reference = read_location(r, member(json, "length-field-location"));
	else
		type->length = number_of(member(json, "length"), 0);
	return type;
}

/* A string of N bytes, or N bytes of something else. */
static struct ctf_type *read_bytes(struct reader *r, struct json_object *json, bool is_dynamic,
				   bool is_text)
{
	struct ctf_type *type = new_type(r, is_dynamic ? CTF_SEQUENCE : CTF_ARRAY);
	struct ctf_type *byte = new_type(r, CTF_INTEGER);
	const char *encoding = text_of(member(json, "encoding"));

	if (!type || !byte)
		return NULL;
	if (encoding && strcmp(encoding, "utf-8"))
		return give_up(r, -ENOTSUP);
	byte->bits = byte->align = type->align = 8;
	byte->order = CTF_LITTLE;
	byte->is_text = is_text;
	type->element = byte;
	if (is_dynamic)
		type->reference = read_location(r, member(json, "length-field-location"));
	else
		type->length = number_of(member(json, "length"), 0);
	return type;
}

static struct ctf_type *read_string(struct reader *r, struct json_object *json)
{
	struct ctf_type *type = new_type(r, CTF_STRING);
	const char *encoding = text_of(member(json, "encoding"));

	if (encoding && strcmp(encoding, "utf-8"))
		return give_up(r, -ENOTSUP);
	if (type)
		type->align = 8;
	return type;
}

static struct ctf_type *find_alias(struct reader *r, const char *name)
{
	for (const struct alias *alias = r->aliases; alias; alias = alias->next) {
		struct ctf_type *copy;

		if (strcmp(alias->name, name))
			continue;
		copy = new_type(r, alias->type->kind);
		if (copy)
			*copy = *alias->type;
		return copy;
	}
	return give_up(r, -ENOTSUP);
}

static struct ctf_type *read_kind(struct reader *r, struct json_object *json, const char *kind)
{
	if (!strcmp(kind, "fixed-length-unsigned-integer") ||
	    !strcmp(kind, "fixed-length-boolean") || !strcmp(kind, "fixed-length-bit-array") ||
	    !strcmp(kind, "fixed-length-bit-map"))
		return read_fixed(r, json, true, false);
	if (!strcmp(kind, "fixed-length-signed-integer"))
		return read_fixed(r, json, true, true);
	if (!strcmp(kind, "fixed-length-floating-point-number"))
		return read_fixed(r, json, false, false);
	if (!strcmp(kind, "null-terminated-string"))
		return read_string(r, json);
	if (!strcmp(kind, "structure"))
		return read_structure(r, json);
	if (!strcmp(kind, "static-length-array"))
		return read_array(r, json, false);
	if (!strcmp(kind, "dynamic-length-array"))
		return read_array(r, json, true);
	if (!strcmp(kind, "static-length-string"))
		return read_bytes(r, json, false, true);
	if (!strcmp(kind, "dynamic-length-string"))
		return read_bytes(r, json, true, true);
	if (!strcmp(kind, "static-length-blob"))
		return read_bytes(r, json, false, false);
	if (!strcmp(kind, "dynamic-length-blob"))
		return read_bytes(r, json, true, false);
	if (!strcmp(kind, "variant"))
		return read_variant(r, json);
	return give_up(r, -ENOTSUP);
}

static struct ctf_type *read_type(struct reader *r, struct json_object *json)
{
	struct ctf_type *type = NULL;
	const char *kind;

	if (!json || ++r->depth > DEPTH_MAX)
		return give_up(r, -ENOTSUP);
	kind = text_of(json);
	if (kind)
		type = find_alias(r, kind);
	else if ((kind = text_of(member(json, "type"))))
		type = read_kind(r, json, kind);
	else
		give_up(r, -ENOTSUP);
	r->depth--;
	return r->ret ? NULL : type;
}

/* ---- fragments ------------------------------------------------------------------ */

/* The class at name; NULL when there is none. */
static struct ctf_type *read_member(struct reader *r, struct json_object *json, const char *name)
{
	struct json_object *one = member(json, name);

	return one ? read_type(r, one) : NULL;
}

static void read_uuid(struct reader *r, struct json_object *json)
{
	struct ctf_metadata *metadata = r->metadata;

	if (!json)
		return;
	if (!json_object_is_type(json, json_type_array) ||
	    json_object_array_length(json) != CTF_UUID_BYTES) {
		give_up(r, -ENOTSUP);
		return;
	}
	metadata->has_uuid = true;
	for (size_t i = 0; i < CTF_UUID_BYTES; i++)
		metadata->uuid[i] = (uint8_t)number_of(json_object_array_get_idx(json, i), 0);
}

static void read_preamble(struct reader *r, struct json_object *json)
{
	if (number_of(member(json, "version"), 0) != 2)
		give_up(r, -ENOTSUP);
	read_uuid(r, member(json, "uuid"));
}

static void read_alias(struct reader *r, struct json_object *json)
{
	struct alias *alias = ctf_alloc(r->metadata, sizeof(*alias));

	if (!alias) {
		give_up(r, -ENOMEM);
		return;
	}
	alias->name = keep(r, member(json, "name"));
	alias->type = read_type(r, member(json, "field-class"));
	if (!alias->name || !alias->type)
		give_up(r, -ENOTSUP);
	alias->next = r->aliases;
	r->aliases = alias;
}

static void read_trace(struct reader *r, struct json_object *json)
{
	struct json_object *environment = member(json, "environment");

	r->metadata->packet_header = read_member(r, json, "packet-header-field-class");
	if (!environment)
		return;
	json_object_object_foreach(environment, name, value) {
		if (ctf_environment(r->metadata, name, text_of(value),
				    text_of(value) ? 0 : number_of(value, 0)))
			give_up(r, -ENOMEM);
	}
}

static void read_clock(struct reader *r, struct json_object *json)
{
	struct ctf_clock *clock = &r->metadata->clock;
	struct json_object *offset = member(json, "offset-from-origin");
	const char *origin = text_of(member(json, "origin"));
	struct json_object *name = member(json, "name");
	const char *uid = text_of(member(json, "uid"));

	if (clock->name)
		give_up(r, -ENOTSUP); /* a second clock */
	if (uid)
		uid_plain(uid, clock->uuid);
	clock->name = keep(r, name ? name : member(json, "id"));
	if (!clock->name)
		clock->name = "";
	clock->frequency = number_of(member(json, "frequency"), 0);
	clock->offset_s = (int64_t)number_of(offset ? member(offset, "seconds") : NULL, 0);
	clock->offset_cycles = number_of(offset ? member(offset, "cycles") : NULL, 0);
	clock->is_absolute = origin && !strcmp(origin, "unix-epoch");
	/* A clock of another origin is known by its identity, which babeltrace2 compares. */
	if (!clock->frequency || !clock->is_absolute)
		give_up(r, -ENOTSUP);
}

static void read_stream(struct reader *r, struct json_object *json)
{
	struct ctf_stream_class *stream =
		ctf_stream_class(r->metadata, number_of(member(json, "id"), 0), true);

	if (!stream) {
		give_up(r, -ENOMEM);
		return;
	}
	stream->has_clock = member(json, "default-clock-class-id") ||
			    member(json, "default-clock-class-name");
	stream->packet_context = read_member(r, json, "packet-context-field-class");
	stream->event_header = read_member(r, json, "event-record-header-field-class");
	stream->event_context = read_member(r, json, "event-record-common-context-field-class");
	/* In a packet's context the clock's role says when the packet begins. */
	for (size_t i = 0; stream->packet_context && i < stream->packet_context->fields_count;
	     i++) {
		struct ctf_type *type = stream->packet_context->fields[i].type;

		if (type->is_clock)
			type->role = CTF_ROLE_BEGIN;
	}
}

static void read_event(struct reader *r, struct json_object *json)
{
	struct ctf_stream_class *stream = ctf_stream_class(
		r->metadata, number_of(member(json, "data-stream-class-id"), 0), true);
	struct ctf_event_class *event = stream ? ctf_event_class_add(r->metadata, stream) : NULL;
	const char *name = keep(r, member(json, "name"));
	const char *space = text_of(member(json, "namespace"));

	if (!event || space) {
		give_up(r, event ? -ENOTSUP : -ENOMEM);
		return;
	}
	event->id = number_of(member(json, "id"), 0);
	event->name = name ? name : "";
	event->context = read_member(r, json, "specific-context-field-class");
	event->payload = read_member(r, json, "payload-field-class");
}

static void read_fragment(struct reader *r, struct json_object *json)
{
	static const struct {
		const char *type;
		void (*read)(struct reader *r, struct json_object *json);
	} kinds[] = {
		{ "preamble", read_preamble },
		{ "field-class-alias", read_alias },
		{ "trace-class", read_trace },
		{ "clock-class", read_clock },
		{ "data-stream-class", read_stream },
		{ "event-record-class", read_event },
	};
	const char *type = text_of(member(json, "type"));

	for (size_t i = 0; type && i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(type, kinds[i].type)) {
			kinds[i].read(r, json);
			return;
		}
	}
	give_up(r, -ENOTSUP);
}

int ctf_json_parse(struct ctf_metadata *metadata, const char *text, size_t bytes)
{
	struct reader r = { .metadata = metadata };
	const char *end = text + bytes;
	struct json_tokener *tokener = json_tokener_new();

	if (!tokener)
		return -ENOMEM;
	metadata->version = 2;
	metadata->order = CTF_LITTLE; /* each integer says its own */
	while (!r.ret && text < end) {
		const char *stop = memchr(text + 1, RECORD_SEPARATOR, (size_t)(end - text - 1));
		struct json_object *json;

		stop = stop ? stop : end;
		json_tokener_reset(tokener);
		json = json_tokener_parse_ex(tokener, text + 1, (int)(stop - text - 1));
		if (json && json_object_is_type(json, json_type_object))
			read_fragment(&r, json);
		else
			give_up(&r, -ENOTSUP);
		json_object_put(json);
		text = stop;
	}
	json_tokener_free(tokener);
	return r.ret;
}
