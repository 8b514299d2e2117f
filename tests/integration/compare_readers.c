/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compare_readers [--may-fall-back] TRACE...: reads the traces with ioasis's own reader and with
 * babeltrace2, and compares all that the analysis is told, event for event and loss for loss.
 * Status 0: the same (or both fail); 1: not; 2: the own reader does not know the trace.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/analysis.h"

struct log {
	uint64_t *hashes;
	size_t count, room;
	uint64_t events, losses;
	uint64_t machines, streams;
	size_t shown; /* this one is to be printed; SIZE_MAX: none */
	int ret;
	char error[512];
};

static void add_bytes(uint64_t *hash, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*hash = (*hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
}

static void add(struct log *log, uint64_t hash)
{
	if (log->count == log->room) {
		log->room = log->room ? 2 * log->room : 4096;
		log->hashes = realloc(log->hashes, log->room * sizeof(*log->hashes));
		if (!log->hashes)
			abort();
	}
	log->hashes[log->count++] = hash;
}

static void on_event(void *opaque, const struct event *event)
{
	struct event plain = *event;
	uint64_t hash = 1469598103934665603u;
	struct log *log = opaque;

	plain.name = NULL;
	if (log->count == log->shown)
		printf("# %s time %" PRId64 " stream %u pid %u op_id %" PRIu64 " iova %#" PRIx64
		       " last %#" PRIx64 " size %" PRIu64 " ret %" PRId64 "\n", event->name,
		       event->time_ns, event->stream, event->pid, event->op_id, event->iova,
		       event->last, event->size, event->ret);
	add_bytes(&hash, &plain, sizeof(plain));
	add_bytes(&hash, event->name, strlen(event->name));
	add(log, hash);
	log->events++;
}

static void on_loss(void *opaque, const struct event_loss *loss)
{
	uint64_t hash = 1469598103934665603u;
	struct log *log = opaque;

	if (log->count == log->shown)
		printf("# loss stream %u [%" PRId64 ", %" PRId64 "] events %" PRIu64
		       " packets %" PRIu64 "\n", loss->stream, loss->first_ns, loss->last_ns,
		       loss->events, loss->packets);
	add_bytes(&hash, loss, sizeof(*loss));
	add(log, hash);
	log->losses++;
}

static void read_traces(struct log *log, const char *reader, char **paths, size_t count)
{
	static const struct analysis_observer observer = { .event = on_event, .loss = on_loss };
	struct analysis *analysis = analysis_create();

	setenv("IOASIS_READER", reader, 1);
	if (!analysis || analysis_observe(analysis, &observer, log))
		abort();
	log->ret = analysis_read(analysis, paths, count, log->error, sizeof(log->error));
	log->machines = analysis_quality(analysis)->machines_count;
	log->streams = analysis_quality(analysis)->streams;
	analysis_destroy(analysis);
}

/* The first thing that differs, with both readers' words. */
static void show(size_t at, char **paths, size_t count)
{
	static const char *const readers[] = { "own", "babeltrace2" };

	for (int i = 0; i < 2; i++) {
		struct log log = { .shown = at };

		printf("# %s, number %zu:\n", readers[i], at);
		read_traces(&log, readers[i], paths, count);
		free(log.hashes);
	}
}

int main(int argc, char **argv)
{
	struct log own = { .shown = SIZE_MAX }, other = { .shown = SIZE_MAX };
	size_t at = 0, count = (size_t)argc - 1;

	read_traces(&own, "own", argv + 1, count);
	if (own.ret && strstr(own.error, "IOASIS_READER")) {
		printf("only babeltrace2 can read it\n");
		return 2;
	}
	read_traces(&other, "babeltrace2", argv + 1, count);
	if (own.ret || other.ret) {
		printf("own: %d %s\nbabeltrace2: %d %s\n", own.ret, own.error, other.ret,
		       other.error);
		return (own.ret != 0) != (other.ret != 0);
	}
	while (at < own.count && at < other.count && own.hashes[at] == other.hashes[at])
		at++;
	printf("%" PRIu64 " events, %" PRIu64 " losses, %" PRIu64 " streams, %" PRIu64
	       " machines\n", own.events, own.losses, own.streams, own.machines);
	if (at == own.count && at == other.count && own.streams == other.streams &&
	    own.machines == other.machines)
		return 0;
	printf("babeltrace2: %" PRIu64 " events, %" PRIu64 " losses, %" PRIu64 " streams, %" PRIu64
	       " machines\n", other.events, other.losses, other.streams, other.machines);
	show(at, argv + 1, count);
	return 1;
}
