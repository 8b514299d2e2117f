/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Collects what the report shows, in one pass over the trace.
 */
#include "analysis/report/report_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/state/live_mappings.h"

static void report_fail(struct report *report, int error)
{
	if (!report->error)
		report->error = error;
}

struct report *report_create(void)
{
	struct report *report = calloc(1, sizeof(*report));

	if (!report)
		return NULL;
	timeline_init(&report->timeline);
	report->bytes = timeline_band_add(&report->timeline);
	report->mappings = timeline_band_add(&report->timeline);
	report->errors = timeline_counter_add(&report->timeline);
	report->spool = tmpfile();
	if (!report->bytes || !report->mappings || !report->errors || !report->spool) {
		report_destroy(report);
		return NULL;
	}
	return report;
}

static void finding_fini(struct report_finding *finding)
{
	free((void *)finding->rule);
	free((void *)finding->status);
	free((void *)finding->cause);
	for (size_t i = 0; i < finding->events_count; i++)
		free((void *)finding->events[i].text);
	free((void *)finding->events);
}

void report_destroy(struct report *report)
{
	if (!report)
		return;
	if (report->spool)
		fclose(report->spool);
	timeline_fini(&report->timeline);
	stats_destroy(report->stats);
	for (unsigned int i = 0; i < report->owners_count; i++)
		free(report->owners[i]);
	for (size_t i = 0; i < report->spaces_count; i++)
		free(report->spaces[i].name);
	free(report->spaces);
	for (size_t i = 0; i < report->rows_count; i++)
		free(report->rows[i].name);
	free(report->rows);
	table_fini(&report->mapping_category);
	table_fini(&report->space_index);
	table_fini(&report->row_index);
	for (size_t i = 0; i < report->findings_count; i++)
		finding_fini(&report->findings[i]);
	free(report->status);
	free(report->text);
	free(report->rules);
	free(report);
}

/* ---- owners and names --------------------------------------------------------- */

static void process_name(struct report *report, const struct state_context *context, char *text,
			 size_t size)
{
	const struct quality *quality = analysis_quality(report->analysis);
	const char *name = context->process->name;

	/* Machines are kept apart by name where there are several. */
	if (quality->machines_count > 1 && context->machine < quality->machines_count)
		snprintf(text, size, "%s: %s %" PRIu32, quality->machines[context->machine].name,
			 name[0] ? name : "process", context->pid);
	else
		snprintf(text, size, "%s %" PRIu32, name[0] ? name : "process", context->pid);
}

/* The colour of the process that a context belongs to. */
static uint8_t owner_of(struct report *report, const struct state_context *context)
{
	uint64_t key = context->process->number;
	char text[128];

	for (unsigned int i = 0; i < report->owners_count; i++) {
		if (report->owner_keys[i] == key)
			return (uint8_t)i;
	}
	if (report->owners_count == REPORT_OWNERS_MAX)
		return REPORT_OWNERS_MAX - 1;
	process_name(report, context, text, sizeof(text));
	if (report->owners_count == REPORT_OWNERS_MAX - 1) {
		snprintf(text, sizeof(text), "others");
		key = UINT64_MAX;
	}
	report->owner_keys[report->owners_count] = key;
	report->owners[report->owners_count] = strdup(text);
	if (!report->owners[report->owners_count])
		report_fail(report, -ENOMEM);
	return (uint8_t)report->owners_count++;
}

/* ---- rows: objects and contexts -------------------------------------------------- */

static struct report_row *row_find(struct report *report, uint64_t serial, bool context)
{
	size_t index = (size_t)table_get(&report->row_index, serial, context);

	return index ? &report->rows[index - 1] : NULL;
}

/* A new row; NULL when there are too many already or memory is short. */
static struct report_row *row_add(struct report *report, uint64_t serial, bool context,
				  const char *name)
{
	struct report_row *row;

	if (report->rows_count == REPORT_OBJECTS_MAX) {
		report->rows_left_out++;
		return NULL;
	}
	if (report->rows_count == report->rows_room) {
		size_t room = report->rows_room ? 2 * report->rows_room : 32;
		struct report_row *rows = realloc(report->rows, room * sizeof(*rows));

		if (!rows)
			goto out_fail;
		report->rows = rows;
		report->rows_room = room;
	}
	row = &report->rows[report->rows_count];
	memset(row, 0, sizeof(*row));
	row->serial = context ? 0 : serial;
	row->died_ns = INT64_MAX;
	row->name = strdup(name);
	if (!row->name)
		goto out_fail;
	report->rows_count++;
	if (table_set(&report->row_index, serial, context, (void *)report->rows_count))
		goto out_fail;
	return row;
out_fail:
	report_fail(report, -ENOMEM);
	return NULL;
}

