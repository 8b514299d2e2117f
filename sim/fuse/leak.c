/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/fuse/leak.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text/json_out.h"

#define EXAMPLES 8u

enum leak_kind {
	LEAK_MAPPING,
	LEAK_IOAS,
	LEAK_HWPT,
	LEAK_OTHER,
	LEAK_KINDS,
};

static const struct {
	const char *one, *many, *json;
} kind_names[LEAK_KINDS] = {
	[LEAK_MAPPING] = { "mapping", "mappings", "mappings" },
	[LEAK_IOAS] = { "address space", "address spaces", "address_spaces" },
	[LEAK_HWPT] = { "page table", "page tables", "page_tables" },
	[LEAK_OTHER] = { "other object", "other objects", "other_objects" },
};

struct leak_example {
	uint32_t id; /* of the object; of a mapping's address space */
	uint64_t iova, last;
	unsigned int prot;
};

/* What one thread left, of one kind. Its size does not grow with what was left. */
struct leak_group {
	struct leak_group *next;
	enum leak_kind kind;
	uint32_t pid, tid; /* of the first; with a stack, other threads can be in it, too */
	uint32_t stack;
	bool is_suppressed, has_threads; /* has_threads: of more than one */
	char name[PROCESS_NAME_BYTES];
	uint64_t count, bytes;
	uint64_t first_ns, last_ns;
	struct leak_example examples[EXAMPLES];
};

struct leak_report {
	pthread_mutex_t lock;
	struct leak_group *groups, **last_group;
	struct leak_group *recent; /* most is left by one thread */
	struct where *where;
	const struct suppressions *suppressions;
	uint64_t count[LEAK_KINDS];
	uint64_t suppressed; /* not in count */
	uint64_t mapped_bytes;
	uint64_t files_closed;
	uint64_t files; /* closed with something left */
	bool incomplete; /* memory ran out while noting */
};

/* Noting one file. */
struct leak_visit {
	struct leak_report *report;
	struct process_table *processes;
	uint64_t found;
};

struct leak_report *leak_report_create(struct where *where,
				       const struct suppressions *suppressions)
{
	struct leak_report *report = calloc(1, sizeof(*report));

	if (!report)
		return NULL;
	pthread_mutex_init(&report->lock, NULL);
	report->last_group = &report->groups;
	report->where = where;
	report->suppressions = suppressions;
	return report;
}

void leak_report_destroy(struct leak_report *report)
{
	if (!report)
		return;
	while (report->groups) {
		struct leak_group *group = report->groups;

		report->groups = group->next;
		free(group);
	}
	pthread_mutex_destroy(&report->lock);
	free(report);
}

static bool group_is(const struct leak_group *group, enum leak_kind kind,
		     const struct engine_origin *origin)
{
	return group->kind == kind && group->pid == origin->pid &&
	       group->stack == origin->stack && (group->stack || group->tid == origin->tid);
}

/* frames of stack; returns how many, 0: not known. */
static size_t frames_of(struct leak_report *report, uint32_t stack,
			struct where_frame frames[WHERE_FRAMES_MAX])
{
	return report->where ? where_frames(report->where, stack, frames) : 0;
}

static bool is_suppressed(struct leak_report *report, uint32_t stack)
{
	struct where_frame frames[WHERE_FRAMES_MAX];

	return suppressions_match(report->suppressions, frames, frames_of(report, stack, frames));
}

static struct leak_group *find_group(struct leak_visit *visit, enum leak_kind kind,
				     const struct engine_origin *origin)
{
	struct leak_report *report = visit->report;
	struct leak_group *group = report->recent;

	if (group && group_is(group, kind, origin))
		return group;
	for (group = report->groups; group; group = group->next) {
		if (group_is(group, kind, origin))
			goto out;
	}
	group = calloc(1, sizeof(*group));
	if (!group) {
		report->incomplete = true;
		return NULL;
	}
	group->kind = kind;
	group->pid = origin->pid;
	group->tid = origin->tid;
	group->stack = origin->stack;
	group->is_suppressed = is_suppressed(report, group->stack);
	group->first_ns = origin->time_ns;
	if (visit->processes)
		process_table_name(visit->processes, group->pid, group->name, PROCESS_NAME_BYTES);
	else
		snprintf(group->name, PROCESS_NAME_BYTES, "?");
	*report->last_group = group;
	report->last_group = &group->next;
out:
	report->recent = group;
	return group;
}

