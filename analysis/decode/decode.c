/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/decode/decode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/analysis.h"
#include "analysis/decode/decoded.h"
#include "analysis/decode/mip.h"
#include "analysis/table.h"

#define FIELDS_MAX 24u
#define CONTEXT_MAX 4u
#define RECENT_CLASSES 256u

/* A field of a class: its member of the payload or context, and where in struct decoded it goes. */
struct decoded_field {
	uint16_t index;
	uint16_t offset;
};

/* What each event needs comes first. */
struct decoded_class {
	uint16_t unsigned_count, signed_count; /* of the payload */
	uint16_t context_unsigned_count, context_count;
	int procname;  /* member of the common context that tells the process's name; or -1 */
	int told_name; /* member of the payload that does; or -1 */
	int text;      /* member of the payload that is the event's text; or -1 */
	struct decoded_field fields[FIELDS_MAX]; /* the unsigned ones, then the signed ones */
	struct decoded_field context[CONTEXT_MAX]; /* likewise */
	struct decoded decoded;
	const bt_stream_class *stream_class; /* owned reference: keeps the class's address ours */
};

struct decoded_stream {
	const bt_stream *stream; /* owned reference */
	uint32_t number;
	uint32_t machine;
};

struct decoder {
	struct analysis *analysis;
	struct table classes; /* bt_event_class * -> struct decoded_class */
	struct {
		const bt_event_class *key;
		struct decoded_class *class;
	} recent[RECENT_CLASSES]; /* of classes, by address: a look instead of a search */
	struct table streams; /* bt_stream * -> struct decoded_stream */
	const bt_stream *last_stream;
	struct decoded_stream *last;
	uint32_t streams_count;
	struct decoded_names names;
	struct decoder_counts counts;
};

struct decoder *decoder_create(struct analysis *analysis)
{
	struct decoder *decoder = calloc(1, sizeof(*decoder));

	if (decoder)
		decoder->analysis = analysis;
	return decoder;
}

void decoder_destroy(struct decoder *decoder)
{
	if (!decoder)
		return;
	for (size_t i = 0; i < decoder->classes.size; i++) {
		struct decoded_class *class = decoder->classes.slots[i].value;

		if (class) {
			bt_stream_class_put_ref(class->stream_class);
			free(class);
		}
	}
	for (size_t i = 0; i < decoder->streams.size; i++) {
		struct decoded_stream *stream = decoder->streams.slots[i].value;

		if (stream) {
			bt_stream_put_ref(stream->stream);
			free(stream);
		}
	}
	table_fini(&decoder->classes);
	table_fini(&decoder->streams);
	free(decoder);
}

const struct decoder_counts *decoder_counts(const struct decoder *decoder)
{
	return &decoder->counts;
}

/* ---- streams -------------------------------------------------------------------- */

static const char *environment_text(const bt_trace *trace, const char *name)
{
	const bt_value *value = bt_trace_borrow_environment_entry_value_by_name_const(trace, name);

	return value && bt_value_is_string(value) ? bt_value_string_get(value) : NULL;
}

static int stream_begin(struct decoder *decoder, const bt_stream *stream)
{
	const bt_trace *trace = bt_stream_borrow_trace_const(stream);
	const bt_clock_class *clock = bt_stream_class_borrow_default_clock_class_const(
		bt_stream_borrow_class_const(stream));
	char clock_id[MIP_ID_BYTES] = "", world[2 * sizeof(void *) + 1];
	const struct decoded_origin origin = {
		.hostname = environment_text(trace, "hostname"),
		.tracer_name = environment_text(trace, "tracer_name"),
		.scenario = environment_text(trace, "scenario"),
		.clock_uuid = clock_id,
		.world = world, /* the trace's source keeps it to the end of the graph */
	};
	struct decoded_stream *known;

	if (table_get(&decoder->streams, (uintptr_t)stream, 0))
		return 0;
	if (!clock)
		return -EINVAL;
	mip_clock_id(clock, clock_id);
	snprintf(world, sizeof(world), "%" PRIxPTR, (uintptr_t)trace);
	known = calloc(1, sizeof(*known));
	if (!known)
		return -ENOMEM;
	known->number = decoder->streams_count++;
	known->machine = decoded_machine(decoder->analysis, &origin);
	if (known->machine == UINT32_MAX ||
	    table_set(&decoder->streams, (uintptr_t)stream, 0, known)) {
		free(known);
		return -ENOMEM;
	}
	known->stream = stream;
	bt_stream_get_ref(stream);
	analysis_quality(decoder->analysis)->streams = decoder->streams_count;
	return 0;
}

