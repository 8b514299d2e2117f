/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records wait in a batch; when it is full the graph runs until it has taken
 * them: the message iterator turns each into an event message, and the sink
 * writes it. A batch is one packet of the stream.
 */
#include "sim/scenario/ctf_writer.h"

#include <babeltrace2/babeltrace.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/scenario/ctf_uuid.h"

#define BATCH_RECORDS 2048u

struct ctf_writer {
	char *dir; /* owned */
	char *name;
	uint8_t uuid[16];
	struct sim_record batch[BATCH_RECORDS];
	size_t batch_count;
	size_t batch_taken;
	bool stream_begun;
	bool packet_open;
	bool ending;
	bool ended;
	int err;

	bt_graph *graph; /* references, all of them */
	bt_stream_class *stream_class;
	bt_stream *stream;
	bt_packet *packet;
	bt_trace *trace;
	bt_clock_class *clock_class;
	bt_event_class *event_classes[TRACE_EVENTS_COUNT];
};

/* ---- the fields of the events --------------------------------------------- */

static uint64_t bits_of(enum trace_type type)
{
	switch (type) {
	case TRACE_TYPE_u8:
		return 8;
	case TRACE_TYPE_u32:
	case TRACE_TYPE_x32:
	case TRACE_TYPE_i32:
	case TRACE_TYPE_id:
	case TRACE_TYPE_new_id:
		return 32;
	default:
		return 64;
	}
}

static bt_field_class *make_field_class(bt_trace_class *trace_class, enum trace_type type)
{
	bt_field_class *field_class;

	switch (type) {
	case TRACE_TYPE_str:
		return bt_field_class_string_create(trace_class);
	case TRACE_TYPE_i32:
		field_class = bt_field_class_integer_signed_create(trace_class);
		break;
	default:
		field_class = bt_field_class_integer_unsigned_create(trace_class);
		break;
	}
	bt_field_class_integer_set_field_value_range(field_class, bits_of(type));
	if (type == TRACE_TYPE_x32 || type == TRACE_TYPE_x64 || type == TRACE_TYPE_va)
		bt_field_class_integer_set_preferred_display_base(
			field_class, BT_FIELD_CLASS_INTEGER_PREFERRED_DISPLAY_BASE_HEXADECIMAL);
	return field_class;
}

static void make_event_class(struct ctf_writer *writer, bt_trace_class *trace_class,
			     enum trace_event event)
{
	const struct trace_description *described = &trace_descriptions[event];
	bt_event_class *event_class = bt_event_class_create(writer->stream_class);
	bt_field_class *payload = bt_field_class_structure_create(trace_class);

	bt_event_class_set_name(event_class, described->name);
	for (size_t i = 0; i < described->fields_count; i++) {
		const struct trace_field *field = &described->fields[i];
		bt_field_class *member = make_field_class(trace_class, field->type);

		bt_field_class_structure_append_member(payload, field->name, member);
		bt_field_class_put_ref(member);
	}
	bt_event_class_set_payload_field_class(event_class, payload);
	bt_field_class_put_ref(payload);
	writer->event_classes[event] = event_class;
}

/* ---- the source ------------------------------------------------------------ */