static void on_context_begin(void *opaque, const struct state_context *context)
{
	struct report *report = opaque;
	char process[128], name[192];
	struct report_row *row;

	process_name(report, context, process, sizeof(process));
	if (context->layer == STATE_BACKEND)
		snprintf(name, sizeof(name), "backend %" PRIu64 " of %s", context->key & INT64_MAX,
			 process);
	else
		snprintf(name, sizeof(name), "open file %" PRIu64 " of %s",
			 context->key & UINT32_MAX, process);
	row = row_add(report, context->serial, true, name);
	if (!row)
		return;
	row->context = context->serial;
	row->born_ns = context->born_ns;
	row->kind = context->layer == STATE_BACKEND ? 6 : 5;
}

static void on_context_end(void *opaque, const struct state_context *context, int64_t time_ns)
{
	struct report_row *row = row_find(opaque, context->serial, true);

	if (row)
		row->died_ns = time_ns;
}

/* Colour of an object: address spaces, page tables, devices, what belongs to a vIOMMU, others. */
static uint8_t kind_of(enum trace_object_type type)
{
	switch (type) {
	case TRACE_OBJ_IOAS:
		return 0;
	case TRACE_OBJ_HWPT_PAGING:
	case TRACE_OBJ_HWPT_NESTED:
		return 1;
	case TRACE_OBJ_DEVICE:
	case TRACE_OBJ_ACCESS:
		return 2;
	case TRACE_OBJ_VIOMMU:
	case TRACE_OBJ_VDEVICE:
	case TRACE_OBJ_VEVENTQ:
	case TRACE_OBJ_HW_QUEUE:
		return 3;
	default:
		return 4;
	}
}

static void on_object_begin(void *opaque, const struct state_object *object)
{
	struct report *report = opaque;
	struct report_row *row;
	char name[64];

	snprintf(name, sizeof(name), "%s %" PRIu32, state_object_type_name(object->type),
		 object->id);
	row = row_add(report, object->serial, false, name);
	if (!row)
		return;
	row->context = object->context->serial;
	row->parent = object->parent;
	row->id = object->id;
	row->kind = kind_of(object->type);
	row->device = object->type == TRACE_OBJ_DEVICE || object->type == TRACE_OBJ_ACCESS;
	row->born_ns = object->born_ns;
}

static struct report_space *space_find(struct report *report, uint64_t serial)
{
	size_t index = (size_t)table_get(&report->space_index, serial, 0);

	return index ? &report->spaces[index - 1] : NULL;
}

static void on_object_end(void *opaque, const struct state_object *object, int64_t time_ns)
{
	struct report *report = opaque;
	struct report_row *row = row_find(report, object->serial, false);

	if (row)
		row->died_ns = time_ns;
}

static void on_attach(void *opaque, const struct state_object *object, uint64_t device,
		      bool attached, int64_t time_ns)
{
	struct report *report = opaque;
	struct state_object *dev = state_object_find(analysis_state(report->analysis),
						     object->context, device);
	struct report_row *row = dev ? row_find(report, dev->serial, false) : NULL;
	struct report_row *table = row_find(report, object->serial, false);

	(void)time_ns;
	if (row && attached)
		row->parent = object->id;
	if (table && attached)
		table->attaches++;
}

/* ---- mappings ------------------------------------------------------------------ */

void report_regions_add(struct report_regions *regions, uint64_t iova, uint64_t last)
{
	unsigned int at = 0, to;

	while (at < regions->count && iova && regions->last[at] < iova - 1)
		at++;
	if (at < regions->count && regions->first[at] <= iova && regions->last[at] >= last)
		return; /* the usual case */
	for (to = at; to < regions->count; to++) {
		if (last != UINT64_MAX && regions->first[to] > last + 1)
			break;
		iova = regions->first[to] < iova ? regions->first[to] : iova;
		last = regions->last[to] > last ? regions->last[to] : last;
	}
	/* Regions at .. to - 1 become one. */
	memmove(&regions->first[at + 1], &regions->first[to],
		(regions->count - to) * sizeof(*regions->first));
	memmove(&regions->last[at + 1], &regions->last[to],
		(regions->count - to) * sizeof(*regions->last));
	regions->first[at] = iova;
	regions->last[at] = last;
	regions->count = regions->count - to + at + 1;
	if (regions->count <= REPORT_REGIONS_MAX)
		return;
	/* Too many: the two with the smallest gap between them become one. */
	at = 0;
	for (unsigned int i = 1; i + 1 < regions->count; i++) {
		if (regions->first[i + 1] - regions->last[i] <
		    regions->first[at + 1] - regions->last[at])
			at = i;
	}
	regions->last[at] = regions->last[at + 1];
	memmove(&regions->first[at + 1], &regions->first[at + 2],
		(regions->count - at - 2) * sizeof(*regions->first));
	memmove(&regions->last[at + 1], &regions->last[at + 2],
		(regions->count - at - 2) * sizeof(*regions->last));
	regions->count--;
}

