/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/quality.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/event.h"
#include "analysis/json_add.h"

void quality_init(struct quality *quality)
{
	memset(quality, 0, sizeof(*quality));
	quality->first_ns = INT64_MAX;
	quality->last_ns = INT64_MIN;
}

void quality_fini(struct quality *quality)
{
	for (size_t i = 0; i < quality->machines_count; i++) {
		free(quality->machines[i].name);
		free(quality->machines[i].clock_uuid);
	}
	free(quality->machines);
	table_fini_values(&quality->lost_of_process);
}

bool quality_is_lossy(const struct quality *quality)
{
	return quality->lost_windows || quality->seq_gaps || quality->beginning_missing ||
	       quality->cut_short || quality->unaccounted || quality->merged;
}

uint32_t quality_machine(struct quality *quality, const char *name, const char *clock_uuid)
{
	struct quality_machine *machine, *machines;
	size_t i;

	for (i = 0; i < quality->machines_count; i++) {
		machine = &quality->machines[i];
		if (!strcmp(machine->name, name) && !strcmp(machine->clock_uuid, clock_uuid))
			return (uint32_t)i;
	}
	machines = realloc(quality->machines, (i + 1) * sizeof(*machines));
	if (!machines)
		return UINT32_MAX;
	quality->machines = machines;
	machine = &machines[i];
	*machine = (struct quality_machine){
		.name = strdup(name),
		.clock_uuid = strdup(clock_uuid),
		.lost = { INT64_MAX, INT64_MIN },
	};
	for (int layer = 0; layer < EVENT_LAYERS; layer++)
		machine->layers[layer] = machine->lost;
	if (!machine->name || !machine->clock_uuid) {
		free(machine->name);
		free(machine->clock_uuid);
		return UINT32_MAX;
	}
	quality->machines_count++;
	return (uint32_t)i;
}

static void span_add(struct quality_span *span, const struct event_loss *loss)
{
	if (loss->first_ns < span->first_ns)
		span->first_ns = loss->first_ns;
	if (loss->last_ns > span->last_ns)
		span->last_ns = loss->last_ns;
}

/* The span of a process's own streams, or of the machine's where they are shared. */
static struct quality_span *span_of(struct quality *quality, const struct event_loss *loss,
				    enum event_layer layer)
{
	uint64_t key = (uint64_t)loss->machine << 32 | loss->pid;
	struct quality_span *span = NULL;

	if (loss->pid) {
		span = table_get(&quality->lost_of_process, key, layer);
		if (!span) {
			span = table_add(&quality->lost_of_process, key, layer, sizeof(*span));
			if (span)
				*span = (struct quality_span){ INT64_MAX, INT64_MIN };
		}
	}
	/* Rather too much doubt than too little. */
	return span ? span : &quality->machines[loss->machine].layers[layer];
}

void quality_loss(struct quality *quality, const struct event_loss *loss)
{
	if (loss->lacks == EVENT_LAYERS_ALL) {
		quality->lost_elsewhere++;
		return;
	}
	quality->lost_windows++;
	quality->lost_events += loss->events;
	quality->lost_packets += loss->packets;
	quality->lost_uncounted += !loss->events && !loss->packets;
	quality->cut_short |= loss->is_end;
	for (int layer = 0; layer < EVENT_LAYERS; layer++) {
		if (loss->lacks & 1u << layer)
			continue;
		quality->lost_layers[layer] = true;
		if (loss->machine < quality->machines_count)
			span_add(span_of(quality, loss, (enum event_layer)layer), loss);
	}
	if (loss->machine < quality->machines_count)
		span_add(&quality->machines[loss->machine].lost, loss);
}

bool quality_lost_since(const struct quality *quality, uint32_t machine, enum event_layer layer,
			uint32_t pid, int64_t since_ns)
{
	const struct quality_span *span;

	if (machine >= quality->machines_count)
		return false;
	if (!pid && quality->machines[machine].lost.last_ns >= since_ns)
		return true;
	if (quality->machines[machine].layers[layer].last_ns >= since_ns)
		return true;
	span = pid && quality->lost_of_process.count
		       ? table_get(&quality->lost_of_process, (uint64_t)machine << 32 | pid, layer)
		       : NULL;
	return span && span->last_ns >= since_ns;
}

/* The window in ns; 0 when there was no event. */
static uint64_t window_ns(const struct quality *quality)
{
	return quality->events ? (uint64_t)(quality->last_ns - quality->first_ns) : 0;
}

void quality_print(const struct quality *quality, FILE *out)
{
	uint64_t window = window_ns(quality);

	fprintf(out,
		"data: %" PRIu64 " events (%" PRIu64 " of ours) in %" PRIu64 ".%03" PRIu64
		" s, %" PRIu64 " stream%s, %zu machine%s\n",
		quality->events, quality->events_known, window / 1000000000,
		window / 1000000 % 1000, quality->streams, quality->streams == 1 ? "" : "s",
		quality->machines_count, quality->machines_count == 1 ? "" : "s");
	if (!quality_is_lossy(quality)) {
		fprintf(out, "lost: nothing%s\n",
			quality->lost_elsewhere ? " of ours (streams without our events lost some)"
						: "");
		return;
	}
	fprintf(out,
		"lost: %s%" PRIu64 " events and %" PRIu64 " packets in %" PRIu64
		" window%s, %" PRIu64 " commit number%s missing%s%s%s%s\n",
		quality->lost_uncounted || quality->lost_packets ? "at least " : "",
		quality->lost_events, quality->lost_packets, quality->lost_windows,
		quality->lost_windows == 1 ? "" : "s", quality->seq_gaps,
		quality->seq_gaps == 1 ? "" : "s",
		quality->beginning_missing ? ", the beginning" : "",
		quality->cut_short ? ", the end of a stream" : "",
		quality->unaccounted ? ", events of a stream that is gone" : "",
		quality->merged ? ", processes of one number that cannot be told apart (record "
				  "them with the context pid_ns)" : "");
}

struct json_object *quality_to_json(const struct quality *quality)
{
	struct json_object *object = json_object_new_object();
	struct json_object *machines = json_object_new_array();

	json_add_u64(object, "events", quality->events);
	json_add_u64(object, "events_known", quality->events_known);
	json_add_u64(object, "window_ns", window_ns(quality));
	json_add_i64(object, "first_ns", quality->events ? quality->first_ns : 0);
	json_add_u64(object, "streams", quality->streams);
	json_add_u64(object, "lost_events", quality->lost_events);
	json_add_u64(object, "lost_packets", quality->lost_packets);
	json_add_u64(object, "lost_windows", quality->lost_windows);
	json_add_u64(object, "lost_uncounted", quality->lost_uncounted);
	json_add_u64(object, "lost_elsewhere", quality->lost_elsewhere);
	json_add_u64(object, "commit_gaps", quality->seq_gaps);
	json_add_bool(object, "beginning_missing", quality->beginning_missing);
	json_add_bool(object, "cut_short", quality->cut_short);
	json_add_u64(object, "unaccounted", quality->unaccounted);
	json_add_u64(object, "merged_processes", quality->merged);
	for (size_t i = 0; i < quality->machines_count; i++) {
		struct json_object *machine = json_object_new_object();

		json_add_text(machine, "name", quality->machines[i].name);
		json_add_u64(machine, "events", quality->machines[i].events);
		json_object_array_add(machines, machine);
	}
	json_object_object_add(object, "machines", machines);
	return object;
}