static bt_component_class_initialize_method_status
source_init(bt_self_component_source *self_source, bt_self_component_source_configuration *config,
	    const bt_value *params, void *opaque)
{
	bt_self_component *self = bt_self_component_source_as_self_component(self_source);
	struct ctf_writer *writer = opaque;
	bt_trace_class *trace_class = bt_trace_class_create(self);

	(void)config;
	(void)params;
	writer->clock_class = bt_clock_class_create(self);
	bt_clock_class_set_name(writer->clock_class, "virtual");
	bt_clock_class_set_description(writer->clock_class, "virtual time of a simulation");
	bt_clock_class_set_frequency(writer->clock_class, 1000000000);
	bt_clock_class_set_origin_is_unix_epoch(writer->clock_class, BT_FALSE);

	writer->stream_class = bt_stream_class_create(trace_class);
	bt_stream_class_set_default_clock_class(writer->stream_class, writer->clock_class);
	bt_stream_class_set_supports_packets(writer->stream_class, BT_TRUE, BT_TRUE, BT_TRUE);
	for (unsigned int i = 0; i < TRACE_EVENTS_COUNT; i++)
		make_event_class(writer, trace_class, (enum trace_event)i);

	writer->trace = bt_trace_create(trace_class);
	bt_trace_set_name(writer->trace, "ioasis");
	bt_trace_set_environment_entry_string(writer->trace, "tracer_name", "ioasis-simulate");
	bt_trace_set_environment_entry_string(writer->trace, "hostname", "simulation");
	bt_trace_set_environment_entry_string(writer->trace, "scenario", writer->name);
	writer->stream = bt_stream_create(writer->stream_class, writer->trace);
	bt_stream_set_name(writer->stream, "events");
	bt_trace_class_put_ref(trace_class);

	bt_self_component_set_data(self, writer);
	bt_self_component_source_add_output_port(self_source, "out", NULL, NULL);
	return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

static bt_message_iterator_class_initialize_method_status
iterator_init(bt_self_message_iterator *self, bt_self_message_iterator_configuration *config,
	      bt_self_component_port_output *port)
{
	bt_self_component *component = bt_self_message_iterator_borrow_component(self);

	(void)config;
	(void)port;
	bt_self_message_iterator_set_data(self, bt_self_component_get_data(component));
	return BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

/* As C narrows, and as LTTng does: the lower bits of value. */
static void set_field(bt_field *field, enum trace_type type, uint64_t value)
{
	switch (type) {
	case TRACE_TYPE_u8:
		bt_field_integer_unsigned_set_value(field, (uint8_t)value);
		break;
	case TRACE_TYPE_u32:
	case TRACE_TYPE_x32:
	case TRACE_TYPE_id:
	case TRACE_TYPE_new_id:
		bt_field_integer_unsigned_set_value(field, (uint32_t)value);
		break;
	case TRACE_TYPE_i32:
		bt_field_integer_signed_set_value(field, (int32_t)value);
		break;
	case TRACE_TYPE_str:
		bt_field_string_set_value(field, (const char *)(uintptr_t)value);
		break;
	case TRACE_TYPE_u64:
	case TRACE_TYPE_x64:
	case TRACE_TYPE_va:
		bt_field_integer_unsigned_set_value(field, value);
		break;
	}
}

static const bt_message *make_event(struct ctf_writer *writer, bt_self_message_iterator *self,
				    const struct sim_record *record)
{
	const struct trace_description *described = &trace_descriptions[record->event];
	bt_message *message = bt_message_event_create_with_packet_and_default_clock_snapshot(
		self, writer->event_classes[record->event], writer->packet, record->time_ns);
	bt_field *payload = bt_event_borrow_payload_field(bt_message_event_borrow_event(message));

	for (size_t i = 0; i < described->fields_count; i++)
		set_field(bt_field_structure_borrow_member_field_by_index(payload, i),
			  described->fields[i].type, record->values[i]);
	return message;
}

/* The next message, or NULL when all records are taken. */
static const bt_message *next_message(struct ctf_writer *writer, bt_self_message_iterator *self)
{
	const struct sim_record *batch = writer->batch;

	if (!writer->stream_begun) {
		writer->stream_begun = true;
		return bt_message_stream_beginning_create(self, writer->stream);
	}
	if (writer->batch_taken < writer->batch_count && !writer->packet_open) {
		writer->packet_open = true;
		writer->packet = bt_packet_create(writer->stream);
		return bt_message_packet_beginning_create_with_default_clock_snapshot(
			self, writer->packet, batch[0].time_ns);
	}
	if (writer->batch_taken < writer->batch_count)
		return make_event(writer, self, &batch[writer->batch_taken++]);
	if (writer->packet_open) {
		const bt_message *message =
			bt_message_packet_end_create_with_default_clock_snapshot(
				self, writer->packet, batch[writer->batch_count - 1].time_ns);

		writer->packet_open = false;
		bt_packet_put_ref(writer->packet);
		writer->packet = NULL;
		return message;
	}
	if (writer->ending && !writer->ended) {
		writer->ended = true;
		return bt_message_stream_end_create(self, writer->stream);
	}
	return NULL;
}

static bt_message_iterator_class_next_method_status iterator_next(bt_self_message_iterator *self,
								  bt_message_array_const messages,
								  uint64_t capacity,
								  uint64_t *count)
{
	struct ctf_writer *writer = bt_self_message_iterator_get_data(self);

	for (*count = 0; *count < capacity; (*count)++) {
		const bt_message *message = next_message(writer, self);

		if (!message)
			break;
		messages[*count] = message;
	}
	if (*count)
		return BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_OK;
	return writer->ended ? BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_END
			     : BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_AGAIN;
}

/* ---- the graph ------------------------------------------------------------- */

static const bt_component_source *add_source(struct ctf_writer *writer)
{
	bt_message_iterator_class *iterator_class = bt_message_iterator_class_create(iterator_next);
	const bt_component_source *source = NULL;
	bt_component_class_source *source_class;

	bt_message_iterator_class_set_initialize_method(iterator_class, iterator_init);
	source_class = bt_component_class_source_create("simulation", iterator_class);
	bt_component_class_source_set_initialize_method(source_class, source_init);
	if (bt_graph_add_source_component_with_initialize_method_data(
		    writer->graph, source_class, "simulation", NULL, writer, BT_LOGGING_LEVEL_NONE,
		    &source) != BT_GRAPH_ADD_COMPONENT_STATUS_OK)
		source = NULL;
	bt_component_class_source_put_ref(source_class);
	bt_message_iterator_class_put_ref(iterator_class);
	return source;
}

static const bt_component_sink *add_sink(struct ctf_writer *writer)
{
	const bt_component_class_sink *sink_class;
	const bt_component_sink *sink = NULL;
	const bt_plugin *plugin = NULL;
	bt_value *params;

	if (bt_plugin_find("ctf", BT_TRUE, BT_TRUE, BT_TRUE, BT_TRUE, BT_FALSE, &plugin) !=
	    BT_PLUGIN_FIND_STATUS_OK)
		return NULL;
	sink_class = bt_plugin_borrow_sink_component_class_by_name_const(plugin, "fs");
	params = bt_value_map_create();
	bt_value_map_insert_string_entry(params, "path", writer->dir);
	bt_value_map_insert_bool_entry(params, "assume-single-trace", BT_TRUE);
	bt_value_map_insert_bool_entry(params, "quiet", BT_TRUE);
	/* From 2.1 on CTF 2 is the default; 2.0 writes CTF 1.8 and knows no such parameter. */
	if (bt_version_get_major() > 2 || bt_version_get_minor() >= 1)
		bt_value_map_insert_string_entry(params, "ctf-version", "1.8");
	if (!sink_class || bt_graph_add_sink_component(writer->graph, sink_class, "ctf", params,
						       BT_LOGGING_LEVEL_NONE,
						       &sink) != BT_GRAPH_ADD_COMPONENT_STATUS_OK)
		sink = NULL;
	bt_value_put_ref(params);
	bt_plugin_put_ref(plugin);
	return sink;
}

static bool make_graph(struct ctf_writer *writer)
{
	const bt_component_source *source;
	const bt_component_sink *sink;

	writer->graph = bt_graph_create(0);
	source = add_source(writer);
	sink = add_sink(writer);
	return source && sink &&
	       bt_graph_connect_ports(
		       writer->graph,
		       bt_component_source_borrow_output_port_by_index_const(source, 0),
		       bt_component_sink_borrow_input_port_by_index_const(sink, 0),
		       NULL) == BT_GRAPH_CONNECT_PORTS_STATUS_OK;
}

static void writer_free(struct ctf_writer *writer)
{
	for (unsigned int i = 0; i < TRACE_EVENTS_COUNT; i++)
		bt_event_class_put_ref(writer->event_classes[i]);
	bt_packet_put_ref(writer->packet);
	bt_stream_put_ref(writer->stream);
	bt_stream_class_put_ref(writer->stream_class);
	bt_trace_put_ref(writer->trace);
	bt_clock_class_put_ref(writer->clock_class);
	bt_graph_put_ref(writer->graph);
	free(writer->dir);
	free(writer->name);
	free(writer);
}

/* The sink makes dir itself: an empty one goes, and one with anything in it is refused. */
static int clear_dir(const char *dir, char *error, size_t error_size)
{
	int err;

	if (!rmdir(dir) || errno == ENOENT)
		return 0;
	err = -errno;
	if (err == -ENOTEMPTY || err == -EEXIST || err == -ENOTDIR)
		snprintf(error, error_size, "%s is there already; name a new directory", dir);
	else
		snprintf(error, error_size, "cannot make %s: %s", dir, strerror(-err));
	return err;
}

struct ctf_writer *ctf_writer_create(const char *dir, const char *name, uint64_t seed,
				     uint64_t run_seed, char *error, size_t error_size)
{
	struct ctf_writer *writer;

	if (clear_dir(dir, error, error_size))
		return NULL;
	writer = calloc(1, sizeof(*writer));
	if (!writer || !(writer->dir = strdup(dir)) || !(writer->name = strdup(name))) {
		snprintf(error, error_size, "out of memory");
		goto out_writer;
	}
	ctf_uuid_derive(name, seed, run_seed, writer->uuid);
	if (!make_graph(writer)) {
		snprintf(error, error_size,
			 "cannot write a trace to %s: is its parent a directory that can be "
			 "written, and babeltrace2 installed?",
			 dir);
		bt_current_thread_clear_error();
		goto out_writer;
	}
	return writer;

out_writer:
	if (writer)
		writer_free(writer);
	return NULL;
}

static void fail(void *opaque, int err)
{
	struct ctf_writer *writer = opaque;

	if (!writer->err)
		writer->err = err;
}

/* Runs the graph until it has taken the whole batch. */
static void flush(struct ctf_writer *writer)
{
	while (!writer->err) {
		bt_graph_run_once_status status = bt_graph_run_once(writer->graph);

		if (status == BT_GRAPH_RUN_ONCE_STATUS_AGAIN ||
		    status == BT_GRAPH_RUN_ONCE_STATUS_END)
			break;
		if (status != BT_GRAPH_RUN_ONCE_STATUS_OK) {
			bt_current_thread_clear_error();
			fail(writer, -EIO);
		}
	}
	writer->batch_count = 0;
	writer->batch_taken = 0;
}

static void put(void *opaque, const struct sim_record *record)
{
	struct ctf_writer *writer = opaque;

	if (writer->err)
		return;
	if (writer->batch_count == BATCH_RECORDS)
		flush(writer);
	writer->batch[writer->batch_count++] = *record;
}

static int finish(void *opaque, char *error, size_t error_size)
{
	struct ctf_writer *writer = opaque;
	uint8_t uuid[16];
	char *dir = strdup(writer->dir);
	int err;

	writer->ending = true;
	flush(writer);
	err = writer->err;
	memcpy(uuid, writer->uuid, sizeof(uuid));
	/* The sink writes the metadata when the graph goes. */
	writer_free(writer);
	if (!err && !dir)
		err = -ENOMEM;
	if (err)
		snprintf(error, error_size, "the trace could not be written: %s", strerror(-err));
	else
		err = ctf_uuid_pin(dir, uuid, error, error_size);
	free(dir);
	return err;
}

struct sim_sink ctf_writer_sink(struct ctf_writer *writer)
{
	return (struct sim_sink){ .put = put, .fail = fail, .finish = finish, .opaque = writer };
}
