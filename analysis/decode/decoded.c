/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/decode/decoded.h"

#include <string.h>

#include "tracepoints/identity.h"

/* LTTng's own event: tells each process's name once, when the session or the process begins. */
#define NAME_EVENT "lttng_ust_statedump:procname"

/* Of the events that name their caller, who is another than their emitter. */
#define DEVICE_PREFIX "iommufd_dev:"

void decoded_init(struct decoded *decoded, const char *name)
{
	memset(decoded, 0, sizeof(*decoded));
	decoded->class = event_class_find(name);
	decoded->event.kind = decoded->class.kind;
	decoded->event.op = decoded->class.op;
	decoded->event.qemu = decoded->class.qemu;
	decoded->event.non_exist = decoded->class.non_exist;
	decoded->event.name = name;
	decoded->is_device = !strncmp(name, DEVICE_PREFIX, sizeof(DEVICE_PREFIX) - 1);
}

/* Whether such an event says whose call it is, with namespace and start. */
static bool names_caller(enum event_kind kind)
{
	return kind == EVENT_DEV_OPEN || kind == EVENT_IOCTL_BEGIN || kind == EVENT_VFIO_BIND ||
	       kind == EVENT_VFIO_CALL;
}

int32_t decoded_member(struct decoded *decoded, const char *name, bool is_signed)
{
	size_t offset;

	if (decoded->class.kind == EVENT_OTHER)
		return -1;
	if (!strcmp(name, "pid") && !is_signed) {
		decoded->has_pid = true;
		return offsetof(struct decoded, pid);
	}
	if (names_caller(decoded->class.kind) && !is_signed) {
		if (!strcmp(name, "pid_ns"))
			return offsetof(struct decoded, caller_ns);
		if (!strcmp(name, "start"))
			return offsetof(struct decoded, caller_start);
	}
	offset = event_field_offset(&decoded->class, name);
	if (!offset)
		return -1;
	decoded->has_op_id |= offset == offsetof(struct event, op_id);
	decoded->has_size |= offset == offsetof(struct event, size);
	decoded->has_last |= offset == offsetof(struct event, last);
	decoded->event.has_size = decoded->has_size;
	return (int32_t)(offsetof(struct decoded, event) + offset);
}

int32_t decoded_context_member(struct decoded *decoded, const char *name)
{
	if (!strcmp(name, "vpid")) {
		decoded->has_vpid = true;
		return offsetof(struct decoded, vpid);
	}
	if (!strcmp(name, "pid_ns")) {
		decoded->has_pid_ns = true;
		return offsetof(struct decoded, pid_ns);
	}
	return strcmp(name, "vtid") ? -1 : (int32_t)offsetof(struct decoded, vtid);
}

uint32_t decoded_layers(const char *name)
{
	if (event_class_find(name).kind == EVENT_OTHER)
		return 0;
	return strncmp(name, DEVICE_PREFIX, sizeof(DEVICE_PREFIX) - 1) ? 1u << EVENT_LAYER_BACKEND
								       : 1u << EVENT_LAYER_DEVICE;
}

bool decoded_is_name(const struct decoded *decoded, const char *name)
{
	if (!strcmp(decoded->event.name, NAME_EVENT))
		return !strcmp(name, "procname");
	return decoded->class.kind == EVENT_DEV_OPEN && !strcmp(name, "name");
}

bool decoded_is_text(const struct decoded *decoded, const char *name)
{
	return decoded->class.kind == EVENT_WHERE && !strcmp(name, "stack");
}

/*
 * Who calls: of the device's events whom they name, in the words of the caller; of the others
 * who emits them. Namespaces are compared only where the context tells that of both.
 */
static void name_caller(struct decoded *decoded)
{
	struct event *event = &decoded->event;

	event->here_ns = (uint32_t)decoded->pid_ns;
	if (decoded->has_pid) {
		event->pid = (uint32_t)decoded->pid;
		event->started = (uint32_t)decoded->caller_start;
		if (decoded->has_pid_ns)
			event->pid_ns = (uint32_t)decoded->caller_ns;
	} else if (!decoded->is_device) {
		if (decoded->has_op_id && event->op_id) {
			event->pid = TRACE_WORD_PID(event->op_id >> 32);
			event->started = TRACE_WORD_START(event->op_id >> 32);
		} else {
			event->pid = (uint32_t)decoded->vpid;
		}
		event->pid_ns = event->here_ns;
	}
	if (event->qemu)
		event->tid = decoded->vtid;
}

void decoded_finish(struct decoded *decoded)
{
	struct event *event = &decoded->event;

	if (event->kind == EVENT_OTHER) { /* of interest only for the name that it may tell */
		event->pid = (uint32_t)decoded->vpid;
		event->pid_ns = (uint32_t)decoded->pid_ns;
		return;
	}
	/* QEMU tells of this one whether it went well. */
	if (event->qemu && event->op == OP_CHANGE_PROCESS)
		event->ret = event->ret ? 0 : -1;
	if (decoded->has_last)
		event->size = iova_range_bytes(event->iova, event->last);
	else if (decoded->has_size)
		event->range = iova_range_of_length(event->iova, event->size);
	name_caller(decoded);
}

void decoded_name(const struct decoded *decoded, struct analysis *analysis, const char *text,
		  size_t n)
{
	char name[32];

	if (decoded->class.kind == EVENT_OTHER && !decoded->has_vpid)
		return; /* of whom? */
	n = strnlen(text, n < sizeof(name) ? n : sizeof(name) - 1);
	memcpy(name, text, n);
	name[n] = 0;
	if (name[0] && strcmp(name, "?"))
		state_process_set_name(analysis_state(analysis), &decoded->event, name);
}

bool decoded_wants_name(const struct decoded *decoded, struct decoded_names *names)
{
	const struct event *event = &decoded->event;

	if ((event->kind != EVENT_OP_BEGIN && event->kind != EVENT_OP_END) ||
	    (names->pid == event->pid && names->pid_ns == event->pid_ns &&
	     names->machine == event->machine))
		return false;
	names->pid = event->pid;
	names->pid_ns = event->pid_ns;
	names->machine = event->machine;
	return true;
}

static bool is_made_by(const struct decoded_origin *origin, const char *name)
{
	return origin->tracer_name && !strcmp(origin->tracer_name, name);
}

uint32_t decoded_machine(struct analysis *analysis, const struct decoded_origin *origin)
{
	struct quality *quality = analysis_quality(analysis);
	const char *name = origin->hostname, *clock = origin->clock_uuid;
	uint32_t machine;

	if (is_made_by(origin, "ioasis-simulate")) {
		name = origin->scenario;
		clock = origin->world;
	}
	machine = quality_machine(quality, name ? name : "", clock);
	if (machine != UINT32_MAX)
		quality->machines[machine].by_lttng |= is_made_by(origin, "lttng-ust");
	return machine;
}
