/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/ctf/trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CTF_MAGIC 0xc1fc1fc1u
#define EVENT_IDS_MAX 65536u
#define HEAD_BYTES 4096u /* a packet's head is read with one read of so many bytes */

/* ---- time ----------------------------------------------------------------------- */

/* As babeltrace2 computes it (src/lib/trace-ir/utils.h), with a double where it does. */
static bool cycles_to_ns(uint64_t cycles, uint64_t frequency, uint64_t *ns)
{
	double exact;

	if (frequency == CTF_NS_PER_S) {
		*ns = cycles;
		return true;
	}
	exact = (1e9 * (double)cycles) / (double)frequency;
	*ns = (uint64_t)exact;
	return exact < 9e18;
}

bool ctf_trace_ns(const struct ctf_trace *trace, uint64_t cycles, int64_t *ns)
{
	uint64_t since;

	return cycles_to_ns(cycles, trace->metadata->clock.frequency, &since) &&
	       since <= INT64_MAX &&
	       !__builtin_add_overflow(trace->clock_base_ns, (int64_t)since, ns);
}

static int set_clock_base(struct ctf_trace *trace)
{
	struct ctf_clock *clock = &trace->metadata->clock;
	int64_t base;
	uint64_t ns;

	if (!clock->name || !clock->frequency)
		return -ENOTSUP;
	clock->offset_s += (int64_t)(clock->offset_cycles / clock->frequency);
	clock->offset_cycles %= clock->frequency;
	if (!cycles_to_ns(clock->offset_cycles, clock->frequency, &ns) ||
	    __builtin_mul_overflow(clock->offset_s, (int64_t)CTF_NS_PER_S, &base) ||
	    __builtin_add_overflow(base, (int64_t)ns, &trace->clock_base_ns))
		return -ENOTSUP;
	return 0;
}

/* ---- compiling the metadata ----------------------------------------------------- */

/* Tracers whose packets babeltrace2 mends (fs.cpp, fix_index_*): it reads these. */
static bool is_quirky(const struct ctf_metadata *metadata)
{
	const char *tracer = metadata->tracer_name;

	if (!tracer)
		return false;
	if (!strncmp(tracer, "lttng", 5))
		return metadata->tracer_major < 2 ||
		       (metadata->tracer_major == 2 && metadata->tracer_minor < 11);
	return !strcmp(tracer, "barectf");
}

static int add_class(struct ctf_trace *trace, struct ctf_layout *layout,
		     const struct ctf_event_class *event, const struct ctf_user *user)
{
	struct ctf_metadata *metadata = trace->metadata;
	struct ctf_class *class = &layout->classes[event->id];
	int ret;

	if (class->plan)
		return -ENOTSUP; /* two of one id */
	class->plan = ctf_plan_create(metadata);
	class->output = user->class_begin(user->opaque, metadata, event);
	if (!class->plan || !class->output)
		return -ENOMEM;
	ret = ctf_plan_add(metadata, class->plan, layout->class->event_context,
			   user->bind_context, class->output);
	if (!ret)
		ret = ctf_plan_add(metadata, class->plan, event->context, NULL, NULL);
	if (!ret)
		ret = ctf_plan_add(metadata, class->plan, event->payload, user->bind,
				   class->output);
	return ret ? ret : ctf_plan_finish(metadata, class->plan);
}

static int compile_layout(struct ctf_trace *trace, struct ctf_layout *layout,
			  const struct ctf_stream_class *class, const struct ctf_user *user)
{
	struct ctf_metadata *metadata = trace->metadata;
	const struct ctf_event_class *event;
	int ret;

	layout->class = class;
	layout->context = ctf_plan_create(metadata);
	layout->header = ctf_plan_create(metadata);
	if (!layout->context || !layout->header)
		return -ENOMEM;
	ret = ctf_plan_add(metadata, layout->context, class->packet_context, NULL, NULL);
	if (!ret)
		ret = ctf_plan_add(metadata, layout->header, class->event_header, NULL, NULL);
	if (ret)
		return ret;
	ctf_plan_find_header(layout->header);
	for (event = class->events; event; event = event->next) {
		if (event->id >= EVENT_IDS_MAX)
			return -ENOTSUP;
		layout->only_id = event->id;
		if (event->id >= layout->classes_count)
			layout->classes_count = event->id + 1;
	}
	layout->classes = ctf_alloc(metadata, (layout->classes_count + 1) *
						      sizeof(*layout->classes));
	if (!layout->classes)
		return -ENOMEM;
	for (event = class->events; event && !ret; event = event->next)
		ret = add_class(trace, layout, event, user);
	/* Without an id in the header there is one class, or no telling which. */
	if (!ret && !(ctf_plan_roles(layout->header) & 1u << CTF_ROLE_EVENT_ID) &&
	    class->events && class->events->next)
		ret = -ENOTSUP;
	return ret;
}

/* The trace's UUID in a packet's head: the only member that is asked for. */
static int32_t bind_head(void *opaque, const char *name, bool text, bool is_signed)
{
	(void)opaque;
	(void)is_signed;
	return text && !strcmp(name, "uuid") ? 0 : -1;
}

