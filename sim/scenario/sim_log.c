/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events wait in `held` until their times are known, then in a queue by time until no event can
 * come before them, and go on to the sink. A record stays where it is meanwhile.
 */
#include "sim/scenario/sim_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/des/event_queue.h"
#include "tracepoints/identity.h"

/* When an event of a call happens. */
enum moment { MOMENT_BEGIN, MOMENT_COMMIT, MOMENT_END };

/* A record that waits, or a free one. */
struct waiting {
	struct sim_record record;
	struct waiting *next_free;
};

#define CHUNK_RECORDS 512u

struct chunk {
	struct chunk *next;
	struct waiting waiting[CHUNK_RECORDS];
};

struct sim_log {
	struct trace trace;
	struct sim_sink sink;
	struct des_queue *queue;   /* by time; at the same time as they were emitted */
	struct waiting **held;	   /* of the call that runs, as they were emitted; owned */
	size_t held_count, held_size;
	struct chunk *chunks;	   /* owned */
	struct waiting *free;
	bool holds;
	bool mute;
	uint64_t time_ns; /* of what is emitted while nothing is held */
	uint32_t tid;
	uint64_t numbers[TRACE_NUMBER_BACKEND + 1]; /* the last ones */
	char **texts;				    /* owned, as the array: what str fields said */
	size_t texts_count;
	enum moment moments[TRACE_EVENTS_COUNT];
	bool has_text[TRACE_EVENTS_COUNT];
	int wanted[TRACE_EVENTS_COUNT];
	const int *wanted_at[TRACE_EVENTS_COUNT];
};

/* NULL: out of memory, which finish() will say. */
static struct waiting *waiting_alloc(struct sim_log *log)
{
	struct waiting *waiting = log->free;

	if (!waiting) {
		struct chunk *chunk = malloc(sizeof(*chunk));

		if (!chunk) {
			log->sink.fail(log->sink.opaque, -ENOMEM);
			return NULL;
		}
		chunk->next = log->chunks;
		log->chunks = chunk;
		for (size_t i = 0; i < CHUNK_RECORDS; i++) {
			waiting = &chunk->waiting[i];
			waiting->next_free = log->free;
			log->free = waiting;
		}
	}
	log->free = waiting->next_free;
	return waiting;
}

static void waiting_free(struct sim_log *log, struct waiting *waiting)
{
	waiting->next_free = log->free;
	log->free = waiting;
}

/* What the queue calls of its event when its time has come: to the sink. */
static void write_out(void *opaque, uint64_t arg)
{
	struct waiting *waiting = (struct waiting *)(uintptr_t)arg;
	struct sim_log *log = opaque;

	log->sink.put(log->sink.opaque, &waiting->record);
	waiting_free(log, waiting);
}

static void queue_add(struct sim_log *log, struct waiting *waiting)
{
	des_queue_push(log->queue, waiting->record.time_ns, DES_PRIORITY_NORMAL, write_out, log,
		       (uintptr_t)waiting);
}

static void held_add(struct sim_log *log, struct waiting *waiting)
{
	if (log->held_count == log->held_size) {
		size_t size = log->held_size ? log->held_size * 2 : 256;
		struct waiting **held = realloc(log->held, size * sizeof(struct waiting *));

		if (!held) {
			log->sink.fail(log->sink.opaque, -ENOMEM);
			waiting_free(log, waiting);
			return;
		}
		log->held = held;
		log->held_size = size;
	}
	log->held[log->held_count++] = waiting;
}

/* ---- the trace that is handed in -------------------------------------------- */

static struct sim_log *log_of(struct trace *trace)
{
	return (struct sim_log *)trace; /* its first member */
}

/* The same text for as long as the log lives; there are few. */
static const char *text_keep(struct sim_log *log, const char *text)
{
	char **texts, *copy;

	for (size_t i = 0; i < log->texts_count; i++) {
		if (!strcmp(log->texts[i], text))
			return log->texts[i];
	}
	copy = strdup(text);
	texts = copy ? realloc(log->texts, (log->texts_count + 1) * sizeof(*texts)) : NULL;
	if (!texts) {
		free(copy);
		log->sink.fail(log->sink.opaque, -ENOMEM);
		return "";
	}
	log->texts = texts;
	return log->texts[log->texts_count++] = copy;
}

static void emit(struct trace *trace, enum trace_event event, const void *fields)
{
	const struct trace_description *described = &trace_descriptions[event];
	struct sim_log *log = log_of(trace);
	struct waiting *waiting = log->mute ? NULL : waiting_alloc(log);
	struct sim_record *record;

	if (!waiting)
		return;
	record = &waiting->record;
	record->time_ns = log->time_ns;
	record->event = event;
	memcpy(record->values, fields, described->fields_count * sizeof(*record->values));
	for (size_t i = 0; log->has_text[event] && i < described->fields_count; i++) {
		if (described->fields[i].type == TRACE_TYPE_str)
			record->values[i] = (uintptr_t)text_keep(
				log, (const char *)(uintptr_t)record->values[i]);
	}
	if (log->holds)
		held_add(log, waiting);
	else
		queue_add(log, waiting);
}