static struct decoded_stream *stream_find(struct decoder *decoder, const bt_stream *stream)
{
	if (decoder->last_stream != stream) {
		decoder->last = table_get(&decoder->streams, (uintptr_t)stream, 0);
		decoder->last_stream = stream;
	}
	return decoder->last;
}

static void stream_end(struct decoder *decoder, const bt_stream *stream)
{
	struct decoded_stream *known = table_remove(&decoder->streams, (uintptr_t)stream, 0);

	decoder->last_stream = NULL;
	if (!known)
		return;
	bt_stream_put_ref(known->stream);
	free(known);
}

/* ---- event classes -------------------------------------------------------------- */

static bool is_text(bt_field_class_type type)
{
	return bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_ARRAY) ||
	       type == BT_FIELD_CLASS_TYPE_STRING;
}

/* Notes the integers of structure (NULL: none) that have the type and that somebody reads. */
static uint16_t add_fields(struct decoded *decoded, const bt_field_class *structure,
			   bt_field_class_type wanted, bool is_context,
			   struct decoded_field *fields, size_t room)
{
	uint64_t count = structure ? bt_field_class_structure_get_member_count(structure) : 0;
	bool is_signed = wanted == BT_FIELD_CLASS_TYPE_SIGNED_INTEGER;
	uint16_t added = 0;

	for (uint64_t i = 0; i < count && added < room; i++) {
		const bt_field_class_structure_member *member =
			bt_field_class_structure_borrow_member_by_index_const(structure, i);
		const char *name = bt_field_class_structure_member_get_name(member);
		int32_t offset;

		if (!bt_field_class_type_is(
			    bt_field_class_get_type(
				    bt_field_class_structure_member_borrow_field_class_const(
					    member)),
			    wanted))
			continue;
		offset = is_context ? decoded_context_member(decoded, name)
				    : decoded_member(decoded, name, is_signed);
		if (offset >= 0)
			fields[added++] = (struct decoded_field){ (uint16_t)i, (uint16_t)offset };
	}
	return added;
}

/* Which text of an event is looked for. */
typedef bool (*is_wanted)(const struct decoded *decoded, const char *name);

static bool is_procname(const struct decoded *decoded, const char *name)
{
	(void)decoded;
	return !strcmp(name, "procname");
}

/* The index of the text that is wanted; -1: none. */
static int find_text(const bt_field_class *structure, is_wanted wanted,
		     const struct decoded *decoded)
{
	uint64_t count = structure ? bt_field_class_structure_get_member_count(structure) : 0;

	for (uint64_t i = 0; i < count; i++) {
		const bt_field_class_structure_member *member =
			bt_field_class_structure_borrow_member_by_index_const(structure, i);
		const char *its = bt_field_class_structure_member_get_name(member);

		if (wanted(decoded, its) &&
		    is_text(bt_field_class_get_type(
			    bt_field_class_structure_member_borrow_field_class_const(member))))
			return (int)i;
	}
	return -1;
}

