/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter.ioasis.op: pairs the begin and the end of calls.
 *
 * Every message of the input goes through as it is. Behind the event that ends a
 * call comes one of a stream of the filter's own: ioasis:op, with who called, what
 * was asked, when it began and how long it took. No parameters.
 */
#include "analysis/plugin/plugin_op.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/analysis.h"
#include "analysis/decode/decode.h"
#include "analysis/decode/mip.h"

/* The fields of ioasis:op, in their order. */
enum op_field {
	FIELD_OP,
	FIELD_OP_ID,
	FIELD_PID,
	FIELD_TID,
	FIELD_BEGIN_NS,
	FIELD_DURATION_NS,
	FIELD_ID,
	FIELD_NEW_ID,
	FIELD_IOVA,
	FIELD_SIZE,
	FIELD_RET,
	FIELD_COUNT,
};

static const char *const field_names[FIELD_COUNT] = {
	"op", "op_id",	"pid",	"tid",	"begin_ns", "duration_ns",
	"id", "new_id", "iova", "size", "ret",
};

struct op_iterator {
	bt_self_message_iterator *self;
	bt_message_iterator *input; /* owned */
	struct analysis *analysis;
	struct decoder *decoder;
	/* Messages to hand out: [first, count) of queue, owned. */
	const bt_message **queue;
	size_t first, count, room;
	/* The filter's own stream; made at the first stream of the input. */
	bt_stream *stream;
	bt_event_class *event_class;
	uint64_t clock_hz;
	int64_t clock_offset_ns;
	bool ended;
	bool failed;
};

static void queue_push(struct op_iterator *iterator, const bt_message *message)
{
	const bt_message **queue;

	if (!message) {
		iterator->failed = true;
		return;
	}
	if (iterator->count == iterator->room) {
		size_t room = iterator->room ? iterator->room * 2 : 64;

		queue = realloc(iterator->queue, room * sizeof(*queue));
		if (!queue) {
			bt_message_put_ref(message);
			iterator->failed = true;
			return;
		}
		iterator->queue = queue;
		iterator->room = room;
	}
	iterator->queue[iterator->count++] = message;
}

/* ---- the stream of its own ------------------------------------------------------ */

static bool add_field(bt_trace_class *trace_class, bt_field_class *payload, int field)
{
	bt_field_class *class;
	bool ok;

	if (field == FIELD_OP)
		class = bt_field_class_string_create(trace_class);
	else if (field == FIELD_BEGIN_NS || field == FIELD_RET)
		class = bt_field_class_integer_signed_create(trace_class);
	else
		class = bt_field_class_integer_unsigned_create(trace_class);
	if (class && (field == FIELD_IOVA || field == FIELD_SIZE))
		bt_field_class_integer_set_preferred_display_base(
			class, BT_FIELD_CLASS_INTEGER_PREFERRED_DISPLAY_BASE_HEXADECIMAL);
	ok = class && bt_field_class_structure_append_member(payload, field_names[field], class) ==
			      BT_FIELD_CLASS_STRUCTURE_APPEND_MEMBER_STATUS_OK;
	bt_field_class_put_ref(class);
	return ok;
}

static bool make_event_class(struct op_iterator *iterator, bt_trace_class *trace_class,
			     bt_stream_class *stream_class)
{
	bt_field_class *payload = bt_field_class_structure_create(trace_class);
	bool ok = payload;

	for (int field = 0; ok && field < FIELD_COUNT; field++)
		ok = add_field(trace_class, payload, field);
	if (ok)
		iterator->event_class = bt_event_class_create(stream_class);
	ok = iterator->event_class &&
	     bt_event_class_set_name(iterator->event_class, "ioasis:op") ==
		     BT_EVENT_CLASS_SET_NAME_STATUS_OK &&
	     bt_event_class_set_payload_field_class(iterator->event_class, payload) ==
		     BT_EVENT_CLASS_SET_FIELD_CLASS_STATUS_OK;
	bt_field_class_put_ref(payload);
	return ok;
}

/* A clock like the input's, of the filter's own trace. */
static bt_clock_class *make_clock(struct op_iterator *iterator, const bt_clock_class *like)
{
	bt_self_component *component =
		bt_self_message_iterator_borrow_component(iterator->self);
	bt_clock_class *clock = bt_clock_class_create(component);
	int64_t seconds;
	uint64_t cycles;

	if (!clock)
		return NULL;
	iterator->clock_hz = bt_clock_class_get_frequency(like);
	bt_clock_class_get_offset(like, &seconds, &cycles);
	bt_clock_class_set_frequency(clock, iterator->clock_hz);
	bt_clock_class_set_offset(clock, seconds, cycles);
	mip_clock_imitate(clock, like);
	iterator->clock_offset_ns = seconds * 1000000000 +
		(int64_t)((unsigned __int128)cycles * 1000000000 / iterator->clock_hz);
	return clock;
}

