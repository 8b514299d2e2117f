/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Export to Perfetto's own format: a Trace of TracePackets with TrackEvents.
 *
 * Field numbers are those published in protos/perfetto/trace/ of Perfetto
 * (trace_packet.proto, track_event/track_event.proto, track_descriptor.proto,
 * process_descriptor.proto, thread_descriptor.proto, counter_descriptor.proto,
 * debug_annotation.proto, interned_data.proto).
 *
 * Tracks: one a process, one a thread below it for its calls (an ioctl lies in the
 * call that made it), further ones where calls overlap without one being part of
 * the other, and two counters a process: live bytes and live mappings. What was
 * lost is on a track of its own.
 */
#include "analysis/export/export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/export/proto_out.h"
#include "analysis/table.h"

enum {
	/* Trace */
	TRACE_PACKET = 1,
	/* TracePacket */
	PACKET_TIMESTAMP = 8,
	PACKET_SEQUENCE_ID = 10,
	PACKET_TRACK_EVENT = 11,
	PACKET_INTERNED_DATA = 12,
	PACKET_SEQUENCE_FLAGS = 13,
	PACKET_TRACK_DESCRIPTOR = 60,
	PACKET_MACHINE_ID = 98,
	/* its sequence_flags */
	SEQUENCE_CLEARED = 1,
	SEQUENCE_NEEDS_STATE = 2,
	/* TrackDescriptor */
	TRACK_UUID = 1,
	TRACK_NAME = 2,
	TRACK_PROCESS = 3,
	TRACK_THREAD = 4,
	TRACK_PARENT_UUID = 5,
	TRACK_COUNTER = 8,
	/* ProcessDescriptor */
	PROCESS_PID = 1,
	PROCESS_NAME = 6,
	/* ThreadDescriptor */
	THREAD_PID = 1,
	THREAD_TID = 2,
	/* CounterDescriptor */
	COUNTER_UNIT = 3,
	COUNTER_UNIT_COUNT = 2,
	COUNTER_UNIT_BYTES = 3,
	/* TrackEvent */
	EVENT_DEBUG_ANNOTATIONS = 4,
	EVENT_TYPE = 9,
	EVENT_NAME_IID = 10,
	EVENT_TRACK_UUID = 11,
	EVENT_CATEGORIES = 22,
	EVENT_NAME = 23,
	EVENT_COUNTER_VALUE = 30,
	/* its types */
	TYPE_BEGIN = 1,
	TYPE_END = 2,
	TYPE_INSTANT = 3,
	TYPE_COUNTER = 4,
	/* DebugAnnotation */
	ANNOTATION_NAME_IID = 1,
	ANNOTATION_UINT = 3,
	ANNOTATION_INT = 4,
	ANNOTATION_STRING = 6,
	/* InternedData, EventName, DebugAnnotationName */
	INTERNED_EVENT_NAMES = 2,
	INTERNED_ANNOTATION_NAMES = 3,
	NAME_IID = 1,
	NAME_NAME = 2,
};

/* What is said about an event; the names are interned by the first packet. */
enum annotation {
	ABOUT_OP_ID = 1,
	ABOUT_ID,
	ABOUT_NEW_ID,
	ABOUT_IOVA,
	ABOUT_BYTES,
	ABOUT_RET,
	ABOUT_ERROR,
	ABOUT_NOTE,
	ABOUT_EVENTS,
	ABOUT_PACKETS,
	ABOUT_LOST_EVENTS,
	ABOUT_LOST_PACKETS,
	ABOUT_MISSING_COMMITS,
	ABOUT_STREAMS,
	ABOUT_COUNT,
};