static struct decoded_class *class_resolve(struct decoder *decoder,
					   const bt_event_class *event_class)
{
	const bt_stream_class *stream_class = bt_event_class_borrow_stream_class_const(event_class);
	const bt_field_class *context =
		bt_stream_class_borrow_event_common_context_field_class_const(stream_class);
	const bt_field_class *payload =
		bt_event_class_borrow_payload_field_class_const(event_class);
	struct decoded_class *class =
		table_add(&decoder->classes, (uintptr_t)event_class, 0, sizeof(*class));
	const char *name = bt_event_class_get_name(event_class);
	struct decoded *decoded;

	if (!class)
		return NULL;
	decoded = &class->decoded;
	decoded_init(decoded, name ? name : "");
	class->stream_class = stream_class;
	bt_stream_class_get_ref(stream_class);
	class->procname = find_text(context, is_procname, decoded);
	class->told_name = find_text(payload, decoded_is_name, decoded);
	class->text = find_text(payload, decoded_is_text, decoded);
	class->context_unsigned_count = add_fields(decoded, context,
						   BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER, true,
						   class->context, CONTEXT_MAX);
	class->context_count = (uint16_t)(class->context_unsigned_count +
		add_fields(decoded, context, BT_FIELD_CLASS_TYPE_SIGNED_INTEGER, true,
			   class->context + class->context_unsigned_count,
			   CONTEXT_MAX - class->context_unsigned_count));
	class->unsigned_count = add_fields(decoded, payload, BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER,
					   false, class->fields, FIELDS_MAX);
	class->signed_count = add_fields(decoded, payload, BT_FIELD_CLASS_TYPE_SIGNED_INTEGER,
					 false, class->fields + class->unsigned_count,
					 FIELDS_MAX - class->unsigned_count);
	return class;
}

/* ---- events --------------------------------------------------------------------- */

/* babeltrace2's names are long. */
#define member_field bt_field_structure_borrow_member_field_by_index_const

static uint64_t integer(const bt_field *field, bool is_signed)
{
	return is_signed ? (uint64_t)bt_field_integer_signed_get_value(field)
			 : bt_field_integer_unsigned_get_value(field);
}

/* The text of a string, or of an array of letters. False: it is of another type. */
static bool field_text(const bt_field *field, char *text, size_t size)
{
	if (bt_field_get_class_type(field) == BT_FIELD_CLASS_TYPE_STRING) {
		snprintf(text, size, "%s", bt_field_string_get_value(field));
		return true;
	}
	for (uint64_t i = 0; i < size; i++) {
		const bt_field *letter;
		bt_field_class_type type;

		text[i] = 0;
		if (i == size - 1 || i >= bt_field_array_get_length(field))
			break;
		letter = bt_field_array_borrow_element_field_by_index_const(field, i);
		type = bt_field_get_class_type(letter);
		if (!bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_INTEGER))
			return false;
		text[i] = (char)integer(letter, bt_field_class_type_is(
							type, BT_FIELD_CLASS_TYPE_SIGNED_INTEGER));
		if (!text[i])
			break;
	}
	return true;
}

/* Tells the name of the event's process: member index of structure. */
static void name_process(struct decoder *decoder, const struct decoded_class *class,
			 const bt_field *structure, int index)
{
	char name[32];

	if (structure && field_text(member_field(structure, (uint64_t)index), name, sizeof(name)))
		decoded_name(&class->decoded, decoder->analysis, name, sizeof(name));
}

/* The event's text; that of an array of letters is nobody's: LTTng and our writer make strings. */
static void set_text(struct event *event, const bt_field *field)
{
	event->text = NULL;
	event->text_bytes = 0;
	if (bt_field_get_class_type(field) != BT_FIELD_CLASS_TYPE_STRING)
		return;
	event->text = bt_field_string_get_value(field);
	event->text_bytes = strlen(event->text);
}

/* Writes the values of count members of structure, the first of them unsigned. */
static inline void read_fields(struct decoded *decoded, const bt_field *structure,
			       const struct decoded_field *row, size_t unsigned_count,
			       size_t count)
{
	const struct decoded_field *end = row + count, *middle = row + unsigned_count;

	for (; row < end; row++) {
		const bt_field *field = member_field(structure, row->index);
		uint64_t value = row < middle
					 ? bt_field_integer_unsigned_get_value(field)
					 : (uint64_t)bt_field_integer_signed_get_value(field);

		memcpy((char *)decoded + row->offset, &value, sizeof(value));
	}
}

static struct decoded_class *class_find(struct decoder *decoder, const bt_event_class *event_class)
{
	uintptr_t address = (uintptr_t)event_class;
	size_t slot = table_hash(address, 0) % RECENT_CLASSES;
	struct decoded_class *class;

