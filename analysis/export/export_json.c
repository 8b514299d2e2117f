/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Export to lines of JSON, one object a line, each with its "type".
 *
 * The first line is the data's quality. It is known only at the end, so room is
 * left for it; in a pipe, where one cannot go back, it comes last instead.
 */
#include "analysis/export/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "text/json_out.h"
#include "analysis/state/live_mappings.h"

#define HEAD_BYTES 1024 /* of the first line, with its newline */

struct json_export {
	struct analysis *analysis;
	FILE *file; /* borrowed */
	bool seekable;
};

static void line_begin(struct json_export *e, struct json_out *json, const char *type)
{
	json_out_init(json, e->file);
	json_out_begin(json, NULL, '{');
	json_out_string(json, "type", type);
}

static void line_end(struct json_out *json)
{
	json_out_end(json, '}');
	putc('\n', json->file);
}

static void op_id_write(struct json_out *json, const char *key, uint64_t op_id)
{
	char text[32];

	if (op_id)
		json_out_string(json, key, event_op_id_text(op_id, text));
}

static void owner_write(struct json_out *json, uint32_t machine, uint32_t pid)
{
	json_out_u64(json, "machine", machine);
	json_out_u64(json, "pid", pid);
}

static void on_op(void *opaque, const struct state_op *op)
{
	struct json_out json;
	char text[32];

	line_begin(opaque, &json, "op");
	json_out_string(&json, "op", event_op_name(op->op));
	json_out_string(&json, "layer", op->layer == STATE_BACKEND ? "backend" : "device");
	op_id_write(&json, "op_id", op->op_id);
	if (op->outer)
		op_id_write(&json, "outer_op_id", op->outer->op_id);
	owner_write(&json, op->machine, op->pid);
	if (op->tid)
		json_out_u64(&json, "tid", op->tid);
	if (op->begin_seen)
		json_out_i64(&json, "begin_ns", op->begin_ns);
	if (op->returned) {
		json_out_i64(&json, "end_ns", op->end_ns);
		json_out_i64(&json, "ret", op->ret);
		if (op->ret < 0)
			json_out_string(&json, "error", export_error_text(op->ret, text));
	}
	if (op->id)
		json_out_u64(&json, "id", op->id);
	if (op->new_id)
		json_out_u64(&json, "new_id", op->new_id);
	if (op->size) {
		json_out_hex(&json, "iova", op->iova);
		json_out_hex(&json, "last", op->last);
	}
	if (op->non_exist)
		json_out_bool(&json, "non_exist", true);
	line_end(&json);
}

static void on_commit(void *opaque, const struct state_object *object,
		      const struct event *commit, const struct state_op *op)
{
	struct json_out json;

	(void)op;
	line_begin(opaque, &json, "commit");
	json_out_i64(&json, "time_ns", commit->time_ns);
	json_out_string(&json, "kind", export_commit_name(commit->commit_kind));
	json_out_u64(&json, "object", object->serial);
	json_out_u64(&json, "id", object->id);
	json_out_u64(&json, "seq", commit->seq);
	op_id_write(&json, "op_id", commit->op_id);
	json_out_hex(&json, "iova", commit->iova);
	json_out_hex(&json, "last", commit->last);
	json_out_u64(&json, "flags", commit->flags);
	json_out_u64(&json, "arg", commit->arg);
	line_end(&json);
}

static void on_object_begin(void *opaque, const struct state_object *object)
{
	struct json_out json;

	line_begin(opaque, &json, "object");
	json_out_u64(&json, "object", object->serial);
	json_out_u64(&json, "id", object->id);
	json_out_string(&json, "kind", state_object_type_name(object->type));
	owner_write(&json, object->context->machine, object->context->pid);
	if (object->parent)
		json_out_u64(&json, "parent", object->parent);
	json_out_i64(&json, "born_ns", object->born_ns);
	line_end(&json);
}

static void on_object_end(void *opaque, const struct state_object *object, int64_t time_ns)
{
	struct json_out json;

	line_begin(opaque, &json, "object_end");
	json_out_u64(&json, "object", object->serial);
	json_out_i64(&json, "died_ns", time_ns);
	line_end(&json);
}

static void mapping_write(struct json_export *e, const struct state_object *object,
			  const struct state_mapping *mapping, bool ended, int64_t died_ns,
			  uint64_t died_op)
{
	struct json_out json;

	line_begin(e, &json, "mapping");
	json_out_u64(&json, "object", object->serial);
	json_out_u64(&json, "ioas", object->id);
	owner_write(&json, object->context->machine, object->context->pid);
	json_out_hex(&json, "iova", mapping->iova);
	json_out_hex(&json, "last", mapping->last);
	json_out_bool(&json, "writable", mapping->prot & TRACE_PROT_WRITE);
	json_out_i64(&json, "born_ns", mapping->born_ns);
	op_id_write(&json, "op_id", mapping->op_id);
	if (ended)
		json_out_i64(&json, "died_ns", died_ns);
	op_id_write(&json, "died_op_id", died_op);
	line_end(&json);
}