static const char *const annotation_names[ABOUT_COUNT] = {
	[ABOUT_OP_ID] = "op_id",
	[ABOUT_ID] = "id",
	[ABOUT_NEW_ID] = "new_id",
	[ABOUT_IOVA] = "iova",
	[ABOUT_BYTES] = "bytes",
	[ABOUT_RET] = "ret",
	[ABOUT_ERROR] = "error",
	[ABOUT_NOTE] = "note",
	[ABOUT_EVENTS] = "events",
	[ABOUT_PACKETS] = "packets",
	[ABOUT_LOST_EVENTS] = "lost_events",
	[ABOUT_LOST_PACKETS] = "lost_packets",
	[ABOUT_MISSING_COMMITS] = "missing_commits",
	[ABOUT_STREAMS] = "streams",
};

#define SEQUENCE_ID 1
#define UUID_LOSS 1
#define UUID_QUALITY 2

/* A process and its counters. */
struct process {
	uint64_t uuid, bytes_uuid, mappings_uuid;
	uint64_t live_bytes, live_mappings;
	uint32_t machine;
	/*
	 * Perfetto takes two processes with one number for the same, and two threads as well; but
	 * traces of two machines, containers or days have such. Each further one has a namesake
	 * number: bits above those that a process id can have.
	 */
	uint32_t namesake;
};

#define NAMESAKE_SHIFT 22 /* PID_MAX_LIMIT of the kernel */

/* A row of calls: a thread, or one more beside it. */
struct lane {
	uint64_t uuid;
	const struct state_op *top; /* the innermost call under way; NULL: free */
	struct lane *next;	    /* the further lanes of the thread */
};

/* How many processes have a number. */
struct namesakes {
	uint32_t count;
};

struct perfetto {
	struct analysis *analysis;
	FILE *file; /* borrowed */
	uint64_t next_uuid;
	struct table pids;	/* pid -> struct namesakes, owned */
	struct table processes; /* (pid, machine) -> struct process, owned */
	struct table lanes;	/* (process << 32 | tid, machine) -> struct lane, owned */
	struct table under_way; /* (op_id, process) -> its lane */
	bool interned[OP_COUNT];
	bool failed;
};

/* ---- packets --------------------------------------------------------------------- */

static void packet_write(struct perfetto *p, struct proto_out *packet)
{
	struct proto_out head;

	proto_out_init(&head);
	proto_out_u64(packet, PACKET_SEQUENCE_ID, SEQUENCE_ID);
	if (packet->full)
		p->failed = true;
	proto_out_head(&head, TRACE_PACKET, packet->len);
	fwrite(head.bytes, 1, head.len, p->file);
	fwrite(packet->bytes, 1, packet->len, p->file);
}

static void track_write(struct perfetto *p, const struct proto_out *track, uint32_t machine)
{
	struct proto_out packet;

	proto_out_init(&packet);
	proto_out_message(&packet, PACKET_TRACK_DESCRIPTOR, track);
	if (machine)
		proto_out_u64(&packet, PACKET_MACHINE_ID, machine);
	packet_write(p, &packet);
}

static void plain_track_write(struct perfetto *p, uint64_t uuid, uint64_t parent,
			      const char *name, uint32_t machine)
{
	struct proto_out track;

	proto_out_init(&track);
	proto_out_u64(&track, TRACK_UUID, uuid);
	proto_out_string(&track, TRACK_NAME, name);
	if (parent)
		proto_out_u64(&track, TRACK_PARENT_UUID, parent);
	track_write(p, &track, machine);
}

static void counter_track_write(struct perfetto *p, uint64_t uuid, uint64_t parent,
				const char *name, unsigned int unit, uint32_t machine)
{
	struct proto_out track, counter;

	proto_out_init(&counter);
	proto_out_u64(&counter, COUNTER_UNIT, unit);
	proto_out_init(&track);
	proto_out_u64(&track, TRACK_UUID, uuid);
	proto_out_string(&track, TRACK_NAME, name);
	proto_out_u64(&track, TRACK_PARENT_UUID, parent);
	proto_out_message(&track, TRACK_COUNTER, &counter);
	track_write(p, &track, machine);
}

