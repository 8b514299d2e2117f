/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/analysis.h"

#include <errno.h>
#include <stdlib.h>

#include "analysis/analysis_internal.h"

struct analysis *analysis_create(void)
{
	struct analysis *analysis = calloc(1, sizeof(*analysis));

	if (!analysis)
		return NULL;
	quality_init(&analysis->quality);
	analysis->later_first_ns = INT64_MAX;
	analysis->state = state_create(analysis);
	if (!analysis->state) {
		free(analysis);
		return NULL;
	}
	return analysis;
}

void analysis_destroy(struct analysis *analysis)
{
	if (!analysis)
		return;
	state_destroy(analysis->state);
	quality_fini(&analysis->quality);
	free(analysis->later);
	free(analysis);
}

int analysis_observe(struct analysis *analysis, const struct analysis_observer *observer,
		     void *opaque)
{
	if (analysis->listeners_count == OBSERVERS_MAX)
		return -ENOMEM;
	analysis->listeners[analysis->listeners_count++] =
		(struct analysis_listener){ observer, opaque };
	return 0;
}

struct quality *analysis_quality(struct analysis *analysis)
{
	return &analysis->quality;
}

struct state *analysis_state(struct analysis *analysis)
{
	return analysis->state;
}

bool analysis_still_running(const struct analysis *analysis)
{
	return analysis->still_running;
}

void analysis_set_still_running(struct analysis *analysis)
{
	analysis->still_running = true;
}

void analysis_bytes(const struct analysis *analysis, uint64_t *done, uint64_t *total)
{
	*done = *total = 0;
	if (analysis->bytes)
		analysis->bytes(analysis->bytes_opaque, done, total);
}

void analysis_stop(struct analysis *analysis)
{
	__atomic_store_n(&analysis->stop, true, __ATOMIC_RELAXED);
}

void analysis_tell_path(struct analysis *analysis, char *text, size_t size)
{
	analysis->path = text;
	analysis->path_size = size;
}

bool analysis_stopped(const struct analysis *analysis)
{
	return __atomic_load_n(&analysis->stop, __ATOMIC_RELAXED);
}

void analysis_loss_later(struct analysis *analysis, const struct event_loss *loss)
{
	struct event_loss *later = realloc(analysis->later,
					   (analysis->later_count + 1) * sizeof(*later));

	if (!later) {
		analysis_loss(analysis, loss); /* rather too much doubt than too little */
		return;
	}
	analysis->later = later;
	later[analysis->later_count++] = *loss;
	if (loss->first_ns < analysis->later_first_ns)
		analysis->later_first_ns = loss->first_ns;
}

/* Tells the losses that event shows to be real. */
static void tell_later(struct analysis *analysis, const struct event *event)
{
	size_t kept = 0, count = analysis->later_count;
	struct event_loss *told;
	size_t told_count = 0;

	told = malloc(count * sizeof(*told));
	analysis->later_first_ns = INT64_MAX;
	for (size_t i = 0; i < count; i++) {
		const struct event_loss loss = analysis->later[i];

		if (loss.machine == event->machine && loss.first_ns < event->time_ns && told) {
			told[told_count++] = loss;
			continue;
		}
		analysis->later[kept++] = loss;
		if (loss.first_ns < analysis->later_first_ns)
			analysis->later_first_ns = loss.first_ns;
	}
	analysis->later_count = kept;
	for (size_t i = 0; i < told_count; i++) {
		/* After a process's own end nothing can be missing of it. */
		if (!told[i].is_end || !told[i].pid ||
		    !state_process_told_end(analysis->state, told[i].machine, told[i].pid))
			analysis_loss(analysis, &told[i]);
	}
	free(told);
}

void analysis_event(struct analysis *analysis, const struct event *event)
{
	if (event->time_ns > analysis->later_first_ns)
		tell_later(analysis, event);
	quality_event(&analysis->quality, event->machine, event->time_ns,
		      event->kind != EVENT_OTHER);
	analysis_tell(analysis, event, event);
	if (event->kind != EVENT_OTHER)
		state_event(analysis->state, event);
}

void analysis_loss(struct analysis *analysis, const struct event_loss *loss)
{
	quality_loss(&analysis->quality, loss);
	if (loss->lacks != EVENT_LAYERS_ALL)
		analysis_tell(analysis, loss, loss);
}

void analysis_finish(struct analysis *analysis, bool still_running)
{
	if (analysis->finished)
		return;
	analysis->finished = true;
	analysis->still_running = still_running;
	state_finish(analysis->state);
	analysis_tell(analysis, finish);
}
