/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/decode/decode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/analysis.h"
#include "analysis/event_names.h"
#include "analysis/table.h"
#include "tracepoints/identity.h"

#define FIELDS_MAX 24u
#define RECENT_CLASSES 256u

/* LTTng's own event: tells each process's name once, when the session or the process begins. */
#define NAME_EVENT "lttng_ust_statedump:procname"

/* Of the events that name their caller, who is another than their emitter. */
#define DEVICE_PREFIX "iommufd_dev:"

/* A field of a class: where it is in the payload, where it goes. */
struct decoded_field {
	uint16_t index;
	uint16_t offset;
};

/* What each event needs comes first. */
struct decoded_class {
	uint16_t unsigned_count, signed_count;
	bool has_size, has_last, has_op_id;
	bool is_qemu, is_device;
	int pid;		  /* members of the payload, unsigned integers; -1: none */
	int caller_ns, caller_start;
	int vpid, vtid, pid_ns, procname; /* members of the common context; -1: none */
	int told_name;		  /* member of the payload that tells the process's name; or -1 */
	struct decoded_field fields[FIELDS_MAX]; /* the unsigned ones, then the signed ones */
	struct event event;	  /* the last one; only what differs is written each time */
	struct event_class class;
	const char *name;		 /* borrowed of the event class */
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
	uint32_t named_machine, named_ns, named_pid; /* the process whose name was last told */
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

static void uuid_text(bt_uuid uuid, char text[33])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++) {
		text[2 * i] = digits[uuid[i] >> 4];
		text[2 * i + 1] = digits[uuid[i] & 15];
	}
	text[32] = 0;
}

/* "ioasis-simulate" (each trace is a world of its own, with clock and processes), "lttng-ust". */
static bool is_made_by(const bt_trace *trace, const char *name)
{
	const char *tracer = environment_text(trace, "tracer_name");

	return tracer && !strcmp(tracer, name);
}

static int stream_begin(struct decoder *decoder, const bt_stream *stream)
{
	const bt_trace *trace = bt_stream_borrow_trace_const(stream);
	const bt_clock_class *clock = bt_stream_class_borrow_default_clock_class_const(
		bt_stream_borrow_class_const(stream));
	const char *host = environment_text(trace, "hostname");
	struct quality *quality = analysis_quality(decoder->analysis);
	struct decoded_stream *known;
	char uuid[33] = "";

	if (table_get(&decoder->streams, (uintptr_t)stream, 0))
		return 0;
	if (!clock)
		return -EINVAL;
	if (bt_clock_class_get_uuid(clock))
		uuid_text(bt_clock_class_get_uuid(clock), uuid);
	if (is_made_by(trace, "ioasis-simulate")) { /* its source keeps it to the end of the graph */
		snprintf(uuid, sizeof(uuid), "%" PRIxPTR, (uintptr_t)trace);
		host = environment_text(trace, "scenario");
	}
	known = calloc(1, sizeof(*known));
	if (!known)
		return -ENOMEM;
	known->number = decoder->streams_count++;
	known->machine = quality_machine(quality, host ? host : "", uuid);
	if (known->machine == UINT32_MAX ||
	    table_set(&decoder->streams, (uintptr_t)stream, 0, known)) {
		free(known);
		return -ENOMEM;
	}
	quality->machines[known->machine].by_lttng |= is_made_by(trace, "lttng-ust");
	known->stream = stream;
	bt_stream_get_ref(stream);
	quality->streams = decoder->streams_count;
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

/* The index of a member that is an integer (or, for text, a string); -1: there is none. */
static int member_index(const bt_field_class *structure, const char *name, bool text)
{
	uint64_t count;

	if (!structure)
		return -1;
	count = bt_field_class_structure_get_member_count(structure);
	for (uint64_t i = 0; i < count; i++) {
		const bt_field_class_structure_member *member =
			bt_field_class_structure_borrow_member_by_index_const(structure, i);
		bt_field_class_type type = bt_field_class_get_type(
			bt_field_class_structure_member_borrow_field_class_const(member));

		if (strcmp(bt_field_class_structure_member_get_name(member), name))
			continue;
		if (text)
			return bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_ARRAY) ||
			       type == BT_FIELD_CLASS_TYPE_STRING ? (int)i : -1;
		return bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_INTEGER) ? (int)i : -1;
	}
	return -1;
}

