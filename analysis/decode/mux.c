/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/decode/mux.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/decode/mip.h"

#define UNTIMED INT64_MIN

struct mux_input {
	bt_message_iterator *iterator;	 /* owned reference */
	const char *path;		 /* of the trace; borrowed */
	bt_message_array_const messages; /* the last batch; from at on they are ours */
	uint64_t count, at;
	int64_t time_ns; /* of messages[at]; UNTIMED: it has none and goes first */
};

struct mux {
	struct mux_input *inputs; /* those that have ended stand behind the others */
	size_t count;		    /* that have not ended */
	size_t total;
	struct mux_input *ahead;  /* gave the last message; NULL: none or it has no more */
	int64_t others_ns;	    /* the earliest time of the others' next messages */
	int64_t last_ns;
	void (*reading)(void *opaque, const char *path); /* may be NULL */
	void *reading_opaque;
	const char *path; /* what is read, or failed; borrowed of an input */
	bool untimed_first; /* a message without a time goes before all that have one */
	bool has_clock; /* of the first stream; what follows says which */
	bool is_epoch;
	bool has_clock_id;
	char clock_id[MIP_ID_BYTES];
};

struct mux *mux_create(void (*reading)(void *opaque, const char *path), void *opaque)
{
	struct mux *mux = calloc(1, sizeof(*mux));

	if (!mux)
		return NULL;
	mux->last_ns = INT64_MIN;
	mux->reading = reading;
	mux->reading_opaque = opaque;
	mux->untimed_first = bt_version_get_major() > 2 || bt_version_get_minor() >= 1;
	return mux;
}

const char *mux_path(const struct mux *mux)
{
	return mux ? mux->path : NULL;
}

void mux_destroy(struct mux *mux)
{
	if (!mux)
		return;
	for (size_t i = 0; i < mux->total; i++) {
		struct mux_input *input = &mux->inputs[i];

		while (input->at < input->count)
			bt_message_put_ref(input->messages[input->at++]);
		bt_message_iterator_put_ref(input->iterator);
	}
	free(mux->inputs);
	free(mux);
}

int mux_add(struct mux *mux, bt_message_iterator *iterator, const char *path)
{
	struct mux_input *inputs = realloc(mux->inputs, (mux->total + 1) * sizeof(*inputs));

	if (!inputs)
		return -ENOMEM;
	mux->inputs = inputs;
	inputs[mux->total++] = (struct mux_input){ .iterator = iterator, .path = path };
	mux->count = mux->total;
	return 0;
}

/* ---- times ---------------------------------------------------------------------- */

/* babeltrace2's names are long. */
#define stream_begin bt_message_stream_beginning_borrow_default_clock_snapshot_const
#define stream_end bt_message_stream_end_borrow_default_clock_snapshot_const
#define packet_begin bt_message_packet_beginning_borrow_default_clock_snapshot_const
#define packet_end bt_message_packet_end_borrow_default_clock_snapshot_const
#define lost_events_begin bt_message_discarded_events_borrow_beginning_default_clock_snapshot_const
#define lost_packets_begin \
	bt_message_discarded_packets_borrow_beginning_default_clock_snapshot_const
#define inactive bt_message_message_iterator_inactivity_borrow_clock_snapshot_const
#define STREAM_TIME_KNOWN BT_MESSAGE_STREAM_CLOCK_SNAPSHOT_STATE_KNOWN

