/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/ctf/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/analysis_internal.h"
#include "analysis/ctf/stream.h"
#include "analysis/decode/decoded.h"

/* What the plan of an event class writes. */
struct feed_class {
	struct decoded decoded;
	struct ctf_string procname;  /* of the context; NULL where it has none */
	struct ctf_string told_name; /* a member that tells the process's name; likewise */
	struct ctf_string text;	     /* the event's text; likewise */
	struct feed_class *next;
};

struct feed {
	struct analysis *analysis;
	struct feed_class *classes;
	uint32_t *machines; /* by number of the stream */
	struct decoded_names names;
};

/* ---- classes -------------------------------------------------------------------- */

static void *class_begin(void *opaque, const struct ctf_metadata *metadata,
			 const struct ctf_event_class *event_class)
{
	struct feed_class *class = calloc(1, sizeof(*class));
	struct feed *feed = opaque;

	(void)metadata;
	if (!class)
		return NULL;
	decoded_init(&class->decoded, event_class->name);
	class->next = feed->classes;
	feed->classes = class;
	return class;
}

static int32_t bind_payload(void *output, const char *name, bool text, bool is_signed)
{
	struct feed_class *class = output;

	if (text && decoded_is_text(&class->decoded, name))
		return (int32_t)offsetof(struct feed_class, text);
	if (text)
		return decoded_is_name(&class->decoded, name)
			       ? (int32_t)offsetof(struct feed_class, told_name) : -1;
	return decoded_member(&class->decoded, name, is_signed);
}

static int32_t bind_context(void *output, const char *name, bool text, bool is_signed)
{
	struct feed_class *class = output;

	(void)is_signed;
	if (text)
		return strcmp(name, "procname") ? -1
						: (int32_t)offsetof(struct feed_class, procname);
	return decoded_context_member(&class->decoded, name);
}

/* ---- streams -------------------------------------------------------------------- */

/* Tells the quality of each stream, in their order. 0 or -ENOMEM. */
static int begin_streams(struct feed *feed, const struct ctf_reader *reader)
{
	struct quality *quality = analysis_quality(feed->analysis);
	size_t count = ctf_reader_streams(reader);

	feed->machines = calloc(count + 1, sizeof(*feed->machines));
	if (!feed->machines)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct ctf_stream *stream = ctf_reader_stream(reader, i);
		const struct ctf_metadata *metadata = ctf_stream_metadata(stream);
		char world[16];
		const struct decoded_origin origin = {
			.hostname = metadata->hostname,
			.tracer_name = metadata->tracer_name,
			.scenario = metadata->scenario,
			.clock_uuid = metadata->clock.uuid,
			.world = world,
		};

		snprintf(world, sizeof(world), "%" PRIu32, ctf_stream_trace(stream));
		feed->machines[i] = decoded_machine(feed->analysis, &origin);
		if (feed->machines[i] == UINT32_MAX)
			return -ENOMEM;
	}
	quality->streams = count;
	return 0;
}

/* ---- events --------------------------------------------------------------------- */

static void feed_event(struct feed *feed, const struct ctf_next *next)
{
	struct feed_class *class = next->output;
	struct event *event = &class->decoded.event;
	uint32_t stream = ctf_stream_number(next->stream);

	event->machine = feed->machines[stream];
	event->stream = stream;
	event->time_ns = next->time_ns;
	decoded_finish(&class->decoded);
	event->text = class->text.text;
	event->text_bytes = class->text.bytes;
	if (class->told_name.text)
		decoded_name(&class->decoded, feed->analysis, class->told_name.text,
			     class->told_name.bytes);
	if (class->procname.text && decoded_wants_name(&class->decoded, &feed->names))
		decoded_name(&class->decoded, feed->analysis, class->procname.text,
			     class->procname.bytes);
	analysis_event(feed->analysis, event);
}

static void feed_loss(struct feed *feed, const struct ctf_next *next, bool packets)
{
	uint32_t stream = ctf_stream_number(next->stream);
	struct event_loss loss = {
		.machine = feed->machines[stream],
		.stream = stream,
		.first_ns = next->first_ns,
		.last_ns = next->last_ns,
		.events = packets ? 0 : next->count,
		.packets = packets ? next->count : 0,
		.lacks = EVENT_LAYERS_ALL,
		.pid = (uint32_t)ctf_stream_metadata(next->stream)->vpid,
	};
	const struct ctf_event_class *class = ctf_stream_class_of(next->stream)->events;

	for (; class; class = class->next)
		loss.lacks &= ~decoded_layers(class->name);

	analysis_loss(feed->analysis, &loss);
}

static int feed_all(struct feed *feed, struct ctf_reader *reader, char *error, size_t error_size)
{
	while (!analysis_stopped(feed->analysis)) {
		struct ctf_next next;

		switch (ctf_reader_next(reader, &next)) {
		case CTF_EVENT:
			feed_event(feed, &next);
			break;
		case CTF_LOST_EVENTS:
			feed_loss(feed, &next, false);
			break;
		case CTF_LOST_PACKETS:
			feed_loss(feed, &next, true);
			break;
		case CTF_END:
			return 0;
		case CTF_FAILED:
			snprintf(error, error_size, "%s", ctf_reader_error(reader));
			return -EIO;
		}
	}
	return 0;
}

static void bytes(const void *opaque, uint64_t *done, uint64_t *total)
{
	ctf_reader_bytes(opaque, done, total);
}

int ctf_feed(struct analysis *analysis, char *const *folders, size_t count, char *error,
	     size_t error_size)
{
	struct feed feed = { .analysis = analysis };
	struct ctf_user user = { class_begin, bind_payload, bind_context, &feed };
	struct ctf_reader *reader = ctf_reader_create(&user);
	int ret = reader ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < count; i++)
		ret = ctf_reader_open(reader, folders[i]);
	if (!ret)
		ret = ctf_reader_start(reader);
	if (!ret && !ctf_reader_streams(reader))
		ret = -ENOTSUP; /* babeltrace2 says what is wrong */
	if (!ret)
		ret = begin_streams(&feed, reader);
	if (!ret) {
		analysis->bytes = bytes;
		analysis->bytes_opaque = reader;
		ret = feed_all(&feed, reader, error, error_size);
		analysis->bytes = NULL;
	}
	ctf_reader_destroy(reader);
	while (feed.classes) {
		struct feed_class *class = feed.classes;

		feed.classes = class->next;
		free(class);
	}
	free(feed.machines);
	return ret;
}
