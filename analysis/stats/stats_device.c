/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/stats/stats_device.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "analysis/bdf.h"
#include "analysis/json_add.h"
#include "analysis/state/state.h"
#include "analysis/stats/stats.h"

/* ---- counting ------------------------------------------------------------------- */

/*
 * The device of the event; made at the first time. A place on the bus is one of its daemon's
 * (the emitter of its context), an id without a place one of its context. NULL: out of memory.
 */
static struct stats_device *device_of(struct stats_devices *devices, struct state *state,
				      const struct event *event)
{
	const struct state_context *context = state_context_of(state, event);
	uint64_t a = event->bdf, b = context ? context->emitter->number : 0;
	struct stats_device *device;

	if (event->bdf == EVENT_NO_BDF) {
		a = event->dev_id | 1ull << 32;
		b = context ? context->serial : 0;
	}
	b |= (uint64_t)event->machine << 48;
	device = table_get(&devices->table, a, b);
	if (!device) {
		device = table_add(&devices->table, a, b, sizeof(*device));
		if (!device)
			return NULL;
		if (devices->last)
			devices->last->next = device;
		else
			devices->first = device;
		devices->last = device;
		device->machine = event->machine;
		device->bdf = (uint32_t)event->bdf;
	}
	device->dev = (uint32_t)event->dev_id;
	return device;
}

static void count_dma(struct stats_device *device, const struct event *event)
{
	device->faults += event->ret < 0;
	if (event->write) {
		device->writes++;
		device->written_bytes += event->ret ? 0 : event->size;
	} else {
		device->reads++;
		device->read_bytes += event->ret ? 0 : event->size;
	}
}

int stats_devices_event(struct stats_devices *devices, struct state *state,
			const struct event *event)
{
	struct stats_device *device;

	switch (event->kind) {
	case EVENT_DMA:
	case EVENT_VFIO_BIND:
	case EVENT_VFIO_CALL:
	case EVENT_VFIO_IRQ:
		break;
	default:
		return 0;
	}
	device = device_of(devices, state, event);
	if (!device)
		return -ENOMEM;
	switch (event->kind) {
	case EVENT_DMA:
		count_dma(device, event);
		break;
	case EVENT_VFIO_BIND:
		device->binds++;
		device->group = (uint32_t)event->group;
		device->has_group = true;
		device->process = state_caller(state, event);
		break;
	case EVENT_VFIO_CALL:
		device->calls++;
		device->errors += event->ret < 0;
		device->calls_ns += event->duration_ns;
		if (event->duration_ns > device->calls_max_ns)
			device->calls_max_ns = event->duration_ns;
		break;
	default:
		device->irqs++;
		break;
	}
	return 0;
}

void stats_devices_fini(struct stats_devices *devices)
{
	table_fini_values(&devices->table);
	devices->first = devices->last = NULL;
}

/* ---- showing --------------------------------------------------------------------- */

static const char *place_text(const struct stats_device *device, char text[24])
{
	if (device->bdf == EVENT_NO_BDF)
		snprintf(text, 24, "id %" PRIu32, device->dev);
	else
		bdf_text(device->bdf, text);
	return text;
}

void stats_devices_print(const struct stats_devices *devices, const struct quality *quality,
			 FILE *out)
{
	char place[24], group[16], read[16], written[16], mean[16], max[16];

	fprintf(out, "%-12s %5s %8s %-16s %6s %8s %7s %10s %10s %11s %11s %7s %8s\n", "device",
		"group", "process", "name", "binds", "calls", "errors", "mean", "max", "DMA read",
		"DMA written", "faults", "irqs");
	for (const struct stats_device *device = devices->first; device; device = device->next) {
		snprintf(group, sizeof(group), "%" PRIu32, device->group);
		fprintf(out, "%-12s %5s %8" PRIu32 " %-16s %6" PRIu64 " %8" PRIu64 " %7" PRIu64
			     " %10s %10s %11s %11s %7" PRIu64 " %8" PRIu64,
			place_text(device, place), device->has_group ? group : "-",
			device->process ? device->process->pid : 0,
			device->process ? device->process->name : "", device->binds, device->calls,
			device->errors,
			device->calls ? stats_time_text(device->calls_ns / device->calls, mean) :
					"-",
			device->calls ? stats_time_text(device->calls_max_ns, max) : "-",
			stats_bytes_text(device->read_bytes, read),
			stats_bytes_text(device->written_bytes, written), device->faults,
			device->irqs);
		if (quality->machines_count > 1)
			fprintf(out, "  %s", quality->machines[device->machine].name);
		fputc('\n', out);
	}
}

struct json_object *stats_devices_to_json(const struct stats_devices *devices)
{
	struct json_object *array = json_object_new_array();
	char bdf[BDF_TEXT_BYTES];

	for (const struct stats_device *device = devices->first; device; device = device->next) {
		struct json_object *object = json_object_new_object();

		json_add_u64(object, "machine", device->machine);
		if (device->bdf != EVENT_NO_BDF)
			json_add_text(object, "bdf", bdf_text(device->bdf, bdf));
		json_add_u64(object, "dev", device->dev);
		if (device->has_group)
			json_add_u64(object, "group", device->group);
		if (device->process) {
			json_add_u64(object, "pid", device->process->pid);
			json_add_u64(object, "pid_ns", device->process->pid_ns);
			json_add_text(object, "procname", device->process->name);
		}
		json_add_u64(object, "binds", device->binds);
		json_add_u64(object, "calls", device->calls);
		json_add_u64(object, "errors", device->errors);
		json_add_u64(object, "total_ns", device->calls_ns);
		json_add_u64(object, "max_ns", device->calls_max_ns);
		json_add_u64(object, "dma_reads", device->reads);
		json_add_u64(object, "dma_writes", device->writes);
		json_add_u64(object, "dma_read_bytes", device->read_bytes);
		json_add_u64(object, "dma_written_bytes", device->written_bytes);
		json_add_u64(object, "dma_faults", device->faults);
		json_add_u64(object, "irqs", device->irqs);
		json_object_array_add(array, object);
	}
	return array;
}