static void annotate_u64(struct proto_out *event, enum annotation about, uint64_t value)
{
	struct proto_out annotation;

	proto_out_init(&annotation);
	proto_out_u64(&annotation, ANNOTATION_NAME_IID, about);
	proto_out_u64(&annotation, ANNOTATION_UINT, value);
	proto_out_message(event, EVENT_DEBUG_ANNOTATIONS, &annotation);
}

static void annotate_i64(struct proto_out *event, enum annotation about, int64_t value)
{
	struct proto_out annotation;

	proto_out_init(&annotation);
	proto_out_u64(&annotation, ANNOTATION_NAME_IID, about);
	proto_out_i64(&annotation, ANNOTATION_INT, value);
	proto_out_message(event, EVENT_DEBUG_ANNOTATIONS, &annotation);
}

static void annotate_text(struct proto_out *event, enum annotation about, const char *value)
{
	struct proto_out annotation;

	proto_out_init(&annotation);
	proto_out_u64(&annotation, ANNOTATION_NAME_IID, about);
	proto_out_string(&annotation, ANNOTATION_STRING, value);
	proto_out_message(event, EVENT_DEBUG_ANNOTATIONS, &annotation);
}

static void event_begin(struct proto_out *event, unsigned int type, uint64_t track)
{
	proto_out_init(event);
	proto_out_u64(event, EVENT_TYPE, type);
	proto_out_u64(event, EVENT_TRACK_UUID, track);
}

/* op: its name is interned in this packet if it is the first with it; OP_NONE: no name. */
static void event_write(struct perfetto *p, int64_t time_ns, const struct proto_out *event,
			enum event_op op, uint32_t machine)
{
	struct proto_out packet, names, name;

	proto_out_init(&packet);
	proto_out_u64(&packet, PACKET_TIMESTAMP, time_ns > 0 ? (uint64_t)time_ns : 0);
	proto_out_u64(&packet, PACKET_SEQUENCE_FLAGS, SEQUENCE_NEEDS_STATE);
	if (op != OP_NONE && !p->interned[op]) {
		p->interned[op] = true;
		proto_out_init(&name);
		proto_out_u64(&name, NAME_IID, op);
		proto_out_string(&name, NAME_NAME, event_op_name(op));
		proto_out_init(&names);
		proto_out_message(&names, INTERNED_EVENT_NAMES, &name);
		proto_out_message(&packet, PACKET_INTERNED_DATA, &names);
	}
	proto_out_message(&packet, PACKET_TRACK_EVENT, event);
	if (machine)
		proto_out_u64(&packet, PACKET_MACHINE_ID, machine);
	packet_write(p, &packet);
}

/* ---- processes and lanes -------------------------------------------------------------- */

/* The number of a process, or of a thread of it, that nobody else has in the file. */
static uint64_t unique_number(const struct process *process, uint32_t number)
{
	return number | process->namesake << NAMESAKE_SHIFT;
}

static void process_write(struct perfetto *p, const struct process *process,
			  const struct state_process *who)
{
	const char *name = who->name;
	const struct quality *quality = analysis_quality(p->analysis);
	struct proto_out track, descriptor;
	char text[160], also[32] = "";

	if (process->namesake)
		snprintf(also, sizeof(also), " (pid %" PRIu32 " too)", who->pid);
	if (quality->machines_count > 1 && process->machine < quality->machines_count)
		snprintf(text, sizeof(text), "%.80s: %s%s",
			 quality->machines[process->machine].name, name[0] ? name : "process", also);
	else
		snprintf(text, sizeof(text), "%s%s", name[0] ? name : "process", also);
	proto_out_init(&descriptor);
	proto_out_u64(&descriptor, PROCESS_PID, unique_number(process, who->pid));
	proto_out_string(&descriptor, PROCESS_NAME, text);
	proto_out_init(&track);
	proto_out_u64(&track, TRACK_UUID, process->uuid);
	proto_out_message(&track, TRACK_PROCESS, &descriptor);
	track_write(p, &track, process->machine);
	counter_track_write(p, process->bytes_uuid, process->uuid, "live bytes",
			    COUNTER_UNIT_BYTES, process->machine);
	counter_track_write(p, process->mappings_uuid, process->uuid, "live mappings",
			    COUNTER_UNIT_COUNT, process->machine);
}