static void note(struct leak_visit *visit, enum leak_kind kind, const struct engine_origin *origin,
		 const struct leak_example *example)
{
	struct leak_group *group = find_group(visit, kind, origin);
	uint64_t bytes = kind == LEAK_MAPPING ? example->last - example->iova + 1 : 0;

	if (group && group->is_suppressed) {
		visit->report->suppressed++;
		return;
	}
	visit->found++;
	visit->report->count[kind]++;
	visit->report->mapped_bytes += bytes;
	if (!group)
		return;
	if (group->count < EXAMPLES)
		group->examples[group->count] = *example;
	group->count++;
	group->bytes += bytes;
	group->has_threads |= group->tid != origin->tid;
	if (origin->time_ns < group->first_ns)
		group->first_ns = origin->time_ns;
	if (origin->time_ns > group->last_ns)
		group->last_ns = origin->time_ns;
}

static void visit_object(void *opaque, uint32_t id, enum engine_object_type type,
			 const struct engine_origin *origin)
{
	struct leak_example example = { .id = id };
	enum leak_kind kind = LEAK_OTHER;

	switch (type) {
	case ENGINE_OBJ_NONE:
	case ENGINE_OBJ_DEVICE: /* belongs to whoever bound it */
	case ENGINE_OBJ_SELFTEST:
		return;
	case ENGINE_OBJ_IOAS:
		kind = LEAK_IOAS;
		break;
	case ENGINE_OBJ_HWPT_PAGING:
	case ENGINE_OBJ_HWPT_NESTED:
		kind = LEAK_HWPT;
		break;
	default:
		break;
	}
	note(opaque, kind, origin, &example);
}

static void visit_area(void *opaque, uint32_t ioas_id, uint64_t iova, uint64_t last,
		       unsigned int prot, const struct engine_origin *origin)
{
	struct leak_example example = { .id = ioas_id, .iova = iova, .last = last, .prot = prot };

	note(opaque, LEAK_MAPPING, origin, &example);
}

void leak_report_add(struct leak_report *report, struct engine_ctx *ctx,
		     struct process_table *processes)
{
	static const struct engine_visitor visitor = { .object = visit_object, .area = visit_area };
	struct leak_visit visit = { .report = report, .processes = processes };

	pthread_mutex_lock(&report->lock);
	engine_ctx_visit(ctx, &visitor, &visit);
	report->files_closed++;
	if (visit.found)
		report->files++;
	pthread_mutex_unlock(&report->lock);
}

uint64_t leak_report_count(struct leak_report *report)
{
	uint64_t count = 0;

	pthread_mutex_lock(&report->lock);
	for (int kind = 0; kind < LEAK_KINDS; kind++)
		count += report->count[kind];
	pthread_mutex_unlock(&report->lock);
	return count;
}

/* ---- printing -------------------------------------------------------------------- */

/* Exact where a unit divides it, else to a tenth of the largest one. */
static void print_bytes(FILE *out, uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	unsigned int unit = 0;
	uint64_t size = 1, tenths;

	while (unit < 4 && bytes / size >= 1024) {
		size *= 1024;
		unit++;
	}
	tenths = bytes % size * 10 / size;
	fprintf(out, "%" PRIu64, bytes / size);
	if (bytes % size)
		fprintf(out, ".%" PRIu64, tenths);
	fprintf(out, " %s", units[unit]);
}

static void print_time(FILE *out, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	struct tm tm;

	localtime_r(&seconds, &tm);
	fprintf(out, "%02d:%02d:%02d.%06" PRIu64, tm.tm_hour, tm.tm_min, tm.tm_sec,
		ns % 1000000000u / 1000u);
}

