/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Streams of all traces in the order of time: the heap of what each has next. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/ctf/trace.h"

struct ctf_reader {
	struct ctf_user user;
	struct ctf_trace **traces;
	size_t traces_count;
	struct ctf_stream **streams; /* by number */
	size_t streams_count;
	struct ctf_stream **heap; /* the earliest is the first */
	size_t heap_count;
	bool started;	 /* the first has been given: it is to advance */
	int64_t last_ns; /* of what was given last */
	char error[512];
};

struct ctf_reader *ctf_reader_create(const struct ctf_user *user)
{
	struct ctf_reader *reader = calloc(1, sizeof(*reader));

	if (reader)
		reader->user = *user;
	return reader;
}

void ctf_reader_destroy(struct ctf_reader *reader)
{
	if (!reader)
		return;
	for (size_t i = 0; i < reader->traces_count; i++)
		ctf_trace_close(reader->traces[i]);
	free(reader->traces);
	free(reader->streams);
	free(reader->heap);
	free(reader);
}

int ctf_reader_open(struct ctf_reader *reader, const char *folder)
{
	struct ctf_trace **traces =
		realloc(reader->traces, (reader->traces_count + 1) * sizeof(*traces));
	int ret;

	if (!traces)
		return -ENOMEM;
	reader->traces = traces;
	traces[reader->traces_count] = ctf_trace_open(folder, &reader->user, &ret);
	if (!traces[reader->traces_count])
		return ret;
	traces[reader->traces_count]->number = (uint32_t)reader->traces_count;
	reader->traces_count++;
	return 0;
}

/* ---- the order of streams -------------------------------------------------------- */

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

/* As filter.utils.muxer of babeltrace2 orders what happens at one time. */
static int compare_streams(const void *a, const void *b)
{
	const struct ctf_stream *sa = *(struct ctf_stream *const *)a;
	const struct ctf_stream *sb = *(struct ctf_stream *const *)b;
	const struct ctf_metadata *ma = sa->trace->metadata, *mb = sb->trace->metadata;
	int order = 0;

	if (ma->has_uuid != mb->has_uuid)
		return ma->has_uuid ? -1 : 1;
	if (ma->has_uuid)
		order = memcmp(ma->uuid, mb->uuid, CTF_UUID_BYTES);
	if (!order)
		order = COMPARE(sa->layout->class->id, sb->layout->class->id);
	if (!order)
		order = COMPARE(sa->id, sb->id);
	if (!order) /* parts or copies of one trace */
		order = strcmp(sa->name, sb->name);
	return order ? order : COMPARE(sa->trace->number, sb->trace->number);
}

/* Whether the times of all traces can be compared; else babeltrace2 says why not. */
static bool clocks_fit(const struct ctf_reader *reader)
{
	for (size_t i = 1; i < reader->traces_count; i++) {
		const struct ctf_clock *a = &reader->traces[0]->metadata->clock;
		const struct ctf_clock *b = &reader->traces[i]->metadata->clock;

		if (a->is_absolute != b->is_absolute ||
		    (!a->is_absolute && strcmp(a->uuid, b->uuid)))
			return false;
	}
	return true;
}

/* ---- the heap ------------------------------------------------------------------- */

static bool comes_first(const struct ctf_stream *a, const struct ctf_stream *b)
{
	return a->order_ns != b->order_ns ? a->order_ns < b->order_ns : a->number < b->number;
}

static void sift_down(struct ctf_reader *reader, size_t at)
{
	struct ctf_stream **heap = reader->heap, *moved = heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= reader->heap_count)
			break;
		if (child + 1 < reader->heap_count && comes_first(heap[child + 1], heap[child]))
			child++;
		if (!comes_first(heap[child], moved))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

int ctf_reader_start(struct ctf_reader *reader)
{
	size_t count = 0;

	if (!clocks_fit(reader))
		return -ENOTSUP;
	for (size_t i = 0; i < reader->traces_count; i++)
		count += reader->traces[i]->streams_count;
	reader->streams = calloc(count + 1, sizeof(*reader->streams));
	reader->heap = calloc(count + 1, sizeof(*reader->heap));
	if (!reader->streams || !reader->heap)
		return -ENOMEM;
	for (size_t i = 0; i < reader->traces_count; i++) {
		for (size_t k = 0; k < reader->traces[i]->streams_count; k++)
			reader->streams[reader->streams_count++] = &reader->traces[i]->streams[k];
	}
	qsort(reader->streams, count, sizeof(*reader->streams), compare_streams);
	reader->last_ns = INT64_MIN;
	for (size_t i = 0; i < count; i++) {
		struct ctf_stream *stream = reader->streams[i];

		stream->number = (uint32_t)i;
		stream->next.stream = stream;
		stream->order_ns = INT64_MIN;
		ctf_stream_advance(stream);
		if (stream->item != CTF_END)
			reader->heap[reader->heap_count++] = stream;
	}
	for (size_t i = reader->heap_count / 2; i-- > 0;)
		sift_down(reader, i);
	return 0;
}

size_t ctf_reader_streams(const struct ctf_reader *reader)
{
	return reader->streams_count;
}

struct ctf_stream *ctf_reader_stream(const struct ctf_reader *reader, size_t i)
{
	return reader->streams[i];
}

void ctf_reader_bytes(const struct ctf_reader *reader, uint64_t *done, uint64_t *total)
{
	*done = *total = 0;
	for (size_t i = 0; i < reader->streams_count; i++) {
		const struct ctf_stream *stream = reader->streams[i];

		for (size_t k = 0; k < stream->packets_count; k++) {
			*total += stream->packets[k].bits / 8;
			if (k < stream->packet)
				*done += stream->packets[k].bits / 8;
		}
		if (stream->packet < stream->packets_count && stream->at == CTF_AT_EVENTS)
			*done += stream->cursor.at / 8;
	}
}

const char *ctf_reader_error(const struct ctf_reader *reader)
{
	return reader->error;
}

static enum ctf_item failed(struct ctf_reader *reader, const struct ctf_stream *stream,
			    const char *why)
{
	snprintf(reader->error, sizeof(reader->error), "%s: %s", stream->name, why);
	return CTF_FAILED;
}

enum ctf_item ctf_reader_next(struct ctf_reader *reader, struct ctf_next *next)
{
	struct ctf_stream *stream;

	if (reader->started && reader->heap_count) {
		stream = reader->heap[0];
		ctf_stream_advance(stream);
		if (stream->item == CTF_END)
			reader->heap[0] = reader->heap[--reader->heap_count];
		sift_down(reader, 0);
	}
	reader->started = true;
	if (!reader->heap_count)
		return CTF_END;
	stream = reader->heap[0];
	if (stream->item == CTF_EVENT)
		ctf_stream_take(stream);
	if (stream->item == CTF_FAILED)
		return failed(reader, stream, stream->failure);
	if (stream->order_ns < reader->last_ns)
		return failed(reader, stream, "time goes backwards in one of the streams");
	reader->last_ns = stream->order_ns;
	*next = stream->next;
	return stream->item;
}