/* The stream that message is of; NULL: an inactivity message is of none. */
static const bt_stream *message_stream(const bt_message *message)
{
	switch (bt_message_get_type(message)) {
	case BT_MESSAGE_TYPE_STREAM_BEGINNING:
		return bt_message_stream_beginning_borrow_stream_const(message);
	case BT_MESSAGE_TYPE_STREAM_END:
		return bt_message_stream_end_borrow_stream_const(message);
	case BT_MESSAGE_TYPE_EVENT:
		return bt_event_borrow_stream_const(bt_message_event_borrow_event_const(message));
	case BT_MESSAGE_TYPE_PACKET_BEGINNING:
		return bt_packet_borrow_stream_const(
			bt_message_packet_beginning_borrow_packet_const(message));
	case BT_MESSAGE_TYPE_PACKET_END:
		return bt_packet_borrow_stream_const(
			bt_message_packet_end_borrow_packet_const(message));
	case BT_MESSAGE_TYPE_DISCARDED_EVENTS:
		return bt_message_discarded_events_borrow_stream_const(message);
	case BT_MESSAGE_TYPE_DISCARDED_PACKETS:
		return bt_message_discarded_packets_borrow_stream_const(message);
	case BT_MESSAGE_TYPE_MESSAGE_ITERATOR_INACTIVITY:
		break;
	}
	return NULL;
}

/* When message takes place; NULL: it does not tell. Not for events. */
static const bt_clock_snapshot *message_clock(const bt_message *message)
{
	const bt_stream *stream = message_stream(message);
	const bt_stream_class *class = stream ? bt_stream_borrow_class_const(stream) : NULL;
	const bt_clock_snapshot *clock = NULL;

	if (!stream)
		return inactive(message);
	if (!bt_stream_class_borrow_default_clock_class_const(class))
		return NULL;
	switch (bt_message_get_type(message)) {
	case BT_MESSAGE_TYPE_STREAM_BEGINNING:
		return stream_begin(message, &clock) == STREAM_TIME_KNOWN ? clock : NULL;
	case BT_MESSAGE_TYPE_STREAM_END:
		return stream_end(message, &clock) == STREAM_TIME_KNOWN ? clock : NULL;
	case BT_MESSAGE_TYPE_PACKET_BEGINNING:
		if (bt_stream_class_packets_have_beginning_default_clock_snapshot(class))
			clock = packet_begin(message);
		return clock;
	case BT_MESSAGE_TYPE_PACKET_END:
		if (bt_stream_class_packets_have_end_default_clock_snapshot(class))
			clock = packet_end(message);
		return clock;
	case BT_MESSAGE_TYPE_DISCARDED_EVENTS:
		if (bt_stream_class_discarded_events_have_default_clock_snapshots(class))
			clock = lost_events_begin(message);
		return clock;
	case BT_MESSAGE_TYPE_DISCARDED_PACKETS:
		if (bt_stream_class_discarded_packets_have_default_clock_snapshots(class))
			clock = lost_packets_begin(message);
		return clock;
	default:
		return NULL;
	}
}

/* True when times of clock (NULL: none, nothing to compare) go with those of the first one. */
static bool clock_fits(struct mux *mux, const bt_clock_class *clock)
{
	char text[MIP_ID_BYTES];
	const char *id;
	bool is_epoch;

	if (!clock)
		return true;
	is_epoch = bt_clock_class_origin_is_unix_epoch(clock);
	id = mip_clock_id(clock, text);
	if (!mux->has_clock) {
		mux->has_clock = true;
		mux->is_epoch = is_epoch;
		mux->has_clock_id = id;
		if (id)
			strcpy(mux->clock_id, id);
	}
	if (is_epoch || mux->is_epoch)
		return is_epoch == mux->is_epoch;
	if (!id || !mux->has_clock_id)
		return !id == !mux->has_clock_id;
	return !strcmp(mux->clock_id, id);
}

static inline enum mux_status clock_time(const bt_clock_snapshot *clock, int64_t *time_ns)
{
	return bt_clock_snapshot_get_ns_from_origin(clock, time_ns) ==
			       BT_CLOCK_SNAPSHOT_GET_NS_FROM_ORIGIN_STATUS_OK
		       ? MUX_OK
		       : MUX_BACKWARDS;
}