/* The process is the upper half, as in a recorded trace; and no number is left out. */
static uint64_t number(struct trace *trace, enum trace_numbered what)
{
	uint64_t next = ++log_of(trace)->numbers[what];

	return what == TRACE_NUMBER_BACKEND ? next
					    : (uint64_t)TRACE_WORD(0, SIM_LOG_PID) << 32 | next;
}

static uint32_t thread(struct trace *trace)
{
	return log_of(trace)->tid;
}

static enum moment moment_of(enum trace_event event)
{
	static const char begin[] = "_begin";
	const char *name = trace_descriptions[event].name;
	size_t length = strlen(name);

	switch (event) {
	case TRACE_iommufd_dev_open:
	case TRACE_iommufd_dev_release:
	case TRACE_iommufd_dev_commit:
		return MOMENT_COMMIT;
	default:
		break;
	}
	if (length >= sizeof(begin) && !strcmp(name + length - (sizeof(begin) - 1), begin))
		return MOMENT_BEGIN;
	return MOMENT_END;
}

static bool has_field(enum trace_event event, enum trace_type type)
{
	const struct trace_description *described = &trace_descriptions[event];

	for (size_t i = 0; i < described->fields_count; i++) {
		if (described->fields[i].type == type)
			return true;
	}
	return false;
}

struct sim_log *sim_log_create(const struct sim_sink *sink)
{
	struct sim_log *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->queue = des_queue_create();
	if (!log->queue) {
		free(log);
		return NULL;
	}
	log->sink = *sink;
	for (unsigned int i = 0; i < TRACE_EVENTS_COUNT; i++) {
		log->moments[i] = moment_of((enum trace_event)i);
		log->has_text[i] = has_field((enum trace_event)i, TRACE_TYPE_str);
		/* Where the simulated memory lies in this process is no part of the world. */
		log->wanted[i] = !has_field((enum trace_event)i, TRACE_TYPE_va);
		log->wanted_at[i] = &log->wanted[i];
	}
	log->trace = (struct trace){
		.wanted = log->wanted_at,
		.emit = emit,
		.number = number,
		.tid = thread,
	};
	return log;
}

struct trace *sim_log_trace(struct sim_log *log)
{
	return log ? &log->trace : NULL;
}

/* ---- times ------------------------------------------------------------------ */

void sim_log_thread(struct sim_log *log, uint32_t tid)
{
	if (log)
		log->tid = tid;
}

void sim_log_at(struct sim_log *log, uint64_t time_ns)
{
	if (log)
		log->time_ns = time_ns;
}

void sim_log_hold(struct sim_log *log)
{
	if (log)
		log->holds = true;
}

void sim_log_call(struct sim_log *log, uint64_t begin_ns, uint64_t commit_ns, uint64_t end_ns)
{
	if (!log)
		return;
	for (size_t i = 0; i < log->held_count; i++) {
		struct sim_record *record = &log->held[i]->record;
		const uint64_t times[] = {
			[MOMENT_BEGIN] = begin_ns,
			[MOMENT_COMMIT] = commit_ns,
			[MOMENT_END] = end_ns,
		};

		record->time_ns = times[log->moments[record->event]];
		queue_add(log, log->held[i]);
	}
	log->held_count = 0;
	log->holds = false;
	log->time_ns = end_ns;
}

void sim_log_mute(struct sim_log *log, bool mute)
{
	if (log)
		log->mute = mute;
}

/* ---- writing ---------------------------------------------------------------- */

void sim_log_advance(struct sim_log *log, uint64_t now_ns)
{
	struct des_event event;
	uint64_t time_ns;

	while (log && des_queue_peek(log->queue, &time_ns) && time_ns < now_ns) {
		des_queue_pop(log->queue, &event);
		event.fire(event.opaque, event.arg);
	}
}

int sim_log_finish(struct sim_log *log, char *error, size_t error_size)
{
	struct des_event event;
	int err;

	while (des_queue_pop(log->queue, &event))
		event.fire(event.opaque, event.arg);
	err = log->sink.finish(log->sink.opaque, error, error_size);
	for (size_t i = 0; i < log->texts_count; i++)
		free(log->texts[i]);
	free(log->texts);
	free(log->held);
	while (log->chunks) {
		struct chunk *chunk = log->chunks;

		log->chunks = chunk->next;
		free(chunk);
	}
	des_queue_destroy(log->queue);
	free(log);
	return err;
}