static struct process *process_get(struct perfetto *p, const struct state_process *who)
{
	struct process *process = table_get(&p->processes, who->number, 0);
	struct namesakes *namesakes;

	if (process)
		return process;
	process = table_add(&p->processes, who->number, 0, sizeof(*process));
	if (!process) {
		p->failed = true;
		return NULL;
	}
	namesakes = table_get(&p->pids, who->pid, 0);
	if (!namesakes)
		namesakes = table_add(&p->pids, who->pid, 0, sizeof(*namesakes));
	if (!namesakes)
		p->failed = true;
	else
		process->namesake = namesakes->count++ & 0x1ff; /* a pid is an int32 */
	process->machine = who->machine;
	process->uuid = p->next_uuid++;
	process->bytes_uuid = p->next_uuid++;
	process->mappings_uuid = p->next_uuid++;
	process_write(p, process, who);
	return process;
}

static struct lane *lane_create(struct perfetto *p, const struct process *process,
				const struct state_op *op, bool first)
{
	struct lane *lane = calloc(1, sizeof(*lane));
	struct proto_out track, thread;
	char text[64];

	if (!lane) {
		p->failed = true;
		return NULL;
	}
	lane->uuid = p->next_uuid++;
	if (!first || !op->tid) {
		if (op->tid)
			snprintf(text, sizeof(text), "thread %" PRIu32 ", overlapping calls",
				 op->tid);
		else
			snprintf(text, sizeof(text), "calls");
		plain_track_write(p, lane->uuid, process->uuid, text, op->machine);
		return lane;
	}
	proto_out_init(&thread);
	proto_out_u64(&thread, THREAD_PID, unique_number(process, op->pid));
	proto_out_u64(&thread, THREAD_TID, unique_number(process, op->tid));
	proto_out_init(&track);
	proto_out_u64(&track, TRACK_UUID, lane->uuid);
	proto_out_u64(&track, TRACK_PARENT_UUID, process->uuid);
	proto_out_message(&track, TRACK_THREAD, &thread);
	track_write(p, &track, op->machine);
	return lane;
}

/* A lane of op's thread where it lies in its outer call, or alone. */
static struct lane *lane_get(struct perfetto *p, const struct state_op *op)
{
	struct process *process = process_get(p, op->process);
	uint64_t key = (uint64_t)op->process->number << 32 | op->tid;
	struct lane *lane, **place;

	if (!process)
		return NULL;
	lane = table_get(&p->lanes, key, op->machine);
	if (!lane) {
		lane = lane_create(p, process, op, true);
		if (!lane || table_set(&p->lanes, key, op->machine, lane)) {
			free(lane);
			p->failed = true;
			return NULL;
		}
	}
	while (lane->top && lane->top != op->outer) {
		place = &lane->next;
		if (!*place)
			*place = lane_create(p, process, op, false);
		lane = *place;
		if (!lane)
			return NULL;
	}
	return lane;
}

/* ---- observers ------------------------------------------------------------------------ */

static void op_annotate(struct proto_out *event, const struct state_op *op)
{
	char text[32];

	annotate_text(event, ABOUT_OP_ID, event_op_id_text(op->op_id, text));
	if (op->id)
		annotate_u64(event, ABOUT_ID, op->id);
	if (op->new_id)
		annotate_u64(event, ABOUT_NEW_ID, op->new_id);
	if (op->size) {
		snprintf(text, sizeof(text), "0x%" PRIx64, op->iova);
		annotate_text(event, ABOUT_IOVA, text);
		annotate_u64(event, ABOUT_BYTES, op->size);
	}
	if (!op->returned)
		return;
	annotate_i64(event, ABOUT_RET, op->ret);
	if (op->ret < 0)
		annotate_text(event, ABOUT_ERROR,
			      export_error_text(op->ret, text));
	if (op->non_exist)
		annotate_text(event, ABOUT_NOTE, "nothing was mapped there");
}