static int compile_trace(struct ctf_trace *trace, const struct ctf_user *user)
{
	struct ctf_metadata *metadata = trace->metadata;
	int ret = is_quirky(metadata) ? -ENOTSUP : set_clock_base(trace);

	if (ret)
		return ret;
	trace->packet_header = ctf_plan_create(metadata);
	for (const struct ctf_stream_class *s = metadata->streams; s; s = s->next)
		trace->layouts_count++;
	trace->layouts = ctf_alloc(metadata, (trace->layouts_count + 1) *
						     sizeof(*trace->layouts));
	if (!trace->packet_header || !trace->layouts)
		return -ENOMEM;
	ret = ctf_plan_add(metadata, trace->packet_header, metadata->packet_header, bind_head,
			   NULL);
	trace->layouts_count = 0;
	for (const struct ctf_stream_class *s = metadata->streams; s && !ret; s = s->next)
		ret = compile_layout(trace, &trace->layouts[trace->layouts_count++], s, user);
	return ret;
}

/* ---- packets -------------------------------------------------------------------- */

static const struct ctf_layout *find_layout(const struct ctf_trace *trace, uint64_t id)
{
	for (size_t i = 0; i < trace->layouts_count; i++) {
		if (trace->layouts[i].class->id == id)
			return &trace->layouts[i];
	}
	return NULL;
}

static bool has_role(const struct ctf_plan *plan, enum ctf_role role)
{
	return ctf_plan_roles(plan) & 1u << role;
}

/* What the head of a packet said, besides the packet itself. */
struct head {
	const struct ctf_layout *layout;
	uint64_t stream_id;
	bool has_stream_id;
};

/* Reads the head in memory. False: it is not whole, or not of this trace. */
static bool read_head(const struct ctf_trace *trace, const uint8_t *memory, size_t bytes,
		      uint64_t left_bits, struct ctf_packet *packet, struct head *head)
{
	struct ctf_cursor cursor = { .window = memory, .limit = 8 * (uint64_t)bytes };
	const struct ctf_metadata *metadata = trace->metadata;
	struct ctf_string uuid = { NULL, 0 };
	const uint64_t *role = cursor.role;

	if (ctf_plan_run(trace->packet_header, &cursor, &uuid) != CTF_READ)
		return false;
	if (has_role(trace->packet_header, CTF_ROLE_MAGIC) && role[CTF_ROLE_MAGIC] != CTF_MAGIC)
		return false;
	if (uuid.text && metadata->has_uuid && memcmp(uuid.text, metadata->uuid, CTF_UUID_BYTES))
		return false;
	head->layout = has_role(trace->packet_header, CTF_ROLE_STREAM_CLASS)
			       ? find_layout(trace, role[CTF_ROLE_STREAM_CLASS])
			       : trace->layouts_count == 1 ? &trace->layouts[0] : NULL;
	if (!head->layout || !head->layout->class->has_clock)
		return false;
	head->has_stream_id = has_role(trace->packet_header, CTF_ROLE_STREAM_ID);
	head->stream_id = head->has_stream_id ? role[CTF_ROLE_STREAM_ID] : 0;
	if (ctf_plan_run(head->layout->context, &cursor, NULL) != CTF_READ)
		return false;
	packet->events = cursor.at;
	packet->bits = has_role(head->layout->context, CTF_ROLE_TOTAL_BITS)
			       ? role[CTF_ROLE_TOTAL_BITS] : left_bits;
	packet->content = has_role(head->layout->context, CTF_ROLE_CONTENT_BITS)
				  ? role[CTF_ROLE_CONTENT_BITS] : packet->bits;
	packet->begin = role[CTF_ROLE_BEGIN];
	packet->end = role[CTF_ROLE_END];
	packet->discarded = role[CTF_ROLE_DISCARDED];
	packet->seq = role[CTF_ROLE_SEQ];
	/* An end that is 0 is a packet of lttng-crash, which babeltrace2 mends. */
	return packet->bits && packet->bits % 8 == 0 && packet->bits <= left_bits &&
	       packet->content <= packet->bits && packet->events <= packet->content &&
	       !(has_role(head->layout->context, CTF_ROLE_END) && !packet->end &&
		 packet->begin);
}

static struct ctf_stream *find_stream(struct ctf_trace *trace, const struct head *head,
				      uint32_t file)
{
	struct ctf_stream *streams, *stream;

	for (size_t i = 0; i < trace->streams_count; i++) {
		stream = &trace->streams[i];
		if (stream->layout == head->layout &&
		    (head->has_stream_id ? stream->id == head->stream_id
					 : stream->packets[0].file == file))
			return stream;
	}
	streams = realloc(trace->streams, (trace->streams_count + 1) * sizeof(*streams));
	if (!streams)
		return NULL;
	trace->streams = streams;
	stream = &streams[trace->streams_count];
	memset(stream, 0, sizeof(*stream));
	stream->trace = trace;
	stream->layout = head->layout;
	stream->has_id = head->has_stream_id;
	/* babeltrace2 numbers those that have no id. */
	stream->id = head->has_stream_id ? head->stream_id : trace->streams_count;
	stream->name = trace->files[file];
	stream->fd = -1;
	trace->streams_count++;
	return stream;
}