/* Adds member `index` of the payload, if the analysis reads it. */
static void class_add_field(struct decoded_class *class, uint64_t index, const char *name,
			    bool is_signed)
{
	size_t offset = event_field_offset(&class->class, name);
	unsigned int count = class->unsigned_count + class->signed_count;

	if (!strcmp(name, "pid") && !is_signed)
		class->pid = (int)index;
	if (class->class.kind == EVENT_DEV_OPEN || class->class.kind == EVENT_IOCTL_BEGIN) {
		if (!strcmp(name, "pid_ns") && !is_signed)
			class->caller_ns = (int)index;
		if (!strcmp(name, "start") && !is_signed)
			class->caller_start = (int)index;
	}
	if (!offset || count == FIELDS_MAX)
		return;
	class->fields[count] = (struct decoded_field){ (uint16_t)index, (uint16_t)offset };
	if (is_signed)
		class->signed_count++;
	else
		class->unsigned_count++;
	class->has_op_id |= offset == offsetof(struct event, op_id);
	class->has_size |= offset == offsetof(struct event, size);
	class->has_last |= offset == offsetof(struct event, last);
}

/* Adds the integers of the payload that have the type. */
static void class_add_fields(struct decoded_class *class, const bt_field_class *payload,
			     bt_field_class_type type)
{
	for (uint64_t i = 0; i < bt_field_class_structure_get_member_count(payload); i++) {
		const bt_field_class_structure_member *member =
			bt_field_class_structure_borrow_member_by_index_const(payload, i);

		if (bt_field_class_type_is(
			    bt_field_class_get_type(
				    bt_field_class_structure_member_borrow_field_class_const(
					    member)),
			    type))
			class_add_field(class, i, bt_field_class_structure_member_get_name(member),
					type == BT_FIELD_CLASS_TYPE_SIGNED_INTEGER);
	}
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

	if (!class)
		return NULL;
	class->name = bt_event_class_get_name(event_class);
	class->class = event_class_find(class->name ? class->name : "");
	class->pid = class->caller_ns = class->caller_start = -1;
	class->vpid = member_index(context, "vpid", false);
	class->pid_ns = member_index(context, "pid_ns", false);
	class->vtid = member_index(context, "vtid", false);
	class->procname = member_index(context, "procname", true);
	class->told_name = -1;
	if (class->name && !strcmp(class->name, NAME_EVENT))
		class->told_name = member_index(payload, "procname", true);
	else if (class->class.kind == EVENT_DEV_OPEN)
		class->told_name = member_index(payload, "name", true);
	class->event.kind = class->class.kind;
	class->event.op = class->class.op;
	class->event.qemu = class->is_qemu = class->class.qemu;
	class->is_device = class->name && !strncmp(class->name, DEVICE_PREFIX,
						    sizeof(DEVICE_PREFIX) - 1);
	class->event.non_exist = class->class.non_exist;
	class->event.name = class->name;
	class->stream_class = stream_class;
	bt_stream_class_get_ref(stream_class);
	if (class->class.kind == EVENT_OTHER || !payload)
		return class;
	class_add_fields(class, payload, BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER);
	class_add_fields(class, payload, BT_FIELD_CLASS_TYPE_SIGNED_INTEGER);
	class->event.has_size = class->has_size;
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

static uint64_t context_integer(const bt_event *native, int index)
{
	const bt_field *context = bt_event_borrow_common_context_field_const(native);
	const bt_field *field;

	if (index < 0 || !context)
		return 0;
	field = member_field(context, (uint64_t)index);
	return integer(field, bt_field_class_type_is(bt_field_get_class_type(field),
						     BT_FIELD_CLASS_TYPE_SIGNED_INTEGER));
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

/* Tells the state the name of the process that event names: member index of structure. */
static void name_process(struct decoder *decoder, const struct event *event,
			 const bt_field *structure, int index)
{
	char name[32];

	if (field_text(member_field(structure, (uint64_t)index), name, sizeof(name)) && name[0] &&
	    strcmp(name, "?"))
		state_process_set_name(analysis_state(decoder->analysis), event, name);
}

/* The name that the event's context gives, when its process is another than last time. */
static void tell_procname(struct decoder *decoder, const struct decoded_class *class,
			  const bt_event *native, const struct event *event)
{
	const bt_field *context;

	if (class->procname < 0 ||
	    (decoder->named_pid == event->pid && decoder->named_ns == event->pid_ns &&
	     decoder->named_machine == event->machine))
		return;
	decoder->named_pid = event->pid;
	decoder->named_ns = event->pid_ns;
	decoder->named_machine = event->machine;
	context = bt_event_borrow_common_context_field_const(native);
	if (context)
		name_process(decoder, event, context, class->procname);
}

static void event_set(struct event *event, size_t offset, uint64_t value)
{
	memcpy((char *)event + offset, &value, sizeof(value));
}

static void decode_payload(const struct decoded_class *class, const bt_field *payload,
			   struct event *event)
{
	const struct decoded_field *row = class->fields, *end = row + class->unsigned_count;

	for (; row < end; row++)
		event_set(event, row->offset,
			  bt_field_integer_unsigned_get_value(member_field(payload, row->index)));
	for (end = row + class->signed_count; row < end; row++)
		event_set(event, row->offset,
			  (uint64_t)bt_field_integer_signed_get_value(
				  member_field(payload, row->index)));
}

/* Member index of the payload; 0: the event has none. */
static uint32_t payload_number(const bt_field *payload, int index)
{
	return index < 0 ? 0 : (uint32_t)bt_field_integer_unsigned_get_value(
					member_field(payload, (uint64_t)index));
}

/*
 * Who calls: of the device's events whom they name, in the words of the caller; of the others
 * who emits them. Namespaces are compared only where the context tells that of both.
 */
static void name_caller(const struct decoded_class *class, const bt_event *native,
			const bt_field *payload, struct event *event)
{
	if (class->pid_ns >= 0)
		event->here_ns = (uint32_t)context_integer(native, class->pid_ns);
	if (class->pid >= 0) {
		event->pid = payload_number(payload, class->pid);
		event->started = payload_number(payload, class->caller_start);
		if (class->pid_ns >= 0)
			event->pid_ns = payload_number(payload, class->caller_ns);
	} else if (!class->is_device) {
		if (class->has_op_id && event->op_id) {
			event->pid = TRACE_WORD_PID(event->op_id >> 32);
			event->started = TRACE_WORD_START(event->op_id >> 32);
		} else {
			event->pid = (uint32_t)context_integer(native, class->vpid);
		}
		event->pid_ns = event->here_ns;
	}
	if (class->is_qemu)
		event->tid = context_integer(native, class->vtid);
}

/* What is not a field of its own: ranges both ways, the process of the call. */
static void complete(const struct decoded_class *class, const bt_event *native,
		     const bt_field *payload, struct event *event)
{
	if (class->has_last)
		event->size = iova_range_bytes(event->iova, event->last);
	else if (class->has_size)
		event->range = iova_range_of_length(event->iova, event->size);
	name_caller(class, native, payload, event);
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
	const bt_field *payload;
	struct event *event;

	if (!class)
		return -ENOMEM;
	if (!stream)
		return -EINVAL;
	event = &class->event;
	event->machine = stream->machine;
	event->stream = stream->number;
	*result = event;
	if (event->kind == EVENT_OTHER) {
		if (class->told_name >= 0 && class->vpid >= 0) {
			event->pid = (uint32_t)context_integer(native, class->vpid);
			event->pid_ns = (uint32_t)context_integer(native, class->pid_ns);
			name_process(decoder, event, bt_event_borrow_payload_field_const(native),
				     class->told_name);
		}
		return 0;
	}
	payload = bt_event_borrow_payload_field_const(native);
	decode_payload(class, payload, event);
	complete(class, native, payload, event);
	if (event->kind == EVENT_DEV_OPEN && class->told_name >= 0)
		name_process(decoder, event, payload, class->told_name);
	if (event->kind == EVENT_OP_BEGIN || event->kind == EVENT_OP_END)
		tell_procname(decoder, class, native, event);
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

static void tell_loss(struct decoder *decoder, const bt_stream *stream, struct event_loss *loss)
{
	const struct decoded_stream *known = stream_find(decoder, stream);

	if (known) {
		loss->machine = known->machine;
		loss->stream = known->number;
	}
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