static void op_event(struct perfetto *p, const struct state_op *op, unsigned int type,
		     const struct lane *lane, int64_t time_ns)
{
	struct proto_out event;

	event_begin(&event, type, lane->uuid);
	if (type != TYPE_END) {
		proto_out_u64(&event, EVENT_NAME_IID, op->op);
		proto_out_string(&event, EVENT_CATEGORIES,
				 op->layer == STATE_BACKEND ? "backend" : "device");
	}
	if (type != TYPE_BEGIN)
		op_annotate(&event, op);
	event_write(p, time_ns, &event, type == TYPE_END ? OP_NONE : op->op, op->machine);
}

static void on_op_begin(void *opaque, const struct state_op *op)
{
	struct perfetto *p = opaque;
	struct lane *lane = lane_get(p, op);

	if (!lane)
		return;
	lane->top = op;
	if (table_set(&p->under_way, op->op_id, op->process->number, lane))
		p->failed = true;
	op_event(p, op, TYPE_BEGIN, lane, op->begin_ns);
}

static void on_op(void *opaque, const struct state_op *op)
{
	struct perfetto *p = opaque;
	struct lane *lane = table_remove(&p->under_way, op->op_id, op->process->number);

	if (lane) {
		lane->top = op->outer;
		/* A call whose end never came stays open to the end of the trace. */
		if (op->returned)
			op_event(p, op, TYPE_END, lane, op->end_ns);
		return;
	}
	lane = lane_get(p, op);
	if (lane)
		op_event(p, op, TYPE_INSTANT, lane, op->end_ns);
}

static void counters_write(struct perfetto *p, const struct process *process, int64_t time_ns)
{
	struct proto_out event;

	event_begin(&event, TYPE_COUNTER, process->bytes_uuid);
	proto_out_u64(&event, EVENT_COUNTER_VALUE, process->live_bytes);
	event_write(p, time_ns, &event, OP_NONE, process->machine);
	event_begin(&event, TYPE_COUNTER, process->mappings_uuid);
	proto_out_u64(&event, EVENT_COUNTER_VALUE, process->live_mappings);
	event_write(p, time_ns, &event, OP_NONE, process->machine);
}

static void on_mapping_begin(void *opaque, const struct state_object *object,
			     const struct state_mapping *mapping)
{
	struct perfetto *p = opaque;
	struct process *process = process_get(p, object->context->process);

	if (!process)
		return;
	process->live_bytes += mapping->last - mapping->iova + 1;
	process->live_mappings++;
	counters_write(p, process, mapping->born_ns);
}

static void on_mapping_end(void *opaque, const struct state_object *object,
			   const struct state_mapping *mapping, int64_t time_ns, uint64_t op_id)
{
	struct perfetto *p = opaque;
	struct process *process = process_get(p, object->context->process);

	(void)op_id;
	if (!process)
		return;
	process->live_bytes -= mapping->last - mapping->iova + 1;
	process->live_mappings--;
	counters_write(p, process, time_ns);
}

static void on_loss(void *opaque, const struct event_loss *loss)
{
	const struct quality *quality;
	struct perfetto *p = opaque;
	int64_t first = loss->first_ns, last = loss->last_ns;
	struct proto_out event;

	quality = analysis_quality(p->analysis);
	if (first == INT64_MIN)
		first = quality->first_ns;
	if (last == INT64_MAX)
		last = quality->last_ns;
	event_begin(&event, TYPE_BEGIN, UUID_LOSS);
	proto_out_string(&event, EVENT_NAME, "events lost");
	annotate_u64(&event, ABOUT_EVENTS, loss->events);
	annotate_u64(&event, ABOUT_PACKETS, loss->packets);
	event_write(p, first, &event, OP_NONE, 0);
	event_begin(&event, TYPE_END, UUID_LOSS);
	event_write(p, last > first ? last : first, &event, OP_NONE, 0);
}

