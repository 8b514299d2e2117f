/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/decode/packets.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/analysis_internal.h"

#define CTF_MAGIC 0xc1fc1fc1u
#define METADATA_MAX (64u << 20)

/* The head of every packet of LTTng-UST's CTF, little-endian, without padding. */
struct packet_head {
	uint32_t magic;
	uint8_t uuid[16];
	uint32_t stream_id;
	uint64_t stream_instance;
	uint64_t begin, end;	      /* of the clock */
	uint64_t content_bits, packet_bits;
	uint64_t seq;
	uint64_t discarded;
};

#define METADATA_MAGIC 0x75d11d57u

/* The head of every packet of a metadata file, as far as it is read here; little-endian. */
struct metadata_head {
	uint32_t magic;
	uint8_t uuid[16];
	uint32_t checksum;
	uint32_t content_bits, packet_bits;
};

/* What the packets of one stream cover. */
struct coverage {
	uint32_t stream_id;
	uint64_t instance;
	uint64_t first_seq, first_begin;
	uint64_t last_seq, last_end;
	uint64_t first_discarded; /* count of the first packet: lost before it is whole */
};

struct scan {
	struct analysis *analysis;
	struct coverage *streams;
	size_t count;
	uint32_t machine;
	int64_t clock_offset;
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

/* Copies the value behind key ("NAME = ") in text, without quotes; false: not there. */
static bool metadata_value(const char *text, const char *key, char *value, size_t size)
{
	const char *at = text ? strstr(text, key) : NULL;
	size_t n = 0;

	if (!at)
		return false;
	for (at += strlen(key); *at == '"'; at++)
		;
	for (; *at && *at != '"' && *at != ';' && n + 1 < size; at++) {
		if (*at != '-' || strcmp(key, "uuid = "))
			value[n++] = *at;
	}
	value[n] = 0;
	return true;
}

/* The metadata's text; packets' heads in it are skipped as they hold zeros. NULL: unreadable. */
static char *metadata_read(const char *folder)
{
	char path[4096], *text;
	ssize_t got;
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/metadata", folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) || st.st_size <= 0 || st.st_size > METADATA_MAX ||
	    !(text = malloc((size_t)st.st_size + 1))) {
		close(fd);
		return NULL;
	}
	got = read(fd, text, (size_t)st.st_size);
	close(fd);
	if (got < 0) {
		free(text);
		return NULL;
	}
	text[got] = 0;
	for (ssize_t i = 0; i < got; i++) {
		if (!text[i])
			text[i] = ' ';
	}
	return text;
}

/* Machine and clock of the trace. False: not one that we can judge. */
static bool metadata_scan(struct scan *scan, const char *folder)
{
	char host[256] = "", uuid[64] = "", value[64], *text = metadata_read(folder);
	const char *clock = text ? strstr(text, "clock {") : NULL;
	bool ok = clock && strstr(text, "tracer_name = \"lttng-ust\"") &&
		  metadata_value(clock, "freq = ", value, sizeof(value)) &&
		  !strcmp(value, "1000000000") &&
		  metadata_value(clock, "offset = ", value, sizeof(value)) &&
		  strstr(text, "packet_seq_num") && strstr(text, "byte_order = le");

	if (ok) {
		scan->clock_offset = strtoll(value, NULL, 10);
		metadata_value(clock, "uuid = ", uuid, sizeof(uuid));
		uuid[32] = 0;
		metadata_value(text, "hostname = ", host, sizeof(host));
		scan->machine = quality_machine(&scan->analysis->quality, host, uuid);
		/* Buffers of one process end with it: their end says nothing. */
		ok = !strstr(text, "vpid = ") && scan->machine != UINT32_MAX;
	}
	free(text);
	return ok;
}

static void coverage_add(struct scan *scan, const struct packet_head *head)
{
	struct coverage *stream, *more;

	for (size_t i = 0; i < scan->count; i++) {
		stream = &scan->streams[i];
		if (stream->stream_id != head->stream_id ||
		    stream->instance != head->stream_instance)
			continue;
		if (head->seq < stream->first_seq) {
			stream->first_seq = head->seq;
			stream->first_begin = head->begin;
			stream->first_discarded = head->discarded;
		}
		if (head->seq >= stream->last_seq) {
			stream->last_seq = head->seq;
			stream->last_end = head->end;
		}
		return;
	}
	more = realloc(scan->streams, (scan->count + 1) * sizeof(*more));
	if (!more)
		return;
	scan->streams = more;
	more[scan->count++] = (struct coverage){
		head->stream_id, head->stream_instance, head->seq, head->begin,
		head->seq, head->end, head->discarded,
	};
}