/* As valgrind does: at FUNCTION (FILE:LINE), or (in OBJECT) without debug information. */
static void print_stack(FILE *out, struct leak_report *report, uint32_t stack)
{
	struct where_frame frames[WHERE_FRAMES_MAX];
	size_t count = frames_of(report, stack, frames);

	for (size_t i = 0; i < count; i++) {
		const struct where_frame *frame = &frames[i];
		const char *slash = frame->file ? strrchr(frame->file, '/') : NULL;

		fprintf(out, "==ioasis==    %s 0x%" PRIX64 ": %s ", i ? "by" : "at", frame->address,
			frame->function);
		if (frame->file)
			fprintf(out, "(%s:%u)\n", slash ? slash + 1 : frame->file, frame->line);
		else
			fprintf(out, "(in %s)\n", frame->object);
	}
}

static void print_group(FILE *out, struct leak_report *report, const struct leak_group *group)
{
	uint64_t shown = group->count < EXAMPLES ? group->count : EXAMPLES;

	fprintf(out, "==ioasis== %" PRIu64 " %s", group->count,
		group->count == 1 ? kind_names[group->kind].one : kind_names[group->kind].many);
	if (group->kind == LEAK_MAPPING) {
		fprintf(out, ", ");
		print_bytes(out, group->bytes);
		fprintf(out, ",");
	}
	fprintf(out, " made by %s (pid %u, ", group->name, group->pid);
	if (group->has_threads)
		fprintf(out, "several threads)");
	else
		fprintf(out, "thread %u)", group->tid);
	if (group->last_ns) {
		fprintf(out, " at ");
		print_time(out, group->first_ns);
		if (group->count > 1) {
			fprintf(out, " to ");
			print_time(out, group->last_ns);
		}
	}
	fputc('\n', out);
	print_stack(out, report, group->stack);
	for (uint64_t i = 0; i < shown; i++) {
		const struct leak_example *example = &group->examples[i];

		if (group->kind != LEAK_MAPPING) {
			fprintf(out, "%s%u%s", i ? ", " : "==ioasis==     id ", example->id,
				i + 1 == shown && shown == group->count ? "\n" : "");
			continue;
		}
		fprintf(out, "==ioasis==     ioas %u: 0x%" PRIx64 " to 0x%" PRIx64 ", ",
			example->id, example->iova, example->last);
		print_bytes(out, example->last - example->iova + 1);
		fprintf(out, ", %s%s\n", example->prot & ENGINE_PROT_READ ? "r" : "-",
			example->prot & ENGINE_PROT_WRITE ? "w" : "-");
	}
	if (shown < group->count)
		fprintf(out, "%s and %" PRIu64 " more\n",
			group->kind == LEAK_MAPPING ? "==ioasis==    " : ",", group->count - shown);
}

void leak_report_print(struct leak_report *report, FILE *out)
{
	pthread_mutex_lock(&report->lock);
	if (!report->files_closed)
		goto out_unlock;
	if (report->files) {
		fprintf(out, "==ioasis== LEAKS: what was left when /dev/iommu was closed\n");
		for (struct leak_group *group = report->groups; group; group = group->next) {
			if (!group->is_suppressed)
				print_group(out, report, group);
		}
	}
	fprintf(out, "==ioasis== leaked:");
	for (int kind = 0; kind < LEAK_KINDS; kind++) {
		if (kind == LEAK_OTHER && !report->count[kind])
			continue;
		fprintf(out, "%s %" PRIu64 " %s", kind ? "," : "", report->count[kind],
			report->count[kind] == 1 ? kind_names[kind].one : kind_names[kind].many);
		if (kind == LEAK_MAPPING && report->mapped_bytes) {
			fprintf(out, " (");
			print_bytes(out, report->mapped_bytes);
			fprintf(out, ")");
		}
	}
	if (report->suppressed)
		fprintf(out, "; suppressed: %" PRIu64, report->suppressed);
	fprintf(out, "%s\n", report->incomplete ? " (list cut short: out of memory)" : "");
out_unlock:
	pthread_mutex_unlock(&report->lock);
}

