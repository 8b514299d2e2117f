/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/decode/packets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/analysis_internal.h"
#include "analysis/ctf/trace.h"
#include "analysis/decode/decoded.h"

#define METADATA_MAGIC 0x75d11d57u

/* The head of every packet of a metadata file, as far as it is read here; little-endian. */
struct metadata_head {
	uint32_t magic;
	uint8_t uuid[16];
	uint32_t checksum;
	uint32_t content_bits, packet_bits;
};

/* What the packets of one stream in one folder cover. */
struct part {
	/* Which stream: the same in all its parts. */
	uint32_t machine;
	uint8_t uuid[CTF_UUID_BYTES];
	uint64_t class_id, id;
	/* What it can hold. */
	uint32_t pid;	/* of the only process; 0: any */
	uint32_t lacks; /* enum event_layer, bits */
	bool by_lttng;	/* its streams end together */
	uint64_t first_seq, last_seq;
	uint64_t first_discarded, last_discarded;
	int64_t first_ns, last_ns; /* begin of the first packet, end of the last one */
};

struct packets {
	struct analysis *analysis;
	struct part *parts;
	size_t count;
};

bool packets_metadata_is_whole(const char *folder)
{
	struct metadata_head head;
	char path[4096];
	struct stat st;
	off_t at = 0;
	bool whole;
	int fd;

	snprintf(path, sizeof(path), "%s/metadata", folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true; /* who reads it says why not */
	whole = !fstat(fd, &st);
	while (whole && pread(fd, &head, sizeof(head), at) == (ssize_t)sizeof(head) &&
	       (at || head.magic == METADATA_MAGIC)) {
		whole = head.magic == METADATA_MAGIC &&
			head.content_bits >= sizeof(head) * 8 &&
			head.content_bits <= head.packet_bits &&
			at + (off_t)(head.packet_bits / 8) <= st.st_size;
		at += (off_t)(head.packet_bits / 8);
	}
	close(fd);
	return whole && (!at || at == st.st_size);
}

struct packets *packets_create(struct analysis *analysis)
{
	struct packets *packets = calloc(1, sizeof(*packets));

	if (packets)
		packets->analysis = analysis;
	return packets;
}

void packets_destroy(struct packets *packets)
{
	if (packets)
		free(packets->parts);
	free(packets);
}

/* ---- reading heads -------------------------------------------------------------- */

/* No event is read, so nothing is written. */
static void *class_begin(void *opaque, const struct ctf_metadata *metadata,
			 const struct ctf_event_class *class)
{
	(void)metadata;
	(void)class;
	return opaque;
}

static int32_t bind_nothing(void *output, const char *name, bool text, bool is_signed)
{
	(void)output;
	(void)name;
	(void)text;
	(void)is_signed;
	return -1;
}

/* The layers of which streams of the class hold no event. */
static uint32_t class_lacks(const struct ctf_stream_class *class)
{
	uint32_t lacks = EVENT_LAYERS_ALL;

	for (const struct ctf_event_class *event = class->events; event; event = event->next)
		lacks &= ~decoded_layers(event->name);
	return lacks;
}

/* A loss that is limited to what streams like this can hold. */
static struct event_loss loss_of(const struct part *part)
{
	return (struct event_loss){
		.machine = part->machine,
		.stream = UINT32_MAX,
		.pid = part->pid,
		.lacks = part->lacks,
	};
}

static void add_stream(struct packets *packets, const struct part *trace_part,
		       const struct ctf_trace *trace, const struct ctf_stream *stream)
{
	const struct ctf_packet *first = stream->packets;
	const struct ctf_packet *last = first + stream->packets_count - 1;
	uint32_t roles = ctf_plan_roles(stream->layout->context);
	const uint32_t wanted = 1u << CTF_ROLE_SEQ | 1u << CTF_ROLE_BEGIN | 1u << CTF_ROLE_END;
	struct part part = *trace_part, *parts;

	part.class_id = stream->layout->class->id;
	part.id = stream->id;
	part.lacks = class_lacks(stream->layout->class);
	part.first_seq = first->seq;
	part.last_seq = last->seq;
	part.first_discarded = first->discarded;
	part.last_discarded = last->discarded;
	if ((roles & wanted) != wanted || !ctf_trace_ns(trace, first->begin, &part.first_ns) ||
	    !ctf_trace_ns(trace, last->end, &part.last_ns))
		return;
	parts = realloc(packets->parts, (packets->count + 1) * sizeof(*parts));
	if (!parts)
		return;
	packets->parts = parts;
	parts[packets->count++] = part;
}

/* Stream files are numbered from 0 a channel; a hole is a whole file that is missing. */
static bool has_hole(const struct ctf_trace *trace)
{
	for (size_t i = 0; i < trace->files_count; i++) {
		const char *name = trace->files[i], *digits = strrchr(name, '_');
		char before[4200];
		long number;
		size_t k;

		if (!digits || !digits[1] || strspn(digits + 1, "0123456789") != strlen(digits + 1))
			continue;
		number = strtol(digits + 1, NULL, 10);
		if (!number)
			continue;
		snprintf(before, sizeof(before), "%.*s_%ld", (int)(digits - name), name,
			 number - 1);
		for (k = 0; k < trace->files_count && strcmp(trace->files[k], before); k++)
			;
		if (k == trace->files_count)
			return true;
	}
	return false;
}

/* A stream without an event has a packet without one: a file without a packet lost them. */
static bool has_empty_file(const struct ctf_trace *trace)
{
	struct stat st;

	for (size_t i = 0; i < trace->files_count; i++) {
		if (!stat(trace->files[i], &st) && !st.st_size)
			return true;
	}
	return false;
}

/* A stream of which nothing is there: it can hold what any class of the trace can. */
static void tell_lost_file(struct packets *packets, const struct part *part,
			   const struct ctf_metadata *metadata)
{
	struct event_loss loss = loss_of(part);

	loss.lacks = EVENT_LAYERS_ALL;
	for (const struct ctf_stream_class *s = metadata->streams; s; s = s->next)
		loss.lacks &= class_lacks(s);
	loss.first_ns = INT64_MIN;
	loss.last_ns = INT64_MAX;
	analysis_loss(packets->analysis, &loss);
}

void packets_add(struct packets *packets, const char *folder)
{
	static char nothing;
	const struct ctf_user user = { class_begin, bind_nothing, bind_nothing, &nothing };
	int ret;
	struct ctf_trace *trace = ctf_trace_open(folder, &user, &ret);
	const struct ctf_metadata *metadata;
	struct part part = { .pid = 0 };

	if (!trace)
		return;
	metadata = trace->metadata;
	part.by_lttng = metadata->tracer_name && !strcmp(metadata->tracer_name, "lttng-ust");
	if (!part.by_lttng)
		goto out_close;
	part.machine = decoded_machine(packets->analysis, &(struct decoded_origin){
		.hostname = metadata->hostname,
		.tracer_name = metadata->tracer_name,
		.scenario = metadata->scenario,
		.clock_uuid = metadata->clock.uuid,
		.world = "",
	});
	part.pid = (uint32_t)metadata->vpid;
	memcpy(part.uuid, metadata->uuid, sizeof(part.uuid));
	if (part.machine != UINT32_MAX) {
		for (size_t i = 0; i < trace->streams_count; i++)
			add_stream(packets, &part, trace, &trace->streams[i]);
		if (has_empty_file(trace) || has_hole(trace))
			tell_lost_file(packets, &part, metadata);
	}
out_close:
	ctf_trace_close(trace);
}

/* ---- what is missing ------------------------------------------------------------ */

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_streams(const struct part *a, const struct part *b)
{
	int order = COMPARE(a->machine, b->machine);

	if (!order)
		order = memcmp(a->uuid, b->uuid, sizeof(a->uuid));
	if (!order)
		order = COMPARE(a->class_id, b->class_id);
	return order ? order : COMPARE(a->id, b->id);
}

static int by_stream(const void *a, const void *b)
{
	const struct part *left = a, *right = b;
	int order = compare_streams(left, right);

	return order ? order : COMPARE(left->first_seq, right->first_seq);
}

static void tell_beginning(struct packets *packets, const struct part *part)
{
	struct event_loss loss = loss_of(part);

	if (!part->first_seq && !part->first_discarded)
		return;
	loss.first_ns = INT64_MIN;
	loss.last_ns = part->first_ns;
	loss.packets = part->first_seq;
	loss.events = part->first_discarded;
	packets->analysis->quality.beginning_missing |=
		part->first_seq && part->lacks != EVENT_LAYERS_ALL;
	analysis_loss(packets->analysis, &loss);
}

/* Between two parts: told when an event comes that is later than the first one's end. */
static void tell_between(struct packets *packets, const struct part *part, const struct part *next)
{
	struct event_loss loss = loss_of(part);

	loss.first_ns = part->last_ns;
	loss.last_ns = next->first_ns;
	if (next->first_seq > part->last_seq + 1)
		loss.packets = next->first_seq - part->last_seq - 1;
	if (next->first_discarded > part->last_discarded)
		loss.events = next->first_discarded - part->last_discarded;
	if (loss.packets || loss.events)
		analysis_loss_later(packets->analysis, &loss);
}

/*
 * Whether the process of part's buffers has others that begin later: it runs another program by
 * then, and what it ran before can have emitted nothing more.
 */
static bool is_followed(const struct packets *packets, const struct part *part)
{
	for (size_t i = 0; part->pid && i < packets->count; i++) {
		const struct part *other = &packets->parts[i];

		if (other->machine == part->machine && other->pid == part->pid &&
		    other->first_ns > part->first_ns &&
		    memcmp(other->uuid, part->uuid, sizeof(part->uuid)))
			return true;
	}
	return false;
}

/* Only an event after the stream's end shows that something may be missing behind it. */
static void tell_end(struct packets *packets, const struct part *part)
{
	struct event_loss loss = loss_of(part);

	loss.first_ns = part->last_ns;
	loss.last_ns = INT64_MAX;
	loss.is_end = true;
	analysis_loss_later(packets->analysis, &loss);
}

void packets_tell(struct packets *packets)
{
	if (packets->count)
		qsort(packets->parts, packets->count, sizeof(*packets->parts), by_stream);
	for (size_t i = 0; i < packets->count; i++) {
		const struct part *part = &packets->parts[i];

		if (!i || compare_streams(part - 1, part))
			tell_beginning(packets, part);
		if (i + 1 < packets->count && !compare_streams(part, part + 1))
			tell_between(packets, part, part + 1);
		else if (!is_followed(packets, part))
			tell_end(packets, part);
	}
}