/* False: the file is empty. A stream without an event has a packet without one. */
static bool scan_file(struct scan *scan, int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct packet_head head;
	struct stat st;
	off_t at = 0;

	if (fd < 0)
		return true;
	while (pread(fd, &head, sizeof(head), at) == (ssize_t)sizeof(head) &&
	       head.magic == CTF_MAGIC && head.packet_bits >= sizeof(head) * 8) {
		coverage_add(scan, &head);
		at += (off_t)(head.packet_bits / 8);
	}
	if (fstat(fd, &st))
		st.st_size = 0;
	close(fd);
	return st.st_size > 0;
}

/* Remembers when the first and the last stream of the machine end. */
static void note_end(struct scan *scan, int64_t end_ns)
{
	struct quality_machine *machine = &scan->analysis->quality.machines[scan->machine];

	if (!machine->ends_first_ns || end_ns < machine->ends_first_ns)
		machine->ends_first_ns = end_ns;
	if (!machine->ends_last_ns || end_ns > machine->ends_last_ns)
		machine->ends_last_ns = end_ns;
	machine->ends++;
}

static void tell_gaps(struct scan *scan)
{
	for (size_t i = 0; i < scan->count; i++) {
		const struct coverage *stream = &scan->streams[i];
		struct event_loss loss = {
			.machine = scan->machine,
			.stream = UINT32_MAX,
			.first_ns = INT64_MIN,
			.last_ns = (int64_t)stream->first_begin + scan->clock_offset,
		};

		if (stream->first_seq || stream->first_discarded) {
			loss.packets = stream->first_seq;
			loss.events = stream->first_discarded;
			scan->analysis->quality.beginning_missing |= stream->first_seq > 0;
			analysis_loss(scan->analysis, &loss);
		}
		/* Only an event after the stream's end shows that something may be missing. */
		loss.first_ns = (int64_t)stream->last_end + scan->clock_offset;
		loss.last_ns = INT64_MAX;
		loss.packets = 0;
		loss.events = 0;
		note_end(scan, loss.first_ns);
		analysis_loss_later(scan->analysis, &loss);
	}
}

/* Stream files are numbered from 0 a channel; a hole is a whole file that is missing. */
static bool has_hole(struct dirent *const *names, int count)
{
	for (int i = 0; i < count; i++) {
		const char *name = names[i]->d_name, *digits = strrchr(name, '_');
		char before[300];
		long number;
		int k;

		if (!digits || !digits[1] || strspn(digits + 1, "0123456789") != strlen(digits + 1))
			continue;
		number = strtol(digits + 1, NULL, 10);
		if (!number)
			continue;
		snprintf(before, sizeof(before), "%.*s_%ld", (int)(digits - name), name,
			 number - 1);
		for (k = 0; k < count && strcmp(names[k]->d_name, before); k++)
			;
		if (k == count)
			return true;
	}
	return false;
}

void packets_scan(struct analysis *analysis, const char *folder)
{
	struct scan scan = { .analysis = analysis };
	struct dirent **names = NULL;
	bool lacks_a_file = false;
	int count, fd;

	if (!metadata_scan(&scan, folder))
		return;
	count = scandir(folder, &names, NULL, alphasort);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; fd >= 0 && i < count; i++) {
		if (names[i]->d_name[0] != '.' && strcmp(names[i]->d_name, "metadata") &&
		    strcmp(names[i]->d_name, "index"))
			lacks_a_file |= !scan_file(&scan, fd, names[i]->d_name);
	}
	tell_gaps(&scan);
	if (lacks_a_file || (count > 0 && has_hole(names, count))) {
		struct event_loss loss = {
			.machine = scan.machine,
			.stream = UINT32_MAX,
			.first_ns = INT64_MIN,
			.last_ns = INT64_MAX,
		};

		analysis_loss(analysis, &loss);
	}
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	free(scan.streams);
	if (fd >= 0)
		close(fd);
}
