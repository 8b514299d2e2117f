/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events wait in `held` until their times are known, then in a heap until no event can come
 * before them, and go on to the sink.
 */
#include "sim/scenario/sim_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tracepoints/identity.h"

/* When an event of a call happens. */
enum moment { MOMENT_BEGIN, MOMENT_COMMIT, MOMENT_END };

struct records {
	struct sim_record *at; /* owned */
	size_t count;
	size_t size;
};

struct sim_log {
	struct trace trace;
	struct sim_sink sink;
	struct records heap;	   /* a binary heap: few are ahead of time at once */
	struct records held;	   /* of the call that runs, as they were emitted */
	bool holds;
	bool mute;
	uint64_t time_ns; /* of what is emitted while nothing is held */
	uint32_t tid;
	uint64_t next_sequence;
	uint64_t numbers[TRACE_NUMBER_BACKEND + 1]; /* the last ones */
	char **texts;				    /* owned, as the array: what str fields said */
	size_t texts_count;
	enum moment moments[TRACE_EVENTS_COUNT];
	int wanted[TRACE_EVENTS_COUNT];
	const int *wanted_at[TRACE_EVENTS_COUNT];
};

static bool record_before(const struct sim_record *a, const struct sim_record *b)
{
	return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->sequence < b->sequence;
}

static struct sim_record *records_add(struct sim_log *log, struct records *records)
{
	if (records->count == records->size) {
		size_t size = records->size ? records->size * 2 : 256;
		struct sim_record *at = realloc(records->at, size * sizeof(*at));

		if (!at) {
			log->sink.fail(log->sink.opaque, -ENOMEM);
			return NULL;
		}
		records->at = at;
		records->size = size;
	}
	return &records->at[records->count++];
}

static void heap_add(struct sim_log *log, const struct sim_record *record)
{
	struct sim_record *heap;
	size_t i;

	if (!records_add(log, &log->heap))
		return;
	heap = log->heap.at;
	for (i = log->heap.count - 1; i && record_before(record, &heap[(i - 1) / 2]);
	     i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = *record;
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
	struct sim_record record = { .time_ns = log->time_ns, .event = event };

	if (log->mute)
		return;
	record.sequence = log->next_sequence++;
	memcpy(record.values, fields, described->fields_count * sizeof(*record.values));
	for (size_t i = 0; i < described->fields_count; i++) {
		if (described->fields[i].type == TRACE_TYPE_str)
			record.values[i] = (uintptr_t)text_keep(
				log, (const char *)(uintptr_t)record.values[i]);
	}
	if (log->holds) {
		struct sim_record *held = records_add(log, &log->held);

		if (held)
			*held = record;
	} else {
		heap_add(log, &record);
	}
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

/* Where the simulated memory lies in this process is no part of the simulated world. */
static bool names_addresses(enum trace_event event)
{
	const struct trace_description *described = &trace_descriptions[event];

	for (size_t i = 0; i < described->fields_count; i++) {
		if (described->fields[i].type == TRACE_TYPE_va)
			return true;
	}
	return false;
}

struct sim_log *sim_log_create(const struct sim_sink *sink)
{
	struct sim_log *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->sink = *sink;
	for (unsigned int i = 0; i < TRACE_EVENTS_COUNT; i++) {
		log->moments[i] = moment_of((enum trace_event)i);
		log->wanted[i] = !names_addresses((enum trace_event)i);
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
	for (size_t i = 0; i < log->held.count; i++) {
		struct sim_record *record = &log->held.at[i];
		const uint64_t times[] = {
			[MOMENT_BEGIN] = begin_ns,
			[MOMENT_COMMIT] = commit_ns,
			[MOMENT_END] = end_ns,
		};

		record->time_ns = times[log->moments[record->event]];
		heap_add(log, record);
	}
	log->held.count = 0;
	log->holds = false;
	log->time_ns = end_ns;
}

void sim_log_mute(struct sim_log *log, bool mute)
{
	if (log)
		log->mute = mute;
}

/* ---- writing ---------------------------------------------------------------- */

static void pop_first(struct sim_log *log)
{
	struct sim_record last = log->heap.at[--log->heap.count];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= log->heap.count)
			break;
		if (child + 1 < log->heap.count &&
		    record_before(&log->heap.at[child + 1], &log->heap.at[child]))
			child++;
		if (!record_before(&log->heap.at[child], &last))
			break;
		log->heap.at[i] = log->heap.at[child];
		i = child;
	}
	log->heap.at[i] = last;
}

void sim_log_advance(struct sim_log *log, uint64_t now_ns)
{
	while (log && log->heap.count && log->heap.at[0].time_ns < now_ns) {
		log->sink.put(log->sink.opaque, &log->heap.at[0]);
		pop_first(log);
	}
}

int sim_log_finish(struct sim_log *log, char *error, size_t error_size)
{
	int err;

	while (log->heap.count) {
		log->sink.put(log->sink.opaque, &log->heap.at[0]);
		pop_first(log);
	}
	err = log->sink.finish(log->sink.opaque, error, error_size);
	for (size_t i = 0; i < log->texts_count; i++)
		free(log->texts[i]);
	free(log->texts);
	free(log->heap.at);
	free(log->held.at);
	free(log);
	return err;
}
