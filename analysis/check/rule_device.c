/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rule device: a VFIO device is not left attached or bound.
 *
 * Who attaches a device undoes it by DETACH or by closing the device's file, and closing is
 * the only way to unbind (include/uapi/linux/vfio.h). So a close is no mistake, and what the
 * kernel undoes for a process that has ended is none, unless --leaks asks for it: with close a
 * program shall detach what it closes, and close what it bound before it ends.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "analysis/bdf.h"
#include "analysis/check/check_internal.h"

/* include/uapi/linux/vfio.h, _IO(';', n) */
#define VFIO_ATTACH 0x3b77u
#define VFIO_DETACH 0x3b78u
#define PASID_SHIFT 32

/* A device that is bound. */
struct bound_device {
	struct bound_device *next, **link;
	uint64_t ctx, dev;
	uint32_t machine, here_ns;
	uint32_t bdf, group;
	const struct state_context *context; /* NULL: not known, or ended */
	const struct state_process *by;
	int64_t bound_ns;
	int64_t changed_ns;    /* of what is known of it */
	struct table attached; /* (PASID, 0) -> page table + 1 */
	uint64_t pasid, pt;    /* of the last one that was attached */
	int64_t attached_ns;
	uint32_t attached_tid;
};

struct device_rules {
	struct table bound; /* (device, context) of a scope -> struct bound_device */
	struct bound_device *first;
};

static struct device_rules *mine(const struct check *check)
{
	return check->data[RULE_DEVICE];
}

static uint64_t key_of(const struct event *event)
{
	return (uint64_t)event->machine << 48 ^ (uint64_t)event->here_ns << 32 ^ event->dev_id;
}

static struct bound_device *find(const struct check *check, const struct event *event)
{
	return table_get(&mine(check)->bound, key_of(event), event->ctx);
}

static void forget(struct check *check, struct bound_device *device, uint64_t key)
{
	table_remove(&mine(check)->bound, key, device->ctx);
	*device->link = device->next;
	if (device->next)
		device->next->link = device->link;
	table_fini(&device->attached);
	free(device);
}

/* Certain unless a DETACH, or the end, could have been lost since the last that is known. */
static bool is_sure(const struct check *check, const struct bound_device *device)
{
	if (device->context)
		return !state_lost_since(check->state, device->context, device->changed_ns);
	return !quality_lost_since(analysis_quality(check->analysis), device->machine,
				   EVENT_LAYER_DEVICE, 0, device->changed_ns);
}

/* end: what ended it, a sentence. */
static void left(struct check *check, const struct bound_device *device, int64_t time_ns,
		 bool sure, const char *end)
{
	struct check_finding *finding;
	char bdf[BDF_TEXT_BYTES];

	bdf_text(device->bdf, bdf);
	if (device->attached.count)
		finding = finding_add(check, RULE_DEVICE, verdict_if(sure), time_ns,
				      "device %s (group %u) was left attached to page table %" PRIu64
				      " when %s", bdf, device->group, device->pt, end);
	else
		finding = finding_add(check, RULE_DEVICE, verdict_if(sure), time_ns,
				      "device %s (group %u) was left bound when %s", bdf,
				      device->group, end);
	finding_about(check, finding, device->by, device->context, device->dev);
	finding_witness(finding, device->bound_ns, 0, 0, 0, "device %s was bound", bdf);
	if (device->attached.count && device->pasid)
		finding_witness(finding, device->attached_ns, 0, device->attached_tid, 0,
				"ATTACH of device %s to %" PRIu64 " with PASID %" PRIu64, bdf,
				device->pt, device->pasid);
	else if (device->attached.count)
		finding_witness(finding, device->attached_ns, 0, device->attached_tid, 0,
				"ATTACH of device %s to %" PRIu64, bdf, device->pt);
	finding_witness(finding, time_ns, 0, 0, 0, "%s", end);
}