static void make_stream(struct op_iterator *iterator, const bt_stream *first)
{
	bt_self_component *component =
		bt_self_message_iterator_borrow_component(iterator->self);
	const bt_clock_class *like = bt_stream_class_borrow_default_clock_class_const(
		bt_stream_borrow_class_const(first));
	bt_clock_class *clock = like ? make_clock(iterator, like) : NULL;
	bt_trace_class *trace_class = bt_trace_class_create(component);
	bt_stream_class *stream_class = trace_class ? bt_stream_class_create(trace_class) : NULL;
	bt_trace *trace = trace_class ? bt_trace_create(trace_class) : NULL;

	if (clock && stream_class && trace &&
	    bt_stream_class_set_default_clock_class(stream_class, clock) ==
		    BT_STREAM_CLASS_SET_DEFAULT_CLOCK_CLASS_STATUS_OK &&
	    make_event_class(iterator, trace_class, stream_class))
		iterator->stream = bt_stream_create(stream_class, trace);
	if (iterator->stream)
		queue_push(iterator, bt_message_stream_beginning_create(iterator->self,
									iterator->stream));
	else
		iterator->failed = true;
	bt_trace_put_ref(trace);
	bt_stream_class_put_ref(stream_class);
	bt_trace_class_put_ref(trace_class);
	bt_clock_class_put_ref(clock);
}

/* ---- calls ---------------------------------------------------------------------- */

static void set_u64(bt_field *payload, int field, uint64_t value)
{
	bt_field_integer_unsigned_set_value(
		bt_field_structure_borrow_member_field_by_index(payload, (uint64_t)field), value);
}

static void set_i64(bt_field *payload, int field, int64_t value)
{
	bt_field_integer_signed_set_value(
		bt_field_structure_borrow_member_field_by_index(payload, (uint64_t)field), value);
}

static void on_op(void *opaque, const struct state_op *op)
{
	struct op_iterator *iterator = opaque;
	uint64_t ns = (uint64_t)(op->end_ns - iterator->clock_offset_ns);
	bt_message *message;
	bt_field *payload;

	if (!iterator->stream || !op->returned)
		return;
	message = bt_message_event_create_with_default_clock_snapshot(
		iterator->self, iterator->event_class, iterator->stream,
		(uint64_t)((unsigned __int128)ns * iterator->clock_hz / 1000000000));
	if (!message) {
		iterator->failed = true;
		return;
	}
	payload = bt_event_borrow_payload_field(bt_message_event_borrow_event(message));
	bt_field_string_set_value(
		bt_field_structure_borrow_member_field_by_index(payload, FIELD_OP),
		event_op_name(op->op));
	set_u64(payload, FIELD_OP_ID, op->op_id);
	set_u64(payload, FIELD_PID, op->pid);
	set_u64(payload, FIELD_TID, op->tid);
	set_i64(payload, FIELD_BEGIN_NS, op->begin_ns);
	set_u64(payload, FIELD_DURATION_NS,
		op->begin_seen ? (uint64_t)(op->end_ns - op->begin_ns) : 0);
	set_u64(payload, FIELD_ID, op->id);
	set_u64(payload, FIELD_NEW_ID, op->new_id);
	set_u64(payload, FIELD_IOVA, op->iova);
	set_u64(payload, FIELD_SIZE, op->size);
	set_i64(payload, FIELD_RET, op->ret);
	queue_push(iterator, message);
}

/* ---- messages ------------------------------------------------------------------- */

/* Hands message on, and behind it what it makes known. */
static void take(struct op_iterator *iterator, const bt_message *message)
{
	bool beginning = bt_message_get_type(message) == BT_MESSAGE_TYPE_STREAM_BEGINNING;

	queue_push(iterator, message);
	if (iterator->failed)
		return;
	if (beginning && !iterator->stream)
		make_stream(iterator, bt_message_stream_beginning_borrow_stream_const(message));
	if (decoder_message_untimed(iterator->decoder, message))
		iterator->failed = true;
}