/* Of messages other than events: whether the clock goes with the others, and the time. */
static enum mux_status read_other_time(struct mux *mux, const bt_message *message,
				       int64_t *time_ns)
{
	const bt_clock_snapshot *clock = message_clock(message);
	const bt_clock_class *class = NULL;

	if (bt_message_get_type(message) == BT_MESSAGE_TYPE_STREAM_BEGINNING)
		class = bt_stream_class_borrow_default_clock_class_const(
			bt_stream_borrow_class_const(message_stream(message)));
	else if (bt_message_get_type(message) == BT_MESSAGE_TYPE_MESSAGE_ITERATOR_INACTIVITY)
		class = bt_clock_snapshot_borrow_clock_class_const(clock);
	if (!clock_fits(mux, class))
		return MUX_CLOCKS;
	*time_ns = mux->untimed_first ? UNTIMED : mux->last_ns;
	return clock ? clock_time(clock, time_ns) : MUX_OK;
}

/* Reads the time of the input's next message. */
static inline enum mux_status read_time(struct mux *mux, struct mux_input *input)
{
	const bt_message *message = input->messages[input->at];

	if (__builtin_expect(bt_message_get_type(message) != BT_MESSAGE_TYPE_EVENT, 0))
		return read_other_time(mux, message, &input->time_ns);
	return clock_time(bt_message_event_borrow_default_clock_snapshot_const(message),
			  &input->time_ns);
}

/* ---- order at equal times ------------------------------------------------------- */

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_traces(const bt_trace *a, const bt_trace *b)
{
	const char *name_a = bt_trace_get_name(a), *name_b = bt_trace_get_name(b);
	char text_a[MIP_ID_BYTES], text_b[MIP_ID_BYTES];
	const char *id_a = mip_trace_id(a, text_a), *id_b = mip_trace_id(b, text_b);
	int order;

	if (!id_a != !id_b)
		return id_a ? -1 : 1;
	order = id_a ? strcmp(id_a, id_b) : 0;
	if (order)
		return order;
	if (!name_a != !name_b)
		return name_a ? -1 : 1;
	return name_a ? strcmp(name_a, name_b) : 0;
}

/* Its trace, then its class, then its number. */
static int compare_streams(const bt_stream *a, const bt_stream *b)
{
	uint64_t class_a = bt_stream_class_get_id(bt_stream_borrow_class_const(a));
	uint64_t class_b = bt_stream_class_get_id(bt_stream_borrow_class_const(b));
	int order = compare_traces(bt_stream_borrow_trace_const(a),
				   bt_stream_borrow_trace_const(b));

	if (order)
		return order;
	if (class_a != class_b)
		return COMPARE(class_a, class_b);
	return COMPARE(bt_stream_get_id(a), bt_stream_get_id(b));
}

/* Kinds of messages in their order at one time. */
static int type_rank(bt_message_type type)
{
	switch (type) {
	case BT_MESSAGE_TYPE_STREAM_BEGINNING:
		return 0;
	case BT_MESSAGE_TYPE_PACKET_BEGINNING:
		return 1;
	case BT_MESSAGE_TYPE_EVENT:
		return 2;
	case BT_MESSAGE_TYPE_DISCARDED_EVENTS:
		return 3;
	case BT_MESSAGE_TYPE_PACKET_END:
		return 4;
	case BT_MESSAGE_TYPE_MESSAGE_ITERATOR_INACTIVITY:
		return 5;
	case BT_MESSAGE_TYPE_DISCARDED_PACKETS:
		return 6;
	case BT_MESSAGE_TYPE_STREAM_END:
		break;
	}
	return 7;
}

static uint64_t event_class_id(const bt_message *message)
{
	return bt_event_class_get_id(
		bt_event_borrow_class_const(bt_message_event_borrow_event_const(message)));
}

/* Of two copies of one trace. */
static int compare_stream_names(const bt_stream *a, const bt_stream *b)
{
	const char *name_a = bt_stream_get_name(a), *name_b = bt_stream_get_name(b);

	if (!name_a != !name_b)
		return name_a ? 1 : -1;
	return name_a ? strcmp(name_a, name_b) : 0;
}