void leak_report_print_one(struct leak_report *report, struct engine_ctx *ctx,
			   struct process_table *processes, FILE *out)
{
	struct leak_report *one = leak_report_create(report->where, report->suppressions);
	char *text = NULL;
	size_t size;
	FILE *lines = one ? open_memstream(&text, &size) : NULL;

	if (lines) {
		leak_report_add(one, ctx, processes);
		if (leak_report_count(one))
			leak_report_print(one, lines);
		/* In one piece: several clients may close at once. */
		if (!fclose(lines) && text)
			fputs(text, out);
		fflush(out);
	}
	free(text);
	leak_report_destroy(one);
}

static void put_stack(struct json_out *json, struct leak_report *report, uint32_t stack)
{
	struct where_frame frames[WHERE_FRAMES_MAX];
	size_t count = frames_of(report, stack, frames);

	json_out_begin(json, "stack", '[');
	for (size_t i = 0; i < count; i++) {
		json_out_begin(json, NULL, '{');
		json_out_hex(json, "address", frames[i].address);
		json_out_string(json, "function", frames[i].function);
		json_out_string(json, "object", frames[i].object);
		if (frames[i].file) {
			json_out_string(json, "file", frames[i].file);
			json_out_u64(json, "line", frames[i].line);
		}
		json_out_end(json, '}');
	}
	json_out_end(json, ']');
}

static void put_example(struct json_out *json, const struct leak_group *group,
			const struct leak_example *example)
{
	json_out_begin(json, NULL, '{');
	json_out_u64(json, "id", example->id);
	if (group->kind == LEAK_MAPPING) {
		json_out_u64(json, "iova", example->iova);
		json_out_u64(json, "last", example->last);
		json_out_bool(json, "readable", example->prot & ENGINE_PROT_READ);
		json_out_bool(json, "writable", example->prot & ENGINE_PROT_WRITE);
	}
	json_out_end(json, '}');
}

static void put_group(struct json_out *json, struct leak_report *report,
		      const struct leak_group *group)
{
	uint64_t shown = group->count < EXAMPLES ? group->count : EXAMPLES;

	json_out_begin(json, NULL, '{');
	json_out_string(json, "kind", kind_names[group->kind].json);
	json_out_u64(json, "count", group->count);
	json_out_u64(json, "bytes", group->bytes);
	json_out_string(json, "command", group->name); /* may hold any byte */
	json_out_u64(json, "pid", group->pid);
	json_out_u64(json, "tid", group->tid);
	json_out_u64(json, "first_ns", group->first_ns);
	json_out_u64(json, "last_ns", group->last_ns);
	json_out_begin(json, "examples", '[');
	for (uint64_t i = 0; i < shown; i++)
		put_example(json, group, &group->examples[i]);
	json_out_end(json, ']');
	if (report->where)
		put_stack(json, report, group->stack);
	json_out_end(json, '}');
}

void leak_report_print_json(struct leak_report *report, FILE *out)
{
	struct json_out json;

	pthread_mutex_lock(&report->lock);
	json_out_init(&json, out);
	json_out_begin(&json, NULL, '{');
	json_out_begin(&json, "leaked", '{');
	for (int kind = 0; kind < LEAK_KINDS; kind++)
		json_out_u64(&json, kind_names[kind].json, report->count[kind]);
	json_out_u64(&json, "suppressed", report->suppressed);
	json_out_u64(&json, "mapped_bytes", report->mapped_bytes);
	json_out_end(&json, '}');
	json_out_begin(&json, "groups", '[');
	for (struct leak_group *group = report->groups; group; group = group->next) {
		if (!group->is_suppressed)
			put_group(&json, report, group);
	}
	json_out_end(&json, ']');
	json_out_end(&json, '}');
	fputc('\n', out);
	pthread_mutex_unlock(&report->lock);
}