static void bind(struct check *check, const struct event *event)
{
	struct device_rules *rules = mine(check);
	struct bound_device *device = find(check, event);

	if (device) /* its end was lost */
		forget(check, device, key_of(event));
	device = table_add(&rules->bound, key_of(event), event->ctx, sizeof(*device));
	if (!device) {
		check->failed = true;
		return;
	}
	device->next = rules->first;
	if (device->next)
		device->next->link = &device->next;
	device->link = &rules->first;
	rules->first = device;
	device->ctx = event->ctx;
	device->dev = event->dev_id;
	device->machine = event->machine;
	device->here_ns = event->here_ns;
	device->bdf = (uint32_t)event->bdf;
	device->group = (uint32_t)event->group;
	device->context = state_context_of(check->state, event);
	device->by = state_caller(check->state, event);
	device->bound_ns = device->changed_ns = event->time_ns;
}

static void call(struct check *check, const struct event *event)
{
	struct bound_device *device = find(check, event);
	uint64_t pasid = event->arg >> PASID_SHIFT, pt = event->arg & UINT32_MAX;

	if (!device || event->ret)
		return;
	if (event->cmd == VFIO_DETACH) {
		table_remove(&device->attached, pasid, 0);
		device->changed_ns = event->time_ns;
	} else if (event->cmd == VFIO_ATTACH) {
		if (table_set(&device->attached, pasid, 0, (void *)(uintptr_t)(pt + 1)))
			check->failed = true;
		device->pasid = pasid;
		device->pt = pt;
		device->attached_ns = device->changed_ns = event->time_ns;
		device->attached_tid = (uint32_t)event->tid;
	}
}

static void unbind(struct check *check, const struct event *event)
{
	struct bound_device *device = find(check, event);

	rule_asked(check, RULE_DEVICE);
	if (!device)
		return;
	if (check->config.leaks != CHECK_LEAKS_EXIT && (device->attached.count || event->by_exit))
		left(check, device, event->time_ns, is_sure(check, device),
		     event->by_exit ? "its file was closed as its process ended" :
				      "its file was closed");
	forget(check, device, key_of(event));
}

static void device_event(struct check *check, const struct event *event)
{
	switch (event->kind) {
	case EVENT_VFIO_BIND:
		bind(check, event);
		break;
	case EVENT_VFIO_CALL:
		call(check, event);
		break;
	case EVENT_VFIO_UNBIND:
		unbind(check, event);
		break;
	default:
		break;
	}
}

static void device_context_end(struct check *check, const struct state_context *context,
			       int64_t time_ns)
{
	(void)time_ns;
	for (struct bound_device *device = mine(check)->first; device; device = device->next) {
		if (device->context == context)
			device->context = NULL;
	}
}

/*
 * A session may be over before its programs are: then nobody knows the end of what is bound.
 * Who asks so strictly says that the trace ends with its programs.
 */
static bool end_is_known(const struct check *check, const struct bound_device *device)
{
	return !analysis_quality(check->analysis)->machines[device->machine].by_lttng ||
	       check->config.leaks == CHECK_LEAKS_STRICT;
}

static void device_finish(struct check *check)
{
	if (analysis_still_running(check->analysis) || check->config.leaks == CHECK_LEAKS_EXIT)
		return;
	for (struct bound_device *device = mine(check)->first; device; device = device->next) {
		rule_asked(check, RULE_DEVICE);
		if (end_is_known(check, device))
			left(check, device, device->changed_ns, is_sure(check, device),
			     "the trace ended");
	}
}

static void device_fini(struct check *check)
{
	for (struct bound_device *device = mine(check)->first; device; device = device->next)
		table_fini(&device->attached);
	table_fini_values(&mine(check)->bound);
}

const struct rule_hooks rule_device = {
	.data_bytes = sizeof(struct device_rules),
	.fini = device_fini,
	.event = device_event,
	.context_end = device_context_end,
	.finish = device_finish,
};