static void on_mapping_end(void *opaque, const struct state_object *object,
			   const struct state_mapping *mapping, int64_t time_ns, uint64_t op_id)
{
	mapping_write(opaque, object, mapping, true, time_ns, op_id);
}

static void on_attach(void *opaque, const struct state_object *object, uint64_t device,
		      bool attached, int64_t time_ns)
{
	struct json_out json;

	line_begin(opaque, &json, attached ? "attach" : "detach");
	json_out_i64(&json, "time_ns", time_ns);
	json_out_u64(&json, "object", object->serial);
	json_out_u64(&json, "device", device);
	line_end(&json);
}

static void on_loss(void *opaque, const struct event_loss *loss)
{
	struct json_out json;

	line_begin(opaque, &json, "loss");
	json_out_u64(&json, "machine", loss->machine);
	json_out_u64(&json, "stream", loss->stream);
	if (loss->first_ns != INT64_MIN)
		json_out_i64(&json, "first_ns", loss->first_ns);
	if (loss->last_ns != INT64_MAX)
		json_out_i64(&json, "last_ns", loss->last_ns);
	json_out_u64(&json, "events", loss->events);
	json_out_u64(&json, "packets", loss->packets);
	line_end(&json);
}

static void quality_write(struct json_export *e)
{
	const struct quality *q = analysis_quality(e->analysis);
	struct json_out json;

	line_begin(e, &json, "quality");
	json_out_u64(&json, "events", q->events);
	json_out_u64(&json, "events_known", q->events_known);
	json_out_u64(&json, "lost_events", q->lost_events);
	json_out_u64(&json, "lost_packets", q->lost_packets);
	json_out_u64(&json, "lost_uncounted", q->lost_uncounted);
	json_out_u64(&json, "missing_commits", q->seq_gaps);
	json_out_u64(&json, "streams", q->streams);
	json_out_u64(&json, "machines", q->machines_count);
	json_out_bool(&json, "beginning_missing", q->beginning_missing);
	json_out_bool(&json, "cut_short", q->cut_short);
	if (q->events) {
		json_out_i64(&json, "first_ns", q->first_ns);
		json_out_i64(&json, "last_ns", q->last_ns);
	}
	json_out_end(&json, '}');
}

static void on_left(void *opaque, const struct state_object *object,
		    const struct state_mapping *mapping)
{
	mapping_write(opaque, object, mapping, false, 0, 0);
}

static void on_finish(void *opaque)
{
	struct json_export *e = opaque;

	live_mappings_visit(e->analysis, on_left, e);
	if (e->seekable)
		rewind(e->file);
	quality_write(e);
	if (!e->seekable)
		putc('\n', e->file);
}

static const struct analysis_observer json_observer = {
	.op = on_op,
	.commit = on_commit,
	.object_begin = on_object_begin,
	.object_end = on_object_end,
	.mapping_end = on_mapping_end,
	.attach = on_attach,
	.loss = on_loss,
	.finish = on_finish,
};

/* Whether one can go back to the file's beginning: not in a pipe, nor behind what others wrote. */
static bool can_rewind(FILE *file)
{
	int flags = fcntl(fileno(file), F_GETFL);

	return ftello(file) == 0 && flags >= 0 && !(flags & O_APPEND);
}

static void *json_open(struct analysis *analysis, FILE *file, const char *path, char *error,
		       size_t error_size)
{
	struct json_export *e = calloc(1, sizeof(*e));

	(void)path;
	if (!e) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	e->file = file;
	e->analysis = analysis;
	e->seekable = can_rewind(file);
	if (e->seekable)
		fprintf(e->file, "%*s\n", HEAD_BYTES - 1, "");
	return e;
}

static bool json_close(void *self, char *error, size_t error_size)
{
	struct json_export *e = self;
	bool ok;

	errno = 0;
	ok = !fflush(e->file) && !ferror(e->file);

	if (!ok)
		snprintf(error, error_size, "%s", strerror(errno ? errno : EIO));
	free(e);
	return ok;
}

const struct export_format export_json = {
	.name = "json",
	.help = "a JSON object a line: calls, commits, mappings with their lives, objects",
	.observer = &json_observer,
	.open = json_open,
	.close = json_close,
};
