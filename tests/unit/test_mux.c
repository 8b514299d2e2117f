/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of messages of several streams: analysis/decode/mux.c against babeltrace2's own
 * muxer, on random streams with all kinds of messages and many equal times.
 *
 * SEED=N runs one seed.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analysis/decode/mux.h"

#define PORTS 9
#define TRACES 4
#define SEEDS 200
#define CLASSES 3
#define STEPS 40
#define LINES (PORTS * STEPS * 8)
#define LINE_BYTES 64

/* One graph: its source makes the streams of the seed, its sink writes lines of what came. */
struct run {
	uint64_t seed;
	bool mixed_clocks; /* one stream counts from another origin */
	bool backwards;	   /* in the middle of one stream time jumps back */
	struct maker {
		struct run *run;
		uint64_t random;
		int number, steps;
		int64_t now;
		bool begun, ended;
		bt_stream *stream;
		bt_packet *packet;
		bt_event_class *classes[CLASSES];
	} makers[PORTS];
	struct mux *mux;
	enum mux_status status;
	char (*lines)[LINE_BYTES];
	size_t count;
};

static uint64_t below(uint64_t *random, uint64_t limit)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (*random >> 16) % limit;
}

/* ---- the source ----------------------------------------------------------------- */

/* Traces with UUID and name, with a UUID, with neither, and a copy of the first. */
static bt_stream *make_stream(struct maker *maker, bt_self_component *self, bt_trace **traces,
			      bt_stream_class *classes[TRACES][2], bt_clock_class *clock)
{
	static const uint8_t uuids[2][16] = { { 9, 1 }, { 3, 2 } };
	int at = maker->number % TRACES, kind = maker->number / TRACES % 2;
	bt_stream *stream;
	char name[16];

	if (!traces[at]) {
		bt_trace_class *class = bt_trace_class_create(self);

		traces[at] = bt_trace_create(class);
		if (at != 2)
			bt_trace_set_uuid(traces[at], uuids[at % 3]);
		if (at % 3 == 0)
			bt_trace_set_name(traces[at], "named");
		for (int i = 0; i < 2; i++) {
			classes[at][i] = bt_stream_class_create(class);
			bt_stream_class_set_default_clock_class(classes[at][i], clock);
			bt_stream_class_set_supports_packets(classes[at][i], BT_TRUE, i, i);
			bt_stream_class_set_supports_discarded_events(classes[at][i], BT_TRUE, i);
			bt_stream_class_set_supports_discarded_packets(classes[at][i], BT_TRUE, i);
		}
		bt_trace_class_put_ref(class);
	}
	stream = bt_stream_create(classes[at][kind], traces[at]);
	snprintf(name, sizeof(name), "s%d", maker->number);
	bt_stream_set_name(stream, name);
	return stream;
}

static bt_clock_class *make_clock(bt_self_component *self, bool is_epoch)
{
	bt_clock_class *clock = bt_clock_class_create(self);

	bt_clock_class_set_frequency(clock, 1000000000);
	bt_clock_class_set_origin_is_unix_epoch(clock, is_epoch);
	return clock;
}

