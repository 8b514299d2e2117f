/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records are put into a packet one after the other; a packet that has no room for one more goes to
 * the file.
 */
#include "sim/scenario/ctf_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/scenario/ctf_metadata.h"
#include "sim/scenario/ctf_uuid.h"

#define PACKET_BYTES (256u << 10)
/* Of a record whose text is as long as text gets. */
#define TEXT_BYTES 4096u
#define RECORD_BYTES (sizeof(struct ctf_event_head) + TRACE_FIELDS_MAX * (8 + TEXT_BYTES))

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the trace is written as numbers lie in memory"
#endif

struct ctf_writer {
	int fd;
	int err;
	uint8_t uuid[16];
	size_t used; /* bytes of packet */
	uint64_t packet_seq_num;
	uint64_t first_ns, last_ns; /* of the packet's records */
	uint8_t widths[TRACE_EVENTS_COUNT][TRACE_FIELDS_MAX]; /* ctf_field_bytes() */
	uint8_t fields[TRACE_EVENTS_COUNT];
	char packet[PACKET_BYTES + RECORD_BYTES];
};

/* ---- the stream --------------------------------------------------------------- */

static void fail(void *opaque, int err)
{
	struct ctf_writer *writer = opaque;

	if (!writer->err)
		writer->err = err;
}

static void write_all(struct ctf_writer *writer, const char *bytes, size_t size)
{
	while (size && !writer->err) {
		ssize_t n = write(writer->fd, bytes, size);

		if (n < 0 && errno != EINTR)
			fail(writer, -errno);
		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
		}
	}
}

static void flush(struct ctf_writer *writer)
{
	struct ctf_packet_head head = {
		.magic = CTF_MAGIC,
		.packet_size = writer->used * 8,
		.content_size = writer->used * 8,
		.timestamp_begin = writer->first_ns,
		.timestamp_end = writer->last_ns,
		.packet_seq_num = writer->packet_seq_num++,
	};

	if (writer->used == sizeof(head))
		return;
	memcpy(head.uuid, writer->uuid, sizeof(head.uuid));
	memcpy(writer->packet, &head, sizeof(head));
	write_all(writer, writer->packet, writer->used);
	writer->used = sizeof(head);
}

/* Text, cut where it would be too long. */
static char *put_text(char *at, const char *text)
{
	size_t length = strnlen(text, TEXT_BYTES - 1);

	memcpy(at, text, length);
	at[length] = 0;
	return at + length + 1;
}

/* The lower bytes of a value, as C narrows and as LTTng does. */
static void put(void *opaque, const struct sim_record *record)
{
	struct ctf_writer *writer = opaque;
	const uint8_t *widths = writer->widths[record->event];
	struct ctf_event_head head = { (uint8_t)record->event, record->time_ns };
	char *at = writer->packet + writer->used;

	if (writer->used == sizeof(struct ctf_packet_head))
		writer->first_ns = record->time_ns;
	writer->last_ns = record->time_ns;
	memcpy(at, &head, sizeof(head));
	at += sizeof(head);
	for (unsigned int i = 0; i < writer->fields[record->event]; i++) {
		if (!widths[i]) {
			at = put_text(at, (const char *)(uintptr_t)record->values[i]);
			continue;
		}
		/* Always eight: what is too much is written over, or behind the end. */
		memcpy(at, &record->values[i], 8);
		at += widths[i];
	}
	writer->used = (size_t)(at - writer->packet);
	if (writer->used >= PACKET_BYTES)
		flush(writer);
}

static void writer_free(struct ctf_writer *writer)
{
	if (writer->fd >= 0)
		close(writer->fd);
	free(writer);
}

static int finish(void *opaque, char *error, size_t error_size)
{
	struct ctf_writer *writer = opaque;
	int err;

	flush(writer);
	if (close(writer->fd))
		fail(writer, -errno);
	writer->fd = -1;
	err = writer->err;
	if (err)
		snprintf(error, error_size, "the trace could not be written: %s", strerror(-err));
	writer_free(writer);
	return err;
}

struct sim_sink ctf_writer_sink(struct ctf_writer *writer)
{
	return (struct sim_sink){ .put = put, .fail = fail, .finish = finish, .opaque = writer };
}

/* ---- its beginning -------------------------------------------------------------- */

/* A directory of its own: an empty one will do, one with anything in it is refused. */
static int make_dir(const char *dir, char *error, size_t error_size)
{
	int err;

	if (!mkdir(dir, 0777))
		return 0;
	if (errno == EEXIST && !rmdir(dir) && !mkdir(dir, 0777))
		return 0;
	err = -errno;
	if (err == -ENOTEMPTY || err == -EEXIST || err == -ENOTDIR)
		snprintf(error, error_size, "%s is there already; name a new directory", dir);
	else
		snprintf(error, error_size, "cannot make %s: %s", dir, strerror(-err));
	return err;
}

static int make_files(struct ctf_writer *writer, const char *dir, const char *name)
{
	char path[4096 + 16];
	FILE *metadata;
	int err = 0;

	if (snprintf(path, sizeof(path), "%s/metadata", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	metadata = fopen(path, "wxe");
	if (!metadata)
		return -errno;
	ctf_metadata_print(metadata, writer->uuid, name);
	if (ferror(metadata))
		err = -EIO;
	if (fclose(metadata))
		err = -errno;
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/events", dir);
	writer->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	return writer->fd < 0 ? -errno : 0;
}

struct ctf_writer *ctf_writer_create(const char *dir, const char *name, uint64_t seed,
				     uint64_t run_seed, char *error, size_t error_size)
{
	struct ctf_writer *writer;
	int err;

	if (make_dir(dir, error, error_size))
		return NULL;
	writer = calloc(1, sizeof(*writer));
	if (!writer) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	writer->fd = -1;
	writer->used = sizeof(struct ctf_packet_head);
	ctf_uuid_derive(name, seed, run_seed, writer->uuid);
	for (unsigned int i = 0; i < TRACE_EVENTS_COUNT; i++) {
		const struct trace_description *described = &trace_descriptions[i];

		writer->fields[i] = (uint8_t)described->fields_count;
		for (size_t k = 0; k < described->fields_count; k++)
			writer->widths[i][k] = (uint8_t)ctf_field_bytes(described->fields[k].type);
	}
	err = make_files(writer, dir, name);
	if (!err)
		return writer;
	snprintf(error, error_size, "cannot write a trace to %s: %s", dir, strerror(-err));
	writer_free(writer);
	return NULL;
}
