/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/ctf/ctf_type.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define METADATA_MAGIC 0x75d11d57u
#define METADATA_MAX (64u << 20)

/* The head of a packet of metadata (CTF 1.8, section 7.1); both byte orders occur. */
struct metadata_head {
	uint32_t magic;
	uint8_t uuid[CTF_UUID_BYTES];
	uint32_t checksum;
	uint32_t content_bits, packet_bits;
	uint8_t compression, encryption, checksum_scheme, major, minor;
} __attribute__((packed));

struct ctf_block {
	struct ctf_block *next;
	_Alignas(16) char bytes[];
};

void *ctf_alloc(struct ctf_metadata *metadata, size_t bytes)
{
	struct ctf_block *block = calloc(1, sizeof(*block) + bytes);

	if (!block)
		return NULL;
	block->next = metadata->blocks;
	metadata->blocks = block;
	return block->bytes;
}

char *ctf_text(struct ctf_metadata *metadata, const char *text, size_t n)
{
	char *copy = ctf_alloc(metadata, n + 1);

	if (copy)
		memcpy(copy, text, n);
	return copy;
}

void ctf_metadata_destroy(struct ctf_metadata *metadata)
{
	if (!metadata)
		return;
	while (metadata->blocks) {
		struct ctf_block *block = metadata->blocks;

		metadata->blocks = block->next;
		free(block);
	}
	free(metadata);
}

struct ctf_stream_class *ctf_stream_class(struct ctf_metadata *metadata, uint64_t id, bool make)
{
	struct ctf_stream_class *stream = metadata->streams;

	while (stream && stream->id != id)
		stream = stream->next;
	if (stream || !make)
		return stream;
	stream = ctf_alloc(metadata, sizeof(*stream));
	if (!stream)
		return NULL;
	stream->id = id;
	stream->next = metadata->streams;
	metadata->streams = stream;
	return stream;
}

struct ctf_event_class *ctf_event_class_add(struct ctf_metadata *metadata,
					    struct ctf_stream_class *stream)
{
	struct ctf_event_class *event = ctf_alloc(metadata, sizeof(*event));

	if (!event)
		return NULL;
	event->name = "";
	event->next = stream->events;
	stream->events = event;
	return event;
}

int ctf_environment(struct ctf_metadata *metadata, const char *name, const char *text,
		    uint64_t number)
{
	static const struct {
		const char *name;
		size_t offset;
	} texts[] = {
		{ "hostname", offsetof(struct ctf_metadata, hostname) },
		{ "tracer_name", offsetof(struct ctf_metadata, tracer_name) },
		{ "scenario", offsetof(struct ctf_metadata, scenario) },
	};
	char *copy;

	if (!strcmp(name, "tracer_major"))
		metadata->tracer_major = number;
	if (!strcmp(name, "tracer_minor"))
		metadata->tracer_minor = number;
	if (!strcmp(name, "vpid"))
		metadata->vpid = number;
	for (size_t i = 0; text && i < sizeof(texts) / sizeof(*texts); i++) {
		if (strcmp(name, texts[i].name))
			continue;
		copy = ctf_text(metadata, text, strlen(text));
		if (!copy)
			return -ENOMEM;
		memcpy((char *)metadata + texts[i].offset, &copy, sizeof(copy));
	}
	return 0;
}

/* Takes the heads out of packets of metadata, in place. False: they do not add up. */
static bool unpack(char *text, size_t *bytes)
{
	struct metadata_head head;
	size_t from = 0, to = 0;

	while (from < *bytes) {
		size_t content, packet;

		if (*bytes - from < sizeof(head))
			return false;
		memcpy(&head, text + from, sizeof(head));
		if (head.magic == __builtin_bswap32(METADATA_MAGIC)) {
			head.magic = METADATA_MAGIC;
			head.content_bits = __builtin_bswap32(head.content_bits);
			head.packet_bits = __builtin_bswap32(head.packet_bits);
		}
		content = head.content_bits / 8;
		packet = head.packet_bits / 8;
		if (head.magic != METADATA_MAGIC || head.compression || head.encryption ||
		    content < sizeof(head) || content > packet || packet > *bytes - from)
			return false;
		memmove(text + to, text + from + sizeof(head), content - sizeof(head));
		to += content - sizeof(head);
		from += packet;
	}
	text[to] = 0;
	*bytes = to;
	return true;
}

/* The text of the file, without packets' heads; NULL and a negative errno in *ret. */
static char *read_text(const char *folder, size_t *bytes, int *ret)
{
	char path[4096], *text = NULL;
	uint32_t magic;
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/metadata", folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	*ret = fd < 0 || fstat(fd, &st) ? -errno : 0;
	if (!*ret && (!S_ISREG(st.st_mode) || st.st_size < 8 || st.st_size > METADATA_MAX))
		*ret = -ENOTSUP;
	if (!*ret) {
		*bytes = (size_t)st.st_size;
		text = malloc(*bytes + 1);
		if (!text)
			*ret = -ENOMEM;
		else if (read(fd, text, *bytes) != (ssize_t)*bytes)
			*ret = -ENOTSUP;
	}
	if (fd >= 0)
		close(fd);
	if (!*ret) {
		text[*bytes] = 0;
		memcpy(&magic, text, sizeof(magic));
		if ((magic == METADATA_MAGIC || magic == __builtin_bswap32(METADATA_MAGIC)) &&
		    !unpack(text, bytes))
			*ret = -ENOTSUP;
	}
	if (!*ret)
		return text;
	free(text);
	return NULL;
}

/* The clock's time is the epoch's for LTTng even where an old one does not say so. */
static void finish_clock(struct ctf_metadata *metadata)
{
	struct ctf_clock *clock = &metadata->clock;

	if (clock->name && metadata->tracer_name && !strncmp(metadata->tracer_name, "lttng", 5) &&
	    !strcmp(clock->name, "monotonic"))
		clock->is_absolute = true;
}

int ctf_metadata_read(const char *folder, struct ctf_metadata **result)
{
	struct ctf_metadata *metadata = calloc(1, sizeof(*metadata));
	size_t bytes = 0;
	char *text;
	int ret;

	if (!metadata)
		return -ENOMEM;
	text = read_text(folder, &bytes, &ret);
	/* CTF 2 is a JSON text sequence (RFC 7464): each fragment begins with a record separator. */
	if (!ret && memchr(text, 0, bytes))
		ret = -ENOTSUP;
	else if (!ret && text[0] == 0x1e)
		ret = ctf_json_parse(metadata, text, bytes);
	else if (!ret)
		ret = ctf_tsdl_parse(metadata, text);
	free(text);
	if (ret) {
		ctf_metadata_destroy(metadata);
		return ret;
	}
	finish_clock(metadata);
	*result = metadata;
	return 0;
}