static void on_finish(void *opaque)
{
	struct perfetto *p = opaque;
	const struct quality *quality = analysis_quality(p->analysis);
	struct proto_out event;

	event_begin(&event, TYPE_INSTANT, UUID_QUALITY);
	proto_out_string(&event, EVENT_NAME,
			 quality_is_lossy(quality) ? "events were lost" : "nothing was lost");
	annotate_u64(&event, ABOUT_EVENTS, quality->events);
	annotate_u64(&event, ABOUT_LOST_EVENTS, quality->lost_events);
	annotate_u64(&event, ABOUT_LOST_PACKETS, quality->lost_packets);
	annotate_u64(&event, ABOUT_MISSING_COMMITS, quality->seq_gaps);
	annotate_u64(&event, ABOUT_STREAMS, quality->streams);
	event_write(p, quality->events ? quality->first_ns : 0, &event, OP_NONE, 0);
}

static const struct analysis_observer perfetto_observer = {
	.op_begin = on_op_begin,
	.op = on_op,
	.mapping_begin = on_mapping_begin,
	.mapping_end = on_mapping_end,
	.loss = on_loss,
	.finish = on_finish,
};

/* ---- opening and closing ----------------------------------------------------------------- */

/* Nothing is carried over from before; these names hold from now on. */
static void first_packet_write(struct perfetto *p)
{
	struct proto_out packet, names, name;

	proto_out_init(&names);
	for (int about = 1; about < ABOUT_COUNT; about++) {
		proto_out_init(&name);
		proto_out_u64(&name, NAME_IID, (uint64_t)about);
		proto_out_string(&name, NAME_NAME, annotation_names[about]);
		proto_out_message(&names, INTERNED_ANNOTATION_NAMES, &name);
	}
	proto_out_init(&packet);
	proto_out_u64(&packet, PACKET_SEQUENCE_FLAGS, SEQUENCE_CLEARED | SEQUENCE_NEEDS_STATE);
	proto_out_message(&packet, PACKET_INTERNED_DATA, &names);
	packet_write(p, &packet);
}

static void *perfetto_open(struct analysis *analysis, FILE *file, const char *path, char *error,
			   size_t error_size)
{
	struct perfetto *p = calloc(1, sizeof(*p));

	(void)path;
	if (!p) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	p->file = file;
	p->analysis = analysis;
	p->next_uuid = 16;
	first_packet_write(p);
	plain_track_write(p, UUID_QUALITY, 0, "ioasis: data quality", 0);
	plain_track_write(p, UUID_LOSS, 0, "ioasis: lost events", 0);
	return p;
}

static bool perfetto_close(void *self, char *error, size_t error_size)
{
	struct perfetto *p = self;
	bool ok;

	errno = 0;
	ok = !p->failed && !fflush(p->file) && !ferror(p->file);
	if (!ok)
		snprintf(error, error_size, "%s",
			 p->failed ? "out of memory" : strerror(errno ? errno : EIO));
	for (size_t i = 0; i < p->lanes.size; i++) {
		struct lane *lane = p->lanes.slots[i].value;
		struct lane *next = lane ? lane->next : NULL;

		while ((lane = next)) {
			next = lane->next;
			free(lane);
		}
	}
	table_fini_values(&p->lanes);
	table_fini_values(&p->processes);
	table_fini_values(&p->pids);
	table_fini(&p->under_way);
	free(p);
	return ok;
}

const struct export_format export_perfetto = {
	.name = "perfetto",
	.help = "for ui.perfetto.dev: calls by process and thread, live bytes and mappings",
	.observer = &perfetto_observer,
	.open = perfetto_open,
	.close = perfetto_close,
};