static struct report_space *space_get(struct report *report, const struct state_object *object)
{
	struct report_space *space = space_find(report, object->serial);
	char process[128], name[256];

	if (space)
		return space;
	if (report->spaces_count == report->spaces_room) {
		size_t room = report->spaces_room ? 2 * report->spaces_room : 16;
		struct report_space *spaces = realloc(report->spaces, room * sizeof(*spaces));

		if (!spaces)
			goto out_fail;
		report->spaces = spaces;
		report->spaces_room = room;
	}
	process_name(report, object->context, process, sizeof(process));
	snprintf(name, sizeof(name), "ioas %" PRIu32 ", %s %" PRIu64 " of %s", object->id,
		 object->context->layer == STATE_BACKEND ? "backend" : "open file",
		 object->context->key & UINT32_MAX, process);
	space = &report->spaces[report->spaces_count];
	*space = (struct report_space){ .serial = object->serial, .id = object->id };
	space->machine = object->context->machine;
	space->pid = object->context->pid;
	space->born_ns = object->born_ns;
	space->owner = owner_of(report, object->context);
	space->name = strdup(name);
	if (!space->name || table_set(&report->space_index, object->serial, 0,
				      (void *)(report->spaces_count + 1))) {
		free(space->name);
		goto out_fail;
	}
	report->spaces_count++;
	return space;
out_fail:
	report_fail(report, -ENOMEM);
	return NULL;
}

static void on_mapping_begin(void *opaque, const struct state_object *object,
			     const struct state_mapping *mapping)
{
	struct report *report = opaque;
	struct report_space *space = space_get(report, object);
	struct report_row *row = row_find(report, object->serial, false);

	if (!space)
		return;
	space->mappings++;
	if (row)
		row->mappings++;
	report_regions_add(&space->regions, mapping->iova, mapping->last);
	if (report->event_category != REPORT_BY_MAP &&
	    table_set(&report->mapping_category, object->serial, mapping->iova,
		      (void *)(uintptr_t)report->event_category))
		report_fail(report, -ENOMEM);
	report->live_bytes += mapping->last - mapping->iova + 1;
	report->live_mappings++;
	timeline_band_set(&report->timeline, report->bytes, mapping->born_ns, report->live_bytes);
	timeline_band_set(&report->timeline, report->mappings, mapping->born_ns,
			  report->live_mappings);
}

static void mapping_spool(struct report *report, const struct report_space *space,
			  const struct state_mapping *mapping, int64_t end_ns)
{
	void *category = table_remove(&report->mapping_category, space->serial, mapping->iova);
	struct report_mapping record = {
		.space = (uint32_t)(space - report->spaces),
		.category = (uint8_t)(uintptr_t)category,
		.owner = space->owner,
		.prot = mapping->prot,
		.begin_ns = mapping->born_ns,
		.end_ns = end_ns,
		.iova = mapping->iova,
		.last = mapping->last,
		.op_id = mapping->op_id,
	};

	if (fwrite(&record, sizeof(record), 1, report->spool) != 1)
		report_fail(report, -errno);
	else
		report->spooled++;
}

static void on_mapping_end(void *opaque, const struct state_object *object,
			   const struct state_mapping *mapping, int64_t time_ns, uint64_t op_id)
{
	struct report *report = opaque;
	struct report_space *space = space_find(report, object->serial);

	(void)op_id;
	if (!space)
		return;
	mapping_spool(report, space, mapping, time_ns);
	report->live_bytes -= mapping->last - mapping->iova + 1;
	report->live_mappings--;
	timeline_band_set(&report->timeline, report->bytes, time_ns, report->live_bytes);
	timeline_band_set(&report->timeline, report->mappings, time_ns, report->live_mappings);
}

/* ---- events and calls ----------------------------------------------------------- */

static enum report_category category_of_op(enum event_op op)
{
	const char *name;

	if (op == OP_MAP_FILE_DMA)
		return REPORT_BY_MAP_FILE;
	if (op == OP_COPY_DMA)
		return REPORT_BY_COPY;
	if (op >= OP_VFIO_IOCTL && op <= OP_VFIO_IOCTL_LAST)
		return REPORT_BY_VFIO;
	name = event_op_name(op);
	return !strcmp(name, "IOAS_MAP_FILE") ? REPORT_BY_MAP_FILE : REPORT_BY_MAP;
}

