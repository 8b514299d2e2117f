/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes: who they are, their names, and the numbers of their calls.
 *
 * A process id names a process only in its pid namespace, on its machine (host and boot) and
 * as long as it lives. What a trace does not tell of these is 0; two processes that it cannot
 * tell apart show by call numbers that come twice.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/state/state_internal.h"
#include "tracepoints/identity.h"

static struct state_process nobody = { .name = "", .seen_ns = INT64_MAX };

/* The name of (pid_ns, pid), which the process that has the number now bears. */
struct process_name {
	const char *text; /* NULL: not told; lives as long as state */
	struct state_process *latest; /* NULL: none seen yet */
};

static struct process_name *name_get(struct state *state, uint32_t machine, uint32_t pid_ns,
				     uint32_t pid)
{
	uint64_t a = (uint64_t)pid_ns << 32 | pid;
	struct process_name *name = table_get(&state->names, a, machine);

	if (!name)
		name = table_add(&state->names, a, machine, sizeof(*name));
	if (!name)
		state->failed = true;
	return name;
}

static struct state_process *process_add(struct state *state, uint32_t machine, uint64_t key,
					 struct process_name *name)
{
	struct state_process *process =
		table_add(&state->processes, key, machine, sizeof(*process));

	if (!process)
		return NULL;
	process->key = key;
	process->number = ++state->processes_count;
	process->machine = machine;
	process->pid = TRACE_WORD_PID(key);
	process->pid_ns = (uint32_t)(key >> 32);
	process->start = TRACE_WORD_START(key);
	process->first_call = UINT64_MAX;
	process->seen_ns = INT64_MIN;
	process->name = name->text ? name->text : "";
	name->latest = process;
	return process;
}

/* process was seen without its start, which is known now. */
static struct state_process *process_adopt(struct state *state, struct state_process *process,
					   uint64_t key)
{
	if (table_set(&state->processes, key, process->machine, process))
		return NULL;
	table_remove(&state->processes, process->key, process->machine);
	process->key = key;
	process->start = TRACE_WORD_START(key);
	return process;
}

struct state_process *state_process_get(struct state *state, uint32_t machine, uint32_t pid_ns,
					uint32_t start, uint32_t pid)
{
	uint64_t key = (uint64_t)pid_ns << 32 | TRACE_WORD(start, pid);
	struct state_process *process = state->last_process;
	struct process_name *name;

	if (process && process->key == key && process->machine == machine)
		return process;
	if (!pid)
		return &nobody;
	process = table_get(&state->processes, key, machine);
	if (!process) {
		name = name_get(state, machine, pid_ns, pid);
		if (!name)
			return &nobody;
		process = name->latest;
		if (process && start && process->start) /* another one has the number now */
			process = NULL;
		if (!process)
			process = process_add(state, machine, key, name);
		else if (start)
			process = process_adopt(state, process, key);
		if (!process) {
			state->failed = true;
			return &nobody;
		}
	}
	state->last_process = process;
	return process;
}

struct state_process *state_process_of(struct state *state, const struct event *event)
{
	return state_process_get(state, event->machine, event->pid_ns, event->started, event->pid);
}

const struct state_process *state_caller(struct state *state, const struct event *event)
{
	return state_process_of(state, event);
}

struct state_process *state_process_of_number(struct state *state, const struct event *event,
					      uint64_t number)
{
	uint32_t word = (uint32_t)(number >> 32);

	return state_process_get(state, event->machine, event->here_ns, TRACE_WORD_START(word),
				 TRACE_WORD_PID(word));
}

/* Texts live as long as state. False: out of memory, and copy is freed. */
static bool text_keep(struct state *state, char *copy)
{
	struct state_text *text = malloc(sizeof(*text));

	if (!text) {
		free(copy);
		state->failed = true;
		return false;
	}
	*text = (struct state_text){ copy, state->texts };
	state->texts = text;
	return true;
}

void state_process_set_name(struct state *state, const struct event *event, const char *text)
{
	struct process_name *name = name_get(state, event->machine, event->pid_ns, event->pid);
	char *copy;

	if (!name || (name->text && !strcmp(name->text, text)))
		return;
	copy = strdup(text);
	if (!copy) {
		state->failed = true;
		return;
	}
	/* A program chooses its name, which ends on the terminal of who reads the trace. */
	for (char *c = copy; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	/* Earlier processes of the number keep the text that they had. */
	if (!text_keep(state, copy))
		return;
	name->text = copy;
	if (event->started)
		name->latest = state_process_of(state, event);
	if (name->latest && name->latest->pid)
		name->latest->name = copy;
}

/* ---- the numbers of calls ------------------------------------------------------- */

void state_number_seen(struct state *state, const struct event *event, bool begins)
{
	struct state_process *process = state_process_of_number(state, event, event->op_id);

	/* Numbers are given out once: this is another process that looks the same. */
	if (begins && process->calls && event->op_id == process->first_call && !process->merged) {
		process->merged = true;
		state->analysis->quality.merged++;
	}
	if (event->op_id < process->first_call)
		process->first_call = event->op_id;
	if (event->op_id > process->last_call)
		process->last_call = event->op_id;
	process->calls++;
}

void state_process_end(struct state *state, const struct event *event)
{
	struct state_process *process = state_process_of_number(state, event, event->op_id);

	process->end_call = event->op_id;
	process->seen_ns = event->time_ns;
}

enum state_process_fate state_process_fate(const struct state_process *process)
{
	if (!process->end_call)
		return STATE_PROCESS_UNKNOWN;
	return process->last_call == process->end_call ? STATE_PROCESS_ENDED : STATE_PROCESS_CUT;
}

bool state_process_told_end(const struct state *state, uint32_t machine, uint32_t pid)
{
	bool told = false;

	for (size_t i = 0; i < state->processes.size; i++) {
		const struct state_process *process = state->processes.slots[i].value;

		if (!process || process->machine != machine || process->pid != pid)
			continue;
		if (state_process_fate(process) != STATE_PROCESS_ENDED)
			return false;
		told = true;
	}
	return told;
}

/* Calls that are missing where no loss was told: their stream is gone. */
void state_processes_finish(struct state *state)
{
	struct quality *quality = &state->analysis->quality;

	for (size_t i = 0; i < state->processes.size; i++) {
		struct state_process *process = state->processes.slots[i].value;
		uint64_t span;

		if (!process || !process->calls)
			continue;
		span = process->last_call - process->first_call + 1;
		if (process->calls > span && !process->merged) {
			process->merged = true;
			quality->merged++;
		}
		if (process->machine >= quality->machines_count || quality->beginning_missing ||
		    quality->machines[process->machine].lost.last_ns != INT64_MIN)
			continue;
		if (process->last_call < process->end_call || span > process->calls)
			quality->unaccounted++;
	}
}

void state_processes_fini(struct state *state)
{
	table_fini_values(&state->processes);
	table_fini_values(&state->names);
	while (state->texts) {
		struct state_text *text = state->texts;

		state->texts = text->next;
		free(text->text);
		free(text);
	}
}