static bt_component_class_initialize_method_status
source_init(bt_self_component_source *source, bt_self_component_source_configuration *config,
	    const bt_value *params, void *data)
{
	bt_self_component *self = bt_self_component_source_as_self_component(source);
	bt_stream_class *classes[TRACES][2] = { { NULL } }, *class;
	bt_clock_class *clock = make_clock(self, true), *other = make_clock(self, false);
	bt_trace *traces[TRACES] = { NULL };
	struct run *run = data;

	(void)config;
	(void)params;
	for (int i = 0; i < PORTS; i++) {
		struct maker *maker = &run->makers[i];
		char name[16];

		*maker = (struct maker){ .run = run, .number = i, .now = 1000 };
		maker->random = (run->seed * PORTS + (uint64_t)i + 1) * 0x9e3779b97f4a7c15u;
		maker->stream = make_stream(maker, self, traces, classes,
					    run->mixed_clocks && i == 2 ? other : clock);
		class = bt_stream_borrow_class(maker->stream);
		for (uint64_t id = bt_stream_class_get_event_class_count(class); id < CLASSES; id++)
			bt_event_class_put_ref(bt_event_class_create(class));
		for (uint64_t id = 0; id < CLASSES; id++)
			maker->classes[id] =
				bt_stream_class_borrow_event_class_by_id(class, id);
		snprintf(name, sizeof(name), "out%d", i);
		bt_self_component_source_add_output_port(source, name, maker, NULL);
	}
	for (int i = 0; i < TRACES; i++) {
		bt_trace_put_ref(traces[i]);
		bt_stream_class_put_ref(classes[i][0]);
		bt_stream_class_put_ref(classes[i][1]);
	}
	bt_clock_class_put_ref(clock);
	bt_clock_class_put_ref(other);
	bt_self_component_set_data(self, run);
	return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

static void source_finalize(bt_self_component_source *source)
{
	struct run *run =
		bt_self_component_get_data(bt_self_component_source_as_self_component(source));

	for (int i = 0; i < PORTS; i++) {
		bt_packet_put_ref(run->makers[i].packet);
		bt_stream_put_ref(run->makers[i].stream);
	}
}

static const bt_message *make_packet_end(struct maker *maker, bt_self_message_iterator *self,
					 bool timed)
{
	const bt_message *message =
		timed ? bt_message_packet_end_create_with_default_clock_snapshot(
				self, maker->packet, (uint64_t)maker->now)
		      : bt_message_packet_end_create(self, maker->packet);

	bt_packet_put_ref(maker->packet);
	maker->packet = NULL;
	return message;
}

static const bt_message *make_loss(struct maker *maker, bt_self_message_iterator *self, bool timed)
{
	uint64_t from = (uint64_t)maker->now, to = from + below(&maker->random, 3);
	bt_stream *stream = maker->stream;

	if (below(&maker->random, 2))
		return timed ? bt_message_discarded_events_create_with_default_clock_snapshots(
				       self, stream, from, to)
			     : bt_message_discarded_events_create(self, stream);
	return timed ? bt_message_discarded_packets_create_with_default_clock_snapshots(
			       self, stream, from, to)
		     : bt_message_discarded_packets_create(self, stream);
}

/* NULL: no more. */
static const bt_message *make_message(struct maker *maker, bt_self_message_iterator *self)
{
	bool timed = maker->number / TRACES % 2; /* its class has times of packets and losses */

	if (!maker->begun) {
		maker->begun = true;
		return bt_message_stream_beginning_create(self, maker->stream);
	}
	if (maker->ended)
		return NULL;
	maker->now += (int64_t)below(&maker->random, 3) / 2;
	if (maker->run->backwards && !maker->number && maker->steps == STEPS / 2)
		maker->now -= 500;
	if (++maker->steps < STEPS && maker->packet && below(&maker->random, 8))
		return bt_message_event_create_with_packet_and_default_clock_snapshot(
			self, maker->classes[below(&maker->random, CLASSES)], maker->packet,
			(uint64_t)maker->now);
	if (maker->packet)
		return make_packet_end(maker, self, timed);
	if (maker->steps >= STEPS) {
		maker->ended = true;
		return bt_message_stream_end_create(self, maker->stream);
	}
	if (!below(&maker->random, 3))
		return make_loss(maker, self, timed);
	maker->packet = bt_packet_create(maker->stream);
	return timed ? bt_message_packet_beginning_create_with_default_clock_snapshot(
			       self, maker->packet, (uint64_t)maker->now)
		     : bt_message_packet_beginning_create(self, maker->packet);
}

/* Now and then there is nothing yet, as in a live session. */
static bt_message_iterator_class_next_method_status iterator_next(bt_self_message_iterator *self,
								  bt_message_array_const messages,
								  uint64_t capacity,
								  uint64_t *count)
{
	struct maker *maker = bt_self_message_iterator_get_data(self);
	uint64_t limit = 1 + below(&maker->random, capacity);

	if (!below(&maker->random, 5))
		return BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_AGAIN;
	for (*count = 0; *count < limit; (*count)++) {
		messages[*count] = make_message(maker, self);
		if (!messages[*count])
			break;
	}
	return *count ? BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_OK
		      : BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_END;
}

static bt_message_iterator_class_initialize_method_status
iterator_init(bt_self_message_iterator *self, bt_self_message_iterator_configuration *config,
	      bt_self_component_port_output *port)
{
	(void)config;
	bt_self_message_iterator_set_data(
		self, bt_self_component_port_get_data(
			      bt_self_component_port_output_as_self_component_port(port)));
	return BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

static const bt_component_source *add_source(struct run *run, bt_graph *graph)
{
	bt_message_iterator_class *iterator = bt_message_iterator_class_create(iterator_next);
	bt_component_class_source *class = bt_component_class_source_create("random", iterator);
	const bt_component_source *source;

	bt_message_iterator_class_set_initialize_method(iterator, iterator_init);
	bt_component_class_source_set_initialize_method(class, source_init);
	bt_component_class_source_set_finalize_method(class, source_finalize);
	assert_int_equal(bt_graph_add_source_component_with_initialize_method_data(
				 graph, class, "source", NULL, run, BT_LOGGING_LEVEL_NONE, &source),
			 BT_GRAPH_ADD_COMPONENT_STATUS_OK);
	bt_component_class_source_put_ref(class);
	bt_message_iterator_class_put_ref(iterator);
	return source;
}

/* ---- what came ------------------------------------------------------------------ */

static const char *stream_name(const bt_message *message)
{
	const bt_stream *stream = NULL;

	switch (bt_message_get_type(message)) {
	case BT_MESSAGE_TYPE_STREAM_BEGINNING:
		stream = bt_message_stream_beginning_borrow_stream_const(message);
		break;
	case BT_MESSAGE_TYPE_STREAM_END:
		stream = bt_message_stream_end_borrow_stream_const(message);
		break;
	case BT_MESSAGE_TYPE_PACKET_BEGINNING:
		stream = bt_packet_borrow_stream_const(
			bt_message_packet_beginning_borrow_packet_const(message));
		break;
	case BT_MESSAGE_TYPE_PACKET_END:
		stream = bt_packet_borrow_stream_const(
			bt_message_packet_end_borrow_packet_const(message));
		break;
	case BT_MESSAGE_TYPE_DISCARDED_EVENTS:
		stream = bt_message_discarded_events_borrow_stream_const(message);
		break;
	case BT_MESSAGE_TYPE_DISCARDED_PACKETS:
		stream = bt_message_discarded_packets_borrow_stream_const(message);
		break;
	default:
		stream = bt_event_borrow_stream_const(bt_message_event_borrow_event_const(message));
		break;
	}
	return bt_stream_get_name(stream);
}

/* Writes a line about message and lets go of it. Returns the time of an event, else -1. */
static int64_t take(struct run *run, const bt_message *message)
{
	bool is_event = bt_message_get_type(message) == BT_MESSAGE_TYPE_EVENT;
	const bt_event *event = is_event ? bt_message_event_borrow_event_const(message) : NULL;
	int64_t time_ns = -1;

	assert_true(run->count < LINES);
	if (is_event)
		bt_clock_snapshot_get_ns_from_origin(
			bt_message_event_borrow_default_clock_snapshot_const(message), &time_ns);
	snprintf(run->lines[run->count++], LINE_BYTES, "%s type %d class %d at %" PRId64,
		 stream_name(message), (int)bt_message_get_type(message),
		 event ? (int)bt_event_class_get_id(bt_event_borrow_class_const(event)) : -1,
		 time_ns);
	bt_message_put_ref(message);
	return time_ns;
}

/* ---- babeltrace2's muxer -------------------------------------------------------- */

static bt_graph_simple_sink_component_consume_func_status reference(bt_message_iterator *iterator,
								    void *data)
{
	bt_message_array_const messages;
	bt_message_iterator_next_status status;
	uint64_t count;

	status = bt_message_iterator_next(iterator, &messages, &count);
	for (uint64_t i = 0; status == BT_MESSAGE_ITERATOR_NEXT_STATUS_OK && i < count; i++)
		take(data, messages[i]);
	return (bt_graph_simple_sink_component_consume_func_status)status;
}

/* False: the muxer is not installed. */
static bool run_reference(struct run *run)
{
	bt_graph *graph = bt_graph_create(0);
	const bt_component_source *source = add_source(run, graph);
	const bt_component_filter *muxer;
	const bt_component_sink *sink;
	const bt_plugin *plugin;

	if (bt_plugin_find("utils", BT_TRUE, BT_TRUE, BT_TRUE, BT_TRUE, BT_TRUE, &plugin) !=
	    BT_PLUGIN_FIND_STATUS_OK)
		return false;
	assert_int_equal(
		bt_graph_add_filter_component(
			graph,
			bt_plugin_borrow_filter_component_class_by_name_const(plugin, "muxer"),
			"muxer", NULL, BT_LOGGING_LEVEL_NONE, &muxer),
		BT_GRAPH_ADD_COMPONENT_STATUS_OK);
	for (uint64_t i = 0; i < PORTS; i++)
		assert_int_equal(
			bt_graph_connect_ports(
				graph,
				bt_component_source_borrow_output_port_by_index_const(source, i),
				bt_component_filter_borrow_input_port_by_index_const(muxer, i),
				NULL),
			BT_GRAPH_CONNECT_PORTS_STATUS_OK);
	bt_graph_add_simple_sink_component(graph, "sink", NULL, reference, NULL, run, &sink);
	bt_graph_connect_ports(graph,
			       bt_component_filter_borrow_output_port_by_index_const(muxer, 0),
			       bt_component_sink_borrow_input_port_by_index_const(sink, 0), NULL);
	while (bt_graph_run(graph) == BT_GRAPH_RUN_STATUS_AGAIN)
		;
	bt_current_thread_clear_error();
	bt_graph_put_ref(graph);
	bt_plugin_put_ref(plugin);
	return true;
}

/* ---- ours ----------------------------------------------------------------------- */

static struct run *run_of(bt_self_component_sink *self)
{
	return bt_self_component_get_data(bt_self_component_sink_as_self_component(self));
}

static bt_component_class_initialize_method_status
sink_init(bt_self_component_sink *self, bt_self_component_sink_configuration *config,
	  const bt_value *params, void *data)
{
	char name[16];

	(void)config;
	(void)params;
	bt_self_component_set_data(bt_self_component_sink_as_self_component(self), data);
	for (int i = 0; i < PORTS; i++) {
		snprintf(name, sizeof(name), "in%d", i);
		bt_self_component_sink_add_input_port(self, name, NULL, NULL);
	}
	return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

static bt_component_class_sink_graph_is_configured_method_status
sink_configured(bt_self_component_sink *self)
{
	struct run *run = run_of(self);
	bt_message_iterator *iterator;

	run->mux = mux_create(NULL, NULL);
	assert_non_null(run->mux);
	for (uint64_t i = 0; i < PORTS; i++) {
		bt_message_iterator_create_from_sink_component(
			self, bt_self_component_sink_borrow_input_port_by_index(self, i),
			&iterator);
		assert_int_equal(mux_add(run->mux, iterator, NULL), 0);
	}
	return BT_COMPONENT_CLASS_SINK_GRAPH_IS_CONFIGURED_METHOD_STATUS_OK;
}

static void sink_finalize(bt_self_component_sink *self)
{
	mux_destroy(run_of(self)->mux);
}

static bt_component_class_sink_consume_method_status sink_consume(bt_self_component_sink *self)
{
	struct run *run = run_of(self);
	const bt_message *message;
	int64_t time_ns, event_ns;

	run->status = mux_next(run->mux, &message, &time_ns);
	switch (run->status) {
	case MUX_OK:
		event_ns = take(run, message);
		assert_true(event_ns < 0 || event_ns == time_ns);
		return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_OK;
	case MUX_END:
		return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_END;
	case MUX_AGAIN:
		return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_AGAIN;
	default:
		return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_ERROR;
	}
}

/* Stops after that many messages; 0: at the end. */
static void run_ours(struct run *run, size_t stop)
{
	bt_component_class_sink *class = bt_component_class_sink_create("ours", sink_consume);
	bt_graph *graph = bt_graph_create(0);
	const bt_component_source *source = add_source(run, graph);
	const bt_component_sink *sink;
	bt_graph_run_once_status status;

	bt_component_class_sink_set_initialize_method(class, sink_init);
	bt_component_class_sink_set_graph_is_configured_method(class, sink_configured);
	bt_component_class_sink_set_finalize_method(class, sink_finalize);
	assert_int_equal(bt_graph_add_sink_component_with_initialize_method_data(
				 graph, class, "sink", NULL, run, BT_LOGGING_LEVEL_NONE, &sink),
			 BT_GRAPH_ADD_COMPONENT_STATUS_OK);
	for (uint64_t i = 0; i < PORTS; i++)
		bt_graph_connect_ports(
			graph, bt_component_source_borrow_output_port_by_index_const(source, i),
			bt_component_sink_borrow_input_port_by_index_const(sink, i), NULL);
	do {
		status = bt_graph_run_once(graph);
	} while ((status == BT_GRAPH_RUN_ONCE_STATUS_OK ||
		  status == BT_GRAPH_RUN_ONCE_STATUS_AGAIN) && (!stop || run->count < stop));
	bt_current_thread_clear_error();
	bt_graph_put_ref(graph);
	bt_component_class_sink_put_ref(class);
}

/* ---- tests ---------------------------------------------------------------------- */

static void run_start(struct run *run, uint64_t seed)
{
	memset(run, 0, sizeof(*run));
	run->seed = seed;
	run->lines = calloc(LINES, LINE_BYTES);
	assert_non_null(run->lines);
}

static void test_mux_order_is_that_of_the_muxer(void **state)
{
	const char *given = getenv("SEED");
	uint64_t from = given ? strtoull(given, NULL, 0) : 1, to = given ? from : SEEDS;
	static struct run theirs, ours;

	(void)state;
	for (uint64_t seed = from; seed <= to; seed++) {
		run_start(&theirs, seed);
		run_start(&ours, seed);
		if (!run_reference(&theirs))
			skip();
		run_ours(&ours, 0);
		for (size_t i = 0; i < theirs.count && i < ours.count; i++) {
			if (strcmp(theirs.lines[i], ours.lines[i]))
				fail_msg("SEED=%" PRIu64 " message %zu: '%s', the muxer has '%s'",
					 seed, i, ours.lines[i], theirs.lines[i]);
		}
		assert_true(theirs.count > PORTS * STEPS);
		assert_int_equal(ours.count, theirs.count);
		assert_int_equal(ours.status, MUX_END);
		free(theirs.lines);
		free(ours.lines);
	}
}

static void test_mux_stopped_in_the_middle_lets_go_of_what_it_holds(void **state)
{
	static struct run run;

	(void)state;
	for (size_t stop = 1; stop < 60; stop++) {
		run_start(&run, stop);
		run_ours(&run, stop);
		assert_int_equal(run.count, stop);
		free(run.lines);
	}
}

static void test_mux_of_clocks_of_different_origins_is_refused(void **state)
{
	static struct run run;

	(void)state;
	run_start(&run, 1);
	run.mixed_clocks = true;
	run_ours(&run, 0);
	assert_int_equal(run.status, MUX_CLOCKS);
	free(run.lines);
}

static void test_mux_of_a_stream_that_goes_backwards_stops(void **state)
{
	static struct run run;

	(void)state;
	run_start(&run, 1);
	run.backwards = true;
	run_ours(&run, 0);
	assert_int_equal(run.status, MUX_BACKWARDS);
	assert_true(run.count > STEPS / 2);
	free(run.lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mux_order_is_that_of_the_muxer),
		cmocka_unit_test(test_mux_stopped_in_the_middle_lets_go_of_what_it_holds),
		cmocka_unit_test(test_mux_of_clocks_of_different_origins_is_refused),
		cmocka_unit_test(test_mux_of_a_stream_that_goes_backwards_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