	if (decoder->recent[slot].key == event_class)
		return decoder->recent[slot].class;
	class = table_get(&decoder->classes, address, 0);
	if (!class)
		class = class_resolve(decoder, event_class);
	if (class) {
		decoder->recent[slot].key = event_class;
		decoder->recent[slot].class = class;
	}
	return class;
}

/*
 * *result is the event, borrowed till the next event of its class; its time is the caller's.
 * 0, -ENOMEM or -EINVAL.
 */
static inline int decode(struct decoder *decoder, const bt_message *message, struct event **result)
{
	const bt_event *native = bt_message_event_borrow_event_const(message);
	struct decoded_class *class = class_find(decoder, bt_event_borrow_class_const(native));
	const struct decoded_stream *stream =
		stream_find(decoder, bt_event_borrow_stream_const(native));
	const bt_field *payload = bt_event_borrow_payload_field_const(native);
	const bt_field *context = bt_event_borrow_common_context_field_const(native);
	struct decoded *decoded;

	if (!class)
		return -ENOMEM;
	if (!stream)
		return -EINVAL;
	decoded = &class->decoded;
	decoded->event.machine = stream->machine;
	decoded->event.stream = stream->number;
	*result = &decoded->event;
	read_fields(decoded, context, class->context, class->context_unsigned_count,
		    class->context_count);
	read_fields(decoded, payload, class->fields, class->unsigned_count,
		    (size_t)class->unsigned_count + class->signed_count);
	decoded_finish(decoded);
	if (class->text >= 0)
		set_text(&decoded->event, member_field(payload, (uint64_t)class->text));
	if (class->told_name >= 0)
		name_process(decoder, class, payload, class->told_name);
	if (class->procname >= 0 && decoded_wants_name(decoded, &decoder->names))
		name_process(decoder, class, context, class->procname);
	return 0;
}

/* The time of an event message. 0 or -EINVAL. */
static int event_time(const bt_message *message, int64_t *time_ns)
{
	return bt_clock_snapshot_get_ns_from_origin(
		       bt_message_event_borrow_default_clock_snapshot_const(message), time_ns) ==
			       BT_CLOCK_SNAPSHOT_GET_NS_FROM_ORIGIN_STATUS_OK
		       ? 0
		       : -EINVAL;
}

/* ---- loss ----------------------------------------------------------------------- */

static int64_t snapshot_ns(const bt_clock_snapshot *snapshot, int64_t unknown)
{
	int64_t ns;

	return bt_clock_snapshot_get_ns_from_origin(snapshot, &ns) ==
			       BT_CLOCK_SNAPSHOT_GET_NS_FROM_ORIGIN_STATUS_OK
		       ? ns
		       : unknown;
}

/* What the stream cannot hold, by the classes that its metadata has so far. */
static void limit_loss(const bt_stream *stream, struct event_loss *loss)
{
	const bt_stream_class *class = bt_stream_borrow_class_const(stream);
	uint64_t count = bt_stream_class_get_event_class_count(class);
	const bt_value *vpid = bt_trace_borrow_environment_entry_value_by_name_const(
		bt_stream_borrow_trace_const(stream), "vpid");

	loss->lacks = count ? EVENT_LAYERS_ALL : 0;
	for (uint64_t i = 0; i < count; i++) {
		const char *name = bt_event_class_get_name(
			bt_stream_class_borrow_event_class_by_index_const(class, i));

		if (name)
			loss->lacks &= ~decoded_layers(name);
	}
	if (vpid && bt_value_is_signed_integer(vpid))
		loss->pid = (uint32_t)bt_value_integer_signed_get(vpid);
}

static void tell_loss(struct decoder *decoder, const bt_stream *stream, struct event_loss *loss)
{
	const struct decoded_stream *known = stream_find(decoder, stream);

	if (known) {
		loss->machine = known->machine;
		loss->stream = known->number;
	}
	limit_loss(stream, loss);
	analysis_loss(decoder->analysis, loss);
}