static bt_message_iterator_class_next_method_status fill(struct op_iterator *iterator)
{
	bt_message_array_const messages;
	bt_message_iterator_next_status status;
	uint64_t count;

	status = bt_message_iterator_next(iterator->input, &messages, &count);
	if (status == BT_MESSAGE_ITERATOR_NEXT_STATUS_END) {
		iterator->ended = true;
		if (iterator->stream)
			queue_push(iterator, bt_message_stream_end_create(iterator->self,
									  iterator->stream));
		return BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_OK;
	}
	if (status != BT_MESSAGE_ITERATOR_NEXT_STATUS_OK)
		return (bt_message_iterator_class_next_method_status)status;
	for (uint64_t i = 0; i < count; i++)
		take(iterator, messages[i]);
	return BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_OK;
}

bt_message_iterator_class_next_method_status op_iterator_next(bt_self_message_iterator *self,
							       bt_message_array_const messages,
							       uint64_t capacity, uint64_t *count)
{
	struct op_iterator *iterator = bt_self_message_iterator_get_data(self);

	if (iterator->first == iterator->count) {
		bt_message_iterator_class_next_method_status status;

		iterator->first = 0;
		iterator->count = 0;
		if (iterator->ended)
			return BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_END;
		status = fill(iterator);
		if (status != BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_OK)
			return status;
	}
	if (iterator->failed) {
		BT_CURRENT_THREAD_ERROR_APPEND_CAUSE_FROM_MESSAGE_ITERATOR(
			self, "filter.ioasis.op: a stream has no clock, or out of memory");
		return BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_ERROR;
	}
	if (iterator->first == iterator->count)
		return BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_END;
	for (*count = 0; *count < capacity && iterator->first < iterator->count; (*count)++)
		messages[*count] = iterator->queue[iterator->first++];
	return BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_OK;
}

/* ---- life ----------------------------------------------------------------------- */

bt_component_class_initialize_method_status
op_filter_init(bt_self_component_filter *self, bt_self_component_filter_configuration *config,
	       const bt_value *params, void *data)
{
	(void)config;
	(void)data;
	if (!bt_value_map_is_empty(params)) {
		BT_CURRENT_THREAD_ERROR_APPEND_CAUSE_FROM_COMPONENT(
			bt_self_component_filter_as_self_component(self),
			"filter.ioasis.op takes no parameters");
		return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_ERROR;
	}
	if (bt_self_component_filter_add_input_port(self, "in", NULL, NULL) !=
		    BT_SELF_COMPONENT_ADD_PORT_STATUS_OK ||
	    bt_self_component_filter_add_output_port(self, "out", NULL, NULL) !=
		    BT_SELF_COMPONENT_ADD_PORT_STATUS_OK)
		return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_ERROR;
	return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

static void iterator_free(struct op_iterator *iterator)
{
	if (!iterator)
		return;
	while (iterator->first < iterator->count)
		bt_message_put_ref(iterator->queue[iterator->first++]);
	free(iterator->queue);
	bt_event_class_put_ref(iterator->event_class);
	bt_stream_put_ref(iterator->stream);
	bt_message_iterator_put_ref(iterator->input);
	decoder_destroy(iterator->decoder);
	analysis_destroy(iterator->analysis);
	free(iterator);
}

void op_iterator_finalize(bt_self_message_iterator *self)
{
	iterator_free(bt_self_message_iterator_get_data(self));
}

bt_message_iterator_class_initialize_method_status
op_iterator_init(bt_self_message_iterator *self, bt_self_message_iterator_configuration *config,
		 bt_self_component_port_output *port)
{
	static const struct analysis_observer observer = { .op = on_op };
	struct op_iterator *iterator = calloc(1, sizeof(*iterator));
	bt_self_component_filter *filter;

	(void)config;
	(void)port;
	if (!iterator)
		return BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR;
	iterator->self = self;
	iterator->analysis = analysis_create();
	if (iterator->analysis)
		iterator->decoder = decoder_create(iterator->analysis);
	if (!iterator->decoder || analysis_observe(iterator->analysis, &observer, iterator)) {
		iterator_free(iterator);
		return BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR;
	}
	filter = (bt_self_component_filter *)bt_self_message_iterator_borrow_component(self);
	if (bt_message_iterator_create_from_message_iterator(
		    self, bt_self_component_filter_borrow_input_port_by_index(filter, 0),
		    &iterator->input) !=
	    BT_MESSAGE_ITERATOR_CREATE_FROM_MESSAGE_ITERATOR_STATUS_OK) {
		iterator_free(iterator);
		return BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_ERROR;
	}
	bt_self_message_iterator_set_data(self, iterator);
	return BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_OK;
}
