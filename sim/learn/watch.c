/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/learn/watch.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/analysis.h"
#include "analysis/check/check.h"
#include "analysis/decode/decoded.h"
#include "sim/scenario/boot.h"
#include "tracepoints/names.h"

/* How the checker reads an event of the catalogue. */
struct class {
	struct decoded decoded;
	int32_t offsets[TRACE_FIELDS_MAX]; /* in struct decoded; -1: nobody reads it */
	int name_field; /* a text that names the process; -1: none */
};

/* An id means something in its open file alone. */
struct object {
	uint64_t ctx;
	uint64_t id;
};

struct watch {
	struct analysis *analysis; /* owned */
	struct check *check;	   /* owned */
	struct class classes[TRACE_EVENTS_COUNT];
	double *moments; /* owned */
	size_t count;
	size_t size;
	size_t taken; /* they were given away: the next one goes to the beginning */
	double lost_count;
	struct object files[WATCH_SPACES_MAX]; /* open files, and the numbers of their guests */
	size_t files_count;
	struct object spaces[WATCH_SPACES_MAX];
	size_t spaces_count;
	struct table_of {
		struct object object;
		int space;
	} tables[4 * WATCH_SPACES_MAX]; /* page tables, and whose they are; the oldest goes */
	size_t tables_count;
	int last_attached; /* space */
	bool finished;
};

/* ---- moments -------------------------------------------------------------------- */

static void moment(struct watch *watch, enum watch_kind kind, uint64_t time_ns, double a, double b,
		   double c, double d)
{
	double *at;

	if (watch->taken) {
		watch->count = 0;
		watch->taken = 0;
	}
	if (watch->count == watch->size && watch->size < WATCH_MOMENTS_MAX) {
		size_t size = watch->size ? watch->size * 2 : 1024;
		double *moments =
			realloc(watch->moments, size * WATCH_NUMBERS * sizeof(*moments));

		if (moments) {
			watch->moments = moments;
			watch->size = size;
		}
	}
	if (watch->count == watch->size) {
		watch->lost_count++;
		return;
	}
	at = watch->moments + watch->count++ * WATCH_NUMBERS;
	at[0] = kind;
	at[1] = (double)time_ns;
	at[2] = a;
	at[3] = b;
	at[4] = c;
	at[5] = d;
}