/* babeltrace2's names are long. */
#define events_begin bt_message_discarded_events_borrow_beginning_default_clock_snapshot_const
#define events_end bt_message_discarded_events_borrow_end_default_clock_snapshot_const
#define packets_begin bt_message_discarded_packets_borrow_beginning_default_clock_snapshot_const
#define packets_end bt_message_discarded_packets_borrow_end_default_clock_snapshot_const

static void discarded_events(struct decoder *decoder, const bt_message *message)
{
	const bt_stream *stream = bt_message_discarded_events_borrow_stream_const(message);
	struct event_loss loss = { .first_ns = INT64_MIN, .last_ns = INT64_MAX };
	uint64_t count;

	if (bt_stream_class_discarded_events_have_default_clock_snapshots(
		    bt_stream_borrow_class_const(stream))) {
		loss.first_ns = snapshot_ns(events_begin(message), INT64_MIN);
		loss.last_ns = snapshot_ns(events_end(message), INT64_MAX);
	}
	if (bt_message_discarded_events_get_count(message, &count) ==
	    BT_PROPERTY_AVAILABILITY_AVAILABLE)
		loss.events = count;
	tell_loss(decoder, stream, &loss);
}

static void discarded_packets(struct decoder *decoder, const bt_message *message)
{
	const bt_stream *stream = bt_message_discarded_packets_borrow_stream_const(message);
	struct event_loss loss = { .first_ns = INT64_MIN, .last_ns = INT64_MAX, .packets = 1 };
	uint64_t count;

	if (bt_stream_class_discarded_packets_have_default_clock_snapshots(
		    bt_stream_borrow_class_const(stream))) {
		loss.first_ns = snapshot_ns(packets_begin(message), INT64_MIN);
		loss.last_ns = snapshot_ns(packets_end(message), INT64_MAX);
	}
	if (bt_message_discarded_packets_get_count(message, &count) ==
	    BT_PROPERTY_AVAILABILITY_AVAILABLE)
		loss.packets = count;
	tell_loss(decoder, stream, &loss);
}

/* What is no event: seldom. */
static int other_message(struct decoder *decoder, const bt_message *message)
{
	switch (bt_message_get_type(message)) {
	case BT_MESSAGE_TYPE_STREAM_BEGINNING:
		decoder->counts.streams_begun++;
		return stream_begin(decoder,
				    bt_message_stream_beginning_borrow_stream_const(message));
	case BT_MESSAGE_TYPE_STREAM_END:
		decoder->counts.streams_ended++;
		stream_end(decoder, bt_message_stream_end_borrow_stream_const(message));
		return 0;
	case BT_MESSAGE_TYPE_PACKET_BEGINNING:
		decoder->counts.packets_begun++;
		return 0;
	case BT_MESSAGE_TYPE_PACKET_END:
		decoder->counts.packets_ended++;
		return 0;
	case BT_MESSAGE_TYPE_DISCARDED_EVENTS:
		decoder->counts.discarded_events++;
		discarded_events(decoder, message);
		return 0;
	case BT_MESSAGE_TYPE_DISCARDED_PACKETS:
		decoder->counts.discarded_packets++;
		discarded_packets(decoder, message);
		return 0;
	case BT_MESSAGE_TYPE_MESSAGE_ITERATOR_INACTIVITY:
		decoder->counts.inactivity++;
		return 0;
	case BT_MESSAGE_TYPE_EVENT:
		break;
	}
	return 0;
}

int decoder_message(struct decoder *decoder, const bt_message *message, int64_t time_ns)
{
	struct event *event;
	int ret;

	if (__builtin_expect(bt_message_get_type(message) != BT_MESSAGE_TYPE_EVENT, 0))
		return other_message(decoder, message);
	decoder->counts.events++;
	ret = decode(decoder, message, &event);
	if (ret)
		return ret;
	event->time_ns = time_ns;
	analysis_event(decoder->analysis, event);
	return 0;
}

int decoder_message_untimed(struct decoder *decoder, const bt_message *message)
{
	int64_t time_ns = 0;
	int ret = 0;

	if (bt_message_get_type(message) == BT_MESSAGE_TYPE_EVENT)
		ret = event_time(message, &time_ns);
	return ret ? ret : decoder_message(decoder, message, time_ns);
}