static int add_packet(struct ctf_trace *trace, const struct ctf_packet *packet,
		      const struct head *head)
{
	struct ctf_stream *stream = find_stream(trace, head, packet->file);
	size_t count;

	if (!stream)
		return -ENOMEM;
	count = stream->packets_count;
	if (!(count & (count - 1))) { /* 0, or a power of 2: the room is used up */
		size_t room = count ? 2 * count : 1;
		struct ctf_packet *packets = realloc(stream->packets, room * sizeof(*packets));

		if (!packets)
			return -ENOMEM;
		stream->packets = packets;
	}
	stream->packets[stream->packets_count++] = *packet;
	return 0;
}

static int scan_file(struct ctf_trace *trace, uint32_t file)
{
	int fd = open(trace->files[file], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct ctf_packet packet = { .file = file };
	uint8_t memory[HEAD_BYTES];
	struct head head = { 0 }, first = { 0 };
	struct stat st;
	int ret = 0;

	if (fd < 0 || fstat(fd, &st))
		ret = -ENOTSUP;
	while (!ret && packet.offset < st.st_size) {
		uint64_t left = 8 * (uint64_t)(st.st_size - packet.offset);
		ssize_t got = pread(fd, memory, sizeof(memory), packet.offset);

		if (got <= 0 || !read_head(trace, memory, (size_t)got, left, &packet, &head))
			ret = -ENOTSUP;
		if (!ret && !packet.offset)
			first = head;
		/* babeltrace2 takes all packets of a file for those of its first one's stream. */
		if (!ret && (head.layout != first.layout || head.stream_id != first.stream_id))
			ret = -ENOTSUP;
		if (!ret)
			ret = add_packet(trace, &packet, &head);
		packet.offset += (off_t)(packet.bits / 8);
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

static int is_stream_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "metadata") != 0;
}

static int list_files(struct ctf_trace *trace)
{
	struct dirent **names = NULL;
	int count = scandir(trace->folder, &names, is_stream_file, alphasort);
	int ret = 0;

	if (count < 0)
		return -errno;
	trace->files = calloc((size_t)count + 1, sizeof(*trace->files));
	if (!trace->files)
		ret = -ENOMEM;
	for (int i = 0; i < count; i++) {
		char *path = NULL;
		struct stat st;

		if (!ret && asprintf(&path, "%s/%s", trace->folder, names[i]->d_name) < 0) {
			path = NULL;
			ret = -ENOMEM;
		}
		free(names[i]);
		/* Links are followed, as babeltrace2 does; folders (LTTng's index) are not ours. */
		if (!ret && !stat(path, &st) && S_ISREG(st.st_mode))
			trace->files[trace->files_count++] = path;
		else
			free(path);
	}
	free(names);
	return ret;
}

static int by_begin(const void *a, const void *b)
{
	const struct ctf_packet *pa = a, *pb = b;

	if (pa->begin != pb->begin)
		return pa->begin < pb->begin ? -1 : 1;
	if (pa->file != pb->file)
		return pa->file < pb->file ? -1 : 1;
	return (pa->offset > pb->offset) - (pa->offset < pb->offset);
}

/* Files of one stream (a ring of files) follow each other in time; packets never overlap. */
static int order_packets(struct ctf_trace *trace)
{
	for (size_t i = 0; i < trace->streams_count; i++) {
		struct ctf_stream *stream = &trace->streams[i];

		qsort(stream->packets, stream->packets_count, sizeof(*stream->packets), by_begin);
		for (size_t k = 1; k < stream->packets_count; k++) {
			if (has_role(stream->layout->context, CTF_ROLE_END) &&
			    stream->packets[k].begin < stream->packets[k - 1].end)
				return -ENOTSUP;
		}
	}
	return 0;
}

struct ctf_trace *ctf_trace_open(const char *folder, const struct ctf_user *user, int *ret)
{
	struct ctf_trace *trace = calloc(1, sizeof(*trace));

	*ret = -ENOMEM;
	if (!trace)
		return NULL;
	trace->folder = strdup(folder);
	if (trace->folder)
		*ret = ctf_metadata_read(folder, &trace->metadata);
	if (!*ret)
		*ret = compile_trace(trace, user);
	if (!*ret)
		*ret = list_files(trace);
	for (size_t i = 0; !*ret && i < trace->files_count; i++)
		*ret = scan_file(trace, (uint32_t)i);
	if (!*ret)
		*ret = order_packets(trace);
	if (!*ret)
		return trace;
	ctf_trace_close(trace);
	return NULL;
}

void ctf_trace_close(struct ctf_trace *trace)
{
	if (!trace)
		return;
	for (size_t i = 0; i < trace->streams_count; i++)
		ctf_stream_fini(&trace->streams[i]);
	free(trace->streams);
	for (size_t i = 0; i < trace->files_count; i++)
		free(trace->files[i]);
	free(trace->files);
	ctf_metadata_destroy(trace->metadata);
	free(trace->folder);
	free(trace);
}