/* Remembers what kind of call the mapping that this event may bring comes from. */
static void on_event(void *opaque, const struct event *event)
{
	struct report *report = opaque;
	size_t slot = event->op_id % (sizeof(report->ioctls) / sizeof(*report->ioctls));

	timeline_bin(&report->timeline, event->time_ns);
	report->event_category = REPORT_BY_MAP;
	switch (event->kind) {
	case EVENT_OP_END:
		report->event_category = category_of_op(event->op);
		break;
	case EVENT_IOCTL_BEGIN:
		report->ioctls[slot].op_id = event->op_id;
		report->ioctls[slot].category = category_of_op(event->op);
		break;
	case EVENT_COMMIT:
		if (event->commit_kind == TRACE_COMMIT_COPY)
			report->event_category = REPORT_BY_COPY;
		else if (event->op_id && report->ioctls[slot].op_id == event->op_id)
			report->event_category = report->ioctls[slot].category;
		break;
	case EVENT_BE_MAPPING:
	case EVENT_DEV_MAPPING:
		report->event_category = REPORT_BY_DUMP;
		break;
	default:
		break;
	}
}

static void on_op(void *opaque, const struct state_op *op)
{
	struct report *report = opaque;
	unsigned int bin;

	/* In the curve an ioctl inside a call of the backend is that call. */
	if (op->outer || !op->returned)
		return;
	if (!report->calls[op->op])
		report->calls[op->op] = timeline_counter_add(&report->timeline);
	if (!report->calls[op->op]) {
		report_fail(report, -ENOMEM);
		return;
	}
	bin = timeline_bin(&report->timeline, op->end_ns);
	report->calls[op->op]->bins[bin]++;
	if (op->ret < 0 && !op->non_exist)
		report->errors->bins[bin]++;
	if (report_latency_note(report, op, bin))
		report_fail(report, -ENOMEM);
}

/* What still lives goes to the file too. */
static void on_left(void *opaque, const struct state_object *object,
		    const struct state_mapping *mapping)
{
	const struct report_space *space = space_find(opaque, object->serial);

	if (space)
		mapping_spool(opaque, space, mapping, INT64_MAX);
}

static void on_finish(void *opaque)
{
	struct report *report = opaque;

	live_mappings_visit(report->analysis, on_left, report);
}

int report_observe(struct report *report, struct analysis *analysis)
{
	static const struct analysis_observer observer = {
		.event = on_event,
		.op = on_op,
		.context_begin = on_context_begin,
		.context_end = on_context_end,
		.object_begin = on_object_begin,
		.object_end = on_object_end,
		.mapping_begin = on_mapping_begin,
		.mapping_end = on_mapping_end,
		.attach = on_attach,
		.finish = on_finish,
	};

	report->analysis = analysis;
	report->stats = stats_create(analysis);
	return report->stats ? analysis_observe(analysis, &observer, report) : -ENOMEM;
}

/* ---- findings -------------------------------------------------------------------- */

const struct report_space *report_space_of(const struct report *report,
					   const struct report_finding *finding)
{
	const struct report_space *best = NULL;

	/* Ids are given out again: the latest with this one that lived then; or the only one. */
	for (size_t i = 0; i < report->spaces_count; i++) {
		const struct report_space *space = &report->spaces[i];

		if (space->machine == finding->machine && space->pid == finding->pid &&
		    space->id == finding->object && space->born_ns <= finding->time_ns)
			best = space;
	}
	for (size_t i = 0; !best && finding->has_range && i < report->spaces_count; i++) {
		const struct report_space *space = &report->spaces[i];

		if (space->machine == finding->machine && space->pid == finding->pid &&
		    space->born_ns <= finding->time_ns)
			best = space;
	}
	return best;
}

int report_finding(struct report *report, const struct report_finding *finding)
{
	struct report_finding *kept = &report->findings[report->findings_count];
	struct report_event *events;

	report->findings_total++;
	if (report->findings_count == REPORT_FINDINGS_MAX)
		return 0;
	events = calloc(finding->events_count + 1, sizeof(*events));
	*kept = *finding;
	kept->rule = strdup(finding->rule);
	kept->status = strdup(finding->status);
	kept->cause = strdup(finding->cause);
	kept->events = events;
	kept->events_count = 0;
	if (!kept->rule || !kept->status || !kept->cause || !events)
		goto out_free;
	for (size_t i = 0; i < finding->events_count; i++) {
		events[i] = finding->events[i];
		events[i].text = strdup(finding->events[i].text);
		if (!events[i].text)
			goto out_free;
		kept->events_count++;
	}
	report->findings_count++;
	return 0;
out_free:
	finding_fini(kept);
	return -ENOMEM;
}

int report_verdict(struct report *report, const char *status, const char *text,
		   const char *rules)
{
	report->status = strdup(status);
	report->text = strdup(text);
	report->rules = strdup(rules);
	return report->status && report->text && report->rules ? 0 : -ENOMEM;
}