/* The structure of an event's fields: each has 8 bytes, whatever it has in a trace. */
#define FIELDS(record, provider, name) \
	((const struct trace_##provider##_##name *)(const void *)(record)->values)

static bool is_same(const struct object *a, uint64_t ctx, uint64_t id)
{
	return a->ctx == ctx && a->id == id;
}

/* The number of an address space; -1: there are too many. time_ns: when it is heard of. */
static int space_of(struct watch *watch, uint64_t ctx, uint64_t ioas, uint64_t time_ns)
{
	uint64_t guest = 0;

	for (size_t i = 0; i < watch->spaces_count; i++) {
		if (is_same(&watch->spaces[i], ctx, ioas))
			return (int)i;
	}
	if (watch->spaces_count == WATCH_SPACES_MAX)
		return -1;
	for (size_t i = 0; i < watch->files_count; i++) {
		if (watch->files[i].ctx == ctx)
			guest = watch->files[i].id;
	}
	moment(watch, WATCH_SPACE, time_ns, (double)watch->spaces_count, (double)guest, 0, 0);
	watch->spaces[watch->spaces_count] = (struct object){ ctx, ioas };
	return (int)watch->spaces_count++;
}

/* The address space of a page table; -1: not known. */
static int space_of_table(const struct watch *watch, uint64_t ctx, uint64_t hwpt)
{
	size_t room = sizeof(watch->tables) / sizeof(*watch->tables);

	for (size_t i = 0; i < room && i < watch->tables_count; i++) {
		if (is_same(&watch->tables[i].object, ctx, hwpt))
			return watch->tables[i].space;
	}
	return -1;
}

static void commit_moment(struct watch *watch, const struct sim_record *record)
{
	const struct trace_iommufd_dev_commit *commit = FIELDS(record, iommufd_dev, commit);
	size_t room = sizeof(watch->tables) / sizeof(*watch->tables);
	int space;

	switch (commit->kind) {
	case TRACE_COMMIT_MAP:
	case TRACE_COMMIT_COPY:
		moment(watch, WATCH_MAP, record->time_ns,
		       space_of(watch, commit->ctx, commit->obj, record->time_ns), (double)commit->iova,
		       (double)commit->last, (double)commit->flags);
		break;
	case TRACE_COMMIT_UNMAP:
		moment(watch, WATCH_UNMAP, record->time_ns,
		       space_of(watch, commit->ctx, commit->obj, record->time_ns), (double)commit->iova,
		       (double)commit->last, 0);
		break;
	case TRACE_COMMIT_ALLOC:
		if (commit->flags != TRACE_OBJ_HWPT_PAGING)
			break;
		space = space_of(watch, commit->ctx, commit->arg, record->time_ns);
		watch->tables[watch->tables_count++ % room] = (struct table_of){
			.object = { commit->ctx, commit->obj },
			.space = space,
		};
		break;
	case TRACE_COMMIT_ATTACH:
		watch->last_attached = space_of_table(watch, commit->ctx, commit->obj);
		break;
	case TRACE_COMMIT_DESTROY:
		for (size_t i = 0; i < watch->spaces_count; i++) {
			if (is_same(&watch->spaces[i], commit->ctx, commit->obj))
				moment(watch, WATCH_GONE, record->time_ns, (double)i, 0, 0, 0);
		}
		break;
	default:
		break;
	}
}

/* The thread that opens a file says whose it is. */
static void open_seen(struct watch *watch, const struct sim_record *record)
{
	const struct trace_iommufd_dev_open *open = FIELDS(record, iommufd_dev, open);

	if (watch->files_count < WATCH_SPACES_MAX)
		watch->files[watch->files_count++] =
			(struct object){ open->ctx, guest_of_tid((uint32_t)open->tid) };
}

static void dma_moment(struct watch *watch, const struct sim_record *record)
{
	const struct trace_iommufd_dev_dma *dma = FIELDS(record, iommufd_dev, dma);

	moment(watch, WATCH_DMA, record->time_ns, space_of_table(watch, dma->ctx, dma->pt),
	       (double)dma->iova, (double)(dma->iova + (dma->length - 1)),
	       (dma->write ? 1 : 0) + (dma->ret ? 2 : 0));
}

static void sim_moment(struct watch *watch, const struct sim_record *record)
{
	const struct trace_ioasis_sim_invalidate *invalidate = FIELDS(record, ioasis_sim, invalidate);
	const struct trace_ioasis_sim_flush *flush = FIELDS(record, ioasis_sim, flush);
	const struct trace_ioasis_sim_stale_dma *stale = FIELDS(record, ioasis_sim, stale_dma);
	const struct trace_ioasis_sim_migration_round *round =
		FIELDS(record, ioasis_sim, migration_round);
	const struct trace_ioasis_sim_planted_fault *planted =
		FIELDS(record, ioasis_sim, planted_fault);
	uint64_t time_ns = record->time_ns;

	switch (record->event) {
	case TRACE_ioasis_sim_invalidate:
		moment(watch, WATCH_INVALIDATE, time_ns, (double)invalidate->guest,
		       (double)invalidate->iova,
		       (double)(invalidate->iova + (invalidate->size - 1)),
		       (double)invalidate->done_ns);
		break;
	case TRACE_ioasis_sim_flush:
		moment(watch, WATCH_FLUSH, time_ns, (double)flush->guest, (double)flush->entries,
		       0, (double)flush->done_ns);
		break;
	case TRACE_ioasis_sim_stale_dma:
		moment(watch, WATCH_STALE, time_ns, watch->last_attached, (double)stale->iova, 0,
		       (double)stale->write);
		break;
	case TRACE_ioasis_sim_migration_round:
		moment(watch, WATCH_ROUND, time_ns, (double)round->round,
		       (double)round->dirty_pages, (double)round->send_ns, 0);
		break;
	case TRACE_ioasis_sim_planted_fault:
		moment(watch, WATCH_PLANTED, time_ns, (double)planted->kind,
		       (double)planted->iova, 0, 0);
		break;
	default:
		break;
	}
}

static void unmapped_moment(struct watch *watch, const struct sim_record *record)
{
	const struct trace_iommufd_backend_unmap_dma *unmap =
		FIELDS(record, iommufd_backend, unmap_dma);

	moment(watch, WATCH_UNMAPPED, record->time_ns, (double)unmap->iova,
	       (double)(unmap->iova + (unmap->size - 1)), 0, 0);
}

/* ---- the checker ------------------------------------------------------------------ */

static void class_init(struct class *class, const struct trace_description *described)
{
	decoded_init(&class->decoded, described->name);
	class->name_field = -1;
	for (size_t i = 0; i < described->fields_count; i++) {
		const struct trace_field *field = &described->fields[i];

		class->offsets[i] = -1;
		if (field->type != TRACE_TYPE_str)
			class->offsets[i] = decoded_member(&class->decoded, field->name,
							   field->type == TRACE_TYPE_i32);
		else if (decoded_is_name(&class->decoded, field->name))
			class->name_field = (int)i;
	}
}

/* As the reader of a trace does (analysis/ctf/feed.c). */
static void tell_check(struct watch *watch, const struct sim_record *record)
{
	struct class *class = &watch->classes[record->event];

	for (size_t i = 0; i < trace_descriptions[record->event].fields_count; i++) {
		if (class->offsets[i] >= 0)
			memcpy((char *)&class->decoded + class->offsets[i], &record->values[i],
			       sizeof(record->values[i]));
	}
	class->decoded.event.time_ns = (int64_t)record->time_ns;
	decoded_finish(&class->decoded);
	analysis_event(watch->analysis, &class->decoded.event);
	if (class->name_field >= 0) {
		const char *name = (const char *)(uintptr_t)record->values[class->name_field];

		decoded_name(&class->decoded, watch->analysis, name, strlen(name));
	}
}

/* ---- the sink --------------------------------------------------------------------- */

static void put(void *opaque, const struct sim_record *record)
{
	struct watch *watch = opaque;

	if (record->event == TRACE_iommufd_dev_commit)
		commit_moment(watch, record);
	else if (record->event == TRACE_iommufd_dev_open)
		open_seen(watch, record);
	else if (record->event == TRACE_iommufd_backend_unmap_dma)
		unmapped_moment(watch, record);
	else if (record->event == TRACE_iommufd_dev_dma)
		dma_moment(watch, record);
	else
		sim_moment(watch, record);
	tell_check(watch, record);
}

static void fail(void *opaque, int err)
{
	struct watch *watch = opaque;

	(void)err;
	watch->lost_count++;
}

static int finish(void *opaque, char *error, size_t error_size)
{
	struct watch *watch = opaque;

	(void)error;
	(void)error_size;
	analysis_finish(watch->analysis, false);
	watch->finished = true;
	return 0;
}

struct sim_sink watch_sink(struct watch *watch)
{
	return (struct sim_sink){ .put = put, .fail = fail, .finish = finish, .opaque = watch };
}

struct watch *watch_create(const char *scenario)
{
	const struct decoded_origin origin = {
		.tracer_name = "ioasis-simulate",
		.scenario = scenario,
		.clock_uuid = "",
		.world = "1",
	};
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->analysis = analysis_create();
	watch->check = watch->analysis ? check_create(watch->analysis, NULL) : NULL;
	if (!watch->check || decoded_machine(watch->analysis, &origin)) {
		watch_destroy(watch);
		return NULL;
	}
	analysis_quality(watch->analysis)->streams = 1;
	for (unsigned int i = 0; i < TRACE_EVENTS_COUNT; i++)
		class_init(&watch->classes[i], &trace_descriptions[i]);
	return watch;
}

void watch_destroy(struct watch *watch)
{
	if (!watch)
		return;
	check_destroy(watch->check);
	analysis_destroy(watch->analysis);
	free(watch->moments);
	free(watch);
}

size_t watch_take(struct watch *watch, const double **numbers)
{
	*numbers = watch->moments;
	if (watch->taken)
		return 0;
	watch->taken = watch->count;
	return watch->count;
}

double watch_lost(const struct watch *watch)
{
	return watch->lost_count;
}

void watch_print_check(struct watch *watch, FILE *out)
{
	if (watch->finished)
		check_print(watch->check, out);
}

int watch_check_status(const struct watch *watch)
{
	return watch->finished ? check_exit_status(watch->check) : 2;
}
