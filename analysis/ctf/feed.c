/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/ctf/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/analysis_internal.h"
#include "analysis/ctf/stream.h"
#include "analysis/event_names.h"

#define NAME_EVENT "lttng_ust_statedump:procname"

/* What the plan of an event class writes: the event, and what is worked out from the rest. */
struct feed_class {
	struct event event;
	struct event_class class;
	uint64_t pid, vpid, vtid;
	struct ctf_string procname;  /* of the context */
	struct ctf_string told_name; /* a member that tells the process's name */
	bool has_pid, has_vpid, has_procname, has_told_name;
	bool has_size, has_last, has_op_id;
	struct feed_class *next;
};

struct feed {
	struct analysis *analysis;
	struct feed_class *classes;
	uint32_t *machines; /* by number of the stream */
	uint32_t named_machine, named_pid; /* the process whose name was last told */
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
	class->class = event_class_find(event_class->name);
	class->event.kind = class->class.kind;
	class->event.op = class->class.op;
	class->event.qemu = class->class.qemu;
	class->event.non_exist = class->class.non_exist;
	class->event.name = event_class->name;
	class->next = feed->classes;
	feed->classes = class;
	return class;
}

static int32_t bind_name(struct feed_class *class, const char *name)
{
	bool tells = !strcmp(class->event.name, NAME_EVENT)
			     ? !strcmp(name, "procname")
			     : class->class.kind == EVENT_DEV_OPEN && !strcmp(name, "name");

	if (!tells)
		return -1;
	class->has_told_name = true;
	return offsetof(struct feed_class, told_name);
}

static int32_t bind_payload(void *output, const char *name, bool text, bool is_signed)
{
	struct feed_class *class = output;
	size_t offset;

	if (text)
		return bind_name(class, name);
	if (class->class.kind == EVENT_OTHER)
		return -1;
	if (!strcmp(name, "pid") && !is_signed) {
		class->has_pid = true;
		return offsetof(struct feed_class, pid);
	}
	offset = event_field_offset(&class->class, name);
	if (!offset)
		return -1;
	class->has_op_id |= offset == offsetof(struct event, op_id);
	class->has_size |= offset == offsetof(struct event, size);
	class->has_last |= offset == offsetof(struct event, last);
	class->event.has_size = class->has_size;
	return (int32_t)(offsetof(struct feed_class, event) + offset);
}

static int32_t bind_context(void *output, const char *name, bool text, bool is_signed)
{
	struct feed_class *class = output;

	(void)is_signed;
	if (text && !strcmp(name, "procname")) {
		class->has_procname = true;
		return offsetof(struct feed_class, procname);
	}
	if (!text && !strcmp(name, "vpid")) {
		class->has_vpid = true;
		return offsetof(struct feed_class, vpid);
	}
	return !text && !strcmp(name, "vtid") ? (int32_t)offsetof(struct feed_class, vtid) : -1;
}

/* ---- streams -------------------------------------------------------------------- */

static bool is_made_by(const struct ctf_metadata *metadata, const char *name)
{
	return metadata->tracer_name && !strcmp(metadata->tracer_name, name);
}

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
		const char *host = metadata->hostname, *clock = metadata->clock.uuid;
		char world[33];
		uint32_t machine;

		if (is_made_by(metadata, "ioasis-simulate")) { /* a world of its own each */
			snprintf(world, sizeof(world), "%" PRIu32, ctf_stream_trace(stream));
			host = metadata->scenario;
			clock = world;
		}
		machine = quality_machine(quality, host ? host : "", clock);
		if (machine == UINT32_MAX)
			return -ENOMEM;
		quality->machines[machine].by_lttng |= is_made_by(metadata, "lttng-ust");
		feed->machines[i] = machine;
	}
	quality->streams = count;
	return 0;
}

/* ---- events --------------------------------------------------------------------- */

static void name_process(struct feed *feed, uint32_t machine, uint32_t pid,
			 const struct ctf_string *string)
{
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)(string->bytes < 31 ? string->bytes : 31),
		 string->text);
	if (name[0] && strcmp(name, "?"))
		state_procname_set(analysis_state(feed->analysis), machine, pid, name);
}

/* What is not a field of its own: ranges both ways, the process of the call. */
static void complete(struct feed_class *class)
{
	struct event *event = &class->event;

	if (class->has_last)
		event->size = event->last - event->iova + 1;
	else if (class->has_size)
		event->last = event->iova + (event->size ? event->size - 1 : 0);
	if (class->has_pid)
		event->pid = (uint32_t)class->pid;
	else if (class->has_op_id && event->op_id)
		event->pid = (uint32_t)(event->op_id >> 32);
	else
		event->pid = (uint32_t)class->vpid;
	if (event->qemu)
		event->tid = class->vtid;
}

static void feed_event(struct feed *feed, const struct ctf_next *next)
{
	struct feed_class *class = next->output;
	struct event *event = &class->event;
	uint32_t stream = ctf_stream_number(next->stream);

	event->machine = feed->machines[stream];
	event->stream = stream;
	event->time_ns = next->time_ns;
	if (event->kind == EVENT_OTHER) {
		if (class->has_told_name && class->has_vpid)
			name_process(feed, event->machine, (uint32_t)class->vpid,
				     &class->told_name);
	} else {
		complete(class);
		if (class->has_told_name)
			name_process(feed, event->machine, event->pid, &class->told_name);
		if ((event->kind == EVENT_OP_BEGIN || event->kind == EVENT_OP_END) &&
		    class->has_procname && (feed->named_pid != event->pid ||
					    feed->named_machine != event->machine)) {
			feed->named_pid = event->pid;
			feed->named_machine = event->machine;
			name_process(feed, event->machine, event->pid, &class->procname);
		}
	}
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
	};

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
	if (!ret)
		ret = feed_all(&feed, reader, error, error_size);
	ctf_reader_destroy(reader);
	while (feed.classes) {
		struct feed_class *class = feed.classes;

		feed.classes = class->next;
		free(class);
	}
	free(feed.machines);
	return ret;
}
