/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/ctf/stream.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "analysis/ctf/trace.h"

#define BACKWARDS "time goes backwards in one of the streams"

/* What is in memory of a packet at one time, unless an event is larger. */
#define WINDOW_BYTES (128u << 10)

void ctf_stream_fini(struct ctf_stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	free(stream->buffer);
	free(stream->packets);
}

const struct ctf_metadata *ctf_stream_metadata(const struct ctf_stream *stream)
{
	return stream->trace->metadata;
}

const struct ctf_stream_class *ctf_stream_class_of(const struct ctf_stream *stream)
{
	return stream->layout->class;
}

uint32_t ctf_stream_number(const struct ctf_stream *stream)
{
	return stream->number;
}

uint32_t ctf_stream_trace(const struct ctf_stream *stream)
{
	return stream->trace->number;
}

static bool has_role(const struct ctf_stream *stream, enum ctf_role role)
{
	return ctf_plan_roles(stream->layout->context) & 1u << role;
}

static void fail(struct ctf_stream *stream, const char *why)
{
	stream->item = CTF_FAILED;
	stream->failure = why;
}

/* ---- memory --------------------------------------------------------------------- */

static bool open_file(struct ctf_stream *stream, uint32_t file)
{
	if (stream->fd >= 0 && stream->fd_file == file)
		return true;
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = open(stream->trace->files[file], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	stream->fd_file = file;
	return stream->fd >= 0;
}

/* Brings the packet from bit `from` on into memory, more of it than before if from is the same. */
static bool fill_window(struct ctf_stream *stream, const struct ctf_packet *packet, uint64_t from)
{
	uint64_t first = from & ~(uint64_t)63, bytes = (packet->bits - first) / 8, done = 0;
	size_t size = stream->buffer_bytes;
	struct ctf_cursor *cursor = &stream->cursor;

	if (!size)
		size = WINDOW_BYTES;
	else if (cursor->first == first && stream->window_end)
		size *= 2;
	if (size != stream->buffer_bytes) {
		uint8_t *buffer = realloc(stream->buffer, size);

		if (!buffer)
			return false;
		stream->buffer = buffer;
		stream->buffer_bytes = size;
	}
	if (bytes > size)
		bytes = size;
	while (done < bytes) {
		ssize_t got = pread(stream->fd, stream->buffer + done, bytes - done,
				    packet->offset + (off_t)(first / 8 + done));

		if (got <= 0)
			return false;
		done += (uint64_t)got;
	}
	cursor->window = stream->buffer;
	cursor->first = first;
	stream->window_end = first + 8 * bytes;
	cursor->limit = stream->window_end < packet->content ? stream->window_end
							     : packet->content;
	return true;
}

/* ---- events --------------------------------------------------------------------- */

/* Makes more of the event's packet available and goes back to the event's beginning. */
static bool go_back(struct ctf_stream *stream)
{
	if (!fill_window(stream, &stream->packets[stream->packet], stream->event_at)) {
		fail(stream, "a stream's file cannot be read on");
		return false;
	}
	stream->cursor.at = stream->event_at;
	stream->cursor.clock = stream->event_clock;
	return true;
}

static bool has_more(const struct ctf_stream *stream)
{
	return stream->cursor.limit < stream->packets[stream->packet].content;
}

static void fail_event(struct ctf_stream *stream, enum ctf_step_result result)
{
	fail(stream, result == CTF_SHORT
			     ? "an event goes on behind the end of its packet"
			     : "a packet holds an event that the metadata does not describe");
}

/* The header of the event at the cursor: its time and its class. */
static bool read_header(struct ctf_stream *stream)
{
	const struct ctf_layout *layout = stream->layout;
	struct ctf_cursor *cursor = &stream->cursor;
	enum ctf_step_result result;
	uint64_t id;

	for (;;) {
		cursor->role[CTF_ROLE_EVENT_ID] = layout->only_id;
		result = ctf_plan_run(layout->header, cursor, NULL);
		if (result != CTF_SHORT || !has_more(stream))
			break;
		if (!go_back(stream))
			return false;
	}
	id = cursor->role[CTF_ROLE_EVENT_ID];
	if (result == CTF_READ && (id >= layout->classes_count || !layout->classes[id].plan))
		result = CTF_BAD;
	if (result != CTF_READ) {
		fail_event(stream, result);
		return false;
	}
	stream->event = &layout->classes[id];
	return true;
}

static void begin_event(struct ctf_stream *stream)
{
	struct ctf_cursor *cursor = &stream->cursor;

	stream->event_at = cursor->at;
	stream->event_clock = cursor->clock;
	if (!read_header(stream))
		return;
	stream->item = CTF_EVENT;
	if (!ctf_trace_ns(stream->trace, cursor->clock, &stream->order_ns))
		fail(stream, "the time of an event cannot be told in ns");
	stream->next.time_ns = stream->order_ns;
}

void ctf_stream_take(struct ctf_stream *stream)
{
	enum ctf_step_result result;

	for (;;) {
		stream->next.output = stream->event->output;
		result = ctf_plan_run(stream->event->plan, &stream->cursor, stream->next.output);
		if (result != CTF_SHORT || !has_more(stream))
			break;
		if (!go_back(stream) || !read_header(stream))
			return;
	}
	if (result != CTF_READ)
		fail_event(stream, result);
}

/* ---- loss ----------------------------------------------------------------------- */

/* Sets the window [first, last] of a loss, where the packets tell their time. */
static void set_loss(struct ctf_stream *stream, enum ctf_item item, uint64_t first, uint64_t last,
		     uint64_t count)
{
	struct ctf_next *next = &stream->next;

	stream->item = item;
	next->count = count;
	next->first_ns = INT64_MIN;
	next->last_ns = INT64_MAX;
	if (!has_role(stream, CTF_ROLE_BEGIN) || !has_role(stream, CTF_ROLE_END))
		return; /* its place in the order stays that of what came before */
	if (!ctf_trace_ns(stream->trace, first, &next->first_ns) ||
	    !ctf_trace_ns(stream->trace, last, &next->last_ns))
		fail(stream, "the time of a packet cannot be told in ns");
	else
		stream->order_ns = next->first_ns;
}

/* Whether the tracer's counter says that events are missing up to this packet's end. */
static bool lost_events(struct ctf_stream *stream, const struct ctf_packet *packet)
{
	const struct ctf_packet *before = stream->packet ? packet - 1 : NULL;

	if (!has_role(stream, CTF_ROLE_DISCARDED))
		return false;
	if (!before) {
		if (packet->discarded) /* before or in this packet: how many is not known */
			set_loss(stream, CTF_LOST_EVENTS, packet->begin, packet->end, 0);
		return packet->discarded;
	}
	if (packet->discarded == before->discarded)
		return false;
	set_loss(stream, CTF_LOST_EVENTS, before->end, packet->end,
		 packet->discarded - before->discarded);
	return true;
}

static bool lost_packets(struct ctf_stream *stream, const struct ctf_packet *packet)
{
	const struct ctf_packet *before = stream->packet ? packet - 1 : NULL;

	if (!before || !has_role(stream, CTF_ROLE_SEQ) || packet->seq - before->seq <= 1)
		return false;
	set_loss(stream, CTF_LOST_PACKETS, before->end, packet->begin,
		 packet->seq - before->seq - 1);
	return true;
}

/* ---- the next of all these ------------------------------------------------------- */

static bool begin_events(struct ctf_stream *stream, const struct ctf_packet *packet)
{
	struct ctf_cursor *cursor = &stream->cursor;

	cursor->at = packet->events;
	if (has_role(stream, CTF_ROLE_BEGIN))
		cursor->clock = packet->begin;
	stream->window_end = 0;
	return packet->events == packet->content ||
	       (open_file(stream, packet->file) && fill_window(stream, packet, packet->events));
}

void ctf_stream_advance(struct ctf_stream *stream)
{
	for (;;) {
		const struct ctf_packet *packet = &stream->packets[stream->packet];

		switch (stream->at) {
		case CTF_AT_PACKET:
			if (stream->packet == stream->packets_count) {
				stream->item = CTF_END;
				return;
			}
			stream->at = CTF_AT_LOST_PACKETS;
			if (lost_events(stream, packet))
				return;
			break;
		case CTF_AT_LOST_PACKETS:
			stream->at = CTF_AT_EVENTS_BEGIN;
			if (lost_packets(stream, packet))
				return;
			break;
		case CTF_AT_EVENTS_BEGIN:
			if (has_role(stream, CTF_ROLE_BEGIN) &&
			    packet->begin < stream->cursor.clock) {
				fail(stream, BACKWARDS);
				return;
			}
			if (!begin_events(stream, packet)) {
				fail(stream, "a stream's file cannot be read");
				return;
			}
			stream->at = CTF_AT_EVENTS;
			break;
		case CTF_AT_EVENTS:
			if (stream->cursor.at < packet->content) {
				begin_event(stream);
				return;
			}
			if (has_role(stream, CTF_ROLE_END) &&
			    packet->end < stream->cursor.clock) {
				fail(stream, BACKWARDS);
				return;
			}
			stream->at = CTF_AT_PACKET;
			stream->packet++;
			break;
		}
	}
}