/* Negative: a comes first; 0: nothing tells them apart. */
static int compare_messages(const bt_message *a, const bt_message *b)
{
	bt_message_type type_a = bt_message_get_type(a), type_b = bt_message_get_type(b);
	const bt_stream *stream_a = message_stream(a), *stream_b = message_stream(b);
	int order = 0;

	if (!stream_a != !stream_b)
		return stream_a ? -1 : 1;
	if (stream_a)
		order = compare_streams(stream_a, stream_b);
	if (!order)
		order = type_rank(type_a) - type_rank(type_b);
	if (!order && type_a == BT_MESSAGE_TYPE_EVENT)
		order = COMPARE(event_class_id(a), event_class_id(b));
	if (!order && stream_a)
		order = compare_stream_names(stream_a, stream_b);
	return order;
}

/* ---- messages ------------------------------------------------------------------- */

/* Gets a batch of messages for an input that has none. */
static enum mux_status fill(struct mux *mux, struct mux_input *input)
{
	input->at = 0;
	input->count = 0;
	if (mux->path != input->path) {
		mux->path = input->path;
		if (mux->reading)
			mux->reading(mux->reading_opaque, input->path);
	}
	switch (bt_message_iterator_next(input->iterator, &input->messages, &input->count)) {
	case BT_MESSAGE_ITERATOR_NEXT_STATUS_OK:
		return read_time(mux, input);
	case BT_MESSAGE_ITERATOR_NEXT_STATUS_END:
		input->count = 0;
		return MUX_END;
	case BT_MESSAGE_ITERATOR_NEXT_STATUS_AGAIN:
		input->count = 0;
		return MUX_AGAIN;
	default:
		input->count = 0;
		return MUX_ERROR;
	}
}

/* Sees to it that every input that has not ended has a message. */
static enum mux_status fill_all(struct mux *mux)
{
	for (size_t i = 0; i < mux->count;) {
		struct mux_input *input = &mux->inputs[i], ended;
		enum mux_status status = input->at < input->count ? MUX_OK
								    : fill(mux, input);

		if (status == MUX_OK) {
			i++;
		} else if (status == MUX_END) {
			ended = *input;
			*input = mux->inputs[--mux->count];
			mux->inputs[mux->count] = ended;
		} else {
			return status;
		}
	}
	return MUX_OK;
}

/* Finds whose message comes next, and up to when it stays ahead. */
static enum mux_status choose(struct mux *mux)
{
	enum mux_status status = fill_all(mux);
	struct mux_input *first = mux->inputs;

	mux->others_ns = INT64_MAX;
	if (status != MUX_OK)
		return status;
	if (!mux->count)
		return MUX_END;
	for (size_t i = 1; i < mux->count; i++) {
		struct mux_input *input = &mux->inputs[i];
		int order = COMPARE(input->time_ns, first->time_ns);

		if (!order)
			order = compare_messages(input->messages[input->at],
						 first->messages[first->at]);
		if (order < 0) {
			mux->others_ns = first->time_ns;
			first = input;
		} else if (input->time_ns < mux->others_ns) {
			mux->others_ns = input->time_ns;
		}
	}
	mux->ahead = first;
	return MUX_OK;
}

enum mux_status mux_next(struct mux *mux, const bt_message **message, int64_t *time_ns)
{
	struct mux_input *input = mux->ahead;
	enum mux_status status = MUX_OK;
	bool is_ahead = false;

	if (input && input->at < input->count) {
		status = read_time(mux, input);
		is_ahead = input->time_ns < mux->others_ns;
	}
	if (status != MUX_OK)
		mux->path = input->path;
	if (status == MUX_OK && !is_ahead) {
		mux->ahead = NULL;
		status = choose(mux);
		input = mux->ahead;
	}
	if (status != MUX_OK)
		return status;
	if (input->time_ns != UNTIMED && input->time_ns < mux->last_ns) {
		mux->path = input->path;
		return MUX_BACKWARDS;
	}
	if (input->time_ns != UNTIMED)
		mux->last_ns = input->time_ns;
	*time_ns = mux->last_ns;
	*message = input->messages[input->at++];
	return MUX_OK;
}
